/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory of tables: their numbers, the pool of freed ones, the caches of callers. */
#include "s2.h"

/* ---- numbers ---- */

static size_t registry_bytes(const struct ms_s2 *s2)
{
	return s2->capacity * sizeof(struct s2_table);
}

static bool grow_registry(struct ms_s2 *s2)
{
	size_t old = registry_bytes(s2);
	size_t bytes = old ? old * 2 : s2_page_size(&s2->g);
	struct s2_table *tables = s2->host.alloc(s2->host.ctx, bytes);

	if (!tables)
		return false;
	if (old) {
		memcpy(tables, s2->tables, s2->numbers * sizeof(*tables));
		s2->host.free(s2->host.ctx, s2->tables, old);
	}
	s2->tables = tables;
	s2->capacity = (uint32_t)(bytes / sizeof(*tables));
	return true;
}

/* Gives a number to a table's words; S2_NONE: no memory for one more. */
static uint32_t number_table(struct ms_s2 *s2, uint64_t *words)
{
	uint32_t number = s2->free_number;

	if (number != S2_NONE) {
		s2->free_number = s2->tables[number].parent;
	} else {
		if (s2->numbers == s2->capacity && !grow_registry(s2))
			return S2_NONE;
		number = s2->numbers++;
	}
	s2->tables[number] = (struct s2_table){ .words = words, .parent = S2_NONE };
	return number;
}

static void give_number_back(struct ms_s2 *s2, uint32_t number)
{
	s2->tables[number] = (struct s2_table){ .parent = s2->free_number };
	s2->free_number = number;
}

/* ---- tables ---- */

static uint32_t table_from_pool(struct ms_s2 *s2)
{
	uint32_t number = s2->pool[--s2->pooled];
	struct s2_table *table = &s2->tables[number];

	if (table->live)
		memset(table->words, 0, s2_page_size(&s2->g));
	table->live = 0;
	return number;
}

/* A zeroed table that nothing points to; S2_NONE: no memory. */
static uint32_t table_new(struct ms_s2 *s2)
{
	size_t size = s2_page_size(&s2->g);
	uint64_t *words;
	uint32_t number;

	if (s2->pooled)
		return table_from_pool(s2);
	words = s2->host.alloc(s2->host.ctx, size);
	if (!words)
		return S2_NONE;
	number = number_table(s2, words);
	if (number == S2_NONE)
		s2->host.free(s2->host.ctx, words, size);
	return number;
}

/* Gives a table to the pool, or to the host. If its `live` is not 0 its words may hold anything. */
static void table_put(struct ms_s2 *s2, uint32_t number)
{
	if (s2->pooled < S2_POOL_MAX) {
		s2->pool[s2->pooled++] = number;
		return;
	}
	s2->host.free(s2->host.ctx, s2->tables[number].words, s2_page_size(&s2->g));
	give_number_back(s2, number);
}

void ms_s2_linked_table_put(struct ms_s2 *s2, uint32_t number, unsigned int level)
{
	forget_table(s2, number, level);
	s2->tables[number].parent = S2_NONE;
	s2->linked--;
	table_put(s2, number);
}

// mirrors kvm_pgtable_stage2_free_unlinked(), arch/arm64/kvm/hyp/pgtable.c, 6.3+
void ms_s2_subtree_put(struct ms_s2 *s2, uint32_t number, unsigned int level)
{
	const struct s2_table table = s2->tables[number];

	for (unsigned int i = 0, left = level < S2_LAST_LEVEL ? table.live : 0; left; i++) {
		if (!table.words[i])
			continue;
		left--;
		if (desc_is_table(table.words[i], level))
			ms_s2_subtree_put(s2, desc_table(s2, table.words[i]), level + 1);
	}
	ms_s2_linked_table_put(s2, number, level);
}

/* ---- callers' caches: a table in one has its number in its first word ---- */

