// SPDX-License-Identifier: GPL-2.0-only
/*
 * One table: the fuzzer accepts what is in it and nothing else, and prints it with
 * --differences; docs/differences.md has to say the same. Each entry has a
 * function that is as narrow as possible: it is called when two results differ, and
 * has to explain the whole difference.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "differences.h"
#include "world/base.h"

/* All but the windows are equal. */
static bool same_but_window(const struct result *a, const struct result *b)
{
	return a->ret == b->ret && a->err == b->err && a->n == b->n &&
	       !memcmp(a->out, b->out, sizeof(a->out)) &&
	       !strcmp(a->text, b->text);
}

static bool is_error(const struct result *r, int err)
{
	return r->ret == -1 && r->err == err;
}

/* The counts that fault_read() in world/calls.c reports; false if it skipped. */
static bool fault_counts(const struct op *op, const struct result *r,
			 uint64_t *before, uint64_t *after)
{
	return op->kind == OP_fault_read &&
	       sscanf(r->text, "%" SCNx64 " then %" SCNx64, before, after) == 2;
}

/* At once, or as one of the completions, of three numbers each. */
static bool faulted(const struct op *op, const struct result *r)
{
	unsigned int i;

	if (op->a < 3)
		return is_error(r, EFAULT);
	for (i = 1; i < r->n && i < MAX_OUT; i += 3) {
		if ((int64_t)r->out[i] == -EFAULT)
			return r->ret == 1;
	}

	return false;
}

/* A poll may complete beside it, since eventfd takes the count. */
static bool fault_keeps(const struct op *op, const struct result *evfd,
			const struct result *eventfd)
{
	uint64_t before, after, before2, after2;

	return fault_counts(op, evfd, &before, &after) &&
	       fault_counts(op, eventfd, &before2, &after2) &&
	       faulted(op, evfd) && faulted(op, eventfd) &&
	       before == before2 && after == before &&
	       (after2 == 0 || after2 == before - 1);
}

/* A refused request returns -1 and EINVAL, and reports nothing. */
static bool aio_writes(const struct op *op, const struct result *evfd,
		       const struct result *eventfd)
{
	return (op->kind == OP_aio_write || op->kind == OP_aio_writev) &&
	       is_error(eventfd, EINVAL) && eventfd->n == 0 && evfd->ret == 1;
}

static bool real_eventfd(const struct op *op, const struct result *evfd,
			 const struct result *eventfd)
{
	if (op->kind == OP_ring_eventfd)
		return eventfd->ret == 0 &&
		       (is_error(evfd, EINVAL) || is_error(evfd, EBADF));
	return op->kind == OP_aio_resfd && eventfd->ret == 1 &&
	       is_error(evfd, EINVAL);
}

static bool flagged_writes(const struct op *op, const struct result *evfd,
			   const struct result *eventfd)
{
	if (op->kind != OP_flagged_write || !is_error(eventfd, EOPNOTSUPP))
		return false;
	if (op->b & RWF_APPEND && op->b & RWF_NOAPPEND)
		return is_error(evfd, EINVAL);
	if (is_error(evfd, EINTR))
		return !(op->b & RWF_NOWAIT);
	return evfd->ret > 0 || is_error(evfd, EAGAIN) ||
	       is_error(evfd, EINVAL);
}

/* uring_fixed() reports the count after it first. */
static bool moved_writes(const struct op *op, const struct result *evfd,
			 const struct result *eventfd)
{
	struct result other = *eventfd;

	other.out[0]--;
	return op->kind == OP_ring_moved && !memcmp(evfd, &other, sizeof(other));
}

static bool long_writes(const struct op *op, const struct result *evfd,
			const struct result *eventfd)
{
	return eventfd_traits.long_writes && op->kind == OP_long_write &&
	       is_error(evfd, EINVAL) &&
	       (eventfd->ret == 8 || is_error(eventfd, EAGAIN) ||
		is_error(eventfd, EINTR) || is_error(eventfd, EFAULT));
}

static bool buffer_of_fault(const struct op *op, const struct result *evfd,
			    const struct result *eventfd)
{
	return op->kind == OP_fault_read && same_but_window(evfd, eventfd);
}

/*
 * A promise of evfd beyond eventfd: a read that faulted has left the count alone.
 * A comparison would miss it if evfd behaved as eventfd does.
 */
bool promise_broken(const struct op *op, const struct result *evfd)
{
	uint64_t before, after;

	return fault_counts(op, evfd, &before, &after) && faulted(op, evfd) &&
	       before != after;
}

