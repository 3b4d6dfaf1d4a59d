/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory types of device memory: two of one page, one that nobody holds, one that has changed. */
#include "hazard/internal.h"

#include <stdlib.h>

#define ISA_START UINT64_C(0xa0000) /* where x86 tracks no type */
#define ISA_END UINT64_C(0x100000)
#define NR_TYPES (MS_CACHE_NGNRNE + 1)
#define FEW_BORDERS 128u /* without memory of its own */

/* ---- runs of device memory ---- */

struct devices {
	struct ms_mm *mm;
	struct ms_host_run run;
	uint64_t off; /* in the run: where to go on */
};

/* The next part of what a process has of device memory, as the hardware uses it; false: no more. */
static bool next_device(const struct ms_machine *m, struct devices *at, struct ms_part *part)
{
	for (;;) {
		while (at->off < at->run.size && at->run.flags & MS_PTE_PRESENT) {
			*part = (struct ms_part){
				.mm = ms_mm_id(at->mm),
				.addr = at->run.start + at->off,
				.size = at->run.size - at->off,
				.pa = at->run.pa + at->off,
			};
			ms_part_of_one_kind(m, part);
			at->off += part->size;
			if (!part->ram)
				return true;
		}
		at->off = 0;
		if (!ms_host_next_run(at->mm, at->run.start + at->run.size, UINT64_MAX, &at->run))
			return false;
	}
}

static enum ms_cache type_of(const struct devices *at)
{
	return ms_pgprot_cache(at->run.flags);
}

/* ---- two types of one page ---- */

/* At pa mappings of a type begin (by 1) or end (by -1). */
struct border {
	ms_pa_t pa;
	enum ms_cache type;
	int by;
};

struct borders {
	struct border few[FEW_BORDERS], *v;
	size_t n, max; /* n may be more than there is room for */
};

static void add(struct borders *b, ms_pa_t start, ms_pa_t end, enum ms_cache type)
{
	if (b->n + 2 <= b->max) {
		b->v[b->n] = (struct border){ start, type, 1 };
		b->v[b->n + 1] = (struct border){ end, type, -1 };
	}
	b->n += 2;
}

static void add_ioremap(const struct ms_memtype *range, void *arg)
{
	add(arg, range->start, range->end, range->type);
}

/* What an arm64 guest may use as cacheable memory. What an x86 guest does is up to itself. */
static void add_guest(const struct ms_machine *m, struct borders *b, const struct ms_vm *vm)
{
	struct ms_guest_run run;

	if (ms_is_x86(m))
		return;
	for (ms_ipa_t at = 0; ms_guest_next_run(vm, at, UINT64_MAX, &run); at = run.ipa + run.size)
		if (!(run.prot & (MS_PROT_DEVICE | MS_PROT_NORMAL_NC)) &&
		    !ms_pfn_is_ram(m, run.pa >> m->page_shift))
			add(b, run.pa, run.pa + run.size, MS_CACHE_WB);
}

static void add_all(const struct ms_machine *m, struct borders *b)
{
	struct ms_part part;

	b->n = 0;
	for (struct ms_mm *mm = ms_mm_next(m, NULL); mm; mm = ms_mm_next(m, mm)) {
		struct devices at = { .mm = mm };

		while (next_device(m, &at, &part))
			add(b, part.pa, part.pa + part.size, type_of(&at));
	}
	for (const struct ms_vm *vm = ms_vm_next(m, NULL); vm; vm = ms_vm_next(m, vm))
		add_guest(m, b, vm);
	ms_pat_walk_ioremaps(m, add_ioremap, b);
}

static int by_pa(const void *a, const void *b)
{
	const struct border *x = a, *y = b;

	return (x->pa > y->pa) - (x->pa < y->pa);
}

/*
 * Do the types contradict each other? x86 has a list so that no two are in use. arm64 has none:
 * there the kinds of memory that are not cacheable stand side by side, but cacheable memory beside
 * one of them is not coherent.
 */
static bool contradict(const struct ms_machine *m, unsigned int types, ms_pa_t start, ms_pa_t end)
{
	if (!(types & (types - 1)))
		return false;
	if (ms_is_x86(m))
		return start < ISA_START || end > ISA_END;
	return types & 1u << MS_CACHE_WB;
}

static void found_types(struct ms_judge *j, ms_pa_t start, ms_pa_t end, unsigned int types)
{
	if (!contradict(j->m, types, start, end))
		return;
	ms_judge_found(j, &(struct ms_hazard){ .kind = MS_HAZARD_TYPES,
					       .blame = MS_BLAME_KERNEL,
					       .size = end - start,
					       .pa = start,
					       .types = types,
					       .device = ms_device_at(j->m, start),
					       .text = "mapped with two memory types at once" });
}

static void sweep(struct ms_judge *j, const struct borders *b)
{
	size_t users[NR_TYPES] = { 0 };
	unsigned int types = 0;

	for (size_t i = 0; i < b->n;) {
		const ms_pa_t pa = b->v[i].pa;

		for (; i < b->n && b->v[i].pa == pa; i++)
			users[b->v[i].type] += (size_t)b->v[i].by;
		types = 0;
		for (unsigned int type = 0; type < NR_TYPES; type++)
			types |= (unsigned int)(users[type] != 0) << type;
		if (i < b->n)
			found_types(j, pa, b->v[i].pa, types);
	}
}

/* ---- x86: a type that nobody holds ---- */

struct held {
	struct ms_judge *j;
	const struct ms_part *part;
	enum ms_cache type;
	ms_pa_t at; /* up to here it was compared */
};

