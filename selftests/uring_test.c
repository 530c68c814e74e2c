// SPDX-License-Identifier: GPL-2.0-only
/*
 * io_uring on a counter, through its system calls.
 *
 * Where evfd has to behave as eventfd(2) does, the test runs on both. The tests of
 * uring_evfd are where it does better (writes complete inline, a fault loses
 * nothing) or where io_uring accepts an eventfd only. Uses evfd_async.h and
 * evfd_task.h; aio_test.c has the kernel's other way.
 */
#include <dirent.h>
#include <poll.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "evfd_async.h"
#include "evfd_poll.h"
#include "evfd_task.h"

/* How many workers io_uring has made for this process. */
static int ring_workers(void)
{
	char path[300], comm[32];
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int n = 0;
	FILE *f;

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			 entry->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fgets(comm, sizeof(comm), f) &&
		    !strncmp(comm, "iou-wrk-", 8))
			n++;
		fclose(f);
	}
	if (dir)
		closedir(dir);

	return dir ? n : -1;
}

FIXTURE(uring)
{
	struct ring ring;
	int fd;
};

FIXTURE_VARIANT(uring) { bool evfd; };
FIXTURE_VARIANT_ADD(uring, evfd) { .evfd = true };
FIXTURE_VARIANT_ADD(uring, eventfd) { .evfd = false };

FIXTURE_SETUP(uring)
{
	int ret = ring_open(&self->ring, DEPTH, 0);

	if (ret == -EPERM || ret == -ENOSYS)
		SKIP(return, "io_uring is not available: %s", strerror(-ret));
	ASSERT_EQ(0, ret);
	/* In blocking mode, which is the harder one. */
	self->fd = evfd_test_make(variant->evfd, 0, 0);
}

FIXTURE_TEARDOWN(uring)
{
	close(self->fd);
	ring_close(&self->ring);
}

TEST_F(uring, reads_and_writes)
{
	uint64_t n = 3, buf[2] = { 1, 2 };

	EXPECT_EQ(8, ring_do(&self->ring, IORING_OP_WRITE, self->fd, &n, 8));
	n = 4;
	EXPECT_EQ(8, ring_do(&self->ring, IORING_OP_WRITE, self->fd, &n, 8));
	EXPECT_EQ(8, ring_do(&self->ring, IORING_OP_READ, self->fd, buf, 16));
	EXPECT_EQ(7, buf[0]);
	EXPECT_EQ(2, buf[1]);
	EXPECT_TRUE(count_is(self->fd, 0));
}

TEST_F(uring, takes_one_unit_of_a_semaphore)
{
	int fd = evfd_test_make(variant->evfd, EVFD_SEMAPHORE, 2);
	uint64_t n = 0;

	EXPECT_EQ(8, ring_do(&self->ring, IORING_OP_READ, fd, &n, 8));
	EXPECT_EQ(1, n);
	n = 0;
	EXPECT_EQ(8, ring_do(&self->ring, IORING_OP_READ, fd, &n, 8));
	EXPECT_EQ(1, n);
	EXPECT_TRUE(count_is(fd, 0));
	close(fd);
}

TEST_F(uring, refuses_wrong_sizes_and_values)
{
	uint64_t buf[2] = { 1, 1 };

	if (!variant->evfd && evfd_test_eventfd_is_lax())
		SKIP(return, "eventfd takes the first 8 of more bytes here");
	ASSERT_EQ(8, evfd_test_write(self->fd, 9));
	EXPECT_EQ(-EINVAL,
		  ring_do(&self->ring, IORING_OP_READ, self->fd, buf, 7));
	EXPECT_EQ(-EINVAL,
		  ring_do(&self->ring, IORING_OP_WRITE, self->fd, buf, 4));
	EXPECT_EQ(-EINVAL,
		  ring_do(&self->ring, IORING_OP_WRITE, self->fd, buf, 16));
	buf[0] = UINT64_MAX;
	EXPECT_EQ(-EINVAL,
		  ring_do(&self->ring, IORING_OP_WRITE, self->fd, buf, 8));
	EXPECT_TRUE(count_is(self->fd, 9));
}

