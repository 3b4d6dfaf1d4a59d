/* SPDX-License-Identifier: GPL-2.0-only */
/* What a machine's drivers share: how they are made and freed, memory types, leaves of any size. */
#include "drivers/internal.h"

static int drivers_init(struct ms_machine *m)
{
	m->drivers = ms_zalloc(&m->alloc, sizeof(*m->drivers));
	if (!m->drivers)
		return -ENOMEM;
	LIST_INIT(&m->drivers->iomem_files);
	LIST_INIT(&m->drivers->pieces);
	LIST_INIT(&m->drivers->vfio_files);
	LIST_INIT(&m->drivers->vfio_devices);
	LIST_INIT(&m->drivers->vfio_bars);
	RB_INIT(&m->drivers->vfio_by_bar);
	RB_INIT(&m->drivers->vfio_by_file);
	RB_INIT(&m->drivers->shared_files);
	RB_INIT(&m->drivers->claims);
	return 0;
}

static void drivers_destroy(struct ms_machine *m)
{
	struct ms_vfio_bar *bar;

	if (!m->drivers)
		return;
	// Every file is gone by now, and with it what it held.
	ms_claims_destroy(m);
	while ((bar = LIST_FIRST(&m->drivers->vfio_bars))) {
		LIST_REMOVE(bar, link);
		ms_free(&m->alloc, bar);
	}
	ms_free(&m->alloc, m->drivers);
	m->drivers = NULL;
}

const struct ms_room ms_drivers_room = {
	.name = "drivers",
	.init = drivers_init,
	.destroy = drivers_destroy,
	.check = ms_drivers_check,
	.hash = ms_drivers_hash,
};

int ms_no_regular_file(struct ms_file *file, uint64_t off, uint64_t len)
{
	(void)off, (void)len;
	return ms_refuse(ms_file_machine(file), -ENODEV,
			 "a device's file has no holes: it is no regular file");
}

static bool cache_type_valid(const struct ms_machine *m, enum ms_cache type)
{
	switch (type) {
	case MS_CACHE_WB:
	case MS_CACHE_WC:
		return true;
	case MS_CACHE_UC_MINUS:
	case MS_CACHE_UC:
	case MS_CACHE_WT:
	case MS_CACHE_WP:
		return ms_is_x86(m);
	case MS_CACHE_NGNRE:
	case MS_CACHE_NGNRNE:
		return !ms_is_x86(m);
	}
	return false;
}

int ms_check_cache_type(struct ms_machine *m, enum ms_cache type)
{
	if (cache_type_valid(m, type))
		return 0;
	return ms_refuse(m, -EINVAL, "%s has no memory type %s",
			 ms_refusal_text(ms_arch_name(m->policy.arch)),
			 ms_refusal_text(ms_cache_name(m->policy.arch, type)));
}

ms_vm_fault_t ms_fault_sigbus(struct ms_machine *m, uint64_t before)
{
	ms_answered_as(m, before, -EFAULT);
	return MS_VM_FAULT_SIGBUS;
}

// With the table of a CPU whose PAT is not in use.
// mirrors cachemode2protval(), arch/x86/mm/init.c, 5.10+
ms_pgprot_t ms_pgprot_of_type(const struct ms_machine *m, ms_pgprot_t prot, enum ms_cache type)
{
	if (ms_is_x86(m) && !ms_has(m->config.pat) && (type == MS_CACHE_WC || type == MS_CACHE_WP))
		type = MS_CACHE_UC_MINUS;
	return ms_pgprot_set_cache(prot, type);
}

ms_vm_fault_t ms_insert_pfn_order(struct ms_vm_fault *vmf, ms_pfn_t pfn, unsigned int order)
{
	const struct ms_machine *m = ms_mm_machine(vmf->vma->vm_mm);
	enum ms_policy_pfnmap_leaf_max max = m->policy.pfnmap_leaf_max;

	if (!order)
		return ms_vmf_insert_pfn(vmf->vma, vmf->address, pfn);
	if (order == ms_pmd_order(m) && max >= MS_PFNMAP_LEAF_MAX_PMD)
		return ms_vmf_insert_pfn_pmd(vmf, pfn, false);
	if (order == ms_pud_order(m) && max >= MS_PFNMAP_LEAF_MAX_PUD)
		return ms_vmf_insert_pfn_pud(vmf, pfn, false);
	return MS_VM_FAULT_FALLBACK;
}
