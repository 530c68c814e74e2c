/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the clients of event libraries share: threads that send requests to a loop
 * and wait for its answers, and a list of the descriptors in use.
 *
 * A thread has one request at a time, and the loop sleeps until one comes. So each
 * request needs a wakeup through the library's descriptor: a lost wakeup stops the
 * program, and its time limit ends it. Uses the C library alone. Read libuv.c
 * next; run starts the programs and reads their output.
 */
#ifndef _CLIENT_H
#define _CLIENT_H

#include <err.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 250 };

/* A thread, its requests, and how many the loop has handled. */
struct requester {
	pthread_t thread;
	sem_t answered;
	int asked;	/* written by the thread */
	int handled;	/* written by the loop */
	void *handle;	/* the library's object for it */
};

/* Called in the loop's thread. Returns whether it was the thread's last request. */
int requester_answer(struct requester *r);

/* Called in a thread of its own. @post is the library's call. */
void requester_run(struct requester *r, void (*post)(struct requester *r));

void requester_start(struct requester *r, void *(*thread)(void *r));

/* Joins the thread. Returns how many requests were handled. */
int requester_join(struct requester *r);

/* Prints the descriptors of this process; to be called before the loop is freed. */
void print_descriptors(void);

#endif /* _CLIENT_H */
