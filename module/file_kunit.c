// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite evfd_file: the counter as a file, from its creation to the last
 * fput(), through its file_operations; and the way from a descriptor to it.
 *
 * Uses helpers_kunit.h, ctx.h and file.h. User memory is a mapping of the test
 * (kunit_vm_mmap()): one page, with nothing mapped behind it. Threads that block
 * use kernel memory for their 8 bytes, unless they are to fault. The tests with a
 * program and the VFS are in selftests/; begin with counter_test.c.
 */
#include <linux/anon_inodes.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hw_breakpoint.h>
#include <linux/kmemleak.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/perf_event.h>
#include <linux/pid_namespace.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "helpers_kunit.h"
#include "file.h"

KUNIT_DEFINE_ACTION_WRAPPER(evfd_test_fput, __fput_sync, struct file *);

/* A file that the test's end closes, without a worker. */
static struct file *evfd_test_file(struct kunit *test, u64 initval, u32 flags)
{
	struct file *file = evfd_file_alloc(initval, flags);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	evfd_kunit_defer(test, evfd_test_fput, file);
	return file;
}

/* Its counter, which lives as long as the file. */
static struct evfd_ctx *evfd_test_ctx(struct kunit *test, struct file *file)
{
	struct evfd_ctx *ctx = evfd_ctx_fileget(file);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx);
	evfd_ctx_put(ctx);
	return ctx;
}

/* Two pages of user memory, of @file or anonymous. */
static char __user *evfd_test_map(struct kunit *test, struct file *file,
				  unsigned long prot)
{
	unsigned long addr;

	addr = kunit_vm_mmap(test, file, 0, 2 * PAGE_SIZE, prot,
			     MAP_PRIVATE | (file ? 0 : MAP_ANONYMOUS), 0);
	KUNIT_ASSERT_NE(test, addr, 0);
	KUNIT_ASSERT_LT(test, addr, (unsigned long)TASK_SIZE);
	/*
	 * KUnit never undoes its kthread_use_mm(), which leaks the mm. kmemleak
	 * still scans the mm, and finds what it points to.
	 */
	kmemleak_not_leak(current->mm);
	return (char __user *)addr;
}

/* A page of user memory; the page after it is not mapped. */
static char __user *evfd_test_page(struct kunit *test, unsigned long prot)
{
	char __user *page = evfd_test_map(test, NULL, prot);

	KUNIT_ASSERT_EQ(test, vm_munmap((unsigned long)page + PAGE_SIZE,
					PAGE_SIZE), 0);
	return page;
}

static ssize_t evfd_test_read(struct file *file, char __user *buf, size_t len)
{
	return file->f_op->read(file, buf, len, &file->f_pos);
}

static ssize_t evfd_test_write(struct file *file, char __user *buf, size_t len)
{
	return file->f_op->write(file, buf, len, &file->f_pos);
}

static ssize_t evfd_test_read_iter(struct file *file, int flags,
				   struct iov_iter *iter)
{
	struct kiocb iocb;

	init_sync_kiocb(&iocb, file);
	iocb.ki_flags |= flags;
	return file->f_op->read_iter(&iocb, iter);
}

static ssize_t evfd_test_write_iter(struct file *file, int flags,
				    struct iov_iter *iter)
{
	struct kiocb iocb;

	init_sync_kiocb(&iocb, file);
	iocb.ki_flags |= flags;
	return file->f_op->write_iter(&iocb, iter);
}

/* The same with one segment of user memory. */
static ssize_t evfd_test_read_ubuf(struct file *file, char __user *buf,
				   size_t len)
{
	struct iov_iter iter;

	iov_iter_ubuf(&iter, ITER_DEST, buf, len);
	return evfd_test_read_iter(file, 0, &iter);
}

/* The same with 8 bytes of kernel memory. */
static ssize_t evfd_test_kread(struct file *file, int flags, u64 *n)
{
	struct kvec vec = { .iov_base = n, .iov_len = sizeof(*n) };
	struct iov_iter iter;

	iov_iter_kvec(&iter, ITER_DEST, &vec, 1, sizeof(*n));
	return evfd_test_read_iter(file, flags, &iter);
}

static ssize_t evfd_test_kwrite(struct file *file, int flags, u64 n)
{
	struct kvec vec = { .iov_base = &n, .iov_len = sizeof(n) };
	struct iov_iter iter;

	iov_iter_kvec(&iter, ITER_SOURCE, &vec, 1, sizeof(n));
	return evfd_test_write_iter(file, flags, &iter);
}

static void evfd_test_put_user(struct kunit *test, char __user *buf, u64 n)
{
	KUNIT_ASSERT_EQ(test, copy_to_user(buf, &n, sizeof(n)), 0);
}

static u64 evfd_test_get_user(struct kunit *test, char __user *buf)
{
	u64 n = 0;

	KUNIT_ASSERT_EQ(test, copy_from_user(&n, buf, sizeof(n)), 0);
	return n;
}

/* ---- creation ---- */

static void evfd_file_alloc_is_as_asked(struct kunit *test)
{
	u32 flags;

	/* Each combination; EVFD_CLOEXEC is for the descriptor and does nothing. */
	for (flags = 0; flags < 8; flags++) {
		u64 initval = flags & 1 ? EVFD_COUNT_MAX : flags;
		struct file *file = evfd_test_file(test, initval, flags);
		struct evfd_ctx *ctx = evfd_test_ctx(test, file);

		/* Programs compare all bits of F_GETFL. */
		KUNIT_EXPECT_EQ(test, file->f_flags,
				O_RDWR | (flags & EVFD_NONBLOCK ? O_NONBLOCK : 0));
		KUNIT_EXPECT_TRUE(test, (__force u32)(file->f_mode & FMODE_NOWAIT));
		KUNIT_EXPECT_TRUE(test, (__force u32)(file->f_mode & FMODE_READ));
		KUNIT_EXPECT_TRUE(test, (__force u32)(file->f_mode & FMODE_WRITE));
		KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), initval);
		KUNIT_EXPECT_EQ(test, evfd_ctx_is_semaphore(ctx),
				!!(flags & EVFD_SEMAPHORE));
		KUNIT_EXPECT_EQ(test, kref_read(&ctx->kref), 1);
	}
}

static void evfd_file_has_its_name(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 0, 0);
	char buf[64];

	KUNIT_EXPECT_STREQ(test, file_path(file, buf, sizeof(buf)),
			   "anon_inode:[evfd]");
}

static void evfd_file_pins_the_module(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 0, 0);
	struct module *owner = file->f_op->owner;
	struct file *another;
	int before;

	KUNIT_ASSERT_NOT_NULL(test, owner);
	KUNIT_EXPECT_STREQ(test, owner->name, "evfd");
	before = module_refcount(owner);
	another = evfd_test_file(test, 0, 0);
	KUNIT_EXPECT_EQ(test, module_refcount(owner), before + 1);
	kunit_release_action(test, evfd_test_fput, another);
	KUNIT_EXPECT_EQ(test, module_refcount(owner), before);
}

