/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest's accesses against what its process, a driver and another vCPU do meanwhile. */
#include "world.h"

#include "kvm/internal.h"

#define BLOCKS (2 * MS_2M)

static int guest_access(struct world *w, unsigned int i, ms_ipa_t gpa, unsigned int prot)
{
	w->guest[i] = ms_guest_touch(w->vm, gpa, prot);
	return done_or_waits(w->guest[i].err);
}

static int op_read(void *world)
{
	return guest_access(world, 0, GPA, MS_PROT_R);
}

static int op_read_second(void *world)
{
	return guest_access(world, 0, GPA + PAGE, MS_PROT_R);
}

static int op_write_fourth(void *world)
{
	return guest_access(world, 1, GPA + 3 * PAGE, MS_PROT_W);
}

static const struct explore_op read_first = { "read", op_read };
static const struct explore_op read_second = { "read", op_read_second };
static const struct explore_op write_fourth = { "write", op_write_fourth };
static const struct explore_op zap = { "zap", op_zap };
static const struct explore_op munmap_all = { "munmap", op_munmap };
static const struct explore_op memory_off = { "memory-off", op_memory_off };

/* ---- a zap between lookup and map ---- */

static void *build_own(const void *arg, struct explore_run *run, struct ms_machine **m)
{
	struct world *w = world_new(arg, run, m);

	map_own(w, false);
	slot(w, LEN);
	return w;
}

static bool sees_the_host(void *world)
{
	return guest_sees_the_host(world, LEN);
}

/* The kernel without mmu_invalidate_retry(): the sequence looks as it did before. */
static int op_zap_unseen(void *world)
{
	struct world *w = world;
	uint64_t seq = w->vm->invalidate_seq;
	int ret = op_zap(world);

	w->vm->invalidate_seq = seq;
	return ret;
}

static const struct explore_op zap_unseen = { "zap", op_zap_unseen };

/* for_each_lazy (p): each recorded kernel whose guests fault for a device's memory. */
#define for_each_lazy(p) \
	for_each_kernel (p, MS_ARCH_ARM64) \
		if (p->slot_pfnmap == MS_SLOT_PFNMAP_LAZY)

static void zap_between_lookup_and_map_is_retried(void **state)
{
	const struct ms_policy *p;

	for_each_lazy (p) {
		const struct kernel k = { p->release, MS_ARCH_ARM64, NULL, NULL };
		struct explore_found f = race(&k, build_own, read_first, zap, sees_the_host);

		// two orders; inside of the read: sampled, found, lock, mapped, and the driver's
		assert_true(f.schedules > 6);
		assert_true(f.waiting > 0);
		assert_int_equal(f.failing, 0);
	}
}

static void sample_after_the_unlock_is_early_enough_for_a_zap(void **state)
{
	const struct kernel k = { "6.1.176", MS_ARCH_ARM64, "s2_seq_sample", "AFTER_UNLOCK" };

	assert_int_equal(race(&k, build_own, read_first, zap, sees_the_host).failing, 0);
}

static void without_the_retry_the_guest_keeps_a_gone_page(void **state)
{
	const struct ms_policy *p;

	for_each_lazy (p) {
		const struct kernel k = { p->release, MS_ARCH_ARM64, NULL, NULL };
		struct explore_found f = race(&k, build_own, read_first, zap_unseen, sees_the_host);

		assert_string_equal(f.shortest, "read[s2-mmu-lock: zap]");
		assert_int_equal(f.failing, 2); // and at s2-pfn-found
	}
}

/* ---- the VMA changes under the fault ---- */

/*
 *    VMA    |--------------- 2M -----------------|      one block by vm_pgoff
 *    then   |-----|                                     two pages
 */
