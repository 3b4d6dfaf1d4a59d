/* SPDX-License-Identifier: GPL-2.0-only */
/* mapsim kernels: which rules a release has, since when, and how that is known. */
#include "tool.h"

#include <err.h>
#include <getopt.h>
#include <string.h>

const char kernels_help[] =
	"usage: mapsim kernels [--arch ARCH] [RELEASE [--explain | --policy]]\n"
	"       mapsim kernels [--arch ARCH] --diff [--explain] RELEASE RELEASE\n"
	"\n"
	"Lists the recorded kernels: how many rules of each are recorded, read in the source, named by\n"
	"a changelog, or inferred. With a RELEASE (an upstream one, recorded or not): its rules, their\n"
	"values, since when the release's line has them, and how that is known. With --diff: the rules\n"
	"in which two releases differ.\n"
	"\n"
	"  --arch ARCH  arm64 or x86_64. If it is not said the list has both, all else is of arm64.\n"
	"  --explain    prints what rules and values mean, and the evidence\n"
	"  --policy     prints lines RULE=VALUE, a file for --policy of 'mapsim run' and 'mapsim check'\n"
	"  --diff       prints the rules in which two releases differ\n"
	"  -h, --help   prints this\n"
	"\n"
	"exit codes:\n"
	"  0  it was printed\n"
	"  2  the command line is wrong, a RELEASE is refused, or the output could not be written\n"
	"\n"
	"examples:\n"
	"  mapsim kernels 6.6.30 --arch x86_64 --explain\n"
	"  mapsim kernels --diff --explain 6.12.107 6.12.117\n";

static const char *value_of(const struct ms_policy *policy, size_t rule)
{
	return ms_policy_value_name(rule, ms_policy_field(policy, rule));
}

/* What is known of a release. false, after a message: it is refused. */
static bool find(const char *release, enum ms_arch arch, struct ms_release *known)
{
	*known = ms_release_known(release, arch);
	if (!known->policy)
		warnx("%s: %s", release, known->text);
	return known->policy;
}

/* ---- the recorded releases ---- */

static void count(const char *release, enum ms_arch arch)
{
	size_t by[MS_EVIDENCE_RECORDED + 1] = { 0 }, all = 0;

	for (size_t rule = 0; rule < ms_policy_nr_fields(); rule++) {
		struct ms_policy_cell cell = ms_policy_cell(release, arch, rule);

		if (!cell.since)
			continue;
		by[cell.how]++;
		all++;
	}
	printf("%-10s %-6s %6zu %9zu %7zu %10zu %9zu\n", release, ms_arch_name(arch), all,
	       by[MS_EVIDENCE_RECORDED], by[MS_EVIDENCE_SOURCE], by[MS_EVIDENCE_CHANGELOG],
	       by[MS_EVIDENCE_INFERRED]);
}

static int list(enum ms_arch first, enum ms_arch last)
{
	const char *release;

	printf("%-10s %-6s %6s %9s %7s %10s %9s\n", "recorded", "arch", "rules", "recorded",
	       "source", "changelog", "inferred");
	for (enum ms_arch arch = first; arch <= last; arch++) {
		for (size_t i = 0; (release = ms_release_recorded(i, arch)); i++)
			count(release, arch);
	}
	return 0;
}

/* ---- one release ---- */

static void show_rule(const char *release, const struct ms_policy *policy, size_t rule,
		      bool explain)
{
	struct ms_policy_cell cell = ms_policy_cell(release, policy->arch, rule);

	if (!cell.since)
		return;
	printf("%-24s %-28s since %-9s %s\n", ms_policy_field_name(rule), value_of(policy, rule),
	       cell.since, ms_evidence_name(cell.how));
	if (explain)
		printf("    %s\n    %s: %s\n    in %s\n    known by: %s\n",
		       ms_policy_field_doc(rule), value_of(policy, rule),
		       ms_policy_value_doc(rule, ms_policy_field(policy, rule)),
		       ms_policy_field_functions(rule), cell.evidence);
}

static int show(const char *release, enum ms_arch arch, bool explain)
{
	struct ms_release known;

	if (!find(release, arch, &known))
		return EXIT_TROUBLE;
	printf("%s %s: %s\n", release, ms_arch_name(arch), known.text);
	for (size_t rule = 0; rule < ms_policy_nr_fields(); rule++)
		show_rule(release, known.policy, rule, explain);
	return 0;
}

