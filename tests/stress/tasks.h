/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tasks: processes with threads, their children, and victims that are
 * killed in an operation. Each draws operations on the shared counters. The draw
 * depends on the seed alone; the results also depend on time. Uses ops.h; main.c
 * and disturb.c use it. Read check.h next.
 */
#ifndef STRESS_TASKS_H
#define STRESS_TASKS_H

#include "world.h"

pid_t start_process(unsigned int number, uint64_t seed);

/* A process of one thread, which does not end by itself. */
pid_t start_victim(struct slot **slot, uint64_t seed);

/* The rest of a fork and exec, in the new image. */
int exec_child(char **argv);

#endif /* STRESS_TASKS_H */
