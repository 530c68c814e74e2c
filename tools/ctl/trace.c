// SPDX-License-Identifier: GPL-2.0-only
/*
 * evfdctl trace: print the tracepoints evfd:*, a line for each event.
 *
 * libtracefs reads the kernel's buffers and formats the events. A tracefs instance
 * of our own keeps other tracing undisturbed. It is removed when the program ends,
 * or after a SIGKILL by the next evfdctl.
 *
 * Each CPU has its own buffer. To print in the order of time, an event is held
 * until all buffers that may have an earlier one have been read.
 *
 * Uses base.h, proc.h and text.h, and as the only file libtracefs.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tracefs.h>

#include "base.h"
#include "commands.h"
#include "proc.h"
#include "text.h"

#define SYSTEM		"evfd"
#define PREFIX		"evfd_"
#define INSTANCE	"evfdctl-"

/* The longest time from an event's time stamp to its place in the buffer. */
#define HOLD_NS		10000000
/* How often the buffers are read while there are events. */
#define ROUND_MS		20
/* At most so many events are held: then the oldest are printed. */
#define HOLD_EVENTS	65536
#define SLACK		1024

/* An event. If type is NULL: a rename, comm is the task's name before it. */
struct event {
	uint64_t time;
	int cpu;
	pid_t tid;
	char comm[64];
	struct tep_event *type;
	char text[];
};

static struct {
	/* The options. */
	bool by_id;
	uint64_t id;
	pid_t pid;
	char *events;
	uint64_t max;
	bool json;
	FILE *out;
	char **command;

	struct tracefs_instance *instance;
	struct tep_handle *tep;
	/* The held events, in the order of time. */
	struct event **held;
	size_t nheld;
	/* The numbers of events that were read and printed. */
	uint64_t nread;
	uint64_t n;
	uint64_t first;
	uint64_t last;
	/* The kernel lost events; how many, if it knows. */
	bool lost;
	uint64_t nlost;
} trace;

/* The kernel keeps the names of tasks that have ended. */
static void find_saved_name(pid_t tid, char *comm, size_t size)
{
	char *text, *line, *rest, *end;

	text = tracefs_instance_file_read(NULL, "saved_cmdlines", NULL);
	rest = text;
	while (rest && (line = strsep(&rest, "\n"))) {
		if (strtol(line, &end, 10) == tid && *end == ' ')
			snprintf(comm, size, "%s", end + 1);
	}
	free(text);
}

/*
 * Names the tasks of the held events. Call this before the buffers are read again,
 * see correct_names().
 */
static void find_names(void)
{
	struct event *event, *last = NULL;
	size_t i;

	for (i = 0; i < trace.nheld; i++) {
		event = trace.held[i];
		if (*event->comm)
			continue;
		/* Mostly the event before is of the same task. */
		if (last && last->tid == event->tid) {
			memcpy(event->comm, last->comm, sizeof(event->comm));
			continue;
		}
		last = event;
		if (!event->tid)
			snprintf(event->comm, sizeof(event->comm), "<idle>");
		else
			proc_comm(event->tid, event->comm, sizeof(event->comm));
		if (!*event->comm)
			find_saved_name(event->tid, event->comm,
					sizeof(event->comm));
		if (!*event->comm)
			snprintf(event->comm, sizeof(event->comm), "<...>");
	}
}

/*
 * A task may have changed its name between an event and find_names(), mostly by
 * execve(2). Then the buffers have a rename, with the name before it.
 */
static void correct_names(void)
{
	struct event *event, *renames[64];
	size_t i, j, n = 0;

	/* Backwards: an event gets its name from the task's next rename. */
	for (i = trace.nheld; i--;) {
		event = trace.held[i];
		for (j = 0; j < n && renames[j]->tid != event->tid; j++)
			;
		if (!event->type) {
			if (j == n && n < sizeof(renames) / sizeof(*renames))
				n++;
			if (j < n)
				renames[j] = event;
		} else if (j < n) {
			memcpy(event->comm, renames[j]->comm,
			       sizeof(event->comm));
		}
	}
}

