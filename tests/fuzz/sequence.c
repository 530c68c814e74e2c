// SPDX-License-Identifier: GPL-2.0-only
/* Random sequences: which operations meet. */
#include <string.h>
#include <sys/epoll.h>

#include "ops.h"
#include "world/base.h"

static bool chosen[NR_CLASSES];

static void draw_op(struct op *op)
{
	unsigned int total = 0, at;
	int kind;

	for (kind = 0; kind < NR_OPS; kind++) {
		if (chosen[op_info[kind].class])
			total += op_info[kind].weight;
	}
	at = below(total);
	for (kind = 0; kind < NR_OPS; kind++) {
		if (!chosen[op_info[kind].class])
			continue;
		if (at < (unsigned int)op_info[kind].weight)
			break;
		at -= op_info[kind].weight;
	}

	memset(op, 0, sizeof(*op));
	op->kind = kind;
	op_info[kind].draw(op);
}

static struct op *add(struct sequence *s, enum op_kind kind)
{
	struct op *op = &s->ops[s->n++];

	memset(op, 0, sizeof(*op));
	op->kind = kind;
	op_info[kind].draw(op);

	return op;
}

/* Only some classes of operations, so that those meet more often. */
void draw_sequence(struct sequence *s, unsigned int max, uint64_t seed)
{
	unsigned int n;
	int i;

	ops_begin(seed);
	n = 8 + below(max - 16);
	s->n = 0;
	for (i = 0; i < NR_CLASSES; i++)
		chosen[i] = one_in(2);
	chosen[FORK] = one_in(8);
	chosen[BLOCK] = one_in(4);
	/* Workers of io_uring wake in no fixed order, which epoll would show. */
	if (chosen[RING_CLASS] && chosen[EPOLL_CLASS])
		chosen[one_in(2) ? RING_CLASS : EPOLL_CLASS] = false;
	chosen[MAKE] = true;
	chosen[RW] = true;
	chosen[LAST] = false;

	for (i = 1 + below(3); i; i--)
		add(s, OP_create);
	if (chosen[EPOLL_CLASS]) {
		for (i = 0; i < NR_EPOLLS; i++) {
			add(s, OP_epoll_make)->fd = EPOLL + i;
			s->ops[s->n - 1].a = EPOLL_CLOEXEC;
		}
	}
	if (chosen[RING_CLASS])
		add(s, OP_ring_open);
	while (s->n < n)
		draw_op(&s->ops[s->n++]);
	if (one_in(3)) {
		memset(chosen, 0, sizeof(chosen));
		chosen[LAST] = true;
		draw_op(&s->ops[s->n++]);
	}
}
