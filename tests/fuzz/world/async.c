// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/time_types.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "async.h"
#include "base.h"
#include "ring.h"

static struct {
	int open;
	struct ring ring;
	int reads;		/* one waits on PENDING */
	int polls;		/* there may be some */
	uint64_t id;		/* that one */
} uring;

static struct io_uring_sqe *uring_add(int opcode, int fd, const void *addr,
				      unsigned int len, uint64_t id)
{
	struct io_uring_sqe *sqe = ring_add(&uring.ring, opcode, fd, addr, len,
					    id);

	sqe->off = -1;

	return sqe;
}

/* Submits @n requests, and runs deferred work. */
static long uring_enter(unsigned int n)
{
	return syscall(SYS_io_uring_enter, RING, n, 0, IORING_ENTER_GETEVENTS,
		       NULL, 0);
}

static int uring_has(uint64_t id)
{
	unsigned int i, n = ring_ready(&uring.ring);

	for (i = 0; i < n; i++) {
		if (ring_peek(&uring.ring, i)->user_data == id)
			return 1;
	}

	return 0;
}

/*
 * Submits @n, and waits until the one with @id has completed. By looking again
 * and again: to wait in the kernel for a number of completions says nothing
 * about which, and ends late where others are there already.
 */
static long uring_run(unsigned int n, uint64_t id)
{
	long ret = uring_enter(n);
	int tries;

	for (tries = 0; ret >= 0 && !uring_has(id); tries++) {
		if (tries == PATIENCE_S * 1000) {
			out(0xdead);
			break;
		}
		if (tries < 20)
			sched_yield();
		else
			usleep(100);
		uring_enter(0);
	}

	return ret;
}

/*
 * Cancels what waits first. Else the kernel does so later, at a time of its own,
 * and until then an exclusive poll takes wakes from those of the next ring.
 */
static void uring_close(void)
{
	if (!uring.open)
		return;
	uring_add(IORING_OP_ASYNC_CANCEL, -1, NULL, 0, 0x52)->cancel_flags =
		IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY;
	uring_run(1, 0x52);
	ring_close(&uring.ring);
	memset(&uring, 0, sizeof(uring));
	close(PENDING);
}

long uring_open(unsigned int flags)
{
	int ret;

	uring_close();
	ret = ring_open(&uring.ring, 32, flags);
	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	dup2(uring.ring.fd, RING);
	close(uring.ring.fd);
	uring.ring.fd = RING;
	uring.open = 1;

	return 0;
}

