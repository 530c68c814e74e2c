// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll, ppoll, select, pselect and epoll on a counter: what they report, and when
 * they wake; epoll_test.c has what epoll alone can do.
 *
 * Where evfd has to behave as eventfd(2) does, the test runs on both: a
 * difference shows as a failure of one variant. The overflow value, and with it
 * POLLERR, is out of user space's reach; the module's KUnit tests have it.
 * Read evfd_test.h and evfd_task.h first.
 */
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "kselftest_harness.h"
#include "evfd_poll.h"
#include "evfd_task.h"

#define POLL_ALL	(POLLIN | POLLOUT | POLLPRI | POLLRDHUP | \
			 POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND)

/* Long enough to measure. */
#define TIMEOUT_MS	30

/* The highest count of the variant. */
static uint64_t max;

static struct timespec *ms_to_ts(int ms, struct timespec *ts)
{
	ts->tv_sec = ms / 1000;
	ts->tv_nsec = ms % 1000 * 1000000L;

	return ms < 0 ? NULL : ts;
}

/*
 * Each waits for @events (IN, OUT) of @fd at most @ms milliseconds, and
 * returns the events, 0 for a timeout, or -errno.
 */
static int wait_ppoll(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	struct timespec ts;
	int ret = ppoll(&p, 1, ms_to_ts(ms, &ts), NULL);

	return ret < 0 ? -errno : ret ? p.revents : 0;
}

static int fdset_events(int fd, int ret, fd_set *in, fd_set *out, fd_set *ex)
{
	if (ret < 0)
		return -errno;

	return (FD_ISSET(fd, in) ? POLLIN : 0) |
	       (FD_ISSET(fd, out) ? POLLOUT : 0) |
	       (FD_ISSET(fd, ex) ? POLLPRI : 0);
}

static void fdset_fill(int fd, short events, fd_set *in, fd_set *out,
		       fd_set *ex)
{
	FD_ZERO(in);
	FD_ZERO(out);
	FD_ZERO(ex);
	if (events & POLLIN)
		FD_SET(fd, in);
	if (events & POLLOUT)
		FD_SET(fd, out);
	FD_SET(fd, ex);
}

static int wait_select(int fd, short events, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
	fd_set in, out, ex;
	int ret;

	fdset_fill(fd, events, &in, &out, &ex);
	ret = select(fd + 1, &in, &out, &ex, ms < 0 ? NULL : &tv);

	return fdset_events(fd, ret, &in, &out, &ex);
}

static int wait_pselect(int fd, short events, int ms)
{
	fd_set in, out, ex;
	struct timespec ts;
	int ret;

	fdset_fill(fd, events, &in, &out, &ex);
	ret = pselect(fd + 1, &in, &out, &ex, ms_to_ts(ms, &ts), NULL);

	return fdset_events(fd, ret, &in, &out, &ex);
}

static int wait_epoll(int fd, short events, int ms)
{
	struct epoll_event ev = { .events = events };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	int ret;

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev))
		ret = -1;
	else
		ret = epoll_wait(ep, &ev, 1, ms);
	ret = ret < 0 ? -errno : ret ? (int)ev.events : 0;
	close(ep);

	return ret;
}

static const struct {
	const char *name;
	int (*wait)(int fd, short events, int ms);
} calls[] = {
	{ "poll", wait_poll },
	{ "ppoll", wait_ppoll },
	{ "select", wait_select },
	{ "pselect", wait_pselect },
	{ "epoll", wait_epoll },
};

#define NCALLS	((int)ARRAY_SIZE(calls))

/* Threads: @arg is the index in calls, or a count; see evfd_task.h. */
static ssize_t task_wait_in(struct evfd_task *task)
{
	return calls[task->arg].wait(task->fd, POLLIN, -1);
}

static ssize_t task_wait_out(struct evfd_task *task)
{
	return calls[task->arg].wait(task->fd, POLLOUT, -1);
}

FIXTURE(poll)
{
	int fd;
	int ep;
};

FIXTURE_VARIANT(poll) { bool evfd; };
FIXTURE_VARIANT_ADD(poll, evfd) { .evfd = true };
FIXTURE_VARIANT_ADD(poll, eventfd) { .evfd = false };

FIXTURE_SETUP(poll)
{
	max = evfd_test_max(variant->evfd);
	self->fd = evfd_test_make(variant->evfd, EVFD_NONBLOCK, 0);
	self->ep = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, self->ep);
}

FIXTURE_TEARDOWN(poll)
{
	close(self->ep);
	close(self->fd);
}

