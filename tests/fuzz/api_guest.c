/* SPDX-License-Identifier: GPL-2.0-only */
/* What VMMs and their guests do. */
#include "api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GPA UINT64_C(0x40000000)

static ms_ipa_t gpa_of(const struct api_side *s, const uint8_t *r)
{
	return GPA + api_offset(s, r, s->window + 2 * s->block);
}

void api_vm_create(struct api_side *s, const uint8_t *r)
{
	static const unsigned int bits[] = { 0, 0, 0, 32, 36, 39, 40, 44, 48, 52, 31, 53 };
	static const uint64_t chunks[] = { 0, 0, MS_4K, MS_2M, MS_1G, 0x10000, 0x2000000, 12345 };
	unsigned int i = r[2] % API_VMS;
	struct ms_mm *mm = api_mm(s, r);
	const struct ms_vm_config config = {
		.ipa_bits = bits[r[5] % 12],
		.dirty_manual = r[6] & 1,
		.dirty_initset = r[6] & 2,
		.split_chunk = chunks[r[7] % 8],
		.mte = r[6] & 0x10,
		.no_nx_huge_pages = r[6] & 0x20,
		.zap_slot = r[6] & 0x40,
	};

	if (s->vm[i].vm || !mm)
		return;
	errno = 0;
	s->vm[i].vm = ms_vm_new_config(mm, &config);
	if (!s->vm[i].vm && !errno)
		fuzz_fail("vm_new_config: no VM, and no error");
	s->vm[i].mm = r[1] >> 4 & 3;
	api_result(s, s->vm[i].vm ? 0 : -errno);
}

void api_vm_free(struct api_side *s, const uint8_t *r)
{
	unsigned int i = r[2] % API_VMS;

	// not while an access of it goes on
	if (s->depth)
		return;
	ms_vm_free(s->vm[i].vm);
	s->vm[i].vm = NULL;
}

/* By byte 1. */
static struct ms_vm *vm_of(const struct api_side *s, const uint8_t *r)
{
	return s->vm[(r[1] >> 4 & 3) % API_VMS].vm;
}

/* In the window of the process, at an address that goes with the guest's or at its own. */
void api_slot(struct api_side *s, const uint8_t *r)
{
	const uint8_t at[RECORD] = { 0, r[1] >> 2, r[5], r[6] };
	uint64_t size = r[4] == 0xe0 ? 0 : api_length(s, r);
	struct ms_vm *vm = vm_of(s, r);
	ms_hva_t hva = s->hva + (r[7] & 0x80 ? api_offset(s, at, s->window)
					     : (gpa_of(s, r) - GPA) % s->window);
	unsigned int id = r[7] == 0x7f ? 0x10000 : r[7] % 4;

	if (r[7] & 0x40)
		size = 0;
	if (vm)
		api_result(s, ms_vm_set_slot(vm, id, gpa_of(s, r), size, hva, r[7] >> 2 & 7));
}

void api_guest(struct api_side *s, const uint8_t *r)
{
	static const unsigned int access[] = { MS_PROT_R, MS_PROT_W, MS_PROT_W, MS_PROT_X };
	struct ms_vm *vm = vm_of(s, r);
	ms_ipa_t gpa = r[7] == 0xff ? UINT64_MAX - r[2] * MS_4K + 1 : gpa_of(s, r) + r[6] * 4;

	for (unsigned int n = r[4] % 16 + 1; vm && n; n--, gpa += s->page) {
		const unsigned int prot = access[r[5] % 4];
		struct ms_guest_access a = ms_guest_touch(vm, gpa, prot);
		// KVM makes it itself where the entry of a device is read-only
		const bool emulated = ms_vm_tdp(vm) && prot == MS_PROT_W;

		if (a.exit == MS_GUEST_ERROR ? a.err >= 0 : a.err)
			fuzz_fail("a guest access ends as %d with errno %d", a.exit, a.err);
		// in the kernel the access is made after the hook; here the leaf may be gone
		if (a.exit == MS_GUEST_OK && !s->depth && !a.leaf.size && !emulated)
			fuzz_fail("a guest access was made through nothing");
		if (a.exit != MS_GUEST_OK)
			api_refused(s);
		api_answer(s, a.exit ^ (uint64_t)a.err << 8 ^ (uint64_t)a.faults << 40);
		api_answer(s, a.leaf.ipa ^ a.leaf.pa << 4 ^ a.leaf.size ^ a.leaf.prot);
	}
}