/* Tables for which the cache's array has no room are chained through their second word. */
static void push_table(struct ms_s2 *s2, struct ms_s2_cache *cache, uint32_t number)
{
	uint64_t *words = s2->tables[number].words;

	words[0] = number;
	if (cache->count < MS_S2_CACHE_CAPACITY) {
		cache->table[cache->count] = words;
	} else {
		words[1] = (uintptr_t)cache->more;
		cache->more = words;
	}
	cache->count++;
	s2->cached++;
}

static uint32_t pop_table(struct ms_s2 *s2, struct ms_s2_cache *cache)
{
	uint64_t *words;
	uint32_t number;

	if (--cache->count < MS_S2_CACHE_CAPACITY) {
		words = cache->table[cache->count];
	} else {
		words = cache->more;
		cache->more = (void *)(uintptr_t)words[1];
		words[1] = 0;
	}
	number = (uint32_t)words[0];
	words[0] = 0;
	s2->cached--;
	return number;
}

// mirrors kvm_mmu_memory_cache_alloc(), virt/kvm/kvm_main.c, 5.10+: if the cache is empty it
// allocates
uint32_t ms_s2_table_take(struct ms_s2 *s2, struct ms_s2_cache *cache)
{
	if (!cache)
		return S2_NONE;
	return cache->count ? pop_table(s2, cache) : table_new(s2);
}

// mirrors __kvm_mmu_topup_memory_cache(), virt/kvm/kvm_main.c, 6.1+
int ms_s2_cache_fill(struct ms_s2 *s2, struct ms_s2_cache *cache, unsigned int capacity,
		     unsigned int min)
{
	if (!cache || min > capacity)
		return -EINVAL;
	if (cache->count >= min)
		return 0;
	if (!s2)
		return -EINVAL;
	while (cache->count < capacity) {
		uint32_t number = table_new(s2);

		if (number == S2_NONE)
			return cache->count >= min ? 0 : -ENOMEM;
		push_table(s2, cache, number);
	}
	return 0;
}

// mirrors kvm_mmu_topup_memory_cache(), virt/kvm/kvm_main.c, 5.10+
int ms_s2_cache_topup(struct ms_s2 *s2, struct ms_s2_cache *cache, unsigned int min)
{
	return ms_s2_cache_fill(s2, cache, MS_S2_CACHE_CAPACITY, min);
}

// mirrors kvm_mmu_free_memory_cache(), virt/kvm/kvm_main.c, 5.10+
void ms_s2_cache_free(struct ms_s2 *s2, struct ms_s2_cache *cache)
{
	while (s2 && cache && cache->count)
		table_put(s2, pop_table(s2, cache));
}

// mirrors kvm_mmu_cache_min_pages(), arch/arm64/include/asm/stage2_pgtable.h, 5.10+
unsigned int ms_s2_cache_min(const struct ms_s2 *s2)
{
	return s2 ? S2_LAST_LEVEL - s2->g.start_level : 0;
}

// mirrors kvm_mmu_split_nr_page_tables(), arch/arm64/kvm/mmu.c, 6.5+
unsigned int ms_s2_split_tables(const struct ms_s2 *s2, uint64_t size)
{
	uint64_t n = 0;

	if (!s2)
		return 0;
	for (unsigned int level = s2->g.min_block_level; level < S2_LAST_LEVEL; level++)
		n += (size >> level_shift(&s2->g, level)) +
		     !is_aligned(size, level_size(&s2->g, level));
	return n < UINT32_MAX ? (unsigned int)n : UINT32_MAX;
}

/* ---- the whole ---- */

static bool config_is_valid(const struct ms_s2_config *config)
{
	return (config->page_shift == 12 || config->page_shift == 14 || config->page_shift == 16) &&
	       config->ipa_bits >= 32 && config->ipa_bits <= 52;
}

static size_t root_bytes(const struct ms_s2 *s2)
{
	return (size_t)s2->g.root_pages << s2->g.page_shift;
}

