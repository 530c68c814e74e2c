// SPDX-License-Identifier: GPL-2.0-only
/*
 * evfdctl run, add, take and wait: evfds for shell scripts.
 *
 * A script cannot call ioctl(2), nor easily write 8 bytes. So run makes an evfd
 * and starts the script; the script starts the other commands, which inherit the
 * descriptor and find its number in EVFD_FD. Uses base.h, proc.h and text.h.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/evfd.h>

#include "base.h"
#include "commands.h"
#include "proc.h"
#include "text.h"

#define VARIABLE	"EVFD_FD"
#define PAUSE		10000		/* us */

static int create(unsigned int flags, uint64_t initval)
{
	struct evfd_create arg = { .flags = flags, .initval = initval };
	int dev, fd;

	dev = open("/dev/evfd", O_RDWR | O_CLOEXEC);
	if (dev < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		err(error_status, "/dev/evfd");
	if (dev < 0)
		no_module();
	fd = ioctl(dev, EVFD_IOC_CREATE, &arg);
	/* The device is another driver's. */
	if (fd < 0 && errno == ENOTTY)
		no_module();
	if (fd < 0)
		err(error_status, "cannot make an evfd");
	close(dev);
	return fd;
}

static _Noreturn void descriptor_refused(int fd)
{
	struct rlimit limit;

	if (errno == EBADF && !getrlimit(RLIMIT_NOFILE, &limit))
		errx(error_status,
		     "--fd %d is beyond the limit of open files, which is %ju; see: ulimit -n",
		     fd, (uintmax_t)limit.rlim_cur);
	err(error_status, "--fd %d", fd);
}

int cmd_run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "fd", required_argument, NULL, 'f' },
		{ "initval", required_argument, NULL, 'i' },
		{ "nonblock", no_argument, NULL, 'n' },
		{ "semaphore", no_argument, NULL, 's' },
		{ }
	};
	unsigned int flags = 0;
	uint64_t initval = 0;
	int wanted = -1, fd, opt;
	char number[16];

	usage_status = EXIT_RUN_FAILED;
	error_status = EXIT_RUN_FAILED;
	while ((opt = getopt_long(argc, argv, "+f:i:ns", options, NULL)) !=
	       -1) {
		switch (opt) {
		case 'f':
			wanted = parse_number("--fd", optarg, 0, INT_MAX);
			break;
		case 'i':
			initval = parse_number("--initval", optarg, 0,
					       EVFD_COUNT_MAX);
			break;
		case 'n':
			flags |= EVFD_NONBLOCK;
			break;
		case 's':
			flags |= EVFD_SEMAPHORE;
			break;
		default:
			usage_end();
		}
	}
	argv += optind;
	if (!*argv || !**argv)
		usage_error("run takes a command");

	fd = create(flags, initval);
	if (wanted >= 0 && wanted != fd) {
		if (dup2(fd, wanted) < 0)
			descriptor_refused(wanted);
		close(fd);
		fd = wanted;
	}
	snprintf(number, sizeof(number), "%d", fd);
	if (setenv(VARIABLE, number, 1))
		err(error_status, VARIABLE);
	execvp(*argv, argv);
	err(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN, "%s", *argv);
}

/* The options of add, take and wait. */
struct use {
	int fd;
	int64_t timeout;	/* ns, or -1: none */
};

/* A write of 8 bytes to another file would do harm. */
static void check_fd(int fd)
{
	char link[PATH_MAX];
	int ret;

	if (fcntl(fd, F_GETFD) < 0)
		errx(error_status, "descriptor %d is not open here", fd);
	ret = proc_link(0, fd, link, sizeof(link));
	if (ret) {
		errno = -ret;
		err(error_status, "cannot see in /proc what descriptor %d is",
		    fd);
	}
	if (!strcmp(link, LINK))
		return;
	fprintf(stderr, "evfdctl: descriptor %d is not an evfd, but ", fd);
	put_text(stderr, link);
	putc('\n', stderr);
	exit(error_status);
}

