/* SPDX-License-Identifier: GPL-2.0-only */
/* mremap(2). Which checks come before the destination is emptied, and which after, is policy
 * mremap_fixed_order. */
#include "mm/lock.h"
#include "mm/move.h"
#include "mm/pgtable.h"

static bool all_checks_first(const struct ms_remap *rm)
{
	return ms_remap_policy(rm)->mremap_fixed_order ==
	       MS_MREMAP_FIXED_ORDER_ALL_CHECKS_THEN_DEST;
}

/* The call moves, whatever the lengths are.
 * mirrors vrm_implies_new_addr(), mm/mremap.c, 7.2+ */
static bool implies_new_addr(const struct ms_remap *rm)
{
	return rm->flags & (MS_MREMAP_FIXED | MS_MREMAP_DONTUNMAP);
}

/* ---- arguments ---- */

static int check_new_addr(const struct ms_remap *rm)
{
	const struct ms_mm *mm = rm->mm;

	if (rm->new_len > mm->task_size || rm->new_addr > mm->task_size - rm->new_len)
		return ms_refuse_end(mm, -EINVAL, rm->new_addr, rm->new_len);
	if (!ms_aligned(rm->new_addr, mm->machine->page_size))
		return ms_refuse_alignment(mm->machine, rm->new_addr);
	return 0;
}

/* The sums may wrap, as the kernel's do.
 * mirrors vrm_overlaps(), mm/mremap.c, 7.2+ */
static bool overlaps(const struct ms_remap *rm)
{
	return rm->addr + rm->old_len > rm->new_addr && rm->new_addr + rm->new_len > rm->addr;
}

static int check_destination(const struct ms_remap *rm)
{
	int err = check_new_addr(rm);

	if (!err && overlaps(rm))
		err = ms_refuse(rm->mm->machine, -EINVAL, "old and new place overlap: %x-%x, %x-%x",
				rm->addr, rm->addr + rm->old_len, rm->new_addr,
				rm->new_addr + rm->new_len);
	return err;
}

static int check_flags(const struct ms_remap *rm)
{
	const unsigned int all = MS_MREMAP_FIXED | MS_MREMAP_MAYMOVE | MS_MREMAP_DONTUNMAP;

	if (rm->flags & ~all)
		return ms_refuse(rm->mm->machine, -EINVAL, "flags %x are not known",
				 rm->flags & ~all);
	if (implies_new_addr(rm) && !(rm->flags & MS_MREMAP_MAYMOVE))
		return ms_refuse(rm->mm->machine, -EINVAL,
				 "MREMAP_FIXED and MREMAP_DONTUNMAP need MREMAP_MAYMOVE");
	return 0;
}

/* Rounds the lengths up on the way.
 * mirrors mremap(), mm/mremap.c, 5.10 .. 6.14; check_mremap_params(), mm/mremap.c, 6.17+ */
static int check_arguments(struct ms_remap *rm)
{
	struct ms_machine *m = rm->mm->machine;
	const uint64_t page_size = m->page_size;
	bool resizes = rm->old_len != rm->new_len;
	int err = check_flags(rm);

	if (err)
		return err;
	if (!ms_aligned(rm->addr, page_size))
		return ms_refuse_alignment(m, rm->addr);
	rm->old_len = ms_align_up(rm->old_len, page_size);
	rm->new_len = ms_align_up(rm->new_len, page_size);
	if (all_checks_first(rm))
		resizes = rm->old_len != rm->new_len;
	if (!rm->new_len)
		return ms_refuse(m, -EINVAL, "the new length is 0");
	if ((rm->flags & MS_MREMAP_DONTUNMAP) && resizes)
		return ms_refuse(m, -EINVAL, "MREMAP_DONTUNMAP: the lengths differ");
	if (!all_checks_first(rm))
		return 0;
	if (rm->new_len > rm->mm->task_size)
		return ms_refuse_end(rm->mm, -EINVAL, 0, rm->new_len);
	return implies_new_addr(rm) ? check_destination(rm) : 0;
}

/* Could the unmaps of the old and the new place split off too many VMAs?
 * mirrors check_map_count_against_split_early(), mm/mremap.c, 7.2+ */
static int check_map_count(const struct ms_remap *rm)
{
	const enum ms_policy_mremap_map_count rule = ms_remap_policy(rm)->mremap_map_count;
	const bool keeps_source = rule == MS_MREMAP_MAP_COUNT_WORST_CASE_AND_DONTUNMAP &&
				  (rm->flags & MS_MREMAP_DONTUNMAP);

	if (rule == MS_MREMAP_MAP_COUNT_MOVE_NEAR_LIMIT ||
	    rm->mm->map_count + 4 + keeps_source <= rm->mm->machine->config.max_map_count)
		return 0;
	return ms_refuse_near_map_count(rm->mm, 4 + keeps_source);
}

