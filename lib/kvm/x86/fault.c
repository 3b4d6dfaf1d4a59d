/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A page fault of an x86 guest on its nested table: the entry is made writable again without a
 * lock, or the page is mapped, or KVM emulates the access.
 */
#include "kvm/x86/x86.h"
#include "phys/internal.h"

#define MAX_PREFAULT_TRIES 8u /* of one page, while notifiers come in between */

#define GENERATION_MASK UINT64_C(0x3ffff) /* what every mark can hold of it */

/* struct kvm_page_fault */
struct fault {
	struct ms_vm *vm;
	struct ms_abort *abort;
	struct ms_memslot *slot;
	ms_ipa_t ipa; /* of the page */
	bool prefetch;
	struct ms_pfn_lookup page;
	uint64_t seq;      /* mmu_seq */
	uint64_t refusals; /* of the machine before the fault */

	unsigned int req_level, goal_level;
	bool huge_page_disallowed;
};

enum fault_result {
	FIXED,   /* the guest tries again */
	EMULATE, /* KVM makes the access itself */
	NO_MEMORY,
};

static bool slot_is_logged(const struct ms_memslot *slot)
{
	return slot->flags & MS_SLOT_LOG_DIRTY;
}

static ms_hva_t hva_of(const struct fault *f)
{
	return ms_gfn_to_hva_memslot(f->vm, f->slot, f->ipa >> MS_PAGE_SHIFT);
}

static unsigned int wanted(const struct ms_abort *abort)
{
	return abort->write ? MS_PROT_W : abort->exec ? MS_PROT_X : MS_PROT_R;
}

/* ---- without a lock ---- */

static bool may_be_fast(const struct fault *f, unsigned int level)
{
	switch (f->vm->machine->policy.tdp_fast_fault) {
	case MS_TDP_FAST_FAULT_NONE:
		return false;
	case MS_TDP_FAST_FAULT_PAGES:
		return level == MS_TDP_4K;
	case MS_TDP_FAST_FAULT_UNLOGGED_BLOCKS_TOO:
		break;
	}
	return level == MS_TDP_4K || !slot_is_logged(f->slot);
}

/* A write to an entry that was writable before it was protected for the dirty log.
 * mirrors page_fault_can_be_fast() and fast_page_fault(), arch/x86/kvm/mmu/mmu.c, 5.10+ */
static bool fast_page_fault(struct fault *f)
{
	struct ms_vm *vm = f->vm;
	struct ms_tdp_leaf leaf;

	if (!ms_abort_is_perm(f->abort) || !f->abort->write || !f->slot ||
	    !ms_tdp_get_leaf(vm->x86.tdp, f->ipa, &leaf) || !(leaf.bits & MS_TDP_MMU_WRITABLE))
		return false;
	if (!may_be_fast(f, leaf.level))
		return false;
	vm->x86.in_fast = true;
	vm->x86.fast_ipa = f->ipa;
	ms_tdp_set(vm->x86.tdp, f->ipa, leaf.prot | MS_PROT_W | leaf.bits);
	vm->x86.in_fast = false;
	ms_mark_page_dirty(f->slot, f->ipa >> MS_PAGE_SHIFT);
	return true;
}

/* ---- tables that a fetch makes ---- */

/* Remembers those that the walk to the goal will make, before they are there. -ENOMEM. */
static int track_tables(const struct fault *f)
{
	struct ms_vm *vm = f->vm;
	unsigned int level;
	int err = 0;

	if (!f->huge_page_disallowed)
		return 0;
	ms_tdp_walk(vm->x86.tdp, f->ipa, &level);
	// above, there are no blocks
	if (level > MS_TDP_1G)
		level = MS_TDP_1G;
	for (; !err && level > f->goal_level; level--)
		err = ms_x86_nx_track(vm, f->ipa, level, f->req_level >= level);
	return err;
}

/* Those that were not made after all. */
static void forget_tables(const struct fault *f)
{
	if (f->huge_page_disallowed)
		ms_x86_nx_forget_gone(f->vm, ms_x86_block(f->ipa, MS_TDP_1G), MS_1G);
}

/* ---- no memory ---- */

