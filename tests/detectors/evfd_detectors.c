// SPDX-License-Identifier: GPL-2.0-only
/*
 * One deliberate bug for each checker of the debug kernels, to prove that the
 * checker is on: a test on a kernel without checkers proves little.
 *
 *	insmod evfd_detectors.ko bug=NAME
 *
 * runs the bug NAME of the table at the end. The kernel goes on after each. Uses
 * nothing of evfd. Read tests/detectors/run next, which loads the module and knows
 * the reports that have to follow.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timer.h>

static char *bug;
module_param(bug, charp, 0);
MODULE_PARM_DESC(bug, "which one");

/* Values that the compiler must not know. */
static volatile int evfd_bad_number;
static volatile char evfd_bad_byte;

/* KASAN */
static void use_after_free(void)
{
	char *p = kmalloc(64, GFP_KERNEL);

	if (!p)
		return;
	OPTIMIZER_HIDE_VAR(p);
	kfree(p);
	evfd_bad_byte = READ_ONCE(*p);
}

/* KASAN: the object ends within one of the granules of 8 bytes. */
static void out_of_bounds(void)
{
	char *p = kmalloc(61, GFP_KERNEL);

	if (!p)
		return;
	OPTIMIZER_HIDE_VAR(p);
	evfd_bad_byte = READ_ONCE(p[61]);
	kfree(p);
}

/* SLUB's red zones: the write is not instrumented. */
static __no_sanitize_address noinline void smash(char *p)
{
	WRITE_ONCE(*p, 0x42);
}

static void redzone(void)
{
	struct kmem_cache *cache;
	char *p;

	cache = kmem_cache_create("evfd_detectors", 64, 0, SLAB_NO_MERGE, NULL);
	if (!cache)
		return;
	p = kmem_cache_alloc(cache, GFP_KERNEL);
	if (p) {
		smash(p + 64);
		kmem_cache_free(cache, p);
	}
	/* This checks the object, if nothing has before. */
	kmem_cache_destroy(cache);
}

/* kmemleak */
static void leak(void)
{
	char *p = kmalloc(64, GFP_KERNEL);

	/* No register and no stack may keep the pointer. */
	OPTIMIZER_HIDE_VAR(p);
	evfd_bad_byte = p ? 1 : 0;
}

/* UBSAN */
static void shift(void)
{
	int n;

	evfd_bad_number = 40;
	n = evfd_bad_number;
	evfd_bad_number = 1 << n;
}

/* UBSAN; within the object, so that KASAN does not report it. */
static void array_index(void)
{
	static struct {
		int small[4];
		int behind[4];
	} arrays;
	int n;

	evfd_bad_number = 5;
	n = evfd_bad_number;
	arrays.small[n] = 1;
}

/* Lockdep: A then B, B then A. There is no deadlock. */
static void lock_inversion(void)
{
	static DEFINE_MUTEX(a);
	static DEFINE_MUTEX(b);

	mutex_lock(&a);
	mutex_lock(&b);
	mutex_unlock(&b);
	mutex_unlock(&a);

	mutex_lock(&b);
	mutex_lock(&a);
	mutex_unlock(&a);
	mutex_unlock(&b);
}

/* PROVE_RCU */
static void rcu_unprotected(void)
{
	static int __rcu *pointer;

	evfd_bad_number = !!rcu_dereference(pointer);
}

/* DEBUG_ATOMIC_SLEEP */
static void sleep_in_atomic(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	kfree(kmalloc(64, GFP_KERNEL));
	spin_unlock(&lock);
}

/* DEBUG_OBJECTS */
static void timer_callback(struct timer_list *timer)
{
}

static void free_active_timer(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, timer_callback, 0);
	mod_timer(timer, jiffies + 3600 * HZ);
	/* DEBUG_OBJECTS reports the timer and then stops it. */
	kfree(timer);
}

/* refcount_t */
static void refcount_from_zero(void)
{
	refcount_t refs = REFCOUNT_INIT(0);

	refcount_inc(&refs);
}

/* KCSAN: two threads share a word; without annotations that is a data race. */
static unsigned long evfd_bad_word;

static int race_plain(void *done)
{
	unsigned long end = jiffies + 2 * HZ;

	while (time_before(jiffies, end)) {
		evfd_bad_word++;
		cond_resched();
	}
	complete(done);
	return 0;
}

static int race_marked(void *done)
{
	unsigned long end = jiffies + 2 * HZ;

	while (time_before(jiffies, end)) {
		WRITE_ONCE(evfd_bad_word, READ_ONCE(evfd_bad_word) + 1);
		cond_resched();
	}
	complete(done);
	return 0;
}

static void run_twice(int (*thread)(void *))
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct task_struct *task;

	task = kthread_run(thread, &done, "evfd_detectors");
	if (IS_ERR(task))
		return;
	thread(&done);
	wait_for_completion(&done);
	wait_for_completion(&done);
}

static void race(void)
{
	run_twice(race_plain);
}

static void no_race(void)
{
	run_twice(race_marked);
}

/*
 * CSD_LOCK_WAIT_DEBUG: a CPU does not answer the call of another one for longer
 * than the minute that scripts/vm allows.
 */
static int evfd_deaf;

static int deaf(void *done)
{
	local_irq_disable();
	WRITE_ONCE(evfd_deaf, 1);
	mdelay(65 * MSEC_PER_SEC);
	local_irq_enable();
	complete(done);
	return 0;
}

static void do_nothing(void *unused)
{
}

static void deaf_cpu(void)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct task_struct *task;

	task = kthread_create(deaf, &done, "evfd_detectors");
	if (IS_ERR(task))
		return;
	kthread_bind(task, 1);
	wake_up_process(task);
	/* This thread then runs on another CPU. */
	while (!READ_ONCE(evfd_deaf))
		msleep(20);
	smp_call_function_single(1, do_nothing, NULL, 1);
	wait_for_completion(&done);
}

static const struct {
	const char *name;
	void (*run)(void);
} evfd_bugs[] = {
	{ "use-after-free", use_after_free },
	{ "out-of-bounds", out_of_bounds },
	{ "redzone", redzone },
	{ "leak", leak },
	{ "shift", shift },
	{ "array-index", array_index },
	{ "rcu", rcu_unprotected },
	{ "lock-inversion", lock_inversion },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "free-active-timer", free_active_timer },
	{ "refcount", refcount_from_zero },
	{ "race", race },
	{ "no-race", no_race },
	{ "deaf-cpu", deaf_cpu },
};

static int __init evfd_detectors_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(evfd_bugs); i++) {
		if (bug && !strcmp(bug, evfd_bugs[i].name)) {
			evfd_bugs[i].run();
			return 0;
		}
	}
	pr_err("evfd_detectors: no such bug\n");
	return -EINVAL;
}

static void __exit evfd_detectors_exit(void)
{
}

module_init(evfd_detectors_init);
module_exit(evfd_detectors_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Deliberate bugs, to see the kernel's checkers report them");
