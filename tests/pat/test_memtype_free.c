/* SPDX-License-Identifier: GPL-2.0-only */
/* Giving memory types back, and reading the list. */
#include "memtype.h"

/* ---- free ---- */

static void the_exact_range_takes_the_entry_away(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH, HIGH + 0x4000), 0);
	assert_int_equal(memtypes(m), 0);
	assert_true(ms_pat_free_reached_list(ms_trace_last(m, MS_EV_PAT_FREE)));
	assert_null(ms_trace_last(m, MS_EV_PAT_FREE)->reason);
	assert_int_equal(ms_trace_last(m, MS_EV_PAT_FREE)->ret, 0);
	assert_int_equal(ms_memtype_lookup(m, HIGH), MS_CACHE_UC_MINUS);
}

static void of_equal_entries_one_is_freed(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH, HIGH + 0x4000), 0);
	assert_int_equal(memtypes(m), 1);
}

/*
 *  held   [WC------------)
 *  freed           [-----)
 *  after  [WC-----)
 */
static void the_tail_of_an_entry_can_be_freed(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH + 0x3000, HIGH + 0x4000), 0);
	assert_entry(m, 0, HIGH, HIGH + 0x3000, MS_CACHE_WC);
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_FREE)->reason, "an entry lost its tail");
	hold(m, HIGH + 0x3000, HIGH + 0x4000, MS_CACHE_UC_MINUS);
}

/*
 *  held   [WC------------)
 *  freed           [-----)    -EINVAL
 *  after  [WC------------)
 */
static void with_exact_free_the_tail_cannot_be_freed(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH + 0x3000, HIGH + 0x4000), -EINVAL);
	assert_entry(m, 0, HIGH, HIGH + 0x4000, MS_CACHE_WC);
}

/*
 *  held   [WC------------)
 *  freed  [--)                -EINVAL
 *  freed      [--)            -EINVAL
 */
static void the_head_and_the_middle_cannot_be_freed(void **state)
{
	struct ms_machine *m = *state;
	const struct ms_event *ev;

	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH, HIGH + 0x1000), -EINVAL);
	assert_int_equal(ms_memtype_free(m, HIGH + 0x1000, HIGH + 0x2000), -EINVAL);
	assert_entry(m, 0, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(ms_violations(m), 2);
	ev = ms_violation_get(m, 1);
	assert_string_equal(ev->reason, "x86/PAT: freeing invalid memtype");
	assert_int_equal(ev->addr, HIGH + 0x1000);
	ev = ms_trace_last(m, MS_EV_PAT_FREE);
	assert_int_equal(ev->ret, -EINVAL);
	assert_true(ms_pat_free_reached_list(ev));
}

/*
 *  held   [1-------------)
 *                 [2-----)    goes
 *  freed          [------)
 */
static void an_exact_entry_goes_before_a_tail(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	hold(m, HIGH + 0x2000, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH + 0x2000, HIGH + 0x4000), 0);
	assert_int_equal(memtypes(m), 1);
	assert_entry(m, 0, HIGH, HIGH + 0x4000, MS_CACHE_WC);
}

/*
 *  held   [1-------------)    loses its tail
 *             [2---------)    loses its tail the second time
 *                 [3-----)
 *  freed                [)    twice
 */
static void of_several_tails_the_first_in_order_goes(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x8000, MS_CACHE_WC);
	hold(m, HIGH + 0x2000, HIGH + 0x8000, MS_CACHE_WC);
	hold(m, HIGH + 0x4000, HIGH + 0x8000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH + 0x7000, HIGH + 0x8000), 0);
	assert_entry(m, 0, HIGH, HIGH + 0x7000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH + 0x7000, HIGH + 0x8000), 0);
	assert_entry(m, 1, HIGH + 0x2000, HIGH + 0x7000, MS_CACHE_WC);
	assert_entry(m, 2, HIGH + 0x4000, HIGH + 0x8000, MS_CACHE_WC);
}

/*
 *  before  [1-------------)    after  [2-----)
 *          [2-----)                   [3-)
 *          [3-)                       [1-----------)
 *  freed                 [)
 */
static void an_entry_that_shrank_is_inserted_anew(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x8000, MS_CACHE_WC);
	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	hold(m, HIGH, HIGH + 0x2000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH + 0x7000, HIGH + 0x8000), 0);
	assert_entry(m, 0, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_entry(m, 1, HIGH, HIGH + 0x2000, MS_CACHE_WC);
	assert_entry(m, 2, HIGH, HIGH + 0x7000, MS_CACHE_WC);
}

static void freeing_nothing_is_invalid(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_memtype_free(m, HIGH, HIGH + 0x1000), -EINVAL);
	assert_int_equal(ms_memtype_free(m, HIGH, HIGH + 0x1000), -EINVAL);
	assert_int_equal(ms_memtype_free(m, HIGH, HIGH), -EINVAL);
	assert_int_equal(ms_memtype_free(m, 0, 0), -EINVAL);
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_FREE)->reason, "no entry matches");
}

/*
 *  memory  RAM      |nothing     then  RAM      |RAM
 *  held             [WC)                         .
 *  freed                                        [--)    0, and the entry stays
 */
