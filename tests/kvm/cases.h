/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For questions that are asked of every kernel: the world of the corner cases, and answers by the
 * rule that tells the families of kernels apart.
 *
 *   H  a BAR at 0x4000000000, 2G      A  1G-aligned host address
 */
#ifndef TEST_KVM_CASES_H
#define TEST_KVM_CASES_H

#include "world.h"

#include <inttypes.h>

#define A UINT64_C(0x7e0000000000)
#define H UINT64_C(0x4000000000)

/* Do two kernels have the same rules of what is mapped of a device, on the host and for a guest? */
static inline bool same_family(const struct ms_policy *a, const struct ms_policy *b)
{
	return a->s2_pfnmap_block == b->s2_pfnmap_block &&
	       a->s2_device_upgrade == b->s2_device_upgrade &&
	       a->s2_device_test == b->s2_device_test && a->s2_device_type == b->s2_device_type &&
	       a->s2_cacheable_pfnmap == b->s2_cacheable_pfnmap &&
	       a->slot_pfnmap == b->slot_pfnmap && a->host_leaf_absent == b->host_leaf_absent &&
	       a->pfn_lookup == b->pfn_lookup && a->pfnmap_huge_fault == b->pfnmap_huge_fault &&
	       a->vfio == b->vfio && a->vfio_huge_align == b->vfio_huge_align &&
	       a->vfio_uncached_flag == b->vfio_uncached_flag;
}

/* The first of its family, of those that map VM_PFNMAP memory at a guest's faults. */
static inline bool is_lazy_family(const struct ms_policy *k)
{
	const struct ms_policy *first;

	for_each_step (first, MS_ARCH_ARM64)
		if (same_family(first, k))
			break;
	return first == k && k->slot_pfnmap == MS_SLOT_PFNMAP_LAZY;
}

/* for_each_lazy (k): one kernel of each family that does not premap memslots. */
#define for_each_lazy(k) \
	for_each_step (k, MS_ARCH_ARM64) \
		if (is_lazy_family(k))

static inline bool believes_vm_pgoff(const struct ms_policy *k)
{
	return k->s2_pfnmap_block == MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF;
}

/* How much a fault maps: where vm_pgoff is believed, and by what the host maps. Else a page. */
static inline uint64_t block_size(const struct ms_policy *k, uint64_t by_pgoff, uint64_t by_host)
{
	switch (k->s2_pfnmap_block) {
	case MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF:
		return by_pgoff;
	case MS_S2_PFNMAP_BLOCK_FROM_HOST_TABLE:
		return by_host;
	default:
		return PAGE;
	}
}

static inline struct world case_world(const char *release, const struct ms_machine_config *config)
{
	struct world w = world_config(release, config);

	assert_non_null(ms_device_add(w.m, "H", H, 2 * MS_1G));
	return w;
}

static inline void case_map(struct world *w, uint64_t len, const struct ms_file_ops *ops)
{
	map_file(w, A, len, MS_PROT_RW, MS_MAP_SHARED, ops, 0);
}

static inline void case_slot(struct world *w, ms_ipa_t gpa, uint64_t size, ms_hva_t hva)
{
	assert_int_equal(ms_vm_set_slot(w->vm, 1, gpa, size, hva, 0), 0);
	events(w);
}

static inline void assert_read_maps(struct world *w, ms_ipa_t gpa, const char *expected)
{
	struct ms_guest_access access = ms_guest_read(w->vm, gpa);

	if (access.exit != MS_GUEST_OK)
		fail_msg("exit %d, error %d", access.exit, access.err);
	assert_string_equal(events(w), expected);
}

/* Of a read at gpa the block around it is mapped, of which pa is the PA of gpa. */
static inline void assert_read_maps_block(struct world *w, ms_ipa_t gpa, uint64_t size, ms_pa_t pa,
					  const char *prot)
{
	const uint64_t in_block = gpa & (size - 1);
	char expected[128];

	snprintf(expected, sizeof(expected),
		 "s2.map ipa=0x%" PRIx64 " size=0x%" PRIx64 " pa=0x%" PRIx64 " prot=%s\n",
		 gpa - in_block, size, pa - in_block, prot);
	assert_read_maps(w, gpa, expected);
}

#endif
