/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory of tables: their numbers, their pages, pages that are kept for later. */
#include "mmu.h"

const uint64_t ms_tdp_nothing[TDP_ENTRIES];

/* ---- numbers ---- */

static size_t registry_bytes(const struct ms_tdp *tdp)
{
	return tdp->capacity * sizeof(struct tdp_table);
}

static bool grow_registry(struct ms_tdp *tdp)
{
	size_t old = registry_bytes(tdp);
	size_t bytes = old ? old * 2 : TDP_PAGE_SIZE;
	struct tdp_table *tables = tdp->host.alloc(tdp->host.ctx, bytes);

	if (!tables)
		return false;
	if (old) {
		memcpy(tables, tdp->tables, tdp->numbers * sizeof(*tables));
		tdp->host.free(tdp->host.ctx, tdp->tables, old);
	}
	tdp->tables = tables;
	tdp->capacity = (uint32_t)(bytes / sizeof(*tables));
	return true;
}

static bool reserve_numbers(struct ms_tdp *tdp, uint64_t n)
{
	while (tdp->capacity - tdp->numbers + tdp->free_numbers < n)
		if (!grow_registry(tdp))
			return false;
	return true;
}

/* A number for a table in which nothing is; reserved. */
static uint32_t take_number(struct ms_tdp *tdp)
{
	uint32_t number = tdp->free_number;

	if (number == TDP_NONE) {
		number = tdp->numbers++;
	} else {
		tdp->free_number = tdp->tables[number].parent;
		tdp->free_numbers--;
	}
	tdp->tables[number] = (struct tdp_table){ .words = (uint64_t *)(uintptr_t)ms_tdp_nothing };
	return number;
}

static void give_number_back(struct ms_tdp *tdp, uint32_t number)
{
	tdp->tables[number] = (struct tdp_table){ .parent = tdp->free_number };
	tdp->free_number = number;
	tdp->free_numbers++;
}

/* ---- pages ---- */

enum { TDP_DIRTY, TDP_CLEAN };

static void give_page_back(struct ms_tdp *tdp, uint64_t *page, bool clean)
{
	if (tdp->spares >= TDP_SPARE_MAX) {
		tdp->host.free(tdp->host.ctx, page, TDP_PAGE_SIZE);
		return;
	}
	page[0] = (uintptr_t)tdp->spare;
	page[1] = clean ? TDP_CLEAN : TDP_DIRTY;
	tdp->spare = page;
	tdp->spares++;
}

static uint64_t *take_spare(struct ms_tdp *tdp)
{
	uint64_t *page = tdp->spare;

	tdp->spare = (uint64_t *)(uintptr_t)page[0];
	tdp->spares--;
	return page;
}

/* A page of zeros; reserved. */
static uint64_t *take_page(struct ms_tdp *tdp)
{
	uint64_t *page = take_spare(tdp);

	if (page[1] == TDP_CLEAN)
		page[0] = page[1] = 0;
	else
		memset(page, 0, TDP_PAGE_SIZE);
	return page;
}

static void trim_spares(struct ms_tdp *tdp)
{
	while (tdp->spares > TDP_SPARE_MAX)
		tdp->host.free(tdp->host.ctx, take_spare(tdp), TDP_PAGE_SIZE);
}

static bool reserve_pages(struct ms_tdp *tdp, uint64_t n)
{
	while (tdp->spares < n) {
		uint64_t *page = tdp->host.alloc(tdp->host.ctx, TDP_PAGE_SIZE);

		if (!page) {
			trim_spares(tdp);
			return false;
		}
		page[0] = (uintptr_t)tdp->spare;
		page[1] = TDP_CLEAN;
		tdp->spare = page;
		tdp->spares++;
	}
	return true;
}

bool ms_tdp_reserve(struct ms_tdp *tdp, uint64_t n)
{
	return n < UINT32_MAX / 2 && reserve_numbers(tdp, n) && reserve_pages(tdp, n);
}

/* ---- tables ---- */

void ms_tdp_own_words(struct ms_tdp *tdp, uint32_t table)
{
	if (shares_nothing(&tdp->tables[table]))
		tdp->tables[table].words = take_page(tdp);
}

// mirrors tdp_mmu_link_sp(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+
uint32_t ms_tdp_link_table(struct ms_tdp *tdp, uint32_t parent, uint64_t *word)
{
	uint32_t number = take_number(tdp);

	ms_tdp_own_words(tdp, number);
	tdp->tables[number].parent = parent;
	tdp->tables[number].index = (uint16_t)(word - tdp->tables[parent].words);
	*word = table_entry(tdp, number);
	tdp->linked++;
	return number;
}

