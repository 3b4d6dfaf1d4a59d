/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A script for each rule and each two of its values that kernels have: ARCH/RULE.VALUE.VALUE.ms is
 * answered otherwise with the one than with the other. Pairs without a script are named in the file
 * `without`, with the reason.
 *
 *     witnesses WITNESSES                   each script does so, and no pair is forgotten
 *     witnesses --find WITNESSES RECORDING...  writes scripts for pairs that have none, made of
 *                                              recordings and cut short; KERNELS="7.3.4 6.1.192":
 *                                              played on these alone
 */
#include <mapsim/script.h>

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_OPS 400u /* longer recordings are random ones, of which others have the beginnings */

struct pair {
	enum ms_arch arch;
	size_t rule;
	int value[2]; /* the smaller first */
};

/* ---- pairs ---- */

static bool some_kernel_has(size_t rule, int value, enum ms_arch arch)
{
	const struct ms_policy *p;

	for (size_t i = 0; (p = ms_policy_get(i)); i++) {
		if (p->arch == arch && ms_policy_field(p, rule) == value)
			return true;
	}
	return false;
}

static void for_each_pair(void (*fn)(const struct pair *pair, void *arg), void *arg)
{
	for (enum ms_arch a = MS_ARCH_ARM64; a <= MS_ARCH_X86_64; a++) {
		for (size_t rule = 0; rule < ms_policy_nr_fields(); rule++) {
			if (!ms_policy_field_applies(rule, a))
				continue;
			for (int w = 0; ms_policy_value_name(rule, w); w++) {
				for (int v = 0; v < w; v++) {
					const struct pair pair = { a, rule, { v, w } };

					if (some_kernel_has(rule, v, a) &&
					    some_kernel_has(rule, w, a))
						fn(&pair, arg);
				}
			}
		}
	}
}

static void path_of(const struct pair *pair, const char *folder, char *path, size_t size)
{
	snprintf(path, size, "%s/%s/%s.%s.%s.ms", folder, ms_arch_name(pair->arch),
		 ms_policy_field_name(pair->rule), ms_policy_value_name(pair->rule, pair->value[0]),
		 ms_policy_value_name(pair->rule, pair->value[1]));
}

/* ---- played ---- */

static void set(struct ms_script *script, size_t rule, int value)
{
	struct ms_script_error err;
	char line[160];

	snprintf(line, sizeof(line), "%s=%s", ms_policy_field_name(rule),
		 ms_policy_value_name(rule, value));
	if (ms_script_set_rules(script, line, &err))
		errx(EXIT_FAILURE, "%s", err.what);
}

/* The answers to the operations that `keep` has, one after the other, to be freed. */
static char *answers(const struct ms_script *script, const bool *keep)
{
	struct ms_player *p = ms_player_new(script, NULL);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!p || !out)
		errx(EXIT_FAILURE, "no memory");
	for (size_t i = 0; i < ms_script_nr_ops(script); i++) {
		if (!keep || keep[i])
			fprintf(out, "%s\n", ms_player_step(p, i));
	}
	fclose(out);
	ms_player_free(p);
	return text;
}

static bool tells_apart(struct ms_script *script, const bool *keep, const struct pair *pair)
{
	char *text[2];

	for (int i = 0; i < 2; i++) {
		set(script, pair->rule, pair->value[i]);
		text[i] = answers(script, keep);
	}
	bool differ = strcmp(text[0], text[1]);
	free(text[0]);
	free(text[1]);
	return differ;
}

/* ---- the check ---- */

struct check {
	const char *folder;
	char *without; /* the file's text */
	unsigned int with, none, bad;
};

static struct ms_script *read_script(const char *path)
{
	struct ms_script_error err;
	FILE *in = fopen(path, "re");

	if (!in)
		return NULL;
	struct ms_script *script = ms_script_read(in, NULL, &err);
	fclose(in);
	if (!script)
		errx(EXIT_FAILURE, "%s: line %llu: %s", path, (unsigned long long)err.line,
		     err.what);
	return script;
}

/* Is there a line "ARCH RULE VALUE VALUE: REASON"? */
static bool has_reason(const struct check *c, const struct pair *pair)
{
	char line[300];

	snprintf(line, sizeof(line), "\n%s %s %s %s: ", ms_arch_name(pair->arch),
		 ms_policy_field_name(pair->rule), ms_policy_value_name(pair->rule, pair->value[0]),
		 ms_policy_value_name(pair->rule, pair->value[1]));
	return strstr(c->without, line);
}

static void check_pair(const struct pair *pair, void *arg)
{
	struct check *c = arg;
	char path[4096];

	path_of(pair, c->folder, path, sizeof(path));
	struct ms_script *script = read_script(path);
	const bool reason = has_reason(c, pair);
	c->with += script != NULL;
	c->none += !script && reason;
	if (script && reason)
		warnx("%s: there is a script, and a reason why there is none", path);
	else if (!script && !reason)
		warnx("%s: there is neither a script nor a reason", path);
	else if (script && !tells_apart(script, NULL, pair))
		warnx("%s: both values answer the same", path);
	else
		c->bad--;
	c->bad++;
	ms_script_free(script);
}

