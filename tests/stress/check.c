// SPDX-License-Identifier: GPL-2.0-only
#include "check.h"
#include "ops.h"

/* May a task sleep that wants this of a counter of @count? */
static bool may_sleep(const struct slot *slot, uint64_t count)
{
	switch (slot->wants) {
	case TO_READ:
	case TO_SEE_IN:
		return !count;
	case TO_WRITE:
		return UINT64_MAX - count <= slot->value;
	case TO_SEE_OUT:
		return UINT64_MAX - count <= 1;
	default:
		/* Another waiter may have been woken instead. */
		return true;
	}
}

enum finding { RESTING, BUSY, FORGOTTEN };

static void mix(uint64_t *sum, uint64_t value)
{
	*sum = (*sum ^ value) * 0x100000001b3ULL;
}

/* Checks all tasks. @sum changes whenever their state does. */
static enum finding look(uint64_t *sum, int *sleeping)
{
	uint64_t counts[NR_COUNTERS];
	enum finding finding = RESTING;
	int i;

	*sum = 0xcbf29ce484222325ULL;
	*sleeping = 0;
	for (i = 0; i < NR_COUNTERS; i++) {
		counts[i] = count_of(&world->counters[i]);
		mix(sum, counts[i]);
	}
	for (i = 0; i < NR_SLOTS; i++) {
		const struct slot *slot = &world->slots[i];
		int state = slot->state;
		char asleep = '-';

		if (!slot->used)
			continue;
		if (state == IN_OP)
			asleep = evfd_test_task_state(slot->tid);
		mix(sum, (uint64_t)i << 56 | (uint64_t)slot->seq << 16 |
			 (uint64_t)state << 8 | (unsigned char)asleep);
		if (state == PARKED)
			continue;
		if (asleep != 'S' || slot->wants == NOTHING) {
			finding = BUSY;
		} else {
			++*sleeping;
			if (!may_sleep(slot, counts[slot->counter]) &&
			    finding == RESTING)
				finding = FORGOTTEN;
		}
	}

	return finding;
}

static void show(void)
{
	static const char * const states[] = {
		"free", "running", "parked", "in",
	};
	int i;

	for (i = 0; i < NR_COUNTERS; i++) {
		const struct counter *c = &world->counters[i];

		fprintf(stderr,
			"# counter %d: %llx%s%s, began with %llx, added %llx, read %llx\n",
			i, (unsigned long long)count_of(c),
			c->semaphore ? ", semaphore" : "",
			c->nonblock ? ", O_NONBLOCK" : "",
			(unsigned long long)c->initval,
			(unsigned long long)c->written,
			(unsigned long long)c->read);
	}
	for (i = 0; i < NR_SLOTS; i++) {
		const struct slot *slot = &world->slots[i];

		if (slot->used)
			fprintf(stderr,
				"# task %d of %d: %c, %s %s (value %llx) of counter %d%s\n",
				slot->tid, slot->pid,
				evfd_test_task_state(slot->tid),
				states[slot->state], ops[slot->op].name,
				(unsigned long long)slot->value, slot->counter,
				slot->state == IN_OP &&
				!may_sleep(slot, count_of(&world->counters[slot->counter])) ?
				"  <-- could go on" : "");
	}
}

static bool sleeps(const struct slot *slot)
{
	return slot->used && slot->state == IN_OP && slot->wants != NOTHING &&
	       evfd_test_task_state(slot->tid) == 'S';
}

/* Does the task wait for room, or for the opposite? */
static bool wants_room(const struct slot *slot)
{
	return slot->wants == TO_WRITE || slot->wants == TO_SEE_OUT ||
	       (slot->wants == TO_BE_CHOSEN &&
		world->counters[slot->counter].role == FULL);
}

/* Frees the sleeping tasks by one operation for each. */
static void free_sleepers(void)
{
	int i;

	for (i = 0; i < NR_SLOTS; i++) {
		struct slot *slot = &world->slots[i];
		struct counter *c = &world->counters[slot->counter];

		if (!sleeps(slot))
			continue;
		if (wants_room(slot))
			counter_take(c);
		else
			counter_add(c, 1);
	}
}

/* Waits until tasks rest, or with @end until they are gone, and frees them. */
static bool wait_for_tasks(bool end)
{
	uint64_t sum, last = 0;
	long since = evfd_test_now_ms();
	int same = 0, sleeping;

	for (;;) {
		enum finding finding = look(&sum, &sleeping);
		int i, used = 0;

		if (world->failed)
			return false;
		for (i = 0; i < NR_SLOTS; i++)
			used += world->slots[i].used;
		if (end && !used)
			return true;
		if (sum != last) {
			last = sum;
			since = evfd_test_now_ms();
			same = 0;
		} else {
			same++;
		}
		if (finding == RESTING && same && !end) {
			atomic_fetch_add(&world->slept, sleeping);
			return true;
		}
		if (finding == FORGOTTEN && same >= PATIENT_LOOKS) {
			show();
			fail("a task sleeps although it could go on");
		} else if (evfd_test_now_ms() - since > PATIENT_S * 1000) {
			show();
			fail("tasks do not %s", end ? "end" : "come to rest");
		}
		if (end)
			free_sleepers();
		usleep(same > 10 ? LOOK_US : 1000);
	}
}

bool come_to_rest(void)
{
	return wait_for_tasks(false);
}

bool come_to_an_end(void)
{
	return wait_for_tasks(true);
}

/* Whether @diff is a sum of values that killed tasks may have added to @c. */
static bool explained(const struct counter *c, uint64_t diff)
{
	uint64_t sum;
	int set, i;

	for (set = 0; set < 1 << c->nr_unsure; set++) {
		for (sum = 0, i = 0; i < c->nr_unsure; i++)
			sum += set >> i & 1 ? c->unsure[i] : 0;
		if (sum == diff)
			return true;
	}

	return false;
}

bool books_agree(void)
{
	int i;

	for (i = 0; i < NR_COUNTERS && !world->failed; i++) {
		struct counter *c = &world->counters[i];
		uint64_t diff = count_of(c) -
				(c->initval + c->written - c->read);

		if (!explained(c, diff)) {
			show();
			fail("counter %d has %lld more than it should", i,
			     (long long)diff);
		}
		c->written += diff;
		c->nr_unsure = 0;
	}

	return !world->failed;
}

bool nudge(uint64_t *rng)
{
	bool done[NR_COUNTERS] = { };
	bool any = false;
	int i;

	for (i = 0; i < NR_SLOTS; i++) {
		struct slot *slot = &world->slots[i];
		struct counter *c = &world->counters[slot->counter];

		if (!sleeps(slot) || done[slot->counter])
			continue;
		done[slot->counter] = true;
		any = true;
		if (wants_room(slot))
			counter_take(c);
		else
			counter_add(c, 1 + draw(rng) % 3);
	}
	atomic_fetch_add(&world->nudges, 1);

	return any;
}
