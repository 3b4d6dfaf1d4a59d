/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of lib/pat.
 *
 *   ranges*.c, .h               the ordered ranges; know no rule
 *   memtype_interval.c          the kernel's rules on them: conflict, insert, erase, lookup
 *   memtype.c                   memtype_reserve, memtype_free, lookup_memtype
 *   ram.c                       the types that pages of RAM have themselves
 *   context.c                   who holds a reservation
 *   ioremap.c                   the kernel's own mappings
 *   track.c                     VMAs: track_pfn_*, untrack_pfn*, contexts
 *   leaks.c                     what nobody will give back
 *   aliases.c                   what is mapped with two types
 *   check.c                     is all of it whole?
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
	RB_ENTRY(ms_pfnmap_ctx) ioremaps; /* where it is of an ioremap and has a holder */
	uint64_t age;                     /* of an ioremap: larger is younger */
	uint32_t holders;                 /* VMA objects; an ioremap counts as one */
	bool listed;                      /* its entry is on the list, maybe shrunk */
	bool ioremap;
	enum ms_cache type; /* of its entry, or of the ioremap */
	ms_pa_t start, end; /* as reserved */
	/* what ms_machine_check() has met; 0 outside of it */
	uint32_t counted_vmas, counted_entries;
};

struct ms_pat {
	struct ms_ranges list;
	LIST_HEAD(, ms_pfnmap_ctx) contexts; /* all, youngest first */
	RB_HEAD(ms_ioremaps, ms_pfnmap_ctx)
	ioremaps; /* by range; of equal ones the youngest first */
	uint64_t next_age;
	/* The device that was asked about last: where memory types go by the list and by nothing
	 * else. Empty where there is no PAT. */
	ms_pa_t device_start, device_end;
};

/* ---- context.c ---- */

/* Of [start, end): one holder, no entry yet. NULL: no memory. */
struct ms_pfnmap_ctx *ms_pfnmap_ctx_new(struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/* One holder fewer; without holders and entry it goes. NULL is allowed. */
void ms_pfnmap_ctx_drop(struct ms_machine *m, struct ms_pfnmap_ctx *ctx);
/* ctx is of an ioremap. */
void ms_pfnmap_ctx_set_ioremap(struct ms_machine *m, struct ms_pfnmap_ctx *ctx);
/* The youngest ioremap of exactly [start, end) that is not unmapped; NULL: none. */
struct ms_pfnmap_ctx *ms_pfnmap_ctx_find_ioremap(struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/* The entry made by ctx left the list. NULL is allowed. */
void ms_pfnmap_ctx_unlist(struct ms_machine *m, struct ms_pfnmap_ctx *ctx);

/* ---- memtype_interval.c ---- */

/* The part of memtype_check_insert() for a range that overlaps entries; the first is of type
 * `found` and at the list's finger. */
int ms_memtype_insert_overlapping(struct ms_pat *pat, enum ms_cache found, ms_pa_t start,
				  ms_pa_t end, enum ms_cache *type, bool loose,
				  struct ms_pfnmap_ctx *owner);
/*
 * memtype_check_insert: [start, end) of *type. loose: another type of what overlaps is taken over
 * into *type. -EBUSY: types conflict; -ENOMEM.
 */
static inline int ms_memtype_check_insert(struct ms_pat *pat, ms_pa_t start, ms_pa_t end,
					  enum ms_cache *type, bool loose,
					  struct ms_pfnmap_ctx *owner)
{
	const struct ms_range *first = ms_ranges_above(&pat->list, start);

	if (first && first->start < end)
		return ms_memtype_insert_overlapping(pat, ms_range_type(first), start, end, type,
						     loose, owner);
	return ms_ranges_insert(&pat->list, start, end, ms_range_tag(owner, *type));
}

enum ms_erased { MS_ERASED_NOTHING, MS_ERASED_ENTRY, MS_ERASED_TAIL };
/* memtype_erase() where first, the first entry that ends above `start`, is not simply the caller's
 * own [start, end). */
enum ms_erased ms_memtype_erase_other(struct ms_machine *m, struct ms_range *first, ms_pa_t start,
				      ms_pa_t end, const struct ms_pfnmap_ctx *by, bool *foreign);
/*
 * memtype_erase of [start, end), not empty. by: on whose behalf (NULL: nobody's), *foreign: whether
 * what it hit is someone else's. Of equal entries the caller's own counts as the one that went.
 */
static inline enum ms_erased ms_memtype_erase(struct ms_machine *m, ms_pa_t start, ms_pa_t end,
					      struct ms_pfnmap_ctx *by, bool *foreign)
{
	struct ms_range *first = ms_ranges_above(&m->pat->list, start);

	if (!first || first->start != start || first->end != end || ms_range_owner(first) != by)
		return ms_memtype_erase_other(m, first, start, end, by, foreign);
	*foreign = false;
	ms_ranges_remove(&m->pat->list, &m->pat->list.finger);
	if (by)
		ms_pfnmap_ctx_unlist(m, by);
	return MS_ERASED_ENTRY;
}

/* ---- memtype.c ---- */

/* ms_pagerange_is_ram(), which also notes the device that the range lies in. */
int ms_pat_range_is_ram_anew(struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/* Whether [start, end) is in that device, and not empty. */
static inline bool ms_pat_goes_by_list(const struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	return start >= m->pat->device_start && end <= m->pat->device_end && start < end;
}
/* The same; RAM never comes to be where a device is, so mostly nobody needs to be asked. */
static inline int ms_pat_range_is_ram(struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	if (ms_pat_goes_by_list(m, start, end))
		return 0;
	return ms_pat_range_is_ram_anew(m, start, end);
}

#define MS_ISA_START UINT64_C(0xa0000)
#define MS_ISA_END UINT64_C(0x100000)
/* is_untracked_pat_range: inside of [640K, 1M) */
static inline bool ms_is_isa_range(ms_pa_t start, ms_pa_t end)
{
	return start >= MS_ISA_START && end <= MS_ISA_END;
}
/* is_new_memtype_allowed */
bool ms_is_new_memtype_allowed(ms_pa_t start, ms_pa_t end, enum ms_cache want, enum ms_cache got);
/*
 * memtype_reserve of *type; another one may be granted, in *type. *ctx: a new context with one
 * holder if an entry was made, else NULL.
 */
int ms_memtype_reserve_for(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache *type,
			   struct ms_pfnmap_ctx **ctx);
/* memtype_free on behalf of a holder of ctx (may be NULL), who gives up his hold. */
int ms_memtype_free_of(struct ms_machine *m, ms_pa_t start, ms_pa_t end, struct ms_pfnmap_ctx *ctx,
		       const char **why);
/* The type that all pages of [start, end) have, in *type. -EINVAL: they differ. */
int ms_memtype_lookup_range(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache *type);

/* ---- ram.c ---- */

/* reserve_ram_pages_type(); *got: the type granted, or what stands against it. 0, -EINVAL, -EBUSY,
 * -ENOMEM. */
int ms_reserve_ram_pages_type(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache req,
			      enum ms_cache *got);
/* free_ram_pages_type() */
void ms_free_ram_pages_type(struct ms_machine *m, ms_pa_t start, ms_pa_t end);

#endif
