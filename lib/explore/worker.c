/* SPDX-License-Identifier: GPL-2.0-only */
/* A machine that is brought to one node after the other, by the states along the path. */
#include "explore/internal.h"

void ms_worker_end(struct ms_worker *w)
{
	if (!w->begun)
		return;
	while (w->nr_saved)
		ms_position_drop(&w->pos, &w->saved[--w->nr_saved]);
	if (w->pos.player)
		ms_position_end(&w->pos);
	w->begun = false;
}

int ms_worker_begin(struct ms_worker *w, const struct ms_letters *letters)
{
	if (w->begun)
		return 0;
	int err = ms_position_begin(&w->pos, letters);
	if (err)
		return err;
	w->begun = true;
	w->nr_saved = 0;
	err = ms_position_save(&w->pos, &w->saved[0]);
	if (!err)
		w->nr_saved = 1;
	return err;
}

int ms_worker_go_to(struct ms_worker *w, const uint16_t *path, unsigned int len)
{
	unsigned int common = 0;
	const char *answer;
	int err = 0;

	while (common < len && common + 1 < w->nr_saved && path[common] == w->path[common])
		common++;
	while (w->nr_saved > common + 1)
		ms_position_drop(&w->pos, &w->saved[--w->nr_saved]);
	if (common < len)
		err = ms_position_restore(&w->pos, &w->saved[common]);
	for (unsigned int i = common; !err && i < len; i++) {
		w->path[i] = path[i];
		err = ms_position_play(&w->pos, path[i], &answer);
		if (!err)
			err = ms_position_save(&w->pos, &w->saved[i + 1]);
		if (!err)
			w->nr_saved++;
	}
	return err;
}
