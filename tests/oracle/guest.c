/* SPDX-License-Identifier: GPL-2.0-only */
/* Memslots, stage 2, dirty logs, and what the process's notifiers do to them. */
#include "guest.h"

#include <errno.h>
#include <string.h>

/* ---- stage 2 ---- */

/* A leaf goes whole. */
static void unmap_page(struct guest *g, unsigned int i)
{
	unsigned int first = i, end = i + 1;

	if (g->s2[i].there && g->s2[i].block) {
		first = i / BLOCK * BLOCK;
		end = first + BLOCK;
	}
	for (; first < end; first++)
		g->s2[first] = (struct stage2){ 0 };
}

void guest_unmap(struct guest *g, unsigned int at, unsigned int end)
{
	for (; at < end; at++)
		unmap_page(g, at);
}

static void write_protect(struct guest *g, unsigned int at, unsigned int end)
{
	for (unsigned int i = at; i < end; i++) {
		unsigned int first = i, stop = i + 1;

		if (g->s2[i].there && g->s2[i].block) {
			first = i / BLOCK * BLOCK;
			stop = first + BLOCK;
		}
		for (; first < stop; first++)
			g->s2[first].prot &= ~MS_PROT_W;
	}
}

static bool same_but_for_rights(const struct stage2 *a, const struct stage2 *b)
{
	const unsigned int rights = MS_PROT_R | MS_PROT_W | MS_PROT_X;

	return a->there && a->block == b->block && a->kind == b->kind && a->what == b->what &&
	       !((a->prot ^ b->prot) & ~rights);
}

/*
 * kvm_pgtable_stage2_map of one page, or of 2M: what was there goes, be it a block around the page
 * or pages where the block comes.
 */
int guest_map(struct flat *f, unsigned int at, unsigned int npages, struct stage2 page)
{
	struct guest *g = f->guest;

	page.there = true;
	page.block = npages > 1;
	if (same_but_for_rights(&g->s2[at], &page) &&
	    f->policy->s2_same_leaf == MS_S2_SAME_LEAF_EAGAIN)
		return -EAGAIN;
	guest_unmap(g, at, at + npages);
	for (unsigned int i = 0; i < npages; i++) {
		g->s2[at + i] = page;
		g->s2[at + i].what += i;
	}
	return 0;
}

/* ---- notifiers ---- */

static bool overlap(const struct slot *s, unsigned int *at, unsigned int *end)
{
	if (*at < s->hva)
		*at = s->hva;
	if (*end > s->hva + s->npages)
		*end = s->hva + s->npages;
	return *at < *end;
}

void flat_notify(struct flat *f, const struct process *p, unsigned int at, unsigned int end)
{
	struct guest *g = f->guest;

	if (!g || p != &f->p[0])
		return;
	for (unsigned int n = 0; n < SLOTS; n++) {
		const struct slot *s = &g->slot[n];
		unsigned int from = at, to = end;

		if (!overlap(s, &from, &to))
			continue;
		g->told++;
		guest_unmap(g, s->gpa + from - s->hva, s->gpa + to - s->hva);
	}
}

/* Up to 6.9, the page that was copied is mapped read-only, if that takes no new table. */
void flat_change_pte(struct flat *f, const struct process *p, unsigned int page)
{
	struct guest *g = f->guest;

	if (!g || p != &f->p[0] || f->policy->notifier_change_pte == MS_NOTIFIER_CHANGE_PTE_NO)
		return;
	for (unsigned int n = 0; n < SLOTS; n++) {
		const struct slot *s = &g->slot[n];
		unsigned int from = page, to = page + 1, i;
		bool table = false;

		if (!overlap(s, &from, &to))
			continue;
		i = s->gpa + from - s->hva;
		for (unsigned int k = 0; k < BLOCK && i / BLOCK * BLOCK + k < GUEST_PAGES; k++)
			table |= g->s2[i / BLOCK * BLOCK + k].there;
		if (table)
			guest_map(f, i, 1,
				  (struct stage2){ .kind = p->e[page].kind,
						   .what = p->e[page].what,
						   .prot = MS_PROT_R });
	}
}

/* ---- memslots ---- */

static bool has_pfnmap(const struct process *p, const struct slot *s)
{
	for (unsigned int i = s->hva; i < s->hva + s->npages; i++)
		if (p->a[i].vma && p->a[i].flags & MS_VM_PFNMAP)
			return true;
	return false;
}

/* kvm_vma_mte_allowed */
bool guest_may_have_tags(const struct flat *f, const struct area *a)
{
	if (!f->guest->mte)
		return true;
	if (f->policy->mte_vma == MS_MTE_VMA_NO_SHARED)
		return !(a->flags & MS_VM_SHARED);
	return a->flags & MS_VM_MTE_ALLOWED;
}

static bool tags_fit(const struct flat *f, const struct slot *s)
{
	for (unsigned int i = s->hva; i < s->hva + s->npages; i++)
		if (f->p[0].a[i].vma && !guest_may_have_tags(f, &f->p[0].a[i]))
			return false;
	return true;
}

