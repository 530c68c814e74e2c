/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the selftests share: making a counter, and asking whether somebody
 * blocks on it. Uses the kernel's kselftest_harness.h and nothing of evfd but
 * the ABI in uapi/linux/evfd.h. create_test.c is a good one to read first.
 */
#ifndef _EVFD_TEST_H
#define _EVFD_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/evfd.h>

/* How long a test waits for what must happen, before it calls it lost. */
#define EVFD_TEST_PATIENCE_MS	10000

/*
 * A new counter, or -1 with errno. Without the module this ends the test: a
 * suite that ran against nothing has not passed.
 */
static inline int evfd_test_create(unsigned int flags, uint64_t initval)
{
	struct evfd_create arg = { .flags = flags, .initval = initval };
	int dev = open("/dev/evfd", O_RDWR | O_CLOEXEC);
	int fd, err;

	if (dev < 0) {
		fprintf(stderr, "# /dev/evfd: %s (is evfd.ko loaded?)\n",
			strerror(errno));
		exit(1);
	}
	fd = ioctl(dev, EVFD_IOC_CREATE, &arg);
	err = errno;
	close(dev);
	errno = err;

	return fd;
}

/* read(2) and write(2) of 8 bytes; -errno on failure. */
static inline int evfd_test_write(int fd, uint64_t n)
{
	ssize_t ret = write(fd, &n, sizeof(n));

	return ret < 0 ? -errno : ret;
}

static inline int evfd_test_read(int fd, uint64_t *n)
{
	ssize_t ret = read(fd, n, sizeof(*n));

	return ret < 0 ? -errno : ret;
}

/* The count as fdinfo shows it; the one way to look without taking. */
static inline uint64_t evfd_test_count(int fd)
{
	char path[64], line[128];
	uint64_t count = 0;
	int found = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		found += sscanf(line, "evfd-count: %lx", &count);
	if (f)
		fclose(f);
	if (found != 1) {
		fprintf(stderr, "# no evfd-count in %s\n", path);
		exit(1);
	}

	return count;
}

static inline void evfd_test_sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

/* The state letter of task @tid of this process, as in /proc: S sleeps. */
static inline char evfd_test_task_state(pid_t tid)
{
	char path[64], line[512], *paren, state = '?';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	f = fopen(path, "r");
	if (f && fgets(line, sizeof(line), f)) {
		paren = strrchr(line, ')');
		if (paren && paren[1])
			state = paren[2];
	}
	if (f)
		fclose(f);

	return state;
}

/*
 * Waits until task @tid sleeps, so that what follows meets a blocked task.
 * Returns 0, or -1 if it does not within the patience.
 */
static inline int evfd_test_wait_asleep(pid_t tid)
{
	int ms;

	for (ms = 0; ms < EVFD_TEST_PATIENCE_MS; ms++) {
		if (evfd_test_task_state(tid) == 'S')
			return 0;
		evfd_test_sleep_ms(1);
	}

	return -1;
}

#endif /* _EVFD_TEST_H */
