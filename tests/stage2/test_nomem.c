/* SPDX-License-Identifier: GPL-2.0-only */
/* Every allocation fails once: the operation says so and the table stays whole. */
#include "host.h"

#define IPA UINT64_C(0x80000000)
#define PA UINT64_C(0x4000000000)

static void a_new_table_without_memory_leaves_nothing_behind(void **state)
{
	struct ms_s2_config config = test_config();

	for (unsigned long n = 1;; n++) {
		struct test_host h = { .fail_at = n };
		struct ms_s2_host host = test_hooks(&h);
		struct ms_s2 *s2 = ms_s2_new(&config, &host);

		if (s2) {
			assert_int_equal(n, 4);
			ms_s2_free(s2);
			return;
		}
		assert_int_equal(errno, ENOMEM);
		assert_int_equal(h.live, 0);
	}
}

/* 300 tables of pages: enough that the list of tables has to grow. */
#define MANY (300 * MS_2M)

static int many_operations(struct ms_s2 *s2, struct ms_s2_cache *cache)
{
	struct ms_s2_cache split = { .count = 0 };
	int ret;

	ret = ms_s2_cache_topup(s2, cache, ms_s2_cache_min(s2));
	if (ret)
		return ret;
	ret = ms_s2_map(s2, IPA, MANY, PA + MS_4K, MS_PROT_RW, cache);
	if (ret)
		return ret;
	ret = ms_s2_map(s2, IPA, MANY, PA, MS_PROT_RW, cache);
	if (ret)
		return ret;
	ret = ms_s2_map(s2, IPA + 7 * MS_2M, MS_4K, PA, MS_PROT_RW, cache);
	if (ret)
		return ret;
	ret = ms_s2_map(s2, IPA, 2 * MS_2M, PA + MS_1G, MS_PROT_RW, cache);
	if (ret)
		return ret;
	ret = ms_s2_cache_fill(s2, &split, 70, 70);
	if (!ret)
		ret = ms_s2_split(s2, IPA, 2 * MS_2M, &split);
	ms_s2_cache_free(s2, &split);
	if (ret)
		return ret;
	return ms_s2_unmap(s2, IPA, MS_1G);
}

static void every_allocation_may_fail_once(void **state)
{
	unsigned int refused = 0;
	bool failed = true;

	for (unsigned long n = 1; failed; n++) {
		struct test_host h;
		struct ms_s2 *s2 = test_s2(&h, test_config());
		struct ms_s2_cache cache = { .count = 0 };
		int ret;

		h.fail_at = h.allocs + n;
		ret = many_operations(s2, &cache);
		failed = h.allocs >= h.fail_at;
		assert_true(ret == -ENOMEM || ret == 0);
		refused += ret == -ENOMEM;
		assert_null(ms_s2_check(s2));
		/* Memory is back: everything works. */
		assert_int_equal(ms_s2_unmap(s2, 0, UINT64_C(1) << 40), 0);
		assert_int_equal(ms_s2_table_pages(s2), 0);
		h.fail_at = 0;
		assert_int_equal(ms_s2_map(s2, IPA, MS_4K, PA, MS_PROT_RW, &cache), 0);
		ms_s2_cache_free(s2, &cache);
		test_s2_end(&h, s2);
	}
	/* All but those of a cache that had its minimum already. */
	assert_true(refused > 300 - MS_S2_CACHE_CAPACITY);
}

/* What was mapped before the failure stays; the entry that failed is as it was. */
static void map_without_memory_keeps_what_it_wrote(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	struct ms_s2_cache cache = { .count = 0 };

	assert_int_equal(test_map(s2, IPA + MS_2M, MS_2M, PA, MS_PROT_R), 0);
	h.fail_from = h.allocs + 2;
	assert_int_equal(
		ms_s2_map(s2, IPA + MS_2M - MS_4K, 2 * MS_4K, PA + MS_2M, MS_PROT_RW, &cache),
		-ENOMEM);
	assert_leaf(s2, IPA + MS_2M - 1, IPA + MS_2M - MS_4K, MS_4K, PA + MS_2M, MS_PROT_RW);
	assert_leaf(s2, IPA + MS_2M, IPA + MS_2M, MS_2M, PA, MS_PROT_R);
	test_s2_end(&h, s2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_table_without_memory_leaves_nothing_behind),
		cmocka_unit_test(every_allocation_may_fail_once),
		cmocka_unit_test(map_without_memory_keeps_what_it_wrote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
