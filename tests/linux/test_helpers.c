/* SPDX-License-Identifier: GPL-2.0-only */
/* The small things that every driver uses: lists, rounding, errors in pointers, counts. */
#include "world.h"

struct item {
	int value;
	struct list_head link;
};

static int sum(struct list_head *head)
{
	struct item *item;
	int digits = 0;

	list_for_each_entry(item, head, link) digits = digits * 10 + item->value;
	return digits;
}

static void lists_keep_their_order(void **state)
{
	struct item a = { .value = 1 }, b = { .value = 2 }, c = { .value = 3 }, *pos, *next;
	LIST_HEAD(head);
	LIST_HEAD(other);

	assert_true(list_empty(&head));
	assert_null(list_first_entry_or_null(&head, struct item, link));
	list_add_tail(&b.link, &head);
	list_add_tail(&c.link, &head);
	list_add(&a.link, &head);
	assert_int_equal(sum(&head), 123);
	assert_ptr_equal(list_first_entry(&head, struct item, link), &a);
	assert_ptr_equal(list_last_entry(&head, struct item, link), &c);
	assert_ptr_equal(list_next_entry(&a, link), &b);
	assert_true(list_is_last(&c.link, &head));
	list_move(&c.link, &head);
	assert_int_equal(sum(&head), 312);
	list_del(&a.link);
	assert_ptr_equal(a.link.next, LIST_POISON1);
	assert_int_equal(sum(&head), 32);
	list_splice_init(&head, &other);
	assert_true(list_empty(&head));
	assert_int_equal(sum(&other), 32);
	list_for_each_entry_safe(pos, next, &other, link) list_del_init(&pos->link);
	assert_true(list_empty(&other));
	assert_true(list_empty(&b.link));
}

static void rounding_and_choosing_give_the_kernels_numbers(void **state)
{
	const unsigned long a = 5, b = 7;

	assert_int_equal(min(a, b) + max(a, b), 12);
	assert_int_equal(min3(b, a, b), 5);
	assert_int_equal(max_t(unsigned int, 3, -1), UINT_MAX);
	assert_int_equal(clamp(9ul, a, b), 7);
	assert_int_equal(ALIGN(0x1001ul, 0x1000), 0x2000);
	assert_int_equal(ALIGN_DOWN(0x1fff, 0x1000), 0x1000);
	assert_true(IS_ALIGNED(0x4000, 0x1000));
	assert_int_equal(roundup(10, 3), 12);
	assert_int_equal(DIV_ROUND_UP(10, 3), 4);
	assert_int_equal(PAGE_ALIGN(1ul), 0x1000);
	assert_int_equal(PFN_UP(0x1001ul), 2);
	assert_int_equal(PFN_DOWN(0x1fff), 1);
	assert_int_equal(PFN_PHYS(2), 0x2000);
	assert_int_equal(offset_in_page(0x12345ul), 0x345);
	assert_int_equal(BIT(40) >> 40, 1);
	assert_int_equal(GENMASK(7, 4), 0xf0);
	assert_int_equal(ilog2(4096), 12);
	assert_true(is_power_of_2(64) && !is_power_of_2(48) && !is_power_of_2(0));
	assert_int_equal(upper_32_bits(0x123456789abull), 0x123);
	assert_int_equal(PMD_SIZE, SZ_2M);
	assert_int_equal(PUD_ORDER, 18);
	BUILD_BUG_ON(sizeof(u64) != 8);
}

static void errors_travel_in_pointers(void **state)
{
	int here;

	assert_true(IS_ERR(ERR_PTR(-ENOMEM)));
	assert_int_equal(PTR_ERR(ERR_PTR(-EINVAL)), -EINVAL);
	assert_false(IS_ERR(&here));
	assert_false(IS_ERR(NULL));
	assert_true(IS_ERR_OR_NULL(NULL));
	assert_int_equal(PTR_ERR_OR_ZERO(&here), 0);
	assert_int_equal(vmf_error(-ENOMEM), VM_FAULT_OOM);
	assert_int_equal(vmf_error(-EINVAL), VM_FAULT_SIGBUS);
}

#define CONFIG_SET 1

static void options_are_on_when_they_are_1(void **state)
{
	assert_true(IS_ENABLED(CONFIG_SET));
	assert_false(IS_ENABLED(CONFIG_NOT_SET));
}

static unsigned int released;

static void release_kref(struct kref *kref)
{
	assert_int_equal(kref_read(kref), 0);
	released++;
}

static void counts_complain(void **state)
{
	struct world w = world("6.12.117");
	struct kref kref;
	refcount_t count = REFCOUNT_INIT(1);

	kref_init(&kref);
	kref_get(&kref);
	assert_int_equal(kref_put(&kref, release_kref), 0);
	assert_int_equal(kref_put(&kref, release_kref), 1);
	assert_int_equal(released, 1);
	assert_false(kref_get_unless_zero(&kref));
	assert_int_equal(ms_violations(w.m), 0);
	kref_get(&kref);
	assert_string_equal(violation(&w, 0), "refcount_t: addition on 0; use-after-free");
	assert_true(refcount_dec_and_test(&count));
	assert_false(refcount_dec_and_test(&count));
	assert_string_equal(violation(&w, 1), "refcount_t: underflow; use-after-free");
	world_end(&w);
}

static void strings_are_cut_and_say_so(void **state)
{
	char buf[4];

	assert_int_equal(strscpy(buf, "abc", sizeof(buf)), 3);
	assert_int_equal(strscpy(buf, "abcd", sizeof(buf)), -E2BIG);
	assert_string_equal(buf, "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_keep_their_order),
		cmocka_unit_test(rounding_and_choosing_give_the_kernels_numbers),
		cmocka_unit_test(errors_travel_in_pointers),
		cmocka_unit_test(options_are_on_when_they_are_1),
		cmocka_unit_test(counts_complain),
		cmocka_unit_test(strings_are_cut_and_say_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
