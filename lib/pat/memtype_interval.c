/* SPDX-License-Identifier: GPL-2.0-only */
/* The memtype list. Mirrors arch/x86/mm/pat/memtype_interval.c. */
#include "pat/internal.h"

/*
 * memtype_check_conflict(): what overlaps must be of one type. The first entry in the list's order
 * decides which, and later ones must agree.
 *
 * Entries that overlap each other always agree, since none is inserted otherwise and none grows. So
 * of those that begin before `start` and reach into the range the first one speaks for all, and the
 * rest are the ones that begin inside.
 */
static int check_conflict(const struct ms_pat *pat, const struct ms_range *first, ms_pa_t start,
			  ms_pa_t end, enum ms_cache *type, bool loose)
{
	enum ms_cache found = ms_range_type(first);

	if (found != *type && !loose)
		return -EBUSY;
	if (ms_ranges_types(&pat->list, start, end) & ~(1u << found))
		return -EBUSY;
	*type = found;
	return 0;
}

int ms_memtype_check_insert(struct ms_pat *pat, ms_pa_t start, ms_pa_t end, enum ms_cache *type,
			    bool loose, struct ms_pfnmap_ctx *owner)
{
	struct ms_ranges_pos pos;
	const struct ms_range *first = ms_ranges_above(&pat->list, start, &pos);
	bool overlaps = first && first->start < end;
	int err = 0;

	if (overlaps)
		err = check_conflict(pat, first, start, end, type, loose);
	if (!err)
		err = ms_ranges_insert(&pat->list, overlaps ? NULL : &pos, start, end,
				       ms_range_tag(owner, *type));
	return err;
}

/* MEMTYPE_EXACT_MATCH: the first entry that is [start, end); pos: the first one that starts there.
 */
static struct ms_range *exact_match(const struct ms_ranges *t, struct ms_range *r, ms_pa_t start,
				    ms_pa_t end, struct ms_ranges_pos *pos)
{
	while (r && r->start == start && r->end != end)
		r = ms_ranges_next(t, pos);
	return r && r->start == start ? r : NULL;
}

/* MEMTYPE_END_MATCH: the first entry that begins before `start` and ends at `end`. */
static struct ms_range *end_match(const struct ms_ranges *t, ms_pa_t start, ms_pa_t end,
				  struct ms_ranges_pos *pos)
{
	struct ms_range *r = ms_ranges_above(t, end - 1, pos);

	while (r && r->start < start && r->end != end)
		r = ms_ranges_next_above(t, end - 1, pos);
	return r && r->start < start ? r : NULL;
}

/* If `by` has made an equal entry, the two change owners: nobody can tell them apart. */
static void prefer_own(const struct ms_ranges *t, struct ms_range *hit, struct ms_ranges_pos pos,
		       const struct ms_pfnmap_ctx *by)
{
	struct ms_range *r = hit;
	uintptr_t tag = hit->tag;

	if (!by || !by->listed)
		return;
	while ((r = ms_ranges_next(t, &pos)) && r->start == hit->start)
		if (r->end == hit->end && ms_range_owner(r) == by) {
			hit->tag = r->tag;
			r->tag = tag;
			return;
		}
}

enum ms_erased ms_memtype_erase(struct ms_machine *m, ms_pa_t start, ms_pa_t end,
				const struct ms_pfnmap_ctx *by, bool *foreign)
{
	struct ms_ranges *t = &m->pat->list;
	struct ms_ranges_pos pos;
	struct ms_range *first = ms_ranges_above(t, start, &pos), *r = NULL;
	struct ms_pfnmap_ctx *owner;

	// an entry that begins earlier says nothing about those that begin here
	if (first && first->start < start)
		r = exact_match(t, ms_ranges_from(t, start, &pos), start, end, &pos);
	else if (first)
		r = exact_match(t, first, start, end, &pos);
	if (r) {
		if (ms_range_owner(r) != by)
			prefer_own(t, r, pos, by);
		owner = ms_range_owner(r);
		*foreign = owner != by;
		ms_ranges_remove(t, &pos);
		ms_pfnmap_ctx_unlist(m, owner);
		return MS_ERASED_ENTRY;
	}
	if (m->policy.memtype_free == MS_MEMTYPE_FREE_EXACT_OR_TAIL && first &&
	    first->start < start)
		r = end_match(t, start, end, &pos);
	if (!r)
		return MS_ERASED_NOTHING;
	*foreign = ms_range_owner(r) != by;
	ms_ranges_shrink(t, &pos, start);
	return MS_ERASED_TAIL;
}

bool ms_memtype_get(const struct ms_machine *m, size_t i, struct ms_memtype *entry)
{
	struct ms_ranges_pos pos;
	const struct ms_range *r;

	if (!m->pat || i >= m->pat->list.count)
		return false;
	r = ms_ranges_from(&m->pat->list, 0, &pos);
	while (i--)
		r = ms_ranges_next(&m->pat->list, &pos);
	*entry = (struct ms_memtype){ r->start, r->end, ms_range_type(r) };
	return true;
}

void ms_memtype_walk(const struct ms_machine *m, ms_pa_t start, ms_pa_t end,
		     void (*fn)(const struct ms_memtype *entry, void *arg), void *arg)
{
	struct ms_ranges_pos pos;
	const struct ms_range *r =
		m->pat && start < end ? ms_ranges_above(&m->pat->list, start, &pos) : NULL;

	for (; r && r->start < end; r = ms_ranges_next_above(&m->pat->list, start, &pos)) {
		struct ms_memtype entry = { r->start, r->end, ms_range_type(r) };

		fn(&entry, arg);
	}
}
