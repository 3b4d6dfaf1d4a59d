/* SPDX-License-Identifier: GPL-2.0-only */
/* What a driver puts where it has no VMA, and what becomes of its page tables. */
#include "world.h"

static vm_fault_t huge_fault(struct vm_fault *vmf, unsigned int order)
{
	return order == PMD_ORDER ? vmf_insert_pfn_pmd(vmf, PHYS_PFN(LARGE_BAR), false)
				  : VM_FAULT_FALLBACK;
}

static int outside_mmap(struct file *file, struct vm_area_struct *vma)
{
	const unsigned long *addr = file->private_data;

	remap_pfn_range(vma, *addr, PHYS_PFN(BAR), SZ_2M + PAGE_SIZE, vma->vm_page_prot);
	return -EAGAIN;
}

/*
 *   VMA     |--|             goes, and with it the tables above its page
 *   remap      |=========|   its second table would be lost
 */
static void what_is_remapped_outside_of_the_vma_is_found(void **state)
{
	static const struct file_operations fops = { .mmap = outside_mmap };
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct world w = world(k->release);
		unsigned long addr = A + PAGE_SIZE;
		struct mm_struct *mm = ms_mm_new(w.m);

		w.mm = mm;
		assert_int_equal(map(&w, A, 1, ms_linux_file(w.m, &fops, O_RDWR, &addr)), -EAGAIN);
		assert_violated(&w, 0, "remap_pfn_range: range outside of the VMA", addr, 0);
		ms_mm_exit(mm);
		assert_string_equal(violation(&w, ms_violations(w.m) - 1),
				    "non-zero pgtables_bytes on freeing mm");
		world_end(&w);
	}
}

/*
 *   VMAs    |-|              |-|   go one by one, with the tables that they have a part in
 *   remap            |=|           is in nobody's: lost with the table above
 */
static void what_is_remapped_between_two_vmas_is_found(void **state)
{
	static const struct file_operations fops = { .mmap = outside_mmap };
	unsigned long between = A + SZ_8M;
	struct world w = arm64_world("6.12.117");
	struct file *file = ms_pci_resource(ms_device_find(w.m, "large"));

	map(&w, A, 1, file);
	map(&w, A + SZ_16M, 1, file);
	assert_int_equal(map(&w, A + SZ_4M, 1, ms_linux_file(w.m, &fops, O_RDWR, &between)),
			 -EAGAIN);
	assert_violated(&w, 0, "remap_pfn_range: range outside of the VMA", between, 0);
	ms_mm_exit(w.mm);
	assert_int_equal(ms_violations(w.m), 3); // it is longer than the BAR, too
	assert_string_equal(violation(&w, 2), "non-zero pgtables_bytes on freeing mm");
	world_end(&w);
}

static void inserting_close(struct vm_area_struct *vma)
{
	vmf_insert_pfn(vma, vma->vm_start, PHYS_PFN(BAR));
}

static int closing_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .close = inserting_close };

	vm_flags_set(vma, VM_IO | VM_PFNMAP);
	vma->vm_ops = &ops;
	return 0;
}

static void what_a_close_inserts_is_found_when_the_process_ends(void **state)
{
	static const struct file_operations fops = { .mmap = closing_mmap };
	struct world w = arm64_world("6.12.117");

	map(&w, A, 1, ms_linux_file(w.m, &fops, O_RDWR, NULL));
	ms_munmap(w.mm, A, PAGE_SIZE);
	assert_int_equal(ms_violations(w.m), 0);
	ms_mm_exit(w.mm);
	assert_string_equal(violation(&w, 0), "non-zero pgtables_bytes on freeing mm");
	world_end(&w);
}

static int huge_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .huge_fault = huge_fault };

	vm_flags_set(vma, VM_IO | VM_PFNMAP);
	vma->vm_ops = &ops;
	return 0;
}

/*
 * The kernel asks for a leaf that begins in the VMA; that it ends there is the driver's to see to.
 */
static void a_huge_leaf_beyond_its_vma_is_found(void **state)
{
	static const struct file_operations fops = { .mmap = huge_mmap };
	struct world w = arm64_world("6.12.117");
	struct vm_area_struct *vma;
	struct vm_fault vmf;

	map(&w, A, 16, ms_linux_file(w.m, &fops, O_RDWR, NULL));
	vma = vma_lookup(w.mm, A);
	vmf = (struct vm_fault){ .vma = vma, .address = A };
	assert_int_equal(huge_fault(&vmf, PMD_ORDER), VM_FAULT_NOPAGE);
	assert_violated(&w, 0, "huge leaf reaches beyond its VMA", A, 0);
	ms_linux_use(NULL);
	ms_machine_free(w.m); // not in order as it is
}