TEST_F(uring, readv_takes_the_segments_as_one_buffer)
{
	uint32_t part[2] = { };
	struct iovec iov[] = { { &part[0], 4 }, { &part[1], 4 } };
	uint64_t n = 0x1122334455667788;

	ASSERT_EQ(8, evfd_test_write(self->fd, n));
	EXPECT_EQ(-EINVAL,
		  ring_do(&self->ring, IORING_OP_READV, self->fd, iov, 1));
	EXPECT_EQ(8, ring_do(&self->ring, IORING_OP_READV, self->fd, iov, 2));
	EXPECT_EQ(0, memcmp(part, &n, 8));
}

TEST_F(uring, writev_adds_segment_by_segment)
{
	uint64_t n[2] = { 3, 4 };
	struct iovec whole[] = { { &n[0], 8 }, { &n[1], 8 } };
	struct iovec halves[] = { { n, 4 }, { n, 4 } };

	EXPECT_EQ(16,
		  ring_do(&self->ring, IORING_OP_WRITEV, self->fd, whole, 2));
	EXPECT_TRUE(count_is(self->fd, 7));
	EXPECT_EQ(-EINVAL,
		  ring_do(&self->ring, IORING_OP_WRITEV, self->fd, halves, 2));
	EXPECT_TRUE(count_is(self->fd, 0));
	/* An error after the first segment ends it short. */
	n[1] = UINT64_MAX;
	EXPECT_EQ(8,
		  ring_do(&self->ring, IORING_OP_WRITEV, self->fd, whole, 2));
	EXPECT_TRUE(count_is(self->fd, 3));
}

TEST_F(uring, a_write_of_nothing_adds_nothing)
{
	uint64_t n = 3;
	struct iovec iov[] = { { &n, 0 }, { &n, 0 } };

	EXPECT_EQ(0, ring_do(&self->ring, IORING_OP_WRITE, self->fd, &n, 0));
	EXPECT_EQ(0, ring_do(&self->ring, IORING_OP_WRITEV, self->fd, iov, 2));
	EXPECT_EQ(0, ring_do(&self->ring, IORING_OP_WRITEV, self->fd, iov, 0));
	EXPECT_TRUE(count_is(self->fd, 0));
}

TEST_F(uring, fixed_buffers)
{
	uint64_t *buf = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec iov = { buf, 4096 };

	if (!variant->evfd && evfd_test_eventfd_is_lax())
		SKIP(return, "eventfd takes the first 8 of more bytes here");
	ASSERT_NE(MAP_FAILED, buf);
	ASSERT_EQ(0, syscall(SYS_io_uring_register, self->ring.fd,
			     IORING_REGISTER_BUFFERS, &iov, 1));
	buf[0] = 11;
	EXPECT_EQ(8, ring_do(&self->ring, IORING_OP_WRITE_FIXED, self->fd,
			     buf, 8));
	EXPECT_EQ(8, ring_do(&self->ring, IORING_OP_READ_FIXED, self->fd,
			     buf + 1, 8));
	EXPECT_EQ(11, buf[1]);
	EXPECT_EQ(-EINVAL, ring_do(&self->ring, IORING_OP_WRITE_FIXED,
				   self->fd, buf, 16));
	EXPECT_TRUE(count_is(self->fd, 0));
}

TEST_F(uring, a_read_at_0_completes_once_there_is_something)
{
	static const int flags[] = { 0, IOSQE_ASYNC };
	static const unsigned int modes[] = { 0, EVFD_NONBLOCK };
	struct io_uring_cqe cqe;
	unsigned int i, j;
	uint64_t n;
	int fd;

	/* The mode makes no difference: io_uring waits in place of the file. */
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		fd = evfd_test_make(variant->evfd, modes[i], 0);
		for (j = 0; j < ARRAY_SIZE(flags); j++) {
			n = 0;
			ring_add(&self->ring, IORING_OP_READ, fd, &n, 8,
				 42)->flags = flags[j];
			ASSERT_EQ(1, ring_submit(&self->ring));
			ASSERT_EQ(-ETIME, ring_wait(&self->ring, &cqe, 20));
			ASSERT_EQ(8, evfd_test_write(fd, 5));
			ASSERT_EQ(0, ring_wait(&self->ring, &cqe,
					       EVFD_TEST_PATIENCE_MS))
				TH_LOG("mode %x flags %x", modes[i], flags[j]);
			EXPECT_EQ(8, cqe.res);
			EXPECT_EQ(42, cqe.user_data);
			EXPECT_EQ(5, n);
		}
		EXPECT_TRUE(count_is(fd, 0));
		close(fd);
	}
}

