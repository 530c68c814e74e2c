/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that a library keeps open in a program that does not know of it.
 *
 * The program may close the descriptor, as daemons do with all that they did not
 * open, and its number may become another file. So each use begins with
 * evfd_keep_get(), which checks the descriptor. All functions may be called from a
 * signal handler, and none is a cancellation point: they use only system calls
 * and atomics. For evfd.c, which comes next, and tools/run; not installed.
 */
#ifndef _EVFD_KEEP_H
#define _EVFD_KEEP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct evfd_keep - a file that is kept open
 * @path: its path
 * @oflags: for open(2); O_CLOEXEC is added
 * @state: the descriptor or -1 in the low half; the number of changes in the high
 *	   half, as the same descriptor may come back
 * @dev: st_dev of the opened file
 * @ino: its st_ino
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
 * Returns a descriptor of the file, or -1 with errno. Opens it if it is not open,
 * and then sets *@opened; @opened may be NULL.
 */
int evfd_keep_get(struct evfd_keep *keep, bool *opened);

/* Closes @fd, which evfd_keep_get() opened. */
void evfd_keep_drop(struct evfd_keep *keep, int fd);

#endif /* _EVFD_KEEP_H */
