// SPDX-License-Identifier: GPL-2.0-only
/* A full counter: a writer sleeps until its amount fits. */
#include "tour.h"

static void small(int fd)
{
	WRITE(fd, 1);
}

static void large(int fd)
{
	WRITE(fd, EVFD_COUNT_MAX);
}

void tour(void)
{
	struct task one, all;
	int fd = EVFD(EVFD_COUNT_MAX, 0);

	tour_start(&all, "large", large, fd);
	tour_start(&one, "small", small, fd);
	READ(fd);
	tour_join(&one);
	tour_asleep(all.tid);
	NOTE("large is in state %c", tour_state(all.tid));
	READ(fd);
	tour_join(&all);
	WRITE(fd, UINT64_MAX);
}
