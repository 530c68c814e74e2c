/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints a sequence as a C program that runs it on either kind.
 *
 * The program is the files of world/, which the fuzzer's binary contains as text,
 * and a main() with the statements of ops.def, each after its arguments. Uses
 * run.h; main.c uses it.
 */
#ifndef FUZZ_EMIT_H
#define FUZZ_EMIT_H

#include <stdio.h>

#include "ops.h"

void emit(FILE *f, const struct sequence *s, const char *headline);

/* Prints one operation with its results in the last run(). */
void describe(FILE *f, const char *indent, const struct sequence *s,
	      unsigned int i);

#endif /* FUZZ_EMIT_H */
