// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counter as an object: its life, its sleepers and who wakes them, and the
 * part of the in-kernel API that works on it.
 *
 * Above ctx.h, below file.c; knows nothing of files and descriptors. Read ctx.h
 * first: it has the object, the invariants and the paths that nobody waits on.
 *
 * Who wakes whom:
 *
 *	add n	pollers, with EPOLLIN; readers: up to n in semaphore mode, one
 *		otherwise, since that one takes everything
 *	take	pollers, with EPOLLOUT; all writers
 *	release	pollers, with EPOLLHUP
 *
 * Pollers come first, so that an in-kernel consumer that takes the count in its
 * callback gets it before a reader that sleeps.
 */
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "ctx.h"
#include "trace.h"

static struct kmem_cache *evfd_ctx_cache;

/* The counters with deferred events, each with a reference; and their worker. */
static LLIST_HEAD(evfd_deferred_ctxs);
static struct workqueue_struct *evfd_workqueue;
static struct work_struct evfd_deferred_work;

/*
 * In deferred_events: somebody took, tell those who wait for room. A bit that is
 * no poll event, since a signal's mask may have EPOLLOUT.
 */
#define EVFD_DEFERRED_ROOM	BIT(30)

/*
 * May this context walk the wait queues? Not from a poller's callback: the
 * queue's lock is held, and unlimited recursion would follow. The task's bit is
 * shared with eventfd so that a callback of one that signals the other is
 * recognized as well; AIO and others look at it (eventfd_signal_allowed()).
 * Nor on PREEMPT_RT from where the lock may not sleep.
 */
static bool evfd_wake_must_defer(void)
{
	/*
	 * A signal from an interrupt sets and clears the bit of the task that it
	 * came upon, in between two instructions of this: no change to be seen.
	 */
	return data_race(!!current->in_eventfd) ||
	       (IS_ENABLED(CONFIG_PREEMPT_RT) && !preemptible());
}

/* @what: of deferred_events. */
static void evfd_ctx_wake_later(struct evfd_ctx *ctx, int what)
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

/* Wakes as many readers as an add of @n can serve. */
static void evfd_ctx_wake_readers(struct evfd_ctx *ctx, u64 n,
				  enum evfd_why why)
{
	int nr = evfd_ctx_is_semaphore(ctx) ? min_t(u64, n, INT_MAX) : 1;

	/* A write of 0 serves nobody; to the wait queue, 0 means all. */
	if (n && waitqueue_active(&ctx->readers)) {
		trace_evfd_wake(ctx, EVFD_READERS, nr, why);
		wake_up_interruptible_nr(&ctx->readers, nr);
	}
}

/*
 * The slow half of evfd_ctx_added(), for when it saw somebody waiting.
 * @events: EPOLLIN, and what a signal adds to it.
 */
void evfd_ctx_wake_added(struct evfd_ctx *ctx, u64 n, __poll_t events)
{
	if (evfd_wake_must_defer()) {
		evfd_ctx_wake_later(ctx, (__force int)events);
		return;
	}
	/* After the barrier that evfd_ctx_added() names. */
	if (waitqueue_active(&ctx->pollers))
		evfd_ctx_wake_pollers(ctx, events, n ? EPOLLIN : 0,
				      EVFD_ADDED);
	evfd_ctx_wake_readers(ctx, n, EVFD_ADDED);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_wake_added);

/* The slow half of evfd_ctx_taken(), for when it saw somebody waiting. */
void evfd_ctx_wake_taken(struct evfd_ctx *ctx)
{
	if (evfd_wake_must_defer()) {
		evfd_ctx_wake_later(ctx, EVFD_DEFERRED_ROOM);
		return;
	}
	/* After the barrier that evfd_ctx_taken() names. */
	if (waitqueue_active(&ctx->pollers))
		evfd_ctx_wake_pollers(ctx, EPOLLOUT, EPOLLOUT, EVFD_TAKEN);
	/* The same. */
	if (waitqueue_active(&ctx->writers)) {
		trace_evfd_wake(ctx, EVFD_WRITERS, 0, EVFD_TAKEN);
		wake_up_interruptible_all(&ctx->writers);
	}
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_wake_taken);

