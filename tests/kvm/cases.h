/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For questions that were asked of every family of kernels: the world of the corner cases, and
 * tables of what each family answers.
 *
 *   H  a BAR at 0x4000000000, 2G      A  1G-aligned host address
 */
#ifndef TEST_KVM_CASES_H
#define TEST_KVM_CASES_H

#include "world.h"

#define A UINT64_C(0x7e0000000000)
#define H UINT64_C(0x4000000000)

/* What a kernel answers: an event or more as text, NULL ends a table. */
struct answer {
	const char *release;
	const char *events;
};

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

#endif
