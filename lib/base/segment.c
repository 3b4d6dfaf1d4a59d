/* SPDX-License-Identifier: GPL-2.0-only */
/* A segment of an arena: how its addresses become memory, and its runs of pages. */
#include "base/arena_inside.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE MS_ARENA_PAGE
#define RESERVE_MIN ((size_t)64 << 20)
#define BASE_ALIGN ((size_t)2 << 20)
#define STEP ((size_t)64 << 10) /* what becomes memory at once, at least: pages of any host */
#define STEP_MAX ((size_t)32 << 20)
#define GIVE_BACK ((size_t)1 << 20) /* free runs of this size are no memory any more */
#define TRIES 8u /* free runs that are looked at among those that may be too small */

static size_t page_of(const struct ms_segment *s, const char *p)
{
	return (size_t)(p - s->base) / PAGE;
}

static unsigned int bin_of(size_t pages)
{
	return 63u - (unsigned int)__builtin_clzll(pages);
}

/* What the first and the last page of a run are asked for. */
static void mark(struct ms_segment *s, size_t page, size_t pages, bool is_free)
{
	const struct ms_run run = { .pages = (uint32_t)pages, .is_free = is_free };

	*ms_segment_run(s, page) = *ms_segment_run(s, page + pages - 1) = run;
}

/* ---- addresses and memory ---- */

void ms_segment_init_small(struct ms_segment *s, char *start, char *end)
{
	const size_t pages = (size_t)(end - start) / PAGE;

	*s = (struct ms_segment){ .low = start, .high = end };
	s->runs_low = start;
	s->base = (char *)ms_align_up((uintptr_t)(start + pages * sizeof(struct ms_run)), PAGE);
	s->end = s->limit = (char *)ms_align_down((uintptr_t)end, PAGE);
	s->top = s->base;
	s->written = s->limit; // malloc does not say what is in its memory
	memset(start, 0, (size_t)(s->base - start));
	ms_poison(s->base, (size_t)(s->end - s->base));
}

/* Before the pages there is room for one struct ms_run each, and to align them. */
static bool reserve(struct ms_segment *s, size_t size)
{
	const size_t runs = size / PAGE * sizeof(struct ms_run), all = runs + size + BASE_ALIGN;
	char *low = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (low == MAP_FAILED)
		return false;
	*s = (struct ms_segment){ .low = low, .high = low + all };
	s->base = (char *)ms_align_up((uintptr_t)low + runs, BASE_ALIGN);
	s->limit = s->base + size;
	s->runs_low = s->base - STEP;
	s->end = s->base + STEP;
	s->top = s->written = s->base + PAGE;
	if (mprotect(s->runs_low, 2 * STEP, PROT_READ | PROT_WRITE)) {
		ms_segment_unreserve(s);
		return false;
	}
	ms_poison(s->base, STEP);
	// page 0 is never free, so that 0 can stand for no page
	mark(s, 0, 1, false);
	return true;
}

bool ms_segment_reserve(struct ms_segment *s)
{
	for (size_t size = MS_ARENA_MAX; size >= RESERVE_MIN; size /= 4)
		if (reserve(s, size))
			return true;
	return false;
}

void ms_segment_unreserve(struct ms_segment *s)
{
	if (s->low)
		munmap(s->low, (size_t)(s->high - s->low));
	*s = (struct ms_segment){ 0 };
}

/* Sees to it that the pages below `top` are memory, and so are their runs. */
static bool reach(struct ms_segment *s, char *top)
{
	const size_t runs = (size_t)(top - s->base) / PAGE * sizeof(struct ms_run);
	uint64_t step;

	if (top > s->end) {
		step = ms_min_u64((uint64_t)(s->end - s->base), STEP_MAX);
		step = ms_align_up(ms_max_u64(step, (uint64_t)(top - s->end)), STEP);
		step = ms_min_u64(step, (uint64_t)(s->limit - s->end));
		if (mprotect(s->end, step, PROT_READ | PROT_WRITE))
			return false;
		ms_poison(s->end, step);
		s->end += step;
	}
	if (runs > (size_t)(s->base - s->runs_low)) {
		// what is reserved before the base is room for the runs of all pages
		step = ms_align_up(runs, STEP) - (uint64_t)(s->base - s->runs_low);
		step = ms_min_u64(step, (uint64_t)(s->runs_low - s->low));
		if (mprotect(s->runs_low - step, step, PROT_READ | PROT_WRITE))
			return false;
		s->runs_low -= step;
	}
	return true;
}

void ms_segment_wrote(struct ms_segment *s, char *p, size_t size)
{
	char *end = p + ms_align_up(size, PAGE);

	if (end > s->written)
		s->written = end;
}

/* ---- free runs ---- */

static void list_insert(struct ms_segment *s, size_t page, size_t pages)
{
	const unsigned int bin = bin_of(pages);
	struct ms_run *run;

	mark(s, page, pages, true);
	run = ms_segment_run(s, page);
	run->next = s->bin[bin];
	if (run->next)
		ms_segment_run(s, run->next)->prev = (uint32_t)page;
	s->bin[bin] = (uint32_t)page;
	s->bins |= 1u << bin;
}

