// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints evfd:*, as tracefs shows them: the events of each operation of
 * a program with their fields, and no event without an operation.
 *
 * Needs root and tracefs. Not among the programs that run_tests runs, since
 * switching tracepoints on can crash an emulator of two CPUs: give it a guest of
 * its own, with one.
 *
 *	scripts/vm run --cpus 1 -- build/selftests/trace_test
 *
 * module/trace_kunit.c has the events that programs cannot cause: signals of other
 * modules, and wakeups by the worker. Uses evfd_held.h and evfd_task.h.
 */
#include <ctype.h>
#include <dirent.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include "kselftest_harness.h"
#include "evfd_held.h"
#include "evfd_task.h"

#define TRACEFS	"/sys/kernel/tracing"
/* An instance of our own, which no other program changes. */
#define TRACE	TRACEFS "/instances/evfd_test"

/*
 * The events of counter @id since the last call of clear(), one a line, without
 * the parts that vary: "write n=1 count=1\n". With @tid, only those of that task.
 */
static const char *events_by(uint64_t id, pid_t tid)
{
	static char text[1 << 18], found[1 << 16];
	char *line, *next, *event, *fields, want[32], who[32];
	size_t len = 0;

	found[0] = 0;
	if (evfd_test_text(TRACE "/trace", text, sizeof(text)))
		return "(no trace)";
	snprintf(want, sizeof(want), "id=%" PRIu64, id);
	snprintf(who, sizeof(who), "-%d ", tid);
	for (line = text; *line; line = next) {
		next = strchr(line, '\n');
		if (!next)
			break;
		*next++ = 0;
		event = strstr(line, ": evfd_");
		if (line[0] == '#' || !event)
			continue;
		event += strlen(": evfd_");
		fields = strstr(event, ": ");
		if (!fields)
			continue;
		*fields = 0;
		fields += 2;
		if (strncmp(fields, want, strlen(want)) ||
		    isdigit(fields[strlen(want)]))
			continue;
		/* A task's name may hold anything, but ends in its number. */
		if (tid && !strstr(line, who))
			continue;
		len += snprintf(found + len, sizeof(found) - len, "%s%s\n", event,
				fields + strlen(want));
	}

	return found;
}

static const char *events(uint64_t id)
{
	return events_by(id, 0);
}

static int clear(void)
{
	return evfd_test_put(TRACE, "trace", "");
}

/* The same, and forgets them. */
static const char *events_once(uint64_t id)
{
	const char *text = events(id);

	return clear() ? "(cannot be cleared)" : text;
}

FIXTURE(trace)
{
	/* Empty, plain; and non-blocking, empty, a semaphore. */
	int fd, sem;
	uint64_t id, sem_id;
};

FIXTURE_SETUP(trace)
{
	if (geteuid())
		SKIP(return, "needs root");
	/* Left behind by a test that died. */
	rmdir(TRACE);
	ASSERT_EQ(0, mkdir(TRACE, 0700))
		TH_LOG(TRACEFS ": %s", strerror(errno));
	self->fd = evfd_test_create(0, 0);
	self->sem = evfd_test_create(EVFD_SEMAPHORE | EVFD_NONBLOCK, 0);
	self->id = evfd_test_id(self->fd);
	self->sem_id = evfd_test_id(self->sem);
	ASSERT_EQ(0, evfd_test_put(TRACE, "events/evfd/enable", "1"));
}

FIXTURE_TEARDOWN_PARENT(trace)
{
	EXPECT_EQ(0, rmdir(TRACE));
}

