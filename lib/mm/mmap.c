/* SPDX-License-Identifier: GPL-2.0-only */
/* mmap(2): do_mmap() and mmap_region(), mm/mmap.c and mm/vma.c. */
#include "mm/lock.h"
#include "mm/munmap.h"

/* What is being mapped, on its way through mmap_region. */
struct request {
	struct ms_mm *mm;
	ms_hva_t start, end;
	uint64_t vm_flags;
	uint64_t pgoff;
	struct ms_file *file;
	const struct ms_vma_gap *gap; // where it goes
	struct ms_vma_desc *desc;     // mmap_prepare's
};

/* ---- arguments ---- */

/* In whole units of `align` bytes: a gap is large enough when its most unaligned start would do.
 * mirrors hugetlb_get_unmapped_area(), fs/hugetlbfs/inode.c, 5.10+, where that is not a page */
static int64_t aligned_area(struct ms_mm *mm, ms_hva_t hint, uint64_t len, uint64_t align)
{
	uint64_t needed = len + align - mm->machine->page_size;
	ms_hva_t end = mm->task_size;

	if (len > end)
		return -ENOMEM;
	hint = ms_align_up(ms_align_down(hint, mm->machine->page_size), align);
	if (hint && hint <= end - len && !ms_find_vma_intersection(mm, hint, hint + len))
		return (int64_t)hint;
	end = ms_vma_tree_highest_gap(&mm->vmas, end, needed);
	// the first page stays unmapped (mmap_min_addr)
	if (end < needed + mm->machine->page_size)
		return -ENOMEM;
	return (int64_t)ms_align_down(end - len, align);
}

int64_t ms_get_unmapped_area(struct ms_mm *mm, ms_hva_t hint, uint64_t len)
{
	return aligned_area(mm, hint, len, mm->machine->page_size);
}

static int64_t choose_address(struct ms_mm *mm, ms_hva_t hint, uint64_t len,
			      const struct ms_file *file)
{
	if (!file || file->kind != MS_FILE_HUGETLB)
		return ms_get_unmapped_area(mm, hint, len);
	return aligned_area(mm, hint, len, mm->machine->page_size << file->mapping->order);
}

static int64_t place(struct ms_mm *mm, ms_hva_t addr, uint64_t len, unsigned int flags,
		     const struct ms_file *file)
{
	if (!(flags & (MS_MAP_FIXED | MS_MAP_FIXED_NOREPLACE)))
		return choose_address(mm, addr, len, file);
	if (len > mm->task_size)
		return -ENOMEM;
	if (file && file->kind == MS_FILE_HUGETLB &&
	    !ms_aligned(addr, UINT64_C(1) << (mm->machine->page_shift + file->mapping->order)))
		return -EINVAL;
	if (addr > mm->task_size - len)
		return -ENOMEM;
	if (!ms_aligned(addr, mm->machine->page_size))
		return -EINVAL;
	if ((flags & MS_MAP_FIXED_NOREPLACE) && ms_find_vma_intersection(mm, addr, addr + len))
		return -EEXIST;
	return (int64_t)addr;
}

/* do_mmap()'s file part: mode bits, noexec, the largest offset */
static int file_flags(const struct ms_file *file, unsigned int flags, uint64_t pgoff, uint64_t len,
		      uint64_t *vm_flags)
{
	unsigned int shift = file->machine->page_shift;

	// file_mmap_ok(): where there is no limit the subtraction wraps, and the last page offsets
	// are refused all the same
	if (file->max_bytes && len > file->max_bytes)
		return -EOVERFLOW;
	if (pgoff > (file->max_bytes - len) >> shift)
		return -EOVERFLOW;
	if (flags & MS_MAP_SHARED) {
		if ((*vm_flags & MS_VM_WRITE) && !(file->fmode & MS_FMODE_WRITE))
			return -EACCES;
		*vm_flags |= MS_VM_SHARED | MS_VM_MAYSHARE;
		if (!(file->fmode & MS_FMODE_WRITE))
			*vm_flags &= ~(MS_VM_MAYWRITE | MS_VM_SHARED);
	}
	if (!(file->fmode & MS_FMODE_READ))
		return -EACCES;
	if (file->fmode & MS_FMODE_NOEXEC) {
		if (*vm_flags & MS_VM_EXEC)
			return -EPERM;
		*vm_flags &= ~MS_VM_MAYEXEC;
	}
	if (file->kind == MS_FILE_DRIVER &&
	    (!file->ops || (!file->ops->mmap && !file->ops->mmap_prepare)))
		return -ENODEV;
	return 0;
}