static void compare(struct held *h, ms_pa_t end, enum ms_cache reserved)
{
	const struct ms_part *part = h->part;

	if (end > h->at && reserved != h->type) {
		struct ms_hazard hazard = {
			.kind = MS_HAZARD_TYPE_NOT_HELD,
			.blame = MS_BLAME_KERNEL,
			.mm = part->mm,
			.addr = part->addr + (h->at - part->pa),
			.size = end - h->at,
			.pa = h->at,
			.types = 1u << h->type | 1u << reserved,
			.device = part->device,
			.text = "mapped by another memory type than the one reserved",
		};

		ms_judge_found(h->j, &hazard);
	}
	h->at = ms_max_u64(h->at, end);
}

static void compare_entry(const struct ms_memtype *entry, void *arg)
{
	struct held *h = arg;
	const ms_pa_t end = h->part->pa + h->part->size;

	// where nothing is reserved the type is UC-
	compare(h, ms_min_u64(entry->start, end), MS_CACHE_UC_MINUS);
	compare(h, ms_min_u64(entry->end, end), entry->type);
}

static void judge_held(struct ms_judge *j, const struct ms_part *part, enum ms_cache type)
{
	struct held h = { .j = j, .part = part, .type = type, .at = part->pa };
	const ms_pa_t end = part->pa + part->size;

	if (!ms_has(j->m->config.pat) || (part->pa < ISA_END && end > ISA_START))
		return;
	ms_memtype_walk(j->m, part->pa, end, compare_entry, &h);
	compare(&h, end, MS_CACHE_UC_MINUS);
}

static void judge_all_held(struct ms_judge *j)
{
	struct ms_part part;

	for (struct ms_mm *mm = ms_mm_next(j->m, NULL); mm; mm = ms_mm_next(j->m, mm)) {
		struct devices at = { .mm = mm };

		while (next_device(j->m, &at, &part))
			judge_held(j, &part, type_of(&at));
	}
}

bool ms_judge_types(struct ms_judge *j)
{
	struct borders b = { .n = 0, .max = FEW_BORDERS };
	bool complete = true;

	b.v = b.few;
	add_all(j->m, &b);
	if (b.n > b.max) {
		// not of the machine's memory, which is only looked at
		b.v = calloc(b.n, sizeof(*b.v));
		complete = b.v;
		b.max = b.n;
		if (complete)
			add_all(j->m, &b);
	}
	if (complete && b.n > 2) {
		qsort(b.v, b.n, sizeof(*b.v), by_pa);
		sweep(j, &b);
	}
	if (b.v != b.few)
		free(b.v);
	if (ms_is_x86(j->m))
		judge_all_held(j);
	return complete;
}

static void found_leak(const struct ms_memtype *entry, void *arg)
{
	struct ms_judge *j = arg;

	ms_judge_found(j, &(struct ms_hazard){ .kind = MS_HAZARD_TYPE_LEAK,
					       .blame = MS_BLAME_KERNEL,
					       .size = entry->end - entry->start,
					       .pa = entry->start,
					       .types = 1u << entry->type,
					       .device = ms_device_at(j->m, entry->start),
					       .text = "a reserved memory type that nobody will "
						       "give back" });
}

void ms_judge_type_leaks(struct ms_judge *j)
{
	ms_memtype_leaks(j->m, found_leak, j);
}

/* ---- types that change ---- */

size_t ms_mapped_types(const struct ms_machine *m, struct ms_mapped_type *types, size_t max)
{
	struct ms_part part;
	size_t n = 0;

	for (struct ms_mm *mm = ms_mm_next(m, NULL); mm; mm = ms_mm_next(m, mm)) {
		struct devices at = { .mm = mm };

		for (; next_device(m, &at, &part); n++)
			if (types && n < max)
				types[n] = (struct ms_mapped_type){ part.mm, part.addr, part.size,
								    part.pa, type_of(&at) };
	}
	return n;
}

static struct ms_mm *find_mm(const struct ms_machine *m, uint32_t id)
{
	struct ms_mm *mm = ms_mm_next(m, NULL);

	while (mm && ms_mm_id(mm) != id)
		mm = ms_mm_next(m, mm);
	return mm;
}

/* Compares one run of before with what is there now. */
static void compare_type(struct ms_judge *j, const struct ms_mm *mm,
			 const struct ms_mapped_type *was)
{
	const ms_hva_t end = was->addr + was->size;
	struct ms_host_run run;

	for (ms_hva_t at = was->addr; ms_host_next_run(mm, at, end, &run);
	     at = run.start + run.size) {
		const ms_hva_t from = ms_max_u64(run.start, was->addr);
		const ms_hva_t to = ms_min_u64(run.start + run.size, end);
		const enum ms_cache type = ms_pgprot_cache(run.flags);
		const ms_pa_t pa = was->pa + (from - was->addr);

		if (type == was->type || run.pa + (from - run.start) != pa)
			continue;
		ms_judge_found(j,
			       &(struct ms_hazard){ .kind = MS_HAZARD_TYPE_CHANGED,
						    .blame = MS_BLAME_KERNEL,
						    .mm = was->mm,
						    .addr = from,
						    .size = to - from,
						    .pa = pa,
						    .types = 1u << type | 1u << was->type,
						    .device = ms_device_at(j->m, pa),
						    .text = "device memory stays mapped, and its "
							    "memory type is another now" });
	}
}

size_t ms_hazards_of_types(const struct ms_machine *m, const struct ms_mapped_type *before,
			   size_t n, ms_hazard_fn *tell, void *arg)
{
	struct ms_judge j = { .m = m, .tell = tell, .arg = arg };

	for (size_t i = 0; m && before && i < n; i++) {
		const struct ms_mm *mm = find_mm(m, before[i].mm);

		if (mm)
			compare_type(&j, mm, &before[i]);
	}
	return ms_judge_end(&j);
}
