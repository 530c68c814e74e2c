// SPDX-License-Identifier: GPL-2.0-only
/*
 * SIGKILL at every point: to a reader or writer on its way to sleep, asleep and
 * on its way out, to readers in a crowd, and to a process with thousands of
 * counters. Each value is read once or still in the counter, no reader sleeps on
 * it, and no counter is left behind.
 *
 * Uses evfd_victim.h. Where a kill has to meet a race, it is moved towards the
 * moment that decides it: later if the victim had not got there, else earlier.
 * signals_test.c has the signals that a program survives.
 */
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "kselftest_harness.h"
#include "evfd_victim.h"

#define MAX		evfd_test_max(true)
/* The time limit of a test, in s: only a test that hangs reaches it. */
#define PATIENCE	120

static void spin(long n)
{
	static atomic_long left;

	for (left = n; left > 0; left--)
		;
}

FIXTURE(kill) {
	/* Without O_NONBLOCK, and empty. */
	int fd;
	struct evfd_victim *victim;
	struct evfd_victim *other;
};

FIXTURE_VARIANT(kill) { unsigned int flags; };
FIXTURE_VARIANT_ADD(kill, plain) { .flags = 0 };
FIXTURE_VARIANT_ADD(kill, semaphore) { .flags = EVFD_SEMAPHORE };

FIXTURE_SETUP(kill)
{
	self->fd = evfd_test_create(variant->flags, 0);
	self->victim = evfd_test_share(2 * sizeof(*self->victim));
	self->other = self->victim + 1;
}

/* Processes that still sleep end with the test's process. */
FIXTURE_TEARDOWN(kill)
{
}

/*
 * Delays that grow until the victim is always found asleep. Before every other
 * kill its state is not read: that would take longer than going to sleep.
 */
#define SWEEP_ROUNDS	8
#define SWEEP_ENOUGH	1024
#define SWEEP_LIMIT	0x4000000

struct sweep {
	long delay;
	int round;
	int asleep;
	int kills;
	int early;
};

static bool sweep_goes_on(struct sweep *sweep)
{
	if (!sweep->delay) {
		sweep->delay = 1;
	} else if (++sweep->round == SWEEP_ROUNDS) {
		if (sweep->asleep == SWEEP_ROUNDS / 2 &&
		    sweep->delay >= SWEEP_ENOUGH)
			return false;
		sweep->round = 0;
		sweep->asleep = 0;
		sweep->delay *= 2;
	}

	return sweep->delay <= SWEEP_LIMIT;
}

/* Runs @op until the moment that it is the turn of, and kills it there. */
static int sweep_kill(struct sweep *sweep, struct evfd_victim *victim, int fd,
		      ssize_t (*op)(struct evfd_task *task), uint64_t value)
{
	if (evfd_victim_run(victim, fd, op, value))
		return -1;
	/* The shortest delays also meet it before it begins. */
	while (sweep->round & 2 && !victim->ready)
		;
	spin(sweep->delay + rand() % sweep->delay);
	if (sweep->round & 1)
		sweep->asleep += evfd_test_task_state(victim->pid) == 'S' &&
				 victim->ready;
	sweep->kills++;
	if (evfd_victim_kill(victim))
		return -1;
	sweep->early += !victim->ready;

	return victim->done ? -1 : 0;
}

TEST_F_TIMEOUT(kill, a_reader_on_its_way_to_sleep_takes_nothing, PATIENCE)
{
	ssize_t (*ops[])(struct evfd_task *task) = {
		evfd_task_read, evfd_task_readv,
	};
	uint64_t value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		struct sweep sweep = { };

		while (sweep_goes_on(&sweep)) {
			ASSERT_EQ(0, sweep_kill(&sweep, self->victim, self->fd,
						ops[i], 0))
				TH_LOG("after %ld", sweep.delay);
			ASSERT_EQ(0, evfd_test_count(self->fd));
			ASSERT_EQ(0, self->victim->task.value);
			/* It is not on the queue either. */
			ASSERT_EQ(8, evfd_test_write(self->fd, 1));
			ASSERT_EQ(8, evfd_test_read(self->fd, &value));
			ASSERT_EQ(1, value);
		}
		EXPECT_EQ(SWEEP_ROUNDS / 2, sweep.asleep)
			TH_LOG("it was not seen asleep");
		TH_LOG("%d kills, %d before it began", sweep.kills,
		       sweep.early);
	}
}

