// SPDX-License-Identifier: GPL-2.0-only
/*
 * One operation at a time through io_uring or AIO, waited for to its end
 * whatever signals come. Each thread has its own struct async; uses nothing but
 * the system calls. Returns what the operation did, -errno for an error;
 * -ENOSYS where the kernel has or allows neither.
 */
#include <errno.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stress.h"

struct async {
	int ring;
	unsigned int *sq_tail, *sq_mask, *sq_array;
	unsigned int *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	void *rings;
	size_t rings_size, sqes_size;
	aio_context_t aio;
};

static void ring_open(struct async *a)
{
	struct io_uring_params p = { };
	size_t sq, cq;
	char *map;

	a->ring = syscall(SYS_io_uring_setup, 2, &p);
	if (a->ring < 0)
		return;
	sq = p.sq_off.array + p.sq_entries * sizeof(unsigned int);
	cq = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	/* One mapping has both, since 5.4. */
	a->rings_size = sq > cq ? sq : cq;
	a->sqes_size = p.sq_entries * sizeof(struct io_uring_sqe);
	map = mmap(NULL, a->rings_size, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_POPULATE, a->ring, IORING_OFF_SQ_RING);
	a->sqes = mmap(NULL, a->sqes_size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, a->ring, IORING_OFF_SQES);
	if (map == MAP_FAILED || a->sqes == MAP_FAILED) {
		close(a->ring);
		a->ring = -1;
		return;
	}
	a->rings = map;
	a->sq_tail = (void *)(map + p.sq_off.tail);
	a->sq_mask = (void *)(map + p.sq_off.ring_mask);
	a->sq_array = (void *)(map + p.sq_off.array);
	a->cq_head = (void *)(map + p.cq_off.head);
	a->cq_tail = (void *)(map + p.cq_off.tail);
	a->cq_mask = (void *)(map + p.cq_off.ring_mask);
	a->cqes = (void *)(map + p.cq_off.cqes);
}

struct async *async_open(void)
{
	struct async *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	ring_open(a);
	if (syscall(SYS_io_setup, 2, &a->aio))
		a->aio = 0;

	return a;
}

void async_close(struct async *a)
{
	if (!a)
		return;
	if (a->ring >= 0) {
		munmap(a->rings, a->rings_size);
		munmap(a->sqes, a->sqes_size);
		close(a->ring);
	}
	if (a->aio)
		syscall(SYS_io_destroy, a->aio);
	free(a);
}

static ssize_t ring_do(struct async *a, const struct io_uring_sqe *sqe)
{
	unsigned int tail, head, submit = 1;
	ssize_t ret;

	if (a->ring < 0)
		return -ENOSYS;

	tail = *a->sq_tail;
	a->sqes[tail & *a->sq_mask] = *sqe;
	a->sq_array[tail & *a->sq_mask] = tail & *a->sq_mask;
	__atomic_store_n(a->sq_tail, tail + 1, __ATOMIC_RELEASE);

	head = *a->cq_head;
	while (submit ||
	       head == __atomic_load_n(a->cq_tail, __ATOMIC_ACQUIRE)) {
		ret = syscall(SYS_io_uring_enter, a->ring, submit, 1,
			      IORING_ENTER_GETEVENTS, NULL, 0);
		if (ret > 0)
			submit = 0;
		else if (ret < 0 && errno != EINTR && errno != EAGAIN &&
			 errno != EBUSY)
			return -errno;
	}
	ret = a->cqes[head & *a->cq_mask].res;
	__atomic_store_n(a->cq_head, head + 1, __ATOMIC_RELEASE);

	return ret;
}

ssize_t ring_rw(struct async *a, int fd, bool write, void *buf)
{
	struct io_uring_sqe sqe = {
		.opcode = write ? IORING_OP_WRITE : IORING_OP_READ,
		.fd = fd, .addr = (uintptr_t)buf, .len = 8,
	};

	return ring_do(a, &sqe);
}

ssize_t ring_poll(struct async *a, int fd, unsigned int events)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_POLL_ADD, .fd = fd, .poll32_events = events,
	};

	return ring_do(a, &sqe);
}

static ssize_t aio_do(struct async *a, struct iocb *iocb)
{
	struct iocb *list[] = { iocb };
	struct io_event event;
	int ret;

	if (!a->aio)
		return -ENOSYS;

	/* This blocks where a read or a write would. */
	do {
		ret = syscall(SYS_io_submit, a->aio, 1, list);
	} while (ret < 0 && (errno == EAGAIN || errno == EINTR));
	if (ret < 0)
		return -errno;
	do {
		ret = syscall(SYS_io_getevents, a->aio, 1, 1, &event, NULL);
	} while (ret == 0 || (ret < 0 && errno == EINTR));

	return ret < 0 ? -errno : event.res;
}

ssize_t aio_rw(struct async *a, int fd, bool write, void *buf)
{
	struct iocb iocb = {
		.aio_lio_opcode = write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
		.aio_fildes = fd, .aio_buf = (uintptr_t)buf, .aio_nbytes = 8,
	};

	return aio_do(a, &iocb);
}

ssize_t aio_poll(struct async *a, int fd, unsigned int events)
{
	struct iocb iocb = {
		.aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = fd,
		.aio_buf = events,
	};

	return aio_do(a, &iocb);
}