static char *read_text(const char *folder, const char *name)
{
	char path[4096], *text = NULL;
	size_t size = 0;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *in = fopen(path, "re");
	if (!in || getdelim(&text, &size, '\0', in) < 0)
		err(EXIT_FAILURE, "%s", path);
	fclose(in);
	return text;
}

static int check(const char *folder)
{
	struct check c = { .folder = folder, .without = read_text(folder, "without") };

	for_each_pair(check_pair, &c);
	free(c.without);
	printf("%u pairs of values have a script, %u a reason why not, %u are wrong\n", c.with,
	       c.none, c.bad);
	return c.bad ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- scripts are looked for ---- */

struct find {
	const char *folder;
	struct ms_script *script;
	const char *release; /* of the kernel that it is played on */
	char *own;           /* what that answers */
	const char *only;    /* kernels to play on, "6.1.192 7.3.4"; NULL: all that were recorded */
	unsigned int found;
};

/* Drops each operation that is not needed, the last ones first, until all are. */
static void cut_short(struct ms_script *script, bool *keep, const struct pair *pair)
{
	bool any = true;

	while (any) {
		any = false;
		for (size_t i = ms_script_nr_ops(script); i-- > 0;) {
			if (!keep[i])
				continue;
			keep[i] = false;
			if (tells_apart(script, keep, pair))
				any = true;
			else
				keep[i] = true;
		}
	}
}

static void write_script(const struct find *f, const bool *keep, const struct pair *pair)
{
	char path[4096];

	path_of(pair, f->folder, path, sizeof(path));
	FILE *out = fopen(path, "we");
	if (!out)
		err(EXIT_FAILURE, "%s", path);
	fprintf(out, "# %s: %s is answered otherwise than %s.\n", ms_policy_field_name(pair->rule),
		ms_policy_value_name(pair->rule, pair->value[0]),
		ms_policy_value_name(pair->rule, pair->value[1]));
	ms_script_print_header(f->script, out);
	for (size_t i = 0; i < ms_script_nr_ops(f->script); i++) {
		if (keep[i])
			fprintf(out, "> %s\n", ms_script_get_op(f->script, i).text);
	}
	if (fclose(out))
		err(EXIT_FAILURE, "%s", path);
}

/* A script is made again of what is kept: devices that it does not name are not opened. */
static bool holds(const struct pair *pair, const char *folder)
{
	char path[4096];

	path_of(pair, folder, path, sizeof(path));
	struct ms_script *script = read_script(path);
	bool good = script && tells_apart(script, NULL, pair);
	ms_script_free(script);
	if (!good)
		unlink(path);
	return good;
}

static void find_pair(const struct pair *pair, void *arg)
{
	struct find *f = arg;
	const struct ms_policy *policy = ms_policy_linux(f->release, pair->arch);
	char path[4096];

	if (pair->arch != ms_script_arch(f->script) || !policy)
		return;
	const int own = ms_policy_field(policy, pair->rule);
	if (own != pair->value[0] && own != pair->value[1])
		return;
	path_of(pair, f->folder, path, sizeof(path));
	if (!access(path, F_OK))
		return;
	set(f->script, pair->rule, own == pair->value[0] ? pair->value[1] : pair->value[0]);
	char *other = answers(f->script, NULL);
	bool differ = strcmp(f->own, other);
	free(other);
	if (differ) {
		const size_t n = ms_script_nr_ops(f->script);
		bool *keep = malloc(n * sizeof(*keep));

		if (!keep)
			errx(EXIT_FAILURE, "no memory");
		memset(keep, true, n);
		cut_short(f->script, keep, pair);
		set(f->script, pair->rule, own);
		write_script(f, keep, pair);
		f->found += holds(pair, f->folder);
		free(keep);
	}
	set(f->script, pair->rule, own);
}

/* Tries one recording on each recorded kernel whose values it may tell from others. */
static void find_in(struct find *f, const char *path)
{
	struct ms_script *recording = read_script(path);
	const enum ms_arch arch = ms_script_arch(recording);
	size_t n = ms_script_nr_ops(recording);

	ms_script_free(recording);
	for (size_t i = 0; n <= MAX_OPS && (f->release = ms_release_recorded(i, arch)); i++) {
		const struct ms_script_kernel kernel = { f->release, ms_arch_name(arch) };

		if (f->only && !strstr(f->only, f->release))
			continue;
		FILE *in = fopen(path, "re");

		f->script = in ? ms_script_read(in, &kernel, NULL) : NULL;
		if (in)
			fclose(in);
		if (!f->script)
			continue;
		f->own = answers(f->script, NULL);
		for_each_pair(find_pair, f);
		free(f->own);
		ms_script_free(f->script);
	}
}

static int find(const char *folder, const char *const *paths, size_t nr_paths)
{
	struct find f = { .folder = folder, .only = getenv("KERNELS") };

	for (size_t i = 0; i < nr_paths; i++) {
		const unsigned int before = f.found;

		find_in(&f, paths[i]);
		if (f.found > before)
			fprintf(stderr, "%s: %u\n", paths[i], f.found - before);
	}
	printf("%u scripts were made\n", f.found);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return check(argv[1]);
	if (argc >= 4 && !strcmp(argv[1], "--find"))
		return find(argv[2], (const char *const *)argv + 3, (size_t)argc - 3);
	errx(EXIT_FAILURE, "usage: witnesses WITNESSES | witnesses --find WITNESSES RECORDING...");
}
