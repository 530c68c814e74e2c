// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which tasks sleep in read(2) and write(2), which are woken, in which order, and
 * that there are no spurious wakeups.
 *
 * Uses evfd_task.h. How often a task went to sleep shows whether it was woken: a
 * spurious wakeup adds one. Read signals_test.c and faults_test.c next, for waits
 * that end otherwise.
 */
#include "kselftest_harness.h"
#include "evfd_task.h"

#define MAX		evfd_test_max(true)
#define NR_TASKS	8

FIXTURE(blocking) {
	/* Empty, without O_NONBLOCK. */
	int fd;
	struct evfd_task tasks[NR_TASKS];
};

FIXTURE_VARIANT(blocking) { unsigned int flags; };
FIXTURE_VARIANT_ADD(blocking, plain) { .flags = 0 };
FIXTURE_VARIANT_ADD(blocking, semaphore) { .flags = EVFD_SEMAPHORE };

FIXTURE_SETUP(blocking)
{
	int i;

	self->fd = evfd_test_create(variant->flags, 0);
	for (i = 0; i < NR_TASKS; i++) {
		self->tasks[i].fd = self->fd;
		self->tasks[i].op = evfd_task_read;
	}
}

/* Tasks that still sleep end with the test's process. */
FIXTURE_TEARDOWN(blocking)
{
}

/* Starts the first @nr tasks, one after the other has gone to sleep. */
#define START(nr)						\
	do {							\
		int start_i;					\
								\
		for (start_i = 0; start_i < (nr); start_i++) {	\
			ASSERT_EQ(0, evfd_task_start(		\
					     &self->tasks[start_i])) \
				TH_LOG("task %d does not sleep", \
				       start_i);		\
		}						\
	} while (0)

/* Task @i ended within the patience and returned @value. */
#define EXPECT_READ(i, expected)				\
	do {							\
		int read_i = (i);				\
		struct evfd_task *read_task = &self->tasks[read_i]; \
								\
		ASSERT_EQ(8, evfd_task_result(read_task))	\
			TH_LOG("task %d was not woken", read_i); \
		EXPECT_EQ(expected, read_task->value);		\
	} while (0)

/* Task @i sleeps, and has not been woken since it went to sleep. */
#define EXPECT_LEFT_ALONE(i)					\
	do {							\
		int alone_i = (i);				\
								\
		EXPECT_EQ(0, evfd_task_rewoken(&self->tasks[alone_i])) \
			TH_LOG("task %d", alone_i);		\
	} while (0)

TEST_F(blocking, read_waits_for_a_write)
{
	ssize_t (*ops[])(struct evfd_task *task) = {
		evfd_task_read, evfd_task_readv,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		self->tasks[0].op = ops[i];
		self->tasks[0].value = 99;
		START(1);
		EXPECT_EQ(99, self->tasks[0].value);
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		EXPECT_READ(0, 1);
		EXPECT_EQ(0, evfd_test_count(self->fd));
	}
}

TEST_F(blocking, write_of_0_wakes_nobody)
{
	START(2);
	ASSERT_EQ(8, evfd_test_write(self->fd, 0));
	EXPECT_LEFT_ALONE(0);
	EXPECT_LEFT_ALONE(1);
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_READ(0, 1);
	EXPECT_LEFT_ALONE(1);
}

TEST_F(blocking, write_wakes_as_many_readers_as_it_serves)
{
	int nr, i;

	for (nr = 1; nr <= NR_TASKS; nr++) {
		int served = variant->flags & EVFD_SEMAPHORE ? nr : 1;

		START(NR_TASKS);
		ASSERT_EQ(8, evfd_test_write(self->fd, nr));

		/* First come, first served. */
		for (i = 0; i < served; i++)
			EXPECT_READ(i, served == 1 ? nr : 1);
		for (; i < NR_TASKS; i++)
			EXPECT_LEFT_ALONE(i);
		EXPECT_EQ(0, evfd_test_count(self->fd));

		/* Let the others go. */
		for (i = served; i < NR_TASKS; i++) {
			ASSERT_EQ(8, evfd_test_write(self->fd, 1));
			EXPECT_READ(i, 1);
		}
	}
}

TEST_F(blocking, write_of_more_than_the_readers_leaves_the_rest)
{
	int i;

	START(NR_TASKS);
	ASSERT_EQ(8, evfd_test_write(self->fd, MAX));
	if (!(variant->flags & EVFD_SEMAPHORE)) {
		EXPECT_READ(0, MAX);
		for (i = 1; i < NR_TASKS; i++)
			EXPECT_LEFT_ALONE(i);
		return;
	}
	for (i = 0; i < NR_TASKS; i++)
		EXPECT_READ(i, 1);
	EXPECT_EQ(MAX - NR_TASKS, evfd_test_count(self->fd));
}

