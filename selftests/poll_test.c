// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll, ppoll, select, pselect and epoll on a counter: what they report, when
 * they wake, and how often.
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
#include "evfd_task.h"

#define POLL_ALL	(POLLIN | POLLOUT | POLLPRI | POLLRDHUP | \
			 POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND)

/* Long enough for a sleep to show, on a machine of any speed. */
#define TIMEOUT_MS	30

static const struct {
	uint64_t count;
	short events;
} counts[] = {
	{ 0,			POLLOUT },
	{ 1,			POLLIN | POLLOUT },
	{ 1ULL << 32,		POLLIN | POLLOUT },
	{ 1ULL << 63,		POLLIN | POLLOUT },
	{ EVFD_COUNT_MAX - 1,	POLLIN | POLLOUT },
	{ EVFD_COUNT_MAX,	POLLIN },
};

#define NCOUNTS	((int)ARRAY_SIZE(counts))

/*
 * Each waits for @events (IN, OUT) of @fd at most @ms milliseconds, and
 * returns what came, 0 for a timeout, or -errno.
 */
static int wait_poll(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int ret = poll(&p, 1, ms);

	return ret < 0 ? -errno : ret ? p.revents : 0;
}

static struct timespec *ms_to_ts(int ms, struct timespec *ts)
{
	ts->tv_sec = ms / 1000;
	ts->tv_nsec = ms % 1000 * 1000000L;

	return ms < 0 ? NULL : ts;
}

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

/* Adds @fd to the epoll set @ep; an event carries the number of @fd. */
static int ep_add(int ep, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int ep_mod(int ep, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev) ? -errno : 0;
}

/*
 * The events that the set @ep has at this moment, 0 for none. A set of more
 * than one descriptor needs epoll_wait() itself.
 */
static int ep_now(int ep)
{
	struct epoll_event ev[2];
	int ret = epoll_wait(ep, ev, 2, 0);

	return ret < 0 ? -errno : ret ? (int)ev[0].events : 0;
}

/* Threads: @arg is the index in calls, or a count; see evfd_task.h. */
static ssize_t task_wait_in(struct evfd_task *task)
{
	return calls[task->arg].wait(task->fd, POLLIN, -1);
}

static ssize_t task_wait_out(struct evfd_task *task)
{
	return calls[task->arg].wait(task->fd, POLLOUT, -1);
}

static ssize_t task_epoll_wait(struct evfd_task *task)
{
	struct epoll_event ev;
	int ret = epoll_wait(task->fd, &ev, 1, -1);

	task->value = ret == 1 ? ev.data.fd : -1;
	return ret < 0 ? -errno : (int)ev.events;
}

FIXTURE(poll)
{
	int fd;
	int ep;
	bool evfd;
};

FIXTURE_VARIANT(poll)
{
	bool evfd;
};

FIXTURE_VARIANT_ADD(poll, evfd)
{
	.evfd = true,
};

FIXTURE_VARIANT_ADD(poll, eventfd)
{
	.evfd = false,
};

FIXTURE_SETUP(poll)
{
	self->evfd = variant->evfd;
	self->fd = evfd_test_make(self->evfd, EVFD_NONBLOCK, 0);
	ASSERT_LE(0, self->fd);
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
	uint64_t n;
	int i, j;

	for (i = 0; i < NCOUNTS; i++) {
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
			ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	}
}

TEST_F(poll, reports_only_what_was_asked)
{
	int j;

	for (j = 0; j < NCALLS; j++)
		EXPECT_EQ(0, calls[j].wait(self->fd, POLLIN, 0));
	EXPECT_EQ(0, wait_poll(self->fd, 0, 0));

	ASSERT_EQ(8, evfd_test_write(self->fd, EVFD_COUNT_MAX));
	for (j = 0; j < NCALLS; j++)
		EXPECT_EQ(0, calls[j].wait(self->fd, POLLOUT, 0));
	EXPECT_EQ(0, wait_poll(self->fd, 0, 0));
	/* Band and normal data are notions of streams. */
	EXPECT_EQ(0, wait_poll(self->fd, POLL_ALL & ~(POLLIN | POLLOUT), 0));
}

