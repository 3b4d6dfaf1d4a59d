/* SPDX-License-Identifier: GPL-2.0-only */
/* Ranges of System RAM, and what pat_pagerange_is_ram sees of them. */
#include "world.h"

static void ram_is_valid_inside_of_its_range(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ram_add(m, 0x40000000, 0x3000), 0);
	assert_false(ms_pfn_is_ram(m, 0x3ffff));
	assert_true(ms_pfn_is_ram(m, 0x40000));
	assert_true(ms_pfn_is_ram(m, 0x40002));
	assert_false(ms_pfn_is_ram(m, 0x40003));
	assert_false(ms_pfn_is_ram(m, UINT64_MAX));
	assert_int_equal(ms_ram_free_pages(m), 3);
}

static void machine_has_no_ram_at_first(void **state)
{
	struct ms_machine *m = *state;

	assert_false(ms_pfn_is_ram(m, 0));
	assert_int_equal(ms_ram_free_pages(m), 0);
	assert_null(ms_pfn_to_page(m, 0x40000));
}

/*
 *   0x1000              0x9f000 0x9fc00
 *     |--------RAM---------|......|      a part of a page is no RAM
 */
static void ram_is_shrunk_to_whole_pages(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ram_add(m, 0x40000800, 0x2c00), 0);
	assert_false(ms_pfn_is_ram(m, 0x40000));
	assert_true(ms_pfn_is_ram(m, 0x40001));
	assert_true(ms_pfn_is_ram(m, 0x40002));
	assert_false(ms_pfn_is_ram(m, 0x40003));
	assert_int_equal(ms_ram_add(m, 0x1000, 0x9ec00), 0);
	assert_true(ms_pfn_is_ram(m, 0x9e));
	assert_false(ms_pfn_is_ram(m, 0x9f));
}

static void ram_without_a_whole_page_is_invalid(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ram_add(m, 0x40000000, 0), -EINVAL);
	assert_int_equal(ms_ram_add(m, 0x40000000, 0xfff), -EINVAL);
	assert_int_equal(ms_ram_add(m, 0x40000800, 0x1000), -EINVAL);
	assert_false(ms_pfn_is_ram(m, 0x40000));
}

static void ram_beyond_the_physical_address_bits_is_invalid(void **state)
{
	struct ms_machine *m = *state;
	uint64_t limit = UINT64_C(1) << 48;

	assert_int_equal(ms_ram_add(m, limit, 0x1000), -EINVAL);
	assert_int_equal(ms_ram_add(m, limit - 0x1000, 0x2000), -EINVAL);
	assert_int_equal(ms_ram_add(m, UINT64_MAX - 0xfff, 0x2000), -EINVAL);
	assert_int_equal(ms_ram_add(m, 0x1000, UINT64_MAX), -EINVAL);
	assert_int_equal(ms_ram_add(m, limit - 0x1000, 0x1000), 0);
}

/*
 *          0x40001000   0x40003000
 *               |--RAM--|
 *   |---|                          refused: any of these pages
 *         |---------|
 *                 |-|
 *   |----------------------|
 *   |-----------|       |---|      taken: touching is not overlapping
 */
static void overlapping_ram_exists_already(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ram_add(m, 0x40001000, 0x2000), 0);
	assert_int_equal(ms_ram_add(m, 0x40001000, 0x2000), -EEXIST);
	assert_int_equal(ms_ram_add(m, 0x40000000, 0x2000), -EEXIST);
	assert_int_equal(ms_ram_add(m, 0x40002000, 0x2000), -EEXIST);
	assert_int_equal(ms_ram_add(m, 0x40000000, 0x10000), -EEXIST);
	assert_int_equal(ms_ram_free_pages(m), 2);
	assert_int_equal(ms_ram_add(m, 0x40000000, 0x1000), 0);
	assert_int_equal(ms_ram_add(m, 0x40003000, 0x1000), 0);
	assert_int_equal(ms_ram_free_pages(m), 4);
}

static void ram_over_a_device_exists_already(void **state)
{
	struct ms_machine *m = *state;

	assert_non_null(ms_device_add(m, "bar", 0x40001000, 0x800));
	assert_int_equal(ms_ram_add(m, 0x40000000, 0x2000), -EEXIST);
	assert_int_equal(ms_ram_add(m, 0x40001000, 0x1000), -EEXIST);
	assert_int_equal(ms_ram_add(m, 0x40000000, 0x1000), 0);
	assert_int_equal(ms_ram_add(m, 0x40002000, 0x1000), 0);
}

