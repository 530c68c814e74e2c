// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite evfd_shared: a counter whose count is in a page.
 *
 * The page is changed as user space does it, in the kernel's mapping. Pollers are
 * entries that ->poll puts on a queue; which queue says whether they are known to
 * poll again. selftests/shared_*_test.c have the same from user space.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "compat.h"
#include "file.h"
#include "helpers_kunit.h"
#include "shared.h"
#include "trace.h"

#define BOTH	(EVFD_ARMED_ADD | EVFD_ARMED_TAKE)

KUNIT_DEFINE_ACTION_WRAPPER(evfd_test_fput, fput, struct file *);

static struct evfd_shared *evfd_test_shared(struct kunit *test, u64 initval,
					    unsigned int flags)
{
	struct evfd_ctx *ctx;

	if (!evfd_shared_supported())
		kunit_skip(test, "not on this machine");
	ctx = evfd_shared_alloc(initval, EVFD_SHARED | flags);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx);
	evfd_kunit_defer(test, evfd_kunit_put, ctx);
	return evfd_shared_of(ctx);
}

static struct file *evfd_test_file(struct kunit *test, u64 initval, u64 flags)
{
	struct file *file;

	if (!evfd_shared_supported())
		kunit_skip(test, "not on this machine");
	file = evfd_file_alloc(initval, EVFD_SHARED | flags);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	evfd_kunit_defer(test, evfd_test_fput, file);
	return file;
}

static u32 evfd_test_armed(struct evfd_shared *shared)
{
	return READ_ONCE(shared->page->armed);
}

static void evfd_test_arm(struct evfd_shared *shared, u32 bits)
{
	WRITE_ONCE(shared->page->armed, bits);
}

static void evfd_test_set(struct evfd_shared *shared, u64 count)
{
	atomic64_set(evfd_shared_word(shared), count);
}

/* A poller on @queue of @shared. */
static struct evfd_kunit_poller *
evfd_test_join(struct kunit *test, struct wait_queue_head *queue,
	       void (*fn)(struct evfd_kunit_poller *poller),
	       struct evfd_ctx *target, int budget)
{
	struct evfd_kunit_poller *poller = evfd_kunit_poller(test);

	poller->fn = fn;
	poller->ctx = target;
	poller->budget = budget;
	poller->pt._qproc(NULL, queue, &poller->pt);
	return poller;
}

/* ---- the object ---- */

static void evfd_shared_alloc_is_as_asked(struct kunit *test)
{
	struct evfd_shared *shared = evfd_test_shared(test, 7, EVFD_SEMAPHORE);
	char *rest = (char *)(shared->page + 1);

	KUNIT_EXPECT_EQ(test, evfd_shared_count(shared), 7);
	KUNIT_EXPECT_EQ(test, evfd_any_count(&shared->ctx), 7);
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), 0);
	KUNIT_EXPECT_TRUE(test, evfd_ctx_is_shared(&shared->ctx));
	KUNIT_EXPECT_TRUE(test, evfd_ctx_is_semaphore(&shared->ctx));
	KUNIT_EXPECT_EQ(test, kref_read(&shared->ctx.kref), 1);
	KUNIT_EXPECT_PTR_EQ(test, NULL,
			    memchr_inv(rest, 0, PAGE_SIZE - sizeof(*shared->page)));
	/* Tells a signal that the count is elsewhere. */
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(&shared->ctx), EVFD_COUNT_OVERFLOW);
}

static void evfd_shared_release_tells_both_queues(struct kunit *test)
{
	struct evfd_shared *shared = evfd_test_shared(test, 0, 0);
	struct evfd_kunit_poller *keen, *poller;

	keen = evfd_test_join(test, &shared->keen, NULL, NULL, 0);
	poller = evfd_test_join(test, &shared->ctx.pollers, NULL, NULL, 0);
	KUNIT_EXPECT_EQ(test, evfd_any_pollers(&shared->ctx), 2);
	evfd_ctx_get(&shared->ctx);
	evfd_shared_release(&shared->ctx);
	EVFD_KUNIT_EXPECT_POLL(test, keen->key, EPOLLHUP);
	EVFD_KUNIT_EXPECT_POLL(test, poller->key, EPOLLHUP);
}

