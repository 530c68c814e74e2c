// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many tasks at once: the sums agree to the last unit, no task sleeps while it
 * could go on, and none is woken in vain. Everything is counted; no test depends
 * on the speed of the machine.
 *
 * Uses evfd_task.h. A lost wakeup shows as a task that does not end within
 * EVFD_TEST_PATIENCE_MS. Read moving_test.c next, on memory that changes.
 */
#include <limits.h>

#include "kselftest_harness.h"
#include "evfd_task.h"

#define MAX		evfd_test_max(true)
#define NR_WRITERS	4
#define NR_READERS	4
#define NR_WORKERS	(NR_WRITERS + NR_READERS)
#define NR_WRITES	1000
/* How many waits must have been interrupted where there are signals. */
#define NR_INTERRUPTED	20

/* Everything that the threads of one test share. */
struct shared {
	int fd;
	bool semaphore;
	bool mixed;
	bool signals;
	/* The one side keeps near the other, so that the other has to sleep. */
	bool writers_keep_near;
	bool readers_keep_near;
	/* The least that a writer adds. */
	uint64_t step;
	/* Modulo 2^64, as the big steps go round it. */
	_Atomic uint64_t written;
	_Atomic uint64_t read;
	atomic_int writers_left;
	atomic_int readers_left;
	atomic_bool stop;
	atomic_bool signals_stop;
	atomic_int writes;
	atomic_int again;
	atomic_int interrupted;
	/* The first thing that went wrong in a thread, as -errno or value. */
	_Atomic long wrong;
};

struct worker {
	struct shared *shared;
	int number;
	pthread_t thread;
};

FIXTURE(concurrency) {
	struct shared shared;
	struct worker workers[NR_WORKERS];
	pthread_t signaller;
	uint64_t initval;
};

/* MIXED: every other thread passes RWF_NOWAIT. SIGNALS: waits are interrupted. */
enum how { CALM, MIXED, SIGNALS };

FIXTURE_VARIANT(concurrency) {
	unsigned int flags;
	enum how how;
	/* Start so near to the limit that writers have to wait. */
	bool near_full;
};

#define NONBLOCK	EVFD_NONBLOCK
#define SEMAPHORE	EVFD_SEMAPHORE

FIXTURE_VARIANT_ADD(concurrency, plain) { 0, CALM, false };
FIXTURE_VARIANT_ADD(concurrency, semaphore) { SEMAPHORE, CALM, false };
FIXTURE_VARIANT_ADD(concurrency, plain_nonblock) { NONBLOCK, CALM, false };
FIXTURE_VARIANT_ADD(concurrency, semaphore_nonblock) { SEMAPHORE | NONBLOCK, CALM, false };
FIXTURE_VARIANT_ADD(concurrency, plain_mixed) { 0, MIXED, false };
FIXTURE_VARIANT_ADD(concurrency, semaphore_mixed) { SEMAPHORE, MIXED, false };
FIXTURE_VARIANT_ADD(concurrency, plain_signals) { 0, SIGNALS, false };
FIXTURE_VARIANT_ADD(concurrency, semaphore_signals) { SEMAPHORE, SIGNALS, false };
FIXTURE_VARIANT_ADD(concurrency, plain_full) { 0, CALM, true };
FIXTURE_VARIANT_ADD(concurrency, semaphore_full) { SEMAPHORE, CALM, true };
FIXTURE_VARIANT_ADD(concurrency, plain_full_nonblock) { NONBLOCK, CALM, true };
FIXTURE_VARIANT_ADD(concurrency, semaphore_full_nonblock) { SEMAPHORE | NONBLOCK, CALM, true };
FIXTURE_VARIANT_ADD(concurrency, plain_full_mixed) { 0, MIXED, true };
FIXTURE_VARIANT_ADD(concurrency, semaphore_full_mixed) { SEMAPHORE, MIXED, true };
FIXTURE_VARIANT_ADD(concurrency, plain_full_signals) { 0, SIGNALS, true };
FIXTURE_VARIANT_ADD(concurrency, semaphore_full_signals) { SEMAPHORE, SIGNALS, true };

static void on_signal(int sig)
{
}

