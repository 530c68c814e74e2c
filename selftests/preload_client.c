// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program written for eventfd(2), for preload_test.c to run under evfd-run.
 *
 * Uses nothing of evfd. Usage: preload_client CALL CHECK [ARG...]: CALL is the way
 * to make eventfds, CHECK the use of them. Exits with 0 if all is as with
 * eventfd(2), else prints the difference on stderr. Built twice: dynamic and
 * static.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_THREADS	8
#define N_HOARDERS	12
#define ALL_FLAGS	(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)

#define CHECK(condition) do {						\
	if (!(condition)) {						\
		fprintf(stderr, "# %s:%d: %s (errno %d)\n", __func__,	\
			__LINE__, #condition, errno);			\
		exit(1);						\
	}								\
} while (0)

static char **args;

static int by_function(unsigned int initval, int flags)
{
	return eventfd(initval, flags);
}

static int by_syscall(unsigned int initval, int flags)
{
	return syscall(SYS_eventfd2, initval, flags);
}

static int by_syscall1(unsigned int initval, int flags)
{
	/* It has no flags: garbage there is no error. */
	return syscall(SYS_eventfd, initval, ~flags);
}

/* As Go does it, without the C library. */
static int raw(long number, long initval, long flags)
{
	long ret;

	__asm__ volatile ("syscall" : "=a" (ret)
			  : "a" (number), "D" (initval), "S" (flags)
			  : "rcx", "r11", "memory");
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

static int by_raw(unsigned int initval, int flags)
{
	return raw(SYS_eventfd2, initval, flags);
}

static int by_raw1(unsigned int initval, int flags)
{
	return raw(SYS_eventfd, initval, ~flags);
}

static const struct call {
	const char *name;
	int (*make)(unsigned int initval, int flags);
	int flags;
} calls[] = {
	{ "function", by_function, ALL_FLAGS },
	{ "syscall", by_syscall, ALL_FLAGS },
	{ "syscall1", by_syscall1, 0 },
	{ "raw", by_raw, ALL_FLAGS },
	{ "raw1", by_raw1, 0 },
};

static const struct call *call;

static uint64_t take(int fd)
{
	uint64_t n = 0;

	CHECK(read(fd, &n, sizeof(n)) == sizeof(n));
	return n;
}

/* The number that the next descriptor will get. */
static int next_fd(void)
{
	int fd = dup(0);

	CHECK(fd >= 0);
	close(fd);
	return fd;
}

/* Prints the kind of file that it got: "anon_inode:[eventfd]". */
static void check_kind(void)
{
	char path[32], link[64] = "";
	int fd = call->make(0, 0);

	if (fd < 0) {
		printf("errno %d\n", errno);
		return;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(readlink(path, link, sizeof(link) - 1) > 0);
	puts(link);
}

static void check_flags(void)
{
	int flags;

	for (flags = 0; flags <= ALL_FLAGS; flags++) {
		int expected, fd;

		if (flags & ~call->flags)
			continue;
		expected = next_fd();
		errno = 4711;
		fd = call->make(0x80000007, flags);
		CHECK(fd == expected);
		CHECK(errno == 4711);
		CHECK(fcntl(fd, F_GETFL) == (O_RDWR | (flags & EFD_NONBLOCK)));
		CHECK(fcntl(fd, F_GETFD) ==
		      (flags & EFD_CLOEXEC ? FD_CLOEXEC : 0));
		CHECK(take(fd) == (flags & EFD_SEMAPHORE ? 1 : 0x80000007));
		CHECK(eventfd_write(fd, 5) == 0);
		close(fd);
	}
}

/* Each bit that eventfd does not have, even if nothing else could work. */
static void check_bad_flags(void)
{
	struct rlimit none = { 0, 0 };
	int bit, round, expected = next_fd();

	for (round = 0; round < 2; round++) {
		for (bit = 0; bit < 32 && call->flags; bit++) {
			if (1U << bit & ALL_FLAGS)
				continue;
			errno = 0;
			CHECK(call->make(0, 1U << bit) == -1);
			CHECK(errno == EINVAL);
			errno = 0;
			CHECK(call->make(0, 1U << bit | EFD_CLOEXEC) == -1);
			CHECK(errno == EINVAL);
		}
		if (!round)
			CHECK(next_fd() == expected);
		CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	}
}

static void check_limit(void)
{
	struct rlimit limit = { 64, 64 };
	int fd, last = -1;

	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while ((fd = call->make(0, 0)) >= 0)
		last = fd;
	CHECK(errno == EMFILE);
	CHECK(last == 63);
	CHECK(dup(0) == -1 && errno == EMFILE);
	close(20);
	CHECK(call->make(0, 0) == 20);
	CHECK(call->make(0, 0) == -1 && errno == EMFILE);
}

/* Makes ARG eventfds and ends without exit handlers. */
static void check_die(void)
{
	int i;

	for (i = 0; i < atoi(args[0]); i++)
		CHECK(call->make(i, 0) >= 0);
	if (args[1])
		raise(SIGKILL);
	_exit(0);
}

/* The close is the last: nothing else holds the file, not even for a moment. */
static void check_close(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int ep = epoll_create1(0);
	int i, fd;

	for (i = 0; i < 100; i++) {
		fd = call->make(1, 0);
		CHECK(fd >= 0);
		CHECK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) == 0);
		CHECK(epoll_wait(ep, &event, 1, 0) == 1);
		close(fd);
		CHECK(epoll_wait(ep, &event, 1, 0) == 0);
	}
}