/* ---- mmap_region ---- */

/* accountable_mapping() */
static bool accountable(const struct request *rq)
{
	if (rq->file && rq->file->kind == MS_FILE_HUGETLB)
		return false;
	return (rq->vm_flags & (MS_VM_NORESERVE | MS_VM_SHARED | MS_VM_WRITE)) == MS_VM_WRITE;
}

static bool may_charge(const struct request *rq)
{
	return !accountable(rq) || !ms_obvious_overcommit(rq->mm->machine, rq->end - rq->start);
}

/* What MAP_FIXED replaces goes, by policy with its objects or up to their freeing. */
static int remove_old(struct request *rq, struct ms_vma *vma, struct ms_munmap *old)
{
	bool unmap_first = rq->mm->machine->policy.mmap_fixed == MS_MMAP_FIXED_UNMAP_FIRST;
	int err;

	if (!unmap_first && !may_charge(rq))
		return -ENOMEM;
	err = ms_gather_munmap(old, vma, rq->start, rq->end);
	if (err)
		return unmap_first ? -ENOMEM : err;
	ms_clear_munmap(old);
	if (unmap_first)
		ms_complete_munmap(old);
	else
		ms_close_munmap(old);
	return 0;
}

static struct ms_vma *merge_request(struct request *rq)
{
	struct ms_vma *prev = rq->gap->prev_end == rq->start ? rq->gap->prev : NULL;
	struct ms_vma *next = rq->gap->next_start == rq->end ? rq->gap->next : NULL;

	if (!prev && !next)
		return NULL;
	return ms_vma_merge_new(&(struct ms_vma_merge){
		.mm = rq->mm,
		.prev = prev,
		.next = next,
		.start = rq->start,
		.end = rq->end,
		.vm_flags = rq->vm_flags,
		.pgoff = rq->pgoff,
		.file = rq->file,
		.from_mmap = true,
	});
}

/* A file's VMA always has operations (vma_dummy_vm_ops): without any it would be anonymous. */
static int call_driver(struct request *rq, struct ms_vma *vma)
{
	static const struct ms_vm_ops none;
	int err = 0;

	if (rq->file->ops->mmap_prepare) {
		vma->vm_ops = rq->desc->vm_ops;
		vma->vm_private_data = rq->desc->private_data;
		vma->vm_page_prot = rq->desc->page_prot;
	} else {
		err = ms_file_call_mmap(rq->file, vma);
	}
	if (!vma->vm_ops)
		vma->vm_ops = &none;
	return err;
}

static int call_mmap(struct request *rq, struct ms_vma *vma)
{
	struct ms_file *file = rq->file;

	if (!file)
		return 0;
	switch (file->kind) {
	case MS_FILE_SHMEM:
		vma->vm_ops = &ms_shmem_vm_ops;
		return 0;
	case MS_FILE_HUGETLB:
		return ms_hugetlb_mmap(file, vma);
	case MS_FILE_DRIVER:
		break;
	}
	return call_driver(rq, vma);
}

/* arch_calc_vm_flag_bits(), arch/arm64/include/asm/mman.h: which memory surely has tags */
static uint64_t tag_flags(const struct ms_machine *m, const struct ms_file *file)
{
	if (!m->config.mte || ms_is_x86(m))
		return 0;
	if (!file || file->kind == MS_FILE_SHMEM)
		return MS_VM_MTE_ALLOWED;
	return file->kind == MS_FILE_HUGETLB && m->policy.mte_hugetlb == MS_MTE_HUGETLB_YES
		       ? MS_VM_MTE_ALLOWED
		       : 0;
}

