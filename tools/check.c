/* SPDX-License-Identifier: GPL-2.0-only */
/* mapsim check: compares recordings with the model. */
#include "known.h"
#include "tool.h"

#include <err.h>
#include <fts.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

const char check_help[] =
	"usage: mapsim check [--verbose | --quiet] [--known FILE [--write-known]]\n"
	"                    [--set RULE=VALUE]... [--policy FILE]... PATH...\n"
	"\n"
	"Plays recordings of real kernels (files, or all *.rec in folders) on the model of the kernel\n"
	"that each names, and compares the answers. Prints the recordings that differ, with the first\n"
	"line that does, and the numbers of each kernel and of all.\n"
	"\n"
	"  -v, --verbose     prints also every answer that differs, with the model's reasons, and the\n"
	"                    recordings that are identical\n"
	"  -q, --quiet       prints the numbers alone\n"
	"  --known FILE      differences listed in FILE are expected: it is wrong if others are found,\n"
	"                    or one of these is not\n"
	"  --write-known     prints the FILE that would be right\n"
	"  -h, --help        prints this\n"
	"\n" RULES_HELP "\n"
	"exit codes:\n"
	"  0  all answers are identical; with --known: FILE is right; with --write-known: printed\n"
	"  1  an answer differs; with --known: FILE is wrong\n"
	"  2  the command line is wrong, or something could not be read, played or written\n"
	"\n"
	"examples:\n"
	"  mapsim check tests/recordings\n"
	"  mapsim check --verbose --set vfio=V3 dev-small.rec\n"
	"  mapsim check --quiet --known known-differences tests/recordings\n";

struct numbers {
	size_t recordings, identical, answers, same;
};

struct kernel {
	char *name; /* as ms_script_kernel_name() */
	struct numbers numbers;
};

struct check {
	bool verbose, quiet, write_known;
	const char *known_path; /* of the list of known differences; NULL: there is none */
	struct known_list known, found;
	struct rules rules;
	struct kernel *kernels;
	size_t nr_kernels;
	struct numbers total;
	size_t unexpected; /* recordings of which the list says otherwise */
	bool unreadable;
};

/* The recording that is being checked. */
struct recording {
	struct check *check;
	const struct ms_script *script;
	const char *path;
	size_t differences;
};

static void add(struct numbers *to, const struct numbers *more)
{
	to->recordings += more->recordings;
	to->identical += more->identical;
	to->answers += more->answers;
	to->same += more->same;
}

static struct kernel *find_kernel(struct check *c, const char *name)
{
	for (size_t i = 0; i < c->nr_kernels; i++) {
		if (!strcmp(c->kernels[i].name, name))
			return &c->kernels[i];
	}
	struct kernel *kernels = reallocarray(c->kernels, c->nr_kernels + 1, sizeof(*kernels));
	if (!kernels)
		err(EXIT_TROUBLE, NULL);
	c->kernels = kernels;
	kernels[c->nr_kernels] = (struct kernel){ .name = strdup(name) };
	if (!kernels[c->nr_kernels].name)
		err(EXIT_TROUBLE, NULL);
	return &kernels[c->nr_kernels++];
}

/* "6.12.117 arm64 16k" becomes "arm64/6.12.117-16k", as the folders are called. */
static void folder_of(const char *kernel, char *folder, size_t size)
{
	size_t release = strcspn(kernel, " ");
	const char *arch = kernel + release + 1;
	size_t arch_len = strcspn(arch, " ");
	int len = snprintf(folder, size, "%.*s/%.*s%s", (int)arch_len, arch, (int)release, kernel,
			   arch + arch_len);

	for (int i = 0; i < len && (size_t)i < size; i++) {
		if (folder[i] == ' ')
			folder[i] = '-';
	}
}

/* ---- printing ---- */

static void print_quoted(const char *text)
{
	if (text)
		printf("\"%s\"", text);
	else
		printf("nothing more");
}

static void print_lines(const char *before, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		printf("%s%.*s\n", before, (int)len, text);
		text += len + (text[len] != '\0');
	}
}

static void print_context(const struct recording *rec, const struct ms_script_difference *diff)
{
	struct ms_script_op op = ms_script_get_op(rec->script, diff->op);

	printf("  line %llu: > %s\n", (unsigned long long)op.line, op.text);
	for (size_t j = 0; j < op.nr_answers; j++)
		printf("    kernel  %s\n", ms_script_get_answer(rec->script, diff->op, j, NULL));
	print_lines("    model   ", diff->answer);
	ms_player_explain(diff->player, "    because ", stdout);
}

static void differs(const struct ms_script_difference *diff, void *arg)
{
	struct recording *rec = arg;
	const char *refused = ms_player_reason(diff->player);

	if (!rec->differences++ && !rec->check->quiet) {
		printf("differs %s: line %llu: kernel said ", rec->path,
		       (unsigned long long)diff->line);
		print_quoted(diff->kernel);
		printf(", model said ");
		print_quoted(diff->model);
		if (refused)
			printf(" (%s)", refused);
		printf("\n");
	}
	if (rec->check->verbose)
		print_context(rec, diff);
}

static void print_numbers(const char *name, const struct numbers *n)
{
	printf("%s: %zu of %zu recordings identical, %zu of %zu answers\n", name, n->identical,
	       n->recordings, n->same, n->answers);
}

/* ---- the list of known differences ---- */

