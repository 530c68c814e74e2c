/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Prints a sequence as a C program that runs it on either kind.
 *
 * The program is the files of world/, whose text is part of the fuzzer's binary,
 * and a main() with the statements of ops.def, each after its arguments. It does
 * what the fuzzer did, without the fuzzer. Uses run.h; main.c uses it.
 */
#ifndef FUZZ_EMIT_H
#define FUZZ_EMIT_H

#include <stdio.h>

#include "ops.h"

void emit(FILE *f, const struct sequence *s, const char *headline);

/* One operation with what it did, as the last run() left it. */
void describe(FILE *f, const char *indent, const struct sequence *s,
	      unsigned int i);

#endif /* FUZZ_EMIT_H */
