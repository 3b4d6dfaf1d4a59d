/* SPDX-License-Identifier: GPL-2.0-only */
/* Many leaves at once, for a host that hears of runs. */
#include "host.h"

#define IPA UINT64_C(0x80000000)
#define PA UINT64_C(0x4000000000)

struct counting_host {
	struct test_host memory; // first: it serves alloc and free
	uint64_t runs;
	struct ms_s2_totals totals;
	bool tell; // each run is told one by one
};

static void count_desc(void *ctx, ms_ipa_t ipa, unsigned int level, uint64_t old, uint64_t desc)
{
	struct counting_host *h = ctx;

	host_desc(&h->memory, ipa, level, old, desc);
	h->totals.desc++;
}

static void count_tlbi(void *ctx, enum ms_tlbi_kind kind, ms_ipa_t ipa, uint64_t size,
		       unsigned int level)
{
	struct counting_host *h = ctx;

	host_tlbi(&h->memory, kind, ipa, size, level);
	h->totals.tlbi++;
}

static void count_cmo(void *ctx, enum ms_cmo_kind kind, ms_pa_t pa, uint64_t size)
{
	struct counting_host *h = ctx;

	host_cmo(&h->memory, kind, pa, size);
	if (kind == MS_CMO_DCACHE_CLEAN)
		h->totals.dcache++;
	else
		h->totals.icache++;
}

static void count_run(void *ctx, const struct ms_s2_run *run)
{
	struct counting_host *h = ctx;
	struct ms_s2_totals n = ms_s2_run_count(run);

	h->runs++;
	if (h->tell) {
		ms_s2_run_tell(run);
		return;
	}
	h->totals.desc += n.desc;
	h->totals.tlbi += n.tlbi;
	h->totals.dcache += n.dcache;
	h->totals.icache += n.icache;
}

static struct ms_s2 *counting_s2(struct counting_host *h, struct ms_s2_config config, bool runs,
				 bool tell)
{
	struct ms_s2_host host = {
		.ctx = h,
		.alloc = host_alloc,
		.free = host_free,
		.desc = count_desc,
		.tlbi = count_tlbi,
		.cmo = count_cmo,
		.run = runs ? count_run : NULL,
	};
	struct ms_s2 *s2 = NULL;

	*h = (struct counting_host){ .tell = tell };
	s2 = ms_s2_new(&config, &host);
	assert_non_null(s2);
	return s2;
}

/* Runs in every operation that has them: whole tables, parts of tables, blocks, holes. */
static void operations_with_runs(struct ms_s2 *s2)
{
	struct ms_s2_cache cache = { .count = 0 };
	const unsigned int rwx = MS_PROT_RW | MS_PROT_X;

	assert_int_equal(test_map(s2, IPA, 20 * MS_4K, PA, rwx), 0);
	assert_int_equal(test_map(s2, IPA + 30 * MS_4K, 7 * MS_4K, PA, MS_PROT_RW | MS_PROT_DEVICE),
			 0);
	assert_int_equal(test_map(s2, IPA + 2 * MS_2M, 3 * MS_2M, PA, MS_PROT_RW), 0);
	assert_int_equal(test_map(s2, IPA + 5 * MS_2M, MS_2M, PA + MS_4K, MS_PROT_R), 0);
	assert_int_equal(ms_s2_wrprotect(s2, IPA, MS_1G), 0);
	assert_true(ms_s2_test_clear_young(s2, IPA + 3 * MS_4K, 5 * MS_4K, true));
	assert_int_equal(ms_s2_cache_fill(s2, &cache, 1, 1), 0);
	assert_int_equal(ms_s2_split(s2, IPA + 3 * MS_2M, MS_2M, &cache), 0);
	assert_int_equal(ms_s2_unmap(s2, IPA + MS_4K, 33 * MS_4K), 0);
	assert_int_equal(ms_s2_unmap(s2, IPA + MS_4K, 5 * MS_2M), 0);
	assert_int_equal(ms_s2_unmap(s2, IPA, MS_1G), 0);
}

