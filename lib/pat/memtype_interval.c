/* SPDX-License-Identifier: GPL-2.0-only */
/* The memtype list. Mirrors arch/x86/mm/pat/memtype_interval.c. */
#include "pat/internal.h"

/*
 * All entries that overlap the range must be of one type. The first of them in the list's order
 * decides which, and the later ones must agree.
 * mirrors memtype_check_conflict(), arch/x86/mm/pat/memtype_interval.c, 5.10+.
 *
 * Entries that overlap each other always agree, since none is inserted otherwise and none grows. So
 * of those that begin before `start` the first one speaks for all, and only those that begin inside
 * of the range are left to be asked.
 */
int ms_memtype_insert_overlapping(struct ms_pat *pat, enum ms_cache found, ms_pa_t start,
				  ms_pa_t end, enum ms_cache *type, bool loose,
				  struct ms_pfnmap_ctx *owner)
{
	if (found != *type && !loose)
		return -EBUSY;
	if (ms_ranges_types(&pat->list, start, end) != 1u << found)
		return -EBUSY;
	*type = found;
	ms_ranges_forward(&pat->list, start + 1);
	return ms_ranges_insert(&pat->list, start, end, ms_range_tag(owner, found));
}

/* MEMTYPE_EXACT_MATCH: the first entry that is [start, end). r and pos: the first entry that begins
 * at `start`.
 * mirrors memtype_match(), arch/x86/mm/pat/memtype_interval.c, 5.10 .. 6.15; memtype_erase(),
 * arch/x86/mm/pat/memtype_interval.c, 6.16+ */
static struct ms_range *exact_match(const struct ms_ranges *t, struct ms_range *r, ms_pa_t start,
				    ms_pa_t end, struct ms_ranges_pos *pos)
{
	while (r && r->start == start && r->end != end)
		r = ms_ranges_next(t, pos);
	return r && r->start == start ? r : NULL;
}

/* MEMTYPE_END_MATCH: the first entry that begins before `start` and ends at `end`. It leaves
 * t->finger there.
 * mirrors memtype_match(), arch/x86/mm/pat/memtype_interval.c, 5.10 .. 6.15 */
static struct ms_range *end_match(struct ms_ranges *t, ms_pa_t start, ms_pa_t end)
{
	struct ms_range *r = ms_ranges_above(t, end - 1);

	while (r && r->start < start && r->end != end)
		r = ms_ranges_next_above(t, end - 1, &t->finger);
	return r && r->start < start ? r : NULL;
}

/* If `by` (NULL: nobody) owns an entry equal to `hit`, the two entries exchange their owners: the
 * kernel could not tell them apart, and so the one that is removed is the caller's. */
static void prefer_own(const struct ms_ranges *t, struct ms_range *hit,
		       const struct ms_ranges_pos *pos, const struct ms_pfnmap_ctx *by)
{
	struct ms_ranges_pos other = *pos;
	struct ms_range *r = hit;
	uintptr_t tag = hit->tag;

	while ((r = ms_ranges_next(t, &other)) && r->start == hit->start)
		if (r->end == hit->end && ms_range_owner(r) == by) {
			hit->tag = r->tag;
			r->tag = tag;
			return;
		}
}

static enum ms_erased erase_entry(struct ms_machine *m, struct ms_range *r,
				  struct ms_ranges_pos *pos, const struct ms_pfnmap_ctx *by,
				  bool *foreign)
{
	struct ms_pfnmap_ctx *owner;

	if (ms_range_owner(r) != by)
		prefer_own(&m->pat->list, r, pos, by);
	owner = ms_range_owner(r);
	*foreign = owner != by;
	ms_ranges_remove(&m->pat->list, pos);
	ms_pfnmap_ctx_unlist(m, owner);
	return MS_ERASED_ENTRY;
}

// mirrors memtype_erase(), arch/x86/mm/pat/memtype_interval.c, 5.10+
enum ms_erased ms_memtype_erase_other(struct ms_machine *m, struct ms_range *first, ms_pa_t start,
				      ms_pa_t end, const struct ms_pfnmap_ctx *by, bool *foreign)
{
	struct ms_ranges *t = &m->pat->list;
	bool earlier = first && first->start < start;
	struct ms_range *r = first;

	// an entry that begins earlier says nothing about those that begin here
	if (earlier)
		r = ms_ranges_forward(t, start);
	r = exact_match(t, r, start, end, &t->finger);
	if (r)
		return erase_entry(m, r, &t->finger, by, foreign);
	if (!earlier || m->policy.memtype_free != MS_MEMTYPE_FREE_EXACT_OR_TAIL)
		return MS_ERASED_NOTHING;
	r = end_match(t, start, end);
	if (!r)
		return MS_ERASED_NOTHING;
	*foreign = ms_range_owner(r) != by;
	ms_ranges_shrink(t, &t->finger, start);
	return MS_ERASED_TAIL;
}

// mirrors memtype_copy_nth_element(), arch/x86/mm/pat/memtype_interval.c, 5.10+
bool ms_memtype_get(const struct ms_machine *m, size_t i, struct ms_memtype *entry)
{
	struct ms_ranges_pos pos;
	const struct ms_range *r;

	if (!m || !m->pat || i >= m->pat->list.count)
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
	struct ms_ranges *t = m && m->pat ? &m->pat->list : NULL;
	struct ms_range *r = t && start < end ? ms_ranges_above(t, start) : NULL;
	struct ms_ranges_pos pos;

	if (!r || !fn)
		return;
	pos = t->finger; // fn may ask for other things
	for (; r && r->start < end; r = ms_ranges_next_above(t, start, &pos)) {
		struct ms_memtype entry = { r->start, r->end, ms_range_type(r) };

		fn(&entry, arg);
	}
}
