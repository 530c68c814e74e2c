// SPDX-License-Identifier: GPL-2.0-only
/*
 * evfdctl: list, watch and trace evfds, and use them in shell scripts.
 *
 * This file selects the command. Uses commands.h, which says where each one is;
 * read show.c next. evfdctl.1 is the manual.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "commands.h"

static const char usage[] =
"Usage: evfdctl COMMAND [OPTION...] [ARG...]\n"
"\n"
"Inspection:\n"
"  ls                list the descriptors of evfds\n"
"  info PID FD       show one, and its other descriptors\n"
"  watch             ls, again and again\n"
"  trace [CMD...]    print each event of evfds; or of CMD only\n"
"    -i, --id ID         only the evfd with this id (not info)\n"
"    -p, --pid PID       only this process (not info)\n"
"    -t, --interval S    of watch, in seconds (1)\n"
"    -n, --count N       end after N tables of watch, or N events of trace\n"
"    -e, --event E[,E]   of trace: only these, as in -e write,wake\n"
"    -o, --output FILE   of trace: to FILE, apart from the output of CMD\n"
"    -j, --json          one JSON object a line\n"
"\n"
"Shell scripts:\n"
"  run CMD...        run CMD with a new evfd, whose number is in $EVFD_FD\n"
"    -i, --initval N     its count (0)\n"
"    -s, --semaphore     take takes 1, not all\n"
"    -n, --nonblock      with O_NONBLOCK\n"
"    -f, --fd N          its descriptor\n"
"  add [N]           add N (1) to the count\n"
"  take              take the count, or 1 of a semaphore, and print it\n"
"  wait              wait until the count is not 0\n"
"    -f, --fd N          of add, take and wait: the descriptor ($EVFD_FD)\n"
"    -t, --timeout S     give up after S seconds\n"
"\n"
"Exit status: 0; 1 on an error; 2 on wrong arguments; 124 on a timeout, or if the\n"
"evfd is non-blocking and was not ready. Of run: CMD's, or 125 on an error,\n"
"126 if CMD could not be run, 127 if it was not found.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "ls", cmd_ls },
	{ "info", cmd_info },
	{ "watch", cmd_watch },
	{ "trace", cmd_trace },
	{ "run", cmd_run },
	{ "add", cmd_add },
	{ "take", cmd_take },
	{ "wait", cmd_wait },
};

/* A full disk is an error; a closed pipe is not. */
static int finish(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		if (errno != EPIPE) {
			warn("standard output");
			return status ? status : EXIT_FAILURE;
		}
	}
	return status;
}

static bool wants_help(const char *arg)
{
	return !strcmp(arg, "--help") || !strcmp(arg, "-h");
}

int main(int argc, char **argv)
{
	const char *name;
	size_t i;

	if (argc < 2)
		usage_error("which command?");
	name = argv[1];
	if (wants_help(name) || (argc > 2 && wants_help(argv[2]))) {
		fputs(usage, stdout);
		return finish(0);
	}
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(name, commands[i].name))
			continue;
		/* getopt_long() prints this name. */
		argv[1] = program_invocation_short_name;
		return finish(commands[i].run(argc - 1, argv + 1));
	}
	usage_error("no command '%s'", name);
}
