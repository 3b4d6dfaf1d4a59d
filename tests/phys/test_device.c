/* SPDX-License-Identifier: GPL-2.0-only */
/* MMIO devices, and what the MTRRs say. */
#include "world.h"

static void device_knows_what_it_was_made_of(void **state)
{
	struct ms_machine *m = *state;
	char name[] = "gpu";
	struct ms_device *dev = ms_device_add(m, name, 0x8000000000, 0x4000);

	name[0] = 'x';
	assert_string_equal(ms_device_name(dev), "gpu");
	assert_int_equal(ms_device_pa(dev), 0x8000000000);
	assert_int_equal(ms_device_size(dev), 0x4000);
	assert_ptr_equal(ms_device_machine(dev), m);
	assert_true(ms_device_prefetchable(dev));
	ms_device_set_prefetchable(dev, false);
	assert_false(ms_device_prefetchable(dev));
}

static void device_is_found_by_name(void **state)
{
	struct ms_machine *m = *state;
	struct ms_device *a = ms_device_add(m, "a", 0x8000000000, 0x1000);
	struct ms_device *b = ms_device_add(m, "b", 0x9000000000, 0x1000);

	assert_ptr_equal(ms_device_find(m, "a"), a);
	assert_ptr_equal(ms_device_find(m, "b"), b);
	assert_null(ms_device_find(m, "c"));
	assert_null(ms_device_find(m, ""));
	assert_null(ms_device_find(m, NULL));
}

static void device_is_found_by_any_of_its_bytes(void **state)
{
	struct ms_machine *m = *state;
	struct ms_device *b = ms_device_add(m, "b", 0x9000000000, 0x1800);
	struct ms_device *a = ms_device_add(m, "a", 0x8000000000, 0x1000);

	assert_ptr_equal(ms_device_at(m, 0x8000000000), a);
	assert_ptr_equal(ms_device_at(m, 0x8000000fff), a);
	assert_null(ms_device_at(m, 0x8000001000));
	assert_null(ms_device_at(m, 0x7fffffffff));
	assert_ptr_equal(ms_device_at(m, 0x90000017ff), b);
	assert_null(ms_device_at(m, 0x9000001800));
}

static void devices_are_listed_in_order_of_creation(void **state)
{
	struct ms_machine *m = *state;
	struct ms_device *b = ms_device_add(m, "b", 0x9000000000, 0x1000);
	struct ms_device *a = ms_device_add(m, "a", 0x8000000000, 0x1000);

	assert_ptr_equal(ms_device_next(m, NULL), b);
	assert_ptr_equal(ms_device_next(m, b), a);
	assert_null(ms_device_next(m, a));
}

static void device_range_must_be_one(void **state)
{
	struct ms_machine *m = *state;
	uint64_t limit = UINT64_C(1) << 48;

	assert_null(ms_device_add(m, "empty", 0x8000000000, 0));
	assert_null(ms_device_add(m, "wraps", 0x8000000000, UINT64_MAX));
	assert_null(ms_device_add(m, "beyond", limit - 0x1000, 0x2000));
	assert_null(ms_device_add(m, "far", limit, 0x1000));
	assert_null(ms_device_next(m, NULL));
	assert_non_null(ms_device_add(m, "last", limit - 0x1000, 0x1000));
}

static void device_name_is_its_own(void **state)
{
	struct ms_machine *m = *state;

	assert_non_null(ms_device_add(m, "a", 0x8000000000, 0x1000));
	assert_null(ms_device_add(m, "a", 0x9000000000, 0x1000));
	assert_null(ms_device_add(m, NULL, 0x9000000000, 0x1000));
}

/*
 *        0x8000001000     0x8000003000
 *             |----- a -----|
 *     |---------|                        refused
 *                |-----|
 *                         |-----|
 *     |-------|             |-----|      taken
 */
static void devices_do_not_overlap(void **state)
{
	struct ms_machine *m = *state;

	assert_non_null(ms_device_add(m, "a", 0x8000001000, 0x2000));
	assert_null(ms_device_add(m, "b", 0x8000000000, 0x1001));
	assert_null(ms_device_add(m, "b", 0x8000001800, 0x10));
	assert_null(ms_device_add(m, "b", 0x8000002fff, 0x1000));
	assert_null(ms_device_add(m, "b", 0x8000000000, 0x10000));
	assert_non_null(ms_device_add(m, "b", 0x8000000000, 0x1000));
	assert_non_null(ms_device_add(m, "c", 0x8000003000, 0x1000));
}

