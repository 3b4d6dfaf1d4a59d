/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random operations on a window of 3G, for both formats and all rules, against the oracle; what the
 * table tells is kept, too, and must come to the same. Arguments: how many operations for each
 * configuration, and seeds.
 */
#include "oracle.h"

#define BASE UINT64_C(0x7f80000000) // the window lies around the end of a table of 512G

struct run {
	struct test_host memory; // first: the host's alloc and free take it for their own
	struct ms_tdp *tdp;
	struct oracle oracle;
	struct oracle told; // pages only
	uint64_t seed, salt;
	bool listens;
};

static unsigned long operations = 3000;
static uint64_t first_seed = UINT64_C(0x9e3779b97f4a7c15);

static uint32_t draw(struct run *r, uint32_t below)
{
	r->seed ^= r->seed << 13;
	r->seed ^= r->seed >> 7;
	r->seed ^= r->seed << 17;
	return (uint32_t)((r->seed >> 20) % below);
}

static void hear(void *ctx, const struct ms_tdp_run *run)
{
	struct run *r = ctx;

	oracle_hear(&r->told, run);
}

/* ---- arguments ---- */

/* Mostly near the middle, where a table ends, and often at the start of a leaf. */
static uint32_t draw_page(struct run *r)
{
	uint32_t n = r->oracle.npages;
	uint32_t page = draw(r, 10) ? n / 3 - 1024 + draw(r, 2048) : draw(r, n);

	if (!draw(r, 3))
		page -= page % 512;
	return draw(r, 40) ? page : page - page % (512 * 512);
}

static uint32_t draw_npages(struct run *r, uint32_t page)
{
	static const uint32_t most[] = { 1, 1, 1, 20, 20, 600, 600, 1600, 512 * 512 };
	uint32_t left = r->oracle.npages - page, n = 1 + draw(r, most[draw(r, 9)]);

	if (!draw(r, 4))
		n = (n + 511) / 512 * 512;
	return n < left ? n : left;
}

static unsigned int draw_attr(struct run *r)
{
	static const unsigned int common[] = {
		RWX, RX, RWX, R | X, R | X | H | M | A, RWX & ~D, RWX & ~A, R | W | H | M | A,
	};

	return draw(r, 20) ? common[draw(r, 8)] : draw(r, 8) | draw(r, 16) << 8;
}

static unsigned int draw_memtype(struct run *r)
{
	static const enum ms_cache types[] = { MS_CACHE_WB, MS_CACHE_UC, MS_CACHE_WC, MS_CACHE_WT };

	if (r->oracle.config.format == MS_TDP_NPT || draw(r, 4))
		return 0;
	return types[draw(r, 4)] | (draw(r, 2) ? 8 : 0);
}

static ms_pa_t draw_pa(struct run *r, uint32_t page)
{
	ms_pa_t pa = PA + page * MS_4K;

	return draw(r, 12) ? pa : pa + draw(r, 3) * MS_2M + draw(r, 2) * MS_4K;
}

static unsigned int draw_level(struct run *r)
{
	return draw(r, 4) ? MS_TDP_4K : draw(r, 12) ? MS_TDP_2M : MS_TDP_1G;
}

static bool allowed(void *ctx, ms_ipa_t ipa, unsigned int level)
{
	const struct run *r = ctx;

	return (ipa / MS_2M * 7 + level + r->salt) % 3 != 0;
}

/* ---- operations ---- */

static void do_map(struct run *r)
{
	unsigned int level = draw_level(r), attr = draw_attr(r), memtype = draw_memtype(r);
	uint32_t page = draw_page(r);
	ms_pa_t pa;

	page -= page % per_level(level);
	pa = draw_pa(r, page);
	assert_int_equal(
		ms_tdp_map(r->tdp, oracle_ipa(&r->oracle, page), level, pa, attr | memtype << 12),
		oracle_map(&r->oracle, page, level, pa, attr, (uint8_t)memtype));
}

