/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The waiting protocol of module/ctx.[ch] and module/file.c, for spin.
 *
 * Readers, writers, pollers, in-kernel signals, an in-kernel waiter with a
 * callback, the deferred wake, task signals and faults work on one counter. A
 * step here is one access to something shared; what a wait queue's lock protects
 * is one step. Accesses are sequentially consistent: that the barriers make them
 * so is what ../litmus/ proves. Functions have their names from C, and
 * ../README.md lists which stands for which.
 *
 * Wait queues, task states and signals are as in kernel/sched/wait.c and
 * core.c: a wake takes the tasks that it made runnable off the queue, in order,
 * and skips those that run already; a pending signal keeps a task from sleeping.
 *
 * Checked in every run:
 *  - conservation: what was written is what was read plus the count;
 *  - when nothing moves any more, no task sleeps that could go on;
 *  - then no edge-triggered poller sleeps that was not told of the last add, or of
 *    the last take, while that holds;
 *  - a wake for n reaches at most n readers, in plain mode at most one;
 *  - after evfd_ctx_remove_wait_queue() the callback does not run;
 *  - a callback is told of each mask;
 *  - a read that holds the gate loses once to each writer and signal at most;
 *  - a counter is on the list of deferred wakes once at most;
 *  - nobody waits for a lock for ever (spin's end states);
 *  - with -DFINITE, every run ends (spin's non-progress cycles; no step counts as
 *    progress).
 *
 * The sizes are set by -D; runs beside this file has those that proof/run
 * checks. -DM_... breaks the protocol in one place, and spin has to find out.
 */
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
#define N0 1		/* what the first writer writes, the second, the third */
#endif
#ifndef N1
#define N1 1
#endif
#ifndef N2
#define N2 1
#endif
#ifndef W0
#define W0 IN		/* what the first poller waits for, the second, the third */
#endif
#ifndef W1
#define W1 IN
#endif
#ifndef W2
#define W2 IN
#endif
#ifndef NT
#define NT 0	/* in-kernel takes */
#endif
#ifndef MASK
#define MASK 0		/* the mask of those signals: OUT or PRI */
#endif
#ifndef ADDS
#define ADDS 1		/* how often each writer writes */
#endif
#ifndef GATE
#define GATE 0		/* EVFD_READ_TRIES; 0: a read never takes the gate */
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
#define CAN_ADD(c, n) (OVERFLOW - (c) > (n))
#define TAKE(c) (SEM * ((c) > 0) + (1 - SEM) * (c))
#define SERVED(n) (SEM * (n) + (1 - SEM))
#define POLL(c) (IN * ((c) > 0) + OUT * CAN_ADD(c, 1))

byte count = INIT;
byte balance = INIT;	/* returned by writes, less returned by reads */

/* Tasks: readers, then writers, then pollers. */
bit asleep[TASKS + 1];	/* TASK_INTERRUPTIBLE */
bit sig[TASKS + 1];	/* signal_pending() */
bit triggered[TASKS + 1];	/* poll_wqueues::triggered */
byte faults = FAULTS;
bit cpu = !STARVED;	/* the first reader gets a CPU */
bit chosen;		/* STARVED: a wake has chosen it */

/* Queues. Those of tasks hold their numbers; that of pollers has flags. */
chan readers = [TASKS + 1] of { byte };
chan writers = [TASKS + 1] of { byte };
bit polls[TASKS + 1];
bit news[TASKS + 1];	/* an edge that its poller has not been told of */
byte npolls;
bit kwait;		/* the in-kernel waiter is queued */
bit kgone;		/* and was removed */
bit plock;		/* pollers.lock, where callbacks run under it */
byte ksignals = KSIGNALS;
bit untold;		/* the callback was not told of a signal's mask */
bit gate;		/* evfd_ctx::gate is held */

/* evfd_ctx::deferred_events, ::deferred, and the work's pending bit */
byte events;
bit listed;		/* on evfd_deferred_ctxs */
bit turn;		/* on the worker's own list */
bit pending;

hidden byte x, k, nleft, nwoken, holds, nasleep;
#if KWAIT
byte tell;
#else
hidden byte tell;
#endif

/* All writers are woken, so their order does not matter; sorted is fewer states. */
#ifdef M_WRITERS_EXCLUSIVE
#define WSORTED 0
#else
#define WSORTED 1
#endif

#define PACTIVE (npolls > 0 || kwait)
#define RACTIVE (len(readers) > 0)
#define WACTIVE (len(writers) > 0)

/* Part of an add or a take: news for the edge-triggered that wait for ev. */
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

/* ---- kernel/sched/wait.c ---- */

inline dequeue(q)
{
	if
	:: q??[eval(me)] -> q??eval(me)
	:: else
	fi
}

/* __wake_up(), try_to_wake_up() and autoremove_wake_function() */
inline wake_up(q, nr, served)
{
	d_step {
		nwoken = 0;
		nleft = nr + ALL * ((nr) == 0);
		k = len(q);
		do
		:: k > 0 ->
			k--;
			q?x;
			if
			:: nleft > 0 && asleep[x] ->
				asleep[x] = 0;
				chosen = (chosen || (STARVED && x == 0));
				nleft--;
				nwoken++
			:: else ->
				q!x
			fi
		:: else -> break
		od;
		assert(nwoken <= served)
	}
}

/*
 * prepare_to_wait_event(): with a signal pending, off the queue; else on it and
 * asleep.
 */
inline prepare_to_wait(q, sorted)
{
	d_step {
		if
		:: sig[me] ->
			dequeue(q);
			intr = 1
		:: else ->
			if
			:: q??[eval(me)]
			:: !q??[eval(me)] && sorted -> q!!me
			:: !q??[eval(me)] && !sorted -> q!me
			fi;
			asleep[me] = 1
		fi
	}
}

/*
 * ___wait_event() and finish_wait(). Ends with intr set if that returns
 * -ERESTARTSYS. The look at the condition before the first queueing is left out,
 * it saves work only.
 */
inline wait_event(q, sorted, condition)
{
#ifdef M_CHECK_FIRST
	/* Looks before it queues, and not after. */
	if
	:: condition
	:: else ->
		d_step { q!me; asleep[me] = 1 };
end_sleep:	d_step { !asleep[me] || sig[me] -> asleep[me] = 0; dequeue(q) }
	fi
#else
	prepare_to_wait(q, sorted);
	do
#ifndef M_SIGNAL_NO_RECHECK
	:: (condition) ->
		d_step { asleep[me] = 0; intr = 0; dequeue(q) };
		break
	:: !(condition) && intr -> break
#else
	:: (condition) && !intr ->
		d_step { asleep[me] = 0; dequeue(q) };
		break
	:: intr -> break
#endif
	:: !(condition) && !intr ->
		/* schedule() */
end_sleep:	atomic { !asleep[me] || sig[me] -> prepare_to_wait(q, sorted) }
	od
#endif
}

/* ---- module/ctx.c ---- */

#if NR
/* evfd_ctx_wait_readable() */
inline wait_readable()
{
#ifdef M_CHECK_FIRST
	wait_event(readers, 0, count > 0)
#else
	do
	:: true ->
		d_step { readers!me; asleep[me] = 1 };
		if
		:: count > 0 || sig[me]
		:: else ->
			/* schedule() */
end_wait:		(!asleep[me] || sig[me]) && (me > 0 || cpu)
		fi;
		d_step { asleep[me] = 0; dequeue(readers) };
		if
#ifdef M_SIGNAL_NO_RECHECK
		:: sig[me] -> intr = 1; break
		:: count > 0 && !sig[me] -> break
#else
		:: count > 0 -> break
		:: count == 0 && sig[me] -> intr = 1; break
#endif
		:: else
		fi
	od
#endif
}
#endif

/*
 * evfd_ctx_defer_wakeup(): who finds no events yet puts the counter on the list,
 * where it must not be, and has the work run.
 */
inline wake_later(ev)
{
#ifndef M_NO_DEFER
	if
#ifndef M_LIST_ALWAYS
	:: d_step { events -> events = events | ev }
	:: d_step { !events -> events = ev };
#else
	:: d_step { events = events | ev };
#endif
		d_step { assert(!listed && !turn); listed = 1 };
		pending = 1
	fi
#else
	skip
#endif
}

/*
 * A loop of compare-and-exchanges, evfd_ctx_update(), is the one step in
 * which it succeeds or gives up: what it did before left no trace. So are these,
 * and evfd_ctx_try_write() in writer(). Only a read does something in its loop, see
 * reader().
 */

/* What evfd_ctx_do_read() takes. */
inline do_take()
{
	d_step {
		x = TAKE(count);
		count = count - x;
		balance = balance - x;
		edge(OUT)
	}
}

/* For M_TAKE_QUIET: does such a take change EPOLLOUT? */
#define OUT_CHANGES ((POLL(count) ^ POLL(count - TAKE(count))) & OUT)

/*
 * evfd_ctx_pass_gate(): before it adds, a writer or a signal
 * waits while a reader that lost too often holds the gate. A step of its own, so a
 * reader can take the gate right after it.
 */
#if GATE && !defined(M_GATE_OPEN)
#define PASS_GATE !gate;
#else
#define PASS_GATE
#endif

/* evfd_signal_mask() and evfd_count_signal(), without the wake */
inline do_signal(m)
{
	d_step {
#if MASK
		untold = (untold || m);
#endif
		if
		:: count < OVERFLOW -> count++; balance++
		:: else
		fi;
		edge(IN)
	}
}

#if KWAIT
/*
 * A callback on the pollers' queue. evfd_wake_must_defer() is true in it, as in a
 * hard interrupt of PREEMPT_RT.
 */
inline callback()
{
	assert(!kgone);
#if MASK
	untold = (untold && (tell & MASK) != MASK);
#endif
	if
	:: true
#ifdef M_TAKE_QUIET
	:: atomic { count > 0 && !OUT_CHANGES -> do_take() }
	:: atomic { count > 0 && OUT_CHANGES -> do_take() };
#else
	:: atomic { count > 0 -> do_take() };
#endif
		wake_later(ROOM)	/* this queue is not empty */
#ifdef M_SIGNAL_ALWAYS
	:: do_signal(0);
#else
	:: atomic { ksignals > 0 -> ksignals--; PASS_GATE do_signal(0) };
#endif
		wake_later(IN)
	fi
}
#endif

/*
 * evfd_ctx_wake_pollers(); pollwake(). Whoever completes with what it is told
 * relies on that being so.
 */
inline wake_pollers(ev, still)
{
#if KWAIT
	atomic { !plock -> plock = 1 };
#endif
	d_step {
#ifdef M_TELL_LATE
		tell = ev;
#elif defined(M_MASK_GONE)
		tell = ((POLL(count) & (still)) == (still) -> ev : 0);
#else
		tell = ev & (POLL(count) | ~(still));
#endif
		holds = !(tell & (still) & ~POLL(count));
		x = NR + NW;
		do
		:: x < TASKS ->
			if
			:: polls[x] && (WANT(x - NR - NW) & tell & ~EDGE) ->
				assert(holds);
				triggered[x] = 1
			:: else
			fi;
			x++
		:: else -> break
		od
	};
#if KWAIT
	if
	:: kwait && tell -> callback()
	:: else
	fi;
	d_step { plock = 0; tell = 0 }
#endif
}

/* evfd_ctx_wake_reader_queue() */
inline wake_readers(n)
{
	if
#ifdef M_ZERO
	:: RACTIVE ->
#else
	:: (n) > 0 && RACTIVE ->
#endif
#if defined(M_WAKE_ALL)
		wake_up(readers, ALL, SERVED(n))
#elif defined(M_WAKE_ONE)
		wake_up(readers, 1, SERVED(n))
#else
		wake_up(readers, SERVED(n), SERVED(n))
#endif
	:: else
	fi
}

/*
 * evfd_ctx_notify_readers(), evfd_ctx_wake_readers(). The looks of the first are
 * left out: they come again in the second, and a run in which only those of the
 * first find nobody is one in which those of the second come as early.
 */
inline added(n, ev)
{
#if NP || KWAIT
	if
	:: PACTIVE -> wake_pollers((ev), ((n) > 0 -> IN : 0))
	:: else
	fi;
#endif
	wake_readers(n)
}

/* evfd_ctx_end_read(), evfd_ctx_notify_writers(), evfd_ctx_wake_writers(), likewise */
inline taken()
{
#if NP || KWAIT
	if
	:: PACTIVE -> wake_pollers(OUT, OUT)
	:: else
	fi;
#endif
	if
	:: WACTIVE ->
#ifdef M_WRITERS_EXCLUSIVE
		wake_up(writers, 1, ALL)
#else
		wake_up(writers, ALL, ALL)
#endif
	:: else
	fi
}

/* evfd_ctx_pass_on() */
inline pass_on()
{
#ifndef M_NO_PASS_ON
	if
	:: count > 0 -> wake_readers(1)
	:: else
	fi
#else
	skip
#endif
}

/* ---- module/file.c ---- */

#if GATE
#define ADDERS (NW + NS + KSIGNALS)
#define GATED gated
#define LEAVE_GATE if :: gated -> atomic { gate = 0; gated = 0 } :: else fi;
#define FAULTED faulted = 1;
#else
#define GATED 0
#define LEAVE_GATE
#define FAULTED
#endif
#ifdef M_GATE_FAULT
#define FAULT_LEAVES_GATE gated = 0;
#else
#define FAULT_LEAVES_GATE LEAVE_GATE
#endif

#if NR
/*
 * evfd_file_try_read() and __evfd_file_try_read(), evfd_file_read_slow(). A copy
 * that faults is tried again once if the reader was woken, and has passed the wake
 * on by then. Else it is -EFAULT, or the page does not come before all else has
 * ended. It is also tried again, without the gate, if the reader held that.
 */
proctype reader(byte me)
{
	byte c;
	bit intr, waited;
#if GATE
	byte losses, gated_losses;
	bit gated, faulted;
#endif
#ifdef M_COMMIT_FIRST
	byte n;
#endif

again:	c = count;
	do
	:: c == 0 ->
		LEAVE_GATE
		wait_readable();
		if
		:: intr -> goto interrupted
		:: else -> atomic { c = count; waited = (faults > 0) }
		fi
#if FAULTS
	:: atomic { c > 0 && faults > 0 -> faults-- };
		if
#ifndef M_KEEP_WAKE
		:: waited ->
			FAULT_LEAVES_GATE
			pass_on();
			atomic { waited = 0; FAULTED c = count }
#endif
#if GATE
		:: gated && !waited ->
			FAULT_LEAVES_GATE
			atomic { FAULTED c = count }
#endif
		:: else ->
			c = 0;
			goto out
		fi
#endif
#ifdef M_COMMIT_FIRST
	:: atomic { c > 0 && count == c -> n = TAKE(c); count = c - n; c = 0; break }
	:: atomic { c > 0 && count != c -> c = count }
#else
#ifdef M_NO_CAS
	:: atomic { c > 0 -> count = c - TAKE(c); balance = balance - TAKE(c); c = 0;
		break }
#else
	:: atomic { c > 0 && TAKE(count) == TAKE(c) ->
		count = count - TAKE(c); balance = balance - TAKE(c); edge(OUT);
		c = 0; waited = 0; break }
	:: atomic { c > 0 && TAKE(count) != TAKE(c) -> c = count };
#if GATE
		/* evfd_file_read_gated() */
		if
		:: atomic { gated ->
				gated_losses = gated_losses + (c > 0);
				assert(gated_losses <= ADDERS) }
		:: atomic { !gated && losses + 1 >= GATE && !faulted && !gate ->
				gate = 1; gated = 1; gated_losses = 0; c = count }
		:: atomic { !gated && (losses + 1 < GATE || faulted) ->
				losses = losses + (losses + 1 < GATE); faulted = 0 }
		fi;
#endif
#if SIGNALS
		/* only a fatal signal, but any could be one */
		if
		:: sig[me] && !GATED ->
			c = 0; pass_on(); atomic { waited = 0; goto interrupted }
		:: true
		fi
#endif
#endif
#endif
	od;
#ifndef M_GATE_WAKE
	LEAVE_GATE
#endif
#ifndef M_TAKE_SILENT
	taken();
#endif
#ifdef M_GATE_WAKE
	LEAVE_GATE
#endif
#ifdef M_COMMIT_FIRST
	if
	:: atomic { faults > 0 -> faults-- }	/* -EFAULT, and n is lost */
	:: balance = balance - n
	fi;
#endif
	goto out;

interrupted:
	/* the handler runs, and the program or SA_RESTART may try again */
	atomic {
		sig[me] = 0;
		intr = 0;
		if
		:: goto again
		:: true
		fi
	};
out:	skip
}
#endif

#if NW
/* evfd_file_write_one(), evfd_file_write_slow(), evfd_ctx_try_write() */
proctype writer(byte me; byte amount)
{
	bit intr;
#if ADDS > 1
	byte adds = ADDS;
#endif
#ifdef M_ADD_QUIET
	bit quiet;
#endif

again:	PASS_GATE
	do
#ifdef M_WAKE_FIRST
	:: CAN_ADD(count, amount) ->
		added(amount, IN);
		if
		:: atomic { CAN_ADD(count, amount) ->
			count = count + amount; balance = balance + amount; break }
		:: else
		fi
#else
	:: atomic { CAN_ADD(count, amount) ->
#ifdef M_ADD_QUIET
		quiet = (count > 0);
#endif
		count = count + amount; balance = balance + amount; edge(IN); break }
#endif
	:: !CAN_ADD(count, amount) ->
		wait_event(writers, WSORTED, CAN_ADD(count, amount));
		if
		:: intr -> goto interrupted
		:: else
		fi;
		PASS_GATE
	od;
#if defined(M_ADD_QUIET)
	if
	:: quiet
	:: else -> added(amount, IN)
	fi;
#elif !defined(M_WAKE_FIRST)
	added(amount, IN);
#endif
#if ADDS > 1
	if
	:: adds > 1 -> adds--; goto again
	:: else
	fi;
#endif
	goto out;

interrupted:
	atomic {
		sig[me] = 0;
		intr = 0;
		if
		:: goto again
		:: true
		fi
	};
out:	skip
}
#endif

#if NP
/* evfd_file_poll(), evfd_file_poll_wait() in do_poll() */
proctype poller(byte me; byte want)
{
#if defined(M_SHARED_QUEUE)
	d_step { readers!me; asleep[me] = 1 };
	if
	:: POLL(count) & want
	:: else ->
end_sleep:	!asleep[me]
	fi;
	asleep[me] = 0;
	d_step { dequeue(readers) }
#else
	bit ready;

#ifdef M_POLL_FIRST
	ready = ((POLL(count) & want) != 0);
#endif
	atomic { !plock -> polls[me] = 1; npolls++ };
#ifndef M_POLL_FIRST
	ready = ((POLL(count) & want) != 0);
#endif
	do
	:: ready -> break
	:: else ->
		asleep[me] = 1;
end_sleep:	atomic { triggered[me] || sig[me] ->
			asleep[me] = 0; triggered[me] = 0 };
		if
		:: sig[me] -> break
		:: else -> ready = ((POLL(count) & want) != 0)
		fi
	od;
	atomic { !plock -> polls[me] = 0; npolls--; triggered[me] = 0 }
#endif
}
#endif

#if EDGES
/*
 * epoll with EPOLLET, which stays on the queue. Being told clears news. What the
 * program does then is left out: other tasks read and write here. It may have
 * had -EAGAIN for more than there is room, or leave the count as it is; in both
 * cases it must be told of each take, or of each add. What ep_insert() finds by
 * itself is left out as well, since poller() checks that.
 */
proctype edge_poller(byte me; byte want)
{
	atomic { !plock -> polls[me] = 1; npolls++ };
	do
	:: true ->
		asleep[me] = 1;
end_sleep:	atomic { triggered[me] -> asleep[me] = 0; triggered[me] = 0; news[me] = 0 }
	od
}
#endif

/* ---- the rest of the kernel ---- */

#if NS
/* evfd_signal_mask(), evfd_ctx_notify_signal() */
proctype signal()
{
	PASS_GATE
	do_signal(1);
#if HARDIRQ
	if
	:: PACTIVE -> wake_later(IN | MASK)
	:: else ->
		if
		:: RACTIVE -> wake_later(IN | MASK)
		:: else
		fi
	fi
#else
	added(1, IN | MASK)
#endif
}
#endif

#if HARDIRQ || KWAIT
/* process_one_work(), evfd_wake_deferred(), evfd_ctx_wake_deferred() */
proctype worker()
{
	byte ev, c;

end:	do
#ifdef M_PENDING_LATE
	:: pending;
#else
	:: atomic { pending -> pending = 0 };
#endif
		d_step { turn = listed; listed = 0 };
		if
		:: turn ->
#ifdef M_EVENTS_LATE
			ev = events; turn = 0;
#else
			d_step { ev = events; events = 0; turn = 0 };
#endif
			c = count;
#ifdef M_MASK_ROOM
			ev = (ev & OUT -> ev - OUT : ev) | (ev & OUT -> ROOM : 0);
#endif
			if
			:: ev & ROOM -> taken()
			:: else
			fi;
#ifdef M_DEFER_ONE
			c = 1;
#endif
			ev = ev & (c > 0 -> IN | MASK : MASK);
			if
			:: ev -> added(c, ev)
			:: else
			fi
#ifdef M_EVENTS_LATE
			; events = 0
#endif
		:: else
		fi;
#ifdef M_PENDING_LATE
		pending = 0;
#endif
		d_step { ev = 0; c = 0 }
	od
}
#endif

/* evfd_ctx_do_read(), not in a callback */
inline do_read()
{
	if
#ifdef M_TAKE_QUIET
	:: atomic { count > 0 && !OUT_CHANGES -> do_take() };
		if
		:: WACTIVE -> taken()
		:: else
		fi
	:: atomic { count > 0 && OUT_CHANGES -> do_take() };
		taken()
#else
	:: atomic { count > 0 -> do_take() };
		taken()
#endif
	:: count == 0
	fi
}

#if KWAIT == 2
/* evfd_ctx_remove_wait_queue() */
proctype leaver()
{
#ifdef M_REMOVE_NOLOCK
	kwait = 0;
#else
	atomic { !plock -> kwait = 0 };
#endif
	kgone = 1;
	do_read()
}
#endif

#if NT
proctype taker()
{
	do_read()
}
#endif

#if SIGNALS
/* Sends a signal to any task, whatever it does. */
proctype sender()
{
	byte n = SIGNALS, t;

	do
	:: atomic { n > 0 ->
			n--;
			t = 0;
			do
			:: t < TASKS - 1 -> t++
			:: break
			od;
			sig[t] = 1
		};
		asleep[t] = 0
	:: break
	od
}
#endif

#if STARVED == 1
/*
 * Readers that sleep beside a count: the first one keeps a wake for it, for 1
 * in semaphore mode. Counts the sleeping readers.
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

/*
 * When nothing can move, whoever still sleeps must have a reason to.
 */
proctype monitor()
{
	byte t;

#if STARVED == 1
	byte before;

	timeout;
	starved(chosen);
	/* The next write serves the next reader; in plain mode it gets all. */
	if
	:: atomic { count > 0 && nasleep > 0 ->
			before = nasleep; count++; balance++; edge(IN) };
#ifndef M_ADD_QUIET
		added(1, IN);
#endif
		timeout;
		starved(SEM);
		assert(nasleep < before && chosen)
	:: else
	fi;
	/* The one that was chosen reads or passes its wake on when it runs. */
	cpu = 1;
#endif
	timeout;
	d_step {
		assert(balance == count);
		assert(!untold || !kwait);
		do
		:: t < NR -> assert(!asleep[t] || count == 0); t++
		:: t >= NR && t < NR + NW ->
			assert(!asleep[t] || !CAN_ADD(count, AMOUNT(t - NR))); t++
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
#if NT
		do
		:: t < NT -> run taker(); t++
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
