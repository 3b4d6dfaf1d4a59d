/* SPDX-License-Identifier: GPL-2.0-only */
/* fork(2): a new process with copies of VMAs and page tables. */
#include "mm/lock.h"
#include "mm/pgtable.h"
#include "mm/pin.h"

struct copy {
	struct ms_vma *child;
	bool cow;
	bool failed;
};

// mirrors __copy_present_ptes(), mm/memory.c, 6.12+: of the entry's state
static uint64_t child_entry(const struct copy *copy, uint64_t entry)
{
	if (!copy->cow)
		entry &= ~MS_PTE_DIRTY;
	return entry & ~MS_PTE_YOUNG;
}

/*
 * A file's leaf is not copied: the child's own faults bring it back. A driver's PMD leaf is copied
 * from 6.12 on, when pmd_special(), which came with follow_pfnmap_start(), tells it from a file's.
 */
static bool is_left_to_faults(const struct ms_machine *m, uint64_t entry, unsigned int level)
{
	if (level == MS_LEVEL_PTE)
		return false;
	return !(entry & MS_PTE_SPECIAL) ||
	       (level == MS_LEVEL_PMD && m->policy.pfn_lookup == MS_PFN_LOOKUP_PTE_ONLY);
}

/*
 * Does a driver, perhaps, hold a page that this process alone has? Then it has to stay this
 * process's, which writes to it and wants the driver to see that.
 * mirrors copy_present_page(), mm/memory.c, 5.10 .. 5.10; page_needs_cow_for_dma(),
 * include/linux/mm.h, 6.1 .. 6.1; folio_needs_cow_for_dma(), include/linux/mm.h, 6.12+
 */
static bool needs_early_copy(const struct ms_vma *vma, uint64_t entry, ms_pfn_t pfn)
{
	struct ms_machine *m = ms_vma_machine(vma);
	const struct ms_page *page;

	if (!vma->vm_mm->has_pinned || (entry & MS_PTE_SPECIAL) || !ms_pfn_is_ram(m, pfn) ||
	    !ms_page_maybe_pinned(m, pfn))
		return false;
	page = ms_pfn_to_page(m, pfn);
	return page && (page->flags & MS_PG_ANON) &&
	       (m->policy.pin_exclusive == MS_PIN_EXCLUSIVE_ANY ||
		(page->flags & MS_PG_ANON_EXCLUSIVE));
}

/* The child gets a page of its own; the parent's entry stays as it is.
 * mirrors copy_present_page(), mm/memory.c, 5.10+ */
static void copy_early(struct copy *copy, uint64_t *to, ms_pfn_t pfn)
{
	struct ms_machine *m = ms_vma_machine(copy->child);
	ms_pfn_t page;

	if (!ms_page_alloc(m, 0, MS_PG_ANON | MS_PG_ANON_EXCLUSIVE, &page)) {
		copy->failed = true;
		return;
	}
	ms_lru_add_new(copy->child, page);
	ms_page_copy(m, page, pfn);
	*to = ms_fault_entry(copy->child, page, true);
}

/* A huge page that may be pinned is split, so that its pages are copied one by one.
 * mirrors copy_huge_pmd(), mm/huge_memory.c, 5.10+: its answer EAGAIN */
static void split_pinned(struct ms_vma *vma)
{
	const uint64_t size = ms_pmd_size(ms_vma_machine(vma));
	struct ms_host_leaf leaf;

	for (ms_hva_t at = vma->vm_start; at < vma->vm_end; at = leaf.start + leaf.size) {
		if (!ms_host_next_leaf(vma->vm_mm, at, vma->vm_end, &leaf))
			return;
		if (leaf.size == size && ms_is_anon_huge(vma, leaf.entry, leaf.level) &&
		    needs_early_copy(vma, leaf.entry,
				     ms_pte_pfn(ms_vma_machine(vma), leaf.entry)))
			ms_split_huge_pmd(vma, leaf.start);
	}
}