static void *make_many(void *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < 50; i++) {
		int fd = call->make(i + 1, 0);

		CHECK(fd >= 0);
		CHECK(take(fd) == (uint64_t)i + 1);
		close(fd);
	}
	return NULL;
}

static void check_threads(void)
{
	pthread_t threads[N_THREADS];
	int i, expected = next_fd();

	for (i = 0; i < N_THREADS; i++)
		CHECK(!pthread_create(&threads[i], NULL, make_many, NULL));
	for (i = 0; i < N_THREADS; i++)
		CHECK(!pthread_join(threads[i], NULL));
	CHECK(next_fd() == expected);
}

/* Programs that this one starts get evfds, too. */
static void check_children(void)
{
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		check_flags();
		closefrom(3);
		check_flags();
		execl("/proc/self/exe", "client", call->name, "flags", NULL);
		_exit(1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);

	/* No child that was not started here. */
	CHECK(waitpid(-1, &status, __WALL) == -1 && errno == ECHILD);
	check_flags();
}

/* Starts the program ARG without any environment. */
static void check_bare(void)
{
	clearenv();
	execv(args[0], args);
	CHECK(0);
}

/* The C library's syscall() is as before for all else. */
static void check_syscall(void)
{
	char *page;
	pid_t pid;
	int status;

	page = (char *)syscall(SYS_mmap, NULL, 4096UL, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0UL);
	CHECK(page != MAP_FAILED);
	CHECK(syscall(SYS_getpid) == getpid());
	CHECK(syscall(SYS_close, -1) == -1 && errno == EBADF);
	CHECK(syscall(-1) == -1 && errno == ENOSYS);
	CHECK(syscall(SYS_mmap, NULL, 0UL, PROT_READ, MAP_PRIVATE, -1, 0UL) ==
	      -1 && errno == EBADF);
	pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (!pid)
		_exit(7);
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
}

static void handler(int sig)
{
	(void)sig;
}

/* eventfd() is not interrupted by a signal that restarts calls. */
static void check_signals(void)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = SA_RESTART };
	struct itimerval it = { { 0, 1000 }, { 0, 1000 } };
	int i, expected = next_fd();

	CHECK(sigaction(SIGALRM, &act, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &it, NULL) == 0);
	for (i = 0; i < 100; i++) {
		CHECK(call->make(0, 0) == expected);
		close(expected);
	}
}

/* Kills processes in their calls, with no effect on others. */
static void check_killed(void)
{
	struct timespec ts = { 0, 0 };
	int i, fd;

	for (i = 0; i < 40; i++) {
		pid_t pid = fork();

		if (!pid) {
			for (;;)
				close(call->make(0, 0));
		}
		ts.tv_nsec = i * 100000;
		nanosleep(&ts, NULL);
		fd = call->make(i + 1, 0);
		CHECK(fd >= 0 && take(fd) == (uint64_t)i + 1);
		close(fd);
		kill(pid, SIGKILL);
		CHECK(waitpid(pid, NULL, 0) == pid);
	}
}

