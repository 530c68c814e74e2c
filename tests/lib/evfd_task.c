// SPDX-License-Identifier: GPL-2.0-only
#include "evfd_task.h"

ssize_t evfd_task_read(struct evfd_task *task)
{
	return evfd_test_read(task->fd, &task->value);
}

ssize_t evfd_task_write(struct evfd_task *task)
{
	return evfd_test_write(task->fd, task->value);
}

ssize_t evfd_task_readv(struct evfd_task *task)
{
	struct iovec iov[2] = {
		{ &task->value, 3 },
		{ (char *)&task->value + 3, 5 },
	};

	return sysret(readv(task->fd, iov, 2));
}

ssize_t evfd_task_writev(struct evfd_task *task)
{
	struct iovec iov = { &task->value, sizeof(task->value) };

	return sysret(writev(task->fd, &iov, 1));
}

ssize_t evfd_task_writev_twice(struct evfd_task *task)
{
	struct iovec iov[2] = {
		{ &task->value, sizeof(task->value) },
		{ &task->value, sizeof(task->value) },
	};

	return sysret(writev(task->fd, iov, 2));
}

ssize_t evfd_task_read_buf(struct evfd_task *task)
{
	return sysret(read(task->fd, task->buf, sizeof(uint64_t)));
}

ssize_t evfd_task_readv_buf(struct evfd_task *task)
{
	struct iovec iov[2] = {
		{ task->buf, 4 },
		{ (char *)task->buf + 4, 4 },
	};

	return sysret(readv(task->fd, iov, 2));
}

ssize_t evfd_task_write_buf(struct evfd_task *task)
{
	return sysret(write(task->fd, task->buf, sizeof(uint64_t)));
}

ssize_t evfd_task_writev_buf(struct evfd_task *task)
{
	struct iovec iov = { task->buf, sizeof(uint64_t) };

	return sysret(writev(task->fd, &iov, 1));
}

static void *run(void *arg)
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

int evfd_task_run(struct evfd_task *task)
{
	task->tid = 0;
	task->done = false;
	task->ret = 0;
	if (pthread_create(&task->thread, NULL, run, task))
		return -1;
	while (!task->tid)
		sched_yield();

	return 0;
}

long evfd_task_rewoken(struct evfd_task *task)
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

int evfd_task_wait_rewoken(struct evfd_task *task, long n)
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

int evfd_task_start(struct evfd_task *task)
{
	if (evfd_task_run(task))
		return -1;

	return evfd_task_rewoken(task) < 0 ? -1 : 0;
}

int evfd_task_join(struct evfd_task *task)
{
	return evfd_test_join(task->thread);
}

ssize_t evfd_task_result(struct evfd_task *task)
{
	return evfd_task_join(task) ? -ETIME : task->ret;
}

int evfd_task_settle(struct evfd_task *tasks, int n)
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