FIXTURE_SETUP(concurrency)
{
	struct sigaction action = { .sa_handler = on_signal };
	int i;

	/* In plain mode, where a read takes all, it takes big steps to fill. */
	self->shared.step = variant->near_full &&
			    !(variant->flags & EVFD_SEMAPHORE) ? 1ULL << 62 : 1;
	self->initval = variant->near_full ? MAX - 8 : 0;
	self->shared.fd = evfd_test_create(variant->flags, self->initval);
	self->shared.semaphore = variant->flags & EVFD_SEMAPHORE;
	self->shared.mixed = variant->how == MIXED;
	self->shared.signals = variant->how == SIGNALS;
	self->shared.writers_keep_near = !variant->near_full;
	self->shared.readers_keep_near = variant->near_full &&
					 variant->flags & EVFD_SEMAPHORE;
	self->shared.writers_left = NR_WRITERS;
	self->shared.readers_left = NR_READERS;
	for (i = 0; i < NR_WORKERS; i++) {
		self->workers[i].shared = &self->shared;
		self->workers[i].number = i;
	}
	ASSERT_EQ(0, sigaction(SIGUSR1, &action, NULL));
}

FIXTURE_TEARDOWN(concurrency)
{
}

/* One operation; true if it succeeded, false if it is to be tried again. */
static bool attempt(struct worker *worker, bool write, uint64_t *n)
{
	struct shared *shared = worker->shared;
	struct iovec iov = { n, sizeof(*n) };
	int flags = shared->mixed && worker->number & 1 ? RWF_NOWAIT : 0;
	ssize_t ret;

	if (flags && write)
		ret = pwritev2(shared->fd, &iov, 1, -1, flags);
	else if (flags)
		ret = preadv2(shared->fd, &iov, 1, -1, flags);
	else if (write)
		ret = evfd_test_write(shared->fd, *n);
	else
		ret = evfd_test_read(shared->fd, n);

	if (ret < 0 && flags)
		ret = -errno;
	if (ret == 8)
		return true;
	if (ret == -EAGAIN) {
		shared->again++;
		sched_yield();
	} else if (ret == -EINTR) {
		shared->interrupted++;
	} else if (!shared->wrong) {
		shared->wrong = ret ?: LONG_MIN;
	}

	return false;
}

static void *writer(void *arg)
{
	struct worker *worker = arg;
	struct shared *shared = worker->shared;
	int i;

	for (i = 0; i < NR_WRITES || (shared->signals &&
				      shared->interrupted < NR_INTERRUPTED);
	     i++) {
		uint64_t n = shared->step + (worker->number + i) % 3;

		while (shared->writers_keep_near && !shared->wrong &&
		       (int64_t)(shared->written - shared->read) > 2)
			sched_yield();
		while (!attempt(worker, true, &n) && !shared->wrong)
			;
		if (shared->wrong)
			break;
		shared->written += n;
		shared->writes++;
	}
	shared->writers_left--;

	return NULL;
}

static void *reader(void *arg)
{
	struct worker *worker = arg;
	struct shared *shared = worker->shared;

	while (!shared->stop && !shared->wrong) {
		uint64_t n;

		if (shared->readers_keep_near &&
		    (int64_t)(shared->written - shared->read) < 2) {
			sched_yield();
			continue;
		}
		if (!attempt(worker, false, &n))
			continue;
		if (!n || (shared->semaphore && n != 1))
			shared->wrong = n ?: LONG_MAX;
		shared->read += n;
	}
	shared->readers_left--;

	return NULL;
}

static void *signaller(void *arg)
{
	struct worker *workers = arg;
	struct shared *shared = workers[0].shared;

	while (!shared->signals_stop) {
		pthread_kill(workers[rand() % NR_WORKERS].thread, SIGUSR1);
		sched_yield();
	}

	return NULL;
}

/* Waits for @condition; the test checks it afterwards. */
#define WAIT_FOR(condition) \
	evfd_test_until_ms(condition, 2 * EVFD_TEST_PATIENCE_MS)

