// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arguments of random operations. Many are edge cases, and most make sense:
 * most descriptors are open, most buffers are good. Read ops.def first, which has
 * the operations.
 */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "draw.h"
#include "ops.h"
#include "world/base.h"

static uint64_t rng_state;

/* The open counters, as far as the draw can know. */
static bool is_open[NR_COUNTERS];

void ops_begin(uint64_t seed)
{
	rng_state = seed;
	memset(is_open, 0, sizeof(is_open));
}

static uint64_t rng(void)
{
	return draw(&rng_state);
}

unsigned int below(unsigned int n)
{
	return rng() % n;
}

bool one_in(unsigned int n)
{
	return !below(n);
}

/* One of these values of @type. */
#define ONE_OF(type, ...)						\
	({								\
		static const type one_of[] = { __VA_ARGS__ };		\
									\
		one_of[below(ARRAY_SIZE(one_of))];			\
	})

static int any_counter(void)
{
	int i, slot = below(NR_COUNTERS);

	if (one_in(40))
		return COUNTER + slot;
	for (i = 0; i < NR_COUNTERS; i++, slot++) {
		if (is_open[slot % NR_COUNTERS])
			return COUNTER + slot % NR_COUNTERS;
	}

	return COUNTER + slot % NR_COUNTERS;
}

static int any_epoll(void)
{
	return EPOLL + below(NR_EPOLLS);
}

/* Mostly one of @good, at times all sorts of bits. */
static int64_t bits_of(const uint32_t *good, unsigned int n)
{
	int64_t bits = 0;
	unsigned int i;

	if (one_in(30))
		return (uint32_t)rng();
	for (i = below(4); i; i--)
		bits |= good[below(n)];

	return bits;
}

static uint64_t any_value(void)
{
	static const uint64_t edges[] = {
		0, 1, 2, 3, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
		0x8000000000000000, UINT64_MAX - 3, UINT64_MAX - 2,
		UINT64_MAX - 1, UINT64_MAX,
	};

	switch (below(8)) {
	case 0:
	case 1:
		return edges[below(ARRAY_SIZE(edges))];
	case 2:
		return UINT64_MAX - below(12);
	case 3:
		return rng();
	case 4:
		return rng() >> below(64);
	default:
		return 1 + below(5);
	}
}

/* Where 8 bytes can be read and written: any alignment, across two pages. */
static uint64_t good_buffer(void)
{
	switch (below(6)) {
	case 0:
		return MEMORY + PAGE - 8;
	case 1:
		return MEMORY + PAGE - 8 - below(WINDOW - 8);
	case 2:
		return MEMORY + 5 * PAGE - 7 + below(7);
	case 3:
		return MEMORY + 4 * PAGE + below(WINDOW - 8);
	default:
		return MEMORY + 4 * PAGE + 8 * below(4);
	}
}

/* Where 8 bytes cannot be written, or not all of them. */
static uint64_t bad_buffer(void)
{
	switch (below(10)) {
	case 0:
		return 0;
	case 1:
		return MEMORY + PAGE;
	case 2:
	case 3:
		return MEMORY + PAGE - 1 - below(7);
	case 4:
		return MEMORY + 2 * PAGE + below(PAGE - 8);
	case 5:
		return MEMORY + 4 * PAGE - 1 - below(7);
	case 6:
		return 0x800000000000 - 8 * below(3);
	case 7:
		return 0x7ffffffff000 - below(9);
	case 8:
		return rng();
	default:
		return UINT64_MAX - below(16);
	}
}

static uint64_t any_len(void)
{
	return one_in(5) ? ONE_OF(uint64_t, 0, 1, 4, 7, 9, 12, 15, 16, 24, 4096,
				  65536, 0x7ffff000, 0x80000000) : 8;
}

/* Segments: one good buffer, or a split one, or several, or nonsense. */
static void segments(struct op *op, bool write)
{
	uint64_t at = good_buffer();
	unsigned int i, cut;

	op->n = 1;
	op->iov[0].iov_base = (void *)at;
	op->iov[0].iov_len = 8;
	switch (below(write ? 5 : 7)) {
	case 0:
	case 1:
		return;
	case 2:
		op->n = 2 + below(2);
		for (i = 1; i < (unsigned int)op->n; i++) {
			op->iov[i].iov_base = (void *)good_buffer();
			op->iov[i].iov_len = 8;
		}
		return;
	case 3:
		op->n = below(MAX_IOV + 1);
		for (i = 0; i < MAX_IOV; i++) {
			op->iov[i].iov_base = (void *)good_buffer();
			op->iov[i].iov_len = one_in(3) ? 0 : one_in(3) ?
				below(17) : 8;
		}
		return;
	default:
		cut = below(9);
		op->n = 2;
		op->iov[0].iov_len = cut;
		op->iov[1].iov_base = one_in(2) ? (void *)(at + cut) :
				      (void *)good_buffer();
		op->iov[1].iov_len = 8 - cut + (one_in(4) ? below(9) : 0);
	}
}

