// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's AIO on a counter, through its system calls. Where evfd has to
 * behave as eventfd(2) does, the test runs on both; AIO writes work on evfd only.
 * Uses evfd_async.h and evfd_task.h. Read uring_test.c first.
 */
#include <poll.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "evfd_async.h"
#include "evfd_poll.h"
#include "evfd_task.h"

FIXTURE(aio)
{
	aio_context_t ctx;
	int fd;
};

FIXTURE_VARIANT(aio) { bool evfd; };
FIXTURE_VARIANT_ADD(aio, evfd) { .evfd = true };
FIXTURE_VARIANT_ADD(aio, eventfd) { .evfd = false };

FIXTURE_SETUP(aio)
{
	if (syscall(SYS_io_setup, DEPTH, &self->ctx)) {
		ASSERT_EQ(ENOSYS, errno);
		SKIP(return, "the kernel has no AIO");
	}
	/* A blocking read would block io_submit(2). */
	self->fd = evfd_test_make(variant->evfd, EVFD_NONBLOCK, 0);
}

FIXTURE_TEARDOWN(aio)
{
	syscall(SYS_io_destroy, self->ctx);
	close(self->fd);
}

TEST_F(aio, reads)
{
	uint32_t part[2] = { };
	struct iovec iov[] = { { &part[0], 4 }, { &part[1], 4 } };
	uint64_t n = 0;

	ASSERT_EQ(8, evfd_test_write(self->fd, 5));
	EXPECT_EQ(8, aio_do(self->ctx, IOCB_CMD_PREAD, self->fd, &n, 8));
	EXPECT_EQ(5, n);
	EXPECT_EQ(-EAGAIN, aio_do(self->ctx, IOCB_CMD_PREAD, self->fd, &n, 8));
	EXPECT_EQ(5, n);
	ASSERT_EQ(8, evfd_test_write(self->fd, 6));
	EXPECT_EQ(-EINVAL, aio_do(self->ctx, IOCB_CMD_PREAD, self->fd, &n, 7));
	EXPECT_EQ(8, aio_do(self->ctx, IOCB_CMD_PREADV, self->fd, iov, 2));
	memcpy(&n, part, 8);
	EXPECT_EQ(6, n);
}

TEST_F(aio, rwf_nowait_does_not_wait_in_blocking_mode)
{
	int fd = evfd_test_make(variant->evfd, 0, 0);
	uint64_t n = 77;
	struct iocb iocb = {
		.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = fd,
		.aio_buf = (uintptr_t)&n, .aio_nbytes = 8,
		.aio_rw_flags = RWF_NOWAIT,
	};

	ASSERT_EQ(0, aio_submit(self->ctx, &iocb));
	ASSERT_EQ(-EAGAIN, aio_result(self->ctx));
	EXPECT_EQ(77, n);
	close(fd);
}

/* AIO knows write_iter alone, which eventfd has not. */
TEST_F(aio, writes_on_evfd_only)
{
	uint64_t n[] = { 3, 4 };
	struct iovec iov[] = { { &n[0], 8 }, { &n[1], 8 } };

	if (!variant->evfd) {
		EXPECT_EQ(-EINVAL, aio_do(self->ctx, IOCB_CMD_PWRITE,
					  self->fd, n, 8));
		return;
	}
	EXPECT_EQ(8, aio_do(self->ctx, IOCB_CMD_PWRITE, self->fd, n, 8));
	EXPECT_TRUE(count_is(self->fd, 3));
	EXPECT_EQ(16, aio_do(self->ctx, IOCB_CMD_PWRITEV, self->fd, iov, 2));
	EXPECT_TRUE(count_is(self->fd, 7));
	EXPECT_EQ(-EINVAL, aio_do(self->ctx, IOCB_CMD_PWRITE, self->fd, n, 4));
	EXPECT_EQ(-EINVAL, aio_do(self->ctx, IOCB_CMD_PWRITE, self->fd, n,
				  16));
	n[0] = evfd_test_max(variant->evfd);
	EXPECT_EQ(8, aio_do(self->ctx, IOCB_CMD_PWRITE, self->fd, n, 8));
	EXPECT_EQ(-EAGAIN, aio_do(self->ctx, IOCB_CMD_PWRITE, self->fd, n, 8));
	EXPECT_TRUE(count_is(self->fd, evfd_test_max(variant->evfd)));
}

