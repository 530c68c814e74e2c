/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes a sequence that shows a difference as short as possible.
 *
 * Delta debugging: leave out a part, run what is left in fresh processes, keep
 * it if there still is a difference; with parts of half the length, a quarter,
 * down to one operation. Then arguments are made plain, one at a time.
 *
 * Uses run.h; main.c uses it.
 */
#ifndef FUZZ_SHRINK_H
#define FUZZ_SHRINK_H

#include "ops.h"

void shrink(struct sequence *s);

#endif /* FUZZ_SHRINK_H */
