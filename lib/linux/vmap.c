/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmap(): one range of the driver's addresses for pages that were allocated one by one. A page has
 * its bytes in one place only. So pages that nobody has asked the address of yet get theirs in the
 * new range; those that have addresses already must lie one behind the other.
 */
#include "linux/state.h"

struct ms_vmap {
	SLIST_ENTRY(ms_vmap) link;
	char *at;
	uint64_t size; /* bytes */
	bool usermap;
};

static struct ms_vmap *vmap_at(const struct ms_linux *lx, uintptr_t addr)
{
	struct ms_vmap *v;

	SLIST_FOREACH (v, &lx->vmaps, link)
		if (addr - (uintptr_t)v->at < v->size)
			return v;
	return NULL;
}

struct pages {
	struct ms_machine *m;
	struct ms_struct_page **page;
	uint64_t n;
};

static ms_pfn_t pfn_of(const struct pages *p, uint64_t i)
{
	return ms_page_struct_to_pfn(p->m, p->page[i]);
}

static struct ms_block *block_of(const struct pages *p, uint64_t i)
{
	const ms_pfn_t pfn = pfn_of(p, i);

	return ms_pfn_is_ram(p->m, pfn) ? ms_block_of_pfn(p->m->kernel, pfn) : NULL;
}

/* Where the page's bytes are; NULL: nowhere yet, or it is no page of the driver's. */
static char *bytes_of(const struct pages *p, uint64_t i)
{
	const struct ms_block *block = block_of(p, i);

	return block && block->bytes
		       ? block->start + ((pfn_of(p, i) - block->pfn) << p->m->page_shift)
		       : NULL;
}

static bool lie_in_order(const struct pages *p)
{
	char *first = bytes_of(p, 0);

	for (uint64_t i = 1; first && i < p->n; i++)
		if (bytes_of(p, i) != first + (i << p->m->page_shift))
			return false;
	return first;
}

/* Can all bytes be moved? Whole blocks, each once, whose addresses nobody has. */
static bool can_move(const struct pages *p)
{
	for (uint64_t i = 0; i < p->n;) {
		const struct ms_block *block = block_of(p, i);
		const uint64_t n = block ? ms_block_pages(p->m, block) : 0;

		if (!n || n > p->n - i || block->kind != MS_BLOCK_PAGES || block->seen ||
		    (block->bytes && (block->bytes->asked || block->bytes->pages != n)))
			return false;
		for (uint64_t k = 0; k < n; k++)
			if (pfn_of(p, i + k) != block->pfn + k)
				return false;
		i += n;
	}
	return true;
}

/* The same block twice among the pages would need two places. */
static bool are_apart(const struct pages *p)
{
	bool apart = can_move(p);
	uint64_t i, n;

	for (i = 0; apart && i < p->n; i += n) {
		struct ms_block *block = block_of(p, i);

		n = ms_block_pages(p->m, block);
		apart = !block->seen;
		block->seen = true;
	}
	for (i = 0; i < p->n; i++)
		if (block_of(p, i))
			block_of(p, i)->seen = false;
	return apart;
}

static char *move_together(const struct pages *p)
{
	struct ms_bytes *bytes = ms_bytes_new(p->m, p->n << p->m->page_shift, false);

	if (!bytes)
		return NULL;
	for (uint64_t i = 0; i < p->n;) {
		struct ms_block *block = block_of(p, i);

		ms_block_move(p->m, block, bytes, bytes->at + (i << p->m->page_shift));
		i += ms_block_pages(p->m, block);
	}
	return bytes->at;
}

/* mirrors vmap(), mm/vmalloc.c, 5.10+ */
void *ms_linux_vmap(struct ms_struct_page **page, unsigned int count, bool usermap)
{
	struct ms_machine *m = ms_linux_here("vmap");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	const struct pages p = { .m = m, .page = page, .n = count };
	struct ms_vmap *v;

	ms_linux_might_sleep("vmap");
	if (!lx || !page || !count)
		return NULL;
	if (!lie_in_order(&p) && !are_apart(&p))
		return ms_refuse_null(m, -ENOMEM,
				      "vmap: a page is no page of the driver's, or its bytes have "
				      "an address already");
	v = ms_zalloc(&m->alloc, sizeof(*v));
	if (v)
		v->at = lie_in_order(&p) ? bytes_of(&p, 0) : move_together(&p);
	if (!v || !v->at) {
		ms_free(&m->alloc, v);
		return ms_refuse_null(m, -ENOMEM, "no memory");
	}
	v->size = p.n << m->page_shift;
	v->usermap = usermap;
	SLIST_INSERT_HEAD(&lx->vmaps, v, link);
	return v->at;
}

/* The pages stay. */
void ms_linux_vunmap(const void *at)
{
	struct ms_machine *m = at ? ms_linux_here("vunmap") : NULL;
	struct ms_vmap *v = m && m->kernel ? vmap_at(m->kernel, (uintptr_t)at) : NULL;

	if (!m)
		return;
	ms_linux_might_sleep("vunmap");
	if (!v || v->at != at) {
		ms_violation(m, "vunmap of what vmap did not give", 0);
		return;
	}
	SLIST_REMOVE(&m->kernel->vmaps, v, ms_vmap, link);
	ms_free(&m->alloc, v);
}

bool ms_vmap_has(const struct ms_linux *lx, uintptr_t addr, uint64_t *size, bool *usermap)
{
	const struct ms_vmap *v = vmap_at(lx, addr);

	if (v) {
		*size = (uintptr_t)v->at == addr ? v->size : 0;
		*usermap = v->usermap;
	}
	return v;
}

void ms_vmaps_report(struct ms_machine *m, const struct ms_linux *lx)
{
	const struct ms_vmap *v;

	SLIST_FOREACH (v, &lx->vmaps, link)
		ms_violation(m, "a vmap is never undone", 0);
}

void ms_vmaps_destroy(struct ms_machine *m)
{
	struct ms_vmap *v;

	while ((v = SLIST_FIRST(&m->kernel->vmaps))) {
		SLIST_REMOVE_HEAD(&m->kernel->vmaps, link);
		ms_free(&m->alloc, v);
	}
}
