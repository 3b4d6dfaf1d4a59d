/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages, for those who hold them and are hashed. */
#ifndef MS_PHYS_HASH_H
#define MS_PHYS_HASH_H

#include "core/hash.h"
#include "phys/internal.h"

/* A page of RAM, and where it is met first all that is known of it. */
void ms_phys_hash_page(struct ms_hash *h, ms_pfn_t pfn);
static inline bool ms_phys_hash_is_ram(const struct ms_hash *h, ms_pa_t pa)
{
	const ms_pfn_t pfn = pa >> h->machine->page_shift;

	// most addresses that are none are outside of all RAM
	return pfn - h->ram_start < h->ram_pages && ms_pfn_is_ram(h->machine, pfn);
}
/* An address of anything: a page of RAM, or the address itself. */
static inline void ms_phys_hash_pa(struct ms_hash *h, ms_pa_t pa)
{
	if (ms_phys_hash_is_ram(h, pa))
		ms_phys_hash_page(h, pa >> h->machine->page_shift);
	else
		ms_hash_add(h, pa | 1);
}
/* The page that the allocator gives next; 0: none. */
ms_pfn_t ms_phys_lowest_free(const struct ms_machine *m);

#endif
