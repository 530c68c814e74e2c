// SPDX-License-Identifier: GPL-2.0-only
/*
 * All counters that have a file, in the order of their ids; and walks through
 * them that hold no lock between two steps.
 *
 * Above ctx.h, below file.c and debugfs.c.
 *
 * A counter is on the list from its creation to the last close of its file. Both
 * are in process context, so the lock leaves interrupts on. While a counter is
 * on the list the file holds a reference to it.
 *
 * A walk remembers the next counter without a reference. When that counter
 * leaves the list, it moves the walk on. A walk shows each counter that is on
 * the list all the time once, and none twice. It ends: counters created after it
 * began are not shown.
 */
#include <linux/kref.h>
#include <linux/spinlock.h>

#include "compat.h"
#include "ctx.h"
#include "list.h"

/* Protects the two lists, evfd_next_id, and @next of every walk. */
static DEFINE_SPINLOCK(evfd_list_lock);
static LIST_HEAD(evfd_list);
static LIST_HEAD(evfd_walks);
static u64 evfd_next_id;

/**
 * evfd_list_add() - give a counter its id and put it on the list
 * @ctx: the counter, complete but for its id
 *
 * Ids are never reused, so a counter suffices; an IDA would add 10 % to the cost
 * of creating and freeing.
 *
 * Context: Process context.
 */
void evfd_list_add(struct evfd_ctx *ctx)
{
	spin_lock(&evfd_list_lock);
	ctx->id = evfd_next_id++;
	list_add_tail(&ctx->node, &evfd_list);
	spin_unlock(&evfd_list_lock);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_list_add);

/* The counter behind @ctx. Under evfd_list_lock. */
static struct evfd_ctx *evfd_list_next(struct evfd_ctx *ctx)
{
	return list_is_last(&ctx->node, &evfd_list) ?
	       NULL : list_next_entry(ctx, node);
}

/* Moves @walk on if it stands at @ctx. Under evfd_list_lock. */
static void evfd_walk_pass(struct evfd_walk *walk, struct evfd_ctx *ctx)
{
	if (walk->next == ctx)
		walk->next = evfd_list_next(ctx);
}

/**
 * evfd_list_del() - take a counter off the list
 * @ctx: the counter
 *
 * Context: Process context. The caller still holds a reference.
 */
void evfd_list_del(struct evfd_ctx *ctx)
{
	struct evfd_walk *walk;

	spin_lock(&evfd_list_lock);
	list_for_each_entry(walk, &evfd_walks, node)
		evfd_walk_pass(walk, ctx);
	list_del(&ctx->node);
	spin_unlock(&evfd_list_lock);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_list_del);

/**
 * evfd_walk_begin() - begin a walk, or begin it anew
 * @walk: the walk, with its node initialized; evfd_walk_end() has to follow
 *
 * Context: Process context.
 */
void evfd_walk_begin(struct evfd_walk *walk)
{
	spin_lock(&evfd_list_lock);
	walk->next = list_first_entry_or_null(&evfd_list, struct evfd_ctx, node);
	walk->end = evfd_next_id;
	list_move(&walk->node, &evfd_walks);
	spin_unlock(&evfd_list_lock);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_walk_begin);

/**
 * evfd_walk_next() - the next counter of a walk
 * @walk: the walk
 * @shown: the counter to go on from; NULL to stay where the walk stands
 *
 * Context: Process context.
 * Return: the counter with a reference, or NULL at the end.
 */
struct evfd_ctx *evfd_walk_next(struct evfd_walk *walk, struct evfd_ctx *shown)
{
	struct evfd_ctx *ctx;

	spin_lock(&evfd_list_lock);
	if (shown)
		evfd_walk_pass(walk, shown);
	ctx = walk->next;
	if (ctx && ctx->id >= walk->end)
		ctx = NULL;
	if (ctx)
		evfd_ctx_get(ctx);
	spin_unlock(&evfd_list_lock);

	return ctx;
}
EXPORT_SYMBOL_IF_KUNIT(evfd_walk_next);

/**
 * evfd_walk_end() - end a walk
 * @walk: the walk
 *
 * Context: Process context.
 */
void evfd_walk_end(struct evfd_walk *walk)
{
	spin_lock(&evfd_list_lock);
	list_del_init(&walk->node);
	spin_unlock(&evfd_list_lock);
}
EXPORT_SYMBOL_IF_KUNIT(evfd_walk_end);
