/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world that a sequence of operations runs in: fixed descriptor numbers,
 * memory with holes, timers that end what blocks, and the longer operations.
 *
 * Included by run.c, which keeps what out() is told, and copied in front of
 * each program that emit.c prints, which prints it. So it may use nothing of
 * the fuzzer, and an operation does the same in both. ops.def has the
 * operations.
 *
 * A world has counters of one kind. Nothing in it depends on the kind but
 * make(), the names that fdinfo and readlink show, and what probe() finds.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/evfd.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* Descriptors. What is made anew moves to a number of its own. */
#define COUNTER		10
#define NR_COUNTERS	6
#define EPOLL		20
#define NR_EPOLLS	3
#define PLAIN_FILE	30
#define RING		31
#define PENDING		32
#define DEVICE		40
#define NR_FDS		41

/*
 * Memory: page 0 can be written, 1 not be touched, 2 read, 3 not be touched,
 * 4 and 5 written, 6 not be touched. The windows are what buffers are in.
 */
#define PAGE		4096UL
#define MEMORY		0x20000000UL
#define NR_WINDOWS	3
#define WINDOW		64
#define FILL		0xa5

static const unsigned long windows[NR_WINDOWS] = {
	MEMORY + PAGE - WINDOW,			/* runs into page 1 */
	MEMORY + 4 * PAGE,			/* begins where page 3 ends */
	MEMORY + 5 * PAGE - WINDOW / 2,		/* across two pages */
};

/* What an operation returns that makes no sense in the state that it meets. */
#define SKIPPED		(-77)

/* How long to wait for what has to come. */
#define PATIENCE_S	5

static int is_evfd;

/* There may be pollers with EPOLLEXCLUSIVE. */
static int exclusive;

#ifndef FUZZ
static void out(uint64_t value)
{
	printf("  0x%llx", (unsigned long long)value);
}

static void out_text(const char *text)
{
	printf("\n%s", text);
}
#endif

/* What the running kernel's eventfd does otherwise than that of 6.12. */
static struct {
	int long_writes;	/* takes more than 8 bytes, and uses 8 */
	int no_semaphore_line;	/* does not tell in fdinfo */
} eventfd_traits;

static int blocks(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && !(flags & O_NONBLOCK);
}

static int fdinfo_text(int fd, char *text, size_t size)
{
	char path[40];
	ssize_t len;
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY);
	if (info < 0)
		return -1;
	len = read(info, text, size - 1);
	close(info);
	text[len > 0 ? len : 0] = '\0';

	return len > 0 ? 0 : -1;
}

/* The count, without taking it; 0 of what is no counter. */
static uint64_t count_of(int fd)
{
	char text[512], *line;

	if (fdinfo_text(fd, text, sizeof(text)))
		return 0;
	line = strstr(text, "-count:");

	return line ? strtoull(line + 7, NULL, 16) : 0;
}

/* Whether a read may take less than all. */
static int is_semaphore(int fd)
{
	char text[512], *line;

	if (fdinfo_text(fd, text, sizeof(text)))
		return 0;
	/* Where one kind does not tell, take both for one. */
	line = strstr(text, "-semaphore:");

	return eventfd_traits.no_semaphore_line || (line && atoi(line + 11));
}

static int has_room(int fd, uint64_t n)
{
	return UINT64_MAX - count_of(fd) > n;
}

/* Memory */

static int in_window(unsigned long addr)
{
	int i;

	for (i = 0; i < NR_WINDOWS; i++) {
		if (addr >= windows[i] && addr - windows[i] < WINDOW)
			return 1;
	}

	return 0;
}

/* Stores @val where memory can be written, and nothing where it cannot. */
static void put(const void *to, uint64_t val)
{
	unsigned int i;

	for (i = 0; i < sizeof(val); i++, val >>= 8) {
		if (in_window((unsigned long)to + i))
			((unsigned char *)to)[i] = val;
	}
}

/* The first segment gets @first, the others @rest. */
static void put_iov(const struct iovec *iov, int n, uint64_t first,
		    uint64_t rest)
{
	int i;

	for (i = n - 1; i >= 0; i--)
		put(iov[i].iov_base, i ? rest : first);
}

static void fill_windows(void)
{
	int i;

	for (i = 0; i < NR_WINDOWS; i++)
		memset((void *)windows[i], FILL, WINDOW);
}

/* Signals: what ends an operation that blocks. */

static volatile int alarm_fd = -1, alarm_reads;
static volatile uint64_t alarm_val;

