/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a VMA's mapping reserves, and when that is given back. VMAs are made by hand: their flags,
 * borders and first entry are all that tracking looks at.
 */
#include "pat/internal.h"

#include <mapsim/machine.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define BAR UINT64_C(0x180000000)
#define PFN (BAR >> 12)
#define RAM UINT64_C(0x200000)
#define VA UINT64_C(0x200000000000)
#define SHARED (MS_VM_SHARED | MS_VM_MAYSHARE | MS_VM_MAYWRITE | MS_VM_PFNMAP | MS_VM_IO)
#define COW (MS_VM_MAYWRITE | MS_VM_PFNMAP | MS_VM_IO)

struct world {
	struct ms_machine *m;
	struct ms_mm *mm, *child_mm;
};

static int setup_policy(void **state, const struct ms_policy *policy)
{
	struct world *w = calloc(1, sizeof(*w));

	w->m = ms_machine_new(policy);
	assert_non_null(w->m);
	assert_int_equal(ms_ram_add(w->m, 0x100000, 0x1000000), 0);
	assert_non_null(ms_device_add(w->m, "bar", BAR, 0x100000));
	w->mm = ms_mm_new(w->m);
	w->child_mm = ms_mm_new(w->m);
	*state = w;
	return 0;
}

static int setup_510(void **state) /* flag inherited at fork */
{
	return setup_policy(state, ms_policy_linux("5.10.223", MS_ARCH_X86_64));
}
static int setup_612(void **state) /* flag set after the child's own reservation */
{
	return setup_policy(state, ms_policy_linux("6.12.107", MS_ARCH_X86_64));
}
static int setup_72(void **state) /* contexts */
{
	return setup_policy(state, ms_policy_linux("7.2.13", MS_ARCH_X86_64));
}
static int setup_arm64(void **state)
{
	return setup_policy(state, ms_policy_linux("6.12.107", MS_ARCH_ARM64));
}
static int setup_early(void **state) /* before 6.9: the first entry, whatever it is */
{
	struct ms_policy p = *ms_policy_linux("5.10.223", MS_ARCH_X86_64);

	p.untrack_address = MS_UNTRACK_ADDRESS_FIRST_PTE_EVEN_ANON;
	return setup_policy(state, &p);
}
static int setup_remembered(void **state) /* no kernel's: remembers, but any zap untracks */
{
	struct ms_policy p = *ms_policy_linux("6.12.107", MS_ARCH_X86_64);

	p.untrack_address = MS_UNTRACK_ADDRESS_REMEMBERED;
	return setup_policy(state, &p);
}

static int teardown(void **state)
{
	struct world *w = *state;

	ms_mm_exit(w->child_mm);
	ms_mm_exit(w->mm);
	ms_machine_free(w->m);
	free(w);
	return 0;
}

static struct ms_vma vma_of(struct world *w, uint64_t npages, uint64_t flags)
{
	return (struct ms_vma){ .vm_mm = w->mm,
				.vm_start = VA,
				.vm_end = VA + npages * 0x1000,
				.vm_pgoff = PFN,
				.vm_flags = flags };
}

static ms_pgprot_t prot_of(enum ms_cache cache)
{
	return ms_pgprot_set_cache(MS_PTE_PRESENT | MS_PTE_X86, cache);
}

/* A page-table entry of remap_pfn_range's making. */
static uint64_t raw(ms_pa_t pa, enum ms_cache cache)
{
	return pa | MS_PTE_SPECIAL | prot_of(cache);
}

/* ... and one of a page that was copied. */
static uint64_t copied(enum ms_cache cache)
{
	return (RAM + 0x5000) | prot_of(cache);
}

/* remap_pfn_range of the whole VMA to PFN. */
static enum ms_cache track_whole(struct ms_vma *vma, enum ms_cache want)
{
	ms_pgprot_t prot = prot_of(want);

	assert_int_equal(
		ms_track_pfn_remap(vma, &prot, PFN, vma->vm_start, vma->vm_end - vma->vm_start), 0);
	return ms_pgprot_cache(prot);
}

/* vm_area_dup and a split at `at`: vma keeps the head. */
static struct ms_vma split(struct ms_vma *vma, ms_hva_t at)
{
	struct ms_vma tail = *vma;

	assert_int_equal(ms_pfnmap_ctx_dup(&tail, vma), 0);
	tail.vm_start = at;
	tail.vm_pgoff += (at - vma->vm_start) >> 12;
	vma->vm_end = at;
	return tail;
}

static struct ms_vma dup_for_child(struct world *w, struct ms_vma *vma)
{
	struct ms_vma child = *vma;

	assert_int_equal(ms_pfnmap_ctx_dup(&child, vma), 0);
	child.vm_mm = w->child_mm;
	return child;
}

