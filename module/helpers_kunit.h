/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KUnit suites share: waits with a bound, counters that go when the
 * test does, threads that block, and pollers whose callback keeps a record.
 *
 * For the *_kunit.c of ctx, list, file and trace. Uses ctx.h. A thread that
 * evfd_kunit_start() starts must not assert: that would end the thread and not the
 * test. It leaves its result for the test case. Read ctx_kunit.c next.
 */
#ifndef _HELPERS_KUNIT_H
#define _HELPERS_KUNIT_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/iopoll.h>
#include <linux/poll.h>
#include <linux/wait.h>

#include "ctx.h"

/* Only a test that fails waits this long. */
#define EVFD_KUNIT_TIMEOUT_US	(10 * USEC_PER_SEC)

/* Waits until @cond holds. Is true if it does. */
#define evfd_kunit_until(cond)						\
({									\
	bool __holds;							\
									\
	read_poll_timeout(!!, __holds, __holds, 200,			\
			  EVFD_KUNIT_TIMEOUT_US, false, (cond)) == 0;	\
})

#define EVFD_KUNIT_UNTIL(test, cond) \
	KUNIT_ASSERT_TRUE(test, evfd_kunit_until(cond))

/* Memory of zeros, until the test's end. */
void *evfd_kunit_zalloc(struct kunit *test, size_t size);

/* Calls @fn with @data at the test's end, or at kunit_release_action(). */
void evfd_kunit_defer(struct kunit *test, kunit_action_t *fn, void *data);

/* A counter until the test's end, by the action evfd_kunit_put(). */
struct evfd_ctx *evfd_kunit_ctx(struct kunit *test, u64 initval,
				unsigned int flags);
void evfd_kunit_put(void *ctx);

/* A whole read of @n that saw @count. */
bool evfd_kunit_read(struct evfd_ctx *ctx, u64 count, u64 n);

/* How many entries a wait queue has. */
int evfd_kunit_queued(struct wait_queue_head *queue);

/**
 * struct evfd_kunit_task - a thread of a test
 * @fn: the function that it runs.
 * @ctx: the counter that it works on.
 * @priv: more for @fn.
 * @n: an amount for @fn.
 * @total: the sum of what @fn moved.
 * @ret: the result of @fn; valid when @done is.
 * @done: @fn has returned.
 * @task: the thread; the test's end stops it.
 */
struct evfd_kunit_task {
	int (*fn)(struct evfd_kunit_task *task);
	struct evfd_ctx *ctx;
	void *priv;
	u64 n;
	u64 total;
	int ret;
	struct completion done;
	struct task_struct *task;
};

struct evfd_kunit_task *
evfd_kunit_start(struct kunit *test, int (*fn)(struct evfd_kunit_task *task),
		 struct evfd_ctx *ctx, void *priv, u64 n);

/* The same, and waits until the thread sleeps on @queue, of @ctx. */
struct evfd_kunit_task *
evfd_kunit_block(struct kunit *test, struct wait_queue_head *queue,
		 int (*fn)(struct evfd_kunit_task *task), struct evfd_ctx *ctx,
		 void *priv, u64 n);

/* Whether @task sleeps and has given up its CPU. */
bool evfd_kunit_asleep(struct evfd_kunit_task *task);

/* Waits until the function of @task has returned. Is true if it has. */
bool evfd_kunit_finished(struct evfd_kunit_task *task);

/* @task finishes with @expected. */
#define EVFD_KUNIT_RETURNS(test, task, expected)			\
	do {								\
		struct evfd_kunit_task *__task = (task);		\
		struct kunit *__test = (test);				\
									\
		KUNIT_ASSERT_TRUE(__test, evfd_kunit_finished(__task));	\
		KUNIT_EXPECT_EQ(__test, __task->ret, expected);		\
	} while (0)

/*
 * Interrupts @task as a signal would, and waits until its function returns.
 * Unlike kthread_stop() this may be called more than once.
 */
bool evfd_kunit_interrupt(struct evfd_kunit_task *task);

/**
 * struct evfd_kunit_poller - an entry on the pollers' queue
 * @wait: the entry.
 * @pt: adds the entry to the queue that poll gives it.
 * @queue: the queue, or NULL.
 * @registrations: how often @pt was used.
 * @ctx: a counter for @fn.
 * @fn: more for the callback to do, or NULL.
 * @budget: for @fn, how often it may still act.
 * @calls: how often the callback ran.
 * @keys: the events of all calls.
 * @key: the events of the last call.
 * @depth: how many calls are running.
 * @nested: a call began while another one ran.
 * @hardirq: a call came in a hard interrupt.
 * @softirq: a call came in a soft interrupt.
 * @got: a value for @fn to leave.
 */
struct evfd_kunit_poller {
	struct wait_queue_entry wait;
	poll_table pt;
	struct wait_queue_head *queue;
	int registrations;
	struct evfd_ctx *ctx;
	void (*fn)(struct evfd_kunit_poller *poller);
	int budget;
	int calls;
	__poll_t keys;
	__poll_t key;
	int depth;
	bool nested;
	bool hardirq;
	bool softirq;
	u64 got;
};

/* A poller on no queue yet. The test's end takes it off. */
struct evfd_kunit_poller *evfd_kunit_poller(struct kunit *test);
void evfd_kunit_unpoll(void *poller);

/* A poller on the queue of @ctx; and one whose callback calls @fn, too. */
struct evfd_kunit_poller *evfd_kunit_watch(struct kunit *test,
					   struct evfd_ctx *ctx);
struct evfd_kunit_poller *
evfd_kunit_poll(struct kunit *test, struct evfd_ctx *ctx,
		void (*fn)(struct evfd_kunit_poller *poller),
		struct evfd_ctx *target, int budget);

/* How often the callback has ended; the record is complete up to there. */
int evfd_kunit_calls(struct evfd_kunit_poller *poller);

/* sparse wants comparisons without the type. */
#define EVFD_KUNIT_EXPECT_POLL(test, left, right) \
	KUNIT_EXPECT_EQ(test, (__force u32)(left), (__force u32)(right))

/* @poller was called @number times, and the last time with @events. */
#define EVFD_KUNIT_TOLD(test, poller, number, events)			\
	do {								\
		struct evfd_kunit_poller *__poller = (poller);		\
		struct kunit *__test = (test);				\
									\
		KUNIT_EXPECT_EQ(__test, evfd_kunit_calls(__poller), number); \
		EVFD_KUNIT_EXPECT_POLL(__test, __poller->key, events);	\
	} while (0)

#endif /* _HELPERS_KUNIT_H */
