/* SPDX-License-Identifier: GPL-2.0-only */
/* Each cause for which raw page frame numbers are not mapped, or not looked up, and its words. */
#include "pfnmap_world.h"

#include "refused.h"

/* The handler's answer is SIGBUS, or OOM where err says so. */
static void assert_fault(struct world *w, ms_vm_fault_t answer, int err, const char *reason)
{
	assert_int_equal(answer, err == -ENOMEM ? MS_VM_FAULT_OOM : MS_VM_FAULT_SIGBUS);
	assert_refused(w, err, err, reason);
}

static void a_pfn_that_is_not_inserted(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 1, 0);
	struct ms_vm_fault vmf = { .vma = vma, .address = A };

	assert_fault(&w, ms_vmf_insert_pfn(vma, A, BAR_PFN), -EFAULT,
		     "pfn inserted into a VMA without VM_PFNMAP or VM_MIXEDMAP, at 0x200000000000");
	vma->vm_flags |= MS_VM_PFNMAP | MS_VM_MIXEDMAP;
	assert_fault(&w, ms_vmf_insert_pfn_pmd(&vmf, BAR_PFN, false), -EFAULT,
		     "pfn inserted into a VMA with VM_PFNMAP and VM_MIXEDMAP, at 0x200000000000");
	vma->vm_flags &= ~MS_VM_PFNMAP;
	assert_fault(&w, ms_vmf_insert_pfn(vma, A, RAM >> 12), -EFAULT,
		     "page of RAM inserted as a raw pfn into a VM_MIXEDMAP VMA, at "
		     "0x200000000000");
	vma->vm_flags = (vma->vm_flags & ~MS_VM_MIXEDMAP) | MS_VM_PFNMAP;
	assert_fault(&w, ms_vmf_insert_pfn(vma, A + PAGE, BAR_PFN), -EFAULT,
		     "0x200000001000 is outside of VMA 0x200000000000-0x200000001000 (rw-)");
	ms_machine_fail_alloc(w.m, 1);
	assert_fault(&w, ms_vmf_insert_pfn(vma, A, BAR_PFN), -ENOMEM, "no memory");
	vma = map_at(&w, A + MS_2M, 1, 0, MS_MAP_PRIVATE, MS_VM_PFNMAP);
	assert_fault(&w, ms_vmf_insert_pfn(vma, A + MS_2M, BAR_PFN), -EFAULT,
		     "pfn inserted into a private VM_PFNMAP VMA, at 0x200000200000");
	world_end(&w);
}

static void a_pfn_that_does_not_mix(void **state)
{
	struct world w = world(kernel_where(MS_ARCH_ARM64, "insert_mixed_bad", "BUG")->release,
			       MS_ARCH_ARM64);

	assert_fault(&w, ms_vmf_insert_mixed(map_shared(&w, 1, PFNMAP_FLAGS), A, BAR_PFN), -EFAULT,
		     "vmf_insert_mixed into a VMA without VM_MIXEDMAP, at 0x200000000000");
	world_end(&w);
	w = world(kernel_where(MS_ARCH_ARM64, "insert_mixed_bad", "SIGBUS")->release,
		  MS_ARCH_ARM64);
	assert_fault(&w, ms_vmf_insert_mixed(map_shared(&w, 1, PFNMAP_FLAGS), A, BAR_PFN), -EFAULT,
		     "vmf_insert_mixed of the zero page, or no VM_MIXEDMAP, at 0x200000000000");
	world_end(&w);
}

