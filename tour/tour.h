/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs of the tour share: calls that leave a line in the kernel's
 * trace before and after, and tasks with a name.
 *
 * The lines go to trace_marker, so they stand among the events of the kernel in
 * the order in which things happened; render.py reads them. "> text" is a call
 * that begins, "< text" its result, "- text" a remark, "+ name" a task.
 *
 * The programs run with SCHED_FIFO on one CPU: a task that is woken runs when
 * the one that woke it sleeps or yields, so a run is as the last one was.
 * Where to read next: 02-write-read.c, the shortest.
 */
#ifndef EVFD_TOUR_H
#define EVFD_TOUR_H

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
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
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/evfd.h>

#define MARKER	"/sys/kernel/tracing/trace_marker"

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
static inline void mark(const char *format, ...)
{
	static int fd = -1;
	char line[256];
	int saved = errno;
	va_list args;
	int len;

	if (fd < 0)
		fd = open(MARKER, O_WRONLY | O_CLOEXEC);
	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	must(fd >= 0 && write(fd, line, len) == len);
	errno = saved;
}

/* A remark for the reader of the timeline. */
#define NOTE(...)	mark("- " __VA_ARGS__)

static inline long tour_result(long ret)
{
	if (ret < 0)
		mark("< %s", strerrorname_np(errno));
	else
		mark("< %ld", ret);
	return ret;
}

/* Any call, as it is written. */
#define CALL(call)							\
	({								\
		mark("> %s", #call);					\
		tour_result(call);					\
	})

/* evfd() and the reads and writes below are the system calls, and two lines. */
static inline int tour_evfd(const char *text, uint64_t initval, int flags)
{
	struct evfd_create arg = { .flags = flags, .initval = initval };
	int dev = open("/dev/evfd", O_RDWR | O_CLOEXEC);
	int fd;

	must(dev >= 0);
	mark("> evfd(%s)", text);
	fd = tour_result(ioctl(dev, EVFD_IOC_CREATE, &arg));
	must(fd >= 0);
	close(dev);
	return fd;
}

#define EVFD(initval, flags)	tour_evfd(#initval ", " #flags, initval, flags)

static inline long tour_write(const char *name, int fd, uint64_t n)
{
	if (n > EVFD_COUNT_MAX - 10)
		mark("> write(%s, 2^64 - %u)", name, (unsigned int)-n);
	else
		mark("> write(%s, %ju)", name, (uintmax_t)n);
	return tour_result(write(fd, &n, sizeof(n)));
}

#define WRITE(fd, n)	tour_write(#fd, fd, n)

static inline long tour_read(const char *name, int fd, uint64_t *n)
{
	long ret;

	mark("> read(%s)", name);
	ret = read(fd, n, sizeof(*n));
	if (ret < 0)
		return tour_result(ret);
	if (*n > EVFD_COUNT_MAX - 10)
		mark("< %ld: 2^64 - %u", ret, (unsigned int)-*n);
	else
		mark("< %ld: %ju", ret, (uintmax_t)*n);
	return ret;
}

#define READ(fd)	({ uint64_t _n; tour_read(#fd, fd, &_n); })

/* ---- tasks ---- */

struct task {
	pthread_t thread;
	pid_t tid;
	const char *name;
	void (*run)(int fd);
	int fd;
};

static inline void tour_name(const char *name)
{
	must(prctl(PR_SET_NAME, name) == 0);
	mark("+ %s", name);
}

static inline void *tour_task(void *arg)
{
	struct task *task = arg;

	tour_name(task->name);
	__atomic_store_n(&task->tid, gettid(), __ATOMIC_RELEASE);
	task->run(task->fd);
	return NULL;
}

/* The state letter of proc(5) of a task, 'X' if it is gone. */
static inline char tour_state(pid_t tid)
{
	char path[64], line[256], *name;
	char state = 'X';
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return state;
	len = read(fd, line, sizeof(line) - 1);
	if (len > 0) {
		line[len] = '\0';
		name = strrchr(line, ')');
		must(name);
		state = name[2];
	}
	close(fd);
	return state;
}

/* Lets the others run until @tid sleeps, or has ended. */
static inline void tour_asleep(pid_t tid)
{
	while (!strchr("SXZ", tour_state(tid)))
		sched_yield();
}

/* A thread called @name, which runs until it sleeps or ends. */
static inline void tour_start(struct task *task, const char *name,
			      void (*run)(int fd), int fd)
{
	*task = (struct task){ .name = name, .run = run, .fd = fd };
	must(pthread_create(&task->thread, NULL, tour_task, task) == 0);
	while (!__atomic_load_n(&task->tid, __ATOMIC_ACQUIRE))
		sched_yield();
	tour_asleep(task->tid);
}

static inline void tour_join(struct task *task)
{
	must(pthread_join(task->thread, NULL) == 0);
}

/* What a chapter's program does; its first task is called main. */
static void tour(void);

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	tour_name("main");
	tour();
	return 0;
}

#endif /* EVFD_TOUR_H */
