/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stage-2 library by itself, every granule, IPA space and capability. The same operations are
 * done on three tables, one after the other: one before the eyes of a CPU that obeys
 * break-before-make, one that hears of runs and has them told one by one, one that only counts.
 * Each holds what a flat list of pages holds, all answer alike and say the same.
 */
#include <stdlib.h>
#include <string.h>

static void *recycled(size_t size);
static void recycle(void *p, size_t size);
static void *recycled_zeroes(size_t n, size_t size);

#define HOST_LOG 1
#define HOST_ALLOC(size) recycled(size)
#define HOST_FREE(p, size) recycle(p, size)
#define ORACLE_CALLOC recycled_zeroes

#include "../stage2/observer.h"
#include "../stage2/oracle.h"

#include "base/poison.h"
#include "records.h"

#define MOST_RECORDS 200

enum { WATCHED, TOLD, COUNTED, TABLES };

struct fuzz {
	struct observer observer; // first: the host's alloc and free take it for their own
	int kind;                 // one of the above
	struct ms_s2_config config;
	struct ms_s2 *s2;
	struct ms_s2_cache cache;
	struct oracle oracle, before;
	ms_ipa_t limit;
	ms_pa_t pa_limit;
	uint64_t said, answered; // hashes
	struct ms_s2_totals totals;
};

/* ---- hearing ---- */

static void hash(uint64_t *h, uint64_t a, uint64_t b, uint64_t c)
{
	*h = (*h ^ a) * UINT64_C(0x9e3779b97f4a7c15);
	*h = (*h ^ b ^ *h >> 29) * UINT64_C(0x9e3779b97f4a7c15);
	*h = (*h ^ c ^ *h >> 31) * UINT64_C(0x9e3779b97f4a7c15);
}

static void hear_desc(void *ctx, ms_ipa_t ipa, unsigned int level, uint64_t old, uint64_t desc)
{
	struct fuzz *f = ctx;

	hash(&f->said, ipa, old, desc << 2 | level);
	f->totals.desc++;
	if (f->kind == WATCHED)
		observer_desc(&f->observer, ipa, level, old, desc);
}

static void hear_tlbi(void *ctx, enum ms_tlbi_kind kind, ms_ipa_t ipa, uint64_t size,
		      unsigned int level)
{
	struct fuzz *f = ctx;

	hash(&f->said, ipa, size, kind << 4 | level);
	f->totals.tlbi++;
	if (f->kind == WATCHED)
		observer_tlbi(&f->observer, kind, ipa, size, level);
}

static void hear_cmo(void *ctx, enum ms_cmo_kind kind, ms_pa_t pa, uint64_t size)
{
	struct fuzz *f = ctx;

	hash(&f->said, pa, size, kind + 100);
	if (kind == MS_CMO_DCACHE_CLEAN)
		f->totals.dcache++;
	else
		f->totals.icache++;
}

static void hear_run(void *ctx, const struct ms_s2_run *run)
{
	struct ms_s2_totals n = ms_s2_run_count(run);
	struct fuzz *f = ctx;

	if (f->kind == TOLD) {
		ms_s2_run_tell(run);
		return;
	}
	f->totals.desc += n.desc;
	f->totals.tlbi += n.tlbi;
	f->totals.dcache += n.dcache;
	f->totals.icache += n.icache;
}

/* ---- arguments ---- */

/*
 * A record: what, how, two bytes of a page, two of a number of pages, one of an address, one of a
 * protection.
 */
struct arguments {
	uint32_t page, npages; // of the window
	ms_ipa_t ipa;          // in that page
	uint64_t size;         // which rounds to npages
	ms_pa_t pa;
	unsigned int prot;
	uint8_t how;
};

/*
 * ---- memory of the inputs before ----
 *
 * New memory is what an input costs most: the sanitizer keeps what is freed from being used again,
 * and the kernel clears page after page. What is recycled is poisoned instead.
 */

#define MOST_SIZES 32
#define MOST_KEPT 1024

static struct {
	size_t size, nr;
	void *kept[MOST_KEPT];
} store[MOST_SIZES];

static void *recycled(size_t size)
{
	for (int i = 0; i < MOST_SIZES; i++) {
		if (store[i].size != size || !store[i].nr)
			continue;
		ms_unpoison(store[i].kept[store[i].nr - 1], size);
		return store[i].kept[--store[i].nr];
	}
	// a table lies at a multiple of its size
	return size & (size - 1) ? aligned_alloc(64, (size + 63) & ~(size_t)63)
				 : aligned_alloc(size < 64 ? 64 : size, size < 64 ? 64 : size);
}

