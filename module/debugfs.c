// SPDX-License-Identifier: GPL-2.0-only
/*
 * evfd/instances in debugfs: all counters, one line each.
 *
 * Above ctx.h; dev.c makes it and removes it. docs/tracing.md says what the
 * columns are. For root, who sees the counters of everybody; what a process
 * sees of its own is in fdinfo, see file.c.
 *
 * Counters come and go while the file is read. No lock is held from one line to
 * the next: each holds a reference to the counter that it shows, and the next is
 * the one with the next higher id. So a counter that is there all the time is
 * shown once, and who sleeps or is slow while reading is in nobody's way. Those
 * that were made after the header was read are left out: else who makes them
 * faster than they are shown would keep the reader for ever.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/seq_file.h>

#include "ctx.h"
#include "debugfs.h"

static struct dentry *evfd_debugfs_dir;

/**
 * struct evfd_instances - one open file
 * @end: the lowest id that is not shown.
 */
struct evfd_instances {
	u64 end;
};

/* The position is 0 for the header, and 1 more than the id for a counter. */
static void *evfd_instances_find(struct seq_file *m, loff_t *pos, u64 id)
{
	const struct evfd_instances *instances = m->private;
	struct evfd_ctx *ctx = evfd_ctx_find(id);

	if (ctx && ctx->id >= instances->end) {
		evfd_ctx_put(ctx);
		return NULL;
	}
	if (ctx)
		*pos = ctx->id + 1;
	return ctx;
}

static void *evfd_instances_start(struct seq_file *m, loff_t *pos)
{
	struct evfd_instances *instances = m->private;

	if (*pos)
		return evfd_instances_find(m, pos, *pos - 1);
	instances->end = evfd_ctx_next_id();
	return SEQ_START_TOKEN;
}

static void evfd_instances_stop(struct seq_file *m, void *v)
{
	if (v && v != SEQ_START_TOKEN)
		evfd_ctx_put(v);
}

static void *evfd_instances_next(struct seq_file *m, void *v, loff_t *pos)
{
	u64 id = (*pos)++;

	evfd_instances_stop(m, v);
	return evfd_instances_find(m, pos, id);
}

static int evfd_instances_show(struct seq_file *m, void *v)
{
	struct evfd_ctx *ctx = v;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "id count flags readers writers pollers refs creator\n");
		return 0;
	}

	/* Our own reference does not count. */
	seq_printf(m, "%llu %llu %#x %u %u %u %u %d\n",
		   ctx->id, evfd_ctx_count(ctx), ctx->flags,
		   evfd_ctx_queued(&ctx->readers),
		   evfd_ctx_queued(&ctx->writers),
		   evfd_ctx_queued(&ctx->pollers),
		   kref_read(&ctx->kref) - 1, pid_vnr(ctx->creator));
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
	return seq_open_private(file, &evfd_instances_sops,
				sizeof(struct evfd_instances));
}

static const struct file_operations evfd_instances_fops = {
	.owner		= THIS_MODULE,
	.open		= evfd_instances_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= seq_release_private,
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
