// SPDX-License-Identifier: GPL-2.0-only
#include "evfd_held.h"

int held_page_make(struct held_page *held, long size)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	memset(held, 0, sizeof(*held));
	held->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (held->uffd < 0)
		return -errno;
	held->page = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)held->page;
	reg.range.len = size;
	held->range = reg.range;
	if (held->page == MAP_FAILED ||
	    ioctl(held->uffd, UFFDIO_API, &api) ||
	    ioctl(held->uffd, UFFDIO_REGISTER, &reg))
		return -errno;

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

void held_page_free(struct held_page *held)
{
	munmap(held->page, held->range.len);
	close(held->uffd);
}
