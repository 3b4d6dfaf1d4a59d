/* SPDX-License-Identifier: GPL-2.0-only */
/* <mapsim/state.h>: what a machine is, as a number. Each room adds its part (core/hash.h). */
#include "core/hash.h"
#include "machine/rooms.h"

#include <mapsim/state.h>

#include <stdlib.h>

#define FIRST_SLOTS 512u

/* What the user has set, and what is under way. */
static void add_machine(struct ms_hash *h)
{
	const struct ms_machine *m = h->machine;
	const struct ms_alloc *alloc = &m->alloc;

	for (unsigned int i = 0; i < MS_HOOK_POINTS; i++)
		if (m->hook[i].fn) {
			ms_hash_add(h, i);
			ms_hash_pointer(h, (const void *)(uintptr_t)m->hook[i].fn);
			ms_hash_pointer(h, m->hook[i].arg);
		}
	ms_hash_add(h, (uint64_t)m->in_hook << 32 | m->call.locks);
	ms_hash_add(h, m->call.mmap_again);
	ms_hash_refer(h, m->call.mm);
	ms_hash_add(h, alloc->fail_at > alloc->allocs ? alloc->fail_at - alloc->allocs : 0);
}

uint64_t ms_machine_hash_with(const struct ms_machine *m, const void *const *object, size_t n)
{
	struct ms_name name[FIRST_SLOTS];
	struct ms_hash h = { .machine = m, .object = object, .nr_objects = object ? n : 0 };

	if (!m)
		return 0;
	memset(name, 0, sizeof(name));
	h.name = name;
	h.nr_slots = FIRST_SLOTS;
	for (size_t i = 0; i < h.nr_objects; i++)
		ms_hash_refer(&h, object[i]);
	ms_rooms_hash(&h);
	add_machine(&h);
	free(h.large);
	if (h.no_memory)
		return 0;
	return h.value ? h.value : 1;
}

uint64_t ms_machine_hash(const struct ms_machine *m)
{
	return ms_machine_hash_with(m, NULL, 0);
}
