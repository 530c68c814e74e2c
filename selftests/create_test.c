// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making a counter: EVFD_IOC_CREATE on /dev/evfd, each argument at its
 * boundaries, each error, and that an error leaves nothing behind.
 *
 * Uses evfd_test.h. Read uapi/linux/evfd.h for what is promised, and
 * counter_test.c next.
 */
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "evfd_test.h"

#define ALL_FLAGS \
	(EVFD_CLOEXEC | EVFD_NONBLOCK | EVFD_SEMAPHORE | EVFD_SHARED)

/* EVFD_IOC_CREATE with the size of another version's structure. */
#define CREATE_SIZED(size) \
	_IOC(_IOC_DIR(EVFD_IOC_CREATE), EVFD_IOC_TYPE, \
	     _IOC_NR(EVFD_IOC_CREATE), size)

FIXTURE(create) {
	int dev;
	long page;
	/* Two pages, of which the second cannot be accessed. */
	char *buf;
	/* The users of the module and the next descriptor before the test. */
	int users;
	int next_fd;
};

FIXTURE_SETUP(create)
{
	self->dev = evfd_test_open();
	self->page = sysconf(_SC_PAGESIZE);
	self->buf = mmap(NULL, 2 * self->page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->buf);
	ASSERT_EQ(0, mprotect(self->buf + self->page, self->page, PROT_NONE));
	self->users = evfd_test_users();
	self->next_fd = evfd_test_next_fd();
}

/* No descriptor and no counter may be left after a test. */
FIXTURE_TEARDOWN(create)
{
	EXPECT_EQ(self->next_fd, evfd_test_next_fd())
		TH_LOG("a descriptor was left behind");
	EXPECT_EQ(self->users, evfd_test_users())
		TH_LOG("a counter was left behind");
	munmap(self->buf, 2 * self->page);
	close(self->dev);
}

/* The new descriptor, or -errno. */
static int create(int dev, unsigned int cmd, const void *arg)
{
	return sysret(ioctl(dev, cmd, arg));
}

static int create_args(int dev, uint64_t flags, uint64_t initval)
{
	struct evfd_create arg = { .flags = flags, .initval = initval };

	return create(dev, EVFD_IOC_CREATE, &arg);
}

TEST_F(create, struct_has_the_published_layout)
{
	EXPECT_EQ(16, EVFD_CREATE_SIZE_VER0);
	EXPECT_EQ(16, sizeof(struct evfd_create));
	EXPECT_EQ(0, offsetof(struct evfd_create, flags));
	EXPECT_EQ(8, offsetof(struct evfd_create, initval));
	EXPECT_EQ(0x4010ef00, EVFD_IOC_CREATE);
	EXPECT_EQ(16, EVFD_FEATURES_SIZE_VER0);
	EXPECT_EQ(16, sizeof(struct evfd_features));
	EXPECT_EQ(0, offsetof(struct evfd_features, flags));
	EXPECT_EQ(8, offsetof(struct evfd_features, create_size));
	EXPECT_EQ(12, offsetof(struct evfd_features, __reserved));
	EXPECT_EQ(0x8010ef01, EVFD_IOC_FEATURES);
	EXPECT_EQ(16, sizeof(struct evfd_page));
	EXPECT_EQ(0, offsetof(struct evfd_page, count));
	EXPECT_EQ(8, offsetof(struct evfd_page, armed));
	EXPECT_EQ(12, offsetof(struct evfd_page, __reserved));
	EXPECT_EQ(0xef10, EVFD_IOC_KICK);
	EXPECT_EQ(0x8008ef11, EVFD_IOC_FLAGS);
}

