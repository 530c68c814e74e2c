// SPDX-License-Identifier: GPL-2.0-only
/*
 * evfdctl ls, info and watch: print the holders that proc.c finds, as tables or
 * JSON. Uses base.h, proc.h and text.h; read proc.c next.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base.h"
#include "commands.h"
#include "proc.h"
#include "text.h"

#define HOME_AND_NO_CURSOR	"\033[H\033[?25l"
#define CLEAR_LINE		"\033[K"
#define CLEAR_BELOW		"\033[J"
#define CURSOR			"\033[?25h"

enum { NCOLUMNS = 8, CELL = 24 };

static const char * const titles[NCOLUMNS] = {
	"PID", "FD", "ID", "COUNT", "FLAGS", "READERS", "WRITERS", "POLLERS",
};

static void cell_or_dash(char *cell, long value)
{
	if (value == UNKNOWN)
		snprintf(cell, CELL, "-");
	else
		snprintf(cell, CELL, "%ld", value);
}

static void make_cells(const struct holder *h, char cells[NCOLUMNS][CELL])
{
	snprintf(cells[0], CELL, "%d", h->tid);
	snprintf(cells[1], CELL, "%d", h->fd);
	snprintf(cells[2], CELL, "%" PRIu64, h->id);
	snprintf(cells[3], CELL, "%" PRIu64, h->count);
	snprintf(cells[4], CELL, "%c%c%c", h->semaphore ? 's' : '-',
		 h->nonblock ? 'n' : '-', h->cloexec ? 'c' : '-');
	cell_or_dash(cells[5], h->readers);
	cell_or_dash(cells[6], h->writers);
	cell_or_dash(cells[7], h->pollers);
}

/* Prints at most @lines lines, each ended by @end. */
static void put_table(const struct holders *holders, size_t lines,
		      const char *end)
{
	char cells[NCOLUMNS][CELL];
	int width[NCOLUMNS], len, c;
	size_t i, n;

	for (c = 0; c < NCOLUMNS; c++)
		width[c] = strlen(titles[c]);
	for (i = 0; i < holders->n; i++) {
		make_cells(&holders->all[i], cells);
		for (c = 0; c < NCOLUMNS; c++) {
			len = strlen(cells[c]);
			if (len > width[c])
				width[c] = len;
		}
	}

	for (c = 0; c < NCOLUMNS; c++)
		printf("%*s ", width[c], titles[c]);
	printf("COMM%s", end);

	n = holders->n;
	if (n + 1 > lines)
		n = lines > 2 ? lines - 2 : 0;
	for (i = 0; i < n; i++) {
		make_cells(&holders->all[i], cells);
		for (c = 0; c < NCOLUMNS; c++)
			printf("%*s ", width[c], cells[c]);
		put_text(stdout, holders->all[i].comm);
		fputs(end, stdout);
	}
	if (n < holders->n)
		printf("and %zu more%s", holders->n - n, end);
}

static void put_json_or_null(const char *key, long value)
{
	if (value == UNKNOWN)
		printf(",\"%s\":null", key);
	else
		printf(",\"%s\":%ld", key, value);
}

static void put_bool(const char *key, bool value)
{
	printf(",\"%s\":%s", key, value ? "true" : "false");
}

/* The members of an object, without its braces. */
static void put_json_holder(const struct holder *h)
{
	printf("\"pid\":%d,\"tid\":%d,\"comm\":", h->pid, h->tid);
	put_json(stdout, h->comm);
	printf(",\"fd\":%d,\"id\":%" PRIu64 ",\"count\":%" PRIu64, h->fd,
	       h->id, h->count);
	put_bool("semaphore", h->semaphore);
	put_bool("nonblock", h->nonblock);
	put_bool("cloexec", h->cloexec);
	put_json_or_null("readers", h->readers);
	put_json_or_null("writers", h->writers);
	put_json_or_null("pollers", h->pollers);
}

