/* SPDX-License-Identifier: GPL-2.0-only */
/* Worlds of a changed policy, and a driver whose handler and hooks a test chooses. */
#ifndef TEST_MM_WORLD_OF_H
#define TEST_MM_WORLD_OF_H

#include "world.h"

#define B UINT64_C(0x210000000000)
#define BAR UINT64_C(0x8000000000)

static inline struct world world_of(const struct ms_policy *policy, enum ms_thp_mode thp)
{
	struct ms_machine_config config = { .thp = thp };

	return world_config(policy, &config);
}

/* What a test's driver does; the VMA's vm_private_data points to it. */
struct driver {
	struct ms_vm_ops ops;
	uint64_t vm_flags; // set at mmap
	unsigned int opens, closes;
	int veto; // what mremap and may_split answer
	ms_hva_t asked;
};

static inline int driver_mmap(struct ms_file *file, struct ms_vma *vma)
{
	struct driver *d = ms_file_priv(file);

	vma->vm_ops = &d->ops;
	vma->vm_private_data = d;
	vma->vm_flags |= d->vm_flags;
	return 0;
}

static inline void driver_open(struct ms_vma *vma)
{
	((struct driver *)vma->vm_private_data)->opens++;
}

static inline void driver_close(struct ms_vma *vma)
{
	((struct driver *)vma->vm_private_data)->closes++;
}

static inline int driver_mremap(struct ms_vma *vma)
{
	return ((struct driver *)vma->vm_private_data)->veto;
}

static inline int driver_may_split(struct ms_vma *vma, ms_hva_t addr)
{
	struct driver *d = vma->vm_private_data;

	d->asked = addr;
	return d->veto;
}

/* The BAR's page at the same offset. */
static inline ms_vm_fault_t driver_fault(struct ms_vm_fault *vmf)
{
	return ms_vmf_insert_pfn(vmf->vma, vmf->address, (BAR >> 12) + vmf->pgoff);
}

static inline ms_vm_fault_t driver_huge_fault(struct ms_vm_fault *vmf, unsigned int order)
{
	ms_pfn_t pfn = (BAR >> 12) + (vmf->pgoff & ~((UINT64_C(1) << order) - 1));
	ms_hva_t start = vmf->address & ~((PAGE << order) - 1);

	if (start < vmf->vma->vm_start || start + (PAGE << order) > vmf->vma->vm_end)
		return MS_VM_FAULT_FALLBACK;
	return order == 9 ? ms_vmf_insert_pfn_pmd(vmf, pfn, false)
			  : ms_vmf_insert_pfn_pud(vmf, pfn, false);
}

static const struct ms_file_ops driver_fops = { .name = "driver", .mmap = driver_mmap };

static inline struct ms_file *driver_file(struct world *w, struct driver *d)
{
	struct ms_file *f =
		ms_file_new(w->m, &driver_fops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, d);

	assert_non_null(f);
	return f;
}

static inline void map_shared(struct world *w, struct ms_file *f, ms_hva_t addr, uint64_t len,
			      uint64_t off)
{
	assert_int_equal(
		ms_mmap(w->mm, addr, len, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, f, off),
		(int64_t)addr);
}

static inline void touch(struct world *w, ms_hva_t addr, unsigned int prot)
{
	assert_int_equal(ms_touch(w->mm, addr, prot), MS_ACCESS_OK);
}

static inline uint64_t leaf_size(const struct world *w, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	return ms_host_leaf(w->mm, addr, &leaf) ? leaf.size : 0;
}

static inline ms_pa_t leaf_pa(const struct world *w, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	return ms_host_leaf(w->mm, addr, &leaf) ? leaf.entry & MS_PTE_PA_MASK : 0;
}

static inline uint64_t flags_at(struct world *w, ms_hva_t addr)
{
	const struct ms_vma *vma = ms_vma_lookup(w->mm, addr);

	return vma ? vma->vm_flags : 0;
}

static inline int64_t move_to(struct world *w, ms_hva_t from, uint64_t len, ms_hva_t to)
{
	return ms_mremap(w->mm, from, len, len, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, to);
}

static inline int64_t copy_to(struct world *w, ms_hva_t from, uint64_t len, ms_hva_t to)
{
	return ms_mremap(w->mm, from, len, len,
			 MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED | MS_MREMAP_DONTUNMAP, to);
}

#endif
