/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hugetlb memory: mapping a file of it, faults, and how its entries go. Mirrors mm/hugetlb.c and
 * fs/hugetlbfs/inode.c; fork, protection and moves are in hugetlb_table.c.
 *
 * A huge page of a contiguous size (arm64) is a run of entries; each has a reference to the page.
 * The pool is the free RAM: a mapping is refused that could not be filled at that moment.
 */
#include "mm/memfile.h"

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

uint64_t *ms_hugetlb_slot(const struct ms_vma *vma, const struct ms_hugetlb_geometry *g,
			  ms_hva_t addr)
{
	return ms_pt_slot(vma->vm_mm, addr, g->level);
}

void ms_hugetlb_set(const struct ms_hugetlb_geometry *g, uint64_t *slot, uint64_t entry)
{
	for (unsigned int i = 0; i < g->n; i++)
		slot[i] = entry ? entry + i * g->step : 0;
}

uint64_t ms_hugetlb_size(const struct ms_vma *vma)
{
	return ms_vma_machine(vma)->page_size << vma->vm_file->mapping->order;
}

uint64_t ms_vma_kernel_pagesize(const struct ms_vma *vma)
{
	if (!vma)
		return 0;
	return ms_vma_is_hugetlb(vma) ? ms_hugetlb_size(vma) : ms_vma_machine(vma)->page_size;
}

/* ---- mmap ---- */

/* hugetlb_reserve_pages(): what the mapping may need beyond what the file has */
static bool can_reserve(const struct ms_vma *vma)
{
	const struct ms_mapping *mapping = vma->vm_file->mapping;
	uint64_t first = vma->vm_pgoff >> mapping->order;
	uint64_t end = first + (ms_vma_pages(vma) >> mapping->order), need = end - first;

	if (vma->vm_flags & MS_VM_NORESERVE)
		return true;
	for (uint64_t i = first; (vma->vm_flags & MS_VM_MAYSHARE) && i < end; i++)
		need -= ms_cache_find(mapping, i) != 0;
	return need <= ms_ram_free_pages(mapping->machine) >> mapping->order;
}

static int may_split(struct ms_vma *vma, ms_hva_t addr)
{
	return ms_aligned(addr, ms_hugetlb_size(vma)) ? 0 : -EINVAL;
}

static const struct ms_vm_ops hugetlb_vm_ops = {
	.may_split = may_split,
};

/* hugetlbfs_file_mmap() */
int ms_hugetlb_mmap(struct ms_file *file, struct ms_vma *vma)
{
	struct ms_mapping *mapping = file->mapping;
	unsigned int shift = file->machine->page_shift;
	uint64_t end = (vma->vm_pgoff << shift) + ms_vma_size(vma);

	vma->vm_flags |= MS_VM_HUGETLB | MS_VM_DONTEXPAND;
	vma->vm_ops = &hugetlb_vm_ops;
	if (!ms_aligned(vma->vm_pgoff, UINT64_C(1) << mapping->order))
		return -EINVAL;
	if (!can_reserve(vma))
		return -ENOMEM;
	// a writable mapping makes the file as long as itself
	if ((vma->vm_flags & MS_VM_WRITE) && mapping->size < end)
		mapping->size = end;
	return 0;
}

/* ---- faults ---- */

struct fault {
	struct ms_vma *vma;
	struct ms_machine *m;
	struct ms_hugetlb_geometry g;
	ms_hva_t addr;
	uint64_t index; // of the huge page in its file
	uint64_t *slot;
	bool write;
};

/* make_huge_pte() */
static uint64_t mk_entry(const struct fault *f, ms_pfn_t pfn, bool writable)
{
	uint64_t entry = ms_mk_pte(f->m, pfn, f->vma->vm_page_prot) & ~MS_PTE_WRITE;

	return writable ? entry | MS_PTE_WRITE | MS_PTE_DIRTY : entry;
}

static void make_writable(const struct fault *f)
{
	ms_hugetlb_set(&f->g, f->slot, *f->slot | MS_PTE_WRITE | MS_PTE_DIRTY | MS_PTE_YOUNG);
}

