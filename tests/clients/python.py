# SPDX-License-Identifier: GPL-2.0-only
"""Python: os.eventfd, as a semaphore between threads, and under a selector.

A post is answered with a permit, without which its thread does not go on.
"""
import os
import selectors
import threading

THREADS, ROUNDS = 4, 100

# A semaphore that hands out ROUNDS * THREADS permits, and no more.
permits = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_SEMAPHORE)
requests = [os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            for _ in range(THREADS)]


def requester(fd):
    for _ in range(ROUNDS):
        os.eventfd_write(fd, 3)
        assert os.eventfd_read(permits) == 1


threads = [threading.Thread(target=requester, args=(fd,), daemon=True)
           for fd in requests]
handled = 0
with selectors.DefaultSelector() as selector:
    for fd in requests:
        selector.register(fd, selectors.EVENT_READ)
    for thread in threads:
        thread.start()
    while handled < THREADS * ROUNDS:
        for key, _ in selector.select():
            # Two, if its thread was faster to take another's permit.
            posts, rest = divmod(os.eventfd_read(key.fd), 3)
            assert posts and not rest
            os.eventfd_write(permits, posts)
            handled += posts
    for thread in threads:
        thread.join()

os.set_blocking(permits, False)
try:
    os.eventfd_read(permits)
    raise SystemExit("a permit is left")
except BlockingIOError:
    pass

links = []
for fd in os.listdir("/proc/self/fd"):
    try:
        links.append(os.readlink("/proc/self/fd/" + fd))
    except FileNotFoundError:   # that of the folder
        pass
print("descriptors: evfd x %d, eventfd x %d" % (
    links.count("anon_inode:[evfd]"), links.count("anon_inode:[eventfd]")))
print("%d os.eventfd_write from %d threads" % (handled, THREADS))
