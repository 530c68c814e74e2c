// SPDX-License-Identifier: GPL-2.0-only
/*
 * evfd_consumer: waits for an evfd inside the kernel and reads it, as KVM's irqfd
 * and vhost do with an eventfd.
 *
 * What it shows:
 *	- how code without a task waits: by an entry on the evfd's wait queue,
 *	  which vfs_poll() passes to a function of ours;
 *	- what the entry's callback may do. It runs in the context of the signal,
 *	  with the queue's lock held, so it leaves all to a work item;
 *	- evfd_ctx_do_read() to read, and evfd_ctx_remove_wait_queue() to read and
 *	  leave the queue at once, so that no event is lost in between;
 *	- EPOLLHUP: the evfd's last descriptor was closed.
 *
 * Callers, functions and contexts:
 *
 *	write(2), evfd_signal()		evfd_consumer_wake()	lock of the queue
 *	last close of the evfd		the same, EPOLLHUP
 *	a worker			evfd_consumer_work()	consumer->lock
 *	ioctl(2), close(2)		attach, detach		consumer->lock
 *
 * evfd_consumer.h has the ioctls, selftests/samples_test.c calls them. Uses
 * module/evfd.h. Read evfd_ticker.c first, the simpler sample, and
 * evfd_ctx_wake_pollers() in module/ctx.c next, which calls the callback.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <module/evfd.h>

#include "evfd_consumer.h"

/**
 * struct evfd_consumer - an open /dev/evfd-consumer
 * @ctx: the counter, with a reference; NULL while detached.
 * @wait: our entry, on the evfd's queue while @ctx is not NULL.
 * @pt: carries evfd_consumer_queue() through vfs_poll().
 * @work: reads the counter.
 * @hung_up: the callback was told of EPOLLHUP.
 * @consumed: the sum of the values read.
 */
struct evfd_consumer {
	/** @lock: protects @ctx, @consumed, and whether @wait is queued. */
	struct mutex lock;
	struct evfd_ctx *ctx;
	wait_queue_entry_t wait;
	poll_table pt;
	struct work_struct work;
	bool hung_up;
	u64 consumed;
};

/*
 * Something happened to the evfd. Interrupts are off, and the lock of the queue
 * is held: to take from here would be possible, to leave the queue is not.
 */
static int evfd_consumer_wake(wait_queue_entry_t *wait, unsigned int mode,
			      int sync, void *key)
{
	struct evfd_consumer *consumer = container_of(wait, struct evfd_consumer,
						      wait);
	__poll_t events = key_to_poll(key);

	/* schedule_work() orders this before the work looks. */
	if (events & EPOLLHUP)
		WRITE_ONCE(consumer->hung_up, true);
	if (events & (EPOLLIN | EPOLLHUP))
		schedule_work(&consumer->work);

	/* What we did is no task's wakeup, so none of the exclusive ones. */
	return 0;
}

/* vfs_poll() calls this, through poll_wait(), with the queue to wait on. */
static void evfd_consumer_queue(struct file *file, wait_queue_head_t *queue,
				poll_table *pt)
{
	struct evfd_consumer *consumer = container_of(pt, struct evfd_consumer,
						      pt);

	add_wait_queue(queue, &consumer->wait);
}

/* After this the callback does not run. Under consumer->lock. */
static void evfd_consumer_unhook(struct evfd_consumer *consumer)
{
	u64 n;

	/*
	 * The work may not have read the last value yet, and will not once this
	 * is detached: read it here. The rest of a semaphore stays for others.
	 */
	if (!evfd_ctx_remove_wait_queue(consumer->ctx, &consumer->wait, &n))
		consumer->consumed += n;
	evfd_ctx_put(consumer->ctx);
	consumer->ctx = NULL;
}

