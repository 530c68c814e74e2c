// SPDX-License-Identifier: GPL-2.0-only
/*
 * evfd/instances in debugfs: the list of all counters, while they come and go.
 *
 * Needs root, and a guest without other counters: some tests compare the whole
 * text. Read evfd_test.h and evfd_task.h first; fdinfo_test.c has the view of a
 * process on its own counters.
 */
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "evfd_task.h"

#define PATH	"/sys/kernel/debug/evfd/instances"
#define HEADER	"id count flags readers writers pollers refs\n"

/* A line's fields, as the header names them. */
struct line {
	uint64_t id, count;
	unsigned int flags, readers, writers, pollers, refs;
};

/* Parses the line at @text, to the letter. Returns the next, or NULL. */
static const char *parse(const char *text, struct line *line)
{
	char again[160];
	int len;

	if (sscanf(text, "%" SCNu64 " %" SCNu64 " %x %u %u %u %u",
		   &line->id, &line->count, &line->flags, &line->readers,
		   &line->writers, &line->pollers, &line->refs) != 7)
		return NULL;
	len = snprintf(again, sizeof(again),
		       "%" PRIu64 " %" PRIu64 " 0x%x %u %u %u %u\n",
		       line->id, line->count, line->flags, line->readers,
		       line->writers, line->pollers, line->refs);

	return strncmp(text, again, len) ? NULL : text + len;
}

/*
 * All that is left in @fd, read @step bytes at a time; NULL on an error. To be
 * freed by the caller.
 */
static char *read_rest(int fd, size_t step)
{
	size_t size = 1 << 16, len = 0;
	char *text = malloc(size);
	ssize_t got;

	while (text) {
		if (size - len <= step) {
			size *= 2;
			text = realloc(text, size);
			continue;
		}
		got = read(fd, text + len, step);
		if (got < 0) {
			free(text);
			return NULL;
		}
		if (!got)
			break;
		len += got;
	}
	if (text)
		text[len] = 0;

	return text;
}

/* The whole text; ends the test on an error. */
static char *read_all(size_t step)
{
	int fd = open(PATH, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : read_rest(fd, step);

	if (!text) {
		fprintf(stderr, "# " PATH ": %s\n", strerror(errno));
		exit(1);
	}
	close(fd);

	return text;
}

/* The line of counter @fd. Returns how many there are. */
static int find(int fd, struct line *line)
{
	char *text = read_all(4096);
	uint64_t id = evfd_test_id(fd);
	struct line one;
	const char *p;
	int found = 0;

	p = text + strlen(HEADER);
	while (p && *p) {
		p = parse(p, &one);
		if (p && one.id == id) {
			*line = one;
			found++;
		}
	}
	free(text);

	return p ? found : -1;
}

FIXTURE(debugfs) { int unused; };

FIXTURE_SETUP(debugfs)
{
	if (geteuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, access(PATH, R_OK))
		TH_LOG("no " PATH ": is debugfs mounted, evfd.ko loaded?");
}

FIXTURE_TEARDOWN(debugfs)
{
}

TEST_F(debugfs, nothing_but_the_header_without_counters)
{
	char *text = read_all(4096);

	EXPECT_STREQ(HEADER, text);
	free(text);
}

TEST_F(debugfs, a_line_has_what_fdinfo_has)
{
	const struct {
		unsigned int flags;
		uint64_t count;
	} kinds[] = {
		{ 0, 0 },
		{ EVFD_SEMAPHORE, 3 },
		{ EVFD_NONBLOCK | EVFD_CLOEXEC, evfd_test_max(true) },
		{ EVFD_SHARED, 5 },
	};
	char expected[160], *text;
	unsigned int i, flags;
	int fd;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		fd = evfd_test_create(kinds[i].flags, kinds[i].count);
		/* Only the flags of the counter, not those of the file. */
		flags = kinds[i].flags & (EVFD_SEMAPHORE | EVFD_SHARED);
		if (evfd_test_shared())
			flags |= EVFD_SHARED;
		snprintf(expected, sizeof(expected),
			 HEADER "%" PRIu64 " %" PRIu64 " 0x%x 0 0 0 1\n",
			 evfd_test_id(fd), kinds[i].count, flags);
		text = read_all(4096);
		EXPECT_STREQ(expected, text);
		free(text);
		close(fd);
	}
}