static void on_alarm(int sig)
{
	int err = errno, fd = alarm_fd;
	uint64_t n = alarm_val;

	(void)sig;
	if (fd >= 0) {
		alarm_fd = -1;
		if (alarm_reads ? read(fd, &n, 8) : write(fd, &n, 8))
			errno = err;
	}
	errno = err;
}

static void handle_alarm(int flags)
{
	struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = flags };

	sigaction(SIGALRM, &sa, NULL);
}

/*
 * From soon() to done() signals arrive again and again: what blocks ends in
 * EINTR, and what does not block does not see them.
 */
static void soon(void)
{
	struct itimerval it = { { 0, 1000 }, { 0, 1000 } };

	setitimer(ITIMER_REAL, &it, NULL);
}

static void done(void)
{
	struct itimerval it = { { 0, 0 }, { 0, 0 } };
	int err = errno;

	setitimer(ITIMER_REAL, &it, NULL);
	errno = err;
}

/* Making */

static int open_device(void)
{
	int fd = open(is_evfd ? "/dev/evfd" : "/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		perror("/dev/evfd");
		exit(2);
	}
	dup3(fd, DEVICE, O_CLOEXEC);
	close(fd);

	return 0;
}

static long make(unsigned int initval, int flags)
{
	struct evfd_create arg = { .initval = initval };

	if (!is_evfd)
		return syscall(SYS_eventfd2, initval, flags);
	if (flags & EFD_CLOEXEC)
		arg.flags |= EVFD_CLOEXEC;
	if (flags & EFD_NONBLOCK)
		arg.flags |= EVFD_NONBLOCK;
	if (flags & EFD_SEMAPHORE)
		arg.flags |= EVFD_SEMAPHORE;
	/* What eventfd does not know becomes what evfd does not know. */
	if (flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE))
		arg.flags |= 0x80000000;

	return ioctl(DEVICE, EVFD_IOC_CREATE, &arg);
}

/* Moves @fd to the number @to, which closes what was there. */
static long move_to(int fd, int to)
{
	int flags;

	if (fd < 0)
		return fd;
	out(fd);
	flags = fcntl(fd, F_GETFD);
	out(flags);
	out(fcntl(fd, F_GETFL));
	dup3(fd, to, flags & FD_CLOEXEC ? O_CLOEXEC : 0);
	close(fd);

	return 0;
}

/* The limit on descriptors leaves none. */
static long make_without_room(void)
{
	struct rlimit old, low;
	long ret;
	int err;

	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	low.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &low);
	ret = make(0, 0);
	err = errno;
	setrlimit(RLIMIT_NOFILE, &old);
	errno = err;

	return ret;
}

/* io_uring */

static struct {
	unsigned int *sq_tail, sq_mask, *cq_head, *cq_tail, cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	void *map;
	size_t map_len, sqes_len;
	int reads;		/* one waits on PENDING */
	int polls;		/* there may be some */
	uint64_t id;		/* that one */
} ring;

static struct io_uring_sqe *ring_sqe(int opcode, int fd, const void *addr,
				     unsigned int len, uint64_t id)
{
	struct io_uring_sqe *sqe = &ring.sqes[*ring.sq_tail & ring.sq_mask];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = opcode;
	sqe->fd = fd;
	sqe->addr = (unsigned long)addr;
	sqe->len = len;
	sqe->off = -1;
	sqe->user_data = id;
	__atomic_store_n(ring.sq_tail, *ring.sq_tail + 1, __ATOMIC_RELEASE);

	return sqe;
}

/* Submits @n, and runs what is due. */
static long ring_enter(unsigned int n)
{
	return syscall(SYS_io_uring_enter, RING, n, 0, IORING_ENTER_GETEVENTS,
		       NULL, 0);
}

static int ring_ready(void)
{
	return __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE) - *ring.cq_head;
}

static int ring_has(uint64_t id)
{
	unsigned int i, n = ring_ready();

	for (i = 0; i < n; i++) {
		struct io_uring_cqe *cqe;

		cqe = &ring.cqes[(*ring.cq_head + i) & ring.cq_mask];
		if (cqe->user_data == id)
			return 1;
	}

	return 0;
}

/*
 * Submits @n, and waits until the one with @id has completed. By looking again
 * and again: to wait in the kernel for a number of completions says nothing
 * about which, and ends late where others are there already.
 */
