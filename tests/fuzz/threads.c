// SPDX-License-Identifier: GPL-2.0-only
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "draw.h"
#include "evfd_test.h"
#include "threads.h"

#define MAX_THREADS	6

enum way { BLOCKING, POLLING, EDGES, MIXED, NR_WAYS };

static struct {
	int fd;
	bool evfd, semaphore, large;
	enum way way;
	volatile int stop_writers, stop_readers;
	uint64_t written, read, reads, operations;
	int readers;
} round_state;

/* The result of the round's process. */
static struct verdict {
	uint64_t operations;
	int failed;
	char why[256];
} *verdict;

static void fail(const char *format, ...)
{
	va_list args;

	if (__atomic_exchange_n(&verdict->failed, 1, __ATOMIC_RELAXED))
		return;
	va_start(args, format);
	vsnprintf(verdict->why, sizeof(verdict->why), format, args);
	va_end(args);
}

static void count_op(void)
{
	__atomic_fetch_add(&round_state.operations, 1, __ATOMIC_RELAXED);
}

/* Returns whether the read succeeded. */
static bool took(ssize_t ret, const uint64_t *value, const char *what,
		 bool nowait)
{
	uint64_t n = *value;

	count_op();
	if (ret == 8) {
		if (!n || (round_state.semaphore && n != 1))
			fail("%s returned %llu", what, (unsigned long long)n);
		__atomic_fetch_add(&round_state.read, n, __ATOMIC_RELAXED);
		__atomic_fetch_add(&round_state.reads, 1, __ATOMIC_RELAXED);
		return true;
	}
	/* At the end the mode changes, also during a call. */
	nowait |= round_state.stop_readers;
	if (ret != -1 || (errno != EINTR && !(errno == EAGAIN && nowait)))
		fail("%s returned %zd, errno %d", what, ret, errno);
	return false;
}

static bool read_one(uint64_t *rng)
{
	static void *volatile nowhere = (void *)8;
	struct iovec iov[2];
	uint64_t n = 0;
	int cut;

	switch (draw(rng) % 4) {
	case 0:
		cut = draw(rng) % 9;
		iov[0] = (struct iovec){ &n, cut };
		iov[1] = (struct iovec){ (char *)&n + cut, 8 - cut };
		return took(readv(round_state.fd, iov, 2), &n, "readv", false);
	case 1:
		/* eventfd would lose the count. */
		if (!round_state.evfd)
			break;
		if (read(round_state.fd, nowhere, 8) != -1 ||
		    (errno != EFAULT && errno != EINTR && errno != EAGAIN))
			fail("a read into nowhere: errno %d", errno);
		return false;
	}

	return took(read(round_state.fd, &n, 8), &n, "read", false);
}

static void *reader(void *arg)
{
	uint64_t rng = *(uint64_t *)arg, n;
	struct iovec iov = { &n, 8 };
	struct pollfd p = { round_state.fd, POLLIN, 0 };
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	enum way way = round_state.way;
	int ep = epoll_create1(EPOLL_CLOEXEC);

	if (rng & 2 && way == EDGES)
		e.events |= EPOLLEXCLUSIVE;
	epoll_ctl(ep, EPOLL_CTL_ADD, round_state.fd, &e);
	while (!round_state.stop_readers && !verdict->failed) {
		if (round_state.way == MIXED)
			way = draw(&rng) % MIXED;
		switch (way) {
		case BLOCKING:
			read_one(&rng);
			break;
		case POLLING:
			if (poll(&p, 1, round_state.way == MIXED ? 1 : -1) == 1 &&
			    p.revents != POLLIN)
				fail("poll: %x", p.revents);
			n = 0;
			took(preadv2(round_state.fd, &iov, 1, -1, RWF_NOWAIT),
			     &n, "preadv2", true);
			break;
		default:
			if (epoll_wait(ep, &e, 1,
				       round_state.way == MIXED ? 1 : -1) != 1)
				break;
			do {
				n = 0;
			} while (took(preadv2(round_state.fd, &iov, 1, -1,
					      RWF_NOWAIT), &n, "preadv2", true) &&
				 !round_state.stop_readers);
		}
	}
	close(ep);
	__atomic_fetch_sub(&round_state.readers, 1, __ATOMIC_RELEASE);

	return NULL;
}

