/* SPDX-License-Identifier: GPL-2.0-only */
/* memtype_reserve, memtype_free, lookup_memtype, ioremap: one rule a test. */
#include <mapsim/machine.h>
#include <mapsim/pat.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOW UINT64_C(0xfea00000)   /* a BAR below 4G: MTRR UC */
#define HIGH UINT64_C(0x180000000) /* a BAR above: MTRR WB */
#define RAM UINT64_C(0x200000)     /* inside of System RAM, which ends at RAM_END */
#define RAM_END UINT64_C(0x10000000)

static struct ms_machine *machine(const char *release, bool pat_off)
{
	const struct ms_machine_config config = { .pat_off = pat_off };
	struct ms_machine *m =
		ms_machine_new_config(ms_policy_linux(release, MS_ARCH_X86_64), &config);

	assert_non_null(m);
	assert_int_equal(ms_ram_add(m, 0x1000, 0x9e000), 0);
	assert_int_equal(ms_ram_add(m, 0x100000, RAM_END - 0x100000), 0);
	assert_non_null(ms_device_add(m, "low", LOW, 0x100000));
	assert_non_null(ms_device_add(m, "high", HIGH, 0x100000));
	return m;
}

static int setup(void **state)
{
	*state = machine("6.12.107", false);
	return 0;
}

static int setup_exact(void **state)
{
	*state = machine("7.2.13", false);
	return 0;
}

static int setup_off(void **state)
{
	*state = machine("6.12.107", true);
	return 0;
}

static int teardown(void **state)
{
	ms_machine_free(*state);
	return 0;
}

static void assert_entry(struct ms_machine *m, size_t i, ms_pa_t start, ms_pa_t end,
			 enum ms_cache type)
{
	struct ms_memtype e;

	assert_true(ms_memtype_get(m, i, &e));
	assert_int_equal(e.start, start);
	assert_int_equal(e.end, end);
	assert_int_equal(e.type, type);
}

static size_t entries(const struct ms_machine *m)
{
	struct ms_memtype e;
	size_t n = 0;

	while (ms_memtype_get(m, n, &e))
		n++;
	return n;
}

static void hold(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache type)
{
	enum ms_cache got;

	assert_int_equal(ms_memtype_reserve(m, start, end, type, &got), 0);
	assert_int_equal(got, type);
}

static enum ms_cache granted(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache type)
{
	enum ms_cache got;

	assert_int_equal(ms_memtype_reserve(m, start, end, type, &got), 0);
	return got;
}

/* ---- reserve ---- */

static void a_reservation_is_an_entry_and_an_event(void **state)
{
	struct ms_machine *m = *state;
	const struct ms_event *ev;

	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(entries(m), 1);
	assert_entry(m, 0, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(ms_trace_len(m), 1);
	ev = ms_trace_get(m, 0);
	assert_int_equal(ev->type, MS_EV_PAT_RESERVE);
	assert_int_equal(ev->addr, HIGH);
	assert_int_equal(ev->size, 0x4000);
	assert_int_equal(ev->cache, MS_CACHE_WC);
	assert_int_equal(ev->ret, 0);
}

static void the_type_that_is_held_wins(void **state)
{
	struct ms_machine *m = *state;

	//   [WC--------)
	//      [UC-?-------)   becomes WC
	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(granted(m, HIGH + 0x2000, HIGH + 0x6000, MS_CACHE_UC_MINUS), MS_CACHE_WC);
	assert_entry(m, 1, HIGH + 0x2000, HIGH + 0x6000, MS_CACHE_WC);
	assert_int_equal(ms_trace_last(m, MS_EV_PAT_RESERVE)->cache, MS_CACHE_UC_MINUS);
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_RESERVE)->reason,
			    "the type that is held already");
}

static void neighbours_do_not_decide(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x1000, MS_CACHE_WC);
	hold(m, HIGH + 0x2000, HIGH + 0x3000, MS_CACHE_WC);
	hold(m, HIGH + 0x1000, HIGH + 0x2000, MS_CACHE_UC_MINUS);
}