TEST_F(poll, does_not_change_the_count)
{
	uint64_t n = 0;
	int j;

	ASSERT_EQ(8, evfd_test_write(self->fd, 7));
	for (j = 0; j < NCALLS; j++)
		EXPECT_EQ(POLLIN | POLLOUT,
			  calls[j].wait(self->fd, POLLIN | POLLOUT, -1));
	EXPECT_EQ(8, evfd_test_read(self->fd, &n));
	EXPECT_EQ(7, n);
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
	uint64_t n;
	int j;

	for (j = 0; j < NCALLS; j++) {
		task.arg = j;
		ASSERT_EQ(0, evfd_task_start(&task));
		/* A write of 0 wakes nobody for good. */
		ASSERT_EQ(8, evfd_test_write(self->fd, 0));
		ASSERT_EQ(0, evfd_task_settle(&task, 1));
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		ASSERT_EQ(0, evfd_task_join(&task))
			TH_LOG("%s was not woken", calls[j].name);
		EXPECT_EQ(POLLIN, task.ret);
		ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	}
}

TEST_F(poll, a_read_ends_an_endless_wait_for_out)
{
	struct evfd_task task = { .op = task_wait_out, .fd = self->fd };
	uint64_t n;
	int j;

	for (j = 0; j < NCALLS; j++) {
		ASSERT_EQ(8, evfd_test_write(self->fd, EVFD_COUNT_MAX));
		task.arg = j;
		ASSERT_EQ(0, evfd_task_start(&task));
		ASSERT_EQ(8, evfd_test_read(self->fd, &n));
		ASSERT_EQ(0, evfd_task_join(&task))
			TH_LOG("%s was not woken", calls[j].name);
		EXPECT_EQ(POLLOUT, task.ret);
	}
}

TEST_F(poll, a_semaphores_read_of_one_makes_room)
{
	struct evfd_task task = { .op = task_wait_out };
	uint64_t n = 0;

	task.fd = evfd_test_make(self->evfd, EVFD_NONBLOCK | EVFD_SEMAPHORE,
				 EVFD_COUNT_MAX);
	ASSERT_LE(0, task.fd);
	EXPECT_EQ(POLLIN, wait_poll(task.fd, POLLIN | POLLOUT, 0));
	ASSERT_EQ(0, evfd_task_start(&task));
	ASSERT_EQ(8, evfd_test_read(task.fd, &n));
	EXPECT_EQ(1, n);
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(POLLOUT, task.ret);
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
		/* Who has a mask of its own starts with the signal blocked. */
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

TEST_F(poll, level_triggered_returns_as_long_as_it_lasts)
{
	uint64_t n;
	int i;

	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN));
	EXPECT_EQ(0, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, 3));
	for (i = 0; i < 5; i++)
		EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, ep_now(self->ep));
}

TEST_F(poll, level_triggered_semaphore_returns_once_per_unit_taken)
{
	int fd, rounds = 0;
	uint64_t n;

	fd = evfd_test_make(self->evfd, EVFD_NONBLOCK | EVFD_SEMAPHORE, 4);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ep_add(self->ep, fd, EPOLLIN));
	while (rounds < 10 && ep_now(self->ep) == EPOLLIN) {
		ASSERT_EQ(8, evfd_test_read(fd, &n));
		rounds++;
	}
	EXPECT_EQ(4, rounds);
	close(fd);
}

