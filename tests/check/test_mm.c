/* SPDX-License-Identifier: GPL-2.0-only */
/* The check of a process, its page table and its files finds each thing that can be wrong. */
#include "process.h"

#include "mm/lock.h"

/* ---- VMAs ---- */

static void vmas_are_whole_pages_in_the_address_space(void **state)
{
	struct world w = world();
	struct ms_vma *vma = vma_at(&w, DEVICE);

	breaks_u64(w.m, &vma->vm_end, w.mm->task_size + PAGE, "empty, or beyond the address space");
	breaks_u64(w.m, &vma->vm_end, vma->vm_start, "empty, or beyond the address space");
	breaks_u64(w.m, &vma->vm_end, vma->vm_end + 1, "not whole pages");
	world_end(&w);
}

static void vmas_lie_behind_each_other(void **state)
{
	struct world w = world();

	breaks_u64(w.m, &vma_at(&w, SHARED)->vm_end, SHARED + 5 * PAGE,
		   "VMA 0x200010004000-0x200010006000: begins before the one before ends");
	world_end(&w);
}

static void vmas_are_counted(void **state)
{
	struct world w = world();

	breaks_u32(w.m, &w.mm->map_count, 3, "6 VMAs, 3 are counted");
	breaks_pointer(w.m, &vma_at(&w, DEVICE)->vm_mm, ms_mm_new(w.m), "is another process's");
	breaks_pointer(w.m, &vma_at(&w, DEVICE)->vm_mm, NULL, "is another process's");
	breaks_pointer(w.m, &vma_at(&w, DEVICE)->vm_file, &w, "its file is none");
	world_end(&w);
}

/* Every second page of 100 is a VMA: more than one leaf. */
static void the_tree_of_vmas_is_in_order(void **state)
{
	struct world w = { .m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_ARM64)) };
	struct ms_vma_inner *root;
	struct ms_vma_leaf *first, *second;
	struct ms_vma *vma;

	w.mm = ms_mm_new(w.m);
	for (unsigned int i = 0; i < 50; i++)
		map(&w, ANON + 2 * i * PAGE, PAGE, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS, NULL, 0);
	assert_true(w.mm->vmas.height > 0);
	root = w.mm->vmas.root;
	first = root->child[0];
	second = first->next;
	vma = first->slot[1].vma;
	breaks_u64(w.m, &first->slot[1].end, second->slot[1].end,
		   "ends outside of its leaf's range");
	breaks_u64(w.m, &first->start[1], first->start[0], "a leaf is out of order");
	breaks_u64(w.m, &vma->vm_start, vma->vm_start - PAGE, "are not those of its place");
	breaks_bool(w.m, &ms_linked(vma)->pending, true, "is said not to be there yet");
	breaks_u32(w.m, &first->n, MS_VMA_LEAF + 1, "a leaf has a wrong number of VMAs");
	breaks_pointer(w.m, &second->prev, NULL, "neighbouring leaves do not know each other");
	breaks_u64(w.m, &second->slot[second->n].end, UINT64_MAX - 1, "an empty slot has an end");
	breaks_u32(w.m, &root->n, 1, "an inner node has a wrong number of children");
	breaks_u64(w.m, &root->bound[0], 1, "an inner node's bounds are not those above it");
	breaks_u64(w.m, &root->bound[root->n + 1], 1, "an absent child has a bound");
	breaks_u64(w.m, &root->bound[1], 0, "an inner node's bounds are out of order");
	breaks_u64(w.m, &second->gap, PAGE - 1, "a gap is larger than its leaf says");
	breaks_u64(w.m, &root->gap, ANON - 1, "a gap is larger than the node above it says");
	world_end(&w);
}

static void the_cursor_in_the_tree_of_vmas_knows_where_it_is(void **state)
{
	struct world w = { .m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_ARM64)) };
	struct ms_vma_leaf none;
	struct ms_vma_tree *t;

	w.mm = ms_mm_new(w.m);
	t = &w.mm->vmas;
	map(&w, ANON, PAGE, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS, NULL, 0);
	assert_null(ms_find_vma_intersection(w.mm, ANON + PAGE, ANON + 2 * PAGE));
	assert_int_equal(t->answer, 1);
	breaks_u32(w.m, &t->answer, 0, "the cursor's answer is wrong");
	breaks_pointer(w.m, &t->leaf, &none, "the cursor is at no leaf");
	breaks_u64(w.m, &t->above, t->below, "the cursor is nowhere, and knows an answer");
	world_end(&w);
}

