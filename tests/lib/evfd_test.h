/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the selftests share: making a counter, and asking whether somebody
 * blocks on it. Uses the kernel's kselftest_harness.h and nothing of evfd but
 * the ABI in uapi/linux/evfd.h. create_test.c is a good one to read first;
 * evfd_task.h has threads, and operations that block.
 */
#ifndef _EVFD_TEST_H
#define _EVFD_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/evfd.h>

/* How long a test waits for what must happen, before it calls it lost. */
#define EVFD_TEST_PATIENCE_MS	10000

/* How long a test may take, in s, before the harness ends it: if it hangs, that is. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	120

/* /dev/evfd. Ends the test without it: what ran against nothing has not passed. */
static inline int evfd_test_open(void)
{
	int dev = open("/dev/evfd", O_RDWR | O_CLOEXEC);

	if (dev < 0) {
		fprintf(stderr, "# /dev/evfd: %s (is evfd.ko loaded?)\n",
			strerror(errno));
		exit(1);
	}

	return dev;
}

/* A new counter, or -1 with errno. */
static inline int evfd_test_create(unsigned int flags, uint64_t initval)
{
	struct evfd_create arg = { .flags = flags, .initval = initval };
	int dev = evfd_test_open();
	int fd, err;

	fd = ioctl(dev, EVFD_IOC_CREATE, &arg);
	err = errno;
	close(dev);
	errno = err;

	return fd;
}

/* The same of eventfd(2), to compare with. */
static inline int evfd_test_create_eventfd(unsigned int flags, uint64_t initval)
{
	int fd = eventfd(0, (flags & EVFD_CLOEXEC ? EFD_CLOEXEC : 0) |
			    (flags & EVFD_SEMAPHORE ? EFD_SEMAPHORE : 0) |
			    (flags & EVFD_NONBLOCK ? EFD_NONBLOCK : 0));

	/* Its own initial value has 32 bits. */
	if (fd >= 0 && initval &&
	    write(fd, &initval, sizeof(initval)) != sizeof(initval)) {
		close(fd);
		return -1;
	}

	return fd;
}

/* A new counter: an evfd, or an eventfd(2) of the same flags and value. */
static inline int evfd_test_make(bool evfd, unsigned int flags,
				 uint64_t initval)
{
	return evfd ? evfd_test_create(flags, initval) :
		      evfd_test_create_eventfd(flags, initval);
}

/*
 * Whether this kernel's eventfd takes the first 8 of more bytes, as that of 6.1
 * does. evfd is like the later ones on all kernels.
 */
static inline int evfd_test_eventfd_is_lax(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	uint64_t two[2] = { 1, 1 };
	int lax = write(fd, two, sizeof(two)) > 0;

	close(fd);
	return lax;
}

/* What a system call returned, or -errno. */
static inline ssize_t evfd_test_result(ssize_t ret)
{
	return ret < 0 ? -errno : ret;
}

/* read(2) and write(2) of 8 bytes; -errno on failure. */
static inline int evfd_test_write(int fd, uint64_t n)
{
	return evfd_test_result(write(fd, &n, sizeof(n)));
}

static inline int evfd_test_read(int fd, uint64_t *n)
{
	return evfd_test_result(read(fd, n, sizeof(*n)));
}

/* Finds @key in a file of /proc and stores the number after it. */
static inline int evfd_test_proc(const char *path, const char *key,
				 const char *format, void *value)
{
	size_t len = strlen(key);
	char line[256];
	int found = 0;
	FILE *f;

	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, len))
			found += sscanf(line + len, format, value) == 1;
	}
	if (f)
		fclose(f);

	return found == 1 ? 0 : -1;
}

/* Writes @text to a file of /proc or /sys. Returns 0 or -1. */
static inline int evfd_test_put(const char *dir, const char *file,
				const char *text)
{
	char path[PATH_MAX];
	int fd, n;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);

	return n == (int)strlen(text) ? 0 : -1;
}

/*
 * The count as fdinfo shows it; the one way to look without taking. For an
 * eventfd as well.
 */
static inline uint64_t evfd_test_count(int fd)
{
	char path[64];
	uint64_t count = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (evfd_test_proc(path, "evfd-count:", "%" SCNx64, &count) &&
	    evfd_test_proc(path, "eventfd-count:", "%" SCNx64, &count)) {
		fprintf(stderr, "# no evfd-count in %s\n", path);
		exit(1);
	}

	return count;
}

/* The counter's number, which no other has or had, as fdinfo shows it. */
static inline uint64_t evfd_test_id(int fd)
{
	char path[64];
	uint64_t id;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (evfd_test_proc(path, "evfd-id:", "%" SCNu64, &id)) {
		fprintf(stderr, "# no evfd-id in %s\n", path);
		exit(1);
	}

	return id;
}

/* How many counters and open /dev/evfd there are: each pins the module. */
static inline int evfd_test_users(void)
{
	const char *path = "/sys/module/evfd/refcnt";
	int users;

	if (evfd_test_proc(path, "", "%d", &users)) {
		fprintf(stderr, "# no number in %s\n", path);
		exit(1);
	}

	return users;
}

static inline long evfd_test_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static inline void evfd_test_sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

/* The state letter of task @tid, as in /proc: S sleeps. */
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

/* Waits until @condition holds, for @limit_ms. Is true if it came to. */
#define evfd_test_until_ms(condition, limit_ms)				\
	({								\
		int until_ms = (limit_ms);				\
		bool until_holds;					\
									\
		for (;;) {						\
			until_holds = (condition);			\
			if (until_holds || !until_ms--)			\
				break;					\
			evfd_test_sleep_ms(1);				\
		}							\
		until_holds;						\
	})
#define evfd_test_until(condition)					\
	evfd_test_until_ms(condition, EVFD_TEST_PATIENCE_MS)

/* Waits for @state; returns 0, or -1 if it does not come within the patience. */
static inline int evfd_test_wait_state(pid_t tid, char state)
{
	return evfd_test_until(evfd_test_task_state(tid) == state) ? 0 : -1;
}

/*
 * Waits until task @tid sleeps, so that what follows meets a blocked task.
 * Returns 0, or -1 if it does not within the patience.
 */
static inline int evfd_test_wait_asleep(pid_t tid)
{
	return evfd_test_wait_state(tid, 'S');
}

/*
 * How often task @tid went to sleep. It goes up by one when a sleeper is woken
 * for nothing and sleeps again.
 */
static inline long evfd_test_sleeps(pid_t tid)
{
	char path[64];
	long n = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	evfd_test_proc(path, "voluntary_ctxt_switches:", "%ld", &n);

	return n;
}

/* Waits until @thread ended. Returns 0, or -1 if it still runs or sleeps. */
static inline int evfd_test_join(pthread_t thread)
{
	struct timespec limit;

	clock_gettime(CLOCK_MONOTONIC, &limit);
	limit.tv_sec += EVFD_TEST_PATIENCE_MS / 1000;

	return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &limit) ? -1 : 0;
}

#endif /* _EVFD_TEST_H */
