// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad memory: an operation that faults has no effect. The count does not change,
 * and no wakeup is lost.
 *
 * Uses evfd_task.h and evfd_held.h. Here evfd differs from eventfd(2), where a read
 * that faults loses the count; the first test shows both.
 * moving_test.c has many at once, inject_test.c makes copies fail where the memory
 * is good.
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"
#include "evfd_held.h"
#include "evfd_task.h"

#define MAX	evfd_test_max(true)

FIXTURE(faults) {
	/* Empty, without O_NONBLOCK. */
	int fd;
	long page;
	/* Three pages: writable, read-only, without access. */
	char *map;
	/* Where 8 bytes cannot be written, and where they cannot be read. */
	void *unwritable[16];
	int nr_unwritable;
	void *unreadable[16];
	int nr_unreadable;
};

FIXTURE_VARIANT(faults) { unsigned int flags; };
FIXTURE_VARIANT_ADD(faults, plain) { .flags = 0 };
FIXTURE_VARIANT_ADD(faults, semaphore) { .flags = EVFD_SEMAPHORE };

FIXTURE_SETUP(faults)
{
	char *ro, *none, **w, **r;
	int i;

	self->fd = evfd_test_create(variant->flags, 0);
	self->page = sysconf(_SC_PAGESIZE);
	self->map = mmap(NULL, 3 * self->page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->map);
	ro = self->map + self->page;
	none = ro + self->page;
	memset(self->map, 1, 3 * self->page);
	ASSERT_EQ(0, mprotect(ro, self->page, PROT_READ));
	ASSERT_EQ(0, mprotect(none, self->page, PROT_NONE));

	w = (char **)self->unwritable;
	*w++ = NULL;
	*w++ = (char *)8;
	*w++ = (char *)-8L;
	*w++ = (char *)INT64_MIN;
	*w++ = ro;
	*w++ = none;
	/* Across the page's end: the first 1, 4 and 7 bytes are writable. */
	*w++ = ro - 1;
	*w++ = ro - 4;
	*w++ = ro - 7;
	self->nr_unwritable = w - (char **)self->unwritable;

	r = (char **)self->unreadable;
	*r++ = NULL;
	*r++ = (char *)8;
	*r++ = (char *)-8L;
	*r++ = (char *)INT64_MIN;
	*r++ = none;
	for (i = 1; i < 8; i++)
		*r++ = none - i;
	self->nr_unreadable = r - (char **)self->unreadable;
}

FIXTURE_TEARDOWN(faults)
{
	munmap(self->map, 3 * self->page);
}

/* By system call: the C library's declarations do not allow bad addresses. */
static long raw_read(int fd, void *buf)
{
	return sysret(syscall(SYS_read, fd, buf, 8));
}

static long raw_write(int fd, const void *buf)
{
	return sysret(syscall(SYS_write, fd, buf, 8));
}

/* In segments of 4, so that the fault may be in the second. */
static long raw_readv(int fd, void *buf)
{
	struct iovec iov[2] = { { buf, 4 }, { (char *)buf + 4, 4 } };

	return sysret(syscall(SYS_readv, fd, iov, 2));
}

static long raw_readv_one(int fd, void *buf)
{
	struct iovec iov = { buf, 8 };

	return sysret(syscall(SYS_readv, fd, &iov, 1));
}

static long raw_writev(int fd, const void *buf)
{
	struct iovec iov = { (void *)buf, 8 };

	return sysret(syscall(SYS_writev, fd, &iov, 1));
}

TEST_F(faults, read_that_faults_takes_nothing)
{
	long (*reads[])(int fd, void *buf) = {
		raw_read, raw_readv, raw_readv_one,
	};
	const uint64_t counts[] = { 1, 5, MAX };
	int eventfd;
	uint64_t value;
	size_t i, j;
	int k;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		int fd = evfd_test_create(variant->flags, counts[i]);

		for (j = 0; j < ARRAY_SIZE(reads); j++) {
			for (k = 0; k < self->nr_unwritable; k++) {
				EXPECT_EQ(-EFAULT,
					  reads[j](fd, self->unwritable[k]))
					TH_LOG("read %zu, address %d", j, k);
				EXPECT_EQ(counts[i], evfd_test_count(fd))
					TH_LOG("read %zu, address %d", j, k);
			}
		}
		EXPECT_EQ(8, evfd_test_read(fd, &value));
		EXPECT_EQ(variant->flags & EVFD_SEMAPHORE ? 1 : counts[i],
			  value);
		close(fd);
	}

	/* Shown, not tested: an eventfd loses 5 events. */
	eventfd = evfd_test_create_eventfd(variant->flags, 5);
	EXPECT_EQ(-EFAULT, raw_read(eventfd, NULL));
	TH_LOG("5 events and a read that faults: eventfd has %d left, evfd 5",
	       (int)evfd_test_count(eventfd));
	close(eventfd);
}

