// SPDX-License-Identifier: GPL-2.0-only
/* The four modes of epoll: two writes and a read each, with epoll_wait between. */
#include "tour.h"

static void watch(int fd, const char *name, uint32_t mode)
{
	struct epoll_event event = { .events = EPOLLIN | mode };
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	NOTE("%s", name);
	CALL(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	WRITE(fd, 1);
	CALL(epoll_wait(epoll, &event, 1, 0));
	CALL(epoll_wait(epoll, &event, 1, 0));
	WRITE(fd, 1);
	CALL(epoll_wait(epoll, &event, 1, 0));
	READ(fd);
	CALL(epoll_wait(epoll, &event, 1, 0));
	close(epoll);
}

void tour(void)
{
	int fd = EVFD(0, 0);

	watch(fd, "level", 0);
	watch(fd, "edge", EPOLLET);
	watch(fd, "oneshot", EPOLLONESHOT);
	watch(fd, "exclusive", EPOLLEXCLUSIVE);
}
