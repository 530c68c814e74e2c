// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several tasks: wakeups, contention, many counters, many readers, io_uring in
 * batches, memory. For a guest with two CPUs. Times are wall-clock times: compare
 * only values of one run.
 *
 *	scale [-q]	-q: fewer rounds and the middle sizes only
 *
 * Prints a line for each workload, see print_row() in bench.h.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include "bench.h"

#define WAITING_KINDS \
	(COUNTER_KINDS | IS(PIPE) | IS(FUTEX) | IS(NTSYNC))

static int rounds = 9;
static bool quick;

/* The duration of a workload that does not end by itself. */
static unsigned int duration_ms = 150;

static struct ring ring;

static void sleep_us(unsigned int us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000L };

	nanosleep(&ts, NULL);
}

static pthread_t start(void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 << 10);
	if (pthread_create(&thread, &attr, run, arg))
		die("pthread_create");
	pthread_attr_destroy(&attr);
	return thread;
}

static void pin(int cpu)
{
	cpu_set_t set;
	int i;

	CPU_ZERO(&set);
	for (i = 0; i < 2; i++)
		if (cpu < 0 || cpu == i)
			CPU_SET(i, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("two CPUs are needed");
}

/* Used so far by all threads, or by all but the calling one. */
struct usage {
	double switches;
	double voluntary;
	double cpu_us;
};

static struct usage usage_of(int who)
{
	struct rusage ru;

	getrusage(who, &ru);
	return (struct usage){
		.switches = ru.ru_nvcsw + ru.ru_nivcsw,
		.voluntary = ru.ru_nvcsw,
		.cpu_us = (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1e6 +
			  ru.ru_utime.tv_usec + ru.ru_stime.tv_usec,
	};
}

static struct usage usage_of_others(void)
{
	struct usage all = usage_of(RUSAGE_SELF);
	struct usage me = usage_of(RUSAGE_THREAD);

	all.switches -= me.switches;
	all.voluntary -= me.voluntary;
	all.cpu_us -= me.cpu_us;
	return all;
}

static void must_write(struct object *o)
{
	if (object_write(o) != 8)
		die("a write failed, kind %d", o->kind);
}

static void must_read(struct object *o)
{
	long ret = object_read(o);

	if (ret != 8 && ret != -EINTR)
		die("a read failed, kind %d", o->kind);
}

static void say(const char *name, const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", name, what);
}

/* ---- ping-pong ---- */

struct pingpong {
	struct object o[2];
	int epoll;
	int cpu;
	volatile bool over;
};

static void *pong(void *arg)
{
	struct pingpong *p = arg;
	struct epoll_event event;

	pin(p->cpu);
	for (;;) {
		if (p->epoll >= 0 &&
		    epoll_wait(p->epoll, &event, 1, -1) != 1)
			die("epoll_wait");
		must_read(&p->o[0]);
		if (p->over)
			return NULL;
		must_write(&p->o[1]);
	}
}

static void pingpong_round(enum object_kind kind, bool epoll, int cpu,
			   struct samples *rate, struct samples *switches)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct pingpong p = { .epoll = -1, .cpu = cpu };
	double ns, switched;
	unsigned int n;
	pthread_t thread;

	if (!object_open(&p.o[0], kind, 0, 0) ||
	    !object_open(&p.o[1], kind, 0, 0))
		return;
	if (epoll) {
		p.epoll = epoll_create1(EPOLL_CLOEXEC);
		if (epoll_ctl(p.epoll, EPOLL_CTL_ADD, p.o[0].rd, &event))
			die("epoll_ctl");
	}
	pin(0);
	thread = start(pong, &p);
	for (n = 0; n < 20; n++) {
		must_write(&p.o[0]);
		must_read(&p.o[1]);
	}
	switched = usage_of(RUSAGE_SELF).switches;
	ns = now_ns();
	for (n = 0; now_ns() - ns < duration_ms * 1e6; n++) {
		must_write(&p.o[0]);
		must_read(&p.o[1]);
	}
	ns = now_ns() - ns;
	switched = usage_of(RUSAGE_SELF).switches - switched;
	p.over = true;
	must_write(&p.o[0]);
	pthread_join(thread, NULL);
	pin(-1);
	add_sample(rate, kind, n / ns * 1e9);
	add_sample(switches, kind, switched / n);
	if (epoll)
		close(p.epoll);
	object_close(&p.o[0]);
	object_close(&p.o[1]);
}

static void pingpong(const char *name, bool epoll, int cpu, const char *what)
{
	unsigned int kinds = epoll ? COUNTER_KINDS | IS(PIPE) : WAITING_KINDS;
	static struct samples rate, switches;
	char row[64];
	int round, kind;

	say(name, what);
	memset(&rate, 0, sizeof(rate));
	memset(&switches, 0, sizeof(switches));
	for (round = 0; round < rounds; round++)
		for (kind = -1; next_kind(&kind, round);)
			if (kinds & IS(kind))
				pingpong_round(kind, epoll, cpu, &rate,
					       &switches);
	print_row(name, "round trips/s", &rate, 0.5, what);
	snprintf(row, sizeof(row), "%s-switches", name);
	print_row(row, "switches/round trip", &switches, 0.5,
		  "context switches of both tasks together");
}

/* ---- threads that write to one counter ---- */

static volatile bool stop, leave;

struct worker {
	struct object *o;
	unsigned long n;
};

static void *keep_writing(void *arg)
{
	struct worker *w = arg;

	while (!stop) {
		must_write(w->o);
		w->n++;
	}
	return NULL;
}

static void measure_writers(unsigned int nr)
{
	const char *what = "writes/s of this many threads to one counter";
	unsigned int kinds = COUNTER_KINDS | IS(BASELINE) | IS(FUTEX) |
			     IS(NTSYNC);
	static struct samples s;
	struct worker w[8];
	pthread_t thread[8];
	unsigned long sum;
	struct object o;
	unsigned int i;
	int round, kind;
	char name[64];
	double ns;

	snprintf(name, sizeof(name), "writers-%u", nr);
	say(name, what);
	memset(&s, 0, sizeof(s));
	for (round = 0; round < rounds; round++) {
		for (kind = -1; next_kind(&kind, round);) {
			if (!(kinds & IS(kind)) ||
			    !object_open(&o, kind, 0, 0))
				continue;
			stop = false;
			ns = now_ns();
			for (i = 0; i < nr; i++) {
				w[i] = (struct worker){ .o = &o };
				thread[i] = start(keep_writing, &w[i]);
			}
			sleep_us(duration_ms * 1000);
			stop = true;
			for (sum = 0, i = 0; i < nr; i++) {
				pthread_join(thread[i], NULL);
				sum += w[i].n;
			}
			ns = now_ns() - ns;
			object_close(&o);
			add_sample(&s, kind, sum / ns * 1e9);
		}
	}
	print_row(name, "ops/s", &s, 0.5, what);
}

/* ---- writers against readers ---- */

static void *keep_reading(void *arg)
{
	struct worker *w = arg;

	for (;;) {
		must_read(w->o);
		if (leave)
			return NULL;
		w->n += !stop;
	}
}

static void crossfire_round(enum object_kind kind, unsigned int nr, struct samples *s)
{
	struct worker reader[8], writer[8];
	pthread_t thread[16];
	unsigned long sum = 0;
	struct object o;
	unsigned int i;
	double ns;

	if (!object_open(&o, kind, SEMAPHORE, 0))
		return;
	stop = false;
	leave = false;
	for (i = 0; i < nr; i++) {
		reader[i] = (struct worker){ .o = &o };
		writer[i] = (struct worker){ .o = &o };
		thread[i] = start(keep_reading, &reader[i]);
	}
	ns = now_ns();
	for (i = 0; i < nr; i++)
		thread[nr + i] = start(keep_writing, &writer[i]);
	sleep_us(duration_ms * 1000);
	stop = true;
	ns = now_ns() - ns;
	/* Readers go on until the writers end, so that none waits for room. */
	for (i = 0; i < nr; i++)
		pthread_join(thread[nr + i], NULL);
	leave = true;
	for (i = 0; i < nr; i++)
		must_write(&o);
	for (i = 0; i < nr; i++) {
		pthread_join(thread[i], NULL);
		sum += reader[i].n;
	}
	object_close(&o);
	add_sample(s, kind, sum / ns * 1e9);
}

static void crossfire(unsigned int nr)
{
	const char *what = "events/s through a semaphore, as many writers as blocking readers";
	static struct samples s;
	int round, kind;
	char name[64];

	snprintf(name, sizeof(name), "writers-readers-%u", nr);
	say(name, what);
	memset(&s, 0, sizeof(s));
	for (round = 0; round < rounds; round++)
		for (kind = -1; next_kind(&kind, round);)
			if (WAITING_KINDS & IS(kind))
				crossfire_round(kind, nr, &s);
	print_row(name, "events/s", &s, 0.5, what);
}

/* ---- one writer, many blocked readers ---- */

static unsigned int served;
static double served_ns;

static void *keep_reading_timed(void *arg)
{
	struct object *o = arg;

	for (;;) {
		must_read(o);
		if (leave)
			return NULL;
		__atomic_store(&served_ns, &(double){ now_ns() },
			       __ATOMIC_RELAXED);
		__atomic_add_fetch(&served, 1, __ATOMIC_RELEASE);
	}
}

/* Waits until no reader has run for a while. */
static void wait_for_quiet(unsigned int nr)
{
	double last = -1, now;
	int same = 0;

	while (same < 2) {
		sleep_us(2000 + 10 * nr);
		now = usage_of_others().switches;
		same = now == last ? same + 1 : 0;
		last = now;
	}
}

struct reader_samples {
	struct samples woken;
	struct samples cpu;
	struct samples serve;
	struct samples burst;
};

static void readers_round(enum object_kind kind, unsigned int nr, bool semaphore,
			  struct reader_samples *s)
{
	struct usage before, after;
	pthread_t thread[512];
	unsigned int i, writes = 8;
	struct object o;
	double ns, wait = 0;

	if (!object_open(&o, kind, semaphore ? SEMAPHORE : 0, 0))
		return;
	leave = false;
	for (i = 0; i < nr; i++)
		thread[i] = start(keep_reading_timed, &o);
	wait_for_quiet(nr);

	before = usage_of_others();
	for (i = 0; i < writes; i++) {
		__atomic_store_n(&served, 0, __ATOMIC_RELAXED);
		ns = now_ns();
		must_write(&o);
		while (!__atomic_load_n(&served, __ATOMIC_ACQUIRE))
			sleep_us(200);
		wait_for_quiet(nr);
		if (served != 1)
			die("one write served %u readers", served);
		wait += served_ns - ns;
	}
	after = usage_of_others();
	add_sample(&s->woken, kind, (after.voluntary - before.voluntary) /
		   writes);
	add_sample(&s->cpu, kind, (after.cpu_us - before.cpu_us) / writes);
	add_sample(&s->serve, kind, wait / writes / 1e3);

	if (semaphore) {
		__atomic_store_n(&served, 0, __ATOMIC_RELAXED);
		ns = now_ns();
		for (i = 0; i < nr; i++)
			must_write(&o);
		while (__atomic_load_n(&served, __ATOMIC_ACQUIRE) != nr)
			sleep_us(200);
		add_sample(&s->burst, kind, (served_ns - ns) / 1e3);
		wait_for_quiet(nr);
	}

	/* All readers are blocked, so the task signal ends their wait. */
	leave = true;
	for (i = 0; i < nr; i++)
		pthread_kill(thread[i], SIGUSR1);
	for (i = 0; i < nr; i++)
		pthread_join(thread[i], NULL);
	object_close(&o);
}

static void measure_readers(unsigned int nr, bool semaphore)
{
	const char *mode = semaphore ? "semaphore" : "counter";
	/* Only evfd and eventfd have two modes. */
	unsigned int kinds = semaphore ? WAITING_KINDS : COUNTER_KINDS;
	int round, kind, n = nr > 64 && rounds > 5 ? 5 : rounds;
	static struct reader_samples s;
	char name[64];

	snprintf(name, sizeof(name), "readers-%s-%u", mode, nr);
	say(name, "one writer, blocked readers");
	memset(&s, 0, sizeof(s));
	for (round = 0; round < n; round++)
		for (kind = -1; next_kind(&kind, round);)
			if (kinds & IS(kind))
				readers_round(kind, nr, semaphore, &s);

	snprintf(name, sizeof(name), "readers-%s-%u-woken", mode, nr);
	print_row(name, "readers/write", &s.woken, 0.5,
		  "blocked readers that a write wakes; it can serve one");
	snprintf(name, sizeof(name), "readers-%s-%u-cpu", mode, nr);
	print_row(name, "us/write", &s.cpu, 0.5,
		  "CPU time that the readers spend on a write");
	snprintf(name, sizeof(name), "readers-%s-%u-serve", mode, nr);
	print_row(name, "us", &s.serve, 0.5,
		  "from a write until the reader that it served has returned");
	if (!semaphore)
		return;
	snprintf(name, sizeof(name), "readers-%s-%u-burst", mode, nr);
	print_row(name, "us", &s.burst, 0.5,
		  "one write for each reader: from the first write until the last reader is served");
}

/* ---- many counters in one epoll set ---- */

static void epoll_set(unsigned int nr)
{
	const char *what = "write to one of the set's counters, epoll_wait, read";
	unsigned int kinds = COUNTER_KINDS | IS(PIPE);
	struct epoll_event event;
	static struct samples s;
	unsigned int i, turns = 2000, pick;
	struct object *o;
	int round, kind, epoll;
	char name[64];
	double ns;

	snprintf(name, sizeof(name), "epoll-set-%u", nr);
	say(name, what);
	memset(&s, 0, sizeof(s));
	o = calloc(nr, sizeof(*o));
	for (round = 0; round < rounds; round++) {
		for (kind = -1; next_kind(&kind, round);) {
			if (!(kinds & IS(kind)))
				continue;
			epoll = epoll_create1(EPOLL_CLOEXEC);
			for (i = 0; i < nr; i++) {
				object_open(&o[i], kind, 0, 0);
				event.events = EPOLLIN;
				event.data.u32 = i;
				if (epoll_ctl(epoll, EPOLL_CTL_ADD, o[i].rd,
					      &event))
					die("epoll_ctl");
			}
			pick = 1;
			ns = now_ns();
			for (i = 0; i < turns; i++) {
				pick = pick * 1103515245 + 12345;
				must_write(&o[pick % nr]);
				if (epoll_wait(epoll, &event, 1, -1) != 1 ||
				    event.data.u32 != pick % nr)
					die("epoll_wait");
				must_read(&o[pick % nr]);
			}
			ns = now_ns() - ns;
			add_sample(&s, kind, ns / turns);
			close(epoll);
			for (i = 0; i < nr; i++)
				object_close(&o[i]);
			/* Files are freed after a grace period. */
			sleep_us(30000);
		}
	}
	free(o);
	print_row(name, "ns/turn", &s, 0.5, what);
}

/* ---- io_uring in batches ---- */

static void uring_batch(unsigned int nr)
{
	const char *what = "io_uring writes/s to a blocking-mode file, in batches of this many";
	static struct samples s;
	unsigned long n;
	uint64_t one = 1;
	struct object o;
	int round, kind;
	char name[64];
	double ns;

	snprintf(name, sizeof(name), "uring-batch-%u", nr);
	say(name, what);
	memset(&s, 0, sizeof(s));
	for (round = 0; round < rounds; round++) {
		for (kind = -1; next_kind(&kind, round);) {
			if (!(FILE_KINDS & IS(kind)) ||
			    !object_open(&o, kind, 0, 0))
				continue;
			ns = now_ns();
			/* Fewer than fill a pipe. */
			for (n = 0; n < 8000 && (!n || now_ns() - ns <
						 duration_ms * 1e6); n += nr)
				if (ring_batch(&ring, IORING_OP_WRITE, o.wr,
					       &one, nr, 8))
					die("an io_uring write failed");
			ns = now_ns() - ns;
			object_close(&o);
			add_sample(&s, kind, n / ns * 1e9);
		}
	}
	print_row(name, "ops/s", &s, 0.5, what);
}

/* ---- memory ---- */

/* Bytes in the objects of all slab caches that are in use. */
static double slab_bytes(void)
{
	unsigned long active, total, size;
	double sum = 0;
	char line[512];
	FILE *f;

	f = fopen("/proc/slabinfo", "r");
	if (!f)
		die("/proc/slabinfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %lu %lu %lu", &active, &total,
			   &size) == 3)
			sum += (double)active * size;
	fclose(f);
	return sum;
}

