/* SPDX-License-Identifier: GPL-2.0-only */
/* Claims of physical ranges: who may have what, and which mappings end. */
#include "world.h"

static void a_range_is_claimed_once_and_released_exactly(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);

	bar_b(m);
	assert_int_equal(ms_iomem_claim(m, B_PA, B_SIZE), 0);
	assert_int_equal(ms_iomem_claim(m, B_PA, B_SIZE), -EBUSY);
	assert_int_equal(ms_iomem_claim(m, B_PA + 0x1000, 0x1000), -EBUSY);
	assert_int_equal(ms_iomem_release(m, B_PA, 0x1000), -EINVAL);
	assert_int_equal(ms_iomem_release(m, B_PA, B_SIZE), 0);
	assert_int_equal(ms_iomem_release(m, B_PA, B_SIZE), -EINVAL);
	assert_int_equal(ms_iomem_claim(m, B_PA, B_SIZE), 0);
	machine_end(m);
}

/*
 * A digit a page of the BAR:
 *
 *  .0123.
 *  ....XX     -EBUSY: across its end
 *  XX....     -EBUSY: across its start
 *  XXXXXX...  -EBUSY: all of it and more
 *  .....X     outside
 *  .X....     inside
 */
static void a_claim_lies_inside_of_a_device_or_outside_of_all(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);

	bar_b(m);
	assert_int_equal(ms_iomem_claim(m, B_PA + 0x3000, 0x2000), -EBUSY);
	assert_int_equal(ms_iomem_claim(m, B_PA - 0x1000, 0x2000), -EBUSY);
	assert_int_equal(ms_iomem_claim(m, B_PA - 0x1000, 0x10000), -EBUSY);
	assert_int_equal(ms_iomem_claim(m, B_PA + B_SIZE, 0x1000), 0);
	assert_int_equal(ms_iomem_claim(m, B_PA, 0x1000), 0);
	machine_end(m);
}

static void ram_and_impossible_ranges_are_busy(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);

	ms_ram_add(m, 0x1000, 0x9e000);
	ms_ram_add(m, 0x40000000, 0x100000);
	assert_int_equal(ms_iomem_claim(m, 0x2000, 0x1000), -EBUSY);
	assert_int_equal(ms_iomem_claim(m, 0x3fff0000, 0x11000), -EBUSY);
	assert_int_equal(ms_iomem_claim(m, B_PA, 0), -EBUSY);
	assert_int_equal(ms_iomem_claim(m, B_PA, UINT64_MAX), -EBUSY);
	assert_int_equal(ms_iomem_release(m, B_PA, 0), -EINVAL);
	machine_end(m);
}

static void a_page_is_exclusive_when_a_part_of_it_is_claimed(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);

	bar_b(m);
	ms_ram_add(m, 0x40000000, 0x100000);
	ms_iomem_claim(m, B_PA + 0x1800, 0x100);
	assert_false(ms_iomem_is_exclusive(m, B_PA + 0xfff));
	assert_true(ms_iomem_is_exclusive(m, B_PA + 0x1000));
	assert_true(ms_iomem_is_exclusive(m, B_PA + 0x1fff));
	assert_false(ms_iomem_is_exclusive(m, B_PA + 0x2000));
	assert_true(ms_iomem_is_exclusive(m, 0x40000000));
	assert_int_equal(ms_iomem_claim(m, B_PA + 0x1000, 0x800), 0);
	machine_end(m);
}

/*
 *  before  |0*  1*  2*  3* |
 *  claim       [-------)
 *  after   |0*  1   2   3* |
 */
static void a_claim_of_a_part_zaps_that_part(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A, B_SIZE, ms_pci_resource(bar_b(m)), 0);
	ms_trace_clear(m);
	ms_iomem_claim(m, B_PA + 0x1000, 0x2000);
	assert_string_equal(EVENTS(m), "notify 7e0000001000 2000;zap 7e0000001000 2000;");
	assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_touch(mm, A + 0x2000, MS_PROT_R), MS_ACCESS_SIGBUS);
	ms_iomem_release(m, B_PA + 0x1000, 0x2000);
	assert_int_equal(ms_touch(mm, A + 0x2000, MS_PROT_R), MS_ACCESS_SIGBUS);
	machine_end(m);
}

