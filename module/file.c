// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counter as a file: read, write, poll, fdinfo, release; and the part of
 * the in-kernel API that gets from a descriptor to the object.
 *
 * The layer above list.h and ctx.h, below dev.c. A write runs
 *
 *	evfd_file_write() -> evfd_file_write_one() -> evfd_ctx_try_write()
 *
 * and a read
 *
 *	evfd_file_read() -> evfd_file_try_read() -> evfd_ctx_try_read()
 *
 * The loops for a count of 0 and for a full counter are out of line; ctx.c sleeps
 * and wakes.
 *
 * Nothing is lost: a read first copies the value out, and takes it off the
 * counter only if a read would still return the same. User memory is never
 * accessed while on a wait queue, nor with a lock held other than the gate, see
 * evfd_file_read_gated().
 */
#include <linux/anon_inodes.h>
#include <linux/export.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "compat.h"
#include "ctx.h"
#include "file.h"
#include "list.h"
#include "shared.h"
#include "shared_file.h"
#include "trace.h"
#include "user.h"

static bool evfd_copy_to_iter(struct iov_iter *to, u64 n)
{
	size_t copied = copy_to_iter(&n, sizeof(n), to);

	if (likely(copied == sizeof(n)))
		return true;
	iov_iter_revert(to, copied);
	return false;
}

/*
 * ITER_UBUF is one user pointer: get_user() and put_user() are cheaper than the
 * iov_iter helpers.
 */
static bool evfd_iter_is_ubuf(const struct iov_iter *iter)
{
	return EVFD_SINGLE_ACCESS && iter_is_ubuf(iter);
}

static bool evfd_file_nowait(const struct file *file, int iocb_flags)
{
	return (file->f_flags & O_NONBLOCK) || (iocb_flags & IOCB_NOWAIT);
}

/*
 * Out of line to keep the path that copies small. Returns nothing: the caller's
 * constant -EFAULT spares it the registers that going on would need.
 */
static noinline __cold void evfd_file_fault(const struct evfd_ctx *ctx,
					    enum evfd_op op)
{
	trace_evfd_fault(ctx, op);
}

/*
 * One attempt to read, into @to if it is not NULL, else @buf. With @nofault it
 * does not wait for a page of the buffer.
 * Return: 8 on success: @n is the value, @left the rest, and evfd_ctx_end_read()
 * has to follow. 0 if the count was 0, or if another task changed it first; then
 * @n is the value that was copied in vain, or 0. -EFAULT. Unless 8 is returned,
 * the counter is unchanged.
 */
static __always_inline ssize_t __evfd_file_try_read(struct evfd_ctx *ctx,
						    char __user *buf,
						    struct iov_iter *to,
						    bool nofault, u64 *n,
						    u64 *left)
{
	bool copied;

	*left = evfd_ctx_count(ctx);
	*n = evfd_count_read(*left, evfd_ctx_is_semaphore(ctx));
	if (unlikely(!*n))
		return 0;

	if (nofault)
		pagefault_disable();
	if (to)
		copied = evfd_copy_to_iter(to, *n);
	else
		copied = evfd_copy_to_user(buf, *n);
	if (nofault)
		pagefault_enable();
	if (unlikely(!copied)) {
		*n = 0;
		evfd_file_fault(ctx, EVFD_READ);
		return -EFAULT;
	}

	if (likely(evfd_ctx_try_read(ctx, left, *n)))
		return sizeof(*n);
	if (to)
		iov_iter_revert(to, sizeof(*n));
	return 0;
}

/*
 * One attempt to read, as __evfd_file_try_read(), with its wakeups.
 * Return: the same; if 0, @lost is the value that was copied in vain, or 0.
 */
static __always_inline ssize_t evfd_file_try_read(struct evfd_ctx *ctx,
						  char __user *buf,
						  struct iov_iter *to,
						  bool nofault, u64 *lost)
{
	ssize_t ret;
	u64 left;

	ret = __evfd_file_try_read(ctx, buf, to, nofault, lost, &left);
	if (unlikely(ret <= 0))
		return ret;
	evfd_ctx_end_read(ctx, *lost, left);
	/* A constant: ret would need a register across the wakeup. */
	return sizeof(u64);
}

