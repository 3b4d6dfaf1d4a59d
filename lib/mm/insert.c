/* SPDX-License-Identifier: GPL-2.0-only */
/* One entry at a time, from a fault handler. The memory type of a raw entry is the one that the
 * list of memory types has for its first page. */
#include "mm/lock.h"
#include "mm/pgtable.h"

static bool in_vma(const struct ms_vma *vma, ms_hva_t addr)
{
	return addr >= vma->vm_start && addr < vma->vm_end;
}

/* An entry after a write. */
static uint64_t mk_written(const struct ms_vma *vma, uint64_t entry)
{
	return ms_maybe_mkwrite(vma, entry | MS_PTE_MKDIRTY | MS_PTE_YOUNG);
}

static int refuse_outside(const struct ms_vma *vma, ms_hva_t addr)
{
	return ms_refuse(ms_vma_machine(vma), -EFAULT, "%x is outside of " MS_VMA_WORDS, addr,
			 MS_VMA_NUMBERS(vma));
}

static ms_vm_fault_t outside(const struct ms_vma *vma, ms_hva_t addr)
{
	refuse_outside(vma, addr);
	return MS_VM_FAULT_SIGBUS;
}

static ms_vm_fault_t no_entry(const struct ms_vma *vma, ms_pfn_t pfn)
{
	ms_refuse(ms_vma_machine(vma), -EFAULT, "pfn %x: no entry holds it", pfn);
	return MS_VM_FAULT_SIGBUS;
}

static ms_vm_fault_t no_memory(const struct ms_vma *vma)
{
	ms_refuse(ms_vma_machine(vma), -ENOMEM, "no memory");
	return MS_VM_FAULT_OOM;
}

/* A BUG, where the kernel ends. */
static ms_vm_fault_t bug(const struct ms_vma *vma, const char *condition, ms_hva_t addr)
{
	ms_vma_violation(vma, MS_VIOLATION_DRIVER, condition, addr, 0);
	return ms_refuse_fault(ms_vma_machine(vma), condition, addr);
}

/* The BUG_ONs with which all raw insertions begin. */
static bool may_insert_raw(struct ms_vma *vma, ms_hva_t addr)
{
	const uint64_t both = MS_VM_PFNMAP | MS_VM_MIXEDMAP;

	if (!(vma->vm_flags & both))
		bug(vma, "pfn inserted into a VMA without VM_PFNMAP or VM_MIXEDMAP", addr);
	else if ((vma->vm_flags & both) == both)
		bug(vma, "pfn inserted into a VMA with VM_PFNMAP and VM_MIXEDMAP", addr);
	else if ((vma->vm_flags & MS_VM_PFNMAP) && ms_is_cow_mapping(vma->vm_flags))
		bug(vma, "pfn inserted into a private VM_PFNMAP VMA", addr);
	else
		return true;
	return false;
}

/* An entry is there: a write makes it writable if it maps the same pfn, else it stays as it is. */
static void make_written(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn)
{
	struct ms_machine *m = ms_vma_machine(vma);
	uint64_t *slot = ms_pt_slot(vma->vm_mm, addr, MS_LEVEL_PTE);

	if (!slot || !ms_pte_is_leaf(*slot))
		return;
	if (ms_pte_pfn(m, *slot) == pfn)
		*slot = mk_written(vma, *slot);
	else if (!ms_is_zero_pfn(m, ms_pte_pfn(m, *slot)))
		ms_violation(m, "write to an entry of another pfn", addr);
}

/* A table that is not there is allocated, which may sleep. */
static uint64_t *alloc_slot(struct ms_vma *vma, ms_hva_t addr)
{
	if (ms_vma_machine(vma)->call.rcu && !ms_pt_slot(vma->vm_mm, addr, MS_LEVEL_PTE))
		ms_vma_violation(vma, MS_VIOLATION_DRIVER,
				 "a page table is allocated in ->map_pages, under rcu_read_lock()",
				 addr, 0);
	return ms_pt_alloc_slot(vma->vm_mm, addr, MS_LEVEL_PTE);
}

// mirrors insert_pfn(), mm/memory.c, 5.10+
static ms_vm_fault_t insert_pte(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn, ms_pgprot_t prot,
				bool mkwrite)
{
	struct ms_machine *m = ms_vma_machine(vma);
	unsigned int level;
	uint64_t *slot;

	ms_vma_hook(vma->vm_mm, MS_HOOK_DRIVER_INSERT, addr);
	if (ms_pte_is_leaf(ms_pt_walk(vma->vm_mm, addr, &level))) {
		if (mkwrite)
			make_written(vma, addr, pfn);
		return MS_VM_FAULT_NOPAGE;
	}
	slot = alloc_slot(vma, addr);
	if (!slot || !ms_raw_add(m, pfn, 1))
		return no_memory(vma);
	ms_check_target(vma, addr, pfn, 1);
	*slot = ms_mk_pte(m, pfn, prot) | MS_PTE_SPECIAL;
	if (mkwrite)
		*slot = mk_written(vma, *slot);
	return MS_VM_FAULT_NOPAGE;
}

