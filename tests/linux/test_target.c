/* SPDX-License-Identifier: GPL-2.0-only */
/* Handlers that do not check how long a mapping is, or where it lies. */
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

static int map_pfn(struct world *w, unsigned long pfn, unsigned long npages)
{
	static const struct file_operations fops = { .mmap = do_mmap };
	struct file *file = ms_linux_file(w->m, &fops, O_RDWR, NULL);
	const size_t before = ms_violations(w->m);
	size_t told;

	driver.pfn = pfn;
	assert_int_equal(map(w, A, npages, file), A);
	for (unsigned long i = 0; driver.by_fault && i < npages; i++)
		assert_int_equal(ms_touch(w->mm, A + i * PAGE_SIZE, MS_PROT_R), MS_ACCESS_OK);
	told = ms_violations(w->m) - before;
	ms_munmap(w->mm, A, npages * PAGE_SIZE);
	ms_linux_close(file);
	return (int)told;
}

static void a_mapping_beyond_its_device_is_told(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		for (int by_fault = 0; by_fault < 2; by_fault++) {
			struct world w = world(k->release);

			driver.by_fault = by_fault;
			assert_int_equal(map_pfn(&w, PHYS_PFN(BAR), BAR_PAGES), 0);
			assert_int_equal(map_pfn(&w, PHYS_PFN(BAR), BAR_PAGES + 1), 1);
			assert_violated(&w, 0, "a mapping reaches beyond the end of device bar",
					A + BAR_PAGES * PAGE_SIZE, BAR + BAR_PAGES * PAGE_SIZE);
			world_end(&w);
		}
	}
	driver.by_fault = false;
}

/* The next device is no part of it, although it begins where the first one ends. */
static void so_is_one_that_reaches_into_the_next_device(void **state)
{
	struct world w = world("6.12.117");

	assert_non_null(ms_device_add(w.m, "next", BAR + BAR_PAGES * PAGE_SIZE, PAGE_SIZE));
	assert_int_equal(map_pfn(&w, PHYS_PFN(BAR), BAR_PAGES + 1), 1);
	assert_int_equal(map_pfn(&w, PHYS_PFN(BAR) + BAR_PAGES, 1), 0);
	assert_int_equal(map_pfn(&w, PHYS_PFN(BAR) + BAR_PAGES, 2), 1);
	world_end(&w);
}

static void ram_that_nobody_has_allocated_is_told(void **state)
{
	struct world w = world("6.12.117");
	struct page *page = alloc_page(GFP_KERNEL), *block = alloc_pages(GFP_KERNEL, 1);

	assert_int_equal(map_pfn(&w, page_to_pfn(page), 1), 0);
	assert_int_equal(map_pfn(&w, page_to_pfn(block), 2), 0);
	assert_int_equal(map_pfn(&w, page_to_pfn(block), 4), 1);
	assert_violated(&w, 0, "a mapping shows RAM that nobody has allocated", A + 2 * PAGE_SIZE,
			page_to_phys(block + 2));
	assert_int_equal(map_pfn(&w, PHYS_PFN(RAM) + 2000, 1), 1);
	assert_int_equal(map_pfn(&w, 0x123456, 1), 1);
	assert_string_equal(violation(&w, 2), "a mapping shows what is no device and no RAM" IN_VMA
					      "0x7e0000001000 of process 1 (driver)");
	world_end(&w);
}

static void ram_that_was_set_aside_may_be_mapped(void **state)
{
	struct world w = world("6.12.117");
	const uint64_t before = ms_ram_free_pages(w.m);

	assert_int_equal(ms_ram_reserve(w.m, RAM + SZ_1M, SZ_1M), 0);
	assert_int_equal(ms_ram_free_pages(w.m), before - 256);
	assert_int_equal(ms_ram_reserve(w.m, RAM + SZ_1M, SZ_4K), -EBUSY);
	assert_int_equal(ms_ram_reserve(w.m, BAR, SZ_4K), -EINVAL);
	assert_int_equal(ms_ram_reserve(w.m, RAM, 100), -EINVAL);
	assert_int_equal(ms_ram_reserve(NULL, RAM, SZ_4K), -EINVAL);
	assert_true(PageReserved(phys_to_page(RAM + SZ_1M)));
	assert_int_equal(map_pfn(&w, PHYS_PFN(RAM + SZ_1M), 256), 0);
	assert_int_equal(map_pfn(&w, PHYS_PFN(RAM + SZ_1M), 257), 1);
	while (alloc_page(GFP_KERNEL))
		;
	assert_int_equal(map_pfn(&w, PHYS_PFN(RAM + SZ_1M), 257), 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mapping_beyond_its_device_is_told),
		cmocka_unit_test(so_is_one_that_reaches_into_the_next_device),
		cmocka_unit_test(ram_that_nobody_has_allocated_is_told),
		cmocka_unit_test(ram_that_was_set_aside_may_be_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
