/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of mappings: <linux/mm_types.h>, the flags of <linux/mm.h>, <asm/pgtable.h>'s
 * protections.
 *
 * struct vm_area_struct, struct vm_operations_struct, struct vm_fault and struct mm_struct are
 * those of <mapsim/mm.h>, under the kernel's tags.
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_MM_TYPES_H)
#define MAPSIM_LINUX_MM_TYPES_H

typedef unsigned long vm_flags_t;
typedef ms_vm_fault_t vm_fault_t;
typedef ms_pgprot_t pgprot_t;
typedef ms_pgprot_t pgprotval_t;

#define VM_NONE 0UL
#define VM_READ MS_VM_READ
#define VM_WRITE MS_VM_WRITE
#define VM_EXEC MS_VM_EXEC
#define VM_SHARED MS_VM_SHARED
#define VM_MAYREAD MS_VM_MAYREAD
#define VM_MAYWRITE MS_VM_MAYWRITE
#define VM_MAYEXEC MS_VM_MAYEXEC
#define VM_MAYSHARE MS_VM_MAYSHARE
#define VM_PFNMAP MS_VM_PFNMAP
#define VM_LOCKED MS_VM_LOCKED
#define VM_IO MS_VM_IO
#define VM_DONTCOPY MS_VM_DONTCOPY
#define VM_DONTEXPAND MS_VM_DONTEXPAND
#define VM_ACCOUNT MS_VM_ACCOUNT
#define VM_NORESERVE MS_VM_NORESERVE
#define VM_HUGETLB MS_VM_HUGETLB
#define VM_WIPEONFORK MS_VM_WIPEONFORK
#define VM_DONTDUMP MS_VM_DONTDUMP
#define VM_MIXEDMAP MS_VM_MIXEDMAP
#define VM_HUGEPAGE MS_VM_HUGEPAGE
#define VM_NOHUGEPAGE MS_VM_NOHUGEPAGE
#define VM_ALLOW_ANY_UNCACHED MS_VM_ALLOW_ANY_UNCACHED
#define VM_ACCESS_FLAGS MS_VM_ACCESS
#define VM_SPECIAL MS_VM_SPECIAL

#define VM_FAULT_OOM MS_VM_FAULT_OOM
#define VM_FAULT_SIGBUS MS_VM_FAULT_SIGBUS
#define VM_FAULT_HWPOISON MS_VM_FAULT_HWPOISON
#define VM_FAULT_SIGSEGV MS_VM_FAULT_SIGSEGV
#define VM_FAULT_NOPAGE MS_VM_FAULT_NOPAGE
#define VM_FAULT_LOCKED MS_VM_FAULT_LOCKED
#define VM_FAULT_RETRY MS_VM_FAULT_RETRY
#define VM_FAULT_FALLBACK MS_VM_FAULT_FALLBACK
#define VM_FAULT_ERROR MS_VM_FAULT_ERROR

#define FAULT_FLAG_WRITE MS_FAULT_FLAG_WRITE
#define FAULT_FLAG_MKWRITE MS_FAULT_FLAG_MKWRITE
#define FAULT_FLAG_ALLOW_RETRY MS_FAULT_FLAG_ALLOW_RETRY
#define FAULT_FLAG_RETRY_NOWAIT MS_FAULT_FLAG_RETRY_NOWAIT
#define FAULT_FLAG_KILLABLE MS_FAULT_FLAG_KILLABLE
#define FAULT_FLAG_TRIED MS_FAULT_FLAG_TRIED
#define FAULT_FLAG_USER MS_FAULT_FLAG_USER
#define FAULT_FLAG_REMOTE MS_FAULT_FLAG_REMOTE
#define FAULT_FLAG_INSTRUCTION MS_FAULT_FLAG_INSTRUCTION
#define FAULT_FLAG_INTERRUPTIBLE MS_FAULT_FLAG_INTERRUPTIBLE
#if MS_LINUX_SINCE(5, 19)
#define FAULT_FLAG_UNSHARE MS_FAULT_FLAG_UNSHARE
#endif
#define FAULT_FLAG_DEFAULT (FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE | FAULT_FLAG_INTERRUPTIBLE)

/* Has nobody answered VM_FAULT_RETRY to this access yet? */
static inline bool fault_flag_allow_retry_first(unsigned int flags)
{
	return (flags & FAULT_FLAG_ALLOW_RETRY) && !(flags & FAULT_FLAG_TRIED);
}

