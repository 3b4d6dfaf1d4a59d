/* SPDX-License-Identifier: GPL-2.0-only */
/* vmf_insert_pfn and its kin, vm_insert_page. */
#include "pfnmap_world.h"

static void insert_pfn_makes_one_special_entry_with_the_vmas_protection(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 4, PFNMAP_FLAGS);

	assert_int_equal(ms_vmf_insert_pfn(vma, A + PAGE, BAR_PFN), MS_VM_FAULT_NOPAGE);
	assert_int_equal(entry_at(&w, A + PAGE, PAGE),
			 BAR | MS_PTE_PRESENT | MS_PTE_WRITE | MS_PTE_YOUNG | MS_PTE_SPECIAL);
	assert_int_equal(entry_at(&w, A, PAGE), 0);
	world_end(&w);
}

static void an_entry_that_is_there_stays_whatever_it_maps(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 4, PFNMAP_FLAGS);

	assert_int_equal(ms_vmf_insert_pfn(vma, A, BAR_PFN), MS_VM_FAULT_NOPAGE);
	assert_int_equal(ms_vmf_insert_pfn(vma, A, BAR_PFN + 9), MS_VM_FAULT_NOPAGE);
	assert_int_equal(pa_at(&w, A), BAR);
	assert_int_equal(violations(&w), 0);
	world_end(&w);
}

static void an_address_outside_of_the_vma_is_sigbus(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 4, PFNMAP_FLAGS);

	assert_int_equal(ms_vmf_insert_pfn(vma, A - PAGE, BAR_PFN), MS_VM_FAULT_SIGBUS);
	assert_int_equal(ms_vmf_insert_pfn(vma, A + 4 * PAGE, BAR_PFN), MS_VM_FAULT_SIGBUS);
	assert_int_equal(violations(&w), 0);
	world_end(&w);
}

static void a_vma_of_neither_or_of_both_kinds_is_a_violation(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, 0);

	assert_int_equal(ms_vmf_insert_pfn(vma, A, BAR_PFN), MS_VM_FAULT_SIGBUS);
	assert_int_equal(violations(&w), 1);
	vma->vm_flags |= MS_VM_PFNMAP | MS_VM_MIXEDMAP;
	assert_int_equal(ms_vmf_insert_pfn(vma, A, BAR_PFN), MS_VM_FAULT_SIGBUS);
	assert_int_equal(violations(&w), 2);
	assert_int_equal(entry_at(&w, A, PAGE), 0);
	world_end(&w);
}

static void a_private_pfnmap_vma_is_a_violation(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_private(&w, 1, PFNMAP_FLAGS);

	assert_int_equal(ms_vmf_insert_pfn(vma, A, BAR_PFN), MS_VM_FAULT_SIGBUS);
	assert_int_equal(violations(&w), 1);
	world_end(&w);
}

static void a_page_of_ram_as_raw_pfn_in_a_mixed_vma_is_a_violation(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, MS_VM_MIXEDMAP);

	assert_int_equal(ms_vmf_insert_pfn(vma, A, RAM >> 12), MS_VM_FAULT_SIGBUS);
	assert_int_equal(violations(&w), 1);
	assert_int_equal(ms_vmf_insert_pfn(vma, A, BAR_PFN), MS_VM_FAULT_NOPAGE);
	world_end(&w);
}

static void insert_takes_the_type_that_the_list_has_for_the_page(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_X86_64);
	struct ms_vma *vma = map_shared(&w, 2, PFNMAP_FLAGS);
	ms_pgprot_t wc = ms_pgprot_writecombine(vma->vm_page_prot);

	assert_int_equal(ms_ioremap(w.m, BAR, PAGE, MS_CACHE_WC), 0);
	assert_int_equal(ms_vmf_insert_pfn_prot(vma, A, BAR_PFN, wc), MS_VM_FAULT_NOPAGE);
	assert_int_equal(ms_vmf_insert_pfn_prot(vma, A + PAGE, BAR_PFN + 1, wc),
			 MS_VM_FAULT_NOPAGE);
	assert_int_equal(ms_pgprot_cache(entry_at(&w, A, PAGE)), MS_CACHE_WC);
	// nothing is reserved there: UC-, though WC was asked for
	assert_int_equal(ms_pgprot_cache(entry_at(&w, A + PAGE, PAGE)), MS_CACHE_UC_MINUS);
	world_end(&w);
}

