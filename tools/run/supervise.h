/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The supervisor: gives evfds to programs that make the system call themselves.
 * Uses policy.h.
 */
#ifndef _EVFD_SUPERVISE_H
#define _EVFD_SUPERVISE_H

/*
 * Puts this process, and all that it will start, under a supervisor of its own.
 * Returns NULL, or what failed, with errno.
 */
const char *supervise(void);

#endif /* _EVFD_SUPERVISE_H */
