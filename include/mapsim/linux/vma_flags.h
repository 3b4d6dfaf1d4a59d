/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The part of <linux/mm.h> and <linux/mm_types.h> that newer kernels have: VMA flags as a bitmap
 * (from 6.19 on), and what mmap_prepare says (vm_area_desc from 6.16 on, its actions from 6.19 on).
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_VMA_FLAGS_H)
#define MAPSIM_LINUX_VMA_FLAGS_H

#if MS_LINUX_SINCE(6, 16)
static inline unsigned long vma_desc_size(const struct vm_area_desc *desc)
{
	return desc ? desc->end - desc->start : 0;
}

static inline unsigned long vma_desc_pages(const struct vm_area_desc *desc)
{
	return vma_desc_size(desc) >> PAGE_SHIFT;
}
#endif

#if MS_LINUX_SINCE(6, 19)
typedef int vma_flag_t;

enum {
	VMA_READ_BIT,
	VMA_WRITE_BIT,
	VMA_EXEC_BIT,
	VMA_SHARED_BIT,
	VMA_MAYREAD_BIT,
	VMA_MAYWRITE_BIT,
	VMA_MAYEXEC_BIT,
	VMA_MAYSHARE_BIT,
	VMA_PFNMAP_BIT = 10,
	VMA_LOCKED_BIT = 13,
	VMA_IO_BIT,
	VMA_SEQ_READ_BIT,
	VMA_RAND_READ_BIT,
	VMA_DONTCOPY_BIT = 17,
	VMA_DONTEXPAND_BIT,
	VMA_ACCOUNT_BIT = 20,
	VMA_NORESERVE_BIT,
	VMA_HUGETLB_BIT,
	VMA_WIPEONFORK_BIT = 25,
	VMA_DONTDUMP_BIT,
	VMA_MIXEDMAP_BIT = 28,
	VMA_HUGEPAGE_BIT,
	VMA_NOHUGEPAGE_BIT,
	VMA_ALLOW_ANY_UNCACHED_BIT = 39,
};

#define EMPTY_VMA_FLAGS ((vma_flags_t){ 0 })

static inline vma_flags_t ms_vma_flags_of(vma_flags_t flags, const vma_flag_t *bits, size_t n)
{
	for (size_t i = 0; i < n; i++)
		flags.ms_word |= 1UL << bits[i];
	return flags;
}

#define append_vma_flags(flags, ...) \
	ms_vma_flags_of((flags), (const vma_flag_t[]){ __VA_ARGS__ }, \
			sizeof((const vma_flag_t[]){ __VA_ARGS__ }) / sizeof(vma_flag_t))
#define mk_vma_flags(...) append_vma_flags(EMPTY_VMA_FLAGS, __VA_ARGS__)

#define VMA_ACCESS_FLAGS mk_vma_flags(VMA_READ_BIT, VMA_WRITE_BIT, VMA_EXEC_BIT)
#define VMA_SPECIAL_FLAGS \
	mk_vma_flags(VMA_IO_BIT, VMA_DONTEXPAND_BIT, VMA_PFNMAP_BIT, VMA_MIXEDMAP_BIT)
#define VMA_REMAP_FLAGS \
	mk_vma_flags(VMA_IO_BIT, VMA_PFNMAP_BIT, VMA_DONTEXPAND_BIT, VMA_DONTDUMP_BIT)

static inline vm_flags_t vma_flags_to_legacy(vma_flags_t flags)
{
	return flags.ms_word;
}

static inline vma_flags_t legacy_to_vma_flags(vm_flags_t flags)
{
	return (vma_flags_t){ flags };
}

static inline bool vma_flags_empty(const vma_flags_t *flags)
{
	return !flags->ms_word;
}

static inline void vma_flags_clear_all(vma_flags_t *flags)
{
	flags->ms_word = 0;
}

static inline int vma_flags_count(const vma_flags_t *flags)
{
	return __builtin_popcountl(flags->ms_word);
}

static inline bool vma_flags_test(const vma_flags_t *flags, vma_flag_t bit)
{
	return flags->ms_word >> bit & 1;
}

static inline vma_flags_t vma_flags_and_mask(const vma_flags_t *flags, vma_flags_t mask)
{
	return (vma_flags_t){ flags->ms_word & mask.ms_word };
}

