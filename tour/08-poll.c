// SPDX-License-Identifier: GPL-2.0-only
/* poll and select: join the queue, check, sleep, check again. */
#include <sys/select.h>

#include "tour.h"

static void poller(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	CALL(poll(&p, 1, -1));
	NOTE("revents = %#x", p.revents);
}

void tour(void)
{
	struct pollfd p = { .fd = EVFD(0, 0), .events = POLLIN | POLLOUT };
	struct task task;
	fd_set in;

	CALL(poll(&p, 1, 0));
	NOTE("revents = %#x", p.revents);

	tour_start(&task, "poller", poller, p.fd);
	WRITE(p.fd, 1);
	tour_join(&task);

	FD_ZERO(&in);
	FD_SET(p.fd, &in);
	CALL(select(p.fd + 1, &in, NULL, NULL, NULL));
	READ(p.fd);
}
