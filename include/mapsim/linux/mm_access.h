/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page-table entries, and memory that is looked at through them: <asm/pgtable.h>, the rest of
 * <linux/mm.h>, <linux/io-mapping.h>, <linux/set_memory.h>.
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_MM_ACCESS_H)
#define MAPSIM_LINUX_MM_ACCESS_H

/* ---- protections: those of the machine for which driver code runs ---- */

static inline pgprot_t vm_get_page_prot(vm_flags_t vm_flags)
{
	return ms_linux_page_prot(vm_flags);
}

#define PAGE_NONE vm_get_page_prot(0)
#define PAGE_READONLY vm_get_page_prot(VM_READ)
#define PAGE_COPY vm_get_page_prot(VM_READ | VM_WRITE)
#define PAGE_SHARED vm_get_page_prot(VM_READ | VM_WRITE | VM_SHARED)
#define PAGE_SHARED_EXEC vm_get_page_prot(VM_READ | VM_WRITE | VM_EXEC | VM_SHARED)
#define PAGE_READONLY_EXEC vm_get_page_prot(VM_READ | VM_EXEC)
/* Of the kernel's own mappings: cacheable, writable. */
#define PAGE_KERNEL PAGE_SHARED
#define PAGE_KERNEL_RO PAGE_READONLY

/* asm/fb.h: x86 maps framebuffers UC-, arm64 write-combining. */
static inline pgprot_t pgprot_framebuffer(pgprot_t prot, unsigned long vm_start,
					  unsigned long vm_end, unsigned long offset)
{
	(void)vm_start, (void)vm_end, (void)offset;
	return prot & MS_PTE_X86 ? pgprot_noncached(prot & ~MS_PTE_CACHE_MASK)
				 : pgprot_writecombine(prot);
}

/* ---- page-table entries ---- */

typedef u64 pteval_t;
typedef struct {
	pteval_t pte;
} pte_t;

#define pte_val(entry) ((entry).pte)
#define __pte(value) ((pte_t){ (value) })

static inline pte_t pfn_pte(unsigned long pfn, pgprot_t prot)
{
	return __pte(ms_linux_mk_pte(pfn, prot));
}

#define mk_pte(page, prot) pfn_pte(page_to_pfn(page), prot)

static inline unsigned long pte_pfn(pte_t pte)
{
	return (unsigned long)((pte.pte & MS_PTE_PA_MASK) >> PAGE_SHIFT);
}

static inline int pte_none(pte_t pte)
{
	return !pte.pte;
}

static inline int pte_present(pte_t pte)
{
	return (pte.pte & (MS_PTE_PRESENT | MS_PTE_PROTNONE)) != 0;
}

static inline int pte_write(pte_t pte)
{
	return (pte.pte & MS_PTE_WRITE) != 0;
}

static inline int pte_dirty(pte_t pte)
{
	return (pte.pte & MS_PTE_DIRTY) != 0;
}

static inline int pte_young(pte_t pte)
{
	return (pte.pte & MS_PTE_YOUNG) != 0;
}

static inline int pte_special(pte_t pte)
{
	return (pte.pte & MS_PTE_SPECIAL) != 0;
}

static inline pte_t pte_mkspecial(pte_t pte)
{
	return __pte(pte.pte | MS_PTE_SPECIAL);
}

static inline pte_t pte_mkdirty(pte_t pte)
{
	return __pte(pte.pte | MS_PTE_DIRTY | MS_PTE_SOFT_DIRTY);
}

static inline pte_t pte_mkyoung(pte_t pte)
{
	return __pte(pte.pte | MS_PTE_YOUNG);
}

static inline pte_t pte_wrprotect(pte_t pte)
{
	return __pte(pte.pte & ~MS_PTE_WRITE);
}

static inline pte_t pte_mkclean(pte_t pte)
{
	return __pte(pte.pte & ~(MS_PTE_DIRTY | MS_PTE_SOFT_DIRTY));
}

static inline pgprot_t pte_pgprot(pte_t pte)
{
	return pte.pte & ~(MS_PTE_PA_MASK | MS_PTE_SPECIAL);
}

#define pte_page(pte) pfn_to_page(pte_pfn(pte))
#define ptep_get(ptep) READ_ONCE(*(ptep))

/* The entry is the function's of apply_to_page_range(); when it returns, it counts. */
static inline void set_pte_at(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte)
{
	(void)mm, (void)addr;
	*ptep = pte;
}

