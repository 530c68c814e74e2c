/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the preloaded object and the supervisor share: the meaning of eventfd's
 * flags, the programs that get a real eventfd, and the format of the log, as in
 * tools/run/README.md. Uses libevfd. preload.c and supervise.c come next.
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

/* The file that a caller gets. */
enum policy_kind {
	POLICY_EVFD,
	POLICY_REAL,
};

/* Reads EVFD_RUN_LOG and EVFD_RUN_FALLBACK from the environment. */
void policy_init(void);

/*
 * The file name of the program of @pid, with a ? for each blank and for each
 * character that is not printable; "" if it cannot be read.
 */
void policy_program(pid_t pid, char name[NAME_MAX + 1]);

/* Whether the program @name gets real eventfds. */
bool policy_real(const char *name);

/* Whether all programs do if no evfd can be made. */
bool policy_real_if_missing(void);

/*
 * Makes an evfd for a caller of eventfd2(@initval, @flags). Returns it, or -1 with
 * errno; *@missing is set if the module is missing or cannot be used.
 */
int policy_make(unsigned int initval, int flags, bool *missing);

/* Appends a line to EVFD_RUN_LOG, if that is set; errno stays. */
void policy_log(enum policy_kind kind, enum policy_way way, pid_t pid,
		const char *name, int fd, unsigned int initval, int flags);

#endif /* _EVFD_POLICY_H */