/*
 * Reads while writers and signals wait at the gate. Each of them that had passed
 * the gate before can still change the count once, so the loop ends: with a value,
 * with a count of 0, or with a fault. The gate only delays others. Each update
 * remains one compare-and-exchange, so a read is as atomic as without the gate.
 *
 * The holder of the gate must not fault, sleep or wake: a waiter's callback may
 * signal this counter. Nor may a probe of evfd_retry or evfd_fault signal it.
 * Return: as evfd_file_try_read(), and -EFAULT also for a page that is not present.
 */
static ssize_t evfd_file_read_gated(struct evfd_ctx *ctx, char __user *buf,
				    struct iov_iter *to)
{
	unsigned long flags;
	ssize_t ret;
	u64 n, left;

	raw_spin_lock_irqsave(&ctx->gate, flags);
	/*
	 * Whoever updates the count behind our back from here on sees the gate
	 * held when it next checks. Pairs with evfd_ctx_update().
	 */
	smp_mb__after_spinlock();
	do {
		ret = __evfd_file_try_read(ctx, buf, to, true, &n, &left);
		if (!ret && n)
			trace_evfd_retry(ctx, n);
	} while (!ret && n);
	raw_spin_unlock_irqrestore(&ctx->gate, flags);

	if (ret > 0)
		evfd_ctx_end_read(ctx, n, left);
	return ret;
}

/*
 * Goes on after an attempt that returned 0, waiting for a count if allowed.
 * @lost: the value that this attempt copied in vain, or 0.
 */
static noinline ssize_t evfd_file_read_slow(struct file *file, int iocb_flags,
					    char __user *buf,
					    struct iov_iter *to, u64 lost)
{
	struct evfd_ctx *ctx = file->private_data;
	bool woken = false, faulted = false;
	unsigned int losses = 0;
	ssize_t ret;

	do {
		bool gated;

		if (lost) {
			trace_evfd_retry(ctx, lost);
			losses++;
		}
		if (!evfd_ctx_count_ordered(ctx)) {
			if (evfd_file_nowait(file, iocb_flags))
				return -EAGAIN;
			ret = evfd_ctx_wait_readable(ctx);
			if (ret)
				return ret;
			woken = true;
		}

		/* After a fault, the next attempt waits for the page. */
		gated = losses >= EVFD_READ_TRIES && !faulted;
		lost = 0;
		if (gated)
			ret = evfd_file_read_gated(ctx, buf, to);
		else
			ret = evfd_file_try_read(ctx, buf, to, woken, &lost);
		faulted = ret == -EFAULT && (woken || gated);
		if (faulted) {
			/*
			 * A woken reader passes the wakeup on before it waits
			 * for a page. The page may take long, may never come, or
			 * may come from a task that waits for this counter.
			 */
			if (woken)
				evfd_ctx_pass_on(ctx);
			woken = false;
			ret = 0;
		}
		/* Other readers may be faster again and again. */
		if (!ret && fatal_signal_pending(current)) {
			if (woken)
				evfd_ctx_pass_on(ctx);
			return -ERESTARTSYS;
		}
	} while (!ret);

	return ret;
}

static ssize_t evfd_file_read(struct file *file, char __user *buf, size_t len,
			      loff_t *ppos)
{
	ssize_t ret;
	u64 lost;

	if (len < sizeof(u64))
		return -EINVAL;

	ret = evfd_file_try_read(file->private_data, buf, NULL, false, &lost);
	if (likely(ret))
		return ret;
	return evfd_file_read_slow(file, 0, buf, NULL, lost);
}

