/* SPDX-License-Identifier: GPL-2.0-only */
/* Reserving memory types, of devices and of RAM. */
#include "memtype.h"

#include "pat/internal.h"

/* ---- reserve ---- */

static void a_reservation_is_an_entry_and_an_event(void **state)
{
	struct ms_machine *m = *state;
	const struct ms_event *ev;

	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(memtypes(m), 1);
	assert_entry(m, 0, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(ms_trace_len(m), 1);
	ev = ms_trace_get(m, 0);
	assert_int_equal(ev->type, MS_EV_PAT_RESERVE);
	assert_int_equal(ev->addr, HIGH);
	assert_int_equal(ev->size, 0x4000);
	assert_int_equal(ev->cache, MS_CACHE_WC);
	assert_int_equal(ev->ret, 0);
}

/*
 *  held   [WC--------)
 *  asked       [UC---------)
 *  got         [WC---------)
 */
static void the_type_that_is_held_wins(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(granted(m, HIGH + 0x2000, HIGH + 0x6000, MS_CACHE_UC_MINUS), MS_CACHE_WC);
	assert_entry(m, 1, HIGH + 0x2000, HIGH + 0x6000, MS_CACHE_WC);
	assert_int_equal(ms_trace_last(m, MS_EV_PAT_RESERVE)->cache, MS_CACHE_UC_MINUS);
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_RESERVE)->reason,
			    "the type that is held already");
}

/*
 *  held   [WC--)    [WC--)
 *  asked       [UC--)
 *  got         [UC--)
 */
static void neighbours_do_not_decide(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x1000, MS_CACHE_WC);
	hold(m, HIGH + 0x2000, HIGH + 0x3000, MS_CACHE_WC);
	hold(m, HIGH + 0x1000, HIGH + 0x2000, MS_CACHE_UC_MINUS);
}

/*
 *  held   [WC---------------)
 *  asked              [UC---------)    -EBUSY
 *  asked              [WC---------)    0
 */
static void without_a_choice_another_type_is_busy(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(
		ms_memtype_reserve(m, HIGH + 0x3000, HIGH + 0x5000, MS_CACHE_UC_MINUS, NULL),
		-EBUSY);
	assert_int_equal(ms_trace_last(m, MS_EV_PAT_RESERVE)->ret, -EBUSY);
	assert_int_equal(ms_trace_last(m, MS_EV_PAT_RESERVE)->cache, MS_CACHE_UC_MINUS);
	assert_null(ms_trace_last(m, MS_EV_PAT_RESERVE)->reason);
	assert_int_equal(ms_trace_count(m, MS_EV_LOG), 2);
	assert_logged(m, "x86/PAT: memtype_reserve failed", HIGH + 0x3000, 0x2000);
	assert_int_equal(ms_memtype_reserve(m, HIGH + 0x3000, HIGH + 0x5000, MS_CACHE_WC, NULL), 0);
	assert_int_equal(ms_trace_last(m, MS_EV_PAT_RESERVE)->ret, 0);
	assert_int_equal(memtypes(m), 2);
}

/*
 *  held   [WC----)    [UC----)
 *  asked  [----------)            WC is found: granted
 *  asked  [------------------)    both are: -EBUSY, whatever is asked for
 */
static void two_types_in_the_range_are_busy(void **state)
{
	struct ms_machine *m = *state;
	enum ms_cache got;

	hold(m, HIGH, HIGH + 0x2000, MS_CACHE_WC);
	hold(m, HIGH + 0x3000, HIGH + 0x5000, MS_CACHE_UC_MINUS);
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 0x5000, MS_CACHE_WC, &got), -EBUSY);
	assert_int_equal(ms_trace_last(m, MS_EV_PAT_RESERVE)->ret, -EBUSY);
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 0x5000, MS_CACHE_UC_MINUS, &got),
			 -EBUSY);
	assert_int_equal(ms_trace_count(m, MS_EV_LOG), 4);
	assert_logged(m, "x86/PAT: memtype_reserve failed", HIGH, 0x5000);
	assert_int_equal(granted(m, HIGH, HIGH + 0x3000, MS_CACHE_UC_MINUS), MS_CACHE_WC);
	assert_int_equal(memtypes(m), 3);
}

