/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of VMs an operation can notice. Not told: how many tables a cache has put by, which only
 * decides when memory is missing; why the last leaf has its size, which is a word about the past;
 * and counters of the past.
 */
#include "core/hash.h"
#include "kvm/check.h"
#include "kvm/x86/x86.h"
#include "phys/hash.h"
#include "stage2/internal.h"
#include "tdp/each.h"

/* ---- memslots ---- */

static void add_dirty(struct ms_hash *h, const struct ms_memslot *slot)
{
	ms_hash_add(h, !!slot->dirty);
	for (size_t i = 0; slot->dirty && i < ms_slot_words(slot); i++)
		if (slot->dirty[i]) {
			ms_hash_add(h, i);
			ms_hash_add(h, slot->dirty[i]);
		}
}

static void add_slot(struct ms_hash *h, const struct ms_memslot *slot)
{
	ms_hash_add(h, (uint64_t)slot->id << 32 | slot->flags);
	ms_hash_add(h, slot->base_gfn);
	ms_hash_add(h, slot->npages);
	ms_hash_add(h, slot->hva);
	add_dirty(h, slot);
}

static void add_slots(struct ms_hash *h, const struct ms_memslot *slot)
{
	if (!slot)
		return;
	add_slots(h, RB_LEFT(slot, by_id));
	add_slot(h, slot);
	add_slots(h, RB_RIGHT(slot, by_id));
}

/* How many slots begin at the host address and are before this age in a set. */
static unsigned int older(const struct ms_memslot *in, ms_hva_t hva, uint64_t age, unsigned int set)
{
	if (!in)
		return 0;
	if (in->hva < hva)
		return older(RB_RIGHT(in, by_hva), hva, age, set);
	if (in->hva > hva)
		return older(RB_LEFT(in, by_hva), hva, age, set);
	return (in->age[set] < age) + older(RB_LEFT(in, by_hva), hva, age, set) +
	       older(RB_RIGHT(in, by_hva), hva, age, set);
}

/* The order of those that begin at the same host address, in the active set and in the other. */
static void add_order(struct ms_hash *h, const struct ms_memslots *slots,
		      const struct ms_memslot *slot)
{
	const struct ms_memslot *all = RB_ROOT(&slots->by_hva);
	const unsigned int first = slots->active, second = !first;

	if (!slot)
		return;
	add_order(h, slots, RB_LEFT(slot, by_hva));
	ms_hash_add(h, (uint64_t)older(all, slot->hva, slot->age[first], first) << 32 |
			       older(all, slot->hva, slot->age[second], second));
	add_order(h, slots, RB_RIGHT(slot, by_hva));
}

/* ---- second-level tables ---- */

static void add_s2_entry(void *ctx, ms_ipa_t ipa, unsigned int level, uint64_t bits, ms_pa_t pa)
{
	struct ms_hash *h = ctx;

	ms_hash_add(h, ipa | level);
	ms_hash_add(h, bits);
	if (pa)
		ms_phys_hash_pa(h, pa);
}

struct tdp_walk {
	struct ms_hash *h;
	const struct ms_vm *vm;
};

static void add_tdp_entry(void *ctx, const struct ms_tdp_entry *e)
{
	const struct tdp_walk *w = ctx;
	const struct ms_tdp_mark mark = { .ipa = e->ipa, .generation = e->generation };

	ms_hash_add(w->h, e->ipa | e->level << 4 | e->kind << 2 | e->tagged);
	if (e->kind == MS_TDP_LEAF) {
		ms_hash_add(w->h, e->bits);
		ms_phys_hash_pa(w->h, e->pa);
	} else if (e->kind == MS_TDP_MARK) {
		ms_hash_add(w->h, ms_x86_mark_is_valid(w->vm, &mark));
	}
}

static void add_nx_tables(struct ms_hash *h, const struct ms_nx_table *t)
{
	if (!t)
		return;
	add_nx_tables(h, RB_LEFT(t, by_place));
	ms_hash_add(h, t->ipa | t->level << 1 | t->recoverable);
	add_nx_tables(h, RB_RIGHT(t, by_place));
}

static void add_tables(struct ms_hash *h, const struct ms_vm *vm)
{
	struct tdp_walk walk = { h, vm };
	const struct ms_nx_table *t;

	if (vm->arm64.s2)
		ms_s2_each(vm->arm64.s2, add_s2_entry, h);
	if (!vm->x86.tdp)
		return;
	ms_tdp_each(vm->x86.tdp, add_tdp_entry, &walk);
	add_nx_tables(h, RB_ROOT(&vm->x86.nx_tables));
	TAILQ_FOREACH (t, &vm->x86.nx_recoverable, by_age)
		ms_hash_add(h, t->ipa | t->level);
}

/* ---- a VM ---- */

/* What is not 0 only while a call is under way. */
static void add_running(struct ms_hash *h, const struct ms_vm *vm)
{
	const struct ms_invalidated *range = &vm->invalidated;

	ms_hash_add(h, (uint64_t)vm->invalidate_in_progress << 32 | vm->active_invalidate);
	ms_hash_add(h, (uint64_t)vm->in_abort << 5 | vm->mmu_locked << 4 | vm->arm64.in_map << 3 |
			       vm->arm64.missed_notifier << 2 | vm->x86.by_cpu << 1 |
			       vm->x86.in_fast);
	if (!vm->invalidate_in_progress)
		return;
	ms_hash_add(h, range->hva_start);
	ms_hash_add(h, range->hva_end);
	ms_hash_add(h, range->ipa_start);
	ms_hash_add(h, range->ipa_end);
	ms_hash_add(h, vm->invalidate_seq);
}

static void add_vm(struct ms_hash *h, const struct ms_vm *vm)
{
	const struct ms_vm_config *config = &vm->config;

	ms_hash_refer(h, vm);
	ms_hash_refer(h, vm->mm);
	if (vm->mm)
		ms_hash_refer(h, &vm->notifier);
	ms_hash_add(h, config->split_chunk);
	ms_hash_add(h, (uint64_t)config->ipa_bits << 8 | config->dirty_manual << 4 |
			       config->dirty_initset << 3 | config->zap_slot << 2 |
			       config->no_nx_huge_pages << 1 | config->mte);
	add_slots(h, RB_ROOT(&vm->slots.by_id));
	add_order(h, &vm->slots, RB_ROOT(&vm->slots.by_hva));
	add_tables(h, vm);
	add_running(h, vm);
}

void ms_kvm_hash(struct ms_hash *h)
{
	const struct ms_kvm *kvm = h->machine->kvm;
	const struct ms_vm *vm;

	ms_hash_add(h, (uint64_t)kvm->nx_huge_pages << 1 | kvm->no_eager_page_split);
	TAILQ_FOREACH (vm, &kvm->vms, link)
		add_vm(h, vm);
}
