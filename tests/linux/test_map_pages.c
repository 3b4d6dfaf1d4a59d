/* SPDX-License-Identifier: GPL-2.0-only */
/* A driver's own ->map_pages, and folios that are mapped by one leaf. */
#include "world.h"

static struct {
	unsigned int calls, faults;
	unsigned long first, last, skip;
	bool under_rcu, sleeps, empty;
} seen;

static vm_fault_t bar_map_pages(struct vm_fault *vmf, pgoff_t first, pgoff_t last)
{
	struct vm_area_struct *vma = vmf->vma;
	vm_fault_t ret = 0;

	seen.calls++;
	seen.first = first;
	seen.last = last;
	seen.under_rcu = rcu_read_lock_held();
	if (seen.sleeps)
		kfree(kmalloc(8, GFP_KERNEL));
	for (pgoff_t off = first; off <= last && !seen.empty; off++) {
		const unsigned long at = vma->vm_start + (off - vma->vm_pgoff) * PAGE_SIZE;

		if (off == seen.skip)
			continue;
		ret |= vmf_insert_pfn(vma, at, PHYS_PFN(BAR) + off);
	}
	return seen.empty || vmf->pgoff == seen.skip ? 0 : ret;
}

static vm_fault_t bar_fault(struct vm_fault *vmf)
{
	seen.faults++;
	return vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(BAR) + vmf->pgoff);
}

static int bar_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = {
		.fault = bar_fault,
		.map_pages = bar_map_pages,
	};

	(void)file;
	vm_flags_set(vma, VM_IO | VM_PFNMAP);
	vma->vm_ops = &ops;
	return 0;
}

static const struct file_operations fops = { .mmap = bar_mmap };

/* Mapped at A, of the pages from 2 on; one is mapped already, so that the table is there. */
static struct world mapped(const char *release, struct file **file)
{
	struct world w = world(release);

	memset(&seen, 0, sizeof(seen));
	seen.skip = ~0ul;
	*file = ms_linux_file(w.m, &fops, O_RDWR, NULL);
	assert_int_equal(ms_mmap(w.mm, A, 13 * PAGE_SIZE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED,
				 *file, 2 * PAGE_SIZE),
			 A);
	// a write is not read around
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(seen.calls, 0);
	assert_int_equal(seen.faults, 1);
	return w;
}

static void around(const char *release, bool under_rcu)
{
	struct file *file;
	struct world w = mapped(release, &file);

	assert_int_equal(ms_touch(w.mm, A + 3 * PAGE_SIZE, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.faults, 1);
	assert_int_equal(seen.under_rcu, under_rcu);
	// the window is inside of the VMA
	assert_int_equal(seen.first, 2);
	assert_int_equal(seen.last, 14);
	assert_int_equal(pa_of(&w, A + 12 * PAGE_SIZE), BAR + 14 * PAGE_SIZE);
	assert_int_equal(ms_violations(w.m), 0);
	ms_linux_close(file);
	world_end(&w);
}

static void a_read_maps_what_is_around(void **state)
{
	(void)state;
	around("5.15.100", false);
	around("6.1.192", false);
	around("6.12.117", true);
	around("7.3.4", true);
}

/* 5.10 does not ask what the handler says: the fault goes on, and finds the page there. */
static void the_oldest_kernels_do_not_hear_the_answer(void **state)
{
	struct file *file;
	struct world w = mapped("5.10.223", &file);

	(void)state;
	assert_int_equal(ms_touch(w.mm, A + 3 * PAGE_SIZE, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.faults, 2);
	assert_int_equal(pa_of(&w, A + 12 * PAGE_SIZE), BAR + 14 * PAGE_SIZE);
	ms_linux_close(file);
	world_end(&w);
}

static void what_it_does_not_map_is_faulted(void **state)
{
	struct file *file;
	struct world w = mapped("6.12.117", &file);

	(void)state;
	seen.skip = 5;
	assert_int_equal(ms_touch(w.mm, A + 3 * PAGE_SIZE, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.faults, 2);
	assert_int_equal(pa_of(&w, A + 3 * PAGE_SIZE), BAR + 5 * PAGE_SIZE);
	ms_linux_close(file);
	world_end(&w);
}

static void it_must_not_sleep(void **state)
{
	struct file *file;
	struct world w = mapped("6.12.117", &file);

	(void)state;
	seen.sleeps = seen.empty = true;
	assert_int_equal(ms_touch(w.mm, A + 3 * PAGE_SIZE, MS_PROT_R), MS_ACCESS_OK);
	assert_violated(&w, 0, "kmalloc may sleep, and rcu_read_lock() is held", 0, 0);
	ms_linux_close(file);
	world_end(&w);
}

/* Where no page table is there, inserting allocates one: a sleep under rcu_read_lock(). */
static void it_must_not_allocate_a_page_table(void **state)
{
	struct world w = world("6.12.117");
	struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);

	(void)state;
	memset(&seen, 0, sizeof(seen));
	seen.skip = ~0ul;
	assert_int_equal(map(&w, A, 16, file), A);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_violated(&w, 0, "a page table is allocated in ->map_pages, under rcu_read_lock()", A,
			0);
	assert_int_equal(ms_violations(w.m), 1);
	ms_linux_close(file);
	world_end(&w);
}

static int cached_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = {
		.fault = bar_fault,
		.map_pages = filemap_map_pages,
	};

	(void)file;
	vm_flags_set(vma, VM_IO | VM_PFNMAP);
	vma->vm_ops = &ops;
	return 0;
}

/* No page of a device's file is cached. */
static void filemap_map_pages_finds_nothing_in_a_drivers_file(void **state)
{
	static const struct file_operations cached = { .mmap = cached_mmap };
	struct world w = world("6.12.117");
	struct file *file = ms_linux_file(w.m, &cached, O_RDWR, NULL);

	(void)state;
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(map(&w, A, 4, file), A);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(seen.faults, 1);
	assert_int_equal(pa_of(&w, A + PAGE_SIZE), 0);
	ms_linux_close(file);
	world_end(&w);
}

/* ---- folios by one leaf ---- */

static struct folio *folio;
static unsigned int leaf_order;

static vm_fault_t folio_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	if (order != leaf_order)
		return VM_FAULT_FALLBACK;
	return vmf_insert_folio_pmd(vmf, folio, vmf->flags & FAULT_FLAG_WRITE);
}

