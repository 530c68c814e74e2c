/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Modules that come and go: evfd.ko and those that use it.
 *
 * For tests that need root and a guest of their own; selftests/module_test.c is
 * about it.
 */
#ifndef _EVFD_MODULE_H
#define _EVFD_MODULE_H

#include "evfd_test.h"

/* Loads the file @path, or NULL, which is none. Returns 0 or -errno. */
int evfd_module_load(const char *path);

/* Returns 0 or -errno: -EWOULDBLOCK where somebody uses it. */
int evfd_module_unload(const char *name);

/*
 * The last reference to a file may be dropped a moment after the call that
 * closed it: by a worker of the kernel, as for sockets and io_uring.
 */
int evfd_module_unload_soon(const char *name);

bool evfd_module_is_loaded(const char *name);

#endif /* _EVFD_MODULE_H */
