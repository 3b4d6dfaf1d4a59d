/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hugetlb memory: mapping a file of it, faults, unmapping, and holes. Fork, protection and moves
 * are in hugetlb_table.c, pools and reservations in hugetlb_pool.c.
 *
 * A huge page of a contiguous size (arm64) is mapped by a run of entries. Each entry of the run
 * holds a reference to the page.
 */
#include "mm/memfile.h"
#include "mm/pgtable.h"

struct ms_hugetlb_geometry ms_hugetlb_geometry(const struct ms_vma *vma)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	struct ms_hugetlb_geometry g = { .size = ms_hugetlb_size(vma), .level = MS_LEVEL_PUD };

	while (g.size < ms_level_size(m, g.level))
		g.level++;
	g.step = ms_level_size(m, g.level);
	g.n = (unsigned int)(g.size / g.step);
	return g;
}

/* mirrors huge_pte_offset(), mm/hugetlb.c, 5.10+; huge_pte_offset(), arch/arm64/mm/hugetlbpage.c,
 * 5.10+ */
uint64_t *ms_hugetlb_slot(const struct ms_vma *vma, const struct ms_hugetlb_geometry *g,
			  ms_hva_t addr)
{
	return ms_pt_slot(vma->vm_mm, addr, g->level);
}

/* mirrors set_huge_pte_at(), include/asm-generic/hugetlb.h, 5.10+; set_huge_pte_at(),
 * arch/arm64/mm/hugetlbpage.c, 5.10+ */
void ms_hugetlb_set(const struct ms_hugetlb_geometry *g, uint64_t *slot, uint64_t entry)
{
	for (unsigned int i = 0; i < g->n; i++)
		slot[i] = entry ? entry + i * g->step : 0;
}

// mirrors huge_page_size(), include/linux/hugetlb.h, 5.10+
uint64_t ms_hugetlb_size(const struct ms_vma *vma)
{
	return ms_vma_machine(vma)->page_size << vma->vm_file->mapping->order;
}

/* mirrors vma_kernel_pagesize(), mm/hugetlb.c, 5.10 .. 6.12; vma_kernel_pagesize(),
 * include/linux/mm.h, 7.2+ */
uint64_t ms_vma_kernel_pagesize(const struct ms_vma *vma)
{
	if (!vma)
		return 0;
	if (ms_vma_is_hugetlb(vma))
		return ms_hugetlb_size(vma);
	if (vma->vm_ops && vma->vm_ops->pagesize)
		return ms_vma_call_pagesize(vma);
	return ms_vma_machine(vma)->page_size;
}

/* ---- mmap ---- */

// mirrors hugetlb_vm_op_split(), mm/hugetlb.c, 5.10+
static int may_split(struct ms_vma *vma, ms_hva_t addr)
{
	if (ms_aligned(addr, ms_hugetlb_size(vma)))
		return 0;
	return ms_refuse(ms_vma_machine(vma), -EINVAL,
			 MS_VMA_WORDS " cannot be split at %x: its huge pages have %x bytes",
			 MS_VMA_NUMBERS(vma), addr, ms_hugetlb_size(vma));
}

static const struct ms_vm_ops hugetlb_vm_ops = {
	.may_split = may_split,
};

// mirrors hugetlbfs_file_mmap(), fs/hugetlbfs/inode.c, 5.10+
int ms_hugetlb_mmap(struct ms_file *file, struct ms_vma *vma)
{
	struct ms_mapping *mapping = file->mapping;
	unsigned int shift = file->machine->page_shift;
	uint64_t end = (vma->vm_pgoff << shift) + ms_vma_size(vma);

	vma->vm_flags |= MS_VM_HUGETLB | MS_VM_DONTEXPAND;
	vma->vm_ops = &hugetlb_vm_ops;
	if (!ms_aligned(vma->vm_pgoff, UINT64_C(1) << mapping->order))
		return ms_refuse(file->machine, -EINVAL,
				 "offset %x is not aligned to the file's huge pages, %x bytes",
				 vma->vm_pgoff << shift, ms_hugetlb_size(vma));
	if (ms_hugetlb_reserve(vma))
		return -ENOMEM;
	// a writable mapping extends the file to its own end
	if ((vma->vm_flags & MS_VM_WRITE) && mapping->size < end)
		mapping->size = end;
	return 0;
}

