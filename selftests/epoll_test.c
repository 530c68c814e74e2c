// SPDX-License-Identifier: GPL-2.0-only
/*
 * epoll on a counter: level-triggered, edge-triggered, EPOLLONESHOT,
 * EPOLLEXCLUSIVE, sets in sets. On evfd and on eventfd(2), except where eventfd
 * loses a wakeup. Uses evfd_poll.h and evfd_task.h; read poll_test.c first.
 */
#include <poll.h>
#include <sys/epoll.h>

#include "kselftest_harness.h"
#include "evfd_poll.h"
#include "evfd_task.h"

static ssize_t task_epoll_wait(struct evfd_task *task)
{
	struct epoll_event ev;
	int ret = epoll_wait(task->fd, &ev, 1, -1);

	task->value = ret == 1 ? ev.data.fd : -1;
	return ret < 0 ? -errno : (int)ev.events;
}

/* The events of the set @ep, or -EEXIST if it reports some again. */
static int ep_once(int ep)
{
	int events = ep_now(ep);

	return ep_now(ep) ? -EEXIST : events;
}

FIXTURE(epoll)
{
	int fd;
	int ep;
};

FIXTURE_VARIANT(epoll) { bool evfd; };
FIXTURE_VARIANT_ADD(epoll, evfd) { .evfd = true };
FIXTURE_VARIANT_ADD(epoll, eventfd) { .evfd = false };

FIXTURE_SETUP(epoll)
{
	self->fd = evfd_test_make(variant->evfd, EVFD_NONBLOCK, 0);
	self->ep = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, self->ep);
}

FIXTURE_TEARDOWN(epoll)
{
	close(self->ep);
	close(self->fd);
}

TEST_F(epoll, level_triggered_returns_as_long_as_it_lasts)
{
	int i;

	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN));
	EXPECT_EQ(0, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, 3));
	for (i = 0; i < 5; i++)
		EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, ep_now(self->ep));
}

TEST_F(epoll, level_triggered_semaphore_returns_once_per_unit_taken)
{
	int fd, rounds = 0;

	fd = evfd_test_make(variant->evfd, EVFD_NONBLOCK | EVFD_SEMAPHORE, 4);
	ASSERT_EQ(0, ep_add(self->ep, fd, EPOLLIN));
	while (rounds < 10 && ep_now(self->ep) == EPOLLIN) {
		ASSERT_EQ(8, evfd_test_read(fd, NULL));
		rounds++;
	}
	EXPECT_EQ(4, rounds);
	close(fd);
}

TEST_F(epoll, edge_triggered_gives_one_event_per_write)
{
	int i;

	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN | EPOLLET));
	EXPECT_EQ(0, ep_now(self->ep));
	/* Nothing is there to be read, so nothing to report. */
	ASSERT_EQ(8, evfd_test_write(self->fd, 0));
	EXPECT_EQ(0, ep_now(self->ep));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		EXPECT_EQ(EPOLLIN, ep_once(self->ep));
	}
	/* Two writes without an epoll_wait() between them are one event. */
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(EPOLLIN, ep_once(self->ep));
	/* A write of 0 is a write. */
	ASSERT_EQ(8, evfd_test_write(self->fd, 0));
	EXPECT_EQ(EPOLLIN, ep_once(self->ep));
	/* A read is none, and its value is not reported any more. */
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(6, evfd_test_value(self->fd));
	EXPECT_EQ(0, ep_now(self->ep));
	/* A failed write or read is none either. */
	EXPECT_EQ(-EAGAIN, evfd_test_read(self->fd, NULL));
	EXPECT_EQ(-EINVAL, evfd_test_write(self->fd, UINT64_MAX));
	EXPECT_EQ(0, ep_now(self->ep));
}

TEST_F(epoll, edge_triggered_out_comes_with_each_read_and_write)
{
	const int both = EPOLLIN | EPOLLOUT;

	ASSERT_EQ(0, ep_add(self->ep, self->fd, both | EPOLLET));
	EXPECT_EQ(EPOLLOUT, ep_once(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, 0));
	EXPECT_EQ(EPOLLOUT, ep_once(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, 2));
	EXPECT_EQ(both, ep_once(self->ep));
	ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
	EXPECT_EQ(EPOLLOUT, ep_once(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, evfd_test_max(variant->evfd)));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
	EXPECT_EQ(EPOLLOUT, ep_once(self->ep));
}