static void measure_memory(unsigned int nr)
{
	static struct samples bytes;
	unsigned int kinds = COUNTER_KINDS | IS(PIPE) | IS(NTSYNC);
	struct rlimit limit = { 2 * nr + 100, 2 * nr + 100 };
	int round, kind, n = quick ? 2 : 4;
	double before, size;
	struct object *o;
	unsigned int i;

	say("memory", "many descriptors at once");
	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("RLIMIT_NOFILE");
	o = calloc(nr, sizeof(*o));
	/* Grow the descriptor table before measuring. */
	if (dup2(evfd_dev, 2 * nr + 50) < 0)
		die("dup2");
	for (round = 0; round < n; round++) {
		for (kind = -1; next_kind(&kind, round);) {
			if (!(kinds & IS(kind)))
				continue;
			before = slab_bytes();
			for (i = 0; i < nr; i++)
				if (!object_open(&o[i], kind, 0, 0))
					break;
			if (i < nr)
				continue;
			size = slab_bytes() - before;
			for (i = 0; i < nr; i++)
				object_close(&o[i]);
			/* In the first round the slab allocates its pages. */
			if (round)
				add_sample(&bytes, kind, size / nr);
			/* Files are freed after a grace period. */
			sleep_us(300000);
		}
	}
	free(o);
	close(2 * nr + 50);
	print_row("memory", "bytes", &bytes, 0.5,
		  "slab memory of one descriptor, its struct file included");
}

