/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters, and what the kernel says of them and of tasks. For all tests; uses
 * the ABI in uapi/linux/evfd.h. selftests/create_test.c shows how to use it.
 * Read evfd_task.h next, which has threads and operations that block.
 */
#ifndef _EVFD_TEST_H
#define _EVFD_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
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

/* Newer than the headers of some distributions. */
#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND	0x20
#endif
#ifndef RWF_ATOMIC
#define RWF_ATOMIC	0x40
#endif

/* How long a test waits for an event before it fails. */
#define EVFD_TEST_PATIENCE_MS	10000

/* After how many seconds the harness ends a test that hangs. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	120

/*
 * These end the test where they fail: a test that had nothing to test has not
 * passed.
 */

/* Opens /dev/evfd. */
int evfd_test_open(void);

/*
 * With EVFD_TEST_SHARED in the environment every evfd that evfd_test_create() makes
 * has EVFD_SHARED, too, so that all tests run on the other kind. True if it is set.
 */
bool evfd_test_shared(void);

/* Make an evfd, an eventfd(2) with the same arguments, and one of the two. */
int evfd_test_create(unsigned int flags, uint64_t initval);
int evfd_test_create_eventfd(unsigned int flags, uint64_t initval);
int evfd_test_make(bool evfd, unsigned int flags, uint64_t initval);

/* The highest count of what evfd_test_make(@evfd, ...) makes. */
uint64_t evfd_test_max(bool evfd);

/* Memory of zeros that a child of fork(2) shares. */
void *evfd_test_share(size_t size);

/*
 * Whether this kernel's eventfd writes the first 8 of more bytes, as that of 6.1
 * does. evfd refuses more than 8 bytes on all kernels.
 */
int evfd_test_eventfd_is_lax(void);

/* What a system call returned, or -errno. */
long sysret(long ret);

/* write(2) and read(2) of 8 bytes; -errno on failure. @n may be NULL. */
int evfd_test_write(int fd, uint64_t n);
int evfd_test_read(int fd, uint64_t *n);

/* The value that a read(2) of 8 bytes returns, or UINT64_MAX if it fails. */
uint64_t evfd_test_value(int fd);

/*
 * Reads a file of /proc or /sys, without stdio, which a child of a thread may
 * not use. Returns 0, or -1 if it cannot be read or is empty.
 */
int evfd_test_text(const char *path, char *text, size_t size);

/* Stores the value behind @key, which begins one line of @path. Returns 0 or -1. */
int evfd_test_proc(const char *path, const char *key, const char *format,
		   void *value);

/* The number behind @key in @dir/@file, or -1. */
long evfd_test_number(const char *dir, const char *file, const char *key);

/* Writes @text to a file of /proc or /sys. Returns 0 or -1. */
int evfd_test_put(const char *dir, const char *file, const char *text);

/* The count of an evfd or eventfd as fdinfo shows it, without a read. */
uint64_t evfd_test_count(int fd);

/* The counter's id, as fdinfo shows it. */
uint64_t evfd_test_id(int fd);

/* How many counters and open /dev/evfd there are: each pins the module. */
int evfd_test_users(void);

/* How many counters debugfs lists, or -1 where it has no list. */
int evfd_test_instances(void);

/* The number of the next descriptor. */
int evfd_test_next_fd(void);

long evfd_test_now_ms(void);
void evfd_test_sleep_ms(unsigned int ms);

/* The state letter of task @tid, as in /proc: S sleeps; '?' if there is none. */
char evfd_test_task_state(pid_t tid);

/* Waits until @condition holds, at most @limit_ms. Is true if it does. */
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

/* Waits for @state. Returns 0, or -1 after EVFD_TEST_PATIENCE_MS. */
int evfd_test_wait_state(pid_t tid, char state);

/* Waits until task @tid sleeps. Returns 0, or -1 after EVFD_TEST_PATIENCE_MS. */
int evfd_test_wait_asleep(pid_t tid);

/* How often task @tid went to sleep: a spurious wakeup adds one. */
long evfd_test_sleeps(pid_t tid);

/* Joins @thread. Returns 0, or -1 after EVFD_TEST_PATIENCE_MS. */
int evfd_test_join(pthread_t thread);

#endif /* _EVFD_TEST_H */
