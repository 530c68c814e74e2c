// SPDX-License-Identifier: GPL-2.0-only
/*
 * The modules of samples/: that each does what it shows, that no event is lost
 * on the way, and that they and evfd.ko can be left and unloaded in any order.
 *
 * Needs root, a guest of its own, and the modules beside evfd.ko, which EVFD_KO
 * names. Unloads them at the end. Uses evfd_module.h and evfd_task.h. Read
 * samples/evfd_ticker.c and samples/evfd_consumer.c first.
 */
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/epoll.h>

#include "kselftest_harness.h"
#include "evfd_module.h"
#include "evfd_task.h"

#include "../samples/evfd_consumer.h"
#include "../samples/evfd_ticker.h"

#define MAX		evfd_test_max(true)
/* For a whole test, on a slow machine. */
#define PATIENCE_S	200
#define PERIOD_NS	1000000

/* Ends the threads that run until then. */
static atomic_bool enough;

static const char * const samples[] = { "evfd_ticker", "evfd_consumer" };

/* Where @module is, or NULL if it has not been built. */
static const char *module_path(const char *module)
{
	static char path[PATH_MAX], copy[PATH_MAX];
	const char *evfd = getenv("EVFD_KO") ?: "";

	if (!strcmp(module, "evfd"))
		return *evfd ? evfd : NULL;
	snprintf(copy, sizeof(copy), "%s", evfd);
	snprintf(path, sizeof(path), "%.4000s/../samples/%.32s.ko",
		 dirname(copy), module);

	return access(path, R_OK) ? NULL : path;
}

static int load(const char *module)
{
	return evfd_module_load(module_path(module));
}

static int open_ticker(void)
{
	return open("/dev/evfd-ticker", O_RDWR | O_CLOEXEC);
}

static int open_consumer(void)
{
	return open("/dev/evfd-consumer", O_RDWR | O_CLOEXEC);
}

/* -errno on failure. */
static int start(int ticker, int fd, uint64_t period_ns)
{
	struct evfd_ticker_start arg = { .fd = fd, .period_ns = period_ns };

	return sysret(ioctl(ticker, EVFD_TICKER_START, &arg));
}

static int stop(int ticker)
{
	return sysret(ioctl(ticker, EVFD_TICKER_STOP));
}

static struct evfd_ticker_stats ticked(int ticker)
{
	struct evfd_ticker_stats stats;

	if (ioctl(ticker, EVFD_TICKER_STATS, &stats))
		memset(&stats, -1, sizeof(stats));
	return stats;
}

static int attach(int consumer, int fd)
{
	return sysret(ioctl(consumer, EVFD_CONSUMER_ATTACH, fd));
}

static int detach(int consumer)
{
	return sysret(ioctl(consumer, EVFD_CONSUMER_DETACH));
}

static struct evfd_consumer_stats state(int consumer)
{
	struct evfd_consumer_stats stats;

	if (ioctl(consumer, EVFD_CONSUMER_STATS, &stats))
		memset(&stats, -1, sizeof(stats));
	return stats;
}

/* NULL, or a text about a missing module. */
static const char *missing(void)
{
	static char text[128];
	int i;

	if (geteuid())
		return "needs root";
	if (!module_path("evfd"))
		return "EVFD_KO does not name evfd.ko";
	for (i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "no %s.ko; type: make %s%s samples",
			 samples[i], getenv("EVFD_KERNEL") ? "KERNEL=" : "",
			 getenv("EVFD_KERNEL") ?: "");
		if (!module_path(samples[i]))
			return text;
	}

	return NULL;
}

/* Loads the modules that are not loaded. Returns 0 or -errno. */
static int load_all(void)
{
	int ret = evfd_module_is_loaded("evfd") ? 0 : load("evfd"), i;

	for (i = 0; i < 2 && !ret; i++)
		ret = evfd_module_is_loaded(samples[i]) ? 0 : load(samples[i]);

	return ret;
}

/*
 * Leaves evfd.ko, and that alone, for what is run after. Once, at the end: a
 * test has a process of its own, which ends by _exit().
 */
