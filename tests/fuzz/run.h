/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs a sequence in two worlds and compares the results.
 *
 * Each world is a process of its own, forked for this sequence: the same
 * descriptor numbers, the same memory, nothing left from before. They run at the
 * same time, one with evfds and the other with eventfds, and write the results to
 * memory shared with this process. Uses ops.h, differences.h and world/; read
 * world/base.h next.
 */
#ifndef FUZZ_RUN_H
#define FUZZ_RUN_H

#include "ops.h"

/* The result of a sequence in both worlds. */
struct outcome {
	enum { SAME, KNOWN, DIFFERENT, STUCK } what;
	unsigned int compared;		/* operations until that */
	const struct difference *known;
};

/* Once, before all else. */
void run_init(void);

void run(const struct sequence *s, struct outcome *o);

/* The result of operation @i in the last run; NULL if the run ended before. */
const struct result *run_result(bool evfd, unsigned int i);

#endif /* FUZZ_RUN_H */