static const char *short_name(const char *name)
{
	size_t len = strlen(PREFIX);

	return strncmp(name, PREFIX, len) ? name : name + len;
}

static void print_text(const struct event *event)
{
	char *task = NULL;
	size_t size;
	FILE *f;

	f = open_memstream(&task, &size);
	if (!f)
		err(error_status, NULL);
	put_text(f, event->comm);
	fprintf(f, "-%d", event->tid);
	fclose(f);
	fprintf(trace.out, "%11.6f %11.1f  %3d  %-22s  %-7s  %s\n",
		(event->time - trace.first) / 1e9,
		(event->time - trace.last) / 1e3, event->cpu, task,
		short_name(event->type->name), event->text);
	free(task);
}

/* event->text is "key=value key=value". */
static void print_json(struct event *event)
{
	struct tep_print_arg *arg = event->type->print_fmt.args;
	char *rest = event->text, *key, *value;

	fprintf(trace.out,
		"{\"time\":%" PRIu64 ".%09" PRIu64 ",\"cpu\":%d,\"tid\":%d,\"comm\":",
		event->time / 1000000000, event->time % 1000000000, event->cpu,
		event->tid);
	put_json(trace.out, event->comm);
	fputs(",\"event\":", trace.out);
	put_json(trace.out, short_name(event->type->name));
	while ((key = strsep(&rest, " "))) {
		value = strchr(key, '=');
		if (!value)
			continue;
		*value++ = '\0';
		putc(',', trace.out);
		put_json(trace.out, key);
		putc(':', trace.out);
		/* Only a plain field is a number. */
		if (arg && arg->type == TEP_PRINT_FIELD)
			fputs(value, trace.out);
		else
			put_json(trace.out, value);
		arg = arg ? arg->next : NULL;
	}
	fputs("}\n", trace.out);
}

static bool enough(void)
{
	return (trace.max && trace.n == trace.max) || ferror(trace.out);
}

static void print_event(struct event *event)
{
	if (!trace.n++) {
		trace.first = event->time;
		trace.last = event->time;
	}
	if (trace.json)
		print_json(event);
	else
		print_text(event);
	trace.last = event->time;
}

/* Prints and frees the held events before @time, up to one without a name. */
static void print_until(uint64_t time)
{
	struct event *event;
	size_t i;

	correct_names();
	for (i = 0; i < trace.nheld; i++) {
		event = trace.held[i];
		if (event->time >= time || !*event->comm)
			break;
		if (event->type && !enough())
			print_event(event);
		free(event);
	}
	trace.nheld -= i;
	memmove(trace.held, trace.held + i, trace.nheld * sizeof(*trace.held));
	fflush(trace.out);
}

static void hold(struct event *event)
{
	size_t i;

	if (trace.nheld == HOLD_EVENTS) {
		find_names();
		print_until(trace.held[HOLD_EVENTS / 2]->time);
	}
	for (i = trace.nheld; i && trace.held[i - 1]->time > event->time; i--)
		trace.held[i] = trace.held[i - 1];
	trace.held[i] = event;
	trace.nheld++;
}

static struct event *new_event(struct tep_record *record, int cpu,
			       const char *text)
{
	size_t size = strlen(text) + 1;
	struct event *event;

	event = calloc(1, sizeof(*event) + size);
	if (!event)
		err(error_status, NULL);
	event->time = record->ts;
	event->cpu = cpu;
	event->tid = tep_data_pid(trace.tep, record);
	memcpy(event->text, text, size);
	return event;
}

static void read_rename(struct tep_event *type, struct tep_record *record,
			int cpu)
{
	struct event *event = new_event(record, cpu, "");
	unsigned long long tid;
	const char *comm;
	int len;

	/* Another task may have renamed it, through /proc. */
	if (!tep_get_field_val(NULL, type, "pid", record, &tid, 0))
		event->tid = tid;
	comm = tep_get_field_raw(NULL, type, "oldcomm", record, &len, 0);
	snprintf(event->comm, sizeof(event->comm), "%.*s", comm ? len : 0,
		 comm ? comm : "");
	/* print_until() would wait for its name. */
	if (!*event->comm)
		free(event);
	else
		hold(event);
}

