/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ioctls of /dev/evfd-ticker, for evfd_ticker.c and for programs. An open
 * /dev/evfd-ticker is one ticker; closing it stops it.
 */
#ifndef _EVFD_TICKER_H
#define _EVFD_TICKER_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct evfd_ticker_start - what to signal, and how often
 * @fd: an evfd.
 * @__reserved: must be 0.
 * @period_ns: nanoseconds between two ticks, at least EVFD_TICKER_MIN_NS.
 */
struct evfd_ticker_start {
	__s32 fd;
	__u32 __reserved;
	__aligned_u64 period_ns;
};

/* A tick is an interrupt: with shorter periods the CPU does little else. */
#define EVFD_TICKER_MIN_NS	100000

/**
 * struct evfd_ticker_stats - what a ticker has done since it was started
 * @ticks: how often it signalled.
 * @hardirqs: how often of these it was in a hard interrupt.
 */
struct evfd_ticker_stats {
	__aligned_u64 ticks;
	__aligned_u64 hardirqs;
};

/* EBUSY: it ticks. EBADF, EINVAL: @fd is no evfd, or another field is wrong. */
#define EVFD_TICKER_START	_IOW(0xEF, 0x50, struct evfd_ticker_start)
/* EINVAL: it does not tick. After this it does not signal any more. */
#define EVFD_TICKER_STOP	_IO(0xEF, 0x51)
/* Also of one that has been stopped. */
#define EVFD_TICKER_STATS	_IOR(0xEF, 0x52, struct evfd_ticker_stats)

#endif /* _EVFD_TICKER_H */
