/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * mm.h - a host process: its VMAs, its page table, the faults it takes, and who is notified.
 *
 * Mirrors mm/mmap.c, mm/vma.c, mm/mprotect.c, mm/mremap.c, mm/madvise.c, mm/memory.c, kernel/fork.c
 * as the machine's policy says. It knows no KVM: a VM is one of the notifiers of an mm.
 *
 * Unless a function says otherwise it answers 0 or the negative errno of the system call that it
 * mirrors, and a refused call leaves what the kernel would leave. A `ms_vma` pointer is valid until
 * the next call that may change the mm. A machine, process, VMA, file or notifier that is NULL is
 * refused: the answer is NULL, -EINVAL, 0 or false, or nothing is done.
 */
#ifndef MAPSIM_MM_H
#define MAPSIM_MM_H

#include <mapsim/trace.h>
#include <mapsim/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- VMA flags: the kernel's bits and the letters of smaps ---- */
#define MS_VM_READ UINT64_C(0x1)              ///< rd
#define MS_VM_WRITE UINT64_C(0x2)             ///< wr
#define MS_VM_EXEC UINT64_C(0x4)              ///< ex
#define MS_VM_SHARED UINT64_C(0x8)            ///< sh
#define MS_VM_MAYREAD UINT64_C(0x10)          ///< mr
#define MS_VM_MAYWRITE UINT64_C(0x20)         ///< mw
#define MS_VM_MAYEXEC UINT64_C(0x40)          ///< me
#define MS_VM_MAYSHARE UINT64_C(0x80)         ///< ms
#define MS_VM_PFNMAP UINT64_C(0x400)          ///< pf
#define MS_VM_LOCKED UINT64_C(0x2000)         ///< lo
#define MS_VM_IO UINT64_C(0x4000)             ///< io
#define MS_VM_DONTCOPY UINT64_C(0x20000)      ///< dc
#define MS_VM_DONTEXPAND UINT64_C(0x40000)    ///< de
#define MS_VM_ACCOUNT UINT64_C(0x100000)      ///< ac
#define MS_VM_NORESERVE UINT64_C(0x200000)    ///< nr
#define MS_VM_HUGETLB UINT64_C(0x400000)      ///< ht
#define MS_VM_PAT UINT64_C(0x1000000)         ///< ar, x86 up to 6.15
#define MS_VM_WIPEONFORK UINT64_C(0x2000000)  ///< wf
#define MS_VM_DONTDUMP UINT64_C(0x4000000)    ///< dd
#define MS_VM_SOFTDIRTY UINT64_C(0x8000000)   ///< sd, x86
#define MS_VM_MIXEDMAP UINT64_C(0x10000000)   ///< mm
#define MS_VM_HUGEPAGE UINT64_C(0x20000000)   ///< hg
#define MS_VM_NOHUGEPAGE UINT64_C(0x40000000) ///< nh
#define MS_VM_PKEY UINT64_C(0x100000000) ///< x86: the protection key that forbids data accesses
#define MS_VM_MTE_ALLOWED UINT64_C(0x200000000)
#define MS_VM_ALLOW_ANY_UNCACHED UINT64_C(0x8000000000) ///< ??, vfio-pci from 6.9

#define MS_VM_ACCESS (MS_VM_READ | MS_VM_WRITE | MS_VM_EXEC)
#define MS_VM_SPECIAL (MS_VM_IO | MS_VM_DONTEXPAND | MS_VM_PFNMAP | MS_VM_MIXEDMAP)

/* ---- a host page-table entry, and pgprot_t: the same bits without an address ---- */
typedef uint64_t ms_pgprot_t;

