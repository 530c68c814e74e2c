/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world of the stress test: its counters with their books, and a slot for
 * each task. The lowest layer: it uses tests/lib, and every other file uses it.
 * Read ops.h next.
 *
 * All processes share one struct world. Each task says in its slot what it does,
 * so that the checker knows whether the task may sleep, and what a killed task may
 * have done.
 */
#ifndef STRESS_WORLD_H
#define STRESS_WORLD_H

#include <stdatomic.h>

#include "draw.h"
#include "evfd_test.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define MAX		EVFD_COUNT_MAX
#define NR_COUNTERS	14
#define NR_SLOTS	64
#define NR_UNSURE	16
#define NR_PROCESSES	4
#define NR_THREADS	4
#define NR_VICTIMS	3
#define NR_SOCKETS	4
#define PAGE		4096

/*
 * A task that sleeps although it could go on is checked this often, with pauses of
 * LOOK_US. If nothing changes, its wakeup is lost. A task that was woken and
 * has not got a CPU yet does not sleep.
 */
#define PATIENT_LOOKS	400
#define LOOK_US		20000
/* The time limit for tasks to come to rest, on a machine of any speed. */
#define PATIENT_S	180

/* What a task waits for; check.c knows when it may sleep. */
enum wish { NOTHING, TO_READ, TO_WRITE, TO_SEE_IN, TO_SEE_OUT, TO_BE_CHOSEN };

enum state { FREE, RUNNING, PARKED, IN_OP };

struct slot {
	_Atomic int used;
	_Atomic int state;
	_Atomic int wants;
	_Atomic int counter;
	/* The operation, an index; the number of operations so far. */
	_Atomic int op;
	_Atomic uint32_t seq;
	_Atomic pid_t pid;
	_Atomic pid_t tid;
	/*
	 * Its effect on the count: 1 adds @value; -1 subtracts the value that
	 * the read has stored in @buf or in the page.
	 */
	_Atomic int effect;
	_Atomic uint64_t value;
	_Atomic int page;
	uint64_t buf[2];
	/* A copy of the counter's descriptor, for others to close. */
	_Atomic int closeable;
};

enum role {
	LOW,		/* near 0: reads sleep */
	FULL,		/* near the limit: writes sleep */
	TICKED,		/* near 0, and signalled by samples/evfd_ticker */
	CONSUMED,	/* near 0, and consumed by samples/evfd_consumer */
};

/* A counter, and the books that are kept of it, modulo 2^64. */
struct counter {
	int fd;
	enum role role;
	bool semaphore, nonblock, toggled;
	uint64_t initval;
	_Atomic uint64_t written, read;
	/* The values that killed tasks may have added. */
	uint64_t unsure[NR_UNSURE];
	int nr_unsure;
	/* For TICKED and CONSUMED. */
	int sample;
};

struct world {
	uint64_t seed;
	/* Tasks are to rest; tasks are to end; disturbers are to end. */
	_Atomic int pause, stop, calm, failed;
	char why[512];
	int sockets[NR_SOCKETS][2];
	struct counter counters[NR_COUNTERS];
	struct slot slots[NR_SLOTS];
	/* Statistics of all rounds. */
	_Atomic uint64_t operations, faults, forks, execs, interrupted;
	_Atomic uint64_t beats, nudges, slept, signals, kills, ticks, consumed;
	_Atomic uint64_t unplugged, hogs, crowds, instances, no_memory, refused;
	/* A page for each slot to read to, which may be missing. */
	_Alignas(PAGE) unsigned char pages[NR_SLOTS][PAGE];
};

extern struct world *world;
/* Inherited by all, also through exec. */
extern int world_fd;

/* Makes the world, or joins that of @fd. Returns whether it could. */
bool world_make(void);
bool world_join(int fd);

/* Any task may report a failure; the first one is kept. */
void fail(const char *format, ...);

struct slot *slot_get(void);
void slot_put(struct slot *slot);
void slot_take_over(struct slot *slot);

/* Parks the task of @slot while all are to rest, until wake_tasks(). */
void slot_rest(struct slot *slot);
void wake_tasks(void);

/* The count; an add and a read without waiting, entered in the books. */
uint64_t count_of(const struct counter *c);
uint64_t counter_add(struct counter *c, uint64_t n);
uint64_t counter_take(struct counter *c);

#endif /* STRESS_WORLD_H */
