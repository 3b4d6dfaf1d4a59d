/* SPDX-License-Identifier: GPL-2.0-only */
/* madvise: arguments, holes, each advice's conditions and what it does to pages. */
#include "world_of.h"

static const struct ms_policy *late(void)
{
	return ms_policy_linux("6.12.117", MS_ARCH_ARM64);
}

/* A shared mapping of a driver that sets `vm_flags`, of len bytes at addr. */
static void map_driver(struct world *w, struct driver *d, uint64_t vm_flags, ms_hva_t addr,
		       uint64_t len)
{
	*d = (struct driver){ .ops = { .fault = driver_fault }, .vm_flags = vm_flags };
	map_shared(w, driver_file(w, d), addr, len, 0);
}

/* ---- arguments and holes ---- */

static void bad_arguments_are_EINVAL(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, PAGE, MS_PROT_RW);
	assert_int_equal(ms_madvise(w.mm, A + 1, PAGE, MS_MADV_DONTNEED), -EINVAL);
	assert_int_equal(ms_madvise(w.mm, A, UINT64_MAX, MS_MADV_DONTNEED), -EINVAL);
	assert_int_equal(ms_madvise(w.mm, A, UINT64_MAX - A, MS_MADV_DONTNEED), -EINVAL);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, (enum ms_advice)99), -EINVAL);
	assert_int_equal(ms_madvise(w.mm, A, 0, MS_MADV_DONTNEED), 0);
	assert_int_equal(ms_madvise(w.mm, A, 1, MS_MADV_DONTNEED), 0);
	world_end(&w);
}

static void an_advice_that_the_kernel_does_not_know_is_EINVAL(void **state)
{
	struct ms_policy p = *late();
	struct world w;

	p.madv_populate = MS_MADV_POPULATE_ABSENT;
	p.madv_collapse = MS_MADV_COLLAPSE_ABSENT;
	w = world_of(&p, MS_THP_NEVER);
	map_anon(&w, A, PAGE, MS_PROT_RW);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_POPULATE_READ), -EINVAL);
	assert_int_equal(ms_madvise(w.mm, A, 0, MS_MADV_COLLAPSE), -EINVAL);
	assert_false(present(&w, A));
	world_end(&w);
}

/*
 *  mapped    . |a  | . |b  | .
 *  advice   [-------------------)    a and b take it
 */
static void holes_are_passed_over_and_answered_with_ENOMEM(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A + PAGE, PAGE, MS_PROT_RW);
	map_anon(&w, A + 3 * PAGE, PAGE, MS_PROT_RW);
	assert_int_equal(ms_madvise(w.mm, A, 5 * PAGE, MS_MADV_DONTFORK), -ENOMEM);
	assert_true(flags_at(&w, A + PAGE) & MS_VM_DONTCOPY);
	assert_true(flags_at(&w, A + 3 * PAGE) & MS_VM_DONTCOPY);
	assert_int_equal(ms_madvise(w.mm, A + 8 * PAGE, PAGE, MS_MADV_DONTFORK), -ENOMEM);
	world_end(&w);
}

/*
 *  mapped    . |io | .   .
 *  advice   [---------------)    -EINVAL of the VMA, not -ENOMEM of the holes
 */
static void an_error_ends_the_call_before_a_later_hole(void **state)
{
	struct world w = world("6.12.117");
	struct driver d;

	map_driver(&w, &d, MS_VM_IO, A + PAGE, PAGE);
	assert_int_equal(ms_madvise(w.mm, A, 4 * PAGE, MS_MADV_DOFORK), -EINVAL);
	world_end(&w);
}

/* ---- flags ---- */

/*
 *  before               |rw  rw  rw |
 *  HUGEPAGE, middle     |rw |hg |rw |
 *  HUGEPAGE, first      |hg  hg |rw |
 *  NOHUGEPAGE, all      |nh  nh  nh |
 */