#define MS_PTE_PRESENT UINT64_C(0x1) ///< the hardware can use it
#define MS_PTE_TABLE UINT64_C(0x2)   ///< not a leaf (never seen outside of lib/mm)
#define MS_PTE_WRITE UINT64_C(0x4)   ///< writable in the kernel's sense
#define MS_PTE_DIRTY UINT64_C(0x8)
#define MS_PTE_YOUNG UINT64_C(0x10)
#define MS_PTE_SPECIAL UINT64_C(0x20)  ///< no struct page behind it (vm_normal_page says no)
#define MS_PTE_PROTNONE UINT64_C(0x40) ///< present for the kernel, not for the hardware
#define MS_PTE_X86 UINT64_C(0x80)      ///< cache bits combine as x86's do
#define MS_PTE_CACHE_SHIFT 8
#define MS_PTE_CACHE_MASK UINT64_C(0xf00)        ///< enum ms_cache << MS_PTE_CACHE_SHIFT
#define MS_PTE_EXECUTE_ONLY (UINT64_C(1) << 52)  ///< x86 with protection keys: fetched, not read
#define MS_PTE_EXEC (UINT64_C(1) << 53)          ///< arm64: user mode may execute it
#define MS_PTE_SOFT_DIRTY (UINT64_C(1) << 54)    ///< x86: the kernel, not the CPU, made it dirty
#define MS_PTE_PA_MASK UINT64_C(0xffffffffff000) ///< physical address, bits 12..51

static inline enum ms_cache ms_pgprot_cache(ms_pgprot_t prot)
{
	return (enum ms_cache)((prot & MS_PTE_CACHE_MASK) >> MS_PTE_CACHE_SHIFT);
}

/** arm64 executes nothing but cacheable memory. */
static inline ms_pgprot_t ms_pgprot_set_cache(ms_pgprot_t prot, enum ms_cache cache)
{
	if (cache != MS_CACHE_WB)
		prot &= ~MS_PTE_EXEC;
	return (prot & ~MS_PTE_CACHE_MASK) | (uint64_t)cache << MS_PTE_CACHE_SHIFT;
}

/** pgprot_noncached: x86 UC- (or'ed in: WC becomes UC), arm64 Device-nGnRnE. */
ms_pgprot_t ms_pgprot_noncached(ms_pgprot_t prot);
/** pgprot_writecombine: x86 WC (or'ed in: UC- becomes UC), arm64 Normal-NC. */
ms_pgprot_t ms_pgprot_writecombine(ms_pgprot_t prot);
/** pgprot_device: x86 as noncached, arm64 Device-nGnRE. */
ms_pgprot_t ms_pgprot_device(ms_pgprot_t prot);

/* ---- what a driver provides ---- */

typedef unsigned int ms_vm_fault_t;
#define MS_VM_FAULT_OOM 0x1u
#define MS_VM_FAULT_SIGBUS 0x2u
#define MS_VM_FAULT_HWPOISON 0x10u
#define MS_VM_FAULT_SIGSEGV 0x40u
#define MS_VM_FAULT_NOPAGE 0x100u
#define MS_VM_FAULT_LOCKED 0x200u
#define MS_VM_FAULT_RETRY 0x400u
#define MS_VM_FAULT_FALLBACK 0x800u
#define MS_VM_FAULT_ERROR \
	(MS_VM_FAULT_OOM | MS_VM_FAULT_SIGBUS | MS_VM_FAULT_HWPOISON | MS_VM_FAULT_SIGSEGV)

/*
 * What a handler finds in vmf->flags. The access of a process: USER, ALLOW_RETRY, KILLABLE,
 * INTERRUPTIBLE, and WRITE or INSTRUCTION; get_user_pages, fixup_user_fault and what populates:
 * ALLOW_RETRY and KILLABLE, and neither where the caller holds the mmap lock for writing; an x86
 * guest's get_user_pages: first ALLOW_RETRY and RETRY_NOWAIT; access_process_vm, and who takes another
 * process's pages: REMOTE; a page that is pinned for reading and shared (5.19+): UNSHARE. After
 * VM_FAULT_RETRY the fault is tried again with TRIED. In page_mkwrite: WRITE and MKWRITE alone.
 */