/* 5.10: the address_space is /dev/mem's alone. From 5.12 on sysfs shares it. */
static void sysfs_mappings_end_by_policy_and_devmem_mappings_always(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		struct ms_mm *mm = ms_mm_new(m);
		struct ms_device *b = bar_b(m);

		map(mm, A, B_SIZE, ms_pci_resource(b), 0);
		map(mm, A + MS_2M, B_SIZE, ms_devmem_open(m, true), B_PA);
		ms_iomem_claim(m, B_PA, B_SIZE);
		assert_int_equal(present(mm, A, A + B_SIZE),
				 k->revoke_scope == MS_REVOKE_SCOPE_DEVMEM ? 4 : 0);
		assert_int_equal(present(mm, A + MS_2M, A + MS_2M + B_SIZE), 0);
		machine_end(m);
	}
}

static void a_refused_claim_zaps_nothing(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A, 0x1000, ms_pci_resource(bar_b(m)), 0);
	ms_iomem_claim(m, B_PA + 0x3000, 0x1000);
	assert_int_equal(ms_iomem_claim(m, B_PA, B_SIZE), -EBUSY);
	assert_int_equal(present(mm, A, A + 0x1000), 1);
	machine_end(m);
}

static void copied_pages_of_private_mappings_go_too(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_device *b = bar_b(m);
	uint64_t free_pages;

	ms_ram_add(m, 0x40000000, 0x1000000);
	ms_mmap(mm, A, B_SIZE, MS_PROT_RW, MS_MAP_PRIVATE, ms_pci_resource(b), 0);
	free_pages = ms_ram_free_pages(m);
	ms_touch(mm, A + 0x1000, MS_PROT_W);
	assert_int_equal(ms_ram_free_pages(m), free_pages - 1);
	ms_iomem_claim(m, B_PA, B_SIZE);
	assert_int_equal(present(mm, A, A + B_SIZE), 0);
	assert_int_equal(ms_ram_free_pages(m), free_pages);
	machine_end(m);
}

/* x86: whatever lies below 1M counts as allowed, so the claim looks as if iomem=relaxed were on. */
static void a_claim_below_one_megabyte_zaps_nothing_on_x86(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A, 0x1000, ms_devmem_open(m, true), 0xf0000);
	assert_int_equal(ms_iomem_claim(m, 0xf0000, 0x1000), 0);
	assert_int_equal(present(mm, A, A + 0x1000), 1);
	machine_end(m);
}

static void while_the_start_of_a_bar_is_claimed_sysfs_is_einval(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_device *b = bar_b(m);

	ms_iomem_claim(m, B_PA, 0x1000);
	assert_int_equal(map(mm, A, 0x1000, ms_pci_resource(b), 0x2000), -EINVAL);
	ms_iomem_release(m, B_PA, 0x1000);
	ms_iomem_claim(m, B_PA + 0x2000, 0x1000);
	assert_int_equal(map(mm, A, 0x1000, ms_pci_resource(b), 0x2000), A);
	machine_end(m);
}

/*
 *  held    [WC-------------)
 *  before  |0*  1*  2*  3* |
 *  claim           [---)
 *  after   |0*  1*  2   3* |    held: nothing, or all
 */
static void a_partial_revoke_frees_the_reservation_or_keeps_it(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		const bool revoked = k->revoke_scope == MS_REVOKE_SCOPE_DEVMEM_AND_SYSFS;

		map(ms_mm_new(m), A, B_SIZE, ms_pci_resource_wc(bar_b(m)), 0);
		ms_iomem_claim(m, B_PA + 0x2000, 0x1000);
		assert_int_equal(memtypes(m),
				 revoked && k->untrack_at == MS_UNTRACK_AT_ANY_ZAP ? 0 : 1);
		machine_end(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_is_claimed_once_and_released_exactly),
		cmocka_unit_test(a_claim_lies_inside_of_a_device_or_outside_of_all),
		cmocka_unit_test(ram_and_impossible_ranges_are_busy),
		cmocka_unit_test(a_page_is_exclusive_when_a_part_of_it_is_claimed),
		cmocka_unit_test(a_claim_of_a_part_zaps_that_part),
		cmocka_unit_test(sysfs_mappings_end_by_policy_and_devmem_mappings_always),
		cmocka_unit_test(a_refused_claim_zaps_nothing),
		cmocka_unit_test(copied_pages_of_private_mappings_go_too),
		cmocka_unit_test(a_claim_below_one_megabyte_zaps_nothing_on_x86),
		cmocka_unit_test(while_the_start_of_a_bar_is_claimed_sysfs_is_einval),
		cmocka_unit_test(a_partial_revoke_frees_the_reservation_or_keeps_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
