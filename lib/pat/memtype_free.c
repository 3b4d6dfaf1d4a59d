/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory types of physical ranges: free. Mirrors arch/x86/mm/pat/memtype.c. */
#include "pat/internal.h"
#include "pat/ranges_leaf.h"
#include "phys/internal.h"

/* Why a free ended before it came to the list. */
static const char free_pat_off[] = "PAT is off";
static const char free_isa[] = "ISA range: not tracked";
static const char free_ram[] = "RAM: the pages' own types";
static const char free_mixed[] = "RAM and other memory mixed";

/* The reason in a free's event: [what was erased][whether the caller was the last holder of an
 * entry that is still there] */
static const char *const own_why[][2] = {
	[MS_ERASED_NOTHING] = { "no entry matches",
				"no entry matches; a reservation is left behind" },
	[MS_ERASED_ENTRY] = { NULL, "a reservation is left behind" },
	[MS_ERASED_TAIL] = { "an entry lost its tail",
			     "an entry lost its tail; the rest is left behind" },
};
static const char *const foreign_why[][2] = {
	[MS_ERASED_ENTRY] = { "someone else's entry",
			      "someone else's entry; a reservation is left behind" },
	[MS_ERASED_TAIL] = { "someone else's entry lost its tail",
			     "someone else's entry lost its tail; a reservation is left behind" },
};

bool ms_memtype_why_is_foreign(const char *why)
{
	for (unsigned int erased = MS_ERASED_ENTRY; erased <= MS_ERASED_TAIL; erased++)
		if (why && (why == foreign_why[erased][0] || why == foreign_why[erased][1]))
			return true;
	return false;
}

/* The part of memtype_free() that looks at the list. */
static inline int free_entry(struct ms_machine *m, ms_pa_t start, ms_pa_t end,
			     struct ms_pfnmap_ctx *by, const char **why)
{
	enum ms_erased erased = MS_ERASED_NOTHING;
	bool foreign = false, left;

	if (start < end)
		erased = ms_memtype_erase(m, start, end, by, &foreign);
	left = by && by->listed && by->holders == 1;
	*why = foreign ? foreign_why[erased][left] : own_why[erased][left];
	if (erased != MS_ERASED_NOTHING)
		return 0;
	ms_violation_by(m, MS_VIOLATION_KERNEL, "x86/PAT: freeing invalid memtype", start, start);
	return -EINVAL;
}

// mirrors memtype_free(), arch/x86/mm/pat/memtype.c, 5.10+
static inline __attribute__((always_inline)) int free_memtype(struct ms_machine *m, ms_pa_t start,
							      ms_pa_t end, struct ms_pfnmap_ctx *by,
							      const char **why)
{
	int is_ram;

	*why = free_pat_off;
	if (!ms_has(m->config.pat))
		return 0;
	start &= MS_PHYSICAL_MASK;
	end &= MS_PHYSICAL_MASK;
	*why = free_isa;
	if (ms_is_isa_range(start, end))
		return 0;
	is_ram = ms_pat_is_ram(m, start, end);
	if (!is_ram)
		return free_entry(m, start, end, by, why);
	*why = is_ram == 1 ? free_ram : free_mixed;
	if (is_ram < 0)
		return -EINVAL;
	ms_free_ram_pages_type(m, start, end);
	return 0;
}

static __attribute__((noinline)) void keep_free(struct ms_machine *m, ms_pa_t start, ms_pa_t end,
						int err, const char *why)
{
	ms_events_store(&m->events, &(struct ms_event){ .type = MS_EV_PAT_FREE,
							.start = start,
							.size = end - start,
							.ret = err,
							.reason = why });
}

static bool reached_list(const char *why)
{
	return why != free_pat_off && why != free_isa && why != free_ram && why != free_mixed;
}

/* Inlined into both of its callers, so that tests of what one of them passes as a constant go. */
static inline __attribute__((always_inline)) int free_and_tell(struct ms_machine *m, ms_pa_t start,
							       ms_pa_t end,
							       struct ms_pfnmap_ctx *ctx,
							       const char **why)
{
	int err = free_memtype(m, start, end, ctx, why);

	if (ms_event_kept(m, MS_EV_PAT_FREE))
		keep_free(m, start, end, err, *why);
	return err;
}

int ms_memtype_free_of(struct ms_machine *m, ms_pa_t start, ms_pa_t end, struct ms_pfnmap_ctx *ctx,
		       const char **why)
{
	const char *reason;
	int err = free_and_tell(m, start, end, ctx, &reason);

	if (why)
		*why = reached_list(reason) ? reason : NULL;
	ms_pfnmap_ctx_drop(m, ctx);
	return err;
}

static int refuse_free(struct ms_machine *m, ms_pa_t start, ms_pa_t end, const char *why)
{
	const struct ms_range *r;

	if (why == free_mixed)
		return ms_refuse_mixed(m, start, end);
	r = start < end ? ms_ranges_above(&m->pat->list, start) : NULL;
	if (r && r->start < end)
		return ms_refuse(m, -EINVAL, "no reservation is %x-%x, one is %x-%x (%s)", start,
				 end, r->start, r->end, ms_type_text(m, ms_range_type(r)));
	return ms_refuse(m, -EINVAL, "nothing is reserved in %x-%x", start, end);
}

static __attribute__((noinline)) int free_slowly(struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	const char *why;

	if (!ms_is_x86(m) || !free_and_tell(m, start, end, NULL, &why))
		return 0;
	return refuse_free(m, start, end, why);
}

static __attribute__((noinline)) int keep_freed(struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	keep_free(m, start, end, 0, own_why[MS_ERASED_ENTRY][0]);
	return 0;
}

static inline __attribute__((always_inline)) int free_at_finger(struct ms_machine *m, ms_pa_t start,
								ms_pa_t end)
{
	if (!ms_ranges_remove_quickly(&m->pat->list, start, end))
		return free_slowly(m, start, end);
	return ms_event_kept(m, MS_EV_PAT_FREE) ? keep_freed(m, start, end) : 0;
}

static __attribute__((noinline)) int free_elsewhere(struct ms_machine *m, ms_pa_t start,
						    ms_pa_t end)
{
	if (!m->pat->list.root)
		return free_slowly(m, start, end);
	ms_ranges_descend_above(&m->pat->list, start);
	return free_at_finger(m, start, end);
}

// mirrors memtype_free(), arch/x86/mm/pat/memtype.c, 5.10+
int ms_memtype_free(struct ms_machine *m, ms_pa_t start, ms_pa_t end)
{
	if (!m)
		return -EINVAL;
	if (!ms_pat_goes_by_list(m, start, end))
		return free_slowly(m, start, end);
	if (!ms_ranges_at_finger(&m->pat->list, start))
		return free_elsewhere(m, start, end);
	return free_at_finger(m, start, end);
}

bool ms_pat_free_reached_list(const struct ms_event *ev)
{
	return ev && ev->type == MS_EV_PAT_FREE && reached_list(ev->reason);
}
