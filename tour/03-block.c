// SPDX-License-Identifier: GPL-2.0-only
/* A read of an empty counter sleeps; a write wakes it. */
#include "tour.h"

static void reader(int fd)
{
	READ(fd);
}

void tour(void)
{
	struct task task;
	int fd = EVFD(0, 0);

	tour_start(&task, "reader", reader, fd);
	NOTE("the reader is in state %c", tour_state(task.tid));
	WRITE(fd, 3);
	tour_join(&task);
}
