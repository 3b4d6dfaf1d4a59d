/* SPDX-License-Identifier: GPL-2.0-only */
/* The piecewise driver: at mmap, lazy, lazy and huge. */
#include "world.h"

static struct ms_file *whole(struct ms_device *bar, enum ms_pieces_mode mode, enum ms_cache type)
{
	const struct ms_piece piece = { 0, B_SIZE, 0 };

	return ms_pieces_open(bar, mode, type, &piece, 1);
}

/*
 *  VMA   |0*  1*  2   3* |
 *  BAR     2   3   .   0
 */
static void each_piece_comes_from_where_its_shift_says(void **state)
{
	static const struct ms_piece pieces[] = { { 0, 0x2000, 0x2000 },
						  { 0x3000, 0x1000, -0x3000 } };
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file =
		ms_pieces_open(bar_b(m), MS_PIECES_AT_MMAP, MS_CACHE_UC_MINUS, pieces, 2);

	assert_int_equal(map(mm, A, B_SIZE, file, 0), A);
	assert_int_equal(leaf_pa(mm, A), B_PA + 0x2000);
	assert_int_equal(leaf_pa(mm, A + 0x1000), B_PA + 0x3000);
	assert_int_equal(leaf_pa(mm, A + 0x2000), 0);
	assert_int_equal(leaf_pa(mm, A + 0x3000), B_PA);
	assert_int_equal(ms_vma_lookup(mm, A)->vm_pgoff, B_PA >> 12);
	assert_int_equal(ms_touch(mm, A + 0x2000, MS_PROT_R), MS_ACCESS_SIGBUS);
	machine_end(m);
}

static void the_offset_counts_from_the_bar(void **state)
{
	const struct ms_piece piece = { 0x1000, 0x1000, 0 };
	struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A, 0x2000, ms_pieces_open(bar_b(m), MS_PIECES_AT_MMAP, MS_CACHE_NGNRE, &piece, 1),
	    0x2000);
	assert_int_equal(ms_vma_lookup(mm, A)->vm_pgoff, (B_PA + 0x2000) >> 12);
	assert_int_equal(leaf_pa(mm, A + 0x1000), B_PA + 0x3000);
	machine_end(m);
}

static void at_mmap_the_type_is_in_the_entries_only(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A, B_SIZE, whole(bar_b(m), MS_PIECES_AT_MMAP, MS_CACHE_NGNRE), 0);
	assert_int_equal(leaf_cache(mm, A), MS_CACHE_NGNRE);
	assert_int_equal(ms_pgprot_cache(ms_vma_lookup(mm, A)->vm_page_prot), MS_CACHE_WB);
	// so that mprotect makes them cacheable
	ms_mprotect(mm, A, B_SIZE, MS_PROT_R);
	assert_int_equal(leaf_cache(mm, A), MS_CACHE_WB);
	machine_end(m);
}

static void lazy_sets_flags_and_type_at_mmap(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);
	char buf[MS_VMFLAGS_MAX];

	map(mm, A, B_SIZE, whole(bar_b(m), MS_PIECES_LAZY, MS_CACHE_NGNRE), 0);
	assert_int_equal(present(mm, A, A + B_SIZE), 0);
	assert_string_equal(ms_vma_flags_str(ms_vma_lookup(mm, A), buf, sizeof(buf)),
			    "rd,wr,sh,mr,mw,me,ms,pf,io,de,dd");
	assert_int_equal(ms_pgprot_cache(ms_vma_lookup(mm, A)->vm_page_prot), MS_CACHE_NGNRE);
	machine_end(m);
}

static void without_pieces_the_vma_is_an_ordinary_one(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	char buf[MS_VMFLAGS_MAX];

	map(mm, A, B_SIZE, ms_pieces_open(bar_b(m), MS_PIECES_AT_MMAP, MS_CACHE_WB, NULL, 0), 0);
	assert_string_equal(ms_vma_flags_str(ms_vma_lookup(mm, A), buf, sizeof(buf)),
			    "rd,wr,sh,mr,mw,me,ms,sd");
	assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	machine_end(m);
}

