/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM's stage-2 table: how it is made, and each call that changes it, with its event.
 *
 * The event of a call comes before those of the descriptors that the call writes, as a probe on the
 * kernel function's entry sees it; whether the call failed is filled in afterwards.
 */
#include "kvm/arm64/arm64.h"

static void *host_alloc(void *ctx, size_t size)
{
	const struct ms_vm *vm = ctx;

	return ms_zalloc_aligned(&vm->machine->alloc, size, size);
}

static void host_free(void *ctx, void *table, size_t size)
{
	const struct ms_vm *vm = ctx;

	(void)size;
	ms_free(&vm->machine->alloc, table);
}

/*
 * In the middle of break-before-make, where an entry is empty. The MMU lock is held: a hook may
 * look at the table, but neither another fault nor a notifier of the process can come in.
 */
static void broken_hook(struct ms_vm *vm, ms_ipa_t ipa)
{
	struct ms_mm *mm = vm->mm;

	if (!vm->machine->hook[MS_HOOK_S2_BROKEN].fn)
		return;
	vm->mmu_locked = true;
	ms_mm_block_notifiers(mm);
	ms_hook(vm->machine, MS_HOOK_S2_BROKEN, ipa);
	ms_mm_unblock_notifiers(mm);
	vm->mmu_locked = false;
}

static void host_desc(void *ctx, ms_ipa_t ipa, unsigned int level, uint64_t old, uint64_t desc)
{
	struct ms_vm *vm = ctx;

	if (ms_event_kept(vm->machine, MS_EV_S2_DESC))
		ms_events_store(&vm->machine->events,
				&(struct ms_event){
					.type = MS_EV_S2_DESC,
					.vm = vm->id,
					.ipa = ipa,
					.size = ms_s2_level_size(vm->arm64.s2, level),
					.desc = desc,
					.old_desc = old,
					.level = (uint8_t)level,
				});
	if (vm->arm64.in_map && !desc)
		broken_hook(vm, ipa);
}

static void host_tlbi(void *ctx, enum ms_tlbi_kind kind, ms_ipa_t ipa, uint64_t size,
		      unsigned int level)
{
	const struct ms_vm *vm = ctx;

	if (ms_event_kept(vm->machine, MS_EV_TLBI))
		ms_events_store(&vm->machine->events, &(struct ms_event){
							      .type = MS_EV_TLBI,
							      .vm = vm->id,
							      .ipa = ipa,
							      .size = size,
							      .level = (uint8_t)level,
							      .tlbi = (uint8_t)kind,
						      });
}

/* Many leaves at once. Most often only their number is kept. */
static void host_run(void *ctx, const struct ms_s2_run *run)
{
	const struct ms_vm *vm = ctx;
	struct ms_events *events = &vm->machine->events;
	struct ms_s2_totals totals;

	if (ms_events_keeps(events, 1u << MS_EV_S2_DESC | 1u << MS_EV_TLBI | 1u << MS_EV_CMO)) {
		ms_s2_run_tell(run);
		return;
	}
	totals = ms_s2_run_count(run);
	ms_events_count_many(events, MS_EV_S2_DESC, totals.desc);
	ms_events_count_many(events, MS_EV_TLBI, totals.tlbi);
	ms_events_count_many(events, MS_EV_CMO, totals.dcache + totals.icache);
}

static void host_cmo(void *ctx, enum ms_cmo_kind kind, ms_pa_t pa, uint64_t size)
{
	ms_vm_cmo(ctx, kind, pa, size);
}

void ms_vm_cmo(struct ms_vm *vm, enum ms_cmo_kind kind, ms_pa_t pa, uint64_t size)
{
	MS_EMIT(vm->machine, .type = MS_EV_CMO, .vm = vm->id, .pa = pa, .size = size,
		.cmo = (uint8_t)kind);
}

/* From 6.6 on by range instructions, where the CPU has them.
 * mirrors kvm_arch_flush_remote_tlbs_memslot(), arch/arm64/kvm/arm.c, 5.10 .. 6.5;
 * kvm_flush_remote_tlbs_memslot(), virt/kvm/kvm_main.c, 6.6+;
 * kvm_arch_flush_remote_tlbs_range(), arch/arm64/kvm/mmu.c, 6.12+ */
void ms_vm_flush_tlbs(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size)
{
	const struct ms_machine *m = vm->machine;
	uint64_t largest = UINT64_C(1) << (21 + m->page_shift); // MAX_TLBI_RANGE_PAGES

	if (!ms_has(m->config.tlbi_range) || m->policy.slot_flush == MS_SLOT_FLUSH_VMID) {
		ms_s2_flush_vmid(vm->arm64.s2);
		return;
	}
	for (uint64_t off = 0; off < size; off += largest)
		host_tlbi(vm, MS_TLBI_IPA_RANGE, ipa + off, ms_min_u64(size - off, largest), 0);
}

