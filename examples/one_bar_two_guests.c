/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A BAR of a vfio device is given to an arm64 guest and to an x86 guest, on three kernels, in four
 * ways. How large is the entry of each guest's second-level table after an access, and why?
 */
#include <mapsim/mapsim.h>

#include <err.h>
#include <stdio.h>
#include <string.h>

struct layout {
	const char *name;
	uint64_t size;   // bytes that are mapped, from the BAR's beginning on
	uint64_t memory; // bytes of the memslot
	ms_hva_t hva;
	ms_ipa_t gpa;
	ms_ipa_t access;
};

/*
 *  BAR, host   |------- 1G -------|------- 1G -------|
 *  guest       |------- 1G -------|------- 1G -------|       the same remainder modulo 1G,
 *               |------- 1G -------|------- 1G -------|      modulo 2M, or modulo 4K
 */
static const struct layout layouts[] = {
	{ "1G congruent", 2 * MS_1G, 2 * MS_1G, 0x200000000000, 0x4000000000, 0x4000123000 },
	{ "2M congruent", MS_1G, MS_1G, 0x200000000000, 0x4000200000, 0x4000323000 },
	{ "not congruent", MS_1G, MS_1G, 0x200000000000, 0x4000001000, 0x4000323000 },
	// the second 2M of the memslot are mapped up to their middle
	{ "VMA ends inside", 3 * MS_2M / 2, 2 * MS_2M, 0x200000000000, 0x4000000000, 0x4000200000 },
};

static struct ms_guest_access play(const char *release, enum ms_arch arch, const struct layout *l)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux(release, arch));
	struct ms_device *bar = m ? ms_device_add(m, "bar", 0x8000000000, 4 * MS_1G) : NULL;
	struct ms_file *vfio = bar ? ms_vfio_open(bar) : NULL;
	struct ms_mm *mm = vfio ? ms_mm_new(m) : NULL;
	struct ms_vm *vm = mm ? ms_vm_new(mm, 40) : NULL;
	struct ms_guest_access access;

	if (!vm)
		err(1, "no machine like Linux %s", release);
	if (ms_mmap(mm, l->hva, l->size, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, vfio,
		    ms_vfio_offset(vfio)) < 0 ||
	    ms_vm_set_slot(vm, 0, l->gpa, l->memory, l->hva, 0))
		errx(1, "Linux %s: %s", release, ms_last_reason(m));
	access = ms_guest_read(vm, l->access);
	ms_machine_free(m); // the reason is static text
	return access;
}

static const char *size_name(const struct ms_guest_access *a)
{
	if (a->exit != MS_GUEST_OK)
		return "-";
	return a->leaf.size == MS_1G ? "1G" : a->leaf.size == MS_2M ? "2M" : "4K";
}

static void print(const char *arch, const struct ms_guest_access *a)
{
	printf("      %-6s  %s\n", arch,
	       a->exit == MS_GUEST_OK ? a->leaf.reason : strerror(-a->err));
}

int main(void)
{
	static const char *const releases[] = { "6.1.176", "6.12.107", "7.3.4" };

	for (size_t r = 0; r < sizeof(releases) / sizeof(releases[0]); r++) {
		printf("Linux %-17s arm64  x86_64\n", releases[r]);
		for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
			struct ms_guest_access arm = play(releases[r], MS_ARCH_ARM64, &layouts[i]);
			struct ms_guest_access x86 = play(releases[r], MS_ARCH_X86_64, &layouts[i]);

			printf("  %-20s %6s  %6s\n", layouts[i].name, size_name(&arm),
			       size_name(&x86));
			print("arm64", &arm);
			print("x86_64", &x86);
		}
	}
	return 0;
}
