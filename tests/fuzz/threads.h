/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many threads on one counter of either kind. Their results depend on chance, so
 * only what has to hold in any case is checked:
 *
 *	conservation	the initial value and the sum of the writes is the sum of
 *			the reads and what is left
 *	no lost wakeup	no reader sleeps for ever on a count that is not 0
 *	errors		only those that the call may return in that state
 *
 * A round has a process of its own, one way of reading for all its readers (a
 * reader that never sleeps would hide the lost wakeup of another), and writers
 * of small and, now and then, large values. Signals without SA_RESTART hit all of
 * them all the time.
 *
 * Uses tests/lib alone; main.c uses it.
 */
#ifndef FUZZ_THREADS_H
#define FUZZ_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A round of @ms. Adds to @operations; returns false if @why tells what failed. */
bool threads_run(bool evfd, uint64_t seed, int ms, uint64_t *operations,
		 char *why, size_t size);

#endif /* FUZZ_THREADS_H */
