// SPDX-License-Identifier: GPL-2.0-only
/*
 * EVFD_SHARED: tasks that sleep in read(2) and write(2), and what wakes them: a post
 * or take in the page with its kick, a write(2) of 0, the kernel's own updates, and
 * the end of a program that was killed before its kick.
 *
 * Uses libevfd's <sys/evfd.h> and evfd_task.h; read shared_test.c first.
 */
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/evfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "evfd_poll.h"
#include "evfd_task.h"

#define MAX	EVFD_SHARED_MAX

/* As evfd_try_post() and evfd_try_take(), but without the kick. */
static void post_only(struct evfd_mapping *map, uint64_t n)
{
	__atomic_fetch_add(&map->page->count, n, __ATOMIC_SEQ_CST);
}

static uint64_t take_only(struct evfd_mapping *map)
{
	return __atomic_exchange_n(&map->page->count, 0, __ATOMIC_SEQ_CST);
}

static int kick(int fd, unsigned long n)
{
	return ioctl(fd, EVFD_IOC_KICK, n) ? -errno : 0;
}

FIXTURE(wake)
{
	struct evfd_mapping map;
	int fd;
};

FIXTURE_SETUP(wake)
{
	self->fd = evfd_test_create(EVFD_SHARED, 0);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, evfd_map(&self->map, self->fd));
}

FIXTURE_TEARDOWN(wake)
{
	evfd_unmap(&self->map);
	close(self->fd);
}

TEST_F(wake, post_wakes_a_reader)
{
	struct evfd_task task = { .fd = self->fd, .op = evfd_task_read };

	ASSERT_EQ(0, evfd_task_start(&task));
	EXPECT_EQ(EVFD_ARMED_ADD, self->map.page->armed);
	EXPECT_EQ(0, evfd_post(&self->map, 3));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(8, task.ret);
	EXPECT_EQ(3, task.value);
}

TEST_F(wake, post_with_a_kick_wakes_a_reader)
{
	struct evfd_task task = { .fd = self->fd, .op = evfd_task_read };

	ASSERT_EQ(0, evfd_task_start(&task));
	EXPECT_EQ(0, evfd_try_post(&self->map, 3));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(3, task.value);
}

TEST_F(wake, write_wakes_a_reader)
{
	struct evfd_task task = { .fd = self->fd, .op = evfd_task_readv };

	ASSERT_EQ(0, evfd_task_start(&task));
	EXPECT_EQ(8, evfd_test_write(self->fd, 3));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(8, task.ret);
	EXPECT_EQ(3, task.value);
}

/* Without the kick the reader sleeps on: it is the kick that wakes. */
TEST_F(wake, a_kick_wakes_a_reader)
{
	struct evfd_task task = { .fd = self->fd, .op = evfd_task_read };

	ASSERT_EQ(0, evfd_task_start(&task));
	/* With a count of 0 the kick wakes no task, and the bit stays. */
	EXPECT_EQ(0, kick(self->fd, 1));
	EXPECT_EQ(0, evfd_task_rewoken(&task));
	EXPECT_EQ(EVFD_ARMED_ADD, self->map.page->armed);
	post_only(&self->map, 1);
	EXPECT_EQ(0, evfd_task_rewoken(&task));
	EXPECT_EQ(0, kick(self->fd, 1));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(1, task.value);
	/* No waiter is left: the next kick clears the bit. */
	EXPECT_EQ(0, evfd_post(&self->map, 1));
	EXPECT_EQ(0, self->map.page->armed);
}

TEST_F(wake, a_write_of_0_is_a_kick)
{
	struct evfd_task task = { .fd = self->fd, .op = evfd_task_read };

	ASSERT_EQ(0, evfd_task_start(&task));
	post_only(&self->map, 2);
	EXPECT_EQ(8, evfd_test_write(self->fd, 0));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(2, task.value);
}

TEST_F(wake, take_wakes_a_writer)
{
	struct evfd_task task = {
		.fd = self->fd, .op = evfd_task_write, .value = 5,
	};
	evfd_t n;

	EXPECT_EQ(0, evfd_post(&self->map, MAX - 4));
	ASSERT_EQ(0, evfd_task_start(&task));
	EXPECT_EQ(EVFD_ARMED_TAKE, self->map.page->armed);
	EXPECT_EQ(0, evfd_take(&self->map, &n));
	EXPECT_EQ(MAX - 4, n);
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(8, task.ret);
	EXPECT_EQ(5, self->map.page->count);
	EXPECT_EQ(0, evfd_take(&self->map, &n));
	EXPECT_EQ(0, self->map.page->armed);
}