static long ring_run(unsigned int n, uint64_t id)
{
	long ret = ring_enter(n);
	int tries;

	for (tries = 0; ret >= 0 && !ring_has(id); tries++) {
		if (tries == PATIENCE_S * 1000) {
			out(0xdead);
			break;
		}
		if (tries < 20)
			sched_yield();
		else
			usleep(100);
		ring_enter(0);
	}

	return ret;
}

/*
 * Cancels what waits first. Else the kernel does so later, at a time of its own,
 * and until then an exclusive poll takes wakes from those of the next ring.
 */
static void ring_close(void)
{
	if (!ring.map)
		return;
	ring_sqe(IORING_OP_ASYNC_CANCEL, -1, NULL, 0, 0x52)->cancel_flags =
		IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY;
	ring_run(1, 0x52);
	munmap(ring.map, ring.map_len);
	munmap(ring.sqes, ring.sqes_len);
	ring.map = NULL;
	ring.reads = 0;
	ring.polls = 0;
	close(RING);
	close(PENDING);
}

static long ring_open(unsigned int flags)
{
	struct io_uring_params p = { .flags = flags };
	unsigned int *array, i;
	int fd;

	ring_close();
	fd = syscall(SYS_io_uring_setup, 32, &p);
	if (fd < 0)
		return -1;
	dup2(fd, RING);
	close(fd);
	ring.map_len = p.sq_off.array + p.sq_entries * sizeof(*array);
	if (ring.map_len < p.cq_off.cqes + p.cq_entries * sizeof(*ring.cqes))
		ring.map_len = p.cq_off.cqes +
			       p.cq_entries * sizeof(*ring.cqes);
	ring.sqes_len = p.sq_entries * sizeof(*ring.sqes);
	ring.map = mmap(NULL, ring.map_len, PROT_READ | PROT_WRITE, MAP_SHARED,
			RING, IORING_OFF_SQ_RING);
	ring.sqes = mmap(NULL, ring.sqes_len, PROT_READ | PROT_WRITE,
			 MAP_SHARED, RING, IORING_OFF_SQES);
	if (ring.map == MAP_FAILED || ring.sqes == MAP_FAILED)
		exit(2);
	array = ring.map + p.sq_off.array;
	for (i = 0; i < p.sq_entries; i++)
		array[i] = i;
	ring.sq_tail = ring.map + p.sq_off.tail;
	ring.sq_mask = p.sq_entries - 1;
	ring.cq_head = ring.map + p.cq_off.head;
	ring.cq_tail = ring.map + p.cq_off.tail;
	ring.cq_mask = p.cq_entries - 1;
	ring.cqes = ring.map + p.cq_off.cqes;

	return 0;
}

struct completion {
	uint64_t id;
	int64_t res;
	uint64_t flags;
};

static int completion_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct completion));
}

/* Two requests may complete in any order: sorted, the worlds compare. */
static void out_completions(struct completion *c, int n)
{
	int i;

	qsort(c, n, sizeof(*c), completion_cmp);
	for (i = 0; i < n; i++) {
		out(c[i].id);
		out(c[i].res);
		out(c[i].flags);
	}
}

static int ring_reap(struct completion *c, int max)
{
	struct io_uring_cqe *cqe;
	int n = 0;

	while (ring_ready() && n < max) {
		cqe = &ring.cqes[*ring.cq_head & ring.cq_mask];
		c[n].id = cqe->user_data;
		c[n].res = cqe->res;
		c[n].flags = cqe->flags;
		n++;
		if (ring.reads && cqe->user_data == ring.id) {
			ring.reads = 0;
			close(PENDING);
		}
		__atomic_store_n(ring.cq_head, *ring.cq_head + 1,
				 __ATOMIC_RELEASE);
	}

	return n;
}

/* The request that waits has to complete now, as the count is. */
static int ring_pending_due(void)
{
	return ring.reads && count_of(PENDING) > 0;
}

/*
 * Collects completions. A request may be with a worker thread: those that are
 * due are waited for, so that they do not race with what comes next.
 */
static void ring_settle(void)
{
	struct completion c[32];
	int n;

	ring_enter(0);
	n = ring_reap(c, 32);
	while (n < 32 && ring_pending_due()) {
		ring_run(0, ring.id);
		if (!ring_has(ring.id))
			break;
		n += ring_reap(c + n, 32 - n);
	}
	out_completions(c, n);
}

/* Notes that a request waits for what others do to the counter. */
static void ring_pend(int fd, uint64_t id)
{
	dup2(fd, PENDING);
	ring.reads = 1;
	ring.id = id;
}