#define MS_FAULT_FLAG_WRITE 0x1u
#define MS_FAULT_FLAG_MKWRITE 0x2u
#define MS_FAULT_FLAG_ALLOW_RETRY 0x4u  ///< VM_FAULT_RETRY may be answered
#define MS_FAULT_FLAG_RETRY_NOWAIT 0x8u ///< by VM_FAULT_RETRY the mmap lock stays held
#define MS_FAULT_FLAG_KILLABLE 0x10u
#define MS_FAULT_FLAG_TRIED 0x20u ///< VM_FAULT_RETRY was answered before
#define MS_FAULT_FLAG_USER 0x40u
#define MS_FAULT_FLAG_REMOTE 0x80u
#define MS_FAULT_FLAG_INSTRUCTION 0x100u
#define MS_FAULT_FLAG_INTERRUPTIBLE 0x200u
#define MS_FAULT_FLAG_UNSHARE 0x400u ///< the page becomes this process's alone, read-only as it is

struct ms_struct_page; // phys.h

struct ms_vm_fault {
	struct ms_vma *vma;
	ms_hva_t address; ///< page aligned
	uint64_t pgoff;   ///< page offset in the file: vm_pgoff + (address - vm_start) / page size
	unsigned int flags; ///< MS_FAULT_FLAG_*
	ms_pfn_t pfn; ///< set by a handler that returns LOCKED: a page of System RAM to be mapped
	struct ms_struct_page *page; ///< the same as linux.h's struct page, with a reference that
				     ///< is the mapping's from then on. In page_mkwrite: the page
				     ///< that is to be written
	unsigned int gfp_mask; ///< with which a handler may allocate, as linux.h's GFP_ flags
};

/** struct vm_operations_struct. Any member may be NULL. */
struct ms_vm_ops {
	void (*open)(struct ms_vma *vma);
	void (*close)(struct ms_vma *vma);
	int (*may_split)(struct ms_vma *vma, ms_hva_t addr);
	int (*mremap)(struct ms_vma *vma);
	int (*mprotect)(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, uint64_t newflags);
	ms_vm_fault_t (*fault)(struct ms_vm_fault *vmf);
	/** order: log2 of the leaf's size in pages (9: 2M and 18: 1G with 4K pages) */
	ms_vm_fault_t (*huge_fault)(struct ms_vm_fault *vmf, unsigned int order);
	ms_vm_fault_t (*page_mkwrite)(struct ms_vm_fault *vmf);
	ms_vm_fault_t (*pfn_mkwrite)(struct ms_vm_fault *vmf);
	/**
	 * Reads or writes (write != 0) len bytes at addr for ms_access_remote_vm(), where no pages
	 * can be taken. Answers how many, 0 or a negative errno.
	 */
	int (*access)(struct ms_vma *vma, ms_hva_t addr, void *buf, int len, int write);
	/** bytes of a page of this VMA, for ms_vma_kernel_pagesize() */
	uint64_t (*pagesize)(struct ms_vma *vma);
	/**
	 * The struct page behind a special entry, NULL: none. Asked by vm_normal_page() where the
	 * policy's kernel has it (up to 6.17).
	 */
	struct ms_struct_page *(*find_special_page)(struct ms_vma *vma, ms_hva_t addr);
	/**
	 * Fault-around: before ->fault of a read where nothing is mapped, the handler may map what
	 * it has of the file's pages [start_pgoff, end_pgoff] (both inclusive): 64K at most, around
	 * the one that is read, inside of the VMA and of one page table. NOPAGE: that one is among
	 * them; 0: it is not, and ->fault is asked. Up to 5.11 it has no answer, and ->fault is
	 * asked; from 6.4 on it must not sleep. Not called where a page has 64K.
	 */
	ms_vm_fault_t (*map_pages)(struct ms_vm_fault *vmf, uint64_t start_pgoff,
				   uint64_t end_pgoff);
	/** the VMA's name in /proc/PID/maps, which mapsim does not have: never called */
	const char *(*name)(struct ms_vma *vma);
	/**
	 * 7.2+: a VMA that mmap_prepare made exists now, and was not merged. *vm_private_data may
	 * be changed. An error unmaps it, and is mmap's answer.
	 */
	int (*mapped)(ms_hva_t start, ms_hva_t end, uint64_t pgoff, const struct ms_file *file,
		      void **vm_private_data);
};

