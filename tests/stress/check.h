/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What has to hold while all tasks rest, which is what each beat ends with:
 *
 *	no lost wakeup	a task sleeps in an operation only if that cannot go on
 *	conservation	what a counter began with and what was added is what was
 *			taken and what is left
 *
 * Nothing here depends on how fast the machine is. Tasks rest when each has
 * parked or sleeps in an operation, as the kernel says; who was woken and waits
 * for a CPU does neither. Who sleeps on what it could have is looked at again
 * and again, and has been forgotten if nothing at all has changed meanwhile.
 *
 * Uses ops.h; main.c uses it.
 */
#ifndef STRESS_CHECK_H
#define STRESS_CHECK_H

#include <stdbool.h>
#include <stdint.h>

/* Wait until all tasks rest, or are gone. Return false if that failed. */
bool come_to_rest(void);
bool come_to_an_end(void);

/* Whether each counter has what it should. */
bool books_agree(void);

/*
 * One operation on each counter that somebody sleeps on, and nothing after it
 * that could free who is forgotten now: who goes on rests after. Returns whether
 * there was any.
 */
bool nudge(uint64_t *rng);

#endif /* STRESS_CHECK_H */
