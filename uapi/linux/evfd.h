/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The user-space ABI of evfd: an ioctl on /dev/evfd makes a counter, another one
 * tells what this kernel's evfd can do. A counter with EVFD_SHARED has a page
 * that user space maps, and two ioctls of its own.
 *
 * Everything else a program does with the descriptor it gets (read, write,
 * poll, fcntl, ...) is as eventfd(2) documents it; docs/differences.md lists the
 * exceptions. This header needs nothing but the two it includes, and means the
 * same on every architecture and to 32-bit programs on a 64-bit kernel.
 */
#ifndef _UAPI_LINUX_EVFD_H
#define _UAPI_LINUX_EVFD_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * Flags of struct evfd_create. They are bits of evfd's own, alike on every
 * architecture: EFD_CLOEXEC and EFD_NONBLOCK are not, so a program that has
 * those translates them.
 */

/* Close the descriptor on execve(2). A property of the descriptor. */
#define EVFD_CLOEXEC	0x1

/*
 * Set O_NONBLOCK: an operation that would block fails with EAGAIN. A property
 * of the open file; fcntl(F_SETFL) changes it later.
 */
#define EVFD_NONBLOCK	0x2

/*
 * A read takes 1 off the counter and returns 1, instead of taking all of it.
 * A property of the counter; it cannot be changed later.
 */
#define EVFD_SEMAPHORE	0x4

/*
 * Keep the count in a page that mmap(2) maps, see struct evfd_page. A property of
 * the counter; it cannot be changed later.
 */
#define EVFD_SHARED	0x8

/* The highest value that a counter can hold through writes: 2^64 - 2. */
#define EVFD_COUNT_MAX	0xfffffffffffffffeULL

/*
 * The same with EVFD_SHARED: 2^63 - 1. Programs add without a lock, so adds that
 * happen at once may pass it, each by less than 2^32; they stay far from 2^64, where
 * the count would start at 0 again.
 */
#define EVFD_SHARED_MAX	0x7fffffffffffffffULL

/**
 * struct evfd_create - the argument of EVFD_IOC_CREATE
 * @flags: any of EVFD_CLOEXEC, EVFD_NONBLOCK, EVFD_SEMAPHORE and EVFD_SHARED.
 * @initval: the initial count, at most EVFD_COUNT_MAX; with EVFD_SHARED at most
 *	EVFD_SHARED_MAX.
 *
 * The kernel reads the structure and never writes it. It may grow at its end:
 * the size is part of the ioctl's number, an absent tail counts as zero, and a
 * tail that the kernel does not know must be zero.
 */
struct evfd_create {
	__aligned_u64 flags;
	__aligned_u64 initval;
};

/*
 * The size of the first published struct evfd_create, in bytes. It never
 * changes; a longer structure adds EVFD_CREATE_SIZE_VER1.
 */
#define EVFD_CREATE_SIZE_VER0	16

/**
 * struct evfd_page - what a program maps of a counter with EVFD_SHARED
 * @count: the count. Every program that maps it may change it.
 * @armed: any of EVFD_ARMED_ADD and EVFD_ARMED_TAKE. The kernel sets and clears
 *	them; programs only read them.
 * @__reserved: 0, not to be written.
 *
 * mmap(2) with offset 0, a length of one page and MAP_SHARED maps it; PROT_READ
 * suffices to watch. A different offset or length, or MAP_PRIVATE: EINVAL.
 * PROT_EXEC, or PROT_READ in a process with READ_IMPLIES_EXEC of personality(2):
 * EPERM. The rest of the page is not for use. It lives as long as a mapping or a
 * descriptor of the counter.
 *
 * The rules for programs that add and take without a system call:
 *
 * 1. All accesses to @count are atomic, of 8 bytes.
 * 2. To add n, at least 1: there is room if @count + n, not wrapped, is at most
 *    EVFD_SHARED_MAX. Then fetch-and-add n if it is below 2^32, otherwise
 *    compare-and-exchange, as long as there is room. If there is none, write(2) n,
 *    which waits for room. A @count above EVFD_SHARED_MAX, by adds that happened at
 *    once or by in-kernel signals, is valid; then there is no room.
 * 3. To take: exchange @count with 0; from an EVFD_SEMAPHORE, compare-and-exchange
 *    it with one less. A count of 0 cannot be taken from; read(2) waits for one.
 * 4. After an update of @count, a full barrier, then read @armed. A locked
 *    instruction of x86 is a full barrier. Elsewhere use a sequentially consistent
 *    fence, or make both accesses sequentially consistent; acquire and release order
 *    is not enough.
 * 5. If EVFD_ARMED_ADD is set after an add of n, EVFD_IOC_KICK with n; with 0, which
 *    wakes as many, if n is above 2^31 - 1.
 * 6. If EVFD_ARMED_TAKE is set after a take, EVFD_IOC_KICK with 0.
 * 7. A program whose ioctl(2) fails with EPERM, EACCES or ENOSYS, as in a sandbox,
 *    writes 0 with write(2) for either kick. Not after ENOTTY or EBADF: the descriptor
 *    is not the counter's, and the write would be to another file. While @count is
 *    above EVFD_SHARED_MAX, such a write wakes and then waits for a take, or fails
 *    with EAGAIN.
 * 8. Keep the descriptor open, or a duplicate, for the kick. The number of a
 *    closed one may by then be another file.
 * 9. read(2), write(2), poll(2) and the like work as on any counter, and may be
 *    mixed with this.
 * 10. A program that waits for an epoll set itself, edge-triggered (EPOLLET in an outer
 *    set, a multishot poll of io_uring), calls epoll_wait(2) on it until it returns 0
 *    before it waits again. Otherwise it may not be told of the other counters in
 *    the set.
 * 11. All programs that share a counter trust each other: each can set @count and
 *    @armed to anything, and so lose counts and wakeups of the others. It can do no
 *    harm to a program that does not use the counter.
 */
