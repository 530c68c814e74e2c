// SPDX-License-Identifier: GPL-2.0-only
/*
 * What /proc and fstat(2) show of a counter.
 *
 * The keys of fdinfo, their order and their formats are ABI, so they are
 * compared to the letter. Where evfd has to look as eventfd(2) does, the test
 * asks the running kernel's eventfd. Read evfd_test.h and evfd_task.h first.
 */
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "evfd_task.h"

#define NINSTANCES	1000

/* The text of /proc/@pid/fdinfo/@fd. Returns its length or -errno. */
static int read_fdinfo(pid_t pid, int fd, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);

	return evfd_test_text(path, text, size) ? -errno : (int)strlen(text);
}

/* The lines behind those of every file, or "". */
static const char *own_lines(char *text)
{
	char *line = strstr(text, "\nino:\t");

	line = line ? strchr(line + 1, '\n') : NULL;

	return line ? line + 1 : "";
}

TEST(the_lines_have_their_order_and_format)
{
	const struct {
		uint64_t count;
		const char *shown;
	} counts[] = {
		{ 0,			"               0" },
		{ 1,			"               1" },
		{ 0xabc,		"             abc" },
		{ 0x1020304050607080,	"1020304050607080" },
		{ evfd_test_max(true),	evfd_test_shared() ? "7fffffffffffffff" :
							     "fffffffffffffffe" },
	};
	char text[512], expected[256];
	int semaphore, fd;
	unsigned int i;

	for (semaphore = 0; semaphore < 2; semaphore++) {
		for (i = 0; i < ARRAY_SIZE(counts); i++) {
			fd = evfd_test_create(semaphore ? EVFD_SEMAPHORE : 0,
					      counts[i].count);
			ASSERT_LT(0, read_fdinfo(getpid(), fd, text, sizeof(text)));
			snprintf(expected, sizeof(expected),
				 "evfd-count: %s\nevfd-id: %" PRIu64 "\n"
				 "evfd-semaphore: %d\n"
				 "evfd-readers: 0\nevfd-writers: 0\n"
				 "evfd-pollers: 0\nevfd-shared: %d\n",
				 counts[i].shown, evfd_test_id(fd), semaphore,
				 evfd_test_shared());
			/* Later versions may add lines of their own. */
			EXPECT_EQ(0, strncmp(own_lines(text), expected,
					     strlen(expected)))
				TH_LOG("%s", text);
			close(fd);
		}
	}
}

/* The keys are eventfd's but for the name, with the same number format. */
TEST(the_lines_are_those_of_eventfd)
{
	uint64_t count = 0x1020304050607080;
	int evfd = evfd_test_create(0, count);
	int eventfd = evfd_test_create_eventfd(0, count);
	char ours[512], theirs[512];
	size_t len;

	ASSERT_LT(0, read_fdinfo(getpid(), evfd, ours, sizeof(ours)));
	ASSERT_LT(0, read_fdinfo(getpid(), eventfd, theirs, sizeof(theirs)));
	/* Up to the id, which differs. */
	len = strcspn(own_lines(ours), "\n");
	EXPECT_EQ(len + 3, strcspn(own_lines(theirs), "\n"));
	EXPECT_EQ(0, strncmp(own_lines(ours), "evfd-count", 10));
	EXPECT_EQ(0, strncmp(own_lines(theirs), "eventfd-count", 13));
	EXPECT_EQ(0, strncmp(own_lines(ours) + 10, own_lines(theirs) + 13,
			     len - 10));
	close(evfd);
	close(eventfd);
}

TEST(the_generic_lines_show_the_files_flags)
{
	int fd = evfd_test_create(EVFD_NONBLOCK | EVFD_CLOEXEC, 0);
	char text[512], expected[64];

	ASSERT_LT(0, read_fdinfo(getpid(), fd, text, sizeof(text)));
	snprintf(expected, sizeof(expected), "pos:\t0\nflags:\t0%o\n",
		 O_RDWR | O_NONBLOCK | O_CLOEXEC);
	EXPECT_EQ(0, strncmp(text, expected, strlen(expected)))
		TH_LOG("%s", text);
	close(fd);
}

TEST(the_count_follows_reads_and_writes)
{
	int fd = evfd_test_create(EVFD_SEMAPHORE | EVFD_NONBLOCK, 0);

	EXPECT_EQ(0, evfd_test_count(fd));
	ASSERT_EQ(8, evfd_test_write(fd, 1ULL << 40));
	EXPECT_EQ(1ULL << 40, evfd_test_count(fd));
	ASSERT_EQ(8, evfd_test_read(fd, NULL));
	EXPECT_EQ((1ULL << 40) - 1, evfd_test_count(fd));
	/* fdinfo does not change the count. */
	EXPECT_EQ((1ULL << 40) - 1, evfd_test_count(fd));
	close(fd);
}

/* The number after @key; ~0 if there is none. */
static unsigned int number(int fd, const char *key)
{
	unsigned int n = ~0;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	evfd_test_proc(path, key, "%u", &n);

	return n;
}

