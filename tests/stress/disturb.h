/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What disturbs the tasks. The main process itself sends signals and kills, and not
 * while it checks the tasks at rest: they would repair a lost wakeup. The others
 * run all the time, each in a process:
 *
 *	CPUs go offline and online
 *	a small memory cgroup is filled, and caches are dropped
 *	a crowd of thousands of counters is made, in a memory cgroup that may be
 *	too small for it, and killed with all of them
 *	modules that are in use are to be unloaded
 *
 * Uses tasks.h; main.c uses it.
 */
#ifndef STRESS_DISTURB_H
#define STRESS_DISTURB_H

#include <stdint.h>

void disturb_start(uint64_t seed);
void disturb_stop(void);
void victims_start(uint64_t seed);
void victims_stop(void);

/*
 * Sends signals and kills until the tasks have done some operations, or for a
 * second; at most as many kills as the books have entries for.
 */
void disturb_tasks(uint64_t *rng);

#endif /* STRESS_DISTURB_H */
