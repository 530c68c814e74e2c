/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The interface of libevfd: as <sys/eventfd.h>, for evfd.
 *
 * Link with -levfd, or `pkg-config --cflags --libs evfd`. All functions are
 * thread-safe and async-signal-safe; evfd_read(), evfd_write(), evfd_post() and
 * evfd_take() are cancellation points. They return -1 and set errno on failure, and
 * leave errno alone on success.
 */
#ifndef _SYS_EVFD_H
#define _SYS_EVFD_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/evfd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The value of a counter. */
typedef uint64_t evfd_t;

/*
 * Makes a counter that starts with @initval; @flags are of EVFD_CLOEXEC,
 * EVFD_NONBLOCK, EVFD_SEMAPHORE and EVFD_SHARED. Returns its descriptor.
 *
 * errno as for eventfd(2): EINVAL, EMFILE, ENFILE, ENOMEM; ENOSYS if the
 * module is not loaded or /dev/evfd is not there; EACCES or EPERM if it may not
 * be opened; EOPNOTSUPP if this machine cannot do EVFD_SHARED.
 *
 * /dev/evfd is opened once in a process, before main() if possible, and kept open,
 * so a later chroot() or loss of rights does no harm. Its descriptor has a number
 * near 1000 or near RLIMIT_NOFILE, and execve(2) closes it. A program may close it;
 * the next call opens it again.
 */
int evfd(unsigned int initval, int flags);

/*
 * Does the same with a 64-bit initial value; EINVAL above EVFD_COUNT_MAX, with
 * EVFD_SHARED above EVFD_SHARED_MAX.
 */
int evfd64(evfd_t initval, int flags);

/*
 * Reads the counter into @value. Returns 0. errno as of read(2): EAGAIN, EINTR,
 * EBADF, EFAULT; the contents of @value are then undefined.
 */
int evfd_read(int fd, evfd_t *value);

/* Adds @value. Returns 0. errno as of write(2): EAGAIN, EINTR, EBADF, EINVAL. */
int evfd_write(int fd, evfd_t value);

/*
 * Counters with EVFD_SHARED, without a system call.
 *
 * evfd_map() maps the counter's page; evfd_post() and evfd_take() then are what
 * evfd_write() and evfd_read() are, but enter the kernel only if there is a waiter, no
 * room, or nothing to take. Both kinds may be used
 * at once, by threads and processes, on one counter. The descriptor can be polled
 * as that of any counter:
 *
 *	producer			consumer
 *	evfd_map(&m, fd);		evfd_map(&m, fd);
 *	put an item into a ring;	while (poll(fd) ...) {
 *	evfd_post(&m, 1);			while (!evfd_try_take(&m, &n))
 *							use n items;
 *					}
 *
 * struct evfd_page in <linux/evfd.h> has the rules, for programs in other languages.
 * In a sandbox without ioctl(2), evfd_try_post() and evfd_try_take() may wait for a take
 * if the count is above EVFD_SHARED_MAX and the file is a blocking one.
 *
 * All programs that map a counter trust each other. Functions of one mapping are
 * thread-safe and async-signal-safe, but for evfd_map() and evfd_unmap(). They are
 * inline and need no library.
 */

/*
 * Without lock-free atomics of 8 bytes the compiler would call a library, whose lock
 * the kernel does not know: then these functions are absent.
 */
#if __GCC_ATOMIC_LLONG_LOCK_FREE == 2

/* A mapped counter. Only evfd_map() sets it. After fork(2) it is usable in both. */
struct evfd_mapping {
	struct evfd_page *page;
	/* A duplicate: if the caller's is closed, its number may be reused. */
	int fd;
	int semaphore;
};

/*
 * Maps the counter @fd. @fd may be closed afterwards. Returns 0, or -1 with errno:
 * EBADF, ENOTTY (not a counter with EVFD_SHARED), EMFILE, ENOMEM, EPERM (a process
 * with READ_IMPLIES_EXEC of personality(2)).
 */
static inline int evfd_map(struct evfd_mapping *mapping, int fd)
{
	__u64 flags;
	void *page;
	int saved;

	if (ioctl(fd, EVFD_IOC_FLAGS, &flags))
		return -1;
	mapping->semaphore = !!(flags & EVFD_SEMAPHORE);
	mapping->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (mapping->fd < 0)
		return -1;
	page = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
		    MAP_SHARED, mapping->fd, 0);
	if (page == MAP_FAILED) {
		saved = errno;
		close(mapping->fd);
		errno = saved;
		return -1;
	}
	mapping->page = (struct evfd_page *)page;
	return 0;
}

/* Undoes evfd_map(). */
static inline void evfd_unmap(struct evfd_mapping *mapping)
{
	munmap(mapping->page, sysconf(_SC_PAGESIZE));
	close(mapping->fd);
}

/* Those with "__" are not for programs, and may change. */

/* EVFD_SHARED_MAX, without a constant that C89 and C++98 do not have. */
#define __EVFD_MAX	(~(evfd_t)0 >> 1)

/*
 * The kick, after an update that @bit asks about. @n: what was added, or 0.
 *
 * The update and this load are sequentially consistent, so no machine lets the load
 * pass the update: x86 has a locked instruction before it; arm64 keeps LDAR behind
 * STLXR and LDADDAL; others have a fence in one of the two.
 */