/* ---- unmapping ---- */

// mirrors adjust_range_if_pmd_sharing_possible(), mm/hugetlb.c, 5.10+
void ms_hugetlb_widen(const struct ms_vma *vma, ms_hva_t *start, ms_hva_t *end)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	const uint64_t pud = ms_pud_size(m);
	ms_hva_t first = ms_align_up(vma->vm_start, pud), last = ms_align_down(vma->vm_end, pud);

	// page tables are never shared with 64K pages
	if (m->page_shift == 16 || !(vma->vm_flags & MS_VM_MAYSHARE) || last <= first ||
	    *end <= first || *start >= last)
		return;
	if (*start > first)
		*start = ms_align_down(*start, pud);
	if (*end < last)
		*end = ms_align_up(*end, pud);
}

static void unmap_page(struct ms_vma *vma, const struct ms_hugetlb_geometry *g, ms_hva_t addr,
		       uint64_t *slot)
{
	struct ms_machine *m = ms_vma_machine(vma);
	uint64_t index = ms_vma_pgoff_of(vma, addr) >> vma->vm_file->mapping->order, old = *slot;
	ms_pfn_t pfn = ms_pte_pfn(m, old);

	ms_hugetlb_set(g, slot, 0);
	ms_hugetlb_restore(vma, index, pfn, ms_pfn_to_page(m, pfn)->refcount == g->n);
	for (unsigned int i = 0; i < g->n; i++)
		ms_drop_leaf(vma, old + i * g->step, g->level);
}

/* `only`: the one page that is to be unmapped, which the VMA then has lost to its owner; 0: all. */
static void unmap_pages(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, ms_pfn_t only)
{
	const struct ms_hugetlb_geometry g = ms_hugetlb_geometry(vma);

	for (ms_hva_t addr = start; addr < end; addr += g.size) {
		uint64_t *slot = ms_hugetlb_slot(vma, &g, addr);

		// the address may be another VMA's, with a table there
		if (!slot || !ms_pte_is_leaf(*slot) ||
		    (only && ms_pte_pfn(ms_vma_machine(vma), *slot) != only))
			continue;
		if (only)
			ms_hugetlb_set_taken(vma);
		unmap_page(vma, &g, addr, slot);
	}
}

/* Up to 6.1 it calls the notifiers itself, although its caller does so, too.
 * mirrors __unmap_hugepage_range(), mm/hugetlb.c, 5.10+ */
static void unmap_range(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, ms_pfn_t only)
{
	struct ms_machine *m = ms_vma_machine(vma);
	bool notify = m->policy.hugetlb_unmap_notify == MS_HUGETLB_UNMAP_NOTIFY_TWICE;
	ms_hva_t from = start, to = end;

	if (notify) {
		ms_hugetlb_widen(vma, &from, &to);
		ms_notify_start(vma->vm_mm, from, to, MS_NOTIFY_UNMAP);
	}
	unmap_pages(vma, start, end, only);
	if (notify)
		ms_notify_end(vma->vm_mm, from, to, MS_NOTIFY_UNMAP);
}

static void emit_zap(const struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	MS_EMIT(ms_vma_machine(vma), .type = MS_EV_ZAP, .mm = vma->vm_mm->id, .va = start,
		.size = end - start);
}

static bool zap_by_callers(const struct ms_vma *vma)
{
	return ms_vma_machine(vma)->policy.hugetlb_zap == MS_HUGETLB_ZAP_BY_CALLERS;
}

/* mirrors __unmap_hugepage_range_final(), mm/hugetlb.c, 5.10 .. 6.5; __unmap_hugepage_range(),
 * mm/hugetlb.c, 6.6+ */
void ms_hugetlb_unmap(struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	// a mapping that its file refused has no file any more, and nothing that could be unmapped
	if (!vma->vm_file) {
		if (zap_by_callers(vma))
			emit_zap(vma, start, end);
		return;
	}
	if (!ms_aligned(start | end, ms_hugetlb_size(vma))) {
		ms_vma_violation(vma, MS_VIOLATION_DRIVER,
				 "part of a huge page is unmapped from a hugetlb VMA", start, 0);
		return;
	}
	emit_zap(vma, start, end);
	unmap_range(vma, start, end, 0);
}

