// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "world.h"

struct world *world;
int world_fd;

bool world_join(int fd)
{
	world_fd = fd;
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, 0);

	return world != MAP_FAILED;
}

bool world_make(void)
{
	int fd = syscall(SYS_memfd_create, "stress", 0);

	return fd >= 0 && !ftruncate(fd, sizeof(*world)) && world_join(fd);
}

void fail(const char *format, ...)
{
	int not_yet = 0;
	va_list args;

	if (!atomic_compare_exchange_strong(&world->failed, &not_yet, 1))
		return;
	va_start(args, format);
	vsnprintf(world->why, sizeof(world->why), format, args);
	va_end(args);
}

struct slot *slot_get(void)
{
	int i;

	for (i = 0; i < NR_SLOTS; i++) {
		struct slot *slot = &world->slots[i];
		int unused = 0;

		if (atomic_compare_exchange_strong(&slot->used, &unused, 1)) {
			slot->wants = NOTHING;
			slot->closeable = -1;
			slot->pid = 0;
			slot->tid = 0;
			slot->state = RUNNING;
			return slot;
		}
	}

	return NULL;
}

void slot_put(struct slot *slot)
{
	slot->state = FREE;
	slot->used = 0;
}

void slot_take_over(struct slot *slot)
{
	slot->pid = getpid();
	slot->tid = gettid();
}

void slot_rest(struct slot *slot)
{
	while (world->pause && !world->stop) {
		slot->state = PARKED;
		syscall(SYS_futex, &world->pause, FUTEX_WAIT, 1, NULL, NULL, 0);
	}
	slot->state = RUNNING;
}

void wake_tasks(void)
{
	world->pause = 0;
	syscall(SYS_futex, &world->pause, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

uint64_t count_of(const struct counter *c)
{
	uint64_t count = 0;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", c->fd);
	if (evfd_test_proc(path, "evfd-count:", "%" SCNx64, &count))
		fail("no evfd-count in %s", path);

	return count;
}

uint64_t counter_add(struct counter *c, uint64_t n)
{
	struct iovec iov = { &n, 8 };

	if (pwritev2(c->fd, &iov, 1, -1, RWF_NOWAIT) != 8)
		return 0;
	atomic_fetch_add(&c->written, n);

	return n;
}

uint64_t counter_take(struct counter *c)
{
	uint64_t n = 0;
	struct iovec iov = { &n, 8 };

	if (preadv2(c->fd, &iov, 1, -1, RWF_NOWAIT) != 8)
		return 0;
	atomic_fetch_add(&c->read, n);

	return n;
}
