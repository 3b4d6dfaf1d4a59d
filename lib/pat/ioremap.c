/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's own mappings of devices, which hold memory types. Mirrors arch/x86/mm/ioremap.c. */
#include "pat/internal.h"
#include "phys/internal.h"

/* The memory type of __ioremap_caller(). */
static int reserve(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache type)
{
	struct ms_pfnmap_ctx *ctx;
	enum ms_cache got = type;

	if (ms_memtype_reserve_for(m, start, end, &got, &ctx)) {
		ms_log(m, "ioremap memtype_reserve failed", start, end - start);
		return -ENOMEM;
	}
	if (got != type && !ms_is_new_memtype_allowed(start, end, type, got)) {
		ms_log(m, "ioremap error: another type is held", start, end - start);
		ms_memtype_free_of(m, start, end, ctx, NULL);
		return -ENOMEM;
	}
	if (!ctx)
		ctx = ms_pfnmap_ctx_new(m, start, end);
	if (!ctx) {
		ms_memtype_free_of(m, start, end, NULL, NULL);
		return -ENOMEM;
	}
	ms_pfnmap_ctx_set_ioremap(m, ctx);
	ctx->type = got;
	return 0;
}

// mirrors __ioremap_caller(), arch/x86/mm/ioremap.c, 5.10+
int ms_ioremap(struct ms_machine *m, ms_pa_t pa, uint64_t size, enum ms_cache type)
{
	if (!m)
		return -EINVAL;
	ms_pa_t last = pa + size - 1;
	ms_pa_t start = ms_align_down(pa, m->page_size);
	ms_pa_t end = ms_align_up(pa + size, m->page_size);
	bool invalid = last >> m->config.pa_bits;

	if (!size || last < pa || (ms_is_x86(m) && type >= MS_CACHE_WP))
		return -EINVAL;
	if (invalid || ms_range_has_ram(m, start, end)) {
		ms_violation(m, invalid ? "ioremap: invalid physical address" : "ioremap on RAM",
			     pa);
		return -ENOMEM;
	}
	return ms_is_x86(m) ? reserve(m, start, end, type) : 0;
}

// mirrors iounmap(), arch/x86/mm/ioremap.c, 5.10+
int ms_iounmap(struct ms_machine *m, ms_pa_t pa, uint64_t size)
{
	if (!m)
		return -EINVAL;
	ms_pa_t start = ms_align_down(pa, m->page_size);
	ms_pa_t end = ms_align_up(pa + size, m->page_size);
	struct ms_pfnmap_ctx *ctx;

	if (!size || pa + size - 1 < pa)
		return -EINVAL;
	if (!ms_is_x86(m))
		return 0;
	ctx = ms_pfnmap_ctx_find_ioremap(m, start, end);
	if (!ctx)
		return -EINVAL;
	// iounmap cannot fail: what memtype_free says is in the trace
	ms_memtype_free_of(m, start, end, ctx, NULL);
	return 0;
}

void ms_pat_walk_ioremaps(const struct ms_machine *m,
			  void (*fn)(const struct ms_memtype *range, void *arg), void *arg)
{
	const struct ms_pfnmap_ctx *ctx;

	LIST_FOREACH (ctx, &m->pat->contexts, link)
		if (ctx->ioremap && ctx->holders)
			fn(&(struct ms_memtype){ ctx->start, ctx->end, ctx->type }, arg);
}
