/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tells two values of a rule apart: two machines that differ in that rule alone play the same
 * letters, breadth first. A pair of states that was met before is not gone on from.
 */
#include "explore/internal.h"

#include <stdlib.h>
#include <string.h>

struct pair {
	struct ms_explore *x;    /* of the kernel as it is */
	struct ms_letters other; /* of the one with the other value */
	struct ms_worker worker[2];
	char setting[160]; /* RULE=VALUE */
};

/* ---- a plan shows it when an answer differs ---- */

static int differs(const struct ms_explore *x, const struct ms_plan *plan, const void *what)
{
	struct ms_plan_player p[2];
	const char *answer[2];
	int ret = ms_plan_begin(x, plan, NULL, &p[0]);

	if (ret)
		return ret;
	ret = ms_plan_begin(x, plan, what, &p[1]);
	if (ret) {
		ms_plan_end(&p[0]);
		return ret;
	}
	for (unsigned int i = 0; !ret && i < plan->nr; i++) {
		ret = ms_plan_play(x, plan, i, &p[0], &answer[0]);
		if (!ret)
			ret = ms_plan_play(x, plan, i, &p[1], &answer[1]);
		if (!ret)
			ret = strcmp(answer[0], answer[1]) != 0;
	}
	ms_plan_end(&p[0]);
	ms_plan_end(&p[1]);
	return ret;
}

static int make_script(const struct pair *pair, const uint16_t *path, unsigned int len,
		       struct ms_witness *witness)
{
	struct ms_plan plan;
	char comment[400];
	int ret;

	ms_plan_of(pair->x, path, len, NULL, &plan);
	ret = ms_plan_shrink(pair->x, &plan, differs, pair->setting);
	if (ret)
		return ret;
	snprintf(comment, sizeof(comment), "# %s answers otherwise with %s\n",
		 ms_explore_kernel_name(pair->x), pair->setting);
	witness->script = ms_plan_text(pair->x, &plan, comment);
	witness->letters = len;
	return witness->script ? 1 : -ENOMEM;
}

/* ---- the search ---- */

/* Equal states look equal; of others a difference that no answer has shown may be seen. */
static int look(struct pair *pair, size_t node, unsigned int letter, struct ms_witness *witness)
{
	struct ms_position *a = &pair->worker[0].pos, *b = &pair->worker[1].pos;
	uint16_t path[MS_EXPLORE_MAX_DEPTH + 2];

	for (size_t i = 0; i < pair->x->letters.nr_looks; i++) {
		const char *seen = ms_position_look(a, i), *other = ms_position_look(b, i);

		if (!seen || !other)
			return -ENOMEM;
		if (!strcmp(seen, other))
			continue;
		unsigned int len = ms_explore_path(pair->x, node, path);
		path[len++] = (uint16_t)letter;
		path[len++] = (uint16_t)(pair->x->letters.nr + i);
		return make_script(pair, path, len, witness);
	}
	return 0;
}

static int add_pair(struct pair *pair, size_t node, unsigned int letter, struct ms_witness *witness)
{
	struct ms_explore *x = pair->x;
	const uint64_t own = ms_position_hash(&pair->worker[0].pos);
	const uint64_t other = ms_position_hash(&pair->worker[1].pos);
	const bool equal = own == other;
	uint64_t hash = own * UINT64_C(0x9e3779b97f4a7c15) ^ other;

	hash ^= hash >> 32;
	int new = ms_visited_add(&x->visited, hash);
	if (new <= 0)
		return new;
	x->states++;
	if (!equal) {
		int ret = look(pair, node, letter, witness);

		if (ret)
			return ret;
	}
	if (x->depth + 1 >= x->config.depth)
		return 0;
	int err = ms_explore_grow((void **)&x->nodes, &x->nodes_capacity, x->nr_nodes,
				  sizeof(*x->nodes));
	if (!err)
		x->nodes[x->nr_nodes++] =
			(struct ms_node){ .parent = (uint32_t)node, .letter = (uint16_t)letter };
	return err;
}

