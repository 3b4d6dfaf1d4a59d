/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "KVM: arm64: Allow cacheable stage 2 mapping using VMA flags" (2025): memory of a device (a
 * GPU's, CXL's) that the host maps cacheable was Device memory for the guest. From 6.17 on the
 * VMA's protection decides, where the CPU can keep the caches coherent by itself (FWB and DIC); a
 * copied (private) mapping was argued about, and is let through.
 */
#include "seed.h"

/* A driver whose memory is cacheable: vm_page_prot as it comes. */
static int memory_mmap(struct ms_file *file, struct ms_vma *vma)
{
	struct ms_device *dev = ms_file_priv(file);
	ms_pfn_t pfn = ms_device_pa(dev) / PAGE + vma->vm_pgoff;

	return ms_remap_pfn_range(vma, vma->vm_start, pfn, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

static const struct ms_file_ops memory_fops = { .name = "memory", .mmap = memory_mmap };

struct outcome {
	int slot; /* errno of the memslot's creation */
	unsigned int prot;
	int write; /* errno of a guest's write */
};

static struct outcome play(const char *release, bool dic, unsigned int kind)
{
	const struct ms_machine_config config = { .dic = dic ? MS_FEATURE_PRESENT
							     : MS_FEATURE_ABSENT };
	struct seed s = seed_new(ms_policy_linux(release, MS_ARCH_ARM64), &config, BAR, MS_1G);
	struct ms_file *f =
		ms_file_new(s.m, &memory_fops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, s.bar);
	struct outcome out = { 0 };

	printf("Linux %s, %s, %s mapping\n", release, dic ? "DIC" : "no DIC",
	       kind == MS_MAP_SHARED ? "shared" : "private");
	EXPECT(ms_mmap(s.mm, HVA, MS_2M, MS_PROT_RW, kind | MS_MAP_FIXED, f, 0) > 0);
	out.slot = ms_vm_set_slot(s.vm, 1, GPA, MS_2M, HVA, 0);
	if (out.slot) {
		printf("    memslot: refused, errno %d\n", -out.slot);
	} else {
		out.prot = seed_read(&s, GPA).leaf.prot;
		out.write = ms_guest_write(s.vm, GPA).err;
		printf("    guest writes: %s\n", out.write ? "refused" : "ok");
	}
	ms_machine_free(s.m);
	return out;
}

int main(void)
{
	const char *release;
	struct outcome o;

	for (size_t i = 0; (release = ms_release_recorded(i, MS_ARCH_ARM64)); i++) {
		o = play(release, true, MS_MAP_SHARED);
		EXPECT(!o.slot && !o.write);
		if (ms_policy_linux(release, MS_ARCH_ARM64)->s2_cacheable_pfnmap ==
		    MS_S2_CACHEABLE_PFNMAP_DEVICE) {
			// before: Device memory, whatever the host says
			EXPECT(o.prot & MS_PROT_DEVICE);
			continue;
		}
		// after: normal memory, executable as RAM is; a CPU without DIC is refused at once
		EXPECT(o.prot == (MS_PROT_RW | MS_PROT_X));
		EXPECT(play(release, false, MS_MAP_SHARED).slot == -22);
		// a COW mapping: nobody looks for it, the read-only entry stands in the way
		o = play(release, true, MS_MAP_PRIVATE);
		EXPECT(!o.slot && o.prot == (MS_PROT_R | MS_PROT_X) && o.write);
	}
	return 0;
}
