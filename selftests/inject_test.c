// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's fault injection: each allocation and each copy of user memory
 * fails in turn. The error is the right one, and has no other effect: no
 * descriptor, file or counter is left, the count is unchanged, and the module can
 * be unloaded and loaded again.
 *
 * Needs the kernel debug, root, and in EVFD_KO the path of evfd.ko; it fails
 * without them. Each test counts fail-nth (see inject.h) up from 1, until there
 * is no nth. Single accesses of 8 bytes, with which x86 reads and writes a
 * counter's value, cannot be made to fail: there, the page is protected instead.
 * Uses inject.h, inject_io.h and tests/lib. Read faults_test.c first.
 */
#include <poll.h>
#include <sched.h>

#include "kselftest_harness.h"
#include "evfd_module.h"
#include "evfd_task.h"
#include "inject.h"
#include "inject_io.h"

FIXTURE(inject) {
	int dev;
	/* The state before the test. */
	int next_fd;
	int users;
	int counters;
	long files;
};

/* Without fault injection the tests fail: a skip would hide that. */
FIXTURE_SETUP(inject)
{
	size_t i;

	ASSERT_EQ(0, geteuid())
		TH_LOG("needs root");
	inject.fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, inject.fd)
		TH_LOG("this kernel has no fault injection, --kernel debug has");
	for (i = 0; i < NR_ATTRS; i++) {
		ASSERT_EQ(0, inject_put(inject_attrs[i], "verbose", "0"))
			TH_LOG("this kernel has no " DEBUGFS "/%s", inject_attrs[i]);
		ASSERT_EQ(0, inject_put(inject_attrs[i], "probability", "0"));
		ASSERT_EQ(0, inject_put(inject_attrs[i], "times", "-1"));
	}
	ASSERT_EQ(0, inject_limit_to(ALL, 0, ULONG_MAX));
	ASSERT_EQ(0, inject_put("failslab", "ignore-gfp-wait", "N"));
	ASSERT_EQ(0, inject_put("fail_page_alloc", "ignore-gfp-wait", "N"));
	ASSERT_EQ(0, inject_put("fail_page_alloc", "ignore-gfp-highmem", "N"));
	ASSERT_EQ(0, inject_put("fail_page_alloc", "min-order", "0"));
	ASSERT_EQ(0, ko_read())
		TH_LOG("EVFD_KO does not name evfd.ko");
	/* The operation's memory is to fail, not the program's. */
	ASSERT_EQ(0, mlockall(MCL_CURRENT | MCL_FUTURE));
	if (!evfd_module_is_loaded("evfd"))
		ASSERT_EQ(0, ko_load());

	self->dev = evfd_test_open();
	self->next_fd = evfd_test_next_fd();
	self->users = evfd_test_users();
	self->counters = evfd_test_instances();
	self->files = nr_files();
}

FIXTURE_TEARDOWN(inject)
{
	int reports = klog_count("Objects remaining in evfd");

	EXPECT_LE(0, reports)
		TH_LOG("the kernel's log cannot be read");
	EXPECT_EQ(0, inject_limit_to(ALL, 0, ULONG_MAX));
	if (!evfd_module_is_loaded("evfd")) {
		EXPECT_EQ(0, ko_load());
		return;
	}
	EXPECT_EQ(self->next_fd, evfd_test_next_fd())
		TH_LOG("a descriptor was left behind");
	EXPECT_EQ(self->users, evfd_test_users());
	EXPECT_EQ(self->counters, evfd_test_instances());
	/* Each CPU counts files, and the sum is taken now and then. */
	EXPECT_GT(REPEAT * 3 / 4, nr_files() - self->files)
		TH_LOG("files were left behind");

	/* A counter without a file would be found by the end of the module. */
	close(self->dev);
	EXPECT_EQ(0, evfd_module_unload_soon("evfd"));
	EXPECT_EQ(reports, klog_count("Objects remaining in evfd"));
	EXPECT_EQ(0, ko_load());
	EXPECT_EQ(self->users - 1, evfd_test_users());
}

static int create_with(int dev, uint64_t flags)
{
	struct evfd_create arg = { .flags = EVFD_CLOEXEC | flags, .initval = 3 };
	int fd;

	inject_begin();
	fd = ioctl(dev, EVFD_IOC_CREATE, &arg);
	inject_end();

	return fd < 0 ? -errno : fd;
}

static int create(int dev)
{
	return create_with(dev, 0);
}

static int create_shared(int dev)
{
	return create_with(dev, EVFD_SHARED);
}