/* Plays a letter on both. 1: they answer otherwise. */
static int play(struct pair *pair, unsigned int len, unsigned int letter)
{
	const char *answer[2];
	int err = 0;

	for (unsigned int i = 0; !err && i < 2; i++) {
		struct ms_worker *w = &pair->worker[i];

		err = ms_position_restore(&w->pos, &w->saved[len]);
		if (!err)
			err = ms_position_play(&w->pos, letter, &answer[i]);
		pair->x->operations++;
	}
	return err ? err : strcmp(answer[0], answer[1]) != 0;
}

static int go_on_from(struct pair *pair, size_t node, struct ms_witness *witness)
{
	struct ms_explore *x = pair->x;
	uint16_t path[MS_EXPLORE_MAX_DEPTH];
	unsigned int len = ms_explore_path(x, node, path);
	int ret = ms_worker_go_to(&pair->worker[0], path, len);

	if (!ret)
		ret = ms_worker_go_to(&pair->worker[1], path, len);
	for (unsigned int letter = 0; !ret && letter < x->letters.nr; letter++) {
		ret = play(pair, len, letter);
		if (ret == 1) {
			path[len] = (uint16_t)letter;
			return make_script(pair, path, len + 1, witness);
		}
		if (!ret)
			ret = add_pair(pair, node, letter, witness);
	}
	return ret;
}

static bool is_stopped(struct ms_explore *x)
{
	const struct ms_explore_progress progress = ms_explore_progress(x);

	return x->config.progress && x->config.progress(&progress, x->config.arg);
}

static int search(struct pair *pair, struct ms_witness *witness)
{
	struct ms_explore *x = pair->x;
	int ret = ms_worker_begin(&pair->worker[0], &x->letters);

	if (!ret)
		ret = ms_worker_begin(&pair->worker[1], &pair->other);
	if (!ret)
		ret = ms_explore_grow((void **)&x->nodes, &x->nodes_capacity, 0, sizeof(*x->nodes));
	if (ret)
		return ret;
	x->nodes[0] = (struct ms_node){ 0 };
	x->nr_nodes = x->level_end = x->states = 1;
	for (; !ret && x->next < x->nr_nodes && x->depth < x->config.depth; x->next++) {
		if (x->next == x->level_end) {
			x->depth++;
			x->level_end = x->nr_nodes;
		}
		witness->cut =
			x->states >= x->config.states || (x->next % 64 == 0 && is_stopped(x));
		if (witness->cut)
			break;
		ret = go_on_from(pair, x->next, witness);
	}
	return ret;
}

int ms_explore_rule(const struct ms_world *world, const struct ms_explore_config *config,
		    const char *rule, const char *value, struct ms_witness *witness,
		    struct ms_script_error *err)
{
	struct pair *pair = NULL;
	int ret = -EINVAL;

	if (!rule || !value || !witness)
		return ms_world_fail(err, 0, "no rule, no value, or no place for the answer");
	*witness = (struct ms_witness){ 0 };
	struct ms_explore *x = ms_explore_new(world, config, err);
	if (!x)
		return -errno;
	pair = calloc(1, sizeof(*pair));
	if (!pair) {
		ms_explore_free(x);
		ms_world_fail(err, 0, "no memory");
		return -ENOMEM;
	}
	pair->x = x;
	snprintf(pair->setting, sizeof(pair->setting), "%s=%s", rule, value);
	ret = ms_explore_letters(x, pair->setting, &pair->other, err);
	if (!ret) {
		ret = search(pair, witness);
		witness->states = x->states;
		ms_worker_end(&pair->worker[0]);
		ms_worker_end(&pair->worker[1]);
	}
	if (ret == -ENOMEM)
		ms_world_fail(err, 0, "no memory");
	ms_script_free(pair->other.script);
	free(pair);
	ms_explore_free(x);
	return ret;
}
