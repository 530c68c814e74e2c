/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What debugfs.c offers to dev.c; nothing where the kernel has no debugfs.
 */
#ifndef _EVFD_DEBUGFS_H
#define _EVFD_DEBUGFS_H

#ifdef CONFIG_DEBUG_FS
void evfd_debugfs_init(void);
void evfd_debugfs_exit(void);
#else
static inline void evfd_debugfs_init(void) { }
static inline void evfd_debugfs_exit(void) { }
#endif

#endif /* _EVFD_DEBUGFS_H */
