// SPDX-License-Identifier: GPL-2.0-only
/*
 * A reader that was woken and gets no CPU. It keeps its wakeup meanwhile: that is
 * the price of waking only as many readers as can be served. What has to hold: the
 * next write wakes the next reader, and the starved one reads or passes its wakeup
 * on as soon as it runs.
 *
 * A reader with the lowest real-time priority is starved by a thread of a higher
 * one that spins on the same CPU. The kernel's throttling of real-time tasks and
 * its server for other tasks do not give that reader a CPU either. All else runs on
 * another CPU. Uses evfd_task.h; read blocking_test.c first, for readers that do run.
 */
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "evfd_task.h"

#define NR_OTHERS	2

static atomic_bool hog_stop;
static atomic_int nr_handled;

/* Returns 0, or -1: @priority and the CPUs need rights, and two CPUs. */
static int run_on(int cpu, int priority)
{
	struct sched_param param = { .sched_priority = priority };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		return -1;

	return priority ? sched_setscheduler(0, SCHED_FIFO, &param) : 0;
}

/* Reads on CPU 1, to where buf says. */
static ssize_t starved_read(struct evfd_task *task)
{
	if (run_on(1, 1))
		return -errno;

	return evfd_task_read_buf(task);
}

/* Leaves no time to the starved reader until hog_stop is set. */
static ssize_t hog(struct evfd_task *task)
{
	if (run_on(1, 2))
		return -errno;
	task->value = 1;
	while (!hog_stop)
		;

	return 0;
}

static void handle(int sig)
{
	nr_handled++;
}

FIXTURE(starved) {
	int fd;
	struct evfd_task reader;
	struct evfd_task others[NR_OTHERS];
	struct evfd_task hog;
};

FIXTURE_VARIANT(starved) { unsigned int flags; };
FIXTURE_VARIANT_ADD(starved, plain) { .flags = 0 };
FIXTURE_VARIANT_ADD(starved, semaphore) { .flags = EVFD_SEMAPHORE };

/* Begins with readers that sleep: the one to be starved first, then the others. */
FIXTURE_SETUP(starved)
{
	struct sigaction action = { .sa_handler = handle };
	int i;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two CPUs");

	hog_stop = false;
	nr_handled = 0;
	ASSERT_EQ(0, run_on(0, 0));
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	self->fd = evfd_test_create(variant->flags, 0);

	self->reader.fd = self->fd;
	self->reader.op = starved_read;
	self->reader.buf = &self->reader.value;
	self->hog.op = hog;
	for (i = 0; i < NR_OTHERS; i++) {
		self->others[i].fd = self->fd;
		self->others[i].op = evfd_task_read;
	}
}

/* Tasks that still sleep end with the test's process; so does the hog. */
FIXTURE_TEARDOWN(starved)
{
	hog_stop = true;
}

/* Starts all; then the first reader has been woken by a write, and is starved. */
#define STARVE()						\
	do {							\
		int starve_i;					\
								\
		ASSERT_EQ(0, evfd_task_start(&self->reader))	\
			TH_LOG("the reader returned %zd",	\
			       self->reader.ret);		\
		for (starve_i = 0; starve_i < NR_OTHERS; starve_i++) \
			ASSERT_EQ(0, evfd_task_start(		\
					     &self->others[starve_i])); \
		ASSERT_EQ(0, evfd_task_run(&self->hog));	\
		ASSERT_TRUE(evfd_test_until(self->hog.value))	\
			TH_LOG("the hog returned %zd", self->hog.ret); \
								\
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));	\
		ASSERT_EQ(0, evfd_test_wait_state(self->reader.tid, 'R')); \
		EXPECT_EQ(1, evfd_test_count(self->fd));	\
	} while (0)

/* Ends the hog, so that the reader that was starved runs. */
#define FEED()							\
	do {							\
		hog_stop = true;				\
		ASSERT_EQ(0, evfd_task_join(&self->hog));	\
	} while (0)

#define EXPECT_READ(task, expected)				\
	do {							\
		struct evfd_task *read_task = (task);		\
								\
		ASSERT_EQ(8, evfd_task_result(read_task))	\
			TH_LOG("was not woken");		\
		EXPECT_EQ(expected, read_task->value);		\
	} while (0)

TEST_F(starved, is_served_when_it_runs)
{
	STARVE();
	EXPECT_EQ(0, evfd_task_rewoken(&self->others[0]));
	EXPECT_EQ(0, evfd_task_rewoken(&self->others[1]));

	FEED();
	EXPECT_READ(&self->reader, 1);
	EXPECT_EQ(0, evfd_test_count(self->fd));
	EXPECT_EQ(0, evfd_task_rewoken(&self->others[0]));
	EXPECT_EQ(0, evfd_task_rewoken(&self->others[1]));
}

TEST_F(starved, next_write_wakes_the_next_reader)
{
	bool semaphore = variant->flags & EVFD_SEMAPHORE;

	STARVE();
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_READ(&self->others[0], semaphore ? 1 : 2);
	EXPECT_EQ(semaphore, evfd_test_count(self->fd));
	EXPECT_EQ(0, evfd_task_rewoken(&self->others[1]));

	/* The rest is for the first one; with a count of 0 it sleeps again. */
	FEED();
	if (!semaphore) {
		EXPECT_EQ(0, evfd_task_wait_rewoken(&self->reader, 1));
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		/* It is behind the other one now. */
		EXPECT_READ(&self->others[1], 1);
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	}
	EXPECT_READ(&self->reader, 1);
	EXPECT_EQ(0, evfd_test_count(self->fd));
}

TEST_F(starved, takes_though_a_signal_came)
{
	STARVE();
	ASSERT_EQ(0, pthread_kill(self->reader.thread, SIGUSR1));

	FEED();
	EXPECT_READ(&self->reader, 1);
	EXPECT_EQ(1, nr_handled);
	EXPECT_EQ(0, evfd_test_count(self->fd));
	EXPECT_EQ(0, evfd_task_rewoken(&self->others[0]));
}

/* The count has been read, so the signal ends the read: nothing to pass on. */
TEST_F(starved, leaves_by_a_signal_when_the_count_is_gone)
{
	STARVE();
	ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
	ASSERT_EQ(0, pthread_kill(self->reader.thread, SIGUSR1));

	FEED();
	ASSERT_EQ(-EINTR, evfd_task_result(&self->reader));
	EXPECT_EQ(1, nr_handled);

	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_READ(&self->others[0], 1);
	EXPECT_EQ(0, evfd_task_rewoken(&self->others[1]));
}

TEST_F(starved, passes_its_wake_on_when_it_faults)
{
	self->reader.buf = mmap(NULL, sizeof(uint64_t), PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->reader.buf);

	STARVE();
	EXPECT_EQ(0, evfd_task_rewoken(&self->others[0]));

	FEED();
	EXPECT_READ(&self->others[0], 1);
	EXPECT_EQ(0, evfd_test_count(self->fd));
	EXPECT_EQ(0, evfd_task_rewoken(&self->others[1]));

	/* The reader may have come too late for EFAULT, and sleep again. */
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_READ(&self->others[1], 1);
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(-EFAULT, evfd_task_result(&self->reader));
	EXPECT_EQ(1, evfd_test_count(self->fd));
}

TEST_HARNESS_MAIN