static void evfd_file_release_leaves_the_counter(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 3, 0);
	struct evfd_kunit_poller *poller = evfd_kunit_poller(test);
	struct evfd_ctx *ctx = evfd_ctx_fileget(file);
	u64 n;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ctx);
	evfd_kunit_defer(test, evfd_kunit_put, ctx);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->kref), 2);
	file->f_op->poll(file, &poller->pt);

	kunit_release_action(test, evfd_test_fput, file);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->kref), 1);
	EVFD_KUNIT_TOLD(test, poller, 1, EPOLLHUP);

	evfd_signal(ctx);
	poller->queue = NULL;
	KUNIT_EXPECT_EQ(test,
			evfd_ctx_remove_wait_queue(ctx, &poller->wait, &n), 0);
	KUNIT_EXPECT_EQ(test, n, 4);
}

/* ---- read and write ---- */

static void evfd_file_write_adds_and_read_takes(struct kunit *test)
{
	static const u64 values[] = { 0, 1, U32_MAX, 1ULL << 32, 1ULL << 63,
				      EVFD_COUNT_MAX - 1, EVFD_COUNT_MAX };
	struct file *file = evfd_test_file(test, 0, EVFD_NONBLOCK);
	char __user *page = evfd_test_page(test, PROT_READ | PROT_WRITE);
	int i, offset;

	/* At every alignment, and at the page's very end. */
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		for (offset = 0; offset <= 8; offset++) {
			char __user *buf = page + PAGE_SIZE - 16 + offset;

			evfd_test_put_user(test, buf, values[i]);
			KUNIT_EXPECT_EQ(test, evfd_test_write(file, buf, 8), 8);
			evfd_test_put_user(test, buf, 99);
			KUNIT_EXPECT_EQ(test, evfd_test_read(file, buf, 8),
					values[i] ? 8 : -EAGAIN);
			KUNIT_EXPECT_EQ(test, evfd_test_get_user(test, buf),
					values[i] ?: 99);
		}
	}
}

static void evfd_file_read_takes_one_of_a_semaphore(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 2,
					   EVFD_NONBLOCK | EVFD_SEMAPHORE);
	char __user *page = evfd_test_page(test, PROT_READ | PROT_WRITE);
	u64 n;

	KUNIT_EXPECT_EQ(test, evfd_test_read(file, page, 8), 8);
	KUNIT_EXPECT_EQ(test, evfd_test_get_user(test, page), 1);
	KUNIT_EXPECT_EQ(test, evfd_test_kread(file, 0, &n), 8);
	KUNIT_EXPECT_EQ(test, n, 1);
	KUNIT_EXPECT_EQ(test, evfd_test_read(file, page, 8), -EAGAIN);
	KUNIT_EXPECT_EQ(test, evfd_test_kread(file, 0, &n), -EAGAIN);
}

static void evfd_file_sizes(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 5, EVFD_NONBLOCK);
	struct evfd_ctx *ctx = evfd_test_ctx(test, file);
	char __user *page = evfd_test_page(test, PROT_READ | PROT_WRITE);
	struct iov_iter iter;
	size_t len;

	evfd_test_put_user(test, page, 1);
	evfd_test_put_user(test, page + 8, 1);
	for (len = 0; len <= 17; len++) {
		if (len == 8)
			continue;
		KUNIT_EXPECT_EQ(test, evfd_test_write(file, page, len), -EINVAL);
		iov_iter_ubuf(&iter, ITER_SOURCE, page, len);
		/* Only io_uring passes a length of 0, which is no error. */
		KUNIT_EXPECT_EQ(test, evfd_test_write_iter(file, 0, &iter),
				len ? -EINVAL : 0);
	}
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 5);

	for (len = 0; len < 8; len++) {
		KUNIT_EXPECT_EQ(test, evfd_test_read(file, page, len), -EINVAL);
		KUNIT_EXPECT_EQ(test, evfd_test_read_ubuf(file, page, len), -EINVAL);
	}
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 5);

	KUNIT_EXPECT_EQ(test, evfd_test_read(file, page, 9), 8);
	KUNIT_EXPECT_EQ(test, evfd_test_get_user(test, page), 5);
	KUNIT_EXPECT_TRUE(test, evfd_ctx_try_write(ctx, 6));
	iov_iter_ubuf(&iter, ITER_DEST, page, 4096);
	KUNIT_EXPECT_EQ(test, evfd_test_read_iter(file, 0, &iter), 8);
	KUNIT_EXPECT_EQ(test, iov_iter_count(&iter), 4088);
	KUNIT_EXPECT_EQ(test, evfd_test_get_user(test, page), 6);
	/* No more than 8 bytes were written. */
	KUNIT_EXPECT_EQ(test, evfd_test_get_user(test, page + 8), 1);

	iov_iter_ubuf(&iter, ITER_SOURCE, page + 8, 8);
	KUNIT_EXPECT_EQ(test, evfd_test_write_iter(file, 0, &iter), 8);
	KUNIT_EXPECT_EQ(test, iov_iter_count(&iter), 0);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 1);
}

static void evfd_file_refuses_the_overflow_value(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 0, EVFD_NONBLOCK);
	struct evfd_ctx *ctx = evfd_test_ctx(test, file);
	char __user *page = evfd_test_page(test, PROT_READ | PROT_WRITE);
	struct iov_iter iter;

	/* It is an error, and the write does not wait. */
	evfd_test_put_user(test, page, U64_MAX);
	KUNIT_EXPECT_EQ(test, evfd_test_write(file, page, 8), -EINVAL);
	iov_iter_ubuf(&iter, ITER_SOURCE, page, 8);
	KUNIT_EXPECT_EQ(test, evfd_test_write_iter(file, 0, &iter), -EINVAL);
	KUNIT_EXPECT_EQ(test, iov_iter_count(&iter), 8);
	KUNIT_EXPECT_EQ(test, evfd_test_kwrite(file, 0, U64_MAX), -EINVAL);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 0);
}

static void evfd_file_does_not_block_if_told(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 0, EVFD_NONBLOCK);
	char __user *page = evfd_test_page(test, PROT_READ | PROT_WRITE);
	u64 n = 99;

	KUNIT_EXPECT_EQ(test, evfd_test_read(file, page, 8), -EAGAIN);
	KUNIT_EXPECT_EQ(test, evfd_test_kread(file, 0, &n), -EAGAIN);
	KUNIT_EXPECT_EQ(test, n, 99);
	KUNIT_EXPECT_EQ(test, evfd_test_kwrite(file, 0, EVFD_COUNT_MAX), 8);
	evfd_test_put_user(test, page, 1);
	KUNIT_EXPECT_EQ(test, evfd_test_write(file, page, 8), -EAGAIN);
	KUNIT_EXPECT_EQ(test, evfd_test_kwrite(file, 0, 1), -EAGAIN);
	KUNIT_EXPECT_EQ(test, evfd_test_kwrite(file, 0, 0), 8);
}

/* Other flags that the VFS accepts have no effect, as for a pipe. */
static void evfd_file_ignores_rwf_flags(struct kunit *test)
{
	static const int flags[] = {
		IOCB_DSYNC, IOCB_SYNC, IOCB_APPEND, IOCB_HIPRI,
		IOCB_DSYNC | IOCB_SYNC | IOCB_APPEND | IOCB_HIPRI,
	};
	struct file *file = evfd_test_file(test, 0, 0);
	struct evfd_ctx *ctx = evfd_test_ctx(test, file);
	int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		KUNIT_EXPECT_EQ(test, evfd_test_kwrite(file, flags[i], 1), 8);
		KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), i + 1);
	}
}

