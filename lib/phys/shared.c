/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages that are set apart: the zero pages, and the pools of huge pages. */
#include "phys/phys.h"

static ms_pfn_t make_zero(struct ms_machine *m, ms_pfn_t *pfn, unsigned int order)
{
	if (!*pfn && !ms_page_alloc(m, order, 0, pfn))
		*pfn = 0;
	return *pfn;
}

ms_pfn_t ms_zero_pfn(struct ms_machine *m)
{
	return make_zero(m, &m->phys->zero_pfn, 0);
}

/* mirrors mm_get_huge_zero_page(), mm/huge_memory.c, 5.10 .. 6.1; mm_get_huge_zero_folio(),
 * mm/huge_memory.c, 6.12+ */
ms_pfn_t ms_huge_zero_pfn(struct ms_machine *m)
{
	// A split of the huge zero page needs the small one, and may not fail.
	return ms_zero_pfn(m) ? make_zero(m, &m->phys->huge_zero_pfn, ms_pmd_order(m)) : 0;
}

bool ms_has_zero_page(const struct ms_machine *m, bool huge)
{
	return huge ? m->phys->huge_zero_pfn : m->phys->zero_pfn;
}

// mirrors is_zero_pfn(), include/linux/pgtable.h, 5.10+
bool ms_is_zero_pfn(const struct ms_machine *m, ms_pfn_t pfn)
{
	return pfn && pfn == m->phys->zero_pfn;
}

/* mirrors is_huge_zero_pmd(), include/linux/huge_mm.h, 5.10+; is_huge_zero_pfn(),
 * include/linux/huge_mm.h, 7.2+ */
bool ms_is_huge_zero_pfn(const struct ms_machine *m, ms_pfn_t pfn)
{
	return pfn && pfn == m->phys->huge_zero_pfn;
}

struct ms_hugetlb_pool *ms_hugetlb_pool(struct ms_machine *m, unsigned int order)
{
	for (unsigned int i = 0; order && i < MS_HUGETLB_SIZES; i++) {
		if (m->phys->hugetlb[i].order == order)
			return &m->phys->hugetlb[i];
	}
	return NULL;
}

void ms_hugetlb_pool_add(struct ms_machine *m, unsigned int order, uint64_t pages)
{
	if (ms_hugetlb_pool(m, order))
		return;
	for (unsigned int i = 0; i < MS_HUGETLB_SIZES; i++) {
		if (m->phys->hugetlb[i].order)
			continue;
		m->phys->hugetlb[i] = (struct ms_hugetlb_pool){ .order = order, .pages = pages };
		return;
	}
}
