/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of processes and files an operation can notice.
 *
 * Processes are in the order in which they were made, VMAs in that of their addresses. Both get
 * their numbers first, so that whoever refers to one finds it. Files are told where a VMA maps them
 * or the user has said that he holds them; of others only what they are, each by itself.
 */
#include "mm/memfile.h"
#include "mm/pgtable.h"
#include "mm/pin.h"
#include "pat/hash.h"
#include "phys/hash.h"

/* ---- VMAs, by address ---- */

static const struct ms_vma_leaf *first_leaf(const struct ms_vma_tree *t)
{
	const void *node = t->root;

	for (unsigned int height = t->height; height; height--)
		node = ((const struct ms_vma_inner *)node)->child[0];
	return node;
}

typedef void vma_fn(struct ms_hash *h, const struct ms_vma *vma);

static void for_each_vma(struct ms_hash *h, const struct ms_mm *mm, vma_fn *fn)
{
	for (const struct ms_vma_leaf *leaf = first_leaf(&mm->vmas); leaf; leaf = leaf->next)
		for (unsigned int i = 0; i < leaf->n; i++)
			fn(h, leaf->slot[i].vma);
}

static void name_vma(struct ms_hash *h, const struct ms_vma *vma)
{
	ms_hash_name(h, ms_hash_object(vma));
}

/* ---- files ---- */

static void add_cache(struct ms_hash *h, const struct ms_mapping *mapping)
{
	for (size_t i = 0; i < mapping->nr_chunks; i++)
		for (unsigned int k = 0; mapping->chunk[i] && k < MS_CACHE_CHUNK; k++) {
			if (!mapping->chunk[i][k])
				continue;
			ms_hash_add(h, i * MS_CACHE_CHUNK + k);
			ms_phys_hash_page(h, mapping->chunk[i][k]);
		}
	ms_hash_add(h, UINT64_MAX);
}

/*
 * In the tree's order, which is that in which they are told of a page that goes. Where it is not
 * that of the offsets (a VMA got another one since) what is found depends on the tree itself.
 */
static bool add_i_mmap(struct ms_hash *h, const struct ms_linked_vma *l, bool shape)
{
	bool moved;

	if (!l)
		return false;
	moved = (l->vma.vm_flags & MS_VM_PFNMAP) && ms_is_cow_mapping(l->vma.vm_flags);
	if (shape)
		ms_hash_add(h, l->i_mmap_last);
	moved |= add_i_mmap(h, RB_LEFT(l, i_mmap), shape);
	ms_hash_refer(h, &l->vma);
	moved |= add_i_mmap(h, RB_RIGHT(l, i_mmap), shape);
	if (shape)
		ms_hash_add(h, 0);
	return moved;
}

static void add_mapping(struct ms_hash *h, const struct ms_mapping *mapping)
{
	if (!ms_hash_meet(h, ms_hash_object(mapping)))
		return;
	ms_hash_pointer(h, mapping->key);
	ms_hash_add(h, mapping->refcount);
	ms_hash_add(h, mapping->size);
	ms_hash_add(h, mapping->order);
	ms_hash_add(h, mapping->hole_first);
	ms_hash_add(h, mapping->hole_end);
	ms_regions_hash(h, &mapping->reserved);
	add_cache(h, mapping);
	if (add_i_mmap(h, RB_ROOT(&mapping->i_mmap), false))
		add_i_mmap(h, RB_ROOT(&mapping->i_mmap), true);
}

/* linux.h's struct file: words that may be pointers. */
static void add_head(struct ms_hash *h, const struct ms_file *file)
{
	const void *word[MS_FILE_HEAD_BYTES / sizeof(void *)];

	memcpy(word, file->head, sizeof(word));
	for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++)
		if (word[i]) {
			ms_hash_add(h, i);
			ms_hash_pointer(h, word[i]);
		}
}

