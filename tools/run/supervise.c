// SPDX-License-Identifier: GPL-2.0-only
/*
 * The supervisor: gives evfds to programs that make the system call themselves.
 *
 * A seccomp filter turns eventfd and eventfd2 into notifications. The supervisor, a
 * process of its own, answers them: it makes an evfd, adds it to the caller with
 * SECCOMP_IOCTL_NOTIF_ADDFD, and closes its own descriptor before the caller goes
 * on. SECCOMP_ADDFD_FLAG_SEND would save a call, but then the caller could run
 * while the supervisor has the file open, and a close() of the caller would not
 * be the last.
 *
 * The callers are not trusted. Of a notification only the id and the registers are
 * used, never memory of the caller. No state of a caller is kept between calls,
 * and each wait for one has a limit. The supervisor has the rights of the user that
 * started it, and only CAP_SYS_PTRACE allows to read its memory.
 *
 * Uses policy.h. tools/run/README.md is the manual.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy.h"
#include "supervise.h"

/*
 * How long a caller may take to accept its descriptor. Only a task without CPU time
 * needs longer than the first limit. A helper process then waits for it, up to the
 * second limit, while the supervisor serves others.
 */
#define PATIENCE_US	100000
#define LAST_PATIENCE_US	2000000

/* The most helpers at a time. */
#define MAX_HELPERS	64

/* The system calls that make eventfds, of each ABI. */
static const struct supervised {
	uint32_t arch;
	uint32_t number;
	bool has_flags;
} supervised[] = {
#if defined(__x86_64__)
	{ AUDIT_ARCH_X86_64, 290, true },
	{ AUDIT_ARCH_X86_64, 284, false },
	{ AUDIT_ARCH_X86_64, 290 | 0x40000000, true },	/* x32 */
	{ AUDIT_ARCH_X86_64, 284 | 0x40000000, false },
	{ AUDIT_ARCH_I386, 328, true },
	{ AUDIT_ARCH_I386, 323, false },
#elif defined(__aarch64__)
	{ AUDIT_ARCH_AARCH64, 19, true },
	{ AUDIT_ARCH_ARM, 356, true },
	{ AUDIT_ARCH_ARM, 351, false },
#endif
};

#define N_SUPERVISED	(sizeof(supervised) / sizeof(*supervised))
#define INSNS_EACH	5

/* Installs the filter. Returns the descriptor that notifications come from. */
static int install(void)
{
	const unsigned int flags = SECCOMP_FILTER_FLAG_NEW_LISTENER |
				   SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	struct sock_filter code[N_SUPERVISED * INSNS_EACH + 1];
	struct sock_fprog prog = { .filter = code };
	struct sock_filter *pc = code;
	int fd;
	size_t i;

	for (i = 0; i < N_SUPERVISED; i++) {
		const struct sock_filter entry[INSNS_EACH] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
				 offsetof(struct seccomp_data, arch)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
				 supervised[i].arch, 0, 3),
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
				 offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
				 supervised[i].number, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		};

		memcpy(pc, entry, sizeof(entry));
		pc += INSNS_EACH;
	}
	*pc++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
					     SECCOMP_RET_ALLOW);
	prog.len = pc - code;

	/* First without no_new_privs, which would disable setuid programs. */
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
	if (fd < 0 && errno == EACCES &&
	    !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags,
			     &prog);
	return fd;
}

static void interrupt(int sig)
{
	(void)sig;
}

/* Interrupts a system call after @us; 0: no limit. */
static void limit_time(unsigned int us)
{
	/* Repeated: the first one may come before the wait begins. */
	const struct timeval tv = { us / 1000000, us % 1000000 };
	const struct itimerval it = { tv, tv };

	setitimer(ITIMER_REAL, &it, NULL);
}

/* Adds the descriptor to the caller. Returns its number, or -errno. */
static int add_fd(int notify, struct seccomp_notif_addfd *add, unsigned int us)
{
	int ret;

	limit_time(us);
	ret = ioctl(notify, SECCOMP_IOCTL_NOTIF_ADDFD, add);
	if (ret < 0)
		ret = -errno;
	limit_time(0);
	return ret;
}