static size_t entries(const struct ms_machine *m)
{
	struct ms_memtype e;
	size_t n = 0;

	while (ms_memtype_get(m, n, &e))
		n++;
	return n;
}

static void assert_entry(struct ms_machine *m, size_t i, ms_pa_t start, ms_pa_t end,
			 enum ms_cache type)
{
	struct ms_memtype e;

	assert_true(ms_memtype_get(m, i, &e));
	assert_int_equal(e.start, start);
	assert_int_equal(e.end, end);
	assert_int_equal(e.type, type);
}

/* The one entry that nobody holds any more. */
static void assert_leak(const struct ms_memtype *e, void *arg)
{
	const struct ms_memtype *want = arg;

	assert_int_equal(e->start, want->start);
	assert_int_equal(e->end, want->end);
	assert_int_equal(e->type, want->type);
}

/* ---- remap ---- */

static void a_whole_vma_is_reserved_and_flagged(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);

	assert_int_equal(track_whole(&vma, MS_CACHE_WC), MS_CACHE_WC);
	assert_true(vma.vm_flags & MS_VM_PAT);
	assert_entry(w->m, 0, BAR, BAR + 0x4000, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0, raw(BAR, MS_CACHE_WC));
	assert_false(vma.vm_flags & MS_VM_PAT);
	assert_int_equal(entries(w->m), 0);
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
	assert_int_equal(entries(w->m), 0);
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
	assert_int_equal(entries(w->m), 0);
	assert_int_equal(ms_trace_len(w->m), 0);
}

static void a_part_over_two_types_is_refused(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 0x100, SHARED);
	ms_pgprot_t prot = prot_of(MS_CACHE_UC_MINUS);

	// [WC----)[WC--)  .  [UC-)
	// [-----------)      one type
	// [--------------)   WC, then nothing: UC-
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
	assert_int_equal(entries(w->m), 1);
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
	assert_int_equal(entries(w->m), 1);
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

static void a_second_whole_remap_leaves_the_first_entry_behind(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);
	struct ms_memtype leak = { BAR, BAR + 0x4000, MS_CACHE_WC };

	track_whole(&vma, MS_CACHE_WC);
	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0, raw(BAR, MS_CACHE_WC));
	assert_int_equal(entries(w->m), 1);
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
	assert_int_equal(entries(w->m), 1);
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
			assert_int_equal(entries(w->m), 0);
			assert_false(vma.vm_flags & MS_VM_PAT);
			assert_null(vma.pfnmap_ctx);
		}
	} while (err);
	assert_true(n > 1);
	ms_untrack_pfn(&vma, 0, 0, raw(BAR, MS_CACHE_WC));
	ms_pfnmap_ctx_put(&vma);
	assert_int_equal(entries(w->m), 0);
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
	assert_int_equal(entries(w->m), 1);
}

static void untrack_goes_by_the_first_entry_not_by_what_was_reserved(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 1, SHARED);
	struct ms_memtype leak = { BAR, BAR + 0x1000, MS_CACHE_WC };

	// remap of PFN, zap elsewhere, a fault inserts PFN + 1: seed "when to untrack"
	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0, raw(BAR + 0x1000, MS_CACHE_UC_MINUS));
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->addr, BAR + 0x1000);
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->ret, -EINVAL);
	assert_false(vma.vm_flags & MS_VM_PAT);
	assert_int_equal(ms_memtype_leaks(w->m, assert_leak, &leak), 1);
}

static void an_empty_first_entry_of_a_shared_vma_is_a_warning_and_keeps_the_flag(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);

	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0, 0);
	assert_int_equal(ms_trace_count(w->m, MS_EV_VIOLATION), 1);
	assert_true(vma.vm_flags & MS_VM_PAT);
	assert_int_equal(entries(w->m), 1);
	// its VMA goes all the same
	ms_pfnmap_ctx_put(&vma);
	assert_int_equal(ms_memtype_leaks(w->m, NULL, NULL), 1);
}

static void a_named_range_is_freed_without_looking_at_the_table(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);

	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn(&vma, PFN, 0x4000, 0);
	assert_int_equal(entries(w->m), 0);
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_UNTRACK)->pa, PFN);
	assert_int_equal(ms_trace_last(w->m, MS_EV_PAT_UNTRACK)->size, 0x4000);
	assert_false(vma.vm_flags & MS_VM_PAT);
}

static void a_protnone_entry_still_tells_the_address(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);

	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0, (raw(BAR, MS_CACHE_WC) & ~MS_PTE_PRESENT) | MS_PTE_PROTNONE);
	assert_int_equal(entries(w->m), 0);
}