static void do_map_many(struct run *r)
{
	uint32_t page = draw_page(r), n = 1 + draw(r, 700);
	unsigned int attr = draw_attr(r);

	for (uint32_t i = page; i < page + n && i < r->oracle.npages; i++)
		assert_int_equal(ms_tdp_map(r->tdp, oracle_ipa(&r->oracle, i), MS_TDP_4K,
					    PA + i * MS_4K, attr),
				 oracle_map(&r->oracle, i, MS_TDP_4K, PA + i * MS_4K, attr, 0));
}

static void do_mark(struct run *r)
{
	uint32_t page = draw_page(r);
	uint64_t generation = draw(r, 3) + (draw(r, 2) ? 0x3fff0 : 0);

	assert_int_equal(ms_tdp_mark_mmio(r->tdp, oracle_ipa(&r->oracle, page), generation),
			 oracle_mark(&r->oracle, page, generation));
}

static void do_set(struct run *r)
{
	unsigned int attr = draw_attr(r);
	uint32_t page = draw_page(r);
	int expected = -EINVAL;

	if (attr_is_valid(attr))
		expected = oracle_set(&r->oracle, page, attr) ? 0 : -ENOENT;
	assert_int_equal(ms_tdp_set(r->tdp, oracle_ipa(&r->oracle, page) + 8, attr), expected);
}

static void do_protect(struct run *r, uint32_t page, uint32_t n)
{
	enum ms_tdp_protect what = draw(r, 3);
	unsigned int min_level = draw(r, 3) ? MS_TDP_4K : MS_TDP_2M;
	uint64_t mask = r->seed;
	ms_ipa_t ipa = oracle_ipa(&r->oracle, page);

	if (draw(r, 2)) {
		assert_int_equal(ms_tdp_wrprotect(r->tdp, ipa, n * MS_4K, min_level, what),
				 oracle_protect(&r->oracle, page, n, min_level, what));
		return;
	}
	mask = draw(r, 2) ? mask : UINT64_MAX << draw(r, 64);
	assert_int_equal(ms_tdp_wrprotect_word(r->tdp, ipa, mask, what),
			 oracle_protect_word(&r->oracle, page, mask, what));
}

static void do_zap_table(struct run *r, uint32_t page)
{
	unsigned int level = 2 + !draw(r, 8);
	bool there = oracle_has_table(&r->oracle, page, level);

	assert_int_equal(ms_tdp_zap_table(r->tdp, oracle_ipa(&r->oracle, page), level), there);
	if (there)
		oracle_remove_table(&r->oracle, page, level);
}

static void do_recover(struct run *r, uint32_t page, uint32_t n)
{
	r->salt = draw(r, 3);
	assert_int_equal(
		ms_tdp_recover(r->tdp, oracle_ipa(&r->oracle, page), n * MS_4K, allowed, r),
		oracle_recover(&r->oracle, page, n, allowed, r));
}

static void do_zap_all(struct run *r)
{
	struct oracle *o = &r->oracle;

	ms_tdp_zap_all(r->tdp);
	assert_int_equal(ms_tdp_tables(r->tdp), 0);
	for (uint32_t i = 0; i < o->npages; i += per_level(3))
		oracle_remove_table(o, i, 3);
	o->nx = r->told.nx = draw(r, 2);
	ms_tdp_set_nx_huge_pages(r->tdp, o->nx);
}

static void do_operation(struct run *r)
{
	struct oracle *o = &r->oracle;
	uint32_t page = draw_page(r), n = draw_npages(r, page);
	ms_ipa_t ipa = oracle_ipa(o, page);
	unsigned int level;

	switch (draw(r, 24)) {
	default:
		do_map(r);
		break;
	case 8:
	case 9:
	case 10:
		do_map_many(r);
		break;
	case 11:
		do_mark(r);
		break;
	case 12:
	case 13:
		do_set(r);
		break;
	case 14:
	case 15:
	case 16:
		do_protect(r, page, n);
		break;
	case 17:
		assert_int_equal(ms_tdp_clear_young(r->tdp, ipa, n * MS_4K),
				 oracle_clear_young(o, page, n));
		break;
	case 18:
		assert_int_equal(ms_tdp_test_young(r->tdp, ipa), (o->pages[page].bits & A) != 0);
		break;
	case 19:
		level = 1 + !draw(r, 3);
		assert_int_equal(ms_tdp_split(r->tdp, ipa, n * MS_4K, level), 0);
		oracle_split(o, page, n, level);
		break;
	case 20:
		do_recover(r, page, n);
		break;
	case 21:
		do_zap_table(r, page);
		break;
	case 22:
	case 23:
		assert_int_equal(ms_tdp_zap(r->tdp, ipa, n * MS_4K), oracle_zap(o, page, n));
		break;
	}
	if (!draw(r, 500))
		do_zap_all(r);
}