static const struct {
	const char *event, *fields, *print;
} formats[] = {
	{ "evfd_block", "u64 id;u64 n;u32 queue;",
	  "\"id=%llu queue=%s n=%llu\"" },
	{ "evfd_create", "u64 id;u64 count;u64 flags;",
	  "\"id=%llu count=%llu flags=%s\"" },
	{ "evfd_defer", "u64 id;u32 events;", "\"id=%llu events=%s\"" },
	{ "evfd_disarm", "u64 id;u32 bit;", "\"id=%llu bit=%s\"" },
	{ "evfd_fault", "u64 id;u32 op;", "\"id=%llu op=%s\"" },
	{ "evfd_kick", "u64 id;u64 n;u64 count;u32 armed;",
	  "\"id=%llu n=%llu count=%llu armed=%s\"" },
	{ "evfd_poll", "u64 id;u32 events;u8 waits;",
	  "\"id=%llu events=%s waits=%u\"" },
	{ "evfd_read", "u64 id;u64 n;u64 count;",
	  "\"id=%llu n=%llu count=%llu\"" },
	{ "evfd_release", "u64 id;u64 count;", "\"id=%llu count=%llu\"" },
	{ "evfd_retry", "u64 id;u64 n;", "\"id=%llu n=%llu\"" },
	{ "evfd_signal", "u64 id;u64 count;u32 mask;",
	  "\"id=%llu mask=%s count=%llu\"" },
	{ "evfd_wake", "u64 id;u32 queue;u32 nr;u32 why;",
	  "\"id=%llu queue=%s nr=%u why=%s\"" },
	{ "evfd_write", "u64 id;u64 n;u64 count;",
	  "\"id=%llu n=%llu count=%llu\"" },
};

/*
 * The names, types and order that module/trace.h promises. A hole between two
 * fields would leak old contents of the buffer.
 */
TEST_F(trace, the_formats_are_those_promised)
{
	char path[128], text[8192], fields[256], *p, *end;
	unsigned int i, offset, size, next, dirs = 0;
	struct dirent *entry;
	int n;
	DIR *dir;

	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		snprintf(path, sizeof(path), TRACE "/events/evfd/%s/format",
			 formats[i].event);
		ASSERT_EQ(0, evfd_test_text(path, text, sizeof(text)));
		/* An empty line follows the fields that all events have. */
		p = strstr(text, "\n\n");
		ASSERT_NE(NULL, p);
		fields[0] = 0;
		next = 8;
		while ((p = strstr(p, "\tfield:"))) {
			p += strlen("\tfield:");
			end = strchr(p, ';');
			ASSERT_NE(NULL, end);
			strncat(fields, p, end + 1 - p);
			n = sscanf(end, "; offset:%u; size:%u;", &offset, &size);
			ASSERT_EQ(2, n)
				TH_LOG("%s: %s", formats[i].event, p);
			EXPECT_EQ(next, offset)
				TH_LOG("%s: a hole before %s", formats[i].event, fields);
			next = offset + size;
		}
		EXPECT_STREQ(formats[i].fields, fields)
			TH_LOG("%s", formats[i].event);
		p = strstr(text, "print fmt: ");
		ASSERT_NE(NULL, p);
		EXPECT_EQ(0, strncmp(p + strlen("print fmt: "), formats[i].print,
				     strlen(formats[i].print)))
			TH_LOG("%s: %s", formats[i].event, p);
	}
	dir = opendir(TRACE "/events/evfd");
	ASSERT_NE(NULL, dir);
	while ((entry = readdir(dir)))
		dirs += !strncmp(entry->d_name, "evfd_", 5);
	closedir(dir);
	EXPECT_EQ(ARRAY_SIZE(formats), dirs);
}

TEST_F(trace, nothing_fires_where_nothing_happens)
{
	uint64_t n, two[2] = { 1, 1 };
	struct iovec iov[2] = { { two, 4 }, { two, 4 } };
	int dup_fd;

	EXPECT_EQ(-EAGAIN, evfd_test_read(self->sem, &n));
	EXPECT_EQ(-EINVAL, evfd_test_write(self->sem, EVFD_COUNT_MAX + 1));
	EXPECT_EQ(-1, write(self->sem, two, 4));
	EXPECT_EQ(-1, write(self->sem, two, 16));
	EXPECT_EQ(-1, read(self->sem, two, 4));
	EXPECT_EQ(-1, writev(self->sem, iov, 2));
	EXPECT_EQ(0, lseek(self->sem, 0, SEEK_CUR));
	EXPECT_EQ(0, fcntl(self->sem, F_SETFL, 0));
	EXPECT_EQ(0, fcntl(self->sem, F_SETFL, O_NONBLOCK));
	dup_fd = dup(self->sem);
	ASSERT_LE(0, dup_fd);
	EXPECT_EQ(0, close(dup_fd));
	EXPECT_EQ(0, evfd_test_count(self->sem));
	EXPECT_STREQ("", events(self->sem_id));
	EXPECT_STREQ("", events(self->id));
}

