// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lab 6: a blocked reader of high priority, and a writer. Ends with 1 if the
 * reader stays asleep. show runs this on a single CPU, where the reader runs as
 * soon as it is woken.
 */
#include <sys/prctl.h>

#include "evfd_task.h"

static ssize_t read_at_once(struct evfd_task *task)
{
	struct sched_param param = { .sched_priority = 10 };

	prctl(PR_SET_NAME, "reader");
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		return -1;
	return evfd_task_read(task);
}

/* The end of the threads is of no interest. */
static void stop_tracing(void)
{
	int fd = open("/sys/kernel/tracing/tracing_on", O_WRONLY);

	if (fd < 0 || write(fd, "0", 1) != 1)
		exit(2);
}

int main(void)
{
	struct evfd_task reader = { .op = read_at_once };
	int lost;

	prctl(PR_SET_NAME, "writer");
	reader.fd = evfd_test_create(0, 0);
	if (reader.fd < 0 || evfd_task_start(&reader))
		return 2;
	printf("a reader sleeps, the count is 0\n");
	if (evfd_test_write(reader.fd, 1) != 8)
		return 2;
	/* It sleeps again, or ends. */
	lost = evfd_task_rewoken(&reader) >= 0;
	printf("1 was written, the count is %d, the reader %s\n",
	       (int)evfd_test_count(reader.fd), lost ? "sleeps" : "has ended");
	fflush(stdout);
	stop_tracing();

	return lost;
}
