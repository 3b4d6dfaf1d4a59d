/* SPDX-License-Identifier: GPL-2.0-only */
/* madvise(2). */
#include "mm/lock.h"
#include "mm/madvise.h"
#include "mm/memfile.h"
#include "mm/move.h"
#include "mm/pgtable.h"

static int refuse_vma(const struct ms_vma *vma, int err, const char *why)
{
	return ms_refuse(ms_vma_machine(vma), err, MS_VMA_WORDS " %s", MS_VMA_NUMBERS(vma),
			 ms_refusal_text(why));
}

static int refuse_advice(struct ms_machine *m, enum ms_advice advice)
{
	return ms_refuse(m, -EINVAL, "advice %u is not known", advice);
}

/* ---- advice that changes flags ---- */

/*
 * The flags that the VMA would have; -EINVAL: the advice is not for this VMA.
 * mirrors madvise_behavior(), mm/madvise.c, 5.10 .. 5.16; madvise_vma_behavior(), mm/madvise.c,
 * 5.17+
 */
static int advised_flags(const struct ms_vma *vma, enum ms_advice advice, uint64_t *flags)
{
	const struct ms_policy *policy = &ms_vma_machine(vma)->policy;
	const uint64_t dofork_refuses = policy->madv_dofork_refuses == MS_MADV_DOFORK_REFUSES_VM_IO
						? MS_VM_IO
						: MS_VM_SPECIAL;

	*flags = vma->vm_flags;
	switch (advice) {
	case MS_MADV_HUGEPAGE:
		*flags = (*flags & ~MS_VM_NOHUGEPAGE) | MS_VM_HUGEPAGE;
		return 0;
	case MS_MADV_NOHUGEPAGE:
		*flags = (*flags & ~MS_VM_HUGEPAGE) | MS_VM_NOHUGEPAGE;
		return 0;
	case MS_MADV_DONTFORK:
		*flags |= MS_VM_DONTCOPY;
		return 0;
	case MS_MADV_DOFORK:
		*flags &= ~MS_VM_DONTCOPY;
		if (vma->vm_flags & dofork_refuses)
			return refuse_vma(vma, -EINVAL, "is a driver's: MADV_DOFORK");
		return 0;
	case MS_MADV_WIPEONFORK:
		*flags |= MS_VM_WIPEONFORK;
		if (vma->vm_file || (vma->vm_flags & MS_VM_SHARED))
			return refuse_vma(vma, -EINVAL, "is not private anonymous memory");
		return 0;
	case MS_MADV_KEEPONFORK:
		*flags &= ~MS_VM_WIPEONFORK;
		return 0;
	case MS_MADV_DONTDUMP:
		*flags |= MS_VM_DONTDUMP;
		return 0;
	case MS_MADV_DODUMP:
		*flags &= ~MS_VM_DONTDUMP;
		if (!ms_vma_is_hugetlb(vma) && (vma->vm_flags & MS_VM_SPECIAL))
			return refuse_vma(vma, -EINVAL, "is a driver's: MADV_DODUMP");
		return 0;
	default:
		return refuse_advice(ms_vma_machine(vma), advice);
	}
}

/*
 * *pvma becomes the VMA that covers the range afterwards.
 * mirrors madvise_behavior(), mm/madvise.c, 5.10 .. 5.16; madvise_update_vma(), mm/madvise.c, 5.17+
 */
static int update_vma(struct ms_vma **pvma, ms_hva_t start, ms_hva_t end, enum ms_advice advice)
{
	struct ms_vma *vma = *pvma;
	const struct ms_mm *mm = vma->vm_mm;
	const enum ms_policy_madv_split_limit at_limit = mm->machine->policy.madv_split_limit;
	const uint64_t before = ms_refusals(mm->machine);
	uint64_t flags;
	int err = advised_flags(vma, advice, &flags);

	if (err || flags == vma->vm_flags)
		return err;
	err = ms_vma_modify_flags(vma, start, end, flags, &vma);
	if (err == -ENOMEM && mm->map_count >= mm->machine->config.max_map_count &&
	    at_limit == MS_MADV_SPLIT_LIMIT_ENOMEM)
		return -ENOMEM;
	if (err == -ENOMEM)
		return ms_answered_as(mm->machine, before, -EAGAIN);
	if (err)
		return err;
	vma->vm_flags = flags;
	*pvma = vma;
	return 0;
}