/* ---- vectors ---- */

static void evfd_test_iovec(struct iov_iter *iter, unsigned int direction,
			    struct iovec *iov, int segments)
{
	size_t len = 0;
	int i;

	for (i = 0; i < segments; i++)
		len += iov[i].iov_len;
	iov_iter_init(iter, direction, iov, segments, len);
}

/* Each segment is a write of its own. */
static void evfd_file_writev_adds_each_segment(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 0, EVFD_NONBLOCK);
	struct evfd_ctx *ctx = evfd_test_ctx(test, file);
	char __user *page = evfd_test_page(test, PROT_READ | PROT_WRITE);
	struct iovec iov[4] = {};
	struct iov_iter iter;
	int i;

	for (i = 0; i < 4; i++) {
		evfd_test_put_user(test, page + 8 * i, 1ULL << 16 * i);
		iov[i].iov_base = page + 8 * i;
		iov[i].iov_len = 8;
	}

	evfd_test_iovec(&iter, ITER_SOURCE, iov, 4);
	KUNIT_EXPECT_EQ(test, evfd_test_write_iter(file, 0, &iter), 32);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 0x0001000100010001ULL);
	KUNIT_EXPECT_EQ(test, iov_iter_count(&iter), 0);

	/* The third has the wrong size: two are written. */
	iov[2].iov_len = 4;
	evfd_test_iovec(&iter, ITER_SOURCE, iov, 4);
	KUNIT_EXPECT_EQ(test, evfd_test_write_iter(file, 0, &iter), 16);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 0x0001000100020002ULL);

	/* The first has the wrong size, too: none is written. */
	iov[0].iov_len = 4;
	iov[1].iov_len = 4;
	evfd_test_iovec(&iter, ITER_SOURCE, iov, 2);
	KUNIT_EXPECT_EQ(test, evfd_test_write_iter(file, 0, &iter), -EINVAL);

	/* An empty segment is an error only where it comes first. */
	iov[0].iov_len = 0;
	iov[1].iov_len = 8;
	evfd_test_iovec(&iter, ITER_SOURCE, iov, 2);
	KUNIT_EXPECT_EQ(test, evfd_test_write_iter(file, 0, &iter), -EINVAL);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 0x0001000100020002ULL);
	iov[0].iov_len = 8;
	iov[1].iov_len = 0;
	iov[2].iov_len = 8;
	evfd_test_iovec(&iter, ITER_SOURCE, iov, 3);
	KUNIT_EXPECT_EQ(test, evfd_test_write_iter(file, 0, &iter), 16);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 0x0001000200020003ULL);
}

static void evfd_file_writev_stops_when_full(struct kunit *test)
{
	struct file *file = evfd_test_file(test, EVFD_COUNT_MAX - 3,
					   EVFD_NONBLOCK);
	struct evfd_ctx *ctx = evfd_test_ctx(test, file);
	char __user *page = evfd_test_page(test, PROT_READ | PROT_WRITE);
	struct iovec iov[3] = {};
	struct iov_iter iter;
	int i;

	evfd_test_put_user(test, page, 2);
	for (i = 0; i < 3; i++) {
		iov[i].iov_base = page;
		iov[i].iov_len = 8;
	}
	evfd_test_iovec(&iter, ITER_SOURCE, iov, 3);
	KUNIT_EXPECT_EQ(test, evfd_test_write_iter(file, 0, &iter), 8);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), EVFD_COUNT_MAX - 1);
	/* The iterator still has the segments that were not added. */
	KUNIT_EXPECT_EQ(test, iov_iter_count(&iter), 16);
	KUNIT_EXPECT_EQ(test, evfd_test_write_iter(file, 0, &iter), -EAGAIN);
	KUNIT_EXPECT_EQ(test, iov_iter_count(&iter), 16);
}

/* The segments are one buffer. */
static void evfd_file_readv_fills_segments(struct kunit *test)
{
	const u64 value = 0x1122334455667788ULL;
	struct file *file = evfd_test_file(test, value, EVFD_NONBLOCK);
	char __user *page = evfd_test_page(test, PROT_READ | PROT_WRITE);
	struct iovec iov[3] = {
		{ .iov_base = page, .iov_len = 3 },
		{ .iov_base = page + 3, .iov_len = 0 },
		{ .iov_base = page + 3, .iov_len = 5 },
	};
	struct iov_iter iter;

	evfd_test_iovec(&iter, ITER_DEST, iov, 1);
	KUNIT_EXPECT_EQ(test, evfd_test_read_iter(file, 0, &iter), -EINVAL);
	evfd_test_iovec(&iter, ITER_DEST, iov, 3);
	KUNIT_EXPECT_EQ(test, evfd_test_read_iter(file, 0, &iter), 8);
	KUNIT_EXPECT_EQ(test, evfd_test_get_user(test, page), value);
	KUNIT_EXPECT_EQ(test, iov_iter_count(&iter), 0);
}

/* ---- faults ---- */

/* Buffers of 8 bytes that cannot be accessed, or only in part. */
static void evfd_file_faults_lose_nothing(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 7, EVFD_NONBLOCK);
	struct file *semaphore = evfd_test_file(test, 7,
						EVFD_NONBLOCK | EVFD_SEMAPHORE);
	struct evfd_ctx *ctx = evfd_test_ctx(test, file);
	struct evfd_ctx *semaphore_ctx = evfd_test_ctx(test, semaphore);
	char __user *page = evfd_test_page(test, PROT_READ | PROT_WRITE);
	char __user *bad[] = {
		page + PAGE_SIZE,
		page + PAGE_SIZE - 1,
		page + PAGE_SIZE - 4,
		page + PAGE_SIZE - 7,
		evfd_test_page(test, PROT_NONE),
		NULL,
	};
	struct iov_iter iter;
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ(test, evfd_test_read(file, bad[i], 8), -EFAULT);
		KUNIT_EXPECT_EQ(test, evfd_test_read(semaphore, bad[i], 8),
				-EFAULT);
		KUNIT_EXPECT_EQ(test, evfd_test_write(file, bad[i], 8), -EFAULT);
		KUNIT_EXPECT_EQ(test, evfd_test_read_ubuf(file, bad[i], 8), -EFAULT);
		KUNIT_EXPECT_EQ(test, evfd_test_read_ubuf(semaphore, bad[i], 8), -EFAULT);
		iov_iter_ubuf(&iter, ITER_SOURCE, bad[i], 8);
		KUNIT_EXPECT_EQ(test, evfd_test_write_iter(file, 0, &iter),
				-EFAULT);
		KUNIT_EXPECT_EQ(test, iov_iter_count(&iter), 8);
		KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 7);
		KUNIT_EXPECT_EQ(test, evfd_ctx_count(semaphore_ctx), 7);
	}
}

static void evfd_file_read_only_memory_loses_nothing(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 7, EVFD_NONBLOCK);
	struct evfd_ctx *ctx = evfd_test_ctx(test, file);
	char __user *page = evfd_test_page(test, PROT_READ);

	KUNIT_EXPECT_EQ(test, evfd_test_read(file, page, 8), -EFAULT);
	KUNIT_EXPECT_EQ(test, evfd_test_read_ubuf(file, page, 8), -EFAULT);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 7);
	/* The page can be read, so a write of its 0 works. */
	KUNIT_EXPECT_EQ(test, evfd_test_write(file, page, 8), 8);
}

