/* SPDX-License-Identifier: GPL-2.0-only */
/* The buddy allocator, compound pages, references. */
#include "world.h"

#define RAM UINT64_C(0x40000000)
#define RAM_PFN (RAM >> 12)

static ms_pfn_t alloc(struct ms_machine *m, unsigned int order)
{
	ms_pfn_t pfn = 0;

	assert_true(ms_page_alloc(m, order, 0, &pfn));
	return pfn;
}

static struct ms_page *page(struct ms_machine *m, ms_pfn_t pfn)
{
	return ms_pfn_to_page(m, pfn);
}

/*  RAM |0|1|2|3|4|5|6|7|   pages, then the lowest block that is aligned, then pages again */
static void lowest_fitting_block_is_handed_out(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ram_add(m, RAM, 16 * 0x1000), 0);
	assert_int_equal(alloc(m, 0), RAM_PFN);
	assert_int_equal(alloc(m, 2), RAM_PFN + 4);
	assert_int_equal(alloc(m, 0), RAM_PFN + 1);
	assert_int_equal(alloc(m, 1), RAM_PFN + 2);
	assert_int_equal(alloc(m, 0), RAM_PFN + 8);
	assert_int_equal(ms_ram_free_pages(m), 16 - 9);
}

static void block_is_naturally_aligned_whatever_the_range(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ram_add(m, RAM + 0x1000, MS_1G), 0);
	for (unsigned int order = 0; order < MS_MAX_ORDER; order++)
		assert_int_equal(alloc(m, order) % (UINT64_C(1) << order), 0);
	assert_false(ms_page_alloc(m, MS_MAX_ORDER, 0, &(ms_pfn_t){ 0 }));
}

static void lower_range_is_used_first(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ram_add(m, RAM + MS_1G, 0x4000), 0);
	assert_int_equal(ms_ram_add(m, RAM, 0x2000), 0);
	assert_int_equal(alloc(m, 1), RAM_PFN);
	assert_int_equal(alloc(m, 0), RAM_PFN + 0x40000);
}

static void range_without_a_large_block_is_passed_over(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ram_add(m, RAM + 0x1000, 0x3000), 0);
	assert_int_equal(ms_ram_add(m, RAM + MS_1G, 0x4000), 0);
	assert_int_equal(alloc(m, 2), RAM_PFN + 0x40000);
	assert_int_equal(alloc(m, 1), RAM_PFN + 2);
	assert_int_equal(alloc(m, 0), RAM_PFN + 1);
}

static void nothing_is_left_when_every_page_is_held(void **state)
{
	struct ms_machine *m = *state;
	ms_pfn_t pfn;

	assert_int_equal(ms_ram_add(m, RAM, 0x3000), 0);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(alloc(m, 0), RAM_PFN + i);
	assert_false(ms_page_alloc(m, 0, 0, &pfn));
	assert_int_equal(ms_ram_free_pages(m), 0);
	ms_page_put(m, RAM_PFN + 1, 1);
	assert_int_equal(alloc(m, 0), RAM_PFN + 1);
}

static void order_beyond_the_largest_is_refused(void **state)
{
	struct ms_machine *m = *state;
	ms_pfn_t pfn;

	assert_int_equal(ms_ram_add(m, RAM, 4 * MS_1G), 0);
	assert_false(ms_page_alloc(m, MS_MAX_ORDER + 1, 0, &pfn));
	assert_false(ms_page_alloc(m, UINT32_MAX, 0, &pfn));
	assert_true(ms_page_alloc(m, MS_MAX_ORDER, 0, &pfn));
}

/*  free buddies of buddies become one block again  */
static void freed_buddies_merge(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ram_add(m, RAM, 4 * MS_1G), 0);
	for (unsigned int i = 0; i < 1024; i++)
		assert_int_equal(alloc(m, 0), RAM_PFN + i);
	for (unsigned int i = 0; i < 1024; i++)
		ms_page_put(m, RAM_PFN + (i * 33) % 1024, 1);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(alloc(m, MS_MAX_ORDER), RAM_PFN + i * 0x40000);
	assert_int_equal(ms_ram_free_pages(m), 0);
	for (unsigned int i = 0; i < 4; i++)
		ms_page_put(m, RAM_PFN + i * 0x40000, 1);
	assert_int_equal(ms_ram_free_pages(m), 4 * 0x40000);
	assert_int_equal(alloc(m, 0), RAM_PFN);
}