TEST_F(epoll, edge_triggered_waiter_for_out_alone_sees_reads_only)
{
	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, 5));
	EXPECT_EQ(0, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
	EXPECT_EQ(EPOLLOUT, ep_once(self->ep));
}

TEST_F(epoll, oneshot_is_silent_until_rearmed)
{
	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN | EPOLLONESHOT));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(EPOLLIN, ep_once(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(0, ep_now(self->ep));
	/* A write before it is armed again is reported then. */
	ASSERT_EQ(0, ep_mod(self->ep, self->fd, EPOLLIN | EPOLLONESHOT));
	EXPECT_EQ(EPOLLIN, ep_once(self->ep));
	EXPECT_EQ(2, evfd_test_value(self->fd));
	ASSERT_EQ(0, ep_mod(self->ep, self->fd, EPOLLIN | EPOLLONESHOT));
	EXPECT_EQ(0, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
}

TEST_F(epoll, edge_triggered_oneshot)
{
	const uint32_t events = EPOLLIN | EPOLLET | EPOLLONESHOT;

	ASSERT_EQ(0, ep_add(self->ep, self->fd, events));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(0, ep_now(self->ep));
	ASSERT_EQ(0, ep_mod(self->ep, self->fd, events));
	EXPECT_EQ(EPOLLIN, ep_once(self->ep));
}

TEST_F(epoll, epoll_ctl_adds_changes_and_removes)
{
	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN));
	EXPECT_EQ(-EEXIST, ep_add(self->ep, self->fd, EPOLLIN));
	EXPECT_EQ(0, ep_now(self->ep));
	/* The state at the time of the change counts. */
	ASSERT_EQ(0, ep_mod(self->ep, self->fd, EPOLLOUT));
	EXPECT_EQ(EPOLLOUT, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, evfd_test_max(variant->evfd)));
	EXPECT_EQ(0, ep_now(self->ep));
	ASSERT_EQ(0, ep_mod(self->ep, self->fd, EPOLLIN));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	ASSERT_EQ(0, epoll_ctl(self->ep, EPOLL_CTL_DEL, self->fd, NULL));
	EXPECT_EQ(0, ep_now(self->ep));
	EXPECT_EQ(-ENOENT, sysret(epoll_ctl(self->ep, EPOLL_CTL_DEL, self->fd, NULL)));
	EXPECT_EQ(-ENOENT, ep_mod(self->ep, self->fd, EPOLLIN));
	/* A level that holds when it is added is reported. */
	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN | EPOLLET));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
}

TEST_F(epoll, a_removed_counter_does_not_wake_who_waits)
{
	struct evfd_task task = { .op = task_epoll_wait, .fd = self->ep };
	int other = evfd_test_make(variant->evfd, EVFD_NONBLOCK, 0);

	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN));
	ASSERT_EQ(0, ep_add(self->ep, other, EPOLLIN));
	ASSERT_EQ(0, evfd_task_start(&task));
	ASSERT_EQ(0, epoll_ctl(self->ep, EPOLL_CTL_DEL, self->fd, NULL));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(0, evfd_task_settle(&task, 1));
	ASSERT_EQ(8, evfd_test_write(other, 1));
	ASSERT_EQ(EPOLLIN, evfd_task_result(&task));
	EXPECT_EQ(other, task.value);
	close(other);
}

TEST_F(epoll, a_counter_added_while_another_thread_waits_wakes_it)
{
	struct evfd_task task = { .op = task_epoll_wait, .fd = self->ep };

	ASSERT_EQ(0, evfd_task_start(&task));
	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN));
	ASSERT_EQ(0, evfd_task_settle(&task, 1));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(EPOLLIN, evfd_task_result(&task));
	EXPECT_EQ(self->fd, task.value);
}