static void added(ssize_t ret, uint64_t n)
{
	count_op();
	if (ret == 8)
		__atomic_fetch_add(&round_state.written, n, __ATOMIC_RELAXED);
	else if (ret != -1 || errno != EINTR)
		fail("write returned %zd, errno %d", ret, errno);
}

static void *writer(void *arg)
{
	uint64_t rng = *(uint64_t *)arg, n[2], z;
	struct iovec iov[] = { { &n[0], 8 }, { &n[1], 8 } };
	ssize_t ret;

	while (!round_state.stop_writers && !verdict->failed) {
		z = draw(&rng);
		n[0] = z % 8 ? z >> 8 & 3 : 1;
		if (round_state.large && z >> 20 & 1)
			n[0] = UINT64_MAX - 1 - (z >> 24 & 7);
		n[1] = 1;
		if (z >> 32 & 1) {
			added(write(round_state.fd, n, 8), n[0]);
		} else {
			ret = writev(round_state.fd, iov, 2);
			if (ret == 16)
				added(8, n[0] + n[1]);
			else
				added(ret, n[0]);
		}
		/* Let the readers sleep. */
		if (!(z >> 40 & 3))
			usleep(z >> 44 & 127);
	}

	return NULL;
}

static void on_signal(int sig)
{
	(void)sig;
}

/* Waits until the readers have read all. Returns whether they have. */
static bool drained(void)
{
	uint64_t reads = __atomic_load_n(&round_state.reads, __ATOMIC_RELAXED);
	int ms;

	for (ms = 0; ms < EVFD_TEST_PATIENCE_MS; ms++) {
		if (!evfd_test_count(round_state.fd))
			return true;
		/* A large semaphore is never empty; 64 more reads suffice. */
		if (__atomic_load_n(&round_state.reads, __ATOMIC_RELAXED) >=
		    reads + 64)
			return true;
		usleep(1000);
	}

	return false;
}

static int make_counter(uint64_t initval)
{
	return evfd_test_make(round_state.evfd,
			      round_state.semaphore ? EVFD_SEMAPHORE : 0,
			      initval);
}

static void *one_read(void *arg)
{
	uint64_t n = 0;

	(void)arg;
	took(read(round_state.fd, &n, 8), &n, "read", false);

	return NULL;
}

static void *one_write(void *arg)
{
	uint64_t n = 1;

	(void)arg;
	added(write(round_state.fd, &n, 8), n);

	return NULL;
}

/*
 * Tasks that block in one operation each, and then one operation that serves all
 * of them. No later operation would repair a lost wakeup.
 */
static void burst(uint64_t *rng)
{
	bool reads = draw(rng) & 1;
	int i, n = 2 + draw(rng) % (MAX_THREADS - 1);
	uint64_t all = reads ? (uint64_t)n : UINT64_MAX - 1;
	pthread_t tasks[MAX_THREADS];

	round_state.semaphore = reads;
	round_state.fd = make_counter(reads ? 0 : all);
	for (i = 0; i < n; i++)
		pthread_create(&tasks[i], NULL, reads ? one_read : one_write,
			       NULL);
	usleep(draw(rng) % 3000);
	if (reads ? write(round_state.fd, &all, 8) != 8 :
		    read(round_state.fd, &all, 8) != 8)
		fail("for all at once: errno %d", errno);
	for (i = 0; i < n && !verdict->failed; i++) {
		if (evfd_test_join(tasks[i]))
			fail("1 of %d %s sleeps on %llx", n,
			     reads ? "readers" : "writers",
			     (unsigned long long)evfd_test_count(round_state.fd));
	}
	if (!verdict->failed && evfd_test_count(round_state.fd) != (reads ? 0 : (uint64_t)n))
		fail("all of %d leave %llx", n,
		     (unsigned long long)evfd_test_count(round_state.fd));
	close(round_state.fd);
}