static void insert_without_memory_for_a_table_is_oom(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, PFNMAP_FLAGS);

	ms_machine_fail_alloc(w.m, 1);
	assert_int_equal(ms_vmf_insert_pfn(vma, A, BAR_PFN), MS_VM_FAULT_OOM);
	assert_int_equal(ms_vmf_insert_pfn(vma, A, BAR_PFN), MS_VM_FAULT_NOPAGE);
	world_end(&w);
}

static void mixed_takes_raw_pfns_and_pages_without_a_reference(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 2, MS_VM_MIXEDMAP);
	uint64_t free_pages = ms_ram_free_pages(w.m);

	assert_int_equal(ms_vmf_insert_mixed(vma, A, BAR_PFN), MS_VM_FAULT_NOPAGE);
	assert_int_equal(ms_vmf_insert_mixed(vma, A + PAGE, RAM >> 12), MS_VM_FAULT_NOPAGE);
	assert_true(entry_at(&w, A + PAGE, PAGE) & MS_PTE_SPECIAL);
	assert_int_equal(ms_ram_free_pages(w.m), free_pages);
	world_end(&w);
}

static void mixed_into_the_wrong_vma_was_a_bug_and_became_sigbus(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release, MS_ARCH_ARM64);

		assert_int_equal(ms_vmf_insert_mixed(map_shared(&w, 1, PFNMAP_FLAGS), A, BAR_PFN),
				 MS_VM_FAULT_SIGBUS);
		assert_int_equal(violations(&w),
				 k->insert_mixed_bad == MS_INSERT_MIXED_BAD_BUG ? 1 : 0);
		world_end(&w);
	}
}

static void the_zero_page_is_refused_where_it_could_be_written(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release, MS_ARCH_ARM64);
		struct ms_vma *vma = map_shared(&w, 1, MS_VM_MIXEDMAP);

		assert_int_equal(ms_vmf_insert_mixed(vma, A, ms_zero_pfn(w.m)),
				 k->insert_mixed_bad == MS_INSERT_MIXED_BAD_SIGBUS
					 ? MS_VM_FAULT_SIGBUS
					 : MS_VM_FAULT_NOPAGE);
		vma->vm_flags &= ~(MS_VM_WRITE | MS_VM_MAYWRITE);
		assert_int_equal(ms_vmf_insert_mixed(vma, A, ms_zero_pfn(w.m)), MS_VM_FAULT_NOPAGE);
		world_end(&w);
	}
}

static void the_zero_page_is_allowed_where_a_write_copies_it(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_private(&w, 1, MS_VM_MIXEDMAP);

	assert_int_equal(ms_vmf_insert_mixed(vma, A, ms_zero_pfn(w.m)), MS_VM_FAULT_NOPAGE);
	world_end(&w);
}

static ms_vm_fault_t mkwrite_nothing(struct ms_vm_fault *vmf)
{
	return 0;
}

/* A driver that is asked before the first write, and no get_user_pages. */
static void the_zero_page_is_allowed_with_pfn_mkwrite_and_vm_io_together(void **state)
{
	static const struct ms_vm_ops with = { .pfn_mkwrite = mkwrite_nothing }, without = { 0 };

	for (unsigned int i = 0; i < 4; i++) {
		struct world w = world("6.12.117", MS_ARCH_ARM64);
		struct ms_vma *vma =
			map_shared(&w, 1, i & 1 ? MS_VM_MIXEDMAP | MS_VM_IO : MS_VM_MIXEDMAP);

		vma->vm_ops = i & 2 ? &with : &without;
		assert_int_equal(ms_vmf_insert_mixed(vma, A, ms_zero_pfn(w.m)),
				 i == 3 ? MS_VM_FAULT_NOPAGE : MS_VM_FAULT_SIGBUS);
		world_end(&w);
	}
}