static void recycle(void *p, size_t size)
{
	for (int i = 0; i < MOST_SIZES; i++) {
		if (store[i].size && store[i].size != size)
			continue;
		if (store[i].nr == MOST_KEPT)
			break;
		store[i].size = size;
		store[i].kept[store[i].nr++] = p;
		ms_poison(p, size);
		return;
	}
	free(p);
}

static void *recycled_zeroes(size_t n, size_t size)
{
	void *p = recycled(n * size);

	return p ? memset(p, 0, n * size) : NULL;
}

static uint32_t page_of(const struct oracle *o, uint8_t how, uint16_t n)
{
	uint32_t block = o->per_level[2];

	if (how & 1)
		return n % (o->npages / block) * block;
	if (how & 2)
		return o->npages / 2 - 32 + n % 64;
	return n % o->npages;
}

static uint32_t npages_of(const struct oracle *o, uint8_t how, uint16_t n, uint32_t page)
{
	uint32_t block = o->per_level[2], left = o->npages - page, npages = n % 40;

	if ((how & 0xc) == 4)
		npages = n % 4 * block;
	else if ((how & 0xc) == 8)
		npages = n % (3 * block);
	else if ((how & 0xc) == 0xc)
		npages = n & 1 ? 1 : o->per_level[o->min_block_level];
	return npages < left ? npages : left;
}

/* Mostly congruent with the IPA, so that what is mapped is met again. */
static ms_pa_t pa_of(const struct fuzz *f, ms_ipa_t offset, uint8_t byte)
{
	uint64_t page = UINT64_C(1) << f->config.page_shift;
	ms_pa_t pa = (UINT64_C(1) << 42) + offset;

	switch (byte & 7) {
	case 5:
		return pa + (byte >> 3) * page;
	case 6:
		return pa + f->oracle.per_level[2] * page;
	case 7:
		return f->pa_limit - (byte >> 3) * page;
	default:
		return pa;
	}
}

static unsigned int prot_of(uint8_t byte)
{
	return byte & 0x80 ? byte & 0x7f : oracle_common_prot(byte);
}

static struct arguments arguments_of(const struct fuzz *f, const uint8_t *record)
{
	const struct oracle *o = &f->oracle;
	struct arguments a = { .how = record[1] };
	uint64_t page = UINT64_C(1) << o->page_shift;

	a.page = page_of(o, a.how, record_u16(record + 2));
	a.npages = npages_of(o, a.how, record_u16(record + 4), a.page);
	a.ipa = oracle_ipa(o, a.page);
	a.size = a.npages * page;
	a.pa = pa_of(f, a.ipa - o->base, record[6]);
	a.prot = prot_of(record[7]);
	if (a.how & 0x10)
		a.ipa += record[5];
	if (a.how & 0x20 && a.size)
		a.size -= record[4];
	if (a.how & 0x40)
		a.pa += record[5];
	return a;
}

/* ---- when memory runs out: every page is as it was, as it would be, or empty ---- */

static void remember(struct fuzz *f)
{
	memcpy(f->before.pages, f->oracle.pages, f->oracle.npages * sizeof(*f->oracle.pages));
}

static bool is_page_of(const struct oracle *o, uint32_t page, const struct ms_s2_leaf *leaf)
{
	const struct oracle_page *p = &o->pages[page];

	return leaf->level == p->level && leaf->ipa == oracle_ipa(o, p->first) &&
	       leaf->pa == p->pa && leaf->prot == p->prot && leaf->young == p->young;
}

static void take_from_table(struct fuzz *f)
{
	struct oracle *o = &f->oracle;
	struct ms_s2_leaf leaf;

	for (uint32_t page = 0; page < o->npages; page++) {
		bool mapped = ms_s2_get_leaf(f->s2, oracle_ipa(o, page), &leaf);

		if (mapped && !is_page_of(o, page, &leaf) && !is_page_of(&f->before, page, &leaf))
			fuzz_fail("a map without memory leaves at %#llx what was never asked for",
				  (unsigned long long)oracle_ipa(o, page));
		o->pages[page] = mapped ? (struct oracle_page){ leaf.pa,
								(uint32_t)((leaf.ipa - o->base) >>
									   o->page_shift),
								(uint8_t)leaf.level,
								(uint8_t)leaf.prot, leaf.young }
					: (struct oracle_page){ 0 };
	}
}

/* ---- operations ---- */

