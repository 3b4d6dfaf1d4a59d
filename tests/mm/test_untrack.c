/* SPDX-License-Identifier: GPL-2.0-only */
/* When what a VMA's mapping reserved is given back: by its flag, or by its context. */
#include "track.h"

/* ---- untrack by flag ---- */

static void an_untrack_without_the_flag_is_an_event_and_nothing_more(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);

	assert_int_equal(ms_memtype_reserve(w->m, BAR, BAR + 0x4000, MS_CACHE_WC, NULL), 0);
	ms_untrack_pfn(&vma, 0, 0, raw(BAR, MS_CACHE_WC));
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_UNTRACK)->addr, VA);
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_UNTRACK)->mm, ms_mm_id(w->mm));
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_FREE), 0);
	assert_int_equal(memtypes(w->m), 1);
}

/*
 * Page 0 was remapped and zapped by other means, and a fault has inserted page 1:
 *
 *  held   [WC)
 *  VMA        |1* |
 *  freed      [--)     -EINVAL, and page 0 is left behind
 */
static void untrack_goes_by_the_first_entry_not_by_what_was_reserved(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 1, SHARED);
	struct ms_memtype leak = { BAR, BAR + 0x1000, MS_CACHE_WC };

	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0, raw(BAR + 0x1000, MS_CACHE_UC_MINUS));
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->addr, BAR + 0x1000);
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->ret, -EINVAL);
	assert_false(vma.vm_flags & MS_VM_PAT);
	assert_int_equal(ms_memtype_leaks(w->m, assert_leak, &leak), 1);
}

/* The one hazard so far: a reservation of so many bytes from pa on. */
static void assert_left_behind(const struct world *w, ms_pa_t pa, uint64_t size)
{
	const struct ms_event *ev = ms_trace_last(w->m, MS_EV_PAT_HAZARD);

	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_HAZARD), 1);
	assert_int_equal(ev->addr, VA);
	assert_int_equal(ev->pa, pa);
	assert_int_equal(ev->pa_size, size);
	assert_string_equal(ev->reason, "a reservation is left behind");
}

static void an_empty_first_entry_of_a_shared_vma_is_a_warning_and_keeps_the_flag(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);

	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0, 0);
	assert_int_equal(ms_trace_count(w->m, MS_EV_VIOLATION), 1);
	assert_true(vma.vm_flags & MS_VM_PAT);
	assert_int_equal(memtypes(w->m), 1);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_HAZARD), 0);
	// its VMA goes all the same
	ms_pfnmap_ctx_put(&vma);
	assert_int_equal(ms_memtype_leaks(w->m, NULL, NULL), 1);
	assert_left_behind(w, BAR, 0x4000);
}

static void a_named_range_is_freed_without_looking_at_the_table(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);

	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn(&vma, PFN, 0x4000, 0);
	assert_int_equal(memtypes(w->m), 0);
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_UNTRACK)->pa, PFN);
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_UNTRACK)->size, 0x4000);
	assert_false(vma.vm_flags & MS_VM_PAT);
}

/* pfn 0 is a pfn: only where no size is named either the table is asked. */
static void a_named_range_may_begin_at_0(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_WC);

	assert_int_equal(ms_track_pfn_remap(&vma, &prot, 0, VA, 0x4000), 0);
	assert_entry(w->m, 0, 0, 0x4000, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0x4000, raw(BAR, MS_CACHE_WC));
	assert_int_equal(memtypes(w->m), 0);
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->addr, 0);
}

static void a_protnone_entry_still_tells_the_address(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);

	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0, (raw(BAR, MS_CACHE_WC) & ~MS_PTE_PRESENT) | MS_PTE_PROTNONE);
	assert_int_equal(memtypes(w->m), 0);
}

static void a_copied_first_page_means_the_page_offset(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, COW);

	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0, copied(MS_CACHE_WB));
	assert_int_equal(memtypes(w->m), 0);
	assert_int_equal(ms_trace_count(w->m, MS_EV_VIOLATION), 0);
	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0, 0);
	assert_int_equal(memtypes(w->m), 0);
}

