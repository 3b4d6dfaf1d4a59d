/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What guests have mapped, against what their processes have: each page of a guest is the one that
 * its process has at the memslot's address, with no right more, or it is a hazard.
 */
#include "hazard/internal.h"

#include "mm/view.h"

struct guest {
	struct ms_judge *j;
	const struct ms_vm *vm;
	struct ms_mm *mm;
	struct ms_slot slot; /* the first that ends above the address at hand; size 0: none */
	struct ms_guest_run run;
	bool writable; /* now, or by the table alone */
};

/* ---- which rule it was ---- */

/* A block whose size was chosen without a look at the host's page table. */
static const char *rule_of_block(const struct guest *g)
{
	const struct ms_policy *policy = &g->j->m->policy;

	if (policy->choose_block)
		return "choose_block";
	if (ms_is_x86(g->j->m))
		return NULL;
	if (policy->slot_pfnmap == MS_SLOT_PFNMAP_PREMAP)
		return "slot_pfnmap";
	if (policy->s2_pfnmap_block == MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF ||
	    policy->s2_pfnmap_block == MS_S2_PFNMAP_BLOCK_ROUGH_VM_PGOFF_V3)
		return "s2_pfnmap_block";
	return NULL;
}

static const char *rule_of_write(const struct guest *g, const struct ms_part *part)
{
	const struct ms_policy *policy = &g->j->m->policy;

	if (part->vma && !(part->vma->vm_flags & (MS_VM_IO | MS_VM_PFNMAP)))
		return NULL;
	if (!ms_is_x86(g->j->m) && policy->slot_pfnmap == MS_SLOT_PFNMAP_PREMAP)
		return "slot_pfnmap";
	if (policy->pfn_lookup_writable == MS_PFN_LOOKUP_WRITABLE_ALWAYS)
		return "pfn_lookup_writable";
	// a block goes by its first page
	return rule_of_block(g);
}

/* ---- rights ---- */

static void found(const struct guest *g, const struct ms_part *part, enum ms_hazard_kind kind,
		  const char *rule, const char *text)
{
	ms_part_found(g->j, part, kind, MS_BLAME_KERNEL, rule, text);
}

/* host: what the process has there. */
static void judge_rights(const struct guest *g, const struct ms_part *part,
			 const struct ms_host_run *host)
{
	const uint64_t flags = part->vma->vm_flags;

	if (g->writable && g->slot.flags & MS_SLOT_READONLY)
		found(g, part, MS_HAZARD_GUEST_WRITE, NULL, "writable in a read-only memslot");
	else if (g->writable && !(flags & MS_VM_WRITE))
		found(g, part, MS_HAZARD_GUEST_WRITE, rule_of_write(g, part),
		      "writable, and the VMA is not");
	else if (g->writable && host && !(host->flags & MS_PTE_WRITE))
		found(g, part, MS_HAZARD_GUEST_WRITE, rule_of_write(g, part),
		      "writable, and the process's entry is not");
	if (!(flags & MS_VM_ACCESS))
		found(g, part, MS_HAZARD_GUEST_READ, NULL,
		      "mapped, and the process may not access it at all");
}

/* ---- memory ---- */

/* RAM that the guest writes without a fault must be in the log already. */
static void judge_log(const struct guest *g, const struct ms_part *part)
{
	const struct ms_machine *m = g->j->m;
	const uint64_t first = (part->addr - g->slot.gpa) >> m->page_shift;
	const uint64_t pages = part->size >> m->page_shift;

	if (!g->slot.dirty || g->slot.flags & MS_SLOT_READONLY || !(g->run.prot & MS_PROT_W))
		return;
	for (uint64_t i = 0; i < pages; i++)
		if (!(g->slot.dirty[(first + i) / 64] >> (first + i) % 64 & 1))
			ms_part_found_in(g->j, part, i << m->page_shift, m->page_size,
					 MS_HAZARD_GUEST_UNLOGGED, MS_BLAME_KERNEL, NULL,
					 "written to without a trace in the log");
}