static void __attribute__((destructor)) unload_samples(void)
{
	int ret = 0, i;

	for (i = 0; i < 2 && !ret; i++)
		ret = evfd_module_is_loaded(samples[i]) ? evfd_module_unload_soon(samples[i]) : 0;
	if (ret) {
		fprintf(stderr, "# the samples cannot be unloaded: %d\n", ret);
		_exit(1);
	}
}

FIXTURE(samples)
{
	int ticker;
	int consumer;
	int fd;
};

FIXTURE_VARIANT(samples) { unsigned int flags; };
FIXTURE_VARIANT_ADD(samples, plain) { .flags = 0 };
FIXTURE_VARIANT_ADD(samples, semaphore) { .flags = EVFD_SEMAPHORE };

FIXTURE_SETUP(samples)
{
	if (missing())
		SKIP(return, "%s", missing());
	ASSERT_EQ(0, load_all());
	self->ticker = open_ticker();
	ASSERT_LE(0, self->ticker);
	self->consumer = open_consumer();
	ASSERT_LE(0, self->consumer);
	self->fd = evfd_test_create(variant->flags, 0);
}

FIXTURE_TEARDOWN(samples)
{
}

/* ---- the ticker ---- */

TEST_F_TIMEOUT(samples, a_tick_adds_one_in_a_hard_interrupt, PATIENCE_S)
{
	struct evfd_ticker_stats stats;
	uint64_t n, sum = 0;

	ASSERT_EQ(0, start(self->ticker, self->fd, PERIOD_NS));
	/* Each of these reads may sleep, and is woken from an interrupt. */
	while (sum < 100) {
		ASSERT_EQ(8, evfd_test_read(self->fd, &n));
		sum += n;
	}
	ASSERT_EQ(0, stop(self->ticker));
	stats = ticked(self->ticker);
	EXPECT_EQ(stats.ticks, sum + evfd_test_count(self->fd));
	EXPECT_EQ(stats.ticks, stats.hardirqs);

	/* It has stopped. */
	evfd_test_sleep_ms(20);
	EXPECT_EQ(stats.ticks, ticked(self->ticker).ticks);
	EXPECT_EQ(stats.ticks, sum + evfd_test_count(self->fd));

	/* And starts anew. */
	sum += evfd_test_count(self->fd);
	ASSERT_EQ(0, start(self->ticker, self->fd, PERIOD_NS));
	evfd_test_until(ticked(self->ticker).ticks);
	ASSERT_EQ(0, stop(self->ticker));
	stats = ticked(self->ticker);
	EXPECT_LT(0, stats.ticks);
	EXPECT_EQ(stats.ticks, stats.hardirqs);
}

TEST_F_TIMEOUT(samples, a_tick_wakes_a_poller, PATIENCE_S)
{
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };

	ASSERT_EQ(0, poll(&pfd, 1, 0));
	ASSERT_EQ(0, start(self->ticker, self->fd, PERIOD_NS));
	EXPECT_EQ(1, poll(&pfd, 1, EVFD_TEST_PATIENCE_MS));
	EXPECT_EQ(POLLIN, pfd.revents);
}

static ssize_t read_many(struct evfd_task *thread)
{
	uint64_t n;

	while (thread->value < thread->arg) {
		if (evfd_test_read(thread->fd, &n) != 8)
			return -1;
		thread->value += n;
	}
	return 0;
}

/* Several readers sleep, and none is forgotten. */
TEST_F_TIMEOUT(samples, ticks_wake_all_readers_in_turn, PATIENCE_S)
{
	struct evfd_task threads[4] = { };
	uint64_t sum = 0;
	int i;

	for (i = 0; i < 4; i++) {
		threads[i].op = read_many;
		threads[i].fd = self->fd;
		threads[i].arg = 25;
		ASSERT_EQ(0, evfd_task_start(&threads[i]));
	}
	ASSERT_EQ(0, start(self->ticker, self->fd, PERIOD_NS));
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, evfd_task_result(&threads[i]));
		sum += threads[i].value;
	}
	ASSERT_EQ(0, stop(self->ticker));
	EXPECT_EQ(ticked(self->ticker).ticks, sum + evfd_test_count(self->fd));
}

