/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the KUnit suites share: waits with a bound, counters that go when the
 * test does, threads that block, and pollers whose callback keeps a record.
 *
 * For ctx_kunit.c and file_kunit.c alone. A thread started here never asserts:
 * that would end the thread and not the test. It leaves its result behind, and
 * the test case looks at that.
 */
#ifndef _EVFD_KUNIT_H
#define _EVFD_KUNIT_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/iopoll.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/poll.h>
#include <linux/sched/task.h>
#include <linux/wait.h>

#include "ctx.h"

/* Reached only by a test that is about to fail. */
#define EVFD_KUNIT_TIMEOUT_US	(10 * USEC_PER_SEC)

/* Waits until @cond holds, and is true if it came to. */
#define evfd_kunit_until(cond)						\
({									\
	bool __holds;							\
									\
	read_poll_timeout(!!, __holds, __holds, 200,			\
			  EVFD_KUNIT_TIMEOUT_US, false, (cond)) == 0;	\
})

KUNIT_DEFINE_ACTION_WRAPPER(evfd_kunit_put, evfd_ctx_put, struct evfd_ctx *);
KUNIT_DEFINE_ACTION_WRAPPER(evfd_kunit_stop, kthread_stop_put,
			    struct task_struct *);

/* A counter that the test's end puts. */
static inline struct evfd_ctx *evfd_kunit_ctx(struct kunit *test, u64 initval,
					      unsigned int flags)
{
	struct evfd_ctx *ctx = evfd_ctx_alloc(initval, flags);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, evfd_kunit_put, ctx));
	return ctx;
}

/* A whole read of @n that saw @count. */
static inline bool evfd_kunit_read(struct evfd_ctx *ctx, u64 count, u64 n)
{
	if (!evfd_ctx_try_read(ctx, &count, n))
		return false;
	evfd_ctx_end_read(ctx, n, count);
	return true;
}

/* How many are on a wait queue. */
static inline int evfd_kunit_queued(struct wait_queue_head *queue)
{
	struct wait_queue_entry *wait;
	unsigned long flags;
	int queued = 0;

	spin_lock_irqsave(&queue->lock, flags);
	list_for_each_entry(wait, &queue->head, entry)
		queued++;
	spin_unlock_irqrestore(&queue->lock, flags);

	return queued;
}

/**
 * struct evfd_kunit_task - a thread of a test
 * @fn: what it runs.
 * @ctx: the counter that it works on.
 * @priv: what else @fn needs.
 * @n: an amount for @fn.
 * @total: the sum of what @fn moved.
 * @ret: what @fn returned; valid when @done is.
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

static inline int evfd_kunit_thread(void *data)
{
	struct evfd_kunit_task *task = data;

	task->ret = task->fn(task);
	complete_all(&task->done);
	return 0;
}

static inline struct evfd_kunit_task *
evfd_kunit_start(struct kunit *test, int (*fn)(struct evfd_kunit_task *task),
		 struct evfd_ctx *ctx, void *priv, u64 n)
{
	struct evfd_kunit_task *task;

	task = kunit_kzalloc(test, sizeof(*task), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, task);
	task->fn = fn;
	task->ctx = ctx;
	task->priv = priv;
	task->n = n;
	init_completion(&task->done);

	task->task = kthread_create(evfd_kunit_thread, task, "evfd_kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task->task);
	get_task_struct(task->task);
	wake_up_process(task->task);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, evfd_kunit_stop,
						  task->task));
	return task;
}

/* Has @task given up its CPU to wait? */
static inline bool evfd_kunit_asleep(struct evfd_kunit_task *task)
{
	return READ_ONCE(task->task->__state) == TASK_INTERRUPTIBLE &&
	       !READ_ONCE(task->task->on_rq);
}

/* Waits until @task's function has returned, and is true if it did. */
static inline bool evfd_kunit_finished(struct evfd_kunit_task *task)
{
	return wait_for_completion_timeout(&task->done,
					   usecs_to_jiffies(EVFD_KUNIT_TIMEOUT_US));
}

