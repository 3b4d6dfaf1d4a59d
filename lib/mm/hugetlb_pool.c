/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pools of huge pages, and who has reserved how many of them.
 *
 * At mmap a mapping reserves what it may need, so that its faults find a page. For a shared mapping
 * the file knows which of its huge pages are reserved or present. For a private one the mapping
 * knows which of its reservations it has used; the child of a fork has none. If there is no pool
 * for a size, all of the free RAM is the pool, and nobody's reservations count.
 */
#include "core/hash.h"
#include "mm/memfile.h"

/* ---- sets of indices ---- */

/* How many of the indices in [from, to) are in the set.
 * mirrors region_count(), mm/hugetlb.c, 5.10+ */
uint64_t ms_regions_count(const struct ms_regions *set, uint64_t from, uint64_t to)
{
	uint64_t count = 0;

	for (size_t i = 0; i < set->nr; i++) {
		uint64_t first = ms_max_u64(from, set->region[i].from);
		uint64_t end = ms_min_u64(to, set->region[i].to);

		if (first < end)
			count += end - first;
	}
	return count;
}

/* The number of the first region that ends at `index` or above it. */
static size_t region_at(const struct ms_regions *set, uint64_t index)
{
	size_t i = 0;

	while (i < set->nr && set->region[i].to < index)
		i++;
	return i;
}

static bool region_insert(struct ms_machine *m, struct ms_regions *set, size_t i, uint64_t from,
			  uint64_t to)
{
	struct ms_index_range *region =
		ms_reallocarray(&m->alloc, set->region, set->nr + 1, sizeof(*region));

	if (!region)
		return false;
	set->region = region;
	memmove(&region[i + 1], &region[i], (set->nr - i) * sizeof(*region));
	region[i] = (struct ms_index_range){ from, to };
	set->nr++;
	return true;
}

/*
 *   set      |----|      |---|     |--|
 *   add         |----------|
 *   becomes  |---------------|     |--|
 * mirrors region_add(), mm/hugetlb.c, 5.10+
 */
int ms_regions_add(struct ms_machine *m, struct ms_regions *set, uint64_t from, uint64_t to)
{
	size_t i = region_at(set, from), end = i;

	for (; end < set->nr && set->region[end].from <= to; end++) {
		from = ms_min_u64(from, set->region[end].from);
		to = ms_max_u64(to, set->region[end].to);
	}
	if (end == i)
		return region_insert(m, set, i, from, to) ? 0 : -ENOMEM;
	set->region[i] = (struct ms_index_range){ from, to };
	memmove(&set->region[i + 1], &set->region[end], (set->nr - end) * sizeof(*set->region));
	set->nr -= end - i - 1;
	return 0;
}

/* A hole in the middle of a region needs memory; without any the index stays in the set.
 * mirrors region_del(), mm/hugetlb.c, 5.10+ */
void ms_regions_del(struct ms_machine *m, struct ms_regions *set, uint64_t index)
{
	size_t i = region_at(set, index + 1);

	if (i == set->nr || set->region[i].from > index)
		return;
	if (set->region[i].from < index && set->region[i].to > index + 1) {
		if (region_insert(m, set, i, set->region[i].from, index))
			set->region[i + 1].from = index + 1;
		return;
	}
	if (set->region[i].from == index)
		set->region[i].from++;
	else
		set->region[i].to--;
	if (set->region[i].from < set->region[i].to)
		return;
	set->nr--;
	memmove(&set->region[i], &set->region[i + 1], (set->nr - i) * sizeof(*set->region));
}

void ms_regions_free(struct ms_machine *m, struct ms_regions *set)
{
	ms_free(&m->alloc, set->region);
	*set = (struct ms_regions){ 0 };
}

/* ---- private mappings: vm_private_data ---- */

struct ms_hugetlb_resv {
	unsigned int refcount; /* VMAs: parts of one mapping */
	struct ms_regions consumed;
};

/* Stands in vm_private_data instead, of a child that has lost a page to the owner of the
 * reservation: HPAGE_RESV_UNMAPPED. */
static const struct ms_hugetlb_resv taken;

// mirrors vma_resv_map(), mm/hugetlb.c, 5.10+
static struct ms_hugetlb_resv *resv_of(const struct ms_vma *vma)
{
	struct ms_hugetlb_resv *resv = vma->vm_private_data;

	return resv == &taken ? NULL : resv;
}

// mirrors is_vma_resv_set(), mm/hugetlb.c, 5.10+: HPAGE_RESV_OWNER
bool ms_hugetlb_is_owner(const struct ms_vma *vma)
{
	return resv_of(vma);
}

// mirrors is_vma_resv_set(), mm/hugetlb.c, 5.10+: HPAGE_RESV_UNMAPPED
bool ms_hugetlb_is_taken(const struct ms_vma *vma)
{
	return vma->vm_private_data == &taken;
}

// mirrors set_vma_resv_flags(), mm/hugetlb.c, 5.10+: HPAGE_RESV_UNMAPPED
void ms_hugetlb_set_taken(struct ms_vma *vma)
{
	vma->vm_private_data = (void *)(uintptr_t)&taken; // never looked through
}

