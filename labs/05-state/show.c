// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lab 5: a blocked reader, a write, and a kill. If the reader sleeps for ever, waits
 * for the kernel's report and ends with 1. Read README.md beside this first.
 */
#include <signal.h>
#include <sys/klog.h>
#include <sys/wait.h>

#include "evfd_test.h"

/* Returns the state in which @pid sleeps, S or D, or 0 if it does not. */
static char wait_asleep(pid_t pid)
{
	int ms;

	for (ms = 0; ms < EVFD_TEST_PATIENCE_MS; ms++) {
		char state = evfd_test_task_state(pid);

		if (state == 'S' || state == 'D')
			return state;
		evfd_test_sleep_ms(1);
	}

	return 0;
}

/* Returns 1 if process @pid ends within two seconds. */
static int ends(pid_t pid)
{
	int ms;

	for (ms = 0; ms < 2000; ms++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return 1;
		evfd_test_sleep_ms(1);
	}

	return 0;
}

static void set(const char *path, const char *value)
{
	FILE *f = fopen(path, "w");

	if (!f || fputs(value, f) < 0 || fclose(f))
		exit(2);
}

/* The report says where the task sleeps. */
static void wait_for_report(void)
{
	static char log[1 << 20];
	int ms, len;

	for (ms = 0; ms < 60000; ms += 100) {
		len = klogctl(3, log, sizeof(log) - 1);
		log[len < 0 ? 0 : len] = '\0';
		if (strstr(log, "blocked for more than"))
			return;
		evfd_test_sleep_ms(100);
	}
}

int main(void)
{
	int fd = evfd_test_create(0, 0);
	uint64_t n;
	pid_t pid;

	if (fd < 0)
		return 2;
	setbuf(stdout, NULL);
	/* khungtaskd checks every 2 minutes by default. */
	set("/proc/sys/kernel/hung_task_panic", "0");
	set("/proc/sys/kernel/hung_task_timeout_secs", "2");

	pid = fork();
	if (!pid) {
		/* The guest waits until all close the output; this may never end. */
		close(1);
		close(2);
		_exit(evfd_test_read(fd, &n) != 8);
	}
	if (pid < 0 || !wait_asleep(pid))
		return 2;
	printf("a reader sleeps, in state %c\n", wait_asleep(pid));
	if (evfd_test_write(fd, 1) != 8)
		return 2;
	if (ends(pid)) {
		printf("1 was written, and the reader has it\n");
		return 0;
	}
	printf("1 was written, the count is %d, the reader sleeps in state %c\n",
	       (int)evfd_test_count(fd), evfd_test_task_state(pid));
	kill(pid, SIGKILL);
	if (!ends(pid))
		printf("SIGKILL was sent, the reader sleeps in state %c\n",
		       evfd_test_task_state(pid));
	wait_for_report();

	return 1;
}
