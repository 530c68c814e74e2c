// SPDX-License-Identifier: GPL-2.0-only
#include <sys/uio.h>

#include "inject.h"
#include "inject_io.h"

static long err(long ret)
{
	return ret < 0 ? -errno : ret;
}

/* Four ways with an array of segments. */
static long vector(struct io *io, int nr, int flags, bool write)
{
	struct iovec one = { io->page, 8 };
	struct iovec halves[] = {
		{ &io->page->half[0], 4 }, { &io->page->half[1], 4 },
	};
	struct iovec twice[] = { one, one };
	struct iovec *iov = nr == 1 ? &one : write ? twice : halves;
	long ret;

	inject_begin();
	if (flags)
		ret = write ? pwritev2(io->fd, iov, nr, -1, flags) :
			      preadv2(io->fd, iov, nr, -1, flags);
	else
		ret = write ? writev(io->fd, iov, nr) :
			      readv(io->fd, iov, nr);
	inject_end();

	return err(ret);
}

static long io_read(struct io *io)
{
	long ret;

	inject_begin();
	ret = syscall(SYS_read, io->fd, io->page, 8);
	inject_end();

	return err(ret);
}

static long io_write(struct io *io)
{
	long ret;

	inject_begin();
	ret = syscall(SYS_write, io->fd, io->page, 8);
	inject_end();

	return err(ret);
}

static long io_readv_one(struct io *io)
{
	return vector(io, 1, 0, false);
}

static long io_readv(struct io *io)
{
	return vector(io, 2, 0, false);
}

static long io_preadv2(struct io *io)
{
	return vector(io, 2, RWF_NOWAIT, false);
}

static long io_writev_one(struct io *io)
{
	return vector(io, 1, 0, true);
}

static long io_writev(struct io *io)
{
	return vector(io, 2, 0, true);
}

static long io_pwritev2(struct io *io)
{
	return vector(io, 2, RWF_NOWAIT, true);
}

static long uring(struct io *io, int op, const void *addr, int len)
{
	struct io_uring_cqe cqe;
	int ret;

	ring_add(&io->ring, op, io->fd, addr, len, 1);
	inject_begin();
	ret = ring_submit(&io->ring);
	inject_end();
	if (ret != 1) {
		/* Take it back. */
		*io->ring.sq_tail -= io->ring.pending;
		io->ring.pending = 0;
		return ret ? ret : -EIO;
	}
	ret = ring_wait(&io->ring, &cqe, EVFD_TEST_PATIENCE_MS);

	return ret ? ret : cqe.res;
}

static long uring_read(struct io *io)
{
	return uring(io, IORING_OP_READ, io->page, 8);
}

static long uring_write(struct io *io)
{
	return uring(io, IORING_OP_WRITE, io->page, 8);
}

static long uring_readv(struct io *io)
{
	struct iovec iov[] = {
		{ &io->page->half[0], 4 }, { &io->page->half[1], 4 },
	};

	return uring(io, IORING_OP_READV, iov, 2);
}

static long uring_writev(struct io *io)
{
	struct iovec iov[] = { { io->page, 8 }, { io->page, 8 } };

	return uring(io, IORING_OP_WRITEV, iov, 2);
}

static long aio(struct io *io, int op, const void *buf, int len)
{
	struct iocb iocb = {
		.aio_lio_opcode = op, .aio_fildes = io->fd,
		.aio_buf = (uintptr_t)buf, .aio_nbytes = len,
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

static long aio_read(struct io *io)
{
	return aio(io, IOCB_CMD_PREAD, io->page, 8);
}

static long aio_write(struct io *io)
{
	return aio(io, IOCB_CMD_PWRITE, io->page, 8);
}

static long aio_readv(struct io *io)
{
	struct iovec iov[] = {
		{ &io->page->half[0], 4 }, { &io->page->half[1], 4 },
	};

	return aio(io, IOCB_CMD_PREADV, iov, 2);
}

static long aio_writev(struct io *io)
{
	struct iovec iov[] = { { io->page, 8 }, { io->page, 8 } };

	return aio(io, IOCB_CMD_PWRITEV, iov, 2);
}

const struct io_op io_ops[NR_IO_OPS] = {
	{ "read", io_read, false, 1, 0 },
	{ "readv of one", io_readv_one, false, 1, 0 },
	{ "readv", io_readv, false, 1, 2 },
	{ "preadv2", io_preadv2, false, 1, 2 },
	{ "io_uring READ", uring_read, false, 1, 0 },
	{ "io_uring READV", uring_readv, false, 1, 2 },
	{ "AIO PREAD", aio_read, false, 1, 0 },
	{ "AIO PREADV", aio_readv, false, 1, 2 },
	{ "write", io_write, true, 1, 0 },
	{ "writev of one", io_writev_one, true, 1, 0 },
	{ "writev", io_writev, true, 2, 2 },
	{ "pwritev2", io_pwritev2, true, 2, 2 },
	{ "io_uring WRITE", uring_write, true, 1, 0 },
	{ "io_uring WRITEV", uring_writev, true, 2, 2 },
	{ "AIO PWRITE", aio_write, true, 1, 0 },
	{ "AIO PWRITEV", aio_writev, true, 2, 2 },
};

int io_check(struct io *io, const struct io_op *op, unsigned int flags,
	     long *ret)
{
	const uint64_t n = 0x0000000500000007ULL;
	const uint64_t taken = flags & EVFD_SEMAPHORE ? 1 : 2 * n;
	uint64_t count;

	io->fd = evfd_test_create(flags, op->writes ? 0 : 2 * n);
	if (io->fd < 0)
		return -1;
	io->page->value = n;
	*ret = op->fn(io);
	count = evfd_test_count(io->fd);
	close(io->fd);
	if (op->writes)
		return count == (*ret < 0 ? 0 : *ret / 8 * n) &&
		       (*ret < 0 || *ret == 8 || *ret == 8 * op->segments) ?
		       0 : -1;
	if (*ret < 0)
		return count == 2 * n ? 0 : -1;

	return *ret == 8 && io->page->value == taken &&
	       count == 2 * n - taken ? 0 : -1;
}
