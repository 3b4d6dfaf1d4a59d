/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the nested table must hold, without a table: a byte for each page of the guest, which says
 * how large the entry is that translates it and what it permits. Rules are said over pages, as they
 * are in words, and asked of the host's page table alone.
 *
 *   guest  GPA |--------------------- SPAN ---------------------|
 *              a byte each: level | rights | marks
 */
#ifndef TEST_KVM_X86_FLAT_H
#define TEST_KVM_X86_FLAT_H

#include "world.h"

#define SPAN (3 * MS_1G)
#define PAGES (SPAN / PAGE)
#define NR_SLOTS 4

enum {
	LEVEL = 0x3, /* 0: nothing */
	W = 0x4,
	X = 0x8,
	HOST_W = 0x10,
	MMU_W = 0x20,
	WRITABLE = W | HOST_W | MMU_W,
};

struct flat_slot {
	uint64_t size; /* 0: there is none */
	ms_ipa_t gpa;
	ms_hva_t hva;
	unsigned int flags;
};

struct flat {
	struct ms_mmu_notifier notifier; /* the first member */
	const struct ms_policy *k;
	struct ms_mm *mm;
	struct ms_machine *m;
	struct flat_slot slot[NR_SLOTS];
	uint8_t page[PAGES], actual[PAGES];
	uint8_t dirty[NR_SLOTS][PAGES]; /* by page of the slot; 1: in its log */
	bool eager, zap_slot;
};

static inline uint8_t *flat_at(struct flat *f, ms_ipa_t ipa)
{
	return &f->page[(ipa - GPA) / PAGE];
}

static inline struct flat_slot *flat_slot_of(struct flat *f, ms_ipa_t ipa)
{
	for (unsigned int i = 0; i < NR_SLOTS; i++)
		if (ipa - f->slot[i].gpa < f->slot[i].size)
			return &f->slot[i];
	return NULL;
}

static inline void flat_mark_dirty(struct flat *f, const struct flat_slot *s, ms_ipa_t ipa)
{
	if (s->flags & MS_SLOT_LOG_DIRTY)
		f->dirty[s - f->slot][(ipa - s->gpa) / PAGE] = 1;
}

static inline void flat_fill(struct flat *f, ms_ipa_t ipa, uint64_t size, uint8_t value)
{
	memset(flat_at(f, ipa), value, size / PAGE);
}

/* The entry that translates ipa, as a whole. */
static inline void flat_entry(struct flat *f, ms_ipa_t ipa, ms_ipa_t *start, uint64_t *size)
{
	const uint8_t level = *flat_at(f, ipa) & LEVEL;

	*size = level ? ms_tdp_level_size(level) : PAGE;
	*start = ipa & ~(*size - 1);
}

static inline void flat_zap(struct flat *f, ms_ipa_t ipa, uint64_t size)
{
	const ms_ipa_t end = ipa + size;
	uint64_t len;

	for (ms_ipa_t at = ipa, start; at < end; at = start + len) {
		flat_entry(f, at, &start, &len);
		flat_fill(f, start, len, 0);
	}
}

/* A notifier: what the slots show of the range goes. */
static inline void flat_notified(struct ms_mmu_notifier *mn, struct ms_mm *mm, ms_hva_t start,
				 ms_hva_t end, enum ms_notifier_event event)
{
	struct flat *f = (struct flat *)(void *)mn;

	for (unsigned int i = 0; i < NR_SLOTS; i++) {
		const struct flat_slot *s = &f->slot[i];
		const ms_hva_t first = start > s->hva ? start : s->hva;
		const ms_hva_t last = end < s->hva + s->size ? end : s->hva + s->size;

		if (first < last)
			flat_zap(f, s->gpa + (first - s->hva), last - first);
	}
}

/* ---- how large, and with which rights ---- */

/* Every page of the block is the slot's, the slot shows it of host addresses that are a block as
 * well, and one leaf of the host's maps all of them. */
static inline bool flat_may_be(struct flat *f, const struct flat_slot *s, ms_ipa_t ipa,
			       unsigned int level)
{
	const uint64_t size = ms_tdp_level_size(level);
	const ms_ipa_t block = ipa & ~(size - 1);
	const ms_hva_t hva = s->hva + (block - s->gpa);
	struct ms_host_leaf leaf;

	if (level == MS_TDP_4K)
		return true;
	if (block < s->gpa || block + size > s->gpa + s->size || hva % size)
		return false;
	if (!ms_host_leaf(f->mm, hva, &leaf) || leaf.start > hva ||
	    leaf.start + leaf.size < hva + size)
		return false;
	return f->k->tdp_block_page == MS_TDP_BLOCK_PAGE_HOST_LEAF ||
	       ms_pfn_is_ram(f->m, (leaf.entry & MS_PTE_PA_MASK) / PAGE);
}

static inline unsigned int flat_level(struct flat *f, const struct flat_slot *s, ms_ipa_t ipa)
{
	unsigned int level = s->flags & MS_SLOT_LOG_DIRTY ? MS_TDP_4K : MS_TDP_1G;

	while (!flat_may_be(f, s, ipa, level))
		level--;
	return level;
}

