/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recordings that tell the values of rules apart: a witness of a cell is one of a kernel for which
 * the cell holds, which is identical as it is, and no longer with another value of the rule.
 *
 *     witnesses FOLDER...             every "recorded" evidence of the rules, found below a FOLDER
 * as ARCH/KERNEL/NAME.rec, is such a witness witnesses --find FOLDER...      prints the best
 * witness of each cell that has one
 */
#include "../check/files.h"
#include "policy/internal.h"

#include <stdio.h>

/*
 * How a recording tells a cell's value from others: from that of the cell before it, and from how
 * many of those that kernels have.
 */
struct quality {
	bool from_before;
	unsigned int values;
	size_t ops;
};

struct witness {
	struct quality quality;
	char *path; /* NULL: none */
};

struct found {
	struct witness **of; /* by rule and cell */
	size_t recordings, different;
};

static bool identical(const struct ms_script *script)
{
	struct ms_script_count count;
	struct ms_script_error error;

	return !ms_script_check(script, NULL, NULL, &count, &error) && count.same == count.answers;
}

static void set_value(struct ms_script *script, const struct ms_rule *rule, unsigned int value)
{
	struct ms_script_error error;
	char text[160];

	snprintf(text, sizeof(text), "%s=%s", rule->name, rule->value[value].name);
	if (ms_script_set_rules(script, text, &error))
		errx(EXIT_FAILURE, "%s", error.what);
}

static bool identical_with(struct ms_script *script, const struct ms_rule *rule, unsigned int value)
{
	set_value(script, rule, value);
	return identical(script);
}

/* The cell that holds for the script's kernel; NULL: the rule means nothing there. */
static const struct ms_rule_cell *cell_of(const struct ms_script *script, size_t rule)
{
	struct ms_policy_cell cell =
		ms_policy_cell(ms_script_release(script), ms_script_arch(script), rule);

	for (unsigned int i = 0; cell.since && i < ms_rules[rule].nr_cells; i++) {
		const struct ms_rule_cell *known = &ms_rules[rule].cell[i];

		if (!strcmp(known->since, cell.since) &&
		    (known->arches & (1u << ms_script_arch(script))))
			return known;
	}
	return NULL;
}

static unsigned long order_of(const char *release)
{
	unsigned int major = 0, minor = 0, point = 0;

	sscanf(release, "%u.%u.%u", &major, &minor, &point);
	return (major * 1000ul + minor) * 1000ul + point;
}

/* Mainline before the cell's release; of its own branch, too. */
static bool is_of_line(const char *before, const char *of)
{
	return order_of(before) % 1000 == 0 || order_of(before) / 1000 == order_of(of) / 1000;
}

/* The value that the cell's line has before it; behind it for the first of all. */
static unsigned int neighbour(const struct ms_rule *rule, const struct ms_rule_cell *cell)
{
	const struct ms_rule_cell *before = NULL, *after = NULL;

	for (const struct ms_rule_cell *c = rule->cell; c < rule->cell + rule->nr_cells; c++) {
		if (c == cell || c->value == cell->value || !(c->arches & cell->arches))
			continue;
		if (order_of(c->since) > order_of(cell->since)) {
			if (!after || order_of(c->since) < order_of(after->since))
				after = c;
		} else if (is_of_line(c->since, cell->since) &&
			   (!before || order_of(c->since) > order_of(before->since))) {
			before = c;
		}
	}
	return before ? before->value : after ? after->value : cell->value;
}

static bool differs_with(struct ms_script *script, const struct ms_rule *rule, unsigned int value)
{
	return !rule->value[value].never && !identical_with(script, rule, value);
}

static struct quality judge(struct ms_script *script, const struct ms_rule *rule,
			    const struct ms_rule_cell *cell)
{
	struct quality q = { .ops = ms_script_nr_ops(script) };
	unsigned int before = neighbour(rule, cell);

	for (unsigned int value = 0; value < rule->nr_values; value++) {
		if (value == cell->value || !differs_with(script, rule, value))
			continue;
		q.values++;
		q.from_before |= value == before;
	}
	set_value(script, rule, cell->value);
	return q;
}

static bool better(const struct quality *a, const struct quality *b)
{
	if (a->from_before != b->from_before)
		return a->from_before;
	if (a->values != b->values)
		return a->values > b->values;
	return a->ops < b->ops;
}

/* "arm64/6.12.117-dic/NAME" of ".../arm64/6.12.117-dic/NAME.rec" */
static char *short_name(const char *path)
{
	const char *from = path + strlen(path);
	unsigned int slashes = 0;

	while (from > path && slashes < 3)
		slashes += *--from == '/';
	from += *from == '/';
	return strndup(from, strlen(from) - strlen(".rec"));
}

