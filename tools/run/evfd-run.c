// SPDX-License-Identifier: GPL-2.0-only
/*
 * evfd-run: start a program so that its eventfds are evfds.
 *
 * Chooses how to catch the program's calls, prepares that, and becomes the program.
 * Uses policy.h, supervise.h and why.h; preload.c and supervise.c come next.
 * tools/run/README.md is the manual.
 */
#include <elf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy.h"
#include "supervise.h"
#include "why.h"

#define OBJECT	"libevfd-preload.so"

/* As in env(1), nice(1) and timeout(1). */
enum { EXIT_OURS = 125, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

static const char usage[] =
"Usage: evfd-run [--preload | --supervise] [--] PROGRAM [ARG...]\n"
"\n"
"Run PROGRAM so that the eventfds that it makes, and all that it starts, are\n"
"evfds. Its process id, signals and exit status are those of PROGRAM.\n"
"\n"
"  -p, --preload    replace eventfd() of the C library, with LD_PRELOAD\n"
"  -s, --supervise  answer the system call, by seccomp: for static programs and\n"
"                   Go, and for programs that start such\n"
"  -h, --help       this text\n"
"\n"
"The default is --preload, or --supervise if the program's file shows that\n"
"--preload cannot work (static, Go, 32-bit, another C library).\n"
"\n"
"Environment:\n"
"  EVFD_RUN_LOG=FILE          append a line for each eventfd that was made\n"
"  EVFD_RUN_FALLBACK=P[:P...] leave real eventfds to programs whose file name\n"
"                             matches one of the patterns P; 1: to all, if the\n"
"                             module is missing\n"
"\n"
"Exit status: PROGRAM's; 125 if evfd-run failed, 126 if PROGRAM could not be\n"
"run, 127 if it was not found.\n";

/* Fails here, with a message, and not in each call of the program. */
static void check_module(void)
{
	bool missing;
	int fd = policy_make(0, 0, &missing);
	char why[EVFD_WHY_SIZE];

	if (fd >= 0) {
		close(fd);
		return;
	}
	if (!missing)
		err(EXIT_OURS, "cannot make an evfd");
	if (policy_real_if_missing())
		return;
	evfd_why(why);
	errx(EXIT_OURS, "%s", why);
}

/* Makes the log's path absolute: the program may change its folder. */
static void check_environment(void)
{
	const char *log = getenv(POLICY_LOG);
	const char *patterns = getenv(POLICY_FALLBACK);
	char dir[PATH_MAX], *path;
	int fd;

	if (patterns && strlen(patterns) >= PATH_MAX)
		errx(EXIT_OURS, POLICY_FALLBACK " is too long");
	if (!log || !*log)
		return;
	if (*log != '/') {
		if (!getcwd(dir, sizeof(dir)) ||
		    asprintf(&path, "%s/%s", dir, log) < 0 ||
		    setenv(POLICY_LOG, path, 1))
			err(EXIT_OURS, POLICY_LOG);
		log = getenv(POLICY_LOG);
	}
	if (strlen(log) >= PATH_MAX)
		errx(EXIT_OURS, POLICY_LOG " is too long");
	fd = open(log, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_CLOEXEC,
		  0666);
	if (fd < 0)
		err(EXIT_OURS, POLICY_LOG ": %s", log);
	close(fd);
}

static _Noreturn void usage_error(const char *text)
{
	warnx("%s", text);
	fputs("Type: evfd-run --help\n", stderr);
	exit(EXIT_OURS);
}

/* Opens @program as execvp() would find it, or returns -1. */
static int open_program(const char *program)
{
	const char *list = getenv("PATH"), *end;
	char path[PATH_MAX];
	struct stat st;
	int fd;

	if (strchr(program, '/'))
		return open(program, O_RDONLY | O_CLOEXEC);
	if (!list)
		list = "/bin:/usr/bin";
	for (; ; list = end + 1) {
		end = strchrnul(list, ':');
		snprintf(path, sizeof(path), "%.*s%s%s", (int)(end - list),
			 list, end > list ? "/" : "", program);
		if (!stat(path, &st) && S_ISREG(st.st_mode) &&
		    !access(path, X_OK)) {
			fd = open(path, O_RDONLY | O_CLOEXEC);
			if (fd >= 0)
				return fd;
		}
		if (!*end)
			return -1;
	}
}

/*
 * Whether the notes at @offset have one of the Go compiler. Its programs make
 * system calls without the C library, even if they are linked with it.
 */
static bool has_go_note(int fd, off_t offset, size_t size)
{
	ElfW(Nhdr) note;
	off_t end = offset + size;
	char name[4];

	while (offset + (off_t)sizeof(note) <= end) {
		if (pread(fd, &note, sizeof(note), offset) != sizeof(note))
			return false;
		offset += sizeof(note);
		if (note.n_namesz == sizeof(name) &&
		    pread(fd, name, sizeof(name), offset) == sizeof(name) &&
		    !memcmp(name, "Go\0", sizeof(name)))
			return true;
		offset += ((off_t)note.n_namesz + 3) & ~3L;
		offset += ((off_t)note.n_descsz + 3) & ~3L;
	}
	return false;
}

/* Whether the preloaded object would not reach what the ELF file @fd calls. */
static bool elf_needs_supervisor(int fd)
{
	ElfW(Ehdr) ehdr;
	ElfW(Phdr) phdr;
	char interpreter[64] = "";
	int i;

	if (pread(fd, &ehdr, sizeof(ehdr), 0) != sizeof(ehdr) ||
	    memcmp(ehdr.e_ident, ELFMAG, SELFMAG))
		return false;
	if (ehdr.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 :
							     ELFCLASS32))
		return true;
	for (i = 0; i < ehdr.e_phnum; i++) {
		if (pread(fd, &phdr, sizeof(phdr), ehdr.e_phoff +
			  i * ehdr.e_phentsize) != sizeof(phdr))
			return false;
		if (phdr.p_type == PT_INTERP &&
		    phdr.p_filesz < sizeof(interpreter) &&
		    pread(fd, interpreter, phdr.p_filesz, phdr.p_offset) < 0)
			return false;
		if (phdr.p_type == PT_NOTE &&
		    has_go_note(fd, phdr.p_offset, phdr.p_filesz))
			return true;
	}
	return !*interpreter || strstr(interpreter, "musl");
}