static void draw_nothing(struct op *op)
{
	(void)op;
}

static void draw_counter(struct op *op)
{
	op->fd = any_counter();
}

static void draw_create(struct op *op)
{
	static const uint32_t flags[] = {
		0, EFD_NONBLOCK, EFD_NONBLOCK, EFD_SEMAPHORE, EFD_CLOEXEC,
	};

	op->fd2 = COUNTER + below(NR_COUNTERS);
	op->val = (uint32_t)any_value();
	op->a = flags[below(ARRAY_SIZE(flags))];
	op->a |= flags[below(ARRAY_SIZE(flags))];
	is_open[op->fd2 - COUNTER] = true;
}

static void draw_create_invalid(struct op *op)
{
	op->val = (uint32_t)any_value();
	do {
		op->a = one_in(2) ? 1U << below(32) : (uint32_t)rng();
	} while (!(op->a & ~(EFD_NONBLOCK | EFD_SEMAPHORE | EFD_CLOEXEC)));
}

static void closed(int fd)
{
	is_open[fd - COUNTER] = false;
}

static void draw_close(struct op *op)
{
	op->fd = any_counter();
	closed(op->fd);
}

static void draw_close_range(struct op *op)
{
	static const int flags[] = { 0, 4 /* CLOSE_RANGE_CLOEXEC */, 8 };

	op->fd = any_counter();
	op->a = flags[below(ARRAY_SIZE(flags))];
	if (!op->a)
		closed(op->fd);
}

static void draw_dup(struct op *op)
{
	op->fd = any_counter();
	op->fd2 = COUNTER + below(NR_COUNTERS);
	op->a = one_in(3) ? 0 : one_in(4) ? O_NONBLOCK : O_CLOEXEC;
	if (is_open[op->fd - COUNTER])
		is_open[op->fd2 - COUNTER] = true;
}

static void draw_dupfd(struct op *op)
{
	op->fd = any_counter();
	op->a = one_in(2) ? F_DUPFD : F_DUPFD_CLOEXEC;
}

static void draw_child(struct op *op)
{
	op->fd = any_counter();
	op->val = any_value();
	op->a = below(2);
}

static void draw_read(struct op *op)
{
	op->fd = any_counter();
	op->buf = good_buffer();
	op->len = any_len();
}

static void draw_write(struct op *op)
{
	draw_read(op);
	op->val = any_value();
	/* Its place is at the end, see long_write. */
	if (op->len > 8 && eventfd_traits.long_writes)
		op->len = 8;
}

static void draw_readv(struct op *op)
{
	op->fd = any_counter();
	segments(op, false);
}

static void cut_long_segments(struct op *op)
{
	int i;

	for (i = 0; i < op->n && eventfd_traits.long_writes; i++) {
		if (op->iov[i].iov_len > 8)
			op->iov[i].iov_len = 8;
	}
}

static void draw_writev(struct op *op)
{
	op->fd = any_counter();
	segments(op, one_in(2));
	cut_long_segments(op);
	op->val = any_value();
	op->b = any_value();
}

static int64_t any_offset(void)
{
	return ONE_OF(int64_t, -1, -1, -1, 0, 8, -2, INT64_MAX);
}

static int any_rwf(void)
{
	return ONE_OF(int, RWF_NOWAIT, RWF_HIPRI, RWF_DSYNC, RWF_SYNC,
		      RWF_APPEND, RWF_NOAPPEND);
}

static void draw_preadv2(struct op *op)
{
	static const uint32_t flags[] = {
		0, RWF_NOWAIT, RWF_HIPRI, RWF_DSYNC, RWF_SYNC, RWF_APPEND,
		RWF_NOAPPEND, 0x40, 0x80,
	};

	draw_readv(op);
	op->a = any_offset();
	op->b = bits_of(flags, ARRAY_SIZE(flags));
}

