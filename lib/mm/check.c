/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks that processes are consistent: their VMAs, what those refer to, and the machine's own
 * pages. */
#include "mm/check.h"
#include "mm/pin.h"

void ms_check_page(struct ms_check *c, ms_pfn_t pfn, const char *who, uint64_t addr)
{
	const char *error = ms_page_check_holder(c, pfn);

	if (error)
		ms_check_found(c, "%s %#" PRIx64 ": holds page %#" PRIx64 ", which %s", who, addr,
			       pfn, error);
}

/* ---- VMAs ---- */

static void check_borders(struct ms_check *c, const struct ms_vma *vma, ms_hva_t before)
{
	const struct ms_mm *mm = vma->vm_mm;

	if (vma->vm_start >= vma->vm_end || vma->vm_end > mm->task_size)
		ms_check_found(c, MS_VMA_FORMAT ": empty, or beyond the address space",
			       MS_VMA_ARGS(vma));
	if (!ms_aligned(vma->vm_start | vma->vm_end, c->machine->page_size))
		ms_check_found(c, MS_VMA_FORMAT ": not whole pages", MS_VMA_ARGS(vma));
	if (vma->vm_start < before)
		ms_check_found(c, MS_VMA_FORMAT ": begins before the one before ends",
			       MS_VMA_ARGS(vma));
}

static void check_flags(struct ms_check *c, const struct ms_vma *vma)
{
	const uint64_t flags = vma->vm_flags;
	const struct ms_file *file = vma->vm_file;
	bool hugetlb = file && file->kind == MS_FILE_HUGETLB;

	if ((flags & MS_VM_SHARED) && !(flags & MS_VM_MAYSHARE))
		ms_check_found(c, MS_VMA_FORMAT ": shared, and may not be", MS_VMA_ARGS(vma));
	if (!!(flags & MS_VM_HUGETLB) != hugetlb)
		ms_check_found(c, MS_VMA_FORMAT ": VM_HUGETLB, and its file do not agree",
			       MS_VMA_ARGS(vma));
	if (file && file->kind != MS_FILE_DRIVER && !vma->vm_ops)
		ms_check_found(c, MS_VMA_FORMAT ": of a memory file, and has no operations",
			       MS_VMA_ARGS(vma));
	if (hugetlb && !ms_aligned(vma->vm_start | vma->vm_end, ms_hugetlb_size(vma)))
		ms_check_found(c, MS_VMA_FORMAT ": not whole huge pages", MS_VMA_ARGS(vma));
}

/* VM_PAT is of x86; from 6.16 on a VMA's reservation alone tells that it is tracked. */
static void check_tracking(struct ms_check *c, const struct ms_vma *vma)
{
	const struct ms_machine *m = c->machine;

	if (vma->vm_flags & MS_VM_PAT &&
	    (!ms_is_x86(m) || m->policy.untrack_at == MS_UNTRACK_AT_LAST_VMA_FREED))
		ms_check_found(c, MS_VMA_FORMAT ": VM_PAT, which this kernel does not set",
			       MS_VMA_ARGS(vma));
	if (vma->pfnmap_ctx)
		ms_pat_check_holder(c, vma->pfnmap_ctx);
}

/* Counts the file, the address space and the anon_vma that a VMA refers to. The counts are compared
 * with the reference counts later. */
static void count_held(struct ms_check *c, const struct ms_vma *vma)
{
	if (vma->vm_file) {
		ms_check_meet(c, ms_key_of(vma->vm_file));
		ms_check_meet(c, ms_key_of(&vma->vm_file->mapping->i_mmap));
	}
	if (vma->anon_vma)
		ms_check_meet(c, ms_key_of(vma->anon_vma));
	if (!vma->anon_vma != !vma->anon_chain)
		ms_check_found(c, MS_VMA_FORMAT ": anon_vma and its chain do not agree",
			       MS_VMA_ARGS(vma));
	check_tracking(c, vma);
}

bool ms_check_is_mm(const struct ms_machine *m, const struct ms_mm *mm)
{
	const struct ms_mm *other;

	TAILQ_FOREACH (other, &m->processes->mms, link)
		if (other == mm)
			return true;
	return false;
}

/* Can what a VMA refers to be looked at? What it says of itself is not trusted before. */
static bool refers_to_something(struct ms_check *c, const struct ms_mm *mm,
				const struct ms_vma *vma, const struct ms_file **known)
{
	if (vma->vm_mm != mm) {
		ms_check_found(c, "mm %u: VMA %#" PRIx64 " is another process's", mm->id,
			       vma->vm_start);
		return false;
	}
	if (!vma->vm_file || vma->vm_file == *known)
		return true;
	if (!ms_check_is_file(c->machine, vma->vm_file)) {
		ms_check_found(c, MS_VMA_FORMAT ": its file is none", MS_VMA_ARGS(vma));
		return false;
	}
	*known = vma->vm_file;
	return true;
}

/* false: what lies behind a VMA cannot be looked at. */
static bool check_vmas(struct ms_check *c, struct ms_mm *mm)
{
	const struct ms_file *known = NULL;
	ms_hva_t before = 0;

	for (struct ms_vma_place p = ms_check_first(mm); ms_check_vma(p); p = ms_check_next(p)) {
		const struct ms_vma *vma = ms_check_vma(p);

		if (!refers_to_something(c, mm, vma, &known))
			return false;
		check_borders(c, vma, before);
		check_flags(c, vma);
		count_held(c, vma);
		before = vma->vm_end;
	}
	return true;
}

