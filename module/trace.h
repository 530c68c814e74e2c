/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracepoints evfd:*, which tell what happens to a counter as it happens.
 *
 * Beside ctx.h, and used by ctx.c and file.c; trace.c defines them. An event that
 * is off costs one no-op. docs/tracing.md shows how to use them with tracefs,
 * trace-cmd, perf and bpftrace.
 *
 * Promised are evfd_create, evfd_release, evfd_read, evfd_write and evfd_signal:
 * they tell of what every implementation does. Their names and fields, the types
 * and meaning of the fields do not change; fields may be added at the end. The
 * others (evfd_poll, evfd_block, evfd_wake, evfd_defer, evfd_fault, evfd_retry,
 * evfd_kick, evfd_disarm) tell of this implementation and may change with it.
 *
 * What user space does in the page of a counter with EVFD_SHARED has no event, but
 * for the kick that follows where somebody waits.
 *
 * Every event has
 *
 *	u64 id		the counter: the number that fdinfo shows as evfd-id, never
 *			reused while the module is loaded
 *
 * and most have
 *
 *	u64 count	the value that the traced step left in the counter, 0 to
 *			2^64 - 1; printed in decimal, as all numbers here
 *
 * An event comes after the step that it tells of and before the consequences: a
 * write's event before its wakeups. The count changes without a lock, so events
 * of two CPUs may be in another order than the two steps; count and n tell. An
 * event is recorded in the context that takes the step: a task or an interrupt.
 * No event has a hole between fields.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM evfd

#if !defined(_EVFD_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _EVFD_TRACE_H

#include <linux/tracepoint.h>

#include "ctx.h"
#include "shared.h"

/* So that tools can show the words for the numbers. */
TRACE_DEFINE_ENUM(EVFD_POLLERS);
TRACE_DEFINE_ENUM(EVFD_READERS);
TRACE_DEFINE_ENUM(EVFD_WRITERS);
TRACE_DEFINE_ENUM(EVFD_READABLE);
TRACE_DEFINE_ENUM(EVFD_WRITABLE);
TRACE_DEFINE_ENUM(EVFD_PASS_ON);
TRACE_DEFINE_ENUM(EVFD_RELEASE);
TRACE_DEFINE_ENUM(EVFD_READ);
TRACE_DEFINE_ENUM(EVFD_WRITE);

#define evfd_show_queue(queue)						\
	__print_symbolic(queue,						\
			 { EVFD_POLLERS, "pollers" },			\
			 { EVFD_READERS, "readers" },			\
			 { EVFD_WRITERS, "writers" })

#define evfd_show_why(why)						\
	__print_symbolic(why,						\
			 { EVFD_READABLE, "readable" },			\
			 { EVFD_WRITABLE, "writable" },			\
			 { EVFD_PASS_ON, "pass-on" },			\
			 { EVFD_RELEASE, "release" })

#define evfd_show_op(op)						\
	__print_symbolic(op,						\
			 { EVFD_READ, "read" },				\
			 { EVFD_WRITE, "write" })

/* EVFD_CLOEXEC and so on. Numbers, since tools parse the format. */
#define evfd_show_flags(flags)						\
	((flags) ? __print_flags(flags, "|",				\
				 { 0x1, "CLOEXEC" },			\
				 { 0x2, "NONBLOCK" },			\
				 { 0x4, "SEMAPHORE" },			\
				 { 0x8, "SHARED" }) : "0")

/* EPOLLIN and so on, likewise. */
#define evfd_show_events(events)					\
	((events) ? __print_flags(events, "|",				\
				  { 0x1, "IN" },			\
				  { 0x2, "PRI" },			\
				  { 0x4, "OUT" },			\
				  { 0x8, "ERR" },			\
				  { 0x10, "HUP" },			\
				  { 0x40, "RDNORM" },			\
				  { 0x80, "RDBAND" },			\
				  { 0x100, "WRNORM" },			\
				  { 0x200, "WRBAND" },			\
				  { 0x400, "MSG" },			\
				  { 0x2000, "RDHUP" }) : "0")

