/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A command of the shell, its status and what it printed. For the tests of
 * tools.
 */
#ifndef _EVFD_SHELL_H
#define _EVFD_SHELL_H

/* What the last command printed. */
extern char shell_output[1 << 20];

/*
 * Runs the command that printf(3) would print. Returns its status, as the shell
 * has it in $?, or -1.
 */
int shell_run(const char *format, ...);

#endif /* _EVFD_SHELL_H */