/** struct vm_area_desc: the VMA to be, for mmap_prepare. */
struct ms_vma_desc {
	struct ms_mm *mm;
	ms_hva_t start, end;
	uint64_t pgoff;
	uint64_t vm_flags;
	ms_pgprot_t page_prot;
	const struct ms_vm_ops *vm_ops; ///< a table without functions; NULL: as in ->mmap
	void *private_data;
};

struct ms_file_ops {
	const char *name;
	/**
	 * Called with the new VMA; an error is mmap's answer. vm_ops is a table without functions
	 * by then (vma_dummy_vm_ops). A driver that sets NULL (vma_set_anonymous) gets anonymous
	 * memory in a private mapping; in a shared one each access is SIGBUS.
	 */
	int (*mmap)(struct ms_file *file, struct ms_vma *vma);
	/**
	 * ->mmap_prepare: called before a VMA exists, may change the description; a refusal leaves
	 * no trace. When both are given, mmap is called afterwards and stands for the action that
	 * the kernel runs on the VMA.
	 */
	int (*mmap_prepare)(struct ms_file *file, struct ms_vma_desc *desc);
	/** fallocate(PUNCH_HOLE) for MADV_REMOVE of [off, off+len); NULL: EOPNOTSUPP after the size
	 * checks. */
	int (*punch_hole)(struct ms_file *file, uint64_t off, uint64_t len);
	/** The last reference went. */
	void (*release)(struct ms_file *file);
	/** Its callbacks take and drop the mmap lock themselves, as the kernel's do: a handler that
	 * answers RETRY has dropped it. */
	bool locks;
	/** What it maps by pfn is looked at: a run beyond the end of the device in which it begins,
	 * RAM that nobody has allocated, and, on a machine with devices, what is neither, are
	 * violations. Drivers of linux.h are looked at. */
	bool looked_at;
};

#define MS_FMODE_READ 0x1u
#define MS_FMODE_WRITE 0x2u
#define MS_FMODE_NOEXEC 0x4u ///< on a noexec mount: PROT_EXEC is EPERM, MAYEXEC is not given

/**
 * A file of the user's own driver: `priv` is for the driver. Files made with the same `key` (NULL:
 * the file itself) share one address_space, which is what ms_unmap_mapping_range() and the revoking
 * of mappings go by. max_bytes: s_maxbytes, the end of the largest mapping (0: no limit). NULL, and
 * errno says why: ENOMEM. Freed by ms_file_put(), at the latest with the machine; each VMA holds a
 * reference.
 */
struct ms_file *ms_file_new(struct ms_machine *m, const struct ms_file_ops *ops, unsigned int fmode,
			    uint64_t max_bytes, const void *key, void *priv);
/** close(2): gives back the reference of whoever opened the file, once. NULL is allowed. */
void ms_file_put(struct ms_file *file);
/** `priv` of ms_file_new(). */
void *ms_file_priv(const struct ms_file *file);
struct ms_machine *ms_file_machine(const struct ms_file *file);
/** Every file that is open or mapped, the youngest first: the first (file NULL), the next one;
 * NULL: no more. O(1). */
struct ms_file *ms_file_next(const struct ms_machine *m, const struct ms_file *file);
/** What its struct ms_file_ops is called, which its driver says ("resource", "vfio"); NULL: there
 * is no name. */
const char *ms_file_name(const struct ms_file *file);
/** The first bytes of a file are nobody's but linux.h's, which keeps its struct file there. */
#define MS_FILE_HEAD_BYTES 64

/** memfd_create: size bytes of shared memory (shmem). NULL, and errno says why: ENOMEM. */
struct ms_file *ms_memfd_new(struct ms_machine *m, uint64_t size);
/** memfd_create(MFD_HUGETLB) with that huge page size (a size of the machine's page table or a
 * contiguous one). NULL, and errno says why. EINVAL: the machine has no such size; ENOMEM. */
