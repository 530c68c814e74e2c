// SPDX-License-Identifier: GPL-2.0-only
/*
 * EVFD_SHARED: a counter that programs change in a page that they map, without a
 * system call, and can still poll and sleep on.
 *
 * Above ctx.c, whose queues, worker and lifetime it uses; below shared_file.c, which
 * does to it what file.c does to ctx.c. uapi/linux/evfd.h has the rules for user
 * space.
 *
 * A program that adds (posts) or takes in the page then reads the word "armed". A
 * bit there means that there is a waiter, and the program makes a system call, the
 * kick. So
 *
 *	user space			waiter, in the kernel
 *	----------			---------------------
 *	count = new			add to a queue
 *	full barrier			armed |= bit, fully ordered
 *	armed? -> kick			count allows? -> do not sleep
 *					sleep
 *
 * Whichever comes first, user space sees the bit or the waiter sees the count.
 * Updates by the kernel (write, read, signal) check the queues, as ctx.c does, so
 * that a program which scribbles on the word "armed" cannot suppress them.
 *
 * A bit that stays set costs a system call an update. It is cleared when the
 * waiters are told (evfd_shared_disarm()), provided that each of them comes back
 * by itself and sets it again: pollers do, as they poll before they sleep. Blocked
 * readers and writers, and the waiters on @keen, do not; while there are any, the
 * bit stays.
 *
 * The bit is cleared before the pollers are told. A poller that polls in between
 * sets it again; after it, that poller's bit would be gone.
 *
 * The count may be anything at any time. A loop that user space could keep going
 * ends after EVFD_SHARED_TRIES: a signal and an in-kernel read give up, read and
 * write yield the CPU and check for a fatal signal. Where an atomic instruction is
 * itself a loop (on LL/SC machines; of 64 bits on 32-bit x86), a program that hammers
 * the page can prolong it, also in an interrupt.
 */
#include <linux/gfp.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "ctx.h"
#include "shared.h"
#include "trace.h"

static struct kmem_cache *evfd_shared_cache;

/* What became of a bit of the word "armed". */
enum evfd_disarmed {
	EVFD_KEPT,
	EVFD_CLEARED,
	EVFD_SET_AGAIN,
};

/*
 * Clears @bit, unless a waiter is on @queue or keen: it needs every kick. If one
 * joined meanwhile, sets the bit again; then user space may have updated the count
 * in the gap without a kick, and the caller has to check the count.
 */
static enum evfd_disarmed evfd_shared_disarm(struct evfd_shared *shared,
					     struct wait_queue_head *queue,
					     u32 bit)
{
	/* No barrier: a waiter that this misses is found below. */
	if (waitqueue_active(queue) || waitqueue_active(&shared->keen))
		return EVFD_KEPT;
	/*
	 * Fully ordered. Pairs with evfd_shared_arm(): a waiter that armed before
	 * is on its queue and seen below; one that arms after stays armed.
	 */
	smp_mb__before_atomic();
	atomic_andnot(bit, evfd_shared_armed(shared));
	/* Pairs as the one before. */
	smp_mb__after_atomic();
	trace_evfd_disarm(&shared->ctx, bit);
	/* After that barrier. */
	if (!waitqueue_active(queue) && !waitqueue_active(&shared->keen))
		return EVFD_CLEARED;
	/* An update in user space that saw no bit is in the count after this. */
	evfd_shared_arm(shared, bit);
	return EVFD_SET_AGAIN;
}

/* As evfd_ctx_wake_pollers(), for one of the two queues of pollers. */
static void evfd_shared_wake_queue(struct evfd_shared *shared,
				   struct wait_queue_head *queue,
				   __poll_t events, __poll_t still,
				   enum evfd_why why)
{
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	events &= ~still | evfd_shared_events(evfd_shared_count(shared));
	if (events) {
		trace_evfd_wake(&shared->ctx, EVFD_POLLERS, 1, why);
		current->in_eventfd = 1;
		wake_up_locked_poll(queue, events);
		current->in_eventfd = 0;
	}
	spin_unlock_irqrestore(&queue->lock, flags);
}