static inline uint8_t flat_rights(struct flat *f, const struct flat_slot *s, ms_ipa_t ipa)
{
	struct ms_host_leaf leaf;

	if (s->flags & MS_SLOT_READONLY || !ms_host_leaf(f->mm, s->hva + (ipa - s->gpa), &leaf) ||
	    !(leaf.entry & MS_PTE_WRITE))
		return X;
	return X | WRITABLE;
}

/* An entry larger than `level` is in the way. */
static inline void flat_break(struct flat *f, ms_ipa_t ipa, unsigned int level)
{
	while ((*flat_at(f, ipa) & LEVEL) > level) {
		const uint8_t was = *flat_at(f, ipa);
		ms_ipa_t start;
		uint64_t size;

		flat_entry(f, ipa, &start, &size);
		flat_fill(f, start, size,
			  f->k->tdp_huge_fault == MS_TDP_HUGE_FAULT_SPLIT ? was - 1 : 0);
	}
}

static inline void flat_map(struct flat *f, const struct flat_slot *s, ms_ipa_t ipa)
{
	const unsigned int level = flat_level(f, s, ipa);
	const uint64_t size = ms_tdp_level_size(level);
	const uint8_t rights = flat_rights(f, s, ipa);

	flat_break(f, ipa, level);
	flat_fill(f, ipa & ~(size - 1), size, (uint8_t)(level | rights));
	if (rights & W)
		flat_mark_dirty(f, s, ipa);
}

/* ---- accesses ---- */

static inline bool flat_permits(struct flat *f, ms_ipa_t ipa, unsigned int prot)
{
	const uint8_t e = *flat_at(f, ipa);

	return e & LEVEL && (prot == MS_PROT_R || e & (prot == MS_PROT_W ? W : X));
}

static inline bool flat_is_fast(struct flat *f, const struct flat_slot *s, ms_ipa_t ipa)
{
	const uint8_t e = *flat_at(f, ipa);

	if (!(e & MMU_W) || f->k->tdp_fast_fault == MS_TDP_FAST_FAULT_NONE)
		return false;
	if ((e & LEVEL) == MS_TDP_4K)
		return true;
	return f->k->tdp_fast_fault == MS_TDP_FAST_FAULT_UNLOGGED_BLOCKS_TOO &&
	       !(s->flags & MS_SLOT_LOG_DIRTY);
}

/* A raw page whose entry forbids the write: KVM makes it, or cannot; nothing is mapped. */
static inline bool flat_is_emulated(struct flat *f, const struct flat_slot *s, ms_ipa_t ipa,
				    unsigned int prot)
{
	const ms_hva_t hva = s->hva + (ipa - s->gpa);
	const struct ms_vma *vma = ms_find_vma(f->mm, hva);
	struct ms_host_leaf leaf;

	return prot == MS_PROT_W && vma && vma->vm_start <= hva && vma->vm_flags & MS_VM_PFNMAP &&
	       ms_host_leaf(f->mm, hva, &leaf) && !(leaf.entry & MS_PTE_WRITE);
}

/* The guest reaches ipa; the VM does it, then pages say what must have come of it. */
static inline void flat_access(struct flat *f, struct ms_vm *vm, ms_ipa_t ipa, unsigned int prot)
{
	const struct flat_slot *s = flat_slot_of(f, ipa);
	const bool permitted = flat_permits(f, ipa, prot);
	const bool fast = s && !permitted && prot == MS_PROT_W && flat_is_fast(f, s, ipa);
	const bool emulated = s && !permitted && !fast && flat_is_emulated(f, s, ipa, prot);
	const struct ms_guest_access access = ms_guest_touch(vm, ipa, prot);
	ms_ipa_t start;
	uint64_t size;

	if (permitted || !s) {
		assert_int_equal(access.exit, s                   ? MS_GUEST_OK
					      : prot == MS_PROT_X ? MS_GUEST_INTERNAL_ERROR
								  : MS_GUEST_MMIO);
		assert_true(!s || !access.faults);
	} else if (fast) {
		flat_entry(f, ipa, &start, &size);
		flat_fill(f, start, size, *flat_at(f, ipa) | W);
		flat_mark_dirty(f, s, ipa);
	} else if (access.exit == MS_GUEST_OK) {
		if (emulated)
			flat_mark_dirty(f, s, ipa);
		else
			flat_map(f, s, ipa);
	}
}

/* One page. Over an entry: made anew, or left. */
static inline void flat_prefault(struct flat *f, struct ms_vm *vm, ms_ipa_t ipa)
{
	const struct flat_slot *s = flat_slot_of(f, ipa);

	if (ms_vm_prefault(vm, ipa, PAGE, NULL) || !s)
		return;
	flat_break(f, ipa, flat_level(f, s, ipa));
	if (f->k->tdp_spurious == MS_TDP_SPURIOUS_MADE_ANEW ||
	    (*flat_at(f, ipa) & LEVEL) != flat_level(f, s, ipa))
		flat_map(f, s, ipa);
}

