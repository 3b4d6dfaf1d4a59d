/* SPDX-License-Identifier: GPL-2.0-only */
/* A recording against the model: what counts as a difference, and how it is told. */
#include "world.h"

struct seen {
	unsigned int calls;
	uint64_t line;
	char kernel[80], model[80];
};

static void note(const struct ms_script_difference *diff, void *arg)
{
	struct seen *seen = arg;

	if (seen->calls++)
		return;
	seen->line = diff->line;
	snprintf(seen->kernel, sizeof(seen->kernel), "%s", diff->kernel ? diff->kernel : "-");
	snprintf(seen->model, sizeof(seen->model), "%s", diff->model ? diff->model : "-");
}

static void a_difference_is_told_and_the_rest_is_played_on(void **state)
{
	struct ms_script *script =
		parsed(ARM64 "> mmap bar off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			     "< ret EINVAL\n"
			     "> munmap at=0x200000000000 len=0x1000\n"
			     "< ret 0\n"
			     "< zap va=0x200000000000 size=0x1000\n"
			     "> fork\n"
			     "< ret 0\n"
			     "< zap va=0x0 size=0x1000\n");
	struct ms_script_count count;
	struct ms_script_error err;
	struct seen seen = { 0 };

	assert_int_equal(ms_script_check(script, note, &seen, &count, &err), 0);
	assert_int_equal(count.answers, 3);
	assert_int_equal(count.same, 1);
	assert_int_equal(seen.calls, 2);
	assert_int_equal(seen.line, 8);
	assert_string_equal(seen.kernel, "ret EINVAL");
	assert_string_equal(seen.model, "ret 0");
	ms_script_free(script);
}

static void a_line_that_only_one_side_has_differs(void **state)
{
	struct ms_script *script = parsed(ARM64 "> fork\n< ret 0\n< zap va=0x0 size=0x1000\n");
	struct ms_script_count count;
	struct ms_script_error err;
	struct seen seen = { 0 };

	assert_int_equal(ms_script_check(script, note, &seen, &count, &err), 0);
	assert_int_equal(count.same, 0);
	assert_int_equal(seen.line, 9);
	assert_string_equal(seen.kernel, "zap va=0x0 size=0x1000");
	assert_string_equal(seen.model, "-");
	ms_script_free(script);
}

static void an_answer_is_compared_up_to_where_events_were_lost(void **state)
{
	struct ms_script *script =
		parsed(ARM64 "> mmap bar off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			     "< ret 0\n"
			     "> munmap at=0x200000000000 len=0x1000\n"
			     "< ret 0\n"
			     "< s2.map ipa=0x0 size=0x0 pa=0x0 prot=-\n"
			     "> munmap at=0x200000000000 len=0x0\n"
			     "< ret 0\n"
			     "< s2.map ipa=0x0 size=0x0 pa=0x0 prot=-\n");
	struct ms_script_count count;
	struct ms_script_error err;

	assert_int_equal(ms_script_check(script, NULL, NULL, &count, &err), 0);
	assert_int_equal(count.answers, 3);
	assert_int_equal(count.same, 2);
	ms_script_free(script);
}

static void a_recording_with_an_unanswered_operation_is_not_checked(void **state)
{
	struct ms_script *script = parsed(ARM64 "> fork\n< ret 0\n> exit\n");
	struct ms_script_count count;
	struct ms_script_error err;

	assert_int_equal(ms_script_check(script, NULL, NULL, &count, &err), -EINVAL);
	assert_int_equal(err.line, 9);
	assert_non_null(strstr(err.what, "without an answer"));
	ms_script_free(script);

	script = parsed(ARM64 "> fork\n");
	assert_int_equal(ms_script_check(script, NULL, NULL, &count, &err), -EINVAL);
	assert_non_null(strstr(err.what, "a script, not a recording"));
	ms_script_free(script);

	script = parsed(ARM64);
	assert_int_equal(ms_script_check(script, NULL, NULL, &count, &err), -EINVAL);
	assert_non_null(strstr(err.what, "no operation"));
	ms_script_free(script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_difference_is_told_and_the_rest_is_played_on),
		cmocka_unit_test(a_line_that_only_one_side_has_differs),
		cmocka_unit_test(an_answer_is_compared_up_to_where_events_were_lost),
		cmocka_unit_test(a_recording_with_an_unanswered_operation_is_not_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