static void judge_memory(const struct guest *g, struct ms_part *part)
{
	const unsigned int exec = MS_PROT_X | MS_PROT_PX | MS_PROT_UX;
	const bool arm64 = !ms_is_x86(g->j->m);

	if (!part->ram)
		ms_judge_device(g->j, part);
	if (arm64 && !part->ram && g->run.prot & exec)
		found(g, part, MS_HAZARD_GUEST_EXEC_DEVICE, NULL, "device memory is executable");
	if (arm64 && part->ram && g->run.prot & (MS_PROT_DEVICE | MS_PROT_NORMAL_NC))
		found(g, part, MS_HAZARD_GUEST_RAM_AS_DEVICE, rule_of_block(g),
		      "RAM is mapped as a device's memory");
	if (part->ram && part->hva)
		judge_log(g, part);
}

/* ---- a run ---- */

/* Finds the memslot. How much of `size` lies in it, or in front of the next one. */
static uint64_t find_slot(struct guest *g, ms_ipa_t ipa, uint64_t size, ms_hva_t *hva)
{
	const struct ms_slot *slot = &g->slot;

	*hva = 0;
	if (slot->size && slot->gpa + slot->size <= ipa)
		ms_vm_next_slot(g->vm, ipa, &g->slot);
	if (!slot->size)
		return size;
	if (slot->gpa > ipa)
		return ms_min_u64(size, slot->gpa - ipa);
	*hva = slot->hva + (ipa - slot->gpa);
	return ms_min_u64(size, slot->gpa + slot->size - ipa);
}

/* Compares the part with what the process has there, and cuts it to where that is of one kind. */
static void judge_translation(struct guest *g, struct ms_part *part)
{
	const struct ms_vma *vma = ms_find_vma(g->mm, part->hva);
	const ms_hva_t hva = part->hva;
	struct ms_host_run host;
	bool there;

	part->vma = vma && vma->vm_start <= hva ? vma : NULL;
	if (vma)
		part->size =
			ms_min_u64(part->size, (part->vma ? vma->vm_end : vma->vm_start) - hva);
	there = ms_host_next_run(g->mm, hva, hva + part->size, &host);
	if (there && host.start <= hva)
		part->size = ms_min_u64(part->size, host.start + host.size - hva);
	else if (there)
		part->size = host.start - hva;
	there = there && host.start <= hva;
	if (!part->vma)
		found(g, part, MS_HAZARD_GUEST_BEYOND_VMA, rule_of_block(g),
		      "mapped where the process has no VMA");
	else if (!there)
		found(g, part, MS_HAZARD_GUEST_UNMAPPED, rule_of_block(g),
		      "mapped, and the process maps nothing there");
	else if (host.pa + (hva - host.start) != part->pa)
		found(g, part, MS_HAZARD_GUEST_OTHER_PAGE, rule_of_block(g),
		      "the process maps another page there");
	part->host_cacheable = there && ms_pgprot_cache(host.flags) == MS_CACHE_WB;
	if (part->vma)
		judge_rights(g, part, there ? &host : NULL);
}

static void judge_run(struct guest *g)
{
	const struct ms_machine *m = g->j->m;
	const struct ms_guest_run *run = &g->run;
	const unsigned int bits = MS_TDP_HOST_WRITABLE | MS_TDP_MMU_WRITABLE;
	struct ms_part part = {
		.mm = ms_mm_id(g->mm),
		.vm = ms_vm_id(g->vm),
		.cacheable = !ms_is_x86(m) && !(run->prot & (MS_PROT_DEVICE | MS_PROT_NORMAL_NC)),
	};

	g->writable = run->prot & MS_PROT_W || run->bits & bits;
	for (uint64_t off = 0; off < run->size; off += part.size) {
		part.addr = run->ipa + off;
		part.pa = run->pa + off;
		part.vma = NULL;
		part.host_cacheable = false;
		part.size = find_slot(g, part.addr, run->size - off, &part.hva);
		ms_part_of_one_kind(m, &part);
		if (part.hva)
			judge_translation(g, &part);
		else
			found(g, &part, MS_HAZARD_GUEST_BEYOND_SLOT, rule_of_block(g),
			      "mapped where there is no memslot");
		judge_memory(g, &part);
	}
}

void ms_judge_guest(struct ms_judge *j, const struct ms_vm *vm)
{
	struct guest g = { .j = j, .vm = vm, .mm = ms_vm_mm(vm) };

	if (!g.mm)
		return;
	ms_vm_next_slot(vm, 0, &g.slot);
	for (ms_ipa_t at = 0; ms_guest_next_run(vm, at, UINT64_MAX, &g.run);
	     at = g.run.ipa + g.run.size)
		judge_run(&g);
}
