/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of evfdctl share. main.c is where it starts; ls, info and
 * watch are in show.c on top of proc.c, trace in trace.c, what is for shell
 * scripts in shell.c. Above the C library and uapi/linux/evfd.h there is only
 * libtracefs, in trace.c.
 */
#ifndef _EVFDCTL_H
#define _EVFDCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* Exit statuses, beside 0 and 1. evfdctl.1 documents them. */
enum {
	EXIT_USAGE = 2,
	EXIT_NOT_READY = 124,		/* as timeout(1) */
	EXIT_RUN_FAILED = 125,		/* these three as env(1) */
	EXIT_CANNOT_RUN = 126,
	EXIT_NOT_FOUND = 127,
};

/* The commands: argv[0] is the command's name. They return the exit status. */
int cmd_ls(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_add(int argc, char **argv);
int cmd_take(int argc, char **argv);
int cmd_wait(int argc, char **argv);

/* main.c: the statuses to end with after an error. run has its own. */
extern int usage_status, error_status;
/* What is wrong with the arguments ends the program. */
#define usage_error(...)	(warnx(__VA_ARGS__), usage_end())
_Noreturn void usage_end(void);
uint64_t parse_number(const char *what, const char *text, uint64_t min,
		      uint64_t max);
/* Seconds, with a fraction, as nanoseconds. */
int64_t parse_seconds(const char *what, const char *text);
/* Says that the module is missing, or what else keeps us from /dev/evfd. */
_Noreturn void no_module(void);
/*
 * Returns a descriptor that becomes readable when the program is to end. So it
 * ends, in order, when it is interrupted and when nobody reads its output.
 */
int catch_signals(void);

#define LINK		"anon_inode:[evfd]"
#define UNKNOWN		(-1)

/**
 * struct holder - a descriptor of an instance, and what fdinfo says of it
 * @pid: the process
 * @tid: the thread whose descriptor table it is in, mostly @pid
 * @comm: the name of @tid, any bytes
 * @fd: the descriptor
 * @id: of the instance
 * @count: as it was
 * @semaphore: EVFD_SEMAPHORE
 * @nonblock: O_NONBLOCK
 * @cloexec: O_CLOEXEC
 * @readers: blocked; UNKNOWN, as the rest, where the module does not say
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

/* Which holders are wanted; 0 and false: all. */
struct wanted {
	pid_t pid;
	bool by_id;
	uint64_t id;
};

struct holders {
	struct holder *all;
	size_t n;
	size_t room;
	/* Processes that belong to somebody else. */
	unsigned int unreadable;
};

/* proc.c */
void proc_scan(struct holders *holders, const struct wanted *wanted);
/* One descriptor. Returns 0 or -errno: -ENOENT also if it is no evfd. */
int proc_get(struct holder *holder, pid_t pid, int fd);
/* Where @fd of @pid, or 0: our own, leads, into @link. Returns 0 or -errno. */
int proc_link(pid_t pid, int fd, char *link, size_t size);
/* The name of a task; empty if there is no such task. */
void proc_comm(pid_t tid, char *comm, size_t size);

/* text.c: names that may hold any byte, but for a terminal or for a program. */
void put_text(FILE *f, const char *text);
void put_json(FILE *f, const char *text);

#endif /* _EVFDCTL_H */