/* The root's tables are one allocation, one behind the other, and get the first numbers. */
static int new_root(struct ms_s2 *s2)
{
	uint64_t *root = s2->host.alloc(s2->host.ctx, root_bytes(s2));

	if (!root)
		return -ENOMEM;
	if (!grow_registry(s2)) {
		s2->host.free(s2->host.ctx, root, root_bytes(s2));
		return -ENOMEM;
	}
	for (unsigned int i = 0; i < s2->g.root_pages; i++)
		remember_table(s2, (ms_ipa_t)i << s2->g.root_shift,
			       number_table(s2, root + (size_t)i * s2->g.entries),
			       s2->g.start_level);
	return 0;
}

/* What is asked of the host for struct ms_s2: at least a granule. */
static size_t self_bytes(const struct ms_s2_config *config)
{
	size_t granule = (size_t)1 << config->page_shift;

	return granule > S2_BYTES ? granule : S2_BYTES;
}

// mirrors stage2_unmap_defer_tlb_flush(), arch/arm64/kvm/hyp/pgtable.c, 6.6+
static bool unmap_defers_tlbi(const struct ms_s2_config *config)
{
	return config->unmap_defer && config->fwb && config->tlbi_range;
}

static void note_listeners(struct ms_s2 *s2)
{
	const struct ms_s2_host *host = &s2->host;

	s2->defer_tlbi = unmap_defers_tlbi(&s2->config);
	s2->maintains = !s2->config.cmo_by_caller;
	s2->hears_filled = host->desc || (host->cmo && s2->maintains);
	s2->hears_icache = s2->hears_filled && !host->desc && s2->config.fwb;
	s2->hears_cleared =
		host->desc || (host->tlbi && !s2->defer_tlbi) || (host->cmo && !s2->config.fwb);
}

static void prepare_attributes(struct ms_s2 *s2)
{
	for (unsigned int prot = 0; prot < S2_PROT_VALUES; prot++)
		s2->attr[prot] = ms_s2_prot_to_attr(&s2->f, prot);
	for (unsigned int i = 0; i < S2_ATTR_VALUES; i++)
		s2->prot[i] = (uint8_t)ms_s2_desc_to_prot(&s2->f, attr_number_desc(i));
}

static void prepare(struct ms_s2 *s2, const struct ms_s2_config *config,
		    const struct ms_s2_host *host)
{
	s2->config = *config;
	s2->host = *host;
	s2->g = s2_geometry(config->page_shift, config->ipa_bits);
	s2->f = ms_s2_format(&s2->g, config->fwb, config->xn_two_bits);
	s2->free_number = S2_NONE;
	prepare_attributes(s2);
	note_listeners(s2);
}

// mirrors kvm_pgtable_stage2_init(), arch/arm64/kvm/hyp/pgtable.c, 5.10 .. 5.10;
// __kvm_pgtable_stage2_init(), arch/arm64/kvm/hyp/pgtable.c, 6.1+
struct ms_s2 *ms_s2_new(const struct ms_s2_config *config, const struct ms_s2_host *host)
{
	struct ms_s2 *s2;

	if (!config || !host || !host->alloc || !host->free || !config_is_valid(config)) {
		errno = EINVAL;
		return NULL;
	}
	s2 = host->alloc(host->ctx, self_bytes(config));
	if (s2) {
		prepare(s2, config, host);
		if (!new_root(s2))
			return s2;
		host->free(host->ctx, s2, self_bytes(config));
	}
	errno = ENOMEM;
	return NULL;
}

// mirrors kvm_pgtable_stage2_destroy(), arch/arm64/kvm/hyp/pgtable.c, 5.10+: neither TLBI nor CMO
void ms_s2_free(struct ms_s2 *s2)
{
	struct ms_s2_host host;

	if (!s2)
		return;
	host = s2->host;
	for (uint32_t i = s2->g.root_pages; i < s2->numbers; i++)
		if (s2->tables[i].words)
			host.free(host.ctx, s2->tables[i].words, s2_page_size(&s2->g));
	host.free(host.ctx, s2->tables[0].words, root_bytes(s2));
	host.free(host.ctx, s2->tables, registry_bytes(s2));
	host.free(host.ctx, s2, self_bytes(&s2->config));
}
