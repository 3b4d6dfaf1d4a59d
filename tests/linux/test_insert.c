/* SPDX-License-Identifier: GPL-2.0-only */
/* Which pages a driver may put into a process, and which the kernel refuses, by release. */
#include "world.h"

static struct {
	struct page *page[4];
	unsigned int n;
	int err;
	void *area;
	unsigned long pgoff;
} driver;

static int insert_mmap(struct file *file, struct vm_area_struct *vma)
{
	driver.err = 0;
	for (unsigned int i = 0; i < driver.n && !driver.err; i++)
		driver.err = vm_insert_page(vma, vma->vm_start + i * PAGE_SIZE, driver.page[i]);
	return driver.err;
}

static const struct file_operations insert_fops = { .mmap = insert_mmap };

/* What vm_insert_page() answers for this page. */
static int insert(struct world *w, struct page *page)
{
	struct file *file = ms_linux_file(w->m, &insert_fops, O_RDWR, NULL);

	driver.page[0] = page;
	driver.n = 1;
	if (map(w, A, 1, file) == (int64_t)A)
		ms_munmap(w->mm, A, PAGE_SIZE);
	ms_linux_close(file);
	return driver.err;
}

static void pages_of_kmalloc_and_pages_without_a_reference_are_refused(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct world w = world(k->release);
		const bool large_refused =
			k->insert_page_kinds == MS_INSERT_PAGE_KINDS_SLAB_HUGETLB_LARGE_KMALLOC;
		char *small = kmalloc(64, GFP_KERNEL), *page = kmalloc(PAGE_SIZE, GFP_KERNEL);
		char *large = kmalloc(4 * PAGE_SIZE, GFP_KERNEL), *v = vmalloc(PAGE_SIZE);
		struct page *block = alloc_pages(GFP_KERNEL, 1);

		assert_int_equal(insert(&w, virt_to_page(small)), -EINVAL);
		assert_int_equal(insert(&w, virt_to_page(page)), -EINVAL);
		assert_int_equal(insert(&w, virt_to_page(large)), large_refused ? -EINVAL : 0);
		assert_int_equal(insert(&w, vmalloc_to_page(v)), 0);
		assert_int_equal(insert(&w, block), 0);
		assert_int_equal(insert(&w, block + 1), -EINVAL);
		split_page(block, 1);
		assert_int_equal(insert(&w, block + 1), 0);
		__free_page(block);
		__free_page(block + 1);
		assert_int_equal(insert(&w, block), -EINVAL); // it is free
		kfree(small);
		kfree(page);
		kfree(large);
		vfree(v);
		assert_int_equal(ms_linux_allocated(w.m), 0);
		assert_int_equal(ms_violations(w.m), 0);
		world_end(&w);
	}
}