static void an_advised_part_is_split_off_and_joins_again(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 3 * PAGE, MS_PROT_RW);
	assert_int_equal(ms_madvise(w.mm, A + PAGE, PAGE, MS_MADV_HUGEPAGE), 0);
	assert_int_equal(ms_mm_map_count(w.mm), 3);
	assert_true(flags_at(&w, A + PAGE) & MS_VM_HUGEPAGE);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_HUGEPAGE), 0);
	assert_vma(&w, A, A + 2 * PAGE);
	assert_int_equal(ms_madvise(w.mm, A, 3 * PAGE, MS_MADV_NOHUGEPAGE), 0);
	assert_vma(&w, A, A + 3 * PAGE);
	assert_int_equal(flags_at(&w, A) & (MS_VM_HUGEPAGE | MS_VM_NOHUGEPAGE), MS_VM_NOHUGEPAGE);
	world_end(&w);
}

static void each_flag_comes_and_goes(void **state)
{
	const struct {
		enum ms_advice on, off;
		uint64_t flag;
	} pairs[] = { { MS_MADV_DONTFORK, MS_MADV_DOFORK, MS_VM_DONTCOPY },
		      { MS_MADV_DONTDUMP, MS_MADV_DODUMP, MS_VM_DONTDUMP },
		      { MS_MADV_WIPEONFORK, MS_MADV_KEEPONFORK, MS_VM_WIPEONFORK },
		      { MS_MADV_HUGEPAGE, MS_MADV_NOHUGEPAGE, MS_VM_HUGEPAGE } };
	struct world w = world("6.12.117");

	map_anon(&w, A, PAGE, MS_PROT_RW);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		assert_int_equal(ms_madvise(w.mm, A, PAGE, pairs[i].on), 0);
		assert_true(flags_at(&w, A) & pairs[i].flag);
		assert_int_equal(ms_madvise(w.mm, A, PAGE, pairs[i].off), 0);
		assert_false(flags_at(&w, A) & pairs[i].flag);
	}
	world_end(&w);
}

static void device_memory_keeps_out_of_forks_and_dumps(void **state)
{
	struct world w = world("6.12.117");
	struct driver d;

	map_driver(&w, &d, MS_VM_IO | MS_VM_PFNMAP | MS_VM_DONTEXPAND, A, PAGE);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_DONTFORK), 0);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_DOFORK), -EINVAL);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_DODUMP), -EINVAL);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_WIPEONFORK), -EINVAL);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_HUGEPAGE), 0);
	world_end(&w);
}

static void which_special_mappings_refuse_dofork_is_policy(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct ms_policy p = *late();
		struct world w;
		struct driver d;

		p.madv_dofork_refuses = (enum ms_policy_madv_dofork_refuses)i;
		w = world_of(&p, MS_THP_NEVER);
		map_driver(&w, &d, MS_VM_DONTEXPAND, A, PAGE);
		assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_DOFORK), i ? -EINVAL : 0);
		world_end(&w);
	}
}

/*
 *  before  |rw  rw  rw |
 *  advice  [---)
 *  after   |rw  rw  rw |
 */
static void a_split_without_memory_is_EAGAIN_and_changes_nothing(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 3 * PAGE, MS_PROT_RW);
	ms_machine_fail_alloc(w.m, 1);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_DONTFORK), -EAGAIN);
	assert_vma(&w, A, A + 3 * PAGE);
	assert_false(flags_at(&w, A) & MS_VM_DONTCOPY);
	world_end(&w);
}

static void a_split_at_the_limit_of_vmas_is_what_the_kernel_calls_it(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct ms_policy p = *late();
		struct world w;

		p.madv_split_limit = (enum ms_policy_madv_split_limit)i;
		w = world_of(&p, MS_THP_NEVER);
		for (unsigned int n = 0; n < 65530; n++)
			map_anon(&w, A + n * 4 * PAGE, 2 * PAGE, MS_PROT_RW);
		assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_DONTFORK),
				 i ? -EAGAIN : -ENOMEM);
		world_end(&w);
	}
}

/* ---- pages ---- */