/*
 *  VMA   |0   1   2   3* |    page 3 was touched, and page 1 in vain
 *  BAR     0   .   0   1
 */
static void a_lazy_fault_inserts_its_page_or_is_sigbus(void **state)
{
	static const struct ms_piece pieces[] = { { 0, 0x1000, 0 }, { 0x2000, 0x2000, -0x2000 } };
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A, B_SIZE, ms_pieces_open(bar_b(m), MS_PIECES_LAZY, MS_CACHE_UC_MINUS, pieces, 2),
	    0);
	assert_int_equal(ms_touch(mm, A + 0x1000, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_int_equal(ms_touch(mm, A + 0x3000, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(leaf_pa(mm, A + 0x3000), B_PA + 0x1000);
	assert_int_equal(present(mm, A, A + B_SIZE), 1);
	machine_end(m);
}

/* The driver lets a private mapping be; the kernel does not let raw pfns into it one by one. */
static void a_private_lazy_mapping_is_a_violation_when_it_is_touched(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file = whole(bar_b(m), MS_PIECES_LAZY, MS_CACHE_UC_MINUS);

	assert_true(ms_mmap(mm, A, B_SIZE, MS_PROT_RW, MS_MAP_PRIVATE | MS_MAP_FIXED, file, 0) > 0);
	assert_int_equal(ms_violations(m), 0);
	assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_int_equal(ms_violations(m), 1);
	assert_string_equal(ms_violation_get(m, 0)->reason,
			    "pfn inserted into a private VM_PFNMAP VMA");
	machine_end(m);
}

/*
 *          A                   A + 1G
 *  VMA     |0   1   2   3  |
 *  moved   |0*  1  |           |2   3* |
 *  BAR       2   3               0   1
 */
static void a_moved_lazy_vma_finds_its_piece(void **state)
{
	static const struct ms_piece pieces[] = { { 0, 0x2000, 0x2000 },
						  { 0x2000, 0x2000, -0x2000 } };
	struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A, B_SIZE, ms_pieces_open(bar_b(m), MS_PIECES_LAZY, MS_CACHE_NGNRE, pieces, 2), 0);
	ms_mremap(mm, A + 0x2000, 0x2000, 0x2000, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, A + MS_1G);
	assert_int_equal(ms_touch(mm, A + MS_1G + 0x1000, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(leaf_pa(mm, A + MS_1G + 0x1000), B_PA + 0x1000);
	assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(leaf_pa(mm, A), B_PA + 0x2000);
	machine_end(m);
}

/*
 *            A          A + 2M     A + 4M     A + 6M
 *  VMA       |----------:----------:----------|
 *  pieces    [---------)[--------------------)    the second one is shifted by a page
 *  touched    ^          ^
 *  mapped    [2M------)  [4K)                     or pages where the kernel has no huge faults
 */
static void lazy_huge_makes_a_leaf_where_all_allow_it(void **state)
{
	static const struct ms_piece pieces[] = { { 0, MS_2M, 0 }, { MS_2M, MS_2M * 2, 0x1000 } };
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_ARM64);
		struct ms_mm *mm = ms_mm_new(m);

		map(mm, A, MS_2M * 3,
		    ms_pieces_open(bar_h(m), MS_PIECES_LAZY_HUGE, MS_CACHE_NGNRE, pieces, 2), 0);
		ms_touch(mm, A + 0x1000, MS_PROT_R);
		ms_touch(mm, A + MS_2M + 0x1000, MS_PROT_R);
		assert_int_equal(leaf_size(mm, A + 0x1000),
				 k->pfnmap_huge_fault == MS_PFNMAP_HUGE_FAULT_NEVER ? MS_4K
										    : MS_2M);
		assert_int_equal(leaf_pa(mm, A + 0x1000), H_PA + 0x1000);
		assert_int_equal(leaf_size(mm, A + MS_2M + 0x1000), MS_4K);
		assert_int_equal(leaf_pa(mm, A + MS_2M + 0x1000), H_PA + MS_2M + 0x2000);
		machine_end(m);
	}
}

/*
 *           A         A + 2M          A + 1G
 *  VMA      |---------|                |--------|    without its first page
 *  piece    [---)                     [---------)
 *  mapped   [4K)                       [4K)
 */
static void lazy_huge_falls_back_at_the_end_of_piece_and_vma(void **state)
{
	const struct ms_piece half = { 0, MS_2M / 2, 0 }, full = { 0, MS_2M, 0 };
	struct ms_machine *m = machine("6.12.117", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_device *h = bar_h(m);

	map(mm, A, MS_2M, ms_pieces_open(h, MS_PIECES_LAZY_HUGE, MS_CACHE_NGNRE, &half, 1), 0);
	ms_touch(mm, A, MS_PROT_R);
	assert_int_equal(leaf_size(mm, A), MS_4K);
	map(mm, A + MS_1G, MS_2M, ms_pieces_open(h, MS_PIECES_LAZY_HUGE, MS_CACHE_NGNRE, &full, 1),
	    0);
	ms_munmap(mm, A + MS_1G, 0x1000);
	ms_touch(mm, A + MS_1G + 0x1000, MS_PROT_R);
	assert_int_equal(leaf_size(mm, A + MS_1G + 0x1000), MS_4K);
	machine_end(m);
}

/* copy_huge_pmd() took anonymous memory only, so that the child had to fault for its leaf. */
static void a_leaf_of_2m_is_copied_by_fork_from_6_12_on(void **state)
{
	const struct ms_piece piece = { 0, MS_2M, 0 };
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_ARM64);
		struct ms_mm *mm = ms_mm_new(m), *child;

		map(mm, A, MS_2M,
		    ms_pieces_open(bar_h(m), MS_PIECES_LAZY_HUGE, MS_CACHE_NGNRE, &piece, 1), 0);
		ms_touch(mm, A, MS_PROT_R);
		if (k->pfnmap_huge_fault == MS_PFNMAP_HUGE_FAULT_NEVER) {
			machine_end(m);
			continue;
		}
		assert_int_equal(leaf_size(mm, A), MS_2M);
		child = ms_fork(mm);
		assert_non_null(child);
		assert_int_equal(leaf_size(child, A),
				 k->pfn_lookup == MS_PFN_LOOKUP_PTE_ONLY ? 0 : MS_2M);
		assert_int_equal(ms_touch(child, A, MS_PROT_R), MS_ACCESS_OK);
		assert_int_equal(leaf_size(child, A), MS_2M);
		machine_end(m);
	}
}

static void lazy_huge_never_makes_a_pud_leaf(void **state)
{
	const struct ms_piece piece = { 0, MS_1G, 0 };
	struct ms_machine *m = machine("6.12.117", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A, MS_1G,
	    ms_pieces_open(bar_h(m), MS_PIECES_LAZY_HUGE, MS_CACHE_UC_MINUS, &piece, 1), 0);
	ms_touch(mm, A, MS_PROT_R);
	assert_int_equal(leaf_size(mm, A), MS_2M);
	machine_end(m);
}

static void the_first_error_of_a_piece_is_mmaps_answer(void **state)
{
	static const struct ms_piece pieces[] = { { 0, 0x1000, 0 }, { 0x2000, 0x1000, 0 } };
	struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file =
		ms_pieces_open(bar_b(m), MS_PIECES_AT_MMAP, MS_CACHE_NGNRE, pieces, 2);

	// a COW mapping is remapped whole or not at all
	assert_int_equal(ms_mmap(mm, A, B_SIZE, MS_PROT_RW, MS_MAP_PRIVATE, file, 0), -EINVAL);
	assert_null(ms_find_vma(mm, 0));
	machine_end(m);
}

static void a_piece_outside_of_the_vma_is_einval(void **state)
{
	const struct ms_piece outside = { 0x2000, 0x2000, 0 };
	const struct ms_piece negative = { 0, 0x1000, -0x200000000000 };
	struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_device *b = bar_b(m);

	assert_int_equal(map(mm, A, 0x3000,
			     ms_pieces_open(b, MS_PIECES_LAZY, MS_CACHE_NGNRE, &outside, 1), 0),
			 -EINVAL);
	assert_int_equal(map(mm, A, 0x3000,
			     ms_pieces_open(b, MS_PIECES_LAZY, MS_CACHE_NGNRE, &negative, 1), 0),
			 -EINVAL);
	machine_end(m);
}

static void what_is_not_whole_pages_or_not_a_type_is_no_file(void **state)
{
	const struct ms_piece odd = { 0, 0x800, 0 }, empty = { 0x1000, 0, 0 },
			      shifted = { 0, 0x1000, 1 }, good = { 0, 0x1000, 0 };
	struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_device *b = bar_b(m);

	assert_null(ms_pieces_open(b, MS_PIECES_AT_MMAP, MS_CACHE_WB, &odd, 1));
	assert_null(ms_pieces_open(b, MS_PIECES_AT_MMAP, MS_CACHE_WB, &empty, 1));
	assert_null(ms_pieces_open(b, MS_PIECES_AT_MMAP, MS_CACHE_WB, &shifted, 1));
	assert_null(ms_pieces_open(b, MS_PIECES_AT_MMAP, MS_CACHE_UC_MINUS, &good, 1));
	assert_null(ms_pieces_open(b, MS_PIECES_AT_MMAP, MS_CACHE_WB, NULL, 1));
	assert_non_null(ms_pieces_open(b, MS_PIECES_AT_MMAP, MS_CACHE_WB, &good, 1));
	machine_end(m);
}

/* Two files, one address_space in physical offsets. */
static void revoke_finds_the_mappings_of_all_files(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_device *b = bar_b(m), *h = bar_h(m);

	ms_pieces_revoke(b, 0, B_SIZE);
	map(mm, A, B_SIZE, whole(b, MS_PIECES_LAZY, MS_CACHE_NGNRE), 0);
	map(mm, A + MS_2M, B_SIZE, whole(b, MS_PIECES_AT_MMAP, MS_CACHE_NGNRE), 0);
	map(mm, A + MS_1G, B_SIZE, whole(h, MS_PIECES_AT_MMAP, MS_CACHE_NGNRE), 0);
	ms_touch(mm, A + 0x2000, MS_PROT_R);
	ms_pieces_revoke(b, 0x2000, 0x1000);
	assert_int_equal(present(mm, A, A + B_SIZE), 0);
	assert_int_equal(present(mm, A + MS_2M, A + MS_2M + B_SIZE), 3);
	assert_int_equal(present(mm, A + MS_1G, A + MS_1G + B_SIZE), 4);
	assert_int_equal(ms_touch(mm, A + 0x2000, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_touch(mm, A + MS_2M + 0x2000, MS_PROT_R), MS_ACCESS_SIGBUS);
	machine_end(m);
}

/* vmf_insert_pfn asks the memtype list: UC- where nothing is held, whatever the driver wants. */
static void a_lazy_page_takes_the_type_of_the_list_on_x86(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A, B_SIZE, whole(bar_b(m), MS_PIECES_LAZY, MS_CACHE_WC), 0);
	ms_touch(mm, A, MS_PROT_R);
	assert_int_equal(leaf_cache(mm, A), MS_CACHE_UC_MINUS);
	ms_ioremap(m, B_PA, B_SIZE, MS_CACHE_WC);
	ms_touch(mm, A + 0x1000, MS_PROT_R);
	assert_int_equal(leaf_cache(mm, A + 0x1000), MS_CACHE_WC);
	machine_end(m);
}

static void x86_without_pat_maps_ucminus_for_write_combining(void **state)
{
	const struct ms_machine_config off = { .pat = MS_FEATURE_ABSENT };
	struct ms_machine *m =
		ms_machine_new_config(ms_policy_linux("6.12.107", MS_ARCH_X86_64), &off);
	struct ms_mm *mm = ms_mm_new(m);

	map(mm, A, B_SIZE, whole(bar_b(m), MS_PIECES_AT_MMAP, MS_CACHE_WC), 0);
	assert_int_equal(leaf_cache(mm, A), MS_CACHE_UC_MINUS);
	machine_end(m);
}

/*
 *  1st mmap  |0  |           by the driver, which maps nothing
 *  2nd mmap  |0   1  |       joins it: the driver is not asked for page 1
 *  3rd mmap  |0   1  |0* |   cannot: the driver is asked, and maps
 */
static void beside_a_vma_of_which_nothing_is_mapped_another_joins_it(void **state)
{
	const struct ms_piece piece = { 0, 0x1000, 0 };
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_ARM64);
		struct ms_mm *mm = ms_mm_new(m);
		struct ms_file *file = ms_pieces_open_physical(m);

		bar_b(m);
		assert_int_equal(map(mm, A, 0x1000, file, B_PA), A);
		assert_int_equal(ms_pieces_plan(file, MS_PIECES_AT_MMAP, MS_CACHE_NGNRE, &piece, 1),
				 0);
		assert_int_equal(map(mm, A + 0x1000, 0x1000, file, B_PA + 0x1000), A + 0x1000);
		assert_int_equal(ms_mm_map_count(mm), 1);
		assert_int_equal(present(mm, A, A + 0x2000), 0);
		// elsewhere in the file nothing joins, and the driver is asked
		assert_int_equal(map(mm, A + 0x2000, 0x1000, file, B_PA), A + 0x2000);
		assert_int_equal(ms_mm_map_count(mm), 2);
		assert_int_equal(present(mm, A + 0x2000, A + 0x3000), 1);
		machine_end(m);
	}
}

