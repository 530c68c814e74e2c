// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite evfd_ctx: the counter as an object, and the in-kernel API.
 *
 * Uses helpers_kunit.h, ctx.h and evfd.h, and no file. Blocked readers and writers
 * are threads, pollers are entries that the test adds to the queue. To tell how
 * many were woken, a test counts the entries left on the queue: a wakeup removes
 * its target in the caller's context, so no test depends on time. Read
 * file_kunit.c next, which has read, write and poll.
 */
#include <linux/eventfd.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "helpers_kunit.h"

/* ---- the object ---- */

static void evfd_ctx_alloc_is_as_asked(struct kunit *test)
{
	static const u64 values[] = { 0, 1, U32_MAX, 1ULL << 32,
				      EVFD_COUNT_MAX };
	int i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		unsigned int flags = i & 1 ? EVFD_SEMAPHORE : 0;
		struct evfd_ctx *ctx = evfd_kunit_ctx(test, values[i], flags);

		KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), values[i]);
		KUNIT_EXPECT_EQ(test, evfd_ctx_is_semaphore(ctx), !!flags);
		KUNIT_EXPECT_EQ(test, kref_read(&ctx->kref), 1);
		KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&ctx->pollers), 0);
		KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&ctx->readers), 0);
		KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&ctx->writers), 0);
	}
}

static void evfd_ctx_references_are_counted(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);

	evfd_ctx_get(ctx);
	evfd_ctx_get(ctx);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->kref), 3);
	evfd_ctx_put(ctx);
	evfd_ctx_put(ctx);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->kref), 1);
}

static void evfd_ctx_queued_counts_to_its_limit(struct kunit *test)
{
	static const int numbers[] = { 0, 1, 2, 1000, EVFD_QUEUED_MAX - 1,
				       EVFD_QUEUED_MAX, EVFD_QUEUED_MAX + 1 };
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct wait_queue_entry *waits;
	int i, n = 0;

	waits = vcalloc(EVFD_QUEUED_MAX + 1, sizeof(*waits));
	KUNIT_ASSERT_NOT_NULL(test, waits);
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		for (; n < numbers[i]; n++) {
			init_waitqueue_entry(&waits[n], current);
			add_wait_queue(&ctx->pollers, &waits[n]);
		}
		KUNIT_EXPECT_EQ(test, evfd_ctx_queued(&ctx->pollers),
				min(n, EVFD_QUEUED_MAX));
	}
	KUNIT_EXPECT_EQ(test, evfd_ctx_queued(&ctx->readers), 0);
	while (n--)
		remove_wait_queue(&ctx->pollers, &waits[n]);
	KUNIT_EXPECT_EQ(test, evfd_ctx_queued(&ctx->pollers), 0);
	vfree(waits);
}

/* The file's reference may be dropped first; the counter still works. */
static void evfd_ctx_outlives_its_file(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 5, 0);
	struct evfd_kunit_poller *poller = evfd_kunit_watch(test, ctx);
	u64 n;

	evfd_ctx_get(ctx);
	evfd_ctx_release(ctx);

	EVFD_KUNIT_TOLD(test, poller, 1, EPOLLHUP);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->kref), 1);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 5);

	evfd_signal(ctx);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller), 2);
	poller->queue = NULL;
	KUNIT_EXPECT_EQ(test,
			evfd_ctx_remove_wait_queue(ctx, &poller->wait, &n), 0);
	KUNIT_EXPECT_EQ(test, n, 6);
}

static void evfd_ctx_release_wakes_all_pollers(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_kunit_poller *poller[3];
	int i;

	for (i = 0; i < ARRAY_SIZE(poller); i++)
		poller[i] = evfd_kunit_watch(test, ctx);
	evfd_ctx_get(ctx);
	evfd_ctx_release(ctx);
	for (i = 0; i < ARRAY_SIZE(poller); i++)
		EVFD_KUNIT_TOLD(test, poller[i], 1, EPOLLHUP);
}

/* ---- changing the count ---- */

static void evfd_ctx_try_write_at_edges(struct kunit *test)
{
	static const struct {
		u64 count, n, after;
	} fits[] = {
		{ 0, 0, 0 },
		{ 0, 1, 1 },
		{ 0, EVFD_COUNT_MAX, EVFD_COUNT_MAX },
		{ U32_MAX, 1, 1ULL << 32 },
		{ S64_MAX, 1, 1ULL << 63 },
		{ S64_MAX, S64_MAX, EVFD_COUNT_MAX },
		{ EVFD_COUNT_MAX - 1, 1, EVFD_COUNT_MAX },
		{ EVFD_COUNT_MAX, 0, EVFD_COUNT_MAX },
	}, refused[] = {
		{ 0, U64_MAX },
		{ 1, EVFD_COUNT_MAX },
		{ 1ULL << 63, 1ULL << 63 },
		{ EVFD_COUNT_MAX - 1, 2 },
		{ EVFD_COUNT_MAX, 1 },
		{ EVFD_COUNT_MAX, U64_MAX },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(fits); i++) {
		struct evfd_ctx *ctx = evfd_kunit_ctx(test, fits[i].count, 0);

		KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, fits[i].n));
		KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), fits[i].after);
	}
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		struct evfd_ctx *ctx = evfd_kunit_ctx(test, refused[i].count, 0);

		KUNIT_EXPECT_FALSE(test, evfd_ctx_try_write(ctx, refused[i].n));
		KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), refused[i].count);
	}
}

static void evfd_ctx_try_read_needs_the_count_it_saw(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 7, 0);

	KUNIT_EXPECT_FALSE(test, evfd_kunit_read(ctx, 6, 6));
	KUNIT_EXPECT_FALSE(test, evfd_kunit_read(ctx, 8, 8));
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 7);
	KUNIT_EXPECT_TRUE(test, evfd_kunit_read(ctx, 7, 1));
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 6);

	/* A value is stale even if its lower half is right. */
	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, 1ULL << 32));
	KUNIT_EXPECT_FALSE(test, evfd_kunit_read(ctx, 6, 6));
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), (1ULL << 32) + 6);
}

/* A read of a semaphore takes 1 of any count. */
static void evfd_ctx_try_read_of_one_needs_one(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 7, EVFD_SEMAPHORE);

	KUNIT_EXPECT_TRUE(test, evfd_kunit_read(ctx, 5, 1));
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 6);
	KUNIT_EXPECT_TRUE(test, evfd_kunit_read(ctx, 8, 1));
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 5);
}

static void evfd_ctx_try_read_takes_all_of_the_most(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, EVFD_COUNT_MAX, 0);

	KUNIT_EXPECT_TRUE(test,
			  evfd_kunit_read(ctx, EVFD_COUNT_MAX, EVFD_COUNT_MAX));
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 0);
}

static void evfd_ctx_update_says_what_it_found(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 7, 0);
	u64 count = 6;

	KUNIT_EXPECT_FALSE(test, evfd_ctx_update(ctx, &count, 1));
	KUNIT_EXPECT_EQ(test, count, 7);
	KUNIT_EXPECT_TRUE(test, evfd_ctx_update(ctx, &count, 7));
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 7);
}

