/* SPDX-License-Identifier: GPL-2.0-only */
/* struct page as a driver's code knows it: counts, compound pages, slabs, locks, members. */
#include "world.h"

static void the_tails_of_pages_without_gfp_comp_have_no_reference(void **state)
{
	struct world w = world("6.12.117");
	const uint64_t before = ms_ram_free_pages(w.m);
	struct page *page = alloc_pages(GFP_KERNEL, 2);

	assert_false(PageCompound(page));
	assert_int_equal(compound_order(page), 0);
	assert_int_equal(page_count(page), 1);
	for (int i = 1; i < 4; i++) {
		assert_int_equal(page_count(page + i), 0);
		assert_ptr_equal(compound_head(page + i), page + i);
		assert_int_equal(page_to_pfn(page + i), page_to_pfn(page) + (unsigned long)i);
	}
	assert_int_equal(ms_ram_free_pages(w.m), before - 4);
	assert_int_equal(ms_machine_check(w.m, stderr), 0);
	__free_pages(page, 2);
	assert_int_equal(ms_ram_free_pages(w.m), before);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void compound_pages_count_in_their_head(void **state)
{
	struct world w = world("6.12.117");
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	struct folio *folio = page_folio(page + 3);

	assert_true(PageHead(page));
	assert_true(PageTail(page + 1));
	assert_true(PageCompound(page + 3));
	assert_ptr_equal(&folio->page, page);
	assert_int_equal(folio_order(folio), 2);
	assert_int_equal(folio_nr_pages(folio), 4);
	assert_int_equal(folio_pfn(folio), page_to_pfn(page));
	get_page(page + 2);
	assert_int_equal(page_count(page), 2);
	assert_int_equal(page_count(page + 1), 2);
	put_page(page + 1);
	folio_put(folio);
	assert_int_equal(ms_linux_allocated(w.m), 0);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void split_page_gives_each_page_its_count(void **state)
{
	struct world w = world("6.12.117");
	struct page *page = alloc_pages(GFP_KERNEL, 2);
	char *bytes = page_address(page);

	bytes[2 * PAGE_SIZE] = 7;
	split_page(page, 2);
	for (int i = 0; i < 4; i++)
		assert_int_equal(page_count(page + i), 1);
	__free_page(page + 1);
	assert_int_equal(((char *)page_address(page + 2))[0], 7);
	assert_ptr_equal(virt_to_page(bytes + 3 * PAGE_SIZE), page + 3);
	assert_int_equal(ms_linux_allocated(w.m), 2); // two runs are left
	__free_page(page);
	__free_page(page + 3);
	__free_page(page + 2);
	assert_int_equal(ms_linux_allocated(w.m), 0);
	assert_int_equal(ms_violations(w.m), 0);
	split_page(page, 0);
	assert_string_equal(violation(&w, 0), "split_page of a page that is compound, or free");
	world_end(&w);
}

static void exact_pages_take_no_more_than_they_need(void **state)
{
	struct world w = world("6.12.117");
	const uint64_t before = ms_ram_free_pages(w.m);
	char *p = alloc_pages_exact(5 * PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);

	assert_int_equal(ms_ram_free_pages(w.m), before - 5);
	assert_int_equal(page_count(virt_to_page(p + 4 * PAGE_SIZE)), 1);
	p[5 * PAGE_SIZE - 1] = 1;
	free_pages_exact(p, 5 * PAGE_SIZE);
	assert_int_equal(ms_ram_free_pages(w.m), before);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void a_reference_to_a_tail_without_one_is_found(void **state)
{
	struct world w = world("6.12.117");
	struct page *page = alloc_pages(GFP_KERNEL, 1);

	get_page(page + 1);
	assert_violated(&w, 0,
			"get_page of a page without a reference: the tail of pages that were "
			"allocated without __GFP_COMP",
			page_to_phys(page + 1), 0);
	put_page(page + 1); // it is free now, by itself
	__free_pages(page, 1);
	assert_violated(&w, 1, "a page of a block is freed a second time", page_to_phys(page + 1),
			0);
	world_end(&w);
}

/* __free_pages() while somebody else holds the first page: the others go at once. */
static void a_block_is_freed_around_a_page_that_is_held(void **state)
{
	struct world w = world("6.12.117");
	const uint64_t before = ms_ram_free_pages(w.m);
	struct page *page = alloc_pages(GFP_KERNEL, 2);

	get_page(page);
	__free_pages(page, 2);
	assert_int_equal(ms_ram_free_pages(w.m), before - 1);
	put_page(page);
	assert_int_equal(ms_ram_free_pages(w.m), before);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void pages_of_kmalloc_are_of_a_slab_or_large(void **state)
{
	struct world w = world("6.12.117");
	char *small = kmalloc(100, GFP_KERNEL), *page = kmalloc(PAGE_SIZE, GFP_KERNEL);
	char *large = kmalloc(5 * PAGE_SIZE, GFP_KERNEL), *other = kmalloc(100, GFP_KERNEL);

	assert_true(PageSlab(virt_to_page(small)));
	assert_int_equal(virt_to_pfn(small), virt_to_pfn(other));
	assert_true(PageSlab(virt_to_page(page)));
	assert_false(PageSlab(virt_to_page(large)));
	assert_true(PageLargeKmalloc(virt_to_page(large)));
	assert_true(PageTail(virt_to_page(large + PAGE_SIZE)));
	assert_int_equal(ms_violations(w.m), 0);
	kfree(small);
	assert_true(PageSlab(virt_to_page(other)));
	kfree(other);
	kfree(page);
	kfree(large);
	assert_int_equal(ms_linux_allocated(w.m), 0);
	world_end(&w);
}

static void from_6_15_on_memory_of_kmalloc_is_not_counted_by_pages(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct world w = world(k->release);
		const bool warned = k->page_get_kmalloc == MS_PAGE_GET_KMALLOC_WARNED;
		void *p = kmalloc(100, GFP_KERNEL);

		get_page(virt_to_page(p));
		put_page(virt_to_page(p));
		assert_int_equal(ms_violations(w.m), warned);
		if (warned)
			assert_string_equal(violation(&w, 0), "get_page of memory of kmalloc");
		kfree(p);
		world_end(&w);
	}
}

static void what_a_driver_keeps_in_a_page_is_there_until_it_is_freed(void **state)
{
	struct world w = world("6.12.117");
	struct page *page = alloc_page(GFP_KERNEL);
	LIST_HEAD(pages);
	unsigned long pfn = page_to_pfn(page);

	page->index = 5;
	set_page_private(page, 17);
	SetPageDirty(page);
	list_add(&page->lru, &pages);
	assert_ptr_equal(list_first_entry(&pages, struct page, lru), page);
	assert_ptr_equal(pfn_to_page(pfn), page);
	assert_int_equal(page_private(page), 17);
	assert_false(set_page_dirty(page));
	list_del(&page->lru);
	__free_page(page);
	page = alloc_page(GFP_KERNEL);
	assert_int_equal(page_to_pfn(page), pfn);
	assert_int_equal(page->index + page_private(page) + PageDirty(page), 0);
	__free_page(page);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void a_page_in_a_bad_state_is_not_freed_in_silence(void **state)
{
	struct world w = world("6.12.117");
	struct page *page = alloc_page(GFP_KERNEL);
	struct address_space mapping;

	page->mapping = &mapping;
	__free_page(page);
	assert_string_equal(violation(&w, 0),
			    "Bad page state: a page is freed with page->mapping set");
	page = alloc_page(GFP_KERNEL);
	lock_page(page);
	lock_page(page);
	assert_string_equal(violation(&w, 1),
			    "lock_page of a page that is locked: it waits for ever");
	assert_false(trylock_page(page));
	unlock_page(page);
	unlock_page(page);
	assert_string_equal(violation(&w, 2), "unlock_page of a page that is not locked");
	SetPageReserved(page);
	assert_true(PageReserved(page));
	__free_page(page);
	assert_string_equal(violation(&w, 3),
			    "Bad page state: a page is freed while it is reserved");
	page = alloc_page(GFP_KERNEL);
	SetPageReserved(page);
	ClearPageReserved(page);
	__free_page(page);
	assert_int_equal(ms_violations(w.m), 4);
	world_end(&w);
}

/* Each page of an allocation, whatever its size, has its struct page beside the one before. */
static void large_allocations_fail_and_are_taken_back(void **state)
{
	struct world w = world("6.12.117");
	const uint64_t before = ms_ram_free_pages(w.m);

	for (unsigned int order = 0; order < 12; order++)
		for (uint64_t n = 1; n < 8; n++) {
			struct page *page;

			ms_machine_fail_alloc(w.m, n);
			page = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);
			ms_machine_fail_alloc(w.m, 0);
			if (page)
				__free_pages(page, order);
			assert_int_equal(ms_ram_free_pages(w.m), before);
			assert_int_equal(ms_machine_check(w.m, stderr), 0);
		}
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void what_is_left_says_how_often_it_is_held(void **state)
{
	struct world w = world("6.12.117");
	struct page *page = alloc_page(GFP_KERNEL);

	page_ref_add(page, 2);
	assert_int_equal(ms_linux_leaks(w.m), 1);
	assert_violated(&w, 0, "pages of RAM are never freed", page_to_phys(page),
			page_to_phys(page));
	world_end(&w);
}

/* ---- vmalloc ---- */

static void vmalloc_memory_is_made_of_pages(void **state)
{
	struct world w = world("6.12.117");
	const uint64_t before = ms_ram_free_pages(w.m);
	char *p = vmalloc(3 * PAGE_SIZE - 5);

	assert_true(is_vmalloc_addr(p + PAGE_SIZE));
	assert_false(is_vmalloc_addr(&w));
	assert_int_equal(ms_ram_free_pages(w.m), before - 3);
	assert_int_equal(page_count(vmalloc_to_page(p + 2 * PAGE_SIZE)), 1);
	assert_int_not_equal(vmalloc_to_pfn(p), vmalloc_to_pfn(p + PAGE_SIZE));
	assert_int_equal(ms_linux_allocated(w.m), 1);
	assert_int_equal(ms_violations(w.m), 0);
	kfree(p);
	assert_string_equal(violation(&w, 0),
			    "kfree of what kmalloc did not give, or has been freed");
	vfree(p);
	assert_int_equal(ms_ram_free_pages(w.m), before);
	vfree(p);
	assert_string_equal(violation(&w, 1),
			    "vfree of what vmalloc did not give, or has been freed");
	p = kvmalloc(PAGE_SIZE, GFP_KERNEL);
	kvfree(p);
	assert_int_equal(ms_linux_allocated(w.m), 0);
	assert_int_equal(ms_violations(w.m), 2);
	world_end(&w);
}

static void vmalloc_fails_as_a_whole(void **state)
{
	struct world w = world("6.12.117");
	const uint64_t before = ms_ram_free_pages(w.m);

	vfree(vmalloc(PAGE_SIZE));
	assert_null(vmalloc(SZ_64M));
	for (uint64_t n = 1; n < 9; n++) {
		ms_machine_fail_alloc(w.m, n);
		vfree(vmalloc(3 * PAGE_SIZE));
		ms_machine_fail_alloc(w.m, 0);
		assert_int_equal(ms_ram_free_pages(w.m), before);
		assert_int_equal(ms_linux_allocated(w.m), 0);
		assert_int_equal(ms_machine_check(w.m, stderr), 0);
	}
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_tails_of_pages_without_gfp_comp_have_no_reference),
		cmocka_unit_test(compound_pages_count_in_their_head),
		cmocka_unit_test(split_page_gives_each_page_its_count),
		cmocka_unit_test(exact_pages_take_no_more_than_they_need),
		cmocka_unit_test(a_reference_to_a_tail_without_one_is_found),
		cmocka_unit_test(a_block_is_freed_around_a_page_that_is_held),
		cmocka_unit_test(pages_of_kmalloc_are_of_a_slab_or_large),
		cmocka_unit_test(from_6_15_on_memory_of_kmalloc_is_not_counted_by_pages),
		cmocka_unit_test(what_a_driver_keeps_in_a_page_is_there_until_it_is_freed),
		cmocka_unit_test(a_page_in_a_bad_state_is_not_freed_in_silence),
		cmocka_unit_test(large_allocations_fail_and_are_taken_back),
		cmocka_unit_test(what_is_left_says_how_often_it_is_held),
		cmocka_unit_test(vmalloc_memory_is_made_of_pages),
		cmocka_unit_test(vmalloc_fails_as_a_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
