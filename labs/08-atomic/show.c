// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lab 8: reads into memory that is present, and into memory that is not yet.
 * Ends with 1 if a read fails. Read README.md beside this first.
 */
#include <sys/mman.h>

#include "evfd_test.h"

static int take(int fd, const char *what, void *buf)
{
	ssize_t ret = read(fd, buf, 8);

	printf("a read into %s: %s\n", what,
	       ret < 0 ? strerror(errno) : "fine");

	return ret != 8;
}

int main(void)
{
	int fd = evfd_test_create(EVFD_SEMAPHORE, 2);
	void *fresh = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t there;
	int failed;

	if (fd < 0 || fresh == MAP_FAILED)
		return 2;
	failed = take(fd, "a variable", &there);
	failed |= take(fd, "a page never touched", fresh);

	return failed;
}
