// SPDX-License-Identifier: GPL-2.0-only
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "number.h"

uint64_t parse_number(const char *option, const char *text, uint64_t min,
		      uint64_t max)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	/* strtoull() would take a sign and blanks. */
	if (*text < '0' || *text > '9' || *end || errno || n < min || n > max)
		errx(2, "%s takes a number from %" PRIu64 " to %" PRIu64
		     ", not '%s'", option, min, max, text);
	return n;
}
