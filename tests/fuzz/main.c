// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz: looks for a difference between evfd and eventfd(2).
 *
 * Random sequences of system calls run on both, and all results that a program can
 * see are compared (run.c). Random threads run on each, and what has to hold is
 * checked (threads.c). Every draw depends on the seed. Prints KTAP on stdout, a
 * test for each seed, and progress on stderr.
 *
 * The layers, each of which uses those above it; read their headers in this
 * order:
 *
 *	ops		operations (ops.def) and sequences of them
 *	world/		their system calls, and the process for these
 *	differences	the known differences
 *	run		a sequence in two worlds, and the comparison
 *	shrink, emit	the shortest sequence that differs, as a program
 *	threads		the random threads
 *	main		options, seeds, progress
 */
#include <err.h>
#include <getopt.h>

#include "differences.h"
#include "emit.h"
#include "evfd_test.h"
#include "number.h"
#include "run.h"
#include "shrink.h"
#include "threads.h"

static struct {
	double seconds;
	uint64_t first_seed, from, ops;
	int seeds;
	const char *folder;
	bool sequences, threads, print;
} opt = {
	.seconds = 60, .first_seed = 1, .seeds = 4, .folder = ".",
	.sequences = true, .threads = true,
};

static double now(void)
{
	return evfd_test_now_ms() / 1e3;
}

static void progress(const char *what, uint64_t seed, uint64_t operations)
{
	static double last;

	if (now() - last < 5)
		return;
	last = now();
	fprintf(stderr, "fuzz: %s seed=%" PRIu64 ": %" PRIu64 " operations\n",
		what, seed, operations);
}

enum verdict { REAL, CHANCE, ONCE };

/*
 * Some results of the kernel vary, such as two completions at once or one after
 * the other, also with eventfd. So a difference counts if it comes again, unless
 * each kind is seen to do what the other did.
 */
static enum verdict judge(const struct sequence *s, unsigned int at)
{
	static struct result evfd, eventfd;
	const struct result *results[2] = {
		run_result(false, at), run_result(true, at),
	};
	bool both[2] = { };
	int again = 0, i;

	if (!results[0] || !results[1])
		return REAL;
	eventfd = *results[0];
	evfd = *results[1];
	/* A broken promise, see differences.c. */
	if (!memcmp(&evfd, &eventfd, sizeof(evfd)))
		return REAL;
	for (i = 0; i < 50; i++) {
		struct outcome o;

		run(s, &o);
		again += o.what == DIFFERENT || o.what == STUCK;
		results[0] = run_result(false, at);
		results[1] = run_result(true, at);
		both[0] |= results[0] && !memcmp(results[0], &evfd, sizeof(evfd));
		both[1] |= results[1] && !memcmp(results[1], &eventfd, sizeof(evfd));
		if (both[0] && both[1])
			return CHANCE;
	}

	return again ? REAL : ONCE;
}

/* Shrinks and prints it. Returns how often out of ten it shows again. */
static int report(struct sequence *s, uint64_t seed, uint64_t number,
		  unsigned int at)
{
	struct sequence first = *s;
	char headline[128], path[256];
	struct outcome o;
	int again = 0, i;
	FILE *f;

	printf("# seed %" PRIu64 ", sequence %" PRIu64 ", %u of %u:\n",
	       seed, number, at, s->n);
	describe(stdout, "#\t", s, at);
	for (i = 0; i < 10; i++) {
		run(s, &o);
		again += o.what == DIFFERENT || o.what == STUCK;
		if (o.what == STUCK && i == 1)
			break;
	}
	if (again == 10 || (again == 2 && i == 1)) {
		fprintf(stderr, "fuzz: shrinking %u operations\n", s->n);
		shrink(s);
	}
	/* The results that are printed come from this run. */
	for (i = 0; i < 50; i++) {
		run(s, &o);
		if (o.what == DIFFERENT || o.what == STUCK)
			break;
	}
	if (i == 50) {
		*s = first;
		run(s, &o);
	}
	snprintf(headline, sizeof(headline),
		 "seed %" PRIu64 ", sequence %" PRIu64 ": %s after %u, %d of 10 times",
		 seed, number, o.what == STUCK ? "stuck" : "a difference",
		 o.compared, again);
	snprintf(path, sizeof(path), "%s/found-%" PRIu64 "-%" PRIu64 ".c",
		 opt.folder, seed, number);
	f = fopen(path, "w");
	if (f) {
		emit(f, s, headline);
		fclose(f);
	}
	printf("# %s\n# the program: %s\n", headline, path);
	for (i = s->n > 12 ? s->n - 12 : 0; i < (int)s->n; i++)
		describe(stdout, "#\t", s, i);

	return again;
}

/*
 * Sequences of this seed until the time, or the number of operations. Sequence
 * N depends on the seed and N only.
 */
