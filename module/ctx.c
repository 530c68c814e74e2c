// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counter as an object: its lifetime, sleeping and waking, and the part of
 * the in-kernel API that works on it.
 *
 * The layer above ctx.h and below list.h and file.c; knows nothing of files and
 * descriptors. Read ctx.h first: it has the object, the invariants and the paths
 * of a counter that no task waits for.
 *
 * A change wakes
 *
 *	write of n	pollers, with EPOLLIN; up to n readers in semaphore mode,
 *			otherwise one, since it takes everything
 *	read		pollers, with EPOLLOUT; all writers
 *	release		pollers, with EPOLLHUP
 *
 * Pollers come first, so that an in-kernel consumer that reads in its callback
 * gets the count before a reader that sleeps.
 */
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "ctx.h"
#include "trace.h"

static struct kmem_cache *evfd_ctx_cache;

/* The counters with deferred events, each with a reference, and their worker. */
static LLIST_HEAD(evfd_deferred_ctxs);
static struct workqueue_struct *evfd_workqueue;
static struct work_struct evfd_deferred_work;

/*
 * True if this context must not walk the wait queues. A poller's callback must
 * not: it holds the queue's lock, and could recurse without limit. The task's bit
 * is shared with eventfd, so that each recognizes the other's callbacks; AIO and
 * others check it, too (eventfd_signal_allowed()). On PREEMPT_RT, a context that
 * cannot sleep must not, as the queue's lock sleeps there.
 */
bool evfd_wake_must_defer(void)
{
	/*
	 * An interrupt may set the interrupted task's bit, but clears it before
	 * it returns, so this racy read is fine.
	 */
	return data_race(!!current->in_eventfd) ||
	       (IS_ENABLED(CONFIG_PREEMPT_RT) && !preemptible());
}

/* Leaves a wakeup to the worker. @what: bits for deferred_events. */
void evfd_ctx_defer_wakeup(struct evfd_ctx *ctx, int what)
{
	trace_evfd_defer(ctx, what & EVFD_DEFERRED_ROOM ?
			      EPOLLOUT : (__force __poll_t)what);
	/*
	 * Fully ordered: the new count is visible before the events. Pairs with
	 * the exchange in evfd_ctx_wake_deferred(): either it returns these
	 * events, or it came first and left 0; then this queues the counter.
	 */
	if (atomic_fetch_or(what, &ctx->deferred_events))
		return;

	kref_get(&ctx->kref);
	llist_add(&ctx->deferred, &evfd_deferred_ctxs);
	queue_work(evfd_workqueue, &evfd_deferred_work);
}

/*
 * Tells pollers of @events; of those in @still, only while poll(2) would report
 * them. AIO and io_uring complete with what they are told and do not poll again,
 * so a waiter that joins after an event was consumed must not be told of it. The
 * queue's lock keeps waiters from joining between the check and the wakeup. One
 * that joined before the check could have seen the event itself. Nothing is lost
 * by silence: the change that makes @still true again tells the pollers.
 */
static void evfd_ctx_wake_pollers(struct evfd_ctx *ctx, __poll_t events,
				  __poll_t still, enum evfd_why why)
{
	unsigned long flags;

	spin_lock_irqsave(&ctx->pollers.lock, flags);
	events &= ~still | evfd_count_poll(evfd_ctx_count(ctx));
	if (events) {
		trace_evfd_wake(ctx, EVFD_POLLERS, 1, why);
		current->in_eventfd = 1;
		wake_up_locked_poll(&ctx->pollers, events);
		current->in_eventfd = 0;
	}
	spin_unlock_irqrestore(&ctx->pollers.lock, flags);
}

/* Wakes as many readers as a write of @n can serve. */
static __always_inline void evfd_ctx_wake_reader_queue(struct evfd_ctx *ctx,
						       u64 n, enum evfd_why why)
{
	int nr = evfd_ctx_is_semaphore(ctx) ? min_t(u64, n, INT_MAX) : 1;

	/* A write of 0 serves no reader; to the wait queue, 0 means all. */
	if (n && waitqueue_active(&ctx->readers)) {
		trace_evfd_wake(ctx, EVFD_READERS, nr, why);
		wake_up_interruptible_nr(&ctx->readers, nr);
	}
}