static void evfd_signal_saturates(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, EVFD_COUNT_MAX - 1, 0);
	struct evfd_kunit_poller *poller = evfd_kunit_watch(test, ctx);
	u64 n;

	evfd_signal(ctx);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), EVFD_COUNT_MAX);
	EVFD_KUNIT_EXPECT_POLL(test, evfd_count_poll(evfd_ctx_count(ctx)),
			       EPOLLIN);
	evfd_signal(ctx);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), U64_MAX);
	EVFD_KUNIT_EXPECT_POLL(test, evfd_count_poll(evfd_ctx_count(ctx)),
			       EPOLLIN | EPOLLERR);
	evfd_signal(ctx);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), U64_MAX);
	/* Pollers are told of each signal, also of one that changed nothing. */
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller), 3);

	KUNIT_EXPECT_FALSE(test, evfd_ctx_try_write(ctx, 0));
	KUNIT_EXPECT_FALSE(test, evfd_ctx_try_write(ctx, 1));

	evfd_ctx_do_read(ctx, &n);
	KUNIT_EXPECT_EQ(test, n, U64_MAX);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 0);
}

static void evfd_signal_saturates_a_semaphore(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, EVFD_COUNT_MAX,
					      EVFD_SEMAPHORE);
	u64 n;

	evfd_signal(ctx);
	evfd_signal(ctx);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), U64_MAX);
	evfd_ctx_do_read(ctx, &n);
	KUNIT_EXPECT_EQ(test, n, 1);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), EVFD_COUNT_MAX);
	EVFD_KUNIT_EXPECT_POLL(test, evfd_count_poll(evfd_ctx_count(ctx)),
			       EPOLLIN);
}

static void evfd_ctx_do_read_takes_what_read_would(struct kunit *test)
{
	struct evfd_ctx *plain = evfd_kunit_ctx(test, 3, 0);
	struct evfd_ctx *semaphore = evfd_kunit_ctx(test, 2, EVFD_SEMAPHORE);
	u64 n = 99;

	evfd_ctx_do_read(plain, &n);
	KUNIT_EXPECT_EQ(test, n, 3);
	evfd_ctx_do_read(plain, &n);
	KUNIT_EXPECT_EQ(test, n, 0);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(plain), 0);

	evfd_ctx_do_read(semaphore, &n);
	KUNIT_EXPECT_EQ(test, n, 1);
	evfd_ctx_do_read(semaphore, &n);
	KUNIT_EXPECT_EQ(test, n, 1);
	evfd_ctx_do_read(semaphore, &n);
	KUNIT_EXPECT_EQ(test, n, 0);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(semaphore), 0);
}

/* ---- pollers ---- */

static void evfd_ctx_pollers_hear_what_happened(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_kunit_poller *poller[2];
	int i;

	for (i = 0; i < ARRAY_SIZE(poller); i++)
		poller[i] = evfd_kunit_watch(test, ctx);

	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, 4));
	for (i = 0; i < ARRAY_SIZE(poller); i++)
		EVFD_KUNIT_TOLD(test, poller[i], 1, EPOLLIN);

	KUNIT_EXPECT_TRUE(test, evfd_kunit_read(ctx, 4, 4));
	for (i = 0; i < ARRAY_SIZE(poller); i++)
		EVFD_KUNIT_TOLD(test, poller[i], 2, EPOLLOUT);

	/* A refused write and a stale read have no effect. */
	KUNIT_EXPECT_FALSE(test, evfd_ctx_try_write(ctx, U64_MAX));
	KUNIT_EXPECT_FALSE(test, evfd_kunit_read(ctx, 4, 4));
	for (i = 0; i < ARRAY_SIZE(poller); i++)
		KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller[i]), 2);
}

static void evfd_signal_mask_reaches_the_key(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_kunit_poller *poller = evfd_kunit_watch(test, ctx);

	evfd_signal(ctx);
	EVFD_KUNIT_EXPECT_POLL(test, poller->key, EPOLLIN);
	evfd_signal_mask(ctx, EPOLL_URING_WAKE);
	EVFD_KUNIT_EXPECT_POLL(test, poller->key, EPOLLIN | EPOLL_URING_WAKE);
	evfd_signal_mask(ctx, EPOLLPRI | EPOLLRDBAND);
	EVFD_KUNIT_EXPECT_POLL(test, poller->key,
			       EPOLLIN | EPOLLPRI | EPOLLRDBAND);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 3);
}

/* The caller's mask is reported even if the count has been read. */
static void evfd_signal_mask_outlives_the_count(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_kunit_poller *poller;

	/* A reader was faster than the signal's wakeup. */
	poller = evfd_kunit_watch(test, ctx);
	evfd_ctx_wake_readers(ctx, 1, EPOLLIN | EPOLLPRI | EPOLLOUT);
	EVFD_KUNIT_TOLD(test, poller, 1, EPOLLPRI | EPOLLOUT);
}

/* An edge-triggered writer may need more room than the 1 that EPOLLOUT means. */
static void evfd_ctx_do_read_tells_of_room(struct kunit *test)
{
	static const u64 counts[] = { 3, EVFD_COUNT_MAX, U64_MAX };
	int i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		struct evfd_ctx *ctx = evfd_kunit_ctx(test, counts[i], 0);
		struct evfd_kunit_poller *poller;
		u64 n;

		poller = evfd_kunit_watch(test, ctx);
		evfd_ctx_do_read(ctx, &n);
		KUNIT_EXPECT_EQ(test, n, counts[i]);
		EVFD_KUNIT_TOLD(test, poller, 1, EPOLLOUT);

		/* Nothing was read, so there is no more room than before. */
		evfd_ctx_do_read(ctx, &n);
		KUNIT_EXPECT_EQ(test, n, 0);
		KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller), 1);
	}
}

static void evfd_ctx_remove_wait_queue_tells_of_room(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, EVFD_COUNT_MAX - 3, 0);
	struct evfd_kunit_poller *gone, *stays;
	u64 n;

	gone = evfd_kunit_watch(test, ctx);
	stays = evfd_kunit_watch(test, ctx);
	gone->queue = NULL;
	KUNIT_EXPECT_EQ(test, evfd_ctx_remove_wait_queue(ctx, &gone->wait, &n),
			0);
	KUNIT_EXPECT_EQ(test, n, EVFD_COUNT_MAX - 3);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(gone), 0);
	EVFD_KUNIT_TOLD(test, stays, 1, EPOLLOUT);
}

static void evfd_ctx_remove_wait_queue_takes_and_removes(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_kunit_poller *gone, *stays;
	u64 n = 99;

	gone = evfd_kunit_watch(test, ctx);
	stays = evfd_kunit_watch(test, ctx);

	gone->queue = NULL;
	KUNIT_EXPECT_EQ(test, evfd_ctx_remove_wait_queue(ctx, &gone->wait, &n),
			-EAGAIN);
	KUNIT_EXPECT_EQ(test, n, 0);
	evfd_signal(ctx);
	evfd_signal(ctx);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(gone), 0);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(stays), 2);

	stays->queue = NULL;
	KUNIT_EXPECT_EQ(test, evfd_ctx_remove_wait_queue(ctx, &stays->wait, &n),
			0);
	KUNIT_EXPECT_EQ(test, n, 2);
	evfd_signal(ctx);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(stays), 2);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 1);
	KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&ctx->pollers), 0);
}

static void evfd_ctx_remove_wait_queue_takes_one(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 3, EVFD_SEMAPHORE);
	struct evfd_kunit_poller *poller = evfd_kunit_watch(test, ctx);
	u64 n;

	poller->queue = NULL;
	KUNIT_EXPECT_EQ(test,
			evfd_ctx_remove_wait_queue(ctx, &poller->wait, &n), 0);
	KUNIT_EXPECT_EQ(test, n, 1);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 2);
}

