/* SPDX-License-Identifier: GPL-2.0-only */
/* /dev/mem: what may be mapped, as which type, and how a refusal shows. */
#include "world.h"

static int64_t map_mem(struct ms_mm *mm, uint64_t at, uint64_t len, bool o_sync, uint64_t pa)
{
	return map(mm, at, len, ms_devmem_open(ms_mm_machine(mm), o_sync), pa);
}

static void the_offset_is_the_physical_address(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	char buf[MS_VMFLAGS_MAX];

	bar_b(m);
	assert_int_equal(map_mem(mm, A, 0x2000, true, B_PA + 0x1000), A);
	assert_int_equal(leaf_pa(mm, A), B_PA + 0x1000);
	assert_string_equal(ms_vma_flags_str(ms_vma_lookup(mm, A), buf, sizeof(buf)),
			    "rd,wr,sh,mr,mw,me,ms,pf,io,de,ar,dd,sd");
	machine_end(m);
}

static void x86_asks_for_ucminus_with_o_sync_and_wb_without(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);

	bar_h(m);
	map_mem(mm, A, 0x1000, true, H_PA);
	assert_int_equal(leaf_cache(mm, A), MS_CACHE_UC_MINUS);
	map_mem(mm, A + 0x1000, 0x1000, false, H_PA + 0x1000);
	assert_int_equal(leaf_cache(mm, A + 0x1000), MS_CACHE_WB);
	machine_end(m);
}

static void x86_gets_ucminus_for_wb_where_the_mtrrs_say_uc(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);

	bar_b(m);
	map_mem(mm, A, 0x1000, false, B_PA);
	assert_int_equal(leaf_cache(mm, A), MS_CACHE_UC_MINUS);
	machine_end(m);
}

/* RAM ends inside of the page at 0x9f000: it has no frame, and the MTRRs say WB. */
static void x86_gets_wb_in_holes_where_the_mtrrs_say_so(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);

	assert_int_equal(ms_ram_add(m, 0x1000, 0x9ec00), 0);
	assert_int_equal(map_mem(mm, A, 0x1000, false, 0x9f000), A);
	assert_int_equal(leaf_cache(mm, A), MS_CACHE_WB);
	assert_int_equal(map_mem(mm, A + MS_2M, 0x1000, false, 0x80000000), A + MS_2M);
	assert_int_equal(leaf_cache(mm, A + MS_2M), MS_CACHE_WB);
	assert_int_equal(map_mem(mm, A + MS_1G, 0x1000, false, 0xc0000000), A + MS_1G);
	assert_int_equal(leaf_cache(mm, A + MS_1G), MS_CACHE_UC_MINUS);
	machine_end(m);
}

/* RAM up to a0000, then video memory: UC. */
static void below_one_megabyte_the_first_page_decided_up_to_6_4(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		struct ms_mm *mm = ms_mm_new(m);

		assert_int_equal(map_mem(mm, A, 0x2000, false, 0x9f000), A);
		assert_int_equal(leaf_cache(mm, A),
				 k->mtrr_low_range == MS_MTRR_LOW_RANGE_FIRST_PAGE
					 ? MS_CACHE_WB
					 : MS_CACHE_UC_MINUS);
		machine_end(m);
	}
}

static void arm64_maps_devices_strongly_ordered_with_o_sync_or_without(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);

	bar_b(m);
	map_mem(mm, A, 0x1000, true, B_PA);
	map_mem(mm, A + 0x1000, 0x1000, false, B_PA);
	assert_int_equal(leaf_cache(mm, A), MS_CACHE_NGNRNE);
	assert_int_equal(leaf_cache(mm, A + 0x1000), MS_CACHE_NGNRNE);
	machine_end(m);
}

static void system_ram_is_eperm(void **state)
{
	static const enum ms_arch arch[] = { MS_ARCH_X86_64, MS_ARCH_ARM64 };

	for (size_t i = 0; i < 2; i++) {
		struct ms_machine *m = machine("6.12.107", arch[i]);
		struct ms_mm *mm = ms_mm_new(m);

		ms_ram_add(m, 0x40000000, 0x1000000);
		assert_int_equal(map_mem(mm, A, 0x1000, true, 0x40000000), -EPERM);
		assert_int_equal(map_mem(mm, A, 0x2000, true, 0x3ffff000), -EPERM);
		assert_int_equal(map_mem(mm, A, 0x1000, true, 0x3ffff000), A);
		machine_end(m);
	}
}