TEST_F(create, every_combination_of_flags_works)
{
	unsigned int flags;
	uint64_t value;

	for (flags = 0; flags <= ALL_FLAGS; flags++) {
		int fd = create_args(self->dev, flags, 5);

		ASSERT_EQ(self->next_fd, fd)
			TH_LOG("flags %#x", flags);
		EXPECT_EQ(flags & EVFD_CLOEXEC ? FD_CLOEXEC : 0,
			  fcntl(fd, F_GETFD))
			TH_LOG("flags %#x", flags);
		EXPECT_EQ(O_RDWR | (flags & EVFD_NONBLOCK ? O_NONBLOCK : 0),
			  fcntl(fd, F_GETFL))
			TH_LOG("flags %#x", flags);

		value = 0;
		EXPECT_EQ(8, evfd_test_read(fd, &value));
		EXPECT_EQ(flags & EVFD_SEMAPHORE ? 1 : 5, value)
			TH_LOG("flags %#x", flags);
		EXPECT_EQ(5 - value, evfd_test_count(fd));
		close(fd);
	}
}

TEST_F(create, unknown_flag_is_einval)
{
	unsigned int bit;

	for (bit = 0; bit < 64; bit++) {
		uint64_t flag = 1ULL << bit;

		if (flag & ALL_FLAGS)
			continue;
		EXPECT_EQ(-EINVAL, create_args(self->dev, flag, 0))
			TH_LOG("flag %#" PRIx64, flag);
		EXPECT_EQ(-EINVAL, create_args(self->dev, flag | ALL_FLAGS, 0))
			TH_LOG("flag %#" PRIx64 " with all known ones", flag);
	}
	EXPECT_EQ(-EINVAL, create_args(self->dev, UINT64_MAX, 0));
}

TEST_F(create, initial_value_has_64_bits)
{
	static const uint64_t values[] = {
		0, 1, INT32_MAX, UINT32_MAX, 1ULL << 32, INT64_MAX, 1ULL << 63,
		EVFD_COUNT_MAX - 1, EVFD_COUNT_MAX,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		int fd = create_args(self->dev, EVFD_NONBLOCK, values[i]);
		uint64_t value = 0;

		ASSERT_LE(0, fd);
		EXPECT_EQ(values[i], evfd_test_count(fd));
		EXPECT_EQ(values[i] ? 8 : -EAGAIN, evfd_test_read(fd, &value));
		EXPECT_EQ(values[i], value);
		close(fd);
	}
}

TEST_F(create, initial_value_of_all_ones_is_einval)
{
	unsigned int flags;

	for (flags = 0; flags <= ALL_FLAGS; flags++)
		EXPECT_EQ(-EINVAL,
			  create_args(self->dev, flags, UINT64_MAX));
}

TEST_F(create, short_struct_is_einval)
{
	unsigned int size;

	memset(self->buf, 0, self->page);
	for (size = 0; size < EVFD_CREATE_SIZE_VER0; size++) {
		EXPECT_EQ(-EINVAL,
			  create(self->dev, CREATE_SIZED(size), self->buf))
			TH_LOG("size %u", size);
		/* The size suffices: memory is not read. */
		EXPECT_EQ(-EINVAL, create(self->dev, CREATE_SIZED(size), NULL))
			TH_LOG("size %u, no memory", size);
	}
}

/* The next size up to @page: each of the small ones, some of the others. */
static unsigned int next_size(unsigned int size, unsigned int page)
{
	unsigned int next = size < 256 ? size + 1 : size + 61;

	return size < page && next > page ? page : next;
}

TEST_F(create, longer_struct_works_if_its_tail_is_zero)
{
	unsigned int size;

	/* The structure ends where the page does: not a byte more is read. */
	memset(self->buf, 0, self->page);
	for (size = EVFD_CREATE_SIZE_VER0; size <= self->page;
	     size = next_size(size, self->page)) {
		char *arg = self->buf + self->page - size;
		struct evfd_create *head = (struct evfd_create *)arg;
		int fd;

		head->initval = size;
		fd = create(self->dev, CREATE_SIZED(size), arg);
		ASSERT_LE(0, fd)
			TH_LOG("size %u", size);
		ASSERT_EQ(size, evfd_test_count(fd));
		close(fd);
		head->initval = 0;
	}
}