/*
 * Called by libtracefs. Returns whether to stop reading: if there are enough
 * events, even if some of them come too late to be printed.
 */
static int read_event(struct tep_event *type, struct tep_record *record,
		      int cpu, void *unused)
{
	static struct trace_seq seq;
	struct event *event;

	(void)unused;
	if (strcmp(type->system, SYSTEM)) {
		read_rename(type, record, cpu);
		return 0;
	}
	if (seq.buffer)
		trace_seq_reset(&seq);
	else
		trace_seq_init(&seq);
	tep_print_event(trace.tep, &seq, record, "%s", TEP_PRINT_INFO);
	trace_seq_terminate(&seq);
	event = new_event(record, cpu, seq.buffer);
	event->type = type;
	hold(event);
	trace.nread++;
	return enough() || (trace.max && trace.nread >= trace.max + SLACK);
}

static int read_loss(struct tep_event *type, struct tep_record *record,
		     int cpu, void *unused)
{
	(void)type;
	(void)cpu;
	(void)unused;
	trace.lost = true;
	if (record->missed_events > 0)
		trace.nlost += record->missed_events;
	return 0;
}

static void read_buffers(void)
{
	find_names();
	tracefs_iterate_raw_events(trace.tep, trace.instance, NULL, 0,
				   read_event, NULL);
}

static void remove_instance(void)
{
	if (!trace.instance)
		return;
	tracefs_instance_destroy(trace.instance);
	tracefs_instance_free(trace.instance);
	trace.instance = NULL;
}

/* Removes the instances of evfdctls that were killed. */
static void remove_stale_instances(void)
{
	struct tracefs_instance *instance;
	char **list, **name;
	pid_t pid;

	list = tracefs_instances("^" INSTANCE "[0-9]*$");
	for (name = list; name && *name; name++) {
		pid = atoi(*name + strlen(INSTANCE));
		if (!kill(pid, 0) || errno != ESRCH)
			continue;
		instance = tracefs_instance_alloc(NULL, *name);
		if (!instance)
			continue;
		tracefs_instance_destroy(instance);
		tracefs_instance_free(instance);
	}
	tracefs_list_free(list);
}

/* Ends the program if tracing is not possible. */
static void check_tracefs(void)
{
	const char *dir;

	if (tracefs_tracing_dir_is_mounted(false, &dir) <= 0)
		errx(error_status,
		     "tracefs is not mounted; type: sudo mount -t tracefs none /sys/kernel/tracing");
	if (access(dir, R_OK | W_OK | X_OK)) {
		if (errno == EACCES)
			errx(error_status,
			     "%s is not yours to use; type: sudo evfdctl trace",
			     dir);
		err(error_status, "%s", dir);
	}
	if (tracefs_dir_exists(NULL, "events/" SYSTEM))
		return;
	if (access("/sys/module/evfd", F_OK))
		no_module();
	errx(error_status, "this evfd.ko has no tracepoints");
}

static void set(const char *file, const char *text)
{
	if (tracefs_instance_file_write(trace.instance, file, text) < 0)
		err(error_status, "%s in tracefs", file);
}

static void follow_task(pid_t tid)
{
	char number[16];

	snprintf(number, sizeof(number), "%d ", tid);
	if (tracefs_instance_file_append(trace.instance, "set_event_pid",
					 number) < 0 && errno != ESRCH)
		err(error_status, "set_event_pid in tracefs");
}

/* Traces @pid with its threads, and their later children. */
static void follow_process(pid_t pid)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;

	set("options/event-fork", "1");
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		errx(error_status, "there is no process %d", pid);
	while ((entry = readdir(dir))) {
		if (*entry->d_name != '.')
			follow_task(atoi(entry->d_name));
	}
	closedir(dir);
}