TEST_F(debugfs, who_waits_is_counted)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd = evfd_test_create(EVFD_SEMAPHORE, 0);
	int full = evfd_test_create(0, evfd_test_max(true));
	struct evfd_task task[3] = {
		{ .op = evfd_task_read, .fd = fd },
		{ .op = evfd_task_read, .fd = fd },
		{ .op = evfd_task_write, .fd = full, .value = 2 },
	};
	int ep = epoll_create1(0), copy, i;
	struct line line;

	ASSERT_LE(0, ep);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, evfd_task_start(&task[i]));
	}
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
	/* A second descriptor is no second reference. */
	copy = dup(fd);
	ASSERT_LE(0, copy);

	ASSERT_EQ(1, find(fd, &line));
	EXPECT_EQ(2, line.readers);
	EXPECT_EQ(0, line.writers);
	EXPECT_EQ(1, line.pollers);
	EXPECT_EQ(1, line.refs);
	ASSERT_EQ(1, find(full, &line));
	EXPECT_EQ(0, line.readers);
	EXPECT_EQ(1, line.writers);
	EXPECT_EQ(0, line.pollers);

	ASSERT_EQ(8, evfd_test_write(fd, 2));
	ASSERT_EQ(8, evfd_test_read(full, NULL));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, evfd_task_join(&task[i]));
	}
	ASSERT_EQ(1, find(fd, &line));
	EXPECT_EQ(0, line.readers);
	ASSERT_EQ(1, find(full, &line));
	EXPECT_EQ(0, line.writers);
	EXPECT_EQ(2, line.count);
	close(ep);
	close(copy);
	close(fd);
	close(full);
}