/* What user space does in the page has no event; the kick has. */
TEST_F(trace, a_kick_of_a_shared_counter)
{
	int fd = evfd_test_create(EVFD_SHARED | EVFD_NONBLOCK, 0);
	struct pollfd pfd = { .fd = fd, .events = POLLIN | POLLOUT };
	uint64_t id = evfd_test_id(fd), n;
	struct evfd_page *page;

	ASSERT_EQ(0, clear());
	page = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, page);
	page->count = 3;
	EXPECT_STREQ("", events(id));
	EXPECT_EQ(0, ioctl(fd, EVFD_IOC_KICK, 3));
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_EQ(0, ioctl(fd, EVFD_IOC_KICK, 2));
	EXPECT_EQ(8, evfd_test_write(fd, 0));
	EXPECT_EQ(8, evfd_test_read(fd, &n));
	EXPECT_STREQ("kick n=3 count=3 armed=0\n"
		     "poll events=IN|OUT waits=0\n"
		     "kick n=2 count=3 armed=ADD|TAKE\n"
		     "disarm bit=ADD\n"
		     "kick n=0 count=3 armed=TAKE\n"
		     "disarm bit=TAKE\n"
		     "write n=0 count=3\n"
		     "read n=3 count=0\n", events(id));
	munmap(page, sysconf(_SC_PAGESIZE));
	close(fd);
}

TEST_F(trace, nothing_fires_when_switched_off)
{
	uint64_t n;

	ASSERT_EQ(8, evfd_test_write(self->sem, 1));
	EXPECT_STREQ("write n=1 count=1\n", events(self->sem_id));
	ASSERT_EQ(0, evfd_test_put(TRACE, "events/evfd/enable", "0"));
	ASSERT_EQ(8, evfd_test_write(self->sem, 1));
	ASSERT_EQ(8, evfd_test_read(self->sem, &n));
	EXPECT_STREQ("write n=1 count=1\n", events(self->sem_id));
	/* Each has a switch of its own. */
	ASSERT_EQ(0, evfd_test_put(TRACE, "events/evfd/evfd_read/enable", "1"));
	ASSERT_EQ(8, evfd_test_write(self->sem, 1));
	ASSERT_EQ(8, evfd_test_read(self->sem, &n));
	EXPECT_STREQ("write n=1 count=1\nread n=1 count=1\n",
		     events(self->sem_id));
}

TEST_F(trace, create_and_release)
{
	static const struct {
		unsigned int flags;
		uint64_t count;
		const char *text;
	} kinds[] = {
		{ 0, 0, "count=0 flags=0" },
		{ EVFD_CLOEXEC, 1, "count=1 flags=CLOEXEC" },
		{ EVFD_NONBLOCK, 1ULL << 32, "count=4294967296 flags=NONBLOCK" },
		{ EVFD_SEMAPHORE, EVFD_COUNT_MAX,
		  "count=18446744073709551614 flags=SEMAPHORE" },
		{ EVFD_CLOEXEC | EVFD_NONBLOCK | EVFD_SEMAPHORE, 7,
		  "count=7 flags=CLOEXEC|NONBLOCK|SEMAPHORE" },
		{ EVFD_SEMAPHORE | EVFD_SHARED, 8,
		  "count=8 flags=SEMAPHORE|SHARED" },
	};
	char expected[256];
	unsigned int i;
	uint64_t id;
	int fd;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		fd = evfd_test_create(kinds[i].flags, kinds[i].count);
		id = evfd_test_id(fd);
		snprintf(expected, sizeof(expected), "create %s\n", kinds[i].text);
		EXPECT_STREQ(expected, events(id));
		close(fd);
		snprintf(expected, sizeof(expected),
			 "create %s\nrelease count=%" PRIu64 "\n",
			 kinds[i].text, kinds[i].count);
		EXPECT_STREQ(expected, events(id));
	}
}

TEST_F(trace, a_create_that_fails_is_none)
{
	struct evfd_create arg = { .flags = 1ULL << 63 };
	struct rlimit limit = { 0, 0 };
	static char text[1 << 16];
	int dev = evfd_test_open();

	EXPECT_EQ(-1, ioctl(dev, EVFD_IOC_CREATE, &arg));
	arg = (struct evfd_create){ .initval = EVFD_COUNT_MAX + 1 };
	EXPECT_EQ(-1, ioctl(dev, EVFD_IOC_CREATE, &arg));
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = 3;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	arg = (struct evfd_create){ };
	EXPECT_EQ(-EMFILE, sysret(ioctl(dev, EVFD_IOC_CREATE, &arg)));
	limit.rlim_cur = limit.rlim_max;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	ASSERT_EQ(0, evfd_test_text(TRACE "/trace", text, sizeof(text)));
	EXPECT_EQ(NULL, strstr(text, ": evfd_"));
	close(dev);
}

