// SPDX-License-Identifier: GPL-2.0-only
/*
 * One counter, many descriptors: fork, dup, exec, SCM_RIGHTS, pidfd_getfd, and
 * when the counter is freed.
 *
 * Where evfd has to behave as eventfd(2) does, the test runs on both. The
 * program executes itself with the argument "child" as an unrelated process.
 * Uses evfd_pass.h and evfd_task.h.
 */
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "kselftest_harness.h"
#include "evfd_pass.h"
#include "evfd_task.h"

static int connect_to(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* The first byte stays 0: a name without a file. */
	snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, "%s", name);
	if (connect(sock, (struct sockaddr *)&addr, sizeof(addr)))
		return -errno;

	return sock;
}

/*
 * The unrelated process: adds 5 to the descriptor @what, or to one that comes over
 * the socket of that name, and then reads a second one. Exits with 0 or an errno.
 */
static int child_main(const char *how, const char *what)
{
	int fd = atoi(what), sock = -1, ret;
	uint64_t n = 0;

	if (!strcmp(how, "socket")) {
		sock = connect_to(what);
		if (sock < 0)
			return -sock;
		fd = receive_fd(sock, NULL, 0);
		if (fd < 0)
			return -fd;
	}
	ret = evfd_test_write(fd, 5);
	if (ret != 8)
		return ret < 0 ? -ret : EPROTO;
	if (strcmp(how, "socket"))
		return 0;

	/* The answer, through a second descriptor that was passed. */
	fd = receive_fd(sock, NULL, 0);
	if (fd < 0)
		return -fd;
	ret = evfd_test_read(fd, &n);
	if (ret != 8)
		return ret < 0 ? -ret : EPROTO;

	return n == 6 ? 0 : EPROTO;
}

/* Runs this program as @how @what; returns its process. */
static pid_t spawn(const char *how, const char *what)
{
	pid_t pid = fork();

	if (!pid) {
		execl("/proc/self/exe", "passing_test", "child", how, what,
		      NULL);
		_exit(99);
	}

	return pid;
}

/* The exit status of @pid, or -1 if a signal ended it. */
static int status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;

	return WEXITSTATUS(status);
}

static int spawn_with(const char *how, int fd)
{
	char what[16];

	snprintf(what, sizeof(what), "%d", fd);
	return status_of(spawn(how, what));
}

FIXTURE(passing)
{
	int fd;
};

FIXTURE_VARIANT(passing) { bool evfd; };
FIXTURE_VARIANT_ADD(passing, evfd) { .evfd = true };
FIXTURE_VARIANT_ADD(passing, eventfd) { .evfd = false };

FIXTURE_SETUP(passing)
{
	self->fd = evfd_test_make(variant->evfd, EVFD_CLOEXEC, 0);
}

FIXTURE_TEARDOWN(passing)
{
	close(self->fd);
}

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1 && p.revents == POLLIN;
}

TEST_F(passing, fork_shares_the_counter)
{
	uint64_t n = 0;
	pid_t pid;

	ASSERT_EQ(8, evfd_test_write(self->fd, 1));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(evfd_test_read(self->fd, &n) != 8 || n != 1 ||
		      evfd_test_write(self->fd, 41) != 8);
	ASSERT_EQ(0, status_of(pid));
	EXPECT_EQ(41, evfd_test_value(self->fd));
}

TEST_F(passing, the_parent_wakes_a_reader_in_the_child)
{
	uint64_t n = 0;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid)
		_exit(evfd_test_read(self->fd, &n) == 8 ? n : 0);
	ASSERT_EQ(0, evfd_test_wait_asleep(pid));
	ASSERT_EQ(8, evfd_test_write(self->fd, 17));
	EXPECT_EQ(17, status_of(pid));
	EXPECT_FALSE(is_readable(self->fd));
}

TEST_F(passing, the_child_wakes_a_writer_in_the_parent)
{
	pid_t parent = getpid(), pid;
	uint64_t n = 0;

	ASSERT_EQ(8, evfd_test_write(self->fd, evfd_test_max(variant->evfd)));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		_exit(evfd_test_wait_asleep(parent) ||
		      evfd_test_read(self->fd, &n) != 8 ||
		      n != evfd_test_max(variant->evfd));
	EXPECT_EQ(8, evfd_test_write(self->fd, 3));
	EXPECT_EQ(0, status_of(pid));
	EXPECT_EQ(3, evfd_test_value(self->fd));
}

TEST_F(passing, a_killed_reader_takes_nothing)
{
	pid_t pid = fork();
	int status;

	ASSERT_LE(0, pid);
	if (!pid)
		_exit(evfd_test_read(self->fd, NULL));
	ASSERT_EQ(0, evfd_test_wait_asleep(pid));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	ASSERT_EQ(8, evfd_test_write(self->fd, 2));
	EXPECT_EQ(2, evfd_test_value(self->fd));
}