static void vmas_are_in_a_process_or_freed(void **state)
{
	struct world w = world();
	struct ms_vma *vma;

	breaks_u32(w.m, &w.m->processes->vmas_pending, 1, "1 are on their way into a tree");
	vma = ms_vma_alloc(w.mm);
	assert_found(w.m, "7 objects, 6 are in a process");
	ms_vma_free(vma, false);
	breaks(w.m, &w.m->processes->vma_nodes.nr_free, &(size_t){ 3 }, sizeof(size_t),
	       "1 are in one");
	world_end(&w);
}

static void flags_of_a_vma_fit_its_file(void **state)
{
	struct world w = world();
	struct ms_vma *vma = vma_at(&w, ANON);

	breaks_u64(w.m, &vma->vm_flags_word, vma->vm_flags | MS_VM_SHARED,
		   "shared, and may not be");
	vma = vma_at(&w, HUGETLB);
	breaks_u64(w.m, &vma->vm_flags_word, vma->vm_flags & ~MS_VM_HUGETLB,
		   "VM_HUGETLB, and its file do not agree");
	breaks_u64(w.m, &vma->vm_end, vma->vm_end - PAGE, "not whole huge pages");
	breaks_pointer(w.m, &vma_at(&w, SHARED)->vm_ops, NULL,
		       "of a memory file, and has no operations");
	world_end(&w);
}

static void an_anon_vma_knows_how_many_have_it(void **state)
{
	struct world w = world();
	struct ms_vma *vma = vma_at(&w, ANON);

	breaks_u32(w.m, &vma->anon_vma->refcount, 2, "anon_vma of 1 VMAs, 2 are counted");
	breaks_u32(w.m, &vma->anon_chain, 0, "anon_vma and its chain do not agree");
	world_end(&w);
}

static void locks_are_free_between_operations(void **state)
{
	const struct ms_folio_lock lock = { .end = 1 };
	struct world w = world();

	breaks_u32(w.m, &w.mm->mmap_readers, 1, "the mmap lock is held");
	breaks_bool(w.m, &w.mm->mmap_writer, true, "the mmap lock is held");
	breaks_u32(w.m, &w.mm->held, 1, "the mmap lock is held");
	breaks_u32(w.m, &w.mm->held_for_writing, 1, "the mmap lock is held");
	breaks_u32(w.m, &w.mm->mmu_locked, 1, "the MMU lock of 1 VMs is held");
	breaks_pointer(w.m, &w.m->processes->folio_locks, &lock, "a folio is locked");
	breaks_u32(w.m, &w.mm->id, 9, "its number is out of order");
	world_end(&w);
}

/* ---- where entries stand ---- */

static void an_entry_is_inside_of_a_vma(void **state)
{
	struct world w = world();

	breaks_u64(w.m, pte(&w, SHARED + 6 * PAGE), *pte(&w, SHARED), "no VMA is there");
	breaks_u64(w.m, &vma_at(&w, ANON)->vm_end, ANON + MS_2M / 2, "reaches beyond its VMA");
	breaks_u64(w.m, pte(&w, SHARED), *pte(&w, SHARED) & ~MS_PTE_PRESENT,
		   "is neither empty nor present");
	world_end(&w);
}

static int mmap_pfnmap(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops ops;

	vma->vm_ops = &ops;
	vma->vm_flags |= MS_VM_PFNMAP;
	return 0;
}

/*
 * Nobody looks at PUD leaves when a VMA is split; the zap of a part splits them.
 *
 *    leaf    |------------- 1G -------------|
 *    VMAs    |-- 2M --|---------------------|
 */