static void page_starts_with_one_reference_and_its_flags(void **state)
{
	struct ms_machine *m = *state;
	ms_pfn_t pfn;

	assert_int_equal(ms_ram_add(m, RAM, MS_2M), 0);
	assert_true(ms_page_alloc(m, 0, MS_PG_ANON | MS_PG_ANON_EXCLUSIVE, &pfn));
	assert_int_equal(page(m, pfn)->refcount, 1);
	assert_int_equal(page(m, pfn)->order, 0);
	assert_int_equal(page(m, pfn)->flags, MS_PG_ANON | MS_PG_ANON_EXCLUSIVE);
}

static void freed_page_forgets_all_but_its_memtype(void **state)
{
	struct ms_machine *m = *state;
	ms_pfn_t pfn;

	assert_int_equal(ms_ram_add(m, RAM, MS_2M), 0);
	assert_true(ms_page_alloc(m, 0, MS_PG_ANON, &pfn));
	page(m, pfn)->active = 2;
	page(m, pfn)->memtype = MS_CACHE_WC;
	ms_page_put(m, pfn, 1);
	assert_int_equal(page(m, pfn)->refcount, 0);
	assert_int_equal(page(m, pfn)->flags, 0);
	assert_int_equal(page(m, pfn)->active, 0);
	assert_int_equal(page(m, pfn)->memtype, MS_CACHE_WC);
}

static void compound_page_has_a_head_and_tails(void **state)
{
	struct ms_machine *m = *state;
	static const unsigned int orders[] = { 1, 4, 8, 9, 10, 13, 18 };

	assert_int_equal(ms_ram_add(m, RAM, 4 * MS_1G), 0);
	alloc(m, 0);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		uint64_t npages = UINT64_C(1) << orders[i];
		ms_pfn_t pfn;

		assert_true(ms_page_alloc(m, orders[i], MS_PG_ANON, &pfn));
		for (uint64_t at = 0; at < npages; at += npages / 2) {
			assert_int_equal(ms_page_head(m, pfn + at), pfn);
			assert_int_equal(page(m, pfn + at)->order, orders[i]);
			assert_int_equal(page(m, pfn + at)->flags,
					 at ? MS_PG_ANON | MS_PG_TAIL : MS_PG_ANON);
		}
		assert_int_equal(ms_page_head(m, pfn + npages - 1), pfn);
		assert_int_equal(ms_page_head(m, pfn + npages), pfn + npages);
		ms_page_put(m, pfn + npages - 1, 1);
		assert_int_equal(ms_page_head(m, pfn + npages - 1), pfn + npages - 1);
		assert_int_equal(page(m, pfn + npages - 1)->flags, 0);
	}
}

/* The frames of a 1G page are those of its head's section, until others are looked at. */
static void large_compound_page_makes_few_frames(void **state)
{
	struct ms_machine *m = *state;
	uint64_t allocs;

	assert_int_equal(ms_ram_add(m, RAM, 3 * MS_1G), 0);
	allocs = ms_machine_allocs(m);
	ms_page_put(m, alloc(m, MS_MAX_ORDER), 1);
	assert_true(ms_machine_allocs(m) - allocs <= 2);
}

static void references_are_kept_in_the_head(void **state)
{
	struct ms_machine *m = *state;
	ms_pfn_t pfn;

	assert_int_equal(ms_ram_add(m, RAM, 4 * MS_2M), 0);
	pfn = alloc(m, 9);
	ms_page_get(m, pfn + 7, 511);
	assert_int_equal(page(m, pfn)->refcount, 512);
	assert_int_equal(page(m, pfn + 7)->refcount, 0);
	ms_page_put(m, pfn + 300, 500);
	assert_int_equal(page(m, pfn)->refcount, 12);
	assert_int_equal(ms_ram_free_pages(m), 3 * 512);
	ms_page_put(m, pfn, 12);
	assert_int_equal(ms_ram_free_pages(m), 4 * 512);
}

