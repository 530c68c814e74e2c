/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 8 bytes from and to user memory, for file.c and shared_file.c.
 *
 * Uses nothing of evfd.
 */
#ifndef _EVFD_USER_H
#define _EVFD_USER_H

#include <linux/kconfig.h>
#include <linux/types.h>
#include <linux/uaccess.h>

/*
 * A single access is the fast way to copy 8 bytes. eventfd takes any alignment,
 * so only machines that do not care about alignment use it.
 */
#define EVFD_SINGLE_ACCESS \
	(IS_ENABLED(CONFIG_64BIT) && \
	 IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS))

static __always_inline bool evfd_copy_from_user(u64 *n, const char __user *buf)
{
	if (EVFD_SINGLE_ACCESS)
		return !get_user(*n, (const u64 __user *)buf);
	return !copy_from_user(n, buf, sizeof(*n));
}

static __always_inline bool evfd_copy_to_user(char __user *buf, u64 n)
{
	if (EVFD_SINGLE_ACCESS)
		return !put_user(n, (u64 __user *)buf);
	return !copy_to_user(buf, &n, sizeof(n));
}

#endif /* _EVFD_USER_H */
