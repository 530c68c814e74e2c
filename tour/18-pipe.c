// SPDX-License-Identifier: GPL-2.0-only
/* evfd against pipe: what each allocates and copies for one wakeup. */
#include "tour.h"

void tour(void)
{
	uint64_t n = 1;
	int fd, p[2];

	NOTE("evfd");
	fd = EVFD(0, 0);
	WRITE(fd, 1);
	READ(fd);
	CALL(close(fd));

	NOTE("pipe");
	CALL(pipe2(p, 0));
	CALL(write(p[1], &n, 8));
	CALL(read(p[0], &n, 8));
	CALL(close(p[0]));
	CALL(close(p[1]));
}