// mirrors kvm_init_stage2_mmu(), arch/arm64/kvm/mmu.c, 5.10+
int ms_vm_s2_new(struct ms_vm *vm)
{
	const struct ms_policy *p = &vm->machine->policy;
	const struct ms_machine_config *hw = &vm->machine->config;
	const struct ms_s2_config config = {
		.page_shift = vm->machine->page_shift,
		.ipa_bits = vm->config.ipa_bits,
		.fwb = ms_has(hw->fwb),
		.tlbi_range = ms_has(hw->tlbi_range),
		.same_leaf_eagain = p->s2_same_leaf == MS_S2_SAME_LEAF_EAGAIN,
		.table_to_block_range = p->s2_table_to_block == MS_S2_TABLE_TO_BLOCK_RANGE,
		.unmap_defer = p->s2_unmap_tlbi == MS_S2_UNMAP_TLBI_DEFER_IF_RANGE_AND_FWB,
		.relax_takes_exec = p->s2_relax_exec == MS_S2_RELAX_EXEC_TAKEN,
		.relax_local = p->s2_relax_scope == MS_S2_RELAX_SCOPE_LOCAL,
		.absent_eagain = p->s2_absent_leaf == MS_S2_ABSENT_LEAF_EAGAIN,
		.eagain_no_tlbi = p->s2_relax_flush == MS_S2_RELAX_FLUSH_IF_SUCCESSFUL,
		.xn_two_bits = p->s2_exec_bits == MS_S2_EXEC_BITS_XN_TWO,
		.cmo_by_caller = p->s2_cmo_at == MS_S2_CMO_AT_ABORT,
	};
	const struct ms_s2_host host = {
		.ctx = vm,
		.alloc = host_alloc,
		.free = host_free,
		.desc = host_desc,
		.tlbi = host_tlbi,
		.cmo = host_cmo,
		.run = host_run,
	};

	vm->arm64.s2 = ms_s2_new(&config, &host);
	return vm->arm64.s2 ? 0 : -ENOMEM;
}

// mirrors kvm_free_stage2_pgd(), arch/arm64/kvm/mmu.c, 5.10+
void ms_vm_s2_free(struct ms_vm *vm)
{
	if (!vm->arm64.s2)
		return;
	// This also frees the tables of both caches, from which nobody takes any more.
	ms_s2_free(vm->arm64.s2);
	vm->arm64.s2 = NULL;
}

int ms_vm_s2_map(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size, ms_pa_t pa, unsigned int prot,
		 struct ms_s2_cache *cache, enum ms_kvm_reason why)
{
	struct ms_event ev;
	size_t at = MS_EVENT_NOT_KEPT;
	int ret;

	if (ms_event_kept(vm->machine, MS_EV_S2_MAP)) {
		ev = (struct ms_event){
			.type = MS_EV_S2_MAP,
			.vm = vm->id,
			.ipa = ipa,
			.size = size,
			.pa = pa,
			.prot = prot,
			.reason = ms_kvm_reason(vm->machine, why),
		};
		at = ms_events_begin(&vm->machine->events, &ev);
	}
	vm->arm64.in_map = true;
	ret = ms_s2_map(vm->arm64.s2, ipa, size, pa, prot, cache);
	vm->arm64.in_map = false;
	if (at != MS_EVENT_NOT_KEPT && ret) {
		ev.ret = ret;
		ms_events_end(&vm->machine->events, at, &ev);
	}
	if (!ret) {
		vm->mapped_ipa = ms_align_down(ipa, vm->machine->page_size);
		vm->mapped_size = size;
		vm->mapped_why = why;
	} else if (ret == -EINVAL) {
		ms_refuse(vm->machine, ret, "stage 2 cannot map %x bytes of ipa %x to pa %x", size,
			  ipa, pa);
	}
	return ret;
}

int ms_vm_s2_relax(struct ms_vm *vm, ms_ipa_t ipa, unsigned int prot)
{
	struct ms_event ev = { .type = MS_EV_S2_RELAX, .vm = vm->id, .ipa = ipa, .prot = prot };
	bool wanted = ms_event_kept(vm->machine, ev.type);
	size_t at = wanted ? ms_events_begin(&vm->machine->events, &ev) : MS_EVENT_NOT_KEPT;

	ev.ret = ms_s2_relax(vm->arm64.s2, ipa, prot);
	if (wanted)
		ms_events_end(&vm->machine->events, at, &ev);
	return ev.ret;
}