static void expect(struct fuzz *f, const char *what, int ret, int expected)
{
	hash(&f->answered, (uint64_t)ret, 0, 0);
	if (ret != expected)
		fuzz_fail("%s answers %d, not %d", what, ret, expected);
}

static int oracle_answer_to_map(struct fuzz *f, const struct arguments *a)
{
	ms_pa_t pa = a->pa & ~((UINT64_C(1) << f->config.page_shift) - 1);
	uint64_t size = (uint64_t)a->npages << f->config.page_shift;

	if (!oracle_prot_is_valid(&f->oracle, a->prot))
		return -EINVAL;
	if (pa > f->pa_limit || size > f->pa_limit - pa)
		return -EINVAL;
	return oracle_map(&f->oracle, a->page, a->npages, pa, a->prot);
}

static bool may_fail(const struct fuzz *f)
{
	return f->observer.memory.fail_at >= f->observer.memory.allocs;
}

/* Some tables for the next map; few, as they are large and the cache is filled all at once. */
static int fill_cache(struct fuzz *f, const struct arguments *a)
{
	unsigned int min = ms_s2_cache_min(f->s2);

	if (a->how == 0)
		return ms_s2_cache_topup(f->s2, &f->cache, min);
	return ms_s2_cache_fill(f->s2, &f->cache, min + 1, min);
}

static void do_map(struct fuzz *f, const struct arguments *a)
{
	bool cached = !(a->how & 0x80);
	int ret, expected;

	if (cached && fill_cache(f, a))
		return;
	if (!cached || may_fail(f))
		remember(f);
	ret = ms_s2_map(f->s2, a->ipa, a->size, a->pa, a->prot, cached ? &f->cache : NULL);
	expected = oracle_answer_to_map(f, a);
	if (ret == -ENOMEM && expected != -EINVAL)
		take_from_table(f);
	else
		expect(f, "map", ret, expected);
	hash(&f->answered, (uint64_t)ret, 1, 0);
}

/* Few tables; or enough for the pages of the largest block, where that has two levels below. */
static void do_split(struct fuzz *f, const struct arguments *a)
{
	bool all = f->oracle.min_block_level == 1 && a->how & 0x80;
	unsigned int tables = all ? f->oracle.per_level[2] + 1 : a->prot % 4;
	struct ms_s2_cache cache = { .count = 0 };

	if (!ms_s2_cache_fill(f->s2, &cache, tables, tables))
		expect(f, "split", ms_s2_split(f->s2, a->ipa, a->size, &cache),
		       oracle_split(&f->oracle, a->page, a->npages, tables));
	ms_s2_cache_free(f->s2, &cache);
}

static void do_young(struct fuzz *f, const struct arguments *a)
{
	bool clear = a->how & 0x80;

	expect(f, "test_clear_young", ms_s2_test_clear_young(f->s2, a->ipa, a->size, clear),
	       oracle_test_clear_young(&f->oracle, a->page, a->npages, clear));
}

/* A deferred TLBI counts whole pages of the caller's size, as in the kernel: then size is whole. */
static void do_unmap(struct fuzz *f, const struct arguments *a)
{
	bool defers = f->config.unmap_defer && f->config.fwb && f->config.tlbi_range;
	uint64_t size = defers ? (uint64_t)a->npages << f->config.page_shift : a->size;

	expect(f, "unmap", ms_s2_unmap(f->s2, a->ipa, size), 0);
	oracle_unmap(&f->oracle, a->page, a->npages);
}

static void do_flush(struct fuzz *f, const struct arguments *a)
{
	const struct oracle *o = &f->oracle;
	uint64_t before = f->totals.dcache, leaves = 0;

	for (uint32_t i = a->page; i < a->page + a->npages; i = oracle_next(o, i))
		leaves += o->pages[i].level &&
			  !(o->pages[i].prot & (MS_PROT_DEVICE | MS_PROT_NORMAL_NC));
	expect(f, "flush", ms_s2_flush(f->s2, a->ipa, a->size), 0);
	expect(f, "flush", (int)(f->totals.dcache - before), f->config.fwb ? 0 : (int)leaves);
}

