/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the preloaded object and the supervisor have in common: what eventfd's
 * flags mean, when a real eventfd is made after all, and what a line of the log
 * looks like. tools/run/README.md documents the last two. Uses libevfd. preload.c
 * and supervise.c are the two ways to get at a program's calls.
 */
#ifndef _EVFD_POLICY_H
#define _EVFD_POLICY_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define POLICY_LOG		"EVFD_RUN_LOG"
#define POLICY_FALLBACK		"EVFD_RUN_FALLBACK"

/* How a call was caught. */
enum policy_way {
	POLICY_EVENTFD,		/* eventfd() of the C library */
	POLICY_SYSCALL,		/* syscall() of the C library */
	POLICY_SUPERVISOR,	/* the system call itself */
};

/* What a caller gets. */
enum policy_kind {
	POLICY_EVFD,
	POLICY_REAL,
};

/* Takes EVFD_RUN_LOG and EVFD_RUN_FALLBACK as they are now. */
void policy_init(void);

/*
 * The file name of the program that @pid runs, with a ? for each character that
 * is not a graphic one; "" if it cannot be known.
 */
void policy_program(pid_t pid, char name[NAME_MAX + 1]);

/* Whether EVFD_RUN_FALLBACK has real eventfds for the program @name. */
bool policy_real(const char *name);

/* Whether it has them where no evfd can be made. */
bool policy_real_if_missing(void);

/*
 * Makes an evfd for a caller of eventfd2(@initval, @flags). Returns -1 with
 * errno; *@missing says whether that is because there is no evfd to be had.
 */
int policy_make(unsigned int initval, int flags, bool *missing);

/* Appends a line to EVFD_RUN_LOG, if that is set; errno stays. */
void policy_log(enum policy_kind kind, enum policy_way way, pid_t pid,
		const char *name, int fd, unsigned int initval, int flags);

#endif /* _EVFD_POLICY_H */
