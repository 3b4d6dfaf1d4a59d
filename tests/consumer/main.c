/* SPDX-License-Identifier: GPL-2.0-only */
/* A program of somebody else's: one mapping, one guest access, against the installed headers and library. */
#include <mapsim/mapsim.h>

#include <stdio.h>

int main(void)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_ARM64));
	struct ms_device *bar = m ? ms_device_add(m, "gpu", 0x8000000000, MS_1G) : NULL;
	struct ms_mm *mm = bar ? ms_mm_new(m) : NULL;
	struct ms_vm *vm = mm ? ms_vm_new(mm, 40) : NULL;
	struct ms_s2_leaf leaf;

	if (!vm || ms_mmap(mm, 0x200000000000, MS_2M * 8, MS_PROT_RW, MS_MAP_SHARED,
			   ms_pci_resource(bar), 0) < 0 ||
	    ms_vm_set_slot(vm, 1, 0x80000000, MS_2M * 8, 0x200000000000, 0))
		return 1;
	leaf = ms_guest_read(vm, 0x80123000).leaf;
	if (leaf.size != MS_2M || leaf.pa != 0x8000000000)
		return 1;
	puts(leaf.reason);
	ms_machine_free(m);
	return 0;
}
