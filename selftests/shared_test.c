// SPDX-License-Identifier: GPL-2.0-only
/*
 * EVFD_SHARED: the page. Adding and taking in it, what mmap(2) refuses, how long it
 * lives, and what a program that writes anything into it can do.
 *
 * Uses libevfd's <sys/evfd.h> and evfd_task.h. shared_wake_test.c has tasks
 * that sleep, shared_poll_test.c pollers.
 */
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/evfd.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "evfd_poll.h"
#include "evfd_task.h"

#define MAX	EVFD_SHARED_MAX

static long page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* mmap(2) of @fd: 0, which unmaps it again, or -errno. */
static int try_map(int fd, size_t len, int prot, int flags, off_t offset)
{
	void *page = mmap(NULL, len, prot, flags, fd, offset);

	if (page == MAP_FAILED)
		return -errno;
	munmap(page, len);
	return 0;
}

static int kick(int fd, unsigned long n)
{
	return ioctl(fd, EVFD_IOC_KICK, n) ? -errno : 0;
}

FIXTURE(shared)
{
	struct evfd_mapping map;
	int fd;
};

FIXTURE_SETUP(shared)
{
	self->fd = evfd_test_create(EVFD_SHARED | EVFD_NONBLOCK, 0);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, evfd_map(&self->map, self->fd));
}

FIXTURE_TEARDOWN(shared)
{
	evfd_unmap(&self->map);
	close(self->fd);
}

TEST_F(shared, posts_and_takes)
{
	evfd_t n = 0;

	EXPECT_EQ(-1, evfd_try_take(&self->map, &n));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, evfd_take(&self->map, &n));
	EXPECT_EQ(EAGAIN, errno);

	EXPECT_EQ(0, evfd_post(&self->map, 3));
	EXPECT_EQ(0, evfd_try_post(&self->map, 4));
	EXPECT_EQ(7, evfd_test_count(self->fd));
	EXPECT_EQ(0, evfd_try_take(&self->map, &n));
	EXPECT_EQ(7, n);
	EXPECT_EQ(0, evfd_test_count(self->fd));

	EXPECT_EQ(0, evfd_post(&self->map, 5));
	EXPECT_EQ(0, evfd_take(&self->map, &n));
	EXPECT_EQ(5, n);
	/* There was no waiter, so no kick was asked for. */
	EXPECT_EQ(0, self->map.page->armed);
}

TEST_F(shared, is_one_counter_with_read_and_write)
{
	uint64_t n;

	EXPECT_EQ(0, evfd_post(&self->map, 3));
	EXPECT_EQ(8, evfd_test_write(self->fd, 4));
	EXPECT_EQ(7, self->map.page->count);
	EXPECT_EQ(8, evfd_test_read(self->fd, &n));
	EXPECT_EQ(7, n);
	EXPECT_EQ(0, self->map.page->count);
	EXPECT_EQ(8, evfd_test_write(self->fd, 9));
	EXPECT_EQ(0, evfd_try_take(&self->map, &n));
	EXPECT_EQ(9, n);
	EXPECT_EQ(-EAGAIN, evfd_test_read(self->fd, &n));
}

TEST_F(shared, begins_with_the_initial_value)
{
	struct evfd_mapping map;
	int fd = evfd_test_create(EVFD_SHARED, MAX);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, evfd_map(&map, fd));
	EXPECT_EQ(MAX, map.page->count);
	EXPECT_EQ(0, map.page->armed);
	EXPECT_EQ(0, map.page->__reserved);
	evfd_unmap(&map);
	close(fd);
}

TEST_F(shared, semaphore_gives_one)
{
	struct evfd_mapping map;
	uint64_t n = 0;
	int fd = evfd_test_create(EVFD_SHARED | EVFD_SEMAPHORE | EVFD_NONBLOCK, 3);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, evfd_map(&map, fd));
	EXPECT_EQ(0, evfd_try_take(&map, &n));
	EXPECT_EQ(1, n);
	EXPECT_EQ(8, evfd_test_read(fd, &n));
	EXPECT_EQ(1, n);
	EXPECT_EQ(0, evfd_take(&map, &n));
	EXPECT_EQ(1, n);
	EXPECT_EQ(-1, evfd_take(&map, &n));
	EXPECT_EQ(EAGAIN, errno);
	evfd_unmap(&map);
	close(fd);
}