static void device_does_not_overlap_ram(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ram_add(m, 0x40001000, 0x1000), 0);
	assert_null(ms_device_add(m, "a", 0x40001800, 0x10));
	assert_null(ms_device_add(m, "a", 0x40000000, 0x1001));
	assert_null(ms_device_add(m, "a", 0x40001fff, 0x10));
	assert_non_null(ms_device_add(m, "a", 0x40000000, 0x1000));
	assert_non_null(ms_device_add(m, "b", 0x40002000, 0x1000));
}

static void device_is_not_added_whichever_allocation_fails(void **state)
{
	struct ms_machine *m = *state;
	uint64_t n = 0, live = m->alloc.live;
	struct ms_device *dev;

	do {
		ms_machine_fail_alloc(m, ++n);
		dev = ms_device_add(m, "a", 0x8000000000, 0x1000);
		if (!dev) {
			assert_null(ms_device_find(m, "a"));
			assert_null(ms_device_at(m, 0x8000000000));
			assert_int_equal(m->alloc.live, live);
		}
	} while (!dev);
	ms_machine_fail_alloc(m, 0);
	assert_int_equal(n, 3);
}

/* ---- MTRRs ---- */

static void bar_above_4_gib_is_wb_and_below_uc(void **state)
{
	struct ms_machine *m = *state;

	ms_device_add(m, "high", 0x180000000, 0x2000);
	ms_device_add(m, "low", 0xfea00000, 0x2000);
	assert_int_equal(ms_mtrr_type(m, 0x180000000, 0x180002000), MS_CACHE_WB);
	assert_int_equal(ms_mtrr_type(m, 0xfea00000, 0xfea02000), MS_CACHE_UC);
}

static void mtrr_type_of_a_bar_can_be_set(void **state)
{
	struct ms_machine *m = *state;
	struct ms_device *dev = ms_device_add(m, "bar", 0x180000000, 0x2000);
	static const enum ms_cache types[] = { MS_CACHE_UC, MS_CACHE_WC, MS_CACHE_WT, MS_CACHE_WP,
					       MS_CACHE_WB };

	for (size_t i = 0; i < 5; i++) {
		ms_device_set_mtrr(dev, types[i]);
		assert_int_equal(ms_mtrr_type(m, 0x180001000, 0x180002000), types[i]);
	}
	ms_device_set_mtrr(dev, -1);
	assert_int_equal(ms_mtrr_type(m, 0x180001000, 0x180002000), -1);
}

static void no_mtrr_says_uc_minus(void **state)
{
	struct ms_machine *m = *state;
	struct ms_device *dev = ms_device_add(m, "bar", 0x180000000, 0x2000);

	ms_device_set_mtrr(dev, MS_CACHE_UC_MINUS);
	assert_int_equal(ms_mtrr_type(m, 0x180000000, 0x180001000), -1);
}

static void ram_is_wb(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_ram_add(m, 0x100000, 0x100000), 0);
	assert_int_equal(ms_mtrr_type(m, 0x100000, 0x200000), MS_CACHE_WB);
}

/*
 *   0        640K      768K    1M              3G        4G
 *   |-- WB --|-- UC --|-- WP --|----- WB ------|-- UC --|--- WB
 */
static void what_is_neither_is_as_firmware_has_it(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_mtrr_type(m, 0x9f000, 0xa0000), MS_CACHE_WB);
	assert_int_equal(ms_mtrr_type(m, 0xa0000, 0xc0000), MS_CACHE_UC);
	assert_int_equal(ms_mtrr_type(m, 0xc0000, 0x100000), MS_CACHE_WP);
	assert_int_equal(ms_mtrr_type(m, 0x9f000, 0xa1000), -1);
	assert_int_equal(ms_mtrr_type(m, 0x80000000, 0xc0000000), MS_CACHE_WB);
	assert_int_equal(ms_mtrr_type(m, 0xc0000000, 0xc0001000), MS_CACHE_UC);
	assert_int_equal(ms_mtrr_type(m, 0x200000000, 0x200001000), MS_CACHE_WB);
	assert_int_equal(ms_mtrr_type(m, 0xfffff000, 0x100001000), -1);
}

/*
 *      |---- UC ----|                  of what nobody covers: WB
 *           |- WC -|                   the later one counts
 */
