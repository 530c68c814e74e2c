/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The interface of libevfd: as <sys/eventfd.h>, for evfd.
 *
 * Link with -levfd, or `pkg-config --cflags --libs evfd`. All functions are
 * thread-safe and async-signal-safe; evfd_read() and evfd_write() are
 * cancellation points. They return -1 and set errno on failure, and leave errno
 * alone on success.
 */
#ifndef _SYS_EVFD_H
#define _SYS_EVFD_H

#include <stdint.h>

#include <linux/evfd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The value of a counter. */
typedef uint64_t evfd_t;

/*
 * Makes a counter that starts with @initval; @flags are of EVFD_CLOEXEC,
 * EVFD_NONBLOCK and EVFD_SEMAPHORE. Returns its descriptor.
 *
 * errno as for eventfd(2): EINVAL, EMFILE, ENFILE, ENOMEM; ENOSYS if the
 * module is not loaded or /dev/evfd is not there; EACCES or EPERM if it may not
 * be opened.
 *
 * /dev/evfd is opened once in a process, before main() if possible, and kept open,
 * so a later chroot() or loss of rights does no harm. Its descriptor has a number
 * near 1000 or near RLIMIT_NOFILE, and execve(2) closes it. A program may close it;
 * the next call opens it again.
 */
int evfd(unsigned int initval, int flags);

/* Does the same with a 64-bit initial value; EINVAL above EVFD_COUNT_MAX. */
int evfd64(evfd_t initval, int flags);

/*
 * Reads the counter into @value. Returns 0. errno as of read(2): EAGAIN, EINTR,
 * EBADF, EFAULT; the contents of @value are then undefined.
 */
int evfd_read(int fd, evfd_t *value);

/* Adds @value. Returns 0. errno as of write(2): EAGAIN, EINTR, EBADF, EINVAL. */
int evfd_write(int fd, evfd_t value);

#ifdef __cplusplus
}
#endif

#endif /* _SYS_EVFD_H */
