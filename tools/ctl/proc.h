/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finding evfds in /proc: the links in fd/ tell which descriptors are evfds,
 * fdinfo/ tells their state. Uses base.h and text.h.
 */
#ifndef _EVFDCTL_PROC_H
#define _EVFDCTL_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The link of an evfd's descriptor. */
#define LINK		"anon_inode:[evfd]"
#define UNKNOWN		(-1)

/**
 * struct holder - a descriptor of an evfd, and its fdinfo
 * @pid: the process
 * @tid: the thread that has this descriptor table, mostly @pid
 * @comm: the name of @tid, any bytes
 * @fd: the descriptor
 * @id: of the evfd
 * @count: its count
 * @semaphore: EVFD_SEMAPHORE
 * @nonblock: O_NONBLOCK
 * @cloexec: O_CLOEXEC
 * @readers: blocked; UNKNOWN, as the next two, if the module does not tell
 * @writers: blocked
 * @pollers: waiting
 */
struct holder {
	pid_t pid;
	pid_t tid;
	char comm[64];
	int fd;
	uint64_t id;
	uint64_t count;
	bool semaphore;
	bool nonblock;
	bool cloexec;
	long readers;
	long writers;
	long pollers;
};

/* The holders to find; 0 and false: all. */
struct wanted {
	pid_t pid;
	bool by_id;
	uint64_t id;
};

struct holders {
	struct holder *all;
	size_t n;
	size_t room;
	/* Processes of other users, which could not be read. */
	unsigned int unreadable;
};

/* Find all holders. @holders is all 0, or of an earlier call. */
void proc_scan(struct holders *holders, const struct wanted *wanted);

/* Read one descriptor. Returns 0 or -errno: -ENOENT also if it is no evfd. */
int proc_get(struct holder *holder, pid_t pid, int fd);

/*
 * Store the link of @fd of @pid, or of this process if that is 0, in @link.
 * Returns 0 or -errno.
 */
int proc_link(pid_t pid, int fd, char *link, size_t size);

/* The name of a task; empty if there is no such task. */
void proc_comm(pid_t tid, char *comm, size_t size);

#endif /* _EVFDCTL_PROC_H */
