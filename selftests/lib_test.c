// SPDX-License-Identifier: GPL-2.0-only
/*
 * libevfd: its functions behave as the C library's do for eventfd(2), and the
 * descriptor that it keeps does not disturb a program.
 *
 * Uses evfd_test.h and, unlike the other tests, tools/lib. Each test runs in a
 * process of its own, so it may close what it likes. preload_test.c is next.
 */
#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <sys/evfd.h>

#include "kselftest_harness.h"
#include "evfd_test.h"

#define N_THREADS	8

/* How many descriptors there are of @path, or of all if it is NULL. */
static int count_fds(const char *path, int *last)
{
	DIR *dir = opendir("/proc/self/fd");
	char link[PATH_MAX];
	struct dirent *d;
	int count = 0;
	ssize_t n;

	if (!dir)
		return -1;
	while ((d = readdir(dir))) {
		n = readlinkat(dirfd(dir), d->d_name, link, sizeof(link) - 1);
		if (n < 0 || atoi(d->d_name) == dirfd(dir))
			continue;
		link[n] = '\0';
		if (!path || !strcmp(link, path)) {
			count++;
			if (last)
				*last = atoi(d->d_name);
		}
	}
	closedir(dir);
	return count;
}

/* The descriptor that libevfd keeps, or -1. */
static int device_fd(void)
{
	int fd = -1;

	return count_fds("/dev/evfd", &fd) == 1 ? fd : -1;
}

/* Allows @n more descriptors, if the free numbers follow one another. */
static int limit_free(int n)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = evfd_test_next_fd() + n;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

TEST(flags)
{
	int flags;

	for (flags = 0; flags < 16; flags++) {
		int fd = evfd(7, flags);
		evfd_t n;

		ASSERT_LE(0, fd);
		EXPECT_EQ(O_RDWR | (flags & EVFD_NONBLOCK ? O_NONBLOCK : 0),
			  fcntl(fd, F_GETFL));
		EXPECT_EQ(flags & EVFD_CLOEXEC ? FD_CLOEXEC : 0,
			  fcntl(fd, F_GETFD));
		EXPECT_EQ(0, evfd_read(fd, &n));
		EXPECT_EQ(flags & EVFD_SEMAPHORE ? 1 : 7, n);
		close(fd);
	}
}

TEST(unknown_flags)
{
	int bit, free = evfd_test_next_fd();

	for (bit = 4; bit < 32; bit++) {
		EXPECT_EQ(-EINVAL, sysret(evfd(0, 1U << bit)));
	}
	EXPECT_EQ(free, evfd_test_next_fd());

	/* Before all else that could be wrong. */
	closefrom(3);
	ASSERT_EQ(0, limit_free(0));
	EXPECT_EQ(-EINVAL, sysret(evfd(0, 16)));
}

TEST(initial_values)
{
	static const evfd_t values[] = {
		0, 1, UINT_MAX, 1ULL << 32, EVFD_COUNT_MAX
	};
	size_t i;
	evfd_t n;
	int fd;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		fd = evfd64(values[i], EVFD_NONBLOCK);
		ASSERT_LE(0, fd);
		n = 0;
		EXPECT_EQ(values[i] ? 0 : -1, evfd_read(fd, &n));
		EXPECT_EQ(values[i], n);
		close(fd);
	}
	EXPECT_EQ(-EINVAL, sysret(evfd64(EVFD_COUNT_MAX + 1, 0)));
	fd = evfd64(EVFD_SHARED_MAX, EVFD_SHARED);
	ASSERT_LE(0, fd);
	close(fd);
	EXPECT_EQ(-EINVAL, sysret(evfd64(EVFD_SHARED_MAX + 1, EVFD_SHARED)));

	/* All 32 bits of evfd()'s. */
	fd = evfd(UINT_MAX, 0);
	ASSERT_EQ(0, evfd_read(fd, &n));
	EXPECT_EQ(UINT_MAX, n);
}