static inline vm_fault_t vmf_error(int err)
{
	return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
}

static inline vm_fault_t vmf_fs_error(int err)
{
	if (!err)
		return VM_FAULT_LOCKED;
	return err == -EFAULT || err == -EAGAIN ? VM_FAULT_NOPAGE : vmf_error(err);
}

/* ---- protections ---- */

/* pgprot_t is the library's: no struct, but pgprot_val() and __pgprot() go both ways. */
#define pgprot_val(prot) (prot)
#define __pgprot(value) ((pgprot_t)(value))
#define pgprot_noncached(prot) ms_pgprot_noncached(prot)
#define pgprot_writecombine(prot) ms_pgprot_writecombine(prot)
#define pgprot_device(prot) ms_pgprot_device(prot)
#define pgprot_decrypted(prot) (prot)
#define pgprot_encrypted(prot) (prot)

/* ---- page-table sizes ---- */

#define PMD_SHIFT (PAGE_SHIFT + (PAGE_SHIFT - 3))
#define PMD_SIZE (1UL << PMD_SHIFT)
#define PMD_MASK (~(PMD_SIZE - 1))
#define PMD_ORDER (PMD_SHIFT - PAGE_SHIFT)
#define PUD_SHIFT (PMD_SHIFT + (PAGE_SHIFT - 3))
#define PUD_SIZE (1UL << PUD_SHIFT)
#define PUD_MASK (~(PUD_SIZE - 1))
#define PUD_ORDER (PUD_SHIFT - PAGE_SHIFT)
#define HPAGE_PMD_SHIFT PMD_SHIFT
#define HPAGE_PMD_SIZE PMD_SIZE
#define HPAGE_PMD_ORDER PMD_ORDER
#define PTRS_PER_PTE (1UL << (PAGE_SHIFT - 3))

/* What ->huge_fault is asked for, up to 6.5: here its values are the orders that came after it. */
#if MS_LINUX_BEFORE(6, 6)
enum page_entry_size { PE_SIZE_PTE = 0, PE_SIZE_PMD = PMD_ORDER, PE_SIZE_PUD = PUD_ORDER };
#endif

/* <linux/pfn_t.h>, up to 6.16. Its flags say what a pfn is; here the memory map does. */
#if MS_LINUX_BEFORE(6, 17)
typedef unsigned long pfn_t;
#define PFN_DEV 0ULL
#define PFN_MAP 0ULL
#define PFN_SPECIAL 0ULL

static inline pfn_t __pfn_to_pfn_t(unsigned long pfn, u64 flags)
{
	(void)flags;
	return pfn;
}

static inline pfn_t pfn_to_pfn_t(unsigned long pfn)
{
	return pfn;
}

static inline pfn_t phys_to_pfn_t(phys_addr_t pa, u64 flags)
{
	return __pfn_to_pfn_t(PHYS_PFN(pa), flags);
}

static inline unsigned long pfn_t_to_pfn(pfn_t pfn)
{
	return pfn;
}
#endif

/* ---- what mmap_prepare is given ---- */

#if MS_LINUX_SINCE(6, 16)
typedef struct ms_vma_flags vma_flags_t;

enum mmap_action_type {
	MMAP_NOTHING,
	MMAP_REMAP_PFN,
	MMAP_IO_REMAP_PFN,
	MMAP_SIMPLE_IO_REMAP,
	MMAP_MAP_KERNEL_PAGES,
};

struct page;

/* What is to be done once the VMA exists. Filled by mmap_action_remap() and its kin. */
struct mmap_action {
	union {
		struct {
			unsigned long start, start_pfn, size;
			pgprot_t pgprot;
		} remap;
		struct {
			phys_addr_t start_phys_addr;
			unsigned long size;
		} simple_ioremap;
		struct {
			unsigned long start;
			struct page **pages;
			unsigned long nr_pages;
			pgoff_t pgoff;
		} map_kernel;
	};
	enum mmap_action_type type;
	int error_override;
	/* Nobody else can come in between, so that it does nothing here. */
	bool hide_from_rmap_until_complete : 1;
};

struct vm_area_desc {
	struct mm_struct *mm;
	struct file *file;
	unsigned long start, end;

	pgoff_t pgoff;
	struct file *vm_file;
	union {
		vm_flags_t vm_flags;
		vma_flags_t vma_flags;
	};
	pgprot_t page_prot;
	const struct vm_operations_struct *vm_ops;
	void *private_data;
	struct mmap_action action;
};
#endif

#endif
