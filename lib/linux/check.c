/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks what drivers hold: their kmallocs, and pages. Only the driver's code knows how many
 * references to a page it has taken, so a page may have more than mappings and files account for.
 */
#include "core/check.h"
#include "linux/state.h"

static void check_pages(struct ms_check *c, const struct ms_block *block)
{
	if (!block)
		return;
	check_pages(c, RB_LEFT(block, by_pfn));
	if (!block->pfn || !block->size)
		ms_check_found(c, "linux.h: a block of pages without pages");
	ms_page_check_others(c, block->pfn);
	check_pages(c, RB_RIGHT(block, by_pfn));
}

/* kmallocs outside of RAM; those in RAM are pages, which check_pages() sees. */
static size_t count_small(const struct ms_block *block)
{
	if (!block)
		return 0;
	return count_small(RB_LEFT(block, by_addr)) + !block->pfn +
	       count_small(RB_RIGHT(block, by_addr));
}

void ms_linux_check(struct ms_check *c)
{
	const struct ms_linux *lx = c->machine->kernel;
	size_t small;

	if (!lx)
		return;
	check_pages(c, RB_ROOT(&lx->by_pfn));
	small = count_small(RB_ROOT(&lx->by_addr));
	if (small != lx->small)
		ms_check_found(c, "linux.h: %zu kmallocs, %zu are counted", small, lx->small);
}
