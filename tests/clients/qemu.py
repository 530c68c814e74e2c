# SPDX-License-Identifier: GPL-2.0-only
"""QEMU: asks its main loop, over QMP, for I/O that a pool of threads does.

    qemu.py QEMU...     QEMU is the command to start, without options

A thread that has done a request notifies the main loop through its descriptor.
Another loop runs in a thread of its own (an iothread). What was written is read
back and compared by QEMU's own qemu-io, and by us.
"""
import json
import os
import socket
import subprocess
import sys
import tempfile

REQUESTS, SIZE = 16, 1 << 16


class Qemu:
    def __init__(self, command, disk, output):
        # QEMU inherits its end of the socket.
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen(command + [
            "-M", "none", "-nodefaults", "-no-user-config",
            "-display", "none", "-object", "iothread,id=iothread",
            "-chardev", "socket,id=qmp,fd=%d" % theirs.fileno(),
            "-mon", "chardev=qmp,mode=control",
            "-blockdev", "driver=file,node-name=disk,aio=threads,filename="
            + disk], stdout=output, pass_fds=[theirs.fileno()])
        theirs.close()
        self.qmp = ours.makefile("rw")
        assert "QMP" in self.receive()
        self.ask("qmp_capabilities")

    def receive(self):
        line = self.qmp.readline()
        if not line:
            raise SystemExit("QEMU ended")
        return json.loads(line)

    def ask(self, command, **arguments):
        print(json.dumps({"execute": command, "arguments": arguments}),
              file=self.qmp, flush=True)
        while True:
            answer = self.receive()
            if "error" in answer:
                raise SystemExit(answer["error"])
            if "return" in answer:
                return answer["return"]

    def io(self, command):
        self.ask("human-monitor-command",
                 **{"command-line": 'qemu-io disk "%s"' % command})

    def descriptors(self):
        folder = "/proc/%d/fd/" % self.process.pid
        links = [os.readlink(folder + fd) for fd in os.listdir(folder)]
        return "evfd x %d, eventfd x %d" % (
            links.count("anon_inode:[evfd]"),
            links.count("anon_inode:[eventfd]"))


with tempfile.NamedTemporaryFile() as disk, \
        tempfile.TemporaryFile("w+") as output:
    disk.truncate(REQUESTS * SIZE)
    qemu = Qemu(sys.argv[1:], disk.name, output)
    assert qemu.ask("query-iothreads")[0]["id"] == "iothread"
    for i in range(REQUESTS):
        qemu.io("write -P %d %d %d" % (i + 1, i * SIZE, SIZE))
    for i in range(REQUESTS):
        qemu.io("read -P %d %d %d" % (i + 1, i * SIZE, SIZE))
    print("descriptors: " + qemu.descriptors())
    qemu.ask("quit")
    if qemu.process.wait():
        raise SystemExit("QEMU failed")

    # qemu-io has only words to tell what came of it.
    output.seek(0)
    told = output.read()
    if told.count("read %d/%d bytes" % (SIZE, SIZE)) != REQUESTS or \
            "failed" in told:
        raise SystemExit(told)
    with open(disk.name, "rb") as written:
        for i in range(REQUESTS):
            assert written.read(SIZE) == bytes([i + 1]) * SIZE
    print("%d disk requests over QMP" % (2 * REQUESTS))
