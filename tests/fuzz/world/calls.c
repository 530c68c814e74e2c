// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "async.h"
#include "base.h"
#include "calls.h"

/*
 * poll and friends. With a time limit they may end in EINTR although there is
 * no signal: where io_uring is in use the kernel has things to do for a task.
 */

long poll_some(int how, int fd, int fd2, int events, int timeout)
{
	struct pollfd p[2] = { { fd, events, 0 }, { fd2, events ^ 5, 0 } };
	struct timespec ts = { 0, timeout * 1000000L };
	fd_set in, outs, except;
	struct timeval tv = { 0, timeout * 1000L };
	sigset_t mask;
	long ret;

	if (how < 2) {
		sigfillset(&mask);
		do {
			ret = how ? ppoll(p, 2, &ts, &mask) :
				    poll(p, 2, timeout);
		} while (ret < 0 && errno == EINTR);
		out(p[0].revents);
		out(p[1].revents);
		return ret;
	}
again:
	FD_ZERO(&in);
	FD_ZERO(&outs);
	FD_ZERO(&except);
	if (events & POLLIN)
		FD_SET(fd, &in);
	if (events & POLLOUT)
		FD_SET(fd, &outs);
	if (events & POLLPRI)
		FD_SET(fd, &except);
	FD_SET(fd2, &in);
	ret = select(NR_FDS, &in, &outs, &except, &tv);
	if (ret < 0 && errno == EINTR)
		goto again;
	out(FD_ISSET(fd, &in) | FD_ISSET(fd, &outs) << 1 |
	    FD_ISSET(fd, &except) << 2 | FD_ISSET(fd2, &in) << 3);

	return ret;
}

/* Waits for ever, until it is ready or a signal comes. */
long poll_until_signal(int fd, int events)
{
	struct pollfd p = { fd, events, 0 };
	long ret;

	soon();
	ret = poll(&p, 1, -1);
	done();
	out(p.revents);

	return ret;
}

long epoll_make(int slot, int flags)
{
	int fd = epoll_create1(flags);

	return fd < 0 ? fd : move_to(fd, slot);
}

long epoll_change(int op, int epfd, int fd, unsigned int events, uint64_t data)
{
	struct epoll_event e = { .events = events, .data.u64 = data };

	exclusive |= events & EPOLLEXCLUSIVE;

	return epoll_ctl(epfd, op, fd, &e);
}

long epoll_get(int epfd, int max, int timeout)
{
	struct epoll_event e[8];
	long i, n;

	do {
		n = epoll_wait(epfd, e, max, timeout);
	} while (n < 0 && errno == EINTR && timeout >= 0);
	for (i = 0; i < n; i++) {
		out(e[i].events);
		out(e[i].data.u64);
	}

	return n;
}

long epoll_until_signal(int epfd)
{
	long n;

	soon();
	n = epoll_get(epfd, 8, -1);
	done();

	return n;
}

/* Operations that block, and go on */

struct rescue {
	uint64_t val;
	int fd, reads;
};

static void *rescue_later(void *arg)
{
	struct rescue *r = arg;

	usleep(300);
	if (r->reads ? read(r->fd, &r->val, 8) : write(r->fd, &r->val, 8))
		return NULL;
	return arg;
}

/*
 * A read or a write that blocks until another thread, or a handler with
 * SA_RESTART, writes @val or reads.
 */
long blocked(int reads, int fd, char *buf, uint64_t val, int restart)
{
	struct itimerval it = { { 0, 0 }, { 0, 500 } };
	struct rescue r = { val, fd, !reads };
	sigset_t all, old;
	pthread_t thread;
	long ret;

	/* An exclusive poller would take the wake, on eventfd for good. */
	if (uring_waits() || exclusive || !blocks(fd) || !is_counter(fd) ||
	    val == UINT64_MAX)
		return SKIPPED;
	if (reads ? count_of(fd) || !val : has_room(fd, val))
		return SKIPPED;
	if (!reads && is_semaphore(fd) &&
	    (count_of(fd) != UINT64_MAX - 1 || val != 1))
		return SKIPPED;
	put(buf, val);
	if (restart) {
		handle_alarm(SA_RESTART);
		alarm_reads = !reads;
		alarm_val = val;
		alarm_fd = fd;
		setitimer(ITIMER_REAL, &it, NULL);
		ret = reads ? read(fd, buf, 8) : write(fd, buf, 8);
		handle_alarm(0);
		out(alarm_fd);
		return ret;
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&thread, NULL, rescue_later, &r))
		exit(2);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	ret = reads ? read(fd, buf, 8) : write(fd, buf, 8);
	pthread_join(thread, NULL);
	out(r.val);

	return ret;
}