/*
 * Interrupts @task as a signal would, and waits until its function returns.
 * kthread_stop() is for the test's end, and this may come more than once.
 */
static inline bool evfd_kunit_interrupt(struct evfd_kunit_task *task)
{
	set_tsk_thread_flag(task->task, TIF_NOTIFY_SIGNAL);
	wake_up_process(task->task);
	return evfd_kunit_finished(task);
}

/**
 * struct evfd_kunit_poller - an entry on the pollers' queue
 * @wait: the entry.
 * @pt: puts the entry on the queue of whom it is given to.
 * @queue: where it was put.
 * @registrations: how often @pt was used.
 * @ctx: a counter for @fn.
 * @fn: what the callback does beside keeping the record, or NULL.
 * @budget: for @fn, how often it may still act.
 * @calls: how often the callback ran.
 * @keys: the events that it was told, all of them.
 * @key: the same, the last time.
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

static inline int evfd_kunit_callback(struct wait_queue_entry *wait,
				      unsigned int mode, int flags, void *key)
{
	struct evfd_kunit_poller *poller =
		container_of(wait, struct evfd_kunit_poller, wait);

	if (poller->depth++)
		poller->nested = true;
	poller->key = key_to_poll(key);
	poller->keys |= poller->key;
	poller->hardirq |= !!in_hardirq();
	poller->softirq |= !!in_serving_softirq();
	if (poller->fn)
		poller->fn(poller);
	poller->depth--;
	/*
	 * Last: who waits for it looks at the rest after. Pairs with the acquire
	 * in evfd_kunit_calls().
	 */
	smp_store_release(&poller->calls, poller->calls + 1);
	return 0;
}

static inline int evfd_kunit_calls(struct evfd_kunit_poller *poller)
{
	/* Pairs with the release in evfd_kunit_callback(). */
	return smp_load_acquire(&poller->calls);
}

static inline void evfd_kunit_unpoll(void *data)
{
	struct evfd_kunit_poller *poller = data;

	if (poller->queue)
		remove_wait_queue(poller->queue, &poller->wait);
	poller->queue = NULL;
}

static inline void evfd_kunit_queue_proc(struct file *file,
					 struct wait_queue_head *queue,
					 poll_table *pt)
{
	struct evfd_kunit_poller *poller =
		container_of(pt, struct evfd_kunit_poller, pt);

	if (!poller->registrations++) {
		poller->queue = queue;
		add_wait_queue(queue, &poller->wait);
	}
}

/* A poller on no queue yet. The test's end takes it off. */
static inline struct evfd_kunit_poller *evfd_kunit_poller(struct kunit *test)
{
	struct evfd_kunit_poller *poller;

	poller = kunit_kzalloc(test, sizeof(*poller), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, poller);
	init_waitqueue_func_entry(&poller->wait, evfd_kunit_callback);
	init_poll_funcptr(&poller->pt, evfd_kunit_queue_proc);
	KUNIT_ASSERT_EQ(test, 0,
			kunit_add_action_or_reset(test, evfd_kunit_unpoll,
						  poller));
	return poller;
}

/* One on the queue of @ctx. */
static inline struct evfd_kunit_poller *
evfd_kunit_poll(struct kunit *test, struct evfd_ctx *ctx,
		void (*fn)(struct evfd_kunit_poller *poller),
		struct evfd_ctx *target, int budget)
{
	struct evfd_kunit_poller *poller = evfd_kunit_poller(test);

	poller->fn = fn;
	poller->ctx = target;
	poller->budget = budget;
	evfd_kunit_queue_proc(NULL, &ctx->pollers, &poller->pt);
	return poller;
}

/* For comparisons, which sparse wants without the type. */
#define EVFD_KUNIT_EXPECT_POLL(test, left, right) \
	KUNIT_EXPECT_EQ(test, (__force u32)(left), (__force u32)(right))

#endif /* _EVFD_KUNIT_H */
