// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite evfd_trace: the tracepoints that a program cannot cause, and the
 * order of what happens within one call.
 *
 * Uses helpers_kunit.h and trace.h. Probes log the events of one counter, and a
 * test compares the log with what trace.h promises. selftests/trace_test.c has
 * the events of read, write and poll, as tracefs shows them.
 */
#include <linux/module.h>

#include "compat.h"
#include "helpers_kunit.h"
#include "trace.h"

/**
 * struct evfd_test_log - the events that the probes got
 * @lock: a probe may be in an interrupt.
 * @ctx: the counter to log.
 * @blocks: the number of evfd_block events.
 * @len: of @text.
 * @text: a line for each event.
 */
struct evfd_test_log {
	spinlock_t lock; /* of the rest */
	const struct evfd_ctx *ctx;
	int blocks;
	size_t len;
	char text[1024];
};

static __printf(3, 4) void evfd_test_note(struct evfd_test_log *log,
					  const struct evfd_ctx *ctx,
					  const char *format, ...)
{
	unsigned long flags;
	va_list args;

	if (ctx != log->ctx)
		return;
	va_start(args, format);
	spin_lock_irqsave(&log->lock, flags);
	log->len += vscnprintf(log->text + log->len,
			       sizeof(log->text) - log->len, format, args);
	spin_unlock_irqrestore(&log->lock, flags);
	va_end(args);
}

static void evfd_test_on_release(void *log, const struct evfd_ctx *ctx)
{
	evfd_test_note(log, ctx, "release count=%llu\n", evfd_ctx_count(ctx));
}

static void evfd_test_on_write(void *log, const struct evfd_ctx *ctx, u64 n,
			       u64 count)
{
	evfd_test_note(log, ctx, "write n=%llu count=%llu\n", n, count);
}

static void evfd_test_on_read(void *log, const struct evfd_ctx *ctx, u64 n,
			      u64 count)
{
	evfd_test_note(log, ctx, "read n=%llu count=%llu\n", n, count);
}

static void evfd_test_on_signal(void *log, const struct evfd_ctx *ctx,
				__poll_t mask, u64 count)
{
	evfd_test_note(log, ctx, "signal mask=%x count=%llu\n",
		       (__force u32)mask, count);
}

static void evfd_test_on_block(void *data, const struct evfd_ctx *ctx,
			       enum evfd_queue queue, u64 n)
{
	struct evfd_test_log *log = data;

	evfd_test_note(log, ctx, "block queue=%d n=%llu\n", queue, n);
	/* Tasks block one after the other, so this needs no lock. */
	if (ctx == log->ctx)
		WRITE_ONCE(log->blocks, log->blocks + 1);
}

static void evfd_test_on_wake(void *log, const struct evfd_ctx *ctx,
			      enum evfd_queue queue, u32 nr, enum evfd_why why)
{
	evfd_test_note(log, ctx, "wake queue=%d nr=%u why=%d\n", queue, nr, why);
}

static void evfd_test_on_defer(void *log, const struct evfd_ctx *ctx,
			       __poll_t events)
{
	evfd_test_note(log, ctx, "defer events=%x\n", (__force u32)events);
}

/* A probe that was not registered is an error here, without an effect. */
static void evfd_test_unlog(void *log)
{
	unregister_trace_evfd_release(evfd_test_on_release, log);
	unregister_trace_evfd_write(evfd_test_on_write, log);
	unregister_trace_evfd_read(evfd_test_on_read, log);
	unregister_trace_evfd_signal(evfd_test_on_signal, log);
	unregister_trace_evfd_block(evfd_test_on_block, log);
	unregister_trace_evfd_wake(evfd_test_on_wake, log);
	unregister_trace_evfd_defer(evfd_test_on_defer, log);
	tracepoint_synchronize_unregister();
}

/* Logs the events of @ctx until the test ends. */
static struct evfd_test_log *evfd_test_log(struct kunit *test,
					   const struct evfd_ctx *ctx)
{
	struct evfd_test_log *log;
	int ret;

	if (!IS_ENABLED(CONFIG_TRACEPOINTS))
		kunit_skip(test, "the kernel has no tracepoints");

	log = evfd_kunit_zalloc(test, sizeof(*log));
	spin_lock_init(&log->lock);
	log->ctx = ctx;
	ret = register_trace_evfd_release(evfd_test_on_release, log) ?:
	      register_trace_evfd_write(evfd_test_on_write, log) ?:
	      register_trace_evfd_read(evfd_test_on_read, log) ?:
	      register_trace_evfd_signal(evfd_test_on_signal, log) ?:
	      register_trace_evfd_block(evfd_test_on_block, log) ?:
	      register_trace_evfd_wake(evfd_test_on_wake, log) ?:
	      register_trace_evfd_defer(evfd_test_on_defer, log);
	KUNIT_ASSERT_EQ(test, ret, 0);
	evfd_kunit_defer(test, evfd_test_unlog, log);
	return log;
}