static void evfd_ctx_wake_deferred(struct evfd_ctx *ctx)
{
	/* Pairs with the update in evfd_ctx_wake_later(). */
	int what = atomic_xchg(&ctx->deferred_events, 0);
	__poll_t events = (__force __poll_t)(what & ~EVFD_DEFERRED_ROOM);
	u64 count = evfd_ctx_count(ctx);

	if (what & EVFD_DEFERRED_ROOM)
		evfd_ctx_wake_taken(ctx);
	/* Several signals may have come together: wake for all that is there. */
	if (!count)
		events &= ~EPOLLIN;
	if (events)
		evfd_ctx_wake_added(ctx, count, events);
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
 * Hands a reader's wake on. For who may have been chosen by a wake and leaves
 * without taking: as long as there is something to take, another reader has to
 * be awake for it. Any context but under the lock of ctx->readers.
 */
void evfd_ctx_pass_on(struct evfd_ctx *ctx)
{
	if (evfd_ctx_count(ctx))
		evfd_ctx_wake_readers(ctx, 1, EVFD_PASS_ON);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_pass_on);

/*
 * Waits until no reader holds the gate. The reader holds it with interrupts off
 * and faults disabled, for as long as it takes to copy 8 bytes a few times.
 */
void __cold evfd_ctx_wait_gate(struct evfd_ctx *ctx)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&ctx->gate, flags);
	raw_spin_unlock_irqrestore(&ctx->gate, flags);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_wait_gate);

/* evfd_ctx_added() of a write of @n that made @count, with its event. */
void __cold evfd_ctx_trace_added(struct evfd_ctx *ctx, u64 n, u64 count)
{
	trace_evfd_write(ctx, n, count);
	evfd_ctx_added(ctx, n);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_trace_added);

/* evfd_ctx_taken() of a read of @n that left @count, with its event. */
void __cold evfd_ctx_trace_taken(struct evfd_ctx *ctx, u64 n, u64 count)
{
	trace_evfd_read(ctx, n, count);
	evfd_ctx_taken(ctx);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_trace_taken);

/**
 * evfd_ctx_wait_readable() - sleep until the count is above 0
 * @ctx: the counter
 *
 * The count may be gone again by the time the caller looks: take, or call this
 * once more, or evfd_ctx_pass_on().
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ERESTARTSYS if a signal came first.
 */
int evfd_ctx_wait_readable(struct evfd_ctx *ctx)
{
	DEFINE_WAIT(wait);

	/*
	 * Not wait_event_interruptible_exclusive(), which queues a task that
	 * was woken, and so is off the queue, once more before it looks.
	 *
	 * To queue and set the task's state is a full barrier before the count
	 * is looked at. Pairs with the update before evfd_ctx_added(). The task
	 * is off the queue when it looks for the last time: a wake that had
	 * chosen it is then either used (0 is returned, signal or not), or its
	 * count is gone.
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
		/* In order, since it may be the last check before -ERESTARTSYS. */
		if (evfd_ctx_count_ordered(ctx))
			return 0;
	} while (!signal_pending(current));

	return -ERESTARTSYS;
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_wait_readable);

/**
 * evfd_ctx_wait_writable() - sleep until there is room
 * @ctx: the counter
 * @n: how much is to be added
 *
 * The room may be gone again by the time the caller looks.
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ERESTARTSYS if a signal came first.
 */
int evfd_ctx_wait_writable(struct evfd_ctx *ctx, u64 n)
{
	/*
	 * wait_event_interruptible(), with an event before it sleeps. The macro
	 * queues the task and sets its state, which is a full barrier, before
	 * it evaluates the condition. Pairs with the update before
	 * evfd_ctx_taken(). With a signal pending it does neither, so the
	 * condition has a barrier of its own.
	 */
	might_sleep();
	return ___wait_event(ctx->writers,
			     evfd_count_can_add(evfd_ctx_count_ordered(ctx), n),
			     TASK_INTERRUPTIBLE, 0, 0,
			     trace_evfd_block(ctx, EVFD_WRITERS, n); schedule());
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_wait_writable);

