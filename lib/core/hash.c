/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of what ms_machine_hash() meets. */
#include "core/hash.h"

#include "base/arena.h"

#include <stdlib.h>

/* What constants of the library are told by. */
static const char anchor;

static struct ms_name *slot_of(const struct ms_hash *h, uint64_t key)
{
	size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (h->nr_slots - 1);

	while (h->name[i].key && h->name[i].key != key)
		i = (i + 1) & (h->nr_slots - 1);
	return &h->name[i];
}

static bool grow(struct ms_hash *h)
{
	struct ms_hash larger = *h;

	larger.nr_slots = 4 * h->nr_slots;
	// not of the machine's memory, which is only looked at
	larger.name = larger.large = calloc(larger.nr_slots, sizeof(*larger.name));
	if (!larger.name)
		return false;
	for (size_t i = 0; i < h->nr_slots; i++)
		if (h->name[i].key)
			*slot_of(&larger, h->name[i].key) = h->name[i];
	free(h->large);
	*h = larger;
	return true;
}

/* NULL: it has none, and gets none. */
static struct ms_name *name_of(struct ms_hash *h, uint64_t key)
{
	struct ms_name *name = slot_of(h, key);

	if (name->key)
		return name;
	if (h->frozen || h->no_memory)
		return NULL;
	if (2 * (size_t)h->nr_names >= h->nr_slots) {
		if (!grow(h)) {
			h->no_memory = true;
			return NULL;
		}
		name = slot_of(h, key);
	}
	*name = (struct ms_name){ .key = key, .number = ++h->nr_names };
	return name;
}

void ms_hash_name(struct ms_hash *h, uint64_t key)
{
	name_of(h, key);
}

bool ms_hash_meet(struct ms_hash *h, uint64_t key)
{
	struct ms_name *name = name_of(h, key);
	bool told;

	ms_hash_add(h, name ? name->number : 0);
	if (!name || h->frozen)
		return !name || !name->told;
	told = name->told;
	name->told = true;
	return !told;
}

void ms_hash_refer(struct ms_hash *h, const void *object)
{
	const struct ms_name *name = object ? name_of(h, ms_hash_object(object)) : NULL;

	ms_hash_add(h, name ? name->number : 0);
}

bool ms_hash_is_known(const struct ms_hash *h, uint64_t key)
{
	return slot_of(h, key)->key;
}

void ms_hash_known(struct ms_hash *h, uint64_t key)
{
	ms_hash_add(h, slot_of(h, key)->number);
}

void ms_hash_pointer(struct ms_hash *h, const void *p)
{
	if (!p || ms_arena_has(h->machine->alloc.arena, p))
		ms_hash_refer(h, p);
	else
		ms_hash_add(h, (uintptr_t)p - (uintptr_t)&anchor);
}

void ms_hash_text(struct ms_hash *h, const char *text)
{
	uint64_t word = 1;

	for (; text && *text; text++) {
		if (word >> 56) {
			ms_hash_add(h, word);
			word = 1;
		}
		word = word << 8 | (unsigned char)*text;
	}
	ms_hash_add(h, word);
}
