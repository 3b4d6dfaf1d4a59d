/* SPDX-License-Identifier: GPL-2.0-only */
/* VMA objects: made, duplicated, split, given other borders, freed. */
#include "mm/lock.h"
#include "mm/memfile.h"
#include "mm/pgtable.h"

/* ---- protection ---- */

/* What the pgprot functions have in common. x86 has bits, which are or'ed with those that are
 * there; arm64 has an index, which is replaced. */
static ms_pgprot_t or_cache(ms_pgprot_t prot, enum ms_cache x86, enum ms_cache arm64)
{
	// the bits PWT (1), PCD (2) and PAT (4) of each type, in a PAT with all types
	static const uint8_t bits[] = {
		[MS_CACHE_WB] = 0, [MS_CACHE_WC] = 1, [MS_CACHE_UC_MINUS] = 2,
		[MS_CACHE_UC] = 3, [MS_CACHE_WP] = 5, [MS_CACHE_WT] = 7
	};
	static const uint8_t types[] = { MS_CACHE_WB, MS_CACHE_WC, MS_CACHE_UC_MINUS, MS_CACHE_UC,
					 MS_CACHE_WB, MS_CACHE_WP, MS_CACHE_UC_MINUS, MS_CACHE_WT };
	enum ms_cache old = ms_pgprot_cache(prot);

	if (!(prot & MS_PTE_X86))
		return ms_pgprot_set_cache(prot, arm64);
	if (old > MS_CACHE_WP)
		return prot;
	return ms_pgprot_set_cache(prot, (enum ms_cache)types[bits[old] | bits[x86]]);
}

/* mirrors pgprot_noncached(), arch/x86/include/asm/pgtable.h, 5.10+; pgprot_noncached(),
 * arch/arm64/include/asm/pgtable.h, 5.10+ */
ms_pgprot_t ms_pgprot_noncached(ms_pgprot_t prot)
{
	return or_cache(prot, MS_CACHE_UC_MINUS, MS_CACHE_NGNRNE);
}

/* mirrors pgprot_writecombine(), arch/x86/mm/pat/memtype.c, 5.10+; pgprot_writecombine(),
 * arch/arm64/include/asm/pgtable.h, 5.10+ */
ms_pgprot_t ms_pgprot_writecombine(ms_pgprot_t prot)
{
	return or_cache(prot, MS_CACHE_WC, MS_CACHE_WC);
}

/* mirrors pgprot_device(), include/linux/pgtable.h, 5.10+; pgprot_device(),
 * arch/arm64/include/asm/pgtable.h, 5.10+ */
ms_pgprot_t ms_pgprot_device(ms_pgprot_t prot)
{
	return or_cache(prot, MS_CACHE_UC_MINUS, MS_CACHE_NGNRE);
}

/*
 * Entries of private mappings are never writable from the start, since a write copies.
 * mirrors vm_get_page_prot(), mm/mmap.c, 5.10 .. 5.10; vm_get_page_prot(), arch/x86/mm/pgprot.c,
 * 6.1+; vm_get_page_prot(), arch/arm64/mm/mmap.c, 6.1+
 */
ms_pgprot_t ms_vm_get_page_prot(const struct ms_machine *m, uint64_t vm_flags)
{
	ms_pgprot_t prot = ms_is_x86(m) ? MS_PTE_X86 : 0;

	if (!(vm_flags & MS_VM_ACCESS))
		return prot | MS_PTE_PROTNONE;
	prot |= MS_PTE_PRESENT;
	if (vm_flags & MS_VM_PKEY)
		prot |= MS_PTE_EXECUTE_ONLY;
	if (!ms_is_x86(m) && (vm_flags & MS_VM_EXEC))
		prot |= MS_PTE_EXEC;
	if ((vm_flags & (MS_VM_WRITE | MS_VM_SHARED)) == (MS_VM_WRITE | MS_VM_SHARED))
		prot |= MS_PTE_WRITE;
	return prot;
}

/*
 * Shared writable mappings whose driver wants to be told of the first write.
 * mirrors vma_wants_writenotify(), mm/mmap.c, 5.10 .. 6.11; vma_wants_writenotify(), mm/vma.c,
 * 6.12+
 */
static bool wants_writenotify(const struct ms_vma *vma)
{
	const uint64_t both = MS_VM_WRITE | MS_VM_SHARED;

	if ((vma->vm_flags & both) != both)
		return false;
	return vma->vm_ops && (vma->vm_ops->page_mkwrite || vma->vm_ops->pfn_mkwrite);
}

// mirrors vma_set_page_prot(), mm/mmap.c, 5.10+
void ms_vma_set_page_prot(struct ms_vma *vma)
{
	uint64_t flags = vma->vm_flags;

	if (wants_writenotify(vma))
		flags &= ~MS_VM_SHARED;
	vma->vm_page_prot = ms_pgprot_set_cache(ms_vm_get_page_prot(ms_vma_machine(vma), flags),
						ms_pgprot_cache(vma->vm_page_prot));
}

