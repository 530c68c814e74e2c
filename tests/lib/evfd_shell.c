// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#include "evfd_shell.h"

char shell_output[1 << 20];

int shell_run(const char *format, ...)
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