static inline bool vma_flags_test_any_mask(const vma_flags_t *flags, vma_flags_t mask)
{
	return (flags->ms_word & mask.ms_word) != 0;
}

static inline bool vma_flags_test_all_mask(const vma_flags_t *flags, vma_flags_t mask)
{
	return (flags->ms_word & mask.ms_word) == mask.ms_word;
}

static inline void vma_flags_set_mask(vma_flags_t *flags, vma_flags_t mask)
{
	flags->ms_word |= mask.ms_word;
}

static inline void vma_flags_clear_mask(vma_flags_t *flags, vma_flags_t mask)
{
	flags->ms_word &= ~mask.ms_word;
}

static inline bool vma_flags_same_mask(const vma_flags_t *flags, vma_flags_t other)
{
	return flags->ms_word == other.ms_word;
}

static inline bool vma_flags_same_pair(const vma_flags_t *flags, const vma_flags_t *other)
{
	return flags->ms_word == other->ms_word;
}

static inline vma_flags_t vma_flags_diff_pair(const vma_flags_t *flags, const vma_flags_t *other)
{
	return (vma_flags_t){ flags->ms_word ^ other->ms_word };
}

/* The mask has one flag at most. */
static inline bool vma_flags_test_single_mask(const vma_flags_t *flags, vma_flags_t mask)
{
	VM_WARN_ON_ONCE(vma_flags_count(&mask) > 1);
	return vma_flags_test_any_mask(flags, mask);
}

#define vma_flags_and(flags, ...) vma_flags_and_mask(flags, mk_vma_flags(__VA_ARGS__))
#define vma_flags_test_any(flags, ...) vma_flags_test_any_mask(flags, mk_vma_flags(__VA_ARGS__))
#define vma_flags_test_all(flags, ...) vma_flags_test_all_mask(flags, mk_vma_flags(__VA_ARGS__))
#define vma_flags_set(flags, ...) vma_flags_set_mask(flags, mk_vma_flags(__VA_ARGS__))
#define vma_flags_clear(flags, ...) vma_flags_clear_mask(flags, mk_vma_flags(__VA_ARGS__))
#define vma_flags_same(flags, ...) vma_flags_same_mask(flags, mk_vma_flags(__VA_ARGS__))

/* ---- those of a VMA: without a question for the lock, as in the kernel ---- */

static inline bool vma_test(const struct vm_area_struct *vma, vma_flag_t bit)
{
	return vma && (vma->vm_flags >> bit & 1);
}

static inline bool vma_test_any_mask(const struct vm_area_struct *vma, vma_flags_t mask)
{
	return vma && (vma->vm_flags & mask.ms_word);
}

static inline bool vma_test_all_mask(const struct vm_area_struct *vma, vma_flags_t mask)
{
	return vma && (vma->vm_flags & mask.ms_word) == mask.ms_word;
}

static inline bool vma_test_single_mask(const struct vm_area_struct *vma, vma_flags_t mask)
{
	VM_WARN_ON_ONCE(vma_flags_count(&mask) > 1);
	return vma_test_any_mask(vma, mask);
}

static inline void vma_set_flags_mask(struct vm_area_struct *vma, vma_flags_t mask)
{
	if (vma)
		vma->vm_flags_word |= mask.ms_word;
}

static inline void vma_clear_flags_mask(struct vm_area_struct *vma, vma_flags_t mask)
{
	if (vma)
		vma->vm_flags_word &= ~mask.ms_word;
}

#define vma_test_any(vma, ...) vma_test_any_mask(vma, mk_vma_flags(__VA_ARGS__))
#define vma_test_all(vma, ...) vma_test_all_mask(vma, mk_vma_flags(__VA_ARGS__))
#define vma_set_flags(vma, ...) vma_set_flags_mask(vma, mk_vma_flags(__VA_ARGS__))
#define vma_clear_flags(vma, ...) vma_clear_flags_mask(vma, mk_vma_flags(__VA_ARGS__))

static inline pgprot_t vma_get_page_prot(vma_flags_t flags)
{
	return ms_linux_page_prot(flags.ms_word);
}

/* ---- those of a description ---- */

static inline bool vma_desc_test(const struct vm_area_desc *desc, vma_flag_t bit)
{
	return desc && vma_flags_test(&desc->vma_flags, bit);
}