TEST_F(poll, edge_triggered_gives_one_event_per_write)
{
	uint64_t n;
	int i;

	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN | EPOLLET));
	EXPECT_EQ(0, ep_now(self->ep));
	/* Nothing is there to be read, so nothing to report. */
	ASSERT_EQ(8, evfd_test_write(self->fd, 0));
	EXPECT_EQ(0, ep_now(self->ep));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		EXPECT_EQ(EPOLLIN, ep_now(self->ep));
		EXPECT_EQ(0, ep_now(self->ep));
	}
	/* Writes that nobody looked between are one event. */
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	EXPECT_EQ(0, ep_now(self->ep));
	/* A write of 0 is a write. */
	ASSERT_EQ(8, evfd_test_write(self->fd, 0));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	EXPECT_EQ(0, ep_now(self->ep));
	/* A read is none, and what it took is not reported any more. */
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	EXPECT_EQ(6, n);
	EXPECT_EQ(0, ep_now(self->ep));
	/* A failed write or read is none either. */
	EXPECT_EQ(-EAGAIN, evfd_test_read(self->fd, &n));
	EXPECT_EQ(-EINVAL, evfd_test_write(self->fd, UINT64_MAX));
	EXPECT_EQ(0, ep_now(self->ep));
}

TEST_F(poll, edge_triggered_out_comes_with_each_read_and_write)
{
	const int both = EPOLLIN | EPOLLOUT;
	uint64_t n;

	ASSERT_EQ(0, ep_add(self->ep, self->fd, both | EPOLLET));
	EXPECT_EQ(EPOLLOUT, ep_now(self->ep));
	EXPECT_EQ(0, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, 0));
	EXPECT_EQ(EPOLLOUT, ep_now(self->ep));
	EXPECT_EQ(0, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, 2));
	EXPECT_EQ(both, ep_now(self->ep));
	EXPECT_EQ(0, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	EXPECT_EQ(EPOLLOUT, ep_now(self->ep));
	EXPECT_EQ(0, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, EVFD_COUNT_MAX));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	EXPECT_EQ(EPOLLOUT, ep_now(self->ep));
	EXPECT_EQ(0, ep_now(self->ep));
}

TEST_F(poll, edge_triggered_waiter_for_out_alone_sees_reads_only)
{
	uint64_t n;

	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, 5));
	EXPECT_EQ(0, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	EXPECT_EQ(EPOLLOUT, ep_now(self->ep));
	EXPECT_EQ(0, ep_now(self->ep));
}

TEST_F(poll, oneshot_is_silent_until_rearmed)
{
	uint64_t n;

	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN | EPOLLONESHOT));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	EXPECT_EQ(0, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(0, ep_now(self->ep));
	/* What happened meanwhile is there when it is armed again. */
	ASSERT_EQ(0, ep_mod(self->ep, self->fd, EPOLLIN | EPOLLONESHOT));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	EXPECT_EQ(0, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	EXPECT_EQ(2, n);
	ASSERT_EQ(0, ep_mod(self->ep, self->fd, EPOLLIN | EPOLLONESHOT));
	EXPECT_EQ(0, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
}

TEST_F(poll, edge_triggered_oneshot)
{
	const uint32_t events = EPOLLIN | EPOLLET | EPOLLONESHOT;

	ASSERT_EQ(0, ep_add(self->ep, self->fd, events));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(0, ep_now(self->ep));
	ASSERT_EQ(0, ep_mod(self->ep, self->fd, events));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	EXPECT_EQ(0, ep_now(self->ep));
}

TEST_F(poll, epoll_ctl_adds_changes_and_removes)
{
	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN));
	EXPECT_EQ(-EEXIST, ep_add(self->ep, self->fd, EPOLLIN));
	EXPECT_EQ(0, ep_now(self->ep));
	/* The state at the time of the change counts. */
	ASSERT_EQ(0, ep_mod(self->ep, self->fd, EPOLLOUT));
	EXPECT_EQ(EPOLLOUT, ep_now(self->ep));
	ASSERT_EQ(8, evfd_test_write(self->fd, EVFD_COUNT_MAX));
	EXPECT_EQ(0, ep_now(self->ep));
	ASSERT_EQ(0, ep_mod(self->ep, self->fd, EPOLLIN));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	ASSERT_EQ(0, epoll_ctl(self->ep, EPOLL_CTL_DEL, self->fd, NULL));
	EXPECT_EQ(0, ep_now(self->ep));
	EXPECT_EQ(-1, epoll_ctl(self->ep, EPOLL_CTL_DEL, self->fd, NULL));
	EXPECT_EQ(ENOENT, errno);
	EXPECT_EQ(-ENOENT, ep_mod(self->ep, self->fd, EPOLLIN));
	/* A level that holds when it is added is reported. */
	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN | EPOLLET));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
}