TEST_F(passing, copies_are_the_same_counter)
{
	int copies[] = {
		dup(self->fd), dup2(self->fd, 100),
		dup3(self->fd, 101, O_CLOEXEC),
		fcntl(self->fd, F_DUPFD, 110),
		fcntl(self->fd, F_DUPFD_CLOEXEC, 120),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(copies); i++) {
		ASSERT_LE(0, copies[i]);
		ASSERT_EQ(8, evfd_test_write(copies[i], i + 1));
		EXPECT_TRUE(is_readable(self->fd));
		EXPECT_EQ(i + 1, evfd_test_value(self->fd));
	}
	/* The close of one has no effect on the others. */
	close(copies[0]);
	ASSERT_EQ(8, evfd_test_write(copies[1], 9));
	EXPECT_EQ(9, evfd_test_value(copies[4]));
	EXPECT_EQ(-EBADF, evfd_test_read(copies[0], NULL));
}

TEST_F(passing, close_on_exec_belongs_to_the_descriptor)
{
	int copy = dup(self->fd);

	ASSERT_LE(0, copy);
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->fd, F_GETFD));
	EXPECT_EQ(0, fcntl(copy, F_GETFD));
	ASSERT_EQ(0, fcntl(copy, F_SETFD, FD_CLOEXEC));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFD, 0));
	EXPECT_EQ(0, fcntl(self->fd, F_GETFD));
	EXPECT_EQ(FD_CLOEXEC, fcntl(copy, F_GETFD));
}

TEST_F(passing, nonblock_belongs_to_the_file)
{
	int copy = dup(self->fd);
	pid_t pid;

	ASSERT_LE(0, copy);
	EXPECT_EQ(O_RDWR, fcntl(self->fd, F_GETFL));
	ASSERT_EQ(0, fcntl(copy, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(O_RDWR | O_NONBLOCK, fcntl(self->fd, F_GETFL));
	EXPECT_EQ(-EAGAIN, evfd_test_read(self->fd, NULL));
	/* A child shares the flag. */
	pid = fork();
	if (!pid)
		_exit(fcntl(copy, F_SETFL, 0) != 0);
	ASSERT_EQ(0, status_of(pid));
	EXPECT_EQ(O_RDWR, fcntl(self->fd, F_GETFL));
}

TEST_F(passing, exec_keeps_what_is_not_close_on_exec)
{
	ASSERT_EQ(0, fcntl(self->fd, F_SETFD, 0));
	EXPECT_EQ(0, spawn_with("fd", self->fd));
	EXPECT_EQ(5, evfd_test_value(self->fd));
}

TEST_F(passing, exec_closes_what_is_close_on_exec)
{
	EXPECT_EQ(EBADF, spawn_with("fd", self->fd));
	EXPECT_FALSE(is_readable(self->fd));
}

TEST_F(passing, a_socket_takes_it_to_an_unrelated_process)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int answer = evfd_test_make(variant->evfd, EVFD_CLOEXEC, 0);
	char name[32];
	uint64_t n = 0;
	pid_t pid;
	int conn;

	snprintf(name, sizeof(name), "evfd-test-%d", getpid());
	snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, "%s", name);
	ASSERT_EQ(0, bind(sock, (struct sockaddr *)&addr, sizeof(addr)));
	ASSERT_EQ(0, listen(sock, 1));
	pid = spawn("socket", name);
	ASSERT_LE(0, pid);
	conn = accept(sock, NULL, NULL);
	ASSERT_LE(0, conn);
	ASSERT_EQ(0, pass_fd(conn, self->fd, 0, 0));
	/* Blocks until the other side has written. */
	EXPECT_EQ(8, evfd_test_read(self->fd, &n));
	EXPECT_EQ(5, n);
	ASSERT_EQ(0, pass_fd(conn, answer, 0, 0));
	ASSERT_EQ(8, evfd_test_write(answer, n + 1));
	EXPECT_EQ(0, status_of(pid));
	EXPECT_FALSE(is_readable(answer));
}

TEST_F(passing, it_lives_while_it_is_in_flight)
{
	int sv[2], fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	fd = evfd_test_make(variant->evfd, EVFD_NONBLOCK | EVFD_SEMAPHORE, 3);
	ASSERT_EQ(0, pass_fd(sv[0], fd, 0, 0));
	close(fd);
	fd = receive_fd(sv[1], NULL, 0);
	ASSERT_LE(0, fd);
	EXPECT_EQ(O_RDWR | O_NONBLOCK, fcntl(fd, F_GETFL));
	EXPECT_EQ(1, evfd_test_value(fd));
	EXPECT_TRUE(is_readable(fd));
	close(fd);
}