TEST_F(shared, keeps_the_limit)
{
	evfd_t n;

	self->map.page->count = MAX - UINT32_MAX;
	EXPECT_EQ(0, evfd_try_post(&self->map, UINT32_MAX - 1));
	EXPECT_EQ(MAX - 1, self->map.page->count);
	EXPECT_EQ(0, evfd_try_post(&self->map, 1));
	EXPECT_EQ(-1, evfd_try_post(&self->map, 1));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, evfd_post(&self->map, 1));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(0, evfd_post(&self->map, 0));
	EXPECT_EQ(-1, evfd_try_post(&self->map, MAX + 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, evfd_post(&self->map, MAX + 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAX, self->map.page->count);
	EXPECT_EQ(0, evfd_take(&self->map, &n));
	EXPECT_EQ(MAX, n);

	EXPECT_EQ(0, evfd_try_post(&self->map, MAX));
	EXPECT_EQ(MAX, self->map.page->count);
}

/* An add is refused by the sum, not by the count: it must not pass the limit. */
TEST_F(shared, a_post_over_the_limit_is_a_write)
{
	static const uint64_t counts[] = { MAX - 1, MAX, MAX + 1, UINT64_MAX };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		self->map.page->count = counts[i];
		EXPECT_EQ(-1, evfd_try_post(&self->map, 5));
		EXPECT_EQ(EAGAIN, errno);
		EXPECT_EQ(-1, evfd_post(&self->map, 5));
		EXPECT_EQ(EAGAIN, errno);
		EXPECT_EQ(-1, evfd_post(&self->map, 1ULL << 32));
		EXPECT_EQ(EAGAIN, errno);
		EXPECT_EQ(counts[i], self->map.page->count);
	}
}

/* The kernel's add in the page: each size on each side of its two ways. */
TEST_F(shared, write_keeps_the_limit)
{
	static const uint64_t counts[] = {
		0, 1, MAX / 2, MAX - UINT32_MAX - 1, MAX - UINT32_MAX, MAX - 1,
		MAX, MAX + 1, UINT64_MAX - 1, UINT64_MAX,
	};
	static const uint64_t ns[] = {
		1, UINT32_MAX, UINT32_MAX + 1ULL, MAX / 2, MAX - 1, MAX,
	};
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		for (j = 0; j < ARRAY_SIZE(ns); j++) {
			bool room = counts[i] <= MAX && MAX - counts[i] >= ns[j];

			self->map.page->count = counts[i];
			EXPECT_EQ(room ? 8 : -EAGAIN,
				  evfd_test_write(self->fd, ns[j]));
			EXPECT_EQ(counts[i] + (room ? ns[j] : 0),
				  self->map.page->count);
		}
	}
	self->map.page->count = 0;
	EXPECT_EQ(-EINVAL, evfd_test_write(self->fd, MAX + 1));
	EXPECT_EQ(-EINVAL, evfd_test_write(self->fd, UINT64_MAX));
	EXPECT_EQ(0, self->map.page->count);
}

TEST_F(shared, an_initial_value_over_the_limit_is_einval)
{
	struct evfd_create arg = { .flags = EVFD_SHARED, .initval = MAX + 1 };
	int dev = evfd_test_open();

	EXPECT_EQ(-1, ioctl(dev, EVFD_IOC_CREATE, &arg));
	EXPECT_EQ(EINVAL, errno);
	arg.initval = UINT64_MAX;
	EXPECT_EQ(-1, ioctl(dev, EVFD_IOC_CREATE, &arg));
	EXPECT_EQ(EINVAL, errno);
	close(dev);
}

TEST_F(shared, features_and_flags_tell)
{
	struct evfd_features features = { };
	int dev = evfd_test_open();
	__u64 flags = 0;
	int sem, plain;

	EXPECT_EQ(0, ioctl(dev, EVFD_IOC_FEATURES, &features));
	EXPECT_TRUE(features.flags & EVFD_SHARED);
	EXPECT_EQ(0, ioctl(self->fd, EVFD_IOC_FLAGS, &flags));
	EXPECT_EQ(EVFD_SHARED, flags);
	EXPECT_EQ(-1, ioctl(self->fd, EVFD_IOC_FLAGS, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(self->fd, EVFD_IOC_CREATE, NULL));
	EXPECT_EQ(ENOTTY, errno);

	sem = evfd_test_create(EVFD_SHARED | EVFD_SEMAPHORE, 0);
	EXPECT_EQ(0, ioctl(sem, EVFD_IOC_FLAGS, &flags));
	EXPECT_EQ(EVFD_SHARED | EVFD_SEMAPHORE, flags);
	close(sem);
	close(dev);

	unsetenv("EVFD_TEST_SHARED");
	plain = evfd_test_create(0, 0);
	EXPECT_EQ(-ENOTTY, kick(plain, 1));
	EXPECT_EQ(-1, ioctl(plain, EVFD_IOC_FLAGS, &flags));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-ENODEV, try_map(plain, page_size(), PROT_READ, MAP_SHARED, 0));
	close(plain);
}

