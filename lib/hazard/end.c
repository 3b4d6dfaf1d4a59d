/* SPDX-License-Identifier: GPL-2.0-only */
/* What is left when everything was given back. */
#include "hazard/internal.h"

#include "mm/view.h"

/* Pages that are held for good: the zero pages, and what waits in queues. */
static uint64_t kept_pages(const struct ms_machine *m)
{
	uint64_t pages = ms_lru_references(m);

	if (ms_has_zero_page(m, false))
		pages++;
	if (ms_has_zero_page(m, true))
		pages += UINT64_C(1) << ms_pmd_order(m);
	return pages;
}

size_t ms_hazards_at_end(const struct ms_machine *m, ms_hazard_fn *tell, void *arg)
{
	struct ms_judge j = { .m = m, .tell = tell, .arg = arg };
	uint64_t held, kept;

	if (!m || ms_mm_next(m, NULL) || ms_vm_next(m, NULL))
		return 0;
	ms_judge_type_leaks(&j);
	held = ms_ram_held_pages(m);
	kept = kept_pages(m);
	if (held > kept)
		ms_judge_found(&j,
			       &(struct ms_hazard){ .kind = MS_HAZARD_PAGE_LEAK,
						    .size = (held - kept) << m->page_shift,
						    .text = "pages of RAM that nobody will give "
							    "back" });
	return ms_judge_end(&j);
}