TEST_F_TIMEOUT(kill, a_writer_on_its_way_to_sleep_adds_nothing, PATIENCE)
{
	ssize_t (*ops[])(struct evfd_task *task) = {
		evfd_task_write, evfd_task_writev,
	};
	uint64_t value;
	size_t i;

	ASSERT_EQ(8, evfd_test_write(self->fd, MAX));
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		struct sweep sweep = { };

		while (sweep_goes_on(&sweep)) {
			ASSERT_EQ(0, sweep_kill(&sweep, self->victim, self->fd,
						ops[i], 1))
				TH_LOG("after %ld", sweep.delay);
			ASSERT_EQ(MAX, evfd_test_count(self->fd));
			ASSERT_EQ(8, evfd_test_read(self->fd, &value));
			ASSERT_EQ(MAX - value, evfd_test_count(self->fd));
			ASSERT_EQ(8, evfd_test_write(self->fd, value));
		}
		EXPECT_EQ(SWEEP_ROUNDS / 2, sweep.asleep)
			TH_LOG("it was not seen asleep");
		TH_LOG("%d kills, %d before it began", sweep.kills,
		       sweep.early);
	}
}

/*
 * The way to the moment that decides a race: @delay is by how much the kill comes
 * after the other side's act, or before it if negative.
 */
struct edge {
	long delay;
	long step;
	int last;
	int late;
	int early;
};

#define EDGE_ROUNDS	80
/* Both outcomes must be seen this often. */
#define EDGE_WANTED	5

/* Kill the victim before the other side's act, or after it. */
static void edge_kill_before(struct edge *edge, struct evfd_victim *victim)
{
	if (edge->delay < 0) {
		kill(victim->pid, SIGKILL);
		spin(-edge->delay);
	}
}

static int edge_kill_after(struct edge *edge, struct evfd_victim *victim)
{
	if (edge->delay >= 0)
		spin(edge->delay);

	return evfd_victim_kill(victim);
}

static void edge_move(struct edge *edge, bool late)
{
	int direction = late ? -1 : 1;

	if (!edge->step)
		edge->step = 256;
	else if (direction == edge->last && edge->step < 1L << 20)
		edge->step *= 2;
	else if (direction != edge->last && edge->step > 8)
		edge->step /= 4;
	edge->last = direction;
	edge->delay += direction * (edge->step + rand() % edge->step);
	edge->late += late;
	edge->early += !late;
}

/*
 * The write wakes the victim. Either the victim has got the value, in its memory,
 * or the next reader on the queue has.
 */
