/* SPDX-License-Identifier: GPL-2.0-only */
/* Who holds a reservation: struct pfnmap_track_ctx of 6.16 and later, kept for every kernel. */
#include "pat/internal.h"

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
	forget_unused(m, ctx);
}

void ms_pfnmap_ctx_unlist(struct ms_machine *m, struct ms_pfnmap_ctx *ctx)
{
	if (!ctx)
		return;
	ctx->listed = false;
	forget_unused(m, ctx);
}
