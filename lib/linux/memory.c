/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmalloc and vmalloc. Small kmallocs are slab.c's; what is larger is pages of RAM, of one run for
 * kmalloc and one by one for vmalloc. On a machine without RAM it is memory that lies nowhere.
 */
#include "core/check.h"
#include "core/pointer.h"
#include "linux/state.h"

/* ---- without RAM ---- */

/* Memory that has no physical address. NULL: none. */
static struct ms_block *alloc_nowhere(struct ms_machine *m, uint64_t size, bool zero,
				      enum ms_block_kind kind)
{
	struct ms_bytes *bytes = ms_bytes_new(m, size, zero);
	struct ms_block *block;

	if (!bytes)
		return NULL;
	block = ms_block_new(m, 0, size, bytes, bytes->at);
	if (!block) {
		ms_bytes_free(m, bytes);
		return NULL;
	}
	block->kind = kind;
	m->kernel->small++;
	return block;
}

static void free_nowhere(struct ms_machine *m, struct ms_block *block)
{
	m->kernel->small--;
	ms_block_remove(m, block);
}

/* ---- kmalloc ---- */

static unsigned int order_of(const struct ms_machine *m, uint64_t size)
{
	unsigned int order = 0;

	while (m->page_size << order < size && order <= MS_MAX_ORDER)
		order++;
	return order;
}

/*
 * Up to two pages come from a slab that holds nothing else, as the kernel's two largest caches;
 * what is larger from the page allocator.
 * mirrors kmalloc_order(), mm/slab_common.c, 5.10 .. 5.16; ___kmalloc_large_node(),
 * mm/slub.c, 6.12+
 */
static void *alloc_large(struct ms_machine *m, uint64_t size, bool zero)
{
	const unsigned int order = order_of(m, size);
	struct ms_block *block = ms_linux_pages_new(m, order, true);
	struct ms_page *head;

	if (!block)
		return NULL;
	if (!ms_block_bytes(m, block, zero)) {
		ms_linux_pages_put(m, block->pfn);
		return NULL;
	}
	block->kind = MS_BLOCK_KMALLOC;
	block->bytes->size = size;
	head = ms_pfn_to_page(m, block->pfn);
	if (order <= 1)
		head->slab = true;
	else
		head->large = true;
	return block->start;
}

static void *kmalloc(struct ms_machine *m, uint64_t size, bool zero)
{
	struct ms_block *block;

	if (ms_slab_serves(m, size))
		return ms_slab_alloc(m, ms_max_u64(size, 1), zero);
	if (ms_ram_pages(m))
		return alloc_large(m, size, zero);
	block = alloc_nowhere(m, size, zero, MS_BLOCK_KMALLOC);
	return block ? block->start : NULL;
}

void *ms_linux_alloc(size_t n, size_t size, unsigned int gfp)
{
	struct ms_machine *m = ms_linux_here("kmalloc");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	size_t bytes;

	if (gfp & MS_LINUX_GFP_MAY_SLEEP)
		ms_linux_might_sleep("kmalloc");
	if (!lx || __builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 2)
		return NULL;
	return kmalloc(m, bytes, gfp & MS_LINUX_GFP_ZERO);
}

static void free_large(struct ms_machine *m, struct ms_block *block)
{
	const ms_pfn_t pfn = block->pfn;
	struct ms_page *head = ms_pfn_to_page(m, pfn);

	if (head->flags & MS_PG_RESERVED)
		ms_violation(m, "Bad page state: kfree of memory whose page is reserved",
			     pfn << m->page_shift);
	head->flags &= (uint8_t)~MS_PG_RESERVED;
	head->slab = head->large = false;
	if (head->refcount == 1) {
		ms_linux_pages_put(m, pfn);
		return;
	}
	// whoever else has a reference, as a mapping may, keeps the pages, not the memory
	ms_blocks_forget(m, pfn, ms_block_pages(m, block));
	ms_raw_memory_freed(m, pfn);
	ms_page_put(m, pfn, 1);
}

/* mirrors debug_check_no_obj_freed(), lib/debugobjects.c, 5.10+: of a debug kernel */
static void check_no_work_in(struct ms_machine *m, const void *at, uint64_t size)
{
	if (ms_linux_work_in(m, at, size))
		ms_violation(m, "memory is freed while work in it is queued, or a timer armed", 0);
}

