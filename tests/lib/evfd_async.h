/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * io_uring and AIO by their system calls, as much of them as the tests need.
 * Uses evfd_test.h; aio_uring_test.c shows all of it.
 */
#ifndef _EVFD_ASYNC_H
#define _EVFD_ASYNC_H

#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "evfd_test.h"

/* How many requests a ring or an AIO context takes in these tests. */
#define DEPTH	64

/* An instance with its two queues mapped; enough of one for these tests. */
struct ring {
	int fd;
	unsigned int *sq_head, *sq_tail, sq_mask;
	unsigned int *cq_head, *cq_tail, cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	unsigned int pending;
};

/* Returns 0 or -errno. */
static inline int ring_open(struct ring *ring)
{
	struct io_uring_params p = { };
	unsigned int *array, i;
	size_t size, cq_size;
	char *map;

	ring->fd = syscall(SYS_io_uring_setup, DEPTH, &p);
	if (ring->fd < 0)
		return -errno;

	/* One mapping has both queues, since 5.4. */
	size = p.sq_off.array + p.sq_entries * sizeof(*array);
	cq_size = p.cq_off.cqes + p.cq_entries * sizeof(*ring->cqes);
	if (cq_size > size)
		size = cq_size;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_POPULATE, ring->fd, IORING_OFF_SQ_RING);
	ring->sqes = mmap(NULL, p.sq_entries * sizeof(*ring->sqes),
			  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			  ring->fd, IORING_OFF_SQES);
	if (map == MAP_FAILED || ring->sqes == MAP_FAILED)
		return -errno;

	ring->sq_head = (void *)(map + p.sq_off.head);
	ring->sq_tail = (void *)(map + p.sq_off.tail);
	ring->sq_mask = p.sq_entries - 1;
	ring->cq_head = (void *)(map + p.cq_off.head);
	ring->cq_tail = (void *)(map + p.cq_off.tail);
	ring->cq_mask = p.cq_entries - 1;
	ring->cqes = (void *)(map + p.cq_off.cqes);
	array = (void *)(map + p.sq_off.array);
	for (i = 0; i < p.sq_entries; i++)
		array[i] = i;

	return 0;
}

/* Queues a request; @ring's owner does not queue more than DEPTH at once. */
static inline struct io_uring_sqe *ring_add(struct ring *ring, int op, int fd,
					    const void *addr, unsigned int len,
					    uint64_t id)
{
	unsigned int tail = *ring->sq_tail;
	struct io_uring_sqe *sqe = &ring->sqes[tail & ring->sq_mask];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = op;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)addr;
	sqe->len = len;
	sqe->user_data = id;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	ring->pending++;

	return sqe;
}

/* Submits what is queued. Returns how many were taken, or -errno. */
static inline int ring_submit(struct ring *ring)
{
	int ret = syscall(SYS_io_uring_enter, ring->fd, ring->pending, 0, 0,
			  NULL, 0);

	if (ret < 0)
		return -errno;
	ring->pending -= ret;
	return ret;
}

/*
 * Takes one completion, waiting at most @ms for it. Returns 0, -ETIME or
 * -errno.
 */
static inline int ring_wait(struct ring *ring, struct io_uring_cqe *cqe,
			    int ms)
{
	struct __kernel_timespec ts = { ms / 1000, ms % 1000 * 1000000L };
	struct io_uring_getevents_arg arg = { .ts = (uintptr_t)&ts };
	unsigned int head = *ring->cq_head;

	/* Even if one is there: this is what runs the ring's deferred work. */
	if (syscall(SYS_io_uring_enter, ring->fd, 0, ms ? 1 : 0,
		    IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg,
		    sizeof(arg)) < 0 && errno != ETIME)
		return -errno;
	if (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE))
		return -ETIME;
	*cqe = ring->cqes[head & ring->cq_mask];
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);

	return 0;
}

/* One request from submission to completion: its result. */
static inline int ring_do(struct ring *ring, int op, int fd, const void *addr,
			  unsigned int len)
{
	struct io_uring_cqe cqe;
	int ret;

	ring_add(ring, op, fd, addr, len, 1);
	ret = ring_submit(ring);
	if (ret != 1)
		return ret < 0 ? ret : -EIO;
	ret = ring_wait(ring, &cqe, EVFD_TEST_PATIENCE_MS);

	return ret ? ret : cqe.res;
}

/* Submits one request. Returns 0 or -errno. */
static inline int aio_submit(aio_context_t ctx, struct iocb *iocb)
{
	long ret = syscall(SYS_io_submit, ctx, 1, &iocb);

	return ret < 0 ? -errno : ret == 1 ? 0 : -EIO;
}

/* Waits for one completion; as ring_wait(). */
static inline int aio_wait(aio_context_t ctx, struct io_event *event,
			   int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };
	long ret = syscall(SYS_io_getevents, ctx, 1, 1, event, &ts);

	return ret < 0 ? -errno : ret ? 0 : -ETIME;
}

/* One request from submission to completion: its result. */
static inline int aio_do(aio_context_t ctx, int op, int fd, const void *buf,
			 uint64_t len)
{
	struct iocb iocb = {
		.aio_lio_opcode = op, .aio_fildes = fd,
		.aio_buf = (uintptr_t)buf, .aio_nbytes = len,
	};
	struct io_event event;
	int ret = aio_submit(ctx, &iocb);

	if (!ret)
		ret = aio_wait(ctx, &event, EVFD_TEST_PATIENCE_MS);

	return ret ? ret : event.res;
}

#endif /* _EVFD_ASYNC_H */
