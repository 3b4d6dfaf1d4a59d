/* SPDX-License-Identifier: GPL-2.0-only */
/* mmap(2). */
#include "mm/lock.h"
#include "mm/munmap.h"

/* What is to be mapped. */
struct request {
	struct ms_mm *mm;
	ms_hva_t start, end;
	uint64_t vm_flags;
	uint64_t pgoff;
	struct ms_file *file;
	const struct ms_vma_gap *gap; // the gap that it is mapped into
	struct ms_vma_desc *desc;     // what mmap_prepare gets, and changes
	bool charged;                 // the memory that it may need has been charged
};

/* ---- arguments ---- */

/* The bits of flags that say which kind of mapping it is, as a number (MAP_TYPE). */
#define KIND_MASK 0xfu
#define KIND_SHARED_VALIDATE (MS_MAP_SHARED | MS_MAP_PRIVATE)

/* Flags that do nothing in the kernel: MAP_DENYWRITE, _EXECUTABLE, _NONBLOCK, _STACK. */
#define FLAGS_WITHOUT_EFFECT 0x31800u
/* Flags that do something in the kernel, and that are not modelled: MAP_32BIT, _ABOVE4G,
 * _GROWSDOWN, _LOCKED, _HUGETLB, _SYNC. */
#define FLAGS_NOT_MODELLED 0xc21c0u

/* MAP_SHARED_VALIDATE refuses all other flags.
 * mirrors LEGACY_MAP_MASK, include/linux/mman.h, 5.10+ */
#define LEGACY_FLAGS \
	(KIND_SHARED_VALIDATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS | MS_MAP_NORESERVE | \
	 MS_MAP_POPULATE | FLAGS_WITHOUT_EFFECT)

static int check_kind(struct ms_machine *m, unsigned int flags)
{
	switch (flags & KIND_MASK) {
	case MS_MAP_SHARED:
	case MS_MAP_PRIVATE:
		return 0;
	case KIND_SHARED_VALIDATE:
		if (!(flags & ~LEGACY_FLAGS))
			return 0;
		return ms_refuse(m, -EOPNOTSUPP, "MAP_SHARED_VALIDATE refuses the flags %x",
				 flags & ~LEGACY_FLAGS);
	default:
		return ms_refuse(m, -EINVAL, "flags %x: neither MAP_SHARED nor MAP_PRIVATE", flags);
	}
}

// mirrors file_mmap_ok(), mm/mmap.c, 5.10+
static int check_offset(const struct ms_file *file, uint64_t pgoff, uint64_t len)
{
	unsigned int shift = file->machine->page_shift;

	if (file->max_bytes && len > file->max_bytes)
		return ms_refuse(file->machine, -EOVERFLOW,
				 "%x bytes: the file's mappings end at offset %x", len,
				 file->max_bytes);
	// without a limit the subtraction wraps, and the last page offsets are refused, too
	if (pgoff > (file->max_bytes - len) >> shift)
		return ms_refuse(file->machine, -EOVERFLOW,
				 "%x bytes at offset %x: the file's mappings end at offset %x", len,
				 pgoff << shift, file->max_bytes);
	return 0;
}

/* The part of do_mmap() that asks the file: the largest offset, the kind, mode bits, noexec.
 * mirrors do_mmap(), mm/mmap.c, 5.10+ */
static int file_flags(const struct ms_file *file, unsigned int flags, uint64_t pgoff, uint64_t len,
		      uint64_t *vm_flags)
{
	struct ms_machine *m = file->machine;
	int err = check_offset(file, pgoff, len);

	if (!err)
		err = check_kind(m, flags);
	if (err)
		return err;
	if (flags & MS_MAP_SHARED) {
		if ((*vm_flags & MS_VM_WRITE) && !(file->fmode & MS_FMODE_WRITE))
			return ms_refuse(m, -EACCES, "the file is not open for writing");
		*vm_flags |= MS_VM_SHARED | MS_VM_MAYSHARE;
		if (!(file->fmode & MS_FMODE_WRITE))
			*vm_flags &= ~(MS_VM_MAYWRITE | MS_VM_SHARED);
	}
	if (!(file->fmode & MS_FMODE_READ))
		return ms_refuse(m, -EACCES, "the file is not open for reading");
	if (file->fmode & MS_FMODE_NOEXEC) {
		if (*vm_flags & MS_VM_EXEC)
			return ms_refuse(m, -EPERM, "the file is on a noexec mount");
		*vm_flags &= ~MS_VM_MAYEXEC;
	}
	if (file->kind == MS_FILE_DRIVER &&
	    (!file->ops || (!file->ops->mmap && !file->ops->mmap_prepare)))
		return ms_refuse(m, -ENODEV, "the file has no ->mmap");
	return 0;
}