/*  x86: RAM [1000, 9f000) and the 256 first pages may always be mapped */
static void the_first_megabyte_of_x86_may_be_mapped(void **state)
{
	struct ms_machine *x86 = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_machine *arm = machine("6.12.107", MS_ARCH_ARM64);

	ms_ram_add(x86, 0x1000, 0x9e000);
	ms_ram_add(arm, 0x1000, 0x9e000);
	assert_int_equal(map_mem(ms_mm_new(x86), A, 0x1000, true, 0x2000), A);
	assert_int_equal(map_mem(ms_mm_new(arm), A, 0x1000, true, 0x2000), -EPERM);
	machine_end(x86);
	machine_end(arm);
}

static void without_strict_devmem_ram_may_be_mapped_but_not_aliased(void **state)
{
	struct ms_machine *x86 = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_machine *arm = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(arm);

	ms_ram_add(x86, 0x40000000, 0x100000);
	ms_ram_add(arm, 0x40000000, 0x100000);
	ms_iomem_set_strict(x86, MS_IOMEM_OPEN);
	ms_iomem_set_strict(arm, MS_IOMEM_OPEN);
	assert_int_equal(map_mem(ms_mm_new(x86), A, 0x1000, true, 0x40000000), -EINVAL);
	assert_int_equal(map_mem(mm, A, 0x1000, false, 0x40000000), A);
	assert_int_equal(leaf_cache(mm, A), MS_CACHE_WB);
	assert_int_equal(map_mem(mm, A, 0x1000, true, 0x40000000), A);
	assert_int_equal(leaf_cache(mm, A), MS_CACHE_WC);
	machine_end(x86);
	machine_end(arm);
}

/* x86 tests the last byte against the CPU's width; arm64 the byte after it against 48 bits. */
static void beyond_the_physical_address_space_is_einval(void **state)
{
	const struct ms_machine_config bits40 = { .pa_bits = 40 };
	struct ms_machine *x86 =
		ms_machine_new_config(ms_policy_linux("6.12.107", MS_ARCH_X86_64), &bits40);
	struct ms_machine *arm = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(x86), *arm_mm = ms_mm_new(arm);

	assert_int_equal(map_mem(mm, A, 0x1000, true, 0x10000000000), -EINVAL);
	assert_int_equal(map_mem(mm, A, 0x2000, true, 0xfffffff000), -EINVAL);
	assert_int_equal(map_mem(mm, A, 0x1000, true, 0xfffffff000), A);
	assert_int_equal(map_mem(arm_mm, A, 0x1000, true, 0xfffffffff000), -EINVAL);
	assert_int_equal(map_mem(arm_mm, A, 0x1000, true, 0xffffffffe000), A);
	machine_end(x86);
	machine_end(arm);
}

static void an_offset_that_wraps_is_einval_or_eoverflow(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);

	assert_int_equal(map_mem(mm, A, 0x1000, true, 0xfffffffffffff000), -EINVAL);
	assert_int_equal(map_mem(mm, A, 0x2000, true, 0xfffffffffffff000), -EOVERFLOW);
	machine_end(m);
}

static void a_claimed_page_is_eperm(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);

	bar_b(m);
	ms_iomem_claim(m, B_PA + 0x2000, 0x10);
	assert_int_equal(map_mem(mm, A, 0x2000, true, B_PA), A);
	assert_int_equal(map_mem(mm, A, 0x1000, true, B_PA + 0x2000), -EPERM);
	assert_int_equal(map_mem(mm, A, 0x1000, true, B_PA + 0x3000), A);
	machine_end(m);
}

