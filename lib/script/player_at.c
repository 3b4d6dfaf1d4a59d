/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Operations that are carried out in the middle of another: "at POINT: OPERATION" waits until the
 * operation behind it comes to the hook point. The player is at two places at once then, so that
 * what it keeps of the operation at hand is put aside.
 */
#include "script/player.h"

#include <stdlib.h>

/* Writes the lines of the text, each behind "at POINT ". */
static void print_lines(struct ms_player *p, const struct ms_player_at *at, const char *text)
{
	while (*text) {
		int len = (int)strcspn(text, "\n");

		fprintf(p->out, "at %s", ms_hook_name(at->point));
		if (at->nth != 1)
			fprintf(p->out, "#%u", at->nth);
		fprintf(p->out, " %.*s\n", len, text);
		text += len + (text[len] == '\n');
	}
}

/* Carries the operation out here; what it answers is kept. Its events are among the others. */
static void carry_out(struct ms_player *p, struct ms_player_at *at)
{
	struct ms_mm *mm = at->op->child ? p->child : p->worker;
	FILE *const out = p->out;
	const struct ms_player_last last = p->last;
	size_t size;

	at->reached = true;
	free(at->answer);
	at->answer = NULL;
	p->out = open_memstream(&at->answer, &size);
	if (p->out) {
		ms_player_carry_out(p, at->op, mm);
		fclose(p->out);
	}
	p->out = out;
	p->last = last;
}

static void hook(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct ms_player *p = arg;

	(void)m;
	(void)addr;
	// what is carried out in the middle is not itself interrupted
	if (p->in_hook)
		return;
	p->came[point]++;
	p->in_hook = true;
	for (unsigned int i = 0; i < p->nr_at; i++) {
		struct ms_player_at *at = &p->at[i];

		if (at->point == point && at->nth == p->came[point])
			carry_out(p, at);
	}
	p->in_hook = false;
}

static void set_hooks(struct ms_player *p, ms_hook_fn *fn)
{
	for (unsigned int i = 0; i < MS_HOOK_POINTS; i++)
		ms_machine_set_hook(p->m, (enum ms_hook_point)i, fn, p);
}

static int add(struct ms_player *p, const struct ms_op *op, enum ms_hook_point point,
	       unsigned int nth)
{
	if (p->nr_at == MS_PLAYER_MAX_AT)
		return -ENOSPC;
	p->at[p->nr_at++] = (struct ms_player_at){ .op = op, .point = point, .nth = nth };
	return 0;
}

void ms_player_play_at(struct ms_player *p, const struct ms_op *op)
{
	int err = add(p, op, (enum ms_hook_point)(op->at - 1), op->at_nth);

	ms_print_ret_own(p, err, err ? "too many operations wait for the next one" : NULL);
}

void ms_player_begin_at(struct ms_player *p)
{
	memset(p->came, 0, sizeof(p->came));
	if (p->nr_at || p->watch)
		set_hooks(p, hook);
}

void ms_player_end_at(struct ms_player *p)
{
	if (!p->nr_at && !p->watch)
		return;
	set_hooks(p, NULL);
	for (unsigned int i = 0; i < p->nr_at; i++) {
		struct ms_player_at *at = &p->at[i];

		print_lines(p, at, at->answer ? at->answer : at->reached ? "" : "not-reached\n");
		free(at->answer);
	}
	p->nr_at = 0;
}

/* ---- public ---- */

int ms_player_at(struct ms_player *p, size_t i, enum ms_hook_point point, unsigned int nth)
{
	if (!p || i >= p->script->nr_ops || (unsigned int)point >= MS_HOOK_POINTS || !nth ||
	    p->script->ops[i].op.at || !ms_op_can_interrupt(p->script->ops[i].op.kind))
		return -EINVAL;
	return add(p, &p->script->ops[i].op, point, nth);
}

void ms_player_watch(struct ms_player *p, bool on)
{
	if (p)
		p->watch = on;
}

unsigned int ms_player_came(const struct ms_player *p, enum ms_hook_point point)
{
	return p && (unsigned int)point < MS_HOOK_POINTS ? p->came[point] : 0;
}
