/* SPDX-License-Identifier: GPL-2.0-only */
/* In-kernel signals and reads, the worker, task signals. */

#if NS
/* evfd_signal_mask(), evfd_ctx_notify_signal(); evfd_shared_signal() */
proctype signal()
{
	LOCALS
	PASS_GATE
	do_signal(1);
#if HARDIRQ
	if
	:: PACTIVE -> defer_wakeup(IN | MASK)
	:: else ->
		if
		:: RACTIVE -> defer_wakeup(IN | MASK)
		:: else
		fi
	fi
#else
	notify_readers(1, IN | MASK)
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
		d_step { turn = queued; queued = 0 };
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
			:: ev & ROOM -> notify_writers()
			:: else
			fi;
#ifdef M_DEFER_ONE
			c = 1;
#endif
			ev = ev & (c > 0 -> IN | MASK : MASK);
			if
			:: ev -> notify_readers(c, ev)
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

/* evfd_ctx_do_read(), evfd_shared_do_read(), not in a callback */
inline do_read()
{
	if
#ifdef M_READ_QUIET
	:: atomic { count > 0 && !OUT_CHANGES -> try_read() };
		if
		:: WACTIVE -> notify_writers()
		:: else
		fi
	:: atomic { count > 0 && OUT_CHANGES -> try_read() };
		notify_writers()
#else
	:: atomic { count > 0 -> try_read() };
		notify_writers()
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

#if KREADS
proctype kernel_reader()
{
	LOCALS
	do_read()
}
#endif

#if SIGNALS
/* Sends signals to any tasks, at any time. */
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
