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
		 unsigned int len, bool by_walk, struct ms_found **added)
{
	struct ms_found *f = ms_found_find(list, signature);

	if (added)
		*added = NULL;
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
	f->judged = 0;
	f->race = (struct ms_race){ .nth = 0 };
	if (added)
		*added = f;
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

/* ---- a finding is made whole ---- */

static int finds(const struct ms_explore *x, const struct ms_plan *plan, const void *what)
{
	return ms_plan_finds(x, plan, NULL, what);
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
	ms_plan_of(x, f->path, f->len, &f->race, &plan);
	err = ms_plan_shrink(x, &plan, finds, f->signature + f->judged);
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