/* For readv, io_uring and AIO: the segments are one buffer. */
static ssize_t evfd_file_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *file = iocb->ki_filp;
	ssize_t ret;
	u64 lost;

	if (iov_iter_count(to) < sizeof(u64))
		return -EINVAL;

	if (evfd_iter_is_ubuf(to)) {
		ret = evfd_file_try_read(file->private_data,
					 iter_iov_addr(to), NULL, false,
					 &lost);
		if (likely(ret > 0))
			iov_iter_advance(to, ret);
	} else {
		ret = evfd_file_try_read(file->private_data, NULL, to,
					 false, &lost);
	}
	if (likely(ret))
		return ret;
	return evfd_file_read_slow(file, iocb->ki_flags, NULL, to, lost);
}

/* Goes on after evfd_ctx_try_write() failed, waiting for room if allowed. */
static noinline ssize_t evfd_file_write_slow(struct file *file, int iocb_flags,
					     u64 n)
{
	struct evfd_ctx *ctx = file->private_data;

	if (n > EVFD_COUNT_MAX)
		return -EINVAL;

	do {
		int ret;

		if (evfd_file_nowait(file, iocb_flags)) {
			if (!evfd_count_can_write(evfd_ctx_count_ordered(ctx), n))
				return -EAGAIN;
			continue;
		}
		ret = evfd_ctx_wait_writable(ctx, n);
		if (ret)
			return ret;
	} while (!evfd_ctx_try_write(ctx, n));

	return sizeof(n);
}

/*
 * Adds @n, or waits for room. No counter has room for the overflow value, so the
 * slow path refuses it.
 * Return: 8, -EINVAL, -EAGAIN, -ERESTARTSYS; after an error nothing has changed.
 */
static __always_inline ssize_t evfd_file_write_one(struct file *file,
						   int iocb_flags, u64 n)
{
	if (likely(evfd_ctx_try_write(file->private_data, n)))
		return sizeof(n);
	return evfd_file_write_slow(file, iocb_flags, n);
}

static ssize_t evfd_file_write(struct file *file, const char __user *buf,
			       size_t len, loff_t *ppos)
{
	u64 n;

	if (len != sizeof(n))
		return -EINVAL;
	if (!evfd_copy_from_user(&n, buf)) {
		evfd_file_fault(file->private_data, EVFD_WRITE);
		return -EFAULT;
	}

	return evfd_file_write_one(file, 0, n);
}

static ssize_t evfd_file_write_segment(struct kiocb *iocb,
				       struct iov_iter *from)
{
	size_t len = iter_is_iovec(from) ? iov_iter_single_seg_count(from) :
					   iov_iter_count(from);
	ssize_t ret;
	u64 n;

	if (len != sizeof(n))
		return -EINVAL;
	if (!copy_from_iter_full(&n, sizeof(n), from)) {
		evfd_file_fault(iocb->ki_filp->private_data, EVFD_WRITE);
		return -EFAULT;
	}

	if (evfd_ctx_is_shared(iocb->ki_filp->private_data))
		ret = evfd_shared_write_one(iocb->ki_filp, iocb->ki_flags, n);
	else
		ret = evfd_file_write_one(iocb->ki_filp, iocb->ki_flags, n);
	if (ret < 0)
		iov_iter_revert(from, sizeof(n));
	return ret;
}

/*
 * Each segment is a write of its own, as the VFS does it for eventfd. An error
 * after the first one makes it a short write.
 */
static noinline ssize_t evfd_file_write_segments(struct kiocb *iocb,
						 struct iov_iter *from)
{
	ssize_t done = 0;
	ssize_t ret;

	/* Only io_uring passes an empty buffer; the VFS returns 0 itself. */
	if (!iov_iter_count(from))
		return 0;

	do {
		ret = evfd_file_write_segment(iocb, from);
		if (ret < 0)
			break;
		done += ret;
		/* An empty segment counts only where it comes first. */
		iov_iter_advance(from, 0);
	} while (iov_iter_count(from));

	return done ?: ret;
}