static void ranges_may_come_in_any_order(void **state)
{
	struct ms_machine *m = *state;

	// every third page, from both ends and the middle
	for (uint64_t i = 0; i < 50; i++) {
		uint64_t page = 3 * (i % 2 ? 99 - i : i * 37 % 50);

		if (!ms_pfn_is_ram(m, 0x40000 + page))
			assert_int_equal(ms_ram_add(m, (0x40000 + page) << 12, 0x1000), 0);
	}
	for (uint64_t i = 0; i < 50; i++) {
		uint64_t page = 3 * (i % 2 ? 99 - i : i * 37 % 50);

		assert_true(ms_pfn_is_ram(m, 0x40000 + page));
		assert_false(ms_pfn_is_ram(m, 0x40000 + page + 1));
		assert_non_null(ms_pfn_to_page(m, 0x40000 + page));
		assert_null(ms_pfn_to_page(m, 0x40000 + page + 1));
	}
}

static void ram_is_not_added_whichever_allocation_fails(void **state)
{
	struct ms_machine *m = *state;
	uint64_t n = 0, live = m->alloc.live;
	int err;

	do {
		ms_machine_fail_alloc(m, ++n);
		err = ms_ram_add(m, 0x40000000, MS_1G);
		if (err) {
			assert_int_equal(err, -ENOMEM);
			assert_false(ms_pfn_is_ram(m, 0x40000));
			assert_int_equal(ms_ram_free_pages(m), 0);
			// the array of ranges may have been made before the failure; nothing else
			assert_true(m->alloc.live <= live + 1);
		}
	} while (err);
	assert_true(n > 2);
	ms_machine_fail_alloc(m, 0);
	assert_true(ms_pfn_is_ram(m, 0x40000));
}

static void page_frames_keep_what_is_written_to_them(void **state)
{
	struct ms_machine *m = *state;
	struct ms_page *page;

	assert_int_equal(ms_ram_add(m, 0x40000000, 4 * MS_1G), 0);
	for (ms_pfn_t pfn = 0x40000; pfn < 0x140000; pfn += 0x3fff)
		ms_pfn_to_page(m, pfn)->memtype = (uint8_t)pfn;
	for (ms_pfn_t pfn = 0x40000; pfn < 0x140000; pfn += 0x3fff) {
		page = ms_pfn_to_page(m, pfn);
		assert_int_equal(page->memtype, (uint8_t)pfn);
		assert_int_equal(page->refcount, 0);
	}
}

static void frame_without_memory_is_null(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ram_add(m, 0x40000000, MS_1G), 0);
	for (uint64_t n = 1; n <= 2; n++) {
		ms_machine_fail_alloc(m, 1);
		assert_null(ms_pfn_to_page(m, 0x40000 + 0x200 * n));
		ms_machine_fail_alloc(m, 2);
		ms_pfn_to_page(m, 0x40000 + 0x200 * n);
		ms_machine_fail_alloc(m, 0);
		assert_non_null(ms_pfn_to_page(m, 0x40000 + 0x200 * n));
	}
}

static void frames_are_made_only_where_they_are_looked_at(void **state)
{
	struct ms_machine *m = *state;
	uint64_t allocs;

	assert_int_equal(ms_ram_add(m, UINT64_C(1) << 40, UINT64_C(1) << 40), 0);
	allocs = ms_machine_allocs(m);
	assert_true(allocs < 20);
	assert_non_null(ms_pfn_to_page(m, UINT64_C(1) << 28));
	assert_int_equal(ms_machine_allocs(m), allocs + 2);
	assert_non_null(ms_pfn_to_page(m, (UINT64_C(1) << 28) + 511));
	assert_int_equal(ms_machine_allocs(m), allocs + 2);
	assert_non_null(ms_pfn_to_page(m, (UINT64_C(1) << 28) + 512));
	assert_int_equal(ms_machine_allocs(m), allocs + 3);
}

/*
 *   0x10000        0x12000         0x100000       0x101000
 *      |-----RAM------|       hole      |-----RAM-----|
 */
static void any_page_of_ram_is_found_wherever_it_is(void **state)
{
	struct ms_machine *m = *state;

	assert_false(ms_range_has_ram(m, 0, UINT64_C(1) << 40));
	assert_int_equal(ms_ram_add(m, 0x10000, 0x2000), 0);
	assert_int_equal(ms_ram_add(m, 0x100000, 0x1000), 0);
	assert_false(ms_range_has_ram(m, 0xf000, 0x10000));
	assert_true(ms_range_has_ram(m, 0xf000, 0x10001));
	assert_true(ms_range_has_ram(m, 0x11fff, 0x20000));
	assert_false(ms_range_has_ram(m, 0x12000, 0x100000));
	assert_true(ms_range_has_ram(m, 0x12000, 0x200000));
	assert_false(ms_range_has_ram(m, 0x101000, UINT64_C(1) << 40));
}

