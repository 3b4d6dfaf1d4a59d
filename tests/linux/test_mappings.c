/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's mapping functions as a driver calls them, from mmap, mmap_prepare and faults. */
#include "world.h"

/* What the driver of a test does; one at a time. */
static struct {
	int (*mmap)(struct file *file, struct vm_area_struct *vma);
	int (*prepare)(struct vm_area_desc *desc);
	struct vm_operations_struct ops;
	struct page *page;
} driver;

static int do_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &driver.ops;
	return driver.mmap ? driver.mmap(file, vma) : 0;
}

static int do_prepare(struct vm_area_desc *desc)
{
	desc->vm_ops = &driver.ops;
	return driver.prepare(desc);
}

static struct world begin(const char *release)
{
	memset(&driver, 0, sizeof(driver));
	return world(release);
}

static int64_t map_driver(struct world *w, unsigned long npages, unsigned int flags,
			  unsigned long pgoff)
{
	static const struct file_operations mmap_fops = { .mmap = do_mmap };
	static const struct file_operations prepare_fops = { .mmap_prepare = do_prepare };

	return ms_mmap(
		w->mm, A, npages * PAGE_SIZE, MS_PROT_RW, flags | MS_MAP_FIXED,
		ms_linux_file(w->m, driver.prepare ? &prepare_fops : &mmap_fops, O_RDWR, NULL),
		pgoff * PAGE_SIZE);
}

#define REMAP_FLAGS (VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP)

/* ---- at mmap ---- */

static int remap_mmap(struct file *file, struct vm_area_struct *vma)
{
	return io_remap_pfn_range(vma, vma->vm_start, PHYS_PFN(BAR) + vma->vm_pgoff,
				  vma->vm_end - vma->vm_start,
				  pgprot_writecombine(vma->vm_page_prot));
}

static int iomap_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	return vm_iomap_memory(vma, BAR, BAR_PAGES * PAGE_SIZE);
}

static void remap_maps_all_and_sets_the_flags(void **state)
{
	struct world w = begin("6.12.117");
	struct ms_host_leaf leaf;

	driver.mmap = remap_mmap;
	assert_int_equal(map_driver(&w, 3, MS_MAP_SHARED, 1), A);
	assert_int_equal(pa_of(&w, A + 2 * PAGE_SIZE), BAR + 3 * PAGE_SIZE);
	assert_int_equal(vma_lookup(w.mm, A)->vm_flags & REMAP_FLAGS, REMAP_FLAGS);
	assert_true(ms_host_leaf(w.mm, A, &leaf));
	assert_int_equal(ms_pgprot_cache(leaf.entry), MS_CACHE_WC);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void iomap_checks_what_it_maps(void **state)
{
	struct world w = begin("6.12.117");

	driver.mmap = iomap_mmap;
	assert_int_equal(map_driver(&w, BAR_PAGES, MS_MAP_SHARED, 1), -EINVAL);
	assert_int_equal(map_driver(&w, BAR_PAGES - 1, MS_MAP_SHARED, 1), A);
	assert_int_equal(pa_of(&w, A), BAR + PAGE_SIZE);
	world_end(&w);
}

/* ---- flags ---- */

static int flags_mmap(struct file *file, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_IO | VM_DONTCOPY);
	vm_flags_clear(vma, VM_MAYEXEC);
	vm_flags_mod(vma, VM_PFNMAP, VM_DONTCOPY);
	return 0;
}

static vm_fault_t flags_fault(struct vm_fault *vmf)
{
	vm_flags_set(vmf->vma, VM_DONTDUMP);
	return vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(BAR));
}

static void flags_are_changed_in_mmap_and_noticed_in_a_fault(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct world w = begin(k->release);
		const bool noticed = k->vma_flags_lock != MS_VMA_FLAGS_LOCK_UNCHECKED;
		const struct vm_area_struct *vma;

		driver.mmap = flags_mmap;
		driver.ops.fault = flags_fault;
		assert_int_equal(map_driver(&w, 1, MS_MAP_SHARED, 0), A);
		vma = vma_lookup(w.mm, A);
		assert_int_equal(vma->vm_flags & (VM_IO | VM_PFNMAP | VM_DONTCOPY | VM_MAYEXEC),
				 VM_IO | VM_PFNMAP);
		assert_int_equal(ms_violations(w.m), 0);
		assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
		assert_int_equal(ms_violations(w.m), noticed);
		if (noticed)
			assert_string_equal(violation(&w, 0), "mmap lock not held for writing");
		world_end(&w);
	}
}