static void where_ram_came_later_an_entry_cannot_be_freed(void **state)
{
	struct ms_machine *m = *state;

	hold(m, RAM_END, RAM_END + 0x1000, MS_CACHE_WC);
	assert_int_equal(ms_ram_add(m, RAM_END, 0x10000), 0);
	assert_int_equal(ms_memtype_free(m, RAM_END, RAM_END + 0x1000), 0);
	assert_false(ms_pat_free_reached_list(ms_trace_last(m, MS_EV_PAT_FREE)));
	assert_int_equal(memtypes(m), 1);
}

/*
 * Though an entry ends there: of nothing it would lose nothing.
 *
 *  held   [WC----)
 *             [WC----)
 *  freed          |
 */
static void freeing_an_empty_range_finds_no_tail(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x2000, MS_CACHE_WC);
	hold(m, HIGH + 0x1000, HIGH + 0x3000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH + 0x2000, HIGH + 0x2000), -EINVAL);
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_FREE)->reason, "no entry matches");
}

/* ---- look ---- */

/*
 *  pages  |       |       |       |
 *  held   [WC)[UC----)
 *  type    WC      UC      UC-
 */
static void a_page_has_the_type_of_the_first_entry_over_it(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x800, MS_CACHE_WC);
	hold(m, HIGH + 0x800, HIGH + 0x1800, MS_CACHE_UC);
	assert_int_equal(ms_memtype_lookup(m, HIGH), MS_CACHE_WC);
	assert_int_equal(ms_memtype_lookup(m, HIGH + 0xfff), MS_CACHE_WC);
	assert_int_equal(ms_memtype_lookup(m, HIGH + 0x1000), MS_CACHE_UC);
	assert_int_equal(ms_memtype_lookup(m, HIGH + 0x2000), MS_CACHE_UC_MINUS);
}

/*
 * In the order of the list, numbered as they came:
 *
 *  [2-------------)
 *  [3-)
 *  [4-----)
 *      [1-)
 */
static void the_list_is_ordered_by_start_then_insertion(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH + 0x2000, HIGH + 0x4000, MS_CACHE_WC);
	hold(m, HIGH, HIGH + 0x8000, MS_CACHE_WC);
	hold(m, HIGH, HIGH + 0x2000, MS_CACHE_WC);
	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_entry(m, 0, HIGH, HIGH + 0x8000, MS_CACHE_WC);
	assert_entry(m, 1, HIGH, HIGH + 0x2000, MS_CACHE_WC);
	assert_entry(m, 2, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_entry(m, 3, HIGH + 0x2000, HIGH + 0x4000, MS_CACHE_WC);
	assert_false(ms_memtype_get(m, 4, &(struct ms_memtype){ 0 }));
}

static void count(const struct ms_memtype *entry, void *arg)
{
	++*(size_t *)arg;
}

/*
 *  held   [1-----)[2-)        [3-)
 *  walk          [------------)       sees 1 and 2
 */
static void a_walk_sees_what_overlaps(void **state)
{
	struct ms_machine *m = *state;
	size_t n = 0;

	hold(m, HIGH, HIGH + 0x2000, MS_CACHE_WC);
	hold(m, HIGH + 0x2000, HIGH + 0x3000, MS_CACHE_WC);
	hold(m, HIGH + 0x5000, HIGH + 0x6000, MS_CACHE_WC);
	ms_memtype_walk(m, HIGH + 0x1fff, HIGH + 0x5000, count, &n);
	assert_int_equal(n, 2);
	ms_memtype_walk(m, HIGH, HIGH, count, &n);
	ms_memtype_walk(m, HIGH + 0x1000, HIGH + 0x1000, count, &n);
	ms_memtype_walk(m, HIGH + 0x1800, HIGH + 0x1000, count, &n);
	assert_int_equal(n, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RULE(the_exact_range_takes_the_entry_away),
		RULE_AGAIN(the_exact_range_takes_the_entry_away),
		RULE(of_equal_entries_one_is_freed),
		RULE_AGAIN(of_equal_entries_one_is_freed),
		RULE(the_tail_of_an_entry_can_be_freed),
		RULE_AGAIN(the_tail_of_an_entry_can_be_freed),
		cmocka_unit_test_setup_teardown(with_exact_free_the_tail_cannot_be_freed,
						setup_exact, teardown),
		RULE(the_head_and_the_middle_cannot_be_freed),
		RULE_AGAIN(the_head_and_the_middle_cannot_be_freed),
		RULE(an_exact_entry_goes_before_a_tail),
		RULE_AGAIN(an_exact_entry_goes_before_a_tail),
		RULE(of_several_tails_the_first_in_order_goes),
		RULE_AGAIN(of_several_tails_the_first_in_order_goes),
		RULE(an_entry_that_shrank_is_inserted_anew),
		RULE_AGAIN(an_entry_that_shrank_is_inserted_anew),
		RULE(freeing_nothing_is_invalid),
		RULE_AGAIN(freeing_nothing_is_invalid),
		RULE(where_ram_came_later_an_entry_cannot_be_freed),
		RULE(freeing_an_empty_range_finds_no_tail),
		RULE_AGAIN(freeing_an_empty_range_finds_no_tail),
		RULE(a_page_has_the_type_of_the_first_entry_over_it),
		RULE_AGAIN(a_page_has_the_type_of_the_first_entry_over_it),
		RULE(the_list_is_ordered_by_start_then_insertion),
		RULE_AGAIN(the_list_is_ordered_by_start_then_insertion),
		RULE(a_walk_sees_what_overlaps),
		RULE_AGAIN(a_walk_sees_what_overlaps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