TEST_F_TIMEOUT(samples, ticks_saturate, PATIENCE_S)
{
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };
	uint64_t ticks;

	if (evfd_test_shared())
		SKIP(return, "2^63 ticks are too many for EVFD_SHARED's overflow");
	ASSERT_EQ(8, evfd_test_write(self->fd, MAX - 2));
	ASSERT_EQ(0, start(self->ticker, self->fd, PERIOD_NS));
	evfd_test_until(ticked(self->ticker).ticks >= 6);
	ASSERT_EQ(0, stop(self->ticker));
	ticks = ticked(self->ticker).ticks;
	EXPECT_LE(6, ticks);
	EXPECT_EQ(UINT64_MAX, evfd_test_count(self->fd));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(POLLIN | POLLERR, pfd.revents);

	EXPECT_EQ(variant->flags ? 1 : UINT64_MAX, evfd_test_value(self->fd));
	pfd.events |= POLLOUT;
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(variant->flags ? POLLIN : POLLOUT, pfd.revents);
}

/* Runs on CPU 0 alone, and nothing else does there, until the test ends. */
static ssize_t hog(struct evfd_task *thread)
{
	struct sched_param param = { .sched_priority = 50 };
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu) ||
	    start(thread->fd, thread->arg, PERIOD_NS) ||
	    sched_setscheduler(0, SCHED_FIFO, &param))
		return -errno;
	thread->value = 1;
	while (!atomic_load(&enough))
		;
	return 0;
}

/*
 * The signals come in hard interrupts of a CPU where no other task runs. On
 * PREEMPT_RT they leave the wakeups to a worker, which has to run elsewhere.
 */
TEST_F_TIMEOUT(samples, a_hog_delays_no_wakeup, PATIENCE_S)
{
	struct evfd_task thread = { .op = hog, .fd = self->ticker };
	char throttle[32];
	cpu_set_t cpu;
	int i;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two CPUs");
	CPU_ZERO(&cpu);
	CPU_SET(1, &cpu);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpu), &cpu));
	ASSERT_EQ(0, evfd_test_proc("/proc/sys/kernel/sched_rt_runtime_us", "",
				    "%31s", throttle));
	ASSERT_EQ(0, evfd_test_put("/proc/sys/kernel", "sched_rt_runtime_us",
				   "-1"));
	thread.arg = self->fd;
	atomic_store(&enough, false);
	ASSERT_EQ(0, evfd_task_run(&thread));
	EXPECT_TRUE(evfd_test_until(*(volatile uint64_t *)&thread.value ||
				    thread.done));
	/* Each read but the first has to wait for a tick. */
	for (i = 0; i < 20 && !thread.done; i++) {
		struct pollfd p = { .fd = self->fd, .events = POLLIN };

		if (poll(&p, 1, EVFD_TEST_PATIENCE_MS) != 1 ||
		    evfd_test_read(self->fd, NULL) != 8)
			break;
	}
	atomic_store(&enough, true);
	evfd_test_put("/proc/sys/kernel", "sched_rt_runtime_us", throttle);
	ASSERT_EQ(0, evfd_task_result(&thread));
	EXPECT_EQ(20, i)
		TH_LOG("no wakeup while the hog runs");
}

TEST_F_TIMEOUT(samples, several_tickers_signal_one_counter, PATIENCE_S)
{
	uint64_t ticks = 0;
	int tickers[4], i;

	for (i = 0; i < 4; i++) {
		tickers[i] = open_ticker();
		ASSERT_LE(0, tickers[i]);
		ASSERT_EQ(0, start(tickers[i], self->fd, PERIOD_NS));
	}
	for (i = 0; i < 4; i++) {
		evfd_test_until(ticked(tickers[i]).ticks >= 20);
		ASSERT_EQ(0, stop(tickers[i]));
		EXPECT_LE(20, ticked(tickers[i]).ticks);
		ticks += ticked(tickers[i]).ticks;
	}
	EXPECT_EQ(ticks, evfd_test_count(self->fd));
}

TEST_F_TIMEOUT(samples, a_ticker_outlives_the_counter, PATIENCE_S)
{
	uint64_t ticks;

	ASSERT_EQ(0, start(self->ticker, self->fd, PERIOD_NS));
	close(self->fd);
	ticks = ticked(self->ticker).ticks;
	evfd_test_until(ticked(self->ticker).ticks > ticks + 10);
	EXPECT_LT(ticks + 10, ticked(self->ticker).ticks);
	EXPECT_EQ(0, stop(self->ticker));
}

