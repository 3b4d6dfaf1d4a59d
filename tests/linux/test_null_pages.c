/* SPDX-License-Identifier: GPL-2.0-only */
/* As test_null.c: the names of pages, of vmalloc memory and of DMA memory are given NULL. */
#include "world.h"

#include <linux/dma-mapping.h>
#include <linux/vmalloc.h>

static void null_is_harmless_as_memory(void **state)
{
	struct world w = world("6.12.107");
	dma_addr_t handle = 0;

	(void)state;
	assert_null(ms_pfn_to_page_struct(NULL, 1));
	assert_int_equal(ms_page_struct_to_pfn(NULL, NULL), 0);
	assert_int_equal(ms_ram_reserve(NULL, RAM, PAGE_SIZE), -EINVAL);
	assert_false(ms_linux_is_vmalloc(NULL));
	assert_int_equal(ms_linux_vmalloc_area(NULL), 0);
	ms_linux_vfree(NULL);
	assert_int_not_equal(remap_vmalloc_range(NULL, NULL, 0), 0);
	assert_int_not_equal(remap_vmalloc_range_partial(NULL, A, NULL, 0, PAGE_SIZE), 0);
	vma_set_anonymous(NULL);
	assert_int_equal(ms_vmf_insert_mixed_mkwrite(NULL, A, 1), VM_FAULT_SIGBUS);
	assert_int_equal(vmf_insert_mixed_mkwrite(NULL, A, 1), VM_FAULT_SIGBUS);
	assert_int_equal(ms_vmf_insert_page_mkwrite(NULL, 1, true), VM_FAULT_SIGBUS);
	assert_int_equal(vmf_insert_page_mkwrite(NULL, pfn_to_page(PHYS_PFN(RAM)), true),
			 VM_FAULT_SIGBUS);
	assert_int_not_equal(ms_linux_dma_mmap(NULL, NULL, 0, PAGE_SIZE, 0), 0);
	assert_int_not_equal(dma_mmap_attrs(NULL, NULL, NULL, 0, PAGE_SIZE, 0), 0);
	assert_int_not_equal(dma_mmap_wc(NULL, NULL, NULL, 0, PAGE_SIZE), 0);
	assert_int_not_equal(dma_mmap_pages(NULL, NULL, PAGE_SIZE, pfn_to_page(PHYS_PFN(RAM))), 0);
	// a device that is NULL has no IOMMU, and is not coherent
	assert_false(dev_is_dma_coherent(NULL));
	assert_true(dma_can_mmap(NULL));
	dma_free_attrs(NULL, PAGE_SIZE, dma_alloc_attrs(NULL, PAGE_SIZE, &handle, GFP_KERNEL, 0),
		       handle, 0);
	dma_free_wc(NULL, PAGE_SIZE, dma_alloc_wc(NULL, PAGE_SIZE, &handle, GFP_KERNEL), handle);
	dma_free_pages(NULL, PAGE_SIZE,
		       dma_alloc_pages(NULL, PAGE_SIZE, &handle, DMA_BIDIRECTIONAL, GFP_KERNEL),
		       handle, DMA_BIDIRECTIONAL);
	assert_int_equal(ms_linux_leaks(w.m), 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_is_harmless_as_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