static int evfd_test_thread_wait_readable(struct evfd_kunit_task *task)
{
	return evfd_ctx_wait_readable(task->ctx);
}

static int evfd_test_thread_wait_writable(struct evfd_kunit_task *task)
{
	return evfd_ctx_wait_writable(task->ctx, task->n);
}

/* Waits for @n evfd_block events. */
static bool evfd_test_blocked(struct evfd_test_log *log, int n)
{
	return evfd_kunit_until(READ_ONCE(log->blocks) == n);
}

static void evfd_trace_nobody_waits(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, EVFD_SEMAPHORE);
	struct evfd_test_log *log = evfd_test_log(test, ctx);
	u64 n;

	KUNIT_EXPECT_FALSE(test, evfd_ctx_try_write(ctx, U64_MAX));
	evfd_ctx_do_read(ctx, &n);
	KUNIT_EXPECT_STREQ(test, log->text, "");

	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, 3));
	KUNIT_EXPECT_FALSE(test, evfd_kunit_read(ctx, 0, 0));
	KUNIT_EXPECT_TRUE(test, evfd_kunit_read(ctx, 3, 1));
	evfd_ctx_do_read(ctx, &n);
	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, 0));
	evfd_ctx_pass_on(ctx);
	KUNIT_EXPECT_STREQ(test, log->text,
			   "write n=3 count=3\n"
			   "read n=1 count=2\n"
			   "read n=1 count=1\n"
			   "write n=0 count=1\n");
}

static void evfd_trace_signals_saturate(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, EVFD_COUNT_MAX - 1, 0);
	struct evfd_test_log *log = evfd_test_log(test, ctx);

	evfd_signal(ctx);
	evfd_signal_mask(ctx, EPOLLPRI | EPOLLERR);
	evfd_signal(ctx);
	KUNIT_EXPECT_STREQ(test, log->text,
			   "signal mask=0 count=18446744073709551614\n"
			   "signal mask=a count=18446744073709551615\n"
			   "signal mask=0 count=18446744073709551615\n");
}

static void evfd_trace_an_add_wakes(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, EVFD_SEMAPHORE);
	struct evfd_test_log *log = evfd_test_log(test, ctx);
	struct evfd_kunit_task *task;

	task = evfd_kunit_start(test, evfd_test_thread_wait_readable, ctx,
				NULL, 0);
	KUNIT_ASSERT_TRUE(test, evfd_test_blocked(log, 1));
	evfd_kunit_watch(test, ctx);
	/* A write of 0 is for pollers; readers cannot use it. */
	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, 0));
	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, 7));
	KUNIT_EXPECT_TRUE(test, evfd_kunit_finished(task));
	KUNIT_EXPECT_STREQ(test, log->text,
			   "block queue=1 n=1\n"
			   "write n=0 count=0\n"
			   "wake queue=0 nr=1 why=0\n"
			   "write n=7 count=7\n"
			   "wake queue=0 nr=1 why=0\n"
			   "wake queue=1 nr=7 why=0\n");
}

static void evfd_trace_a_signal_wakes(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_test_log *log = evfd_test_log(test, ctx);
	struct evfd_kunit_task *task;

	/* Without any poller. */
	task = evfd_kunit_start(test, evfd_test_thread_wait_readable, ctx,
				NULL, 0);
	KUNIT_ASSERT_TRUE(test, evfd_test_blocked(log, 1));
	evfd_signal(ctx);
	KUNIT_EXPECT_TRUE(test, evfd_kunit_finished(task));
	KUNIT_EXPECT_STREQ(test, log->text,
			   "block queue=1 n=1\n"
			   "signal mask=0 count=1\n"
			   "wake queue=1 nr=1 why=0\n");
}

