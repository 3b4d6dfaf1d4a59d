/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "kvm/arm64: Try stage2 block mapping for host device MMIO" (2021): gigabytes of BAR were mapped
 * by pages. How large may a block be, and who says so: the VMA's arithmetic (5.14 on), nobody
 * (late 6.1), or the host's page table (late 6.12, 7.2)?
 */
#include "seed.h"

/* Where the BAR, the host's mapping and the guest's memslot lie to each other. */
static const struct layout {
	const char *name;
	uint64_t bar_off, len, slot_off; /* the slot begins slot_off behind the mapping's start */
	ms_ipa_t touch;
	unsigned int flags;
} layouts[] = {
	{ "congruent, 1G", 0, MS_1G, 0, 0x123000, 0 },
	{ "BAR offset 2M: 1G is not congruent", MS_2M, MS_1G, 0, 0x1000, 0 },
	{ "BAR offset 4K: nothing is congruent", PAGE, MS_1G, 0, 0x201000, 0 },
	{ "the VMA ends inside of the block", 0, 3 * MS_2M / 2, 0, MS_2M + PAGE, 0 },
	{ "the same, touched at the block's start", 0, 3 * MS_2M / 2, 0, MS_2M, 0 },
	{ "the memslot begins inside of the block", 0, 2 * MS_2M, PAGE, 0, 0 },
};

static uint64_t block(const char *release, const struct layout *l)
{
	struct seed s = seed_new(ms_policy_linux(release, MS_ARCH_ARM64), NULL, BAR, 2 * MS_1G);
	uint64_t slot_size = (l->len + MS_2M - 1) / MS_2M * MS_2M; // whole blocks
	uint64_t size;

	seed_map(&s, ms_pci_resource(s.bar), l->bar_off, l->len);
	EXPECT(!ms_vm_set_slot(s.vm, 1, GPA + l->slot_off, slot_size - l->slot_off,
			       HVA + l->slot_off, l->flags));
	printf("  %s\n", release);
	size = seed_read(&s, GPA + l->slot_off + l->touch).leaf.size;
	ms_machine_free(s.m);
	return size;
}

int main(void)
{
	static const uint64_t by_vma[] = { MS_1G, MS_2M, PAGE, PAGE, MS_2M, PAGE };
	const char *release;

	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		printf("%s\n", layouts[i].name);
		for (size_t n = 0; (release = ms_release_recorded(n, MS_ARCH_ARM64)); n++) {
			const struct ms_policy *k = ms_policy_linux(release, MS_ARCH_ARM64);

			// sysfs maps by pages: where the host's leaf decides, the guest gets pages
			EXPECT(block(release, &layouts[i]) ==
			       (k->s2_pfnmap_block == MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF ? by_vma[i]
										       : PAGE));
		}
	}

	// Logging: a memslot over a device never logs, in any kernel (so no exemption was needed).
	struct seed s = seed_new(ms_policy_linux("6.12.107", MS_ARCH_ARM64), NULL, BAR, MS_1G);

	seed_map(&s, ms_pci_resource(s.bar), 0, MS_2M);
	EXPECT(ms_vm_set_slot(s.vm, 1, GPA, MS_2M, HVA, MS_SLOT_LOG_DIRTY) == -22);
	puts("a logging memslot over a BAR: EINVAL");
	ms_machine_free(s.m);
	return 0;
}