static void enable_events(void)
{
	char *rest = trace.events, *name, path[64];

	set("events/task/task_rename/enable", "1");
	if (!rest) {
		set("events/" SYSTEM "/enable", "1");
		return;
	}
	while ((name = strsep(&rest, ","))) {
		snprintf(path, sizeof(path), "events/" SYSTEM "/" PREFIX "%s/enable",
			 short_name(name));
		set(path, "1");
	}
}

static void check_events(void)
{
	char **list, **have, *events, *rest, *name;
	bool found;

	if (!trace.events)
		return;
	events = strdup(trace.events);
	list = tracefs_system_events(NULL, SYSTEM);
	rest = events;
	while ((name = strsep(&rest, ","))) {
		found = false;
		for (have = list; have && *have && !found; have++)
			found = !strcmp(short_name(*have), short_name(name));
		if (found)
			continue;
		fprintf(stderr, "evfdctl: no event '%s'; there are:", name);
		for (have = list; have && *have; have++)
			fprintf(stderr, " %s", short_name(*have));
		putc('\n', stderr);
		usage_end();
	}
	tracefs_list_free(list);
	free(events);
}

static void load_format(const char *system, const char *name)
{
	char *text;
	int size;

	text = tracefs_event_file_read(NULL, system, name, "format", &size);
	if (!text || tep_parse_event(trace.tep, text, size, system))
		errx(error_status, "cannot use the format of %s", name);
	free(text);
}

/* Not tracefs_local_events(), which also reads all symbols of the kernel. */
static void load_formats(void)
{
	char **list, **name, *text;
	int size;

	trace.tep = tep_alloc();
	text = tracefs_instance_file_read(NULL, "events/header_page", &size);
	if (!trace.tep || !text ||
	    tep_parse_header_page(trace.tep, text, size, sizeof(long)))
		err(error_status, "events/header_page in tracefs");
	free(text);
	tep_set_long_size(trace.tep, tep_get_header_page_size(trace.tep));
	list = tracefs_system_events(NULL, SYSTEM);
	for (name = list; name && *name; name++)
		load_format(SYSTEM, *name);
	tracefs_list_free(list);
	load_format("task", "task_rename");
}

static void set_up(void)
{
	char text[64];

	snprintf(text, sizeof(text), INSTANCE "%d", getpid());
	trace.instance = tracefs_instance_create(text);
	if (!trace.instance)
		err(error_status, "cannot make %s in tracefs", text);
	atexit(remove_instance);
	load_formats();
	tracefs_follow_missed_events(trace.instance, read_loss, NULL);
	set("trace_clock", "mono");
	if (trace.by_id) {
		snprintf(text, sizeof(text), "id == %" PRIu64, trace.id);
		set("events/" SYSTEM "/filter", text);
	}
	if (trace.pid)
		follow_process(trace.pid);
	trace.held = calloc(HOLD_EVENTS, sizeof(*trace.held));
	if (!trace.held)
		err(error_status, NULL);
}

/*
 * Starts the command, which waits for a byte in @gate. The signals that evfdctl
 * waits for have their default effect again.
 */
static pid_t start_command(int *gate)
{
	sigset_t none;
	int pipefd[2];
	pid_t pid;
	char c;

	if (pipe2(pipefd, O_CLOEXEC))
		err(error_status, "pipe");
	pid = fork();
	if (pid < 0)
		err(error_status, "fork");
	if (!pid) {
		close(pipefd[1]);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGPIPE, SIG_DFL);
		/* evfdctl ended with an error. */
		if (read(pipefd[0], &c, 1) != 1)
			_exit(error_status);
		execvp(*trace.command, trace.command);
		warn("%s", *trace.command);
		_exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN);
	}
	close(pipefd[0]);
	*gate = pipefd[1];
	return pid;
}

/*
 * The command gets the signals of a terminal itself, but not those of kill(1).
 * Returns false if there is no command.
 */
static bool pass_on_signal(int signals, pid_t command)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info) || !command)
		return false;
	if (info.ssi_code <= 0)
		kill(command, info.ssi_signo);
	return true;
}