/*
 * Makes a descriptor with @make while each @kind fails in turn. Whatever fails,
 * the error is @error, or the failure does not matter. Returns how many errors
 * there were.
 */
static int make_with_failures(struct __test_metadata *_metadata,
			      struct _test_data_inject *self, enum kind kind,
			      int (*make)(int dev), int error)
{
	int errors = 0, tolerated = 0, i, fd;

	ASSERT_EQ(0, inject_limit_to(kind, 0, ULONG_MAX));
	FOR_EACH_FAILURE {
		int failed = 0;

		for (i = 0; i < REPEAT; i++) {
			fd = make(self->dev);
			if (fd >= 0) {
				ASSERT_EQ(self->next_fd, fd);
				ASSERT_EQ(self->users + 1, evfd_test_users());
				close(fd);
			} else {
				ASSERT_TRUE(inject.failed);
				ASSERT_EQ(error, -fd)
					TH_LOG("failure %d: %s", inject.nth,
					       strerror(-fd));
				failed++;
			}
			ASSERT_EQ(self->next_fd, evfd_test_next_fd());
			ASSERT_EQ(self->users, evfd_test_users());
			if (!inject.failed)
				break;
		}
		ASSERT_EQ(self->counters, evfd_test_instances());
		/* Some allocate only now and then: for a cache, a batch. */
		errors += failed > REPEAT / 2;
		tolerated += inject.failed && failed <= REPEAT / 2;
	}
	EXPECT_LE(0, fd);
	TH_LOG("of %s, %d failed with %s, %d were not needed", inject_kinds[kind],
	       errors, strerror(error), tolerated);

	return errors;
}

TEST_F_TIMEOUT(inject, create_fails_and_leaves_nothing, PATIENCE)
{
	/* The counter, its file and its dentry; the argument. */
	EXPECT_LE(3, make_with_failures(_metadata, self, ALLOCATIONS, create,
					ENOMEM));
	EXPECT_EQ(1, make_with_failures(_metadata, self, COPIES, create,
					EFAULT));
}

TEST_F_TIMEOUT(inject, create_of_a_page_fails_and_leaves_nothing, PATIENCE)
{
	/* The same, and the page. */
	EXPECT_LE(4, make_with_failures(_metadata, self, ALLOCATIONS,
					create_shared, ENOMEM));
	EXPECT_EQ(1, make_with_failures(_metadata, self, COPIES, create_shared,
					EFAULT));
}

/* With a full table of descriptors. Returns 0 or -errno; 1 or 2 on a wrong result. */
static int create_in_full_table(int dev)
{
	int last, fd;

	inject.fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	do {
		last = dup(STDERR_FILENO);
	} while (last < 63);
	fd = create(dev);
	if (fd >= 0 && (fd != 64 || close(fd)))
		return 1;

	return evfd_test_next_fd() == 64 ? fd < 0 ? fd : 0 : 2;
}

/* In processes of their own: a table that has grown does not shrink. */
TEST_F_TIMEOUT(inject, create_fails_where_the_table_has_to_grow, PATIENCE)
{
	int enomem = 0, tolerated = 0, status;
	struct {
		int ret;
		bool failed;
	} *child;
	pid_t pid;

	child = evfd_test_share(sizeof(*child));
	ASSERT_EQ(0, inject_limit_to(ALLOCATIONS, 0, ULONG_MAX));
	FOR_EACH_FAILURE {
		pid = fork();
		if (!pid) {
			mlockall(MCL_CURRENT | MCL_FUTURE);
			child->ret = create_in_full_table(self->dev);
			child->failed = inject.failed;
			_exit(0);
		}
		ASSERT_LT(0, pid);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
		inject.failed = child->failed;
		ASSERT_TRUE(!child->ret ||
			    (child->ret == -ENOMEM && child->failed))
			TH_LOG("failure %d: %d", inject.nth, child->ret);
		enomem += child->ret == -ENOMEM;
		tolerated += !child->ret && child->failed;
		ASSERT_EQ(self->users, evfd_test_users());
	}
	EXPECT_EQ(0, child->ret);
	/* One more than without that. */
	EXPECT_LE(4, enomem);
	TH_LOG("%d allocations, %d more are not needed", enomem, tolerated);
}

static int open_path(const char *path, int flags)
{
	int fd;

	inject_begin();
	fd = open(path, flags | O_CLOEXEC);
	inject_end();

	return fd < 0 ? -errno : fd;
}

static int open_device(int unused)
{
	return open_path("/dev/evfd", O_RDWR);
}

static int open_instances(int unused)
{
	return open_path(DEBUGFS "/evfd/instances", O_RDONLY);
}