static void evfd_file_vector_faults_lose_nothing(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 7, EVFD_NONBLOCK);
	struct evfd_ctx *ctx = evfd_test_ctx(test, file);
	char __user *page = evfd_test_page(test, PROT_READ | PROT_WRITE);
	struct iovec iov[2] = {
		{ .iov_base = page, .iov_len = 4 },
		{ .iov_base = page + PAGE_SIZE, .iov_len = 4 },
	};
	struct iov_iter iter;

	evfd_test_iovec(&iter, ITER_DEST, iov, 2);
	KUNIT_EXPECT_EQ(test, evfd_test_read_iter(file, 0, &iter), -EFAULT);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 7);

	/* The first segment is added, the second is not. */
	evfd_test_put_user(test, page, 5);
	iov[0].iov_len = 8;
	iov[1].iov_len = 8;
	evfd_test_iovec(&iter, ITER_SOURCE, iov, 2);
	KUNIT_EXPECT_EQ(test, evfd_test_write_iter(file, 0, &iter), 8);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 12);
}

/* ---- poll ---- */

static void evfd_file_poll_reports_the_count(struct kunit *test)
{
	static const struct {
		u64 count;
		__poll_t events;
	} cases[] = {
		{ 0, EPOLLOUT },
		{ 1, EPOLLIN | EPOLLOUT },
		{ EVFD_COUNT_MAX - 1, EPOLLIN | EPOLLOUT },
		{ EVFD_COUNT_MAX, EPOLLIN },
	};
	struct file *file;
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct evfd_kunit_poller *poller = evfd_kunit_poller(test);

		file = evfd_test_file(test, cases[i].count, 0);
		EVFD_KUNIT_EXPECT_POLL(test, file->f_op->poll(file, NULL),
				       cases[i].events);
		EVFD_KUNIT_EXPECT_POLL(test,
				       file->f_op->poll(file, &poller->pt),
				       cases[i].events);
		/* AIO refuses a file that uses a second queue. */
		KUNIT_EXPECT_EQ(test, poller->registrations, 1);
		evfd_kunit_unpoll(poller);
	}

	evfd_signal(evfd_test_ctx(test, file));
	EVFD_KUNIT_EXPECT_POLL(test, file->f_op->poll(file, NULL),
			       EPOLLIN | EPOLLERR);
}

static void evfd_file_poll_is_told_of_changes(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 0, EVFD_NONBLOCK);
	struct evfd_kunit_poller *poller = evfd_kunit_poller(test);
	u64 n;

	file->f_op->poll(file, &poller->pt);
	KUNIT_EXPECT_EQ(test, evfd_test_kwrite(file, 0, 3), 8);
	EVFD_KUNIT_TOLD(test, poller, 1, EPOLLIN);
	KUNIT_EXPECT_EQ(test, evfd_test_kread(file, 0, &n), 8);
	EVFD_KUNIT_TOLD(test, poller, 2, EPOLLOUT);
	KUNIT_EXPECT_EQ(test, evfd_test_kread(file, 0, &n), -EAGAIN);
	KUNIT_EXPECT_EQ(test, evfd_kunit_calls(poller), 2);
	evfd_kunit_unpoll(poller);
}

/* ---- from a descriptor to the counter ---- */

KUNIT_DEFINE_ACTION_WRAPPER(evfd_test_close_fd, close_fd, unsigned long);

/* A descriptor of @file, of which it holds a reference of its own. */
static int evfd_test_fd(struct kunit *test, struct file *file)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	KUNIT_ASSERT_GE(test, fd, 0);
	fd_install(fd, get_file(file));
	evfd_kunit_defer(test, evfd_test_close_fd, (void *)(unsigned long)fd);
	return fd;
}

static void evfd_fget_finds_an_evfd(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 3, 0);
	struct evfd_ctx *ctx = evfd_test_ctx(test, file);
	int fd = evfd_test_fd(test, file);
	long count = file_count(file);
	struct evfd_ctx *got;
	struct file *found;

	found = evfd_fget(fd);
	KUNIT_ASSERT_PTR_EQ(test, found, file);
	KUNIT_EXPECT_EQ(test, file_count(file), count + 1);
	fput(found);

	got = evfd_ctx_fdget(fd);
	KUNIT_ASSERT_PTR_EQ(test, got, ctx);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->kref), 2);
	KUNIT_EXPECT_EQ(test, file_count(file), count);
	evfd_ctx_put(got);

	got = evfd_ctx_fileget(file);
	KUNIT_ASSERT_PTR_EQ(test, got, ctx);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->kref), 2);
	evfd_ctx_put(got);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->kref), 1);
}

static const struct file_operations evfd_test_foreign_fops = {
	.owner = THIS_MODULE,
};

static void evfd_fget_refuses_the_rest(struct kunit *test)
{
	/* A file that differs from a counter in its operations alone. */
	struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
	struct file *file;
	long count;
	int fd;

	file = anon_inode_getfile("[evfd]", &evfd_test_foreign_fops, ctx, O_RDWR);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	evfd_kunit_defer(test, evfd_test_fput, file);
	fd = evfd_test_fd(test, file);
	count = file_count(file);

	KUNIT_EXPECT_EQ(test, PTR_ERR(evfd_fget(fd)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(evfd_ctx_fdget(fd)), -EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(evfd_ctx_fileget(file)), -EINVAL);
	KUNIT_EXPECT_EQ(test, file_count(file), count);
	KUNIT_EXPECT_EQ(test, kref_read(&ctx->kref), 1);

	kunit_release_action(test, evfd_test_close_fd,
			     (void *)(unsigned long)fd);
	KUNIT_EXPECT_EQ(test, PTR_ERR(evfd_fget(fd)), -EBADF);
	KUNIT_EXPECT_EQ(test, PTR_ERR(evfd_ctx_fdget(fd)), -EBADF);
	KUNIT_EXPECT_EQ(test, PTR_ERR(evfd_fget(-1)), -EBADF);
	KUNIT_EXPECT_EQ(test, PTR_ERR(evfd_ctx_fdget(-1)), -EBADF);
}

/* The fdinfo of @file in a /proc of the first pid namespace. */
static const char *evfd_test_fdinfo(struct kunit *test, struct file *file)
{
	/* The parts of a file in /proc that show_fdinfo() reads. */
	struct {
		struct file file;
		struct inode inode;
		struct super_block sb;
		struct proc_fs_info info;
	} *proc;
	struct seq_file m = { .size = 512 };

	proc = evfd_kunit_zalloc(test, sizeof(*proc));
	proc->info.pid_ns = &init_pid_ns;
	proc->sb.s_fs_info = &proc->info;
	proc->inode.i_sb = &proc->sb;
	proc->file.f_inode = &proc->inode;
	m.file = &proc->file;
	m.buf = evfd_kunit_zalloc(test, m.size);
	file->f_op->show_fdinfo(&m, file);
	KUNIT_ASSERT_FALSE(test, seq_has_overflowed(&m));

	return m.buf;
}

static void evfd_file_fdinfo_is_as_documented(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 0x123abc, EVFD_SEMAPHORE);
	struct evfd_ctx *ctx = evfd_test_ctx(test, file);
	char expected[256];

	if (!IS_ENABLED(CONFIG_PROC_FS))
		kunit_skip(test, "the kernel has no /proc");

	/* Two entries on a queue, so that the numbers differ. */
	evfd_kunit_watch(test, ctx);
	evfd_kunit_watch(test, ctx);
	snprintf(expected, sizeof(expected),
		 "evfd-count:           123abc\n"
		 "evfd-id: %llu\n"
		 "evfd-semaphore: 1\n"
		 "evfd-readers: 0\n"
		 "evfd-writers: 0\n"
		 "evfd-pollers: 2\n"
		 "evfd-shared: 0\n", ctx->id);
	KUNIT_EXPECT_STREQ(test, evfd_test_fdinfo(test, file), expected);
}