/* From 6.2 on it calls the notifiers; before that unmap_range() does.
 * mirrors unmap_hugepage_range(), mm/hugetlb.c, 5.10+ */
static void unmap_hugepage_range(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, ms_pfn_t only)
{
	bool outside =
		ms_vma_machine(vma)->policy.hugetlb_unmap_notify == MS_HUGETLB_UNMAP_NOTIFY_ONCE;
	ms_hva_t from = start, to = end;

	if (zap_by_callers(vma))
		emit_zap(vma, start, end);
	if (outside) {
		ms_hugetlb_widen(vma, &from, &to);
		ms_notify_start(vma->vm_mm, from, to, MS_NOTIFY_CLEAR);
	}
	if (!zap_by_callers(vma))
		emit_zap(vma, start, end);
	unmap_range(vma, start, end, only);
	if (outside)
		ms_notify_end(vma->vm_mm, from, to, MS_NOTIFY_CLEAR);
}

/* ---- faults ---- */

struct fault {
	struct ms_vma *vma;
	struct ms_machine *m;
	const struct ms_vm_fault *vmf;
	struct ms_hugetlb_geometry g;
	ms_hva_t addr;
	uint64_t index; // of the huge page in its file
	uint64_t *slot;
	bool write;
};

// mirrors make_huge_pte(), mm/hugetlb.c, 5.10+
static uint64_t mk_entry(const struct fault *f, ms_pfn_t pfn, bool writable)
{
	uint64_t entry = ms_mk_pte(f->m, pfn, f->vma->vm_page_prot) & ~MS_PTE_WRITE;

	return writable ? entry | MS_PTE_WRITE | MS_PTE_DIRTY : entry;
}

// mirrors set_huge_ptep_writable(), mm/hugetlb.c, 5.10+
static void make_writable(const struct fault *f)
{
	ms_hugetlb_set(&f->g, f->slot, *f->slot | MS_PTE_WRITE | MS_PTE_DIRTY | MS_PTE_YOUNG);
}

/* A fresh page of a private mapping, with one reference for each of its entries. */
static ms_vm_fault_t alloc_private(const struct fault *f, bool from_owner, ms_pfn_t *pfn)
{
	const uint8_t flags = MS_PG_HUGETLB | MS_PG_ANON | MS_PG_ANON_EXCLUSIVE;
	ms_vm_fault_t ret;

	if (ms_anon_vma_prepare(f->vma))
		return MS_VM_FAULT_OOM;
	ret = ms_hugetlb_alloc(f->vma, f->index, from_owner, flags, pfn);
	if (!ret && f->g.n > 1)
		ms_page_get(f->m, *pfn, f->g.n - 1);
	return ret;
}

/* A fresh page of the file: one reference is the cache's, the others are the entries'. */
static ms_vm_fault_t alloc_shared(const struct fault *f, ms_pfn_t *pfn)
{
	struct ms_mapping *mapping = f->vma->vm_file->mapping;
	ms_vm_fault_t ret;

	if (ms_cache_reserve(mapping, f->index + 1))
		return ms_refuse_fault(f->m, "no memory for the page cache", f->addr);
	ret = ms_hugetlb_alloc(f->vma, f->index, false, MS_PG_HUGETLB, pfn);
	if (ret)
		return ret;
	if (ms_cache_set(mapping, f->index, *pfn)) {
		ms_page_put(f->m, *pfn, 1);
		ms_hugetlb_unreserve(mapping, f->index);
		return ms_refuse_fault(f->m, "no memory for the page cache", f->addr);
	}
	ms_page_get(f->m, *pfn, f->g.n);
	return 0;
}

static void drop_entries(const struct fault *f, uint64_t entry)
{
	for (unsigned int i = 0; i < f->g.n; i++)
		ms_drop_leaf(f->vma, entry + i * f->g.step, f->g.level);
}

