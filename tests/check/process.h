/* SPDX-License-Identifier: GPL-2.0-only */
/* A process with a bit of everything, for tests that break it. */
#ifndef TESTS_CHECK_PROCESS_H
#define TESTS_CHECK_PROCESS_H

#include "broken.h"

#include "mm/pgtable.h"
#include "phys/phys.h"

/*
 * ANON: a huge page and a page, private. SHARED: 4 pages of a file, and again the last 2 behind
 * them. PRIVATE: 4 pages of it, the first was read, the second written. HUGETLB: two huge pages of
 * 64K.
 */
#define ANON UINT64_C(0x200000000000)
#define SHARED UINT64_C(0x200010000000)
#define PRIVATE UINT64_C(0x200020000000)
#define HUGETLB UINT64_C(0x200030000000)
#define DEVICE UINT64_C(0x200040000000)
#define PAGE MS_4K
#define BAR UINT64_C(0x8000000000)

struct world {
	struct ms_machine *m;
	struct ms_mm *mm;
	struct ms_file *file;
};

static inline void map(const struct world *w, ms_hva_t addr, uint64_t len, unsigned int flags,
		       struct ms_file *file, uint64_t off)
{
	assert_int_equal(ms_mmap(w->mm, addr, len, MS_PROT_RW, flags | MS_MAP_FIXED, file, off),
			 (int64_t)addr);
}

static inline void touch(const struct world *w, ms_hva_t addr, unsigned int prot)
{
	assert_int_equal(ms_touch(w->mm, addr, prot), MS_ACCESS_OK);
}

static inline struct world world(void)
{
	struct world w = { .m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_ARM64)) };
	struct ms_device *bar;

	assert_non_null(w.m);
	assert_int_equal(ms_ram_add(w.m, MS_1G, MS_1G), 0);
	bar = ms_device_add(w.m, "bar", BAR, MS_2M);
	w.mm = ms_mm_new(w.m);
	w.file = ms_memfd_new(w.m, 4 * PAGE);
	map(&w, ANON, MS_2M + PAGE, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS, NULL, 0);
	touch(&w, ANON, MS_PROT_W);
	touch(&w, ANON + MS_2M, MS_PROT_W);
	map(&w, SHARED, 4 * PAGE, MS_MAP_SHARED, w.file, 0);
	map(&w, SHARED + 4 * PAGE, 2 * PAGE, MS_MAP_SHARED, w.file, 2 * PAGE);
	for (unsigned int i = 0; i < 6; i++)
		touch(&w, SHARED + i * PAGE, MS_PROT_W);
	map(&w, PRIVATE, 4 * PAGE, MS_MAP_PRIVATE, w.file, 0);
	touch(&w, PRIVATE, MS_PROT_R);
	touch(&w, PRIVATE + PAGE, MS_PROT_W);
	map(&w, HUGETLB, 0x20000, MS_MAP_SHARED, ms_memfd_hugetlb_new(w.m, 0x20000, 0x10000), 0);
	touch(&w, HUGETLB, MS_PROT_W);
	map(&w, DEVICE, PAGE, MS_MAP_SHARED, ms_pci_resource(bar), 0);
	assert_whole(w.m);
	return w;
}

static inline void world_end(struct world *w)
{
	assert_whole(w->m);
	ms_machine_free(w->m);
}

static inline struct ms_vma *vma_at(const struct world *w, ms_hva_t addr)
{
	struct ms_vma *vma = ms_vma_lookup(w->mm, addr);

	assert_non_null(vma);
	return vma;
}

static inline uint64_t *pte(const struct world *w, ms_hva_t addr)
{
	uint64_t *slot = ms_pt_slot(w->mm, addr, MS_LEVEL_PTE);

	assert_non_null(slot);
	return slot;
}

static inline struct ms_page *page_of(const struct world *w, uint64_t entry)
{
	return ms_pfn_to_page(w->m, ms_pte_pfn(w->m, entry));
}

#endif
