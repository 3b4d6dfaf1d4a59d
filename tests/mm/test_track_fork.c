/* SPDX-License-Identifier: GPL-2.0-only */
/* What a fork reserves for the child's VMA, and what it leaves when it fails. */
#include "track.h"

static void a_child_reserves_the_type_and_pfn_of_the_first_entry(void **state)
{
	struct world *w = *state;
	struct ms_vma parent = vma_of(w, 4, SHARED), child;

	track_whole(&parent, MS_CACHE_WC);
	child = dup_for_child(w, &parent);
	if (w->m->policy.fork_tracking == MS_FORK_TRACKING_FLAG_AFTER_RESERVE)
		ms_untrack_pfn_clear(&child);
	assert_int_equal(ms_track_pfn_copy(&child, &parent, raw(BAR, MS_CACHE_WC)), 0);
	assert_true(child.vm_flags & MS_VM_PAT);
	assert_int_equal(memtypes(w->m), 2);
	ms_untrack_pfn(&child, 0, 0, raw(BAR, MS_CACHE_WC));
	assert_null(ms_trace_last(w->m, MS_EV_PAT_FREE)->reason);
	assert_int_equal(memtypes(w->m), 1);
	assert_int_equal(ms_memtype_leaks(w->m, NULL, NULL), 0);
	ms_untrack_pfn(&parent, 0, 0, raw(BAR, MS_CACHE_WC));
	assert_int_equal(memtypes(w->m), 0);
}

static void a_child_of_an_untracked_vma_reserves_nothing(void **state)
{
	struct world *w = *state;
	struct ms_vma parent = vma_of(w, 4, SHARED), child;

	child = dup_for_child(w, &parent);
	assert_int_equal(ms_track_pfn_copy(&child, &parent, 0), 0);
	assert_false(child.vm_flags & MS_VM_PAT);
	assert_int_equal(memtypes(w->m), 0);
}

static void a_childs_type_must_be_the_very_type(void **state)
{
	struct world *w = *state;
	struct ms_vma parent = vma_of(w, 4, SHARED), child;

	// the entry has gone, and another type holds the range now
	track_whole(&parent, MS_CACHE_WC);
	assert_int_equal(ms_memtype_free(w->m, BAR, BAR + 0x4000), 0);
	assert_int_equal(ms_ioremap(w->m, BAR, 0x4000, MS_CACHE_UC_MINUS), 0);
	child = dup_for_child(w, &parent);
	ms_untrack_pfn_clear(&child);
	assert_int_equal(ms_track_pfn_copy(&child, &parent, raw(BAR, MS_CACHE_WC)), -EINVAL);
	assert_false(child.vm_flags & MS_VM_PAT);
	assert_int_equal(memtypes(w->m), 1);
	ms_pfnmap_ctx_put(&child);
	ms_pfnmap_ctx_put(&parent);
}

static void a_child_remembers_ram_too(void **state)
{
	struct world *w = *state;
	struct ms_vma parent = vma_of(w, 4, SHARED), child;
	ms_pgprot_t prot = prot_of(MS_CACHE_WB);

	assert_int_equal(ms_track_pfn_remap(&parent, &prot, RAM >> 12, VA, 0x4000), 0);
	child = dup_for_child(w, &parent);
	ms_untrack_pfn_clear(&child);
	ms_machine_fail_alloc(w->m, 1);
	assert_int_equal(ms_track_pfn_copy(&child, &parent, 0), -ENOMEM);
	assert_null(child.pfnmap_ctx);
	assert_int_equal(ms_track_pfn_copy(&child, &parent, 0), 0);
	assert_non_null(child.pfnmap_ctx);
	assert_ptr_not_equal(child.pfnmap_ctx, parent.pfnmap_ctx);
	ms_track_pfn_insert(&child, &prot, (RAM >> 12) + 3);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_HAZARD), 0);
	ms_pfnmap_ctx_put(&child);
	ms_pfnmap_ctx_put(&parent);
}

