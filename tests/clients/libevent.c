// SPDX-License-Identifier: GPL-2.0-only
/*
 * libevent: threads make events of a loop of another thread active, which
 * notifies the loop (evthread_make_base_notifiable()). See client.h.
 */
#include <event2/event.h>
#include <event2/thread.h>

#include "client.h"

static struct event_base *base;
static int running = THREADS;

static void handle(evutil_socket_t fd, short what, void *data)
{
	(void)fd;
	(void)what;
	if (requester_answer(data) && !--running)
		event_base_loopbreak(base);
}

static void post(struct requester *r)
{
	event_active(r->handle, EV_READ, 0);
}

static void *thread(void *data)
{
	requester_run(data, post);
	return NULL;
}

int main(void)
{
	struct requester requesters[THREADS] = { 0 };
	int i, handled = 0;

	if (evthread_use_pthreads())
		errx(1, "evthread_use_pthreads");
	base = event_base_new();
	if (!base || evthread_make_base_notifiable(base))
		errx(1, "evthread_make_base_notifiable");
	for (i = 0; i < THREADS; i++) {
		requesters[i].handle = event_new(base, -1, EV_PERSIST, handle,
						 &requesters[i]);
		if (!requesters[i].handle)
			errx(1, "event_new");
		requester_start(&requesters[i], thread);
	}
	if (event_base_loop(base, EVLOOP_NO_EXIT_ON_EMPTY))
		errx(1, "event_base_loop");
	for (i = 0; i < THREADS; i++)
		handled += requester_join(&requesters[i]);

	print_descriptors();
	for (i = 0; i < THREADS; i++)
		event_free(requesters[i].handle);
	event_base_free(base);
	printf("%d event_active from %d threads\n", handled, THREADS);
	return handled != THREADS * ROUNDS;
}
