/* SPDX-License-Identifier: GPL-2.0-only */
/* The functions of explore.h are given NULL, as ../machine/test_null.c does it for other headers.
 */
#include <mapsim/explore.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void null_is_harmless_as_a_world(void **state)
{
	struct ms_script_error err = { .line = 1 };

	assert_null(ms_world_parse(NULL, 1, &err));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(err.line, 0);
	assert_true(strlen(err.what) > 0);
	assert_null(ms_world_parse(NULL, 0, NULL));
	errno = 0;
	assert_null(ms_world_read(NULL, &err));
	assert_int_equal(errno, EINVAL);
	ms_world_free(NULL);
	assert_false(ms_world_has_arch(NULL, MS_ARCH_ARM64));
	assert_null(ms_world_kernel(NULL, 0));
	assert_int_equal(ms_world_depth(NULL), 0);
	assert_int_equal(ms_world_states(NULL), 0);
	assert_int_equal(ms_world_nr_letters(NULL), 0);
	assert_null(ms_world_letter(NULL, 0));
}

static void null_is_harmless_as_a_search(void **state)
{
	struct ms_script_error err = { .line = 1 };

	assert_null(ms_explore_new(NULL, NULL, &err));
	assert_int_equal(errno, EINVAL);
	assert_true(strlen(err.what) > 0);
	ms_explore_free(NULL);
	assert_int_equal(ms_explore_run(NULL), -EINVAL);
	assert_int_equal(ms_explore_progress(NULL).states, 0);
	assert_false(ms_explore_is_cut(NULL));
	assert_null(ms_explore_kernel_name(NULL));
	assert_int_equal(ms_explore_save(NULL, stderr), -EINVAL);
	assert_int_equal(ms_explore_load(NULL, stdin, &err), -EINVAL);
	assert_null(ms_explore_finding(NULL, 0).signature);
	assert_int_equal(ms_explore_rule(NULL, NULL, NULL, NULL, NULL, &err), -EINVAL);
	assert_int_equal(ms_explore_rule_in(NULL, NULL, NULL, NULL, &err), -EINVAL);
}

static void null_is_harmless_as_a_file(void **state)
{
	static const char text[] = "mapsim-world 1\n* fork\n";
	struct ms_world *w = ms_world_parse(text, sizeof(text) - 1, NULL);
	struct ms_explore *x;

	assert_non_null(w);
	x = ms_explore_new(w, NULL, NULL);
	assert_non_null(x);
	assert_int_equal(ms_explore_save(x, NULL), -EINVAL);
	assert_int_equal(ms_explore_load(x, NULL, NULL), -EINVAL);
	assert_int_equal(ms_explore_rule(w, NULL, "vfio", "V3", NULL, NULL), -EINVAL);
	ms_explore_free(x);
	ms_world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_is_harmless_as_a_world),
		cmocka_unit_test(null_is_harmless_as_a_search),
		cmocka_unit_test(null_is_harmless_as_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
