// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "async.h"
#include "base.h"
#include "world.h"

void world_start(int evfd)
{
	const int prot = PROT_READ | PROT_WRITE;
	uint64_t n;
	char *m;
	int fd;

	is_evfd = evfd;
	probe();
	m = mmap((void *)MEMORY, 7 * PAGE, prot,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (m == MAP_FAILED)
		exit(2);
	for (n = 0; n < PAGE / 8; n++)
		((uint64_t *)(m + 2 * PAGE))[n] = n % 8;
	mprotect(m + PAGE, PAGE, PROT_NONE);
	mprotect(m + 2 * PAGE, PAGE, PROT_READ);
	mprotect(m + 3 * PAGE, PAGE, PROT_NONE);
	mprotect(m + 6 * PAGE, PAGE, PROT_NONE);
	handle_alarm(0);
	signal(SIGPIPE, SIG_IGN);
	open_device();
	fd = memfd_create("plain", 0);
	for (n = 1; n <= 8; n++) {
		if (write(fd, &n, 8) != 8)
			exit(2);
	}
	dup2(fd, PLAIN_FILE);
	close(fd);
}

void settle(void)
{
	int err = errno;

	async_settle();
	errno = err;
}