/*
 * Forks a helper for the current caller. Returns 0 in the helper, its pid in the
 * supervisor, or -1 if there are too many.
 */
static pid_t start_helper(void)
{
	static int helpers;
	pid_t pid;

	while (helpers && waitpid(-1, NULL, WNOHANG) > 0)
		helpers--;
	if (helpers == MAX_HELPERS)
		return -1;
	pid = fork();
	if (pid > 0)
		helpers++;
	return pid;
}

/*
 * Adds @fd to the caller. Returns its number there, or -errno. *@helper is 0 in a
 * helper, the helper's pid if there is one, else -1.
 */
static int give(int notify, uint64_t id, int fd, int flags, pid_t *helper)
{
	struct seccomp_notif_addfd add = {
		.id = id,
		.srcfd = fd,
		.newfd_flags = flags,
	};
	int ret;

	*helper = -1;
	ret = add_fd(notify, &add, PATIENCE_US);
	if (ret == -EINTR) {
		*helper = start_helper();
		if (!*helper)
			ret = add_fd(notify, &add, LAST_PATIENCE_US);
	}
	/* The closest of eventfd's errors. */
	return ret == -EINTR ? -ENOMEM : ret;
}

/* Stores the flags of a call in @flags. Returns whether it makes an eventfd. */
static bool decode(const struct seccomp_data *data, int *flags)
{
	size_t i;

	for (i = 0; i < N_SUPERVISED; i++) {
		if (data->arch == supervised[i].arch &&
		    (uint32_t)data->nr == supervised[i].number) {
			*flags = supervised[i].has_flags ? data->args[1] : 0;
			return true;
		}
	}
	return false;
}

/* The process of the thread @tid. */
static pid_t process_of(pid_t tid)
{
	char path[32], line[128];
	pid_t pid = tid;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	f = fopen(path, "re");
	if (!f)
		return tid;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Tgid: %d", &pid) == 1)
			break;
	fclose(f);
	return pid;
}

/* Fills in @resp, and gives the caller an evfd. Returns *@helper of give(), or -1. */
static pid_t answer(int notify, const struct seccomp_notif *req,
		    struct seccomp_notif_resp *resp)
{
	unsigned int initval = req->data.args[0];
	pid_t pid = process_of(req->pid);
	char name[NAME_MAX + 1];
	bool missing, real;
	int flags, fd, ret;
	pid_t helper;

	policy_program(pid, name);
	/* If the caller has ended, @pid may be another process by now. */
	if (ioctl(notify, SECCOMP_IOCTL_NOTIF_ID_VALID, &req->id))
		*name = '\0';

	if (!decode(&req->data, &flags)) {
		resp->error = -ENOSYS;
		return -1;
	}

	real = policy_real(name);
	fd = real ? -1 : policy_make(initval, flags, &missing);
	if (real || (fd < 0 && missing && policy_real_if_missing())) {
		/* The caller's own call goes on; its descriptor is not known. */
		resp->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		policy_log(POLICY_REAL, POLICY_SUPERVISOR, pid, name, -1,
			   initval, flags);
		return -1;
	}
	if (fd < 0) {
		resp->error = -errno;
		return -1;
	}

	ret = give(notify, req->id, fd, flags & O_CLOEXEC, &helper);
	close(fd);
	if (helper > 0)
		return helper;
	if (ret < 0) {
		resp->error = ret;
		return helper;
	}
	resp->val = ret;
	policy_log(POLICY_EVFD, POLICY_SUPERVISOR, pid, name, ret, initval,
		   flags);
	return helper;
}