static vm_fault_t folio_fault(struct vm_fault *vmf)
{
	(void)vmf;
	return VM_FAULT_SIGBUS;
}

static int folio_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = {
		.huge_fault = folio_huge_fault,
		.fault = folio_fault,
	};

	(void)file;
	vm_flags_set(vma, VM_MIXEDMAP | VM_HUGEPAGE);
	vma->vm_ops = &ops;
	return 0;
}

static void a_folio_is_mapped_and_counted(void **state)
{
	static const struct file_operations folio_fops = { .mmap = folio_mmap };
	struct world w = world("7.2.13");
	struct file *file = ms_linux_file(w.m, &folio_fops, O_RDWR, NULL);
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, PMD_ORDER);
	struct ms_host_leaf leaf;

	(void)state;
	folio = page_folio(page);
	leaf_order = PMD_ORDER;
	assert_int_equal(map(&w, A, 512, file), A);
	assert_int_equal(ms_touch(w.mm, A + 5 * PAGE_SIZE, MS_PROT_W), MS_ACCESS_OK);
	assert_true(ms_host_leaf(w.mm, A, &leaf));
	assert_int_equal(leaf.size, SZ_2M);
	assert_int_equal(leaf.entry & MS_PTE_SPECIAL, 0);
	assert_int_equal(page_count(page), 2);
	assert_int_equal(ms_machine_check(w.m, stderr), 0);
	assert_int_equal(ms_munmap(w.mm, A, SZ_2M), 0);
	assert_int_equal(page_count(page), 1);
	assert_int_equal(ms_violations(w.m), 0);
	__free_pages(page, PMD_ORDER);
	// one page is no such folio
	page = alloc_page(GFP_KERNEL);
	folio = page_folio(page);
	assert_int_equal(map(&w, A, 512, file), A);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_int_equal(ms_violations(w.m), 1);
	__free_page(page);
	ms_linux_close(file);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_read_maps_what_is_around),
		cmocka_unit_test(the_oldest_kernels_do_not_hear_the_answer),
		cmocka_unit_test(what_it_does_not_map_is_faulted),
		cmocka_unit_test(it_must_not_sleep),
		cmocka_unit_test(it_must_not_allocate_a_page_table),
		cmocka_unit_test(filemap_map_pages_finds_nothing_in_a_drivers_file),
		cmocka_unit_test(a_folio_is_mapped_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