static int write_policy(const char *release, enum ms_arch arch)
{
	struct ms_release known;

	if (!find(release, arch, &known))
		return EXIT_TROUBLE;
	printf("# %s %s: %s\narch=%s\n", release, ms_arch_name(arch), known.text,
	       ms_arch_name(arch));
	for (size_t rule = 0; rule < ms_policy_nr_fields(); rule++) {
		if (ms_policy_field_applies(rule, arch))
			printf("%s=%s\n", ms_policy_field_name(rule), value_of(known.policy, rule));
	}
	return 0;
}

/* ---- two releases ---- */

/* The length of the first sentence, without its full stop. */
static int first_sentence(const char *text)
{
	const char *end = strstr(text, ". ");

	if (!end)
		end = text + strlen(text) - (*text && text[strlen(text) - 1] == '.');
	return (int)(end - text);
}

static void explain_value(const char *release, const struct ms_policy *policy, size_t rule)
{
	struct ms_policy_cell cell = ms_policy_cell(release, policy->arch, rule);

	printf("    %s: %s: %s (since %s, %s)\n", release, value_of(policy, rule),
	       ms_policy_value_doc(rule, ms_policy_field(policy, rule)), cell.since,
	       ms_evidence_name(cell.how));
}

static int diff(const char *a_release, const char *b_release, enum ms_arch arch, bool explain)
{
	struct ms_release a, b;

	if (!find(a_release, arch, &a) || !find(b_release, arch, &b))
		return EXIT_TROUBLE;
	printf("%s %s: %s\n%s %s: %s\n", a_release, ms_arch_name(arch), a.text, b_release,
	       ms_arch_name(arch), b.text);
	for (size_t rule = 0; rule < ms_policy_nr_fields(); rule++) {
		if (!ms_policy_field_applies(rule, arch) ||
		    ms_policy_field(a.policy, rule) == ms_policy_field(b.policy, rule))
			continue;
		const char *what = ms_policy_field_doc(rule);

		printf("%s: %s -> %s  (%.*s)\n", ms_policy_field_name(rule),
		       value_of(a.policy, rule), value_of(b.policy, rule), first_sentence(what),
		       what);
		if (explain) {
			explain_value(a_release, a.policy, rule);
			explain_value(b_release, b.policy, rule);
		}
	}
	return 0;
}

struct options {
	bool diff, explain, policy, one_arch;
	enum ms_arch arch;
};

/* Why releases and options do not fit together; NULL: they do. */
static const char *misuse(int given, const struct options *o)
{
	if (o->diff && given != 2)
		return "--diff takes two releases";
	if (o->diff && o->policy)
		return "--diff and --policy exclude each other";
	if (o->explain && o->policy)
		return "--explain and --policy exclude each other";
	if (!o->diff && given > 1)
		return "one release at a time; two with --diff";
	if (!given && (o->explain || o->policy))
		return "--explain and --policy take a release";
	return NULL;
}

static int carry_out(char **releases, int given, const struct options *o)
{
	const char *wrong = misuse(given, o);

	if (wrong)
		return misused("%s", wrong);
	if (o->diff)
		return diff(releases[0], releases[1], o->arch, o->explain);
	if (!given)
		return list(o->arch, o->one_arch ? o->arch : MS_ARCH_X86_64);
	return o->policy ? write_policy(releases[0], o->arch)
			 : show(releases[0], o->arch, o->explain);
}

int kernels_command(int argc, char **argv)
{
	static const struct option options[] = {
		{ "diff", no_argument, NULL, 'd' },    { "arch", required_argument, NULL, 'a' },
		{ "explain", no_argument, NULL, 'e' }, { "policy", no_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },    { NULL, 0, NULL, 0 },
	};
	struct options o = { .arch = MS_ARCH_ARM64 };
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'd') {
			o.diff = true;
		} else if (c == 'e') {
			o.explain = true;
		} else if (c == 'p') {
			o.policy = true;
		} else if (c == 'a' && (!strcmp(optarg, "arm64") || !strcmp(optarg, "x86_64"))) {
			o.arch = strcmp(optarg, "arm64") ? MS_ARCH_X86_64 : MS_ARCH_ARM64;
			o.one_arch = true;
		} else if (c == 'h') {
			return SHOW_HELP;
		} else {
			return c == 'a' ? misused("unknown architecture \"%s\"", optarg)
					: misused(NULL);
		}
	}
	return carry_out(argv + optind, argc - optind, &o);
}
