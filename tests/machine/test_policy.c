/* SPDX-License-Identifier: GPL-2.0-only */
/* Which kernel has which rules, and the fields of a policy by name. */
#include "machine/internal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *const releases[] = {
	"5.10.223", "5.15",     "6.1.0",    "6.1.176",  "6.1.190",  "6.1.192", "6.12.0",
	"6.12.107", "6.12.111", "6.12.113", "6.12.115", "6.12.117", "6.17",    "7.2.13",
};

#define NR_RELEASES (sizeof(releases) / sizeof(releases[0]))

static const struct ms_policy *arm64(const char *release)
{
	return ms_policy_linux(release, MS_ARCH_ARM64);
}

static const struct ms_policy *x86(const char *release)
{
	return ms_policy_linux(release, MS_ARCH_X86_64);
}

/* ---- finding a policy by release ---- */

static void known_releases_are_found_exactly(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_RELEASES; i++) {
		assert_string_equal(arm64(releases[i])->release, releases[i]);
		assert_int_equal(arm64(releases[i])->arch, MS_ARCH_ARM64);
		assert_string_equal(x86(releases[i])->release, releases[i]);
		assert_int_equal(x86(releases[i])->arch, MS_ARCH_X86_64);
	}
}

static void release_between_two_gets_the_older_one_and_says_so(void **state)
{
	(void)state;
	assert_string_equal(arm64("6.12.116")->release, "6.12.115");
	assert_string_equal(arm64("6.12.50")->release, "6.12.0");
	assert_string_equal(arm64("6.6.30")->release, "6.1.192");
	assert_string_equal(arm64("5.15.85")->release, "5.15");
	assert_string_equal(arm64("6.17.4")->release, "6.17");
	assert_string_equal(arm64("8.0")->release, "7.2.13");
}

static void versions_are_compared_as_numbers(void **state)
{
	(void)state;
	assert_string_equal(arm64("6.9")->release, "6.1.192");
	assert_string_equal(arm64("6.12.20")->release, "6.12.0");
	assert_string_equal(arm64("6.100")->release, "6.17");
	assert_string_equal(arm64("10.0")->release, "7.2.13");
}

static void two_parts_are_the_first_release(void **state)
{
	(void)state;
	assert_string_equal(arm64("6.12")->release, "6.12.0");
	assert_string_equal(arm64("5.15.0")->release, "5.15");
}

static void release_older_than_all_has_no_policy(void **state)
{
	(void)state;
	assert_null(arm64("5.10.222"));
	assert_null(arm64("5.10"));
	assert_null(arm64("4.19.300"));
	assert_null(arm64("0.0"));
}

static void what_is_not_a_release_has_no_policy(void **state)
{
	static const char *const bad[] = {
		"",
		"6",
		"6.",
		".6",
		"6..1",
		"6.12.",
		"6.12.1.1",
		"6.12-rc1",
		"6.1.192-dic",
		"6.12.107-16k",
		"v6.12",
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

	(void)state;
	assert_null(arm64(NULL));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(arm64(bad[i]));
}

static void architecture_must_be_known(void **state)
{
	(void)state;
	assert_null(ms_policy_linux("6.12.107", (enum ms_arch)2));
}

static void list_goes_by_architecture_and_rising_release(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_RELEASES; i++) {
		assert_ptr_equal(ms_policy_get(i), arm64(releases[i]));
		assert_ptr_equal(ms_policy_get(NR_RELEASES + i), x86(releases[i]));
	}
	assert_null(ms_policy_get(2 * NR_RELEASES));
	assert_null(ms_policy_get(SIZE_MAX));
}

static void every_known_policy_is_valid(void **state)
{
	const struct ms_policy *p;

	(void)state;
	for (size_t i = 0; (p = ms_policy_get(i)); i++)
		assert_true(ms_policy_valid(p));
}

/* ---- fields by name ---- */

