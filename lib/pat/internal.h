/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of lib/pat.
 *
 *   ranges.c, ranges_update.c   the ordered ranges; know no rule
 *   memtype_interval.c          the kernel's rules on them: conflict, insert, erase, lookup
 *   memtype.c                   memtype_reserve, memtype_free, lookup_memtype
 *   ioremap.c                   the kernel's own mappings
 *   track.c                     VMAs: track_pfn_*, untrack_pfn*, contexts
 *   leaks.c                     what nobody will give back
 */
#ifndef MS_PAT_INTERNAL_H
#define MS_PAT_INTERNAL_H

#include "machine/internal.h"
#include "pat/ranges.h"

#include <mapsim/pat.h>

#include <sys/queue.h>

/*
 * One reservation and who holds it: VMAs that are pieces or copies of the one that made it, or an
 * ioremap. Where the policy remembers what it reserved (6.16+) this is pfnmap_track_ctx and decides
 * what is freed; elsewhere it only tells whose an entry is, as the kernel cannot.
 */
struct ms_pfnmap_ctx {
	LIST_ENTRY(ms_pfnmap_ctx) link;
	uint32_t holders; /* VMA objects; an ioremap counts as one */
	bool listed;      /* its entry is on the list, maybe shrunk */
	bool ioremap;
	enum ms_cache type;
	ms_pa_t start, end; /* as reserved */
};

struct ms_pat {
	struct ms_ranges list;
	LIST_HEAD(, ms_pfnmap_ctx) contexts; /* all, youngest first */
};

/* ---- memtype_interval.c ---- */

/*
 * memtype_check_insert: [start, end) of *type. loose: another type of what overlaps is taken over
 * into *type. -EBUSY: types conflict; -ENOMEM.
 */
int ms_memtype_check_insert(struct ms_pat *pat, ms_pa_t start, ms_pa_t end, enum ms_cache *type,
			    bool loose, struct ms_pfnmap_ctx *owner);

enum ms_erased { MS_ERASED_NOTHING, MS_ERASED_ENTRY, MS_ERASED_TAIL };
/*
 * memtype_erase. by: on whose behalf (NULL: nobody's), *foreign: whether what it hit is someone
 * else's. Of equal entries the caller's own counts as the one that went.
 */
enum ms_erased ms_memtype_erase(struct ms_machine *m, ms_pa_t start, ms_pa_t end,
				const struct ms_pfnmap_ctx *by, bool *foreign);

/* ---- memtype.c ---- */

/* is_untracked_pat_range: inside of [640K, 1M) */
bool ms_is_isa_range(ms_pa_t start, ms_pa_t end);
/* is_new_memtype_allowed */
bool ms_is_new_memtype_allowed(ms_pa_t start, ms_pa_t end, enum ms_cache want, enum ms_cache got);
/*
 * memtype_reserve. ctx (may be NULL): gets a new context with one holder if an entry was made, else
 * NULL.
 */
int ms_memtype_reserve_for(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache req,
			   enum ms_cache *got, struct ms_pfnmap_ctx **ctx);
/* memtype_free on behalf of a holder of ctx (may be NULL), who gives up his hold. */
int ms_memtype_free_of(struct ms_machine *m, ms_pa_t start, ms_pa_t end, struct ms_pfnmap_ctx *ctx);
/* The type that all pages of [start, end) have, in *type. -EINVAL: they differ. */
int ms_memtype_lookup_range(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache *type);

struct ms_pfnmap_ctx *ms_pfnmap_ctx_new(struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/* One holder fewer; without holders and entry it goes. NULL is allowed. */
void ms_pfnmap_ctx_drop(struct ms_machine *m, struct ms_pfnmap_ctx *ctx);
/* Its entry left the list. NULL is allowed. */
void ms_pfnmap_ctx_unlist(struct ms_machine *m, struct ms_pfnmap_ctx *ctx);

#endif
