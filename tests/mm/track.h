/* SPDX-License-Identifier: GPL-2.0-only */
/* VMAs made by hand: their flags, borders and first entry are all that tracking looks at. */
#ifndef TESTS_MM_TRACK_H
#define TESTS_MM_TRACK_H

#include "mm/internal.h"
#include "pat/internal.h"

#include <mapsim/machine.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../pat/list.h"

#define BAR UINT64_C(0x180000000)
#define PFN (BAR >> 12)
#define RAM UINT64_C(0x200000)
#define VA UINT64_C(0x200000000000)
#define SHARED (MS_VM_SHARED | MS_VM_MAYSHARE | MS_VM_MAYWRITE | MS_VM_PFNMAP | MS_VM_IO)
#define COW (MS_VM_MAYWRITE | MS_VM_PFNMAP | MS_VM_IO)

struct world {
	struct ms_machine *m;
	struct ms_mm *mm, *child_mm;
};

static inline int setup_config(void **state, const struct ms_policy *policy,
			       const struct ms_machine_config *config)
{
	struct world *w = calloc(1, sizeof(*w));

	w->m = ms_machine_new_config(policy, config);
	assert_non_null(w->m);
	assert_int_equal(ms_ram_add(w->m, 0x100000, 0x1000000), 0);
	assert_non_null(ms_device_add(w->m, "bar", BAR, 0x100000));
	w->mm = ms_mm_new(w->m);
	w->child_mm = ms_mm_new(w->m);
	*state = w;
	return 0;
}

static inline int setup_policy(void **state, const struct ms_policy *policy)
{
	return setup_config(state, policy, NULL);
}

/* The kernels of the tests, by how they know what a VMA holds. VM_PAT, which a fork copies: */
static inline int setup_flag_inherited(void **state)
{
	return setup_policy(state, ms_policy_linux("5.10.223", MS_ARCH_X86_64));
}

/* VM_PAT, which a child gets with a reservation of its own: */
static inline int setup_flag(void **state)
{
	return setup_policy(state, ms_policy_linux("6.12.107", MS_ARCH_X86_64));
}

/* A context that all VMAs of the mapping share: */
static inline int setup_context(void **state)
{
	return setup_policy(state, ms_policy_linux("7.2.13", MS_ARCH_X86_64));
}

static inline int setup_flag_pat_off(void **state)
{
	return setup_config(state, ms_policy_linux("6.12.107", MS_ARCH_X86_64),
			    &(struct ms_machine_config){ .pat = MS_FEATURE_ABSENT });
}

static inline int setup_context_pat_off(void **state)
{
	return setup_config(state, ms_policy_linux("7.2.13", MS_ARCH_X86_64),
			    &(struct ms_machine_config){ .pat = MS_FEATURE_ABSENT });
}

static inline int setup_arm64(void **state)
{
	return setup_policy(state, ms_policy_linux("6.12.107", MS_ARCH_ARM64));
}

/* VM_PAT, and the first entry tells the address even if it is a copied page's: */
static inline int setup_early(void **state)
{
	struct ms_policy p = *ms_policy_linux("5.10.223", MS_ARCH_X86_64);

	p.untrack_address = MS_UNTRACK_ADDRESS_FIRST_PTE_EVEN_ANON;
	return setup_policy(state, &p);
}

/* No kernel's rules: the address is remembered, but any zap untracks. */
static inline int setup_remembered(void **state)
{
	struct ms_policy p = *ms_policy_linux("6.12.107", MS_ARCH_X86_64);

	p.untrack_address = MS_UNTRACK_ADDRESS_REMEMBERED;
	return setup_policy(state, &p);
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	ms_mm_exit(w->child_mm);
	ms_mm_exit(w->mm);
	ms_machine_free(w->m);
	free(w);
	return 0;
}

static inline struct ms_vma vma_of(struct world *w, uint64_t npages, uint64_t flags)
{
	return (struct ms_vma){ .vm_mm = w->mm,
				.vm_start = VA,
				.vm_end = VA + npages * 0x1000,
				.vm_pgoff = PFN,
				.vm_flags = flags };
}

static inline ms_pgprot_t prot_of(enum ms_cache cache)
{
	return ms_pgprot_set_cache(MS_PTE_PRESENT | MS_PTE_X86, cache);
}

/* A page-table entry of remap_pfn_range's making. */
static inline uint64_t raw(ms_pa_t pa, enum ms_cache cache)
{
	return pa | MS_PTE_SPECIAL | prot_of(cache);
}

/* A page-table entry of a page that was copied. */
static inline uint64_t copied(enum ms_cache cache)
{
	return (RAM + 0x5000) | prot_of(cache);
}

/* remap_pfn_range of the whole VMA to PFN. */
static inline enum ms_cache track_whole(struct ms_vma *vma, enum ms_cache want)
{
	ms_pgprot_t prot = prot_of(want);

	assert_int_equal(
		ms_track_pfn_remap(vma, &prot, PFN, vma->vm_start, vma->vm_end - vma->vm_start), 0);
	return ms_pgprot_cache(prot);
}

/* vm_area_dup and a split at `at`: vma keeps the head. */
static inline struct ms_vma split(struct ms_vma *vma, ms_hva_t at)
{
	struct ms_vma tail = *vma;

	assert_int_equal(ms_pfnmap_ctx_dup(&tail, vma), 0);
	tail.vm_start = at;
	tail.vm_pgoff += (at - vma->vm_start) >> 12;
	vma->vm_end = at;
	return tail;
}

static inline struct ms_vma dup_for_child(struct world *w, struct ms_vma *vma)
{
	struct ms_vma child = *vma;

	assert_int_equal(ms_pfnmap_ctx_dup(&child, vma), 0);
	child.vm_mm = w->child_mm;
	return child;
}

/* The one entry that nobody holds any more. */
static inline void assert_leak(const struct ms_memtype *e, void *arg)
{
	const struct ms_memtype *want = arg;

	assert_int_equal(e->start, want->start);
	assert_int_equal(e->end, want->end);
	assert_int_equal(e->type, want->type);
}

/* A test on one of the kernels above, under a name that says which. */
#define ON(kernel, f) \
	{ \
#f " (" #kernel ")", f, setup_##kernel, teardown, NULL \
	}

#endif
