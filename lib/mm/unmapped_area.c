/* SPDX-License-Identifier: GPL-2.0-only */
/* Where mmap(2) puts a mapping. */
#include "mm/internal.h"

/*
 * On arm64 nobody gets an address above DEFAULT_MAP_WINDOW without a hint that is beyond it.
 *
 *   0            window        task_size        (both 2^48, but for 52-bit addresses)
 *   |--------------|---------------|
 *     hint, or none  hint beyond it
 *
 * mirrors arch_get_mmap_end(), arch/arm64/include/asm/processor.h, 5.10+
 */
static ms_hva_t mmap_end(const struct ms_mm *mm, ms_hva_t hint)
{
	const ms_hva_t window = ms_min_u64(mm->task_size, UINT64_C(1) << 48);

	return hint > window ? mm->task_size : window;
}

/* The test for lengths that no address space could hold; arm64 leaves out what lies below
 * mmap_min_addr. */
static int fits_address_space(const struct ms_mm *mm, ms_hva_t hint, uint64_t len)
{
	struct ms_machine *m = mm->machine;
	const uint64_t room = mmap_end(mm, hint) - (ms_is_x86(m) ? 0 : m->config.mmap_min_addr);

	if (len <= room)
		return 0;
	return ms_refuse(m, -ENOMEM, "%x bytes: the address space has %x", len, room);
}

/*
 * The end of the highest gap of that size below limit; 0: there is none.
 * mirrors unmapped_area_topdown(), mm/mmap.c, 5.10 .. 6.12; unmapped_area_topdown(), mm/vma.c, 7.2+
 */
static ms_hva_t highest_gap(struct ms_mm *mm, ms_hva_t limit, uint64_t len)
{
	struct ms_vma *vma = ms_find_vma(mm, limit);

	if (!vma)
		return ms_vma_tree_highest_gap(&mm->vmas, limit, len);
	// the tree's own search would also find gaps above limit
	for (; vma; vma = ms_vma_prev(vma)) {
		if (vma->vm_end < limit && limit - vma->vm_end >= len)
			return limit;
		limit = ms_min_u64(limit, vma->vm_start);
	}
	return limit >= len ? limit : 0;
}

/*
 * An area at a multiple of `align`. A gap is large enough only if it is so for the start that is
 * worst aligned.
 * mirrors arch_get_unmapped_area_topdown(), mm/mmap.c, 5.10+; hugetlb_get_unmapped_area(),
 * fs/hugetlbfs/inode.c, 5.10+
 */
static int64_t aligned_area(struct ms_mm *mm, ms_hva_t hint, uint64_t len, uint64_t align)
{
	const struct ms_machine *m = mm->machine;
	const uint64_t min = m->config.mmap_min_addr, needed = len + align - m->page_size;
	ms_hva_t end = mmap_end(mm, hint);
	int err = fits_address_space(mm, hint, len);

	if (err)
		return err;
	hint = ms_align_up(hint, align);
	if (hint && hint <= end - len && (ms_is_x86(m) || hint >= min) &&
	    !ms_find_vma_intersection(mm, hint, hint + len))
		return (int64_t)hint;
	end = highest_gap(mm, end, needed);
	if (end < needed + ms_max_u64(min, m->page_size))
		return ms_refuse(mm->machine, -ENOMEM, "no gap of %x bytes is left", needed);
	return (int64_t)ms_align_down(end - len, align);
}

// mirrors round_hint_to_min(), mm/mmap.c, 5.10+
static ms_hva_t round_hint(const struct ms_machine *m, ms_hva_t hint)
{
	hint = ms_align_down(hint, m->page_size);
	return hint && hint < m->config.mmap_min_addr
		       ? ms_align_up(m->config.mmap_min_addr, m->page_size)
		       : hint;
}

int64_t ms_get_unmapped_area(struct ms_mm *mm, ms_hva_t hint, uint64_t len)
{
	return aligned_area(mm, hint, len, mm->machine->page_size);
}

// mirrors get_unmapped_area(), mm/mmap.c, 5.10 .. 6.1; __get_unmapped_area(), mm/mmap.c, 6.12+
static int64_t choose_address(struct ms_mm *mm, ms_hva_t hint, uint64_t len,
			      const struct ms_file *file)
{
	if (!file || file->kind != MS_FILE_HUGETLB)
		return ms_get_unmapped_area(mm, hint, len);
	return aligned_area(mm, hint, len, mm->machine->page_size << file->mapping->order);
}

/* The last 4095 addresses are taken for an error of an earlier step.
 * mirrors IS_ERR_VALUE(), include/linux/err.h, 5.10+ */
static bool is_error_value(ms_hva_t addr)
{
	return addr >= UINT64_MAX - 4094;
}

/* Where the mapping is to be, or an error.
 * mirrors get_unmapped_area(), mm/mmap.c, 5.10 .. 6.1; __get_unmapped_area(), mm/mmap.c, 6.12+ */
int64_t ms_place_mapping(struct ms_mm *mm, ms_hva_t addr, uint64_t len, unsigned int flags,
			 const struct ms_file *file)
{
	struct ms_machine *m = mm->machine;
	const struct ms_vma *vma = NULL;
	int err;

	if (!(flags & (MS_MAP_FIXED | MS_MAP_FIXED_NOREPLACE)))
		return choose_address(mm, round_hint(m, addr), len, file);
	if (len > mm->task_size)
		return ms_refuse_end(mm, -ENOMEM, addr, len);
	err = fits_address_space(mm, addr, len);
	if (err)
		return err;
	if (file && file->kind == MS_FILE_HUGETLB &&
	    !ms_aligned(addr, m->page_size << file->mapping->order))
		return ms_refuse(m, -EINVAL, "%x is not aligned to the file's huge pages, %x bytes",
				 addr, m->page_size << file->mapping->order);
	if (is_error_value(addr))
		return ms_refuse(m, (int)(int64_t)addr, "address %x is taken for an error", addr);
	if (addr > mm->task_size - len)
		return ms_refuse_end(mm, -ENOMEM, addr, len);
	if (!ms_aligned(addr, m->page_size))
		return ms_refuse_alignment(m, addr);
	if (flags & MS_MAP_FIXED_NOREPLACE)
		vma = ms_find_vma_intersection(mm, addr, addr + len);
	if (vma)
		return ms_refuse(m, -EEXIST, MS_VMA_WORDS " is in the way", MS_VMA_NUMBERS(vma));
	return (int64_t)addr;
}
