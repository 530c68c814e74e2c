/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct evfd_ctx: the counter as an object, and how its count changes.
 *
 * Above counter.h, below file.c. What runs on every read and write is here, so
 * that it can be inlined; what runs only when somebody waits is in ctx.c.
 * counter.h says what the values mean; docs/architecture.md draws the whole, and
 * proof/README.md proves it: it says what to do when a function changes.
 *
 * Conservation: what writes and signals added equals what reads returned plus
 * the count, at any time. Each update below is one compare-and-exchange that
 * either happens or leaves no trace, and nothing else writes the count. No code
 * outside this file may touch ctx->count or assume where it is kept.
 *
 * No lost wakeup: who changes the count does so with a fully ordered atomic and
 * then looks for waiters (evfd_ctx_added(), evfd_ctx_taken()). Who waits makes
 * itself visible on a queue, executes a full barrier and then looks at the
 * count (evfd_ctx_wait_readable(), evfd_ctx_wait_writable(), and
 * evfd_file_poll_wait()).
 * Whichever barrier comes first, the other side sees what was before it:
 *
 *	updater				waiter
 *	-------				------
 *	count = new			add to the queue
 *	full barrier			full barrier
 *	queue empty? -> done		count allows? -> do not sleep
 *	wake				sleep
 *
 * At least one of the two finds the other, so a waiter never sleeps on a count
 * that it could use, and the updater takes no lock while nobody waits.
 */
#ifndef _EVFD_CTX_H
#define _EVFD_CTX_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/spinlock.h>
#include <linux/tracepoint-defs.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <uapi/linux/evfd.h>

#include "counter.h"
#include "evfd.h"

/* What trace.h shows as queue, why and op; the numbers do not change. */
enum evfd_queue {
	EVFD_POLLERS,
	EVFD_READERS,
	EVFD_WRITERS,
};

enum evfd_why {
	EVFD_ADDED,
	EVFD_TAKEN,
	EVFD_PASS_ON,
	EVFD_RELEASE,
};

enum evfd_op {
	EVFD_READ,
	EVFD_WRITE,
};

/**
 * struct evfd_ctx - one counter
 * @count: the value, see counter.h. Lock-free; only ctx.h touches it.
 * @flags: EVFD_SEMAPHORE or 0. Immutable.
 * @id: a number that no other counter has or had, see list.c. Immutable.
 * @pollers: poll, epoll, io_uring and in-kernel waiters; their callbacks run
 *	under its lock. Blocked readers and writers are never on it: one with
 *	EPOLLEXCLUSIVE would swallow a reader's wake.
 * @readers: tasks blocked for a count above 0. All exclusive, woken in the order
 *	in which they joined; one that was woken and found nothing joins anew.
 * @writers: tasks blocked for room. None exclusive, since each may need a
 *	different amount.
 * @kref: held by the file, by in-kernel users, by @deferred, and by a walk that
 *	shows the counter.
 * @deferred_events: what a worker has yet to announce: poll events, and
 *	EVFD_DEFERRED_ROOM.
 * @gate: held by a reader that lost too often, see evfd_file_read_gated().
 * @deferred: on the worker's list while @deferred_events is not 0, see ctx.c.
 * @node: on the list of all counters, see list.c.
 *
 * No two of the queues' locks are ever held at once: what a poller's callback
 * changes is announced by the worker.
 */
struct evfd_ctx {
	atomic64_t		count;
	unsigned int		flags;
	struct kref		kref;
	wait_queue_head_t	pollers;
	wait_queue_head_t	readers;
	wait_queue_head_t	writers;
	u64			id;
	atomic_t		deferred_events;
	raw_spinlock_t		gate;
	struct llist_node	deferred;
	struct list_head	node;
};

struct evfd_ctx *evfd_ctx_alloc(u64 initval, unsigned int flags);
void evfd_ctx_get(struct evfd_ctx *ctx);
void evfd_ctx_release(struct evfd_ctx *ctx);

/* The most that evfd_ctx_queued() counts: interrupts are off meanwhile. */
#define EVFD_QUEUED_MAX	4096

unsigned int evfd_ctx_queued(struct wait_queue_head *queue);

int evfd_ctx_wait_readable(struct evfd_ctx *ctx);
int evfd_ctx_wait_writable(struct evfd_ctx *ctx, u64 n);
void evfd_ctx_pass_on(struct evfd_ctx *ctx);

void evfd_ctx_wait_gate(struct evfd_ctx *ctx);

void evfd_ctx_wake_added(struct evfd_ctx *ctx, u64 n, __poll_t events);
void evfd_ctx_wake_taken(struct evfd_ctx *ctx);

/*
 * trace.h would need what is below. Who is traced goes on out of line, so that
 * who is not keeps nothing for it in registers.
 */
