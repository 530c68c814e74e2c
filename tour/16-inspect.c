// SPDX-License-Identifier: GPL-2.0-only
/* What fdinfo and lsof read, while somebody sleeps. */
#include "tour.h"

static void reader(int fd)
{
	READ(fd);
}

/* Not system(3): while it blocks SIGCHLD the reader would be sent it. */
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
	char pid[16], number[16], fdinfo[64];
	struct task task;
	int fd = EVFD(0, EVFD_SEMAPHORE | EVFD_NONBLOCK);

	CALL(fcntl(fd, F_SETFL, 0));
	tour_start(&task, "reader", reader, fd);
	snprintf(pid, sizeof(pid), "%d", getpid());
	snprintf(number, sizeof(number), "%d", fd);
	snprintf(fdinfo, sizeof(fdinfo), "/proc/%s/fdinfo/%s", pid, number);
	show((char *[]){ "grep", "evfd-", fdinfo, NULL });
	show((char *[]){ "lsof", "-w", "-a", "-p", pid, "-d", number, NULL });
	WRITE(fd, 1);
	tour_join(&task);
}