static void without_a_choice_another_type_is_busy(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(
		ms_memtype_reserve(m, HIGH + 0x3000, HIGH + 0x5000, MS_CACHE_UC_MINUS, NULL),
		-EBUSY);
	assert_int_equal(ms_memtype_reserve(m, HIGH + 0x3000, HIGH + 0x5000, MS_CACHE_WC, NULL), 0);
	assert_int_equal(entries(m), 2);
}

static void two_types_in_the_range_are_busy(void **state)
{
	struct ms_machine *m = *state;
	enum ms_cache got;

	// [WC)   [UC-)
	// [------)         only WC: fine
	// [----------)     both: busy, whatever is asked for
	hold(m, HIGH, HIGH + 0x2000, MS_CACHE_WC);
	hold(m, HIGH + 0x3000, HIGH + 0x5000, MS_CACHE_UC_MINUS);
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 0x5000, MS_CACHE_WC, &got), -EBUSY);
	assert_int_equal(ms_trace_last(m, MS_EV_PAT_RESERVE)->ret, -EBUSY);
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 0x5000, MS_CACHE_UC_MINUS, &got),
			 -EBUSY);
	assert_int_equal(ms_trace_count(m, MS_EV_LOG), 4);
	assert_int_equal(granted(m, HIGH, HIGH + 0x3000, MS_CACHE_UC_MINUS), MS_CACHE_WC);
	assert_int_equal(entries(m), 3);
}

static void wb_is_granted_only_where_the_mtrrs_say_wb(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(granted(m, HIGH, HIGH + 0x1000, MS_CACHE_WB), MS_CACHE_WB);
	assert_int_equal(granted(m, LOW, LOW + 0x1000, MS_CACHE_WB), MS_CACHE_UC_MINUS);
	assert_entry(m, 0, LOW, LOW + 0x1000, MS_CACHE_UC_MINUS);
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_RESERVE)->reason, "the MTRRs do not say WB");
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
	assert_int_equal(entries(m), 0);
	assert_int_equal(ms_memtype_lookup(m, 0xff000), MS_CACHE_WB);
	assert_int_equal(ms_memtype_free(m, 0xa0000, 0x100000), 0);
	assert_false(ms_pat_free_reached_list(ms_trace_last(m, MS_EV_PAT_FREE)));
}

static void below_the_isa_range_entries_are_made_even_of_ram(void **state)
{
	struct ms_machine *m = *state;

	hold(m, 0x9f000, 0xa1000, MS_CACHE_UC_MINUS);
	hold(m, 0x2000, 0x3000, MS_CACHE_WC);
	assert_int_equal(entries(m), 2);
	assert_int_equal(ms_memtype_lookup(m, 0x2000), MS_CACHE_WC);
}

static void with_pat_off_everything_is_granted_and_nothing_listed(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(granted(m, HIGH, HIGH + 0x1000, MS_CACHE_WC), MS_CACHE_WC);
	assert_int_equal(granted(m, HIGH, HIGH + 0x1000, MS_CACHE_UC), MS_CACHE_UC);
	assert_int_equal(entries(m), 0);
	assert_int_equal(ms_memtype_free(m, HIGH, HIGH + 0x1000), 0);
	assert_false(ms_pat_free_reached_list(ms_trace_last(m, MS_EV_PAT_FREE)));
}

static void an_empty_range_is_a_warning(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH, MS_CACHE_WC, NULL), -EINVAL);
	assert_int_equal(ms_memtype_reserve(m, HIGH + 1, HIGH, MS_CACHE_WC, NULL), -EINVAL);
	assert_int_equal(ms_trace_count(m, MS_EV_VIOLATION), 2);
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 1, (enum ms_cache)7, NULL), -EINVAL);
	assert_int_equal(entries(m), 0);
}

static void bits_beyond_the_physical_mask_are_cut_off(void **state)
{
	struct ms_machine *m = *state;
	ms_pa_t high = UINT64_C(1) << 52;

	hold(m, high | HIGH, high | (HIGH + 0x1000), MS_CACHE_WC);
	assert_entry(m, 0, HIGH, HIGH + 0x1000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, high | HIGH, high | (HIGH + 0x1000)), 0);
	assert_int_equal(entries(m), 0);
}

