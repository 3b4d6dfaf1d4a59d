/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs of the five mail threads share: a world, and expectations that end the program
 * when they fail. */
#ifndef SEED_H
#define SEED_H

#include <mapsim/mapsim.h>

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HVA UINT64_C(0x200000000000)
#define GPA UINT64_C(0x80000000)
#define BAR UINT64_C(0x4000000000)
#define PAGE UINT64_C(0x1000)

struct seed {
	struct ms_machine *m;
	struct ms_device *bar;
	struct ms_mm *mm;
	struct ms_vm *vm; /* arm64 */
};

static inline struct seed seed_new(const struct ms_policy *policy,
				   const struct ms_machine_config *config, ms_pa_t pa,
				   uint64_t size)
{
	struct seed s = { .m = ms_machine_new_config(policy, config) };

	s.bar = s.m ? ms_device_add(s.m, "bar", pa, size) : NULL;
	s.mm = s.bar && !ms_ram_add(s.m, MS_1G, MS_1G / 4) ? ms_mm_new(s.m) : NULL;
	if (s.mm && policy->arch == MS_ARCH_ARM64)
		s.vm = ms_vm_new(s.mm, 40);
	if (!s.mm || (policy->arch == MS_ARCH_ARM64 && !s.vm))
		errx(1, "no world");
	return s;
}

static inline void seed_map(struct seed *s, struct ms_file *file, uint64_t off, uint64_t len)
{
	int64_t ret = ms_mmap(s->mm, HVA, len, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, file, off);

	if (ret < 0)
		errx(1, "mmap: errno %d", (int)-ret);
}

/* Prints what a guest access got, in the words of the leaf's reason. */
static inline struct ms_guest_access seed_read(struct seed *s, ms_ipa_t gpa)
{
	struct ms_guest_access a = ms_guest_read(s->vm, gpa);

	if (a.exit == MS_GUEST_OK)
		printf("    guest reads %#" PRIx64 ": %s of %#" PRIx64 " bytes (%s)\n", gpa,
		       a.leaf.prot & MS_PROT_DEVICE      ? "device"
		       : a.leaf.prot & MS_PROT_NORMAL_NC ? "normal-nc"
							 : "normal",
		       a.leaf.size, a.leaf.reason ? a.leaf.reason : "mapped before");
	else
		printf("    guest reads %#" PRIx64 ": %s %d\n", gpa,
		       a.exit == MS_GUEST_MMIO ? "MMIO" : "refused", a.err);
	return a;
}

static inline void seed_expect(int what, const char *text)
{
	if (!what)
		errx(1, "not as expected: %s", text);
}

#define EXPECT(what) seed_expect(!!(what), #what)

#endif
