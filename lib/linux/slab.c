/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small kmallocs: a page holds objects of one size. It becomes a page of RAM when somebody asks for
 * the physical address of one of them. An object that was freed is handed out again as late as
 * possible, and until then the address sanitizer reports its use.
 */
#include "core/check.h"
#include "linux/state.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED
#endif
#ifdef SANITIZED
#include <sanitizer/asan_interface.h>
#endif

#define POISON 0x5a

// the sizes of objects, as of the kernel's kmalloc caches
static const uint32_t class_size[MS_SLAB_CLASSES] = { 8,   16,   32,   64,   96,   128,   192,  256,
						      512, 1024, 2048, 4096, 8192, 16384, 32768 };

static void poison(void *p, size_t size)
{
#ifdef SANITIZED
	__asan_poison_memory_region(p, size);
#else
	(void)p, (void)size;
#endif
}

static void unpoison(void *p, size_t size)
{
#ifdef SANITIZED
	__asan_unpoison_memory_region(p, size);
#else
	(void)p, (void)size;
#endif
}

static int slab_cmp(const struct ms_slab *a, const struct ms_slab *b)
{
	const uintptr_t x = (uintptr_t)a->at, y = (uintptr_t)b->at;

	return x < y ? -1 : x > y;
}

RB_GENERATE(ms_slabs_by_addr, ms_slab, by_addr, slab_cmp)

static unsigned int class_of(uint64_t size)
{
	unsigned int class = 0;

	while (class_size[class] < size)
		class ++;
	return class;
}

static unsigned int objects(const struct ms_machine *m, unsigned int class)
{
	return (unsigned int)(m->page_size / class_size[class]);
}

bool ms_slab_serves(const struct ms_machine *m, uint64_t size)
{
	return size <= m->page_size / 2;
}

struct ms_slab *ms_slab_at(const struct ms_linux *lx, uintptr_t addr)
{
	struct ms_slab *slab = RB_ROOT(&lx->slabs_by_addr), *found = NULL;

	while (slab) {
		if ((uintptr_t)slab->at <= addr) {
			found = slab;
			slab = RB_RIGHT(slab, by_addr);
		} else {
			slab = RB_LEFT(slab, by_addr);
		}
	}
	return found && addr - (uintptr_t)found->at < UINT64_C(1) << lx->page_shift ? found : NULL;
}

static struct ms_slab *slab_new(struct ms_machine *m, struct ms_linux *lx, unsigned int class)
{
	struct ms_slab *slab =
		ms_zalloc(&m->alloc, sizeof(*slab) + objects(m, class) * sizeof(slab->size[0]));

	if (!slab)
		return NULL;
	slab->at = ms_zalloc_aligned(&m->alloc, m->page_size, m->page_size);
	if (!slab->at) {
		ms_free(&m->alloc, slab);
		return NULL;
	}
	poison(slab->at, m->page_size);
	slab->class = class;
	RB_INSERT(ms_slabs_by_addr, &lx->slabs_by_addr, slab);
	TAILQ_INSERT_TAIL(&lx->slabs[class], slab, of_class);
	return slab;
}

static void slab_destroy(struct ms_machine *m, struct ms_linux *lx, struct ms_slab *slab)
{
	RB_REMOVE(ms_slabs_by_addr, &lx->slabs_by_addr, slab);
	TAILQ_REMOVE(&lx->slabs[slab->class], slab, of_class);
	unpoison(slab->at, m->page_size);
	ms_free(&m->alloc, slab->at);
	ms_free(&m->alloc, slab);
}

static struct ms_slab *slab_with_room(struct ms_machine *m, struct ms_linux *lx, unsigned int class)
{
	struct ms_slab *slab;

	TAILQ_FOREACH (slab, &lx->slabs[class], of_class)
		if (slab->in_use < objects(m, class))
			return slab;
	return slab_new(m, lx, class);
}

void *ms_slab_alloc(struct ms_machine *m, uint64_t size, bool zero)
{
	struct ms_linux *lx = m->kernel;
	const unsigned int class = class_of(size);
	struct ms_slab *slab;
	unsigned int i;
	char *p;

	if (!ms_alloc_allowed(&m->alloc))
		return NULL;
	slab = slab_with_room(m, lx, class);
	if (!slab)
		return NULL;
	for (i = slab->next; slab->size[i]; i = (i + 1) % objects(m, class))
		;
	slab->next = (i + 1) % objects(m, class);
	slab->size[i] = (uint32_t)size + 1;
	slab->in_use++;
	lx->small++;
	p = slab->at + (size_t)i * class_size[class];
	unpoison(p, size);
	memset(p, zero ? 0 : POISON, size);
	return p;
}