TEST_F(trace, reads_and_writes)
{
	uint64_t two[2] = { 3, 4 }, n;
	struct iovec iov[2] = { { &two[0], 8 }, { &two[1], 8 } };

	ASSERT_EQ(8, evfd_test_write(self->fd, 0));
	ASSERT_EQ(8, evfd_test_write(self->fd, EVFD_COUNT_MAX));
	ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	ASSERT_EQ(16, writev(self->fd, iov, 2));
	ASSERT_EQ(8, readv(self->fd, iov, 1));
	ASSERT_EQ(8, writev(self->fd, iov, 1));
	ASSERT_EQ(8, preadv2(self->fd, iov, 2, -1, RWF_NOWAIT));
	EXPECT_STREQ("write n=0 count=0\n"
		     "write n=18446744073709551614 count=18446744073709551614\n"
		     "read n=18446744073709551614 count=0\n"
		     "write n=3 count=3\n"
		     "write n=4 count=7\n"
		     "read n=7 count=0\n"
		     "write n=7 count=7\n"
		     "read n=7 count=0\n", events(self->id));

	ASSERT_EQ(8, evfd_test_write(self->sem, 3));
	ASSERT_EQ(8, evfd_test_read(self->sem, &n));
	ASSERT_EQ(8, evfd_test_read(self->sem, &n));
	EXPECT_STREQ("write n=3 count=3\n"
		     "read n=1 count=2\n"
		     "read n=1 count=1\n", events(self->sem_id));
}

TEST_F(trace, a_write_fails_without_room)
{
	ASSERT_EQ(8, evfd_test_write(self->sem, EVFD_COUNT_MAX));
	ASSERT_EQ(0, clear());
	EXPECT_EQ(-EAGAIN, evfd_test_write(self->sem, 1));
	EXPECT_STREQ("", events(self->sem_id));
}

TEST_F(trace, an_event_has_the_task_that_caused_it)
{
	struct evfd_task task = { .fd = self->fd, .op = evfd_task_read };

	ASSERT_EQ(0, evfd_task_start(&task));
	ASSERT_EQ(8, evfd_test_write(self->fd, 5));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_STREQ("block queue=readers n=1\nread n=5 count=0\n",
		     events_by(self->id, task.tid));
	EXPECT_STREQ("write n=5 count=5\nwake queue=readers nr=1 why=readable\n",
		     events_by(self->id, gettid()));
}

TEST_F(trace, a_write_wakes_readers)
{
	struct evfd_task task[3] = { };
	int i;

	ASSERT_EQ(0, fcntl(self->sem, F_SETFL, 0));
	for (i = 0; i < 3; i++) {
		task[i].fd = self->sem;
		task[i].op = evfd_task_read;
		ASSERT_EQ(0, evfd_task_start(&task[i]));
	}
	EXPECT_STREQ("block queue=readers n=1\n"
		     "block queue=readers n=1\n"
		     "block queue=readers n=1\n", events_once(self->sem_id));
	/* This one serves no reader. */
	ASSERT_EQ(8, evfd_test_write(self->sem, 0));
	EXPECT_STREQ("write n=0 count=0\n", events_once(self->sem_id));
	ASSERT_EQ(8, evfd_test_write(self->sem, 3));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, evfd_task_join(&task[i]));
	}
	EXPECT_STREQ("write n=3 count=3\n"
		     "wake queue=readers nr=3 why=readable\n"
		     "read n=1 count=2\n"
		     "read n=1 count=1\n"
		     "read n=1 count=0\n", events(self->sem_id));
}

TEST_F(trace, a_read_wakes_writers)
{
	struct evfd_task task = {
		.fd = self->fd, .op = evfd_task_write, .value = 5,
	};
	uint64_t n;

	ASSERT_EQ(8, evfd_test_write(self->fd, EVFD_COUNT_MAX - 1));
	ASSERT_EQ(0, clear());
	ASSERT_EQ(0, evfd_task_start(&task));
	ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_STREQ("block queue=writers n=5\n"
		     "read n=18446744073709551613 count=0\n"
		     "wake queue=writers nr=0 why=writable\n"
		     "write n=5 count=5\n", events(self->id));
}