/* ---- slots and logs ---- */

static inline void flat_log_on(struct flat *f, const struct flat_slot *s)
{
	const bool split = f->eager && f->k->tdp_eager_split != MS_TDP_EAGER_SPLIT_ABSENT;

	for (ms_ipa_t ipa = s->gpa; ipa < s->gpa + s->size; ipa += PAGE) {
		uint8_t *e = flat_at(f, ipa);

		if (!*e)
			continue;
		if (split)
			*e = (uint8_t)((*e & ~LEVEL) | MS_TDP_4K);
		*e &= (uint8_t)~W;
	}
}

/* Blocks of this level that hold smaller entries, and could be one. */
static inline void flat_recover(struct flat *f, const struct flat_slot *s, unsigned int level)
{
	const uint64_t size = ms_tdp_level_size(level);
	ms_ipa_t block = (s->gpa + size - 1) & ~(size - 1);

	for (; block + size <= s->gpa + s->size; block += size) {
		const uint8_t *e = flat_at(f, block), *end = e + size / PAGE;

		while (e < end && !*e)
			e++;
		if (e == end || (*e & LEVEL) >= level || !flat_may_be(f, s, block, level))
			continue;
		flat_fill(f, block, size,
			  f->k->tdp_log_recovery == MS_TDP_LOG_RECOVERY_IN_PLACE
				  ? (uint8_t)((*e & ~LEVEL) | level)
				  : 0);
	}
}

/* The slot was set, successfully. */
static inline void flat_set_slot(struct flat *f, unsigned int id, const struct flat_slot *new)
{
	struct flat_slot *s = &f->slot[id], old = *s;

	if (old.size && (!new->size || new->gpa != old.gpa)) {
		if (f->zap_slot)
			flat_zap(f, old.gpa, old.size);
		else
			memset(f->page, 0, sizeof(f->page));
	}
	*s = *new;
	if (!old.size || !(old.flags & new->flags &MS_SLOT_LOG_DIRTY))
		memset(f->dirty[id], 0, sizeof(f->dirty[id]));
	if (!old.size || !new->size || new->gpa != old.gpa || new->flags & MS_SLOT_READONLY)
		return;
	if (~old.flags & new->flags & MS_SLOT_LOG_DIRTY)
		flat_log_on(f, s);
	if (old.flags & ~new->flags & MS_SLOT_LOG_DIRTY) {
		flat_recover(f, s, MS_TDP_1G);
		flat_recover(f, s, MS_TDP_2M);
	}
}

/* What the log says is compared, and pages that it says are protected. */
static inline void flat_get_dirty(struct flat *f, struct ms_vm *vm, unsigned int id)
{
	static uint64_t bitmap[PAGES / 64];
	const struct flat_slot *s = &f->slot[id];

	if (ms_vm_get_dirty(vm, id, bitmap, PAGES / 64, NULL))
		return;
	for (uint64_t i = 0; i < s->size / PAGE; i++) {
		uint8_t *e = flat_at(f, s->gpa + i * PAGE);

		if ((bitmap[i / 64] >> i % 64 & 1) != f->dirty[id][i])
			fail_msg("page %llu of slot %u is %s", (unsigned long long)i, id,
				 f->dirty[id][i] ? "dirty, and not in the log"
						 : "in the log, and not dirty");
		if (f->dirty[id][i] && (*e & LEVEL) == MS_TDP_4K)
			*e &= (uint8_t)~W;
		f->dirty[id][i] = 0;
	}
}

/* ---- compared ---- */

static inline void flat_read_table(struct flat *f, const struct ms_vm *vm)
{
	struct ms_tdp_leaf leaf;

	memset(f->actual, 0, sizeof(f->actual));
	for (ms_ipa_t ipa = 0; ms_tdp_next_leaf(ms_vm_tdp(vm), ipa, UINT64_MAX, &leaf);
	     ipa = leaf.ipa + leaf.size) {
		unsigned int e = leaf.level;

		assert_true(leaf.ipa >= GPA && leaf.ipa + leaf.size <= GPA + SPAN);
		assert_true(leaf.prot & MS_PROT_R);
		e |= leaf.prot & MS_PROT_W ? W : 0;
		e |= leaf.prot & MS_PROT_X ? X : 0;
		e |= leaf.bits & MS_TDP_HOST_WRITABLE ? HOST_W : 0;
		e |= leaf.bits & MS_TDP_MMU_WRITABLE ? MMU_W : 0;
		memset(&f->actual[(leaf.ipa - GPA) / PAGE], (int)e, leaf.size / PAGE);
	}
}

/* The first page that differs; PAGES: none. */
static inline uint64_t flat_difference(struct flat *f, const struct ms_vm *vm)
{
	uint64_t i = 0;

	flat_read_table(f, vm);
	if (!memcmp(f->page, f->actual, sizeof(f->page)))
		return PAGES;
	while (f->page[i] == f->actual[i])
		i++;
	return i;
}

#endif