/* ---- the in-kernel API ---- */

static void evfd_shared_signal_at_edges(struct kunit *test)
{
	static const u64 counts[] = {
		0, 1, EVFD_SHARED_MAX - 1, EVFD_SHARED_MAX, EVFD_SHARED_MAX + 1,
		EVFD_COUNT_MAX, U64_MAX,
	};
	struct evfd_shared *shared = evfd_test_shared(test, 0, 0);
	int i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		evfd_test_set(shared, counts[i]);
		evfd_signal(&shared->ctx);
		KUNIT_EXPECT_EQ(test, evfd_shared_count(shared),
				evfd_count_signal(counts[i]));
	}
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), 0);
}

static void evfd_shared_has_room_up_to_the_limit(struct kunit *test)
{
	static const struct {
		u64 count;
		u64 most;
		__poll_t events;
	} cases[] = {
		{ 0, EVFD_SHARED_MAX, EPOLLOUT },
		{ 1, EVFD_SHARED_MAX - 1, EPOLLIN | EPOLLOUT },
		{ EVFD_SHARED_MAX - 1, 1, EPOLLIN | EPOLLOUT },
		{ EVFD_SHARED_MAX, 0, EPOLLIN },
	};
	static const u64 full[] = {
		EVFD_SHARED_MAX + 1, EVFD_COUNT_MAX, U64_MAX,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 count = cases[i].count;

		KUNIT_EXPECT_TRUE(test, evfd_shared_has_room(count, cases[i].most));
		KUNIT_EXPECT_FALSE(test, evfd_shared_has_room(count,
							      cases[i].most + 1));
		KUNIT_EXPECT_FALSE(test, evfd_shared_has_room(count, U64_MAX));
		EVFD_KUNIT_EXPECT_POLL(test, evfd_shared_events(count),
				       cases[i].events);
	}
	for (i = 0; i < ARRAY_SIZE(full); i++) {
		KUNIT_EXPECT_FALSE(test, evfd_shared_has_room(full[i], 0));
		KUNIT_EXPECT_FALSE(test, evfd_shared_has_room(full[i], 5));
		EVFD_KUNIT_EXPECT_POLL(test, evfd_shared_events(full[i]),
				       EPOLLIN | (full[i] == U64_MAX ? EPOLLERR : 0));
	}
}

static void evfd_shared_do_read_takes(struct kunit *test)
{
	struct evfd_shared *shared = evfd_test_shared(test, U64_MAX, 0);
	struct evfd_shared *semaphore = evfd_test_shared(test, 2, EVFD_SEMAPHORE);
	u64 n;

	evfd_ctx_do_read(&shared->ctx, &n);
	KUNIT_EXPECT_EQ(test, n, U64_MAX);
	evfd_ctx_do_read(&shared->ctx, &n);
	KUNIT_EXPECT_EQ(test, n, 0);

	evfd_ctx_do_read(&semaphore->ctx, &n);
	KUNIT_EXPECT_EQ(test, n, 1);
	KUNIT_EXPECT_EQ(test, evfd_shared_count(semaphore), 1);
	evfd_ctx_do_read(&semaphore->ctx, &n);
	KUNIT_EXPECT_EQ(test, n, 1);
	evfd_ctx_do_read(&semaphore->ctx, &n);
	KUNIT_EXPECT_EQ(test, n, 0);
}

static void evfd_shared_remove_wait_queue_leaves_keen(struct kunit *test)
{
	struct evfd_shared *shared = evfd_test_shared(test, 0, 0);
	struct evfd_kunit_poller *poller;
	u64 n;

	poller = evfd_test_join(test, &shared->keen, NULL, NULL, 0);
	evfd_signal(&shared->ctx);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller), 1);
	poller->queue = NULL;
	KUNIT_EXPECT_EQ(test, 0,
			evfd_ctx_remove_wait_queue(&shared->ctx, &poller->wait,
						   &n));
	KUNIT_EXPECT_EQ(test, n, 1);
	KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&shared->keen), 0);
	evfd_signal(&shared->ctx);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller), 1);
}

