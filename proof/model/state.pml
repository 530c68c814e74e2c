/* SPDX-License-Identifier: GPL-2.0-only */
/* The sizes of a run, the arithmetic of the counter, and the shared state. */
#ifndef NR
#define NR 0	/* readers */
#endif
#ifndef NW
#define NW 0	/* writers */
#endif
#ifndef NP
#define NP 0	/* pollers */
#endif
#ifndef NS
#define NS 0	/* in-kernel signals */
#endif
#ifndef SEM
#define SEM 0	/* EVFD_SEMAPHORE */
#endif
#ifndef MAX
#define MAX 2	/* EVFD_COUNT_MAX */
#endif
#ifndef INIT
#define INIT 0	/* the initial count */
#endif
#ifndef SIGNALS
#define SIGNALS 0	/* signals sent to tasks */
#endif
#ifndef FAULTS
#define FAULTS 0	/* copies that fault */
#endif
#ifndef N0
#define N0 1		/* amount of the first writer, the second, the third */
#endif
#ifndef N1
#define N1 1
#endif
#ifndef N2
#define N2 1
#endif
#ifndef W0
#define W0 IN		/* events of the first poller, the second, the third */
#endif
#ifndef W1
#define W1 IN
#endif
#ifndef W2
#define W2 IN
#endif
#ifndef KREADS
#define KREADS 0	/* in-kernel reads */
#endif
#ifndef MASK
#define MASK 0		/* the mask of those signals: OUT or PRI */
#endif
#ifndef WRITES
#define WRITES 1		/* how often each writer writes */
#endif
#ifndef GATE
#define GATE 0		/* EVFD_READ_TRIES; 0: no read is gated */
#endif
#ifndef STARVED
#define STARVED 0	/* 1: the first reader, once woken, gets no CPU until all else
			   has come to rest; 2: never */
#endif
#ifndef HARDIRQ
#define HARDIRQ 0	/* signals come in a hard interrupt of PREEMPT_RT */
#endif
#ifndef KWAIT
#define KWAIT 0		/* 1: an in-kernel waiter; 2: it stops waiting */
#endif
#ifndef KSIGNALS
#define KSIGNALS 0	/* how often its callback signals */
#endif

#ifndef SHARED	/* see shared.pml */
#define LOCALS
#define ARM(ev)
#define WOKEN (faults > 0)
#define FATAL
#define PASS_WOKEN pass_on()
#endif

#define TASKS (NR + NW + NP)
#define OVERFLOW (MAX + 1)
#define ALL 255

#define IN 1
#define OUT 2
#define EDGE 4	/* EPOLLET */
#define PRI 8
#define ROOM 16	/* EVFD_DEFERRED_ROOM */
#define IN_EDGE (IN | EDGE)
#define OUT_EDGE (OUT | EDGE)

#define AMOUNT(w) (((w) == 0) * N0 + ((w) == 1) * N1 + ((w) > 1) * N2)
#define WANT(p) (((p) == 0) * W0 + ((p) == 1) * W1 + ((p) > 1) * W2)
#define EDGES (((W0 | W1 | W2) & EDGE) && NP > 0)

/* counter.h: evfd_count_can_write(), evfd_count_read(), evfd_count_poll() */
#define CAN_WRITE(c, n) (OVERFLOW - (c) > (n))
#define READ(c) (SEM * ((c) > 0) + (1 - SEM) * (c))
#define SERVED(n) (SEM * (n) + (1 - SEM))
#define POLL(c) (IN * ((c) > 0) + OUT * CAN_WRITE(c, 1))

byte count = INIT;
byte balance = INIT;	/* the sum of the writes less that of the reads */

/* Tasks: readers, then writers, then pollers. */
bit asleep[TASKS + 1];	/* TASK_INTERRUPTIBLE */
bit sig[TASKS + 1];	/* signal_pending() */
bit triggered[TASKS + 1];	/* poll_wqueues::triggered */
byte faults = FAULTS;
bit cpu = !STARVED;	/* the first reader gets a CPU */
bit chosen;		/* STARVED: a wakeup has chosen it */

/* The queues: of tasks' numbers, and for pollers a flag each. */
chan readers = [TASKS + 1] of { byte };
chan writers = [TASKS + 1] of { byte };
bit polls[TASKS + 1];
bit news[TASKS + 1];	/* an edge of which the poller has not been told */
byte npolls;
bit kwait;		/* the in-kernel waiter is queued */
bit kgone;		/* and was removed */
bit plock;		/* pollers.lock, if callbacks run under it */
byte ksignals = KSIGNALS;
bit untold;		/* a signal's mask has not reached the callback */
bit gate;		/* evfd_ctx::gate is held */

/* evfd_ctx::deferred_events, ::deferred, and the work's pending bit */
byte events;
bit queued;		/* on evfd_deferred_ctxs */
bit turn;		/* on the worker's own list */
bit pending;

hidden byte x, k, nleft, nwoken, holds, nasleep;
#if KWAIT
byte tell;
#else
hidden byte tell;
#endif

/* A wakeup reaches all writers, so they can be sorted; this is fewer states. */
#ifdef M_WRITERS_EXCLUSIVE
#define WSORTED 0
#else
#define WSORTED 1
#endif

#define PACTIVE (npolls > 0 || kwait)
#define RACTIVE (len(readers) > 0)
#define WACTIVE (len(writers) > 0)

/* Part of a write or a read: an edge for the edge-triggered pollers of ev. */
inline edge(ev)
{
#if EDGES
	k = NR + NW;
	do
	:: k < TASKS ->
		if
		:: polls[k] && (WANT(k - NR - NW) & (EDGE | ev)) == (EDGE | ev) ->
			news[k] = 1
		:: else
		fi;
		k++
	:: else -> break
	od;
#endif
	skip
}