TEST_F(debugfs, only_root_may_read_and_nobody_write)
{
	struct stat st;
	int status;
	pid_t pid;

	ASSERT_EQ(0, stat(PATH, &st));
	EXPECT_EQ(S_IFREG | 0400, st.st_mode);
	pid = fork();
	if (!pid)
		_exit(setresuid(65534, 65534, 65534) ||
		      open(PATH, O_RDONLY) >= 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_F(debugfs, an_open_file_holds_the_module)
{
	int users = evfd_test_users(), fd;

	fd = open(PATH, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(users + 1, evfd_test_users());
	close(fd);
	EXPECT_EQ(users, evfd_test_users());
}

#define NMANY	2000

static int many[NMANY];
static uint64_t ids[NMANY];

/* Makes @n counters. Returns 0 or -1. */
static int make_many(int n)
{
	struct rlimit limit = { NMANY + 100, NMANY + 100 };
	int i;

	if (setrlimit(RLIMIT_NOFILE, &limit))
		return -1;
	for (i = 0; i < n; i++) {
		many[i] = evfd_test_create(i & 1 ? EVFD_SEMAPHORE : 0, i);
		if (many[i] < 0)
			return -1;
		ids[i] = evfd_test_id(many[i]);
	}

	return 0;
}

static void close_many(int n)
{
	while (n--)
		close(many[n]);
}

/*
 * Whether @text, from behind the header on, is well-formed and in order, and
 * has the first @n of many[] once each. Returns how many others it has, or -1.
 */
static int judge(const char *text, int n)
{
	uint64_t last = 0;
	struct line line;
	int others = 0, seen = 0;

	while (*text) {
		text = parse(text, &line);
		if (!text || (last && line.id <= last))
			return -1;
		last = line.id;
		if (seen < n && line.id == ids[seen]) {
			if (line.count != (uint64_t)seen ||
			    (line.flags & ~EVFD_SHARED) !=
			    (seen & 1 ? EVFD_SEMAPHORE : 0))
				return -1;
			seen++;
		} else {
			others++;
		}
	}

	return seen == n ? others : -1;
}

TEST_F(debugfs, thousands_are_shown_once_each_in_order)
{
	static const size_t steps[] = { 100, 1000, 4096, 1 << 20 };
	unsigned int i;
	char *text;

	ASSERT_EQ(0, make_many(NMANY));
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		text = read_all(steps[i]);
		ASSERT_EQ(0, strncmp(text, HEADER, strlen(HEADER)));
		EXPECT_EQ(0, judge(text + strlen(HEADER), NMANY))
			TH_LOG("in steps of %zu", steps[i]);
		free(text);
	}
	close_many(NMANY);
}

TEST_F(debugfs, a_read_goes_on_wherever_one_ended)
{
	char *text, *other;
	int fd;

	ASSERT_EQ(0, make_many(300));
	text = read_all(1 << 20);
	other = read_all(1);
	EXPECT_STREQ(text, other);
	free(other);
	/* And once more, in the same file. */
	fd = open(PATH, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	free(read_rest(fd, 512));
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
	other = read_rest(fd, 512);
	ASSERT_NE(NULL, other);
	EXPECT_STREQ(text, other);
	free(other);
	close(fd);
	free(text);
	close_many(300);
}

TEST_F(debugfs, it_can_be_read_from_anywhere)
{
	size_t len, at;
	char *text, part[64];
	ssize_t got;
	int fd;

	ASSERT_EQ(0, make_many(300));
	text = read_all(1 << 20);
	len = strlen(text);
	fd = open(PATH, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	/* Forwards and backwards, by a step that hits all parts of a line. */
	for (at = 0; at < len; at += 151) {
		got = pread(fd, part, sizeof(part), at);
		ASSERT_LT(0, got);
		ASSERT_EQ(0, memcmp(text + at, part, got));
		got = pread(fd, part, sizeof(part), len - at - 1);
		ASSERT_LT(0, got);
		ASSERT_EQ(0, memcmp(text + len - at - 1, part, got));
		ASSERT_EQ(len - at - 1, lseek(fd, len - at - 1, SEEK_SET));
		got = read(fd, part, 1);
		ASSERT_EQ(1, got);
		ASSERT_EQ(text[len - at - 1], part[0]);
	}
	EXPECT_EQ(0, pread(fd, part, sizeof(part), len));
	EXPECT_EQ(0, pread(fd, part, sizeof(part), len + 1000));
	close(fd);
	free(text);
	close_many(300);
}

/*
 * Of the counters that are closed, those in the kernel's buffer are shown. New
 * counters are shown to a reader that begins after them.
 */
TEST_F(debugfs, what_goes_and_comes_between_two_reads)
{
	char start[100], *rest;
	struct line line = { };
	const char *p;
	int fd, late;

	ASSERT_EQ(0, make_many(NMANY));
	fd = open(PATH, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(sizeof(start), read(fd, start, sizeof(start)));
	close_many(NMANY);
	late = evfd_test_create(0, 77);
	rest = read_rest(fd, 4096);
	ASSERT_NE(NULL, rest);
	ASSERT_GT(8192, strlen(rest));
	/* It may begin inside a line, and may be no more than that line's end. */
	p = rest;
	if (start[sizeof(start) - 1] != '\n') {
		p = strchr(rest, '\n');
		ASSERT_NE(NULL, p);
		p++;
	}
	while (*p) {
		p = parse(p, &line);
		ASSERT_NE(NULL, p);
	}
	EXPECT_GT(evfd_test_id(late), line.id);
	free(rest);
	ASSERT_EQ(0, lseek(fd, 0, SEEK_SET));
	rest = read_rest(fd, 4096);
	ASSERT_NE(NULL, rest);
	ASSERT_NE(NULL, parse(rest + strlen(HEADER), &line));
	EXPECT_EQ(evfd_test_id(late), line.id);
	EXPECT_EQ(77, line.count);
	free(rest);
	close(fd);
	close(late);
}

#define NCHURN	3
#define NKEPT	16
#define NROUNDS	8

/*
 * Makes counters and closes older ones until @arg is set, and leaves the last in
 * @buf; @value counts them.
 */
static ssize_t task_come_and_go(struct evfd_task *task)
{
	int *kept = task->buf, i = 0;

	while (!__atomic_load_n(&task->arg, __ATOMIC_ACQUIRE)) {
		/* Not in the order in which they were made. */
		i = (i * 5 + 3) % NKEPT;
		if (kept[i] >= 0)
			close(kept[i]);
		kept[i] = evfd_test_create(0, 1);
		if (kept[i] < 0)
			return -errno;
		__atomic_fetch_add(&task->value, 1, __ATOMIC_RELAXED);
	}

	return 0;
}

static uint64_t churned(struct evfd_task *task)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < NCHURN; i++)
		sum += __atomic_load_n(&task[i].value, __ATOMIC_RELAXED);

	return sum;
}

TEST_F_TIMEOUT(debugfs, those_that_stay_are_shown_while_others_come_and_go,
	       120)
{
	struct evfd_task task[NCHURN] = { };
	int i, round, kept[NCHURN * NKEPT], nr_kept = 0;
	uint64_t before, during = 0;
	char *text;

	ASSERT_EQ(0, make_many(1000));
	memset(kept, -1, sizeof(kept));
	for (i = 0; i < NCHURN; i++) {
		task[i].op = task_come_and_go;
		task[i].buf = kept + i * NKEPT;
		ASSERT_EQ(0, evfd_task_run(&task[i]));
	}
	/* All have begun. */
	for (i = 0; i < NCHURN; i++) {
		ASSERT_TRUE(evfd_test_until(__atomic_load_n(&task[i].value,
							    __ATOMIC_RELAXED)));
	}
	/* With one CPU, they do not come and go during each reading. */
	for (round = 0; round < NROUNDS || (!during && round < 50 * NROUNDS);
	     round++) {
		before = churned(task);
		text = read_all(round & 1 ? 1000 : 1 << 16);
		during += churned(task) - before;
		ASSERT_LE(0, judge(text + strlen(HEADER), 1000));
		free(text);
	}
	EXPECT_LT(0, during);
	for (i = 0; i < NCHURN; i++) {
		__atomic_store_n(&task[i].arg, 1, __ATOMIC_RELEASE);
		ASSERT_EQ(0, evfd_task_result(&task[i]));
	}
	/* The list has the last ones, and none that was closed. */
	for (i = 0; i < NCHURN * NKEPT; i++)
		nr_kept += kept[i] >= 0;
	text = read_all(1 << 16);
	EXPECT_EQ(nr_kept, judge(text + strlen(HEADER), 1000));
	free(text);
	for (i = 0; i < NCHURN * NKEPT; i++) {
		if (kept[i] >= 0)
			close(kept[i]);
	}
	close_many(1000);
	/* And nothing is left of them. */
	text = read_all(4096);
	EXPECT_STREQ(HEADER, text);
	free(text);
}

/* Reads the list as fast as it can. */
static ssize_t task_list(struct evfd_task *task)
{
	int i;
	char *text;

	for (i = 0; i < NROUNDS; i++) {
		text = read_all(300);
		if (judge(text + strlen(HEADER), task->value))
			return -1;
		free(text);
	}

	return 0;
}

TEST_F(debugfs, several_may_read_at_once)
{
	struct evfd_task task[3] = { };
	int i;

	ASSERT_EQ(0, make_many(100));
	for (i = 0; i < 3; i++) {
		task[i].op = task_list;
		task[i].value = 100;
		ASSERT_EQ(0, evfd_task_run(&task[i]));
	}
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, evfd_task_result(&task[i]));
	}
	close_many(100);
}

TEST_HARNESS_MAIN