/* ---- the VMA ---- */

// mirrors align_hugetlb(), mm/mremap.c, 7.2+
static int align_hugetlb(struct ms_remap *rm)
{
	uint64_t size = ms_hugetlb_size(rm->vma);

	if (ms_remap_policy(rm)->hugetlb_mremap == MS_HUGETLB_MREMAP_EINVAL)
		return 0; // refused later, with the resize
	rm->old_len = ms_align_up(rm->old_len, size);
	rm->new_len = ms_align_up(rm->new_len, size);
	if (!ms_aligned(rm->addr, size) || !ms_aligned(rm->new_addr, size))
		return ms_refuse(rm->mm->machine, -EINVAL,
				 "%x and %x are not both aligned to huge pages of %x bytes",
				 rm->addr, rm->new_addr, size);
	if (rm->new_len > rm->old_len)
		return ms_refuse(rm->mm->machine, -EINVAL, MS_VMA_WORDS " is hugetlb: cannot grow",
				 MS_VMA_NUMBERS(rm->vma));
	return 0;
}

/* The VMA that the range begins in. When it is found for the first time, a hugetlb VMA determines
 * what the lengths are rounded up to. */
static int find_vma(struct ms_remap *rm)
{
	const bool again = rm->vma;

	rm->vma = ms_vma_lookup(rm->mm, rm->addr);
	if (!rm->vma)
		return ms_refuse_no_vma(rm->mm, -EFAULT, rm->addr);
	return !again && ms_vma_is_hugetlb(rm->vma) ? align_hugetlb(rm) : 0;
}

/* Some kernels look up the VMA before they do anything else. */
static int find_first(struct ms_remap *rm)
{
	const struct ms_policy *policy = ms_remap_policy(rm);

	if (implies_new_addr(rm)
		    ? policy->mremap_fixed_order == MS_MREMAP_FIXED_ORDER_DEST_FIRST
		    : policy->mremap_inplace_needs_vma == MS_MREMAP_INPLACE_NEEDS_VMA_NO)
		return 0;
	return find_vma(rm);
}

/* mirrors vma_to_resize(), mm/mremap.c, 5.10 .. 6.12; resize_is_valid(), mm/mremap.c, 6.13 .. 6.14;
 * check_prep_vma(), mm/mremap.c, 6.17+ */
static bool dontunmap_allowed(const struct ms_remap *rm)
{
	const struct ms_vma *vma = rm->vma;

	if (ms_remap_policy(rm)->mremap_dontunmap == MS_MREMAP_DONTUNMAP_PRIVATE_ANON_ONLY)
		return ms_vma_is_anonymous(vma) && !(vma->vm_flags & MS_VM_SHARED);
	return !(vma->vm_flags & (MS_VM_DONTEXPAND | MS_VM_PFNMAP));
}

static int refuse_vma(const struct ms_remap *rm, int err, const char *why)
{
	return ms_refuse(rm->mm->machine, err, MS_VMA_WORDS " %s", MS_VMA_NUMBERS(rm->vma),
			 ms_refusal_text(why));
}

/*
 * May the VMA move, and grow?
 * mirrors vma_to_resize(), mm/mremap.c, 5.10 .. 6.12; resize_is_valid(), mm/mremap.c, 6.13 .. 6.14;
 * check_prep_vma(), mm/mremap.c, 6.17+
 */
static int check_resize(struct ms_remap *rm)
{
	const struct ms_vma *vma = rm->vma;
	struct ms_machine *m = rm->mm->machine;
	uint64_t old_len = ms_min_u64(rm->old_len, rm->new_len), pgoff;

	if (!rm->old_len && !(vma->vm_flags & (MS_VM_SHARED | MS_VM_MAYSHARE)))
		return refuse_vma(rm, -EINVAL, "is not shared, and the old length is 0");
	if ((rm->flags & MS_MREMAP_DONTUNMAP) && !dontunmap_allowed(rm))
		return refuse_vma(rm, -EINVAL, "does not allow MREMAP_DONTUNMAP");
	if (ms_vma_is_hugetlb(vma) &&
	    ms_remap_policy(rm)->hugetlb_mremap == MS_HUGETLB_MREMAP_EINVAL)
		return refuse_vma(rm, -EINVAL, "is hugetlb");
	if (old_len > vma->vm_end - rm->addr)
		return ms_refuse(m, -EFAULT, MS_VMA_WORDS " does not reach to %x",
				 MS_VMA_NUMBERS(vma), rm->addr + old_len);
	if (old_len == rm->new_len)
		return 0;
	pgoff = ms_vma_pgoff_of(vma, rm->addr);
	if (pgoff + (rm->new_len >> m->page_shift) < pgoff)
		return ms_refuse_wrap(m, -EINVAL, pgoff << m->page_shift, rm->new_len);
	if (vma->vm_flags & (MS_VM_DONTEXPAND | MS_VM_PFNMAP))
		return refuse_vma(rm, -EFAULT, "is VM_DONTEXPAND or VM_PFNMAP: cannot grow");
	if ((vma->vm_flags & MS_VM_ACCOUNT) && ms_obvious_overcommit(m, rm->new_len - old_len))
		return ms_refuse_overcommit(m, rm->new_len - old_len);
	rm->populate = vma->vm_flags & MS_VM_LOCKED;
	return 0;
}