static bool sequences(uint64_t seed, double seconds, uint64_t *compared)
{
	static struct sequence s;
	double end = now() + seconds;
	struct outcome o;
	uint64_t number;

	for (number = opt.from; opt.ops ? *compared < opt.ops : now() < end;
	     number++) {
		draw_sequence(&s, 200, seed << 32 ^ number);
		run(&s, &o);
		*compared += o.compared;
		progress("sequences", seed, *compared);
		if (o.what == DIFFERENT || o.what == STUCK) {
			enum verdict verdict = judge(&s, o.compared);

			if (verdict == REAL) {
				report(&s, seed, number, o.compared);
				return false;
			}
			printf("# seed %" PRIu64 ", sequence %" PRIu64 ", %u: %s\n",
			       seed, number, o.compared, verdict == CHANCE ?
			       "a difference by chance, eventfd shows both" :
			       "a difference once, not in 50 more runs");
		}
	}

	return true;
}

static bool threads(uint64_t seed, double seconds, bool evfd,
		    uint64_t *operations, char *why, size_t size)
{
	double end = now() + seconds;
	uint64_t round;

	for (round = 0; now() < end; round++) {
		if (!threads_run(evfd, seed << 32 ^ round, 300, operations,
				 why, size))
			return false;
		progress(evfd ? "many on evfd" : "many on eventfd", seed,
			 *operations);
	}

	return true;
}

static void usage(void)
{
	printf("Usage: fuzz [OPTION...]\n"
	       "  --time S         for about S seconds in all (60)\n"
	       "  --seed N         first seed (1)\n"
	       "  --seeds N        how many seeds (4)\n"
	       "  --from N         begin with sequence N of each seed (0)\n"
	       "  --ops N          N operations of sequences a seed, however long it takes\n"
	       "  --mode M         what to do: sequences, threads, or both (both)\n"
	       "  --folder DIR     where programs that show a difference go (.)\n"
	       "  --differences    print the known differences, and exit\n");
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "time", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 's' },
		{ "seeds", required_argument, NULL, 'n' },
		{ "from", required_argument, NULL, 'r' },
		{ "ops", required_argument, NULL, 'o' },
		{ "mode", required_argument, NULL, 'm' },
		{ "folder", required_argument, NULL, 'f' },
		{ "differences", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	bool differences = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 't':
			opt.seconds = parse_number("--time", optarg, 1, 1000000);
			break;
		case 's':
			opt.first_seed = parse_number("--seed", optarg, 0,
						      UINT32_MAX);
			break;
		case 'n':
			opt.seeds = parse_number("--seeds", optarg, 1, 1000000);
			break;
		case 'r':
			opt.from = parse_number("--from", optarg, 0, UINT32_MAX);
			break;
		case 'o':
			opt.ops = parse_number("--ops", optarg, 1, UINT64_MAX);
			break;
		case 'm':
			opt.sequences = strcmp(optarg, "threads");
			opt.threads = strcmp(optarg, "sequences");
			if (opt.sequences && opt.threads &&
			    strcmp(optarg, "both"))
				errx(2, "--mode takes sequences, threads or both, not '%s'",
				     optarg);
			break;
		case 'f':
			opt.folder = optarg;
			break;
		case 'd':
			differences = true;
			break;
		case 'h':
			usage();
			exit(0);
		default:
			fputs("Type: fuzz --help\n", stderr);
			exit(2);
		}
	}
	if (optind < argc)
		errx(2, "no argument '%s' is taken", argv[optind]);
	if (differences) {
		differences_print(stdout);
		exit(0);
	}
}

int main(int argc, char **argv)
{
	double share;
	char why[256];
	int i, test = 0, failed = 0, tests;

	parse(argc, argv);
	setvbuf(stdout, NULL, _IOLBF, 0);
	run_init();
	tests = opt.seeds * (opt.sequences + 2 * opt.threads);
	/* A fifth of the time is for threads. */
	share = opt.seconds / opt.seeds;
	printf("TAP version 13\n1..%d\n", tests);
	for (i = 0; i < opt.seeds; i++) {
		uint64_t seed = opt.first_seed + i, n = 0;
		bool ok;

		if (opt.sequences) {
			ok = sequences(seed, opt.threads ? share * .8 : share,
				       &n);
			failed += !ok;
			printf("%s %d sequences seed=%" PRIu64, ok ? "ok" :
			       "not ok", ++test, seed);
			printf(": %" PRIu64 " operations, %d differences\n",
			       n, !ok);
		}
		if (opt.threads) {
			double part = opt.sequences ? share * .1 : share * .5;
			int evfd;

			for (evfd = 1; evfd >= 0; evfd--) {
				n = 0;
				ok = threads(seed, part, evfd, &n, why,
					     sizeof(why));
				failed += !ok;
				if (!ok)
					printf("# %s\n", why);
				printf("%s %d threads-%s seed=%" PRIu64,
				       ok ? "ok" : "not ok", ++test,
				       evfd ? "evfd" : "eventfd", seed);
				printf(": %" PRIu64 " operations\n", n);
			}
		}
	}
	differences_count(stdout);
	printf("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:0 error:0\n",
	       test - failed, failed);

	return failed != 0;
}
