/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules of a policy by name. */
#include "policy/internal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct ms_policy *arm64(const char *release)
{
	return ms_policy_linux(release, MS_ARCH_ARM64);
}

static void every_known_policy_is_valid(void **state)
{
	const struct ms_policy *p;

	for (size_t i = 0; (p = ms_policy_get(i)); i++)
		assert_null(ms_policy_refusal(p));
}

static void every_field_has_a_name_a_line_and_two_values(void **state)
{
	size_t nr = ms_policy_nr_fields();

	for (size_t f = 0; f < nr; f++) {
		assert_non_null(ms_policy_field_name(f));
		assert_true(strlen(ms_policy_field_doc(f)) > 5);
		assert_null(strchr(ms_policy_field_doc(f), '\n'));
		assert_true(strlen(ms_policy_field_functions(f)) > 3);
		assert_true(strlen(ms_policy_field_subject(f)) > 3);
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
	for (size_t f = 0; f < ms_policy_nr_fields(); f++) {
		assert_null(ms_policy_value_name(f, -1));
		assert_null(ms_policy_value_name(f, 100));
		assert_null(ms_policy_value_doc(f, 100));
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

	assert_string_equal(ms_policy_value_name(f, MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF),
			    "FROM_VM_PGOFF");
	assert_string_equal(ms_policy_value_name(f, MS_S2_PFNMAP_BLOCK_FROM_HOST_TABLE),
			    "FROM_HOST_TABLE");
	assert_null(ms_policy_value_name(f, MS_S2_PFNMAP_BLOCK_FROM_HOST_TABLE + 1));
	assert_int_equal(ms_policy_field(arm64("6.12.107"), f), MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF);
}

static void set_by_name_changes_that_field_alone(void **state)
{
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
			assert_null(ms_policy_refusal(&p));
		}
	}
}

static void set_refuses_unknown_names_and_changes_nothing(void **state)
{
	struct ms_policy p = *arm64("6.12.107");
	const struct ms_policy before = p;

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

	p.untrack_at = (enum ms_policy_untrack_at)77;
	assert_non_null(ms_policy_refusal(&p));
	p.untrack_at = (enum ms_policy_untrack_at) - 1;
	assert_non_null(ms_policy_refusal(&p));
}

static void lines_are_set_all_or_none(void **state)
{
	struct ms_policy p = *arm64("6.12.107");
	const struct ms_policy before = p;
	uint64_t line = 0;

	assert_int_equal(ms_policy_set_lines(&p, "s2_lock=SPIN\n# why\n\n s2_loc=SPIN\n", &line),
			 -ENOENT);
	assert_int_equal(line, 4);
	assert_int_equal(ms_policy_set_lines(&p, "s2_lock=SPIN\ns2_age\n", &line), -EINVAL);
	assert_int_equal(line, 2);
	assert_int_equal(ms_policy_set_lines(&p, "s2_lock=SPIN\narch=x86_64", &line), -EXDEV);
	assert_int_equal(line, 2);
	assert_memory_equal(&p, &before, sizeof(p));
	assert_int_equal(ms_policy_set_lines(&p, "", NULL), 0);
	assert_int_equal(
		ms_policy_set_lines(&p, "arch=arm64\n\t s2_lock=READ \r\ns2_lock=SPIN # so", NULL),
		0);
	assert_int_equal(p.s2_lock, MS_S2_LOCK_SPIN);
	assert_int_equal(ms_policy_set_lines(NULL, "", NULL), -EINVAL);
	assert_int_equal(ms_policy_set_lines(&p, NULL, NULL), -EINVAL);
}

static void set_by_one_text_says_what_is_unknown(void **state)
{
	struct ms_policy p = *arm64("6.12.107");

	assert_int_equal(ms_policy_set_text(&p, "s2_lock=SPIN"), 0);
	assert_int_equal(p.s2_lock, MS_S2_LOCK_SPIN);
	assert_int_equal(ms_policy_set_text(&p, "s2_lock"), -EINVAL);
	assert_int_equal(ms_policy_set_text(&p, "s2_lock="), -EINVAL);
	assert_int_equal(ms_policy_set_text(&p, "s2_lock=SPI"), -EINVAL);
	assert_int_equal(ms_policy_set_text(&p, "s2_loc=SPIN"), -ENOENT);
	assert_int_equal(ms_policy_set_text(&p, "=SPIN"), -ENOENT);
	assert_int_equal(ms_policy_set_text(&p, ""), -EINVAL);
	assert_int_equal(ms_policy_set_text(&p, NULL), -EINVAL);
	assert_int_equal(ms_policy_set_text(NULL, "s2_lock=SPIN"), -EINVAL);
	assert_int_equal(p.s2_lock, MS_S2_LOCK_SPIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_known_policy_is_valid),
		cmocka_unit_test(every_field_has_a_name_a_line_and_two_values),
		cmocka_unit_test(values_outside_of_the_enum_have_no_name),
		cmocka_unit_test(value_names_are_those_of_the_enum),
		cmocka_unit_test(set_by_name_changes_that_field_alone),
		cmocka_unit_test(set_refuses_unknown_names_and_changes_nothing),
		cmocka_unit_test(policy_with_a_value_outside_of_its_enum_is_invalid),
		cmocka_unit_test(lines_are_set_all_or_none),
		cmocka_unit_test(set_by_one_text_says_what_is_unknown),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
