/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All counters that have a file, in the order of their ids.
 *
 * Above ctx.h. file.c fills and empties the list, debugfs.c walks it.
 */
#ifndef _EVFD_LIST_H
#define _EVFD_LIST_H

#include <linux/list.h>
#include <linux/types.h>

struct evfd_ctx;

/**
 * struct evfd_walk - a walk through the list
 * @node: among all walks; the caller initializes it.
 * @next: the counter to show next, NULL at the end; without a reference, so
 *	evfd_list_del() moves it on.
 * @end: counters from this id on are not shown.
 */
struct evfd_walk {
	struct list_head node;
	struct evfd_ctx *next;
	u64 end;
};

void evfd_list_add(struct evfd_ctx *ctx);
void evfd_list_del(struct evfd_ctx *ctx);

void evfd_walk_begin(struct evfd_walk *walk);
struct evfd_ctx *evfd_walk_next(struct evfd_walk *walk, struct evfd_ctx *shown);
void evfd_walk_end(struct evfd_walk *walk);

#endif /* _EVFD_LIST_H */
