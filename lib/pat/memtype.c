/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory types of physical ranges: reserve, look up. Mirrors arch/x86/mm/pat/memtype.c. */
#include "pat/internal.h"
#include "pat/ranges_leaf.h"
#include "phys/internal.h"

static int pat_init(struct ms_machine *m)
{
	m->pat = ms_zalloc(&m->alloc, sizeof(*m->pat));
	if (!m->pat)
		return -ENOMEM;
	ms_ranges_init(&m->pat->list, &m->alloc);
	LIST_INIT(&m->pat->contexts);
	RB_INIT(&m->pat->ioremaps);
	return 0;
}

static void pat_destroy(struct ms_machine *m)
{
	struct ms_pfnmap_ctx *ctx;

	if (!m->pat)
		return;
	while ((ctx = LIST_FIRST(&m->pat->contexts))) {
		LIST_REMOVE(ctx, link);
		ms_free(&m->alloc, ctx);
	}
	ms_ranges_destroy(&m->pat->list);
	ms_free(&m->alloc, m->pat);
	m->pat = NULL;
}

const struct ms_room ms_pat_room = {
	.name = "pat",
	.init = pat_init,
	.destroy = pat_destroy,
	.check = ms_pat_check,
	.hash = ms_pat_hash,
};

/* A mapping must not become more cached than it was asked to be. The kernel does not think of UC
 * that becomes WB, nor does this.
 * mirrors is_new_memtype_allowed(), arch/x86/include/asm/pgtable.h, 5.10+ */
bool ms_is_new_memtype_allowed(ms_pa_t start, ms_pa_t end, enum ms_cache want, enum ms_cache got)
{
	if (ms_is_isa_range(start, end))
		return true;
	switch (want) {
	case MS_CACHE_UC_MINUS:
	case MS_CACHE_WC:
		return got != MS_CACHE_WB;
	case MS_CACHE_WT:
		return got != MS_CACHE_WB && got != MS_CACHE_WC;
	default:
		return true;
	}
}

int ms_pat_range_is_ram_anew(struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	const struct ms_device *dev = ms_device_at(m, start);

	if (dev && ms_is_x86(m) && ms_has(m->config.pat) && ms_device_pa(dev) >= MS_ISA_END) {
		m->pat->device_start = ms_device_pa(dev);
		m->pat->device_end = ms_device_pa(dev) + ms_device_size(dev);
	}
	return ms_pagerange_is_ram(m, start, end);
}

int ms_pat_range_is_ram(struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	return ms_pat_is_ram(m, start, end);
}

/* ---- reserve ---- */

/* WB only where the MTRRs say WB.
 * mirrors pat_x_mtrr_type(), arch/x86/mm/pat/memtype.c, 5.10+ */
static enum ms_cache with_mtrr(const struct ms_machine *m, ms_pa_t start, ms_pa_t end,
			       enum ms_cache req)
{
	if (req != MS_CACHE_WB || ms_mtrr_type(m, start, end) == MS_CACHE_WB)
		return req;
	return MS_CACHE_UC_MINUS;
}

static inline void log_line(struct ms_machine *m, const char *line, ms_pa_t start, ms_pa_t end)
{
	if (ms_event_kept(m, MS_EV_LOG))
		ms_events_store(&m->events, &(struct ms_event){ .type = MS_EV_LOG,
								.addr = start,
								.size = end - start,
								.reason = line });
}

/* The first entry that overlaps the range and has another type. */
static const struct ms_range *other_type(struct ms_ranges *t, ms_pa_t start, ms_pa_t end,
					 enum ms_cache type)
{
	const struct ms_range *r = ms_ranges_above(t, start);
	struct ms_ranges_pos pos = t->finger;

	while (r && r->start < end && ms_range_type(r) == type)
		r = ms_ranges_next_above(t, start, &pos);
	return r && r->start < end ? r : NULL;
}

static void log_conflict(struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	log_line(m, "x86/PAT: conflicting memory types", start, end);
	log_line(m, "x86/PAT: memtype_reserve failed", start, end);
}

/* The entry is of another type than was asked for. */
static int refuse_first(struct ms_machine *m, const struct ms_range *entry, ms_pa_t start,
			ms_pa_t end, enum ms_cache req)
{
	log_conflict(m, start, end);
	return ms_refuse(m, -EBUSY, "%x-%x is reserved as %s, %s was asked for", entry->start,
			 entry->end, ms_type_text(m, ms_range_type(entry)), ms_type_text(m, req));
}

/* loose: the range overlaps entries that are not of one type, whatever was asked for. */
static __attribute__((noinline)) int refuse_conflict(struct ms_machine *m, ms_pa_t start,
						     ms_pa_t end, enum ms_cache req, bool loose)
{
	struct ms_ranges *list = &m->pat->list;
	const struct ms_range *first = ms_ranges_above(list, start), *other;

	other = other_type(list, start, end, loose ? ms_range_type(first) : req);
	if (!loose)
		return refuse_first(m, other, start, end, req);
	log_conflict(m, start, end);
	return ms_refuse(m, -EBUSY, "%x-%x is reserved as %s and %x-%x as %s", first->start,
			 first->end, ms_type_text(m, ms_range_type(first)), other->start,
			 other->end, ms_type_text(m, ms_range_type(other)));
}

