/* SPDX-License-Identifier: GPL-2.0-only */
/* Who holds a reservation: struct pfnmap_track_ctx of 6.16 and later, kept for every kernel. */
#include "pat/internal.h"

static int ioremap_cmp(const struct ms_pfnmap_ctx *a, const struct ms_pfnmap_ctx *b)
{
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->end != b->end)
		return a->end < b->end ? -1 : 1;
	return a->age > b->age ? -1 : a->age < b->age;
}

RB_GENERATE_INTERNAL(ms_ioremaps, ms_pfnmap_ctx, ioremaps, ioremap_cmp,
		     static __attribute__((unused)))

struct ms_pfnmap_ctx *ms_pfnmap_ctx_new(struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	struct ms_pfnmap_ctx *ctx = ms_zalloc(&m->alloc, sizeof(*ctx));

	if (!ctx)
		return NULL;
	ctx->holders = 1;
	ctx->start = start;
	ctx->end = end;
	LIST_INSERT_HEAD(&m->pat->contexts, ctx, link);
	return ctx;
}

static void forget_unused(struct ms_machine *m, struct ms_pfnmap_ctx *ctx)
{
	if (ctx->holders || ctx->listed)
		return;
	LIST_REMOVE(ctx, link);
	ms_free(&m->alloc, ctx);
}

void ms_pfnmap_ctx_drop(struct ms_machine *m, struct ms_pfnmap_ctx *ctx)
{
	if (!ctx)
		return;
	ctx->holders--;
	if (ctx->ioremap && !ctx->holders)
		RB_REMOVE(ms_ioremaps, &m->pat->ioremaps, ctx);
	forget_unused(m, ctx);
}

void ms_pfnmap_ctx_unlist(struct ms_machine *m, struct ms_pfnmap_ctx *ctx)
{
	if (!ctx)
		return;
	ctx->listed = false;
	forget_unused(m, ctx);
}

void ms_pfnmap_ctx_set_ioremap(struct ms_machine *m, struct ms_pfnmap_ctx *ctx)
{
	ctx->ioremap = true;
	ctx->age = m->pat->next_age++;
	RB_INSERT(ms_ioremaps, &m->pat->ioremaps, ctx);
}

struct ms_pfnmap_ctx *ms_pfnmap_ctx_find_ioremap(struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	struct ms_pfnmap_ctx youngest = { .start = start, .end = end, .age = UINT64_MAX };
	struct ms_pfnmap_ctx *ctx = RB_NFIND(ms_ioremaps, &m->pat->ioremaps, &youngest);

	return ctx && ctx->start == start && ctx->end == end ? ctx : NULL;
}
