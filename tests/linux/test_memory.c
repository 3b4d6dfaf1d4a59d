/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A driver's memory: it comes from the machine, can fail, and is missed when it does not go back.
 */
#include "world.h"

static void what_is_allocated_is_counted_until_it_is_freed(void **state)
{
	struct world w = world("6.12.117");
	int *zeroed = kcalloc(4, sizeof(int), GFP_KERNEL);
	unsigned char *raw = kmalloc(16, GFP_KERNEL);
	char *copy = kstrdup("text", GFP_KERNEL);

	assert_int_equal(zeroed[0] | zeroed[1] | zeroed[2] | zeroed[3], 0);
	assert_int_equal(raw[0], 0x5a);
	assert_int_equal(raw[15], 0x5a);
	assert_string_equal(copy, "text");
	assert_int_equal(ms_linux_allocated(w.m), 3);
	kfree(zeroed);
	kfree(raw);
	kfree(copy);
	kfree(NULL);
	assert_int_equal(ms_linux_allocated(w.m), 0);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void any_of_it_can_be_made_to_fail(void **state)
{
	struct world w = world("6.12.117");
	void *p;

	kfree(kmalloc(1, GFP_KERNEL)); // the machine's part of lib/linux is there now
	ms_machine_fail_alloc(w.m, 2);
	p = kzalloc(8, GFP_KERNEL);
	assert_non_null(p);
	assert_null(kzalloc(8, GFP_KERNEL));
	assert_null(kmalloc_array(SIZE_MAX / 2, 3, GFP_KERNEL));
	assert_null(kvmalloc(SIZE_MAX - 8, GFP_KERNEL));
	kfree(p);
	assert_int_equal(ms_linux_allocated(w.m), 0);
	world_end(&w);
}

static void a_double_or_wrong_kfree_is_found(void **state)
{
	struct world w = world("6.12.117");
	char *p = kmalloc(64, GFP_KERNEL);
	int on_the_stack;

	kfree(p + 8);
	kfree(&on_the_stack);
	assert_int_equal(ms_violations(w.m), 2);
	kfree(p);
	kfree(p);
	assert_int_equal(ms_violations(w.m), 3);
	assert_string_equal(violation(&w, 0),
			    "kfree of what kmalloc did not give, or has been freed");
	assert_int_equal(ms_violation_get(w.m, 0)->times, 3);
	world_end(&w);
}

static void pages_are_ram_with_bytes(void **state)
{
	struct world w = world("6.12.117");
	const uint64_t before = ms_ram_free_pages(w.m);
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 1);
	char *bytes = page_address(page);

	assert_true(pfn_valid(page_to_pfn(page)));
	assert_false(pfn_valid(PHYS_PFN(BAR)));
	assert_int_equal(ms_ram_free_pages(w.m), before - 2);
	bytes[2 * PAGE_SIZE - 1] = 1;
	assert_ptr_equal(virt_to_page(bytes), page);
	assert_ptr_equal(virt_to_page(bytes + PAGE_SIZE + 7), page + 1);
	assert_int_equal(virt_to_phys(bytes + PAGE_SIZE + 7), page_to_phys(page) + PAGE_SIZE + 7);
	assert_ptr_equal(page_address(page + 1), bytes + PAGE_SIZE);
	assert_int_equal(ms_linux_allocated(w.m), 1);
	__free_pages(page, 1);
	assert_int_equal(ms_linux_allocated(w.m), 0);
	assert_int_equal(ms_ram_free_pages(w.m), before);
	put_page(page);
	assert_string_equal(violation(&w, 0), "page reference count underflows");
	world_end(&w);
}

static void kmalloc_lies_in_the_linear_map_and_vmalloc_does_not(void **state)
{
	struct world w = world("6.12.117");
	char *buffer = kzalloc(3 * PAGE_SIZE, GFP_KERNEL), *v = vzalloc(3 * PAGE_SIZE);
	char *small = kmalloc(8, GFP_KERNEL);

	assert_true(pfn_valid(virt_to_pfn(buffer)));
	assert_true(PAGE_ALIGNED(buffer));
	assert_int_equal(buffer[3 * PAGE_SIZE - 1], 0);
	assert_int_equal(ms_violations(w.m), 0);
	assert_null(virt_to_page(v));
	assert_int_equal(ms_violations(w.m), 1);
	assert_true(pfn_valid(virt_to_pfn(small)));
	assert_int_equal(virt_to_phys(small) & ~PAGE_MASK, offset_in_page(small));
	assert_true(PageSlab(virt_to_page(small)));
	assert_int_equal(ms_violations(w.m), 1);
	vfree(v);
	kfree(buffer);
	kfree(small);
	assert_int_equal(ms_linux_allocated(w.m), 0);
	world_end(&w);
}