TEST_F(create, nonzero_tail_is_e2big)
{
	unsigned int size;

	memset(self->buf, 0, self->page);
	for (size = EVFD_CREATE_SIZE_VER0 + 1; size <= self->page;
	     size = next_size(size, self->page)) {
		/* The first byte of the tail, and the last. */
		self->buf[EVFD_CREATE_SIZE_VER0] = 1;
		ASSERT_EQ(-E2BIG,
			  create(self->dev, CREATE_SIZED(size), self->buf))
			TH_LOG("size %u, first byte of the tail", size);
		self->buf[EVFD_CREATE_SIZE_VER0] = 0;
		self->buf[size - 1] = 0x80;
		ASSERT_EQ(-E2BIG,
			  create(self->dev, CREATE_SIZED(size), self->buf))
			TH_LOG("size %u, last byte of the tail", size);
		self->buf[size - 1] = 0;
	}
}

TEST_F(create, struct_beyond_a_page_is_e2big)
{
	unsigned int max = (1U << _IOC_SIZEBITS) - 1;
	unsigned int size;

	ASSERT_EQ(0, mprotect(self->buf, 2 * self->page,
			      PROT_READ | PROT_WRITE));
	if (self->page >= max)
		SKIP(return, "a page is as long as an ioctl's argument can be");

	EXPECT_EQ(-E2BIG, create(self->dev, CREATE_SIZED(self->page + 1),
				 self->buf));
	for (size = self->page + 1; size <= max; size++) {
		ASSERT_EQ(-E2BIG, create(self->dev, CREATE_SIZED(size), NULL))
			TH_LOG("size %u", size);
	}
}

TEST_F(create, unreadable_struct_is_efault)
{
	unsigned int i;

	memset(self->buf, 0, self->page);
	EXPECT_EQ(-EFAULT, create(self->dev, EVFD_IOC_CREATE, NULL));
	EXPECT_EQ(-EFAULT, create(self->dev, EVFD_IOC_CREATE,
				  self->buf + self->page));
	EXPECT_EQ(-EFAULT, create(self->dev, EVFD_IOC_CREATE, (void *)-16L));

	/* Its first i bytes can be read. */
	for (i = 1; i < EVFD_CREATE_SIZE_VER0; i++)
		EXPECT_EQ(-EFAULT, create(self->dev, EVFD_IOC_CREATE,
					  self->buf + self->page - i))
			TH_LOG("%u bytes readable", i);

	/* The part that the kernel knows can be read, the tail cannot. */
	EXPECT_EQ(-EFAULT, create(self->dev, CREATE_SIZED(24),
				  self->buf + self->page - 16));
}

TEST_F(create, read_only_struct_works)
{
	int fd;

	memset(self->buf, 0, self->page);
	ASSERT_EQ(0, mprotect(self->buf, self->page, PROT_READ));
	fd = create(self->dev, EVFD_IOC_CREATE, self->buf);
	EXPECT_LE(0, fd);
	close(fd);
}

#define FEATURES_SIZED(size)	_IOC(_IOC_READ, EVFD_IOC_TYPE, 0x01, size)

TEST_F(create, features_are_those_that_work)
{
	struct evfd_features features;
	unsigned int bit;

	memset(&features, 0xcc, sizeof(features));
	ASSERT_EQ(0, ioctl(self->dev, EVFD_IOC_FEATURES, &features));
	EXPECT_EQ(sizeof(struct evfd_create), features.create_size);
	EXPECT_EQ(0, features.__reserved);
	for (bit = 0; bit < 64; bit++) {
		int fd = create_args(self->dev, 1ULL << bit, 0);

		EXPECT_EQ(features.flags >> bit & 1, fd >= 0)
			TH_LOG("flag %#llx", 1ULL << bit);
		if (fd >= 0)
			close(fd);
	}
}