struct ms_file *ms_memfd_hugetlb_new(struct ms_machine *m, uint64_t size, uint64_t huge_page_size);

/* ---- VMAs ---- */

#ifndef MS_VM_FLAGS_CONST
#define MS_VM_FLAGS_CONST
#endif
#ifndef MS_VMA_FLAGS_NAME
#define MS_VMA_FLAGS_NAME flags
#endif

/** vma_flags_t: the bits of vm_flags */
struct ms_vma_flags {
	uint64_t ms_word;
};

/**
 * struct vm_area_struct. Drivers write the fields up to vm_private_data, by the kernel's rules: what
 * a driver's function changes and may not, or to what nobody can use, is put back when it returns,
 * and is a violation.
 */
struct ms_vma {
	ms_hva_t vm_start, vm_end; ///< [start, end)
	// A union without a name is of C11; __extension__ makes it one of C99, too.
	__extension__ union {
		MS_VM_FLAGS_CONST uint64_t vm_flags; ///< MS_VM_*
		uint64_t vm_flags_word; ///< the same, where linux.h makes vm_flags read-only
		struct ms_vma_flags MS_VMA_FLAGS_NAME; ///< the same, as drivers have it from 6.19 on
	};
	uint64_t vm_pgoff; ///< in pages
	ms_pgprot_t vm_page_prot;
	const struct ms_vm_ops *vm_ops;
	struct ms_file *vm_file;
	void *vm_private_data;
	struct ms_mm *vm_mm;

	/* The library's own. */
	struct ms_anon_vma *anon_vma;
	struct ms_pfnmap_ctx *pfnmap_ctx; ///< 6.16+: shared tracking context (lib/pat)
	unsigned int anon_chain;          ///< length of the kernel's anon_vma_chain
	uint64_t anon_pgoff;              ///< in pages: where its anonymous memory is said to begin
};

/*
 * ---- a process ----
 *
 * What its system calls cost, of n VMAs: O(log n) for each VMA that a call finds, makes, splits,
 * merges or removes, and O(1) where that is beside the one before; the search for a free address is
 * O(log n) too. Page-table entries come on top: each that is written or removed, once.
 */

/** An empty address space. NULL, and errno says why: ENOMEM. Lives until ms_mm_exit() or the
 * machine's end. */
struct ms_mm *ms_mm_new(struct ms_machine *m);
/** exit_mmap: notifiers are released, everything is unmapped and closed, the mm is freed. */
void ms_mm_exit(struct ms_mm *mm);
/** 1, 2, 3 … in order of creation; unique in the machine. */
uint32_t ms_mm_id(const struct ms_mm *mm);
struct ms_machine *ms_mm_machine(const struct ms_mm *mm);
/** Every process, in order of creation: the first (mm NULL), the next one; NULL: no more. */
struct ms_mm *ms_mm_next(const struct ms_machine *m, const struct ms_mm *mm);

/*
 * arm64: the addresses of what is mapped already may have a tag in their top byte, also those of
 * accesses; the address at which mmap or mremap is to map may not.
 */
/* The numbers of these flags, of MS_MREMAP_* and of MS_MADV_* are Linux's own, of arm64 and x86. */
#define MS_MAP_SHARED 0x1u
#define MS_MAP_PRIVATE 0x2u
#define MS_MAP_FIXED 0x10u
#define MS_MAP_ANONYMOUS 0x20u
#define MS_MAP_NORESERVE 0x4000u
#define MS_MAP_POPULATE 0x8000u
#define MS_MAP_FIXED_NOREPLACE 0x100000u