/* The same for a program of any kind: of a script, its interpreter decides. */
static bool needs_supervisor(const char *program)
{
	char line[PATH_MAX], *interpreter;
	int depth, fd;
	bool needs;
	ssize_t n;

	/* The kernel's limit of nested interpreters. */
	for (depth = 0; depth < 5; depth++) {
		fd = open_program(program);
		if (fd < 0)
			return false;
		n = pread(fd, line, sizeof(line) - 1, 0);
		line[n < 0 ? 0 : n] = '\0';
		needs = elf_needs_supervisor(fd);
		close(fd);
		if (strncmp(line, "#!", 2))
			return needs;
		interpreter = strtok(line + 2, " \t\n");
		if (!interpreter)
			return false;
		program = memmove(line, interpreter, strlen(interpreter) + 1);
	}
	return false;
}

/* The object is in the folder of evfd-run, or in the one of an installation. */
static void find_object(char path[PATH_MAX])
{
	char self[PATH_MAX - sizeof(OBJECT)], *base;
	ssize_t n;

	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0) {
		self[n] = '\0';
		base = strrchr(self, '/');
		snprintf(path, PATH_MAX, "%.*s/" OBJECT, (int)(base - self),
			 self);
		if (!access(path, R_OK))
			return;
	}
	snprintf(path, PATH_MAX, "%s/" OBJECT, LIBDIR);
	if (access(path, R_OK))
		err(EXIT_OURS, "%s", path);
}

static void preload(void)
{
	const char *before = getenv("LD_PRELOAD");
	char object[PATH_MAX], *value;

	find_object(object);
	if (strpbrk(object, " :"))
		errx(EXIT_OURS, "%s: LD_PRELOAD takes no space or colon", object);
	if (before && strstr(before, object))
		return;
	/* Keep the objects that were there before. */
	if (asprintf(&value, "%s%s%s", object, before && *before ? ":" : "",
		     before ? before : "") < 0 ||
	    setenv("LD_PRELOAD", value, 1))
		err(EXIT_OURS, "LD_PRELOAD");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "preload", no_argument, NULL, 'p' },
		{ "supervise", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	const char *failed;
	int how = 0, opt;

	/* getopt_long() prints this name. */
	argv[0] = program_invocation_short_name;
	while ((opt = getopt_long(argc, argv, "+psh", options, NULL)) != -1) {
		switch (opt) {
		case 'p':
		case 's':
			if (how && how != opt)
				usage_error("--preload or --supervise, not both");
			how = opt;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs("Type: evfd-run --help\n", stderr);
			return EXIT_OURS;
		}
	}
	argv += optind;
	if (!*argv || !**argv)
		usage_error("which program is to be run?");

	check_environment();
	policy_init();
	check_module();
	if (!how)
		how = needs_supervisor(*argv) ? 's' : 'p';
	if (how == 's') {
		failed = supervise();
		if (failed)
			err(EXIT_OURS, "%s", failed);
	} else {
		preload();
	}

	execvp(*argv, argv);
	err(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN, "%s", *argv);
}
