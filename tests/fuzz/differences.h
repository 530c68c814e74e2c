/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The known differences between evfd and eventfd(2). Uses ops.h; run.c and main.c
 * use it. Read run.h next.
 */
#ifndef FUZZ_DIFFERENCES_H
#define FUZZ_DIFFERENCES_H

#include <stdio.h>

#include "ops.h"

struct difference {
	const char *name;
	const char *eventfd, *evfd, *reason;
	/* Whether this explains the difference of the two. */
	bool (*applies)(const struct op *op, const struct result *evfd,
			const struct result *eventfd);
	/* The worlds cannot be compared after it. */
	bool ends;
};

const struct difference *known_difference(const struct op *op,
					  const struct result *evfd,
					  const struct result *eventfd);
bool promise_broken(const struct op *op, const struct result *evfd);
void differences_print(FILE *f);
void differences_count(FILE *f);

#endif /* FUZZ_DIFFERENCES_H */