static void coherent_memory_is_physical_memory(void **state)
{
	struct world w = world("6.12.117");
	struct device dev = { .init_name = "dma" };
	dma_addr_t handle = 0;
	char *p = dma_alloc_coherent(&dev, PAGE_SIZE + 1, &handle, GFP_KERNEL);

	assert_non_null(p);
	assert_int_equal(handle, virt_to_phys(p));
	assert_int_equal(p[0], 0);
	dma_free_coherent(&dev, PAGE_SIZE + 1, p, handle);
	assert_int_equal(ms_linux_allocated(w.m), 0);
	assert_int_equal(get_order(1), 0);
	assert_int_equal(get_order(PAGE_SIZE), 0);
	assert_int_equal(get_order(PAGE_SIZE + 1), 1);
	assert_int_equal(get_order(5 * PAGE_SIZE), 3);
	world_end(&w);
}

static void ram_comes_to_an_end(void **state)
{
	struct world w = world("6.12.117");
	struct page *page;
	size_t n = 0;

	while ((page = alloc_page(GFP_KERNEL)))
		n++;
	assert_true(n > 4000);
	assert_int_equal(ms_linux_allocated(w.m), n);
	assert_null((void *)__get_free_page(GFP_KERNEL));
	world_end(&w);
}

static void what_a_driver_forgets_goes_with_the_machine(void **state)
{
	struct world w = world("6.12.117");

	assert_non_null(kmalloc(100, GFP_KERNEL));
	assert_non_null(kmalloc(2 * PAGE_SIZE, GFP_KERNEL));
	assert_non_null((void *)get_zeroed_page(GFP_KERNEL));
	assert_non_null(ioremap(BAR, PAGE_SIZE));
	pr_info("%s", "a message");
	assert_int_equal(ms_linux_allocated(w.m), 3);
	world_end(&w); // the sanitizer finds nothing that is left
}

static void without_a_machine_there_is_no_memory(void **state)
{
	ms_linux_use(NULL);
	assert_null(kmalloc(8, GFP_KERNEL));
	assert_null(alloc_page(GFP_KERNEL));
	assert_null(request_mem_region(BAR, PAGE_SIZE, "nobody"));
	pr_info("heard by nobody\n");
}

static void claims_and_remaps_are_the_machines(void **state)
{
	struct world w = world("6.12.117");
	void __iomem *regs;

	assert_non_null(request_mem_region(BAR, PAGE_SIZE, "mine"));
	assert_null(request_mem_region(BAR, PAGE_SIZE, "his"));
	assert_true(ms_iomem_is_exclusive(w.m, BAR));
	regs = ioremap_wc(BAR + 0x10, PAGE_SIZE);
	assert_int_equal((unsigned long)regs & ~PAGE_MASK, 0x10);
	assert_int_equal(ms_memtype_lookup(w.m, BAR), MS_CACHE_WC);
	assert_int_equal(ms_memtype_lookup(w.m, BAR + PAGE_SIZE), MS_CACHE_WC);
	iounmap(regs);
	assert_int_equal(ms_memtype_lookup(w.m, BAR), MS_CACHE_UC_MINUS);
	release_mem_region(BAR, PAGE_SIZE);
	assert_int_equal(ms_violations(w.m), 0);
	iounmap(regs);
	assert_string_equal(violation(&w, 0), "iounmap of what ioremap did not give");
	release_mem_region(BAR, PAGE_SIZE);
	assert_string_equal(violation(&w, 1), "Trying to free nonexistent resource");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_allocated_is_counted_until_it_is_freed),
		cmocka_unit_test(any_of_it_can_be_made_to_fail),
		cmocka_unit_test(a_double_or_wrong_kfree_is_found),
		cmocka_unit_test(pages_are_ram_with_bytes),
		cmocka_unit_test(kmalloc_lies_in_the_linear_map_and_vmalloc_does_not),
		cmocka_unit_test(coherent_memory_is_physical_memory),
		cmocka_unit_test(ram_comes_to_an_end),
		cmocka_unit_test(what_a_driver_forgets_goes_with_the_machine),
		cmocka_unit_test(without_a_machine_there_is_no_memory),
		cmocka_unit_test(claims_and_remaps_are_the_machines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
