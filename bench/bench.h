/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the two bench programs: the objects that are compared, system calls
 * without the C library, and a line of the result. All code that is measured is
 * inline.
 *
 * Uses evfd's ABI in uapi/linux/evfd.h and ring.h of tests/lib. ops.c counts
 * single operations, scale.c measures several tasks; bench/run runs both and
 * writes the result.
 */
#ifndef _EVFD_BENCH_H
#define _EVFD_BENCH_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/evfd.h>

#include "ring.h"

/* What is compared. BASELINE: the same system call on /dev/null or the like. */
enum object_kind { BASELINE, EVFD, EVENTFD, PIPE, FUTEX, NTSYNC, KINDS };

/* Kinds that are descriptors for read(2) and write(2). */
#define IS(kind)	(1U << (kind))
#define FILE_KINDS	(IS(BASELINE) | IS(EVFD) | IS(EVENTFD) | IS(PIPE))
#define COUNTER_KINDS	(IS(EVFD) | IS(EVENTFD))

/*
 * Steps through the kinds, beginning with @kind = -1. Every other round goes
 * backwards, so that no kind always follows the same one.
 */
bool next_kind(int *kind, int round);

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#endif

void die(const char *format, ...);
double now_ns(void);

/* A system call and nothing else: no cancellation point, no errno. */
static inline long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 asm("r10") = d;
	register long r8 asm("r8") = e;
	register long r9 asm("r9") = f;
	long ret;

	asm volatile("syscall"
		     : "=a"(ret)
		     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
		       "r"(r9)
		     : "rcx", "r11", "memory");
	return ret;
}

static inline long sys3(long nr, long a, long b, long c)
{
	return sys6(nr, a, b, c, 0, 0, 0);
}

static inline long sys_read(int fd, void *buf, size_t len)
{
	return sys3(__NR_read, fd, (long)buf, len);
}

static inline long sys_write(int fd, const void *buf, size_t len)
{
	return sys3(__NR_write, fd, (long)buf, len);
}

/* ntsync's ABI (Linux 6.14), for the headers of older systems. */
struct ntsync_sem {
	uint32_t count;
	uint32_t max;
};

struct ntsync_wait {
	uint64_t timeout;
	uint64_t objs;
	uint32_t count;
	uint32_t index;
	uint32_t flags;
	uint32_t owner;
	uint32_t alert;
	uint32_t pad;
};

#define NTSYNC_CREATE_SEM	_IOW('N', 0x80, struct ntsync_sem)
#define NTSYNC_RELEASE		_IOWR('N', 0x81, uint32_t)
#define NTSYNC_WAIT_ANY		_IOWR('N', 0x82, struct ntsync_wait)

/* /dev/evfd, /dev/ntsync or -1, /dev/evfd_bench of module/ or -1. */
extern int evfd_dev, ntsync_dev, bench_dev;
void open_devices(void);

/* An object that is measured. FUTEX uses @sem, all others @rd and @wr. */
struct object {
	enum object_kind kind;
	int rd;
	int wr;
	sem_t sem;
};

#define NONBLOCK	1
#define SEMAPHORE	2
#define SHARED		4	/* of evfd alone: used in its page */

static inline int evfd_create(unsigned int flags, uint64_t initval)
{
	struct evfd_create arg = {
		.flags = EVFD_CLOEXEC |
			 (flags & NONBLOCK ? EVFD_NONBLOCK : 0) |
			 (flags & SEMAPHORE ? EVFD_SEMAPHORE : 0) |
			 (flags & SHARED ? EVFD_SHARED : 0),
		.initval = initval,
	};

	return sys3(__NR_ioctl, evfd_dev, EVFD_IOC_CREATE, (long)&arg);
}

static inline int eventfd_create(unsigned int flags, unsigned int initval)
{
	int fl = EFD_CLOEXEC | (flags & NONBLOCK ? EFD_NONBLOCK : 0) |
		 (flags & SEMAPHORE ? EFD_SEMAPHORE : 0);

	return sys3(__NR_eventfd2, initval, fl, 0);
}

/*
 * Makes an object with a count of @count. Returns false if this kernel or kind
 * has none.
 */
bool object_open(struct object *o, enum object_kind kind, unsigned int flags,
		 unsigned int count);
void object_close(struct object *o);

/* A write of 1 and a read, or their counterparts of this kind. */
static inline long object_write(struct object *o)
{
	static const uint64_t one = 1;
	uint32_t count = 1;

	if (o->kind == FUTEX)
		return sem_post(&o->sem) ? -errno : 8;
	if (o->kind == NTSYNC)
		return sys3(__NR_ioctl, o->wr, NTSYNC_RELEASE,
			    (long)&count) ?: 8;
	return sys_write(o->wr, &one, sizeof(one));
}

static inline long object_read(struct object *o)
{
	struct ntsync_wait args = {
		.timeout = UINT64_MAX,
		.count = 1,
		.owner = 1,
	};
	uint64_t value;

	if (o->kind == FUTEX)
		return sem_wait(&o->sem) ? -errno : 8;
	if (o->kind == NTSYNC) {
		args.objs = (uintptr_t)&o->rd;
		return sys3(__NR_ioctl, ntsync_dev, NTSYNC_WAIT_ANY,
			    (long)&args) ?: 8;
	}
	return sys_read(o->rd, &value, sizeof(value));
}

#define RING_SIZE	256

/*
 * Submits the same read or write of 8 bytes @n times in one system call. Returns
 * how many did not return @want.
 */
static inline unsigned int ring_batch(struct ring *r, int opcode, int fd,
				      void *buf, unsigned int n, int want)
{
	unsigned int tail = *r->sq_tail, head = *r->cq_head;
	unsigned int bad = 0, i;
	struct io_uring_sqe *sqe;

	for (i = 0; i < n; i++) {
		sqe = &r->sqes[tail++ & r->sq_mask];
		memset(sqe, 0, sizeof(*sqe));
		sqe->opcode = opcode;
		sqe->fd = fd;
		sqe->addr = (uintptr_t)buf;
		sqe->len = 8;
	}
	__atomic_store_n(r->sq_tail, tail, __ATOMIC_RELEASE);
	if (sys6(__NR_io_uring_enter, r->fd, n, n, IORING_ENTER_GETEVENTS, 0,
		 0) != n)
		return n;
	for (i = 0; i < n; i++) {
		if (head == __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE))
			return n;
		bad += r->cqes[head++ & r->cq_mask].res != want;
	}
	__atomic_store_n(r->cq_head, head, __ATOMIC_RELEASE);
	return bad;
}

/* ---- results ---- */

#define MAX_ROUNDS	64

/* The values of each kind, one a round; @n is 0 for a kind without values. */
struct samples {
	double v[KINDS][MAX_ROUNDS];
	int n[KINDS];
};

void add_sample(struct samples *s, enum object_kind kind, double value);

/*
 * Prints a line of the result; bench/run has the columns. @q: the quantile of
 * each kind's values that is printed. The ratio is the same quantile of the
 * rounds' ratios, but for @q = 0 the ratio of the two values. The spread is half
 * the distance between the quartiles of the rounds' ratios, in per cent.
 */
void print_row(const char *name, const char *unit, struct samples *s, double q,
	       const char *what);

#endif /* _EVFD_BENCH_H */