/* The recording's name: its file's, without ".rec". Freed by the caller. */
static char *name_of(const char *path)
{
	const char *base = strrchr(path, '/');

	base = base ? base + 1 : path;
	size_t len = strlen(base);
	if (len > 4 && !strcmp(base + len - 4, ".rec"))
		len -= 4;
	return strndup(base, len);
}

static void compare_with_list(struct check *c, const struct recording *rec, bool same)
{
	char folder[128];
	char *name = name_of(rec->path);

	folder_of(ms_script_kernel_name(rec->script), folder, sizeof(folder));
	if (!name || (!same && known_add(&c->found, name, folder, NULL)))
		err(EXIT_TROUBLE, NULL);
	if (!c->write_known && same != !known_find(&c->known, name, folder)) {
		printf("%s %s: %s\n", folder, name,
		       same ? "is identical now: take it off the list"
			    : "differs, and is not on the list");
		c->unexpected++;
	}
	free(name);
}

/* ---- files and folders ---- */

static void check_file(struct check *c, const char *path)
{
	struct ms_script_error error;
	struct ms_script_count count;
	struct ms_script *script = read_script(path, NULL);
	struct recording rec = { .check = c, .script = script, .path = path };

	if (!script) {
		c->unreadable = true;
		return;
	}
	if (rules_apply(&c->rules, path, script)) {
		c->unreadable = true;
	} else if (ms_script_check(script, differs, &rec, &count, &error)) {
		script_warn(path, &error);
		c->unreadable = true;
	} else {
		bool same = count.same == count.answers;
		const struct numbers n = { 1, same, count.answers, count.same };

		if (same && c->verbose)
			printf("same %s\n", path);
		add(&find_kernel(c, ms_script_kernel_name(script))->numbers, &n);
		add(&c->total, &n);
		if (c->known_path)
			compare_with_list(c, &rec, same);
	}
	ms_script_free(script);
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool is_recording(const FTSENT *entry)
{
	size_t len = entry->fts_namelen;

	if (entry->fts_level == FTS_ROOTLEVEL)
		return true;
	return len > 4 && !strcmp(entry->fts_name + len - 4, ".rec");
}

static void check_paths(struct check *c, char **paths)
{
	FTS *fts = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
	FTSENT *entry;
	if (!fts)
		err(EXIT_TROUBLE, NULL);
	while ((entry = fts_read(fts))) {
		switch (entry->fts_info) {
		case FTS_F:
		case FTS_DEFAULT:
			if (is_recording(entry))
				check_file(c, entry->fts_path);
			break;
		case FTS_ERR:
		case FTS_DNR:
		case FTS_NS:
		case FTS_SLNONE:
			warnx("%s: %s", entry->fts_path, strerror(entry->fts_errno));
			c->unreadable = true;
			break;
		default:
			break;
		}
	}
	fts_close(fts);
}

static int finish(struct check *c)
{
	bool same = c->total.identical == c->total.recordings;

	if (c->write_known) {
		known_print(&c->found, &c->known);
		same = true;
	} else {
		for (size_t i = 0; i < c->nr_kernels; i++)
			print_numbers(c->kernels[i].name, &c->kernels[i].numbers);
		print_numbers("total", &c->total);
		if (c->known_path) {
			printf("known differences: %zu, unexpected: %zu\n", c->found.count,
			       c->unexpected);
			same = !c->unexpected;
		}
	}
	if (!c->total.recordings && !c->unreadable) {
		warnx("no recordings there");
		c->unreadable = true;
	}
	return c->unreadable ? EXIT_TROUBLE : same ? EXIT_DONE : EXIT_DIFFERS;
}

static void free_all(struct check *c)
{
	for (size_t i = 0; i < c->nr_kernels; i++)
		free(c->kernels[i].name);
	free(c->kernels);
	rules_free(&c->rules);
	known_free(&c->known);
	known_free(&c->found);
}

/* Why options and paths do not fit together; NULL: they do. */
static const char *misuse(const struct check *c, int paths)
{
	if (!paths)
		return "a PATH is missing";
	if (c->verbose && c->quiet)
		return "--verbose and --quiet exclude each other";
	if (c->write_known && !c->known_path)
		return "--write-known goes with --known";
	return NULL;
}

/* 0: go on. Else what check_command() answers. */
static int parse(struct check *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "verbose", no_argument, NULL, 'v' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "known", required_argument, NULL, 'k' },
		{ "write-known", no_argument, NULL, 'w' },
		{ "set", required_argument, NULL, 's' },
		{ "policy", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "vqh", options, NULL)) != -1) {
		if (opt == 'v')
			c->verbose = true;
		else if (opt == 'q')
			c->quiet = true;
		else if (opt == 'k')
			c->known_path = optarg;
		else if (opt == 'w')
			c->write_known = true;
		else if (opt == 'h')
			return SHOW_HELP;
		else if (opt != 's' && opt != 'p')
			return misused(NULL);
		else if (opt == 's' ? rules_set(&c->rules, optarg) : rules_read(&c->rules, optarg))
			return EXIT_TROUBLE;
	}
	const char *wrong = misuse(c, argc - optind);

	if (wrong)
		return misused("%s", wrong);
	c->quiet |= c->write_known;
	return c->known_path && known_read(&c->known, c->known_path) ? EXIT_TROUBLE : 0;
}

int check_command(int argc, char **argv)
{
	struct check c = { 0 };
	int code = parse(&c, argc, argv);

	if (!code) {
		check_paths(&c, argv + optind);
		code = finish(&c);
	}
	free_all(&c);
	return code;
}