static void mixed_takes_the_type_that_the_list_has_for_the_page(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_X86_64);
	struct ms_vma *vma = map_shared(&w, 1, MS_VM_MIXEDMAP);

	assert_int_equal(ms_ioremap(w.m, BAR, PAGE, MS_CACHE_WC), 0);
	assert_int_equal(ms_vmf_insert_mixed(vma, A, BAR_PFN), MS_VM_FAULT_NOPAGE);
	assert_int_equal(ms_pgprot_cache(entry_at(&w, A, PAGE)), MS_CACHE_WC);
	world_end(&w);
}

/*
 *             A         A + 2M    A + 4M
 *  VMA        |---------:---------|
 *  fault                   ^
 *  leaf                 [---------)
 */
static void pmd_leaf_stands_at_the_aligned_address(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1024, PFNMAP_FLAGS);
	struct ms_vm_fault vmf = { .vma = vma, .address = A + MS_2M + 5 * PAGE };

	assert_int_equal(ms_vmf_insert_pfn_pmd(&vmf, BAR_PFN, false), MS_VM_FAULT_NOPAGE);
	assert_int_equal(entry_at(&w, A + MS_2M, MS_2M),
			 BAR | MS_PTE_PRESENT | MS_PTE_WRITE | MS_PTE_YOUNG | MS_PTE_SPECIAL);
	assert_int_equal(entry_at(&w, A, MS_2M), 0);
	world_end(&w);
}

/*
 *             A         A + 2M    A + 4M
 *  VMA         |---------|                  from A + 4K on
 *  fault 1      ^
 *  leaf 1     [---------)                   SIGBUS
 *  fault 2              ^
 *  leaf 2               [---------)         is made
 */
static void pmd_leaf_below_the_start_is_sigbus_and_beyond_the_end_is_not_tested(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_at(&w, A + PAGE, 513, 0, MS_MAP_SHARED, PFNMAP_FLAGS);
	struct ms_vm_fault below = { .vma = vma, .address = A + 2 * PAGE };
	struct ms_vm_fault beyond = { .vma = vma, .address = A + MS_2M };

	assert_int_equal(ms_vmf_insert_pfn_pmd(&below, BAR_PFN, false), MS_VM_FAULT_SIGBUS);
	assert_int_equal(ms_vmf_insert_pfn_pmd(&beyond, BAR_PFN, false), MS_VM_FAULT_NOPAGE);
	assert_int_not_equal(entry_at(&w, A + MS_2M, MS_2M), 0);
	// the kernel would not notice; the check does
	assert_int_equal(ms_machine_check(w.m, NULL), 1);
	ms_machine_free(w.m);
}

static void pmd_leaf_has_the_memory_type_of_its_pages(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_X86_64);
	struct ms_vma *vma = map_shared(&w, 512, PFNMAP_FLAGS);
	struct ms_vm_fault vmf = { .vma = vma, .address = A };

	assert_int_equal(ms_memtype_reserve(w.m, BAR, BAR + MS_2M, MS_CACHE_WC, NULL), 0);
	assert_int_equal(ms_vmf_insert_pfn_pmd(&vmf, BAR_PFN, false), MS_VM_FAULT_NOPAGE);
	assert_int_equal(ms_pgprot_cache(entry_at(&w, A, MS_2M)), MS_CACHE_WC);
	world_end(&w);
}

static void pmd_with_a_page_table_keeps_it(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 512, PFNMAP_FLAGS);
	struct ms_vm_fault vmf = { .vma = vma, .address = A };

	assert_int_equal(ms_vmf_insert_pfn(vma, A, BAR_PFN), MS_VM_FAULT_NOPAGE);
	ms_zap_vma_ptes(vma, A, PAGE);
	assert_int_equal(ms_vmf_insert_pfn_pmd(&vmf, BAR_PFN, false), MS_VM_FAULT_NOPAGE);
	assert_int_equal(entry_at(&w, A, PAGE), 0);
	world_end(&w);
}