// mirrors vmf_insert_pfn_prot(), mm/memory.c, 5.10+
ms_vm_fault_t ms_vmf_insert_pfn_prot(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn,
				     ms_pgprot_t prot)
{
	ms_vma_door();
	if (!vma)
		return MS_VM_FAULT_SIGBUS;
	struct ms_machine *m = ms_vma_machine(vma);

	if (!may_insert_raw(vma, addr))
		return MS_VM_FAULT_SIGBUS;
	if ((vma->vm_flags & MS_VM_MIXEDMAP) && ms_pfn_is_ram(m, pfn))
		return bug(vma, "page of RAM inserted as a raw pfn into a VM_MIXEDMAP VMA", addr);
	if (!in_vma(vma, addr))
		return outside(vma, addr);
	if (!ms_may_map_raw(vma, addr, pfn, 1, prot))
		return no_entry(vma, pfn);
	ms_track_pfn_insert(vma, &prot, pfn);
	return insert_pte(vma, addr, pfn, prot, false);
}

// mirrors vmf_insert_pfn(), mm/memory.c, 5.10+
ms_vm_fault_t ms_vmf_insert_pfn(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn)
{
	ms_vma_door();
	if (!vma)
		return MS_VM_FAULT_SIGBUS;
	return ms_vmf_insert_pfn_prot(vma, addr, pfn, vma->vm_page_prot);
}

/* The zero page may be where nobody could ever write to it.
 * mirrors vm_mixed_zeropage_allowed(), mm/memory.c, 6.12+ */
static bool zero_page_allowed(const struct ms_vma *vma)
{
	if (ms_is_cow_mapping(vma->vm_flags))
		return true;
	if (!(vma->vm_flags & (MS_VM_WRITE | MS_VM_MAYWRITE)))
		return true;
	return vma->vm_ops && vma->vm_ops->pfn_mkwrite && (vma->vm_flags & MS_VM_IO);
}

// mirrors vm_mixed_ok(), mm/memory.c, 5.10+
static bool mixed_ok(const struct ms_vma *vma, ms_pfn_t pfn)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	bool zero = ms_is_zero_pfn(m, pfn);

	if (zero && m->policy.insert_mixed_bad == MS_INSERT_MIXED_BAD_SIGBUS &&
	    !zero_page_allowed(vma))
		return false;
	return zero || (vma->vm_flags & MS_VM_MIXEDMAP);
}

// mirrors __vm_insert_mixed(), mm/memory.c, 5.10+
static ms_vm_fault_t insert_mixed(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn, bool mkwrite)
{
	ms_vma_door();
	if (!vma)
		return MS_VM_FAULT_SIGBUS;
	struct ms_machine *m = ms_vma_machine(vma);
	ms_pgprot_t prot = vma->vm_page_prot;

	if (!mixed_ok(vma, pfn)) {
		if (m->policy.insert_mixed_bad == MS_INSERT_MIXED_BAD_BUG)
			return bug(vma, "vmf_insert_mixed into a VMA without VM_MIXEDMAP", addr);
		return ms_refuse_fault(m, "vmf_insert_mixed of the zero page, or no VM_MIXEDMAP",
				       addr);
	}
	if (!in_vma(vma, addr))
		return outside(vma, addr);
	if (!ms_may_map_raw(vma, addr, pfn, 1, prot))
		return no_entry(vma, pfn);
	ms_track_pfn_insert(vma, &prot, pfn);
	return insert_pte(vma, addr, pfn, prot, mkwrite);
}

// mirrors vmf_insert_mixed(), mm/memory.c, 5.10+
ms_vm_fault_t ms_vmf_insert_mixed(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn)
{
	return insert_mixed(vma, addr, pfn, false);
}

// mirrors vmf_insert_mixed_mkwrite(), mm/memory.c, 5.10+
ms_vm_fault_t ms_vmf_insert_mixed_mkwrite(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn)
{
	return insert_mixed(vma, addr, pfn, true);
}

