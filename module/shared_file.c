// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations of the file of a counter with EVFD_SHARED: read, write, poll,
 * mmap, ioctl.
 *
 * Above shared.c, below file.c, which has the table of them. uapi/linux/evfd.h
 * documents mmap and the ioctls. As in file.c, a read first copies the value out and
 * takes it only if a read would still return the same.
 *
 * A reader that loses again and again takes no gate: the gate would not stop a program
 * that changes the page. After EVFD_SHARED_TRIES, read and write yield the CPU, check
 * for a fatal signal, and go on.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "compat.h"
#include "ctx.h"
#include "shared.h"
#include "shared_file.h"
#include "trace.h"
#include "user.h"

/*
 * poll's and select's queueing function, epoll's as soon as it was seen, and the last
 * one that is neither, whose name need not be looked up again.
 */
static poll_queue_proc evfd_poll_proc;
static poll_queue_proc evfd_epoll_proc;
static poll_queue_proc evfd_other_proc;

/* Out of line to keep the untraced path small. */
static noinline __cold void
evfd_shared_trace_write(const struct evfd_shared *shared, u64 n, u64 count)
{
	trace_evfd_write(&shared->ctx, n, count);
}

/*
 * Adds @n, at least 1, and wakes. Returns false, with nothing changed, if there was
 * no room or if others were faster EVFD_SHARED_TRIES times.
 */
static bool evfd_shared_try_write(struct evfd_shared *shared, u64 n)
{
	u64 count = evfd_shared_count(shared);
	unsigned int tries = EVFD_SHARED_TRIES;

	if (unlikely(!evfd_shared_has_room(count, n)))
		return false;
	if (likely(n <= EVFD_SHARED_ADD_MAX)) {
		count = atomic64_fetch_add(n, evfd_shared_word(shared));
	} else {
		while (!evfd_shared_update(shared, &count, count + n)) {
			if (!--tries || !evfd_shared_has_room(count, n))
				return false;
		}
	}

	if (trace_evfd_write_enabled())
		evfd_shared_trace_write(shared, n, count + n);
	evfd_shared_notify_readers(shared, n, EPOLLIN);
	return true;
}

/* A write of 0: a kick, and as eventfd tells pollers, whatever the count is. */
static bool evfd_shared_write_0(struct evfd_shared *shared)
{
	if (!evfd_shared_kick(&shared->ctx, 0))
		evfd_shared_notify_readers(shared, 0, EPOLLIN);
	if (!evfd_shared_has_room(evfd_shared_count_ordered(shared), 0))
		return false;
	trace_evfd_write(&shared->ctx, 0, evfd_shared_count(shared));
	return true;
}

/* Goes on where an attempt failed, waiting for room if allowed. */
static noinline ssize_t evfd_shared_write_slow(struct file *file, int iocb_flags,
					       u64 n)
{
	struct evfd_ctx *ctx = file->private_data;
	struct evfd_shared *shared = evfd_shared_of(ctx);
	bool nowait = (file->f_flags & O_NONBLOCK) || (iocb_flags & IOCB_NOWAIT);
	int ret;

	if (n > EVFD_SHARED_MAX)
		return -EINVAL;

	do {
		if (fatal_signal_pending(current))
			return -ERESTARTSYS;
		cond_resched();
		if (nowait) {
			if (!evfd_shared_has_room(evfd_shared_count_ordered(shared), n))
				return -EAGAIN;
			continue;
		}
		ret = evfd_shared_wait_writable(ctx, n);
		if (ret)
			return ret;
	} while (n ? !evfd_shared_try_write(shared, n) :
		     !evfd_shared_write_0(shared));

	return sizeof(n);
}

/**
 * evfd_shared_write_one() - add, or wait for room
 * @file: the counter's file
 * @iocb_flags: of which IOCB_NOWAIT counts
 * @n: the amount; 0 is a kick as well
 *
 * Context: Process context, may sleep.
 * Return: 8, -EINVAL, -EAGAIN, -ERESTARTSYS; after an error nothing has changed.
 */
ssize_t evfd_shared_write_one(struct file *file, int iocb_flags, u64 n)
{
	struct evfd_shared *shared = evfd_shared_of(file->private_data);

	if (likely(n ? evfd_shared_try_write(shared, n) :
		       evfd_shared_write_0(shared)))
		return sizeof(n);
	return evfd_shared_write_slow(file, iocb_flags, n);
}

ssize_t evfd_shared_write(struct file *file, const char __user *buf, size_t len,
			  loff_t *ppos)
{
	u64 n;

	if (len != sizeof(n))
		return -EINVAL;
	if (!evfd_copy_from_user(&n, buf)) {
		trace_evfd_fault(file->private_data, EVFD_WRITE);
		return -EFAULT;
	}

	return evfd_shared_write_one(file, 0, n);
}