/* Wakes the waiters for a count that need every kick. */
static void evfd_shared_tell_sticky_added(struct evfd_shared *shared, u64 n,
					  __poll_t events)
{
	/* After a full barrier: the update's, the kick's, or the disarming's. */
	if (waitqueue_active(&shared->keen))
		evfd_shared_wake_queue(shared, &shared->keen, events,
				       n ? EPOLLIN : 0, EVFD_READABLE);
	/* The same. */
	if (waitqueue_active(&shared->ctx.readers))
		evfd_ctx_wake_n_readers(&shared->ctx, n, EVFD_READABLE);
}

/* Wakes the waiters for room that need every kick. */
static void evfd_shared_tell_sticky_taken(struct evfd_shared *shared)
{
	/* After a full barrier: the update's, the kick's, or the disarming's. */
	if (waitqueue_active(&shared->keen))
		evfd_shared_wake_queue(shared, &shared->keen, EPOLLOUT, EPOLLOUT,
				       EVFD_WRITABLE);
	/* The same. */
	if (waitqueue_active(&shared->ctx.writers)) {
		trace_evfd_wake(&shared->ctx, EVFD_WRITERS, 0, EVFD_WRITABLE);
		wake_up_interruptible_all(&shared->ctx.writers);
	}
}

/*
 * Tells the pollers. What they were armed with is gone if @disarmed is not
 * EVFD_KEPT: then they are told whatever the count is by now, as each of them has
 * to poll again. If not, as evfd_ctx_wake_pollers().
 */
static void evfd_shared_tell_pollers(struct evfd_shared *shared, __poll_t events,
				     __poll_t still,
				     enum evfd_disarmed disarmed,
				     enum evfd_why why)
{
	/* After a full barrier: the update's, the kick's, or the disarming's. */
	if (waitqueue_active(&shared->ctx.pollers))
		evfd_shared_wake_queue(shared, &shared->ctx.pollers, events,
				       disarmed == EVFD_KEPT ? still : 0, why);
}

/*
 * From the clearing of a bit until the pollers are told, programs that add need not
 * kick, and rely on the caller: it must not be preempted or interrupted in between. On
 * PREEMPT_RT it may be, since the queue's lock sleeps there.
 */
static void evfd_shared_begin_disarm(unsigned long *flags)
{
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		local_irq_save(*flags);
}

static void evfd_shared_end_disarm(unsigned long flags)
{
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		local_irq_restore(flags);
}

/*
 * Wakes after an add of @n. @events: EPOLLIN and a signal's mask. With a count of 0
 * the bit stays: no waiter is told, so none would arm again.
 */
static void evfd_shared_tell_added(struct evfd_shared *shared, u64 n,
				   __poll_t events)
{
	enum evfd_disarmed disarmed = EVFD_KEPT;
	unsigned long flags = 0;
	u64 count;

	if (evfd_wake_must_defer()) {
		evfd_ctx_defer_wakeup(&shared->ctx, (__force int)events);
		return;
	}

	evfd_shared_tell_sticky_added(shared, n, events);
	evfd_shared_begin_disarm(&flags);
	if (evfd_shared_count(shared))
		disarmed = evfd_shared_disarm(shared, &shared->ctx.readers,
					      EVFD_ARMED_ADD);
	/* The worker may have seen a count of 0; the cleared bit was for IN. */
	if (disarmed != EVFD_KEPT)
		events |= EPOLLIN;
	evfd_shared_tell_pollers(shared, events, n ? EPOLLIN : 0, disarmed,
				 EVFD_READABLE);
	evfd_shared_end_disarm(flags);
	if (disarmed != EVFD_SET_AGAIN)
		return;
	/* Once only: a loop here is one that others could keep going. */
	count = evfd_shared_count(shared);
	if (count)
		evfd_shared_tell_sticky_added(shared, count, EPOLLIN);
}

