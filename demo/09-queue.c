// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread sleeps in poll(2) on sockets and on its message queue at once.
 *
 * A queue in memory cannot be polled, so a descriptor stands for it. The program
 * runs once with a counter and once with a pipe, which programs used before
 * eventfd(2); struct waker has all that differs. 70000 messages and two sockets
 * are ready when the thread starts, then a socket wakes it, then a message. Look
 * at the table: the pipe needs two descriptors, stores a byte for each wakeup
 * until it is full, and is emptied in a loop. The counter needs one descriptor
 * and one read.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#include "demo.h"

#define BURST	70000

struct waker {
	const char *name;
	void (*init)(struct waker *w);
	void (*wake)(struct waker *w);
	void (*clear)(struct waker *w);
	int poll_fd, wake_fd;

	/* For the table. */
	int descriptors;
	unsigned long arrived, refused, reads, wakeups;
};

static void evfd_init(struct waker *w)
{
	w->poll_fd = evfd(0, EVFD_NONBLOCK);
	w->wake_fd = w->poll_fd;
	must(w->poll_fd >= 0);
	w->descriptors = 1;
}

static void evfd_wake(struct waker *w)
{
	uint64_t n = 1;

	must(write(w->wake_fd, &n, sizeof(n)) == sizeof(n));
}

static void evfd_clear(struct waker *w)
{
	uint64_t n;

	must(read(w->poll_fd, &n, sizeof(n)) == sizeof(n));
	w->arrived += n;
	w->reads++;
}

static void pipe_init(struct waker *w)
{
	int fds[2];

	must(pipe2(fds, O_NONBLOCK) == 0);
	w->poll_fd = fds[0];
	w->wake_fd = fds[1];
	w->descriptors = 2;
}

static void pipe_wake(struct waker *w)
{
	if (write(w->wake_fd, "", 1) == 1)
		return;
	/* Full. The other side will wake up all the same. */
	must(errno == EAGAIN);
	w->refused++;
}

static void pipe_clear(struct waker *w)
{
	char buf[256];
	ssize_t len;

	while (w->reads++, (len = read(w->poll_fd, buf, sizeof(buf))) > 0)
		w->arrived += len;
	must(len == -1 && errno == EAGAIN);
}

/* The queue: without bounds and freeing, to be short. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int queue[BURST + 1], first, last;
static int sockets[2][2];
static long long sum;

#define QUIT	(-1)

static void post(struct waker *w, int message)
{
	pthread_mutex_lock(&lock);
	queue[last++] = message;
	pthread_mutex_unlock(&lock);
	w->wake(w);
}

static int take(int *message)
{
	int found;

	pthread_mutex_lock(&lock);
	found = first < last;
	if (found)
		*message = queue[first++];
	pthread_mutex_unlock(&lock);

	return found;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void *worker(void *arg)
{
	struct waker *w = arg;
	struct pollfd fds[] = {
		{ .fd = w->poll_fd, .events = POLLIN },
		{ .fd = sockets[0][1], .events = POLLIN },
		{ .fd = sockets[1][1], .events = POLLIN },
	};
	int message, ready, i, quit = 0;
	char buf[64];

	while (!quit) {
		double start = now();

		ready = poll(fds, 3, -1);
		must(ready > 0);
		w->wakeups++;
		printf("  slept %.1f s, then:%s%s%s\n", now() - start,
		       fds[0].revents ? " messages" : "",
		       fds[1].revents ? " socket-1" : "",
		       fds[2].revents ? " socket-2" : "");

		/* Clear first: what is posted from here on wakes again. */
		if (fds[0].revents)
			w->clear(w);
		while (take(&message)) {
			if (message == QUIT)
				quit = 1;
			else
				sum += message;
		}

		for (i = 1; i <= 2; i++) {
			ssize_t len;

			if (!fds[i].revents)
				continue;
			len = read(fds[i].fd, buf, sizeof(buf));
			must(len > 0 && write(fds[i].fd, buf, len) == len);
		}
	}

	return NULL;
}

static void say(int which)
{
	must(write(sockets[which][0], "ping", 4) == 4);
}

static void hear(int which)
{
	char buf[4];

	must(read(sockets[which][0], buf, sizeof(buf)) == sizeof(buf));
	must(memcmp(buf, "ping", 4) == 0);
}

/* Gives the thread the time to fall asleep. */
static void idle(void)
{
	struct timespec delay = { 0, 100 * 1000000 };

	nanosleep(&delay, NULL);
}

static void run(struct waker *w)
{
	pthread_t thread;
	int i;

	first = 0;
	last = 0;
	sum = 0;
	w->init(w);
	for (i = 0; i < 2; i++)
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets[i]) == 0);

	printf("%s:\n", w->name);
	for (i = 1; i <= BURST; i++)
		post(w, i);
	say(0);
	say(1);
	must(pthread_create(&thread, NULL, worker, w) == 0);
	hear(0);
	hear(1);

	idle();
	say(1);
	hear(1);

	idle();
	post(w, QUIT);
	must(pthread_join(thread, NULL) == 0);

	must(sum == BURST * (BURST + 1LL) / 2);
	must(w->wakeups == 3);
	must(w->arrived + w->refused == BURST + 1);
}

int main(void)
{
	struct waker wakers[] = {
		{
			.name = "evfd", .init = evfd_init,
			.wake = evfd_wake, .clear = evfd_clear,
		}, {
			.name = "pipe", .init = pipe_init,
			.wake = pipe_wake, .clear = pipe_clear,
		},
	};
	struct waker *e = &wakers[0], *p = &wakers[1];

	run(e);
	run(p);

	printf("%-24s %8s %8s\n", "", e->name, p->name);
	printf("%-24s %8d %8d\n", "descriptors", e->descriptors,
	       p->descriptors);
	printf("%-24s %8lu %8lu\n", "wakes stored", e->arrived, p->arrived);
	printf("%-24s %8lu %8lu\n", "wakes refused, was full", e->refused,
	       p->refused);
	printf("%-24s %8lu %8lu\n", "times awake", e->wakeups, p->wakeups);
	printf("%-24s %8lu %8lu\n", "reads to clear", e->reads, p->reads);
	must(e->reads == 2 && e->refused == 0);

	return 0;
}
