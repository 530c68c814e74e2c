// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding evfds in /proc, see proc.h.
 *
 * Processes start and end during a scan, so a missing file is no error. A
 * process whose files may not be read belongs to another user: it is counted.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/kcmp.h>
#include <linux/magic.h>

#include "base.h"
#include "proc.h"

/* PF_KTHREAD in /proc/PID/stat: has no descriptors. */
#define KERNEL_THREAD	0x00200000

/* Reads a file at once, as a string. Returns 0 or -errno. */
static int read_file(const char *path, char *text, size_t size)
{
	ssize_t n = -1;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, text, size - 1);
	if (n < 0) {
		n = -errno;
		if (fd >= 0)
			close(fd);
		*text = '\0';
		return n;
	}
	close(fd);
	text[n] = '\0';
	return 0;
}

void proc_comm(pid_t tid, char *comm, size_t size)
{
	char path[64];
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/comm", tid);
	read_file(path, comm, size);
	len = strlen(comm);
	if (len && comm[len - 1] == '\n')
		comm[len - 1] = '\0';
}

/* Whether it has no descriptors: a kernel thread or a zombie. */
static bool has_no_files(pid_t pid)
{
	char path[64], text[512], state, *p;
	unsigned int flags;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_file(path, text, sizeof(text)))
		return true;
	p = strrchr(text, ')');
	if (!p || sscanf(p, ") %c %*d %*d %*d %*d %*d %u", &state, &flags) != 2)
		return false;
	return state == 'Z' || state == 'X' || (flags & KERNEL_THREAD);
}

/* The value of "key:" in the text of a fdinfo file; false if it has none. */
static bool find_key(const char *text, const char *key, const char *format,
		     void *value)
{
	size_t len = strlen(key);

	while (text) {
		if (!strncmp(text, key, len) && text[len] == ':')
			return sscanf(text + len + 1, format, value) == 1;
		text = strchr(text, '\n');
		text += !!text;
	}
	return false;
}

int proc_link(pid_t pid, int fd, char *link, size_t size)
{
	char path[64];
	ssize_t n;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	else
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, link, size - 1);
	if (n < 0)
		return -errno;
	link[n] = '\0';
	return 0;
}

/* Reads the fdinfo of @fd of @tid. Returns 0 or -errno. */
static int read_fdinfo(struct holder *h, pid_t tid, int fd)
{
	char path[64], text[2048];
	unsigned int flags = 0, semaphore = 0;
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", tid, fd);
	ret = read_file(path, text, sizeof(text));
	if (ret)
		return ret;
	/* @fd may have become another file since its link was read. */
	if (!find_key(text, "evfd-count", "%" SCNx64, &h->count) ||
	    !find_key(text, "evfd-id", "%" SCNu64, &h->id))
		return -ENOENT;
	find_key(text, "evfd-semaphore", "%u", &semaphore);
	find_key(text, "flags", "%o", &flags);
	h->fd = fd;
	h->semaphore = semaphore;
	h->nonblock = flags & O_NONBLOCK;
	h->cloexec = flags & O_CLOEXEC;

	/* A newer module has these. */
	h->readers = UNKNOWN;
	h->writers = UNKNOWN;
	h->pollers = UNKNOWN;
	find_key(text, "evfd-readers", "%ld", &h->readers);
	find_key(text, "evfd-writers", "%ld", &h->writers);
	find_key(text, "evfd-pollers", "%ld", &h->pollers);
	return 0;
}

static void *grow(void *array, size_t n, size_t size)
{
	array = reallocarray(array, n, size);
	if (!array)
		err(error_status, NULL);
	return array;
}

static void add_holder(struct holders *holders, const struct holder *holder)
{
	if (holders->n == holders->room) {
		holders->room = holders->room ? 2 * holders->room : 64;
		holders->all = grow(holders->all, holders->room,
				    sizeof(*holders->all));
	}
	holders->all[holders->n++] = *holder;
}

