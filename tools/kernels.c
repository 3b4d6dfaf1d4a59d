/* SPDX-License-Identifier: GPL-2.0-only */
/* mapsim kernels: which rules are known, and in which two kernels differ. */
#include "tool.h"

#include <mapsim/policy.h>

#include <err.h>
#include <getopt.h>
#include <string.h>

static const char *arch_name(enum ms_arch arch)
{
	return arch == MS_ARCH_ARM64 ? "arm64" : "x86_64";
}

static int list(void)
{
	const struct ms_policy *policy;

	for (size_t i = 0; (policy = ms_policy_get(i)); i++)
		printf("%s %s\n", arch_name(policy->arch), policy->release);
	return 0;
}

static int diff(const char *a_release, const char *b_release, enum ms_arch arch)
{
	const struct ms_policy *a = ms_policy_linux(a_release, arch);
	const struct ms_policy *b = ms_policy_linux(b_release, arch);

	if (!a || !b) {
		warnx("no rules are known for %s %s", a ? b_release : a_release, arch_name(arch));
		return EXIT_UNREADABLE;
	}
	printf("%s: %s -> %s\n", arch_name(arch), a->release, b->release);
	for (size_t i = 0; i < ms_policy_nr_fields(); i++) {
		int x = ms_policy_field(a, i), y = ms_policy_field(b, i);

		if (x != y)
			printf("%s: %s -> %s  (%s)\n", ms_policy_field_name(i),
			       ms_policy_value_name(i, x), ms_policy_value_name(i, y),
			       ms_policy_field_doc(i));
	}
	return 0;
}

int kernels_command(int argc, char **argv)
{
	static const struct option options[] = {
		{ "diff", no_argument, NULL, 'd' },
		{ "arch", required_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	enum ms_arch arch = MS_ARCH_ARM64;
	bool want_diff = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'd') {
			want_diff = true;
		} else if (c == 'a' && (!strcmp(optarg, "arm64") || !strcmp(optarg, "x86_64"))) {
			arch = strcmp(optarg, "arm64") ? MS_ARCH_X86_64 : MS_ARCH_ARM64;
		} else {
			if (c == 'a')
				warnx("unknown architecture \"%s\"", optarg);
			return EXIT_UNREADABLE;
		}
	}
	if (optind + (want_diff ? 2 : 0) != argc) {
		warnx(want_diff ? "kernels --diff: two releases are needed"
				: "kernels: no argument is expected");
		return EXIT_UNREADABLE;
	}
	return want_diff ? diff(argv[optind], argv[optind + 1], arch) : list();
}
