// SPDX-License-Identifier: GPL-2.0-only
/* One counter, many descriptors: dup, fork, exec and SCM_RIGHTS. */
#include <sys/socket.h>

#include "tour.h"

static void send_fd(int sock, int fd)
{
	union { char buf[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } u = { 0 };
	struct iovec iov = { .iov_base = "", .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = u.buf, .msg_controllen = sizeof(u.buf) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(int));
	CALL(sendmsg(sock, &msg, 0));
}

static int receive_fd(int sock)
{
	union { char buf[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } u = { 0 };
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = u.buf, .msg_controllen = sizeof(u.buf) };
	int fd;

	CALL(recvmsg(sock, &msg, 0));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

static void child(int sock, int fd)
{
	int mine;

	tour_name("child");
	WRITE(fd, 2);
	CALL(close(fd));
	mine = receive_fd(sock);
	WRITE(mine, 3);
	/* exec closes descriptors with FD_CLOEXEC and keeps the others. */
	CALL(fcntl(mine, F_SETFD, FD_CLOEXEC));
	NOTE("exec of true");
	execl("/bin/true", "true", NULL);
}

void tour(void)
{
	int fd = EVFD(0, 0), copy, sock[2];
	pid_t pid;

	copy = CALL(dup(fd));
	WRITE(copy, 1);
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) == 0);
	CALL(close(copy));

	pid = fork();
	must(pid >= 0);
	if (!pid) {
		child(sock[1], fd);
		_exit(1);
	}
	tour_asleep(pid);
	send_fd(sock[0], fd);
	must(waitpid(pid, NULL, 0) == pid);
	NOTE("the child has ended");
	READ(fd);
	CALL(close(fd));
}