/* Returns the next entry of @dir that is a number, or -1. */
static int next_number(DIR *dir)
{
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		if (*entry->d_name >= '0' && *entry->d_name <= '9')
			return atoi(entry->d_name);
	}
	return -1;
}

static DIR *open_folder(pid_t pid, const char *name)
{
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	dir = opendir(path);
	if (!dir && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		err(error_status, "%s", path);
	return dir;
}

/* Adds all evfds in the descriptor table of @tid. Returns 0 or -EACCES. */
static int scan_table(struct holders *holders, const struct wanted *wanted,
		      pid_t pid, pid_t tid)
{
	struct holder holder = { .pid = pid, .tid = tid };
	int fd, err, ret = 0;
	char link[64];
	DIR *dir;

	dir = open_folder(tid, "fd");
	if (!dir)
		return errno == EACCES || errno == EPERM ? -EACCES : 0;
	while ((fd = next_number(dir)) >= 0) {
		err = proc_link(tid, fd, link, sizeof(link));
		if (!err && strcmp(link, LINK))
			continue;
		if (!err)
			err = read_fdinfo(&holder, tid, fd);
		if (err == -EACCES || err == -EPERM)
			ret = -EACCES;
		if (err || (wanted->by_id && wanted->id != holder.id))
			continue;
		if (!*holder.comm)
			proc_comm(tid, holder.comm, sizeof(holder.comm));
		add_holder(holders, &holder);
	}
	closedir(dir);
	return ret;
}

/* Whether two threads share a descriptor table; true if that is unknown. */
static bool share_table(pid_t a, pid_t b)
{
	return syscall(SYS_kcmp, a, b, KCMP_FILES, 0, 0) <= 0;
}

/*
 * A thread may have its own table, by unshare(2). When the first thread has ended,
 * only the tables of the others are left.
 */
static void scan_process(struct holders *holders, const struct wanted *wanted,
			 pid_t pid)
{
	size_t nseen = 1, i;
	pid_t *seen;
	DIR *dir;
	int tid;

	if (scan_table(holders, wanted, pid, pid)) {
		if (!has_no_files(pid))
			holders->unreadable++;
		return;
	}
	/* A thread of each table that was scanned. */
	seen = grow(NULL, 1, sizeof(*seen));
	*seen = pid;
	dir = open_folder(pid, "task");
	while (dir && (tid = next_number(dir)) >= 0) {
		for (i = 0; i < nseen && !share_table(seen[i], tid); i++)
			;
		if (i < nseen)
			continue;
		scan_table(holders, wanted, pid, tid);
		seen = grow(seen, nseen + 1, sizeof(*seen));
		seen[nseen++] = tid;
	}
	if (dir)
		closedir(dir);
	free(seen);
}

void proc_scan(struct holders *holders, const struct wanted *wanted)
{
	struct statfs fs;
	DIR *dir;
	int pid;

	holders->n = 0;
	holders->unreadable = 0;
	if (statfs("/proc", &fs) || fs.f_type != PROC_SUPER_MAGIC)
		errx(error_status,
		     "/proc is not mounted; type: sudo mount -t proc none /proc");
	if (wanted->pid) {
		scan_process(holders, wanted, wanted->pid);
		return;
	}
	dir = opendir("/proc");
	if (!dir)
		err(error_status, "/proc");
	while ((pid = next_number(dir)) >= 0)
		scan_process(holders, wanted, pid);
	closedir(dir);
}

int proc_get(struct holder *holder, pid_t pid, int fd)
{
	char path[64], text[4096];
	int ret;

	ret = read_fdinfo(holder, pid, fd);
	if (ret)
		return ret;
	holder->tid = pid;
	holder->pid = pid;
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	read_file(path, text, sizeof(text));
	find_key(text, "Tgid", "%d", &holder->pid);
	proc_comm(pid, holder->comm, sizeof(holder->comm));
	return 0;
}