/* ---- blocked readers ---- */

static int evfd_test_wait_readable(struct evfd_kunit_task *task)
{
	return evfd_ctx_wait_readable(task->ctx);
}

/* As read(2) does it; leaves the value in total. */
static int evfd_test_take(struct evfd_kunit_task *task)
{
	struct evfd_ctx *ctx = task->ctx;

	for (;;) {
		u64 count = evfd_ctx_count(ctx);
		u64 n = evfd_count_read(count, evfd_ctx_is_semaphore(ctx));
		int ret;

		if (n && evfd_kunit_read(ctx, count, n)) {
			task->total = n;
			return 0;
		}
		ret = evfd_ctx_wait_readable(ctx);
		if (ret)
			return ret;
	}
}

#define EVFD_TEST_READERS	4

/* Starts readers, and returns when all of them are on the queue. */
static void evfd_test_start_readers(struct kunit *test, struct evfd_ctx *ctx,
				    int (*fn)(struct evfd_kunit_task *task),
				    struct evfd_kunit_task **reader, int n)
{
	int i;

	/* One after the other, so that their order on the queue is known. */
	for (i = 0; i < n; i++) {
		reader[i] = evfd_kunit_block(test, &ctx->readers, fn, ctx,
					     NULL, 0);
	}
}

struct evfd_wake_case {
	const char *desc;
	unsigned int flags;
	u64 n;
	int woken;
};

static const struct evfd_wake_case evfd_wake_cases[] = {
	{ "semaphore, 0", EVFD_SEMAPHORE, 0, 0 },
	{ "semaphore, 1", EVFD_SEMAPHORE, 1, 1 },
	{ "semaphore, 2", EVFD_SEMAPHORE, 2, 2 },
	{ "semaphore, one less than wait", EVFD_SEMAPHORE, 3, 3 },
	{ "semaphore, as many as wait", EVFD_SEMAPHORE, 4, 4 },
	{ "semaphore, one more than wait", EVFD_SEMAPHORE, 5, 4 },
	{ "semaphore, 2^31", EVFD_SEMAPHORE, 1ULL << 31, 4 },
	{ "semaphore, 2^32", EVFD_SEMAPHORE, 1ULL << 32, 4 },
	{ "semaphore, 2^32 + 1", EVFD_SEMAPHORE, (1ULL << 32) + 1, 4 },
	{ "semaphore, the most", EVFD_SEMAPHORE, EVFD_COUNT_MAX, 4 },
	{ "plain, 0", 0, 0, 0 },
	{ "plain, 1", 0, 1, 1 },
	{ "plain, as many as wait", 0, 4, 1 },
	{ "plain, 2^32", 0, 1ULL << 32, 1 },
	{ "plain, the most", 0, EVFD_COUNT_MAX, 1 },
};

KUNIT_ARRAY_PARAM_DESC(evfd_wake, evfd_wake_cases, desc);

/*
 * These readers leave the count alone, so a woken reader stays off the queue, and
 * a reader on the queue was not woken.
 */
static void evfd_ctx_try_write_wakes_whom_it_can_serve(struct kunit *test)
{
	const struct evfd_wake_case *c = test->param_value;
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, c->flags);
	struct evfd_kunit_task *reader[EVFD_TEST_READERS];
	int i;

	evfd_test_start_readers(test, ctx, evfd_test_wait_readable, reader,
				EVFD_TEST_READERS);
	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, c->n));

	/* First come, first woken. */
	for (i = 0; i < c->woken; i++)
		EVFD_KUNIT_RETURNS(test, reader[i], 0);
	KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&ctx->readers),
			EVFD_TEST_READERS - c->woken);
	for (i = c->woken; i < EVFD_TEST_READERS; i++)
		KUNIT_EXPECT_FALSE(test, completion_done(&reader[i]->done));
}

static void evfd_signal_wakes_one_reader(struct kunit *test)
{
	unsigned int flags;

	for (flags = 0; flags <= EVFD_SEMAPHORE; flags += EVFD_SEMAPHORE) {
		struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, flags);
		struct evfd_kunit_task *reader[2];

		evfd_test_start_readers(test, ctx, evfd_test_wait_readable,
					reader, 2);
		evfd_signal(ctx);
		KUNIT_EXPECT_TRUE(test, evfd_kunit_finished(reader[0]));
		KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&ctx->readers), 1);
	}
}

static void evfd_ctx_wait_readable_returns_at_once(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 1, 0);
	struct evfd_kunit_task *reader;

	reader = evfd_kunit_start(test, evfd_test_wait_readable, ctx, NULL, 0);
	EVFD_KUNIT_RETURNS(test, reader, 0);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 1);
}

/* Readers that read: each is served once in the end. */
static void evfd_ctx_readers_share_a_semaphore(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, EVFD_SEMAPHORE);
	struct evfd_kunit_task *reader[EVFD_TEST_READERS];
	int i;

	evfd_test_start_readers(test, ctx, evfd_test_take, reader,
				EVFD_TEST_READERS);
	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, 1));
	evfd_signal(ctx);
	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, EVFD_TEST_READERS));
	for (i = 0; i < EVFD_TEST_READERS; i++) {
		EVFD_KUNIT_RETURNS(test, reader[i], 0);
		KUNIT_EXPECT_EQ(test, reader[i]->total, 1);
	}
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 2);
}

static void evfd_ctx_pass_on_wakes_the_next(struct kunit *test)
{
	unsigned int flags;

	for (flags = 0; flags <= EVFD_SEMAPHORE; flags += EVFD_SEMAPHORE) {
		struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, flags);
		struct evfd_kunit_task *reader[3];

		evfd_test_start_readers(test, ctx, evfd_test_wait_readable,
					reader, 3);
		evfd_ctx_pass_on(ctx);
		KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&ctx->readers), 3);

		KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, 1));
		KUNIT_EXPECT_TRUE(test, evfd_kunit_finished(reader[0]));
		KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&ctx->readers), 2);

		evfd_ctx_pass_on(ctx);
		KUNIT_EXPECT_TRUE(test, evfd_kunit_finished(reader[1]));
		KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&ctx->readers), 1);
	}
}

static void evfd_ctx_wait_readable_is_interrupted(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, EVFD_SEMAPHORE);
	struct evfd_kunit_task *reader[2];

	evfd_test_start_readers(test, ctx, evfd_test_take, reader, 2);
	KUNIT_ASSERT_TRUE(test, evfd_kunit_interrupt(reader[0]));
	KUNIT_EXPECT_EQ(test, reader[0]->ret, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&ctx->readers), 1);

	/* The wakeup goes to the reader that still waits. */
	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, 1));
	EVFD_KUNIT_RETURNS(test, reader[1], 0);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 0);
}

/* A woken reader reads, even if a signal is pending. */
static void evfd_ctx_interrupted_reader_uses_its_wake(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, EVFD_SEMAPHORE);
	struct evfd_kunit_task *reader[2];

	evfd_test_start_readers(test, ctx, evfd_test_take, reader, 2);
	/* The signal is pending, and does not wake the reader. */
	set_tsk_thread_flag(reader[0]->task, TIF_NOTIFY_SIGNAL);
	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, 1));

	EVFD_KUNIT_RETURNS(test, reader[0], 0);
	KUNIT_EXPECT_EQ(test, reader[0]->total, 1);
	KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&ctx->readers), 1);
}

