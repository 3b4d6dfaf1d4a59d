/* SPDX-License-Identifier: GPL-2.0-only */
/* Each of a driver's vm_ops: when it is called, for what, and what its answer does. */
#include "world.h"

#define HUGE_BAR 0x4000000000ul

/* What the driver of a test answers, and what it was asked; one at a time. */
static struct {
	struct vm_operations_struct ops;
	unsigned long flags;
	int opens, closes, splits, moves, mkwrites;
	int may_split, may_move;
	vm_fault_t mkwrite;
	unsigned long split_at;
	struct page *page;
} driver;

static void note_open(struct vm_area_struct *vma)
{
	mmap_assert_write_locked(vma->vm_mm);
	driver.opens++;
}

static void note_close(struct vm_area_struct *vma)
{
	driver.closes++;
}

static int note_split(struct vm_area_struct *vma, unsigned long addr)
{
	driver.splits++;
	driver.split_at = addr;
	return driver.may_split;
}

static int note_move(struct vm_area_struct *vma)
{
	driver.moves++;
	return driver.may_move;
}

static vm_fault_t note_mkwrite(struct vm_fault *vmf)
{
	assert_true(vmf->flags & FAULT_FLAG_WRITE);
	driver.mkwrites++;
	return driver.mkwrite;
}

static vm_fault_t insert_pfn(struct vm_fault *vmf)
{
	return vmf_insert_pfn(vmf->vma, vmf->address, PHYS_PFN(HUGE_BAR) + vmf->pgoff);
}

static vm_fault_t insert_mixed(struct vm_fault *vmf)
{
	return vmf_insert_mixed(vmf->vma, vmf->address, pfn_to_pfn_t(PHYS_PFN(HUGE_BAR)));
}

static vm_fault_t insert_huge(struct vm_fault *vmf, enum page_entry_size size)
{
	switch (size) {
	case PE_SIZE_PMD:
		return vmf_insert_pfn_pmd(vmf, pfn_to_pfn_t(PHYS_PFN(HUGE_BAR)), false);
	case PE_SIZE_PUD:
		return vmf_insert_pfn_pud(vmf, pfn_to_pfn_t(PHYS_PFN(HUGE_BAR)), false);
	default:
		return VM_FAULT_FALLBACK;
	}
}

/* A page as a file system gives it: locked, and with a reference. */
static vm_fault_t give_page(struct vm_fault *vmf)
{
	get_page(driver.page);
	vmf->page = driver.page;
	return 0;
}

static int do_mmap(struct file *file, struct vm_area_struct *vma)
{
	vm_flags_set(vma, driver.flags);
	vma->vm_ops = &driver.ops;
	return 0;
}

static struct world begin(const char *release, unsigned long npages)
{
	static const struct file_operations fops = { .mmap = do_mmap };
	struct world w = world(release);

	assert_non_null(ms_device_add(w.m, "huge", HUGE_BAR, SZ_2G));
	assert_int_equal(map(&w, SZ_1G + A, npages, ms_linux_file(w.m, &fops, O_RDWR, NULL)),
			 SZ_1G + A);
	return w;
}

#define VA (SZ_1G + A)

static void driver_reset(void)
{
	memset(&driver, 0, sizeof(driver));
	driver.flags = VM_IO | VM_PFNMAP;
	driver.ops.fault = insert_pfn;
}

/* ---- tests ---- */

/*
 *   |----|----|----|----|
 *             ^ munmap of the third: one split, and the piece in the middle goes
 */
