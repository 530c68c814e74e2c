// SPDX-License-Identifier: GPL-2.0-only
#include <sys/syscall.h>

#include "evfd_module.h"

int evfd_module_load(const char *path)
{
	int fd = open(path ?: "", O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);

	return ret;
}

int evfd_module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

int evfd_module_unload_soon(const char *name)
{
	int ret;

	evfd_test_until((ret = evfd_module_unload(name)) != -EWOULDBLOCK);
	return ret;
}

bool evfd_module_is_loaded(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return !access(path, F_OK);
}
