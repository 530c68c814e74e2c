/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations of the file of a counter with EVFD_SHARED, for the table in file.c. */
#ifndef _EVFD_SHARED_FILE_H
#define _EVFD_SHARED_FILE_H

#include <linux/poll.h>
#include <linux/types.h>

struct file;
struct iov_iter;
struct kiocb;
struct vm_area_struct;

ssize_t evfd_shared_read(struct file *file, char __user *buf, size_t len,
			 loff_t *ppos);
ssize_t evfd_shared_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t evfd_shared_write(struct file *file, const char __user *buf, size_t len,
			  loff_t *ppos);
ssize_t evfd_shared_write_one(struct file *file, int iocb_flags, u64 n);
__poll_t evfd_shared_poll(struct file *file, poll_table *wait);
int evfd_shared_mmap(struct file *file, struct vm_area_struct *vma);
long evfd_shared_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
#ifdef CONFIG_COMPAT
long evfd_shared_compat_ioctl(struct file *file, unsigned int cmd,
			      unsigned long arg);
#endif

void evfd_shared_file_init(void);

#endif /* _EVFD_SHARED_FILE_H */
