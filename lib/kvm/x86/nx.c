/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nx_huge_pages, the workaround for the iTLB multihit erratum: blocks are not executable, and a
 * fetch breaks one into pages. What is remembered of the tables that came of it, and how they go
 * again.
 */
#include "core/check.h"
#include "kvm/x86/x86.h"

static int by_place_cmp(const struct ms_nx_table *a, const struct ms_nx_table *b)
{
	if (a->level != b->level)
		return a->level < b->level ? -1 : 1;
	return (a->ipa > b->ipa) - (a->ipa < b->ipa);
}

RB_GENERATE_INTERNAL(ms_nx_tables, ms_nx_table, by_place, by_place_cmp,
		     static __attribute__((unused)))

bool ms_x86_nx_enabled(const struct ms_vm *vm)
{
	// AUTO: the CPU has no such erratum
	return vm->machine->kvm->nx_huge_pages == MS_NX_HUGE_PAGES_FORCE &&
	       !vm->config.no_nx_huge_pages;
}

bool ms_x86_nx_disallowed(struct ms_vm *vm, ms_ipa_t ipa, unsigned int level)
{
	unsigned int end;

	if (vm->machine->policy.tdp_nx_table == MS_TDP_NX_TABLE_ANY) {
		ms_tdp_walk(vm->x86.tdp, ipa, &end);
		return end < level;
	}
	struct ms_nx_table key = { .ipa = ms_x86_block(ipa, level), .level = level };

	return RB_FIND(ms_nx_tables, &vm->x86.nx_tables, &key);
}

// mirrors track_possible_nx_huge_page(), arch/x86/kvm/mmu/mmu.c, 6.12+
int ms_x86_nx_track(struct ms_vm *vm, ms_ipa_t ipa, unsigned int level, bool recoverable)
{
	struct ms_nx_table *t = ms_zalloc(&vm->machine->alloc, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->ipa = ms_x86_block(ipa, level);
	t->level = level;
	t->recoverable = recoverable;
	if (RB_INSERT(ms_nx_tables, &vm->x86.nx_tables, t)) {
		ms_free(&vm->machine->alloc, t);
		return 0;
	}
	if (recoverable)
		TAILQ_INSERT_TAIL(&vm->x86.nx_recoverable, t, by_age);
	return 0;
}

static void forget(struct ms_vm *vm, struct ms_nx_table *t)
{
	if (t->recoverable)
		TAILQ_REMOVE(&vm->x86.nx_recoverable, t, by_age);
	RB_REMOVE(ms_nx_tables, &vm->x86.nx_tables, t);
	ms_free(&vm->machine->alloc, t);
}

void ms_x86_nx_forget_gone(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size)
{
	for (unsigned int level = MS_TDP_2M; level <= MS_TDP_1G; level++) {
		struct ms_nx_table key = { .ipa = ipa, .level = level }, *next;
		struct ms_nx_table *t = RB_NFIND(ms_nx_tables, &vm->x86.nx_tables, &key);

		for (; t && t->level == level && t->ipa - ipa < size; t = next) {
			unsigned int now;

			next = RB_NEXT(ms_nx_tables, &vm->x86.nx_tables, t);
			ms_tdp_walk(vm->x86.tdp, t->ipa, &now);
			if (now >= level)
				forget(vm, t);
		}
	}
}

void ms_x86_nx_forget_all(struct ms_vm *vm)
{
	struct ms_nx_table *t;

	while ((t = RB_ROOT(&vm->x86.nx_tables)))
		forget(vm, t);
}

/* What is remembered is of tables that are there, and in both orders. */
void ms_x86_nx_check(struct ms_check *c, struct ms_vm *vm)
{
	size_t recoverable = 0, listed = 0;
	struct ms_nx_table *t;

	RB_FOREACH (t, ms_nx_tables, &vm->x86.nx_tables) {
		unsigned int level;

		recoverable += t->recoverable;
		ms_tdp_walk(vm->x86.tdp, t->ipa, &level);
		if (level >= t->level)
			ms_check_found(c,
				       "vm %u: table at %#" PRIx64 " that a fetch has made: it is "
				       "gone",
				       vm->id, t->ipa);
	}
	TAILQ_FOREACH (t, &vm->x86.nx_recoverable, by_age)
		listed++;
	if (listed != recoverable)
		ms_check_found(c, "vm %u: %zu tables are to be recovered, %zu can be", vm->id,
			       listed, recoverable);
}

/* A table under a slot whose dirty log is on would only be made again.
 * mirrors kvm_recover_nx_lpages(), arch/x86/kvm/mmu/mmu.c, 5.10 .. 6.1;
 * kvm_recover_nx_huge_pages(), arch/x86/kvm/mmu/mmu.c, 6.12+ */
static void recover(struct ms_vm *vm)
{
	const bool skips = vm->machine->policy.tdp_nx_recovery_log == MS_TDP_NX_RECOVERY_LOG_SKIPS;
	struct ms_nx_table *t;

	while ((t = TAILQ_FIRST(&vm->x86.nx_recoverable))) {
		const struct ms_memslot *slot = ms_gfn_to_memslot(vm, t->ipa >> MS_PAGE_SHIFT);
		const ms_ipa_t ipa = t->ipa;
		const unsigned int level = t->level;

		if (skips && slot && slot->dirty) {
			forget(vm, t);
			continue;
		}
		ms_tdp_zap_table(vm->x86.tdp, ipa, level);
		ms_x86_nx_forget_gone(vm, ipa, ms_tdp_level_size(level));
	}
}

void ms_kvm_recover_nx_huge_pages(struct ms_machine *m)
{
	struct ms_vm *vm;

	if (!m || !ms_is_x86(m))
		return;
	TAILQ_FOREACH (vm, &m->kvm->vms, link)
		if (vm->x86.tdp)
			recover(vm);
}

// mirrors set_nx_huge_pages(), arch/x86/kvm/mmu/mmu.c, 5.10+
void ms_kvm_set_nx_huge_pages(struct ms_machine *m, enum ms_nx_huge_pages value)
{
	struct ms_vm *vm;
	bool changes;

	if (!m || !ms_is_x86(m) || (unsigned int)value > MS_NX_HUGE_PAGES_AUTO)
		return;
	changes = (m->kvm->nx_huge_pages == MS_NX_HUGE_PAGES_FORCE) !=
		  (value == MS_NX_HUGE_PAGES_FORCE);
	m->kvm->nx_huge_pages = value;
	if (!changes)
		return;
	TAILQ_FOREACH (vm, &m->kvm->vms, link) {
		if (!vm->x86.tdp)
			continue;
		ms_x86_zap_all_fast(vm);
		ms_tdp_set_nx_huge_pages(vm->x86.tdp, ms_x86_nx_enabled(vm));
	}
}

void ms_kvm_set_eager_page_split(struct ms_machine *m, bool on)
{
	if (m && ms_is_x86(m))
		m->kvm->no_eager_page_split = !on;
}
