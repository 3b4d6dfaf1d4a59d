/* SPDX-License-Identifier: GPL-2.0-only */
/* vfio-pci, both regimes: its checks, its hold on the BAR, memory off and on. */
#include "world.h"

#define OFF_2 (UINT64_C(2) << 40)

static void the_region_index_is_in_the_offset(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_device *regs = ms_device_add(m, "regs", 0xfea00000, 0x100000);

	ms_device_set_prefetchable(regs, false);
	assert_int_equal(ms_vfio_offset(ms_vfio_open(bar_b(m))), OFF_2);
	assert_int_equal(ms_vfio_offset(ms_vfio_open(regs)), 0);
	assert_int_equal(ms_vfio_offset(ms_vfio_open_region(bar_h(m), 4)), UINT64_C(4) << 40);
	assert_null(ms_vfio_open_region(ms_device_find(m, "h"), 5));
	assert_null(ms_vfio_open_region(ms_device_find(m, "b"), 6));
	machine_end(m);
}

static void mmap_refuses_private_and_what_is_not_in_the_bar(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		struct ms_mm *mm = ms_mm_new(m);
		struct ms_file *file = ms_vfio_open(bar_b(m));

		assert_int_equal(ms_mmap(mm, A, B_SIZE, MS_PROT_R, MS_MAP_PRIVATE, file, OFF_2),
				 -EINVAL);
		assert_int_equal(map(mm, A, 0x5000, file, OFF_2), -EINVAL);
		assert_int_equal(map(mm, A, 0x1000, file, OFF_2 + B_SIZE), -EINVAL);
		assert_int_equal(map(mm, A, 0x1000, file, UINT64_C(6) << 40), -EINVAL);
		assert_int_equal(map(mm, A, 0x1000, file, UINT64_C(1) << 40), -EINVAL);
		assert_int_equal(map(mm, A, 0x3000, file, OFF_2 + 0x1000), A);
		assert_int_equal(present(mm, A, A + 0x3000), 0);
		machine_end(m);
	}
}

static void vm_pgoff_is_physical_or_the_files(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_ARM64);
		struct ms_mm *mm = ms_mm_new(m);

		map(mm, A, 0x3000, ms_vfio_open(bar_b(m)), OFF_2 + 0x1000);
		assert_int_equal(ms_vma_lookup(mm, A)->vm_pgoff,
				 k->vfio == MS_VFIO_V3 ? 0x20000001 : 0xfd001);
		assert_int_equal(ms_touch(mm, A + 0x1000, MS_PROT_R), MS_ACCESS_OK);
		assert_int_equal(leaf_pa(mm, A + 0x1000), B_PA + 0x2000);
		machine_end(m);
	}
}

static void flags_are_complete_at_mmap(void **state)
{
	char buf[MS_VMFLAGS_MAX], expected[MS_VMFLAGS_MAX];
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_ARM64);
		struct ms_mm *mm = ms_mm_new(m);

		snprintf(expected, sizeof(expected), "rd,wr,sh,mr,mw,%sms,pf,io,de,dd%s",
			 k->vfio_noexec == MS_VFIO_NOEXEC_YES ? "" : "me,",
			 k->vfio_uncached_flag == MS_VFIO_UNCACHED_FLAG_YES ? ",?\?" : "");
		map(mm, A, B_SIZE, ms_vfio_open(bar_b(m)), OFF_2);
		assert_string_equal(ms_vma_flags_str(ms_vma_lookup(mm, A), buf, sizeof(buf)),
				    expected);
		machine_end(m);
	}
}

static void the_type_is_uncached(void **state)
{
	struct ms_machine *x86 = machine("6.1.192", MS_ARCH_X86_64);
	struct ms_machine *arm = machine("7.2.13", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(x86);

	map(mm, A, B_SIZE, ms_vfio_open(bar_b(x86)), OFF_2);
	ms_touch(mm, A, MS_PROT_W);
	assert_int_equal(leaf_cache(mm, A), MS_CACHE_UC_MINUS);
	mm = ms_mm_new(arm);
	map(mm, A, B_SIZE, ms_vfio_open(bar_b(arm)), OFF_2);
	ms_touch(mm, A, MS_PROT_W);
	assert_int_equal(leaf_cache(mm, A), MS_CACHE_NGNRNE);
	machine_end(x86);
	machine_end(arm);
}

static void execution_is_allowed_up_to_6_15(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_ARM64);

		assert_int_equal(ms_mmap(ms_mm_new(m), A, B_SIZE, MS_PROT_R | MS_PROT_X,
					 MS_MAP_SHARED, ms_vfio_open(bar_b(m)), OFF_2),
				 k->vfio_noexec == MS_VFIO_NOEXEC_YES ? -EPERM : (int64_t)A);
		machine_end(m);
	}
}

