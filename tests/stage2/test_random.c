/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random operations on a window, for every granule, against the oracle and before the eyes of an
 * observer. The first argument is the number of operations for each configuration.
 */
#include "observer.h"
#include "oracle.h"

struct world {
	struct ms_s2_config config;
	ms_ipa_t border; // the window lies around it
	uint64_t before, behind;
	bool listen; // the observer hears everything; else nobody hears anything
};

struct run {
	struct ms_s2 *s2;
	struct ms_s2_cache cache;
	struct observer observer;
	struct oracle oracle;
	uint64_t seed;
	uint64_t last_op;
};

static unsigned long operations = 8000;

static uint32_t draw(struct run *r, uint32_t below)
{
	r->seed ^= r->seed << 13;
	r->seed ^= r->seed >> 7;
	r->seed ^= r->seed << 17;
	return (uint32_t)((r->seed >> 20) % below);
}

/* Mostly near the middle, where a table ends, and often at the start of a block. */
static uint32_t draw_page(struct run *r)
{
	uint32_t block = r->oracle.per_level[2], n = r->oracle.npages, near = 4 * block;
	uint32_t page = draw(r, 10) ? n / 2 - near / 2 + draw(r, near) : draw(r, n);

	if (!draw(r, 3))
		page -= page % block;
	return page;
}

static uint32_t draw_npages(struct run *r, uint32_t page)
{
	const struct oracle *o = &r->oracle;
	uint32_t left = o->npages - page, n = 1;

	switch (draw(r, 100) / 10) {
	case 0:
	case 1:
		n = o->per_level[2] * (1 + draw(r, 3));
		break;
	case 2:
		n = 1 + draw(r, 2 * o->per_level[2]);
		break;
	case 3:
	case 4:
		n = 1 + draw(r, 20);
		break;
	case 5:
		n = draw(r, 20) ? 1 : o->per_level[o->min_block_level];
		break;
	}
	return n < left ? n : left;
}

static unsigned int draw_prot(struct run *r)
{
	return draw(r, 8) ? oracle_common_prot(draw(r, 6)) : draw(r, 0x80);
}

/* Mostly congruent with the IPA, so that what is mapped is met again. */
static ms_pa_t draw_pa(struct run *r, uint32_t page)
{
	ms_pa_t pa = oracle_ipa(&r->oracle, page) - r->oracle.base + (UINT64_C(1) << 42);

	switch (draw(r, 8)) {
	case 0:
		return pa + ((uint64_t)draw(r, 4) << r->oracle.page_shift);
	case 1:
		return pa + ((uint64_t)r->oracle.per_level[2] << r->oracle.page_shift);
	default:
		return pa;
	}
}

static void do_map(struct run *r, uint32_t page, uint32_t n)
{
	ms_pa_t pa = draw_pa(r, page);
	unsigned int prot = draw_prot(r);
	int ret;

	assert_int_equal(ms_s2_cache_topup(r->s2, &r->cache, ms_s2_cache_min(r->s2)), 0);
	ret = ms_s2_map(r->s2, oracle_ipa(&r->oracle, page), (uint64_t)n << r->oracle.page_shift,
			pa, prot, &r->cache);
	assert_int_equal(ret, oracle_map(&r->oracle, page, n, pa, prot));
}

static void do_split(struct run *r, uint32_t page, uint32_t n)
{
	/* Few; or enough for the pages of the largest block, where that has two levels below. */
	unsigned int all = r->oracle.min_block_level == 1 ? r->oracle.per_level[2] + 1 : 8;
	unsigned int tables = draw(r, 20) ? draw(r, 4) : all;
	struct ms_s2_cache cache = { .count = 0 };
	int ret;

	assert_int_equal(ms_s2_cache_fill(r->s2, &cache, tables, tables), 0);
	ret = ms_s2_split(r->s2, oracle_ipa(&r->oracle, page), (uint64_t)n << r->oracle.page_shift,
			  &cache);
	assert_int_equal(ret, oracle_split(&r->oracle, page, n, tables));
	ms_s2_cache_free(r->s2, &cache);
}

static void do_operation(struct run *r)
{
	struct oracle *o = &r->oracle;
	uint32_t page = draw_page(r), n = draw_npages(r, page);
	ms_ipa_t ipa = oracle_ipa(o, page);
	uint64_t size = (uint64_t)n << o->page_shift;
	unsigned int prot = draw_prot(r);
	bool clear = draw(r, 2);

	switch (draw(r, 16)) {
	default:
		do_map(r, page, n);
		break;
	case 7:
	case 8:
	case 9:
	case 10:
		assert_int_equal(ms_s2_unmap(r->s2, ipa, size), 0);
		oracle_unmap(o, page, n);
		break;
	case 11:
		assert_int_equal(ms_s2_wrprotect(r->s2, ipa, size), 0);
		oracle_wrprotect(o, page, n);
		break;
	case 12:
		assert_int_equal(ms_s2_relax(r->s2, ipa, prot), oracle_relax(o, page, prot));
		break;
	case 13:
		assert_int_equal(ms_s2_mkyoung(r->s2, ipa), oracle_mkyoung(o, page));
		break;
	case 14:
		assert_int_equal(ms_s2_test_clear_young(r->s2, ipa, size, clear),
				 oracle_test_clear_young(o, page, n, clear));
		break;
	case 15:
		do_split(r, page, n);
		break;
	}
}

static void look_somewhere(struct run *r)
{
	uint32_t page = draw_page(r);
	struct ms_s2_leaf leaf;

	if (ms_s2_get_leaf(r->s2, oracle_ipa(&r->oracle, page), &leaf))
		oracle_assert_leaf(&r->oracle, page, &leaf);
	else
		assert_int_equal(r->oracle.pages[page].level, 0);
}

