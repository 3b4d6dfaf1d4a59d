/* SPDX-License-Identifier: GPL-2.0-only */
/* Every allocation fails once: the operation says so, and the table is as it was before. */
#include "host.h"

static void a_new_table_without_memory_leaves_nothing_behind(void **state)
{
	struct ms_tdp_config config = test_config();

	for (unsigned long n = 1;; n++) {
		struct test_host h = { .fail_at = n };
		struct ms_tdp_host host = { &h, host_alloc, host_free, host_change };
		struct ms_tdp *tdp = NULL;
		int ret = ms_tdp_new(&tdp, &config, &host);

		if (!ret) {
			assert_int_equal(n, 3);
			ms_tdp_free(tdp);
			return;
		}
		assert_int_equal(ret, -ENOMEM);
		assert_null(tdp);
		assert_int_equal(h.live, 0);
	}
}

/* What the steps do, each on a table as the ones before it have left it. */
static int step(struct ms_tdp *tdp, unsigned int i)
{
	switch (i) {
	case 0:
		return ms_tdp_map(tdp, IPA, MS_TDP_4K, PA, RWX);
	case 1:
		return ms_tdp_map(tdp, IPA + MS_1G, MS_TDP_1G, PA, RWX);
	case 2:
		return ms_tdp_map(tdp, IPA + MS_1G + MS_4K, MS_TDP_4K, PA + MS_4K, RX);
	case 3:
		return ms_tdp_mark_mmio(tdp, IPA + 2 * MS_1G, 1);
	case 4:
		ms_tdp_zap(tdp, IPA, MS_2M);
		return ms_tdp_map(tdp, IPA + MS_4K, MS_TDP_4K, PA, RX); // a page for the table
	case 5:
		return ms_tdp_map(tdp, IPA + 3 * MS_1G, MS_TDP_1G, PA, RWX);
	default:
		return ms_tdp_split(tdp, IPA + 3 * MS_1G, 20 * MS_2M, MS_TDP_4K);
	}
}
enum { STEPS = 7 };

static void assert_same(const struct ms_tdp *a, const struct ms_tdp *b)
{
	struct ms_tdp_leaf x, y;
	struct ms_tdp_mark m, n;
	ms_ipa_t at = 0;

	assert_int_equal(ms_tdp_tables(a), ms_tdp_tables(b));
	assert_int_equal(ms_tdp_next_mmio(a, 0, UINT64_MAX, &m),
			 ms_tdp_next_mmio(b, 0, UINT64_MAX, &n));
	assert_int_equal(m.entry, n.entry);
	do {
		assert_int_equal(ms_tdp_next_leaf(a, at, UINT64_MAX, &x),
				 ms_tdp_next_leaf(b, at, UINT64_MAX, &y));
		assert_true(x.ipa == y.ipa && x.size == y.size && x.entry == y.entry);
		at = x.ipa + x.size;
	} while (x.size);
}

/* The first `done` steps, with enough memory. */
static struct ms_tdp *after_steps(struct test_host *h, struct ms_tdp_config config,
				  unsigned int done)
{
	struct ms_tdp *tdp = test_tdp(h, config);

	for (unsigned int i = 0; i < done; i++)
		assert_int_equal(step(tdp, i), 0);
	if (done == 4)
		ms_tdp_zap(tdp, IPA, MS_2M);
	forget_log(h);
	return tdp;
}

/* The allocation number n of a step fails. false: it has fewer. */
static bool step_fails(struct ms_tdp_config config, unsigned int i, unsigned long n)
{
	struct test_host h, g;
	struct ms_tdp *tdp = after_steps(&h, config, i), *before = after_steps(&g, config, i);
	bool failed;

	h.fail_at = h.allocs + n;
	failed = step(tdp, i) == -ENOMEM;
	assert_int_equal(failed, h.allocs >= h.fail_at);
	if (failed) {
		assert_null(ms_tdp_check(tdp));
		assert_same(tdp, before);
		assert_log(&h, "");
		assert_int_equal(step(tdp, i), 0); // memory is back
	}
	assert_int_equal(step(before, i), 0);
	assert_same(tdp, before);
	test_tdp_end(&h, tdp);
	test_tdp_end(&g, before);
	return failed;
}

static void fail_all(struct ms_tdp_config config)
{
	unsigned int failures = 0;

	for (unsigned int i = 0; i < STEPS; i++)
		for (unsigned long n = 1; step_fails(config, i, n); n++)
			failures++;
	/* 3 for the first page, 2 to split 1G, 2 for the mark, most of 21 to split a part of 1G:
	 * those that were kept for later need none */
	assert_true(failures >= 20);
}

static void every_allocation_may_fail_once_and_nothing_has_changed_then(void **state)
{
	struct ms_tdp_config older = test_config();

	older.map_splits = false;
	fail_all(test_config());
	fail_all(older);
	fail_all(test_config_ept(true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_table_without_memory_leaves_nothing_behind),
		cmocka_unit_test(every_allocation_may_fail_once_and_nothing_has_changed_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