TEST_F(uring, a_write_without_room_completes_once_there_is)
{
	/* With 5 still in it, poll says OUT and the second does not fit. */
	const uint64_t max = evfd_test_max(variant->evfd);
	const uint64_t left[] = { max, 5 }, add[] = { 1, max - 4 };
	static const int flags[] = { 0, IOSQE_ASYNC };
	struct io_uring_cqe cqe;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(left); i++) {
		for (j = 0; j < ARRAY_SIZE(flags); j++) {
			ASSERT_EQ(8, evfd_test_write(self->fd, left[i]));
			ring_add(&self->ring, IORING_OP_WRITE, self->fd,
				 &add[i], 8, 1)->flags = flags[j];
			ASSERT_EQ(1, ring_submit(&self->ring));
			ASSERT_EQ(-ETIME, ring_wait(&self->ring, &cqe, 20));
			EXPECT_EQ(left[i], evfd_test_value(self->fd));
			ASSERT_EQ(8, ring_result(&self->ring))
				TH_LOG("case %u flags %x", i, flags[j]);
			EXPECT_TRUE(count_is(self->fd, add[i]));
		}
	}
}

TEST_F(uring, rwf_nowait_reads_do_not_wait)
{
	uint64_t n = 77;

	ring_add(&self->ring, IORING_OP_READ, self->fd, &n, 8, 1)->rw_flags =
		RWF_NOWAIT;
	ASSERT_EQ(1, ring_submit(&self->ring));
	ASSERT_EQ(-EAGAIN, ring_result(&self->ring));
	EXPECT_EQ(77, n);
}

TEST_F(uring, reads_that_wait_are_served_one_by_one)
{
	uint64_t buf[4] = { }, sum = 0;
	struct io_uring_cqe cqe;
	int i;

	for (i = 0; i < 4; i++)
		ring_add(&self->ring, IORING_OP_READ, self->fd, &buf[i], 8, i);
	ASSERT_EQ(4, ring_submit(&self->ring));
	for (i = 1; i <= 4; i++) {
		ASSERT_EQ(-ETIME, ring_wait(&self->ring, &cqe, 20));
		ASSERT_EQ(8, evfd_test_write(self->fd, i));
		ASSERT_EQ(0, ring_wait(&self->ring, &cqe,
				       EVFD_TEST_PATIENCE_MS));
		EXPECT_EQ(8, cqe.res);
		ASSERT_GT(4, cqe.user_data);
		EXPECT_EQ(i, (int)buf[cqe.user_data]);
		sum += buf[cqe.user_data];
	}
	EXPECT_EQ(10, sum);
	EXPECT_TRUE(count_is(self->fd, 0));
}

TEST_F(uring, a_semaphore_serves_as_many_reads_as_it_has)
{
	int fd = evfd_test_make(variant->evfd, EVFD_SEMAPHORE, 0);
	struct io_uring_cqe cqe;
	uint64_t buf[4] = { };
	int i;

	for (i = 0; i < 4; i++)
		ring_add(&self->ring, IORING_OP_READ, fd, &buf[i], 8, i);
	ASSERT_EQ(4, ring_submit(&self->ring));
	ASSERT_EQ(8, evfd_test_write(fd, 3));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(8, ring_result(&self->ring));
	}
	EXPECT_EQ(-ETIME, ring_wait(&self->ring, &cqe, 20));
	ASSERT_EQ(8, evfd_test_write(fd, 1));
	ASSERT_EQ(8, ring_result(&self->ring));
	EXPECT_TRUE(count_is(fd, 0));
	close(fd);
}

