/* SPDX-License-Identifier: GPL-2.0-only */
/* <mapsim/state.h>: a machine's state is a copy of its arena, and of what it keeps beside that. */
#include "base/arena.h"
#include "core/core.h"

#include <mapsim/state.h>

#include <stdlib.h>

struct ms_state {
	const struct ms_machine *machine;
	struct ms_arena_copy *copy;
	struct kept_copy *kept; /* of each ms_kept, the last one first */
	size_t bytes;           /* of these copies */
};

struct kept_copy {
	struct kept_copy *next;
	void *start; /* of the bytes themselves */
	size_t size;
	char bytes[];
};

/* Of what runs, the stack is no part of the machine. */
static int refuse_running(struct ms_machine *m)
{
	if (m->in_hook)
		return ms_refuse(m, -EBUSY, "a hook is running");
	return ms_is_called(m) ? ms_refuse(m, -EBUSY, "a driver's function is running") : 0;
}

static bool overlap(const struct ms_kept *kept, uintptr_t start, size_t size)
{
	const uintptr_t other = (uintptr_t)kept->start;

	return start < other + kept->size && other < start + size;
}

int ms_state_keep(struct ms_machine *m, void *start, size_t size)
{
	struct ms_kept **end = m ? &m->kept : NULL, *kept;

	if (!m)
		return -EINVAL;
	if (!start || !size || (uintptr_t)start + size < (uintptr_t)start)
		return ms_refuse(m, -EINVAL, "no range of memory");
	if (ms_arena_has(m->alloc.arena, start))
		return ms_refuse(m, -EINVAL, "the range is the machine's own memory");
	for (; *end; end = &(*end)->next)
		if (overlap(*end, (uintptr_t)start, size))
			return ms_refuse(m, -EINVAL, "a part of the range is kept already");
	kept = ms_zalloc(&m->alloc, sizeof(*kept));
	if (!kept)
		return ms_refuse(m, -ENOMEM, "no memory");
	*kept = (struct ms_kept){ .start = start, .size = size };
	*end = kept;
	return 0;
}

static void free_kept(struct ms_state *s)
{
	for (struct kept_copy *copy = s->kept, *next; copy; copy = next) {
		next = copy->next;
		free(copy);
	}
}

/* false: no memory. */
static bool copy_kept(struct ms_state *s)
{
	for (const struct ms_kept *kept = s->machine->kept; kept; kept = kept->next) {
		struct kept_copy *copy = malloc(sizeof(*copy) + kept->size);

		if (!copy)
			return false;
		*copy = (struct kept_copy){ s->kept, kept->start, kept->size };
		memcpy(copy->bytes, kept->start, kept->size);
		s->kept = copy;
		s->bytes += sizeof(*copy) + kept->size;
	}
	return true;
}

struct ms_state *ms_state_save(struct ms_machine *m)
{
	struct ms_state *s;
	int err = m ? refuse_running(m) : -EINVAL;

	if (err)
		return ms_refusal_null(err);
	s = ms_alloc_allowed(&m->alloc) ? malloc(sizeof(*s)) : NULL;
	if (!s)
		return ms_refuse_null(m, -ENOMEM, "no memory");
	*s = (struct ms_state){ .machine = m };
	s->copy = copy_kept(s) ? ms_arena_copy_new(m->alloc.arena) : NULL;
	if (s->copy)
		return s;
	free_kept(s);
	free(s);
	return ms_refuse_null(m, -ENOMEM, "no memory");
}

int ms_state_restore(struct ms_machine *m, const struct ms_state *s)
{
	int err = m ? refuse_running(m) : -EINVAL;

	if (err)
		return err;
	if (!s || s->machine != m)
		return ms_refuse(m, -EINVAL,
				 s ? "a state of another machine" : "there is no state");
	ms_arena_put_back(m->alloc.arena, s->copy);
	for (const struct kept_copy *copy = s->kept; copy; copy = copy->next)
		memcpy(copy->start, copy->bytes, copy->size);
	return 0;
}

void ms_state_free(struct ms_state *s)
{
	if (!s)
		return;
	ms_arena_copy_free(s->copy);
	free_kept(s);
	free(s);
}

size_t ms_state_bytes(const struct ms_state *s)
{
	return s ? sizeof(*s) + s->bytes + ms_arena_copy_bytes(s->copy) : 0;
}
