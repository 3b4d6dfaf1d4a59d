/* SPDX-License-Identifier: GPL-2.0-only */
/* Coherent DMA memory of devices of each kind, as the driver and as a process see it. */
#include "world.h"

static struct {
	struct device dev;
	void *addr;
	dma_addr_t handle;
} driver;

#define SIZE (3 * PAGE_SIZE)

static int dma_mmap(struct file *file, struct vm_area_struct *vma)
{
	return dma_mmap_coherent(&driver.dev, vma, driver.addr, driver.handle, SIZE);
}

static struct world begin(enum ms_arch arch, const char *release, bool coherent, bool iommu)
{
	struct world w = world_of(ms_policy_linux(release, arch));

	driver.dev =
		(struct device){ .init_name = "dma", .dma_coherent = coherent, .dma_iommu = iommu };
	driver.addr = dma_alloc_coherent(&driver.dev, SIZE, &driver.handle, GFP_KERNEL);
	assert_non_null(driver.addr);
	assert_int_equal(((char *)driver.addr)[SIZE - 1], 0);
	assert_int_equal(ms_linux_allocated(w.m), 1);
	return w;
}

static int64_t map_it(struct world *w, unsigned long npages)
{
	static const struct file_operations fops = { .mmap = dma_mmap };

	return map(w, A, npages, ms_linux_file(w->m, &fops, O_RDWR, NULL));
}

static enum ms_cache cache_at(struct world *w, unsigned long at)
{
	struct ms_host_leaf leaf;

	assert_true(ms_host_leaf(w->mm, at, &leaf));
	return ms_pgprot_cache(leaf.entry);
}

static void end(struct world *w)
{
	ms_munmap(w->mm, A, SIZE);
	dma_free_coherent(&driver.dev, SIZE, driver.addr, driver.handle);
	assert_int_equal(ms_linux_allocated(w->m), 0);
	assert_int_equal(ms_linux_leaks(w->m), 0);
	assert_int_equal(ms_violations(w->m), 0);
	world_end(w);
}

static void a_coherent_device_shares_cached_memory(void **state)
{
	const enum ms_arch arches[] = { MS_ARCH_X86_64, MS_ARCH_ARM64 };
	const struct ms_policy *k;

	for (int i = 0; i < 2; i++)
		for_each_kernel (k, arches[i]) {
			// on x86 it does not count what the device says
			struct world w = begin(arches[i], k->release, i == 1, false);

			assert_int_equal(driver.handle, virt_to_phys(driver.addr));
			assert_int_equal(map_it(&w, 3), A);
			assert_int_equal(pa_of(&w, A + PAGE_SIZE), driver.handle + PAGE_SIZE);
			assert_int_equal(cache_at(&w, A), MS_CACHE_WB);
			assert_true(vma_lookup(w.mm, A)->vm_flags & VM_PFNMAP);
			end(&w);
		}
}

static void on_arm64_it_is_uncached_where_the_device_is_not_coherent(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = begin(MS_ARCH_ARM64, k->release, false, false);

		assert_true(is_vmalloc_addr(driver.addr));
		assert_int_equal(page_to_phys(vmalloc_to_page((char *)driver.addr + PAGE_SIZE)),
				 driver.handle + PAGE_SIZE);
		assert_int_equal(map_it(&w, 3), A);
		assert_int_equal(cache_at(&w, A), MS_CACHE_WC);
		assert_int_equal(pa_of(&w, A), driver.handle);
		end(&w);
	}
}

static void behind_an_iommu_it_is_pages_one_by_one(void **state)
{
	for (int coherent = 0; coherent < 2; coherent++) {
		struct world w = begin(MS_ARCH_ARM64, "6.12.117", coherent, true);

		assert_true(is_vmalloc_addr(driver.addr));
		assert_false(pfn_valid(PHYS_PFN(driver.handle)));
		assert_int_equal(map_it(&w, 3), A);
		assert_int_equal(PHYS_PFN(pa_of(&w, A + PAGE_SIZE)),
				 vmalloc_to_pfn((char *)driver.addr + PAGE_SIZE));
		assert_int_equal(cache_at(&w, A), coherent ? MS_CACHE_WB : MS_CACHE_WC);
		assert_int_equal(vma_lookup(w.mm, A)->vm_flags & (VM_PFNMAP | VM_MIXEDMAP),
				 VM_MIXEDMAP);
		end(&w);
	}
}

/* PHYS_PFN() of what the device is told is no page of RAM then. */
static int wrong_mmap(struct file *file, struct vm_area_struct *vma)
{
	return remap_pfn_range(vma, vma->vm_start, PHYS_PFN(driver.handle), PAGE_SIZE,
			       vma->vm_page_prot);
}

static void an_address_of_the_iommu_is_no_physical_one(void **state)
{
	static const struct file_operations fops = { .mmap = wrong_mmap };
	struct world w = begin(MS_ARCH_ARM64, "6.12.117", true, true);

	assert_int_equal(map(&w, A, 1, ms_linux_file(w.m, &fops, O_RDWR, NULL)), -EINVAL);
	assert_string_equal(violation(&w, 0), "a mapping shows a pfn that no physical address has");
	world_end(&w);
}

static void more_than_the_buffer_is_not_mapped(void **state)
{
	for (int iommu = 0; iommu < 2; iommu++) {
		struct world w = begin(MS_ARCH_X86_64, "6.12.117", false, iommu);

		assert_int_equal(map_it(&w, 4), -ENXIO);
		end(&w);
	}
}

static void what_does_not_fit_is_told(void **state)
{
	struct world w = begin(MS_ARCH_X86_64, "6.12.117", false, false);

	assert_int_equal(ms_linux_leaks(w.m), 1);
	dma_free_coherent(&driver.dev, SIZE, (char *)driver.addr + PAGE_SIZE, driver.handle);
	assert_string_equal(violation(&w, 1),
			    "dma_free_coherent of what dma_alloc_coherent did not give");
	dma_free_coherent(&driver.dev, PAGE_SIZE, driver.addr, driver.handle);
	assert_string_equal(violation(&w, 2),
			    "dma_free_coherent of another size than was allocated");
	assert_int_equal(ms_linux_allocated(w.m), 0);
	world_end(&w);
}

static void it_may_fail_everywhere(void **state)
{
	struct world w = world("6.12.117");
	const uint64_t before = ms_ram_free_pages(w.m);

	for (int how = 0; how < 2; how++)
		for (uint64_t n = 1; n < 10; n++) {
			struct device dev = { .dma_iommu = how };
			dma_addr_t handle = 0;
			void *p;

			ms_machine_fail_alloc(w.m, n);
			p = dma_alloc_coherent(&dev, SIZE, &handle, GFP_KERNEL);
			ms_machine_fail_alloc(w.m, 0);
			dma_free_coherent(&dev, SIZE, p, handle);
			assert_int_equal(ms_ram_free_pages(w.m), before);
			assert_int_equal(ms_machine_check(w.m, stderr), 0);
		}
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_coherent_device_shares_cached_memory),
		cmocka_unit_test(on_arm64_it_is_uncached_where_the_device_is_not_coherent),
		cmocka_unit_test(behind_an_iommu_it_is_pages_one_by_one),
		cmocka_unit_test(an_address_of_the_iommu_is_no_physical_one),
		cmocka_unit_test(more_than_the_buffer_is_not_mapped),
		cmocka_unit_test(what_does_not_fit_is_told),
		cmocka_unit_test(it_may_fail_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