TEST_F(faults, nonblocking_read_of_0_does_not_look_at_memory)
{
	int k;

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	for (k = 0; k < self->nr_unwritable; k++) {
		/* The VFS refuses addresses beyond user space. */
		if ((intptr_t)self->unwritable[k] < 0)
			continue;
		EXPECT_EQ(-EAGAIN, raw_read(self->fd, self->unwritable[k]));
		EXPECT_EQ(-EAGAIN, raw_readv(self->fd, self->unwritable[k]));
	}
}

TEST_F(faults, write_that_faults_adds_nothing)
{
	int k;

	for (k = 0; k < self->nr_unreadable; k++) {
		EXPECT_EQ(-EFAULT, raw_write(self->fd, self->unreadable[k]))
			TH_LOG("address %d", k);
		EXPECT_EQ(-EFAULT, raw_writev(self->fd, self->unreadable[k]))
			TH_LOG("address %d", k);
		EXPECT_EQ(0, evfd_test_count(self->fd));
	}

	/* Also where the write would have to wait: memory is read first. */
	ASSERT_EQ(8, evfd_test_write(self->fd, MAX));
	for (k = 0; k < self->nr_unreadable; k++) {
		EXPECT_EQ(-EFAULT, raw_write(self->fd, self->unreadable[k]));
		EXPECT_EQ(MAX, evfd_test_count(self->fd));
	}
}

TEST_F(faults, read_only_memory_can_be_written_from)
{
	/* Eight bytes of 1, as the page was filled. */
	EXPECT_EQ(8, raw_write(self->fd, self->map + self->page));
	EXPECT_EQ(8, raw_writev(self->fd, self->map + self->page));
	EXPECT_EQ(2 * 0x0101010101010101ULL, evfd_test_count(self->fd));
	EXPECT_EQ(8, evfd_test_read(self->fd, NULL));
}

TEST_F(faults, memory_without_a_page_yet_is_no_fault)
{
	char *fresh = mmap(NULL, 2 * self->page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t value;

	ASSERT_NE(MAP_FAILED, fresh);
	EXPECT_EQ(8, raw_write(self->fd, fresh));
	EXPECT_EQ(0, evfd_test_count(self->fd));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	/* Across the boundary of two pages, neither of which is there. */
	EXPECT_EQ(8, raw_read(self->fd, fresh + self->page - 4));
	memcpy(&value, fresh + self->page - 4, sizeof(value));
	EXPECT_EQ(1, value);
	munmap(fresh, 2 * self->page);
}

/*
 * The first of two readers is woken, and its buffer has become read-only
 * meanwhile. It fails, and the second must be woken in its place.
 */
TEST_F(faults, woken_reader_that_faults_passes_the_wake_on)
{
	ssize_t (*ops[])(struct evfd_task *task) = {
		evfd_task_read_buf, evfd_task_readv_buf,
	};
	struct evfd_task bad = { .fd = self->fd };
	struct evfd_task good = { .fd = self->fd, .op = evfd_task_read };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		ASSERT_EQ(0, mprotect(self->map, self->page,
				      PROT_READ | PROT_WRITE));
		bad.op = ops[i];
		bad.buf = self->map;
		ASSERT_EQ(0, evfd_task_start(&bad));
		ASSERT_EQ(0, evfd_task_start(&good));
		ASSERT_EQ(0, mprotect(self->map, self->page, PROT_READ));

		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		ASSERT_EQ(8, evfd_task_result(&good))
			TH_LOG("the count is %d and a reader sleeps",
			       (int)evfd_test_count(self->fd));
		EXPECT_EQ(1, good.value);

		/* The first has failed, or waits again if the second was faster. */
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		ASSERT_EQ(-EFAULT, evfd_task_result(&bad));
		EXPECT_EQ(1, evfd_test_count(self->fd));
		EXPECT_EQ(8, evfd_test_read(self->fd, NULL));
	}
}

