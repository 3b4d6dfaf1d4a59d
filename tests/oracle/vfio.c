/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio-pci. Up to 6.9 a fault maps the whole VMA, which goes on a list of the device; a new object
 * (split, fork, copy) is emptied when it is opened, and memory off empties what is on the list.
 * From 6.10 on there is no list, and memory off goes by the file: a first fault maps what is empty
 * of the VMA (V2), or from 6.12 on its page alone.
 */
#include "flat.h"

#include <errno.h>

static bool lists(const struct flat *f)
{
	return f->policy->vfio == MS_VFIO_V1_LIST_FIRST || f->policy->vfio == MS_VFIO_V1_RECHECK;
}

/* The kernel's own ioremap of the BAR, which stays. */
void flat_vfio_claim(struct flat *f)
{
	enum ms_cache got;

	if (!f->claimed && flat_tracks(f))
		flat_reserve(f, VFIO_PA, VFIO_PA + BAR_PAGES * PAGE, MS_CACHE_UC_MINUS, &got);
	f->claimed = true;
}

int flat_vfio_mmap(struct flat *f, struct process *p, const struct op *op)
{
	uint64_t start = lists(f) ? VFIO_PA >> 12 : UINT64_C(2) << 28; /* region 2 */
	uint64_t flags = MS_VM_IO | MS_VM_PFNMAP | MS_VM_DONTEXPAND | MS_VM_DONTDUMP;

	if (!op->shared || op->off + op->len > BAR_PAGES)
		return -EINVAL;
	flat_vfio_claim(f);
	if (f->policy->vfio_uncached_flag == MS_VFIO_UNCACHED_FLAG_YES)
		flags |= MS_VM_ALLOW_ANY_UNCACHED;
	for (unsigned int i = 0; i < op->len; i++) {
		p->a[op->at + i].flags |= flags;
		p->a[op->at + i].pgoff = start + op->off + i;
	}
	return 0;
}

/* vm_ops->open, for the VMA of these pages */
void flat_vfio_open(struct flat *f, struct process *p, unsigned int at, unsigned int end)
{
	if (p->a[at].source != SRC_VFIO || !lists(f))
		return;
	flat_unmap_drain(f);
	flat_zap(f, p, at, end);
	for (; at < end; at++)
		p->a[at].listed = 0;
}

static enum ms_access map_whole(struct flat *f, struct process *p, unsigned int page)
{
	unsigned int first = flat_first(p, page), end = flat_end(p, page);
	const struct area *a = &p->a[first];
	enum ms_cache cache = a->cache;

	if (a->listed)
		return MS_ACCESS_ENDLESS;
	for (unsigned int i = first; i < end; i++)
		if (p->e[i].kind != E_NONE)
			f->full = true; // remap_pfn_range would BUG
	if (f->full || flat_track(f, p, first, end - first, a->pgoff, true, &cache))
		return MS_ACCESS_SIGBUS;
	f->listed++;
	for (unsigned int i = first; i < end; i++) {
		p->a[i].listed = f->listed;
		flat_fill(p, i,
			  (struct entry){ .kind = E_PFN,
					  .what = p->a[i].pgoff,
					  .write = p->a[i].flags & MS_VM_WRITE,
					  .cache = cache });
	}
	return MS_ACCESS_OK;
}

static void insert(struct flat *f, struct process *p, unsigned int page, bool dirty)
{
	const struct area *a = &p->a[page];
	uint64_t pfn = (VFIO_PA >> 12) + (a->pgoff & ((1u << 28) - 1));

	flat_fill(p, page,
		  (struct entry){ .kind = E_PFN,
				  .what = pfn,
				  .write = a->flags & MS_VM_WRITE,
				  .dirty = dirty,
				  .cache = flat_tracks(f) ? flat_lookup(f, pfn << 12) : a->cache });
}

enum ms_access flat_vfio_fault(struct flat *f, struct process *p, unsigned int page, bool write)
{
	enum ms_access access = MS_ACCESS_SIGBUS;

	if (f->memory_off)
		return access;
	if (lists(f)) {
		access = map_whole(f, p, page);
		if (access == MS_ACCESS_OK)
			p->e[page].dirty = write;
		return access;
	}
	insert(f, p, page, write);
	for (unsigned int i = flat_first(p, page); f->policy->vfio == MS_VFIO_V2 && i < flat_end(p, page); i++)
		if (p->e[i].kind == E_NONE)
			insert(f, p, i, false);
	return MS_ACCESS_OK;
}

/* The VMA of vfio's with the largest place on the list; p NULL: of whatever process. */
static bool newest(struct flat *f, struct process **p, unsigned int *page)
{
	unsigned int largest = 0;
	struct process *of = *p;

	for (unsigned int n = 0; n < PROCESSES; n++) {
		if (!f->p[n].alive || (of && of != &f->p[n]))
			continue;
		for (unsigned int i = 0; i < PAGES; i++) {
			if (f->p[n].a[i].listed <= largest)
				continue;
			largest = f->p[n].a[i].listed;
			*p = &f->p[n];
			*page = i;
		}
	}
	return largest;
}

/* The last that came is the first to go, then all others of its process. */
static void empty_list(struct flat *f)
{
	struct process *p = NULL;
	unsigned int page;

	while (newest(f, &p, &page)) {
		do {
			flat_vfio_open(f, p, flat_first(p, page), flat_end(p, page));
		} while (newest(f, &p, &page));
		p = NULL;
	}
}

void flat_vfio_memory_off(struct flat *f)
{
	unsigned int end;

	f->memory_off = true;
	if (lists(f)) {
		empty_list(f);
		return;
	}
	for (unsigned int n = 0; n < PROCESSES; n++) {
		struct process *p = &f->p[n];

		for (unsigned int i = 0; p->alive && i < PAGES; i = end) {
			end = p->a[i].vma ? flat_end(p, i) : i + 1;
			if (p->a[i].source == SRC_VFIO)
				flat_zap(f, p, i, end);
		}
	}
}
