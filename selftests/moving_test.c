// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many readers and writers at once, on memory that is protected, unmapped or
 * dropped meanwhile. Each has a slot in a shared page that is mapped twice: one
 * mapping changes, and the test uses the other one, which does not.
 *
 * Uses evfd_task.h and evfd_held.h. Read faults_test.c first.
 */
#include <poll.h>
#include <sys/syscall.h>

#include "kselftest_harness.h"
#include "evfd_held.h"
#include "evfd_task.h"

#define NR_MOVING_READERS	3
#define NR_MOVING_WRITERS	2
#define NR_MOVING		(NR_MOVING_READERS + NR_MOVING_WRITERS)
#define MOVING_WRITES		400
#define MOVING_FAULTS		20

struct moving {
	int fd;
	int memfd;
	int uffd;
	long size;
	char *map;
	uint64_t *alias;
	bool semaphore;
	atomic_int next_slot;
	atomic_uint_fast64_t written;
	atomic_uint_fast64_t read;
	atomic_int writes;
	/* Faults, and pages that were supplied. */
	atomic_int faulted[2];
	atomic_int brought;
	/* Whether there must be faults, or pages to supply. */
	bool wants_faults;
	bool wants_pages;
	atomic_bool stop;
	/* The first thing that went wrong in a thread. */
	_Atomic long wrong;
};

static void moving_spin(int n)
{
	atomic_int spin;

	for (spin = rand() % n; spin; spin--)
		;
}

static void *move_protection(void *arg)
{
	struct moving *moving = arg;

	while (!moving->stop) {
		mprotect(moving->map, moving->size, PROT_NONE);
		moving_spin(4096);
		mprotect(moving->map, moving->size, PROT_READ | PROT_WRITE);
		moving_spin(32768);
	}

	return NULL;
}

static void *move_mapping(void *arg)
{
	struct moving *moving = arg;

	while (!moving->stop) {
		munmap(moving->map, moving->size);
		moving_spin(4096);
		mmap(moving->map, moving->size, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_FIXED, moving->memfd, 0);
		moving_spin(32768);
	}

	return NULL;
}

static void *move_pages(void *arg)
{
	struct moving *moving = arg;

	while (!moving->stop) {
		madvise(moving->map, moving->size, MADV_DONTNEED);
		moving_spin(16384);
	}

	return NULL;
}

/* Drops the page, and supplies it only when a task waits for it. */
static void *move_by_userfaultfd(void *arg)
{
	struct moving *moving = arg;
	struct uffdio_continue page = {
		.range = { (uintptr_t)moving->map, moving->size },
	};
	struct pollfd p = { .fd = moving->uffd, .events = POLLIN };
	struct uffd_msg msg;

	while (!moving->stop) {
		madvise(moving->map, moving->size, MADV_DONTNEED);
		if (poll(&p, 1, 10) == 1 &&
		    read(moving->uffd, &msg, sizeof(msg)) == sizeof(msg)) {
			moving->brought++;
			moving_spin(16384);
		}
		page.mapped = 0;
		if (ioctl(moving->uffd, UFFDIO_CONTINUE, &page) &&
		    errno == EEXIST)
			ioctl(moving->uffd, UFFDIO_WAKE, &page.range);
		moving_spin(16384);
	}

	return NULL;
}

static int moving_userfaultfd(struct moving *moving)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_MINOR_SHMEM,
	};
	struct uffdio_register reg = {
		.range = { (uintptr_t)moving->map, moving->size },
		.mode = UFFDIO_REGISTER_MODE_MINOR,
	};

	moving->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (moving->uffd < 0 || ioctl(moving->uffd, UFFDIO_API, &api) ||
	    ioctl(moving->uffd, UFFDIO_REGISTER, &reg))
		return -errno;

	return 0;
}

static void *moving_read(void *arg)
{
	struct moving *moving = arg;
	int slot = moving->next_slot++, i;
	struct evfd_task task = {
		.fd = moving->fd, .buf = moving->map + 8 * slot,
	};

	for (i = 0; !moving->wrong; i++) {
		long ret = i & 1 ? evfd_task_readv_buf(&task) :
				   evfd_task_read_buf(&task);
		uint64_t n = moving->alias[slot];

		if (ret == -EFAULT) {
			moving->faulted[0]++;
			continue;
		}
		if (ret != 8 || !n || (moving->semaphore && n != 1))
			moving->wrong = ret == 8 ? (long)n : ret;
		moving->read += n;
	}

	return NULL;
}

