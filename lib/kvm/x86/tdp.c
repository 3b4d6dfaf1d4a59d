/* SPDX-License-Identifier: GPL-2.0-only */
/* A VM's nested table: what it is made of, and its changes as events. */
#include "kvm/x86/x86.h"

static void *host_alloc(void *ctx, size_t size)
{
	const struct ms_vm *vm = ctx;

	return ms_zalloc_aligned(&vm->machine->alloc, size, size);
}

static void host_free(void *ctx, void *memory, size_t size)
{
	const struct ms_vm *vm = ctx;

	(void)size;
	ms_free(&vm->machine->alloc, memory);
}

/* Which event tells of an entry that was `old` and is `now`. */
static enum ms_event_type change_type(const struct ms_vm *vm, const struct ms_tdp_leaf *old,
				      const struct ms_tdp_leaf *now)
{
	if (vm->x86.in_fast)
		return MS_EV_S2_FAST;
	if (now->prot & ~old->prot)
		return MS_EV_S2_RELAX;
	if (now->prot != old->prot && now->bits == old->bits)
		return MS_EV_S2_WRPROTECT;
	return MS_EV_S2_CHANGE;
}

static enum ms_event_type type_of(const struct ms_vm *vm, const struct ms_tdp_run *run,
				  const struct ms_tdp_leaf *old, const struct ms_tdp_leaf *now)
{
	switch (run->kind) {
	case MS_TDP_MAP:
		return MS_EV_S2_MAP;
	case MS_TDP_ZAP:
		return MS_EV_S2_ZAP;
	case MS_TDP_SPLIT:
		return MS_EV_S2_SPLIT;
	case MS_TDP_MMIO:
		return MS_EV_S2_MMIO;
	case MS_TDP_CHANGE:
		break;
	}
	return change_type(vm, old, now);
}

static void tell_piece(struct ms_vm *vm, const struct ms_tdp_run *run,
		       const struct ms_tdp_piece *piece)
{
	struct ms_tdp_leaf old, now;
	enum ms_event_type type;

	ms_tdp_describe(run->tdp, piece->old, run->level, &old);
	ms_tdp_describe(run->tdp, piece->entry, run->level, &now);
	type = type_of(vm, run, &old, &now);
	if (!ms_event_kept(vm->machine, type))
		return;
	ms_events_store(&vm->machine->events,
			&(struct ms_event){
				.type = type,
				.vm = vm->id,
				.ipa = type == MS_EV_S2_FAST ? vm->x86.fast_ipa : piece->ipa,
				.size = piece->size,
				.level = (uint8_t)run->level,
				.prot = now.prot,
				.bits = now.bits,
				.cache = (uint8_t)now.cache,
				.pa = now.pa,
				.reason = type == MS_EV_S2_MAP
						  ? ms_kvm_reason(vm->machine, vm->x86.why)
						  : NULL,
			});
}

/* The CPU's own accessed and dirty bits are nobody's event. */
static void host_change(void *ctx, const struct ms_tdp_run *run)
{
	struct ms_vm *vm = ctx;
	struct ms_tdp_piece piece;

	if (vm->x86.by_cpu)
		return;
	for (unsigned int i = 0; (i = ms_tdp_run_piece(run, i, &piece)) != 0;)
		tell_piece(vm, run, &piece);
}

int ms_x86_table_new(struct ms_vm *vm)
{
	const struct ms_policy *p = &vm->machine->policy;
	const struct ms_tdp_config config = {
		.format = MS_TDP_NPT,
		.levels = 4,
		.pa_bits = vm->machine->config.pa_bits,
		.ad_bits = true,
		.suppress_ve = p->tdp_entry_format != MS_TDP_ENTRY_FORMAT_PLAIN,
		.user_exec = p->tdp_entry_format == MS_TDP_ENTRY_FORMAT_USER_EXEC,
		.map_splits = p->tdp_huge_fault == MS_TDP_HUGE_FAULT_SPLIT,
		.recover_in_place = p->tdp_log_recovery == MS_TDP_LOG_RECOVERY_IN_PLACE,
		.zap_by_size = p->tdp_zap_order == MS_TDP_ZAP_ORDER_BY_SIZE,
	};
	const struct ms_tdp_host host = {
		.ctx = vm,
		.alloc = host_alloc,
		.free = host_free,
		.change = host_change,
	};

	TAILQ_INIT(&vm->x86.nx_recoverable);
	RB_INIT(&vm->x86.nx_tables);
	if (ms_tdp_new(&vm->x86.tdp, &config, &host))
		return -ENOMEM;
	ms_tdp_set_nx_huge_pages(vm->x86.tdp, ms_x86_nx_enabled(vm));
	return 0;
}

// mirrors kvm_mmu_uninit_tdp_mmu() and kvm_tdp_mmu_zap_all(), arch/x86/kvm/mmu/tdp_mmu.c, 5.10+
void ms_x86_table_free(struct ms_vm *vm)
{
	if (!vm->x86.tdp)
		return;
	ms_tdp_zap_all(vm->x86.tdp);
	ms_x86_nx_forget_all(vm);
	ms_tdp_free(vm->x86.tdp);
	vm->x86.tdp = NULL;
}

// mirrors kvm_mmu_zap_all_fast(), arch/x86/kvm/mmu/mmu.c, 5.10+;
// kvm_tdp_mmu_zap_invalidated_roots(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+
void ms_x86_zap_all_fast(struct ms_vm *vm)
{
	MS_EMIT(vm->machine, .type = MS_EV_S2_ZAP_ALL, .vm = vm->id);
	ms_tdp_zap_all(vm->x86.tdp);
	ms_x86_nx_forget_all(vm);
	vm->mapped_size = 0;
}
