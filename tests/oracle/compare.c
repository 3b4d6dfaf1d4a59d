/* SPDX-License-Identifier: GPL-2.0-only */
/* The library's state against the arrays'. */
#include "ops.h"

#include <string.h>

/* Always set, or without a meaning in the arrays. */
#define IGNORED MS_VM_SOFTDIRTY

static const char *vmas(const struct process *p, struct ms_mm *mm, char *buf, size_t size)
{
	const struct ms_vma *vma = ms_find_vma(mm, WINDOW);
	unsigned int end;

	for (unsigned int i = 0; i < PAGES; i = end) {
		const struct area *a = &p->a[i];
		ms_hva_t start = WINDOW + i * PAGE;

		end = i + 1;
		if (!a->vma)
			continue;
		end = flat_end(p, i);
		if (!vma || vma->vm_start != start || vma->vm_end != WINDOW + end * PAGE ||
		    ((vma->vm_flags ^ a->flags) & ~IGNORED) || vma->vm_pgoff != a->pgoff) {
			snprintf(buf, size,
				 "expected VMA %#llx-%#llx flags %#llx pgoff %#llx, "
				 "got %#llx-%#llx flags %#llx pgoff %#llx",
				 (unsigned long long)start,
				 (unsigned long long)(WINDOW + end * PAGE),
				 (unsigned long long)a->flags, (unsigned long long)a->pgoff,
				 vma ? (unsigned long long)vma->vm_start : 0,
				 vma ? (unsigned long long)vma->vm_end : 0,
				 vma ? (unsigned long long)(vma->vm_flags & ~IGNORED) : 0,
				 vma ? (unsigned long long)vma->vm_pgoff : 0);
			return buf;
		}
		vma = ms_vma_next(vma);
	}
	if (!vma)
		return NULL;
	snprintf(buf, size, "a VMA at %#llx that should not be there",
		 (unsigned long long)vma->vm_start);
	return buf;
}

/* Which frames somebody maps. */
static void see(const struct flat *f, struct same *same)
{
	same->looks++;
	same->stale = false;
	for (unsigned int n = 0; n < PROCESSES; n++) {
		const struct process *p = &f->p[n];

		for (unsigned int i = 0; p->alive && i < PAGES; i++)
			if (p->e[i].kind == E_FRAME || p->e[i].kind == E_CACHE)
				same->seen[p->e[i].what] = same->looks;
	}
}

/* The same frame is the same page wherever it is mapped, and no other frame is that page. */
static bool same_frame(const struct flat *f, struct same *same, uint64_t frame, uint64_t pfn)
{
	unsigned int other;

	if (same->pfn_of[frame])
		return same->pfn_of[frame] == pfn;
	if (pfn >= RAM_END_PFN)
		return false;
	other = same->frame_of[pfn];
	// a copy is made while the other is still there
	if (other && other == f->copy_of[frame])
		return false;
	if (other && same->stale)
		see(f, same);
	if (other && (f->cached[other] || same->seen[other] == same->looks))
		return false;
	same->pfn_of[frame] = pfn;
	same->frame_of[pfn] = (unsigned int)frame;
	return true;
}

static bool entry_is(const struct flat *f, const struct entry *e, uint64_t real, bool huge,
		     struct same *same)
{
	uint64_t pfn = (real & MS_PTE_PA_MASK) >> 12;
	bool special = real & MS_PTE_SPECIAL;

	if (!!(real & MS_PTE_WRITE) != e->write || !!(real & MS_PTE_PROTNONE) != e->none ||
	    !!(real & MS_PTE_PRESENT) == e->none ||
	    (special != (e->kind != E_FRAME && e->kind != E_CACHE) &&
	     !(huge && e->kind == E_ZERO)) ||
	    ms_pgprot_cache(real) != e->cache)
		return false;
	if (e->kind == E_FRAME || e->kind == E_CACHE)
		return same_frame(f, same, e->what, pfn);
	return e->kind != E_PFN || e->what == pfn;
}

static const char *entries(const struct flat *f, const struct process *p, struct ms_mm *mm,
			   struct same *same, const struct pages *in, char *buf, size_t size)
{
	static const char *const kinds[] = { "nothing", "the zero page", "frame", "file page",
					     "pfn" };
	const ms_hva_t end = WINDOW + PAGES * PAGE;
	struct ms_host_leaf leaf;

	leaf.start = 0;
	for (unsigned int i = in->at, n; i < in->end && i < PAGES; i += n) {
		const struct entry *e = &p->e[i];
		bool there;

		n = 1;
		if (leaf.start < WINDOW + i * PAGE &&
		    !ms_host_next_leaf(mm, WINDOW + i * PAGE, end, &leaf))
			leaf.start = end;
		there = leaf.start == WINDOW + i * PAGE;
		if (there && leaf.size > PAGE && i % BLOCK == 0 && p->leaf[i / BLOCK])
			n = BLOCK;
		if (there ? e->kind != E_NONE && leaf.size == n * PAGE &&
				    entry_is(f, e, leaf.entry, n > 1, same)
			  : e->kind == E_NONE)
			continue;
		snprintf(buf, size, "at %#llx expected %s %#llx%s%s type %d, got entry %#llx",
			 (unsigned long long)(WINDOW + i * PAGE), kinds[e->kind],
			 (unsigned long long)e->what, e->write ? " writable" : "",
			 e->none ? " PROT_NONE" : "", e->cache,
			 there ? (unsigned long long)leaf.entry : 0);
		return buf;
	}
	return NULL;
}