/*
 * What the kernel would go on using of [p, p + size); NULL: nothing. What is freed in spite of it
 * is not freed here, so that nothing is called that is gone.
 */
static const char *still_used(struct ms_machine *m, const struct ms_linux *lx, const void *p,
			      uint64_t size)
{
	const uintptr_t from = (uintptr_t)p, to = from + size;
	const char *what = ms_linux_devices_use(m, lx->devices, from, to);

	if (!what)
		what = ms_linux_chrdevs_use(lx->chrdevs, from, to);
	if (!what)
		what = ms_linux_bus_use(lx->bus, from, to);
	if (!what && ms_mmu_notifiers_use(m, from, to))
		what = "a registered notifier";
	if (!what && ms_vmas_use(m, from, to))
		what = "the operations of a VMA";
	for (unsigned int i = 0; !what && i < m->call.locks && i < MS_LINUX_HELD; i++)
		if (ms_lies_in(lx->held[i].lock, from, to))
			what = "a lock that is held";
	return what;
}

static bool may_free(struct ms_machine *m, const struct ms_linux *lx, const void *p, uint64_t size,
		     const char *name)
{
	const char *what = still_used(m, lx, p, size);

	if (what)
		ms_violation(m, ms_text(m, "%s of memory that holds %s", name, what), 0);
	return !what;
}

void ms_linux_free(const void *p)
{
	struct ms_machine *m = p ? ms_linux_here("kfree") : NULL;
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	struct ms_block *block = lx ? ms_block_at(lx, (uintptr_t)p) : NULL;
	struct ms_slab *slab = lx && !block ? ms_slab_at(lx, (uintptr_t)p) : NULL;

	if (slab && ms_slab_size(slab, p) && !may_free(m, lx, p, ms_slab_size(slab, p), "kfree"))
		return;
	if (block && block->start == p && !may_free(m, lx, p, block->size, "kfree"))
		return;
	if (lx && lx->works)
		check_no_work_in(m, p,
				 block ? block->size : slab ? ms_slab_size(slab, p) : 0);
	if (!lx || (slab && ms_slab_free(m, slab, p)))
		return;
	if (!block || block->kind != MS_BLOCK_KMALLOC || block->start != p)
		ms_violation(m, "kfree of what kmalloc did not give, or has been freed", 0);
	else if (block->pfn)
		free_large(m, block);
	else
		free_nowhere(m, block);
}

/* ---- vmalloc ---- */

/* One page of it. false: none left, or no memory. */
static bool vmalloc_page(struct ms_machine *m, struct ms_bytes *bytes, uint64_t i)
{
	struct ms_block *block;
	ms_pfn_t pfn;

	if (!ms_block_alloc(m, 0, &pfn))
		return false;
	block = ms_pfn_to_page_struct(m, pfn) ? ms_block_new(m, pfn, m->page_size, bytes,
							     bytes->at + (i << m->page_shift))
					      : NULL;
	if (!block) {
		ms_page_put(m, pfn, 1);
		return false;
	}
	block->kind = MS_BLOCK_VMALLOC;
	return true;
}

/* Gives the first `npages` pages back, and with the last one the bytes. */
static void free_vmalloc(struct ms_machine *m, char *at, uint64_t npages)
{
	// from the end: the first page keeps the bytes until last
	while (npages--) {
		const struct ms_block *block =
			ms_block_at(m->kernel, (uintptr_t)at + (npages << m->page_shift));

		ms_linux_pages_put(m, block->pfn);
		block = ms_block_at(m->kernel, (uintptr_t)at + (npages << m->page_shift));
		// somebody who has mapped it keeps the page
		if (block)
			ms_blocks_forget(m, block->pfn, 1);
	}
}

char *ms_linux_vmalloc_pages(struct ms_machine *m, uint64_t size, bool zero)
{
	const uint64_t npages = ms_align_up(size, m->page_size) >> m->page_shift;
	struct ms_bytes *bytes;
	char *at;

	if (npages > ms_ram_free_pages(m))
		return NULL;
	bytes = ms_bytes_new(m, npages << m->page_shift, zero);
	if (!bytes)
		return NULL;
	at = bytes->at;
	bytes->size = size;
	for (uint64_t i = 0; i < npages; i++)
		if (!vmalloc_page(m, bytes, i)) {
			free_vmalloc(m, at, i);
			if (!i)
				ms_bytes_free(m, bytes);
			return NULL;
		}
	m->kernel->vmallocs++;
	return at;
}

