/* SPDX-License-Identifier: GPL-2.0-only */
/* ioremap, and whose entry it is that a free hits. */
#include "memtype.h"

/* ---- ioremap ---- */

/*
 *  pages    |       |       |
 *  ioremap      [------)
 *  held     [UC------------)
 */
static void an_ioremap_holds_a_type_of_whole_pages(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ioremap(m, HIGH + 0x800, 0x1000, MS_CACHE_UC_MINUS), 0);
	assert_entry(m, 0, HIGH, HIGH + 0x2000, MS_CACHE_UC_MINUS);
	assert_int_equal(granted(m, HIGH, HIGH + 0x1000, MS_CACHE_WC), MS_CACHE_UC_MINUS);
	assert_int_equal(ms_iounmap(m, HIGH + 0x800, 0x1000), 0);
	assert_int_equal(memtypes(m), 1);
}

static void an_ioremap_more_cached_than_asked_for_is_refused(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x1000, MS_CACHE_WB);
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_UC_MINUS), -ENOMEM);
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_WC), -ENOMEM);
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_WT), -ENOMEM);
	assert_logged(m, "ioremap error: another type is held", HIGH, 0x1000);
	assert_int_equal(memtypes(m), 1);
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

/*
 *  held     [WC--)[UC--)
 *  ioremap  [WC--------)    -ENOMEM
 */
static void an_ioremap_over_two_types_is_refused(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x1000, MS_CACHE_WC);
	hold(m, HIGH + 0x1000, HIGH + 0x2000, MS_CACHE_UC);
	assert_int_equal(ms_ioremap(m, HIGH, 0x2000, MS_CACHE_WC), -ENOMEM);
	assert_int_equal(memtypes(m), 2);
	assert_logged(m, "ioremap memtype_reserve failed", HIGH, 0x2000);
}

static void ram_cannot_be_ioremapped(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ioremap(m, RAM, 0x1000, MS_CACHE_WB), -ENOMEM);
	assert_int_equal(ms_ioremap(m, 0x2000, 0x1000, MS_CACHE_WB), -ENOMEM);
	assert_int_equal(ms_trace_count(m, MS_EV_VIOLATION), 2);
	assert_int_equal(ms_trace_count(m, MS_EV_PAT_RESERVE), 0);
}

/*
 *  memory  page 0|RAM   ...   |page 0xff|RAM
 *  may     [-----)             [--------)
 *  not     [------)            [---------)
 */
static void an_ioremap_may_end_where_ram_begins(void **state)
{
	struct ms_machine *m = *state;

	// RAM [0x1000, 0x9f000) and from 1M on
	assert_int_equal(ms_ioremap(m, 0, 0x1000, MS_CACHE_UC_MINUS), 0);
	assert_int_equal(ms_ioremap(m, 0xff000, 0x1000, MS_CACHE_WB), 0);
	assert_int_equal(ms_ioremap(m, 0xff000, 0x1001, MS_CACHE_WB), -ENOMEM);
	assert_int_equal(ms_ioremap(m, 0, 0x1001, MS_CACHE_UC_MINUS), -ENOMEM);
	assert_int_equal(ms_trace_count(m, MS_EV_VIOLATION), 2);
}

static void an_ioremap_may_end_where_physical_addresses_end(void **state)
{
	struct ms_machine *m = *state;
	ms_pa_t end = UINT64_C(1) << ms_machine_config(m)->pa_bits;

	assert_int_equal(ms_ioremap(m, end - 0x1000, 0x1000, MS_CACHE_UC_MINUS), 0);
	assert_int_equal(ms_ioremap(m, end - 0x1000, 0x1001, MS_CACHE_UC_MINUS), -ENOMEM);
	assert_int_equal(ms_ioremap(m, end, 1, MS_CACHE_UC_MINUS), -ENOMEM);
	assert_int_equal(ms_ioremap(m, UINT64_MAX, 1, MS_CACHE_UC_MINUS), -ENOMEM);
	assert_int_equal(ms_trace_count(m, MS_EV_VIOLATION), 3);
	assert_string_equal(ms_trace_last(m, MS_EV_VIOLATION)->reason,
			    "ioremap: invalid physical address");
	assert_int_equal(memtypes(m), 1);
}