void api_dirty(struct api_side *s, const uint8_t *r)
{
	struct ms_vm *vm = vm_of(s, r);
	unsigned int id = r[5] % 4;
	uint64_t npages = 0, slot, words, *bitmap;

	if (!vm)
		return;
	slot = ms_vm_slot_pages(vm, id);
	if (r[6] & 1) {
		uint64_t first = r[6] & 2 ? 0 : r[2] * UINT64_C(64);
		uint64_t n = r[6] & 4 ? slot : r[4] * UINT64_C(64);

		api_result(s, ms_vm_clear_dirty(vm, id, first, n));
		return;
	}
	words = (slot + 63) / 64 - (r[6] == 0x80);
	if (words > 1 << 16)
		return;
	bitmap = calloc(words + 1, sizeof(*bitmap));
	if (!bitmap)
		return;
	api_result(s, ms_vm_get_dirty(vm, id, bitmap, words, &npages));
	for (uint64_t i = 0; i < words; i++)
		api_answer(s, bitmap[i]);
	if (bitmap[words])
		fuzz_fail("the dirty log was written beyond its end");
	free(bitmap);
}

void api_prefault(struct api_side *s, const uint8_t *r)
{
	struct ms_vm *vm = vm_of(s, r);
	const uint64_t size = api_length(s, r);
	uint64_t left = 1;
	int ret;

	if (!vm)
		return;
	ret = ms_vm_prefault(vm, gpa_of(s, r), size, &left);
	api_result(s, ret);
	api_answer(s, left);
	if (left > size || (!ret && left == size))
		fuzz_fail("prefault of %#llx bytes answers %d and leaves %#llx",
			  (unsigned long long)size, ret, (unsigned long long)left);
}

/* Parameters of KVM, and its thread. */
void api_kvm(struct api_side *s, const uint8_t *r)
{
	switch (r[5] % 4) {
	case 0:
		ms_kvm_set_nx_huge_pages(s->m, (enum ms_nx_huge_pages)(r[6] % 4));
		break;
	case 1:
		ms_kvm_set_eager_page_split(s->m, r[6] & 1);
		break;
	default:
		ms_kvm_recover_nx_huge_pages(s->m);
		break;
	}
}

void api_age(struct api_side *s, const uint8_t *r)
{
	struct ms_mm *mm = api_mm(s, r);
	const ms_hva_t start = api_address(s, r) & ~(s->page - 1);

	if (!mm)
		return;
	if (r[5] & 1)
		api_answer(s, ms_mm_test_young(mm, start));
	else
		api_answer(s, ms_mm_clear_young(mm, start, start + api_small_length(s, r)));
}

static void look_tdp(struct api_side *s, const struct ms_tdp *tdp)
{
	struct ms_tdp_leaf leaf;
	struct ms_tdp_mark mark;
	ms_ipa_t at = 0;

	while (ms_tdp_next_leaf(tdp, at, UINT64_MAX, &leaf)) {
		api_answer(s, leaf.ipa ^ leaf.entry << 4 ^ leaf.size);
		at = leaf.ipa + leaf.size;
	}
	for (at = 0; ms_tdp_next_mmio(tdp, at, UINT64_MAX, &mark); at = mark.ipa + s->page)
		api_answer(s, mark.ipa ^ mark.generation);
}

void api_look_s2(struct api_side *s, const uint8_t *r)
{
	struct ms_vm *vm = vm_of(s, r);
	const struct ms_s2 *s2 = vm ? ms_vm_s2(vm) : NULL;
	struct ms_s2_leaf leaf;
	ms_ipa_t at = 0;

	while (s2 && ms_s2_next_leaf(s2, at, UINT64_MAX, &leaf)) {
		api_answer(s, leaf.ipa ^ leaf.desc << 4 ^ leaf.size);
		at = leaf.ipa + leaf.size;
	}
	if (vm && ms_vm_tdp(vm))
		look_tdp(s, ms_vm_tdp(vm));
}
