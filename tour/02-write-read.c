// SPDX-License-Identifier: GPL-2.0-only
/* A counter adds up the writes; a read takes the sum. No task waits. */
#include "tour.h"

void tour(void)
{
	int fd = EVFD(0, 0);

	WRITE(fd, 3);
	WRITE(fd, 4);
	READ(fd);
}