/*
 * A signal to a task and wakeups at once, in both orders. In the end a reader
 * sleeps only on a count of 0.
 */
static void evfd_ctx_interrupts_swallow_no_wake(struct kunit *test)
{
	int round;

	for (round = 0; round < 16; round++) {
		struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, EVFD_SEMAPHORE);
		struct evfd_kunit_task *reader[EVFD_TEST_READERS];
		u64 sum = 0;
		int i;

		evfd_test_start_readers(test, ctx, evfd_test_take, reader,
					EVFD_TEST_READERS);
		if (round & 1)
			evfd_signal(ctx);
		set_tsk_thread_flag(reader[0]->task, TIF_NOTIFY_SIGNAL);
		wake_up_process(reader[0]->task);
		if (!(round & 1))
			evfd_signal(ctx);
		evfd_signal(ctx);

		KUNIT_ASSERT_TRUE(test, evfd_kunit_finished(reader[0]));
		EVFD_KUNIT_UNTIL(test, !evfd_ctx_count(ctx));
		for (i = 0; i < EVFD_TEST_READERS; i++) {
			KUNIT_ASSERT_TRUE(test, evfd_kunit_interrupt(reader[i]));
			sum += reader[i]->total;
		}
		KUNIT_EXPECT_EQ(test, sum, 2);
	}
}

static void evfd_test_readers_sleep(struct evfd_kunit_poller *poller)
{
	/* The waker has seen the reader on the queue. */
	poller->got = waitqueue_active(&poller->ctx->readers);
}

/* A consumer in the kernel is called before a reader is woken. */
static void evfd_ctx_pollers_come_before_readers(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_kunit_poller *poller =
		evfd_kunit_poll(test, ctx, evfd_test_readers_sleep, ctx, 0);
	struct evfd_kunit_task *reader;

	evfd_test_start_readers(test, ctx, evfd_test_wait_readable, &reader, 1);
	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, 1));
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller), 1);
	KUNIT_EXPECT_TRUE(test, poller->got);
	KUNIT_EXPECT_TRUE(test, evfd_kunit_finished(reader));
}

/* ---- blocked writers ---- */

static int evfd_test_wait_writable(struct evfd_kunit_task *task)
{
	return evfd_ctx_wait_writable(task->ctx, task->n);
}

/* As write(2) does it. */
static int evfd_test_add(struct evfd_kunit_task *task)
{
	while (!evfd_ctx_try_write(task->ctx, task->n)) {
		int ret = evfd_ctx_wait_writable(task->ctx, task->n);

		if (ret)
			return ret;
	}

	return 0;
}

static void evfd_ctx_writers_wait_for_their_amount(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, EVFD_COUNT_MAX,
					      EVFD_SEMAPHORE);
	struct evfd_kunit_task *writer[3];
	u64 n;
	int i;

	/* The writer that needs most comes first, so it is woken first. */
	for (i = 2; i >= 0; i--)
		writer[i] = evfd_kunit_block(test, &ctx->writers,
					     evfd_test_wait_writable, ctx, NULL,
					     i + 1);
	for (i = 0; i < 3; i++) {
		evfd_ctx_do_read(ctx, &n);
		EVFD_KUNIT_RETURNS(test, writer[i], 0);
		/* The others read the count, and sleep again. */
		EVFD_KUNIT_UNTIL(test, evfd_kunit_queued(&ctx->writers) == 2 - i);
		if (i < 2)
			KUNIT_EXPECT_FALSE(test,
					   completion_done(&writer[i + 1]->done));
	}
}

static void evfd_ctx_all_writers_get_in(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, EVFD_COUNT_MAX, 0);
	struct evfd_kunit_task *writer[3];
	int i;

	for (i = 0; i < 3; i++)
		writer[i] = evfd_kunit_block(test, &ctx->writers,
					     evfd_test_add, ctx, NULL,
					     1ULL << i * 20);
	KUNIT_EXPECT_TRUE(test,
			  evfd_kunit_read(ctx, EVFD_COUNT_MAX, EVFD_COUNT_MAX));
	for (i = 0; i < 3; i++)
		EVFD_KUNIT_RETURNS(test, writer[i], 0);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx),
			1 + (1ULL << 20) + (1ULL << 40));
}

static void evfd_ctx_wait_writable_is_interrupted(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, EVFD_COUNT_MAX, 0);
	struct evfd_kunit_task *writer;

	writer = evfd_kunit_block(test, &ctx->writers, evfd_test_add, ctx, NULL, 1);
	KUNIT_ASSERT_TRUE(test, evfd_kunit_interrupt(writer));
	KUNIT_EXPECT_EQ(test, writer->ret, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), EVFD_COUNT_MAX);
	KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&ctx->writers), 0);
}

/* ---- signals from interrupts ---- */

#define EVFD_TEST_PERIOD	ns_to_ktime(100 * NSEC_PER_USEC)

struct evfd_test_timer {
	struct timer_list timer;
	struct hrtimer hrtimer;
	struct evfd_ctx *ctx;
	int left;
	bool hardirq;
	bool softirq;
};

static void evfd_test_timer_fn(struct timer_list *timer)
{
	struct evfd_test_timer *t =
		container_of(timer, struct evfd_test_timer, timer);

	t->softirq = in_serving_softirq();
	evfd_signal(t->ctx);
}

static enum hrtimer_restart evfd_test_hrtimer_fn(struct hrtimer *timer)
{
	struct evfd_test_timer *t =
		container_of(timer, struct evfd_test_timer, hrtimer);

	t->hardirq = in_hardirq();
	evfd_signal(t->ctx);
	if (!--t->left)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, EVFD_TEST_PERIOD);
	return HRTIMER_RESTART;
}

static void evfd_test_timer_stop(void *data)
{
	struct evfd_test_timer *t = data;

	timer_delete_sync(&t->timer);
	hrtimer_cancel(&t->hrtimer);
}

static struct evfd_test_timer *evfd_test_timer(struct kunit *test,
					       struct evfd_ctx *ctx)
{
	struct evfd_test_timer *t = evfd_kunit_zalloc(test, sizeof(*t));

	t->ctx = ctx;
	timer_setup(&t->timer, evfd_test_timer_fn, 0);
	evfd_hrtimer_setup(&t->hrtimer, evfd_test_hrtimer_fn, CLOCK_MONOTONIC,
			   HRTIMER_MODE_REL_HARD);
	evfd_kunit_defer(test, evfd_test_timer_stop, t);
	return t;
}

/* Has @n hard interrupts call the function of @t. */
static void evfd_test_hardirqs(struct evfd_test_timer *t, int n)
{
	t->left = n;
	hrtimer_start(&t->hrtimer, EVFD_TEST_PERIOD, HRTIMER_MODE_REL_HARD);
}

static void evfd_signal_from_softirq(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_test_timer *t = evfd_test_timer(test, ctx);
	struct evfd_kunit_poller *poller = evfd_kunit_watch(test, ctx);
	struct evfd_kunit_task *reader;

	evfd_test_start_readers(test, ctx, evfd_test_take, &reader, 1);
	mod_timer(&t->timer, jiffies + 1);

	EVFD_KUNIT_RETURNS(test, reader, 0);
	KUNIT_EXPECT_EQ(test, reader->total, 1);
	KUNIT_EXPECT_TRUE(test, t->softirq);
	KUNIT_EXPECT_TRUE(test, poller->softirq);
	/* One call for the signal, one for the read. */
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller), 2);
}