TEST_F(faults, chain_of_faulting_readers_passes_the_wake_on)
{
	struct evfd_task bad[4], good = {
		.fd = self->fd,
		.op = evfd_task_read,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		bad[i].fd = self->fd;
		bad[i].op = evfd_task_read_buf;
		bad[i].buf = self->map + 8 * i;
		ASSERT_EQ(0, evfd_task_start(&bad[i]));
	}
	ASSERT_EQ(0, evfd_task_start(&good));
	ASSERT_EQ(0, mprotect(self->map, self->page, PROT_NONE));
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(8, evfd_task_result(&good));
	EXPECT_EQ(1, good.value);

	/* For readers that wait again, as above. */
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_EQ(-EFAULT, evfd_task_result(&bad[i]));
	}
	EXPECT_EQ(1, evfd_test_count(self->fd));
}

TEST_F(faults, last_faulting_reader_leaves_the_count)
{
	struct evfd_task bad = {
		.fd = self->fd,
		.op = evfd_task_read_buf,
		.buf = self->map,
	};

	ASSERT_EQ(0, evfd_task_start(&bad));
	ASSERT_EQ(0, mprotect(self->map, self->page, PROT_NONE));
	ASSERT_EQ(8, evfd_test_write(self->fd, 7));
	ASSERT_EQ(-EFAULT, evfd_task_result(&bad));
	EXPECT_EQ(7, evfd_test_count(self->fd));
	EXPECT_EQ(variant->flags & EVFD_SEMAPHORE ? 1 : 7,
		  evfd_test_value(self->fd));
}

/*
 * userfaultfd(2) stops a reader in its copy while others read and write. It must
 * neither return their value nor make them wait.
 */
TEST_F(faults, read_held_up_in_its_copy_holds_up_nobody)
{
	struct evfd_task task = {
		.fd = self->fd,
		.op = evfd_task_read_buf,
	};
	struct held_page held;
	uint64_t value;

	if (held_page_make(&held))
		SKIP(return, "no userfaultfd: %s", strerror(errno));

	/* The task has seen a count of 3 and waits for its memory. */
	ASSERT_EQ(8, evfd_test_write(self->fd, 3));
	ASSERT_EQ(0, held_page_start(&held, &task));
	EXPECT_EQ(3, evfd_test_count(self->fd));

	/* Another takes everything, and then something else arrives. */
	do {
		ASSERT_EQ(8, evfd_test_read(self->fd, &value));
	} while (evfd_test_count(self->fd));
	ASSERT_EQ(8, evfd_test_write(self->fd, 2));
	EXPECT_EQ(2, evfd_test_count(self->fd));

	/* The value that the task saw is gone; it returns the one of now. */
	ASSERT_EQ(0, held_page_give(&held));
	ASSERT_EQ(8, evfd_task_result(&task));
	memcpy(&value, held.page, sizeof(value));
	EXPECT_EQ(variant->flags & EVFD_SEMAPHORE ? 1 : 2, value);
	EXPECT_EQ(2 - value, evfd_test_count(self->fd));
	held_page_free(&held);
}

/* The same into two segments, of which a second attempt fills both again. */
TEST_F(faults, readv_held_up_in_its_copy_copies_again)
{
	struct evfd_task task = {
		.fd = self->fd,
		.op = evfd_task_readv_buf,
	};
	struct held_page held;
	uint64_t value;

	if (held_page_make(&held))
		SKIP(return, "no userfaultfd: %s", strerror(errno));

	ASSERT_EQ(8, evfd_test_write(self->fd, 3));
	ASSERT_EQ(0, held_page_start(&held, &task));
	do {
		ASSERT_EQ(8, evfd_test_read(self->fd, &value));
	} while (evfd_test_count(self->fd));

	/* The attempt finds nothing to take, and the task sleeps. */
	ASSERT_EQ(0, held_page_give(&held));
	EXPECT_EQ(0, evfd_test_wait_asleep(task.tid));
	ASSERT_EQ(8, evfd_test_write(self->fd, 2));
	ASSERT_EQ(8, evfd_task_result(&task));
	memcpy(&value, held.page, sizeof(value));
	EXPECT_EQ(variant->flags & EVFD_SEMAPHORE ? 1 : 2, value);
	held_page_free(&held);
}