static void evfd_test_signal(struct evfd_kunit_poller *poller)
{
	if (poller->budget-- > 0)
		evfd_signal(poller->ctx);
}

static void evfd_test_read(struct evfd_kunit_poller *poller)
{
	u64 n;

	evfd_ctx_do_read(poller->ctx, &n);
	poller->got += n;
}

/* A callback must not walk the queues: the worker tells. */
static void evfd_shared_signal_from_a_callback(struct kunit *test)
{
	struct evfd_shared *shared = evfd_test_shared(test, 0, 0);
	struct evfd_kunit_poller *keen, *poller;

	keen = evfd_test_join(test, &shared->keen, evfd_test_signal, &shared->ctx,
			      3);
	poller = evfd_test_join(test, &shared->ctx.pollers, NULL, NULL, 0);
	evfd_signal(&shared->ctx);
	KUNIT_EXPECT_TRUE(test, evfd_kunit_until(evfd_shared_count(shared) == 4));
	KUNIT_EXPECT_TRUE(test, evfd_kunit_until(evfd_kunit_calls(keen) >= 4));
	KUNIT_EXPECT_TRUE(test, evfd_kunit_until(evfd_kunit_calls(poller) >= 2));
	KUNIT_EXPECT_FALSE(test, keen->nested);
	/* The worker's reference is gone. */
	KUNIT_EXPECT_TRUE(test, evfd_kunit_until(kref_read(&shared->ctx.kref) == 1));
}

static int evfd_test_wait_writable(struct evfd_kunit_task *task)
{
	return evfd_shared_wait_writable(task->ctx, task->n);
}

static int evfd_test_wait_readable(struct evfd_kunit_task *task)
{
	return evfd_shared_wait_readable(task->ctx);
}

/* A consumer in a callback makes room: a worker wakes the writer. */
static void evfd_shared_read_in_a_callback(struct kunit *test)
{
	struct evfd_shared *shared = evfd_test_shared(test, EVFD_SHARED_MAX, 0);
	struct evfd_kunit_poller *keen;
	struct evfd_kunit_task *task;

	task = evfd_kunit_start(test, evfd_test_wait_writable, &shared->ctx, NULL, 1);
	EVFD_KUNIT_UNTIL(test, evfd_kunit_asleep(task));
	keen = evfd_test_join(test, &shared->keen, evfd_test_read, &shared->ctx, 0);
	evfd_signal(&shared->ctx);
	KUNIT_EXPECT_EQ(test, keen->got, EVFD_SHARED_MAX + 1);
	KUNIT_EXPECT_TRUE(test, evfd_kunit_finished(task));
	KUNIT_EXPECT_EQ(test, task->ret, 0);
}

/* ---- arming ---- */

static void evfd_shared_poll_arms_what_is_asked(struct kunit *test)
{
	static const struct {
		u64 count;
		__poll_t key;
		u32 armed;
	} cases[] = {
		{ 0, EPOLLIN, EVFD_ARMED_ADD },
		{ 0, EPOLLOUT, EVFD_ARMED_TAKE },
		{ 0, EPOLLIN | EPOLLOUT, BOTH },
		{ 0, EPOLLERR | EPOLLHUP, 0 },
		{ 5, EPOLLIN, EVFD_ARMED_ADD },
		{ EVFD_SHARED_MAX, EPOLLIN | EPOLLOUT, BOTH },
	};
	struct file *file = evfd_test_file(test, 0, 0);
	struct evfd_shared *shared = evfd_shared_of(file->private_data);
	poll_table pt;
	int i;

	/* Without a queueing function, as epoll's and poll's later calls. */
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		evfd_test_set(shared, cases[i].count);
		evfd_test_arm(shared, 0);
		init_poll_funcptr(&pt, NULL);
		pt._key = cases[i].key;
		EVFD_KUNIT_EXPECT_POLL(test, vfs_poll(file, &pt),
				       evfd_shared_events(cases[i].count));
		KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), cases[i].armed);
	}
	KUNIT_EXPECT_EQ(test, evfd_any_pollers(&shared->ctx), 0);

	/* No table: the caller cannot wait. */
	evfd_test_arm(shared, 0);
	vfs_poll(file, NULL);
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), 0);
}