/* An ioctl, say: nobody has taken the lock for the driver. */
static void outside_of_callbacks_the_driver_takes_the_lock_itself(void **state)
{
	struct world w = begin("6.12.117");
	struct vm_area_struct *vma;

	map_driver(&w, 1, MS_MAP_SHARED, 0);
	vma = vma_lookup(w.mm, A);
	vm_flags_set(vma, VM_DONTDUMP);
	assert_int_equal(ms_violations(w.m), 1);
	remap_pfn_range(vma, A, PHYS_PFN(BAR), PAGE_SIZE, vma->vm_page_prot);
	assert_int_equal(ms_violations(w.m), 2);
	zap_vma_ptes(vma, A, PAGE_SIZE);
	mmap_write_lock(w.mm);
	vm_flags_set(vma, VM_DONTCOPY);
	remap_pfn_range(vma, A, PHYS_PFN(BAR), PAGE_SIZE, vma->vm_page_prot);
	mmap_write_unlock(w.mm);
	assert_int_equal(ms_violations(w.m), 2);
	vm_flags_init(vma, vma->vm_flags); // asks for nothing
	assert_int_equal(ms_violations(w.m), 2);
	world_end(&w);
}

/* ---- at faults ---- */

static vm_fault_t give_page(struct vm_fault *vmf)
{
	get_page(driver.page);
	vmf->page = driver.page;
	return 0;
}

static void a_page_that_a_fault_gives_is_mapped_with_its_reference(void **state)
{
	struct world w = begin("6.12.117");

	driver.ops.fault = give_page;
	driver.page = alloc_page(GFP_KERNEL);
	map_driver(&w, 1, MS_MAP_SHARED, 0);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(pa_of(&w, A), page_to_phys(driver.page));
	ms_munmap(w.mm, A, PAGE_SIZE);
	assert_int_equal(ms_linux_allocated(w.m), 1);
	put_page(driver.page);
	assert_int_equal(ms_linux_allocated(w.m), 0);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static vm_fault_t forget_reference(struct vm_fault *vmf)
{
	vmf->page = driver.page;
	return 0;
}

/* The mapping takes the reference that came with the page: it was the driver's only one. */
static void a_page_given_without_a_reference_is_gone_after_the_unmap(void **state)
{
	struct world w = begin("6.12.117");
	uint64_t before;

	driver.ops.fault = forget_reference;
	before = ms_ram_free_pages(w.m);
	driver.page = alloc_page(GFP_KERNEL);
	map_driver(&w, 1, MS_MAP_SHARED, 0);
	ms_touch(w.mm, A, MS_PROT_W);
	ms_munmap(w.mm, A, PAGE_SIZE);
	assert_int_equal(ms_ram_free_pages(w.m), before);
	put_page(driver.page);
	assert_string_equal(violation(&w, 0), "page reference count underflows");
	world_end(&w);
}

/* "Bad page state": every process maps it, and none holds it. */
static void the_zero_page_given_without_a_reference_is_not_freed(void **state)
{
	struct world w = begin("6.12.117");
	const ms_hva_t anon = A + 16 * PAGE_SIZE;

	assert_int_equal(ms_mmap(w.mm, anon, PAGE_SIZE, MS_PROT_R,
				 MS_MAP_PRIVATE | MS_MAP_ANONYMOUS | MS_MAP_FIXED, NULL, 0),
			 anon);
	assert_int_equal(ms_touch(w.mm, anon, MS_PROT_R), MS_ACCESS_OK);
	driver.page = pfn_to_page(pa_of(&w, anon) >> PAGE_SHIFT);
	driver.ops.fault = forget_reference;
	map_driver(&w, 1, MS_MAP_SHARED, 0);
	ms_touch(w.mm, A, MS_PROT_R);
	ms_munmap(w.mm, A, PAGE_SIZE);
	assert_string_equal(violation(&w, 0), "put_page: the zero page's own reference");
	assert_int_equal(ms_touch(w.mm, anon, MS_PROT_R), MS_ACCESS_OK);
	world_end(&w);
}

static vm_fault_t insert_page_fault(struct vm_fault *vmf)
{
	return vm_insert_page(vmf->vma, vmf->address, driver.page) ? VM_FAULT_SIGBUS
								   : VM_FAULT_NOPAGE;
}

static int pages_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct page *pages[] = { driver.page, driver.page, driver.page };
	unsigned long n = vma_pages(vma);
	int err = vm_insert_pages(vma, vma->vm_start, pages, &n);

	assert_int_equal(n, err ? vma_pages(vma) : 0);
	return err;
}

