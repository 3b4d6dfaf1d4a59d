/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which neighbours a range joins.
 *
 *   prev | range | next      two of them join if they differ in nothing but the addresses
 */
#include "mm/internal.h"

static bool has_close(const struct ms_vma *vma)
{
	return vma->vm_ops && vma->vm_ops->close;
}

/* Does vma's close handler forbid that it grows? grows_up: it would grow over what follows it. */
static bool close_forbids(const struct ms_vma_merge *vmg, const struct ms_vma *vma, bool grows_up)
{
	if (!has_close(vma))
		return false;
	switch (vmg->mm->machine->policy.vma_merge_close) {
	case MS_VMA_MERGE_CLOSE_NEVER_IF_CLOSE:
		return true;
	case MS_VMA_MERGE_CLOSE_MAY_GROW_UP:
	case MS_VMA_MERGE_CLOSE_MAY_GROW_UP_CHECKED:
		return !grows_up;
	case MS_VMA_MERGE_CLOSE_ONLY_SURVIVOR_MAY_CLOSE:
		break;
	}
	return false;
}

// mirrors is_mergeable_vma(), mm/mmap.c, 5.10 .. 6.11; is_mergeable_vma(), mm/vma.c, 6.12+
static bool same_attributes(const struct ms_vma_merge *vmg, const struct ms_vma *vma, bool grows_up)
{
	if ((vma->vm_flags ^ vmg->vm_flags) & ~MS_VM_SOFTDIRTY)
		return false;
	if (vma->vm_file != vmg->file)
		return false;
	return !close_forbids(vmg, vma, grows_up);
}

/*
 * May the pages of `from` join those of `target`?
 * mirrors is_mergeable_anon_vma(), mm/mmap.c, 5.10 .. 6.11; is_mergeable_anon_vma(), mm/vma.c,
 * 6.12+
 */
static bool anon_compatible(const struct ms_vma_merge *vmg, const struct ms_vma *target)
{
	const struct ms_vma *from = vmg->anon_from;
	const struct ms_anon_vma *src = from ? from->anon_vma : NULL, *tgt = target->anon_vma;
	enum ms_policy_anon_merge_untouched rule = vmg->mm->machine->policy.anon_merge_untouched;

	// vma_is_fork_child(): a VMA that came by a fork is linked with more than one anon_vma
	if (rule != MS_ANON_MERGE_UNTOUCHED_TARGET_TOUCHED_ONLY && src && !tgt)
		return from->anon_chain == 1 ||
		       (vmg->moved && rule == MS_ANON_MERGE_UNTOUCHED_ANY_IF_MOVED);
	if ((!src || !tgt) && target->anon_chain == 1)
		return true;
	return src == tgt;
}

/* Do offsets that belong `ahead` pages behind the start of the range continue those of the range?
 * mirrors needs_adjacent_anon_pgoff(), mm/vma.c, 7.3+: and what follows from it */
static bool offsets_continue(const struct ms_vma_merge *vmg, uint64_t pgoff, uint64_t anon_pgoff,
			     uint64_t ahead)
{
	if (pgoff != vmg->pgoff + ahead)
		return false;
	return vmg->mm->machine->policy.private_file_merge == MS_PRIVATE_FILE_MERGE_FILE_OFFSET ||
	       !vmg->file || !ms_is_cow_mapping(vmg->vm_flags) ||
	       anon_pgoff == vmg->anon_pgoff + ahead;
}

/* mirrors can_vma_merge_after(), mm/mmap.c, 5.10 .. 6.11; can_vma_merge_after(), mm/vma.c, 6.12+;
 * can_vma_merge_left(), mm/vma.c, 6.12+ */
static bool can_merge_prev(const struct ms_vma_merge *vmg)
{
	const struct ms_vma *prev = vmg->prev;

	return prev && prev->vm_end == vmg->start && same_attributes(vmg, prev, true) &&
	       anon_compatible(vmg, prev) &&
	       offsets_continue(vmg, ms_vma_pgoff_of(prev, prev->vm_end),
				ms_vma_anon_pgoff_of(prev, prev->vm_end), 0);
}

