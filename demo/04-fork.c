// SPDX-License-Identifier: GPL-2.0-only
/*
 * After fork(2) parent and child hold the same counter.
 *
 *	04-fork 10 20 0x1e
 *
 * The child writes each number of its command line, the parent waits for it to
 * end and reads once. Look at the sum: it came from another process.
 */
#include <ctype.h>
#include <sys/wait.h>

#include "demo.h"

static uint64_t parse(const char *text)
{
	uint64_t n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 0);
	if (!isdigit((unsigned char)*text) || *end || errno ||
	    n > EVFD_COUNT_MAX) {
		fprintf(stderr, "%s: not a number that a counter can hold\n",
			text);
		exit(2);
	}

	return n;
}

static void write_all(int fd, char **args)
{
	for (; *args; args++) {
		uint64_t n = parse(*args);

		/* EAGAIN here: the sum is more than the counter can hold. */
		must(write(fd, &n, sizeof(n)) == sizeof(n));
		printf("child:  write %ju\n", n);
	}
}

int main(int argc, char **argv)
{
	uint64_t expected = 0, sum = 0;
	int fd, status, i;
	pid_t pid;

	if (argc < 2) {
		fprintf(stderr, "usage: %s NUMBER...\n", argv[0]);
		return 2;
	}

	fd = evfd(0, EVFD_NONBLOCK);
	must(fd >= 0);

	pid = fork();
	must(pid >= 0);
	if (!pid) {
		write_all(fd, argv + 1);
		return 0;
	}

	must(waitpid(pid, &status, 0) == pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return 1;

	/* A sum of 0 is an empty counter. */
	must(read(fd, &sum, sizeof(sum)) == sizeof(sum) || errno == EAGAIN);
	printf("parent: read  %ju\n", sum);

	for (i = 1; i < argc; i++)
		expected += parse(argv[i]);
	must(sum == expected);

	return 0;
}
