/* SPDX-License-Identifier: GPL-2.0-only */
/* What was refused last, and its words. */
#include "core/core.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct ms_machine *machine(void)
{
	return ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_X86_64));
}

static void of_a_new_machine_nothing_was_refused(void **state)
{
	struct ms_machine *m = machine();

	assert_int_equal(ms_last_refusal(m).number, 0);
	assert_int_equal(ms_last_refusal(m).err, 0);
	assert_null(ms_last_reason(m));
	ms_machine_free(m);
}

static void a_refusal_has_its_numbers_in_its_words(void **state)
{
	struct ms_machine *m = machine();

	assert_int_equal(ms_refuse(m, -EBUSY, "%s at %x (%r) is one of %u", ms_refusal_text("it"),
				   0x1000, MS_PROT_R | MS_PROT_X, 12),
			 -EBUSY);
	assert_int_equal(ms_last_refusal(m).number, 1);
	assert_int_equal(ms_last_refusal(m).err, -EBUSY);
	assert_string_equal(ms_last_reason(m), "it at 0x1000 (r-x) is one of 12");
	assert_int_equal(ms_refuse(m, -EINVAL, "nothing to say"), -EINVAL);
	assert_int_equal(ms_last_refusal(m).number, 2);
	assert_string_equal(ms_last_reason(m), "nothing to say");
	ms_machine_free(m);
}

static void words_without_room_are_cut(void **state)
{
	struct ms_machine *m = machine();
	char text[400];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ms_refuse(m, -EINVAL, "%s and %s", ms_refusal_text(text), ms_refusal_text("more"));
	assert_int_equal(strlen(ms_last_reason(m)), sizeof(m->refused.text) - 1);
	ms_machine_free(m);
}

static void an_error_that_is_passed_on_keeps_its_reason(void **state)
{
	struct ms_machine *m = machine();
	uint64_t before = ms_refusals(m);

	ms_refuse(m, -EINVAL, "the inner one");
	assert_int_equal(ms_answered(m, before, -EINVAL, "the outer one"), -EINVAL);
	assert_string_equal(ms_last_reason(m), "the inner one");
	assert_int_equal(ms_last_refusal(m).number, 1);

	before = ms_refusals(m);
	assert_int_equal(ms_answered(m, before, 7, NULL), 7);
	assert_int_equal(ms_refusals(m), before);
	assert_int_equal(ms_answered(m, before, -ENOMEM, NULL), -ENOMEM);
	assert_string_equal(ms_last_reason(m), "no memory");

	before = ms_refusals(m);
	ms_refuse(m, -EINVAL, "of another error");
	assert_int_equal(ms_answered(m, before, -EACCES, "the outer one"), -EACCES);
	assert_string_equal(ms_last_reason(m), "the outer one");
	ms_machine_free(m);
}

static void a_reason_stays_where_the_error_becomes_another(void **state)
{
	struct ms_machine *m = machine();
	uint64_t before = ms_refusals(m);

	ms_refuse(m, -EINVAL, "the inner one");
	assert_int_equal(ms_answered_as(m, before, -EAGAIN), -EAGAIN);
	assert_int_equal(ms_last_refusal(m).number, 1);
	assert_int_equal(ms_last_refusal(m).err, -EAGAIN);
	assert_string_equal(ms_last_reason(m), "the inner one");

	assert_int_equal(ms_answered_as(m, ms_refusals(m), -EAGAIN), -EAGAIN);
	assert_int_equal(ms_last_refusal(m).number, 2);
	assert_string_equal(ms_last_reason(m), "no memory");
	ms_machine_free(m);
}

static void an_error_that_becomes_another_takes_its_reason_along(void **state)
{
	struct ms_machine *m = machine();
	uint64_t before = ms_refusals(m);

	assert_int_equal(ms_answered_as(m, before, -EAGAIN), -EAGAIN);
	assert_string_equal(ms_last_reason(m), "no memory");
	before = ms_refusals(m);
	ms_refuse(m, -EBUSY, "the inner one");
	assert_int_equal(ms_answered_as(m, before, -ENOMEM), -ENOMEM);
	assert_string_equal(ms_last_reason(m), "the inner one");
	assert_int_equal(ms_last_refusal(m).err, -ENOMEM);
	assert_int_equal(ms_last_refusal(m).number, 2);
	ms_machine_free(m);
}

static void refuse_in_hook(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	assert_int_equal(ms_refuse(m, -EBUSY, "the hook's"), -EBUSY);
	assert_string_equal(ms_last_reason(m), "the hook's");
	assert_int_equal(ms_last_refusal(m).number, 2);
}

static void a_hook_leaves_the_interrupted_calls_refusal(void **state)
{
	struct ms_machine *m = machine();

	ms_refuse(m, -EINVAL, "the caller's");
	ms_machine_set_hook(m, MS_HOOK_DRIVER_FAULT, refuse_in_hook, NULL);
	ms_hook(m, MS_HOOK_DRIVER_FAULT, 0);
	assert_string_equal(ms_last_reason(m), "the caller's");
	assert_int_equal(ms_last_refusal(m).err, -EINVAL);
	assert_int_equal(ms_last_refusal(m).number, 1);
	ms_machine_free(m);
}

static void a_constructor_answers_null_and_errno(void **state)
{
	struct ms_machine *m = machine();

	errno = 0;
	assert_null(ms_refuse_null(m, -ENODEV, "no such device"));
	assert_int_equal(errno, ENODEV);
	assert_int_equal(ms_last_refusal(m).err, -ENODEV);
	ms_machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_new_machine_nothing_was_refused),
		cmocka_unit_test(a_refusal_has_its_numbers_in_its_words),
		cmocka_unit_test(words_without_room_are_cut),
		cmocka_unit_test(an_error_that_is_passed_on_keeps_its_reason),
		cmocka_unit_test(a_reason_stays_where_the_error_becomes_another),
		cmocka_unit_test(an_error_that_becomes_another_takes_its_reason_along),
		cmocka_unit_test(a_hook_leaves_the_interrupted_calls_refusal),
		cmocka_unit_test(a_constructor_answers_null_and_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