static int bar_mmap(struct ms_file *file, struct ms_vma *vma)
{
	vma->vm_pgoff += BAR / PAGE;
	vma->vm_page_prot = ms_pgprot_device(vma->vm_page_prot);
	return ms_remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

static const struct ms_file_ops bar_ops = { .name = "bar", .mmap = bar_mmap };

static void *build_bar(const void *arg, struct explore_run *run, struct ms_machine **m)
{
	struct world *w = world_new(arg, run, m);

	map(w, BLOCKS, ms_file_new(w->m, &bar_ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, NULL),
	    0);
	slot(w, BLOCKS);
	return w;
}

static int op_shrink(void *world)
{
	struct world *w = world;

	return done_or_waits(ms_munmap(w->mm, w->va + 2 * PAGE, BLOCKS - 2 * PAGE));
}

static int op_replace(void *world)
{
	struct world *w = world;
	int64_t ret = ms_mmap(w->mm, w->va + 2 * PAGE, BLOCKS - 2 * PAGE, MS_PROT_RW,
			      MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0);

	return done_or_waits(ret < 0 ? (int)ret : 0);
}

static bool sees_the_host_in_blocks(void *world)
{
	return guest_sees_the_host(world, BLOCKS);
}

static const struct explore_op shrink = { "shrink", op_shrink };
static const struct explore_op replace = { "replace", op_replace };

static struct explore_found change_under_fault(const struct kernel *k, struct explore_op change)
{
	return race(k, build_bar, read_second, change, sees_the_host_in_blocks);
}

static void replaced_vma_is_noticed_by_a_sample_before_the_unlock(void **state)
{
	const struct ms_policy *p;

	for_each_lazy (p) {
		const struct kernel k = { p->release, MS_ARCH_ARM64, "s2_seq_sample",
					  "BEFORE_UNLOCK" };

		assert_int_equal(change_under_fault(&k, shrink).failing, 0);
		assert_int_equal(change_under_fault(&k, replace).failing, 0);
	}
}

static void sample_after_the_unlock_maps_a_block_of_a_vma_that_is_gone(void **state)
{
	const struct kernel k = { "6.1.176", MS_ARCH_ARM64, "s2_seq_sample", "AFTER_UNLOCK" };

	assert_string_equal(change_under_fault(&k, shrink).shortest,
			    "read[s2-vma-sampled: shrink]");
	assert_string_equal(change_under_fault(&k, replace).shortest,
			    "read[s2-vma-sampled: replace]");
}

/* ---- munmap, fork ---- */

static bool unmapped_everywhere(void *world)
{
	const struct world *w = world;

	if (w->guest[0].exit != MS_GUEST_OK && w->guest[0].err != -EFAULT)
		return false;
	return guest_sees_nothing(w, LEN) && nothing_present(w->mm, w->va, LEN);
}

static void munmap_during_a_guest_fault_leaves_nothing(void **state)
{
	const struct ms_policy *p;

	for_each_lazy (p) {
		const struct kernel k = { p->release, MS_ARCH_ARM64, NULL, NULL };
		struct explore_found f =
			race(&k, build_own, read_first, munmap_all, unmapped_everywhere);

		assert_int_equal(f.failing, 0);
		assert_true(f.waiting >= 4); // in the driver: before, flag, insert, after
	}
}

/* ---- vfio ---- */

static void *build_vfio(const void *arg, struct explore_run *run, struct ms_machine **m)
{
	struct world *w = world_new(arg, run, m);
	struct ms_file *file = ms_vfio_open(w->bar);

	assert_non_null(file);
	map(w, LEN, file, ms_vfio_offset(file));
	slot(w, LEN);
	return w;
}

/* In 5.10 the slot is mapped when it is made, which memory off does not reach: it is left out. */
static void guest_has_nothing_of_a_bar_whose_memory_is_off(void **state)
{
	const struct ms_policy *p;

	for_each_lazy (p) {
		const struct kernel k = { p->release, MS_ARCH_ARM64, NULL, NULL };
		struct explore_found f =
			race(&k, build_vfio, read_first, memory_off, unmapped_everywhere);

		assert_int_equal(f.failing, 0);
		assert_true(f.waiting >= 1);
	}
}

static void vfio_that_lists_first_shows_the_guest_a_bar_whose_memory_is_off(void **state)
{
	const struct kernel k = { "6.1.176", MS_ARCH_ARM64, "vfio", "V1_LIST_FIRST" };
	struct explore_found f = race(&k, build_vfio, read_first, memory_off, unmapped_everywhere);

	assert_string_equal(f.shortest, "read[driver-insert: memory-off]");
}

/* ---- two vCPUs ---- */

/*
 * arm64, block by VMA: the first page of a VMA that was not VM_PFNMAP yet is a page of its own, the
 * next access replaces its table by a block.
 */
static void *build_lazy(const void *arg, struct explore_run *run, struct ms_machine **m)
{
	struct world *w = world_new(arg, run, m);

	map(w, BLOCKS, ms_lazy_open(w->bar, 0, MS_CACHE_NGNRE, 0), 0);
	slot(w, BLOCKS);
	return w;
}

static void *build_anon(const void *arg, struct explore_run *run, struct ms_machine **m)
{
	struct world *w = world_new(arg, run, m);

	assert_int_equal(ms_mmap(w->mm, w->va, BLOCKS, MS_PROT_RW,
				 MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0),
			 w->va);
	assert_int_equal(ms_touch(w->mm, w->va, MS_PROT_W), MS_ACCESS_OK);
	slot(w, BLOCKS);
	return w;
}

static bool both_were_made(void *world)
{
	const struct world *w = world;

	return w->guest[0].exit == MS_GUEST_OK && w->guest[1].exit == MS_GUEST_OK &&
	       guest_sees_the_host(w, BLOCKS) && !violations(w->m);
}

static bool one_block(void *world)
{
	struct world *w = world;
	struct ms_s2_leaf leaf;

	return both_were_made(world) && ms_s2_get_leaf(ms_vm_s2(w->vm), GPA, &leaf) &&
	       leaf.size == MS_2M && ms_s2_table_pages(ms_vm_s2(w->vm)) == 1;
}

static void two_accesses_of_one_block_make_one_block(void **state)
{
	const struct ms_policy *p;

	for_each_kernel (p, MS_ARCH_ARM64) {
		const struct kernel k = { p->release, MS_ARCH_ARM64, NULL, NULL };
		struct explore_found f = race(&k, build_anon, read_second, write_fourth, one_block);

		assert_true(f.schedules >= 10);
		assert_int_equal(f.failing, 0);
	}
}

/* One page is mapped; what follows makes a block of it. */
static void *build_lazy_page(const void *arg, struct explore_run *run, struct ms_machine **m)
{
	struct world *w = build_lazy(arg, run, m);

	assert_int_equal(ms_guest_read(w->vm, GPA).leaf.size, PAGE);
	return w;
}

static void access_between_break_and_make_waits(void **state)
{
	const struct kernel k = { "6.1.176", MS_ARCH_ARM64, NULL, NULL };
	struct explore_found f = race(&k, build_lazy_page, read_second, write_fourth, one_block);

	assert_int_equal(f.failing, 0);
	assert_int_equal(f.waiting, 2); // each meets the other's empty entry
}

static void whole_remap_in_a_fault_races_with_itself(void **state)
{
	const struct kernel k = { "6.1.192", MS_ARCH_ARM64, NULL, NULL };
	struct explore_found f = race(&k, build_lazy, read_second, write_fourth, both_were_made);

	assert_string_equal(f.shortest, "read[driver-insert: write]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zap_between_lookup_and_map_is_retried),
		cmocka_unit_test(sample_after_the_unlock_is_early_enough_for_a_zap),
		cmocka_unit_test(without_the_retry_the_guest_keeps_a_gone_page),
		cmocka_unit_test(replaced_vma_is_noticed_by_a_sample_before_the_unlock),
		cmocka_unit_test(sample_after_the_unlock_maps_a_block_of_a_vma_that_is_gone),
		cmocka_unit_test(munmap_during_a_guest_fault_leaves_nothing),
		cmocka_unit_test(guest_has_nothing_of_a_bar_whose_memory_is_off),
		cmocka_unit_test(vfio_that_lists_first_shows_the_guest_a_bar_whose_memory_is_off),
		cmocka_unit_test(two_accesses_of_one_block_make_one_block),
		cmocka_unit_test(access_between_break_and_make_waits),
		cmocka_unit_test(whole_remap_in_a_fault_races_with_itself),
	};

	return cmocka_run_group_tests_name("interleave_guest", tests, NULL, NULL);
}