/* Prints events until there are enough, a signal, or the command's end. */
static void follow(int signals, pid_t command)
{
	int pidfd = command ? pidfd_open(command, 0) : -1;
	int any = tracefs_instance_file_open(trace.instance, "trace_pipe",
					     O_RDONLY | O_NONBLOCK);
	struct pollfd fds[] = {
		{ .fd = any, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = fileno(trace.out) },
	};
	bool on = true;
	uint64_t start;

	if (any < 0 || (command && pidfd < 0))
		err(error_status, "cannot wait for events");
	while (on && !enough()) {
		fds[0].fd = trace.nheld ? -1 : any;
		if (poll(fds, 4, trace.nheld ? ROUND_MS : -1) < 0)
			err(error_status, "poll");
		if (fds[1].revents)
			on = pass_on_signal(signals, command);
		if (fds[2].revents || fds[3].revents)
			on = false;
		start = now();
		read_buffers();
		print_until(start - HOLD_NS);
	}
	/* The last events, and then the renames of their tasks. */
	if (!enough()) {
		read_buffers();
		read_buffers();
	}
	tracefs_trace_off(trace.instance);
	find_names();
	print_until(UINT64_MAX);
	close(any);
	if (pidfd >= 0)
		close(pidfd);
}

static void say_lost(void)
{
	if (!trace.lost)
		return;
	if (trace.json)
		fprintf(trace.out, "{\"lost\":%" PRIu64 "}\n", trace.nlost);
	else if (trace.nlost)
		warnx("%" PRIu64 " events were lost: they came too fast",
		      trace.nlost);
	else
		warnx("events were lost: they came too fast");
}

static void parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "count", required_argument, NULL, 'n' },
		{ "event", required_argument, NULL, 'e' },
		{ "id", required_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'j' },
		{ "output", required_argument, NULL, 'o' },
		{ "pid", required_argument, NULL, 'p' },
		{ }
	};
	const char *path = NULL;
	int opt;

	while ((opt = getopt_long(argc, argv, "+e:i:jn:o:p:", options, NULL)) !=
	       -1) {
		switch (opt) {
		case 'e':
			trace.events = optarg;
			break;
		case 'i':
			trace.id = parse_number("--id", optarg, 0, UINT64_MAX);
			trace.by_id = true;
			break;
		case 'j':
			trace.json = true;
			break;
		case 'n':
			trace.max = parse_number("--count", optarg, 1,
						 UINT64_MAX);
			break;
		case 'o':
			path = optarg;
			break;
		case 'p':
			trace.pid = parse_number("--pid", optarg, 1, INT_MAX);
			break;
		default:
			usage_end();
		}
	}
	if (optind < argc)
		trace.command = argv + optind;
	if (trace.command && !**trace.command)
		usage_error("trace takes a command, not ''");
	if (trace.command && trace.pid)
		usage_error("trace follows --pid or a command, not both");
	trace.out = path ? fopen(path, "we") : stdout;
	if (!trace.out)
		err(error_status, "--output %s", path);
}

int cmd_trace(int argc, char **argv)
{
	pid_t command = 0;
	int signals, gate, status = 0;

	parse(argc, argv);
	tep_set_loglevel(TEP_LOG_NONE);
	tracefs_set_loglevel(TEP_LOG_NONE);
	check_tracefs();
	check_events();
	signals = catch_signals();
	remove_stale_instances();
	set_up();
	if (trace.command) {
		command = start_command(&gate);
		follow_process(command);
	}
	enable_events();
	if (!trace.json)
		fprintf(trace.out, "%11s %11s  %3s  %-22s  %-7s\n", "TIME s",
			"DELTA us", "CPU", "TASK", "EVENT");
	fflush(trace.out);
	if (command && write(gate, "", 1) != 1)
		err(error_status, "%s", *trace.command);

	follow(signals, command);
	remove_instance();
	say_lost();
	if (trace.out != stdout && (fflush(trace.out) || ferror(trace.out)))
		err(error_status, "--output");
	if (command) {
		if (waitpid(command, &status, 0) < 0)
			err(error_status, "wait");
		status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
					       WEXITSTATUS(status);
	}
	return status;
}