static int is_counter(int fd)
{
	char text[512];

	return !fdinfo_text(fd, text, sizeof(text)) && strstr(text, "-count:");
}

/* What a writev adds: where buffers overlap, that is not what was put. */
static uint64_t iov_sum(const struct iovec *iov, int n)
{
	uint64_t sum = 0, val;
	int i;

	for (i = 0; i < n && (iov[i].iov_len == 8 || !iov[i].iov_len); i++) {
		if (!iov[i].iov_len)
			continue;
		if (!in_window((unsigned long)iov[i].iov_base) ||
		    !in_window((unsigned long)iov[i].iov_base + 7))
			break;
		memcpy(&val, iov[i].iov_base, sizeof(val));
		sum = sum + val < sum ? UINT64_MAX - 1 : sum + val;
	}

	return sum;
}

/*
 * One request. IORING_OP_READ, WRITE, READV and WRITEV; @val is what a write
 * adds. It waits for what completes at once, and leaves at most one waiting.
 */
static long ring_rw(int opcode, int fd, const void *addr, unsigned int len,
		    uint64_t val, int rw_flags, unsigned int sqe_flags,
		    uint64_t id)
{
	int reads = opcode == IORING_OP_READ || opcode == IORING_OP_READV;
	int waits = 0;
	long ret;

	if (!ring.map || ring.reads)
		return SKIPPED;
	if (is_counter(fd) && (reads ? !count_of(fd) : !has_room(fd, val)))
		waits = 1;
	/* eventfd is not even asked before there is room for 1. */
	if (!reads && blocks(fd) && is_counter(fd) && !has_room(fd, 1))
		return SKIPPED;
	/*
	 * Two segments are two wakes. From a worker thread they may reach a
	 * multishot poll as two completions or as one.
	 */
	if (opcode == IORING_OP_WRITEV && ring.polls && is_counter(fd) &&
	    (blocks(fd) || sqe_flags & IOSQE_ASYNC))
		return SKIPPED;
	/*
	 * Only reads wait here. A write that waits is with a worker thread on
	 * one kind and not on the other, and its buffer would not last.
	 */
	if (waits && (!reads || (sqe_flags & IOSQE_ASYNC)))
		return SKIPPED;
	if (waits && (rw_flags || (len < 8 && opcode == IORING_OP_READ)))
		waits = 0;
	if (waits && opcode == IORING_OP_READV)
		return SKIPPED;

	ring_sqe(opcode, fd, addr, len, id)->rw_flags = rw_flags;
	ring.sqes[(*ring.sq_tail - 1) & ring.sq_mask].flags = sqe_flags;
	if (waits)
		ring_pend(fd, id);
	ret = waits ? ring_enter(1) : ring_run(1, id);

	return ret;
}

/* Two, the second only if the first succeeds; always as many completions. */
static long ring_linked(int first, int second, int fd, int fd2, char *buf,
			uint64_t val)
{
	static uint64_t n;

	/* What a poll sees of two steps is up to when it looks. */
	if (!ring.map || ring.reads || ring.polls ||
	    !is_counter(fd) || !is_counter(fd2))
		return SKIPPED;
	if (first == IORING_OP_READ ? !count_of(fd) : !has_room(fd, val))
		return SKIPPED;
	/* As in ring_rw(), also if all that is written is 0. */
	if ((first == IORING_OP_WRITE && !has_room(fd, 1)) ||
	    (second == IORING_OP_WRITE && !has_room(fd2, 1)))
		return SKIPPED;
	if (second == IORING_OP_WRITE && !has_room(fd2, val))
		return SKIPPED;
	if (second == IORING_OP_READ && !count_of(fd2) &&
	    (fd2 != fd || first != IORING_OP_WRITE || !val))
		return SKIPPED;
	/* Nothing for the second after the first took all. */
	if (first == second && first == IORING_OP_READ)
		return SKIPPED;
	if (first == second && (val > UINT64_MAX / 2 ||
				!has_room(fd2, val + val)))
		return SKIPPED;
	n = val;
	ring_sqe(first, fd, first == IORING_OP_READ ? buf : (char *)&n, 8,
		 0x31)->flags = IOSQE_IO_LINK;
	ring_sqe(second, fd2, second == IORING_OP_READ ? buf + 8 : (char *)&n,
		 8, 0x32);

	return ring_run(2, 0x32);
}

