// SPDX-License-Identifier: GPL-2.0-only
/*
 * EVFD_SHARED: io_uring and AIO. They do not poll again when they were told, so they
 * are told of every update: the bit stays while a request waits.
 *
 * Uses libevfd's <sys/evfd.h> and evfd_async.h; read shared_poll_test.c first.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/evfd.h>

#include "kselftest_harness.h"
#include "evfd_async.h"
#include "evfd_poll.h"
#include "evfd_task.h"

#define MAX	EVFD_SHARED_MAX

static int count_pollers(int fd)
{
	char path[64];
	int n = -1;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return evfd_test_proc(path, "evfd-pollers:", "%d", &n) ? -1 : n;
}

FIXTURE(async)
{
	struct evfd_mapping map;
	struct ring ring;
	int fd;
};

FIXTURE_SETUP(async)
{
	int ret = ring_open(&self->ring, DEPTH, 0);

	if (ret == -EPERM || ret == -ENOSYS)
		SKIP(return, "io_uring is not available: %s", strerror(-ret));
	ASSERT_EQ(0, ret);
	self->fd = evfd_test_create(EVFD_SHARED, 0);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, evfd_map(&self->map, self->fd));
}

FIXTURE_TEARDOWN(async)
{
	evfd_unmap(&self->map);
	close(self->fd);
	ring_close(&self->ring);
}

static void add_poll(struct ring *ring, int fd, int events, unsigned int how)
{
	struct io_uring_sqe *sqe;

	sqe = ring_add(ring, IORING_OP_POLL_ADD, fd, NULL, how, 1);
	sqe->poll32_events = events;
}

TEST_F(async, post_completes_a_poll)
{
	struct io_uring_cqe cqe;

	add_poll(&self->ring, self->fd, POLLIN, 0);
	ASSERT_EQ(1, ring_submit(&self->ring));
	EXPECT_EQ(1, count_pollers(self->fd));
	EXPECT_EQ(EVFD_ARMED_ADD, self->map.page->armed);
	EXPECT_EQ(0, evfd_try_post(&self->map, 1));
	ASSERT_EQ(0, ring_wait(&self->ring, &cqe, EVFD_TEST_PATIENCE_MS));
	EXPECT_EQ(POLLIN, cqe.res);
	EXPECT_TRUE(evfd_test_until(!count_pollers(self->fd)));
}

TEST_F(async, take_completes_a_poll_for_out)
{
	struct io_uring_cqe cqe;
	evfd_t n;

	EXPECT_EQ(0, evfd_post(&self->map, MAX));
	add_poll(&self->ring, self->fd, POLLOUT, 0);
	ASSERT_EQ(1, ring_submit(&self->ring));
	EXPECT_EQ(EVFD_ARMED_TAKE, self->map.page->armed);
	EXPECT_EQ(0, evfd_take(&self->map, &n));
	ASSERT_EQ(0, ring_wait(&self->ring, &cqe, EVFD_TEST_PATIENCE_MS));
	EXPECT_EQ(POLLOUT, cqe.res);
}

/* Also while an epoll set is told, which would allow to clear the bit. */
TEST_F(async, multishot_completes_with_each_post)
{
	int ep = epoll_create1(0), i;
	struct io_uring_cqe cqe;

	ASSERT_EQ(0, ep_add(ep, self->fd, EPOLLIN));
	add_poll(&self->ring, self->fd, POLLIN, IORING_POLL_ADD_MULTI);
	ASSERT_EQ(1, ring_submit(&self->ring));
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(EVFD_ARMED_ADD, self->map.page->armed);
		EXPECT_EQ(0, evfd_try_post(&self->map, 1));
		ASSERT_EQ(0, ring_wait(&self->ring, &cqe, EVFD_TEST_PATIENCE_MS));
		EXPECT_EQ(POLLIN, cqe.res);
		EXPECT_TRUE(cqe.flags & IORING_CQE_F_MORE);
		EXPECT_EQ(-ETIME, ring_wait(&self->ring, &cqe, 0));
	}
	close(ep);
}

TEST_F(async, a_read_completes_once_there_is_something)
{
	struct io_uring_cqe cqe;
	uint64_t n = 0;

	ring_add(&self->ring, IORING_OP_READ, self->fd, &n, 8, 1);
	ASSERT_EQ(1, ring_submit(&self->ring));
	EXPECT_EQ(-ETIME, ring_wait(&self->ring, &cqe, 0));
	EXPECT_EQ(0, evfd_post(&self->map, 3));
	ASSERT_EQ(0, ring_wait(&self->ring, &cqe, EVFD_TEST_PATIENCE_MS));
	EXPECT_EQ(8, cqe.res);
	EXPECT_EQ(3, n);
	EXPECT_EQ(0, self->map.page->count);
}