static void every_field_has_a_name_a_line_and_two_values(void **state)
{
	size_t nr = ms_policy_nr_fields();

	(void)state;
	for (size_t f = 0; f < nr; f++) {
		assert_non_null(ms_policy_field_name(f));
		assert_true(strlen(ms_policy_field_doc(f)) > 5);
		assert_null(strchr(ms_policy_field_doc(f), '\n'));
		assert_non_null(ms_policy_value_name(f, 0));
		assert_non_null(ms_policy_value_name(f, 1));
		for (size_t g = 0; g < f; g++)
			assert_string_not_equal(ms_policy_field_name(f), ms_policy_field_name(g));
	}
	assert_null(ms_policy_field_name(nr));
	assert_null(ms_policy_field_doc(nr));
	assert_null(ms_policy_value_name(nr, 0));
	assert_int_equal(ms_policy_field(arm64("6.17"), nr), -1);
	assert_int_equal(ms_policy_field(NULL, 0), -1);
}

static void values_outside_of_the_enum_have_no_name(void **state)
{
	(void)state;
	for (size_t f = 0; f < ms_policy_nr_fields(); f++) {
		assert_null(ms_policy_value_name(f, -1));
		assert_null(ms_policy_value_name(f, 5));
		assert_null(ms_policy_value_name(f, 1 << 30));
	}
}

static size_t field_of(const char *name)
{
	for (size_t f = 0; f < ms_policy_nr_fields(); f++) {
		if (strcmp(ms_policy_field_name(f), name) == 0)
			return f;
	}
	fail_msg("no field %s", name);
	return 0;
}

static void value_names_are_those_of_the_enum(void **state)
{
	size_t f = field_of("s2_pfnmap_block");

	(void)state;
	assert_string_equal(ms_policy_value_name(f, MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF),
			    "FROM_VM_PGOFF");
	assert_string_equal(ms_policy_value_name(f, MS_S2_PFNMAP_BLOCK_FROM_HOST_TABLE),
			    "FROM_HOST_TABLE");
	assert_null(ms_policy_value_name(f, MS_S2_PFNMAP_BLOCK_FROM_HOST_TABLE + 1));
	assert_int_equal(ms_policy_field(arm64("6.12.107"), f), MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF);
}

static void set_by_name_changes_that_field_alone(void **state)
{
	(void)state;
	for (size_t f = 0; f < ms_policy_nr_fields(); f++) {
		for (int v = 0; ms_policy_value_name(f, v); v++) {
			struct ms_policy p = *arm64("6.12.107");
			const struct ms_policy before = p;

			assert_int_equal(ms_policy_set(&p, ms_policy_field_name(f),
						       ms_policy_value_name(f, v)),
					 0);
			for (size_t g = 0; g < ms_policy_nr_fields(); g++)
				assert_int_equal(ms_policy_field(&p, g),
						 g == f ? v : ms_policy_field(&before, g));
			assert_true(ms_policy_valid(&p));
		}
	}
}

static void set_refuses_unknown_names_and_changes_nothing(void **state)
{
	struct ms_policy p = *arm64("6.12.107");
	const struct ms_policy before = p;

	(void)state;
	assert_int_equal(ms_policy_set(&p, "s2_lock", "NONE"), -EINVAL);
	assert_int_equal(ms_policy_set(&p, "s2_lock", "spin"), -EINVAL);
	assert_int_equal(ms_policy_set(&p, "s2_loc", "SPIN"), -EINVAL);
	assert_int_equal(ms_policy_set(&p, "arch", "MS_ARCH_ARM64"), -EINVAL);
	assert_int_equal(ms_policy_set(&p, "", ""), -EINVAL);
	assert_int_equal(ms_policy_set(&p, NULL, "SPIN"), -EINVAL);
	assert_int_equal(ms_policy_set(&p, "s2_lock", NULL), -EINVAL);
	assert_int_equal(ms_policy_set(NULL, "s2_lock", "SPIN"), -EINVAL);
	assert_memory_equal(&p, &before, sizeof(p));
}

static void policy_with_a_value_outside_of_its_enum_is_invalid(void **state)
{
	struct ms_policy p = *arm64("6.12.107");

	(void)state;
	p.untrack_at = (enum ms_policy_untrack_at)3;
	assert_false(ms_policy_valid(&p));
	p.untrack_at = (enum ms_policy_untrack_at) - 1;
	assert_false(ms_policy_valid(&p));
}

