/* SPDX-License-Identifier: GPL-2.0-only */
/* VMAs as runs of pages, and which operation is whose. */
#include "guest.h"

#include <errno.h>
#include <string.h>

void flat_init(struct flat *f, const struct ms_policy *policy, enum ms_thp_mode thp)
{
	memset(f, 0, sizeof(*f));
	f->policy = policy;
	f->thp = thp;
	f->files = SOURCES;
	f->p[0].alive = true;
	if (policy->vfio_bar_claim == MS_VFIO_BAR_CLAIM_DEVICE_OPEN)
		flat_vfio_claim(f);
}

unsigned int flat_first(const struct process *p, unsigned int i)
{
	while (i && p->a[i - 1].vma == p->a[i].vma)
		i--;
	return i;
}

unsigned int flat_end(const struct process *p, unsigned int i)
{
	unsigned int vma = p->a[i].vma;

	while (i < PAGES && p->a[i].vma == vma)
		i++;
	return i;
}

bool flat_empty(const struct process *p, unsigned int at, unsigned int end)
{
	for (; at < end; at++)
		if (p->a[at].vma)
			return false;
	return true;
}

/*
 * __split_vma: what is at and after `at` becomes a VMA of its own. new_below: which of the two is
 * the new object, that vm_ops->open is called for.
 */
void flat_split(struct flat *f, struct process *p, unsigned int at, bool new_below)
{
	unsigned int first, end;

	if (!at || at >= PAGES || !p->a[at].vma || p->a[at - 1].vma != p->a[at].vma)
		return;
	flat_border(f, p, at);
	first = flat_first(p, at);
	end = flat_end(p, at);
	f->vmas++;
	for (unsigned int i = at; i < end; i++)
		p->a[i].vma = f->vmas;
	flat_vfio_open(f, p, new_below ? first : at, new_below ? at : end);
}

/* free_pgtables: what is left without any VMA around it. */
static void free_tables(struct process *p)
{
	for (unsigned int b = 0; b < BLOCKS; b++) {
		unsigned int end = (b + 1) * BLOCK < PAGES ? (b + 1) * BLOCK : PAGES;

		if (flat_empty(p, b * BLOCK, end))
			p->table[b] = false;
	}
	if (flat_empty(p, 0, PAGES))
		p->populated = false;
}

/*
 * munmap: up to 6.15 each VMA is untracked and zapped in its turn; from 6.16 on what nobody maps
 * any more is collected after the operation. -EINVAL: a huge page would be cut; the other cut
 * stays.
 */
int flat_unmap(struct flat *f, struct process *p, unsigned int at, unsigned int end)
{
	const enum ms_policy_munmap_split_new new_part = f->policy->munmap_split_new;
	unsigned int next;

	if (flat_empty(p, at, end))
		return 0;
	if (flat_bad_cut(p, at))
		return -EINVAL;
	flat_split(f, p, at, new_part == MS_MUNMAP_SPLIT_NEW_KEPT_PART);
	if (flat_bad_cut(p, end))
		return -EINVAL;
	flat_split(f, p, end, new_part == MS_MUNMAP_SPLIT_NEW_DYING_PART);
	flat_unmark(f, p, at, end);
	flat_unmap_drain(f);
	flat_notify(f, p, at, end);
	for (unsigned int i = at; i < end; i = next) {
		next = i + 1;
		if (!p->a[i].vma)
			continue;
		next = flat_end(p, i);
		flat_zap(f, p, i, next);
	}
	for (; at < end; at++)
		p->a[at] = (struct area){ 0 };
	free_tables(p);
	return 0;
}

static struct process *process_of(struct flat *f, const struct op *op)
{
	struct process *p = &f->p[op->child];

	return p->alive ? p : NULL;
}

static int64_t of_process(struct flat *f, struct process *p, const struct op *op)
{
	switch (op->kind) {
	case OP_MMAP:
		return flat_mmap(f, p, op);
	case OP_MUNMAP:
		return flat_unmap(f, p, op->at, op->at + op->len);
	case OP_MPROTECT:
		return flat_mprotect(f, p, op);
	case OP_MREMAP:
		return flat_mremap(f, p, op);
	case OP_MADVISE:
		return flat_madvise(f, p, op);
	case OP_MLOCK:
	case OP_MUNLOCK:
		return flat_mlock(f, p, op);
	default:
		return flat_touch(f, p, op->at, op->prot == MS_PROT_W);
	}
}

static int64_t apply(struct flat *f, const struct op *op)
{
	struct process *p;

	switch (op->kind) {
	case OP_FORK:
		return f->p[1].alive ? FLAT_SKIP : flat_fork(f);
	case OP_EXIT:
		if (!f->p[1].alive)
			return FLAT_SKIP;
		flat_exit(f, &f->p[1]);
		return 0;
	case OP_REVOKE:
	case OP_REVOKE_DRIVER:
		flat_revoke(f, op);
		return 0;
	case OP_IOREMAP:
		return flat_ioremap(f, op);
	case OP_IOUNMAP:
		return flat_iounmap(f, op);
	case OP_MEMORY_ON:
		f->memory_off = false;
		return 0;
	case OP_MEMORY_OFF:
		flat_vfio_memory_off(f);
		return 0;
	case OP_SLOT:
	case OP_SLOT_DELETE:
	case OP_SLOT_TOGGLE:
		return guest_slot(f, op);
	case OP_GUEST:
		return guest_access(f, op);
	case OP_DIRTY:
		return guest_dirty(f, op);
	case OP_CLEAR:
		return guest_clear(f, op);
	default:
		p = process_of(f, op);
		return p ? of_process(f, p, op) : FLAT_SKIP;
	}
}

/* What the kernel answers; FLAT_SKIP: the operation is not to be made at all. */
int64_t flat_apply(struct flat *f, const struct op *op)
{
	int64_t ret = apply(f, op);

	flat_collect(f);
	return ret;
}
