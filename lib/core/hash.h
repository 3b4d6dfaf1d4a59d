/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ms_machine_hash() from the inside: each room adds its state, in lib/ROOM/hash.c, and changes
 * nothing.
 *
 * An object, and a page of RAM, is told by a number: how many others were met before it. So rooms
 * go over what they have in an order that follows from what a user can see, such as that of
 * addresses, and never from where something lies in memory or when it was made. Where no such order
 * exists, each thing is hashed by itself and the sum counts (ms_hash_apart()).
 *
 * What an object is comes where it is met first: ms_hash_meet() says so.
 */
#ifndef MS_CORE_HASH_H
#define MS_CORE_HASH_H

#include "core/core.h"

struct ms_name {
	uint64_t key;    /* 0: an empty slot */
	uint32_t number; /* from 1 on */
	bool told;       /* what it is has been hashed */
};

struct ms_hash {
	const struct ms_machine *machine;
	uint64_t value; /* of all that was added so far */
	/* Things that the user holds, met before all others; NULL: none at that place. */
	const void *const *object;
	size_t nr_objects;

	/* From the first page of RAM to the last one, with all between. */
	uint64_t ram_start, ram_pages;

	struct ms_name *name; /* open addressing, at most half of them in use */
	size_t nr_slots;      /* a power of two */
	uint32_t nr_names;
	struct ms_name *large; /* the same, if it is malloc's */
	bool frozen;           /* nothing gets a number */
	bool no_memory;        /* for more names */
};

/* Keys of names: an object, which lies at an even address, or a page. */
static inline uint64_t ms_hash_object(const void *object)
{
	return (uintptr_t)object;
}
static inline uint64_t ms_hash_pfn(ms_pfn_t pfn)
{
	return pfn << 1 | 1;
}

static inline void ms_hash_add(struct ms_hash *h, uint64_t word)
{
	uint64_t value = (h->value ^ word) * UINT64_C(0x9e3779b97f4a7c15);

	h->value = value ^ value >> 29;
}
void ms_hash_text(struct ms_hash *h, const char *text); /* NULL is allowed */

/* Gives the thing a number, if it has none. */
void ms_hash_name(struct ms_hash *h, uint64_t key);
/* Adds the thing's number. true: what it is has not been told yet, and the caller does. While
 * nothing gets a number that is so each time. */
bool ms_hash_meet(struct ms_hash *h, uint64_t key);
/* Adds the number of an object, of which somebody else tells what it is. NULL is allowed. */
void ms_hash_refer(struct ms_hash *h, const void *object);
/* Adds the number alone, 0: it has none; whether it has one. */
bool ms_hash_is_known(const struct ms_hash *h, uint64_t key);
void ms_hash_known(struct ms_hash *h, uint64_t key);
/*
 * Adds a pointer that may be to anything: of what is in the machine's memory the number, of
 * functions and constants how far they are from the library's own.
 */
void ms_hash_pointer(struct ms_hash *h, const void *p);

/* What is added between these two is hashed by itself: the answer of ms_hash_apart_end(). */
static inline uint64_t ms_hash_apart(struct ms_hash *h)
{
	const uint64_t outer = h->value;

	h->value = UINT64_C(0x2545f4914f6cdd1d);
	return outer;
}
static inline uint64_t ms_hash_apart_end(struct ms_hash *h, uint64_t outer)
{
	uint64_t value = h->value * UINT64_C(0xbf58476d1ce4e5b9);

	h->value = outer;
	return value ^ value >> 32;
}

#endif
