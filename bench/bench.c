// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stdarg.h>
#include <time.h>

#include "bench.h"

int evfd_dev, ntsync_dev, bench_dev;

bool next_kind(int *kind, int round)
{
	if (*kind < 0)
		*kind = round % 2 ? KINDS - 1 : 0;
	else
		*kind += round % 2 ? -1 : 1;
	return *kind >= 0 && *kind < KINDS;
}

void die(const char *format, ...)
{
	int err = errno;
	va_list args;

	va_start(args, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, args);
	fprintf(stderr, " (%s)\n", strerror(err));
	va_end(args);
	exit(1);
}

double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

void open_devices(void)
{
	evfd_dev = open("/dev/evfd", O_RDWR | O_CLOEXEC);
	if (evfd_dev < 0)
		die("/dev/evfd");
	ntsync_dev = open("/dev/ntsync", O_RDWR | O_CLOEXEC);
	bench_dev = open("/dev/evfd_bench", O_RDWR | O_CLOEXEC);
}

bool object_open(struct object *o, enum object_kind kind, unsigned int flags,
		 unsigned int count)
{
	int nonblock = flags & NONBLOCK ? O_NONBLOCK : 0;
	struct ntsync_sem sem = { .count = count, .max = UINT32_MAX };
	uint64_t one = 1;
	int fds[2];

	o->kind = kind;
	switch (kind) {
	case BASELINE:
		o->rd = open("/dev/null", O_RDWR | O_CLOEXEC | nonblock);
		o->wr = o->rd;
		break;
	case EVFD:
		o->rd = evfd_create(flags, count);
		o->wr = o->rd;
		break;
	case EVENTFD:
		o->rd = eventfd_create(flags, count);
		o->wr = o->rd;
		break;
	case PIPE:
		if (pipe2(fds, O_CLOEXEC | nonblock))
			die("pipe2");
		o->rd = fds[0];
		o->wr = fds[1];
		while (count--)
			if (write(o->wr, &one, sizeof(one)) != sizeof(one))
				die("a pipe has no room");
		break;
	case FUTEX:
		o->rd = -1;
		o->wr = -1;
		return !sem_init(&o->sem, 0, count);
	case NTSYNC:
		if (ntsync_dev < 0)
			return false;
		o->rd = ioctl(ntsync_dev, NTSYNC_CREATE_SEM, &sem);
		o->wr = o->rd;
		break;
	default:
		return false;
	}
	if (o->rd < 0)
		die("cannot make an object of kind %d", kind);
	return true;
}

void object_close(struct object *o)
{
	if (o->rd >= 0)
		close(o->rd);
	if (o->wr >= 0 && o->wr != o->rd)
		close(o->wr);
	o->rd = -1;
	o->wr = -1;
}

void add_sample(struct samples *s, enum object_kind kind, double value)
{
	s->v[kind][s->n[kind]++] = value;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The quantile @q of a kind's values, 0 for the least and 0.5 for the median. */
static double quantile(struct samples *s, enum object_kind kind, double q)
{
	int n = s->n[kind];

	if (!n)
		return NAN;
	qsort(s->v[kind], n, sizeof(s->v[kind][0]), compare_doubles);
	return s->v[kind][(int)(q * (n - 1))];
}

static void print_field(double value)
{
	if (isnan(value) || isinf(value))
		printf("\t-");
	else
		printf("\t%.*f", fabs(value) < 10 ? 3 : 1, value);
}

void print_row(const char *name, const char *unit, struct samples *s, double q,
	       const char *what)
{
	int kind, n = s->n[EVFD], i;
	double v[KINDS], ratio, spread;
	static struct samples r;

	/* Values of one round belong together: divide before sorting. */
	memset(&r, 0, sizeof(r));
	for (i = 0; i < n && i < s->n[EVENTFD]; i++)
		add_sample(&r, EVFD, s->v[EVFD][i] / s->v[EVENTFD][i]);
	spread = quantile(&r, EVFD, 0.75) - quantile(&r, EVFD, 0.25);
	spread *= 50 / quantile(&r, EVFD, 0.5);

	for (kind = 0; kind < KINDS; kind++)
		v[kind] = quantile(s, kind, q);
	ratio = q ? quantile(&r, EVFD, q) : v[EVFD] / v[EVENTFD];
	printf("%s\t%s", name, unit);
	print_field(v[BASELINE]);
	print_field(v[EVFD]);
	print_field(v[EVENTFD]);
	print_field(ratio);
	print_field(spread);
	print_field((v[EVFD] - v[BASELINE]) / (v[EVENTFD] - v[BASELINE]));
	print_field(v[PIPE]);
	print_field(v[FUTEX]);
	print_field(v[NTSYNC]);
	printf("\t%s\n", what);
	fflush(stdout);
}