/**
 * mmap(2) of [addr, addr + len), len in bytes, rounded up to pages. prot: MS_PROT_R/W/X bits; off:
 * bytes, whole pages. Prot bits that are not known count for nothing. SHARED with PRIVATE is the
 * kernel's MAP_SHARED_VALIDATE. Answers the address or a negative errno; a MAP_FIXED address among
 * the last 4095 is answered as it is, which nobody can tell from an errno. Without a FIXED flag a
 * free, aligned addr is taken as it is, else the highest gap that fits. With MS_MAP_ANONYMOUS file
 * and off do not count; without it file NULL is -ENOMEM, so that what an open has refused never
 * becomes anonymous memory. MAP_DENYWRITE, MAP_EXECUTABLE, MAP_NONBLOCK, MAP_STACK and flags that
 * nobody knows count for nothing, as in the kernel; -EOPNOTSUPP: MAP_GROWSDOWN, MAP_LOCKED,
 * MAP_HUGETLB, MAP_32BIT, MAP_ABOVE4G and MAP_SYNC, which mapsim does not have.
 */
int64_t ms_mmap(struct ms_mm *mm, ms_hva_t addr, uint64_t len, unsigned int prot,
		unsigned int flags, struct ms_file *file, uint64_t off);
/**
 * munmap(2) of [addr, addr + len), len in bytes, rounded up to pages; holes are no error. -EINVAL:
 * addr misaligned, nothing, beyond user space, or a driver's may_split; -ENOMEM.
 */
int ms_munmap(struct ms_mm *mm, ms_hva_t addr, uint64_t len);
/**
 * mprotect(2), range as above; prot: MS_PROT_R/W/X bits. -EACCES: more than the file's mode allows;
 * -ENOMEM: also a hole, and what lies before it is changed; len 0 is no error.
 */
int ms_mprotect(struct ms_mm *mm, ms_hva_t addr, uint64_t len, unsigned int prot);

#define MS_MREMAP_MAYMOVE 0x1u
#define MS_MREMAP_FIXED 0x2u
#define MS_MREMAP_DONTUNMAP 0x4u
/**
 * mremap(2), lengths in bytes, rounded up to pages; new_addr counts with MS_MREMAP_FIXED. Answers
 * the address or a negative errno; what is done before a check refuses is policy
 * mremap_fixed_order.
 */
int64_t ms_mremap(struct ms_mm *mm, ms_hva_t addr, uint64_t old_len, uint64_t new_len,
		  unsigned int flags, ms_hva_t new_addr);

enum ms_advice {
	MS_MADV_DONTNEED = 4,
	MS_MADV_FREE = 8,
	MS_MADV_REMOVE = 9,
	MS_MADV_DONTFORK = 10,
	MS_MADV_DOFORK = 11,
	MS_MADV_HUGEPAGE = 14,
	MS_MADV_NOHUGEPAGE = 15,
	MS_MADV_DONTDUMP = 16,
	MS_MADV_DODUMP = 17,
	MS_MADV_WIPEONFORK = 18,
	MS_MADV_KEEPONFORK = 19,
	MS_MADV_COLD = 20,
	MS_MADV_PAGEOUT = 21,
	MS_MADV_POPULATE_READ = 22,
	MS_MADV_POPULATE_WRITE = 23,
	MS_MADV_COLLAPSE = 25,
};
/**
 * madvise(2) of [addr, addr + len), len in bytes, rounded up to pages. -EINVAL: addr misaligned, or
 * advice that is not known to this kernel, is none of these (mapsim has no others), or is not meant
 * for a VMA of the range; -ENOMEM: a hole, the rest is done (but for POPULATE: policy
 * madv_populate_hole). Else as the advice has it.
 */
int ms_madvise(struct ms_mm *mm, ms_hva_t addr, uint64_t len, enum ms_advice advice);
/** mlock(2), munlock(2): the range grows outward to whole pages. -ENOMEM: a hole, or a page cannot
 * be had; -EAGAIN: no memory for one. No limit applies. */
int ms_mlock(struct ms_mm *mm, ms_hva_t addr, uint64_t len);
int ms_munlock(struct ms_mm *mm, ms_hva_t addr, uint64_t len);

