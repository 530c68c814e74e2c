// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits that a signal ends: EINTR or a restart, without a change of the count,
 * and without the loss of a wakeup.
 *
 * Uses evfd_victim.h. Read concurrency_test.c next, which has signals as well.
 */
#include <poll.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "evfd_victim.h"

#define MAX		evfd_test_max(true)
#define NR_READERS	4

FIXTURE(signals) {
	/* Empty, without O_NONBLOCK. */
	int fd;
	struct evfd_task task;
};

FIXTURE_VARIANT(signals) { unsigned int flags; };
FIXTURE_VARIANT_ADD(signals, plain) { .flags = 0 };
FIXTURE_VARIANT_ADD(signals, semaphore) { .flags = EVFD_SEMAPHORE };

FIXTURE_SETUP(signals)
{
	self->fd = evfd_test_create(variant->flags, 0);
	self->task.fd = self->fd;
	self->task.op = evfd_task_read;
}

FIXTURE_TEARDOWN(signals)
{
}

static atomic_int handled;

static void handler(int sig)
{
	handled++;
}

static int handle(int sig, int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	return sigaction(sig, &action, NULL);
}

static void wait_handled(int n)
{
	while (handled < n)
		sched_yield();
}

TEST_F(signals, interrupted_read_is_eintr)
{
	ssize_t (*ops[])(struct evfd_task *task) = {
		evfd_task_read, evfd_task_readv,
	};
	size_t i;

	ASSERT_EQ(0, handle(SIGUSR1, 0));
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		self->task.op = ops[i];
		self->task.value = 99;
		ASSERT_EQ(0, evfd_task_start(&self->task));
		ASSERT_EQ(0, pthread_kill(self->task.thread, SIGUSR1));
		ASSERT_EQ(-EINTR, evfd_task_result(&self->task));
		EXPECT_EQ(99, self->task.value);
		EXPECT_EQ(i + 1, handled);
		EXPECT_EQ(0, evfd_test_count(self->fd));
	}
}

TEST_F(signals, interrupted_write_is_eintr)
{
	ssize_t (*ops[])(struct evfd_task *task) = {
		evfd_task_write, evfd_task_writev, evfd_task_writev_twice,
	};
	size_t i;

	ASSERT_EQ(0, handle(SIGUSR1, 0));
	ASSERT_EQ(8, evfd_test_write(self->fd, MAX));
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		self->task.op = ops[i];
		self->task.value = 1;
		ASSERT_EQ(0, evfd_task_start(&self->task));
		ASSERT_EQ(0, pthread_kill(self->task.thread, SIGUSR1));
		ASSERT_EQ(-EINTR, evfd_task_result(&self->task));
		EXPECT_EQ(MAX, evfd_test_count(self->fd));
	}
}

TEST_F(signals, writev_interrupted_in_the_middle_is_short)
{
	/* With SA_RESTART, too: the first segment is not written again. */
	ASSERT_EQ(0, handle(SIGUSR1, SA_RESTART));
	ASSERT_EQ(8, evfd_test_write(self->fd, MAX - 1));
	self->task.op = evfd_task_writev_twice;
	self->task.value = 1;
	ASSERT_EQ(0, evfd_task_start(&self->task));
	EXPECT_EQ(MAX, evfd_test_count(self->fd));
	ASSERT_EQ(0, pthread_kill(self->task.thread, SIGUSR1));
	ASSERT_EQ(8, evfd_task_result(&self->task));
	EXPECT_EQ(MAX, evfd_test_count(self->fd));
}

TEST_F(signals, read_restarts_under_sa_restart)
{
	ssize_t (*ops[])(struct evfd_task *task) = {
		evfd_task_read, evfd_task_readv,
	};
	size_t i;
	int n;

	ASSERT_EQ(0, handle(SIGUSR1, SA_RESTART));
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		self->task.op = ops[i];
		ASSERT_EQ(0, evfd_task_start(&self->task));
		for (n = 1; n <= 3; n++) {
			handled = 0;
			ASSERT_EQ(0, pthread_kill(self->task.thread, SIGUSR1));
			wait_handled(1);
			ASSERT_EQ(0, evfd_task_wait_rewoken(&self->task, n))
				TH_LOG("after the signal the read ended");
		}
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		ASSERT_EQ(8, evfd_task_result(&self->task));
		EXPECT_EQ(1, self->task.value);
		EXPECT_EQ(0, evfd_test_count(self->fd));
	}
}

TEST_F(signals, write_restarts_under_sa_restart)
{
	ASSERT_EQ(0, handle(SIGUSR1, SA_RESTART));
	ASSERT_EQ(8, evfd_test_write(self->fd, MAX));
	self->task.op = evfd_task_write;
	self->task.value = 1;
	ASSERT_EQ(0, evfd_task_start(&self->task));
	ASSERT_EQ(0, pthread_kill(self->task.thread, SIGUSR1));
	wait_handled(1);
	ASSERT_EQ(0, evfd_task_wait_rewoken(&self->task, 1));
	EXPECT_EQ(MAX, evfd_test_count(self->fd));
	ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
	ASSERT_EQ(8, evfd_task_result(&self->task));
	EXPECT_EQ(variant->flags & EVFD_SEMAPHORE ? MAX : 1,
		  evfd_test_count(self->fd));
}

