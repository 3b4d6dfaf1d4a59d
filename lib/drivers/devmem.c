/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/mem: physical addresses as mmap offsets. Mirrors mmap_mem() of drivers/char/mem.c (7.2:
 * mmap_mem_prepare()) and the architectures' devmem_is_allowed() and phys_mem_access_prot(), with
 * CONFIG_STRICT_DEVMEM=y unless ms_iomem_set_strict() says otherwise.
 */
#include "drivers/internal.h"

#define LOW_MEGABYTE (1024u * 1024)

// devmem_is_allowed() of every page of the range. x86, arch/x86/mm/init.c: whatever lies below 1M
// may be mapped (2, zeroes instead of RAM, counts). The others, lib/devmem_is_allowed.c (5.10:
// arch/arm64/mm/mmap.c): neither what is claimed nor RAM, wherever it is.
static bool every_page_allowed(const struct ms_machine *m, ms_pfn_t pfn, uint64_t size)
{
	ms_pa_t start = pfn << m->page_shift;
	const ms_pa_t end = start + size;

	if (ms_is_x86(m))
		start = ms_max_u64(start, LOW_MEGABYTE);
	return start >= end || !ms_iomem_in_use(m, start, end);
}

// mirrors devmem_is_allowed(), arch/x86/mm/init.c, 5.10+; devmem_is_allowed(),
// arch/arm64/mm/mmap.c, 5.10 .. 5.10; devmem_is_allowed(), lib/devmem_is_allowed.c, 6.1+
bool ms_devmem_is_allowed(const struct ms_machine *m, ms_pfn_t pfn)
{
	return every_page_allowed(m, pfn, m->page_size);
}

// mirrors range_is_allowed(), drivers/char/mem.c, 5.10 .. 6.12; range_is_allowed(),
// include/linux/io.h, 7.2+
static bool range_is_allowed(const struct ms_machine *m, ms_pfn_t pfn, uint64_t size)
{
	return m->drivers->strict == MS_IOMEM_OPEN || every_page_allowed(m, pfn, size);
}

// x86 asks about the last byte, arm64 about the byte after it.
// mirrors valid_mmap_phys_addr_range(), arch/x86/mm/mmap.c, 5.10+; valid_mmap_phys_addr_range(),
// arch/arm64/mm/mmap.c, 5.10+
static bool valid_mmap_phys_addr_range(const struct ms_machine *m, ms_pa_t pa, uint64_t size)
{
	const ms_pa_t last = ms_is_x86(m) ? pa + size - 1 : pa + size;

	return !(last >> m->config.pa_bits);
}

// x86 without CONFIG_STRICT_DEVMEM avoids aliases of RAM.
// mirrors phys_mem_access_prot_allowed(), arch/x86/mm/pat/memtype.c, 5.10+
static bool phys_mem_access_prot_allowed(const struct ms_machine *m, ms_pfn_t pfn, uint64_t size)
{
	if (!ms_is_x86(m) || m->drivers->strict != MS_IOMEM_OPEN || !ms_has(m->config.pat))
		return true;
	return every_page_allowed(m, pfn, size);
}

// mirrors phys_mem_access_prot(), arch/x86/mm/pat/memtype.c, 5.10+; phys_mem_access_prot(),
// arch/arm64/mm/mmu.c, 5.10+
static ms_pgprot_t phys_mem_access_prot(const struct ms_machine *m, bool o_sync, ms_pfn_t pfn,
					ms_pgprot_t prot)
{
	if (ms_is_x86(m))
		return ms_pgprot_set_cache(prot, o_sync ? MS_CACHE_UC_MINUS : MS_CACHE_WB);
	if (!ms_pfn_is_ram(m, pfn))
		return ms_pgprot_noncached(prot);
	return o_sync ? ms_pgprot_writecombine(prot) : prot;
}

