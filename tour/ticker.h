/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A ticker for the chapters that need an interrupt: samples/evfd_ticker.c, which
 * signals an evfd from a timer's interrupt. tour.h comes first.
 */
#ifndef EVFD_TOUR_TICKER_H
#define EVFD_TOUR_TICKER_H

#include "../samples/evfd_ticker.h"

/* Returns the ticker's descriptor; closing it stops the ticks. */
static inline int ticker_start(int fd, uint64_t period_ns)
{
	struct evfd_ticker_start start = { .fd = fd, .period_ns = period_ns };
	int ticker = open("/dev/evfd-ticker", O_RDWR | O_CLOEXEC);

	must(ticker >= 0);
	must(ioctl(ticker, EVFD_TICKER_START, &start) == 0);
	return ticker;
}

#endif /* EVFD_TOUR_TICKER_H */
