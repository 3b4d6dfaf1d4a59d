/* SPDX-License-Identifier: GPL-2.0-only */
/* Reservations that have outlived everyone who held them. The kernel cannot tell, mapsim can. */
#include "pat/internal.h"

size_t ms_memtype_leaks(const struct ms_machine *m,
			void (*fn)(const struct ms_memtype *entry, void *arg), void *arg)
{
	struct ms_ranges_pos pos;
	size_t n = 0;

	if (!m)
		return 0;
	for (const struct ms_range *r = ms_ranges_from(&m->pat->list, 0, &pos); r;
	     r = ms_ranges_next(&m->pat->list, &pos)) {
		const struct ms_pfnmap_ctx *owner = ms_range_owner(r);
		struct ms_memtype entry = { r->start, r->end, ms_range_type(r) };

		if (!owner || owner->holders)
			continue;
		n++;
		if (fn)
			fn(&entry, arg);
	}
	return n;
}
