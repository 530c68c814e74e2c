// SPDX-License-Identifier: GPL-2.0-only
/*
 * EVFD_SHARED: pollers. A post or take in the page is to poll, select and epoll what
 * a write(2) or read(2) is on eventfd(2), so most tests run on both. And no post
 * costs a system call while the poller is busy.
 *
 * Uses libevfd's <sys/evfd.h>, evfd_poll.h and evfd_task.h; read shared_test.c first.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/evfd.h>
#include <sys/select.h>

#include "kselftest_harness.h"
#include "evfd_poll.h"
#include "evfd_task.h"

#define MAX	(variant->shared ? EVFD_SHARED_MAX : EVFD_COUNT_MAX)
#define BOTH	(EVFD_ARMED_ADD | EVFD_ARMED_TAKE)

/* A counter to be polled, and how to change it without a system call, if it can. */
struct counter {
	struct evfd_mapping map;
	int fd;
	bool shared;
	/* Post by evfd_try_post(), which kicks, where evfd_post() may write(2). */
	bool kick;
};

static int counter_make(struct counter *counter, bool shared, int flags,
			uint64_t initval)
{
	counter->shared = shared;
	counter->kick = false;
	counter->fd = evfd_test_make(shared, flags | (shared ? EVFD_SHARED : 0),
				     initval);
	if (counter->fd < 0)
		return -1;
	return shared ? evfd_map(&counter->map, counter->fd) : 0;
}

static void counter_drop(struct counter *counter)
{
	if (counter->shared)
		evfd_unmap(&counter->map);
	close(counter->fd);
}

static int post(struct counter *counter, uint64_t n)
{
	if (!counter->shared)
		return evfd_test_write(counter->fd, n) == 8 ? 0 : -1;
	return counter->kick ? evfd_try_post(&counter->map, n) :
			       evfd_post(&counter->map, n);
}

static uint64_t take(struct counter *counter)
{
	uint64_t n = 0;

	if (counter->shared)
		return evfd_try_take(&counter->map, &n) ? 0 : n;
	return evfd_test_read(counter->fd, &n) == 8 ? n : 0;
}

/* The bits, as @bits if that is what they should be. An eventfd has none. */
static unsigned int armed(struct counter *counter, unsigned int bits)
{
	return counter->shared ? counter->map.page->armed : bits;
}

static ssize_t task_poll(struct evfd_task *task)
{
	return wait_poll(task->fd, task->arg, task->value);
}

static ssize_t task_select(struct evfd_task *task)
{
	fd_set in, out;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(task->fd, task->arg == POLLIN ? &in : &out);
	return sysret(select(task->fd + 1, &in, &out, NULL, NULL));
}

static ssize_t task_epoll(struct evfd_task *task)
{
	struct epoll_event ev;
	int ret = epoll_wait(task->fd, &ev, 1, -1);

	return ret < 0 ? -errno : (int)ev.events;
}

FIXTURE(polled)
{
	struct counter counter;
	int fd;
	int ep;
};

FIXTURE_VARIANT(polled)
{
	bool shared;
	bool kick;
};

FIXTURE_VARIANT_ADD(polled, shared)
{
	.shared = true,
};

FIXTURE_VARIANT_ADD(polled, shared_kick)
{
	.shared = true,
	.kick = true,
};

FIXTURE_VARIANT_ADD(polled, eventfd)
{
	.shared = false,
};

FIXTURE_SETUP(polled)
{
	ASSERT_EQ(0, counter_make(&self->counter, variant->shared,
				  EVFD_NONBLOCK, 0));
	self->counter.kick = variant->kick;
	self->fd = self->counter.fd;
	self->ep = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, self->ep);
}

FIXTURE_TEARDOWN(polled)
{
	close(self->ep);
	counter_drop(&self->counter);
}

TEST_F(polled, post_ends_a_poll)
{
	struct evfd_task task = {
		.fd = self->fd, .op = task_poll, .arg = POLLIN, .value = -1,
	};

	ASSERT_EQ(0, evfd_task_start(&task));
	EXPECT_EQ(EVFD_ARMED_ADD, armed(&self->counter, EVFD_ARMED_ADD));
	EXPECT_EQ(0, post(&self->counter, 1));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(POLLIN, task.ret);
}