static void a_copied_first_page_means_the_page_offset(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, COW);

	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0, copied(MS_CACHE_WB));
	assert_int_equal(entries(w->m), 0);
	assert_int_equal(ms_trace_count(w->m, MS_EV_VIOLATION), 0);
	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn(&vma, 0, 0, 0);
	assert_int_equal(entries(w->m), 0);
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
	assert_int_equal(entries(w->m), 0);
}

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

static void a_tail_that_equals_anothers_entry_takes_it(void **state)
{
	struct world *w = *state;
	struct ms_vma first = vma_of(w, 16, SHARED), second = vma_of(w, 4, SHARED), tail;
	ms_pgprot_t prot = prot_of(MS_CACHE_UC_MINUS);

	// first  [---------------|----)
	// second                 [----)
	track_whole(&first, MS_CACHE_UC_MINUS);
	assert_int_equal(ms_track_pfn_remap(&second, &prot, PFN + 12, VA, 0x4000), 0);
	tail = split(&first, VA + 0xc000);
	ms_untrack_pfn(&tail, 0, 0, raw(BAR + 0xc000, MS_CACHE_UC_MINUS));
	assert_string_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->reason, "someone else's entry");
	assert_int_equal(entries(w->m), 1);
	assert_entry(w->m, 0, BAR, BAR + 0x10000, MS_CACHE_UC_MINUS);
	ms_untrack_pfn(&second, 0, 0, raw(BAR + 0xc000, MS_CACHE_UC_MINUS));
	assert_string_equal(ms_trace_last(w->m, MS_EV_PAT_FREE)->reason,
			    "someone else's entry lost its tail");
	ms_untrack_pfn(&first, 0, 0, raw(BAR, MS_CACHE_UC_MINUS));
	assert_int_equal(entries(w->m), 0);
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
	assert_int_equal(entries(w->m), 1);
	assert_int_equal(ms_memtype_leaks(w->m, NULL, NULL), 0);
	ms_untrack_pfn(&moved, 0, 0, raw(BAR, MS_CACHE_WC));
	assert_int_equal(entries(w->m), 0);
}

/* ---- fork ---- */

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
	assert_int_equal(entries(w->m), 2);
	ms_untrack_pfn(&child, 0, 0, raw(BAR, MS_CACHE_WC));
	assert_null(ms_trace_last(w->m, MS_EV_PAT_FREE)->reason);
	assert_int_equal(entries(w->m), 1);
	assert_int_equal(ms_memtype_leaks(w->m, NULL, NULL), 0);
	ms_untrack_pfn(&parent, 0, 0, raw(BAR, MS_CACHE_WC));
	assert_int_equal(entries(w->m), 0);
}

static void a_child_of_an_untracked_vma_reserves_nothing(void **state)
{
	struct world *w = *state;
	struct ms_vma parent = vma_of(w, 4, SHARED), child;

	child = dup_for_child(w, &parent);
	assert_int_equal(ms_track_pfn_copy(&child, &parent, 0), 0);
	assert_false(child.vm_flags & MS_VM_PAT);
	assert_int_equal(entries(w->m), 0);
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
	assert_int_equal(entries(w->m), 1);
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
	assert_int_equal(entries(w->m), 1);
	ms_untrack_pfn(&parent, 0, 0, copied(MS_CACHE_WB));
	assert_int_equal(entries(w->m), 0);
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
	assert_int_equal(entries(w->m), 0);
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
	assert_int_equal(entries(w->m), 1);
	ms_untrack_pfn(&child, 0, 0, copied(MS_CACHE_WB));
	assert_int_equal(entries(w->m), 1);
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

/* ---- contexts ---- */

static void pieces_and_copies_share_one_context(void **state)
{
	struct world *w = *state;
	struct ms_vma head = vma_of(w, 4, SHARED), tail, child;

	track_whole(&head, MS_CACHE_WC);
	tail = split(&head, VA + 0x2000);
	child = dup_for_child(w, &head);
	assert_int_equal(ms_track_pfn_copy(&child, &head, raw(BAR, MS_CACHE_WC)), 0);
	ms_pfnmap_ctx_put(&head);
	ms_pfnmap_ctx_put(&tail);
	assert_int_equal(entries(w->m), 1);
	assert_int_equal(ms_memtype_leaks(w->m, NULL, NULL), 0);
	ms_pfnmap_ctx_put(&child);
	assert_int_equal(entries(w->m), 0);
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
	ms_untrack_pfn_clear(&vma);
	assert_int_equal(ms_trace_len(w->m), 0);
	assert_int_equal(entries(w->m), 1);
	ms_pfnmap_ctx_put(&vma);
	assert_int_equal(entries(w->m), 0);
}

static void a_named_range_drops_the_context(void **state)
{
	struct world *w = *state;
	struct ms_vma vma = vma_of(w, 4, SHARED);

	track_whole(&vma, MS_CACHE_WC);
	ms_untrack_pfn(&vma, PFN, 0x4000, 0);
	assert_null(vma.pfnmap_ctx);
	assert_int_equal(entries(w->m), 0);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_UNTRACK), 0);
	ms_pfnmap_ctx_put(&vma);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_FREE), 1);
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
	assert_int_equal(entries(w->m), 2);
	tail = split(&head, VA + 0x2000);
	ms_untrack_pfn(&tail, 0, 0, 0);
	assert_int_equal(entries(w->m), 2);
	ms_untrack_pfn(&head, 0, 0, 0);
	assert_int_equal(entries(w->m), 1);
	ms_untrack_pfn(&head, 0, 0, 0);
	assert_int_equal(entries(w->m), 1);
	ms_untrack_pfn(&child, 0, 0, 0);
	assert_int_equal(entries(w->m), 0);
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

