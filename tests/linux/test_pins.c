/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of a process that a driver takes and pins, and what a fork makes of them. */
#include "world.h"

#define KERNELS(name) \
	static void name##_5_10(void **state) \
	{ \
		(void)state; \
		name("5.10.223"); \
	} \
	static void name##_6_1(void **state) \
	{ \
		(void)state; \
		name("6.1.192"); \
	} \
	static void name##_6_12(void **state) \
	{ \
		(void)state; \
		name("6.12.117"); \
	} \
	static void name##_7_3(void **state) \
	{ \
		(void)state; \
		name("7.3.4"); \
	}
#define TESTS(name) \
	cmocka_unit_test(name##_5_10), cmocka_unit_test(name##_6_1), cmocka_unit_test(name##_6_12), \
		cmocka_unit_test(name##_7_3)

static void anonymous(struct world *w, unsigned long at, unsigned long npages, unsigned int prot)
{
	assert_int_equal(ms_mmap(w->mm, at, npages * PAGE_SIZE, prot,
				 MS_MAP_PRIVATE | MS_MAP_ANONYMOUS | MS_MAP_FIXED_NOREPLACE, NULL,
				 0),
			 at);
	ms_linux_as(w->mm);
}

static unsigned long pfn_at(struct mm_struct *mm, unsigned long addr)
{
	struct ms_host_leaf leaf;

	if (!ms_host_leaf(mm, addr, &leaf))
		return 0;
	return ((leaf.entry & MS_PTE_PA_MASK) + (addr - leaf.start)) >> PAGE_SHIFT;
}

static bool writable_at(struct mm_struct *mm, unsigned long addr)
{
	struct ms_host_leaf leaf;

	return ms_host_leaf(mm, addr, &leaf) && (leaf.entry & MS_PTE_WRITE);
}

static void end(struct world *w)
{
	assert_int_equal(ms_linux_leaks(w->m), 0);
	ms_linux_as(NULL);
	world_end(w);
}

/* ---- pins, and what they are worth ---- */

static void a_pin_counts_as_many_references(const char *release)
{
	struct world w = world(release);
	struct page *page[2];

	anonymous(&w, A, 2, MS_PROT_RW);
	assert_int_equal(pin_user_pages_fast(A + 5, 2, FOLL_WRITE, page), 2);
	assert_int_equal(page_to_pfn(page[1]), pfn_at(w.mm, A + PAGE_SIZE));
	assert_true(page_maybe_dma_pinned(page[0]));
	assert_true(page_count(page[0]) >= 1024);
	assert_int_equal(get_user_pages_fast(A, 1, 0, page), 1);
	put_page(page[0]);
	unpin_user_pages(page, 2);
	assert_false(page_maybe_dma_pinned(page[0]));
	assert_int_equal(ms_violations(w.m), 0);
	end(&w);
}
KERNELS(a_pin_counts_as_many_references)

static void a_pinned_page_outlives_its_mapping(const char *release)
{
	struct world w = world(release);
	struct page *page;
	u32 *bytes;

	anonymous(&w, A, 1, MS_PROT_RW);
	assert_int_equal(put_user(7, (u32 *)A), 0);
	assert_int_equal(pin_user_pages_fast(A, 1, FOLL_WRITE | FOLL_LONGTERM, &page), 1);
	assert_int_equal(ms_munmap(w.mm, A, PAGE_SIZE), 0);
	bytes = page_address(page);
	assert_int_equal(*bytes, 7);
	unpin_user_pages_dirty_lock(&page, 1, true);
	assert_int_equal(ms_violations(w.m), 0);
	end(&w);
}
KERNELS(a_pinned_page_outlives_its_mapping)

static void what_is_given_back_wrongly_is_told(const char *release)
{
	struct world w = world(release);
	struct page *page;

	anonymous(&w, A, 1, MS_PROT_RW);
	assert_int_equal(pin_user_pages_fast(A, 1, FOLL_WRITE, &page), 1);
	assert_int_equal(ms_linux_leaks(w.m), 1);
	assert_string_equal(violation(&w, 0), "pages of a process are never unpinned");
	unpin_user_page(page);
	unpin_user_page(page);
	assert_string_equal(violation(&w, 1), "unpin_user_page of a page that is not pinned");
	assert_int_equal(get_user_pages_fast(A, 1, FOLL_LONGTERM, &page), -EINVAL);
	assert_string_equal(violation(&w, 2), "FOLL_LONGTERM without a pin: get_user_pages does not do that");
	assert_int_equal(pin_user_pages_fast(A, 1, FOLL_GET, &page), -EINVAL);
	end(&w);
}
KERNELS(what_is_given_back_wrongly_is_told)

/* ---- which pages can be taken ---- */

static int bar_mmap(struct file *file, struct vm_area_struct *vma)
{
	(void)file;
	return io_remap_pfn_range(vma, vma->vm_start, PHYS_PFN(BAR), vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

static void raw_pfns_are_not_pinned(const char *release)
{
	static const struct file_operations fops = { .mmap = bar_mmap };
	struct world w = world(release);
	struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);
	struct page *page[4];

	anonymous(&w, A, 2, MS_PROT_RW);
	assert_int_equal(ms_mmap(w.mm, A + 2 * PAGE_SIZE, PAGE_SIZE, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED, file, 0),
			 A + 2 * PAGE_SIZE);
	// as many as there are
	assert_int_equal(pin_user_pages_fast(A, 4, FOLL_WRITE, page), 2);
	unpin_user_pages(page, 2);
	assert_int_equal(pin_user_pages_fast(A + 2 * PAGE_SIZE, 1, 0, page), -EFAULT);
	assert_int_equal(pin_user_pages_fast(A + 3 * PAGE_SIZE, 1, 0, page), -EFAULT);
	ms_linux_close(file);
	end(&w);
}
KERNELS(raw_pfns_are_not_pinned)

static struct page *shown;

static vm_fault_t page_fault(struct vm_fault *vmf)
{
	assert_int_equal(vmf->gfp_mask & GFP_KERNEL, GFP_KERNEL);
	get_page(shown);
	vmf->page = shown;
	return 0;
}

static vm_fault_t page_mkwrite(struct vm_fault *vmf)
{
	lock_page(vmf->page);
	return VM_FAULT_LOCKED;
}

static int tracked_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = {
		.fault = page_fault,
		.page_mkwrite = page_mkwrite,
	};

	(void)file;
	vma->vm_ops = &ops;
	return 0;
}

/* Who hears of each first write could not hear of those that come by the pin: from 6.5 on. */
static void written_for_long(const char *release, bool refused)
{
	static const struct file_operations fops = { .mmap = tracked_mmap };
	struct world w = world(release);
	struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);
	const unsigned int flags = FOLL_WRITE | FOLL_LONGTERM;
	struct page *page;

	shown = alloc_page(GFP_KERNEL);
	shown->mapping = file->f_mapping;
	ms_linux_as(w.mm);
	assert_int_equal(ms_mmap(w.mm, A, PAGE_SIZE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, file,
				 0),
			 A);
	assert_int_equal(pin_user_pages_fast(A, 1, flags, &page), refused ? -EFAULT : 1);
	if (!refused)
		unpin_user_page(page);
	assert_int_equal(pin_user_pages_fast(A, 1, FOLL_WRITE, &page), 1);
	unpin_user_page(page);
	assert_int_equal(ms_munmap(w.mm, A, PAGE_SIZE), 0);
	ms_linux_close(file);
	__free_page(shown);
	end(&w);
}

static void pages_whose_writes_are_told_are_not_pinned_for_long(void **state)
{
	(void)state;
	written_for_long("5.10.223", false);
	written_for_long("6.1.192", false);
	written_for_long("6.6.9", true);
	written_for_long("6.12.117", true);
	written_for_long("7.3.4", true);
}

/* FOLL_FORCE breaks copy-on-write of what is mapped read-only, and leaves it so. */
static void by_force_a_read_only_page_is_written(const char *release)
{
	struct world w = world(release);
	const u32 seven = 7;
	struct page *page;
	u32 value = 0;

	anonymous(&w, A, 1, MS_PROT_R);
	assert_int_equal(pin_user_pages_fast(A, 1, FOLL_WRITE, &page), -EFAULT);
	assert_int_equal(access_process_vm(current, A, (void *)&seven, 4, FOLL_WRITE), 0);
	assert_int_equal(access_process_vm(current, A, (void *)&seven, 4, FOLL_WRITE | FOLL_FORCE),
			 4);
	assert_int_equal(access_process_vm(current, A, &value, 4, 0), 4);
	assert_int_equal(value, 7);
	assert_false(writable_at(w.mm, A));
	assert_int_equal(ms_violations(w.m), 0);
	end(&w);
}
KERNELS(by_force_a_read_only_page_is_written)

static unsigned int flags_seen;

static vm_fault_t noting_fault(struct vm_fault *vmf)
{
	flags_seen = vmf->flags;
	return page_fault(vmf);
}

static int noting_mmap(struct file *file, struct vm_area_struct *vma)
{
	static const struct vm_operations_struct ops = { .fault = noting_fault };

	(void)file;
	vma->vm_ops = &ops;
	return 0;
}

static void another_process_is_remote(const char *release)
{
	static const struct file_operations fops = { .mmap = noting_mmap };
	struct world w = world(release);
	struct file *file = ms_linux_file(w.m, &fops, O_RDWR, NULL);
	struct page *page;
	int locked = 1;

	shown = alloc_page(GFP_KERNEL);
	assert_int_equal(ms_mmap(w.mm, A, 2 * PAGE_SIZE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED,
				 file, 0),
			 A);
	mmap_read_lock(w.mm);
	assert_int_equal(get_user_pages_remote(w.mm, A, 1, FOLL_WRITE, &page, NULL, &locked), 1);
	mmap_read_unlock(w.mm);
	assert_true(flags_seen & FAULT_FLAG_REMOTE);
	assert_true(flags_seen & FAULT_FLAG_WRITE);
	put_page(page);
	ms_linux_as(w.mm);
	assert_int_equal(get_user_pages_unlocked(A + PAGE_SIZE, 1, &page, 0), 1);
	assert_false(flags_seen & FAULT_FLAG_REMOTE);
	put_page(page);
	// without the lock, and with it where it is taken
	get_user_pages(A, 1, 0, &page, NULL);
	put_page(page);
	assert_int_equal(ms_violations(w.m), 1);
	mmap_read_lock(w.mm);
	assert_int_equal(pin_user_pages_fast(A, 1, 0, &page), -EFAULT);
	mmap_read_unlock(w.mm);
	assert_int_equal(ms_violations(w.m), 2);
	assert_int_equal(ms_munmap(w.mm, A, 2 * PAGE_SIZE), 0);
	ms_linux_close(file);
	__free_page(shown);
	end(&w);
}
KERNELS(another_process_is_remote)

/* ---- fork ---- */

/* The child gets a copy of a page that may be pinned; the parent goes on to write to its own. */
static void a_fork_copies_a_pinned_page_at_once(const char *release)
{
	struct world w = world(release);
	struct mm_struct *child;
	struct page *page;
	u32 value = 0;

	anonymous(&w, A, 2, MS_PROT_RW);
	assert_int_equal(ms_linux_store(w.mm, A, &(u32){ 1 }, 4), 0);
	assert_int_equal(ms_linux_store(w.mm, A + PAGE_SIZE, &(u32){ 2 }, 4), 0);
	assert_int_equal(pin_user_pages_fast(A, 1, FOLL_WRITE, &page), 1);
	child = ms_fork(w.mm);
	assert_non_null(child);
	assert_int_equal(pfn_at(w.mm, A), page_to_pfn(page));
	assert_true(writable_at(w.mm, A));
	assert_int_not_equal(pfn_at(child, A), pfn_at(w.mm, A));
	assert_true(writable_at(child, A));
	assert_int_equal(pfn_at(child, A + PAGE_SIZE), pfn_at(w.mm, A + PAGE_SIZE));
	assert_false(writable_at(w.mm, A + PAGE_SIZE));
	assert_int_equal(ms_linux_store(w.mm, A, &(u32){ 3 }, 4), 0);
	assert_int_equal(*(u32 *)page_address(page), 3);
	ms_linux_load(child, &value, A, 4);
	assert_int_equal(value, 1);
	unpin_user_page(page);
	assert_int_equal(ms_violations(w.m), 0);
	end(&w);
}
KERNELS(a_fork_copies_a_pinned_page_at_once)

/* A reference is no pin: the next write goes to a copy, and the driver keeps the old page. */
static void a_fork_shares_a_page_with_a_reference(const char *release)
{
	struct world w = world(release);
	struct page *page;

	anonymous(&w, A, 1, MS_PROT_RW);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(get_user_pages_fast(A, 1, FOLL_WRITE, &page), 1);
	assert_non_null(ms_fork(w.mm));
	assert_false(writable_at(w.mm, A));
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_int_not_equal(pfn_at(w.mm, A), page_to_pfn(page));
	put_page(page);
	end(&w);
}
KERNELS(a_fork_shares_a_page_with_a_reference)

/* After a fork the page is shared. From 5.19 on it is copied before it is pinned for reading, so
 * that the process's next write does not take it away from the driver. */
static void pinned_for_reading_after_a_fork(const char *release, bool copied)
{
	struct world w = world(release);
	unsigned long before;
	struct page *page;

	anonymous(&w, A, 1, MS_PROT_RW);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	before = pfn_at(w.mm, A);
	assert_non_null(ms_fork(w.mm));
	assert_int_equal(pin_user_pages_fast(A, 1, 0, &page), 1);
	assert_int_equal(page_to_pfn(page) != before, copied);
	assert_int_equal(pfn_at(w.mm, A), page_to_pfn(page));
	assert_false(writable_at(w.mm, A));
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(pfn_at(w.mm, A) == page_to_pfn(page), copied);
	unpin_user_page(page);
	assert_int_equal(ms_violations(w.m), 0);
	end(&w);
}

static void a_shared_page_is_copied_before_it_is_pinned(void **state)
{
	(void)state;
	pinned_for_reading_after_a_fork("5.10.223", false);
	pinned_for_reading_after_a_fork("5.15.100", false);
	pinned_for_reading_after_a_fork("6.1.192", true);
	pinned_for_reading_after_a_fork("6.12.117", true);
	pinned_for_reading_after_a_fork("7.3.4", true);
}

/* A page of a file in a private mapping, pinned for reading and for long. */
static void pinned_for_long_in_a_private_mapping(const char *release, bool copied)
{
	struct world w = world(release);
	struct ms_file *file = ms_memfd_new(w.m, PAGE_SIZE);
	unsigned long before;
	struct page *page;

	ms_linux_as(w.mm);
	assert_int_equal(ms_mmap(w.mm, A, PAGE_SIZE, MS_PROT_RW, MS_MAP_PRIVATE | MS_MAP_FIXED,
				 file, 0),
			 A);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	before = pfn_at(w.mm, A);
	assert_int_equal(pin_user_pages_fast(A, 1, 0, &page), 1);
	assert_int_equal(page_to_pfn(page), before);
	unpin_user_page(page);
	assert_int_equal(pin_user_pages_fast(A, 1, FOLL_LONGTERM, &page), 1);
	assert_int_equal(page_to_pfn(page) != before, copied);
	unpin_user_page(page);
	ms_file_put(file);
	end(&w);
}

static void a_file_page_is_copied_before_it_is_pinned_for_long(void **state)
{
	(void)state;
	pinned_for_long_in_a_private_mapping("5.10.223", false);
	pinned_for_long_in_a_private_mapping("6.1.192", false);
	pinned_for_long_in_a_private_mapping("6.6.9", true);
	pinned_for_long_in_a_private_mapping("7.3.4", true);
}

/* A huge page is split, and its pages are copied one by one. */
static void a_fork_copies_a_pinned_huge_page(const char *release)
{
	struct world w = world(release);
	struct mm_struct *child;
	struct ms_host_leaf leaf;
	struct page *page;

	anonymous(&w, A, 512, MS_PROT_RW);
	assert_int_equal(ms_madvise(w.mm, A, SZ_2M, MS_MADV_HUGEPAGE), 0);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_true(ms_host_leaf(w.mm, A, &leaf));
	assert_int_equal(leaf.size, SZ_2M);
	assert_int_equal(pin_user_pages_fast(A + 3 * PAGE_SIZE, 1, FOLL_WRITE, &page), 1);
	assert_true(page_maybe_dma_pinned(page));
	child = ms_fork(w.mm);
	assert_non_null(child);
	assert_true(ms_host_leaf(w.mm, A, &leaf));
	assert_int_equal(leaf.size, PAGE_SIZE);
	assert_int_equal(pfn_at(w.mm, A + 3 * PAGE_SIZE), page_to_pfn(page));
	assert_true(writable_at(w.mm, A + 3 * PAGE_SIZE));
	assert_int_not_equal(pfn_at(child, A + 3 * PAGE_SIZE), page_to_pfn(page));
	unpin_user_page(page);
	assert_false(page_maybe_dma_pinned(page));
	end(&w);
}
KERNELS(a_fork_copies_a_pinned_huge_page)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TESTS(a_pin_counts_as_many_references),
		TESTS(a_pinned_page_outlives_its_mapping),
		TESTS(what_is_given_back_wrongly_is_told),
		TESTS(raw_pfns_are_not_pinned),
		cmocka_unit_test(pages_whose_writes_are_told_are_not_pinned_for_long),
		TESTS(by_force_a_read_only_page_is_written),
		TESTS(another_process_is_remote),
		TESTS(a_fork_copies_a_pinned_page_at_once),
		TESTS(a_fork_shares_a_page_with_a_reference),
		cmocka_unit_test(a_shared_page_is_copied_before_it_is_pinned),
		cmocka_unit_test(a_file_page_is_copied_before_it_is_pinned_for_long),
		TESTS(a_fork_copies_a_pinned_huge_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
