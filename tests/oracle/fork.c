/* SPDX-License-Identifier: GPL-2.0-only */
/* fork, exit, and what tears mappings down from outside. */
#include "flat.h"

#include <errno.h>

/* The child's reservation, up to 6.15 (track_pfn_copy): as the first entry says. */
static int track_copy(struct flat *f, struct process *child, const struct process *p,
		      unsigned int first, unsigned int end)
{
	const struct entry *e = &p->e[first];
	bool late = f->policy->fork_tracking == MS_FORK_TRACKING_FLAG_AFTER_RESERVE;
	uint64_t start = e->what << 12, stop = start + (end - first) * PAGE;
	enum ms_cache got;

	if (!(p->a[first].flags & MS_VM_PAT))
		return 0;
	for (unsigned int i = first; late && i < end; i++)
		child->a[i].flags &= ~MS_VM_PAT;
	if (e->kind == E_FRAME &&
	    f->policy->untrack_address == MS_UNTRACK_ADDRESS_FIRST_PTE_EVEN_ANON)
		return 0; // RAM: nothing to reserve
	if (e->kind != E_PFN)
		return -EINVAL;
	if (flat_reserve(f, start, stop, e->cache, &got))
		return -EINVAL;
	if (got != e->cache) {
		flat_free(f, start, stop);
		return -EINVAL;
	}
	for (unsigned int i = first; i < end; i++)
		child->a[i].flags |= MS_VM_PAT;
	return 0;
}

/*
 * copy_huge_pmd: of a driver's leaves only 6.12 and later know that no fault may bring them back.
 */
static bool takes_leaf(const struct flat *f, const struct entry *e)
{
	return e->kind != E_PFN || f->policy->pfn_lookup == MS_PFN_LOOKUP_ANY_LEAF;
}

static void copy_entries(struct flat *f, struct process *child, struct process *p,
			 unsigned int first, unsigned int end)
{
	bool cow = flat_cow(&p->a[first]);

	child->populated |= p->populated;
	for (unsigned int i = first; i < end; i++) {
		struct entry *e = &p->e[i];

		child->table[i / BLOCK] |= p->table[i / BLOCK];
		if (p->leaf[i / BLOCK] && !takes_leaf(f, e))
			continue;
		child->leaf[i / BLOCK] |= p->leaf[i / BLOCK];

		if (cow)
			e->write = false;
		if (e->kind == E_FRAME)
			f->exclusive[e->what] = false;
		child->e[i] = *e;
		if (p->a[i].flags & MS_VM_SHARED)
			child->e[i].dirty = false;
	}
}

/* The VMA itself, with an anon_vma of its own behind the parent's. */
static void copy_area(struct flat *f, struct process *child, const struct process *p,
		      unsigned int first, unsigned int end)
{
	f->vmas++;
	if (p->a[first].anon)
		f->anons++;
	for (unsigned int i = first; i < end; i++) {
		child->a[i] = p->a[i];
		child->a[i].vma = f->vmas;
		child->a[i].flags &= ~MS_VM_LOCKED;
		child->a[i].listed = 0;
		if (p->a[i].anon) {
			child->a[i].anon = f->anons;
			child->a[i].chain = p->a[i].chain + 1;
		}
	}
}

static bool copies(const struct flat *f, const struct area *a)
{
	if (flat_hugetlb(a) && f->policy->hugetlb_fork == MS_HUGETLB_FORK_COPIES)
		return true;
	return a->flags & MS_VM_PFNMAP || a->anon;
}

int64_t flat_fork(struct flat *f)
{
	struct process *p = &f->p[0], *child = &f->p[1];
	unsigned int end;

	*child = (struct process){ .alive = true };
	// the recorder's processes may write so much of their own that nothing stays queued
	if (f->policy->recorder_fork_writes == MS_RECORDER_FORK_WRITES_MANY)
		flat_lru_drain(f);
	for (unsigned int i = 0; i < PAGES; i = end) {
		const struct area *a = &p->a[i];

		end = i + 1;
		if (!a->vma)
			continue;
		end = flat_end(p, i);
		if (a->flags & MS_VM_DONTCOPY)
			continue;
		copy_area(f, child, p, i, end);
		if (a->flags & MS_VM_PFNMAP && flat_tracks(f) && track_copy(f, child, p, i, end)) {
			flat_exit(f, child);
			return -ENOMEM;
		}
		if (copies(f, a) && flat_cow(a))
			flat_notify(f, p, i, end);
		if (copies(f, a))
			copy_entries(f, child, p, i, end);
		if (f->policy->fork_order == MS_FORK_ORDER_COPY_THEN_OPEN)
			flat_vfio_open(f, child, i, end);
	}
	return 0;
}

void flat_exit(struct flat *f, struct process *p)
{
	flat_unmap_drain(f);
	flat_unmap(f, p, 0, PAGES);
	*p = (struct process){ 0 };
}

static bool reached(const struct flat *f, const struct area *a, const struct op *op)
{
	if (op->kind == OP_REVOKE_DRIVER)
		return a->source >= SRC_DRIVER;
	if (a->source == SRC_DEVMEM || a->source == SRC_DEVMEM_NOSYNC)
		return true;
	return (a->source == SRC_BAR || a->source == SRC_BAR_WC) &&
	       f->policy->revoke_scope == MS_REVOKE_SCOPE_DEVMEM_AND_SYSFS;
}

struct mapped {
	struct process *p;
	unsigned int first, end;
	uint64_t pgoff;
};

/* VMAs that show some of BAR pages [off, off + len), by where they begin in the file. */
static unsigned int find_mapped(struct flat *f, const struct op *op, struct mapped *found)
{
	uint64_t start = (BAR_PA >> 12) + op->off, stop = start + op->len;
	unsigned int count = 0, end, k;

	for (unsigned int i = 0; i < PROCESSES * PAGES; i = end) {
		struct process *p = &f->p[i / PAGES];
		unsigned int first = i % PAGES;
		const struct area *a = &p->a[first];

		end = i + 1;
		if (!p->alive || !a->vma)
			continue;
		end = i - first + flat_end(p, first);
		if (!reached(f, a, op) || a->pgoff >= stop || a->pgoff + (end - i) <= start)
			continue;
		for (k = count++; k && found[k - 1].pgoff > a->pgoff; k--)
			found[k] = found[k - 1];
		found[k] = (struct mapped){ p, first, first + end - i, a->pgoff };
	}
	return count;
}

/* unmap_mapping_range() */
void flat_revoke(struct flat *f, const struct op *op)
{
	uint64_t start = (BAR_PA >> 12) + op->off, stop = start + op->len;
	struct mapped found[PROCESSES * PAGES];
	unsigned int count = find_mapped(f, op, found);

	if (count)
		flat_unmap_drain(f);
	for (unsigned int k = 0; k < count; k++) {
		const struct mapped *m = &found[k];
		unsigned int from = m->first, to = m->end;

		if (start > m->pgoff)
			from += (unsigned int)(start - m->pgoff);
		if (stop < m->pgoff + (m->end - m->first))
			to = m->first + (unsigned int)(stop - m->pgoff);
		flat_notify(f, m->p, from, to);
		flat_zap(f, m->p, from, to);
	}
}
