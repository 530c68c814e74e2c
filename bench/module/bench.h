/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ABI of /dev/evfd_bench, for evfd_bench.c and the programs that call it.
 */
#ifndef _EVFD_BENCH_ABI_H
#define _EVFD_BENCH_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

enum evfd_bench_op {
	EVFD_BENCH_SIGNAL,	/* @n in-kernel signals */
	EVFD_BENCH_WRITE,	/* @n writes of 1, through the file's operation */
	EVFD_BENCH_PAIR,	/* @n writes of 1 and reads */
	EVFD_BENCH_EAGAIN,	/* @n reads of a non-blocking 0 */
	EVFD_BENCH_POLL,	/* @n polls that do not wait */
};

/**
 * struct evfd_bench - one round of a measurement inside the kernel
 * @fd: an evfd, an eventfd, or -1 for the loop alone
 * @op: one of enum evfd_bench_op
 * @n: how often
 * @buf: the user buffer of reads and writes, 8 bytes
 * @ns: out: how long it took
 * @bad: out: how many had an unexpected result
 */
struct evfd_bench {
	__s32 fd;
	__u32 op;
	__u32 n;
	__u32 bad;
	__u64 buf;
	__u64 ns;
};

#define EVFD_BENCH_RUN	_IOWR(0xEF, 0x40, struct evfd_bench)

#endif /* _EVFD_BENCH_ABI_H */
