// SPDX-License-Identifier: GPL-2.0-only
/*
 * evfdctl ls and info show the counters of this program, which holds and uses them
 * in every way; evfdctl_test.sh has the other verbs.
 *
 * Needs the C library's shared objects, and so the host's root. Uses evfd_shell.h
 * and evfd_task.h.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "kselftest_harness.h"
#include "evfd_shell.h"
#include "evfd_task.h"

#define NINSTANCES	3000

FIXTURE(evfdctl) { int unused; };

FIXTURE_SETUP(evfdctl)
{
	setenv("ctl", EVFDCTL, 1);
	ASSERT_EQ(0, access(EVFDCTL, X_OK))
		TH_LOG("no " EVFDCTL "; type: make -C selftests");
	/* There is no ld.so, as in the initramfs. */
	if (shell_run("$ctl --help 2>/dev/null") == 127)
		SKIP(return, "needs shared objects: use --root host");
}

FIXTURE_TEARDOWN(evfdctl)
{
}

/* A line of ls. */
struct row {
	int pid;
	int fd;
	uint64_t id;
	uint64_t count;
	char flags[4];
	int readers;
	int writers;
	int pollers;
	char comm[65];
};

static const char title[] =
	"PID FD ID COUNT FLAGS READERS WRITERS POLLERS COMM";

/*
 * Reads the rows of @shell_output into @rows. Returns how many there are, or -1 if
 * something is no row.
 */
static int parse(struct row *rows, int max)
{
	char *text = shell_output, *line, *word, head[128] = "";
	int n = 0;

	line = strsep(&text, "\n");
	while ((word = strsep(&line, " "))) {
		if (*word)
			snprintf(head + strlen(head),
				 sizeof(head) - strlen(head), "%s%s",
				 *head ? " " : "", word);
	}
	if (strcmp(head, title))
		return -1;
	for (; (line = strsep(&text, "\n")) && *line; n++) {
		struct row row = { };

		if (sscanf(line, "%d %d %" SCNu64 " %" SCNu64 " %3s %d %d %d %64[^\n]",
			   &row.pid, &row.fd, &row.id, &row.count, row.flags,
			   &row.readers, &row.writers, &row.pollers,
			   row.comm) < 8)
			return -1;
		if (n < max)
			rows[n] = row;
	}
	return n;
}

/* The row of a descriptor of this process, which has to be there. */
static int find_row(int fd, struct row *row)
{
	struct row rows[64];
	int n, i;

	if (shell_run("$ctl ls -p %d", getpid()))
		return -1;
	n = parse(rows, 64);
	for (i = 0; i < n && i < 64; i++) {
		if (rows[i].fd == fd) {
			*row = rows[i];
			return 0;
		}
	}
	return -1;
}

TEST_F(evfdctl, ls_shows_the_state)
{
	static const struct {
		unsigned int flags;
		const char *shown;
	} kinds[] = {
		{ 0, "---" },
		{ EVFD_SEMAPHORE, "s--" },
		{ EVFD_NONBLOCK, "-n-" },
		{ EVFD_CLOEXEC, "--c" },
		{ EVFD_SEMAPHORE | EVFD_NONBLOCK | EVFD_CLOEXEC, "snc" },
	};
	static const uint64_t counts[] = { 0, 1, 0xffffffff, EVFD_COUNT_MAX };
	struct row row;
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		fd = evfd_test_create(kinds[i].flags,
				      counts[i % ARRAY_SIZE(counts)]);
		ASSERT_EQ(0, find_row(fd, &row)) TH_LOG("%s", shell_output);
		EXPECT_EQ(getpid(), row.pid);
		EXPECT_EQ(evfd_test_id(fd), row.id);
		EXPECT_EQ(counts[i % ARRAY_SIZE(counts)], row.count);
		EXPECT_STREQ(kinds[i].shown, row.flags);
		EXPECT_EQ(0, row.readers);
		EXPECT_EQ(0, row.writers);
		EXPECT_EQ(0, row.pollers);
		EXPECT_STREQ("evfdctl_ls_test", row.comm);
		close(fd);
	}
	/* A closed one is not shown. */
	EXPECT_EQ(-1, find_row(fd, &row));
}

