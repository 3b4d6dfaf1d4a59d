/* SPDX-License-Identifier: GPL-2.0-only */
/* Compound pages in parts. */
#include "world.h"

#include "phys/split.h"

#define RAM UINT64_C(0x40000000)
#define RAM_PFN (RAM >> 12)

/* A compound page at the start of 2G of RAM with `refs` references. */
static void add_page(struct ms_machine *m, unsigned int order, uint8_t flags, uint32_t refs)
{
	ms_pfn_t pfn;

	assert_int_equal(ms_ram_add(m, RAM, 2 * MS_1G), 0);
	assert_true(ms_page_alloc(m, order, flags, &pfn));
	assert_int_equal(pfn, RAM_PFN);
	ms_page_get(m, pfn, refs - 1);
}

/*  |h.......|  ->  |h.|h.|h.|h.|  */
static void parts_have_heads_of_their_own(void **state)
{
	struct ms_machine *m = *state;

	add_page(m, 3, MS_PG_ANON, 8);
	assert_true(ms_page_split(m, RAM_PFN, 1));
	for (ms_pfn_t pfn = RAM_PFN; pfn < RAM_PFN + 8; pfn++) {
		const struct ms_page *page = ms_pfn_to_page(m, pfn);
		bool head = pfn % 2 == 0;

		assert_int_equal(ms_page_head(m, pfn), pfn & ~UINT64_C(1));
		assert_int_equal(page->order, 1);
		assert_int_equal(page->refcount, head ? 2 : 0);
		assert_int_equal(page->flags, head ? MS_PG_ANON : MS_PG_ANON | MS_PG_TAIL);
	}
}

static void part_that_is_given_back_is_free_alone(void **state)
{
	static const unsigned int orders[][2] = {
		{ 3, 0 }, { 9, 0 }, { 9, 4 }, { 12, 9 }, { 12, 3 }, { 18, 10 }, { 18, 9 },
	};

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		struct ms_machine *m = machine_of(MS_ARCH_ARM64);
		uint64_t npages = UINT64_C(1) << orders[i][0], part = UINT64_C(1) << orders[i][1];
		uint64_t before;
		ms_pfn_t pfn;

		add_page(m, orders[i][0], 0, (uint32_t)(npages / part));
		before = ms_ram_free_pages(m);
		assert_true(ms_page_split(m, RAM_PFN, orders[i][1]));
		assert_int_equal(ms_ram_free_pages(m), before);
		ms_page_put(m, RAM_PFN + npages - part, 1);
		assert_int_equal(ms_ram_free_pages(m), before + part);
		// the only page so low that is free is the first of that part
		assert_true(ms_page_alloc(m, 0, 0, &pfn));
		assert_int_equal(pfn, RAM_PFN + npages - part);
		ms_machine_free(m);
	}
}

static void parts_that_are_all_given_back_merge(void **state)
{
	struct ms_machine *m = *state;
	ms_pfn_t pfn;

	add_page(m, 18, 0, 512);
	assert_true(ms_page_split(m, RAM_PFN, 9));
	for (ms_pfn_t at = RAM_PFN; at < RAM_PFN + 0x40000; at += 512)
		ms_page_put(m, at, 1);
	assert_true(ms_page_alloc(m, 18, 0, &pfn));
	assert_int_equal(pfn, RAM_PFN);
}

/*  |--------|  ->  |----|----|  ->  |--|--|----|  ->  |-|-|--|----|  */
static void part_can_be_split_again(void **state)
{
	struct ms_machine *m = *state;

	add_page(m, 10, 0, 1024);
	for (unsigned int order = 10; order-- > 0;)
		assert_true(ms_page_split(m, RAM_PFN, order));
	for (unsigned int order = 0; order < 10; order++) {
		ms_pfn_t head = RAM_PFN + (UINT64_C(1) << order);

		assert_int_equal(ms_page_head(m, head + (UINT64_C(1) << order) - 1), head);
		assert_int_equal(ms_pfn_to_page(m, head)->refcount, 1u << order);
	}
	assert_int_equal(ms_pfn_to_page(m, RAM_PFN)->refcount, 1);
}

static void tail_stands_for_its_compound_page(void **state)
{
	struct ms_machine *m = *state;

	add_page(m, 3, 0, 8);
	assert_true(ms_page_split(m, RAM_PFN + 5, 0));
	assert_int_equal(ms_pfn_to_page(m, RAM_PFN)->refcount, 1);
	assert_int_equal(ms_pfn_to_page(m, RAM_PFN + 7)->refcount, 1);
}

static void split_to_its_own_size_or_more_does_nothing(void **state)
{
	struct ms_machine *m = *state;

	add_page(m, 3, 0, 5);
	assert_true(ms_page_split(m, RAM_PFN, 3));
	assert_true(ms_page_split(m, RAM_PFN, 9));
	assert_int_equal(ms_pfn_to_page(m, RAM_PFN)->order, 3);
	assert_int_equal(ms_pfn_to_page(m, RAM_PFN)->refcount, 5);
}

static void page_with_an_odd_reference_is_not_split(void **state)
{
	struct ms_machine *m = *state;

	add_page(m, 3, 0, 9);
	assert_false(ms_page_split(m, RAM_PFN, 0));
	assert_int_equal(ms_page_head(m, RAM_PFN + 7), RAM_PFN);
	ms_page_put(m, RAM_PFN, 8);
	assert_false(ms_page_split(m, RAM_PFN, 0));
	assert_int_equal(ms_pfn_to_page(m, RAM_PFN)->refcount, 1);
}

static void what_is_not_ram_is_not_split(void **state)
{
	assert_false(ms_page_split(*state, 0x12345, 0));
}

/* A 4M page of which only the head's section has frames. */
static void split_without_memory_for_frames_changes_nothing(void **state)
{
	struct ms_machine *m = *state;

	add_page(m, 10, 0, 1024);
	ms_machine_fail_alloc(m, 1);
	assert_false(ms_page_split(m, RAM_PFN, 0));
	assert_int_equal(ms_page_head(m, RAM_PFN + 1023), RAM_PFN);
	assert_int_equal(ms_pfn_to_page(m, RAM_PFN)->refcount, 1024);
	assert_true(ms_page_split(m, RAM_PFN, 0));
	assert_int_equal(ms_page_head(m, RAM_PFN + 1023), RAM_PFN + 1023);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARM64(parts_have_heads_of_their_own),
		cmocka_unit_test(part_that_is_given_back_is_free_alone),
		ARM64(parts_that_are_all_given_back_merge),
		ARM64(part_can_be_split_again),
		ARM64(tail_stands_for_its_compound_page),
		ARM64(split_to_its_own_size_or_more_does_nothing),
		ARM64(page_with_an_odd_reference_is_not_split),
		ARM64(what_is_not_ram_is_not_split),
		ARM64(split_without_memory_for_frames_changes_nothing),
	};

	return cmocka_run_group_tests_name("split", tests, NULL, NULL);
}