TEST(neither_flags_nor_creator_are_shown)
{
	int fd = evfd_test_create(EVFD_SEMAPHORE | EVFD_NONBLOCK, 0);
	static const char * const keys[] = { "evfd-flags:", "evfd-creator:" };
	char text[512];
	size_t i;

	ASSERT_LT(0, read_fdinfo(getpid(), fd, text, sizeof(text)));
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		EXPECT_EQ(NULL, strstr(text, keys[i])) TH_LOG("%s", text);
	close(fd);
}

/* Waits until @key shows @n. Returns the last number. */
static unsigned int number_soon(int fd, const char *key, unsigned int n)
{
	evfd_test_until(number(fd, key) == n);
	return number(fd, key);
}

#define NTASKS	5

TEST(blocked_readers_are_counted)
{
	int fd = evfd_test_create(EVFD_SEMAPHORE, 0);
	struct evfd_task task[NTASKS];
	int i;

	for (i = 0; i < NTASKS; i++) {
		task[i] = (struct evfd_task){ .op = evfd_task_read, .fd = fd };
		ASSERT_EQ(0, evfd_task_run(&task[i]));
		EXPECT_EQ(i + 1, number_soon(fd, "evfd-readers:", i + 1));
	}
	EXPECT_EQ(0, number(fd, "evfd-writers:"));
	EXPECT_EQ(0, number(fd, "evfd-pollers:"));
	for (i = NTASKS; i--;) {
		ASSERT_EQ(8, evfd_test_write(fd, 1));
		EXPECT_EQ(i, number_soon(fd, "evfd-readers:", i));
	}
	for (i = 0; i < NTASKS; i++) {
		ASSERT_EQ(8, evfd_task_result(&task[i]));
	}
	close(fd);
}

TEST(blocked_writers_are_counted)
{
	int fd = evfd_test_create(0, evfd_test_max(true));
	struct evfd_task task[NTASKS];
	int i;

	for (i = 0; i < NTASKS; i++) {
		task[i] = (struct evfd_task){
			.op = evfd_task_write, .fd = fd, .value = 1,
		};
		ASSERT_EQ(0, evfd_task_run(&task[i]));
		EXPECT_EQ(i + 1, number_soon(fd, "evfd-writers:", i + 1));
	}
	EXPECT_EQ(0, number(fd, "evfd-readers:"));
	EXPECT_EQ(0, number(fd, "evfd-pollers:"));
	ASSERT_EQ(8, evfd_test_read(fd, NULL));
	for (i = 0; i < NTASKS; i++) {
		ASSERT_EQ(8, evfd_task_result(&task[i]));
	}
	EXPECT_EQ(0, number(fd, "evfd-writers:"));
	close(fd);
}

/* More than fdinfo counts to. */
#define NPOLLERS	4200
#define NSHOWN		4096

TEST(pollers_are_counted_up_to_a_limit)
{
	struct rlimit limit = { NPOLLERS + 100, NPOLLERS + 100 };
	struct epoll_event event = { .events = EPOLLIN };
	int fd = evfd_test_create(0, 0);
	static int copy[NPOLLERS];
	int ep = epoll_create1(0);
	unsigned int shown;
	int i;

	ASSERT_LE(0, ep);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < NPOLLERS; i++) {
		copy[i] = dup(fd);
		ASSERT_LE(0, copy[i]);
		ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, copy[i], &event));
		if (i < 10 || i > NSHOWN - 3) {
			shown = i + 1 < NSHOWN ? i + 1 : NSHOWN;
			ASSERT_EQ(shown, number(fd, "evfd-pollers:"));
		}
	}
	EXPECT_EQ(0, number(fd, "evfd-readers:"));
	EXPECT_EQ(0, number(fd, "evfd-writers:"));
	close(ep);
	EXPECT_EQ(0, number(fd, "evfd-pollers:"));
	for (i = 0; i < NPOLLERS; i++)
		close(copy[i]);
	close(fd);
}

