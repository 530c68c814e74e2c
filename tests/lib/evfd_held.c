// SPDX-License-Identifier: GPL-2.0-only
#include "evfd_held.h"

int held_page_make(struct held_page *held)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	long size = sysconf(_SC_PAGESIZE);

	memset(held, 0, sizeof(*held));
	held->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (held->uffd < 0)
		return -1;
	held->page = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)held->page;
	reg.range.len = size;
	held->range = reg.range;
	if (held->page == MAP_FAILED ||
	    ioctl(held->uffd, UFFDIO_API, &api) ||
	    ioctl(held->uffd, UFFDIO_REGISTER, &reg))
		return -1;

	return 0;
}

int held_page_wanted(struct held_page *held)
{
	struct uffd_msg msg;

	if (read(held->uffd, &msg, sizeof(msg)) != sizeof(msg))
		return -1;
	return msg.event == UFFD_EVENT_PAGEFAULT ? 0 : -1;
}

int held_page_start(struct held_page *held, struct evfd_task *task)
{
	task->buf = held->page;
	return evfd_task_run(task) || held_page_wanted(held) ? -1 : 0;
}

int held_page_give(struct held_page *held)
{
	static _Alignas(4096) char page[4096];
	struct uffdio_copy copy = {
		.dst = held->range.start,
		.src = (uintptr_t)page,
		.len = held->range.len,
	};

	memcpy(page, &held->value, sizeof(held->value));
	return ioctl(held->uffd, UFFDIO_COPY, &copy);
}

int held_page_take(struct held_page *held)
{
	return madvise(held->page, held->range.len, MADV_DONTNEED);
}

void held_page_free(struct held_page *held)
{
	munmap(held->page, held->range.len);
	close(held->uffd);
}

ssize_t held_pages_read(struct evfd_task *task)
{
	struct held_page *held = task->buf;
	struct iovec iov[2] = { { held[0].page, 4 }, { held[1].page, 4 } };

	return sysret(readv(task->fd, iov, 2));
}

int held_pages_lose(struct held_page *held, int fd, bool again)
{
	if (held_page_take(&held[1]) || held_page_give(&held[0]) ||
	    held_page_wanted(&held[1]) || evfd_test_write(fd, 1) != 8)
		return -1;
	if (again && held_page_take(&held[0]))
		return -1;
	if (held_page_give(&held[1]))
		return -1;
	return again ? held_page_wanted(&held[0]) : 0;
}