static void begin(struct run *r, const struct world *w)
{
	struct ms_s2_host host = { .ctx = &r->observer, .alloc = host_alloc, .free = host_free };
	ms_ipa_t base = w->border - w->before;
	uint64_t size = w->before + w->behind;

	*r = (struct run){ .seed = UINT64_C(0x9e3779b97f4a7c15) };
	observer_init(&r->observer, &w->config, base, size, 0);
	oracle_init(&r->oracle, &w->config, base, size);
	if (w->listen) {
		host.desc = observer_desc;
		host.tlbi = observer_tlbi;
	}
	r->s2 = ms_s2_new(&w->config, &host);
	assert_non_null(r->s2);
	r->observer.start_level = ms_s2_start_level(r->s2);
}

static void end(struct run *r)
{
	ms_s2_cache_free(r->s2, &r->cache);
	assert_int_equal(ms_s2_unmap(r->s2, r->oracle.base,
				     (uint64_t)r->oracle.npages << r->oracle.page_shift),
			 0);
	assert_int_equal(ms_s2_table_pages(r->s2), 0);
	assert_null(ms_s2_check(r->s2));
	ms_s2_free(r->s2);
	assert_int_equal(r->observer.memory.live, 0);
	observer_end(&r->observer);
	free(r->oracle.pages);
}

static void check_all(struct run *r, bool listen)
{
	assert_null(ms_s2_check(r->s2));
	oracle_assert_same(&r->oracle, r->s2);
	for (uint32_t page = 0; listen && page < r->oracle.npages; page++)
		observer_assert_same(&r->observer, r->s2, oracle_ipa(&r->oracle, page));
}

static void run_world(const struct world *w)
{
	struct run *r = malloc(sizeof(*r));

	assert_non_null(r);
	begin(r, w);
	for (unsigned long i = 1; i <= operations; i++) {
		do_operation(r);
		assert_int_equal(r->observer.nr_stale, 0);
		look_somewhere(r);
		if (i % 100 == 0)
			assert_null(ms_s2_check(r->s2));
		if (i % (operations / 10 + 1) == 0)
			check_all(r, w->listen);
	}
	check_all(r, w->listen);
	end(r);
	free(r);
}

static struct world world_of(unsigned int page_shift, unsigned int ipa_bits, ms_ipa_t border,
			     uint64_t half)
{
	struct world w = {
		.config = test_config(), .border = border, .before = half, .behind = half
	};

	w.config.page_shift = page_shift;
	w.config.ipa_bits = ipa_bits;
	return w;
}

/* Each twice: heard by an observer, with the oldest rules; and by nobody, with the newest. */
static void run_both(struct world w)
{
	w.listen = false;
	w.config.xn_two_bits = true;
	w.config.relax_takes_exec = true;
	run_world(&w);
	w.config.relax_takes_exec = false;
	w.listen = true;
	run_world(&w);
	w.config.xn_two_bits = false;
	w.config.unmap_defer = false;
	w.config.table_to_block_range = false;
	w.config.same_leaf_eagain = false;
	w.config.relax_local = false;
	w.config.absent_eagain = false;
	run_world(&w);
}

static void random_operations_with_4k_pages_match_the_oracle_and_obey_bbm(void **state)
{
	run_both(world_of(12, 40, UINT64_C(1) << 39, MS_1G + MS_2M));
	run_both(world_of(12, 48, UINT64_C(1) << 39, 8 * MS_2M));
}

static void random_operations_with_16k_pages_match_the_oracle_and_obey_bbm(void **state)
{
	run_both(world_of(14, 40, UINT64_C(1) << 36, UINT64_C(128) << 20));
	run_both(world_of(14, 48, UINT64_C(1) << 47, UINT64_C(128) << 20));
}

static void random_operations_with_64k_pages_match_the_oracle_and_obey_bbm(void **state)
{
	run_both(world_of(16, 44, UINT64_C(1) << 42, MS_1G * 2));
	run_both(world_of(16, 48, UINT64_C(1) << 42, MS_1G * 2));
}

/* The observer is no good if it cannot see. */
static void the_observer_sees_a_make_before_the_break(void **state)
{
	struct ms_s2_config config = test_config();
	struct observer *b = malloc(sizeof(*b));

	assert_non_null(b);
	observer_init(b, &config, MS_1G, MS_1G, 1);
	observer_desc(b, MS_1G, 1, 0, 0x40000701);
	observer_desc(b, MS_1G, 1, 0x40000701, 0);
	assert_int_equal(b->nr_stale, 1);
	observer_tlbi(b, MS_TLBI_IPA, MS_1G + MS_4K, 0, 2);
	assert_int_equal(b->nr_stale, 1);
	observer_tlbi(b, MS_TLBI_IPA, MS_1G + MS_4K, 0, 1);
	assert_int_equal(b->nr_stale, 0);
	observer_desc(b, MS_1G, 1, 0, 3);
	observer_desc(b, MS_1G, 2, 0, 0x40000701);
	observer_desc(b, MS_1G, 1, 3, 0);
	assert_int_equal(b->nr_stale, 2);
	observer_tlbi(b, MS_TLBI_IPA_RANGE, MS_1G, MS_1G, 0);
	assert_int_equal(b->nr_stale, 0);
	observer_end(b);
	free(b);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_observer_sees_a_make_before_the_break),
		cmocka_unit_test(random_operations_with_4k_pages_match_the_oracle_and_obey_bbm),
		cmocka_unit_test(random_operations_with_16k_pages_match_the_oracle_and_obey_bbm),
		cmocka_unit_test(random_operations_with_64k_pages_match_the_oracle_and_obey_bbm),
	};

	if (argc > 1)
		operations = strtoul(argv[1], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
