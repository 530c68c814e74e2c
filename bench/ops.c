// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of one operation while no task waits: on evfd, on eventfd and on their
 * alternatives, in turns, beside a baseline that every such system call costs.
 *
 *	ops [NAME...]	system calls; counts instructions where the guest's
 *			clock does (QEMU's -icount)
 *	ops -k		the operations in the kernel, without the system call
 *	ops -h		a shorter run of the operations that "make test" checks
 *
 * Prints a line for each workload, see print_row() in bench.h.
 */
#include <pthread.h>
#include <sched.h>
#include <sys/evfd.h>
#include <sys/resource.h>

#include "bench.h"
#include "module/bench.h"

#define EFD_MAX		0xfffffffffffffffeULL

static unsigned int rounds = 13;
static const char *unit = "insn";

/* Operations in a round; a pipe must have room for as many of 8 bytes. */
#define OPS		1000
/* In the kernel operations are short, and the clock is coarse. */
#define KERNEL_OPS	50000

/* The first rounds fill caches and are not counted. */
#define WARM_UP		2

/* The state of the current workload, for the current kind. */
struct state {
	struct object o;
	struct evfd_mapping map;
	int epoll;
	uint64_t buf;
	unsigned int bad;
};

static struct ring ring;

/* The workloads. Each counts unexpected results in @bad. */
static void run_write(struct state *s, unsigned int n)
{
	while (n--)
		s->bad += object_write(&s->o) != 8;
}

static void run_read(struct state *s, unsigned int n)
{
	long want = s->o.kind == BASELINE ? 0 : 8;

	while (n--)
		s->bad += object_read(&s->o) != want;
}

static void run_pair(struct state *s, unsigned int n)
{
	long want = s->o.kind == BASELINE ? 0 : 8;

	while (n--) {
		s->bad += object_write(&s->o) != 8;
		s->bad += object_read(&s->o) != want;
	}
}

static void run_read_zero(struct state *s, unsigned int n)
{
	long want = s->o.kind == BASELINE ? 0 : -EAGAIN;

	while (n--) {
		if (s->o.kind == FUTEX)
			s->bad += !sem_trywait(&s->o.sem);
		else
			s->bad += object_read(&s->o) != want;
	}
}

static void run_write_full(struct state *s, unsigned int n)
{
	long want = s->o.kind == BASELINE ? 8 : -EAGAIN;

	while (n--)
		s->bad += object_write(&s->o) != want;
}

static void run_poll(struct state *s, unsigned int n, short events, long want)
{
	struct pollfd pfd = { .fd = s->o.rd, .events = events };

	while (n--)
		s->bad += sys3(__NR_poll, (long)&pfd, 1, 0) != want;
}

static void run_poll_ready(struct state *s, unsigned int n)
{
	run_poll(s, n, POLLIN, 1);
}

static void run_poll_idle(struct state *s, unsigned int n)
{
	/* /dev/null is always readable, but has no urgent data. */
	run_poll(s, n, s->o.kind == BASELINE ? POLLPRI : POLLIN, 0);
}

static void run_epoll(struct state *s, unsigned int n)
{
	long ready = s->o.kind == BASELINE ? 0 : 1;
	long len = s->o.kind == BASELINE ? 0 : 8;
	struct epoll_event event;

	while (n--) {
		s->bad += object_write(&s->o) != 8;
		s->bad += sys6(__NR_epoll_wait, s->epoll, (long)&event, 1, 0,
			       0, 0) != ready;
		s->bad += object_read(&s->o) != len;
	}
}

static void run_create(struct state *s, unsigned int n)
{
	int fd, fds[2];

	while (n--) {
		switch (s->o.kind) {
		case BASELINE:
			fd = sys3(__NR_dup, s->o.rd, 0, 0);
			break;
		case EVFD:
			fd = evfd_create(0, 0);
			break;
		case EVENTFD:
			fd = eventfd_create(0, 0);
			break;
		default:
			fd = sys3(__NR_pipe2, (long)fds, O_CLOEXEC, 0);
			if (!fd) {
				fd = fds[0];
				sys3(__NR_close, fds[1], 0, 0);
			}
		}
		s->bad += fd < 0;
		sys3(__NR_close, fd, 0, 0);
	}
}

static void run_vector(struct state *s, unsigned int n, int nr, long want)
{
	struct iovec iov = { .iov_base = &s->buf, .iov_len = 8 };
	int fd = nr == __NR_writev ? s->o.wr : s->o.rd;

	while (n--)
		s->bad += sys3(nr, fd, (long)&iov, 1) != want;
}

static void run_readv(struct state *s, unsigned int n)
{
	run_vector(s, n, __NR_readv, s->o.kind == BASELINE ? 0 : 8);
}

static void run_writev(struct state *s, unsigned int n)
{
	run_vector(s, n, __NR_writev, 8);
}

static void run_uring_read(struct state *s, unsigned int n)
{
	int want = s->o.kind == BASELINE ? 0 : 8;

	while (n--)
		s->bad += ring_batch(&ring, IORING_OP_READ, s->o.rd, &s->buf, 1,
				     want);
}

static void run_uring_write(struct state *s, unsigned int n)
{
	while (n--)
		s->bad += ring_batch(&ring, IORING_OP_WRITE, s->o.wr, &s->buf, 1,
				     8);
}

/* A counter with EVFD_SHARED in its page; the other kinds with system calls. */
static inline bool shared_post(struct state *s)
{
	if (s->o.kind == EVFD)
		return !evfd_post(&s->map, 1);
	return object_write(&s->o) == 8;
}

static inline bool shared_take(struct state *s)
{
	if (s->o.kind == EVFD)
		return !evfd_take(&s->map, &s->buf);
	return object_read(&s->o) == 8;
}

static void run_shared_post(struct state *s, unsigned int n)
{
	while (n--)
		s->bad += !shared_post(s);
}

static void run_shared_take(struct state *s, unsigned int n)
{
	while (n--)
		s->bad += !shared_take(s);
}

static void run_shared_pair(struct state *s, unsigned int n)
{
	while (n--) {
		s->bad += !shared_post(s);
		s->bad += !shared_take(s);
	}
}

/* An event loop that gets @posts a turn, and in each turn finds nothing once. */
static void shared_turns(struct state *s, unsigned int n, unsigned int posts)
{
	struct epoll_event event;
	unsigned int i;

	for (; n >= posts; n -= posts) {
		for (i = 0; i < posts; i++)
			s->bad += !shared_post(s);
		s->bad += sys6(__NR_epoll_wait, s->epoll, (long)&event, 1, 0,
			       0, 0) != 1;
		s->bad += !shared_take(s);
		s->bad += sys6(__NR_epoll_wait, s->epoll, (long)&event, 1, 0,
			       0, 0) != 0;
	}
}

static void run_shared_epoll_1(struct state *s, unsigned int n)
{
	shared_turns(s, n, 1);
}

static void run_shared_epoll_10(struct state *s, unsigned int n)
{
	shared_turns(s, n, 10);
}

/* @kernel_op: USER, or the operation that the kernel does in a loop. */
struct workload {
	const char *name;
	void (*run)(struct state *s, unsigned int n);
	int kernel_op;
	unsigned int kinds;
	unsigned int flags;
	bool stocked;		/* holds enough for every read */
	bool full;
	bool hot;
	const char *what;
};

#define SEM_KINDS	(FILE_KINDS | IS(FUTEX) | IS(NTSYNC))
#define USER		-1

static const struct workload workloads[] = {
	{ "write", run_write, USER, SEM_KINDS, .hot = true,
	  .what = "write(2) of 1, no waiter: a producer that is ahead" },
	{ "read", run_read, USER, SEM_KINDS, SEMAPHORE, true, .hot = true,
	  .what = "read(2) of a count: a consumer that is behind" },
	{ "write+read", run_pair, USER, SEM_KINDS, .hot = true,
	  .what = "one write and one read: the least cost of an event" },
	{ "read-zero", run_read_zero, USER, FILE_KINDS | IS(FUTEX), NONBLOCK,
	  .hot = true,
	  .what = "read(2) at 0, EAGAIN: an event loop that drains to the end" },
	{ "write-full", run_write_full, USER, FILE_KINDS, NONBLOCK,
	  .full = true, .hot = true,
	  .what = "write(2) without room, EAGAIN: backpressure" },
	{ "poll-ready", run_poll_ready, USER, FILE_KINDS, SEMAPHORE, true,
	  .hot = true,
	  .what = "poll(2) of a readable counter: the test before a read" },
	{ "poll-idle", run_poll_idle, USER, FILE_KINDS, .hot = true,
	  .what = "poll(2) of an empty counter with timeout 0: a busy loop" },
	{ "epoll-loop", run_epoll, USER, FILE_KINDS, .hot = true,
	  .what = "write, epoll_wait, read: one turn of an event loop" },
	{ "create+close", run_create, USER, FILE_KINDS, .hot = true,
	  .what = "a counter created and closed (baseline: dup, close): one for each request" },
	{ "readv", run_readv, USER, FILE_KINDS, SEMAPHORE, true, .hot = true,
	  .what = "readv(2) of one segment: programs that use vectors throughout" },
	{ "writev", run_writev, USER, FILE_KINDS, .hot = true,
	  .what = "writev(2) of one segment" },
	{ "uring-read", run_uring_read, USER, FILE_KINDS, SEMAPHORE, true,
	  .hot = true,
	  .what = "io_uring read of a count, one per enter: a ring's event source" },
	{ "uring-write", run_uring_write, USER, FILE_KINDS, NONBLOCK,
	  .hot = true,
	  .what = "io_uring write, non-blocking file, one per enter" },
	{ "uring-write-block", run_uring_write, USER, FILE_KINDS,
	  .what = "io_uring write, blocking file: eventfd's needs a worker thread" },
	{ "signal", NULL, EVFD_BENCH_SIGNAL, COUNTER_KINDS | IS(BASELINE),
	  .hot = true,
	  .what = "in-kernel signal, no waiter: a driver that reports events" },
	{ "shared-post", run_shared_post, USER, SEM_KINDS & ~IS(BASELINE), SHARED,
	  .hot = true,
	  .what = "EVFD_SHARED, a post in the page; others by write(2)" },
	{ "shared-take", run_shared_take, USER, SEM_KINDS & ~IS(BASELINE),
	  SHARED | SEMAPHORE, true, .hot = true,
	  .what = "EVFD_SHARED, a take in the page; others by read(2)" },
	{ "shared-post+take", run_shared_pair, USER, SEM_KINDS & ~IS(BASELINE),
	  SHARED, .hot = true,
	  .what = "EVFD_SHARED, one event in and out again in the page" },
	{ "shared-epoll-1", run_shared_epoll_1, USER, COUNTER_KINDS, SHARED,
	  .hot = true,
	  .what = "EVFD_SHARED, a post a turn of an event loop that runs idle" },
	{ "shared-epoll-10", run_shared_epoll_10, USER, COUNTER_KINDS, SHARED,
	  .hot = true,
	  .what = "EVFD_SHARED, the same with ten posts a turn, per post" },
};

static const struct workload kernel_workloads[] = {
	{ "native-write", NULL, EVFD_BENCH_WRITE, COUNTER_KINDS | IS(BASELINE),
	  .what = "the file's write operation alone" },
	{ "native-write+read", NULL, EVFD_BENCH_PAIR,
	  COUNTER_KINDS | IS(BASELINE),
	  .what = "the file's write and read operations" },
	{ "native-read-zero", NULL, EVFD_BENCH_EAGAIN,
	  COUNTER_KINDS | IS(BASELINE), NONBLOCK,
	  .what = "the read operation at 0, EAGAIN" },
	{ "native-poll", NULL, EVFD_BENCH_POLL, COUNTER_KINDS | IS(BASELINE),
	  .what = "the poll operation, without waiting" },
	{ "native-signal", NULL, EVFD_BENCH_SIGNAL, COUNTER_KINDS | IS(BASELINE),
	  .what = "in-kernel signal" },
};

static double run_in_kernel(struct state *s, int op, unsigned int n)
{
	struct evfd_bench run = {
		.fd = s->o.kind == BASELINE ? -1 : s->o.rd,
		.op = op,
		.n = n,
		.buf = (uintptr_t)&s->buf,
	};

	s->buf = 1;
	if (ioctl(bench_dev, EVFD_BENCH_RUN, &run))
		die("EVFD_BENCH_RUN");
	s->bad += run.bad;
	return run.ns;
}

static bool set_up(const struct workload *w, struct state *s, enum object_kind kind)
{
	struct epoll_event event = { .events = EPOLLIN };
	uint64_t max = EFD_MAX;

	memset(s, 0, sizeof(*s));
	s->epoll = -1;
	s->buf = 1;
	if (!object_open(&s->o, kind, w->flags, w->stocked ? OPS : 0))
		return false;
	if (w->full && (IS(kind) & COUNTER_KINDS) &&
	    write(s->o.wr, &max, sizeof(max)) != sizeof(max))
		die("cannot fill a counter");
	while (w->full && kind == PIPE)
		if (object_write(&s->o) != 8)
			break;
	if (w->flags & SHARED && kind == EVFD && evfd_map(&s->map, s->o.rd))
		die("cannot map a counter");
	if (w->run == run_epoll || w->run == run_shared_epoll_1 ||
	    w->run == run_shared_epoll_10) {
		s->epoll = epoll_create1(EPOLL_CLOEXEC);
		/* The baseline's set is empty: /dev/null cannot be in one. */
		if (kind != BASELINE &&
		    epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->o.rd, &event))
			die("epoll_ctl");
	}
	return true;
}