static void evfd_consumer_work(struct work_struct *work)
{
	struct evfd_consumer *consumer = container_of(work, struct evfd_consumer,
						      work);
	u64 n;

	mutex_lock(&consumer->lock);
	/* It may have been detached since this was queued. */
	if (consumer->ctx) {
		evfd_ctx_do_read(consumer->ctx, &n);
		consumer->consumed += n;
		/*
		 * A semaphore gives one at a time and announces a write of many
		 * once. Come again instead of looping: it may take long.
		 */
		if (n)
			schedule_work(work);
		else if (READ_ONCE(consumer->hung_up))
			evfd_consumer_unhook(consumer);
	}
	mutex_unlock(&consumer->lock);
}

static int evfd_consumer_attach(struct evfd_consumer *consumer, int fd)
{
	struct file *file;

	if (consumer->ctx)
		return -EBUSY;

	file = evfd_fget(fd);
	if (IS_ERR(file))
		return PTR_ERR(file);

	/* All is ready before the callback can run, which vfs_poll() allows. */
	consumer->ctx = evfd_ctx_fileget(file);
	consumer->hung_up = false;
	consumer->consumed = 0;
	init_waitqueue_func_entry(&consumer->wait, evfd_consumer_wake);
	init_poll_funcptr(&consumer->pt, evfd_consumer_queue);

	/* No event comes for a count that is already there. */
	if (vfs_poll(file, &consumer->pt) & EPOLLIN)
		schedule_work(&consumer->work);

	/* Hold the counter and not the file, whose last close is an event. */
	fput(file);
	return 0;
}

static int evfd_consumer_detach(struct evfd_consumer *consumer)
{
	if (!consumer->ctx)
		return -EINVAL;

	evfd_consumer_unhook(consumer);
	return 0;
}

static int evfd_consumer_stats(struct evfd_consumer *consumer, void __user *arg)
{
	struct evfd_consumer_stats stats = {
		.consumed = consumer->consumed,
		.attached = !!consumer->ctx,
	};

	return copy_to_user(arg, &stats, sizeof(stats)) ? -EFAULT : 0;
}

static long evfd_consumer_ioctl(struct file *file, unsigned int cmd,
				unsigned long arg)
{
	struct evfd_consumer *consumer = file->private_data;
	long ret;

	mutex_lock(&consumer->lock);
	switch (cmd) {
	case EVFD_CONSUMER_ATTACH:
		ret = evfd_consumer_attach(consumer, arg);
		break;
	case EVFD_CONSUMER_DETACH:
		ret = evfd_consumer_detach(consumer);
		break;
	case EVFD_CONSUMER_STATS:
		ret = evfd_consumer_stats(consumer, (void __user *)arg);
		break;
	default:
		ret = -ENOTTY;
	}
	mutex_unlock(&consumer->lock);

	return ret;
}

static int evfd_consumer_open(struct inode *inode, struct file *file)
{
	struct evfd_consumer *consumer;

	consumer = kzalloc(sizeof(*consumer), GFP_KERNEL);
	if (!consumer)
		return -ENOMEM;

	mutex_init(&consumer->lock);
	INIT_WORK(&consumer->work, evfd_consumer_work);
	file->private_data = consumer;
	return 0;
}

static int evfd_consumer_release(struct inode *inode, struct file *file)
{
	struct evfd_consumer *consumer = file->private_data;

	mutex_lock(&consumer->lock);
	evfd_consumer_detach(consumer);
	mutex_unlock(&consumer->lock);

	/*
	 * Nothing queues the work any more, but it may be queued or running. Not
	 * with the lock held, which the work takes.
	 */
	cancel_work_sync(&consumer->work);
	mutex_destroy(&consumer->lock);
	kfree(consumer);
	return 0;
}

/* With its owner set, an open file keeps the module loaded. */
static const struct file_operations evfd_consumer_fops = {
	.owner		= THIS_MODULE,
	.open		= evfd_consumer_open,
	.release	= evfd_consumer_release,
	.unlocked_ioctl	= evfd_consumer_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice evfd_consumer_dev = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "evfd-consumer",
	.fops	= &evfd_consumer_fops,
	.mode	= 0600,
};

module_misc_device(evfd_consumer_dev);

MODULE_AUTHOR("evfd developers");
MODULE_DESCRIPTION("Sample: wait for an evfd inside the kernel, and consume it");
MODULE_LICENSE("GPL");