// mirrors check_mmio_spte(), arch/x86/kvm/mmu/mmu.c, 5.10+
bool ms_x86_mark_is_valid(const struct ms_vm *vm, const struct ms_tdp_mark *mark)
{
	return !((mark->generation ^ vm->slots.generation) & GENERATION_MASK);
}

// mirrors handle_mmio_page_fault(), arch/x86/kvm/mmu/mmu.c, 5.10+
static bool is_marked(const struct fault *f)
{
	struct ms_tdp_mark mark;

	return ms_tdp_next_mmio(f->vm->x86.tdp, f->ipa, f->ipa + MS_4K, &mark) &&
	       ms_x86_mark_is_valid(f->vm, &mark);
}

// mirrors kvm_handle_noslot_fault(), arch/x86/kvm/mmu/mmu.c, 6.12+; handle_abnormal_pfn(),
// arch/x86/kvm/mmu/mmu.c, 5.10 .. 6.1
static enum fault_result no_slot(struct fault *f)
{
	struct ms_vm *vm = f->vm;

	f->abort->why = MS_WHY_NO_SLOT;
	if (f->ipa >= ms_tdp_limit(vm->x86.tdp))
		return EMULATE;
	f->goal_level = MS_TDP_4K;
	f->huge_page_disallowed = f->abort->exec && ms_x86_nx_enabled(vm);
	if (track_tables(f) ||
	    ms_tdp_mark_mmio(vm->x86.tdp, f->ipa, vm->slots.generation) == -ENOMEM) {
		forget_tables(f);
		return NO_MEMORY;
	}
	return EMULATE;
}

/* ---- notifiers ---- */

/* Whether a notifier that is under way means the page. */
static bool is_being_invalidated(const struct fault *f)
{
	const struct ms_invalidated *all = &f->vm->invalidated;
	const ms_hva_t hva = hva_of(f);

	if (!f->vm->invalidate_in_progress)
		return false;
	switch (f->vm->machine->policy.notifier_retry) {
	case MS_NOTIFIER_RETRY_ANY:
		return true;
	case MS_NOTIFIER_RETRY_HVA_RANGE:
		return hva >= all->hva_start && hva < all->hva_end;
	case MS_NOTIFIER_RETRY_GFN_RANGE:
		return f->ipa >= all->ipa_start && f->ipa < all->ipa_end;
	}
	return true;
}

/*
 * mirrors is_page_fault_stale(), arch/x86/kvm/mmu/mmu.c, 5.15+; mmu_notifier_retry(),
 * include/linux/kvm_host.h, 5.10 .. 5.10; mmu_invalidate_retry_hva(), include/linux/kvm_host.h,
 * 5.12 .. 6.7; mmu_invalidate_retry_gfn(), include/linux/kvm_host.h, 6.8+
 */
static bool is_stale(const struct fault *f)
{
	return is_being_invalidated(f) || f->seq != f->vm->invalidate_seq;
}

/* ---- mapping ---- */

/* How large the entry is to be: req_level by slot and host, goal_level what is then made.
 * mirrors kvm_mmu_hugepage_adjust(), arch/x86/kvm/mmu/mmu.c, 5.10+ */
static void choose_level(struct fault *f)
{
	struct ms_vm *vm = f->vm;
	struct ms_x86_level max;

	f->huge_page_disallowed = f->abort->exec && ms_x86_nx_enabled(vm);
	f->req_level = f->goal_level = MS_TDP_4K;
	vm->x86.why = MS_WHY_LOGGING;
	if (slot_is_logged(f->slot))
		return;
	max = ms_x86_max_level(vm, f->slot, f->ipa);
	vm->x86.why = max.why;
	f->req_level = max.level;
	if (f->huge_page_disallowed && max.level > MS_TDP_4K)
		vm->x86.why = MS_WHY_NX_FETCH;
	else
		f->goal_level = max.level;
}

/* A table that a fetch has made keeps the block small.
 * mirrors disallowed_hugepage_adjust(), arch/x86/kvm/mmu/mmu.c, 5.10+ */