static void a_write_makes_the_same_leaf_writable_and_warns_of_another(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 512, PFNMAP_FLAGS);
	struct ms_vm_fault vmf = { .vma = vma, .address = A };

	vma->vm_page_prot &= ~MS_PTE_WRITE;
	assert_int_equal(ms_vmf_insert_pfn_pmd(&vmf, BAR_PFN, false), MS_VM_FAULT_NOPAGE);
	assert_false(entry_at(&w, A, MS_2M) & MS_PTE_WRITE);
	assert_int_equal(ms_vmf_insert_pfn_pmd(&vmf, BAR_PFN + 512, true), MS_VM_FAULT_NOPAGE);
	assert_false(entry_at(&w, A, MS_2M) & MS_PTE_WRITE);
	assert_int_equal(violations(&w), 1);
	assert_int_equal(ms_vmf_insert_pfn_pmd(&vmf, BAR_PFN, true), MS_VM_FAULT_NOPAGE);
	assert_true(entry_at(&w, A, MS_2M) & MS_PTE_WRITE);
	assert_true(entry_at(&w, A, MS_2M) & MS_PTE_DIRTY);
	world_end(&w);
}

static void a_fresh_leaf_for_a_write_is_dirty_and_writable(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 512, PFNMAP_FLAGS);
	struct ms_vm_fault vmf = { .vma = vma, .address = A };

	vma->vm_page_prot &= ~MS_PTE_WRITE;
	assert_int_equal(ms_vmf_insert_pfn_pmd(&vmf, BAR_PFN, true), MS_VM_FAULT_NOPAGE);
	assert_int_equal(entry_at(&w, A, MS_2M) & (MS_PTE_WRITE | MS_PTE_DIRTY),
			 MS_PTE_WRITE | MS_PTE_DIRTY);
	world_end(&w);
}

/*
 *             A                             A + 1G
 *  fault         ^
 *  leaf       [-----------------------------)
 */
static void pud_leaf_covers_1g(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_X86_64);
	struct ms_vma *vma = map_shared(&w, 1 << 18, PFNMAP_FLAGS);
	struct ms_vm_fault vmf = { .vma = vma, .address = A + 3 * MS_2M };

	assert_int_equal(ms_vmf_insert_pfn_pud(&vmf, BAR_PFN, false), MS_VM_FAULT_NOPAGE);
	assert_int_equal(entry_at(&w, A + MS_1G - 1, MS_1G) & MS_PTE_PA_MASK, BAR);
	world_end(&w);
}

static void pud_leaf_took_the_vmas_type_where_the_lookup_was_dropped(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct world w = world(k->release, MS_ARCH_X86_64);
		struct ms_vma *vma = map_shared(&w, 1 << 18, PFNMAP_FLAGS);
		struct ms_vm_fault vmf = { .vma = vma, .address = A };

		assert_int_equal(ms_vmf_insert_pfn_pud(&vmf, BAR_PFN, false), MS_VM_FAULT_NOPAGE);
		assert_int_equal(ms_pgprot_cache(entry_at(&w, A, MS_1G)),
				 k->pud_insert_prot == MS_PUD_INSERT_PROT_VMA ? MS_CACHE_WB
									      : MS_CACHE_UC_MINUS);
		world_end(&w);
	}
}

static void a_larger_leaf_in_the_way_stays(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_X86_64);
	struct ms_vma *vma = map_shared(&w, 1 << 18, PFNMAP_FLAGS);
	struct ms_vm_fault vmf = { .vma = vma, .address = A };

	assert_int_equal(ms_vmf_insert_pfn_pud(&vmf, BAR_PFN, false), MS_VM_FAULT_NOPAGE);
	assert_int_equal(ms_vmf_insert_pfn_pmd(&vmf, BAR_PFN, false), MS_VM_FAULT_NOPAGE);
	assert_int_equal(ms_vmf_insert_pfn(vma, A, BAR_PFN), MS_VM_FAULT_NOPAGE);
	assert_int_equal(entry_at(&w, A, MS_1G) & MS_PTE_PA_MASK, BAR);
	world_end(&w);
}

