/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The search for scripts. A recording is played with many rules changed at once; only where an
 * answer differs, halves of them are, down to the one that matters. What one rule hides of another
 * is missed then, as rules are taken in groups; recordings are many.
 */
#include "witnesses.h"

#include <mapsim/explore.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_GROUP 8u
#define MAX_PAIRS 600u
#define MAX_BYTES \
	400000u /* longer recordings are random ones, of which others have the beginnings */

struct find {
	const char *folder;
	const char *only; /* kernels to play on, "6.1.192 7.3.4"; NULL: all that were recorded */
	struct ms_script *script;
	const struct ms_policy *policy; /* of the kernel that it is played on */
	size_t nr_ops;
	char **own;     /* what that answers, by operation */
	uint64_t *hash; /* and of its states */
	struct pair wanted[MAX_PAIRS], strays[MAX_PAIRS];
	size_t nr_wanted, nr_strays;
	unsigned int found;
};

static int other_value(const struct find *f, const struct pair *pair)
{
	return pair->value[pair->value[1] != ms_policy_field(f->policy, pair->rule)];
}

static void make_script(struct find *f, const struct pair *pair)
{
	const int other = other_value(f, pair);
	struct ms_witness w;
	char path[4096];

	if (ms_explore_rule_in(f->script, ms_policy_field_name(pair->rule),
			       ms_policy_value_name(pair->rule, other), &w, NULL) != 1)
		return;
	path_of(pair, f->folder, path, sizeof(path));
	FILE *out = fopen(path, "we");
	if (!out || fputs(w.script, out) < 0 || fclose(out))
		err(EXIT_FAILURE, "%s", path);
	free(w.script);
	// made again of what is kept: devices that it does not name are not opened
	struct ms_script *script = read_script(path);
	if (script && tells_apart(script, NULL, pair))
		f->found++;
	else
		unlink(path);
	ms_script_free(script);
}

/* ---- groups ---- */

/* Do answers or states differ when all of the group have the other value? */
static bool matters(const struct find *f, const struct pair *group, size_t n)
{
	bool differ = false;

	for (size_t i = 0; i < n; i++)
		set_rule(f->script, group[i].rule, other_value(f, &group[i]));
	struct ms_player *p = ms_player_new(f->script, NULL);
	for (size_t i = 0; p && !differ && i < f->nr_ops; i++) {
		differ = strcmp(ms_player_step(p, i), f->own[i]);
		differ |= ms_player_hash(p) != f->hash[i];
	}
	ms_player_free(p);
	for (size_t i = 0; i < n; i++)
		set_rule(f->script, group[i].rule, ms_policy_field(f->policy, group[i].rule));
	return differ;
}

static void find_group(struct find *f, const struct pair *group, size_t n)
{
	if (!n || !matters(f, group, n))
		return;
	if (n == 1) {
		make_script(f, group);
		return;
	}
	find_group(f, group, n / 2);
	find_group(f, group + n / 2, n - n / 2);
}

static bool is_recorded(const struct pair *pair)
{
	const char *release;

	for (size_t i = 0; (release = ms_release_recorded(i, pair->arch)); i++) {
		const int value = ms_policy_field(ms_policy_linux(release, pair->arch), pair->rule);

		if (value == pair->value[0] || value == pair->value[1])
			return true;
	}
	return false;
}

static void want(const struct pair *pair, void *arg)
{
	struct find *f = arg;
	char path[4096];

	if (pair->arch != ms_script_arch(f->script) || f->nr_wanted == MAX_PAIRS)
		return;
	path_of(pair, f->folder, path, sizeof(path));
	if (!access(path, F_OK))
		return;
	const int own = ms_policy_field(f->policy, pair->rule);
	if (own == pair->value[0] || own == pair->value[1])
		f->wanted[f->nr_wanted++] = *pair;
	else if (!is_recorded(pair)) // neither is this kernel's: the two are played
		f->strays[f->nr_strays++] = *pair;
}

/* No group has two pairs of one rule, which stand side by side. */
static void find_wanted(struct find *f)
{
	for (size_t i = 0, n; i < f->nr_wanted; i += n) {
		for (n = 1; n < MAX_GROUP && i + n < f->nr_wanted; n++) {
			if (f->wanted[i + n].rule == f->wanted[i + n - 1].rule)
				break;
		}
		find_group(f, f->wanted + i, n);
	}
	for (size_t i = 0; i < f->nr_strays; i++) {
		const struct pair *pair = &f->strays[i];

		set_rule(f->script, pair->rule, pair->value[0]);
		make_script(f, pair);
		set_rule(f->script, pair->rule, ms_policy_field(f->policy, pair->rule));
	}
}

/* ---- recordings ---- */

/* Its operations alone, for the machine that scripts without a header have; to be freed. */
static char *without_header(const char *text)
{
	char *to = malloc(strlen(text) + 1), *end = to;

	while (to && *text) {
		size_t len = strcspn(text, "\n");

		len += text[len] == '\n';
		if (*text == '>' || !strncmp(text, "#!", 2)) {
			memcpy(end, text, len);
			end += len;
		}
		text += len;
	}
	if (!to)
		errx(EXIT_FAILURE, "no memory");
	*end = '\0';
	return to;
}

static void play_own(struct find *f)
{
	struct ms_player *p = ms_player_new(f->script, NULL);

	f->nr_ops = p ? ms_script_nr_ops(f->script) : 0;
	f->own = calloc(f->nr_ops + 1, sizeof(*f->own));
	f->hash = calloc(f->nr_ops + 1, sizeof(*f->hash));
	for (size_t i = 0; i < f->nr_ops; i++) {
		f->own[i] = strdup(ms_player_step(p, i));
		f->hash[i] = ms_player_hash(p);
	}
	ms_player_free(p);
}

static void find_on(struct find *f, const char *text, const char *release, enum ms_arch arch)
{
	const struct ms_script_kernel kernel = { release, ms_arch_name(arch) };

	f->script = ms_script_parse(text, strlen(text), &kernel, NULL);
	if (!f->script)
		return;
	f->policy = ms_policy_linux(release, arch);
	f->nr_wanted = f->nr_strays = 0;
	for_each_pair(want, f);
	if (f->nr_wanted || f->nr_strays) {
		play_own(f);
		find_wanted(f);
		for (size_t i = 0; i < f->nr_ops; i++)
			free(f->own[i]);
		free(f->own);
		free(f->hash);
	}
	ms_script_free(f->script);
}

/* On each recorded kernel; those of the other architecture get its operations alone. */
static void find_in(struct find *f, const char *path)
{
	char *text = NULL;
	size_t size = 0;
	FILE *in = fopen(path, "re");
	ssize_t len = in ? getdelim(&text, &size, '\0', in) : -1;

	if (len < 0)
		err(EXIT_FAILURE, "%s", path);
	fclose(in);
	struct ms_script *recording = ms_script_parse(text, (size_t)len, NULL, NULL);
	const enum ms_arch own = ms_script_arch(recording); // where it matters, it can be read
	char *plain = without_header(text);
	for (enum ms_arch arch = MS_ARCH_ARM64; len < (ssize_t)MAX_BYTES; arch++) {
		const char *release;

		for (size_t i = 0; (release = ms_release_recorded(i, arch)); i++) {
			if (!f->only || strstr(f->only, release))
				find_on(f, arch == own ? text : plain, release, arch);
		}
		if (arch == MS_ARCH_X86_64)
			break;
	}
	ms_script_free(recording);
	free(plain);
	free(text);
}

int find(const char *folder, const char *const *paths, size_t nr_paths)
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