static void add_file(struct ms_hash *h, const struct ms_file *file)
{
	if (!file || !ms_hash_meet(h, ms_hash_object(file))) {
		ms_hash_add(h, !file);
		return;
	}
	ms_hash_pointer(h, file->ops);
	ms_hash_add(h, (uint64_t)file->kind << 32 | file->fmode);
	ms_hash_add(h, file->max_bytes);
	ms_hash_add(h, (uint64_t)file->driver_refs << 40 | (uint64_t)file->refcount << 1 |
			       file->user_ref);
	ms_hash_pointer(h, file->priv);
	add_head(h, file);
	add_mapping(h, file->mapping);
}

static bool is_file(const struct ms_machine *m, const void *object)
{
	const struct ms_file *file;

	LIST_FOREACH (file, &m->processes->files, link)
		if (file == object)
			return true;
	return false;
}

/* Those that no VMA maps: what the user holds in his order, the rest in none. */
static void add_other_files(struct ms_hash *h)
{
	const struct ms_machine *m = h->machine;
	const struct ms_file *file;
	uint64_t sum = 0;

	for (size_t i = 0; i < h->nr_objects; i++)
		if (is_file(m, h->object[i]))
			add_file(h, h->object[i]);
	h->frozen = true;
	LIST_FOREACH (file, &m->processes->files, link) {
		const uint64_t outer = ms_hash_apart(h);

		add_file(h, file);
		sum += ms_hash_apart_end(h, outer);
	}
	h->frozen = false;
	ms_hash_add(h, sum);
}

/* ---- a process ---- */

static void add_anon_vma(struct ms_hash *h, const struct ms_vma *vma)
{
	const struct ms_anon_vma *av = vma->anon_vma;

	if (!av) {
		ms_hash_add(h, 0);
		return;
	}
	ms_hash_add(h, (uint64_t)av->refcount << 32 | vma->anon_chain);
	ms_hash_refer(h, av);
	// roots are told from those of the same process alone; no object has such a key
	ms_hash_known(h, ms_hash_object(vma->vm_mm));
	ms_hash_meet(h, UINT64_C(1) << 63 | (ms_hash_object(vma->vm_mm) << 8 ^ av->root << 1));
}

static void add_vma(struct ms_hash *h, const struct ms_vma *vma)
{
	const struct ms_machine *m = h->machine;

	ms_hash_refer(h, vma);
	ms_hash_add(h, vma->vm_start);
	ms_hash_add(h, vma->vm_end);
	ms_hash_add(h, vma->vm_flags);
	ms_hash_add(h, vma->vm_pgoff);
	ms_hash_add(h, vma->vm_page_prot);
	ms_hash_pointer(h, vma->vm_ops);
	if (vma->vm_file)
		add_file(h, vma->vm_file);
	if (ms_vma_is_hugetlb(vma))
		ms_hugetlb_hash_resv(h, vma);
	else if (vma->vm_private_data)
		ms_hash_pointer(h, vma->vm_private_data);
	add_anon_vma(h, vma);
	if (m->policy.private_file_merge != MS_PRIVATE_FILE_MERGE_FILE_OFFSET)
		ms_hash_add(h, vma->anon_pgoff);
	if (vma->pfnmap_ctx)
		ms_pat_hash_ctx(h, vma->pfnmap_ctx);
}

/*
 * Entries of a table. Where leaves of devices follow each other, as most do, the first one and
 * their number is told. Words that are no entries have bits that entries never have.
 */
struct entries {
	struct ms_hash *h;
	unsigned int index; /* of the entry that was told last, or 1 below the first */
	uint64_t step;      /* bytes that an entry of the level maps */
	uint64_t next;      /* the leaf that would go on; 0: none */
	uint64_t more;      /* so many did */
};

static void add_table(struct ms_hash *h, const uint64_t *table, unsigned int level);

static void end_run(struct entries *e)
{
	if (e->more)
		ms_hash_add(e->h, ~(e->more << 16));
	e->next = e->more = 0;
}

