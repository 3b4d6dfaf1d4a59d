/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What stands behind xarray, idr and ida: entries by their index, in an ordered array that exists
 * while there are any. It comes from the driver's memory, so that what a driver leaves in it shows.
 */
#include "linux/state.h"

struct slot {
	unsigned long index;
	void *entry;
};

struct slots {
	size_t nr, room;
	struct slot slot[];
};

/* The first slot whose index is not below `index`; nr: none. */
static size_t find(const struct slots *slots, unsigned long index)
{
	size_t low = 0, high = slots ? slots->nr : 0;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (slots->slot[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void *ms_linux_xa_load(void *const *head, unsigned long index)
{
	const struct slots *slots = *head;
	const size_t i = find(slots, index);

	return slots && i < slots->nr && slots->slot[i].index == index ? slots->slot[i].entry
								       : NULL;
}

static void erase(void **head, size_t i)
{
	struct slots *slots = *head;

	slots->nr--;
	memmove(&slots->slot[i], &slots->slot[i + 1], (slots->nr - i) * sizeof(slots->slot[0]));
	if (slots->nr)
		return;
	ms_linux_free(slots);
	*head = NULL;
}

/* Makes room for one more. */
static bool grow(void **head, unsigned int gfp)
{
	const struct slots *slots = *head;
	const size_t nr = slots ? slots->nr : 0;
	const size_t room = nr ? 2 * nr : 4;
	struct slots *more;

	if (slots && nr < slots->room)
		return true;
	more = ms_linux_alloc(1, sizeof(*more) + room * sizeof(more->slot[0]), gfp);
	if (!more)
		return false;
	*more = (struct slots){ .nr = nr, .room = room };
	if (nr)
		memcpy(more->slot, slots->slot, nr * sizeof(more->slot[0]));
	ms_linux_free(slots);
	*head = more;
	return true;
}

int ms_linux_xa_store(void **head, unsigned long index, void *entry, unsigned int gfp)
{
	const size_t i = find(*head, index);
	struct slots *slots = *head;

	if (slots && i < slots->nr && slots->slot[i].index == index) {
		if (entry)
			slots->slot[i].entry = entry;
		else
			erase(head, i);
		return 0;
	}
	if (!entry)
		return 0;
	if (!grow(head, gfp))
		return -ENOMEM;
	slots = *head;
	memmove(&slots->slot[i + 1], &slots->slot[i], (slots->nr - i) * sizeof(slots->slot[0]));
	slots->slot[i] = (struct slot){ .index = index, .entry = entry };
	slots->nr++;
	return 0;
}

bool ms_linux_xa_next(void *const *head, unsigned long from, unsigned long max,
		      unsigned long *index, void **entry)
{
	const struct slots *slots = *head;
	const size_t i = find(slots, from);

	if (!slots || i >= slots->nr || slots->slot[i].index > max)
		return false;
	*index = slots->slot[i].index;
	*entry = slots->slot[i].entry;
	return true;
}

bool ms_linux_xa_unused(void *const *head, unsigned long min, unsigned long max,
			unsigned long *index)
{
	const struct slots *slots = *head;
	size_t i = find(slots, min);

	for (; slots && i < slots->nr && slots->slot[i].index == min; i++) {
		if (min == max)
			return false;
		min++;
	}
	*index = min;
	return min <= max;
}

void ms_linux_xa_destroy(void **head)
{
	ms_linux_free(*head);
	*head = NULL;
}
