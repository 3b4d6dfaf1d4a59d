/* SPDX-License-Identifier: GPL-2.0-only */
/* A player's state: that of its machine, and who in it plays which part; and both as a number. */
#include "script/player.h"

#include <mapsim/state.h>

#include <stdlib.h>

struct ms_player_state {
	struct ms_state *machine;
	const struct ms_player *of;
	struct ms_player player; /* its `types` is a copy of the state's own */
};

/* Of n elements; NULL also where there are none. */
static struct ms_mapped_type *copy_types(const struct ms_mapped_type *types, size_t n)
{
	struct ms_mapped_type *copy = n ? calloc(n, sizeof(*copy)) : NULL;

	if (copy)
		memcpy(copy, types, n * sizeof(*copy));
	return copy;
}

struct ms_player_state *ms_player_save(struct ms_player *p)
{
	struct ms_player_state *s;

	if (!p)
		return ms_script_null(-EINVAL);
	s = malloc(sizeof(*s));
	if (!s)
		return ms_script_null(-ENOMEM);
	*s = (struct ms_player_state){ .of = p, .player = *p };
	s->player.types = copy_types(p->types, p->nr_types);
	if (s->player.types || !p->nr_types) {
		s->machine = ms_state_save(p->m);
		if (s->machine)
			return s;
	} else {
		errno = ENOMEM;
	}
	free(s->player.types);
	free(s);
	return NULL;
}

int ms_player_restore(struct ms_player *p, const struct ms_player_state *s)
{
	struct ms_mapped_type *types;
	struct ms_player former;
	int err;

	if (!p || !s || s->of != p)
		return -EINVAL;
	types = copy_types(s->player.types, s->player.nr_types);
	if (!types && s->player.nr_types)
		return -ENOMEM;
	err = ms_state_restore(p->m, s->machine);
	if (err) {
		free(types);
		return err;
	}
	// the stream stays, and so does the answer's memory, which may have grown
	former = *p;
	*p = s->player;
	p->out = former.out;
	p->answer = former.answer;
	p->answer_size = former.answer_size;
	p->types = types;
	free(former.types);
	return 0;
}

void ms_player_state_free(struct ms_player_state *s)
{
	if (!s)
		return;
	ms_state_free(s->machine);
	free(s->player.types);
	free(s);
}

size_t ms_player_state_bytes(const struct ms_player_state *s)
{
	return s ? sizeof(*s) + ms_state_bytes(s->machine) : 0;
}

/* ---- as a number ---- */

#define PARTS (4 + 2 * MS_SRC_RESOURCE + 2 * MS_MAX_HEADER_ITEMS)

static void mix(uint64_t *hash, uint64_t word)
{
	const uint64_t value = (*hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);

	*hash = value ^ value >> 29;
}

/* How many vfio devices were opened before device i, of those that are open. */
static unsigned int opened_before(const struct ms_player *p, size_t i)
{
	unsigned int n = 0;

	for (size_t k = 0; k < p->header->nr_devices; k++)
		n += p->vfio[k] && p->vfio_opened[k] < p->vfio_opened[i];
	return n;
}

uint64_t ms_player_hash(const struct ms_player *p)
{
	const void *part[PARTS];
	uint64_t hash = 0, machine;
	size_t n = 0;

	if (!p)
		return 0;
	part[n++] = p->worker;
	part[n++] = p->child;
	part[n++] = p->vm;
	part[n++] = p->child_vm;
	for (size_t i = 0; i < MS_SRC_RESOURCE; i++) {
		part[n++] = p->file[i];
		part[n++] = p->child_file[i];
		mix(&hash, p->inherited[i]);
	}
	for (size_t i = 0; i < p->header->nr_devices; i++) {
		part[n++] = p->vfio[i];
		part[n++] = p->driver[i];
		mix(&hash, p->vfio[i] ? opened_before(p, i) : 0);
	}
	for (size_t i = 0; i < MS_IOREMAP_SLOTS; i++) {
		mix(&hash, p->ioremap[i].pa);
		mix(&hash, p->ioremap[i].size);
	}
	for (unsigned int i = 0; i < p->nr_at; i++) {
		mix(&hash, (uint64_t)p->at[i].point << 32 | p->at[i].nth);
		mix(&hash, (uint64_t)((const char *)p->at[i].op - (const char *)p->script->ops));
	}
	machine = ms_machine_hash_with(p->m, part, n);
	mix(&hash, machine);
	return machine && !hash ? 1 : machine ? hash : 0;
}
