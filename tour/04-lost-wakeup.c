// SPDX-License-Identifier: GPL-2.0-only
/*
 * A signal that comes just when a reader goes to sleep. A timer signals once in
 * each period; each read begins a step later in its period than the one before,
 * so the interrupt falls into each gap of the read.
 */
#include <time.h>

#include "tour.h"

#define PERIOD_NS	100000
#define STEP_NS		5
#define ROUNDS		4000

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

void tour(void)
{
	int fd = EVFD(0, 0);
	int ticker = ticker_start(fd, PERIOD_NS);
	uint64_t begin = now() + PERIOD_NS - ROUNDS * STEP_NS;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		while (now() < begin)
			;
		/* Steps of a few instructions; the clock's are coarser. */
		for (volatile int fine = i % 64; fine; fine--)
			;
		READ(fd);
		begin += PERIOD_NS + STEP_NS;
	}
	close(ticker);
}
