/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the fuzzer share. main.c is the place to start.
 *
 *	main.c		options, seeds, progress, KTAP
 *	ops.def, ops.c	the operations, and how their arguments are made up
 *	world.h		what they do and in what surroundings
 *	run.c		runs a sequence in two worlds, one of evfd and one of
 *			eventfd, and compares
 *	differences.c	the differences that there are to be, with their reasons
 *	shrink.c	makes a sequence that shows a difference shorter
 *	emit.c		prints a sequence as a C program
 *	threads.c	many threads on one counter: invariants
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/uio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

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

/* What an operation did that a program can see. */
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

/* What became of a sequence in both worlds. */
struct outcome {
	enum { SAME, KNOWN, DIFFERENT, STUCK } what;
	unsigned int compared;		/* operations until that */
	const struct difference *known;
};

/* Traits of the running kernel's eventfd; see world.h. */
struct traits {
	int long_writes, no_semaphore_line;
};

/* ops.c */
void rng_seed(uint64_t seed);
uint64_t rng(void);
void draw_sequence(struct sequence *s, unsigned int max);

/* run.c */
void run_init(void);
void run(const struct sequence *s, struct outcome *o);
const struct result *run_result(bool evfd, unsigned int i);
struct traits run_traits(void);

/* differences.c */
struct difference {
	const char *name;
	const char *eventfd, *evfd, *reason;
	/* How the two may differ, given that they do. */
	bool (*applies)(const struct op *op, const struct result *evfd,
			const struct result *eventfd);
	/* The worlds go separate ways after it. */
	bool ends;
};

const struct difference *known_difference(const struct op *op,
					  const struct result *evfd,
					  const struct result *eventfd);
bool promise_broken(const struct op *op, const struct result *evfd);
void differences_print(FILE *f);
void differences_count(FILE *f);

/* shrink.c */
void shrink(struct sequence *s);

/* emit.c, the text of world.h */
extern const char world_text[], world_text_end[];
void emit(FILE *f, const struct sequence *s, const char *headline);
void describe(FILE *f, const char *indent, const struct sequence *s,
	      unsigned int i);

/* threads.c */
bool threads_run(bool evfd, uint64_t seed, int ms, uint64_t *operations,
		 char *why, size_t size);

#endif /* FUZZ_H */
