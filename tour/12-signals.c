// SPDX-License-Identifier: GPL-2.0-only
/* A signal interrupts a read: it fails with EINTR, or starts again. */
#include "tour.h"

static void handler(int signal)
{
	(void)signal;
	NOTE("the signal is handled");
}

static void reader(int fd)
{
	READ(fd);
	READ(fd);
}

void tour(void)
{
	struct sigaction action = { .sa_handler = handler };
	struct task task;
	int fd = EVFD(0, 0);

	must(sigaction(SIGUSR1, &action, NULL) == 0);
	action.sa_flags = SA_RESTART;
	must(sigaction(SIGUSR2, &action, NULL) == 0);

	tour_start(&task, "reader", reader, fd);
	CALL(pthread_kill(task.thread, SIGUSR1));
	tour_asleep(task.tid);
	CALL(pthread_kill(task.thread, SIGUSR2));
	tour_asleep(task.tid);
	WRITE(fd, 1);
	tour_join(&task);
}