/* ---- mmap_region ---- */

// mirrors accountable_mapping(), mm/mmap.c, 5.10 .. 6.12; accountable_mapping(), mm/vma.c, 7.2+
static bool accountable(const struct request *rq)
{
	if (rq->file && rq->file->kind == MS_FILE_HUGETLB)
		return false;
	return (rq->vm_flags & (MS_VM_NORESERVE | MS_VM_SHARED | MS_VM_WRITE)) == MS_VM_WRITE;
}

/* replaced: bytes that are charged already, and will be unmapped. */
static bool may_charge(const struct request *rq, uint64_t replaced)
{
	return !accountable(rq) ||
	       !ms_obvious_overcommit(rq->mm->machine, rq->end - rq->start - replaced);
}

/* The charged bytes of the VMAs that lie in the range. They lie in it as a whole: they were split.
 * mirrors vms_gather_munmap_vmas(), mm/vma.c, 6.12+: of nr_accounted */
static uint64_t accounted(const struct request *rq)
{
	uint64_t bytes = 0;

	for (struct ms_vma *vma = ms_find_vma(rq->mm, rq->start); vma && vma->vm_start < rq->end;
	     vma = ms_vma_next(vma))
		bytes += vma->vm_flags & MS_VM_ACCOUNT ? ms_vma_size(vma) : 0;
	return bytes;
}

/* What MAP_FIXED replaces is removed for good, before the memory is charged. */
static int unmap_old(struct request *rq, struct ms_vma *vma, struct ms_munmap *old)
{
	const uint64_t before = ms_refusals(rq->mm->machine);

	if (ms_gather_munmap(old, vma, rq->start, rq->end))
		return ms_answered_as(rq->mm->machine, before, -ENOMEM);
	ms_clear_munmap(old);
	ms_complete_munmap(old);
	return 0;
}

/*
 * What MAP_FIXED replaces is unmapped once the memory is charged; its VMAs are freed later. If that
 * fails the splits stay.
 * mirrors __mmap_prepare(), mm/vma.c, 6.13 .. 6.18; __mmap_setup(), mm/vma.c, 6.19+
 */
static int replace_old(struct request *rq, struct ms_vma *vma, struct ms_munmap *old)
{
	int err = ms_split_munmap(old, vma, rq->start, rq->end);
	uint64_t replaced;

	if (err)
		return err;
	replaced = accounted(rq);
	if (!may_charge(rq, replaced))
		return ms_refuse_overcommit(rq->mm->machine, rq->end - rq->start - replaced);
	ms_detach_munmap(old);
	ms_clear_munmap(old);
	ms_close_munmap(old);
	rq->charged = true;
	return 0;
}

static int remove_old(struct request *rq, struct ms_vma *vma, struct ms_munmap *old)
{
	return rq->mm->machine->policy.mmap_fixed == MS_MMAP_FIXED_UNMAP_FIRST
		       ? unmap_old(rq, vma, old)
		       : replace_old(rq, vma, old);
}

/* Lets a neighbour grow over the range; NULL: none can. */
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
		.anon_pgoff = rq->start >> rq->mm->machine->page_shift,
		.file = rq->file,
		.from_mmap = true,
	});
}

/* What ->mmap finds in vm_ops, and ->mmap_prepare in the description: vma_dummy_vm_ops, a table
 * without functions. A driver that puts NULL there asks for anonymous memory. */
const struct ms_vm_ops ms_dummy_vm_ops;

