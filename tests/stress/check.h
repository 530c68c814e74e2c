/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What has to hold while all tasks rest, which is what each beat ends with:
 *
 *	no lost wakeup	a task sleeps in an operation only if that cannot go on
 *	conservation	the initial value and all that was added is all that was
 *			read and what is left
 *
 * Nothing here depends on the speed of the machine. Tasks rest when each has
 * parked or sleeps in an operation, as the kernel says; a task that was woken and
 * waits for a CPU does neither. A task that sleeps although it could go on is
 * checked PATIENT_LOOKS times, and its wakeup is lost if nothing changes meanwhile.
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
 * Does one operation on each counter on which a task sleeps. No further operation
 * follows that could repair a lost wakeup: woken tasks rest after theirs. Returns
 * whether there was such a counter.
 */
bool nudge(uint64_t *rng);

#endif /* STRESS_CHECK_H */