/* ---- advice about pages ---- */

/* *end is rounded down for hugetlb memory, which goes in whole huge pages only.
 * mirrors madvise_dontneed_free_valid_vma(), mm/madvise.c, 5.18+ */
static int check_dontneed(const struct ms_vma *vma, ms_hva_t start, ms_hva_t *end,
			  enum ms_advice advice)
{
	const struct ms_policy *policy = &ms_vma_machine(vma)->policy;

	if (ms_vma_is_hugetlb(vma)) {
		if (advice != MS_MADV_DONTNEED ||
		    policy->hugetlb_dontneed == MS_HUGETLB_DONTNEED_EINVAL)
			return refuse_vma(vma, -EINVAL, "is hugetlb");
		*end = ms_align_down(*end, ms_hugetlb_size(vma));
		if (!ms_aligned(start, ms_hugetlb_size(vma)))
			return ms_refuse(ms_vma_machine(vma), -EINVAL,
					 "%x is not aligned to huge pages of %x bytes", start,
					 ms_hugetlb_size(vma));
		return 0;
	}
	if (vma->vm_flags & MS_VM_LOCKED)
		return refuse_vma(vma, -EINVAL, "is locked");
	return vma->vm_flags & MS_VM_PFNMAP ? refuse_vma(vma, -EINVAL, "is VM_PFNMAP") : 0;
}

// mirrors madvise_dontneed_free(), mm/madvise.c, 5.10+
static int dontneed_or_free(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, enum ms_advice advice)
{
	int err = check_dontneed(vma, start, &end, advice);

	if (err)
		return err;
	if (start == end)
		return 0;
	if (advice == MS_MADV_FREE)
		return ms_madvise_free(vma, start, end);
	ms_zap_dontneed(vma, start, end - start);
	return 0;
}

// mirrors madvise_cold() and madvise_pageout(), mm/madvise.c, 5.10+
static int cold_or_pageout(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, enum ms_advice advice)
{
	if (vma->vm_flags & (MS_VM_LOCKED | MS_VM_PFNMAP | MS_VM_HUGETLB))
		return refuse_vma(vma, -EINVAL, "is locked, VM_PFNMAP or hugetlb");
	ms_madvise_cold(vma, start, end, advice == MS_MADV_PAGEOUT);
	return 0;
}

/* With FALLOC_FL_PUNCH_HOLE.
 * mirrors vfs_fallocate(), fs/open.c, 5.10+ */
static int punch_hole(struct ms_file *file, uint64_t off, uint64_t len)
{
	uint64_t max = file->max_bytes && file->max_bytes < INT64_MAX ? file->max_bytes : INT64_MAX;
	struct ms_machine *m = file->machine;
	const uint64_t before = ms_refusals(m);

	if (file->kind == MS_FILE_DRIVER && file->ops && file->ops->punch_hole)
		return ms_answered_by(m, before, file, "punch_hole",
				      file->ops->punch_hole(file, off, len));
	if (off + len < off || off + len > max)
		return ms_refuse(m, -EFBIG, "%x bytes at offset %x: the file ends at %x", len, off,
				 max);
	switch (file->kind) {
	case MS_FILE_SHMEM:
		return ms_shmem_punch_hole(file, off, len);
	case MS_FILE_HUGETLB:
		return ms_hugetlb_punch_hole(file, off, len);
	case MS_FILE_DRIVER:
		break;
	}
	return ms_refuse(m, -EOPNOTSUPP, "the file has no ->fallocate");
}