static int call_driver(struct request *rq, struct ms_vma *vma)
{
	vma->vm_ops = &ms_dummy_vm_ops;
	if (!rq->file->ops->mmap_prepare)
		return ms_file_call_mmap(rq->file, vma);
	vma->vm_ops = rq->desc->vm_ops;
	vma->vm_private_data = rq->desc->private_data;
	vma->vm_page_prot = rq->desc->page_prot;
	return 0;
}

// mirrors call_mmap(), include/linux/fs.h, 5.10 .. 6.12; mmap_file(), mm/internal.h, 6.12+
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

/* Which memory surely can have tags.
 * mirrors arch_calc_vm_flag_bits(), arch/arm64/include/asm/mman.h, 5.10+ */
static uint64_t tag_flags(const struct ms_machine *m, const struct ms_file *file)
{
	if (!ms_has(m->config.mte) || ms_is_x86(m))
		return 0;
	if (!file || file->kind == MS_FILE_SHMEM)
		return MS_VM_MTE_ALLOWED;
	return file->kind == MS_FILE_HUGETLB && m->policy.mte_hugetlb == MS_MTE_HUGETLB_YES
		       ? MS_VM_MTE_ALLOWED
		       : 0;
}

/* MAP_SHARED | MAP_ANONYMOUS maps a memory file of its own.
 * mirrors shmem_zero_setup(), mm/shmem.c, 5.10+ */
static int anonymous_shared(struct ms_vma *vma)
{
	if (ms_obvious_overcommit(ms_vma_machine(vma), ms_vma_size(vma)))
		return ms_refuse_overcommit(ms_vma_machine(vma), ms_vma_size(vma));
	vma->vm_file = ms_shmem_file_new(ms_vma_machine(vma), ms_vma_size(vma));
	if (!vma->vm_file)
		return -ENOMEM;
	vma->vm_ops = &ms_shmem_vm_ops;
	return 0;
}

/* ->mmap has refused: the range is unmapped as if it had been mapped, but ->close is not called.
 * mirrors mmap_region(), mm/mmap.c, 5.10 .. 6.12; __mmap_new_file_vma(), mm/vma.c, 7.2+ */
static void undo_new(struct request *rq, struct ms_vma *vma)
{
	if (vma->vm_file)
		ms_file_drop(vma->vm_file);
	vma->vm_file = NULL;
	ms_linked(vma)->next_detached = NULL;
	ms_unmap_region(rq->mm, vma, vma->vm_start, vma->vm_end, rq->gap->prev_end,
			rq->gap->next_start);
	ms_vma_free(vma, false);
}

// mirrors mmap_region(), mm/mmap.c, 5.10 .. 6.12; __mmap_new_vma(), mm/vma.c, 7.2+
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
	vma->anon_pgoff = rq->start >> rq->mm->machine->page_shift;
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
	// The driver may have changed the flags to those of a neighbour (see mmap_second_merge).
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

// mirrors call_mmap_prepare(), mm/vma.c, 7.2+
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
		.vm_ops = &ms_dummy_vm_ops,
	};
	err = ms_file_call_mmap_prepare(file, rq->desc);
	rq->vm_flags = rq->desc->vm_flags;
	rq->pgoff = rq->desc->pgoff;
	return err;
}

/* What a driver with mmap_prepare asked for is done once its VMA exists.
 * mirrors mmap_action_complete(), mm/util.c, 7.2+ */
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

/* The range is empty now: a neighbour grows over it, or a new VMA is made, in *is_new.
 * mirrors __mmap_region(), mm/mmap.c, 6.12 .. 6.12; __mmap_region(), mm/vma.c, 6.13+ */
