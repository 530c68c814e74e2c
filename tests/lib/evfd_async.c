// SPDX-License-Identifier: GPL-2.0-only
#include "evfd_async.h"

int ring_do(struct ring *ring, int opcode, int fd, const void *addr,
	    unsigned int len)
{
	int ret;

	ring_add(ring, opcode, fd, addr, len, 1);
	ret = ring_submit(ring);
	if (ret != 1)
		return ret < 0 ? ret : -EIO;

	return ring_result(ring);
}

int ring_result(struct ring *ring)
{
	struct io_uring_cqe cqe;
	int ret = ring_wait(ring, &cqe, EVFD_TEST_PATIENCE_MS);

	return ret ? ret : cqe.res;
}

int aio_submit(aio_context_t ctx, struct iocb *iocb)
{
	long ret = syscall(SYS_io_submit, ctx, 1, &iocb);

	return ret < 0 ? -errno : ret == 1 ? 0 : -EIO;
}

int aio_wait(aio_context_t ctx, struct io_event *event, int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };
	long ret = syscall(SYS_io_getevents, ctx, 1, 1, event,
			   ms < 0 ? NULL : &ts);

	return ret < 0 ? -errno : ret ? 0 : -ETIME;
}

int aio_result(aio_context_t ctx)
{
	struct io_event event;
	int ret = aio_wait(ctx, &event, EVFD_TEST_PATIENCE_MS);

	return ret ? ret : event.res;
}

int aio_do(aio_context_t ctx, int opcode, int fd, const void *buf, uint64_t len)
{
	struct iocb iocb = {
		.aio_lio_opcode = opcode, .aio_fildes = fd,
		.aio_buf = (uintptr_t)buf, .aio_nbytes = len,
	};
	int ret = aio_submit(ctx, &iocb);

	return ret ? ret : aio_result(ctx);
}
