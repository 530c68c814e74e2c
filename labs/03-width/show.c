// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lab 3: readers of a semaphore, and writes of growing size. Ends with 1 if a
 * reader sleeps on a count above 0. Read README.md beside this first.
 */
#include "evfd_task.h"

#define READERS	4

/* Returns how many of the readers a write of @n leaves asleep, -1 on error. */
static int left_asleep(uint64_t n)
{
	struct evfd_task *readers = calloc(READERS, sizeof(*readers));
	int fd = evfd_test_create(EVFD_SEMAPHORE, 0);
	int i, done;

	if (fd < 0 || !readers)
		return -1;
	for (i = 0; i < READERS; i++) {
		readers[i].op = evfd_task_read;
		readers[i].fd = fd;
		if (evfd_task_start(&readers[i]))
			return -1;
	}
	if (evfd_test_write(fd, n) != 8)
		return -1;
	done = evfd_task_settle(readers, READERS);
	if (done < 0)
		return -1;
	printf("%d readers sleep, a write of %#jx wakes %d, the count is %#jx\n",
	       READERS, (uintmax_t)n, done, (uintmax_t)evfd_test_count(fd));

	return READERS - done;
}

int main(void)
{
	static const uint64_t sizes[] = { 4, 1ULL << 20, (1ULL << 32) + 1 };
	int lost = 0, n;
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		n = left_asleep(sizes[i]);
		if (n < 0)
			return 2;
		lost += n;
	}

	return lost > 0;
}
