/* SPDX-License-Identifier: GPL-2.0-only */
/* The functions of script.h are given NULL, as ../machine/test_null.c does it for other headers. */
#include <mapsim/script.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void null_is_harmless_as_a_script(void **state)
{
	struct ms_script_error err = { .line = 1 };
	struct ms_script_count count = { .answers = 1 };
	uint64_t line;

	assert_null(ms_script_parse(NULL, 1, NULL, &err));
	assert_int_equal(errno, EINVAL);
	assert_null(ms_script_parse(NULL, 0, NULL, NULL));
	errno = 0;
	assert_null(ms_script_read(NULL, NULL, &err));
	assert_int_equal(errno, EINVAL);
	ms_script_free(NULL);
	assert_null(ms_script_release(NULL));
	assert_int_equal(ms_script_arch(NULL), MS_ARCH_ARM64);
	assert_null(ms_script_kernel_name(NULL));
	assert_null(ms_script_policy(NULL));
	assert_int_equal(ms_script_set_rules(NULL, "vfio=V3", &err), -EINVAL);
	assert_int_equal(err.line, 0);
	assert_true(strlen(err.what) > 0);
	assert_int_equal(ms_script_set_rules(NULL, "vfio=V3", NULL), -EINVAL);
	assert_int_equal(ms_script_nr_ops(NULL), 0);
	assert_null(ms_script_get_op(NULL, 0).text);
	assert_null(ms_script_get_answer(NULL, 0, 0, &line));
	assert_int_equal(ms_script_run(NULL, 0, stderr, &err), -EINVAL);
	assert_int_equal(ms_script_print_header(NULL, stderr), -EINVAL);
	assert_int_equal(ms_script_check(NULL, NULL, NULL, &count, &err), -EINVAL);
	assert_int_equal(count.answers, 0);
	assert_int_equal(ms_script_check(NULL, NULL, NULL, NULL, NULL), -EINVAL);
}

static void null_is_harmless_as_a_place_for_answers(void **state)
{
	static const char text[] =
		"> mmap anon off=0 at=0x200000000000 len=0x1000 prot=r flags=private\n";
	struct ms_script *s;
	struct ms_player *p;

	s = ms_script_parse(text, sizeof(text) - 1, NULL, NULL);
	assert_non_null(s);
	assert_int_equal(ms_script_set_rules(s, NULL, NULL), -EINVAL);
	assert_int_equal(ms_script_run(s, 0, NULL, NULL), -EINVAL);
	assert_int_equal(ms_script_print_header(s, NULL), -EINVAL);
	assert_int_equal(ms_script_check(s, NULL, NULL, NULL, NULL), -EINVAL);
	assert_null(ms_script_get_op(s, 1).text);
	assert_null(ms_script_get_answer(s, 0, 0, NULL));
	p = ms_player_new(s, NULL);
	assert_non_null(p);
	assert_null(ms_player_step(p, 1));
	assert_non_null(ms_player_step(p, 0));
	ms_player_explain(p, NULL, stderr);
	ms_player_explain(p, "", NULL);
	assert_int_equal(ms_player_hazards(p, NULL, NULL), 0);
	ms_player_free(p);
	ms_script_free(s);
}

static void null_is_harmless_as_a_player(void **state)
{
	struct ms_script_error err = { .line = 1 };

	assert_null(ms_player_new(NULL, &err));
	assert_true(strlen(err.what) > 0);
	assert_null(ms_player_new(NULL, NULL));
	ms_player_free(NULL);
	assert_null(ms_player_machine(NULL));
	assert_null(ms_player_step(NULL, 0));
	assert_null(ms_player_end(NULL));
	assert_null(ms_player_reason(NULL));
	assert_int_equal(ms_player_at(NULL, 0, MS_HOOK_S2_MAPPED, 1), -EINVAL);
	ms_player_watch(NULL, true);
	assert_int_equal(ms_player_came(NULL, MS_HOOK_S2_MAPPED), 0);
	ms_player_explain(NULL, "", stderr);
	assert_null(ms_player_save(NULL));
	assert_int_equal(ms_player_restore(NULL, NULL), -EINVAL);
	ms_player_state_free(NULL);
	assert_int_equal(ms_player_hash(NULL), 0);
	assert_int_equal(ms_player_state_bytes(NULL), 0);
	assert_int_equal(ms_player_hazards(NULL, NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_is_harmless_as_a_script),
		cmocka_unit_test(null_is_harmless_as_a_place_for_answers),
		cmocka_unit_test(null_is_harmless_as_a_player),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
