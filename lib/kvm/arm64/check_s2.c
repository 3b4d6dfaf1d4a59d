/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stage 2 compared with what it shadows. Each leaf lies in one memslot, and each of its pages is
 * the one that the host page table has at the slot's address at this moment, with no more rights
 * than there: a notifier told the VM of whatever changed.
 *
 * What a kernel maps without asking the host page table is no finding:
 * - a premap of a new memslot goes by vm_pgoff, and stays when the slot is refused (5.10);
 * - a block that was chosen by vm_pgoff may hold pages that the host does not map, or maps to
 *   something else, and may reach beyond its VMA (up to 7.1); likewise one that the policy's own
 *   function chose;
 * - a raw pfn is mapped though its entry is PROT_NONE, and writable whatever the entry says where
 *   the lookup does not ask;
 * - a kernel that samples the notifiers' sequence late misses a notifier that came before.
 */
#include "core/check.h"
#include "kvm/arm64/arm64.h"
#include "stage2/internal.h"

struct shadow {
	struct ms_check *c;
	struct ms_vm *vm;
	const struct ms_memslot *slot;
	struct ms_s2_leaf leaf;
	ms_hva_t hva; /* of the leaf's first page */
};

static bool found(const struct shadow *s, uint64_t off, const char *what)
{
	return ms_check_found(s->c,
			      "vm %u: stage 2 at %#" PRIx64 " (%#" PRIx64 " bytes to %#" PRIx64
			      "), host address %#" PRIx64 ": %s",
			      s->vm->id, s->leaf.ipa + off, s->leaf.size, s->leaf.pa, s->hva + off,
			      what);
}

/* ---- what may differ from the host page table ---- */

static bool is_pfnmap(const struct shadow *s, ms_hva_t hva)
{
	const struct ms_vma *vma = ms_vma_lookup(s->vm->mm, hva);

	return vma && vma->vm_flags & MS_VM_PFNMAP;
}

/* Could a block around this page have been chosen without a look at the host page table? */
static bool may_be_guessed(const struct shadow *s, ms_hva_t hva)
{
	const struct ms_machine *m = s->vm->machine;

	if (m->policy.choose_block || s->vm->arm64.missed_notifier)
		return true;
	switch (m->policy.s2_pfnmap_block) {
	case MS_S2_PFNMAP_BLOCK_ROUGH_VM_PGOFF_V3:
	case MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF:
		return is_pfnmap(s, ms_align_down(hva, ms_pmd_size(m))) ||
		       is_pfnmap(s, ms_align_down(hva, ms_pud_size(m)));
	default:
		return false;
	}
}

/* Is pa where a premap looks for the page? Of a private mapping vm_pgoff may have changed since. */
static bool may_be_premapped(const struct shadow *s, ms_hva_t hva, ms_pa_t pa)
{
	const struct ms_machine *m = s->vm->machine;
	const struct ms_vma *vma = ms_vma_lookup(s->vm->mm, hva);

	if (m->policy.slot_pfnmap != MS_SLOT_PFNMAP_PREMAP || !vma ||
	    !(vma->vm_flags & MS_VM_PFNMAP))
		return false;
	return ms_is_cow_mapping(vma->vm_flags) ||
	       pa == (vma->vm_pgoff << m->page_shift) + (hva - vma->vm_start);
}

/* A slot that was refused after a VMA was premapped leaves that mapped. */
static bool is_left_by_premap(const struct shadow *s)
{
	return s->vm->machine->policy.slot_pfnmap == MS_SLOT_PFNMAP_PREMAP &&
	       s->leaf.prot & MS_PROT_DEVICE && s->leaf.size == s->vm->machine->page_size;
}

/* get_user_pages() refuses the VMA, and the entries are taken as they are, by follow_pte(). */
static bool is_raw(const struct shadow *s, ms_hva_t hva)
{
	const struct ms_vma *vma = ms_vma_lookup(s->vm->mm, hva);

	return vma && vma->vm_flags & (MS_VM_IO | MS_VM_PFNMAP);
}

static bool may_write_anyway(const struct shadow *s, ms_hva_t hva)
{
	const struct ms_policy *policy = &s->vm->machine->policy;

	return is_raw(s, hva) && (policy->pfn_lookup_writable == MS_PFN_LOOKUP_WRITABLE_ALWAYS ||
				  policy->slot_pfnmap == MS_SLOT_PFNMAP_PREMAP);
}

