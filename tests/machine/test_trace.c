/* SPDX-License-Identifier: GPL-2.0-only */
/* The trace: what is kept, what is counted. */
#include "core/core.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int setup(void **state)
{
	*state = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_ARM64));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	ms_machine_free(*state);
	return 0;
}

static void events_stand_in_the_order_in_which_they_happened(void **state)
{
	struct ms_machine *m = *state;

	MS_EMIT(m, .type = MS_EV_ZAP, .addr = 0x1000, .size = 0x1000);
	MS_EMIT(m, .type = MS_EV_S2_UNMAP, .addr = 0x2000, .size = 0x3000);
	assert_int_equal(ms_trace_len(m), 2);
	assert_int_equal(ms_trace_get(m, 0)->type, MS_EV_ZAP);
	assert_int_equal(ms_trace_get(m, 1)->type, MS_EV_S2_UNMAP);
	assert_int_equal(ms_trace_get(m, 1)->addr, 0x2000);
	assert_int_equal(ms_trace_get(m, 1)->size, 0x3000);
	assert_null(ms_trace_get(m, 2));
}

static void last_is_the_latest_of_its_type(void **state)
{
	struct ms_machine *m = *state;

	assert_null(ms_trace_last(m, MS_EV_ZAP));
	MS_EMIT(m, .type = MS_EV_ZAP, .addr = 0x1000);
	MS_EMIT(m, .type = MS_EV_ZAP, .addr = 0x2000);
	MS_EMIT(m, .type = MS_EV_S2_YOUNG, .addr = 0x3000);
	assert_int_equal(ms_trace_last(m, MS_EV_ZAP)->addr, 0x2000);
	assert_null(ms_trace_last(m, MS_EV_S2_MAP));
}

static void counting_goes_by_type(void **state)
{
	struct ms_machine *m = *state;

	MS_EMIT(m, .type = MS_EV_ZAP);
	MS_EMIT(m, .type = MS_EV_ZAP);
	MS_EMIT(m, .type = MS_EV_S2_YOUNG);
	assert_int_equal(ms_trace_count(m, MS_EV_ZAP), 2);
	assert_int_equal(ms_trace_count(m, MS_EV_S2_YOUNG), 1);
	assert_int_equal(ms_trace_count(m, MS_EV_S2_MAP), 0);
}

static void clear_forgets_events_and_keeps_totals(void **state)
{
	struct ms_machine *m = *state;

	MS_EMIT(m, .type = MS_EV_ZAP);
	ms_trace_clear(m);
	assert_int_equal(ms_trace_len(m), 0);
	assert_int_equal(ms_trace_count(m, MS_EV_ZAP), 0);
	assert_null(ms_trace_last(m, MS_EV_ZAP));
	MS_EMIT(m, .type = MS_EV_ZAP);
	assert_int_equal(ms_trace_count(m, MS_EV_ZAP), 1);
	assert_int_equal(ms_trace_total(m, MS_EV_ZAP), 2);
}

static void all_but_three_types_are_kept_at_first(void **state)
{
	struct ms_machine *m = *state;

	for (enum ms_event_type type = 0; type < MS_EV_TYPES; type++) {
		bool kept = type != MS_EV_S2_DESC && type != MS_EV_TLBI && type != MS_EV_CMO;

		ms_emit(m, &(struct ms_event){ .type = type });
		assert_int_equal(ms_trace_count(m, type), kept);
		assert_int_equal(ms_trace_total(m, type), 1);
	}
}

static void keep_chooses_the_types(void **state)
{
	struct ms_machine *m = *state;

	ms_trace_keep(m, 1u << MS_EV_TLBI);
	MS_EMIT(m, .type = MS_EV_TLBI);
	MS_EMIT(m, .type = MS_EV_ZAP);
	assert_int_equal(ms_trace_len(m), 1);
	assert_int_equal(ms_trace_get(m, 0)->type, MS_EV_TLBI);
	ms_trace_keep(m, 0);
	MS_EMIT(m, .type = MS_EV_TLBI);
	assert_int_equal(ms_trace_len(m), 1);
	assert_int_equal(ms_trace_total(m, MS_EV_TLBI), 2);
}

static void event_without_memory_is_counted_and_lost(void **state)
{
	struct ms_machine *m = *state;

	ms_machine_fail_alloc(m, 1);
	MS_EMIT(m, .type = MS_EV_ZAP, .addr = 0x1000);
	MS_EMIT(m, .type = MS_EV_ZAP, .addr = 0x2000);
	assert_int_equal(ms_trace_lost(m), 1);
	assert_int_equal(ms_trace_total(m, MS_EV_ZAP), 2);
	assert_int_equal(ms_trace_len(m), 1);
	assert_int_equal(ms_trace_get(m, 0)->addr, 0x2000);
}

static void trace_that_cannot_grow_keeps_what_it_has(void **state)
{
	struct ms_machine *m = *state;
	size_t n = 0;

	MS_EMIT(m, .type = MS_EV_ZAP);
	ms_machine_fail_alloc(m, 1);
	while (!ms_trace_lost(m))
		MS_EMIT(m, .type = MS_EV_ZAP, .addr = ++n);
	assert_int_equal(ms_trace_len(m), n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(ms_trace_get(m, i)->addr, i);
}

static void thousands_of_events_are_kept(void **state)
{
	struct ms_machine *m = *state;

	for (uint64_t i = 0; i < 10000; i++)
		MS_EMIT(m, .type = MS_EV_S2_MAP, .addr = i);
	assert_int_equal(ms_trace_len(m), 10000);
	for (uint64_t i = 0; i < 10000; i++)
		assert_int_equal(ms_trace_get(m, i)->addr, i);
	assert_int_equal(ms_trace_lost(m), 0);
}

static void unknown_types_have_no_events(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_trace_count(m, MS_EV_TYPES), 0);
	assert_int_equal(ms_trace_total(m, (enum ms_event_type)1000), 0);
	assert_null(ms_trace_last(m, MS_EV_TYPES));
}

static void violation_and_log_are_events(void **state)
{
	struct ms_machine *m = *state;

	ms_violation(m, "pte not empty", 0x1000);
	ms_log(m, "freeing invalid memtype", 0x2000, 0x3000);
	assert_string_equal(ms_trace_last(m, MS_EV_VIOLATION)->reason, "pte not empty");
	assert_int_equal(ms_trace_last(m, MS_EV_VIOLATION)->addr, 0x1000);
	assert_string_equal(ms_trace_last(m, MS_EV_LOG)->reason, "freeing invalid memtype");
	assert_int_equal(ms_trace_last(m, MS_EV_LOG)->size, 0x3000);
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RULE(events_stand_in_the_order_in_which_they_happened),
		RULE(last_is_the_latest_of_its_type),
		RULE(counting_goes_by_type),
		RULE(clear_forgets_events_and_keeps_totals),
		RULE(all_but_three_types_are_kept_at_first),
		RULE(keep_chooses_the_types),
		RULE(event_without_memory_is_counted_and_lost),
		RULE(trace_that_cannot_grow_keeps_what_it_has),
		RULE(thousands_of_events_are_kept),
		RULE(unknown_types_have_no_events),
		RULE(violation_and_log_are_events),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