static void a_drivers_pud_leaf_may_lie_in_the_parts_of_a_split_vma(void **state)
{
	static const struct ms_file_ops ops = { .name = "large", .mmap = mmap_pfnmap };
	struct world w = world();
	const ms_hva_t addr = UINT64_C(0x200080000000);
	uint64_t *leaf;

	map(&w, addr, MS_1G, MS_MAP_SHARED, ms_file_new(w.m, &ops, 3, 0, NULL, NULL), 0);
	leaf = ms_pt_alloc_slot(w.mm, addr, MS_LEVEL_PUD);
	*leaf = UINT64_C(0x9000000000) | MS_PTE_PRESENT | MS_PTE_SPECIAL;
	assert_whole(w.m);
	assert_int_equal(ms_madvise(w.mm, addr, MS_2M, MS_MADV_DONTDUMP), 0);
	assert_int_equal(vma_at(&w, addr + MS_2M)->vm_start, addr + MS_2M);
	breaks_u64(w.m, leaf, *leaf & ~MS_PTE_SPECIAL, "reaches beyond its VMA");
	world_end(&w);
}

static void a_leaf_stands_where_there_are_leaves(void **state)
{
	struct world w = world();
	const ms_hva_t large = UINT64_C(0x210000000000); /* 512G aligned */

	assert_int_equal(ms_mmap(w.mm, large, 512 * MS_1G, 0,
				 MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0),
			 (int64_t)large);
	breaks_u64(w.m, &w.mm->pgd[large / (512 * MS_1G)], BAR | MS_PTE_PRESENT | MS_PTE_SPECIAL,
		   "a leaf at a level that has none");
	breaks_u64(w.m, pte(&w, SHARED), *pte(&w, SHARED) | MS_PTE_TABLE,
		   "a table below the last level");
	world_end(&w);
}

static void a_table_is_there_for_a_vma(void **state)
{
	struct world w = world();
	const ms_hva_t nowhere = UINT64_C(0x300000000000);

	assert_non_null(ms_pt_alloc_slot(w.mm, nowhere, MS_LEVEL_PTE));
	assert_found(w.m, "the table of level 3 at 0x300000000000 is there, and no VMA needs it");
	ms_free_pgd_range(w.mm, nowhere, nowhere + PAGE, 0, 0);
	breaks_u64(w.m, &w.mm->nr_tables, 1, "page tables, 1 are counted");
	world_end(&w);
}

static void a_huge_anonymous_leaf_has_put_a_table_by(void **state)
{
	struct world w = world();

	breaks_pointer(w.m, &w.mm->deposits, NULL, "1 huge leaves need a table put by, 0 are");
	world_end(&w);
}

/* ---- what entries map ---- */

static void a_raw_pfn_is_in_a_vma_that_owns_up_to_it(void **state)
{
	struct world w = world();
	struct ms_vma *vma = vma_at(&w, DEVICE);

	breaks_u64(w.m, &vma->vm_flags_word, vma->vm_flags & ~MS_VM_PFNMAP,
		   "a raw pfn in a VMA that is not VM_PFNMAP or VM_MIXEDMAP");
	breaks_u64(w.m, pte(&w, DEVICE), *pte(&w, DEVICE) & ~MS_PTE_SPECIAL,
		   "which is no System RAM");
	vma = vma_at(&w, SHARED);
	breaks_u64(w.m, &vma->vm_flags_word, vma->vm_flags | MS_VM_PFNMAP,
		   "an ordinary page that is no copy, in a VM_PFNMAP VMA");
	world_end(&w);
}

static void an_entry_has_no_right_that_its_vma_has_not(void **state)
{
	struct world w = world();
	struct ms_vma *vma = vma_at(&w, SHARED);

	breaks_u64(w.m, &vma->vm_flags_word, vma->vm_flags & ~MS_VM_ACCESS,
		   "can be accessed, its VMA cannot");
	breaks_u64(w.m, &vma->vm_flags_word, vma->vm_flags & ~MS_VM_WRITE,
		   "is writable, its VMA is not");
	breaks_u64(w.m, pte(&w, PRIVATE), *pte(&w, PRIVATE) | MS_PTE_WRITE,
		   "writes of a private mapping go to a page of the file");
	world_end(&w);
}