/* Copies @n out. With @nofault it does not wait for a page of the buffer. */
static bool evfd_shared_copy(char __user *buf, struct iov_iter *to, u64 n,
			     bool nofault)
{
	size_t copied = 0;

	if (nofault)
		pagefault_disable();
	if (to)
		copied = copy_to_iter(&n, sizeof(n), to);
	else if (evfd_copy_to_user(buf, n))
		copied = sizeof(n);
	if (nofault)
		pagefault_enable();

	if (to && copied != sizeof(n))
		iov_iter_revert(to, copied);
	return copied == sizeof(n);
}

/*
 * One attempt to read: copies the value out, and takes it only if a read would
 * still return the same.
 * Return: 8; 0 if the count was 0, or if others were faster EVFD_SHARED_TRIES times;
 * -EFAULT. Unless 8 is returned, the counter is unchanged.
 */
static ssize_t evfd_shared_try_read(struct evfd_shared *shared, char __user *buf,
				    struct iov_iter *to, bool nofault)
{
	bool semaphore = evfd_ctx_is_semaphore(&shared->ctx);
	u64 count = evfd_shared_count(shared);
	unsigned int tries = EVFD_SHARED_TRIES;
	u64 copied = 0;

	while (tries--) {
		u64 n = evfd_count_read(count, semaphore);

		if (copied && copied != n) {
			trace_evfd_retry(&shared->ctx, copied);
			if (to)
				iov_iter_revert(to, sizeof(copied));
			copied = 0;
		}
		if (!n)
			return 0;
		if (!copied && !evfd_shared_copy(buf, to, n, nofault)) {
			trace_evfd_fault(&shared->ctx, EVFD_READ);
			return -EFAULT;
		}
		copied = n;

		if (evfd_shared_update(shared, &count, count - n)) {
			trace_evfd_read(&shared->ctx, n, count - n);
			evfd_shared_notify_writers(shared);
			return sizeof(n);
		}
	}

	if (to)
		iov_iter_revert(to, sizeof(copied));
	return 0;
}

/* Reads into @to if it is not NULL, else @buf; waits for a count if allowed. */
static ssize_t evfd_shared_do_file_read(struct file *file, int iocb_flags,
					char __user *buf, struct iov_iter *to)
{
	struct evfd_ctx *ctx = file->private_data;
	struct evfd_shared *shared = evfd_shared_of(ctx);
	bool nowait = (file->f_flags & O_NONBLOCK) || (iocb_flags & IOCB_NOWAIT);
	bool woken = false;
	ssize_t ret;

	for (;;) {
		ret = evfd_shared_try_read(shared, buf, to, woken);
		if (ret == -EFAULT && woken) {
			/* As in evfd_file_read_slow(): not while it waits. */
			evfd_shared_pass_on(shared);
			woken = false;
			ret = 0;
		}
		if (ret)
			return ret;

		/* Others may be faster again and again. */
		if (fatal_signal_pending(current)) {
			if (woken)
				evfd_shared_pass_on(shared);
			return -ERESTARTSYS;
		}
		cond_resched();
		if (evfd_shared_count_ordered(shared))
			continue;
		if (nowait)
			return -EAGAIN;
		ret = evfd_shared_wait_readable(ctx);
		if (ret)
			return ret;
		woken = true;
	}
}

ssize_t evfd_shared_read(struct file *file, char __user *buf, size_t len,
			 loff_t *ppos)
{
	if (len < sizeof(u64))
		return -EINVAL;
	return evfd_shared_do_file_read(file, 0, buf, NULL);
}

ssize_t evfd_shared_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	if (iov_iter_count(to) < sizeof(u64))
		return -EINVAL;
	return evfd_shared_do_file_read(iocb->ki_filp, iocb->ki_flags, NULL, to);
}

/* Looks up the name of @proc, unless it is known, as that takes long. */
static noinline bool evfd_shared_is_epoll(poll_queue_proc proc)
{
	if (READ_ONCE(evfd_epoll_proc) || proc == READ_ONCE(evfd_other_proc))
		return false;
	if (!evfd_is_epoll_proc(proc)) {
		WRITE_ONCE(evfd_other_proc, proc);
		return false;
	}
	WRITE_ONCE(evfd_epoll_proc, proc);
	return true;
}