static inline void __evfd_kick(const struct evfd_mapping *mapping, evfd_t n, __u32 bit)
{
	__u32 armed = __atomic_load_n(&mapping->page->armed, __ATOMIC_SEQ_CST);
	const evfd_t zero = 0;
	int saved;

	if (__builtin_expect(!(armed & bit), 1))
		return;
	saved = errno;
	/*
	 * A sandbox may refuse ioctl(2); a write of 0 does the same. After any other
	 * error the descriptor is not the counter's, and nothing may be written.
	 */
	if (ioctl(mapping->fd, EVFD_IOC_KICK, (unsigned long)(n >> 31 ? 0 : n)) &&
	    (errno == EPERM || errno == EACCES || errno == ENOSYS) &&
	    write(mapping->fd, &zero, sizeof(zero)) < 0) {
		/* EAGAIN above the limit: it has woken all the same. */
	}
	errno = saved;
}

/*
 * The count, after a full barrier: a call that finds nothing to take, or no room,
 * orders memory as read(2) and write(2) do.
 */
static inline evfd_t __evfd_count_ordered(const struct evfd_mapping *mapping)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&mapping->page->count, __ATOMIC_ACQUIRE);
}

/* One attempt to add. Returns 0, or the errno of evfd_try_post() as a negative. */
static inline int __evfd_post_once(const struct evfd_mapping *mapping, evfd_t value)
{
	/* Not a pointer to __u64, which 32-bit machines may align to 4. */
	struct evfd_page *page = mapping->page;
	__u64 count = __atomic_load_n(&page->count, __ATOMIC_RELAXED);

	if (__builtin_expect(!(value >> 32) && count <= __EVFD_MAX - value, 1)) {
		/* Other threads may add at once: far from 2^64, they pass the maximum. */
		__atomic_fetch_add(&page->count, value, __ATOMIC_SEQ_CST);
	} else {
		if (value > __EVFD_MAX)
			return -EINVAL;
		do {
			/* Subtract, do not add: the sum may wrap. */
			if (count > __EVFD_MAX - value)
				count = __evfd_count_ordered(mapping);
			if (count > __EVFD_MAX - value)
				return -EAGAIN;
		} while (!__atomic_compare_exchange_n(&page->count, &count, count + value,
						      0, __ATOMIC_SEQ_CST,
						      __ATOMIC_RELAXED));
	}
	__evfd_kick(mapping, value, EVFD_ARMED_ADD);
	return 0;
}

/* One attempt to take. Returns 0, or the errno of evfd_try_take() as a negative. */
static inline int __evfd_take_once(const struct evfd_mapping *mapping, evfd_t *value)
{
	struct evfd_page *page = mapping->page;
	__u64 count = __atomic_load_n(&page->count, __ATOMIC_RELAXED);
	__u64 taken;

	do {
		if (!count)
			count = __evfd_count_ordered(mapping);
		if (!count)
			return -EAGAIN;
		if (mapping->semaphore) {
			taken = __atomic_compare_exchange_n(&page->count, &count,
							    count - 1, 0,
							    __ATOMIC_SEQ_CST,
							    __ATOMIC_RELAXED);
		} else {
			taken = __atomic_exchange_n(&page->count, 0, __ATOMIC_SEQ_CST);
			count = taken;
		}
	} while (__builtin_expect(!taken, 0));

	*value = taken;
	__evfd_kick(mapping, 0, EVFD_ARMED_TAKE);
	return 0;
}

/*
 * Adds @value if there is room. Returns 0, or -1 with errno: EAGAIN, or EINVAL for a
 * value above EVFD_SHARED_MAX.
 */
static inline int evfd_try_post(const struct evfd_mapping *mapping, evfd_t value)
{
	int error = __evfd_post_once(mapping, value);

	if (__builtin_expect(!error, 1))
		return 0;
	errno = -error;
	return -1;
}

/*
 * Adds @value, as evfd_write(): waits for room, unless the file is non-blocking. If a
 * waiter is there before, write(2) adds and tells; that is cheaper than to add
 * and kick.
 */
static inline int evfd_post(const struct evfd_mapping *mapping, evfd_t value)
{
	__u32 armed = __atomic_load_n(&mapping->page->armed, __ATOMIC_RELAXED);

	if (__builtin_expect(!(armed & EVFD_ARMED_ADD), 1) &&
	    __builtin_expect(!__evfd_post_once(mapping, value), 1))
		return 0;
	return write(mapping->fd, &value, sizeof(value)) == sizeof(value) ? 0 : -1;
}

/*
 * Takes what evfd_read() would, and stores it in @value. Returns 0, or -1 with errno
 * EAGAIN if there is nothing.
 */
static inline int evfd_try_take(const struct evfd_mapping *mapping, evfd_t *value)
{
	int error = __evfd_take_once(mapping, value);

	if (__builtin_expect(!error, 1))
		return 0;
	errno = -error;
	return -1;
}

/* Takes, as evfd_read(): waits for a count, unless the file is non-blocking. */
static inline int evfd_take(const struct evfd_mapping *mapping, evfd_t *value)
{
	if (__builtin_expect(!__evfd_take_once(mapping, value), 1))
		return 0;
	return read(mapping->fd, value, sizeof(*value)) == sizeof(*value) ? 0 : -1;
}

#endif /* __GCC_ATOMIC_LLONG_LOCK_FREE */

#ifdef __cplusplus
}
#endif

#endif /* _SYS_EVFD_H */
