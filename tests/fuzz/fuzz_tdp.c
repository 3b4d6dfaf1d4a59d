/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The x86 second-level table by itself, both formats and every rule. The same operations are done
 * on two tables, one after the other: one is heard, of the other nobody hears. Each holds what a
 * flat list of pages holds, what is told comes to the same, and where memory runs out nothing has
 * changed.
 */
#include "../tdp/oracle.h"

#include "records.h"

#define MOST_RECORDS 200

enum { HEARD, SILENT, TABLES };

struct fuzz {
	struct test_host memory; // first: the host's alloc and free take it for their own
	int kind;                // one of the above
	struct ms_tdp_config config;
	struct ms_tdp *tdp;
	struct oracle oracle, told;
	uint64_t answered; // a hash
	uint8_t salt;
};

static void hear(void *ctx, const struct ms_tdp_run *run)
{
	struct fuzz *f = ctx;

	oracle_hear(&f->told, run);
}

/* ---- arguments ---- */

/*
 * A record: what, how, two bytes of a page, two of a number of pages, two of rights, a memory type
 * and an address.
 */
struct arguments {
	uint32_t page, npages; // of the window
	ms_ipa_t ipa;          // of that page
	uint64_t size;
	unsigned int level, attr, memtype;
	ms_pa_t pa;
	uint8_t how;
};

static uint32_t page_of(const struct oracle *o, uint8_t how, uint16_t n)
{
	switch (how & 3) {
	case 0:
		return n % 1024;
	case 1:
		return o->npages - 1 - n % 1024;
	case 2:
		return n % (o->npages / 512) * 512;
	default:
		return (uint32_t)(n * 512 + n) % o->npages;
	}
}

static uint32_t npages_of(const struct oracle *o, uint8_t how, uint16_t n, uint32_t page)
{
	static const uint32_t most[] = { 1, 16, 1100, 512 * 512 };
	uint32_t left = o->npages - page, npages = 1 + n % most[how >> 2 & 3];

	return npages < left ? npages : left;
}

static unsigned int attr_of(uint8_t byte)
{
	static const unsigned int common[] = {
		RWX, RX, RWX & ~X, R | X, R | X | H | M | A, RWX & ~D, RWX & ~A, R | H | A,
	};

	return byte & 0x80 ? (byte & 7u) | (byte & 0x78u) << 5 : common[byte & 7];
}

static struct arguments arguments_of(const struct fuzz *f, const uint8_t *record)
{
	const struct oracle *o = &f->oracle;
	struct arguments a = { .how = record[1] };

	a.page = page_of(o, a.how, record_u16(record + 2));
	a.npages = npages_of(o, a.how, record_u16(record + 4), a.page);
	a.ipa = oracle_ipa(o, a.page);
	a.size = a.npages * MS_4K;
	a.level = 1 + (a.how >> 4) % 4 % 3;
	a.attr = attr_of(record[6]);
	if (f->config.format == MS_TDP_EPT && record[7] & 0x80)
		a.memtype = record[7] & 0xf;
	a.pa = PA + a.page * MS_4K + (record[7] >> 4 & 7 ? 0 : (record[7] & 3) * MS_4K);
	return a;
}

/* ---- operations ---- */

static void expect(struct fuzz *f, const char *what, int64_t answer, int64_t expected)
{
	f->answered = (f->answered ^ (uint64_t)answer) * UINT64_C(0x9e3779b97f4a7c15);
	if (answer != expected)
		fuzz_fail("%s answers %lld, not %lld", what, (long long)answer,
			  (long long)expected);
}

/* The allocation that was to fail has failed: then the call did nothing. */
static bool ran_out(struct fuzz *f, int answer)
{
	return answer == -ENOMEM && f->memory.fail_at && f->memory.allocs >= f->memory.fail_at;
}

static void do_map(struct fuzz *f, const struct arguments *a)
{
	uint32_t page = a->page - a->page % per_level(a->level);
	ms_pa_t pa = a->pa - (a->page - page) * MS_4K;
	bool no_type = a->memtype == MS_CACHE_UC_MINUS || (a->memtype & 7) > MS_CACHE_WP ||
		       a->memtype == (MS_CACHE_UC_MINUS | 8);
	int ret = ms_tdp_map(f->tdp, oracle_ipa(&f->oracle, page), a->level, pa,
			     a->attr | a->memtype << 12);

	if (no_type)
		expect(f, "map of no memory type", ret, -EINVAL);
	else if (!ran_out(f, ret))
		expect(f, "map", ret,
		       oracle_map(&f->oracle, page, a->level, pa, a->attr, (uint8_t)a->memtype));
}

static void do_map_run(struct fuzz *f, const struct arguments *a)
{
	for (uint32_t i = 0; i < a->npages % 64; i++) {
		struct arguments one = *a;

		one.page += i;
		one.pa += i * MS_4K;
		one.level = MS_TDP_4K;
		do_map(f, &one);
	}
}

