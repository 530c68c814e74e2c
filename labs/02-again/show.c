// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lab 2: a reader is woken, but the writer takes the count before it runs. Ends
 * with 1 if the reader then returns. Read README.md beside this first.
 *
 * The writer has the higher real-time priority and does not sleep between its
 * write and its read, so on one CPU the reader cannot run in between.
 */
#include "evfd_task.h"

static int priority(int n)
{
	struct sched_param param = { .sched_priority = n };

	return sched_setscheduler(0, SCHED_FIFO, &param);
}

static ssize_t read_at_low_priority(struct evfd_task *task)
{
	if (priority(10))
		return -1;
	return evfd_task_read(task);
}

int main(void)
{
	struct evfd_task reader = { .op = read_at_low_priority };
	cpu_set_t one;
	uint64_t n;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	reader.fd = evfd_test_create(0, 0);
	if (sched_setaffinity(0, sizeof(one), &one) || priority(20) ||
	    reader.fd < 0 || evfd_task_start(&reader))
		return 2;
	printf("a reader sleeps, the count is 0\n");

	if (evfd_test_write(reader.fd, 1) != 8 ||
	    evfd_test_read(reader.fd, &n) != 8)
		return 2;
	printf("1 was written, and taken before the reader ran\n");

	/* It sleeps again, or returns. */
	if (evfd_task_rewoken(&reader) >= 0) {
		printf("the reader sleeps\n");
		if (evfd_test_write(reader.fd, 7) != 8 ||
		    evfd_task_join(&reader))
			return 2;
		printf("7 was written, the reader returned %zd and has %d\n",
		       reader.ret, (int)reader.value);
		return 0;
	}
	if (evfd_task_join(&reader))
		return 2;
	printf("the reader's read(2) returned %zd\n", reader.ret);
	return 1;
}
