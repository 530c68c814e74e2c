/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An operation, most often one that blocks, in a thread of its own, and what
 * became of it. Uses evfd_test.h; read blocking_test.c for how it is meant.
 *
 * Nothing here sleeps for a fixed time and hopes: a task has been started when
 * the kernel says that it sleeps in its operation.
 *
 * An operation must not use the harness's ASSERT and EXPECT: it returns what it
 * saw, and the test judges that after evfd_task_join().
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

/* Set fd, op and what op needs; the rest is set by evfd_task_run(). */
struct evfd_task {
	int fd;
	ssize_t (*op)(struct evfd_task *task);
	/* What is read or to be written. */
	uint64_t value;
	void *buf;
	/* Whatever else an operation of the test's own needs. */
	uint64_t arg;

	pthread_t thread;
	/* Set right before the operation starts, and right after it ended. */
	_Atomic pid_t tid;
	atomic_bool done;
	/* What it returned: of those below, -errno for an error. */
	ssize_t ret;
	/* How often the thread had slept before. */
	long sleeps;
};

static inline ssize_t evfd_task_read(struct evfd_task *task)
{
	return evfd_test_read(task->fd, &task->value);
}

static inline ssize_t evfd_task_write(struct evfd_task *task)
{
	return evfd_test_write(task->fd, task->value);
}

/* In two segments, so that it is not simplified to a read(2). */
static inline ssize_t evfd_task_readv(struct evfd_task *task)
{
	struct iovec iov[2] = {
		{ &task->value, 3 },
		{ (char *)&task->value + 3, 5 },
	};

	return evfd_test_result(readv(task->fd, iov, 2));
}

/* One segment: more would be more writes. */
static inline ssize_t evfd_task_writev(struct evfd_task *task)
{
	struct iovec iov = { &task->value, sizeof(task->value) };

	return evfd_test_result(writev(task->fd, &iov, 1));
}

/* Two writes. */
static inline ssize_t evfd_task_writev_twice(struct evfd_task *task)
{
	struct iovec iov[2] = {
		{ &task->value, sizeof(task->value) },
		{ &task->value, sizeof(task->value) },
	};

	return evfd_test_result(writev(task->fd, iov, 2));
}

/* Into or from memory of the test's choice. */
static inline ssize_t evfd_task_read_buf(struct evfd_task *task)
{
	return evfd_test_result(read(task->fd, task->buf, sizeof(uint64_t)));
}

static inline ssize_t evfd_task_readv_buf(struct evfd_task *task)
{
	struct iovec iov[2] = {
		{ task->buf, 4 },
		{ (char *)task->buf + 4, 4 },
	};

	return evfd_test_result(readv(task->fd, iov, 2));
}

static inline ssize_t evfd_task_write_buf(struct evfd_task *task)
{
	return evfd_test_result(write(task->fd, task->buf, sizeof(uint64_t)));
}

static inline ssize_t evfd_task_writev_buf(struct evfd_task *task)
{
	struct iovec iov = { task->buf, sizeof(uint64_t) };

	return evfd_test_result(writev(task->fd, &iov, 1));
}

static inline void *evfd_task_main(void *arg)
{
	struct evfd_task *task = arg;
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	task->sleeps = usage.ru_nvcsw;
	task->tid = gettid();
	task->ret = task->op(task);
	task->done = true;

	return NULL;
}

/* Starts @task. Returns 0, or -1 without a thread. */
static inline int evfd_task_run(struct evfd_task *task)
{
	task->tid = 0;
	task->done = false;
	task->ret = 0;
	if (pthread_create(&task->thread, NULL, evfd_task_main, task))
		return -1;
	while (!task->tid)
		sched_yield();

	return 0;
}

/*
 * How often @task was woken and slept again, or -1 if it does not sleep within
 * the patience.
 */
static inline long evfd_task_rewoken(struct evfd_task *task)
{
	int ms;

	for (ms = 0; ms < EVFD_TEST_PATIENCE_MS && !task->done; ms++) {
		long slept = evfd_test_sleeps(task->tid) - task->sleeps;

		if (slept > 0 && evfd_test_task_state(task->tid) == 'S')
			return slept - 1;
		evfd_test_sleep_ms(1);
	}

	return -1;
}

/*
 * Waits until @task has been woken and sleeps again, @n times in all. Returns 0,
 * or -1 if that does not come to be within the patience.
 */
static inline int evfd_task_wait_rewoken(struct evfd_task *task, long n)
{
	int ms;

	for (ms = 0; ms < EVFD_TEST_PATIENCE_MS && !task->done; ms++) {
		long rewoken = evfd_task_rewoken(task);

		if (rewoken < 0 || rewoken >= n)
			return rewoken < 0 ? -1 : 0;
		evfd_test_sleep_ms(1);
	}

	return -1;
}

/* Starts @task and waits until it sleeps. Returns 0, or -1 if it does not. */
static inline int evfd_task_start(struct evfd_task *task)
{
	if (evfd_task_run(task))
		return -1;

	return evfd_task_rewoken(task) < 0 ? -1 : 0;
}

static inline int evfd_task_join(struct evfd_task *task)
{
	return evfd_test_join(task->thread);
}

/*
 * Waits until each of @n tasks has ended or sleeps, so that nothing is on its way
 * any more. Returns how many have ended, or -1.
 */
static inline int evfd_task_settle(struct evfd_task *tasks, int n)
{
	int done = 0, i;

	for (i = 0; i < n; i++) {
		if (!evfd_test_until(tasks[i].done ||
				     evfd_test_task_state(tasks[i].tid) == 'S'))
			return -1;
	}
	for (i = 0; i < n; i++)
		done += tasks[i].done;

	return done;
}

#endif /* _EVFD_TASK_H */