TEST_F(blocking, each_of_many_writes_wakes_one_reader)
{
	uint64_t sum = 0;
	int i;

	START(NR_TASKS);
	for (i = 0; i < NR_TASKS; i++) {
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	}

	/* In plain mode the first may have read the sum of several. */
	if (variant->flags & EVFD_SEMAPHORE) {
		for (i = 0; i < NR_TASKS; i++)
			EXPECT_READ(i, 1);
		return;
	}
	while (sum < NR_TASKS) {
		for (i = 0; i < NR_TASKS; i++) {
			if (self->tasks[i].done) {
				sum += self->tasks[i].value;
				self->tasks[i].value = 0;
			}
		}
		sched_yield();
	}
	EXPECT_EQ(NR_TASKS, sum);
	EXPECT_EQ(0, evfd_test_count(self->fd));
}

TEST_F(blocking, writev_wakes_for_each_segment)
{
	uint64_t one = 1;
	struct iovec iov[3] = { { &one, 8 }, { &one, 8 }, { &one, 8 } };
	int i;

	if (!(variant->flags & EVFD_SEMAPHORE)) {
		START(1);
		ASSERT_EQ(24, writev(self->fd, iov, 3));
		ASSERT_EQ(8, evfd_task_result(&self->tasks[0]));
		EXPECT_EQ(3, self->tasks[0].value +
			     evfd_test_count(self->fd));
		return;
	}
	START(4);
	ASSERT_EQ(24, writev(self->fd, iov, 3));
	for (i = 0; i < 3; i++)
		EXPECT_READ(i, 1);
	EXPECT_LEFT_ALONE(3);
}

TEST_F(blocking, reader_is_served_by_a_nonblocking_writer)
{
	START(1);

	/* The flag is the file's, so it changes while a reader sleeps. */
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	EXPECT_LEFT_ALONE(0);
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_READ(0, 1);
}

TEST_F(blocking, nonblock_decides_anew_for_each_call)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
		EXPECT_EQ(-EAGAIN, evfd_test_read(self->fd, NULL));
		ASSERT_EQ(0, fcntl(self->fd, F_SETFL, 0));
		START(1);
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		EXPECT_READ(0, 1);
	}
}

TEST_F(blocking, reader_through_another_descriptor_is_served)
{
	int fd = dup(self->fd);

	ASSERT_LE(0, fd);
	self->tasks[0].fd = fd;
	START(1);
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_READ(0, 1);
	close(fd);
}

TEST_F(blocking, close_does_not_end_a_read)
{
	int fd = dup(self->fd);

	/* As for every file: the sleeper keeps it. */
	ASSERT_LE(0, fd);
	START(1);
	ASSERT_EQ(0, close(self->fd));
	EXPECT_LEFT_ALONE(0);
	ASSERT_EQ(8, evfd_test_write(fd, 1));
	EXPECT_READ(0, 1);

	/* After the last close nothing can wake it any more. */
	self->tasks[0].fd = fd;
	START(1);
	ASSERT_EQ(0, close(fd));
	EXPECT_LEFT_ALONE(0);
	EXPECT_EQ(-1, fcntl(fd, F_GETFD));
}

TEST_F(blocking, write_waits_for_room)
{
	ssize_t (*ops[])(struct evfd_task *task) = {
		evfd_task_write, evfd_task_writev,
	};
	uint64_t full;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		ASSERT_EQ(8, evfd_test_write(self->fd, MAX));
		self->tasks[0].op = ops[i];
		self->tasks[0].value = 1;
		START(1);
		EXPECT_EQ(MAX, evfd_test_count(self->fd));
		ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
		ASSERT_EQ(8, evfd_task_result(&self->tasks[0]));
		full = variant->flags & EVFD_SEMAPHORE ? MAX : 1;
		EXPECT_EQ(full, evfd_test_count(self->fd));

		/* Empty it for the next turn. */
		close(self->fd);
		self->fd = evfd_test_create(variant->flags, 0);
		self->tasks[0].fd = self->fd;
	}
}

TEST_F(blocking, writev_waits_in_the_middle)
{
	/* The first segment fits, the second has to wait. */
	ASSERT_EQ(8, evfd_test_write(self->fd, MAX - 1));
	self->tasks[0].op = evfd_task_writev_twice;
	self->tasks[0].value = 1;
	START(1);
	EXPECT_EQ(MAX, evfd_test_count(self->fd));
	ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
	ASSERT_EQ(16, evfd_task_result(&self->tasks[0]));
	EXPECT_EQ(variant->flags & EVFD_SEMAPHORE ? MAX : 1,
		  evfd_test_count(self->fd));
}