// mirrors handle_access_fault(), arch/arm64/kvm/mmu.c, 5.10+
void ms_vm_s2_mkyoung(struct ms_vm *vm, ms_ipa_t ipa)
{
	MS_EMIT(vm->machine, .type = MS_EV_S2_YOUNG, .vm = vm->id, .ipa = ipa);
	ms_s2_mkyoung(vm->arm64.s2, ipa);
}

/* How much of a range is done at a time.
 * mirrors stage2_pgd_addr_end(), arch/arm64/include/asm/stage2_pgtable.h, 5.10 .. 6.0;
 * stage2_range_addr_end(), arch/arm64/kvm/mmu.c, 6.1+ */
static uint64_t piece_size(const struct ms_vm *vm)
{
	unsigned int level = vm->machine->page_shift == 12 ? 1 : 2; // KVM_PGTABLE_MIN_BLOCK_LEVEL

	if (vm->machine->policy.s2_range_pieces == MS_S2_RANGE_PIECES_ROOT_ENTRIES)
		level = ms_s2_start_level(vm->arm64.s2);
	return ms_s2_level_size(vm->arm64.s2, level);
}

static ms_ipa_t piece_end(ms_ipa_t addr, ms_ipa_t end, uint64_t size)
{
	return ms_min_u64(ms_align_down(addr, size) + size, end);
}

static int unmap_piece(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size)
{
	MS_EMIT(vm->machine, .type = MS_EV_S2_UNMAP, .vm = vm->id, .ipa = ipa, .size = size);
	return ms_s2_unmap(vm->arm64.s2, ipa, size);
}

static int wrprotect_piece(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size)
{
	MS_EMIT(vm->machine, .type = MS_EV_S2_WRPROTECT, .vm = vm->id, .ipa = ipa, .size = size);
	return ms_s2_wrprotect(vm->arm64.s2, ipa, size);
}

// mirrors stage2_apply_range(), arch/arm64/kvm/mmu.c, 5.10+
static void apply_range(struct ms_vm *vm, ms_ipa_t start, uint64_t size,
			int (*fn)(struct ms_vm *, ms_ipa_t, uint64_t))
{
	ms_ipa_t end = start + size, next;
	uint64_t piece = piece_size(vm);

	for (ms_ipa_t addr = start; addr < end; addr = next) {
		next = piece_end(addr, end, piece);
		if (fn(vm, addr, next - addr))
			return;
	}
}

// mirrors __unmap_stage2_range(), arch/arm64/kvm/mmu.c, 5.10+; unmap_stage2_range(),
// arch/arm64/kvm/mmu.c, 5.10 .. 6.1; kvm_stage2_unmap_range(), arch/arm64/kvm/mmu.c, 6.12+
void ms_vm_s2_unmap_range(struct ms_vm *vm, ms_ipa_t start, uint64_t size)
{
	apply_range(vm, start, size, unmap_piece);
}

// mirrors stage2_wp_range(), arch/arm64/kvm/mmu.c, 5.10 .. 6.1; kvm_stage2_wp_range(),
// arch/arm64/kvm/mmu.c, 6.12+
void ms_vm_s2_wp_range(struct ms_vm *vm, ms_ipa_t start, uint64_t size)
{
	apply_range(vm, start, size, wrprotect_piece);
}

static int split_chunk(struct ms_vm *vm, ms_ipa_t ipa, uint64_t size)
{
	struct ms_event ev = { .type = MS_EV_S2_SPLIT, .vm = vm->id, .ipa = ipa, .size = size };
	bool wanted = ms_event_kept(vm->machine, ev.type);
	size_t at = wanted ? ms_events_begin(&vm->machine->events, &ev) : MS_EVENT_NOT_KEPT;

	ev.ret = ms_s2_split(vm->arm64.s2, ipa, size, &vm->arm64.split_cache);
	vm->mapped_size = 0; // leaves no longer have the size that was chosen for them
	if (wanted)
		ms_events_end(&vm->machine->events, at, &ev);
	return ev.ret;
}

/* Best effort: nobody is told of an error.
 * mirrors kvm_mmu_split_huge_pages(), arch/arm64/kvm/mmu.c, 6.5+ */
void ms_vm_s2_split_range(struct ms_vm *vm, ms_ipa_t start, uint64_t size)
{
	uint64_t chunk = vm->config.split_chunk;
	ms_ipa_t end = start + size, next;
	unsigned int tables;

	if (!chunk)
		return;
	tables = ms_s2_split_tables(vm->arm64.s2, chunk);
	for (ms_ipa_t addr = start; addr < end; addr = next) {
		next = piece_end(addr, end, chunk);
		if (ms_s2_cache_fill(vm->arm64.s2, &vm->arm64.split_cache, tables, tables) ||
		    split_chunk(vm, addr, next - addr))
			return;
	}
}