/* Makes as many as it can, in many processes, and stops half of them. */
static void check_hoard(void)
{
	struct rlimit limit = { 200, 200 };
	pid_t pids[N_HOARDERS];
	int i, fd;

	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	for (i = 0; i < N_HOARDERS; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			while (call->make(0, 0) >= 0)
				;
			for (;;)
				call->make(0, 0);
		}
	}
	for (i = 0; i < N_HOARDERS; i++) {
		if (i % 2)
			kill(pids[i], SIGSTOP);
		fd = call->make(i + 1, 0);
		CHECK(fd >= 0 && take(fd) == (uint64_t)i + 1);
		close(fd);
	}
	for (i = 0; i < N_HOARDERS; i++) {
		kill(pids[i], SIGKILL);
		CHECK(waitpid(pids[i], NULL, 0) == pids[i]);
	}
}

/* The newest process with the supervisor's name. */
static pid_t find_supervisor(void)
{
	DIR *proc = opendir("/proc");
	char path[64], name[32];
	struct dirent *d;
	pid_t pid = 0;
	FILE *f;

	CHECK(proc);
	while ((d = readdir(proc))) {
		if (atoi(d->d_name) <= pid)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/comm", atoi(d->d_name));
		f = fopen(path, "r");
		if (f && fgets(name, sizeof(name), f) &&
		    !strcmp(name, "evfd-supervisor\n"))
			pid = atoi(d->d_name);
		if (f)
			fclose(f);
	}
	closedir(proc);
	CHECK(pid);
	return pid;
}

/* A user cannot access a supervisor of the same user. */
static void check_spy(void)
{
	pid_t pid = find_supervisor();
	char path[64];

	CHECK(getuid() != 0);
	CHECK(ptrace(PTRACE_SEIZE, pid, 0, 0) == -1);
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	CHECK(open(path, O_RDWR) == -1);
	snprintf(path, sizeof(path), "/proc/%d/fd/3", pid);
	CHECK(open(path, O_RDWR) == -1);

	/* Signals that may be ignored do not end it. */
	CHECK(kill(pid, SIGTERM) == 0);
	CHECK(kill(pid, SIGALRM) == 0);
	CHECK(call->make(0, 0) >= 0);
}

/* After it was killed, eventfd() is as on a kernel without it. */
static void check_orphan(void)
{
	struct timespec ts = { 0, 1000000 };
	pid_t pid = find_supervisor();
	int i, fd;

	CHECK(kill(pid, SIGKILL) == 0);
	for (i = 0; i < 10000; i++) {
		fd = call->make(0, 0);
		if (fd < 0)
			break;
		close(fd);
		nanosleep(&ts, NULL);
	}
	CHECK(fd == -1 && errno == ENOSYS);
}

static const struct check {
	const char *name;
	void (*run)(void);
} checks[] = {
	{ "kind", check_kind },
	{ "flags", check_flags },
	{ "bad_flags", check_bad_flags },
	{ "limit", check_limit },
	{ "die", check_die },
	{ "close", check_close },
	{ "threads", check_threads },
	{ "children", check_children },
	{ "bare", check_bare },
	{ "syscall", check_syscall },
	{ "signals", check_signals },
	{ "killed", check_killed },
	{ "hoard", check_hoard },
	{ "spy", check_spy },
	{ "orphan", check_orphan },
};

int main(int argc, char **argv)
{
	/* A path, if this is the interpreter of a script. */
	const char *name = argc > 2 ? basename(argv[2]) : "";
	size_t i;

	args = argv + 3;
	for (i = 0; argc > 2 && i < sizeof(calls) / sizeof(*calls); i++)
		if (!strcmp(argv[1], calls[i].name))
			call = &calls[i];
	for (i = 0; call && i < sizeof(checks) / sizeof(*checks); i++) {
		if (!strcmp(name, checks[i].name)) {
			checks[i].run();
			return 0;
		}
	}
	fputs("usage: preload_client CALL CHECK [ARG...]\n", stderr);
	return 2;
}
