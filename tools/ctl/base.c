// SPDX-License-Identifier: GPL-2.0-only
/* What all files of evfdctl use, see base.h. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "base.h"
#include "why.h"

int usage_status = EXIT_USAGE, error_status = EXIT_FAILURE;

void usage_end(void)
{
	fputs("Type: evfdctl --help\n", stderr);
	exit(usage_status);
}

uint64_t parse_number(const char *what, const char *text, uint64_t min,
		      uint64_t max)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	/* strtoull() would take a sign and blanks. */
	if (*text < '0' || *text > '9' || *end || errno || n < min ||
	    n > max)
		usage_error("%s takes a number from %ju to %ju, not '%s'", what,
			    (uintmax_t)min, (uintmax_t)max, text);
	return n;
}

int64_t parse_seconds(const char *what, const char *text)
{
	double s;
	char *end;

	s = strtod(text, &end);
	/* Ten years are enough, and far from an overflow. */
	if (!(*text == '.' || (*text >= '0' && *text <= '9')) || *end ||
	    !(s >= 0 && s <= 3e8))
		usage_error("%s takes seconds, not '%s'", what, text);
	return s * 1e9;
}

void no_module(void)
{
	char text[EVFD_WHY_SIZE];

	evfd_why(text);
	errx(error_status, "%s", text);
}

int catch_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		err(error_status, "signalfd");
	return fd;
}

int64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}
