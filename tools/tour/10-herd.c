// SPDX-License-Identifier: GPL-2.0-only
/* Many readers and one post: evfd wakes one, eventfd all of them. */
#include "tour.h"

#define READERS	4

static void reader(int fd)
{
	READ(fd);
}

static void post(int fd)
{
	static const char *const names[READERS] = { "one", "two", "three", "four" };
	struct task tasks[READERS];
	int i;

	for (i = 0; i < READERS; i++)
		tour_start(&tasks[i], names[i], reader, fd);
	WRITE(fd, 1);
	for (i = 0; i < READERS; i++)
		tour_asleep(tasks[i].tid);
	NOTE("and the others");
	for (i = 1; i < READERS; i++)
		WRITE(fd, 1);
	for (i = 0; i < READERS; i++)
		tour_join(&tasks[i]);
}

static void tour(void)
{
	NOTE("evfd");
	post(EVFD(0, EVFD_SEMAPHORE));
	NOTE("eventfd");
	post(CALL(eventfd(0, EFD_SEMAPHORE)));
}