TEST_F(shared, fdinfo_tells)
{
	char path[64];
	int shared = -1;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", self->fd);
	EXPECT_EQ(0, evfd_test_proc(path, "evfd-shared:", "%d", &shared));
	EXPECT_EQ(1, shared);
}

TEST_F(shared, mmap_takes_one_shared_page_without_exec)
{
	const int rw = PROT_READ | PROT_WRITE;
	long size = page_size();
	int fd = self->fd, ret;

	EXPECT_EQ(0, try_map(fd, size, rw, MAP_SHARED, 0));
	EXPECT_EQ(0, try_map(fd, 1, rw, MAP_SHARED, 0));
	EXPECT_EQ(0, try_map(fd, size, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(0, try_map(fd, size, PROT_NONE, MAP_SHARED, 0));
	EXPECT_EQ(-EINVAL, try_map(fd, 2 * size, rw, MAP_SHARED, 0));
	EXPECT_EQ(-EINVAL, try_map(fd, size, rw, MAP_SHARED, size));
	EXPECT_EQ(-EINVAL, try_map(fd, size, rw, MAP_PRIVATE, 0));
	EXPECT_EQ(-EINVAL, try_map(fd, size, PROT_READ, MAP_PRIVATE, 0));
	EXPECT_EQ(-EPERM, try_map(fd, size, PROT_EXEC, MAP_SHARED, 0));
	EXPECT_EQ(-EPERM, try_map(fd, size, rw | PROT_EXEC, MAP_SHARED, 0));
	EXPECT_EQ(-1, mprotect(self->map.page, size, PROT_READ | PROT_EXEC));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(0, mlock(self->map.page, size));
	/* Makes each mapping that can be read executable, where files may be. */
	ASSERT_NE(-1, personality(READ_IMPLIES_EXEC));
	ret = try_map(fd, size, PROT_READ, MAP_SHARED, 0);
	EXPECT_TRUE(ret == -EPERM || !ret);
	EXPECT_EQ(MAP_FAILED, mremap(self->map.page, size, 2 * size,
				     MREMAP_MAYMOVE));
}

TEST_F(shared, the_page_comes_back)
{
	void *moved;

	EXPECT_EQ(0, evfd_post(&self->map, 5));
	EXPECT_EQ(0, madvise(self->map.page, page_size(), MADV_DONTNEED));
	EXPECT_EQ(5, self->map.page->count);
	moved = mmap(NULL, page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		     -1, 0);
	ASSERT_NE(MAP_FAILED, moved);
	ASSERT_EQ(moved, mremap(self->map.page, page_size(), page_size(),
				MREMAP_MAYMOVE | MREMAP_FIXED, moved));
	self->map.page = moved;
	EXPECT_EQ(5, self->map.page->count);
	EXPECT_EQ(0, evfd_post(&self->map, 1));
	EXPECT_EQ(6, evfd_test_count(self->fd));
}

TEST_F(shared, a_reader_of_the_page_sees_changes)
{
	const struct evfd_page *page;

	page = mmap(NULL, page_size(), PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, page);
	EXPECT_EQ(0, evfd_post(&self->map, 2));
	EXPECT_EQ(2, page->count);
	EXPECT_EQ(8, evfd_test_write(self->fd, 3));
	EXPECT_EQ(5, page->count);
	munmap((void *)page, page_size());
}

TEST_F(shared, fork_shares_it)
{
	int status;
	evfd_t n;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(evfd_post(&self->map, 4) ? 1 : 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, evfd_take(&self->map, &n));
	EXPECT_EQ(4, n);
}

TEST_F(shared, the_page_outlives_the_descriptors)
{
	struct evfd_page *page;
	int fd = evfd_test_create(EVFD_SHARED, 6), users = evfd_test_users();

	ASSERT_LE(0, fd);
	page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, page);
	close(fd);
	EXPECT_EQ(users, evfd_test_users());
	EXPECT_EQ(6, page->count);
	page->count = 7;
	EXPECT_EQ(7, page->count);
	munmap(page, page_size());
	EXPECT_TRUE(evfd_test_until(evfd_test_users() == users - 1));
}

/* A pipe holds a reference to the page for longer than the counter lives. */
TEST_F(shared, a_pinned_page_outlives_the_counter)
{
	int fd = evfd_test_create(EVFD_SHARED, 11), users = evfd_test_users();
	struct iovec iov = { .iov_len = sizeof(uint64_t) };
	uint64_t n = 0;
	void *page;
	int ends[2];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pipe(ends));
	page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, page);
	iov.iov_base = page;
	ASSERT_EQ(8, vmsplice(ends[1], &iov, 1, 0));
	munmap(page, page_size());
	close(fd);
	EXPECT_TRUE(evfd_test_until(evfd_test_users() == users - 1));
	EXPECT_EQ(8, read(ends[0], &n, sizeof(n)));
	EXPECT_EQ(11, n);
	close(ends[0]);
	close(ends[1]);
}