TEST_F_TIMEOUT(samples, a_ticker_refuses_what_is_wrong, PATIENCE_S)
{
	struct evfd_ticker_start arg = {
		.fd = self->fd, .__reserved = 1, .period_ns = PERIOD_NS,
	};
	int eventfd = evfd_test_create_eventfd(0, 0);
	int users = evfd_test_users();

	EXPECT_EQ(-EINVAL, stop(self->ticker));
	EXPECT_EQ(-EBADF, start(self->ticker, -1, PERIOD_NS));
	EXPECT_EQ(-EINVAL, start(self->ticker, eventfd, PERIOD_NS));
	EXPECT_EQ(-EINVAL, start(self->ticker, self->ticker, PERIOD_NS));
	EXPECT_EQ(-EINVAL, start(self->ticker, self->fd, 0));
	EXPECT_EQ(-EINVAL, start(self->ticker, self->fd,
				 EVFD_TICKER_MIN_NS - 1));
	EXPECT_EQ(-EINVAL, start(self->ticker, self->fd, UINT64_MAX));
	EXPECT_EQ(-1, ioctl(self->ticker, EVFD_TICKER_START, &arg));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(self->ticker, EVFD_TICKER_START, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(self->ticker, EVFD_TICKER_STATS, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(self->ticker, EVFD_IOC_CREATE, NULL));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(0, ticked(self->ticker).ticks);
	EXPECT_EQ(0, evfd_test_count(self->fd));

	EXPECT_EQ(0, start(self->ticker, self->fd, INT64_MAX));
	EXPECT_EQ(-EBUSY, start(self->ticker, self->fd, PERIOD_NS));
	EXPECT_EQ(0, stop(self->ticker));
	EXPECT_EQ(-EINVAL, stop(self->ticker));
	EXPECT_EQ(users, evfd_test_users());
}

/* ---- the consumer ---- */

TEST_F_TIMEOUT(samples, a_consumer_takes_what_is_written, PATIENCE_S)
{
	ASSERT_EQ(8, evfd_test_write(self->fd, 7));
	ASSERT_EQ(0, attach(self->consumer, self->fd));
	/* No event tells it of these: it reads the count when attached. */
	evfd_test_until(state(self->consumer).consumed == 7);
	EXPECT_EQ(7, state(self->consumer).consumed);
	EXPECT_EQ(0, evfd_test_count(self->fd));

	/* One announcement, whatever the amount. */
	ASSERT_EQ(8, evfd_test_write(self->fd, 500));
	evfd_test_until(state(self->consumer).consumed == 507);
	EXPECT_EQ(507, state(self->consumer).consumed);
	EXPECT_EQ(1, state(self->consumer).attached);
	EXPECT_EQ(0, evfd_test_count(self->fd));

	ASSERT_EQ(0, detach(self->consumer));
	EXPECT_EQ(0, state(self->consumer).attached);
	ASSERT_EQ(8, evfd_test_write(self->fd, 3));
	evfd_test_sleep_ms(20);
	EXPECT_EQ(507, state(self->consumer).consumed);
	EXPECT_EQ(3, evfd_test_count(self->fd));
}

static ssize_t write_many(struct evfd_task *thread)
{
	uint64_t i;

	for (i = 0; i < thread->arg; i++) {
		if (evfd_test_write(thread->fd, 1 + i % 3) != 8)
			return -1;
		thread->value += 1 + i % 3;
	}
	return 0;
}

TEST_F_TIMEOUT(samples, a_consumer_takes_all_of_many_writers, PATIENCE_S)
{
	struct evfd_task threads[4] = { };
	uint64_t sum = 0;
	int i;

	ASSERT_EQ(0, attach(self->consumer, self->fd));
	for (i = 0; i < 4; i++) {
		threads[i].op = write_many;
		threads[i].fd = self->fd;
		threads[i].arg = 250;
		ASSERT_EQ(0, evfd_task_run(&threads[i]));
	}
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, evfd_task_join(&threads[i]));
		ASSERT_EQ(0, threads[i].ret);
		sum += threads[i].value;
	}
	evfd_test_until(state(self->consumer).consumed == sum);
	EXPECT_EQ(sum, state(self->consumer).consumed);
	EXPECT_EQ(0, evfd_test_count(self->fd));
}