/*
 * A write makes the leaf that is there writable, if it maps the same pfn.
 * mirrors insert_pfn_pmd(), mm/huge_memory.c, 5.10 .. 6.12; insert_pmd(), mm/huge_memory.c, 7.2+;
 * insert_pfn_pud(), mm/huge_memory.c, 5.10 .. 6.16; insert_pud(), mm/huge_memory.c, 6.17+
 */
static void make_leaf_written(struct ms_vma *vma, ms_hva_t addr, uint64_t *slot, ms_pfn_t pfn)
{
	struct ms_machine *m = ms_vma_machine(vma);

	if (!ms_pte_is_leaf(*slot))
		return;
	if (ms_pte_pfn(m, *slot) == pfn)
		*slot = mk_written(vma, *slot);
	else if (!ms_is_huge_zero_pfn(m, ms_pte_pfn(m, *slot)))
		ms_vma_violation(vma, MS_VIOLATION_DRIVER, "write to a huge leaf of another pfn",
				 addr, 0);
}

/* mirrors insert_pfn_pmd(), mm/huge_memory.c, 5.10 .. 6.12; insert_pmd(), mm/huge_memory.c, 7.2+;
 * insert_pfn_pud(), mm/huge_memory.c, 5.10 .. 6.16; insert_pud(), mm/huge_memory.c, 6.17+ */
static ms_vm_fault_t insert_huge(struct ms_vma *vma, ms_hva_t addr, unsigned int level,
				 ms_pfn_t pfn, ms_pgprot_t prot, bool write)
{
	struct ms_machine *m = ms_vma_machine(vma);
	uint64_t *slot;
	unsigned int at;

	if (!ms_pt_has_level(vma->vm_mm, level))
		return MS_VM_FAULT_FALLBACK;
	if (!in_vma(vma, addr))
		return outside(vma, addr);
	// the kernel leaves this check to the driver
	if (vma->vm_end - addr < ms_level_size(m, level))
		ms_vma_violation(vma, MS_VIOLATION_DRIVER, "huge leaf reaches beyond its VMA", addr,
				 0);
	ms_vma_hook(vma->vm_mm, MS_HOOK_DRIVER_INSERT, addr);
	if (ms_pte_is_leaf(ms_pt_walk(vma->vm_mm, addr, &at)) && at < level)
		return MS_VM_FAULT_NOPAGE;
	slot = ms_pt_alloc_slot(vma->vm_mm, addr, level);
	if (!slot)
		return no_memory(vma);
	if (!ms_pte_none(*slot)) {
		if (write)
			make_leaf_written(vma, addr, slot, pfn);
		return MS_VM_FAULT_NOPAGE;
	}
	if (!ms_raw_add(m, pfn, ms_level_size(m, level) >> m->page_shift))
		return no_memory(vma);
	ms_check_target(vma, addr, pfn, ms_level_size(m, level) >> m->page_shift);
	// Nobody checks whether the pfn is aligned; it is or'ed in as it is.
	*slot = ms_mk_pte(m, pfn, prot) | MS_PTE_SPECIAL;
	if (write)
		*slot = mk_written(vma, *slot);
	return MS_VM_FAULT_NOPAGE;
}

/* mirrors vmf_insert_pfn_pmd_prot(), mm/huge_memory.c, 5.10 .. 6.1; vmf_insert_pfn_pmd(),
 * mm/huge_memory.c, 6.12+ */
ms_vm_fault_t ms_vmf_insert_pfn_pmd(struct ms_vm_fault *vmf, ms_pfn_t pfn, bool write)
{
	ms_vma_door();
	if (!vmf || !vmf->vma)
		return MS_VM_FAULT_SIGBUS;
	struct ms_vma *vma = vmf->vma;
	ms_hva_t addr = ms_align_down(vmf->address, ms_pmd_size(ms_vma_machine(vma)));
	ms_pgprot_t prot = vma->vm_page_prot;

	if (!may_insert_raw(vma, addr))
		return MS_VM_FAULT_SIGBUS;
	if (!ms_may_map_raw(vma, addr, pfn, UINT64_C(1) << ms_pmd_order(ms_vma_machine(vma)), prot))
		return no_entry(vma, pfn);
	ms_track_pfn_insert(vma, &prot, pfn);
	return insert_huge(vma, addr, MS_LEVEL_PMD, pfn, prot, write);
}

/* mirrors vmf_insert_pfn_pud_prot(), mm/huge_memory.c, 5.10 .. 6.3; vmf_insert_pfn_pud(),
 * mm/huge_memory.c, 6.4+ */
