/* SPDX-License-Identifier: GPL-2.0-only */
/* What a VMA's mapping reserves. */
#include "track.h"

static void a_whole_vma_is_reserved_and_flagged(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);

	assert_int_equal(track_whole(&vma, MS_CACHE_WC), MS_CACHE_WC);
	assert_true(vma.vm_flags & MS_VM_PAT);
	assert_entry(w->m, 0, BAR, BAR + 0x4000, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0, raw(BAR, MS_CACHE_WC));
	assert_false(vma.vm_flags & MS_VM_PAT);
	assert_int_equal(memtypes(w->m), 0);
	ms_pfnmap_ctx_put(&vma);
}

static void with_contexts_there_is_no_flag(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);

	assert_int_equal(track_whole(&vma, MS_CACHE_WC), MS_CACHE_WC);
	assert_false(vma.vm_flags & MS_VM_PAT);
	assert_entry(w->m, 0, BAR, BAR + 0x4000, MS_CACHE_WC);
	ms_pfnmap_ctx_put(&vma);
	assert_int_equal(memtypes(w->m), 0);
}

static void the_size_is_rounded_up_to_pages(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 2, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_WC);

	assert_int_equal(ms_track_pfn_remap(&vma, &prot, PFN, VA, 0x1001), 0);
	assert_entry(w->m, 0, BAR, BAR + 0x2000, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0, raw(BAR, MS_CACHE_WC));
}

static void a_part_of_a_vma_takes_the_type_that_it_finds(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_WC);

	assert_int_equal(ms_track_pfn_remap(&vma, &prot, PFN, VA, 0x3000), 0);
	assert_int_equal(ms_pgprot_cache(prot), MS_CACHE_UC_MINUS);
	assert_false(vma.vm_flags & MS_VM_PAT);
	assert_null(vma.pfnmap_ctx);
	assert_int_equal(memtypes(w->m), 0);
	assert_int_equal(ms_trace_len(w->m), 0);
}

/*
 *  page    0   1   2   3   4   5   6   7   8   9   10
 *  held    [WC------------)[WC----)    [UC)        [WC)    comes last
 *  remap   [----------------------)                       WC
 *  remap   [--------------------------)                   -EINVAL: WC and nothing, which is UC-
 *  remap                           [--------------)       UC-
 *  remap                       [--------------)           -EINVAL: WC and UC-
 *  remap                                       [------)   -EINVAL: nothing and WC
 */
static void a_part_over_two_types_is_refused(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 0x100, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_UC_MINUS);

	assert_int_equal(ms_memtype_reserve(w->m, BAR, BAR + 0x4000, MS_CACHE_WC, NULL), 0);
	assert_int_equal(ms_memtype_reserve(w->m, BAR + 0x4000, BAR + 0x6000, MS_CACHE_WC, NULL),
			 0);
	assert_int_equal(
		ms_memtype_reserve(w->m, BAR + 0x7000, BAR + 0x8000, MS_CACHE_UC_MINUS, NULL), 0);
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, PFN, VA, 0x6000), 0);
	assert_int_equal(ms_pgprot_cache(prot), MS_CACHE_WC);
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, PFN, VA, 0x7000), -EINVAL);
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, PFN + 6, VA, 0x4000), 0);
	assert_int_equal(ms_pgprot_cache(prot), MS_CACHE_UC_MINUS);
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, PFN + 5, VA, 0x4000), -EINVAL);
	// nothing, and right behind it WC
	assert_int_equal(ms_memtype_reserve(w->m, BAR + 0xa000, BAR + 0xb000, MS_CACHE_WC, NULL),
			 0);
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, PFN + 9, VA, 0x2000), -EINVAL);
}

static void a_part_of_ram_takes_the_pages_type(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 8, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_UC_MINUS);

	assert_int_equal(ms_track_pfn_remap(&vma, &prot, RAM >> 12, VA, 0x4000), 0);
	assert_int_equal(ms_pgprot_cache(prot), MS_CACHE_WB);
	assert_int_equal(ms_memtype_reserve(w->m, RAM, RAM + 0x1000, MS_CACHE_WC, NULL), 0);
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, RAM >> 12, VA, 0x4000), -EINVAL);
}

