/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The waiting protocol of module/ctx.[ch] and module/file.c, for spin.
 *
 * Readers, writers, pollers, in-kernel signals, an in-kernel waiter with a
 * callback, the worker of deferred wakeups, task signals and faults work on one
 * counter. A step is one access to something shared; a critical section of a
 * queue's lock is one step. Accesses are sequentially consistent: ../litmus/ proves
 * that the barriers make them so. Functions have their names from C, see
 * ../README.md. The files build on each other in the order of the #includes.
 *
 * Checked in every run:
 *  - conservation: the sum of the writes is the sum of the reads plus the count;
 *  - when nothing moves any more, no task sleeps that could go on;
 *  - then each edge-triggered poller was told of the last write, or of the last
 *    read, unless poll(2) would no longer report it;
 *  - a wakeup for n reaches at most n readers, in plain mode at most one;
 *  - after evfd_ctx_remove_wait_queue() the callback does not run;
 *  - a callback is told of each mask;
 *  - a read that holds the gate loses at most once to each writer and signal;
 *  - a counter is on the list of deferred wakeups at most once;
 *  - no process waits for a lock for ever (spin's end states);
 *  - with -DFINITE, every run ends (spin's non-progress cycles; no step counts as
 *    progress).
 *
 * -D sets the sizes, and -DM_... breaks the protocol in one place, which spin has
 * to find. The file runs lists what proof/run checks.
 */
#include "state.pml"
#include "wait.pml"
#include "wake.pml"
#include "file.pml"
#include "poll.pml"
#include "kernel.pml"

#if STARVED == 1
/*
 * Counts the readers that sleep. They may sleep beside a count above 0 only while
 * the first reader keeps a wakeup, in semaphore mode only beside a count of 1.
 */
inline starved(kept)
{
	d_step {
		t = 0;
		nasleep = 0;
		do
		:: t < NR ->
			nasleep = nasleep + asleep[t];
			assert(!asleep[t] || count == 0 || (kept && count <= 1 + (1 - SEM) * ALL));
			t++
		:: else -> break
		od;
		t = 0
	}
}
#endif

/* When nothing can move, each task that still sleeps must have a reason to. */
proctype monitor()
{
	byte t;

#if STARVED == 1
	byte before;

	timeout;
	starved(chosen);
	/* The next write wakes the next reader; in plain mode that reads all. */
	if
	:: atomic { count > 0 && nasleep > 0 ->
			before = nasleep; count++; balance++; edge(IN) };
#ifndef M_WRITE_QUIET
		notify_readers(1, IN);
#endif
		timeout;
		starved(SEM);
		assert(nasleep < before && chosen)
	:: else
	fi;
	/* The first reader now runs: it reads, or passes its wakeup on. */
	cpu = 1;
#endif
	timeout;
	d_step {
		assert(balance == count);
		assert(!untold || !kwait);
		do
		:: t < NR -> assert(!asleep[t] || count == 0); t++
		:: t >= NR && t < NR + NW ->
			assert(!asleep[t] || !CAN_WRITE(count, AMOUNT(t - NR))); t++
		:: t >= NR + NW && t < TASKS && !(WANT(t - NR - NW) & EDGE) ->
			assert(!asleep[t] || !(POLL(count) & WANT(t - NR - NW))); t++
		:: t >= NR + NW && t < TASKS && (WANT(t - NR - NW) & EDGE) ->
			assert(!asleep[t] || !news[t] ||
			       !(POLL(count) & WANT(t - NR - NW))); t++
		:: else -> break
		od
	}
}

init {
	byte t;

	atomic {
		kwait = (KWAIT > 0);
		run monitor();
#if HARDIRQ || KWAIT
		run worker();
#endif
		do
		:: t >= TASKS -> break
#if NR
		:: t < NR -> run reader(t); t++
#endif
#if NW
		:: t >= NR && t < NR + NW -> run writer(t, AMOUNT(t - NR)); t++
#endif
#if NP
		:: t >= NR + NW && t < TASKS && !(WANT(t - NR - NW) & EDGE) ->
			run poller(t, WANT(t - NR - NW)); t++
#if EDGES
		:: t >= NR + NW && t < TASKS && (WANT(t - NR - NW) & EDGE) ->
			run edge_poller(t, WANT(t - NR - NW)); t++
#endif
#endif
		od;
		t = 0;
#if NS
		do
		:: t < NS -> run signal(); t++
		:: else -> break
		od;
#endif
#if KREADS
		do
		:: t < KREADS -> run kernel_reader(); t++
		:: else -> break
		od;
		t = 0;
#endif
#if SIGNALS
		run sender();
#endif
#if KWAIT == 2
		run leaver();
#endif
		t = 0
	}
}
