// SPDX-License-Identifier: GPL-2.0-only
/*
 * libuv: threads call uv_async_send() for a loop of another thread. See
 * client.h.
 */
#include <uv.h>

#include "client.h"

static int running = THREADS;

static void handle(uv_async_t *async)
{
	if (requester_answer(async->data) && !--running)
		uv_stop(async->loop);
}

static void post(struct requester *r)
{
	if (uv_async_send(r->handle))
		errx(1, "uv_async_send");
}

static void *thread(void *data)
{
	requester_run(data, post);
	return NULL;
}

int main(void)
{
	struct requester requesters[THREADS] = { 0 };
	uv_async_t asyncs[THREADS];
	int i, handled = 0;
	uv_loop_t loop;

	if (uv_loop_init(&loop))
		errx(1, "uv_loop_init");
	for (i = 0; i < THREADS; i++) {
		if (uv_async_init(&loop, &asyncs[i], handle))
			errx(1, "uv_async_init");
		asyncs[i].data = &requesters[i];
		requesters[i].handle = &asyncs[i];
		requester_start(&requesters[i], thread);
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	for (i = 0; i < THREADS; i++)
		handled += requester_join(&requesters[i]);

	print_descriptors();
	for (i = 0; i < THREADS; i++)
		uv_close((uv_handle_t *)&asyncs[i], NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&loop))
		errx(1, "uv_loop_close");
	printf("%d uv_async_send from %d threads\n", handled, THREADS);
	return handled != THREADS * ROUNDS;
}