TEST_F(evfdctl, ls_follows_what_changes)
{
	struct evfd_task reader = { .op = evfd_task_read };
	struct evfd_task writer = { .op = evfd_task_write, .value = 1 };
	struct row row;
	uint64_t n;

	reader.fd = evfd_test_create(0, 0);
	writer.fd = evfd_test_create(0, EVFD_COUNT_MAX);
	ASSERT_EQ(0, evfd_task_start(&reader));
	ASSERT_EQ(0, evfd_task_start(&writer));

	ASSERT_EQ(0, find_row(reader.fd, &row));
	EXPECT_EQ(1, row.readers);
	EXPECT_EQ(0, row.writers);
	ASSERT_EQ(0, find_row(writer.fd, &row));
	EXPECT_EQ(0, row.readers);
	EXPECT_EQ(1, row.writers);

	ASSERT_EQ(8, evfd_test_write(reader.fd, 3));
	ASSERT_EQ(8, evfd_test_read(writer.fd, &n));
	ASSERT_EQ(0, evfd_task_join(&reader));
	ASSERT_EQ(0, evfd_task_join(&writer));
	ASSERT_EQ(0, fcntl(writer.fd, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, find_row(reader.fd, &row));
	EXPECT_EQ(0, row.readers);
	EXPECT_EQ(0, row.count);
	ASSERT_EQ(0, find_row(writer.fd, &row));
	EXPECT_EQ(0, row.writers);
	EXPECT_EQ(1, row.count);
	EXPECT_STREQ("-n-", row.flags);
}

/* poll(2) for ever. */
static void *poll_fd(void *arg)
{
	struct pollfd pollfd = { .fd = *(int *)arg, .events = POLLIN };

	poll(&pollfd, 1, -1);
	return NULL;
}

TEST_F(evfdctl, ls_counts_pollers)
{
	int fd = evfd_test_create(0, 0), i;
	struct row row = { };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, poll_fd, &fd));
	for (i = 0; i < 100 && !row.pollers; i++) {
		ASSERT_EQ(0, find_row(fd, &row));
	}
	EXPECT_EQ(1, row.pollers);
	ASSERT_EQ(8, evfd_test_write(fd, 1));
	ASSERT_EQ(0, evfd_test_join(thread));
	ASSERT_EQ(0, find_row(fd, &row));
	EXPECT_EQ(0, row.pollers);
}

/* A child that lives until the test ends, or is killed. */
static pid_t start_child(void)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

TEST_F(evfdctl, ls_shows_all_who_hold_one)
{
	int fd = evfd_test_create(0, 7), i, n, mine = 0;
	uint64_t id = evfd_test_id(fd);
	int other = evfd_test_create(0, 8);
	struct row rows[16];
	pid_t child;

	ASSERT_LE(0, dup(fd));
	child = start_child();
	ASSERT_LT(0, child);
	/* evfdctl and its shell hold it, too. */
	ASSERT_EQ(0, shell_run("$ctl ls --id %" PRIu64, id));
	n = parse(rows, 16);
	ASSERT_LE(4, n) TH_LOG("%s", shell_output);
	ASSERT_GE(16, n);
	for (i = 0; i < n; i++) {
		EXPECT_EQ(id, rows[i].id);
		EXPECT_EQ(7, rows[i].count);
		mine += rows[i].pid == getpid() || rows[i].pid == child;
	}
	EXPECT_EQ(4, mine);
	/* Only that child's, of both. */
	ASSERT_EQ(0, shell_run("$ctl ls --pid %d", child));
	EXPECT_EQ(3, parse(rows, 16));
	ASSERT_EQ(0, shell_run("$ctl ls --pid %d --id %" PRIu64, child,
			       evfd_test_id(other)));
	ASSERT_EQ(1, parse(rows, 16));
	EXPECT_EQ(other, rows[0].fd);
	EXPECT_EQ(child, rows[0].pid);
	kill(child, SIGKILL);
}