/*
 * The child gets the same page. Entries of private mappings lose their write bit in both processes.
 * mirrors copy_present_pte(), mm/memory.c, 5.10 .. 6.1; copy_present_ptes(), mm/memory.c, 6.12+;
 * copy_huge_pmd() and copy_huge_pud(), mm/huge_memory.c, 5.10+
 */
static void copy_leaf(struct ms_vma *vma, uint64_t *slot, ms_hva_t addr, unsigned int level,
		      void *arg)
{
	struct ms_machine *m = ms_vma_machine(vma);
	struct copy *copy = arg;
	struct ms_mm *mm = copy->child->vm_mm;
	bool anon_huge = ms_is_anon_huge(vma, *slot, level);
	uint64_t *to;
	ms_pfn_t pfn;

	if (copy->failed || (!anon_huge && is_left_to_faults(m, *slot, level)))
		return;
	to = ms_pt_alloc_slot(mm, addr, level);
	if (!to || (anon_huge && ms_pt_deposit(mm))) {
		copy->failed = true;
		return;
	}
	pfn = ms_pte_pfn(m, *slot);
	if (copy->cow && level == MS_LEVEL_PTE && needs_early_copy(vma, *slot, pfn)) {
		copy_early(copy, to, pfn);
		return;
	}
	if (copy->cow)
		*slot &= ~MS_PTE_WRITE;
	*to = child_entry(copy, *slot);
	if ((*slot & MS_PTE_SPECIAL) &&
	    !ms_raw_add(m, pfn, ms_level_size(m, level) >> m->page_shift)) {
		*to = 0;
		copy->failed = true;
		return;
	}
	if ((*slot & MS_PTE_SPECIAL) || ms_is_huge_zero_pfn(m, pfn) || !ms_pfn_is_ram(m, pfn))
		return;
	ms_page_get(m, pfn, 1);
	if (copy->cow)
		ms_pfn_to_page(m, pfn)->flags &= (uint8_t)~MS_PG_ANON_EXCLUSIVE;
}

/* Has the VMA entries that no fault could bring back?
 * mirrors copy_page_range(), mm/memory.c, 5.10 .. 5.18; vma_needs_copy(), mm/memory.c, 5.19+ */
static bool needs_copy(const struct ms_vma *src)
{
	return (src->vm_flags & (MS_VM_PFNMAP | MS_VM_MIXEDMAP)) || src->anon_vma ||
	       ms_vma_is_hugetlb(src);
}

// mirrors copy_page_range(), mm/memory.c, 5.10+
static int copy_page_range(struct ms_vma *child, struct ms_vma *src)
{
	struct ms_mm *mm = src->vm_mm;
	struct copy copy = { .child = child, .cow = ms_is_cow_mapping(src->vm_flags) };
	uint64_t first = 0;

	if (!needs_copy(src))
		return 0;
	if (ms_vma_is_hugetlb(src))
		return ms_hugetlb_copy(child, src);
	if (src->vm_flags & MS_VM_PFNMAP) {
		unsigned int level;
		int err;

		first = ms_pt_walk(mm, src->vm_start, &level);
		err = ms_track_pfn_copy(child, src, first);
		if (err)
			return err;
	}
	if (copy.cow)
		ms_notify_start(mm, src->vm_start, src->vm_end, MS_NOTIFY_PROTECTION_PAGE);
	if (copy.cow && mm->has_pinned)
		split_pinned(src);
	copy.failed = !ms_pt_copy_tables(child->vm_mm, mm, src->vm_start, src->vm_end);
	if (!copy.failed)
		ms_pt_for_each_leaf(src, src->vm_start, src->vm_end, copy_leaf, &copy);
	if (copy.cow)
		ms_notify_end(mm, src->vm_start, src->vm_end, MS_NOTIFY_PROTECTION_PAGE);
	if (!copy.failed)
		return 0;
	// untrack_pfn_copy(): what was reserved for the child is given back
	if (mm->machine->policy.fork_tracking == MS_FORK_TRACKING_FLAG_AFTER_RESERVE)
		ms_untrack_pfn(child, 0, 0, first);
	return -ENOMEM;
}