/* A read that nobody serves, with a time limit. */
static long ring_timed_read(int fd, char *buf)
{
	static struct __kernel_timespec ts = { .tv_nsec = 1000000 };

	if (!ring.map || ring.reads || !is_counter(fd) ||
	    count_of(fd))
		return SKIPPED;
	ring_sqe(IORING_OP_READ, fd, buf, 8, 0x41)->flags = IOSQE_IO_LINK;
	ring_sqe(IORING_OP_LINK_TIMEOUT, -1, &ts, 1, 0x42)->off = 0;
	ring_run(2, 0x41);

	return ring_run(0, 0x42);
}

static long ring_poll(int fd, unsigned int events, int multishot, uint64_t id)
{
	struct io_uring_sqe *sqe;

	if (!ring.map)
		return SKIPPED;
	sqe = ring_sqe(IORING_OP_POLL_ADD, fd, NULL,
		       multishot ? IORING_POLL_ADD_MULTI : 0, id);
	sqe->off = 0;
	sqe->poll32_events = events;
	exclusive |= events & EPOLLEXCLUSIVE;
	ring.polls = 1;

	return ring_enter(1);
}

static long ring_cancel(int opcode, uint64_t id)
{
	if (!ring.map)
		return SKIPPED;
	ring_sqe(opcode, -1, (void *)id, 0, 0x51)->off = 0;

	return ring_run(1, 0x51);
}

static long ring_register_eventfd(int fd)
{
	if (!ring.map)
		return SKIPPED;
	return syscall(SYS_io_uring_register, RING, IORING_REGISTER_EVENTFD,
		       &fd, 1);
}

/* AIO */

static aio_context_t aio;
static struct iocb aio_blocks[16];

static void aio_settle(int min)
{
	struct timespec ts = { .tv_sec = min ? PATIENCE_S : 0 };
	struct completion c[16] = { };
	struct io_event e[16];
	long i, n;

	if (!aio)
		return;
	n = syscall(SYS_io_getevents, aio, min, 16, e, &ts);
	for (i = 0; i < n; i++) {
		c[i].id = e[i].data;
		c[i].res = e[i].res;
		c[i].flags = e[i].res2;
		aio_blocks[e[i].data - 1].aio_data = 0;
	}
	out_completions(c, n > 0 ? n : 0);
}

static long aio_do(int opcode, int fd, const void *buf, uint64_t len,
		   int rw_flags, int resfd, unsigned int slot)
{
	struct iocb *cb = &aio_blocks[slot % 16];
	long ret;

	if (!aio && syscall(SYS_io_setup, 32, &aio))
		return -1;
	/* One that waits may use its block. */
	if (cb->aio_data && cb->aio_lio_opcode == IOCB_CMD_POLL)
		return SKIPPED;
	memset(cb, 0, sizeof(*cb));
	cb->aio_lio_opcode = opcode;
	cb->aio_fildes = fd;
	cb->aio_buf = (unsigned long)buf;
	cb->aio_nbytes = len;
	cb->aio_rw_flags = rw_flags;
	cb->aio_data = slot % 16 + 1;
	if (resfd >= 0) {
		cb->aio_flags = IOCB_FLAG_RESFD;
		cb->aio_resfd = resfd;
	}
	soon();
	ret = syscall(SYS_io_submit, aio, 1, &cb);
	done();
	if (ret != 1)
		cb->aio_data = 0;
	else if (opcode != IOCB_CMD_POLL)
		aio_settle(1);

	return ret;
}

static long aio_cancel(unsigned int slot)
{
	struct io_event e;
	long ret;

	if (!aio)
		return SKIPPED;
	ret = syscall(SYS_io_cancel, aio, &aio_blocks[slot % 16], &e);
	/* A worker completes it. */
	if (ret < 0 && errno == EINPROGRESS) {
		aio_settle(1);
		errno = EINPROGRESS;
	}

	return ret;
}

/*
 * poll and friends. With a time limit they may end in EINTR although there is
 * no signal: where io_uring is in use the kernel has things to do for a task.
 */

