/* SPDX-License-Identifier: GPL-2.0-only */
/* How large an entry of the nested table may be. The same rule holds for RAM and devices. */
#include "kvm/x86/x86.h"
#include "phys/internal.h"

enum refusal { ALLOWED, NOT_CONGRUENT, BEFORE_SLOT, BEHIND_SLOT };

/* mirrors kvm_alloc_memslot_metadata(), arch/x86/kvm/x86.c, 5.10+: where it sets disallow_lpage */
static enum refusal slot_refuses(const struct ms_vm *vm, const struct ms_memslot *slot,
				 ms_ipa_t ipa, unsigned int level)
{
	const uint64_t size = ms_tdp_level_size(level);
	const ms_ipa_t start = ms_slot_gpa(vm, slot), end = start + ms_slot_bytes(vm, slot);
	const ms_ipa_t block = ms_align_down(ipa, size);

	if ((start ^ slot->hva) & (size - 1))
		return NOT_CONGRUENT;
	if (block < start)
		return BEFORE_SLOT;
	return block + size > end ? BEHIND_SLOT : ALLOWED;
}

bool ms_x86_slot_allows(const struct ms_vm *vm, const struct ms_memslot *slot, ms_ipa_t ipa,
			unsigned int level)
{
	return slot_refuses(vm, slot, ipa, level) == ALLOWED;
}

/* Up to 5.19 a block is of a huge page, which has a struct page. */
static bool is_block_page(const struct ms_machine *m, const struct ms_host_leaf *leaf)
{
	return m->policy.tdp_block_page == MS_TDP_BLOCK_PAGE_HOST_LEAF ||
	       ms_pfn_is_ram(m, (leaf->entry & MS_PTE_PA_MASK) >> MS_PAGE_SHIFT);
}

/* The level of the host's leaf that maps hva; 4K where it maps nothing.
 * mirrors host_pfn_mapping_level(), arch/x86/kvm/mmu/mmu.c, 5.10+ */
static struct ms_x86_level host_level(const struct ms_vm *vm, ms_hva_t hva)
{
	struct ms_x86_level host = { MS_TDP_4K, MS_WHY_HOST_LEAF_SMALL };
	struct ms_host_leaf leaf;

	if (!ms_host_leaf(vm->mm, hva, &leaf) || leaf.size < MS_2M)
		return host;
	// with PROT_NONE one of 1G is not present, one of 2M is
	if (leaf.size >= MS_1G && !(leaf.entry & MS_PTE_PRESENT))
		return host;
	if (!is_block_page(vm->machine, &leaf)) {
		host.why = MS_WHY_DEVICE_NOT_UPGRADED;
		return host;
	}
	if (leaf.size >= MS_1G)
		return (struct ms_x86_level){ MS_TDP_1G, MS_WHY_HOST_LEAF_PUD };
	return (struct ms_x86_level){ MS_TDP_2M, MS_WHY_HOST_LEAF };
}

static enum ms_kvm_reason why_refused(enum refusal refusal, unsigned int level)
{
	const bool page = level == MS_TDP_2M;

	switch (refusal) {
	case NOT_CONGRUENT:
		return page ? MS_WHY_GPA_NOT_CONGRUENT : MS_WHY_PMD_GPA_NOT_CONGRUENT;
	case BEFORE_SLOT:
		return page ? MS_WHY_SLOT_START : MS_WHY_PMD_SLOT_START;
	case BEHIND_SLOT:
		return page ? MS_WHY_SLOT_END : MS_WHY_PMD_SLOT_END;
	case ALLOWED:
		break;
	}
	return MS_WHY_HOST_LEAF;
}

// mirrors kvm_mmu_max_mapping_level(), arch/x86/kvm/mmu/mmu.c, 5.10+
struct ms_x86_level ms_x86_max_level(const struct ms_vm *vm, const struct ms_memslot *slot,
				     ms_ipa_t ipa)
{
	const ms_hva_t hva = slot->hva + (ipa - ms_slot_gpa(vm, slot));
	struct ms_x86_level max = { MS_TDP_1G, MS_WHY_HOST_LEAF_PUD };
	struct ms_x86_level host;

	for (; max.level > MS_TDP_4K; max.level--) {
		const enum refusal refusal = slot_refuses(vm, slot, ipa, max.level);

		if (refusal == ALLOWED)
			break;
		max.why = why_refused(refusal, max.level);
	}
	if (max.level == MS_TDP_4K)
		return max;
	host = host_level(vm, hva);
	return host.level < max.level ? host : max;
}