TEST_F(async, a_write_completes_once_there_is_room)
{
	struct io_uring_cqe cqe;
	uint64_t n = 4, taken;

	EXPECT_EQ(0, evfd_post(&self->map, MAX));
	ring_add(&self->ring, IORING_OP_WRITE, self->fd, &n, 8, 1);
	ASSERT_EQ(1, ring_submit(&self->ring));
	EXPECT_EQ(-ETIME, ring_wait(&self->ring, &cqe, 0));
	EXPECT_EQ(0, evfd_take(&self->map, &taken));
	ASSERT_EQ(0, ring_wait(&self->ring, &cqe, EVFD_TEST_PATIENCE_MS));
	EXPECT_EQ(8, cqe.res);
	EXPECT_EQ(4, self->map.page->count);
}

/* As many requests as the post has units. */
TEST_F(async, a_semaphore_serves_as_many_reads_as_it_has)
{
	int fd = evfd_test_create(EVFD_SHARED | EVFD_SEMAPHORE, 0), i;
	struct evfd_mapping map;
	struct io_uring_cqe cqe;
	uint64_t n[4] = { };

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, evfd_map(&map, fd));
	for (i = 0; i < 4; i++)
		ring_add(&self->ring, IORING_OP_READ, fd, &n[i], 8, i);
	ASSERT_EQ(4, ring_submit(&self->ring));
	EXPECT_EQ(0, evfd_try_post(&map, 3));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, ring_wait(&self->ring, &cqe, EVFD_TEST_PATIENCE_MS));
		EXPECT_EQ(8, cqe.res);
	}
	EXPECT_EQ(0, map.page->count);
	EXPECT_EQ(0, evfd_post(&map, 1));
	ASSERT_EQ(0, ring_wait(&self->ring, &cqe, EVFD_TEST_PATIENCE_MS));
	EXPECT_EQ(8, cqe.res);
	evfd_unmap(&map);
	close(fd);
}

TEST_F(async, a_post_completes_a_poll_of_aio)
{
	struct iocb iocb = {
		.aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = self->fd,
		.aio_buf = POLLIN,
	};
	aio_context_t ctx = 0;
	struct io_event event;
	evfd_t n;
	int i;

	if (syscall(SYS_io_setup, DEPTH, &ctx)) {
		ASSERT_EQ(ENOSYS, errno);
		SKIP(return, "the kernel has no AIO");
	}
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, aio_submit(ctx, &iocb));
		EXPECT_EQ(-ETIME, aio_wait(ctx, &event, 0));
		EXPECT_EQ(EVFD_ARMED_ADD, self->map.page->armed);
		EXPECT_EQ(0, evfd_post(&self->map, 2));
		ASSERT_EQ(0, aio_wait(ctx, &event, EVFD_TEST_PATIENCE_MS));
		EXPECT_EQ(POLLIN, event.res);
		EXPECT_EQ(0, evfd_take(&self->map, &n));
		EXPECT_EQ(2, n);
	}
	syscall(SYS_io_destroy, ctx);
}

TEST_F(async, a_reader_a_ring_and_a_set_wait_for_one_counter)
{
	int fd = evfd_test_create(EVFD_SHARED | EVFD_SEMAPHORE, 0);
	int ep = epoll_create1(0);
	struct evfd_task task = { .fd = fd, .op = evfd_task_read };
	struct evfd_mapping map;
	struct io_uring_cqe cqe;
	uint64_t n = 0;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, evfd_map(&map, fd));
	ASSERT_EQ(0, ep_add(ep, fd, EPOLLIN));
	ASSERT_EQ(0, evfd_task_start(&task));
	ring_add(&self->ring, IORING_OP_READ, fd, &n, 8, 1);
	ASSERT_EQ(1, ring_submit(&self->ring));
	EXPECT_EQ(0, evfd_try_post(&map, 3));
	ASSERT_EQ(0, ring_wait(&self->ring, &cqe, EVFD_TEST_PATIENCE_MS));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(8, cqe.res);
	EXPECT_EQ(8, task.ret);
	EXPECT_EQ(EPOLLIN, ep_now(ep));
	EXPECT_EQ(1, map.page->count);
	evfd_unmap(&map);
	close(fd);
	close(ep);
}

TEST_HARNESS_MAIN