static void a_page_that_is_not_inserted(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 2, MS_VM_MIXEDMAP);
	ms_pfn_t page, anon;

	assert_true(ms_page_alloc(w.m, 0, 0, &page));
	assert_true(ms_page_alloc(w.m, 0, MS_PG_ANON, &anon));
	assert_refused(&w, ms_vm_insert_page(vma, A + 2 * PAGE, page), -EFAULT,
		       "0x200000002000 is outside of VMA 0x200000000000-0x200000002000 (rw-)");
	assert_refused(&w, ms_vm_insert_page(vma, A, BAR_PFN), -EINVAL, "pfn 0x8000000 is not RAM");
	assert_int_equal(ms_page_head(w.m, anon), anon);
	assert_int_equal(ms_vm_insert_page(vma, A, page), 0);
	assert_refused(&w, ms_vm_insert_page(vma, A, page), -EBUSY,
		       "0x200000000000 is mapped already");
	vma = map_at(&w, A + MS_2M, 1, 0, MS_MAP_SHARED, PFNMAP_FLAGS);
	assert_refused(&w, ms_vm_insert_page(vma, A + MS_2M, page), -EINVAL,
		       "vm_insert_page into a VM_PFNMAP VMA, at 0x200000200000");
	ms_page_put(w.m, page, 1);
	ms_page_put(w.m, anon, 1);
	world_end(&w);
}

static int remap(struct ms_vma *vma, ms_hva_t addr, uint64_t size)
{
	return ms_remap_pfn_range(vma, addr, BAR_PFN, size, vma->vm_page_prot);
}

static void a_range_that_is_not_remapped(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 2, 0), *other;

	assert_refused(&w, remap(vma, A, 0), -EINVAL,
		       "0x0 bytes at 0x200000000000 are none, or wrap");
	assert_refused(&w, remap(vma, A, UINT64_C(1) << 48), -EINVAL,
		       "0x1000000000000 bytes at 0x200000000000 end beyond user space, which ends "
		       "at 0x1000000000000");
	assert_refused(&w, remap(vma, A + 1, PAGE), -EINVAL, "0x200000000001 is not page aligned");
	assert_int_equal(remap(vma, A, PAGE), 0);
	assert_refused(&w, remap(vma, A, 2 * PAGE), -EBUSY, "0x200000000000 is mapped already");
	other = map_at(&w, A + MS_1G, 1, 0, MS_MAP_SHARED, 0);
	ms_machine_fail_alloc(w.m, 1);
	assert_refused(&w, remap(other, A + MS_1G, PAGE), -ENOMEM, "no memory");
	other = map_at(&w, A + MS_2M, 2, 0, MS_MAP_PRIVATE, 0);
	assert_refused(&w, remap(other, A + MS_2M, PAGE), -EINVAL,
		       "VMA 0x200000200000-0x200000202000 (rw-) is private: "
		       "0x200000200000-0x200000201000 is not all of it");
	assert_refused(&w, ms_vm_iomap_memory(vma, UINT64_MAX, 2), -EINVAL,
		       "0x2 bytes at 0xffffffffffffffff wrap");
	assert_refused(&w, ms_vm_iomap_memory(vma, BAR, PAGE), -EINVAL,
		       "VMA 0x200000000000-0x200000002000 (rw-) shows page 0 onward: there are 1");
	world_end(&w);
}

static void an_entry_that_is_not_looked_up(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_ARM64);
	struct ms_vma *vma = map_shared(&w, 512, PFNMAP_FLAGS);
	struct ms_vm_fault vmf = { .vma = vma, .address = A };
	struct ms_pfnmap_leaf leaf;

	assert_refused(&w, ms_follow_pfnmap(vma, A + MS_2M, &leaf), -EINVAL,
		       "0x200000200000 is outside of VMA 0x200000000000-0x200000200000 (rw-), or "
		       "that is not VM_PFNMAP");
	assert_refused(&w, ms_follow_pfnmap(vma, A, &leaf), -EINVAL,
		       "nothing is mapped at 0x200000000000");
	world_end(&w);
	w = world("6.1.192", MS_ARCH_ARM64);
	vmf.vma = map_shared(&w, 512, PFNMAP_FLAGS);
	assert_int_equal(ms_vmf_insert_pfn_pmd(&vmf, BAR_PFN, false), MS_VM_FAULT_NOPAGE);
	assert_refused(&w, ms_follow_pfnmap(vmf.vma, A, &leaf), -EINVAL,
		       "follow_pte met a huge leaf, at 0x200000000000");
	world_end(&w);
}