/* ---- the three ways ---- */

/* Unmaps what a shrinking call gives up; do_munmap() checks that range by itself.
 * mirrors shrink_vma(), mm/mremap.c, 7.2+ */
static int shrink(struct ms_remap *rm)
{
	if (rm->old_len <= rm->new_len)
		return 0;
	return ms_do_munmap(rm->mm, rm->addr + rm->new_len, rm->old_len - rm->new_len);
}

/* The caller says where to move, or keeps the source in place.
 * mirrors mremap_to(), mm/mremap.c, 5.10+ */
static int64_t remap_to(struct ms_remap *rm)
{
	int64_t addr;
	int err = all_checks_first(rm) ? 0 : check_destination(rm);

	if (err)
		return err;
	if (ms_remap_policy(rm)->mremap_map_count == MS_MREMAP_MAP_COUNT_MOVE_NEAR_LIMIT &&
	    rm->mm->map_count + 2 >= rm->mm->machine->config.max_map_count - 3)
		return ms_refuse_near_map_count(rm->mm, 6);
	if (rm->flags & MS_MREMAP_FIXED) {
		err = ms_do_munmap(rm->mm, rm->new_addr, rm->new_len);
		if (err)
			return err;
		// The source may have gone with it: tested before the tail's own errors.
		if (all_checks_first(rm) && !ms_vma_lookup(rm->mm, rm->addr))
			return ms_refuse_no_vma(rm->mm, -EFAULT, rm->addr);
	}
	err = shrink(rm);
	if (err)
		return err;
	rm->old_len = ms_min_u64(rm->old_len, rm->new_len);
	err = find_vma(rm);
	if (!err && !all_checks_first(rm))
		err = check_resize(rm);
	if (err)
		return err;
	if (!(rm->flags & MS_MREMAP_FIXED)) {
		addr = ms_get_unmapped_area(rm->mm, rm->new_addr, rm->new_len);
		if (addr < 0)
			return addr;
		rm->new_addr = (ms_hva_t)addr;
	}
	return ms_move_vma(rm);
}

// mirrors vma_expandable(), mm/mremap.c, 5.10+
static bool expandable(const struct ms_remap *rm)
{
	const struct ms_vma *vma = rm->vma;
	ms_hva_t end = rm->addr + rm->new_len;

	return rm->old_len == vma->vm_end - rm->addr && end > vma->vm_end &&
	       end <= rm->mm->task_size && !ms_find_vma_intersection(rm->mm, vma->vm_end, end);
}

/*
 * Up to 6.3 a driver's close handler kept the new part out of merging, so a VMA with one just grew.
 *
 *   | vma |++++| next |        the new part joins vma, and next if it fits
 *
 * mirrors vma_merge_extend(), mm/mmap.c, 6.7 .. 6.11; vma_merge_extend(), mm/vma.c, 6.12+;
 * expand_vma_in_place(), mm/mremap.c, 7.2+
 */
static bool expand_in_place(struct ms_remap *rm)
{
	struct ms_vma *vma = rm->vma;
	const struct ms_policy *policy = ms_remap_policy(rm);
	ms_hva_t end = rm->addr + rm->new_len;
	// From 6.16 on copies of forked VMAs merge by other rules; new parts do not.
	const struct ms_vma part = { .anon_vma = vma->anon_vma, .anon_chain = !!vma->anon_vma };
	struct ms_vma_merge vmg = {
		.mm = rm->mm,
		.prev = vma,
		.next = ms_vma_next(vma),
		.start = vma->vm_end,
		.end = end,
		.vm_flags = vma->vm_flags,
		.pgoff = ms_vma_pgoff_of(vma, vma->vm_end),
		.anon_pgoff = ms_vma_anon_pgoff_of(vma, vma->vm_end),
		.file = vma->vm_file,
		.anon_from = &part,
	};
	bool just_grow = policy->mremap_grow_merge == MS_MREMAP_GROW_MERGE_NO ||
			 (policy->vma_merge_close == MS_VMA_MERGE_CLOSE_NEVER_IF_CLOSE &&
			  vma->vm_ops && vma->vm_ops->close);

	if (!just_grow)
		return ms_vma_merge_new(&vmg);
	ms_vma_adjust(vma, vma->vm_start, end, vma->vm_pgoff);
	return true;
}

