// SPDX-License-Identifier: GPL-2.0-only
/*
 * evfd_ticker: signals an evfd from a hard interrupt, as a device driver does to
 * report events to a program.
 *
 * What it shows:
 *	- how a descriptor from user space becomes a counter to signal:
 *	  evfd_ctx_fdget() and evfd_ctx_put(). The module holds the counter, not
 *	  its file: the program may close the descriptor while this ticks, and
 *	  the signals then have no effect;
 *	- that evfd_signal() may be called in atomic context;
 *	- the order of the end: first stop the timer, then drop the reference.
 *
 * evfd_ticker.h has the ioctls, selftests/samples_test.c calls them. Uses
 * module/evfd.h, which lists the whole interface. Read evfd_consumer.c next, which
 * has the other direction.
 */
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <module/compat.h>
#include <module/evfd.h>

#include "evfd_ticker.h"

/**
 * struct evfd_ticker - an open /dev/evfd-ticker
 * @timer: active while @ctx is not NULL.
 * @ctx: the counter to signal, with a reference; NULL while stopped.
 * @period: of @timer.
 * @ticks: how often @ctx was signalled.
 * @hardirqs: how often of these in a hard interrupt.
 */
struct evfd_ticker {
	/** @lock: serializes the ioctls; the timer does not take it. */
	struct mutex lock;
	struct hrtimer timer;
	struct evfd_ctx *ctx;
	ktime_t period;
	atomic64_t ticks;
	atomic64_t hardirqs;
};

static enum hrtimer_restart evfd_ticker_tick(struct hrtimer *timer)
{
	struct evfd_ticker *ticker = container_of(timer, struct evfd_ticker,
						  timer);

	evfd_signal(ticker->ctx);
	atomic64_inc(&ticker->ticks);
	if (in_hardirq())
		atomic64_inc(&ticker->hardirqs);

	/* A tick that comes late is one tick, however many were due. */
	hrtimer_forward_now(timer, ticker->period);
	return HRTIMER_RESTART;
}

static int evfd_ticker_start(struct evfd_ticker *ticker,
			     const void __user *arg)
{
	struct evfd_ticker_start start;
	struct evfd_ctx *ctx;

	if (copy_from_user(&start, arg, sizeof(start)))
		return -EFAULT;
	if (start.__reserved || start.period_ns < EVFD_TICKER_MIN_NS ||
	    start.period_ns > KTIME_MAX)
		return -EINVAL;
	if (ticker->ctx)
		return -EBUSY;

	ctx = evfd_ctx_fdget(start.fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);

	ticker->ctx = ctx;
	ticker->period = ns_to_ktime(start.period_ns);
	atomic64_set(&ticker->ticks, 0);
	atomic64_set(&ticker->hardirqs, 0);
	/* On PREEMPT_RT, others than _HARD run in a thread. */
	hrtimer_start(&ticker->timer, ticker->period, HRTIMER_MODE_REL_HARD);
	return 0;
}

static int evfd_ticker_stop(struct evfd_ticker *ticker)
{
	if (!ticker->ctx)
		return -EINVAL;

	/* Waits for a running tick; after that ctx is not used. */
	hrtimer_cancel(&ticker->timer);
	evfd_ctx_put(ticker->ctx);
	ticker->ctx = NULL;
	return 0;
}

static int evfd_ticker_stats(struct evfd_ticker *ticker, void __user *arg)
{
	struct evfd_ticker_stats stats = {
		.ticks = atomic64_read(&ticker->ticks),
		.hardirqs = atomic64_read(&ticker->hardirqs),
	};

	return copy_to_user(arg, &stats, sizeof(stats)) ? -EFAULT : 0;
}

static long evfd_ticker_ioctl(struct file *file, unsigned int cmd,
			      unsigned long arg)
{
	struct evfd_ticker *ticker = file->private_data;
	void __user *user = (void __user *)arg;
	long ret;

	mutex_lock(&ticker->lock);
	switch (cmd) {
	case EVFD_TICKER_START:
		ret = evfd_ticker_start(ticker, user);
		break;
	case EVFD_TICKER_STOP:
		ret = evfd_ticker_stop(ticker);
		break;
	case EVFD_TICKER_STATS:
		ret = evfd_ticker_stats(ticker, user);
		break;
	default:
		ret = -ENOTTY;
	}
	mutex_unlock(&ticker->lock);

	return ret;
}

static int evfd_ticker_open(struct inode *inode, struct file *file)
{
	struct evfd_ticker *ticker;

	ticker = kzalloc(sizeof(*ticker), GFP_KERNEL);
	if (!ticker)
		return -ENOMEM;

	mutex_init(&ticker->lock);
	evfd_hrtimer_setup(&ticker->timer, evfd_ticker_tick, CLOCK_MONOTONIC,
			   HRTIMER_MODE_REL_HARD);
	file->private_data = ticker;
	return 0;
}

static int evfd_ticker_release(struct inode *inode, struct file *file)
{
	struct evfd_ticker *ticker = file->private_data;

	/* No ioctl is under way: each holds the file. */
	evfd_ticker_stop(ticker);
	mutex_destroy(&ticker->lock);
	kfree(ticker);
	return 0;
}

/* With its owner set, an open file keeps the module loaded. */
static const struct file_operations evfd_ticker_fops = {
	.owner		= THIS_MODULE,
	.open		= evfd_ticker_open,
	.release	= evfd_ticker_release,
	.unlocked_ioctl	= evfd_ticker_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.llseek		= noop_llseek,
};

static struct miscdevice evfd_ticker_dev = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "evfd-ticker",
	.fops	= &evfd_ticker_fops,
	.mode	= 0600,
};

module_misc_device(evfd_ticker_dev);

MODULE_AUTHOR("evfd developers");
MODULE_DESCRIPTION("Sample: signal an evfd from a hard interrupt");
MODULE_LICENSE("GPL");