TEST_F_TIMEOUT(kill, a_reader_chosen_for_a_wake_does_not_swallow_it, PATIENCE)
{
	struct evfd_victim *victim = self->victim, *other = self->other;
	struct edge edge = { };
	int round;

	for (round = 0; round < EDGE_ROUNDS; round++) {
		bool took;

		ASSERT_EQ(0, evfd_victim_start(victim, self->fd,
					       round & 1 ? evfd_task_readv :
							   evfd_task_read, 0));
		ASSERT_EQ(0, evfd_victim_start(other, self->fd, evfd_task_read, 0));
		edge_kill_before(&edge, victim);
		ASSERT_EQ(8, evfd_test_write(self->fd, 1));
		ASSERT_EQ(0, edge_kill_after(&edge, victim));

		/* A value in its memory counts if no other reader has it. */
		ASSERT_TRUE(evfd_test_until(other->done ||
					    (victim->task.value &&
					     !evfd_test_count(self->fd))))
			TH_LOG("round %d: the count is %d, and a reader sleeps",
			       round, (int)evfd_test_count(self->fd));
		took = !other->done;
		if (took) {
			EXPECT_EQ(0, evfd_test_wait_asleep(other->pid));
			ASSERT_FALSE(other->done)
				TH_LOG("round %d: one post, two readers",
				       round);
			ASSERT_EQ(0, evfd_victim_kill(other));
		} else {
			ASSERT_EQ(0, evfd_victim_reap(other));
			EXPECT_EQ(8, other->task.ret);
			EXPECT_EQ(1, other->task.value);
		}
		ASSERT_EQ(0, evfd_test_count(self->fd));
		edge_move(&edge, took);
	}
	TH_LOG("the victim had it in %d rounds, the other in %d", edge.late,
	       edge.early);
	EXPECT_LE(EDGE_WANTED, edge.late);
	EXPECT_LE(EDGE_WANTED, edge.early);
}

TEST_F_TIMEOUT(kill, a_writer_that_gets_room_adds_all_or_nothing, PATIENCE)
{
	struct evfd_victim *victim = self->victim, *other = self->other;
	bool semaphore = variant->flags & EVFD_SEMAPHORE;
	struct edge edge = { };
	uint64_t value, full;
	int round;

	for (round = 0; round < EDGE_ROUNDS; round++) {
		/* In every fourth round a semaphore has room for one only. */
		int room = semaphore && round % 4 == 3 ? 1 : 2;

		ASSERT_EQ(8, evfd_test_write(self->fd, MAX));
		ASSERT_EQ(0, evfd_victim_start(victim, self->fd,
					       round & 1 ? evfd_task_writev :
							   evfd_task_write, 1));
		ASSERT_EQ(0, evfd_victim_start(other, self->fd, evfd_task_write, 1));
		edge_kill_before(&edge, victim);
		ASSERT_EQ(8, evfd_test_read(self->fd, &value));
		if (semaphore && room == 2)
			ASSERT_EQ(8, evfd_test_read(self->fd, &value));
		ASSERT_EQ(0, edge_kill_after(&edge, victim));

		full = semaphore ? MAX : 2;
		if (room == 1) {
			ASSERT_TRUE(evfd_test_until(evfd_test_count(self->fd) ==
					       full))
				TH_LOG("round %d: a writer sleeps for room",
				       round);
		} else {
			ASSERT_TRUE(evfd_test_until(other->done))
				TH_LOG("round %d: a writer sleeps for room",
				       round);
			value = evfd_test_count(self->fd);
			ASSERT_TRUE(value == full || value == full - 1);
			edge_move(&edge, value == full);
		}
		ASSERT_EQ(0, evfd_victim_kill(other));

		/* Empty it. */
		close(self->fd);
		self->fd = evfd_test_create(variant->flags, 0);
	}
	TH_LOG("the victim had added in %d rounds, in %d not", edge.late,
	       edge.early);
	EXPECT_LE(EDGE_WANTED, edge.late);
	EXPECT_LE(EDGE_WANTED, edge.early);
}

/* A crowd: processes of some threads each, that read as fast as they can. */
#define NR_THREADS	4
#define NR_VICTIMS	6
#define NR_CROWDS	(NR_VICTIMS + 1)
#define NR_EPOCHS	12
#define NR_POSTS	60

/* Entries below @nr are certain; one more may have been read before the kill. */
struct log {
	atomic_int nr;
	uint64_t values[NR_POSTS * 3 + 1];
};

struct crowd {
	pid_t pid;
	int fd;
	atomic_int ready;
	struct log logs[NR_THREADS];
};

struct crowd_thread {
	struct crowd *crowd;
	struct log *log;
};

