// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 32-bit program that makes eventfds, for preload_test.c. Free of the C
 * library, which need not be there for 32 bits. Prints what it was given by
 * eventfd and by eventfd2, and exits with 0 if the values were right.
 */
#include <asm/unistd_32.h>

#define O_CLOEXEC	02000000

static long sys3(long number, long a, long b, long c)
{
	long ret;

	__asm__ volatile ("int $0x80" : "=a" (ret)
			  : "a" (number), "b" (a), "c" (b), "d" (c)
			  : "memory");
	return ret;
}

static void check(int condition)
{
	if (!condition)
		sys3(__NR_exit, 1, 0, 0);
}

static void try(long fd)
{
	char path[] = "/proc/self/fd/N", link[64];
	unsigned long long n = 0;
	long len;

	check(fd >= 0 && fd <= 9);
	check(sys3(__NR_read, fd, (long)&n, sizeof(n)) == sizeof(n) && n == 7);
	path[sizeof(path) - 2] = '0' + fd;
	len = sys3(__NR_readlink, (long)path, (long)link, sizeof(link) - 1);
	check(len > 0);
	link[len++] = '\n';
	sys3(__NR_write, 1, (long)link, len);
}

void _start(void)
{
	long flags_bad = sys3(__NR_eventfd2, 0, 2, 0);

	check(flags_bad == -22);
	try(sys3(__NR_eventfd, 7, 2, 0));
	try(sys3(__NR_eventfd2, 7, O_CLOEXEC, 0));
	sys3(__NR_exit, 0, 0, 0);
}
