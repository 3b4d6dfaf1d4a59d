/* SPDX-License-Identifier: GPL-2.0-only */
/* What is done with mappings: <linux/mm.h>, <linux/huge_mm.h>, <linux/mm_inline.h>. */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_MM_H)
#define MAPSIM_LINUX_MM_H

/* ---- VMAs ---- */

static inline unsigned long vma_pages(const struct vm_area_struct *vma)
{
	return vma ? (vma->vm_end - vma->vm_start) >> PAGE_SHIFT : 0;
}

static inline bool vma_is_anonymous(const struct vm_area_struct *vma)
{
	return vma && !vma->vm_ops;
}

/* In ->mmap: a private mapping is anonymous memory, a shared one answers SIGBUS to each access. */
static inline void vma_set_anonymous(struct vm_area_struct *vma)
{
	if (vma)
		vma->vm_ops = NULL;
}

static inline bool is_cow_mapping(vm_flags_t flags)
{
	return (flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
}

static inline bool range_in_vma(const struct vm_area_struct *vma, unsigned long start,
				unsigned long end)
{
	return vma && vma->vm_start <= start && end <= vma->vm_end;
}

static inline pgoff_t linear_page_index(const struct vm_area_struct *vma, unsigned long address)
{
	return vma ? ((address - vma->vm_start) >> PAGE_SHIFT) + vma->vm_pgoff : 0;
}

static inline struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr)
{
	return ms_find_vma(mm, addr);
}

static inline struct vm_area_struct *vma_lookup(struct mm_struct *mm, unsigned long addr)
{
	return ms_vma_lookup(mm, addr);
}

/*
 * vm_flags: assigned by drivers up to 6.2, read-only from 6.3 on. vm_flags_init() is for VMAs that
 * nobody else knows yet; the others ask for the mmap lock held for writing (policy vma_flags_lock).
 */
#if MS_LINUX_SINCE(6, 3)
static inline void vm_flags_init(struct vm_area_struct *vma, vm_flags_t flags)
{
	if (vma)
		vma->vm_flags_word = flags;
}

/* Production kernels do not check the lock here. */
static inline void vm_flags_reset(struct vm_area_struct *vma, vm_flags_t flags)
{
	vm_flags_init(vma, flags);
}

static inline void vm_flags_set(struct vm_area_struct *vma, vm_flags_t flags)
{
	ms_linux_vma_start_write(vma);
	if (vma)
		vma->vm_flags_word |= flags;
}

static inline void vm_flags_clear(struct vm_area_struct *vma, vm_flags_t flags)
{
	ms_linux_vma_start_write(vma);
	if (vma)
		vma->vm_flags_word &= ~flags;
}

static inline void vm_flags_mod(struct vm_area_struct *vma, vm_flags_t set, vm_flags_t clear)
{
	ms_linux_vma_start_write(vma);
	if (vma)
		vm_flags_init(vma, (vma->vm_flags | set) & ~clear);
}

static inline void vma_start_write(struct vm_area_struct *vma)
{
	ms_linux_vma_start_write(vma);
}
#endif

/* ---- a process's mm: it lives as long as its user keeps it ---- */

static inline bool mmget_not_zero(struct mm_struct *mm)
{
	return mm;
}

static inline void mmget(struct mm_struct *mm)
{
	(void)mm;
}

static inline void mmput(struct mm_struct *mm)
{
	(void)mm;
}

/* ---- putting pfns in ---- */

static inline int remap_pfn_range(struct vm_area_struct *vma, unsigned long addr, unsigned long pfn,
				  unsigned long size, pgprot_t prot)
{
	return ms_linux_remap_pfn_range(vma, addr, pfn, size, prot);
}

static inline int io_remap_pfn_range(struct vm_area_struct *vma, unsigned long addr,
				     unsigned long pfn, unsigned long size, pgprot_t prot)
{
	return remap_pfn_range(vma, addr, pfn, size, pgprot_decrypted(prot));
}

static inline int vm_iomap_memory(struct vm_area_struct *vma, phys_addr_t start, unsigned long len)
{
	return ms_linux_vm_iomap_memory(vma, start, len);
}

