/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * io_uring by its system calls, as far as the tests need it.
 *
 * Uses nothing else of the tree: tests/fuzz copies it into the programs that it
 * prints. Read evfd_async.h next.
 */
#ifndef _TESTS_RING_H
#define _TESTS_RING_H

#include <linux/io_uring.h>
#include <stddef.h>
#include <stdint.h>

/* An instance with its queues mapped. */
struct ring {
	int fd;
	/* Requests that were added and not submitted. */
	unsigned int pending;
	unsigned int *sq_tail, sq_mask;
	unsigned int *cq_head, *cq_tail, cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	void *queues;
	size_t queues_size, sqes_size;
};

/* Returns 0 or -errno. @flags: IORING_SETUP_* */
int ring_open(struct ring *ring, unsigned int entries, unsigned int flags);
void ring_close(struct ring *ring);

/* Adds a request, of at most as many at once as the ring has entries. */
struct io_uring_sqe *ring_add(struct ring *ring, int opcode, int fd,
			      const void *addr, unsigned int len, uint64_t id);

/* Submits the requests that were added. Returns how many, or -errno. */
int ring_submit(struct ring *ring);

/* How many completions are ready. */
unsigned int ring_ready(const struct ring *ring);

/* The @i-th ready completion. */
struct io_uring_cqe *ring_peek(const struct ring *ring, unsigned int i);

/* Removes @n completions. */
void ring_take(struct ring *ring, unsigned int n);

/*
 * Waits for one completion and removes it; at most @ms, or for ever if that is
 * negative. Returns 0, -ETIME or -errno.
 */
int ring_wait(struct ring *ring, struct io_uring_cqe *cqe, int ms);

#endif /* _TESTS_RING_H */
