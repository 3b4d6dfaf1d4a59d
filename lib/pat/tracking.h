/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lib/mm, which tracks the pfn mappings of VMAs, asks of lib/pat, which knows physical ranges
 * and their owners and nothing of VMAs.
 */
#ifndef MS_PAT_TRACKING_H
#define MS_PAT_TRACKING_H

#include "core/core.h"

#include <mapsim/pat.h>

#include <bsd/sys/tree.h>

struct ms_check;

/*
 * One reservation and who holds it: VMAs that are pieces or copies of the one that made it, or an
 * ioremap. Where the policy remembers what it reserved (6.16+) this is pfnmap_track_ctx and decides
 * what is freed; elsewhere it only tells whose an entry is, as the kernel cannot.
 */
struct ms_pfnmap_ctx {
	LIST_ENTRY(ms_pfnmap_ctx) link;
	RB_ENTRY(ms_pfnmap_ctx) ioremaps; /* where it is of an ioremap and has a holder */
	uint64_t age;                     /* of an ioremap: larger is younger */
	uint32_t holders;                 /* VMA objects; an ioremap counts as one */
	bool listed;                      /* its entry is on the list, perhaps shortened */
	bool ioremap;
	enum ms_cache type; /* of its entry, or of the ioremap */
	ms_pa_t start, end; /* as reserved */
};

/* A context of [start, end), with one holder and no entry yet. NULL: no memory. */
struct ms_pfnmap_ctx *ms_pfnmap_ctx_new(struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/* One holder fewer; a context without holders and without an entry is freed. NULL is allowed. */
void ms_pfnmap_ctx_drop(struct ms_machine *m, struct ms_pfnmap_ctx *ctx);

/* 0: no RAM, 1: RAM, -1: mixed; it overlooks what the kernel overlooks. */
int ms_pat_range_is_ram(struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/* Whether a mapping that asked for `want` may have `got` instead. */
bool ms_is_new_memtype_allowed(ms_pa_t start, ms_pa_t end, enum ms_cache want, enum ms_cache got);
/*
 * memtype_reserve of *type; another one may be granted, in *type. *ctx: a new context with one
 * holder if an entry was made, else NULL.
 */
int ms_memtype_reserve_for(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache *type,
			   struct ms_pfnmap_ctx **ctx);
/* memtype_free on behalf of a holder of ctx (may be NULL), whose hold ends. */
int ms_memtype_free_of(struct ms_machine *m, ms_pa_t start, ms_pa_t end, struct ms_pfnmap_ctx *ctx,
		       const char **why);
/* Does this reason of a free, *why, say that the entry was not the caller's? */
bool ms_memtype_why_is_foreign(const char *why);
/* The type that all pages of [start, end) have, in *type. -EINVAL: they differ. */
int ms_memtype_lookup_range(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache *type);

/* Calls fn for each range that an ioremap holds. */
void ms_pat_walk_ioremaps(const struct ms_machine *m,
			  void (*fn)(const struct ms_memtype *range, void *arg), void *arg);

/* For each VMA that ms_machine_check() comes to and that holds ctx: counts it. */
void ms_pat_check_holder(struct ms_check *c, const struct ms_pfnmap_ctx *ctx);

#endif
