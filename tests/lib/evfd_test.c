// SPDX-License-Identifier: GPL-2.0-only
#include <limits.h>
#include <sys/mman.h>

#include "evfd_test.h"

/* Ends the program with what errno says of @what, unless it works. */
static void expect(bool works, const char *what)
{
	if (works)
		return;
	fprintf(stderr, "# %s: %s\n", what, strerror(errno));
	exit(1);
}

int evfd_test_open(void)
{
	int dev = open("/dev/evfd", O_RDWR | O_CLOEXEC);

	expect(dev >= 0, "/dev/evfd (is evfd.ko loaded?)");

	return dev;
}

bool evfd_test_shared(void)
{
	return getenv("EVFD_TEST_SHARED");
}

int evfd_test_create(unsigned int flags, uint64_t initval)
{
	struct evfd_create arg = {
		.flags = flags | (evfd_test_shared() ? EVFD_SHARED : 0),
		.initval = initval,
	};
	int dev = evfd_test_open();
	int fd = ioctl(dev, EVFD_IOC_CREATE, &arg);

	expect(fd >= 0, "EVFD_IOC_CREATE");
	close(dev);

	return fd;
}

int evfd_test_create_eventfd(unsigned int flags, uint64_t initval)
{
	int fd = eventfd(0, (flags & EVFD_CLOEXEC ? EFD_CLOEXEC : 0) |
			    (flags & EVFD_SEMAPHORE ? EFD_SEMAPHORE : 0) |
			    (flags & EVFD_NONBLOCK ? EFD_NONBLOCK : 0));

	/* eventfd(2) takes an initial value of 32 bits only. */
	expect(fd >= 0 && (!initval || evfd_test_write(fd, initval) == 8),
	       "eventfd");

	return fd;
}

uint64_t evfd_test_max(bool evfd)
{
	return evfd && evfd_test_shared() ? EVFD_SHARED_MAX : EVFD_COUNT_MAX;
}

int evfd_test_make(bool evfd, unsigned int flags, uint64_t initval)
{
	return evfd ? evfd_test_create(flags, initval) :
		      evfd_test_create_eventfd(flags, initval);
}

int evfd_test_eventfd_is_lax(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	uint64_t two[2] = { 1, 1 };
	int lax = write(fd, two, sizeof(two)) > 0;

	close(fd);
	return lax;
}

long sysret(long ret)
{
	return ret == -1 ? -errno : ret;
}

int evfd_test_write(int fd, uint64_t n)
{
	return sysret(write(fd, &n, sizeof(n)));
}

int evfd_test_read(int fd, uint64_t *n)
{
	uint64_t unused;

	return sysret(read(fd, n ?: &unused, sizeof(*n)));
}

uint64_t evfd_test_value(int fd)
{
	uint64_t n;

	return evfd_test_read(fd, &n) == 8 ? n : UINT64_MAX;
}

int evfd_test_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0, len = 0;

	if (fd < 0)
		return -1;
	do {
		len += n;
		n = read(fd, text + len, size - 1 - len);
	} while (n > 0);
	close(fd);
	text[len] = '\0';

	return len && !n ? 0 : -1;
}

int evfd_test_proc(const char *path, const char *key, const char *format,
		   void *value)
{
	char text[4096], *line, *next = text;
	size_t len = strlen(key);
	int found = 0;

	if (evfd_test_text(path, text, sizeof(text)))
		return -1;
	while ((line = strsep(&next, "\n"))) {
		if (!strncmp(line, key, len))
			found += sscanf(line + len, format, value) == 1;
	}

	return found == 1 ? 0 : -1;
}

long evfd_test_number(const char *dir, const char *file, const char *key)
{
	char path[PATH_MAX];
	long n = -1;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	evfd_test_proc(path, key, "%ld", &n);

	return n;
}

int evfd_test_put(const char *dir, const char *file, const char *text)
{
	char path[PATH_MAX];
	int fd, n;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);

	return n == (int)strlen(text) ? 0 : -1;
}

uint64_t evfd_test_count(int fd)
{
	char path[64];
	uint64_t count = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	expect(!evfd_test_proc(path, "evfd-count:", "%" SCNx64, &count) ||
	       !evfd_test_proc(path, "eventfd-count:", "%" SCNx64, &count),
	       "no count in fdinfo");

	return count;
}

uint64_t evfd_test_id(int fd)
{
	char path[64];
	uint64_t id;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	expect(!evfd_test_proc(path, "evfd-id:", "%" SCNu64, &id),
	       "no evfd-id in fdinfo");

	return id;
}

int evfd_test_users(void)
{
	int users;

	expect(!evfd_test_proc("/sys/module/evfd/refcnt", "", "%d", &users),
	       "no number in /sys/module/evfd/refcnt");

	return users;
}

int evfd_test_instances(void)
{
	FILE *f = fopen("/sys/kernel/debug/evfd/instances", "r");
	char line[256];
	int n = -1;

	while (f && fgets(line, sizeof(line), f))
		n++;
	if (f)
		fclose(f);

	return n;
}

int evfd_test_next_fd(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

void *evfd_test_share(size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	expect(map != MAP_FAILED, "memory to share");

	return map;
}

long evfd_test_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void evfd_test_sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&ts, NULL);
}

char evfd_test_task_state(pid_t tid)
{
	char path[64], text[512], *paren;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	if (evfd_test_text(path, text, sizeof(text)))
		return '?';
	paren = strrchr(text, ')');

	return paren && paren[1] ? paren[2] : '?';
}

int evfd_test_wait_state(pid_t tid, char state)
{
	return evfd_test_until(evfd_test_task_state(tid) == state) ? 0 : -1;
}

int evfd_test_wait_asleep(pid_t tid)
{
	return evfd_test_wait_state(tid, 'S');
}

long evfd_test_sleeps(pid_t tid)
{
	char path[64];
	long n = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	evfd_test_proc(path, "voluntary_ctxt_switches:", "%ld", &n);

	return n;
}

int evfd_test_join(pthread_t thread)
{
	struct timespec limit;

	clock_gettime(CLOCK_MONOTONIC, &limit);
	limit.tv_sec += EVFD_TEST_PATIENCE_MS / 1000;

	return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &limit) ? -1 : 0;
}
