/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Printing names of any bytes: a task can give itself any name, with escape
 * sequences and broken UTF-8. Uses nothing.
 */
#ifndef _EVFDCTL_TEXT_H
#define _EVFDCTL_TEXT_H

#include <stdio.h>

/* For people: what is not text as \ooo, a backslash as \\. */
void put_text(FILE *f, const char *text);

/* For programs: a JSON string, with U+FFFD for each byte that is not UTF-8. */
void put_json(FILE *f, const char *text);

#endif /* _EVFDCTL_TEXT_H */
