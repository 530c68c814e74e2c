/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ioctls of /dev/evfd-consumer, for evfd_consumer.c and for programs. An open
 * /dev/evfd-consumer is one consumer; closing it detaches it.
 */
#ifndef _EVFD_CONSUMER_H
#define _EVFD_CONSUMER_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct evfd_consumer_stats - what a consumer has done since it was attached
 * @consumed: the sum of the values that it read.
 * @attached: whether it still waits for the evfd. The evfd's last close
 *	detaches it.
 * @__reserved: 0.
 */
struct evfd_consumer_stats {
	__aligned_u64 consumed;
	__u32 attached;
	__u32 __reserved;
};

/*
 * The argument is an evfd's descriptor itself. EBUSY: it is attached. EBADF,
 * EINVAL: that is no evfd.
 */
#define EVFD_CONSUMER_ATTACH	_IO(0xEF, 0x58)
/* EINVAL: it is not attached. After this it does not read any more. */
#define EVFD_CONSUMER_DETACH	_IO(0xEF, 0x59)
/* Also of one that has been detached. */
#define EVFD_CONSUMER_STATS	_IOR(0xEF, 0x5a, struct evfd_consumer_stats)

#endif /* _EVFD_CONSUMER_H */