/* ---- blocking ---- */

static int evfd_test_thread_read(struct evfd_kunit_task *task)
{
	return evfd_test_kread(task->priv, 0, &task->total);
}

static int evfd_test_thread_write(struct evfd_kunit_task *task)
{
	return evfd_test_kwrite(task->priv, 0, task->n);
}

static int evfd_test_thread_read_nowait(struct evfd_kunit_task *task)
{
	return evfd_test_kread(task->priv, IOCB_NOWAIT, &task->total);
}

static int evfd_test_thread_write_nowait(struct evfd_kunit_task *task)
{
	return evfd_test_kwrite(task->priv, IOCB_NOWAIT, task->n);
}

/* Calls @fn in a thread, so that the test goes on if it blocks. */
static void evfd_test_returns(struct kunit *test, struct file *file,
			      int (*fn)(struct evfd_kunit_task *task), u64 n,
			      int ret)
{
	struct evfd_kunit_task *task;

	task = evfd_kunit_start(test, fn, NULL, file, n);
	EVFD_KUNIT_RETURNS(test, task, ret);
}

/* RWF_NOWAIT is for one operation, fcntl(F_SETFL) for all that follow. */
static void evfd_file_stops_blocking_when_told(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 0, 0);
	struct evfd_ctx *ctx = evfd_test_ctx(test, file);

	evfd_test_returns(test, file, evfd_test_thread_read_nowait, 0, -EAGAIN);
	evfd_test_returns(test, file, evfd_test_thread_write_nowait,
			  EVFD_COUNT_MAX, 8);
	evfd_test_returns(test, file, evfd_test_thread_write_nowait, 1, -EAGAIN);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), EVFD_COUNT_MAX);

	file->f_flags |= O_NONBLOCK;
	evfd_test_returns(test, file, evfd_test_thread_write, 1, -EAGAIN);
	evfd_test_returns(test, file, evfd_test_thread_read, 0, 8);
	evfd_test_returns(test, file, evfd_test_thread_read, 0, -EAGAIN);
}

static struct evfd_kunit_task *
evfd_test_start_reader(struct kunit *test, struct file *file,
		       int (*fn)(struct evfd_kunit_task *task), void *priv)
{
	struct evfd_ctx *ctx = evfd_test_ctx(test, file);

	return evfd_kunit_block(test, &ctx->readers, fn, ctx, priv, 0);
}

static void evfd_file_read_blocks_until_a_write(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 0, 0);
	struct evfd_kunit_task *reader;

	reader = evfd_test_start_reader(test, file, evfd_test_thread_read, file);
	/* A write of 0 wakes no reader. */
	KUNIT_EXPECT_EQ(test, evfd_test_kwrite(file, 0, 0), 8);
	KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&reader->ctx->readers), 1);
	KUNIT_EXPECT_FALSE(test, completion_done(&reader->done));

	KUNIT_EXPECT_EQ(test, evfd_test_kwrite(file, 0, 9), 8);
	EVFD_KUNIT_RETURNS(test, reader, 8);
	KUNIT_EXPECT_EQ(test, reader->total, 9);
}

static void evfd_file_write_blocks_until_a_read(struct kunit *test)
{
	struct file *file = evfd_test_file(test, EVFD_COUNT_MAX, 0);
	struct evfd_ctx *ctx = evfd_test_ctx(test, file);
	struct evfd_kunit_task *writer;
	u64 n;

	writer = evfd_kunit_block(test, &ctx->writers, evfd_test_thread_write,
				  ctx, file, 4);
	KUNIT_EXPECT_EQ(test, evfd_test_kread(file, 0, &n), 8);
	KUNIT_EXPECT_EQ(test, n, EVFD_COUNT_MAX);
	EVFD_KUNIT_RETURNS(test, writer, 8);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 4);
}

static void evfd_file_interrupts_change_nothing(struct kunit *test)
{
	struct file *empty = evfd_test_file(test, 0, 0);
	struct file *full = evfd_test_file(test, EVFD_COUNT_MAX, 0);
	struct evfd_ctx *ctx = evfd_test_ctx(test, full);
	struct evfd_kunit_task *reader, *writer;

	reader = evfd_test_start_reader(test, empty, evfd_test_thread_read,
					empty);
	writer = evfd_kunit_block(test, &ctx->writers, evfd_test_thread_write,
				  ctx, full, 1);

	KUNIT_ASSERT_TRUE(test, evfd_kunit_interrupt(reader));
	KUNIT_EXPECT_EQ(test, reader->ret, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&reader->ctx->readers), 0);
	KUNIT_ASSERT_TRUE(test, evfd_kunit_interrupt(writer));
	KUNIT_EXPECT_EQ(test, writer->ret, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&ctx->writers), 0);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), EVFD_COUNT_MAX);
}

/* A thread that reads to memory of the test, which may be missing. */
struct evfd_test_fault {
	struct file *file;
	struct mm_struct *mm;
	char __user *buf;
	bool iter;
};

static struct evfd_test_fault *evfd_test_fault(struct kunit *test,
					       struct file *file,
					       char __user *buf, bool iter)
{
	struct evfd_test_fault *fault = evfd_kunit_zalloc(test, sizeof(*fault));

	fault->file = file;
	fault->mm = current->mm;
	fault->buf = buf;
	fault->iter = iter;
	return fault;
}

static int evfd_test_thread_fault(struct evfd_kunit_task *task)
{
	struct evfd_test_fault *fault = task->priv;
	int ret;

	kthread_use_mm(fault->mm);
	ret = fault->iter ? evfd_test_read_ubuf(fault->file, fault->buf, 8) :
			    evfd_test_read(fault->file, fault->buf, 8);
	kthread_unuse_mm(fault->mm);
	return ret;
}

/* A woken reader that faults passes the wakeup on. */
static void evfd_file_fault_passes_the_wake_on(struct kunit *test)
{
	int i;

	for (i = 0; i < 4; i++) {
		struct file *file = evfd_test_file(test, 0,
						   i & 2 ? EVFD_SEMAPHORE : 0);
		struct evfd_kunit_task *faulty, *reader;
		struct evfd_test_fault *fault;

		fault = evfd_test_fault(test, file,
					evfd_test_page(test, PROT_READ) +
					PAGE_SIZE, i & 1);
		faulty = evfd_test_start_reader(test, file,
						evfd_test_thread_fault, fault);
		reader = evfd_test_start_reader(test, file,
						evfd_test_thread_read, file);
		KUNIT_EXPECT_EQ(test, evfd_test_kwrite(file, 0, 1), 8);
		EVFD_KUNIT_RETURNS(test, reader, 8);
		KUNIT_EXPECT_EQ(test, reader->total, 1);
		/* The first has faulted, or waits again if the other was faster. */
		KUNIT_EXPECT_EQ(test, evfd_test_kwrite(file, 0, 1), 8);
		EVFD_KUNIT_RETURNS(test, faulty, -EFAULT);
		KUNIT_EXPECT_EQ(test, evfd_ctx_count(reader->ctx), 1);
	}
}

