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

int ms_position_save(struct ms_position *pos, struct ms_saved *saved)
{
	memcpy(saved->path, pos->path, sizeof(saved->path));
	saved->len = pos->len;
	return 0;
}

int ms_position_restore(struct ms_position *pos, const struct ms_saved *saved)
{
	const struct ms_letters *letters = pos->letters;
	const char *answer;

	ms_position_end(pos);
	int err = ms_position_begin(pos, letters);
	for (unsigned int i = 0; !err && i < saved->len; i++)
		err = ms_position_play(pos, saved->path[i], &answer);
	return err;
}

void ms_position_drop(struct ms_position *pos, struct ms_saved *saved)
{
	(void)pos;
	(void)saved;
}

static uint64_t mix(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	return h;
}

uint64_t ms_position_hash(struct ms_position *pos)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	const struct ms_letters *l = pos->letters;

	for (size_t i = 0; i < l->nr_looks; i++)
		h = mix(h, ms_position_look(pos, i));
	if (l->user && l->user->hash)
		h = (h ^ l->user->hash(pos->own, l->user->arg)) * UINT64_C(0x100000001b3);
	for (unsigned int i = 0; i < pos->len; i++) {
		const char *text = ms_script_get_op(l->script, l->nr_setup + pos->path[i]).text;

		// what no look shows: devices, claims, ioremaps, logs, slots
		if (pos->path[i] < l->nr_script && strchr("vcrisd", text[0]))
			h = mix(h, text);
	}
	return h ^ h >> 31;
}
