/* SPDX-License-Identifier: GPL-2.0-only */
/* The check of physical memory finds each thing that can be wrong with it. */
#include "broken.h"

#include "phys/phys.h"

#define RAM_PFN (MS_1G / MS_4K)

struct world {
	struct ms_machine *m;
	struct ms_ram *ram;
	struct ms_frames *frames; /* of the first section */
	ms_pfn_t page, huge;      /* in use: a page of the first section, a huge page of another */
	struct ms_mm *mm;
};

/* 1 GiB of RAM; a process has one page and one huge page of it. */
static struct world world(void)
{
	struct world w = { .m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_ARM64)) };
	struct ms_host_leaf leaf;

	assert_non_null(w.m);
	assert_int_equal(ms_ram_add(w.m, MS_1G, MS_1G), 0);
	assert_non_null(ms_device_add(w.m, "low", MS_2M, MS_2M));
	assert_non_null(ms_device_add(w.m, "high", 2 * MS_2M, MS_2M));
	w.mm = ms_mm_new(w.m);
	ms_mmap(w.mm, MS_1G, MS_2M + MS_4K, MS_PROT_RW,
		MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0);
	assert_int_equal(ms_touch(w.mm, MS_1G + MS_2M, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_touch(w.mm, MS_1G, MS_PROT_W), MS_ACCESS_OK);
	assert_true(ms_host_leaf(w.mm, MS_1G + MS_2M, &leaf));
	w.page = (leaf.entry & MS_PTE_PA_MASK) / MS_4K;
	assert_true(ms_host_leaf(w.mm, MS_1G, &leaf));
	assert_int_equal(leaf.size, MS_2M);
	w.huge = (leaf.entry & MS_PTE_PA_MASK) / MS_4K;
	w.ram = &w.m->phys->ram[0];
	w.frames = ms_ram_frames(w.m, w.ram, w.page);
	return w;
}

static void ranges_of_ram_lie_behind_each_other(void **state)
{
	struct world w = world();

	assert_int_equal(ms_ram_add(w.m, 4 * MS_1G, MS_1G), 0);
	w.ram = w.m->phys->ram;
	breaks_u64(w.m, &w.ram[1].start, RAM_PFN + 1, "not behind the range before");
	ms_machine_free(w.m);
}

/*
 *  page frames   |------- section of 2M -------|
 *  RAM           |--first--|    |---second-----------|
 *  in use             *               *
 */
static void two_ranges_may_share_a_section(void **state)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_ARM64));
	struct ms_mm *mm = ms_mm_new(m);

	assert_int_equal(ms_ram_add(m, MS_1G, 0x9f000), 0);
	assert_int_equal(ms_ram_add(m, MS_1G + MS_2M / 2, MS_2M / 2), 0);
	ms_mmap(mm, MS_1G, MS_2M / 2, MS_PROT_RW,
		MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS | MS_MAP_POPULATE, NULL, 0);
	assert_int_equal(ms_machine_check(m, stderr), 0);
	ms_machine_free(m);
}

static void devices_lie_apart_from_each_other_and_from_ram(void **state)
{
	struct world w = world();
	struct ms_device *low = ms_device_find(w.m, "low"), *high = ms_device_find(w.m, "high");

	breaks_u64(w.m, &low->size, 2 * MS_2M, "device high: empty, or overlaps another");
	breaks_u64(w.m, &high->size, 2 * MS_1G, "device high: overlaps System RAM");
	ms_machine_free(w.m);
}

static void free_pages_are_counted(void **state)
{
	struct world w = world();

	breaks_u64(w.m, &w.m->phys->free_pages, 17, "pages are free, 17 are counted");
	ms_machine_free(w.m);
}

static void a_page_is_free_or_has_a_reference(void **state)
{
	struct world w = world();
	struct ms_page *free_page = &w.frames->page[511], *used = ms_pfn_to_page(w.m, w.page);

	breaks_u32(w.m, &free_page->refcount, 1, "is free and has references");
	breaks_u8(w.m, &free_page->flags, MS_PG_ANON, "is free and has what a page in use has");
	breaks_u32(w.m, &used->refcount, 0, "is neither free nor has it a reference");
	ms_machine_free(w.m);
}

static void references_are_as_many_as_holders(void **state)
{
	struct world w = world();
	struct ms_page *page = ms_pfn_to_page(w.m, w.page);
	struct ms_page *huge = ms_pfn_to_page(w.m, w.huge);

	breaks_u32(w.m, &page->refcount, 2, "2 references, 1 holders");
	breaks_u32(w.m, &huge->refcount, 3, "3 references, 1 holders");
	ms_machine_free(w.m);
}

static void pages_of_a_compound_page_know_it(void **state)
{
	struct world w = world();
	struct ms_page *page = ms_pfn_to_page(w.m, w.page);
	struct ms_page *head = ms_pfn_to_page(w.m, w.huge), *tail = head + 5;

	breaks_u8(w.m, &page->order, 9, "does not know how large its compound page is");
	breaks_u8(w.m, &tail->order, 0, "does not know how large its compound page is");
	breaks_u8(w.m, &tail->flags, tail->flags & ~MS_PG_TAIL, "is a tail and does not say so");
	breaks_u8(w.m, &head->flags, head->flags | MS_PG_TAIL, "is a head that says it is a tail");
	breaks_u32(w.m, &tail->refcount, 1, "is a tail with references of its own");
	ms_machine_free(w.m);
}

static void trees_of_free_blocks_agree(void **state)
{
	struct world w = world();
	struct ms_area *area = w.ram->area[ms_area_index(w.ram, w.page)];
	uint8_t *leaf = &w.frames->node[MS_SECTION_PAGES];

	/* the last page of the section is free, and then it is not */
	breaks_u8(w.m, &leaf[511], 0, "not free in a free block");
	breaks_u8(w.m, &w.frames->node[2], 3, "largest free block is not that of the halves");
	breaks_u8(w.m, &area->node[1], 2, "two trees say different things");
	breaks_u8(w.m, &area->section[300].order, 9, "part of a compound page, and free");
	ms_machine_free(w.m);
}

static void what_is_never_handed_out_is_not_free(void **state)
{
	struct world w = world();

	breaks_u64(w.m, &w.ram->usable_start, w.ram->end - 4, "is free and never handed out");
	ms_machine_free(w.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_of_ram_lie_behind_each_other),
		cmocka_unit_test(two_ranges_may_share_a_section),
		cmocka_unit_test(devices_lie_apart_from_each_other_and_from_ram),
		cmocka_unit_test(free_pages_are_counted),
		cmocka_unit_test(a_page_is_free_or_has_a_reference),
		cmocka_unit_test(references_are_as_many_as_holders),
		cmocka_unit_test(pages_of_a_compound_page_know_it),
		cmocka_unit_test(trees_of_free_blocks_agree),
		cmocka_unit_test(what_is_never_handed_out_is_not_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