struct evfd_page {
	__aligned_u64 count;
	__u32 armed;
	__u32 __reserved;
};

/* A waiter must be told of the next add: EVFD_IOC_KICK has to follow it. */
#define EVFD_ARMED_ADD	0x1

/* A waiter must be told of the next take: EVFD_IOC_KICK has to follow it. */
#define EVFD_ARMED_TAKE	0x2

/**
 * struct evfd_features - what EVFD_IOC_FEATURES returns
 * @flags: the flags of struct evfd_create that this kernel supports.
 * @create_size: the size of struct evfd_create that this kernel knows, in bytes.
 * @__reserved: 0.
 *
 * The kernel writes the structure and never reads it. It may grow at its end: a
 * caller with a shorter one gets the part that it knows, and the tail of a longer
 * one is set to zero.
 */
struct evfd_features {
	__aligned_u64 flags;
	__u32 create_size;
	__u32 __reserved;
};

/* The size of the first published struct evfd_features, in bytes. */
#define EVFD_FEATURES_SIZE_VER0	16

/*
 * Type 0xEF, numbers 0x00 to 0x1f: no other driver is registered there. As a line
 * of the kernel's Documentation/userspace-api/ioctl/ioctl-number.rst:
 *
 * 0xEF  00-1F  linux/evfd.h
 */
#define EVFD_IOC_TYPE	0xEF

/*
 * EVFD_IOC_CREATE, on an open /dev/evfd: make a counter.
 *
 * Returns a new file descriptor, at least 0. On an error it returns -1, and no
 * descriptor, file or counter is left behind. errno is then
 *
 * EINVAL	a bit in flags that is not known, initval is above its maximum, or
 *		the structure is shorter than EVFD_CREATE_SIZE_VER0
 * E2BIG	the structure is longer than the kernel's and the part that the
 *		kernel does not know is not zero; or it is longer than a page
 * EFAULT	the structure cannot be read
 * EMFILE	the process has as many descriptors as RLIMIT_NOFILE allows
 * ENFILE	the system has as many open files as fs.file-max allows
 * ENOMEM	no memory for it, or the memory cgroup's limit is reached
 * EOPNOTSUPP	EVFD_SHARED, on a machine that has no 64-bit atomic instructions, or
 *		whose data caches may disagree about a page that is mapped twice
 *
 * Any other command fails with ENOTTY, but for EVFD_IOC_FEATURES and those that
 * all files have.
 */
#define EVFD_IOC_CREATE	_IOW(EVFD_IOC_TYPE, 0x00, struct evfd_create)

/*
 * EVFD_IOC_FEATURES, on an open /dev/evfd: which flags this kernel knows.
 *
 * A program asks once instead of probing with calls that fail. Returns 0, or -1
 * with errno
 *
 * EINVAL	the structure is shorter than EVFD_FEATURES_SIZE_VER0
 * E2BIG	it is longer than a page
 * EFAULT	it cannot be written
 */
#define EVFD_IOC_FEATURES	_IOR(EVFD_IOC_TYPE, 0x01, struct evfd_features)

/*
 * EVFD_IOC_KICK, on a counter with EVFD_SHARED: wake the waiters, after the caller
 * updated the page and saw one of EVFD_ARMED_*.
 *
 * The argument is no pointer but a number, an unsigned long: how much the caller
 * added, in units of the count, or 0 after a take. In semaphore mode it wakes so
 * many blocked readers; more than the count, or 0, wakes as many as the count can
 * serve. Only 0 wakes those that wait for room. A kick too many does no harm. It
 * never waits. Returns 0, or -1 with errno
 *
 * ENOTTY	not a counter with EVFD_SHARED
 */
#define EVFD_IOC_KICK	_IO(EVFD_IOC_TYPE, 0x10)

/*
 * EVFD_IOC_FLAGS, on a counter with EVFD_SHARED: EVFD_SHARED, and EVFD_SEMAPHORE if
 * it is one. For a program that was passed the descriptor and has to know how
 * to take. Returns 0, or -1 with errno
 *
 * EFAULT	the argument cannot be written
 * ENOTTY	not a counter with EVFD_SHARED
 */
#define EVFD_IOC_FLAGS	_IOR(EVFD_IOC_TYPE, 0x11, __u64)

#endif /* _UAPI_LINUX_EVFD_H */
