/* SPDX-License-Identifier: GPL-2.0-only */
/* read(2) and write(2): module/file.c, and evfd_ctx_wait_*() of module/ctx.c. */

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
/* evfd_ctx_wait_readable(), evfd_shared_wait_readable() */
inline wait_readable()
{
#ifdef M_CHECK_FIRST
	wait_event(readers, 0, count > 0)
#else
	do
	:: true ->
		d_step { readers!me; asleep[me] = 1 } ARM(IN);
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

/*
 * evfd_file_try_read() and __evfd_file_try_read(), evfd_file_read_slow();
 * evfd_shared_try_read(), evfd_shared_do_file_read(). After a
 * fault, a woken reader passes its wakeup on and tries again; a reader that held
 * the gate tries again without it. Otherwise the read ends, with -EFAULT or to
 * wait for a page that comes after all else has ended.
 */
proctype reader(byte me)
{
	byte c;
	bit intr, waited;
	LOCALS
#if GATE
	byte losses, gated_losses;
	bit gated, faulted;
#endif
#ifdef M_READ_FIRST
	byte n;
#endif

again:	c = count;
	do
	:: c == 0 ->
		LEAVE_GATE
		FATAL
		wait_readable();
		if
		:: intr -> goto interrupted
		:: else -> atomic { c = count; waited = WOKEN }
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
#ifdef M_READ_FIRST
	:: atomic { c > 0 && count == c -> n = READ(c); count = c - n; c = 0; break }
	:: atomic { c > 0 && count != c -> c = count }
#else
#ifdef M_NO_CAS
	:: atomic { c > 0 -> count = c - READ(c); balance = balance - READ(c); c = 0;
		break }
#else
	:: atomic { c > 0 && READ(count) == READ(c) ->
		count = count - READ(c); balance = balance - READ(c); edge(OUT);
		c = 0; waited = 0; break }
	:: atomic { c > 0 && READ(count) != READ(c) -> c = count };
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
		/* only a fatal signal; here each may be one */
		if
		:: sig[me] && !GATED ->
			c = 0; PASS_WOKEN; atomic { waited = 0; goto interrupted }
		:: true
		fi
#endif
#endif
#endif
	od;
#ifndef M_GATE_WAKE
	LEAVE_GATE
#endif
#ifndef M_READ_SILENT
	notify_writers();
#endif
#ifdef M_GATE_WAKE
	LEAVE_GATE
#endif
#ifdef M_READ_FIRST
	if
	:: atomic { faults > 0 -> faults-- }	/* -EFAULT: n is lost */
	:: balance = balance - n
	fi;
#endif
	goto out;

interrupted:
	/* The handler runs; the program or SA_RESTART may try again. */
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
/*
 * evfd_file_write_one(), evfd_file_write_slow(), evfd_ctx_try_write();
 * evfd_shared_write_one(), evfd_shared_write_slow(), evfd_shared_try_write()
 */
proctype writer(byte me; byte amount)
{
	bit intr;
	LOCALS
#if WRITES > 1
	byte writes = WRITES;
#endif
#ifdef M_WRITE_QUIET
	bit quiet;
#endif

again:	PASS_GATE
	do
#ifdef M_WAKE_FIRST
	:: CAN_WRITE(count, amount) ->
		notify_readers(amount, IN);
		if
		:: atomic { CAN_WRITE(count, amount) ->
			count = count + amount; balance = balance + amount; break }
		:: else
		fi
#else
	:: atomic { CAN_WRITE(count, amount) ->
#ifdef M_WRITE_QUIET
		quiet = (count > 0);
#endif
		count = count + amount; balance = balance + amount; edge(IN); break }
#endif
	:: !CAN_WRITE(count, amount) ->
		wait_event(writers, WSORTED, CAN_WRITE(count, amount));
		if
		:: intr -> goto interrupted
		:: else
		fi;
		PASS_GATE
	od;
#if defined(M_WRITE_QUIET)
	if
	:: quiet
	:: else -> notify_readers(amount, IN)
	fi;
#elif !defined(M_WAKE_FIRST)
	notify_readers(amount, IN);
#endif
#if WRITES > 1
	if
	:: writes > 1 -> writes--; goto again
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
