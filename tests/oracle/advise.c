/* SPDX-License-Identifier: GPL-2.0-only */
/* madvise, mlock, munlock. */
#include "flat.h"

#include <errno.h>

static int advised_flags(const struct flat *f, const struct area *a, enum ms_advice advice,
			 uint64_t *flags)
{
	uint64_t refused = MS_VM_IO;

	*flags = a->flags;
	switch (advice) {
	case MS_MADV_DONTFORK:
		*flags |= MS_VM_DONTCOPY;
		return 0;
	case MS_MADV_DOFORK:
		if (f->policy->madv_dofork_refuses == MS_MADV_DOFORK_REFUSES_VM_SPECIAL)
			refused = MS_VM_SPECIAL;
		*flags &= ~MS_VM_DONTCOPY;
		return a->flags & refused ? -EINVAL : 0;
	case MS_MADV_DONTDUMP:
		*flags |= MS_VM_DONTDUMP;
		return 0;
	case MS_MADV_DODUMP:
		*flags &= ~MS_VM_DONTDUMP;
		return flat_special(a) && !flat_hugetlb(a) ? -EINVAL : 0;
	case MS_MADV_HUGEPAGE:
		*flags = (*flags & ~MS_VM_NOHUGEPAGE) | MS_VM_HUGEPAGE;
		return 0;
	default:
		*flags = (*flags & ~MS_VM_HUGEPAGE) | MS_VM_NOHUGEPAGE;
		return 0;
	}
}

/* zap_pte_range: a table that has nothing left, where the whole 2M was asked for. */
static void reclaim_tables(const struct flat *f, struct process *p, unsigned int at,
			   unsigned int end)
{
	if (f->policy->pte_table_reclaim != MS_PTE_TABLE_RECLAIM_DONTNEED_2M)
		return;
	for (unsigned int b = (at + BLOCK - 1) / BLOCK; (b + 1) * BLOCK <= end; b++)
		p->table[b] = false;
}

static int advise(struct flat *f, struct process *p, unsigned int at, unsigned int end,
		  enum ms_advice advice)
{
	uint64_t flags;
	int err;

	if (advice == MS_MADV_DONTNEED && flat_hugetlb(&p->a[at])) {
		if (f->policy->hugetlb_dontneed == MS_HUGETLB_DONTNEED_EINVAL || at % BLOCK)
			return -EINVAL;
		end = end / BLOCK * BLOCK;
		if (at == end)
			return 0;
		flat_unmap_drain(f);
		flat_notify(f, p, at, end);
		flat_zap(f, p, at, end);
		return 0;
	}
	if (advice == MS_MADV_DONTNEED) {
		if (p->a[at].flags & (MS_VM_LOCKED | MS_VM_PFNMAP))
			return -EINVAL;
		flat_unmap_drain(f);
		flat_notify(f, p, at, end);
		flat_zap(f, p, at, end);
		reclaim_tables(f, p, at, end);
		return 0;
	}
	err = advised_flags(f, &p->a[at], advice, &flags);
	if (!err && flags != p->a[at].flags)
		err = flat_modify(f, p, at, end, flags);
	return err;
}

/* Holes are told at the end, an error of a VMA at once. */
int64_t flat_madvise(struct flat *f, struct process *p, const struct op *op)
{
	unsigned int end = op->at + op->len, next;
	int hole = 0, err;

	for (unsigned int i = op->at; i < end; i = next) {
		next = i + 1;
		if (!p->a[i].vma) {
			hole = -ENOMEM;
			continue;
		}
		next = flat_end(p, i) < end ? flat_end(p, i) : end;
		err = advise(f, p, i, next, op->advice);
		if (err)
			return err;
	}
	return hole;
}

/* follow_page_mask: what is there and may be used so is not faulted. */
static bool followable(const struct entry *e, bool write)
{
	return e->kind != E_NONE && !e->none && (!write || e->write);
}

/* populate_vma_page_range: a write where that needs no file, else a read. */
static int populate(struct flat *f, struct process *p, unsigned int at, unsigned int end)
{
	for (; at < end; at++) {
		const struct area *a = &p->a[at];
		bool write = (a->flags & (MS_VM_WRITE | MS_VM_SHARED)) == MS_VM_WRITE;

		if (a->flags & (MS_VM_IO | MS_VM_PFNMAP))
			continue;
		if (!followable(&p->e[at], write) && flat_touch(f, p, at, write))
			return -ENOMEM;
		flat_mlock_page(f, p, at);
	}
	return 0;
}

/* From 5.18 on the queues are emptied behind each VMA. */
int flat_populate(struct flat *f, struct process *p, unsigned int at, unsigned int end)
{
	unsigned int next;
	int err = 0;

	for (; at < end && !err; at = next) {
		next = flat_end(p, at) < end ? flat_end(p, at) : end;
		err = populate(f, p, at, next);
		if (p->a[at].flags & MS_VM_ACCESS &&
		    !(p->a[at].flags & (MS_VM_IO | MS_VM_PFNMAP)) &&
		    f->policy->anon_reuse == MS_ANON_REUSE_EXCLUSIVE)
			flat_lru_drain(f);
	}
	return err;
}

int64_t flat_mlock(struct flat *f, struct process *p, const struct op *op)
{
	unsigned int end = op->at + op->len, next;
	bool lock = op->kind == OP_MLOCK;

	// how huge pages pass through the queue of up to 5.15 is left out
	if (f->thp != MS_THP_NEVER && f->policy->anon_reuse == MS_ANON_REUSE_SOLE_REFERENCE)
		return FLAT_SKIP;
	for (unsigned int i = op->at; i < end; i = next) {
		uint64_t flags = p->a[i].flags & ~MS_VM_LOCKED;

		if (!p->a[i].vma)
			return -ENOMEM;
		next = flat_end(p, i) < end ? flat_end(p, i) : end;
		flags |= lock ? MS_VM_LOCKED : 0;
		if (flags != p->a[i].flags && !flat_special(&p->a[i])) {
			int err = flat_modify(f, p, i, next, flags);

			if (err)
				return err;
			if (f->policy->anon_reuse == MS_ANON_REUSE_EXCLUSIVE)
				flat_lru_drain(f);
			else if (!lock)
				flat_munlock(f, p, i, next);
		}
	}
	return lock ? flat_populate(f, p, op->at, end) : 0;
}
