/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process does at random, under a guest.
 *
 *   HVA  |==== 1G ====|==== 1G ====|==== 1G ====|   memory, huge pages, BARs, holes
 */
#ifndef TEST_KVM_X86_PLAY_H
#define TEST_KVM_X86_PLAY_H

#include "world.h"

#define SPAN (3 * MS_1G)
#define PAGES (SPAN / PAGE)
#define NR_SLOTS 4

struct flat; /* of test_flat.c */

struct play {
	struct world w;
	struct flat *f;
	struct ms_file *resource, *vfio, *lazy, *huge_2m, *huge_1g;
	struct ms_mm *child;
	uint64_t random;
	unsigned int seed, step;
	const char *op;
};

static inline uint64_t roll(struct play *p, uint64_t below)
{
	p->random ^= p->random << 13;
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return (p->random >> 11) % below;
}

static inline uint64_t unit(struct play *p)
{
	static const uint64_t units[] = { PAGE, MS_2M, MS_2M, MS_1G };

	return units[roll(p, 4)];
}

/* A part of SPAN: whole blocks of a size, or nearly. */
static inline uint64_t range(struct play *p, uint64_t *len)
{
	const uint64_t u = unit(p);
	uint64_t off = roll(p, SPAN / u) * u;

	*len = (1 + roll(p, 3)) * u;
	if (!roll(p, 3) && *len > 2 * PAGE) {
		off += PAGE;
		*len -= 2 * PAGE;
	}
	if (*len > SPAN - off)
		*len = SPAN - off;
	return off;
}

/* ---- what a process does ---- */

static inline void play_map_memory(struct play *p)
{
	uint64_t len, off = range(p, &len);

	p->op = "mmap of memory";
	ms_mmap(p->w.mm, HVA + off, len, roll(p, 4) ? MS_PROT_RW : MS_PROT_R,
		MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0);
}

static inline void play_map_huge(struct play *p)
{
	const bool large = !roll(p, 2);
	const uint64_t size = large ? MS_1G : MS_2M;

	p->op = "mmap of hugetlb";
	ms_mmap(p->w.mm, HVA + roll(p, SPAN / size) * size, size, MS_PROT_RW,
		MS_MAP_FIXED | (roll(p, 4) ? MS_MAP_SHARED : MS_MAP_PRIVATE),
		large ? p->huge_1g : p->huge_2m, 0);
}

static inline void play_map_device(struct play *p)
{
	struct ms_file *const file[] = { p->resource, p->vfio, p->vfio, p->lazy };
	uint64_t len, off = range(p, &len), which = roll(p, 4);
	uint64_t file_off = off;

	p->op = "mmap of a device";
	if (file[which] == p->vfio)
		file_off += ms_vfio_offset(p->vfio);
	ms_mmap(p->w.mm, HVA + off, len, roll(p, 4) ? MS_PROT_RW : MS_PROT_R,
		MS_MAP_FIXED | (which || roll(p, 4) ? MS_MAP_SHARED : MS_MAP_PRIVATE), file[which],
		file_off);
}

static inline void play_unmap(struct play *p)
{
	uint64_t len, off = range(p, &len);

	p->op = "munmap";
	ms_munmap(p->w.mm, HVA + off, len);
}

static inline void play_protect(struct play *p)
{
	static const unsigned int prot[] = { 0, MS_PROT_R, MS_PROT_RW, MS_PROT_RW };
	uint64_t len, off = range(p, &len);

	p->op = "mprotect";
	ms_mprotect(p->w.mm, HVA + off, len, prot[roll(p, 4)]);
}

static inline void play_advise(struct play *p)
{
	static const enum ms_advice advice[] = { MS_MADV_DONTNEED, MS_MADV_HUGEPAGE,
						 MS_MADV_NOHUGEPAGE, MS_MADV_COLLAPSE,
						 MS_MADV_FREE };
	uint64_t len, off = range(p, &len);

	p->op = "madvise";
	if (len < MS_1G)
		ms_madvise(p->w.mm, HVA + off, len, advice[roll(p, 5)]);
}

static inline void play_fork_or_wait(struct play *p)
{
	p->op = "fork";
	if (p->child)
		ms_mm_exit(p->child);
	p->child = p->child ? NULL : ms_fork(p->w.mm);
}

static inline void play_touch(struct play *p)
{
	p->op = "touch";
	for (uint64_t n = 1 + roll(p, 8); n; n--)
		ms_touch(p->w.mm, HVA + roll(p, SPAN), roll(p, 3) ? MS_PROT_W : MS_PROT_R);
}

static inline void play_revoke(struct play *p)
{
	p->op = "revoke";
	if (roll(p, 2)) {
		ms_pieces_revoke(ms_device_find(p->w.m, "bar"), roll(p, SPAN), roll(p, MS_2M));
	} else {
		ms_vfio_set_memory(p->vfio, false);
		ms_vfio_set_memory(p->vfio, true);
	}
}

static inline void play_age(struct play *p)
{
	uint64_t len, off = range(p, &len);

	p->op = "age";
	ms_mm_clear_young(p->w.mm, HVA + off, HVA + off + len);
}

static inline void process_step(struct play *p)
{
	static void (*const ops[])(struct play *) = {
		play_map_memory,   play_map_memory, play_map_huge, play_map_huge, play_map_device,
		play_map_device,   play_unmap,      play_protect,  play_protect,  play_advise,
		play_fork_or_wait, play_touch,      play_revoke,   play_age,
	};

	ops[roll(p, sizeof(ops) / sizeof(ops[0]))](p);
}

/* The files that are mapped later. */
static inline void play_open(struct play *p)
{
	const struct ms_piece whole = { .len = SPAN };
	struct ms_device *bar;

	bar = ms_device_find(p->w.m, "bar");
	p->resource = ms_pci_resource(bar);
	p->vfio = ms_vfio_open(bar);
	p->lazy = ms_pieces_open(bar, MS_PIECES_LAZY_HUGE, MS_CACHE_UC_MINUS, &whole, 1);
	p->huge_2m = ms_memfd_hugetlb_new(p->w.m, MS_2M, MS_2M);
	p->huge_1g = ms_memfd_hugetlb_new(p->w.m, MS_1G, MS_1G);
	assert_true(p->resource && p->vfio && p->lazy && p->huge_2m && p->huge_1g);
}

#endif