#define set_pte(ptep, pte) (*(ptep) = (pte))
#define pte_clear(mm, addr, ptep) ((void)(mm), (void)(addr), *(ptep) = __pte(0))

typedef int (*pte_fn_t)(pte_t *pte, unsigned long addr, void *data);

struct ms_linux_pte_call {
	pte_fn_t fn;
	void *data;
};

static inline int ms_linux_call_pte(void *pte, unsigned long addr, void *arg)
{
	const struct ms_linux_pte_call *call = (const struct ms_linux_pte_call *)arg;

	return call->fn((pte_t *)pte, addr, call->data);
}

/* -EINVAL: also a huge entry in the range. */
static inline int apply_to_page_range(struct mm_struct *mm, unsigned long address,
				      unsigned long size, pte_fn_t fn, void *data)
{
	struct ms_linux_pte_call call = { .fn = fn, .data = data };

	ms_linux_might_sleep("apply_to_page_range");
	return fn ? ms_linux_apply_to_page_range(mm, address, size, true, ms_linux_call_pte, &call)
		  : -EINVAL;
}

static inline int apply_to_existing_page_range(struct mm_struct *mm, unsigned long address,
					       unsigned long size, pte_fn_t fn, void *data)
{
	struct ms_linux_pte_call call = { .fn = fn, .data = data };

	return fn ? ms_linux_apply_to_page_range(mm, address, size, false, ms_linux_call_pte, &call)
		  : -EINVAL;
}

#define ZERO_PAGE(address) ((void)(address), pfn_to_page(ms_linux_zero_pfn()))
#define is_zero_pfn(pfn) ((pfn) == ms_linux_zero_pfn())
#define my_zero_pfn(address) ((void)(address), (unsigned long)ms_linux_zero_pfn())

#if MS_LINUX_BEFORE(6, 17)
static inline pfn_t page_to_pfn_t(struct page *page)
{
	return pfn_to_pfn_t(page_to_pfn(page));
}
#endif

/* ---- taking entries out ---- */

static inline void zap_page_range_single(struct vm_area_struct *vma, unsigned long address,
					 unsigned long size, void *details)
{
	(void)details;
	ms_linux_zap_range(vma, address, size);
}

static inline void zap_vma_pages(struct vm_area_struct *vma)
{
	if (vma)
		ms_linux_zap_range(vma, vma->vm_start, vma->vm_end - vma->vm_start);
}

/* ---- who looks at raw pfns ---- */

#if MS_LINUX_SINCE(6, 12)
struct follow_pfnmap_args {
	struct vm_area_struct *vma;
	unsigned long address;
	/* answers */
	unsigned long pfn;
	unsigned long addr_mask; ///< of the leaf
	pgprot_t pgprot;
	bool writable, special;
};

/* -EINVAL: nothing is mapped there, or not by raw pfns. Between the two the entry does not change. */
static inline int follow_pfnmap_start(struct follow_pfnmap_args *args)
{
	struct ms_pfnmap_leaf leaf;
	int err;

	if (!args || !args->vma)
		return -EINVAL;
	mmap_assert_locked(args->vma->vm_mm);
	err = ms_follow_pfnmap(args->vma, args->address, &leaf);
	if (err)
		return err;
	args->pfn = leaf.pfn;
	args->addr_mask = ~(leaf.size - 1);
	args->pgprot = leaf.prot;
	args->writable = leaf.writable;
	args->special = leaf.special;
	return 0;
}

static inline void follow_pfnmap_end(struct follow_pfnmap_args *args)
{
	(void)args;
}
#endif

#if MS_LINUX_BEFORE(6, 12)
/* Of pages only: a huge leaf is -EINVAL. */
static inline int follow_pfn(struct vm_area_struct *vma, unsigned long address, unsigned long *pfn)
{
	struct ms_pfnmap_leaf leaf;
	int err;

	if (!vma || !pfn)
		return -EINVAL;
	err = ms_follow_pfnmap(vma, address, &leaf);
	if (!err)
		*pfn = leaf.pfn;
	return err;
}
#endif

/*
 * The entry at an address of the VMA (6.10 and 6.11) or of the process (earlier), with the lock of
 * its page table held until pte_unmap_unlock(). -EINVAL: nothing is mapped there, or by a huge
 * leaf, or (6.10 on) the VMA is neither VM_IO nor VM_PFNMAP.
 */
static inline void pte_unmap_unlock(pte_t *ptep, spinlock_t *ptl)
{
	(void)ptep;
	spin_unlock(ptl);
}

