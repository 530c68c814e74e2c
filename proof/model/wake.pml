/* SPDX-License-Identifier: GPL-2.0-only */
/* module/ctx.c: a change of the count wakes the tasks that wait for it. */

/* evfd_ctx_defer_wakeup(): the first event queues the counter for the worker. */
inline defer_wakeup(ev)
{
#ifndef M_NO_DEFER
	if
#ifndef M_LIST_ALWAYS
	:: d_step { events -> events = events | ev }
	:: d_step { !events -> events = ev };
#else
	:: d_step { events = events | ev };
#endif
		d_step { assert(!queued && !turn); queued = 1 };
		pending = 1
	fi
#else
	skip
#endif
}

/*
 * A loop around evfd_ctx_update() is one step, in which it succeeds or gives up,
 * since its failed attempts change nothing. This is so here, in do_signal() and in
 * writer(). In reader() it is not: a read copies in its loop.
 */

/* The update of evfd_ctx_do_read() */
inline try_read()
{
	d_step {
		x = READ(count);
		count = count - x;
		balance = balance - x;
		edge(OUT)
	}
}

/* For M_READ_QUIET: true if this read changes EPOLLOUT */
#define OUT_CHANGES ((POLL(count) ^ POLL(count - READ(count))) & OUT)

/*
 * evfd_ctx_pass_gate(): a writer or a signal waits until no reader holds the gate.
 * This is a step of its own, so a reader can close the gate right after it.
 */
#if GATE && !defined(M_GATE_OPEN)
#define PASS_GATE !gate;
#else
#define PASS_GATE
#endif

/* The update of evfd_signal_mask(), evfd_signal_overflow(), with evfd_count_signal() */
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
/* A callback on the pollers' queue, in which evfd_wake_must_defer() is true */
inline callback()
{
	assert(!kgone);
#if MASK
	untold = (untold && (tell & MASK) != MASK);
#endif
	if
	:: true
#ifdef M_READ_QUIET
	:: atomic { count > 0 && !OUT_CHANGES -> try_read() }
	:: atomic { count > 0 && OUT_CHANGES -> try_read() };
#else
	:: atomic { count > 0 -> try_read() };
#endif
		defer_wakeup(ROOM)	/* never skipped: its own queue is not empty */
#ifdef M_SIGNAL_ALWAYS
	:: do_signal(0);
#else
	:: atomic { ksignals > 0 -> ksignals--; PASS_GATE do_signal(0) };
#endif
		defer_wakeup(IN)
	fi
}
#endif

/*
 * evfd_ctx_wake_pollers(); pollwake(). AIO and io_uring complete with the events
 * that they are told, so these must be true.
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

/* evfd_ctx_wake_reader_queue(), evfd_ctx_wake_n_readers() */
inline wake_reader_queue(n)
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

/* evfd_ctx_notify_readers(), evfd_ctx_wake_readers(); each queue is checked once */
inline notify_readers(n, ev)
{
#if NP || KWAIT
	if
	:: PACTIVE -> wake_pollers((ev), ((n) > 0 -> IN : 0))
	:: else
	fi;
#endif
	wake_reader_queue(n)
}

/* evfd_ctx_end_read(), evfd_ctx_notify_writers(), evfd_ctx_wake_writers() */
inline notify_writers()
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

/* evfd_ctx_pass_on(), evfd_shared_pass_on() */
inline pass_on()
{
#ifndef M_NO_PASS_ON
	if
	:: count > 0 -> wake_reader_queue(1)
	:: else
	fi
#else
	skip
#endif
}
