/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs of the tour share: calls that leave a line in the kernel's
 * trace before and after, and tasks with a name.
 *
 * The lines go to trace_marker, so they are in the trace in order with the
 * events of the kernel; render.py reads them. "> text" is a call
 * that begins, "< text" its result, "- text" a remark, "+ name" a task.
 *
 * The programs run with SCHED_FIFO on one CPU: a task that is woken runs when
 * its waker sleeps or yields, so that runs repeat.
 * Uses tests/lib. Read next: 02-write-read.c, the shortest.
 */
#ifndef EVFD_TOUR_H
#define EVFD_TOUR_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/evfd.h>

/* Ends the program, and with it the tour, unless @ok. */
#define must(ok)							\
	do {								\
		if (!(ok)) {						\
			fprintf(stderr, "%s:%d: %s: %s\n", __FILE__,	\
				__LINE__, #ok, strerror(errno));	\
			exit(1);					\
		}							\
	} while (0)

/* Writes a line into the trace, as printf(3) would make it. */
void mark(const char *format, ...);

/* A remark for the reader of the timeline. */
#define NOTE(...)	mark("- " __VA_ARGS__)

long tour_result(long ret);

/* Makes any call; its source text is in the line. */
#define CALL(call)							\
	({								\
		mark("> %s", #call);					\
		tour_result(call);					\
	})

/* Create, write and read a counter; each leaves two lines. */
int tour_evfd(const char *text, uint64_t initval, int flags);

#define EVFD(initval, flags)	tour_evfd(#initval ", " #flags, initval, flags)

long tour_write(const char *name, int fd, uint64_t n);

#define WRITE(fd, n)	tour_write(#fd, fd, n)

long tour_read(const char *name, int fd, uint64_t *n);

#define READ(fd)	({ uint64_t _n; tour_read(#fd, fd, &_n); })

/* ---- tasks ---- */

struct task {
	pthread_t thread;
	pid_t tid;
	const char *name;
	void (*run)(int fd);
	int fd;
};

void tour_name(const char *name);

/* The state letter of proc(5) of a task, ? if it has ended. */
char tour_state(pid_t tid);

/* Lets the others run until @tid sleeps, or has ended. */
void tour_asleep(pid_t tid);

/* Starts a thread called @name and runs it until it sleeps or ends. */
void tour_start(struct task *task, const char *name, void (*run)(int fd), int fd);
void tour_join(struct task *task);

/* Signals @fd from a timer's interrupt until the returned descriptor is closed. */
int ticker_start(int fd, uint64_t period_ns);

/* The chapter's program; its first task is called main. */
void tour(void);

#endif /* EVFD_TOUR_H */