TEST_F(wake, read_wakes_a_writer)
{
	struct evfd_task task = {
		.fd = self->fd, .op = evfd_task_writev, .value = 5,
	};
	uint64_t n;

	EXPECT_EQ(0, evfd_post(&self->map, MAX));
	ASSERT_EQ(0, evfd_task_start(&task));
	EXPECT_EQ(8, evfd_test_read(self->fd, &n));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(5, self->map.page->count);
}

TEST_F(wake, a_kick_wakes_a_writer)
{
	struct evfd_task task = {
		.fd = self->fd, .op = evfd_task_write, .value = 5,
	};

	EXPECT_EQ(0, evfd_post(&self->map, MAX));
	ASSERT_EQ(0, evfd_task_start(&task));
	/* Above the limit the kick wakes no task, and the bit stays. */
	post_only(&self->map, 1);
	EXPECT_EQ(0, kick(self->fd, 0));
	EXPECT_EQ(0, evfd_task_rewoken(&task));
	EXPECT_EQ(EVFD_ARMED_TAKE, self->map.page->armed);
	EXPECT_EQ(MAX + 1, take_only(&self->map));
	EXPECT_EQ(0, evfd_task_rewoken(&task));
	EXPECT_EQ(0, kick(self->fd, 0));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(5, self->map.page->count);
}

/* A write of 0 needs no room, but a count that is not above the limit. */
TEST_F(wake, a_kick_wakes_a_writer_of_0)
{
	struct evfd_task task = { .op = evfd_task_write };
	int fd = evfd_test_create(EVFD_SHARED | EVFD_SEMAPHORE, MAX);
	struct evfd_mapping map;
	evfd_t n;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, evfd_map(&map, fd));
	map.page->count = MAX + 2;
	task.fd = fd;
	ASSERT_EQ(0, evfd_task_start(&task));
	EXPECT_EQ(EVFD_ARMED_TAKE, map.page->armed);
	EXPECT_EQ(0, evfd_try_take(&map, &n));
	EXPECT_EQ(0, evfd_task_rewoken(&task));
	EXPECT_EQ(0, evfd_try_take(&map, &n));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(8, task.ret);
	EXPECT_EQ(MAX, map.page->count);
	evfd_unmap(&map);
	close(fd);
}

/* Room for a 1 is not enough for this writer: it needs every take. */
TEST_F(wake, a_writer_of_more_is_told_again)
{
	struct evfd_task task = {
		.fd = self->fd, .op = evfd_task_write, .value = 9,
	};
	int fd = evfd_test_create(EVFD_SHARED | EVFD_SEMAPHORE, MAX);
	struct evfd_mapping map;
	evfd_t n;
	int i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, evfd_map(&map, fd));
	task.fd = fd;
	ASSERT_EQ(0, evfd_task_start(&task));
	for (i = 1; i < 9; i++) {
		EXPECT_EQ(0, evfd_take(&map, &n));
		ASSERT_EQ(0, evfd_task_wait_rewoken(&task, i));
		EXPECT_EQ(EVFD_ARMED_TAKE, map.page->armed);
	}
	EXPECT_EQ(0, evfd_take(&map, &n));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(8, task.ret);
	EXPECT_EQ(MAX, map.page->count);
	evfd_unmap(&map);
	close(fd);
}

/* A semaphore: as many readers as the post has units, and none more. */
TEST_F(wake, a_post_of_n_wakes_n)
{
	int fd = evfd_test_create(EVFD_SHARED | EVFD_SEMAPHORE, 0), i;
	struct evfd_task tasks[6];
	struct evfd_mapping map;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, evfd_map(&map, fd));
	for (i = 0; i < 6; i++) {
		tasks[i] = (struct evfd_task){ .fd = fd, .op = evfd_task_read };
		ASSERT_EQ(0, evfd_task_start(&tasks[i]));
	}
	EXPECT_EQ(0, evfd_try_post(&map, 2));
	EXPECT_TRUE(evfd_test_until(evfd_task_settle(tasks, 6) == 2));
	/* The first two to come; the others were left alone. */
	for (i = 2; i < 6; i++)
		EXPECT_EQ(0, evfd_task_rewoken(&tasks[i]));
	/* Others wait, so the bit stays. */
	EXPECT_EQ(EVFD_ARMED_ADD, map.page->armed);
	EXPECT_EQ(0, evfd_try_post(&map, 1));
	EXPECT_TRUE(evfd_test_until(evfd_task_settle(tasks, 6) == 3));
	/* More than there are, and more than there is. */
	post_only(&map, 3);
	EXPECT_EQ(0, kick(fd, ULONG_MAX));
	for (i = 0; i < 6; i++) {
		ASSERT_EQ(0, evfd_task_join(&tasks[i]));
		EXPECT_EQ(1, tasks[i].value);
	}
	EXPECT_EQ(0, map.page->count);
	evfd_unmap(&map);
	close(fd);
}

