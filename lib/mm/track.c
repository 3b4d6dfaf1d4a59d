/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracking of pfn mappings: which VMA has reserved what, and when it is given back. Up to 6.15
 * the kernel does it in arch/x86/mm/pat/memtype.c with the flag VM_PAT, from 6.16 on in mm/memory.c
 * and mm/vma_init.c with a struct pfnmap_track_ctx.
 */
#include "mm/internal.h"

#define REFCOUNT_MAX ((uint32_t)INT32_MAX)

/* From 6.16 on a VMA remembers what it has reserved; before, it is found through its page table. */
static bool by_context(const struct ms_machine *m)
{
	return m->policy.untrack_at == MS_UNTRACK_AT_LAST_VMA_FREED ||
	       m->policy.untrack_address == MS_UNTRACK_ADDRESS_REMEMBERED;
}

/* From 6.16 on the reservation ends with its last VMA; there is no untrack_pfn(). */
static bool ends_with_vma(const struct ms_machine *m)
{
	return m->policy.untrack_at == MS_UNTRACK_AT_LAST_VMA_FREED;
}

/* ---- physical ranges ---- */

/*
 * Reserves memory that is not RAM, with a new context in *ctx (NULL: no entry was made); of RAM,
 * the type of its first page is taken. strict (up to 6.15, at fork): the type must be the one that
 * was asked for.
 * mirrors reserve_pfn_range(), arch/x86/mm/pat/memtype.c, 5.10+
 */
static int reserve_pfn_range(struct ms_machine *m, ms_pa_t pa, uint64_t size, ms_pgprot_t *prot,
			     bool strict, struct ms_pfnmap_ctx **ctx)
{
	enum ms_cache want = ms_pgprot_cache(*prot), got = want;
	int err;

	*ctx = NULL;
	if (ms_pat_range_is_ram(m, pa, pa + size)) {
		if (!ms_has(m->config.pat))
			return 0;
		got = ms_memtype_lookup(m, pa);
		if (got != want)
			ms_log(m, "x86/PAT: map pfn RAM range: another type than asked for", pa,
			       size);
		*prot = ms_pgprot_set_cache(*prot, got);
		return 0;
	}
	err = ms_memtype_reserve_for(m, pa, pa + size, &got, ctx);
	if (err)
		return err;
	if (got != want && (strict || !ms_is_new_memtype_allowed(pa, pa + size, want, got))) {
		ms_memtype_free_of(m, pa, pa + size, *ctx, NULL);
		ms_log(m, "x86/PAT: map pfn expected another mapping type", pa, size);
		return ms_refuse(m, -EINVAL, "%x-%x is reserved as %s, %s was asked for", pa,
				 pa + size, ms_refusal_text(ms_cache_name(MS_ARCH_X86_64, got)),
				 ms_refusal_text(ms_cache_name(MS_ARCH_X86_64, want)));
	}
	*prot = ms_pgprot_set_cache(*prot, got);
	return 0;
}

/* An event for what goes wrong without anybody in the kernel noticing. */
static void hazard(const struct ms_vma *vma, ms_pa_t start, uint64_t size, const char *reason)
{
	MS_EMIT(ms_vma_machine(vma), .type = MS_EV_PAT_HAZARD, .mm = ms_mm_id(vma->vm_mm),
		.va = vma->vm_start, .size = ms_vma_size(vma), .pa = start, .pa_size = size,
		.reason = reason);
}

/*
 * Gives memory back; of RAM nothing was reserved. The VMA's hold on ctx (may be NULL) ends.
 * mirrors free_pfn_range(), arch/x86/mm/pat/memtype.c, 5.10+
 */
static void free_pfn_range(const struct ms_vma *vma, ms_pa_t pa, uint64_t size,
			   struct ms_pfnmap_ctx *ctx)
{
	struct ms_machine *m = ms_vma_machine(vma);
	const char *why = NULL;

	if (ms_pat_range_is_ram(m, pa, pa + size) == 0)
		ms_memtype_free_of(m, pa, pa + size, ctx, &why);
	else
		ms_pfnmap_ctx_drop(m, ctx);
	if (why)
		hazard(vma, pa, size, why);
}

/* ---- contexts ---- */

/* A hold ends, and nothing is given back: if it was the last hold on an entry, nobody will. */
static void drop_ctx(struct ms_machine *m, const struct ms_vma *vma, struct ms_pfnmap_ctx *ctx)
{
	if (ctx && ctx->listed && ctx->holders == 1)
		hazard(vma, ctx->start, ctx->end - ctx->start, "a reservation is left behind");
	ms_pfnmap_ctx_drop(m, ctx);
}

