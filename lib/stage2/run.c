/* SPDX-License-Identifier: GPL-2.0-only */
/* Many leaves that change in one go: the host hears of them as one run, as numbers, or one by
 * one. */
#include "s2.h"
#include "words.h"

/* ---- one by one, in the kernel's order ---- */

static void tell_filled(const struct ms_s2_run *run, ms_ipa_t ipa, uint64_t desc)
{
	const struct ms_s2 *s2 = run->s2;

	if (run->maintain) {
		clean_dcache(s2, desc, run->level);
		invalidate_icache(s2, desc, run->level);
	}
	tell_desc(s2, ipa, run->level, 0, desc);
}

static void tell_cleared(const struct ms_s2_run *run, ms_ipa_t ipa, uint64_t desc)
{
	const struct ms_s2 *s2 = run->s2;

	tell_desc(s2, ipa, run->level, desc, 0);
	if (!s2->defer_tlbi)
		tell_tlbi(s2, MS_TLBI_IPA, ipa, 0, run->level);
	clean_dcache(s2, desc, run->level);
}

static void tell_changed(const struct ms_s2_run *run, ms_ipa_t ipa, uint64_t desc)
{
	if (desc & run->bit)
		tell_desc(run->s2, ipa, run->level, desc, desc & ~run->bit);
}

void ms_s2_run_tell(const struct ms_s2_run *run)
{
	if (!run || !run->s2)
		return;
	uint64_t size = level_size(&run->s2->g, run->level);
	ms_ipa_t ipa = run->ipa;

	for (unsigned int i = 0; i < run->count; i++, ipa += size) {
		if (!run->desc[i])
			continue;
		if (run->kind == MS_S2_RUN_FILL)
			tell_filled(run, ipa, run->desc[i]);
		else if (run->kind == MS_S2_RUN_CLEAR)
			tell_cleared(run, ipa, run->desc[i]);
		else
			tell_changed(run, ipa, run->desc[i]);
	}
}

void ms_s2_tell_run(const struct ms_s2_run *run)
{
	const struct ms_s2_host *host = &run->s2->host;

	if (host->run)
		host->run(host->ctx, run);
	else
		ms_s2_run_tell(run);
}

/* ---- numbers ---- */

static unsigned int count_cacheable(const struct ms_s2_run *run)
{
	return words_count_field(run->desc, run->count, DESC_MEMATTR | DESC_VALID,
				 run->s2->f.normal | DESC_VALID);
}

/* A run is filled by one request, so that all leaves are as cacheable and executable as the
 * first. */
static struct ms_s2_totals count_filled(const struct ms_s2_run *run)
{
	const struct ms_s2 *s2 = run->s2;
	bool clean = !s2->config.fwb && desc_cacheable(&s2->f, run->desc[0]);
	bool invalidate = desc_executable(&s2->f, run->desc[0]);

	return (struct ms_s2_totals){
		.desc = run->leaves,
		.dcache = run->maintain && clean ? run->leaves : 0,
		.icache = run->maintain && invalidate ? run->leaves : 0,
	};
}

static struct ms_s2_totals count_cleared(const struct ms_s2_run *run)
{
	return (struct ms_s2_totals){
		.desc = run->leaves,
		.tlbi = run->s2->defer_tlbi ? 0 : run->leaves,
		.dcache = run->s2->config.fwb ? 0 : count_cacheable(run),
	};
}

static struct ms_s2_totals count_changed(const struct ms_s2_run *run)
{
	unsigned int bit = (unsigned int)__builtin_ctzll(run->bit);

	return (struct ms_s2_totals){ .desc = words_count_bit(run->desc, run->count, bit) };
}

struct ms_s2_totals ms_s2_run_count(const struct ms_s2_run *run)
{
	if (!run || !run->s2)
		return (struct ms_s2_totals){ 0 };
	if (run->kind == MS_S2_RUN_FILL)
		return count_filled(run);
	return run->kind == MS_S2_RUN_CLEAR ? count_cleared(run) : count_changed(run);
}