static void evfd_trace_a_wake_is_passed_on(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_test_log *log = evfd_test_log(test, ctx);
	struct evfd_kunit_task *task[2];
	int i;

	for (i = 0; i < ARRAY_SIZE(task); i++) {
		task[i] = evfd_kunit_start(test, evfd_test_thread_wait_readable,
					   ctx, NULL, 0);
		KUNIT_ASSERT_TRUE(test, evfd_test_blocked(log, i + 1));
	}
	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, 4));
	KUNIT_EXPECT_TRUE(test, evfd_kunit_finished(task[0]));
	evfd_ctx_pass_on(ctx);
	KUNIT_EXPECT_TRUE(test, evfd_kunit_finished(task[1]));
	KUNIT_EXPECT_STREQ(test, log->text,
			   "block queue=1 n=1\n"
			   "block queue=1 n=1\n"
			   "write n=4 count=4\n"
			   "wake queue=1 nr=1 why=0\n"
			   "wake queue=1 nr=1 why=2\n");
}

static void evfd_trace_a_take_wakes(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, EVFD_COUNT_MAX, 0);
	struct evfd_test_log *log = evfd_test_log(test, ctx);
	struct evfd_kunit_task *task;
	u64 n;

	evfd_kunit_watch(test, ctx);
	task = evfd_kunit_start(test, evfd_test_thread_wait_writable, ctx,
				NULL, 5);
	KUNIT_ASSERT_TRUE(test, evfd_test_blocked(log, 1));
	evfd_ctx_do_read(ctx, &n);
	KUNIT_EXPECT_TRUE(test, evfd_kunit_finished(task));
	KUNIT_EXPECT_STREQ(test, log->text,
			   "block queue=2 n=5\n"
			   "read n=18446744073709551614 count=0\n"
			   "wake queue=0 nr=1 why=1\n"
			   "wake queue=2 nr=0 why=1\n");
}

/* Each read by a consumer in the kernel tells pollers of room. */
static void evfd_trace_room_is_told_of(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, EVFD_COUNT_MAX,
					      EVFD_SEMAPHORE);
	struct evfd_test_log *log = evfd_test_log(test, ctx);
	u64 n;

	evfd_kunit_watch(test, ctx);
	evfd_ctx_do_read(ctx, &n);
	current->in_eventfd = 1;
	evfd_ctx_do_read(ctx, &n);
	current->in_eventfd = 0;
	KUNIT_EXPECT_TRUE(test, evfd_kunit_until(kref_read(&ctx->kref) == 1));
	KUNIT_EXPECT_STREQ(test, log->text,
			   "read n=1 count=18446744073709551613\n"
			   "wake queue=0 nr=1 why=1\n"
			   "read n=1 count=18446744073709551612\n"
			   "defer events=4\n"
			   "wake queue=0 nr=1 why=1\n");
}

static void evfd_test_signal_once(struct evfd_kunit_poller *poller)
{
	if (poller->budget-- > 0)
		evfd_signal_mask(poller->ctx, EPOLLPRI);
}

static void evfd_trace_a_callback_defers(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_test_log *log = evfd_test_log(test, ctx);
	struct evfd_kunit_poller *poller =
		evfd_kunit_poll(test, ctx, evfd_test_signal_once, ctx, 1);

	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, 1));
	EVFD_KUNIT_UNTIL(test, evfd_kunit_calls(poller) == 2);
	KUNIT_EXPECT_STREQ(test, log->text,
			   "write n=1 count=1\n"
			   "wake queue=0 nr=1 why=0\n"
			   "signal mask=2 count=2\n"
			   "defer events=3\n"
			   "wake queue=0 nr=1 why=0\n");
}

static void evfd_trace_a_release_wakes(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 9, 0);
	struct evfd_test_log *log = evfd_test_log(test, ctx);

	evfd_kunit_watch(test, ctx);
	evfd_ctx_get(ctx);
	evfd_ctx_release(ctx);
	KUNIT_EXPECT_STREQ(test, log->text,
			   "release count=9\n"
			   "wake queue=0 nr=1 why=3\n");
}

static struct kunit_case evfd_trace_cases[] = {
	KUNIT_CASE(evfd_trace_nobody_waits),
	KUNIT_CASE(evfd_trace_signals_saturate),
	KUNIT_CASE(evfd_trace_an_add_wakes),
	KUNIT_CASE(evfd_trace_a_signal_wakes),
	KUNIT_CASE(evfd_trace_a_wake_is_passed_on),
	KUNIT_CASE(evfd_trace_a_take_wakes),
	KUNIT_CASE(evfd_trace_room_is_told_of),
	KUNIT_CASE(evfd_trace_a_callback_defers),
	KUNIT_CASE(evfd_trace_a_release_wakes),
	{}
};

static struct kunit_suite evfd_trace_suite = {
	.name = "evfd_trace",
	.test_cases = evfd_trace_cases,
};

kunit_test_suite(evfd_trace_suite);