/* One of them gets the first unit, the other one the second. */
TEST_F(uring, a_thread_and_a_ring_wait_for_the_same_counter)
{
	int fd = evfd_test_make(variant->evfd, EVFD_SEMAPHORE, 0);
	struct evfd_task task = { .op = evfd_task_read, .fd = fd };
	struct io_uring_cqe cqe;
	uint64_t n = 0;
	int served;

	ASSERT_EQ(0, evfd_task_start(&task));
	ring_add(&self->ring, IORING_OP_READ, fd, &n, 8, 1);
	ASSERT_EQ(1, ring_submit(&self->ring));
	ASSERT_EQ(8, evfd_test_write(fd, 1));
	served = !ring_wait(&self->ring, &cqe, 20);
	ASSERT_EQ(!served, evfd_task_settle(&task, 1));
	ASSERT_EQ(8, evfd_test_write(fd, 1));
	if (!served)
		ASSERT_EQ(0, ring_wait(&self->ring, &cqe,
				       EVFD_TEST_PATIENCE_MS));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(8, cqe.res);
	EXPECT_EQ(8, task.ret);
	EXPECT_TRUE(count_is(fd, 0));
	close(fd);
}

TEST_F(uring, a_linked_read_follows_its_write)
{
	uint64_t add = 6, n = 0;
	struct io_uring_cqe cqe[2];
	int i;

	ring_add(&self->ring, IORING_OP_WRITE, self->fd, &add, 8, 1)->flags =
		IOSQE_IO_LINK;
	ring_add(&self->ring, IORING_OP_READ, self->fd, &n, 8, 2);
	ASSERT_EQ(2, ring_submit(&self->ring));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, ring_wait(&self->ring, &cqe[i],
				       EVFD_TEST_PATIENCE_MS));
		EXPECT_EQ(8, cqe[i].res);
		EXPECT_EQ(i + 1, (int)cqe[i].user_data);
	}
	EXPECT_EQ(6, n);
}

TEST_F(uring, a_failed_write_breaks_the_link)
{
	uint64_t add = UINT64_MAX, n = 77;
	struct io_uring_cqe cqe[2];
	int i;

	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ring_add(&self->ring, IORING_OP_WRITE, self->fd, &add, 8, 1)->flags =
		IOSQE_IO_LINK;
	ring_add(&self->ring, IORING_OP_READ, self->fd, &n, 8, 2);
	ASSERT_EQ(2, ring_submit(&self->ring));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, ring_wait(&self->ring, &cqe[i],
				       EVFD_TEST_PATIENCE_MS));
		EXPECT_EQ(cqe[i].user_data == 1 ? -EINVAL : -ECANCELED,
			  cqe[i].res);
	}
	EXPECT_EQ(77, n);
	EXPECT_TRUE(count_is(self->fd, 1));
}

TEST_F(uring, a_cancelled_read_takes_nothing)
{
	uint64_t n = 77, target = 1;
	struct io_uring_cqe cqe;
	int i;

	ring_add(&self->ring, IORING_OP_READ, self->fd, &n, 8, target);
	ASSERT_EQ(1, ring_submit(&self->ring));
	ASSERT_EQ(-ETIME, ring_wait(&self->ring, &cqe, 20));
	ring_add(&self->ring, IORING_OP_ASYNC_CANCEL, -1,
		 (void *)(uintptr_t)target, 0, 2);
	ASSERT_EQ(1, ring_submit(&self->ring));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, ring_wait(&self->ring, &cqe,
				       EVFD_TEST_PATIENCE_MS));
		EXPECT_EQ(cqe.user_data == target ? -ECANCELED : 0, cqe.res);
	}
	ASSERT_EQ(8, evfd_test_write(self->fd, 4));
	EXPECT_EQ(-ETIME, ring_wait(&self->ring, &cqe, 20));
	EXPECT_EQ(77, n);
	EXPECT_TRUE(count_is(self->fd, 4));
}

