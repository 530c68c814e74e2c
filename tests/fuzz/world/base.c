// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/evfd.h>

#include "base.h"

const unsigned long windows[NR_WINDOWS] = {
	MEMORY + PAGE - WINDOW,			/* runs into page 1 */
	MEMORY + 4 * PAGE,			/* begins where page 3 ends */
	MEMORY + 5 * PAGE - WINDOW / 2,		/* across two pages */
};

int is_evfd;
int exclusive;
struct eventfd_traits eventfd_traits;

int blocks(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && !(flags & O_NONBLOCK);
}

int fdinfo_text(int fd, char *text, size_t size)
{
	char path[40];
	ssize_t len;
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY);
	if (info < 0)
		return -1;
	len = read(info, text, size - 1);
	close(info);
	text[len > 0 ? len : 0] = '\0';

	return len > 0 ? 0 : -1;
}

int is_counter(int fd)
{
	char text[512];

	return !fdinfo_text(fd, text, sizeof(text)) && strstr(text, "-count:");
}

uint64_t count_of(int fd)
{
	char text[512], *line;

	if (fdinfo_text(fd, text, sizeof(text)))
		return 0;
	line = strstr(text, "-count:");

	return line ? strtoull(line + 7, NULL, 16) : 0;
}

int is_semaphore(int fd)
{
	char text[512], *line;

	if (fdinfo_text(fd, text, sizeof(text)))
		return 0;
	/* Where one kind does not tell, take both for one. */
	line = strstr(text, "-semaphore:");

	return eventfd_traits.no_semaphore_line || (line && atoi(line + 11));
}

int has_room(int fd, uint64_t n)
{
	return UINT64_MAX - count_of(fd) > n;
}

static int in_window(unsigned long addr)
{
	int i;

	for (i = 0; i < NR_WINDOWS; i++) {
		if (addr >= windows[i] && addr - windows[i] < WINDOW)
			return 1;
	}

	return 0;
}

void put(const void *to, uint64_t val)
{
	unsigned int i;

	for (i = 0; i < sizeof(val); i++, val >>= 8) {
		if (in_window((unsigned long)to + i))
			((unsigned char *)to)[i] = val;
	}
}

void put_iov(const struct iovec *iov, int n, uint64_t first, uint64_t rest)
{
	int i;

	for (i = n - 1; i >= 0; i--)
		put(iov[i].iov_base, i ? rest : first);
}

uint64_t iov_sum(const struct iovec *iov, int n)
{
	uint64_t sum = 0, val;
	int i;

	for (i = 0; i < n && (iov[i].iov_len == 8 || !iov[i].iov_len); i++) {
		if (!iov[i].iov_len)
			continue;
		if (!in_window((unsigned long)iov[i].iov_base) ||
		    !in_window((unsigned long)iov[i].iov_base + 7))
			break;
		memcpy(&val, iov[i].iov_base, sizeof(val));
		sum = sum + val < sum ? UINT64_MAX - 1 : sum + val;
	}

	return sum;
}

void fill_windows(void)
{
	int i;

	for (i = 0; i < NR_WINDOWS; i++)
		memset((void *)windows[i], FILL, WINDOW);
}

volatile int alarm_fd = -1, alarm_reads;
volatile uint64_t alarm_val;

static void on_alarm(int sig)
{
	int err = errno, fd = alarm_fd;
	uint64_t n = alarm_val;

	(void)sig;
	if (fd >= 0) {
		alarm_fd = -1;
		if (alarm_reads ? read(fd, &n, 8) : write(fd, &n, 8))
			errno = err;
	}
	errno = err;
}

void handle_alarm(int flags)
{
	struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = flags };

	sigaction(SIGALRM, &sa, NULL);
}

void soon(void)
{
	struct itimerval it = { { 0, 1000 }, { 0, 1000 } };

	setitimer(ITIMER_REAL, &it, NULL);
}

void done(void)
{
	struct itimerval it = { { 0, 0 }, { 0, 0 } };
	int err = errno;

	setitimer(ITIMER_REAL, &it, NULL);
	errno = err;
}

int open_device(void)
{
	int fd = open(is_evfd ? "/dev/evfd" : "/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		perror("/dev/evfd");
		exit(2);
	}
	dup3(fd, DEVICE, O_CLOEXEC);
	close(fd);

	return 0;
}

long make(unsigned int initval, int flags)
{
	struct evfd_create arg = { .initval = initval };

	if (!is_evfd)
		return syscall(SYS_eventfd2, initval, flags);
	if (flags & EFD_CLOEXEC)
		arg.flags |= EVFD_CLOEXEC;
	if (flags & EFD_NONBLOCK)
		arg.flags |= EVFD_NONBLOCK;
	if (flags & EFD_SEMAPHORE)
		arg.flags |= EVFD_SEMAPHORE;
	/* A flag that eventfd does not know becomes one that evfd does not know. */
	if (flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE))
		arg.flags |= 0x80000000;

	return ioctl(DEVICE, EVFD_IOC_CREATE, &arg);
}

long move_to(int fd, int to)
{
	int flags;

	if (fd < 0)
		return fd;
	out(fd);
	flags = fcntl(fd, F_GETFD);
	out(flags);
	out(fcntl(fd, F_GETFL));
	dup3(fd, to, flags & FD_CLOEXEC ? O_CLOEXEC : 0);
	close(fd);

	return 0;
}

long make_without_room(void)
{
	struct rlimit old, low;
	long ret;
	int err;

	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	low.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &low);
	ret = make(0, 0);
	err = errno;
	setrlimit(RLIMIT_NOFILE, &old);
	errno = err;

	return ret;
}

void probe(void)
{
	uint64_t n[2] = { 1, 1 };
	char text[512] = "";
	int fd = eventfd(0, 0);

	eventfd_traits.long_writes = write(fd, n, 16) == 8;
	fdinfo_text(fd, text, sizeof(text));
	eventfd_traits.no_semaphore_line = !strstr(text, "eventfd-semaphore");
	close(fd);
}
