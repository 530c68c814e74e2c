/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Modules that come and go: evfd.ko and those that use it.
 *
 * For tests that need root and a guest of their own; module_test.c is about it.
 * Uses evfd_test.h.
 */
#ifndef _EVFD_MODULE_H
#define _EVFD_MODULE_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "evfd_test.h"

/* Loads the file @path, or NULL, which is none. Returns 0 or -errno. */
static inline int evfd_module_load(const char *path)
{
	int fd = open(path ?: "", O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);

	return ret;
}

/* Returns 0 or -errno: -EWOULDBLOCK where somebody uses it. */
static inline int evfd_module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

/*
 * The last reference to a file may be dropped a moment after the call that
 * closed it: by a worker of the kernel, as for sockets and io_uring.
 */
static inline int evfd_module_unload_soon(const char *name)
{
	int ret;

	evfd_test_until((ret = evfd_module_unload(name)) != -EWOULDBLOCK);
	return ret;
}

static inline bool evfd_module_is_loaded(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return !access(path, F_OK);
}

#endif /* _EVFD_MODULE_H */