/* For writev, io_uring and AIO: one attempt if there is one user pointer. */
static ssize_t evfd_file_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct evfd_ctx *ctx = iocb->ki_filp->private_data;
	u64 n;

	if (evfd_iter_is_ubuf(from) && iov_iter_count(from) == sizeof(n) &&
	    likely(evfd_copy_from_user(&n, iter_iov_addr(from)))) {
		/* Consume the iterator; iov_iter_advance() needs a stack frame. */
		iov_iter_truncate(from, 0);
		if (likely(evfd_ctx_try_write(ctx, n)))
			return sizeof(n);
		iov_iter_reexpand(from, sizeof(n));
	}
	return evfd_file_write_segments(iocb, from);
}

/* Out of line to keep the untraced path small. */
static noinline __cold __poll_t evfd_file_trace_poll(const struct evfd_ctx *ctx,
						     __poll_t events)
{
	trace_evfd_poll(ctx, events, false);
	return events;
}

/* Queues and checks. Out of line, since most polls only check. */
static noinline __poll_t evfd_file_poll_wait(struct file *file,
					     poll_table *wait)
{
	struct evfd_ctx *ctx = file->private_data;
	__poll_t events;

	/*
	 * evfd_poll_wait() queues, then executes a full barrier. Pairs with the
	 * update before evfd_ctx_notify_readers() and evfd_ctx_notify_writers().
	 */
	evfd_poll_wait(file, &ctx->pollers, wait);

	events = evfd_count_poll(evfd_ctx_count(ctx));
	trace_evfd_poll(ctx, events, true);
	return events;
}

static __poll_t evfd_file_poll(struct file *file, poll_table *wait)
{
	__poll_t events;

	if (evfd_poll_waits(wait))
		return evfd_file_poll_wait(file, wait);

	events = evfd_count_poll(evfd_ctx_count(file->private_data));
	if (trace_evfd_poll_enabled())
		return evfd_file_trace_poll(file->private_data, events);
	return events;
}

static int evfd_file_release(struct inode *inode, struct file *file)
{
	evfd_list_del(file->private_data);
	evfd_ctx_release(file->private_data);
	return 0;
}

static int evfd_file_release_shared(struct inode *inode, struct file *file)
{
	evfd_list_del(file->private_data);
	evfd_shared_release(file->private_data);
	return 0;
}

#ifdef CONFIG_PROC_FS
/*
 * The keys and their formats are ABI. The count is hexadecimal, as eventfd's is.
 */
static void evfd_file_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct evfd_ctx *ctx = file->private_data;

	seq_printf(m,
		   "evfd-count: %16llx\n"
		   "evfd-id: %llu\n"
		   "evfd-semaphore: %d\n"
		   "evfd-readers: %u\n"
		   "evfd-writers: %u\n"
		   "evfd-pollers: %u\n"
		   "evfd-shared: %d\n",
		   evfd_any_count(ctx), ctx->id, evfd_ctx_is_semaphore(ctx),
		   evfd_ctx_queued(&ctx->readers),
		   evfd_ctx_queued(&ctx->writers),
		   evfd_any_pollers(ctx), evfd_ctx_is_shared(ctx));
}
#endif

static const struct file_operations evfd_fops = {
	.owner		= THIS_MODULE,
	.read		= evfd_file_read,
	.read_iter	= evfd_file_read_iter,
	.write		= evfd_file_write,
	.write_iter	= evfd_file_write_iter,
	.poll		= evfd_file_poll,
	.release	= evfd_file_release,
	.llseek		= noop_llseek,
#ifdef CONFIG_PROC_FS
	.show_fdinfo	= evfd_file_show_fdinfo,
#endif
};

/*
 * A counter with EVFD_SHARED has a table of its own, so that the paths above need
 * not ask where the count is.
 */
static const struct file_operations evfd_shared_fops = {
	.owner		= THIS_MODULE,
	.read		= evfd_shared_read,
	.read_iter	= evfd_shared_read_iter,
	.write		= evfd_shared_write,
	.write_iter	= evfd_file_write_segments,
	.poll		= evfd_shared_poll,
	.mmap		= evfd_shared_mmap,
	.unlocked_ioctl	= evfd_shared_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= evfd_shared_compat_ioctl,
#endif
	.release	= evfd_file_release_shared,
	.llseek		= noop_llseek,
#ifdef CONFIG_PROC_FS
	.show_fdinfo	= evfd_file_show_fdinfo,
#endif
};