static void a_reservation_without_memory_leaves_nothing(void **state)
{
	struct ms_machine *m = *state;

	ms_machine_fail_alloc(m, 1);
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 0x1000, MS_CACHE_WC, NULL), -ENOMEM);
	assert_int_equal(ms_trace_last(m, MS_EV_PAT_RESERVE)->ret, -ENOMEM);
	assert_int_equal(entries(m), 0);
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 0x1000, MS_CACHE_WC, NULL), 0);
}

/* ---- RAM ---- */

static void pages_of_ram_have_a_type_of_their_own(void **state)
{
	struct ms_machine *m = *state;

	hold(m, RAM, RAM + 0x2000, MS_CACHE_WC);
	assert_int_equal(entries(m), 0);
	assert_int_equal(ms_memtype_lookup(m, RAM + 0x1000), MS_CACHE_WC);
	assert_int_equal(ms_memtype_lookup(m, RAM + 0x2000), MS_CACHE_WB);
	assert_int_equal(ms_memtype_free(m, RAM, RAM + 0x2000), 0);
	assert_false(ms_pat_free_reached_list(ms_trace_last(m, MS_EV_PAT_FREE)));
	assert_int_equal(ms_memtype_lookup(m, RAM), MS_CACHE_WB);
}

static void a_page_of_ram_with_a_type_is_busy(void **state)
{
	struct ms_machine *m = *state;
	enum ms_cache got;

	hold(m, RAM + 0x1000, RAM + 0x2000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_reserve(m, RAM, RAM + 0x3000, MS_CACHE_WC, &got), -EBUSY);
	assert_int_equal(got, MS_CACHE_WC);
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

static void ram_behind_a_hole_is_mixed_and_refused(void **state)
{
	struct ms_machine *m = *state;

	// below 1M | RAM
	assert_int_equal(ms_memtype_reserve(m, 0x9f000, 0x101000, MS_CACHE_WC, NULL), -EINVAL);
	assert_int_equal(ms_memtype_free(m, 0x9f000, 0x101000), -EINVAL);
	assert_false(ms_pat_free_reached_list(ms_trace_last(m, MS_EV_PAT_FREE)));
	assert_int_equal(ms_trace_count(m, MS_EV_LOG), 0);
}

static void a_hole_behind_ram_is_not_seen(void **state)
{
	struct ms_machine *m = *state;

	// RAM | nothing: the range counts as RAM
	hold(m, RAM_END - 0x1000, RAM_END + 0x1000, MS_CACHE_WC);
	assert_int_equal(entries(m), 0);
	assert_int_equal(ms_memtype_lookup(m, RAM_END - 0x1000), MS_CACHE_WC);
	assert_int_equal(ms_memtype_lookup(m, RAM_END), MS_CACHE_UC_MINUS);
	assert_int_equal(ms_memtype_free(m, RAM_END - 0x1000, RAM_END + 0x1000), 0);
}

static void ram_that_comes_later_beside_a_device_is_ram(void **state)
{
	struct ms_machine *m = *state;

	// | device | RAM |
	hold(m, HIGH + 0xff000, HIGH + 0x100000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_lookup(m, HIGH + 0x100000), MS_CACHE_UC_MINUS);
	assert_int_equal(ms_ram_add(m, HIGH + 0x100000, 0x100000), 0);
	hold(m, HIGH + 0x100000, HIGH + 0x101000, MS_CACHE_WT);
	assert_int_equal(entries(m), 1);
	assert_int_equal(ms_memtype_lookup(m, HIGH + 0xff000), MS_CACHE_WC);
	assert_int_equal(ms_memtype_lookup(m, HIGH + 0x100000), MS_CACHE_WT);
	assert_int_equal(ms_memtype_lookup(m, HIGH + 0x101000), MS_CACHE_WB);
	// across the border: RAM behind a hole
	assert_int_equal(ms_memtype_reserve(m, HIGH + 0xff000, HIGH + 0x101000, MS_CACHE_WC, NULL),
			 -EINVAL);
}

/* ---- free ---- */

static void the_exact_range_takes_the_entry_away(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH, HIGH + 0x4000), 0);
	assert_int_equal(entries(m), 0);
	assert_true(ms_pat_free_reached_list(ms_trace_last(m, MS_EV_PAT_FREE)));
	assert_null(ms_trace_last(m, MS_EV_PAT_FREE)->reason);
	assert_int_equal(ms_memtype_lookup(m, HIGH), MS_CACHE_UC_MINUS);
}

