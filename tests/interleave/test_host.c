/* SPDX-License-Identifier: GPL-2.0-only */
/* A process' accesses and system calls against a driver that takes its pages away. */
#include "world.h"

/* ---- a driver that tests its flag ---- */

static void *build_early(const void *arg, struct explore_run *run, struct ms_machine **m)
{
	struct world *w = world_new(arg, run, m);

	map_own(w, true);
	return w;
}

static void *build_locked(const void *arg, struct explore_run *run, struct ms_machine **m)
{
	struct world *w = world_new(arg, run, m);

	map_own(w, false);
	return w;
}

static bool revoked(void *world)
{
	const struct world *w = world;

	return nothing_present(w->mm, w->va, LEN);
}

static const struct explore_op touch = { "touch", op_touch };
static const struct explore_op revoke = { "revoke", op_revoke };
static const struct explore_op munmap_all = { "munmap", op_munmap };

static void driver_that_tests_its_flag_too_early_inserts_after_the_zap(void **state)
{
	const struct kernel k = { "6.12.117", MS_ARCH_X86_64, NULL, NULL };
	struct explore_found f = race(&k, build_early, touch, revoke, revoked);

	assert_string_equal(f.shortest, "touch[driver-insert: revoke]");
	assert_int_equal(f.failing, 2); // and at flag-tested
	assert_int_equal(f.waiting, 0);
}

static void driver_that_holds_its_lock_until_it_has_inserted_never_does_after_the_zap(void **state)
{
	const struct kernel k = { "6.12.117", MS_ARCH_X86_64, NULL, NULL };
	struct explore_found f = race(&k, build_locked, touch, revoke, revoked);

	assert_int_equal(f.failing, 0);
	assert_int_equal(f.waiting, 2);
}

static bool unmapped(void *world)
{
	const struct world *w = world;

	return !ms_mm_map_count(w->mm) && revoked(world);
}

static void munmap_waits_for_a_fault_and_an_access_to_what_goes_is_refused(void **state)
{
	const struct kernel k = { "6.12.117", MS_ARCH_X86_64, NULL, NULL };
	struct explore_found f = race(&k, build_early, touch, munmap_all, unmapped);

	assert_int_equal(f.failing, 0);
	// before the handler, at its two points, after it
	assert_int_equal(f.waiting, 4);
	// one after the other, and the touch where munmap has zapped or is about to
	assert_int_equal(f.schedules, 4);
}

/* ---- a driver that inserts another page than the one that it has remapped ---- */

/* Maps its first page when it is mapped; after a revoke a fault inserts the second. */
static ms_vm_fault_t switch_fault(struct ms_vm_fault *vmf)
{
	return ms_vmf_insert_pfn(vmf->vma, vmf->address, BAR / PAGE + 1);
}

static int switch_mmap(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops ops = { .fault = switch_fault };

	vma->vm_ops = &ops;
	return ms_remap_pfn_range(vma, vma->vm_start, BAR / PAGE, vma->vm_end - vma->vm_start,
				  ms_pgprot_writecombine(vma->vm_page_prot));
}

static void *build_switch(const void *arg, struct explore_run *run, struct ms_machine **m)
{
	static const struct ms_file_ops ops = { .name = "switch", .mmap = switch_mmap };
	struct world *w = world_new(arg, run, m);

	map(w, PAGE, ms_file_new(w->m, &ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, NULL), 0);
	return w;
}

static int op_munmap_page(void *world)
{
	struct world *w = world;

	return done_or_waits(ms_munmap(w->mm, w->va, PAGE));
}

static bool no_memtype_is_left(void *world)
{
	const struct world *w = world;
	struct ms_memtype entry;

	return !ms_memtype_get(w->m, 0, &entry);
}

static struct explore_found switch_backend(const struct kernel *k)
{
	const struct explore_op user[] = { { "touch", op_touch },
					   { "munmap", op_munmap_page },
					   { 0 } };
	const struct explore_op driver[] = { { "revoke", op_zap }, { 0 } };

	return explore(&(struct explore){
		.build = build_switch,
		.destroy = world_free,
		.side = { user, driver },
		.holds = no_memtype_is_left,
		.arg = k,
	});
}

static void untrack_at_unmap_only_leaks_when_another_pfn_was_inserted(void **state)
{
	const struct kernel k = { "6.1.192", MS_ARCH_X86_64, "untrack_at", "UNMAP_ONLY" };

	assert_string_equal(switch_backend(&k).shortest, "revoke, touch, munmap");
}

static void untrack_at_any_zap_and_with_the_vma_leak_nothing(void **state)
{
	const struct ms_policy *p;

	for_each_kernel (p, MS_ARCH_X86_64) {
		const struct kernel k = { p->release, MS_ARCH_X86_64, NULL, NULL };

		assert_int_equal(switch_backend(&k).failing, 0);
	}
}

/* ---- vfio ---- */

static void *build_vfio(const void *arg, struct explore_run *run, struct ms_machine **m)
{
	struct world *w = world_new(arg, run, m);
	struct ms_file *file = ms_vfio_open(w->bar);

	assert_non_null(file);
	map(w, LEN, file, ms_vfio_offset(file));
	return w;
}