/* do_poll() checks once more when the time is up, which would hide a lost wakeup. */
TEST_F(polled, post_ends_a_poll_with_a_timeout)
{
	const int limit = 6 * EVFD_TEST_PATIENCE_MS;
	struct evfd_task task = {
		.fd = self->fd, .op = task_poll, .arg = POLLIN, .value = limit,
	};
	long begin = evfd_test_now_ms();

	ASSERT_EQ(0, evfd_task_start(&task));
	EXPECT_EQ(0, post(&self->counter, 1));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(POLLIN, task.ret);
	EXPECT_GT(limit, evfd_test_now_ms() - begin);
}

TEST_F(polled, take_ends_a_poll_for_out)
{
	struct evfd_task task = {
		.fd = self->fd, .op = task_poll, .arg = POLLOUT, .value = -1,
	};

	EXPECT_EQ(0, post(&self->counter, MAX));
	ASSERT_EQ(0, evfd_task_start(&task));
	EXPECT_EQ(EVFD_ARMED_TAKE, armed(&self->counter, EVFD_ARMED_TAKE));
	EXPECT_EQ(MAX, take(&self->counter));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(POLLOUT, task.ret);
}

TEST_F(polled, post_and_take_end_a_select)
{
	struct evfd_task task = {
		.fd = self->fd, .op = task_select, .arg = POLLIN,
	};

	ASSERT_EQ(0, evfd_task_start(&task));
	EXPECT_EQ(0, post(&self->counter, 1));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(1, task.ret);

	EXPECT_EQ(0, post(&self->counter, MAX - 1));
	task.arg = POLLOUT;
	ASSERT_EQ(0, evfd_task_start(&task));
	EXPECT_EQ(MAX, take(&self->counter));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(1, task.ret);
}

TEST_F(polled, all_pollers_are_told)
{
	struct evfd_task tasks[4];
	int i;

	for (i = 0; i < 4; i++) {
		tasks[i] = (struct evfd_task){
			.fd = self->fd, .op = i % 2 ? task_poll : task_select,
			.arg = POLLIN, .value = -1,
		};
		ASSERT_EQ(0, evfd_task_start(&tasks[i]));
	}
	EXPECT_EQ(0, post(&self->counter, 1));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, evfd_task_join(&tasks[i]));
		EXPECT_LT(0, tasks[i].ret);
	}
}

TEST_F(polled, a_poll_that_does_not_wait_asks_for_a_kick)
{
	EXPECT_EQ(0, wait_poll(self->fd, POLLIN, 0));
	EXPECT_EQ(EVFD_ARMED_ADD, armed(&self->counter, EVFD_ARMED_ADD));
	/* No waiter is left: the kick clears the bit. */
	EXPECT_EQ(0, post(&self->counter, 1));
	EXPECT_EQ(0, armed(&self->counter, 0));
	EXPECT_EQ(POLLIN | POLLOUT, wait_poll(self->fd, POLLIN | POLLOUT, 0));
	EXPECT_EQ(BOTH, armed(&self->counter, BOTH));
	EXPECT_EQ(1, take(&self->counter));
}

TEST_F(polled, level_triggered)
{
	int i;

	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN));
	EXPECT_EQ(0, ep_now(self->ep));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(EVFD_ARMED_ADD, armed(&self->counter, EVFD_ARMED_ADD));
		EXPECT_EQ(0, post(&self->counter, 1));
		/* It was told, and is busy: posts are free. */
		EXPECT_EQ(0, armed(&self->counter, 0));
		EXPECT_EQ(0, post(&self->counter, 1));
		EXPECT_EQ(0, armed(&self->counter, 0));
		EXPECT_EQ(EPOLLIN, ep_now(self->ep));
		EXPECT_EQ(EPOLLIN, ep_now(self->ep));
		EXPECT_EQ(2, take(&self->counter));
		/* It polls before it sleeps. */
		EXPECT_EQ(0, ep_now(self->ep));
	}
}

TEST_F(polled, level_triggered_out)
{
	EXPECT_EQ(0, post(&self->counter, MAX));
	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLOUT));
	EXPECT_EQ(0, ep_now(self->ep));
	EXPECT_EQ(EVFD_ARMED_TAKE, armed(&self->counter, EVFD_ARMED_TAKE));
	EXPECT_EQ(MAX, take(&self->counter));
	EXPECT_EQ(0, armed(&self->counter, 0));
	EXPECT_EQ(EPOLLOUT, ep_now(self->ep));
}

TEST_F(polled, level_triggered_sleeper)
{
	struct evfd_task task = { .fd = self->ep, .op = task_epoll };
	int i;

	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, evfd_task_start(&task));
		EXPECT_EQ(0, post(&self->counter, 1));
		ASSERT_EQ(0, evfd_task_join(&task));
		EXPECT_EQ(EPOLLIN, task.ret);
		EXPECT_EQ(1, take(&self->counter));
	}
}

