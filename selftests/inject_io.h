/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each way to read and to write a counter, for inject_test.c. Uses inject.h and
 * tests/lib.
 */
#ifndef _INJECT_IO_H
#define _INJECT_IO_H

#include "evfd_async.h"

/* A counter, its buffer and the ways to both. */
struct io {
	int fd;
	/* The buffer of reads and writes. */
	union {
		uint64_t value;
		uint32_t half[2];
	} *page;
	struct ring ring;
	aio_context_t aio;
};

struct io_op {
	const char *name;
	long (*fn)(struct io *io, const struct io_op *op);
	/* For @fn: the system call, flags or opcode, and 0 for no vector. */
	int code, iovs;
	bool writes;
	/* How many times 8 bytes it moves. */
	int segments;
	/* How many of its copies fault injection can fail. */
	int copies;
};

#define NR_IO_OPS	16

extern const struct io_op io_ops[NR_IO_OPS];

/*
 * Does @op once. Returns 0 if the counter is what it must be after what the
 * operation returned, else -1.
 */
int io_check(struct io *io, const struct io_op *op, unsigned int flags,
	     long *ret);

#endif /* _INJECT_IO_H */
