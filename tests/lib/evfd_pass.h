/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors passed over a socket, with a number. Uses nothing else of tests/lib;
 * passing_test.c of selftests/ shows how to use it.
 */
#ifndef _EVFD_PASS_H
#define _EVFD_PASS_H

/* Sends @fd and @number over @sock; @flags as sendmsg(2). Returns 0 or -errno. */
int pass_fd(int sock, int fd, int number, int flags);

/*
 * Returns the descriptor that comes over @sock, or -errno; -EPROTO for a message
 * without one. Stores the number unless @number is NULL.
 */
int receive_fd(int sock, int *number, int flags);

#endif /* _EVFD_PASS_H */