TEST_F(uring, poll_add_completes_once)
{
	struct io_uring_cqe cqe;

	ring_add(&self->ring, IORING_OP_POLL_ADD, self->fd, NULL, 0,
		 1)->poll32_events = POLLIN;
	ASSERT_EQ(1, ring_submit(&self->ring));
	ASSERT_EQ(-ETIME, ring_wait(&self->ring, &cqe, 20));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(0, ring_wait(&self->ring, &cqe, EVFD_TEST_PATIENCE_MS));
	EXPECT_EQ(POLLIN, cqe.res);
	EXPECT_FALSE(cqe.flags & IORING_CQE_F_MORE);
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(-ETIME, ring_wait(&self->ring, &cqe, 20));

	/* For room, and for an event that is already there. */
	ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
	ASSERT_EQ(8, evfd_test_write(self->fd, evfd_test_max(variant->evfd)));
	ring_add(&self->ring, IORING_OP_POLL_ADD, self->fd, NULL, 0,
		 2)->poll32_events = POLLOUT;
	ASSERT_EQ(1, ring_submit(&self->ring));
	ASSERT_EQ(-ETIME, ring_wait(&self->ring, &cqe, 20));
	ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
	ASSERT_EQ(POLLOUT, ring_result(&self->ring));
	ring_add(&self->ring, IORING_OP_POLL_ADD, self->fd, NULL, 0,
		 3)->poll32_events = POLLIN | POLLOUT;
	ASSERT_EQ(1, ring_submit(&self->ring));
	ASSERT_EQ(0, ring_wait(&self->ring, &cqe, 0));
	EXPECT_EQ(POLLOUT, cqe.res);
}

TEST_F(uring, multishot_poll_completes_with_each_write)
{
	struct io_uring_sqe *sqe;
	struct io_uring_cqe cqe;
	uint64_t target = 1;
	int i;

	sqe = ring_add(&self->ring, IORING_OP_POLL_ADD, self->fd, NULL,
		       IORING_POLL_ADD_MULTI, target);
	sqe->poll32_events = POLLIN;
	ASSERT_EQ(1, ring_submit(&self->ring));
	ASSERT_EQ(-ETIME, ring_wait(&self->ring, &cqe, 20));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		ASSERT_EQ(0, ring_wait(&self->ring, &cqe,
				       EVFD_TEST_PATIENCE_MS));
		EXPECT_EQ(POLLIN, cqe.res);
		EXPECT_TRUE(cqe.flags & IORING_CQE_F_MORE);
		EXPECT_EQ(-ETIME, ring_wait(&self->ring, &cqe, 0));
	}
	ring_add(&self->ring, IORING_OP_POLL_REMOVE, -1,
		 (void *)(uintptr_t)target, 0, 2);
	ASSERT_EQ(1, ring_submit(&self->ring));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, ring_wait(&self->ring, &cqe,
				       EVFD_TEST_PATIENCE_MS));
		EXPECT_EQ(cqe.user_data == target ? -ECANCELED : 0, cqe.res);
		EXPECT_FALSE(cqe.flags & IORING_CQE_F_MORE);
	}
	EXPECT_TRUE(count_is(self->fd, 4));
}

TEST_F(uring, a_request_keeps_the_file)
{
	int copy = dup(self->fd);
	uint64_t n = 0;

	ASSERT_LE(0, copy);
	ring_add(&self->ring, IORING_OP_READ, copy, &n, 8, 1);
	ASSERT_EQ(1, ring_submit(&self->ring));
	close(copy);
	ASSERT_EQ(8, evfd_test_write(self->fd, 2));
	ASSERT_EQ(8, ring_result(&self->ring));
	EXPECT_EQ(2, n);
}

/* The control with eventfd shows that the count of workers means something. */
TEST_F(uring, writes_in_blocking_mode_need_no_worker_on_evfd)
{
	struct io_uring_cqe cqe;
	uint64_t one = 1;
	int i;

	ASSERT_EQ(0, ring_workers());
	for (i = 0; i < DEPTH; i++)
		ring_add(&self->ring, IORING_OP_WRITE, self->fd, &one, 8, i);
	ASSERT_EQ(DEPTH, ring_submit(&self->ring));
	for (i = 0; i < DEPTH; i++) {
		/* Inline: all of them are there when the submission returns. */
		ASSERT_EQ(0, ring_wait(&self->ring, &cqe,
				       variant->evfd ? 0 : EVFD_TEST_PATIENCE_MS));
		EXPECT_EQ(8, cqe.res);
	}
	EXPECT_EQ(DEPTH, evfd_test_value(self->fd));
	EXPECT_EQ(variant->evfd, !ring_workers());
}

/* Where evfd does better than eventfd, or io_uring has to refuse it. */
FIXTURE(uring_evfd)
{
	struct ring ring;
	int fd;
};