static inline bool vma_desc_test_any_mask(const struct vm_area_desc *desc, vma_flags_t mask)
{
	return desc && vma_flags_test_any_mask(&desc->vma_flags, mask);
}

static inline bool vma_desc_test_all_mask(const struct vm_area_desc *desc, vma_flags_t mask)
{
	return desc && vma_flags_test_all_mask(&desc->vma_flags, mask);
}

static inline void vma_desc_set_flags_mask(struct vm_area_desc *desc, vma_flags_t mask)
{
	if (desc)
		vma_flags_set_mask(&desc->vma_flags, mask);
}

static inline void vma_desc_clear_flags_mask(struct vm_area_desc *desc, vma_flags_t mask)
{
	if (desc)
		vma_flags_clear_mask(&desc->vma_flags, mask);
}

#define vma_desc_test_any(desc, ...) vma_desc_test_any_mask(desc, mk_vma_flags(__VA_ARGS__))
#define vma_desc_test_all(desc, ...) vma_desc_test_all_mask(desc, mk_vma_flags(__VA_ARGS__))
#define vma_desc_set_flags(desc, ...) vma_desc_set_flags_mask(desc, mk_vma_flags(__VA_ARGS__))
#define vma_desc_clear_flags(desc, ...) vma_desc_clear_flags_mask(desc, mk_vma_flags(__VA_ARGS__))

static inline bool vma_desc_is_cow_mapping(const struct vm_area_desc *desc)
{
	return vma_desc_test(desc, VMA_MAYWRITE_BIT) && !vma_desc_test(desc, VMA_SHARED_BIT);
}

static inline void vma_desc_set_anonymous(struct vm_area_desc *desc)
{
	if (desc)
		desc->vm_ops = NULL;
}

/* ---- actions ---- */

static inline void mmap_action_remap(struct vm_area_desc *desc, unsigned long start,
				     unsigned long start_pfn, unsigned long size)
{
	struct mmap_action *action;

	if (!desc)
		return;
	action = &desc->action;
	WARN_ON_ONCE(start < desc->start || start >= desc->end);
	WARN_ON_ONCE(start + size > desc->end);
	action->type = MMAP_REMAP_PFN;
	action->remap.start = start;
	action->remap.start_pfn = start_pfn;
	action->remap.size = size;
	action->remap.pgprot = desc->page_prot;
}

static inline void mmap_action_remap_full(struct vm_area_desc *desc, unsigned long start_pfn)
{
	if (desc)
		mmap_action_remap(desc, desc->start, start_pfn, vma_desc_size(desc));
}

static inline void mmap_action_ioremap(struct vm_area_desc *desc, unsigned long start,
				       unsigned long start_pfn, unsigned long size)
{
	mmap_action_remap(desc, start, start_pfn, size);
	if (desc)
		desc->action.type = MMAP_IO_REMAP_PFN;
}

static inline void mmap_action_ioremap_full(struct vm_area_desc *desc, unsigned long start_pfn)
{
	if (desc)
		mmap_action_ioremap(desc, desc->start, start_pfn, vma_desc_size(desc));
}

static inline void mmap_action_simple_ioremap(struct vm_area_desc *desc,
					      phys_addr_t start_phys_addr, unsigned long size)
{
	if (!desc)
		return;
	desc->action.simple_ioremap.start_phys_addr = start_phys_addr;
	desc->action.simple_ioremap.size = size;
	desc->action.type = MMAP_SIMPLE_IO_REMAP;
}

/* nr_pages of the array, from its start on, at `start`. */
static inline void mmap_action_map_kernel_pages(struct vm_area_desc *desc, unsigned long start,
						struct page **pages, unsigned long nr_pages)
{
	struct mmap_action *action;

	if (!desc)
		return;
	action = &desc->action;
	action->type = MMAP_MAP_KERNEL_PAGES;
	action->map_kernel.start = start;
	action->map_kernel.pages = pages;
	action->map_kernel.nr_pages = nr_pages;
	action->map_kernel.pgoff = desc->pgoff;
}

static inline void mmap_action_map_kernel_pages_full(struct vm_area_desc *desc, struct page **pages)
{
	if (desc)
		mmap_action_map_kernel_pages(desc, desc->start, pages, vma_desc_pages(desc));
}
#endif

#endif