static void of_equal_entries_one_goes(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH, HIGH + 0x4000), 0);
	assert_int_equal(entries(m), 1);
}

static void the_tail_of_an_entry_can_be_freed(void **state)
{
	struct ms_machine *m = *state;

	// [WC------------)
	//         [free--)
	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH + 0x3000, HIGH + 0x4000), 0);
	assert_entry(m, 0, HIGH, HIGH + 0x3000, MS_CACHE_WC);
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_FREE)->reason, "an entry lost its tail");
	hold(m, HIGH + 0x3000, HIGH + 0x4000, MS_CACHE_UC_MINUS);
}

static void with_exact_free_the_tail_cannot_be_freed(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH + 0x3000, HIGH + 0x4000), -EINVAL);
	assert_entry(m, 0, HIGH, HIGH + 0x4000, MS_CACHE_WC);
}

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

static void an_exact_entry_goes_before_a_tail(void **state)
{
	struct ms_machine *m = *state;

	// [------------)
	//       [------)   this one
	hold(m, HIGH, HIGH + 0x4000, MS_CACHE_WC);
	hold(m, HIGH + 0x2000, HIGH + 0x4000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH + 0x2000, HIGH + 0x4000), 0);
	assert_int_equal(entries(m), 1);
	assert_entry(m, 0, HIGH, HIGH + 0x4000, MS_CACHE_WC);
}

static void of_several_tails_the_first_in_order_goes(void **state)
{
	struct ms_machine *m = *state;

	// [------------)   this one
	//    [---------)
	//       [------)
	hold(m, HIGH, HIGH + 0x8000, MS_CACHE_WC);
	hold(m, HIGH + 0x2000, HIGH + 0x8000, MS_CACHE_WC);
	hold(m, HIGH + 0x4000, HIGH + 0x8000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH + 0x7000, HIGH + 0x8000), 0);
	assert_entry(m, 0, HIGH, HIGH + 0x7000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH + 0x7000, HIGH + 0x8000), 0);
	assert_entry(m, 1, HIGH + 0x2000, HIGH + 0x7000, MS_CACHE_WC);
	assert_entry(m, 2, HIGH + 0x4000, HIGH + 0x8000, MS_CACHE_WC);
}

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
	assert_int_equal(ms_memtype_free(m, HIGH, HIGH), -EINVAL);
	assert_int_equal(ms_memtype_free(m, 0, 0), -EINVAL);
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_FREE)->reason, "no entry matches");
}

/* ---- look ---- */

static void a_page_has_the_type_of_the_first_entry_over_it(void **state)
{
	struct ms_machine *m = *state;

	// [WC) [UC) in one page: the first speaks for it
	hold(m, HIGH, HIGH + 0x800, MS_CACHE_WC);
	hold(m, HIGH + 0x800, HIGH + 0x1800, MS_CACHE_UC);
	assert_int_equal(ms_memtype_lookup(m, HIGH), MS_CACHE_WC);
	assert_int_equal(ms_memtype_lookup(m, HIGH + 0xfff), MS_CACHE_WC);
	assert_int_equal(ms_memtype_lookup(m, HIGH + 0x1000), MS_CACHE_UC);
	assert_int_equal(ms_memtype_lookup(m, HIGH + 0x2000), MS_CACHE_UC_MINUS);
}

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
	(void)entry;
	++*(size_t *)arg;
}

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
	assert_int_equal(n, 2);
}

/* ---- ioremap ---- */

static void an_ioremap_holds_a_type_of_whole_pages(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ioremap(m, HIGH + 0x800, 0x1000, MS_CACHE_UC_MINUS), 0);
	assert_entry(m, 0, HIGH, HIGH + 0x2000, MS_CACHE_UC_MINUS);
	assert_int_equal(granted(m, HIGH, HIGH + 0x1000, MS_CACHE_WC), MS_CACHE_UC_MINUS);
	assert_int_equal(ms_iounmap(m, HIGH + 0x800, 0x1000), 0);
	assert_int_equal(entries(m), 1);
}

