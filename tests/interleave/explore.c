/* SPDX-License-Identifier: GPL-2.0-only */
#include "explore.h"

#include <mapsim/check.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CHOICES 256

/* What was chosen, and how many answers there were. */
struct choice {
	unsigned int taken, of;
};

struct explore_run {
	const struct explore *e;
	void *world;
	unsigned int next[2]; /* operation of each side */
	int running;          /* the side whose operation is interrupted, or -1 */
	unsigned int points;  /* that it has come to */
	bool nested;          /* the other side runs in its hook */
	bool waits;           /* somebody had to wait: nothing of this run counts */
	bool left_out;        /* more choices than there is room for */

	struct choice *choices;
	unsigned int made, known; /* choices of this run; of it, those that the last run left */

	unsigned int changes; /* of sides */
	char text[256];
	size_t len;
};

static void say(struct explore_run *r, const char *text)
{
	size_t n = strlen(text);

	if (r->len + n >= sizeof(r->text))
		n = sizeof(r->text) - 1 - r->len;
	memcpy(r->text + r->len, text, n);
	r->len += n;
	r->text[r->len] = '\0';
}

/* 0 .. of - 1: as in the list, from its end on 0. */
static unsigned int choose(struct explore_run *r, unsigned int of)
{
	if (of < 2 || r->waits)
		return 0;
	if (r->made == MAX_CHOICES) {
		r->left_out = true;
		return 0;
	}
	if (r->made == r->known)
		r->choices[r->known++] = (struct choice){ .taken = 0, .of = of };
	return r->choices[r->made++].taken;
}

/* The next list of choices; false: all were tried. */
static bool advance(struct explore_run *r)
{
	while (r->known) {
		struct choice *last = &r->choices[r->known - 1];

		if (++last->taken < last->of)
			return true;
		r->known--;
	}
	return false;
}

static const struct explore_op *next_op(const struct explore_run *r, int side)
{
	const struct explore_op *op = &r->e->side[side][r->next[side]];

	return op->name ? op : NULL;
}

static void run_op(struct explore_run *r, int side)
{
	const struct explore_op *op = next_op(r, side);

	r->next[side]++;
	say(r, op->name);
	if (op->run(r->world) != EXPLORE_DONE)
		r->waits = true;
}

static void at_point(struct explore_run *r, const char *point)
{
	const int other = 1 - r->running;
	bool first = true;

	if (r->running < 0 || r->nested)
		return;
	if (r->points++ >= r->e->max_points && r->e->max_points)
		return;
	while (!r->waits && next_op(r, other) && choose(r, 2)) {
		if (first) {
			say(r, "[");
			say(r, point);
			r->changes += 2;
		}
		say(r, first ? ": " : ", ");
		first = false;
		r->nested = true;
		run_op(r, other);
		r->nested = false;
	}
	if (!first)
		say(r, "]");
}

static void hook(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	at_point(arg, ms_hook_name(point));
}

void explore_point(struct explore_run *run, const char *name)
{
	at_point(run, name);
}

static void script(struct explore_run *r)
{
	int last = -1;

	while (!r->waits && (next_op(r, 0) || next_op(r, 1))) {
		int side = next_op(r, 0) ? 0 : 1;

		if (next_op(r, 0) && next_op(r, 1))
			side = (int)choose(r, 2);
		if (last >= 0) {
			say(r, ", ");
			r->changes += side != last;
		}
		last = side;
		r->running = side;
		r->points = 0;
		run_op(r, side);
		r->running = -1;
	}
}

/* However it ended, the machine must be whole. */
static bool holds(const struct explore_run *r, const struct ms_machine *m)
{
	if (!r->waits && !r->e->holds(r->world))
		return false;
	if (!ms_machine_check(m, stderr))
		return true;
	fprintf(stderr, "... after %s\n", r->text);
	return false;
}

/* One schedule. */
static void run_once(struct explore_run *r, struct explore_found *found, unsigned int *fewest)
{
	struct ms_machine *m = NULL;

	r->next[0] = r->next[1] = r->made = r->changes = 0;
	r->running = -1;
	r->nested = r->waits = false;
	r->len = 0;
	r->text[0] = '\0';
	r->world = r->e->build(r->e->arg, r, &m);
	for (unsigned int point = 0; point < MS_HOOK_POINTS; point++)
		ms_machine_set_hook(m, (enum ms_hook_point)point, hook, r);
	script(r);
	for (unsigned int point = 0; point < MS_HOOK_POINTS; point++)
		ms_machine_set_hook(m, (enum ms_hook_point)point, NULL, NULL);
	if (r->waits)
		found->waiting++;
	else
		found->schedules++;
	if (!holds(r, m)) {
		found->failing++;
		if (r->changes < *fewest) {
			*fewest = r->changes;
			memcpy(found->shortest, r->text, sizeof(found->shortest));
		}
	}
	r->e->destroy(r->world);
}

struct explore_found explore(const struct explore *e)
{
	struct explore_found found = { 0 };
	struct explore_run r = { .e = e, .choices = calloc(MAX_CHOICES, sizeof(struct choice)) };
	unsigned int fewest = UINT32_MAX;

	if (!r.choices)
		abort();
	do {
		run_once(&r, &found, &fewest);
	} while (advance(&r));
	free(r.choices);
	if (r.left_out) {
		fprintf(stderr, "explore: more than %u choices in a schedule\n", MAX_CHOICES);
		abort();
	}
	if (found.failing)
		printf("# %u of %u schedules fail, e.g. %s\n", found.failing, found.schedules,
		       found.shortest);
	return found;
}
