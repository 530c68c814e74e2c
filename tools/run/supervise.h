/* SPDX-License-Identifier: GPL-2.0-only */
/* The supervisor: gives evfds to programs that make the system call themselves. */
#ifndef _EVFD_SUPERVISE_H
#define _EVFD_SUPERVISE_H

/*
 * Puts this process and its later children under a new supervisor. Returns NULL, or
 * the step that failed, with errno.
 */
const char *supervise(void);

#endif /* _EVFD_SUPERVISE_H */