static void put_without_a_reference_is_a_violation(void **state)
{
	struct ms_machine *m = *state;
	ms_pfn_t pfn;

	assert_int_equal(ms_ram_add(m, RAM, MS_2M), 0);
	pfn = alloc(m, 0);
	ms_page_put(m, pfn, 3);
	assert_int_equal(ms_trace_count(m, MS_EV_VIOLATION), 1);
	assert_int_equal(ms_trace_last(m, MS_EV_VIOLATION)->addr, pfn << 12);
	assert_int_equal(ms_ram_free_pages(m), 512);
	ms_page_put(m, pfn, 1);
	assert_int_equal(ms_trace_total(m, MS_EV_VIOLATION), 2);
	assert_int_equal(ms_trace_last(m, MS_EV_VIOLATION)->times, 2);
	assert_int_equal(ms_ram_free_pages(m), 512);
}

static void reference_count_that_overflows_is_a_violation(void **state)
{
	struct ms_machine *m = *state;
	ms_pfn_t pfn;

	assert_int_equal(ms_ram_add(m, RAM, MS_2M), 0);
	pfn = alloc(m, 0);
	ms_page_get(m, pfn, UINT32_MAX);
	assert_int_equal(ms_trace_count(m, MS_EV_VIOLATION), 1);
	assert_int_equal(page(m, pfn)->refcount, UINT32_MAX);
}

static void get_and_put_of_what_is_not_ram_do_nothing(void **state)
{
	struct ms_machine *m = *state;

	ms_page_get(m, 0x8000000, 1);
	ms_page_put(m, 0x8000000, 1);
	assert_int_equal(ms_trace_len(m), 0);
	assert_int_equal(ms_page_head(m, 0x8000000), 0x8000000);
}

/* A driver of the user's picks its page by number: nobody else may be given it. */
static void page_that_is_held_by_number_is_not_handed_out(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ram_add(m, RAM, 0x4000), 0);
	ms_page_get(m, RAM_PFN + 1, 1);
	ms_page_get(m, RAM_PFN + 1, 1);
	assert_int_equal(ms_ram_free_pages(m), 3);
	assert_int_equal(alloc(m, 0), RAM_PFN);
	assert_int_equal(alloc(m, 0), RAM_PFN + 2);
	assert_int_equal(alloc(m, 0), RAM_PFN + 3);
	ms_page_put(m, RAM_PFN + 1, 2);
	assert_int_equal(alloc(m, 0), RAM_PFN + 1);
}

static void page_held_by_number_splits_a_large_free_block(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ram_add(m, RAM, 2 * MS_1G), 0);
	ms_page_get(m, RAM_PFN + 0x12345, 1);
	assert_int_equal(alloc(m, MS_MAX_ORDER), RAM_PFN + 0x40000);
	assert_int_equal(alloc(m, 16), RAM_PFN);
	ms_page_put(m, RAM_PFN, 1);
	ms_page_put(m, RAM_PFN + 0x12345, 1);
	assert_int_equal(alloc(m, MS_MAX_ORDER), RAM_PFN);
}

static void x86_keeps_what_is_below_one_mib(void **state)
{
	struct ms_machine *m = *state;
	ms_pfn_t pfn;

	assert_int_equal(ms_ram_add(m, 0x1000, 0x9ec00), 0);
	assert_false(ms_page_alloc(m, 0, 0, &pfn));
	assert_int_equal(ms_ram_free_pages(m), 0);
	assert_int_equal(ms_ram_add(m, 0x100000, 0x2000), 0);
	assert_int_equal(alloc(m, 0), 0x100);
	assert_int_equal(alloc(m, 0), 0x101);
	assert_false(ms_page_alloc(m, 0, 0, &pfn));
}