int ms_refuse_mixed(struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	return ms_refuse(m, -EINVAL, "%x-%x is RAM and other memory mixed", start, end);
}

/* The part of memtype_reserve() that makes an entry, and, if ctx is given, its context. */
static inline __attribute__((always_inline)) int reserve_entry(struct ms_machine *m, ms_pa_t start,
							       ms_pa_t end, enum ms_cache *type,
							       bool loose,
							       struct ms_pfnmap_ctx **ctx)
{
	struct ms_pfnmap_ctx *owner = NULL;
	int err;

	if (ctx) {
		owner = ms_pfnmap_ctx_new(m, start, end);
		if (!owner)
			return -ENOMEM;
	}
	err = ms_memtype_check_insert(m->pat, start, end, type, loose, owner);
	if (err) {
		ms_pfnmap_ctx_drop(m, owner);
		return err == -EBUSY ? refuse_conflict(m, start, end, *type, loose) : err;
	}
	if (owner) {
		owner->listed = true;
		owner->type = *type;
		*ctx = owner;
	}
	return 0;
}

// mirrors memtype_reserve(), arch/x86/mm/pat/memtype.c, 5.10+
static inline __attribute__((always_inline)) int reserve(struct ms_machine *m, ms_pa_t start,
							 ms_pa_t end, enum ms_cache *type,
							 bool loose, struct ms_pfnmap_ctx **ctx)
{
	enum ms_cache req = *type;
	int is_ram;

	start &= MS_PHYSICAL_MASK;
	end = ((end - 1) & MS_PHYSICAL_MASK) + 1;
	if (start >= end) {
		ms_violation(m, "memtype_reserve: empty range", start);
		return ms_refuse(m, -EINVAL, "%x-%x is an empty range", start, end);
	}
	if (!ms_has(m->config.pat))
		return 0;
	if (ms_is_isa_range(start, end)) {
		*type = MS_CACHE_WB;
		return 0;
	}
	*type = with_mtrr(m, start, end, req);
	is_ram = ms_pat_is_ram(m, start, end);
	if (!is_ram)
		return reserve_entry(m, start, end, type, loose, ctx);
	if (is_ram == 1)
		return ms_reserve_ram_pages_type(m, start, end, req, type);
	return ms_refuse_mixed(m, start, end);
}

/* Which rule made the type another one than asked for. */
static const char *why_granted(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache req,
			       enum ms_cache got)
{
	if (got == req)
		return NULL;
	if (ms_is_isa_range(start, end))
		return "ISA range: not tracked";
	if (ms_pat_is_ram(m, start, end))
		return "RAM: UC- for UC";
	if (with_mtrr(m, start, end, req) == got)
		return "the MTRRs do not say WB";
	return "the type that is held already";
}

static __attribute__((noinline)) void keep_reserve(struct ms_machine *m, ms_pa_t start, ms_pa_t end,
						   enum ms_cache req, enum ms_cache got, int err)
{
	const char *why = err ? NULL : why_granted(m, start, end, req, got);

	ms_events_store(&m->events, &(struct ms_event){ .type = MS_EV_PAT_RESERVE,
							.start = start,
							.size = end - start,
							.cache = (uint8_t)req,
							.ret = err,
							.reason = why });
}

/* Inlined into both of its callers, so that tests of what one of them passes as a constant go. */
static inline __attribute__((always_inline)) int reserve_and_tell(struct ms_machine *m,
								  ms_pa_t start, ms_pa_t end,
								  enum ms_cache *type, bool loose,
								  struct ms_pfnmap_ctx **ctx)
{
	enum ms_cache req = *type;
	int err = reserve(m, start, end, type, loose, ctx);

	if (ms_event_kept(m, MS_EV_PAT_RESERVE))
		keep_reserve(m, start, end, req, *type, err);
	return err;
}

int ms_memtype_reserve_for(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache *type,
			   struct ms_pfnmap_ctx **ctx)
{
	*ctx = NULL;
	return reserve_and_tell(m, start, end, type, true, ctx);
}

static __attribute__((noinline)) int reserve_slowly(struct ms_machine *m, ms_pa_t start,
						    ms_pa_t end, enum ms_cache req,
						    enum ms_cache *got)
{
	enum ms_cache type = req;
	int err = 0;

	if (req > MS_CACHE_WP)
		return ms_refuse(m, -EINVAL, "%s is no memory type of x86", ms_type_text(m, req));
	if (ms_is_x86(m))
		err = reserve_and_tell(m, start, end, &type, got != NULL, NULL);
	if (got)
		*got = type;
	return err == -ENOMEM ? ms_refuse(m, err, "no memory") : err;
}

static __attribute__((noinline)) int reserve_overlapping(struct ms_machine *m, ms_pa_t start,
							 ms_pa_t end, enum ms_cache req,
							 enum ms_cache *got)
{
	struct ms_ranges *list = &m->pat->list;
	enum ms_cache found = ms_range_type(ms_leaf_range(list->finger.leaf, list->finger.i));
	int err = 0;