TEST_F(passing, pidfd_getfd_gets_the_same_counter)
{
	int copy = dup2(self->fd, 200), own, pidfd;
	pid_t pid;

	ASSERT_EQ(200, copy);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		pause();
		_exit(0);
	}
	/* From now on the child alone has it as 200. */
	close(copy);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	ASSERT_LE(0, pidfd);
	own = syscall(SYS_pidfd_getfd, pidfd, 200, 0);
	ASSERT_LE(0, own);
	EXPECT_EQ(FD_CLOEXEC, fcntl(own, F_GETFD));
	ASSERT_EQ(8, evfd_test_write(own, 8));
	EXPECT_EQ(8, evfd_test_value(self->fd));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST_F(passing, it_cannot_be_opened_through_proc)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
	EXPECT_EQ(-ENXIO, sysret(open(path, O_RDWR)));
}

/* A sleeping reader holds the file. */
TEST_F(passing, a_blocked_reader_survives_the_close_of_its_descriptor)
{
	int fd = evfd_test_make(variant->evfd, 0, 0);
	struct evfd_task task = { .op = evfd_task_read, .fd = fd };
	int copy = dup(fd);

	ASSERT_LE(0, copy);
	ASSERT_EQ(0, evfd_task_start(&task));
	close(fd);
	ASSERT_EQ(8, evfd_test_write(copy, 6));
	ASSERT_EQ(8, evfd_task_result(&task));
	EXPECT_EQ(6, task.value);
	close(copy);
}

/*
 * In a new pid namespace, makes a counter and sends it over @sock. Returns 0 or
 * -errno: -ENOSPC if there are too many namespaces.
 */
static int make_in_namespace(int sock)
{
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return -errno;
	pid = fork();
	if (!pid)
		_exit(pass_fd(sock, evfd_test_create(0, 0), 0, 0) ? 1 : 0);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -ECHILD;
	return WEXITSTATUS(status) ? -EIO : 0;
}

/* Returns the counter, or -errno. No task of the namespace is left then. */
static int get_from_namespace(void)
{
	int pair[2], status, fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -errno;
	/* The harness's own children would follow into it. */
	pid = fork();
	if (!pid)
		_exit(-make_in_namespace(pair[1]));
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		fd = -ECHILD;
	else if (WEXITSTATUS(status))
		fd = -WEXITSTATUS(status);
	else
		fd = receive_fd(pair[0], NULL, 0);
	close(pair[0]);
	close(pair[1]);

	return fd;
}

/* More namespaces come and go than may be there at once; the counters stay. */
TEST(a_counter_holds_nothing_of_its_creator)
{
	char old[32];
	int fds[6];
	size_t i;

	if (geteuid())
		SKIP(return, "needs root");
	ASSERT_EQ(0, evfd_test_proc("/proc/sys/user/max_pid_namespaces", "", "%31s",
				    old));
	ASSERT_EQ(0, evfd_test_put("/proc/sys/user", "max_pid_namespaces", "3"));
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		/* The kernel frees a namespace some time after its end. */
		evfd_test_until((fds[i] = get_from_namespace()) != -ENOSPC);
		if (fds[i] < 0)
			break;
	}
	ASSERT_EQ(0, evfd_test_put("/proc/sys/user", "max_pid_namespaces", old));
	ASSERT_EQ(ARRAY_SIZE(fds), i)
		TH_LOG("namespace %zu: %s", i, strerror(-fds[i]));
	while (i--)
		close(fds[i]);
}

TEST(the_last_close_frees_the_counter)
{
	int users = evfd_test_users();
	int fd = evfd_test_create(0, 0);
	uint64_t id = evfd_test_id(fd);
	int sv[2], copy;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv));
	EXPECT_EQ(users + 1, evfd_test_users());
	copy = dup(fd);
	ASSERT_LE(0, copy);
	EXPECT_EQ(id, evfd_test_id(copy));

	/* It lives as long as there is a copy, */
	close(fd);
	EXPECT_EQ(users + 1, evfd_test_users());

	/* or one on its way, */
	ASSERT_EQ(0, pass_fd(sv[0], copy, 0, 0));
	close(copy);
	EXPECT_EQ(users + 1, evfd_test_users());

	/* or one in another process. */
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		copy = receive_fd(sv[1], NULL, 0);
		_exit(kill(getpid(), SIGSTOP) || evfd_test_id(copy) != id);
	}
	ASSERT_EQ(pid, waitpid(pid, NULL, WUNTRACED));
	close(sv[0]);
	close(sv[1]);
	EXPECT_EQ(users + 1, evfd_test_users());
	ASSERT_EQ(0, kill(pid, SIGCONT));
	EXPECT_EQ(0, status_of(pid));

	EXPECT_EQ(users, evfd_test_users());
}

TEST(a_socket_that_dies_with_it_in_flight_frees_it)
{
	int users = evfd_test_users();
	int fd = evfd_test_create(0, 0), sv[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	ASSERT_EQ(0, pass_fd(sv[0], fd, 0, 0));
	close(fd);
	EXPECT_EQ(users + 1, evfd_test_users());
	close(sv[0]);
	close(sv[1]);
	EXPECT_EQ(users, evfd_test_users());
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "child"))
		return child_main(argv[2], argv[3]);

	return test_harness_run(argc, argv);
}