static void set_ctx(struct ms_machine *m, struct ms_vma *vma, struct ms_pfnmap_ctx *ctx)
{
	drop_ctx(m, vma, vma->pfnmap_ctx);
	vma->pfnmap_ctx = ctx;
	ms_handlers_note(vma);
}

/* The VMA gives up its hold; where contexts decide, the last holder gives back what was reserved.
 * mirrors pfnmap_track_ctx_release(), mm/memory.c, 6.16+; pfnmap_untrack(),
 * arch/x86/mm/pat/memtype.c, 6.16+ */
static void release_ctx(struct ms_machine *m, struct ms_vma *vma)
{
	struct ms_pfnmap_ctx *ctx = vma->pfnmap_ctx;

	vma->pfnmap_ctx = NULL;
	ms_handlers_note(vma);
	if (ctx && by_context(m) && ctx->holders == 1)
		free_pfn_range(vma, ctx->start, ctx->end - ctx->start, ctx);
	else
		drop_ctx(m, vma, ctx);
}

// mirrors vma_pfnmap_track_ctx_dup(), mm/vma_init.c, 6.16+
int ms_pfnmap_ctx_dup(struct ms_vma *dst, const struct ms_vma *src)
{
	if (!dst || !src)
		return -EINVAL;
	struct ms_pfnmap_ctx *ctx = src->pfnmap_ctx;

	dst->pfnmap_ctx = NULL;
	if (!ctx)
		return 0;
	if (ctx->holders >= REFCOUNT_MAX && !by_context(ms_vma_machine(src)))
		return 0;
	if (ctx->holders >= REFCOUNT_MAX)
		return ms_refuse(ms_vma_machine(src), -ENOMEM, "%x-%x has too many holders: %u",
				 ctx->start, ctx->end, ctx->holders);
	ctx->holders++;
	dst->pfnmap_ctx = ctx;
	return 0;
}

// mirrors vma_pfnmap_track_ctx_release(), mm/vma_init.c, 6.16+
void ms_pfnmap_ctx_put(struct ms_vma *vma)
{
	if (vma && vma->pfnmap_ctx)
		release_ctx(ms_vma_machine(vma), vma);
}

/* ---- remap and insert ---- */

/* The VMA gets the flag VM_PAT. The caller of remap_pfn_range() sees the same error for every
 * failure.
 * mirrors track_pfn_remap(), arch/x86/mm/pat/memtype.c, 5.10 .. 6.15: of a whole VMA */
static int track_by_flag(struct ms_machine *m, struct ms_vma *vma, ms_pgprot_t *prot, ms_pa_t pa,
			 uint64_t size)
{
	const uint64_t before = ms_refusals(m);
	struct ms_pfnmap_ctx *ctx;

	if (reserve_pfn_range(m, pa, size, prot, false, &ctx))
		return ms_answered_as(m, before, -EINVAL);
	vma->vm_flags |= MS_VM_PAT;
	ms_handlers_note(vma);
	set_ctx(m, vma, ctx);
	return 0;
}

// mirrors pfnmap_track_ctx_alloc(), mm/memory.c, 6.16+; pfnmap_track(), arch/x86/mm/pat/memtype.c,
// 6.16+
static int track_by_context(struct ms_machine *m, struct ms_vma *vma, ms_pgprot_t *prot, ms_pa_t pa,
			    uint64_t size)
{
	struct ms_pfnmap_ctx *ctx = vma->pfnmap_ctx;
	const uint64_t before = ms_refusals(m);

	if (ctx)
		return ms_refuse(m, -EINVAL, MS_VMA_WORDS " has reserved %x-%x already",
				 MS_VMA_NUMBERS(vma), ctx->start, ctx->end);
	if (reserve_pfn_range(m, pa, size, prot, false, &ctx))
		return ms_answered_as(m, before, -EINVAL);
	if (!ctx)
		ctx = ms_pfnmap_ctx_new(m, pa, pa + size);
	if (!ctx) {
		free_pfn_range(vma, pa, size, NULL);
		return ms_refuse(m, -ENOMEM, "no memory");
	}
	vma->pfnmap_ctx = ctx;
	ms_handlers_note(vma);
	return 0;
}