/* ---- what differs between neighbours ---- */

/* Exactly the named fields differ; the list ends with NULL. */
static void assert_differ(const struct ms_policy *a, const struct ms_policy *b,
			  const char *const *fields)
{
	size_t wanted = 0, found = 0;

	for (; fields[wanted]; wanted++) {
		size_t f = field_of(fields[wanted]);

		if (ms_policy_field(a, f) == ms_policy_field(b, f))
			fail_msg("%s is the same in %s and %s", fields[wanted], a->release,
				 b->release);
	}
	for (size_t f = 0; f < ms_policy_nr_fields(); f++)
		found += ms_policy_field(a, f) != ms_policy_field(b, f);
	assert_int_equal(found, wanted);
}

static void late_6_1_opens_before_it_copies_and_maps_devices_by_pages(void **state)
{
	static const char *const fields[] = { "fork_order",       "s2_pfnmap_block",
					      "dontunmap_source", "dontunmap_self_merge",
					      "dontunmap_locked", NULL };
	static const char *const none[] = { NULL };

	(void)state;
	assert_differ(arm64("6.1.176"), arm64("6.1.190"), none);
	assert_differ(arm64("6.1.190"), arm64("6.1.192"), fields);
	assert_differ(x86("6.1.190"), x86("6.1.192"), fields);
}

static void early_6_12_stable_fixes_fork_tracking_and_vfio_alignment(void **state)
{
	static const char *const fields[] = { "fork_tracking", "vfio_huge_align", NULL };

	(void)state;
	assert_differ(arm64("6.12.0"), arm64("6.12.107"), fields);
}

static void late_6_12_asks_the_host_table(void **state)
{
	static const char *const fields[] = { "s2_pfnmap_block",      "s2_device_upgrade",
					      "dontunmap_self_merge", "dontunmap_source",
					      "dontunmap_locked",     NULL };
	static const char *const before[] = { "hugetlb_unmap_reserve", NULL };

	(void)state;
	assert_differ(arm64("6.12.107"), arm64("6.12.111"), before);
	assert_differ(arm64("6.12.111"), arm64("6.12.113"), fields);
	assert_int_equal(arm64("6.12.113")->s2_pfnmap_block, MS_S2_PFNMAP_BLOCK_FROM_HOST_TABLE);
}

static void latest_6_12_no_longer_asks_sysfs_for_pfnmap_leaves(void **state)
{
	static const char *const fields[] = { "pfnmap_huge_fault", NULL };
	static const char *const none[] = { NULL };

	(void)state;
	assert_differ(arm64("6.12.113"), arm64("6.12.115"), fields);
	assert_differ(arm64("6.12.115"), arm64("6.12.117"), none);
	assert_int_equal(arm64("6.12.113")->pfnmap_huge_fault, MS_PFNMAP_HUGE_FAULT_BY_SYSFS);
}

static void architectures_differ_in_the_largest_pfnmap_leaf(void **state)
{
	static const char *const fields[] = { "pfnmap_leaf_max", NULL };
	static const char *const both[] = { "pfnmap_leaf_max", "pte_table_reclaim", NULL };
	static const char *const none[] = { NULL };

	(void)state;
	assert_differ(arm64("6.1.192"), x86("6.1.192"), none);
	assert_differ(arm64("6.12.117"), x86("6.12.117"), fields);
	assert_differ(arm64("6.17"), x86("6.17"), both);
	assert_differ(arm64("7.2.13"), x86("7.2.13"), fields);
	assert_int_equal(x86("6.12.117")->pfnmap_leaf_max, MS_PFNMAP_LEAF_MAX_PUD);
	assert_int_equal(arm64("6.12.117")->pfnmap_leaf_max, MS_PFNMAP_LEAF_MAX_PMD);
	assert_int_equal(arm64("6.1.192")->pfnmap_leaf_max, MS_PFNMAP_LEAF_MAX_PTE);
}

