/* SPDX-License-Identifier: GPL-2.0-only */
/* What of memory types an operation can notice: the list, who holds what of it, pages of RAM. */
#include "pat/hash.h"

#include "pat/internal.h"
#include "phys/hash.h"

void ms_pat_hash_ctx(struct ms_hash *h, const struct ms_pfnmap_ctx *ctx)
{
	if (!ctx || !ms_hash_meet(h, ms_hash_object(ctx))) {
		ms_hash_add(h, !ctx);
		return;
	}
	ms_hash_add(h, ctx->start);
	ms_hash_add(h, ctx->end);
	ms_hash_add(h, (uint64_t)ctx->holders << 16 | (uint64_t)ctx->type << 8 |
			       (uint64_t)ctx->listed << 1 | ctx->ioremap);
}

/* Pages of RAM that are not WB: they keep their type while they are free, so it is their numbers
 * that count. */
static void add_ram_types(struct ms_hash *h)
{
	const struct ms_machine *m = h->machine;
	uint64_t left = m->pat->ram_typed;

	ms_hash_add(h, left);
	for (ms_pfn_t pfn = 0; left && (pfn = ms_frames_next(m, pfn)) != MS_NO_FRAME; pfn++) {
		const struct ms_page *page = ms_page_look(m, pfn);

		if (page->memtype == MS_CACHE_WB)
			continue;
		ms_hash_add(h, pfn << 3 | page->memtype);
		left--;
	}
}

/* By range, the youngest of equal ones first: the one that iounmap() takes. */
static void add_ioremaps(struct ms_hash *h, const struct ms_pfnmap_ctx *ctx)
{
	if (!ctx)
		return;
	add_ioremaps(h, RB_LEFT(ctx, ioremaps));
	ms_pat_hash_ctx(h, ctx);
	add_ioremaps(h, RB_RIGHT(ctx, ioremaps));
}

void ms_pat_hash(struct ms_hash *h)
{
	struct ms_pat *pat = h->machine->pat;
	struct ms_ranges_pos pos;

	ms_hash_add(h, pat->list.count);
	for (const struct ms_range *r = ms_ranges_from(&pat->list, 0, &pos); r;
	     r = ms_ranges_next(&pat->list, &pos)) {
		ms_hash_add(h, r->start);
		ms_hash_add(h, r->end);
		ms_hash_add(h, ms_range_type(r));
		ms_pat_hash_ctx(h, ms_range_owner(r));
	}
	add_ioremaps(h, RB_ROOT(&pat->ioremaps));
	add_ram_types(h);
}