static void add_entry(struct entries *e, unsigned int i, uint64_t entry, unsigned int level)
{
	const ms_pa_t pa = ms_pte_pa(entry);

	end_run(e);
	if (i != e->index + 1)
		ms_hash_add(e->h, ~(uint64_t)i);
	e->index = i;
	if (ms_pte_is_table(entry)) {
		add_table(e->h, ms_pte_table(entry), level + 1);
	} else if (ms_phys_hash_is_ram(e->h, pa)) {
		ms_hash_add(e->h, (entry & ~MS_PTE_PA_MASK) | MS_PTE_TABLE);
		ms_phys_hash_page(e->h, pa >> e->h->machine->page_shift);
	} else {
		ms_hash_add(e->h, entry);
		e->next = entry + e->step;
	}
}

/* With the places of the entries; an empty table is there, too. */
static void add_table(struct ms_hash *h, const uint64_t *table, unsigned int level)
{
	const struct ms_machine *m = h->machine;
	const unsigned int n = 1u << (m->page_shift - 3);
	struct entries e = { .h = h, .index = UINT32_MAX, .step = ms_level_size(m, level) };

	for (unsigned int i = 0; i < n; i += 8) {
		uint64_t any = 0;

		for (unsigned int k = 0; k < 8; k++)
			any |= table[i + k];
		for (unsigned int k = 0; any && k < 8; k++) {
			const uint64_t entry = table[i + k];

			if (!entry)
				continue;
			if (entry == e.next && i + k == e.index + 1 &&
			    !ms_phys_hash_is_ram(h, ms_pte_pa(entry))) {
				e.index++;
				e.more++;
				e.next += e.step;
			} else {
				add_entry(&e, i + k, entry, level);
			}
		}
	}
	end_run(&e);
	ms_hash_add(h, UINT64_MAX);
}

static void add_mm(struct ms_hash *h, const struct ms_mm *mm)
{
	ms_hash_refer(h, mm);
	ms_hash_add(h, mm->nr_tables);
	ms_hash_add(h, (uint64_t)mm->mmap_readers << 32 | (uint64_t)mm->mmu_locked << 2 |
			       (uint64_t)mm->has_pinned << 1 | mm->mmap_writer);
	for_each_vma(h, mm, add_vma);
	add_table(h, mm->pgd, mm->start_level);
	for (const struct ms_mmu_notifier *mn = mm->notifiers; mn; mn = mn->next) {
		ms_hash_pointer(h, mn->ops);
		ms_hash_refer(h, mn);
	}
	ms_hash_add(h, UINT64_MAX);
}

/* ---- queues of pages ---- */

/* A page in a queue may be free: then it counts when it is handed out again. */
static void add_queued(struct ms_hash *h, uint64_t what)
{
	const ms_pfn_t pfn = what & ~MS_LRU_NEW;
	const struct ms_page *page = ms_page_look(h->machine, pfn);

	ms_hash_add(h, what & MS_LRU_NEW);
	if (page && page->refcount) {
		ms_phys_hash_page(h, pfn);
		return;
	}
	ms_hash_add(h, pfn);
	ms_hash_add(h, ms_phys_lowest_free(h->machine));
}

static void add_queue(struct ms_hash *h, const struct ms_lru_queue *queue)
{
	ms_hash_add(h, queue->count);
	for (unsigned int i = 0; i < queue->count; i++)
		add_queued(h, queue->pfn[i]);
}

void ms_mm_hash(struct ms_hash *h)
{
	const struct ms_processes *p = h->machine->processes;
	const struct ms_mm *mm;

	TAILQ_FOREACH (mm, &p->mms, link) {
		ms_hash_name(h, ms_hash_object(mm));
		for_each_vma(h, mm, name_vma);
	}
	TAILQ_FOREACH (mm, &p->mms, link)
		add_mm(h, mm);
	add_other_files(h);
	add_queue(h, &p->lru);
	add_queue(h, &p->lazyfree);
	add_queue(h, &p->activate);
	add_queue(h, &p->mlock);
	ms_hash_add(h, !!p->folio_locks);
	ms_taken_hash(h);
}
