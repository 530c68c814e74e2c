// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lab 11: two threads write 1 as fast as they can, and no task reads. Ends with
 * 1 if the count is not the number of writes, after KCSAN had the time to
 * report. Read README.md beside this first.
 */
#include <sys/klog.h>

#include "evfd_task.h"

#define ROUND	2000

static ssize_t add(struct evfd_task *thread)
{
	int i;

	for (i = 0; i < ROUND; i++) {
		if (evfd_test_write(thread->fd, 1) != 8)
			return -1;
	}

	return 0;
}

static bool reported(void)
{
	static char log[1 << 20];
	int len = klogctl(3, log, sizeof(log) - 1);

	log[len < 0 ? 0 : len] = '\0';
	return strstr(log, "data-race in evfd");
}

int main(void)
{
	int fd = evfd_test_create(0, 0), round;
	uint64_t written = 0, count = 0;
	long start = evfd_test_now_ms(), ms = 0;

	if (fd < 0)
		return 2;
	/* Until a write is lost and reported; a few rounds if none is lost. */
	for (round = 0; round < 5 || ms < 3000 ||
	     (count != written && ms < 60000); round++) {
		struct evfd_task threads[2] = {
			{ .op = add, .fd = fd }, { .op = add, .fd = fd },
		};

		if (evfd_task_run(&threads[0]) ||
		    evfd_task_run(&threads[1]))
			return 2;
		pthread_join(threads[0].thread, NULL);
		pthread_join(threads[1].thread, NULL);
		if (threads[0].ret || threads[1].ret)
			return 2;
		written += 2 * ROUND;
		count = evfd_test_count(fd);
		if (count != written && reported())
			break;
		ms = evfd_test_now_ms() - start;
	}
	printf("%ju times 1 was written, the count is %ju\n",
	       (uintmax_t)written, (uintmax_t)count);

	return count != written;
}
