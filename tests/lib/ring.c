// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/time_types.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ring.h"

static void *ring_map(const struct ring *ring, size_t size, off_t what)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, ring->fd, what);
}

int ring_open(struct ring *ring, unsigned int entries, unsigned int flags)
{
	struct io_uring_params p = { .flags = flags };
	size_t sq, cq;
	unsigned int *array, i;
	char *map;

	memset(ring, 0, sizeof(*ring));
	ring->fd = syscall(SYS_io_uring_setup, entries, &p);
	if (ring->fd < 0)
		return -errno;

	/* One mapping has both queues, since 5.4. */
	sq = p.sq_off.array + p.sq_entries * sizeof(*array);
	cq = p.cq_off.cqes + p.cq_entries * sizeof(*ring->cqes);
	ring->queues_size = sq > cq ? sq : cq;
	ring->sqes_size = p.sq_entries * sizeof(*ring->sqes);
	map = ring_map(ring, ring->queues_size, IORING_OFF_SQ_RING);
	ring->sqes = ring_map(ring, ring->sqes_size, IORING_OFF_SQES);
	if (map == MAP_FAILED || (void *)ring->sqes == MAP_FAILED) {
		close(ring->fd);
		return -ENOMEM;
	}

	ring->queues = map;
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

void ring_close(struct ring *ring)
{
	munmap(ring->queues, ring->queues_size);
	munmap(ring->sqes, ring->sqes_size);
	close(ring->fd);
}

struct io_uring_sqe *ring_add(struct ring *ring, int opcode, int fd,
			      const void *addr, unsigned int len, uint64_t id)
{
	unsigned int tail = *ring->sq_tail;
	struct io_uring_sqe *sqe = &ring->sqes[tail & ring->sq_mask];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = opcode;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)addr;
	sqe->len = len;
	sqe->user_data = id;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	ring->pending++;

	return sqe;
}

int ring_submit(struct ring *ring)
{
	int ret = syscall(SYS_io_uring_enter, ring->fd, ring->pending, 0, 0,
			  NULL, 0);

	if (ret < 0)
		return -errno;
	ring->pending -= ret;
	return ret;
}

unsigned int ring_ready(const struct ring *ring)
{
	return __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) - *ring->cq_head;
}

struct io_uring_cqe *ring_peek(const struct ring *ring, unsigned int i)
{
	return &ring->cqes[(*ring->cq_head + i) & ring->cq_mask];
}

void ring_take(struct ring *ring, unsigned int n)
{
	__atomic_store_n(ring->cq_head, *ring->cq_head + n, __ATOMIC_RELEASE);
}

int ring_wait(struct ring *ring, struct io_uring_cqe *cqe, int ms)
{
	struct __kernel_timespec ts = { ms / 1000, ms % 1000 * 1000000L };
	struct io_uring_getevents_arg arg = { .ts = (uintptr_t)&ts };
	unsigned int flags = IORING_ENTER_GETEVENTS;

	if (ms >= 0)
		flags |= IORING_ENTER_EXT_ARG;
	/* Even if one is there: this is what runs the ring's deferred work. */
	if (syscall(SYS_io_uring_enter, ring->fd, 0, ms ? 1 : 0, flags,
		    ms >= 0 ? &arg : NULL, ms >= 0 ? sizeof(arg) : 0) < 0 &&
	    errno != ETIME)
		return -errno;
	if (!ring_ready(ring))
		return -ETIME;
	*cqe = *ring_peek(ring, 0);
	ring_take(ring, 1);

	return 0;
}
