/* SPDX-License-Identifier: GPL-2.0-only */
/* poll(2), and epoll(7) with EPOLLET. */

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
 * epoll with EPOLLET, which stays on the queue. The program neither reads nor
 * writes: it may have had -EAGAIN for more than there is room, or leave the count
 * as it is. So it must be told of each read, or of each write; this clears news.
 * The poll in ep_insert() is left out, poller() has it.
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
