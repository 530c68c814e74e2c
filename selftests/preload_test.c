// SPDX-License-Identifier: GPL-2.0-only
/*
 * evfd-run: programs written for eventfd(2) get evfds from it, in each of its
 * ways, and see no difference but the name; the log is right; and a hostile program
 * does no harm.
 *
 * preload_client.c is these programs: it checks what they see. This file starts
 * them and reads the log. Needs the C library's shared objects, and so the host's
 * root. Uses evfd_shell.h.
 */
#include <libgen.h>
#include <limits.h>
#include <regex.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "kselftest_harness.h"
#include "evfd_shell.h"
#include "evfd_test.h"

#define CANNOT	125	/* evfd-run's own failures */

static char dir[PATH_MAX];
static char log_path[64];

/* There is no ld.so, as in the initramfs, and so nothing to preload into. */
static bool static_world;

/*
 * A command in which $run is evfd-run with a log, $object what it preloads, $dyn
 * the client in the folder $dir.
 */
#define run(...)	(truncate(log_path, 0), shell_run(__VA_ARGS__))

#define EVFD		"anon_inode:[evfd]\n"
#define EVENTFD		"anon_inode:[eventfd]\n"

/* @command succeeds and prints @text. */
#define EXPECT_PRINTS(text, command)			\
	do {						\
		EXPECT_EQ(0, command);			\
		EXPECT_STREQ(text, shell_output);	\
	} while (0)

/* How many lines of the log match the extended regular expression. */
static int count_log(const char *expression)
{
	char line[512];
	int count = 0;
	regex_t re;
	FILE *f;

	if (regcomp(&re, expression, REG_EXTENDED | REG_NOSUB))
		return -1;
	f = fopen(log_path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		count += !regexec(&re, line, 0, NULL, 0);
	}
	if (f)
		fclose(f);
	regfree(&re);
	return count;
}

/* The environment of the commands, for all tests. */
__attribute__((constructor))
static void set_environment(void)
{
	char path[2 * PATH_MAX];
	ssize_t n;

	n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	dir[n < 0 ? 0 : n] = '\0';
	dirname(dir);
	setenv("dir", dir, 1);
	snprintf(path, sizeof(path), "%s/preload_client", dir);
	setenv("dyn", path, 1);
	setenv("run", EVFD_RUN, 1);
	snprintf(path, sizeof(path), "%s/libevfd-preload.so",
		 dirname(strdupa(EVFD_RUN)));
	setenv("object", path, 1);
	unsetenv("EVFD_RUN_FALLBACK");
	unsetenv("LD_PRELOAD");

	static_world = !access(getenv("dyn"), X_OK) &&
		       run("$dyn function kind 2>/dev/null") == 127;
}

static void set_up(struct __test_metadata *_metadata)
{
	int fd;

	snprintf(log_path, sizeof(log_path), "/tmp/evfd-log-XXXXXX");
	fd = mkstemp(log_path);
	ASSERT_LE(0, fd);
	fchmod(fd, 0666);
	close(fd);
	setenv("EVFD_RUN_LOG", log_path, 1);
	if (static_world)
		SKIP(return, "needs shared objects: use --root host");
	ASSERT_EQ(0, access(EVFD_RUN, X_OK))
		TH_LOG("no " EVFD_RUN "; type: make -C selftests");
}

FIXTURE(drop_in) { int unused; };

FIXTURE_VARIANT(drop_in) {
	const char *options;	/* of evfd-run */
	const char *client;	/* which program */
	const char *call;	/* how it makes eventfds */
	const char *by;		/* the log's word for that */
};

FIXTURE_VARIANT_ADD(drop_in, preload) { "", "preload_client", "function", "eventfd" };
FIXTURE_VARIANT_ADD(drop_in, preload_syscall) {
	"--preload", "preload_client", "syscall", "syscall",
};

FIXTURE_VARIANT_ADD(drop_in, preload_syscall1) {
	"--preload", "preload_client", "syscall1", "syscall",
};

FIXTURE_VARIANT_ADD(drop_in, supervise_raw) { "-s", "preload_client", "raw", "supervisor" };
FIXTURE_VARIANT_ADD(drop_in, static_raw) { "", "preload_client_static", "raw", "supervisor" };
FIXTURE_VARIANT_ADD(drop_in, static_raw1) { "", "preload_client_static", "raw1", "supervisor" };