struct walk {
	const struct flat *f;
	size_t i;
	bool differs;
};

static void one_memtype(const struct ms_memtype *real, void *arg)
{
	struct walk *w = arg;
	const struct ms_memtype *e = &w->f->memtype[w->i];

	if (w->i < w->f->memtypes && e->start == real->start && e->end == real->end &&
	    e->type == real->type)
		w->i++;
	else
		w->differs = true;
}

static const char *memtypes(const struct flat *f, struct real *r, char *buf, size_t size)
{
	struct walk w = { .f = f };
	const struct ms_memtype *e;

	ms_memtype_walk(r->m, BAR_PA, BAR_PA + 2 * BAR_PAGES * PAGE, one_memtype, &w);
	if (!w.differs && w.i == f->memtypes)
		return NULL;
	e = w.i < f->memtypes ? &f->memtype[w.i] : NULL;
	snprintf(buf, size, "memtype %zu should be %#llx-%#llx type %d", w.i,
		 e ? (unsigned long long)e->start : 0, e ? (unsigned long long)e->end : 0,
		 e ? (int)e->type : -1);
	return buf;
}

static bool page_is(const struct flat *f, const struct stage2 *page, const struct ms_s2_leaf *leaf,
		    struct same *same)
{
	const unsigned int known = MS_PROT_RW | MS_PROT_X | MS_PROT_DEVICE | MS_PROT_NORMAL_NC;
	uint64_t pfn = leaf->pa >> 12;

	if (!page->there || (leaf->prot & known) != page->prot ||
	    leaf->size != (page->block ? BLOCK * PAGE : PAGE))
		return false;
	if (page->kind == E_FRAME || page->kind == E_CACHE)
		return same_frame(f, same, page->what, pfn);
	return page->kind != E_PFN || page->what == pfn;
}

static const char *stage2(const struct flat *f, const struct real *r, struct same *same,
			  const struct pages *in, char *buf, size_t size)
{
	const struct ms_s2 *s2 = ms_vm_s2(r->vm);
	const ms_ipa_t end = GPA + GUEST_PAGES * PAGE;
	struct ms_s2_leaf leaf = { 0 };

	for (unsigned int i = in->at, n; i < in->end && i < GUEST_PAGES; i += n) {
		const struct stage2 *page = &f->guest->s2[i];
		ms_ipa_t ipa = GPA + i * PAGE;
		bool there;

		n = page->there && page->block ? BLOCK : 1;
		if (leaf.ipa < ipa && !ms_s2_next_leaf(s2, ipa, end, &leaf))
			leaf.ipa = end;
		there = leaf.ipa == ipa;
		if (there ? page_is(f, page, &leaf, same) : !page->there)
			continue;
		snprintf(buf, size,
			 "stage 2 at %#llx expected kind %d %#llx prot %#x size %#llx, got pa "
			 "%#llx prot %#x size %#llx",
			 (unsigned long long)ipa, page->there ? (int)page->kind : -1,
			 (unsigned long long)page->what, page->prot, (unsigned long long)(n * PAGE),
			 there ? (unsigned long long)leaf.pa : 0, there ? leaf.prot : 0,
			 there ? (unsigned long long)leaf.size : 0);
		return buf;
	}
	return NULL;
}

#define NEAR 8u

static struct pages near(unsigned int page)
{
	return (struct pages){ page < NEAR ? 0 : page - NEAR, page + NEAR };
}

/* Where a leaf of 2M begins before the first page, so does the look. */
static struct pages of_process(const struct process *p, const struct op *op)
{
	struct pages in = near(op->at);

	if (p->leaf[in.at / BLOCK])
		in.at = in.at / BLOCK * BLOCK;
	return in;
}

static struct pages of_guest(const struct guest *g, const struct op *op)
{
	struct pages in = near(op->gpa < GUEST_PAGES ? op->gpa : 0);

	if (g->s2[in.at].block)
		in.at = in.at / BLOCK * BLOCK;
	return in;
}

const char *compare(const struct flat *f, struct real *r, struct same *same, const struct op *op,
		    char *buf, size_t size)
{
	struct pages host = { 0, PAGES }, guest = { 0, GUEST_PAGES };
	const char *what = NULL;

	same->stale = true;
	for (unsigned int n = 0; n < PROCESSES && !what; n++) {
		if (f->p[n].alive != !!r->mm[n])
			return "one says that the child is alive";
		if (!r->mm[n])
			continue;
		if (op)
			host = of_process(&f->p[n], op);
		what = vmas(&f->p[n], r->mm[n], buf, size);
		if (!what)
			what = entries(f, &f->p[n], r->mm[n], same, &host, buf, size);
	}
	if (op)
		guest = of_guest(f->guest, op);
	if (!what && r->vm)
		what = stage2(f, r, same, &guest, buf, size);
	return what ? what : memtypes(f, r, buf, size);
}
