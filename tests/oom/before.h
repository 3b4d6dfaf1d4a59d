/* SPDX-License-Identifier: GPL-2.0-only */
/* What operations find: the worlds in which their allocations fail. */
#ifndef TESTS_OOM_BEFORE_H
#define TESTS_OOM_BEFORE_H

#include "oom.h"

#include "../kernels.h"

#define A UINT64_C(0x200000000000)
#define B UINT64_C(0x200040000000)
#define PAGE MS_4K
#define SIZE (2 * MS_2M)
#define GPA UINT64_C(0x80000000)

static inline int64_t map(struct world *w, ms_hva_t addr, uint64_t len, unsigned int flags,
			  struct ms_file *file, uint64_t off)
{
	return ms_mmap(w->mm, addr, len, MS_PROT_RW, flags | MS_MAP_FIXED, file, off);
}

static inline void must(int64_t answer)
{
	assert_true(answer >= 0);
}

static inline void touch(struct world *w, ms_hva_t addr)
{
	assert_int_equal(ms_touch(w->mm, addr, MS_PROT_W), MS_ACCESS_OK);
}

static inline void with_anon(struct world *w)
{
	must(map(w, A, SIZE + PAGE, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS, NULL, 0));
}

static inline void with_anon_pages(struct world *w)
{
	with_anon(w);
	must(ms_madvise(w->mm, A, SIZE, MS_MADV_NOHUGEPAGE));
	for (unsigned int i = 0; i < 4; i++)
		touch(w, A + i * PAGE);
}

static inline void with_pages_for_collapse(struct world *w)
{
	with_anon_pages(w);
	must(ms_madvise(w->mm, A, SIZE, MS_MADV_HUGEPAGE));
}

static inline void with_huge_anon(struct world *w)
{
	with_anon(w);
	touch(w, A);
	touch(w, A + SIZE);
}

static inline void with_huge_zero(struct world *w)
{
	with_anon(w);
	assert_int_equal(ms_touch(w->mm, A, MS_PROT_R), MS_ACCESS_OK);
}

static inline void with_shared(struct world *w)
{
	must(map(w, A, SIZE, MS_MAP_SHARED, w->memory, 0));
}

static inline void with_shared_pages(struct world *w)
{
	with_shared(w);
	for (unsigned int i = 0; i < 4; i++)
		touch(w, A + i * PAGE);
}

static inline void with_private(struct world *w)
{
	must(map(w, A, SIZE, MS_MAP_PRIVATE, w->memory, 0));
}

static inline void with_read_private(struct world *w)
{
	with_private(w);
	assert_int_equal(ms_touch(w->mm, A, MS_PROT_R), MS_ACCESS_OK);
}

static inline void with_hugetlb(struct world *w)
{
	must(map(w, A, SIZE, MS_MAP_SHARED, w->hugetlb, 0));
}

static inline void with_private_hugetlb(struct world *w)
{
	must(map(w, A, SIZE, MS_MAP_PRIVATE, w->hugetlb, 0));
}

static inline void with_device(struct world *w)
{
	must(map(w, A, SIZE, MS_MAP_SHARED, ms_pci_resource(w->bar), 0));
}

static inline void with_vfio_file(struct world *w)
{
	w->vfio = ms_vfio_open(w->bar);
	assert_non_null(w->vfio);
}

static inline void with_vfio(struct world *w)
{
	with_vfio_file(w);
	must(map(w, A, SIZE, MS_MAP_SHARED, w->vfio, ms_vfio_offset(w->vfio)));
}

static inline void with_pieces(struct world *w)
{
	const struct ms_piece piece = { 0, SIZE, 0 };

	w->file = ms_pieces_open(w->bar, MS_PIECES_AT_MMAP, MS_CACHE_WC, &piece, 1);
	assert_non_null(w->file);
}

static inline void with_lazy(struct world *w)
{
	w->file = ms_lazy_open(w->bar, 0, MS_CACHE_WC, 0);
	assert_non_null(w->file);
	must(map(w, A, SIZE, MS_MAP_SHARED, w->file, 0));
}

/* A bit of everything, for those who go over a whole process. */
static inline void with_much(struct world *w)
{
	with_huge_anon(w);
	must(map(w, B, SIZE, MS_MAP_PRIVATE, w->memory, 0));
	touch(w, B);
	must(map(w, B + SIZE, SIZE, MS_MAP_PRIVATE, w->hugetlb, 0));
	touch(w, B + SIZE);
	must(map(w, B + 2 * SIZE, SIZE, MS_MAP_SHARED, w->memory, 0));
	touch(w, B + 2 * SIZE);
}

static inline void with_slot_of(struct world *w, unsigned int flags)
{
	must(ms_vm_set_slot(w->vm, 1, GPA, SIZE, A, flags));
}

static inline void with_device_slot(struct world *w)
{
	with_device(w);
	with_slot_of(w, 0);
}

static inline void with_ram_slot(struct world *w)
{
	with_anon_pages(w);
	with_slot_of(w, 0);
}

static inline void with_huge_slot(struct world *w)
{
	with_huge_anon(w);
	with_slot_of(w, 0);
	assert_int_equal(ms_guest_write(w->vm, GPA).exit, MS_GUEST_OK);
}

static inline void with_logged_slot(struct world *w)
{
	with_huge_slot(w);
	with_slot_of(w, MS_SLOT_LOG_DIRTY);
}

#endif