static void wb_is_granted_only_where_the_mtrrs_say_wb(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(granted(m, HIGH, HIGH + 0x1000, MS_CACHE_WB), MS_CACHE_WB);
	assert_int_equal(granted(m, LOW, LOW + 0x1000, MS_CACHE_WB), MS_CACHE_UC_MINUS);
	assert_entry(m, 0, LOW, LOW + 0x1000, MS_CACHE_UC_MINUS);
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_RESERVE)->reason, "the MTRRs do not say WB");
	// this device is known by now
	assert_int_equal(granted(m, LOW + 0x1000, LOW + 0x2000, MS_CACHE_WB), MS_CACHE_UC_MINUS);
}

static void other_types_do_not_ask_the_mtrrs(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(granted(m, LOW, LOW + 0x1000, MS_CACHE_WC), MS_CACHE_WC);
	assert_int_equal(granted(m, LOW + 0x1000, LOW + 0x2000, MS_CACHE_UC), MS_CACHE_UC);
	assert_int_equal(granted(m, LOW + 0x2000, LOW + 0x3000, MS_CACHE_WT), MS_CACHE_WT);
	assert_int_equal(granted(m, LOW + 0x3000, LOW + 0x4000, MS_CACHE_WP), MS_CACHE_WP);
}

static void the_isa_range_is_wb_and_not_listed(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(granted(m, 0xa0000, 0x100000, MS_CACHE_UC_MINUS), MS_CACHE_WB);
	assert_int_equal(memtypes(m), 0);
	assert_int_equal(ms_memtype_lookup(m, 0xff000), MS_CACHE_WB);
	assert_int_equal(ms_memtype_free(m, 0xa0000, 0x100000), 0);
	assert_false(ms_pat_free_reached_list(ms_trace_last(m, MS_EV_PAT_FREE)));
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_FREE)->reason, "ISA range: not tracked");
}

/*
 *  memory  RAM           |nothing |ISA range
 *  held        [WC)      [UC-----------)
 */
static void below_the_isa_range_entries_are_made_even_of_ram(void **state)
{
	struct ms_machine *m = *state;

	hold(m, 0x9f000, 0xa1000, MS_CACHE_UC_MINUS);
	hold(m, 0x2000, 0x3000, MS_CACHE_WC);
	assert_int_equal(memtypes(m), 2);
	assert_int_equal(ms_memtype_lookup(m, 0x2000), MS_CACHE_WC);
}

static void with_pat_off_everything_is_granted_and_nothing_listed(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(granted(m, HIGH, HIGH + 0x1000, MS_CACHE_WC), MS_CACHE_WC);
	assert_int_equal(granted(m, HIGH, HIGH + 0x1000, MS_CACHE_UC), MS_CACHE_UC);
	assert_int_equal(memtypes(m), 0);
	assert_int_equal(ms_memtype_free(m, HIGH, HIGH + 0x1000), 0);
	assert_false(ms_pat_free_reached_list(ms_trace_last(m, MS_EV_PAT_FREE)));
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_FREE)->reason, "PAT is off");
}

static void an_empty_range_is_a_warning(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH, MS_CACHE_WC, NULL), -EINVAL);
	assert_int_equal(ms_memtype_reserve(m, HIGH + 1, HIGH, MS_CACHE_WC, NULL), -EINVAL);
	assert_int_equal(ms_trace_count(m, MS_EV_VIOLATION), 2);
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 1, (enum ms_cache)7, NULL), -EINVAL);
	assert_int_equal(memtypes(m), 0);
	hold(m, HIGH, HIGH + 1, MS_CACHE_WC);
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 1, (enum ms_cache)7, NULL), -EINVAL);
	assert_int_equal(memtypes(m), 1);
}

