/* SPDX-License-Identifier: GPL-2.0-only */
/* mprotect: errors, flags, which entries become writable at once, what the notifier is told. */
#include "world_of.h"

static const char *letters_at(const struct world *w, ms_hva_t addr, char *buf)
{
	return ms_vma_flags_str(ms_vma_lookup(w->mm, addr), buf, MS_VMFLAGS_MAX);
}

static bool writable(const struct world *w, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	return ms_host_leaf(w->mm, addr, &leaf) && (leaf.entry & MS_PTE_WRITE);
}

static void arguments_are_checked_in_the_kernels_order(void **state)
{
	struct world w = world("6.12.117");

	assert_int_equal(ms_mprotect(w.mm, A + 1, PAGE, MS_PROT_R), -EINVAL);
	assert_int_equal(ms_mprotect(w.mm, A, 0, MS_PROT_R), 0);
	assert_int_equal(ms_mprotect(w.mm, A, PAGE, MS_PROT_R), -ENOMEM);
	assert_int_equal(ms_mprotect(w.mm, A, UINT64_MAX, MS_PROT_R), -ENOMEM);
	map_anon(&w, A, PAGE, MS_PROT_R);
	assert_int_equal(ms_mprotect(w.mm, A, PAGE, MS_PROT_R | 0x8000), -EINVAL);
	assert_int_equal(ms_mprotect(w.mm, A, 0, 0x8000), 0);
	assert_int_equal(ms_mprotect(w.mm, A, UINT64_MAX, 0x8000), -ENOMEM);
	world_end(&w);
}

/*
 *  before    |rw | . |rw |
 *  mprotect  [-----------)
 *  after     |r  | . |rw |
 */
static void what_lies_before_a_hole_stays_changed(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, PAGE, MS_PROT_RW);
	map_anon(&w, A + 2 * PAGE, PAGE, MS_PROT_RW);
	assert_int_equal(ms_mprotect(w.mm, A, 3 * PAGE, MS_PROT_R), -ENOMEM);
	assert_false(ms_vma_lookup(w.mm, A)->vm_flags & MS_VM_WRITE);
	assert_true(ms_vma_lookup(w.mm, A + 2 * PAGE)->vm_flags & MS_VM_WRITE);
	world_end(&w);
}

static void write_access_is_charged_and_from_6_7_an_untouched_charge_goes_back(void **state)
{
	const struct ms_policy *k;
	char buf[MS_VMFLAGS_MAX];

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		map_anon(&w, A, PAGE, MS_PROT_R);
		assert_string_equal(letters_at(&w, A, buf), "rd,mr,mw,me");
		ms_mprotect(w.mm, A, PAGE, MS_PROT_RW);
		assert_string_equal(letters_at(&w, A, buf), "rd,wr,mr,mw,me,ac");
		ms_mprotect(w.mm, A, PAGE, MS_PROT_R);
		assert_string_equal(letters_at(&w, A, buf),
				    k->mprotect_unaccount == MS_MPROTECT_UNACCOUNT_NO
					    ? "rd,mr,mw,me,ac"
					    : "rd,mr,mw,me");
		world_end(&w);
	}
}

static void private_pages_become_writable_at_once_by_the_kernels_rule(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		map_anon(&w, A, PAGE, MS_PROT_RW);
		ms_touch(w.mm, A, MS_PROT_W);
		ms_mprotect(w.mm, A, PAGE, MS_PROT_R);
		assert_false(writable(&w, A));
		ms_mprotect(w.mm, A, PAGE, MS_PROT_RW);
		assert_int_equal(writable(&w, A),
				 k->mprotect_pte_upgrade != MS_MPROTECT_PTE_UPGRADE_SHARED_ONLY);
		world_end(&w);
	}
}

static void the_zero_page_never_becomes_writable(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, PAGE, MS_PROT_R);
	ms_touch(w.mm, A, MS_PROT_R);
	ms_mprotect(w.mm, A, PAGE, MS_PROT_RW);
	assert_true(present(&w, A));
	assert_false(writable(&w, A));
	world_end(&w);
}

static void no_access_keeps_the_page_for_the_kernel(void **state)
{
	struct world w = world("6.12.117");
	struct ms_host_leaf leaf;

	map_anon(&w, A, PAGE, MS_PROT_RW);
	ms_touch(w.mm, A, MS_PROT_W);
	ms_mprotect(w.mm, A, PAGE, 0);
	assert_true(ms_host_leaf(w.mm, A, &leaf));
	assert_true(leaf.entry & MS_PTE_PROTNONE);
	assert_false(leaf.entry & MS_PTE_PRESENT);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGSEGV);
	world_end(&w);
}

/*
 *             A         third               A + 1G                        A + 2G
 *  VMA        |---------*-------------------|-----------------------------|
 *  up to 6.11           [-------------------)
 *  from 6.12  [-----------------------------------------------------------)
 */
