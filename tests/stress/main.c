// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress: all operations at once, for any time.
 *
 * A round has counters of all kinds, processes with threads that do every operation
 * on them, and processes that disturb those. Several times a second, at the end of
 * a beat, all tasks rest. Then no task may sleep although it could go on, and the
 * books must agree to the last unit. The same must hold after a nudge, which is a
 * single operation on each counter, without other traffic that would repair a lost
 * wakeup. After a round no counter may be left, and the modules are unloaded and
 * loaded again.
 *
 * Needs root, a guest of its own, and in EVFD_KO the path of evfd.ko with the
 * samples beside it; tests/stress/run runs it so. The draw of operations depends on
 * the seed, so that a seed that failed is likely to fail again; the results also
 * depend on time. Prints KTAP, a test for each round.
 *
 * The layers, each of which uses those above it; read their headers in this
 * order:
 *
 *	world		counters, their books, a slot for each task
 *	async		io_uring and AIO
 *	ops		the operations
 *	tasks		the processes and threads
 *	check		what has to hold while they rest
 *	disturb		what disturbs them
 *	main		options, rounds, modules
 */
#include <err.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../../samples/evfd_consumer.h"
#include "../../samples/evfd_ticker.h"
#include "check.h"
#include "disturb.h"
#include "evfd_module.h"
#include "number.h"
#include "tasks.h"
#include "world.h"

#define ROUND_MS	5000

static const char * const modules[] = { "evfd", "evfd_ticker", "evfd_consumer" };

/* ---- modules ---- */

static int load_module(const char *module)
{
	char path[PATH_MAX], copy[PATH_MAX];
	const char *evfd = getenv("EVFD_KO") ?: "";
	int ret;

	snprintf(path, sizeof(path), "%s", evfd);
	snprintf(copy, sizeof(copy), "%s", evfd);
	if (strcmp(module, "evfd"))
		snprintf(path, sizeof(path), "%.4000s/../samples/%.32s.ko",
			 dirname(copy), module);
	ret = evfd_module_load(path);
	if (!ret || ret == -EEXIST)
		return 0;
	fprintf(stderr, "stress: load %s: %s\n", path, strerror(-ret));

	return ret;
}

static bool load_all(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modules); i++)
		if (load_module(modules[i]))
			return false;

	return true;
}

/*
 * No counter may be left; workers of the kernel may drop the last reference a
 * little later. kmem_cache_destroy() reports a counter without a file.
 */
static void unload_all(void)
{
	int looks = 0, before = -1, i, n, ret = 0;

	while ((n = evfd_test_instances()) > 0 && looks < PATIENT_LOOKS) {
		looks = n == before ? looks + 1 : 0;
		before = n;
		usleep(LOOK_US);
	}
	if (n > 0) {
		fail("%d counters are left", n);
		return;
	}
	for (i = ARRAY_SIZE(modules) - 1; i >= 0 && !ret; i--) {
		for (looks = 0; looks < PATIENT_LOOKS; looks++) {
			ret = evfd_module_unload(modules[i]);
			if (ret != -EWOULDBLOCK)
				break;
			usleep(LOOK_US);
		}
		if (ret)
			fail("to unload %s, which is not in use, returned %d",
			     modules[i], ret);
	}
}

/* ---- a round ---- */

static int create(const struct counter *c)
{
	struct evfd_create arg = {
		.flags = (c->semaphore ? EVFD_SEMAPHORE : 0) |
			 (c->nonblock ? EVFD_NONBLOCK : 0),
		.initval = c->initval,
	};
	int dev = open("/dev/evfd", O_RDWR | O_CLOEXEC);
	int fd = ioctl(dev, EVFD_IOC_CREATE, &arg);

	close(dev);
	return fd;
}

