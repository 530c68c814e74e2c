// SPDX-License-Identifier: GPL-2.0-only
/*
 * Something to trace: a program that says what it did, so that what a tracing
 * tool reports can be compared with it.
 *
 * It makes a counter, fills and empties it, lets a thread sleep for it, and
 * closes it. On stdout come the names of the tracepoints that this passed and
 * how often, and the sums of what was written and read. tests/tracing/guest is
 * where to read next.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/evfd.h>

#define NROUNDS	100
#define NBLOCKS	10

static struct {
	uint64_t creates, writes, reads, blocks, wakes, faults, releases;
	uint64_t written, read;
} did;

static int fd;
static long sleeps;	/* of the thread before it read; -1 until that is known */
static pid_t tid;

static void put(uint64_t n)
{
	if (write(fd, &n, sizeof(n)) != sizeof(n))
		err(1, "write");
	did.writes++;
	did.written += n;
}

static void take(void)
{
	uint64_t n;

	if (read(fd, &n, sizeof(n)) != sizeof(n))
		err(1, "read");
	did.reads++;
	did.read += n;
}

static void *reader(void *arg)
{
	struct rusage usage;
	int i;

	(void)arg;
	getrusage(RUSAGE_THREAD, &usage);
	__atomic_store_n(&tid, gettid(), __ATOMIC_RELEASE);
	__atomic_store_n(&sleeps, usage.ru_nvcsw, __ATOMIC_RELEASE);
	for (i = 0; i < NBLOCKS; i++)
		take();

	return NULL;
}

/* How often the thread went to sleep. */
static long slept(void)
{
	char path[64], line[128];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "voluntary_ctxt_switches: %ld", &n);
	if (f)
		fclose(f);

	return n;
}

static void sleep_ms(int ms)
{
	struct timespec ts = { 0, ms * 1000000L };

	nanosleep(&ts, NULL);
}

int main(void)
{
	struct evfd_create create = { .flags = EVFD_CLOEXEC };
	int dev = open("/dev/evfd", O_RDWR | O_CLOEXEC), i, ms;
	pthread_t thread;

	fd = dev < 0 ? -1 : ioctl(dev, EVFD_IOC_CREATE, &create);
	if (fd < 0)
		err(1, "/dev/evfd");
	did.creates++;

	for (i = 1; i <= NROUNDS; i++) {
		put(i);
		if (i % 2 == 0)
			take();
	}

	sleeps = -1;
	errno = pthread_create(&thread, NULL, reader, NULL);
	if (errno)
		err(1, "pthread_create");
	while (__atomic_load_n(&sleeps, __ATOMIC_ACQUIRE) < 0)
		sleep_ms(1);
	for (i = 1; i <= NBLOCKS; i++) {
		/* It has to sleep, or there is nobody to wake. */
		for (ms = 0; slept() < sleeps + i; ms++) {
			if (ms > 30000)
				errx(1, "the reader does not sleep");
			sleep_ms(1);
		}
		did.blocks++;
		put(i);
		did.wakes++;
	}
	pthread_join(thread, NULL);

	/* Nobody has this page. */
	put(1);
	if (syscall(SYS_read, fd, 8, sizeof(uint64_t)) >= 0 || errno != EFAULT)
		errx(1, "a read into a bad address did not fail as it should");
	did.faults++;
	close(fd);
	did.releases++;

	printf("evfd_create %" PRIu64 "\n", did.creates);
	printf("evfd_write %" PRIu64 "\n", did.writes);
	printf("evfd_read %" PRIu64 "\n", did.reads);
	printf("evfd_block %" PRIu64 "\n", did.blocks);
	printf("evfd_wake %" PRIu64 "\n", did.wakes);
	printf("evfd_fault %" PRIu64 "\n", did.faults);
	printf("evfd_release %" PRIu64 "\n", did.releases);
	printf("written %" PRIu64 "\n", did.written);
	printf("read %" PRIu64 "\n", did.read);

	return 0;
}
