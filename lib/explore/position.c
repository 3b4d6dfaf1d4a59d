/* SPDX-License-Identifier: GPL-2.0-only */
/* One machine on which letters are played, with what the user keeps beside it. */
#include "explore/internal.h"

#include <mapsim/machine.h>

#include <stdlib.h>
#include <string.h>

static int begin_user(struct ms_position *pos)
{
	const struct ms_explore_user *user = pos->letters->user;

	return user && user->begin ? user->begin(pos->player, &pos->own, user->arg) : 0;
}

int ms_position_begin(struct ms_position *pos, const struct ms_letters *letters)
{
	*pos = (struct ms_position){ .letters = letters };
	pos->player = ms_player_new(letters->script, NULL);
	if (!pos->player)
		return -errno;
	int err = begin_user(pos);
	for (size_t i = 0; !err && i < letters->nr_setup; i++) {
		if (!ms_player_step(pos->player, i))
			err = -ENOMEM;
	}
	if (err)
		ms_position_end(pos);
	return err;
}

void ms_position_end(struct ms_position *pos)
{
	const struct ms_explore_user *user = pos->letters->user;

	if (user && user->end && pos->player)
		user->end(pos->player, pos->own, user->arg);
	ms_player_free(pos->player);
	pos->player = NULL;
}

int ms_position_play(struct ms_position *pos, unsigned int letter, const char **answer)
{
	const struct ms_letters *l = pos->letters;

	pos->path[pos->len++] = (uint16_t)letter;
	if (letter < l->nr_script) {
		*answer = ms_player_step(pos->player, l->nr_setup + letter);
		return *answer ? 0 : -ENOMEM;
	}
	ms_trace_clear(ms_player_machine(pos->player));
	*answer = "";
	return l->user->op(letter - l->nr_script, pos->player, pos->own, l->user->arg);
}

const char *ms_position_look(struct ms_position *pos, size_t look)
{
	const struct ms_letters *l = pos->letters;

	if (look >= l->nr_looks)
		return NULL;
	return ms_player_step(pos->player, l->nr_setup + l->nr_script + look);
}

void ms_position_mark(struct ms_position *pos)
{
	ms_player_hazards(pos->player, NULL, NULL);
}

static void *save_user(struct ms_position *pos)
{
	const struct ms_explore_user *user = pos->letters->user;

	return user && user->save ? user->save(pos->own, user->arg) : NULL;
}

int ms_position_save(struct ms_position *pos, struct ms_saved *saved)
{
	const struct ms_explore_user *user = pos->letters->user;

	memcpy(saved->path, pos->path, pos->len * sizeof(pos->path[0]));
	saved->len = pos->len;
	saved->state = NULL;
	ms_position_mark(pos);
	saved->own = save_user(pos);
	if (user && user->save && !saved->own)
		return -ENOMEM;
	saved->state = ms_player_save(pos->player);
	if (saved->state)
		return 0;
	int err = -errno;
	ms_position_drop(pos, saved);
	return err;
}

int ms_position_restore(struct ms_position *pos, const struct ms_saved *saved)
{
	const struct ms_explore_user *user = pos->letters->user;
	int err = ms_player_restore(pos->player, saved->state);

	if (err)
		return err;
	memcpy(pos->path, saved->path, saved->len * sizeof(pos->path[0]));
	pos->len = saved->len;
	if (user && user->restore)
		user->restore(pos->own, saved->own, user->arg);
	return 0;
}

void ms_position_drop(struct ms_position *pos, struct ms_saved *saved)
{
	const struct ms_explore_user *user = pos->letters->user;

	ms_player_state_free(saved->state);
	if (user && user->drop && saved->own)
		user->drop(saved->own, user->arg);
	saved->state = NULL;
	saved->own = NULL;
}

uint64_t ms_position_hash(struct ms_position *pos)
{
	const struct ms_explore_user *user = pos->letters->user;
	uint64_t h = ms_player_hash(pos->player);

	if (user && user->hash)
		h = (h ^ user->hash(pos->own, user->arg)) * UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}