/* Passing */

long pass_on(int fd, int to)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { };
	struct iovec iov = { "x", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	char byte;
	int s[2], got = -1;
	long ret;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, s))
		return -1;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	ret = sendmsg(s[0], &msg, 0);
	if (ret == 1) {
		iov.iov_base = &byte;
		msg.msg_controllen = sizeof(control);
		ret = recvmsg(s[1], &msg, 0);
		c = CMSG_FIRSTHDR(&msg);
		if (c)
			memcpy(&got, CMSG_DATA(c), sizeof(got));
	}
	if (got >= 0)
		move_to(got, to);
	close(s[0]);
	close(s[1]);

	return ret;
}

/* A child does one thing to a descriptor that it inherited. */
long in_child(int fd, uint64_t val, int reads)
{
	int status = 0;
	ssize_t n;
	pid_t pid;

	/* A child of ours would share the mapping of the ring. */
	pid = fork();
	if (!pid) {
		handle_alarm(0);
		soon();
		n = reads ? read(fd, &val, 8) : write(fd, &val, 8);
		_exit(n < 0 ? errno : 200 + n);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;

	return status;
}

/* Other calls on a descriptor */

long show_fdinfo(int fd)
{
	char text[512], kept[512], *line, *next;
	size_t len = 0, skip;

	if (fdinfo_text(fd, text, sizeof(text)))
		return -1;
	for (line = text; *line; line = next) {
		next = strchr(line, '\n');
		next = next ? next + 1 : line + strlen(line);
		skip = !strncmp(line, "evfd-", 5) ? 5 :
		       !strncmp(line, "eventfd-", 8) ? 8 : 0;
		/* Locks have pids; a number is a counter's own. */
		if (!strncmp(line, "lock:", 5) ||
		    (skip && !strncmp(line + skip, "id:", 3)))
			continue;
		/* evfd tells more than eventfd. */
		if (skip == 5 && strncmp(line + 5, "count:", 6) &&
		    strncmp(line + 5, "semaphore:", 10))
			continue;
		if (skip && eventfd_traits.no_semaphore_line &&
		    !strncmp(line + skip, "semaphore:", 10))
			continue;
		memcpy(kept + len, line + skip, next - line - skip);
		len += next - line - skip;
	}
	kept[len] = '\0';
	out_text(kept);

	return 0;
}

long show_link(int fd)
{
	char path[40], name[64] = "";
	long ret;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = readlink(path, name, sizeof(name) - 1);
	if (ret < 0)
		return ret;
	out_text(strcmp(name, is_evfd ? "anon_inode:[evfd]" :
			"anon_inode:[eventfd]") ? name : "anon_inode:[counter]");

	return 0;
}

/* The inode is every anonymous file's, so its times are. */
long show_stat(int fd)
{
	struct stat st = { };
	long ret = fstat(fd, &st);

	out(st.st_mode);
	out(st.st_nlink);
	out(st.st_size);
	out(st.st_blksize);
	out(st.st_blocks);
	out(st.st_rdev);
	out(st.st_uid);
	out(st.st_gid);

	return ret;
}

long reopen(int fd, int flags)
{
	char path[40];
	int again;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags);
	if (again >= 0)
		close(again);

	return again;
}

long map_it(int fd, int prot, int flags)
{
	void *map = mmap(NULL, PAGE, prot, flags, fd, 0);

	if (map == MAP_FAILED)
		return -1;
	munmap(map, PAGE);

	return 0;
}