/* ---- the whole ---- */

static void begin(struct run *r, const struct ms_tdp_config *config, bool listens, uint64_t seed)
{
	struct ms_tdp_host host = { r, host_alloc, host_free, listens ? hear : NULL };

	memset(r, 0, sizeof(*r));
	r->seed = seed * 2 + 1; // not 0
	r->listens = listens;
	oracle_init(&r->oracle, config, BASE, 3 * MS_1G);
	oracle_init(&r->told, config, BASE, 3 * MS_1G);
	assert_int_equal(ms_tdp_new(&r->tdp, config, &host), 0);
}

static void check_all(struct run *r)
{
	assert_null(ms_tdp_check(r->tdp));
	oracle_assert_same(&r->oracle, r->tdp);
	if (r->listens)
		oracle_assert_told(&r->oracle, &r->told);
}

static void run_config(const struct ms_tdp_config *config, bool listens, uint64_t seed)
{
	struct run *r = malloc(sizeof(*r));

	assert_non_null(r);
	begin(r, config, listens, seed);
	for (unsigned long i = 1; i <= operations; i++) {
		do_operation(r);
		oracle_assert_page(&r->oracle, r->tdp, draw_page(r));
		if (i % 50 == 0)
			assert_null(ms_tdp_check(r->tdp));
		if (i % (operations / 8 + 1) == 0)
			check_all(r);
	}
	check_all(r);
	/* and those above: two of 512G, with five levels one that has both */
	assert_in_range(ms_tdp_tables(r->tdp), oracle_tables(&r->oracle),
			oracle_tables(&r->oracle) + config->levels - 2);
	do_zap_all(r);
	check_all(r);
	ms_tdp_free(r->tdp);
	assert_int_equal(r->memory.live, 0);
	oracle_end(&r->oracle);
	oracle_end(&r->told);
	free(r);
}

/* With the older rules and with the newer ones, heard and not heard. */
static void run_rules(struct ms_tdp_config config, uint64_t seed)
{
	config.map_splits = false;
	config.zap_by_size = false;
	config.recover_in_place = false;
	config.suppress_ve = false;
	run_config(&config, true, seed);
	config.map_splits = true;
	config.zap_by_size = true;
	config.suppress_ve = true;
	run_config(&config, false, seed + 1);
	config.recover_in_place = true;
	config.user_exec = true;
	config.keeps_ad = true;
	run_config(&config, true, seed + 2);
	config.levels = 5;
	run_config(&config, false, seed + 3);
}

static void random_operations_on_npt_match_the_oracle(void **state)
{
	run_rules(test_config(), first_seed);
}

static void random_operations_on_ept_match_the_oracle(void **state)
{
	struct ms_tdp_config config = test_config_ept(false);

	config.ad_bits = true;
	run_rules(config, first_seed + 10);
}

static void random_operations_on_ept_without_accessed_bits_match_the_oracle(void **state)
{
	struct ms_tdp_config config = test_config_ept(false);

	config.l1tf_bits = 46;
	run_rules(config, first_seed + 20);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations_on_npt_match_the_oracle),
		cmocka_unit_test(random_operations_on_ept_match_the_oracle),
		cmocka_unit_test(random_operations_on_ept_without_accessed_bits_match_the_oracle),
	};
	int failed = 0;

	if (argc > 1)
		operations = strtoul(argv[1], NULL, 10);
	for (int i = 2; i < argc; i++) {
		first_seed = strtoull(argv[i], NULL, 0);
		failed |= cmocka_run_group_tests(tests, NULL, NULL);
	}
	return argc > 2 ? failed : cmocka_run_group_tests(tests, NULL, NULL);
}