// mirrors track_pfn_remap(), arch/x86/mm/pat/memtype.c, 5.10 .. 6.15; remap_pfn_range_track(),
// mm/memory.c, 6.16+; pfnmap_setup_cachemode(), arch/x86/mm/pat/memtype.c, 6.16+
int ms_track_pfn_remap(struct ms_vma *vma, ms_pgprot_t *prot, ms_pfn_t pfn, ms_hva_t addr,
		       uint64_t size)
{
	if (!vma)
		return -EINVAL;
	struct ms_machine *m = ms_vma_machine(vma);
	ms_pa_t pa = pfn << m->page_shift;
	const uint64_t before = ms_refusals(m);
	enum ms_cache type;

	if (!ms_is_x86(m))
		return 0;
	size = ms_align_up(size, m->page_size);
	if (addr == vma->vm_start && size == ms_vma_size(vma))
		return by_context(m) ? track_by_context(m, vma, prot, pa, size)
				     : track_by_flag(m, vma, prot, pa, size);
	if (!ms_has(m->config.pat))
		return 0;
	if (ms_memtype_lookup_range(m, pa, pa + size, &type))
		return (int)ms_answered(m, before, -EINVAL,
					"the pages have more than one memory type");
	*prot = ms_pgprot_set_cache(*prot, type);
	return 0;
}

// mirrors track_pfn_insert(), arch/x86/mm/pat/memtype.c, 5.10 .. 6.15;
// pfnmap_setup_cachemode_pfn(), include/linux/pgtable.h, 6.16+
void ms_track_pfn_insert(struct ms_vma *vma, ms_pgprot_t *prot, ms_pfn_t pfn)
{
	if (!vma)
		return;
	struct ms_machine *m = ms_vma_machine(vma);

	if (!ms_is_x86(m) || !ms_has(m->config.pat))
		return;
	const struct ms_pfnmap_ctx *ctx = vma->pfnmap_ctx;
	ms_pa_t pa = pfn << m->page_shift;

	if (ctx && (pa < ctx->start || pa >= ctx->end))
		hazard(vma, pa, m->page_size, "a page other than the reserved ones is mapped");
	*prot = ms_pgprot_set_cache(*prot, ms_memtype_lookup(m, pa));
}

/* ---- where a VMA's reservation begins ---- */

/* The address in the VMA's first entry, if it is present. From 6.9 on, and in later releases of
 * older branches, the entry of a page that the process has copied does not count.
 * mirrors follow_phys(), mm/memory.c, 5.10 .. 6.8; follow_phys(), arch/x86/mm/pat/memtype.c,
 * 6.9 .. 6.15 */
static bool follow_phys(const struct ms_machine *m, uint64_t entry, ms_pa_t *pa)
{
	if (!(entry & (MS_PTE_PRESENT | MS_PTE_PROTNONE)))
		return false;
	if (m->policy.untrack_address != MS_UNTRACK_ADDRESS_FIRST_PTE_EVEN_ANON &&
	    !(entry & MS_PTE_SPECIAL))
		return false;
	*pa = entry & MS_PTE_PA_MASK;
	return true;
}

/*
 * Where the VMA's reservation begins, and with prot (at fork) its type. If the first page is not
 * mapped, a private mapping can be asked for its vm_pgoff, which does not tell the type; before 6.9
 * the kernel does not do that, and warns.
 * mirrors get_pat_info(), arch/x86/mm/pat/memtype.c, 5.10 .. 6.15
 */
static int get_pat_info(const struct ms_vma *vma, uint64_t first_entry, ms_pa_t *pa,
			ms_pgprot_t *prot)
{
	struct ms_machine *m = ms_vma_machine(vma);
	bool even_anon = m->policy.untrack_address == MS_UNTRACK_ADDRESS_FIRST_PTE_EVEN_ANON;

	if (follow_phys(m, first_entry, pa)) {
		if (prot)
			*prot = first_entry & ~MS_PTE_PA_MASK;
		return 0;
	}
	if (ms_is_cow_mapping(vma->vm_flags) && !even_anon) {
		*pa = vma->vm_pgoff << m->page_shift;
		return prot ? -EINVAL : 0;
	}
	ms_vma_violation(vma, MS_VIOLATION_KERNEL,
			 "PAT: the first page of a tracked VMA is not mapped", vma->vm_start, 0);
	return -EINVAL;
}

/* ---- fork ---- */

/* A policy that no kernel has: it remembers what it reserved, but lets a child reserve anew. */
static int copy_by_context(struct ms_machine *m, struct ms_vma *dst, const struct ms_vma *src)
{
	const struct ms_pfnmap_ctx *from = src->pfnmap_ctx;
	struct ms_pfnmap_ctx *ctx;
	ms_pgprot_t prot;
	int err;

	if (!from)
		return 0;
	prot = ms_pgprot_set_cache(0, from->type);
	err = reserve_pfn_range(m, from->start, from->end - from->start, &prot, true, &ctx);
	if (err)
		return err;
	if (!ctx)
		ctx = ms_pfnmap_ctx_new(m, from->start, from->end);
	if (!ctx)
		return -ENOMEM;
	set_ctx(m, dst, ctx);
	return 0;
}

