// SPDX-License-Identifier: GPL-2.0-only
/*
 * A read of an empty counter sleeps until another thread writes.
 *
 * As 01-sum.c, but without EVFD_NONBLOCK: here the second read waits. Another
 * thread waits for half a second, reads the reader's state in /proc and then
 * writes. Look for the S (asleep, not spinning) and for the time that the read
 * took: half a second, too.
 */
#include <pthread.h>
#include <time.h>

#include "demo.h"

#define DELAY_MS	500

static int fd;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* The state of the process's first thread, as proc(5) has it. */
static char reader_state(void)
{
	char path[64], state;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", getpid());
	f = fopen(path, "r");
	must(f && fscanf(f, "%*d (02-block) %c", &state) == 1);
	fclose(f);

	return state;
}

static void *writer(void *unused)
{
	struct timespec delay = { 0, DELAY_MS * 1000000L };
	uint64_t n = 5;
	char state;

	nanosleep(&delay, NULL);

	state = reader_state();
	printf("  the other thread sees the reader in state %c\n", state);
	must(state == 'S');

	printf("  the other thread writes %ju\n", n);
	must(write(fd, &n, sizeof(n)) == sizeof(n));

	return unused;
}

int main(void)
{
	pthread_t thread;
	double start, took;
	uint64_t n;

	fd = evfd(0, 0);
	must(fd >= 0);

	for (n = 2; n <= 4; n++) {
		must(write(fd, &n, sizeof(n)) == sizeof(n));
		printf("write %ju\n", n);
	}

	must(read(fd, &n, sizeof(n)) == sizeof(n));
	printf("read  %ju\n", n);
	must(n == 9);

	printf("read  ...\n");
	start = now();
	must(pthread_create(&thread, NULL, writer, NULL) == 0);
	must(read(fd, &n, sizeof(n)) == sizeof(n));
	took = now() - start;
	printf("read  %ju, after %.1f s\n", n, took);
	must(n == 5);
	must(took >= DELAY_MS / 1e3);

	must(pthread_join(thread, NULL) == 0);
	return 0;
}