/* Unknown is keen; poll(2) is known. */
static void evfd_shared_poll_queues_by_who_asks(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 0, 0);
	struct evfd_shared *shared = evfd_shared_of(file->private_data);
	struct evfd_kunit_poller *poller = evfd_kunit_poller(test);
	struct poll_wqueues *table;

	vfs_poll(file, &poller->pt);
	KUNIT_EXPECT_PTR_EQ(test, poller->queue, &shared->keen);
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), BOTH);

	table = evfd_kunit_zalloc(test, sizeof(*table));
	poll_initwait(table);
	table->pt._key = EPOLLIN;
	vfs_poll(file, &table->pt);
	KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&shared->ctx.pollers), 1);
	KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&shared->keen), 1);
	poll_freewait(table);

	/* A waiter that may be passed over has to be told each time. */
	poll_initwait(table);
	table->pt._key = EPOLLIN | EPOLLEXCLUSIVE;
	vfs_poll(file, &table->pt);
	KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&shared->ctx.pollers), 0);
	KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&shared->keen), 2);
	poll_freewait(table);
}

static void evfd_shared_names_epoll_alone(struct kunit *test)
{
	struct evfd_kunit_poller *poller = evfd_kunit_poller(test);

	KUNIT_EXPECT_TRUE(test, !!evfd_learn_poll_proc());
	KUNIT_EXPECT_FALSE(test, evfd_is_epoll_proc(evfd_learn_poll_proc()));
	KUNIT_EXPECT_FALSE(test, evfd_is_epoll_proc(poller->pt._qproc));
	KUNIT_EXPECT_FALSE(test, evfd_is_epoll_proc(NULL));
}

/* ---- the kick ---- */

static void evfd_shared_kick_for_nobody_disarms(struct kunit *test)
{
	struct evfd_shared *shared = evfd_test_shared(test, 1, 0);

	evfd_test_arm(shared, BOTH);
	/* An add does not tell of room. */
	KUNIT_EXPECT_TRUE(test, evfd_shared_kick(&shared->ctx, 1));
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), EVFD_ARMED_TAKE);
	evfd_test_arm(shared, BOTH);
	KUNIT_EXPECT_TRUE(test, evfd_shared_kick(&shared->ctx, 0));
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), 0);
	/* With a count of 0, or without room, no waiter is told, and the bit stays. */
	evfd_test_set(shared, 0);
	evfd_test_arm(shared, EVFD_ARMED_ADD);
	KUNIT_EXPECT_FALSE(test, evfd_shared_kick(&shared->ctx, 1));
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), EVFD_ARMED_ADD);
	evfd_test_set(shared, EVFD_SHARED_MAX);
	evfd_test_arm(shared, EVFD_ARMED_TAKE);
	evfd_shared_kick(&shared->ctx, 0);
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), EVFD_ARMED_TAKE);
}

static void evfd_shared_kick_tells_pollers_once(struct kunit *test)
{
	struct evfd_shared *shared = evfd_test_shared(test, 1, 0);
	struct evfd_kunit_poller *poller;

	poller = evfd_test_join(test, &shared->ctx.pollers, NULL, NULL, 0);
	/* Not armed: not told. */
	evfd_shared_kick(&shared->ctx, 1);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller), 0);
	evfd_test_arm(shared, EVFD_ARMED_ADD);
	evfd_shared_kick(&shared->ctx, 1);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller), 1);
	EVFD_KUNIT_EXPECT_POLL(test, poller->key, EPOLLIN);
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), 0);
	evfd_test_arm(shared, EVFD_ARMED_TAKE);
	evfd_shared_kick(&shared->ctx, 0);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller), 2);
	EVFD_KUNIT_EXPECT_POLL(test, poller->key, EPOLLOUT);
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), 0);
}