/*
 *  before    |0*  1*  2* |
 *  DONTNEED      [---)
 *  after     |0*  1   2* |
 */
static void dontneed_takes_the_pages_and_leaves_the_mapping(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 3 * PAGE, MS_PROT_RW);
	for (unsigned int i = 0; i < 3; i++)
		touch(&w, A + i * PAGE, MS_PROT_W);
	assert_int_equal(ms_madvise(w.mm, A + PAGE, PAGE, MS_MADV_DONTNEED), 0);
	assert_true(present(&w, A));
	assert_false(present(&w, A + PAGE));
	assert_true(present(&w, A + 2 * PAGE));
	assert_vma(&w, A, A + 3 * PAGE);
	world_end(&w);
}

static void locked_and_device_memory_is_not_given_up(void **state)
{
	const enum ms_advice advice[] = { MS_MADV_DONTNEED, MS_MADV_FREE, MS_MADV_COLD,
					  MS_MADV_PAGEOUT };
	struct world w = world("6.12.117");
	struct driver d;

	map_anon(&w, A, PAGE, MS_PROT_RW);
	ms_mlock(w.mm, A, PAGE);
	map_driver(&w, &d, MS_VM_PFNMAP, B, PAGE);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(ms_madvise(w.mm, A, PAGE, advice[i]), -EINVAL);
		assert_int_equal(ms_madvise(w.mm, B, PAGE, advice[i]), -EINVAL);
	}
	assert_true(present(&w, A));
	world_end(&w);
}

/*
 *            A                   A + 2M              A + 4M
 *  VMA       |*------------------|*------------------|
 *                [-------------------)                    -EINVAL
 *            [---------------)                            no whole page: nothing
 *            [-----------------------)                    the first page
 */
static void hugetlb_memory_is_given_up_in_whole_pages(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *f = ms_memfd_hugetlb_new(w.m, 2 * MS_2M, MS_2M);

	map_shared(&w, f, A, 2 * MS_2M, 0);
	touch(&w, A, MS_PROT_W);
	touch(&w, A + MS_2M, MS_PROT_W);
	assert_int_equal(ms_madvise(w.mm, A + PAGE, MS_2M, MS_MADV_DONTNEED), -EINVAL);
	assert_int_equal(ms_madvise(w.mm, A, MS_2M - PAGE, MS_MADV_DONTNEED), 0);
	assert_true(present(&w, A));
	assert_int_equal(ms_madvise(w.mm, A, MS_2M + PAGE, MS_MADV_DONTNEED), 0);
	assert_false(present(&w, A));
	assert_true(present(&w, A + MS_2M));
	assert_int_equal(ms_madvise(w.mm, A, MS_2M, MS_MADV_FREE), -EINVAL);
	world_end(&w);
}

static void hugetlb_memory_is_not_given_up_where_the_kernel_refuses(void **state)
{
	struct ms_policy p = *late();
	struct world w;

	p.hugetlb_dontneed = MS_HUGETLB_DONTNEED_EINVAL;
	w = world_of(&p, MS_THP_NEVER);
	map_shared(&w, ms_memfd_hugetlb_new(w.m, MS_2M, MS_2M), A, MS_2M, 0);
	assert_int_equal(ms_madvise(w.mm, A, MS_2M, MS_MADV_DONTNEED), -EINVAL);
	world_end(&w);
}

/* ---- remove ---- */

/*
 *  file     0   1   2   3
 *  at A        |1*  2  |
 *  at B        |1* |
 *  REMOVE      [---)          page 1 leaves the file and both mappings
 */
static void remove_punches_a_hole_into_a_memory_file(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *f = ms_memfd_new(w.m, 4 * PAGE);
	ms_pa_t pa;

	map_shared(&w, f, A, 2 * PAGE, PAGE);
	map_shared(&w, f, B, PAGE, PAGE);
	touch(&w, A, MS_PROT_W);
	touch(&w, B, MS_PROT_R);
	pa = leaf_pa(&w, A);
	assert_int_equal(leaf_pa(&w, B), pa);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_REMOVE), 0);
	assert_false(present(&w, A));
	assert_false(present(&w, B));
	world_end(&w);
}