static void an_ioremap_more_cached_than_asked_for_is_refused(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x1000, MS_CACHE_WB);
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_UC_MINUS), -ENOMEM);
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_WC), -ENOMEM);
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_WT), -ENOMEM);
	assert_int_equal(entries(m), 1);
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_UC), 0);
	assert_entry(m, 1, HIGH, HIGH + 0x1000, MS_CACHE_WB);
}

static void wt_does_not_become_wc(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x1000, MS_CACHE_WC);
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_WT), -ENOMEM);
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_UC), 0);
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_WB), 0);
}

static void an_ioremap_over_two_types_is_refused(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x1000, MS_CACHE_WC);
	hold(m, HIGH + 0x1000, HIGH + 0x2000, MS_CACHE_UC);
	assert_int_equal(ms_ioremap(m, HIGH, 0x2000, MS_CACHE_WC), -ENOMEM);
	assert_int_equal(entries(m), 2);
}

static void ram_cannot_be_ioremapped(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ioremap(m, RAM, 0x1000, MS_CACHE_WB), -ENOMEM);
	assert_int_equal(ms_ioremap(m, 0x2000, 0x1000, MS_CACHE_WB), -ENOMEM);
	assert_int_equal(ms_trace_count(m, MS_EV_VIOLATION), 2);
	assert_int_equal(ms_trace_count(m, MS_EV_PAT_RESERVE), 0);
}

static void an_isa_ioremap_is_not_listed_but_can_be_unmapped(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ioremap(m, 0xc0000, 0x1000, MS_CACHE_UC_MINUS), 0);
	assert_int_equal(entries(m), 0);
	assert_int_equal(ms_iounmap(m, 0xc0000, 0x1000), 0);
	assert_int_equal(ms_iounmap(m, 0xc0000, 0x1000), -EINVAL);
}

static void bad_arguments_of_ioremap_change_nothing(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ioremap(m, HIGH, 0, MS_CACHE_WC), -EINVAL);
	assert_int_equal(ms_ioremap(m, UINT64_MAX, 2, MS_CACHE_WC), -EINVAL);
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_WP), -EINVAL);
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_NGNRE), -EINVAL);
	assert_int_equal(ms_ioremap(m, UINT64_C(1) << 60, 0x1000, MS_CACHE_WC), -ENOMEM);
	assert_int_equal(ms_iounmap(m, HIGH, 0x1000), -EINVAL);
	assert_int_equal(ms_iounmap(m, HIGH, 0), -EINVAL);
	assert_int_equal(entries(m), 0);
}

static void an_ioremap_without_memory_leaves_nothing(void **state)
{
	struct ms_machine *m = *state;
	uint64_t n = 0;
	int err;

	do {
		ms_machine_fail_alloc(m, ++n);
		err = ms_ioremap(m, HIGH, 0x1000, MS_CACHE_WC);
		ms_machine_fail_alloc(m, 0);
		assert_int_equal(entries(m), err ? 0 : 1);
		if (err)
			assert_int_equal(err, -ENOMEM);
	} while (err);
	assert_true(n > 1);
	assert_int_equal(ms_memtype_leaks(m, NULL, NULL), 0);
}

/* ---- whose is it ---- */

static void a_free_that_hits_an_ioremaps_entry_says_so(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ioremap(m, HIGH, 0x8000, MS_CACHE_UC_MINUS), 0);
	assert_int_equal(ms_memtype_free(m, HIGH + 0x7000, HIGH + 0x8000), 0);
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_FREE)->reason,
			    "someone else's entry lost its tail");
	// the ioremap's own free finds nothing now, and what is left is left for ever
	assert_int_equal(ms_memtype_leaks(m, NULL, NULL), 0);
	assert_int_equal(ms_iounmap(m, HIGH, 0x8000), 0);
	assert_int_equal(ms_trace_last(m, MS_EV_PAT_FREE)->ret, -EINVAL);
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_FREE)->reason,
			    "no entry matches; a reservation is left behind");
	assert_int_equal(ms_memtype_leaks(m, NULL, NULL), 1);
	// the ioremap is gone all the same
	assert_int_equal(ms_iounmap(m, HIGH, 0x8000), -EINVAL);
}