static void evfd_shared_kick_leaves_the_bits_of_keen(struct kunit *test)
{
	struct evfd_shared *shared = evfd_test_shared(test, 1, 0);
	struct evfd_kunit_poller *keen, *poller;
	int i;

	keen = evfd_test_join(test, &shared->keen, NULL, NULL, 0);
	poller = evfd_test_join(test, &shared->ctx.pollers, NULL, NULL, 0);
	evfd_test_arm(shared, BOTH);
	for (i = 1; i < 4; i++) {
		evfd_shared_kick(&shared->ctx, 0);
		KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), BOTH);
		KUNIT_EXPECT_EQ(test, evfd_kunit_calls(keen), 2 * i);
		KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller), 2 * i);
	}
	EVFD_KUNIT_EXPECT_POLL(test, keen->keys, EPOLLIN | EPOLLOUT);
}

/* keen before readers before pollers: a consumer in a callback comes first. */
static void evfd_shared_kick_tells_keen_first(struct kunit *test)
{
	struct evfd_shared *shared = evfd_test_shared(test, 5, 0);
	struct evfd_kunit_poller *keen, *poller;

	keen = evfd_test_join(test, &shared->keen, evfd_test_read, &shared->ctx, 0);
	poller = evfd_test_join(test, &shared->ctx.pollers, NULL, NULL, 0);
	evfd_test_arm(shared, EVFD_ARMED_ADD);
	evfd_shared_kick(&shared->ctx, 5);
	KUNIT_EXPECT_EQ(test, keen->got, 5);
	/* Nothing is left to tell pollers of IN; a worker tells of the room. */
	KUNIT_EXPECT_FALSE(test, !!(poller->keys & EPOLLIN));
	KUNIT_EXPECT_TRUE(test, evfd_kunit_until(evfd_kunit_calls(poller) == 1));
	EVFD_KUNIT_EXPECT_POLL(test, poller->keys, EPOLLOUT);
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), EVFD_ARMED_ADD);
}

static void evfd_shared_kick_wakes_readers(struct kunit *test)
{
	struct evfd_shared *shared = evfd_test_shared(test, 0, EVFD_SEMAPHORE);
	struct evfd_kunit_task *task[3];
	int i;

	for (i = 0; i < ARRAY_SIZE(task); i++) {
		task[i] = evfd_kunit_start(test, evfd_test_wait_readable,
					   &shared->ctx, NULL, 0);
		EVFD_KUNIT_UNTIL(test, evfd_kunit_asleep(task[i]));
	}
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), EVFD_ARMED_ADD);
	evfd_test_set(shared, 2);
	/* No more than it says, nor than there is. */
	evfd_shared_kick(&shared->ctx, 1);
	KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&shared->ctx.readers), 2);
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), EVFD_ARMED_ADD);
	KUNIT_EXPECT_TRUE(test, evfd_kunit_finished(task[0]));
	evfd_test_set(shared, 1);
	evfd_shared_kick(&shared->ctx, U64_MAX);
	KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&shared->ctx.readers), 1);
	KUNIT_EXPECT_TRUE(test, evfd_kunit_finished(task[1]));
	KUNIT_EXPECT_TRUE(test, evfd_kunit_interrupt(task[2]));
}

static void evfd_shared_wait_is_interruptible(struct kunit *test)
{
	struct evfd_shared *shared = evfd_test_shared(test, 0, 0);
	struct evfd_shared *full = evfd_test_shared(test, EVFD_SHARED_MAX, 0);
	struct evfd_kunit_task *task;

	task = evfd_kunit_start(test, evfd_test_wait_readable, &shared->ctx, NULL, 0);
	EVFD_KUNIT_UNTIL(test, evfd_kunit_asleep(task));
	KUNIT_EXPECT_TRUE(test, evfd_kunit_interrupt(task));
	KUNIT_EXPECT_EQ(test, task->ret, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&shared->ctx.readers), 0);

	task = evfd_kunit_start(test, evfd_test_wait_writable, &full->ctx, NULL, 1);
	EVFD_KUNIT_UNTIL(test, evfd_kunit_asleep(task));
	KUNIT_EXPECT_TRUE(test, evfd_kunit_interrupt(task));
	KUNIT_EXPECT_EQ(test, task->ret, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&full->ctx.writers), 0);
}

