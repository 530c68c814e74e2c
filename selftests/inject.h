/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's fault injection, and what of the kernel's may not change by it.
 * For inject_test.c, which says more. Uses tests/lib.
 *
 * What the kernel calls fail-nth is a number of a task: the nth thing that may
 * fail, and that the task asks for, does.
 */
#ifndef _INJECT_H
#define _INJECT_H

#include <limits.h>
#include <stdbool.h>

#define DEBUGFS		"/sys/kernel/debug"
/* Of a test as a whole, in s: long, since only what hangs needs it. */
#define PATIENCE	280
/* How often each failure is repeated, so that what it leaves adds up. */
#define REPEAT		100
/* More than there are: a test that gets here is caught in a loop. */
#define NTH_LIMIT	1000

/* What there is in debugfs of each that can be made to fail. */
#define NR_ATTRS	3
extern const char *const inject_attrs[NR_ATTRS];

/* Sets what one of these has there. */
int inject_put(const char *attr, const char *file, const char *text);

/* What may fail in a test. */
enum kind { ALLOCATIONS, COPIES, ALL };

extern const char *const inject_kinds[];

/*
 * Lets only @kind fail, and of it only what is asked for, at any depth, between
 * @start and @end. What may not fail is not counted either.
 */
int inject_limit_to(enum kind kind, unsigned long start, unsigned long end);

extern struct inject {
	/* fail-nth of this thread. */
	int fd;
	/* What fails next, and whether it did. */
	int nth;
	bool failed;
} inject;

/* From here on the nth fails. */
void inject_begin(void);

/*
 * Nothing fails any more; keeps errno. The reading and writing here copy memory,
 * too, and may be what fails.
 */
void inject_end(void);

/* One failure after the other, as far as there are any. */
#define FOR_EACH_FAILURE						\
	for (inject.nth = 1, inject.failed = true;			\
	     inject.failed && inject.nth < NTH_LIMIT; inject.nth++)

/* How many files the system has open, give or take some for each CPU. */
long nr_files(void);

/* Reads the file that EVFD_KO names, and loads what was read. */
int ko_read(void);
int ko_load(void);

/*
 * How often the kernel has said @text, or -1 if its log cannot be read. It may
 * wrap; what a test looks for is at its end.
 */
int klog_count(const char *text);

/* Where a function of the kernel begins, and the next one: they are in order. */
int function_range(const char *name, unsigned long *start, unsigned long *end);

#endif /* _INJECT_H */