/* Adds the number of the tree's nodes to *nodes. */
static void check_tree(struct ms_check *c, const struct ms_mm *mm, size_t *nodes)
{
	struct ms_vma_tree_count count = { 0 };
	const char *broken = ms_vma_tree_check(&mm->vmas, &count);

	if (broken)
		ms_check_found(c, "mm %u: VMAs: %s", mm->id, broken);
	else if (count.vmas != mm->map_count)
		ms_check_found(c, "mm %u: %zu VMAs, %u are counted", mm->id, count.vmas,
			       mm->map_count);
	*nodes += count.nodes;
}

/* Several VMAs may have the same anon_vma: it is compared at the first of them. */
static void compare_anon_vmas(struct ms_check *c, struct ms_mm *mm)
{
	for (struct ms_vma_place p = ms_check_first(mm); ms_check_vma(p); p = ms_check_next(p)) {
		const struct ms_vma *vma = ms_check_vma(p);
		const struct ms_anon_vma *av = vma->anon_vma;
		const uint32_t met = av ? ms_check_take_met(c, ms_key_of(av)) : 0;

		if (met && met != av->refcount)
			ms_check_found(c, MS_VMA_FORMAT ": anon_vma of %u VMAs, %u are counted",
				       MS_VMA_ARGS(vma), met, av->refcount);
	}
}

static void check_locks(struct ms_check *c, const struct ms_mm *mm)
{
	if (mm->mmap_readers || mm->mmap_writer || mm->held || mm->held_for_writing)
		ms_check_found(c, "mm %u: the mmap lock is held", mm->id);
	if (mm->mmu_locked)
		ms_check_found(c, "mm %u: the MMU lock of %u VMs is held", mm->id, mm->mmu_locked);
}

/* ---- the machine's own pages ---- */

static void check_room(struct ms_check *c, const char *name, const struct ms_lru_queue *queue)
{
	const unsigned int room = ms_lru_room(c->machine);

	if (queue->count >= room)
		ms_check_found(c, "%s: %u pages, and %u empty it", name, queue->count, room);
}

/* Of a queue whose references are counted. */
static void check_queue(struct ms_check *c, const char *name, const struct ms_lru_queue *queue)
{
	check_room(c, name, queue);
	for (unsigned int i = 0; i < queue->count && i < MS_LRU_ROOM; i++)
		ms_check_page(c, queue->pfn[i] & ~MS_LRU_NEW, name, i);
}

static void check_queues(struct ms_check *c)
{
	const struct ms_processes *p = c->machine->processes;

	check_room(c, "LRU queue", &p->lru);
	check_queue(c, "lazyfree queue", &p->lazyfree);
	check_queue(c, "activate queue", &p->activate);
	check_queue(c, "mlock queue", &p->mlock);
}

/* Every VMA that was allocated is in a tree, and so is every node. */
static void check_pools(struct ms_check *c, size_t vmas, size_t nodes)
{
	const struct ms_machine *m = c->machine;

	if (m->processes->vmas_pending)
		ms_check_found(c, "VMAs: %u are on their way into a tree",
			       m->processes->vmas_pending);
	if (ms_pool_in_use(&m->processes->vmas) != vmas)
		ms_check_found(c, "VMAs: %zu objects, %zu are in a process",
			       ms_pool_in_use(&m->processes->vmas), vmas);
	if (ms_pool_in_use(&m->processes->vma_nodes) != nodes)
		ms_check_found(c, "VMAs: %zu nodes of trees, %zu are in one",
			       ms_pool_in_use(&m->processes->vma_nodes), nodes);
}

void ms_mm_check(struct ms_check *c)
{
	size_t vmas = 0, nodes = 0;
	struct ms_mm *mm;
	uint32_t last = 0;
	bool whole = true;

	TAILQ_FOREACH (mm, &c->machine->processes->mms, link) {
		if (mm->id <= last || mm->id > c->machine->nr_mm_ids)
			ms_check_found(c, "mm %u: its number is out of order", mm->id);
		last = mm->id;
		vmas += mm->map_count;
		check_tree(c, mm, &nodes);
		whole &= check_vmas(c, mm);
		check_locks(c, mm);
	}
	// what follows would go by them
	if (!whole)
		return;
	TAILQ_FOREACH (mm, &c->machine->processes->mms, link)
		ms_check_page_table(c, mm);
	TAILQ_FOREACH (mm, &c->machine->processes->mms, link)
		compare_anon_vmas(c, mm);
	check_pools(c, vmas, nodes);
	check_queues(c);
	ms_check_files(c);
	ms_taken_check(c);
}

bool ms_check_is_vma(const struct ms_machine *m, const struct ms_vma *vma)
{
	for (const struct ms_mm *mm = ms_mm_next(m, NULL); mm; mm = ms_mm_next(m, mm))
		for (struct ms_vma_place p = ms_check_first(mm); ms_check_vma(p);
		     p = ms_check_next(p))
			if (ms_check_vma(p) == vma)
				return true;
	return false;
}