/* ---- the gap between the clearing of a bit and the check of the queues ---- */

struct evfd_test_gap {
	struct evfd_shared *shared;
	struct evfd_kunit_poller *joins;
	u64 adds;
	int calls;
	bool uninterrupted;
};

/* In the gap a waiter joins, and user space adds without a kick. */
static void evfd_test_in_the_gap(void *data, const struct evfd_ctx *ctx, u32 bit)
{
	struct evfd_test_gap *gap = data;

	if (ctx != &gap->shared->ctx || gap->calls++)
		return;
	gap->uninterrupted = irqs_disabled();
	if (gap->joins)
		gap->joins->pt._qproc(NULL, &gap->shared->keen,
				      &gap->joins->pt);
	atomic64_add(gap->adds, evfd_shared_word(gap->shared));
}

static void evfd_test_unprobe(void *data)
{
	unregister_trace_evfd_disarm(evfd_test_in_the_gap, data);
	tracepoint_synchronize_unregister();
}

static struct evfd_test_gap *evfd_test_gap(struct kunit *test,
					   struct evfd_shared *shared, u64 adds)
{
	struct evfd_test_gap *gap = evfd_kunit_zalloc(test, sizeof(*gap));

	gap->shared = shared;
	gap->adds = adds;
	gap->joins = evfd_kunit_poller(test);
	KUNIT_ASSERT_EQ(test, 0,
			register_trace_evfd_disarm(evfd_test_in_the_gap, gap));
	evfd_kunit_defer(test, evfd_test_unprobe, gap);
	return gap;
}

static void evfd_shared_kick_sees_who_joins_in_the_gap(struct kunit *test)
{
	struct evfd_shared *shared = evfd_test_shared(test, 1, 0);
	struct evfd_test_gap *gap = evfd_test_gap(test, shared, 1);

	evfd_test_arm(shared, EVFD_ARMED_ADD);
	evfd_shared_kick(&shared->ctx, 1);
	KUNIT_EXPECT_EQ(test, gap->calls, 1);
	/* Others may rely on this one from here on until the pollers are told. */
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		KUNIT_EXPECT_TRUE(test, gap->uninterrupted);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
	/* It is told of what was added in the gap, and the bit is set again. */
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(gap->joins), 1);
	EVFD_KUNIT_EXPECT_POLL(test, gap->joins->key, EPOLLIN);
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), EVFD_ARMED_ADD);
}

/* The same, and the count is gone: no waiter is told, but the bit is set. */
static void evfd_shared_kick_arms_for_who_joins_in_the_gap(struct kunit *test)
{
	struct evfd_shared *shared = evfd_test_shared(test, 1, 0);
	struct evfd_test_gap *gap = evfd_test_gap(test, shared, -1);

	evfd_test_arm(shared, EVFD_ARMED_ADD);
	evfd_shared_kick(&shared->ctx, 1);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(gap->joins), 0);
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), EVFD_ARMED_ADD);
}

static void evfd_shared_kick_of_a_take_sees_who_joins_in_the_gap(struct kunit *test)
{
	struct evfd_shared *shared = evfd_test_shared(test, 1, 0);
	struct evfd_test_gap *gap = evfd_test_gap(test, shared, 0);

	evfd_test_arm(shared, EVFD_ARMED_TAKE);
	evfd_shared_kick(&shared->ctx, 0);
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		KUNIT_EXPECT_TRUE(test, gap->uninterrupted);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(gap->joins), 1);
	EVFD_KUNIT_EXPECT_POLL(test, gap->joins->key, EPOLLOUT);
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), EVFD_ARMED_TAKE);
}

/* User space adds without a kick, and the waiter leaves: its own need is met. */
static void evfd_test_post_and_leave(struct evfd_kunit_poller *poller)
{
	atomic64_inc(evfd_shared_word(evfd_shared_of(poller->ctx)));
	list_del_init(&poller->wait.entry);
	poller->queue = NULL;
}

