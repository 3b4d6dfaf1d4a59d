/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes of pages of RAM, for those few pages of which somebody has stored some: what a process
 * or a driver reads and writes of memory that no driver has allocated. Of all others they are zero.
 */
#include "base/poison.h"
#include "phys/phys.h"

struct ms_content {
	RB_ENTRY(ms_content) node;
	ms_pfn_t pfn;
	void *bytes; // a page, aligned to its size
};

static int content_cmp(const struct ms_content *a, const struct ms_content *b)
{
	return a->pfn < b->pfn ? -1 : a->pfn > b->pfn;
}

RB_HEAD(ms_content_tree, ms_content);
RB_GENERATE_INTERNAL(ms_content_tree, ms_content, node, content_cmp, static __attribute__((unused)))

static struct ms_content_tree *tree_of(const struct ms_machine *m)
{
	return (struct ms_content_tree *)&m->phys->contents;
}

static struct ms_content *content_of(const struct ms_machine *m, ms_pfn_t pfn)
{
	struct ms_content key = { .pfn = pfn };

	return m->phys->contents ? RB_FIND(ms_content_tree, tree_of(m), &key) : NULL;
}

void ms_phys_ask_driver_bytes(struct ms_machine *m, ms_driver_bytes_fn *fn)
{
	m->phys->driver_bytes = fn;
}

/* *known: a driver's page, also where there is no memory for its bytes. */
static void *driver_bytes(struct ms_machine *m, ms_pfn_t pfn, bool *known)
{
	*known = false;
	return m->phys->driver_bytes ? m->phys->driver_bytes(m, pfn, known) : NULL;
}

const uint64_t *ms_page_contents(const struct ms_machine *m, ms_pfn_t pfn)
{
	const struct ms_content *content = content_of(m, pfn);

	return content ? content->bytes : NULL;
}

void *ms_page_bytes(struct ms_machine *m, ms_pfn_t pfn, bool make)
{
	struct ms_content *content;
	bool known;
	void *bytes = driver_bytes(m, pfn, &known);

	if (known)
		return bytes;
	content = content_of(m, pfn);
	if (content)
		return content->bytes;
	if (!make || !ms_pfn_is_ram(m, pfn))
		return NULL;
	content = ms_zalloc(&m->alloc, sizeof(*content));
	if (!content)
		return NULL;
	content->bytes = ms_zalloc_aligned(&m->alloc, m->page_size, m->page_size);
	if (!content->bytes) {
		ms_free(&m->alloc, content);
		return NULL;
	}
	content->pfn = pfn;
	RB_INSERT(ms_content_tree, tree_of(m), content);
	return content->bytes;
}

static void drop(struct ms_machine *m, struct ms_content *content)
{
	RB_REMOVE(ms_content_tree, tree_of(m), content);
	ms_free(&m->alloc, content->bytes);
	ms_free(&m->alloc, content);
}

void ms_page_bytes_drop(struct ms_machine *m, ms_pfn_t pfn, uint64_t npages)
{
	struct ms_content key = { .pfn = pfn }, *content, *next;

	content = RB_NFIND(ms_content_tree, tree_of(m), &key);
	for (; content && content->pfn < pfn + npages; content = next) {
		next = RB_NEXT(ms_content_tree, tree_of(m), content);
		drop(m, content);
	}
}

/* Without memory for them the copy has no bytes: it reads as zeroes, and that is said. */
void ms_page_bytes_copy(struct ms_machine *m, ms_pfn_t to, ms_pfn_t from)
{
	const void *source = ms_page_bytes(m, from, false);
	void *bytes;

	if (!source) {
		ms_page_bytes_drop(m, to, 1);
		return;
	}
	bytes = ms_page_bytes(m, to, true);
	if (bytes)
		ms_copy_page_bytes(bytes, source, m->page_size);
	else
		ms_log(m, "no memory for the bytes of a copied page", to << m->page_shift, 0);
}

void ms_page_bytes_destroy(struct ms_machine *m)
{
	struct ms_content *content;

	while ((content = RB_ROOT(tree_of(m))))
		drop(m, content);
}