static void an_ioremap_of_one_byte_holds_its_page(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ioremap(m, HIGH + 0x800, 1, MS_CACHE_WC), 0);
	assert_entry(m, 0, HIGH, HIGH + 0x1000, MS_CACHE_WC);
	assert_int_equal(ms_iounmap(m, HIGH + 0x800, 0), -EINVAL);
	assert_int_equal(ms_iounmap(m, HIGH + 0x800, 1), 0);
	assert_int_equal(memtypes(m), 0);
}

static void without_pat_nothing_keeps_ioremaps_from_two_types(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_WC), 0);
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_UC_MINUS), 0);
	assert_int_equal(memtypes(m), 0);
	assert_int_equal(ms_memtype_aliases(m, NULL, NULL), 1);
	assert_int_equal(ms_iounmap(m, HIGH, 0x1000), 0);
	assert_int_equal(ms_memtype_aliases(m, NULL, NULL), 0);
}

/* memtype_free() again, of what is on no list */
static void an_isa_ioremap_without_memory_is_freed_again(void **state)
{
	struct ms_machine *m = *state;

	// an event, so that the trace has its memory
	assert_int_equal(granted(m, 0xc0000, 0xc1000, MS_CACHE_WB), MS_CACHE_WB);
	ms_machine_fail_alloc(m, 1);
	assert_int_equal(ms_ioremap(m, 0xc0000, 0x1000, MS_CACHE_UC_MINUS), -ENOMEM);
	assert_int_equal(ms_trace_count(m, MS_EV_PAT_FREE), 1);
	assert_int_equal(ms_iounmap(m, 0xc0000, 0x1000), -EINVAL);
}

static void an_isa_ioremap_is_not_listed_but_can_be_unmapped(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ioremap(m, 0xc0000, 0x1000, MS_CACHE_UC_MINUS), 0);
	assert_int_equal(memtypes(m), 0);
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
	assert_int_equal(memtypes(m), 0);
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
		assert_int_equal(memtypes(m), err ? 0 : 1);
		if (err)
			assert_int_equal(err, -ENOMEM);
	} while (err);
	assert_true(n > 1);
	assert_int_equal(ms_memtype_leaks(m, NULL, NULL), 0);
}

/* ---- whose is it ---- */

/*
 *  ioremap  [UC------------)
 *  freed                [--)    by somebody else: the entry loses its tail
 *  iounmap  [--------------)    finds no such entry, and leaves the rest behind
 */
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
	// and what it left is anyone's to free
	assert_int_equal(ms_memtype_free(m, HIGH, HIGH + 0x7000), 0);
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_FREE)->reason, "someone else's entry");
	assert_int_equal(memtypes(m), 0);
}

static void a_free_of_nobodys_takes_nobodys_of_equal_entries(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_UC_MINUS), 0);
	hold(m, HIGH, HIGH + 0x1000, MS_CACHE_UC_MINUS);
	assert_int_equal(ms_memtype_free(m, HIGH, HIGH + 0x1000), 0);
	assert_null(ms_trace_last(m, MS_EV_PAT_FREE)->reason);
	assert_int_equal(ms_iounmap(m, HIGH, 0x1000), 0);
	assert_null(ms_trace_last(m, MS_EV_PAT_FREE)->reason);
	assert_int_equal(memtypes(m), 0);
}

/*
 *  held     [1------)
 *           [2--)
 *           [3--)
 *  ioremap  [4--)
 *  iounmap  [---)       takes 4: not the first that equals it, nor what only begins there
 */
static void ones_own_entry_is_found_among_many_equal_ones(void **state)
{
	struct ms_machine *m = *state;

	hold(m, HIGH, HIGH + 0x2000, MS_CACHE_WC);
	hold(m, HIGH, HIGH + 0x1000, MS_CACHE_WC);
	hold(m, HIGH, HIGH + 0x1000, MS_CACHE_WC);
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_WC), 0);
	assert_int_equal(ms_iounmap(m, HIGH, 0x1000), 0);
	assert_null(ms_trace_last(m, MS_EV_PAT_FREE)->reason);
	assert_int_equal(memtypes(m), 3);
}