TEST_F(polled, edge_triggered_without_taking)
{
	int i;

	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN | EPOLLET));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(0, post(&self->counter, 1));
		EXPECT_EQ(EPOLLIN, ep_now(self->ep));
		EXPECT_EQ(0, ep_now(self->ep));
	}
	/* Posts without a call between them are one event. */
	EXPECT_EQ(0, post(&self->counter, 1));
	EXPECT_EQ(0, post(&self->counter, 1));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	EXPECT_EQ(0, ep_now(self->ep));
}

TEST_F(polled, edge_triggered_out_without_posting)
{
	struct counter counter;
	int i;

	ASSERT_EQ(0, counter_make(&counter, variant->shared,
				  EVFD_NONBLOCK | EVFD_SEMAPHORE, 5));
	ASSERT_EQ(0, ep_add(self->ep, counter.fd, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, ep_now(self->ep));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(1, take(&counter));
		EXPECT_EQ(EPOLLOUT, ep_now(self->ep));
		EXPECT_EQ(0, ep_now(self->ep));
	}
	counter_drop(&counter);
}

TEST_F(polled, oneshot)
{
	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN | EPOLLONESHOT));
	EXPECT_EQ(0, post(&self->counter, 1));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	EXPECT_EQ(0, post(&self->counter, 1));
	EXPECT_EQ(0, ep_now(self->ep));
	EXPECT_EQ(2, take(&self->counter));
	ASSERT_EQ(0, ep_mod(self->ep, self->fd, EPOLLIN | EPOLLONESHOT));
	EXPECT_EQ(0, ep_now(self->ep));
	EXPECT_EQ(0, post(&self->counter, 1));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
}

/* The second sleeper is told of the second post while the first is busy. */
TEST_F(polled, exclusive_sets_are_told_one_by_one)
{
	struct evfd_task tasks[2];
	int ep[2], i;

	for (i = 0; i < 2; i++) {
		ep[i] = epoll_create1(0);
		ASSERT_EQ(0, ep_add(ep[i], self->fd, EPOLLIN | EPOLLEXCLUSIVE));
		tasks[i] = (struct evfd_task){ .fd = ep[i], .op = task_epoll };
		ASSERT_EQ(0, evfd_task_start(&tasks[i]));
	}
	EXPECT_EQ(0, post(&self->counter, 1));
	EXPECT_TRUE(evfd_test_until(evfd_task_settle(tasks, 2) == 1));
	EXPECT_EQ(EVFD_ARMED_ADD, armed(&self->counter, EVFD_ARMED_ADD));
	EXPECT_EQ(0, post(&self->counter, 1));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, evfd_task_join(&tasks[i]));
		EXPECT_EQ(EPOLLIN, tasks[i].ret);
		close(ep[i]);
	}
}

/* Sets in sets: how often the outer one is told of five posts. */
static int told(struct counter *counter, int inner_events, int outer_events,
		bool ask_inner)
{
	int inner = epoll_create1(0), outer = epoll_create1(0), told = 0, i;

	ep_add(inner, counter->fd, EPOLLIN | inner_events);
	ep_add(outer, inner, EPOLLIN | outer_events);
	for (i = 0; i < 5; i++) {
		post(counter, 1);
		told += ep_now(outer) == EPOLLIN;
		if (ask_inner)
			ep_now(inner);
	}
	close(outer);
	close(inner);
	return told;
}

TEST_F(polled, a_set_within_a_set)
{
	static const int events[] = { 0, EPOLLET };
	struct counter like;
	int inner, outer, ask;

	for (inner = 0; inner < 2; inner++) {
		for (outer = 0; outer < 2; outer++) {
			for (ask = 0; ask < 2; ask++) {
				/* An eventfd says how often. */
				ASSERT_EQ(0, counter_make(&like, false,
							  EVFD_NONBLOCK, 0));
				EXPECT_EQ(told(&like, events[inner],
					       events[outer], ask),
					  told(&self->counter, events[inner],
					       events[outer], ask));
				counter_drop(&like);
				take(&self->counter);
			}
		}
	}
}

/* Takes what the set @ep reports, until it reports nothing. Returns how often. */
static int drain(int ep, struct counter *counters, int n)
{
	struct epoll_event event;
	int taken = 0, i;

	while (epoll_wait(ep, &event, 1, 0) == 1) {
		for (i = 0; i < n; i++)
			if (event.data.fd == counters[i].fd)
				taken += !!take(&counters[i]);
	}
	return taken;
}