static void bits_beyond_the_physical_mask_are_cut_off(void **state)
{
	struct ms_machine *m = *state;
	ms_pa_t high = UINT64_C(1) << 52;

	hold(m, high | HIGH, high | (HIGH + 0x1000), MS_CACHE_WC);
	assert_entry(m, 0, HIGH, HIGH + 0x1000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, high | HIGH, high | (HIGH + 0x1000)), 0);
	assert_int_equal(memtypes(m), 0);
}

static void a_reservation_without_memory_leaves_nothing(void **state)
{
	struct ms_machine *m = *state;

	ms_machine_fail_alloc(m, 1);
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 0x1000, MS_CACHE_WC, NULL), -ENOMEM);
	assert_int_equal(ms_trace_last(m, MS_EV_PAT_RESERVE)->ret, -ENOMEM);
	assert_int_equal(memtypes(m), 0);
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 0x1000, MS_CACHE_WC, NULL), 0);
}

static void it_does_not_matter_whether_events_are_kept(void **state)
{
	struct ms_machine *m = *state;

	ms_trace_keep(m, 0);
	hold(m, HIGH, HIGH + 0x2000, MS_CACHE_WC);
	assert_int_equal(granted(m, HIGH + 0x1000, HIGH + 0x4000, MS_CACHE_UC_MINUS), MS_CACHE_WC);
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 0x1000, MS_CACHE_UC, NULL), -EBUSY);
	assert_int_equal(ms_memtype_free(m, HIGH, HIGH + 0x2000), 0);
	assert_int_equal(ms_memtype_free(m, HIGH + 0x1000, HIGH + 0x4000), 0);
	assert_int_equal(ms_memtype_free(m, HIGH + 0x1000, HIGH + 0x4000), -EINVAL);
	assert_int_equal(memtypes(m), 0);
	assert_int_equal(ms_trace_len(m), 0);
}

/* ---- RAM ---- */

static void pages_of_ram_have_a_type_of_their_own(void **state)
{
	struct ms_machine *m = *state;

	hold(m, RAM, RAM + 0x2000, MS_CACHE_WC);
	assert_int_equal(memtypes(m), 0);
	assert_int_equal(ms_memtype_lookup(m, RAM + 0x1000), MS_CACHE_WC);
	assert_int_equal(ms_memtype_lookup(m, RAM + 0x2000), MS_CACHE_WB);
	assert_int_equal(ms_memtype_free(m, RAM, RAM + 0x2000), 0);
	assert_false(ms_pat_free_reached_list(ms_trace_last(m, MS_EV_PAT_FREE)));
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_FREE)->reason, "RAM: the pages' own types");
	assert_int_equal(ms_memtype_lookup(m, RAM + 0x1000), MS_CACHE_WB);
	assert_int_equal(ms_memtype_lookup(m, RAM), MS_CACHE_WB);
}

/*
 *  RAM    |WB  |WC  |WB  |
 *  asked  [UC------------)    -EBUSY
 */
static void a_page_of_ram_with_a_type_is_busy(void **state)
{
	struct ms_machine *m = *state;
	enum ms_cache got;

	hold(m, RAM + 0x1000, RAM + 0x2000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_reserve(m, RAM, RAM + 0x3000, MS_CACHE_UC_MINUS, &got), -EBUSY);
	assert_int_equal(got, MS_CACHE_WC);
	assert_logged(m, "x86/PAT: reserve_ram_pages_type failed", RAM, 0x3000);
	assert_int_equal(ms_memtype_lookup(m, RAM), MS_CACHE_WB);
}

static void strong_uc_of_ram_is_a_warning_and_uc_minus(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(granted(m, RAM, RAM + 0x1000, MS_CACHE_UC), MS_CACHE_UC_MINUS);
	assert_int_equal(ms_trace_count(m, MS_EV_VIOLATION), 1);
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_RESERVE)->reason, "RAM: UC- for UC");
}

