// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two unrelated processes share memory and wake each other by two counters.
 *
 *	05-strangers server PATH
 *	05-strangers client PATH
 *
 * The server makes the memory and two counters and sends their descriptors over
 * the Unix socket PATH (SCM_RIGHTS), then closes the socket. Text goes through
 * the memory, and a write to a counter tells the other process to read it. Without
 * arguments the program starts a server and a client. Look at the order of the
 * lines: the two take turns, synchronized by the counters alone.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "demo.h"

struct shared {
	char request[64];
	char reply[64];
};

enum { MEMORY, TO_SERVER, TO_CLIENT, NR_FDS };

union control {
	char buf[CMSG_SPACE(NR_FDS * sizeof(int))];
	struct cmsghdr align;
};

static void send_fds(int sock, const int *fds)
{
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	union control control = { 0 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(NR_FDS * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, NR_FDS * sizeof(int));
	must(sendmsg(sock, &msg, 0) == 1);
}

static void receive_fds(int sock, int *fds)
{
	char byte;
	struct iovec iov = { &byte, 1 };
	union control control;
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	must(recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) == 1);
	cmsg = CMSG_FIRSTHDR(&msg);
	must(cmsg && cmsg->cmsg_type == SCM_RIGHTS);
	must(cmsg->cmsg_len == CMSG_LEN(NR_FDS * sizeof(int)));
	memcpy(fds, CMSG_DATA(cmsg), NR_FDS * sizeof(int));
}

static struct shared *map(int fd)
{
	struct shared *mem = mmap(NULL, sizeof(*mem), PROT_READ | PROT_WRITE,
				  MAP_SHARED, fd, 0);

	must(mem != MAP_FAILED);
	return mem;
}

static void kick(int fd)
{
	uint64_t n = 1;

	must(write(fd, &n, sizeof(n)) == sizeof(n));
}

static void wait_for_kick(int fd)
{
	uint64_t n;

	must(read(fd, &n, sizeof(n)) == sizeof(n));
	must(n == 1);
}

static void upper_case(char *to, const char *from)
{
	do {
		*to++ = toupper((unsigned char)*from);
	} while (*from++);
}

static int serve(int sock, const struct sockaddr_un *addr)
{
	int fds[NR_FDS] = {
		[MEMORY] = memfd_create("strangers", MFD_CLOEXEC),
		[TO_SERVER] = evfd(0, EVFD_CLOEXEC),
		[TO_CLIENT] = evfd(0, EVFD_CLOEXEC),
	};
	struct shared *mem;
	int peer;

	must(fds[MEMORY] >= 0 && fds[TO_SERVER] >= 0 && fds[TO_CLIENT] >= 0);
	must(ftruncate(fds[MEMORY], sizeof(*mem)) == 0);
	mem = map(fds[MEMORY]);

	must(bind(sock, (const struct sockaddr *)addr, sizeof(*addr)) == 0);
	must(listen(sock, 1) == 0);
	peer = accept(sock, NULL, NULL);
	must(peer >= 0);
	printf("server: sends a memfd and two counters\n");
	send_fds(peer, fds);
	close(peer);
	close(sock);
	unlink(addr->sun_path);

	for (;;) {
		wait_for_kick(fds[TO_SERVER]);
		if (!*mem->request)
			break;
		printf("server: kicked, reads \"%s\"\n", mem->request);
		upper_case(mem->reply, mem->request);
		kick(fds[TO_CLIENT]);
	}
	printf("server: kicked, reads nothing: ends\n");

	return 0;
}

static int call(int sock, const struct sockaddr_un *addr)
{
	static const char *const texts[] = { "hello", "anybody there?", "bye" };
	struct timespec pause = { 0, 10 * 1000000 };
	struct shared *mem;
	char expected[64];
	int fds[NR_FDS];
	size_t i;

	/* The server may be still about to listen. */
	while (connect(sock, (const struct sockaddr *)addr, sizeof(*addr))) {
		must(errno == ENOENT || errno == ECONNREFUSED);
		nanosleep(&pause, NULL);
	}
	receive_fds(sock, fds);
	close(sock);
	mem = map(fds[MEMORY]);

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		printf("client: writes \"%s\", kicks\n", texts[i]);
		snprintf(mem->request, sizeof(mem->request), "%s", texts[i]);
		kick(fds[TO_SERVER]);

		wait_for_kick(fds[TO_CLIENT]);
		printf("client: kicked, reads \"%s\"\n", mem->reply);
		upper_case(expected, texts[i]);
		must(strcmp(mem->reply, expected) == 0);
	}
	printf("client: ends\n");
	mem->request[0] = '\0';
	kick(fds[TO_SERVER]);

	return 0;
}

static pid_t start(const char *role, const char *path)
{
	pid_t pid = fork();

	must(pid >= 0);
	if (!pid) {
		execl("/proc/self/exe", "05-strangers", role, path, NULL);
		must(!"exec");
	}

	return pid;
}

static int start_both(void)
{
	char dir[] = "/tmp/evfd-XXXXXX", path[64];
	pid_t pids[2];
	int status, failed = 0;
	int i;

	must(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	pids[0] = start("server", path);
	pids[1] = start("client", path);

	for (i = 0; i < 2; i++) {
		pid_t pid = wait(&status);

		must(pid > 0);
		if (status && !failed++)
			kill(pids[pid == pids[0]], SIGTERM);
	}
	unlink(path);
	must(rmdir(dir) == 0);

	return !!failed;
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock, is_server;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 1)
		return start_both();

	is_server = argc == 3 && !strcmp(argv[1], "server");
	if (argc != 3 || (!is_server && strcmp(argv[1], "client")) ||
	    strlen(argv[2]) >= sizeof(addr.sun_path)) {
		fprintf(stderr, "usage: %s [server PATH | client PATH]\n",
			argv[0]);
		return 2;
	}

	memcpy(addr.sun_path, argv[2], strlen(argv[2]));
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(sock >= 0);

	return is_server ? serve(sock, &addr) : call(sock, &addr);
}