/* Counters of every kind; more of those that block. */
static void make_counters(void)
{
	int i;

	memset(world->counters, 0, sizeof(world->counters));
	for (i = 0; i < NR_COUNTERS; i++) {
		struct counter *c = &world->counters[i];

		c->semaphore = i & 1;
		c->role = i < 6 ? LOW : i < 10 ? FULL : i < 12 ? TICKED : CONSUMED;
		c->nonblock = i == 4 || i == 5;
		c->toggled = i == 2 || i == 3 || i == 8;
		if (c->role == FULL)
			c->initval = MAX - 3;
		c->fd = create(c);
		if (c->fd < 0)
			fail("create: %s", strerror(errno));
		c->sample = -1;
		if (c->role == TICKED)
			c->sample = open("/dev/evfd-ticker", O_RDWR | O_CLOEXEC);
		if (c->role == CONSUMED)
			c->sample = open("/dev/evfd-consumer",
					 O_RDWR | O_CLOEXEC);
		if (c->role >= TICKED && c->sample < 0)
			fail("a sample's device: %s", strerror(errno));
	}
	for (i = 0; i < NR_SOCKETS; i++)
		if (socketpair(AF_UNIX, SOCK_DGRAM, 0, world->sockets[i]))
			fail("socketpair: %s", strerror(errno));
}

static void close_counters(void)
{
	int i;

	for (i = 0; i < NR_COUNTERS; i++) {
		close(world->counters[i].fd);
		if (world->counters[i].sample >= 0)
			close(world->counters[i].sample);
	}
	for (i = 0; i < NR_SOCKETS; i++) {
		close(world->sockets[i][0]);
		close(world->sockets[i][1]);
	}
}

static void start_samples(uint64_t *rng)
{
	int i;

	for (i = 0; i < NR_COUNTERS; i++) {
		struct counter *c = &world->counters[i];
		struct evfd_ticker_start start = {
			.fd = c->fd,
			.period_ns = 500000 + draw(rng) % 4000000,
		};

		if ((c->role == TICKED &&
		     ioctl(c->sample, EVFD_TICKER_START, &start)) ||
		    (c->role == CONSUMED &&
		     ioctl(c->sample, EVFD_CONSUMER_ATTACH, c->fd)))
			fail("start of a sample: %s", strerror(errno));
	}
}

/* Stops the samples, and enters in the books what they have done. */
static void stop_samples(void)
{
	struct evfd_consumer_stats consumer;
	struct evfd_ticker_stats ticker;
	int i;

	for (i = 0; i < NR_COUNTERS; i++) {
		struct counter *c = &world->counters[i];

		if (c->role == TICKED) {
			if (ioctl(c->sample, EVFD_TICKER_STOP) ||
			    ioctl(c->sample, EVFD_TICKER_STATS, &ticker))
				fail("stop of a ticker: %s", strerror(errno));
			c->written += ticker.ticks;
			world->ticks += ticker.ticks;
		} else if (c->role == CONSUMED) {
			if (ioctl(c->sample, EVFD_CONSUMER_DETACH) ||
			    ioctl(c->sample, EVFD_CONSUMER_STATS, &consumer))
				fail("stop of a consumer: %s", strerror(errno));
			c->read += consumer.consumed;
			world->consumed += consumer.consumed;
		}
	}
}

static void beats(uint64_t *rng)
{
	long end = evfd_test_now_ms() + ROUND_MS;

	do {
		int nudges = draw(rng) % 6;

		start_samples(rng);
		wake_tasks();
		disturb_tasks(rng);
		world->pause = 1;
		stop_samples();
		atomic_fetch_add(&world->beats, 1);
		do {
			if (!come_to_rest() || !books_agree())
				return;
		} while (nudges-- && nudge(rng));
	} while (evfd_test_now_ms() < end);
}

static bool round_run(uint64_t seed)
{
	pid_t pids[NR_PROCESSES];
	uint64_t rng = seed;
	int i, status;

	world->stop = 0;
	world->pause = 1;
	make_counters();
	for (i = 0; i < NR_PROCESSES; i++)
		pids[i] = start_process(i, draw(&rng));
	victims_start(draw(&rng));
	disturb_start(draw(&rng));
	beats(&rng);
	disturb_stop();

	/* The end. From here on all sleeping tasks are freed. */
	if (world->failed)
		return false;
	world->stop = 1;
	wake_tasks();
	if (!come_to_an_end())
		return false;
	for (i = 0; i < NR_PROCESSES; i++) {
		waitpid(pids[i], &status, 0);
		if (status)
			fail("a process ended with status %x", status);
	}
	victims_stop();
	if (!books_agree())
		return false;

	close_counters();
	unload_all();
	return !world->failed && load_all();
}