FIXTURE_SETUP(drop_in)
{
	set_up(_metadata);
}

FIXTURE_TEARDOWN(drop_in)
{
	unlink(log_path);
}

/* Runs the variant's program with @check, which has to succeed. */
#define client(check) \
	run("exec $run %s $dir/%s %s %s", variant->options, variant->client, \
	    variant->call, check)

/* How many evfds the log says were made, as they should be. */
static int made(const char *by)
{
	char expression[256];

	snprintf(expression, sizeof(expression),
		 "^evfd pid=[0-9]+ fd=[0-9]+ initval=[0-9]+ flags=[0-7]+ by=%s program=preload_client",
		 by);
	return count_log(expression);
}

TEST_F(drop_in, kind)
{
	EXPECT_PRINTS(EVFD, client("kind"));
	EXPECT_EQ(1, made(variant->by));
	EXPECT_EQ(1, count_log(""));

	/* Without evfd-run it is an eventfd. */
	EXPECT_PRINTS(EVENTFD, run("$dir/%s %s kind", variant->client, variant->call));
}

TEST_F(drop_in, flags)
{
	EXPECT_EQ(0, client("flags"));
	EXPECT_EQ(strchr(variant->call, '1') ? 1 : 8, made(variant->by));
	EXPECT_EQ(0, run("$dir/%s %s flags", variant->client, variant->call));
}

TEST_F(drop_in, bad_flags)
{
	EXPECT_EQ(0, client("bad_flags"));
	EXPECT_EQ(0, count_log(""));
	EXPECT_EQ(0, run("$dir/%s %s bad_flags", variant->client,
			 variant->call));
}

TEST_F(drop_in, limit)
{
	EXPECT_EQ(0, client("limit"));
	EXPECT_EQ(0, run("$dir/%s %s limit", variant->client, variant->call));
}

/* Each is in the log, however the program ends. */
TEST_F(drop_in, die)
{
	EXPECT_EQ(0, client("die 5"));
	EXPECT_EQ(5, made(variant->by));
	EXPECT_EQ(128 + SIGKILL, client("die 7 kill"));
	EXPECT_EQ(7, made(variant->by));
}

TEST_F(drop_in, children)
{
	EXPECT_EQ(0, client("children"));
	EXPECT_EQ(strchr(variant->call, '1') ? 4 : 32, made(variant->by));
}

/* The same with many calls, one way in the program and one from outside it. */
FIXTURE(under_load) { int unused; };

/* As above. */
FIXTURE_VARIANT(under_load) { const char *options, *client, *call, *by; };
FIXTURE_VARIANT_ADD(under_load, preload) { "", "preload_client", "function", "eventfd" };
FIXTURE_VARIANT_ADD(under_load, static_raw) { "", "preload_client_static", "raw", "supervisor" };

FIXTURE_SETUP(under_load)
{
	set_up(_metadata);
}

FIXTURE_TEARDOWN(under_load)
{
	unlink(log_path);
}

TEST_F(under_load, close)
{
	EXPECT_EQ(0, client("close"));
	EXPECT_EQ(100, made(variant->by));
}

TEST_F(under_load, threads)
{
	EXPECT_EQ(0, client("threads"));
	EXPECT_EQ(400, made(variant->by));
	EXPECT_EQ(400, count_log(""));
}

TEST_F(under_load, signals)
{
	EXPECT_EQ(0, client("signals"));
	EXPECT_EQ(100, made(variant->by));
}

TEST_F(under_load, killed)
{
	EXPECT_EQ(0, client("killed"));
}

TEST_F(under_load, hoard)
{
	EXPECT_EQ(0, client("hoard"));
}

FIXTURE(evfd_run) { int unused; };

FIXTURE_SETUP(evfd_run)
{
	set_up(_metadata);
}

FIXTURE_TEARDOWN(evfd_run)
{
	unlink(log_path);
}

