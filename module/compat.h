/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every difference between the kernels that evfd builds for, and only here.
 *
 * The rest of module/ is written for the newest kernel; an entry here gives an
 * older one what it lacks, and goes when that kernel does. What can be probed
 * (a macro, a configuration symbol) is probed, since stable kernels and
 * distributions carry later features than their number says.
 */
#ifndef _EVFD_COMPAT_H
#define _EVFD_COMPAT_H

#include <linux/cacheinfo.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "evfd needs Linux 6.1 or later"
#endif

/*
 * The bit of the task that stops recursion through wait queues is eventfd's.
 * evfd shares it, see evfd_wake_must_defer().
 */
#ifndef CONFIG_EVENTFD
#error "evfd needs a kernel with CONFIG_EVENTFD=y"
#endif

/* The inverse of poll_does_not_wait(), which was removed before 7.3. */
static inline bool evfd_poll_waits(const struct poll_table_struct *wait)
{
	return wait && wait->_qproc;
}

/*
 * poll_wait() ends in a full barrier since 6.14, and in the stable series since
 * early 2025. No macro tells, so the version checks are conservative: at worst a
 * kernel gets the barrier twice.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0) || \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 20) && \
	 LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)) || \
	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 140) && \
	 LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0))
#define evfd_poll_wait poll_wait
#else
static inline void evfd_poll_wait(struct file *file, wait_queue_head_t *wq,
				  struct poll_table_struct *wait)
{
	poll_wait(file, wq, wait);
	if (evfd_poll_waits(wait)) {
		/* Pairs with the update of the count, see evfd_file_poll_wait(). */
		smp_mb();
	}
}
#endif

/*
 * The queueing function of poll(2) and select(2): poll_initwait() tells it. NULL, for
 * not known, if there is no memory.
 */
static inline poll_queue_proc evfd_learn_poll_proc(void)
{
	struct poll_wqueues *table = kzalloc(sizeof(*table), GFP_KERNEL);
	poll_queue_proc proc;

	if (!table)
		return NULL;
	poll_initwait(table);
	proc = table->pt._qproc;
	poll_freewait(table);
	kfree(table);
	return proc;
}

/*
 * True if @proc is the queueing function of epoll, which nothing exports: its name
 * tells. Fails safe: a kernel that calls it something else, that has no
 * CONFIG_KALLSYMS, or whose compiler adds to the name makes this false, and
 * epoll's waiters are as io_uring's. A function of this name in a module is
 * printed with the module's.
 *
 * What cannot tell: the key, which has no bit of epoll's own; file->f_ep, which is
 * also set when another waiter queues; the number of the system call, since
 * io_uring's task work runs before epoll_ctl() returns to user space.
 */
static inline bool evfd_is_epoll_proc(poll_queue_proc proc)
{
	char name[sizeof("ep_ptable_queue_proc") + 1];

	snprintf(name, sizeof(name), "%ps", proc);
	return !strcmp(name, "ep_ptable_queue_proc");
}

/* Since 6.9. Before, this knows of no other machine that it is safe on. */
#ifndef cpu_dcache_is_aliasing
#define cpu_dcache_is_aliasing()				\
	(!(IS_ENABLED(CONFIG_X86) || IS_ENABLED(CONFIG_ARM64) || \
	   IS_ENABLED(CONFIG_S390) || IS_ENABLED(CONFIG_RISCV) || \
	   IS_ENABLED(CONFIG_PPC) || IS_ENABLED(CONFIG_UML)))
#endif

/* Since 6.3; no macro tells. Before, vm_flags could be written. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void evfd_vm_flags_mod(struct vm_area_struct *vma,
				     unsigned long set, unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}

#define vm_flags_mod evfd_vm_flags_mod
#endif

/* A macro since 6.4. Before, only io_uring had buffers of this kind. */
#ifndef iter_iov_addr
static inline void __user *iter_iov_addr(const struct iov_iter *iter)
{
	return iter->ubuf + iter->iov_offset;
}
#endif

/*
 * A cache that is merged with no other, so that a leak shows when it is
 * destroyed. Objects begin at a cacheline: the neighbours of a busy counter do
 * not share one with it. Before SLAB_NO_MERGE came (6.5), a cache was not merged
 * if user space may be copied to part of its objects.
 */
static inline struct kmem_cache *evfd_cache_create(const char *name, size_t size)
{
	slab_flags_t flags = SLAB_ACCOUNT | SLAB_HWCACHE_ALIGN;

#ifdef SLAB_NO_MERGE
	return kmem_cache_create(name, size, 0, flags | SLAB_NO_MERGE, NULL);
#else
	return kmem_cache_create_usercopy(name, size, 0, flags, 0, 1, NULL);
#endif
}

/* Since 6.2, and in later 6.1.y: where there is KUnit, it has to have this. */
#if IS_ENABLED(CONFIG_KUNIT)
#include <kunit/visibility.h>
#else
#define EXPORT_SYMBOL_IF_KUNIT(symbol)
#endif

/* The namespace is a string since 6.13 and was a token before. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define EVFD_IMPORT_KUNIT_NS()	MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING")
#else
#define EVFD_IMPORT_KUNIT_NS()	MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING)
#endif

/* hrtimer_setup() is there since 6.13, hrtimer_init() went in 6.15. */
static inline void
evfd_hrtimer_setup(struct hrtimer *timer,
		   enum hrtimer_restart (*function)(struct hrtimer *),
		   clockid_t clock, enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, function, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = function;
#endif
}

#endif /* _EVFD_COMPAT_H */