static ssize_t write_on(struct evfd_task *thread)
{
	while (!enough) {
		if (evfd_test_write(thread->fd, 2) != 8)
			return -1;
		thread->value += 2;
	}
	return 0;
}

/* It attaches and detaches while others write, and loses no value. */
TEST_F_TIMEOUT(samples, nothing_is_lost_when_a_consumer_leaves, PATIENCE_S)
{
	struct evfd_task threads[2] = { };
	uint64_t sum = 0, consumed = 0;
	int i;

	for (i = 0; i < 2; i++) {
		threads[i].op = write_on;
		threads[i].fd = self->fd;
		ASSERT_EQ(0, evfd_task_run(&threads[i]));
	}
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, attach(self->consumer, self->fd));
		if (i % 3)
			evfd_test_until(state(self->consumer).consumed);
		ASSERT_EQ(0, detach(self->consumer));
		consumed += state(self->consumer).consumed;
	}
	enough = true;
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, evfd_task_join(&threads[i]));
		ASSERT_EQ(0, threads[i].ret);
		sum += threads[i].value;
	}
	EXPECT_LT(0, consumed);
	EXPECT_EQ(sum, consumed + evfd_test_count(self->fd));
}

TEST_F_TIMEOUT(samples, several_consumers_and_a_reader_share, PATIENCE_S)
{
	struct evfd_task writer = {
		.op = write_many, .fd = self->fd, .arg = 500,
	};
	uint64_t consumed = 0, n;
	int consumers[3], i, ret;

	for (i = 0; i < 3; i++) {
		consumers[i] = open_consumer();
		ASSERT_LE(0, consumers[i]);
		ASSERT_EQ(0, attach(consumers[i], self->fd));
	}
	ASSERT_EQ(0, evfd_task_run(&writer));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	while (!writer.done) {
		ret = evfd_test_read(self->fd, &n);
		if (ret != -EAGAIN) {
			ASSERT_EQ(8, ret);
			consumed += n;
		}
	}
	ASSERT_EQ(0, evfd_task_join(&writer));
	evfd_test_until(!evfd_test_count(self->fd));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, detach(consumers[i]));
		consumed += state(consumers[i]).consumed;
	}
	EXPECT_EQ(0, evfd_test_count(self->fd));
	EXPECT_EQ(writer.value, consumed);
}

TEST_F_TIMEOUT(samples, a_consumer_makes_room_for_writers, PATIENCE_S)
{
	struct evfd_task writer = {
		.op = evfd_task_write, .fd = self->fd, .value = 5,
	};
	/* In semaphore mode it takes one after the other. */
	const uint64_t first = variant->flags ? MAX - 2 : MAX;

	ASSERT_EQ(8, evfd_test_write(self->fd, first));
	ASSERT_EQ(0, evfd_task_start(&writer));
	ASSERT_EQ(0, attach(self->consumer, self->fd));
	ASSERT_EQ(8, evfd_task_result(&writer));
	/* It stops at once, though there may be much to take. */
	ASSERT_EQ(0, detach(self->consumer));
	EXPECT_EQ(first + 5, state(self->consumer).consumed +
			     evfd_test_count(self->fd));
}

/* OUT held before, but not for 10: the edge is that there is more room now. */
TEST_F_TIMEOUT(samples, a_consumer_tells_edge_triggered_writers, PATIENCE_S)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET };
	int consumer = open_consumer();
	int ep = epoll_create1(EPOLL_CLOEXEC);
	int fd = evfd_test_create(EVFD_NONBLOCK | variant->flags, MAX - 3);

	ASSERT_LE(0, ep);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
	ASSERT_EQ(1, epoll_wait(ep, &event, 1, 0));
	ASSERT_EQ(-EAGAIN, evfd_test_write(fd, 10));
	ASSERT_EQ(0, epoll_wait(ep, &event, 1, 0));
	ASSERT_EQ(0, attach(consumer, fd));
	EXPECT_EQ(1, epoll_wait(ep, &event, 1, EVFD_TEST_PATIENCE_MS));
	EXPECT_EQ(EPOLLOUT, event.events);
	close(consumer);
	close(ep);
	close(fd);
}