/* ---- pat_pagerange_is_ram ---- */

/*
 *   0x1000   0x9f000   0x100000      0x200000       0x300000      0x400000
 *     |--RAM--|           |-----RAM-----|               |----RAM-----|
 */
static void add_pc_ram(struct ms_machine *m)
{
	assert_int_equal(ms_ram_add(m, 0x1000, 0x9ec00), 0);
	assert_int_equal(ms_ram_add(m, 0x100000, 0x100000), 0);
	assert_int_equal(ms_ram_add(m, 0x300000, 0x100000), 0);
}

static void range_without_ram_is_not_ram(void **state)
{
	struct ms_machine *m = *state;

	add_pc_ram(m);
	assert_int_equal(ms_pagerange_is_ram(m, 0x200000, 0x300000), 0);
	assert_int_equal(ms_pagerange_is_ram(m, 0x400000, 0x500000), 0);
}

static void range_inside_of_ram_is_ram(void **state)
{
	struct ms_machine *m = *state;

	add_pc_ram(m);
	assert_int_equal(ms_pagerange_is_ram(m, 0x100000, 0x200000), 1);
	assert_int_equal(ms_pagerange_is_ram(m, 0x180000, 0x181000), 1);
	assert_int_equal(ms_pagerange_is_ram(m, 0x180800, 0x180801), 1);
}

static void hole_before_ram_makes_the_range_mixed(void **state)
{
	struct ms_machine *m = *state;

	add_pc_ram(m);
	assert_int_equal(ms_pagerange_is_ram(m, 0x2ff000, 0x301000), -1);
	assert_int_equal(ms_pagerange_is_ram(m, 0x1ff000, 0x301000), -1);
}

static void hole_behind_ram_is_not_seen(void **state)
{
	struct ms_machine *m = *state;

	add_pc_ram(m);
	assert_int_equal(ms_pagerange_is_ram(m, 0x1ff000, 0x201000), 1);
	assert_int_equal(ms_pagerange_is_ram(m, 0x3ff000, 0x800000), 1);
}

static void pages_below_one_mib_are_not_ram_to_it(void **state)
{
	struct ms_machine *m = *state;

	add_pc_ram(m);
	assert_true(ms_pfn_is_ram(m, 0x10));
	assert_int_equal(ms_pagerange_is_ram(m, 0x10000, 0x11000), 0);
	assert_int_equal(ms_pagerange_is_ram(m, 0x1000, 0x100000), 0);
}

static void range_from_below_one_mib_into_ram_is_mixed(void **state)
{
	struct ms_machine *m = *state;

	add_pc_ram(m);
	assert_int_equal(ms_pagerange_is_ram(m, 0xff000, 0x101000), -1);
}

static void touching_ranges_of_ram_have_no_hole(void **state)
{
	struct ms_machine *m = *state;

	add_pc_ram(m);
	assert_int_equal(ms_ram_add(m, 0x200000, 0x100000), 0);
	assert_int_equal(ms_pagerange_is_ram(m, 0x100000, 0x400000), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARM64(ram_is_valid_inside_of_its_range),
		ARM64(machine_has_no_ram_at_first),
		ARM64(ram_is_shrunk_to_whole_pages),
		ARM64(ram_without_a_whole_page_is_invalid),
		ARM64(ram_beyond_the_physical_address_bits_is_invalid),
		ARM64(overlapping_ram_exists_already),
		ARM64(ram_over_a_device_exists_already),
		ARM64(ranges_may_come_in_any_order),
		ARM64(ram_is_not_added_whichever_allocation_fails),
		ARM64(page_frames_keep_what_is_written_to_them),
		ARM64(frame_without_memory_is_null),
		ARM64(frames_are_made_only_where_they_are_looked_at),
		X86(any_page_of_ram_is_found_wherever_it_is),
		X86(range_without_ram_is_not_ram),
		X86(range_inside_of_ram_is_ram),
		X86(hole_before_ram_makes_the_range_mixed),
		X86(hole_behind_ram_is_not_seen),
		X86(pages_below_one_mib_are_not_ram_to_it),
		X86(range_from_below_one_mib_into_ram_is_mixed),
		X86(touching_ranges_of_ram_have_no_hole),
	};

	return cmocka_run_group_tests_name("ranges", tests, NULL, NULL);
}