static void iomem_relaxed_maps_what_is_claimed_but_no_ram(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);

	bar_b(m);
	ms_ram_add(m, 0x40000000, 0x100000);
	ms_iomem_set_strict(m, MS_IOMEM_RELAXED);
	map_mem(mm, A, B_SIZE, true, B_PA);
	ms_iomem_claim(m, B_PA, B_SIZE);
	assert_int_equal(present(mm, A, A + B_SIZE), 4);
	assert_int_equal(map_mem(mm, A + MS_2M, B_SIZE, true, B_PA), A + MS_2M);
	assert_int_equal(map_mem(mm, A + MS_2M, 0x1000, true, 0x40000000), -EPERM);
	machine_end(m);
}

/* ->mmap refuses a VMA that exists, ->mmap_prepare one that does not. */
static void a_refusal_zaps_the_new_range_or_is_silent(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_ARM64);

		ms_ram_add(m, 0x40000000, 0x100000);
		ms_trace_keep(m, 1u << MS_EV_ZAP);
		assert_int_equal(map_mem(ms_mm_new(m), A, 0x1000, true, 0x40000000), -EPERM);
		assert_string_equal(EVENTS(m), k->devmem_refusal == MS_DEVMEM_REFUSAL_SILENT
						       ? ""
						       : "zap 7e0000000000 1000;");
		machine_end(m);
	}
}

static void a_refused_remap_is_eagain(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		struct ms_mm *mm = ms_mm_new(m);

		bar_h(m);
		ms_ioremap(m, H_PA, 0x1000, MS_CACHE_WB);
		assert_int_equal(map_mem(mm, A, 0x1000, true, H_PA), -EAGAIN);
		assert_null(ms_find_vma(mm, 0));
		machine_end(m);
	}
}

static void private_mappings_are_copied_on_write(void **state)
{
	struct ms_machine *m = machine("7.2.13", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);

	bar_b(m);
	ms_ram_add(m, 0x40000000, 0x1000000);
	assert_int_equal(
		ms_mmap(mm, A, B_SIZE, MS_PROT_RW, MS_MAP_PRIVATE, ms_devmem_open(m, true), B_PA),
		A);
	assert_int_equal(ms_touch(mm, A + 0x1000, MS_PROT_W), MS_ACCESS_OK);
	assert_true(ms_pfn_is_ram(m, leaf_pa(mm, A + 0x1000) >> 12));
	assert_int_equal(leaf_pa(mm, A), B_PA);
	machine_end(m);
}

static void madv_remove_of_a_character_device_is_enodev(void **state)
{
	struct ms_machine *m = machine("7.2.13", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);

	bar_b(m);
	map_mem(mm, A, B_SIZE, true, B_PA);
	assert_int_equal(ms_madvise(mm, A, B_SIZE, MS_MADV_REMOVE), -ENODEV);
	machine_end(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_offset_is_the_physical_address),
		cmocka_unit_test(x86_asks_for_ucminus_with_o_sync_and_wb_without),
		cmocka_unit_test(x86_gets_ucminus_for_wb_where_the_mtrrs_say_uc),
		cmocka_unit_test(x86_gets_wb_in_holes_where_the_mtrrs_say_so),
		cmocka_unit_test(below_one_megabyte_the_first_page_decided_up_to_6_4),
		cmocka_unit_test(arm64_maps_devices_strongly_ordered_with_o_sync_or_without),
		cmocka_unit_test(system_ram_is_eperm),
		cmocka_unit_test(the_first_megabyte_of_x86_may_be_mapped),
		cmocka_unit_test(without_strict_devmem_ram_may_be_mapped_but_not_aliased),
		cmocka_unit_test(beyond_the_physical_address_space_is_einval),
		cmocka_unit_test(an_offset_that_wraps_is_einval_or_eoverflow),
		cmocka_unit_test(a_claimed_page_is_eperm),
		cmocka_unit_test(iomem_relaxed_maps_what_is_claimed_but_no_ram),
		cmocka_unit_test(a_refusal_zaps_the_new_range_or_is_silent),
		cmocka_unit_test(a_refused_remap_is_eagain),
		cmocka_unit_test(private_mappings_are_copied_on_write),
		cmocka_unit_test(madv_remove_of_a_character_device_is_enodev),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
