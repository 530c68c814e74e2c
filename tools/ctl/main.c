// SPDX-License-Identifier: GPL-2.0-only
/*
 * evfdctl: look at evfds, watch and trace them, and use them in shell scripts.
 *
 * evfdctl.1 is the manual. Here the command is chosen; evfdctl.h says where
 * each is.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "evfdctl.h"
#include "why.h"

static const char usage[] =
"Usage: evfdctl COMMAND [OPTION...] [ARG...]\n"
"\n"
"See what there is:\n"
"  ls                who holds which evfd\n"
"  info PID FD       all about one\n"
"  watch             ls, again and again\n"
"  trace [CMD...]    what happens to them, event by event; or what CMD does\n"
"    -i, --id ID         only the evfd with this id (not info)\n"
"    -p, --pid PID       only this process (not info)\n"
"    -t, --interval S    of watch, in seconds (1)\n"
"    -n, --count N       end after N tables of watch, or N events of trace\n"
"    -e, --event E[,E]   of trace: only these, as in -e write,wake\n"
"    -o, --output FILE   of trace: to FILE, apart from what CMD prints\n"
"    -j, --json          an object a line, for programs\n"
"\n"
"For shell scripts:\n"
"  run CMD...        run CMD with a new evfd, whose number is in $EVFD_FD\n"
"    -i, --initval N     its count (0)\n"
"    -s, --semaphore     a take takes 1, not all\n"
"    -n, --nonblock      with O_NONBLOCK\n"
"    -f, --fd N          its number\n"
"  add [N]           add N (1)\n"
"  take              take what is there, or 1 of a semaphore, and print it\n"
"  wait              until there is something to take\n"
"    -f, --fd N          of add, take and wait: which one ($EVFD_FD)\n"
"    -t, --timeout S     give up after S seconds\n"
"\n"
"Exit status: 0; 1 on an error; 2 if called wrongly; 124 if the time was up, or\n"
"the evfd is non-blocking and was not ready. Of run: CMD's, or 125 on an error,\n"
"126 if CMD could not be run, 127 if it was not found.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "ls", cmd_ls },
	{ "info", cmd_info },
	{ "watch", cmd_watch },
	{ "trace", cmd_trace },
	{ "run", cmd_run },
	{ "add", cmd_add },
	{ "take", cmd_take },
	{ "wait", cmd_wait },
};

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

/* A full disk is an error of ours; a reader that has seen enough is not. */
static int finish(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		if (errno != EPIPE) {
			warn("standard output");
			return status ? status : EXIT_FAILURE;
		}
	}
	return status;
}

static bool wants_help(const char *arg)
{
	return !strcmp(arg, "--help") || !strcmp(arg, "-h");
}

int main(int argc, char **argv)
{
	const char *name;
	size_t i;

	if (argc < 2)
		usage_error("which command?");
	name = argv[1];
	if (wants_help(name) || (argc > 2 && wants_help(argv[2]))) {
		fputs(usage, stdout);
		return finish(0);
	}
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(name, commands[i].name))
			continue;
		/* For what getopt_long() has to say. */
		argv[1] = program_invocation_short_name;
		return finish(commands[i].run(argc - 1, argv + 1));
	}
	usage_error("no command '%s'", name);
}
