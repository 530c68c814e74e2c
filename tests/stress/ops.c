// SPDX-License-Identifier: GPL-2.0-only
/*
 * A task writes an operation to its slot before it begins, and the result to the
 * books before it marks the operation as finished. check.c reads both while all
 * tasks rest.
 */
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "async.h"
#include "evfd_pass.h"
#include "ops.h"

const struct op ops[NR_OPS] = {
	{ "write", ADD, PLAIN, 20, 1, true },
	{ "writev", ADD, VECTOR, 8, 1, true },
	{ "writev of two", ADD, SEGMENTS, 6, 1, false },
	{ "pwritev2 NOWAIT", ADD, NOWAIT, 6, 1, true },
	{ "write from nowhere", ADD, BAD, 4, 1, true },
	{ "io_uring write", ADD, RING, 6, 1, false },
	{ "AIO write", ADD, AIO, 4, 1, false },
	{ "read", TAKE, PLAIN, 0, 20, true },
	{ "readv", TAKE, VECTOR, 0, 8, true },
	{ "preadv2 NOWAIT", TAKE, NOWAIT, 1, 4, true },
	{ "read to nowhere", TAKE, BAD, 0, 8, true },
	{ "io_uring read", TAKE, RING, 0, 6, false },
	{ "AIO read", TAKE, AIO, 0, 4, false },
	{ "read of a copy", TAKE, A_COPY, 0, 6, true },
	{ "poll", WAIT, POLL, 1, 6, true },
	{ "select", WAIT, SELECT, 1, 4, true },
	{ "epoll", WAIT, EPOLL_LEVEL, 1, 4, true },
	{ "epoll, edges", WAIT, EPOLL_EDGE, 1, 4, true },
	{ "epoll, exclusive", WAIT, EPOLL_EXCLUSIVE, 0, 3, true },
	{ "io_uring poll", WAIT, RING, 1, 4, false },
	{ "AIO poll", WAIT, AIO, 1, 4, false },
	{ "burst", OTHER, BURST, 6, 6, true },
	{ "fdinfo", OTHER, FDINFO, 2, 1, true },
	{ "close of others' copies", OTHER, CLOSE_OTHERS, 4, 2, false },
	{ "SCM_RIGHTS send", OTHER, SEND, 3, 1, true },
	{ "SCM_RIGHTS receive", OTHER, RECEIVE, 3, 3, true },
	{ "fork", OTHER, FORK, 1, 1, false },
	{ "fork and exec", OTHER, EXEC, 1, 1, false },
	{ "create and close", OTHER, CREATE, 3, 2, true },
	{ "O_NONBLOCK on and off", OTHER, TOGGLE, 2, 2, true },
};

/* Bad addresses of this process. */
static char *bad[4];

void ops_prepare(void)
{
	/* A writable, an inaccessible and a read-only page. */
	char *map = mmap(NULL, 3 * PAGE, PROT_NONE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || mprotect(map, PAGE, PROT_READ | PROT_WRITE) ||
	    mprotect(map + 2 * PAGE, PAGE, PROT_READ)) {
		fail("no memory for pages");
		return;
	}
	bad[0] = NULL;
	bad[1] = map + PAGE - 4;
	bad[2] = map + PAGE;
	bad[3] = map + 2 * PAGE;
}

static void begin(struct task *task, struct counter *c, enum wish wants,
		  int effect, uint64_t value)
{
	struct slot *slot = task->slot;

	slot->counter = c - world->counters;
	slot->effect = effect;
	slot->value = value;
	slot->buf[0] = 0;
	slot->wants = wants;
	slot->seq++;
	slot->state = IN_OP;
}

static void end(struct task *task)
{
	task->slot->state = RUNNING;
	task->slot->wants = NOTHING;
	task->slot->page = 0;
	atomic_fetch_add(&world->operations, 1);
}

/* ---- what changes a counter ---- */

/* Enters the result in the books, or fails on a wrong error. */
static void entered(struct task *task, struct counter *c, enum way how,
		    bool add, uint64_t n, ssize_t ret)
{
	int op = task->slot->op;

	if (ret == 8 && how != BAD) {
		if (!add && (!n || (c->semaphore && n != 1)))
			fail("%s returned %llx from a %s", ops[op].name,
			     (unsigned long long)n,
			     c->semaphore ? "semaphore" : "counter");
		atomic_fetch_add(add ? &c->written : &c->read, n);
		return;
	}
	switch (-ret) {
	case EINTR:
		return;
	case EFAULT:
		atomic_fetch_add(&world->faults, 1);
		if (how == BAD)
			return;
		break;
	case EAGAIN:
		if (c->nonblock || c->toggled || how == NOWAIT)
			return;
		break;
	case ENOSYS:
		if (how == RING || how == AIO)
			return;
		break;
	}
	fail("%s returned %zd", ops[op].name, ret);
}

