/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The inside of lib/pat.
 *
 *   ranges*.c, .h               the ordered ranges; know no rule
 *   memtype_interval.c          the kernel's rules on them: conflict, insert, erase, lookup
 *   memtype.c                   memtype_reserve, lookup_memtype
 *   memtype_free.c              memtype_free
 *   ram.c                       the types that pages of RAM have themselves
 *   context.c                   who holds a reservation
 *   ioremap.c                   the kernel's own mappings
 *   leaks.c                     what nobody will give back
 *   check.c                     is all of it whole?
 */
#ifndef MS_PAT_INTERNAL_H
#define MS_PAT_INTERNAL_H

#include "core/room.h"
#include "pat/ranges.h"
#include "pat/tracking.h"

#include <mapsim/pat.h>

struct ms_pat {
	struct ms_ranges list;
	LIST_HEAD(, ms_pfnmap_ctx) contexts; /* all, youngest first */
	/* by range; of equal ones the youngest first */
	RB_HEAD(ms_ioremaps, ms_pfnmap_ctx) ioremaps;
	uint64_t next_age;
	uint64_t ram_typed; /* pages of RAM that are not WB */
	/* The device that was asked about last: its memory types are those of the list, whatever
	 * the range. Empty: none, or PAT is off. */
	ms_pa_t device_start, device_end;
};

/* ---- context.c ---- */

/* ctx is of an ioremap. */
void ms_pfnmap_ctx_set_ioremap(struct ms_machine *m, struct ms_pfnmap_ctx *ctx);
/* The youngest ioremap of exactly [start, end) that is not unmapped; NULL: none. */
struct ms_pfnmap_ctx *ms_pfnmap_ctx_find_ioremap(struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/* The entry that ctx owned has left the list. NULL is allowed. */
void ms_pfnmap_ctx_unlist(struct ms_machine *m, struct ms_pfnmap_ctx *ctx);

/* ---- memtype_interval.c ---- */

/* memtype_check_insert() of a range that overlaps entries. The first of them is of type `found`,
 * and the list's finger is at it. */
int ms_memtype_insert_overlapping(struct ms_pat *pat, enum ms_cache found, ms_pa_t start,
				  ms_pa_t end, enum ms_cache *type, bool loose,
				  struct ms_pfnmap_ctx *owner);
/*
 * Enters [start, end) as *type. loose: where it overlaps entries of another type, *type becomes
 * theirs. -EBUSY: types conflict; -ENOMEM.
 * mirrors memtype_check_insert(), arch/x86/mm/pat/memtype_interval.c, 5.10+
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
/* ms_memtype_erase() where `first`, the first entry that ends above `start`, is not exactly the
 * caller's own [start, end). */
enum ms_erased ms_memtype_erase_other(struct ms_machine *m, struct ms_range *first, ms_pa_t start,
				      ms_pa_t end, const struct ms_pfnmap_ctx *by, bool *foreign);
/*
 * Removes the entry of [start, end), which is not empty. by: on whose behalf (NULL: nobody's),
 * *foreign: whether the entry was someone else's. Of equal entries the caller's own is removed.
 * mirrors memtype_erase(), arch/x86/mm/pat/memtype_interval.c, 5.10+
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

/* The name of a type, as a refusal's argument. */
static inline uint64_t ms_type_text(const struct ms_machine *m, enum ms_cache type)
{
	return ms_refusal_text(ms_cache_name(m->policy.arch, type));
}

/* ms_pagerange_is_ram(); it also remembers the device in which the range begins. */
int ms_pat_range_is_ram_anew(struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/* Whether [start, end) is inside of that device, and not empty. */
static inline bool ms_pat_goes_by_list(const struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	return start >= m->pat->device_start && end <= m->pat->device_end && start < end;
}
/* ms_pagerange_is_ram(). Inside of the remembered device the answer is known: RAM is never added
 * where a device is.
 * mirrors pat_pagerange_is_ram(), arch/x86/mm/pat/memtype.c, 5.10+ */
static inline int ms_pat_is_ram(struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	if (ms_pat_goes_by_list(m, start, end))
		return 0;
	return ms_pat_range_is_ram_anew(m, start, end);
}

#define MS_PHYSICAL_MASK ((UINT64_C(1) << 52) - 1) /* __PHYSICAL_MASK: independent of the CPU */

/* -EINVAL: of the range a part is RAM, and a part is not. */
int ms_refuse_mixed(struct ms_machine *m, ms_pa_t start, ms_pa_t end);

#define MS_ISA_START UINT64_C(0xa0000)
#define MS_ISA_END UINT64_C(0x100000)
/* Inside of [640K, 1M), where no type is tracked: x86_platform.is_untracked_pat_range.
 * mirrors is_ISA_range(), arch/x86/include/asm/e820/api.h, 5.10+ */
static inline bool ms_is_isa_range(ms_pa_t start, ms_pa_t end)
{
	return start >= MS_ISA_START && end <= MS_ISA_END;
}
/* ---- ram.c ---- */

/* Gives pages of RAM the type `req`. *got: the type that they got, or after -EBUSY the one that a
 * page has already. 0, -EINVAL, -EBUSY, -ENOMEM. */
int ms_reserve_ram_pages_type(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache req,
			      enum ms_cache *got);
/* Pages of RAM become WB again. */
void ms_free_ram_pages_type(struct ms_machine *m, ms_pa_t start, ms_pa_t end);

void ms_pat_check(struct ms_check *c);

struct ms_hash;
void ms_pat_hash(struct ms_hash *h);

#endif