static inline vm_fault_t vmf_insert_pfn(struct vm_area_struct *vma, unsigned long addr,
					unsigned long pfn)
{
	return ms_vmf_insert_pfn(vma, addr, pfn);
}

static inline vm_fault_t vmf_insert_pfn_prot(struct vm_area_struct *vma, unsigned long addr,
					     unsigned long pfn, pgprot_t prot)
{
	return ms_vmf_insert_pfn_prot(vma, addr, pfn, prot);
}

#if MS_LINUX_BEFORE(6, 17)
#define MS_LINUX_PFN_T pfn_t
#else
#define MS_LINUX_PFN_T unsigned long
#endif

static inline vm_fault_t vmf_insert_mixed(struct vm_area_struct *vma, unsigned long addr,
					  MS_LINUX_PFN_T pfn)
{
	return ms_vmf_insert_mixed(vma, addr, pfn);
}

static inline vm_fault_t vmf_insert_pfn_pmd(struct vm_fault *vmf, MS_LINUX_PFN_T pfn, bool write)
{
	return ms_vmf_insert_pfn_pmd(vmf, pfn, write);
}

static inline vm_fault_t vmf_insert_pfn_pud(struct vm_fault *vmf, MS_LINUX_PFN_T pfn, bool write)
{
	return ms_vmf_insert_pfn_pud(vmf, pfn, write);
}

static inline int vm_insert_page(struct vm_area_struct *vma, unsigned long addr, struct page *page)
{
	return ms_linux_vm_insert_page(vma, addr, page);
}

#if MS_LINUX_SINCE(6, 14)
static inline vm_fault_t vmf_insert_page_mkwrite(struct vm_fault *vmf, struct page *page,
						 bool write)
{
	return ms_vmf_insert_page_mkwrite(vmf, page_to_pfn(page), write);
}
#endif

#if MS_LINUX_SINCE(6, 15)
/* One leaf of a folio that is as large, with a reference to it. SIGBUS: it is not. */
static inline vm_fault_t vmf_insert_folio_pmd(struct vm_fault *vmf, struct folio *folio, bool write)
{
	return ms_linux_insert_folio(vmf, folio ? &folio->page : NULL, PMD_ORDER, write);
}

static inline vm_fault_t vmf_insert_folio_pud(struct vm_fault *vmf, struct folio *folio, bool write)
{
	return ms_linux_insert_folio(vmf, folio ? &folio->page : NULL, PUD_ORDER, write);
}
#endif

static inline vm_fault_t vmf_insert_mixed_mkwrite(struct vm_area_struct *vma, unsigned long addr,
						  MS_LINUX_PFN_T pfn)
{
	return ms_vmf_insert_mixed_mkwrite(vma, addr, pfn);
}

/* *num: how many are left when an error ends it */
static inline int vm_insert_pages(struct vm_area_struct *vma, unsigned long addr,
				  struct page **pages, unsigned long *num)
{
	unsigned long n;

	if (!vma || !pages || !num)
		return -EINVAL;
	n = *num;
	if (addr < vma->vm_start || addr + n * PAGE_SIZE > vma->vm_end)
		return -EFAULT;
	for (unsigned long i = 0; i < n; i++) {
		int err = vm_insert_page(vma, addr + i * PAGE_SIZE, pages[i]);

		if (err)
			return err;
		(*num)--;
	}
	return 0;
}

static inline int ms_linux_map_pages(struct vm_area_struct *vma, struct page **pages,
				     unsigned long num, unsigned long offset)
{
	const unsigned long count = vma_pages(vma);

	if (!vma || !pages)
		return -EINVAL;
	if (offset >= num || count > num - offset)
		return -ENXIO;
	for (unsigned long i = 0; i < count; i++) {
		int err = vm_insert_page(vma, vma->vm_start + i * PAGE_SIZE, pages[offset + i]);

		if (err)
			return err;
	}
	return 0;
}

static inline int vm_map_pages(struct vm_area_struct *vma, struct page **pages, unsigned long num)
{
	return ms_linux_map_pages(vma, pages, num, vma ? vma->vm_pgoff : 0);
}

static inline int vm_map_pages_zero(struct vm_area_struct *vma, struct page **pages,
				    unsigned long num)
{
	return ms_linux_map_pages(vma, pages, num, 0);
}