static void a_part_that_reaches_into_the_isa_range_has_two_types(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 8, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_WC);

	// nothing held: UC- | ISA: WB
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, 0x9f, VA, 0x2000), -EINVAL);
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, 0xa0, VA, 0x2000), 0);
	assert_int_equal(ms_pgprot_cache(prot), MS_CACHE_WB);
}

static void a_held_type_wins_over_the_mappings_own(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);

	assert_int_equal(ms_ioremap(w->m, BAR, 0x8000, MS_CACHE_UC_MINUS), 0);
	assert_int_equal(track_whole(&vma, MS_CACHE_WC), MS_CACHE_UC_MINUS);
	ms_untrack_pfn(&vma, 0, 0, raw(BAR, MS_CACHE_UC_MINUS));
	assert_int_equal(memtypes(w->m), 1);
}

static void a_type_more_cached_than_asked_for_is_refused(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_WC);

	assert_int_equal(ms_ioremap(w->m, BAR, 0x4000, MS_CACHE_WB), 0);
	ms_trace_clear(w->m);
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, PFN, VA, 0x4000), -EINVAL);
	// it was granted, and the entry just made goes again
	assert_int_equal(ms_trace_get(w->m, 0)->type, MS_EV_PAT_RESERVE);
	assert_int_equal(ms_trace_get(w->m, 0)->ret, 0);
	assert_int_equal(ms_trace_get(w->m, 1)->type, MS_EV_PAT_FREE);
	assert_null(ms_trace_get(w->m, 1)->reason);
	assert_int_equal(memtypes(w->m), 1);
	assert_false(vma.vm_flags & MS_VM_PAT);
	assert_null(vma.pfnmap_ctx);
	assert_int_equal(ms_memtype_leaks(w->m, NULL, NULL), 0);
}

static void a_conflict_is_einval_to_the_caller(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_WC);

	assert_int_equal(ms_memtype_reserve(w->m, BAR, BAR + 0x1000, MS_CACHE_WC, NULL), 0);
	assert_int_equal(ms_memtype_reserve(w->m, BAR + 0x1000, BAR + 0x2000, MS_CACHE_UC, NULL),
			 0);
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, PFN, VA, 0x4000), -EINVAL);
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_RESERVE)->ret, -EBUSY);
}

static void ram_is_flagged_but_not_reserved(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_WC);

	assert_int_equal(ms_track_pfn_remap(&vma, &prot, RAM >> 12, VA, 0x4000), 0);
	assert_int_equal(ms_pgprot_cache(prot), MS_CACHE_WB);
	assert_true(vma.vm_flags & MS_VM_PAT);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_RESERVE), 0);
	ms_untrack_pfn(&vma, 0, 0, raw(RAM, MS_CACHE_WB));
	assert_false(vma.vm_flags & MS_VM_PAT);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_FREE), 0);
}

/* reserve_pfn_range() asks whether any of it is RAM, and not whether all of it is. */
static void memory_that_is_mixed_counts_as_ram(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_WC);

	// BAR, its end | RAM
	assert_int_equal(ms_ram_add(w->m, BAR + 0x100000, 0x100000), 0);
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, PFN + 0xfe, VA, 0x4000), 0);
	assert_int_equal(ms_pgprot_cache(prot), MS_CACHE_UC_MINUS);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_RESERVE), 0);
	ms_untrack_pfn(&vma, 0, 0, raw(BAR + 0xfe000, MS_CACHE_UC_MINUS));
	ms_pfnmap_ctx_put(&vma);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_FREE), 0);
}

static void without_pat_a_mapping_keeps_its_own_type(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED), ram = vma_of(w, 4, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_WC), before = prot;

	assert_int_equal(ms_track_pfn_remap(&ram, &prot, RAM >> 12, VA, 0x4000), 0);
	assert_int_equal(prot, before);
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, PFN, VA, 0x3000), 0);
	assert_int_equal(prot, before);
	ms_track_pfn_insert(&vma, &prot, PFN);
	assert_int_equal(prot, before);
	assert_int_equal(track_whole(&vma, MS_CACHE_WC), MS_CACHE_WC);
	assert_int_equal(memtypes(w->m), 0);
	ms_pfnmap_ctx_put(&vma);
	ms_pfnmap_ctx_put(&ram);
}