static void tear_down(struct state *s)
{
	if (s->epoll >= 0)
		close(s->epoll);
	if (s->map.page)
		evfd_unmap(&s->map);
	object_close(&s->o);
}

static void measure(const struct workload *w)
{
	static struct samples samples;
	unsigned int n = w->kernel_op == USER ? OPS : KERNEL_OPS;
	unsigned int round;
	struct state s;
	double ns;
	int kind;

	memset(&samples, 0, sizeof(samples));
	for (round = 0; round < rounds; round++) {
		for (kind = -1; next_kind(&kind, round);) {
			if (!(w->kinds & IS(kind)) || !set_up(w, &s, kind))
				continue;
			if (w->kernel_op == USER) {
				ns = now_ns();
				w->run(&s, n);
				ns = now_ns() - ns;
			} else {
				ns = run_in_kernel(&s, w->kernel_op, n);
			}
			if (s.bad)
				die("%s: %u of %u operations on kind %d failed",
				    w->name, s.bad, n, kind);
			tear_down(&s);
			if (round >= WARM_UP)
				add_sample(&samples, kind, ns / n);
		}
	}
	/* The least: other work of the CPU can only add. */
	print_row(w->name, unit, &samples, 0, w->what);
}

/* ---- ping-pong: two tasks that wait for each other in turns ---- */