// mirrors hugetlb_vm_op_open(), mm/hugetlb.c, 5.10+
void ms_hugetlb_dup(const struct ms_vma *vma)
{
	struct ms_hugetlb_resv *resv = resv_of(vma);

	if (resv)
		resv->refcount++;
}

/* mirrors reset_vma_resv_huge_pages(), mm/hugetlb.c, 5.10 .. 5.10; hugetlb_dup_vma_private() and
 * clear_vma_resv_huge_pages(), mm/hugetlb.c, 6.1+ */
void ms_hugetlb_forget(struct ms_vma *vma)
{
	struct ms_machine *m = ms_vma_machine(vma);
	struct ms_hugetlb_resv *resv = resv_of(vma);

	vma->vm_private_data = NULL;
	if (!resv || --resv->refcount)
		return;
	ms_regions_free(m, &resv->consumed);
	ms_free(&m->alloc, resv);
}

/* ---- pools ---- */

void ms_hugetlb_init(struct ms_machine *m)
{
	for (unsigned int i = 0; i < MS_HUGETLB_SIZES; i++) {
		const struct ms_hugetlb_pages *said = &m->config.hugetlb[i];
		unsigned int order;

		if (said->size && ms_huge_page_order(m, said->size, &order))
			ms_hugetlb_pool_add(m, order, said->pages);
	}
}

static struct ms_hugetlb_pool *pool_of(const struct ms_mapping *mapping)
{
	return ms_hugetlb_pool(mapping->machine, mapping->order);
}

/* Pages that are neither used nor reserved. */
static int64_t available(const struct ms_hugetlb_pool *pool)
{
	return (int64_t)(pool->pages - pool->used) - pool->reserved;
}

/* ---- reserving ---- */

static uint64_t first_index(const struct ms_vma *vma)
{
	return vma->vm_pgoff >> vma->vm_file->mapping->order;
}

static uint64_t nr_indices(const struct ms_vma *vma)
{
	return ms_vma_pages(vma) >> vma->vm_file->mapping->order;
}

/* How many pages a shared mapping needs besides those that its file has, or has reserved. */
static uint64_t shared_need(const struct ms_mapping *mapping, bool counted, uint64_t first,
			    uint64_t end)
{
	uint64_t need = end - first;

	if (counted)
		return need - ms_regions_count(&mapping->reserved, first, end);
	for (uint64_t i = first; i < end; i++)
		need -= ms_cache_find(mapping, i) != 0;
	return need;
}

static uint64_t left_for(const struct ms_mapping *mapping, const struct ms_hugetlb_pool *pool)
{
	if (!pool)
		return ms_ram_free_pages(mapping->machine) >> mapping->order;
	return available(pool) < 0 ? 0 : (uint64_t)available(pool);
}

static int reserve(struct ms_vma *vma, bool shared)
{
	struct ms_mapping *mapping = vma->vm_file->mapping;
	struct ms_hugetlb_pool *pool = pool_of(mapping);
	uint64_t first = first_index(vma), end = first + nr_indices(vma);
	uint64_t need = shared ? shared_need(mapping, pool, first, end) : end - first;
	uint64_t left = left_for(mapping, pool);

	if (need > left)
		return ms_refuse(mapping->machine, -ENOMEM,
				 "%u huge pages of %x bytes are needed, %u are left", need,
				 ms_hugetlb_size(vma), left);
	if (!pool)
		return 0;
	if (shared && ms_regions_add(mapping->machine, &mapping->reserved, first, end))
		return -ENOMEM;
	pool->reserved += (int64_t)need;
	return 0;
}

// mirrors hugetlb_reserve_pages(), mm/hugetlb.c, 5.10+
int ms_hugetlb_reserve(struct ms_vma *vma)
{
	bool shared = vma->vm_flags & MS_VM_MAYSHARE;
	struct ms_hugetlb_resv *resv;
	int err;

	if (vma->vm_flags & MS_VM_NORESERVE)
		return 0;
	if (!shared) {
		resv = ms_zalloc(&ms_vma_machine(vma)->alloc, sizeof(*resv));
		if (!resv)
			return -ENOMEM;
		resv->refcount = 1;
		vma->vm_private_data = resv;
	}
	err = reserve(vma, shared);
	if (err)
		ms_hugetlb_forget(vma);
	return err;
}

/* The part of its reservation that the mapping has not used is given back.
 * mirrors hugetlb_vm_op_close(), mm/hugetlb.c, 5.10+ */
void ms_hugetlb_close(struct ms_vma *vma)
{
	struct ms_hugetlb_resv *resv = resv_of(vma);
	struct ms_hugetlb_pool *pool = resv ? pool_of(vma->vm_file->mapping) : NULL;
	uint64_t first, nr;

	if (pool) {
		first = first_index(vma);
		nr = nr_indices(vma);
		nr -= ms_regions_count(&resv->consumed, first, first + nr);
		pool->reserved -= (int64_t)nr;
	}
	ms_hugetlb_forget(vma);
}