/* mirrors can_vma_merge_before(), mm/mmap.c, 5.10 .. 6.11; can_vma_merge_before(), mm/vma.c, 6.12+;
 * can_vma_merge_right(), mm/vma.c, 6.12+ */
static bool can_merge_next(const struct ms_vma_merge *vmg)
{
	const struct ms_vma *next = vmg->next;
	uint64_t npages = (vmg->end - vmg->start) >> vmg->mm->machine->page_shift;

	return next && next->vm_start == vmg->end && same_attributes(vmg, next, false) &&
	       anon_compatible(vmg, next) &&
	       offsets_continue(vmg, next->vm_pgoff, next->anon_pgoff, npages);
}

/*
 * Both neighbours fit the range: do they fit each other? mmap in 6.1 .. 6.11 tests the previous one
 * against the next one's anon_vma by the strict rule, and prefers the next one. Everybody else
 * prefers the previous one.
 */
static void both_sides(const struct ms_vma_merge *vmg, bool *prev_ok, bool *next_ok)
{
	const struct ms_vma *prev = vmg->prev, *next = vmg->next;
	enum ms_policy_anon_hole_merge rule = vmg->mm->machine->policy.anon_hole_merge;

	if (vmg->from_mmap && rule == MS_ANON_HOLE_MERGE_NEXT_FIRST_STRICT) {
		struct ms_vma_merge again = *vmg;

		again.anon_from = next;
		*prev_ok = anon_compatible(&again, prev);
	} else {
		*next_ok = !prev->anon_vma || !next->anon_vma || prev->anon_vma == next->anon_vma;
	}
}

static void choose_sides(const struct ms_vma_merge *vmg, bool *prev_ok, bool *next_ok)
{
	*prev_ok = *next_ok = false;
	if (vmg->vm_flags & MS_VM_SPECIAL)
		return;
	*prev_ok = can_merge_prev(vmg);
	*next_ok = can_merge_next(vmg);
	if (*prev_ok && *next_ok)
		both_sides(vmg, prev_ok, next_ok);
	// Joining both removes the next VMA, which may not be if it has a close handler.
	if (*prev_ok && *next_ok && has_close(vmg->next))
		*next_ok = false;
}

/*
 * The merge would take all of vma, whose close handler nobody would call then: does the kernel
 * notice? prev_alone: the previous VMA grows over vma and no further.
 * mirrors can_merge_remove_vma(), mm/vma.c, 6.12+
 */
static bool dying_forbids(const struct ms_vma_merge *vmg, const struct ms_vma *vma, bool prev_alone)
{
	if (!has_close(vma))
		return false;
	switch (vmg->mm->machine->policy.vma_merge_close) {
	case MS_VMA_MERGE_CLOSE_MAY_GROW_UP:
		return false;
	case MS_VMA_MERGE_CLOSE_MAY_GROW_UP_CHECKED:
		return prev_alone;
	case MS_VMA_MERGE_CLOSE_NEVER_IF_CLOSE:
	case MS_VMA_MERGE_CLOSE_ONLY_SURVIVOR_MAY_CLOSE:
		break;
	}
	return true;
}

static void remove_merged(struct ms_vma *vma)
{
	ms_i_mmap_remove(vma);
	ms_vma_tree_remove(vma->vm_mm, vma);
	ms_vma_free(vma, false);
}

// mirrors dup_anon_vma(), mm/vma.c, 6.12+
static void take_anon_vma(struct ms_vma *target, const struct ms_vma *from)
{
	if (!target->anon_vma && from && from->anon_vma)
		ms_anon_vma_clone(target, from);
}

/* mirrors vma_merge(), mm/mmap.c, 5.10 .. 6.11; vma_merge_new_range(), mm/vma.c, 6.12+;
 * vma_merge_copied_range(), mm/vma.c, 7.2+ */