struct pingpong {
	struct object o[2];
	struct evfd_mapping map[2];
	bool shared;
	int epoll;
	unsigned int bad;
};

static bool pingpong_post(struct pingpong *p, int i)
{
	return p->shared ? !evfd_post(&p->map[i], 1) : object_write(&p->o[i]) == 8;
}

static bool pingpong_take(struct pingpong *p, int i)
{
	evfd_t value;

	return p->shared ? !evfd_take(&p->map[i], &value) :
			   object_read(&p->o[i]) == 8;
}

static void *pong(void *arg)
{
	struct pingpong *p = arg;
	struct epoll_event event;
	unsigned int n = OPS;

	while (n--) {
		if (p->epoll >= 0)
			p->bad += epoll_wait(p->epoll, &event, 1, -1) != 1;
		p->bad += !pingpong_take(p, 0);
		p->bad += !pingpong_post(p, 1);
	}
	return NULL;
}

static long switches(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return ru.ru_nvcsw + ru.ru_nivcsw;
}

static void pingpong_round(enum object_kind kind, bool epoll, int flags,
			   bool counts, struct samples *insn,
			   struct samples *switched)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct pingpong p = { .epoll = -1 };
	unsigned int n = OPS;
	pthread_t thread;
	long before;
	double ns;

	if (!object_open(&p.o[0], kind, flags, 0) ||
	    !object_open(&p.o[1], kind, flags, 0))
		return;
	p.shared = kind == EVFD && flags & SHARED;
	if (p.shared && (evfd_map(&p.map[0], p.o[0].rd) ||
			 evfd_map(&p.map[1], p.o[1].rd)))
		die("cannot map a counter");
	if (epoll) {
		p.epoll = epoll_create1(EPOLL_CLOEXEC);
		if (epoll_ctl(p.epoll, EPOLL_CTL_ADD, p.o[0].rd, &event))
			die("epoll_ctl");
	}
	before = switches();
	ns = now_ns();
	if (pthread_create(&thread, NULL, pong, &p))
		die("pthread_create");
	while (n--) {
		p.bad += !pingpong_post(&p, 0);
		p.bad += !pingpong_take(&p, 1);
	}
	ns = now_ns() - ns;
	before = switches() - before;
	pthread_join(thread, NULL);
	if (p.bad)
		die("pingpong: %u operations on kind %d failed", p.bad, kind);
	if (counts) {
		add_sample(insn, kind, ns / OPS);
		add_sample(switched, kind, (double)before / OPS);
	}
	if (epoll)
		close(p.epoll);
	if (p.shared) {
		evfd_unmap(&p.map[0]);
		evfd_unmap(&p.map[1]);
	}
	object_close(&p.o[0]);
	object_close(&p.o[1]);
}

