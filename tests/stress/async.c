// SPDX-License-Identifier: GPL-2.0-only
#include "async.h"
#include "evfd_async.h"

struct async {
	bool has_ring;
	struct ring ring;
	aio_context_t aio;
};

struct async *async_open(void)
{
	struct async *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->has_ring = !ring_open(&a->ring, 2, 0);
	if (syscall(SYS_io_setup, 2, &a->aio))
		a->aio = 0;

	return a;
}

void async_close(struct async *a)
{
	if (!a)
		return;
	if (a->has_ring)
		ring_close(&a->ring);
	if (a->aio)
		syscall(SYS_io_destroy, a->aio);
	free(a);
}

static bool again(int ret)
{
	return ret == -EINTR || ret == -EAGAIN || ret == -EBUSY;
}

/* What was added to the ring, to its end. */
static ssize_t ring_finish(struct ring *ring)
{
	struct io_uring_cqe cqe;
	int ret;

	do {
		ret = ring_submit(ring);
	} while (again(ret));
	if (ret < 0)
		return ret;
	do {
		ret = ring_wait(ring, &cqe, -1);
	} while (again(ret) || ret == -ETIME);

	return ret ? ret : cqe.res;
}

ssize_t async_ring_rw(struct async *a, int fd, bool write, void *buf)
{
	if (!a->has_ring)
		return -ENOSYS;
	ring_add(&a->ring, write ? IORING_OP_WRITE : IORING_OP_READ, fd, buf, 8,
		 0);

	return ring_finish(&a->ring);
}

ssize_t async_ring_poll(struct async *a, int fd, unsigned int events)
{
	if (!a->has_ring)
		return -ENOSYS;
	ring_add(&a->ring, IORING_OP_POLL_ADD, fd, NULL, 0,
		 0)->poll32_events = events;

	return ring_finish(&a->ring);
}

static ssize_t aio_finish(struct async *a, int opcode, int fd, uint64_t buf,
			  uint64_t len)
{
	struct iocb iocb = {
		.aio_lio_opcode = opcode, .aio_fildes = fd,
		.aio_buf = buf, .aio_nbytes = len,
	};
	struct io_event event;
	int ret;

	if (!a->aio)
		return -ENOSYS;

	/* This blocks where a read or a write would. */
	do {
		ret = aio_submit(a->aio, &iocb);
	} while (again(ret));
	if (ret)
		return ret;
	do {
		ret = aio_wait(a->aio, &event, -1);
	} while (ret == -EINTR || ret == -ETIME);

	return ret ? ret : event.res;
}

ssize_t async_aio_rw(struct async *a, int fd, bool write, void *buf)
{
	return aio_finish(a, write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD, fd,
			  (uintptr_t)buf, 8);
}

ssize_t async_aio_poll(struct async *a, int fd, unsigned int events)
{
	return aio_finish(a, IOCB_CMD_POLL, fd, events, 0);
}
