/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Single requests of io_uring and AIO. Uses ring.h and evfd_test.h; uring_test.c
 * and aio_test.c of selftests/ show how to use it.
 */
#ifndef _EVFD_ASYNC_H
#define _EVFD_ASYNC_H

#include <linux/aio_abi.h>
#include <sys/syscall.h>

#include "evfd_test.h"
#include "ring.h"

/* How many requests a test has in flight at most. */
#define DEPTH	64

/* One request from submission to completion: its result. */
int ring_do(struct ring *ring, int opcode, int fd, const void *addr,
	    unsigned int len);

/* Waits for the next completion. Returns its result, or -ETIME or -errno. */
int ring_result(struct ring *ring);

/* Submits one request. Returns 0 or -errno. */
int aio_submit(aio_context_t ctx, struct iocb *iocb);

/* Waits for one completion, as ring_wait() does. */
int aio_wait(aio_context_t ctx, struct io_event *event, int ms);

/* As ring_result(). */
int aio_result(aio_context_t ctx);

/* One request from submission to completion: its result. */
int aio_do(aio_context_t ctx, int opcode, int fd, const void *buf, uint64_t len);

#endif /* _EVFD_ASYNC_H */