/*
 * Half of the buffer has no page yet: a woken reader copies the other half, and
 * copies both again after it has waited for the page.
 */
static void evfd_file_woken_reader_gets_its_page(struct kunit *test)
{
	const u64 value = 0x1122334455667788ULL;
	int i;

	for (i = 0; i < 2; i++) {
		struct file *file = evfd_test_file(test, 0, 0);
		struct evfd_kunit_task *reader;
		struct evfd_test_fault *fault;
		char __user *map;

		map = evfd_test_map(test, NULL, PROT_READ | PROT_WRITE);
		evfd_test_put_user(test, map, 1);
		fault = evfd_test_fault(test, file, map + PAGE_SIZE - 4, i & 1);
		reader = evfd_test_start_reader(test, file,
						evfd_test_thread_fault, fault);
		KUNIT_EXPECT_EQ(test, evfd_test_kwrite(file, 0, value), 8);
		EVFD_KUNIT_RETURNS(test, reader, 8);
		KUNIT_EXPECT_EQ(test, evfd_ctx_count(reader->ctx), 0);
		KUNIT_EXPECT_EQ(test, evfd_test_get_user(test, fault->buf),
				value);
	}
}

/*
 * A page of user memory whose fault handler changes the count and kills the
 * reader, before the first copy succeeds.
 */
struct evfd_test_map {
	struct evfd_ctx *ctx;
	struct task_struct *reader;
	int faults;
};

static vm_fault_t evfd_test_map_fault(struct vm_fault *vmf)
{
	struct evfd_test_map *map = vmf->vma->vm_private_data;

	map->faults++;
	if (current == map->reader) {
		u64 n;

		/* Another reader that was faster, and the next writer. */
		evfd_ctx_do_read(map->ctx, &n);
		evfd_ctx_try_write(map->ctx, 6);
		/* As kill(2) does; a kernel thread would ignore kill(2). */
		sigaddset(&current->pending.signal, SIGKILL);
		set_thread_flag(TIF_SIGPENDING);
	}
	vmf->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	return vmf->page ? 0 : VM_FAULT_OOM;
}

static const struct vm_operations_struct evfd_test_map_vm_ops = {
	.fault	= evfd_test_map_fault,
};

static int evfd_test_map_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &evfd_test_map_vm_ops;
	vma->vm_private_data = file->private_data;
	return 0;
}

static const struct file_operations evfd_test_map_fops = {
	.owner	= THIS_MODULE,
	.mmap	= evfd_test_map_mmap,
};

static int evfd_test_thread_killed(struct evfd_kunit_task *task)
{
	int ret = evfd_test_thread_fault(task);

	/* The signal was for the read: kthread_stop() ends the thread. */
	flush_signals(current);
	return ret;
}

/*
 * A killed reader returns at the first attempt that another reader wins, and does
 * not read the value of the next write.
 */
static void evfd_file_killed_reader_stops_trying(struct kunit *test)
{
	int i;

	for (i = 0; i < 2; i++) {
		struct file *file = evfd_test_file(test, 0, 0), *mapped;
		struct evfd_kunit_task *reader;
		struct evfd_test_fault *fault;
		struct evfd_test_map *map;
		u64 n;

		map = evfd_kunit_zalloc(test, sizeof(*map));
		map->ctx = evfd_test_ctx(test, file);
		mapped = anon_inode_getfile("[evfd-test]", &evfd_test_map_fops,
					    map, O_RDWR);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mapped);
		/* Closed at once: by a worker, it would keep the module in use. */
		evfd_kunit_defer(test, evfd_test_fput, mapped);
		fault = evfd_test_fault(test, file,
					evfd_test_map(test, mapped,
						      PROT_READ | PROT_WRITE),
					i & 1);
		reader = evfd_test_start_reader(test, file,
						evfd_test_thread_killed, fault);
		map->reader = reader->task;

		KUNIT_EXPECT_EQ(test, evfd_test_kwrite(file, 0, 5), 8);
		EVFD_KUNIT_RETURNS(test, reader, -ERESTARTSYS);
		KUNIT_EXPECT_EQ(test, map->faults, 1);
		KUNIT_EXPECT_EQ(test, evfd_ctx_count(map->ctx), 6);
		KUNIT_EXPECT_EQ(test, evfd_kunit_queued(&map->ctx->readers), 0);
		/* Its buffer has the value that it did not read. */
		KUNIT_EXPECT_EQ(test, evfd_test_get_user(test, fault->buf), 5);
		KUNIT_EXPECT_EQ(test, evfd_test_kread(file, 0, &n), 8);
		KUNIT_EXPECT_EQ(test, n, 6);
		KUNIT_EXPECT_EQ(test, vm_munmap((unsigned long)fault->buf,
						2 * PAGE_SIZE), 0);
	}
}

#ifdef CONFIG_HAVE_HW_BREAKPOINT
/* Has the CPU call @fn with @data for each write to the 8 bytes at @addr. */
static struct perf_event * __percpu *
evfd_test_break_on_write(struct kunit *test, const void *addr,
			 perf_overflow_handler_t fn, void *data)
{
	struct perf_event * __percpu *events;
	struct perf_event_attr attr;

	hw_breakpoint_init(&attr);
	attr.bp_addr = (unsigned long)addr;
	attr.bp_len = HW_BREAKPOINT_LEN_8;
	attr.bp_type = HW_BREAKPOINT_W;
	events = register_wide_hw_breakpoint(&attr, fn, data);
	KUNIT_ASSERT_FALSE(test, IS_ERR((void __force *)events));
	return events;
}

/* A reader's buffer with a breakpoint on the copy of the value. */
struct evfd_test_watch {
	u64 value;
	struct file *file;
	struct evfd_ctx *ctx;
	struct task_struct *reader;
	bool told;
};

/* The same, for a reader that loses as often as it copies. */
struct evfd_test_losses {
	u64 value;
	struct evfd_ctx *ctx;
	struct task_struct *reader;
	int before, gated;
	bool emptied;		/* by another reader, with the gate held */
};

static void evfd_test_on_copy(struct perf_event *event,
			      struct perf_sample_data *data,
			      struct pt_regs *regs)
{
	struct evfd_test_watch *watch = event->overflow_handler_context;
	u64 count = evfd_ctx_count(watch->ctx);

	/* A copy may take several steps. */
	if (current != watch->reader || watch->told)
		return;
	watch->told = true;
	/* A writer that has not woken any reader yet. */
	evfd_ctx_update(watch->ctx, &count, count + 1);
	sigaddset(&current->pending.signal, SIGKILL);
	set_thread_flag(TIF_SIGPENDING);
}