/* Another one comes just before the entry is made, once. */
static void insert_before(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *vma)
{
	ms_machine_set_hook(m, point, NULL, NULL);
	assert_int_equal(addr, A);
	assert_int_equal(ms_vmf_insert_pfn(vma, A, BAR_PFN + 7), MS_VM_FAULT_NOPAGE);
}

static void an_entry_made_meanwhile_stays(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, PFNMAP_FLAGS);

	ms_machine_set_hook(w.m, MS_HOOK_DRIVER_INSERT, insert_before, vma);
	assert_int_equal(ms_vmf_insert_pfn(vma, A, BAR_PFN), MS_VM_FAULT_NOPAGE);
	assert_int_equal(pa_at(&w, A), BAR + 7 * PAGE);
	world_end(&w);
}

/*
 *  fault        ^
 *  leaf      [------------2M------------)    is not made:
 *  there     [4K)                            somebody was faster
 */
static void a_page_table_made_meanwhile_keeps_a_pmd_leaf_out(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 512, PFNMAP_FLAGS);
	struct ms_vm_fault vmf = { .vma = vma, .address = A + PAGE };

	ms_machine_set_hook(w.m, MS_HOOK_DRIVER_INSERT, insert_before, vma);
	assert_int_equal(ms_vmf_insert_pfn_pmd(&vmf, BAR_PFN, false), MS_VM_FAULT_NOPAGE);
	assert_int_equal(pa_at(&w, A), BAR + 7 * PAGE);
	world_end(&w);
}

static void insert_page_is_busy_where_an_entry_was_made_meanwhile(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, MS_VM_MIXEDMAP);
	ms_pfn_t pfn;

	assert_true(ms_page_alloc(w.m, 0, 0, &pfn));
	ms_machine_set_hook(w.m, MS_HOOK_DRIVER_INSERT, insert_before, vma);
	assert_int_equal(ms_vm_insert_page(vma, A, pfn), -EBUSY);
	assert_int_equal(ms_pfn_to_page(w.m, pfn)->refcount, 1);
	ms_page_put(w.m, pfn, 1);
	world_end(&w);
}

/* The entry is an ordinary one, unlike that of a fault, and so the page is held. */
static void insert_page_holds_also_the_zero_page(void **state)
{
	struct world w = world("6.1.192", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, 0);
	ms_pfn_t zero = ms_zero_pfn(w.m);

	assert_int_equal(ms_vm_insert_page(vma, A, zero), 0);
	assert_int_equal(ms_pfn_to_page(w.m, zero)->refcount, 2);
	assert_int_equal(ms_machine_check(w.m, stderr), 0);
	assert_int_equal(ms_munmap(w.mm, A, PAGE), 0);
	assert_int_equal(ms_pfn_to_page(w.m, zero)->refcount, 1);
	world_end(&w);
}

static void insert_page_holds_the_page_until_the_zap(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, 0);
	ms_pfn_t pfn;

	assert_true(ms_page_alloc(w.m, 0, 0, &pfn));
	assert_int_equal(ms_vm_insert_page(vma, A, pfn), 0);
	assert_true(vma->vm_flags & MS_VM_MIXEDMAP);
	assert_false(entry_at(&w, A, PAGE) & MS_PTE_SPECIAL);
	assert_int_equal(ms_pfn_to_page(w.m, pfn)->refcount, 2);
	assert_int_equal(ms_munmap(w.mm, A, PAGE), 0);
	assert_int_equal(ms_pfn_to_page(w.m, pfn)->refcount, 1);
	ms_page_put(w.m, pfn, 1);
	world_end(&w);
}