/* A counter: one reader, which takes all. */
TEST_F(wake, a_post_wakes_one_reader_of_a_counter)
{
	struct evfd_task tasks[3];
	int i;

	for (i = 0; i < 3; i++) {
		tasks[i] = (struct evfd_task){
			.fd = self->fd, .op = evfd_task_read,
		};
		ASSERT_EQ(0, evfd_task_start(&tasks[i]));
	}
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(EVFD_ARMED_ADD, self->map.page->armed);
		EXPECT_EQ(0, evfd_try_post(&self->map, 4));
		EXPECT_TRUE(evfd_test_until(evfd_task_settle(tasks, 3) == i + 1));
	}
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, evfd_task_join(&tasks[i]));
		EXPECT_EQ(4, tasks[i].value);
	}
}

/* The kernel's own wakes do not depend on what user space writes there. */
TEST_F(wake, the_kernel_looks_at_the_queues)
{
	struct evfd_task task = { .fd = self->fd, .op = evfd_task_read };
	uint64_t n;

	ASSERT_EQ(0, evfd_task_start(&task));
	self->map.page->armed = 0;
	EXPECT_EQ(8, evfd_test_write(self->fd, 3));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(3, task.value);

	EXPECT_EQ(0, evfd_post(&self->map, MAX));
	task.op = evfd_task_write;
	ASSERT_EQ(0, evfd_task_start(&task));
	self->map.page->armed = 0;
	EXPECT_EQ(8, evfd_test_read(self->fd, &n));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(8, task.ret);
}

/* A bit without a waiter costs one kick, which clears it. */
TEST_F(wake, a_bit_for_nobody_goes)
{
	evfd_t n;

	self->map.page->armed = EVFD_ARMED_ADD | EVFD_ARMED_TAKE;
	EXPECT_EQ(0, evfd_try_post(&self->map, 1));
	/* The kick of an add leaves the other bit, that of a take checks both. */
	EXPECT_EQ(EVFD_ARMED_TAKE, self->map.page->armed);
	EXPECT_EQ(0, evfd_try_take(&self->map, &n));
	EXPECT_EQ(0, self->map.page->armed);
	/* A post that sees the bit before is a write(2). */
	self->map.page->armed = EVFD_ARMED_ADD;
	EXPECT_EQ(0, evfd_post(&self->map, 1));
	EXPECT_EQ(0, self->map.page->armed);
	self->map.page->armed = EVFD_ARMED_TAKE;
	EXPECT_EQ(0, evfd_take(&self->map, &n));
	EXPECT_EQ(0, self->map.page->armed);
}

static ssize_t task_take(struct evfd_task *task)
{
	struct evfd_mapping *map = (void *)(uintptr_t)task->arg;

	return evfd_take(map, &task->value) ? -errno : 8;
}

static ssize_t task_post(struct evfd_task *task)
{
	struct evfd_mapping *map = (void *)(uintptr_t)task->arg;

	return evfd_post(map, task->value) ? -errno : 8;
}

TEST_F(wake, take_and_post_wait)
{
	struct evfd_task task = {
		.fd = self->fd, .op = task_take, .arg = (uintptr_t)&self->map,
	};
	evfd_t n;

	ASSERT_EQ(0, evfd_task_start(&task));
	EXPECT_EQ(0, evfd_post(&self->map, 7));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(8, task.ret);
	EXPECT_EQ(7, task.value);

	EXPECT_EQ(0, evfd_post(&self->map, MAX));
	task.op = task_post;
	task.value = 2;
	ASSERT_EQ(0, evfd_task_start(&task));
	EXPECT_EQ(0, evfd_take(&self->map, &n));
	EXPECT_EQ(MAX, n);
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(8, task.ret);
	EXPECT_EQ(0, evfd_take(&self->map, &n));
	EXPECT_EQ(2, n);
}

static void ignore(int sig)
{
}