/* Does the entry map a private page that nobody else maps? */
static bool is_own(const struct fault *f)
{
	struct ms_page *head = ms_pfn_to_page(f->m, ms_pte_pfn(f->m, *f->slot));

	return head && (head->flags & MS_PG_ANON) && head->refcount == f->g.n;
}

/*
 * The owner of a reservation finds no page for its copy. So the page that it shares with the copies
 * of its mapping is taken away from these.
 *
 *    owner      |----[page]----|
 *    moved                |----[page]----|
 *    7.2 unmaps      [    ]                     the owner's address
 *    7.3 unmaps                [    ]           where the same page of the file is
 *
 * mirrors unmap_ref_private(), mm/hugetlb.c, 5.10+
 */
static void unmap_ref_private(const struct fault *f)
{
	uint64_t pgoff = ms_vma_pgoff_of(f->vma, f->addr);
	ms_pfn_t pfn = ms_pte_pfn(f->m, *f->slot);
	struct ms_vma *vma = ms_i_mmap_first(f->vma->vm_file->mapping, pgoff, pgoff);

	for (; vma; vma = ms_i_mmap_next(vma, pgoff, pgoff)) {
		ms_hva_t addr = f->addr;

		if (vma == f->vma || (vma->vm_flags & MS_VM_MAYSHARE) || ms_hugetlb_is_owner(vma))
			continue;
		if (f->m->policy.hugetlb_take_back == MS_HUGETLB_TAKE_BACK_BY_OFFSET)
			addr = vma->vm_start + ((pgoff - vma->vm_pgoff) << f->m->page_shift);
		unmap_hugepage_range(vma, addr, addr + f->g.size, pfn);
	}
}

static void take_over(const struct fault *f)
{
	ms_pfn_to_page(f->m, ms_pte_pfn(f->m, *f->slot))->flags |= MS_PG_ANON_EXCLUSIVE;
	make_writable(f);
}

/* There is no page for the owner's copy: it takes the shared page for itself. If somebody still
 * maps it, the kernel tries again, without end. */
static ms_vm_fault_t take_back(const struct fault *f)
{
	unmap_ref_private(f);
	if (is_own(f)) {
		take_over(f);
		return 0;
	}
	ms_violation_by(f->m, MS_VIOLATION_KERNEL,
			"hugetlb copy-on-write never ends: a child has moved the page", f->addr, 0);
	ms_refuse_fault(f->m, "no huge page is left, and a child has moved the shared one",
			f->addr);
	return MS_FAULT_ENDLESS;
}

/* A write to a present entry without write access.
 * mirrors hugetlb_cow(), mm/hugetlb.c, 5.10 .. 5.10; hugetlb_wp(), mm/hugetlb.c, 6.1+ */
static ms_vm_fault_t hugetlb_wp(struct fault *f)
{
	struct ms_mm *mm = f->vma->vm_mm;
	uint64_t old = *f->slot;
	bool from_owner;
	ms_vm_fault_t ret;
	ms_pfn_t pfn;

	if (f->vma->vm_flags & MS_VM_MAYSHARE) {
		make_writable(f);
		return 0;
	}
	if (is_own(f)) {
		take_over(f);
		return 0;
	}
	from_owner = ms_hugetlb_is_owner(f->vma) &&
		     (ms_pfn_to_page(f->m, ms_pte_pfn(f->m, old))->flags & MS_PG_ANON);
	ret = alloc_private(f, from_owner, &pfn);
	if ((ret & MS_VM_FAULT_SIGBUS) && from_owner)
		return take_back(f);
	if (ret)
		return ret;
	ms_notify_start(mm, f->addr, f->addr + f->g.size, MS_NOTIFY_CLEAR);
	ms_hugetlb_set(&f->g, f->slot, mk_entry(f, pfn, true));
	drop_entries(f, old);
	ms_notify_end(mm, f->addr, f->addr + f->g.size, MS_NOTIFY_CLEAR);
	return 0;
}

