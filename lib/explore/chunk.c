/* SPDX-License-Identifier: GPL-2.0-only */
/* One thread's part of a level: each letter is played in the state of each node. */
#include "explore/internal.h"

#include <stdlib.h>
#include <string.h>

static int note_state(struct ms_chunk *chunk, uint64_t hash, size_t node, unsigned int letter,
		      bool dead)
{
	int err = ms_explore_grow((void **)&chunk->states, &chunk->states_capacity,
				  chunk->nr_states, sizeof(*chunk->states));

	if (!err)
		chunk->states[chunk->nr_states++] = (struct ms_new_state){
			.hash = hash,
			.node = (uint32_t)node,
			.letter = (uint16_t)letter,
			.dead = dead,
		};
	return err;
}

/* Notes what is new about the state that the letter has led to. */
static int look(const struct ms_explore *x, struct ms_worker *w, struct ms_chunk *chunk,
		size_t node, unsigned int letter, const char *answer)
{
	const bool endless = !strncmp(answer, "ret RETRY", 9);
	struct ms_judged judged;
	// an operation that never ends may leave the state as it was
	uint64_t hash = ms_position_hash(&w->pos) ^ (endless ? UINT64_C(0x5bd1e995) : 0);

	if (ms_visited_has(&x->visited, hash))
		return 0;
	int ret = ms_visited_add(&chunk->seen, hash);
	if (ret <= 0)
		return ret;
	ret = ms_judge(&w->pos, x->world, answer, &judged);
	for (unsigned int i = 0; !ret && i < judged.nr; i++) {
		if (!ms_found_find(&x->found, judged.signature[i]))
			ret = ms_found_add(&chunk->found, judged.signature[i], w->pos.path,
					   w->pos.len, false, NULL);
	}
	if (ret)
		return ret;
	return note_state(chunk, hash, node, letter, judged.dead && !x->config.go_on);
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
