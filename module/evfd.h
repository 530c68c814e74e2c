/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The in-kernel API: how another module signals an evfd that user space made,
 * or consumes one. The counterparts of <linux/eventfd.h>, function by function.
 *
 * This is all that a module outside module/ may include. The functions are
 * documented where they are defined: file.c (from descriptor to object) and
 * ctx.c (the object). All of them are exported to GPL modules.
 *
 * A user of this API depends on evfd.ko through its symbols, so evfd.ko cannot
 * be unloaded before it.
 */
#ifndef _EVFD_H
#define _EVFD_H

#include <linux/types.h>
#include <linux/wait.h>

struct evfd_ctx;
struct file;

struct file *evfd_fget(int fd);
struct evfd_ctx *evfd_ctx_fdget(int fd);
struct evfd_ctx *evfd_ctx_fileget(struct file *file);
void evfd_ctx_put(struct evfd_ctx *ctx);

void evfd_signal_mask(struct evfd_ctx *ctx, __poll_t mask);
void evfd_ctx_do_read(struct evfd_ctx *ctx, u64 *cnt);
int evfd_ctx_remove_wait_queue(struct evfd_ctx *ctx,
			       wait_queue_entry_t *wait, u64 *cnt);

/**
 * evfd_signal - add 1 to an evfd
 * @ctx: the evfd
 *
 * Context: as evfd_signal_mask().
 */
static inline void evfd_signal(struct evfd_ctx *ctx)
{
	evfd_signal_mask(ctx, 0);
}

#endif /* _EVFD_H */