/*
 *   VMAs      |driver| anonymous |
 *   block     |=================================|   the driver's, with no table put by
 */
static void a_huge_leaf_that_reaches_into_anonymous_memory_is_none_of_it(void **state)
{
	static const struct file_operations fops = { .mmap = huge_mmap };
	struct world w = arm64_world("6.12.117");
	const unsigned long anonymous = A + 16 * PAGE_SIZE;
	struct ms_host_leaf leaf;
	struct vm_fault vmf;

	ms_mmap(w.mm, A, 16 * PAGE_SIZE, MS_PROT_R, MS_MAP_SHARED | MS_MAP_FIXED,
		ms_linux_file(w.m, &fops, O_RDWR, NULL), 0);
	vmf = (struct vm_fault){ .vma = vma_lookup(w.mm, A), .address = A };
	huge_fault(&vmf, PMD_ORDER);
	ms_mmap(w.mm, anonymous, 16 * PAGE_SIZE, MS_PROT_RW,
		MS_MAP_PRIVATE | MS_MAP_ANONYMOUS | MS_MAP_FIXED, NULL, 0);
	assert_int_equal(ms_violations(w.m), 1);
	assert_int_equal(ms_touch(w.mm, anonymous, MS_PROT_W), MS_ACCESS_OK);
	assert_violated(&w, 1, "write to a raw huge leaf in an anonymous VMA", anonymous, 0);
	assert_true(ms_host_leaf(w.mm, anonymous, &leaf));
	assert_int_equal(leaf.size, PAGE_SIZE);

	ms_munmap(w.mm, anonymous, 16 * PAGE_SIZE);
	huge_fault(&vmf, PMD_ORDER); // there is a table now
	assert_int_equal(pa_of(&w, anonymous), 0);
	world_end(&w);
}

static void remapping_open(struct vm_area_struct *vma)
{
	remap_pfn_range(vma, A + SZ_2M, PHYS_PFN(BAR), PAGE_SIZE, vma->vm_page_prot);
}

static int remapping_open_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .open = remapping_open };

	vma->vm_ops = &ops;
	return 0;
}

/*
 *   parent          |-|     |======= block =======|
 *   child: open     |-|     |=|                      a page where the next VMA will be
 *          copy     |-|     |======= block =======|  takes the place of the page's table
 */
static void a_table_that_a_fork_writes_a_block_over_is_found(void **state)
{
	static const struct file_operations fops = { .mmap = remapping_open_mmap };
	static const struct file_operations blocks = { .mmap = huge_mmap };
	struct world w = arm64_world("6.12.117");
	struct mm_struct *child;

	map(&w, A, 1, ms_linux_file(w.m, &fops, O_RDWR, NULL));
	map(&w, A + SZ_2M, SZ_2M >> PAGE_SHIFT, ms_linux_file(w.m, &blocks, O_RDWR, NULL));
	assert_int_equal(ms_touch(w.mm, A + SZ_2M, MS_PROT_R), MS_ACCESS_OK);
	child = ms_fork(w.mm);
	assert_violated(&w, 0, "remap_pfn_range: range outside of the VMA", A + SZ_2M, 0);
	assert_int_equal(pa_of(&(struct world){ .m = w.m, .mm = child }, A + SZ_2M), LARGE_BAR);
	ms_mm_exit(child);
	assert_int_equal(ms_violations(w.m), 2);
	assert_string_equal(violation(&w, 1), "non-zero pgtables_bytes on freeing mm");
	ms_mm_exit(w.mm);
	assert_int_equal(ms_violations(w.m), 2);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_remapped_outside_of_the_vma_is_found),
		cmocka_unit_test(what_is_remapped_between_two_vmas_is_found),
		cmocka_unit_test(what_a_close_inserts_is_found_when_the_process_ends),
		cmocka_unit_test(a_huge_leaf_beyond_its_vma_is_found),
		cmocka_unit_test(a_huge_leaf_that_reaches_into_anonymous_memory_is_none_of_it),
		cmocka_unit_test(a_table_that_a_fork_writes_a_block_over_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
