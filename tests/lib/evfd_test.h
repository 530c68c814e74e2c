/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters, and what the kernel says of them and of tasks. For all tests; uses
 * the ABI in uapi/linux/evfd.h. selftests/create_test.c shows how; evfd_task.h
 * has threads, and operations that block.
 */
#ifndef _EVFD_TEST_H
#define _EVFD_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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
int evfd_test_open(void);

/* A new counter, or -1 with errno. */
int evfd_test_create(unsigned int flags, uint64_t initval);

/* The same of eventfd(2), to compare with. */
int evfd_test_create_eventfd(unsigned int flags, uint64_t initval);

/* A new counter: an evfd, or an eventfd(2) of the same flags and value. */
int evfd_test_make(bool evfd, unsigned int flags, uint64_t initval);

/*
 * Whether this kernel's eventfd takes the first 8 of more bytes, as that of 6.1
 * does. evfd is like the later ones on all kernels.
 */
int evfd_test_eventfd_is_lax(void);

/* What a system call returned, or -errno. */
ssize_t evfd_test_result(ssize_t ret);

/* read(2) and write(2) of 8 bytes; -errno on failure. */
int evfd_test_write(int fd, uint64_t n);
int evfd_test_read(int fd, uint64_t *n);

/*
 * The beginning of a file of /proc or /sys, without stdio, which a child of a
 * thread may not use. Returns 0 or -1.
 */
int evfd_test_text(const char *path, char *text, size_t size);

/* Finds @key at the begin of a line there; stores the number after it. */
int evfd_test_proc(const char *path, const char *key, const char *format,
		   void *value);

/* Writes @text to a file of /proc or /sys. Returns 0 or -1. */
int evfd_test_put(const char *dir, const char *file, const char *text);

/*
 * The count as fdinfo shows it; the one way to look without taking. For an
 * eventfd as well.
 */
uint64_t evfd_test_count(int fd);

/* The counter's number, which no other has or had, as fdinfo shows it. */
uint64_t evfd_test_id(int fd);

/* How many counters and open /dev/evfd there are: each pins the module. */
int evfd_test_users(void);

long evfd_test_now_ms(void);
void evfd_test_sleep_ms(unsigned int ms);

/* The state letter of task @tid, as in /proc: S sleeps; '?' if there is none. */
char evfd_test_task_state(pid_t tid);

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
int evfd_test_wait_state(pid_t tid, char state);

/*
 * Waits until task @tid sleeps, so that what follows meets a blocked task.
 * Returns 0, or -1 if it does not within the patience.
 */
int evfd_test_wait_asleep(pid_t tid);

/*
 * How often task @tid went to sleep. It goes up by one when a sleeper is woken
 * for nothing and sleeps again.
 */
long evfd_test_sleeps(pid_t tid);

/* Waits until @thread ended. Returns 0, or -1 if it still runs or sleeps. */
int evfd_test_join(pthread_t thread);

#endif /* _EVFD_TEST_H */