TEST_F(evfd_run, usage)
{
	static const struct {
		const char *arguments, *says;
	} wrong[] = {
		{ "", "which program" },
		{ "-p", "which program" },
		{ "--supervise", "which program" },
		{ "--", "which program" },
		{ "''", "which program" },
		{ "-p ''", "which program" },
		{ "--nonsense true", "'--nonsense'" },
		{ "-x true", "'x'" },
		{ "--preload=x true", "doesn't allow an argument" },
		{ "--preload --supervise true", "not both" },
		{ "-s -p true", "not both" },
		{ "-sp true", "not both" },
	};
	size_t i;

	EXPECT_EQ(0, run("$run --help"));
	EXPECT_NE(NULL, strstr(shell_output, "EVFD_RUN_LOG"));
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(CANNOT, run("$run %s 2>&1", wrong[i].arguments));
		EXPECT_EQ(0, strncmp(shell_output, "evfd-run: ", 10));
		EXPECT_NE(NULL, strstr(shell_output, wrong[i].says))
			TH_LOG("%s: %s", wrong[i].arguments, shell_output);
		EXPECT_NE(NULL, strstr(shell_output, "\nType: evfd-run --help\n"));
	}
}

TEST_F(evfd_run, status)
{
	static const char * const options[] = { "", "-p", "-s" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		const char *o = options[i];

		EXPECT_EQ(7, run("exec $run %s sh -c 'exit 7'", o));
		EXPECT_EQ(128 + SIGTERM, run("exec $run %s sh -c 'kill $$'", o));
		EXPECT_EQ(127, run("$run %s /no/such 2>&1", o));
		EXPECT_EQ(127, run("$run %s no-such 2>&1", o));
		EXPECT_EQ(126, run("$run %s /etc/passwd 2>&1", o));
		EXPECT_EQ(126, run("$run %s / 2>&1", o));
		/* The process is the same, and the arguments are. */
		EXPECT_EQ(0, run("$run %s echo -s -- 'a  b'", o));
		EXPECT_STREQ("-s -- a  b\n", shell_output);
		EXPECT_EQ(0, run("echo $$; exec $run %s sh -c 'echo $$'", o));
		EXPECT_EQ(atoi(shell_output), atoi(strchrnul(shell_output, '\n')));
	}
}

TEST_F(evfd_run, syscall_is_as_before)
{
	EXPECT_EQ(0, run("$run -p $dyn syscall syscall"));
	EXPECT_EQ(0, run("$run -s $dyn syscall syscall"));
	EXPECT_EQ(0, count_log(""));
}

TEST_F(evfd_run, python)
{
	const char *program =
		"import os, select\n"
		"fd = os.eventfd(3, os.EFD_SEMAPHORE | os.EFD_CLOEXEC)\n"
		"print(os.readlink(f\"/proc/self/fd/{fd}\"))\n"
		"assert [os.eventfd_read(fd) for _ in range(3)] == [1, 1, 1]\n"
		"os.eventfd_write(fd, 1)\n"
		"p = select.poll(); p.register(fd)\n"
		"assert p.poll(0) == [(fd, select.POLLIN | select.POLLOUT)]\n";

	if (access("/usr/bin/python3", X_OK))
		SKIP(return, "no python3: apt-get install python3");
	EXPECT_PRINTS(EVFD, run("$run /usr/bin/python3 -c '%s'", program));
	EXPECT_EQ(1, count_log(" by=eventfd program=python3"));
	EXPECT_PRINTS(EVFD, run("$run -s /usr/bin/python3 -c '%s'", program));
	EXPECT_EQ(1, count_log(" by=supervisor program=python3"));
}

TEST_F(evfd_run, program_of_32_bits)
{
	if (access("/proc/sys/abi/vsyscall32", F_OK) &&
	    access("/proc/sys/abi", F_OK))
		TH_LOG("the kernel may have no 32-bit system calls");
	if (run("${dyn}_32"))
		SKIP(return, "no 32-bit programs, or none was built");
	EXPECT_STREQ("anon_inode:[eventfd]\nanon_inode:[eventfd]\n", shell_output);
	EXPECT_EQ(0, run("$run ${dyn}_32"));
	EXPECT_STREQ("anon_inode:[evfd]\nanon_inode:[evfd]\n", shell_output);
	EXPECT_EQ(2, count_log(" by=supervisor program=preload_client_32$"));
}

/* Through scripts, and with an empty environment. */
TEST_F(evfd_run, descendants)
{
	setenv("both", "${dyn} function kind; ${dyn}_static function kind", 1);
	EXPECT_EQ(0, run("$run sh -c \"$both\""));
	EXPECT_STREQ("anon_inode:[evfd]\nanon_inode:[eventfd]\n", shell_output);
	EXPECT_EQ(0, run("$run -s sh -c \"$both\""));
	EXPECT_STREQ("anon_inode:[evfd]\nanon_inode:[evfd]\n", shell_output);
	EXPECT_PRINTS(EVFD, run("$run -s $dyn raw bare $dyn function kind"));
	EXPECT_EQ(1, count_log(""));
}