/**
 * evfd_create - a counter and its open file were made
 * @ctx: the counter
 * @flags: as passed to the ioctl
 *
 * Fields: id; u64 count, the initial value; u64 flags, EVFD_CLOEXEC (1),
 * EVFD_NONBLOCK (2), EVFD_SEMAPHORE (4) and EVFD_SHARED (8) as the creator asked
 * for them.
 * The descriptor follows: no other event of this id comes before.
 */
TRACE_EVENT(evfd_create,

	TP_PROTO(const struct evfd_ctx *ctx, u64 flags),

	TP_ARGS(ctx, flags),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, count)
		__field(u64, flags)
	),

	TP_fast_assign(
		__entry->id = ctx->id;
		__entry->count = evfd_any_count(ctx);
		__entry->flags = flags;
	),

	TP_printk("id=%llu count=%llu flags=%s", __entry->id, __entry->count,
		  evfd_show_flags(__entry->flags))
);

/**
 * evfd_release - the last descriptor of a counter is gone
 * @ctx: the counter
 *
 * Fields: id; u64 count, the value that was left. In-kernel users may still hold
 * the counter, so their signals and reads may follow.
 */
TRACE_EVENT(evfd_release,

	TP_PROTO(const struct evfd_ctx *ctx),

	TP_ARGS(ctx),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, count)
	),

	TP_fast_assign(
		__entry->id = ctx->id;
		__entry->count = evfd_any_count(ctx);
	),

	TP_printk("id=%llu count=%llu", __entry->id, __entry->count)
);

DECLARE_EVENT_CLASS(evfd_move,

	TP_PROTO(const struct evfd_ctx *ctx, u64 n, u64 count),

	TP_ARGS(ctx, n, count),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, n)
		__field(u64, count)
	),

	TP_fast_assign(
		__entry->id = ctx->id;
		__entry->n = n;
		__entry->count = count;
	),

	TP_printk("id=%llu n=%llu count=%llu", __entry->id, __entry->n,
		  __entry->count)
);

/**
 * evfd_write - a write added to a counter
 * @ctx: the counter
 * @n: the amount
 * @count: the sum
 *
 * Fields: id; u64 n, the amount, which may be 0; u64 count, the sum. One
 * event for each 8 bytes written, by whatever call: a writev of two segments is
 * two. Writes that fail have none.
 */
DEFINE_EVENT(evfd_move, evfd_write,

	TP_PROTO(const struct evfd_ctx *ctx, u64 n, u64 count),

	TP_ARGS(ctx, n, count)
);

/**
 * evfd_read - a read took from a counter
 * @ctx: the counter
 * @n: the value read
 * @count: the rest
 *
 * Fields: id; u64 n, the value read, at least 1 and in semaphore mode just that;
 * u64 count, the rest. Also for evfd_ctx_do_read() and
 * evfd_ctx_remove_wait_queue() of another module. Reads that fail have none.
 */
DEFINE_EVENT(evfd_move, evfd_read,

	TP_PROTO(const struct evfd_ctx *ctx, u64 n, u64 count),

	TP_ARGS(ctx, n, count)
);

/**
 * evfd_signal - another module added 1
 * @ctx: the counter
 * @mask: further events for pollers
 * @count: the sum
 *
 * Fields: id; u64 count, the sum, or 2^64 - 1 where it saturates; u32 mask, of
 * EPOLL* bits, mostly 0. May be in an interrupt.
 */
TRACE_EVENT(evfd_signal,

	TP_PROTO(const struct evfd_ctx *ctx, __poll_t mask, u64 count),

	TP_ARGS(ctx, mask, count),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, count)
		__field(u32, mask)
	),

	TP_fast_assign(
		__entry->id = ctx->id;
		__entry->mask = (__force u32)mask;
		__entry->count = count;
	),

	TP_printk("id=%llu mask=%s count=%llu", __entry->id,
		  evfd_show_events(__entry->mask), __entry->count)
);

