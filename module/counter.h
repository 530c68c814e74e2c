/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counter's arithmetic: what a write, a read, a signal and a poll make of a
 * value.
 *
 * Pure functions on u64: no state, no locks, no atomics, any context. This is
 * the lowest layer; it may use nothing of evfd. ctx.h applies these functions
 * to a shared counter, counter_kunit.c enumerates them at their edges.
 *
 * A counter holds 0 to 2^64 - 2 through writes. In-kernel signals may take it
 * one further, to the overflow value 2^64 - 1, where it stays until read.
 */
#ifndef _EVFD_COUNTER_H
#define _EVFD_COUNTER_H

#include <linux/limits.h>
#include <linux/types.h>
#include <uapi/linux/eventpoll.h>

#define EVFD_COUNT_OVERFLOW	U64_MAX

/* True if a write of @n fits: the sum stays below the overflow value. */
static inline bool evfd_count_can_write(u64 count, u64 n)
{
	/* Subtract, do not add: count + n may wrap. */
	return EVFD_COUNT_OVERFLOW - count > n;
}

/* The count after an in-kernel signal, which adds 1 and saturates. */
static inline u64 evfd_count_signal(u64 count)
{
	return count + (count != EVFD_COUNT_OVERFLOW);
}

/* The value that a read returns and takes off @count; 0: it has to wait. */
static inline u64 evfd_count_read(u64 count, bool semaphore)
{
	return semaphore && count ? 1 : count;
}

/* The events that poll(2) reports for @count. */
static inline __poll_t evfd_count_poll(u64 count)
{
	__poll_t events = 0;

	if (count)
		events |= EPOLLIN;
	if (evfd_count_can_write(count, 1))
		events |= EPOLLOUT;
	if (count == EVFD_COUNT_OVERFLOW)
		events |= EPOLLERR;

	return events;
}

#endif /* _EVFD_COUNTER_H */