static void evfd_signal_from_hardirq(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_test_timer *t = evfd_test_timer(test, ctx);
	struct evfd_kunit_poller *poller = evfd_kunit_watch(test, ctx);
	struct evfd_kunit_task *reader;

	evfd_test_start_readers(test, ctx, evfd_test_take, &reader, 1);
	evfd_test_hardirqs(t, 1);

	EVFD_KUNIT_RETURNS(test, reader, 0);
	KUNIT_EXPECT_EQ(test, reader->total, 1);
	KUNIT_EXPECT_TRUE(test, t->hardirq);
	/* On PREEMPT_RT a worker calls the pollers. */
	KUNIT_EXPECT_EQ(test, poller->hardirq, !IS_ENABLED(CONFIG_PREEMPT_RT));
	EVFD_KUNIT_UNTIL(test, evfd_kunit_calls(poller) == 2);
}

/* Interrupts add while the task reads; nothing may get lost. */
static void evfd_signals_from_hardirq_add_up(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_test_timer *t = evfd_test_timer(test, ctx);
	const int signals = 500;
	struct evfd_kunit_poller *poller = evfd_kunit_watch(test, ctx);
	unsigned long end;
	u64 sum = 0, n;
	int reads = 0;

	t->left = signals;
	/* On another CPU the task might read before the pollers are called. */
	migrate_disable();
	hrtimer_start(&t->hrtimer, EVFD_TEST_PERIOD,
		      HRTIMER_MODE_REL_PINNED_HARD);

	end = jiffies + usecs_to_jiffies(EVFD_KUNIT_TIMEOUT_US);
	while (sum < signals && time_before(jiffies, end)) {
		evfd_ctx_do_read(ctx, &n);
		sum += n;
		reads += !!n;
		cond_resched();
	}
	hrtimer_cancel(&t->hrtimer);
	migrate_enable();

	KUNIT_EXPECT_EQ(test, sum, signals);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 0);
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller),
				signals + reads);
}

/* Interrupts and the task add at once; nothing may get lost. */
static void evfd_signals_from_two_contexts_add_up(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_test_timer *t = evfd_test_timer(test, ctx);
	const int signals = 500;
	unsigned long end;
	u64 own = 0;

	t->left = signals;
	migrate_disable();
	hrtimer_start(&t->hrtimer, EVFD_TEST_PERIOD,
		      HRTIMER_MODE_REL_PINNED_HARD);

	end = jiffies + usecs_to_jiffies(EVFD_KUNIT_TIMEOUT_US);
	while (READ_ONCE(t->left) && time_before(jiffies, end)) {
		evfd_signal(ctx);
		own++;
		cond_resched();
	}
	hrtimer_cancel(&t->hrtimer);
	migrate_enable();

	KUNIT_EXPECT_EQ(test, t->left, 0);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), own + signals);
}

/* An interrupt may drop the last reference. */
static enum hrtimer_restart evfd_test_hrtimer_put(struct hrtimer *timer)
{
	struct evfd_test_timer *t =
		container_of(timer, struct evfd_test_timer, hrtimer);

	t->hardirq = in_hardirq();
	evfd_ctx_put(t->ctx);
	smp_store_release(&t->left, 0);	/* Pairs with the test's acquire. */
	return HRTIMER_NORESTART;
}

/* A leak would show when the module is unloaded. */
static void evfd_ctx_is_put_in_hardirq(struct kunit *test)
{
	struct evfd_test_timer *t;

	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		kunit_skip(test, "not allowed on PREEMPT_RT");

	t = evfd_test_timer(test, evfd_ctx_alloc(0, 0));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->ctx);
	evfd_hrtimer_setup(&t->hrtimer, evfd_test_hrtimer_put, CLOCK_MONOTONIC,
			   HRTIMER_MODE_REL_HARD);
	evfd_test_hardirqs(t, 1);
	KUNIT_ASSERT_TRUE(test,
			  /* Pairs with the release in evfd_test_hrtimer_put(). */
			  evfd_kunit_until(!smp_load_acquire(&t->left)));
	KUNIT_EXPECT_TRUE(test, t->hardirq);
}

/* ---- signals from callbacks ---- */

/* Waits until the worker has dropped its reference to @ctx. */
static void evfd_test_settle(struct kunit *test, struct evfd_ctx *ctx)
{
	EVFD_KUNIT_UNTIL(test, kref_read(&ctx->kref) == 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&ctx->deferred_events), 0);
}

static void evfd_test_signal(struct evfd_kunit_poller *poller)
{
	if (poller->budget-- > 0)
		evfd_signal(poller->ctx);
}

static void evfd_test_do_read(struct evfd_kunit_poller *poller)
{
	u64 n;

	evfd_ctx_do_read(poller->ctx, &n);
	poller->got += n;
}

static void evfd_test_signal_allowed(struct evfd_kunit_poller *poller)
{
	poller->got = eventfd_signal_allowed() ? 1 : 2;
}

/* A callback signals its own counter: each poller is called for both signals. */
static void evfd_callback_signals_its_own(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_kunit_poller *first, *loop, *last;

	/* The last entry on the queue is called first. */
	last = evfd_kunit_watch(test, ctx);
	loop = evfd_kunit_poll(test, ctx, evfd_test_signal, ctx, 1);
	first = evfd_kunit_watch(test, ctx);

	evfd_signal(ctx);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 2);
	evfd_test_settle(test, ctx);

	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(loop), 2);
	KUNIT_EXPECT_FALSE(test, loop->nested);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(first), 2);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(last), 2);
	EVFD_KUNIT_EXPECT_POLL(test, first->keys, EPOLLIN);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 2);
}

/* A long chain of signals does not nest. */
static void evfd_callback_signals_many_times(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_kunit_poller *loop;
	const int rounds = 300;

	loop = evfd_kunit_poll(test, ctx, evfd_test_signal, ctx, rounds);
	evfd_signal(ctx);
	EVFD_KUNIT_UNTIL(test, evfd_kunit_calls(loop) == rounds + 1);
	evfd_test_settle(test, ctx);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(loop), rounds + 1);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), rounds + 1);
	KUNIT_EXPECT_FALSE(test, loop->nested);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->kref), 1);
}

/* Two counters whose callbacks signal each other. */
static void evfd_callback_signals_another(struct kunit *test)
{
	struct evfd_ctx *a = evfd_kunit_ctx(test, 0, 0);
	struct evfd_ctx *b = evfd_kunit_ctx(test, 0, 0);
	struct evfd_kunit_poller *on_a, *on_b;
	const int rounds = 20;

	on_a = evfd_kunit_poll(test, a, evfd_test_signal, b, rounds);
	on_b = evfd_kunit_poll(test, b, evfd_test_signal, a, rounds);

	evfd_signal(a);
	EVFD_KUNIT_UNTIL(test, evfd_kunit_calls(on_a) == rounds + 1);
	evfd_test_settle(test, a);
	evfd_test_settle(test, b);

	KUNIT_EXPECT_EQ(test, evfd_ctx_count(a), rounds + 1);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(b), rounds);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(on_b), rounds);
	KUNIT_EXPECT_FALSE(test, on_a->nested);
	KUNIT_EXPECT_FALSE(test, on_b->nested);
	KUNIT_EXPECT_EQ(test, kref_read(&a->kref), 1);
	KUNIT_EXPECT_EQ(test, kref_read(&b->kref), 1);
}

