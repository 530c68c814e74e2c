// SPDX-License-Identifier: GPL-2.0-only
/*
 * evfd/instances in debugfs: all counters that have a file, one line each.
 *
 * Above list.h; dev.c makes it and removes it. docs/tracing.md says what the
 * columns are. For root, as it shows everybody's counters; what a process sees
 * of its own is in fdinfo, see file.c.
 *
 * Counters come and go while the file is read. No lock is held between two
 * lines, so a slow or sleeping reader blocks nobody. list.c says what such a
 * walk shows.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "ctx.h"
#include "debugfs.h"
#include "list.h"
#include "shared.h"

static struct dentry *evfd_debugfs_dir;

/* The position is 0 for the header and counts the lines after it. */
static void *evfd_instances_start(struct seq_file *m, loff_t *pos)
{
	struct evfd_walk *walk = m->private;

	if (*pos)
		return evfd_walk_next(walk, NULL);
	evfd_walk_begin(walk);
	return SEQ_START_TOKEN;
}

static void evfd_instances_stop(struct seq_file *m, void *v)
{
	if (v && v != SEQ_START_TOKEN)
		evfd_ctx_put(v);
}

static void *evfd_instances_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct evfd_ctx *ctx;

	++*pos;
	ctx = evfd_walk_next(m->private, v == SEQ_START_TOKEN ? NULL : v);
	evfd_instances_stop(m, v);
	return ctx;
}

static int evfd_instances_show(struct seq_file *m, void *v)
{
	struct evfd_ctx *ctx = v;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "id count flags readers writers pollers refs\n");
		return 0;
	}

	/* Our own reference does not count. */
	seq_printf(m, "%llu %llu %#x %u %u %u %u\n",
		   ctx->id, evfd_any_count(ctx), ctx->flags,
		   evfd_ctx_queued(&ctx->readers),
		   evfd_ctx_queued(&ctx->writers),
		   evfd_any_pollers(ctx),
		   kref_read(&ctx->kref) - 1);
	return 0;
}

static const struct seq_operations evfd_instances_sops = {
	.start	= evfd_instances_start,
	.next	= evfd_instances_next,
	.stop	= evfd_instances_stop,
	.show	= evfd_instances_show,
};

static int evfd_instances_open(struct inode *inode, struct file *file)
{
	struct evfd_walk *walk = __seq_open_private(file, &evfd_instances_sops,
						    sizeof(*walk));

	if (!walk)
		return -ENOMEM;
	INIT_LIST_HEAD(&walk->node);
	return 0;
}

static int evfd_instances_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;

	evfd_walk_end(m->private);
	return seq_release_private(inode, file);
}

static const struct file_operations evfd_instances_fops = {
	.owner		= THIS_MODULE,
	.open		= evfd_instances_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= evfd_instances_release,
};

/* The module works without, so errors are not looked at, as debugfs wants it. */
void evfd_debugfs_init(void)
{
	evfd_debugfs_dir = debugfs_create_dir("evfd", NULL);
	debugfs_create_file("instances", 0400, evfd_debugfs_dir, NULL,
			    &evfd_instances_fops);
}

/* The file's fops pin the module while it is open, so here nobody reads it. */
void evfd_debugfs_exit(void)
{
	debugfs_remove(evfd_debugfs_dir);
}