	if (found != req && !got) {
		err = refuse_first(m, ms_leaf_range(list->finger.leaf, list->finger.i), start, end,
				   req);
		found = req;
	} else if (!ms_ranges_insert_alias_quickly(list, start, end)) {
		return reserve_slowly(m, start, end, req, got);
	}
	if (got)
		*got = found;
	if (ms_event_kept(m, MS_EV_PAT_RESERVE))
		keep_reserve(m, start, end, req, found, err);
	return err;
}

static __attribute__((noinline)) int keep_granted(struct ms_machine *m, ms_pa_t start, ms_pa_t end,
						  enum ms_cache type)
{
	keep_reserve(m, start, end, type, type, 0);
	return 0;
}

/* Of a range inside of a device, the list's finger being at its place. Every call stands at the end
 * of a function, so that it is a jump. */
static inline __attribute__((always_inline)) int reserve_at_finger(struct ms_machine *m,
								   ms_pa_t start, ms_pa_t end,
								   enum ms_cache req,
								   enum ms_cache *got)
{
	switch (ms_ranges_insert_quickly(&m->pat->list, start, end, ms_range_tag(NULL, req))) {
	case MS_NOT_QUICKLY:
		return reserve_slowly(m, start, end, req, got);
	case MS_OVERLAPS:
		return reserve_overlapping(m, start, end, req, got);
	case MS_QUICKLY:
		break;
	}
	if (got)
		*got = req;
	return ms_event_kept(m, MS_EV_PAT_RESERVE) ? keep_granted(m, start, end, req) : 0;
}

static __attribute__((noinline)) int reserve_elsewhere(struct ms_machine *m, ms_pa_t start,
						       ms_pa_t end, enum ms_cache req,
						       enum ms_cache *got)
{
	if (!m->pat->list.root)
		return reserve_slowly(m, start, end, req, got);
	ms_ranges_descend_above(&m->pat->list, start);
	return reserve_at_finger(m, start, end, req, got);
}

/* Most calls by far are for a part of a device that has no type yet, and for a type that the MTRRs
 * cannot change: these come first.
 * mirrors memtype_reserve(), arch/x86/mm/pat/memtype.c, 5.10+ */
int ms_memtype_reserve(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache req,
		       enum ms_cache *got)
{
	if (!m)
		return -EINVAL;
	if (req == MS_CACHE_WB || req > MS_CACHE_WP || !ms_pat_goes_by_list(m, start, end))
		return reserve_slowly(m, start, end, req, got);
	if (!ms_ranges_at_finger(&m->pat->list, start))
		return reserve_elsewhere(m, start, end, req, got);
	return reserve_at_finger(m, start, end, req, got);
}

/* ---- lookup ---- */

/* Callers know that PAT is on.
 * mirrors lookup_memtype(), arch/x86/mm/pat/memtype.c, 5.10+; memtype_lookup(),
 * arch/x86/mm/pat/memtype_interval.c, 5.10+ */
enum ms_cache ms_memtype_lookup(struct ms_machine *m, ms_pa_t pa)
{
	if (!m)
		return MS_CACHE_UC_MINUS;
	ms_pa_t end = (pa = ms_align_down(pa, m->page_size)) + m->page_size;
	const struct ms_range *r;

	if (!ms_is_x86(m) || ms_is_isa_range(pa, end))
		return MS_CACHE_WB;
	if (ms_pat_is_ram(m, pa, end)) {
		const struct ms_page *page = ms_pfn_to_page(m, pa >> m->page_shift);

		return page ? (enum ms_cache)page->memtype : MS_CACHE_WB;
	}
	r = ms_ranges_above(&m->pat->list, pa);
	return r && r->start < end ? ms_range_type(r) : MS_CACHE_UC_MINUS;
}

/*
 * Up to where all pages have the type of the page at pa. The first entry that covers the page is
 * also the first for each page up to the entry's end; if none covers it, none does up to where the
 * next entry begins.
 */
static ms_pa_t same_type_until(const struct ms_machine *m, ms_pa_t pa)
{
	const struct ms_range *r = ms_ranges_above(&m->pat->list, pa);

	if (!r)
		return UINT64_MAX;
	if (r->start < pa + m->page_size)
		return ms_align_up(r->end, m->page_size);
	return ms_align_down(r->start, m->page_size);
}

// mirrors pfnmap_setup_cachemode(), arch/x86/mm/pat/memtype.c, 6.16+
int ms_memtype_lookup_range(struct ms_machine *m, ms_pa_t start, ms_pa_t end, enum ms_cache *type)
{
	bool by_entries = start >= MS_ISA_END && !ms_pat_is_ram(m, start, end);
	const ms_pa_t first = start;

	*type = ms_memtype_lookup(m, start);
	while (start < end) {
		const enum ms_cache here = ms_memtype_lookup(m, start);

		if (here != *type)
			return ms_refuse(m, -EINVAL, "%x has memory type %s, and %x has %s", first,
					 ms_type_text(m, *type), start, ms_type_text(m, here));
		start = by_entries ? same_type_until(m, start) : start + m->page_size;
	}
	return 0;
}
