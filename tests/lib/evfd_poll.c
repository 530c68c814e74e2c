// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>

#include "evfd_poll.h"
#include "evfd_test.h"

int wait_poll(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int ret = poll(&p, 1, ms);

	return ret < 0 ? -errno : ret ? p.revents : 0;
}

int ep_add(int ep, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

int ep_mod(int ep, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev) ? -errno : 0;
}

int ep_now(int ep)
{
	struct epoll_event ev[2];
	int ret = epoll_wait(ep, ev, 2, 0);

	return ret < 0 ? -errno : ret ? (int)ev[0].events : 0;
}

int count_is(int fd, uint64_t count)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n = 0;

	if (poll(&p, 1, 0) > 0 && evfd_test_read(fd, &n) != 8)
		return -1;

	return n == count;
}