/* Edge-triggered on a set of several: it is told again after the set was drained. */
TEST_F(polled, a_drained_set_of_several_within_a_set)
{
	static const int inner_events[] = { 0, EPOLLET };
	struct counter counters[3];
	int i, j, inner, outer;

	for (j = 0; j < 2; j++) {
		inner = epoll_create1(0);
		outer = epoll_create1(0);
		for (i = 0; i < 3; i++) {
			ASSERT_EQ(0, counter_make(&counters[i], variant->shared,
						  EVFD_NONBLOCK, 0));
			counters[i].kick = variant->kick;
			ASSERT_EQ(0, ep_add(inner, counters[i].fd,
					    EPOLLIN | inner_events[j]));
		}
		ASSERT_EQ(0, ep_add(outer, inner, EPOLLIN | EPOLLET));
		/* Several at once, then each alone, in each order. */
		for (i = 0; i < 12; i++) {
			EXPECT_EQ(0, post(&counters[i % 3], 1));
			if (i < 6)
				EXPECT_EQ(0, post(&counters[(i + 1) % 3], 1));
			EXPECT_EQ(EPOLLIN, ep_now(outer));
			EXPECT_EQ(i < 6 ? 2 : 1, drain(inner, counters, 3));
			EXPECT_EQ(0, ep_now(outer));
		}
		for (i = 0; i < 3; i++)
			counter_drop(&counters[i]);
		close(outer);
		close(inner);
	}
}

TEST_F(polled, a_sleeper_on_a_set_within_a_set)
{
	int outer = epoll_create1(0), i;
	struct evfd_task task = { .fd = outer, .op = task_epoll };

	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN));
	ASSERT_EQ(0, ep_add(outer, self->ep, EPOLLIN));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(0, evfd_task_start(&task));
		EXPECT_EQ(0, post(&self->counter, 1));
		ASSERT_EQ(0, evfd_task_join(&task));
		EXPECT_EQ(EPOLLIN, task.ret);
		EXPECT_EQ(1, take(&self->counter));
	}
	close(outer);
}

TEST_F(polled, a_reader_and_a_poller_are_both_told)
{
	struct evfd_task poller = {
		.op = task_poll, .arg = POLLIN, .value = -1,
	};
	struct evfd_task reader = { .op = evfd_task_read };
	struct counter counter;

	ASSERT_EQ(0, counter_make(&counter, variant->shared, EVFD_SEMAPHORE, 0));
	counter.kick = variant->kick;
	poller.fd = counter.fd;
	reader.fd = counter.fd;
	ASSERT_EQ(0, evfd_task_start(&poller));
	ASSERT_EQ(0, evfd_task_start(&reader));
	EXPECT_EQ(0, post(&counter, 2));
	ASSERT_EQ(0, evfd_task_join(&poller));
	ASSERT_EQ(0, evfd_task_join(&reader));
	EXPECT_EQ(POLLIN, poller.ret);
	EXPECT_EQ(8, reader.ret);
	counter_drop(&counter);
}

/* What only a page has. */
FIXTURE(page)
{
	struct counter counter;
	int ep;
};

FIXTURE_SETUP(page)
{
	ASSERT_EQ(0, counter_make(&self->counter, true, EVFD_NONBLOCK, 0));
	self->ep = epoll_create1(EPOLL_CLOEXEC);
}

FIXTURE_TEARDOWN(page)
{
	close(self->ep);
	counter_drop(&self->counter);
}

/* A kick that finds 0 tells no poller, so it must leave the bit. */
TEST_F(page, a_kick_that_comes_too_late_leaves_the_bit)
{
	struct evfd_task task = {
		.fd = self->counter.fd, .op = task_poll, .arg = POLLIN,
		.value = -1,
	};

	ASSERT_EQ(0, evfd_task_start(&task));
	EXPECT_EQ(0, ioctl(self->counter.fd, EVFD_IOC_KICK, 1));
	EXPECT_EQ(0, evfd_task_rewoken(&task));
	EXPECT_EQ(EVFD_ARMED_ADD, self->counter.map.page->armed);
	EXPECT_EQ(0, post(&self->counter, 1));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(POLLIN, task.ret);
}

