/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page of memory that is missing until the test supplies it: a task that
 * accesses the page, in the kernel too, waits until then.
 *
 * For faults_test.c, moving_test.c and trace_test.c. Uses evfd_task.h, and
 * userfaultfd(2), which needs root.
 */
#ifndef _EVFD_HELD_H
#define _EVFD_HELD_H

#include <linux/userfaultfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "evfd_task.h"

struct held_page {
	char *page;
	struct uffdio_range range;
	/* The first 8 bytes of the page. */
	uint64_t value;
	int uffd;
};

/* Returns 0, or -1 with errno where there is no userfaultfd. */
int held_page_make(struct held_page *held);

/* Waits until a task waits for the page. */
int held_page_wanted(struct held_page *held);

/* Starts @task, which reads or writes the page, and waits until it waits. */
int held_page_start(struct held_page *held, struct evfd_task *task);

/* Supplies the page. */
int held_page_give(struct held_page *held);

/* It is not there again: the next to touch it waits. */
int held_page_take(struct held_page *held);
void held_page_free(struct held_page *held);

/* Reads into the two held pages at @task->buf, half of the value into each. */
ssize_t held_pages_read(struct evfd_task *task);

/*
 * A reader waits for the first of two held pages. It gets both, but before it has
 * the second one @fd gets 1 more, so it has copied in vain. With @again the first
 * page has gone by then, and this waits until the reader waits for it.
 */
int held_pages_lose(struct held_page *held, int fd, bool again);

#endif /* _EVFD_HELD_H */
