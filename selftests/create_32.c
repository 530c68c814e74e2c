// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 32-bit program that makes a counter and uses it; create_test.c runs it on a
 * 64-bit kernel. It has no C library, since Debian installs none for 32 bits:
 * only int 0x80 and the ABI in uapi/linux/evfd.h.
 *
 * Exits with 0, or with the number of the first step that failed.
 */
#include <linux/evfd.h>

/* From i386's asm/unistd_32.h, asm-generic/fcntl.h and asm-generic/poll.h. */
#define NR_EXIT		1
#define NR_READ		3
#define NR_WRITE	4
#define NR_OPEN		5
#define NR_IOCTL	54
#define NR_READV	145
#define NR_WRITEV	146
#define NR_POLL		168
#define O_RDWR		2
#define EAGAIN		11
#define EFAULT		14
#define EINVAL		22
#define POLLIN		1
#define POLLOUT		4

struct pollfd {
	int fd;
	short events;
	short revents;
};

struct iovec {
	void *base;
	unsigned int len;
};

static int syscall3(int nr, unsigned int a, unsigned int b, unsigned int c)
{
	int ret;

	__asm__ volatile ("int $0x80" : "=a" (ret)
			  : "a" (nr), "b" (a), "c" (b), "d" (c) : "memory");
	return ret;
}

#define ARG(pointer)	((unsigned int)(pointer))

static int poll_now(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	if (syscall3(NR_POLL, ARG(&p), 1, 0) < 0)
		return -1;
	return p.revents;
}

static void step(int n, int ok)
{
	if (!ok)
		syscall3(NR_EXIT, n, 0, 0);
}

static void run(void)
{
	struct evfd_create arg = {
		.flags = EVFD_NONBLOCK | EVFD_CLOEXEC,
		.initval = 0x1122334455667788ULL,
	};
	unsigned long long value = 0;
	unsigned long long more[2] = { 3, 4 };
	struct iovec out[2] = { { &more[0], 8 }, { &more[1], 8 } };
	struct iovec in[2] = { { &value, 4 }, { (char *)&value + 4, 4 } };
	int dev, fd;

	dev = syscall3(NR_OPEN, ARG("/dev/evfd"), O_RDWR, 0);
	step(1, dev >= 0);
	fd = syscall3(NR_IOCTL, dev, EVFD_IOC_CREATE, ARG(&arg));
	step(2, fd >= 0);

	/* All 64 bits of the initial value arrived. */
	step(3, poll_now(fd) == (POLLIN | POLLOUT));
	step(4, syscall3(NR_READ, fd, ARG(&value), 8) == 8);
	step(5, value == 0x1122334455667788ULL);
	step(6, poll_now(fd) == POLLOUT);
	step(7, syscall3(NR_READ, fd, ARG(&value), 8) == -EAGAIN);

	value = EVFD_COUNT_MAX;
	step(8, syscall3(NR_WRITE, fd, ARG(&value), 8) == 8);
	step(9, poll_now(fd) == POLLIN);
	step(10, syscall3(NR_WRITE, fd, ARG(&value), 8) == -EAGAIN);
	step(11, syscall3(NR_WRITE, fd, ARG(&value), 4) == -EINVAL);
	step(12, syscall3(NR_READV, fd, ARG(in), 2) == 8);
	step(13, value == EVFD_COUNT_MAX);
	step(14, syscall3(NR_WRITEV, fd, ARG(out), 2) == 16);
	step(15, syscall3(NR_READ, fd, ARG(&value), 8) == 8);
	step(16, value == 7);

	/* A kick's argument is a number, whatever bits it has. */
	arg.flags |= EVFD_SHARED;
	fd = syscall3(NR_IOCTL, dev, EVFD_IOC_CREATE, ARG(&arg));
	step(18, fd >= 0);
	step(19, syscall3(NR_IOCTL, fd, EVFD_IOC_KICK, 0) == 0);
	step(20, syscall3(NR_IOCTL, fd, EVFD_IOC_KICK, ~0U) == 0);
	step(21, syscall3(NR_IOCTL, fd, EVFD_IOC_FLAGS, ARG(&value)) == 0);
	step(22, value == EVFD_SHARED);
	step(23, syscall3(NR_IOCTL, fd, EVFD_IOC_FLAGS, 0) == -EFAULT);

	arg.initval = ~0ULL;
	step(17, syscall3(NR_IOCTL, dev, EVFD_IOC_CREATE, ARG(&arg)) == -EINVAL);
}

void __attribute__((force_align_arg_pointer)) _start(void)
{
	run();
	syscall3(NR_EXIT, 0, 0, 0);
}