static bool never(const struct op *op, const struct result *evfd,
		  const struct result *eventfd)
{
	(void)op;
	(void)evfd;
	(void)eventfd;

	return false;
}

static const struct difference differences[] = {
	{
		.name = "fault",
		.eventfd = "a read into a bad address takes the count, then fails with EFAULT",
		.evfd = "EFAULT, and the count is still there",
		.reason = "no event is ever lost",
		.applies = fault_keeps,
		.ends = true,
	}, {
		.name = "fault-buffer",
		.eventfd = "a read that faults inside the buffer has written the part before",
		.evfd = "may have written less of it",
		.reason = "8 bytes are written by one access where they can be",
		.applies = buffer_of_fault,
	}, {
		.name = "aio-write",
		.eventfd = "IOCB_CMD_PWRITE and PWRITEV of AIO fail with EINVAL",
		.evfd = "they add",
		.reason = "comes with write_iter, which io_uring needs to write inline",
		.applies = aio_writes,
		.ends = true,
	}, {
		.name = "flagged-write",
		.eventfd = "pwritev2 takes no flag but RWF_HIPRI, else EOPNOTSUPP",
		.evfd = "takes what a pipe takes; RWF_NOWAIT works, APPEND with NOAPPEND is EINVAL",
		.reason = "comes with write_iter: the VFS looks at the flags",
		.applies = flagged_writes,
		.ends = true,
	}, {
		.name = "moved-write",
		.eventfd = "WRITE_FIXED of io_uring adds what is at the address when it runs",
		.evfd = "adds what is in the registered page, which may not be there any more",
		.reason = "comes with write_iter, which is given the page",
		.applies = moved_writes,
		.ends = true,
	}, {
		.name = "real-eventfd",
		.eventfd = "io_uring's REGISTER_EVENTFD and AIO's RESFD take one",
		.evfd = "they answer EINVAL",
		.reason = "they compare the file's operations with those of eventfd",
		.applies = real_eventfd,
		.ends = true,
	}, {
		.name = "long-write",
		.eventfd = "on older kernels (6.1) a write of more than 8 bytes uses the first 8",
		.evfd = "EINVAL, as eventfd of 6.12",
		.reason = "evfd is alike on all kernels",
		.applies = long_writes,
		.ends = true,
	}, {
		.name = "fdinfo-names",
		.eventfd = "eventfd- before the fields of fdinfo (no semaphore in 6.1), [eventfd]",
		.evfd = "evfd-, [evfd]",
		.reason = "names; world.h takes them off, and leaves the id out",
		.applies = never,
	}, {
		.name = "exclusive",
		.eventfd = "an EPOLLEXCLUSIVE poller takes the wake of a reader behind it",
		.evfd = "both are woken",
		.reason = "no wake is lost; blocked() in world.h stays away from it",
		.applies = never,
	}, {
		.name = "ring-write",
		.eventfd = "an io_uring write to a blocking one waits for room, for each segment",
		.evfd = "an invalid one fails at once, several segments may complete short",
		.reason = "it is done inline; ring_rw() in world.h makes no such request",
		.applies = never,
	},
};

#define NR_DIFFERENCES	ARRAY_SIZE(differences)

static unsigned long seen[NR_DIFFERENCES];

/* NULL if it is none of these. */
const struct difference *known_difference(const struct op *op,
					  const struct result *evfd,
					  const struct result *eventfd)
{
	unsigned int i;

	for (i = 0; i < NR_DIFFERENCES; i++) {
		if (differences[i].applies(op, evfd, eventfd)) {
			seen[i]++;
			return &differences[i];
		}
	}

	return NULL;
}

/* The table, as Markdown. */
void differences_print(FILE *f)
{
	unsigned int i;

	fprintf(f, "| | eventfd(2) | evfd | why |\n");
	fprintf(f, "| --- | --- | --- | --- |\n");
	for (i = 0; i < NR_DIFFERENCES; i++) {
		const struct difference *d = &differences[i];

		fprintf(f, "| %s | %s | %s | %s |\n", d->name, d->eventfd,
			d->evfd, d->reason);
	}
}

void differences_count(FILE *f)
{
	unsigned int i;

	fprintf(f, "# known differences seen:");
	for (i = 0; i < NR_DIFFERENCES; i++) {
		if (differences[i].applies != never)
			fprintf(f, " %s %lu", differences[i].name, seen[i]);
	}
	fprintf(f, "\n");
}