/* The last members of an object, and its end. */
static void put_json_holders(const struct holders *holders)
{
	size_t i;

	printf("\"holders\":[");
	for (i = 0; i < holders->n; i++) {
		printf("%s{", i ? "," : "");
		put_json_holder(&holders->all[i]);
		putchar('}');
	}
	printf("],\"unreadable\":%u}\n", holders->unreadable);
}

static void scan(struct holders *holders, const struct wanted *wanted)
{
	proc_scan(holders, wanted);
	/* Without the module there is nothing to list. */
	if (!holders->n && access("/sys/module/evfd", F_OK) &&
	    access("/dev/evfd", F_OK))
		no_module();
}

static void check_pid(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (pid && access(path, F_OK))
		errx(error_status, "there is no process %d", pid);
}

static void say_unreadable(const struct holders *holders)
{
	if (!holders->unreadable)
		return;
	fflush(stdout);
	warnx("%u %s could not be looked into; to see all, type: sudo evfdctl ...",
	      holders->unreadable,
	      holders->unreadable == 1 ? "process" : "processes");
}

/* watch has all of these, ls those from --id on, info the last one. */
static const struct option watch_options[] = {
	{ "count", required_argument, NULL, 'n' },
	{ "interval", required_argument, NULL, 't' },
	{ "id", required_argument, NULL, 'i' },
	{ "pid", required_argument, NULL, 'p' },
	{ "json", no_argument, NULL, 'j' },
	{ }
};

static const struct option * const ls_options = watch_options + 2;
static const struct option * const info_options = watch_options + 4;

struct show {
	struct wanted wanted;
	bool json;
	uint64_t tables;
	int64_t interval;
};

static void parse(struct show *show, int argc, char **argv,
		  const char *letters, const struct option *options)
{
	int opt;

	while ((opt = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		switch (opt) {
		case 'i':
			show->wanted.id = parse_number("--id", optarg, 0,
						       UINT64_MAX);
			show->wanted.by_id = true;
			break;
		case 'j':
			show->json = true;
			break;
		case 'n':
			show->tables = parse_number("--count", optarg, 1,
						    UINT64_MAX);
			break;
		case 'p':
			show->wanted.pid = parse_number("--pid", optarg, 1,
							INT_MAX);
			break;
		case 't':
			show->interval = parse_seconds("--interval", optarg);
			break;
		default:
			usage_end();
		}
	}
}

int cmd_ls(int argc, char **argv)
{
	struct holders holders = { };
	struct show show = { };

	parse(&show, argc, argv, "i:jp:", ls_options);
	if (optind < argc)
		usage_error("ls takes no argument '%s'", argv[optind]);

	check_pid(show.wanted.pid);
	scan(&holders, &show.wanted);
	if (show.json) {
		putchar('{');
		put_json_holders(&holders);
	} else {
		put_table(&holders, SIZE_MAX, "\n");
		say_unreadable(&holders);
	}
	free(holders.all);
	return 0;
}

/* Ends the program, and says why @fd of @pid cannot be shown. */
static _Noreturn void explain(pid_t pid, int fd)
{
	char link[PATH_MAX];
	int ret;

	check_pid(pid);
	ret = proc_link(pid, fd, link, sizeof(link));
	if (ret == -EACCES || ret == -EPERM)
		errx(error_status,
		     "process %d is not yours to look into; type: sudo evfdctl info %d %d",
		     pid, pid, fd);
	if (ret == -ENOENT)
		errx(error_status, "process %d has no descriptor %d", pid, fd);
	if (ret) {
		errno = -ret;
		err(error_status, "descriptor %d of process %d", fd, pid);
	}
	fprintf(stderr, "evfdctl: descriptor %d of process %d is not an evfd, but ",
		fd, pid);
	put_text(stderr, link);
	putc('\n', stderr);
	exit(error_status);
}

static void put_or_dash(const char *key, long value)
{
	char cell[CELL];

	cell_or_dash(cell, value);
	printf("%-10s %s\n", key, cell);
}

static void put_info(const struct holder *h, const struct holders *all)
{
	const struct holder *other;
	size_t i;

	printf("%-10s %" PRIu64 "\n", "id", h->id);
	printf("%-10s %" PRIu64 "\n", "count", h->count);
	printf("%-10s %s%s%s\n", "flags",
	       h->semaphore ? "semaphore" : "counter",
	       h->nonblock ? " nonblock" : "", h->cloexec ? " cloexec" : "");
	put_or_dash("readers", h->readers);
	put_or_dash("writers", h->writers);
	put_or_dash("pollers", h->pollers);
	for (i = 0; i < all->n; i++) {
		other = &all->all[i];
		printf("%-10s pid %d fd %d ", i ? "" : "held by", other->tid,
		       other->fd);
		put_text(stdout, other->comm);
		putchar('\n');
	}
}

int cmd_info(int argc, char **argv)
{
	struct show show = { .wanted = { .by_id = true } };
	struct holders holders = { };
	struct holder holder = { };
	pid_t pid;
	int fd;

	parse(&show, argc, argv, "j", info_options);
	if (argc - optind != 2)
		usage_error("info takes a process id and a descriptor");
	pid = parse_number("PID", argv[optind], 1, INT_MAX);
	fd = parse_number("FD", argv[optind + 1], 0, INT_MAX);

	if (proc_get(&holder, pid, fd))
		explain(pid, fd);
	show.wanted.id = holder.id;
	proc_scan(&holders, &show.wanted);
	if (show.json) {
		putchar('{');
		put_json_holder(&holder);
		putchar(',');
		put_json_holders(&holders);
	} else {
		put_info(&holder, &holders);
		say_unreadable(&holders);
	}
	free(holders.all);
	return 0;
}

static void put_watch_json(const struct holders *holders)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	printf("{\"time\":%jd.%09ld,", (intmax_t)now.tv_sec, now.tv_nsec);
	put_json_holders(holders);
}

