/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * pat.h - x86 memory types: the list of reservations, and the tracking of pfn mappings on it.
 *
 * Mirrors arch/x86/mm/pat/memtype.c and memtype_interval.c. On arm64, tracking does nothing and
 * answers as if no check existed. It knows physical ranges and a VMA's tracking state, never a page
 * table of its own. A machine, VMA, event or function to call that is NULL is refused: the answer
 * is -EINVAL, 0 or false, or nothing is done.
 *
 * Of n entries, reserve and lookup take O(log n), however many entries the range overlaps; free
 * takes O(log n), and O(1) more for each other entry with the same start, or, where the tail of an
 * entry is to go, O(log n) for each that reaches as far. Beside the call before, all three take
 * O(1). bench/ measures them.
 */
#ifndef MAPSIM_PAT_H
#define MAPSIM_PAT_H

#include <mapsim/trace.h>
#include <mapsim/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * memtype_reserve of [start, end) as `req`. *got (may be NULL: then a conflict is an error) gets
 * the type granted. 0, -EINVAL, -EBUSY, -ENOMEM.
 */
int ms_memtype_reserve(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache req,
		       enum ms_cache *got);
/** memtype_free: exact entry, or (policy memtype_free) the tail of one. -EINVAL: no such entry. */
int ms_memtype_free(struct ms_machine *m, ms_pa_t start, ms_pa_t end);
/** lookup_memtype of the page at pa: UC- where nothing is reserved, and of a machine that is NULL.
 */
enum ms_cache ms_memtype_lookup(struct ms_machine *m, ms_pa_t pa);

struct ms_memtype {
	ms_pa_t start, end; ///< [start, end)
	enum ms_cache type;
};
/** The i-th entry in debugfs's order (by start, equal starts in order of insertion). false: no such
 * entry. O(i). */
bool ms_memtype_get(const struct ms_machine *m, size_t i, struct ms_memtype *entry);
/** Calls fn for every entry that overlaps [start, end), in that order. O(log n) each. */
void ms_memtype_walk(const struct ms_machine *m, ms_pa_t start, ms_pa_t end,
		     void (*fn)(const struct ms_memtype *entry, void *arg), void *arg);

/**
 * Entries that nobody will give back: their VMAs (all pieces and copies) are gone or untracked,
 * their ioremap is unmapped. Calls fn (may be NULL) for each, in the list's order; answers how
 * many. Entries made by ms_memtype_reserve() have no holder to lose and never count. O(n).
 */
size_t ms_memtype_leaks(const struct ms_machine *m,
			void (*fn)(const struct ms_memtype *entry, void *arg), void *arg);

/**
 * Whether an MS_EV_PAT_FREE was decided by the list. false: memtype_free ended before (PAT off, ISA
 * range, RAM), where a probe on the removal of entries sees nothing. Its `reason` tells what was
 * hit other than the caller's own entry, and what is left behind; NULL: nothing unusual.
 */
bool ms_pat_free_reached_list(const struct ms_event *ev);

/** ioremap of [pa, pa + size) as `type`: reserves; -ENOMEM when the type is refused, as ioremap's
 * NULL. */
int ms_ioremap(struct ms_machine *m, ms_pa_t pa, uint64_t size, enum ms_cache type);
/** iounmap of exactly what an ioremap took (rounded to pages alike). -EINVAL: there is no such one.
 */
int ms_iounmap(struct ms_machine *m, ms_pa_t pa, uint64_t size);

#ifdef __cplusplus
}
#endif
#endif
