// SPDX-License-Identifier: GPL-2.0-only
/* What keeps a counter alive, and what keeps the module loaded. */
#include "tour.h"

#define UNLOAD() CALL(syscall(SYS_delete_module, "evfd", O_NONBLOCK))

void tour(void)
{
	int fd = EVFD(0, 0), copy;
	void *nothing;

	UNLOAD();
	copy = CALL(dup(fd));
	CALL(close(fd));
	UNLOAD();
	/* A mapping would hold the file, too, but evfd has none. */
	nothing = mmap(NULL, 4096, PROT_READ, MAP_SHARED, copy, 0);
	must(nothing == MAP_FAILED && errno == ENODEV);
	CALL(close(copy));
	NOTE("now nothing holds the module any more");
}