/* A callback in a hard interrupt may signal as well. */
static void evfd_callback_signals_from_hardirq(struct kunit *test)
{
	struct evfd_ctx *a = evfd_kunit_ctx(test, 0, 0);
	struct evfd_ctx *b = evfd_kunit_ctx(test, 0, 0);
	struct evfd_test_timer *t = evfd_test_timer(test, a);
	struct evfd_kunit_poller *on_a, *on_b;

	on_a = evfd_kunit_poll(test, a, evfd_test_signal, b, 1);
	on_b = evfd_kunit_watch(test, b);
	evfd_test_hardirqs(t, 1);

	EVFD_KUNIT_UNTIL(test, evfd_kunit_calls(on_b) == 1);
	/* The worker may finish before the callback that queued it. */
	EVFD_KUNIT_UNTIL(test, evfd_kunit_calls(on_a) == 1);
	KUNIT_EXPECT_FALSE(test, on_b->hardirq);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(a), 1);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(b), 1);
}

/* A signal from a callback wakes blocked readers, too. */
static void evfd_callback_signals_reach_readers(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, EVFD_SEMAPHORE);
	struct evfd_kunit_task *reader[3];
	int i;

	evfd_kunit_poll(test, ctx, evfd_test_signal, ctx, 2);
	evfd_test_start_readers(test, ctx, evfd_test_take, reader, 3);
	evfd_signal(ctx);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_TRUE(test, evfd_kunit_finished(reader[i]));
		KUNIT_EXPECT_EQ(test, reader[i]->total, 1);
	}
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 0);
}

/* The mask of a deferred signal reaches the pollers. */
static void evfd_test_signal_mask(struct evfd_kunit_poller *poller)
{
	if (poller->budget-- > 0)
		evfd_signal_mask(poller->ctx, EPOLLPRI | EPOLLOUT);
}

static void evfd_callback_signals_a_mask(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_kunit_poller *poller =
		evfd_kunit_poll(test, ctx, evfd_test_signal_mask, ctx, 1);

	evfd_signal(ctx);
	evfd_test_settle(test, ctx);
	EVFD_KUNIT_EXPECT_POLL(test, poller->keys,
			       EPOLLIN | EPOLLPRI | EPOLLOUT);
}

/* EPOLLOUT in a mask does not mean room: writers stay asleep. */
static void evfd_callback_signals_no_room(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, EVFD_COUNT_MAX, 0);
	struct evfd_kunit_poller *poller, *writer;

	poller = evfd_kunit_poll(test, ctx, evfd_test_signal_mask, ctx, 1);
	writer = evfd_kunit_poller(test);
	writer->queue = &ctx->writers;
	add_wait_queue(&ctx->writers, &writer->wait);
	evfd_signal(ctx);
	evfd_test_settle(test, ctx);
	EVFD_KUNIT_EXPECT_POLL(test, poller->key,
			       EPOLLIN | EPOLLPRI | EPOLLOUT);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(writer), 0);
}

/* A consumer that reads in its callback, as KVM's irqfd does. */
static void evfd_callback_reads(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_kunit_poller *poller =
		evfd_kunit_poll(test, ctx, evfd_test_do_read, ctx, 0);

	evfd_signal(ctx);
	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, 41));
	evfd_test_settle(test, ctx);
	KUNIT_EXPECT_EQ(test, poller->got, 42);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 0);
	/* Two calls for the count, and one or two for the room that it made. */
	KUNIT_EXPECT_GE(test, evfd_kunit_calls(poller), 3);
	KUNIT_EXPECT_LE(test, evfd_kunit_calls(poller), 4);
	EVFD_KUNIT_EXPECT_POLL(test, poller->keys, EPOLLIN | EPOLLOUT);
}

/* Another poller may be a writer that needs more room than 1. */
static void evfd_callback_reads_for_pollers(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_kunit_poller *consumer, *other;

	other = evfd_kunit_watch(test, ctx);
	consumer = evfd_kunit_poll(test, ctx, evfd_test_do_read, ctx, 0);
	evfd_signal(ctx);
	evfd_test_settle(test, ctx);
	KUNIT_EXPECT_EQ(test, consumer->got, 1);
	EVFD_KUNIT_EXPECT_POLL(test, other->keys, EPOLLIN | EPOLLOUT);
	EVFD_KUNIT_EXPECT_POLL(test, other->key, EPOLLOUT);
}

/* The read makes room for blocked writers. */
static void evfd_callback_reads_for_writers(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, EVFD_COUNT_MAX, 0);
	struct evfd_kunit_poller *poller;
	struct evfd_kunit_task *writer;

	writer = evfd_kunit_block(test, &ctx->writers, evfd_test_add, ctx, NULL, 5);
	poller = evfd_kunit_poll(test, ctx, evfd_test_do_read, ctx, 0);
	evfd_signal(ctx);
	EVFD_KUNIT_RETURNS(test, writer, 0);
	evfd_test_settle(test, ctx);
	/* The whole count, 2^64 - 1, and then the 5 of the writer: 4 modulo 2^64. */
	KUNIT_EXPECT_EQ(test, poller->got, 4);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 0);
}

/* evfd and eventfd recognize each other's callbacks, and their ends. */
static void evfd_callback_is_recognized_by_eventfd(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_kunit_poller *poller =
		evfd_kunit_poll(test, ctx, evfd_test_signal_allowed, NULL, 0);

	KUNIT_EXPECT_TRUE(test, eventfd_signal_allowed());
	evfd_signal(ctx);
	KUNIT_EXPECT_EQ(test, poller->got, 2);
	KUNIT_EXPECT_TRUE(test, eventfd_signal_allowed());
}

static void evfd_signal_from_eventfd_callback(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, EVFD_SEMAPHORE);
	struct evfd_kunit_poller *poller = evfd_kunit_watch(test, ctx);
	struct evfd_kunit_task *reader;
	int calls;

	evfd_test_start_readers(test, ctx, evfd_test_take, &reader, 1);

	/* eventfd sets this while it calls its waiters. */
	current->in_eventfd = 1;
	evfd_signal(ctx);
	calls = evfd_kunit_calls(poller);
	KUNIT_EXPECT_FALSE(test, eventfd_signal_allowed());
	current->in_eventfd = 0;

	/* The worker makes the call, and may already have made it. */
	if (num_online_cpus() == 1 && !IS_ENABLED(CONFIG_PREEMPTION))
		KUNIT_EXPECT_EQ(test, calls, 0);
	KUNIT_EXPECT_TRUE(test, evfd_kunit_finished(reader));
	KUNIT_EXPECT_EQ(test, reader->total, 1);
	evfd_test_settle(test, ctx);
	KUNIT_EXPECT_TRUE(test, poller->keys & EPOLLIN);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->kref), 1);
}

/* The worker reports the events of several signals. */
static void evfd_deferred_signals_add_up(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, EVFD_SEMAPHORE);
	struct evfd_kunit_task *reader[2];
	struct evfd_kunit_poller *poller = evfd_kunit_watch(test, ctx);
	int i;

	evfd_test_start_readers(test, ctx, evfd_test_take, reader, 2);
	/* The worker is this CPU's, and cannot run in between. */
	preempt_disable();
	current->in_eventfd = 1;
	evfd_signal_mask(ctx, EPOLLPRI);
	evfd_signal(ctx);
	current->in_eventfd = 0;
	preempt_enable();
	for (i = 0; i < 2; i++) {
		KUNIT_ASSERT_TRUE(test, evfd_kunit_finished(reader[i]));
		KUNIT_EXPECT_EQ(test, reader[i]->total, 1);
	}
	evfd_test_settle(test, ctx);
	KUNIT_EXPECT_TRUE(test, poller->keys & EPOLLPRI);
}