static void *crowd_read(void *arg)
{
	struct crowd_thread *thread = arg;
	struct log *log = thread->log;

	thread->crowd->ready++;
	while (read(thread->crowd->fd, &log->values[log->nr], 8) == 8)
		log->nr++;

	return NULL;
}

static int crowd_start(struct crowd *crowd, int fd)
{
	struct crowd_thread threads[NR_THREADS];
	pthread_t handle;
	pid_t pid;
	int i;

	crowd->fd = fd;
	pid = fork();
	if (pid) {
		crowd->pid = pid;
		return pid < 0 ? -1 : 0;
	}

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (i = 0; i < NR_THREADS; i++) {
		threads[i].crowd = crowd;
		threads[i].log = &crowd->logs[i];
		if (pthread_create(&handle, NULL, crowd_read, &threads[i]))
			_exit(1);
	}
	while (1)
		pause();
}

/*
 * Crowds are killed while posts come, the last one survives. Posts are bits in
 * plain mode, so that each can be found again: in the certain entry of one
 * reader, or of none and then in an uncertain one. A semaphore's units are
 * counted.
 */
TEST_F_TIMEOUT(kill, readers_in_a_crowd_lose_nothing, PATIENCE)
{
	struct crowd *crowds = evfd_test_share(NR_CROWDS * sizeof(*crowds));
	bool semaphore = variant->flags & EVFD_SEMAPHORE;
	struct crowd *survivors = &crowds[NR_VICTIMS];
	int epoch, i, j, k, by_killed = 0, by_survivors = 0, open = 0;

	for (epoch = 0; epoch < NR_EPOCHS; epoch++) {
		uint64_t posted = 0, certain = 0, uncertain = 0;
		int posts = 0;

		memset(crowds, 0, NR_CROWDS * sizeof(*crowds));
		ASSERT_EQ(0, crowd_start(survivors, self->fd));
		ASSERT_TRUE(evfd_test_until(survivors->ready == NR_THREADS));
		for (i = 0; i < NR_VICTIMS; i++) {
			ASSERT_EQ(0, crowd_start(&crowds[i], self->fd));
			ASSERT_TRUE(evfd_test_until(crowds[i].ready == NR_THREADS));
			for (j = 0; j < NR_POSTS / NR_VICTIMS; j++) {
				bool last = j == NR_POSTS / NR_VICTIMS - 1;
				uint64_t n = 1;

				if (!semaphore)
					n <<= posts;
				else if (!last)
					n += rand() % 3;

				/* Before the last, all have gone to sleep. */
				if (last)
					evfd_test_sleep_ms(1);
				else if (rand() & 1)
					spin(rand() % (64 << rand() % 8));
				ASSERT_EQ(8, evfd_test_write(self->fd, n));
				posted += n;
				posts++;
			}
			/* As often as not one that the last post chose. */
			if (rand() & 1)
				spin(rand() % (1 << rand() % 12));
			kill(crowds[i].pid, SIGKILL);
			ASSERT_EQ(crowds[i].pid,
				  waitpid(crowds[i].pid, NULL, 0));

			/* The survivors read the rest. */
			ASSERT_TRUE(evfd_test_until(!evfd_test_count(self->fd)))
				TH_LOG("epoch %d: the count is %#" PRIx64
				       ", and %d readers sleep", epoch,
				       evfd_test_count(self->fd), NR_THREADS);
		}
		kill(survivors->pid, SIGSTOP);
		ASSERT_EQ(survivors->pid,
			  waitpid(survivors->pid, NULL, WUNTRACED));
		for (i = 0; i < NR_CROWDS; i++) {
			for (j = 0; j < NR_THREADS; j++) {
				struct log *log = &crowds[i].logs[j];
				uint64_t last = log->values[log->nr];

				for (k = 0; k < log->nr; k++) {
					uint64_t n = log->values[k];

					ASSERT_TRUE(semaphore ? n == 1 :
						    n && !(certain & n));
					certain += n;
				}
				if (i < NR_VICTIMS)
					by_killed += log->nr;
				else
					by_survivors += log->nr;
				open += !!last;
				uncertain = semaphore ? uncertain + last :
							uncertain | last;
			}
		}
		if (semaphore) {
			EXPECT_LE(certain, posted);
			EXPECT_GE(certain + uncertain, posted);
		} else {
			EXPECT_EQ(0, certain & ~posted);
			EXPECT_EQ(posted, certain | uncertain)
				TH_LOG("epoch %d: posted %#" PRIx64
				       ", read %#" PRIx64 ", perhaps %#" PRIx64,
				       epoch, posted, certain, uncertain);
		}
		kill(survivors->pid, SIGKILL);
		ASSERT_EQ(survivors->pid, waitpid(survivors->pid, NULL, 0));
	}
	TH_LOG("%d reads by killed readers, %d by survivors, %d uncertain",
	       by_killed, by_survivors, open);
	/* Both took part. */
	EXPECT_LT(0, by_killed);
	EXPECT_LT(0, by_survivors);
}