static void early_kernels_take_the_copied_page_for_the_address(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, COW);
	struct ms_memtype leak = { BAR, BAR + 0x4000, MS_CACHE_WC };

	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0, copied(MS_CACHE_WB));
	assert_false(vma.vm_flags & MS_VM_PAT);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_FREE), 0);
	assert_int_equal(ms_memtype_leaks(w->m, assert_leak, &leak), 1);
}

static void early_kernels_warn_of_an_empty_first_entry_of_a_private_vma_too(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, COW);

	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0, 0);
	assert_int_equal(ms_trace_count(w->m, MS_EV_VIOLATION), 1);
	assert_true(vma.vm_flags & MS_VM_PAT);
}

/*
 *  held  [WC-------------)
 *  VMAs  |head   |tail   |
 *  tail          [-------)    the entry loses its tail
 *  head  [-------)            and goes
 */
static void the_tail_first_then_the_head_frees_all(void **state)
{
	struct world *w = *state;
	struct ms_vma head = vma_of(w, 4, SHARED), tail;

	track_whole(&head, MS_CACHE_WC);
	tail = split(&head, VA + 0x2000);
	ms_untrack_pfn(&tail, 0, 0, raw(BAR + 0x2000, MS_CACHE_WC));
	assert_entry(w->m, 0, BAR, BAR + 0x2000, MS_CACHE_WC);
	assert_int_equal(ms_memtype_leaks(w->m, NULL, NULL), 0);
	ms_untrack_pfn(&head, 0, 0, raw(BAR, MS_CACHE_WC));
	assert_int_equal(memtypes(w->m), 0);
}

/*
 *  held  [WC-------------)
 *  VMAs  |head   |tail   |
 *  head  [-------)            no entry matches
 *  tail          [-------)    the entry loses its tail
 *  left  [WC-----)
 */
static void the_head_first_then_the_tail_leaves_the_head_behind(void **state)
{
	struct world *w = *state;
	struct ms_vma head = vma_of(w, 4, SHARED), tail;
	struct ms_memtype leak = { BAR, BAR + 0x2000, MS_CACHE_WC };

	track_whole(&head, MS_CACHE_WC);
	tail = split(&head, VA + 0x2000);
	ms_untrack_pfn(&head, 0, 0, raw(BAR, MS_CACHE_WC));
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->ret, -EINVAL);
	assert_string_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->reason, "no entry matches");
	assert_int_equal(ms_memtype_leaks(w->m, NULL, NULL), 0);
	ms_untrack_pfn(&tail, 0, 0, raw(BAR + 0x2000, MS_CACHE_WC));
	assert_string_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->reason,
			    "an entry lost its tail; the rest is left behind");
	assert_int_equal(ms_memtype_leaks(w->m, assert_leak, &leak), 1);
}

/*
 *  held    [1----------------------)    of the first VMA
 *                          [2------)    of the second
 *  tail                    [-------)    of the first VMA: takes 2, which it equals
 *  second                  [-------)    takes the tail of 1
 *  head    [---------------)            takes the rest
 */
static void a_tail_that_equals_anothers_entry_takes_it(void **state)
{
	struct world *w = *state;
	struct ms_vma first = vma_of(w, 16, SHARED), second = vma_of(w, 4, SHARED), tail;
	ms_pgprot_t prot = prot_of(MS_CACHE_UC_MINUS);

	track_whole(&first, MS_CACHE_UC_MINUS);
	assert_int_equal(ms_track_pfn_remap(&second, &prot, PFN + 12, VA, 0x4000), 0);
	tail = split(&first, VA + 0xc000);
	ms_untrack_pfn(&tail, 0, 0, raw(BAR + 0xc000, MS_CACHE_UC_MINUS));
	assert_string_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->reason, "someone else's entry");
	assert_int_equal(memtypes(w->m), 1);
	assert_entry(w->m, 0, BAR, BAR + 0x10000, MS_CACHE_UC_MINUS);
	ms_untrack_pfn(&second, 0, 0, raw(BAR + 0xc000, MS_CACHE_UC_MINUS));
	assert_string_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->reason,
			    "someone else's entry lost its tail");
	ms_untrack_pfn(&first, 0, 0, raw(BAR, MS_CACHE_UC_MINUS));
	assert_int_equal(memtypes(w->m), 0);
}

