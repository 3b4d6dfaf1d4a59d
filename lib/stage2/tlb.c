/* SPDX-License-Identifier: GPL-2.0-only */
/* TLB invalidations of more than one entry. */
#include "s2.h"

/* How much one range instruction invalidates at most: 32 << 16 pages.
 * mirrors MAX_TLBI_RANGE_PAGES, arch/arm64/include/asm/tlbflush.h, 5.10+ */
static uint64_t largest_range(const struct ms_s2 *s2)
{
	return UINT64_C(1) << (21 + s2->g.page_shift);
}

// mirrors kvm_tlb_flush_vmid_range(), arch/arm64/kvm/hyp/pgtable.c, 6.6+
void ms_s2_tlb_flush_range(const struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size)
{
	uint64_t left = size & ~(s2_page_size(&s2->g) - 1);

	if (!s2->host.tlbi)
		return;
	if (!s2->config.tlbi_range) {
		tell_tlbi(s2, MS_TLBI_VMID, 0, 0, 0);
		return;
	}
	while (left) {
		uint64_t part = left < largest_range(s2) ? left : largest_range(s2);

		tell_tlbi(s2, MS_TLBI_IPA_RANGE, ipa, part, 0);
		ipa += part;
		left -= part;
	}
}

// mirrors kvm_flush_remote_tlbs(), arch/arm64/kvm/mmu.c, 5.10 .. 6.1; kvm_arch_flush_remote_tlbs(),
// arch/arm64/kvm/mmu.c, 6.12+
void ms_s2_flush_vmid(struct ms_s2 *s2)
{
	if (s2)
		tell_tlbi(s2, MS_TLBI_VMID, 0, 0, 0);
}
