// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lab 1: a read into memory that cannot be written. Ends with 1 if it changed
 * the count. Read README.md beside this first.
 */
#include <sys/mman.h>

#include "evfd_test.h"

int main(void)
{
	int fd = evfd_test_create(0, 5);
	void *buf = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	ssize_t ret;
	int left;

	if (fd < 0 || buf == MAP_FAILED)
		return 2;
	printf("the count is %d\n", (int)evfd_test_count(fd));
	ret = read(fd, buf, 8);
	printf("a read into a read-only page: %s\n",
	       ret < 0 ? strerror(errno) : "no error");
	left = evfd_test_count(fd);
	printf("the count is %d\n", left);

	return left != 5;
}
