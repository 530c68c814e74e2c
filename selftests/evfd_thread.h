/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests share that compare evfd with eventfd(2) or need a second
 * thread: a counter of either kind, and a thread that can be waited for with a
 * limit. Uses evfd_test.h; for a thread that does no more than one blocking
 * operation see evfd_task.h. poll_test.c shows most of it.
 *
 * A thread must not use the harness's ASSERT and EXPECT: it returns what it
 * saw, and the test judges that after evfd_thread_join().
 */
#ifndef _EVFD_THREAD_H
#define _EVFD_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/syscall.h>

#include "evfd_test.h"

/* A new counter: an evfd, or an eventfd(2) of the same flags and value. */
static inline int evfd_test_make(bool evfd, unsigned int flags,
				 uint64_t initval)
{
	return evfd ? evfd_test_create(flags, initval) :
		      evfd_test_create_eventfd(flags, initval);
}

/*
 * struct evfd_thread - a thread and what it works on
 * @fn: what it does; its result is stored in @ret
 * @fd: the descriptor it works on
 * @arg: whatever else @fn needs
 * @value: whatever else @fn returns
 * @ret: valid once @done
 */
struct evfd_thread {
	int (*fn)(struct evfd_thread *thread);
	int fd;
	uint64_t arg;
	uint64_t value;
	int ret;
	bool done;
	pid_t tid;
	pthread_t handle;
};

static inline void *evfd_thread_main(void *arg)
{
	struct evfd_thread *thread = arg;

	__atomic_store_n(&thread->tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	thread->ret = thread->fn(thread);
	__atomic_store_n(&thread->done, true, __ATOMIC_RELEASE);

	return NULL;
}

static inline bool evfd_thread_done(struct evfd_thread *thread)
{
	return __atomic_load_n(&thread->done, __ATOMIC_ACQUIRE);
}

/* Starts @thread->fn in a thread. Returns 0 or -1. */
static inline int evfd_thread_start(struct evfd_thread *thread)
{
	thread->tid = 0;
	thread->done = false;
	if (pthread_create(&thread->handle, NULL, evfd_thread_main, thread))
		return -1;
	while (!__atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE))
		evfd_test_sleep_ms(1);

	return 0;
}

/* The same, and waits until it sleeps. Returns -1 also if it never does. */
static inline int evfd_thread_start_asleep(struct evfd_thread *thread)
{
	if (evfd_thread_start(thread))
		return -1;

	return evfd_test_wait_asleep(thread->tid);
}

/* Waits for the end of @thread. Returns 0, or -1 if that does not come. */
static inline int evfd_thread_join(struct evfd_thread *thread)
{
	return evfd_test_join(thread->handle);
}

/*
 * Waits until each of @n threads has ended or sleeps, so that nothing is on its
 * way any more. Returns how many have ended, or -1.
 */
static inline int evfd_thread_settle(struct evfd_thread *threads, int n)
{
	int done = 0, i, ms;

	for (i = 0; i < n; i++) {
		for (ms = 0; ms < EVFD_TEST_PATIENCE_MS; ms++) {
			if (evfd_thread_done(&threads[i]) ||
			    evfd_test_task_state(threads[i].tid) == 'S')
				break;
			evfd_test_sleep_ms(1);
		}
		if (ms == EVFD_TEST_PATIENCE_MS)
			return -1;
	}
	for (i = 0; i < n; i++)
		done += evfd_thread_done(&threads[i]);

	return done;
}

static inline long evfd_test_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

#endif /* _EVFD_THREAD_H */