static void on_signal(int sig)
{
}

TEST_F(trace, an_interrupted_wait_blocks_and_no_more)
{
	struct evfd_task task = { .fd = self->fd, .op = evfd_task_read };
	struct sigaction action = { .sa_handler = on_signal };

	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
	ASSERT_EQ(0, evfd_task_start(&task));
	ASSERT_EQ(0, pthread_kill(task.thread, SIGUSR1));
	ASSERT_EQ(-EINTR, evfd_task_result(&task));
	EXPECT_STREQ("block queue=readers n=1\n", events(self->id));
}

TEST_F(trace, poll_looks_and_waits)
{
	struct pollfd pfd = { .fd = self->fd, .events = POLLIN };
	uint64_t n;

	/* It never waits, so it is not queued. */
	EXPECT_EQ(0, poll(&pfd, 1, 0));
	EXPECT_STREQ("poll events=OUT waits=0\n", events_once(self->id));
	/* It is queued, reads the count, sleeps, and reads it again. */
	EXPECT_EQ(0, poll(&pfd, 1, 1));
	EXPECT_STREQ("poll events=OUT waits=1\n"
		     "poll events=OUT waits=0\n", events(self->id));
	ASSERT_EQ(8, evfd_test_write(self->fd, EVFD_COUNT_MAX));
	ASSERT_EQ(0, clear());
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_STREQ("poll events=IN waits=0\n", events(self->id));
	ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(0, clear());
	EXPECT_EQ(1, poll(&pfd, 1, 0));
	EXPECT_STREQ("poll events=IN|OUT waits=0\n", events(self->id));
}

TEST_F(trace, epoll_is_told_and_looks)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	uint64_t n;

	ASSERT_LE(0, ep);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->fd, &event));
	EXPECT_STREQ("poll events=OUT waits=1\n", events(self->id));
	ASSERT_EQ(1, epoll_wait(ep, &event, 1, 0));
	ASSERT_EQ(0, clear());

	ASSERT_EQ(8, evfd_test_write(self->fd, 2));
	EXPECT_STREQ("write n=2 count=2\n"
		     "wake queue=pollers nr=1 why=readable\n", events_once(self->id));
	ASSERT_EQ(1, epoll_wait(ep, &event, 1, 0));
	EXPECT_STREQ("poll events=IN|OUT waits=0\n", events_once(self->id));

	ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	EXPECT_STREQ("read n=2 count=0\n"
		     "wake queue=pollers nr=1 why=writable\n", events(self->id));
	close(ep);
}

TEST_F(trace, pollers_are_woken_before_readers)
{
	struct evfd_task task = { .fd = self->fd, .op = evfd_task_read };
	struct epoll_event event = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_LE(0, ep);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->fd, &event));
	ASSERT_EQ(0, evfd_task_start(&task));
	ASSERT_EQ(0, clear());
	ASSERT_EQ(8, evfd_test_write(self->fd, 2));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_STREQ("write n=2 count=2\n"
		     "wake queue=pollers nr=1 why=readable\n"
		     "wake queue=readers nr=1 why=readable\n",
		     events_by(self->id, gettid()));
	EXPECT_STREQ("read n=2 count=0\n"
		     "wake queue=pollers nr=1 why=writable\n",
		     events_by(self->id, task.tid));
	close(ep);
}

TEST_F(trace, faults)
{
	char *none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	struct iovec iov[2] = { { none, 8 }, { none, 8 } };

	ASSERT_NE(MAP_FAILED, none);
	ASSERT_EQ(8, evfd_test_write(self->fd, 2));
	ASSERT_EQ(0, clear());
	EXPECT_EQ(-1, syscall(SYS_read, self->fd, none, 8));
	EXPECT_STREQ("fault op=read\n", events(self->id));
	EXPECT_EQ(-1, syscall(SYS_readv, self->fd, iov, 1));
	EXPECT_EQ(-1, syscall(SYS_readv, self->fd, iov, 2));
	EXPECT_STREQ("fault op=read\nfault op=read\nfault op=read\n",
		     events(self->id));
	ASSERT_EQ(0, clear());
	EXPECT_EQ(-1, syscall(SYS_write, self->fd, none, 8));
	EXPECT_STREQ("fault op=write\n", events(self->id));
	EXPECT_EQ(-1, syscall(SYS_writev, self->fd, iov, 1));
	EXPECT_EQ(-1, syscall(SYS_writev, self->fd, iov, 2));
	EXPECT_STREQ("fault op=write\nfault op=write\nfault op=write\n",
		     events(self->id));
	munmap(none, 4096);
}

