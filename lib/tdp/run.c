/* SPDX-License-Identifier: GPL-2.0-only */
/* What the host is told: runs of entries, and the pieces of equal changes in them. */
#include "mmu.h"

void ms_tdp_tell_cleared(const struct ms_tdp *tdp, unsigned int level, ms_ipa_t ipa, unsigned int n,
			 const uint64_t *entries, uint64_t clear)
{
	unsigned int leaves;

	if (!tdp->host.change)
		return;
	if (clear & (clear - 1))
		leaves = n - words_count_field(entries, n, clear, 0);
	else
		leaves = words_count_bit(entries, n, (unsigned int)__builtin_ctzll(clear));
	if (leaves)
		tdp->host.change(tdp->host.ctx, &(struct ms_tdp_run){
							.tdp = tdp,
							.kind = MS_TDP_CHANGE,
							.level = level,
							.ipa = ipa,
							.count = n,
							.leaves = leaves,
							.entries = entries,
							.clear = clear,
						});
}

/* ---- pieces ---- */

static bool changes(const struct ms_tdp_run *run, uint64_t w)
{
	switch (run->kind) {
	case MS_TDP_CHANGE:
		return entry_is_leaf(w, run->level) && ((w & run->clear) || (~w & run->set));
	case MS_TDP_MMIO:
		return true;
	default:
		return entry_is_leaf(w, run->level);
	}
}

static void describe_change(const struct ms_tdp_run *run, uint64_t w, struct ms_tdp_piece *piece)
{
	bool comes = run->kind == MS_TDP_MAP || run->kind == MS_TDP_MMIO;

	piece->old = comes ? 0 : w;
	piece->entry = comes ? w : 0;
	if (run->kind == MS_TDP_CHANGE)
		piece->entry = (w & ~run->clear) | run->set;
}

unsigned int ms_tdp_run_piece(const struct ms_tdp_run *run, unsigned int from,
			      struct ms_tdp_piece *piece)
{
	uint64_t first, step = 0;
	unsigned int i = from;

	while (run && i < run->count && !changes(run, run->entries[i]))
		i++;
	if (!run || i >= run->count)
		return 0;
	first = run->entries[i];
	if (run->kind == MS_TDP_MAP)
		step = level_size(run->level);
	piece->ipa = run->ipa + (uint64_t)i * level_size(run->level);
	describe_change(run, first, piece);
	from = i;
	do {
		i++;
	} while (i < run->count && (step ? run->entries[i] == first + (i - from) * step
					 : !((run->entries[i] ^ first) & ~TDP_ADDRESS)));
	piece->count = i - from;
	piece->size = piece->count * level_size(run->level);
	return i;
}
