/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct evfd_ctx: the counter as an object, and how its count changes.
 *
 * The layer above counter.h and below list.h and file.c. Code that runs on every
 * read and write is here, so that it can be inlined; code that runs only when a
 * task waits is in ctx.c. A counter with EVFD_SHARED has its count elsewhere, and
 * shared.c does all of this for it. counter.h says what the values mean,
 * docs/architecture.md draws the whole, and proof/README.md says which function
 * is proved how.
 *
 * Conservation: at any time, the sum of all writes and signals equals the sum of
 * all values that reads returned plus the count. Each update is one
 * compare-and-exchange that either happens or changes nothing. After
 * evfd_ctx_alloc(), only evfd_ctx_update() changes the count. No other file may
 * access ctx->count or assume where it is kept.
 *
 * No lost wakeup: an updater changes the count with a fully ordered atomic and
 * then checks for waiters (evfd_ctx_notify_readers(), evfd_ctx_notify_writers()).
 * A waiter queues itself, executes a full barrier and then checks the count
 * (evfd_ctx_wait_readable(), evfd_ctx_wait_writable(), evfd_file_poll_wait()).
 * The barriers are inside atomic64_try_cmpxchg(), prepare_to_wait_exclusive(),
 * prepare_to_wait_event() and poll_wait().
 *
 *	updater				waiter
 *	-------				------
 *	count = new			add to the queue
 *	full barrier			full barrier
 *	queue empty? -> done		count allows? -> do not sleep
 *	wake				sleep
 *
 * Whichever barrier comes first, the other side sees the store before it. So a
 * waiter never sleeps on a count that it could use, and the updater takes no lock
 * while nobody waits.
 *
 * A wakeup of a reader is exclusive, so a second rule is needed: a woken reader
 * that leaves without reading passes the wakeup on (evfd_ctx_pass_on()).
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

/* Fields queue, why and op of the events in trace.h, as numbers. */
enum evfd_queue {
	EVFD_POLLERS,
	EVFD_READERS,
	EVFD_WRITERS,
};

enum evfd_why {
	EVFD_READABLE,
	EVFD_WRITABLE,
	EVFD_PASS_ON,
	EVFD_RELEASE,
};

enum evfd_op {
	EVFD_READ,
	EVFD_WRITE,
};

/**
 * struct evfd_ctx - one counter
 * @count: the value, see counter.h. Lock-free. With EVFD_SHARED it is the overflow
 *	value for ever, and the count is in the page.
 * @flags: any of EVFD_SEMAPHORE and EVFD_SHARED. Immutable.
 * @id: a number that no other counter has or had, see list.c. Immutable.
 * @pollers: poll, epoll, io_uring and in-kernel waiters; their callbacks run
 *	under its lock. Blocked readers and writers are never on it: a poller with
 *	EPOLLEXCLUSIVE would swallow a reader's wakeup.
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

/*
 * In deferred_events: a read made room. This is not EPOLLOUT, which a signal's
 * mask may have.
 */
#define EVFD_DEFERRED_ROOM	BIT(30)

void evfd_ctx_setup(struct evfd_ctx *ctx, u64 initval, unsigned int flags);
struct evfd_ctx *evfd_ctx_alloc(u64 initval, unsigned int flags);
void evfd_ctx_get(struct evfd_ctx *ctx);
void evfd_ctx_release(struct evfd_ctx *ctx);

/* evfd_ctx_queued() counts no further, since it has interrupts off. */
#define EVFD_QUEUED_MAX	4096

unsigned int evfd_ctx_queued(struct wait_queue_head *queue);

int evfd_ctx_wait_readable(struct evfd_ctx *ctx);
int evfd_ctx_wait_writable(struct evfd_ctx *ctx, u64 n);
void evfd_ctx_pass_on(struct evfd_ctx *ctx);

void evfd_ctx_wake_readers(struct evfd_ctx *ctx, u64 n, __poll_t events);
void evfd_ctx_wake_writers(struct evfd_ctx *ctx);

bool evfd_wake_must_defer(void);
void evfd_ctx_defer_wakeup(struct evfd_ctx *ctx, int what);
void evfd_ctx_wake_n_readers(struct evfd_ctx *ctx, u64 n, enum evfd_why why);

/* What ctx.c leaves to shared.c if the counter has EVFD_SHARED. */
void evfd_shared_signal(struct evfd_ctx *ctx, __poll_t mask);
void evfd_shared_do_read(struct evfd_ctx *ctx, u64 *cnt);
void evfd_shared_remove_wait(struct evfd_ctx *ctx, wait_queue_entry_t *wait);
void evfd_shared_wake_deferred(struct evfd_ctx *ctx, bool room, __poll_t events);
void evfd_shared_free(struct evfd_ctx *ctx);

/*
 * trace.h cannot be included here: it needs the definitions below. The traced
 * path is out of line to keep the untraced path small.
 */