// mirrors track_pfn_copy(), arch/x86/mm/pat/memtype.c, 5.10 .. 6.15
int ms_track_pfn_copy(struct ms_vma *dst, struct ms_vma *src, uint64_t src_first_entry)
{
	if (!dst || !src)
		return -EINVAL;
	struct ms_machine *m = ms_vma_machine(src);
	bool inherited = m->policy.fork_tracking == MS_FORK_TRACKING_FLAG_INHERITED;
	struct ms_pfnmap_ctx *ctx;
	ms_pgprot_t prot;
	uint64_t before;
	ms_pa_t pa;
	int err;

	if (!ms_is_x86(m) || m->policy.fork_tracking == MS_FORK_TRACKING_SHARE_CONTEXT)
		return 0;
	if (by_context(m))
		return copy_by_context(m, dst, src);
	if (!(src->vm_flags & MS_VM_PAT))
		return 0;
	// the child's copy of the parent's hold goes: it is to hold what it reserves itself
	before = ms_refusals(m);
	set_ctx(m, dst, NULL);
	if (!inherited)
		dst->vm_flags &= ~MS_VM_PAT;
	if (get_pat_info(src, src_first_entry, &pa, &prot))
		return ms_refuse(m, -EINVAL,
				 MS_VMA_WORDS " is tracked, and its first page is not mapped",
				 MS_VMA_NUMBERS(src));
	err = reserve_pfn_range(m, pa, ms_vma_size(src), &prot, true, &ctx);
	if (err)
		return (int)ms_answered(m, before, err, NULL);
	dst->vm_flags |= MS_VM_PAT;
	set_ctx(m, dst, ctx);
	return 0;
}

/* ---- untrack ---- */

/* VM_PAT tells whether anything is given back, the page table tells what.
 * mirrors untrack_pfn(), arch/x86/mm/pat/memtype.c, 5.10 .. 6.15 */
static void untrack_by_flag(struct ms_machine *m, struct ms_vma *vma, ms_pfn_t pfn, uint64_t size,
			    uint64_t first_entry)
{
	ms_pa_t pa = pfn << m->page_shift;
	struct ms_pfnmap_ctx *ctx;

	if (!(vma->vm_flags & MS_VM_PAT))
		return;
	if (!pa && !size) {
		if (get_pat_info(vma, first_entry, &pa, NULL))
			return;
		size = ms_vma_size(vma);
	}
	ctx = vma->pfnmap_ctx;
	vma->pfnmap_ctx = NULL;
	ms_handlers_note(vma);
	free_pfn_range(vma, pa, size, ctx);
	vma->vm_flags &= ~MS_VM_PAT;
	ms_handlers_note(vma);
}

// mirrors untrack_pfn(), arch/x86/mm/pat/memtype.c, 5.10 .. 6.15
void ms_untrack_pfn(struct ms_vma *vma, ms_pfn_t pfn, uint64_t size, uint64_t first_entry)
{
	if (!vma)
		return;
	struct ms_machine *m = ms_vma_machine(vma);

	if (!ms_is_x86(m) || ends_with_vma(m))
		return;
	MS_EMIT(m, .type = MS_EV_PAT_UNTRACK, .mm = ms_mm_id(vma->vm_mm), .va = vma->vm_start,
		.pfn = pfn, .size = size);
	if (by_context(m))
		release_ctx(m, vma);
	else
		untrack_by_flag(m, vma, pfn, size, first_entry);
}

// mirrors untrack_pfn_moved(), arch/x86/mm/pat/memtype.c, 5.10 .. 5.10; untrack_pfn_clear(),
// arch/x86/mm/pat/memtype.c, 6.1 .. 6.15
void ms_untrack_pfn_clear(struct ms_vma *vma)
{
	if (!vma)
		return;
	struct ms_machine *m = ms_vma_machine(vma);

	if (!ms_is_x86(m) || ends_with_vma(m))
		return;
	vma->vm_flags &= ~MS_VM_PAT;
	ms_handlers_note(vma);
	set_ctx(m, vma, NULL);
	MS_EMIT(m, .type = MS_EV_PAT_CLEAR, .mm = ms_mm_id(vma->vm_mm), .va = vma->vm_start);
}
