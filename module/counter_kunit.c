// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite evfd_counter: the arithmetic of counter.h at all its edges.
 *
 * Uses counter.h alone. The expected results come from the compiler's overflow
 * check and from tables written by hand. Read ctx_kunit.c next, which has the same
 * values on a real counter.
 */
#include <kunit/test.h>
#include <linux/overflow.h>

#include "counter.h"

#define EVFD_MAX	0xfffffffffffffffeULL
#define EVFD_OVER	0xffffffffffffffffULL

static const u64 evfd_edges[] = {
	0, 1, 2, 3,
	0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
	0x100000000ULL, 0x100000001ULL,
	0x7ffffffffffffffeULL, 0x7fffffffffffffffULL,
	0x8000000000000000ULL, 0x8000000000000001ULL,
	0xfffffffffffffffcULL, 0xfffffffffffffffdULL,
	EVFD_MAX, EVFD_OVER,
};

/* A write fits if the sum exists in 64 bits and is not the overflow value. */
static void evfd_count_can_write_all_pairs(struct kunit *test)
{
	int i, j;

	for (i = 0; i < ARRAY_SIZE(evfd_edges); i++) {
		for (j = 0; j < ARRAY_SIZE(evfd_edges); j++) {
			u64 count = evfd_edges[i], n = evfd_edges[j];
			u64 sum;
			bool fits = !check_add_overflow(count, n, &sum) &&
				    sum != EVFD_OVER;

			KUNIT_EXPECT_EQ_MSG(test, evfd_count_can_write(count, n),
					    fits, "%llx + %llx", count, n);
		}
	}
}

struct evfd_add_case {
	const char *desc;
	u64 count;
	u64 n;
	bool fits;
};

static const struct evfd_add_case evfd_add_cases[] = {
	{ "nothing to an empty counter", 0, 0, true },
	{ "one to an empty counter", 0, 1, true },
	{ "the most to an empty counter", 0, EVFD_MAX, true },
	{ "the overflow value to an empty counter", 0, EVFD_OVER, false },
	{ "the most to a count of 1", 1, EVFD_MAX, false },
	{ "up to the most", 1, EVFD_MAX - 1, true },
	{ "halves", 0x7fffffffffffffffULL, 0x7fffffffffffffffULL, true },
	{ "halves, one too many", 0x7fffffffffffffffULL,
	  0x8000000000000000ULL, false },
	{ "halves that wrap to 0", 0x8000000000000000ULL,
	  0x8000000000000000ULL, false },
	{ "one below the most", EVFD_MAX - 1, 1, true },
	{ "two below the most", EVFD_MAX - 1, 2, false },
	{ "nothing to a full counter", EVFD_MAX, 0, true },
	{ "one to a full counter", EVFD_MAX, 1, false },
	{ "nothing to an overflowed counter", EVFD_OVER, 0, false },
	{ "one to an overflowed counter", EVFD_OVER, 1, false },
};

KUNIT_ARRAY_PARAM_DESC(evfd_add, evfd_add_cases, desc);

static void evfd_count_can_write_at_edges(struct kunit *test)
{
	const struct evfd_add_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, evfd_count_can_write(c->count, c->n), c->fits);
}

/* What each function makes of one count. */
struct evfd_value_case {
	const char *desc;
	u64 count;
	u64 signalled;
	u64 plain;
	u64 semaphore;
	__poll_t poll;
};

static const struct evfd_value_case evfd_value_cases[] = {
	{ "0", 0, 1, 0, 0, EPOLLOUT },
	{ "1", 1, 2, 1, 1, EPOLLIN | EPOLLOUT },
	{ "2", 2, 3, 2, 1, EPOLLIN | EPOLLOUT },
	{ "2^32 - 1", 0xffffffff, 0x100000000ULL, 0xffffffff, 1,
	  EPOLLIN | EPOLLOUT },
	{ "2^32", 0x100000000ULL, 0x100000001ULL, 0x100000000ULL, 1,
	  EPOLLIN | EPOLLOUT },
	{ "2^63 - 1", 0x7fffffffffffffffULL, 0x8000000000000000ULL,
	  0x7fffffffffffffffULL, 1, EPOLLIN | EPOLLOUT },
	{ "2^63", 0x8000000000000000ULL, 0x8000000000000001ULL,
	  0x8000000000000000ULL, 1, EPOLLIN | EPOLLOUT },
	{ "2^64 - 3", 0xfffffffffffffffdULL, 0xfffffffffffffffeULL,
	  0xfffffffffffffffdULL, 1, EPOLLIN | EPOLLOUT },
	{ "2^64 - 2", 0xfffffffffffffffeULL, 0xffffffffffffffffULL,
	  0xfffffffffffffffeULL, 1, EPOLLIN },
	{ "2^64 - 1", 0xffffffffffffffffULL, 0xffffffffffffffffULL,
	  0xffffffffffffffffULL, 1, EPOLLIN | EPOLLERR },
};

KUNIT_ARRAY_PARAM_DESC(evfd_value, evfd_value_cases, desc);

static void evfd_count_signal_at_edges(struct kunit *test)
{
	const struct evfd_value_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, evfd_count_signal(c->count), c->signalled);
}

static void evfd_count_read_at_edges(struct kunit *test)
{
	const struct evfd_value_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, evfd_count_read(c->count, false), c->plain);
	KUNIT_EXPECT_EQ(test, evfd_count_read(c->count, true), c->semaphore);
}

static void evfd_count_poll_at_edges(struct kunit *test)
{
	const struct evfd_value_case *c = test->param_value;

	KUNIT_EXPECT_EQ(test, (__force u32)evfd_count_poll(c->count),
			(__force u32)c->poll);
}

/* What holds for the functions together at any count. */
static void evfd_count_functions_agree(struct kunit *test)
{
	int i, semaphore;

	for (i = 0; i < ARRAY_SIZE(evfd_edges); i++) {
		u64 count = evfd_edges[i];
		__poll_t poll = evfd_count_poll(count);

		KUNIT_EXPECT_EQ_MSG(test, !!(poll & EPOLLOUT),
				    evfd_count_can_write(count, 1), "%llx", count);
		KUNIT_EXPECT_GE_MSG(test, evfd_count_signal(count), count,
				    "%llx", count);
		for (semaphore = 0; semaphore < 2; semaphore++) {
			u64 n = evfd_count_read(count, semaphore);

			KUNIT_EXPECT_LE_MSG(test, n, count, "%llx", count);
			KUNIT_EXPECT_EQ_MSG(test, !!n, !!(poll & EPOLLIN),
					    "%llx", count);
			/* A value that was read fits again, except for the overflow. */
			if (count != EVFD_OVER)
				KUNIT_EXPECT_TRUE_MSG(test,
						      evfd_count_can_write(count - n, n),
						      "%llx", count);
		}
	}
}

static struct kunit_case evfd_counter_cases[] = {
	KUNIT_CASE(evfd_count_can_write_all_pairs),
	KUNIT_CASE_PARAM(evfd_count_can_write_at_edges, evfd_add_gen_params),
	KUNIT_CASE_PARAM(evfd_count_signal_at_edges, evfd_value_gen_params),
	KUNIT_CASE_PARAM(evfd_count_read_at_edges, evfd_value_gen_params),
	KUNIT_CASE_PARAM(evfd_count_poll_at_edges, evfd_value_gen_params),
	KUNIT_CASE(evfd_count_functions_agree),
	{}
};

static struct kunit_suite evfd_counter_suite = {
	.name = "evfd_counter",
	.test_cases = evfd_counter_cases,
};

kunit_test_suite(evfd_counter_suite);