static void ranges_that_were_added_replace_firmwares(void **state)
{
	struct ms_machine *m = *state;

	assert_int_equal(ms_mtrr_add(m, 0x80000000, 0x4000, MS_CACHE_UC), 0);
	assert_int_equal(ms_mtrr_add(m, 0x80001000, 0x2000, MS_CACHE_WC), 0);
	assert_int_equal(ms_mtrr_type(m, 0x80000000, 0x80001000), MS_CACHE_UC);
	assert_int_equal(ms_mtrr_type(m, 0x80001000, 0x80003000), MS_CACHE_WC);
	assert_int_equal(ms_mtrr_type(m, 0x80003000, 0x80004000), MS_CACHE_UC);
	assert_int_equal(ms_mtrr_type(m, 0x80002000, 0x80004000), -1);
	assert_int_equal(ms_mtrr_type(m, 0x7ffff000, 0x80001000), -1);
	assert_int_equal(ms_mtrr_type(m, 0xc0000000, 0xc0001000), MS_CACHE_WB);
	assert_int_equal(ms_mtrr_add(m, 0, 0, MS_CACHE_UC), -EINVAL);
	assert_int_equal(ms_mtrr_add(m, UINT64_MAX, 2, MS_CACHE_UC), -EINVAL);
	assert_int_equal(ms_mtrr_add(m, 0, 0x1000, MS_CACHE_UC_MINUS), -EINVAL);
	assert_int_equal(ms_mtrr_add(m, 0, 0x1000, MS_CACHE_NGNRE), -EINVAL);
}

static void a_bar_is_as_the_ranges_say_unless_it_was_set(void **state)
{
	struct ms_machine *m = *state;
	struct ms_device *dev = ms_device_add(m, "bar", 0x80000000, 0x1000);

	assert_int_equal(ms_mtrr_type(m, 0x80000000, 0x80001000), MS_CACHE_UC);
	assert_int_equal(ms_mtrr_add(m, 0x80000000, 0x1000, MS_CACHE_WT), 0);
	assert_int_equal(ms_mtrr_type(m, 0x80000000, 0x80001000), MS_CACHE_WT);
	ms_device_set_mtrr(dev, MS_CACHE_WB);
	assert_int_equal(ms_mtrr_type(m, 0x80000000, 0x80001000), MS_CACHE_WB);
	assert_int_equal(ms_mtrr_add(m, 0x80000000, 0x1000, -1), 0);
	ms_ram_add(m, 0x100000, 0x100000);
	assert_int_equal(ms_mtrr_type(m, 0x100000, 0x200000), MS_CACHE_WB);
}

/*
 *    0x180000000   0x180002000   0x180004000
 *        |---- WB ----|---- UC ----|.... nothing: WB
 */
static void range_over_two_types_is_mixed(void **state)
{
	struct ms_machine *m = *state;
	struct ms_device *b;

	ms_device_add(m, "a", 0x180000000, 0x2000);
	b = ms_device_add(m, "b", 0x180002000, 0x2000);
	assert_int_equal(ms_mtrr_type(m, 0x180000000, 0x180005000), MS_CACHE_WB);
	ms_device_set_mtrr(b, MS_CACHE_UC);
	assert_int_equal(ms_mtrr_type(m, 0x180001000, 0x180003000), -1);
	assert_int_equal(ms_mtrr_type(m, 0x180003000, 0x180005000), -1);
	assert_int_equal(ms_mtrr_type(m, 0x180002000, 0x180004000), MS_CACHE_UC);
}

static void empty_range_has_no_type(void **state)
{
	assert_int_equal(ms_mtrr_type(*state, 0x1000, 0x1000), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARM64(device_knows_what_it_was_made_of),
		ARM64(device_is_found_by_name),
		ARM64(device_is_found_by_any_of_its_bytes),
		ARM64(devices_are_listed_in_order_of_creation),
		ARM64(device_range_must_be_one),
		ARM64(device_name_is_its_own),
		ARM64(devices_do_not_overlap),
		ARM64(device_does_not_overlap_ram),
		ARM64(device_is_not_added_whichever_allocation_fails),
		X86(bar_above_4_gib_is_wb_and_below_uc),
		X86(mtrr_type_of_a_bar_can_be_set),
		X86(no_mtrr_says_uc_minus),
		X86(ram_is_wb),
		X86(what_is_neither_is_as_firmware_has_it),
		X86(ranges_that_were_added_replace_firmwares),
		X86(a_bar_is_as_the_ranges_say_unless_it_was_set),
		X86(range_over_two_types_is_mixed),
		X86(empty_range_has_no_type),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
