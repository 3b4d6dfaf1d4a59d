/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host for tests: memory that can fail, and a log of what the table told it, a piece a line.
 * Rights are rwx and letters for the marks: h host-writable, m KVM-writable, a accessed, d dirty.
 *
 *	map 80000000+2000/1 pa=4000000000 rwx hmad     two leaves of level 1 were made
 *	zap 80000000+2000/1
 *	change 80000000+1000/1 rwx hmad -> r-x hma-
 *	split 80000000+200000/2
 *	mmio 80000000 gen=5
 */
#ifndef TEST_TDP_HOST_H
#define TEST_TDP_HOST_H

#include <mapsim/tdp.h>

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IPA UINT64_C(0x80000000)
#define PA UINT64_C(0x4000000000)

#define R MS_PROT_R
#define W MS_PROT_W
#define X MS_PROT_X
#define H MS_TDP_HOST_WRITABLE
#define M MS_TDP_MMU_WRITABLE
#define A MS_TDP_ACCESSED
#define D MS_TDP_DIRTY
#define RX (R | X | A)
#define RWX (R | W | X | H | M | A | D)

struct test_host {
	unsigned long allocs;  // asked for so far
	unsigned long fail_at; // the one that fails, 0: none
	long live;             // allocations not freed
	char log[1 << 16];
	size_t len;
};

static inline void *host_alloc(void *ctx, size_t size)
{
	struct test_host *h = ctx;
	void *p;

	if (++h->allocs == h->fail_at)
		return NULL;
	p = aligned_alloc(size, size);
	if (!p)
		return NULL;
	h->live++;
	return memset(p, 0, size);
}

static inline void host_free(void *ctx, void *memory, size_t size)
{
	struct test_host *h = ctx;

	h->live--;
	free(memory);
}

static inline void host_log(struct test_host *h, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (h->len < sizeof(h->log))
		h->len += (size_t)vsnprintf(h->log + h->len, sizeof(h->log) - h->len, format, args);
	va_end(args);
}

static inline const char *attr_text(unsigned int attr, char text[9])
{
	static const char letters[] = "rwx hmad";
	static const unsigned int bits[] = { R, W, X, 0, H, M, A, D };

	for (unsigned int i = 0; i < 8; i++)
		text[i] = !bits[i] ? ' ' : attr & bits[i] ? letters[i] : '-';
	text[8] = '\0';
	return text;
}

static inline unsigned int entry_attr(const struct ms_tdp_run *run, uint64_t entry)
{
	struct ms_tdp_leaf leaf;

	ms_tdp_describe(run->tdp, entry, run->level, &leaf);
	assert_int_not_equal(leaf.size, 0);
	return leaf.prot | leaf.bits;
}

static inline void log_piece(struct test_host *h, const struct ms_tdp_run *run,
			     const struct ms_tdp_piece *p)
{
	char a[9], b[9];

	switch (run->kind) {
	case MS_TDP_MAP:
		assert_int_equal(p->old, 0);
		host_log(h, "map %" PRIx64 "+%" PRIx64 "/%u pa=%" PRIx64 " %s\n", p->ipa, p->size,
			 run->level, p->entry & 0xffffffffff000,
			 attr_text(entry_attr(run, p->entry), a));
		break;
	case MS_TDP_ZAP:
		assert_int_equal(p->entry, 0);
		entry_attr(run, p->old);
		host_log(h, "zap %" PRIx64 "+%" PRIx64 "/%u\n", p->ipa, p->size, run->level);
		break;
	case MS_TDP_CHANGE:
		host_log(h, "change %" PRIx64 "+%" PRIx64 "/%u %s -> %s\n", p->ipa, p->size,
			 run->level, attr_text(entry_attr(run, p->old), a),
			 attr_text(entry_attr(run, p->entry), b));
		break;
	case MS_TDP_SPLIT:
		host_log(h, "split %" PRIx64 "+%" PRIx64 "/%u\n", p->ipa, p->size, run->level);
		break;
	case MS_TDP_MMIO:
		assert_int_equal(run->level, 1);
		host_log(h, "mmio %" PRIx64 "\n", p->ipa);
		break;
	}
}

static inline void host_change(void *ctx, const struct ms_tdp_run *run)
{
	unsigned int leaves = 0;
	struct ms_tdp_piece piece;

	for (unsigned int i = 0; (i = ms_tdp_run_piece(run, i, &piece)) != 0;) {
		assert_int_equal(piece.size, piece.count * ms_tdp_level_size(run->level));
		leaves += piece.count;
		log_piece(ctx, run, &piece);
	}
	assert_int_equal(leaves, run->leaves);
	assert_int_not_equal(leaves, 0);
}

/* NPT of a 6.12 kernel, 40 address bits. */
static inline struct ms_tdp_config test_config(void)
{
	return (struct ms_tdp_config){
		.format = MS_TDP_NPT,
		.levels = 4,
		.pa_bits = 40,
		.ad_bits = true,
		.suppress_ve = true,
		.map_splits = true,
		.zap_by_size = true,
	};
}

/* EPT of a CPU without accessed and dirty bits, with the rules of 6.12 or of 7.2. */
static inline struct ms_tdp_config test_config_ept(bool newer)
{
	struct ms_tdp_config config = test_config();

	config.format = MS_TDP_EPT;
	config.ad_bits = false;
	config.user_exec = newer;
	config.keeps_ad = newer;
	config.recover_in_place = newer;
	return config;
}

static inline struct ms_tdp *test_tdp(struct test_host *h, struct ms_tdp_config config)
{
	struct ms_tdp_host host = { h, host_alloc, host_free, host_change };
	struct ms_tdp *tdp = NULL;

	*h = (struct test_host){ .allocs = 0 };
	assert_int_equal(ms_tdp_new(&tdp, &config, &host), 0);
	return tdp;
}

static inline void test_tdp_end(struct test_host *h, struct ms_tdp *tdp)
{
	assert_null(ms_tdp_check(tdp));
	ms_tdp_free(tdp);
	assert_int_equal(h->live, 0);
}

static inline void forget_log(struct test_host *h)
{
	h->len = 0;
	h->log[0] = '\0';
}

/* The log since the last call must read so. */
static inline void assert_log(struct test_host *h, const char *expected)
{
	h->log[h->len < sizeof(h->log) ? h->len : sizeof(h->log) - 1] = '\0';
	assert_string_equal(h->log, expected);
	forget_log(h);
}

static inline void assert_leaf(const struct ms_tdp *tdp, ms_ipa_t at, ms_ipa_t ipa, uint64_t size,
			       ms_pa_t pa, unsigned int attr)
{
	struct ms_tdp_leaf leaf;

	assert_true(ms_tdp_get_leaf(tdp, at, &leaf));
	assert_int_equal(leaf.ipa, ipa);
	assert_int_equal(leaf.size, size);
	assert_int_equal(leaf.pa, pa);
	assert_int_equal(leaf.prot | leaf.bits, attr);
}

static inline void assert_nothing(const struct ms_tdp *tdp, ms_ipa_t at)
{
	struct ms_tdp_leaf leaf;

	assert_false(ms_tdp_get_leaf(tdp, at, &leaf));
	assert_int_equal(leaf.size, 0);
}

static inline uint64_t entry_at(const struct ms_tdp *tdp, ms_ipa_t ipa)
{
	unsigned int level;

	return ms_tdp_walk(tdp, ipa, &level);
}

#endif
