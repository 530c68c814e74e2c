// SPDX-License-Identifier: GPL-2.0-only
/* As a semaphore: a read takes 1, and a write of n wakes n readers. */
#include "tour.h"

static void reader(int fd)
{
	READ(fd);
}

void tour(void)
{
	struct task first, second, third;
	int fd = EVFD(0, EVFD_SEMAPHORE);

	tour_start(&first, "first", reader, fd);
	tour_start(&second, "second", reader, fd);
	tour_start(&third, "third", reader, fd);
	WRITE(fd, 2);
	tour_join(&first);
	tour_join(&second);
	NOTE("the third is in state %c", tour_state(third.tid));
	WRITE(fd, 1);
	tour_join(&third);
}