/* ---- anon_vma ---- */

// mirrors unlink_anon_vmas(), mm/rmap.c, 5.10+
void ms_anon_vma_drop(struct ms_vma *vma)
{
	struct ms_anon_vma *av = vma->anon_vma;

	vma->anon_vma = NULL;
	vma->anon_chain = 0;
	if (av && --av->refcount == 0)
		ms_free(&ms_vma_machine(vma)->alloc, av);
}

// mirrors anon_vma_clone(), mm/rmap.c, 5.10+
void ms_anon_vma_clone(struct ms_vma *dst, const struct ms_vma *src)
{
	dst->anon_vma = src->anon_vma;
	dst->anon_chain = src->anon_chain;
	if (dst->anon_vma)
		dst->anon_vma->refcount++;
}

// mirrors anon_vma_fork(), mm/rmap.c, 5.10+
int ms_anon_vma_fork(struct ms_vma *child, const struct ms_vma *parent)
{
	if (!parent->anon_vma)
		return 0;
	child->anon_vma = ms_zalloc(&ms_vma_machine(child)->alloc, sizeof(*child->anon_vma));
	if (!child->anon_vma)
		return -ENOMEM;
	child->anon_vma->refcount = 1;
	child->anon_vma->root = parent->anon_vma->root;
	child->anon_chain = parent->anon_chain + 1;
	return 0;
}

/* Is a directly below b, and do they differ in nothing but access rights?
 * mirrors anon_vma_compatible(), mm/mmap.c, 5.10 .. 6.11; anon_vma_compatible(), mm/vma.c, 6.12+ */
static bool anon_vma_compatible(const struct ms_vma *a, const struct ms_vma *b)
{
	return a->vm_end == b->vm_start && a->vm_file == b->vm_file &&
	       !((a->vm_flags ^ b->vm_flags) & ~(MS_VM_ACCESS | MS_VM_SOFTDIRTY)) &&
	       b->vm_pgoff == a->vm_pgoff + ms_vma_pages(a) &&
	       (ms_vma_machine(a)->policy.private_file_merge == MS_PRIVATE_FILE_MERGE_FILE_OFFSET ||
		b->anon_pgoff == a->anon_pgoff + ms_vma_pages(a));
}

/*
 * A neighbour with which mprotect may merge this VMA later, and whose anon_vma it can therefore
 * share.
 * mirrors find_mergeable_anon_vma(), mm/mmap.c, 5.10 .. 6.11; find_mergeable_anon_vma(), mm/vma.c,
 * 6.12+
 */
static struct ms_vma *lender(struct ms_vma *vma)
{
	struct ms_vma *next = ms_vma_next(vma), *prev = ms_vma_prev(vma);

	if (next && anon_vma_compatible(vma, next) && next->anon_vma && next->anon_chain == 1)
		return next;
	if (prev && anon_vma_compatible(prev, vma) && prev->anon_vma && prev->anon_chain == 1)
		return prev;
	return NULL;
}

// mirrors __anon_vma_prepare(), mm/rmap.c, 5.10+
int ms_anon_vma_prepare(struct ms_vma *vma)
{
	struct ms_vma *from;

	if (vma->anon_vma)
		return 0;
	from = lender(vma);
	if (from) {
		vma->anon_vma = from->anon_vma;
	} else {
		vma->anon_vma = ms_zalloc(&ms_vma_machine(vma)->alloc, sizeof(*vma->anon_vma));
		if (!vma->anon_vma)
			return -ENOMEM;
		vma->anon_vma->root = ++vma->vm_mm->anon_roots;
	}
	vma->anon_vma->refcount++;
	vma->anon_chain = 1;
	ms_handlers_note(vma);
	return 0;
}

/* ---- objects ---- */

static void vma_put(struct ms_machine *m, struct ms_vma *vma)
{
	if (ms_linked(vma)->pending)
		ms_vma_tree_unreserve(m);
	ms_pool_put(&m->processes->vmas, vma);
}

/* A VMA whose content is not set yet; it counts as pending. */
static struct ms_vma *vma_get(struct ms_machine *m)
{
	struct ms_vma *vma;

	if (!ms_vma_tree_reserve(m))
		return NULL;
	vma = ms_pool_get(&m->processes->vmas);
	if (!vma)
		ms_vma_tree_unreserve(m);
	return vma;
}

// mirrors vm_area_alloc(), kernel/fork.c, 5.10 .. 6.12; vm_area_alloc(), mm/vma_init.c, 7.2+
struct ms_vma *ms_vma_alloc(struct ms_mm *mm)
{
	// copied, since gcc clears this many bytes by a string instruction, which starts slowly
	static const struct ms_vma blank = { 0 };
	struct ms_vma *vma = vma_get(mm->machine);

