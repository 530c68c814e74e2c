// SPDX-License-Identifier: GPL-2.0-only
/* What the preloaded object and the supervisor share, see policy.h. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sys/evfd.h>

#include "keep.h"
#include "policy.h"

/* Copies: a program may change its environment, or overwrite it. */
static char log_path[PATH_MAX];
static char fallback[PATH_MAX];

/* O_APPEND: lines of several processes do not mix. */
static struct evfd_keep log_file =
	EVFD_KEEP(log_path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY);

static void policy_copy(char to[PATH_MAX], const char *variable)
{
	const char *value = getenv(variable);

	if (value && strlen(value) < PATH_MAX)
		snprintf(to, PATH_MAX, "%s", value);
}

void policy_init(void)
{
	policy_copy(log_path, POLICY_LOG);
	policy_copy(fallback, POLICY_FALLBACK);

	/* Early, for the reasons that evfd_init() has. */
	if (*log_path)
		evfd_keep_get(&log_file, NULL);
}

void policy_program(pid_t pid, char name[NAME_MAX + 1])
{
	char link[32], path[PATH_MAX];
	char *base, *c;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	n = readlink(link, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	base = strrchr(path, '/');
	snprintf(name, NAME_MAX + 1, "%.*s", NAME_MAX, base ? base + 1 : path);

	/* It must not break a line of the log. */
	for (c = name; *c; c++)
		if (!isgraph((unsigned char)*c))
			*c = '?';
}

/* Whether @name matches a pattern of EVFD_RUN_FALLBACK, or is one. */
static bool policy_matches(const char *name, bool as_pattern)
{
	char list[PATH_MAX];
	char *pos, *item;

	snprintf(list, sizeof(list), "%s", fallback);
	for (item = strtok_r(list, ":", &pos); item;
	     item = strtok_r(NULL, ":", &pos))
		if (as_pattern ? !fnmatch(item, name, 0) : !strcmp(item, name))
			return true;
	return false;
}

bool policy_real(const char *name)
{
	return *name && policy_matches(name, true);
}

bool policy_real_if_missing(void)
{
	return policy_matches("1", false);
}

int policy_make(unsigned int initval, int flags, bool *missing)
{
	int ours = 0;
	int fd;

	*missing = false;
	if (flags & ~(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE)) {
		errno = EINVAL;
		return -1;
	}
	if (flags & EFD_CLOEXEC)
		ours |= EVFD_CLOEXEC;
	if (flags & EFD_NONBLOCK)
		ours |= EVFD_NONBLOCK;
	if (flags & EFD_SEMAPHORE)
		ours |= EVFD_SEMAPHORE;

	fd = evfd(initval, ours);
	if (fd < 0 && errno != EMFILE && errno != ENFILE && errno != ENOMEM) {
		/* As a kernel without eventfd. */
		errno = ENOSYS;
		*missing = true;
	}
	return fd;
}

void policy_log(enum policy_kind kind, enum policy_way way, pid_t pid,
		const char *name, int fd, unsigned int initval, int flags)
{
	static const char * const ways[] = { "eventfd", "syscall", "supervisor" };
	char line[128 + NAME_MAX];
	int saved = errno;
	int log, n;

	if (!*log_path)
		return;
	n = snprintf(line, sizeof(line),
		     "%s pid=%d fd=%d initval=%u flags=%#o by=%s program=%s\n",
		     kind == POLICY_EVFD ? "evfd" : "eventfd", pid, fd, initval,
		     flags, ways[way], *name ? name : "?");
	log = evfd_keep_get(&log_file, NULL);
	if (log >= 0)
		syscall(SYS_write, log, line, n);
	errno = saved;
}