static int evfd_test_thread_watched(struct evfd_kunit_task *task)
{
	struct evfd_test_watch *watch = task->priv;
	int ret = evfd_test_kread(watch->file, 0, &watch->value);

	flush_signals(current);
	return ret;
}

/* A woken reader whose read fails and that is killed passes the wakeup on. */
static void evfd_file_killed_reader_passes_the_wake_on(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 0, 0);
	struct evfd_kunit_task *killed, *reader;
	struct perf_event * __percpu *events;
	struct evfd_test_watch *watch;

	watch = evfd_kunit_zalloc(test, sizeof(*watch));
	watch->file = file;
	watch->ctx = evfd_test_ctx(test, file);
	killed = evfd_test_start_reader(test, file, evfd_test_thread_watched,
					watch);
	watch->reader = killed->task;
	reader = evfd_test_start_reader(test, file, evfd_test_thread_read, file);

	events = evfd_test_break_on_write(test, &watch->value, evfd_test_on_copy,
					  watch);
	KUNIT_EXPECT_EQ(test, evfd_test_kwrite(file, 0, 5), 8);
	KUNIT_EXPECT_TRUE(test, evfd_kunit_finished(killed));
	unregister_wide_hw_breakpoint(events);

	KUNIT_EXPECT_TRUE(test, watch->told);
	KUNIT_EXPECT_EQ(test, watch->value, 5);
	KUNIT_EXPECT_EQ(test, killed->ret, -ERESTARTSYS);
	KUNIT_ASSERT_TRUE(test, evfd_kunit_finished(reader));
	KUNIT_EXPECT_EQ(test, reader->total, 6);
}

static void evfd_test_on_each_copy(struct perf_event *event,
				   struct perf_sample_data *data,
				   struct pt_regs *regs)
{
	struct evfd_test_losses *losses = event->overflow_handler_context;
	u64 count = evfd_ctx_count(losses->ctx);

	/* Once for each copy, which may take several steps: after the last. */
	if (current != losses->reader || losses->value != count)
		return;
	if (!raw_spin_is_locked(&losses->ctx->gate))
		losses->before++;
	else if (losses->gated++)
		return;
	/* Also once with the gate held: a task that had passed it. */
	evfd_ctx_update(losses->ctx, &count,
			losses->gated && losses->emptied ? 0 : count + 1);
}

/* A read of a counter of 5 that fails after each copy, until it has the gate. */
static ssize_t evfd_test_read_with_losses(struct kunit *test,
					  struct evfd_test_losses *losses)
{
	struct file *file = evfd_test_file(test, 5, EVFD_NONBLOCK);
	struct perf_event * __percpu *events;
	ssize_t ret;

	losses->ctx = evfd_test_ctx(test, file);
	losses->reader = current;

	events = evfd_test_break_on_write(test, &losses->value, evfd_test_on_each_copy,
					  losses);
	ret = evfd_test_kread(file, 0, &losses->value);
	unregister_wide_hw_breakpoint(events);

	KUNIT_EXPECT_EQ(test, losses->before, EVFD_READ_TRIES);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(losses->ctx), 0);
	KUNIT_EXPECT_FALSE(test, raw_spin_is_locked(&losses->ctx->gate));
	return ret;
}

/* A read that fails each time makes writers wait, and then succeeds. */
static void evfd_file_read_is_bounded(struct kunit *test)
{
	struct evfd_test_losses *losses = evfd_kunit_zalloc(test, sizeof(*losses));

	KUNIT_EXPECT_EQ(test, evfd_test_read_with_losses(test, losses), 8);
	KUNIT_EXPECT_EQ(test, losses->gated, 2);
	KUNIT_EXPECT_EQ(test, losses->value, 5 + EVFD_READ_TRIES + 1);
}

/* Another reader, which had passed the gate, may read all meanwhile. */
static void evfd_file_read_at_the_gate_may_find_nothing(struct kunit *test)
{
	struct evfd_test_losses *losses = evfd_kunit_zalloc(test, sizeof(*losses));

	losses->emptied = true;
	KUNIT_EXPECT_EQ(test, evfd_test_read_with_losses(test, losses), -EAGAIN);
	KUNIT_EXPECT_EQ(test, losses->gated, 1);
}

/* A reader's buffer in user memory; each copy to it comes too late. */
static void evfd_test_on_lost_copy(struct perf_event *event,
				   struct perf_sample_data *data,
				   struct pt_regs *regs)
{
	struct evfd_test_losses *losses = event->overflow_handler_context;
	u64 count = evfd_ctx_count(losses->ctx);

	/* Another reader is faster, at the first step of the copy. */
	if (current == losses->reader && count &&
	    losses->before < EVFD_READ_TRIES) {
		losses->before++;
		evfd_ctx_update(losses->ctx, &count, 0);
	}
}

/*
 * The page is unmapped before a reader copies with the gate held. The reader
 * releases the gate, waits for the page, and loses nothing.
 */