static void draw_pwritev2(struct op *op)
{
	static const uint32_t flags[] = { 0, RWF_HIPRI, 0x40, 0x80 };

	draw_writev(op);
	op->a = any_offset();
	op->b = bits_of(flags, ARRAY_SIZE(flags));
	/* Their place is at the end, see flagged_write. */
	op->b &= ~(RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND |
		   RWF_NOAPPEND);
}

static void draw_pread(struct op *op)
{
	draw_read(op);
	op->a = any_offset();
}

static void draw_pwrite(struct op *op)
{
	draw_write(op);
	op->a = any_offset();
}

static void draw_write_fault(struct op *op)
{
	draw_write(op);
	op->buf = bad_buffer();
}

static void draw_writev_fault(struct op *op)
{
	draw_writev(op);
	op->iov[below(op->n ? op->n : 1)].iov_base = (void *)bad_buffer();
}

static void draw_poll(struct op *op)
{
	static const uint32_t events[] = {
		POLLIN, POLLOUT, POLLIN | POLLOUT, POLLPRI, POLLERR, POLLHUP,
		POLLRDNORM, POLLWRNORM, POLLRDBAND, POLLWRBAND, POLLNVAL,
		POLLRDHUP,
	};

	op->fd = any_counter();
	op->fd2 = one_in(3) ? any_epoll() : any_counter();
	op->a = below(3);
	op->b = (short)bits_of(events, ARRAY_SIZE(events));
	op->val = one_in(12);
}

static void draw_poll_signal(struct op *op)
{
	draw_poll(op);
}

static void draw_epoll(struct op *op)
{
	op->fd = any_epoll();
}

static void draw_epoll_make(struct op *op)
{
	op->fd = any_epoll();
	op->a = one_in(3) ? 0 : one_in(10) ? 1 : EPOLL_CLOEXEC;
}

static void draw_epoll_ctl(struct op *op)
{
	static const uint32_t more[] = {
		EPOLLPRI, EPOLLERR, EPOLLHUP, EPOLLRDHUP, EPOLLRDNORM,
		EPOLLET, EPOLLONESHOT, EPOLLWAKEUP, EPOLLEXCLUSIVE, EPOLLOUT,
	};

	op->fd = any_epoll();
	op->fd2 = one_in(6) ? any_epoll() : any_counter();
	op->a = ONE_OF(int, EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_ADD,
		       EPOLL_CTL_MOD, EPOLL_CTL_MOD, EPOLL_CTL_DEL, 4);
	op->b = ONE_OF(uint32_t, EPOLLIN, EPOLLIN | EPOLLOUT, EPOLLOUT,
		       EPOLLIN | EPOLLET, EPOLLIN | EPOLLOUT | EPOLLET,
		       EPOLLIN | EPOLLONESHOT, EPOLLIN | EPOLLEXCLUSIVE,
		       EPOLLIN | EPOLLET | EPOLLEXCLUSIVE,
		       EPOLLOUT | EPOLLEXCLUSIVE, 0, EPOLLET);
	if (one_in(5))
		op->b |= bits_of(more, ARRAY_SIZE(more));
	op->b &= 0xffffffff;
	op->val = op->fd2 << 8 | below(256);
}

static void draw_epoll_wait(struct op *op)
{
	op->fd = any_epoll();
	op->a = one_in(20) ? (int)below(3) - 1 : 1 + (int)below(8);
	op->b = one_in(12);
}

static void draw_aio_read(struct op *op)
{
	draw_read(op);
	op->a = IOCB_CMD_PREAD;
	op->b = ONE_OF(uint32_t, 0, 0, RWF_NOWAIT, RWF_HIPRI, 0x40);
	op->val = below(16);
}

static void draw_aio_readv(struct op *op)
{
	draw_readv(op);
	op->a = IOCB_CMD_PREADV;
	op->val = below(16);
}

static void draw_aio_poll(struct op *op)
{
	static const uint32_t events[] = {
		POLLIN, POLLOUT, POLLIN | POLLOUT, POLLPRI, POLLERR,
	};

	op->fd = any_counter();
	op->a = bits_of(events, ARRAY_SIZE(events));
	op->b = one_in(20);
	op->val = below(16);
}