ms_vm_fault_t ms_vmf_insert_pfn_pud(struct ms_vm_fault *vmf, ms_pfn_t pfn, bool write)
{
	ms_vma_door();
	if (!vmf || !vmf->vma)
		return MS_VM_FAULT_SIGBUS;
	struct ms_vma *vma = vmf->vma;
	struct ms_machine *m = ms_vma_machine(vma);
	ms_hva_t addr = ms_align_down(vmf->address, ms_pud_size(m));
	ms_pgprot_t prot = vma->vm_page_prot;

	if (!may_insert_raw(vma, addr))
		return MS_VM_FAULT_SIGBUS;
	if (!ms_may_map_raw(vma, addr, pfn, UINT64_C(1) << ms_pud_order(m), prot))
		return no_entry(vma, pfn);
	// 6.4 .. 6.16 look the type up, and then do not use it
	if (m->policy.pud_insert_prot == MS_PUD_INSERT_PROT_LOOKUP)
		ms_track_pfn_insert(vma, &prot, pfn);
	return insert_huge(vma, addr, MS_LEVEL_PUD, pfn, prot, write);
}

/* The leaf of a folio, which is counted as a page's entry is.
 * mirrors vmf_insert_folio_pmd() and vmf_insert_folio_pud(), mm/huge_memory.c, 6.15+ */
ms_vm_fault_t ms_vmf_insert_folio(struct ms_vm_fault *vmf, ms_pfn_t pfn, unsigned int order,
				  bool write)
{
	struct ms_vma *vma = vmf->vma;
	struct ms_machine *m = ms_vma_machine(vma);
	const unsigned int level = order == ms_pmd_order(m) ? MS_LEVEL_PMD : MS_LEVEL_PUD;
	const ms_hva_t addr = ms_align_down(vmf->address, ms_level_size(m, level));
	uint64_t *slot;

	if (!in_vma(vma, addr) || vma->vm_end - addr < ms_level_size(m, level))
		return outside(vma, addr);
	if (!ms_pfn_is_ram(m, pfn) || ms_page_head(m, pfn) != pfn ||
	    !ms_pfn_to_page(m, pfn) || ms_pfn_to_page(m, pfn)->order != order)
		return bug(vma, "vmf_insert_folio of a folio that is not as large as the leaf",
			   addr);
	ms_vma_hook(vma->vm_mm, MS_HOOK_DRIVER_INSERT, addr);
	slot = ms_pt_alloc_slot(vma->vm_mm, addr, level);
	if (!slot)
		return no_memory(vma);
	if (!ms_pte_none(*slot)) {
		if (write)
			make_leaf_written(vma, addr, slot, pfn);
		return MS_VM_FAULT_NOPAGE;
	}
	ms_page_get(m, pfn, 1);
	*slot = ms_fault_entry(vma, pfn, write);
	return MS_VM_FAULT_NOPAGE;
}

static int bug_of_page(struct ms_machine *m, const char *condition, ms_hva_t addr)
{
	ms_violation(m, condition, addr);
	return ms_refuse(m, -EINVAL, "%s, at %x", ms_refusal_text(condition), addr);
}

static int set_mixedmap(struct ms_vma *vma, ms_hva_t addr)
{
	struct ms_machine *m = ms_vma_machine(vma);

	if (vma->vm_flags & MS_VM_MIXEDMAP)
		return 0;
	if (vma->vm_flags & MS_VM_PFNMAP)
		return bug_of_page(m, "vm_insert_page into a VM_PFNMAP VMA", addr);
	if (ms_mmap_only_read(vma->vm_mm))
		return bug_of_page(m, "vm_insert_page sets VM_MIXEDMAP in a fault", addr);
	vma->vm_flags |= MS_VM_MIXEDMAP;
	ms_handlers_note(vma);
	return 0;
}

/*
 * What a page may not be. A page without a reference may be free, or a tail of pages that were
 * allocated without __GFP_COMP.
 * mirrors validate_page_before_insert(), mm/memory.c, 5.10+
 */
static int validate_page(struct ms_vma *vma, ms_pfn_t pfn)
{
	struct ms_machine *m = ms_vma_machine(vma);
	const struct ms_page *head = ms_pfn_to_page(m, ms_page_head(m, pfn));
	const enum ms_policy_insert_page_kinds kinds = m->policy.insert_page_kinds;

	if (!head)
		return ms_refuse(m, -ENOMEM, "no memory");
	if (!head->refcount && !(head->flags & MS_PG_RESERVED))
		return ms_refuse(m, -EINVAL, "page %x has no reference", pfn);
	if (ms_is_zero_pfn(m, pfn))
		return zero_page_allowed(vma) ||
				       m->policy.insert_mixed_bad != MS_INSERT_MIXED_BAD_SIGBUS
			       ? 0
			       : ms_refuse(m, -EINVAL, "the zero page, where it could be written");
	if (head->flags & MS_PG_ANON)
		return ms_refuse(m, -EINVAL, "pfn %x is anonymous memory", pfn);
	if (head->slab)
		return ms_refuse(m, -EINVAL, "page %x is of a slab (kmalloc)", pfn);
	if ((head->flags & MS_PG_HUGETLB) && kinds != MS_INSERT_PAGE_KINDS_SLAB)
		return ms_refuse(m, -EINVAL, "page %x is of hugetlb", pfn);
	if (head->large && kinds == MS_INSERT_PAGE_KINDS_SLAB_HUGETLB_LARGE_KMALLOC)
		return ms_refuse(m, -EINVAL, "page %x is of a large kmalloc", pfn);
	return 0;
}