static void clear_takes_the_flag_and_leaves_the_entry(void **state)
{
	struct world *w = *state;
	struct ms_vma old = vma_of(w, 4, SHARED), moved;

	track_whole(&old, MS_CACHE_WC);
	moved = split(&old, VA);
	old.vm_end = VA + 0x4000;
	ms_untrack_pfn_clear(&old);
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_CLEAR)->addr, VA);
	assert_false(old.vm_flags & MS_VM_PAT);
	ms_untrack_pfn(&old, 0, 0, 0);
	assert_int_equal(memtypes(w->m), 1);
	assert_int_equal(ms_memtype_leaks(w->m, NULL, NULL), 0);
	ms_untrack_pfn(&moved, 0, 0, raw(BAR, MS_CACHE_WC));
	assert_int_equal(memtypes(w->m), 0);
}

static void a_vma_that_was_cleared_holds_nothing(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);

	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn_clear(&vma);
	assert_null(vma.pfnmap_ctx);
	assert_left_behind(w, BAR, 0x4000);
	assert_int_equal(ms_memtype_leaks(w->m, NULL, NULL), 1);
}

static void where_the_flag_decides_a_full_count_of_holders_does_not_matter(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED), dup;

	track_whole(&vma, MS_CACHE_WC);
	dup = vma;
	vma.pfnmap_ctx->holders = INT32_MAX;
	assert_int_equal(ms_pfnmap_ctx_dup(&dup, &vma), 0);
	assert_null(dup.pfnmap_ctx);
	assert_int_equal(vma.pfnmap_ctx->holders, INT32_MAX);
	vma.pfnmap_ctx->holders = 1;
	ms_untrack_pfn(&vma, 0, 0, raw(BAR, MS_CACHE_WC));
}

/* ---- contexts ---- */

/*
 *  held   [WC-------------)
 *  VMAs   |head   |tail   |
 *  child  |head   |             the last to go: all is freed
 */
static void pieces_and_copies_share_one_context(void **state)
{
	struct world *w = *state;
	struct ms_vma head = vma_of(w, 4, SHARED), tail, child;

	track_whole(&head, MS_CACHE_WC);
	tail = split(&head, VA + 0x2000);
	child = dup_for_child(w, &head);
	assert_int_equal(ms_track_pfn_copy(&child, &head, raw(BAR, MS_CACHE_WC)), 0);
	ms_pfnmap_ctx_put(&head);
	assert_null(head.pfnmap_ctx);
	ms_pfnmap_ctx_put(&tail);
	assert_int_equal(memtypes(w->m), 1);
	assert_int_equal(ms_memtype_leaks(w->m, NULL, NULL), 0);
	ms_pfnmap_ctx_put(&child);
	assert_int_equal(memtypes(w->m), 0);
	// as it was reserved, though the last VMA was a piece
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_FREE), 1);
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->addr, BAR);
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->size, 0x4000);
}

static void with_contexts_a_zap_is_nothing_to_tracking(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);

	track_whole(&vma, MS_CACHE_WC);
	ms_trace_clear(w->m);
	ms_untrack_pfn(&vma, 0, 0, raw(BAR, MS_CACHE_WC));
	ms_untrack_pfn(&vma, PFN, 0x4000, 0);
	ms_untrack_pfn_clear(&vma);
	assert_int_equal(ms_trace_len(w->m), 0);
	assert_int_equal(memtypes(w->m), 1);
	ms_pfnmap_ctx_put(&vma);
	assert_int_equal(memtypes(w->m), 0);
}

static void a_saturated_context_cannot_be_shared(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED), dup;

	track_whole(&vma, MS_CACHE_WC);
	dup = vma;
	vma.pfnmap_ctx->holders = INT32_MAX;
	assert_int_equal(ms_pfnmap_ctx_dup(&dup, &vma), -ENOMEM);
	assert_null(dup.pfnmap_ctx);
	vma.pfnmap_ctx->holders = 1;
	ms_pfnmap_ctx_put(&vma);
	ms_pfnmap_ctx_put(&dup);
}