/* The same, for shared.c. */
void evfd_ctx_wake_n_readers(struct evfd_ctx *ctx, u64 n, enum evfd_why why)
{
	evfd_ctx_wake_reader_queue(ctx, n, why);
}

/*
 * The slow half of evfd_ctx_notify_readers(), for a queue that is not empty.
 * @events: EPOLLIN and a signal's mask.
 */
void evfd_ctx_wake_readers(struct evfd_ctx *ctx, u64 n, __poll_t events)
{
	if (evfd_wake_must_defer()) {
		evfd_ctx_defer_wakeup(ctx, (__force int)events);
		return;
	}
	/* After the barrier that evfd_ctx_notify_readers() names. */
	if (waitqueue_active(&ctx->pollers))
		evfd_ctx_wake_pollers(ctx, events, n ? EPOLLIN : 0,
				      EVFD_READABLE);
	evfd_ctx_wake_reader_queue(ctx, n, EVFD_READABLE);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_wake_readers);

/* The slow half of evfd_ctx_notify_writers(), for a queue that is not empty. */
void evfd_ctx_wake_writers(struct evfd_ctx *ctx)
{
	if (evfd_wake_must_defer()) {
		evfd_ctx_defer_wakeup(ctx, EVFD_DEFERRED_ROOM);
		return;
	}
	/* After the barrier that evfd_ctx_notify_writers() names. */
	if (waitqueue_active(&ctx->pollers))
		evfd_ctx_wake_pollers(ctx, EPOLLOUT, EPOLLOUT, EVFD_WRITABLE);
	/* The same. */
	if (waitqueue_active(&ctx->writers)) {
		trace_evfd_wake(ctx, EVFD_WRITERS, 0, EVFD_WRITABLE);
		wake_up_interruptible_all(&ctx->writers);
	}
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_wake_writers);

static void evfd_ctx_wake_deferred(struct evfd_ctx *ctx)
{
	/* Pairs with the update in evfd_ctx_defer_wakeup(). */
	int what = atomic_xchg(&ctx->deferred_events, 0);
	__poll_t events = (__force __poll_t)(what & ~EVFD_DEFERRED_ROOM);
	u64 count = evfd_ctx_count(ctx);

	if (evfd_ctx_is_shared(ctx)) {
		evfd_shared_wake_deferred(ctx, what & EVFD_DEFERRED_ROOM,
					  events);
		return;
	}
	if (what & EVFD_DEFERRED_ROOM)
		evfd_ctx_wake_writers(ctx);
	/* Several signals may have come together: wake for all that is there. */
	if (!count)
		events &= ~EPOLLIN;
	if (events)
		evfd_ctx_wake_readers(ctx, count, events);
}

static void evfd_wake_deferred(struct work_struct *work)
{
	struct llist_node *list = llist_del_all(&evfd_deferred_ctxs);
	struct evfd_ctx *ctx, *next;

	/* Oldest first. A counter may be queued again once its turn began. */
	list = llist_reverse_order(list);
	llist_for_each_entry_safe(ctx, next, list, deferred) {
		evfd_ctx_wake_deferred(ctx);
		evfd_ctx_put(ctx);
	}
}

/*
 * Passes an exclusive wakeup on. Call this when a reader that may have consumed
 * one returns without reading: while the count is above 0, another reader must be
 * awake to read it. Any context, but not with ctx->readers.lock held.
 */
void evfd_ctx_pass_on(struct evfd_ctx *ctx)
{
	if (evfd_ctx_count(ctx))
		evfd_ctx_wake_reader_queue(ctx, 1, EVFD_PASS_ON);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_pass_on);

/* Traces a write of @n that left @count, then evfd_ctx_notify_readers(). */
void __cold evfd_ctx_trace_write(struct evfd_ctx *ctx, u64 n, u64 count)
{
	trace_evfd_write(ctx, n, count);
	evfd_ctx_notify_readers(ctx, n);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_trace_write);

/* Traces a read of @n that left @count, then evfd_ctx_notify_writers(). */
void __cold evfd_ctx_trace_read(struct evfd_ctx *ctx, u64 n, u64 count)
{
	trace_evfd_read(ctx, n, count);
	evfd_ctx_notify_writers(ctx);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_trace_read);

/**
 * evfd_ctx_wait_readable() - sleep until the count is above 0
 * @ctx: the counter
 *
 * The count may be gone again by the time the caller reads. The caller has to
 * read, or call this again, or call evfd_ctx_pass_on().
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ERESTARTSYS if a signal came first.
 */
