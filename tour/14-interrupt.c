// SPDX-License-Identifier: GPL-2.0-only
/* A driver signals from its interrupt while the reader sleeps. */
#include "tour.h"

void tour(void)
{
	int fd = EVFD(0, 0);
	int ticker = ticker_start(fd, 50000000);

	READ(fd);
	close(ticker);
}