/* They are anonymous memory, or the page cache's. */
static void anonymous_pages_are_refused(void **state)
{
	struct world w = world("6.12.117");
	const ms_hva_t anon = A + SZ_1M;

	ms_mmap(w.mm, anon, PAGE_SIZE, MS_PROT_RW, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS | MS_MAP_FIXED,
		NULL, 0);
	assert_int_equal(ms_touch(w.mm, anon, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(insert(&w, pfn_to_page(PHYS_PFN(pa_of(&w, anon)))), -EINVAL);
	assert_int_equal(insert(&w, pfn_to_page(PHYS_PFN(BAR))), -EINVAL);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void a_page_of_hugetlb_is_refused_or_a_bad_page_map_later(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct world w = world(k->release);
		const bool taken = k->insert_page_kinds == MS_INSERT_PAGE_KINDS_SLAB;
		const ms_hva_t huge = A + SZ_1G;
		struct ms_file *file = ms_memfd_hugetlb_new(w.m, SZ_2M, SZ_2M);

		assert_int_equal(ms_mmap(w.mm, huge, SZ_2M, MS_PROT_RW,
					 MS_MAP_SHARED | MS_MAP_FIXED, file, 0),
				 huge);
		assert_int_equal(ms_touch(w.mm, huge, MS_PROT_W), MS_ACCESS_OK);
		assert_int_equal(insert(&w, pfn_to_page(PHYS_PFN(pa_of(&w, huge)))),
				 taken ? 0 : -EINVAL);
		assert_int_equal(ms_violations(w.m), taken);
		if (taken)
			assert_string_equal(violation(&w, 0),
					    "bad page map: a page of hugetlb, mapped by itself");
		world_end(&w);
	}
}

static void mapped_pages_are_counted_and_outlive_their_driver(void **state)
{
	struct world w = world("6.12.117");
	struct file *file = ms_linux_file(w.m, &insert_fops, O_RDWR, NULL);
	const uint64_t before = ms_ram_free_pages(w.m);
	struct page *page = alloc_page(GFP_KERNEL);

	driver.page[0] = driver.page[1] = page;
	driver.n = 2;
	assert_int_equal(map(&w, A, 2, file), A);
	assert_int_equal(page_mapcount(page), 2);
	assert_int_equal(page_count(page), 3);
	__free_page(page); // the mappings have references of their own
	assert_int_equal(ms_ram_free_pages(w.m), before - 1);
	ms_munmap(w.mm, A, 2 * PAGE_SIZE);
	assert_int_equal(ms_ram_free_pages(w.m), before);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

/* ---- vmf_insert_page_mkwrite ---- */

static vm_fault_t mkwrite_fault(struct vm_fault *vmf)
{
	return vmf_insert_page_mkwrite(vmf, driver.page[0], vmf->flags & FAULT_FLAG_WRITE);
}

static int mixed_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = mkwrite_fault,
							 .pfn_mkwrite = mkwrite_fault };

	vm_flags_set(vma, VM_MIXEDMAP);
	vma->vm_ops = &ops;
	return 0;
}

static void a_page_inserted_for_a_write_is_writable_at_once(void **state)
{
	static const struct file_operations fops = { .mmap = mixed_mmap };
	struct world w = world("7.2.13");
	struct ms_host_leaf leaf;

	driver.page[0] = alloc_page(GFP_KERNEL);
	assert_int_equal(map(&w, A, 2, ms_linux_file(w.m, &fops, O_RDWR, NULL)), A);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_true(ms_host_leaf(w.mm, A, &leaf));
	assert_int_equal(leaf.entry & (MS_PTE_WRITE | MS_PTE_SPECIAL), MS_PTE_WRITE);
	assert_int_equal(ms_touch(w.mm, A + PAGE_SIZE, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(page_mapcount(driver.page[0]), 2);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

/* ---- remap_vmalloc_range ---- */

static int vmalloc_mmap(struct file *file, struct vm_area_struct *vma)
{
	return remap_vmalloc_range(vma, driver.area, driver.pgoff);
}

static void memory_of_vmalloc_user_is_mapped_page_by_page(void **state)
{
	static const struct file_operations fops = { .mmap = vmalloc_mmap };
	struct world w = world("6.12.117");
	struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);
	void *plain = vmalloc(2 * PAGE_SIZE);

	driver.area = vmalloc_user(3 * PAGE_SIZE);
	driver.pgoff = 1;
	assert_int_equal(map(&w, A, 3, file), -EINVAL);
	assert_int_equal(map(&w, A, 2, file), A);
	assert_int_equal(PHYS_PFN(pa_of(&w, A + PAGE_SIZE)),
			 vmalloc_to_pfn((char *)driver.area + 2 * PAGE_SIZE));
	assert_int_equal(vma_lookup(w.mm, A)->vm_flags & (VM_MIXEDMAP | VM_DONTEXPAND | VM_IO),
			 VM_MIXEDMAP | VM_DONTEXPAND);
	vfree(driver.area);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	ms_munmap(w.mm, A, 2 * PAGE_SIZE);
	driver.area = plain;
	assert_int_equal(map(&w, A, 1, file), -EINVAL);
	assert_string_equal(ms_last_reason(w.m),
			    "remap_vmalloc_range of memory that is not of vmalloc_user");
	vfree(plain);
	assert_int_equal(ms_linux_allocated(w.m), 0);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_of_kmalloc_and_pages_without_a_reference_are_refused),
		cmocka_unit_test(anonymous_pages_are_refused),
		cmocka_unit_test(a_page_of_hugetlb_is_refused_or_a_bad_page_map_later),
		cmocka_unit_test(mapped_pages_are_counted_and_outlive_their_driver),
		cmocka_unit_test(a_page_inserted_for_a_write_is_writable_at_once),
		cmocka_unit_test(memory_of_vmalloc_user_is_mapped_page_by_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
