/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A command of the shell, its status and its output. For the tests of tools;
 * selftests/evfdctl_ls_test.c shows how to use it.
 */
#ifndef _EVFD_SHELL_H
#define _EVFD_SHELL_H

/* The output of the last command. */
extern char shell_output[1 << 20];

/*
 * Runs the command that printf(3) would print. Returns its status, as the shell
 * has it in $?, or -1.
 */
int shell_run(const char *format, ...);

#endif /* _EVFD_SHELL_H */