TEST_F(signals, ignored_signal_does_not_wake)
{
	ASSERT_NE(SIG_ERR, signal(SIGUSR1, SIG_IGN));
	ASSERT_EQ(0, evfd_task_start(&self->task));
	ASSERT_EQ(0, pthread_kill(self->task.thread, SIGUSR1));
	ASSERT_EQ(0, pthread_kill(self->task.thread, SIGWINCH));
	EXPECT_EQ(0, evfd_task_rewoken(&self->task));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(8, evfd_task_result(&self->task));
}

TEST_F(signals, timer_interrupts_a_read)
{
	struct itimerval every = { { 0, 5000 }, { 0, 5000 } };
	struct itimerval never = { 0 };

	/* It repeats, in case that it goes off before the read sleeps. */
	ASSERT_EQ(0, handle(SIGALRM, 0));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &every, NULL));
	EXPECT_EQ(-EINTR, evfd_test_read(self->fd, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &never, NULL));
	EXPECT_EQ(0, evfd_test_count(self->fd));
}

TEST_F(signals, poll_gives_a_read_a_timeout)
{
	struct pollfd p = { .fd = self->fd, .events = POLLIN };
	long start = evfd_test_now_ms();

	EXPECT_EQ(0, poll(&p, 1, 20));
	EXPECT_LE(19, evfd_test_now_ms() - start);
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(1, poll(&p, 1, -1));
	EXPECT_EQ(POLLIN, p.revents);
}

/* The write and the signal meet: one of the two wins, and nothing is lost. */
TEST_F(signals, write_and_signal_at_once_lose_nothing)
{
	int i, interrupted = 0;

	ASSERT_EQ(0, handle(SIGUSR1, 0));
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, evfd_task_start(&self->task));
		if (i & 1) {
			pthread_kill(self->task.thread, SIGUSR1);
			evfd_test_write(self->fd, 1);
		} else {
			evfd_test_write(self->fd, 1);
			pthread_kill(self->task.thread, SIGUSR1);
		}
		ASSERT_EQ(0, evfd_task_join(&self->task));
		if (self->task.ret == 8) {
			ASSERT_EQ(1, self->task.value);
			ASSERT_EQ(0, evfd_test_count(self->fd));
			continue;
		}
		interrupted++;
		ASSERT_EQ(-EINTR, self->task.ret);
		ASSERT_EQ(1, evfd_test_count(self->fd));
		ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
	}
	TH_LOG("%d of %d reads were interrupted", interrupted, i);
}

static int tasks_served(const struct evfd_task *tasks)
{
	int i, served = 0;

	for (i = 0; i < NR_READERS; i++)
		served += tasks[i].done && tasks[i].ret == 8;

	return served;
}

/*
 * One unit for several sleepers, and a signal for the reader that is woken or
 * for another one: exactly one reader gets the unit. If that is not the
 * interrupted one, another one is woken instead.
 */
TEST_F(signals, interrupted_reader_passes_the_wake_on)
{
	struct evfd_task tasks[NR_READERS];
	int round, i, target, interrupted = 0;

	ASSERT_EQ(0, handle(SIGUSR1, 0));
	for (round = 0; round < 60; round++) {
		for (i = 0; i < NR_READERS; i++) {
			tasks[i].fd = self->fd;
			tasks[i].op = evfd_task_read;
			ASSERT_EQ(0, evfd_task_start(&tasks[i]));
		}
		/* The first to sleep is the first to be woken. */
		target = round & 1 ? 0 : rand() % NR_READERS;
		if (round & 2) {
			pthread_kill(tasks[target].thread, SIGUSR1);
			ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		} else {
			ASSERT_EQ(8, evfd_test_write(self->fd, 1));
			pthread_kill(tasks[target].thread, SIGUSR1);
		}

		evfd_test_until(tasks_served(tasks));
		ASSERT_EQ(1, tasks_served(tasks))
			TH_LOG("round %d: the count is %d, and readers sleep",
			       round, (int)evfd_test_count(self->fd));
		EXPECT_EQ(0, evfd_test_count(self->fd));

		/* Let the others go. */
		for (i = 0; i < NR_READERS; i++) {
			while (!tasks[i].done &&
			       evfd_test_task_state(tasks[i].tid) != 'S')
				sched_yield();
			if (!tasks[i].done)
				pthread_kill(tasks[i].thread, SIGUSR1);
			ASSERT_EQ(0, evfd_task_join(&tasks[i]));
			if (i == target)
				interrupted += tasks[i].ret == -EINTR;
			if (tasks[i].ret != 8)
				ASSERT_EQ(-EINTR, tasks[i].ret);
		}
	}
	TH_LOG("in %d of %d rounds the signal was first", interrupted, round);
}

