/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world of the stress test: its counters with their books, and a slot for
 * each task. The lowest layer: it uses tests/lib, and every other file uses it.
 *
 * All processes share one struct world. Each task has a slot in it that says
 * what it is doing, so that who looks from outside can tell whether it may
 * sleep, and what a task that was killed may have done.
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
 * A task that sleeps on what it could have is looked at this often, with pauses
 * of LOOK_US, and has been forgotten if nothing changed. A task that was woken and
 * has not got a CPU yet does not sleep.
 */
#define PATIENT_LOOKS	400
#define LOOK_US		20000
/* For what has no such sign: how long it may take, however slow the machine. */
#define PATIENT_S	180

/* What a task is about to get; when it may sleep is in check.c. */
enum wish { NOTHING, TO_READ, TO_WRITE, TO_SEE_IN, TO_SEE_OUT, TO_BE_CHOSEN };

enum state { FREE, RUNNING, PARKED, IN_OP };

struct slot {
	_Atomic int used;
	_Atomic int state;
	_Atomic int wants;
	_Atomic int counter;
	/* Index of the operation; how many it was. */
	_Atomic int op;
	_Atomic uint32_t seq;
	_Atomic pid_t pid;
	_Atomic pid_t tid;
	/*
	 * What it would do to the count: 1 adds @value; -1 takes what is found
	 * where it reads to, in @buf or its page.
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
	_Atomic uint64_t written, taken;
	/* What tasks that were killed may have added. */
	uint64_t unsure[NR_UNSURE];
	int nr_unsure;
	/* For TICKED and CONSUMED. */
	int sample;
};

struct world {
	uint64_t seed;
	/* Tasks are to rest; tasks, or what disturbs them, are to end. */
	_Atomic int pause, stop, calm, failed;
	char why[512];
	int sockets[NR_SOCKETS][2];
	struct counter counters[NR_COUNTERS];
	struct slot slots[NR_SLOTS];
	/* What has been done, in all rounds. */
	_Atomic uint64_t operations, faults, forks, execs, interrupted;
	_Atomic uint64_t beats, nudges, slept, signals, kills, ticks, consumed;
	_Atomic uint64_t unplugged, hogs, crowds, instances, no_memory, refused;
	/* Pages to read to, one a slot, which may not be there at the moment. */
	_Alignas(PAGE) unsigned char pages[NR_SLOTS][PAGE];
};

extern struct world *world;
/* Inherited by all, also through exec. */
extern int world_fd;

/* Makes the world, or joins that of @fd. Returns whether it could. */
bool world_make(void);
bool world_join(int fd);

/* The first one counts; by anybody. */
void fail(const char *format, ...);

struct slot *slot_get(void);
void slot_put(struct slot *slot);
void slot_take_over(struct slot *slot);

/* Parks the task of @slot while all are to rest, until wake_tasks(). */
void slot_rest(struct slot *slot);
void wake_tasks(void);

/* Without taking; and what enters in the books what it could add or take. */
uint64_t count_of(const struct counter *c);
uint64_t counter_add(struct counter *c, uint64_t n);
uint64_t counter_take(struct counter *c);

#endif /* STRESS_WORLD_H */