TEST_F(poll, every_call_reports_what_the_count_allows)
{
	const struct {
		uint64_t count;
		short events;
	} counts[] = {
		{ 0,			POLLOUT },
		{ 1,			POLLIN | POLLOUT },
		{ 1ULL << 32,		POLLIN | POLLOUT },
		{ max / 2 + 1,		POLLIN | POLLOUT },
		{ max - 1,		POLLIN | POLLOUT },
		{ max,			POLLIN },
	};
	int i, j;

	for (i = 0; i < (int)ARRAY_SIZE(counts); i++) {
		if (counts[i].count)
			ASSERT_EQ(8, evfd_test_write(self->fd,
						     counts[i].count));
		for (j = 0; j < NCALLS; j++) {
			EXPECT_EQ(counts[i].events,
				  calls[j].wait(self->fd, POLLIN | POLLOUT, 0))
				TH_LOG("%s at %llx", calls[j].name,
				       (unsigned long long)counts[i].count);
		}
		/* Nothing but these two, whatever is asked for. */
		EXPECT_EQ(counts[i].events, wait_poll(self->fd, POLL_ALL, 0));
		if (counts[i].count)
			ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
	}
}

TEST_F(poll, reports_only_what_was_asked)
{
	int j;

	for (j = 0; j < NCALLS; j++)
		EXPECT_EQ(0, calls[j].wait(self->fd, POLLIN, 0));
	EXPECT_EQ(0, wait_poll(self->fd, 0, 0));

	ASSERT_EQ(8, evfd_test_write(self->fd, max));
	for (j = 0; j < NCALLS; j++)
		EXPECT_EQ(0, calls[j].wait(self->fd, POLLOUT, 0));
	EXPECT_EQ(0, wait_poll(self->fd, 0, 0));
	/* Band and normal data are notions of streams. */
	EXPECT_EQ(0, wait_poll(self->fd, POLL_ALL & ~(POLLIN | POLLOUT), 0));
}

TEST_F(poll, does_not_change_the_count)
{
	int j;

	ASSERT_EQ(8, evfd_test_write(self->fd, 7));
	for (j = 0; j < NCALLS; j++)
		EXPECT_EQ(POLLIN | POLLOUT,
			  calls[j].wait(self->fd, POLLIN | POLLOUT, -1));
	EXPECT_EQ(7, evfd_test_value(self->fd));
}

TEST_F(poll, a_timeout_is_waited_out)
{
	long start;
	int j;

	for (j = 0; j < NCALLS; j++) {
		start = evfd_test_now_ms();
		EXPECT_EQ(0, calls[j].wait(self->fd, POLLIN, TIMEOUT_MS));
		EXPECT_LE(TIMEOUT_MS - 1, evfd_test_now_ms() - start)
			TH_LOG("%s", calls[j].name);
	}
}

TEST_F(poll, a_write_ends_an_endless_wait_for_in)
{
	struct evfd_task task = { .op = task_wait_in, .fd = self->fd };
	int j;

	for (j = 0; j < NCALLS; j++) {
		task.arg = j;
		ASSERT_EQ(0, evfd_task_start(&task));
		/* After a write of 0 the task sleeps again. */
		ASSERT_EQ(8, evfd_test_write(self->fd, 0));
		ASSERT_EQ(0, evfd_task_settle(&task, 1));
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		ASSERT_EQ(POLLIN, evfd_task_result(&task))
			TH_LOG("%s was not woken", calls[j].name);
		ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
	}
}

TEST_F(poll, a_read_ends_an_endless_wait_for_out)
{
	struct evfd_task task = { .op = task_wait_out, .fd = self->fd };
	int j;

	for (j = 0; j < NCALLS; j++) {
		ASSERT_EQ(8, evfd_test_write(self->fd, max));
		task.arg = j;
		ASSERT_EQ(0, evfd_task_start(&task));
		ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
		ASSERT_EQ(POLLOUT, evfd_task_result(&task))
			TH_LOG("%s was not woken", calls[j].name);
	}
}

TEST_F(poll, a_semaphores_read_of_one_makes_room)
{
	struct evfd_task task = { .op = task_wait_out };

	task.fd = evfd_test_make(variant->evfd, EVFD_NONBLOCK | EVFD_SEMAPHORE,
				 max);
	EXPECT_EQ(POLLIN, wait_poll(task.fd, POLLIN | POLLOUT, 0));
	ASSERT_EQ(0, evfd_task_start(&task));
	EXPECT_EQ(1, evfd_test_value(task.fd));
	ASSERT_EQ(POLLOUT, evfd_task_result(&task));
	EXPECT_EQ(POLLIN | POLLOUT,
		  wait_poll(task.fd, POLLIN | POLLOUT, 0));
	close(task.fd);
}

static int nsignals;

static void on_signal(int sig)
{
	nsignals += sig == SIGUSR1;
}