/*
 * The worker sees a count of 0 and has only a mask to tell of. A post that comes
 * then sees the bit, and its kick that it is cleared: pollers are told of IN.
 */
static void evfd_shared_worker_tells_of_a_post_after_its_look(struct kunit *test)
{
	struct evfd_shared *shared = evfd_test_shared(test, 0, 0);
	struct evfd_kunit_poller *keen, *poller;

	keen = evfd_test_join(test, &shared->keen, evfd_test_post_and_leave,
			      &shared->ctx, 0);
	poller = evfd_test_join(test, &shared->ctx.pollers, NULL, NULL, 0);
	evfd_test_arm(shared, EVFD_ARMED_ADD);
	evfd_shared_wake_deferred(&shared->ctx, false, EPOLLHUP);
	EVFD_KUNIT_EXPECT_POLL(test, keen->keys, EPOLLHUP);
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), 0);
	EVFD_KUNIT_EXPECT_POLL(test, poller->keys, EPOLLIN | EPOLLHUP);
	KUNIT_EXPECT_FALSE(test, evfd_shared_kick(&shared->ctx, 1));
}

/* A bit that was cleared is no poller's any more: it is told, whatever is left. */
static void evfd_shared_kick_tells_the_disarmed(struct kunit *test)
{
	struct evfd_shared *shared = evfd_test_shared(test, 1, 0);
	struct evfd_test_gap *gap = evfd_test_gap(test, shared, -1);
	struct evfd_kunit_poller *poller;

	gap->joins = NULL;
	poller = evfd_test_join(test, &shared->ctx.pollers, NULL, NULL, 0);
	evfd_test_arm(shared, EVFD_ARMED_ADD);
	evfd_shared_kick(&shared->ctx, 1);
	KUNIT_EXPECT_EQ(test, evfd_shared_count(shared), 0);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller), 1);
	KUNIT_EXPECT_EQ(test, evfd_test_armed(shared), 0);
}

static struct kunit_case evfd_shared_cases[] = {
	KUNIT_CASE(evfd_shared_alloc_is_as_asked),
	KUNIT_CASE(evfd_shared_release_tells_both_queues),
	KUNIT_CASE(evfd_shared_signal_at_edges),
	KUNIT_CASE(evfd_shared_has_room_up_to_the_limit),
	KUNIT_CASE(evfd_shared_do_read_takes),
	KUNIT_CASE(evfd_shared_remove_wait_queue_leaves_keen),
	KUNIT_CASE(evfd_shared_signal_from_a_callback),
	KUNIT_CASE(evfd_shared_read_in_a_callback),
	KUNIT_CASE(evfd_shared_poll_arms_what_is_asked),
	KUNIT_CASE(evfd_shared_poll_queues_by_who_asks),
	KUNIT_CASE(evfd_shared_names_epoll_alone),
	KUNIT_CASE(evfd_shared_kick_for_nobody_disarms),
	KUNIT_CASE(evfd_shared_kick_tells_pollers_once),
	KUNIT_CASE(evfd_shared_kick_leaves_the_bits_of_keen),
	KUNIT_CASE(evfd_shared_kick_tells_keen_first),
	KUNIT_CASE(evfd_shared_kick_wakes_readers),
	KUNIT_CASE(evfd_shared_wait_is_interruptible),
	KUNIT_CASE(evfd_shared_kick_sees_who_joins_in_the_gap),
	KUNIT_CASE(evfd_shared_kick_arms_for_who_joins_in_the_gap),
	KUNIT_CASE(evfd_shared_kick_of_a_take_sees_who_joins_in_the_gap),
	KUNIT_CASE(evfd_shared_worker_tells_of_a_post_after_its_look),
	KUNIT_CASE(evfd_shared_kick_tells_the_disarmed),
	{}
};

static struct kunit_suite evfd_shared_suite = {
	.name = "evfd_shared",
	.test_cases = evfd_shared_cases,
};

kunit_test_suite(evfd_shared_suite);
