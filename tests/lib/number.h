/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The numbers that a program is given as arguments.
 */
#ifndef _TESTS_NUMBER_H
#define _TESTS_NUMBER_H

#include <stdint.h>

/*
 * What @text, the value of @option, says. Ends the program with a sentence and the
 * status 2 unless it is a number from @min to @max.
 */
uint64_t parse_number(const char *option, const char *text, uint64_t min,
		      uint64_t max);

#endif /* _TESTS_NUMBER_H */