int evfd_ctx_wait_readable(struct evfd_ctx *ctx)
{
	DEFINE_WAIT(wait);

	/*
	 * wait_event_interruptible_exclusive() would queue a woken task, which
	 * is off the queue, once more before it checks the count.
	 *
	 * prepare_to_wait_exclusive() ends in a full barrier. Pairs with the
	 * update before evfd_ctx_notify_readers().
	 *
	 * The last check is made off the queue. A wakeup that chose this task is
	 * then either used (this returns 0 even if a signal is pending), or
	 * another task has taken its count.
	 */
	might_sleep();
	do {
		prepare_to_wait_exclusive(&ctx->readers, &wait,
					  TASK_INTERRUPTIBLE);
		if (!evfd_ctx_count(ctx) && !signal_pending(current)) {
			trace_evfd_block(ctx, EVFD_READERS, 1);
			schedule();
		}
		finish_wait(&ctx->readers, &wait);
		/* Ordered, as it may be the last check before -ERESTARTSYS. */
		if (evfd_ctx_count_ordered(ctx))
			return 0;
	} while (!signal_pending(current));

	return -ERESTARTSYS;
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_wait_readable);

/**
 * evfd_ctx_wait_writable() - sleep until there is room
 * @ctx: the counter
 * @n: the amount to be added
 *
 * The room may be gone again by the time the caller writes.
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ERESTARTSYS if a signal came first.
 */
int evfd_ctx_wait_writable(struct evfd_ctx *ctx, u64 n)
{
	/*
	 * wait_event_interruptible() with a trace event before schedule(). The
	 * macro queues the task with prepare_to_wait_event(), which ends in a
	 * full barrier, before it evaluates the condition. Pairs with the update
	 * before evfd_ctx_notify_writers(). With a signal pending it queues
	 * nothing, so the condition has a barrier of its own.
	 */
	might_sleep();
	return ___wait_event(ctx->writers,
			     evfd_count_can_write(evfd_ctx_count_ordered(ctx), n),
			     TASK_INTERRUPTIBLE, 0, 0,
			     trace_evfd_block(ctx, EVFD_WRITERS, n); schedule());
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_wait_writable);

/**
 * evfd_ctx_queued() - number of waiters on a queue, for reporting
 * @queue: one of a counter's queues
 *
 * Wakers and new waiters spin meanwhile with interrupts off, so counting stops at
 * EVFD_QUEUED_MAX.
 *
 * Context: Any; on PREEMPT_RT a preemptible one.
 * Return: the number, at most EVFD_QUEUED_MAX.
 */
unsigned int evfd_ctx_queued(struct wait_queue_head *queue)
{
	struct list_head *entry;
	unsigned int queued = 0;
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	list_for_each(entry, &queue->head) {
		if (++queued == EVFD_QUEUED_MAX)
			break;
	}
	spin_unlock_irqrestore(&queue->lock, flags);

	return queued;
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_queued);

/**
 * evfd_ctx_setup() - initialize a counter, but for its id
 * @ctx: memory for it
 * @initval: its value
 * @flags: any of EVFD_SEMAPHORE and EVFD_SHARED
 *
 * Context: Any.
 */
void evfd_ctx_setup(struct evfd_ctx *ctx, u64 initval, unsigned int flags)
{
	atomic64_set(&ctx->count, initval);
	ctx->flags = flags;
	raw_spin_lock_init(&ctx->gate);
	init_waitqueue_head(&ctx->pollers);
	init_waitqueue_head(&ctx->readers);
	init_waitqueue_head(&ctx->writers);
	kref_init(&ctx->kref);
	atomic_set(&ctx->deferred_events, 0);
	ctx->id = 0;
}

/**
 * evfd_ctx_alloc() - make a counter
 * @initval: its value, at most EVFD_COUNT_MAX
 * @flags: EVFD_SEMAPHORE or 0
 *
 * Memory is charged to the caller's memory cgroup.
 *
 * Context: Process context, may sleep.
 * Return: the counter with one reference, or ERR_PTR(-ENOMEM).
 */
struct evfd_ctx *evfd_ctx_alloc(u64 initval, unsigned int flags)
{
	struct evfd_ctx *ctx;

	ctx = kmem_cache_alloc(evfd_ctx_cache, GFP_KERNEL);
	if (!ctx)
		return ERR_PTR(-ENOMEM);