/* Wakes after a read. */
static void evfd_shared_tell_taken(struct evfd_shared *shared)
{
	enum evfd_disarmed disarmed = EVFD_KEPT;
	unsigned long flags = 0;

	if (evfd_wake_must_defer()) {
		evfd_ctx_defer_wakeup(&shared->ctx, EVFD_DEFERRED_ROOM);
		return;
	}

	evfd_shared_tell_sticky_taken(shared);
	evfd_shared_begin_disarm(&flags);
	if (evfd_shared_has_room(evfd_shared_count(shared), 1))
		disarmed = evfd_shared_disarm(shared, &shared->ctx.writers,
					      EVFD_ARMED_TAKE);
	evfd_shared_tell_pollers(shared, EPOLLOUT, EPOLLOUT, disarmed,
				 EVFD_WRITABLE);
	evfd_shared_end_disarm(flags);
	if (disarmed != EVFD_SET_AGAIN)
		return;
	/* Once only, as in evfd_shared_tell_added(). A writer of 0 needs no more. */
	if (evfd_shared_has_room(evfd_shared_count(shared), 0))
		evfd_shared_tell_sticky_taken(shared);
}

/*
 * True if a waiter is on @queue or is a poller; or if @bit is left over from one that
 * went, since libevfd enters the kernel for each update until it is cleared.
 */
static bool evfd_shared_anybody(struct evfd_shared *shared,
				struct wait_queue_head *queue, u32 bit)
{
	/* The callers say which barrier was before. */
	return waitqueue_active(&shared->ctx.pollers) ||
	       /* The same. */
	       waitqueue_active(queue) || waitqueue_active(&shared->keen) ||
	       atomic_read(evfd_shared_armed(shared)) & bit;
}

/* As evfd_ctx_notify_readers(). A cleared bit does not keep it from checking. */
void evfd_shared_notify_readers(struct evfd_shared *shared, u64 n,
				__poll_t events)
{
	/*
	 * The barrier is the update's. Pairs with the one between queueing and
	 * checking the count: evfd_shared_arm().
	 */
	if (evfd_shared_anybody(shared, &shared->ctx.readers, EVFD_ARMED_ADD))
		evfd_shared_tell_added(shared, n, events);
}

/* As evfd_ctx_notify_writers(). */
void evfd_shared_notify_writers(struct evfd_shared *shared)
{
	/*
	 * The barrier is the update's. Pairs with the one between queueing and
	 * checking the count: evfd_shared_arm().
	 */
	if (evfd_shared_anybody(shared, &shared->ctx.writers, EVFD_ARMED_TAKE))
		evfd_shared_tell_taken(shared);
}

/**
 * evfd_shared_kick() - wake after user space updated the page
 * @ctx: the counter
 * @n: how much was added; 0: as much as is there, or something was taken
 *
 * Context: Process context. Does not sleep.
 * Return: whether it told of an add.
 */
bool evfd_shared_kick(struct evfd_ctx *ctx, u64 n)
{
	struct evfd_shared *shared = evfd_shared_of(ctx);
	bool added;
	u64 count;
	u32 armed;

	/*
	 * User space saw the bit, so the waiter that set it is on a queue. The
	 * barrier orders that and the checks of the queues. Pairs with
	 * evfd_shared_arm().
	 */
	smp_mb();
	armed = atomic_read(evfd_shared_armed(shared));
	count = evfd_shared_count(shared);
	trace_evfd_kick(ctx, n, count, armed);
	added = armed & EVFD_ARMED_ADD && count;
	if (added)
		evfd_shared_tell_added(shared, min(n ?: count, count), EPOLLIN);
	/* A write of 0 waits as well, for a count that is at the limit again. */
	if (!n && armed & EVFD_ARMED_TAKE && evfd_shared_has_room(count, 0))
		evfd_shared_tell_taken(shared);
	return added;
}
EXPORT_SYMBOL_IF_KUNIT(evfd_shared_kick);