DECLARE_TRACEPOINT(evfd_read);
DECLARE_TRACEPOINT(evfd_write);
void evfd_ctx_trace_write(struct evfd_ctx *ctx, u64 n, u64 count);
void evfd_ctx_trace_read(struct evfd_ctx *ctx, u64 n, u64 count);

int evfd_ctx_init(void);
void evfd_ctx_exit(void);

static inline u64 evfd_ctx_count(const struct evfd_ctx *ctx)
{
	return atomic64_read(&ctx->count);
}

/*
 * The count, read with a full barrier. For a caller that then returns without an
 * update: eventfd's lock orders such a call, too, and programs rely on it
 * ("set idle, drain to EAGAIN, sleep").
 */
static inline u64 evfd_ctx_count_ordered(const struct evfd_ctx *ctx)
{
	/*
	 * Pairs with evfd_ctx_update(): if this read misses an update, the
	 * updater sees all that the caller stored before.
	 */
	smp_mb();
	return atomic64_read_acquire(&ctx->count);
}

static inline bool evfd_ctx_is_semaphore(const struct evfd_ctx *ctx)
{
	return ctx->flags & EVFD_SEMAPHORE;
}

static inline bool evfd_ctx_is_shared(const struct evfd_ctx *ctx)
{
	return ctx->flags & EVFD_SHARED;
}

/*
 * Replaces @old by @new and returns true. If the count is no longer @old, stores
 * the current value in @old and returns false. A success is a full barrier, also
 * where @new equals @old. With CONFIG_GENERIC_ATOMIC64 it is not, but there
 * atomic64_read() takes the same lock, so one side always sees the other.
 */
static inline bool evfd_ctx_update(struct evfd_ctx *ctx, u64 *old, u64 new)
{
	return atomic64_try_cmpxchg(&ctx->count, (s64 *)old, new);
}

/* Wakes those who wait for a count. Call it after an update that added @n. */
static inline void evfd_ctx_notify_readers(struct evfd_ctx *ctx, u64 n)
{
	/*
	 * The barrier is the update's. Pairs with the one between queueing and
	 * checking the count in evfd_ctx_wait_readable() and
	 * evfd_file_poll_wait().
	 */
	if (waitqueue_active(&ctx->pollers) || waitqueue_active(&ctx->readers))
		evfd_ctx_wake_readers(ctx, n, EPOLLIN);
}

/* Wakes those who wait for room. Call it after an update that took some. */
static inline void evfd_ctx_notify_writers(struct evfd_ctx *ctx)
{
	/*
	 * The barrier is the update's. Pairs with the one between queueing and
	 * checking the count in evfd_ctx_wait_writable() and
	 * evfd_file_poll_wait().
	 */
	if (waitqueue_active(&ctx->pollers) || waitqueue_active(&ctx->writers))
		evfd_ctx_wake_writers(ctx);
}

/*
 * Lets a reader that lost too often go first. Call it before an update that adds.
 * An update that slips past costs the reader one more copy. No task slips past
 * twice: its first update is a full barrier before its second check. Pairs with
 * the barrier in evfd_file_read_gated().
 */
static inline void evfd_ctx_pass_gate(struct evfd_ctx *ctx)
{
	/* Spin inline: with a call, every write would have to save registers. */
	while (unlikely(raw_spin_is_locked(&ctx->gate)))
		cpu_relax();
}

/* Adds @n and wakes. If there is no room, returns false and changes nothing. */
static inline bool evfd_ctx_try_write(struct evfd_ctx *ctx, u64 n)
{
	u64 count;

	evfd_ctx_pass_gate(ctx);
	count = evfd_ctx_count(ctx);
	do {
		if (!evfd_count_can_write(count, n))
			return false;
	} while (!evfd_ctx_update(ctx, &count, count + n));

	if (tracepoint_enabled(evfd_write))
		evfd_ctx_trace_write(ctx, n, count + n);
	else
		evfd_ctx_notify_readers(ctx, n);
	return true;
}

/*
 * Takes @n, the value that a read of @count returns. Does so only if a read would
 * still return the same. Then stores the rest in @count and returns true, and
 * evfd_ctx_end_read() has to follow. Otherwise returns false and changes nothing.
 */
static inline bool evfd_ctx_try_read(struct evfd_ctx *ctx, u64 *count, u64 n)
{
	while (!evfd_ctx_update(ctx, count, *count - n)) {
		if (evfd_count_read(*count, evfd_ctx_is_semaphore(ctx)) != n)
			return false;
	}

	*count -= n;
	return true;
}

/* Ends a read that took @n and left @count: traces it and wakes. */
static inline void evfd_ctx_end_read(struct evfd_ctx *ctx, u64 n, u64 count)
{
	if (tracepoint_enabled(evfd_read))
		evfd_ctx_trace_read(ctx, n, count);
	else
		evfd_ctx_notify_writers(ctx);
}

#endif /* _EVFD_CTX_H */
