/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two bench programs share: the things that are compared, system calls
 * without a C library around them, io_uring in its smallest form, and a line of
 * the result.
 *
 * Uses the kernel's headers and the C library, and of evfd only the ABI in
 * uapi/linux/evfd.h. ops.c counts single operations, scale.c measures what
 * happens between tasks; bench/run runs both and says what comes of it.
 */
#ifndef _EVFD_BENCH_H
#define _EVFD_BENCH_H

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <math.h>
#include <poll.h>
#include <semaphore.h>
#include <stdarg.h>
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
#include <time.h>
#include <unistd.h>

#include <linux/evfd.h>

/* What is compared. FLOOR is the same system call on /dev/null or the like. */
enum object_kind { FLOOR, EVFD, EVENTFD, PIPE, FUTEX, NTSYNC, KINDS };

/* Of these kinds an object is a descriptor that read(2) and write(2) take. */
#define IS(kind)	(1U << (kind))
#define FILE_KINDS	(IS(FLOOR) | IS(EVFD) | IS(EVENTFD) | IS(PIPE))
#define COUNTER_KINDS	(IS(EVFD) | IS(EVENTFD))

/*
 * The kinds in turns, from @kind = -1 on; every other round goes backwards, so
 * that none always comes after the same.
 */
static inline bool next_kind(int *kind, int round)
{
	if (*kind < 0)
		*kind = round % 2 ? KINDS - 1 : 0;
	else
		*kind += round % 2 ? -1 : 1;
	return *kind >= 0 && *kind < KINDS;
}

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#endif

static inline void die(const char *format, ...)
{
	int err = errno;
	va_list args;

	va_start(args, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, args);
	fprintf(stderr, " (%s)\n", strerror(err));
	va_end(args);
	exit(1);
}

static inline double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

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
static int evfd_dev, ntsync_dev, bench_dev;

static inline void open_devices(void)
{
	evfd_dev = open("/dev/evfd", O_RDWR | O_CLOEXEC);
	if (evfd_dev < 0)
		die("/dev/evfd");
	ntsync_dev = open("/dev/ntsync", O_RDWR | O_CLOEXEC);
	bench_dev = open("/dev/evfd_bench", O_RDWR | O_CLOEXEC);
}

/* One thing that is measured. Of an fd kind, @rd and @wr; of FUTEX, @sem. */
struct object {
	enum object_kind kind;
	int rd;
	int wr;
	sem_t sem;
};

#define NONBLOCK	1
#define SEMAPHORE	2

