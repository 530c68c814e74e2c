// SPDX-License-Identifier: GPL-2.0-only
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "disturb.h"
#include "evfd_module.h"
#include "tasks.h"

#define CGROUP		"/sys/fs/cgroup"
#define NR_CROWD	4000
#define MIB		(1024 * 1024)

/* Puts the caller into a memory cgroup with this limit, where there are any. */
static void limit_memory(const char *name, unsigned int bytes)
{
	char dir[128], text[32];

	if (access(CGROUP "/cgroup.controllers", F_OK))
		mount("none", CGROUP, "cgroup2", 0, NULL);
	evfd_test_put(CGROUP, "cgroup.subtree_control", "+memory");
	snprintf(dir, sizeof(dir), CGROUP "/%s", name);
	mkdir(dir, 0755);
	sprintf(text, "%u", bytes);
	evfd_test_put(dir, "memory.max", text);
	evfd_test_put(dir, "cgroup.procs", "0");
}

/* ---- CPUs ---- */

static bool set_online(int cpu, bool online)
{
	char dir[64];

	snprintf(dir, sizeof(dir), "/sys/devices/system/cpu/cpu%d", cpu);
	return !evfd_test_put(dir, "online", online ? "1" : "0");
}

static void unplug(uint64_t *rng)
{
	int cpus = sysconf(_SC_NPROCESSORS_CONF), cpu;

	while (!world->calm && cpus > 1) {
		cpu = 1 + draw(rng) % (cpus - 1);
		if (set_online(cpu, false))
			atomic_fetch_add(&world->unplugged, 1);
		usleep(draw(rng) % 100000);
		set_online(cpu, true);
		usleep(draw(rng) % 400000);
	}
}

/* ---- memory ---- */

/* Until the cgroup's limit ends it, or it has touched all of it. */
static void fill(uint64_t size)
{
	char *map = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t at;

	for (at = 0; map != MAP_FAILED && at < size && !world->calm;
	     at += PAGE)
		map[at] = 1;
	_exit(0);
}

static void use_up_memory(uint64_t *rng)
{
	uint64_t size;
	pid_t pid;

	nice(10);
	limit_memory("evfd-hog", 24 * MIB);
	while (!world->calm) {
		size = 4 * MIB + draw(rng) % (28 * MIB);
		pid = fork();
		if (!pid)
			fill(size);
		waitpid(pid, NULL, 0);
		atomic_fetch_add(&world->hogs, 1);
		/* 2: the slabs; 4: without a word. */
		evfd_test_put("/proc/sys/vm", "drop_caches", "6");
		usleep(200000 + draw(rng) % 600000);
	}
}

/* ---- a crowd ---- */

static void crowd_member(int dev, int ep, uint64_t *rng)
{
	struct evfd_create arg = {
		.flags = (draw(rng) & EVFD_SEMAPHORE) | EVFD_NONBLOCK,
		.initval = draw(rng) % 3,
	};
	int fd = ioctl(dev, EVFD_IOC_CREATE, &arg);
	struct epoll_event ev = { .events = EPOLLIN };
	uint64_t n = 1 + draw(rng) % 9, sum = arg.initval + n, got = 0;

	if (fd < 0) {
		if (errno == ENOMEM)
			atomic_fetch_add(&world->no_memory, 1);
		else
			fail("a crowd's counter: %s", strerror(errno));
		return;
	}
	atomic_fetch_add(&world->instances, 1);
	if (draw(rng) & 1)
		epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	if (write(fd, &n, 8) != 8)
		fail("a crowd's counter does not take %llu",
		     (unsigned long long)n);
	while (draw(rng) & 3 && read(fd, &n, 8) == 8)
		got += n;
	while (read(fd, &n, 8) == 8)
		got += n;
	if (got != sum)
		fail("a crowd's counter gave %llu of %llu",
		     (unsigned long long)got, (unsigned long long)sum);
	if (!(draw(rng) & 15))
		close(fd);
}

static void crowd_main(uint64_t rng)
{
	int dev, ep, i, n = 500 + draw(&rng) % NR_CROWD;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	limit_memory("evfd-crowd", (draw(&rng) & 1 ? 2 : 64) * MIB);
	dev = open("/dev/evfd", O_RDWR | O_CLOEXEC);
	ep = epoll_create1(EPOLL_CLOEXEC);
	if (dev < 0 || ep < 0)
		_exit(0);
	for (i = 0; i < n && !world->calm && !world->failed; i++) {
		/* Leaves the CPUs to the tasks that come to rest. */
		while (world->pause && !world->calm)
			usleep(1000);
		crowd_member(dev, ep, &rng);
	}
	/* Holds them, and waits to be killed. */
	while (!world->calm)
		usleep(10000);
	_exit(0);
}