static void a_mapped_page_is_in_use(void **state)
{
	struct world w = world();
	uint64_t *slot = pte(&w, SHARED), flags = *slot & ~MS_PTE_PA_MASK;

	breaks_u64(w.m, slot, (2 * MS_1G - PAGE) | flags, "has no page frame");
	breaks_u64(w.m, slot, (MS_1G + 2 * MS_2M - PAGE) | flags, "which is free");
	breaks_u64(w.m, slot, BAR | flags, "which is no System RAM");
	world_end(&w);
}

static void a_huge_leaf_maps_a_huge_page(void **state)
{
	struct world w = world();
	uint64_t *slot = ms_pt_slot(w.mm, ANON, MS_LEVEL_PMD);

	assert_true(ms_pte_is_leaf(*slot));
	breaks_u64(w.m, slot, *slot + PAGE, "its page is not aligned to its size");
	breaks_u64(w.m, slot, (MS_1G + MS_2M) | (*slot & ~MS_PTE_PA_MASK),
		   "is larger than its huge page");
	world_end(&w);
}

static void an_anonymous_page_is_where_such_pages_are(void **state)
{
	struct world w = world();
	struct ms_vma *vma = vma_at(&w, ANON);
	struct ms_page *page = page_of(&w, *pte(&w, ANON + MS_2M));

	breaks_pointer(w.m, &vma->anon_vma, NULL, "an anonymous page, and the VMA has no anon_vma");
	breaks_u8(w.m, &page->flags, 0, "a page that is not anonymous in an anonymous VMA");
	vma = vma_at(&w, PRIVATE);
	breaks_u64(w.m, &vma->vm_flags_word, vma->vm_flags | MS_VM_SHARED | MS_VM_MAYSHARE,
		   "a copied page in a shared mapping");
	world_end(&w);
}

static void the_huge_zero_page_is_never_written(void **state)
{
	struct world w = world();
	const ms_hva_t addr = UINT64_C(0x200050000000);
	uint64_t *slot;

	map(&w, addr, MS_2M, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS, NULL, 0);
	touch(&w, addr, MS_PROT_R);
	slot = ms_pt_slot(w.mm, addr, MS_LEVEL_PMD);
	breaks_u64(w.m, slot, *slot | MS_PTE_WRITE, "the huge zero page, writable");
	world_end(&w);
}

static void entries_of_a_huge_page_belong_together(void **state)
{
	struct world w = world();
	uint64_t *slot = pte(&w, HUGETLB);

	breaks_u64(w.m, &slot[3], slot[2], "does not continue the huge page before it");
	breaks_u64(w.m, &slot[15], 0, "part of a huge page is not mapped");
	breaks_u32(w.m, &vma_at(&w, HUGETLB)->vm_file->mapping->order, 9,
		   "is not of the huge page's size");
	world_end(&w);
}

/* ---- files ---- */

static void a_file_is_mapped_by_its_own_pages(void **state)
{
	struct world w = world();
	struct ms_mapping *mapping = w.file->mapping;
	ms_pfn_t *cached = mapping->chunk[0];
	ms_pfn_t huge = ms_pte_pfn(w.m, *ms_pt_slot(w.mm, ANON, MS_LEVEL_PMD));

	breaks_u64(w.m, pte(&w, SHARED), *pte(&w, SHARED + PAGE),
		   "is not the page that the file has there");
	breaks_u8(w.m, &ms_pfn_to_page(w.m, cached[0])->flags, MS_PG_ANON, "is anonymous");
	breaks_u64(w.m, &cached[7], MS_1G / PAGE + 1023, "index 0x7: holds page");
	breaks_u64(w.m, &cached[7], huge + 5, "is not at its place in a huge page");
	breaks_u64(w.m, &cached[7], BAR / PAGE, "which is no System RAM");
	world_end(&w);
}

