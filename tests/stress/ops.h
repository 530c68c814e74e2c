/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operations on counters, and what each enters in the books. Uses world.h
 * and async.h; tasks.c draws and does them, check.c shows their names. Read
 * tasks.h next.
 */
#ifndef STRESS_OPS_H
#define STRESS_OPS_H

#include "world.h"

struct task {
	struct slot *slot;
	uint64_t rng;
	/* NULL in a child. */
	struct async *async;
	bool producer, child;
};

enum op_kind { ADD, TAKE, WAIT, OTHER };

enum way {
	PLAIN, VECTOR, SEGMENTS, NOWAIT, BAD, RING, AIO, A_COPY, BURST,
	POLL, SELECT, EPOLL_LEVEL, EPOLL_EDGE, EPOLL_EXCLUSIVE,
	FDINFO, CLOSE_OTHERS, SEND, RECEIVE, FORK, EXEC, CREATE, TOGGLE,
};

struct op {
	const char *name;
	enum op_kind kind;
	enum way how;
	/* Weights for tasks that mostly write, and that mostly read. */
	int producer, consumer;
	/* A child has no io_uring, and does one thing at a time. */
	bool for_child;
};

#define NR_OPS	30

extern const struct op ops[NR_OPS];

/* For this process, once: bad memory. */
void ops_prepare(void);

/* Does @op, which is neither FORK nor EXEC, on @c. @z is random. */
void op_do(struct task *task, struct counter *c, const struct op *op, uint64_t z);

#endif /* STRESS_OPS_H */