/* An entry is there: a write makes it writable, if it maps the same page. */
static int page_is_mapped(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn, bool mkwrite)
{
	struct ms_machine *m = ms_vma_machine(vma);
	unsigned int level;
	const uint64_t entry = ms_pt_walk(vma->vm_mm, addr, &level);
	uint64_t *slot = ms_pt_slot(vma->vm_mm, addr, MS_LEVEL_PTE);

	if (!mkwrite || level != MS_LEVEL_PTE || !slot)
		return ms_refuse(m, -EBUSY, "%x is mapped already", addr);
	if (ms_pte_pfn(m, entry) == pfn) {
		*slot = ms_maybe_mkwrite(vma, entry | MS_PTE_YOUNG);
		return 0;
	}
	if (!ms_is_zero_pfn(m, ms_pte_pfn(m, entry)))
		ms_violation(m, "insert_page for a write finds another page", addr);
	return ms_refuse(m, -EFAULT, "%x maps another page already", addr);
}

// mirrors insert_page() and insert_page_into_pte_locked(), mm/memory.c, 5.10+
static int insert_page(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn, bool mkwrite)
{
	struct ms_machine *m = ms_vma_machine(vma);
	int err = validate_page(vma, pfn);
	unsigned int level;
	uint64_t *slot;

	if (err)
		return err;
	ms_vma_hook(vma->vm_mm, MS_HOOK_DRIVER_INSERT, addr);
	if (ms_pte_is_leaf(ms_pt_walk(vma->vm_mm, addr, &level)))
		return page_is_mapped(vma, addr, pfn, mkwrite);
	slot = alloc_slot(vma, addr);
	if (!slot)
		return ms_refuse(m, -ENOMEM, "no memory");
	if (ms_is_zero_pfn(m, pfn) && m->policy.insert_mixed_bad == MS_INSERT_MIXED_BAD_SIGBUS) {
		*slot = ms_mk_pte(m, pfn, vma->vm_page_prot) | MS_PTE_SPECIAL;
		return 0;
	}
	ms_page_get(m, pfn, 1);
	*slot = ms_mk_pte(m, pfn, vma->vm_page_prot);
	if (mkwrite)
		*slot = mk_written(vma, *slot);
	return 0;
}

// mirrors vm_insert_page(), mm/memory.c, 5.10+
int ms_vm_insert_page(struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn)
{
	ms_vma_door();
	if (!vma)
		return -EINVAL;
	struct ms_machine *m = ms_vma_machine(vma);
	int err;

	if (!in_vma(vma, addr))
		return refuse_outside(vma, addr);
	if (!ms_pfn_is_ram(m, pfn))
		return ms_refuse(m, -EINVAL, "pfn %x is not RAM", pfn);
	err = set_mixedmap(vma, addr);
	return err ? err : insert_page(vma, addr, pfn, false);
}

// mirrors vmf_insert_page_mkwrite(), mm/memory.c, 6.14+
ms_vm_fault_t ms_vmf_insert_page_mkwrite(struct ms_vm_fault *vmf, ms_pfn_t pfn, bool write)
{
	ms_vma_door();
	if (!vmf || !vmf->vma)
		return MS_VM_FAULT_SIGBUS;
	struct ms_vma *vma = vmf->vma;
	int err;

	if (!in_vma(vma, vmf->address))
		return outside(vma, vmf->address);
	if (!ms_pfn_is_ram(ms_vma_machine(vma), pfn)) {
		ms_refuse(ms_vma_machine(vma), -EINVAL, "pfn %x is not RAM", pfn);
		return MS_VM_FAULT_SIGBUS;
	}
	err = insert_page(vma, vmf->address, pfn, write);
	if (err == -ENOMEM)
		return MS_VM_FAULT_OOM;
	return err < 0 && err != -EBUSY ? MS_VM_FAULT_SIGBUS : MS_VM_FAULT_NOPAGE;
}