TEST_F(create, features_fit_the_caller)
{
	struct evfd_features *known = (struct evfd_features *)self->buf;
	unsigned int size, i;

	for (size = 0; size < EVFD_FEATURES_SIZE_VER0; size++)
		EXPECT_EQ(-EINVAL,
			  create(self->dev, FEATURES_SIZED(size), self->buf))
			TH_LOG("size %u", size);

	for (size = EVFD_FEATURES_SIZE_VER0; size < 256; size++) {
		memset(self->buf, 0xcc, self->page);
		ASSERT_EQ(0, create(self->dev, FEATURES_SIZED(size), self->buf))
			TH_LOG("size %u", size);
		EXPECT_EQ(ALL_FLAGS, known->flags);
		for (i = sizeof(*known); i < size; i++)
			ASSERT_EQ(0, self->buf[i])
				TH_LOG("byte %u of %u", i, size);
		EXPECT_EQ((char)0xcc, self->buf[size])
			TH_LOG("written behind %u bytes", size);
	}
	EXPECT_EQ(0, create(self->dev, FEATURES_SIZED(self->page), self->buf));
	if (self->page < (1U << _IOC_SIZEBITS) - 1)
		EXPECT_EQ(-E2BIG,
			  create(self->dev, FEATURES_SIZED(self->page + 1),
				 self->buf));
}

TEST_F(create, unwritable_features_are_efault)
{
	EXPECT_EQ(-EFAULT, create(self->dev, EVFD_IOC_FEATURES, NULL));
	EXPECT_EQ(-EFAULT, create(self->dev, EVFD_IOC_FEATURES,
				  self->buf + self->page));
	EXPECT_EQ(-EFAULT, create(self->dev, EVFD_IOC_FEATURES,
				  self->buf + self->page - 8));
	EXPECT_EQ(-EFAULT, create(self->dev, FEATURES_SIZED(24),
				  self->buf + self->page - 16));
}

TEST_F(create, unknown_ioctl_is_enotty)
{
	struct evfd_create arg = { 0 };
	unsigned int i;

	for (i = 0; i < 256; i++) {
		if (i != _IOC_NR(EVFD_IOC_CREATE))
			EXPECT_EQ(-ENOTTY,
				  create(self->dev,
					 _IOW(EVFD_IOC_TYPE, i,
					      struct evfd_create), &arg))
				TH_LOG("number %#x, written", i);
		if (i != _IOC_NR(EVFD_IOC_FEATURES))
			EXPECT_EQ(-ENOTTY,
				  create(self->dev,
					 _IOR(EVFD_IOC_TYPE, i,
					      struct evfd_create), &arg))
				TH_LOG("number %#x, read", i);
		if (i != EVFD_IOC_TYPE && i != 'T' && i != 'f' && i != 'X')
			EXPECT_EQ(-ENOTTY,
				  create(self->dev,
					 _IOW(i, 0, struct evfd_create), &arg))
				TH_LOG("type %#x", i);
	}
	EXPECT_EQ(-ENOTTY, create(self->dev,
				  _IOR(EVFD_IOC_TYPE, 0, struct evfd_create),
				  &arg));
	EXPECT_EQ(-ENOTTY, create(self->dev,
				  _IOWR(EVFD_IOC_TYPE, 0, struct evfd_create),
				  &arg));
	EXPECT_EQ(-ENOTTY, create(self->dev, _IO(EVFD_IOC_TYPE, 0), &arg));
	EXPECT_EQ(-ENOTTY, create(self->dev, 0, &arg));
}

TEST_F(create, ioctl_on_the_counter_is_enotty)
{
	struct evfd_create arg = { 0 };
	int fd = create_args(self->dev, 0, 7);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-ENOTTY, create(fd, EVFD_IOC_CREATE, &arg));
	EXPECT_EQ(-ENOTTY, create(fd, EVFD_IOC_FEATURES, &arg));
	EXPECT_EQ(-ENOTTY, create(fd, 0, &arg));
	EXPECT_EQ(7, evfd_test_count(fd));
	close(fd);
}

