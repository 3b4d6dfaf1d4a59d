/* SPDX-License-Identifier: GPL-2.0-only */
/* hugetlb: a file of huge pages, which are mapped whole, and cut by nobody. */
#include "flat.h"

/* hugetlb_vm_op_split: is this a border that no VMA may get? */
bool flat_bad_cut(const struct process *p, unsigned int at)
{
	return at % BLOCK && at < PAGES && flat_hugetlb(&p->a[at]) &&
	       p->a[at - 1].vma == p->a[at].vma;
}

static void fill(struct process *p, unsigned int base, struct entry e)
{
	p->populated = p->leaf[base / BLOCK] = true;
	for (unsigned int i = base; i < PAGES && i < base + BLOCK; i++) {
		p->e[i] = e;
		e.what++;
	}
}

static void fill_own(struct flat *f, struct process *p, unsigned int base, bool write)
{
	fill(p, base,
	     (struct entry){ .kind = E_FRAME,
			     .what = flat_new_frames(f, BLOCK),
			     .write = write,
			     .cache = p->a[base].cache });
}

static void fill_file(struct flat *f, struct process *p, unsigned int base)
{
	const struct area *a = &p->a[base];

	fill(p, base,
	     (struct entry){ .kind = E_CACHE,
			     .what = f->hugetlb[a->pgoff / BLOCK],
			     .write = a->flags & MS_VM_SHARED && a->flags & MS_VM_WRITE,
			     .cache = a->cache });
}

static void file_page(struct flat *f, uint64_t i)
{
	if (f->hugetlb[i])
		return;
	f->hugetlb[i] = flat_new_frames(f, BLOCK);
	for (unsigned int k = 0; k < BLOCK; k++)
		f->cached[f->hugetlb[i] + k] = true;
}

/* hugetlb_no_page: what the file does not have yet a private mapping gets for itself. */
static void no_page(struct flat *f, struct process *p, unsigned int base, bool write)
{
	const struct area *a = &p->a[base];

	if (a->flags & MS_VM_SHARED)
		file_page(f, a->pgoff / BLOCK);
	if (f->hugetlb[a->pgoff / BLOCK])
		fill_file(f, p, base);
	else
		fill_own(f, p, base, write);
}

enum ms_access flat_hugetlb_fault(struct flat *f, struct process *p, unsigned int page, bool write)
{
	unsigned int base = page / BLOCK * BLOCK;

	if (p->e[base].kind == E_NONE)
		no_page(f, p, base, write);
	if (!write || p->e[base].write)
		return MS_ACCESS_OK;
	// hugetlb_wp()
	if (p->e[base].kind == E_FRAME) {
		for (unsigned int i = base; i < PAGES && i < base + BLOCK; i++)
			p->e[i].write = true;
		return MS_ACCESS_OK;
	}
	flat_notify(f, p, base, base + BLOCK);
	fill_own(f, p, base, true);
	return MS_ACCESS_OK;
}