// mirrors hugetlb_no_page(), mm/hugetlb.c, 5.10+
static ms_vm_fault_t hugetlb_no_page(struct fault *f)
{
	const uint64_t both = MS_VM_WRITE | MS_VM_SHARED;
	const struct ms_mapping *mapping = f->vma->vm_file->mapping;
	ms_pfn_t pfn = ms_cache_find(mapping, f->index);
	ms_vm_fault_t ret = 0;

	// a fresh page would look as if the content of the old one had been lost
	if (ms_hugetlb_is_taken(f->vma))
		return ms_refuse_fault(f->m, "the parent has taken the huge page back", f->addr);
	if (pfn)
		ms_page_get(f->m, pfn, f->g.n);
	else if (f->index >= mapping->size >> (f->m->page_shift + mapping->order))
		ret = ms_refuse_beyond_file(f->vmf);
	else if (f->vma->vm_flags & MS_VM_MAYSHARE)
		ret = alloc_shared(f, &pfn);
	else
		ret = alloc_private(f, false, &pfn);
	if (ret)
		return ret;
	ms_hugetlb_set(&f->g, f->slot, mk_entry(f, pfn, (f->vma->vm_flags & both) == both));
	// a write to a private mapping copies without a second fault
	return f->write && !(f->vma->vm_flags & MS_VM_SHARED) ? hugetlb_wp(f) : 0;
}

// mirrors hugetlb_fault(), mm/hugetlb.c, 5.10+
ms_vm_fault_t ms_hugetlb_fault(struct ms_vm_fault *vmf)
{
	struct ms_vma *vma = vmf->vma;
	struct fault f = {
		.vma = vma,
		.m = ms_vma_machine(vma),
		.vmf = vmf,
		.g = ms_hugetlb_geometry(vma),
		.write = vmf->flags & MS_FAULT_FLAG_WRITE,
	};

	f.addr = ms_align_down(vmf->address, f.g.size);
	f.index = ms_vma_pgoff_of(vma, f.addr) >> vma->vm_file->mapping->order;
	f.slot = ms_pt_alloc_slot(vma->vm_mm, f.addr, f.g.level);
	if (!f.slot)
		return MS_VM_FAULT_OOM;
	if (ms_pte_none(*f.slot))
		return hugetlb_no_page(&f);
	if (f.write && !(*f.slot & MS_PTE_WRITE))
		return hugetlb_wp(&f);
	ms_hugetlb_set(&f.g, f.slot, *f.slot | MS_PTE_YOUNG | (f.write ? MS_PTE_DIRTY : 0));
	return 0;
}

/* ---- holes ---- */

// mirrors hugetlbfs_punch_hole() and hugetlb_vmdelete_list(), fs/hugetlbfs/inode.c, 5.10+
int ms_hugetlb_punch_hole(struct ms_file *file, uint64_t off, uint64_t len)
{
	struct ms_mapping *mapping = file->mapping;
	unsigned int shift = file->machine->page_shift;
	uint64_t size = file->machine->page_size << mapping->order;
	uint64_t start = ms_align_up(off, size), end = ms_align_down(off + len, size);
	uint64_t first = start >> shift, npages = (end - start) >> shift, last = first + npages;
	struct ms_vma *vma;

	if (off + len < off)
		return ms_refuse_wrap(file->machine, -EINVAL, off, len);
	if (end <= start)
		return 0;
	// some kernels also visit a VMA that begins right behind the hole, and unmap nothing of it
	if (file->machine->policy.hugetlb_hole == MS_HUGETLB_HOLE_EXACT)
		last--;
	for (vma = ms_i_mmap_first(mapping, first, last); vma;
	     vma = ms_i_mmap_next(vma, first, last)) {
		uint64_t from = ms_max_u64(first, vma->vm_pgoff) - vma->vm_pgoff;
		uint64_t to = ms_min_u64(first + npages - vma->vm_pgoff, ms_vma_pages(vma));

		unmap_hugepage_range(vma, vma->vm_start + (from << shift),
				     vma->vm_start + (to << shift), 0);
	}
	for (uint64_t i = start / size; i < end / size; i++) {
		ms_pfn_t pfn = ms_cache_find(mapping, i);

		if (!pfn)
			continue;
		ms_cache_set(mapping, i, 0);
		ms_hugetlb_unreserve(mapping, i);
		ms_page_put(file->machine, pfn, 1);
	}
	return 0;
}