/* The last close is reported; the consumer reads the rest before that. */
TEST_F_TIMEOUT(samples, the_last_close_detaches_a_consumer, PATIENCE_S)
{
	int copy = dup(self->fd), i;

	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, attach(self->consumer, self->fd));
		close(self->fd);
		ASSERT_EQ(1, state(self->consumer).attached);
		ASSERT_EQ(8, evfd_test_write(copy, 9));
		close(copy);
		evfd_test_until(!state(self->consumer).attached);
		ASSERT_EQ(0, state(self->consumer).attached);
		ASSERT_EQ(9, state(self->consumer).consumed);
		ASSERT_EQ(-EINVAL, detach(self->consumer));

		/* It may wait for another then. */
		self->fd = evfd_test_create(variant->flags, 0);
		copy = dup(self->fd);
	}
}

TEST_F_TIMEOUT(samples, a_consumer_refuses_what_is_wrong, PATIENCE_S)
{
	int eventfd = evfd_test_create_eventfd(0, 0);
	int users = evfd_test_users();

	EXPECT_EQ(-EINVAL, detach(self->consumer));
	EXPECT_EQ(-EBADF, attach(self->consumer, -1));
	EXPECT_EQ(-EINVAL, attach(self->consumer, eventfd));
	EXPECT_EQ(-EINVAL, attach(self->consumer, self->consumer));
	EXPECT_EQ(-1, ioctl(self->consumer, EVFD_CONSUMER_STATS, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(self->consumer, EVFD_IOC_CREATE, NULL));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(0, state(self->consumer).attached);

	EXPECT_EQ(0, attach(self->consumer, self->fd));
	EXPECT_EQ(-EBUSY, attach(self->consumer, self->fd));
	EXPECT_EQ(0, detach(self->consumer));
	EXPECT_EQ(-EINVAL, detach(self->consumer));
	EXPECT_EQ(users, evfd_test_users());
}

/* ---- both, and the ends of all ---- */

/* From one interrupt to a worker, without a program in between. */
TEST_F_TIMEOUT(samples, a_consumer_takes_what_a_ticker_signals, PATIENCE_S)
{
	uint64_t ticks;

	ASSERT_EQ(0, attach(self->consumer, self->fd));
	ASSERT_EQ(0, start(self->ticker, self->fd, PERIOD_NS));
	evfd_test_until(state(self->consumer).consumed > 100);
	EXPECT_LT(100, state(self->consumer).consumed);
	ASSERT_EQ(0, stop(self->ticker));
	ticks = ticked(self->ticker).ticks;
	EXPECT_EQ(ticks, ticked(self->ticker).hardirqs);
	evfd_test_until(state(self->consumer).consumed == ticks);
	EXPECT_EQ(ticks, state(self->consumer).consumed);
	EXPECT_EQ(0, evfd_test_count(self->fd));
}

/* The consumer leaves while an interrupt may be calling it. */
TEST_F_TIMEOUT(samples, a_consumer_leaves_while_a_ticker_signals, PATIENCE_S)
{
	uint64_t consumed = 0;
	int i;

	ASSERT_EQ(0, start(self->ticker, self->fd, PERIOD_NS));
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, attach(self->consumer, self->fd));
		evfd_test_until(state(self->consumer).consumed);
		ASSERT_EQ(0, detach(self->consumer));
		consumed += state(self->consumer).consumed;
	}
	ASSERT_EQ(0, stop(self->ticker));
	EXPECT_EQ(ticked(self->ticker).ticks,
		  consumed + evfd_test_count(self->fd));
}

/* ---- unloading ---- */

FIXTURE(unloading)
{
	int ticker;
	int consumer;
	int fd;
};

FIXTURE_SETUP(unloading)
{
	if (missing())
		SKIP(return, "%s", missing());
	ASSERT_EQ(0, load_all());
	self->ticker = open_ticker();
	ASSERT_LE(0, self->ticker);
	self->consumer = open_consumer();
	ASSERT_LE(0, self->consumer);
	self->fd = evfd_test_create(0, 0);
}