static void of_equal_entries_everyone_frees_his_own(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x1000, MS_CACHE_WC);
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_WC), 0);
	assert_int_equal(ms_iounmap(m, HIGH, 0x1000), 0);
	assert_null(ms_trace_last(m, MS_EV_PAT_FREE)->reason);
	assert_int_equal(ms_memtype_free(m, HIGH, HIGH + 0x1000), 0);
	assert_null(ms_trace_last(m, MS_EV_PAT_FREE)->reason);
	assert_int_equal(entries(m), 0);
}

static void on_arm64_nothing_is_reserved(void **state)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_ARM64));
	enum ms_cache got;

	(void)state;
	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 0x1000, MS_CACHE_WC, &got), 0);
	assert_int_equal(got, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH, HIGH + 0x1000), 0);
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_NGNRE), 0);
	assert_int_equal(ms_iounmap(m, HIGH, 0x1000), 0);
	assert_int_equal(entries(m), 0);
	assert_int_equal(ms_trace_len(m), 0);
	ms_machine_free(m);
}

#define RULE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RULE(a_reservation_is_an_entry_and_an_event),
		RULE(the_type_that_is_held_wins),
		RULE(neighbours_do_not_decide),
		RULE(without_a_choice_another_type_is_busy),
		RULE(two_types_in_the_range_are_busy),
		RULE(wb_is_granted_only_where_the_mtrrs_say_wb),
		RULE(other_types_do_not_ask_the_mtrrs),
		RULE(the_isa_range_is_wb_and_not_listed),
		RULE(below_the_isa_range_entries_are_made_even_of_ram),
		cmocka_unit_test_setup_teardown(
			with_pat_off_everything_is_granted_and_nothing_listed, setup_off, teardown),
		RULE(an_empty_range_is_a_warning),
		RULE(bits_beyond_the_physical_mask_are_cut_off),
		RULE(a_reservation_without_memory_leaves_nothing),
		RULE(pages_of_ram_have_a_type_of_their_own),
		RULE(a_page_of_ram_with_a_type_is_busy),
		RULE(strong_uc_of_ram_is_a_warning_and_uc_minus),
		RULE(wp_of_ram_is_refused),
		RULE(ram_behind_a_hole_is_mixed_and_refused),
		RULE(a_hole_behind_ram_is_not_seen),
		RULE(ram_that_comes_later_beside_a_device_is_ram),
		RULE(the_exact_range_takes_the_entry_away),
		RULE(of_equal_entries_one_goes),
		RULE(the_tail_of_an_entry_can_be_freed),
		cmocka_unit_test_setup_teardown(with_exact_free_the_tail_cannot_be_freed,
						setup_exact, teardown),
		RULE(the_head_and_the_middle_cannot_be_freed),
		RULE(an_exact_entry_goes_before_a_tail),
		RULE(of_several_tails_the_first_in_order_goes),
		RULE(an_entry_that_shrank_is_inserted_anew),
		RULE(freeing_nothing_is_invalid),
		RULE(a_page_has_the_type_of_the_first_entry_over_it),
		RULE(the_list_is_ordered_by_start_then_insertion),
		RULE(a_walk_sees_what_overlaps),
		RULE(an_ioremap_holds_a_type_of_whole_pages),
		RULE(an_ioremap_more_cached_than_asked_for_is_refused),
		RULE(wt_does_not_become_wc),
		RULE(an_ioremap_over_two_types_is_refused),
		RULE(ram_cannot_be_ioremapped),
		RULE(an_isa_ioremap_is_not_listed_but_can_be_unmapped),
		RULE(bad_arguments_of_ioremap_change_nothing),
		RULE(an_ioremap_without_memory_leaves_nothing),
		RULE(a_free_that_hits_an_ioremaps_entry_says_so),
		RULE(of_equal_entries_everyone_frees_his_own),
		cmocka_unit_test(on_arm64_nothing_is_reserved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
