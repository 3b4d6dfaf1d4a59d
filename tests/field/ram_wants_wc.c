/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * jovanbulck/sgx-step, issue 7; projectceladon/vendor-intel-utils, PR 1347: "x86/PAT: ... map pfn
 * RAM range req write-combining for [mem ...], got write-back".
 *
 * A driver hands out pages of RAM with pgprot_writecombine() or pgprot_noncached(). On x86 pages of
 * RAM have a type of their own, which set_memory_wc() would change and remap_pfn_range() does not:
 * the mapping's type is forced back to it, with this message, and nobody fails.
 */
#include "field.h"

struct heap {
	struct page *page;
	pgprot_t (*prot)(pgprot_t prot);
};

static pgprot_t writecombine(pgprot_t prot)
{
	return pgprot_writecombine(prot);
}

static pgprot_t noncached(pgprot_t prot)
{
	return pgprot_noncached(prot);
}

static int heap_mmap(struct file *file, struct vm_area_struct *vma)
{
	const struct heap *heap = file->private_data;

	vma->vm_page_prot = heap->prot(vma->vm_page_prot);
	return remap_pfn_range(vma, vma->vm_start, page_to_pfn(heap->page),
			       vma->vm_end - vma->vm_start, vma->vm_page_prot);
}

/* ---- tests ---- */

/* The type of the process's entry; *said: whether the kernel has complained of the range. */
static enum ms_cache mapped_type(const char *release, enum ms_arch arch,
				 pgprot_t (*prot)(pgprot_t prot), bool *said)
{
	static const struct file_operations fops = { .mmap = heap_mmap };
	struct ms_machine *m = field_machine(release, arch);
	struct mm_struct *mm = ms_mm_new(m);
	struct heap heap = { .page = alloc_pages(GFP_KERNEL, 2), .prot = prot };
	const struct ms_event *ev;
	struct ms_host_leaf leaf;

	assert_int_equal(field_mmap(mm, 4 * PAGE_SIZE, ms_linux_file(m, &fops, O_RDWR, &heap)), VA);
	assert_int_equal(ms_touch(mm, VA, MS_PROT_W), MS_ACCESS_OK);
	assert_true(ms_host_leaf(mm, VA, &leaf));
	assert_int_equal(leaf.entry & MS_PTE_PA_MASK, page_to_phys(heap.page));
	assert_int_equal(ms_trace_count(m, MS_EV_PAT_RESERVE), 0); // RAM is not on the list
	ev = ms_trace_last(m, MS_EV_LOG);
	*said = ev && strstr(ev->reason, "x86/PAT: map pfn RAM range");
	if (*said) {
		assert_int_equal(ev->addr, page_to_phys(heap.page));
		assert_int_equal(ev->size, 4 * PAGE_SIZE);
	}
	ms_machine_free(m);
	return ms_pgprot_cache(leaf.entry);
}

static void x86_keeps_the_type_of_the_page_and_says_so(void **state)
{
	const struct ms_policy *k;
	bool said;

	for_each_kernel (k, MS_ARCH_X86_64) {
		assert_int_equal(mapped_type(k->release, MS_ARCH_X86_64, writecombine, &said),
				 MS_CACHE_WB);
		assert_true(said);
		assert_int_equal(mapped_type(k->release, MS_ARCH_X86_64, noncached, &said),
				 MS_CACHE_WB);
		assert_true(said);
	}
}

static void arm64_does_as_it_is_told(void **state)
{
	const struct ms_policy *k;
	bool said;

	for_each_kernel (k, MS_ARCH_ARM64) {
		assert_int_equal(mapped_type(k->release, MS_ARCH_ARM64, writecombine, &said),
				 MS_CACHE_WC);
		assert_false(said);
		assert_int_equal(mapped_type(k->release, MS_ARCH_ARM64, noncached, &said),
				 MS_CACHE_NGNRNE);
		assert_false(said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(x86_keeps_the_type_of_the_page_and_says_so),
		cmocka_unit_test(arm64_does_as_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