/* Beyond the IPA space, or so far that the end wraps. */
static void do_beyond(struct fuzz *f, const struct arguments *a)
{
	const ms_ipa_t far[] = { f->limit, f->limit + a->ipa, UINT64_C(1) << 63,
				 UINT64_MAX - a->page };
	ms_ipa_t ipa = a->how & 4 ? a->ipa : far[a->how & 3];
	uint64_t size = a->how & 4 ? far[a->how & 3] : a->size + 1;
	struct ms_s2_cache none = { .count = 0 };
	struct ms_s2_leaf leaf;

	if (a->how & 4 && ipa == 0 && size == f->limit)
		return;
	expect(f, "map beyond", ms_s2_map(f->s2, ipa, size, 0, MS_PROT_R, NULL), -ERANGE);
	expect(f, "unmap beyond", ms_s2_unmap(f->s2, ipa, size), -ERANGE);
	expect(f, "wrprotect beyond", ms_s2_wrprotect(f->s2, ipa, size), -ERANGE);
	expect(f, "split beyond", ms_s2_split(f->s2, ipa, size, &none), -ERANGE);
	expect(f, "young beyond", ms_s2_test_clear_young(f->s2, ipa, size, true), false);
	if (a->how & 4)
		return;
	expect(f, "relax beyond", ms_s2_relax(f->s2, ipa, MS_PROT_W), -ERANGE);
	expect(f, "mkyoung beyond", ms_s2_mkyoung(f->s2, ipa), -ERANGE);
	expect(f, "leaf beyond", ms_s2_get_leaf(f->s2, ipa, &leaf), false);
	expect(f, "next leaf beyond", ms_s2_next_leaf(f->s2, ipa, UINT64_MAX, &leaf), false);
}

static void do_unmap_all(struct fuzz *f)
{
	expect(f, "unmap", ms_s2_unmap(f->s2, 0, f->limit), 0);
	oracle_clear(&f->oracle, 0, f->oracle.npages);
	if (ms_s2_table_pages(f->s2))
		fuzz_fail("nothing is mapped, and %llu tables are left",
			  (unsigned long long)ms_s2_table_pages(f->s2));
}

static void fail_alloc(struct fuzz *f, unsigned int n)
{
	struct test_host *h = &f->observer.memory;

	h->fail_at = h->allocs + n;
}

static void operation(struct fuzz *f, uint8_t what, const struct arguments *a)
{
	struct oracle *o = &f->oracle;

	switch (what % 16) {
	default:
		do_map(f, a);
		break;
	case 4:
	case 5:
		do_unmap(f, a);
		break;
	case 6:
		expect(f, "wrprotect", ms_s2_wrprotect(f->s2, a->ipa, a->size), 0);
		oracle_wrprotect(o, a->page, a->npages);
		break;
	case 7:
		expect(f, "relax", ms_s2_relax(f->s2, a->ipa, a->prot),
		       oracle_relax(o, a->page, a->prot));
		break;
	case 8:
		expect(f, "mkyoung", ms_s2_mkyoung(f->s2, a->ipa), oracle_mkyoung(o, a->page));
		break;
	case 9:
		do_young(f, a);
		break;
	case 10:
		do_split(f, a);
		break;
	case 11:
		do_flush(f, a);
		break;
	case 12:
		do_beyond(f, a);
		break;
	case 13:
		fail_alloc(f, 1 + a->how % 8);
		break;
	case 14:
		ms_s2_cache_free(f->s2, &f->cache);
		break;
	case 15:
		if (a->how & 1)
			do_unmap_all(f);
		else
			ms_s2_flush_vmid(f->s2);
		break;
	}
}

/* ---- the whole ---- */

static struct ms_s2_config config_of(const uint8_t *head)
{
	static const unsigned int shifts[] = { 12, 14, 16, 12, 12, 14, 12, 13 };
	uint8_t b = head[2];

	return (struct ms_s2_config){
		.page_shift = shifts[head[0] % 8],
		.ipa_bits = head[1] < 0xf0 ? 32 + head[1] % 21 : head[1],
		.fwb = b & 1,
		.tlbi_range = b & 2,
		.same_leaf_eagain = b & 4,
		.table_to_block_range = b & 8,
		.unmap_defer = b & 16,
		.relax_local = b & 32,
		.absent_eagain = head[0] & 8,
		.eagain_no_tlbi = head[0] & 16,
		.xn_two_bits = b & 64,
		.cmo_by_caller = b & 128,
	};
}

/* Where the operations take place: at an end of the IPA space, or around a border in it. */
static void place_window(const struct fuzz *f, const uint8_t *head, ms_ipa_t *base, uint64_t *size)
{
	unsigned int stride = f->config.page_shift - 3, block = f->config.page_shift + stride;
	unsigned int shift = f->config.ipa_bits - 1;

	// the more pages a block has, the fewer blocks
	*size = UINT64_C(2) << block;
	if (f->config.page_shift == 12)
		*size += (uint64_t)(1 + head[4] % 4) << (block + 1);
	if (f->config.page_shift == 12 && head[4] == 0xff)
		*size += UINT64_C(1) << (block + stride);
	switch (head[3] % 4) {
	case 0:
		*base = 0;
		return;
	case 1:
		*base = f->limit - *size;
		return;
	case 2:
		break;
	case 3:
		if (shift > block + stride)
			shift = block + stride;
		break;
	}
	*base = (UINT64_C(1) << shift) - *size / 2;
	*base &= ~((UINT64_C(1) << block) - 1);
}