/* In the parent, after the test's process and all that it held is gone. */
FIXTURE_TEARDOWN_PARENT(unloading)
{
	if (!missing())
		EXPECT_EQ(0, load_all());
}

/* The orders in which three can go. */
static const int orders[6][3] = {
	{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 },
	{ 2, 1, 0 },
};

TEST_F_TIMEOUT(unloading, in_any_order, PATIENCE_S)
{
	int order, i, fds[3];

	for (order = 0; order < 6; order++) {
		fds[0] = self->fd;
		fds[1] = self->ticker;
		fds[2] = self->consumer;
		ASSERT_EQ(0, attach(self->consumer, self->fd));
		ASSERT_EQ(0, start(self->ticker, self->fd, PERIOD_NS));
		evfd_test_until(state(self->consumer).consumed);
		for (i = 0; i < 3; i++)
			close(fds[orders[order][i]]);

		/* Samples in either order, evfd.ko after them. */
		ASSERT_EQ(0, evfd_module_unload_soon(samples[order % 2]));
		ASSERT_EQ(-EWOULDBLOCK, evfd_module_unload("evfd"));
		ASSERT_EQ(0, evfd_module_unload_soon(samples[!(order % 2)]));
		ASSERT_EQ(0, evfd_module_unload_soon("evfd"));
		ASSERT_EQ(0, load_all());
		self->ticker = open_ticker();
		self->consumer = open_consumer();
		self->fd = evfd_test_create(0, 0);
	}
}

/* A sample in use cannot go; evfd.ko cannot while a sample is loaded. */
TEST_F_TIMEOUT(unloading, is_refused_to_what_is_used, PATIENCE_S)
{
	close(self->fd);
	EXPECT_EQ(-EWOULDBLOCK, evfd_module_unload("evfd_ticker"));
	EXPECT_EQ(-EWOULDBLOCK, evfd_module_unload("evfd_consumer"));
	EXPECT_EQ(-EWOULDBLOCK, evfd_module_unload("evfd"));
	close(self->consumer);
	EXPECT_EQ(0, evfd_module_unload_soon("evfd_consumer"));
	EXPECT_EQ(-EWOULDBLOCK, evfd_module_unload("evfd"));
	EXPECT_EQ(-EWOULDBLOCK, evfd_module_unload("evfd_ticker"));
	close(self->ticker);
	/* Only that it is loaded. */
	EXPECT_EQ(-EWOULDBLOCK, evfd_module_unload("evfd"));
	EXPECT_EQ(0, evfd_module_unload_soon("evfd_ticker"));
	EXPECT_EQ(0, evfd_module_unload_soon("evfd"));
	/* Not without the module that they use. */
	EXPECT_EQ(-ENOENT, load("evfd_ticker"));
	EXPECT_EQ(-ENOENT, load("evfd_consumer"));
	EXPECT_EQ(0, load("evfd"));
}

/* Killed while all is in use, without a chance to tidy up. */
TEST_F_TIMEOUT(unloading, after_a_process_was_killed, PATIENCE_S)
{
	uint64_t n;
	pid_t pid;
	int i;

	for (i = 0; i < 4; i++) {
		int sync[2];

		ASSERT_EQ(0, pipe(sync));
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			int fd = evfd_test_create(0, 0);

			if (attach(self->consumer, fd) ||
			    start(self->ticker, fd, PERIOD_NS))
				_exit(1);
			if (write(sync[1], "r", 1) != 1)
				_exit(1);
			for (;;)
				evfd_test_read(fd, &n);
		}
		/* The last descriptors of each are the child's. */
		close(self->consumer);
		close(self->ticker);
		EXPECT_EQ(1, read(sync[0], &n, 1));
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		close(sync[0]);
		close(sync[1]);
		ASSERT_EQ(0, evfd_module_unload_soon(samples[i % 2]));
		ASSERT_EQ(0, load_all());
		self->ticker = open_ticker();
		self->consumer = open_consumer();
		ASSERT_LE(0, self->ticker);
		ASSERT_LE(0, self->consumer);
	}
}

TEST_HARNESS_MAIN