void ms_linux_vfree_pages(struct ms_machine *m, struct ms_block *first)
{
	m->kernel->vmallocs--;
	free_vmalloc(m, first->start,
		     ms_align_up(first->bytes->size, m->page_size) >> m->page_shift);
}

void *ms_linux_vmalloc(size_t n, size_t size, unsigned int gfp, bool user)
{
	struct ms_machine *m = ms_linux_here("vmalloc");
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	struct ms_block *block;
	size_t bytes;
	char *at;

	ms_linux_might_sleep("vmalloc");
	if (!lx || __builtin_mul_overflow(n, size, &bytes) || !bytes || bytes > SIZE_MAX / 2)
		return NULL;
	if (ms_ram_pages(m)) {
		at = ms_linux_vmalloc_pages(m, bytes, gfp & MS_LINUX_GFP_ZERO);
		block = at ? ms_block_at(lx, (uintptr_t)at) : NULL;
	} else {
		block = alloc_nowhere(m, ms_align_up(bytes, m->page_size), gfp & MS_LINUX_GFP_ZERO,
				      MS_BLOCK_VMALLOC);
	}
	if (!block)
		return NULL;
	block->bytes->usermap = user;
	return block->start;
}

void ms_linux_vfree(const void *p)
{
	struct ms_machine *m = p ? ms_linux_here("vfree") : NULL;
	struct ms_linux *lx = m ? ms_linux_of(m) : NULL;
	struct ms_block *block = lx ? ms_block_at(lx, (uintptr_t)p) : NULL;

	if (!lx)
		return;
	if (!block || block->kind != MS_BLOCK_VMALLOC || block->bytes->at != p ||
	    block->bytes->dma) {
		ms_violation(m, "vfree of what vmalloc did not give, or has been freed", 0);
	} else if (!may_free(m, lx, p, block->bytes->size, "vfree")) {
		return;
	} else if (block->pfn) {
		ms_linux_vfree_pages(m, block);
	} else {
		free_nowhere(m, block);
	}
}

bool ms_linux_is_vmalloc(const void *p)
{
	struct ms_machine *m = p ? ms_linux_here("is_vmalloc_addr") : NULL;
	const struct ms_block *block = m && m->kernel ? ms_block_at(m->kernel, (uintptr_t)p) : NULL;
	uint64_t size;
	bool usermap;

	return block && (block->kind == MS_BLOCK_VMALLOC ||
			 ms_vmap_has(m->kernel, (uintptr_t)p, &size, &usermap));
}

struct ms_struct_page *ms_linux_vmalloc_to_page(const void *p)
{
	struct ms_machine *m = ms_linux_here("vmalloc_to_page");
	const struct ms_block *block = m && m->kernel ? ms_block_at(m->kernel, (uintptr_t)p) : NULL;

	if (block && block->pfn && ms_linux_is_vmalloc(p))
		return ms_pfn_to_page_struct(
			m,
			block->pfn + (((uintptr_t)p - (uintptr_t)block->start) >> m->page_shift));
	if (m)
		ms_violation(m, "vmalloc_to_page of an address that is not of vmalloc", 0);
	return NULL;
}

/* mirrors remap_vmalloc_range_partial(), mm/vmalloc.c, 5.10+: the checks. Answers how many bytes
 * the area has, 0: it is none that may be mapped. */
uint64_t ms_linux_vmalloc_area(const void *p)
{
	struct ms_machine *m = ms_linux_here("remap_vmalloc_range");
	const struct ms_block *block = m && m->kernel ? ms_block_at(m->kernel, (uintptr_t)p) : NULL;

	uint64_t size;
	bool usermap;

	if (!m)
		return 0;
	if (m->kernel && ms_vmap_has(m->kernel, (uintptr_t)p, &size, &usermap) && size && usermap)
		return size;
	if (!block || block->kind != MS_BLOCK_VMALLOC || !block->pfn || block->bytes->at != p) {
		ms_refuse(m, -EINVAL, "remap_vmalloc_range of what is not of vmalloc");
		return 0;
	}
	if (!block->bytes->usermap) {
		ms_refuse(m, -EINVAL, "remap_vmalloc_range of memory that is not of vmalloc_user");
		return 0;
	}
	return ms_align_up(block->bytes->size, m->page_size);
}

