/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's own mappings of devices, which hold memory types. Mirrors arch/x86/mm/ioremap.c. */
#include "pat/internal.h"
#include "phys/internal.h"

/* The memory type of __ioremap_caller(). */
static int reserve(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache type)
{
	struct ms_pfnmap_ctx *ctx;
	const uint64_t before = ms_refusals(m);
	enum ms_cache got = type;

	if (ms_memtype_reserve_for(m, start, end, &got, &ctx)) {
		ms_log(m, "ioremap memtype_reserve failed", start, end - start);
		return ms_answered_as(m, before, -ENOMEM);
	}
	if (got != type && !ms_is_new_memtype_allowed(start, end, type, got)) {
		ms_log(m, "ioremap error: another type is held", start, end - start);
		ms_memtype_free_of(m, start, end, ctx, NULL);
		return ms_refuse(m, -ENOMEM,
				 "%x-%x is reserved as %s, which an ioremap as %s cannot have",
				 start, end, ms_type_text(m, got), ms_type_text(m, type));
	}
	if (!ctx)
		ctx = ms_pfnmap_ctx_new(m, start, end);
	if (!ctx) {
		ms_memtype_free_of(m, start, end, NULL, NULL);
		return ms_refuse(m, -ENOMEM, "no memory");
	}
	ms_pfnmap_ctx_set_ioremap(m, ctx);
	ctx->type = got;
	return 0;
}

static int refuse_range(struct ms_machine *m, ms_pa_t pa, uint64_t size)
{
	return ms_refuse(m, -EINVAL, "%x bytes at %x are none, or wrap around", size, pa);
}

// mirrors __ioremap_caller(), arch/x86/mm/ioremap.c, 5.10+
int ms_ioremap(struct ms_machine *m, ms_pa_t pa, uint64_t size, enum ms_cache type)
{
	if (!m)
		return -EINVAL;
	ms_pa_t last = pa + size - 1;
	ms_pa_t start = ms_align_down(pa, m->page_size);
	ms_pa_t end = ms_align_up(pa + size, m->page_size);

	if (!size || last < pa)
		return refuse_range(m, pa, size);
	if (ms_is_x86(m) && type >= MS_CACHE_WP)
		return ms_refuse(m, -EINVAL, "x86 has no ioremap as %s", ms_type_text(m, type));
	if (last >> m->config.pa_bits) {
		ms_violation(m, "ioremap: invalid physical address", pa);
		return ms_refuse(m, -ENOMEM, "%x bytes at %x reach beyond %u physical address bits",
				 size, pa, m->config.pa_bits);
	}
	if (ms_range_has_ram(m, start, end)) {
		ms_violation(m, "ioremap on RAM", pa);
		return ms_refuse(m, -ENOMEM, "ioremap of %x-%x: RAM is in it", start, end);
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
		return refuse_range(m, pa, size);
	if (!ms_is_x86(m))
		return 0;
	ctx = ms_pfnmap_ctx_find_ioremap(m, start, end);
	if (!ctx)
		return ms_refuse(m, -EINVAL, "no ioremap is %x-%x", start, end);
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