TEST_F(shared, process_vm_reaches_it)
{
	uint64_t n = 12, m = 0;
	struct iovec mine = { &n, 8 }, theirs = { self->map.page, 8 };
	ssize_t ret;

	ret = process_vm_writev(getpid(), &mine, 1, &theirs, 1, 0);
	if (ret < 0 && errno == ENOSYS)
		SKIP(return, "the kernel has no process_vm_writev(2)");
	EXPECT_EQ(8, ret);
	EXPECT_EQ(8, evfd_test_read(self->fd, &m));
	EXPECT_EQ(12, m);
}

TEST_F(shared, the_mapping_needs_no_descriptor_of_the_caller)
{
	struct evfd_mapping map;
	struct evfd_task task = { .op = evfd_task_read };
	int fd = evfd_test_create(EVFD_SHARED, 0), other;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, evfd_map(&map, fd));
	task.fd = dup(fd);
	close(fd);
	/* Takes the number. A kick of that would be lost. */
	other = eventfd(0, 0);
	EXPECT_EQ(fd, other);
	ASSERT_EQ(0, evfd_task_start(&task));
	EXPECT_EQ(0, evfd_post(&map, 1));
	EXPECT_EQ(0, evfd_task_join(&task));
	EXPECT_EQ(8, task.ret);
	close(task.fd);
	close(other);
	evfd_unmap(&map);
}

/* The duplicate was closed, and its number is another file. */
TEST_F(shared, a_kick_writes_to_no_other_file)
{
	int ends[2], left = -1;
	evfd_t n;

	ASSERT_EQ(0, pipe(ends));
	self->map.page->armed = EVFD_ARMED_ADD | EVFD_ARMED_TAKE;
	ASSERT_EQ(self->map.fd, dup2(ends[1], self->map.fd));
	EXPECT_EQ(0, evfd_try_post(&self->map, 1));
	EXPECT_EQ(0, evfd_try_take(&self->map, &n));
	EXPECT_EQ(0, ioctl(ends[0], FIONREAD, &left));
	EXPECT_EQ(0, left);
	EXPECT_EQ(EVFD_ARMED_ADD | EVFD_ARMED_TAKE, self->map.page->armed);
	close(ends[0]);
	close(ends[1]);
}

/* From now on ioctl(2) fails with @error. */
static int refuse_ioctl(int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ARRAY_SIZE(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) ? -errno : 0;
}

/* A write of 0 is the kick then; after other errors there is none. */
TEST_F(shared, a_kick_without_ioctl_is_a_write)
{
	static const int errors[] = { EPERM, EACCES, ENOSYS, ENOTTY, EBADF };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		pid_t pid = fork();
		int status;

		ASSERT_LE(0, pid);
		if (!pid) {
			if (refuse_ioctl(errors[i]))
				_exit(2);
			self->map.page->armed = EVFD_ARMED_ADD;
			errno = 0;
			if (evfd_try_post(&self->map, 1) || errno)
				_exit(3);
			/* Its end is a kick. */
			_exit(self->map.page->armed ? 5 : 4);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
			SKIP(return, "the kernel has no seccomp filters");
		EXPECT_EQ(i < 3 ? 4 : 5, WEXITSTATUS(status))
			TH_LOG("%s", strerror(errors[i]));
	}
}

TEST_F(shared, map_refuses_what_is_not_shared)
{
	struct evfd_mapping map;
	int fd, ends[2];

	EXPECT_EQ(-1, evfd_map(&map, -1));
	EXPECT_EQ(EBADF, errno);
	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(-1, evfd_map(&map, ends[0]));
	EXPECT_EQ(ENOTTY, errno);
	close(ends[0]);
	close(ends[1]);
	unsetenv("EVFD_TEST_SHARED");
	fd = evfd_test_create(0, 0);
	EXPECT_EQ(-1, evfd_map(&map, fd));
	EXPECT_EQ(ENOTTY, errno);
	close(fd);
}