static void find(const struct ms_script *const_script, const char *path, void *arg)
{
	struct ms_script *script = (struct ms_script *)const_script;
	struct found *found = arg;

	found->recordings++;
	if (!identical(script)) {
		found->different++;
		return;
	}
	for (size_t rule = 0; rule < ms_nr_rules; rule++) {
		const struct ms_rule_cell *cell = cell_of(script, rule);

		if (!cell)
			continue;
		struct witness *best = &found->of[rule][cell - ms_rules[rule].cell];
		/* a longer one is not worth the time of being judged, though it might tell more
		 * values */
		if (best->path && best->quality.from_before &&
		    ms_script_nr_ops(script) >= best->quality.ops)
			continue;
		struct quality q = judge(script, &ms_rules[rule], cell);

		if (!q.values || (best->path && !better(&q, &best->quality)))
			continue;
		free(best->path);
		*best = (struct witness){ q, short_name(path) };
	}
}

static void print_found(const struct found *found)
{
	for (size_t rule = 0; rule < ms_nr_rules; rule++) {
		for (unsigned int i = 0; i < ms_rules[rule].nr_cells; i++) {
			const struct witness *w = &found->of[rule][i];
			const struct ms_rule_cell *cell = &ms_rules[rule].cell[i];

			if (w->path)
				printf("%s %s %s %s %u\n", ms_rules[rule].name, cell->since,
				       w->path, w->quality.from_before ? "boundary" : "value",
				       cell->arches);
		}
	}
}

static int find_all(char **paths)
{
	struct found found = { .of = calloc(ms_nr_rules, sizeof(*found.of)) };

	for (size_t rule = 0; found.of && rule < ms_nr_rules; rule++)
		found.of[rule] = calloc(ms_rules[rule].nr_cells, sizeof(**found.of));
	for_each_recording(paths, find, &found);
	print_found(&found);
	for (size_t rule = 0; rule < ms_nr_rules; rule++) {
		for (unsigned int i = 0; i < ms_rules[rule].nr_cells; i++)
			free(found.of[rule][i].path);
		free(found.of[rule]);
	}
	free(found.of);
	fprintf(stderr, "%zu recordings, %zu not identical and left out\n", found.recordings,
		found.different);
	return 0;
}

/* ---- what the rules say ---- */

static FILE *open_witness(char **folders, const char *name, int len)
{
	for (; *folders; folders++) {
		char path[512];
		FILE *in;

		snprintf(path, sizeof(path), "%s/%.*s.rec", *folders, len, name);
		in = fopen(path, "re");
		if (in)
			return in;
	}
	return NULL;
}

static const char *wrong_with(char **folders, size_t rule, const struct ms_rule_cell *cell,
			      const char *name, int len)
{
	struct ms_script_error error;
	struct ms_script *script;
	FILE *in = open_witness(folders, name, len);
	const char *wrong = NULL;

	if (!in)
		return "there is no such recording";
	script = ms_script_read(in, NULL, &error);
	if (!script)
		errx(EXIT_FAILURE, "%.*s: %s", len, name, error.what);
	fclose(in);
	if (cell_of(script, rule) != cell)
		wrong = "another cell holds for its kernel";
	else if (!identical(script))
		wrong = "it is not identical";
	else if (!judge(script, &ms_rules[rule], cell).values)
		wrong = "no other value makes a difference";
	ms_script_free(script);
	return wrong;
}

static int check_all(char **folders)
{
	static const char recorded[] = "recorded ";
	size_t witnesses = 0, wrong = 0;

	for (size_t rule = 0; rule < ms_nr_rules; rule++) {
		for (unsigned int i = 0; i < ms_rules[rule].nr_cells; i++) {
			const struct ms_rule_cell *cell = &ms_rules[rule].cell[i];
			const char *at = cell->evidence;

			while ((at = strstr(at, recorded))) {
				const bool is_item = at == cell->evidence || at[-2] == ';';
				const char *name = at += strlen(recorded);

				if (!is_item)
					continue; // a word of a sentence
				const char *why = wrong_with(folders, rule, cell, name,
							     (int)strcspn(name, "; "));

				witnesses++;
				wrong += !!why;
				if (why)
					printf("%s, %s: recorded %.*s: %s\n", ms_rules[rule].name,
					       cell->since, (int)strcspn(name, "; "), name, why);
			}
		}
	}
	printf("%zu witnesses, %zu wrong\n", witnesses, wrong);
	return wrong || !witnesses ? EXIT_FAILURE : 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "--find"))
		return find_all(argv + 2);
	if (argc < 2)
		errx(EXIT_FAILURE, "usage: %s [--find] FOLDER...", argv[0]);
	return check_all(argv + 1);
}