static void adjust_disallowed(struct fault *f)
{
	struct ms_vm *vm = f->vm;

	if (!ms_x86_nx_enabled(vm))
		return;
	while (f->goal_level > MS_TDP_4K && ms_x86_nx_disallowed(vm, f->ipa, f->goal_level)) {
		f->goal_level--;
		vm->x86.why = MS_WHY_NX_TABLE;
	}
}

/* The tables that the walk to the goal has to make or, where a huge entry is in the way, makes of
 * it. Those that are to be remembered come first: after a split nothing may fail. -ENOMEM. */
static int make_tables(struct fault *f)
{
	struct ms_vm *vm = f->vm;
	struct ms_tdp_leaf leaf;
	unsigned int level;
	int err;

	ms_tdp_walk(vm->x86.tdp, f->ipa, &level);
	if (level <= f->goal_level)
		return 0;
	err = track_tables(f);
	if (!err && vm->machine->policy.tdp_huge_fault == MS_TDP_HUGE_FAULT_SPLIT &&
	    ms_tdp_get_leaf(vm->x86.tdp, f->ipa, &leaf))
		err = ms_tdp_split(vm->x86.tdp, f->ipa, MS_4K, f->goal_level);
	return err;
}

/* Whether the leaf is where the fault is to make its entry; a larger one is zapped first. */
static bool is_at_goal(const struct fault *f, const struct ms_tdp_leaf *leaf)
{
	return leaf->size && leaf->level == f->goal_level;
}

/* An MMIO mark has the bit that says writable. */
static bool is_mark(const struct fault *f)
{
	struct ms_tdp_mark mark;

	return f->goal_level == MS_TDP_4K &&
	       ms_tdp_next_mmio(f->vm->x86.tdp, f->ipa, f->ipa + MS_4K, &mark);
}

/* Whether the entry keeps its dirty bit back; table: one of a block takes a table's place. */
static bool lacks_dirty(const struct fault *f, const struct ms_tdp_leaf *old, bool table)
{
	switch (f->vm->machine->policy.tdp_remade_dirty) {
	case MS_TDP_REMADE_DIRTY_NEVER:
		return false;
	case MS_TDP_REMADE_DIRTY_WRITABLE_OR_TABLE:
		if (table)
			return true;
		break;
	case MS_TDP_REMADE_DIRTY_WRITABLE_LEAF:
		break;
	}
	return is_at_goal(f, old) ? old->prot & MS_PROT_W : is_mark(f);
}

/* The rights and marks of the entry. `old`: the leaf that is there now; size 0: none.
 * mirrors make_spte(), arch/x86/kvm/mmu/spte.c, 5.10+ */
static unsigned int make_spte(const struct fault *f, const struct ms_tdp_leaf *old, bool table)
{
	unsigned int attr = MS_PROT_R | MS_PROT_X;

	if (!f->prefetch)
		attr |= MS_TDP_ACCESSED;
	if (!f->page.writable)
		return attr;
	attr |= MS_PROT_W | MS_TDP_HOST_WRITABLE | MS_TDP_MMU_WRITABLE;
	return lacks_dirty(f, old, table) ? attr : attr | MS_TDP_DIRTY;
}

/* Whether what is there is left as it is. */
static bool is_spurious(const struct fault *f, const struct ms_tdp_leaf *old, bool table)
{
	switch (f->vm->machine->policy.tdp_spurious) {
	case MS_TDP_SPURIOUS_MADE_ANEW:
		return false;
	case MS_TDP_SPURIOUS_LEFT_TABLES_TOO:
		if (table)
			return f->prefetch;
		break;
	case MS_TDP_SPURIOUS_LEFT:
		if (table)
			return false;
		break;
	}
	return is_at_goal(f, old) && (f->prefetch || old->prot & wanted(f->abort));
}

/* Whether a table is where the fault is to make its entry. */
static bool is_table(const struct fault *f)
{
	unsigned int level = f->goal_level;

	if (level > MS_TDP_4K)
		ms_tdp_walk(f->vm->x86.tdp, f->ipa, &level);
	return level < f->goal_level;
}

// mirrors tdp_mmu_map_handle_target_level(), arch/x86/kvm/mmu/tdp_mmu.c, 5.10+
static enum fault_result map_target(struct fault *f)
{
	struct ms_vm *vm = f->vm;
	const uint64_t size = ms_tdp_level_size(f->goal_level);
	const ms_ipa_t ipa = ms_align_down(f->ipa, size);
	const ms_pa_t pa = ms_align_down(f->page.pfn << MS_PAGE_SHIFT, size);
	struct ms_tdp_leaf old;
	bool table;
	int err;

