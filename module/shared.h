/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct evfd_shared: a counter whose count is in a page that user space maps.
 *
 * Above ctx.h, below shared_file.c and debugfs.c. shared.c has the protocol;
 * uapi/linux/evfd.h has the page and the rules for user space.
 */
#ifndef _EVFD_SHARED_H
#define _EVFD_SHARED_H

#include <linux/atomic.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/poll.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <uapi/linux/evfd.h>

#include "compat.h"
#include "ctx.h"

/**
 * struct evfd_shared - a counter with EVFD_SHARED
 * @ctx: what all counters have. On its queue of pollers are only those that poll
 *	again before they rely on being told again: poll, select, and epoll without
 *	EPOLLEXCLUSIVE.
 * @page: the page, in the kernel's mapping. Immutable. Its contents may be
 *	changed by user space at any time, to anything.
 * @keen: all other pollers: io_uring, AIO, in-kernel waiters, EPOLLEXCLUSIVE. They
 *	must be told of every event.
 */
struct evfd_shared {
	struct evfd_ctx		ctx;
	struct evfd_page	*page;
	wait_queue_head_t	keen;
};

/*
 * How often a compare-and-exchange on the page is tried before the caller gives
 * up, or gives up the CPU: user space may change the count all the time.
 */
#define EVFD_SHARED_TRIES	64

/* An add of at most this many is a fetch-and-add, see EVFD_SHARED_MAX. */
#define EVFD_SHARED_ADD_MAX	U32_MAX

struct evfd_ctx *evfd_shared_alloc(u64 initval, unsigned int flags);
void evfd_shared_release(struct evfd_ctx *ctx);
bool evfd_shared_kick(struct evfd_ctx *ctx, u64 n);
void evfd_shared_notify_readers(struct evfd_shared *shared, u64 n,
				__poll_t events);
void evfd_shared_notify_writers(struct evfd_shared *shared);
void evfd_shared_pass_on(struct evfd_shared *shared);
int evfd_shared_wait_readable(struct evfd_ctx *ctx);
int evfd_shared_wait_writable(struct evfd_ctx *ctx, u64 n);

int evfd_shared_init(void);
void evfd_shared_exit(void);

/*
 * False if the page cannot be shared: user space sees it at another address than the
 * kernel, and its words have to be atomic for both.
 */
static inline bool evfd_shared_supported(void)
{
	return !IS_ENABLED(CONFIG_GENERIC_ATOMIC64) && !cpu_dcache_is_aliasing();
}

static inline struct evfd_shared *evfd_shared_of(const struct evfd_ctx *ctx)
{
	return container_of(ctx, struct evfd_shared, ctx);
}

static inline atomic64_t *evfd_shared_word(const struct evfd_shared *shared)
{
	return (atomic64_t *)&shared->page->count;
}

static inline u64 evfd_shared_count(const struct evfd_shared *shared)
{
	return atomic64_read(evfd_shared_word(shared));
}

/* As evfd_ctx_count_ordered(). */
static inline u64 evfd_shared_count_ordered(const struct evfd_shared *shared)
{
	/*
	 * Pairs with each update of the count, by the kernel or by user space: if
	 * this read misses an update, the updater sees all that the caller stored
	 * before.
	 */
	smp_mb();
	return atomic64_read_acquire(evfd_shared_word(shared));
}

static inline bool evfd_shared_update(struct evfd_shared *shared, u64 *old, u64 new)
{
	return atomic64_try_cmpxchg(evfd_shared_word(shared), (s64 *)old, new);
}

/* As evfd_count_can_write(), with EVFD_SHARED_MAX. */
static inline bool evfd_shared_has_room(u64 count, u64 n)
{
	return count <= EVFD_SHARED_MAX && n <= EVFD_SHARED_MAX - count;
}

/* As evfd_count_poll(), with EVFD_SHARED_MAX. */
static inline __poll_t evfd_shared_events(u64 count)
{
	__poll_t events = evfd_count_poll(count);

	if (!evfd_shared_has_room(count, 1))
		events &= ~EPOLLOUT;
	return events;
}

static inline atomic_t *evfd_shared_armed(const struct evfd_shared *shared)
{
	return (atomic_t *)&shared->page->armed;
}

/*
 * Makes user space kick. The caller is on a queue, or was and polls again, and
 * checks the count next.
 *
 * Fully ordered. Pairs with the full barrier in user space between an update of
 * the count and the check of the word (rule 4 of struct evfd_page), and with
 * evfd_shared_disarm(), which sees the caller on its queue or comes first.
 */
static inline void evfd_shared_arm(struct evfd_shared *shared, u32 bits)
{
	/*
	 * Not atomic_fetch_or(), which is a loop of compare-and-exchange on x86:
	 * user space could keep it going.
	 */
	smp_mb__before_atomic();
	atomic_or(bits, evfd_shared_armed(shared));
	/* Pairs as said above. */
	smp_mb__after_atomic();
}

/* The count of a counter of either kind, for reporting; a full barrier. */
static inline u64 evfd_any_count(const struct evfd_ctx *ctx)
{
	return evfd_ctx_is_shared(ctx) ?
	       evfd_shared_count_ordered(evfd_shared_of(ctx)) :
	       evfd_ctx_count_ordered(ctx);
}

/* The number of pollers of a counter of either kind, as evfd_ctx_queued(). */
static inline unsigned int evfd_any_pollers(struct evfd_ctx *ctx)
{
	unsigned int pollers = evfd_ctx_queued(&ctx->pollers);

	if (evfd_ctx_is_shared(ctx))
		pollers += evfd_ctx_queued(&evfd_shared_of(ctx)->keen);
	return min_t(unsigned int, pollers, EVFD_QUEUED_MAX);
}

#endif /* _EVFD_SHARED_H */
