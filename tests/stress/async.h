/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One operation at a time through io_uring or AIO, waited for in spite of signals.
 * Each thread has its own struct async. Uses tests/lib alone; ops.c uses it.
 *
 * These return what the operation did, -errno for an error; -ENOSYS where the
 * kernel has or allows neither.
 */
#ifndef STRESS_ASYNC_H
#define STRESS_ASYNC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct async;

struct async *async_open(void);
void async_close(struct async *async);
ssize_t async_ring_rw(struct async *async, int fd, bool write, void *buf);
ssize_t async_ring_poll(struct async *async, int fd, unsigned int events);
ssize_t async_aio_rw(struct async *async, int fd, bool write, void *buf);
ssize_t async_aio_poll(struct async *async, int fd, unsigned int events);

#endif /* STRESS_ASYNC_H */