TEST_F_TIMEOUT(inject, open_of_the_device_fails_and_leaves_nothing, PATIENCE)
{
	/* The path in memory of its own, and the file. */
	EXPECT_LE(2, make_with_failures(_metadata, self, ALLOCATIONS,
					open_device, ENOMEM));
	EXPECT_EQ(1, make_with_failures(_metadata, self, COPIES, open_device,
					EFAULT));
}

TEST_F_TIMEOUT(inject, open_of_the_list_fails_and_leaves_nothing, PATIENCE)
{
	/* The path and the file; the sequence, and the walk in it. */
	EXPECT_LE(4, make_with_failures(_metadata, self, ALLOCATIONS,
					open_instances, ENOMEM));
	EXPECT_EQ(1, make_with_failures(_metadata, self, COPIES, open_instances,
					EFAULT));
}

/* The allocations of the module when it is loaded, not the kernel's. */
TEST_F_TIMEOUT(inject, load_fails_and_leaves_nothing, PATIENCE)
{
	int enomem = 0, tolerated = 0, ret = 0, fd;
	unsigned long start, end;

	ASSERT_EQ(0, function_range("do_one_initcall", &start, &end));
	ASSERT_EQ(0, inject_limit_to(ALLOCATIONS, start, end));
	close(self->dev);
	FOR_EACH_FAILURE {
		ASSERT_EQ(0, evfd_module_unload_soon("evfd"));
		EXPECT_FALSE(evfd_module_is_loaded("evfd"));
		inject_begin();
		ret = ko_load();
		inject_end();
		if (ret) {
			ASSERT_TRUE(inject.failed);
			EXPECT_EQ(-ENOMEM, ret)
				TH_LOG("failure %d", inject.nth);
			enomem++;
			EXPECT_FALSE(evfd_module_is_loaded("evfd"));
			EXPECT_NE(0, access("/dev/evfd", F_OK));
			EXPECT_NE(0, access("/sys/class/misc/evfd", F_OK));
			EXPECT_NE(0, access(DEBUGFS "/evfd", F_OK));
			ASSERT_EQ(0, ko_load());
		} else {
			tolerated += inject.failed;
		}
		fd = evfd_test_create(0, 1);
		close(fd);
	}
	self->dev = evfd_test_open();
	self->counters = evfd_test_instances();
	TH_LOG("%d allocations, %d more are not needed", enomem, tolerated);
	EXPECT_EQ(0, ret);
	/* The cache, the device's number and the device. */
	EXPECT_LE(3, enomem);
}

FIXTURE(copies) {
	FIXTURE_DATA(inject) inject;
	struct io io;
	size_t size;
};

FIXTURE_VARIANT(copies) { unsigned int flags; };
FIXTURE_VARIANT_ADD(copies, plain) { .flags = 0 };
FIXTURE_VARIANT_ADD(copies, semaphore) { .flags = EVFD_SEMAPHORE };

FIXTURE_SETUP(copies)
{
	inject_setup(_metadata, &self->inject, NULL);
	self->size = sysconf(_SC_PAGESIZE);
	self->io.page = mmap(NULL, self->size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)self->io.page);
	ASSERT_EQ(0, ring_open(&self->io.ring, DEPTH, 0));
	ASSERT_EQ(0, syscall(SYS_io_setup, DEPTH, &self->io.aio));
}

FIXTURE_TEARDOWN(copies)
{
	ring_close(&self->io.ring);
	syscall(SYS_io_destroy, self->io.aio);
	inject_teardown(_metadata, &self->inject, NULL);
}

TEST_F_TIMEOUT(copies, that_fail_lose_and_add_nothing, PATIENCE)
{
	size_t i;
	int kind;

	for (i = 0; i < 2 * ARRAY_SIZE(io_ops); i++) {
		const struct io_op *op = &io_ops[i / 2];
		int faults = 0, others = 0, partial = 0, tolerated = 0;
		long ret = 0;

		kind = i & 1 ? ALLOCATIONS : COPIES;
		ASSERT_EQ(0, inject_limit_to(kind, 0, ULONG_MAX));
		FOR_EACH_FAILURE {
			ASSERT_EQ(0, io_check(&self->io, op, variant->flags,
					      &ret))
				TH_LOG("%s, failure %d: %ld", op->name,
				       inject.nth, ret);
			ASSERT_TRUE(inject.failed || ret == 8 * op->segments);
			if (!inject.failed)
				break;
			if (ret == -EFAULT)
				faults++;
			else if (ret < 0)
				others++;
			else if (ret < 8 * op->segments)
				partial++;
			else
				tolerated++;
			/* io_uring asks to be asked again. */
			if (ret < 0 && kind == ALLOCATIONS)
				ASSERT_TRUE(ret == -ENOMEM || ret == -EAGAIN)
					TH_LOG("%s, failure %d: %s", op->name,
					       inject.nth, strerror(-ret));
		}
		TH_LOG("%s, %s: EFAULT %d, other errors %d, short %d, tolerated %d",
		       op->name, inject_kinds[kind], faults, others, partial,
		       tolerated);
		if (kind == COPIES) {
			EXPECT_LE(op->copies, faults + partial);
			EXPECT_EQ(0, others + tolerated);
		}
	}
}