static void remove_needs_a_shared_mapping_that_is_or_may_become_writable(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct ms_policy p = *late();
		struct world w;
		struct ms_file *f;

		p.madv_remove_needs = (enum ms_policy_madv_remove_needs)i;
		w = world_of(&p, MS_THP_NEVER);
		f = ms_memfd_new(w.m, PAGE);
		map_shared(&w, f, A, PAGE, 0);
		assert_int_equal(ms_mprotect(w.mm, A, PAGE, MS_PROT_R), 0);
		assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_REMOVE), i ? 0 : -EACCES);
		assert_true(ms_mmap(w.mm, B, PAGE, MS_PROT_RW, MS_MAP_PRIVATE | MS_MAP_FIXED, f,
				    0) > 0);
		assert_int_equal(ms_madvise(w.mm, B, PAGE, MS_MADV_REMOVE), -EACCES);
		map_anon(&w, B + MS_2M, PAGE, MS_PROT_RW);
		assert_int_equal(ms_madvise(w.mm, B + MS_2M, PAGE, MS_MADV_REMOVE), -EINVAL);
		world_end(&w);
	}
}

static int punch(struct ms_file *file, uint64_t off, uint64_t len)
{
	uint64_t *hole = ms_file_priv(file);

	hole[0] = off;
	hole[1] = len;
	return -EPERM;
}

static int no_ops(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops none;

	vma->vm_ops = &none;
	return 0;
}

static void remove_asks_the_driver_or_finds_no_fallocate(void **state)
{
	static const struct ms_file_ops with = { .mmap = no_ops, .punch_hole = punch };
	static const struct ms_file_ops without = { .mmap = no_ops };
	struct world w = world("6.12.117");
	const unsigned int rw = MS_FMODE_READ | MS_FMODE_WRITE;
	uint64_t hole[2] = { 0 };

	map_shared(&w, ms_file_new(w.m, &with, rw, 0, NULL, hole), A, 4 * PAGE, 8 * PAGE);
	map_shared(&w, ms_file_new(w.m, &without, rw, 4 * PAGE, NULL, NULL), B, 4 * PAGE, 0);
	assert_int_equal(ms_madvise(w.mm, A + PAGE, PAGE, MS_MADV_REMOVE), -EPERM);
	assert_int_equal(hole[0], 9 * PAGE);
	assert_int_equal(hole[1], PAGE);
	assert_int_equal(ms_madvise(w.mm, B, 4 * PAGE, MS_MADV_REMOVE), -EOPNOTSUPP);
	ms_vma_lookup(w.mm, B)->vm_pgoff = 1;
	assert_int_equal(ms_madvise(w.mm, B, 4 * PAGE, MS_MADV_REMOVE), -EFBIG);
	ms_vma_lookup(w.mm, B)->vm_pgoff = 0;
	world_end(&w);
}

/* ---- populate ---- */

/*
 *  VMA             |rw  rw  rw  rw |
 *  POPULATE_WRITE  [-------)
 *  POPULATE_READ   [---------------)
 *  after           |w*  w*  r*  r* |
 */
static void populate_faults_pages_in(void **state)
{
	struct world w = world("6.12.117");
	struct ms_host_leaf leaf;

	map_anon(&w, A, 4 * PAGE, MS_PROT_RW);
	assert_int_equal(ms_madvise(w.mm, A, 2 * PAGE, MS_MADV_POPULATE_WRITE), 0);
	assert_int_equal(ms_madvise(w.mm, A, 4 * PAGE, MS_MADV_POPULATE_READ), 0);
	assert_true(ms_host_leaf(w.mm, A + PAGE, &leaf));
	assert_true(leaf.entry & MS_PTE_WRITE);
	assert_true(ms_host_leaf(w.mm, A + 3 * PAGE, &leaf));
	assert_false(leaf.entry & MS_PTE_WRITE);
	world_end(&w);
}

