/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The base of evfdctl: exit statuses, arguments, errors, signals, time.
 *
 * Uses tools/lib/why.h. All files of evfdctl use this one; read main.c next.
 */
#ifndef _EVFDCTL_BASE_H
#define _EVFDCTL_BASE_H

#include <err.h>
#include <stdint.h>

/* Exit statuses, beside 0 and 1. evfdctl.1 documents them. */
enum {
	EXIT_USAGE = 2,
	EXIT_NOT_READY = 124,		/* as timeout(1) */
	EXIT_RUN_FAILED = 125,		/* these three as env(1) */
	EXIT_CANNOT_RUN = 126,
	EXIT_NOT_FOUND = 127,
};

/* The statuses after wrong arguments and after an error. run changes both. */
extern int usage_status, error_status;

/* End the program because of wrong arguments. */
#define usage_error(...)	(warnx(__VA_ARGS__), usage_end())
_Noreturn void usage_end(void);

/* Numbers from the command line. They end the program if @text is none. */
uint64_t parse_number(const char *what, const char *text, uint64_t min,
		      uint64_t max);
/* Seconds, with a fraction; returns nanoseconds. */
int64_t parse_seconds(const char *what, const char *text);

/* End the program, and say why /dev/evfd cannot be used. */
_Noreturn void no_module(void);

/*
 * Block SIGINT, SIGTERM and SIGHUP, and ignore SIGPIPE, so that the program can
 * clean up. Returns a signalfd, which is readable when the program has to end.
 */
int catch_signals(void);

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t now(void);

#endif /* _EVFDCTL_BASE_H */
