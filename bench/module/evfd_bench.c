// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/evfd_bench: runs an operation of an evfd or an eventfd many times inside
 * the kernel. It measures what user space cannot: the in-kernel signal, and the
 * operations without the system call. In User Mode Linux a system call costs much
 * more than the operation.
 *
 * Only for measurements, on 6.8 and later; it trusts its caller. Uses evfd's and
 * eventfd's in-kernel APIs. bench.h has the ioctl; bench/ops.c calls it.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include <module/evfd.h>

#include "bench.h"

/* Times @call, done @n times. A macro, so that all loops are the same. */
#define EVFD_BENCH_TIME(run, call) do {					\
	struct evfd_bench *_run = (run);				\
	u64 _start = ktime_get_ns();					\
	u32 _i;								\
									\
	for (_i = 0; _i < _run->n; _i++)				\
		call;							\
	_run->ns = ktime_get_ns() - _start;				\
} while (0)

static noinline void evfd_bench_nothing(void)
{
	barrier();
}

static int evfd_bench_signal(struct evfd_bench *run, struct file *file)
{
	struct eventfd_ctx *eventfd;
	struct evfd_ctx *evfd;

	evfd = evfd_ctx_fileget(file);
	if (!IS_ERR(evfd)) {
		EVFD_BENCH_TIME(run, evfd_signal(evfd));
		evfd_ctx_put(evfd);
		return 0;
	}

	eventfd = eventfd_ctx_fileget(file);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	EVFD_BENCH_TIME(run, eventfd_signal(eventfd));
	eventfd_ctx_put(eventfd);
	return 0;
}

/* vfs_read() without the checks that are the same for all files. */
static __always_inline ssize_t evfd_bench_read(struct file *file,
					       char __user *buf)
{
	loff_t pos = 0;
	struct kiocb kiocb;
	struct iov_iter iter;
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(u64) };

	if (file->f_op->read)
		return file->f_op->read(file, buf, sizeof(u64), &pos);

	init_sync_kiocb(&kiocb, file);
	iov_iter_init(&iter, ITER_DEST, &iov, 1, sizeof(u64));
	return file->f_op->read_iter(&kiocb, &iter);
}

static __always_inline ssize_t evfd_bench_write(struct file *file,
						const char __user *buf)
{
	loff_t pos = 0;

	return file->f_op->write(file, buf, sizeof(u64), &pos);
}

static __always_inline ssize_t evfd_bench_pair(struct file *file,
					       char __user *buf)
{
	ssize_t ret = evfd_bench_write(file, buf);

	return ret < 0 ? ret : evfd_bench_read(file, buf);
}

static int evfd_bench_file(struct evfd_bench *run, struct file *file)
{
	char __user *buf = u64_to_user_ptr(run->buf);

	switch (run->op) {
	case EVFD_BENCH_SIGNAL:
		return evfd_bench_signal(run, file);
	case EVFD_BENCH_WRITE:
		EVFD_BENCH_TIME(run, run->bad +=
				evfd_bench_write(file, buf) != sizeof(u64));
		return 0;
	case EVFD_BENCH_PAIR:
		EVFD_BENCH_TIME(run, run->bad +=
				evfd_bench_pair(file, buf) != sizeof(u64));
		return 0;
	case EVFD_BENCH_EAGAIN:
		EVFD_BENCH_TIME(run, run->bad +=
				evfd_bench_read(file, buf) != -EAGAIN);
		return 0;
	case EVFD_BENCH_POLL:
		EVFD_BENCH_TIME(run, run->bad += !vfs_poll(file, NULL));
		return 0;
	default:
		return -EINVAL;
	}
}

static long evfd_bench_ioctl(struct file *dev, unsigned int cmd,
			     unsigned long arg)
{
	void __user *user = (void __user *)arg;
	struct evfd_bench run;
	struct file *file;
	int ret;

	if (cmd != EVFD_BENCH_RUN)
		return -ENOTTY;
	if (copy_from_user(&run, user, sizeof(run)))
		return -EFAULT;

	run.bad = 0;
	if (run.fd < 0) {
		EVFD_BENCH_TIME(&run, evfd_bench_nothing());
	} else {
		file = fget(run.fd);
		if (!file)
			return -EBADF;
		ret = evfd_bench_file(&run, file);
		fput(file);
		if (ret)
			return ret;
	}

	return copy_to_user(user, &run, sizeof(run)) ? -EFAULT : 0;
}

static const struct file_operations evfd_bench_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= evfd_bench_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice evfd_bench_dev = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "evfd_bench",
	.fops	= &evfd_bench_fops,
	.mode	= 0600,
};

module_misc_device(evfd_bench_dev);

MODULE_AUTHOR("evfd developers");
MODULE_DESCRIPTION("Times evfd's and eventfd's operations inside the kernel");
MODULE_LICENSE("GPL");
