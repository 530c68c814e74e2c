/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What makes it hard for the tasks. Signals and kills come from the main process
 * itself, and only while nobody looks at what rests: they would free somebody
 * who has been forgotten. The rest goes on all the time, each in a process:
 *
 *	CPUs are taken away and given back
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
 * Until they have done something, or sleep for long; with at most as many kills
 * as the books can take.
 */
void disturb_tasks(uint64_t *rng);

#endif /* STRESS_DISTURB_H */