/* Memory is off at the end: nobody has the BAR. */
static bool nobody_has_the_bar(void *world)
{
	const struct world *w = world;

	return revoked(world) && (!w->child || nothing_present(w->child, w->va, LEN)) &&
	       !violations(w->m);
}

static struct explore_found vfio(const struct kernel *k, const struct explore_op *user)
{
	const struct explore_op driver[] = { { "memory-off", op_memory_off }, { 0 } };

	return explore(&(struct explore){
		.build = build_vfio,
		.destroy = world_free,
		.side = { user, driver },
		.holds = nobody_has_the_bar,
		.arg = k,
	});
}

static const struct explore_op touch_only[] = { { "touch", op_touch }, { 0 } };
static const struct explore_op touch_fork[] = { { "touch", op_touch }, { "fork", op_fork }, { 0 } };

/* A remap in vfio's fault, where a violation is told of the flags that it sets. */
static bool every_fault_is_noticed(const struct ms_policy *p)
{
	return p->vfio != MS_VFIO_V3 && p->vma_flags_lock == MS_VMA_FLAGS_LOCK_ASSERTED;
}

static void vfio_memory_off_waits_for_a_fault_in_the_handler(void **state)
{
	const struct ms_policy *p;

	for (unsigned int arch = 0; arch < 2; arch++) {
		for_each_kernel (p, arch) {
			const struct kernel k = { p->release, p->arch, NULL, NULL };
			struct explore_found f = vfio(&k, touch_only);

			if (p->vfio == MS_VFIO_V1_LIST_FIRST) {
				assert_string_equal(f.shortest, "touch[driver-insert: memory-off]");
				continue;
			}
			if (every_fault_is_noticed(p))
				continue;
			assert_int_equal(f.failing, 0);
			assert_true(f.waiting >= 1);
		}
	}
}

static void vfio_that_lists_first_maps_after_memory_is_off(void **state)
{
	const struct kernel k = { "5.10.223", MS_ARCH_X86_64, "vfio", "V1_LIST_FIRST" };

	assert_string_equal(vfio(&k, touch_only).shortest, "touch[driver-insert: memory-off]");
}

static void vfio_child_keeps_its_pages_where_open_comes_before_the_copy(void **state)
{
	const struct ms_policy *p;

	for_each_kernel (p, MS_ARCH_X86_64) {
		const struct kernel k = { p->release, MS_ARCH_X86_64, NULL, NULL };
		struct explore_found f;

		if (p->vfio == MS_VFIO_V1_LIST_FIRST || every_fault_is_noticed(p))
			continue; // fails without a fork
		f = vfio(&k, touch_fork);
		if (p->vfio != MS_VFIO_V3 && p->fork_order == MS_FORK_ORDER_OPEN_THEN_COPY)
			assert_string_equal(f.shortest, "touch, fork, memory-off");
		else
			assert_int_equal(f.failing, 0);
	}
}

static const struct explore_op fork_it = { "fork", op_fork };

/* The child has the parent's pages, or takes its own; both go on. */
static bool both_processes_go_on(void *world)
{
	struct world *w = world;

	return w->child && w->touched == MS_ACCESS_OK &&
	       ms_touch(w->mm, w->va, MS_PROT_W) == MS_ACCESS_OK &&
	       ms_touch(w->child, w->va, MS_PROT_W) == MS_ACCESS_OK && !violations(w->m);
}

/* The child's VMA is zapped by vfio when it counts as tracked, but has reserved nothing yet. */
static bool open_frees_the_parents_memtype(const struct ms_policy *p)
{
	return p->vfio != MS_VFIO_V3 && p->fork_order == MS_FORK_ORDER_OPEN_THEN_COPY &&
	       p->fork_tracking == MS_FORK_TRACKING_FLAG_INHERITED;
}

static void fork_waits_for_a_fault_in_the_driver(void **state)
{
	const struct ms_policy *p;

	for_each_kernel (p, MS_ARCH_X86_64) {
		const struct kernel k = { p->release, MS_ARCH_X86_64, NULL, NULL };
		struct explore_found f = race(&k, build_vfio, touch, fork_it, both_processes_go_on);

		if (!every_fault_is_noticed(p) && !open_frees_the_parents_memtype(p))
			assert_int_equal(f.failing, 0);
		assert_true(f.waiting >= 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(driver_that_tests_its_flag_too_early_inserts_after_the_zap),
		cmocka_unit_test(
			driver_that_holds_its_lock_until_it_has_inserted_never_does_after_the_zap),
		cmocka_unit_test(munmap_waits_for_a_fault_and_an_access_to_what_goes_is_refused),
		cmocka_unit_test(untrack_at_unmap_only_leaks_when_another_pfn_was_inserted),
		cmocka_unit_test(untrack_at_any_zap_and_with_the_vma_leak_nothing),
		cmocka_unit_test(vfio_memory_off_waits_for_a_fault_in_the_handler),
		cmocka_unit_test(vfio_that_lists_first_maps_after_memory_is_off),
		cmocka_unit_test(vfio_child_keeps_its_pages_where_open_comes_before_the_copy),
		cmocka_unit_test(fork_waits_for_a_fault_in_the_driver),
	};

	return cmocka_run_group_tests_name("interleave_host", tests, NULL, NULL);
}