/* The copies that fail-nth does not reach: without the page. */
TEST_F_TIMEOUT(copies, without_a_page_lose_and_add_nothing, PATIENCE)
{
	size_t i;

	inject.nth = 0;
	for (i = 0; i < ARRAY_SIZE(io_ops); i++) {
		const struct io_op *op = &io_ops[i];
		uint64_t count = op->writes ? 0 : 5;
		struct io *io = &self->io;

		io->fd = evfd_test_create(variant->flags, count);
		ASSERT_EQ(0, mprotect(io->page, self->size, PROT_NONE));
		EXPECT_EQ(-EFAULT, op->fn(io, op))
			TH_LOG("%s", op->name);
		ASSERT_EQ(0, mprotect(io->page, self->size,
				      PROT_READ | PROT_WRITE));
		EXPECT_EQ(count, evfd_test_count(io->fd))
			TH_LOG("%s", op->name);
		close(io->fd);
	}
}

/*
 * A woken reader copies with page faults disabled, and passes the wakeup on if
 * that fails. Then it tries once more, and nothing is lost.
 */
static ssize_t read_and_inject(struct evfd_task *task)
{
	ssize_t ret;

	inject.fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	inject_begin();
	ret = evfd_task_readv(task);
	inject_end();
	close(inject.fd);

	return ret;
}

TEST_F_TIMEOUT(copies, that_fail_after_a_wake_pass_it_on, PATIENCE)
{
	struct evfd_task bad = { .op = read_and_inject };
	struct evfd_task good = { .op = evfd_task_read };
	int fd = evfd_test_create(variant->flags, 0);
	int keep = inject.fd, faulted = 0, woken = 0;
	uint64_t n;

	ASSERT_EQ(0, inject_limit_to(COPIES, 0, ULONG_MAX));
	bad.fd = fd;
	good.fd = fd;
	FOR_EACH_FAILURE {
		ASSERT_EQ(0, evfd_task_start(&bad));
		ASSERT_EQ(0, evfd_task_start(&good));
		ASSERT_EQ(8, evfd_test_write(fd, 1));
		ASSERT_TRUE(evfd_test_until(bad.done || good.done))
			TH_LOG("failure %d: the count is %d, and two readers sleep",
			       inject.nth, (int)evfd_test_count(fd));
		ASSERT_EQ(8, evfd_test_write(fd, 1));
		ASSERT_EQ(0, evfd_task_join(&good));
		ASSERT_EQ(0, evfd_task_join(&bad));
		EXPECT_EQ(8, good.ret);
		n = good.value;
		if (bad.ret == 8) {
			n += bad.value;
			woken += inject.failed;
		} else {
			EXPECT_EQ(-EFAULT, bad.ret);
			faulted++;
		}
		EXPECT_EQ(2, n + evfd_test_count(fd));
		close(fd);
		fd = evfd_test_create(variant->flags, 0);
		bad.fd = fd;
		good.fd = fd;
	}
	close(fd);
	inject.fd = keep;
	TH_LOG("EFAULT %d, tried again %d", faulted, woken);
	/* Two segments. */
	EXPECT_LE(2, woken);
}

/* Only the creation of a counter needs memory. */
FIXTURE(shortage) {
	FIXTURE_DATA(inject) inject;
	int make_it_fail;
};

FIXTURE_SETUP(shortage)
{
	inject_setup(_metadata, &self->inject, NULL);
	self->make_it_fail = open("/proc/thread-self/make-it-fail",
				  O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->make_it_fail);
	ASSERT_EQ(0, inject_put("failslab", "task-filter", "Y"));
	ASSERT_EQ(0, inject_put("fail_page_alloc", "task-filter", "Y"));
	ASSERT_EQ(0, inject_put("failslab", "probability", "100"));
	ASSERT_EQ(0, inject_put("fail_page_alloc", "probability", "100"));
}