/*
 * A reader whose copies come too late returns in the end, also if its page goes
 * away each time, and reports the room that it made.
 */
TEST_F(faults, reader_that_loses_again_and_again_takes_in_the_end)
{
	struct evfd_task task = { .fd = self->fd, .op = held_pages_read };
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET };
	int ep = epoll_create1(0), i, losses;
	struct held_page held[2];

	if (variant->flags & EVFD_SEMAPHORE)
		SKIP(return, "a read of 1 loses to no write");
	ASSERT_LE(0, ep);
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->fd, &event));
	ASSERT_EQ(1, epoll_wait(ep, &event, 1, 0));
	/* Its pages are there after the last loss, or not. */
	for (losses = 7; losses <= 10; losses++) {
		if (held_page_make(&held[0]) || held_page_make(&held[1]))
			SKIP(return, "no userfaultfd: %s", strerror(errno));
		ASSERT_EQ(0, fcntl(self->fd, F_SETFL,
				   losses & 2 ? O_NONBLOCK : 0));
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		task.buf = held;
		ASSERT_EQ(0, evfd_task_run(&task));
		ASSERT_EQ(0, held_page_wanted(&held[0]));
		for (i = 1; i <= losses; i++) {
			ASSERT_EQ(0, held_pages_lose(held, self->fd,
						     i < losses || losses & 1));
		}
		ASSERT_EQ(0, losses & 1 ? held_page_give(&held[0]) : 0);
		ASSERT_EQ(8, evfd_task_result(&task));
		EXPECT_EQ(0, evfd_test_count(self->fd));
		EXPECT_EQ(1, epoll_wait(ep, &event, 1, 0));
		held_page_free(&held[0]);
		held_page_free(&held[1]);
	}
	EXPECT_EQ(-EAGAIN, evfd_test_read(self->fd, NULL));
	close(ep);
}

/*
 * The first of two blocked readers is woken and then waits for its page. The
 * second must be served meanwhile: it may be the one that supplies the page.
 */
TEST_F(faults, woken_reader_that_waits_for_its_page_passes_the_wake_on)
{
	struct evfd_task slow = { .fd = self->fd, .op = evfd_task_read_buf };
	struct evfd_task good = { .fd = self->fd, .op = evfd_task_read };
	struct held_page held;

	if (held_page_make(&held))
		SKIP(return, "no userfaultfd: %s", strerror(errno));
	slow.buf = held.page;
	ASSERT_EQ(0, evfd_task_start(&slow));
	ASSERT_EQ(0, evfd_task_start(&good));

	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(8, evfd_task_result(&good))
		TH_LOG("the count is %d and a reader sleeps",
		       (int)evfd_test_count(self->fd));
	EXPECT_EQ(1, good.value);

	/*
	 * The slow one waits for its page, or for the counter if the other was
	 * faster. The next unit is for it.
	 */
	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	ASSERT_EQ(0, held_page_wanted(&held));
	ASSERT_EQ(0, held_page_give(&held));
	ASSERT_EQ(8, evfd_task_result(&slow));
	EXPECT_EQ(0, evfd_test_count(self->fd));
	held_page_free(&held);
}

static atomic_bool protect_stop;

static void *protect_loop(void *page)
{
	atomic_int spin;

	while (!protect_stop) {
		mprotect(page, 4096, PROT_NONE);
		for (spin = rand() % 4096; spin; spin--)
			;
		mprotect(page, 4096, PROT_READ | PROT_WRITE);
		for (spin = rand() % 32768; spin; spin--)
			;
	}

	return NULL;
}

/* Faults at random moments: the count always agrees with the results. */
TEST_F(faults, nothing_is_lost_while_memory_comes_and_goes)
{
	const int wanted = 50;
	int faulted = 0, worked = 0, round;
	uint64_t expected = 0;
	pthread_t thread;
	long ret;

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, pthread_create(&thread, NULL, protect_loop, self->map));
	for (round = 0; faulted < wanted || worked < wanted; round++) {
		ASSERT_EQ(8, evfd_test_write(self->fd, 3));
		expected += 3;
		ret = round & 1 ? raw_read(self->fd, self->map) :
				  raw_readv(self->fd, self->map);
		if (ret == -EFAULT) {
			faulted++;
		} else {
			ASSERT_EQ(8, ret);
			worked++;
			expected -= variant->flags & EVFD_SEMAPHORE ?
				    1 : expected;
		}
		ASSERT_EQ(expected, evfd_test_count(self->fd))
			TH_LOG("round %d, read returned %ld", round, ret);
	}
	protect_stop = true;
	pthread_join(thread, NULL);
	TH_LOG("%d reads faulted, %d did not", faulted, worked);
}