static void the_notifier_names_pieces_up_to_6_11_and_then_one_range(void **state)
{
	const ms_hva_t third = A + 2 * MS_2M;
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		assert_int_equal(ms_ram_add(w.m, 4 * MS_1G, 2 * MS_1G), 0);
		map_anon(&w, A, 2 * MS_1G, MS_PROT_RW);
		ms_touch(w.mm, third + PAGE, MS_PROT_W);
		ms_trace_clear(w.m);
		ms_mprotect(w.mm, A, 2 * MS_1G, MS_PROT_R);
		if (k->mprotect_notify == MS_MPROTECT_NOTIFY_PER_1G_FROM_FIRST_PMD)
			assert_event(&w, MS_EV_NOTIFIER_START, 0, third, A + MS_1G - third);
		else
			assert_event(&w, MS_EV_NOTIFIER_START, 0, A, 2 * MS_1G);
		assert_null(event(&w, MS_EV_NOTIFIER_START, 1));
		world_end(&w);
	}
}

/*
 * Page tables of fewer levels. Of 16K pages and 36 bits the table has PMD entries (32M) at its top,
 * and a level above is never empty; of 4K pages and 39 bits PUD entries (1G).
 */
static void folded_levels_are_never_empty(void **state)
{
	const struct ms_machine_config of_two = { .page_size = 0x4000, .va_bits = 36 };
	const ms_hva_t at = UINT64_C(0x200000000), third = at + 2 * 0x4000, len = 4 * 0x4000;
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world_config(k, &of_two);

		map_anon(&w, at, len, MS_PROT_RW);
		ms_touch(w.mm, third, MS_PROT_W);
		ms_trace_clear(w.m);
		assert_int_equal(ms_mprotect(w.mm, at, len, 0), 0);
		assert_event(&w, MS_EV_NOTIFIER_START, 0, at, len);
		assert_int_equal(ms_touch(w.mm, third, MS_PROT_R), MS_ACCESS_SIGSEGV);
		world_end(&w);
	}
}

/*
 *             at                            at + 1G             second    at + 2G
 *  VMA        |-----------------------------|-------------------*---------|
 *  up to 6.11                                                   [---------)
 *  from 6.12                                [-----------------------------)
 */
static void the_notifier_names_top_level_entries(void **state)
{
	const struct ms_machine_config of_three = { .page_size = PAGE, .va_bits = 39 };
	const ms_hva_t at = UINT64_C(0x200000000), second = at + MS_1G + 2 * MS_2M;
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world_config(k, &of_three);

		assert_int_equal(ms_ram_add(w.m, 4 * MS_1G, 2 * MS_1G), 0);
		map_anon(&w, at, 2 * MS_1G, MS_PROT_RW);
		ms_touch(w.mm, second, MS_PROT_W);
		ms_trace_clear(w.m);
		assert_int_equal(ms_mprotect(w.mm, at, 2 * MS_1G, MS_PROT_R), 0);
		if (k->mprotect_notify == MS_MPROTECT_NOTIFY_PER_1G_FROM_FIRST_PMD)
			assert_event(&w, MS_EV_NOTIFIER_START, 0, second, at + 2 * MS_1G - second);
		else
			assert_event(&w, MS_EV_NOTIFIER_START, 0, at + MS_1G, MS_1G);
		assert_null(event(&w, MS_EV_NOTIFIER_START, 1));
		world_end(&w);
	}
}

static void write_access_to_more_than_all_of_ram_is_ENOMEM(void **state)
{
	struct world w = world("6.12.117");

	assert_int_equal(ms_mmap(w.mm, A, 2 * MS_1G, MS_PROT_R,
				 MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0),
			 A);
	assert_int_equal(ms_mprotect(w.mm, A, 2 * MS_1G, MS_PROT_RW), -ENOMEM);
	assert_int_equal(ms_mprotect(w.mm, A, MS_1G / 2, MS_PROT_RW), 0);
	world_end(&w);
}

/*
 *  before   |rw* rw  rw  rw |
 *  rw           [---)
 *  after    |rw* rw  rw  rw |
 */
static void the_same_rights_again_do_nothing(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 4 * PAGE, MS_PROT_RW);
	ms_touch(w.mm, A, MS_PROT_W);
	ms_trace_clear(w.m);
	assert_int_equal(ms_mprotect(w.mm, A + PAGE, PAGE, MS_PROT_RW), 0);
	assert_int_equal(ms_mm_map_count(w.mm), 1);
	assert_int_equal(ms_trace_len(w.m), 0);
	world_end(&w);
}

static ms_vm_fault_t let_write(struct ms_vm_fault *vmf)
{
	return 0;
}

/* A shared mapping of a BAR whose driver is told of the first write. */
static struct world noticing_world(const char *kernel, enum ms_arch arch, struct driver *d)
{
	struct world w = world_thp(kernel, arch, MS_THP_NEVER);

	*d = (struct driver){
		.ops = { .fault = driver_fault, .pfn_mkwrite = let_write },
		.vm_flags = MS_VM_PFNMAP | MS_VM_IO,
	};
	map_shared(&w, driver_file(&w, d), A, 2 * PAGE, 0);
	return w;
}