TEST(read_and_write)
{
	int fd = evfd(0, EVFD_NONBLOCK);
	int pipe_fd[2];
	evfd_t n;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EAGAIN, sysret(evfd_read(fd, &n)));
	EXPECT_EQ(0, evfd_write(fd, 2));
	EXPECT_EQ(0, evfd_write(fd, 40));
	EXPECT_EQ(0, evfd_read(fd, &n));
	EXPECT_EQ(42, n);
	EXPECT_EQ(-EINVAL, sysret(evfd_write(fd, UINT64_MAX)));
	EXPECT_EQ(0, evfd_write(fd, EVFD_COUNT_MAX));
	EXPECT_EQ(-EAGAIN, sysret(evfd_write(fd, 1)));
	close(fd);
	EXPECT_EQ(-EBADF, sysret(evfd_read(fd, &n)));
	EXPECT_EQ(-EBADF, sysret(evfd_write(fd, 1)));

	/* Three bytes are no value. */
	ASSERT_EQ(0, pipe(pipe_fd));
	ASSERT_EQ(3, write(pipe_fd[1], "abc", 3));
	EXPECT_EQ(-EINVAL, sysret(evfd_read(pipe_fd[0], &n)));
}

/* A call that succeeds leaves errno alone, even if it has work to do first. */
TEST(errno_stays)
{
	errno = 4711;
	ASSERT_LE(0, evfd(0, 0));
	EXPECT_EQ(4711, errno);
	closefrom(3);
	errno = 4711;
	ASSERT_LE(0, evfd(0, 0));
	EXPECT_EQ(4711, errno);
}

/* The device is open before main() and takes none of the low numbers. */
TEST(device_is_out_of_the_way)
{
	int free = evfd_test_next_fd();
	int dev = device_fd();

	EXPECT_LE(1000, dev);
	EXPECT_EQ(FD_CLOEXEC, fcntl(dev, F_GETFD));
	EXPECT_EQ(free, evfd(0, 0));
	EXPECT_EQ(free + 1, evfd(0, 0));
	EXPECT_EQ(dev, device_fd());
}

/* As a daemon does at its start. */
TEST(program_closes_all)
{
	int fd;

	closefrom(3);
	ASSERT_EQ(-1, device_fd());
	fd = evfd(1, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, evfd_test_count(fd));
	EXPECT_LE(1000, device_fd());
}

/* The number is the program's now. Its file must not notice. */
TEST(number_is_reused)
{
	static const char * const paths[] = {
		"/dev/null", "/proc/self/exe", "/dev/tty", "/dev/zero"
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		int dev = device_fd();
		int other = open(paths[i], O_RDONLY);
		struct stat before, after;

		if (other < 0)
			other = epoll_create1(0);
		ASSERT_LE(0, dev);
		ASSERT_EQ(dev, dup2(other, dev));
		ASSERT_EQ(0, fstat(other, &before));
		ASSERT_LE(0, evfd(0, 0));
		ASSERT_EQ(0, fstat(dev, &after));
		EXPECT_EQ(before.st_ino, after.st_ino);
		EXPECT_EQ(before.st_dev, after.st_dev);
		EXPECT_NE(dev, device_fd());
		EXPECT_NE(-1, device_fd());
	}
	/* A counter is not mistaken for the device. */
	ASSERT_LE(0, dup2(evfd(3, 0), device_fd()));
	ASSERT_LE(0, evfd(0, 0));
}