TEST_F(poll, a_removed_counter_does_not_wake_who_waits)
{
	struct evfd_task task = { .op = task_epoll_wait, .fd = self->ep };
	int other = evfd_test_make(self->evfd, EVFD_NONBLOCK, 0);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN));
	ASSERT_EQ(0, ep_add(self->ep, other, EPOLLIN));
	ASSERT_EQ(0, evfd_task_start(&task));
	ASSERT_EQ(0, epoll_ctl(self->ep, EPOLL_CTL_DEL, self->fd, NULL));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(0, evfd_task_settle(&task, 1));
	ASSERT_EQ(8, evfd_test_write(other, 1));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(EPOLLIN, task.ret);
	EXPECT_EQ(other, task.value);
	close(other);
}

TEST_F(poll, a_counter_added_while_another_thread_waits_wakes_it)
{
	struct evfd_task task = { .op = task_epoll_wait, .fd = self->ep };

	ASSERT_EQ(0, evfd_task_start(&task));
	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN));
	ASSERT_EQ(0, evfd_task_settle(&task, 1));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(EPOLLIN, task.ret);
	EXPECT_EQ(self->fd, task.value);
}

TEST_F(poll, closing_the_last_descriptor_leaves_the_set)
{
	struct epoll_event ev[4];
	int fd = evfd_test_make(self->evfd, 0, 1);
	int copy;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ep_add(self->ep, fd, EPOLLIN));
	copy = dup(fd);
	close(fd);
	/* The file is still open, and so it stays in the set. */
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	close(copy);
	EXPECT_EQ(0, epoll_wait(self->ep, ev, 4, 0));
}

TEST_F(poll, a_copy_is_a_member_of_its_own)
{
	struct epoll_event ev[4];
	int copy = dup(self->fd);
	uint64_t n;

	ASSERT_LE(0, copy);
	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN | EPOLLET));
	ASSERT_EQ(0, ep_add(self->ep, copy, EPOLLIN));
	EXPECT_EQ(0, epoll_wait(self->ep, ev, 4, 0));
	ASSERT_EQ(8, evfd_test_write(copy, 1));
	ASSERT_EQ(2, epoll_wait(self->ep, ev, 4, 0));
	EXPECT_EQ(self->fd + copy, ev[0].data.fd + ev[1].data.fd);
	EXPECT_NE(ev[0].data.fd, ev[1].data.fd);
	/* The level is still there, the edge is gone. */
	ASSERT_EQ(1, epoll_wait(self->ep, ev, 4, 0));
	EXPECT_EQ(copy, ev[0].data.fd);
	ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	EXPECT_EQ(0, epoll_wait(self->ep, ev, 4, 0));
	close(copy);
}

TEST_F(poll, a_set_within_a_set_passes_the_event_on)
{
	struct evfd_task task = { .op = task_epoll_wait };
	int outer = epoll_create1(EPOLL_CLOEXEC);
	uint64_t n;

	ASSERT_LE(0, outer);
	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN));
	ASSERT_EQ(0, ep_add(outer, self->ep, EPOLLIN));
	EXPECT_EQ(0, wait_poll(self->ep, POLLIN, 0));
	task.fd = outer;
	ASSERT_EQ(0, evfd_task_start(&task));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(EPOLLIN, task.ret);
	EXPECT_EQ(self->ep, task.value);
	EXPECT_EQ(EPOLLIN, ep_now(outer));
	EXPECT_EQ(EPOLLIN, ep_now(self->ep));
	EXPECT_EQ(POLLIN, wait_poll(self->ep, POLLIN, 0));
	ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	EXPECT_EQ(0, ep_now(outer));
	close(outer);
}