static void the_first_mmap_or_the_open_claims_the_bar(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		struct ms_mm *mm = ms_mm_new(m);
		struct ms_file *file = ms_vfio_open(bar_b(m));
		const bool at_open = k->vfio_bar_claim == MS_VFIO_BAR_CLAIM_DEVICE_OPEN;

		assert_int_equal(ms_iomem_is_exclusive(m, B_PA), at_open);
		assert_int_equal(memtypes(m), at_open);
		map(mm, A, B_SIZE, file, OFF_2);
		assert_true(ms_iomem_is_exclusive(m, B_PA));
		assert_int_equal(memtypes(m), 1);
		map(mm, A + MS_2M, B_SIZE, file, OFF_2);
		assert_int_equal(memtypes(m), 1);
		machine_end(m);
	}
}

static bool is_reserved(struct ms_machine *m, ms_pa_t pa)
{
	struct ms_memtype entry;

	for (size_t i = 0; ms_memtype_get(m, i, &entry); i++)
		if (entry.start == pa)
			return true;
	return false;
}

static void the_open_that_claims_the_bar_claims_the_devices_others_too(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		const bool at_open = k->vfio_bar_claim == MS_VFIO_BAR_CLAIM_DEVICE_OPEN;
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		struct ms_device *b = bar_b(m);
		struct ms_device *regs = ms_device_add(m, "registers", 0xfeb01000, 0x100);
		struct ms_file *file;

		assert_int_equal(ms_vfio_add_bar(b, 0, regs), 0);
		file = ms_vfio_open(b);
		assert_int_equal(is_reserved(m, 0xfeb01000), at_open);
		assert_int_equal(ms_iomem_claim(m, 0xfeb01000, 0x100), at_open ? -EBUSY : 0);
		ms_file_put(file);
		assert_false(is_reserved(m, 0xfeb01000));
		machine_end(m);
	}
}

static void another_bar_is_one_of_six_and_told_before_the_open(void **state)
{
	struct ms_machine *m = machine("7.2.13", MS_ARCH_X86_64);
	struct ms_device *b = bar_b(m), *h = bar_h(m);
	struct ms_device *regs = ms_device_add(m, "registers", 0xfeb01000, 0x100);

	assert_int_equal(ms_vfio_add_bar(b, 6, regs), -EINVAL);
	assert_int_equal(ms_vfio_add_bar(b, 0, b), -EINVAL);
	assert_int_equal(ms_vfio_add_bar(b, 0, NULL), -EINVAL);
	assert_int_equal(ms_vfio_add_bar(b, 0, regs), 0);
	assert_int_equal(ms_vfio_add_bar(b, 0, h), -EINVAL);
	assert_int_equal(ms_vfio_add_bar(h, 0, regs), -EINVAL);
	ms_vfio_open(b);
	assert_int_equal(ms_vfio_add_bar(b, 1, h), -EINVAL);
	machine_end(m);
}

static void a_refused_mmap_claims_nothing(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);

	map(ms_mm_new(m), A, 0x5000, ms_vfio_open(bar_b(m)), OFF_2);
	assert_false(ms_iomem_is_exclusive(m, B_PA));
	assert_int_equal(memtypes(m), 0);
	machine_end(m);
}

static void a_bar_that_is_held_is_ebusy_at_mmap(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		struct ms_device *b = bar_b(m);
		struct ms_file *file;

		ms_iomem_claim(m, B_PA + 0x1000, 0x1000);
		file = ms_vfio_open(b);
		assert_non_null(file);
		assert_int_equal(map(ms_mm_new(m), A, B_SIZE, file, OFF_2), -EBUSY);
		machine_end(m);
	}
}

static void whether_the_bar_was_had_at_open_is_remembered(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		struct ms_device *b = bar_b(m);
		struct ms_file *file;

		ms_iomem_claim(m, B_PA, B_SIZE);
		file = ms_vfio_open(b);
		ms_iomem_release(m, B_PA, B_SIZE);
		assert_int_equal(map(ms_mm_new(m), A, B_SIZE, file, OFF_2),
				 k->vfio_bar_claim == MS_VFIO_BAR_CLAIM_DEVICE_OPEN ? -EBUSY
										    : (int64_t)A);
		machine_end(m);
	}
}