/**
 * evfd_poll - poll, select, epoll or io_uring asked for a counter's events
 * @ctx: the counter
 * @events: the answer
 * @waits: the caller was put on the pollers' queue first
 *
 * Fields: id; u32 events, of EPOLLIN (1), EPOLLOUT (4) and EPOLLERR (8), all that
 * hold, whatever the caller asked for; u8 waits, 1 if this call queued the
 * caller, 0 if not. epoll queues when the counter is added to it and asks each
 * time before it reports.
 */
TRACE_EVENT(evfd_poll,

	TP_PROTO(const struct evfd_ctx *ctx, __poll_t events, bool waits),

	TP_ARGS(ctx, events, waits),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, events)
		__field(u8, waits)
	),

	TP_fast_assign(
		__entry->id = ctx->id;
		__entry->events = (__force u32)events;
		__entry->waits = waits;
	),

	TP_printk("id=%llu events=%s waits=%u", __entry->id,
		  evfd_show_events(__entry->events), __entry->waits)
);

/**
 * evfd_block - a task is on a queue and about to sleep
 * @ctx: the counter
 * @queue: which queue
 * @n: what it waits for
 *
 * Fields: id; u64 n, what a writer wants to add, for a reader 1, the least that
 * it needs; u32 queue, 1 readers or 2 writers. One event each time that the
 * task goes to sleep: a second one without a read or write between means that
 * it was woken and somebody else was faster, or was woken for nothing. A wake
 * that comes at this very moment keeps it awake.
 */
TRACE_EVENT(evfd_block,

	TP_PROTO(const struct evfd_ctx *ctx, enum evfd_queue queue, u64 n),

	TP_ARGS(ctx, queue, n),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, n)
		__field(u32, queue)
	),

	TP_fast_assign(
		__entry->id = ctx->id;
		__entry->queue = queue;
		__entry->n = n;
	),

	TP_printk("id=%llu queue=%s n=%llu", __entry->id,
		  evfd_show_queue(__entry->queue), __entry->n)
);

/**
 * evfd_wake - a queue with a waiter on it is about to be woken
 * @ctx: the counter
 * @queue: the queue
 * @nr: the most exclusive waiters that are woken
 * @why: the reason
 *
 * Fields: id; u32 queue, 0 pollers, 1 readers or 2 writers; u32 nr, the most
 * exclusive waiters that are woken, 0 for no limit (waiters that are not
 * exclusive are all woken); u32 why, 0 the counter became readable, 1 it became
 * writable, 2 a woken reader passes its wakeup on, 3 release. All readers are
 * exclusive, no writers are, and pollers are if they asked for it. Comes before
 * sched_waking of the woken tasks. If a worker wakes, see evfd_defer, the task is
 * a kworker.
 */
TRACE_EVENT(evfd_wake,

	TP_PROTO(const struct evfd_ctx *ctx, enum evfd_queue queue, u32 nr,
		 enum evfd_why why),

	TP_ARGS(ctx, queue, nr, why),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, queue)
		__field(u32, nr)
		__field(u32, why)
	),

	TP_fast_assign(
		__entry->id = ctx->id;
		__entry->queue = queue;
		__entry->nr = nr;
		__entry->why = why;
	),

	TP_printk("id=%llu queue=%s nr=%u why=%s", __entry->id,
		  evfd_show_queue(__entry->queue), __entry->nr,
		  evfd_show_why(__entry->why))
);

/**
 * evfd_defer - a wake is left to the worker
 * @ctx: the counter
 * @events: what is to be announced
 *
 * Fields: id; u32 events, EPOLLIN (1) and the mask of a signal, or EPOLLOUT (4).
 * The caller must not walk the queues: it is a wait queue's callback, or not
 * preemptible on PREEMPT_RT. The count has changed already.
 */