	if (!vma)
		return NULL;
	memcpy(vma, &blank, sizeof(*vma));
	ms_linked(vma)->pending = true;
	vma->vm_mm = mm;
	return vma;
}

// mirrors vm_area_dup(), kernel/fork.c, 5.10 .. 6.12; vm_area_dup(), mm/vma_init.c, 7.2+
struct ms_vma *ms_vma_dup(struct ms_vma *vma)
{
	struct ms_machine *m = ms_vma_machine(vma);
	struct ms_vma *new_vma = vma_get(m);

	if (!new_vma)
		return NULL;
	memcpy(new_vma, vma, sizeof(*vma));
	ms_linked(new_vma)->pending = true;
	if (vma->pfnmap_ctx && ms_pfnmap_ctx_dup(new_vma, vma)) {
		vma_put(m, new_vma);
		return NULL;
	}
	ms_anon_vma_clone(new_vma, vma);
	if (ms_vma_is_hugetlb(vma))
		ms_hugetlb_dup(vma);
	if (new_vma->vm_file)
		ms_file_get(new_vma->vm_file);
	return new_vma;
}

// mirrors remove_vma(), mm/mmap.c, 5.10 .. 6.11; remove_vma(), mm/vma.c, 6.12+
void ms_vma_free(struct ms_vma *vma, bool call_close)
{
	struct ms_machine *m = ms_vma_machine(vma);

	if (call_close)
		ms_vma_call_close(vma);
	if (ms_vma_is_hugetlb(vma))
		ms_hugetlb_close(vma);
	if (vma->vm_file)
		ms_file_drop(vma->vm_file);
	if (vma->anon_vma)
		ms_anon_vma_drop(vma);
	if (vma->pfnmap_ctx)
		ms_pfnmap_ctx_put(vma);
	vma_put(m, vma);
}

/* ---- borders ---- */

/* mirrors __vma_adjust(), mm/mmap.c, 5.10 .. 6.1; vma_expand(), mm/vma.c, 6.12+; vma_shrink(),
 * mm/vma.c, 6.12+ */
void ms_vma_adjust(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, uint64_t pgoff)
{
	if (!ms_pt_is_empty(vma->vm_mm))
		ms_vma_adjust_trans_huge(vma, start, end);
	ms_i_mmap_remove(vma);
	// if the VMA grows at its start, the offsets continue downward
	if (start < vma->vm_start)
		vma->anon_pgoff -= (vma->vm_start - start) >> ms_vma_machine(vma)->page_shift;
	else
		vma->anon_pgoff = ms_vma_anon_pgoff_of(vma, start);
	// The order in the tree does not change: borders move inside of this VMA, or into a hole.
	ms_vma_tree_move(vma->vm_mm, vma, start, end);
	vma->vm_pgoff = pgoff;
	ms_i_mmap_insert(vma);
}

static struct ms_vma *make_half(struct ms_vma *vma, ms_hva_t addr, bool new_below)
{
	struct ms_vma *half = ms_vma_dup(vma);

	if (!half)
		return NULL;
	if (new_below) {
		half->vm_end = addr;
	} else {
		half->vm_start = addr;
		half->vm_pgoff = ms_vma_pgoff_of(vma, addr);
		half->anon_pgoff = ms_vma_anon_pgoff_of(vma, addr);
	}
	return half;
}

/* open() of the new half is called while the old VMA still has its old borders.
 * mirrors __split_vma(), mm/mmap.c, 5.10 .. 6.11; __split_vma(), mm/vma.c, 6.12+ */
int ms_split_vma_nolimit(struct ms_vma *vma, ms_hva_t addr, bool new_below, struct ms_vma **new_vma)
{
	struct ms_vma *half;
	int err;

	err = ms_vma_call_may_split(vma, addr);
	if (err)
		return err;
	half = make_half(vma, addr, new_below);
	if (!half)
		return -ENOMEM;
	ms_vma_call_open(half);
	if (ms_vma_is_hugetlb(vma))
		ms_hugetlb_split(vma, addr);
	if (new_below)
		ms_vma_adjust(vma, addr, vma->vm_end, ms_vma_pgoff_of(vma, addr));
	else
		ms_vma_adjust(vma, vma->vm_start, addr, vma->vm_pgoff);
	ms_vma_tree_insert(vma->vm_mm, half);
	ms_i_mmap_insert(half);
	if (new_vma)
		*new_vma = half;
	return 0;
}

// mirrors split_vma(), mm/mmap.c, 5.10 .. 6.11; split_vma(), mm/vma.c, 6.12+
int ms_split_vma(struct ms_vma *vma, ms_hva_t addr, bool new_below, struct ms_vma **new_vma)
{
	if (vma->vm_mm->map_count >= ms_vma_machine(vma)->config.max_map_count)
		return ms_refuse_map_count(vma->vm_mm);
	return ms_split_vma_nolimit(vma, addr, new_below, new_vma);
}
