// SPDX-License-Identifier: GPL-2.0-only
/* Keeping a file open in a program that does not know of it, see keep.h. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "keep.h"

/*
 * Programs rely on a new descriptor being the lowest free one. So ours is at this
 * number or above, or in the last eighth below the limit.
 */
#define KEEP_FD_MIN	1000

/* open() and close() are cancellation points; these are not. */
static int keep_open(const char *path, int oflags)
{
	return syscall(SYS_openat, AT_FDCWD, path, oflags | O_CLOEXEC, 0666);
}

static void keep_close(int fd)
{
	syscall(SYS_close, fd);
}

/* Moves @fd up, if there is a free number. */
static int keep_move_up(int fd)
{
	int min = KEEP_FD_MIN;
	struct rlimit limit;
	int high;

	if (!getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur <= KEEP_FD_MIN)
		min = limit.rlim_cur - limit.rlim_cur / 8;
	high = fcntl(fd, F_DUPFD_CLOEXEC, min);
	if (high < 0)
		return fd;
	keep_close(fd);
	return high;
}

static int keep_fd(uint64_t state)
{
	return (int32_t)state;
}

/* Changes the state from *@state. Fails and updates *@state if another thread did. */
static bool keep_change(struct evfd_keep *keep, uint64_t *state, int fd)
{
	uint64_t next = ((*state >> 32) + 1) << 32 | (uint32_t)fd;

	return atomic_compare_exchange_strong(&keep->state, state, next);
}

static bool keep_is_ours(const struct evfd_keep *keep, int fd)
{
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) &&
	       (unsigned long)st.st_dev == atomic_load(&keep->dev) &&
	       (unsigned long)st.st_ino == atomic_load(&keep->ino);
}

int evfd_keep_get(struct evfd_keep *keep, bool *opened)
{
	uint64_t state = atomic_load(&keep->state);
	struct stat st;
	int fd;

	if (opened)
		*opened = false;
	if (keep_is_ours(keep, keep_fd(state)))
		return keep_fd(state);

	/* Another file may have the old number now: it is not closed. */
	fd = keep_open(keep->path, keep->oflags);
	if (fd < 0)
		return -1;
	fd = keep_move_up(fd);
	if (fstat(fd, &st)) {
		keep_close(fd);
		return -1;
	}
	atomic_store(&keep->dev, st.st_dev);
	atomic_store(&keep->ino, st.st_ino);

	if (keep_change(keep, &state, fd)) {
		if (opened)
			*opened = true;
		return fd;
	}

	/* Another thread was faster; use its descriptor. */
	keep_close(fd);
	return keep_fd(state);
}

void evfd_keep_drop(struct evfd_keep *keep, int fd)
{
	uint64_t state = atomic_load(&keep->state);

	if (keep_fd(state) == fd && keep_change(keep, &state, -1))
		keep_close(fd);
}
