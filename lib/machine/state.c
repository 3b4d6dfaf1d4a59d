/* SPDX-License-Identifier: GPL-2.0-only */
/* <mapsim/state.h>: a machine's state is a copy of its arena. */
#include "base/arena.h"
#include "core/core.h"

#include <mapsim/state.h>

#include <stdlib.h>

struct ms_state {
	const struct ms_machine *machine;
	struct ms_arena_copy *copy;
};

/* Of what runs, the stack is no part of the machine. */
static int refuse_running(struct ms_machine *m)
{
	if (m->in_hook)
		return ms_refuse(m, -EBUSY, "a hook is running");
	return ms_is_called(m) ? ms_refuse(m, -EBUSY, "a driver's function is running") : 0;
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
	*s = (struct ms_state){ m, ms_arena_copy_new(m->alloc.arena) };
	if (s->copy)
		return s;
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
	return 0;
}

void ms_state_free(struct ms_state *s)
{
	if (!s)
		return;
	ms_arena_copy_free(s->copy);
	free(s);
}

size_t ms_state_bytes(const struct ms_state *s)
{
	return s ? sizeof(*s) + ms_arena_copy_bytes(s->copy) : 0;
}
