/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The differences that there are to be between evfd and eventfd(2). Uses ops.h;
 * run.c and main.c use it.
 */
#ifndef FUZZ_DIFFERENCES_H
#define FUZZ_DIFFERENCES_H

#include <stdio.h>

#include "ops.h"

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

#endif /* FUZZ_DIFFERENCES_H */
