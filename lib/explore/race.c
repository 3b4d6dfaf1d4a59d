/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Races: a letter is played in the middle of another, at each hook point that this one comes to.
 * What is found then counts if no order of the two brings it about: one after the other, or the
 * interrupted one begun anew.
 */
#include "explore/internal.h"

#include <mapsim/machine.h>

#include <string.h>

#define MAX_COMES 4u /* a point that one letter comes to more often is a loop */

struct racing {
	const struct ms_explore *x;
	struct ms_worker *w;
	struct ms_chunk *chunk;
	const uint16_t *path;
	unsigned int len;
	unsigned int outer;
	struct ms_race race;
};

static int restore(const struct racing *r)
{
	return ms_position_restore(&r->w->pos, &r->w->saved[r->len]);
}

/* Would the one in the middle have waited? Then it is one after the other. */
static bool has_waited(const char *answer)
{
	static const char *const waits[] = { " ret EBUSY", " ret RETRY", " ret SIGKILL" };
	const char *at = strstr(answer, "\nat ");

	for (size_t i = 0; at && i < sizeof(waits) / sizeof(waits[0]); i++) {
		if (strstr(at, waits[i]))
			return true;
	}
	return false;
}

/* Whether the letters, one after the other, bring it about. 1, 0, negative errno. */
static int order_finds(const struct racing *r, const unsigned int *letters, const char *signature)
{
	int ret = 0;

	// what is wrong is looked for after each, and looking may end the machine
	for (unsigned int n = 1; !ret && n <= 3; n++) {
		struct ms_judged judged = { .nr = 0 };
		const char *answer = "";

		ret = restore(r);
		for (unsigned int i = 0; !ret && i < n; i++) {
			ms_position_mark(&r->w->pos);
			ret = ms_position_play(&r->w->pos, letters[i], &answer);
		}
		if (!ret)
			ret = ms_judge(&r->w->pos, r->x->world, answer, &judged);
		for (unsigned int i = 0; !ret && i < judged.nr; i++)
			ret = !strcmp(judged.signature[i], signature);
		r->chunk->operations += n;
	}
	return ret;
}

static int some_order_finds(const struct racing *r, const char *signature)
{
	const unsigned int a = r->outer, b = r->race.letter;
	const unsigned int orders[2][3] = { { a, b, a }, { b, a, b } };
	int ret = order_finds(r, orders[0], signature);

	return ret ? ret : order_finds(r, orders[1], signature);
}

/* The operation's name: "munmap", "child munmap". */
static int name_len(const char *text)
{
	size_t len = strcspn(text, " ");

	if (!strncmp(text, "child ", 6) || !strncmp(text, "vm ", 3))
		len += 1 + strcspn(text + len + 1, " ");
	return (int)len;
}

static int note(const struct racing *r, const char *judged)
{
	const char *outer = ms_world_letter(r->x->world, r->outer);
	const char *inner = ms_world_letter(r->x->world, r->race.letter);
	uint16_t path[MS_EXPLORE_MAX_DEPTH];
	char signature[2 * MS_SIGNATURE];
	struct ms_found *f;

	int prefix = snprintf(
		signature, sizeof(signature), "race of %.*s with %.*s at %s: ", name_len(outer),
		outer, name_len(inner), inner, ms_hook_name((enum ms_hook_point)r->race.point));
	snprintf(signature + prefix, sizeof(signature) - (size_t)prefix, "%s", judged);
	signature[MS_SIGNATURE - 1] = '\0';
	if (ms_found_find(&r->x->found, signature) || ms_found_find(&r->chunk->found, signature))
		return 0;
	int ret = some_order_finds(r, judged);
	if (ret)
		return ret < 0 ? ret : 0;
	memcpy(path, r->path, r->len * sizeof(*path));
	path[r->len] = (uint16_t)r->outer;
	ret = ms_found_add(&r->chunk->found, signature, path, r->len + 1, false, &f);
	if (ret || !f)
		return ret;
	f->judged = (unsigned int)prefix;
	f->race = r->race;
	return 0;
}

/* One letter in the middle of another at one point. */
static int race_once(const struct racing *r)
{
	struct ms_position *pos = &r->w->pos;
	const size_t nr_setup = r->x->letters.nr_setup;
	struct ms_judged judged = { .nr = 0 };
	const char *answer;
	int err = restore(r);

	if (err)
		return err;
	// what ends a process or a VM is not in the middle of anything
	if (ms_player_at(pos->player, nr_setup + r->race.letter, (enum ms_hook_point)r->race.point,
			 r->race.nth))
		return 0;
	err = ms_position_play(pos, r->outer, &answer);
	r->chunk->operations += 2;
	if (err || has_waited(answer))
		return err;
	err = ms_judge(pos, r->x->world, answer, &judged);
	for (unsigned int i = 0; !err && i < judged.nr; i++)
		err = note(r, judged.signature[i]);
	return err;
}

static int race_at(struct racing *r)
{
	int err = 0;

	for (unsigned int b = 0; !err && b < r->x->letters.nr_script; b++) {
		r->race.letter = (uint16_t)b;
		err = race_once(r);
	}
	return err;
}

/* Plays the letter once to see which points it comes to, then again for each of them. */
static int race_of(struct racing *r)
{
	unsigned int came[MS_HOOK_POINTS];
	const char *answer;
	int err = restore(r);

	if (err)
		return err;
	struct ms_player *player = r->w->pos.player;
	ms_player_watch(player, true);
	err = ms_position_play(&r->w->pos, r->outer, &answer);
	for (unsigned int p = 0; p < MS_HOOK_POINTS; p++)
		came[p] = ms_player_came(player, (enum ms_hook_point)p);
	ms_player_watch(player, false);
	r->chunk->operations++;
	for (unsigned int p = 0; !err && p < MS_HOOK_POINTS; p++) {
		for (unsigned int n = 1; !err && n <= came[p] && n <= MAX_COMES; n++) {
			r->race.point = (uint8_t)p;
			r->race.nth = (uint8_t)n;
			err = race_at(r);
		}
	}
	return err;
}

int ms_race_from(const struct ms_explore *x, struct ms_worker *w, struct ms_chunk *chunk,
		 const uint16_t *path, unsigned int len)
{
	struct racing r = { .x = x, .w = w, .chunk = chunk, .path = path, .len = len };
	int err = 0;

	for (unsigned int a = 0; !err && a < x->letters.nr_script; a++) {
		r.outer = a;
		err = race_of(&r);
	}
	return err;
}
