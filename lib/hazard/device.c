/* SPDX-License-Identifier: GPL-2.0-only */
/* What is wrong with mappings of device memory, whether a process's or a guest's. */
#include "hazard/internal.h"

#define LOW_MEGABYTE UINT64_C(0x100000)

static const struct ms_file *file_of(const struct ms_part *part)
{
	return part->vma ? part->vma->vm_file : NULL;
}

/*
 * vfio-pci takes its own mappings away before it turns the memory off; those of sysfs and /dev/mem
 * it leaves to its claim of the BAR, which a kernel makes sooner or later.
 */
static void judge_off(struct ms_judge *j, const struct ms_part *part)
{
	const struct ms_file *file = file_of(part);
	enum ms_blame blame = MS_BLAME_UNKNOWN;
	const char *rule = NULL;

	if (!part->device || ms_device_memory(part->device))
		return;
	if (ms_vfio_bar(file)) {
		blame = MS_BLAME_DRIVER;
		rule = "vfio";
	} else if (ms_iomem_is_file(file)) {
		blame = MS_BLAME_DRIVER;
		rule = "vfio_bar_claim";
	} else if (!part->vma) {
		blame = MS_BLAME_KERNEL;
	}
	ms_part_found(j, part, MS_HAZARD_DEVICE_OFF, blame, rule,
		      "the device's memory is turned off, and still mapped");
}

/* CONFIG_IO_STRICT_DEVMEM: user space is to map nothing that a driver has claimed. */
static void judge_claimed(struct ms_judge *j, const struct ms_part *part)
{
	const struct ms_machine *m = j->m;
	const ms_pa_t end = part->pa + part->size;
	struct ms_claimed claim;

	if (!ms_iomem_is_file(file_of(part)) || (ms_is_x86(m) && part->pa < LOW_MEGABYTE))
		return;
	for (ms_pa_t at = part->pa; at < end && ms_iomem_next_claim(m, at, &claim);) {
		const ms_pa_t start = ms_max_u64(ms_align_down(claim.start, m->page_size), at);
		const ms_pa_t stop = ms_min_u64(ms_align_up(claim.end, m->page_size), end);

		// iomem=relaxed: then it is allowed
		if (start >= end || !ms_iomem_is_exclusive(m, claim.start))
			return;
		ms_part_found_in(j, part, start - part->pa, stop - start, MS_HAZARD_DEVICE_CLAIMED,
				 MS_BLAME_KERNEL, NULL,
				 "a driver has claimed it, and user space maps it by sysfs or "
				 "/dev/mem");
		at = stop;
	}
}

/* Neither vfio nor sysfs nor /dev/mem asks for cacheable memory; another driver may have. A guest
 * has what KVM makes of it. */
static void judge_cacheable(struct ms_judge *j, const struct ms_part *part)
{
	const struct ms_file *file = file_of(part);
	const bool by_vma = part->vm && !part->host_cacheable &&
			    j->m->policy.s2_cacheable_pfnmap == MS_S2_CACHEABLE_PFNMAP_BY_VMA_PROT;
	const bool asked = file && !ms_iomem_is_file(file) && !ms_vfio_bar(file);

	if (!part->cacheable)
		return;
	ms_part_found(j, part, MS_HAZARD_DEVICE_CACHEABLE,
		      asked && !by_vma ? MS_BLAME_UNKNOWN : MS_BLAME_KERNEL,
		      by_vma ? "s2_cacheable_pfnmap" : NULL,
		      "device memory is mapped as cacheable memory");
}

void ms_judge_device(struct ms_judge *j, const struct ms_part *part)
{
	judge_off(j, part);
	judge_claimed(j, part);
	judge_cacheable(j, part);
}
