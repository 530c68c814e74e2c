// SPDX-License-Identifier: GPL-2.0-only
/*
 * GLib: threads add idle sources to the main loop of another thread, each of
 * which wakes that up (g_main_context_wakeup()). See client.h.
 */
#include <glib.h>

#include "client.h"

static int running = THREADS;

static gboolean handle(gpointer data)
{
	running -= requester_answer(data);
	return G_SOURCE_REMOVE;
}

static void post(struct requester *r)
{
	/* For the default context, which is main()'s. */
	g_idle_add_full(G_PRIORITY_DEFAULT, handle, r, NULL);
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

	for (i = 0; i < THREADS; i++)
		requester_start(&requesters[i], thread);
	while (running)
		g_main_context_iteration(NULL, TRUE);
	for (i = 0; i < THREADS; i++)
		handled += requester_join(&requesters[i]);

	print_descriptors();
	printf("%d idle sources from %d threads\n", handled, THREADS);
	return handled != THREADS * ROUNDS;
}