static void insert_page_refuses_in_the_kernels_words(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 2, 0);
	ms_pfn_t pfn, anon;

	assert_true(ms_page_alloc(w.m, 0, 0, &pfn));
	assert_true(ms_page_alloc(w.m, 0, MS_PG_ANON, &anon));
	assert_int_equal(ms_vm_insert_page(vma, A + 2 * PAGE, pfn), -EFAULT);
	assert_int_equal(ms_vm_insert_page(vma, A, BAR_PFN), -EINVAL);
	assert_int_equal(ms_vm_insert_page(vma, A, anon), -EINVAL);
	ms_machine_fail_alloc(w.m, 1);
	assert_int_equal(ms_vm_insert_page(vma, A, pfn), -ENOMEM);
	assert_int_equal(ms_vm_insert_page(vma, A, pfn), 0);
	assert_int_equal(ms_vm_insert_page(vma, A, pfn), -EBUSY);
	assert_int_equal(ms_pfn_to_page(w.m, pfn)->refcount, 2);
	ms_page_put(w.m, pfn, 1);
	ms_page_put(w.m, anon, 1);
	world_end(&w);
}

static void insert_page_into_a_pfnmap_vma_is_a_violation(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, PFNMAP_FLAGS);

	assert_int_equal(ms_vm_insert_page(vma, A, RAM >> 12), -EINVAL);
	assert_int_equal(violations(&w), 1);
	assert_int_equal(entry_at(&w, A, PAGE), 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(insert_pfn_makes_one_special_entry_with_the_vmas_protection),
		cmocka_unit_test(an_entry_that_is_there_stays_whatever_it_maps),
		cmocka_unit_test(an_address_outside_of_the_vma_is_sigbus),
		cmocka_unit_test(a_vma_of_neither_or_of_both_kinds_is_a_violation),
		cmocka_unit_test(a_private_pfnmap_vma_is_a_violation),
		cmocka_unit_test(a_page_of_ram_as_raw_pfn_in_a_mixed_vma_is_a_violation),
		cmocka_unit_test(insert_takes_the_type_that_the_list_has_for_the_page),
		cmocka_unit_test(insert_without_memory_for_a_table_is_oom),
		cmocka_unit_test(mixed_takes_raw_pfns_and_pages_without_a_reference),
		cmocka_unit_test(mixed_into_the_wrong_vma_was_a_bug_and_became_sigbus),
		cmocka_unit_test(the_zero_page_is_refused_where_it_could_be_written),
		cmocka_unit_test(the_zero_page_is_allowed_where_a_write_copies_it),
		cmocka_unit_test(the_zero_page_is_allowed_with_pfn_mkwrite_and_vm_io_together),
		cmocka_unit_test(mixed_takes_the_type_that_the_list_has_for_the_page),
		cmocka_unit_test(pmd_leaf_stands_at_the_aligned_address),
		cmocka_unit_test(
			pmd_leaf_below_the_start_is_sigbus_and_beyond_the_end_is_not_tested),
		cmocka_unit_test(pmd_leaf_has_the_memory_type_of_its_pages),
		cmocka_unit_test(pmd_with_a_page_table_keeps_it),
		cmocka_unit_test(a_write_makes_the_same_leaf_writable_and_warns_of_another),
		cmocka_unit_test(a_fresh_leaf_for_a_write_is_dirty_and_writable),
		cmocka_unit_test(pud_leaf_covers_1g),
		cmocka_unit_test(pud_leaf_took_the_vmas_type_where_the_lookup_was_dropped),
		cmocka_unit_test(a_larger_leaf_in_the_way_stays),
		cmocka_unit_test(an_entry_made_meanwhile_stays),
		cmocka_unit_test(a_page_table_made_meanwhile_keeps_a_pmd_leaf_out),
		cmocka_unit_test(insert_page_is_busy_where_an_entry_was_made_meanwhile),
		cmocka_unit_test(insert_page_holds_also_the_zero_page),
		cmocka_unit_test(insert_page_holds_the_page_until_the_zap),
		cmocka_unit_test(insert_page_refuses_in_the_kernels_words),
		cmocka_unit_test(insert_page_into_a_pfnmap_vma_is_a_violation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
