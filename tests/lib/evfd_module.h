/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loading and unloading of evfd.ko and the modules that use it. Uses evfd_test.h;
 * selftests/module_test.c shows how to use it. Needs root and a guest.
 */
#ifndef _EVFD_MODULE_H
#define _EVFD_MODULE_H

#include "evfd_test.h"

/* Loads the file @path, which may be NULL. Returns 0 or -errno. */
int evfd_module_load(const char *path);

/* Returns 0 or -errno: -EWOULDBLOCK for a module in use. */
int evfd_module_unload(const char *name);

/*
 * The last reference to a file may be dropped a moment after the call that
 * closed it: by a worker of the kernel, as for sockets and io_uring.
 */
int evfd_module_unload_soon(const char *name);

bool evfd_module_is_loaded(const char *name);

#endif /* _EVFD_MODULE_H */
