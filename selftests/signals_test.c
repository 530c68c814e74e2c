// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits that a signal ends: EINTR or a restart, with nothing taken or added,
 * and no wake lost with the one who was to have it.
 *
 * Uses evfd_task.h. Read concurrency_test.c next, which has signals as well.
 */
#include <poll.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "evfd_task.h"

#define MAX		EVFD_COUNT_MAX
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
	/* With SA_RESTART too: what is done is not done again. */
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
	struct timespec before, after;
	long ms;

	clock_gettime(CLOCK_MONOTONIC, &before);
	EXPECT_EQ(0, poll(&p, 1, 20));
	clock_gettime(CLOCK_MONOTONIC, &after);
	ms = (after.tv_sec - before.tv_sec) * 1000 +
	     (after.tv_nsec - before.tv_nsec) / 1000000;
	EXPECT_LE(19, ms);
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

/*
 * One unit for several sleepers, and a signal for the one who is chosen to have
 * it, or for another: exactly one gets it, and if it is not the interrupted
 * one, somebody else is woken instead.
 */
TEST_F(signals, interrupted_reader_passes_the_wake_on)
{
	struct evfd_task tasks[NR_READERS];
	int round, i, target, served, interrupted = 0, ms;

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

		for (ms = 0, served = 0; ms < EVFD_TEST_PATIENCE_MS; ms++) {
			for (i = 0, served = 0; i < NR_READERS; i++)
				served += tasks[i].done && tasks[i].ret == 8;
			if (served)
				break;
			evfd_test_sleep_ms(1);
		}
		ASSERT_EQ(1, served)
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

/* A reader in a process of its own, and what it got, in shared memory. */
struct reader {
	pid_t pid;
	atomic_bool reading;
	atomic_bool done;
	uint64_t value;
	ssize_t ret;
};

static struct reader *readers_alloc(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Starts @reader and waits until it sleeps in its read. */
static int reader_start(struct reader *reader, int fd)
{
	pid_t pid;

	memset(reader, 0, sizeof(*reader));
	pid = fork();
	if (!pid) {
		reader->reading = true;
		reader->ret = read(fd, &reader->value, sizeof(reader->value));
		reader->done = true;
		_exit(0);
	}
	if (pid < 0)
		return -1;
	reader->pid = pid;
	while (!reader->reading)
		sched_yield();

	return evfd_test_wait_asleep(pid);
}

static int readers_served(struct reader *readers, int but)
{
	int i, served = 0;

	for (i = 0; i < NR_READERS; i++)
		served += i != but && readers[i].done && readers[i].ret == 8;

	return served;
}

TEST_F(signals, killed_reader_passes_the_wake_on)
{
	struct reader *readers = readers_alloc();
	int round, i, ms, target, took = 0, passed = 0;

	ASSERT_NE(NULL, readers);
	for (round = 0; round < 40; round++) {
		for (i = 0; i < NR_READERS; i++) {
			ASSERT_EQ(0, reader_start(&readers[i], self->fd));
		}
		target = round & 1 ? 0 : rand() % NR_READERS;
		if (round & 2) {
			kill(readers[target].pid, SIGKILL);
			ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		} else {
			ASSERT_EQ(8, evfd_test_write(self->fd, 1));
			kill(readers[target].pid, SIGKILL);
		}
		ASSERT_EQ(readers[target].pid,
			  waitpid(readers[target].pid, NULL, 0));

		/*
		 * The unit was handed to the target if it is in its memory,
		 * even if it did not live to see it. Otherwise somebody else
		 * has it, or will; it stays with nobody as long as they sleep.
		 */
		for (ms = 0; ms < EVFD_TEST_PATIENCE_MS; ms++) {
			if (readers_served(readers, target) ||
			    (readers[target].value &&
			     !evfd_test_count(self->fd)))
				break;
			evfd_test_sleep_ms(1);
		}
		EXPECT_EQ(0, evfd_test_count(self->fd))
			TH_LOG("round %d: readers sleep on it", round);
		ASSERT_GT(EVFD_TEST_PATIENCE_MS, ms)
			TH_LOG("round %d: nobody was served", round);
		EXPECT_GE(1, readers_served(readers, target));
		if (readers_served(readers, target))
			passed++;
		else
			took++;

		for (i = 0; i < NR_READERS; i++) {
			if (i == target)
				continue;
			kill(readers[i].pid, SIGKILL);
			waitpid(readers[i].pid, NULL, 0);
		}
		ASSERT_EQ(0, evfd_test_count(self->fd));
	}
	TH_LOG("%d rounds: the killed one had it in %d, another in %d", round,
	       took, passed);
}

TEST_F(signals, stopped_reader_gives_up_its_turn)
{
	struct reader *readers = readers_alloc();
	struct reader *first, *second;

	ASSERT_NE(NULL, readers);
	first = &readers[0];
	second = &readers[1];
	ASSERT_EQ(0, reader_start(first, self->fd));
	ASSERT_EQ(0, reader_start(second, self->fd));
	ASSERT_EQ(0, kill(first->pid, SIGSTOP));
	ASSERT_EQ(0, evfd_test_wait_state(first->pid, 'T'));

	/* Who is stopped is not woken: the next in the queue is. */
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(second->pid, waitpid(second->pid, NULL, 0));
	EXPECT_TRUE(second->done);
	EXPECT_EQ(8, second->ret);
	EXPECT_EQ(1, second->value);
	EXPECT_EQ('T', evfd_test_task_state(first->pid));

	/* Continued, it goes on to wait; there is no handler and no EINTR. */
	ASSERT_EQ(0, kill(first->pid, SIGCONT));
	ASSERT_EQ(0, evfd_test_wait_asleep(first->pid));
	EXPECT_FALSE(first->done);
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(first->pid, waitpid(first->pid, NULL, 0));
	EXPECT_EQ(8, first->ret);
	EXPECT_EQ(1, first->value);
	EXPECT_EQ(0, evfd_test_count(self->fd));
}

TEST_F(signals, unit_posted_while_all_are_stopped_stays)
{
	struct reader *readers = readers_alloc();

	ASSERT_NE(NULL, readers);
	ASSERT_EQ(0, reader_start(&readers[0], self->fd));
	ASSERT_EQ(0, kill(readers[0].pid, SIGSTOP));
	ASSERT_EQ(0, evfd_test_wait_state(readers[0].pid, 'T'));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(1, evfd_test_count(self->fd));
	ASSERT_EQ(0, kill(readers[0].pid, SIGCONT));
	ASSERT_EQ(readers[0].pid, waitpid(readers[0].pid, NULL, 0));
	EXPECT_EQ(8, readers[0].ret);
	EXPECT_EQ(1, readers[0].value);
	EXPECT_EQ(0, evfd_test_count(self->fd));
}

TEST_F(signals, killed_writer_adds_nothing)
{
	int status;
	pid_t pid;

	ASSERT_EQ(8, evfd_test_write(self->fd, MAX));
	pid = fork();
	if (!pid) {
		evfd_test_write(self->fd, 1);
		_exit(0);
	}
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, evfd_test_wait_asleep(pid));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(MAX, evfd_test_count(self->fd));
}

TEST_HARNESS_MAIN