static void populate_refuses_what_it_may_not_touch(void **state)
{
	struct world w = world("6.12.117");
	struct driver d;

	map_driver(&w, &d, MS_VM_PFNMAP, A, PAGE);
	map_anon(&w, B, PAGE, MS_PROT_R);
	map_anon(&w, B + MS_2M, PAGE, 0);
	assert_int_equal(ms_madvise(w.mm, A, PAGE, MS_MADV_POPULATE_READ), -EINVAL);
	assert_int_equal(ms_madvise(w.mm, B, PAGE, MS_MADV_POPULATE_WRITE), -EINVAL);
	assert_int_equal(ms_madvise(w.mm, B, PAGE, MS_MADV_POPULATE_READ), 0);
	assert_int_equal(ms_madvise(w.mm, B + MS_2M, PAGE, MS_MADV_POPULATE_READ), -EINVAL);
	world_end(&w);
}

/*
 *  file    0
 *  VMA    |0*  1  |
 */
static void populate_beyond_the_end_of_a_file_is_EFAULT(void **state)
{
	struct world w = world("6.12.117");

	map_shared(&w, ms_memfd_new(w.m, PAGE), A, 2 * PAGE, 0);
	assert_int_equal(ms_madvise(w.mm, A, 2 * PAGE, MS_MADV_POPULATE_READ), -EFAULT);
	assert_true(present(&w, A));
	world_end(&w);
}

/*
 *  before       . |a  | . |b  |
 *  passes over  . |a* | . |b* |
 *  stops        . |a  | . |b  |
 */
static void populate_stops_at_a_hole_or_passes_over_it(void **state)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct ms_policy p = *late();
		struct world w;

		p.madv_populate_hole = (enum ms_policy_madv_populate_hole)i;
		w = world_of(&p, MS_THP_NEVER);
		map_anon(&w, A + PAGE, PAGE, MS_PROT_RW);
		map_anon(&w, A + 3 * PAGE, PAGE, MS_PROT_RW);
		assert_int_equal(ms_madvise(w.mm, A, 4 * PAGE, MS_MADV_POPULATE_READ), -ENOMEM);
		assert_int_equal(present(&w, A + PAGE), !i);
		assert_int_equal(present(&w, A + 3 * PAGE), !i);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_arguments_are_EINVAL),
		cmocka_unit_test(an_advice_that_the_kernel_does_not_know_is_EINVAL),
		cmocka_unit_test(holes_are_passed_over_and_answered_with_ENOMEM),
		cmocka_unit_test(an_error_ends_the_call_before_a_later_hole),
		cmocka_unit_test(an_advised_part_is_split_off_and_joins_again),
		cmocka_unit_test(each_flag_comes_and_goes),
		cmocka_unit_test(device_memory_keeps_out_of_forks_and_dumps),
		cmocka_unit_test(which_special_mappings_refuse_dofork_is_policy),
		cmocka_unit_test(a_split_without_memory_is_EAGAIN_and_changes_nothing),
		cmocka_unit_test(a_split_at_the_limit_of_vmas_is_what_the_kernel_calls_it),
		cmocka_unit_test(dontneed_takes_the_pages_and_leaves_the_mapping),
		cmocka_unit_test(locked_and_device_memory_is_not_given_up),
		cmocka_unit_test(hugetlb_memory_is_given_up_in_whole_pages),
		cmocka_unit_test(hugetlb_memory_is_not_given_up_where_the_kernel_refuses),
		cmocka_unit_test(remove_punches_a_hole_into_a_memory_file),
		cmocka_unit_test(remove_needs_a_shared_mapping_that_is_or_may_become_writable),
		cmocka_unit_test(remove_asks_the_driver_or_finds_no_fallocate),
		cmocka_unit_test(populate_faults_pages_in),
		cmocka_unit_test(populate_refuses_what_it_may_not_touch),
		cmocka_unit_test(populate_beyond_the_end_of_a_file_is_EFAULT),
		cmocka_unit_test(populate_stops_at_a_hole_or_passes_over_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