/* As evfd_ctx_wake_deferred(). */
void evfd_shared_wake_deferred(struct evfd_ctx *ctx, bool room, __poll_t events)
{
	struct evfd_shared *shared = evfd_shared_of(ctx);
	u64 count = evfd_shared_count(shared);

	if (room)
		evfd_shared_tell_taken(shared);
	if (!count)
		events &= ~EPOLLIN;
	if (events)
		evfd_shared_tell_added(shared, count, events);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_shared_wake_deferred);

/* As evfd_ctx_pass_on(). */
void evfd_shared_pass_on(struct evfd_shared *shared)
{
	if (evfd_shared_count(shared))
		evfd_ctx_wake_n_readers(&shared->ctx, 1, EVFD_PASS_ON);
}

/**
 * evfd_shared_wait_readable() - as evfd_ctx_wait_readable()
 * @ctx: the counter
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ERESTARTSYS if a signal came first.
 */
int evfd_shared_wait_readable(struct evfd_ctx *ctx)
{
	struct evfd_shared *shared = evfd_shared_of(ctx);
	DEFINE_WAIT(wait);

	might_sleep();
	do {
		prepare_to_wait_exclusive(&ctx->readers, &wait,
					  TASK_INTERRUPTIBLE);
		evfd_shared_arm(shared, EVFD_ARMED_ADD);
		if (!evfd_shared_count(shared) && !signal_pending(current)) {
			trace_evfd_block(ctx, EVFD_READERS, 1);
			schedule();
		}
		finish_wait(&ctx->readers, &wait);
		if (evfd_shared_count_ordered(shared))
			return 0;
	} while (!signal_pending(current));

	return -ERESTARTSYS;
}
EXPORT_SYMBOL_IF_KUNIT(evfd_shared_wait_readable);

/* Checks for room, for a caller that is on the queue of writers. */
static bool evfd_shared_may_write(struct evfd_shared *shared, u64 n)
{
	evfd_shared_arm(shared, EVFD_ARMED_TAKE);
	return evfd_shared_has_room(evfd_shared_count_ordered(shared), n);
}

/**
 * evfd_shared_wait_writable() - as evfd_ctx_wait_writable()
 * @ctx: the counter
 * @n: the amount to be added
 *
 * Context: Process context, may sleep.
 * Return: 0, or -ERESTARTSYS if a signal came first.
 */
int evfd_shared_wait_writable(struct evfd_ctx *ctx, u64 n)
{
	might_sleep();
	return ___wait_event(ctx->writers,
			     evfd_shared_may_write(evfd_shared_of(ctx), n),
			     TASK_INTERRUPTIBLE, 0, 0,
			     trace_evfd_block(ctx, EVFD_WRITERS, n); schedule());
}
EXPORT_SYMBOL_IF_KUNIT(evfd_shared_wait_writable);

/*
 * evfd_signal_mask(). At EVFD_SHARED_MAX it goes on to the overflow value. No loop
 * that user space could keep going, as this may be a hard interrupt. After too many
 * tries the signal is not added: a program that changes the count all the time
 * cannot tell.
 */
void evfd_shared_signal(struct evfd_ctx *ctx, __poll_t mask)
{
	struct evfd_shared *shared = evfd_shared_of(ctx);
	u64 count = evfd_shared_count(shared);
	unsigned int tries = EVFD_SHARED_TRIES;

	if (likely(count < EVFD_SHARED_MAX)) {
		count = atomic64_fetch_add(1, evfd_shared_word(shared));
	} else {
		while (!evfd_shared_update(shared, &count,
					   evfd_count_signal(count)) && --tries)
			;
	}

	if (tries)
		trace_evfd_signal(ctx, mask, evfd_count_signal(count));
	evfd_shared_notify_readers(shared, 1, EPOLLIN | mask);
}