static void do_mark(struct fuzz *f, const struct arguments *a)
{
	uint64_t generation = a->npages;
	int ret = ms_tdp_mark_mmio(f->tdp, a->ipa, generation);

	if (f->config.format == MS_TDP_NPT && f->config.pa_bits == 52)
		expect(f, "mark", ret, -EOPNOTSUPP);
	else if (!ran_out(f, ret))
		expect(f, "mark", ret, oracle_mark(&f->oracle, a->page, generation));
}

static void do_set(struct fuzz *f, const struct arguments *a)
{
	int ret = ms_tdp_set(f->tdp, a->ipa, a->attr), expected = -EINVAL;

	if (attr_is_valid(a->attr))
		expected = oracle_set(&f->oracle, a->page, a->attr) ? 0 : -ENOENT;
	expect(f, "set", ret, expected);
}

static void do_protect(struct fuzz *f, const struct arguments *a)
{
	enum ms_tdp_protect what = a->attr % 3;
	uint64_t mask = a->npages * UINT64_C(0x9e3779b97f4a7c15);

	if (a->how & 0x40)
		expect(f, "wrprotect of a word", ms_tdp_wrprotect_word(f->tdp, a->ipa, mask, what),
		       oracle_protect_word(&f->oracle, a->page, mask, what));
	else
		expect(f, "wrprotect", ms_tdp_wrprotect(f->tdp, a->ipa, a->size, a->level, what),
		       oracle_protect(&f->oracle, a->page, a->npages, a->level, what));
}

static void do_split(struct fuzz *f, const struct arguments *a)
{
	int ret = ms_tdp_split(f->tdp, a->ipa, a->size, a->level);

	if (a->level > MS_TDP_2M) {
		expect(f, "split to 1G", ret, -EINVAL);
	} else if (!ran_out(f, ret)) {
		expect(f, "split", ret, 0);
		oracle_split(&f->oracle, a->page, a->npages, a->level);
	}
}

static bool allowed(void *ctx, ms_ipa_t ipa, unsigned int level)
{
	const struct fuzz *f = ctx;

	return (ipa / MS_2M + level + f->salt) % 3 != 0;
}

static void do_recover(struct fuzz *f, const struct arguments *a)
{
	f->salt = a->how;
	expect(f, "recover", (int64_t)ms_tdp_recover(f->tdp, a->ipa, a->size, allowed, f),
	       (int64_t)oracle_recover(&f->oracle, a->page, a->npages, allowed, f));
}

static void do_zap_table(struct fuzz *f, const struct arguments *a)
{
	bool there = a->level > 1 && oracle_has_table(&f->oracle, a->page, a->level);

	expect(f, "zap of a table", ms_tdp_zap_table(f->tdp, a->ipa, a->level), there);
	if (there)
		oracle_remove_table(&f->oracle, a->page, a->level);
}

static void do_zap_all(struct fuzz *f)
{
	ms_tdp_zap_all(f->tdp);
	expect(f, "tables", (int64_t)ms_tdp_tables(f->tdp), 0);
	for (uint32_t i = 0; i < f->oracle.npages; i += per_level(3))
		oracle_remove_table(&f->oracle, i, 3);
}

/* Beyond the last address, and where the end wraps. */
static void do_beyond(struct fuzz *f, const struct arguments *a)
{
	ms_ipa_t limit = ms_tdp_limit(f->tdp),
		 ipa = a->how & 1 ? limit : -a->size & ~UINT64_C(0xfff);
	struct ms_tdp_leaf leaf;

	expect(f, "map beyond", ms_tdp_map(f->tdp, ipa, 1, 0, R), -ERANGE);
	expect(f, "zap beyond", (int64_t)ms_tdp_zap(f->tdp, ipa, a->size), 0);
	expect(f, "wrprotect beyond", ms_tdp_wrprotect(f->tdp, ipa, a->size, 1, 0), false);
	expect(f, "young beyond", ms_tdp_clear_young(f->tdp, ipa, a->size), false);
	expect(f, "split beyond", ms_tdp_split(f->tdp, ipa, a->size, 1), 0);
	expect(f, "leaf beyond", ms_tdp_get_leaf(f->tdp, ipa, &leaf), false);
	expect(f, "next leaf beyond", ms_tdp_next_leaf(f->tdp, ipa, UINT64_MAX, &leaf), false);
}