/* ---- all of it ---- */

/* One of the pages that a vmalloc has, which count once together. A run of coherent DMA memory that
 * the driver sees as vmalloc's counts by itself. */
static bool is_vmalloc_page(const struct ms_block *block)
{
	return block->kind == MS_BLOCK_VMALLOC && !block->bytes->whole;
}

size_t ms_linux_live(const struct ms_machine *machine)
{
	struct ms_machine *m = (struct ms_machine *)(uintptr_t)machine;
	struct ms_block *block;
	size_t live;

	if (!m || !m->kernel)
		return 0;
	live = m->kernel->small + m->kernel->vmallocs;
	RB_FOREACH (block, ms_blocks_by_pfn, &m->kernel->by_pfn)
		live += !is_vmalloc_page(block) && ms_block_is_live(m, block);
	return live;
}

/* Also pages whose count is above what is mapped: without their driver's own reference they have
 * one, too. */
static void report_pages(struct ms_machine *m, const struct ms_block *block)
{
	const ms_pa_t pa = block->pfn << m->page_shift;

	ms_violation_entry(m, "pages of RAM are never freed", pa, pa);
}

static const char *name_of(const struct ms_block *block)
{
	if (block->bytes->dma)
		return "coherent DMA memory";
	return block->kind == MS_BLOCK_VMALLOC ? "vmalloc" : "kmalloc";
}

void ms_linux_memory_report(struct ms_machine *m, struct ms_linux *lx)
{
	struct ms_block *block;

	ms_slabs_report(m, lx);
	RB_FOREACH (block, ms_blocks_by_addr, &lx->by_addr) {
		if (block->pfn && (!is_vmalloc_page(block) || block->bytes->at != block->start ||
				   !ms_block_is_live(m, block)))
			continue;
		ms_violation(m,
			     ms_text(m, "%s of %llu bytes is never freed", name_of(block),
				     (unsigned long long)block->bytes->size),
			     0);
	}
	RB_FOREACH (block, ms_blocks_by_pfn, &lx->by_pfn)
		if (!is_vmalloc_page(block) && ms_block_is_live(m, block))
			report_pages(m, block);
}

/* Only the driver's code knows how many references to a page it has taken, so a page may have more
 * than mappings and files account for. */
static void check_block(struct ms_check *c, const struct ms_block *block)
{
	if (!block->size)
		ms_check_found(c, "linux.h: a block of pages without pages");
	for (uint64_t i = 0; i < ms_block_pages(c->machine, block); i++)
		ms_page_check_others(c, block->pfn + i);
}

void ms_linux_check(struct ms_check *c)
{
	const struct ms_linux *lx = c->machine->kernel;
	struct ms_block *block;
	ms_pfn_t end = 0;
	size_t small = 0;

	if (!lx)
		return;
	RB_FOREACH (block, ms_blocks_by_addr, (struct ms_blocks_by_addr *)(uintptr_t)&lx->by_addr)
		small += !block->pfn;
	RB_FOREACH (block, ms_blocks_by_pfn, (struct ms_blocks_by_pfn *)(uintptr_t)&lx->by_pfn) {
		if (block->pfn < end)
			ms_check_found(c, "linux.h: two blocks have page %#" PRIx64, block->pfn);
		end = block->pfn + ms_block_pages(c->machine, block);
		check_block(c, block);
	}
	small += ms_slabs_check(c, lx);
	if (small != lx->small)
		ms_check_found(c, "linux.h: %zu small kmallocs, %zu are counted", small, lx->small);
}

void ms_linux_memory_destroy(struct ms_machine *m)
{
	struct ms_linux *lx = m->kernel;
	struct ms_block *block;

	ms_slabs_destroy(m, lx);
	while ((block = RB_ROOT(&lx->by_addr))) {
		if (block->pfn)
			ms_block_remove(m, block);
		else
			free_nowhere(m, block);
	}
	while ((block = RB_ROOT(&lx->by_pfn)))
		ms_block_remove(m, block);
}