/* Answers until no caller is left. */
static void serve(int notify)
{
	struct seccomp_notif_sizes sizes;
	struct seccomp_notif_resp *resp;
	struct seccomp_notif *req;
	size_t req_size, resp_size;
	pid_t helper;

	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes))
		return;
	req_size = sizes.seccomp_notif > sizeof(*req) ?
		   sizes.seccomp_notif : sizeof(*req);
	resp_size = sizes.seccomp_notif_resp > sizeof(*resp) ?
		    sizes.seccomp_notif_resp : sizeof(*resp);
	req = malloc(req_size);
	resp = malloc(resp_size);
	if (!req || !resp)
		return;

	for (;;) {
		struct pollfd pfd = { .fd = notify, .events = POLLIN };

		if (poll(&pfd, 1, -1) < 0)
			continue;
		if (!(pfd.revents & POLLIN))
			return;

		/* It fails if the caller is gone. */
		memset(req, 0, req_size);
		if (ioctl(notify, SECCOMP_IOCTL_NOTIF_RECV, req))
			continue;
		memset(resp, 0, resp_size);
		resp->id = req->id;
		helper = answer(notify, req, resp);
		if (helper > 0)
			continue;
		ioctl(notify, SECCOMP_IOCTL_NOTIF_SEND, resp);
		if (!helper)
			_exit(0);
	}
}

/* Passes @fd through @sock. Returns whether that worked. */
static bool send_fd(int sock, int fd)
{
	union {
		char buf[CMSG_SPACE(sizeof(fd))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = "", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	return sendmsg(sock, &msg, MSG_NOSIGNAL) == 1;
}

static int receive_fd(int sock)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != 1)
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

/*
 * The supervisor's whole run. It keeps no resource of the program, not even its
 * folder or its terminal.
 */
static void become_supervisor(int sock)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM,
				       SIGPIPE, SIGTSTP, SIGXFSZ };
	struct sigaction alarm = { .sa_handler = interrupt };
	struct rlimit limit;
	int notify, null, fd, i;
	sigset_t none;
	bool missing;

	notify = receive_fd(sock);
	if (notify < 0)
		return;

	setsid();
	prctl(PR_SET_NAME, "evfd-supervisor");
	prctl(PR_SET_DUMPABLE, 0);
	for (i = 0; i < (int)(sizeof(ignored) / sizeof(*ignored)); i++)
		signal(ignored[i], SIG_IGN);
	sigaction(SIGALRM, &alarm, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (chdir("/"))
		return;

	/* Keep two descriptors, as 3 and 4; libevfd opens its own again. */
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	notify = fcntl(notify, F_DUPFD_CLOEXEC, 5);
	sock = fcntl(sock, F_DUPFD_CLOEXEC, 5);
	if (null < 0 || notify < 0 || sock < 0)
		return;
	for (i = 0; i < 3; i++)
		dup2(null, i);
	if (dup3(notify, 3, O_CLOEXEC) < 0 || dup3(sock, 4, O_CLOEXEC) < 0)
		return;
	notify = 3;
	sock = 4;
	syscall(SYS_close_range, 5, ~0U, 0);
	policy_init();
	fd = policy_make(0, 0, &missing);
	if (fd < 0 && !missing)
		return;
	close(fd);

	/* From here on the program may run. */
	if (write(sock, "", 1) != 1)
		return;
	close(sock);
	serve(notify);
}

const char *supervise(void)
{
	int sock[2], notify, saved;
	char byte;
	pid_t pid;

	if (!N_SUPERVISED) {
		errno = ENOTSUP;
		return "supervising programs of this architecture";
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return "socketpair";

	/* Twice, so that the supervisor is no child of the program. */
	pid = fork();
	if (pid < 0)
		return "fork";
	if (!pid) {
		close(sock[0]);
		pid = fork();
		if (pid)
			_exit(pid < 0);
		become_supervisor(sock[1]);
		_exit(1);
	}
	close(sock[1]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;

	notify = install();
	if (notify < 0)
		return errno == EBUSY ?
		       "seccomp (is it under a supervisor already?)" : "seccomp";
	if (!send_fd(sock[0], notify))
		return "sendmsg";
	/* Wait until it is served: before that its calls would fail. */
	saved = read(sock[0], &byte, 1) == 1 ? 0 : ECHILD;
	close(notify);
	close(sock[0]);
	errno = saved;
	return saved ? "the supervisor" : NULL;
}