TEST_F(trace, a_reader_that_faults_passes_the_wake_on)
{
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct evfd_task task[2] = {
		{ .fd = self->fd, .op = evfd_task_read_buf, .buf = map },
		{ .fd = self->fd, .op = evfd_task_read },
	};
	uint64_t n = 1;

	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, evfd_task_start(&task[0]));
	ASSERT_EQ(0, evfd_task_start(&task[1]));
	ASSERT_EQ(0, mprotect(map, 4096, PROT_NONE));
	ASSERT_EQ(0, clear());
	ASSERT_EQ(8, evfd_test_write(self->fd, 6));
	ASSERT_EQ(8, evfd_task_result(&task[1]));
	EXPECT_STREQ("write n=6 count=6\n"
		     "wake queue=readers nr=1 why=readable\n",
		     events_by(self->id, gettid()));
	EXPECT_STREQ("read n=6 count=0\n", events_by(self->id, task[1].tid));
	/*
	 * Then it tries again, or sleeps again if the other was faster; the next
	 * write wakes it then.
	 */
	if (!task[0].done)
		ASSERT_EQ(8, evfd_test_write(self->fd, n));
	ASSERT_EQ(-EFAULT, evfd_task_result(&task[0]));
	EXPECT_EQ(0, strncmp(events_by(self->id, task[0].tid),
			     "fault op=read\n"
			     "wake queue=readers nr=1 why=pass-on\n", 50))
		TH_LOG("%s", events_by(self->id, task[0].tid));
	EXPECT_EQ(NULL, strstr(events_by(self->id, task[0].tid), "retry"));
	munmap(map, 4096);
}

/* Another reader reads the 5 that this one has copied, and then 2 is written. */
TEST_F(trace, a_reader_that_copied_for_nothing_tries_again)
{
	struct evfd_task task = { .fd = self->fd, .op = evfd_task_read_buf };
	struct held_page held;
	uint64_t n;

	if (held_page_make(&held))
		SKIP(return, "no userfaultfd: %s", strerror(errno));
	ASSERT_EQ(8, evfd_test_write(self->fd, 5));
	ASSERT_EQ(0, held_page_start(&held, &task));
	ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	ASSERT_EQ(8, evfd_test_write(self->fd, 2));
	ASSERT_EQ(0, clear());
	ASSERT_EQ(0, held_page_give(&held));
	ASSERT_EQ(8, evfd_task_result(&task));
	EXPECT_STREQ("retry n=5\nread n=2 count=0\n", events(self->id));
	held_page_free(&held);
}

/*
 * After EVFD_READ_TRIES losses, see module/file.h, a reader does not wait for its
 * page where others wait for it: it faults, and waits then. Or it has its page, and
 * takes.
 */
TEST_F(trace, a_reader_that_lost_eight_times_takes_the_gate)
{
	struct held_page held[2];
	int i, has_page;

	for (has_page = 0; has_page < 2; has_page++) {
		struct evfd_task task = {
			.fd = self->fd, .op = held_pages_read, .buf = held
		};
		char want[256] = "", line[32];

		if (held_page_make(&held[0]) || held_page_make(&held[1]))
			SKIP(return, "no userfaultfd: %s", strerror(errno));
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		ASSERT_EQ(0, evfd_task_run(&task));
		ASSERT_EQ(0, held_page_wanted(&held[0]));
		ASSERT_EQ(0, clear());
		for (i = 1; i <= 8; i++) {
			ASSERT_EQ(0, held_pages_lose(held, self->fd,
						     i < 8 || !has_page));
			snprintf(line, sizeof(line), "retry n=%d\n", i);
			strcat(want, line);
		}
		if (!has_page) {
			ASSERT_EQ(0, held_page_give(&held[0]));
			strcat(want, "fault op=read\n");
		}
		strcat(want, "read n=9 count=0\n");
		ASSERT_EQ(8, evfd_task_result(&task));
		EXPECT_STREQ(want, events_by(self->id, task.tid));
		held_page_free(&held[0]);
		held_page_free(&held[1]);
	}
}

