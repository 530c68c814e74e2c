/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A command of the shell, its status and what it printed. For the tests of
 * tools: preload_test.c and evfdctl_ls_test.c.
 */
#ifndef _EVFD_SHELL_H
#define _EVFD_SHELL_H

#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

/* What the last command printed. */
static char shell_output[1 << 20];

/*
 * Runs the command that printf(3) would print. Returns its status, as the shell
 * has it in $?, or -1.
 */
static inline int shell_run(const char *format, ...)
{
	char command[4096];
	va_list ap;
	int status;
	size_t n;
	FILE *f;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	fflush(stdout);
	f = popen(command, "re");
	if (!f)
		return -1;
	n = fread(shell_output, 1, sizeof(shell_output) - 1, f);
	shell_output[n] = '\0';
	status = pclose(f);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

#endif /* _EVFD_SHELL_H */
