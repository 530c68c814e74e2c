/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A world from its beginning. Uses all else of this folder; run.c uses it, and
 * the programs that emit.c prints.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

/* For this process, once: of evfds, or of eventfds. */
void world_start(int evfd);

/* After each operation: waits for its completions. Keeps errno. */
void settle(void);

#endif /* FUZZ_WORLD_H */
