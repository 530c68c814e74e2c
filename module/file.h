/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What file.c offers to dev.c and to the KUnit tests.
 */
#ifndef _EVFD_FILE_H
#define _EVFD_FILE_H

#include <linux/types.h>

struct file;

/* After so many lost copies, a read makes writers and signals wait. */
#define EVFD_READ_TRIES	8

struct file *evfd_file_alloc(u64 initval, u64 flags);

#endif /* _EVFD_FILE_H */
