/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory type that each page of RAM has of its own, in its struct page. */
#include "pat/internal.h"
#include "phys/internal.h"

/* The frame of the next page of RAM from *pfn on, which moves behind it; NULL: none up to end, or
 * (*oom) no memory for the frame. There may be holes: a range that pat_pagerange_is_ram() takes for
 * RAM may end in one. */
static struct ms_page *next_ram_page(struct ms_machine *m, ms_pfn_t *pfn, ms_pfn_t end, bool *oom)
{
	for (; *pfn < end; ++*pfn) {
		struct ms_page *page;

		if (!ms_pfn_is_ram(m, *pfn))
			continue;
		page = ms_pfn_to_page(m, (*pfn)++);
		*oom |= !page;
		return page;
	}
	return NULL;
}

static void set_type(struct ms_machine *m, struct ms_page *page, enum ms_cache type)
{
	m->pat->ram_typed += (type != MS_CACHE_WB) - (uint64_t)(page->memtype != MS_CACHE_WB);
	page->memtype = (uint8_t)type;
}

// mirrors set_page_memtype(), arch/x86/mm/pat/memtype.c, 5.10+: for each page
static void set_ram_type(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache type)
{
	ms_pfn_t pfn = start >> m->page_shift, last = end >> m->page_shift;
	struct ms_page *page;
	bool oom = false;

	while (pfn < last)
		if ((page = next_ram_page(m, &pfn, last, &oom)))
			set_type(m, page, type);
}

/* Only pages that are WB can be given another type.
 * mirrors reserve_ram_pages_type(), arch/x86/mm/pat/memtype.c, 5.10+ */
int ms_reserve_ram_pages_type(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache req,
			      enum ms_cache *got)
{
	ms_pfn_t pfn = start >> m->page_shift, last = end >> m->page_shift;
	bool oom = false;

	if (req == MS_CACHE_WP) {
		*got = MS_CACHE_UC_MINUS;
		return ms_refuse(m, -EINVAL, "%x-%x is RAM, which cannot be WP", start, end);
	}
	if (req == MS_CACHE_UC) {
		ms_violation(m, "reserve_ram_pages_type: strong UC of RAM", start);
		req = MS_CACHE_UC_MINUS;
	}
	while (pfn < last) {
		const struct ms_page *page = next_ram_page(m, &pfn, last, &oom);

		if (oom)
			return -ENOMEM;
		if (page && page->memtype != MS_CACHE_WB) {
			ms_log(m, "x86/PAT: reserve_ram_pages_type failed", start, end - start);
			*got = (enum ms_cache)page->memtype;
			return ms_refuse(m, -EBUSY,
					 "page %x of RAM is reserved as %s, %s was asked for",
					 (pfn - 1) << m->page_shift, ms_type_text(m, *got),
					 ms_type_text(m, req));
		}
	}
	*got = req;
	set_ram_type(m, start, end, req);
	return 0;
}

// mirrors free_ram_pages_type(), arch/x86/mm/pat/memtype.c, 5.10+
void ms_free_ram_pages_type(struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	set_ram_type(m, start, end, MS_CACHE_WB);
}
