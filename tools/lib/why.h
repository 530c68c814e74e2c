/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why no evfd is to be had here, as a sentence that says what to type. For programs
 * that a user calls: evfdctl and evfd-run. The library itself only has an errno.
 */
#ifndef _EVFD_WHY_H
#define _EVFD_WHY_H

#define EVFD_WHY_SIZE	256

/* Fills in @text. Whoever calls this has failed to make an evfd. */
void evfd_why(char text[EVFD_WHY_SIZE]);

#endif /* _EVFD_WHY_H */
