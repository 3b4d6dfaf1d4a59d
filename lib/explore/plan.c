/* SPDX-License-Identifier: GPL-2.0-only */
/* A plan: some operations, one after the other, on a machine of their own. */
#include "explore/internal.h"

#include <mapsim/machine.h>

#include <stdlib.h>
#include <string.h>

static void add(struct ms_plan *plan, size_t op, const struct ms_race *race)
{
	if (plan->nr == MS_PLAN_OPS)
		return;
	plan->op[plan->nr++] = (struct ms_plan_op){
		.op = (uint32_t)op,
		.point = race ? race->point : 0,
		.nth = race ? race->nth : 0,
	};
}

void ms_plan_of(const struct ms_explore *x, const uint16_t *path, unsigned int len,
		const struct ms_race *race, struct ms_plan *plan)
{
	const size_t nr_setup = x->letters.nr_setup;

	plan->nr = 0;
	for (size_t i = 0; i < nr_setup; i++)
		add(plan, i, NULL);
	for (unsigned int i = 0; i < len; i++) {
		if (race && race->nth && i + 1 == len)
			add(plan, nr_setup + race->letter, race);
		add(plan, nr_setup + path[i], NULL);
	}
}

char *ms_explore_header(const struct ms_script *script)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	int ret = ms_script_print_header(script, out);
	if (!fclose(out) && !ret)
		return text;
	free(text);
	return NULL;
}

static bool is_users(const struct ms_explore *x, uint32_t op)
{
	const struct ms_letters *l = &x->letters;

	return op >= l->nr_setup + l->nr_script && op < l->nr_setup + l->nr;
}

static const char *op_text(const struct ms_explore *x, uint32_t op)
{
	const struct ms_letters *l = &x->letters;

	if (is_users(x, op))
		return l->user->op_name(op - l->nr_setup - l->nr_script, l->user->arg);
	if (op >= l->nr_setup + l->nr)
		op -= (uint32_t)(l->nr - l->nr_script);
	return ms_script_get_op(l->script, op).text;
}

static void print_op(const struct ms_explore *x, const struct ms_plan_op *op, FILE *out)
{
	fputs(is_users(x, op->op) ? "# the user's: " : "> ", out);
	if (op->nth)
		fprintf(out, "at %s", ms_hook_name((enum ms_hook_point)op->point));
	if (op->nth > 1)
		fprintf(out, "#%u", op->nth);
	fprintf(out, "%s%s\n", op->nth ? ": " : "", op_text(x, op->op));
}

/* The user's operations are comments: no script can have them. */
static char *plan_text(const struct ms_explore *x, const struct ms_plan *plan, const char *comment,
		       bool looks)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%s%s", comment, x->header);
	for (unsigned int i = 0; i < plan->nr; i++)
		print_op(x, &plan->op[i], out);
	for (size_t i = 0; looks && i < x->letters.nr_looks; i++)
		fprintf(out, "> %s\n",
			ms_script_get_op(x->letters.script,
					 x->letters.nr_setup + x->letters.nr_script + i)
				.text);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

char *ms_plan_text(const struct ms_explore *x, const struct ms_plan *plan, const char *comment)
{
	return plan_text(x, plan, comment, false);
}

/* The same without the user's operations, for a machine: *nr_script gets how many there are. */
static struct ms_script *plan_script(const struct ms_explore *x, const struct ms_plan *plan,
				     const char *rules)
{
	char *text = plan_text(x, plan, "", true);

	if (!text)
		return NULL;
	struct ms_script *script = ms_script_parse(text, strlen(text), NULL, NULL);
	free(text);
	if (!script)
		return NULL;
	if ((!x->config.rules || !ms_script_set_rules(script, x->config.rules, NULL)) &&
	    (!rules || !ms_script_set_rules(script, rules, NULL)))
		return script;
	ms_script_free(script);
	return NULL;
}

int ms_plan_begin(const struct ms_explore *x, const struct ms_plan *plan, const char *rules,
		  struct ms_plan_player *to)
{
	struct ms_script *script = plan_script(x, plan, rules);

	if (!script)
		return -ENOMEM;
	*to = (struct ms_plan_player){
		.letters = {
			.script = script,
			.nr_script = ms_script_nr_ops(script) - x->letters.nr_looks,
			.nr = ms_script_nr_ops(script) - x->letters.nr_looks + x->user.nr_ops,
			.nr_looks = x->letters.nr_looks,
			.user = x->letters.user,
		},
	};
	int err = ms_position_begin(&to->pos, &to->letters);
	if (err)
		ms_script_free(script);
	return err;
}

int ms_plan_play(const struct ms_explore *x, const struct ms_plan *plan, unsigned int i,
		 struct ms_plan_player *p, const char **answer)
{
	const uint32_t op = plan->op[i].op;
	const size_t users = op - x->letters.nr_setup - x->letters.nr_script;

	p->pos.len = 0; // a plan may be longer than a path
	return ms_position_play(&p->pos,
				is_users(x, op) ? (unsigned int)(p->letters.nr_script + users)
						: p->nr_script++,
				answer);
}

void ms_plan_end(struct ms_plan_player *p)
{
	ms_position_end(&p->pos);
	ms_script_free(p->letters.script);
}

int ms_plan_finds(const struct ms_explore *x, const struct ms_plan *plan, const char *rules,
		  const char *signature)
{
	struct ms_judged judged = { .nr = 0 };
	struct ms_plan_player p;
	const char *answer = "";
	int ret = ms_plan_begin(x, plan, rules, &p);

	if (ret)
		return ret;
	for (unsigned int i = 0; !ret && i < plan->nr; i++) {
		if (!plan->op[i].nth)
			ms_position_mark(&p.pos);
		ret = ms_plan_play(x, plan, i, &p, &answer);
	}
	if (!ret)
		ret = ms_judge(&p.pos, x->world, answer, &judged);
	ms_plan_end(&p);
	for (unsigned int i = 0; !ret && i < judged.nr; i++)
		ret = !strcmp(judged.signature[i], signature);
	return ret;
}
