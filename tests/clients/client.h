/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the small clients of event libraries have in common: threads that post
 * to a loop and wait until it has answered, and the proof of what they used.
 *
 * A thread has one request open at a time, and the loop sleeps until one comes.
 * So each request takes a wakeup through the library's descriptor: a lost one
 * stops the program for good, and its time limit finds it. May use the C
 * library alone. run starts the programs and reads what they print.
 */
#ifndef _CLIENT_H
#define _CLIENT_H

#include <dirent.h>
#include <err.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 250 };

/* A thread, its requests, and what the loop has made of them. */
struct requester {
	pthread_t thread;
	sem_t answered;
	int asked;	/* written by the thread */
	int handled;	/* written by the loop */
	void *handle;	/* what the library knows it by */
};

/* Called in the loop's thread. Returns whether it was the last of this one. */
static inline int requester_answer(struct requester *r)
{
	if (r->asked != r->handled + 1)
		errx(1, "request %d came as number %d", r->asked,
		     r->handled + 1);
	r->handled++;
	sem_post(&r->answered);
	return r->handled == ROUNDS;
}

/* Called in a thread of its own. @post is the library's call. */
static inline void requester_run(struct requester *r,
				 void (*post)(struct requester *r))
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		r->asked++;
		post(r);
		while (sem_wait(&r->answered))
			;
	}
}

static inline void requester_start(struct requester *r,
				   void *(*thread)(void *r))
{
	if (sem_init(&r->answered, 0, 0) ||
	    pthread_create(&r->thread, NULL, thread, r))
		errx(1, "cannot start a thread");
}

/* Joins the thread. Returns how many requests were handled. */
static inline int requester_join(struct requester *r)
{
	pthread_join(r->thread, NULL);
	return r->handled;
}

/*
 * Prints which descriptors this process has now: call it while the loop is
 * still there.
 */
static inline void print_descriptors(void)
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

#endif /* _CLIENT_H */