// Which claim or RAM every_page_allowed() has found.
static int refuse_pages(struct ms_machine *m, int err, ms_pa_t pa, uint64_t size)
{
	return ms_iomem_refuse(m, err, ms_is_x86(m) ? ms_max_u64(pa, LOW_MEGABYTE) : pa, pa + size);
}

// The checks of mmap_mem(), in its order; on success *prot is what the mapping gets.
static int mmap_mem_check(struct ms_file *file, uint64_t pgoff, uint64_t size, ms_pgprot_t *prot)
{
	const struct ms_iomem_file *f = ms_file_priv(file);
	struct ms_machine *m = ms_file_machine(file);
	const ms_pa_t pa = pgoff << m->page_shift;

	if (pa >> m->page_shift != pgoff || pa + size - 1 < pa)
		return ms_refuse(m, -EINVAL,
				 "page %x and %x bytes from there are no physical memory", pgoff,
				 size);
	if (!valid_mmap_phys_addr_range(m, pa, size))
		return ms_refuse(m, -EINVAL, "%x bytes at %x reach beyond %u physical address bits",
				 size, pa, m->config.pa_bits);
	if (!range_is_allowed(m, pgoff, size))
		return refuse_pages(m, -EPERM, pa, size);
	if (!phys_mem_access_prot_allowed(m, pgoff, size))
		return refuse_pages(m, -EINVAL, pa, size);
	*prot = phys_mem_access_prot(m, f->o_sync, pgoff, *prot);
	return 0;
}

// mmap_mem_ops has `access` alone: nothing comes back once it is zapped
static const struct ms_vm_ops mmap_mem_ops = { NULL };

// Any error of the remap, a refused memory type for one, reads EAGAIN.
static int mmap_mem_remap(struct ms_file *file, struct ms_vma *vma)
{
	struct ms_machine *m = ms_file_machine(file);
	const uint64_t before = ms_refusals(m);

	vma->vm_ops = &mmap_mem_ops;
	if (ms_remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, vma->vm_end - vma->vm_start,
			       vma->vm_page_prot))
		return ms_answered_as(m, before, -EAGAIN);
	return 0;
}

// mirrors mmap_mem(), drivers/char/mem.c, 5.10 .. 6.18
static int mmap_mem(struct ms_file *file, struct ms_vma *vma)
{
	int err = mmap_mem_check(file, vma->vm_pgoff, vma->vm_end - vma->vm_start,
				 &vma->vm_page_prot);

	return err ? err : mmap_mem_remap(file, vma);
}

// mirrors mmap_mem_prepare(), drivers/char/mem.c, 6.19+: the remap is the action that follows
static int mmap_mem_prepare(struct ms_file *file, struct ms_vma_desc *desc)
{
	int err = mmap_mem_check(file, desc->pgoff, desc->end - desc->start, &desc->page_prot);

	if (err)
		return err;
	desc->vm_ops = &mmap_mem_ops;
	return 0;
}

static const struct ms_file_ops mem_mmap_ops = {
	.name = "mem",
	.mmap = mmap_mem,
	.punch_hole = ms_no_regular_file,
	.release = ms_iomem_file_release,
};

static const struct ms_file_ops mem_mmap_prepare_ops = {
	.name = "mem",
	.mmap_prepare = mmap_mem_prepare,
	.mmap = mmap_mem_remap,
	.punch_hole = ms_no_regular_file,
	.release = ms_iomem_file_release,
};

struct ms_file *ms_devmem_open(struct ms_machine *m, bool o_sync)
{
	if (!m)
		return ms_refusal_null(-EINVAL);
	const struct ms_file_ops *ops = m->policy.devmem_refusal == MS_DEVMEM_REFUSAL_SILENT
						? &mem_mmap_prepare_ops
						: &mem_mmap_ops;
	struct ms_iomem_file *f =
		ms_iomem_file_open(m, ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL);

	if (!f)
		return NULL;
	f->o_sync = o_sync;
	return f->file;
}