static void compare(struct ms_s2_config config)
{
	static struct counting_host one, counted, told;
	struct ms_s2 *s2[3] = {
		counting_s2(&one, config, false, false),
		counting_s2(&counted, config, true, false),
		counting_s2(&told, config, true, true),
	};

	for (int i = 0; i < 3; i++) {
		operations_with_runs(s2[i]);
		assert_null(ms_s2_check(s2[i]));
		assert_int_equal(ms_s2_table_pages(s2[i]), 0);
		ms_s2_free(s2[i]);
	}
	assert_int_equal(one.runs, 0);
	assert_true(counted.runs > 5);
	assert_memory_equal(&one.totals, &counted.totals, sizeof(one.totals));
	assert_memory_equal(&one.totals, &told.totals, sizeof(one.totals));
	assert_true(one.memory.len > 1000 && one.memory.len < sizeof(one.memory.log));
	assert_string_equal(one.memory.log, told.memory.log);
	assert_true(counted.memory.len < one.memory.len / 4);
}

static void runs_count_and_tell_what_single_calls_say(void **state)
{
	struct ms_s2_config config = test_config();

	compare(config);
	config.unmap_defer = false;
	compare(config);
	config.fwb = false;
	compare(config);
	config.cmo_by_caller = true;
	compare(config);
}

static void a_run_describes_neighbouring_leaves_of_one_table(void **state)
{
	struct test_host h;
	struct ms_s2 *s2 = test_s2(&h, test_config());
	const uint64_t desc[4] = { 0x4000000743, 0, 0x40000027c3, 0x40000037c3 };
	struct ms_s2_run run = {
		.s2 = s2,
		.kind = MS_S2_RUN_CHANGE,
		.level = 3,
		.ipa = IPA,
		.count = 4,
		.desc = desc,
		.bit = 0x80,
	};

	assert_int_equal(ms_s2_run_count(&run).desc, 2);
	ms_s2_run_tell(&run);
	assert_log(&h, "desc 80002000/3 leaf -> leaf\n"
		       "desc 80003000/3 leaf -> leaf\n");
	test_s2_end(&h, s2);
}

/* All leaves of what fills a run allow what its first does. */
static void a_run_of_one_is_counted_by_its_leaf(void **state)
{
	struct test_host h;
	struct ms_s2_config config = test_config();
	const uint64_t executable = 0x40000007ff, device = UINT64_C(1) << 54 | 0x40000007c7;
	const uint64_t desc[3] = { executable, device, executable };
	struct ms_s2_run run = {
		.kind = MS_S2_RUN_FILL,
		.level = 3,
		.ipa = IPA,
		.count = 1,
		.leaves = 1,
		.maintain = true,
	};

	config.fwb = false;
	run.s2 = test_s2(&h, config);
	run.desc = desc;
	assert_int_equal(ms_s2_run_count(&run).icache, 1);
	assert_int_equal(ms_s2_run_count(&run).dcache, 1);
	run.desc = desc + 1;
	assert_int_equal(ms_s2_run_count(&run).icache, 0);
	assert_int_equal(ms_s2_run_count(&run).dcache, 0);
	test_s2_end(&h, (struct ms_s2 *)(uintptr_t)run.s2);
}

/*
 *   |p|p|p|...|p|p|p|       a run is of one table, empty entries and, with 64K pages, of addresses
 *                ^ 1 << 48  that have their upper bits in common
 */
static void a_request_is_as_few_runs_as_can_be(void **state)
{
	struct ms_s2_config config = test_config();
	const ms_pa_t border = UINT64_C(1) << 48;
	struct counting_host h;
	struct ms_s2 *s2;

	config.page_shift = 16;
	s2 = counting_s2(&h, config, true, false);
	assert_int_equal(test_map(s2, IPA, 0x10000, PA, MS_PROT_R), 0);
	assert_int_equal(h.runs, 0);
	assert_int_equal(test_map(s2, IPA + 0x10000, 3 * 0x10000, border - 3 * 0x10000, MS_PROT_R),
			 0);
	assert_int_equal(h.runs, 1);
	assert_int_equal(test_map(s2, IPA + 0x40000, 3 * 0x10000, border - 0x10000, MS_PROT_R), 0);
	assert_int_equal(h.runs, 1);
	assert_leaf(s2, IPA + 0x60000, IPA + 0x60000, 0x10000, border + 0x10000, MS_PROT_R);
	test_s2_end(&h.memory, s2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_count_and_tell_what_single_calls_say),
		cmocka_unit_test(a_run_describes_neighbouring_leaves_of_one_table),
		cmocka_unit_test(a_run_of_one_is_counted_by_its_leaf),
		cmocka_unit_test(a_request_is_as_few_runs_as_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