static void draw_aio_other(struct op *op)
{
	draw_read(op);
	op->a = ONE_OF(int, IOCB_CMD_FSYNC, IOCB_CMD_FDSYNC, 4, IOCB_CMD_NOOP,
		       9);
	op->val = below(16);
}

static void draw_aio_cancel(struct op *op)
{
	op->val = below(16);
}

static void draw_ring_open(struct op *op)
{
	static const uint32_t flags[] = {
		0, 0, IORING_SETUP_COOP_TASKRUN,
		IORING_SETUP_SINGLE_ISSUER | (1U << 13) /* DEFER_TASKRUN */,
	};

	op->a = flags[below(ARRAY_SIZE(flags))];
}

static void draw_ring_read(struct op *op)
{
	draw_read(op);
	op->len &= 0xffffffff;
	op->val = 1 + below(8);
	op->a = one_in(6) ? RWF_NOWAIT : 0;
	op->b = one_in(6) ? IOSQE_ASYNC : 0;
}

static void draw_ring_write(struct op *op)
{
	draw_write(op);
	op->len &= 0xffffffff;
	op->a = one_in(12) ? any_rwf() | any_rwf() : 0;
	/* Those need a ring that polls, and a write that cannot wait. */
	op->a &= ~(RWF_HIPRI | RWF_NOWAIT);
	op->b = one_in(6) ? IOSQE_ASYNC : 0;
}

static void draw_ring_readv(struct op *op)
{
	draw_readv(op);
	op->a = one_in(6) ? RWF_NOWAIT : 0;
	op->b = one_in(6) ? IOSQE_ASYNC : 0;
}

static void draw_ring_writev(struct op *op)
{
	draw_writev(op);
	op->val = 1 + below(5);
	op->a = 0;
	op->b = one_in(6) ? IOSQE_ASYNC : 0;
}

static void draw_ring_poll(struct op *op)
{
	static const uint32_t events[] = {
		POLLIN, POLLOUT, POLLIN | POLLOUT, POLLPRI, POLLERR, EPOLLET,
		EPOLLEXCLUSIVE,
	};

	op->fd = any_counter();
	op->a = bits_of(events, ARRAY_SIZE(events));
	op->b = below(2);
	op->val = 0x100 + below(8);
}

static void draw_ring_linked(struct op *op)
{
	static const int cmds[] = { IORING_OP_READ, IORING_OP_WRITE };

	op->fd = any_counter();
	op->fd2 = one_in(2) ? op->fd : any_counter();
	op->a = cmds[below(ARRAY_SIZE(cmds))];
	op->b = cmds[below(ARRAY_SIZE(cmds))];
	op->buf = MEMORY + 4 * PAGE;
	op->val = any_value();
}

/* A fixed buffer of uring_fixed(). */
static void draw_ring_moved(struct op *op)
{
	op->fd = any_counter();
	op->buf = one_in(2) ? MEMORY + 4 * PAGE + below(WINDOW - 8) :
			      MEMORY + 5 * PAGE - 8 + below(9);
	op->val = any_value();
	op->a = IORING_OP_WRITE_FIXED;
}

static void draw_ring_fixed(struct op *op)
{
	draw_ring_moved(op);
	op->a = one_in(2) ? IORING_OP_READ_FIXED : IORING_OP_WRITE_FIXED;
	/* A write from pages that moved is for the end, see ring_moved. */
	op->b = op->a == IORING_OP_READ_FIXED && one_in(2);
}

static void draw_ring_timed(struct op *op)
{
	op->fd = any_counter();
	op->buf = good_buffer();
}

static void draw_ring_cancel(struct op *op)
{
	op->a = one_in(2) ? IORING_OP_ASYNC_CANCEL : IORING_OP_POLL_REMOVE;
	op->val = one_in(2) ? 1 + below(8) : 0x100 + below(8);
}

static void draw_setfl(struct op *op)
{
	static const uint32_t flags[] = {
		0, 0, O_NONBLOCK, O_NONBLOCK, O_NONBLOCK, O_APPEND, O_ASYNC,
		O_DIRECT, O_NOATIME, O_SYNC, O_RDONLY, O_CLOEXEC,
	};

	op->fd = any_counter();
	op->a = bits_of(flags, ARRAY_SIZE(flags));
}

static void draw_setfd(struct op *op)
{
	op->fd = any_counter();
	op->a = one_in(8) ? (int)rng() : (int)below(2);
}

