// SPDX-License-Identifier: GPL-2.0-only
/*
 * epoll reports one counter in three modes: level-triggered, edge-triggered and
 * EPOLLONESHOT.
 *
 * The counter is in the epoll set three times, through dup(2). The level-triggered
 * entry is reported as long as the count is not 0, the edge-triggered one once for
 * each write, the EPOLLONESHOT one once until it is armed again. The program also
 * shows the timeout (0 does not wait, -1 waits for ever), and a signal, which
 * interrupts the wait with EINTR. Look at the columns, and at the totals below
 * them.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>

#include "demo.h"

enum { LEVEL, EDGE, ONESHOT, NR_WAYS };

static const uint32_t events[NR_WAYS] = {
	[LEVEL] = EPOLLIN,
	[EDGE] = EPOLLIN | EPOLLET,
	[ONESHOT] = EPOLLIN | EPOLLONESHOT,
};

static int fd, ep, interrupted;
static int fds[NR_WAYS], told[NR_WAYS];
static sigset_t no_signals;

static void nop(int sig)
{
	(void)sig;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void put(int to, uint64_t n)
{
	must(write(to, &n, sizeof(n)) == sizeof(n));
}

static void get(int from, uint64_t expected)
{
	uint64_t n;

	must(read(from, &n, sizeof(n)) == sizeof(n));
	must(n == expected);
}

static void control(int op, int way)
{
	struct epoll_event event = { events[way], { .u32 = way } };

	must(epoll_ctl(ep, op, fds[way], &event) == 0);
}

/*
 * Waits and prints which entries are reported; @expected names those that must
 * be. A write wakes the entries one after the other, so a thread on another CPU
 * may return with the first one alone: it waits for the rest, too.
 */
static void look(const char *what, int timeout, const char *expected)
{
	char row[NR_WAYS + 1] = "---";
	struct epoll_event got[NR_WAYS];
	double start = now();
	char wait[16];
	int nr, i;

	do {
		/* SIGUSR1 comes through in here, and nowhere else. */
		nr = epoll_pwait(ep, got, NR_WAYS, timeout, &no_signals);
		if (nr < 0) {
			must(errno == EINTR && timeout == -1);
			printf("%-24s %8d  a signal: EINTR, waits again\n",
			       what, timeout);
			put(interrupted, 1);
		}
		for (i = 0; i < nr; i++) {
			must(got[i].events == EPOLLIN);
			row[got[i].data.u32] = "LEO"[got[i].data.u32];
		}
	} while (timeout == -1 && strcmp(row, expected));

	for (i = 0; i < NR_WAYS; i++)
		told[i] += row[i] != '-';
	snprintf(wait, sizeof(wait), timeout > 0 ? "%d ms" : "%d", timeout);
	printf("%-24s %8s %6.1f s %7s %6s %8s\n", what, wait, now() - start,
	       row[LEVEL] == 'L' ? "told" : "-", row[EDGE] == 'E' ? "told" : "-",
	       row[ONESHOT] == 'O' ? "told" : "-");
	must(strcmp(row, expected) == 0);
	must(timeout <= 0 || now() - start >= timeout / 1e3);
}

/* Sends the main thread a signal; when that has been seen, writes. */
static void *other(void *thread)
{
	struct timespec delay = { 0, 200 * 1000000 };

	nanosleep(&delay, NULL);
	must(pthread_kill(*(pthread_t *)thread, SIGUSR1) == 0);
	get(interrupted, 1);
	nanosleep(&delay, NULL);
	put(fd, 1);

	return NULL;
}

int main(void)
{
	pthread_t self = pthread_self(), thread;
	sigset_t usr1;
	int way;

	fd = evfd(0, EVFD_NONBLOCK);
	interrupted = evfd(0, 0);
	ep = epoll_create1(0);
	must(fd >= 0 && interrupted >= 0 && ep >= 0);
	for (way = 0; way < NR_WAYS; way++) {
		fds[way] = dup(fd);
		must(fds[way] >= 0);
		control(EPOLL_CTL_ADD, way);
	}

	sigemptyset(&no_signals);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	must(pthread_sigmask(SIG_BLOCK, &usr1, NULL) == 0);
	must(signal(SIGUSR1, nop) != SIG_ERR);

	printf("%-24s %8s %8s %7s %6s %8s\n", "", "timeout", "took", "level",
	       "edge", "ONESHOT");

	look("nothing is written", 0, "---");
	look("nothing is written", 300, "---");

	must(pthread_create(&thread, NULL, other, &self) == 0);
	look("another thread writes 1", -1, "LEO");
	must(pthread_join(thread, NULL) == 0);

	look("nobody reads", 0, "L--");
	put(fd, 1);
	look("write 1 more", 0, "LE-");
	control(EPOLL_CTL_MOD, ONESHOT);
	look("ONESHOT is armed again", 0, "L-O");
	get(fd, 2);
	look("read 2", 0, "---");
	put(fd, 5);
	look("write 5", -1, "LE-");

	printf("%-24s %8s %8s %7d %6d %8d\n", "told, times", "", "", told[LEVEL],
	       told[EDGE], told[ONESHOT]);
	must(told[LEVEL] == 5 && told[EDGE] == 3 && told[ONESHOT] == 2);

	return 0;
}
