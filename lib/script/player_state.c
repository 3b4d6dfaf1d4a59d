/* SPDX-License-Identifier: GPL-2.0-only */
/* A player's state: that of its machine, and who in it plays which part. */
#include "script/player.h"

#include <mapsim/state.h>

#include <stdlib.h>

struct ms_player_state {
	struct ms_state *machine;
	const struct ms_player *of;
	struct ms_player player;
};

struct ms_player_state *ms_player_save(struct ms_player *p)
{
	struct ms_player_state *s;

	if (!p)
		return ms_script_null(-EINVAL);
	s = malloc(sizeof(*s));
	if (!s)
		return ms_script_null(-ENOMEM);
	*s = (struct ms_player_state){ .machine = ms_state_save(p->m), .of = p, .player = *p };
	if (s->machine)
		return s;
	free(s);
	return NULL;
}

int ms_player_restore(struct ms_player *p, const struct ms_player_state *s)
{
	struct ms_player former;
	int err;

	if (!p || !s || s->of != p)
		return -EINVAL;
	err = ms_state_restore(p->m, s->machine);
	if (err)
		return err;
	// the stream stays, and so does the answer's memory, which may have grown
	former = *p;
	*p = s->player;
	p->out = former.out;
	p->answer = former.answer;
	p->answer_size = former.answer_size;
	return 0;
}

void ms_player_state_free(struct ms_player_state *s)
{
	if (!s)
		return;
	ms_state_free(s->machine);
	free(s);
}

size_t ms_player_state_bytes(const struct ms_player_state *s)
{
	return s ? sizeof(*s) + ms_state_bytes(s->machine) : 0;
}