static void crowd(uint64_t *rng)
{
	nice(10);
	while (!world->calm) {
		uint64_t seed = draw(rng);
		pid_t pid = fork();
		int i;

		if (!pid)
			crowd_main(seed);
		for (i = draw(rng) % 150; i > 0 && !world->calm; i--)
			usleep(10000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		atomic_fetch_add(&world->crowds, 1);
	}
}

/* ---- modules ---- */

static void try_to_unload(uint64_t *rng)
{
	static const char * const modules[] = {
		"evfd", "evfd_ticker", "evfd_consumer",
	};
	int ret;

	while (!world->calm) {
		const char *module = modules[draw(rng) % 3];

		ret = evfd_module_unload(module);
		if (ret != -EWOULDBLOCK)
			fail("to unload %s, which is in use, returned %d",
			     module, ret);
		atomic_fetch_add(&world->refused, 1);
		usleep(draw(rng) % 50000);
	}
}

static void (*const disturbers[])(uint64_t *rng) = {
	unplug, use_up_memory, crowd, try_to_unload,
};

static pid_t pids[ARRAY_SIZE(disturbers)];

void disturb_start(uint64_t seed)
{
	unsigned int i;

	world->calm = 0;
	for (i = 0; i < ARRAY_SIZE(disturbers); i++) {
		uint64_t rng = seed ^ (i + 1);

		pids[i] = fork();
		if (!pids[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			disturbers[i](&rng);
			_exit(0);
		}
	}
}

void disturb_stop(void)
{
	unsigned int i;

	world->calm = 1;
	for (i = 0; i < ARRAY_SIZE(disturbers); i++)
		waitpid(pids[i], NULL, 0);
}

/* ---- signals and kills ---- */

static struct victim {
	pid_t pid;
	struct slot *slot;
} victims[NR_VICTIMS];

static uint64_t victim_seed;

static void victim_start(struct victim *v)
{
	v->pid = start_victim(&v->slot, draw(&victim_seed));
}

void victims_start(uint64_t seed)
{
	int i;

	victim_seed = seed;
	for (i = 0; i < NR_VICTIMS; i++)
		victim_start(&victims[i]);
}

void victims_stop(void)
{
	int i;

	for (i = 0; i < NR_VICTIMS; i++)
		if (victims[i].pid > 0)
			waitpid(victims[i].pid, NULL, 0);
}

/* The operation that it was in may have happened. */
static void victim_kill(struct victim *v)
{
	struct slot *slot = v->slot;
	struct counter *c;
	uint64_t n;

	if (v->pid <= 0) {
		victim_start(v);
		return;
	}
	kill(v->pid, SIGKILL);
	waitpid(v->pid, NULL, 0);
	atomic_fetch_add(&world->kills, 1);
	if (slot->state == IN_OP && slot->effect) {
		c = &world->counters[slot->counter];
		n = slot->page ?
		    *(uint64_t *)world->pages[slot - world->slots] :
		    slot->buf[0];
		c->unsure[c->nr_unsure++] = slot->effect > 0 ? slot->value : -n;
	}
	slot_put(slot);
	victim_start(v);
}

static void signal_a_task(uint64_t *rng)
{
	const struct slot *slot = &world->slots[draw(rng) % NR_SLOTS];

	if (slot->used && slot->pid && slot->tid &&
	    !syscall(SYS_tgkill, slot->pid, slot->tid,
		     draw(rng) & 1 ? SIGUSR1 : SIGUSR2))
		atomic_fetch_add(&world->signals, 1);
}

void disturb_tasks(uint64_t *rng)
{
	uint64_t enough = world->operations + 200 + draw(rng) % 3000;
	long end = evfd_test_now_ms() + 1000;
	int kills = 0;

	while (world->operations < enough && evfd_test_now_ms() < end && !world->failed) {
		signal_a_task(rng);
		if (draw(rng) % 16 == 0 && kills < 6) {
			victim_kill(&victims[draw(rng) % NR_VICTIMS]);
			kills++;
		}
		usleep(draw(rng) % 3000);
	}
}
