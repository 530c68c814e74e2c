// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lab 10: makes a counter, uses it and closes it. The kernel reports what is
 * wrong. Read README.md beside this first.
 */
#include "evfd_test.h"

int main(void)
{
	int fd = evfd_test_create(0, 0);
	uint64_t n;

	if (fd < 0 || evfd_test_write(fd, 3) != 8 ||
	    evfd_test_read(fd, &n) != 8 || n != 3 || close(fd))
		return 2;
	printf("a counter was made, written, read and closed\n");

	return 0;
}