/** fork(2): the child's mm. NULL, and errno says why. ENOMEM; EBUSY: a hook asks (machine.h). */
struct ms_mm *ms_fork(struct ms_mm *mm);

/** How a memory access ended. */
enum ms_access {
	MS_ACCESS_OK,
	MS_ACCESS_SIGSEGV,
	MS_ACCESS_SIGBUS,
	MS_ACCESS_OOM,
	MS_ACCESS_ENDLESS,
	MS_ACCESS_WAITS ///< in a hook: for a lock that the interrupted call holds
};
/**
 * One access of the CPU in user mode at any address; prot: MS_PROT_R, W or X. MS_ACCESS_ENDLESS:
 * the handler claims success and installs nothing, a real CPU would fault for ever (a violation is
 * reported). A process that is NULL has no VMA anywhere: MS_ACCESS_SIGSEGV. So is a prot that is
 * none of these answered, with -EINVAL as the error of ms_last_refusal(); nothing was done. Else
 * that error is -EBUSY where the access waits, -ENOMEM of OOM, and -EFAULT, or -EHWPOISON where the
 * handler said so.
 */
enum ms_access ms_touch(struct ms_mm *mm, ms_hva_t addr, unsigned int prot);

/* ---- looking ---- */

/** find_vma: the first VMA with vm_end > addr, NULL if there is none. O(log n) of n VMAs. */
struct ms_vma *ms_find_vma(struct ms_mm *mm, ms_hva_t addr);
/** vma_lookup: the VMA that contains addr, or NULL. O(log n). */
struct ms_vma *ms_vma_lookup(struct ms_mm *mm, ms_hva_t addr);
/** The VMA after this one by address, or NULL. O(1) when called from one VMA to the next. */
struct ms_vma *ms_vma_next(const struct ms_vma *vma);
/** vma_kernel_pagesize: bytes of a page, of a huge page where the VMA is hugetlb's. */
uint64_t ms_vma_kernel_pagesize(const struct ms_vma *vma);
/** Number of VMAs (map_count). */
unsigned int ms_mm_map_count(const struct ms_mm *mm);
/** VmFlags of smaps, comma-separated ("rd,wr,mr,mw,me,ac"), into buf (MS_VMFLAGS_MAX bytes
 * suffice). Answers buf; "" of a VMA that is NULL. */
#define MS_VMFLAGS_MAX 128
const char *ms_vma_flags_str(const struct ms_vma *vma, char *buf, size_t size);

struct ms_host_leaf {
	ms_hva_t start;     ///< of the leaf
	uint64_t size;      ///< bytes: page, PMD or PUD size
	uint64_t entry;     ///< MS_PTE_ bits and physical address of `start`
	unsigned int level; ///< 3: page
};
/** The first leaf that is present (PROT_NONE counts) and overlaps [addr, end). false: none. */
bool ms_host_next_leaf(const struct ms_mm *mm, ms_hva_t addr, ms_hva_t end,
		       struct ms_host_leaf *leaf);
/** The leaf that covers addr; false: nothing is present there. */
bool ms_host_leaf(const struct ms_mm *mm, ms_hva_t addr, struct ms_host_leaf *leaf);
/** Has the leaf of mm the hardware's valid bit? PROT_NONE takes it away, but for hugetlb of
 * contiguous pages on some kernels (policy hugetlb_contiguous). */
bool ms_host_leaf_is_valid(struct ms_mm *mm, const struct ms_host_leaf *leaf);
/**
 * A range that leaves of any sizes map without a gap, to pages that follow each other, all with the
 * same rights, memory type and flags. Whether they are accessed or dirty does not count.
 */
struct ms_host_run {
	ms_hva_t start;
	uint64_t size;  ///< bytes
	ms_pa_t pa;     ///< of `start`
	uint64_t flags; ///< MS_PTE_ bits but for YOUNG, DIRTY and SOFT_DIRTY
};
/**
 * The first run of present leaves (PROT_NONE counts) that overlaps [addr, end): it begins where the
 * leaf does that has addr, if there is one, and goes on over leaves that begin below end. false:
 * none. One look at each entry, and at each table that is empty.
 *
 *     for (ms_hva_t at = 0; ms_host_next_run(mm, at, UINT64_MAX, &run); at = run.start + run.size)
 */