static int remap_as(struct ms_vma *vma, enum ms_cache type)
{
	return ms_remap_pfn_range(vma, vma->vm_start, BAR_PFN, vma->vm_end - vma->vm_start,
				  ms_pgprot_set_cache(vma->vm_page_prot, type));
}

/*
 *   pages        0   1   2   3
 *   reserved     [WB-----)[UC-----)
 *   asked for    [WC-----)
 *                [WC-------------)
 */
static void memory_that_is_reserved_as_another_type(const char *release)
{
	struct world w = world(release, MS_ARCH_X86_64);
	struct ms_vma *vma = map_shared(&w, 2, 0);

	ms_device_set_mtrr(ms_device_find(w.m, "bar"), MS_CACHE_WB);
	assert_int_equal(remap_as(vma, MS_CACHE_WB), 0);
	assert_refused(&w, remap_as(map_at(&w, A + MS_2M, 2, 0, MS_MAP_SHARED, 0), MS_CACHE_WC),
		       -EINVAL, "0x8000000000-0x8000002000 is reserved as WB, WC was asked for");
	vma = map_at(&w, A + 2 * MS_2M, 2, 0, MS_MAP_SHARED, 0);
	assert_int_equal(ms_remap_pfn_range(vma, vma->vm_start, BAR_PFN + 2, 2 * PAGE,
					    ms_pgprot_noncached(vma->vm_page_prot)),
			 0);
	assert_refused(
		&w, remap_as(map_at(&w, A + 3 * MS_2M, 4, 0, MS_MAP_SHARED, 0), MS_CACHE_WC),
		-EINVAL,
		"0x8000000000-0x8000002000 is reserved as WB and 0x8000002000-0x8000004000 as "
		"UC-");
	world_end(&w);
}

static void what_is_reserved_as_another_type(void **state)
{
	memory_that_is_reserved_as_another_type("6.12.117");
	memory_that_is_reserved_as_another_type("7.3.4");
}

static void a_vma_that_has_reserved_already(void **state)
{
	struct world w = world("7.3.4", MS_ARCH_X86_64);
	struct ms_vma *vma = map_shared(&w, 2, 0);

	assert_int_equal(remap_as(vma, MS_CACHE_WC), 0);
	assert_refused(&w, remap_as(vma, MS_CACHE_WC), -EINVAL,
		       "VMA 0x200000000000-0x200000002000 (rw-) has reserved "
		       "0x8000000000-0x8000002000 already");
	world_end(&w);
}

/* Its first page, by which the reservation is found, is not mapped. */
static void a_fork_that_cannot_reserve(void **state)
{
	struct world w = world("6.12.117", MS_ARCH_X86_64);
	struct ms_vma *vma = map_shared(&w, 2, 0);

	assert_int_equal(remap_as(vma, MS_CACHE_WC), 0);
	ms_zap_vma_ptes(vma, A, PAGE);
	vma->vm_flags |= MS_VM_PAT;
	assert_null_refused(
		&w, ms_fork(w.mm), -ENOMEM,
		"VMA 0x200000000000-0x200000002000 (rw-) is tracked, and its first page "
		"is not mapped");
	ms_machine_free(w.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pfn_that_is_not_inserted),
		cmocka_unit_test(a_pfn_that_does_not_mix),
		cmocka_unit_test(a_page_that_is_not_inserted),
		cmocka_unit_test(a_range_that_is_not_remapped),
		cmocka_unit_test(an_entry_that_is_not_looked_up),
		cmocka_unit_test(what_is_reserved_as_another_type),
		cmocka_unit_test(a_vma_that_has_reserved_already),
		cmocka_unit_test(a_fork_that_cannot_reserve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
