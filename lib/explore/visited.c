/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A set of 64-bit hashes: one array with open addressing, at most three quarters full, so that a
 * state takes 11 to 22 bytes. The hashes are mixed well already, and are their own places.
 */
#include "explore/internal.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256u

uint64_t ms_mix_text(uint64_t hash, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 32;
}

static size_t place(const struct ms_visited *v, uint64_t hash)
{
	size_t i = hash & (v->capacity - 1);

	while (v->slot[i] && v->slot[i] != hash)
		i = (i + 1) & (v->capacity - 1);
	return i;
}

bool ms_visited_has(const struct ms_visited *v, uint64_t hash)
{
	return !hash || (v->nr && v->slot[place(v, hash)]);
}

static int enlarge(struct ms_visited *v)
{
	struct ms_visited bigger = { .capacity = v->capacity ? 2 * v->capacity : FIRST_CAPACITY };

	bigger.slot = calloc(bigger.capacity, sizeof(*bigger.slot));
	if (!bigger.slot)
		return -ENOMEM;
	for (size_t i = 0; i < v->capacity; i++) {
		if (v->slot[i])
			bigger.slot[place(&bigger, v->slot[i])] = v->slot[i];
	}
	bigger.nr = v->nr;
	free(v->slot);
	*v = bigger;
	return 0;
}

int ms_visited_add(struct ms_visited *v, uint64_t hash)
{
	if (ms_visited_has(v, hash))
		return 0;
	if (v->nr + 1 > v->capacity / 4 * 3) {
		int err = enlarge(v);

		if (err)
			return err;
	}
	v->slot[place(v, hash)] = hash;
	v->nr++;
	return 1;
}

void ms_visited_clear(struct ms_visited *v)
{
	if (v->nr)
		memset(v->slot, 0, v->capacity * sizeof(*v->slot));
	v->nr = 0;
}

void ms_visited_free(struct ms_visited *v)
{
	free(v->slot);
	*v = (struct ms_visited){ 0 };
}
