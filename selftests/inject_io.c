// SPDX-License-Identifier: GPL-2.0-only
#include <sys/uio.h>

#include "inject.h"
#include "inject_io.h"

/* The segments of @op: a write of each, or a read into halves. */
static struct iovec *iov_of(struct io *io, const struct io_op *op)
{
	static struct iovec iov[2];
	int i;

	for (i = 0; i < 2; i++) {
		if (op->writes || op->iovs == 1)
			iov[i] = (struct iovec){ io->page, 8 };
		else
			iov[i] = (struct iovec){ &io->page->half[i], 4 };
	}

	return iov;
}

static long plain(struct io *io, const struct io_op *op)
{
	long ret;

	inject_begin();
	ret = syscall(op->code, io->fd, io->page, 8);
	inject_end();

	return sysret(ret);
}

/* The code is the flags; without any, it is the older system call. */
static long vector(struct io *io, const struct io_op *op)
{
	struct iovec *iov = iov_of(io, op);
	long ret;

	inject_begin();
	if (op->code)
		ret = op->writes ? pwritev2(io->fd, iov, op->iovs, -1, op->code) :
				   preadv2(io->fd, iov, op->iovs, -1, op->code);
	else
		ret = op->writes ? writev(io->fd, iov, op->iovs) :
				   readv(io->fd, iov, op->iovs);
	inject_end();

	return sysret(ret);
}

static long uring(struct io *io, const struct io_op *op)
{
	struct io_uring_cqe cqe;
	int ret;

	if (op->iovs)
		ring_add(&io->ring, op->code, io->fd, iov_of(io, op), op->iovs, 1);
	else
		ring_add(&io->ring, op->code, io->fd, io->page, 8, 1);
	inject_begin();
	ret = ring_submit(&io->ring);
	inject_end();
	if (ret != 1) {
		/* Take the request back. */
		*io->ring.sq_tail -= io->ring.pending;
		io->ring.pending = 0;
		return ret ? ret : -EIO;
	}
	ret = ring_wait(&io->ring, &cqe, EVFD_TEST_PATIENCE_MS);

	return ret ? ret : cqe.res;
}

static long aio(struct io *io, const struct io_op *op)
{
	struct iocb iocb = {
		.aio_lio_opcode = op->code, .aio_fildes = io->fd,
		.aio_buf = op->iovs ? (uintptr_t)iov_of(io, op) :
				      (uintptr_t)io->page,
		.aio_nbytes = op->iovs ?: 8,
	};
	struct io_event event;
	int ret;

	inject_begin();
	ret = aio_submit(io->aio, &iocb);
	inject_end();
	if (!ret)
		ret = aio_wait(io->aio, &event, EVFD_TEST_PATIENCE_MS);

	return ret ? ret : (long)event.res;
}

const struct io_op io_ops[NR_IO_OPS] = {
	{ "read", plain, SYS_read, 0, false, 1, 0 },
	{ "readv of one", vector, 0, 1, false, 1, 0 },
	{ "readv", vector, 0, 2, false, 1, 2 },
	{ "preadv2", vector, RWF_NOWAIT, 2, false, 1, 2 },
	{ "io_uring READ", uring, IORING_OP_READ, 0, false, 1, 0 },
	{ "io_uring READV", uring, IORING_OP_READV, 2, false, 1, 2 },
	{ "AIO PREAD", aio, IOCB_CMD_PREAD, 0, false, 1, 0 },
	{ "AIO PREADV", aio, IOCB_CMD_PREADV, 2, false, 1, 2 },
	{ "write", plain, SYS_write, 0, true, 1, 0 },
	{ "writev of one", vector, 0, 1, true, 1, 0 },
	{ "writev", vector, 0, 2, true, 2, 2 },
	{ "pwritev2", vector, RWF_NOWAIT, 2, true, 2, 2 },
	{ "io_uring WRITE", uring, IORING_OP_WRITE, 0, true, 1, 0 },
	{ "io_uring WRITEV", uring, IORING_OP_WRITEV, 2, true, 2, 2 },
	{ "AIO PWRITE", aio, IOCB_CMD_PWRITE, 0, true, 1, 0 },
	{ "AIO PWRITEV", aio, IOCB_CMD_PWRITEV, 2, true, 2, 2 },
};

int io_check(struct io *io, const struct io_op *op, unsigned int flags,
	     long *ret)
{
	const uint64_t n = 0x0000000500000007ULL;
	const uint64_t value = flags & EVFD_SEMAPHORE ? 1 : 2 * n;
	uint64_t count;

	io->fd = evfd_test_create(flags, op->writes ? 0 : 2 * n);
	io->page->value = n;
	*ret = op->fn(io, op);
	count = evfd_test_count(io->fd);
	close(io->fd);
	if (op->writes)
		return count == (*ret < 0 ? 0 : *ret / 8 * n) &&
		       (*ret < 0 || *ret == 8 || *ret == 8 * op->segments) ?
		       0 : -1;
	if (*ret < 0)
		return count == 2 * n ? 0 : -1;

	return *ret == 8 && io->page->value == value &&
	       count == 2 * n - value ? 0 : -1;
}