TEST_F(epoll, closing_the_last_descriptor_leaves_the_set)
{
	struct epoll_event ev[4];
	int fd = evfd_test_make(variant->evfd, 0, 1);
	int copy;

	ASSERT_EQ(0, ep_add(self->ep, fd, EPOLLIN));
	copy = dup(fd);
	close(fd);
	/* The file is still open, and so it stays in the set. */
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	close(copy);
	EXPECT_EQ(0, epoll_wait(self->ep, ev, 4, 0));
}

TEST_F(epoll, a_copy_is_a_member_of_its_own)
{
	struct epoll_event ev[4];
	int copy = dup(self->fd);

	ASSERT_LE(0, copy);
	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN | EPOLLET));
	ASSERT_EQ(0, ep_add(self->ep, copy, EPOLLIN));
	EXPECT_EQ(0, epoll_wait(self->ep, ev, 4, 0));
	ASSERT_EQ(8, evfd_test_write(copy, 1));
	ASSERT_EQ(2, epoll_wait(self->ep, ev, 4, 0));
	EXPECT_EQ(self->fd + copy, ev[0].data.fd + ev[1].data.fd);
	EXPECT_NE(ev[0].data.fd, ev[1].data.fd);
	/* The level is still there, the edge is gone. */
	ASSERT_EQ(1, epoll_wait(self->ep, ev, 4, 0));
	EXPECT_EQ(copy, ev[0].data.fd);
	ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
	EXPECT_EQ(0, epoll_wait(self->ep, ev, 4, 0));
	close(copy);
}

TEST_F(epoll, a_set_within_a_set_passes_the_event_on)
{
	struct evfd_task task = { .op = task_epoll_wait };
	int outer = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_LE(0, outer);
	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN));
	ASSERT_EQ(0, ep_add(outer, self->ep, EPOLLIN));
	EXPECT_EQ(0, wait_poll(self->ep, POLLIN, 0));
	task.fd = outer;
	ASSERT_EQ(0, evfd_task_start(&task));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(EPOLLIN, evfd_task_result(&task));
	EXPECT_EQ(self->ep, task.value);
	EXPECT_EQ(EPOLLIN, ep_now(outer));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	EXPECT_EQ(POLLIN, wait_poll(self->ep, POLLIN, 0));
	ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
	EXPECT_EQ(0, ep_now(outer));
	close(outer);
}

#define NWAITERS	4

TEST_F(epoll, one_edge_wakes_one_of_the_threads_on_a_set)
{
	struct evfd_task tasks[NWAITERS] = { };
	int i, done = 0;

	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN | EPOLLET));
	for (i = 0; i < NWAITERS; i++) {
		tasks[i].op = task_epoll_wait;
		tasks[i].fd = self->ep;
		ASSERT_EQ(0, evfd_task_start(&tasks[i]));
	}
	for (i = 1; i <= NWAITERS; i++) {
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		do {
			done = evfd_task_settle(tasks, NWAITERS);
		} while (done >= 0 && done < i);
		EXPECT_EQ(i, done);
	}
	for (i = 0; i < NWAITERS; i++) {
		ASSERT_EQ(EPOLLIN, evfd_task_result(&tasks[i]));
	}
}

TEST_F(epoll, exclusive_sets_share_the_wakes)
{
	struct evfd_task tasks[NWAITERS] = { };
	int ep[NWAITERS], i, done = 0, before;

	for (i = 0; i < NWAITERS; i++) {
		ep[i] = epoll_create1(EPOLL_CLOEXEC);
		ASSERT_LE(0, ep[i]);
		ASSERT_EQ(0, ep_add(ep[i], self->fd,
				    EPOLLIN | EPOLLEXCLUSIVE));
		tasks[i].op = task_epoll_wait;
		tasks[i].fd = ep[i];
		ASSERT_EQ(0, evfd_task_start(&tasks[i]));
	}
	/* The first write wakes at least one, and not all. */
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	do {
		done = evfd_task_settle(tasks, NWAITERS);
	} while (!done);
	EXPECT_LE(1, done);
	EXPECT_GT(NWAITERS, done);
	/* Each further one finds one that still sleeps. */
	while (done >= 0 && done < NWAITERS) {
		before = done;
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		do {
			done = evfd_task_settle(tasks, NWAITERS);
		} while (done == before);
	}
	for (i = 0; i < NWAITERS; i++) {
		ASSERT_EQ(EPOLLIN, evfd_task_result(&tasks[i]));
		close(ep[i]);
	}
}

