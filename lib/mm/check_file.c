/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks of files: references, the VMAs of an address space, and the pages of a memory file. */
#include "mm/check.h"
#include "mm/memfile.h"

/* ---- i_mmap ---- */

struct i_mmap_walk {
	struct ms_check *c;
	const struct ms_mapping *mapping;
	uint64_t pgoff; /* of the VMA before */
	unsigned int count;
	bool moved; /* see is_moved() */
};

/*
 * Does the tree hold a VMA whose vm_pgoff may have changed since it was inserted? remap_pfn_range()
 * overwrites the vm_pgoff of a private mapping. In a fault the VMA is in the tree already, which
 * keeps the old order, in the kernel as here.
 */
static bool is_moved(const struct ms_linked_vma *l)
{
	return l && (((l->vma.vm_flags & MS_VM_PFNMAP) && ms_is_cow_mapping(l->vma.vm_flags)) ||
		     is_moved(RB_LEFT(l, i_mmap)) || is_moved(RB_RIGHT(l, i_mmap)));
}

static void check_node(struct i_mmap_walk *w, const struct ms_vma *vma)
{
	w->count++;
	if (!ms_check_is_mm(w->c->machine, vma->vm_mm)) {
		ms_check_found(w->c, "address space: VMA %#" PRIx64 " in its i_mmap is no process's",
			       vma->vm_start);
		return;
	}
	if (vma->vm_file && vma->vm_file->mapping != w->mapping)
		ms_check_found(w->c, MS_VMA_FORMAT ": in the i_mmap of another file",
			       MS_VMA_ARGS(vma));
	else if (!vma->vm_file || ms_vma_lookup(vma->vm_mm, vma->vm_start) != vma)
		ms_check_found(w->c, MS_VMA_FORMAT ": in an i_mmap, and in no process",
			       MS_VMA_ARGS(vma));
	if (vma->vm_pgoff < w->pgoff && !w->moved)
		ms_check_found(w->c, MS_VMA_FORMAT ": i_mmap is out of order", MS_VMA_ARGS(vma));
	w->pgoff = vma->vm_pgoff;
}

/* Answers the last page that any VMA of the subtree reaches. */
static uint64_t check_i_mmap(struct i_mmap_walk *w, const struct ms_linked_vma *l,
			     const struct ms_linked_vma *parent)
{
	const struct ms_vma *vma;
	uint64_t last;

	if (!l)
		return 0;
	vma = &l->vma;
	if (RB_PARENT(l, i_mmap) != parent)
		ms_check_found(w->c, "VMA %#" PRIx64 "-%#" PRIx64 ": i_mmap's links do not agree",
			       vma->vm_start, vma->vm_end);
	last = check_i_mmap(w, RB_LEFT(l, i_mmap), l);
	check_node(w, vma);
	if (!ms_check_is_mm(w->c->machine, vma->vm_mm))
		return last;
	last = ms_max_u64(last, vma->vm_pgoff + ms_vma_pages(vma) - 1);
	last = ms_max_u64(last, check_i_mmap(w, RB_RIGHT(l, i_mmap), l));
	if (l->i_mmap_last != last && !w->moved)
		ms_check_found(w->c,
			       MS_VMA_FORMAT ": i_mmap says its subtree ends at page %#" PRIx64
					     ", not %#" PRIx64,
			       MS_VMA_ARGS(vma), l->i_mmap_last, last);
	return last;
}

/* ---- the page cache ---- */

/* Where a page of a huge page is cached, its first page is cached as many indices before it. */
static void check_cached(struct ms_check *c, const struct ms_mapping *mapping, uint64_t index,
			 ms_pfn_t pfn)
{
	ms_pfn_t head = ms_page_head(c->machine, pfn);
	const struct ms_page *page;

	ms_check_page(c, pfn, "page cache: index", index);
	if (!ms_pfn_is_ram(c->machine, pfn))
		return;
	page = ms_page_look(c->machine, head);
	if (page && (page->flags & MS_PG_ANON))
		ms_check_found(c, "page cache: index %#" PRIx64 ": page %#" PRIx64 " is anonymous",
			       index, pfn);
	if (mapping->order ? pfn != head || !page || page->order != mapping->order
			   : ms_cache_find(mapping, index - (pfn - head)) != head)
		ms_check_found(c,
			       "page cache: index %#" PRIx64 ": page %#" PRIx64
			       " is not at its place in a huge page",
			       index, pfn);
}

static void check_cache(struct ms_check *c, const struct ms_mapping *mapping)
{
	for (size_t i = 0; i < mapping->nr_chunks; i++)
		for (unsigned int j = 0; mapping->chunk[i] && j < MS_CACHE_CHUNK; j++)
			if (mapping->chunk[i][j])
				check_cached(c, mapping, i * MS_CACHE_CHUNK + j,
					     mapping->chunk[i][j]);
}

/* ---- files ---- */

static void check_mapping(struct ms_check *c, struct ms_mapping *mapping)
{
	struct i_mmap_walk w = { .c = c, .mapping = mapping };
	const uint32_t files = ms_check_take_met(c, ms_key_of(mapping));
	const uint32_t vmas = ms_check_take_met(c, ms_key_of(&mapping->i_mmap));

	if (mapping->hole_first || mapping->hole_end)
		ms_check_found(c, "address space: a hole is still being made");
	if (mapping->key &&
	    ms_file_of_mapping(c->machine, mapping->key) != LIST_FIRST(&mapping->files))
		ms_check_found(c, "address space: it is not found by its key");
	w.moved = is_moved(RB_ROOT(&mapping->i_mmap));
	check_i_mmap(&w, RB_ROOT(&mapping->i_mmap), NULL);
	if (w.count != vmas && !c->no_memory)
		ms_check_found(c, "address space: %u VMAs, %u in its i_mmap", vmas, w.count);
	if (mapping->refcount != files && !c->no_memory)
		ms_check_found(c, "address space: %u files, %u are counted", files,
			       mapping->refcount);
	check_cache(c, mapping);
}

static void check_file(struct ms_check *c, struct ms_file *file)
{
	const char *name = file->ops && file->ops->name ? file->ops->name : "memory";
	const unsigned int counted = ms_check_take_met(c, ms_key_of(file)) + file->user_ref +
				     (unsigned int)file->driver_refs;

	ms_check_meet(c, ms_key_of(file->mapping));
	if (c->no_memory)
		return;
	if (file->refcount != counted)
		ms_check_found(c, "file %s: %u references, %u holders", name, file->refcount,
			       counted);
}

void ms_check_files(struct ms_check *c)
{
	struct ms_mapping *mapping;
	struct ms_file *file;

	LIST_FOREACH (file, &c->machine->processes->files, link)
		check_file(c, file);
	LIST_FOREACH (mapping, &c->machine->processes->mappings, link)
		check_mapping(c, mapping);
	if (c->machine->processes->folio_locks)
		ms_check_found(c, "files: a folio is locked");
}

bool ms_check_is_file(const struct ms_machine *m, const struct ms_file *file)
{
	const struct ms_file *f;

	LIST_FOREACH (f, &m->processes->files, link)
		if (f == file)
			return true;
	return false;
}