TEST_F(shared, a_count_above_the_limit_has_no_room)
{
	static const uint64_t counts[] = { MAX + 1, UINT64_MAX - 1, UINT64_MAX };
	uint64_t n;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		/* Only all ones is an overflow. */
		short error = counts[i] == UINT64_MAX ? POLLERR : 0;

		self->map.page->count = counts[i];
		EXPECT_EQ(POLLIN | error,
			  wait_poll(self->fd, POLLIN | POLLOUT, 0));
		EXPECT_EQ(-EAGAIN, evfd_test_write(self->fd, 1));
		EXPECT_EQ(-EAGAIN, evfd_test_write(self->fd, 0));
		EXPECT_EQ(0, kick(self->fd, 0));
		EXPECT_EQ(counts[i], self->map.page->count);
		EXPECT_EQ(8, evfd_test_read(self->fd, &n));
		EXPECT_EQ(counts[i], n);
	}

	self->map.page->count = MAX;
	EXPECT_EQ(POLLIN, wait_poll(self->fd, POLLIN | POLLOUT, 0));
	EXPECT_EQ(8, evfd_test_write(self->fd, 0));
	self->map.page->count = MAX - 1;
	EXPECT_EQ(POLLIN | POLLOUT, wait_poll(self->fd, POLLIN | POLLOUT, 0));
	self->map.page->count = 0;
	EXPECT_EQ(POLLOUT, wait_poll(self->fd, POLLIN | POLLOUT, 0));
}

TEST_F(shared, the_rest_of_the_page_means_nothing)
{
	uint64_t n;

	memset(self->map.page, 0xff, page_size());
	EXPECT_EQ(8, evfd_test_read(self->fd, &n));
	EXPECT_EQ(0, self->map.page->count);
	EXPECT_EQ(8, evfd_test_write(self->fd, 1));
	EXPECT_EQ(0, kick(self->fd, ULONG_MAX));
	EXPECT_EQ(8, evfd_test_read(self->fd, &n));
	EXPECT_EQ(1, n);
}

/* Changes the count all the time, in every way, until told to stop. */
static ssize_t task_scribble(struct evfd_task *task)
{
	struct evfd_mapping *map = (void *)(uintptr_t)task->arg;
	atomic_bool *stop = task->buf;
	uint64_t i = 0;

	while (!atomic_load_explicit(stop, memory_order_relaxed)) {
		__atomic_store_n(&map->page->count, i * 0x9e3779b97f4a7c15,
				 __ATOMIC_RELAXED);
		__atomic_store_n(&map->page->armed, i, __ATOMIC_RELAXED);
		__atomic_fetch_add(&map->page->count, 1, __ATOMIC_RELAXED);
		i++;
	}
	return 0;
}

TEST_F(shared, a_scribbler_stops_no_call)
{
	atomic_bool stop = false;
	struct evfd_task task = {
		.op = task_scribble, .buf = &stop,
		.arg = (uintptr_t)&self->map,
	};
	uint64_t n;
	int i, ret;

	ASSERT_EQ(0, evfd_task_run(&task));
	for (i = 0; i < 20000; i++) {
		ret = evfd_test_read(self->fd, &n);
		EXPECT_TRUE(ret == 8 || ret == -EAGAIN);
		ret = evfd_test_write(self->fd, i);
		EXPECT_TRUE(ret == 8 || ret == -EAGAIN);
		wait_poll(self->fd, POLLIN | POLLOUT, 0);
		EXPECT_EQ(0, kick(self->fd, i));
	}
	atomic_store(&stop, true);
	EXPECT_EQ(0, evfd_task_join(&task));
	self->map.page->count = 1;
	EXPECT_EQ(8, evfd_test_read(self->fd, &n));
	EXPECT_EQ(1, n);
}

/* Nothing that the counter does keeps a task from being killed. */
TEST_F(shared, a_scribbler_keeps_nobody_alive)
{
	atomic_bool stop = false;
	struct evfd_task task = {
		.op = task_scribble, .buf = &stop,
		.arg = (uintptr_t)&self->map,
	};
	int i, status;
	pid_t pid;

	ASSERT_EQ(0, evfd_task_run(&task));
	for (i = 0; i < 20; i++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid) {
			uint64_t n;

			fcntl(self->fd, F_SETFL, 0);
			for (;;) {
				evfd_test_read(self->fd, &n);
				evfd_test_write(self->fd, UINT64_MAX / 3);
			}
		}
		kill(pid, SIGKILL);
		EXPECT_TRUE(evfd_test_until(waitpid(pid, &status, WNOHANG) == pid));
	}
	atomic_store(&stop, true);
	EXPECT_EQ(0, evfd_task_join(&task));
}

TEST_HARNESS_MAIN
