/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The operations that take more than one system call. Uses base.h and async.h.
 * Each returns what its system call did.
 */
#ifndef FUZZ_WORLD_CALLS_H
#define FUZZ_WORLD_CALLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

long poll_some(int how, int fd, int fd2, int events, int timeout);
long poll_until_signal(int fd, int events);
long epoll_make(int slot, int flags);
long epoll_change(int op, int epfd, int fd, unsigned int events, uint64_t data);
long epoll_get(int epfd, int max, int timeout);
long epoll_until_signal(int epfd);
long blocked(int reads, int fd, char *buf, uint64_t val, int restart);
long pass_on(int fd, int to);
long in_child(int fd, uint64_t val, int reads);
long show_fdinfo(int fd);
long show_link(int fd);
long show_stat(int fd);
long reopen(int fd, int flags);
long map_it(int fd, int prot, int flags);
long splice_it(int fd, int how, size_t len, int flags);
long copy_it(int fd, int how, size_t len);
long lock_it(int fd, int cmd, int type);
long own_it(int fd, int cmd, int mine);
long dup_it(int fd, int cmd);
long ioctl_it(int fd, unsigned long cmd, int arg);
long fault_read(int how, int fd, const struct iovec *iov, int n);

#endif /* FUZZ_WORLD_CALLS_H */
