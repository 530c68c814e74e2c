// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "async.h"
#include "ops.h"
#include "tasks.h"

static void on_signal(int sig)
{
	(void)sig;
	atomic_fetch_add(&world->interrupted, 1);
}

/* SIGUSR2 restarts the calls that it interrupts, SIGUSR1 does not. */
static void install_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t set;

	sigaction(SIGUSR1, &sa, NULL);
	sa.sa_flags = SA_RESTART;
	sigaction(SIGUSR2, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void draw_op(struct task *task);

/* Does @n operations, without an end if it is negative. */
static void work(struct task *task, int n)
{
	while (n-- && !world->stop && !world->failed) {
		slot_rest(task->slot);
		draw_op(task);
	}
}

static void child(struct slot *slot, uint64_t rng)
{
	struct task task = {
		.slot = slot, .rng = rng, .child = true, .producer = rng & 1,
	};
	int n = 1 + draw(&task.rng) % 6;

	slot_take_over(slot);
	work(&task, n);
	slot_put(slot);
}

static void spawn(struct task *task, bool exec)
{
	char number[16], fd[16], seed[32];
	struct slot *slot = slot_get();
	uint64_t rng = draw(&task->rng);
	sigset_t set, old;
	pid_t pid;

	if (!slot)
		return;
	sprintf(fd, "%d", world_fd);
	sprintf(number, "%d", (int)(slot - world->slots));
	sprintf(seed, "%llu", (unsigned long long)rng);

	/* Blocked until the new image has handlers. */
	sigfillset(&set);
	pthread_sigmask(SIG_SETMASK, &set, &old);
	pid = fork();
	if (!pid) {
		slot_take_over(slot);
		if (exec) {
			execl("/proc/self/exe", "stress", "--child", fd,
			      number, seed, NULL);
			fail("exec: %s", strerror(errno));
		} else {
			pthread_sigmask(SIG_SETMASK, &old, NULL);
			child(slot, rng);
		}
		_exit(0);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		slot_put(slot);
	else
		atomic_fetch_add(exec ? &world->execs : &world->forks, 1);
}

/* The rest of a fork and exec, in the new image. */
int exec_child(char **argv)
{
	if (!world_join(atoi(argv[0])))
		return 1;
	ops_prepare();
	install_signals();
	child(&world->slots[atoi(argv[1])], strtoull(argv[2], NULL, 10));

	return 0;
}

static const struct op *pick(struct task *task)
{
	int sum = 0, i, at;

	for (i = 0; i < (int)ARRAY_SIZE(ops); i++)
		if (!task->child || ops[i].for_child)
			sum += task->producer ? ops[i].producer :
						ops[i].consumer;
	at = draw(&task->rng) % sum;
	for (i = 0; ; i++) {
		if (task->child && !ops[i].for_child)
			continue;
		at -= task->producer ? ops[i].producer : ops[i].consumer;
		if (at < 0)
			return &ops[i];
	}
}

/* Mostly keeps a counter near the limit at which its waiters sleep. */
static bool too_far(const struct counter *c, enum op_kind kind, uint64_t z)
{
	int64_t level = c->written - c->read;

	if (z % 8 == 0)
		return false;
	if (kind == ADD && c->role != FULL)
		return level > 4;
	if ((kind == TAKE || kind == WAIT) && c->role == FULL && c->semaphore)
		return level < -4;

	return false;
}

/* Whether more than half of the tasks wait. */
static bool many_wait(void)
{
	int used = 0, waiting = 0, i;

	for (i = 0; i < NR_SLOTS; i++) {
		const struct slot *slot = &world->slots[i];

		used += slot->used;
		waiting += slot->state == IN_OP && slot->wants != NOTHING;
	}

	return waiting * 2 > used;
}

static void draw_op(struct task *task)
{
	uint64_t z = draw(&task->rng);
	struct counter *c = &world->counters[z % NR_COUNTERS];
	const struct op *op;

	/* Others wait for a write, or for room. */
	if (many_wait()) {
		bool producer = task->producer;

		task->producer = c->role != FULL;
		do {
			op = pick(task);
		} while (op->kind != (task->producer ? ADD : TAKE) ||
			 (op->kind == TAKE && op->how != NOWAIT));
		task->producer = producer;
	} else {
		op = pick(task);
	}

	task->slot->op = op - ops;
	if (too_far(c, op->kind, z >> 32)) {
		sched_yield();
		return;
	}
	if (op->how == FORK || op->how == EXEC)
		spawn(task, op->how == EXEC);
	else
		op_do(task, c, op, z);
	/* Now and then give others time to fall asleep. */
	if (!(z >> 50 & 15))
		usleep(z >> 56);
}

static void *thread(void *arg)
{
	struct task *task = arg;

	slot_take_over(task->slot);
	task->async = async_open();
	work(task, -1);
	async_close(task->async);
	slot_put(task->slot);

	return NULL;
}

pid_t start_process(unsigned int number, uint64_t seed)
{
	struct task tasks[NR_THREADS] = { };
	pthread_t threads[NR_THREADS];
	pid_t pid = fork();
	int i;

	if (pid)
		return pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	ops_prepare();
	install_signals();
	for (i = 0; i < NR_THREADS; i++) {
		tasks[i].slot = slot_get();
		tasks[i].rng = seed ^ (number * NR_THREADS + i + 1) << 20;
		tasks[i].producer = i & 1;
		if (!tasks[i].slot ||
		    pthread_create(&threads[i], NULL, thread, &tasks[i]))
			_exit(1);
	}
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	_exit(0);
}

/* A process of one thread, which does not end by itself. */
pid_t start_victim(struct slot **slot, uint64_t seed)
{
	struct task task = {
		.rng = seed, .child = true, .producer = seed & 1,
	};
	pid_t pid;

	*slot = slot_get();
	if (!*slot)
		return -1;
	pid = fork();
	if (pid)
		return pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	task.slot = *slot;
	slot_take_over(task.slot);
	ops_prepare();
	install_signals();
	work(&task, -1);
	slot_put(task.slot);
	_exit(0);
}
