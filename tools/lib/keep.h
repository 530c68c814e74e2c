/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that a library keeps open in a program that does not know of it.
 *
 * The program may close the descriptor, as daemons do with all that they did
 * not open, and use its number for something else. So each use begins with
 * evfd_keep_get(), which makes sure whose the descriptor is. Only system calls
 * and atomics: everything here may be called from a signal handler, and nothing
 * is a cancellation point. Used by evfd.c, which is next to read, and by
 * tools/run; not installed.
 */
#ifndef _EVFD_KEEP_H
#define _EVFD_KEEP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct evfd_keep - a file that is kept open
 * @path: where it is
 * @oflags: how to open it; O_CLOEXEC is added
 * @state: the descriptor or -1 in the low half, above it how often it has
 *	   changed: the same number may come back
 * @dev: of what was opened, to know it by
 * @ino: the same
 */
struct evfd_keep {
	const char *path;
	int oflags;
	atomic_uint_least64_t state;
	atomic_ulong dev;
	atomic_ulong ino;
};

#define EVFD_KEEP(p, flags)	{ .path = (p), .oflags = (flags), .state = UINT32_MAX }

/*
 * Returns a descriptor of the file, which is opened if it is not open, or -1
 * with errno. *@opened says which it was; @opened may be NULL.
 */
int evfd_keep_get(struct evfd_keep *keep, bool *opened);

/* Closes @fd, which evfd_keep_get() opened. */
void evfd_keep_drop(struct evfd_keep *keep, int fd);

#endif /* _EVFD_KEEP_H */