	ms_tdp_get_leaf(vm->x86.tdp, f->ipa, &old);
	table = is_table(f);
	if (is_spurious(f, &old, table))
		return FIXED;
	err = ms_tdp_map(vm->x86.tdp, ipa, f->goal_level, pa, make_spte(f, &old, table));
	if (err == -ENOMEM)
		return NO_MEMORY;
	if (err) {
		if (err == -ERANGE)
			ms_violation_by(vm->machine, MS_VIOLATION_HARDWARE,
					"a page beyond the physical addresses of the host", f->ipa,
					pa);
		else
			ms_violation_by(vm->machine, MS_VIOLATION_KERNEL,
					"an entry of the nested table maps another page", f->ipa,
					pa);
		return EMULATE;
	}
	ms_x86_nx_forget_gone(vm, ipa, size);
	vm->mapped_ipa = ipa;
	vm->mapped_size = size;
	vm->mapped_why = vm->x86.why;
	if (f->page.writable && slot_is_logged(f->slot))
		ms_mark_page_dirty(f->slot, f->ipa >> MS_PAGE_SHIFT);
	return FIXED;
}

// mirrors kvm_tdp_mmu_map(), arch/x86/kvm/mmu/tdp_mmu.c, 5.10+
static enum fault_result tdp_map(struct fault *f)
{
	enum fault_result result;

	choose_level(f);
	adjust_disallowed(f);
	result = make_tables(f) ? NO_MEMORY : map_target(f);
	if (result != FIXED)
		forget_tables(f);
	return result;
}

/* The page was found: once the MMU lock is had, is it still the one? */
static enum fault_result map_page(struct fault *f)
{
	struct ms_machine *m = f->vm->machine;
	enum fault_result result;

	ms_hook(m, MS_HOOK_S2_PFN_FOUND, f->ipa);
	ms_hook(m, MS_HOOK_S2_MMU_LOCK, f->ipa);
	if (!f->vm->mm)
		return FIXED;
	if (is_stale(f)) {
		f->abort->why = MS_WHY_NOTIFIER_RETRY;
		return FIXED;
	}
	result = tdp_map(f);
	// kvm_release_pfn_clean(), from 6.13 on kvm_release_faultin_page()
	if (result == FIXED)
		ms_lru_accessed(f->vm->mm, hva_of(f), f->page.pfn);
	if (result == FIXED)
		ms_hook(m, MS_HOOK_S2_MAPPED, f->ipa);
	return result;
}

/* ---- emulation ---- */

/* Where others have refused it they have told, since refusal number f->refusals: what they say is
 * closer to the reason than that this fault fails. */
static enum ms_guest_exit failed(struct fault *f, int error, enum ms_kvm_reason why, int *err)
{
	struct ms_machine *m = f->vm->machine;

	f->abort->why = why;
	*err = error;
	if (ms_refusals(m) == f->refusals || m->refused.err != error)
		ms_refuse(m, error, "ipa %x: %s", f->ipa, ms_refusal_text(ms_kvm_reason(m, why)));
	return MS_GUEST_ERROR;
}

/*
 * KVM decodes the guest's write and makes it through the process's own mapping: a fault of the
 * host's at most, nothing is mapped for the guest. Where the process may not write it is the VMM's.
 * mirrors emulator_write_emulated(), arch/x86/kvm/x86.c, 5.10+; __kvm_write_guest_page(),
 * virt/kvm/kvm_main.c, 5.10+
 */
static enum ms_guest_exit emulate_write(struct fault *f, int *err)
{
	if (f->slot->flags & MS_SLOT_READONLY) {
		f->abort->why = MS_WHY_SLOT_READONLY;
		return MS_GUEST_MMIO;
	}
	f->abort->why = MS_WHY_LEAF_READONLY;
	switch (ms_touch(f->vm->mm, hva_of(f), MS_PROT_W)) {
	case MS_ACCESS_OK:
		break;
	case MS_ACCESS_WAITS:
		return failed(f, -EBUSY, MS_WHY_LOCKED, err);
	default:
		return MS_GUEST_MMIO;
	}
	ms_mark_page_dirty(f->slot, f->ipa >> MS_PAGE_SHIFT);
	f->abort->emulated = true;
	return MS_GUEST_OK;
}