/*
 * True if the caller of ->poll polls again, each time that it was told, before it
 * relies on being told once more. False where that is not known: a waiter on keen
 * is always told, at the price of a kick for each update.
 *
 * poll, select and epoll do: epoll polls each item just before it reports it, and
 * each item on its ready list before it sleeps. EPOLLEXCLUSIVE does not count,
 * since a waiter that is passed over has to be told of the next update.
 *
 * A poll of an epoll set is no such poll of all its items: __ep_eventpoll_poll() stops
 * at the first that is ready. So an edge-triggered waiter on a set, as an outer set
 * with EPOLLET or a multishot poll of io_uring, is told of further counters only if
 * the program drains the set with epoll_wait() until it returns 0. Each item is
 * then polled.
 */
static bool evfd_shared_polls_again(const poll_table *wait)
{
	poll_queue_proc proc = wait->_qproc;

	if (wait->_key & EPOLLEXCLUSIVE)
		return false;
	return proc == evfd_poll_proc || proc == READ_ONCE(evfd_epoll_proc) ||
	       evfd_shared_is_epoll(proc);
}

/* Out of line, since most polls only check. */
static noinline void evfd_shared_poll_queue(struct file *file, poll_table *wait)
{
	struct evfd_ctx *ctx = file->private_data;

	if (evfd_shared_polls_again(wait))
		evfd_poll_wait(file, &ctx->pollers, wait);
	else
		evfd_poll_wait(file, &evfd_shared_of(ctx)->keen, wait);
}

/* Out of line to keep the untraced path small. */
static noinline __cold __poll_t
evfd_shared_trace_poll(const struct evfd_ctx *ctx, __poll_t events, bool waits)
{
	trace_evfd_poll(ctx, events, waits);
	return events;
}

/*
 * Arms at each call that asks for events, with or without queueing, whatever it
 * reports: do_poll() and epoll sleep after a call that did not queue, and an
 * edge-triggered waiter sleeps after one that reported an event.
 */
__poll_t evfd_shared_poll(struct file *file, poll_table *wait)
{
	struct evfd_ctx *ctx = file->private_data;
	struct evfd_shared *shared = evfd_shared_of(ctx);
	__poll_t events;
	u32 bits = 0;

	if (wait) {
		if (evfd_poll_waits(wait))
			evfd_shared_poll_queue(file, wait);
		if (wait->_key & EPOLLIN)
			bits |= EVFD_ARMED_ADD;
		if (wait->_key & EPOLLOUT)
			bits |= EVFD_ARMED_TAKE;
		if (bits)
			evfd_shared_arm(shared, bits);
	}

	events = evfd_shared_events(evfd_shared_count(shared));
	if (trace_evfd_poll_enabled())
		return evfd_shared_trace_poll(ctx, events, evfd_poll_waits(wait));
	return events;
}

static vm_fault_t evfd_shared_fault(struct vm_fault *vmf)
{
	struct evfd_ctx *ctx = vmf->vma->vm_file->private_data;
	struct page *page = virt_to_page(evfd_shared_of(ctx)->page);

	if (vmf->pgoff)
		return VM_FAULT_SIGBUS;
	get_page(page);
	vmf->page = page;
	return 0;
}

/*
 * A program may be killed between its update and its kick. Then the end of its mapping
 * is the kick.
 */
static void evfd_shared_vm_close(struct vm_area_struct *vma)
{
	evfd_shared_kick(vma->vm_file->private_data, 0);
}

/*
 * A fault handler and not vm_insert_page(): after MADV_DONTNEED the page has to
 * come back.
 */
static const struct vm_operations_struct evfd_shared_vm_ops = {
	.close	= evfd_shared_vm_close,
	.fault	= evfd_shared_fault,
};

/* uapi/linux/evfd.h documents the errors. */
int evfd_shared_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff ||
	    vma->vm_end - vma->vm_start != PAGE_SIZE)
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;

	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);
	vma->vm_ops = &evfd_shared_vm_ops;
	return 0;
}

long evfd_shared_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct evfd_ctx *ctx = file->private_data;

	switch (cmd) {
	case EVFD_IOC_KICK:
		evfd_shared_kick(ctx, arg);
		return 0;
	case EVFD_IOC_FLAGS:
		return put_user((u64)ctx->flags, (u64 __user *)arg);
	default:
		return -ENOTTY;
	}
}

#ifdef CONFIG_COMPAT
long evfd_shared_compat_ioctl(struct file *file, unsigned int cmd,
			      unsigned long arg)
{
	/* A number: compat_ptr() would drop a bit of it on s390. */
	if (cmd == EVFD_IOC_KICK)
		return evfd_shared_ioctl(file, cmd, arg);
	return compat_ptr_ioctl(file, cmd, arg);
}
#endif

void evfd_shared_file_init(void)
{
	evfd_poll_proc = evfd_learn_poll_proc();
}
