/* SPDX-License-Identifier: GPL-2.0-only */
/* A VMA, or a part of one, is copied to its new place, the entries follow, and the source is
 * removed. */
#include "mm/move.h"

/* With MREMAP_DONTUNMAP of a part of a locked VMA only that part loses VM_LOCKED.
 * mirrors needs_pre_split(), mm/mremap.c, 7.3+: and the splits that follow */
static int split_locked_source(const struct ms_remap *rm)
{
	struct ms_vma *vma = rm->vma;
	int err = 0;

	if (vma->vm_start != rm->addr)
		err = ms_split_vma(vma, rm->addr, true, NULL);
	if (!err && vma->vm_end != rm->addr + rm->old_len)
		err = ms_split_vma(vma, rm->addr + rm->old_len, false, NULL);
	return err;
}

// mirrors move_vma(), mm/mremap.c, 5.10 .. 6.14; prep_move_vma(), mm/mremap.c, 6.15+
static int prepare_move(const struct ms_remap *rm)
{
	const struct ms_policy *policy = ms_remap_policy(rm);
	struct ms_vma *vma = rm->vma;
	ms_hva_t end = rm->addr + rm->old_len;
	bool split_first = (rm->flags & MS_MREMAP_DONTUNMAP) && (vma->vm_flags & MS_VM_LOCKED) &&
			   policy->dontunmap_locked == MS_DONTUNMAP_LOCKED_SPLITS_FIRST;
	bool near_limit = policy->mremap_map_count == MS_MREMAP_MAP_COUNT_MOVE_NEAR_LIMIT;
	unsigned int count = rm->mm->map_count, limit = rm->mm->machine->config.max_map_count;
	int err = 0;

	if (near_limit ? count >= limit - 3 : count + 2 + split_first > limit)
		return ms_refuse_near_map_count(rm->mm, near_limit ? 4 : 2 + split_first);
	if (vma->vm_ops && vma->vm_ops->may_split &&
	    policy->mremap_may_split == MS_MREMAP_MAY_SPLIT_ASKED_FIRST) {
		if (vma->vm_start != rm->addr)
			err = ms_vma_call_may_split(vma, rm->addr);
		if (!err && vma->vm_end != end)
			err = ms_vma_call_may_split(vma, end);
		if (err)
			return err;
	}
	return split_first ? split_locked_source(rm) : 0;
}

/*
 * Lets a neighbour of the new place grow over it. If the source stays and is such a neighbour, the
 * kernel's version decides whether it may.
 * mirrors vma_merge_copied_range(), mm/vma.c, 7.2+
 */
static struct ms_vma *merge_copy(const struct ms_remap *rm, uint64_t pgoff, uint64_t anon_pgoff,
				 bool untouched)
{
	struct ms_vma_merge vmg = {
		.mm = rm->mm,
		.prev = ms_find_vma_before(rm->mm, rm->new_addr),
		.next = ms_find_vma(rm->mm, rm->new_addr),
		.start = rm->new_addr,
		.end = rm->new_addr + rm->new_len,
		.vm_flags = rm->vma->vm_flags,
		.pgoff = pgoff,
		.anon_pgoff = anon_pgoff,
		.file = rm->vma->vm_file,
		.anon_from = rm->vma,
		.moved = true,
	};
	bool beside = rm->vma->vm_start == vmg.end || rm->vma->vm_end == vmg.start;

	if (untouched && beside && (rm->flags & MS_MREMAP_DONTUNMAP)) {
		switch (ms_remap_policy(rm)->dontunmap_self_merge) {
		case MS_DONTUNMAP_SELF_MERGE_YES:
			break;
		case MS_DONTUNMAP_SELF_MERGE_NO:
			if (vmg.prev == rm->vma)
				vmg.prev = NULL;
			if (vmg.next == rm->vma)
				vmg.next = NULL;
			break;
		case MS_DONTUNMAP_SELF_MERGE_NONE_BESIDE_SOURCE:
			return NULL;
		}
	}
	return ms_vma_merge_new(&vmg);
}

/*
 * An anonymous VMA that was never written gets the vm_pgoff that a fresh one would have at the new
 * place. So it may merge there, even with its own source; then rm->vma becomes the merged one. The
 * offset of anonymous memory that does not exist yet begins anew, too, also in a file's VMA.
 * mirrors copy_vma(), mm/mmap.c, 5.10 .. 6.11; copy_vma(), mm/vma.c, 6.12+
 */
static struct ms_vma *copy_vma(struct ms_remap *rm)
{
	struct ms_vma *vma = rm->vma, *new_vma;
	const ms_hva_t start = vma->vm_start;
	const bool untouched = ms_vma_is_anonymous(vma) && !vma->anon_vma;
	const uint64_t fresh = rm->new_addr >> rm->mm->machine->page_shift;
	const uint64_t pgoff = untouched ? fresh : ms_vma_pgoff_of(vma, rm->addr);
	const uint64_t anon_pgoff = vma->anon_vma ? ms_vma_anon_pgoff_of(vma, rm->addr) : fresh;