/* Through a pipe that holds 16 bytes: a 1 and a 2. */
long splice_it(int fd, int how, size_t len, int flags)
{
	uint64_t n[2] = { 1, 2 };
	int p[2], err;
	long ret;

	if (pipe2(p, O_NONBLOCK))
		return -1;
	if (write(p[1], n, sizeof(n)) != sizeof(n))
		exit(2);
	soon();
	switch (how) {
	case 0:
		ret = splice(fd, NULL, p[1], NULL, len, flags);
		break;
	case 1:
		ret = splice(p[0], NULL, fd, NULL, len, flags);
		break;
	case 2:
		ret = tee(p[0], fd, len, flags);
		break;
	case 3:
		ret = tee(fd, p[1], len, flags);
		break;
	default:
		ret = vmsplice(fd, &(struct iovec){ n, len % 17 }, 1, flags);
	}
	done();
	err = errno;
	close(p[0]);
	close(p[1]);
	errno = err;

	return ret;
}

/* From and to a file that begins with the numbers 1, 2, 3 and so on. */
long copy_it(int fd, int how, size_t len)
{
	off_t offset = 8;
	loff_t loffset = 8;
	long ret;

	soon();
	switch (how) {
	case 0:
		ret = sendfile(fd, PLAIN_FILE, &offset, len);
		break;
	case 1:
		ret = sendfile(PLAIN_FILE, fd, NULL, len);
		break;
	case 2:
		ret = copy_file_range(fd, NULL, PLAIN_FILE, &loffset, len, 0);
		break;
	default:
		ret = copy_file_range(PLAIN_FILE, &loffset, fd, NULL, len, 0);
	}
	done();
	out(offset);
	out(loffset);

	return ret;
}

long lock_it(int fd, int cmd, int type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_len = 1 };
	long ret = fcntl(fd, cmd, &lock);

	out(lock.l_type);

	return ret;
}

long own_it(int fd, int cmd, int mine)
{
	long ret = fcntl(fd, cmd, mine ? getpid() : 0);

	/* A pid is the same in no two worlds. */
	return cmd == F_GETOWN && ret == getpid() ? 4711 : ret;
}

long dup_it(int fd, int cmd)
{
	int copy = fcntl(fd, cmd, 50);
	long flags;

	if (copy < 0)
		return copy;
	flags = fcntl(copy, F_GETFD);
	close(copy);
	out(flags);

	return copy;
}

/* ioctls with a number behind the pointer */
long ioctl_it(int fd, unsigned long cmd, int arg)
{
	int n[16] = { arg };
	long ret = ioctl(fd, cmd, n);

	out(n[0]);

	return ret;
}

/*
 * A read that must fault. The count before and after: eventfd may have lost
 * what evfd has to keep.
 */
long fault_read(int how, int fd, const struct iovec *iov, int n)
{
	uint64_t before = count_of(fd);
	char text[64];
	long ret = -1;
	int err;

	if (!before || uring_waits())
		return SKIPPED;
	switch (how) {
	case 0:
		ret = read(fd, iov[0].iov_base, iov[0].iov_len);
		break;
	case 1:
		ret = readv(fd, iov, n);
		break;
	case 2:
		ret = syscall(SYS_preadv2, fd, iov, n, -1L, -1L, RWF_NOWAIT);
		break;
	case 3:
		ret = aio_call(IOCB_CMD_PREAD, fd, iov[0].iov_base,
			       iov[0].iov_len, 0, -1, 0);
		break;
	case 4:
		ret = uring_rw(IORING_OP_READV, fd, iov, n, 0, 0, 0, 1);
		break;
	default:
		ret = uring_rw(IORING_OP_READ, fd, iov[0].iov_base,
			       iov[0].iov_len, 0, 0, 0, 1);
	}
	err = errno;
	snprintf(text, sizeof(text), "%llx then %llx",
		 (unsigned long long)before, (unsigned long long)count_of(fd));
	out_text(text);
	errno = err;

	return ret;
}
