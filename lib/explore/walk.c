/* SPDX-License-Identifier: GPL-2.0-only */
/* Random walks: longer scripts than the search can come to. */
#include "explore/internal.h"

/* SplitMix64, so that a walk is the same everywhere. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* One step of a walk. 1: the walk ends here. */
static int step(struct ms_explore *x, struct ms_position *pos, unsigned int letter)
{
	struct ms_saved before_judging;
	struct ms_judged judged;
	const char *answer;
	int err = ms_position_play(pos, letter, &answer);

	x->operations++;
	if (!err)
		err = ms_position_save(pos, &before_judging);
	if (err)
		return err;
	err = ms_judge(pos, x->world, answer, &judged);
	for (unsigned int i = 0; !err && i < judged.nr; i++)
		err = ms_found_add(&x->found, judged.signature[i], pos->path, pos->len, true, NULL);
	if (!err && !(judged.crashed || (judged.dead && !x->config.go_on)))
		err = ms_position_restore(pos, &before_judging);
	ms_position_drop(pos, &before_judging);
	return err ? err : (judged.crashed || (judged.dead && !x->config.go_on));
}

/* Each walk has a generator of its own, of the seed and its number: it can be done alone. */
static int walk(struct ms_explore *x, struct ms_position *pos, uint64_t number)
{
	uint64_t random = x->config.seed;
	int ret = 0;

	random = next_random(&random) ^ number;
	for (unsigned int i = 0; !ret && i < x->config.walk_len; i++)
		ret = step(x, pos, (unsigned int)(next_random(&random) % x->letters.nr));
	return ret < 0 ? ret : 0;
}

int ms_explore_walk(struct ms_explore *x)
{
	struct ms_position pos;
	struct ms_saved start;
	int ret;

	if (x->walks >= x->config.walks)
		return 0;
	ret = ms_position_begin(&pos, &x->letters);
	if (ret)
		return ret;
	ret = ms_position_save(&pos, &start);
	while (!ret && x->walks < x->config.walks) {
		const struct ms_explore_progress progress = ms_explore_progress(x);

		if (x->walks % x->config.shards == x->config.shard) {
			ret = walk(x, &pos, x->walks);
			if (!ret)
				ret = ms_position_restore(&pos, &start);
		}
		x->walks += !ret;
		if (!ret && !(x->walks % 64) && x->config.progress &&
		    x->config.progress(&progress, x->config.arg))
			ret = 1;
	}
	ms_position_drop(&pos, &start);
	if (pos.player)
		ms_position_end(&pos);
	return ret;
}