/* A fresh page of a private mapping, with one reference for each of its entries. */
static ms_vm_fault_t alloc_private(const struct fault *f, ms_pfn_t *pfn)
{
	const uint8_t flags = MS_PG_HUGETLB | MS_PG_ANON | MS_PG_ANON_EXCLUSIVE;

	if (ms_anon_vma_prepare(f->vma))
		return MS_VM_FAULT_OOM;
	// an empty pool is the mapper's fault
	if (!ms_page_alloc(f->m, f->vma->vm_file->mapping->order, flags, pfn))
		return MS_VM_FAULT_SIGBUS;
	if (f->g.n > 1)
		ms_page_get(f->m, *pfn, f->g.n - 1);
	return 0;
}

/* A fresh page of the file: one reference is the cache's, the others are the entries'. */
static ms_vm_fault_t alloc_shared(const struct fault *f, ms_pfn_t *pfn)
{
	struct ms_mapping *mapping = f->vma->vm_file->mapping;

	if (!ms_page_alloc(f->m, mapping->order, MS_PG_HUGETLB, pfn))
		return MS_VM_FAULT_SIGBUS;
	if (ms_cache_reserve(mapping, f->index + 1) || ms_cache_set(mapping, f->index, *pfn)) {
		ms_page_put(f->m, *pfn, 1);
		return MS_VM_FAULT_SIGBUS;
	}
	ms_page_get(f->m, *pfn, f->g.n);
	return 0;
}

static void drop_entries(const struct fault *f, uint64_t entry)
{
	for (unsigned int i = 0; i < f->g.n; i++)
		ms_drop_leaf(f->vma, entry + i * f->g.step, f->g.level);
}

/* Is the page of this entry a private one that nobody else maps? */
static bool is_own(const struct fault *f)
{
	struct ms_page *head = ms_pfn_to_page(f->m, ms_pte_pfn(f->m, *f->slot));

	return head && (head->flags & MS_PG_ANON) && head->refcount == f->g.n;
}

/* hugetlb_wp(): a write to a present entry without write access */
static ms_vm_fault_t hugetlb_wp(struct fault *f)
{
	struct ms_mm *mm = f->vma->vm_mm;
	uint64_t old = *f->slot;
	ms_vm_fault_t ret;
	ms_pfn_t pfn;

	if (f->vma->vm_flags & MS_VM_MAYSHARE) {
		make_writable(f);
		return 0;
	}
	if (is_own(f)) {
		ms_pfn_to_page(f->m, ms_pte_pfn(f->m, old))->flags |= MS_PG_ANON_EXCLUSIVE;
		make_writable(f);
		return 0;
	}
	ret = alloc_private(f, &pfn);
	if (ret)
		return ret;
	ms_notify_start(mm, f->addr, f->addr + f->g.size, MS_NOTIFY_CLEAR);
	ms_hugetlb_set(&f->g, f->slot, mk_entry(f, pfn, true));
	drop_entries(f, old);
	ms_notify_end(mm, f->addr, f->addr + f->g.size, MS_NOTIFY_CLEAR);
	return 0;
}

/* hugetlb_no_page() */
static ms_vm_fault_t hugetlb_no_page(struct fault *f)
{
	const uint64_t both = MS_VM_WRITE | MS_VM_SHARED;
	const struct ms_mapping *mapping = f->vma->vm_file->mapping;
	ms_pfn_t pfn = ms_cache_find(mapping, f->index);
	ms_vm_fault_t ret = 0;

	if (pfn)
		ms_page_get(f->m, pfn, f->g.n);
	else if (f->index >= mapping->size >> (f->m->page_shift + mapping->order))
		ret = MS_VM_FAULT_SIGBUS;
	else if (f->vma->vm_flags & MS_VM_MAYSHARE)
		ret = alloc_shared(f, &pfn);
	else
		ret = alloc_private(f, &pfn);
	if (ret)
		return ret;
	ms_hugetlb_set(&f->g, f->slot, mk_entry(f, pfn, (f->vma->vm_flags & both) == both));
	// a write to a private mapping copies without a second fault
	return f->write && !(f->vma->vm_flags & MS_VM_SHARED) ? hugetlb_wp(f) : 0;
}