TEST_F(create, no_free_descriptor_is_emfile)
{
	struct rlimit old, limit;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
	limit = old;
	limit.rlim_cur = self->next_fd;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(-EMFILE, create_args(self->dev, 0, 0));
	/* A bad argument is found before that. */
	EXPECT_EQ(-EINVAL, create_args(self->dev, ~0U, 0));
	limit.rlim_cur++;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	EXPECT_EQ(self->next_fd, create_args(self->dev, 0, 0));
	EXPECT_EQ(-EMFILE, create_args(self->dev, 0, 0));
	close(self->next_fd);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &old));
}

/* Runs @fn(@dev) as the user nobody. Returns its result, or -1000. */
static int as_nobody(int (*fn)(int dev), int dev)
{
	int status, to[2], ret = -1000;
	pid_t pid;

	if (pipe(to))
		return ret;
	pid = fork();
	if (!pid) {
		int result = -1000;

		close(to[0]);
		if (!setgroups(0, NULL) && !setresgid(65534, 65534, 65534) &&
		    !setresuid(65534, 65534, 65534))
			result = fn(dev);
		if (write(to[1], &result, sizeof(result)) != sizeof(result))
			_exit(1);
		_exit(0);
	}
	close(to[1]);
	if (pid > 0 && read(to[0], &ret, sizeof(ret)) != sizeof(ret))
		ret = -1000;
	if (pid > 0)
		waitpid(pid, &status, 0);
	close(to[0]);

	return ret;
}

/* A create that, if it fails, must leave no descriptor with this process. */
static int create_or_nothing(int dev)
{
	int before = evfd_test_next_fd(), ret = create_args(dev, 0, 0);

	return ret < 0 && evfd_test_next_fd() != before ? -2000 : ret;
}

TEST_F(create, no_free_file_is_enfile)
{
	char old[32];
	int ret;

	ASSERT_EQ(0, evfd_test_text("/proc/sys/fs/file-max", old, sizeof(old)));
	/* Root is exempt: for root it still works. */
	if (evfd_test_put("/proc/sys/fs", "file-max", "0"))
		SKIP(return, "fs.file-max cannot be lowered: %s",
		     strerror(errno));
	ret = as_nobody(create_or_nothing, self->dev);
	ASSERT_EQ(0, evfd_test_put("/proc/sys/fs", "file-max", old));

	EXPECT_EQ(-ENFILE, ret)
		TH_LOG("-2000: a descriptor was left behind");
	EXPECT_LE(0, as_nobody(create_or_nothing, self->dev))
		TH_LOG("with the limit as it was");
}

static int open_and_create(int dev)
{
	int fd = open("/dev/evfd", O_RDWR | O_CLOEXEC);
	uint64_t value = 0;

	fd = fd < 0 ? -errno : create_args(fd, EVFD_NONBLOCK, 3);
	if (fd < 0)
		return fd;
	if (evfd_test_write(fd, 4) != 8 || evfd_test_read(fd, &value) != 8)
		return -1000;
	return value;
}

TEST_F(create, device_is_for_everybody)
{
	struct stat st;

	if (getuid())
		SKIP(return, "only root can become nobody");
	ASSERT_EQ(0, fstat(self->dev, &st));
	EXPECT_EQ(S_IFCHR | 0666, st.st_mode)
		TH_LOG("mode %o", st.st_mode);
	EXPECT_EQ(10, major(st.st_rdev));
	EXPECT_EQ(7, as_nobody(open_and_create, -1));
}

TEST_F(create, access_mode_of_the_device_does_not_matter)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		int dev = open("/dev/evfd", modes[i] | O_CLOEXEC);
		int fd;

		ASSERT_LE(0, dev);
		fd = create_args(dev, 0, 0);
		ASSERT_LE(0, fd);
		EXPECT_EQ(O_RDWR, fcntl(fd, F_GETFL));
		close(fd);
		close(dev);
	}
}

TEST_F(create, counter_outlives_the_device_descriptor)
{
	int fd = evfd_test_create(0, 9);

	EXPECT_EQ(9, evfd_test_value(fd));
	close(fd);
}