/**
 * evfd_ctx_queued() - how many wait, for who looks on
 * @queue: one of a counter's queues
 *
 * Whoever wakes or joins waits meanwhile, with interrupts off; so a long queue
 * is not counted to its end.
 *
 * Context: Any; on PREEMPT_RT a preemptible one.
 * Return: their number, EVFD_QUEUED_MAX also standing for more.
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

	atomic64_set(&ctx->count, initval);
	ctx->flags = flags;
	raw_spin_lock_init(&ctx->gate);
	init_waitqueue_head(&ctx->pollers);
	init_waitqueue_head(&ctx->readers);
	init_waitqueue_head(&ctx->writers);
	kref_init(&ctx->kref);
	atomic_set(&ctx->deferred_events, 0);
	ctx->id = 0;

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
	kmem_cache_free(evfd_ctx_cache,
			container_of(kref, struct evfd_ctx, kref));
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
 * The file is gone: tells the in-kernel waiters, and drops the file's
 * reference. poll and epoll are not among them any more: one holds the file,
 * the other has been unhooked. EPOLLIN may still follow, from the worker.
 */
void evfd_ctx_release(struct evfd_ctx *ctx)
{
	trace_evfd_release(ctx);
	/*
	 * To join the queue takes a reference to the file. Pairs with the
	 * release order of dropping that, in fput(): who joined is seen here.
	 */
	if (waitqueue_active(&ctx->pollers))
		evfd_ctx_wake_pollers(ctx, EPOLLHUP, 0, EVFD_RELEASE);
	evfd_ctx_put(ctx);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_ctx_release);

static __always_inline void evfd_ctx_signalled(struct evfd_ctx *ctx,
					       __poll_t mask)
{
	/* Pairs as in evfd_ctx_added(), which knows no mask. */
	if (waitqueue_active(&ctx->pollers) || waitqueue_active(&ctx->readers))
		evfd_ctx_wake_added(ctx, 1, EPOLLIN | mask);
}

static noinline __cold void evfd_ctx_trace_signalled(struct evfd_ctx *ctx,
						     __poll_t mask, u64 count)
{
	trace_evfd_signal(ctx, mask, count);
	evfd_ctx_signalled(ctx, mask);
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
 * Context: Any, hard interrupts included, but not an NMI, nor while holding a
 * lock of the scheduler or of a workqueue. Never sleeps. The caller holds a
 * reference.
 */
void evfd_signal_mask(struct evfd_ctx *ctx, __poll_t mask)
{
	u64 count;

	evfd_ctx_pass_gate(ctx);
	count = evfd_ctx_count(ctx);
	while (!evfd_ctx_update(ctx, &count, evfd_count_signal(count)))
		;

	if (trace_evfd_signal_enabled())
		evfd_ctx_trace_signalled(ctx, mask, evfd_count_signal(count));
	else
		evfd_ctx_signalled(ctx, mask);
}
EXPORT_SYMBOL_GPL(evfd_signal_mask);

/**
 * evfd_ctx_do_read() - take what read(2) would, without waiting
 * @ctx: the counter
 * @cnt: where to store it: the count, or 1 in semaphore mode; 0 if the count
 *	is 0
 *
 * Unlike its counterpart of eventfd it needs no lock held, and wakes those who
 * wait for room. It may be called from a poller's callback; a worker then wakes
 * them, and tells that poller of EPOLLOUT, too. A full barrier, also where it
 * finds 0.
 *
 * Context: As evfd_signal_mask().
 */
void evfd_ctx_do_read(struct evfd_ctx *ctx, u64 *cnt)
{
	u64 count = evfd_ctx_count_ordered(ctx);

	do {
		*cnt = evfd_count_take(count, evfd_ctx_is_semaphore(ctx));
		if (!*cnt) {
			/* The 0 may come from a failed exchange, which is relaxed. */
			smp_acquire__after_ctrl_dep();
			return;
		}
	} while (!evfd_ctx_commit(ctx, &count, *cnt));

	evfd_ctx_end_read(ctx, *cnt, count);
}
EXPORT_SYMBOL_GPL(evfd_ctx_do_read);

/**
 * evfd_ctx_remove_wait_queue() - stop waiting, and take what is there
 * @ctx: the counter
 * @wait: an entry that poll_wait() put on the counter's queue
 * @cnt: where to store what was taken, see evfd_ctx_do_read()
 *
 * Each signal is announced to @wait, or in @cnt, or still in the counter, or was
 * taken by another reader; none falls between. After the call @wait's callback
 * does not run.
 *
 * Context: As evfd_signal_mask(), but not from a poller's callback, and on
 * PREEMPT_RT a preemptible one.
 * Return: 0, or -EAGAIN if there was nothing to take; @wait is off the queue
 * either way.
 */
int evfd_ctx_remove_wait_queue(struct evfd_ctx *ctx,
			       wait_queue_entry_t *wait, u64 *cnt)
{
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