void ms_tdp_release_words(struct ms_tdp *tdp, uint32_t number, unsigned int level, bool clean)
{
	struct tdp_table *table = &tdp->tables[number];

	if (shares_nothing(table))
		return;
	forget_table(tdp, number, level);
	give_page_back(tdp, table->words, clean);
	table->words = (uint64_t *)(uintptr_t)ms_tdp_nothing;
	table->marked = 0;
	table->live = 0;
}

// mirrors handle_removed_pt(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1+: the tables themselves
void ms_tdp_put_tables(struct ms_tdp *tdp, uint32_t number, unsigned int level)
{
	const struct tdp_table table = tdp->tables[number];

	for (unsigned int i = 0, left = level > TDP_LAST_LEVEL ? table.live : 0; left; i++) {
		if (!table.words[i])
			continue;
		left--;
		if (entry_is_table(table.words[i], level))
			ms_tdp_put_tables(tdp, entry_table(table.words[i]), level - 1);
	}
	ms_tdp_release_words(tdp, number, level, false);
	tdp->linked--;
	give_number_back(tdp, number);
}

/* ---- the whole ---- */

static bool config_is_valid(const struct ms_tdp_config *c)
{
	bool npt = c->format == MS_TDP_NPT;

	if (c->levels < 4 || c->levels > TDP_MAX_LEVEL || c->pa_bits < 32 || c->pa_bits > 52)
		return false;
	if (npt ? !c->ad_bits || c->l1tf_bits : c->format != MS_TDP_EPT)
		return false;
	return !c->l1tf_bits ||
	       (c->l1tf_bits >= 37 && c->l1tf_bits <= 46 && c->pa_bits <= c->l1tf_bits);
}

// mirrors kvm_mmu_max_gfn(), arch/x86/kvm/mmu.h, 6.1+
static ms_ipa_t limit_of(const struct ms_tdp_config *c)
{
	unsigned int reached = table_shift(c->levels);

	return TDP_BIT(c->pa_bits < reached ? c->pa_bits : reached);
}

static void prepare(struct ms_tdp *tdp, const struct ms_tdp_config *config,
		    const struct ms_tdp_host *host)
{
	tdp->config = *config;
	tdp->host = *host;
	tdp->f = ms_tdp_format(config);
	tdp->limit = limit_of(config);
	tdp->pa_limit = TDP_BIT(config->pa_bits);
	tdp->free_number = TDP_NONE;
}

// mirrors kvm_tdp_mmu_get_vcpu_root_hpa(), arch/x86/kvm/mmu/tdp_mmu.c, 6.1 .. 6.1;
// kvm_tdp_mmu_alloc_root(), arch/x86/kvm/mmu/tdp_mmu.c, 6.12+
int ms_tdp_new(struct ms_tdp **out, const struct ms_tdp_config *config,
	       const struct ms_tdp_host *host)
{
	struct ms_tdp *tdp;

	if (!out || !config || !host || !host->alloc || !host->free || !config_is_valid(config))
		return -EINVAL;
	tdp = host->alloc(host->ctx, TDP_BYTES);
	if (!tdp)
		return -ENOMEM;
	prepare(tdp, config, host);
	if (!reserve_numbers(tdp, 1)) {
		host->free(host->ctx, tdp, TDP_BYTES);
		return -ENOMEM;
	}
	take_number(tdp);
	*out = tdp;
	return 0;
}

void ms_tdp_free(struct ms_tdp *tdp)
{
	struct ms_tdp_host host;

	if (!tdp)
		return;
	host = tdp->host;
	for (uint32_t i = 0; i < tdp->numbers; i++)
		if (tdp->tables[i].words && !shares_nothing(&tdp->tables[i]))
			host.free(host.ctx, tdp->tables[i].words, TDP_PAGE_SIZE);
	while (tdp->spares)
		host.free(host.ctx, take_spare(tdp), TDP_PAGE_SIZE);
	host.free(host.ctx, tdp->tables, registry_bytes(tdp));
	host.free(host.ctx, tdp, TDP_BYTES);
}

void ms_tdp_set_nx_huge_pages(struct ms_tdp *tdp, bool on)
{
	if (!tdp)
		return;
	tdp->nx_huge_pages = on;
	tdp->last.span = 0; // it holds what a leaf may have
}