static long poll_some(int how, int fd, int fd2, int events, int timeout)
{
	struct pollfd p[2] = { { fd, events, 0 }, { fd2, events ^ 5, 0 } };
	struct timespec ts = { 0, timeout * 1000000L };
	fd_set in, outs, except;
	struct timeval tv = { 0, timeout * 1000L };
	sigset_t mask;
	long ret;

	if (how < 2) {
		sigfillset(&mask);
		do {
			ret = how ? ppoll(p, 2, &ts, &mask) :
				    poll(p, 2, timeout);
		} while (ret < 0 && errno == EINTR);
		out(p[0].revents);
		out(p[1].revents);
		return ret;
	}
again:
	FD_ZERO(&in);
	FD_ZERO(&outs);
	FD_ZERO(&except);
	if (events & POLLIN)
		FD_SET(fd, &in);
	if (events & POLLOUT)
		FD_SET(fd, &outs);
	if (events & POLLPRI)
		FD_SET(fd, &except);
	FD_SET(fd2, &in);
	ret = select(NR_FDS, &in, &outs, &except, &tv);
	if (ret < 0 && errno == EINTR)
		goto again;
	out(FD_ISSET(fd, &in) | FD_ISSET(fd, &outs) << 1 |
	    FD_ISSET(fd, &except) << 2 | FD_ISSET(fd2, &in) << 3);

	return ret;
}

/* Waits for ever, until it is ready or a signal comes. */
static long poll_until_signal(int fd, int events)
{
	struct pollfd p = { fd, events, 0 };
	long ret;

	soon();
	ret = poll(&p, 1, -1);
	done();
	out(p.revents);

	return ret;
}

static long epoll_make(int slot, int flags)
{
	int fd = epoll_create1(flags);

	return fd < 0 ? fd : move_to(fd, slot);
}

static long epoll_change(int op, int epfd, int fd, unsigned int events,
			 uint64_t data)
{
	struct epoll_event e = { .events = events, .data.u64 = data };

	exclusive |= events & EPOLLEXCLUSIVE;

	return epoll_ctl(epfd, op, fd, &e);
}

static long epoll_get(int epfd, int max, int timeout)
{
	struct epoll_event e[8];
	long i, n;

	do {
		n = epoll_wait(epfd, e, max, timeout);
	} while (n < 0 && errno == EINTR && timeout >= 0);
	for (i = 0; i < n; i++) {
		out(e[i].events);
		out(e[i].data.u64);
	}

	return n;
}

static long epoll_until_signal(int epfd)
{
	long n;

	soon();
	n = epoll_get(epfd, 8, -1);
	done();

	return n;
}

/* Operations that block, and go on */

struct rescue {
	uint64_t val;
	int fd, reads;
};

static void *rescue_later(void *arg)
{
	struct rescue *r = arg;

	usleep(300);
	if (r->reads ? read(r->fd, &r->val, 8) : write(r->fd, &r->val, 8))
		return NULL;
	return arg;
}

/*
 * A read or a write that blocks until another thread, or a handler with
 * SA_RESTART, writes @val or reads.
 */
static long blocked(int reads, int fd, char *buf, uint64_t val, int restart)
{
	struct itimerval it = { { 0, 0 }, { 0, 500 } };
	struct rescue r = { val, fd, !reads };
	sigset_t all, old;
	pthread_t thread;
	long ret;

	/* An exclusive poller would take the wake, on eventfd for good. */
	if (ring.reads || exclusive || !blocks(fd) || !is_counter(fd) ||
	    val == UINT64_MAX)
		return SKIPPED;
	if (reads ? count_of(fd) || !val : has_room(fd, val))
		return SKIPPED;
	if (!reads && is_semaphore(fd) &&
	    (count_of(fd) != UINT64_MAX - 1 || val != 1))
		return SKIPPED;
	put(buf, val);
	if (restart) {
		handle_alarm(SA_RESTART);
		alarm_reads = !reads;
		alarm_val = val;
		alarm_fd = fd;
		setitimer(ITIMER_REAL, &it, NULL);
		ret = reads ? read(fd, buf, 8) : write(fd, buf, 8);
		handle_alarm(0);
		out(alarm_fd);
		return ret;
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&thread, NULL, rescue_later, &r))
		exit(2);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	ret = reads ? read(fd, buf, 8) : write(fd, buf, 8);
	pthread_join(thread, NULL);
	out(r.val);

	return ret;
}

/* Passing */

static long pass_on(int fd, int to)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { };
	struct iovec iov = { "x", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	char byte;
	int s[2], got = -1;
	long ret;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, s))
		return -1;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	ret = sendmsg(s[0], &msg, 0);
	if (ret == 1) {
		iov.iov_base = &byte;
		msg.msg_controllen = sizeof(control);
		ret = recvmsg(s[1], &msg, 0);
		c = CMSG_FIRSTHDR(&msg);
		if (c)
			memcpy(&got, CMSG_DATA(c), sizeof(got));
	}
	if (got >= 0)
		move_to(got, to);
	close(s[0]);
	close(s[1]);

	return ret;
}