// mirrors hugetlb_unreserve_pages(), mm/hugetlb.c, 5.10+: of a whole file
void ms_hugetlb_evict(struct ms_mapping *mapping, uint64_t nr_present)
{
	struct ms_hugetlb_pool *pool = pool_of(mapping);

	if (pool)
		pool->reserved -=
			(int64_t)(ms_regions_count(&mapping->reserved, 0, UINT64_MAX) - nr_present);
	ms_regions_free(mapping->machine, &mapping->reserved);
}

/* ---- taking and giving back ---- */

static ms_vm_fault_t refuse_page(const struct ms_vma *vma)
{
	ms_refuse(ms_vma_machine(vma), -EFAULT,
		  "no huge page of %x bytes is left for " MS_VMA_WORDS, ms_hugetlb_size(vma),
		  MS_VMA_NUMBERS(vma));
	return MS_VM_FAULT_SIGBUS;
}

/*
 * Takes a page by a reservation, or one that nobody has reserved. from_owner: the page is for a
 * copy of a page that the owner has had by its reservation, which does not cover a second one.
 * mirrors alloc_huge_page(), mm/hugetlb.c, 5.10 .. 6.1; alloc_hugetlb_folio(), mm/hugetlb.c, 6.12+
 */
ms_vm_fault_t ms_hugetlb_alloc(struct ms_vma *vma, uint64_t index, bool from_owner, uint8_t flags,
			       ms_pfn_t *pfn)
{
	struct ms_mapping *mapping = vma->vm_file->mapping;
	struct ms_machine *m = mapping->machine;
	struct ms_hugetlb_pool *pool = pool_of(mapping);
	struct ms_hugetlb_resv *resv = resv_of(vma);
	bool shared = vma->vm_flags & MS_VM_MAYSHARE, has, reserved;
	struct ms_regions *set = shared ? &mapping->reserved : resv ? &resv->consumed : NULL;

	// no page is a SIGBUS, not a lack of memory
	if (!pool)
		return ms_page_alloc(m, mapping->order, flags, pfn) ? 0 : refuse_page(vma);
	has = set && ms_regions_count(set, index, index + 1);
	reserved = set && has == shared && !from_owner;
	if (pool->used == pool->pages || (!reserved && available(pool) <= 0))
		return refuse_page(vma);
	if (set && !has && ms_regions_add(m, set, index, index + 1))
		return MS_VM_FAULT_OOM;
	if (!ms_page_alloc(m, mapping->order, flags, pfn)) {
		if (set && !has)
			ms_regions_del(m, set, index);
		return refuse_page(vma);
	}
	pool->used++;
	pool->reserved -= reserved;
	return 0;
}

// mirrors hugetlb_unreserve_pages(), mm/hugetlb.c, 5.10+: of one page
void ms_hugetlb_unreserve(struct ms_mapping *mapping, uint64_t index)
{
	if (pool_of(mapping))
		ms_regions_del(mapping->machine, &mapping->reserved, index);
}

/*
 * A private page is unmapped from the owner of the reservation: may the owner take one there again?
 * Before 7.2 (RESTORED) it may, even if a child goes on with the page; then the mapping has its
 * reservation back before the pool has the page.
 * mirrors __unmap_hugepage_range(), mm/hugetlb.c, 6.9+
 */
void ms_hugetlb_restore(const struct ms_vma *vma, uint64_t index, ms_pfn_t pfn, bool last)
{
	struct ms_machine *m = ms_vma_machine(vma);
	struct ms_hugetlb_resv *resv = resv_of(vma);
	struct ms_page *page = ms_pfn_to_page(m, pfn);

	if (!resv || !pool_of(vma->vm_file->mapping) || !(page->flags & MS_PG_ANON))
		return;
	switch (m->policy.hugetlb_unmap_reserve) {
	case MS_HUGETLB_UNMAP_RESERVE_STAYS_USED:
		return;
	case MS_HUGETLB_UNMAP_RESERVE_RESTORED:
		break;
	case MS_HUGETLB_UNMAP_RESERVE_RESTORED_BY_LAST:
		if (!last)
			return;
		break;
	}
	page->flags |= MS_PG_RESTORE_RESERVE;
	ms_regions_del(m, &resv->consumed, index);
}

/* ---- what is told of them (core/hash.h) ---- */

void ms_regions_hash(struct ms_hash *h, const struct ms_regions *set)
{
	ms_hash_add(h, set->nr);
	for (size_t i = 0; i < set->nr; i++) {
		ms_hash_add(h, set->region[i].from);
		ms_hash_add(h, set->region[i].to);
	}
}

void ms_hugetlb_hash_resv(struct ms_hash *h, const struct ms_vma *vma)
{
	const struct ms_hugetlb_resv *resv = vma->vm_private_data;

	ms_hash_add(h, resv == &taken);
	if (!resv || resv == &taken || !ms_hash_meet(h, ms_hash_object(resv)))
		return;
	ms_hash_add(h, resv->refcount);
	ms_regions_hash(h, &resv->consumed);
}
