/* SPDX-License-Identifier: GPL-2.0-only */
/* Hazards on their way to who asked. */
#include "hazard/internal.h"

/* The value of the rule that let it happen. */
static void name_value(const struct ms_machine *m, struct ms_hazard *h)
{
	const size_t nr = ms_policy_nr_fields();

	for (size_t i = 0; h->rule && i < nr; i++)
		if (!strcmp(ms_policy_field_name(i), h->rule))
			h->value = ms_policy_value_name(i, ms_policy_field(&m->policy, i));
}

static void tell(struct ms_judge *j, struct ms_hazard *h)
{
	j->found++;
	if (!j->tell)
		return;
	name_value(j->m, h);
	j->tell(h, j->arg);
}

/* Is `next` what follows `last`, and is it wrong in the same way? */
static bool continues(const struct ms_hazard *last, const struct ms_hazard *next)
{
	return next->addr == last->addr + last->size && next->pa == last->pa + last->size &&
	       (next->hva == last->hva + last->size || (!next->hva && !last->hva)) &&
	       next->mm == last->mm && next->vm == last->vm && next->device == last->device &&
	       next->types == last->types && next->rule == last->rule && next->text == last->text;
}

void ms_judge_found(struct ms_judge *j, const struct ms_hazard *h)
{
	struct ms_hazard *last = &j->last[h->kind];
	const uint32_t bit = UINT32_C(1) << h->kind;

	if ((j->waits & bit) && continues(last, h)) {
		last->size += h->size;
		return;
	}
	if (j->waits & bit)
		tell(j, last);
	j->waits |= bit;
	*last = *h;
}

size_t ms_judge_end(struct ms_judge *j)
{
	for (unsigned int kind = 0; j->waits && kind < MS_HAZARD_KINDS; kind++)
		if (j->waits >> kind & 1)
			tell(j, &j->last[kind]);
	j->waits = 0;
	return j->found;
}

/* ---- parts ---- */

void ms_part_of_one_kind(const struct ms_machine *m, struct ms_part *part)
{
	const ms_pfn_t first = part->pa >> m->page_shift;
	const struct ms_device *next = ms_device_after(m->phys, part->pa);

	part->device = next && ms_device_pa(next) <= part->pa ? next : NULL;
	part->ram = !part->device && ms_pfn_is_ram(m, first);
	if (part->device)
		part->size = ms_min_u64(
			part->size,
			ms_align_up(ms_device_pa(next) + ms_device_size(next), m->page_size) -
				part->pa);
	else if (next)
		part->size = ms_min_u64(part->size,
					ms_align_down(ms_device_pa(next), m->page_size) - part->pa);
	if (!part->size)
		part->size = m->page_size; // a device that begins inside of the page
	// where RAM borders on nothing, a page at a time
	if (!part->device &&
	    ms_pfn_is_ram(m, first + (part->size >> m->page_shift) - 1) != part->ram)
		part->size = m->page_size;
}

void ms_part_found_in(struct ms_judge *j, const struct ms_part *part, uint64_t off, uint64_t size,
		      enum ms_hazard_kind kind, enum ms_blame blame, const char *rule,
		      const char *text)
{
	const struct ms_hazard h = {
		.kind = kind,
		.blame = blame,
		.mm = part->mm,
		.vm = part->vm,
		.addr = part->addr + off,
		.size = size,
		.hva = part->hva ? part->hva + off : 0,
		.pa = part->pa + off,
		.device = part->device,
		.rule = rule,
		.text = text,
	};

	ms_judge_found(j, &h);
}

void ms_part_found(struct ms_judge *j, const struct ms_part *part, enum ms_hazard_kind kind,
		   enum ms_blame blame, const char *rule, const char *text)
{
	ms_part_found_in(j, part, 0, part->size, kind, blame, rule, text);
}

/* ---- all of it ---- */

size_t ms_hazards(const struct ms_machine *m, ms_hazard_fn *fn, void *arg)
{
	struct ms_judge j = { .m = m, .tell = fn, .arg = arg };
	bool complete;

	if (!m)
		return 0;
	for (struct ms_mm *mm = ms_mm_next(m, NULL); mm; mm = ms_mm_next(m, mm)) {
		ms_judge_process(&j, mm);
		ms_judge_end(&j);
	}
	for (const struct ms_vm *vm = ms_vm_next(m, NULL); vm; vm = ms_vm_next(m, vm)) {
		ms_judge_guest(&j, vm);
		ms_judge_end(&j);
	}
	complete = ms_judge_types(&j);
	ms_judge_type_leaks(&j);
	ms_judge_end(&j);
	return complete ? j.found : SIZE_MAX;
}