static int readers_served(struct evfd_victim *readers, int but)
{
	int i, served = 0;

	for (i = 0; i < NR_READERS; i++)
		served += i != but && readers[i].done && readers[i].task.ret == 8;

	return served;
}

TEST_F(signals, killed_reader_passes_the_wake_on)
{
	struct evfd_victim *readers = evfd_test_share(NR_READERS * sizeof(*readers));
	int round, i, target, took = 0, passed = 0;

	for (round = 0; round < 40; round++) {
		for (i = 0; i < NR_READERS; i++) {
			ASSERT_EQ(0, evfd_victim_start(&readers[i], self->fd, evfd_task_read, 0));
		}
		target = round & 1 ? 0 : rand() % NR_READERS;
		if (round & 2) {
			kill(readers[target].pid, SIGKILL);
			ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		} else {
			ASSERT_EQ(8, evfd_test_write(self->fd, 1));
			kill(readers[target].pid, SIGKILL);
		}
		ASSERT_EQ(0, evfd_victim_reap(&readers[target]));

		/*
		 * The target has read the unit if it is in its memory.
		 * Otherwise another reader reads it, and none sleeps on it.
		 */
		ASSERT_TRUE(evfd_test_until(readers_served(readers, target) ||
					    (readers[target].task.value &&
					     !evfd_test_count(self->fd))))
			TH_LOG("round %d: no reader was served", round);
		EXPECT_EQ(0, evfd_test_count(self->fd))
			TH_LOG("round %d: readers sleep on it", round);
		EXPECT_GE(1, readers_served(readers, target));
		if (readers_served(readers, target))
			passed++;
		else
			took++;

		for (i = 0; i < NR_READERS; i++) {
			if (i != target)
				evfd_victim_kill(&readers[i]);
		}
		ASSERT_EQ(0, evfd_test_count(self->fd));
	}
	TH_LOG("%d rounds: the killed reader had it in %d, another in %d", round,
	       took, passed);
}

TEST_F(signals, stopped_reader_gives_up_its_turn)
{
	struct evfd_victim *readers = evfd_test_share(NR_READERS * sizeof(*readers));
	struct evfd_victim *first, *second;

	first = &readers[0];
	second = &readers[1];
	ASSERT_EQ(0, evfd_victim_start(first, self->fd, evfd_task_read, 0));
	ASSERT_EQ(0, evfd_victim_start(second, self->fd, evfd_task_read, 0));
	ASSERT_EQ(0, kill(first->pid, SIGSTOP));
	ASSERT_EQ(0, evfd_test_wait_state(first->pid, 'T'));

	/* A stopped task is not woken: the next on the queue is. */
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(0, evfd_victim_reap(second));
	EXPECT_TRUE(second->done);
	EXPECT_EQ(8, second->task.ret);
	EXPECT_EQ(1, second->task.value);
	EXPECT_EQ('T', evfd_test_task_state(first->pid));

	/* Continued, it waits again; there is no handler and no EINTR. */
	ASSERT_EQ(0, kill(first->pid, SIGCONT));
	ASSERT_EQ(0, evfd_test_wait_asleep(first->pid));
	EXPECT_FALSE(first->done);
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(0, evfd_victim_reap(first));
	EXPECT_EQ(8, first->task.ret);
	EXPECT_EQ(1, first->task.value);
	EXPECT_EQ(0, evfd_test_count(self->fd));
}

TEST_F(signals, unit_posted_while_all_are_stopped_stays)
{
	struct evfd_victim *readers = evfd_test_share(NR_READERS * sizeof(*readers));

	ASSERT_EQ(0, evfd_victim_start(&readers[0], self->fd, evfd_task_read, 0));
	ASSERT_EQ(0, kill(readers[0].pid, SIGSTOP));
	ASSERT_EQ(0, evfd_test_wait_state(readers[0].pid, 'T'));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(1, evfd_test_count(self->fd));
	ASSERT_EQ(0, kill(readers[0].pid, SIGCONT));
	ASSERT_EQ(0, evfd_victim_reap(&readers[0]));
	EXPECT_EQ(8, readers[0].task.ret);
	EXPECT_EQ(1, readers[0].task.value);
	EXPECT_EQ(0, evfd_test_count(self->fd));
}

TEST_F(signals, killed_writer_adds_nothing)
{
	struct evfd_victim *writer = evfd_test_share(sizeof(*writer));

	ASSERT_EQ(8, evfd_test_write(self->fd, MAX));
	ASSERT_EQ(0, evfd_victim_start(writer, self->fd, evfd_task_write, 1));
	ASSERT_EQ(0, evfd_victim_kill(writer));
	EXPECT_FALSE(writer->done);
	EXPECT_EQ(MAX, evfd_test_count(self->fd));
}

TEST_HARNESS_MAIN