/* kvm_arch_prepare_memory_region: up to 5.13 device memory is mapped at once, by vm_pgoff. */
static int prepare(struct flat *f, const struct slot *s)
{
	const struct process *p = &f->p[0];

	if (!tags_fit(f, s) || (has_pfnmap(p, s) && s->flags & MS_SLOT_LOG_DIRTY))
		return -EINVAL;
	if (f->policy->slot_pfnmap != MS_SLOT_PFNMAP_PREMAP)
		return 0;
	for (unsigned int i = s->hva; i < s->hva + s->npages; i++) {
		struct stage2 page = { .kind = E_PFN, .what = p->a[i].pgoff };

		if (!p->a[i].vma || !(p->a[i].flags & MS_VM_PFNMAP))
			continue;
		page.prot = MS_PROT_R | MS_PROT_DEVICE;
		page.prot |= s->flags & MS_SLOT_READONLY ? 0 : MS_PROT_W;
		guest_map(f, s->gpa + i - s->hva, 1, page);
	}
	return 0;
}

/* kvm_alloc_dirty_bitmap */
static void begin_log(const struct guest *g, struct slot *s)
{
	bool all = g->log == LOG_MANUAL_INITSET && s->flags & MS_SLOT_LOG_DIRTY;

	for (unsigned int i = 0; i < PAGES; i++)
		s->dirty[i] = all && i < s->npages;
}

static int create(struct flat *f, const struct op *op)
{
	struct guest *g = f->guest;
	struct slot *s = &g->slot[op->slot];
	const struct slot *other = &g->slot[!op->slot];
	struct slot new = { .npages = op->len, .gpa = op->gpa, .hva = op->at, .flags = op->flags };
	int err;

	if (new.gpa < other->gpa + other->npages && other->gpa < new.gpa + new.npages)
		return -EEXIST;
	err = prepare(f, &new);
	if (err)
		return err;
	begin_log(g, &new);
	*s = new;
	return 0;
}

int64_t guest_slot(struct flat *f, const struct op *op)
{
	struct guest *g = f->guest;
	struct slot *s = &g->slot[op->slot];
	struct slot new = *s;
	int err;

	if (op->kind == OP_SLOT)
		return s->npages ? FLAT_SKIP : create(f, op);
	if (!s->npages)
		return FLAT_SKIP;
	if (op->kind == OP_SLOT_DELETE) {
		guest_unmap(g, s->gpa, s->gpa + s->npages);
		*s = (struct slot){ 0 };
		return 0;
	}
	if (s->flags & MS_SLOT_READONLY)
		return FLAT_SKIP;
	new.flags ^= MS_SLOT_LOG_DIRTY;
	begin_log(g, &new);
	err = prepare(f, &new);
	if (err)
		return err;
	*s = new;
	if (s->flags & MS_SLOT_LOG_DIRTY && g->log != LOG_MANUAL_INITSET)
		write_protect(g, s->gpa, s->gpa + s->npages);
	return 0;
}

/*
 * kvm_arch_mmu_enable_log_dirty_pt_masked: in each word of 64 what lies between the first and the
 * last bit is protected.
 */
static void clear_dirty(struct guest *g, struct slot *s, unsigned int from, unsigned int to)
{
	for (unsigned int word = from; word < to; word += 64) {
		unsigned int first = 0, end = 0;

		for (unsigned int i = word; i < word + 64 && i < s->npages; i++) {
			if (!s->dirty[i])
				continue;
			first = end ? first : i;
			end = i + 1;
			s->dirty[i] = false;
		}
		if (end)
			write_protect(g, s->gpa + first, s->gpa + end);
	}
}

/* KVM_GET_DIRTY_LOG */
int64_t guest_dirty(struct flat *f, const struct op *op)
{
	struct slot *s = &f->guest->slot[op->slot];
	uint64_t hash = 0;

	if (!(s->flags & MS_SLOT_LOG_DIRTY))
		return -ENOENT;
	for (unsigned int i = 0; i < s->npages; i++)
		if (s->dirty[i])
			hash = hash * 31 + i + 1;
	if (f->guest->log == LOG_AT_ONCE)
		clear_dirty(f->guest, s, 0, s->npages);
	return (int64_t)(hash >> 8);
}

/* KVM_CLEAR_DIRTY_LOG with every bit: whole words, but for the slot's last one. */
int64_t guest_clear(struct flat *f, const struct op *op)
{
	struct slot *s = &f->guest->slot[op->slot];

	if (op->off % 64)
		return -EINVAL;
	if (!(s->flags & MS_SLOT_LOG_DIRTY))
		return -ENOENT;
	if (op->off > s->npages || op->len > s->npages - op->off ||
	    (op->len < s->npages - op->off && op->len % 64))
		return -EINVAL;
	clear_dirty(f->guest, s, op->off, op->off + op->len);
	return 0;
}
