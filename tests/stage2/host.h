/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host for tests: memory that can fail, and a log of what the table told it.
 * The log reads as text, one event a line:
 *
 *	desc 80000000/3 0 -> leaf      the entry of level 3 at that IPA was filled
 *	desc 80000000/2 leaf -> 0
 *	desc 80000000/2 0 -> table
 *	tlbi ipa 80000000/3            level hint 3
 *	tlbi range 80000000+200000
 *	icache 4000000000+1000         dcache likewise
 */
#ifndef TEST_STAGE2_HOST_H
#define TEST_STAGE2_HOST_H

#include <mapsim/stage2.h>

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A fuzzer has no log, and takes memory that it had before (fuzz_stage2.c). */
#ifndef HOST_LOG
#define HOST_LOG (1 << 18)
#define HOST_ALLOC(size) aligned_alloc(size, size)
#define HOST_FREE(p, size) free(p)
#endif

struct test_host {
	unsigned long allocs;    // asked for so far
	unsigned long fail_at;   // the one that fails, 0: none
	unsigned long fail_from; // and all from this one on, 0: none
	long live;               // allocations not freed
	char log[HOST_LOG];
	size_t len;
};

static inline void *host_alloc(void *ctx, size_t size)
{
	struct test_host *h = ctx;
	void *p;

	h->allocs++;
	if (h->allocs == h->fail_at || (h->fail_from && h->allocs >= h->fail_from))
		return NULL;
	p = HOST_ALLOC(size);
	if (!p)
		return NULL;
	h->live++;
	return memset(p, 0, size);
}

static inline void host_free(void *ctx, void *table, size_t size)
{
	struct test_host *h = ctx;

	h->live--;
	HOST_FREE(table, size);
}

static inline void host_log(struct test_host *h, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (h->len < sizeof(h->log))
		h->len += (size_t)vsnprintf(h->log + h->len, sizeof(h->log) - h->len, format, args);
	va_end(args);
}

static inline const char *host_desc_word(uint64_t d, unsigned int level)
{
	if (!d)
		return "0";
	return level < 3 && (d & 2) ? "table" : "leaf";
}

static inline void host_desc(void *ctx, ms_ipa_t ipa, unsigned int level, uint64_t old,
			     uint64_t desc)
{
	host_log(ctx, "desc %" PRIx64 "/%u %s -> %s\n", ipa, level, host_desc_word(old, level),
		 host_desc_word(desc, level));
}

static inline void host_tlbi(void *ctx, enum ms_tlbi_kind kind, ms_ipa_t ipa, uint64_t size,
			     unsigned int level)
{
	/* What a kind does not have is 0. */
	assert_int_equal(kind == MS_TLBI_VMID ? ipa : 0, 0);
	assert_int_equal(kind == MS_TLBI_IPA_RANGE ? 0 : size, 0);
	assert_int_equal(kind == MS_TLBI_VMID || kind == MS_TLBI_IPA_RANGE ? level : 0, 0);
	if (kind == MS_TLBI_VMID)
		host_log(ctx, "tlbi vmid\n");
	else if (kind == MS_TLBI_IPA_RANGE)
		host_log(ctx, "tlbi range %" PRIx64 "+%" PRIx64 "\n", ipa, size);
	else
		host_log(ctx, "tlbi %s %" PRIx64 "/%u\n", kind == MS_TLBI_IPA ? "ipa" : "nsh", ipa,
			 level);
}

static inline void host_cmo(void *ctx, enum ms_cmo_kind kind, ms_pa_t pa, uint64_t size)
{
	host_log(ctx, "%s %" PRIx64 "+%" PRIx64 "\n",
		 kind == MS_CMO_DCACHE_CLEAN ? "dcache" : "icache", pa, size);
}

/* What 6.12 does on a CPU with everything, 4K pages and 40 bits. */
static inline struct ms_s2_config test_config(void)
{
	return (struct ms_s2_config){
		.page_shift = 12,
		.ipa_bits = 40,
		.fwb = true,
		.tlbi_range = true,
		.same_leaf_eagain = true,
		.table_to_block_range = true,
		.unmap_defer = true,
		.relax_local = true,
		.absent_eagain = true,
	};
}

static inline struct ms_s2_host test_hooks(struct test_host *h)
{
	return (struct ms_s2_host){ h, host_alloc, host_free, host_desc, host_tlbi, host_cmo };
}

static inline struct ms_s2 *test_s2(struct test_host *h, struct ms_s2_config config)
{
	struct ms_s2_host host = test_hooks(h);
	struct ms_s2 *s2;

	*h = (struct test_host){ .allocs = 0 };
	s2 = ms_s2_new(&config, &host);
	assert_non_null(s2);
	return s2;
}

static inline void test_s2_end(struct test_host *h, struct ms_s2 *s2)
{
	assert_null(ms_s2_check(s2));
	ms_s2_free(s2);
	assert_int_equal(h->live, 0);
}

/* The log since the last call must read so. */
static inline void assert_log(struct test_host *h, const char *expected)
{
	h->log[h->len < sizeof(h->log) ? h->len : sizeof(h->log) - 1] = '\0';
	assert_string_equal(h->log, expected);
	h->len = 0;
	h->log[0] = '\0';
}

static inline void forget_log(struct test_host *h)
{
	h->len = 0;
	h->log[0] = '\0';
}

/* Maps with as many tables as the request needs. */
static inline int test_map(struct ms_s2 *s2, ms_ipa_t ipa, uint64_t size, ms_pa_t pa,
			   unsigned int prot)
{
	struct ms_s2_cache cache = { .count = 0 };
	int ret = ms_s2_map(s2, ipa, size, pa, prot, &cache);

	ms_s2_cache_free(s2, &cache);
	return ret;
}

static inline void assert_leaf(const struct ms_s2 *s2, ms_ipa_t at, ms_ipa_t ipa, uint64_t size,
			       ms_pa_t pa, unsigned int prot)
{
	struct ms_s2_leaf leaf;

	assert_true(ms_s2_get_leaf(s2, at, &leaf));
	assert_int_equal(leaf.ipa, ipa);
	assert_int_equal(leaf.size, size);
	assert_int_equal(leaf.pa, pa);
	assert_int_equal(leaf.prot, prot);
}

static inline void assert_nothing(const struct ms_s2 *s2, ms_ipa_t at)
{
	struct ms_s2_leaf leaf;

	assert_false(ms_s2_get_leaf(s2, at, &leaf));
	assert_int_equal(leaf.size, 0);
}

#endif