/* Right behind the ISA range nothing is excused any more. */
static void behind_the_isa_range_wt_does_not_become_wc(void **state)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_X86_64));
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_vma vma = {
		.vm_mm = mm, .vm_start = VA, .vm_end = VA + 0x4000, .vm_flags = SHARED
	};
	ms_pgprot_t prot = prot_of(MS_CACHE_WT);

	assert_int_equal(ms_memtype_reserve(m, 0x100000, 0x101000, MS_CACHE_WC, NULL), 0);
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, 0x100, VA, 0x4000), -EINVAL);
	assert_string_equal(ms_trace_last(m, MS_EV_LOG)->reason,
			    "x86/PAT: map pfn expected another mapping type");
	assert_int_equal(memtypes(m), 1);
	ms_machine_free(m);
}

static void a_second_whole_remap_leaves_the_first_entry_behind(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);
	struct ms_memtype leak = { BAR, BAR + 0x4000, MS_CACHE_WC };

	track_whole(&vma, MS_CACHE_WC);
	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0, raw(BAR, MS_CACHE_WC));
	assert_int_equal(memtypes(w->m), 1);
	assert_int_equal(ms_memtype_leaks(w->m, assert_leak, &leak), 1);
}

static void a_second_whole_remap_is_refused_where_the_first_is_remembered(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_WC);

	track_whole(&vma, MS_CACHE_WC);
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, PFN, VA, 0x4000), -EINVAL);
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, PFN, VA, 0x3000), 0);
	assert_int_equal(memtypes(w->m), 1);
	ms_pfnmap_ctx_put(&vma);
}

static void an_insert_takes_what_the_list_says(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_WC);

	ms_track_pfn_insert(&vma, &prot, PFN);
	assert_int_equal(ms_pgprot_cache(prot), MS_CACHE_UC_MINUS);
	assert_int_equal(ms_memtype_reserve(w->m, BAR, BAR + 0x1000, MS_CACHE_WB, NULL), 0);
	ms_track_pfn_insert(&vma, &prot, PFN);
	assert_int_equal(ms_pgprot_cache(prot), MS_CACHE_WB);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_RESERVE), 1);
}

/*
 *  page     -1   0   1   2   3   4
 *  held         [WC------------)
 *  insert        ok          ok
 *  insert    hazard              hazard
 */
static void an_insert_of_a_page_outside_of_the_reservation_is_a_hazard(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_WC);

	track_whole(&vma, MS_CACHE_WC);
	ms_track_pfn_insert(&vma, &prot, PFN);
	ms_track_pfn_insert(&vma, &prot, PFN + 3);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_HAZARD), 0);
	ms_track_pfn_insert(&vma, &prot, PFN - 1);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_HAZARD), 1);
	ms_track_pfn_insert(&vma, &prot, PFN + 4);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_HAZARD), 2);
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_HAZARD)->pa, BAR + 0x4000);
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_HAZARD)->pa_size, 0x1000);
	ms_pfnmap_ctx_put(&vma);
}

/* Nothing is reserved of RAM, but what was mapped is remembered. */
static void an_insert_of_another_page_of_ram_is_a_hazard_too(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_WB);

	assert_int_equal(ms_track_pfn_remap(&vma, &prot, RAM >> 12, VA, 0x4000), 0);
	ms_track_pfn_insert(&vma, &prot, (RAM >> 12) + 3);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_HAZARD), 0);
	ms_track_pfn_insert(&vma, &prot, (RAM >> 12) + 4);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_HAZARD), 1);
	ms_pfnmap_ctx_put(&vma);
}