/* The last object is gone. One slab of each size is kept, unless it has a page of RAM. */
static void slab_emptied(struct ms_machine *m, struct ms_linux *lx, struct ms_slab *slab)
{
	if (slab->pfn) {
		struct ms_page *page = ms_pfn_to_page(m, slab->pfn);

		page->slab = false;
		ms_page_put(m, slab->pfn, 1);
	} else if (TAILQ_FIRST(&lx->slabs[slab->class]) == slab && !TAILQ_NEXT(slab, of_class)) {
		return;
	}
	slab_destroy(m, lx, slab);
}

size_t ms_slab_size(const struct ms_slab *slab, const void *p)
{
	const size_t i = (size_t)((const char *)p - slab->at) / class_size[slab->class];

	return slab->size[i] ? slab->size[i] - 1 : 0;
}

bool ms_slab_free(struct ms_machine *m, struct ms_slab *slab, const void *p)
{
	const size_t size = class_size[slab->class], at = (size_t)((const char *)p - slab->at);

	if (at % size || at / size >= objects(m, slab->class) || !slab->size[at / size])
		return false;
	slab->size[at / size] = 0;
	slab->in_use--;
	m->kernel->small--;
	poison(slab->at + at, size);
	if (!slab->in_use)
		slab_emptied(m, m->kernel, slab);
	else if (slab->pfn)
		ms_raw_memory_freed(m, slab->pfn);
	return true;
}

ms_pfn_t ms_slab_pfn(struct ms_machine *m, struct ms_slab *slab)
{
	if (slab->pfn)
		return slab->pfn;
	if (!ms_page_alloc(m, 0, 0, &slab->pfn)) {
		slab->pfn = 0;
		return 0;
	}
	ms_blocks_forget(m, slab->pfn, 1);
	ms_pfn_to_page(m, slab->pfn)->slab = true;
	return slab->pfn;
}

void ms_slabs_report(struct ms_machine *m, struct ms_linux *lx)
{
	struct ms_slab *slab;

	for (unsigned int class = 0; class < MS_SLAB_CLASSES; class ++)
		TAILQ_FOREACH (slab, &lx->slabs[class], of_class)
			for (unsigned int i = 0; i < objects(m, class); i++)
				if (slab->size[i])
					ms_violation(m,
						     ms_text(m,
							     "kmalloc of %u bytes is never freed",
							     slab->size[i] - 1),
						     0);
}

size_t ms_slabs_check(struct ms_check *c, const struct ms_linux *lx)
{
	struct ms_slab *slab;
	size_t objects = 0;

	RB_FOREACH (slab, ms_slabs_by_addr,
		    (struct ms_slabs_by_addr *)(uintptr_t)&lx->slabs_by_addr) {
		const char *error = slab->pfn ? ms_page_check_holder(c, slab->pfn) : NULL;

		objects += slab->in_use;
		if (error)
			ms_check_found(c, "linux.h: a slab is page %#" PRIx64 ", which %s",
				       slab->pfn, error);
		if (slab->pfn)
			ms_page_check_others(c, slab->pfn);
	}
	return objects;
}

void ms_slabs_destroy(struct ms_machine *m, struct ms_linux *lx)
{
	struct ms_slab *slab;

	while ((slab = RB_ROOT(&lx->slabs_by_addr)))
		slab_destroy(m, lx, slab);
}

const char *ms_slab_object(const struct ms_slab *slab, uintptr_t addr)
{
	const size_t i = (addr - (uintptr_t)slab->at) / class_size[slab->class];

	return slab->size[i] ? slab->at + i * class_size[slab->class] : NULL;
}

const char *ms_slab_next(const struct ms_machine *m, const struct ms_slab *slab, const char *p,
			 size_t *size)
{
	const size_t each = class_size[slab->class];
	size_t i = p ? (size_t)(p - slab->at) / each + 1 : 0;

	while (i < m->page_size / each && !slab->size[i])
		i++;
	if (i >= m->page_size / each)
		return NULL;
	*size = slab->size[i] - 1;
	return slab->at + i * each;
}