FIXTURE_SETUP(uring_evfd)
{
	int ret = ring_open(&self->ring, DEPTH, 0);

	if (ret == -EPERM || ret == -ENOSYS)
		SKIP(return, "io_uring is not available: %s", strerror(-ret));
	ASSERT_EQ(0, ret);
	self->fd = evfd_test_create(0, 0);
}

FIXTURE_TEARDOWN(uring_evfd)
{
	close(self->fd);
	ring_close(&self->ring);
}

TEST_F(uring_evfd, requests_that_wait_need_no_worker)
{
	struct io_uring_cqe cqe;
	uint64_t one = 1, n;

	ASSERT_EQ(8, evfd_test_write(self->fd, evfd_test_max(true)));
	ring_add(&self->ring, IORING_OP_WRITE, self->fd, &one, 8, 1);
	ASSERT_EQ(1, ring_submit(&self->ring));
	ASSERT_EQ(-ETIME, ring_wait(&self->ring, &cqe, 20));
	EXPECT_EQ(0, ring_workers());
	ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	ASSERT_EQ(8, ring_result(&self->ring));
	ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	EXPECT_EQ(1, n);
	ring_add(&self->ring, IORING_OP_READ, self->fd, &n, 8, 2);
	ASSERT_EQ(1, ring_submit(&self->ring));
	ASSERT_EQ(-ETIME, ring_wait(&self->ring, &cqe, 20));
	EXPECT_EQ(0, ring_workers());
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(8, ring_result(&self->ring));
	EXPECT_EQ(0, ring_workers());
}

TEST_F(uring_evfd, rwf_nowait_writes_as_long_as_there_is_room)
{
	uint64_t add[] = { evfd_test_max(true), 1 };
	int i;

	for (i = 0; i < 2; i++) {
		ring_add(&self->ring, IORING_OP_WRITE, self->fd, &add[i], 8,
			 i)->rw_flags = RWF_NOWAIT;
		ASSERT_EQ(1, ring_submit(&self->ring));
		ASSERT_EQ(i ? -EAGAIN : 8, ring_result(&self->ring));
	}
	EXPECT_TRUE(count_is(self->fd, evfd_test_max(true)));
}

TEST_F(uring_evfd, a_read_into_a_bad_address_loses_nothing)
{
	char *bad = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	struct io_uring_cqe cqe;

	ASSERT_NE(MAP_FAILED, bad);
	ASSERT_EQ(8, evfd_test_write(self->fd, 9));
	EXPECT_EQ(-EFAULT,
		  ring_do(&self->ring, IORING_OP_READ, self->fd, bad, 8));
	EXPECT_TRUE(count_is(self->fd, 9));

	/* The same where it is tried when the count comes. */
	ring_add(&self->ring, IORING_OP_READ, self->fd, bad, 8, 1);
	ASSERT_EQ(1, ring_submit(&self->ring));
	ASSERT_EQ(-ETIME, ring_wait(&self->ring, &cqe, 20));
	ASSERT_EQ(8, evfd_test_write(self->fd, 8));
	ASSERT_EQ(-EFAULT, ring_result(&self->ring));
	EXPECT_TRUE(count_is(self->fd, 8));
}

TEST_F(uring_evfd, a_write_from_a_bad_address_adds_nothing)
{
	char *bad = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	ASSERT_NE(MAP_FAILED, bad);
	EXPECT_EQ(-EFAULT,
		  ring_do(&self->ring, IORING_OP_WRITE, self->fd, bad, 8));
	EXPECT_TRUE(count_is(self->fd, 0));
}

/* io_uring uses the object behind an eventfd, so it accepts nothing else. */
TEST_F(uring_evfd, cannot_be_registered_as_the_rings_eventfd)
{
	int real = eventfd(0, 0);

	ASSERT_LE(0, real);
	EXPECT_EQ(-EINVAL, sysret(syscall(SYS_io_uring_register, self->ring.fd,
					  IORING_REGISTER_EVENTFD, &self->fd,
					  1)));
	EXPECT_EQ(0, syscall(SYS_io_uring_register, self->ring.fd,
			     IORING_REGISTER_EVENTFD, &real, 1));
	close(real);
}

TEST_HARNESS_MAIN
