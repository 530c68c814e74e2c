/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An operation, most often one that blocks, in a thread of its own, and its
 * result. Uses evfd_test.h; selftests/blocking_test.c shows how to use it.
 *
 * Nothing here sleeps for a fixed time: evfd_task_start() returns when the kernel
 * reports that the task sleeps in its operation.
 *
 * An operation must not use the harness's ASSERT and EXPECT: it returns a result,
 * and the test checks that after evfd_task_join().
 */
#ifndef _EVFD_TASK_H
#define _EVFD_TASK_H

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include "evfd_test.h"

/* Set fd, op and the fields that op needs; evfd_task_run() sets the rest. */
struct evfd_task {
	int fd;
	ssize_t (*op)(struct evfd_task *task);
	/* The value read or to be written. */
	uint64_t value;
	void *buf;
	/* For operations of the test's own. */
	uint64_t arg;

	pthread_t thread;
	/* Set right before the operation starts, and right after it ended. */
	_Atomic pid_t tid;
	atomic_bool done;
	/* The result of @op; those below return -errno for an error. */
	ssize_t ret;
	/* How often the thread had slept before. */
	long sleeps;
};

ssize_t evfd_task_read(struct evfd_task *task);
ssize_t evfd_task_write(struct evfd_task *task);

/* In two segments: the kernel makes a read(2) of one. */
ssize_t evfd_task_readv(struct evfd_task *task);

/* One segment: more would be more writes. */
ssize_t evfd_task_writev(struct evfd_task *task);

/* Two writes. */
ssize_t evfd_task_writev_twice(struct evfd_task *task);

/* To or from @buf. */
ssize_t evfd_task_read_buf(struct evfd_task *task);
ssize_t evfd_task_readv_buf(struct evfd_task *task);
ssize_t evfd_task_write_buf(struct evfd_task *task);
ssize_t evfd_task_writev_buf(struct evfd_task *task);

/* Starts @task. Returns 0, or -1 without a thread. */
int evfd_task_run(struct evfd_task *task);

/*
 * How often @task was woken and slept again, or -1 if it does not sleep within
 * EVFD_TEST_PATIENCE_MS.
 */
long evfd_task_rewoken(struct evfd_task *task);

/*
 * Waits until @task has been woken and sleeps again, @n times in all. Returns 0,
 * or -1 after EVFD_TEST_PATIENCE_MS.
 */
int evfd_task_wait_rewoken(struct evfd_task *task, long n);

/* Starts @task and waits until it sleeps. Returns 0, or -1 if it does not. */
int evfd_task_start(struct evfd_task *task);
int evfd_task_join(struct evfd_task *task);

/* Joins @task. Returns what its operation returned, or -ETIME if it goes on. */
ssize_t evfd_task_result(struct evfd_task *task);

/*
 * Waits until each of @n tasks has ended or sleeps. Returns how many have ended,
 * or -1.
 */
int evfd_task_settle(struct evfd_task *tasks, int n);

#endif /* _EVFD_TASK_H */