bool ms_host_next_run(const struct ms_mm *mm, ms_hva_t addr, ms_hva_t end, struct ms_host_run *run);
/**
 * The level at which a walk of the user table ends at addr, and the raw entry there (0: absent). A
 * user-table walk as KVM's get_user_mapping_size does it. Of a process that is NULL both are 0.
 */
unsigned int ms_host_walk(const struct ms_mm *mm, ms_hva_t addr, uint64_t *entry);

/* ---- as KVM looks ---- */

/**
 * get_user_pages of one page, with FOLL_WRITE if write. Faults the page in where the kernel does.
 * -EFAULT: refused (VM_IO, VM_PFNMAP, no access, SIGBUS); -EHWPOISON: the handler said so; -ENOMEM;
 * else 0, *pfn is the page (of System RAM; no reference is kept), and *writable (may be NULL)
 * whether the entry allows writing.
 */
int ms_get_user_page(struct ms_mm *mm, ms_hva_t addr, bool write, ms_pfn_t *pfn, bool *writable);
/** get_user_pages_fast_only: no fault is taken. */
int ms_get_user_page_fast(struct ms_mm *mm, ms_hva_t addr, bool write, ms_pfn_t *pfn);
/** fixup_user_fault: 0, -EFAULT, -ENOMEM. */
int ms_fixup_user_fault(struct ms_mm *mm, ms_hva_t addr, bool write);

/* ---- MMU notifiers ---- */

struct ms_mmu_notifier;
struct ms_mmu_notifier_ops {
	/** [start, end) is about to change in mm. */
	void (*invalidate_range_start)(struct ms_mmu_notifier *mn, struct ms_mm *mm, ms_hva_t start,
				       ms_hva_t end, enum ms_notifier_event event);
	void (*invalidate_range_end)(struct ms_mmu_notifier *mn, struct ms_mm *mm, ms_hva_t start,
				     ms_hva_t end, enum ms_notifier_event event);
	/** up to 6.9: the entry at addr becomes `entry` (MS_PTE_ bits) */
	void (*change_pte)(struct ms_mmu_notifier *mn, struct ms_mm *mm, ms_hva_t addr,
			   uint64_t entry);
	/** test_young: true if the page at addr was accessed */
	bool (*test_young)(struct ms_mmu_notifier *mn, struct ms_mm *mm, ms_hva_t addr);
	/** clear_flush_young / clear_young: true if [start, end) was accessed */
	bool (*clear_young)(struct ms_mmu_notifier *mn, struct ms_mm *mm, ms_hva_t start,
			    ms_hva_t end);
	/** the mm goes away */
	void (*release)(struct ms_mmu_notifier *mn, struct ms_mm *mm);
};
/** Embedded in its owner. Called in order of registration. Any member of ops may be NULL. */
struct ms_mmu_notifier {
	const struct ms_mmu_notifier_ops *ops;
	struct ms_mmu_notifier *next;
};
/** The notifier is its owner's, and stays registered until it is told `release`, or is taken off. One
 * that is registered already, with any process, or a process that ends: a violation, and nothing is
 * changed. */
void ms_mmu_notifier_register(struct ms_mm *mm, struct ms_mmu_notifier *mn);
/** mmu_notifier_clear_young of [start, end), mmu_notifier_test_young of the page at addr: what a
 * reclaim asks them; the host's own entries are not looked at. true: somebody has accessed it. */
bool ms_mm_clear_young(struct ms_mm *mm, ms_hva_t start, ms_hva_t end);
bool ms_mm_test_young(struct ms_mm *mm, ms_hva_t addr);
void ms_mmu_notifier_unregister(struct ms_mm *mm, struct ms_mmu_notifier *mn);

#ifdef __cplusplus
}
#endif
#endif