/* The first line of a script names its interpreter. */
TEST_F(evfd_run, scripts)
{
	char folder[] = "/tmp/evfd-script-XXXXXX", path[64];
	FILE *f;

	ASSERT_NE(NULL, mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/kind", folder);
	setenv("script", path, 1);
	f = fopen(path, "we");
	ASSERT_NE(NULL, f);
	fprintf(f, "#! %s/preload_client_static raw\n", dir);
	fclose(f);
	ASSERT_EQ(0, chmod(path, 0755));
	EXPECT_PRINTS(EVFD, run("$run $script"));
	EXPECT_EQ(1, count_log(" by=supervisor "));

	f = fopen(path, "we");
	ASSERT_NE(NULL, f);
	fprintf(f, "#!/bin/sh -e\n$dyn function kind\n");
	fclose(f);
	EXPECT_PRINTS(EVFD, run("$run $script"));
	EXPECT_EQ(1, count_log(" by=eventfd "));
	unlink(path);
	rmdir(folder);
}

TEST_F(evfd_run, preload_composes)
{
	/* An object that is there stays, behind ours. */
	EXPECT_EQ(0, run("LD_PRELOAD=libm.so.6 $run grep -h r-xp /proc/self/maps"));
	EXPECT_NE(NULL, strstr(shell_output, "libm.so.6"));
	EXPECT_NE(NULL, strstr(shell_output, "libevfd-preload.so"));
	EXPECT_EQ(0, run("LD_PRELOAD=libm.so.6 $run sh -c 'echo $LD_PRELOAD'"));
	EXPECT_NE(NULL, strstr(shell_output, "/libevfd-preload.so:libm.so.6\n"));
	/* Twice is once. */
	EXPECT_PRINTS(EVFD, run("$run $run $dyn function kind"));
	EXPECT_EQ(1, count_log(""));
	/* Without evfd-run, by one variable. */
	EXPECT_PRINTS(EVFD, run("LD_PRELOAD=$object $dyn function kind"));
	/* And one inside the other. */
	EXPECT_PRINTS(EVFD, run("$run -s $run -p $dyn raw kind"));
	EXPECT_EQ(CANNOT, run("$run -s $run -s true 2>&1"));
	EXPECT_NE(NULL, strstr(shell_output, "supervisor already"));
}

TEST_F(evfd_run, log)
{
	EXPECT_EQ(0, run("for o in -p -s -p -s; do $run $o $dyn function die 3; done"));
	EXPECT_EQ(12, count_log("^evfd "));
	EXPECT_EQ(4, count_log("^evfd .* initval=2 "));

	/* Relative to where evfd-run was started, not to where one goes. */
	setenv("EVFD_RUN_LOG", basename(strdupa(log_path)), 1);
	EXPECT_EQ(0, run("cd /tmp; $run sh -c 'cd /; $dyn function die 3'"));
	EXPECT_EQ(3, count_log("^evfd "));
	EXPECT_EQ(CANNOT, run("EVFD_RUN_LOG=/no/such/log $run true 2>&1"));
	EXPECT_NE(NULL, strstr(shell_output,
			       "EVFD_RUN_LOG: /no/such/log: No such file"));
	EXPECT_EQ(CANNOT, run("EVFD_RUN_LOG=/ $run true 2>&1"));
	/* Without a log. */
	unsetenv("EVFD_RUN_LOG");
	EXPECT_EQ(0, run("$run $dyn function die 3"));
	EXPECT_EQ(0, count_log(""));
	/* A name cannot forge lines. */
	setenv("EVFD_RUN_LOG", log_path, 1);
	setenv("evil", "/tmp/a\nevfd b", 1);
	ASSERT_EQ(0, run("cp ${dyn}_static \"$evil\""));
	EXPECT_EQ(0, run("$run \"$evil\" raw die 2"));
	unlink(getenv("evil"));
	EXPECT_EQ(2, count_log(""));
	EXPECT_EQ(2, count_log("program=a\\?evfd\\?b$"));
}

TEST_F(evfd_run, fallback_for_names)
{
	static const char * const options[] = { "-p", "-s" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		const char *o = options[i];

		setenv("EVFD_RUN_FALLBACK", "x:preload_cl*t:y", 1);
		EXPECT_PRINTS(EVENTFD, run("$run %s $dyn function kind", o));
		EXPECT_EQ(1, count_log("^eventfd .* program=preload_client$"));
		EXPECT_EQ(1, count_log(""));
		EXPECT_EQ(0, run("$run %s $dyn function flags", o));
		EXPECT_EQ(0, run("$run %s $dyn function limit", o));
		setenv("EVFD_RUN_FALLBACK", "x:preload_clien:::?:1", 1);
		EXPECT_PRINTS(EVFD, run("$run %s $dyn function kind", o));
		setenv("EVFD_RUN_FALLBACK", "*", 1);
		EXPECT_EQ(0, run("$run %s $dyn function bad_flags", o));
	}
}

TEST_F(evfd_run, module_is_missing)
{
	static const char * const options[] = { "-p", "-s" };
	size_t i;

	/* /dev/evfd is the device of another driver. */
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	ASSERT_EQ(0, mount("/dev/null", "/dev/evfd", NULL, MS_BIND, NULL));

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		const char *o = options[i];

		unsetenv("EVFD_RUN_FALLBACK");
		EXPECT_EQ(CANNOT, run("$run %s echo started 2>&1", o));
		EXPECT_NE(NULL, strstr(shell_output, "is not evfd's"));
		EXPECT_EQ(NULL, strstr(shell_output, "started"));
		/* Names do not help, only 1 does. */
		setenv("EVFD_RUN_FALLBACK", "*", 1);
		EXPECT_EQ(CANNOT, run("$run %s echo started 2>&1", o));
		setenv("EVFD_RUN_FALLBACK", "x:1", 1);
		EXPECT_PRINTS(EVENTFD, run("$run %s $dyn function kind", o));
		EXPECT_EQ(1, count_log("^eventfd "));
		EXPECT_EQ(0, run("$run %s $dyn function bad_flags", o));
		EXPECT_EQ(0, run("$run %s $dyn function limit", o));
	}
	/* Gone after the start. */
	unsetenv("EVFD_RUN_FALLBACK");
	EXPECT_EQ(0, run("LD_PRELOAD=$object $dyn function kind"));
	EXPECT_STREQ("errno 38\n", shell_output);
	EXPECT_EQ(0, run("LD_PRELOAD=$object $dyn function bad_flags"));
	EXPECT_EQ(0, count_log(""));
}

