/* SPDX-License-Identifier: GPL-2.0-only */
/* Random numbers that depend on a seed alone. Uses nothing. */
#ifndef _TESTS_DRAW_H
#define _TESTS_DRAW_H

#include <stdint.h>

/* The next one (splitmix64). Any number will do as the first @state. */
uint64_t draw(uint64_t *state);

#endif /* _TESTS_DRAW_H */