// mirrors madvise_remove(), mm/madvise.c, 5.10+
static int remove_pages(struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	const uint64_t needs = m->policy.madv_remove_needs == MS_MADV_REMOVE_NEEDS_VM_WRITE
				       ? MS_VM_SHARED | MS_VM_WRITE
				       : MS_VM_SHARED | MS_VM_MAYWRITE;
	struct ms_file *file = vma->vm_file;
	int err;

	if (vma->vm_flags & MS_VM_LOCKED)
		return refuse_vma(vma, -EINVAL, "is locked");
	if (!file)
		return refuse_vma(vma, -EINVAL, "has no file");
	if ((vma->vm_flags & needs) != needs)
		return refuse_vma(vma, -EACCES, "is not shared and writable");
	ms_file_get(file);
	err = punch_hole(file, ms_vma_pgoff_of(vma, start) << m->page_shift, end - start);
	ms_file_drop(file);
	return err;
}

/* mirrors madvise_populate(), mm/madvise.c, 5.14+; faultin_vma_page_range(), mm/gup.c, 5.14 .. 6.8;
 * faultin_page_range(), mm/gup.c, 6.9+ */
static int populate(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, enum ms_advice advice)
{
	struct ms_machine *m = ms_vma_machine(vma);
	const uint64_t before = ms_refusals(m);
	bool write = advice == MS_MADV_POPULATE_WRITE;

	if (ms_check_vma_flags(vma, write ? MS_GUP_WRITE : 0))
		return ms_answered_as(m, before, -EINVAL);
	return ms_fault_in_range(vma, start, end, write);
}

/* ---- the walk ---- */

/* *pvma becomes the VMA that covers the range afterwards; NULL: it has to be looked up.
 * mirrors madvise_vma(), mm/madvise.c, 5.10 .. 5.10; madvise_vma_behavior(), mm/madvise.c, 5.17+ */
static int advise_vma(struct ms_vma **pvma, ms_hva_t start, ms_hva_t end, enum ms_advice advice)
{
	struct ms_vma *vma = *pvma;

	switch (advice) {
	case MS_MADV_DONTNEED:
	case MS_MADV_FREE:
		*pvma = NULL;
		return dontneed_or_free(vma, start, end, advice);
	case MS_MADV_COLD:
	case MS_MADV_PAGEOUT:
		*pvma = NULL;
		return cold_or_pageout(vma, start, end, advice);
	case MS_MADV_REMOVE:
		*pvma = NULL;
		return remove_pages(vma, start, end);
	case MS_MADV_COLLAPSE:
		*pvma = NULL;
		return ms_madvise_collapse(vma, start, end);
	case MS_MADV_POPULATE_READ:
	case MS_MADV_POPULATE_WRITE:
		*pvma = NULL;
		return populate(vma, start, end, advice);
	default:
		return update_vma(pvma, start, end, advice);
	}
}

/* Holes are skipped, and the answer is ENOMEM in the end.
 * mirrors do_madvise(), mm/madvise.c, 5.10 .. 5.16; madvise_walk_vmas(), mm/madvise.c, 6.1+ */
static int walk_vmas(struct ms_mm *mm, ms_hva_t start, ms_hva_t end, enum ms_advice advice,
		     bool hole_stops)
{
	int hole = 0;

	while (start < end) {
		struct ms_vma *vma = ms_find_vma(mm, start);
		ms_hva_t stop;
		int err;

		if (!vma || (hole_stops && vma->vm_start > start))
			return ms_refuse_no_vma(mm, -ENOMEM, start);
		if (start < vma->vm_start) {
			hole = ms_refuse_no_vma(mm, -ENOMEM, start);
			start = vma->vm_start;
			if (start >= end)
				break;
		}
		stop = ms_min_u64(vma->vm_end, end);
		err = advise_vma(&vma, start, stop, advice);
		if (err)
			return err;
		start = vma ? ms_max_u64(stop, vma->vm_end) : stop;
	}
	return hole;
}

