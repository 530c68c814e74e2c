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

#include <err.h>
#include <pthread.h>
#include <semaphore.h>
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
int requester_answer(struct requester *r);

/* Called in a thread of its own. @post is the library's call. */
void requester_run(struct requester *r, void (*post)(struct requester *r));

void requester_start(struct requester *r, void *(*thread)(void *r));

/* Joins the thread. Returns how many requests were handled. */
int requester_join(struct requester *r);

/*
 * Prints which descriptors this process has now: call it while the loop is
 * still there.
 */
void print_descriptors(void);

#endif /* _CLIENT_H */