TEST_F(create, ids_of_living_counters_differ)
{
	uint64_t ids[64];
	int fds[64], i, j;

	for (i = 0; i < 64; i++) {
		fds[i] = create_args(self->dev, 0, 0);
		ASSERT_LE(0, fds[i]);
		ids[i] = evfd_test_id(fds[i]);
		for (j = 0; j < i; j++)
			EXPECT_NE(ids[j], ids[i]);
	}
	for (i = 0; i < 64; i++)
		close(fds[i]);
}

/*
 * In a group of its own, makes @nr counters with @make and returns what the
 * group was charged for them; -1 on trouble.
 */
static long charge_for(const char *parent, int nr,
		       int (*make)(unsigned int flags, uint64_t initval))
{
	char group[PATH_MAX - 64];
	int to[2], status;
	long result = -1;
	pid_t pid;

	snprintf(group, sizeof(group), "%s/evfd-test-%d", parent, getpid());
	if (mkdir(group, 0755) || pipe(to))
		return -1;
	pid = fork();
	if (!pid) {
		long before;
		int i;

		if (evfd_test_put(group, "cgroup.procs", "0"))
			_exit(1);
		/* The table of descriptors has grown before it counts. */
		close(dup2(to[1], nr + 100));
		before = evfd_test_number(group, "memory.current", "");
		for (i = 0; i < nr; i++) {
			if (make(0, 0) < 0)
				_exit(1);
		}
		result = evfd_test_number(group, "memory.current", "") -
			 before;
		if (before < 0 || write(to[1], &result, sizeof(result)) < 0)
			_exit(1);
		_exit(0);
	}
	close(to[1]);
	if (read(to[0], &result, sizeof(result)) != sizeof(result))
		result = -1;
	close(to[0]);
	if (pid > 0)
		waitpid(pid, &status, 0);
	rmdir(group);

	return result;
}

TEST_F_TIMEOUT(create, memory_is_charged_to_the_cgroup, 180)
{
	const char *root = "/sys/fs/cgroup";
	struct rlimit limit = { 16384, 16384 };
	const int nr = 6000;
	long ours, eventfds;

	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK))
		SKIP(return, "no cgroup2 at %s", root);
	if (evfd_test_put(root, "cgroup.subtree_control", "+memory"))
		SKIP(return, "no memory controller: %s", strerror(errno));
	if (setrlimit(RLIMIT_NOFILE, &limit))
		SKIP(return, "not allowed %d descriptors", nr);

	/*
	 * Both are charged for the file; an eventfd is not for its counter.
	 * The charge is kept in batches, hence so many.
	 */
	eventfds = charge_for(root, nr, evfd_test_create_eventfd);
	ours = charge_for(root, nr, evfd_test_create);
	TH_LOG("%d files: %ld bytes for eventfd, %ld for evfd", nr, eventfds,
	       ours);
	ASSERT_LT(0, eventfds);
	ASSERT_LT(0, ours);
	EXPECT_LE(nr * 96L, ours - eventfds);
}

TEST_F(create, program_of_32_bits_works)
{
	char path[PATH_MAX], *dir;
	int status, err;
	ssize_t n;
	pid_t pid;

	if (sizeof(long) != 8)
		SKIP(return, "this program has 32 bits itself");
	n = readlink("/proc/self/exe", path, sizeof(path) - 16);
	ASSERT_LT(0, n);
	path[n] = '\0';
	dir = dirname(path);
	memmove(path, dir, strlen(dir) + 1);
	strcat(path, "/create_32");
	if (access(path, X_OK))
		SKIP(return, "create_32 was not built: the compiler has no -m32");

	pid = vfork();
	if (!pid) {
		execl(path, path, NULL);
		_exit(errno == ENOEXEC ? 200 : 201);
	}
	ASSERT_LT(0, pid);
	err = waitpid(pid, &status, 0);
	ASSERT_EQ(pid, err);
	ASSERT_TRUE(WIFEXITED(status));
	if (WEXITSTATUS(status) == 200)
		SKIP(return, "this kernel runs no 32-bit programs");
	EXPECT_EQ(0, WEXITSTATUS(status))
		TH_LOG("see the step of that number in create_32.c");
}

TEST_HARNESS_MAIN