static bool evfd_file_is_evfd(const struct file *file)
{
	return file->f_op == &evfd_fops || file->f_op == &evfd_shared_fops;
}

static __always_inline struct file *evfd_file_make(struct evfd_ctx *ctx,
						   const struct file_operations *fops,
						   u64 flags)
{
	int f_flags = O_RDWR | (flags & EVFD_NONBLOCK ? O_NONBLOCK : 0);
	struct file *file;

	if (IS_ERR(ctx))
		return ERR_CAST(ctx);

	file = anon_inode_getfile("[evfd]", fops, ctx, f_flags);
	if (IS_ERR(file)) {
		evfd_ctx_put(ctx);
		return file;
	}

	/* The iter operations honour IOCB_NOWAIT, so io_uring may call them. */
	file->f_mode |= FMODE_NOWAIT;
	evfd_list_add(ctx);
	trace_evfd_create(ctx, flags);
	return file;
}

static noinline struct file *evfd_file_alloc_shared(u64 initval, u64 flags)
{
	struct evfd_ctx *ctx;

	ctx = evfd_shared_alloc(initval, flags & (EVFD_SHARED | EVFD_SEMAPHORE));
	return evfd_file_make(ctx, &evfd_shared_fops, flags);
}

/**
 * evfd_file_alloc() - make a counter and an open file for it
 * @initval: its value, at most EVFD_COUNT_MAX, or EVFD_SHARED_MAX
 * @flags: as in struct evfd_create; EVFD_CLOEXEC is not for the file
 *
 * The file pins the module until its last fput().
 *
 * Context: Process context, may sleep.
 * Return: the file, or ERR_PTR(-ENOMEM) or ERR_PTR(-ENFILE) with nothing left
 * behind.
 */
struct file *evfd_file_alloc(u64 initval, u64 flags)
{
	if (flags & EVFD_SHARED)
		return evfd_file_alloc_shared(initval, flags);
	return evfd_file_make(evfd_ctx_alloc(initval, flags & EVFD_SEMAPHORE),
			      &evfd_fops, flags);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_file_alloc);

/**
 * evfd_fget() - get the file of an evfd descriptor
 * @fd: a descriptor of the current process
 *
 * Context: Process context.
 * Return: the file with a reference for fput(), ERR_PTR(-EBADF) if @fd is not
 * open, ERR_PTR(-EINVAL) if it is not an evfd.
 */
struct file *evfd_fget(int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	if (!evfd_file_is_evfd(file)) {
		fput(file);
		return ERR_PTR(-EINVAL);
	}

	return file;
}
EXPORT_SYMBOL_GPL(evfd_fget);

/**
 * evfd_ctx_fileget() - get the counter of an evfd file
 * @file: a file that the caller holds
 *
 * Context: Any. The counter may outlive @file.
 * Return: the counter with a reference for evfd_ctx_put(), or ERR_PTR(-EINVAL)
 * if @file is not an evfd.
 */
struct evfd_ctx *evfd_ctx_fileget(struct file *file)
{
	struct evfd_ctx *ctx;

	if (!evfd_file_is_evfd(file))
		return ERR_PTR(-EINVAL);

	ctx = file->private_data;
	evfd_ctx_get(ctx);
	return ctx;
}
EXPORT_SYMBOL_GPL(evfd_ctx_fileget);

/**
 * evfd_ctx_fdget() - get the counter of an evfd descriptor
 * @fd: a descriptor of the current process
 *
 * Context: Process context.
 * Return: the counter with a reference for evfd_ctx_put(), or an error as of
 * evfd_fget().
 */
struct evfd_ctx *evfd_ctx_fdget(int fd)
{
	struct file *file = evfd_fget(fd);
	struct evfd_ctx *ctx;

	if (IS_ERR(file))
		return ERR_CAST(file);

	ctx = evfd_ctx_fileget(file);
	fput(file);
	return ctx;
}
EXPORT_SYMBOL_GPL(evfd_ctx_fdget);
