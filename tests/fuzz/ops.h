/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations, sequences of them, and their results. The lowest layer: it uses the
 * constants of world/base.h. Read ops.def next.
 */
#ifndef FUZZ_OPS_H
#define FUZZ_OPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Since Linux 6.9. */
#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND	0x20
#endif

#define MAX_OPS		256
#define MAX_IOV		3
#define MAX_OUT		40
#define MAX_TEXT	256

enum op_class {
	MAKE, RW, POLL, EPOLL_CLASS, AIO, RING_CLASS, FCNTL, ODD, FORK, BLOCK,
	LAST, NR_CLASSES
};

enum op_kind {
#define OPS_NAMES
#include "ops.def"
#undef OPS_NAMES
	NR_OPS
};

struct op {
	enum op_kind kind;
	int fd, fd2, n;
	uint64_t buf, len, val;
	int64_t a, b;
	struct iovec iov[MAX_IOV];
};

struct op_info {
	const char *name, *uses, *text;
	enum op_class class;
	int weight;
	void (*draw)(struct op *op);
};

extern const struct op_info op_info[NR_OPS];

/* The results of an operation that a program can see. */
struct result {
	int64_t ret;
	int64_t err;
	uint64_t n;			/* of out[]; may be more than it has */
	uint64_t out[MAX_OUT];
	unsigned char window[192];
	char text[MAX_TEXT];
};

struct sequence {
	unsigned int n;
	struct op ops[MAX_OPS];
};

/* sequence.c: at most @max operations, which depend on @seed alone. */
void draw_sequence(struct sequence *s, unsigned int max, uint64_t seed);

/* ops.c, for sequence.c: before the first operation; then the next numbers. */
void ops_begin(uint64_t seed);
unsigned int below(unsigned int n);
bool one_in(unsigned int n);

#endif /* FUZZ_OPS_H */