	evfd_ctx_setup(ctx, initval, flags);
	return ctx;
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_alloc);

void evfd_ctx_get(struct evfd_ctx *ctx)
{
	kref_get(&ctx->kref);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_get);

static void evfd_ctx_free(struct kref *kref)
{
	struct evfd_ctx *ctx = container_of(kref, struct evfd_ctx, kref);

	if (evfd_ctx_is_shared(ctx))
		evfd_shared_free(ctx);
	else
		kmem_cache_free(evfd_ctx_cache, ctx);
}

/**
 * evfd_ctx_put() - drop a reference
 * @ctx: as evfd_ctx_fdget() or evfd_ctx_fileget() returned it
 *
 * The last reference frees the counter. It may outlive its last descriptor;
 * signals then go nowhere, safely.
 *
 * Context: Any; on PREEMPT_RT a preemptible one, as kfree() wants.
 */
void evfd_ctx_put(struct evfd_ctx *ctx)
{
	kref_put(&ctx->kref, evfd_ctx_free);
}
EXPORT_SYMBOL_GPL(evfd_ctx_put);

/*
 * Ends the file's use of the counter: tells in-kernel waiters of EPOLLHUP and
 * drops the file's reference. poll and epoll no longer wait: poll holds the file,
 * and epoll has been unhooked. EPOLLIN may still follow, from the worker.
 */
void evfd_ctx_release(struct evfd_ctx *ctx)
{
	trace_evfd_release(ctx);
	/*
	 * Joining the queue requires a file reference. Dropping it in fput() has
	 * release ordering, which this pairs with: every waiter that joined is
	 * visible here.
	 */
	if (waitqueue_active(&ctx->pollers))
		evfd_ctx_wake_pollers(ctx, EPOLLHUP, 0, EVFD_RELEASE);
	evfd_ctx_put(ctx);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_release);

static __always_inline void evfd_ctx_notify_signal(struct evfd_ctx *ctx,
						   __poll_t mask)
{
	/* As evfd_ctx_notify_readers(), which has no mask; pairs likewise. */
	if (waitqueue_active(&ctx->pollers) || waitqueue_active(&ctx->readers))
		evfd_ctx_wake_readers(ctx, 1, EPOLLIN | mask);
}

static noinline __cold void evfd_ctx_trace_signal(struct evfd_ctx *ctx,
						  __poll_t mask, u64 count)
{
	trace_evfd_signal(ctx, mask, count);
	evfd_ctx_notify_signal(ctx, mask);
}

static __always_inline void evfd_ctx_end_signal(struct evfd_ctx *ctx,
						__poll_t mask, u64 count)
{
	if (trace_evfd_signal_enabled())
		evfd_ctx_trace_signal(ctx, mask, count);
	else
		evfd_ctx_notify_signal(ctx, mask);
}

/* Goes on where evfd_signal_mask() found the overflow value. */
static noinline void evfd_signal_overflow(struct evfd_ctx *ctx, __poll_t mask)
{
	u64 count = EVFD_COUNT_OVERFLOW;

	if (evfd_ctx_is_shared(ctx)) {
		evfd_shared_signal(ctx, mask);
		return;
	}
	/* A read may come first; otherwise this is a barrier and no more. */
	while (!evfd_ctx_update(ctx, &count, evfd_count_signal(count)))
		;
	evfd_ctx_end_signal(ctx, mask, evfd_count_signal(count));
}

/**
 * evfd_signal_mask() - add 1 and wake, with more poll events than EPOLLIN
 * @ctx: the counter
 * @mask: further EPOLL* bits for pollers, or 0
 *
 * The count saturates at 2^64 - 1, where poll(2) reports POLLERR. Where the
 * wait queues cannot be walked at once (the caller is a wait queue callback
 * of an evfd or eventfd, or not preemptible on PREEMPT_RT) the count changes at
 * once and a worker wakes the sleepers; neither gets lost. A callback that
 * signals its own counter each time it runs keeps the worker busy for ever.
 *
 * Pollers are told of @mask in any case, but of EPOLLIN only while the count is
 * above 0: a reader that does not sleep takes no lock and may be faster. A
 * callback that is told of EPOLLIN may find a count of 0 for the same reason.
 *
 * With EVFD_SHARED, a program that changes the count all the time can prevent the
 * add, and only that.
 *
 * Context: Any, hard interrupts included, but not an NMI, nor while holding a
 * lock of the scheduler or of a workqueue. Never sleeps. The caller holds a
 * reference.
 */
