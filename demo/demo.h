/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the demo programs share: evfd(), which takes the place of eventfd(), and
 * must(), which ends a program when a condition does not hold. Uses
 * uapi/linux/evfd.h. Read 01-sum.c first.
 *
 * evfd() is code in a header on purpose: each program is this file and one other,
 * compiled by one command, and there is no third file to read.
 */
#ifndef _DEMO_H
#define _DEMO_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/evfd.h>

#define DEVICE	"/dev/evfd"

/* Unlike assert() it is never compiled out, so @condition may be a call. */
#define must(condition)							\
	do {								\
		if (!(condition)) {					\
			fprintf(stderr, "%s:%d: not so: %s (errno: %s)\n", \
				__FILE__, __LINE__, #condition,		\
				strerror(errno));			\
			exit(1);					\
		}							\
	} while (0)

/* Makes a counter, as eventfd(initval, flags) does. The flags are EVFD_*. */
static inline int evfd(uint64_t initval, unsigned int flags)
{
	struct evfd_create arg = { .flags = flags, .initval = initval };
	static int dev = -1;

	if (dev < 0)
		dev = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (dev < 0) {
		fprintf(stderr, DEVICE ": %s (is the module loaded?)\n",
			strerror(errno));
		exit(1);
	}

	return ioctl(dev, EVFD_IOC_CREATE, &arg);
}

#endif /* _DEMO_H */