/*
 *  before   [1------)    the ioremap's
 *           [2------)    somebody's
 *  freed        [---)    by somebody: 1 loses its tail
 *  after    [2------)
 *           [1--)        behind 2 now
 *  iounmap  [-------)    takes 2
 */
static void an_entry_that_shrank_is_no_equal_any_more(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ioremap(m, HIGH, 0x2000, MS_CACHE_WC), 0);
	hold(m, HIGH, HIGH + 0x2000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH + 0x1000, HIGH + 0x2000), 0);
	assert_entry(m, 0, HIGH, HIGH + 0x2000, MS_CACHE_WC);
	assert_entry(m, 1, HIGH, HIGH + 0x1000, MS_CACHE_WC);
	assert_int_equal(ms_iounmap(m, HIGH, 0x2000), 0);
	assert_string_equal(ms_trace_last(m, MS_EV_PAT_FREE)->reason,
			    "someone else's entry; a reservation is left behind");
	assert_int_equal(ms_memtype_leaks(m, NULL, NULL), 1);
}

static void page_0_can_be_left_behind_too(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ioremap(m, 0, 0x1000, MS_CACHE_WC), 0);
	assert_int_equal(ms_memtype_free(m, 0x800, 0x1000), 0);
	assert_entry(m, 0, 0, 0x800, MS_CACHE_WC);
	assert_int_equal(ms_iounmap(m, 0, 0x1000), 0);
	assert_int_equal(ms_memtype_leaks(m, NULL, NULL), 1);
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
	assert_int_equal(memtypes(m), 0);
}

static void on_arm64_nothing_is_reserved(void **state)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_ARM64));
	enum ms_cache got;

	assert_int_equal(ms_memtype_reserve(m, HIGH, HIGH + 0x1000, MS_CACHE_WC, &got), 0);
	assert_int_equal(got, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(m, HIGH, HIGH + 0x1000), 0);
	assert_int_equal(ms_ioremap(m, HIGH, 0x1000, MS_CACHE_NGNRE), 0);
	assert_int_equal(ms_iounmap(m, HIGH, 0), -EINVAL);
	assert_int_equal(ms_iounmap(m, UINT64_MAX, 2), -EINVAL);
	assert_int_equal(ms_iounmap(m, UINT64_MAX, 1), 0);
	assert_int_equal(ms_iounmap(m, HIGH, 1), 0);
	assert_int_equal(ms_iounmap(m, HIGH, 0x1000), 0);
	assert_int_equal(memtypes(m), 0);
	assert_int_equal(ms_trace_len(m), 0);
	ms_machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RULE(an_ioremap_holds_a_type_of_whole_pages),
		RULE(an_ioremap_more_cached_than_asked_for_is_refused),
		RULE(wt_does_not_become_wc),
		RULE(an_ioremap_over_two_types_is_refused),
		RULE(ram_cannot_be_ioremapped),
		RULE(an_ioremap_may_end_where_ram_begins),
		RULE(an_ioremap_may_end_where_physical_addresses_end),
		RULE(an_ioremap_of_one_byte_holds_its_page),
		cmocka_unit_test_setup_teardown(without_pat_nothing_keeps_ioremaps_from_two_types,
						setup_off, teardown),
		RULE(an_isa_ioremap_without_memory_is_freed_again),
		RULE(an_isa_ioremap_is_not_listed_but_can_be_unmapped),
		RULE(bad_arguments_of_ioremap_change_nothing),
		RULE(an_ioremap_without_memory_leaves_nothing),
		RULE(a_free_that_hits_an_ioremaps_entry_says_so),
		RULE(a_free_of_nobodys_takes_nobodys_of_equal_entries),
		RULE(ones_own_entry_is_found_among_many_equal_ones),
		RULE(an_entry_that_shrank_is_no_equal_any_more),
		RULE(page_0_can_be_left_behind_too),
		RULE(of_equal_entries_everyone_frees_his_own),
		cmocka_unit_test(on_arm64_nothing_is_reserved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