TEST(fork_shares_it)
{
	int dev = device_fd();
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		if (evfd(0, 0) < 0 || device_fd() != dev)
			_exit(1);
		closefrom(3);
		_exit(evfd(0, 0) < 0 ? 2 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_LE(0, evfd(0, 0));
	EXPECT_EQ(dev, device_fd());
}

/* The descriptors that ls, which does not use the library, inherits. */
static int exec_ls(char *out, size_t size)
{
	FILE *ls = popen("exec ls -l /proc/self/fd", "re");
	size_t n;

	if (!ls)
		return -1;
	n = fread(out, 1, size - 1, ls);
	out[n] = '\0';
	return pclose(ls);
}

TEST(exec_does_not_leak)
{
	char out[4096];

	ASSERT_LE(0, evfd(0, EVFD_CLOEXEC));
	ASSERT_EQ(0, exec_ls(out, sizeof(out)));
	EXPECT_NE(NULL, strstr(out, "0 -> ")) TH_LOG("%s", out);
	EXPECT_EQ(NULL, strstr(out, "evfd")) TH_LOG("%s", out);

	/* Opened anew, where there is no room above. */
	closefrom(3);
	ASSERT_EQ(0, limit_free(16));
	ASSERT_LE(0, evfd(0, EVFD_CLOEXEC));
	ASSERT_EQ(0, exec_ls(out, sizeof(out)));
	EXPECT_EQ(NULL, strstr(out, "evfd")) TH_LOG("%s", out);

	ASSERT_LE(0, evfd(0, 0));
	ASSERT_EQ(0, exec_ls(out, sizeof(out)));
	EXPECT_NE(NULL, strstr(out, "anon_inode:[evfd]")) TH_LOG("%s", out);
	EXPECT_EQ(NULL, strstr(out, "/dev/evfd")) TH_LOG("%s", out);
}

TEST(limit_is_reached)
{
	int last;

	/* The device is above the limit now, which does not matter. */
	ASSERT_EQ(0, limit_free(1));
	last = evfd(0, 0);
	EXPECT_LE(0, last);
	EXPECT_EQ(-EMFILE, sysret(evfd(0, 0)));
	close(last);
	EXPECT_EQ(last, evfd(0, 0));
}

TEST(limit_is_reached_without_device)
{
	int open_fds;

	closefrom(3);
	ASSERT_EQ(0, limit_free(0));
	EXPECT_EQ(-EMFILE, sysret(evfd(0, 0)));

	/* Room for the device alone: it must not stay. */
	ASSERT_EQ(0, limit_free(1));
	EXPECT_EQ(-EMFILE, sysret(evfd(0, 0)));
	EXPECT_EQ(3, dup(0));
	close(3);

	ASSERT_EQ(0, limit_free(2));
	EXPECT_LE(3, evfd(0, 0));
	ASSERT_EQ(0, limit_free(16));
	open_fds = count_fds(NULL, NULL);
	EXPECT_LE(0, evfd(0, 0));
	EXPECT_EQ(open_fds + 1, count_fds(NULL, NULL));
}

static pthread_barrier_t barrier;

static void *create_together(void *unused)
{
	pthread_barrier_wait(&barrier);
	return (void *)(long)evfd(0, 0);
}

/* Each succeeds, and no more than one of their devices stays. */
TEST(threads_race_to_open)
{
	pthread_t threads[N_THREADS];
	int round, i;
	void *fd;

	ASSERT_EQ(0, pthread_barrier_init(&barrier, NULL, N_THREADS));
	for (round = 0; round < 100; round++) {
		closefrom(3);
		for (i = 0; i < N_THREADS; i++) {
			ASSERT_EQ(0, pthread_create(&threads[i], NULL,
						    create_together, NULL));
		}
		for (i = 0; i < N_THREADS; i++) {
			ASSERT_EQ(0, pthread_join(threads[i], &fd));
			EXPECT_LE(3, (long)fd);
		}
		ASSERT_EQ(1, count_fds("/dev/evfd", NULL));
		ASSERT_EQ(3 + N_THREADS + 1, count_fds(NULL, NULL));
	}
}

static void *create_cancelled(void *unused)
{
	long fd;

	pthread_cancel(pthread_self());
	fd = evfd(0, 0);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	return (void *)fd;
}

/* eventfd() is not a cancellation point, and evfd() opens a file. */
TEST(not_a_cancellation_point)
{
	pthread_t thread;
	void *fd;

	closefrom(3);
	ASSERT_EQ(0, pthread_create(&thread, NULL, create_cancelled, NULL));
	ASSERT_EQ(0, pthread_join(thread, &fd));
	EXPECT_NE(PTHREAD_CANCELED, fd);
	EXPECT_EQ(3, (long)fd);
}

static volatile sig_atomic_t handled, handler_failed;

static void create_in_handler(int sig)
{
	int saved = errno;
	int fd = evfd(0, 0);

	if (fd < 0)
		handler_failed = 1;
	close(fd);
	handled++;
	errno = saved;
}

/* The handler comes between any two instructions of the same function. */
TEST(signal_handler)
{
	struct sigaction act = { .sa_handler = create_in_handler };
	struct itimerval it = { { 0, 500 }, { 0, 500 } };
	int fd;

	ASSERT_EQ(0, sigaction(SIGALRM, &act, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &it, NULL));
	while (handled < 500) {
		fd = evfd(0, 0);
		ASSERT_LE(0, fd);
		close(fd);
		/* The handler may have it just now: try the other way. */
		if (handled % 2)
			close(device_fd());
	}
	memset(&it, 0, sizeof(it));
	setitimer(ITIMER_REAL, &it, NULL);
	EXPECT_EQ(0, handler_failed);
	EXPECT_GE(1, count_fds("/dev/evfd", NULL));
}

FIXTURE(root) {
	char path[64];
	dev_t rdev;
};

/* An empty folder to be the root, with a /dev of which evfd is missing. */
FIXTURE_SETUP(root)
{
	struct stat st;

	ASSERT_EQ(0, stat("/dev/evfd", &st));
	self->rdev = st.st_rdev;
	snprintf(self->path, sizeof(self->path), "/tmp/evfd-lib-XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->path));
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_EQ(0, mount("none", self->path, "tmpfs", 0, "mode=755"));
	ASSERT_EQ(0, chdir(self->path));
	ASSERT_EQ(0, mkdir("dev", 0755));
}

FIXTURE_TEARDOWN(root)
{
}

TEST_F(root, device_is_kept)
{
	ASSERT_EQ(0, chroot("."));
	EXPECT_LE(0, evfd(0, 0));
}

TEST_F(root, device_is_missing)
{
	struct stat st;
	int fd;

	ASSERT_EQ(0, chroot("."));
	closefrom(3);
	EXPECT_EQ(-ENOSYS, sysret(evfd(0, 0)));
	EXPECT_EQ(3, evfd_test_next_fd());

	/* A file, a folder, a link to nowhere, another driver's device. */
	fd = open("/dev/evfd", O_CREAT | O_WRONLY, 0666);
	ASSERT_EQ(3, fd);
	close(fd);
	EXPECT_EQ(-ENOSYS, sysret(evfd(0, 0)));
	ASSERT_EQ(0, stat("/dev/evfd", &st));
	EXPECT_EQ(0, st.st_size);
	unlink("/dev/evfd");
	ASSERT_EQ(0, mkdir("/dev/evfd", 0755));
	EXPECT_EQ(-ENOSYS, sysret(evfd(0, 0)));
	rmdir("/dev/evfd");
	ASSERT_EQ(0, symlink("/dev/evfd", "/dev/evfd"));
	EXPECT_EQ(-ENOSYS, sysret(evfd(0, 0)));
	unlink("/dev/evfd");
	ASSERT_EQ(0, mknod("/dev/evfd", S_IFCHR | 0666, makedev(1, 3)));
	EXPECT_EQ(-ENOSYS, sysret(evfd(0, 0)));
	unlink("/dev/evfd");
	/* A number that no driver has. */
	ASSERT_EQ(0, mknod("/dev/evfd", S_IFCHR | 0666, makedev(10, 254)));
	EXPECT_EQ(-ENOSYS, sysret(evfd(0, 0)));
	unlink("/dev/evfd");
	EXPECT_EQ(3, evfd_test_next_fd());

	/* When it is there again, so is evfd. */
	ASSERT_EQ(0, mknod("/dev/evfd", S_IFCHR | 0666, self->rdev));
	EXPECT_EQ(0, chmod("/dev/evfd", 0666));
	EXPECT_LE(3, evfd(0, 0));
}

TEST_F(root, device_is_forbidden)
{
	ASSERT_EQ(0, mknod("dev/evfd", S_IFCHR | 0600, self->rdev));
	ASSERT_EQ(0, chroot("."));
	ASSERT_EQ(0, setuid(65534));
	EXPECT_LE(0, evfd(0, 0));
	closefrom(3);
	EXPECT_EQ(-EACCES, sysret(evfd(0, 0)));
}

TEST_HARNESS_MAIN
