/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An operation in a process of its own, to be stopped or killed; the test reads
 * in shared memory what the operation did. Uses evfd_task.h; kill_test.c of
 * selftests/ shows how to use it.
 */
#ifndef _EVFD_VICTIM_H
#define _EVFD_VICTIM_H

#include "evfd_task.h"

/* In memory of evfd_test_share(). */
struct evfd_victim {
	pid_t pid;
	/* The operation is about to begin; it has ended. */
	atomic_bool ready;
	atomic_bool done;
	/* fd, op, value and ret are used. */
	struct evfd_task task;
};

/* These return 0 or -1. */

/* Starts a process that does @op. */
int evfd_victim_run(struct evfd_victim *victim, int fd,
		    ssize_t (*op)(struct evfd_task *task), uint64_t value);

/* Starts it and waits until it sleeps. */
int evfd_victim_start(struct evfd_victim *victim, int fd,
		      ssize_t (*op)(struct evfd_task *task), uint64_t value);

/* Waits for the end of the process, or kills it first. */
int evfd_victim_reap(struct evfd_victim *victim);
int evfd_victim_kill(struct evfd_victim *victim);

#endif /* _EVFD_VICTIM_H */
