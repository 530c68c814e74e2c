// SPDX-License-Identifier: GPL-2.0-only
/* What fdinfo and lsof show while a reader sleeps. */
#include "tour.h"

static void reader(int fd)
{
	READ(fd);
}

/* Not system(3): it blocks SIGCHLD, which then goes to the reader. */
static void show(char *const command[])
{
	int i;

	for (i = 0; command[i]; i++)
		printf("%s %s", i ? "" : "$", command[i]);
	printf("\n");
	if (!fork()) {
		execvp(command[0], command);
		_exit(127);
	}
	must(wait(&i) > 0 && i == 0);
}

void tour(void)
{
	char pid[16], numbers[32], fdinfo[64];
	struct task task;
	int fd = EVFD(0, EVFD_SEMAPHORE | EVFD_NONBLOCK);
	int other = CALL(eventfd(0, 0));

	CALL(fcntl(fd, F_SETFL, 0));
	tour_start(&task, "reader", reader, fd);
	snprintf(pid, sizeof(pid), "%d", getpid());
	snprintf(numbers, sizeof(numbers), "%d,%d", fd, other);
	snprintf(fdinfo, sizeof(fdinfo), "/proc/%s/fdinfo/%d", pid, fd);
	show((char *[]){ "grep", "evfd-", fdinfo, NULL });
	show((char *[]){ "lsof", "-w", "-a", "-p", pid, "-d", numbers, NULL });
	WRITE(fd, 1);
	tour_join(&task);
}
