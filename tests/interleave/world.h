/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine with RAM and a BAR, one process, on arm64 a VM, and a driver of the test's own:
 * its pages are inserted by its fault handler while it is enabled.
 */
#ifndef TESTS_INTERLEAVE_WORLD_H
#define TESTS_INTERLEAVE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../kernels.h"
#include "explore.h"

#include <mapsim/drivers.h>
#include <mapsim/kvm.h>
#include <mapsim/machine.h>
#include <mapsim/mm.h>
#include <mapsim/pat.h>
#include <mapsim/pfnmap.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>
#include <mapsim/trace.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HVA UINT64_C(0x200000000000) /* 1G aligned */
#define GPA UINT64_C(0x80000000)
#define BAR UINT64_C(0x8000000000)
#define PAGE UINT64_C(0x1000)
#define LEN (4 * PAGE)
#define X86_VA UINT64_C(0x7e0000000000)

/* A kernel, with one rule changed or none. */
struct kernel {
	const char *release;
	enum ms_arch arch;
	const char *field, *value;
};

struct world {
	struct ms_machine *m;
	struct ms_device *bar;
	struct ms_mm *mm, *child;
	struct ms_vm *vm;
	struct ms_file *file;
	struct explore_run *run;
	ms_hva_t va;

	/* the test's driver */
	bool enabled, locked;
	ms_pfn_t pfn;

	/* how accesses ended */
	enum ms_access touched;
	struct ms_guest_access guest[2];
};

static inline struct world *world_new(const struct kernel *k, struct explore_run *run,
				      struct ms_machine **m)
{
	struct ms_policy policy = *ms_policy_linux(k->release, k->arch);
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	if (k->field)
		assert_int_equal(ms_policy_set(&policy, k->field, k->value), 0);
	w->m = *m = ms_machine_new(&policy);
	assert_non_null(w->m);
	w->run = run;
	w->enabled = true;
	assert_int_equal(ms_ram_add(w->m, MS_1G, MS_1G), 0);
	w->bar = ms_device_add(w->m, "bar", BAR, MS_1G);
	assert_non_null(w->bar);
	w->pfn = BAR / PAGE;
	w->mm = ms_mm_new(w->m);
	assert_non_null(w->mm);
	w->va = HVA;
	if (k->arch == MS_ARCH_X86_64) {
		w->va = X86_VA;
	} else {
		w->vm = ms_vm_new(w->mm, 0);
		assert_non_null(w->vm);
	}
	return w;
}

static inline void world_free(void *world)
{
	struct world *w = world;

	ms_machine_free(w->m);
	free(w);
}

/* Every interleaving of one operation with one other, in the world that build makes for k. */
static inline struct explore_found race(const struct kernel *k,
					void *(*build)(const void *arg, struct explore_run *run,
						       struct ms_machine **m),
					struct explore_op a, struct explore_op b,
					bool (*holds)(void *world))
{
	const struct explore_op side[2][2] = { { a, { 0 } }, { b, { 0 } } };

	return explore(&(struct explore){
		.build = build,
		.destroy = world_free,
		.side = { side[0], side[1] },
		.holds = holds,
		.arg = k,
	});
}

static inline void map(struct world *w, uint64_t len, struct ms_file *file, uint64_t off)
{
	assert_non_null(file);
	w->file = file;
	assert_int_equal(
		ms_mmap(w->mm, w->va, len, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, file, off),
		w->va);
}

static inline void slot(struct world *w, uint64_t len)
{
	assert_int_equal(ms_vm_set_slot(w->vm, 1, GPA, len, w->va, 0), 0);
}

static inline uint64_t host_pa(const struct ms_mm *mm, ms_hva_t va)
{
	struct ms_host_leaf leaf;

	if (!ms_host_leaf(mm, va, &leaf))
		return 0;
	return (leaf.entry & MS_PTE_PA_MASK) + (va - leaf.start);
}

/* Does the guest see nothing but what its process has there? */
static inline bool guest_sees_the_host(const struct world *w, uint64_t len)
{
	struct ms_s2_leaf leaf;

	if (ms_s2_check(ms_vm_s2(w->vm)))
		return false;
	for (ms_ipa_t ipa = GPA; ms_s2_next_leaf(ms_vm_s2(w->vm), ipa, GPA + len, &leaf);
	     ipa = leaf.ipa + leaf.size)
		for (uint64_t off = 0; off < leaf.size; off += PAGE)
			if (host_pa(w->mm, w->va + (leaf.ipa + off - GPA)) != leaf.pa + off)
				return false;
	return true;
}

