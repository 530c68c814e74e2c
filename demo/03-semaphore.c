// SPDX-License-Identifier: GPL-2.0-only
/*
 * With EVFD_SEMAPHORE a read subtracts 1 and returns 1.
 *
 * The counter is a number of permits: a write of 2 adds two, each read takes one,
 * and the third read would wait; here, non-blocking, it fails with EAGAIN.
 * Compare with 01-sum.c, where one read returns the whole sum.
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