#define NWAITERS	4

TEST_F(poll, one_edge_wakes_one_of_the_threads_on_a_set)
{
	struct evfd_task tasks[NWAITERS] = { };
	int i, done = 0;

	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN | EPOLLET));
	for (i = 0; i < NWAITERS; i++) {
		tasks[i].op = task_epoll_wait;
		tasks[i].fd = self->ep;
		ASSERT_EQ(0, evfd_task_start(&tasks[i]));
	}
	for (i = 1; i <= NWAITERS; i++) {
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		do {
			done = evfd_task_settle(tasks, NWAITERS);
		} while (done >= 0 && done < i);
		EXPECT_EQ(i, done);
	}
	for (i = 0; i < NWAITERS; i++) {
		ASSERT_EQ(0, evfd_task_join(&tasks[i]));
		EXPECT_EQ(EPOLLIN, tasks[i].ret);
	}
}

TEST_F(poll, exclusive_sets_share_the_wakes)
{
	struct evfd_task tasks[NWAITERS] = { };
	int ep[NWAITERS], i, done = 0, before;

	for (i = 0; i < NWAITERS; i++) {
		ep[i] = epoll_create1(EPOLL_CLOEXEC);
		ASSERT_LE(0, ep[i]);
		ASSERT_EQ(0, ep_add(ep[i], self->fd,
				    EPOLLIN | EPOLLEXCLUSIVE));
		tasks[i].op = task_epoll_wait;
		tasks[i].fd = ep[i];
		ASSERT_EQ(0, evfd_task_start(&tasks[i]));
	}
	/* The first write wakes at least one, and not the whole herd. */
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	do {
		done = evfd_task_settle(tasks, NWAITERS);
	} while (!done);
	EXPECT_LE(1, done);
	EXPECT_GT(NWAITERS, done);
	/* Each further one finds one that still sleeps. */
	while (done >= 0 && done < NWAITERS) {
		before = done;
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		do {
			done = evfd_task_settle(tasks, NWAITERS);
		} while (done == before);
	}
	for (i = 0; i < NWAITERS; i++) {
		ASSERT_EQ(0, evfd_task_join(&tasks[i]));
		EXPECT_EQ(EPOLLIN, tasks[i].ret);
		close(ep[i]);
	}
}

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
		ASSERT_EQ(0, evfd_task_join(&tasks[i]));
		EXPECT_EQ(POLLIN, tasks[i].ret);
	}
}

/*
 * An exclusive epoll waiter and a blocked reader, in either order of coming:
 * the one's wake must not count for the other. Of evfd alone, since eventfd's
 * reader sleeps for ever if the epoll waiter came first.
 */