/* A child does one thing to a descriptor that it inherited. */
static long in_child(int fd, uint64_t val, int reads)
{
	int status = 0;
	ssize_t n;
	pid_t pid;

	/* A child of ours would share the mapping of the ring. */
	pid = fork();
	if (!pid) {
		handle_alarm(0);
		soon();
		n = reads ? read(fd, &val, 8) : write(fd, &val, 8);
		_exit(n < 0 ? errno : 200 + n);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;

	return status;
}

/* What else there is to ask of a descriptor */

static long show_fdinfo(int fd)
{
	char text[512], kept[512], *line, *next;
	size_t len = 0, skip;

	if (fdinfo_text(fd, text, sizeof(text)))
		return -1;
	for (line = text; *line; line = next) {
		next = strchr(line, '\n');
		next = next ? next + 1 : line + strlen(line);
		skip = !strncmp(line, "evfd-", 5) ? 5 :
		       !strncmp(line, "eventfd-", 8) ? 8 : 0;
		/* Locks have pids; a number is a counter's own. */
		if (!strncmp(line, "lock:", 5) ||
		    (skip && !strncmp(line + skip, "id:", 3)))
			continue;
		/* evfd tells more than eventfd. */
		if (skip == 5 && strncmp(line + 5, "count:", 6) &&
		    strncmp(line + 5, "semaphore:", 10))
			continue;
		if (skip && eventfd_traits.no_semaphore_line &&
		    !strncmp(line + skip, "semaphore:", 10))
			continue;
		memcpy(kept + len, line + skip, next - line - skip);
		len += next - line - skip;
	}
	kept[len] = '\0';
	out_text(kept);

	return 0;
}

static long show_link(int fd)
{
	char path[40], name[64] = "";
	long ret;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = readlink(path, name, sizeof(name) - 1);
	if (ret < 0)
		return ret;
	out_text(strcmp(name, is_evfd ? "anon_inode:[evfd]" :
			"anon_inode:[eventfd]") ? name : "anon_inode:[counter]");

	return 0;
}

/* The inode is every anonymous file's, so its times are. */
static long show_stat(int fd)
{
	struct stat st = { };
	long ret = fstat(fd, &st);

	out(st.st_mode);
	out(st.st_nlink);
	out(st.st_size);
	out(st.st_blksize);
	out(st.st_blocks);
	out(st.st_rdev);
	out(st.st_uid);
	out(st.st_gid);

	return ret;
}

static long reopen(int fd, int flags)
{
	char path[40];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags);
	if (again >= 0)
		close(again);

	return again;
}

static long map_it(int fd, int prot, int flags)
{
	void *map = mmap(NULL, PAGE, prot, flags, fd, 0);

	if (map == MAP_FAILED)
		return -1;
	munmap(map, PAGE);

	return 0;
}

/* Through a pipe that holds 16 bytes: a 1 and a 2. */
static long splice_it(int fd, int how, size_t len, int flags)
{
	uint64_t n[2] = { 1, 2 };
	int p[2], err;
	long ret;

	if (pipe2(p, O_NONBLOCK))
		return -1;
	if (write(p[1], n, sizeof(n)) != sizeof(n))
		exit(2);
	soon();
	switch (how) {
	case 0:
		ret = splice(fd, NULL, p[1], NULL, len, flags);
		break;
	case 1:
		ret = splice(p[0], NULL, fd, NULL, len, flags);
		break;
	case 2:
		ret = tee(p[0], fd, len, flags);
		break;
	case 3:
		ret = tee(fd, p[1], len, flags);
		break;
	default:
		ret = vmsplice(fd, &(struct iovec){ n, len % 17 }, 1, flags);
	}
	done();
	err = errno;
	close(p[0]);
	close(p[1]);
	errno = err;

	return ret;
}

/* From and to a file that begins with the numbers 1, 2, 3 and so on. */
static long copy_it(int fd, int how, size_t len)
{
	off_t offset = 8;
	loff_t loffset = 8;
	long ret;

	soon();
	switch (how) {
	case 0:
		ret = sendfile(fd, PLAIN_FILE, &offset, len);
		break;
	case 1:
		ret = sendfile(PLAIN_FILE, fd, NULL, len);
		break;
	case 2:
		ret = copy_file_range(fd, NULL, PLAIN_FILE, &loffset, len, 0);
		break;
	default:
		ret = copy_file_range(PLAIN_FILE, &loffset, fd, NULL, len, 0);
	}
	done();
	out(offset);
	out(loffset);

	return ret;
}

