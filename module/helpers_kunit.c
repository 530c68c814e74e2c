// SPDX-License-Identifier: GPL-2.0-only
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>

#include "helpers_kunit.h"

void *evfd_kunit_zalloc(struct kunit *test, size_t size)
{
	void *p = kunit_kzalloc(test, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

void evfd_kunit_defer(struct kunit *test, kunit_action_t *fn, void *data)
{
	KUNIT_ASSERT_EQ(test, 0, kunit_add_action_or_reset(test, fn, data));
}

void evfd_kunit_put(void *ctx)
{
	evfd_ctx_put(ctx);
}

struct evfd_ctx *evfd_kunit_ctx(struct kunit *test, u64 initval,
				unsigned int flags)
{
	struct evfd_ctx *ctx = evfd_ctx_alloc(initval, flags);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx);
	evfd_kunit_defer(test, evfd_kunit_put, ctx);
	return ctx;
}

bool evfd_kunit_read(struct evfd_ctx *ctx, u64 count, u64 n)
{
	if (!evfd_ctx_try_read(ctx, &count, n))
		return false;
	evfd_ctx_end_read(ctx, n, count);
	return true;
}

int evfd_kunit_queued(struct wait_queue_head *queue)
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

KUNIT_DEFINE_ACTION_WRAPPER(evfd_kunit_stop, kthread_stop_put,
			    struct task_struct *);

static int evfd_kunit_thread(void *data)
{
	struct evfd_kunit_task *task = data;

	task->ret = task->fn(task);
	complete_all(&task->done);
	return 0;
}

struct evfd_kunit_task *
evfd_kunit_start(struct kunit *test, int (*fn)(struct evfd_kunit_task *task),
		 struct evfd_ctx *ctx, void *priv, u64 n)
{
	struct evfd_kunit_task *task = evfd_kunit_zalloc(test, sizeof(*task));

	task->fn = fn;
	task->ctx = ctx;
	task->priv = priv;
	task->n = n;
	init_completion(&task->done);

	task->task = kthread_create(evfd_kunit_thread, task, "evfd_kunit");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task->task);
	get_task_struct(task->task);
	wake_up_process(task->task);
	evfd_kunit_defer(test, evfd_kunit_stop, task->task);
	return task;
}

struct evfd_kunit_task *
evfd_kunit_block(struct kunit *test, struct wait_queue_head *queue,
		 int (*fn)(struct evfd_kunit_task *task), struct evfd_ctx *ctx,
		 void *priv, u64 n)
{
	int before = evfd_kunit_queued(queue);
	struct evfd_kunit_task *task = evfd_kunit_start(test, fn, ctx, priv, n);

	EVFD_KUNIT_UNTIL(test, evfd_kunit_queued(queue) == before + 1);
	/* On the queue, it reads the count once more before it sleeps. */
	EVFD_KUNIT_UNTIL(test, evfd_kunit_asleep(task));
	return task;
}

bool evfd_kunit_asleep(struct evfd_kunit_task *task)
{
	return READ_ONCE(task->task->__state) == TASK_INTERRUPTIBLE &&
	       !READ_ONCE(task->task->on_rq);
}

bool evfd_kunit_finished(struct evfd_kunit_task *task)
{
	return wait_for_completion_timeout(&task->done,
					   usecs_to_jiffies(EVFD_KUNIT_TIMEOUT_US));
}

bool evfd_kunit_interrupt(struct evfd_kunit_task *task)
{
	set_tsk_thread_flag(task->task, TIF_NOTIFY_SIGNAL);
	wake_up_process(task->task);
	return evfd_kunit_finished(task);
}

static int evfd_kunit_callback(struct wait_queue_entry *wait,
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
	 * Last: a test that waits for this call reads the rest after it. Pairs
	 * with the acquire in evfd_kunit_calls().
	 */
	smp_store_release(&poller->calls, poller->calls + 1);
	return 0;
}

int evfd_kunit_calls(struct evfd_kunit_poller *poller)
{
	/* Pairs with the release in evfd_kunit_callback(). */
	return smp_load_acquire(&poller->calls);
}

void evfd_kunit_unpoll(void *data)
{
	struct evfd_kunit_poller *poller = data;

	if (poller->queue)
		remove_wait_queue(poller->queue, &poller->wait);
	poller->queue = NULL;
}

static void evfd_kunit_queue_proc(struct file *file,
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

struct evfd_kunit_poller *evfd_kunit_poller(struct kunit *test)
{
	struct evfd_kunit_poller *poller;

	poller = evfd_kunit_zalloc(test, sizeof(*poller));
	init_waitqueue_func_entry(&poller->wait, evfd_kunit_callback);
	init_poll_funcptr(&poller->pt, evfd_kunit_queue_proc);
	evfd_kunit_defer(test, evfd_kunit_unpoll, poller);
	return poller;
}

struct evfd_kunit_poller *
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

struct evfd_kunit_poller *evfd_kunit_watch(struct kunit *test,
					   struct evfd_ctx *ctx)
{
	return evfd_kunit_poll(test, ctx, NULL, NULL, 0);
}