static void summary(void)
{
	printf("# %" PRIu64 " operations, %" PRIu64 " beats, %" PRIu64
	       " nudges, %" PRIu64 " sleepers looked at, %" PRIu64
	       " counters\n"
	       "# %" PRIu64 " signals, %" PRIu64 " caught, %" PRIu64
	       " kills, %" PRIu64 " faults, %" PRIu64 " forks, %" PRIu64
	       " execs\n"
	       "# %" PRIu64 " ticks from interrupts, %" PRIu64
	       " consumed by a worker\n"
	       "# %" PRIu64 " times a CPU less, %" PRIu64 " hogs, %" PRIu64
	       " crowds killed, %" PRIu64 " times no memory, %" PRIu64
	       " times not unloaded\n",
	       world->operations, world->beats, world->nudges, world->slept,
	       world->instances, world->signals, world->interrupted,
	       world->kills, world->faults, world->forks, world->execs,
	       world->ticks, world->consumed, world->unplugged, world->hogs,
	       world->crowds, world->no_memory, world->refused);
}

static void prepare(void)
{
	struct rlimit files = { 16384, 16384 };
	sigset_t set;

	if (setrlimit(RLIMIT_NOFILE, &files)) {
		perror("stress: RLIMIT_NOFILE");
		exit(2);
	}
	/* For all tasks that do not unblock them. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (access("/sys/kernel/debug/tracing", F_OK))
		mount("none", "/sys/kernel/debug", "debugfs", 0, NULL);

	/* With all this going on, half a minute without a CPU is no report. */
	evfd_test_put("/sys/module/rcupdate/parameters", "rcu_cpu_stall_timeout",
		      "300");
	evfd_test_put("/proc/sys/kernel", "hung_task_timeout_secs", "300");
	evfd_test_put("/proc/sys/kernel", "watchdog_thresh", "60");

	if (!world_make()) {
		perror("stress: memory to share");
		exit(2);
	}
}

static void usage(void)
{
	printf("Usage: stress [--time S] [--seed N]\n"
	       "  --time S  for about S seconds (60)\n"
	       "  --seed N  the first round's seed (1); the next have N + 1, ...\n");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "time", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	double seconds = 60;
	uint64_t seed = 1;
	int c, n = 0;
	long end;

	if (argc == 5 && !strcmp(argv[1], "--child"))
		return exec_child(argv + 2);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 't':
			seconds = parse_number("--time", optarg, 1, 1000000);
			break;
		case 's':
			seed = parse_number("--seed", optarg, 0, UINT32_MAX);
			break;
		case 'h':
			usage();
			return 0;
		default:
			fputs("Type: stress --help\n", stderr);
			return 2;
		}
	}
	if (optind < argc)
		errx(2, "no argument '%s' is taken", argv[optind]);
	setvbuf(stdout, NULL, _IOLBF, 0);
	prepare();
	if (!load_all())
		return 2;

	puts("TAP version 13");
	end = evfd_test_now_ms() + seconds * 1000;
	do {
		uint64_t rng = seed + n;
		bool good = round_run(draw(&rng));

		printf("%sok %d stress: seed %" PRIu64 " # %" PRIu64
		       " operations in %" PRIu64 " beats so far\n",
		       good ? "" : "not ", n + 1, seed + n, world->operations,
		       world->beats);
		n++;
		if (!good)
			printf("# %s\n", world->why);
	} while (!world->failed && evfd_test_now_ms() < end);
	summary();
	printf("1..%d\n", n);

	/* The end of the guest ends tasks that sleep for ever. */
	return world->failed;
}