FIXTURE_TEARDOWN(shortage)
{
	EXPECT_EQ(0, inject_put("failslab", "probability", "0"));
	EXPECT_EQ(0, inject_put("fail_page_alloc", "probability", "0"));
	EXPECT_EQ(0, inject_put("failslab", "task-filter", "N"));
	EXPECT_EQ(0, inject_put("fail_page_alloc", "task-filter", "N"));
	close(self->make_it_fail);
	inject_teardown(_metadata, &self->inject, NULL);
}

static ssize_t read_without_memory(struct evfd_task *task)
{
	int fd = open("/proc/thread-self/make-it-fail", O_RDWR | O_CLOEXEC);
	ssize_t ret;

	if (fd < 0 || write(fd, "1", 1) != 1)
		return -1;
	ret = evfd_task_read(task);
	if (write(fd, "0", 1) != 1)
		return -1;
	close(fd);

	return ret;
}

TEST_F_TIMEOUT(shortage, hinders_nothing_but_creation, PATIENCE)
{
	struct evfd_create arg = { };
	int fd = evfd_test_create(EVFD_NONBLOCK, 0), ret, err, i;
	struct evfd_task task = { .op = read_without_memory };
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };
	uint64_t n = 0, one = 1;
	struct iovec iov[2] = { { &one, 8 }, { &one, 8 } };

	task.fd = evfd_test_create(0, 0);
	ASSERT_EQ(0, evfd_task_start(&task));

	ASSERT_EQ(1, write(self->make_it_fail, "1", 1));
	for (i = 0, err = 0; i < REPEAT && !err; i++) {
		ret = ioctl(self->inject.dev, EVFD_IOC_CREATE, &arg);
		err |= ret != -1 || errno != ENOMEM;
		err |= (read(fd, &n, 8) != -1 || errno != EAGAIN) << 1;
		err |= (write(fd, &one, 8) != 8) << 2;
		err |= (writev(fd, iov, 2) != 16) << 3;
		err |= (poll(&p, 1, 0) != 1) << 4;
		err |= (read(fd, &n, 8) != 8 || n != 3) << 5;
	}
	/* Also to wake a task, and to be woken. */
	err |= (write(task.fd, &one, 8) != 8) << 6;
	ret = evfd_task_join(&task);
	ASSERT_EQ(1, write(self->make_it_fail, "0", 1));

	EXPECT_EQ(0, err)
		TH_LOG("round %d", i);
	ASSERT_EQ(0, ret);
	EXPECT_EQ(8, task.ret);
	close(fd);
	close(task.fd);

	/* With memory it works again. */
	fd = ioctl(self->inject.dev, EVFD_IOC_CREATE, &arg);
	EXPECT_LE(0, fd);
	close(fd);
}

/* The last test: it reports the leaks of all others. */
FIXTURE(leaks) { int unused; };

FIXTURE_SETUP(leaks)
{
}

FIXTURE_TEARDOWN(leaks)
{
}

/*
 * Objects younger than 5 s are not reported. The kernel loses the name of a
 * cache whose entry in sysfs it cannot make: that is no leak of evfd.
 */
#define KERNELS_OWN	"sysfs_slab_add+"
#define REPORT		"unreferenced object"

TEST_F_TIMEOUT(leaks, there_are_none_after_all_this, PATIENCE)
{
	int fd = open(DEBUGFS "/kmemleak", O_RDWR | O_CLOEXEC);
	size_t size = 0x100000, done = 0;
	char *text = calloc(1, size), *report, *end;
	ssize_t n;

	ASSERT_LE(0, fd)
		TH_LOG("this kernel has no " DEBUGFS "/kmemleak");
	ASSERT_NE(NULL, text);
	evfd_test_sleep_ms(6000);
	n = write(fd, "scan", 4);
	if (n < 0 && errno == EPERM)
		SKIP(return, "kmemleak was switched off at boot");
	ASSERT_EQ(4, n);
	ASSERT_EQ(4, write(fd, "scan", 4));
	while ((n = read(fd, text + done, size - 1 - done)) > 0)
		done += n;
	ASSERT_EQ(0, n);
	for (report = strstr(text, REPORT); report; report = end) {
		end = strstr(report + 1, REPORT);
		if (end)
			end[-1] = 0;
		EXPECT_NE(NULL, strstr(report, KERNELS_OWN))
			TH_LOG("%s", report);
	}
	/* Not to be reported again. */
	ASSERT_EQ(5, write(fd, "clear", 5));
	close(fd);
	free(text);
}

TEST_HARNESS_MAIN