static void wp_of_ram_is_refused(void **state)
{
	struct ms_machine *m = *state;

	enum ms_cache got = MS_CACHE_WB;

	assert_int_equal(ms_memtype_reserve(m, RAM, RAM + 0x1000, MS_CACHE_WP, &got), -EINVAL);
	assert_int_equal(got, MS_CACHE_UC_MINUS);
}

/*
 *  memory  nothing  |ISA range|RAM
 *  asked   [----------------------)    -EINVAL
 */
static void ram_behind_a_hole_is_mixed_and_refused(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_memtype_reserve(m, 0x9f000, 0x101000, MS_CACHE_WC, NULL), -EINVAL);
	assert_int_equal(ms_memtype_free(m, 0x9f000, 0x101000), -EINVAL);
	assert_false(ms_pat_free_reached_list(ms_trace_last(m, MS_EV_PAT_FREE)));
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_FREE)->reason, "RAM and other memory mixed");
	assert_int_equal(ms_trace_count(m, MS_EV_LOG), 0);
}

/*
 *  memory  RAM      |nothing
 *  held        [WC------)       counts as RAM
 */
static void a_hole_behind_ram_is_not_seen(void **state)
{
	struct ms_machine *m = *state;

	hold(m, RAM_END - 0x1000, RAM_END + 0x1000, MS_CACHE_WC);
	assert_int_equal(memtypes(m), 0);
	assert_int_equal(ms_memtype_lookup(m, RAM_END - 0x1000), MS_CACHE_WC);
	assert_int_equal(ms_memtype_lookup(m, RAM_END), MS_CACHE_UC_MINUS);
	assert_int_equal(ms_memtype_free(m, RAM_END - 0x1000, RAM_END + 0x1000), 0);
}

/*
 *  memory  RAM      |nothing |RAM      |
 *  held         [WC------)                  the RAM behind stays WB
 */
static void ram_behind_the_range_keeps_its_type(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ram_add(m, RAM_END + 0x1000, 0x1000), 0);
	hold(m, RAM_END - 0x1000, RAM_END + 0x800, MS_CACHE_WC);
	assert_int_equal(ms_memtype_lookup(m, RAM_END - 0x1000), MS_CACHE_WC);
	assert_int_equal(ms_memtype_lookup(m, RAM_END + 0x1000), MS_CACHE_WB);
}

static void a_reservation_of_ram_without_memory_changes_no_page(void **state)
{
	struct ms_machine *m = *state;
	uint64_t n = 0;
	int err;

	ms_trace_keep(m, 0);
	do {
		ms_machine_fail_alloc(m, ++n);
		err = ms_memtype_reserve(m, RAM, RAM + 0x2000, MS_CACHE_WC, NULL);
		ms_machine_fail_alloc(m, 0);
		if (err)
			assert_int_equal(err, -ENOMEM);
	} while (err);
	assert_true(n > 1);
	assert_int_equal(ms_memtype_lookup(m, RAM), MS_CACHE_WC);
	assert_int_equal(ms_memtype_lookup(m, RAM + 0x1000), MS_CACHE_WC);
}

/* ---- all of it ---- */

static void what_memtypes_had_is_given_back(void **state)
{
	struct ms_machine *m = *state;
	uint64_t live;

	ms_trace_keep(m, 0);
	ms_pat_room.destroy(m);
	live = m->alloc.live;
	assert_null(m->pat);
	assert_int_equal(ms_pat_room.init(m), 0);
	for (ms_pa_t pa = HIGH; pa < HIGH + 0x80000; pa += 0x1000)
		assert_int_equal(ms_ioremap(m, pa, 0x1000, MS_CACHE_WC), 0);
	ms_pat_room.destroy(m);
	assert_int_equal(m->alloc.live, live);
	assert_null(m->pat);
	assert_int_equal(ms_pat_room.init(m), 0);
	// from here on the memory is there
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_WC), 0);
	assert_int_equal(ms_iounmap(m, HIGH, 0x1000), 0);
	live = m->alloc.live;
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_WC), 0);
	assert_int_equal(ms_iounmap(m, HIGH, 0x1000), 0);
	assert_int_equal(m->alloc.live, live);
}