TEST_F(aio, poll_completes_once)
{
	struct iocb iocb = {
		.aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = self->fd,
		.aio_buf = POLLIN, .aio_data = 42,
	};
	struct io_event event;

	ASSERT_EQ(0, aio_submit(self->ctx, &iocb));
	ASSERT_EQ(-ETIME, aio_wait(self->ctx, &event, 20));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(0, aio_wait(self->ctx, &event, EVFD_TEST_PATIENCE_MS));
	EXPECT_EQ(POLLIN, event.res);
	EXPECT_EQ(42, event.data);
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(-ETIME, aio_wait(self->ctx, &event, 20));

	/* For an event that is already there, and for room. */
	ASSERT_EQ(0, aio_submit(self->ctx, &iocb));
	ASSERT_EQ(0, aio_wait(self->ctx, &event, 0));
	EXPECT_EQ(POLLIN, event.res);
	EXPECT_EQ(2, evfd_test_value(self->fd));
	ASSERT_EQ(8, evfd_test_write(self->fd, evfd_test_max(variant->evfd)));
	iocb.aio_buf = POLLOUT;
	ASSERT_EQ(0, aio_submit(self->ctx, &iocb));
	ASSERT_EQ(-ETIME, aio_wait(self->ctx, &event, 20));
	ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
	ASSERT_EQ(POLLOUT, aio_result(self->ctx));
}

TEST_F(aio, a_cancelled_poll_takes_nothing)
{
	struct iocb iocb = {
		.aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = self->fd,
		.aio_buf = POLLIN,
	};
	struct io_event event;

	ASSERT_EQ(0, aio_submit(self->ctx, &iocb));
	EXPECT_EQ(-1, syscall(SYS_io_cancel, self->ctx, &iocb, &event));
	EXPECT_EQ(EINPROGRESS, errno);
	ASSERT_EQ(0, aio_result(self->ctx));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(-ETIME, aio_wait(self->ctx, &event, 20));
	EXPECT_TRUE(count_is(self->fd, 1));
}

TEST_F(aio, poll_and_a_blocked_reader_are_both_woken)
{
	int fd = evfd_test_make(variant->evfd, EVFD_SEMAPHORE, 0);
	struct evfd_task task = { .op = evfd_task_read, .fd = fd };
	struct iocb iocb = {
		.aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = fd,
		.aio_buf = POLLIN,
	};

	ASSERT_EQ(0, aio_submit(self->ctx, &iocb));
	ASSERT_EQ(0, evfd_task_start(&task));
	ASSERT_EQ(8, evfd_test_write(fd, 2));
	ASSERT_EQ(8, evfd_task_result(&task));
	ASSERT_EQ(POLLIN, aio_result(self->ctx));
	EXPECT_TRUE(count_is(fd, 1));
	close(fd);
}

TEST_F(aio, only_an_eventfd_is_told_of_completions)
{
	uint64_t n = 0;
	struct iocb iocb = {
		.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = self->fd,
		.aio_buf = (uintptr_t)&n, .aio_nbytes = 8,
		.aio_flags = IOCB_FLAG_RESFD,
	};
	int told = evfd_test_make(variant->evfd, EVFD_NONBLOCK, 0);
	struct io_event event;

	iocb.aio_resfd = told;
	ASSERT_EQ(8, evfd_test_write(self->fd, 5));
	if (variant->evfd) {
		EXPECT_EQ(-EINVAL, aio_submit(self->ctx, &iocb));
		EXPECT_TRUE(count_is(told, 0));
		EXPECT_TRUE(count_is(self->fd, 5));
	} else {
		ASSERT_EQ(0, aio_submit(self->ctx, &iocb));
		ASSERT_EQ(0, aio_wait(self->ctx, &event,
				      EVFD_TEST_PATIENCE_MS));
		EXPECT_TRUE(count_is(told, 1));
	}
	close(told);
}

TEST_HARNESS_MAIN