static void x86_range_across_one_mib_is_used_from_there(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ram_add(m, 0, 0x200000), 0);
	assert_int_equal(ms_ram_free_pages(m), 0x100);
	assert_int_equal(alloc(m, 8), 0x100);
}

static void reserved_page_can_be_held_but_never_becomes_free(void **state)
{
	struct ms_machine *m = *state;
	ms_pfn_t pfn;

	assert_int_equal(ms_ram_add(m, 0x1000, 0x9e000), 0);
	ms_page_get(m, 0x10, 2);
	ms_page_put(m, 0x10, 2);
	assert_int_equal(ms_trace_len(m), 0);
	assert_int_equal(ms_ram_free_pages(m), 0);
	assert_false(ms_page_alloc(m, 0, 0, &pfn));
}

static void page_0_is_never_handed_out(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ram_add(m, 0, MS_2M), 0);
	assert_int_equal(ms_ram_free_pages(m), 511);
	assert_int_equal(alloc(m, 0), 1);
	assert_int_equal(alloc(m, 8), 256);
}

static void larger_pages_count_in_their_own_size(void **state)
{
	const struct ms_machine_config config = { .page_size = 16384 };
	struct ms_machine *m =
		ms_machine_new_config(ms_policy_linux("6.12.107", MS_ARCH_ARM64), &config);
	ms_pfn_t pfn;

	assert_int_equal(ms_ram_add(m, RAM, 3 * MS_1G), 0);
	assert_int_equal(ms_ram_free_pages(m), 3 * MS_1G / 16384);
	assert_true(ms_page_alloc(m, 11, 0, &pfn));
	assert_int_equal(pfn, RAM >> 14);
	ms_machine_free(m);
}

static void allocation_fails_cleanly_whichever_allocation_fails(void **state)
{
	static const unsigned int orders[] = { 0, 9, 18 };

	for (size_t i = 0; i < 3; i++) {
		struct ms_machine *m = machine_of(MS_ARCH_ARM64);
		uint64_t n = 0;
		bool done;

		assert_int_equal(ms_ram_add(m, RAM, MS_1G), 0);
		do {
			ms_pfn_t pfn;

			ms_machine_fail_alloc(m, ++n);
			done = ms_page_alloc(m, orders[i], 0, &pfn);
			if (!done)
				assert_int_equal(ms_ram_free_pages(m), 0x40000);
			else
				assert_int_equal(pfn, RAM_PFN);
		} while (!done);
		assert_int_equal(n, 3);
		ms_machine_free(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARM64(lowest_fitting_block_is_handed_out),
		ARM64(block_is_naturally_aligned_whatever_the_range),
		ARM64(lower_range_is_used_first),
		ARM64(range_without_a_large_block_is_passed_over),
		ARM64(nothing_is_left_when_every_page_is_held),
		ARM64(order_beyond_the_largest_is_refused),
		ARM64(freed_buddies_merge),
		ARM64(page_starts_with_one_reference_and_its_flags),
		ARM64(freed_page_forgets_all_but_its_memtype),
		ARM64(compound_page_has_a_head_and_tails),
		ARM64(large_compound_page_makes_few_frames),
		ARM64(references_are_kept_in_the_head),
		ARM64(put_without_a_reference_is_a_violation),
		ARM64(reference_count_that_overflows_is_a_violation),
		ARM64(get_and_put_of_what_is_not_ram_do_nothing),
		ARM64(page_that_is_held_by_number_is_not_handed_out),
		ARM64(page_held_by_number_splits_a_large_free_block),
		X86(x86_keeps_what_is_below_one_mib),
		X86(x86_range_across_one_mib_is_used_from_there),
		X86(reserved_page_can_be_held_but_never_becomes_free),
		ARM64(page_0_is_never_handed_out),
		cmocka_unit_test(larger_pages_count_in_their_own_size),
		cmocka_unit_test(allocation_fails_cleanly_whichever_allocation_fails),
	};

	return cmocka_run_group_tests_name("buddy", tests, NULL, NULL);
}