static long lock_it(int fd, int cmd, int type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_len = 1 };
	long ret = fcntl(fd, cmd, &lock);

	out(lock.l_type);

	return ret;
}

static long own_it(int fd, int cmd, int mine)
{
	long ret = fcntl(fd, cmd, mine ? getpid() : 0);

	/* A pid is the same in no two worlds. */
	return cmd == F_GETOWN && ret == getpid() ? 4711 : ret;
}

static long dup_it(int fd, int cmd)
{
	int copy = fcntl(fd, cmd, 50);
	long flags;

	if (copy < 0)
		return copy;
	flags = fcntl(copy, F_GETFD);
	close(copy);
	out(flags);

	return copy;
}

/* ioctls with a number behind the pointer */
static long ioctl_it(int fd, unsigned long cmd, int arg)
{
	int n[16] = { arg };
	long ret = ioctl(fd, cmd, n);

	out(n[0]);

	return ret;
}

/*
 * A read that must fault. The count before and after: eventfd may have lost
 * what evfd has to keep.
 */
static long fault_read(int how, int fd, const struct iovec *iov, int n)
{
	uint64_t before = count_of(fd);
	char text[64];
	long ret = -1;
	int err;

	if (!before || ring.reads)
		return SKIPPED;
	switch (how) {
	case 0:
		ret = read(fd, iov[0].iov_base, iov[0].iov_len);
		break;
	case 1:
		ret = readv(fd, iov, n);
		break;
	case 2:
		ret = syscall(SYS_preadv2, fd, iov, n, -1L, -1L, RWF_NOWAIT);
		break;
	case 3:
		ret = aio_do(IOCB_CMD_PREAD, fd, iov[0].iov_base,
			     iov[0].iov_len, 0, -1, 0);
		break;
	case 4:
		ret = ring_rw(IORING_OP_READV, fd, iov, n, 0, 0, 0, 1);
		break;
	default:
		ret = ring_rw(IORING_OP_READ, fd, iov[0].iov_base,
			      iov[0].iov_len, 0, 0, 0, 1);
	}
	err = errno;
	snprintf(text, sizeof(text), "%llx then %llx",
		 (unsigned long long)before, (unsigned long long)count_of(fd));
	out_text(text);
	errno = err;

	return ret;
}

/* Life */

static void probe(void)
{
	uint64_t n[2] = { 1, 1 };
	char text[512] = "";
	int fd = eventfd(0, 0);

	eventfd_traits.long_writes = write(fd, n, 16) == 8;
	fdinfo_text(fd, text, sizeof(text));
	eventfd_traits.no_semaphore_line = !strstr(text, "eventfd-semaphore");
	close(fd);
}

static void world_start(int evfd)
{
	const int prot = PROT_READ | PROT_WRITE;
	uint64_t n;
	char *m;
	int fd;

	is_evfd = evfd;
	probe();
	m = mmap((void *)MEMORY, 7 * PAGE, prot,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (m == MAP_FAILED)
		exit(2);
	for (n = 0; n < PAGE / 8; n++)
		((uint64_t *)(m + 2 * PAGE))[n] = n % 8;
	mprotect(m + PAGE, PAGE, PROT_NONE);
	mprotect(m + 2 * PAGE, PAGE, PROT_READ);
	mprotect(m + 3 * PAGE, PAGE, PROT_NONE);
	mprotect(m + 6 * PAGE, PAGE, PROT_NONE);
	handle_alarm(0);
	signal(SIGPIPE, SIG_IGN);
	open_device();
	fd = memfd_create("plain", 0);
	for (n = 1; n <= 8; n++) {
		if (write(fd, &n, 8) != 8)
			exit(2);
	}
	dup2(fd, PLAIN_FILE);
	close(fd);
}

static void settle(void)
{
	int err = errno;

	if (ring.map)
		ring_settle();
	aio_settle(0);
	errno = err;
}

#ifndef FUZZ
/* Before and after each operation of a printed program. */
static void begin(const char *name)
{
	fill_windows();
	printf("%-16s", name);
	errno = 0;
}

static void end(long ret)
{
	int i, j, err = errno;

	settle();
	printf("  = %ld%s%s\n", ret, ret == -1 ? " " : "",
	       ret == -1 ? strerrorname_np(err) : "");
	for (i = 0; i < NR_WINDOWS; i++) {
		for (j = 0; j < WINDOW; j++) {
			unsigned char *at = (void *)(windows[i] + j);

			if (*at != FILL)
				printf("  %p: %02x\n", at, *at);
		}
	}
}
#endif