/* The range stays where it is if it can.
 * mirrors mremap(), mm/mremap.c, 5.10 .. 6.14; mremap_at(), mm/mremap.c, 7.2+ */
static int64_t remap_at(struct ms_remap *rm)
{
	int64_t addr;
	int err;

	if (rm->old_len >= rm->new_len) {
		err = shrink(rm);
		return err ? err : (int64_t)rm->addr;
	}
	err = rm->vma ? 0 : find_vma(rm);
	if (!err && !all_checks_first(rm))
		err = check_resize(rm);
	if (err)
		return err;
	if (expandable(rm))
		return expand_in_place(rm)
			       ? (int64_t)rm->addr
			       : refuse_vma(rm, -ENOMEM, "does not merge with what it grows by");
	if (!(rm->flags & MS_MREMAP_MAYMOVE))
		return refuse_vma(rm, -ENOMEM, "cannot grow in place, nor move: no MREMAP_MAYMOVE");
	addr = ms_get_unmapped_area(rm->mm, 0, rm->new_len);
	if (addr < 0)
		return addr;
	rm->new_addr = (ms_hva_t)addr;
	return ms_move_vma(rm);
}

static int64_t remap_one(struct ms_remap *rm)
{
	int err = find_first(rm);

	if (err)
		return err;
	if (all_checks_first(rm) && (implies_new_addr(rm) || rm->new_len > rm->old_len)) {
		if (!rm->vma)
			rm->vma = ms_vma_lookup(rm->mm, rm->addr);
		err = rm->vma ? check_resize(rm) : ms_refuse_no_vma(rm->mm, -EFAULT, rm->addr);
		if (err)
			return err;
	}
	return implies_new_addr(rm) ? remap_to(rm) : remap_at(rm);
}

/*
 * Moves every VMA of the range by itself; the gaps between them keep their size.
 *
 *   | A |  | B |         ->  | A'|  | B'|        a range that begins in a gap is refused
 *
 * mirrors remap_move(), mm/mremap.c, 6.17+
 */
static int64_t remap_each(const struct ms_remap *rm)
{
	const ms_hva_t end = rm->addr + rm->old_len;
	ms_hva_t target = rm->new_addr, last_end = 0;
	struct ms_vma *vma = ms_find_vma(rm->mm, rm->addr);
	int64_t first = -EFAULT;

	if (!vma || vma->vm_start > rm->addr)
		return ms_refuse_no_vma(rm->mm, -EFAULT, rm->addr);
	// Goes on behind the VMA's old end, even if the copy has merged with its own source.
	for (; vma && vma->vm_start < end;
	     vma = last_end < end ? ms_find_vma(rm->mm, last_end) : NULL) {
		struct ms_remap part = *rm;
		int64_t ret;

		part.addr = ms_max_u64(vma->vm_start, rm->addr);
		part.old_len = part.new_len = ms_min_u64(end, vma->vm_end) - part.addr;
		part.new_addr = target + (last_end ? vma->vm_start - last_end : 0);
		last_end = vma->vm_end;
		ret = remap_one(&part);
		if (ret < 0)
			return ret;
		if (first < 0)
			first = ret;
		target = (ms_hva_t)ret + part.new_len;
	}
	return first;
}

// mirrors mremap(), mm/mremap.c, 5.10 .. 6.14; do_mremap(), mm/mremap.c, 6.15+
int64_t ms_mremap(struct ms_mm *mm, ms_hva_t addr, uint64_t old_len, uint64_t new_len,
		  unsigned int flags, ms_hva_t new_addr)
{
	if (!mm)
		return -EINVAL;
	struct ms_remap rm = {
		.mm = mm,
		.addr = ms_untagged_addr(mm->machine, addr), // new_addr may have no tag
		.old_len = old_len,
		.new_len = new_len,
		.flags = flags,
		.new_addr = new_addr,
	};
	const uint64_t before = ms_refusals(mm->machine);
	int64_t ret = check_arguments(&rm);

	if (!ret)
		ret = check_map_count(&rm);
	if (ret)
		return ret;
	if (!ms_mmap_write_trylock(mm))
		return ms_mmap_waits(mm);
	if ((flags & MS_MREMAP_FIXED) && rm.old_len == rm.new_len &&
	    mm->machine->policy.mremap_many_vmas == MS_MREMAP_MANY_VMAS_MOVES_EACH)
		ret = remap_each(&rm);
	else
		ret = remap_one(&rm);
	ms_mmap_write_unlock(mm);
	if (ret >= 0 && rm.populate)
		ms_mm_populate(mm, (ms_hva_t)ret + rm.old_len, rm.new_len - rm.old_len);
	// an mremap that changes nothing gives its address back, however high
	return ret < -4095 ? ret : ms_answered(mm->machine, before, ret, NULL);
}