static void read_only_and_back(struct world *w, ms_hva_t addr)
{
	assert_int_equal(ms_mprotect(w->mm, addr, PAGE, MS_PROT_R), 0);
	assert_int_equal(ms_mprotect(w->mm, addr, PAGE, MS_PROT_RW), 0);
}

static void a_write_that_the_driver_saw_makes_the_page_writable_at_once(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct driver d;
		struct world w = noticing_world(k->release, MS_ARCH_X86_64, &d);

		touch(&w, A, MS_PROT_R);
		touch(&w, A + PAGE, MS_PROT_W);
		read_only_and_back(&w, A);
		read_only_and_back(&w, A + PAGE);
		assert_false(writable(&w, A));
		assert_true(writable(&w, A + PAGE));
		world_end(&w);
	}
}

/* An entry that was writable from the start: the CPU's write makes it dirty, not soft-dirty. */
static bool written_by_the_cpu_alone(const struct ms_policy *k)
{
	struct driver d;
	struct world w = noticing_world(k->release, k->arch, &d);
	struct ms_vma *vma = ms_vma_lookup(w.mm, A);
	bool at_once;

	assert_int_equal(
		ms_remap_pfn_range(vma, A, BAR >> 12, 2 * PAGE, vma->vm_page_prot | MS_PTE_WRITE),
		0);
	touch(&w, A, MS_PROT_W);
	read_only_and_back(&w, A);
	at_once = writable(&w, A);
	world_end(&w);
	return at_once;
}

static void up_to_5_19_x86_asks_for_soft_dirty_pages(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64)
		assert_int_equal(written_by_the_cpu_alone(k),
				 k->mprotect_shared_upgrade == MS_MPROTECT_SHARED_UPGRADE_DIRTY);
	for_each_kernel (k, MS_ARCH_ARM64)
		assert_true(written_by_the_cpu_alone(k));
}

static void a_page_that_mremap_moved_is_soft_dirty(void **state)
{
	struct driver d;
	struct world w = noticing_world("5.10.223", MS_ARCH_X86_64, &d);
	struct ms_vma *vma = ms_vma_lookup(w.mm, A);

	ms_remap_pfn_range(vma, A, BAR >> 12, 2 * PAGE, vma->vm_page_prot | MS_PTE_WRITE);
	touch(&w, A, MS_PROT_W);
	assert_int_equal(move_to(&w, A, PAGE, B), B);
	read_only_and_back(&w, B);
	assert_true(writable(&w, B));
	world_end(&w);
}

static bool executable(const struct world *w, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	return ms_host_leaf(w->mm, addr, &leaf) && (leaf.entry & MS_PTE_EXEC);
}

static void arm64_entries_are_executable_where_their_vma_is(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 2 * PAGE, MS_PROT_RW | MS_PROT_X);
	ms_touch(w.mm, A, MS_PROT_W);
	ms_touch(w.mm, A + PAGE, MS_PROT_R);
	assert_true(executable(&w, A));
	assert_true(executable(&w, A + PAGE));
	ms_mprotect(w.mm, A, PAGE, MS_PROT_RW);
	assert_false(executable(&w, A));
	ms_mprotect(w.mm, A, PAGE, MS_PROT_X);
	assert_true(executable(&w, A));
	world_end(&w);
}

static void only_cacheable_memory_is_executable(void **state)
{
	struct world w = world("6.12.117");
	const ms_pgprot_t prot = MS_PTE_PRESENT | MS_PTE_EXEC;

	assert_true(ms_pgprot_set_cache(prot, MS_CACHE_WB) & MS_PTE_EXEC);
	assert_false(ms_pgprot_writecombine(prot) & MS_PTE_EXEC);
	assert_false(ms_pgprot_device(prot) & MS_PTE_EXEC);
	assert_false(ms_pgprot_noncached(prot) & MS_PTE_EXEC);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_are_checked_in_the_kernels_order),
		cmocka_unit_test(what_lies_before_a_hole_stays_changed),
		cmocka_unit_test(
			write_access_is_charged_and_from_6_7_an_untouched_charge_goes_back),
		cmocka_unit_test(private_pages_become_writable_at_once_by_the_kernels_rule),
		cmocka_unit_test(the_zero_page_never_becomes_writable),
		cmocka_unit_test(no_access_keeps_the_page_for_the_kernel),
		cmocka_unit_test(the_notifier_names_pieces_up_to_6_11_and_then_one_range),
		cmocka_unit_test(folded_levels_are_never_empty),
		cmocka_unit_test(the_notifier_names_top_level_entries),
		cmocka_unit_test(write_access_to_more_than_all_of_ram_is_ENOMEM),
		cmocka_unit_test(the_same_rights_again_do_nothing),
		cmocka_unit_test(a_write_that_the_driver_saw_makes_the_page_writable_at_once),
		cmocka_unit_test(up_to_5_19_x86_asks_for_soft_dirty_pages),
		cmocka_unit_test(a_page_that_mremap_moved_is_soft_dirty),
		cmocka_unit_test(arm64_entries_are_executable_where_their_vma_is),
		cmocka_unit_test(only_cacheable_memory_is_executable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
