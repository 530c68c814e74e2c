/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why no evfd can be made, as a sentence with the command to type. For evfdctl and
 * evfd-run; the library only sets errno.
 */
#ifndef _EVFD_WHY_H
#define _EVFD_WHY_H

#define EVFD_WHY_SIZE	256

/* Fills in @text. Call this after a failure to make an evfd. */
void evfd_why(char text[EVFD_WHY_SIZE]);

#endif /* _EVFD_WHY_H */