static int evfd_test_turn;

static void evfd_test_take_turn(struct evfd_kunit_poller *poller)
{
	poller->got = ++evfd_test_turn;
}

/* The worker takes the counters in the order of their signals. */
static void evfd_deferred_wakes_keep_their_order(struct kunit *test)
{
	struct evfd_kunit_poller *poller[3];
	struct evfd_ctx *ctx[3];
	int i;

	evfd_test_turn = 0;
	for (i = 0; i < ARRAY_SIZE(ctx); i++) {
		ctx[i] = evfd_kunit_ctx(test, 0, 0);
		poller[i] = evfd_kunit_poll(test, ctx[i], evfd_test_take_turn,
					    NULL, 0);
	}
	current->in_eventfd = 1;
	for (i = 0; i < ARRAY_SIZE(ctx); i++)
		evfd_signal(ctx[i]);
	current->in_eventfd = 0;
	for (i = 0; i < ARRAY_SIZE(ctx); i++) {
		evfd_test_settle(test, ctx[i]);
		KUNIT_EXPECT_EQ(test, poller[i]->got, i + 1);
	}
}

/* A counter that is queued again during its turn does not hide the next one. */
static void evfd_deferred_wakes_survive_another(struct kunit *test)
{
	struct evfd_ctx *a = evfd_kunit_ctx(test, 0, 0);
	struct evfd_ctx *b = evfd_kunit_ctx(test, 0, 0);
	struct evfd_kunit_poller *on_a, *on_b;

	on_a = evfd_kunit_poll(test, a, evfd_test_signal, a, 1);
	on_b = evfd_kunit_watch(test, b);
	current->in_eventfd = 1;
	evfd_signal(a);
	evfd_signal(b);
	current->in_eventfd = 0;
	EVFD_KUNIT_UNTIL(test, evfd_kunit_calls(on_a) == 2);
	EVFD_KUNIT_UNTIL(test, evfd_kunit_calls(on_b) == 1);
	evfd_test_settle(test, a);
	evfd_test_settle(test, b);
}

/*
 * The worker has the last reference to a counter. If it did not drop it, the
 * unload of evfd.ko would find the cache in use; if it had none, KASAN would
 * report it.
 */
static void evfd_deferred_wake_holds_the_counter(struct kunit *test)
{
	struct evfd_ctx *a = evfd_kunit_ctx(test, 0, 0);
	struct evfd_ctx *b = evfd_kunit_ctx(test, 0, 0);
	struct evfd_kunit_poller *on_b;

	evfd_kunit_poll(test, a, evfd_test_signal, b, 1);
	on_b = evfd_kunit_watch(test, b);
	evfd_signal(a);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(b), 1);
	evfd_kunit_unpoll(on_b);
	kunit_release_action(test, evfd_kunit_put, b);

	/* The worker keeps the order: once this is done, b is done. */
	b = evfd_kunit_ctx(test, 0, 0);
	on_b = evfd_kunit_watch(test, b);
	current->in_eventfd = 1;
	evfd_signal(b);
	current->in_eventfd = 0;
	evfd_test_settle(test, b);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(on_b), 1);
}

/* ---- everything at once ---- */

/* Reads n times; with n 0, until it is interrupted. */
static int evfd_test_take_some(struct evfd_kunit_task *task)
{
	u64 total = 0;
	u64 done;
	int ret = 0;

	for (done = 0; !ret && (!task->n || done < task->n); done++) {
		task->total = 0;
		ret = evfd_test_take(task);
		total += task->total;
		if (task->priv)
			atomic64_add(task->total, task->priv);
		cond_resched();
	}
	task->total = total;
	return ret;
}

/* Adds n in unequal parts. */
static int evfd_test_add_some(struct evfd_kunit_task *task)
{
	u64 part = 1;
	u64 n = task->n;

	for (; n; n -= part, part = part % 7 + 1) {
		part = min(part, n);
		while (!evfd_ctx_try_write(task->ctx, part)) {
			int ret = evfd_ctx_wait_writable(task->ctx, part);

			if (ret)
				return ret;
		}
		task->total += part;
		cond_resched();
	}
	return 0;
}

#define EVFD_TEST_WRITERS	3
#define EVFD_TEST_EACH		4000

/*
 * Writers, interrupts and readers: the sums agree, and in the end readers sleep on
 * a count of 0.
 */
static void evfd_test_conservation(struct kunit *test, unsigned int flags)
{
	struct evfd_kunit_task *reader[EVFD_TEST_READERS];
	struct evfd_kunit_task *writer[EVFD_TEST_WRITERS];
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, flags);
	struct evfd_test_timer *t = evfd_test_timer(test, ctx);
	const u64 signals = 500;
	u64 expected = EVFD_TEST_WRITERS * EVFD_TEST_EACH + signals;
	atomic64_t *sum;
	u64 total = 0;
	int i;

	sum = evfd_kunit_zalloc(test, sizeof(*sum));
	evfd_kunit_watch(test, ctx);

	for (i = 0; i < EVFD_TEST_READERS; i++)
		reader[i] = evfd_kunit_start(test, evfd_test_take_some, ctx,
					     sum, 0);
	for (i = 0; i < EVFD_TEST_WRITERS; i++)
		writer[i] = evfd_kunit_start(test, evfd_test_add_some, ctx,
					     NULL, EVFD_TEST_EACH);
	evfd_test_hardirqs(t, signals);

	for (i = 0; i < EVFD_TEST_WRITERS; i++) {
		EVFD_KUNIT_RETURNS(test, writer[i], 0);
		KUNIT_EXPECT_EQ(test, writer[i]->total, EVFD_TEST_EACH);
	}
	EVFD_KUNIT_UNTIL(test, atomic64_read(sum) == expected);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 0);
	EVFD_KUNIT_UNTIL(test, evfd_kunit_queued(&ctx->readers) == EVFD_TEST_READERS);

	for (i = 0; i < EVFD_TEST_READERS; i++) {
		KUNIT_ASSERT_TRUE(test, evfd_kunit_interrupt(reader[i]));
		KUNIT_EXPECT_EQ(test, reader[i]->ret, -ERESTARTSYS);
		total += reader[i]->total;
	}
	KUNIT_EXPECT_EQ(test, total, expected);
}

static void evfd_ctx_conserves(struct kunit *test)
{
	evfd_test_conservation(test, 0);
}

static void evfd_ctx_conserves_as_semaphore(struct kunit *test)
{
	evfd_test_conservation(test, EVFD_SEMAPHORE);
}

