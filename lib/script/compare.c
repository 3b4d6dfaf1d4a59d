/* SPDX-License-Identifier: GPL-2.0-only */
/* Prints scripts with the model's answers, and compares recordings with them. */
#include "script/player.h"

#include <stdlib.h>

/* Takes the next line off *text; *len does not count its '\n'. NULL: *text is at its end. */
static const char *next_line(const char **text, size_t *len)
{
	const char *line = *text;

	if (!*line)
		return NULL;
	*len = strcspn(line, "\n");
	*text = line + *len + 1;
	return line;
}

/* ---- run ---- */

static void print_answer(FILE *out, const char *answer)
{
	const char *line;
	size_t len;

	while ((line = next_line(&answer, &len)))
		fprintf(out, "< %.*s\n", (int)len, line);
}

/*
 * Prints the rules that are not the kernel's own as directives, so that the printed script gives
 * the same answers when it is played again.
 */
static void print_rules(const struct ms_header *h, FILE *out)
{
	const struct ms_policy *own = ms_policy_linux(h->release, h->arch);

	for (size_t i = 0; i < ms_policy_nr_fields(); i++) {
		int value = ms_policy_field(&h->policy, i);

		if (value != ms_policy_field(own, i))
			fprintf(out, MS_RULE_DIRECTIVE "%s=%s\n", ms_policy_field_name(i),
				ms_policy_value_name(i, value));
	}
}

/* A script on its way to where it is printed. */
struct printer {
	struct ms_player *p;
	unsigned int flags;
	FILE *out;
	struct ms_hazard_list hazards; /* of the operation before */
};

static int print_hazards(struct printer *to)
{
	return to->flags & MS_SCRIPT_HAZARDS ? ms_player_print_hazards(to->p, &to->hazards, to->out)
					     : 0;
}

static int print_op(struct printer *to, const struct ms_item *item)
{
	const char *answer;

	if (!item->op)
		print_rules(to->p->header, to->out);
	answer = ms_player_step(to->p, item->op);
	fprintf(to->out, "> %s\n", item->text);
	if (!answer)
		return -ENOMEM;
	print_answer(to->out, answer);
	if (to->flags & MS_SCRIPT_EXPLAIN)
		ms_player_explain(to->p, MS_WHY, to->out);
	return print_hazards(to);
}

static int print_item(struct printer *to, const struct ms_item *item)
{
	const struct ms_header *h = to->p->header;
	FILE *out = to->out;

	switch (item->kind) {
	case MS_ITEM_HEADER:
		if (ms_header_which(item->text) == MS_HL_KERNEL)
			fprintf(out, "kernel %s %s\n", h->release, ms_arch_name(h->arch));
		else
			fprintf(out, "%s\n", item->text);
		return 0;
	case MS_ITEM_COMMENT:
		// print_rules() prints the directives of rules, before the first operation
		if (!ms_recorder_comment(item->text) &&
		    strncmp(item->text, MS_RULE_DIRECTIVE, strlen(MS_RULE_DIRECTIVE)))
			fprintf(out, "%s\n", item->text);
		return 0;
	case MS_ITEM_BLANK:
		fprintf(out, "\n");
		return 0;
	case MS_ITEM_OP:
		return print_op(to, item);
	case MS_ITEM_ANSWER:
		break;
	}
	return 0;
}

int ms_script_print_header(const struct ms_script *script, FILE *out)
{
	if (!script || !out)
		return -EINVAL;
	const struct ms_header *h = &script->header;

	for (size_t i = 0; i < script->nr_items && script->items[i].kind != MS_ITEM_OP; i++) {
		const struct ms_item *item = &script->items[i];

		if (item->kind == MS_ITEM_HEADER && ms_header_which(item->text) == MS_HL_KERNEL)
			fprintf(out, "kernel %s %s\n", h->release, ms_arch_name(h->arch));
		else if (item->kind == MS_ITEM_HEADER ||
			 (item->kind == MS_ITEM_COMMENT && !strncmp(item->text, "#!", 2) &&
			  strncmp(item->text, MS_RULE_DIRECTIVE, strlen(MS_RULE_DIRECTIVE))))
			fprintf(out, "%s\n", item->text);
	}
	print_rules(h, out);
	return ferror(out) ? -EIO : 0;
}

int ms_script_run(const struct ms_script *script, unsigned int flags, FILE *out,
		  struct ms_script_error *err)
{
	if (!out)
		return ms_script_fail(err, 0, "nowhere to print to");
	struct ms_player *p = ms_player_new(script, err);
	struct printer to = { .p = p, .flags = flags, .out = out };
	int ret = p ? 0 : -EINVAL;