static void inserted_pages_are_normal_pages(void **state)
{
	struct world w = begin("6.12.117");
	ms_pfn_t pfn;

	driver.mmap = pages_mmap;
	driver.page = alloc_page(GFP_KERNEL);
	assert_int_equal(map_driver(&w, 3, MS_MAP_SHARED, 0), A);
	assert_int_equal(vma_lookup(w.mm, A)->vm_flags & (VM_MIXEDMAP | VM_PFNMAP), VM_MIXEDMAP);
	assert_int_equal(ms_get_user_page(w.mm, A + PAGE_SIZE, true, &pfn, NULL), 0);
	assert_int_equal(pfn, page_to_pfn(driver.page));
	assert_int_equal(ms_violations(w.m), 0);
	ms_munmap(w.mm, A, 3 * PAGE_SIZE);
	put_page(driver.page);
	assert_int_equal(ms_linux_allocated(w.m), 0);
	world_end(&w);
}

static void a_page_inserted_in_a_fault_needs_mixedmap(void **state)
{
	struct world w = begin("6.12.117");

	driver.ops.fault = insert_page_fault;
	driver.page = alloc_page(GFP_KERNEL);
	map_driver(&w, 1, MS_MAP_SHARED, 0);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_string_equal(violation(&w, 0), "vm_insert_page sets VM_MIXEDMAP in a fault");
	world_end(&w);
}

static int pfnmap_mmap(struct file *file, struct vm_area_struct *vma)
{
	vm_flags_set(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	return 0;
}

#define HUGE_BAR 0x4000000000ul

static vm_fault_t huge_fault(struct vm_fault *vmf, unsigned int order)
{
	if (order != PMD_ORDER)
		return VM_FAULT_FALLBACK;
	return vmf_insert_pfn_pmd(vmf, __pfn_to_pfn_t(PHYS_PFN(HUGE_BAR), PFN_DEV), false);
}

static vm_fault_t page_fault(struct vm_fault *vmf)
{
	return vmf_insert_pfn_prot(vmf->vma, vmf->address, PHYS_PFN(HUGE_BAR) + vmf->pgoff,
				   vmf->vma->vm_page_prot);
}

static void a_huge_fault_gives_a_leaf_where_the_kernel_asks_for_one(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct world w = begin(k->release);
		struct ms_host_leaf leaf;

		ms_device_add(w.m, "huge", HUGE_BAR, SZ_1G);
		driver.mmap = pfnmap_mmap;
		driver.ops.fault = page_fault;
		driver.ops.huge_fault = huge_fault;
		map_driver(&w, SZ_2M >> PAGE_SHIFT, MS_MAP_SHARED, 0);
		assert_int_equal(ms_touch(w.mm, A + SZ_1M, MS_PROT_R), MS_ACCESS_OK);
		assert_true(ms_host_leaf(w.mm, A + SZ_1M, &leaf));
		assert_int_equal(leaf.size, k->pfnmap_huge_fault == MS_PFNMAP_HUGE_FAULT_NEVER
						    ? SZ_4K
						    : SZ_2M);
		assert_int_equal(pa_of(&w, A + SZ_1M), HUGE_BAR + SZ_1M);
		world_end(&w);
	}
}

/* ---- mmap_prepare ---- */

static int remap_prepare(struct vm_area_desc *desc)
{
	if (desc->pgoff + vma_desc_pages(desc) > BAR_PAGES)
		return -ENXIO;
	desc->page_prot = pgprot_noncached(desc->page_prot);
	mmap_action_remap_full(desc, PHYS_PFN(BAR) + desc->pgoff);
	return 0;
}

