// SPDX-License-Identifier: GPL-2.0-only
/* A write through io_uring on a blocking descriptor: inline or by a worker. */
#include <linux/io_uring.h>

#include "tour.h"

/* A ring of one entry, without a library, to show all of it. */
static struct {
	int fd;
	char *sq, *cq;
	struct io_uring_sqe *sqe;
	struct io_uring_params p;
} ring;

static void *ring_map(off_t what, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_POPULATE, ring.fd, what);

	must(map != MAP_FAILED);
	return map;
}

static void ring_open(void)
{
	ring.fd = syscall(SYS_io_uring_setup, 1, &ring.p);
	must(ring.fd >= 0);
	ring.sq = ring_map(IORING_OFF_SQ_RING, 4096);
	ring.cq = ring_map(IORING_OFF_CQ_RING, 4096);
	ring.sqe = ring_map(IORING_OFF_SQES, sizeof(*ring.sqe));
}

static void ring_write(const char *name, int fd, uint64_t n)
{
	uint32_t *tail = (uint32_t *)(ring.sq + ring.p.sq_off.tail);
	uint32_t *head = (uint32_t *)(ring.cq + ring.p.cq_off.head);
	struct io_uring_cqe *cqe;

	*ring.sqe = (struct io_uring_sqe){
		.opcode = IORING_OP_WRITE, .fd = fd,
		.addr = (uintptr_t)&n, .len = sizeof(n),
	};
	((uint32_t *)(ring.sq + ring.p.sq_off.array))[0] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	mark("> io_uring: write(%s, %ju)", name, (uintmax_t)n);
	must(syscall(SYS_io_uring_enter, ring.fd, 1, 1,
		     IORING_ENTER_GETEVENTS, NULL, 0) == 1);
	cqe = (struct io_uring_cqe *)(ring.cq + ring.p.cq_off.cqes) +
	      (*head & (ring.p.cq_entries - 1));
	mark("< completion: %d", cqe->res);
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
}

void tour(void)
{
	int evfd = EVFD(0, 0);
	int event = CALL(eventfd(0, 0));

	ring_open();
	ring_write("evfd", evfd, 1);
	ring_write("event", event, 1);
}
