/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's fault injection, and the state of the kernel that it may not
 * change. For inject_test.c. Uses tests/lib. Read inject_io.h next.
 *
 * fail-nth is a number in /proc/thread-self: of the operations of this task that
 * can be made to fail, the nth one fails.
 */
#ifndef _INJECT_H
#define _INJECT_H

#include <limits.h>
#include <stdbool.h>

#define DEBUGFS		"/sys/kernel/debug"
/* The time limit of a test, in s: only a test that hangs reaches it. */
#define PATIENCE	280
/* How often each failure is repeated, so that leaks add up. */
#define REPEAT		100
/* More than there are: only an endless loop reaches it. */
#define NTH_LIMIT	1000

/* The folders in debugfs, one for each kind of failure. */
#define NR_ATTRS	3
extern const char *const inject_attrs[NR_ATTRS];

/* Writes a file in one of these folders. */
int inject_put(const char *attr, const char *file, const char *text);

/* What can be made to fail. */
enum kind { ALLOCATIONS, COPIES, ALL };

extern const char *const inject_kinds[];

/*
 * Lets only @kind fail, and only where a function between @start and @end is on
 * the stack. Other operations are not counted either.
 */
int inject_limit_to(enum kind kind, unsigned long start, unsigned long end);

extern struct inject {
	/* fail-nth of this thread. */
	int fd;
	/* The operation that fails next, and whether it did. */
	int nth;
	bool failed;
} inject;

/* From here on the nth operation fails. */
void inject_begin(void);

/*
 * From here on nothing fails; keeps errno. The accesses to fail-nth copy memory,
 * too, and may themselves fail.
 */
void inject_end(void);

/* A loop over all failures. */
#define FOR_EACH_FAILURE						\
	for (inject.nth = 1, inject.failed = true;			\
	     inject.failed && inject.nth < NTH_LIMIT; inject.nth++)

/* How many files the system has open, give or take some for each CPU. */
long nr_files(void);

/* Reads the file that EVFD_KO names, and loads what was read. */
int ko_read(void);
int ko_load(void);

/*
 * How often the kernel's log has @text, or -1 if it cannot be read. The log may
 * have lost its beginning; tests look for recent messages.
 */
int klog_count(const char *text);

/* The addresses of a function of the kernel and of the next one. */
int function_range(const char *name, unsigned long *start, unsigned long *end);

#endif /* _INJECT_H */
