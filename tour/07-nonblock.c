// SPDX-License-Identifier: GPL-2.0-only
/* O_NONBLOCK belongs to the open file; a call checks it before it waits. */
#include "tour.h"

static void reader(int fd)
{
	READ(fd);
}

void tour(void)
{
	struct task task;
	int fd = EVFD(0, EVFD_NONBLOCK);

	READ(fd);
	CALL(fcntl(fd, F_SETFL, 0));
	tour_start(&task, "reader", reader, fd);
	CALL(fcntl(fd, F_SETFL, O_NONBLOCK));
	NOTE("the reader is in state %c", tour_state(task.tid));
	READ(fd);
	WRITE(fd, 1);
	tour_join(&task);
}