TRACE_EVENT(evfd_defer,

	TP_PROTO(const struct evfd_ctx *ctx, __poll_t events),

	TP_ARGS(ctx, events),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, events)
	),

	TP_fast_assign(
		__entry->id = ctx->id;
		__entry->events = (__force u32)events;
	),

	TP_printk("id=%llu events=%s", __entry->id,
		  evfd_show_events(__entry->events))
);

/**
 * evfd_fault - 8 bytes could not be copied from or to the caller's memory
 * @ctx: the counter
 * @op: who tried
 *
 * Fields: id; u32 op, 0 read or 1 write. The count is unchanged. A reader that
 * has slept, or has lost too often, first copies with page faults disabled and
 * then with them enabled. Its first evfd_fault therefore need not mean EFAULT;
 * any other does.
 */
TRACE_EVENT(evfd_fault,

	TP_PROTO(const struct evfd_ctx *ctx, enum evfd_op op),

	TP_ARGS(ctx, op),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, op)
	),

	TP_fast_assign(
		__entry->id = ctx->id;
		__entry->op = op;
	),

	TP_printk("id=%llu op=%s", __entry->id, evfd_show_op(__entry->op))
);

/**
 * evfd_retry - a reader copied a value that had changed before it could be taken
 * @ctx: the counter
 * @n: the value
 *
 * Fields: id; u64 n, the copied value. Another reader was faster, or a writer
 * added. The reader checks again, and sleeps if nothing is left.
 */
TRACE_EVENT(evfd_retry,

	TP_PROTO(const struct evfd_ctx *ctx, u64 n),

	TP_ARGS(ctx, n),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, n)
	),

	TP_fast_assign(
		__entry->id = ctx->id;
		__entry->n = n;
	),

	TP_printk("id=%llu n=%llu", __entry->id, __entry->n)
);

/* EVFD_ARMED_ADD and so on. */
#define evfd_show_armed(armed)						\
	((armed) ? __print_flags(armed, "|",				\
				 { 0x1, "ADD" },			\
				 { 0x2, "TAKE" }) : "0")

/**
 * evfd_kick - user space updated a page and asks to wake those who wait
 * @ctx: the counter
 * @n: the amount that the caller names
 * @count: the count
 * @armed: the bits that were set
 *
 * Fields: id; u64 n, what EVFD_IOC_KICK was given, 0 for a write of 0 or the end of a
 * mapping; u64 count; u32 armed, of EVFD_ARMED_ADD (1) and EVFD_ARMED_TAKE (2). All
 * of them user space can set to anything.
 */
TRACE_EVENT(evfd_kick,

	TP_PROTO(const struct evfd_ctx *ctx, u64 n, u64 count, u32 armed),

	TP_ARGS(ctx, n, count, armed),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u64, n)
		__field(u64, count)
		__field(u32, armed)
	),

	TP_fast_assign(
		__entry->id = ctx->id;
		__entry->n = n;
		__entry->count = count;
		__entry->armed = armed;
	),

	TP_printk("id=%llu n=%llu count=%llu armed=%s", __entry->id, __entry->n,
		  __entry->count, evfd_show_armed(__entry->armed))
);

/**
 * evfd_disarm - user space need not kick, as all that wait have been told
 * @ctx: the counter
 * @bit: the bit that was cleared
 *
 * Fields: id; u32 bit, EVFD_ARMED_ADD (1) or EVFD_ARMED_TAKE (2). Comes before the
 * check whether a waiter joined meanwhile, for which the bit is set again.
 */
TRACE_EVENT(evfd_disarm,

	TP_PROTO(const struct evfd_ctx *ctx, u32 bit),

	TP_ARGS(ctx, bit),

	TP_STRUCT__entry(
		__field(u64, id)
		__field(u32, bit)
	),

	TP_fast_assign(
		__entry->id = ctx->id;
		__entry->bit = bit;
	),

	TP_printk("id=%llu bit=%s", __entry->id, evfd_show_armed(__entry->bit))
);

#endif /* _EVFD_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