static void open_and_close_count_the_pieces(void **state)
{
	struct mm_struct *child;
	struct world w;

	driver_reset();
	driver.ops.open = note_open;
	driver.ops.close = note_close;
	w = begin("6.12.117", 4);
	assert_int_equal(driver.opens, 0); // ->mmap is the first one's open
	child = ms_fork(w.mm);
	assert_int_equal(driver.opens, 1);
	ms_munmap(w.mm, VA + 2 * PAGE_SIZE, PAGE_SIZE);
	assert_int_equal(driver.opens, 1 + 2);
	assert_int_equal(driver.closes, 1);
	ms_mm_exit(child);
	assert_int_equal(driver.closes, 2);
	ms_munmap(w.mm, VA, 4 * PAGE_SIZE);
	assert_int_equal(driver.closes, 1 + driver.opens);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void may_split_refuses_before_anything_is_changed(void **state)
{
	struct world w;

	driver_reset();
	driver.ops.may_split = note_split;
	driver.may_split = -EINVAL;
	w = begin("6.12.117", 4);
	assert_int_equal(ms_munmap(w.mm, VA, PAGE_SIZE), -EINVAL);
	assert_int_equal(driver.split_at, VA + PAGE_SIZE);
	assert_int_equal(vma_lookup(w.mm, VA)->vm_end, VA + 4 * PAGE_SIZE);
	assert_int_equal(ms_munmap(w.mm, VA, 4 * PAGE_SIZE), 0);
	assert_int_equal(driver.splits, 1);
	world_end(&w);
}

static void mremap_asks_once_the_pages_have_moved(void **state)
{
	const unsigned long there = VA + SZ_2M;
	struct world w;

	driver_reset();
	driver.ops.mremap = note_move;
	w = begin("6.12.117", 1);
	ms_touch(w.mm, VA, MS_PROT_R);
	driver.may_move = -EPERM;
	assert_int_equal(ms_mremap(w.mm, VA, PAGE_SIZE, PAGE_SIZE,
				   MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, there),
			 -EPERM);
	assert_int_equal(pa_of(&w, VA), HUGE_BAR);
	driver.may_move = 0;
	assert_int_equal(ms_mremap(w.mm, VA, PAGE_SIZE, PAGE_SIZE,
				   MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, there),
			 there);
	assert_int_equal(pa_of(&w, there), HUGE_BAR);
	assert_int_equal(driver.moves, 2);
	world_end(&w);
}

static void end_open(struct vm_area_struct *vma)
{
	vma->vm_ops = NULL;
}

static void mremap_asks_by_the_operations_of_the_source(void **state)
{
	const unsigned long there = VA + SZ_2M;
	struct world w;

	driver_reset();
	driver.ops.open = end_open; // of the copy
	driver.ops.mremap = note_move;
	driver.may_move = -EPERM;
	w = begin("6.12.117", 1);
	assert_int_equal(ms_mremap(w.mm, VA, PAGE_SIZE, PAGE_SIZE,
				   MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, there),
			 -EPERM);
	assert_int_equal(driver.moves, 1);
	world_end(&w);
}

static vm_fault_t give_page_and_end(struct vm_fault *vmf)
{
	vmf->vma->vm_ops = NULL;
	return give_page(vmf);
}

static void a_write_fault_that_takes_the_operations_away_is_a_violation(void **state)
{
	struct world w;

	driver_reset();
	driver.flags = 0;
	driver.ops.fault = give_page_and_end;
	w = begin("6.12.117", 1);
	driver.page = alloc_page(GFP_KERNEL);
	assert_int_equal(ms_touch(w.mm, VA, MS_PROT_W), MS_ACCESS_SIGBUS);
	assert_string_equal(violation(&w, 0),
			    "fault handler gives a page and takes the VMA's operations away");
	ms_munmap(w.mm, VA, PAGE_SIZE);
	put_page(driver.page);
	world_end(&w);
}

static void pfn_mkwrite_is_asked_at_the_first_write(void **state)
{
	struct world w;

	driver_reset();
	driver.ops.pfn_mkwrite = note_mkwrite;
	w = begin("6.12.117", 2);
	ms_touch(w.mm, VA, MS_PROT_R);
	assert_int_equal(driver.mkwrites, 0);
	assert_int_equal(ms_touch(w.mm, VA, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_touch(w.mm, VA, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(driver.mkwrites, 1);
	ms_touch(w.mm, VA + PAGE_SIZE, MS_PROT_R);
	driver.mkwrite = VM_FAULT_SIGBUS;
	assert_int_equal(ms_touch(w.mm, VA + PAGE_SIZE, MS_PROT_W), MS_ACCESS_SIGBUS);
	world_end(&w);
}

static void page_mkwrite_is_asked_at_the_first_write(void **state)
{
	struct world w;

	driver_reset();
	driver.flags = 0;
	driver.ops.fault = give_page;
	driver.ops.page_mkwrite = note_mkwrite;
	driver.mkwrite = VM_FAULT_LOCKED;
	w = begin("6.12.117", 1);
	driver.page = alloc_page(GFP_KERNEL);
	ms_touch(w.mm, VA, MS_PROT_R);
	assert_int_equal(driver.mkwrites, 0);
	assert_int_equal(ms_touch(w.mm, VA, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_touch(w.mm, VA, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(driver.mkwrites, 1);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

/* A mixed map takes pfns without a struct page as it takes pages. */
static void a_pfn_goes_into_a_mixed_map(void **state)
{
	struct world w;

	driver_reset();
	driver.flags = VM_MIXEDMAP;
	driver.ops.fault = insert_mixed;
	w = begin("6.12.117", 1);
	assert_int_equal(ms_touch(w.mm, VA, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(pa_of(&w, VA), HUGE_BAR);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void a_huge_fault_is_asked_for_the_largest_leaf_first(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct ms_host_leaf leaf;
		struct world w;

		driver_reset();
		driver.ops.huge_fault = insert_huge;
		w = begin(k->release, SZ_1G >> PAGE_SHIFT);
		assert_int_equal(ms_touch(w.mm, VA + SZ_4M, MS_PROT_R), MS_ACCESS_OK);
		assert_true(ms_host_leaf(w.mm, VA + SZ_4M, &leaf));
		assert_int_equal(leaf.size, k->pfnmap_huge_fault == MS_PFNMAP_HUGE_FAULT_NEVER
						    ? SZ_4K
						    : SZ_1G);
		assert_int_equal(pa_of(&w, VA + SZ_4M), HUGE_BAR + SZ_4M);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_and_close_count_the_pieces),
		cmocka_unit_test(may_split_refuses_before_anything_is_changed),
		cmocka_unit_test(mremap_asks_once_the_pages_have_moved),
		cmocka_unit_test(mremap_asks_by_the_operations_of_the_source),
		cmocka_unit_test(a_write_fault_that_takes_the_operations_away_is_a_violation),
		cmocka_unit_test(pfn_mkwrite_is_asked_at_the_first_write),
		cmocka_unit_test(page_mkwrite_is_asked_at_the_first_write),
		cmocka_unit_test(a_pfn_goes_into_a_mixed_map),
		cmocka_unit_test(a_huge_fault_is_asked_for_the_largest_leaf_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