/*
 * remap_vmalloc_range_partial(), mm/vmalloc.c: size bytes of an area of vmalloc_user() from its
 * page pgoff on. -EINVAL: another kind of memory, or more than there is.
 */
static inline int remap_vmalloc_range_partial(struct vm_area_struct *vma, unsigned long uaddr,
					      void *kaddr, unsigned long pgoff, unsigned long size)
{
	const unsigned long area = ms_linux_vmalloc_area(kaddr), off = pgoff << PAGE_SHIFT;

	size = PAGE_ALIGN(size);
	if (!vma || !area || off >> PAGE_SHIFT != pgoff || !PAGE_ALIGNED(uaddr))
		return -EINVAL;
	if (off > area || size > area - off)
		return ms_linux_refuse(-EINVAL, "remap_vmalloc_range of more than was allocated");
	for (unsigned long at = 0; at < size; at += PAGE_SIZE) {
		int err = ms_linux_vm_insert_page(vma, uaddr + at,
						  vmalloc_to_page((char *)kaddr + off + at));

		if (err)
			return err;
	}
	ms_linux_vma_start_write(vma);
	vma->vm_flags_word |= VM_DONTEXPAND | VM_DONTDUMP;
	return 0;
}

static inline int remap_vmalloc_range(struct vm_area_struct *vma, void *addr, unsigned long pgoff)
{
	return vma ? remap_vmalloc_range_partial(vma, vma->vm_start, addr, pgoff,
						 vma->vm_end - vma->vm_start)
		   : -EINVAL;
}

/* ---- taking them out ---- */

static inline void zap_vma_ptes(struct vm_area_struct *vma, unsigned long address,
				unsigned long size)
{
	ms_linux_might_sleep("zap_vma_ptes");
	ms_zap_vma_ptes(vma, address, size);
}

/* ---- vmap: <linux/vmalloc.h> ---- */

#define VM_IOREMAP 0x1u
#define VM_ALLOC 0x2u
#define VM_MAP 0x4u
#define VM_USERMAP 0x8u

/*
 * One range of addresses for pages of the driver's. A page has its bytes in one place: those whose
 * address (page_address()) was asked for before can only be mapped in their order, and no page
 * twice; the rest is NULL, with the reason in ms_last_refusal(). After vunmap() the pages keep the
 * addresses. prot is not modelled.
 */
static inline void *vmap(struct page **pages, unsigned int count, unsigned long flags,
			 pgprot_t prot)
{
	(void)prot;
	return ms_linux_vmap(pages, count, flags & VM_USERMAP);
}

static inline void vunmap(const void *addr)
{
	ms_linux_vunmap(addr);
}

static inline void *vm_map_ram(struct page **pages, unsigned int count, int node)
{
	(void)node;
	return ms_linux_vmap(pages, count, false);
}

static inline void vm_unmap_ram(const void *mem, unsigned int count)
{
	(void)count;
	ms_linux_vunmap(mem);
}

/* ---- system calls, as the kernel makes them for the process that runs ---- */

/* The caller holds the mmap lock for writing, as in ->mmap. */
static inline int do_munmap(struct mm_struct *mm, unsigned long start, size_t len, void *uf)
{
	(void)uf;
	return ms_linux_do_munmap(mm, start, len);
}

/* These take the mmap lock. */
static inline int vm_munmap(unsigned long start, size_t len)
{
	ms_linux_might_sleep("vm_munmap");
	return ms_munmap(ms_linux_current_mm(), start, len);
}

static inline unsigned long vm_mmap(struct file *file, unsigned long addr, unsigned long len,
				    unsigned long prot, unsigned long flag, unsigned long offset)
{
	ms_linux_might_sleep("vm_mmap");
	return (unsigned long)ms_mmap(ms_linux_current_mm(), addr, len, (unsigned int)prot,
				      (unsigned int)flag, file, offset);
}

/* its name since 7.2 or a little earlier */
static inline void zap_special_vma_range(struct vm_area_struct *vma, unsigned long address,
					 unsigned long size)
{
	zap_vma_ptes(vma, address, size);
}

#endif