static void rules_that_only_mainline_has_before_7_are_not_in_6_17(void **state)
{
	(void)state;
	assert_int_equal(arm64("6.17")->s2_pfnmap_block, MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF);
	assert_int_equal(arm64("6.17")->s2_device_upgrade, MS_S2_DEVICE_UPGRADE_NO_UPGRADE);
	assert_int_equal(arm64("6.17")->pfnmap_huge_fault, MS_PFNMAP_HUGE_FAULT_BY_SYSFS);
	assert_int_equal(arm64("6.17")->untrack_at, MS_UNTRACK_AT_LAST_VMA_FREED);
}

static void execute_permission_is_two_bits_in_7_2_alone(void **state)
{
	const struct ms_policy *p;

	(void)state;
	for (size_t i = 0; (p = ms_policy_get(i)); i++)
		assert_int_equal(p->s2_exec_bits == MS_S2_EXEC_BITS_XN_TWO,
				 strcmp(p->release, "7.2.13") == 0);
}

static void only_5_10_premaps_and_only_proposals_untrack_at_unmap(void **state)
{
	const struct ms_policy *p;

	(void)state;
	for (size_t i = 0; (p = ms_policy_get(i)); i++) {
		assert_int_equal(p->slot_pfnmap == MS_SLOT_PFNMAP_PREMAP,
				 strcmp(p->release, "5.10.223") == 0);
		assert_int_not_equal(p->untrack_at, MS_UNTRACK_AT_UNMAP_ONLY);
	}
}

static void merge_with_the_source_of_dontunmap_ends_differently_in_each_branch(void **state)
{
	(void)state;
	assert_int_equal(arm64("6.1.176")->dontunmap_self_merge, MS_DONTUNMAP_SELF_MERGE_YES);
	assert_int_equal(arm64("6.1.192")->dontunmap_self_merge,
			 MS_DONTUNMAP_SELF_MERGE_NONE_BESIDE_SOURCE);
	assert_int_equal(arm64("6.12.107")->dontunmap_self_merge, MS_DONTUNMAP_SELF_MERGE_YES);
	assert_int_equal(arm64("6.12.117")->dontunmap_self_merge, MS_DONTUNMAP_SELF_MERGE_NO);
	assert_int_equal(arm64("7.2.13")->dontunmap_self_merge, MS_DONTUNMAP_SELF_MERGE_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_releases_are_found_exactly),
		cmocka_unit_test(release_between_two_gets_the_older_one_and_says_so),
		cmocka_unit_test(versions_are_compared_as_numbers),
		cmocka_unit_test(two_parts_are_the_first_release),
		cmocka_unit_test(release_older_than_all_has_no_policy),
		cmocka_unit_test(what_is_not_a_release_has_no_policy),
		cmocka_unit_test(architecture_must_be_known),
		cmocka_unit_test(list_goes_by_architecture_and_rising_release),
		cmocka_unit_test(every_known_policy_is_valid),
		cmocka_unit_test(every_field_has_a_name_a_line_and_two_values),
		cmocka_unit_test(values_outside_of_the_enum_have_no_name),
		cmocka_unit_test(value_names_are_those_of_the_enum),
		cmocka_unit_test(set_by_name_changes_that_field_alone),
		cmocka_unit_test(set_refuses_unknown_names_and_changes_nothing),
		cmocka_unit_test(policy_with_a_value_outside_of_its_enum_is_invalid),
		cmocka_unit_test(late_6_1_opens_before_it_copies_and_maps_devices_by_pages),
		cmocka_unit_test(early_6_12_stable_fixes_fork_tracking_and_vfio_alignment),
		cmocka_unit_test(late_6_12_asks_the_host_table),
		cmocka_unit_test(latest_6_12_no_longer_asks_sysfs_for_pfnmap_leaves),
		cmocka_unit_test(architectures_differ_in_the_largest_pfnmap_leaf),
		cmocka_unit_test(rules_that_only_mainline_has_before_7_are_not_in_6_17),
		cmocka_unit_test(execute_permission_is_two_bits_in_7_2_alone),
		cmocka_unit_test(only_5_10_premaps_and_only_proposals_untrack_at_unmap),
		cmocka_unit_test(
			merge_with_the_source_of_dontunmap_ends_differently_in_each_branch),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