/* The kernel's own add and take tell pollers, and disarm as well. */
TEST_F(page, write_and_read_disarm)
{
	uint64_t n;

	ASSERT_EQ(0, ep_add(self->ep, self->counter.fd, EPOLLIN | EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, ep_now(self->ep));
	EXPECT_EQ(BOTH, self->counter.map.page->armed);
	EXPECT_EQ(8, evfd_test_write(self->counter.fd, 1));
	EXPECT_EQ(EVFD_ARMED_TAKE, self->counter.map.page->armed);
	EXPECT_EQ(8, evfd_test_read(self->counter.fd, &n));
	EXPECT_EQ(0, self->counter.map.page->armed);
	EXPECT_EQ(EPOLLOUT, ep_now(self->ep));
	EXPECT_EQ(BOTH, self->counter.map.page->armed);
}

TEST_F(page, a_scribbled_bit_suppresses_no_event_of_the_kernel)
{
	ASSERT_EQ(0, ep_add(self->ep, self->counter.fd, EPOLLIN | EPOLLET));
	self->counter.map.page->armed = 0;
	EXPECT_EQ(8, evfd_test_write(self->counter.fd, 1));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	self->counter.map.page->armed = 0;
	EXPECT_EQ(8, evfd_test_write(self->counter.fd, 0));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
}

TEST_F(page, fdinfo_counts_pollers_of_both_kinds)
{
	int other = epoll_create1(0), pollers = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", self->counter.fd);
	ASSERT_EQ(0, ep_add(self->ep, self->counter.fd, EPOLLIN));
	ASSERT_EQ(0, ep_add(other, self->counter.fd, EPOLLIN | EPOLLEXCLUSIVE));
	EXPECT_EQ(0, evfd_test_proc(path, "evfd-pollers:", "%d", &pollers));
	EXPECT_EQ(2, pollers);
	close(other);
}

/* An event loop, and producers that make system calls only when it sleeps. */
#define POSTS	50000

static ssize_t task_posts(struct evfd_task *task)
{
	struct counter *counter = (void *)(uintptr_t)task->arg;
	int i;

	for (i = 0; i < POSTS; i++) {
		if (post(counter, 1))
			return -errno;
	}
	return 0;
}

static ssize_t task_loop(struct evfd_task *task)
{
	struct counter *counter = (void *)(uintptr_t)task->arg;
	uint64_t sum = 0;
	struct epoll_event ev;

	while (sum < task->value) {
		if (epoll_wait(task->fd, &ev, 1, -1) != 1)
			return -errno;
		/* Twice an edge: the second take may find nothing. */
		sum += take(counter);
		if (ev.events & EPOLLIN && sum < task->value)
			sum += take(counter);
	}
	return sum;
}

static int run_loop(struct counter *counter, int ep)
{
	struct evfd_task producers[2], loop = {
		.fd = ep, .op = task_loop, .arg = (uintptr_t)counter,
		.value = 2 * POSTS,
	};
	int i, ret = evfd_task_run(&loop);

	for (i = 0; i < 2 && !ret; i++) {
		producers[i] = loop;
		producers[i].op = task_posts;
		ret = evfd_task_run(&producers[i]);
	}
	for (i = 0; i < 2 && !ret; i++)
		ret = evfd_task_join(&producers[i]) ?: producers[i].ret;
	if (!ret)
		ret = evfd_task_join(&loop);

	return ret ?: loop.ret;
}

TEST_F(page, a_level_triggered_loop_misses_nothing)
{
	ASSERT_EQ(0, ep_add(self->ep, self->counter.fd, EPOLLIN));
	EXPECT_EQ(2 * POSTS, run_loop(&self->counter, self->ep));
}

TEST_F(page, an_edge_triggered_loop_misses_nothing)
{
	ASSERT_EQ(0, ep_add(self->ep, self->counter.fd, EPOLLIN | EPOLLET));
	EXPECT_EQ(2 * POSTS, run_loop(&self->counter, self->ep));
}

TEST_F(page, a_level_triggered_loop_that_is_kicked_misses_nothing)
{
	self->counter.kick = true;
	ASSERT_EQ(0, ep_add(self->ep, self->counter.fd, EPOLLIN));
	EXPECT_EQ(2 * POSTS, run_loop(&self->counter, self->ep));
}

TEST_F(page, an_edge_triggered_loop_that_is_kicked_misses_nothing)
{
	self->counter.kick = true;
	ASSERT_EQ(0, ep_add(self->ep, self->counter.fd, EPOLLIN | EPOLLET));
	EXPECT_EQ(2 * POSTS, run_loop(&self->counter, self->ep));
}

TEST_HARNESS_MAIN
