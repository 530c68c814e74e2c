// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lab 7: one thread watches a counter with epoll, one reads it, and 1 is
 * written. Ends with 1 if the reader stays asleep. show runs this.
 */
#include <sys/epoll.h>
#include <sys/prctl.h>

#include "evfd_task.h"

/* Waits for the counter, but does not read it. */
static ssize_t watch(struct evfd_task *thread)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	int epoll = epoll_create1(0);

	prctl(PR_SET_NAME, "watcher");
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, thread->fd, &event))
		return -1;
	return epoll_wait(epoll, &event, 1, -1);
}

static ssize_t take(struct evfd_task *thread)
{
	prctl(PR_SET_NAME, "reader");
	return evfd_task_read(thread);
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
	int fd = evfd_test_create(0, 0);
	struct evfd_task threads[] = {
		{ .op = watch, .fd = fd },
		{ .op = take, .fd = fd },
	};
	int i;

	prctl(PR_SET_NAME, "writer");
	if (fd < 0)
		return 2;
	for (i = 0; i < 2; i++) {
		if (evfd_task_start(&threads[i]))
			return 2;
	}
	printf("a watcher and a reader sleep, the count is 0\n");
	if (evfd_test_write(fd, 1) != 8 || evfd_task_settle(threads, 2) < 0)
		return 2;
	printf("1 was written, the count is %d\n", (int)evfd_test_count(fd));
	for (i = 0; i < 2; i++)
		printf("the %s %s\n", i ? "reader" : "watcher",
		       threads[i].done ? "has ended" : "sleeps");
	fflush(stdout);
	stop_tracing();

	return !threads[1].done;
}
