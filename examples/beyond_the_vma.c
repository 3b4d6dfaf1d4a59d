/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A BAR is mapped for 3M and given to a guest in a 6M memslot. The guest touches the start of its
 * second 2M, of which only the first half is mapped. Which block does it get, and what can it reach
 * then?
 */
#include <mapsim/mapsim.h>

#include <err.h>
#include <inttypes.h>
#include <stdio.h>

static void play(const char *release)
{
	const ms_hva_t hva = 0x200000000000;
	struct ms_machine *m = ms_machine_new(ms_policy_linux(release, MS_ARCH_ARM64));
	struct ms_device *bar = m ? ms_device_add(m, "bar", 0x8100000000, 8 * MS_2M) : NULL;
	struct ms_mm *mm = bar ? ms_mm_new(m) : NULL;
	struct ms_vm *vm = mm ? ms_vm_new(mm, 40) : NULL;

	if (!vm)
		errx(1, "no machine like Linux %s", release);
	if (ms_mmap(mm, hva, 0x300000, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED,
		    ms_pci_resource(bar), 0) < 0 ||
	    ms_vm_set_slot(vm, 1, 0x80000000, 0x600000, hva, 0))
		errx(1, "Linux %s refuses the mapping or the memslot", release);

	printf("Linux %s\n", release);
	for (ms_ipa_t gpa = 0x80200000; gpa <= 0x80380000; gpa += 0x180000) {
		struct ms_guest_access a = ms_guest_read(vm, gpa);

		printf("  guest reads %#" PRIx64 ": ", gpa);
		if (a.exit == MS_GUEST_OK)
			printf("%#" PRIx64 " bytes at ipa %#" PRIx64 " -> pa %#" PRIx64
			       "\n    because: %s\n",
			       a.leaf.size, a.leaf.ipa, a.leaf.pa, a.leaf.reason);
		else
			printf("refused, errno %d\n", -a.err);
	}
	ms_machine_free(m);
}

int main(void)
{
	play("6.12.107");
	play("6.12.117");
	return 0;
}