TEST(the_link_names_evfd)
{
	int fd = evfd_test_create(0, 0);
	char path[64], link[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EXPECT_EQ(17, readlink(path, link, sizeof(link) - 1));
	EXPECT_STREQ("anon_inode:[evfd]", link);
	close(fd);
}

TEST(a_thousand_instances_have_ids_of_their_own)
{
	struct rlimit limit = { NINSTANCES + 100, NINSTANCES + 100 };
	static int fds[NINSTANCES];
	uint64_t last = 0, id;
	int i, round;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	/* Also in the second round, with the same descriptors. */
	for (round = 0; round < 2; round++) {
		for (i = 0; i < NINSTANCES; i++) {
			fds[i] = evfd_test_create(0, i);
		}
		for (i = 0; i < NINSTANCES; i++) {
			id = evfd_test_id(fds[i]);
			if (round || i)
				ASSERT_LT(last, id);
			last = id;
			EXPECT_EQ(i, evfd_test_count(fds[i]));
		}
		for (i = 0; i < NINSTANCES; i++)
			close(fds[i]);
	}
}

#define NWRITES	20000

static ssize_t task_write(struct evfd_task *task)
{
	int i, ret;

	for (i = 0; i < NWRITES; i++) {
		ret = evfd_test_write(task->fd, 0x100000001ULL);
		if (ret != 8)
			return ret;
	}

	return 0;
}

TEST(the_count_only_grows_while_another_thread_writes)
{
	int fd = evfd_test_create(0, 0);
	struct evfd_task task = { .op = task_write, .fd = fd };
	uint64_t last = 0, now;
	int looks = 0;

	ASSERT_EQ(0, evfd_task_run(&task));
	while (!task.done || !looks) {
		now = evfd_test_count(fd);
		ASSERT_LE(last, now);
		/* Never half of an update: both halves are the same. */
		ASSERT_EQ(now >> 32, now & UINT32_MAX);
		last = now;
		looks++;
	}
	ASSERT_EQ(0, evfd_task_result(&task));
	EXPECT_EQ(NWRITES * 0x100000001ULL, evfd_test_count(fd));
	close(fd);
}

FIXTURE(stat)
{
	int fd[2];
};

FIXTURE_SETUP(stat)
{
	self->fd[0] = evfd_test_create(0, 0);
	self->fd[1] = evfd_test_create_eventfd(0, 0);
}

FIXTURE_TEARDOWN(stat)
{
	close(self->fd[0]);
	close(self->fd[1]);
}

TEST_F(stat, fstat_shows_what_it_shows_of_an_eventfd)
{
	struct stat st[2];

	ASSERT_EQ(0, fstat(self->fd[0], &st[0]));
	ASSERT_EQ(0, fstat(self->fd[1], &st[1]));
	EXPECT_EQ(st[1].st_mode, st[0].st_mode);
	EXPECT_EQ(st[1].st_size, st[0].st_size);
	EXPECT_EQ(st[1].st_dev, st[0].st_dev);
	EXPECT_EQ(st[1].st_uid, st[0].st_uid);
	/* The kernel has one inode for all files of this sort. */
	EXPECT_EQ(st[1].st_ino, st[0].st_ino);
}

TEST_F(stat, what_changes_a_file_does_as_on_an_eventfd)
{
	long chmod[2], chown[2], trunc[2], sync[2];
	struct stat before;
	void *map[2];
	int i;

	/* It is the same inode, so this leaves it as it is. */
	ASSERT_EQ(0, fstat(self->fd[1], &before));
	for (i = 0; i < 2; i++) {
		chmod[i] = sysret(fchmod(self->fd[i], before.st_mode & 07777));
		chown[i] = sysret(fchown(self->fd[i], -1, -1));
		trunc[i] = sysret(ftruncate(self->fd[i], 8));
		sync[i] = sysret(fsync(self->fd[i]));
		/* What EVFD_SHARED is for. */
		if (evfd_test_shared())
			continue;
		map[i] = mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd[i], 0);
		EXPECT_EQ(MAP_FAILED, map[i]);
		EXPECT_EQ(ENODEV, errno);
	}
	EXPECT_EQ(chmod[1], chmod[0]);
	EXPECT_EQ(chown[1], chown[0]);
	EXPECT_EQ(trunc[1], trunc[0]);
	EXPECT_EQ(sync[1], sync[0]);
	EXPECT_GT(0, trunc[0]);
}

/*
 * A child with @uid reads the fdinfo of its parent's two descriptors. Stores for
 * each 1 if it shows the count, 0 if not, or -errno. Returns 0 or -1.
 */
static int look_at_parent(const int *fd, uid_t uid, int *seen)
{
	pid_t parent = getpid(), pid;
	int status, i, ret;
	int *shared = evfd_test_share(2 * sizeof(*shared));
	char text[512];

	pid = fork();
	if (!pid) {
		if (uid && setresuid(uid, uid, uid))
			_exit(1);
		for (i = 0; i < 2; i++) {
			ret = read_fdinfo(parent, fd[i], text, sizeof(text));
			shared[i] = ret < 0 ? ret :
					      !!strstr(text, "fd-count:");
		}
		_exit(0);
	}
	ret = waitpid(pid, &status, 0) == pid && !status ? 0 : -1;
	seen[0] = shared[0];
	seen[1] = shared[1];

	return ret;
}

TEST_F(stat, another_process_sees_it_as_it_sees_an_eventfd)
{
	int seen[2];

	ASSERT_EQ(0, look_at_parent(self->fd, 0, seen));
	EXPECT_EQ(1, seen[0]);
	EXPECT_EQ(1, seen[1]);
	if (getuid())
		SKIP(return, "the rest needs root");
	/* As another user. */
	ASSERT_EQ(0, look_at_parent(self->fd, 65534, seen));
	EXPECT_GT(0, seen[0]);
	EXPECT_EQ(seen[1], seen[0]);
}

TEST_HARNESS_MAIN