static void *moving_write(void *arg)
{
	struct moving *moving = arg;
	int slot = moving->next_slot++, i, ms;
	struct evfd_task task = {
		.fd = moving->fd, .buf = moving->map + 8 * slot,
	};

	for (i = 0; !moving->stop && !moving->wrong; i++) {
		uint64_t n = 1 + i % 3;
		long ret;

		/* Near the readers, so that they have to sleep. */
		for (ms = 0; moving->written - moving->read > 2 &&
		     ms < EVFD_TEST_PATIENCE_MS * 10; ms++)
			usleep(100);
		if (ms == EVFD_TEST_PATIENCE_MS * 10) {
			moving->wrong = -ETIME;
			break;
		}
		moving->alias[slot] = n;
		ret = i & 1 ? evfd_task_writev_buf(&task) :
			      evfd_task_write_buf(&task);
		if (ret == 8) {
			moving->written += n;
			moving->writes++;
		} else if (ret == -EFAULT) {
			moving->faulted[1]++;
		} else {
			moving->wrong = ret;
		}
	}

	return NULL;
}

FIXTURE(moving) {
	struct moving moving;
};

FIXTURE_VARIANT(moving) {
	void *(*mover)(void *arg);
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(moving, mprotect) { move_protection, 0 };
FIXTURE_VARIANT_ADD(moving, mprotect_semaphore) { move_protection, EVFD_SEMAPHORE };
FIXTURE_VARIANT_ADD(moving, munmap) { move_mapping, 0 };
FIXTURE_VARIANT_ADD(moving, munmap_semaphore) { move_mapping, EVFD_SEMAPHORE };
FIXTURE_VARIANT_ADD(moving, dontneed) { move_pages, 0 };
FIXTURE_VARIANT_ADD(moving, dontneed_semaphore) { move_pages, EVFD_SEMAPHORE };
FIXTURE_VARIANT_ADD(moving, userfaultfd) { move_by_userfaultfd, 0 };
FIXTURE_VARIANT_ADD(moving, userfaultfd_semaphore) { move_by_userfaultfd, EVFD_SEMAPHORE };

FIXTURE_SETUP(moving)
{
	struct moving *moving = &self->moving;

	moving->fd = evfd_test_create(variant->flags, 0);
	moving->semaphore = variant->flags & EVFD_SEMAPHORE;
	moving->size = sysconf(_SC_PAGESIZE);
	moving->memfd = memfd_create("evfd", MFD_CLOEXEC);
	ASSERT_LE(0, moving->memfd);
	ASSERT_EQ(0, ftruncate(moving->memfd, moving->size));
	moving->map = mmap(NULL, moving->size, PROT_READ | PROT_WRITE,
			   MAP_SHARED, moving->memfd, 0);
	ASSERT_NE(MAP_FAILED, (void *)moving->map);
	moving->alias = mmap(NULL, moving->size, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_POPULATE, moving->memfd, 0);
	ASSERT_NE(MAP_FAILED, (void *)moving->alias);
	if (variant->mover == move_by_userfaultfd) {
		int ret = moving_userfaultfd(moving);

		if (ret)
			SKIP(return, "no userfaultfd: %s", strerror(-ret));
	}
	moving->wants_pages = variant->mover == move_by_userfaultfd;
	moving->wants_faults = variant->mover == move_protection ||
			       variant->mover == move_mapping;
}

/* Readers that still sleep end with the test's process. */
FIXTURE_TEARDOWN(moving)
{
}

static bool moving_enough(struct moving *moving)
{
	if (moving->wants_faults && (moving->faulted[0] < MOVING_FAULTS ||
				     moving->faulted[1] < MOVING_FAULTS))
		return false;
	if (moving->wants_pages && moving->brought < MOVING_FAULTS)
		return false;

	return moving->writes >= MOVING_WRITES;
}

TEST_F_TIMEOUT(moving, nothing_is_lost_and_nobody_left_asleep, 120)
{
	struct moving *moving = &self->moving;
	pthread_t threads[NR_MOVING], mover;
	int i;

	ASSERT_EQ(0, pthread_create(&mover, NULL, variant->mover, moving));
	for (i = 0; i < NR_MOVING; i++) {
		ASSERT_EQ(0, pthread_create(&threads[i], NULL,
					    i < NR_MOVING_READERS ?
					    moving_read : moving_write,
					    moving));
	}
	while (!moving_enough(moving) && !moving->wrong)
		evfd_test_sleep_ms(1);

	/* A task that still waits for a page has to get it: the mover ends last. */
	moving->stop = true;
	ASSERT_EQ(0, evfd_test_join(mover));
	mprotect(moving->map, moving->size, PROT_READ | PROT_WRITE);
	if (moving->wants_pages)
		close(moving->uffd);
	for (i = NR_MOVING_READERS; i < NR_MOVING; i++) {
		ASSERT_EQ(0, evfd_test_join(threads[i]));
	}
	EXPECT_TRUE(evfd_test_until(moving->read == moving->written))
		TH_LOG("written %" PRIu64 ", read %" PRIu64 ", the count is %"
		       PRIu64, moving->written, moving->read,
		       evfd_test_count(moving->fd));
	EXPECT_EQ(0, moving->wrong);
	EXPECT_EQ(0, evfd_test_count(moving->fd));
	TH_LOG("%d writes; %d reads and %d writes faulted, %d pages brought",
	       moving->writes, moving->faulted[0], moving->faulted[1],
	       moving->brought);
}

TEST_HARNESS_MAIN
