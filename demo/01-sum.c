// SPDX-License-Identifier: GPL-2.0-only
/*
 * A counter adds up what is written, and a read returns the sum.
 *
 * After three writes one read returns 2 + 3 + 4 and sets the counter to 0. The
 * second read finds 0; since the counter is non-blocking, it fails with EAGAIN.
 * Look at the last line: a read that fails leaves the variable alone. 02-block.c
 * does the same without EVFD_NONBLOCK.
 */
#include "demo.h"

int main(void)
{
	int fd = evfd(0, EVFD_NONBLOCK);
	uint64_t n;

	must(fd >= 0);

	for (n = 2; n <= 4; n++) {
		must(write(fd, &n, sizeof(n)) == sizeof(n));
		printf("write %ju\n", n);
	}

	must(read(fd, &n, sizeof(n)) == sizeof(n));
	printf("read  %ju\n", n);
	must(n == 9);

	must(read(fd, &n, sizeof(n)) == -1 && errno == EAGAIN);
	printf("read  fails with EAGAIN; the variable still holds %ju\n", n);
	must(n == 9);

	return 0;
}
