/* SPDX-License-Identifier: GPL-2.0-only */
/* The findings of mapsim explore: printed, written to a folder, read again. */
#define _GNU_SOURCE /* asprintf */
#include "explore.h"

#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int no_memory(void)
{
	warnx("no memory");
	return -1;
}

/* ---- a list ---- */

static struct found *find(struct found_list *list, const char *signature, const char *rule)
{
	for (size_t i = 0; i < list->nr; i++) {
		if (!strcmp(list->found[i].signature, signature) &&
		    !strcmp(list->found[i].rule, rule))
			return &list->found[i];
	}
	return NULL;
}

static bool names_kernel(const char *kernels, const char *kernel)
{
	const size_t len = strlen(kernel);

	for (const char *at = kernels; (at = strstr(at, kernel)); at++) {
		if ((at == kernels || at[-1] == ' ') && (!at[len] || at[len] == ','))
			return true;
	}
	return false;
}

static int add_kernel(struct found *f, const char *kernels)
{
	char *both;

	if (names_kernel(f->kernels, kernels))
		return 0;
	if (asprintf(&both, "%s, %s", f->kernels, kernels) < 0)
		return no_memory();
	free(f->kernels);
	f->kernels = both;
	return 0;
}

static void free_one(struct found *f)
{
	free(f->signature);
	free(f->kernels);
	free(f->rule);
	free(f->script);
}

/* The number of its operations. */
static size_t length(const char *script)
{
	size_t n = 0;

	for (; (script = strstr(script, "\n> ")); script++)
		n++;
	return n;
}

int found_add(struct found_list *list, const char *signature, const char *kernels, const char *rule,
	      const char *without, const char *script)
{
	struct found f = { 0 };

	if (asprintf(&f.rule, "%s%s%s", rule ? rule : "none decides alone",
		     without ? "; vanishes with " : "", without ? without : "") < 0)
		return no_memory();
	struct found *same = find(list, signature, f.rule);
	if (same) {
		free(f.rule);
		if (length(script) < length(same->script)) {
			char *copy = strdup(script);

			if (!copy)
				return no_memory();
			free(same->script);
			same->script = copy;
		}
		return add_kernel(same, kernels);
	}
	struct found *bigger = reallocarray(list->found, list->nr + 1, sizeof(*bigger));
	if (bigger)
		list->found = bigger;
	f.signature = strdup(signature);
	f.kernels = strdup(kernels);
	f.script = strdup(script);
	if (!bigger || !f.signature || !f.kernels || !f.script) {
		free_one(&f);
		return no_memory();
	}
	list->found[list->nr++] = f;
	return 0;
}

void found_free(struct found_list *list)
{
	for (size_t i = 0; i < list->nr; i++)
		free_one(&list->found[i]);
	free(list->found);
}

/* ---- printed and written ---- */

/* What stands behind the comments that the library wrote: they are written anew. */
static const char *behind_comments(const char *script)
{
	while (script[0] == '#' && script[1] == ' ')
		script += strcspn(script, "\n") + 1;
	return script;
}

/* The operations alone, which are enough to read. */
static void print_operations(const char *script)
{
	while (*script) {
		size_t len = strcspn(script, "\n");

		if (*script == '>' || !strncmp(script, "# the user's", 12))
			printf("%.*s\n", (int)len, script);
		script += len + (script[len] == '\n');
	}
}

/* "guest-beyond-vma: ..." makes 03-guest-beyond-vma.ms */
static void file_name(const struct found *f, size_t number, char *name, size_t size)
{
	int n = snprintf(name, size, "%02zu-", number + 1);
	bool dash = true;

	for (const char *s = f->signature; *s && (size_t)n + 4 < size && n < 48; s++) {
		const bool word = isalnum((unsigned char)*s);

		if (word || !dash)
			name[n++] = word ? (char)tolower((unsigned char)*s) : '-';
		dash = !word;
	}
	while (name[n - 1] == '-')
		n--;
	snprintf(name + n, size - (size_t)n, ".ms");
}

static void write_found(const struct found *f, FILE *out)
{
	fprintf(out, "# finding: %s\n# kernels: %s\n# rule: %s\n%s", f->signature, f->kernels,
		f->rule, behind_comments(f->script));
}

static int write_file(const char *dir, const struct found *f, size_t number)
{
	char name[64], *path;

	file_name(f, number, name, sizeof(name));
	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		no_memory();
		return EXIT_TROUBLE;
	}
	FILE *out = fopen(path, "we");
	if (out)
		write_found(f, out);
	bool failed = !out || ferror(out);
	if ((out && fclose(out)) || failed) {
		warn("%s", path);
		free(path);
		return EXIT_TROUBLE;
	}
	free(path);
	return 0;
}