static void run_round(uint64_t seed, int ms)
{
	pthread_t readers[MAX_THREADS], writers[MAX_THREADS];
	uint64_t seeds[2 * MAX_THREADS], rng = seed, initval = 0, left, one = 1;
	struct sigaction sa = { .sa_handler = on_signal };
	int i, nr_readers, nr_writers;
	long end;

	if (draw(&rng) % 4 == 0) {
		for (i = 0; i < 20 && !verdict->failed; i++)
			burst(&rng);
		return;
	}
	round_state.way = draw(&rng) % NR_WAYS;
	round_state.semaphore = draw(&rng) & 1;
	round_state.large = !round_state.semaphore && draw(&rng) & 1;
	if (draw(&rng) % 3 == 0)
		initval = UINT64_MAX - 1 - draw(&rng) % 4;
	nr_readers = 1 + draw(&rng) % 4;
	nr_writers = 1 + draw(&rng) % 3;
	round_state.fd = make_counter(initval);
	round_state.readers = nr_readers;
	sigaction(SIGUSR1, &sa, NULL);

	for (i = 0; i < 2 * MAX_THREADS; i++)
		seeds[i] = draw(&rng);
	for (i = 0; i < nr_readers; i++)
		pthread_create(&readers[i], NULL, reader, &seeds[i]);
	for (i = 0; i < nr_writers; i++)
		pthread_create(&writers[i], NULL, writer,
			       &seeds[MAX_THREADS + i]);

	end = evfd_test_now_ms() + ms;
	do {
		usleep(200 + draw(&rng) % 2000);
		i = draw(&rng) % (nr_readers + nr_writers);
		pthread_kill(i < nr_readers ? readers[i] :
			     writers[i - nr_readers], SIGUSR1);
	} while (evfd_test_now_ms() < end && !verdict->failed);

	/* No signals from here on: they would repair a lost wakeup. */
	round_state.stop_writers = 1;
	if (!drained())
		fail("%d readers (way %d) sleep on %llx", nr_readers,
		     round_state.way, (unsigned long long)evfd_test_count(round_state.fd));
	for (i = 0; i < nr_writers && !verdict->failed; i++) {
		if (evfd_test_join(writers[i]))
			fail("a writer sleeps on %llx",
			     (unsigned long long)evfd_test_count(round_state.fd));
	}
	if (!verdict->failed && !drained())
		fail("%d readers (way %d) sleep on %llx at last", nr_readers,
		     round_state.way, (unsigned long long)evfd_test_count(round_state.fd));
	if (verdict->failed)
		return;

	round_state.stop_readers = 1;
	fcntl(round_state.fd, F_SETFL, O_NONBLOCK);
	for (i = 0; __atomic_load_n(&round_state.readers, __ATOMIC_ACQUIRE) &&
	     i < EVFD_TEST_PATIENCE_MS; i++) {
		if (write(round_state.fd, &one, 8) == 8)
			__atomic_fetch_add(&round_state.written, 1,
					   __ATOMIC_RELAXED);
		usleep(1000);
	}
	if (i == EVFD_TEST_PATIENCE_MS) {
		fail("readers do not end");
		return;
	}
	for (i = 0; i < nr_readers; i++)
		pthread_join(readers[i], NULL);
	left = evfd_test_count(round_state.fd);
	if (initval + round_state.written != round_state.read + left)
		fail("%llx + %llx written, but %llx read + %llx left (way %d%s)",
		     (unsigned long long)initval,
		     (unsigned long long)round_state.written,
		     (unsigned long long)round_state.read,
		     (unsigned long long)left, round_state.way,
		     round_state.semaphore ? ", semaphore" : "");
}

bool threads_run(bool evfd, uint64_t seed, int ms, uint64_t *operations,
		 char *why, size_t size)
{
	int status = 0;
	pid_t pid;

	if (!verdict)
		verdict = evfd_test_share(sizeof(*verdict));
	memset(verdict, 0, sizeof(*verdict));
	pid = fork();
	if (!pid) {
		round_state.evfd = evfd;
		run_round(seed, ms);
		verdict->operations = round_state.operations;
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		fail("the round's process ended with status %x", status);
	*operations += verdict->operations;
	snprintf(why, size, "round %llx: %s", (unsigned long long)seed,
		 verdict->why);

	return !verdict->failed;
}
