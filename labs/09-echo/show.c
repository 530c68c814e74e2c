// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lab 9: loads user/echo.c on two counters that then signal each other, and
 * writes to one. Ends with 1 if a callback ran within another. Read README.md
 * beside this first.
 */
#include <sys/syscall.h>

#include "evfd_test.h"

static int parameter(const char *name)
{
	char path[64];
	int value = -1;

	snprintf(path, sizeof(path), "/sys/module/echo/parameters/%s", name);
	evfd_test_proc(path, "", "%d", &value);

	return value;
}

int main(void)
{
	int a = evfd_test_create(0, 0), b = evfd_test_create(0, 0);
	int ko = open("echo.ko", O_RDONLY), ms, deepest;
	char parameters[32];

	snprintf(parameters, sizeof(parameters), "fds=%d,%d", a, b);
	if (a < 0 || b < 0 ||
	    syscall(SYS_finit_module, ko, parameters, 0)) {
		perror("echo.ko");
		return 2;
	}
	printf("a signals b, and b signals a, 8 times\n");
	if (evfd_test_write(a, 1) != 8)
		return 2;
	for (ms = 0; parameter("hops") < 8; ms++) {
		if (ms == EVFD_TEST_PATIENCE_MS)
			return 2;
		evfd_test_sleep_ms(1);
	}
	deepest = parameter("deepest");
	printf("at most %d callbacks ran within each other\n", deepest);
	printf("the counts are %d and %d\n", (int)evfd_test_count(a),
	       (int)evfd_test_count(b));
	if (syscall(SYS_delete_module, "echo", 0))
		return 2;

	return deepest > 1;
}
