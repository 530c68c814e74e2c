// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program to trace: it prints what it did, for a comparison with the report of a
 * tracing tool.
 *
 * It makes a counter, fills and empties it, lets a thread sleep on it, and closes
 * it. It prints the tracepoints that this passed with their numbers, and the sums
 * of what was written and read. Uses evfd_test.h. Read tests/tracing/guest next.
 */
#include <err.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "evfd_test.h"

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

int main(void)
{
	pthread_t thread;
	int i;

	fd = evfd_test_create(EVFD_CLOEXEC, 0);
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
		evfd_test_sleep_ms(1);
	for (i = 1; i <= NBLOCKS; i++) {
		/* Wait until the reader sleeps, so that there is one to wake. */
		if (!evfd_test_until(evfd_test_sleeps(tid) >= sleeps + i))
			errx(1, "the reader does not sleep");
		did.blocks++;
		put(i);
		did.wakes++;
	}
	pthread_join(thread, NULL);

	/* This page is not mapped. */
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