static void parse_use(struct use *use, int argc, char **argv)
{
	static const struct option options[] = {
		{ "fd", required_argument, NULL, 'f' },
		{ "timeout", required_argument, NULL, 't' },
		{ }
	};
	const char *number = getenv(VARIABLE);
	int opt;

	use->fd = -1;
	use->timeout = -1;
	while ((opt = getopt_long(argc, argv, "f:t:", options, NULL)) != -1) {
		switch (opt) {
		case 'f':
			use->fd = parse_number("--fd", optarg, 0, INT_MAX);
			break;
		case 't':
			use->timeout = parse_seconds("--timeout", optarg);
			break;
		default:
			usage_end();
		}
	}
	if (use->fd < 0 && !number)
		usage_error("which evfd? Neither --fd nor " VARIABLE " is given");
	if (use->fd < 0)
		use->fd = parse_number(VARIABLE, number, 0, INT_MAX);
	check_fd(use->fd);
}

/* Waits for @events until @deadline; -1: no limit. Returns whether they came. */
static bool wait_until(int fd, short events, int64_t deadline)
{
	struct pollfd pollfd = { .fd = fd, .events = events };
	struct timespec ts;
	int64_t left;
	int ret;

	left = deadline < 0 ? 0 : deadline - now();
	if (left < 0)
		left = 0;
	ts.tv_sec = left / 1000000000;
	ts.tv_nsec = left % 1000000000;
	ret = ppoll(&pollfd, 1, deadline < 0 ? NULL : &ts, NULL);
	if (ret < 0)
		err(error_status, "poll");
	return ret;
}

/*
 * One read(2) or write(2) of @value. With a time limit it does not block, and is
 * repeated after each wakeup: another task may have been faster. Returns the exit
 * status.
 *
 * poll(2) reports room for 1 only. A write of more is repeated each PAUSE, so that
 * it does not spin while there is too little room.
 */
static int transfer(const struct use *use, bool add, uint64_t *value)
{
	struct iovec iov = { value, sizeof(*value) };
	int64_t deadline = use->timeout < 0 ? -1 : now() + use->timeout;
	int flags = use->timeout < 0 ? 0 : RWF_NOWAIT;
	ssize_t n;

	for (;;) {
		n = add ? pwritev2(use->fd, &iov, 1, -1, flags) :
			  preadv2(use->fd, &iov, 1, -1, flags);
		if (n == sizeof(*value))
			return 0;
		if (n >= 0)
			errx(error_status, "descriptor %d: %zd bytes", use->fd,
			     n);
		if (errno != EAGAIN)
			err(error_status, "descriptor %d", use->fd);
		if (!flags || now() >= deadline)
			return EXIT_NOT_READY;
		if (add && *value > 1)
			usleep(PAUSE);
		else
			wait_until(use->fd, add ? POLLOUT : POLLIN, deadline);
	}
}

int cmd_add(int argc, char **argv)
{
	uint64_t value = 1;
	struct use use;

	parse_use(&use, argc, argv);
	if (argc - optind > 1)
		usage_error("add takes one number");
	if (optind < argc)
		value = parse_number("add", argv[optind], 0, EVFD_COUNT_MAX);
	return transfer(&use, true, &value);
}

int cmd_take(int argc, char **argv)
{
	uint64_t value;
	struct use use;
	int status;

	parse_use(&use, argc, argv);
	if (optind < argc)
		usage_error("take takes no argument '%s'", argv[optind]);
	status = transfer(&use, false, &value);
	if (!status)
		printf("%" PRIu64 "\n", value);
	return status;
}

int cmd_wait(int argc, char **argv)
{
	int64_t deadline;
	struct use use;

	parse_use(&use, argc, argv);
	if (optind < argc)
		usage_error("wait takes no argument '%s'", argv[optind]);
	deadline = use.timeout < 0 ? -1 : now() + use.timeout;
	return wait_until(use.fd, POLLIN, deadline) ? 0 : EXIT_NOT_READY;
}
