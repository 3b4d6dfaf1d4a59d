/* SPDX-License-Identifier: GPL-2.0-only */
/* One thread's part of a level: each letter is played in the state of each node. */
#include "explore/internal.h"

#include <mapsim/machine.h>

#include <stdlib.h>
#include <string.h>

static int note_state(struct ms_chunk *chunk, const struct ms_new_state *state)
{
	int err = ms_explore_grow((void **)&chunk->states, &chunk->states_capacity,
				  chunk->nr_states, sizeof(*chunk->states));

	if (!err)
		chunk->states[chunk->nr_states++] = *state;
	return err;
}

/*
 * What an operation does can be wrong though the state that it leads to is not: a crash, a fault
 * that never ends, a guest that is refused. So a state that is reached in such a way is looked at
 * again, under another number.
 */
static uint64_t way_of(struct ms_position *pos, const char *answer)
{
	const struct ms_machine *m = ms_player_machine(pos->player);
	const struct ms_event *ev;
	uint64_t key = 0;

	if (strncmp(answer, "ret 0\n", 6))
		key = ms_mix_text(key, answer, strcspn(answer, "\n"));
	for (size_t i = 0; (ev = ms_violation_get(m, i)); i++)
		key = ms_mix_text(key, ev->reason, ev->reason ? strlen(ev->reason) : 0);
	return key;
}

/* Notes what is new about the state that the letter has led to. */
static int look(const struct ms_explore *x, struct ms_worker *w, struct ms_chunk *chunk,
		size_t node, unsigned int letter, const char *answer)
{
	struct ms_new_state new = { .node = (uint32_t)node, .letter = (uint16_t)letter };
	struct ms_judged judged;

	// a look at the state may end what is known of the operation
	ms_judge_events(&w->pos, x->world, answer, &judged);
	new.key = way_of(&w->pos, answer);
	new.state = ms_position_hash(&w->pos);
	new.key ^= new.state;
	if (ms_visited_has(&x->visited, new.key))
		return 0;
	int ret = ms_visited_add(&chunk->seen, new.key);
	if (ret <= 0)
		return ret;
	ret = ms_judge_state(&w->pos, x->world, &judged);
	for (unsigned int i = 0; !ret && i < judged.nr; i++) {
		if (!ms_found_find(&x->found, judged.signature[i]))
			ret = ms_found_add(&chunk->found, judged.signature[i], w->pos.path,
					   w->pos.len, false, NULL);
	}
	if (ret)
		return ret;
	new.dead = judged.crashed || (judged.dead && !x->config.go_on);
	return note_state(chunk, &new);
}

static int go_on_from(const struct ms_explore *x, struct ms_worker *w, struct ms_chunk *chunk,
		      size_t node)
{
	uint16_t path[MS_EXPLORE_MAX_DEPTH];
	unsigned int len = ms_explore_path(x, node, path);
	const char *answer;
	int err = ms_worker_go_to(w, path, len);

	for (unsigned int letter = 0; !err && letter < x->letters.nr; letter++) {
		err = ms_position_restore(&w->pos, &w->saved[len]);
		if (!err)
			err = ms_position_play(&w->pos, letter, &answer);
		if (!err)
			err = look(x, w, chunk, node, letter, answer);
		chunk->operations++;
	}
	// both letters of a race count
	if (!err && chunk->race && len + 2 <= x->config.depth)
		err = ms_race_from(x, w, chunk, path, len);
	return err;
}

void ms_chunk_run(const struct ms_explore *x, struct ms_worker *w, struct ms_chunk *chunk)
{
	int err = ms_worker_begin(w, &x->letters);

	for (size_t node = chunk->first; !err && node < chunk->end; node++)
		err = go_on_from(x, w, chunk, node);
	if (err)
		ms_worker_end(w);
	chunk->err = err;
}

void ms_chunk_free(struct ms_chunk *chunk)
{
	free(chunk->states);
	ms_found_free(&chunk->found);
	ms_visited_free(&chunk->seen);
	*chunk = (struct ms_chunk){ 0 };
}