/* evfd_ctx_do_read(), which ends after as many tries as evfd_shared_signal(). */
void evfd_shared_do_read(struct evfd_ctx *ctx, u64 *cnt)
{
	struct evfd_shared *shared = evfd_shared_of(ctx);
	u64 count = evfd_shared_count_ordered(shared);
	unsigned int tries = EVFD_SHARED_TRIES;

	*cnt = 0;
	if (!evfd_ctx_is_semaphore(ctx)) {
		if (count)
			*cnt = atomic64_xchg(evfd_shared_word(shared), 0);
		count = 0;
	} else {
		while (count && tries--) {
			if (evfd_shared_update(shared, &count, count - 1)) {
				*cnt = 1;
				count--;
				break;
			}
		}
	}
	if (!*cnt) {
		/* It gave up. A callback that reads is to be told again. */
		if (count)
			evfd_ctx_defer_wakeup(ctx, (__force int)EPOLLIN);
		/* A failed exchange, which may have read the 0, is relaxed. */
		smp_acquire__after_ctrl_dep();
		return;
	}

	trace_evfd_read(ctx, *cnt, count);
	evfd_shared_notify_writers(shared);
}

/* evfd_ctx_remove_wait_queue(): an in-kernel waiter is on keen. */
void evfd_shared_remove_wait(struct evfd_ctx *ctx, wait_queue_entry_t *wait)
{
	remove_wait_queue(&evfd_shared_of(ctx)->keen, wait);
}

/**
 * evfd_shared_alloc() - make a counter with EVFD_SHARED
 * @initval: its value, at most EVFD_SHARED_MAX
 * @flags: EVFD_SHARED, and EVFD_SEMAPHORE or not
 *
 * As evfd_ctx_alloc(); the page is charged to the caller's memory cgroup, too.
 *
 * Context: Process context, may sleep.
 * Return: the counter with one reference, or ERR_PTR(-ENOMEM).
 */
struct evfd_ctx *evfd_shared_alloc(u64 initval, unsigned int flags)
{
	struct evfd_shared *shared;

	shared = kmem_cache_alloc(evfd_shared_cache, GFP_KERNEL);
	if (!shared)
		return ERR_PTR(-ENOMEM);
	shared->page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!shared->page) {
		kmem_cache_free(evfd_shared_cache, shared);
		return ERR_PTR(-ENOMEM);
	}

	evfd_ctx_setup(&shared->ctx, EVFD_COUNT_OVERFLOW, flags);
	init_waitqueue_head(&shared->keen);
	atomic64_set(evfd_shared_word(shared), initval);
	return &shared->ctx;
}
EXPORT_SYMBOL_IF_KUNIT(evfd_shared_alloc);

/* evfd_ctx_put(). put_page(), as user memory may be pinned for longer. */
void evfd_shared_free(struct evfd_ctx *ctx)
{
	struct evfd_shared *shared = evfd_shared_of(ctx);

	put_page(virt_to_page(shared->page));
	kmem_cache_free(evfd_shared_cache, shared);
}

/* As evfd_ctx_release(). */
void evfd_shared_release(struct evfd_ctx *ctx)
{
	struct evfd_shared *shared = evfd_shared_of(ctx);

	/* No barrier is needed, see evfd_ctx_release(). */
	if (waitqueue_active(&shared->keen))
		evfd_shared_wake_queue(shared, &shared->keen, EPOLLHUP, 0,
				       EVFD_RELEASE);
	evfd_ctx_release(ctx);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_shared_release);

int evfd_shared_init(void)
{
	evfd_shared_cache = evfd_cache_create("evfd_shared",
					      sizeof(struct evfd_shared));
	if (!evfd_shared_cache)
		return -ENOMEM;

	return 0;
}

void evfd_shared_exit(void)
{
	kmem_cache_destroy(evfd_shared_cache);
}