/* ---- one leaf ---- */

/* The part of the leaf, from `off` on, that one host leaf maps. false: a finding. */
static bool check_part(const struct shadow *s, uint64_t off, const struct ms_host_leaf *host)
{
	ms_hva_t hva = s->hva + off;
	ms_pa_t pa = s->leaf.pa + off;

	if ((host->entry & MS_PTE_PA_MASK) + (hva - host->start) != pa)
		return may_be_premapped(s, hva, pa) ||
		       found(s, off, "the host maps something else there");
	if (!(host->entry & MS_PTE_PRESENT) && !is_raw(s, hva))
		return found(s, off, "the host may not access it");
	if (s->leaf.prot & MS_PROT_W && !(host->entry & MS_PTE_WRITE) && !may_write_anyway(s, hva))
		return found(s, off, "the guest may write, the host may not");
	return true;
}

/* Ends with the first finding: one for each leaf is enough. */
static void check_translation(const struct shadow *s)
{
	struct ms_host_leaf host;

	if (may_be_guessed(s, s->hva))
		return;
	for (uint64_t off = 0; off < s->leaf.size; off = host.start + host.size - s->hva) {
		if (ms_host_leaf(s->vm->mm, s->hva + off, &host)) {
			if (!check_part(s, off, &host))
				return;
			continue;
		}
		// A premap is of pages: there is no more of this leaf.
		if (!may_be_premapped(s, s->hva + off, s->leaf.pa + off))
			found(s, off, "the host maps nothing there");
		return;
	}
}

/* What the guest can write without a fault must be in the log already. A device is not logged. */
static void check_logged(const struct shadow *s)
{
	const struct ms_machine *m = s->vm->machine;
	uint64_t first = (s->leaf.ipa >> m->page_shift) - s->slot->base_gfn;

	if (m->policy.choose_block || !ms_slot_is_logging(s->slot) || !(s->leaf.prot & MS_PROT_W) ||
	    !ms_pfn_is_ram(m, s->leaf.pa >> m->page_shift) || is_pfnmap(s, s->hva))
		return;
	for (uint64_t i = first; i < first + (s->leaf.size >> m->page_shift); i++) {
		if (s->slot->dirty[i / 64] >> i % 64 & 1)
			continue;
		found(s, (i - first) << m->page_shift, "written to without a trace in the log");
		return;
	}
}

static void check_leaf(struct shadow *s)
{
	const struct ms_vm *vm = s->vm;
	const struct ms_s2_leaf *leaf = &s->leaf;

	s->slot = ms_memslot_look(vm, leaf->ipa >> vm->machine->page_shift);
	if (!s->slot && is_left_by_premap(s))
		return;
	if (!s->slot ||
	    leaf->ipa + leaf->size > ms_slot_gpa(vm, s->slot) + ms_slot_bytes(vm, s->slot)) {
		ms_check_found(s->c,
			       "vm %u: stage 2 at %#" PRIx64 " (%#" PRIx64 " bytes to %#" PRIx64
			       "): not inside of a memslot",
			       vm->id, leaf->ipa, leaf->size, leaf->pa);
		return;
	}
	s->hva = s->slot->hva + (leaf->ipa - ms_slot_gpa(vm, s->slot));
	if (leaf->prot & MS_PROT_W && s->slot->flags & MS_SLOT_READONLY)
		found(s, 0, "writable in a read-only slot");
	check_translation(s);
	check_logged(s);
}

void ms_check_stage2(struct ms_check *c, struct ms_vm *vm)
{
	const char *broken = ms_s2_check(vm->arm64.s2);
	const ms_ipa_t end = UINT64_C(1) << vm->config.ipa_bits;
	const unsigned int cached = vm->arm64.vcpu_cache.count + vm->arm64.split_cache.count;
	struct shadow s = { .c = c, .vm = vm };

	if (broken) {
		ms_check_found(c, "vm %u: stage-2 table: %s", vm->id, broken);
		return;
	}
	if (cached != ms_s2_cached_tables(vm->arm64.s2))
		ms_check_found(c, "vm %u: %u stage-2 tables put by, %u are counted", vm->id, cached,
			       ms_s2_cached_tables(vm->arm64.s2));
	for (ms_ipa_t ipa = 0; ms_s2_next_leaf(vm->arm64.s2, ipa, end, &s.leaf);
	     ipa = s.leaf.ipa + s.leaf.size)
		check_leaf(&s);
}
