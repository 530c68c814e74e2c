// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <sys/prctl.h>

#include "../samples/evfd_ticker.h"
#include "evfd_test.h"
#include "tour.h"

#define MARKER	"/sys/kernel/tracing/trace_marker"

void mark(const char *format, ...)
{
	static int fd = -1;
	char line[256];
	int saved = errno;
	va_list args;
	int len;

	if (fd < 0)
		fd = open(MARKER, O_WRONLY | O_CLOEXEC);
	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	must(fd >= 0 && write(fd, line, len) == len);
	errno = saved;
}

long tour_result(long ret)
{
	if (ret < 0)
		mark("< %s", strerrorname_np(errno));
	else
		mark("< %ld", ret);
	return ret;
}

int tour_evfd(const char *text, uint64_t initval, int flags)
{
	struct evfd_create arg = { .flags = flags, .initval = initval };
	int dev = open("/dev/evfd", O_RDWR | O_CLOEXEC);
	int fd;

	must(dev >= 0);
	mark("> evfd(%s)", text);
	fd = tour_result(ioctl(dev, EVFD_IOC_CREATE, &arg));
	must(fd >= 0);
	close(dev);
	return fd;
}

long tour_write(const char *name, int fd, uint64_t n)
{
	if (n > EVFD_COUNT_MAX - 10)
		mark("> write(%s, 2^64 - %u)", name, (unsigned int)-n);
	else
		mark("> write(%s, %ju)", name, (uintmax_t)n);
	return tour_result(write(fd, &n, sizeof(n)));
}

long tour_read(const char *name, int fd, uint64_t *n)
{
	long ret;

	mark("> read(%s)", name);
	ret = read(fd, n, sizeof(*n));
	if (ret < 0)
		return tour_result(ret);
	if (*n > EVFD_COUNT_MAX - 10)
		mark("< %ld: 2^64 - %u", ret, (unsigned int)-*n);
	else
		mark("< %ld: %ju", ret, (uintmax_t)*n);
	return ret;
}

void tour_name(const char *name)
{
	must(prctl(PR_SET_NAME, name) == 0);
	mark("+ %s", name);
}

static void *tour_task(void *arg)
{
	struct task *task = arg;

	tour_name(task->name);
	__atomic_store_n(&task->tid, gettid(), __ATOMIC_RELEASE);
	task->run(task->fd);
	return NULL;
}

char tour_state(pid_t tid)
{
	return evfd_test_task_state(tid);
}

void tour_asleep(pid_t tid)
{
	while (!strchr("S?Z", tour_state(tid)))
		sched_yield();
}

void tour_start(struct task *task, const char *name, void (*run)(int fd),
		int fd)
{
	*task = (struct task){ .name = name, .run = run, .fd = fd };
	must(pthread_create(&task->thread, NULL, tour_task, task) == 0);
	while (!__atomic_load_n(&task->tid, __ATOMIC_ACQUIRE))
		sched_yield();
	tour_asleep(task->tid);
}

void tour_join(struct task *task)
{
	must(pthread_join(task->thread, NULL) == 0);
}

int ticker_start(int fd, uint64_t period_ns)
{
	struct evfd_ticker_start start = { .fd = fd, .period_ns = period_ns };
	int ticker = open("/dev/evfd-ticker", O_RDWR | O_CLOEXEC);

	must(ticker >= 0);
	must(ioctl(ticker, EVFD_TICKER_START, &start) == 0);
	return ticker;
}

int main(void)
{
	struct sched_param param = { .sched_priority = 1 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	must(sched_setscheduler(0, SCHED_FIFO, &param) == 0);
	tour_name("main");
	tour();

	return 0;
}