static void a_context_of_ram_frees_nothing(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_WB);

	assert_int_equal(ms_track_pfn_remap(&vma, &prot, RAM >> 12, VA, 0x4000), 0);
	assert_non_null(vma.pfnmap_ctx);
	ms_pfnmap_ctx_put(&vma);
	assert_int_equal(ms_trace_len(w->m), 0);
}

static void a_policy_may_remember_and_still_untrack_at_any_zap(void **state)
{
	struct world *w = *state;
	struct ms_vma head = vma_of(w, 4, SHARED), tail, child;

	track_whole(&head, MS_CACHE_WC);
	child = dup_for_child(w, &head);
	ms_untrack_pfn_clear(&child);
	assert_int_equal(ms_track_pfn_copy(&child, &head, 0), 0);
	assert_int_equal(memtypes(w->m), 2);
	assert_entry(w->m, 1, BAR, BAR + 0x4000, MS_CACHE_WC);
	tail = split(&head, VA + 0x2000);
	ms_untrack_pfn(&tail, 0, 0, 0);
	assert_int_equal(memtypes(w->m), 2);
	ms_untrack_pfn(&head, 0, 0, 0);
	assert_int_equal(memtypes(w->m), 1);
	ms_untrack_pfn(&head, 0, 0, 0);
	assert_int_equal(memtypes(w->m), 1);
	ms_untrack_pfn(&child, 0, 0, 0);
	assert_int_equal(memtypes(w->m), 0);
	assert_int_equal(ms_trace_count(w->m, MS_EV_VIOLATION), 0);
}

static void on_arm64_tracking_does_nothing(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED), child = vma_of(w, 4, SHARED);
	ms_pgprot_t prot = ms_pgprot_set_cache(MS_PTE_PRESENT, MS_CACHE_NGNRE), before = prot;

	assert_int_equal(ms_track_pfn_remap(&vma, &prot, PFN, VA, 0x4000), 0);
	ms_track_pfn_insert(&vma, &prot, PFN);
	assert_int_equal(prot, before);
	assert_int_equal(ms_track_pfn_copy(&child, &vma, 0), 0);
	ms_untrack_pfn(&vma, 0, 0, 0);
	ms_untrack_pfn_clear(&vma);
	assert_int_equal(ms_pfnmap_ctx_dup(&child, &vma), 0);
	ms_pfnmap_ctx_put(&vma);
	assert_int_equal(vma.vm_flags, SHARED);
	assert_int_equal(ms_trace_len(w->m), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(flag, an_untrack_without_the_flag_is_an_event_and_nothing_more),
		ON(flag, untrack_goes_by_the_first_entry_not_by_what_was_reserved),
		ON(flag, an_empty_first_entry_of_a_shared_vma_is_a_warning_and_keeps_the_flag),
		ON(flag, a_named_range_is_freed_without_looking_at_the_table),
		ON(flag, a_named_range_may_begin_at_0),
		ON(flag, a_protnone_entry_still_tells_the_address),
		ON(flag, a_copied_first_page_means_the_page_offset),
		ON(early, early_kernels_take_the_copied_page_for_the_address),
		ON(early, early_kernels_warn_of_an_empty_first_entry_of_a_private_vma_too),
		ON(flag, the_tail_first_then_the_head_frees_all),
		ON(flag, the_head_first_then_the_tail_leaves_the_head_behind),
		ON(flag, a_tail_that_equals_anothers_entry_takes_it),
		ON(flag, clear_takes_the_flag_and_leaves_the_entry),
		ON(flag, a_vma_that_was_cleared_holds_nothing),
		ON(flag, where_the_flag_decides_a_full_count_of_holders_does_not_matter),
		ON(context, pieces_and_copies_share_one_context),
		ON(context, with_contexts_a_zap_is_nothing_to_tracking),
		ON(context, a_saturated_context_cannot_be_shared),
		ON(context, a_context_of_ram_frees_nothing),
		ON(remembered, a_policy_may_remember_and_still_untrack_at_any_zap),
		ON(arm64, on_arm64_tracking_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
