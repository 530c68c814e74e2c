/* SPDX-License-Identifier: GPL-2.0-only */
/* Random numbers that depend on a seed alone. Uses nothing. */
#ifndef _TESTS_DRAW_H
#define _TESTS_DRAW_H

#include <stdint.h>

/* The next number (splitmix64). @state may begin with any value. */
uint64_t draw(uint64_t *state);

#endif /* _TESTS_DRAW_H */