static void list_remove(struct ms_segment *s, size_t page)
{
	const struct ms_run *run = ms_segment_run(s, page);
	const unsigned int bin = bin_of(run->pages);

	if (run->next)
		ms_segment_run(s, run->next)->prev = run->prev;
	if (run->prev)
		ms_segment_run(s, run->prev)->next = run->next;
	else
		s->bin[bin] = run->next;
	if (!s->bin[bin])
		s->bins &= ~(1u << bin);
}

/* Pages are free now: with those beside them they are one run, or lie above the top. */
static void free_pages(struct ms_segment *s, size_t page, size_t pages)
{
	const size_t top = page_of(s, s->top);
	struct ms_run beside = *ms_segment_run(s, page - 1);

	if (beside.is_free) {
		page -= beside.pages;
		pages += beside.pages;
		list_remove(s, page);
	}
	if (page + pages < top) {
		beside = *ms_segment_run(s, page + pages);
		if (beside.is_free) {
			list_remove(s, page + pages);
			pages += beside.pages;
		}
	}
	if (page + pages == top)
		s->top = s->base + page * PAGE;
	else
		list_insert(s, page, pages);
}

/* Takes pages of a free run at an aligned address. NULL: it is too small. */
static char *take_of(struct ms_segment *s, size_t page, size_t pages, size_t align)
{
	const size_t end = page + ms_segment_run(s, page)->pages;
	char *p = (char *)ms_align_up((uintptr_t)s->base + page * PAGE, align);
	const size_t start = page_of(s, p);

	if (start + pages > end)
		return NULL;
	list_remove(s, page);
	if (start > page)
		list_insert(s, page, start - page);
	mark(s, start, pages, false);
	if (start + pages < end)
		list_insert(s, start + pages, end - start - pages);
	return p;
}

/* The first free run that does of those that may, which are a few in each bin. */
static char *take_free(struct ms_segment *s, size_t pages, size_t align)
{
	uint32_t bins = s->bins >> bin_of(pages) << bin_of(pages);

	for (; bins; bins &= bins - 1) {
		uint32_t page = s->bin[__builtin_ctz(bins)];

		for (unsigned int i = 0; page && i < TRIES; i++) {
			char *p = take_of(s, page, pages, align);

			if (p)
				return p;
			page = ms_segment_run(s, page)->next;
		}
	}
	return NULL;
}

/* Bytes that malloc has left are none that a copy should keep: they differ from run to run. */
static void clear(struct ms_segment *s, char *from, const char *to)
{
	to = to < s->written ? to : s->written;
	if (from >= to)
		return;
	ms_unpoison(from, (size_t)(to - from));
	memset(from, 0, (size_t)(to - from));
	ms_poison(from, (size_t)(to - from));
}

static char *take_top(struct ms_segment *s, size_t pages, size_t align)
{
	char *p = (char *)ms_align_up((uintptr_t)s->top, align);
	const size_t former = page_of(s, s->top);

	if (p > s->limit || pages > (size_t)(s->limit - p) / PAGE || !reach(s, p + pages * PAGE))
		return NULL;
	clear(s, s->top, p);
	s->top = p + pages * PAGE;
	mark(s, page_of(s, p), pages, false);
	if (page_of(s, p) > former)
		free_pages(s, former, page_of(s, p) - former);
	return p;
}

char *ms_segment_get(struct ms_segment *s, size_t align, size_t pages)
{
	char *p = s->bins ? take_free(s, pages, align) : NULL;

	return p ? p : take_top(s, pages, align);
}

void ms_segment_put(struct ms_segment *s, char *p, size_t pages)
{
	const size_t size = pages * PAGE;

	ms_poison(p, size);
	// the small segment's is malloc's, and in no piece as large
	if (size >= GIVE_BACK && !madvise(p, size, MADV_DONTNEED) && p + size >= s->written)
		s->written = p;
	free_pages(s, page_of(s, p), pages);
}

bool ms_segment_resize(struct ms_segment *s, char *p, size_t pages)
{
	const size_t page = page_of(s, p), old = ms_segment_run(s, page)->pages;

	if (pages < old) {
		mark(s, page, pages, false);
		mark(s, page + pages, old - pages, false);
		ms_segment_put(s, p + pages * PAGE, old - pages);
		return true;
	}
	if (pages == old)
		return true;
	if (p + old * PAGE == s->top) {
		if (pages > (size_t)(s->limit - p) / PAGE || !reach(s, p + pages * PAGE))
			return false;
		clear(s, s->top, p + pages * PAGE);
		s->top = p + pages * PAGE;
	} else {
		const struct ms_run behind = *ms_segment_run(s, page + old);

		if (!behind.is_free || old + behind.pages < pages)
			return false;
		take_of(s, page + old, pages - old, PAGE);
	}
	mark(s, page, pages, false);
	return true;
}