static void pingpong(const char *name, bool epoll, int flags, const char *what)
{
	unsigned int kinds = COUNTER_KINDS | IS(PIPE);
	static struct samples insn, switched;
	unsigned int round;
	char row[64];
	int kind;

	if (!epoll)
		kinds |= IS(FUTEX) | IS(NTSYNC);
	fprintf(stderr, "bench: %s: %s\n", name, what);
	memset(&insn, 0, sizeof(insn));
	memset(&switched, 0, sizeof(switched));
	for (round = 0; round < rounds; round++)
		for (kind = -1; next_kind(&kind, round);)
			if (kinds & IS(kind))
				pingpong_round(kind, epoll, flags,
					       round >= WARM_UP, &insn,
					       &switched);
	print_row(name, unit, &insn, 0, what);
	snprintf(row, sizeof(row), "%s-switches", name);
	print_row(row, "switches", &switched, 0,
		  "context switches of both tasks in a round trip");
}

/* ---- a counter created and closed beside many others ---- */

/* The counters of each kind that stay open. */
#define MANY		100000

/* The counters that a round creates and closes. */
#define BATCH		1000

static int open_counter(enum object_kind kind)
{
	int fd = kind == EVFD ? evfd_create(0, 0) : eventfd_create(0, 0);

	if (fd < 0)
		die("cannot open one more counter of kind %d", kind);
	return fd;
}