#if MS_LINUX_BEFORE(6, 12)
static inline int ms_linux_follow_pte_of_mm(struct mm_struct *mm, unsigned long address,
					    pte_t **ptepp, spinlock_t **ptlp)
{
	*ptepp = (pte_t *)ms_linux_pte_at(mm, address, (struct ms_linux_lock **)ptlp);
	if (!*ptepp)
		return -EINVAL;
	spin_lock(*ptlp);
	return 0;
}

static inline int ms_linux_follow_pte_of_vma(struct vm_area_struct *vma, unsigned long address,
					     pte_t **ptepp, spinlock_t **ptlp)
{
	if (!vma || address < vma->vm_start || address >= vma->vm_end ||
	    !(vma->vm_flags & (VM_IO | VM_PFNMAP)))
		return -EINVAL;
	mmap_assert_locked(vma->vm_mm);
	return ms_linux_follow_pte_of_mm(vma->vm_mm, address, ptepp, ptlp);
}
#endif
#if MS_LINUX_BEFORE(6, 10)
#ifdef MS_LINUX_VERSION_CODE
#define follow_pte(mm, address, ptepp, ptlp) ms_linux_follow_pte_of_mm(mm, address, ptepp, ptlp)
#else
#define follow_pte(where, address, ptepp, ptlp) \
	_Generic((where), struct mm_struct * : ms_linux_follow_pte_of_mm, \
		 struct vm_area_struct * : ms_linux_follow_pte_of_vma)(where, address, ptepp, ptlp)
#endif
#elif MS_LINUX_BEFORE(6, 12)
#define follow_pte(vma, address, ptepp, ptlp) ms_linux_follow_pte_of_vma(vma, address, ptepp, ptlp)
#endif

/* ---- as a debugger looks ---- */

#ifdef CONFIG_HAVE_IOREMAP_PROT
/* For vm_ops->access of mappings of raw pfns. Registers do not exist: reading finds all ones. */
static inline int generic_access_phys(struct vm_area_struct *vma, unsigned long addr, void *buf,
				      int len, int write)
{
	return ms_generic_access_phys(vma, addr, buf, len, write);
}
#endif

/* Answers how many bytes were reached. */
static inline int access_process_vm(struct task_struct *task, unsigned long addr, void *buf, int len,
				    unsigned int gup_flags)
{
	return task ? ms_linux_access_vm(task->mm, addr, buf, len, gup_flags & FOLL_WRITE,
					 gup_flags & FOLL_FORCE)
		    : 0;
}

static inline int access_remote_vm(struct mm_struct *mm, unsigned long addr, void *buf, int len,
				   unsigned int gup_flags)
{
	return ms_linux_access_vm(mm, addr, buf, len, gup_flags & FOLL_WRITE,
				  gup_flags & FOLL_FORCE);
}

/* ---- a process's mm ---- */

static inline void mmput_async(struct mm_struct *mm)
{
	mmput(mm);
}

static inline void mmgrab(struct mm_struct *mm)
{
	(void)mm;
}

static inline void mmdrop(struct mm_struct *mm)
{
	(void)mm;
}

static inline struct mm_struct *get_task_mm(struct task_struct *task)
{
	return task ? task->mm : NULL;
}

/* No limit holds. */
static inline int account_locked_vm(struct mm_struct *mm, unsigned long pages, bool inc)
{
	(void)pages, (void)inc;
	return mm ? 0 : -EINVAL;
}

/* ---- memory types of pages and ranges ---- */

#define arch_io_reserve_memtype_wc(start, size) ms_linux_io_memtype_wc(start, size)
#define arch_io_free_memtype_wc(start, size) ms_linux_io_memtype_free(start, size)

/* <asm/set_memory.h>: pages of RAM that a driver has; on arm64 machines nothing is done. */
static inline int ms_linux_set_pages(struct page **pages, unsigned long addr, int n,
				     enum ms_cache type)
{
	for (int i = 0; i < n; i++) {
		struct page *page = pages ? pages[i]
					  : virt_to_page((void *)(addr + (unsigned long)i * PAGE_SIZE));
		int err = page ? ms_linux_set_page_type(page_to_pfn(page), type) : -EINVAL;

		if (!err)
			continue;
		if (type != MS_CACHE_WB)
			ms_linux_set_pages(pages, addr, i, MS_CACHE_WB);
		return err;
	}
	return 0;
}