ms_vm_fault_t ms_hugetlb_fault(struct ms_vm_fault *vmf)
{
	struct ms_vma *vma = vmf->vma;
	struct fault f = {
		.vma = vma,
		.m = ms_vma_machine(vma),
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

/* ---- unmapping ---- */

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

static void unmap_pages(struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	const struct ms_hugetlb_geometry g = ms_hugetlb_geometry(vma);

	for (ms_hva_t addr = start; addr < end; addr += g.size) {
		uint64_t *slot = ms_hugetlb_slot(vma, &g, addr), old;

		if (!slot || ms_pte_none(*slot))
			continue;
		old = *slot;
		ms_hugetlb_set(&g, slot, 0);
		for (unsigned int i = 0; i < g.n; i++)
			ms_drop_leaf(vma, old + i * g.step, g.level);
	}
}

/* __unmap_hugepage_range(): up to 6.1 it notifies by itself, inside of its caller's notification */
void ms_hugetlb_unmap(struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	struct ms_machine *m = ms_vma_machine(vma);
	bool notify = m->policy.hugetlb_unmap_notify == MS_HUGETLB_UNMAP_NOTIFY_TWICE;
	ms_hva_t from = start, to = end;

	// a mapping that its file refused: it has none any more, and there is nothing to unmap
	if (!vma->vm_file)
		return;
	if (!ms_aligned(start | end, ms_hugetlb_size(vma))) {
		ms_violation(m, "part of a huge page is unmapped from a hugetlb VMA", start);
		return;
	}
	MS_EMIT(m, .type = MS_EV_ZAP, .mm = vma->vm_mm->id, .addr = start, .size = end - start);
	if (notify) {
		ms_hugetlb_widen(vma, &from, &to);
		ms_notify_start(vma->vm_mm, from, to, MS_NOTIFY_UNMAP);
	}
	unmap_pages(vma, start, end);
	if (notify)
		ms_notify_end(vma->vm_mm, from, to, MS_NOTIFY_UNMAP);
}

/* unmap_hugepage_range(): later kernels notify before, the older ones inside */
static void unmap_hugepage_range(struct ms_vma *vma, ms_hva_t start, ms_hva_t end)
{
	bool outside =
		ms_vma_machine(vma)->policy.hugetlb_unmap_notify == MS_HUGETLB_UNMAP_NOTIFY_ONCE;
	ms_hva_t from = start, to = end;

	if (outside) {
		ms_hugetlb_widen(vma, &from, &to);
		ms_notify_start(vma->vm_mm, from, to, MS_NOTIFY_CLEAR);
	}
	ms_hugetlb_unmap(vma, start, end);
	if (outside)
		ms_notify_end(vma->vm_mm, from, to, MS_NOTIFY_CLEAR);
}

int ms_hugetlb_punch_hole(struct ms_file *file, uint64_t off, uint64_t len)
{
	struct ms_mapping *mapping = file->mapping;
	unsigned int shift = file->machine->page_shift;
	uint64_t size = file->machine->page_size << mapping->order;
	uint64_t start = ms_align_up(off, size), end = ms_align_down(off + len, size);
	uint64_t first = start >> shift, npages = (end - start) >> shift, last = first + npages;
	struct ms_vma *vma;

	if (off + len < off)
		return -EINVAL;
	if (end <= start)
		return 0;
	// hugetlb_vmdelete_list(): one page too far, and nothing is unmapped there
	if (file->machine->policy.hugetlb_hole == MS_HUGETLB_HOLE_EXACT)
		last--;
	for (vma = ms_i_mmap_first(mapping, first, last); vma;
	     vma = ms_i_mmap_next(vma, first, last)) {
		uint64_t from = ms_max_u64(first, vma->vm_pgoff) - vma->vm_pgoff;
		uint64_t to = ms_min_u64(first + npages - vma->vm_pgoff, ms_vma_pages(vma));

		unmap_hugepage_range(vma, vma->vm_start + (from << shift),
				     vma->vm_start + (to << shift));
	}
	for (uint64_t i = start / size; i < end / size; i++) {
		ms_pfn_t pfn = ms_cache_find(mapping, i);

		if (!pfn)
			continue;
		ms_cache_set(mapping, i, 0);
		ms_page_put(file->machine, pfn, 1);
	}
	return 0;
}