static void evfd_file_fault_at_the_gate_waits_for_the_page(struct kunit *test)
{
	struct file *file = evfd_test_file(test, 0, 0);
	struct perf_event * __percpu *events;
	struct evfd_test_losses *losses;
	struct evfd_kunit_task *reader;
	struct evfd_test_fault *fault;
	unsigned long addr;
	int i;

	losses = evfd_kunit_zalloc(test, sizeof(*losses));
	fault = evfd_test_fault(test, file,
				evfd_test_page(test, PROT_READ | PROT_WRITE),
				false);
	evfd_test_put_user(test, fault->buf, 0);
	reader = evfd_test_start_reader(test, file, evfd_test_thread_fault,
					fault);
	losses->ctx = reader->ctx;
	losses->reader = reader->task;

	addr = (unsigned long)fault->buf;
	events = evfd_test_break_on_write(test, (void __force *)fault->buf,
					  evfd_test_on_lost_copy, losses);
	for (i = 1; i <= EVFD_READ_TRIES; i++) {
		KUNIT_EXPECT_EQ(test, evfd_test_kwrite(file, 0, i), 8);
		KUNIT_EXPECT_TRUE(test,
				  evfd_kunit_until(READ_ONCE(losses->before) == i &&
						   evfd_kunit_queued(&reader->ctx->readers) == 1 &&
						   evfd_kunit_asleep(reader)));
	}
	unregister_wide_hw_breakpoint(events);

	KUNIT_EXPECT_EQ(test, vm_munmap(addr, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, vm_mmap(NULL, addr, PAGE_SIZE,
				      PROT_READ | PROT_WRITE,
				      MAP_ANONYMOUS | MAP_PRIVATE | MAP_FIXED, 0),
			addr);
	KUNIT_EXPECT_EQ(test, evfd_test_kwrite(file, 0, 77), 8);
	EVFD_KUNIT_RETURNS(test, reader, 8);
	KUNIT_EXPECT_EQ(test, evfd_test_get_user(test, fault->buf), 77);
	KUNIT_EXPECT_EQ(test, evfd_ctx_count(reader->ctx), 0);
	KUNIT_EXPECT_FALSE(test, raw_spin_is_locked(&reader->ctx->gate));
}
#endif

#ifdef CONFIG_SMP
/* Adds n when the gate is held. */
static int evfd_test_thread_at_gate(struct evfd_kunit_task *task)
{
	while (!raw_spin_is_locked(&task->ctx->gate) && !kthread_should_stop())
		cond_resched();
	WRITE_ONCE(task->total, 1);
	if (task->priv)
		evfd_signal(task->ctx);
	else
		evfd_ctx_try_write(task->ctx, task->n);
	return 0;
}

/* While a reader holds the gate, writes and signals wait. */
static void evfd_ctx_gate_holds_adders(struct kunit *test)
{
	int i, us;

	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs");

	for (i = 0; i < 2; i++) {
		struct evfd_ctx *ctx = evfd_kunit_ctx(test, 0, 0);
		struct evfd_kunit_task *task;
		unsigned long flags;
		u64 count;

		task = evfd_kunit_start(test, evfd_test_thread_at_gate, ctx,
					i ? ctx : NULL, 1);
		raw_spin_lock_irqsave(&ctx->gate, flags);
		for (us = 0; us < USEC_PER_SEC && !READ_ONCE(task->total); us++)
			udelay(1);
		/* The thread waits for the gate, or soon will. */
		for (us = 0; us < 500; us++)
			udelay(1);
		count = evfd_ctx_count(ctx);
		raw_spin_unlock_irqrestore(&ctx->gate, flags);

		KUNIT_EXPECT_EQ(test, count, 0);
		KUNIT_EXPECT_EQ(test, READ_ONCE(task->total), 1);
		KUNIT_ASSERT_TRUE(test, evfd_kunit_finished(task));
		KUNIT_EXPECT_EQ(test, evfd_ctx_count(ctx), 1);
	}
}
#endif

/* Adds and reads in turns until n is set; total is what others have read. */
static int evfd_test_thread_turns(struct evfd_kunit_task *task)
{
	u64 n;

	while (!READ_ONCE(task->n) && !kthread_should_stop()) {
		if (evfd_ctx_try_write(task->ctx, 1))
			task->total++;
		cond_resched();
		evfd_ctx_do_read(task->ctx, &n);
		task->total -= n;
		cond_resched();
	}
	return 0;
}

/* Reads until an error, or until it is interrupted. */
static int evfd_test_thread_read_on(struct evfd_kunit_task *task)
{
	int ret;
	u64 n;

	do {
		ret = evfd_test_kread(task->priv, 0, &n);
		if (ret == 8)
			task->total += n;
	} while (ret == 8);
	return ret;
}

/* Reads many times with SIGKILL pending; 0 unless there is another error. */
static int evfd_test_thread_killed_reads(struct evfd_kunit_task *task)
{
	int ret = 8, i;
	u64 n;

	sigaddset(&current->pending.signal, SIGKILL);
	set_thread_flag(TIF_SIGPENDING);
	for (i = 0; i < 2000 && (ret == 8 || ret == -ERESTARTSYS); i++) {
		ret = evfd_test_kread(task->priv, 0, &n);
		if (ret == 8)
			task->total += n;
		cond_resched();
	}
	flush_signals(current);
	return ret == 8 || ret == -ERESTARTSYS ? 0 : ret;
}

/*
 * A killed reader does not sleep. It may find a count, and another reader may take
 * that during the copy. No count and no wakeup is lost.
 */
static void evfd_file_killed_readers_lose_nothing(struct kunit *test)
{
	int i;

	for (i = 0; i < 2; i++) {
		struct file *file = evfd_test_file(test, 0,
						   i & 1 ? EVFD_SEMAPHORE : 0);
		struct evfd_kunit_task *turns, *killed, *reader;
		struct evfd_ctx *ctx = evfd_test_ctx(test, file);

		reader = evfd_test_start_reader(test, file,
						evfd_test_thread_read_on, file);
		turns = evfd_kunit_start(test, evfd_test_thread_turns, ctx,
					 NULL, 0);
		killed = evfd_kunit_start(test, evfd_test_thread_killed_reads,
					  ctx, file, 0);
		EVFD_KUNIT_RETURNS(test, killed, 0);
		WRITE_ONCE(turns->n, 1);
		KUNIT_ASSERT_TRUE(test, evfd_kunit_finished(turns));

		/* The sleeping reader gets what is left. */
		EVFD_KUNIT_UNTIL(test, evfd_ctx_count(ctx) == 0);
		KUNIT_ASSERT_TRUE(test, evfd_kunit_interrupt(reader));
		KUNIT_EXPECT_EQ(test, reader->ret, -ERESTARTSYS);
		KUNIT_EXPECT_EQ(test, turns->total,
				killed->total + reader->total);
	}
}

static struct kunit_case evfd_file_cases[] = {
	KUNIT_CASE(evfd_file_alloc_is_as_asked),
	KUNIT_CASE(evfd_file_has_its_name),
	KUNIT_CASE(evfd_file_pins_the_module),
	KUNIT_CASE(evfd_file_release_leaves_the_counter),
	KUNIT_CASE(evfd_file_write_adds_and_read_takes),
	KUNIT_CASE(evfd_file_read_takes_one_of_a_semaphore),
	KUNIT_CASE(evfd_file_sizes),
	KUNIT_CASE(evfd_file_refuses_the_overflow_value),
	KUNIT_CASE(evfd_file_does_not_block_if_told),
	KUNIT_CASE(evfd_file_ignores_rwf_flags),
	KUNIT_CASE(evfd_file_writev_adds_each_segment),
	KUNIT_CASE(evfd_file_writev_stops_when_full),
	KUNIT_CASE(evfd_file_readv_fills_segments),
	KUNIT_CASE(evfd_file_faults_lose_nothing),
	KUNIT_CASE(evfd_file_read_only_memory_loses_nothing),
	KUNIT_CASE(evfd_file_vector_faults_lose_nothing),
	KUNIT_CASE(evfd_file_poll_reports_the_count),
	KUNIT_CASE(evfd_file_poll_is_told_of_changes),
	KUNIT_CASE(evfd_fget_finds_an_evfd),
	KUNIT_CASE(evfd_fget_refuses_the_rest),
	KUNIT_CASE(evfd_file_fdinfo_is_as_documented),
	KUNIT_CASE(evfd_file_stops_blocking_when_told),
	KUNIT_CASE(evfd_file_read_blocks_until_a_write),
	KUNIT_CASE(evfd_file_write_blocks_until_a_read),
	KUNIT_CASE(evfd_file_interrupts_change_nothing),
	KUNIT_CASE(evfd_file_fault_passes_the_wake_on),
	KUNIT_CASE(evfd_file_woken_reader_gets_its_page),
	KUNIT_CASE(evfd_file_killed_reader_stops_trying),
#ifdef CONFIG_HAVE_HW_BREAKPOINT
	KUNIT_CASE(evfd_file_killed_reader_passes_the_wake_on),
	KUNIT_CASE(evfd_file_read_is_bounded),
	KUNIT_CASE(evfd_file_read_at_the_gate_may_find_nothing),
	KUNIT_CASE(evfd_file_fault_at_the_gate_waits_for_the_page),
#endif
#ifdef CONFIG_SMP
	KUNIT_CASE(evfd_ctx_gate_holds_adders),
#endif
	KUNIT_CASE(evfd_file_killed_readers_lose_nothing),
	{}
};

static struct kunit_suite evfd_file_suite = {
	.name = "evfd_file",
	.test_cases = evfd_file_cases,
};

kunit_test_suite(evfd_file_suite);
