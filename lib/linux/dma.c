/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Coherent DMA memory. What it is made of, where the driver sees it and how it is mapped follows
 * from the device:
 *
 *                        pages               the driver's address     what the device is told
 *   coherent             one run             in the linear map        the physical address
 *   not, arm64           one run             as vmalloc's, uncached   the physical address
 *   behind an IOMMU      one by one          as vmalloc's             an address of the IOMMU's
 */
#include "linux/state.h"

/* Addresses of the IOMMU are handed out upwards from here; nothing else lies there. */
#define FIRST_IOVA UINT64_C(0xff00000000000)

static unsigned int order_of(const struct ms_machine *m, uint64_t size)
{
	unsigned int order = 0;

	while (m->page_size << order < size && order <= MS_MAX_ORDER)
		order++;
	return order;
}

// mirrors dma_direct_alloc(), kernel/dma/direct.c, 5.10+
static struct ms_block *alloc_direct(struct ms_machine *m, uint64_t size, bool remapped)
{
	const unsigned int order = order_of(m, size);
	struct ms_block *block = ms_linux_pages_new(m, order, false);

	if (!block)
		return NULL;
	if (!ms_block_bytes(m, block, true)) {
		ms_linux_pages_free(m, block->pfn, order);
		return NULL;
	}
	block->bytes->whole = true;
	if (remapped)
		block->kind = MS_BLOCK_VMALLOC;
	return block;
}

// mirrors iommu_dma_alloc(), drivers/iommu/dma-iommu.c, 5.10+
static struct ms_block *alloc_behind_iommu(struct ms_machine *m, uint64_t size)
{
	char *at = ms_linux_vmalloc_pages(m, size, true);

	return at ? ms_block_at(m->kernel, (uintptr_t)at) : NULL;
}

void *ms_linux_dma_alloc(size_t size, unsigned int how, unsigned long long *handle,
			 unsigned int gfp)
{
	struct ms_machine *m = ms_linux_here("dma_alloc_coherent");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	const bool coherent = m && (ms_is_x86(m) || (how & MS_LINUX_DMA_COHERENT));
	struct ms_block *block;

	if (gfp & MS_LINUX_GFP_MAY_SLEEP)
		ms_linux_might_sleep("dma_alloc_coherent");
	if (!lx || !size || !handle)
		return NULL;
	size = ms_align_up(size, m->page_size);
	block = how & MS_LINUX_DMA_IOMMU ? alloc_behind_iommu(m, size)
					 : alloc_direct(m, size, !coherent);
	if (!block)
		return NULL;
	block->bytes->dma = true;
	block->bytes->size = size;
	*handle = block->pfn << m->page_shift;
	if (how & MS_LINUX_DMA_IOMMU) {
		*handle = FIRST_IOVA + lx->next_iova;
		lx->next_iova += size;
	}
	return block->start;
}

uint64_t ms_linux_dma_map(uint64_t pa, size_t size, unsigned int how)
{
	struct ms_machine *m = ms_linux_here("dma_map_page");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	uint64_t offset, at;

	if (!lx || !size)
		return UINT64_MAX; // DMA_MAPPING_ERROR
	if (!(how & MS_LINUX_DMA_IOMMU))
		return pa;
	offset = pa & (m->page_size - 1);
	at = FIRST_IOVA + lx->next_iova;
	lx->next_iova += ms_align_up(offset + size, m->page_size);
	return at + offset;
}

static struct ms_block *find(struct ms_machine *m, const void *addr)
{
	struct ms_block *block = m && m->kernel ? ms_block_at(m->kernel, (uintptr_t)addr) : NULL;

	return block && block->bytes->dma && block->bytes->at == addr ? block : NULL;
}

void ms_linux_dma_free(size_t size, void *addr, unsigned int how)
{
	struct ms_machine *m = ms_linux_here("dma_free_coherent");
	struct ms_block *block = find(m, addr);

	if (!m || !addr)
		return;
	if (!block) {
		ms_violation(m, "dma_free_coherent of what dma_alloc_coherent did not give", 0);
		return;
	}
	if (ms_align_up(size, m->page_size) != block->bytes->size)
		ms_violation(m, "dma_free_coherent of another size than was allocated", 0);
	if (how & MS_LINUX_DMA_IOMMU)
		ms_linux_vfree_pages(m, block);
	else
		ms_linux_pages_free(m, block->pfn, order_of(m, block->bytes->size));
}

/* mirrors dma_pgprot(), kernel/dma/mapping.c, 5.10+: x86 keeps the type of the VMA */
static ms_pgprot_t dma_pgprot(const struct ms_machine *m, ms_pgprot_t prot, unsigned int how)
{
	if (ms_is_x86(m) || (how & MS_LINUX_DMA_COHERENT))
		return prot;
	return ms_pgprot_writecombine(prot);
}

/* By vm_map_pages(). */
static int map_pages(struct ms_vma *vma, const char *at)
{
	struct ms_machine *m = ms_mm_machine(vma->vm_mm);

	at += vma->vm_pgoff << m->page_shift;
	for (ms_hva_t addr = vma->vm_start; addr < vma->vm_end; addr += m->page_size) {
		const struct ms_block *block = ms_block_at(m->kernel, (uintptr_t)at);
		int err = ms_vm_insert_page(vma, addr, block->pfn);

		if (err)
			return err;
		at += m->page_size;
	}
	return 0;
}

/* mirrors dma_mmap_attrs(), kernel/dma/mapping.c, 5.10+; dma_direct_mmap(), kernel/dma/direct.c,
 * 5.10+; iommu_dma_mmap(), drivers/iommu/dma-iommu.c, 5.10+ */
int ms_linux_dma_mmap(struct ms_vma *vma, void *addr, uint64_t handle, size_t size,
		      unsigned int how)
{
	if (!vma)
		return -EINVAL;
	struct ms_machine *m = ms_mm_machine(vma->vm_mm);
	const uint64_t count = ms_align_up(size, m->page_size) >> m->page_shift;
	const uint64_t pages = (vma->vm_end - vma->vm_start) >> m->page_shift;
	const struct ms_block *block = find(m, addr);

	vma->vm_page_prot = dma_pgprot(m, vma->vm_page_prot, how);
	if (vma->vm_pgoff >= count || pages > count - vma->vm_pgoff)
		return ms_refuse(m, -ENXIO,
				 "dma_mmap: %u pages from page %u on, of a buffer of %u pages",
				 pages, vma->vm_pgoff, count);
	if (!(how & MS_LINUX_DMA_IOMMU))
		return ms_linux_remap_pfn_range(vma, vma->vm_start,
						(handle >> m->page_shift) + vma->vm_pgoff,
						vma->vm_end - vma->vm_start, vma->vm_page_prot);
	if (!block) {
		ms_violation(m, "dma_mmap of what dma_alloc_coherent did not give", vma->vm_start);
		return ms_refuse(m, -ENXIO, "dma_mmap of what dma_alloc_coherent did not give");
	}
	return map_pages(vma, block->start);
}