static void add(struct task *task, struct counter *c, int fd, enum way how,
		uint64_t n)
{
	uint64_t two[2] = { n, 1 };
	struct iovec iov[2] = { { &two[0], 8 }, { &two[1], 8 } };
	const void *from = two;
	ssize_t ret;

	/* The second might have to wait when the first is in. */
	if (how == SEGMENTS && c->role == FULL)
		how = VECTOR;
	if (how == BAD)
		from = bad[draw(&task->rng) % 3];

	begin(task, c, how == NOWAIT ? NOTHING : TO_WRITE, 1, n);
	switch (how) {
	case VECTOR:
		ret = writev(fd, iov, 1);
		break;
	case SEGMENTS:
		ret = writev(fd, iov, 2);
		break;
	case NOWAIT:
		ret = pwritev2(fd, iov, 1, -1, RWF_NOWAIT);
		break;
	case RING:
		ret = async_ring_rw(task->async, fd, true, two);
		break;
	case AIO:
		ret = async_aio_rw(task->async, fd, true, two);
		break;
	default:
		ret = write(fd, from, 8);
	}
	if (ret == -1)
		ret = -errno;
	if (ret == 16 && how == SEGMENTS) {
		n += two[1];
		ret = 8;
	}
	entered(task, c, how, true, n, ret);
	end(task);
}

static void take(struct task *task, struct counter *c, int fd, enum way how)
{
	struct slot *slot = task->slot;
	void *to = slot->buf;
	struct iovec iov[2];
	ssize_t ret;

	/* To a page that is missing, and comes with the page fault. */
	if (how == BAD) {
		to = bad[draw(&task->rng) % 4];
	} else if (draw(&task->rng) % 3 == 0) {
		to = world->pages[slot - world->slots];
		*(uint64_t *)to = 0;
		slot->page = 1;
		madvise(to, PAGE, MADV_DONTNEED);
	}
	iov[0] = (struct iovec){ to, 3 };
	iov[1] = (struct iovec){ (char *)to + 3, 5 };

	begin(task, c, how == NOWAIT ? NOTHING : TO_READ, -1, 0);
	switch (how) {
	case VECTOR:
		ret = readv(fd, iov, 2);
		break;
	case NOWAIT:
		iov[0].iov_len = 8;
		ret = preadv2(fd, iov, 1, -1, RWF_NOWAIT);
		break;
	case RING:
		ret = async_ring_rw(task->async, fd, false, to);
		break;
	case AIO:
		ret = async_aio_rw(task->async, fd, false, to);
		break;
	default:
		ret = read(fd, to, 8);
	}
	if (ret == -1)
		ret = -errno;
	entered(task, c, how, false, ret == 8 ? *(uint64_t *)to : 0, ret);
	end(task);
}

/*
 * A read of a descriptor of its own, which another thread closes meanwhile. No
 * signal may restart it: the number would be looked up again.
 */
static void take_copy(struct task *task, struct counter *c)
{
	int fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
	sigset_t set, old;

	if (fd < 0)
		return;
	sigfillset(&set);
	pthread_sigmask(SIG_SETMASK, &set, &old);
	task->slot->closeable = fd;
	take(task, c, fd, PLAIN);
	fd = atomic_exchange(&task->slot->closeable, -1);
	if (fd >= 0)
		close(fd);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void close_others(void)
{
	pid_t self = getpid();
	int i, fd;

	for (i = 0; i < NR_SLOTS; i++) {
		struct slot *slot = &world->slots[i];

		/* Asleep in its read: it has looked its descriptor up. */
		if (slot->pid != self || slot->closeable < 0 ||
		    slot->state != IN_OP || evfd_test_task_state(slot->tid) != 'S')
			continue;
		fd = atomic_exchange(&slot->closeable, -1);
		if (fd >= 0)
			close(fd);
	}
}

/*
 * Many operations on one counter without a pause, to make races likely. All tasks
 * choose the same counter.
 */
static void burst(struct task *task)
{
	struct counter *c = &world->counters[world->beats % 4 < 2 ?
					     world->beats % 2 :
					     4 + world->beats % 2];
	int n = 50 + draw(&task->rng) % 200;

	while (n-- && !world->pause && !world->stop && !world->failed) {
		if (n & 1)
			add(task, c, c->fd, NOWAIT, 1);
		else
			take(task, c, c->fd, NOWAIT);
	}
}

/* A value to add, such that the counter is full or empty now and then. */
static uint64_t amount(struct task *task, const struct counter *c)
{
	uint64_t z = draw(&task->rng);

	if (c->role == FULL && !c->semaphore && z & 3)
		return z & 4 ? MAX - (z >> 8 & 7) : 1ULL << (60 + (z >> 8 & 3));
	return 1 + (z >> 8) % 3;
}

/* ---- waiting ---- */

static int wait_epoll(const struct counter *c, enum way how,
		      unsigned int events)
{
	struct epoll_event ev = { .events = events }, got;
	int ep = epoll_create1(EPOLL_CLOEXEC), ret;

	if (how == EPOLL_EDGE)
		ev.events |= EPOLLET;
	if (how == EPOLL_EXCLUSIVE)
		ev.events |= EPOLLEXCLUSIVE;
	ret = epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev);
	if (!ret)
		ret = epoll_wait(ep, &got, 1, -1);
	if (ret == 1)
		ret = got.events;
	else if (ret == -1)
		ret = -errno;
	close(ep);

	return ret;
}

