/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that driver code takes from a process: get_user_pages and pin_user_pages. A pin is worth
 * many references in the count of a small page, so that whoever sees a count as high takes the page
 * for pinned; a compound page has a count of its own for its pins. Here each page that was taken
 * has a record with both numbers, which also tells what is given back too often, or never.
 */
#include "mm/pin.h"
#include "mm/lock.h"
#include "mm/move.h"
#include "mm/pgtable.h"

// mirrors GUP_PIN_COUNTING_BIAS, include/linux/mm.h, 5.10+
#define PIN_BIAS 1024u

struct ms_taken_page {
	RB_ENTRY(ms_taken_page) by_pfn;
	ms_pfn_t pfn; /* of a compound page its head */
	uint64_t pins;
	uint64_t got; /* references of get_user_pages() that were not put yet */
};

static int pfn_cmp(const struct ms_taken_page *a, const struct ms_taken_page *b)
{
	return a->pfn < b->pfn ? -1 : a->pfn > b->pfn;
}

RB_GENERATE_INTERNAL(ms_taken_pages, ms_taken_page, by_pfn, pfn_cmp,
		     static __attribute__((unused)))

static struct ms_taken_page *find(const struct ms_machine *m, ms_pfn_t head)
{
	return RB_FIND(ms_taken_pages, &m->processes->taken_pages,
		       &(struct ms_taken_page){ .pfn = head });
}

static void forget(struct ms_machine *m, struct ms_taken_page *taken)
{
	RB_REMOVE(ms_taken_pages, &m->processes->taken_pages, taken);
	ms_free(&m->alloc, taken);
}

void ms_taken_init(struct ms_machine *m)
{
	RB_INIT(&m->processes->taken_pages);
}

void ms_taken_destroy(struct ms_machine *m)
{
	struct ms_taken_page *taken;

	while ((taken = RB_ROOT(&m->processes->taken_pages)))
		forget(m, taken);
}

/* The zero pages hold themselves: nobody counts who takes them. */
static bool is_counted(const struct ms_machine *m, ms_pfn_t head)
{
	return !ms_is_zero_pfn(m, head) && !ms_is_huge_zero_pfn(m, head);
}

/* References in the page's count that n pins are worth. */
static uint32_t worth(const struct ms_machine *m, ms_pfn_t head)
{
	const struct ms_page *page = ms_page_look(m, head);

	return page && page->order ? 1 : PIN_BIAS;
}

/* mirrors try_grab_page(), mm/gup.c, 5.10 .. 6.1; try_grab_folio(), mm/gup.c, 6.1+ */
static int grab(struct ms_machine *m, ms_pfn_t pfn, unsigned int how)
{
	const ms_pfn_t head = ms_page_head(m, pfn);
	struct ms_taken_page *taken;

	if (!is_counted(m, head))
		return 0;
	taken = find(m, head);
	if (!taken) {
		taken = ms_zalloc(&m->alloc, sizeof(*taken));
		if (!taken)
			return ms_refuse(m, -ENOMEM, "no memory");
		taken->pfn = head;
		RB_INSERT(ms_taken_pages, &m->processes->taken_pages, taken);
	}
	if (how & MS_GUP_PIN) {
		taken->pins++;
		ms_page_get(m, head, worth(m, head));
	} else {
		taken->got++;
		ms_page_get(m, head, 1);
	}
	return 0;
}

/* mirrors page_maybe_dma_pinned(), include/linux/mm.h, 5.10 .. 6.1; folio_maybe_dma_pinned(),
 * include/linux/mm.h, 6.1+ */
bool ms_page_maybe_pinned(const struct ms_machine *m, ms_pfn_t pfn)
{
	const ms_pfn_t head = ms_page_head(m, pfn);
	const struct ms_page *page = ms_page_look(m, head);
	const struct ms_taken_page *taken;

	if (!page || !is_counted(m, head))
		return false;
	if (!page->order)
		return page->refcount >= PIN_BIAS;
	taken = find(m, head);
	return taken && taken->pins;
}

uint32_t ms_unpin(struct ms_machine *m, ms_pfn_t pfn)
{
	const ms_pfn_t head = ms_page_head(m, pfn);
	struct ms_taken_page *taken;

	if (!is_counted(m, head))
		return 0;
	taken = find(m, head);
	if (!taken || !taken->pins) {
		ms_violation(m, "unpin_user_page of a page that is not pinned",
			     pfn << m->page_shift);
		return 0;
	}
	if (!--taken->pins && !taken->got)
		forget(m, taken);
	return worth(m, head);
}

void ms_got_is_put(struct ms_machine *m, ms_pfn_t pfn)
{
	const ms_pfn_t head = ms_page_head(m, pfn);
	struct ms_taken_page *taken = find(m, head);

	if (!taken)
		return;
	if (taken->got && !--taken->got && !taken->pins)
		forget(m, taken);
}

/* ---- from a process ---- */

/* How many pages were taken; of none the error.
 * mirrors __get_user_pages(), mm/gup.c, 5.10+ */
int64_t ms_gup_pages(struct ms_mm *mm, ms_hva_t addr, uint64_t npages, unsigned int how,
		     ms_pfn_t *pfns)
{
	struct ms_machine *m = mm->machine;

	// set before anything is pinned, and never cleared
	if (how & MS_GUP_PIN)
		mm->has_pinned = true;
	for (uint64_t i = 0; i < npages; i++) {
		ms_pfn_t pfn;
		int err = ms_look_at_page(mm, addr + (i << m->page_shift), how, &pfn);

		if (!err)
			err = grab(m, pfn, how);
		if (err)
			return i ? (int64_t)i : err;
		if (pfns)
			pfns[i] = pfn;
	}
	return (int64_t)npages;
}

/* ---- what is known of taken pages ---- */

void ms_taken_check(struct ms_check *c)
{
	struct ms_taken_page *taken;

	RB_FOREACH (taken, ms_taken_pages, &c->machine->processes->taken_pages) {
		const struct ms_page *page = ms_page_look(c->machine, taken->pfn);

		if (!page || page->refcount < taken->pins * worth(c->machine, taken->pfn))
			ms_check_found(c, "page %#" PRIx64 ": %" PRIu64 " pins, %" PRIu32
					  " references",
				       taken->pfn, taken->pins, page ? page->refcount : 0);
		ms_page_check_others(c, taken->pfn);
	}
}

/* In no order: the pages' own numbers are no state. */
void ms_taken_hash(struct ms_hash *h)
{
	struct ms_taken_page *taken;
	uint64_t sum = 0;

	RB_FOREACH (taken, ms_taken_pages,
		    (struct ms_taken_pages *)(uintptr_t)&h->machine->processes->taken_pages) {
		const uint64_t outer = ms_hash_apart(h);

		ms_phys_hash_page(h, taken->pfn);
		ms_hash_add(h, taken->pins);
		ms_hash_add(h, taken->got);
		sum += ms_hash_apart_end(h, outer);
	}
	ms_hash_add(h, sum);
}

size_t ms_taken_report(struct ms_machine *m)
{
	struct ms_taken_page *taken;
	size_t n = 0;

	RB_FOREACH (taken, ms_taken_pages, &m->processes->taken_pages) {
		n++;
		ms_violation_entry(m,
				   taken->pins ? "pages of a process are never unpinned"
					       : "pages of a process are taken and never put",
				   taken->pfn << m->page_shift, taken->pfn << m->page_shift);
	}
	return n;
}
