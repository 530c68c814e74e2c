// SPDX-License-Identifier: GPL-2.0-only
/*
 * A static program that calls eventfd() of the C library linked into it:
 * threads post to a loop of epoll_wait() through one eventfd each. See client.h.
 */
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "client.h"

static int fd_of(struct requester *r)
{
	return (intptr_t)r->handle;
}

static void post(struct requester *r)
{
	if (eventfd_write(fd_of(r), 1))
		err(1, "eventfd_write");
}

static void *thread(void *data)
{
	requester_run(data, post);
	return NULL;
}

int main(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), running = THREADS;
	struct requester requesters[THREADS] = { 0 };
	int i, handled = 0;
	eventfd_t value;

	for (i = 0; i < THREADS; i++) {
		struct epoll_event event = {
			.events = EPOLLIN,
			.data.ptr = &requesters[i],
		};
		int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

		if (fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
			err(1, "eventfd");
		requesters[i].handle = (void *)(intptr_t)fd;
		requester_start(&requesters[i], thread);
	}
	while (running) {
		struct epoll_event event;

		if (epoll_wait(epoll, &event, 1, -1) != 1)
			err(1, "epoll_wait");
		if (eventfd_read(fd_of(event.data.ptr), &value) || value != 1)
			err(1, "eventfd_read");
		running -= requester_answer(event.data.ptr);
	}
	for (i = 0; i < THREADS; i++)
		handled += requester_join(&requesters[i]);

	print_descriptors();
	printf("%d eventfd_write from %d threads\n", handled, THREADS);
	return handled != THREADS * ROUNDS;
}