/* false: the library refuses the configuration, or there is no memory. */
static bool begin(struct fuzz *f, const uint8_t *head)
{
	struct ms_s2_host host = { f, host_alloc, host_free, hear_desc, hear_tlbi, hear_cmo };
	bool valid = f->config.page_shift != 13 && f->config.ipa_bits <= 52;
	ms_ipa_t base;
	uint64_t size;
	int ret;

	if (f->kind != WATCHED)
		host.run = hear_run;
	if (head[5] == 1)
		f->observer.memory.fail_at = 1 + head[6] % 4;
	f->s2 = ms_s2_new(&f->config, &host);
	ret = f->s2 ? 0 : -errno;
	if (ret || !valid) {
		if (ret != (valid ? -ENOMEM : -EINVAL) || f->observer.memory.live)
			fuzz_fail("a new table answers %d, and holds memory", ret);
		return false;
	}
	f->limit = UINT64_C(1) << f->config.ipa_bits;
	f->pa_limit =
		UINT64_C(1) << (f->config.page_shift == 16 || f->config.ipa_bits > 48 ? 52 : 48);
	place_window(f, head, &base, &size);
	if (size > f->limit || base + size > f->limit) {
		ms_s2_free(f->s2);
		return false;
	}
	oracle_init(&f->oracle, &f->config, base, size);
	oracle_init(&f->before, &f->config, base, size);
	return true;
}

static void check(struct fuzz *f, const struct arguments *a)
{
	const char *broken = f->kind == WATCHED ? ms_s2_check(f->s2) : NULL;
	struct ms_s2_leaf leaf;

	if (broken)
		fuzz_fail("the table: %s", broken);
	if (ms_s2_get_leaf(f->s2, a->ipa, &leaf) ? !is_page_of(&f->oracle, a->page, &leaf)
						 : f->oracle.pages[a->page].level != 0)
		fuzz_fail("at %#llx the table holds what the list of pages does not",
			  (unsigned long long)a->ipa);
	if (f->kind == WATCHED && f->observer.nr_stale)
		fuzz_fail("a translation that is gone is left in the TLB");
}

static void end(struct fuzz *f)
{
	check(f, &(struct arguments){ .ipa = f->oracle.base });
	oracle_assert_same(&f->oracle, f->s2);
	for (uint32_t page = 0; f->kind == WATCHED && page < f->oracle.npages; page++)
		observer_assert_same(&f->observer, f->s2, oracle_ipa(&f->oracle, page));
	ms_s2_cache_free(f->s2, &f->cache);
	do_unmap_all(f);
	ms_s2_free(f->s2);
	if (f->observer.memory.live)
		fuzz_fail("%ld allocations are left", f->observer.memory.live);
	recycle(f->oracle.pages, f->oracle.npages * sizeof(*f->oracle.pages));
	recycle(f->before.pages, f->before.npages * sizeof(*f->before.pages));
}

static void run(struct fuzz *f, struct records r)
{
	const uint8_t *record;
	struct test_host memory;

	if (!begin(f, r.head))
		return;
	if (f->kind == WATCHED) {
		memory = f->observer.memory;
		observer_init(&f->observer, &f->config, f->oracle.base,
			      (uint64_t)f->oracle.npages << f->config.page_shift,
			      ms_s2_start_level(f->s2));
		f->observer.memory = memory;
	}
	for (int n = 0; n < MOST_RECORDS && (record = records_next(&r)); n++) {
		struct arguments a = arguments_of(f, record);

		operation(f, record[0], &a);
		check(f, &a);
	}
	end(f);
	if (f->kind == WATCHED)
		observer_end(&f->observer);
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
	if (f[TOLD].said != f[WATCHED].said)
		fuzz_fail("runs that are told one by one say something else");
	for (int i = 1; i < TABLES; i++)
		if (f[i].answered != f[0].answered ||
		    memcmp(&f[i].totals, &f[0].totals, sizeof(f[i].totals)))
			fuzz_fail("answers or numbers depend on who listens");
	return 0;
}
