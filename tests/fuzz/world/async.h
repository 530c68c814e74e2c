/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operations of io_uring and AIO. Uses base.h, and ring.h of tests/lib.
 *
 * One ring at a time, in which at most one request waits. Each call waits for the
 * completions that are due, so that they do not race with the next operation.
 */
#ifndef FUZZ_WORLD_ASYNC_H
#define FUZZ_WORLD_ASYNC_H

#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <stdint.h>

long uring_open(unsigned int flags);

/* Whether a request waits for what others do to a counter. */
int uring_waits(void);

/*
 * One request. IORING_OP_READ, WRITE, READV and WRITEV; @val is what a write
 * adds. It waits for what completes at once, and leaves at most one waiting.
 */
long uring_rw(int opcode, int fd, const void *addr, unsigned int len,
	      uint64_t val, int rw_flags, unsigned int sqe_flags, uint64_t id);

/* Two, the second only if the first succeeds; always as many completions. */
long uring_linked(int first, int second, int fd, int fd2, char *buf,
		  uint64_t val);

/*
 * IORING_OP_READ_FIXED or WRITE_FIXED of a counter, in registered pages. With
 * @moved, others are at the address by then, with @val + 1 at @buf.
 */
long uring_fixed(int opcode, int fd, char *buf, uint64_t val, int moved);

/* A read of an empty counter, with a time limit. */
long uring_timed_read(int fd, char *buf);
long uring_poll(int fd, unsigned int events, int multishot, uint64_t id);
long uring_cancel(int opcode, uint64_t id);
long uring_register_eventfd(int fd);

long aio_call(int opcode, int fd, const void *buf, uint64_t len, int rw_flags,
	      int resfd, unsigned int slot);
long aio_cancel(unsigned int slot);

/* Collects completions. */
void async_settle(void);

#endif /* FUZZ_WORLD_ASYNC_H */
