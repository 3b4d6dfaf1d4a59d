/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The nested table against what it shadows. Each leaf lies in one memslot, and each of its pages is
 * the one that the host page table has at the slot's address at this moment, with no right more:
 * whatever changed there was told to the VM by a notifier.
 */
#include "core/check.h"
#include "kvm/x86/x86.h"

struct shadow {
	struct ms_check *c;
	struct ms_vm *vm;
	const struct ms_memslot *slot;
	struct ms_tdp_leaf leaf;
	ms_hva_t hva; /* of the leaf's first page */
};

static bool found(const struct shadow *s, uint64_t off, const char *what)
{
	return ms_check_found(s->c,
			      "vm %u: nested table at %#" PRIx64 " (%#" PRIx64 " bytes to %#" PRIx64
			      "), host address %#" PRIx64 ": %s",
			      s->vm->id, s->leaf.ipa + off, s->leaf.size, s->leaf.pa, s->hva + off,
			      what);
}

/* A raw pfn, which KVM takes from the entry, whatever the VMA permits. */
static bool is_raw(const struct shadow *s, ms_hva_t hva)
{
	const struct ms_vma *vma = ms_vma_lookup(s->vm->mm, hva);

	return vma && vma->vm_flags & (MS_VM_IO | MS_VM_PFNMAP);
}

/* KVM did not ask the entry of a raw pfn whether it is writable. */
static bool may_write_anyway(const struct shadow *s, ms_hva_t hva)
{
	return s->vm->machine->policy.pfn_lookup_writable == MS_PFN_LOOKUP_WRITABLE_ALWAYS &&
	       is_raw(s, hva);
}

/* The part of the leaf, from `off` on, that one host leaf maps. false: a finding. */
static bool check_part(const struct shadow *s, uint64_t off, const struct ms_host_leaf *host)
{
	const ms_hva_t hva = s->hva + off;
	const unsigned int bits = MS_TDP_HOST_WRITABLE | MS_TDP_MMU_WRITABLE;

	if ((host->entry & MS_PTE_PA_MASK) + (hva - host->start) != s->leaf.pa + off)
		return found(s, off, "the host maps something else there");
	if (!(host->entry & MS_PTE_PRESENT) && !is_raw(s, hva))
		return found(s, off, "the host may not access it");
	if ((s->leaf.prot & MS_PROT_W || s->leaf.bits & bits) && !(host->entry & MS_PTE_WRITE) &&
	    !may_write_anyway(s, hva))
		return found(s, off, "the guest may write, the host may not");
	return true;
}

/* Ends with the first finding: one for each leaf is enough. */
static void check_translation(const struct shadow *s)
{
	struct ms_host_leaf host;

	for (uint64_t off = 0; off < s->leaf.size; off = host.start + host.size - s->hva) {
		if (!ms_host_leaf(s->vm->mm, s->hva + off, &host)) {
			found(s, off, "the host maps nothing there");
			return;
		}
		if (!check_part(s, off, &host))
			return;
	}
}

/* What the guest can write without a fault must be in the log already. Of a log whose pages are all
 * dirty at first, a block may have been missed when they were cleared (protect_huge()). */
static void check_logged(const struct shadow *s)
{
	const uint64_t first = (s->leaf.ipa >> MS_PAGE_SHIFT) - s->slot->base_gfn;

	if (s->vm->config.dirty_initset && s->leaf.level > MS_TDP_4K)
		return;
	if (!ms_slot_is_logging(s->slot) || !(s->leaf.prot & MS_PROT_W))
		return;
	for (uint64_t i = first; i < first + (s->leaf.size >> MS_PAGE_SHIFT); i++) {
		if (s->slot->dirty[i / 64] >> i % 64 & 1)
			continue;
		found(s, (i - first) << MS_PAGE_SHIFT, "written to without a trace in the log");
		return;
	}
}

static void check_leaf(struct shadow *s)
{
	const struct ms_vm *vm = s->vm;
	const struct ms_tdp_leaf *leaf = &s->leaf;

	s->slot = ms_memslot_look(vm, leaf->ipa >> MS_PAGE_SHIFT);
	if (!s->slot ||
	    leaf->ipa + leaf->size > ms_slot_gpa(vm, s->slot) + ms_slot_bytes(vm, s->slot)) {
		ms_check_found(s->c,
			       "vm %u: nested table at %#" PRIx64 " (%#" PRIx64
			       " bytes to %#" PRIx64 "): not inside of a memslot",
			       vm->id, leaf->ipa, leaf->size, leaf->pa);
		return;
	}
	s->hva = s->slot->hva + (leaf->ipa - ms_slot_gpa(vm, s->slot));
	if (leaf->prot & MS_PROT_W && s->slot->flags & MS_SLOT_READONLY)
		found(s, 0, "writable in a read-only slot");
	if (leaf->level > MS_TDP_4K && !ms_x86_slot_allows(vm, s->slot, leaf->ipa, leaf->level))
		found(s, 0, "larger than its memslot allows");
	check_translation(s);
	check_logged(s);
}

/* Where memory has come since, a mark is of the slots of before. */
static void check_marks(struct ms_check *c, const struct ms_vm *vm)
{
	struct ms_tdp_mark mark;

	for (ms_ipa_t ipa = 0; ms_tdp_next_mmio(vm->x86.tdp, ipa, UINT64_MAX, &mark);
	     ipa = mark.ipa + MS_4K)
		if (ms_memslot_look(vm, mark.ipa >> MS_PAGE_SHIFT) &&
		    ms_x86_mark_is_valid(vm, &mark))
			ms_check_found(c,
				       "vm %u: nested table at %#" PRIx64
				       ": marked as no memory, inside of a memslot",
				       vm->id, mark.ipa);
}

void ms_x86_check(struct ms_check *c, struct ms_vm *vm)
{
	struct shadow s = { .c = c, .vm = vm };
	const char *broken;

	if (!vm->mm != !vm->x86.tdp) {
		ms_check_found(c, "vm %u: has one of process and nested table", vm->id);
		return;
	}
	if (vm->x86.by_cpu || vm->x86.in_fast)
		ms_check_found(c, "vm %u: a change of an entry has not come to its end", vm->id);
	if (!vm->mm)
		return;
	broken = ms_tdp_check(vm->x86.tdp);
	if (broken) {
		ms_check_found(c, "vm %u: nested table: %s", vm->id, broken);
		return;
	}
	for (ms_ipa_t ipa = 0; ms_tdp_next_leaf(vm->x86.tdp, ipa, UINT64_MAX, &s.leaf);
	     ipa = s.leaf.ipa + s.leaf.size)
		check_leaf(&s);
	check_marks(c, vm);
	ms_x86_nx_check(c, vm);
}