static void operation(struct fuzz *f, uint8_t what, const struct arguments *a)
{
	struct oracle *o = &f->oracle;

	switch (what % 16) {
	default:
		do_map(f, a);
		break;
	case 3:
		do_map_run(f, a);
		break;
	case 4:
		do_mark(f, a);
		break;
	case 5:
		do_set(f, a);
		break;
	case 6:
	case 7:
		expect(f, "zap", (int64_t)ms_tdp_zap(f->tdp, a->ipa, a->size),
		       (int64_t)oracle_zap(o, a->page, a->npages));
		break;
	case 8:
		do_protect(f, a);
		break;
	case 9:
		expect(f, "young", ms_tdp_clear_young(f->tdp, a->ipa, a->size),
		       oracle_clear_young(o, a->page, a->npages));
		break;
	case 10:
		do_split(f, a);
		break;
	case 11:
		do_recover(f, a);
		break;
	case 12:
		do_zap_table(f, a);
		break;
	case 13:
		f->memory.fail_at = f->memory.allocs + 1 + a->how % 8;
		break;
	case 14:
		if (a->how & 0x40)
			do_zap_all(f);
		else
			do_beyond(f, a);
		break;
	case 15:
		o->nx = f->told.nx = a->how & 1;
		ms_tdp_set_nx_huge_pages(f->tdp, o->nx);
		break;
	}
}

/* ---- the whole ---- */

static struct ms_tdp_config config_of(const uint8_t *head)
{
	uint8_t b = head[1];

	return (struct ms_tdp_config){
		.format = head[0] & 3 ? head[0] & 1 : 2,
		.levels = head[0] & 4 ? 4 : 5,
		.pa_bits = 40 + head[2] % 14,
		.l1tf_bits = head[0] & 8 ? 36 + head[3] % 12 : 0,
		.ad_bits = b & 1,
		.suppress_ve = b & 2,
		.user_exec = b & 4,
		.keeps_ad = b & 8,
		.map_splits = b & 16,
		.recover_in_place = b & 32,
		.zap_by_size = b & 64,
	};
}

static bool is_valid(const struct ms_tdp_config *c)
{
	bool l1tf = !c->l1tf_bits ||
		    (c->l1tf_bits >= 37 && c->l1tf_bits <= 46 && c->pa_bits <= c->l1tf_bits);

	if (c->pa_bits > 52 || !l1tf)
		return false;
	return c->format == MS_TDP_NPT ? c->ad_bits && !c->l1tf_bits : c->format == MS_TDP_EPT;
}

/* A window of 1G at an end, or of two around the border of a table of 512G. */
static void place_window(const struct fuzz *f, const uint8_t *head, ms_ipa_t *base, uint64_t *size)
{
	*size = MS_1G;
	*base = 0;
	if (head[4] % 3 == 1) {
		*base = ms_tdp_limit(f->tdp) - MS_1G;
	} else if (head[4] % 3 == 2) {
		*base = 511 * MS_1G;
		*size = 2 * MS_1G;
	}
}

/* false: the library refuses the configuration, or there is no memory. */
static bool begin(struct fuzz *f, const uint8_t *head)
{
	struct ms_tdp_host host = { f, host_alloc, host_free, f->kind == HEARD ? hear : NULL };
	bool valid = is_valid(&f->config);
	ms_ipa_t base;
	uint64_t size;
	int ret;

	if (head[5] == 1)
		f->memory.fail_at = 1 + head[6] % 3;
	ret = ms_tdp_new(&f->tdp, &f->config, &host);
	if (ret || !valid) {
		if (ret != (valid ? -ENOMEM : -EINVAL) || f->memory.live)
			fuzz_fail("a new table answers %d, and holds memory", ret);
		return false;
	}
	place_window(f, head, &base, &size);
	oracle_init(&f->oracle, &f->config, base, size);
	if (f->kind == HEARD)
		oracle_init(&f->told, &f->config, base, size);
	return true;
}

static void check(const struct fuzz *f)
{
	const char *broken = ms_tdp_check(f->tdp);

	if (broken)
		fuzz_fail("the table: %s", broken);
}

static void end(struct fuzz *f)
{
	check(f);
	oracle_assert_same(&f->oracle, f->tdp);
	if (f->kind == HEARD)
		oracle_assert_told(&f->oracle, &f->told);
	ms_tdp_free(f->tdp);
	if (f->memory.live)
		fuzz_fail("%ld allocations are left", f->memory.live);
	oracle_end(&f->oracle);
	oracle_end(&f->told);
}

static void run(struct fuzz *f, struct records r)
{
	const uint8_t *record;

	if (!begin(f, r.head))
		return;
	for (int n = 0; n < MOST_RECORDS && (record = records_next(&r)); n++) {
		struct arguments a = arguments_of(f, record);

		operation(f, record[0], &a);
		oracle_assert_page(&f->oracle, f->tdp, a.page);
		if (n % 8 == 7)
			check(f);
	}
	end(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f[TABLES];
	struct records r;

	if (!records_begin(&r, data, size))
		return 0;
	for (int i = 0; i < TABLES; i++) {
		memset(&f[i], 0, sizeof(f[i]));
		f[i].kind = i;
		f[i].config = config_of(r.head);
		run(&f[i], r);
	}
	if (f[SILENT].answered != f[HEARD].answered)
		fuzz_fail("answers depend on who listens");
	return 0;
}
