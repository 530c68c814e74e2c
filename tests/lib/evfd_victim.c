// SPDX-License-Identifier: GPL-2.0-only
#include <sys/prctl.h>
#include <sys/wait.h>

#include "evfd_victim.h"

int evfd_victim_run(struct evfd_victim *victim, int fd,
		    ssize_t (*op)(struct evfd_task *task), uint64_t value)
{
	pid_t pid;

	memset(victim, 0, sizeof(*victim));
	victim->task.fd = fd;
	victim->task.value = value;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		victim->ready = true;
		victim->task.ret = op(&victim->task);
		victim->done = true;
		_exit(0);
	}
	victim->pid = pid;

	return pid < 0 ? -1 : 0;
}

int evfd_victim_start(struct evfd_victim *victim, int fd,
		      ssize_t (*op)(struct evfd_task *task), uint64_t value)
{
	if (evfd_victim_run(victim, fd, op, value))
		return -1;
	while (!victim->ready)
		sched_yield();

	return evfd_test_wait_asleep(victim->pid);
}

int evfd_victim_reap(struct evfd_victim *victim)
{
	return waitpid(victim->pid, NULL, 0) == victim->pid ? 0 : -1;
}

int evfd_victim_kill(struct evfd_victim *victim)
{
	return kill(victim->pid, SIGKILL) ? -1 : evfd_victim_reap(victim);
}
