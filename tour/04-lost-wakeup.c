// SPDX-License-Identifier: GPL-2.0-only
/*
 * A signal that comes just when a reader goes to sleep. The reader waits a
 * little before each read, a different time in each round, so that sooner or
 * later an interrupt falls into every gap.
 */
#include <time.h>

#include "tour.h"

#define PERIOD_NS	200000
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
	int i;

	for (i = 0; i < ROUNDS; i++) {
		uint64_t until = now() + PERIOD_NS / 2 +
				 (uint64_t)i * 7919 % (PERIOD_NS / 2);

		while (now() < until)
			;
		READ(fd);
	}
	close(ticker);
}
