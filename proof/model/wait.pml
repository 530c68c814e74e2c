/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Wait queues, task states and task signals, as in kernel/sched/wait.c and core.c.
 * A wakeup takes the tasks that it makes runnable off the queue, in order, and
 * skips those that run already. A pending signal keeps a task from sleeping. The
 * calling task is me.
 */

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

/* prepare_to_wait_event(): leaves the queue if a signal is pending, else sleeps on it */
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
 * ___wait_event() and finish_wait(). Sets intr for -ERESTARTSYS. There is no check
 * of the condition before the first queueing: that only saves work. With EVFD_SHARED,
 * evfd_shared_wait_writable() arms in evfd_shared_may_write(), its condition.
 */
inline wait_event(q, sorted, condition)
{
#ifdef M_CHECK_FIRST
	/* Checks before it queues, and not after. */
	if
	:: condition
	:: else ->
		d_step { q!me; asleep[me] = 1 };
end_sleep:	d_step { !asleep[me] || sig[me] -> asleep[me] = 0; dequeue(q) }
	fi
#else
	prepare_to_wait(q, sorted) ARM(OUT);
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
end_sleep:	atomic { !asleep[me] || sig[me] -> prepare_to_wait(q, sorted) } ARM(OUT)
	od
#endif
}
