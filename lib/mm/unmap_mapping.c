/* SPDX-License-Identifier: GPL-2.0-only */
/* How drivers remove entries. */
#include "mm/memfile.h"

// mirrors zap_vma_ptes(), mm/memory.c, 5.10 .. 6.12; zap_special_vma_range(), mm/memory.c, 7.2+
void ms_zap_vma_ptes(struct ms_vma *vma, ms_hva_t addr, uint64_t size)
{
	ms_vma_door();
	const ms_hva_t end = addr + size;

	if (!vma || addr < vma->vm_start || end < addr || end > vma->vm_end ||
	    !(vma->vm_flags & MS_VM_PFNMAP))
		return;
	ms_zap_page_range_single(vma, addr, size);
}

/* Of file pages [first, last], inclusive as in the kernel, since last may be the largest there is.
 * mirrors unmap_mapping_range_tree() and unmap_mapping_pages(), mm/memory.c, 5.10+ */
static void unmap_mapping_pages(struct ms_mapping *mapping, uint64_t first, uint64_t last,
				bool even_cows)
{
	struct ms_vma *vma;

	for (vma = ms_i_mmap_first(mapping, first, last); vma;
	     vma = ms_i_mmap_next(vma, first, last)) {
		ms_hva_t start, end;

		ms_vma_shows(vma, first, last, &start, &end);
		ms_zap_range_details(vma, start, end - start, !even_cows);
	}
}

// mirrors unmap_mapping_range(), mm/memory.c, 5.10+
void ms_unmap_mapping_range(struct ms_file *file, uint64_t off, uint64_t len, bool even_cows)
{
	ms_vma_door();
	if (!file)
		return;
	unsigned int shift = file->machine->page_shift;
	uint64_t first = off >> shift;
	uint64_t npages = (len >> shift) + !ms_aligned(len, UINT64_C(1) << shift);
	uint64_t last = first + npages - 1;

	// a length of 0 means: to the end of the file
	if (last < first)
		last = UINT64_MAX;
	// A hook may drop the caller's reference, and unmap the file elsewhere.
	ms_file_get(file);
	unmap_mapping_pages(file->mapping, first, last, even_cows);
	ms_file_drop(file);
}