static inline bool guest_sees_nothing(const struct world *w, uint64_t len)
{
	struct ms_s2_leaf leaf;

	return !ms_s2_check(ms_vm_s2(w->vm)) &&
	       !ms_s2_next_leaf(ms_vm_s2(w->vm), GPA, GPA + len, &leaf);
}

static inline bool nothing_present(const struct ms_mm *mm, ms_hva_t va, uint64_t len)
{
	struct ms_host_leaf leaf;

	return !ms_host_next_leaf(mm, va, va + len, &leaf);
}

static inline uint64_t violations(const struct ms_machine *m)
{
	return ms_trace_total(m, MS_EV_VIOLATION);
}

/* ---- the test's driver: vm_private_data and priv are the world ---- */

/* A driver may ask for its flag under a lock that a revoke takes as well, or outside of it. */
static inline ms_vm_fault_t own_fault(struct ms_vm_fault *vmf, bool lock)
{
	struct world *w = vmf->vma->vm_private_data;
	ms_vm_fault_t ret;

	w->locked = lock;
	if (!w->enabled) {
		w->locked = false;
		return MS_VM_FAULT_SIGBUS;
	}
	explore_point(w->run, "flag-tested");
	ret = ms_vmf_insert_pfn(vmf->vma, vmf->address, w->pfn + vmf->pgoff);
	w->locked = false;
	return ret;
}

static inline ms_vm_fault_t own_fault_locked(struct ms_vm_fault *vmf)
{
	return own_fault(vmf, true);
}

static inline ms_vm_fault_t own_fault_early(struct ms_vm_fault *vmf)
{
	return own_fault(vmf, false);
}

static inline int own_mmap_with(struct ms_file *file, struct ms_vma *vma,
				const struct ms_vm_ops *ops)
{
	vma->vm_private_data = ms_file_priv(file);
	vma->vm_flags |= MS_VM_IO | MS_VM_PFNMAP | MS_VM_DONTEXPAND | MS_VM_DONTDUMP;
	vma->vm_page_prot = ms_pgprot_device(vma->vm_page_prot);
	vma->vm_ops = ops;
	return 0;
}

static inline int own_mmap_locked(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops ops = { .fault = own_fault_locked };

	return own_mmap_with(file, vma, &ops);
}

static inline int own_mmap_early(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops ops = { .fault = own_fault_early };

	return own_mmap_with(file, vma, &ops);
}

static inline void map_own(struct world *w, bool early)
{
	static const struct ms_file_ops locked = { .name = "own", .mmap = own_mmap_locked };
	static const struct ms_file_ops unlocked = { .name = "own", .mmap = own_mmap_early };

	map(w, LEN,
	    ms_file_new(w->m, early ? &unlocked : &locked, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL,
			w),
	    0);
}

/* ---- operations that more than one test uses ---- */

static inline int done_or_waits(int err)
{
	return err == -EBUSY ? EXPLORE_WAITS : EXPLORE_DONE;
}

static inline int op_touch(void *world)
{
	struct world *w = world;

	w->touched = ms_touch(w->mm, w->va, MS_PROT_R);
	return w->touched == MS_ACCESS_WAITS ? EXPLORE_WAITS : EXPLORE_DONE;
}

static inline int op_zap(void *world)
{
	struct world *w = world;

	if (w->locked)
		return EXPLORE_WAITS;
	ms_unmap_mapping_range(w->file, 0, 0, true);
	return EXPLORE_DONE;
}

static inline int op_revoke(void *world)
{
	struct world *w = world;

	if (w->locked)
		return EXPLORE_WAITS;
	w->enabled = false;
	return op_zap(world);
}

static inline int op_memory_off(void *world)
{
	struct world *w = world;

	return done_or_waits(ms_vfio_set_memory(w->file, false));
}

static inline int op_fork(void *world)
{
	struct world *w = world;

	w->child = ms_fork(w->mm);
	return done_or_waits(w->child ? 0 : -errno);
}

static inline int op_munmap(void *world)
{
	struct world *w = world;

	return done_or_waits(ms_munmap(w->mm, w->va, LEN));
}

#endif
