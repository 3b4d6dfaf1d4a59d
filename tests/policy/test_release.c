/* SPDX-License-Identifier: GPL-2.0-only */
/* Which rules a release gets, along its own line, and what is said of it. */
#include "policy/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct ms_policy *arm64(const char *release)
{
	return ms_policy_linux(release, MS_ARCH_ARM64);
}

static const struct ms_policy *x86(const char *release)
{
	return ms_policy_linux(release, MS_ARCH_X86_64);
}

/* ---- which line ---- */

static void release_without_a_change_of_its_own_has_the_rules_of_the_one_before(void **state)
{
	assert_ptr_equal(arm64("6.12.117"), arm64("6.12.116"));
	assert_ptr_equal(arm64("6.12.0"), arm64("6.12"));
	assert_string_equal(arm64("6.12")->release, "6.12");
	assert_int_equal(arm64("6.12")->arch, MS_ARCH_ARM64);
	assert_int_equal(x86("6.12")->arch, MS_ARCH_X86_64);
}

static void branch_takes_nothing_from_another_branch(void **state)
{
	/* 6.1.y took it late, 6.6 and 6.8 are younger than 6.1 and never had it */
	assert_int_equal(arm64("6.1.192")->s2_pfnmap_block, MS_S2_PFNMAP_BLOCK_HUGETLB_ONLY);
	assert_int_equal(arm64("6.6")->s2_pfnmap_block, MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF);
	assert_int_equal(arm64("6.8.0")->s2_pfnmap_block, MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF);
	/* 6.12.y took it from a later mainline, those between did not have it */
	assert_int_equal(arm64("6.12.117")->s2_pfnmap_block, MS_S2_PFNMAP_BLOCK_FROM_HOST_TABLE);
	assert_int_equal(arm64("6.13")->s2_pfnmap_block, MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF);
	assert_int_equal(arm64("6.17")->s2_pfnmap_block, MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF);
}

static void point_releases_are_compared_as_numbers(void **state)
{
	assert_ptr_equal(arm64("6.12.9"), arm64("6.12"));
	assert_ptr_not_equal(arm64("6.12.117"), arm64("6.12.9"));
	/* the last of mainline's 6.x; what comes after all that is known is all the same */
	assert_string_equal(arm64("6.100")->release, "6.19");
	assert_ptr_equal(arm64("10.0"), arm64("9.100.3"));
}

/*
 * x.y.z has the last mainline cell up to x.y, unless a cell of its own branch up to x.y.z stands
 * behind it. This asks each cell, where the library has a table of steps.
 */
static unsigned int by_cells(const struct ms_rule *rule, enum ms_arch arch, const char *release)
{
	unsigned int major, minor, point = 0, value = 0;
	unsigned long best = 0;

	assert_true(sscanf(release, "%u.%u.%u", &major, &minor, &point) >= 2);
	for (unsigned int i = 0; i < rule->nr_cells; i++) {
		unsigned int x, y, z = 0;
		unsigned long order;

		if (!(rule->cell[i].arches & (1u << arch)))
			continue;
		sscanf(rule->cell[i].since, "%u.%u.%u", &x, &y, &z);
		order = (x * 1000ul + y) * 1000ul + z;
		if (z ? x == major && y == minor && z <= point
		      : x < major || (x == major && y <= minor)) {
			if (order > best) {
				best = order;
				value = rule->cell[i].value;
			}
		}
	}
	return value;
}

static void steps_are_what_the_cells_say(void **state)
{
	const struct ms_policy *p;

	for (size_t i = 0; (p = ms_policy_get(i)); i++) {
		for (size_t f = 0; f < ms_nr_rules; f++) {
			struct ms_policy_cell cell = ms_policy_cell(p->release, p->arch, f);

			if (!ms_policy_field_applies(f, p->arch)) {
				assert_null(cell.since);
				continue;
			}
			assert_non_null(cell.since);
			assert_int_equal(ms_policy_field(p, f),
					 by_cells(&ms_rules[f], p->arch, p->release));
		}
	}
}

static void architectures_may_differ_in_a_rule(void **state)
{
	assert_int_equal(x86("6.12.117")->pfnmap_leaf_max, MS_PFNMAP_LEAF_MAX_PUD);
	assert_int_equal(arm64("6.12.117")->pfnmap_leaf_max, MS_PFNMAP_LEAF_MAX_PMD);
	assert_int_equal(arm64("6.1.192")->pfnmap_leaf_max, MS_PFNMAP_LEAF_MAX_PTE);
	assert_int_equal(x86("6.1.192")->pfnmap_leaf_max, MS_PFNMAP_LEAF_MAX_PTE);
}

/* ---- what is refused ---- */

static void assert_refused(const char *release, const char *words)
{
	struct ms_release r = ms_release_known(release, MS_ARCH_ARM64);

	assert_null(r.policy);
	assert_null(arm64(release));
	assert_null(ms_policy_cell(release, MS_ARCH_ARM64, 0).since);
	if (!strstr(r.text, words))
		fail_msg("%s: \"%s\" says not \"%s\"", release, r.text, words);
}