TEST_F(concurrency, sums_agree_to_the_last_unit)
{
	struct shared *shared = &self->shared;
	int i;

	for (i = 0; i < NR_WORKERS; i++) {
		ASSERT_EQ(0, pthread_create(&self->workers[i].thread, NULL,
					    i < NR_WRITERS ? writer : reader,
					    &self->workers[i]));
	}
	if (shared->signals)
		ASSERT_EQ(0, pthread_create(&self->signaller, NULL, signaller,
					    self->workers));

	WAIT_FOR(!shared->writers_left);
	ASSERT_EQ(0, shared->wrong);
	ASSERT_EQ(0, shared->writers_left)
		TH_LOG("writers sleep on a count of %llx",
		       (unsigned long long)evfd_test_count(shared->fd));
	if (shared->signals) {
		shared->signals_stop = true;
		pthread_join(self->signaller, NULL);
	}

	/* Readers go on until nothing is left, if an end is near. */
	if (!(variant->near_full && shared->semaphore)) {
		WAIT_FOR(shared->read == self->initval + shared->written);
		EXPECT_EQ(self->initval + shared->written, shared->read);
		ASSERT_EQ(0, evfd_test_count(shared->fd))
			TH_LOG("readers sleep on it");
	}

	/* Release the readers; each one ends with one unit. */
	shared->stop = true;
	WAIT_FOR(({
		if (shared->readers_left && !evfd_test_count(shared->fd)) {
			evfd_test_write(shared->fd, 1);
			shared->written++;
		}
		!shared->readers_left;
	}));
	ASSERT_EQ(0, shared->readers_left);
	ASSERT_EQ(0, shared->wrong);
	for (i = 0; i < NR_WORKERS; i++) {
		ASSERT_EQ(0, pthread_join(self->workers[i].thread, NULL));
	}

	EXPECT_EQ(self->initval + shared->written,
		  shared->read + evfd_test_count(shared->fd));
	TH_LOG("%d writes, %d EAGAIN, %d EINTR", shared->writes,
	       shared->again, shared->interrupted);
}

/*
 * Two threads that take turns: each wakes the other and waits for it, so that after
 * a lost wakeup both sleep for ever. They end after NR_TURNS, or on a slow machine
 * after TURNS_MS; the test is that they never stop before.
 */
#define NR_TURNS	3000
#define TURNS_MS	5000

struct turns {
	int fds[2];
	/* The value that they write. */
	uint64_t value;
	atomic_int done;
	atomic_bool stop;
	/* Set by a thread that read another value. */
	atomic_bool wrong;
};

/* Writes to one counter what it reads from the other. */
static void *pong(void *arg)
{
	struct turns *turns = arg;
	uint64_t n;

	while (evfd_test_read(turns->fds[0], &n) == 8 && n == turns->value)
		evfd_test_write(turns->fds[1], turns->value);

	return NULL;
}

static void *ping(void *arg)
{
	struct turns *turns = arg;
	uint64_t n;

	while (turns->done < NR_TURNS && !turns->stop) {
		evfd_test_write(turns->fds[0], turns->value);
		if (evfd_test_read(turns->fds[1], &n) != 8 ||
		    n != turns->value)
			turns->wrong = true;
		turns->done++;
	}
	turns->stop = true;

	return NULL;
}

/* Each write needs the whole counter, each read gets the whole. */
static void *fill(void *arg)
{
	struct turns *turns = arg;

	while (turns->done < NR_TURNS && !turns->stop) {
		if (evfd_test_write(turns->fds[0], MAX) != 8)
			turns->wrong = true;
		turns->done++;
	}
	turns->stop = true;

	return NULL;
}

static void *drain(void *arg)
{
	struct turns *turns = arg;
	uint64_t n;

	for (;;) {
		if (evfd_test_read(turns->fds[0], &n) != 8 || n != MAX)
			turns->wrong = true;
	}

	return NULL;
}

/* Runs both. Returns 0, or -1 if they came to a stop. */
static int take_turns(struct turns *turns, void *(*one)(void *arg),
		      void *(*other)(void *arg))
{
	int before = -1, still = 0, ms;
	pthread_t threads[2];

	if (pthread_create(&threads[0], NULL, one, turns) ||
	    pthread_create(&threads[1], NULL, other, turns))
		return -1;
	for (ms = 0; !turns->stop; ms++) {
		evfd_test_sleep_ms(1);
		still = turns->done == before ? still + 1 : 0;
		before = turns->done;
		if (still > EVFD_TEST_PATIENCE_MS)
			return -1;
		if (ms == TURNS_MS)
			break;
	}
	turns->stop = true;

	return evfd_test_join(threads[0]);
}

