// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tasks: processes with threads, their children, and victims that are
 * killed in the middle of it. Each draws operations on the counters that all
 * share and keeps the books of what it added and took.
 *
 * What a task draws depends on its seed alone; what comes of it does not. It
 * says in its slot what it is about to do before it does it, and enters in the
 * books what came of it before it says that it has finished. check.c looks at
 * both while all tasks rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

struct task {
	struct slot *slot;
	uint64_t rng;
	/* NULL in a child. */
	struct async *async;
	bool producer, child;
};

enum op_kind { ADD, TAKE, WAIT, OTHER };

enum way {
	PLAIN, VECTOR, SEGMENTS, NOWAIT, BAD, RING, AIO, A_COPY, BURST,
	POLL, SELECT, EPOLL_LEVEL, EPOLL_EDGE, EPOLL_EXCLUSIVE,
	FDINFO, CLOSE_OTHERS, SEND, RECEIVE, FORK, EXEC, CREATE, TOGGLE,
};

static const struct op {
	const char *name;
	enum op_kind kind;
	enum way how;
	/* How likely it is for who mostly adds, and for who mostly takes. */
	int producer, consumer;
	/* A child has no io_uring; what is killed does one thing at a time. */
	bool for_child;
} ops[] = {
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

const char *op_name(int op)
{
	return ops[op].name;
}

/* Of this process: pages to write from and to read to that are no good. */
static char *bad[4];

static void on_signal(int sig)
{
	(void)sig;
	atomic_fetch_add(&world->interrupted, 1);
}

/* One restarts what it interrupts, where that can be restarted. */
void install_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t set;

	sigaction(SIGUSR1, &sa, NULL);
	sa.sa_flags = SA_RESTART;
	sigaction(SIGUSR2, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void prepare_pages(void)
{
	/* Readable, then not there: and a pointer across the border. */
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

/* ---- slots ---- */

struct slot *slot_get(void)
{
	int i;

	for (i = 0; i < NR_SLOTS; i++) {
		struct slot *slot = &world->slots[i];
		int unused = 0;

		if (atomic_compare_exchange_strong(&slot->used, &unused, 1)) {
			slot->wants = NOTHING;
			slot->closeable = -1;
			slot->pid = 0;
			slot->tid = 0;
			slot->state = RUNNING;
			return slot;
		}
	}

	return NULL;
}

void slot_put(struct slot *slot)
{
	slot->state = FREE;
	slot->used = 0;
}

static void slot_take_over(struct slot *slot)
{
	slot->pid = getpid();
	slot->tid = gettid();
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

static void rest(struct task *task)
{
	while (world->pause && !world->stop) {
		task->slot->state = PARKED;
		syscall(SYS_futex, &world->pause, FUTEX_WAIT, 1, NULL, NULL, 0);
	}
	task->slot->state = RUNNING;
}

void wake_tasks(void)
{
	world->pause = 0;
	syscall(SYS_futex, &world->pause, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

/* ---- what changes a counter ---- */

/* Enters in the books, or objects to the error. */
static void entered(struct task *task, struct counter *c, enum way how,
		    bool add, uint64_t n, ssize_t ret)
{
	int op = task->slot->op;

	if (ret == 8 && how != BAD) {
		if (!add && (!n || (c->semaphore && n != 1)))
			fail("%s returned %llx from a %s", ops[op].name,
			     (unsigned long long)n,
			     c->semaphore ? "semaphore" : "counter");
		atomic_fetch_add(add ? &c->written : &c->taken, n);
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
		ret = ring_rw(task->async, fd, true, two);
		break;
	case AIO:
		ret = aio_rw(task->async, fd, true, two);
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

	/* Into a page that is not there, though it will be when asked for. */
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
		ret = ring_rw(task->async, fd, false, to);
		break;
	case AIO:
		ret = aio_rw(task->async, fd, false, to);
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
		    slot->state != IN_OP || task_state(self, slot->tid) != 'S')
			continue;
		fd = atomic_exchange(&slot->closeable, -1);
		if (fd >= 0)
			close(fd);
	}
}

uint64_t counter_add(struct counter *c, uint64_t n)
{
	struct iovec iov = { &n, 8 };

	if (pwritev2(c->fd, &iov, 1, -1, RWF_NOWAIT) != 8)
		return 0;
	atomic_fetch_add(&c->written, n);

	return n;
}

uint64_t counter_take(struct counter *c)
{
	uint64_t n = 0;
	struct iovec iov = { &n, 8 };

	if (preadv2(c->fd, &iov, 1, -1, RWF_NOWAIT) != 8)
		return 0;
	atomic_fetch_add(&c->taken, n);

	return n;
}

/*
 * Many at a time on one counter, without a pause: who is not atomic meets
 * somebody. All choose the same, one that blocks nobody or one that does.
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

/* How much is to be added: that the counter is full or empty now and then. */
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

/* Waits, and takes part in what it was told of. */
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
		ret = ring_poll(task->async, c->fd, events);
		break;
	case AIO:
		ret = aio_poll(task->async, c->fd, events);
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

/* ---- descriptors and processes ---- */

static void send_fd(struct task *task, const struct counter *c)
{
	int number = c - world->counters;
	char control[CMSG_SPACE(sizeof(int))] = { };
	struct iovec iov = { &number, sizeof(number) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &c->fd, sizeof(int));
	/* Nobody may be there to receive it: what does not fit is dropped. */
	sendmsg(world->sockets[draw(&task->rng) % NR_SOCKETS][0], &msg,
		MSG_DONTWAIT);
}

static void receive_fd(struct task *task)
{
	char control[CMSG_SPACE(sizeof(int))] = { };
	int number = -1, fd = -1;
	struct iovec iov = { &number, sizeof(number) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	if (recvmsg(world->sockets[draw(&task->rng) % NR_SOCKETS][1], &msg,
		    MSG_DONTWAIT | MSG_CMSG_CLOEXEC) != sizeof(number))
		return;
	cmsg = CMSG_FIRSTHDR(&msg);
	/* Without memory or descriptors, the message comes alone. */
	if (!cmsg || cmsg->cmsg_len != CMSG_LEN(sizeof(int)))
		return;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(int));
	if (task->producer)
		add(task, &world->counters[number], fd, PLAIN,
		    amount(task, &world->counters[number]));
	else
		take(task, &world->counters[number], fd, PLAIN);
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

static void draw_op(struct task *task);

static void child(struct slot *slot, uint64_t rng)
{
	struct task task = {
		.slot = slot, .rng = rng, .child = true, .producer = rng & 1,
	};
	int n = 1 + draw(&task.rng) % 6;

	slot_take_over(slot);
	while (n-- && !world->stop && !world->failed) {
		rest(&task);
		draw_op(&task);
	}
	slot_put(slot);
}

static void spawn(struct task *task, bool exec)
{
	char number[16], fd[16], seed[32];
	struct slot *slot = slot_get();
	uint64_t rng = draw(&task->rng);
	sigset_t set, old;
	pid_t pid;

	if (!slot)
		return;
	sprintf(fd, "%d", world_fd);
	sprintf(number, "%d", (int)(slot - world->slots));
	sprintf(seed, "%llu", (unsigned long long)rng);

	/* Until the program's new image has handlers for them. */
	sigfillset(&set);
	pthread_sigmask(SIG_SETMASK, &set, &old);
	pid = fork();
	if (!pid) {
		slot_take_over(slot);
		if (exec) {
			execl("/proc/self/exe", "stress", "--child", fd,
			      number, seed, NULL);
			fail("exec: %s", strerror(errno));
		} else {
			pthread_sigmask(SIG_SETMASK, &old, NULL);
			child(slot, rng);
		}
		_exit(0);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		slot_put(slot);
	else
		atomic_fetch_add(exec ? &world->execs : &world->forks, 1);
}

/* The rest of a fork and exec, in the new image. */
int exec_child(char **argv)
{
	world_fd = atoi(argv[0]);
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED,
		     world_fd, 0);
	if (world == MAP_FAILED)
		return 1;
	prepare_pages();
	install_signals();
	child(&world->slots[atoi(argv[1])], strtoull(argv[2], NULL, 10));

	return 0;
}

/* ---- drawing ---- */

static const struct op *pick(struct task *task)
{
	int sum = 0, i, at;

	for (i = 0; i < (int)ARRAY_SIZE(ops); i++)
		if (!task->child || ops[i].for_child)
			sum += task->producer ? ops[i].producer :
						ops[i].consumer;
	at = draw(&task->rng) % sum;
	for (i = 0; ; i++) {
		if (task->child && !ops[i].for_child)
			continue;
		at -= task->producer ? ops[i].producer : ops[i].consumer;
		if (at < 0)
			return &ops[i];
	}
}

/* Keeps a counter where its waiters sleep; not always. */
static bool too_far(const struct counter *c, enum op_kind kind, uint64_t z)
{
	int64_t level = c->written - c->taken;

	if (z % 8 == 0)
		return false;
	if (kind == ADD && c->role != FULL)
		return level > 4;
	if ((kind == TAKE || kind == WAIT) && c->role == FULL && c->semaphore)
		return level < -4;

	return false;
}

/* Whether so many wait that little happens any more. */
static bool many_wait(void)
{
	int used = 0, waiting = 0, i;

	for (i = 0; i < NR_SLOTS; i++) {
		const struct slot *slot = &world->slots[i];

		used += slot->used;
		waiting += slot->state == IN_OP && slot->wants != NOTHING;
	}

	return waiting * 2 > used;
}

static void draw_op(struct task *task)
{
	uint64_t z = draw(&task->rng);
	struct counter *c = &world->counters[z % NR_COUNTERS];
	const struct op *op;

	/* Others wait for somebody to add, or to make room. */
	if (many_wait()) {
		bool producer = task->producer;

		task->producer = c->role != FULL;
		do {
			op = pick(task);
		} while (op->kind != (task->producer ? ADD : TAKE) ||
			 (op->kind == TAKE && op->how != NOWAIT));
		task->producer = producer;
	} else {
		op = pick(task);
	}

	task->slot->op = op - ops;
	if (too_far(c, op->kind, z >> 32)) {
		sched_yield();
		return;
	}
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
			send_fd(task, c);
			break;
		case RECEIVE:
			receive_fd(task);
			break;
		case CREATE:
			create(task);
			break;
		case FORK:
		case EXEC:
			spawn(task, op->how == EXEC);
			break;
		default:
			if (c->toggled)
				fcntl(c->fd, F_SETFL, z >> 40 & 1 ? O_NONBLOCK : 0);
		}
		break;
	}
	/* Now and then give others the time to fall asleep. */
	if (!(z >> 50 & 15))
		sleep_us(z >> 56);
}

static void *thread(void *arg)
{
	struct task *task = arg;

	slot_take_over(task->slot);
	task->async = async_open();
	while (!world->stop && !world->failed) {
		rest(task);
		draw_op(task);
	}
	async_close(task->async);
	slot_put(task->slot);

	return NULL;
}

pid_t start_process(unsigned int number, uint64_t seed)
{
	struct task tasks[NR_THREADS] = { };
	pthread_t threads[NR_THREADS];
	pid_t pid = fork();
	int i;

	if (pid)
		return pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	prepare_pages();
	install_signals();
	for (i = 0; i < NR_THREADS; i++) {
		tasks[i].slot = slot_get();
		tasks[i].rng = seed ^ (number * NR_THREADS + i + 1) << 20;
		tasks[i].producer = i & 1;
		if (!tasks[i].slot ||
		    pthread_create(&threads[i], NULL, thread, &tasks[i]))
			_exit(1);
	}
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

/* A process of one thread, which does not end by itself. */
pid_t start_victim(struct slot **slot, uint64_t seed)
{
	struct task task = {
		.rng = seed, .child = true, .producer = seed & 1,
	};
	pid_t pid;

	*slot = slot_get();
	if (!*slot)
		return -1;
	pid = fork();
	if (pid)
		return pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	task.slot = *slot;
	slot_take_over(task.slot);
	prepare_pages();
	install_signals();
	while (!world->stop && !world->failed) {
		rest(&task);
		draw_op(&task);
	}
	slot_put(task.slot);
	_exit(0);
}