static void prepare_says_what_is_mapped_once_the_vma_exists(void **state)
{
	struct world w = begin("7.2.13");

	driver.prepare = remap_prepare;
	assert_int_equal(map_driver(&w, 2, MS_MAP_SHARED, BAR_PAGES), -ENXIO);
	assert_int_equal(ms_trace_count(w.m, MS_EV_ZAP), 0); // no VMA came into being
	assert_int_equal(map_driver(&w, 2, MS_MAP_SHARED, 3), A);
	assert_int_equal(pa_of(&w, A + PAGE_SIZE), BAR + 4 * PAGE_SIZE);
	assert_int_equal(vma_lookup(w.mm, A)->vm_flags & REMAP_FLAGS, REMAP_FLAGS);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static int part_prepare(struct vm_area_desc *desc)
{
	mmap_action_ioremap(desc, desc->start + PAGE_SIZE, PHYS_PFN(BAR), PAGE_SIZE);
	desc->action.error_override = -EAGAIN;
	return 0;
}

static void a_private_mapping_is_remapped_whole_or_not_at_all(void **state)
{
	struct world w = begin("7.2.13");

	driver.prepare = part_prepare;
	assert_int_equal(map_driver(&w, 3, MS_MAP_PRIVATE, 0), -EINVAL);
	assert_int_equal(map_driver(&w, 3, MS_MAP_SHARED, 0), A);
	assert_int_equal(pa_of(&w, A), 0);
	assert_int_equal(pa_of(&w, A + PAGE_SIZE), BAR);
	driver.prepare = remap_prepare;
	assert_int_equal(map_driver(&w, 3, MS_MAP_PRIVATE, 0), A);
	assert_int_equal(vma_lookup(w.mm, A)->vm_pgoff, PHYS_PFN(BAR));
	world_end(&w);
}

static int simple_prepare(struct vm_area_desc *desc)
{
	vma_desc_clear_flags(desc, VMA_MAYEXEC_BIT);
	vma_desc_set_flags(desc, VMA_DONTCOPY_BIT);
	assert_true(vma_desc_test_all(desc, VMA_SHARED_BIT, VMA_DONTCOPY_BIT));
	assert_false(vma_desc_test(desc, VMA_PFNMAP_BIT));
	mmap_action_simple_ioremap(desc, BAR, BAR_PAGES * PAGE_SIZE);
	return 0;
}

static void a_simple_ioremap_checks_the_range(void **state)
{
	struct world w = begin("7.2.13");

	driver.prepare = simple_prepare;
	assert_int_equal(map_driver(&w, BAR_PAGES, MS_MAP_SHARED, 1), -EINVAL);
	assert_int_equal(map_driver(&w, BAR_PAGES - 1, MS_MAP_SHARED, 1), A);
	assert_int_equal(pa_of(&w, A), BAR + PAGE_SIZE);
	assert_int_equal(vma_lookup(w.mm, A)->vm_flags & (VM_MAYEXEC | VM_DONTCOPY), VM_DONTCOPY);
	world_end(&w);
}

/* A memory type that is refused: the remap comes after the VMA, which goes again. */
static int conflict_prepare(struct vm_area_desc *desc)
{
	mmap_action_remap_full(desc, PHYS_PFN(BAR));
	desc->action.error_override = -EAGAIN;
	return 0;
}

static void an_action_that_fails_takes_the_vma_with_it(void **state)
{
	struct world w = begin("7.2.13");

	assert_int_equal(ms_memtype_reserve(w.m, BAR, BAR + PAGE_SIZE, MS_CACHE_WC, NULL), 0);
	assert_int_equal(ms_memtype_reserve(w.m, BAR + PAGE_SIZE, BAR + 2 * PAGE_SIZE,
					    MS_CACHE_UC_MINUS, NULL),
			 0);
	driver.prepare = conflict_prepare;
	assert_int_equal(map_driver(&w, 2, MS_MAP_SHARED, 0), -EAGAIN);
	assert_null(vma_lookup(w.mm, A));
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remap_maps_all_and_sets_the_flags),
		cmocka_unit_test(iomap_checks_what_it_maps),
		cmocka_unit_test(flags_are_changed_in_mmap_and_noticed_in_a_fault),
		cmocka_unit_test(outside_of_callbacks_the_driver_takes_the_lock_itself),
		cmocka_unit_test(a_page_that_a_fault_gives_is_mapped_with_its_reference),
		cmocka_unit_test(a_page_given_without_a_reference_is_gone_after_the_unmap),
		cmocka_unit_test(the_zero_page_given_without_a_reference_is_not_freed),
		cmocka_unit_test(inserted_pages_are_normal_pages),
		cmocka_unit_test(a_page_inserted_in_a_fault_needs_mixedmap),
		cmocka_unit_test(a_huge_fault_gives_a_leaf_where_the_kernel_asks_for_one),
		cmocka_unit_test(prepare_says_what_is_mapped_once_the_vma_exists),
		cmocka_unit_test(a_private_mapping_is_remapped_whole_or_not_at_all),
		cmocka_unit_test(a_simple_ioremap_checks_the_range),
		cmocka_unit_test(an_action_that_fails_takes_the_vma_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
