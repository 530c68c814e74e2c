// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lab 9: an in-kernel user of two evfds, a and b. When a is signalled it signals
 * b, and the reverse, 8 times in all.
 *
 * It waits as irqfd, vhost and others wait for an eventfd: its callback is on the
 * counter's queue of pollers, and runs under that queue's lock. Parameters: fds,
 * the descriptors in the process that loads it; hops and deepest are read only.
 */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/poll.h>

#include "../module/evfd.h"

#define ECHO_HOPS	8

struct echo {
	struct file *file;
	struct evfd_ctx *ctx;
	wait_queue_head_t *queue;
	wait_queue_entry_t wait;
	poll_table table;
	struct echo *other;
};

static int fds[2];
module_param_array(fds, int, NULL, 0);

/* The number of callbacks that ran, and the most that ran within each other. */
static int hops;
module_param(hops, int, 0444);
static int deepest;
module_param(deepest, int, 0444);

static int depth;
static struct echo echoes[2];

static int echo_wake(wait_queue_entry_t *wait, unsigned int mode, int sync,
		     void *key)
{
	struct echo *echo = container_of(wait, struct echo, wait);

	if (!(key_to_poll(key) & EPOLLIN) || hops == ECHO_HOPS)
		return 0;
	depth++;
	if (depth > deepest)
		deepest = depth;
	WRITE_ONCE(hops, hops + 1);
	evfd_signal(echo->other->ctx);
	depth--;

	return 0;
}

static void echo_queue(struct file *file, wait_queue_head_t *queue,
		       poll_table *table)
{
	struct echo *echo = container_of(table, struct echo, table);

	echo->queue = queue;
	add_wait_queue(queue, &echo->wait);
}

static void echo_leave(struct echo *echo)
{
	if (echo->queue)
		remove_wait_queue(echo->queue, &echo->wait);
	if (!IS_ERR_OR_NULL(echo->ctx))
		evfd_ctx_put(echo->ctx);
	if (!IS_ERR_OR_NULL(echo->file))
		fput(echo->file);
}

static void echo_exit(void)
{
	echo_leave(&echoes[0]);
	echo_leave(&echoes[1]);
}

static int __init echo_init(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		struct echo *echo = &echoes[i];

		echo->other = &echoes[!i];
		echo->file = evfd_fget(fds[i]);
		echo->ctx = evfd_ctx_fdget(fds[i]);
		if (IS_ERR(echo->file) || IS_ERR(echo->ctx)) {
			echo_exit();
			return -EBADF;
		}
	}
	for (i = 0; i < 2; i++) {
		struct echo *echo = &echoes[i];

		init_waitqueue_func_entry(&echo->wait, echo_wake);
		init_poll_funcptr(&echo->table, echo_queue);
		vfs_poll(echo->file, &echo->table);
	}

	return 0;
}

static void __exit echo_unload(void)
{
	echo_exit();
}

module_init(echo_init);
module_exit(echo_unload);

MODULE_DESCRIPTION("Lab 9: two evfds that signal each other");
MODULE_LICENSE("GPL");