static enum ms_guest_exit emulate(const struct fault *f)
{
	return f->abort->exec ? MS_GUEST_INTERNAL_ERROR : MS_GUEST_MMIO;
}

static enum ms_guest_exit answer(struct fault *f, enum fault_result result, int *err)
{
	switch (result) {
	case FIXED:
		return MS_GUEST_OK;
	case EMULATE:
		return emulate(f);
	case NO_MEMORY:
		break;
	}
	return failed(f, -ENOMEM, MS_WHY_NO_MEMORY, err);
}

// mirrors kvm_handle_error_pfn(), arch/x86/kvm/mmu/mmu.c, 6.1+; kvm_handle_bad_page(),
// arch/x86/kvm/mmu/mmu.c, 5.10 .. 5.10
static enum ms_guest_exit handle_error_pfn(struct fault *f, int *err)
{
	switch (f->page.error) {
	case MS_PFN_RO_FAULT:
		return emulate_write(f, err);
	case MS_PFN_HWPOISON:
		f->abort->why = MS_WHY_POISON;
		return MS_GUEST_SIGBUS;
	case MS_PFN_WAITS:
		return failed(f, -EBUSY, MS_WHY_LOCKED, err);
	case MS_PFN_OK:
	case MS_PFN_NEEDS_IO:
	case MS_PFN_FAULT:
		break;
	}
	return failed(f, -EFAULT, MS_WHY_NO_PFN, err);
}

/* First without waiting, as if the guest could do something else meanwhile.
 * mirrors __kvm_faultin_pfn(), arch/x86/kvm/mmu/mmu.c, 6.12 .. 6.12; __kvm_mmu_faultin_pfn(),
 * arch/x86/kvm/mmu/mmu.c, 6.13+; try_async_pf(), arch/x86/kvm/mmu/mmu.c, 5.10 .. 5.10 */
static struct ms_pfn_lookup find_page(const struct fault *f)
{
	const ms_gfn_t gfn = f->ipa >> MS_PAGE_SHIFT;
	struct ms_pfn_lookup page = ms_gfn_to_pfn(f->vm, f->slot, gfn, f->abort->write, true);

	if (page.error != MS_PFN_NEEDS_IO)
		return page;
	return ms_gfn_to_pfn(f->vm, f->slot, gfn, f->abort->write, false);
}

// mirrors direct_page_fault(), arch/x86/kvm/mmu/mmu.c, 5.10+; kvm_tdp_mmu_page_fault(),
// arch/x86/kvm/mmu/mmu.c, 6.12+; kvm_faultin_pfn(), arch/x86/kvm/mmu/mmu.c, 6.1+
static enum ms_guest_exit page_fault(struct fault *f, int *err)
{
	struct ms_vm *vm = f->vm;

	f->slot = ms_gfn_to_memslot(vm, f->ipa >> MS_PAGE_SHIFT);
	if (fast_page_fault(f))
		return MS_GUEST_OK;
	f->seq = vm->invalidate_seq;
	if (!f->slot)
		return answer(f, no_slot(f), err);
	if (vm->machine->policy.notifier_early_retry == MS_NOTIFIER_EARLY_RETRY_YES &&
	    is_stale(f)) {
		f->abort->why = MS_WHY_NOTIFIER_RETRY;
		return MS_GUEST_OK;
	}
	f->page = find_page(f);
	if (f->page.error != MS_PFN_OK)
		return handle_error_pfn(f, err);
	return answer(f, map_page(f), err);
}

enum ms_guest_exit ms_x86_handle_fault(struct ms_vm *vm, struct ms_abort *abort, int *err)
{
	struct fault f = {
		.vm = vm,
		.abort = abort,
		.ipa = ms_align_down(abort->ipa, MS_4K),
		.refusals = ms_refusals(vm->machine),
	};
	enum ms_guest_exit exit;

