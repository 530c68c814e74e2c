// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "differences.h"
#include "run.h"
#include "world/async.h"
#include "world/base.h"
#include "world/calls.h"
#include "world/world.h"

/* A world that has not ended after so long is stuck. */
#define STUCK_S		15

struct side {
	volatile unsigned int done;
	struct result results[MAX_OPS];
};

static struct side *sides[2];		/* eventfd, evfd */
static struct result *current;

void out(uint64_t value)
{
	if (current->n < MAX_OUT)
		current->out[current->n] = value;
	current->n++;
}

void out_text(const char *text)
{
	size_t len = strlen(current->text);

	snprintf(current->text + len, MAX_TEXT - len, "%s", text);
}

static void run_op(const struct op *op, struct result *r)
{
	const struct iovec *iov = op->iov;
	char *buf = (char *)op->buf;
	int fd = op->fd, fd2 = op->fd2, n = op->n, i;
	uint64_t len = op->len, val = op->val;
	int64_t a = op->a, b = op->b;
	long ret = -1;

	memset(r, 0, sizeof(*r));
	current = r;
	fill_windows();
	errno = 0;

	switch (op->kind) {
#define OPS_CASES
#include "ops.def"
#undef OPS_CASES
	default:
		abort();
	}

	r->ret = ret;
	r->err = ret == -1 ? errno : 0;
	settle();
	for (i = 0; i < NR_WINDOWS; i++)
		memcpy(r->window + i * WINDOW, (void *)windows[i], WINDOW);
}

static void run_side(const struct sequence *s, int evfd)
{
	struct side *side = sides[evfd];
	unsigned int i;

	world_start(evfd);
	for (i = 0; i < s->n; i++) {
		run_op(&s->ops[i], &side->results[i]);
		side->done = i + 1;
	}
	_exit(0);
}

void run_init(void)
{
	sigset_t set;
	int i;

	is_evfd = 1;
	open_device();
	close(DEVICE);
	is_evfd = 0;
	probe();
	for (i = 0; i < 2; i++) {
		sides[i] = mmap(NULL, sizeof(struct side),
				PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (sides[i] == MAP_FAILED)
			exit(2);
	}
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Where a world is stuck. */
static void print_stack(pid_t pid)
{
	static const char *const files[] = { "syscall", "stack" };
	char path[40], line[128];
	unsigned int i;
	FILE *f;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		f = fopen(path, "r");
		while (f && fgets(line, sizeof(line), f))
			fprintf(stderr, "fuzz: stuck: %s", line);
		if (f)
			fclose(f);
	}
}

/* Waits for both worlds. Returns false if one of them does not end. */
static bool wait_for(pid_t *pids)
{
	struct timespec ts = { .tv_sec = STUCK_S };
	bool stuck = false;
	int i, status;
	sigset_t set;
	pid_t pid;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while (pids[0] || pids[1]) {
		pid = waitpid(-1, &status, stuck ? 0 : WNOHANG);
		if (!pid) {
			if (sigtimedwait(&set, NULL, &ts) >= 0 ||
			    errno == EINTR)
				continue;
			stuck = true;
			for (i = 0; i < 2; i++) {
				if (!pids[i])
					continue;
				print_stack(pids[i]);
				kill(pids[i], SIGKILL);
			}
			continue;
		}
		for (i = 0; i < 2; i++) {
			if (pids[i] == pid)
				pids[i] = 0;
		}
	}

	return !stuck;
}

void run(const struct sequence *s, struct outcome *o)
{
	const struct result *evfd, *eventfd;
	pid_t pids[2];
	unsigned int i;
	int side;

	memset(o, 0, sizeof(*o));
	for (side = 0; side < 2; side++) {
		sides[side]->done = 0;
		pids[side] = fork();
		if (!pids[side])
			run_side(s, side);
		if (pids[side] < 0) {
			perror("fork");
			exit(2);
		}
	}
	wait_for(pids);

	for (i = 0; i < s->n; i++) {
		o->compared = i;
		if (i >= sides[0]->done || i >= sides[1]->done) {
			o->what = STUCK;
			return;
		}
		eventfd = &sides[0]->results[i];
		evfd = &sides[1]->results[i];
		if (promise_broken(&s->ops[i], evfd)) {
			o->what = DIFFERENT;
			return;
		}
		if (!memcmp(evfd, eventfd, sizeof(*evfd)))
			continue;
		o->known = known_difference(&s->ops[i], evfd, eventfd);
		if (!o->known) {
			o->what = DIFFERENT;
			return;
		}
		if (o->known->ends) {
			o->what = KNOWN;
			return;
		}
	}
	o->compared = s->n;
}

const struct result *run_result(bool evfd, unsigned int i)
{
	return i < sides[evfd]->done ? &sides[evfd]->results[i] : NULL;
}