/* The same at the upper limit, where the writers wait. */
static void evfd_ctx_conserves_when_full(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, EVFD_COUNT_MAX,
					      EVFD_SEMAPHORE);
	struct evfd_kunit_task *reader[EVFD_TEST_READERS];
	struct evfd_kunit_task *writer[EVFD_TEST_WRITERS];
	const u64 all = EVFD_TEST_WRITERS * EVFD_TEST_EACH;
	int i;

	for (i = 0; i < EVFD_TEST_WRITERS; i++)
		writer[i] = evfd_kunit_start(test, evfd_test_add_some, ctx,
					     NULL, EVFD_TEST_EACH);
	EVFD_KUNIT_UNTIL(test, evfd_kunit_queued(&ctx->writers) == EVFD_TEST_WRITERS);
	for (i = 0; i < EVFD_TEST_READERS; i++)
		reader[i] = evfd_kunit_start(test, evfd_test_take_some, ctx,
					     NULL, all / EVFD_TEST_READERS);

	for (i = 0; i < EVFD_TEST_READERS; i++) {
		EVFD_KUNIT_RETURNS(test, reader[i], 0);
		KUNIT_EXPECT_EQ(test, reader[i]->total,
				all / EVFD_TEST_READERS);
	}
	for (i = 0; i < EVFD_TEST_WRITERS; i++) {
		EVFD_KUNIT_RETURNS(test, writer[i], 0);
		KUNIT_EXPECT_EQ(test, writer[i]->total, EVFD_TEST_EACH);
	}
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), EVFD_COUNT_MAX);
}

/* ---- events that come late ---- */

/*
 * A write is held up between its update and its wakeup, and a read takes the
 * value meanwhile: a poller that is queued after that must not be told of it.
 */
static void evfd_ctx_consumed_is_not_announced(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_kunit_poller *poller = evfd_kunit_watch(test, ctx);

	evfd_ctx_wake_readers(ctx, 1, EPOLLIN);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller), 0);

	/* A write of 0 is reported at any count, as eventfd does. */
	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, 0));
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller), 1);

	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, EVFD_COUNT_MAX));
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller), 2);
	evfd_ctx_wake_writers(ctx);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller), 2);
}

static void evfd_ctx_consumed_is_not_deferred(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct evfd_kunit_poller *poller = evfd_kunit_watch(test, ctx);
	u64 n;

	current->in_eventfd = 1;
	evfd_signal_mask(ctx, EPOLLPRI);
	current->in_eventfd = 0;
	/* The worker may have been faster than this read. */
	evfd_ctx_do_read(ctx, &n);
	KUNIT_EXPECT_EQ(test, n, 1);
	evfd_test_settle(test, ctx);
	if (num_online_cpus() == 1)
		EVFD_KUNIT_EXPECT_POLL(test, poller->keys,
				       EPOLLOUT | EPOLLPRI);
	n = evfd_kunit_calls(poller);
	evfd_ctx_wake_readers(ctx, 1, EPOLLIN);
	KUNIT_EXPECT_EQ(test, (u64)evfd_kunit_calls(poller), n);
}

static struct kunit_case evfd_ctx_cases[] = {
	KUNIT_CASE(evfd_ctx_alloc_is_as_asked),
	KUNIT_CASE(evfd_ctx_references_are_counted),
	KUNIT_CASE(evfd_ctx_queued_counts_to_its_limit),
	KUNIT_CASE(evfd_ctx_outlives_its_file),
	KUNIT_CASE(evfd_ctx_release_wakes_all_pollers),
	KUNIT_CASE(evfd_ctx_update_says_what_it_found),
	KUNIT_CASE(evfd_ctx_try_write_at_edges),
	KUNIT_CASE(evfd_ctx_try_read_needs_the_count_it_saw),
	KUNIT_CASE(evfd_ctx_try_read_of_one_needs_one),
	KUNIT_CASE(evfd_ctx_try_read_takes_all_of_the_most),
	KUNIT_CASE(evfd_signal_saturates),
	KUNIT_CASE(evfd_signal_saturates_a_semaphore),
	KUNIT_CASE(evfd_ctx_do_read_takes_what_read_would),
	KUNIT_CASE(evfd_ctx_pollers_hear_what_happened),
	KUNIT_CASE(evfd_signal_mask_reaches_the_key),
	KUNIT_CASE(evfd_signal_mask_outlives_the_count),
	KUNIT_CASE(evfd_ctx_do_read_tells_of_room),
	KUNIT_CASE(evfd_ctx_remove_wait_queue_tells_of_room),
	KUNIT_CASE(evfd_ctx_remove_wait_queue_takes_and_removes),
	KUNIT_CASE(evfd_ctx_remove_wait_queue_takes_one),
	KUNIT_CASE_PARAM(evfd_ctx_try_write_wakes_whom_it_can_serve,
			 evfd_wake_gen_params),
	KUNIT_CASE(evfd_signal_wakes_one_reader),
	KUNIT_CASE(evfd_ctx_wait_readable_returns_at_once),
	KUNIT_CASE(evfd_ctx_readers_share_a_semaphore),
	KUNIT_CASE(evfd_ctx_pass_on_wakes_the_next),
	KUNIT_CASE(evfd_ctx_wait_readable_is_interrupted),
	KUNIT_CASE(evfd_ctx_interrupted_reader_uses_its_wake),
	KUNIT_CASE(evfd_ctx_interrupts_swallow_no_wake),
	KUNIT_CASE(evfd_ctx_pollers_come_before_readers),
	KUNIT_CASE(evfd_ctx_writers_wait_for_their_amount),
	KUNIT_CASE(evfd_ctx_all_writers_get_in),
	KUNIT_CASE(evfd_ctx_wait_writable_is_interrupted),
	KUNIT_CASE(evfd_signal_from_softirq),
	KUNIT_CASE(evfd_signal_from_hardirq),
	KUNIT_CASE(evfd_signals_from_hardirq_add_up),
	KUNIT_CASE(evfd_signals_from_two_contexts_add_up),
	KUNIT_CASE(evfd_ctx_is_put_in_hardirq),
	KUNIT_CASE(evfd_callback_signals_its_own),
	KUNIT_CASE(evfd_callback_signals_many_times),
	KUNIT_CASE(evfd_callback_signals_another),
	KUNIT_CASE(evfd_callback_signals_from_hardirq),
	KUNIT_CASE(evfd_callback_signals_reach_readers),
	KUNIT_CASE(evfd_callback_signals_a_mask),
	KUNIT_CASE(evfd_callback_reads),
	KUNIT_CASE(evfd_callback_reads_for_writers),
	KUNIT_CASE(evfd_callback_reads_for_pollers),
	KUNIT_CASE(evfd_callback_signals_no_room),
	KUNIT_CASE(evfd_callback_is_recognized_by_eventfd),
	KUNIT_CASE(evfd_signal_from_eventfd_callback),
	KUNIT_CASE(evfd_deferred_signals_add_up),
	KUNIT_CASE(evfd_deferred_wakes_keep_their_order),
	KUNIT_CASE(evfd_deferred_wakes_survive_another),
	KUNIT_CASE(evfd_deferred_wake_holds_the_counter),
	KUNIT_CASE(evfd_ctx_consumed_is_not_announced),
	KUNIT_CASE(evfd_ctx_consumed_is_not_deferred),
	KUNIT_CASE(evfd_ctx_conserves),
	KUNIT_CASE(evfd_ctx_conserves_as_semaphore),
	KUNIT_CASE(evfd_ctx_conserves_when_full),
	{}
};

static struct kunit_suite evfd_ctx_suite = {
	.name = "evfd_ctx",
	.test_cases = evfd_ctx_cases,
};

kunit_test_suite(evfd_ctx_suite);

MODULE_AUTHOR("evfd developers");
MODULE_DESCRIPTION("KUnit suites of evfd");
MODULE_LICENSE("GPL");
EVFD_IMPORT_KUNIT_NS();