static void a_memtype_that_refuses_the_ioremap_is_enomem(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_device *h = bar_h(m);

	ms_ioremap(m, H_PA, 0x1000, MS_CACHE_WB);
	assert_int_equal(map(ms_mm_new(m), A, B_SIZE, ms_vfio_open(h), OFF_2), -ENOMEM);
	assert_false(ms_iomem_is_exclusive(m, H_PA));
	machine_end(m);
}

static void the_claim_ends_sysfs_mappings(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_device *b = bar_b(m);

	map(mm, A, B_SIZE, ms_pci_resource(b), 0);
	map(mm, A + MS_2M, B_SIZE, ms_vfio_open(b), OFF_2);
	assert_int_equal(present(mm, A, A + B_SIZE), 0);
	assert_int_equal(map(mm, A, B_SIZE, ms_pci_resource(b), 0), -EINVAL);
	assert_int_equal(map(mm, A, B_SIZE, ms_devmem_open(m, true), B_PA), -EPERM);
	machine_end(m);
}

static void the_last_close_gives_the_bar_back(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		struct ms_mm *mm = ms_mm_new(m);
		struct ms_device *b = bar_b(m);
		struct ms_file *first = ms_vfio_open(b), *second = ms_vfio_open(b);

		map(mm, A, B_SIZE, first, OFF_2);
		ms_file_put(first);
		ms_file_put(second);
		assert_true(ms_iomem_is_exclusive(m, B_PA));
		ms_munmap(mm, A, B_SIZE);
		assert_false(ms_iomem_is_exclusive(m, B_PA));
		assert_int_equal(memtypes(m), 0);
		machine_end(m);
	}
}

/* Every kernel, whichever way vfio-pci keeps its mappings. */
static void memory_off_is_sigbus_until_it_is_on_again(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_ARM64);
		struct ms_mm *mm = ms_mm_new(m);
		struct ms_file *file = ms_vfio_open(bar_b(m));

		map(mm, A, B_SIZE, file, OFF_2);
		assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_OK);
		assert_int_equal(ms_vfio_set_memory(file, false), 0);
		assert_int_equal(present(mm, A, A + B_SIZE), 0);
		assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
		assert_int_equal(ms_vfio_set_memory(file, true), 0);
		assert_int_equal(present(mm, A, A + B_SIZE), 0);
		assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_OK);
		machine_end(m);
	}
}

struct revoke {
	struct ms_mm *mm;
	struct ms_file *file;
	int calls;
};

/*
 *    A        A + 1000   A + 2000
 *    |--------|          |--------|      two mappings of the same page
 *     mapped              not touched
 */
static void while_memory_goes_off(struct ms_machine *m, enum ms_hook_point point, uint64_t addr,
				  void *arg)
{
	struct revoke *r = arg;

	(void)m, (void)point, (void)addr;
	if (!r->calls++)
		assert_int_equal(ms_touch(r->mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_touch(r->mm, A + 0x2000, MS_PROT_R), MS_ACCESS_WAITS);
	assert_int_equal(ms_vfio_set_memory(r->file, false), -EBUSY);
}

/* Memory is on until all mappings are gone; who would map it again waits for the lock. */
static void the_mappings_go_before_the_memory_does(void **state)
{
	const struct ms_policy *k;

	(void)state;
	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		struct revoke r = { .mm = ms_mm_new(m), .file = ms_vfio_open(bar_b(m)) };

		map(r.mm, A, 0x1000, r.file, OFF_2);
		map(r.mm, A + 0x2000, 0x1000, r.file, OFF_2);
		assert_int_equal(ms_touch(r.mm, A, MS_PROT_R), MS_ACCESS_OK);
		ms_machine_set_hook(m, MS_HOOK_ZAP_UNTRACKED, while_memory_goes_off, &r);
		assert_int_equal(ms_vfio_set_memory(r.file, false), 0);
		assert_true(r.calls || k->untrack_at != MS_UNTRACK_AT_ANY_ZAP);
		assert_int_equal(present(r.mm, A, A + 0x3000), 0);
		assert_int_equal(ms_touch(r.mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
		assert_int_equal(ms_violations(m), 0);
		machine_end(m);
	}
}

static void memory_of_one_device_is_not_that_of_another(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *b = ms_vfio_open(bar_b(m)), *h = ms_vfio_open(bar_h(m));

	map(mm, A, 0x1000, b, OFF_2);
	map(mm, A + 0x1000, 0x1000, h, OFF_2);
	ms_touch(mm, A, MS_PROT_R);
	ms_touch(mm, A + 0x1000, MS_PROT_R);
	ms_vfio_set_memory(b, false);
	assert_int_equal(present(mm, A, A + 0x1000), 0);
	assert_int_equal(present(mm, A + 0x1000, A + 0x2000), 1);
	machine_end(m);
}

static void what_is_no_vfio_file_has_no_memory_bit(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_file *file = ms_pci_resource(bar_b(m));

	assert_int_equal(ms_vfio_set_memory(file, false), -ENODEV);
	assert_int_equal(ms_vfio_set_prepopulate(file, true), -ENODEV);
	assert_int_equal(ms_vfio_offset(file), 0);
	machine_end(m);
}

/* With a list of VMAs: notifier, untrack, free, zap. Without: notifier, (untrack,) zap. */
static void memory_off_tells_notifiers_before_it_zaps(void **state)
{
	char expected[256];
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_X86_64);
		struct ms_mm *mm = ms_mm_new(m);
		struct ms_file *file = ms_vfio_open(bar_b(m));

		map(mm, A, B_SIZE, file, OFF_2);
		ms_touch(mm, A, MS_PROT_R);
		ms_trace_clear(m);
		ms_vfio_set_memory(file, false);
		snprintf(expected, sizeof(expected),
			 "notify 7e0000000000 4000;%s%szap 7e0000000000 4000;",
			 k->untrack_at == MS_UNTRACK_AT_ANY_ZAP ? "untrack 7e0000000000 1;" : "",
			 k->vfio == MS_VFIO_V3 ? "" : "free fd000000 fd004000;");
		assert_string_equal(EVENTS(m), expected);
		machine_end(m);
	}
}

