// SPDX-License-Identifier: GPL-2.0-only
/*
 * At the limits of descriptors, files and memory: a refused creation leaves
 * nothing, existing counters work on, and all memory is charged to a cgroup.
 *
 * Needs root and the memory controller of cgroup2. Uses evfd_test.h;
 * create_test.c has the errors of single creations, inject_test.c makes each
 * allocation fail in turn.
 */
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "evfd_test.h"

#define MB		(1024 * 1024L)
/* The time limit of a test, in s: only a test that hangs reaches it. */
#define PATIENCE	120
/* More than fit into the memory that the tests allow. */
#define NR_FDS		40000

#define CGROUP_ROOT	"/sys/fs/cgroup"

/* The memory of the whole system for kernel objects, in bytes. */
static long slab_of_all(void)
{
	return evfd_test_number("/proc", "meminfo", "Slab:") * 1024;
}

/* The results of a child, in shared memory. */
struct found {
	/* How many counters it could make, and the error that ended it. */
	long made;
	int error;
	/* The descriptor that was free at the error, and the next before it. */
	int next_fd;
	int wanted_fd;
	/* How many of the counters worked after that. */
	long worked;
	/* After half of them were closed, how many could be made again. */
	long again;
	int again_error;
	/* The charge of a group, before and after. */
	long charged[2];
	bool finished;
};

FIXTURE(limits) {
	char group[PATH_MAX - 64];
	int dev;
	int users;
	struct found *found;
};

FIXTURE_SETUP(limits)
{
	ASSERT_EQ(0, geteuid())
		TH_LOG("needs root");
	self->dev = evfd_test_open();
	self->users = evfd_test_users();
	self->found = evfd_test_share(sizeof(*self->found));
	ASSERT_EQ(0, evfd_test_put(CGROUP_ROOT, "cgroup.subtree_control", "+memory"))
		TH_LOG("no memory controller at " CGROUP_ROOT ": %s",
		       strerror(errno));
	snprintf(self->group, sizeof(self->group),
		 CGROUP_ROOT "/evfd-limits-%d", getpid());
	ASSERT_EQ(0, mkdir(self->group, 0755));
}

FIXTURE_TEARDOWN(limits)
{
	EXPECT_EQ(0, rmdir(self->group))
		TH_LOG("%s: %s", self->group, strerror(errno));
	close(self->dev);
}

static int create(int dev, uint64_t initval)
{
	struct evfd_create arg = { .initval = initval };

	return sysret(ioctl(dev, EVFD_IOC_CREATE, &arg));
}

/*
 * Moves the caller into the group and gives it room in its table of descriptors,
 * so that this does not grow later. @score is for the out-of-memory killer.
 */
static int child_enter(const char *group, const char *score)
{
	struct rlimit limit = { NR_FDS + 64, NR_FDS + 64 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setrlimit(RLIMIT_NOFILE, &limit) ||
	    dup2(STDERR_FILENO, NR_FDS + 63) < 0 ||
	    evfd_test_put("/proc/self", "oom_score_adj", score) ||
	    mlockall(MCL_CURRENT | MCL_FUTURE) ||
	    evfd_test_put(group, "cgroup.procs", "0"))
		return -1;

	return close(NR_FDS + 63);
}

/*
 * Creates counters until it is refused, checks them, frees half, goes on. It stops
 * before that and after, so that the parent can measure: it could not open a file
 * itself.
 */
static void child_at_the_limit(const char *group, int dev, struct found *found)
{
	static int fds[NR_FDS];
	uint64_t value;
	long i;

	if (child_enter(group, "-1000"))
		_exit(1);
	raise(SIGSTOP);
	while (found->made < NR_FDS) {
		found->wanted_fd = evfd_test_next_fd();
		fds[found->made] = create(dev, found->made + 1);
		if (fds[found->made] < 0)
			break;
		found->made++;
	}
	found->error = found->made == NR_FDS ? 0 : -fds[found->made];
	found->next_fd = evfd_test_next_fd();
	raise(SIGSTOP);

	for (i = 0; i < found->made; i++) {
		found->worked += evfd_test_write(fds[i], 1) == 8 &&
				 evfd_test_read(fds[i], &value) == 8 &&
				 value == i + 2;
	}
	for (i = 0; i < found->made; i += 2)
		close(fds[i]);
	for (i = 0; i < found->made; i += 2) {
		fds[i] = create(dev, 0);
		if (fds[i] < 0)
			break;
		found->again++;
	}
	found->again_error = i < found->made ? -fds[i] : 0;
	found->finished = true;
	_exit(0);
}

/* Waits for the end of counters that a killed process leaves to workers. */
static bool users_are(int users)
{
	return evfd_test_until(evfd_test_users() == users);
}