void evfd_signal_mask(struct evfd_ctx *ctx, __poll_t mask)
{
	u64 count;

	evfd_ctx_pass_gate(ctx);
	count = evfd_ctx_count(ctx);
	do {
		/* Also what every counter with EVFD_SHARED has here. */
		if (unlikely(count == EVFD_COUNT_OVERFLOW)) {
			evfd_signal_overflow(ctx, mask);
			return;
		}
	} while (!evfd_ctx_update(ctx, &count, evfd_count_signal(count)));

	evfd_ctx_end_signal(ctx, mask, evfd_count_signal(count));
}
EXPORT_SYMBOL_GPL(evfd_signal_mask);

/**
 * evfd_ctx_do_read() - read(2) from inside the kernel, without waiting
 * @ctx: the counter
 * @cnt: where to store the value: the count, or 1 in semaphore mode, or 0 if the
 *	count is 0
 *
 * Unlike eventfd_ctx_do_read() this needs no lock, and wakes those who wait for
 * room. A poller's callback may call it; then a worker wakes them, and tells that
 * poller of EPOLLOUT as well. A full barrier, also if it finds 0.
 *
 * With EVFD_SHARED and EVFD_SEMAPHORE, a program that changes the count all the time
 * can make this return 0.
 *
 * Context: As evfd_signal_mask().
 */
void evfd_ctx_do_read(struct evfd_ctx *ctx, u64 *cnt)
{
	u64 count;

	if (evfd_ctx_is_shared(ctx)) {
		evfd_shared_do_read(ctx, cnt);
		return;
	}
	count = evfd_ctx_count_ordered(ctx);
	do {
		*cnt = evfd_count_read(count, evfd_ctx_is_semaphore(ctx));
		if (!*cnt) {
			/* A failed exchange, which may have read the 0, is relaxed. */
			smp_acquire__after_ctrl_dep();
			return;
		}
	} while (!evfd_ctx_try_read(ctx, &count, *cnt));

	evfd_ctx_end_read(ctx, *cnt, count);
}
EXPORT_SYMBOL_GPL(evfd_ctx_do_read);

/**
 * evfd_ctx_remove_wait_queue() - leave the pollers' queue, and read
 * @ctx: the counter
 * @wait: an entry that poll_wait() put on the counter's queue
 * @cnt: where to store the value, see evfd_ctx_do_read()
 *
 * No signal is missed: @wait's callback was told of it, or it is in @cnt, or still
 * in the counter, or another reader took it. After the call @wait's callback does
 * not run.
 *
 * Context: As evfd_signal_mask(), but not from a poller's callback, and on
 * PREEMPT_RT a preemptible one.
 * Return: 0, or -EAGAIN if the count was 0; @wait is off the queue either way.
 */
int evfd_ctx_remove_wait_queue(struct evfd_ctx *ctx,
			       wait_queue_entry_t *wait, u64 *cnt)
{
	if (evfd_ctx_is_shared(ctx))
		evfd_shared_remove_wait(ctx, wait);
	else
		remove_wait_queue(&ctx->pollers, wait);
	evfd_ctx_do_read(ctx, cnt);

	return *cnt ? 0 : -EAGAIN;
}
EXPORT_SYMBOL_GPL(evfd_ctx_remove_wait_queue);

int evfd_ctx_init(void)
{
	INIT_WORK(&evfd_deferred_work, evfd_wake_deferred);
	/*
	 * Unbound, as a task that hogs the signalling CPU must not delay the
	 * wakeups. With a thread of its own, as they must not wait for memory.
	 */
	evfd_workqueue = alloc_workqueue("evfd", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!evfd_workqueue)
		return -ENOMEM;

	evfd_ctx_cache = evfd_cache_create("evfd_ctx", sizeof(struct evfd_ctx));
	if (!evfd_ctx_cache) {
		destroy_workqueue(evfd_workqueue);
		return -ENOMEM;
	}

	return 0;
}

/* Context: every file is gone, but the worker may hold the last reference. */
void evfd_ctx_exit(void)
{
	destroy_workqueue(evfd_workqueue);
	kmem_cache_destroy(evfd_ctx_cache);
}