	for (size_t i = 0; !ret && i < script->nr_items; i++)
		ret = print_item(&to, &script->items[i]);
	const char *left = ret ? NULL : ms_player_end(p);
	if (left && *left)
		fprintf(out, MS_LEFT_BEHIND " after the script's process ended:\n%s", left);
	if (!ret)
		ret = left ? print_hazards(&to) : -ENOMEM;
	free(to.hazards.v);
	ms_player_free(p);
	if (ret == -ENOMEM)
		return ms_script_no_memory(err);
	errno = EIO; // if only an earlier write failed, its errno is lost
	if (!ret && (fflush(out) || ferror(out))) {
		ms_script_fail(err, 0, "cannot be written");
		return -EIO;
	}
	return ret;
}

/* ---- check ---- */

/* The first line in which two answers differ. */
struct first_difference {
	uint64_t line;
	const char *kernel; /* NULL: the kernel's answer has no such line */
	const char *model;  /* NULL: the model's has none; `len` bytes, no NUL follows */
	size_t len;
};

/* Whether the two answers to an operation differ; *diff says where. */
static bool differs_at(const struct ms_script *s, size_t op, const char *answer,
		       struct first_difference *diff)
{
	size_t nr_answers = s->ops[op].nr_answers;

	for (size_t j = 0;; j++) {
		uint64_t line = diff->line;

		diff->kernel = j < nr_answers ? ms_script_get_answer(s, op, j, &line) : NULL;
		diff->line = line;
		diff->len = 0;
		diff->model = next_line(&answer, &diff->len);
		if (!diff->kernel && !diff->model)
			return false;
		// what comes after in the kernel's answer is not known
		if (diff->kernel && ms_recorder_lost_events(diff->kernel))
			return false;
		if (!diff->kernel || !diff->model || strlen(diff->kernel) != diff->len ||
		    memcmp(diff->kernel, diff->model, diff->len))
			return true;
	}
}

struct checker {
	const struct ms_script *script;
	struct ms_player *player;
	void (*differs)(const struct ms_script_difference *diff, void *arg);
	void *arg;
};

static int check_op(struct checker *c, size_t op, struct ms_script_count *count)
{
	struct first_difference first = { .line = ms_script_get_op(c->script, op).line };
	const char *answer = ms_player_step(c->player, op);

	if (!answer)
		return -ENOMEM;
	count->answers++;
	if (!differs_at(c->script, op, answer, &first)) {
		count->same++;
		return 0;
	}
	if (!c->differs)
		return 0;
	char *model = first.model ? strndup(first.model, first.len) : NULL;
	if (first.model && !model)
		return -ENOMEM;
	const struct ms_script_difference diff = {
		.op = op,
		.line = first.line,
		.kernel = first.kernel,
		.model = model,
		.answer = answer,
		.player = c->player,
	};
	c->differs(&diff, c->arg);
	free(model);
	return 0;
}

/* A recording has operations, and an answer to each: refuses scripts, and files that were cut off.
 */
static int check_complete(const struct ms_script *s, struct ms_script_error *err)
{
	if (!s)
		return ms_script_fail(err, 0, MS_NO_SCRIPT);
	if (!s->nr_ops)
		return ms_script_fail(err, 0, "no operation: cut off?");
	for (size_t i = 0; i < s->nr_ops; i++) {
		if (!s->ops[i].nr_answers)
			return ms_script_fail(err, ms_script_get_op(s, i).line,
					      s->nr_answers
						      ? "an operation without an answer: cut off?"
						      : "a script, not a recording: no answers");
	}
	return 0;
}

int ms_script_check(const struct ms_script *script,
		    void (*differs)(const struct ms_script_difference *diff, void *arg), void *arg,
		    struct ms_script_count *count, struct ms_script_error *err)
{
	if (!count)
		return ms_script_fail(err, 0, "nowhere to count");
	*count = (struct ms_script_count){ 0 };
	ms_script_no_error(err);
	int ret = check_complete(script, err);
	if (ret)
		return ret;
	struct checker c = { script, ms_player_new(script, err), differs, arg };
	if (!c.player)
		return -EINVAL;
	for (size_t i = 0; !ret && i < script->nr_ops; i++)
		ret = check_op(&c, i, count);
	ms_player_free(c.player);
	return ret ? ms_script_no_memory(err) : 0;
}
