/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world of ../world.h on x86: its VM has a nested table. Entries are read as the events that
 * tell of them, or looked up.
 */
#ifndef TEST_KVM_X86_WORLD_H
#define TEST_KVM_X86_WORLD_H

#include "../world.h"

#include <mapsim/drivers.h>
#include <mapsim/tdp.h>

#define X86_EVENTS \
	(S2_EVENTS | (1u << MS_EV_S2_ZAP) | (1u << MS_EV_S2_FAST) | (1u << MS_EV_S2_CHANGE) | \
	 (1u << MS_EV_S2_MMIO) | (1u << MS_EV_S2_ZAP_ALL) | (1u << MS_EV_S2_AGE) | \
	 (1u << MS_EV_S2_TEST_AGE) | (1u << MS_EV_S2_CHANGE_PTE))

/* Rights and marks as events print them. */
#define RWX "prot=rwx type=WB bits=hmad"
#define RX "prot=rx type=WB bits=a"

static inline struct world x86_start(const struct ms_policy *policy,
				     const struct ms_machine_config *config)
{
	struct world w;

	world_start(&w, policy, config);
	ms_trace_keep(w.m, X86_EVENTS);
	return w;
}

static inline struct world x86_world(const char *release)
{
	return x86_start(ms_policy_linux(release, MS_ARCH_X86_64), NULL);
}

/* A kernel with one rule of another. */
static inline struct world x86_world_with(const char *release, const char *rule, const char *value)
{
	struct ms_policy policy = *ms_policy_linux(release, MS_ARCH_X86_64);

	assert_int_equal(ms_policy_set(&policy, rule, value), 0);
	return x86_start(&policy, NULL);
}

/* The VM is made anew, with capabilities. */
static inline void x86_vm(struct world *w, const struct ms_vm_config *config)
{
	ms_vm_free(w->vm);
	w->vm = ms_vm_new_config(w->mm, config);
	assert_non_null(w->vm);
	events(w);
}

static inline void show_at(struct world *w, unsigned int id, ms_ipa_t gpa, uint64_t size,
			   ms_hva_t hva, unsigned int flags)
{
	assert_int_equal(ms_vm_set_slot(w->vm, id, gpa, size, hva, flags), 0);
}

/* Slot 1: [HVA, +size) at GPA. */
static inline void show(struct world *w, uint64_t size, unsigned int flags)
{
	show_at(w, 1, GPA, size, HVA, flags);
}

static inline void host_write(struct world *w, ms_hva_t hva)
{
	assert_int_equal(ms_touch(w->mm, hva, MS_PROT_W), MS_ACCESS_OK);
}

static inline void guest(struct world *w, ms_ipa_t gpa, unsigned int prot)
{
	struct ms_guest_access access = ms_guest_touch(w->vm, gpa, prot);

	if (access.exit != MS_GUEST_OK)
		fail_msg("guest's access to %#llx: exit %d, error %d: %s", (unsigned long long)gpa,
			 access.exit, access.err, ms_last_reason(w->m));
}

static inline void assert_exit(struct world *w, ms_ipa_t gpa, unsigned int prot,
			       enum ms_guest_exit exit, int err)
{
	struct ms_guest_access access = ms_guest_touch(w->vm, gpa, prot);

	assert_int_equal(access.exit, exit);
	assert_int_equal(access.err, err);
}

/* The refusal that was just made, and why. */
static inline void assert_refused(struct world *w, int err, const char *words)
{
	const struct ms_refusal last = ms_last_refusal(w->m);

	assert_int_equal(last.err, err);
	assert_string_equal(last.reason, words);
}

/* What translates an address; size 0: nothing. */
static inline struct ms_tdp_leaf leaf_at(const struct world *w, ms_ipa_t ipa)
{
	struct ms_tdp_leaf leaf;

	ms_tdp_get_leaf(ms_vm_tdp(w->vm), ipa, &leaf);
	return leaf;
}

static inline unsigned int marks_in(const struct world *w, ms_ipa_t ipa, uint64_t size)
{
	struct ms_tdp_mark mark;
	unsigned int n = 0;

	for (ms_ipa_t at = ipa; ms_tdp_next_mmio(ms_vm_tdp(w->vm), at, ipa + size, &mark); n++)
		at = mark.ipa + PAGE;
	return n;
}

/* Whether a page of slot 1 is in its log; the first word alone. */
static inline uint64_t get_dirty(struct world *w)
{
	uint64_t bitmap[16 * 512] = { 0 };

	assert_int_equal(
		ms_vm_get_dirty(w->vm, 1, bitmap, sizeof(bitmap) / sizeof(bitmap[0]), NULL), 0);
	return bitmap[0];
}

/* A file of pages of 1G or 2M, mapped shared. */
static inline void map_hugetlb(struct world *w, ms_hva_t hva, uint64_t len, uint64_t page)
{
	struct ms_file *file = ms_memfd_hugetlb_new(w->m, len, page);

	assert_non_null(file);
	assert_int_equal(ms_mmap(w->mm, hva, len, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, file, 0),
			 hva);
	ms_file_put(file);
}

/* The BAR by a driver whose faults make leaves. */
static inline void map_lazy(struct world *w, ms_hva_t hva, uint64_t len, unsigned int prot,
			    enum ms_pieces_mode mode)
{
	const struct ms_piece whole = { .len = len };
	struct ms_file *file =
		ms_pieces_open(ms_device_find(w->m, "bar"), mode, MS_CACHE_UC_MINUS, &whole, 1);

	assert_non_null(file);
	assert_int_equal(
		ms_mmap(w->mm, hva, len, prot, MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, file, 0),
		hva);
	ms_file_put(file);
}

/* ... PMD leaves, which KVM finds from 6.12 on. */
static inline void map_lazy_huge(struct world *w, ms_hva_t hva, uint64_t len, unsigned int prot)
{
	map_lazy(w, hva, len, prot, MS_PIECES_LAZY_HUGE);
}

/* The BAR through sysfs: pages, all at once. */
static inline void map_resource(struct world *w, ms_hva_t hva, uint64_t len, unsigned int prot,
				unsigned int flags)
{
	struct ms_file *file = ms_pci_resource(ms_device_find(w->m, "bar"));

	assert_non_null(file);
	assert_int_equal(ms_mmap(w->mm, hva, len, prot, flags | MS_MAP_FIXED_NOREPLACE, file, 0),
			 hva);
	ms_file_put(file);
}

#endif