#define ON(kernel, f) \
	{ \
#f " (" #kernel ")", f, setup_##kernel, teardown, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(510, a_whole_vma_is_reserved_and_flagged),
		ON(612, a_whole_vma_is_reserved_and_flagged),
		ON(72, with_contexts_there_is_no_flag),
		ON(612, the_size_is_rounded_up_to_pages),
		ON(612, a_part_of_a_vma_takes_the_type_that_it_finds),
		ON(72, a_part_of_a_vma_takes_the_type_that_it_finds),
		ON(612, a_part_over_two_types_is_refused),
		ON(612, a_part_of_ram_takes_the_pages_type),
		ON(612, a_part_that_reaches_into_the_isa_range_has_two_types),
		ON(612, a_held_type_wins_over_the_mappings_own),
		ON(612, a_type_more_cached_than_asked_for_is_refused),
		ON(72, a_type_more_cached_than_asked_for_is_refused),
		ON(612, a_conflict_is_einval_to_the_caller),
		ON(72, a_conflict_is_einval_to_the_caller),
		ON(612, ram_is_flagged_but_not_reserved),
		ON(612, a_second_whole_remap_leaves_the_first_entry_behind),
		ON(72, a_second_whole_remap_is_refused_where_the_first_is_remembered),
		ON(612, an_insert_takes_what_the_list_says),
		ON(72, an_insert_takes_what_the_list_says),
		ON(612, a_remap_without_memory_reserves_nothing),
		ON(72, a_remap_without_memory_reserves_nothing),
		ON(72, a_context_of_ram_without_memory_is_enomem),
		ON(612, an_untrack_without_the_flag_is_an_event_and_nothing_more),
		ON(612, untrack_goes_by_the_first_entry_not_by_what_was_reserved),
		ON(612, an_empty_first_entry_of_a_shared_vma_is_a_warning_and_keeps_the_flag),
		ON(612, a_named_range_is_freed_without_looking_at_the_table),
		ON(612, a_protnone_entry_still_tells_the_address),
		ON(612, a_copied_first_page_means_the_page_offset),
		ON(early, early_kernels_take_the_copied_page_for_the_address),
		ON(early, early_kernels_warn_of_an_empty_first_entry_of_a_private_vma_too),
		ON(612, the_tail_first_then_the_head_frees_all),
		ON(612, the_head_first_then_the_tail_leaves_the_head_behind),
		ON(612, a_tail_that_equals_anothers_entry_takes_it),
		ON(612, clear_takes_the_flag_and_leaves_the_entry),
		ON(510, a_child_reserves_the_type_and_pfn_of_the_first_entry),
		ON(612, a_child_reserves_the_type_and_pfn_of_the_first_entry),
		ON(612, a_child_of_an_untracked_vma_reserves_nothing),
		ON(612, a_childs_type_must_be_the_very_type),
		ON(612, fork_of_a_copied_first_page_fails),
		ON(612, the_flag_is_not_inherited_even_if_nobody_clears_it),
		ON(510, with_the_flag_inherited_the_failed_child_frees_the_parents_entry),
		ON(early, early_kernels_fork_a_copied_first_page_and_reserve_nothing),
		ON(612, fork_of_a_zapped_shared_vma_that_kept_its_flag_is_a_warning),
		ON(72, pieces_and_copies_share_one_context),
		ON(72, with_contexts_a_zap_is_nothing_to_tracking),
		ON(72, a_named_range_drops_the_context),
		ON(72, a_saturated_context_cannot_be_shared),
		ON(72, a_context_of_ram_frees_nothing),
		ON(remembered, a_policy_may_remember_and_still_untrack_at_any_zap),
		ON(arm64, on_arm64_tracking_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
