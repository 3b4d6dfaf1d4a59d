/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Leaves of 2M: transparent huge pages, which become pages where they are cut, and drivers' leaves,
 * which go. Each page of a leaf has its own entry here, and all of them are alike.
 */
#include "flat.h"

bool flat_thp_allowed(const struct flat *f, const struct area *a)
{
	if (a->flags & MS_VM_NOHUGEPAGE || f->thp == MS_THP_NEVER)
		return false;
	return f->thp == MS_THP_ALWAYS || a->flags & MS_VM_HUGEPAGE;
}

/* The VMA has the whole 2M around the page. */
bool flat_fits_leaf(const struct process *p, unsigned int page)
{
	unsigned int base = page / BLOCK * BLOCK;

	return flat_first(p, page) <= base && flat_end(p, page) >= base + BLOCK;
}

/* References to the page, or to the huge page that it is a part of: a leaf is one. */
unsigned int flat_holders(const struct flat *f, unsigned int frame)
{
	unsigned int head = f->folio[frame], holders = 0;

	if (!head)
		return flat_users(f, frame);
	for (unsigned int n = 0; n < PROCESSES; n++) {
		const struct process *p = &f->p[n];

		for (unsigned int i = 0; p->alive && i < PAGES; i++)
			if (p->e[i].kind == E_FRAME && f->folio[p->e[i].what] == head)
				holders += !p->leaf[i / BLOCK] || i % BLOCK == 0;
	}
	return holders;
}

/* 0: no page of a huge page */
static unsigned int head_of(const struct flat *f, const struct entry *e)
{
	return e->kind == E_FRAME ? f->folio[e->what] : 0;
}

static void fill_leaf(struct process *p, unsigned int base, struct entry e)
{
	p->populated = p->leaf[base / BLOCK] = true;
	for (unsigned int i = base; i < PAGES && i < base + BLOCK; i++) {
		p->e[i] = e;
		e.what += e.kind == E_FRAME;
	}
}

static void fill_fresh(struct flat *f, struct process *p, unsigned int base)
{
	unsigned int head = flat_new_frames(f, BLOCK);

	flat_lru_add(f, head);
	fill_leaf(p, base,
		  (struct entry){ .kind = E_FRAME,
				  .what = head,
				  .write = true,
				  .dirty = true,
				  .cache = p->a[base].cache });
}

/* do_huge_pmd_anonymous_page: where there is no table yet. A read finds the huge zero page. */
bool flat_huge_fault(struct flat *f, struct process *p, unsigned int page, bool write)
{
	unsigned int base = page / BLOCK * BLOCK;

	if (p->table[page / BLOCK] || !flat_thp_allowed(f, &p->a[page]) || !flat_fits_leaf(p, page))
		return false;
	flat_prepare_anon(f, p, page);
	if (write)
		fill_fresh(f, p, base);
	else
		fill_leaf(p, base, (struct entry){ .kind = E_ZERO, .cache = p->a[base].cache });
	return true;
}

/*
 * do_huge_pmd_wp_page, and a driver's huge_fault. false: there is no leaf, or none any more, and
 * the page's own entry decides.
 */
bool flat_huge_write(struct flat *f, struct process *p, unsigned int page)
{
	unsigned int base = page / BLOCK * BLOCK, head = head_of(f, &p->e[base]);

	if (!p->leaf[page / BLOCK])
		return false;
	if (p->e[base].kind == E_ZERO &&
	    f->policy->thp_zero_write == MS_THP_ZERO_WRITE_REPLACE_BY_PMD) {
		flat_notify(f, p, base, base + BLOCK);
		fill_fresh(f, p, base);
		return true;
	}
	if (p->e[base].kind == E_PFN ||
	    (p->e[base].kind == E_FRAME && (f->exclusive[head] || flat_holders(f, head) == 1))) {
		if (p->e[base].kind == E_FRAME)
			f->exclusive[head] = true;
		for (unsigned int i = base; i < PAGES && i < base + BLOCK; i++)
			p->e[i].write = p->e[i].dirty = true;
		return true;
	}
	flat_split_leaf(f, p, page / BLOCK);
	return false;
}

/*
 * __split_huge_pmd: who watches is told of the 2M whatever is there. A driver's leaf goes, however
 * little of it is touched.
 */
void flat_split_leaf(struct flat *f, struct process *p, unsigned int block)
{
	unsigned int base = block * BLOCK, head = head_of(f, &p->e[base]);
	bool anon = p->e[base].kind != E_PFN;

	if (p->leaf[block]) {
		// PageDoubleMap, which stays
		if (head && flat_holders(f, head) > 1)
			f->double_map[head] = true;
		for (unsigned int i = base; i < PAGES && i < base + BLOCK; i++) {
			if (p->e[i].kind == E_FRAME)
				f->exclusive[p->e[i].what] = f->exclusive[head];
			p->e[i].dirty &= f->policy->thp_split_dirty == MS_THP_SPLIT_DIRTY_CARRIED;
			if (!anon)
				p->e[i] = (struct entry){ 0 };
		}
		p->table[block] = anon;
	}
	p->leaf[block] = false;
	flat_notify(f, p, base, base + BLOCK);
}

/*
 * vma_adjust_trans_huge: a VMA gets a border in the middle of a 2M that it has whole. Who watches
 * is told of the 2M, wherever there is a table of the level above.
 */
void flat_border(struct flat *f, struct process *p, unsigned int at)
{
	unsigned int base = at / BLOCK * BLOCK;

	if (at == base || at >= PAGES || !p->a[at].vma || !p->populated ||
	    p->a[at].vma != p->a[at - 1].vma || !flat_fits_leaf(p, at))
		return;
	flat_split_leaf(f, p, base / BLOCK);
}
