// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lab 4: unloads the module while a counter is open, which must fail, then uses
 * the counter. Read README.md beside this first. Run it in the lab's guest only:
 * it crashes the kernel.
 */
#include <sys/syscall.h>

#include "evfd_test.h"

int main(void)
{
	int fd = evfd_test_create(0, 1);
	uint64_t n;
	int refused;

	if (fd < 0)
		return 2;
	setbuf(stdout, NULL);
	printf("a counter is open\n");
	refused = syscall(SYS_delete_module, "evfd", O_NONBLOCK);
	printf("rmmod evfd: %s\n", refused ? strerror(errno) : "done");
	/* Let the output leave the guest before it crashes. */
	evfd_test_sleep_ms(200);
	printf("a read returns %d\n", evfd_test_read(fd, &n));

	return !refused;
}
