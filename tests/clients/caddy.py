# SPDX-License-Identifier: GPL-2.0-only
"""Go: asks Caddy, a web server, for pages, from several threads at once.

    caddy.py CADDY...   CADDY is the command to start, without options

Go's runtime sleeps in epoll_wait(), and wakes that up through its descriptor
when a timer has to fire earlier than it was going to, as those of connections
do. It makes the system call itself, without a C library.
"""
import http.client
import os
import subprocess
import sys
import threading
import time

THREADS, REQUESTS, PORT = 4, 25, 8042
PAGE = "a page"

server = subprocess.Popen(
    sys.argv[1:] + ["respond", "--listen", "127.0.0.1:%d" % PORT, PAGE],
    stdout=subprocess.DEVNULL)
pages = []


def connect():
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", PORT)
        try:
            connection.connect()
            return connection
        except ConnectionRefusedError:
            if server.poll() is not None:
                raise SystemExit("Caddy ended") from None
            time.sleep(0.1)


def client():
    connection = connect()
    for _ in range(REQUESTS):
        connection.request("GET", "/")
        pages.append(connection.getresponse().read().decode())
    connection.close()


connect().close()
threads = [threading.Thread(target=client) for _ in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()

folder = "/proc/%d/fd/" % server.pid
links = []
for fd in os.listdir(folder):
    try:
        links.append(os.readlink(folder + fd))
    except FileNotFoundError:
        pass    # a connection that it closed meanwhile
print("descriptors: evfd x %d, eventfd x %d" % (
    links.count("anon_inode:[evfd]"), links.count("anon_inode:[eventfd]")))
server.terminate()
if server.wait():
    raise SystemExit("Caddy failed")
if pages != [PAGE] * THREADS * REQUESTS:
    raise SystemExit("%d pages: %s" % (len(pages), set(pages)))
print("%d pages for %d threads" % (len(pages), THREADS))
