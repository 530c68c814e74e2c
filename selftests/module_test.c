// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading and unloading: what keeps the module from being unloaded, what is left
 * after it, and what modinfo shows.
 *
 * Needs root, a guest of its own, and in EVFD_KO the path of evfd.ko. Leaves the
 * module loaded for the next test. Each test makes what holds the module, so a
 * refusal has one cause. Uses evfd_module.h and evfd_pass.h.
 */
#include <elf.h>
#include <glob.h>
#include <linux/io_uring.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "evfd_module.h"
#include "evfd_pass.h"

#define NCYCLES		20
#define NATTEMPTS	5000

/* The actions of klogctl(3) that are used here. */
#define KLOG_READ_ALL	3
#define KLOG_SIZE	10

static int load(void)
{
	return evfd_module_load(getenv("EVFD_KO"));
}

/* The device as an unloaded module leaves it behind, and as a loaded one. */
static int open_device(void)
{
	return sysret(open("/dev/evfd", O_RDWR | O_CLOEXEC));
}

FIXTURE(module) { int unused; };

FIXTURE_SETUP(module)
{
	if (geteuid())
		SKIP(return, "needs root");
	if (!getenv("EVFD_KO"))
		SKIP(return, "EVFD_KO does not name evfd.ko");
	if (!evfd_module_is_loaded("evfd"))
		ASSERT_EQ(0, load());
}

/* In the parent, after the test's process and all that it held is gone. */
FIXTURE_TEARDOWN_PARENT(module)
{
	if (!evfd_module_is_loaded("evfd"))
		EXPECT_EQ(0, load());
}

TEST_F(module, unloads_when_nobody_uses_it)
{
	ASSERT_EQ(0, evfd_module_unload_soon("evfd"));
	EXPECT_FALSE(evfd_module_is_loaded("evfd"));
	EXPECT_EQ(-ENOENT, evfd_module_unload("evfd"));
	ASSERT_EQ(0, load());
	EXPECT_TRUE(evfd_module_is_loaded("evfd"));
	EXPECT_EQ(-EEXIST, load());
}

TEST_F(module, an_open_device_holds_it)
{
	int dev = open_device();

	ASSERT_LE(0, dev);
	EXPECT_EQ(-EWOULDBLOCK, evfd_module_unload("evfd"));
	close(dev);
	EXPECT_EQ(0, evfd_module_unload_soon("evfd"));
}

TEST_F(module, a_counter_holds_it)
{
	int fd = evfd_test_create(0, 0), copy;

	EXPECT_EQ(-EWOULDBLOCK, evfd_module_unload("evfd"));
	copy = dup(fd);
	close(fd);
	EXPECT_EQ(-EWOULDBLOCK, evfd_module_unload("evfd"));
	/* The attempts did it no harm. */
	EXPECT_EQ(8, evfd_test_write(copy, 3));
	EXPECT_EQ(3, evfd_test_value(copy));
	close(copy);
	EXPECT_EQ(0, evfd_module_unload_soon("evfd"));
}

TEST_F(module, a_counter_in_another_process_holds_it)
{
	int fd = evfd_test_create(0, 0);
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid) {
		pause();
		_exit(0);
	}
	close(fd);
	EXPECT_EQ(-EWOULDBLOCK, evfd_module_unload("evfd"));
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_EQ(0, evfd_module_unload_soon("evfd"));
}

TEST_F(module, a_blocked_reader_holds_it)
{
	int fd = evfd_test_create(0, 0);
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid)
		_exit(evfd_test_read(fd, NULL) != 8);
	close(fd);
	ASSERT_EQ(0, evfd_test_wait_asleep(pid));
	EXPECT_EQ(-EWOULDBLOCK, evfd_module_unload("evfd"));
	/* Killed in the middle of the module's code. */
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	EXPECT_EQ(0, evfd_module_unload_soon("evfd"));
}

TEST_F(module, a_counter_in_flight_holds_it)
{
	int fd = evfd_test_create(0, 0), sv[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	ASSERT_EQ(0, pass_fd(sv[0], fd, 0, 0));
	close(fd);
	EXPECT_EQ(-EWOULDBLOCK, evfd_module_unload("evfd"));
	close(sv[0]);
	EXPECT_EQ(-EWOULDBLOCK, evfd_module_unload("evfd"));
	close(sv[1]);
	EXPECT_EQ(0, evfd_module_unload_soon("evfd"));
}

TEST_F(module, io_uring_holds_it)
{
	struct io_uring_params p = { };
	int ring = syscall(SYS_io_uring_setup, 2, &p);
	int fd = evfd_test_create(0, 0), files[] = { fd };

	if (ring < 0)
		SKIP(return, "io_uring is not available: %s", strerror(errno));
	/* As a registered file, which no descriptor refers to any more. */
	ASSERT_EQ(0, syscall(SYS_io_uring_register, ring,
			     IORING_REGISTER_FILES, files, 1));
	close(fd);
	EXPECT_EQ(-EWOULDBLOCK, evfd_module_unload("evfd"));
	close(ring);
	EXPECT_EQ(0, evfd_module_unload_soon("evfd"));
}

/* A set holds no file: the last close takes the counter out of it. */
TEST_F(module, an_epoll_set_does_not_hold_it)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	int fd = evfd_test_create(0, 1);

	ASSERT_LE(0, ep);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	EXPECT_EQ(-EWOULDBLOCK, evfd_module_unload("evfd"));
	close(fd);
	EXPECT_EQ(0, evfd_module_unload_soon("evfd"));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	close(ep);
}

