/* SPDX-License-Identifier: GPL-2.0-only */
/* What was found, and the scripts that show it. */
#include "explore/internal.h"

#include <mapsim/machine.h>

#include <stdlib.h>
#include <string.h>

struct ms_found *ms_found_find(const struct ms_found_list *list, const char *signature)
{
	for (size_t i = 0; i < list->nr; i++) {
		if (!strcmp(list->found[i].signature, signature))
			return &list->found[i];
	}
	return NULL;
}

static void forget_made(struct ms_found *f)
{
	free(f->script);
	free(f->rule);
	free(f->without);
	f->script = f->rule = f->without = NULL;
	f->made = false;
}

int ms_found_add(struct ms_found_list *list, const char *signature, const uint16_t *path,
		 unsigned int len, bool by_walk)
{
	struct ms_found *f = ms_found_find(list, signature);

	if (f && f->len <= len)
		return 0;
	if (!f) {
		int err = ms_explore_grow((void **)&list->found, &list->capacity, list->nr,
					  sizeof(*list->found));

		if (err)
			return err;
		f = &list->found[list->nr++];
		*f = (struct ms_found){ .len = 0 };
		snprintf(f->signature, sizeof(f->signature), "%s", signature);
	}
	forget_made(f);
	f->len = len;
	f->by_walk = by_walk;
	if (len)
		memcpy(f->path, path, len * sizeof(*path));
	return 0;
}

void ms_found_free(struct ms_found_list *list)
{
	for (size_t i = 0; i < list->nr; i++)
		forget_made(&list->found[i]);
	free(list->found);
	*list = (struct ms_found_list){ 0 };
}

/* ---- a plan: some operations, one after the other, on a machine of their own ---- */

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

static const char *op_text(const struct ms_explore *x, uint32_t op)
{
	const struct ms_letters *l = &x->letters;

	if (op < l->nr_setup + l->nr_script)
		return ms_script_get_op(l->script, op).text;
	return l->user->op_name(op - l->nr_setup - l->nr_script, l->user->arg);
}

static bool is_users(const struct ms_explore *x, uint32_t op)
{
	return op >= x->letters.nr_setup + x->letters.nr_script;
}

/* The user's operations are comments: no script can have them. */
char *ms_plan_text(const struct ms_explore *x, const struct ms_plan *plan, const char *comment)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "%s%s", comment, x->header);
	for (unsigned int i = 0; i < plan->nr; i++)
		fprintf(out, "%s%s\n", is_users(x, plan->op[i]) ? "# the user's: " : "> ",
			op_text(x, plan->op[i]));
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

/* The same without the user's operations, for a machine: *nr_script gets how many there are. */
static struct ms_script *plan_script(const struct ms_explore *x, const struct ms_plan *plan,
				     const char *rules)
{
	char *text = ms_plan_text(x, plan, "");

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

/* Plays the plan, and looks at the state after its last operation. */
static int play_plan(const struct ms_explore *x, const struct ms_plan *plan,
		     struct ms_script *script, struct ms_judged *judged)
{
	const struct ms_letters letters = {
		.script = script,
		.nr_script = ms_script_nr_ops(script),
		.nr = ms_script_nr_ops(script) + x->user.nr_ops,
		.user = x->letters.user,
	};
	struct ms_position pos;
	unsigned int nr_script = 0;
	const char *answer = "";
	int err = ms_position_begin(&pos, &letters);

	if (err)
		return err;
	for (unsigned int i = 0; !err && i < plan->nr; i++) {
		size_t users = plan->op[i] - x->letters.nr_setup - x->letters.nr_script;

		err = ms_position_play(&pos,
				       is_users(x, plan->op[i])
					       ? (unsigned int)(letters.nr_script + users)
					       : nr_script++,
				       &answer);
		pos.len = 0; // a plan may be longer than a path
	}
	if (!err)
		err = ms_judge(&pos, x->world, answer, judged);
	ms_position_end(&pos);
	return err;
}

int ms_plan_finds(const struct ms_explore *x, const struct ms_plan *plan, const char *rules,
		  const char *signature)
{
	struct ms_script *script = plan_script(x, plan, rules);
	struct ms_judged judged = { .nr = 0 };
	int ret;

	if (!script)
		return -ENOMEM;
	ret = play_plan(x, plan, script, &judged);
	ms_script_free(script);
	for (unsigned int i = 0; !ret && i < judged.nr; i++)
		ret = !strcmp(judged.signature[i], signature);
	return ret;
}

/* ---- a finding is made whole ---- */

static void plan_of(const struct ms_explore *x, const struct ms_found *f, struct ms_plan *plan)
{
	plan->nr = 0;
	for (size_t i = 0; i < x->letters.nr_setup && plan->nr < MS_PLAN_OPS; i++)
		plan->op[plan->nr++] = (uint32_t)i;
	for (unsigned int i = 0; i < f->len && plan->nr < MS_PLAN_OPS; i++)
		plan->op[plan->nr++] = (uint32_t)x->letters.nr_setup + f->path[i];
}

static char *comment_of(const struct ms_explore *x, const struct ms_found *f)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fprintf(out, "# finding: %s\n# kernels: %s\n# rule: %s", f->signature,
		ms_explore_kernel_name(x), f->rule ? f->rule : "none decides alone");
	fprintf(out, f->without ? "; vanishes with %s\n" : "\n", f->without);
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}

int ms_found_make(const struct ms_explore *x, struct ms_found *f)
{
	struct ms_plan plan;
	char *comment;
	int err;

	if (f->made)
		return 0;
	plan_of(x, f, &plan);
	err = ms_plan_shrink(x, &plan, f->signature);
	if (!err)
		err = ms_found_decide(x, &plan, f);
	comment = err ? NULL : comment_of(x, f);
	f->script = comment ? ms_plan_text(x, &plan, comment) : NULL;
	free(comment);
	if (!f->script)
		return err ? err : -ENOMEM;
	f->made = true;
	return 0;
}

struct ms_finding ms_explore_finding(struct ms_explore *x, size_t i)
{
	if (!x || i >= x->found.nr || ms_found_make(x, &x->found.found[i]))
		return (struct ms_finding){ 0 };
	const struct ms_found *f = &x->found.found[i];

	return (struct ms_finding){
		.signature = f->signature,
		.rule = f->rule,
		.without = f->without,
		.letters = f->len,
		.script = f->script,
		.by_walk = f->by_walk,
	};
}
