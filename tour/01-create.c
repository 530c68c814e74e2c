// SPDX-License-Identifier: GPL-2.0-only
/*
 * Create makes a descriptor, a counter and a file, and no inode. Also run under
 * the tracer function_graph, see 01-create.md.
 */
#include <sys/stat.h>

#include "tour.h"

static ino_t evfd_inode;

static void show(const char *name, int fd)
{
	char path[64], link[64] = "", line[128];
	struct stat st;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must(readlink(path, link, sizeof(link) - 1) > 0);
	must(fstat(fd, &st) == 0);
	evfd_inode = evfd_inode ?: st.st_ino;
	printf("%-8s %-24s inode %s evfd's\n", name, link,
	       st.st_ino == evfd_inode ? "the same as" : "other than");

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	must(f);
	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, "-id:"))
			printf("         fdinfo has the key %.*s\n",
			       (int)strcspn(line, ":"), line);
	}
	fclose(f);
}

void tour(void)
{
	int fd = EVFD(5, 0);
	int other = CALL(eventfd(5, 0));
	int epoll = CALL(epoll_create1(0));

	show("evfd", fd);
	show("eventfd", other);
	show("epoll", epoll);
}
