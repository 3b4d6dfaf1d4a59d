/* SPDX-License-Identifier: GPL-2.0-only */
/* What processes have mapped. */
#include "hazard/internal.h"

#include "mm/view.h"

#define LOW_MEGABYTE UINT64_C(0x100000)

struct process {
	struct ms_judge *j;
	struct ms_mm *mm;
	struct ms_vma *vma; /* the first one that ends above the address at hand; NULL: no more */
	struct ms_host_run run;
};

/* ---- pages of RAM ---- */

/* How many leaves of all processes map the page. */
static uint64_t count_leaves(const struct ms_machine *m, ms_pfn_t pfn)
{
	const ms_pa_t pa = pfn << m->page_shift;
	uint64_t count = 0;

	for (const struct ms_mm *mm = ms_mm_next(m, NULL); mm; mm = ms_mm_next(m, mm)) {
		struct ms_host_run run;

		for (ms_hva_t at = 0; ms_host_next_run(mm, at, UINT64_MAX, &run);
		     at = run.start + run.size)
			count += pa - run.pa < run.size;
	}
	return count;
}

static bool is_zero(const struct ms_machine *m, ms_pfn_t pfn)
{
	const ms_pfn_t huge = ms_align_down(pfn, UINT64_C(1) << ms_pmd_order(m));

	return ms_is_zero_pfn(m, pfn) || ms_is_huge_zero_pfn(m, huge);
}

/* A raw pfn of RAM: an entry that holds no reference. */
static const char *wrong_raw_page(const struct ms_machine *m, ms_pfn_t pfn)
{
	const struct ms_page *page = ms_page_look(m, ms_page_head(m, pfn));

	// nobody ever has what is below 1 MiB of x86, or page 0
	if (is_zero(m, pfn) || !pfn || (ms_is_x86(m) && pfn << m->page_shift < LOW_MEGABYTE))
		return NULL;
	if (page && page->flags & (MS_PG_ANON | MS_PG_HUGETLB))
		return "a raw pfn of what is a process's own memory";
	if (!page || !page->refcount)
		return "a raw pfn of RAM that nobody has allocated";
	return NULL;
}

/* A page that this process alone should have, since it may write it. */
static const char *wrong_private_page(const struct ms_machine *m, ms_pfn_t pfn)
{
	const struct ms_page *page = ms_page_look(m, pfn), *head;

	if (is_zero(m, pfn))
		return "the zero page is writable";
	if (!page || !(page->flags & MS_PG_ANON) || page->flags & MS_PG_ANON_EXCLUSIVE)
		return NULL;
	head = ms_page_look(m, ms_page_head(m, pfn));
	if (!head || head->refcount < 2 || count_leaves(m, pfn) < 2)
		return NULL;
	return "a private page is writable, and mapped elsewhere";
}

/* Asks about each page of the part. */
static void judge_pages(struct ms_judge *j, const struct ms_part *part, enum ms_hazard_kind kind,
			enum ms_blame blame,
			const char *(*wrong)(const struct ms_machine *m, ms_pfn_t pfn))
{
	const struct ms_machine *m = j->m;

	for (uint64_t off = 0; off < part->size; off += m->page_size) {
		const char *text = wrong(m, (part->pa + off) >> m->page_shift);

		if (text)
			ms_part_found_in(j, part, off, m->page_size, kind, blame, NULL, text);
	}
}

static void judge_ram(const struct process *p, const struct ms_part *part)
{
	if (p->run.flags & MS_PTE_SPECIAL)
		judge_pages(p->j, part, MS_HAZARD_HOST_FREED_PAGE, MS_BLAME_DRIVER, wrong_raw_page);
	else if (part->vma && ms_is_cow_mapping(part->vma->vm_flags) && p->run.flags & MS_PTE_WRITE)
		judge_pages(p->j, part, MS_HAZARD_HOST_COW, MS_BLAME_KERNEL, wrong_private_page);
}

/* ---- a run ---- */

static void judge_part(const struct process *p, struct ms_part *part)
{
	if (!part->vma)
		ms_part_found(p->j, part, MS_HAZARD_HOST_BEYOND_VMA, MS_BLAME_KERNEL, NULL,
			      "mapped where there is no VMA");
	else if (p->run.flags & MS_PTE_WRITE && !(part->vma->vm_flags & MS_VM_WRITE))
		ms_part_found(p->j, part, MS_HAZARD_HOST_WRITE, MS_BLAME_KERNEL, NULL,
			      "writable, and the VMA is not");
	if (part->ram)
		judge_ram(p, part);
	else if (p->run.flags & MS_PTE_PRESENT)
		ms_judge_device(p->j, part);
}

/* The VMA at the address, and how much of `size` lies in it, or in front of the next one. */
static uint64_t find_vma(struct process *p, ms_hva_t addr, uint64_t size, const struct ms_vma **vma)
{
	while (p->vma && p->vma->vm_end <= addr)
		p->vma = ms_vma_next(p->vma);
	*vma = p->vma && p->vma->vm_start <= addr ? p->vma : NULL;
	if (!p->vma)
		return size;
	return ms_min_u64(size, (*vma ? p->vma->vm_end : p->vma->vm_start) - addr);
}

static void judge_run(struct process *p)
{
	const struct ms_machine *m = p->j->m;
	const struct ms_host_run *run = &p->run;
	struct ms_part part = {
		.mm = ms_mm_id(p->mm),
		.cacheable = !ms_is_x86(m) && ms_pgprot_cache(run->flags) == MS_CACHE_WB,
	};

	for (uint64_t off = 0; off < run->size; off += part.size) {
		part.addr = run->start + off;
		part.pa = run->pa + off;
		part.size = find_vma(p, part.addr, run->size - off, &part.vma);
		ms_part_of_one_kind(m, &part);
		judge_part(p, &part);
	}
}

void ms_judge_process(struct ms_judge *j, struct ms_mm *mm)
{
	struct process p = { .j = j, .mm = mm, .vma = ms_find_vma(mm, 0) };

	for (ms_hva_t at = 0; ms_host_next_run(mm, at, UINT64_MAX, &p.run);
	     at = p.run.start + p.run.size)
		judge_run(&p);
}
