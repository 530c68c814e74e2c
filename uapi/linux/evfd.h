/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The user-space ABI of evfd: an ioctl on /dev/evfd makes a counter, another one
 * tells what this kernel's evfd can do.
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

/* The highest value that a counter can hold through writes: 2^64 - 2. */
#define EVFD_COUNT_MAX	0xfffffffffffffffeULL

/**
 * struct evfd_create - the argument of EVFD_IOC_CREATE
 * @flags: any of EVFD_CLOEXEC, EVFD_NONBLOCK and EVFD_SEMAPHORE.
 * @initval: the initial count, at most EVFD_COUNT_MAX.
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
 * struct evfd_features - what EVFD_IOC_FEATURES returns
 * @flags: the flags of struct evfd_create that this kernel knows.
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
 * EINVAL	a bit in flags that is not known, initval is 2^64 - 1, or the
 *		structure is shorter than EVFD_CREATE_SIZE_VER0
 * E2BIG	the structure is longer than the kernel's and the part that the
 *		kernel does not know is not zero; or it is longer than a page
 * EFAULT	the structure cannot be read
 * EMFILE	the process has as many descriptors as RLIMIT_NOFILE allows
 * ENFILE	the system has as many open files as fs.file-max allows
 * ENOMEM	no memory for it, or the memory cgroup's limit is reached
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

#endif /* _UAPI_LINUX_EVFD_H */
