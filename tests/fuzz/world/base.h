/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world that a sequence of operations runs in, lowest layer: descriptors
 * with fixed numbers, memory with holes, timers that end what blocks.
 *
 * A world has counters of one kind. Only make(), the names in fdinfo and in links,
 * and the traits that probe() finds depend on the kind.
 *
 * The files of this folder are layers, base < async < calls < world. They use
 * nothing of the fuzzer, and of tests/lib ring.h alone: emit.c prints them in
 * front of each program, where an operation does what it did in the fuzzer. So
 * no two of them may use a name for different things.
 */
#ifndef FUZZ_WORLD_BASE_H
#define FUZZ_WORLD_BASE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* Descriptors. New files move to one of these numbers. */
#define COUNTER		10
#define NR_COUNTERS	6
#define EPOLL		20
#define NR_EPOLLS	3
#define PLAIN_FILE	30
#define RING		31
#define PENDING		32
#define DEVICE		40
#define NR_FDS		41

/*
 * Memory: page 0 can be written, 1 not be touched, 2 read, 3 not be touched,
 * 4 and 5 written, 6 not be touched. Buffers are in the windows.
 */
#define PAGE		4096UL
#define MEMORY		0x20000000UL
#define NR_WINDOWS	3
#define WINDOW		64
#define FILL		0xa5

extern const unsigned long windows[NR_WINDOWS];

/* The result of an operation that makes no sense in the present state. */
#define SKIPPED		(-77)

/* How long to wait for an event that has to come. */
#define PATIENCE_S	5

extern int is_evfd;

/* There may be pollers with EPOLLEXCLUSIVE. */
extern int exclusive;

/* How the running kernel's eventfd differs from that of 6.12. */
extern struct eventfd_traits {
	int long_writes;	/* writes the first 8 of more bytes */
	int no_semaphore_line;	/* fdinfo does not show the mode */
} eventfd_traits;

/* Finds the traits. */
void probe(void);

/* Report a result. run.c stores it, print.c prints it. */
void out(uint64_t value);
void out_text(const char *text);

/* Making */
int open_device(void);
long make(unsigned int initval, int flags);

/* Moves @fd to the number @to, and closes what @to was. */
long move_to(int fd, int to);

/* make() with a limit that leaves no descriptor. */
long make_without_room(void);

/* For any file @fd. */
int fdinfo_text(int fd, char *text, size_t size);
int is_counter(int fd);
int blocks(int fd);

/* The count; 0 if @fd is no counter. */
uint64_t count_of(int fd);
int has_room(int fd, uint64_t n);

/* Whether a read may take less than all. */
int is_semaphore(int fd);

/* Stores @val as far as the memory is writable. */
void put(const void *to, uint64_t val);

/* The first segment gets @first, the others @rest. */
void put_iov(const struct iovec *iov, int n, uint64_t first, uint64_t rest);

/* The sum that a writev adds: where buffers overlap, not the sum of put(). */
uint64_t iov_sum(const struct iovec *iov, int n);
void fill_windows(void);

/* A handler for SIGALRM, which reads from or writes to @fd once, unless -1. */
void handle_alarm(int flags);
extern volatile int alarm_fd, alarm_reads;
extern volatile uint64_t alarm_val;

/*
 * From soon() to done() signals arrive again and again: an operation that blocks
 * ends in EINTR, and others are not affected.
 */
void soon(void);
void done(void);

#endif /* FUZZ_WORLD_BASE_H */
