/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of a script that tells two values of a rule apart: played on both, cut off where the
 * answers part, and made shorter as long as they do. Where no answer shows a difference of the
 * states, a look does.
 */
#include "explore/internal.h"

#include <stdlib.h>
#include <string.h>

struct part {
	struct ms_script *script[2]; /* the kernel's own, and with the other value; looks behind */
	size_t nr_ops, nr_looks;
	size_t look; /* the one at the end, from 0 on; nr_looks: none */
	bool *keep;  /* of nr_ops */
	bool *before;
};

/* ---- both are played ---- */

struct both {
	struct ms_player *player[2];
};

static int begin(const struct part *p, struct both *b)
{
	for (int i = 0; i < 2; i++)
		b->player[i] = ms_player_new(p->script[i], NULL);
	return b->player[0] && b->player[1] ? 0 : -errno;
}

static void end(struct both *b)
{
	ms_player_free(b->player[0]);
	ms_player_free(b->player[1]);
}

/* 1: they answer otherwise; 0; -ENOMEM. */
static int step(const struct both *b, size_t op)
{
	const char *own = ms_player_step(b->player[0], op);
	const char *other = ms_player_step(b->player[1], op);

	return own && other ? strcmp(own, other) != 0 : -ENOMEM;
}

/* Looks that differ are sought where states do. */
static int look(struct part *p, const struct both *b)
{
	if (ms_player_hash(b->player[0]) == ms_player_hash(b->player[1]))
		return 0;
	for (size_t i = 0; i < p->nr_looks; i++) {
		int ret = step(b, p->nr_ops + i);

		if (ret < 0)
			return ret;
		if (!ret)
			continue;
		p->look = i;
		return 1;
	}
	return 0;
}

/* Finds where the two part, and keeps what is before. 1: they do. */
static int find_end(struct part *p)
{
	struct both b;
	int ret = begin(p, &b);

	p->look = p->nr_looks;
	for (size_t i = 0; !ret && i < p->nr_ops; i++) {
		p->keep[i] = true;
		ret = step(&b, i);
		if (!ret)
			ret = look(p, &b);
	}
	end(&b);
	return ret;
}

/* Does what is kept show a difference, the look at the end included? */
static int differs(const struct part *p)
{
	struct both b;
	int ret = begin(p, &b);

	for (size_t i = 0; !ret && i < p->nr_ops; i++) {
		if (p->keep[i])
			ret = step(&b, i);
	}
	if (!ret && p->look < p->nr_looks)
		ret = step(&b, p->nr_ops + p->look);
	end(&b);
	return ret;
}

/* ---- made shorter ---- */

/* Does without a run of operations, if that can be. 1: it did. */
static int drop(struct part *p, size_t first, size_t after)
{
	size_t dropped = 0;
	int ret = 0;

	memcpy(p->before, p->keep, p->nr_ops);
	for (size_t i = first; i < after; i++) {
		dropped += p->keep[i];
		p->keep[i] = false;
	}
	if (dropped)
		ret = differs(p);
	if (ret <= 0)
		memcpy(p->keep, p->before, p->nr_ops);
	return ret;
}

/* Halves, quarters, and so on down to single operations, as often as that helps. */
static int shorten(struct part *p)
{
	int ret = 0;

	for (size_t run = p->nr_ops, any; run; run = any ? run : run / 2) {
		any = 0;
		for (size_t after = p->nr_ops; after; after -= after < run ? after : run) {
			ret = drop(p, after < run ? 0 : after - run, after);
			if (ret < 0)
				return ret;
			any |= (size_t)ret;
		}
	}
	if (p->look == p->nr_looks)
		return 0;
	const size_t with = p->look; // without operations that hid it an answer may do
	p->look = p->nr_looks;
	ret = differs(p);
	if (!ret)
		p->look = with;
	return ret < 0 ? ret : 0;
}

/* ---- texts ---- */

static void print_op(const struct part *p, size_t op, FILE *out)
{
	fprintf(out, "> %s\n", ms_script_get_op(p->script[0], op).text);
}

static int write_part(const struct part *p, const char *setting, struct ms_witness *witness)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	fprintf(out, "# %s answers otherwise with %s\n", ms_script_kernel_name(p->script[0]),
		setting);
	int ret = ms_script_print_header(p->script[0], out);
	for (size_t i = 0; i < p->nr_ops; i++) {
		if (p->keep[i]) {
			print_op(p, i, out);
			witness->letters++;
		}
	}
	if (p->look < p->nr_looks) {
		print_op(p, p->nr_ops + p->look, out);
		witness->letters++;
	}
	if (fclose(out) || ret) {
		free(text);
		return -ENOMEM;
	}
	witness->script = text;
	return 1;
}

/* The script with looks behind its operations. NULL: no memory. */
static struct ms_script *with_looks(const struct ms_script *script)
{
	const char *text;
	char *whole = NULL;
	size_t size;
	FILE *out = open_memstream(&whole, &size);

	if (!out)
		return NULL;
	int ret = ms_script_print_header(script, out);
	for (size_t i = 0; i < ms_script_nr_ops(script); i++)
		fprintf(out, "> %s\n", ms_script_get_op(script, i).text);
	for (size_t i = 0; (text = ms_world_look(i)); i++)
		fprintf(out, "> %s\n", text);
	ret |= fclose(out);
	struct ms_script *copy = ret ? NULL : ms_script_parse(whole, size, NULL, NULL);
	free(whole);
	return copy;
}

static int make(struct part *p, const struct ms_script *script, const char *setting,
		struct ms_script_error *err)
{
	p->nr_ops = ms_script_nr_ops(script);
	while (ms_world_look(p->nr_looks))
		p->nr_looks++;
	p->keep = calloc(p->nr_ops + 1, sizeof(*p->keep));
	p->before = calloc(p->nr_ops + 1, sizeof(*p->before));
	p->script[0] = with_looks(script);
	p->script[1] = with_looks(script);
	if (!p->keep || !p->before || !p->script[0] || !p->script[1])
		return -ENOMEM;
	return ms_script_set_rules(p->script[1], setting, err);
}

int ms_explore_rule_in(const struct ms_script *script, const char *rule, const char *value,
		       struct ms_witness *witness, struct ms_script_error *err)
{
	struct part p = { .nr_ops = 0 };
	char setting[160];

	if (!script || !rule || !value || !witness)
		return ms_world_fail(err, 0, "no %s",
				     !script           ? "script"
				     : !rule || !value ? "rule or value"
						       : "place for the answer");
	*witness = (struct ms_witness){ 0 };
	snprintf(setting, sizeof(setting), "%s=%s", rule, value);
	int ret = make(&p, script, setting, err);
	if (!ret)
		ret = find_end(&p);
	if (ret == 1)
		ret = shorten(&p);
	else if (!ret)
		p.nr_ops = 0;
	if (!ret && p.nr_ops)
		ret = write_part(&p, setting, witness);
	if (ret == -ENOMEM)
		ms_world_fail(err, 0, "no memory");
	ms_script_free(p.script[0]);
	ms_script_free(p.script[1]);
	free(p.keep);
	free(p.before);
	return ret;
}