/* A write that waits for its page has not happened yet. */
TEST_F(faults, write_held_up_in_its_copy_adds_nothing_yet)
{
	ssize_t (*ops[])(struct evfd_task *task) = {
		evfd_task_write_buf, evfd_task_writev_buf,
	};
	struct evfd_task task = { .fd = self->fd };
	struct held_page held;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		if (held_page_make(&held))
			SKIP(return, "no userfaultfd: %s", strerror(errno));
		task.op = ops[i];
		ASSERT_EQ(0, held_page_start(&held, &task));
		EXPECT_EQ(0, evfd_test_count(self->fd));

		/* Others go on, up to where it would not fit. */
		ASSERT_EQ(8, evfd_test_write(self->fd, MAX));
		held.value = 2;
		ASSERT_EQ(0, held_page_give(&held));
		EXPECT_LE(0, evfd_task_rewoken(&task));
		EXPECT_EQ(MAX, evfd_test_count(self->fd));
		/* Just enough: the write may be made before the count is asked. */
		ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
		if (variant->flags & EVFD_SEMAPHORE)
			ASSERT_EQ(8, evfd_test_read(self->fd, NULL));
		ASSERT_EQ(8, evfd_task_result(&task));
		EXPECT_EQ(variant->flags & EVFD_SEMAPHORE ? MAX : 2,
			  evfd_test_count(self->fd));
		held_page_free(&held);

		close(self->fd);
		self->fd = evfd_test_create(variant->flags, 0);
		task.fd = self->fd;
	}
}

/* A process that waits for a page in the middle of its operation. */
struct held_process {
	struct evfd_task task;
	atomic_bool ready;
	/* The page is wanted; errno where there is no userfaultfd. */
	atomic_bool wanted;
	atomic_int error;
};

static void held_process_main(struct held_process *held)
{
	struct held_page page;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	held->error = held_page_make(&page) ? errno : 0;
	held->ready = true;
	if (held->error || held_page_start(&page, &held->task))
		_exit(1);
	held->wanted = true;
	while (1)
		pause();
}

TEST_F(faults, killed_while_it_waits_for_its_page_changes_nothing)
{
	static const struct {
		ssize_t (*op)(struct evfd_task *task);
		/* The count before, and the value to write once it sleeps. */
		uint64_t count;
		uint64_t post;
	} cases[] = {
		{ evfd_task_read_buf, 5, 0 },
		{ evfd_task_readv_buf, 5, 0 },
		{ evfd_task_write_buf, 5, 0 },
		{ evfd_task_writev_buf, 5, 0 },
		/* These have been woken. */
		{ evfd_task_read_buf, 0, 5 },
		{ evfd_task_readv_buf, 0, 5 },
	};
	struct held_process *held;
	uint64_t value, sum;
	size_t i;
	pid_t pid;

	held = evfd_test_share(sizeof(*held));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(held, 0, sizeof(*held));
		if (cases[i].count)
			ASSERT_EQ(8, evfd_test_write(self->fd, cases[i].count));
		held->task.fd = self->fd;
		held->task.op = cases[i].op;
		pid = fork();
		if (!pid)
			held_process_main(held);
		ASSERT_LT(0, pid);
		ASSERT_TRUE(evfd_test_until(held->ready));
		if (held->error)
			SKIP(return, "no userfaultfd: %s",
			     strerror(held->error));
		if (cases[i].post) {
			ASSERT_TRUE(evfd_test_until(held->task.tid));
			ASSERT_EQ(0, evfd_test_wait_asleep(held->task.tid));
			ASSERT_EQ(8, evfd_test_write(self->fd, cases[i].post));
		}
		ASSERT_TRUE(evfd_test_until(held->wanted));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		EXPECT_FALSE(held->task.done);
		ASSERT_EQ(5, evfd_test_count(self->fd))
			TH_LOG("case %zu", i);
		for (sum = 0; sum < 5; sum += value) {
			ASSERT_EQ(8, evfd_test_read(self->fd, &value));
		}
		ASSERT_EQ(0, evfd_test_count(self->fd));
	}
}

TEST_HARNESS_MAIN