static int map_range(struct request *rq, struct ms_vma **is_new)
{
	struct ms_vma_desc desc;
	struct ms_vma *vma;
	int err;

	if (!rq->charged && !may_charge(rq, 0))
		return ms_refuse_overcommit(rq->mm->machine, rq->end - rq->start);
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

// mirrors mmap_region(), mm/mmap.c, 5.10 .. 6.13; mmap_region(), mm/vma.c, 6.14+
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

/* The part of do_mmap() that determines vm_flags, and vm_pgoff if there is no file.
 * mirrors do_mmap(), mm/mmap.c, 5.10+ */
static int set_vm_flags(struct request *rq, unsigned int prot, unsigned int flags)
{
	const struct ms_machine *m = rq->mm->machine;
	int err;

	rq->vm_flags = ms_calc_vm_prot_bits(prot) | ms_execute_only_key(m, prot) | MS_VM_MAYREAD |
		       MS_VM_MAYWRITE | MS_VM_MAYEXEC;
	if (rq->file) {
		err = file_flags(rq->file, flags, rq->pgoff, rq->end - rq->start, &rq->vm_flags);
		if (err)
			return err;
	} else if ((flags & KIND_MASK) == MS_MAP_SHARED) {
		rq->pgoff = 0;
		rq->vm_flags |= MS_VM_SHARED | MS_VM_MAYSHARE;
	} else if ((flags & KIND_MASK) != MS_MAP_PRIVATE) {
		return ms_refuse(rq->mm->machine, -EINVAL,
				 "flags %x: anonymous memory is MAP_SHARED or MAP_PRIVATE", flags);
	} else {
		rq->pgoff = rq->start >> m->page_shift;
	}
	rq->vm_flags |= tag_flags(m, rq->file);
	if (flags & MS_MAP_NORESERVE)
		rq->vm_flags |= MS_VM_NORESERVE;
	return 0;
}

static int refuse_going(struct ms_machine *m)
{
	ms_violation(m, "mmap of a file that is being released", 0);
	return ms_refuse(m, -EBADF, "the file is being released");
}

// mirrors ksys_mmap_pgoff() and do_mmap(), mm/mmap.c, 5.10+
static int64_t do_mmap(struct ms_mm *mm, ms_hva_t addr, uint64_t len, unsigned int prot,
		       unsigned int flags, struct ms_file *file, uint64_t off)
{
	struct ms_machine *m = mm->machine;
	struct request rq = { .mm = mm, .pgoff = off >> m->page_shift };
	int64_t start;
	int err;

	if (!ms_aligned(off, m->page_size))
		return ms_refuse(m, -EINVAL, "offset %x is not page aligned", off);
	if (flags & FLAGS_NOT_MODELLED)
		return ms_refuse(m, -EOPNOTSUPP, "flags %x are not modelled",
				 flags & FLAGS_NOT_MODELLED);
	if (flags & MS_MAP_ANONYMOUS)
		file = NULL;
	else if (file && ms_file_is_going(file))
		return refuse_going(m);
	else if (!file)
		return ms_refuse(m, -ENOMEM, "there is no file, and MAP_ANONYMOUS is not set");
	// ksys_mmap_pgoff() rounds up before anybody tests the length, which may wrap to 0
	if (file && file->kind == MS_FILE_HUGETLB)
		len = ms_align_up(len, m->page_size << file->mapping->order);
	if (!len)
		return ms_refuse(m, -EINVAL, "the length is 0");
	len = ms_align_up(len, m->page_size);
	if (!len)
		return ms_refuse(m, -ENOMEM, "the length, rounded up to pages, wraps to 0");
	if (rq.pgoff + (len >> m->page_shift) < rq.pgoff)
		return ms_refuse(m, -EOVERFLOW, "%x bytes at offset %x wrap", len, off);
	if (mm->map_count > m->config.max_map_count)
		return ms_refuse_map_count(mm);
	start = ms_place_mapping(mm, addr, len, flags, file);
	if (start < 0)
		return start;
	rq.file = file;
	rq.start = (ms_hva_t)start;
	rq.end = rq.start + len;
	err = set_vm_flags(&rq, prot, flags);
	if (err)
		return err;
	if (!ms_mmap_write_trylock(mm))
		return ms_mmap_waits(mm);
	// A hook may drop the caller's reference to the file.
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

int64_t ms_mmap(struct ms_mm *mm, ms_hva_t addr, uint64_t len, unsigned int prot,
		unsigned int flags, struct ms_file *file, uint64_t off)
{
	if (!mm)
		return -EINVAL;
	const uint64_t before = ms_refusals(mm->machine);

	return ms_answered(mm->machine, before, do_mmap(mm, addr, len, prot, flags, file, off),
			   NULL);
}