	new_vma = merge_copy(rm, pgoff, anon_pgoff, untouched);
	if (new_vma) {
		if (start >= new_vma->vm_start && start < new_vma->vm_end)
			rm->vma = new_vma;
		return new_vma;
	}
	new_vma = ms_vma_dup(vma);
	if (!new_vma)
		return NULL;
	new_vma->vm_start = rm->new_addr;
	new_vma->vm_end = rm->new_addr + rm->new_len;
	new_vma->vm_pgoff = pgoff;
	new_vma->anon_pgoff = anon_pgoff;
	ms_vma_call_open(new_vma);
	ms_vma_tree_insert(rm->mm, new_vma);
	ms_i_mmap_insert(new_vma);
	return new_vma;
}

/* Moves the entries, then asks the driver, who may refuse. After an error the entries go back.
 * mirrors move_vma(), mm/mremap.c, 5.10 .. 6.14; copy_vma_and_data(), mm/mremap.c, 7.2+ */
static int move_contents(const struct ms_remap *rm, struct ms_vma *new_vma)
{
	struct ms_vma *vma = rm->vma;
	uint64_t moved = ms_move_page_tables(vma, rm->addr, new_vma, rm->new_addr, rm->old_len);
	int err = 0;

	if (moved < rm->old_len)
		err = -ENOMEM;
	else if (vma->vm_ops && vma->vm_ops->mremap)
		err = ms_vma_call_mremap(vma, new_vma);
	// A hugetlb move does not say how far it came: everything that arrived is moved back.
	if (err && ms_vma_is_hugetlb(vma))
		moved = rm->old_len;
	if (err)
		ms_move_page_tables(new_vma, rm->new_addr, vma, rm->addr, moved);
	return err;
}

/* VM_ACCOUNT is cleared for the unmap, and set again in what is left of the VMA.
 * mirrors move_vma(), mm/mremap.c, 5.10 .. 6.14; unmap_source_vma(), mm/mremap.c, 7.2+ */
static void unmap_moved(const struct ms_remap *rm, struct ms_vma *vma, ms_hva_t start, uint64_t len)
{
	const ms_hva_t vma_start = vma->vm_start, vma_end = vma->vm_end, end = start + len;
	bool hide = (vma->vm_flags & MS_VM_ACCOUNT) && !(rm->flags & MS_MREMAP_DONTUNMAP);

	if (hide)
		vma->vm_flags &= ~MS_VM_ACCOUNT;
	// A duplicate of a shared mapping (old length 0) takes nothing away.
	if (!len || ms_do_munmap(rm->mm, start, len) || !hide)
		return;
	if (vma_start < start)
		ms_find_vma_before(rm->mm, start)->vm_flags |= MS_VM_ACCOUNT;
	if (vma_end > end)
		ms_find_vma(rm->mm, end)->vm_flags |= MS_VM_ACCOUNT;
}

/* The source stays, empty and not locked.
 * mirrors move_vma(), mm/mremap.c, 5.10 .. 6.14; dontunmap_complete(), mm/mremap.c, 6.15+ */
static void keep_source(const struct ms_remap *rm, const struct ms_vma *new_vma)
{
	const struct ms_policy *policy = ms_remap_policy(rm);
	struct ms_vma *vma = rm->vma;
	bool starts = vma->vm_start == rm->addr, ends = vma->vm_end == rm->addr + rm->old_len;

	if (policy->dontunmap_account == MS_DONTUNMAP_ACCOUNT_NEXT_VMA_GAINS && !starts && !ends &&
	    (vma->vm_flags & MS_VM_ACCOUNT) && vma != new_vma) {
		struct ms_vma *next = ms_vma_next(vma);

		if (next)
			next->vm_flags |= MS_VM_ACCOUNT;
	}
	vma->vm_flags &= ~MS_VM_LOCKED;
	if (!starts || !ends || vma == new_vma ||
	    policy->dontunmap_source == MS_DONTUNMAP_SOURCE_KEEPS_ANON_VMA)
		return;
	ms_anon_vma_drop(vma);
	vma->anon_pgoff = vma->vm_start >> rm->mm->machine->page_shift;
	if (policy->dontunmap_source == MS_DONTUNMAP_SOURCE_DROPS_ANON_VMA_AND_PGOFF &&
	    ms_vma_is_anonymous(vma) && !vma->vm_file)
		vma->vm_pgoff = vma->vm_start >> rm->mm->machine->page_shift;
}

// mirrors move_vma(), mm/mremap.c, 5.10+
int64_t ms_move_vma(struct ms_remap *rm)
{
	struct ms_vma *new_vma, *dying;
	int err = prepare_move(rm);

	if (err)
		return err;
	new_vma = copy_vma(rm);
	if (!new_vma)
		return -ENOMEM;
	err = move_contents(rm, new_vma);
	dying = err ? new_vma : rm->vma;
	// untrack_pfn_moved(), untrack_pfn_clear(), up to 6.15: the whole VMA forgets its memory
	// type, even if only a part was moved
	if ((dying->vm_flags & MS_VM_PFNMAP) &&
	    ms_remap_policy(rm)->untrack_at != MS_UNTRACK_AT_LAST_VMA_FREED)
		ms_untrack_pfn_clear(dying);
	// clear_vma_resv_huge_pages(): the whole reservation is the copy's now
	if (ms_vma_is_hugetlb(dying))
		ms_hugetlb_forget(dying);
	if (err) {
		unmap_moved(rm, dying, rm->new_addr, rm->new_len);
		return err;
	}
	if (rm->flags & MS_MREMAP_DONTUNMAP)
		keep_source(rm, new_vma);
	else
		unmap_moved(rm, dying, rm->addr, rm->old_len);
	return (int64_t)rm->new_addr;
}
