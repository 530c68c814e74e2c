/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers in a program's arguments. Uses nothing. */
#ifndef _TESTS_NUMBER_H
#define _TESTS_NUMBER_H

#include <stdint.h>

/*
 * The number in @text, the value of @option. Ends the program with a message and
 * status 2 unless it is from @min to @max.
 */
uint64_t parse_number(const char *option, const char *text, uint64_t min,
		      uint64_t max);

#endif /* _TESTS_NUMBER_H */
