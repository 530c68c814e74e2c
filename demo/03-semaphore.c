// SPDX-License-Identifier: GPL-2.0-only
/*
 * With EVFD_SEMAPHORE a read takes 1, not everything.
 *
 * So the counter hands out permits: a write of 2 puts two in, each read takes
 * one, and the third read has to wait, or here fails with EAGAIN. Compare with
 * 01-sum.c, where one read took all.
 */
#include "demo.h"

int main(void)
{
	int fd = evfd(0, EVFD_SEMAPHORE | EVFD_NONBLOCK);
	uint64_t n = 2;
	int i;

	must(fd >= 0);

	must(write(fd, &n, sizeof(n)) == sizeof(n));
	printf("write %ju\n", n);

	for (i = 0; i < 2; i++) {
		must(read(fd, &n, sizeof(n)) == sizeof(n));
		printf("read  %ju\n", n);
		must(n == 1);
	}

	must(read(fd, &n, sizeof(n)) == -1 && errno == EAGAIN);
	printf("read  fails with EAGAIN: both are taken\n");

	return 0;
}