struct ms_vma *ms_vma_merge_new(struct ms_vma_merge *vmg)
{
	struct ms_vma *prev = vmg->prev, *next = vmg->next;
	bool prev_ok, next_ok;

	choose_sides(vmg, &prev_ok, &next_ok);
	if (prev_ok && next_ok) {
		ms_hva_t end = next->vm_end;

		take_anon_vma(prev, next->anon_vma ? next : vmg->anon_from);
		remove_merged(next);
		ms_vma_adjust(prev, prev->vm_start, end, prev->vm_pgoff);
		return prev;
	}
	if (prev_ok) {
		take_anon_vma(prev, vmg->anon_from);
		ms_vma_adjust(prev, prev->vm_start, vmg->end, prev->vm_pgoff);
		return prev;
	}
	if (next_ok) {
		take_anon_vma(next, vmg->anon_from);
		ms_vma_adjust(next, vmg->start, next->vm_end, vmg->pgoff);
		return next;
	}
	return NULL;
}

/*
 * [start, end) of `vma`, which begins or ends with it, goes to prev or next or both:
 *
 *   prev | vma  | next         prev grows over a head or all, next over a tail or all,
 *        |######|              or one over everything
 *
 * mirrors vma_merge(), mm/mmap.c, 5.10 .. 6.11; vma_merge_existing_range(), mm/vma.c, 6.12+
 */
static struct ms_vma *merge_existing(struct ms_vma_merge *vmg, struct ms_vma *vma)
{
	bool whole = vmg->start == vma->vm_start && vmg->end == vma->vm_end;
	struct ms_vma *prev = vmg->prev, *next = vmg->next;
	bool prev_ok, next_ok;

	choose_sides(vmg, &prev_ok, &next_ok);
	if ((!prev_ok && !next_ok) || (whole && dying_forbids(vmg, vma, prev_ok && !next_ok)))
		return NULL;
	if (prev_ok && next_ok)
		take_anon_vma(prev, next->anon_vma ? next : vma);
	else
		take_anon_vma(prev_ok ? prev : next, vma);

	if (prev_ok) {
		ms_hva_t end = next_ok ? next->vm_end : vmg->end;

		if (next_ok)
			remove_merged(next);
		if (whole)
			remove_merged(vma);
		else
			ms_vma_adjust(vma, vmg->end, vma->vm_end, ms_vma_pgoff_of(vma, vmg->end));
		ms_vma_adjust(prev, prev->vm_start, end, prev->vm_pgoff);
		return prev;
	}
	if (whole)
		remove_merged(vma);
	else
		ms_vma_adjust(vma, vma->vm_start, vmg->start, vma->vm_pgoff);
	ms_vma_adjust(next, vmg->start, next->vm_end, vmg->pgoff);
	return next;
}

// mirrors vma_modify() and vma_modify_flags(), mm/vma.c, 6.12+
int ms_vma_modify_flags(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, uint64_t new_flags,
			struct ms_vma **out)
{
	struct ms_vma_merge vmg = {
		.mm = vma->vm_mm,
		.prev = start == vma->vm_start ? ms_vma_prev(vma) : NULL,
		.next = end == vma->vm_end ? ms_vma_next(vma) : NULL,
		.start = start,
		.end = end,
		.vm_flags = new_flags,
		.pgoff = ms_vma_pgoff_of(vma, start),
		.anon_pgoff = ms_vma_anon_pgoff_of(vma, start),
		.file = vma->vm_file,
		.anon_from = vma,
	};
	struct ms_vma *merged = merge_existing(&vmg, vma);
	int err;

	*out = merged ? merged : vma;
	if (merged)
		return 0;
	if (vma->vm_start < start) {
		err = ms_split_vma(vma, start, true, NULL);
		if (err)
			return err;
	}
	if (vma->vm_end > end)
		return ms_split_vma(vma, end, false, NULL);
	return 0;
}