static int wait_select(const struct counter *c, bool out)
{
	fd_set set;
	int ret;

	FD_ZERO(&set);
	FD_SET(c->fd, &set);
	ret = select(c->fd + 1, out ? NULL : &set, out ? &set : NULL, NULL,
		     NULL);

	return ret == 1 ? (out ? POLLOUT : POLLIN) : -errno;
}

/* Waits, and then reads or writes. */
static void wait_for(struct task *task, struct counter *c, enum way how)
{
	bool out = c->role == FULL;
	short events = out ? POLLOUT : POLLIN;
	struct pollfd pfd = { .fd = c->fd, .events = events };
	int ret;

	begin(task, c, how == EPOLL_EXCLUSIVE ? TO_BE_CHOSEN :
	      out ? TO_SEE_OUT : TO_SEE_IN, 0, 0);
	switch (how) {
	case POLL:
		ret = poll(&pfd, 1, -1);
		ret = ret == 1 ? pfd.revents : -errno;
		break;
	case SELECT:
		ret = wait_select(c, out);
		break;
	case RING:
		ret = async_ring_poll(task->async, c->fd, events);
		break;
	case AIO:
		ret = async_aio_poll(task->async, c->fd, events);
		break;
	default:
		ret = wait_epoll(c, how, events);
	}
	end(task);

	if (ret == -EINTR || ret == -ENOSYS)
		return;
	if (ret <= 0 || ret & ~(POLLIN | POLLOUT) || !(ret & events))
		fail("%s returned %d", ops[task->slot->op].name, ret);
	else if (out)
		add(task, c, c->fd, NOWAIT, amount(task, c));
	else
		take(task, c, c->fd, NOWAIT);
}

/* ---- descriptors ---- */

static int draw_socket(struct task *task, int end)
{
	return world->sockets[draw(&task->rng) % NR_SOCKETS][end];
}

static void receive(struct task *task)
{
	struct counter *c;
	int number, fd;

	/* Without memory or descriptors, the message comes alone. */
	fd = receive_fd(draw_socket(task, 1), &number,
			MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (fd < 0)
		return;
	c = &world->counters[number];
	if (task->producer)
		add(task, c, fd, PLAIN, amount(task, c));
	else
		take(task, c, fd, PLAIN);
	close(fd);
}

static void create(struct task *task)
{
	uint64_t z = draw(&task->rng), n = 0;
	struct evfd_create arg = {
		.flags = EVFD_CLOEXEC | EVFD_NONBLOCK | (z & EVFD_SEMAPHORE),
		.initval = z >> 16 & 0xff,
	};
	int dev = open("/dev/evfd", O_RDWR | O_CLOEXEC), fd;

	fd = ioctl(dev, EVFD_IOC_CREATE, &arg);
	close(dev);
	if (fd < 0) {
		if (errno != ENOMEM && errno != EMFILE)
			fail("a counter could not be made: %s",
			     strerror(errno));
		return;
	}
	atomic_fetch_add(&world->instances, 1);
	if ((read(fd, &n, 8) == 8) != !!arg.initval ||
	    n != (z & EVFD_SEMAPHORE && n ? 1 : arg.initval))
		fail("a new counter has %llx", (unsigned long long)n);
	close(fd);
}

static void fdinfo(struct counter *c)
{
	if (count_of(c) > MAX && c->role != TICKED)
		fail("a counter of %llx", (unsigned long long)count_of(c));
}

void op_do(struct task *task, struct counter *c, const struct op *op, uint64_t z)
{
	switch (op->kind) {
	case ADD:
		add(task, c, c->fd, op->how, amount(task, c));
		break;
	case TAKE:
		if (op->how == A_COPY)
			take_copy(task, c);
		else
			take(task, c, c->fd, op->how);
		break;
	case WAIT:
		wait_for(task, c, op->how);
		break;
	case OTHER:
		switch (op->how) {
		case BURST:
			burst(task);
			break;
		case FDINFO:
			fdinfo(c);
			break;
		case CLOSE_OTHERS:
			close_others();
			break;
		case SEND:
			/* A full socket drops the message. */
			pass_fd(draw_socket(task, 0), c->fd,
				c - world->counters, MSG_DONTWAIT);
			break;
		case RECEIVE:
			receive(task);
			break;
		case CREATE:
			create(task);
			break;
		default:
			if (c->toggled)
				fcntl(c->fd, F_SETFL, z >> 40 & 1 ? O_NONBLOCK : 0);
		}
		break;
	}
}