static void draw_fcntl(struct op *op)
{
	op->fd = any_counter();
	op->a = ONE_OF(int, F_GETSIG, F_SETSIG, F_SETLEASE, F_GETLEASE,
		       F_NOTIFY, F_SETPIPE_SZ, F_GETPIPE_SZ, F_ADD_SEALS,
		       F_GET_SEALS);
	op->b = one_in(2) ? (int)below(40) : 1 << below(20);
	/* Numbers that are none; not those that take a pointer or make fds. */
	if (one_in(6))
		op->a = 100 + below(900);
}

static void draw_owner(struct op *op)
{
	op->fd = any_counter();
	op->a = one_in(2) ? F_SETOWN : F_GETOWN;
	op->b = below(2);
}

/* The inode is shared by both worlds, so nothing that excludes the other. */
static void draw_lock(struct op *op)
{
	op->fd = any_counter();
	op->a = ONE_OF(int, F_GETLK, F_SETLK, F_OFD_GETLK, F_OFD_SETLK);
	op->b = one_in(2) ? F_RDLCK : F_UNLCK;
}

static void draw_flock(struct op *op)
{
	op->fd = any_counter();
	op->a = one_in(2) ? LOCK_SH | LOCK_NB : LOCK_UN;
}

static void draw_ioctl(struct op *op)
{
	op->fd = any_counter();
	op->a = ONE_OF(uint32_t, FIONBIO, FIONBIO, FIOASYNC, FIONREAD, FIOCLEX,
		       FIONCLEX, FIOQSIZE, FIGETBSZ, FIBMAP, FS_IOC_GETFLAGS,
		       0x8004667e, FS_IOC_GETVERSION, TCGETS, 0x4010ef00, 0);
	if (one_in(4))
		op->a = (uint32_t)rng();
	op->b = below(2);
}

static void draw_lseek(struct op *op)
{
	op->fd = any_counter();
	op->a = any_offset();
	op->b = below(6);
}

static void draw_mmap(struct op *op)
{
	op->fd = any_counter();
	op->a = below(8);
	op->b = ONE_OF(int, MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE,
		       MAP_SHARED_VALIDATE | MAP_SYNC);
}

static void draw_reopen(struct op *op)
{
	op->fd = any_counter();
	op->a = ONE_OF(int, O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_NONBLOCK,
		       O_PATH, O_RDWR | O_TRUNC, O_RDWR | O_CREAT, O_DIRECTORY);
}

static void draw_odd_size(struct op *op)
{
	op->fd = any_counter();
	op->a = ONE_OF(int64_t, 0, 1, 8, 4096, -1);
	op->b = below(4);
}

static void draw_splice(struct op *op)
{
	op->fd = any_counter();
	op->a = below(5);
	op->len = any_len();
	op->b = one_in(2) ? 0 : below(16);
}

static void draw_copy(struct op *op)
{
	op->fd = any_counter();
	op->a = below(4);
	op->len = any_len();
}

static void draw_advise(struct op *op)
{
	op->fd = any_counter();
	op->a = below(9);
	op->b = below(8);
}

static void draw_blocked(struct op *op)
{
	op->fd = any_counter();
	op->buf = good_buffer();
	op->val = one_in(3) ? any_value() : 1;
	op->a = below(2);
}

static void draw_fault_read(struct op *op)
{
	op->fd = any_counter();
	op->a = below(6);
	op->n = 1;
	op->iov[0].iov_base = (void *)bad_buffer();
	op->iov[0].iov_len = 8 + below(3) * 4;
	if (one_in(3)) {
		op->n = 2;
		op->iov[1] = op->iov[0];
		op->iov[0].iov_base = (void *)good_buffer();
		op->iov[0].iov_len = below(8);
	}
}

static void draw_aio_write(struct op *op)
{
	draw_write(op);
	op->val = 1 + below(5);
}

static void draw_aio_writev(struct op *op)
{
	draw_writev(op);
	op->val = 1 + below(5);
}

static void draw_aio_resfd(struct op *op)
{
	draw_read(op);
	op->fd2 = any_counter();
}

static void draw_flagged_write(struct op *op)
{
	draw_writev(op);
	op->a = any_offset();
	op->b = any_rwf() | any_rwf();
}

static void draw_long_write(struct op *op)
{
	draw_write(op);
	op->len = 9 + below(64);
}

const struct op_info op_info[NR_OPS] = {
#define OPS_INFO
#include "ops.def"
#undef OPS_INFO
};