/* A handler without effect: a wait ends with EINTR. */
static void on_signal(int sig)
{
	(void)sig;
}

int main(int argc, char **argv)
{
	static const unsigned int sizes[] = { 1, 8, 64, 512 };
	static const unsigned int sets[] = { 1, 10, 100, 1000, 10000 };
	static const unsigned int batches[] = { 1, 8, 32, 128, 256 };
	struct sigaction nothing = { .sa_handler = on_signal };
	struct rlimit limit = { 30000, 30000 };
	unsigned int i;

	open_devices();
	sigaction(SIGUSR1, &nothing, NULL);
	quick = argc > 1 && !strcmp(argv[1], "-q");
	if (quick) {
		rounds = 3;
		duration_ms = 50;
	}
	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("RLIMIT_NOFILE");

	pingpong("pingpong-2cpu", false, 1,
		 "a request and its answer between tasks on two CPUs");
	pingpong("pingpong-2cpu-epoll", true, 1,
		 "the same, one side waits in epoll_wait, as an event loop does");
	for (i = 1; i <= 8; i *= 2)
		if (!quick || i == 2)
			measure_writers(i);
	for (i = 1; i <= 8; i *= 2)
		if (!quick || i == 2)
			crossfire(i);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (quick && sizes[i] != 64)
			continue;
		measure_readers(sizes[i], true);
		measure_readers(sizes[i], false);
	}
	for (i = 0; i < ARRAY_SIZE(sets); i++)
		if (!quick || sets[i] == 100)
			epoll_set(sets[i]);
	if (!ring_open(&ring, RING_SIZE, 0))
		for (i = 0; i < ARRAY_SIZE(batches); i++)
			if (!quick || batches[i] == 32)
				uring_batch(batches[i]);
	measure_memory(quick ? 10000 : 100000);
	return 0;
}