/* shmem_zero_setup(): MAP_SHARED | MAP_ANONYMOUS is a memory file of its own */
static int anonymous_shared(struct ms_vma *vma)
{
	if (ms_obvious_overcommit(ms_vma_machine(vma), ms_vma_size(vma)))
		return -ENOMEM;
	vma->vm_file = ms_shmem_file_new(ms_vma_machine(vma), ms_vma_size(vma));
	if (!vma->vm_file)
		return -ENOMEM;
	vma->vm_ops = &ms_shmem_vm_ops;
	return 0;
}

/* ->mmap refused: the range is unmapped as if it had been mapped, without ->close. */
static void undo_new(struct request *rq, struct ms_vma *vma)
{
	if (vma->vm_file)
		ms_file_drop(vma->vm_file);
	vma->vm_file = NULL;
	vma->next_detached = NULL;
	ms_unmap_region(rq->mm, vma, vma->vm_start, vma->vm_end, rq->gap->prev_end,
			rq->gap->next_start);
	ms_vma_free(vma, false);
}

static int new_vma(struct request *rq, struct ms_vma **out)
{
	struct ms_vma *vma = ms_vma_alloc(rq->mm), *merged;
	int err;

	if (!vma)
		return -ENOMEM;
	vma->vm_start = rq->start;
	vma->vm_end = rq->end;
	vma->vm_flags = rq->vm_flags;
	vma->vm_pgoff = rq->pgoff;
	if (rq->file) {
		vma->vm_page_prot = ms_vm_get_page_prot(rq->mm->machine, rq->vm_flags);
		vma->vm_file = rq->file;
		ms_file_get(rq->file);
		err = call_mmap(rq, vma);
		if (err) {
			undo_new(rq, vma);
			return err;
		}
	} else if (rq->vm_flags & MS_VM_SHARED) {
		err = anonymous_shared(vma);
		if (err) {
			ms_vma_free(vma, false);
			return err;
		}
	}
	// A driver that changed the flags may have made it the same as its neighbour (up to 6.12).
	if (rq->file && vma->vm_flags != rq->vm_flags && rq->gap->prev &&
	    rq->mm->machine->policy.mmap_second_merge == MS_MMAP_SECOND_MERGE_YES) {
		rq->vm_flags = vma->vm_flags;
		rq->pgoff = vma->vm_pgoff;
		merged = merge_request(rq);
		if (merged) {
			ms_vma_free(vma, false);
			*out = merged;
			return 0;
		}
	}
	ms_vma_tree_insert(rq->mm, vma);
	ms_i_mmap_insert(vma);
	*out = vma;
	return 0;
}

static int prepare(struct request *rq)
{
	struct ms_file *file = rq->file;
	int err;

	if (!file || file->kind != MS_FILE_DRIVER || !file->ops->mmap_prepare)
		return 0;
	*rq->desc = (struct ms_vma_desc){
		.mm = rq->mm,
		.start = rq->start,
		.end = rq->end,
		.pgoff = rq->pgoff,
		.vm_flags = rq->vm_flags,
		.page_prot = ms_vm_get_page_prot(rq->mm->machine, rq->vm_flags),
	};
	err = ms_file_call_mmap_prepare(file, rq->desc);
	rq->vm_flags = rq->desc->vm_flags;
	rq->pgoff = rq->desc->pgoff;
	return err;
}

/* mmap_action_complete(): what a driver with mmap_prepare does once its VMA exists */
static int run_action(struct request *rq, struct ms_vma *vma)
{
	struct ms_file *file = rq->file;
	int err;

	if (!file || file->kind != MS_FILE_DRIVER || !file->ops->mmap_prepare || !file->ops->mmap)
		return 0;
	err = ms_file_call_mmap(file, vma);
	if (err)
		ms_do_munmap(rq->mm, vma->vm_start, ms_vma_size(vma));
	else
		ms_vma_set_page_prot(vma);
	return err;
}