static void fork_of_a_copied_first_page_fails(void **state)
{
	struct world *w = *state;
	struct ms_vma parent = vma_of(w, 4, COW), child;

	track_whole(&parent, MS_CACHE_WC);
	child = dup_for_child(w, &parent);
	ms_untrack_pfn_clear(&child);
	assert_int_equal(ms_track_pfn_copy(&child, &parent, copied(MS_CACHE_WB)), -EINVAL);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_RESERVE), 1);
	// the child's teardown has no flag and frees nothing
	ms_untrack_pfn(&child, 0, 0, 0);
	ms_pfnmap_ctx_put(&child);
	assert_int_equal(memtypes(w->m), 1);
	ms_untrack_pfn(&parent, 0, 0, copied(MS_CACHE_WB));
	assert_int_equal(memtypes(w->m), 0);
}

static void the_flag_is_not_inherited_even_if_nobody_clears_it(void **state)
{
	struct world *w = *state;
	struct ms_vma parent = vma_of(w, 4, COW), child;

	track_whole(&parent, MS_CACHE_WC);
	child = dup_for_child(w, &parent);
	assert_int_equal(ms_track_pfn_copy(&child, &parent, copied(MS_CACHE_WB)), -EINVAL);
	assert_false(child.vm_flags & MS_VM_PAT);
}

static void with_the_flag_inherited_the_failed_child_frees_the_parents_entry(void **state)
{
	struct world *w = *state;
	struct ms_vma parent = vma_of(w, 4, COW), child;

	track_whole(&parent, MS_CACHE_WC);
	child = dup_for_child(w, &parent);
	assert_int_equal(ms_track_pfn_copy(&child, &parent, copied(MS_CACHE_WB)), -EINVAL);
	assert_true(child.vm_flags & MS_VM_PAT);
	ms_untrack_pfn(&child, 0, 0, 0);
	assert_string_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->reason, "someone else's entry");
	assert_int_equal(memtypes(w->m), 0);
	ms_untrack_pfn(&parent, 0, 0, copied(MS_CACHE_WB));
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->ret, -EINVAL);
}

static void early_kernels_fork_a_copied_first_page_and_reserve_nothing(void **state)
{
	struct world *w = *state;
	struct ms_vma parent = vma_of(w, 4, COW), child;

	track_whole(&parent, MS_CACHE_WC);
	child = dup_for_child(w, &parent);
	assert_int_equal(ms_track_pfn_copy(&child, &parent, copied(MS_CACHE_WB)), 0);
	assert_true(child.vm_flags & MS_VM_PAT);
	assert_int_equal(memtypes(w->m), 1);
	ms_untrack_pfn(&child, 0, 0, copied(MS_CACHE_WB));
	assert_int_equal(memtypes(w->m), 1);
	ms_pfnmap_ctx_put(&parent);
}

static void fork_of_a_zapped_shared_vma_that_kept_its_flag_is_a_warning(void **state)
{
	struct world *w = *state;
	struct ms_vma parent = vma_of(w, 4, SHARED), child;

	track_whole(&parent, MS_CACHE_WC);
	child = dup_for_child(w, &parent);
	assert_int_equal(ms_track_pfn_copy(&child, &parent, 0), -EINVAL);
	assert_int_equal(ms_trace_count(w->m, MS_EV_VIOLATION), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(flag_inherited, a_child_reserves_the_type_and_pfn_of_the_first_entry),
		ON(flag, a_child_reserves_the_type_and_pfn_of_the_first_entry),
		ON(flag, a_child_of_an_untracked_vma_reserves_nothing),
		ON(remembered, a_child_of_an_untracked_vma_reserves_nothing),
		ON(remembered, a_childs_type_must_be_the_very_type),
		ON(remembered, a_child_remembers_ram_too),
		ON(flag, a_childs_type_must_be_the_very_type),
		ON(flag, fork_of_a_copied_first_page_fails),
		ON(flag, the_flag_is_not_inherited_even_if_nobody_clears_it),
		ON(flag_inherited,
		   with_the_flag_inherited_the_failed_child_frees_the_parents_entry),
		ON(early, early_kernels_fork_a_copied_first_page_and_reserve_nothing),
		ON(flag, fork_of_a_zapped_shared_vma_that_kept_its_flag_is_a_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
