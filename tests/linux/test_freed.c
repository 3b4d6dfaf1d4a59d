/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RAM that is mapped by its pfn has no reference from the mapping: a driver that frees it first
 * leaves the process with memory that is somebody else's. No kernel says a word.
 */
#include "world.h"

static struct {
	unsigned long pfn;
	bool by_fault;
} driver;

static vm_fault_t insert(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, driver.pfn + vmf->pgoff);
}

static int do_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = insert };

	if (!driver.by_fault)
		return remap_pfn_range(vma, vma->vm_start, driver.pfn + vma->vm_pgoff,
				       vma->vm_end - vma->vm_start, vma->vm_page_prot);
	vm_flags_set(vma, VM_PFNMAP);
	vma->vm_ops = &ops;
	return 0;
}

static const struct file_operations fops = { .mmap = do_mmap };

static void map_pfn(struct world *w, unsigned long pfn, unsigned long npages)
{
	struct file *file = ms_linux_file(w->m, &fops, O_RDWR, NULL);

	driver.pfn = pfn;
	assert_int_equal(map(w, A, npages, file), A);
	for (unsigned long i = 0; driver.by_fault && i < npages; i++)
		assert_int_equal(ms_touch(w->mm, A + i * PAGE_SIZE, MS_PROT_W), MS_ACCESS_OK);
	ms_linux_close(file);
}

#define WORDS "RAM is freed while a page table shows it by its pfn"

static void pages_that_are_freed_while_mapped_are_told_with_the_vma(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		for (int by_fault = 0; by_fault < 2; by_fault++) {
			struct world w = world(k->release);
			struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
			const phys_addr_t pa = page_to_phys(page);

			driver.by_fault = by_fault;
			map_pfn(&w, page_to_pfn(page) + 1, 2);
			assert_int_equal(ms_violations(w.m), 0);
			__free_pages(page, 2);
			assert_int_equal(ms_violations(w.m), 1);
			assert_violated(&w, 0, WORDS, A, pa + PAGE_SIZE);
			world_end(&w);
		}
	}
	driver.by_fault = false;
}

static void after_the_unmap_they_may_be_freed(void **state)
{
	struct world w = world("6.12.117");
	struct page *page = alloc_pages(GFP_KERNEL, 2);
	struct mm_struct *child;

	map_pfn(&w, page_to_pfn(page), 4);
	child = ms_fork(w.mm);
	ms_munmap(w.mm, A, 4 * PAGE_SIZE);
	ms_mm_exit(child);
	__free_pages(page, 2);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

/* The revoke has forgotten the child, or it was the child that has moved. */
static void a_child_that_still_shows_them_is_found(void **state)
{
	struct world w = world("6.12.117");
	struct page *page = alloc_page(GFP_KERNEL);
	struct mm_struct *child;

	map_pfn(&w, page_to_pfn(page), 1);
	child = ms_fork(w.mm);
	assert_int_equal(ms_mremap(child, A, PAGE_SIZE, PAGE_SIZE,
				   MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, A + SZ_2M),
			 A + SZ_2M);
	ms_munmap(w.mm, A, PAGE_SIZE);
	__free_page(page);
	assert_violated(&w, 0, WORDS, A + SZ_2M, page_to_phys(page));
	assert_int_equal(ms_violation_cause(w.m, 1)->mm, 2);
	assert_int_equal(ms_violation_cause(w.m, 1)->vma_start, A + SZ_2M);
	assert_int_equal(ms_violations(w.m), 1);
	world_end(&w);
}

static void so_is_memory_of_kmalloc_vmalloc_and_dma(void **state)
{
	struct world w = world("6.12.117");
	struct device dev = { .init_name = "dma" };
	char *small = kmalloc(64, GFP_KERNEL), *large = kmalloc(4 * PAGE_SIZE, GFP_KERNEL);
	char *v = vmalloc(PAGE_SIZE);
	dma_addr_t handle = 0;
	void *coherent = dma_alloc_coherent(&dev, PAGE_SIZE, &handle, GFP_KERNEL);

	map_pfn(&w, virt_to_pfn(small), 1);
	kfree(small);
	assert_int_equal(ms_violations(w.m), 1);
	ms_munmap(w.mm, A, PAGE_SIZE);
	map_pfn(&w, virt_to_pfn(large), 4);
	kfree(large);
	assert_int_equal(ms_violations(w.m), 2);
	ms_munmap(w.mm, A, 4 * PAGE_SIZE);
	map_pfn(&w, vmalloc_to_pfn(v), 1);
	vfree(v);
	assert_int_equal(ms_violations(w.m), 3);
	ms_munmap(w.mm, A, PAGE_SIZE);
	map_pfn(&w, PHYS_PFN(handle), 1);
	dma_free_coherent(&dev, PAGE_SIZE, coherent, handle);
	assert_int_equal(ms_violations(w.m), 4);
	assert_string_equal(violation(&w, 0), WORDS);
	assert_int_equal(ms_violation_causes(w.m), 1);
	assert_int_equal(ms_linux_allocated(w.m), 0);
	world_end(&w);
}

static void a_private_mapping_shows_them_until_it_has_copied_them(void **state)
{
	struct world w = world("6.12.117");
	struct page *page = alloc_pages(GFP_KERNEL, 1);
	struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);

	driver.pfn = page_to_pfn(page);
	assert_int_equal(
		ms_mmap(w.mm, A, 2 * PAGE_SIZE, MS_PROT_RW, MS_MAP_PRIVATE | MS_MAP_FIXED, file, 0),
		A);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	__free_pages(page, 1);
	assert_violated(&w, 0, WORDS, A + PAGE_SIZE, page_to_phys(page + 1));
	assert_int_equal(ms_violations(w.m), 1);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_that_are_freed_while_mapped_are_told_with_the_vma),
		cmocka_unit_test(after_the_unmap_they_may_be_freed),
		cmocka_unit_test(a_child_that_still_shows_them_is_found),
		cmocka_unit_test(so_is_memory_of_kmalloc_vmalloc_and_dma),
		cmocka_unit_test(a_private_mapping_shows_them_until_it_has_copied_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
