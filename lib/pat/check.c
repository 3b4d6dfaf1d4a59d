/* SPDX-License-Identifier: GPL-2.0-only */
/* Is the list of memory types consistent: by the kernel's own rules, and with who holds what? */
#include "core/check.h"
#include "pat/internal.h"
#include "phys/internal.h"

#define RANGE "%#" PRIx64 "-%#" PRIx64

void ms_pat_check_holder(struct ms_check *c, const struct ms_pfnmap_ctx *ctx)
{
	ms_check_meet(c, ms_key_of(ctx));
}

/* ---- entries ---- */

/* Entries that overlap are of one type: memtype_check_conflict() let no other in. */
static void check_type(struct ms_check *c, const struct ms_range *r, ms_pa_t *reach)
{
	unsigned int own = ms_range_type(r);

	for (unsigned int type = 0; type <= MS_CACHE_WP; type++)
		if (type != own && reach[type] > r->start)
			ms_check_found(c, "memtype " RANGE " %s: overlaps an entry of %s", r->start,
				       r->end, ms_cache_name(MS_ARCH_X86_64, (enum ms_cache)own),
				       ms_cache_name(MS_ARCH_X86_64, (enum ms_cache)type));
	reach[own] = ms_max_u64(reach[own], r->end);
}

/* An entry keeps its start; its end may only have come down. */
static void check_owner(struct ms_check *c, const struct ms_range *r)
{
	const struct ms_pfnmap_ctx *owner = ms_range_owner(r);

	if (!owner)
		return;
	ms_check_meet(c, ms_key_of(&owner->listed));
	if (r->start != owner->start || r->end > owner->end)
		ms_check_found(c, "memtype " RANGE ": its owner reserved " RANGE, r->start, r->end,
			       owner->start, owner->end);
}

static void check_list(struct ms_check *c)
{
	const struct ms_ranges *list = &c->machine->pat->list;
	const char *broken = ms_ranges_check(list);
	ms_pa_t reach[8] = { 0 };
	struct ms_ranges_pos pos;

	if (broken) {
		ms_check_found(c, "memtypes: %s", broken);
		return;
	}
	for (const struct ms_range *r = ms_ranges_from(list, 0, &pos); r;
	     r = ms_ranges_next(list, &pos)) {
		if (ms_range_type(r) > MS_CACHE_WP)
			ms_check_found(c, "memtype " RANGE ": no type of x86", r->start, r->end);
		else
			check_type(c, r, reach);
		check_owner(c, r);
	}
}

/* ---- contexts ---- */

static void check_holders(struct ms_check *c, const struct ms_pfnmap_ctx *ctx)
{
	uint32_t counted = ms_check_take_met(c, ms_key_of(ctx));

	// an ioremap holds its own, until it is unmapped
	if (ctx->ioremap && !counted && ctx->holders == 1)
		counted = 1;
	if (ctx->holders != counted && !c->no_memory)
		ms_check_found(c, "tracking of " RANGE ": %" PRIu32 " holders, %" PRIu32 " hold it",
			       ctx->start, ctx->end, ctx->holders, counted);
	if (!ctx->holders && !ctx->listed)
		ms_check_found(c, "tracking of " RANGE ": nobody has it, and no entry is left",
			       ctx->start, ctx->end);
}

static void check_contexts(struct ms_check *c)
{
	const struct ms_pfnmap_ctx *ctx;
	uint32_t entries;

	LIST_FOREACH (ctx, &c->machine->pat->contexts, link) {
		if (ctx->start >= ctx->end)
			ms_check_found(c, "tracking of " RANGE ": an empty range", ctx->start,
				       ctx->end);
		check_holders(c, ctx);
		entries = ms_check_take_met(c, ms_key_of(&ctx->listed));
		if (entries != (uint32_t)ctx->listed && !c->no_memory)
			ms_check_found(c,
				       "tracking of " RANGE ": %" PRIu32
				       " entries of the list are its own, %s is said",
				       ctx->start, ctx->end, entries, ctx->listed ? "one" : "none");
	}
}

/* The device that ms_pat_range_is_ram() remembers is one that exists. */
static void check_memory_of_device(struct ms_check *c)
{
	const struct ms_pat *pat = c->machine->pat;
	const struct ms_device *dev;

	if (!pat->device_end)
		return;
	dev = ms_device_at(c->machine, pat->device_start);
	if (!dev || ms_device_pa(dev) != pat->device_start ||
	    ms_device_pa(dev) + ms_device_size(dev) != pat->device_end)
		ms_check_found(c, "memtypes: " RANGE " is remembered as a device, and is none",
			       pat->device_start, pat->device_end);
}

void ms_pat_check(struct ms_check *c)
{
	const struct ms_pat *pat = c->machine->pat;
	bool tracks = ms_is_x86(c->machine);

	if (!tracks && (pat->list.count || !LIST_EMPTY(&pat->contexts)))
		ms_check_found(c, "memtypes: there are some, and this is no x86");
	check_list(c);
	check_contexts(c);
	check_memory_of_device(c);
}