TEST_F(evfdctl, ls_shows_thousands)
{
	struct rlimit limit = { NINSTANCES + 100, NINSTANCES + 100 };
	static struct row rows[NINSTANCES];
	int i;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (i = 0; i < NINSTANCES; i++) {
		ASSERT_LE(0, evfd_test_create(EVFD_CLOEXEC, i));
	}
	ASSERT_EQ(0, shell_run("$ctl ls -p %d", getpid()));
	ASSERT_EQ(NINSTANCES, parse(rows, NINSTANCES));
	for (i = 0; i < NINSTANCES; i++) {
		ASSERT_EQ(i, rows[i].count);
		ASSERT_EQ(evfd_test_id(rows[i].fd), rows[i].id);
	}
}

static pthread_barrier_t barrier;
static pid_t own_table_tid;
static int own_table_fd;

/* Makes an evfd in a descriptor table of the thread's own. */
static void *own_table(void *unused)
{
	if (unshare(CLONE_FILES))
		return NULL;
	own_table_tid = gettid();
	own_table_fd = evfd_test_create(0, 77);
	pthread_setname_np(pthread_self(), "own table");
	pthread_barrier_wait(&barrier);
	for (;;)
		pause();
	return NULL;
}

TEST_F(evfdctl, ls_shows_threads_with_own_descriptors)
{
	struct row rows[4];
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	ASSERT_EQ(0, pthread_create(&thread, NULL, own_table, NULL));
	pthread_barrier_wait(&barrier);
	ASSERT_EQ(0, shell_run("$ctl ls -p %d", getpid()));
	ASSERT_EQ(1, parse(rows, 4)) TH_LOG("%s", shell_output);
	EXPECT_EQ(own_table_tid, rows[0].pid);
	EXPECT_EQ(own_table_fd, rows[0].fd);
	EXPECT_EQ(77, rows[0].count);
	EXPECT_STREQ("own table", rows[0].comm);
	/* info takes these numbers. */
	EXPECT_EQ(0, shell_run("$ctl info %d %d", own_table_tid, own_table_fd));
	EXPECT_NE(NULL, strstr(shell_output, "count      77\n"));
}

static void *outlive(void *unused)
{
	for (;;)
		pause();
	return NULL;
}

/* The first thread has ended, and with it the table in /proc/PID/fd. */
TEST_F(evfdctl, ls_shows_a_process_whose_first_thread_ended)
{
	struct row rows[4];
	pthread_t thread;
	pid_t child;

	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		evfd_test_create(0, 99);
		pthread_create(&thread, NULL, outlive, NULL);
		pthread_create(&thread, NULL, outlive, NULL);
		pthread_exit(NULL);
	}
	ASSERT_EQ(0, evfd_test_wait_state(child, 'Z'));
	ASSERT_EQ(0, shell_run("$ctl ls -p %d", child));
	EXPECT_EQ(1, parse(rows, 4)) TH_LOG("%s", shell_output);
	EXPECT_EQ(99, rows[0].count);
	kill(child, SIGKILL);
}

TEST_F(evfdctl, info_shows_one)
{
	int fd = evfd_test_create(EVFD_SEMAPHORE | EVFD_NONBLOCK, 3);
	char expected[256];
	pid_t child;

	fcntl(fd, F_SETFD, FD_CLOEXEC);
	child = start_child();
	ASSERT_EQ(0, shell_run("$ctl info %d %d", child, fd));
	kill(child, SIGKILL);
	snprintf(expected, sizeof(expected),
		 "id         %" PRIu64 "\n"
		 "count      3\n"
		 "flags      semaphore nonblock cloexec\n"
		 "readers    0\n"
		 "writers    0\n"
		 "pollers    0\n"
		 "held by    pid %d fd %d evfdctl_ls_test\n"
		 "           pid %d fd %d evfdctl_ls_test\n",
		 evfd_test_id(fd), getpid(), fd, child, fd);
	EXPECT_STREQ(expected, shell_output);
}

TEST_HARNESS_MAIN
