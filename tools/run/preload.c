// SPDX-License-Identifier: GPL-2.0-only
/*
 * libevfd-preload.so: replaces the C library's eventfd(), and its syscall() for the
 * numbers of eventfd and eventfd2.
 *
 * For LD_PRELOAD, which evfd-run sets. eventfd_read() and eventfd_write() only call
 * read(2) and write(2) and are not replaced. Uses policy.h; supervise.c catches the
 * calls that do not come this way.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy.h"

#define EXPORT	__attribute__((visibility("default")))

typedef long (*syscall_fn)(long number, ...);

static char program[NAME_MAX + 1];
static bool real;
static atomic_bool ready;

/* The program's syscall() without this object. */
static syscall_fn next_syscall(void)
{
	static _Atomic syscall_fn next;
	syscall_fn fn = atomic_load(&next);

	if (!fn) {
		fn = (syscall_fn)dlsym(RTLD_NEXT, "syscall");
		atomic_store(&next, fn);
	}
	return fn;
}

/*
 * Runs before main(), or in the first eventfd of another library's constructor.
 * Threads that race here store the same values.
 */
__attribute__((constructor))
static void preload_init(void)
{
	int saved = errno;

	if (!atomic_load(&ready)) {
		next_syscall();
		policy_init();
		policy_program(getpid(), program);
		real = policy_real(program);
		atomic_store(&ready, true);
	}
	errno = saved;
}

static int make(unsigned int initval, int flags, enum policy_way way)
{
	enum policy_kind kind = POLICY_EVFD;
	bool missing = false;
	int saved = errno;
	int fd = -1;

	preload_init();
	if (!real)
		fd = policy_make(initval, flags, &missing);
	if (real || (missing && policy_real_if_missing())) {
		kind = POLICY_REAL;
		fd = next_syscall()(SYS_eventfd2, initval, flags);
	}
	if (fd >= 0) {
		errno = saved;
		policy_log(kind, way, getpid(), program, fd, initval, flags);
	}
	return fd;
}

EXPORT int eventfd(unsigned int initval, int flags)
{
	return make(initval, flags, POLICY_EVENTFD);
}

EXPORT long syscall(long number, ...)
{
	long arg[6];
	va_list ap;
	int i;

	/* As the C library: always six, since their number is unknown. */
	va_start(ap, number);
	for (i = 0; i < 6; i++)
		arg[i] = va_arg(ap, long);
	va_end(ap);

	switch (number) {
#ifdef SYS_eventfd
	case SYS_eventfd:
		return make(arg[0], 0, POLICY_SYSCALL);
#endif
	case SYS_eventfd2:
		return make(arg[0], arg[1], POLICY_SYSCALL);
	}
	return next_syscall()(number, arg[0], arg[1], arg[2], arg[3], arg[4],
			      arg[5]);
}
