/* SPDX-License-Identifier: GPL-2.0-only */
/* What ms_machine_check() finds, as lines, and what it counts on the way. */
#include "core/check.h"

#include <stdarg.h>
#include <stdlib.h>

bool ms_check_found(struct ms_check *c, const char *format, ...)
{
	va_list args;

	if (c->found++ >= MS_CHECK_MAX_LINES || !c->out)
		return false;
	va_start(args, format);
	vfprintf(c->out, format, args);
	va_end(args);
	fputc('\n', c->out);
	return false;
}

#define FIRST_SLOTS 1024u

/* The slot of the key, or the empty one where it belongs. */
static struct ms_met *slot_of(const struct ms_tally *t, uint64_t key)
{
	size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (t->nr_slots - 1);

	while (t->slot[i].key && t->slot[i].key != key)
		i = (i + 1) & (t->nr_slots - 1);
	return &t->slot[i];
}

static bool grow(struct ms_tally *t)
{
	struct ms_tally larger = { .nr_slots = t->nr_slots ? 2 * t->nr_slots : FIRST_SLOTS };

	// not of the machine's memory, which is only looked at
	larger.slot = calloc(larger.nr_slots, sizeof(*larger.slot));
	if (!larger.slot)
		return false;
	for (size_t i = 0; i < t->nr_slots; i++)
		if (t->slot[i].key)
			*slot_of(&larger, t->slot[i].key) = t->slot[i];
	larger.in_use = t->in_use;
	free(t->slot);
	*t = larger;
	return true;
}

void ms_check_meet(struct ms_check *c, uint64_t key)
{
	struct ms_tally *t = &c->tally;
	struct ms_met *met;

	if (c->no_memory)
		return;
	if (2 * t->in_use >= t->nr_slots && !grow(t)) {
		c->no_memory = true;
		ms_check_found(c, "machine: no memory to count what is held");
		return;
	}
	met = slot_of(t, key);
	t->in_use += !met->key;
	met->key = key;
	met->count++;
}

uint32_t ms_check_take_met(struct ms_check *c, uint64_t key)
{
	struct ms_met *met = c->tally.slot ? slot_of(&c->tally, key) : NULL;
	uint32_t count = met ? met->count : 0;

	if (met)
		met->count = 0;
	return count;
}

void ms_check_destroy(struct ms_check *c)
{
	free(c->tally.slot);
}