static inline int evfd_create(unsigned int flags, uint64_t initval)
{
	struct evfd_create arg = {
		.flags = EVFD_CLOEXEC |
			 (flags & NONBLOCK ? EVFD_NONBLOCK : 0) |
			 (flags & SEMAPHORE ? EVFD_SEMAPHORE : 0),
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
 * Makes an object that can be taken from @count times. Returns false if this
 * kernel or kind has no such thing.
 */
static inline bool object_open(struct object *o, enum object_kind kind,
			       unsigned int flags, unsigned int count)
{
	int nonblock = flags & NONBLOCK ? O_NONBLOCK : 0;
	struct ntsync_sem sem = { .count = count, .max = UINT32_MAX };
	uint64_t one = 1;
	int fds[2];

	o->kind = kind;
	switch (kind) {
	case FLOOR:
		o->rd = open("/dev/null", O_RDWR | O_CLOEXEC | nonblock);
		o->wr = o->rd;
		break;
	case EVFD:
		o->rd = evfd_create(flags, count);
		o->wr = o->rd;
		break;
	case EVENTFD:
		o->rd = eventfd_create(flags, count);
		o->wr = o->rd;
		break;
	case PIPE:
		if (pipe2(fds, O_CLOEXEC | nonblock))
			die("pipe2");
		o->rd = fds[0];
		o->wr = fds[1];
		while (count--)
			if (write(o->wr, &one, sizeof(one)) != sizeof(one))
				die("a pipe has no room");
		break;
	case FUTEX:
		o->rd = -1;
		o->wr = -1;
		return !sem_init(&o->sem, 0, count);
	case NTSYNC:
		if (ntsync_dev < 0)
			return false;
		o->rd = ioctl(ntsync_dev, NTSYNC_CREATE_SEM, &sem);
		o->wr = o->rd;
		break;
	default:
		return false;
	}
	if (o->rd < 0)
		die("cannot make an object of kind %d", kind);
	return true;
}

static inline void object_close(struct object *o)
{
	if (o->rd >= 0)
		close(o->rd);
	if (o->wr >= 0 && o->wr != o->rd)
		close(o->wr);
	o->rd = -1;
	o->wr = -1;
}

/* Adds 1, and takes: what read(2) and write(2) are to each kind. */
static inline long object_post(struct object *o)
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

static inline long object_take(struct object *o)
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

/* ---- io_uring ---- */

struct ring {
	int fd;
	unsigned int *sq_tail;
	unsigned int *sq_mask;
	unsigned int *cq_head;
	unsigned int *cq_tail;
	unsigned int *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

#define RING_SIZE	256

static inline bool ring_open(struct ring *r)
{
	struct io_uring_params p = { 0 };
	unsigned int *array;
	size_t size;
	char *map;
	unsigned int i;

	r->fd = syscall(__NR_io_uring_setup, RING_SIZE, &p);
	if (r->fd < 0)
		return false;
	if (!(p.features & IORING_FEAT_SINGLE_MMAP))
		die("io_uring is too old");
	size = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	if (size < p.sq_off.array + p.sq_entries * sizeof(*array))
		size = p.sq_off.array + p.sq_entries * sizeof(*array);
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		   IORING_OFF_SQ_RING);
	r->sqes = mmap(NULL, p.sq_entries * sizeof(*r->sqes),
		       PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		       IORING_OFF_SQES);
	if (map == MAP_FAILED || (void *)r->sqes == MAP_FAILED)
		die("io_uring's mmap");
	r->sq_tail = (unsigned int *)(map + p.sq_off.tail);
	r->sq_mask = (unsigned int *)(map + p.sq_off.ring_mask);
	r->cq_head = (unsigned int *)(map + p.cq_off.head);
	r->cq_tail = (unsigned int *)(map + p.cq_off.tail);
	r->cq_mask = (unsigned int *)(map + p.cq_off.ring_mask);
	r->cqes = (struct io_uring_cqe *)(map + p.cq_off.cqes);
	array = (unsigned int *)(map + p.sq_off.array);
	for (i = 0; i < p.sq_entries; i++)
		array[i] = i;
	return true;
}

/*
 * Does @n times the same read or write of 8 bytes in one go. Returns how many
 * did not return @want.
 */
static inline unsigned int ring_do(struct ring *r, int opcode, int fd,
				   void *buf, unsigned int n, int want)
{
	unsigned int tail = *r->sq_tail, head = *r->cq_head;
	unsigned int bad = 0, i;
	struct io_uring_sqe *sqe;

	for (i = 0; i < n; i++) {
		sqe = &r->sqes[tail++ & *r->sq_mask];
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
		bad += r->cqes[head++ & *r->cq_mask].res != want;
	}
	__atomic_store_n(r->cq_head, head, __ATOMIC_RELEASE);
	return bad;
}

/* ---- results ---- */

#define MAX_ROUNDS	64

/* The values of each kind, one a round; @n of a kind that has none is 0. */
struct samples {
	double v[KINDS][MAX_ROUNDS];
	int n[KINDS];
};

static inline void add_sample(struct samples *s, enum object_kind kind, double value)
{
	s->v[kind][s->n[kind]++] = value;
}

static inline int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The quantile @q of a kind's values, 0 for the least and 0.5 for the median. */
static inline double quantile(struct samples *s, enum object_kind kind, double q)
{
	int n = s->n[kind];

	if (!n)
		return NAN;
	qsort(s->v[kind], n, sizeof(s->v[kind][0]), compare_doubles);
	return s->v[kind][(int)(q * (n - 1))];
}

static inline void print_field(double value)
{
	if (isnan(value) || isinf(value))
		printf("\t-");
	else
		printf("\t%.*f", fabs(value) < 10 ? 3 : 1, value);
}

/*
 * A line of the result, see the columns in bench/run. @q: the quantile that
 * stands for each kind's values and, but for the least, for the rounds' ratios.
 * The spread is half of the distance between the quartiles of those, in per
 * cent.
 */
static inline void print_row(const char *name, const char *unit,
			     struct samples *s, double q, const char *what)
{
	int kind, n = s->n[EVFD], i;
	double v[KINDS], ratio, spread;
	static struct samples r;

	/* What one round measured belongs together, so before the sorting. */
	memset(&r, 0, sizeof(r));
	for (i = 0; i < n && i < s->n[EVENTFD]; i++)
		add_sample(&r, EVFD, s->v[EVFD][i] / s->v[EVENTFD][i]);
	spread = quantile(&r, EVFD, 0.75) - quantile(&r, EVFD, 0.25);
	spread *= 50 / quantile(&r, EVFD, 0.5);

	for (kind = 0; kind < KINDS; kind++)
		v[kind] = quantile(s, kind, q);
	ratio = q ? quantile(&r, EVFD, q) : v[EVFD] / v[EVENTFD];
	printf("%s\t%s", name, unit);
	print_field(v[FLOOR]);
	print_field(v[EVFD]);
	print_field(v[EVENTFD]);
	print_field(ratio);
	print_field(spread);
	print_field((v[EVFD] - v[FLOOR]) / (v[EVENTFD] - v[FLOOR]));
	print_field(v[PIPE]);
	print_field(v[FUTEX]);
	print_field(v[NTSYNC]);
	printf("\t%s\n", what);
	fflush(stdout);
}

#endif /* _EVFD_BENCH_H */