/* A process that the out-of-memory killer spares is told ENOMEM. */
TEST_F_TIMEOUT(limits, memory_of_the_group_is_enomem, PATIENCE)
{
	struct found *found = self->found;
	long all[2], group[2], charged, used, paid;
	int status, i;
	pid_t pid;

	ASSERT_EQ(0, evfd_test_put(self->group, "memory.max", "8388608"));
	pid = fork();
	if (!pid)
		child_at_the_limit(self->group, self->dev, found);
	ASSERT_LT(0, pid);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
		ASSERT_TRUE(WIFSTOPPED(status))
			TH_LOG("status %#x", status);
		all[i] = slab_of_all();
		group[i] = evfd_test_number(self->group, "memory.stat", "slab ");
		ASSERT_LE(0, group[i]);
		ASSERT_EQ(0, kill(pid, SIGCONT));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	ASSERT_TRUE(found->finished);

	TH_LOG("%ld counters in 8 MB, half of them closed: %ld more",
	       found->made, found->again);
	EXPECT_EQ(ENOMEM, found->error)
		TH_LOG("%ld were made", found->made);
	EXPECT_LT(1000, found->made);
	EXPECT_EQ(found->wanted_fd, found->next_fd)
		TH_LOG("a descriptor was left behind");
	EXPECT_EQ(found->made, found->worked);

	/* Memory that was freed can be used again, but for some in caches. */
	EXPECT_LE(found->made / 4, found->again);
	if (found->again_error)
		EXPECT_EQ(ENOMEM, found->again_error);

	/* All that the system used for them was the group's. */
	used = all[1] - all[0];
	paid = group[1] - group[0];
	TH_LOG("%ld bytes a counter were used, %ld of them paid for",
	       used / found->made, paid / found->made);
	EXPECT_LT(found->made * 200, paid);
	/* kmemleak's own memory is not charged. */
	if (access("/sys/kernel/debug/kmemleak", F_OK))
		EXPECT_GT(found->made * 64 + MB, used - paid);

	EXPECT_TRUE(users_are(self->users));
	charged = evfd_test_number(self->group, "memory.current", "");
	EXPECT_GT(8 * MB, charged)
		TH_LOG("the process is gone, its group is still charged");
}

static void child_until_killed(const char *group, int dev, struct found *found)
{
	if (child_enter(group, "1000"))
		_exit(1);
	while (found->made < NR_FDS && create(dev, 0) >= 0)
		found->made++;
	_exit(2);
}

/* Any other is killed, and takes all its counters along. */
TEST_F_TIMEOUT(limits, memory_of_the_group_kills_who_can_be_killed, PATIENCE)
{
	struct found *found = self->found;
	int status;
	pid_t pid;

	ASSERT_EQ(0, evfd_test_put(self->group, "memory.max", "8388608"));
	pid = fork();
	if (!pid)
		child_until_killed(self->group, self->dev, found);
	ASSERT_LT(0, pid);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		TH_LOG("status %#x after %ld counters", status, found->made);
	EXPECT_LT(1000, found->made);
	EXPECT_TRUE(users_are(self->users));
}

/*
 * Refused again and again: if each left a few bytes, the group would be charged
 * for them. It is charged in batches, hence so many.
 */
#define NR_REFUSALS	10000
#define NR_BYTES	32

static void child_refused(const char *group, int dev, struct found *found,
			  int error)
{
	char path[PATH_MAX], text[32] = "";
	struct rlimit limit;
	int current, i;

	/* Nothing can be opened at the limit. */
	snprintf(path, sizeof(path), "%s/memory.current", group);
	current = open(path, O_RDONLY | O_CLOEXEC);
	if (current < 0 || child_enter(group, "-1000") || setgroups(0, NULL) ||
	    setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		_exit(1);
	limit.rlim_cur = evfd_test_next_fd();
	limit.rlim_max = NR_FDS;
	if (error == EMFILE && setrlimit(RLIMIT_NOFILE, &limit))
		_exit(1);

	if (pread(current, text, sizeof(text), 0) <= 0)
		_exit(1);
	found->charged[0] = atol(text);
	for (i = 0; i < NR_REFUSALS; i++) {
		int ret = create(dev, error == EINVAL ? UINT64_MAX : 0);

		if (ret != -error) {
			found->error = -ret;
			_exit(2);
		}
	}
	found->error = error;
	if (pread(current, text, sizeof(text), 0) <= 0)
		_exit(1);
	found->charged[1] = atol(text);
	limit.rlim_cur = NR_FDS;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		_exit(1);
	close(current);
	found->next_fd = evfd_test_next_fd();
	_exit(0);
}

TEST_F_TIMEOUT(limits, refusals_cost_nothing, PATIENCE)
{
	static const int errors[] = { EMFILE, ENFILE, EINVAL };
	struct found *found = self->found;
	int status, wanted;
	char old[32] = "";
	size_t i;
	pid_t pid;

	ASSERT_EQ(0, evfd_test_text("/proc/sys/fs/file-max", old, sizeof(old)));
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		memset(found, 0, sizeof(*found));
		wanted = evfd_test_next_fd();
		/* Root, which is everybody else, is exempt. */
		if (errors[i] == ENFILE)
			ASSERT_EQ(0, evfd_test_put("/proc/sys/fs", "file-max",
						   "0"));
		pid = fork();
		if (!pid)
			child_refused(self->group, self->dev, found, errors[i]);
		waitpid(pid, &status, 0);
		ASSERT_EQ(0, evfd_test_put("/proc/sys/fs", "file-max", old));
		ASSERT_LT(0, pid);
		ASSERT_EQ(0, status)
			TH_LOG("%s instead of %s", strerror(found->error),
			       strerror(errors[i]));
		EXPECT_EQ(wanted, found->next_fd);
		EXPECT_GT(NR_REFUSALS * NR_BYTES,
			  found->charged[1] - found->charged[0])
			TH_LOG("%d times %s are charged %ld bytes", NR_REFUSALS,
			       strerror(errors[i]),
			       found->charged[1] - found->charged[0]);
		EXPECT_TRUE(users_are(self->users));
	}
}

TEST_HARNESS_MAIN
