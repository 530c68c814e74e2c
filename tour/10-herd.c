// SPDX-License-Identifier: GPL-2.0-only
/* Many readers and one write: evfd wakes one reader, eventfd all. */
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
	int i, j;

	for (i = 0; i < READERS; i++)
		tour_start(&tasks[i], names[i], reader, fd);
	for (i = 0; i < READERS; i++) {
		WRITE(fd, 1);
		for (j = 0; j < READERS; j++)
			tour_asleep(tasks[j].tid);
	}
	for (i = 0; i < READERS; i++)
		tour_join(&tasks[i]);
}

void tour(void)
{
	NOTE("evfd");
	post(EVFD(0, EVFD_SEMAPHORE));
	NOTE("eventfd");
	post(CALL(eventfd(0, EFD_SEMAPHORE)));
}
