/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of memory files share: mapping them, touching them, and what stands in the table.
 */
#ifndef TEST_MM_FILES_H
#define TEST_MM_FILES_H

#include "world.h"

#include "mm/memfile.h"

static inline struct ms_file *memfd(struct world *w, uint64_t size)
{
	struct ms_file *file = ms_memfd_new(w->m, size);

	assert_non_null(file);
	return file;
}

static inline struct ms_file *hugetlb(struct world *w, uint64_t size, uint64_t huge)
{
	struct ms_file *file = ms_memfd_hugetlb_new(w->m, size, huge);

	assert_non_null(file);
	return file;
}

/* arm64 with shmem_enabled=always */
static inline struct world world_shmem_of(const struct ms_policy *policy)
{
	struct ms_machine_config config = { .shmem = MS_THP_ALWAYS };

	return world_config(policy, &config);
}

static inline struct world world_shmem(const char *release)
{
	return world_shmem_of(ms_policy_linux(release, MS_ARCH_ARM64));
}

/* arm64 with `pages` huge pages of 2M */
static inline struct world world_pool(const struct ms_policy *policy, uint64_t pages)
{
	struct ms_machine_config config = { .thp = MS_THP_NEVER, .hugetlb = { { MS_2M, pages } } };

	return world_config(policy, &config);
}

/* [at, at + len) of the file from byte `off` on, readable and writable */
static inline void map_file(struct world *w, struct ms_file *file, ms_hva_t at, uint64_t off,
			    uint64_t len, unsigned int kind)
{
	assert_int_equal(ms_mmap(w->mm, at, len, MS_PROT_RW, kind | MS_MAP_FIXED, file, off), at);
}

static inline void touch(struct world *w, ms_hva_t addr, unsigned int prot)
{
	assert_int_equal(ms_touch(w->mm, addr, prot), MS_ACCESS_OK);
}

static inline struct ms_host_leaf leaf_at(const struct ms_mm *mm, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	assert_true(ms_host_leaf(mm, addr, &leaf));
	return leaf;
}

/* 0: nothing is present */
static inline uint64_t leaf_size(const struct ms_mm *mm, ms_hva_t addr)
{
	struct ms_host_leaf leaf;

	return ms_host_leaf(mm, addr, &leaf) ? leaf.size : 0;
}

static inline ms_pa_t pa_of(const struct ms_mm *mm, ms_hva_t addr)
{
	struct ms_host_leaf leaf = leaf_at(mm, addr);

	return (leaf.entry & MS_PTE_PA_MASK) + (addr - leaf.start);
}

static inline bool writable(const struct world *w, ms_hva_t addr)
{
	return leaf_at(w->mm, addr).entry & MS_PTE_WRITE;
}

static inline uint64_t count_present(const struct world *w, ms_hva_t at, uint64_t npages)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < npages; i++)
		n += present(w, at + i * PAGE);
	return n;
}

static inline size_t notifications(const struct world *w)
{
	return ms_trace_count(w->m, MS_EV_NOTIFIER_START);
}

#endif