/* On a terminal the table replaces the one before. */
static void put_watch_table(const struct holders *holders, bool terminal)
{
	struct winsize size = { };
	struct timespec now;
	char clock[32];
	size_t lines = SIZE_MAX;

	clock_gettime(CLOCK_REALTIME, &now);
	strftime(clock, sizeof(clock), "%T", localtime(&now.tv_sec));
	if (terminal) {
		if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row > 2)
			lines = size.ws_row - 2;
		fputs(HOME_AND_NO_CURSOR, stdout);
	}
	printf("%s, %zu %s", clock, holders->n,
	       holders->n == 1 ? "descriptor" : "descriptors");
	if (holders->unreadable)
		printf(", %u processes not looked into", holders->unreadable);
	if (terminal) {
		fputs(CLEAR_LINE "\n", stdout);
		put_table(holders, lines, CLEAR_LINE "\n");
		fputs(CLEAR_BELOW, stdout);
	} else {
		putchar('\n');
		put_table(holders, lines, "\n");
		putchar('\n');
	}
}

/* Returns false after a signal, or if the output is a closed pipe. */
static bool pause_watch(int signals, int64_t ns)
{
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = STDOUT_FILENO },
	};
	struct timespec ts = { ns / 1000000000, ns % 1000000000 };

	return ppoll(fds, 2, &ts, NULL) == 0;
}

int cmd_watch(int argc, char **argv)
{
	struct show show = { .interval = 1000000000 };
	struct holders holders = { };
	uint64_t i = 0;
	bool terminal;
	int signals;

	parse(&show, argc, argv, "i:jn:p:t:", watch_options);
	if (optind < argc)
		usage_error("watch takes no argument '%s'", argv[optind]);

	check_pid(show.wanted.pid);
	signals = catch_signals();
	terminal = !show.json && isatty(STDOUT_FILENO);
	do {
		scan(&holders, &show.wanted);
		if (show.json)
			put_watch_json(&holders);
		else
			put_watch_table(&holders, terminal);
	} while (!fflush(stdout) && ++i != show.tables &&
		 pause_watch(signals, show.interval));
	if (terminal)
		fputs(CURSOR, stdout);
	close(signals);
	free(holders.all);
	return 0;
}