/* The count of users is one for each open file of either kind. */
TEST_F(module, sysfs_counts_the_users)
{
	int dev = open_device(), fd[3], i;

	ASSERT_LE(0, dev);
	for (i = 0; i < 3; i++) {
		fd[i] = evfd_test_create(0, 0);
	}
	EXPECT_EQ(4, evfd_test_users());
	for (i = 0; i < 3; i++)
		close(fd[i]);
	close(dev);
}

/* A creation that fails must not leave a count of users behind. */
TEST_F(module, failed_creations_do_not_hold_it)
{
	struct evfd_create flags = { .flags = 1U << 31 };
	struct evfd_create initval = { .initval = UINT64_MAX };
	int dev = evfd_test_open(), i;

	for (i = 0; i < 100; i++) {
		ASSERT_EQ(-EINVAL, sysret(ioctl(dev, EVFD_IOC_CREATE, &flags)));
		ASSERT_EQ(-EINVAL, sysret(ioctl(dev, EVFD_IOC_CREATE, &initval)));
	}
	close(dev);
	EXPECT_EQ(0, evfd_module_unload_soon("evfd"));
}

TEST_F(module, the_device_comes_and_goes_with_it)
{
	static const char sysfs[] = "/sys/class/misc/evfd";
	static const char debugfs[] = "/sys/kernel/debug/evfd";
	static const char node[] = "/tmp/evfd-test-node";
	/* Some kernels have none. */
	bool has_debugfs = !access(debugfs, F_OK);
	struct stat st;

	ASSERT_EQ(0, stat("/dev/evfd", &st));
	EXPECT_EQ(S_IFCHR | 0666, st.st_mode);
	EXPECT_EQ(0, st.st_uid);
	/* The major number of miscellaneous devices. */
	EXPECT_EQ(10, st.st_rdev >> 8 & 0xfff);
	EXPECT_EQ(0, access(sysfs, F_OK));

	/* A node made by hand leads to no device after the unload. */
	unlink(node);
	ASSERT_EQ(0, mknod(node, S_IFCHR | 0600, st.st_rdev));
	ASSERT_EQ(0, evfd_module_unload_soon("evfd"));
	EXPECT_EQ(-ENOENT, open_device());
	EXPECT_EQ(-1, access(sysfs, F_OK));
	EXPECT_EQ(-1, access(debugfs, F_OK));
	EXPECT_EQ(-ENODEV, sysret(open(node, O_RDWR)));
	unlink(node);

	ASSERT_EQ(0, load());
	ASSERT_EQ(0, stat("/dev/evfd", &st));
	EXPECT_EQ(S_IFCHR | 0666, st.st_mode);
	EXPECT_EQ(has_debugfs, !access(debugfs, F_OK));
}

#define CACHE		"/sys/kernel/slab/evfd_ctx"

/* How many kernel threads have the name of the module's workqueue. */
static int workers(void)
{
	size_t i, n = 0;
	glob_t found;
	char comm[32];

	if (glob("/proc/[0-9]*/comm", 0, NULL, &found))
		return -1;
	for (i = 0; i < found.gl_pathc; i++) {
		if (!evfd_test_text(found.gl_pathv[i], comm, sizeof(comm)))
			n += !strncmp(comm, "kworker/R-evfd", 14) ||
			     !strcmp(comm, "evfd\n");
	}
	globfree(&found);

	return n;
}

/*
 * The cache that counters are made from is shared with nothing else, so a leak
 * shows. It goes with the module, and so does the workqueue.
 */
TEST_F(module, its_cache_goes_with_it)
{
	struct stat st;
	int i;

	if (lstat(CACHE, &st))
		SKIP(return, "the kernel does not show its caches");
	EXPECT_TRUE(S_ISDIR(st.st_mode));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, workers());
		ASSERT_EQ(0, evfd_module_unload_soon("evfd"));
		EXPECT_NE(0, access(CACHE, F_OK));
		EXPECT_TRUE(evfd_test_until(!workers()));
		ASSERT_EQ(0, load());
	}
}

