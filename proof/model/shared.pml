/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The waiting protocol of a counter with EVFD_SHARED, for spin. See ../README.md.
 *
 * The count and the armed bits are in a page that programs map. A program posts or
 * takes by itself, and enters the kernel, to kick, only if a bit is set. A waiter
 * queues itself, sets its bit, checks the count. A kick, a write, a read or a signal
 * wakes, and clears the bit if no waiter needs the next kick.
 *
 * Pollers come in two kinds. Those of poll(2) and epoll(7) poll again before they
 * rely on being told once more, and set the bit as they do: pollers. Others never
 * do (io_uring's multishot polls, in-kernel callbacks), or may be passed over
 * (EPOLLEXCLUSIVE): keen. While one of these or a reader is queued, the bit stays.
 *
 * Readers, writers, in-kernel signals and reads, task signals and faults are those
 * of evfd.pml. Checked is what evfd.pml checks, but an edge-triggered poller is
 * told once of what changes before it polls again; and, beside an attacker, that a
 * kick and a signal end after a bounded number of steps; and with LEFTOVER, that an
 * update by the kernel clears a bit that no waiter needs.
 */
#define STICKY 32	/* never polls again; with EDGE, as it is told of each change */
#define EXCLUSIVE 64	/* EPOLLEXCLUSIVE; may stop polling when it was told */
#define NESTED 128	/* with EDGE: of an edge-triggered set around a level-triggered
			   one that the program empties, see struct evfd_page */
#define LEVEL 256	/* level-triggered epoll, whose program takes */
#define IN_STICKY (IN | EDGE | STICKY)
#define OUT_STICKY (OUT | EDGE | STICKY)
#define IN_EXCLUSIVE (IN | EXCLUSIVE)
#define IN_NESTED (IN | EDGE | NESTED)
#define IN_LEVEL (IN | LEVEL)

/*
 * In file.pml and kernel.pml, what a shared counter does in addition: waiters arm,
 * as in evfd_shared_wait_readable() and evfd_shared_wait_writable().
 */
#define LOCALS byte seen, bits, passes; bit cleared, joined, found, added;
#ifdef M_WAIT_NO_ARM
#define ARM(ev)
#else
#define ARM(ev) ; armed = armed | ev
#endif

/* In reader(), what evfd_shared_do_file_read() does after a fatal signal. */
#define WOKEN 1
#define PASS_WOKEN if :: waited -> pass_on() :: else fi
#if SIGNALS
#define FATAL if :: sig[me] -> PASS_WOKEN; atomic { waited = 0; goto interrupted } \
	:: true fi;
#else
#define FATAL
#endif

#include "state.pml"

#ifndef POSTERS
#define POSTERS 0	/* programs that post POSTS times */
#endif
#ifndef POSTS
#define POSTS 1
#endif
#ifndef AMOUNT_POSTED
#define AMOUNT_POSTED 1
#endif
#ifndef TAKERS
#define TAKERS 0	/* programs that take */
#endif
#ifndef KILLS
#define KILLS 0		/* posters that are killed before they kick */
#endif
#ifndef SCRIBBLES
#define SCRIBBLES 0	/* how often a program changes the armed bits */
#endif
#ifndef ATTACK
#define ATTACK 0	/* a program changes all that it can, for ever */
#endif
#ifndef PAST
#define PAST 0		/* posts at once may pass MAX, which is EVFD_SHARED_MAX */
#endif
#ifndef WRITES_0
#define WRITES_0 0	/* posters kick with a write of 0 */
#endif
#ifndef LEFTOVER
#define LEFTOVER 0	/* at the end, a write or a read that nobody waits for */
#endif
#define TRIES 2		/* EVFD_SHARED_TRIES */

byte armed;		/* IN is EVFD_ARMED_ADD, OUT is EVFD_ARMED_TAKE */
byte nkeen;
byte kills = KILLS;

#if defined(M_STICKY_POLLS_AGAIN)
#define KEEN(w) (((w) & EXCLUSIVE) > 0)
#elif defined(M_EXCLUSIVE_POLLS_AGAIN)
#define KEEN(w) (((w) & STICKY) > 0)
#else
#define KEEN(w) (((w) & (STICKY | EXCLUSIVE)) > 0)
#endif
#define KIND(t) WANT((t) - NR - NW)
#define EVENTS(w) ((w) & (IN | OUT))

/* Under the lock of a queue of pollers: tells those that wait for ev. */
inline walk(keen, ev)
{
	k = NR + NW;
	nleft = 1;
	do
	:: k < TASKS ->
		if
		:: !polls[k] || KEEN(KIND(k)) != keen || !(KIND(k) & ev)
		:: else ->
			if
			:: KIND(k) & STICKY -> news[k] = 0
			:: KIND(k) & EXCLUSIVE ->
				/* the first that sleeps is the last that is told */
				triggered[k] = triggered[k] || nleft;
				nleft = nleft && !asleep[k];
				asleep[k] = asleep[k] && !triggered[k]
			:: else -> triggered[k] = 1
			fi
		fi;
		k++
	:: else -> break
	od;
	k = 0
}

/*
 * CAN_WRITE is evfd_shared_has_room(), POLL is evfd_shared_events(). This is of
 * evfd_shared_wake_queue(): an add of 0 is told of, whatever the count is.
 */
#define HOLDS(ev) ((ev == IN && seen == 0) || (POLL(count) & ev))

/* evfd_shared_tell_sticky_added(), evfd_shared_tell_sticky_taken(): the pollers */
inline tell_keen(ev)
{
	d_step {
		if
		:: nkeen > 0 && HOLDS(ev) -> walk(1, ev)
		:: else
		fi
	}
}

#include "wait.pml"
#include "wake.pml"

#define KEENS (NP && ((W0 | W1 | W2) & (STICKY | EXCLUSIVE)))

/* Checks q, then the queue of the keen: sets found if a waiter needs the bit. */
inline needs_bit(q)
{
	found = (len(q) > 0);
#if KEENS
	if
	:: found
	:: else -> found = (nkeen > 0)
	fi
#endif
}

/*
 * evfd_shared_disarm(). If ev still holds and no waiter needs the bit, clears it:
 * cleared is EVFD_CLEARED. If such a waiter joined meanwhile, sets the bit again;
 * joined is EVFD_SET_AGAIN.
 */
inline disarm(q, ev)
{
	if
	:: !(POLL(count) & ev)
	:: else ->
		needs_bit(q);
		if
		:: found
		:: else ->
			d_step { armed = armed & (3 - ev); cleared = 1 };
#ifndef M_NO_RECHECK
			needs_bit(q);
			if
			:: found ->
#ifndef M_NO_SET_AGAIN
				armed = armed | ev;
#endif
				joined = 1
			:: else
			fi
#endif
		fi;
		found = 0
	fi
}

/*
 * evfd_shared_tell_pollers(). If their bit was cleared, pollers are told, whatever
 * the count is by now.
 */
inline tell_pollers(ev)
{
	d_step {
		if
#ifdef M_WALK_CHECKS
		:: HOLDS(ev) -> walk(0, ev)
#else
		:: cleared || HOLDS(ev) -> walk(0, ev)
#endif
		:: else
		fi;
		cleared = 0
	}
}

/* A write of 0 waits, too, above the limit; it needs no more than this. */
#define ROOM_AGAIN(c) CAN_WRITE(c, 0)

/*
 * evfd_shared_tell_added(), evfd_shared_tell_taken(). Wakes those that wait for ev: a
 * count of which seen was added, or room. A waiter that joined while the bit was
 * clear may have missed a post, so the count is checked once more. Once only: others
 * could keep a loop going.
 */
inline tell(q, ev)
{
	passes = 0;
	do
	:: passes++;
		assert(passes <= 2);
		tell_keen(ev);
		if
		:: ev == IN -> wake_reader_queue(seen)
		:: ev == OUT && WACTIVE -> wake_up(writers, ALL, ALL)
		:: else
		fi;
#ifndef M_LOOP
		if
		:: passes == 2 -> break
		:: else
		fi;
#endif
#ifdef M_DISARM_LAST
		tell_pollers(ev);
		disarm(q, ev);
#else
		disarm(q, ev);
		tell_pollers(ev);
#endif
		if
#ifndef M_NO_LOOK_AGAIN
		:: joined ->
			d_step { joined = 0; seen = count };
			if
			:: ev == IN && seen == 0 -> break
			:: ev == OUT && !ROOM_AGAIN(seen) -> break
			:: else
			fi
#endif
		:: else -> break
		fi
	od;
	atomic { seen = 0; passes = 0; cleared = 0; joined = 0 }
}

/* evfd_shared_kick(), with n of EVFD_IOC_KICK; added is what it returns */
inline kick(n)
{
	bits = armed;
	d_step {
		seen = count;
#ifdef M_CLEAR_AT_ZERO
		armed = armed & ~(bits & IN & ~POLL(seen));
#endif
		bits = bits & (IN * (seen > 0) + OUT * ((n) == 0 && ROOM_AGAIN(seen)));
		seen = ((n) > 0 && (n) < seen -> (n) : seen)
#ifdef M_KICK_ONE
		; seen = 1
#endif
	};
	if
	:: bits & IN -> tell(readers, IN)
#if WRITES_0
		; added = 1
#endif
	:: else -> seen = 0
	fi;
	if
	:: bits & OUT -> tell(writers, OUT)
	:: else
	fi;
	bits = 0
}

/*
 * evfd_shared_anybody(): sets found. The kernel's own changes check the queues, and a
 * bit only in addition: one that a waiter left behind is cleared.
 */
inline anybody(q, ev)
{
#ifdef M_TRUST_BITS
	found = ((armed & (ev)) > 0)
#else
	found = (npolls > 0);
	if
	:: found
	:: else -> needs_bit(q)
	fi;
#ifndef M_QUEUES_ONLY
	if
	:: found
	:: else -> found = ((armed & (ev)) > 0)
	fi
#endif
#endif
}

/* evfd_shared_notify_readers(), evfd_shared_notify_writers() */
inline notify_shared(q, ev, n)
{
	anybody(q, ev);
	if
	:: found -> d_step { found = 0; seen = n }; tell(q, ev)
	:: else
	fi
}

#define notify_readers(n, ev) notify_shared(readers, IN, n)
#define notify_writers() notify_shared(writers, OUT, 0)
#include "file.pml"
#include "kernel.pml"

/* ---- programs ---- */

#if POSTERS
proctype poster()
{
	LOCALS
	byte n = POSTS;
	bit look;

	do
	:: n == 0 || !CAN_WRITE(count, AMOUNT_POSTED) -> break
	/* evfd_post() may see the bit before it posts; then it writes instead */
	:: n > 0 && (armed & IN) ->
		if
		:: atomic { CAN_WRITE(count, AMOUNT_POSTED) ->
			n--; count = count + AMOUNT_POSTED;
			balance = balance + AMOUNT_POSTED; edge(IN) };
#ifndef M_POST_WRITES_SILENTLY
			notify_readers(AMOUNT_POSTED, IN)
#endif
		:: else -> break
		fi
#ifdef M_POST_LOOKS_FIRST
	:: n > 0 -> look = ((armed & IN) > 0);
		if
		:: atomic { CAN_WRITE(count, AMOUNT_POSTED) ->
			n--; count = count + AMOUNT_POSTED;
			balance = balance + AMOUNT_POSTED; edge(IN) }
		:: else -> break
		fi;
#else
#if PAST
	:: n > 0 && CAN_WRITE(count, AMOUNT_POSTED) -> n--;
		atomic { count = count + AMOUNT_POSTED;
			balance = balance + AMOUNT_POSTED; edge(IN) };
#else
	:: atomic { n > 0 && CAN_WRITE(count, AMOUNT_POSTED) ->
			n--; count = count + AMOUNT_POSTED;
			balance = balance + AMOUNT_POSTED; edge(IN) };
#endif
		/* a full barrier */
		look = ((armed & IN) > 0);
#endif
		if
		/* evfd_shared_vm_close(): killed at any time, its mapping ends */
		:: kills > 0 -> kills--; n = 0;
#ifndef M_NO_CLOSE
			kick(0)
#endif
#if WRITES_0
		/* evfd_shared_write_0() */
		:: look -> kick(0);
			if
			:: added -> added = 0
			:: else -> notify_readers(0, IN)
			fi
#else
		:: look -> kick(AMOUNT_POSTED)
#endif
		:: !look
		fi
	od
}
#endif

/* What a program takes in user space. */
inline take()
{
	if
	:: atomic { count > 0 -> try_read() };
		if
#ifndef M_TAKE_NO_KICK
		:: armed & OUT -> kick(0)
#endif
		:: else
		fi
	:: count == 0
	fi
}

#if TAKERS
proctype taker()
{
	LOCALS

	take()
}
#endif

/*
 * evfd_shared_poll(): the first one queues, in evfd_shared_poll_queue(); KEEN is
 * evfd_shared_polls_again(). Each arms, then checks the count.
 */
#if defined(M_REPOLL_NO_ARM)
#define ARMS(first) (first)
#elif defined(M_ARM_NOT_READY)
#define ARMS(first) !(POLL(count) & EVENTS(want))
#elif defined(M_ARM_EDGE_ONLY)
#define ARMS(first) (!(POLL(count) & EVENTS(want)) || (want & (EDGE | NESTED)) == EDGE)
#else
#define ARMS(first) true
#endif

/* evfd_shared_arm() */
inline arm(first)
{
	if
	:: ARMS(first) -> armed = armed | EVENTS(want)
	:: else
	fi
}

inline look()
{
	d_step { ready = ((POLL(count) & EVENTS(want)) > 0); news[me] = 0 }
}

inline poll(first)
{
	if
	:: first -> d_step { polls[me] = 1;
			nkeen = nkeen + KEEN(want); npolls = npolls + 1 - KEEN(want) }
	:: else
	fi;
#ifdef M_LOOK_FIRST
	look();
	arm(first)
#else
	arm(first);
	look()
#endif
}

#if NP
proctype poller(byte me; short want)
{
	LOCALS
	bit ready;

	poll(1);
	do
	:: want & STICKY -> break
	:: want & EDGE ->
end_edge:	d_step { triggered[me] -> triggered[me] = 0 };
		poll(0)
	:: (want & LEVEL) && ready -> take(); poll(0)
	:: (want & EXCLUSIVE) && ready -> take();
		if
		:: poll(0)
		:: break
		fi
	:: !(want & (STICKY | EDGE | LEVEL | EXCLUSIVE)) && ready -> break
	:: !(want & EDGE) && !ready ->
		d_step { asleep[me] = !triggered[me] };
end_sleep:	d_step { triggered[me] -> triggered[me] = 0; asleep[me] = 0 };
		poll(0)
	od;
	/* poll_freewait(), or the end of an epoll set */
	if
	:: want & STICKY
	:: else -> d_step { polls[me] = 0; triggered[me] = 0; news[me] = 0;
			nkeen = nkeen - KEEN(want); npolls = npolls - (1 - KEEN(want)) }
	fi
}
#endif

#if SCRIBBLES
proctype scribbler()
{
	byte n = SCRIBBLES;

	do
	:: n > 0 -> n--; armed = 0
	:: n > 0 -> n--; armed = 3
	:: break
	od
}
#endif

#if ATTACK
/* Changes the page, and has a thread that joins and leaves the readers. */
active proctype attacker()
{
	byte me = TASKS;

end:	do
	:: count = 0
	:: count = 1
	:: count = MAX
	:: armed = 0
	:: armed = 3
	:: readers??[eval(me)] -> readers??eval(me)
	:: d_step { !readers??[eval(me)] -> readers!me }
	od
}
#endif

#if ATTACK
/*
 * evfd_shared_signal(): below the limit one addition, else a bounded loop with
 * evfd_shared_update()
 */
proctype attacked()
{
	LOCALS
	byte c = count, tries;	/* evfd_shared_count() */

	if
	:: c < MAX -> count = (count < OVERFLOW -> count + 1 : count)
	:: else ->
		do
		:: atomic { count == c -> count = c + (c < OVERFLOW); break }
		:: atomic { count != c -> c = count; tries++ };
			assert(tries <= TRIES);
#ifndef M_SIGNAL_LOOP
			if
			:: tries == TRIES -> break
			:: else
			fi
#endif
		od
	fi;
	notify_readers(1, IN)
}
#endif

/* ---- the checks ---- */

#define WAITERS(q) (len(q) > 0 || npolls > 0 || nkeen > 0)

proctype monitor()
{
	byte t;
#if LEFTOVER
	LOCALS

	timeout;
	if
	:: atomic { CAN_WRITE(count, 1) && !WAITERS(readers) ->
			count++; balance++; edge(IN) };
		notify_readers(1, IN);
		assert(!(armed & IN))
	:: atomic { count > 0 && !WAITERS(writers) -> try_read() };
		notify_writers();
		assert(!(armed & OUT))
	:: else
	fi;
#endif

	timeout;
	d_step {
		assert(balance == count);
		do
		:: t < NR -> assert(!asleep[t] || count == 0); t++
		:: t >= NR && t < NR + NW ->
			assert(!asleep[t] || !CAN_WRITE(count, AMOUNT(t - NR))); t++
		:: t >= NR + NW && t < TASKS ->
			assert(!asleep[t] || !(POLL(count) & EVENTS(KIND(t))));
			assert(!news[t] || !(POLL(count) & EVENTS(KIND(t)))); t++
		:: else -> break
		od
	}
}

init {
	byte t;

	atomic {
#if !ATTACK
		run monitor();
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
		:: t >= NR + NW && t < TASKS -> run poller(t, KIND(t)); t++
#endif
		od;
		t = 0;
#if POSTERS
		do
		:: t < POSTERS -> run poster(); t++
		:: else -> break
		od;
		t = 0;
#endif
#if TAKERS
		do
		:: t < TAKERS -> run taker(); t++
		:: else -> break
		od;
		t = 0;
#endif
#if NS
		do
#if ATTACK
		:: t < NS -> run attacked(); t++
#else
		:: t < NS -> run signal(); t++
#endif
		:: else -> break
		od;
		t = 0;
#endif
#if KREADS
		run kernel_reader();
#endif
#if SIGNALS
		run sender();
#endif
#if SCRIBBLES
		run scribbler();
#endif
		t = 0
	}
}
