// SPDX-License-Identifier: GPL-2.0-only
/*
 * For printed programs alone, instead of run.c: tells on stdout.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "world.h"

void out(uint64_t value)
{
	printf("  0x%llx", (unsigned long long)value);
}

void out_text(const char *text)
{
	printf("\n%s", text);
}

/* Before and after each operation of a printed program. */
static void begin(const char *name)
{
	fill_windows();
	printf("%-16s", name);
	errno = 0;
}

static void end(long ret)
{
	int i, j, err = errno;

	settle();
	printf("  = %ld%s%s\n", ret, ret == -1 ? " " : "",
	       ret == -1 ? strerrorname_np(err) : "");
	for (i = 0; i < NR_WINDOWS; i++) {
		for (j = 0; j < WINDOW; j++) {
			unsigned char *at = (void *)(windows[i] + j);

			if (*at != FILL)
				printf("  %p: %02x\n", at, *at);
		}
	}
}