/* How many lines of the kernel's log name evfd; -1 if it cannot be read. */
static int log_lines(void)
{
	int size = klogctl(KLOG_SIZE, NULL, 0), len, n = 0;
	char *log, *line;

	log = size > 0 ? calloc(1, size + 1) : NULL;
	len = log ? klogctl(KLOG_READ_ALL, log, size) : -1;
	if (len < 0)
		return -1;
	for (line = log; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		/* Of the module, not of the kernel about it. */
		n += !strncmp(line + strcspn(line, "]") + 1, " evfd", 5) &&
		     !memmem(line, strcspn(line, "\n"), "taint", 5);
	}
	free(log);

	return n;
}

TEST_F(module, loads_twenty_times_and_says_at_most_one_line)
{
	int before, after, i, fd;

	ASSERT_EQ(0, evfd_module_unload_soon("evfd"));
	before = log_lines();
	ASSERT_LE(0, before);
	for (i = 0; i < NCYCLES; i++) {
		ASSERT_EQ(0, load());
		fd = evfd_test_create(0, i + 1);
		/* Each time it starts from nothing. */
		EXPECT_EQ(0, evfd_test_id(fd));
		EXPECT_EQ(i + 1, evfd_test_value(fd));
		close(fd);
		ASSERT_EQ(0, evfd_module_unload_soon("evfd"));
	}
	after = log_lines();
	EXPECT_LE(after - before, NCYCLES);
}

/* A process that comes too late finds no device, and none finds half a module. */
TEST_F(module, can_be_unloaded_while_others_try_to_use_it)
{
	int i, ret, fd, done = 0;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/*
		 * Make and drop counters whenever there is a device, and leave it
		 * alone for a moment, or it is in use whenever we get a CPU.
		 */
		for (;;) {
			struct evfd_create arg = { .initval = 1 };
			int dev = open_device();

			fd = ioctl(dev, EVFD_IOC_CREATE, &arg);
			if (fd >= 0 && evfd_test_write(fd, 1) != 8)
				_exit(1);
			close(fd);
			close(dev);
			usleep(rand() % 256);
		}
	}
	/* Until it went once, or the harness thinks that it never will. */
	for (i = 0; (i < NATTEMPTS && done < NCYCLES / 2) || !done; i++) {
		ret = evfd_module_unload("evfd");
		if (ret) {
			ASSERT_EQ(-EWOULDBLOCK, ret);
			continue;
		}
		done++;
		ASSERT_EQ(0, load());
	}
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &ret, 0));
	EXPECT_TRUE(WIFSIGNALED(ret));
	EXPECT_EQ(0, evfd_module_unload_soon("evfd"));
}

/* The value of @key in the module's .modinfo section, or NULL. */
static const char *modinfo_value(const char *map, const char *key)
{
	const Elf64_Ehdr *elf = (const void *)map;
	const Elf64_Shdr *sections, *s;
	size_t len = strlen(key);
	const char *names, *p;
	int i;

	if (memcmp(map, ELFMAG, SELFMAG) ||
	    elf->e_ident[EI_CLASS] != ELFCLASS64)
		return NULL;
	sections = (const void *)(map + elf->e_shoff);
	names = map + sections[elf->e_shstrndx].sh_offset;
	for (i = 0; i < elf->e_shnum; i++) {
		s = &sections[i];
		if (strcmp(names + s->sh_name, ".modinfo"))
			continue;
		for (p = map + s->sh_offset;
		     p < map + s->sh_offset + s->sh_size; p += strlen(p) + 1) {
			if (!strncmp(p, key, len) && p[len] == '=')
				return p + len + 1;
		}
	}

	return NULL;
}

TEST_F(module, says_who_and_what_it_is)
{
	int fd = open(getenv("EVFD_KO"), O_RDONLY | O_CLOEXEC);
	char version[64] = "", *map;
	struct stat st;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &st));
	map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	if (memcmp(map, ELFMAG, SELFMAG) ||
	    map[EI_CLASS] != ELFCLASS64)
		SKIP(return, "not a plain 64-bit module file");
	EXPECT_STREQ("evfd", modinfo_value(map, "name") ?: "");
	EXPECT_STREQ("evfd developers", modinfo_value(map, "author") ?: "");
	EXPECT_STREQ("GPL", modinfo_value(map, "license") ?: "");
	EXPECT_NE(NULL, modinfo_value(map, "version"));
	EXPECT_NE(NULL, strstr(modinfo_value(map, "description") ?: "",
			       "eventfd"));
	EXPECT_NE(NULL, modinfo_value(map, "vermagic"));
	/* The loaded module has the version of the file. */
	ASSERT_EQ(0, evfd_test_text("/sys/module/evfd/version", version,
				    sizeof(version)));
	version[strcspn(version, "\n")] = 0;
	EXPECT_STREQ(modinfo_value(map, "version") ?: "", version);
}

/* The last test: the next program finds the module loaded. */
TEST_F(module, is_loaded_at_the_end)
{
	int fd = evfd_test_create(0, 4);

	EXPECT_EQ(4, evfd_test_count(fd));
	close(fd);
}

TEST_HARNESS_MAIN