/* The range is empty now: a neighbour grows over it, or *is_new is made. */
static int map_range(struct request *rq, struct ms_vma **is_new)
{
	struct ms_vma_desc desc;
	struct ms_vma *vma;
	int err;

	if (!may_charge(rq))
		return -ENOMEM;
	if (accountable(rq))
		rq->vm_flags |= MS_VM_ACCOUNT;
	rq->desc = &desc;
	err = prepare(rq);
	if (err)
		return err;
	vma = merge_request(rq);
	if (!vma) {
		err = new_vma(rq, &vma);
		if (err)
			return err;
		*is_new = vma;
	}
	if (ms_is_x86(rq->mm->machine))
		vma->vm_flags |= MS_VM_SOFTDIRTY;
	ms_vma_set_page_prot(vma);
	return 0;
}

static int mmap_region(struct request *rq)
{
	struct ms_munmap old;
	struct ms_vma *overlaps = ms_find_gap(rq->mm, rq->start, rq->end, &old.gap);
	struct ms_vma *is_new = NULL;
	int err;

	rq->gap = &old.gap;
	if (overlaps) {
		err = remove_old(rq, overlaps, &old);
		if (err)
			return err;
	}
	err = map_range(rq, &is_new);
	if (overlaps)
		ms_complete_munmap(&old);
	return is_new ? run_action(rq, is_new) : err;
}

/* The part of do_mmap() that comes to vm_flags, and to vm_pgoff where there is no file. */
static int set_vm_flags(struct request *rq, unsigned int prot, unsigned int flags)
{
	const struct ms_machine *m = rq->mm->machine;
	int err;

	rq->vm_flags = ms_calc_vm_prot_bits(prot) | MS_VM_MAYREAD | MS_VM_MAYWRITE | MS_VM_MAYEXEC;
	if (rq->file) {
		err = file_flags(rq->file, flags, rq->pgoff, rq->end - rq->start, &rq->vm_flags);
		if (err)
			return err;
	} else if (flags & MS_MAP_SHARED) {
		rq->pgoff = 0;
		rq->vm_flags |= MS_VM_SHARED | MS_VM_MAYSHARE;
	} else {
		rq->pgoff = rq->start >> m->page_shift;
	}
	rq->vm_flags |= tag_flags(m, rq->file);
	if (flags & MS_MAP_NORESERVE)
		rq->vm_flags |= MS_VM_NORESERVE;
	return 0;
}

int64_t ms_mmap(struct ms_mm *mm, ms_hva_t addr, uint64_t len, unsigned int prot,
		unsigned int flags, struct ms_file *file, uint64_t off)
{
	if (!mm)
		return -EINVAL;
	const struct ms_machine *m = mm->machine;
	struct request rq = { .mm = mm, .pgoff = off >> m->page_shift };
	const unsigned int kinds = flags & (MS_MAP_SHARED | MS_MAP_PRIVATE);
	int64_t start;
	int err;

	if (!ms_aligned(off, m->page_size) || (prot & ~(MS_PROT_R | MS_PROT_W | MS_PROT_X)) ||
	    (kinds != MS_MAP_SHARED && kinds != MS_MAP_PRIVATE))
		return -EINVAL;
	if (flags & MS_MAP_ANONYMOUS)
		file = NULL;
	else if (!file)
		return -ENOMEM;
	if (!len)
		return -EINVAL;
	// ksys_mmap_pgoff() rounds a hugetlb length up; a wrap ends below as any other.
	len = ms_align_up(len, file && file->kind == MS_FILE_HUGETLB
				       ? m->page_size << file->mapping->order
				       : m->page_size);
	if (!len)
		return -ENOMEM;
	if (rq.pgoff + (len >> m->page_shift) < rq.pgoff)
		return -EOVERFLOW;
	if (mm->map_count > m->config.max_map_count)
		return -ENOMEM;
	start = place(mm, addr, len, flags, file);
	if (start < 0)
		return start;
	rq.file = file;
	rq.start = (ms_hva_t)start;
	rq.end = rq.start + len;
	err = set_vm_flags(&rq, prot, flags);
	if (err)
		return err;
	if (!ms_mmap_write_trylock(mm))
		return -EBUSY;
	// fget(): a hook may put the file
	if (file)
		ms_file_get(file);
	err = mmap_region(&rq);
	if (file)
		ms_file_drop(file);
	ms_mmap_write_unlock(mm);
	if (err)
		return err;
	if (flags & MS_MAP_POPULATE)
		ms_mm_populate(mm, rq.start, len);
	return start;
}