TEST(an_exclusive_set_does_not_take_a_readers_wake)
{
	int fd = evfd_test_create(EVFD_SEMAPHORE, 0);
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct evfd_task reader = { .op = evfd_task_read, .fd = fd };
	struct evfd_task poller = { .op = task_epoll_wait, .fd = ep };
	int order;

	ASSERT_LE(0, ep);
	ASSERT_EQ(0, ep_add(ep, fd, EPOLLIN | EPOLLEXCLUSIVE));
	for (order = 0; order < 2; order++) {
		ASSERT_EQ(0, evfd_task_start(order ? &reader : &poller));
		ASSERT_EQ(0, evfd_task_start(order ? &poller : &reader));
		ASSERT_EQ(8, evfd_test_write(fd, 1));
		ASSERT_EQ(8, evfd_task_result(&reader))
			TH_LOG("a reader sleeps on a count of 1");
		EXPECT_EQ(1, reader.value);
		/* The poller may have returned before the reader has read. */
		if (!evfd_task_settle(&poller, 1))
			ASSERT_EQ(8, evfd_test_write(fd, 1));
		ASSERT_EQ(EPOLLIN, evfd_task_result(&poller));
		if (wait_poll(fd, POLLIN, 0))
			ASSERT_EQ(8, evfd_test_read(fd, NULL));
		ASSERT_EQ(0, wait_poll(fd, POLLIN, 0));
	}
	close(fd);
}

/* Two units for a reader and a poller: both have to return. */
TEST(a_reader_does_not_take_an_exclusive_sets_wake)
{
	int fd = evfd_test_create(EVFD_SEMAPHORE, 0);
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct evfd_task reader = { .op = evfd_task_read, .fd = fd };
	struct evfd_task poller = { .op = task_epoll_wait, .fd = ep };
	int order;

	ASSERT_LE(0, ep);
	ASSERT_EQ(0, ep_add(ep, fd, EPOLLIN | EPOLLEXCLUSIVE));
	for (order = 0; order < 2; order++) {
		ASSERT_EQ(0, evfd_task_start(order ? &reader : &poller));
		ASSERT_EQ(0, evfd_task_start(order ? &poller : &reader));
		ASSERT_EQ(8, evfd_test_write(fd, 2));
		ASSERT_EQ(8, evfd_task_result(&reader));
		ASSERT_EQ(EPOLLIN, evfd_task_result(&poller));
		ASSERT_EQ(8, evfd_test_read(fd, NULL));
	}
	close(fd);
}

/* Reads the counter at each edge, until it has read @arg units. */
static ssize_t task_drain_at_edges(struct evfd_task *task)
{
	struct epoll_event ev;
	uint64_t n;
	int ret;

	while (task->value < task->arg) {
		ret = epoll_wait(task->fd, &ev, 1, -1);
		if (ret < 0)
			return -errno;
		ret = evfd_test_read(ev.data.fd, &n);
		if (ret == 8)
			task->value += n;
		else if (ret != -EAGAIN)
			return ret;
	}

	return 0;
}

TEST_F(epoll, an_edge_triggered_consumer_misses_nothing)
{
	struct evfd_task task = {
		.op = task_drain_at_edges, .fd = self->ep, .arg = 10000,
	};
	uint64_t i;

	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN | EPOLLET));
	ASSERT_EQ(0, evfd_task_run(&task));
	for (i = 0; i < task.arg; i++) {
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	}
	ASSERT_EQ(0, evfd_task_result(&task));
	EXPECT_EQ(task.arg, task.value);
	EXPECT_EQ(0, wait_poll(self->fd, POLLIN, 0));
}

TEST_HARNESS_MAIN