/*
 * A process with thousands of counters, some with readers and writers asleep on
 * them, some in epoll sets.
 */
#define NR_INSTANCES	4000
#define NR_SLEEPERS	64

struct hoard {
	atomic_int counters;
	atomic_int sleepers;
};

static struct hoard *hoard;

static void *hoard_sleep(void *arg)
{
	int fd = (intptr_t)arg;
	uint64_t n = 1;

	hoard->sleepers++;
	/* Half of them are full. */
	if (fd & 1)
		return write(fd, &n, sizeof(n)) < 0 ? arg : NULL;
	return read(fd, &n, sizeof(n)) < 0 ? arg : NULL;
}

static void hoard_main(void)
{
	struct rlimit limit = { NR_INSTANCES + 100, NR_INSTANCES + 100 };
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int dev = evfd_test_open(), ep = epoll_create1(0), fd, i;
	struct evfd_create arg = { };
	pthread_attr_t attr;
	pthread_t handle;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	if (setrlimit(RLIMIT_NOFILE, &limit))
		_exit(1);
	for (i = 0; i < NR_INSTANCES; i++) {
		fd = dup(dev);
		close(fd);
		arg.initval = fd & 1 ? EVFD_COUNT_MAX : 0;
		if (ioctl(dev, EVFD_IOC_CREATE, &arg) != fd)
			_exit(1);
		if (i % 4 == 0 && epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event))
			_exit(1);
		if (i < NR_SLEEPERS &&
		    pthread_create(&handle, &attr, hoard_sleep,
				   (void *)(intptr_t)fd))
			_exit(1);
		hoard->counters++;
	}
	while (1)
		pause();
}

FIXTURE(process) { int unused; };

FIXTURE_SETUP(process)
{
}

FIXTURE_TEARDOWN(process)
{
}

TEST_F_TIMEOUT(process, with_thousands_of_counters_leaves_none, PATIENCE)
{
	int users = evfd_test_users();
	/* The second time it is killed while it makes them. */
	static const int enough[] = { NR_INSTANCES, NR_INSTANCES / 2 };
	size_t i;
	pid_t pid;

	hoard = evfd_test_share(sizeof(*hoard));
	for (i = 0; i < ARRAY_SIZE(enough); i++) {
		memset(hoard, 0, sizeof(*hoard));
		pid = fork();
		if (!pid)
			hoard_main();
		ASSERT_LT(0, pid);
		ASSERT_TRUE(evfd_test_until(hoard->counters >= enough[i] &&
					    hoard->sleepers == NR_SLEEPERS));
		EXPECT_LE(users + enough[i], evfd_test_users());
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, NULL, 0));
		EXPECT_TRUE(evfd_test_until(evfd_test_users() == users))
			TH_LOG("%d users, %d before", evfd_test_users(), users);
	}
}

TEST_HARNESS_MAIN