/* V1 forgets what it zapped, V3 walks every mapping each time. */
static void memory_off_without_a_touch_zaps_nothing_or_walks_every_mapping(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_ARM64);
		struct ms_file *file = ms_vfio_open(bar_b(m));

		map(ms_mm_new(m), A, B_SIZE, file, OFF_2);
		for (int twice = 0; twice < 2; twice++) {
			ms_trace_clear(m);
			ms_vfio_set_memory(file, false);
			assert_string_equal(
				EVENTS(m),
				k->vfio == MS_VFIO_V3
					? "notify 7e0000000000 4000;zap 7e0000000000 4000;"
					: "");
		}
		machine_end(m);
	}
}

static void madv_remove_finds_no_regular_file(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_ARM64);
		struct ms_mm *mm = ms_mm_new(m);

		map(mm, A, B_SIZE, ms_vfio_open(bar_b(m)), OFF_2);
		assert_int_equal(ms_madvise(mm, A, B_SIZE, MS_MADV_REMOVE), -ENODEV);
		machine_end(m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_region_index_is_in_the_offset),
		cmocka_unit_test(mmap_refuses_private_and_what_is_not_in_the_bar),
		cmocka_unit_test(vm_pgoff_is_physical_or_the_files),
		cmocka_unit_test(flags_are_complete_at_mmap),
		cmocka_unit_test(the_type_is_uncached),
		cmocka_unit_test(execution_is_allowed_up_to_6_15),
		cmocka_unit_test(the_first_mmap_or_the_open_claims_the_bar),
		cmocka_unit_test(the_open_that_claims_the_bar_claims_the_devices_others_too),
		cmocka_unit_test(another_bar_is_one_of_six_and_told_before_the_open),
		cmocka_unit_test(a_refused_mmap_claims_nothing),
		cmocka_unit_test(a_bar_that_is_held_is_ebusy_at_mmap),
		cmocka_unit_test(whether_the_bar_was_had_at_open_is_remembered),
		cmocka_unit_test(a_memtype_that_refuses_the_ioremap_is_enomem),
		cmocka_unit_test(the_claim_ends_sysfs_mappings),
		cmocka_unit_test(the_last_close_gives_the_bar_back),
		cmocka_unit_test(memory_off_is_sigbus_until_it_is_on_again),
		cmocka_unit_test(the_mappings_go_before_the_memory_does),
		cmocka_unit_test(memory_of_one_device_is_not_that_of_another),
		cmocka_unit_test(what_is_no_vfio_file_has_no_memory_bit),
		cmocka_unit_test(memory_off_tells_notifiers_before_it_zaps),
		cmocka_unit_test(memory_off_without_a_touch_zaps_nothing_or_walks_every_mapping),
		cmocka_unit_test(madv_remove_finds_no_regular_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
