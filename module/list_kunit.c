// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite evfd_list: ids, the list of all counters, and walks through it.
 *
 * Uses helpers_kunit.h and list.h. Counters of other tests and of programs may be
 * on the list, too, but not between ours. selftests/debugfs_test.c reads the list
 * from a program.
 */
#include <linux/kthread.h>
#include <linux/module.h>

#include "compat.h"
#include "helpers_kunit.h"
#include "list.h"

KUNIT_DEFINE_ACTION_WRAPPER(evfd_test_list_del, evfd_list_del,
			    struct evfd_ctx *);
KUNIT_DEFINE_ACTION_WRAPPER(evfd_test_walk_end, evfd_walk_end,
			    struct evfd_walk *);

/* A counter that is on the list until the test ends. */
static struct evfd_ctx *evfd_test_on_list(struct kunit *test)
{
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);

	evfd_list_add(ctx);
	evfd_kunit_defer(test, evfd_test_list_del, ctx);
	return ctx;
}

static void evfd_test_unlist(struct kunit *test, struct evfd_ctx *ctx)
{
	kunit_release_action(test, evfd_test_list_del, ctx);
}

static struct evfd_walk *evfd_test_walk(struct kunit *test)
{
	struct evfd_walk *walk;

	walk = evfd_kunit_zalloc(test, sizeof(*walk));
	INIT_LIST_HEAD(&walk->node);
	evfd_walk_begin(walk);
	evfd_kunit_defer(test, evfd_test_walk_end, walk);
	return walk;
}

/* The next counter of a walk. Ours stay, so the reference is not needed. */
static struct evfd_ctx *evfd_test_next(struct evfd_walk *walk,
				       struct evfd_ctx *shown)
{
	struct evfd_ctx *ctx = evfd_walk_next(walk, shown);

	if (ctx)
		evfd_ctx_put(ctx);
	return ctx;
}

/* Walks to @ctx. Is true if it is on the list. */
static bool evfd_test_walk_to(struct evfd_walk *walk, struct evfd_ctx *ctx)
{
	struct evfd_ctx *found = NULL;

	do {
		found = evfd_test_next(walk, found);
	} while (found && found != ctx);

	return found;
}

static void evfd_list_ids_are_never_used_again(struct kunit *test)
{
	u64 last = 0;
	int i;

	for (i = 0; i < 16; i++) {
		struct evfd_ctx *ctx = evfd_test_on_list(test);

		if (i)
			KUNIT_EXPECT_GT(test, ctx->id, last);
		last = ctx->id;
		/* Every other one is removed at once, without an effect on ids. */
		if (i & 1)
			evfd_test_unlist(test, ctx);
	}
}

static void evfd_walk_goes_by_id(struct kunit *test)
{
	struct evfd_ctx *ctx[5], *late;
	struct evfd_walk *walk;
	int i;

	for (i = 0; i < ARRAY_SIZE(ctx); i++)
		ctx[i] = evfd_test_on_list(test);
	evfd_test_unlist(test, ctx[2]);
	walk = evfd_test_walk(test);
	late = evfd_test_on_list(test);

	KUNIT_ASSERT_TRUE(test, evfd_test_walk_to(walk, ctx[0]));
	/* Without @shown it returns the same counter again. */
	KUNIT_EXPECT_PTR_EQ(test, evfd_test_next(walk, NULL), ctx[0]);
	KUNIT_EXPECT_PTR_EQ(test, evfd_test_next(walk, ctx[0]), ctx[1]);
	KUNIT_EXPECT_PTR_EQ(test, evfd_test_next(walk, ctx[1]), ctx[3]);
	KUNIT_EXPECT_PTR_EQ(test, evfd_test_next(walk, ctx[3]), ctx[4]);
	/* A counter that is added after the walk began is not shown. */
	KUNIT_EXPECT_NULL(test, evfd_test_next(walk, ctx[4]));
	KUNIT_EXPECT_NULL(test, evfd_test_next(walk, NULL));
	KUNIT_EXPECT_EQ(test, kref_read(&ctx[4]->kref), 1);

	evfd_walk_begin(walk);
	KUNIT_EXPECT_TRUE(test, evfd_test_walk_to(walk, ctx[4]));
	KUNIT_EXPECT_PTR_EQ(test, evfd_test_next(walk, ctx[4]), late);
	KUNIT_EXPECT_NULL(test, evfd_test_next(walk, late));
}