int uring_waits(void)
{
	return uring.reads;
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

static int uring_reap(struct completion *c, int max)
{
	struct io_uring_cqe *cqe;
	int n = 0;

	while (ring_ready(&uring.ring) && n < max) {
		cqe = ring_peek(&uring.ring, 0);
		c[n].id = cqe->user_data;
		c[n].res = cqe->res;
		c[n].flags = cqe->flags;
		n++;
		if (uring.reads && cqe->user_data == uring.id) {
			uring.reads = 0;
			close(PENDING);
		}
		ring_take(&uring.ring, 1);
	}

	return n;
}

/* The request that waits has to complete now, as the count is. */
static int uring_due(void)
{
	return uring.reads && count_of(PENDING) > 0;
}

/*
 * Collects completions. A request may be with a worker thread: those that are
 * due are waited for, so that they do not race with the next operation.
 */
static void uring_settle(void)
{
	struct completion c[32];
	int n;

	uring_enter(0);
	n = uring_reap(c, 32);
	while (n < 32 && uring_due()) {
		uring_run(0, uring.id);
		if (!uring_has(uring.id))
			break;
		n += uring_reap(c + n, 32 - n);
	}
	out_completions(c, n);
}

/* Notes that a request waits for what others do to the counter. */
static void uring_pend(int fd, uint64_t id)
{
	dup2(fd, PENDING);
	uring.reads = 1;
	uring.id = id;
}

long uring_rw(int opcode, int fd, const void *addr, unsigned int len,
	      uint64_t val, int rw_flags, unsigned int sqe_flags, uint64_t id)
{
	int reads = opcode == IORING_OP_READ || opcode == IORING_OP_READV;
	struct io_uring_sqe *sqe;
	int waits = 0;
	long ret;

	if (!uring.open || uring.reads)
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
	if (opcode == IORING_OP_WRITEV && uring.polls && is_counter(fd) &&
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

	sqe = uring_add(opcode, fd, addr, len, id);
	sqe->rw_flags = rw_flags;
	sqe->flags = sqe_flags;
	if (waits)
		uring_pend(fd, id);
	ret = waits ? uring_enter(1) : uring_run(1, id);

	return ret;
}

long uring_linked(int first, int second, int fd, int fd2, char *buf,
		  uint64_t val)
{
	static uint64_t n;

	/* The result of a poll between two steps depends on time. */
	if (!uring.open || uring.reads || uring.polls ||
	    !is_counter(fd) || !is_counter(fd2))
		return SKIPPED;
	if (first == IORING_OP_READ ? !count_of(fd) : !has_room(fd, val))
		return SKIPPED;
	/* As in uring_rw(), also if all that is written is 0. */
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
	uring_add(first, fd, first == IORING_OP_READ ? buf : (char *)&n, 8,
		  0x31)->flags = IOSQE_IO_LINK;
	uring_add(second, fd2, second == IORING_OP_READ ? buf + 8 : (char *)&n,
		  8, 0x32);

	return uring_run(2, 0x32);
}

long uring_fixed(int opcode, int fd, char *buf, uint64_t val, int moved)
{
	struct iovec pages = { (void *)(MEMORY + 4 * PAGE), 2 * PAGE };
	long ret;

	if (!uring.open || uring.reads || !is_counter(fd))
		return SKIPPED;
	if (opcode == IORING_OP_READ_FIXED ? !count_of(fd) :
	    val >= UINT64_MAX - 1 || !has_room(fd, val + 1))
		return SKIPPED;
	put(buf, val);
	ret = syscall(SYS_io_uring_register, RING, IORING_REGISTER_BUFFERS,
		      &pages, 1);
	if (ret)
		return ret;
	if (moved) {
		madvise(pages.iov_base, pages.iov_len, MADV_DONTNEED);
		fill_windows();
		put(buf, val + 1);
	}
	uring_add(opcode, fd, buf, 8, 0x34)->buf_index = 0;
	ret = uring_run(1, 0x34);
	syscall(SYS_io_uring_register, RING, IORING_UNREGISTER_BUFFERS, NULL,
		0);
	out(count_of(fd));

	return ret;
}

long uring_timed_read(int fd, char *buf)
{
	static struct __kernel_timespec ts = { .tv_nsec = 1000000 };

	if (!uring.open || uring.reads || !is_counter(fd) ||
	    count_of(fd))
		return SKIPPED;
	uring_add(IORING_OP_READ, fd, buf, 8, 0x41)->flags = IOSQE_IO_LINK;
	uring_add(IORING_OP_LINK_TIMEOUT, -1, &ts, 1, 0x42)->off = 0;
	uring_run(2, 0x41);

	return uring_run(0, 0x42);
}

long uring_poll(int fd, unsigned int events, int multishot, uint64_t id)
{
	struct io_uring_sqe *sqe;

	if (!uring.open)
		return SKIPPED;
	sqe = uring_add(IORING_OP_POLL_ADD, fd, NULL,
			multishot ? IORING_POLL_ADD_MULTI : 0, id);
	sqe->off = 0;
	sqe->poll32_events = events;
	exclusive |= events & EPOLLEXCLUSIVE;
	uring.polls = 1;

	return uring_enter(1);
}

long uring_cancel(int opcode, uint64_t id)
{
	if (!uring.open)
		return SKIPPED;
	uring_add(opcode, -1, (void *)id, 0, 0x51)->off = 0;

	return uring_run(1, 0x51);
}

long uring_register_eventfd(int fd)
{
	if (!uring.open)
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

long aio_call(int opcode, int fd, const void *buf, uint64_t len, int rw_flags,
	      int resfd, unsigned int slot)
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

long aio_cancel(unsigned int slot)
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

void async_settle(void)
{
	if (uring.open)
		uring_settle();
	aio_settle(0);
}