TEST(an_exclusive_set_does_not_take_a_readers_wake)
{
	int fd = evfd_test_create(EVFD_SEMAPHORE, 0);
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct evfd_task reader = { .op = evfd_task_read, .fd = fd };
	struct evfd_task poller = { .op = task_epoll_wait, .fd = ep };
	uint64_t n;
	int order;

	ASSERT_LE(0, fd);
	ASSERT_LE(0, ep);
	ASSERT_EQ(0, ep_add(ep, fd, EPOLLIN | EPOLLEXCLUSIVE));
	for (order = 0; order < 2; order++) {
		ASSERT_EQ(0, evfd_task_start(order ? &reader : &poller));
		ASSERT_EQ(0, evfd_task_start(order ? &poller : &reader));
		ASSERT_EQ(8, evfd_test_write(fd, 1));
		ASSERT_EQ(0, evfd_task_join(&reader))
			TH_LOG("a reader sleeps on a count of 1");
		EXPECT_EQ(8, reader.ret);
		EXPECT_EQ(1, reader.value);
		/* The poller may have looked before the reader took it. */
		if (!evfd_task_settle(&poller, 1))
			ASSERT_EQ(8, evfd_test_write(fd, 1));
		ASSERT_EQ(0, evfd_task_join(&poller));
		EXPECT_EQ(EPOLLIN, poller.ret);
		if (wait_poll(fd, POLLIN, 0))
			ASSERT_EQ(8, evfd_test_read(fd, &n));
		ASSERT_EQ(0, wait_poll(fd, POLLIN, 0));
	}
	close(fd);
}

/* Two units for a reader and a poller: both have to come back. */
TEST(a_reader_does_not_take_an_exclusive_sets_wake)
{
	int fd = evfd_test_create(EVFD_SEMAPHORE, 0);
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct evfd_task reader = { .op = evfd_task_read, .fd = fd };
	struct evfd_task poller = { .op = task_epoll_wait, .fd = ep };
	uint64_t n;
	int order;

	ASSERT_LE(0, fd);
	ASSERT_LE(0, ep);
	ASSERT_EQ(0, ep_add(ep, fd, EPOLLIN | EPOLLEXCLUSIVE));
	for (order = 0; order < 2; order++) {
		ASSERT_EQ(0, evfd_task_start(order ? &reader : &poller));
		ASSERT_EQ(0, evfd_task_start(order ? &poller : &reader));
		ASSERT_EQ(8, evfd_test_write(fd, 2));
		ASSERT_EQ(0, evfd_task_join(&reader));
		ASSERT_EQ(0, evfd_task_join(&poller));
		EXPECT_EQ(8, reader.ret);
		EXPECT_EQ(EPOLLIN, poller.ret);
		ASSERT_EQ(8, evfd_test_read(fd, &n));
	}
	close(fd);
}

#define ROUNDS	200

/* Fills the counter whenever poll says that there is room. */
static ssize_t task_fill(struct evfd_task *task)
{
	int ret;

	for (task->value = 0; task->value < ROUNDS; task->value++) {
		ret = calls[task->arg].wait(task->fd, POLLOUT, -1);
		if (ret != POLLOUT)
			return ret;
		ret = evfd_test_write(task->fd, EVFD_COUNT_MAX);
		if (ret != 8)
			return ret;
	}

	return 0;
}

/* Empties it whenever poll says that there is something. */
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
		if (n != EVFD_COUNT_MAX)
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

/* Takes all of it at each edge, until @arg units have come. */
static ssize_t task_drain_at_edges(struct evfd_task *task)
{
	struct epoll_event ev;
	uint64_t n;
	int ret;

	while (task->value < task->arg) {
		ret = epoll_wait(task->fd, &ev, 1, -1);
		if (ret < 0)
			return -errno;
		ret = evfd_test_read(ev.data.fd, &n);
		if (ret == 8)
			task->value += n;
		else if (ret != -EAGAIN)
			return ret;
	}

	return 0;
}

TEST_F(poll, an_edge_triggered_consumer_misses_nothing)
{
	struct evfd_task task = {
		.op = task_drain_at_edges, .fd = self->ep, .arg = 50 * ROUNDS,
	};
	uint64_t i;

	ASSERT_EQ(0, ep_add(self->ep, self->fd, EPOLLIN | EPOLLET));
	ASSERT_EQ(0, evfd_task_run(&task));
	for (i = 0; i < task.arg; i++) {
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	}
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(0, task.ret);
	EXPECT_EQ(task.arg, task.value);
	EXPECT_EQ(0, wait_poll(self->fd, POLLIN, 0));
}

TEST_HARNESS_MAIN
