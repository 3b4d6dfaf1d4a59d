/* SPDX-License-Identifier: GPL-2.0-only */
/* The VMAs over a file, found by a range of its pages. */
#include "world.h"

#define PAGES 64u
#define PLACES 24u

/* Place i of the address space may hold one VMA of the file. */
struct places {
	struct world w;
	struct ms_file *file;
	unsigned int first[PLACES], npages[PLACES]; /* of the file; 0 pages: nothing is mapped */
	uint64_t seed;
};

static unsigned int draw(struct places *p, unsigned int below)
{
	p->seed ^= p->seed << 13;
	p->seed ^= p->seed >> 7;
	p->seed ^= p->seed << 17;
	return (unsigned int)((p->seed >> 11) % below);
}

static ms_hva_t address(unsigned int place)
{
	return A + place * MS_2M;
}

static void map_place(struct places *p, unsigned int i)
{
	p->npages[i] = 1 + draw(p, 6);
	p->first[i] = draw(p, PAGES - p->npages[i]);
	assert_int_equal(ms_mmap(p->w.mm, address(i), p->npages[i] * PAGE, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED, p->file, p->first[i] * PAGE),
			 (int64_t)address(i));
}

static void unmap_place(struct places *p, unsigned int i)
{
	assert_int_equal(ms_munmap(p->w.mm, address(i), p->npages[i] * PAGE), 0);
	p->npages[i] = 0;
}

static void touch_all(struct places *p)
{
	for (unsigned int i = 0; i < PLACES; i++)
		for (unsigned int j = 0; j < p->npages[i]; j++)
			assert_int_equal(ms_touch(p->w.mm, address(i) + j * PAGE, MS_PROT_W),
					 MS_ACCESS_OK);
}

/* What of the file's page is mapped went, everything else is there. */
static void assert_gone(struct places *p, unsigned int page)
{
	for (unsigned int i = 0; i < PLACES; i++)
		for (unsigned int j = 0; j < p->npages[i]; j++)
			assert_int_equal(present(&p->w, address(i) + j * PAGE),
					 p->first[i] + j != page);
}

static void every_vma_over_a_page_is_found_whatever_was_unmapped_before(void **state)
{
	struct places p = { .w = world("6.12.117"), .seed = 88172645463325252 };

	p.file = ms_memfd_new(p.w.m, PAGES * PAGE);
	for (unsigned int round = 0; round < 400; round++) {
		unsigned int i = draw(&p, PLACES), page = draw(&p, PAGES);

		if (p.npages[i])
			unmap_place(&p, i);
		else
			map_place(&p, i);
		touch_all(&p);
		ms_unmap_mapping_range(p.file, page * PAGE, PAGE, true);
		assert_gone(&p, page);
		assert_int_equal(ms_machine_check(p.w.m, stderr), 0);
	}
	world_end(&p.w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_vma_over_a_page_is_found_whatever_was_unmapped_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
