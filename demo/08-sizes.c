// SPDX-License-Identifier: GPL-2.0-only
/*
 * A write has to be 8 bytes, a read at least 8.
 *
 * Other sizes fail with EINVAL, and neither the counter nor the buffer changes.
 * Look at the read of 16 bytes: a larger buffer is fine, and the bytes behind the
 * first 8 stay as they were.
 */
#include "demo.h"

int main(void)
{
	static const size_t wrong[] = { 4, 16 };
	int fd = evfd(7, EVFD_NONBLOCK);
	uint64_t buf[2] = { 100, 200 };
	size_t i;

	must(fd >= 0);
	printf("the counter starts at 7\n");

	for (i = 0; i < 2; i++) {
		must(write(fd, buf, wrong[i]) == -1 && errno == EINVAL);
		printf("write of %2zu bytes: EINVAL\n", wrong[i]);
	}

	must(read(fd, buf, 4) == -1 && errno == EINVAL);
	printf("read into  4 bytes: EINVAL, the buffer still holds %ju\n",
	       buf[0]);
	must(buf[0] == 100);

	must(read(fd, buf, 16) == 8);
	printf("read into 16 bytes: returns 8, the buffer holds %ju and still %ju\n",
	       buf[0], buf[1]);
	must(buf[0] == 7 && buf[1] == 200);

	must(read(fd, buf, sizeof(*buf)) == -1 && errno == EAGAIN);
	printf("read into  8 bytes: EAGAIN, the counter is empty\n");

	return 0;
}
