#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes the tour's pages from the traces.

    render.py [--write | --check] RESULTS NAME...

NAME is a chapter, such as 02-write-read. Its text is text/NAME.md; what was
traced and printed is in RESULTS (see guest). Without an option the chapter is
shown on the terminal, with the time since the event before; --write makes NAME.md
of it, beside this file, --check compares it with what is there.

In the text these lines are replaced:

    <!-- program -->      the program, without its head
    <!-- output -->       what it printed
    <!-- timeline -->     the events, a column for each task, and a diagram
    <!-- window: A, B -->  the first call in which just these events happened;
                          "A!" came in an interrupt of the task that called,
                          "A count=1" has that in its text
    <!-- calls: C, A, -B -->  within a line, the number of calls C in which A
                          happened and B did not; an error if there is none
    <!-- graph -->        what the tracer function_graph saw

Read tour.h for the lines that the programs leave in the trace.
"""
import argparse
import difflib
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
TEXT = os.path.join(HERE, "text")

LINE = re.compile(r"^\s*(?P<comm>.+)-(?P<pid>\d+)\s+\[\d+\] (?P<flags>\S+)\s+"
                  r"(?P<time>[\d.]+): (?P<name>\w+): ?(?P<text>.*)$")
MARK = "tracing_mark_write"
FOLD = re.compile(r"<details><summary>(.*?)</summary>\n\n(.*?)\n\n</details>\n", re.S)
# Names of the kernel's tasks that work for others.
HELPERS = ("kworker", "iou-wrk")


class Item:
    """Something that happened: a call, its result, a remark or an event."""

    def __init__(self, task, kind, text, time, name="", interrupted=False):
        self.task, self.kind, self.text = task, kind, text
        self.time, self.name, self.interrupted = time, name, interrupted


class Wrong(Exception):
    """A chapter cannot be made of what was traced."""


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return f.read()


class Trace:
    """The events of one program, in their order."""

    def __init__(self, text):
        self.names = {}     # of the tasks, by their pid
        self.calling = {}   # the call that each is in
        self.ids = {}       # of the counters, by how they are shown
        self.items = []
        lines = [m for m in map(LINE.match, text.splitlines()) if m]
        for m in lines:
            if m["name"] == "evfd_create":
                self.counter(re.search(r"id=(\d+)", m["text"])[1])
        for m in lines:
            item = self.item(m)
            if item:
                self.items.append(item)
        if not self.items:
            raise Wrong("nothing was traced")

    def counter(self, number):
        return self.ids.setdefault(number, "#%d" % (len(self.ids) + 1))

    def task(self, m):
        """The column of an event, or None if no task of the program is in it."""
        if re.match(r".{2}[hHzZ]", m["flags"]):
            return "interrupt"
        if m["pid"] in self.names:
            return self.names[m["pid"]]
        for helper in HELPERS:
            if m["comm"].startswith(helper):
                return helper
        return None

    def mark(self, m):
        kind, text = m["text"][0], m["text"][2:].rstrip()
        if kind == "+":
            self.names[m["pid"]] = text
            return None
        task = self.names[m["pid"]]
        if kind == ">":
            self.calling[task] = text
        elif kind == "<":
            self.calling.pop(task, None)
        return Item(task, kind, text, float(m["time"]))

    def item(self, m):
        name, text = m["name"], m["text"].rstrip()
        if name == MARK:
            return self.mark(m)
        task = self.task(m)
        if not task:
            return None
        if name == "sched_waking":
            pid = re.search(r" pid=(\d+) ", text)[1]
            target = self.names.get(pid)
            if target not in self.calling:
                return None
            return Item(task, "wake", target, float(m["time"]), name)
        if name.startswith("evfd_"):
            text = re.sub(r"\bid=(\d+) ?", lambda i: self.which(i[1]), text)
            return Item(task, "event", (name + " " + text).rstrip(),
                        float(m["time"]), name,
                        task == "interrupt" and m["pid"] in self.names)
        if task not in self.calling and task not in HELPERS:
            return None
        return Item(task, "kernel", detail(name, text), float(m["time"]), name)

    def which(self, number):
        """A counter is named only where there are several."""
        shown = self.counter(number)
        return shown + " " if len(self.ids) > 1 else ""

    def calls(self):
        """The items of each call, and the events among them."""
        begin = None
        for i, item in enumerate(self.items):
            if item.kind == ">":
                begin = i
            elif item.kind == "<" and begin is not None:
                items = self.items[begin:i + 1]
                yield items, [x for x in items if x.kind in ("event", "kernel")]

    def window(self, wanted):
        """The items of the first call with just the wanted events."""
        for items, found in self.calls():
            if len(found) == len(wanted) and all(map(matches, found, wanted)):
                return items
        raise Wrong("no call with just " + ", ".join(wanted))

    def count(self, call, wanted):
        """The number of calls with some events, and without others."""
        def fits(found, want):
            have = any(matches(x, want.lstrip("-")) for x in found)
            return have != want.startswith("-")

        number = sum(items[0].text == call and
                     all(fits(found, want) for want in wanted)
                     for items, found in self.calls())
        if not number:
            raise Wrong("no %s with %s" % (call, ", ".join(wanted)))
        return number


def matches(item, wanted):
    name, _, text = wanted.partition(" ")
    return item.name + "!" * item.interrupted == name and text in item.text


def detail(name, text):
    """An event of another part of the kernel, without addresses."""
    field = dict(re.findall(r"(\w+)=(\S+)", text))
    if name.startswith(("kmalloc", "kmem_cache_alloc")):
        return "%s %s, %s bytes" % (
            name, field.get("name", "in " + field["call_site"].split("+")[0]),
            field["bytes_alloc"])
    if name == "mm_page_alloc":
        return "%s order=%s" % (name, field["order"])
    return name


def shown(item):
    return {">": item.text, "<": "= " + item.text, "-": "(" + item.text + ")",
            "wake": "  wakes " + item.text}.get(item.kind, "  " + item.text)


def tasks_of(items):
    return list(dict.fromkeys(item.task for item in items))


def timeline(items, with_time=False):
    """The items as text. Each line has one, in the column of its task."""
    tasks = tasks_of(items)
    step = 30 if len(tasks) < 4 else 18
    rows = [(items[0].time, "".join(t.ljust(step) for t in tasks)),
            (items[0].time, "".join(("-" * len(t)).ljust(step) for t in tasks))]
    for item in items:
        rows.append((item.time, " " * step * tasks.index(item.task) + shown(item)))
    lines = []
    before = items[0].time
    for time, row in rows:
        since = "%7d us  " % round((time - before) * 1e6) if with_time else ""
        lines.append((since + row).rstrip())
        before = time
    return "\n".join(lines)


def diagram(items):
    """The items as a sequence diagram of Mermaid."""
    out = ["sequenceDiagram"]
    for task in tasks_of(items):
        out.append("    participant " + task)
    out.append("    participant kernel")

    def clean(text):
        return text.replace("#", "no. ").replace(";", ",").replace("|", " or ")

    for item in items:
        text = clean(item.text)
        if item.kind == ">":
            out.append("    %s->>kernel: %s" % (item.task, text))
        elif item.kind == "<":
            out.append("    kernel-->>%s: %s" % (item.task, text))
        elif item.kind == "wake":
            out.append("    %s-)%s: wakes" % (item.task, item.text))
        elif item.kind == "-":
            out.append("    Note over %s: %s" % (item.task, text))
        else:
            out.append("    Note over %s,kernel: %s" % (item.task, text))
    return "\n".join(out)


def block(text, kind=""):
    return "```%s\n%s\n```" % (kind, text.rstrip())


def unfolded(text):
    """A text for the terminal, where the answer of a fold comes last."""
    answers = ["\nAnswer: %s\n" % m[2] for m in FOLD.finditer(text)]
    return FOLD.sub(r"\1\n", text) + "".join(answers)


class Chapter:
    def __init__(self, results, name):
        self.results, self.name = results, name
        self.source = read(TEXT, name + ".md")
        self.trace = Trace(self.result("trace"))
        self.check_names()

    def result(self, kind):
        try:
            return read(self.results, self.name + "." + kind)
        except FileNotFoundError:
            raise Wrong("no %s: the program failed, or the guest" % kind) from None

    def check_names(self):
        """Every function that the text names has to be there."""
        module = "".join(read(TOP, "module", f)
                         for f in os.listdir(os.path.join(TOP, "module"))
                         if f.endswith((".c", ".h")))
        for function in re.findall(r"`(?:trace_)?(evfd_\w+)\(\)`", self.source):
            if not re.search(r"\b%s\(" % function, module):
                raise Wrong("module/ has no %s()" % function)
        eventfd = os.environ.get("EVENTFD_C")
        if not eventfd:
            return
        for function in re.findall(r"`(eventfd_\w+)\(\)`", self.source):
            if function not in read(eventfd):
                raise Wrong("fs/eventfd.c has no %s()" % function)

    def program(self):
        text = read(HERE, self.name + ".c")
        return text[text.rindex("#include"):].partition("\n\n")[2]

    def graph(self):
        """The first call of the function that was asked for."""
        lines = [line.rstrip() for line in self.result("graph").splitlines()
                 if not line.startswith("#") and "/*" not in line]
        lines = [line for line in lines if line.strip()]
        if not any(line.strip() == "}" for line in lines):
            raise Wrong("the function was not called")
        indent = len(lines[0]) - len(lines[0].lstrip())
        lines = [line[indent:] for line in lines]
        return "\n".join(lines[:lines.index("}") + 1])

    def make(self, terminal):
        def picture(items):
            text = block(timeline(items, terminal))
            return text if terminal else (
                text + "\n\n" + block(diagram(items), "mermaid"))

        def window(m):
            return picture(self.trace.window(m[1].split(", ")))

        def calls(m):
            call, *wanted = m[1].split(", ")
            return str(self.trace.count(call, wanted))

        text = re.sub(r"^<!-- trace: .* -->\n", "", self.source, flags=re.M)
        for key, make in (
                ("program", lambda m: block(self.program(), "c")),
                ("output", lambda m: block(self.result("out"))),
                ("timeline", lambda m: picture(self.trace.items)),
                ("window: (.*)", window),
                ("graph", lambda m: block(self.graph()))):
            text = re.sub("^<!-- " + key + " -->$", make, text, flags=re.M)
        text = re.sub("<!-- calls: (.*?) -->", calls, text)
        return unfolded(text) if terminal else text


def comparable(page):
    """A page without the parts that differ between kernels and runs."""
    def output(m):
        text = re.sub(r"\d{2,}|(?<=-id: )\d+|(?<=eventfd:)\d+", "N", m[0])
        return re.sub(r"[ -]{2,}", " ", text)

    def ours(m):
        return "".join(line + "\n" for line in m[0].split("\n") if "[evfd]" in line)

    page = re.sub(r"\b\d+ reads \|", "N reads |", page)
    page = re.sub(r"^What it printed:\n\n```.*?^```\n", output, page, flags=re.M | re.S)
    page = re.sub(r"^```\nevfd_dev_ioctl .*?^```\n", ours, page, flags=re.M | re.S)
    return re.sub(r"^.*\b(kmalloc|kmem_cache_alloc|mm_page_alloc)\b(?! in evfd_).*\n", "",
                  page, flags=re.M)


def index(names, release):
    text = read(TEXT, "README.md")
    chapters = ["%d. [%s](%s.md)" % (
        int(name[:2]), read(TEXT, name + ".md").split("\n")[0].partition(". ")[2], name)
        for name in names]
    return text.replace("<!-- chapters -->", "\n".join(chapters)).replace(
        "<!-- release -->", release)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("results")
    parser.add_argument("names", nargs="+")
    args = parser.parse_args()
    wrong = 0

    if args.check:
        print("TAP version 13\n1..%d" % len(args.names))
    for number, name in enumerate(args.names, 1):
        try:
            page = Chapter(args.results, name).make(not (args.write or args.check))
        except Wrong as why:
            wrong += 1
            if args.check:
                print("not ok %d %s: %s" % (number, name, why))
            else:
                print("render.py: %s: %s" % (name, why), file=sys.stderr)
            continue
        path = os.path.join(HERE, name + ".md")
        if args.write:
            with open(path, "w", encoding="utf-8") as f:
                f.write(page)
        elif args.check:
            have = read(path) if os.path.exists(path) else ""
            page, have = comparable(page), comparable(have)
            for line in difflib.unified_diff(
                    have.splitlines(), page.splitlines(), name + ".md",
                    "what happens", lineterm="", n=1):
                print("# " + line)
            print("%sok %d %s" % ("not " * (have != page), number, name))
            wrong += have != page
        else:
            print(page)
    if args.write and not wrong:
        release = read(args.results, "release").strip()
        names = sorted(f[:-3] for f in os.listdir(TEXT) if f[:2].isdigit())
        with open(os.path.join(HERE, "README.md"), "w", encoding="utf-8") as f:
            f.write(index(names, release))
    sys.exit(wrong > 0)


main()
