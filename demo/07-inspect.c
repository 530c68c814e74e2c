// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel shows of a counter in /proc.
 *
 * /proc/PID/fd names the kind of file, /proc/PID/fdinfo shows the count (in
 * hex), the counter's id and its mode, lsof lists the processes that have it
 * open. The program shows this three times: empty, with a count of
 * 0x1020304050607080, and after a read of that. Look at evfd-count: fdinfo does not
 * change the count.
 */
#define _GNU_SOURCE
#include <sys/wait.h>

#include "demo.h"

#define VALUE	0x1020304050607080ULL

static int fd;

static void show_link(void)
{
	char path[64], target[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	must(readlink(path, target, sizeof(target) - 1) > 0);
	printf("%s -> %s\n", path, target);
	must(strcmp(target, "anon_inode:[evfd]") == 0);
}

static void show_fdinfo(uint64_t expected)
{
	char path[64], line[128];
	int semaphore, found = 0;
	uint64_t count;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", getpid(), fd);
	printf("%s:\n", path);
	f = fopen(path, "r");
	must(f);
	while (fgets(line, sizeof(line), f)) {
		printf("  %s", line);
		found += sscanf(line, "evfd-count: %jx", &count) == 1;
		found += sscanf(line, "evfd-semaphore: %d", &semaphore) == 1;
	}
	fclose(f);
	must(found == 2 && count == expected && semaphore == 0);
}

/* The lines about counters that lsof prints, if it is installed. */
static void show_lsof(void)
{
	char command[128], line[256];
	int status, lines = 0;
	FILE *f;

	snprintf(command, sizeof(command),
		 "command -v lsof >/dev/null || exit 127; exec lsof -w -p %d",
		 getpid());
	printf("%s:\n", strstr(command, "lsof -w"));
	fflush(stdout);
	f = popen(command, "re");
	must(f);
	while (fgets(line, sizeof(line), f)) {
		int about_us = !!strstr(line, "[evfd]");

		if (about_us || strncmp(line, "COMMAND", 7) == 0)
			printf("  %s", line);
		lines += about_us;
	}
	status = pclose(f);
	must(WIFEXITED(status));
	if (WEXITSTATUS(status) == 127) {
		printf("  lsof is not installed\n");
		return;
	}
	must(WEXITSTATUS(status) == 0 && lines == 1);
}

static void show(const char *when, uint64_t expected)
{
	printf("-- %s\n", when);
	show_link();
	show_fdinfo(expected);
	show_lsof();
}

int main(void)
{
	uint64_t n = VALUE;

	fd = evfd(0, EVFD_CLOEXEC);
	must(fd >= 0);

	show("before", 0);

	must(write(fd, &n, sizeof(n)) == sizeof(n));
	show("0x1020304050607080 is in the counter", VALUE);

	n = 0;
	must(read(fd, &n, sizeof(n)) == sizeof(n));
	must(n == VALUE);
	show("after a read", 0);

	return 0;
}