static bool is_populate(enum ms_advice advice)
{
	return advice == MS_MADV_POPULATE_READ || advice == MS_MADV_POPULATE_WRITE;
}

// mirrors madvise_behavior_valid(), mm/madvise.c, 5.10+
static bool advice_known(const struct ms_policy *policy, enum ms_advice advice)
{
	switch (advice) {
	case MS_MADV_POPULATE_READ:
	case MS_MADV_POPULATE_WRITE:
		return policy->madv_populate == MS_MADV_POPULATE_PRESENT;
	case MS_MADV_COLLAPSE:
		return policy->madv_collapse == MS_MADV_COLLAPSE_PRESENT;
	case MS_MADV_DONTNEED:
	case MS_MADV_FREE:
	case MS_MADV_REMOVE:
	case MS_MADV_DONTFORK:
	case MS_MADV_DOFORK:
	case MS_MADV_HUGEPAGE:
	case MS_MADV_NOHUGEPAGE:
	case MS_MADV_DONTDUMP:
	case MS_MADV_DODUMP:
	case MS_MADV_WIPEONFORK:
	case MS_MADV_KEEPONFORK:
	case MS_MADV_COLD:
	case MS_MADV_PAGEOUT:
		return true;
	default:
		return false;
	}
}

/*
 * A collapse only reads VMAs, but needs the lock for writing in the end.
 * mirrors madvise_need_mmap_write(), mm/madvise.c, 5.10 .. 6.12; get_lock_mode(), mm/madvise.c,
 * 7.2+
 */
static bool changes_vmas(enum ms_advice advice)
{
	switch (advice) {
	case MS_MADV_DONTNEED:
	case MS_MADV_FREE:
	case MS_MADV_REMOVE:
	case MS_MADV_POPULATE_READ:
	case MS_MADV_POPULATE_WRITE:
	case MS_MADV_COLD:
	case MS_MADV_PAGEOUT:
		return false;
	default:
		return true;
	}
}

// mirrors do_madvise(), mm/madvise.c, 5.10+
static int do_madvise(struct ms_mm *mm, ms_hva_t addr, uint64_t len, enum ms_advice advice)
{
	struct ms_machine *m = mm->machine;
	const uint64_t rounded = ms_align_up(len, m->page_size);
	bool hole_stops = is_populate(advice) &&
			  m->policy.madv_populate_hole == MS_MADV_POPULATE_HOLE_FIRST_HOLE_STOPS;
	int err;

	addr = ms_untagged_addr(m, addr);
	if (!advice_known(&m->policy, advice))
		return refuse_advice(m, advice);
	if (!ms_aligned(addr, m->page_size))
		return ms_refuse_alignment(m, addr);
	if ((len && !rounded) || addr + rounded < addr)
		return ms_refuse_wrap(m, -EINVAL, addr, len);
	if (changes_vmas(advice)) {
		if (!ms_mmap_write_trylock(mm))
			return ms_mmap_waits(mm);
		err = walk_vmas(mm, addr, addr + rounded, advice, hole_stops);
		ms_mmap_write_unlock(mm);
		return err;
	}
	if (!ms_mmap_may_read(mm))
		return ms_mmap_waits(mm);
	ms_mmap_pin(mm);
	err = walk_vmas(mm, addr, addr + rounded, advice, hole_stops);
	ms_mmap_unpin(mm);
	return err;
}

int ms_madvise(struct ms_mm *mm, ms_hva_t addr, uint64_t len, enum ms_advice advice)
{
	if (!mm)
		return -EINVAL;
	const uint64_t before = ms_refusals(mm->machine);

	return (int)ms_answered(mm->machine, before, do_madvise(mm, addr, len, advice), NULL);
}
