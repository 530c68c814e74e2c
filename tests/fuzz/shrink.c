// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <time.h>

#include "run.h"
#include "shrink.h"

/* Each step of one that gets stuck takes seconds. */
#define SHRINK_S	60

static time_t deadline;

static bool differs(const struct sequence *s)
{
	struct outcome o;

	if (time(NULL) > deadline)
		return false;

	run(s, &o);

	return o.what == DIFFERENT || o.what == STUCK;
}

static bool without(struct sequence *s, unsigned int from, unsigned int n)
{
	static struct sequence left;

	left = *s;
	memmove(&left.ops[from], &left.ops[from + n],
		(s->n - from - n) * sizeof(left.ops[0]));
	left.n -= n;
	if (!differs(&left))
		return false;
	*s = left;

	return true;
}

static void shrink_length(struct sequence *s)
{
	unsigned int n, at, before;

	do {
		before = s->n;
		for (n = s->n / 2; n; n /= 2) {
			/* From the end: late operations are needed least. */
			for (at = s->n; at >= n; at = at > s->n ? s->n : at) {
				at -= n;
				if (at + n <= s->n)
					without(s, at, n);
			}
		}
	} while (s->n < before);
}

static void try_value(struct sequence *s, int64_t *arg, int64_t plain)
{
	int64_t old = *arg;

	if (old == plain)
		return;
	*arg = plain;
	if (!differs(s))
		*arg = old;
}

static void shrink_arguments(struct sequence *s)
{
	unsigned int i;

	for (i = 0; i < s->n; i++) {
		struct op *op = &s->ops[i];

		try_value(s, &op->b, 0);
		try_value(s, &op->a, 0);
		try_value(s, (int64_t *)&op->val, 1);
		try_value(s, (int64_t *)&op->buf, 0x20004000);
		try_value(s, (int64_t *)&op->len, 8);
	}
}

void shrink(struct sequence *s)
{
	struct outcome o;

	deadline = time(NULL) + SHRINK_S;
	/* Operations after the difference do not matter. */
	run(s, &o);
	if ((o.what == DIFFERENT || o.what == STUCK) && o.compared + 1 < s->n) {
		unsigned int n = s->n;

		s->n = o.compared + 1;
		if (!differs(s))
			s->n = n;
	}
	shrink_length(s);
	shrink_arguments(s);
	/* With plain arguments others may not be needed any more. */
	shrink_length(s);
}