/* The child's own VMA; it is in no tree yet. */
static struct ms_vma *dup_for_child(struct ms_mm *child_mm, struct ms_vma *src)
{
	struct ms_vma *vma = ms_vma_dup(src);

	if (!vma)
		return NULL;
	ms_anon_vma_drop(vma);
	// hugetlb_dup_vma_private(): the reservation stays the parent's
	if (ms_vma_is_hugetlb(vma))
		ms_hugetlb_forget(vma);
	vma->vm_mm = child_mm;
	vma->vm_flags &= ~MS_VM_LOCKED;
	if (src->vm_flags & MS_VM_WIPEONFORK)
		return vma;
	if (ms_anon_vma_fork(vma, src)) {
		ms_vma_free(vma, false);
		return NULL;
	}
	return vma;
}

/*
 * One VMA of the parent.
 * mirrors dup_mmap(), kernel/fork.c, 5.10 .. 6.15; dup_mmap(), mm/mmap.c, 6.16+: the body of its
 * loop
 */
static int copy_vma(struct ms_mm *child_mm, struct ms_vma *src)
{
	const struct ms_policy *policy = &child_mm->machine->policy;
	bool open_first = policy->fork_order == MS_FORK_ORDER_OPEN_THEN_COPY;
	struct ms_vma *vma = dup_for_child(child_mm, src);
	int err = 0;

	if (!vma)
		return -ENOMEM;
	if ((vma->vm_flags & MS_VM_PFNMAP) &&
	    policy->fork_tracking == MS_FORK_TRACKING_FLAG_AFTER_RESERVE)
		ms_untrack_pfn_clear(vma);
	if (open_first)
		ms_vma_call_open(vma);
	ms_i_mmap_insert_after(vma, src);
	ms_vma_tree_insert(child_mm, vma);
	if (!(vma->vm_flags & MS_VM_WIPEONFORK))
		err = copy_page_range(vma, src);
	if (!open_first)
		ms_vma_call_open(vma);
	return err;
}

/* Both processes of the recorder write to pages of their own after a fork. */
static void recorder_writes(struct ms_machine *m)
{
	switch (m->policy.recorder_fork_writes) {
	case MS_RECORDER_FORK_WRITES_MANY:
		ms_lru_drain(m);
		break;
	case MS_RECORDER_FORK_WRITES_SHARED_QUEUED:
		// the page has two entries, and the queue: three references
		if (m->policy.wp_drain == MS_WP_DRAIN_UP_TO_THREE)
			ms_lru_drain(m);
		break;
	case MS_RECORDER_FORK_WRITES_FEW:
		break;
	}
}

// mirrors dup_mmap(), kernel/fork.c, 5.10 .. 6.15; dup_mmap(), mm/mmap.c, 6.16+
struct ms_mm *ms_fork(struct ms_mm *mm)
{
	if (!mm)
		return ms_refusal_null(-EINVAL);
	struct ms_mm *child, *outer = mm->machine->call.mm;
	const uint64_t before = ms_refusals(mm->machine);
	int ret;

	if (!ms_mmap_write_trylock(mm))
		return ms_refusal_null(ms_mmap_waits(mm));
	child = ms_mm_new(mm->machine);
	ret = child ? 0 : -ENOMEM;
	if (child) {
		child->anon_roots = mm->anon_roots;
		ms_mmap_write_trylock(child); // as nobody else can have it
	}

	mm->machine->call.mm = mm;
	recorder_writes(mm->machine);
	for (struct ms_vma *vma = ms_find_vma(mm, 0); vma && !ret; vma = ms_vma_next(vma))
		if (!(vma->vm_flags & MS_VM_DONTCOPY))
			ret = copy_vma(child, vma);
	mm->machine->call.mm = outer;
	if (child)
		ms_mmap_write_unlock(child);
	// copy_process() answers ENOMEM whatever went wrong.
	if (ret && child) {
		ms_mm_exit(child);
		child = NULL;
	}
	ms_mmap_write_unlock(mm);
	return child ? child : ms_refusal_null(ms_answered_as(mm->machine, before, -ENOMEM));
}