TEST(ping_pong_never_stalls)
{
	static const unsigned int flags[] = { 0, EVFD_SEMAPHORE };
	int mode;

	for (mode = 0; mode < 2; mode++) {
		/* Shared with a thread that still waits when this ends. */
		static struct turns turns[2];
		struct turns *t = &turns[mode];

		t->value = 1;
		t->fds[0] = evfd_test_create(flags[mode], 0);
		t->fds[1] = evfd_test_create(flags[mode], 0);
		ASSERT_EQ(0, take_turns(t, ping, pong))
			TH_LOG("after %d turns both sleep; the counts are %d and %d",
			       t->done, (int)evfd_test_count(t->fds[0]),
			       (int)evfd_test_count(t->fds[1]));
		EXPECT_FALSE(t->wrong);
		EXPECT_EQ(0, evfd_test_count(t->fds[0]));
		EXPECT_EQ(0, evfd_test_count(t->fds[1]));
		EXPECT_LT(100, t->done);
	}
}

TEST(full_and_empty_in_turn_never_stalls)
{
	static struct turns turns;

	turns.fds[0] = evfd_test_create(0, 0);
	ASSERT_EQ(0, take_turns(&turns, fill, drain))
		TH_LOG("after %d turns both sleep; the count is %llx",
		       turns.done,
		       (unsigned long long)evfd_test_count(turns.fds[0]));
	EXPECT_FALSE(turns.wrong);
	EXPECT_LT(100, turns.done);
}

/* Writers that write at the same time wake one reader each, and no other. */
struct burst {
	int fd;
	pthread_barrier_t *start;
	int writes;
};

static void *burst(void *arg)
{
	struct burst *burst = arg;
	int i;

	pthread_barrier_wait(burst->start);
	for (i = 0; i < burst->writes; i++)
		evfd_test_write(burst->fd, 1);

	return NULL;
}

TEST(simultaneous_writes_wake_as_many_readers_as_they_serve)
{
	static struct evfd_task tasks[12];
	const int nr = ARRAY_SIZE(tasks);
	struct burst args;
	pthread_barrier_t start;
	pthread_t threads[4];
	int round, i, served, alone;

	args.fd = evfd_test_create(EVFD_SEMAPHORE, 0);
	args.start = &start;
	args.writes = 2;
	for (round = 0; round < 20; round++) {
		for (i = 0; i < nr; i++) {
			tasks[i].fd = args.fd;
			tasks[i].op = evfd_task_read;
			ASSERT_EQ(0, evfd_task_start(&tasks[i]));
		}
		pthread_barrier_init(&start, NULL, ARRAY_SIZE(threads));
		for (i = 0; i < (int)ARRAY_SIZE(threads); i++) {
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, burst,
						    &args));
		}
		for (i = 0; i < (int)ARRAY_SIZE(threads); i++)
			pthread_join(threads[i], NULL);
		pthread_barrier_destroy(&start);

		/* Eight units: the first eight have them. */
		for (i = 0; i < 8; i++) {
			ASSERT_EQ(8, evfd_task_result(&tasks[i]))
				TH_LOG("round %d: %d was not woken", round, i);
			EXPECT_EQ(1, tasks[i].value);
		}
		EXPECT_EQ(0, evfd_test_count(args.fd));
		for (alone = 0, i = 8; i < nr; i++)
			alone += !evfd_task_rewoken(&tasks[i]);
		EXPECT_EQ(nr - 8, alone)
			TH_LOG("round %d: a spurious wakeup", round);

		ASSERT_EQ(8, evfd_test_write(args.fd, nr - 8));
		for (served = 0, i = 8; i < nr; i++)
			served += !evfd_task_join(&tasks[i]);
		ASSERT_EQ(nr - 8, served);
	}
}

TEST_HARNESS_MAIN