	vm->in_abort++;
	if (is_marked(&f)) {
		abort->why = MS_WHY_NO_SLOT;
		exit = emulate(&f);
	} else if (ms_mm_fault_waits(vm->mm)) {
		ms_refuse_locked(vm->machine, vm->mm);
		exit = failed(&f, -EBUSY, MS_WHY_LOCKED, err);
	} else {
		exit = page_fault(&f, err);
	}
	vm->in_abort--;
	// what ends in an error has told already
	if (exit != MS_GUEST_OK && exit != MS_GUEST_ERROR) {
		const char *why = ms_kvm_reason(vm->machine, abort->why);

		ms_refuse(vm->machine, -EFAULT, "ipa %x: %s", f.ipa,
			  ms_refusal_text(why ? why : "the nested table cannot map the page"));
	}
	return exit;
}

/* ---- ahead of the guest ---- */

/* Maps one page or block as a read would. Answers how many bytes from ipa on that is.
 * mirrors kvm_arch_vcpu_pre_fault_memory() and kvm_tdp_map_page(), arch/x86/kvm/mmu/mmu.c, 6.12+ */
static int64_t prefault_one(struct ms_vm *vm, ms_ipa_t ipa)
{
	struct ms_machine *m = vm->machine;

	for (unsigned int i = 0; i < MAX_PREFAULT_TRIES; i++) {
		struct ms_abort abort = { .ipa = ipa };
		struct fault f = {
			.vm = vm,
			.abort = &abort,
			.ipa = ipa,
			.prefetch = true,
			.refusals = ms_refusals(m),
			.goal_level = MS_TDP_4K,
		};
		int err = 0;
		const enum ms_guest_exit exit =
			is_marked(&f) ? MS_GUEST_MMIO : page_fault(&f, &err);

		if (exit == MS_GUEST_MMIO)
			return ms_refuse(m, -ENOENT, "ipa %x: no memslot", ipa);
		if (exit == MS_GUEST_SIGBUS)
			return ms_refuse(m, -EINTR, "ipa %x: %s", ipa,
					 ms_refusal_text(ms_kvm_reason(m, abort.why)));
		if (err)
			return err;
		if (!vm->mm)
			return ms_vm_refuse_gone(vm);
		// also where a table was left in place of the block, or a hook took it
		if (abort.why != MS_WHY_NOTIFIER_RETRY)
			return (int64_t)(ms_x86_block(ipa, f.goal_level) +
					 ms_tdp_level_size(f.goal_level) - ipa);
	}
	return ms_refuse(m, -EAGAIN, "ipa %x: notifiers come in between", ipa);
}

static int check_prefault(struct ms_vm *vm, ms_ipa_t gpa, uint64_t size)
{
	struct ms_machine *m = vm->machine;

	if (!ms_is_x86(m) || m->policy.kvm_prefault == MS_KVM_PREFAULT_ABSENT)
		return ms_refuse(m, -EINVAL, "this kernel has no KVM_PRE_FAULT_MEMORY");
	if (!vm->mm)
		return ms_vm_refuse_gone(vm);
	if (!size || !ms_aligned(gpa | size, MS_4K) || gpa + size <= gpa)
		return ms_refuse(m, -EINVAL, "[%x, +%x) is not whole pages, empty, or wraps", gpa,
				 size);
	if (ms_mm_fault_waits(vm->mm))
		return ms_refuse_locked(m, vm->mm);
	return 0;
}

// mirrors kvm_vcpu_pre_fault_memory(), virt/kvm/kvm_main.c, 6.12+
int ms_vm_prefault(struct ms_vm *vm, ms_ipa_t gpa, uint64_t size, uint64_t *left)
{
	const uint64_t full = size;
	int64_t done = 0;
	int err = vm ? check_prefault(vm, gpa, size) : -EINVAL;

	if (left)
		*left = size;
	if (err)
		return err;
	vm->in_abort++;
	while (size && (done = prefault_one(vm, gpa)) > 0) {
		const uint64_t n = ms_min_u64((uint64_t)done, size);

		gpa += n;
		size -= n;
	}
	vm->in_abort--;
	if (left)
		*left = size;
	return size == full ? (int)done : 0;
}
