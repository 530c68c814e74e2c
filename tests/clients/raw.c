// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program without a C library, which makes the system call itself as Go's
 * runtime does: epoll_wait() on an eventfd that another process writes to.
 *
 * Built with the kernel's nolibc, which is all that it may use. The parent
 * waits for each write before it lets the child, through a second eventfd, go
 * on: so each takes a wakeup.
 */
#include <linux/eventpoll.h>

#include "nolibc.h"

#define ROUNDS		250
#define EFD_NONBLOCK	O_NONBLOCK
#define EFD_CLOEXEC	O_CLOEXEC

static void check(int right, const char *what)
{
	if (right)
		return;
	printf("%s failed\n", what);
	exit(1);
}

static int make(int flags)
{
	int fd = my_syscall2(__NR_eventfd2, 0, flags);

	check(fd >= 0, "eventfd2");
	return fd;
}

static void post(int fd)
{
	uint64_t one = 1;

	check(write(fd, &one, sizeof(one)) == sizeof(one), "write");
}

static void take(int fd)
{
	uint64_t value;

	check(read(fd, &value, sizeof(value)) == sizeof(value) && value == 1,
	      "read");
}

/* Whether the link of descriptor @fd says @name. */
static int is(int fd, const char *name)
{
	char path[32] = "/proc/self/fd/";
	char link[64] = "";

	strlcat(path, itoa(fd), sizeof(path));
	my_syscall4(__NR_readlinkat, AT_FDCWD, path, link, sizeof(link) - 1);
	return !strcmp(link, name);
}

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data = 42 };
	int requests = make(EFD_NONBLOCK | EFD_CLOEXEC);
	int answers = make(EFD_CLOEXEC);
	int epoll = my_syscall1(__NR_epoll_create1, EPOLL_CLOEXEC);
	int i, status, ours = 0, real = 0;
	pid_t child;

	check(!my_syscall4(__NR_epoll_ctl, epoll, EPOLL_CTL_ADD, requests,
			   &event), "epoll_ctl");
	child = fork();
	check(child >= 0, "fork");
	if (!child) {
		for (i = 0; i < ROUNDS; i++) {
			post(requests);
			take(answers);
		}
		return 0;
	}
	for (i = 0; i < ROUNDS; i++) {
		event.data = 0;
		check(my_syscall4(__NR_epoll_wait, epoll, &event, 1, -1) == 1 &&
		      event.data == 42, "epoll_wait");
		take(requests);
		post(answers);
	}
	check(waitpid(child, &status, 0) == child && !status, "the child");

	for (i = 0; i < 16; i++) {
		ours += is(i, "anon_inode:[evfd]");
		real += is(i, "anon_inode:[eventfd]");
	}
	printf("descriptors: evfd x %d, eventfd x %d\n", ours, real);
	printf("%d writes seen by epoll in another process\n", ROUNDS);
	return 0;
}