static void a_remap_without_memory_reserves_nothing(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_WC);
	uint64_t n = 0;
	int err;

	do {
		ms_machine_fail_alloc(w->m, ++n);
		err = ms_track_pfn_remap(&vma, &prot, PFN, VA, 0x4000);
		ms_machine_fail_alloc(w->m, 0);
		if (err) {
			assert_int_equal(err, -EINVAL);
			assert_int_equal(memtypes(w->m), 0);
			assert_false(vma.vm_flags & MS_VM_PAT);
			assert_null(vma.pfnmap_ctx);
		}
	} while (err);
	assert_true(n > 1);
	ms_untrack_pfn(&vma, 0, 0, raw(BAR, MS_CACHE_WC));
	ms_pfnmap_ctx_put(&vma);
	assert_int_equal(memtypes(w->m), 0);
}

static void a_context_of_ram_without_memory_is_enomem(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_WB);

	// the page frames are there already
	assert_int_equal(ms_memtype_lookup(w->m, RAM), MS_CACHE_WB);
	ms_machine_fail_alloc(w->m, 1);
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, RAM >> 12, VA, 0x4000), -ENOMEM);
	assert_null(vma.pfnmap_ctx);
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, RAM >> 12, VA, 0x4000), 0);
	ms_pfnmap_ctx_put(&vma);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_FREE), 0);
}

/* pfnmap_untrack() again, of what is on no list */
static void a_context_of_the_isa_range_without_memory_is_freed_again(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_UC_MINUS);

	// an event, so that the trace has its memory
	assert_int_equal(ms_memtype_reserve(w->m, 0xc0000, 0xc1000, MS_CACHE_WB, NULL), 0);
	ms_machine_fail_alloc(w->m, 1);
	assert_int_equal(ms_track_pfn_remap(&vma, &prot, 0xc0, VA, 0x4000), -ENOMEM);
	assert_null(vma.pfnmap_ctx);
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->addr, 0xc0000);
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->size, 0x4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(flag_inherited, a_whole_vma_is_reserved_and_flagged),
		ON(flag, a_whole_vma_is_reserved_and_flagged),
		ON(context, with_contexts_there_is_no_flag),
		ON(flag, the_size_is_rounded_up_to_pages),
		ON(flag, a_part_of_a_vma_takes_the_type_that_it_finds),
		ON(context, a_part_of_a_vma_takes_the_type_that_it_finds),
		ON(flag, a_part_over_two_types_is_refused),
		ON(flag, a_part_of_ram_takes_the_pages_type),
		ON(flag, a_part_that_reaches_into_the_isa_range_has_two_types),
		ON(flag, a_held_type_wins_over_the_mappings_own),
		ON(flag, a_type_more_cached_than_asked_for_is_refused),
		ON(context, a_type_more_cached_than_asked_for_is_refused),
		ON(flag, a_conflict_is_einval_to_the_caller),
		ON(context, a_conflict_is_einval_to_the_caller),
		ON(flag, ram_is_flagged_but_not_reserved),
		ON(flag, memory_that_is_mixed_counts_as_ram),
		ON(context, memory_that_is_mixed_counts_as_ram),
		ON(flag_pat_off, without_pat_a_mapping_keeps_its_own_type),
		ON(context_pat_off, without_pat_a_mapping_keeps_its_own_type),
		cmocka_unit_test(behind_the_isa_range_wt_does_not_become_wc),
		ON(flag, a_second_whole_remap_leaves_the_first_entry_behind),
		ON(context, a_second_whole_remap_is_refused_where_the_first_is_remembered),
		ON(flag, an_insert_takes_what_the_list_says),
		ON(context, an_insert_takes_what_the_list_says),
		ON(flag, an_insert_of_a_page_outside_of_the_reservation_is_a_hazard),
		ON(context, an_insert_of_a_page_outside_of_the_reservation_is_a_hazard),
		ON(context, an_insert_of_another_page_of_ram_is_a_hazard_too),
		ON(flag, a_remap_without_memory_reserves_nothing),
		ON(context, a_remap_without_memory_reserves_nothing),
		ON(context, a_context_of_ram_without_memory_is_enomem),
		ON(context, a_context_of_the_isa_range_without_memory_is_freed_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