static void a_vma_of_which_nothing_is_mapped_is_whole_again_after_mprotect_and_mremap(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct ms_machine *m = machine(k->release, MS_ARCH_ARM64);
		struct ms_mm *mm = ms_mm_new(m);

		map(mm, A, 0x3000, ms_pieces_open_physical(m), 0);
		ms_mprotect(mm, A + 0x1000, 0x1000, MS_PROT_R);
		assert_int_equal(ms_mm_map_count(mm), 3);
		ms_mprotect(mm, A + 0x1000, 0x1000, MS_PROT_RW);
		assert_int_equal(ms_mm_map_count(mm), 1);
		ms_mremap(mm, A + 0x1000, 0x1000, 0x1000, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED,
			  A + MS_2M);
		assert_int_equal(ms_mm_map_count(mm), 3);
		ms_mremap(mm, A + MS_2M, 0x1000, 0x1000, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED,
			  A + 0x1000);
		assert_int_equal(ms_mm_map_count(mm), 1);
		machine_end(m);
	}
}

static void what_is_mapped_never_joins(void **state)
{
	const struct ms_piece piece = { 0, 0x1000, 0 };
	struct ms_machine *m = machine("6.12.117", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file = ms_pieces_open_physical(m);

	bar_b(m);
	ms_pieces_plan(file, MS_PIECES_AT_MMAP, MS_CACHE_NGNRE, &piece, 1);
	map(mm, A, 0x1000, file, B_PA);
	map(mm, A + 0x1000, 0x1000, file, B_PA + 0x1000);
	assert_int_equal(ms_mm_map_count(mm), 2);
	assert_int_equal(present(mm, A, A + 0x2000), 2);
	machine_end(m);
}

/* A lazy VMA keeps the plan that it was made with. */
static void a_plan_is_for_the_mmaps_that_follow(void **state)
{
	const struct ms_piece first = { 0, 0x1000, 0 }, second = { 0, 0x1000, 0x1000 };
	struct ms_machine *m = machine("6.12.117", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file = ms_pieces_open_physical(m);

	bar_b(m);
	ms_pieces_plan(file, MS_PIECES_LAZY, MS_CACHE_NGNRE, &first, 1);
	map(mm, A, 0x1000, file, B_PA);
	ms_pieces_plan(file, MS_PIECES_LAZY, MS_CACHE_NGNRE, &second, 1);
	map(mm, A + MS_2M, 0x1000, file, B_PA);
	ms_touch(mm, A, MS_PROT_R);
	ms_touch(mm, A + MS_2M, MS_PROT_R);
	assert_int_equal(leaf_pa(mm, A), B_PA);
	assert_int_equal(leaf_pa(mm, A + MS_2M), B_PA + 0x1000);
	assert_int_equal(
		ms_pieces_plan(ms_memfd_new(m, 0x1000), MS_PIECES_LAZY, MS_CACHE_NGNRE, &first, 1),
		-EINVAL);
	assert_int_equal(ms_pieces_plan(file, MS_PIECES_LAZY, MS_CACHE_UC_MINUS, &first, 1),
			 -EINVAL);
	machine_end(m);
}

/* The second mapping's piece begins a page later, and the first mapping follows it. */
static void with_one_lazy_the_newest_mapping_decides_for_all(void **state)
{
	const struct ms_piece first = { 0, 0x1000, 0 }, second = { 0, 0x1000, 0x1000 };
	struct ms_machine *m = machine("6.12.117", MS_ARCH_ARM64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file = ms_pieces_open_physical(m);

	bar_b(m);
	assert_int_equal(ms_pieces_one_lazy(file), 0);
	ms_pieces_plan(file, MS_PIECES_LAZY, MS_CACHE_NGNRE, &first, 1);
	map(mm, A, 0x1000, file, B_PA);
	ms_pieces_plan(file, MS_PIECES_LAZY, MS_CACHE_NGNRE, &second, 1);
	map(mm, A + MS_2M, 0x1000, file, B_PA);
	ms_touch(mm, A, MS_PROT_R);
	assert_int_equal(leaf_pa(mm, A), B_PA + 0x1000);
	assert_int_equal(ms_pieces_one_lazy(ms_memfd_new(m, 0x1000)), -EINVAL);
	machine_end(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_piece_comes_from_where_its_shift_says),
		cmocka_unit_test(the_offset_counts_from_the_bar),
		cmocka_unit_test(at_mmap_the_type_is_in_the_entries_only),
		cmocka_unit_test(lazy_sets_flags_and_type_at_mmap),
		cmocka_unit_test(without_pieces_the_vma_is_an_ordinary_one),
		cmocka_unit_test(a_lazy_fault_inserts_its_page_or_is_sigbus),
		cmocka_unit_test(a_private_lazy_mapping_is_a_violation_when_it_is_touched),
		cmocka_unit_test(a_moved_lazy_vma_finds_its_piece),
		cmocka_unit_test(lazy_huge_makes_a_leaf_where_all_allow_it),
		cmocka_unit_test(lazy_huge_falls_back_at_the_end_of_piece_and_vma),
		cmocka_unit_test(a_leaf_of_2m_is_copied_by_fork_from_6_12_on),
		cmocka_unit_test(lazy_huge_never_makes_a_pud_leaf),
		cmocka_unit_test(the_first_error_of_a_piece_is_mmaps_answer),
		cmocka_unit_test(a_piece_outside_of_the_vma_is_einval),
		cmocka_unit_test(what_is_not_whole_pages_or_not_a_type_is_no_file),
		cmocka_unit_test(revoke_finds_the_mappings_of_all_files),
		cmocka_unit_test(a_lazy_page_takes_the_type_of_the_list_on_x86),
		cmocka_unit_test(x86_without_pat_maps_ucminus_for_write_combining),
		cmocka_unit_test(beside_a_vma_of_which_nothing_is_mapped_another_joins_it),
		cmocka_unit_test(
			a_vma_of_which_nothing_is_mapped_is_whole_again_after_mprotect_and_mremap),
		cmocka_unit_test(what_is_mapped_never_joins),
		cmocka_unit_test(with_one_lazy_the_newest_mapping_decides_for_all),
		cmocka_unit_test(a_plan_is_for_the_mmaps_that_follow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