/* The same without a write: the reader sleeps. */
TEST_F(trace, a_reader_that_copied_for_nothing_blocks)
{
	struct evfd_task task = { .fd = self->fd, .op = evfd_task_readv_buf };
	struct held_page held;
	uint64_t n;

	if (held_page_make(&held))
		SKIP(return, "no userfaultfd: %s", strerror(errno));
	ASSERT_EQ(8, evfd_test_write(self->fd, 5));
	ASSERT_EQ(0, held_page_start(&held, &task));
	ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	ASSERT_EQ(0, clear());
	ASSERT_EQ(0, held_page_give(&held));
	ASSERT_LE(0, evfd_task_rewoken(&task));
	ASSERT_EQ(8, evfd_test_write(self->fd, 3));
	ASSERT_EQ(0, evfd_task_join(&task));
	EXPECT_STREQ("retry n=5\nblock queue=readers n=1\nread n=3 count=0\n",
		     events_by(self->id, task.tid));
	held_page_free(&held);
}

/*
 * The value that a reader of a semaphore has copied is right as long as the count
 * is not 0: others may read and write meanwhile.
 */
TEST_F(trace, a_semaphore_that_changed_is_no_retry)
{
	struct evfd_task task = { .fd = self->sem, .op = evfd_task_read_buf };
	struct held_page held;
	uint64_t n;

	if (held_page_make(&held))
		SKIP(return, "no userfaultfd: %s", strerror(errno));
	ASSERT_EQ(8, evfd_test_write(self->sem, 1));
	ASSERT_EQ(0, held_page_start(&held, &task));
	ASSERT_EQ(8, evfd_test_read(self->sem, &n));
	ASSERT_EQ(8, evfd_test_write(self->sem, 3));
	ASSERT_EQ(0, clear());
	ASSERT_EQ(0, held_page_give(&held));
	ASSERT_EQ(8, evfd_task_result(&task));
	EXPECT_EQ(1, *(uint64_t *)held.page);
	EXPECT_STREQ("read n=1 count=2\n", events(self->sem_id));
	held_page_free(&held);
}

TEST_F(trace, a_semaphore_that_was_emptied_is_a_retry)
{
	struct evfd_task task = { .fd = self->sem, .op = evfd_task_readv_buf };
	struct held_page held;
	uint64_t n;

	if (held_page_make(&held))
		SKIP(return, "no userfaultfd: %s", strerror(errno));
	ASSERT_EQ(0, fcntl(self->sem, F_SETFL, 0));
	ASSERT_EQ(8, evfd_test_write(self->sem, 2));
	ASSERT_EQ(0, held_page_start(&held, &task));
	ASSERT_EQ(8, evfd_test_read(self->sem, &n));
	ASSERT_EQ(8, evfd_test_read(self->sem, &n));
	ASSERT_EQ(0, clear());
	ASSERT_EQ(0, held_page_give(&held));
	ASSERT_LE(0, evfd_task_rewoken(&task));
	ASSERT_EQ(8, evfd_test_write(self->sem, 3));
	ASSERT_EQ(8, evfd_task_result(&task));
	EXPECT_STREQ("retry n=1\nblock queue=readers n=1\nread n=1 count=2\n",
		     events_by(self->sem_id, task.tid));
	held_page_free(&held);
}

TEST_F(trace, events_can_be_filtered_by_a_field)
{
	char filter[64];
	uint64_t n;

	snprintf(filter, sizeof(filter), "id == %" PRIu64 " && n > 2",
		 self->sem_id);
	ASSERT_EQ(0, evfd_test_put(TRACE, "events/evfd/evfd_write/filter", filter));
	ASSERT_EQ(8, evfd_test_write(self->fd, 5));
	ASSERT_EQ(8, evfd_test_write(self->sem, 2));
	ASSERT_EQ(8, evfd_test_write(self->sem, 3));
	ASSERT_EQ(8, evfd_test_read(self->fd, &n));
	EXPECT_STREQ("read n=5 count=0\n", events(self->id));
	EXPECT_STREQ("write n=3 count=5\n", events(self->sem_id));
}

TEST_HARNESS_MAIN