DECLARE_TRACEPOINT(evfd_read);
DECLARE_TRACEPOINT(evfd_write);
void evfd_ctx_trace_added(struct evfd_ctx *ctx, u64 n, u64 count);
void evfd_ctx_trace_taken(struct evfd_ctx *ctx, u64 n, u64 count);

int evfd_ctx_init(void);
void evfd_ctx_exit(void);

static inline u64 evfd_ctx_count(const struct evfd_ctx *ctx)
{
	return atomic64_read(&ctx->count);
}

/*
 * The count, for a caller that returns without an update: a full barrier, as
 * eventfd's lock is one. What came before the call is visible to the updater of
 * the value that this misses, and what comes after sees what came before the
 * update of the value that this finds. Pairs with evfd_ctx_update().
 */
static inline u64 evfd_ctx_count_ordered(const struct evfd_ctx *ctx)
{
	smp_mb();
	return atomic64_read_acquire(&ctx->count);
}

static inline bool evfd_ctx_is_semaphore(const struct evfd_ctx *ctx)
{
	return ctx->flags & EVFD_SEMAPHORE;
}

/*
 * Replaces @old by @new and returns true; if the count is not @old any more,
 * stores in @old what it is and returns false. A success is a full barrier,
 * also where @new equals @old. (With CONFIG_GENERIC_ATOMIC64 it is not quite; but
 * there a waiter's look at the count takes the same lock, which orders as much.)
 */
static inline bool evfd_ctx_update(struct evfd_ctx *ctx, u64 *old, u64 new)
{
	return atomic64_try_cmpxchg(&ctx->count, (s64 *)old, new);
}

/* Announces that @n was added. Call it after a successful evfd_ctx_update(). */
static inline void evfd_ctx_added(struct evfd_ctx *ctx, u64 n)
{
	/*
	 * The barrier is the update's. Pairs with the one between queueing and
	 * looking at the count in evfd_ctx_wait_readable() and in
	 * evfd_file_poll_wait().
	 */
	if (waitqueue_active(&ctx->pollers) || waitqueue_active(&ctx->readers))
		evfd_ctx_wake_added(ctx, n, EPOLLIN);
}

/* Announces that something was taken; as evfd_ctx_added(). */
static inline void evfd_ctx_taken(struct evfd_ctx *ctx)
{
	/*
	 * The barrier is the update's. Pairs with the one between queueing and
	 * looking at the count in evfd_ctx_wait_writable() and in
	 * evfd_file_poll_wait().
	 */
	if (waitqueue_active(&ctx->pollers) || waitqueue_active(&ctx->writers))
		evfd_ctx_wake_taken(ctx);
}

/*
 * Lets a reader that lost too often go first. To be called before an update that
 * makes the count grow. An update that slips past costs the reader one more copy.
 * Nobody slips past twice: the first update is a full barrier before the second
 * check. Pairs with the barrier in evfd_file_read_gated().
 */
static inline void evfd_ctx_pass_gate(struct evfd_ctx *ctx)
{
	if (unlikely(raw_spin_is_locked(&ctx->gate)))
		evfd_ctx_wait_gate(ctx);
}

/*
 * Adds @n if there is room, and wakes. Returns false, with nothing changed, if
 * there is none.
 */
static inline bool evfd_ctx_add(struct evfd_ctx *ctx, u64 n)
{
	u64 count;

	evfd_ctx_pass_gate(ctx);
	count = evfd_ctx_count(ctx);
	do {
		if (!evfd_count_can_add(count, n))
			return false;
	} while (!evfd_ctx_update(ctx, &count, count + n));

	if (tracepoint_enabled(evfd_write))
		evfd_ctx_trace_added(ctx, n, count + n);
	else
		evfd_ctx_added(ctx, n);
	return true;
}

/*
 * Takes @n off, which is what a read takes of @count; provided that a read would
 * still take just that. Then stores in @count what is left and returns true;
 * evfd_ctx_end_read() has to follow. Otherwise returns false with nothing changed.
 */
static inline bool evfd_ctx_commit(struct evfd_ctx *ctx, u64 *count, u64 n)
{
	while (!evfd_ctx_update(ctx, count, *count - n)) {
		if (evfd_count_take(*count, evfd_ctx_is_semaphore(ctx)) != n)
			return false;
	}

	*count -= n;
	return true;
}

/* Announces that a read took @n and left @count. */
static inline void evfd_ctx_end_read(struct evfd_ctx *ctx, u64 n, u64 count)
{
	if (tracepoint_enabled(evfd_read))
		evfd_ctx_trace_taken(ctx, n, count);
	else
		evfd_ctx_taken(ctx);
}

#endif /* _EVFD_CTX_H */
