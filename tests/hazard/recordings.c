/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Plays recordings and counts in how many of them each kind of hazard comes up: the tables of
 * docs/hazards.md.
 *
 *     hazard_recordings PATH...                  prints them
 *     hazard_recordings --compare FILE PATH...   and says whether FILE is the same
 */
#include "../check/files.h"

#include <mapsim/hazard.h>

#include <getopt.h>

#define MAX_KERNELS 64u

struct kernel {
	char *name; /* "6.12.117 arm64 16k" */
	size_t recordings;
	size_t with[MS_HAZARD_KINDS];
};

struct count {
	struct kernel kernels[MAX_KERNELS];
	size_t nr_kernels;
	char *first[MS_HAZARD_KINDS]; /* the first recording of each kind */
	uint64_t met;                 /* bit (1 << kind) each: in the recording at hand */
};

static struct kernel *kernel_of(struct count *count, const char *name)
{
	for (size_t i = 0; i < count->nr_kernels; i++)
		if (!strcmp(count->kernels[i].name, name))
			return &count->kernels[i];
	if (count->nr_kernels == MAX_KERNELS)
		errx(EXIT_FAILURE, "more than %u kernels", MAX_KERNELS);
	struct kernel *kernel = &count->kernels[count->nr_kernels++];

	kernel->name = strdup(name);
	if (!kernel->name)
		err(EXIT_FAILURE, NULL);
	return kernel;
}

static void meet(const struct ms_hazard *hazard, void *arg)
{
	*(uint64_t *)arg |= UINT64_C(1) << hazard->kind;
}

static void judge(struct ms_player *player, struct count *count)
{
	if (ms_player_hazards(player, meet, &count->met) == SIZE_MAX)
		errx(EXIT_FAILURE, "no memory");
}

/* The last three parts of a path: "arm64/6.12.117/dev-small", without its ".rec". */
static char *name_of(const char *path)
{
	const char *at = path + strlen(path);

	for (int slashes = 0; at > path && slashes < 3; at--)
		slashes += at[-1] == '/';
	at += *at == '/' || at != path;
	return strndup(at, strlen(at) - strlen(".rec"));
}

static void play(const struct ms_script *script, const char *path, void *arg)
{
	struct count *count = arg;
	struct kernel *kernel = kernel_of(count, ms_script_kernel_name(script));
	struct ms_script_error error;
	struct ms_player *player = ms_player_new(script, &error);

	if (!player)
		errx(EXIT_FAILURE, "%s: %s", path, error.what);
	kernel->recordings++;
	count->met = 0;
	for (size_t i = 0; i < ms_script_nr_ops(script); i++) {
		if (!ms_player_step(player, i))
			errx(EXIT_FAILURE, "no memory");
		judge(player, count);
	}
	if (!ms_player_end(player))
		errx(EXIT_FAILURE, "no memory");
	judge(player, count);
	ms_player_free(player);
	for (unsigned int kind = 0; kind < MS_HAZARD_KINDS; kind++) {
		if (!(count->met >> kind & 1))
			continue;
		kernel->with[kind]++;
		if (!count->first[kind])
			count->first[kind] = name_of(path);
	}
}

/* ---- printing ---- */

static bool is_of(const struct kernel *kernel, const char *arch)
{
	const char *at = strstr(kernel->name, arch);

	return at && (at[strlen(arch)] == '\0' || at[strlen(arch)] == ' ');
}

/* "6.12.117 arm64 16k" becomes "6.12.117 16k". */
static void print_kernel(const struct kernel *kernel, const char *arch, FILE *out)
{
	const char *at = strstr(kernel->name, arch);

	fprintf(out, " %.*s%s |", (int)(at - kernel->name) - 1, kernel->name, at + strlen(arch));
}

static void print_row(const struct count *count, const char *arch, const char *name,
		      unsigned int kind, FILE *out)
{
	fprintf(out, "| %s |", name);
	for (size_t i = 0; i < count->nr_kernels; i++) {
		const struct kernel *kernel = &count->kernels[i];
		const size_t n = kind == MS_HAZARD_KINDS ? kernel->recordings : kernel->with[kind];

		if (!is_of(kernel, arch))
			continue;
		if (n)
			fprintf(out, " %zu |", n);
		else
			fputs(" |", out);
	}
	fputc('\n', out);
}

static void print_table(const struct count *count, const char *arch, FILE *out)
{
	fprintf(out, "\n## %s\n\n| |", arch);
	for (size_t i = 0; i < count->nr_kernels; i++)
		if (is_of(&count->kernels[i], arch))
			print_kernel(&count->kernels[i], arch, out);
	fputs("\n|---|", out);
	for (size_t i = 0; i < count->nr_kernels; i++)
		if (is_of(&count->kernels[i], arch))
			fputs("---:|", out);
	fputc('\n', out);
	print_row(count, arch, "recordings", MS_HAZARD_KINDS, out);
	for (unsigned int kind = 0; kind < MS_HAZARD_KINDS; kind++)
		print_row(count, arch, ms_hazard_name(kind), kind, out);
}

static void print(const struct count *count, FILE *out)
{
	fputs("# Hazards in the recordings\n"
	      "\n"
	      "In how many recordings of real kernels the model, which answers all of them alike, meets\n"
	      "each kind of hazard (`<mapsim/hazard.h>`): in any state after an operation, or in the end.\n"
	      "What was found, and what it means, is in [findings.md](findings.md). This file is made by\n"
	      "`tests/hazard/recordings.c` and checked by it:\n"
	      "`build/tests/hazard/hazard_recordings tests/recordings > docs/hazards.md`.\n"
	      "\n"
	      "| kind | meaning | a recording with it |\n"
	      "|---|---|---|\n",
	      out);
	for (unsigned int kind = 0; kind < MS_HAZARD_KINDS; kind++)
		fprintf(out, "| %s | %s | %s |\n", ms_hazard_name(kind), ms_hazard_doc(kind),
			count->first[kind] ? count->first[kind] : "");
	print_table(count, "arm64", out);
	print_table(count, "x86_64", out);
}

/* Is the file what is printed? */
static bool is_same(const struct count *count, const char *path)
{
	char *text = NULL, *file = NULL;
	size_t size, file_size = 0;
	FILE *out = open_memstream(&text, &size), *in = fopen(path, "re");
	ssize_t n;

	if (!out || !in)
		err(EXIT_FAILURE, "%s", path);
	print(count, out);
	if (fclose(out))
		err(EXIT_FAILURE, NULL);
	n = getdelim(&file, &file_size, '\0', in);
	fclose(in);
	const bool same = n >= 0 && !strcmp(file, text);

	if (!same)
		fputs(text, stdout);
	free(text);
	free(file);
	return same;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "compare", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	struct count count = { .nr_kernels = 0 };
	const char *compare = NULL;
	bool same = true;
	int opt;

	while ((opt = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		if (opt != 'c')
			return EXIT_FAILURE;
		compare = optarg;
	}
	if (optind == argc)
		errx(EXIT_FAILURE, "usage: %s [--compare FILE] PATH...", argv[0]);
	for_each_recording(argv + optind, play, &count);
	if (compare)
		same = is_same(&count, compare);
	else
		print(&count, stdout);
	for (size_t i = 0; i < count.nr_kernels; i++)
		free(count.kernels[i].name);
	for (unsigned int kind = 0; kind < MS_HAZARD_KINDS; kind++)
		free(count.first[kind]);
	return !count.nr_kernels || !same;
}