TEST_F(blocking, writers_go_on_as_they_fit)
{
	int i;

	if (!(variant->flags & EVFD_SEMAPHORE)) {
		/* A read makes room for all, but only one of the first two. */
		const uint64_t wanted[3] = { MAX - 1, MAX - 1, 1 };
		int big;

		ASSERT_EQ(8, evfd_test_write(self->fd, MAX));
		for (i = 0; i < 3; i++) {
			self->tasks[i].op = evfd_task_write;
			self->tasks[i].value = wanted[i];
		}
		START(3);
		ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
		ASSERT_EQ(0, evfd_task_join(&self->tasks[2]))
			TH_LOG("the small one fits in any case");
		while (!self->tasks[0].done && !self->tasks[1].done)
			sched_yield();
		big = self->tasks[0].done ? 0 : 1;
		EXPECT_EQ(8, self->tasks[big].ret);
		EXPECT_EQ(MAX, evfd_test_count(self->fd));
		EXPECT_LE(0, evfd_task_rewoken(&self->tasks[!big]))
			TH_LOG("the other does not fit");
		return;
	}

	/* The first comers want more than there is room for at first. */
	ASSERT_EQ(8, evfd_test_write(self->fd, MAX));
	for (i = 0; i < 3; i++) {
		self->tasks[i].op = evfd_task_write;
		self->tasks[i].value = 3 - i;
	}
	START(3);
	for (i = 1; i <= 3; i++) {
		struct evfd_task *task;
		int reads, waiting;

		for (reads = 0; reads < i; reads++) {
			EXPECT_EQ(MAX - reads, evfd_test_count(self->fd));
			for (waiting = 0; waiting <= 3 - i; waiting++) {
				task = &self->tasks[waiting];
				EXPECT_LE(0, evfd_task_rewoken(task));
			}
			ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
		}
		ASSERT_EQ(8, evfd_task_result(&self->tasks[3 - i]))
			TH_LOG("there is room for %d, and a writer sleeps", i);
		EXPECT_EQ(MAX, evfd_test_count(self->fd));
	}
}

TEST_F(blocking, write_that_fits_overtakes_a_blocked_one)
{
	ASSERT_EQ(8, evfd_test_write(self->fd, MAX - 1));
	self->tasks[0].op = evfd_task_write;
	self->tasks[0].value = MAX;
	START(1);
	EXPECT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(MAX, evfd_test_count(self->fd));
	EXPECT_LEFT_ALONE(0);

	/* A blocked writer hinders no reader. */
	EXPECT_EQ(8, evfd_test_read(self->fd, NULL));
	if (variant->flags & EVFD_SEMAPHORE) {
		EXPECT_EQ(MAX - 1, evfd_test_count(self->fd));
		EXPECT_LE(0, evfd_task_rewoken(&self->tasks[0]));
		return;
	}
	ASSERT_EQ(0, evfd_task_join(&self->tasks[0]));
	EXPECT_EQ(MAX, evfd_test_count(self->fd));
}

/* The spurious wakeups of eventfd(2) are shown, not tested. */
TEST(one_wake_serves_one_reader)
{
	static struct evfd_task tasks[2][NR_TASKS];
	int kind, i, done, rewoken;

	for (kind = 0; kind < 2; kind++) {
		int fd = kind ? evfd_test_create_eventfd(EVFD_SEMAPHORE, 0) :
				evfd_test_create(EVFD_SEMAPHORE, 0);

		for (i = 0; i < NR_TASKS; i++) {
			tasks[kind][i].fd = fd;
			tasks[kind][i].op = evfd_task_read;
			ASSERT_EQ(0, evfd_task_start(&tasks[kind][i]));
		}
		ASSERT_EQ(8, evfd_test_write(fd, 1));
		do {
			for (done = 0, i = 0; i < NR_TASKS; i++)
				done += tasks[kind][i].done;
		} while (!done);
		for (rewoken = 0, i = 0; i < NR_TASKS; i++) {
			if (!tasks[kind][i].done)
				rewoken += evfd_task_rewoken(&tasks[kind][i]);
		}
		TH_LOG("%s: %d readers, write(1): 1 served, %d spurious wakeups",
		       kind ? "eventfd" : "evfd", NR_TASKS, rewoken);
		if (!kind)
			EXPECT_EQ(0, rewoken);
	}
}

TEST_HARNESS_MAIN
