// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>

#include "client.h"

int requester_answer(struct requester *r)
{
	if (r->asked != r->handled + 1)
		errx(1, "request %d came as number %d", r->asked,
		     r->handled + 1);
	r->handled++;
	sem_post(&r->answered);
	return r->handled == ROUNDS;
}

void requester_run(struct requester *r, void (*post)(struct requester *r))
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		r->asked++;
		post(r);
		while (sem_wait(&r->answered))
			;
	}
}

void requester_start(struct requester *r, void *(*thread)(void *r))
{
	if (sem_init(&r->answered, 0, 0) ||
	    pthread_create(&r->thread, NULL, thread, r))
		errx(1, "cannot start a thread");
}

int requester_join(struct requester *r)
{
	pthread_join(r->thread, NULL);
	return r->handled;
}

void print_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int ours = 0, real = 0;
	struct dirent *entry;
	char link[64];
	ssize_t n;

	if (!dir)
		err(1, "/proc/self/fd");
	while ((entry = readdir(dir))) {
		n = readlinkat(dirfd(dir), entry->d_name, link,
			       sizeof(link) - 1);
		link[n < 0 ? 0 : n] = '\0';
		ours += !strcmp(link, "anon_inode:[evfd]");
		real += !strcmp(link, "anon_inode:[eventfd]");
	}
	closedir(dir);
	printf("descriptors: evfd x %d, eventfd x %d\n", ours, real);
}
