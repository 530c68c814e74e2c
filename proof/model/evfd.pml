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
 *  - a wake for n reaches at most n readers, in plain mode at most one;
 *  - after evfd_ctx_remove_wait_queue() the callback does not run;
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

#define AMOUNT(w) (((w) == 0) * N0 + ((w) == 1) * N1 + ((w) > 1) * N2)
#define WANT(p) (((p) == 0) * W0 + ((p) == 1) * W1 + ((p) > 1) * W2)

/* counter.h: evfd_count_can_add(), evfd_count_take(), evfd_count_poll() */
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

/* Queues. Those of tasks hold their numbers; that of pollers has flags. */
chan readers = [TASKS + 1] of { byte };
chan writers = [TASKS + 1] of { byte };
bit polls[TASKS + 1];
byte npolls;
bit kwait;		/* the in-kernel waiter is queued */
bit kgone;		/* and was removed */
bit plock;		/* pollers.lock, where callbacks run under it */
byte ksignals = KSIGNALS;

/* evfd_ctx::deferred_events, ::deferred, and the work's pending bit */
byte events;
bit listed;		/* on evfd_deferred_ctxs */
bit turn;		/* on the worker's own list */
bit pending;

hidden byte x, k, nleft, nwoken, holds;
#if KWAIT
bit tell;
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
end_wait:		!asleep[me] || sig[me]
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
 * evfd_ctx_wake_later(): who finds no events yet puts the counter on the list,
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
 * and evfd_ctx_add() in writer(). Only a read does something in its loop, see
 * reader().
 */

/* evfd_ctx_take() in evfd_ctx_do_read() */
inline do_take()
{
	d_step {
		x = TAKE(count);
		count = count - x;
		balance = balance - x
	}
}

/* Does such a take change EPOLLOUT? As evfd_ctx_did_read() asks. */
#define OUT_CHANGES ((POLL(count) ^ POLL(count - TAKE(count))) & OUT)

/* evfd_signal_mask() and evfd_count_signal(), without the wake */
inline do_signal()
{
	d_step {
		if
		:: count < OVERFLOW -> count++; balance++
		:: else
		fi
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
	if
	:: true
	:: atomic { count > 0 && !OUT_CHANGES -> do_take() };
		if
		:: WACTIVE -> wake_later(OUT)
		:: else
		fi
	:: atomic { count > 0 && OUT_CHANGES -> do_take() };
		wake_later(OUT)
#ifdef M_SIGNAL_ALWAYS
	:: do_signal();
#else
	:: atomic { ksignals > 0 -> ksignals--; do_signal() };
#endif
		wake_later(IN)	/* this queue is not empty */
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
		holds = ((POLL(count) & (still)) == (still));
#ifdef M_TELL_LATE
		tell = 1;
#else
		tell = holds;
#endif
		x = NR + NW;
		do
		:: x < TASKS ->
			if
			:: tell && polls[x] && (WANT(x - NR - NW) & ev) ->
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
	:: kwait && tell && (ev & IN) -> callback()
	:: else
	fi;
	d_step { plock = 0; tell = 0 }
#endif
}

/* evfd_ctx_wake_readers() */
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
 * evfd_ctx_added(), evfd_ctx_wake_added(). The looks of the first are
 * left out: they come again in the second, and a run in which only those of the
 * first find nobody is one in which those of the second come as early.
 */
inline added(n)
{
#if NP || KWAIT
	if
	:: PACTIVE -> wake_pollers(IN, ((n) > 0 -> IN : 0))
	:: else
	fi;
#endif
	wake_readers(n)
}

/* evfd_ctx_taken(), evfd_ctx_wake_taken(), likewise */
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

#if NR
/*
 * evfd_file_try_take(), evfd_file_take_slow(). A copy that faults is tried again
 * once if the reader was woken, who has passed the wake on by then. Else it is
 * -EFAULT, or the page does not come before all else has ended.
 */
proctype reader(byte me)
{
	byte c;
	bit intr, waited;
#ifdef M_COMMIT_FIRST
	byte n;
#endif

again:	c = count;
	do
	:: c == 0 ->
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
			pass_on();
			atomic { waited = 0; c = count }
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
		count = count - TAKE(c); balance = balance - TAKE(c);
		c = 0; waited = 0; break }
	:: atomic { c > 0 && TAKE(count) != TAKE(c) -> c = count };
#if SIGNALS
		/* only a fatal signal, but any could be one */
		if
		:: sig[me] -> c = 0; pass_on(); atomic { waited = 0; goto interrupted }
		:: true
		fi
#endif
#endif
#endif
	od;
#ifndef M_TAKE_SILENT
	taken();
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
/* evfd_file_add(), evfd_file_add_slow(), evfd_ctx_add() */
proctype writer(byte me; byte amount)
{
	bit intr;

again:	do
#ifdef M_WAKE_FIRST
	:: CAN_ADD(count, amount) ->
		added(amount);
		if
		:: atomic { CAN_ADD(count, amount) ->
			count = count + amount; balance = balance + amount; break }
		:: else
		fi
#else
	:: atomic { CAN_ADD(count, amount) ->
		count = count + amount; balance = balance + amount; break }
#endif
	:: !CAN_ADD(count, amount) ->
		wait_event(writers, WSORTED, CAN_ADD(count, amount));
		if
		:: intr -> goto interrupted
		:: else
		fi
	od;
#ifndef M_WAKE_FIRST
	added(amount);
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

/* ---- the rest of the kernel ---- */

#if NS
/* evfd_signal_mask(), evfd_ctx_signalled() */
proctype signal()
{
	do_signal();
#if HARDIRQ
	if
	:: PACTIVE -> wake_later(IN)
	:: else ->
		if
		:: RACTIVE -> wake_later(IN)
		:: else
		fi
	fi
#else
	added(1)
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
			if
			:: ev & OUT -> taken()
			:: else
			fi;
#ifdef M_DEFER_ONE
			c = 1;
#endif
			if
			:: (ev & IN) && c > 0 -> added(c)
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
	if
	:: atomic { count > 0 && !OUT_CHANGES -> do_take() };
#ifndef M_DO_READ_EDGE
		if
		:: WACTIVE -> taken()
		:: else
		fi
#endif
	:: atomic { count > 0 && OUT_CHANGES -> do_take() };
		taken()
	:: count == 0
	fi
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

/*
 * When nothing can move, whoever still sleeps must have a reason to.
 */
proctype monitor()
{
	byte t;

	timeout;
	d_step {
		assert(balance == count);
		do
		:: t < NR -> assert(!asleep[t] || count == 0); t++
		:: t >= NR && t < NR + NW ->
			assert(!asleep[t] || !CAN_ADD(count, AMOUNT(t - NR))); t++
		:: t >= NR + NW && t < TASKS ->
			assert(!asleep[t] || !(POLL(count) & WANT(t - NR - NW))); t++
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
		:: t >= NR + NW && t < TASKS -> run poller(t, WANT(t - NR - NW)); t++
#endif
		od;
		t = 0;
#if NS
		do
		:: t < NS -> run signal(); t++
		:: else -> break
		od;
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