TEST_F(wake, a_signal_ends_the_sleep)
{
	struct sigaction action = { .sa_handler = ignore };
	struct evfd_task task = { .fd = self->fd, .op = evfd_task_read };
	uint64_t n;

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_EQ(0, evfd_task_start(&task));
	pthread_kill(task.thread, SIGUSR1);
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(-EINTR, task.ret);
	/* The bit is left over; the next kick clears it. */
	EXPECT_EQ(EVFD_ARMED_ADD, self->map.page->armed);
	EXPECT_EQ(0, evfd_post(&self->map, MAX));
	EXPECT_EQ(0, self->map.page->armed);

	task.op = evfd_task_write;
	task.value = 1;
	ASSERT_EQ(0, evfd_task_start(&task));
	pthread_kill(task.thread, SIGUSR1);
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(-EINTR, task.ret);
	EXPECT_EQ(8, evfd_test_read(self->fd, &n));
	EXPECT_EQ(MAX, n);
}

/* A reader that is woken and cannot store the value passes the wakeup on. */
TEST_F(wake, a_reader_that_faults_passes_on)
{
	struct evfd_task tasks[2] = {
		{ .fd = self->fd, .op = evfd_task_read_buf, .buf = NULL },
		{ .fd = self->fd, .op = evfd_task_read },
	};

	ASSERT_EQ(0, evfd_task_start(&tasks[0]));
	ASSERT_EQ(0, evfd_task_start(&tasks[1]));
	EXPECT_EQ(0, evfd_post(&self->map, 5));
	ASSERT_EQ(0, evfd_task_join(&tasks[1]));
	EXPECT_EQ(5, tasks[1].value);
	/* The first one has faulted, or came too late and sleeps again. */
	EXPECT_EQ(0, evfd_post(&self->map, 1));
	ASSERT_EQ(0, evfd_task_join(&tasks[0]));
	EXPECT_EQ(-EFAULT, tasks[0].ret);
	EXPECT_EQ(1, self->map.page->count);
}

/* Killed between its post and its kick: the end of its mapping is a kick. */
TEST_F(wake, a_killed_poster_leaves_nobody_asleep)
{
	struct evfd_task task = { .fd = self->fd, .op = evfd_task_read };
	int status;
	pid_t pid;

	ASSERT_EQ(0, evfd_task_start(&task));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		post_only(&self->map, 1);
		kill(getpid(), SIGKILL);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(1, task.value);
}

TEST_F(wake, munmap_is_a_kick)
{
	struct evfd_task task = { .fd = self->fd, .op = evfd_task_read };
	struct evfd_mapping map;

	ASSERT_EQ(0, evfd_map(&map, self->fd));
	ASSERT_EQ(0, evfd_task_start(&task));
	post_only(&map, 2);
	evfd_unmap(&map);
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(2, task.value);
}

/* Threads of producers and consumers: no count is lost, and no task sleeps on. */
#define ROUNDS	20000

static ssize_t task_produce(struct evfd_task *task)
{
	struct evfd_mapping *map = (void *)(uintptr_t)task->arg;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		int ret;

		if (i % 16 == 0)
			ret = evfd_test_write(task->fd, 1) != 8;
		else
			ret = i % 2 ? evfd_post(map, 1) : evfd_try_post(map, 1);
		if (ret)
			return -errno;
	}
	return 0;
}

static ssize_t task_consume(struct evfd_task *task)
{
	struct evfd_mapping *map = (void *)(uintptr_t)task->arg;
	evfd_t n;

	for (task->value = 0;; task->value += n) {
		if (task->value % 7 ? evfd_take(map, &n) :
				      evfd_test_read(task->fd, &n) != 8)
			return -errno;
		/* The last word is one that no producer says. */
		if (n > ROUNDS * 4) {
			task->value += n - (1ULL << 32);
			return 0;
		}
	}
}

TEST_F(wake, nothing_is_lost)
{
	struct evfd_task producers[2], consumers[2];
	uint64_t sum = 0;
	int i;

	for (i = 0; i < 2; i++) {
		consumers[i] = (struct evfd_task){
			.fd = self->fd, .op = task_consume,
			.arg = (uintptr_t)&self->map,
		};
		producers[i] = consumers[i];
		producers[i].op = task_produce;
		ASSERT_EQ(0, evfd_task_run(&consumers[i]));
	}
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, evfd_task_run(&producers[i]));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, evfd_task_join(&producers[i]));
		EXPECT_EQ(0, producers[i].ret);
	}
	/* No consumer sleeps beside a count: it goes to 0 by itself. */
	EXPECT_TRUE(evfd_test_until(!evfd_test_count(self->fd)));
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, evfd_post(&self->map, 1ULL << 32));
		EXPECT_TRUE(evfd_test_until(!evfd_test_count(self->fd)));
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, evfd_task_join(&consumers[i]));
		sum += consumers[i].value;
	}
	EXPECT_EQ(2 * ROUNDS, sum);
}

TEST_HARNESS_MAIN