/* Counters are removed: the one at which a walk stands, the one before, the last. */
static void evfd_walk_moves_on_when_one_goes(struct kunit *test)
{
	struct evfd_walk *walk, *other;
	struct evfd_ctx *ctx[4];
	struct evfd_ctx *found;
	int i;

	for (i = 0; i < ARRAY_SIZE(ctx); i++)
		ctx[i] = evfd_test_on_list(test);
	walk = evfd_test_walk(test);
	other = evfd_test_walk(test);
	KUNIT_ASSERT_TRUE(test, evfd_test_walk_to(walk, ctx[0]));
	KUNIT_ASSERT_TRUE(test, evfd_test_walk_to(other, ctx[1]));

	/* Already shown, and removed. */
	evfd_test_unlist(test, ctx[0]);
	KUNIT_EXPECT_PTR_EQ(test, evfd_test_next(walk, ctx[0]), ctx[1]);
	/* Both walks stand there. The reference keeps it alive, not on the list. */
	found = evfd_walk_next(walk, NULL);
	KUNIT_ASSERT_PTR_EQ(test, found, ctx[1]);
	KUNIT_EXPECT_EQ(test, kref_read(&found->kref), 2);
	evfd_test_unlist(test, ctx[1]);
	KUNIT_EXPECT_PTR_EQ(test, evfd_test_next(walk, found), ctx[2]);
	KUNIT_EXPECT_PTR_EQ(test, evfd_test_next(other, NULL), ctx[2]);
	evfd_ctx_put(found);
	/* The last one: the walk has ended then, whatever is added. */
	KUNIT_EXPECT_PTR_EQ(test, evfd_test_next(walk, ctx[2]), ctx[3]);
	evfd_test_unlist(test, ctx[3]);
	KUNIT_EXPECT_NULL(test, evfd_test_next(walk, ctx[3]));
	evfd_test_on_list(test);
	KUNIT_EXPECT_NULL(test, evfd_test_next(walk, NULL));
	KUNIT_EXPECT_NULL(test, evfd_test_next(other, ctx[2]));
}

/* Makes counters and drops them in another order, until n is set. */
static int evfd_test_come_and_go(struct evfd_kunit_task *task)
{
	struct evfd_ctx *kept[8] = { };
	int i = 0, ret = 0;

	while (!READ_ONCE(task->n) && !kthread_should_stop()) {
		i = (i * 5 + 3) % ARRAY_SIZE(kept);
		if (kept[i]) {
			evfd_list_del(kept[i]);
			evfd_ctx_put(kept[i]);
		}
		kept[i] = evfd_ctx_alloc(0, 0);
		if (IS_ERR(kept[i])) {
			ret = PTR_ERR(kept[i]);
			kept[i] = NULL;
			break;
		}
		evfd_list_add(kept[i]);
		/* The test reads it meanwhile. */
		WRITE_ONCE(task->total, task->total + 1);
		cond_resched();
	}
	for (i = 0; i < ARRAY_SIZE(kept); i++) {
		if (kept[i]) {
			evfd_list_del(kept[i]);
			evfd_ctx_put(kept[i]);
		}
	}
	return ret;
}

#define EVFD_TEST_ROUNDS	20

/* A counter that stays is shown once in each round. */
static void evfd_walk_while_others_come_and_go(struct kunit *test)
{
	struct evfd_kunit_task *task[3];
	struct evfd_walk *walk;
	struct evfd_ctx *ctx[4];
	int i, round;

	for (i = 0; i < ARRAY_SIZE(task); i++) {
		ctx[i] = evfd_test_on_list(test);
		task[i] = evfd_kunit_start(test, evfd_test_come_and_go, NULL,
					   NULL, 0);
		EVFD_KUNIT_UNTIL(test, READ_ONCE(task[i]->total) > 4);
	}
	ctx[3] = evfd_test_on_list(test);
	walk = evfd_test_walk(test);

	for (round = 0; round < EVFD_TEST_ROUNDS; round++) {
		u64 total = READ_ONCE(task[0]->total), id = 0;
		struct evfd_ctx *found = NULL, *shown;
		int ours = 0;

		evfd_walk_begin(walk);
		while (true) {
			shown = found;
			found = evfd_walk_next(walk, shown);
			if (shown)
				evfd_ctx_put(shown);
			if (!found)
				break;
			if (found->id < id)
				KUNIT_FAIL(test, "%llu < %llu", found->id, id);
			id = found->id + 1;
			if (ours < ARRAY_SIZE(ctx) && found == ctx[ours])
				ours++;
			cond_resched();
		}
		KUNIT_EXPECT_EQ(test, ours, ARRAY_SIZE(ctx));
		/* On one CPU, the others need a chance to run. */
		if (READ_ONCE(task[0]->total) == total)
			schedule_timeout_uninterruptible(1);
	}

	for (i = 0; i < ARRAY_SIZE(task); i++) {
		WRITE_ONCE(task[i]->n, 1);
		EVFD_KUNIT_RETURNS(test, task[i], 0);
	}
}

static struct kunit_case evfd_list_cases[] = {
	KUNIT_CASE(evfd_list_ids_are_never_used_again),
	KUNIT_CASE(evfd_walk_goes_by_id),
	KUNIT_CASE(evfd_walk_moves_on_when_one_goes),
	KUNIT_CASE(evfd_walk_while_others_come_and_go),
	{}
};

static struct kunit_suite evfd_list_suite = {
	.name = "evfd_list",
	.test_cases = evfd_list_cases,
};

kunit_test_suite(evfd_list_suite);