/*
 *  memory  device   |RAM      |     came later
 *  held         [WC)[WT)            WC on the list, WT in the page
 *  asked        [------)            -EINVAL
 */
static void ram_that_comes_later_beside_a_device_is_ram(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH + 0xff000, HIGH + 0x100000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_lookup(m, HIGH + 0x100000), MS_CACHE_UC_MINUS);
	assert_int_equal(ms_ram_add(m, HIGH + 0x100000, 0x100000), 0);
	hold(m, HIGH + 0x100000, HIGH + 0x101000, MS_CACHE_WT);
	assert_int_equal(memtypes(m), 1);
	assert_int_equal(ms_memtype_lookup(m, HIGH + 0xff000), MS_CACHE_WC);
	assert_int_equal(ms_memtype_lookup(m, HIGH + 0x100000), MS_CACHE_WT);
	assert_int_equal(ms_memtype_lookup(m, HIGH + 0x101000), MS_CACHE_WB);
	// across the border: RAM behind a hole
	assert_int_equal(ms_memtype_reserve(m, HIGH + 0xff000, HIGH + 0x101000, MS_CACHE_WC, NULL),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RULE(a_reservation_is_an_entry_and_an_event),
		RULE_AGAIN(a_reservation_is_an_entry_and_an_event),
		RULE(the_type_that_is_held_wins),
		RULE_AGAIN(the_type_that_is_held_wins),
		RULE(neighbours_do_not_decide),
		RULE_AGAIN(neighbours_do_not_decide),
		RULE(without_a_choice_another_type_is_busy),
		RULE_AGAIN(without_a_choice_another_type_is_busy),
		RULE(two_types_in_the_range_are_busy),
		RULE_AGAIN(two_types_in_the_range_are_busy),
		RULE(wb_is_granted_only_where_the_mtrrs_say_wb),
		RULE_AGAIN(wb_is_granted_only_where_the_mtrrs_say_wb),
		RULE(other_types_do_not_ask_the_mtrrs),
		RULE_AGAIN(other_types_do_not_ask_the_mtrrs),
		RULE(the_isa_range_is_wb_and_not_listed),
		RULE(below_the_isa_range_entries_are_made_even_of_ram),
		cmocka_unit_test_setup_teardown(
			with_pat_off_everything_is_granted_and_nothing_listed, setup_off, teardown),
		RULE(an_empty_range_is_a_warning),
		RULE_AGAIN(an_empty_range_is_a_warning),
		RULE(bits_beyond_the_physical_mask_are_cut_off),
		RULE_AGAIN(bits_beyond_the_physical_mask_are_cut_off),
		RULE(a_reservation_without_memory_leaves_nothing),
		RULE(it_does_not_matter_whether_events_are_kept),
		RULE_AGAIN(it_does_not_matter_whether_events_are_kept),
		RULE(pages_of_ram_have_a_type_of_their_own),
		RULE(a_page_of_ram_with_a_type_is_busy),
		RULE(strong_uc_of_ram_is_a_warning_and_uc_minus),
		RULE(wp_of_ram_is_refused),
		RULE(ram_behind_a_hole_is_mixed_and_refused),
		RULE(a_hole_behind_ram_is_not_seen),
		RULE(ram_behind_the_range_keeps_its_type),
		RULE(a_reservation_of_ram_without_memory_changes_no_page),
		RULE(what_memtypes_had_is_given_back),
		RULE(ram_that_comes_later_beside_a_device_is_ram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
