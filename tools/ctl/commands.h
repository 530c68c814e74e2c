/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands, for main.c. argv[0] is the command's name; each returns the exit
 * status.
 */
#ifndef _EVFDCTL_COMMANDS_H
#define _EVFDCTL_COMMANDS_H

/* show.c */
int cmd_ls(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_watch(int argc, char **argv);

/* trace.c */
int cmd_trace(int argc, char **argv);

/* shell.c */
int cmd_run(int argc, char **argv);
int cmd_add(int argc, char **argv);
int cmd_take(int argc, char **argv);
int cmd_wait(int argc, char **argv);

#endif /* _EVFDCTL_COMMANDS_H */