TEST_F(evfd_run, device_is_missing)
{
	ASSERT_EQ(0, unshare(CLONE_NEWNS));
	ASSERT_EQ(0, mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	/* As in a container. */
	ASSERT_EQ(0, mount("none", "/dev", "tmpfs", 0, NULL));
	EXPECT_EQ(CANNOT, run("$run echo started 2>&1"));
	EXPECT_NE(NULL, strstr(shell_output, "the module is loaded"));
	EXPECT_NE(NULL, strstr(shell_output, "--device /dev/evfd;"));
	EXPECT_NE(NULL, strstr(shell_output, "mknod -m 666 /dev/evfd c 10 "));
	ASSERT_EQ(0, mount("none", "/sys", "tmpfs", 0, NULL));
	EXPECT_EQ(CANNOT, run("$run echo started 2>&1"));
	EXPECT_NE(NULL, strstr(shell_output, "sudo modprobe evfd"));
	EXPECT_EQ(NULL, strstr(shell_output, "started"));
}

/* Nothing is left behind when the last program is gone. */
TEST_F(evfd_run, supervisor_ends)
{
	int i;

	EXPECT_EQ(0, run("$run -s sh -c '$dyn raw die 2 & wait'"));
	for (i = 0; i < 10000; i++) {
		if (run("grep -l evfd-supervisor /proc/[0-9]*/comm"))
			break;
		evfd_test_sleep_ms(1);
	}
	EXPECT_STREQ("", shell_output);
}

TEST_F(evfd_run, supervisor_is_private)
{
	const char *nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups";

	EXPECT_EQ(0, run("%s $run -s $dyn raw spy", nobody));
	EXPECT_EQ(2, count_log("^evfd ") + 1);
	EXPECT_EQ(0, run("%s $run -s $dyn raw flags", nobody));
	EXPECT_EQ(8, made("supervisor"));
	EXPECT_EQ(0, run("%s $run -s $dyn raw orphan", nobody));
}

TEST_HARNESS_MAIN
