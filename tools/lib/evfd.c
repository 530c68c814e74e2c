// SPDX-License-Identifier: GPL-2.0-only
/*
 * libevfd: the C library's eventfd functions, for evfd.
 *
 * sys/evfd.h documents the functions. Uses keep.h, which keeps /dev/evfd open.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <sys/evfd.h>

#include "keep.h"

#define FLAGS \
	(EVFD_CLOEXEC | EVFD_NONBLOCK | EVFD_SEMAPHORE | EVFD_SHARED)

static struct evfd_keep device = EVFD_KEEP("/dev/evfd", O_RDWR);

/*
 * Before main(): a program may change its root, drop its rights or use up its
 * descriptors before it makes its first counter. If this fails, that first call
 * tries again and returns the error.
 */
__attribute__((constructor))
static void evfd_init(void)
{
	int saved = errno;

	evfd_keep_get(&device, NULL);
	errno = saved;
}

/* Maps an errno of open() to one of evfd(). */
static void evfd_open_failed(void)
{
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case EACCES:
	case EPERM:
		return;
	}
	/* There is no file, or no driver for it. */
	errno = ENOSYS;
}

int evfd64(evfd_t initval, int flags)
{
	struct evfd_create arg = { .flags = flags, .initval = initval };
	int saved = errno;
	bool opened;
	int dev, fd;

	if ((flags & ~FLAGS) ||
	    initval > (flags & EVFD_SHARED ? EVFD_SHARED_MAX : EVFD_COUNT_MAX)) {
		errno = EINVAL;
		return -1;
	}

	/* EBADF: another thread closed it, after evfd_keep_get() looked. */
	do {
		dev = evfd_keep_get(&device, &opened);
		if (dev < 0) {
			evfd_open_failed();
			return -1;
		}
		fd = ioctl(dev, EVFD_IOC_CREATE, &arg);
	} while (fd < 0 && errno == EBADF);

	if (fd >= 0) {
		errno = saved;
		return fd;
	}

	/* The device is another driver's. */
	if (errno == ENOTTY)
		errno = ENOSYS;
	/* After an error the program has as many descriptors as before. */
	if (opened) {
		saved = errno;
		evfd_keep_drop(&device, dev);
		errno = saved;
	}
	return -1;
}

int evfd(unsigned int initval, int flags)
{
	return evfd64(initval, flags);
}

int evfd_read(int fd, evfd_t *value)
{
	ssize_t ret = read(fd, value, sizeof(*value));

	if (ret == sizeof(*value))
		return 0;
	/* @fd is not a counter. */
	if (ret >= 0)
		errno = EINVAL;
	return -1;
}

int evfd_write(int fd, evfd_t value)
{
	ssize_t ret = write(fd, &value, sizeof(value));

	if (ret == sizeof(value))
		return 0;
	if (ret >= 0)
		errno = EINVAL;
	return -1;
}