static void files_know_who_has_them(void **state)
{
	struct world w = world();

	breaks_u32(w.m, &w.file->refcount, 9, "file memory: 9 references, 4 holders");
	breaks_u32(w.m, &w.file->mapping->refcount, 2, "address space: 1 files, 2 are counted");
	breaks_u64(w.m, &w.file->mapping->hole_end, 1, "a hole is still being made");
	breaks_pointer(w.m, &w.file->mapping->key, &w, "it is not found by its key");
	world_end(&w);
}

static void an_address_space_knows_its_vmas(void **state)
{
	struct world w = world();
	struct ms_mapping *mapping = w.file->mapping;
	struct ms_linked_vma *root = RB_ROOT(&mapping->i_mmap), none = { .pending = false };
	struct ms_vma *last = vma_at(&w, SHARED + 4 * PAGE);

	breaks_pointer(w.m, &RB_ROOT(&mapping->i_mmap), NULL, "3 VMAs, 0 in its i_mmap");
	breaks_u64(w.m, &root->i_mmap_last, 99, "i_mmap says its subtree ends at page 0x63");
	breaks_pointer(w.m, &RB_PARENT(root, i_mmap), &none, "i_mmap's links do not agree");
	breaks_u64(w.m, &vma_at(&w, SHARED)->vm_pgoff, 7, "i_mmap is out of order");
	breaks_pointer(w.m, &last->vm_file, NULL, "in an i_mmap, and in no process");
	breaks_pointer(w.m, &last->vm_file, vma_at(&w, DEVICE)->vm_file,
		       "in the i_mmap of another file");
	world_end(&w);
}

/* ---- the machine's own pages ---- */

static void the_machine_holds_its_own_pages(void **state)
{
	struct world w = world();

	breaks_u64(w.m, &w.m->phys->zero_pfn, MS_1G / PAGE + 1023, "zero page: holds page");
	breaks_u64(w.m, &w.m->phys->huge_zero_pfn, BAR / PAGE, "huge zero page: holds page");
	breaks_u32(w.m, &w.m->processes->lru.count, 31, "LRU queue: 31 pages, and 31 empty it");
	breaks_u32(w.m, &w.m->processes->lazyfree.count, 1, "lazyfree queue 0: holds page");
	breaks_u32(w.m, &w.m->processes->activate.count, 1, "activate queue 0: holds page");
	breaks_u32(w.m, &w.m->processes->mlock.count, 1, "mlock queue 0: holds page");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vmas_are_whole_pages_in_the_address_space),
		cmocka_unit_test(vmas_lie_behind_each_other),
		cmocka_unit_test(vmas_are_counted),
		cmocka_unit_test(the_tree_of_vmas_is_in_order),
		cmocka_unit_test(the_cursor_in_the_tree_of_vmas_knows_where_it_is),
		cmocka_unit_test(vmas_are_in_a_process_or_freed),
		cmocka_unit_test(flags_of_a_vma_fit_its_file),
		cmocka_unit_test(an_anon_vma_knows_how_many_have_it),
		cmocka_unit_test(locks_are_free_between_operations),
		cmocka_unit_test(an_entry_is_inside_of_a_vma),
		cmocka_unit_test(a_drivers_pud_leaf_may_lie_in_the_parts_of_a_split_vma),
		cmocka_unit_test(a_leaf_stands_where_there_are_leaves),
		cmocka_unit_test(a_table_is_there_for_a_vma),
		cmocka_unit_test(a_huge_anonymous_leaf_has_put_a_table_by),
		cmocka_unit_test(a_raw_pfn_is_in_a_vma_that_owns_up_to_it),
		cmocka_unit_test(an_entry_has_no_right_that_its_vma_has_not),
		cmocka_unit_test(a_mapped_page_is_in_use),
		cmocka_unit_test(a_huge_leaf_maps_a_huge_page),
		cmocka_unit_test(an_anonymous_page_is_where_such_pages_are),
		cmocka_unit_test(the_huge_zero_page_is_never_written),
		cmocka_unit_test(entries_of_a_huge_page_belong_together),
		cmocka_unit_test(a_file_is_mapped_by_its_own_pages),
		cmocka_unit_test(files_know_who_has_them),
		cmocka_unit_test(an_address_space_knows_its_vmas),
		cmocka_unit_test(the_machine_holds_its_own_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
