/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * poll(2) and epoll(7) as calls that return the events, or -errno. Uses
 * evfd_test.h; selftests/epoll_test.c shows how to use it.
 */
#ifndef _EVFD_POLL_H
#define _EVFD_POLL_H

#include <stdint.h>

/* Waits for @events of @fd at most @ms milliseconds; 0 for a timeout. */
int wait_poll(int fd, short events, int ms);

/* Adds @fd to the epoll set @ep; an event carries the number of @fd. */
int ep_add(int ep, int fd, uint32_t events);
int ep_mod(int ep, int fd, uint32_t events);

/*
 * The events that the set @ep has at this moment, 0 for none. A set of more
 * than one descriptor needs epoll_wait() itself.
 */
int ep_now(int ep);

/* Whether a read of @fd returns @count; for 0, whether it would wait. */
int count_is(int fd, uint64_t count);

#endif /* _EVFD_POLL_H */