int found_print(struct explore *e)
{
	int code = 0;

	for (size_t i = 0; !code && i < e->found.nr; i++) {
		const struct found *f = &e->found.found[i];

		printf("# %s: %s (%s)\n", f->kernels, f->signature, f->rule);
		print_operations(f->script);
		printf("\n");
		if (e->out)
			code = write_file(e->out, f, i);
	}
	return code;
}

/* ---- a folder ---- */

int out_begin(const struct explore *e)
{
	if (!e->out || !mkdir(e->out, 0777) || errno == EEXIST)
		return 0;
	warn("%s", e->out);
	return EXIT_TROUBLE;
}

/* "DIR/6.12.107-arm64.standing", to be freed. */
static char *standing_path(const struct explore *e)
{
	char *path;

	if (asprintf(&path, "%s/%s.standing", e->out, e->kernel) < 0) {
		no_memory();
		return NULL;
	}
	for (char *c = path + strlen(e->out); *c; c++) {
		if (*c == ' ')
			*c = '-';
	}
	return path;
}

int standing_write(const struct explore *e, const struct ms_explore *x)
{
	char *path = standing_path(e), *made = NULL;
	int code = EXIT_TROUBLE;

	if (path && asprintf(&made, "%s.new", path) < 0)
		made = NULL;
	// written beside the old one, which stays if this is cut short
	FILE *out = made ? fopen(made, "we") : NULL;
	if (out && !ms_explore_save(x, out) && !fclose(out))
		code = rename(made, path) ? EXIT_TROUBLE : 0;
	if (code)
		warn("%s", path ? path : e->out);
	free(made);
	free(path);
	return code;
}

int standing_read(const struct explore *e, struct ms_explore *x)
{
	struct ms_script_error err;
	char *path = standing_path(e);
	FILE *in = path ? fopen(path, "re") : NULL;
	int code = 0;

	// a kernel that the search had not come to begins at its beginning
	if (!in && (!path || errno != ENOENT)) {
		warn("%s", path ? path : e->out);
		code = EXIT_TROUBLE;
	} else if (in && ms_explore_load(x, in, &err)) {
		script_warn(path, &err);
		code = EXIT_TROUBLE;
	}
	if (in)
		fclose(in);
	free(path);
	return code;
}

/* ---- folders are joined ---- */

/* The text after "# KEY: " in one of the first lines, to be freed; NULL: there is none. */
static char *comment(const char *script, const char *key)
{
	const size_t len = strlen(key);

	while (script[0] == '#') {
		if (!strncmp(script + 2, key, len) && !strncmp(script + 2 + len, ": ", 2)) {
			script += len + 4;
			return strndup(script, strcspn(script, "\n"));
		}
		script += strcspn(script, "\n");
		script += *script == '\n';
	}
	return NULL;
}

static char *read_file(const char *path)
{
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (in && getdelim(&text, &size, '\0', in) < 0) {
		free(text);
		text = NULL;
	}
	if (in)
		fclose(in);
	return text;
}

static int merge_file(struct explore *e, const char *path)
{
	char *text = read_file(path);

	if (!text) {
		warn("%s", path);
		return EXIT_TROUBLE;
	}
	char *signature = comment(text, "finding"), *rule = comment(text, "rule");
	char *kernels = comment(text, "kernels");
	int code = 0;
	// other scripts may lie there, too
	for (char *rest = kernels, *one; signature && rule && !code && (one = strsep(&rest, ","));)
		code = found_add(&e->found, signature, one + strspn(one, " "), rule, NULL, text)
			       ? EXIT_TROUBLE
			       : 0;
	free(signature);
	free(kernels);
	free(rule);
	free(text);
	return code;
}

static int is_script(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".ms");
}

int merge_read(struct explore *e, const char *dir)
{
	struct dirent **names;
	int n = scandir(dir, &names, is_script, alphasort), code = 0;

	if (n < 0) {
		warn("%s", dir);
		return EXIT_TROUBLE;
	}
	for (int i = 0; i < n; i++) {
		char *path;

		if (!code && asprintf(&path, "%s/%s", dir, names[i]->d_name) >= 0) {
			code = merge_file(e, path);
			free(path);
		}
		free(names[i]);
	}
	free(names);
	return code;
}