static void many_round(enum object_kind kind, struct samples *create,
		       struct samples *drop, struct samples *pair)
{
	double begin, created, closed;
	int fds[BATCH], i;

	begin = now_ns();
	for (i = 0; i < BATCH; i++)
		fds[i] = open_counter(kind);
	created = now_ns();
	for (i = 0; i < BATCH; i++)
		sys3(__NR_close, fds[i], 0, 0);
	closed = now_ns();
	add_sample(create, kind, (created - begin) / BATCH);
	add_sample(drop, kind, (closed - created) / BATCH);

	begin = now_ns();
	for (i = 0; i < BATCH; i++)
		sys3(__NR_close, open_counter(kind), 0, 0);
	add_sample(pair, kind, (now_ns() - begin) / BATCH);
}

static void create_many(void)
{
	struct rlimit limit = { 3 * MANY, 3 * MANY };
	static struct samples create, drop, pair;
	unsigned int round, i;
	int kind;

	fprintf(stderr, "bench: create-many: beside %d others\n", MANY);
	if (setrlimit(RLIMIT_NOFILE, &limit))
		die("RLIMIT_NOFILE");
	for (i = 0; i < MANY; i++) {
		open_counter(EVFD);
		open_counter(EVENTFD);
	}
	for (round = 0; round < rounds; round++)
		for (kind = -1; next_kind(&kind, round);)
			if (IS(kind) & COUNTER_KINDS)
				many_round(kind, &create, &drop, &pair);
	print_row("create-many", unit, &create, 0,
		  "creating a counter beside 100,000 open ones");
	print_row("close-many", unit, &drop, 0, "closing it");
	print_row("create+close-many", unit, &pair, 0,
		  "creating a counter and closing it at once");
}