static void release_older_than_all_is_refused(void **state)
{
	assert_refused("5.9", "older than 5.10");
	assert_refused("5.4", "older than 5.10");
	assert_refused("4.19.300", "older than 5.10");
	assert_refused("0.0", "older than 5.10");
}

static void what_uname_prints_is_refused_and_where_to_look_is_said(void **state)
{
	assert_refused("6.1.0-50-amd64", "`uname -v`");
	assert_refused("6.1.0-50-cloud-arm64", "`uname -v`");
	assert_refused("6.8.0-45-generic", "/proc/version_signature");
	assert_refused("5.14.0-503.el9.x86_64", "backports");
	assert_refused("6.11.4-301.fc41.x86_64", "6.11.4 is the upstream release");
	assert_refused("6.11.5-arch1-1", "6.11.5 is the upstream release");
	assert_refused("6.6.30+", "not an upstream release, but a build of one");
	assert_refused("v6.6.30", "without the v");
	assert_refused("6.12-rc3", "release candidate");
}

static void what_is_not_a_release_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"6",
		"6.",
		".6",
		"6..1",
		"6.12.",
		"6.12.1.1",
		"linux",
		" 6.12",
		"6.12 ",
		"6.-1",
		"+6.12",
		"06.12",
		"6.012",
		"6.0x12",
		"6.12\n",
		"6.12345678901234567890",
	};

	assert_null(arm64(NULL));
	assert_non_null(strstr(ms_release_known(NULL, MS_ARCH_ARM64).text, "not an upstream"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(bad[i], "not an upstream release: two or three numbers");
	assert_null(arm64("6.1.192-dic"));
	assert_null(arm64("6.12.107-16k"));
}

static void architecture_must_be_known(void **state)
{
	struct ms_release r = ms_release_known("6.12.107", (enum ms_arch)2);

	assert_null(r.policy);
	assert_string_equal(r.text, "no such architecture");
	assert_null(ms_policy_linux("6.12.107", (enum ms_arch)2));
	assert_null(ms_release_recorded(0, (enum ms_arch)2));
}

/* ---- what is known ---- */

static void recorded_releases_rise_and_say_so(void **state)
{
	for (unsigned int arch = 0; arch < 2; arch++) {
		const char *release;
		size_t n = 0;

		for (; (release = ms_release_recorded(n, arch)); n++) {
			struct ms_release r = ms_release_known(release, arch);

			assert_non_null(r.policy);
			assert_true(r.recorded);
			assert_false(r.beyond);
			assert_non_null(strstr(r.text, "recorded"));
		}
		assert_true(n >= 10);
	}
	assert_false(ms_release_known("6.12.116", MS_ARCH_ARM64).recorded);
}

static void newer_than_what_was_looked_through_is_inferred(void **state)
{
	struct ms_release r = ms_release_known("8.1.3", MS_ARCH_ARM64);

	assert_true(r.beyond);
	for (size_t f = 0; f < ms_nr_rules; f++) {
		if (ms_policy_field_applies(f, MS_ARCH_ARM64))
			assert_int_equal(ms_policy_cell("8.1.3", MS_ARCH_ARM64, f).how,
					 MS_EVIDENCE_INFERRED);
	}
	assert_non_null(strstr(r.text, "inferred"));
	/* a short-lived branch that nobody looked through */
	assert_true(ms_release_known("6.9.3", MS_ARCH_ARM64).beyond);
	assert_false(ms_release_known("6.9", MS_ARCH_ARM64).beyond);
	assert_string_equal(ms_release_known("6.9.3", MS_ARCH_ARM64).end, "6.9");
	assert_true(ms_release_known("6.12.999", MS_ARCH_X86_64).beyond);
}

static void every_cell_has_evidence(void **state)
{
	for (size_t f = 0; f < ms_nr_rules; f++) {
		for (unsigned int i = 0; i < ms_rules[f].nr_cells; i++) {
			const struct ms_rule_cell *cell = &ms_rules[f].cell[i];

			assert_true(cell->value < ms_rules[f].nr_values);
			assert_true(strlen(cell->evidence) > strlen(ms_evidence_name(cell->how)));
			assert_non_null(strstr(cell->evidence, ms_evidence_name(cell->how)));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			release_without_a_change_of_its_own_has_the_rules_of_the_one_before),
		cmocka_unit_test(branch_takes_nothing_from_another_branch),
		cmocka_unit_test(point_releases_are_compared_as_numbers),
		cmocka_unit_test(steps_are_what_the_cells_say),
		cmocka_unit_test(architectures_may_differ_in_a_rule),
		cmocka_unit_test(release_older_than_all_is_refused),
		cmocka_unit_test(what_uname_prints_is_refused_and_where_to_look_is_said),
		cmocka_unit_test(what_is_not_a_release_is_refused),
		cmocka_unit_test(architecture_must_be_known),
		cmocka_unit_test(recorded_releases_rise_and_say_so),
		cmocka_unit_test(newer_than_what_was_looked_through_is_inferred),
		cmocka_unit_test(every_cell_has_evidence),
	};

	return cmocka_run_group_tests_name("release", tests, NULL, NULL);
}
