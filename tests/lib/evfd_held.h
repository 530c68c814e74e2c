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

/* Drops the page: the next access waits again. */
int held_page_take(struct held_page *held);
void held_page_free(struct held_page *held);

/* Reads into the two held pages at @task->buf, half of the value into each. */
ssize_t held_pages_read(struct evfd_task *task);

/*
 * A reader waits for the first of two held pages. This supplies both, and adds 1 to
 * @fd before the second one, so the reader has to copy again. With @again it drops
 * the first page before that, and waits until the reader waits for it.
 */
int held_pages_lose(struct held_page *held, int fd, bool again);

#endif /* _EVFD_HELD_H */
