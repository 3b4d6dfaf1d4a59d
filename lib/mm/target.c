/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What drivers map by pfn is taken by the kernel as it comes. A check of the bounds that a handler
 * lacks shows here: the mapping runs beyond the device in which it begins, or shows RAM that nobody
 * has allocated, or what is neither.
 *
 *   VMA      |....|....|....|      addr
 *   device   [...............)     begins where the VMA's first page would lie
 */
#include "core/text.h"
#include "mm/pgtable.h"

/* Of pages that lie in RAM; answers how many did. */
static uint64_t check_ram(const struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn, uint64_t npages)
{
	struct ms_machine *m = ms_vma_machine(vma);
	bool told = false;
	uint64_t i;

	for (i = 0; i < npages && ms_pfn_is_ram(m, pfn + i); i++) {
		if (told || !ms_page_is_free(m, pfn + i))
			continue;
		told = true;
		ms_vma_violation(vma, MS_VIOLATION_DRIVER,
				 "a mapping shows RAM that nobody has allocated",
				 addr + (i << m->page_shift), (pfn + i) << m->page_shift);
	}
	return i;
}

static void check_device(const struct ms_vma *vma, ms_hva_t addr, ms_pa_t pa, uint64_t size)
{
	struct ms_machine *m = ms_vma_machine(vma);
	const bool inside = addr >= vma->vm_start && addr < vma->vm_end;
	const uint64_t in_vma = inside ? addr - vma->vm_start : 0;
	struct ms_device *dev = pa >= in_vma ? ms_device_at(m, pa - in_vma) : NULL;
	ms_pa_t end;

	if (!dev)
		dev = ms_device_at(m, pa);
	if (!dev) {
		if (!ms_device_next(m, NULL)) // nobody has said what lies where
			return;
		ms_vma_violation(vma, MS_VIOLATION_DRIVER,
				 "a mapping shows what is no device and no RAM", addr, pa);
		return;
	}
	end = ms_align_up(ms_device_pa(dev) + ms_device_size(dev), m->page_size);
	if (pa + size <= end)
		return;
	addr += pa < end ? end - pa : 0;
	ms_vma_violation(
		vma, MS_VIOLATION_DRIVER,
		ms_text(m, "a mapping reaches beyond the end of device %s", ms_device_name(dev)),
		addr, ms_max_u64(pa, end));
}

void ms_check_target(const struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn, uint64_t npages)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	uint64_t in_ram;

	if (!vma->vm_file || !vma->vm_file->ops || !vma->vm_file->ops->looked_at)
		return;
	in_ram = check_ram(vma, addr, pfn, npages);
	if (in_ram < npages)
		check_device(vma, addr + (in_ram << m->page_shift), (pfn + in_ram) << m->page_shift,
			     (npages - in_ram) << m->page_shift);
}