static bool wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

/* Keep other tasks off this CPU, as far as possible. */
static void settle(void)
{
	struct sched_param param = { .sched_priority = 50 };
	int fd = open("/proc/sys/kernel/sched_rt_runtime_us", O_WRONLY);

	if (fd >= 0) {
		if (write(fd, "-1", 2) != 2)
			die("sched_rt_runtime_us");
		close(fd);
	}
	if (sched_setscheduler(0, SCHED_FIFO, &param))
		die("SCHED_FIFO");
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall");
}

int main(int argc, char **argv)
{
	const struct workload *table = workloads;
	size_t n = ARRAY_SIZE(workloads), i;
	bool hot = false;

	open_devices();
	if (argc > 1 && !strcmp(argv[1], "-k")) {
		table = kernel_workloads;
		n = ARRAY_SIZE(kernel_workloads);
		unit = "ns";
		rounds = 51;
		argv++;
	} else if (argc > 1 && !strcmp(argv[1], "-h")) {
		hot = true;
		rounds = 7;
		argv++;
	}
	settle();
	if (ring_open(&ring, RING_SIZE, 0))
		fprintf(stderr, "bench: this kernel has no io_uring\n");

	for (i = 0; i < n; i++) {
		if (!wanted(table[i].name, argv + 1) ||
		    (hot && !table[i].hot))
			continue;
		if (table[i].kernel_op != USER && bench_dev < 0)
			die("%s needs evfd_bench.ko", table[i].name);
		fprintf(stderr, "bench: %zu/%zu %s: %s\n", i + 1, n,
			table[i].name, table[i].what);
		measure(&table[i]);
	}
	if (table == workloads && wanted("pingpong", argv + 1)) {
		pingpong("pingpong", false, 0,
			 "a request and its answer between two tasks on one CPU");
		pingpong("pingpong-epoll", true, 0,
			 "the same, one side waits in epoll_wait as event loops do");
		pingpong("shared-pingpong", false, SHARED,
			 "EVFD_SHARED, a request and its answer, both tasks sleep");
		pingpong("shared-pingpong-epoll", true, SHARED,
			 "EVFD_SHARED, the same, one side waits in epoll_wait");
	}
	/* The last, since it leaves its counters open. */
	if (table == workloads && wanted("create-many", argv + 1))
		create_many();
	return 0;
}