#define set_memory_wc(addr, n) ms_linux_set_pages(NULL, addr, n, MS_CACHE_WC)
#define set_memory_uc(addr, n) ms_linux_set_pages(NULL, addr, n, MS_CACHE_UC_MINUS)
#define set_memory_wb(addr, n) ms_linux_set_pages(NULL, addr, n, MS_CACHE_WB)
#define set_pages_array_wc(pages, n) ms_linux_set_pages(pages, 0, n, MS_CACHE_WC)
#define set_pages_array_uc(pages, n) ms_linux_set_pages(pages, 0, n, MS_CACHE_UC_MINUS)
#define set_pages_array_wb(pages, n) ms_linux_set_pages(pages, 0, n, MS_CACHE_WB)

/* ---- <linux/io-mapping.h> ---- */

struct io_mapping {
	resource_size_t base;
	unsigned long size;
	pgprot_t prot;
	void __iomem *iomem;
};

static inline struct io_mapping *io_mapping_init_wc(struct io_mapping *iomap, resource_size_t base,
						    unsigned long size)
{
	iomap->iomem = ioremap_wc(base, size);
	if (!iomap->iomem)
		return NULL;
	iomap->base = base;
	iomap->size = size;
	iomap->prot = pgprot_writecombine(PAGE_KERNEL);
	return iomap;
}

static inline void io_mapping_fini(struct io_mapping *iomap)
{
	iounmap(iomap->iomem);
}

static inline struct io_mapping *io_mapping_create_wc(resource_size_t base, unsigned long size)
{
	struct io_mapping *iomap = (struct io_mapping *)kmalloc(sizeof(*iomap), GFP_KERNEL);

	if (iomap && !io_mapping_init_wc(iomap, base, size)) {
		kfree(iomap);
		iomap = NULL;
	}
	return iomap;
}

static inline void io_mapping_free(struct io_mapping *iomap)
{
	io_mapping_fini(iomap);
	kfree(iomap);
}

/* As apply_to_page_range() writes entries: present ones are overwritten, no type is asked for. */
struct ms_linux_io_map {
	pgprot_t prot;
	unsigned long pfn;
};

static inline int ms_linux_io_map_pte(pte_t *pte, unsigned long addr, void *data)
{
	struct ms_linux_io_map *map = (struct ms_linux_io_map *)data;

	(void)addr;
	*pte = pte_mkspecial(pfn_pte(map->pfn++, map->prot));
	return 0;
}

/* The VMA is VM_IO, VM_PFNMAP, VM_DONTEXPAND and VM_DONTDUMP already. */
static inline int io_mapping_map_user(struct io_mapping *iomap, struct vm_area_struct *vma,
				      unsigned long addr, unsigned long pfn, unsigned long size)
{
	const vm_flags_t expected = VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;
	struct ms_linux_io_map map;

	if (!vma || WARN_ON_ONCE((vma->vm_flags & expected) != expected))
		return -EINVAL;
	map.prot = (iomap->prot & MS_PTE_CACHE_MASK) | (vma->vm_page_prot & ~MS_PTE_CACHE_MASK);
	map.pfn = pfn;
	return apply_to_page_range(vma->vm_mm, addr, size, ms_linux_io_map_pte, &map);
}

/* ---- the rest ---- */

#define VM_FAULT_MAJOR 0x4u
#define VM_FAULT_DONE_COW 0x1000u

static inline bool vma_is_shared_maywrite(const struct vm_area_struct *vma)
{
	return vma && (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == (VM_SHARED | VM_MAYWRITE);
}

/* What no mapping of the model has. */
#define VM_MAYOVERLAY 0UL
#define VM_RAND_READ 0x10000UL
#define VM_SEQ_READ 0x8000UL
#define VM_GROWSDOWN 0x100UL
#define VM_DENYWRITE 0x800UL

#define __phys_to_pfn(pa) PHYS_PFN(pa)
#define __pfn_to_phys(pfn) PFN_PHYS(pfn)
#define MAX_PAGE_ORDER 10
#define MAX_ORDER_NR_PAGES (1UL << MAX_PAGE_ORDER)
#define NUMA_NO_NODE (-1)
#define numa_node_id() 0
#define pgprot_cached(prot) ((prot) & ~MS_PTE_CACHE_MASK)
#define smp_mb__after_spinlock() barrier()
#define cpu_to_node(cpu) ((void)(cpu), 0)
#define dev_to_node(dev) ((void)(dev), NUMA_NO_NODE)
#ifndef SHMLBA
#define SHMLBA PAGE_SIZE
#endif

#endif
