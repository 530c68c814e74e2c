// SPDX-License-Identifier: GPL-2.0-only
#include <sys/klog.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "evfd_test.h"
#include "inject.h"

/* The actions of klogctl(3) that are used here. */
#define KLOG_READ_ALL	3
#define KLOG_SIZE	10

const char *const inject_attrs[NR_ATTRS] = {
	"failslab", "fail_page_alloc", "fail_usercopy",
};

const char *const inject_kinds[] = { "allocations", "copies", "all" };

struct inject inject;

int inject_put(const char *attr, const char *file, const char *text)
{
	char dir[64];

	snprintf(dir, sizeof(dir), DEBUGFS "/%s", attr);
	return evfd_test_put(dir, file, text);
}

int inject_limit_to(enum kind kind, unsigned long start, unsigned long end)
{
	char text[2][32];
	size_t i;

	for (i = 0; i < NR_ATTRS; i++) {
		bool copies = !strcmp(inject_attrs[i], "fail_usercopy");
		bool wanted = kind == ALL || copies == (kind == COPIES);

		/* There is no code at 1. */
		snprintf(text[0], sizeof(text[0]), "%#lx", wanted ? start : 1);
		snprintf(text[1], sizeof(text[1]), "%#lx", wanted ? end : 2);
		if (inject_put(inject_attrs[i], "require-start", text[0]) ||
		    inject_put(inject_attrs[i], "require-end", text[1]))
			return -1;
	}

	return 0;
}

void inject_begin(void)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d", inject.nth);

	if (write(inject.fd, text, n) != n)
		abort();
}

void inject_end(void)
{
	char text[16] = "";
	int err = errno;

	inject.failed = pread(inject.fd, text, sizeof(text) - 1, 0) > 0 &&
			!atoi(text);
	while (write(inject.fd, "0", 1) != 1)
		;
	errno = err;
}

long nr_files(void)
{
	long n = -1;

	evfd_test_proc("/proc/sys/fs/file-nr", "", "%ld", &n);
	return n;
}

static struct {
	void *image;
	size_t size;
} ko;

int ko_read(void)
{
	const char *path = getenv("EVFD_KO");
	int fd = open(path ? path : "", O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t done = 0;

	if (fd < 0 || fstat(fd, &st))
		return -1;
	ko.size = st.st_size;
	ko.image = malloc(ko.size);
	while (ko.image && done < ko.size) {
		ssize_t n = read(fd, (char *)ko.image + done, ko.size - done);

		if (n <= 0)
			return -1;
		done += n;
	}

	return close(fd);
}

int ko_load(void)
{
	return syscall(SYS_init_module, ko.image, ko.size, "") ? -errno : 0;
}

int klog_count(const char *text)
{
	int size = klogctl(KLOG_SIZE, NULL, 0), n = -1;
	char *log = calloc(1, size + 1), *p = log;

	if (log && klogctl(KLOG_READ_ALL, log, size) > 0) {
		for (n = 0; (p = strstr(p, text)); p++)
			n++;
	}
	free(log);

	return n;
}

int function_range(const char *name, unsigned long *start, unsigned long *end)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	char line[512], symbol[256], type;
	unsigned long addr;

	*start = 0;
	*end = 0;
	while (f && !*end && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx %c %255s", &addr, &type, symbol) != 3)
			continue;
		if (*start && addr > *start)
			*end = addr;
		else if (!strcmp(symbol, name))
			*start = addr;
	}
	if (f)
		fclose(f);

	return *end ? 0 : -1;
}
