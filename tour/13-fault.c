// SPDX-License-Identifier: GPL-2.0-only
/* A read into a bad address: eventfd loses the count, evfd does not. */
#include "tour.h"

static void bad_read(int fd)
{
	void *nowhere = mmap(NULL, getpagesize(), PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	WRITE(fd, 5);
	CALL(read(fd, nowhere, 8));
	READ(fd);
}

void tour(void)
{
	NOTE("evfd");
	bad_read(EVFD(0, EVFD_NONBLOCK));
	NOTE("eventfd");
	bad_read(CALL(eventfd(0, EFD_NONBLOCK)));
}