static ssize_t task_ppoll_unblocked(struct evfd_task *task)
{
	struct pollfd p = { .fd = task->fd, .events = POLLIN };
	sigset_t none;

	sigemptyset(&none);
	return ppoll(&p, 1, NULL, &none) < 0 ? -errno : p.revents;
}

static ssize_t task_epoll_pwait_unblocked(struct evfd_task *task)
{
	struct epoll_event ev;
	sigset_t none;

	sigemptyset(&none);
	return epoll_pwait(task->fd, &ev, 1, -1, &none) < 0 ? -errno :
							      (int)ev.events;
}

TEST_F(poll, a_signal_ends_the_wait_with_eintr)
{
	struct evfd_task tasks[] = {
		{ .op = task_wait_in, .fd = self->fd },
		{ .op = task_ppoll_unblocked, .fd = self->fd },
		{ .op = task_epoll_pwait_unblocked, .fd = self->ep },
	};
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t set;
	int i;

	/* poll(2) is never restarted, SA_RESTART or not. */
	sa.sa_flags = SA_RESTART;
	ASSERT_EQ(0, sigaction(SIGUSR1, &sa, NULL));
	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	for (i = 0; i < 3; i++) {
		/* A call with a mask of its own starts with the signal blocked. */
		pthread_sigmask(i ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
		ASSERT_EQ(0, evfd_task_start(&tasks[i]));
		ASSERT_EQ(0, pthread_kill(tasks[i].thread, SIGUSR1));
		ASSERT_EQ(0, evfd_task_join(&tasks[i]));
		EXPECT_EQ(-EINTR, tasks[i].ret) TH_LOG("task %d", i);
	}
	EXPECT_EQ(3, nsignals);
	EXPECT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
}

TEST_F(poll, a_closed_descriptor_is_nval)
{
	int copy = dup(self->fd);

	ASSERT_LE(0, copy);
	close(copy);
	EXPECT_EQ(POLLNVAL, wait_poll(copy, POLLIN | POLLOUT, -1));
	EXPECT_EQ(-EBADF, wait_select(copy, POLLIN, 0));
	EXPECT_EQ(-EBADF, ep_add(self->ep, copy, EPOLLIN));
}

#define NWAITERS	4

TEST_F(poll, plain_waiters_are_all_woken)
{
	struct evfd_task tasks[NWAITERS] = { };
	int i;

	for (i = 0; i < NWAITERS; i++) {
		tasks[i].op = task_wait_in;
		tasks[i].fd = self->fd;
		tasks[i].arg = i;
		ASSERT_EQ(0, evfd_task_start(&tasks[i]));
	}
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	for (i = 0; i < NWAITERS; i++) {
		ASSERT_EQ(POLLIN, evfd_task_result(&tasks[i]));
	}
}

#define ROUNDS	200

/* Fills the counter whenever poll reports POLLOUT. */
static ssize_t task_fill(struct evfd_task *task)
{
	int ret;

	for (task->value = 0; task->value < ROUNDS; task->value++) {
		ret = calls[task->arg].wait(task->fd, POLLOUT, -1);
		if (ret != POLLOUT)
			return ret;
		ret = evfd_test_write(task->fd, max);
		if (ret != 8)
			return ret;
	}

	return 0;
}

/* Empties it whenever poll reports POLLIN. */
static ssize_t task_empty(struct evfd_task *task)
{
	uint64_t n;
	int ret;

	for (task->value = 0; task->value < ROUNDS; task->value++) {
		ret = calls[task->arg].wait(task->fd, POLLIN, -1);
		if (ret != POLLIN)
			return ret;
		ret = evfd_test_read(task->fd, &n);
		if (ret != 8)
			return ret;
		if (n != max)
			return -EPROTO;
	}

	return 0;
}

TEST_F(poll, two_threads_that_poll_for_each_other_lose_no_wake)
{
	struct evfd_task fill = { .op = task_fill, .fd = self->fd };
	struct evfd_task empty = { .op = task_empty, .fd = self->fd };
	int j;

	for (j = 0; j < NCALLS; j += 2) {
		fill.arg = j;
		empty.arg = j;
		ASSERT_EQ(0, evfd_task_run(&fill));
		ASSERT_EQ(0, evfd_task_run(&empty));
		ASSERT_EQ(0, evfd_task_join(&fill))
			TH_LOG("%s: round %d, %d; events %x", calls[j].name,
			       (int)fill.value, (int)empty.value,
			       wait_poll(self->fd, POLLIN | POLLOUT, 0));
		ASSERT_EQ(0, evfd_task_join(&empty));
		EXPECT_EQ(0, fill.ret);
		EXPECT_EQ(0, empty.ret);
	}
}

TEST_HARNESS_MAIN
