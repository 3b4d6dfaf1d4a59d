/* SPDX-License-Identifier: GPL-2.0-only */
/* Faults as a handler sees them: its page, the flags, another try, and what never ends. */
#include "world.h"

static struct {
	struct page *page, *seen;
	unsigned int flags[16], calls;
	unsigned int retries; // so many faults are answered with VM_FAULT_RETRY
	bool keeps_lock;
	vm_fault_t answer;
	const struct vm_operations_struct *ops;
} driver;

static int do_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = driver.ops;
	return 0;
}

static const struct file_operations fops = { .mmap = do_mmap };

static struct world begin(const struct ms_policy *policy, const struct vm_operations_struct *ops)
{
	struct world w = world_of(policy);

	memset(&driver, 0, sizeof(driver));
	driver.ops = ops;
	driver.page = alloc_page(GFP_KERNEL);
	assert_int_equal(map(&w, A, 4, ms_linux_file(w.m, &fops, O_RDWR, NULL)), A);
	return w;
}

static void end(struct world *w)
{
	ms_munmap(w->mm, A, 4 * PAGE_SIZE);
	driver.page->mapping = NULL;
	put_page(driver.page);
	assert_int_equal(ms_linux_allocated(w->m), 0);
	world_end(w);
}

static void note(const struct vm_fault *vmf)
{
	driver.flags[driver.calls++ % 16] = vmf->flags;
}

static vm_fault_t give_page(struct vm_fault *vmf)
{
	note(vmf);
	get_page(driver.page);
	vmf->page = driver.page;
	return driver.answer;
}

static const struct vm_operations_struct page_ops = { .fault = give_page };

static void a_page_of_kmalloc_is_no_answer_of_a_fault_handler(void **state)
{
	struct world w = begin(ms_policy_linux("6.12.117", MS_ARCH_ARM64), &page_ops);
	struct page *page = driver.page;
	void *small = kmalloc(64, GFP_KERNEL);

	(void)state;
	driver.page = virt_to_page(small);
	ms_touch(w.mm, A, MS_PROT_R);
	assert_string_equal(violation(&w, 0), "fault handler gives a page of a slab (kmalloc)");
	driver.page = page;
	ms_munmap(w.mm, A, PAGE_SIZE);
	kfree(small);
	end(&w);
}

/* ---- page_mkwrite ---- */

static vm_fault_t page_mkwrite(struct vm_fault *vmf)
{
	note(vmf);
	driver.seen = vmf->page;
	if (driver.answer & VM_FAULT_LOCKED)
		lock_page(vmf->page);
	return driver.answer;
}

static const struct vm_operations_struct mkwrite_ops = {
	.fault = give_page,
	.page_mkwrite = page_mkwrite,
};

static void page_mkwrite_sees_the_page_that_a_read_has_mapped(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct world w = begin(k, &mkwrite_ops);
		struct address_space mapping;

		driver.page->mapping = &mapping;
		assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
		assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
		assert_ptr_equal(driver.seen, driver.page);
		assert_int_equal(driver.calls, 2);
		assert_int_equal(driver.flags[1], FAULT_FLAG_WRITE | FAULT_FLAG_MKWRITE);
		assert_int_equal(page_mapcount(driver.page), 1);
		assert_int_equal(page_count(driver.page), 2);
		assert_int_equal(ms_violations(w.m), 0);
		end(&w);
	}
}

/* fb_defio and perf set it; a driver that forgets it hangs the first process that writes. */
static void without_a_mapping_a_write_never_ends(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = begin(k, &mkwrite_ops);
		const char *why = "page_mkwrite answers 0, and page->mapping is not set: the write "
				  "faults for ever";

		assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
		assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_ENDLESS);
		assert_string_equal(violation(&w, 0), why);
		assert_int_equal(ms_touch(w.mm, A + PAGE_SIZE, MS_PROT_W), MS_ACCESS_ENDLESS);
		assert_int_equal(ms_violations(w.m), 2);
		end(&w);
	}
}

static void a_page_that_page_mkwrite_has_locked_needs_no_mapping(void **state)
{
	struct world w = begin(ms_policy_linux("6.12.117", MS_ARCH_X86_64), &mkwrite_ops);

	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	driver.answer = VM_FAULT_LOCKED;
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_false(PageLocked(driver.page));
	assert_int_equal(ms_violations(w.m), 0);
	end(&w);
}

static vm_fault_t lock_and_forget(struct vm_fault *vmf)
{
	lock_page(driver.page);
	return give_page(vmf);
}

static void a_page_that_is_locked_and_not_said_to_be_is_found(void **state)
{
	static const struct vm_operations_struct ops = { .fault = lock_and_forget };
	struct world w = begin(ms_policy_linux("6.12.117", MS_ARCH_X86_64), &ops);

	ms_touch(w.mm, A, MS_PROT_R);
	assert_string_equal(violation(&w, 0),
			    "fault handler gives a page that is locked, and does not say "
			    "VM_FAULT_LOCKED: the kernel waits for ever");
	driver.answer = VM_FAULT_LOCKED;
	assert_int_equal(ms_touch(w.mm, A + PAGE_SIZE, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_violations(w.m), 1);
	end(&w);
}

/* ---- flags ---- */


#define RETRY_FLAGS (FAULT_FLAG_ALLOW_RETRY | FAULT_FLAG_KILLABLE)

static void a_handler_sees_who_faults(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct world w = begin(k, &page_ops);
		ms_pfn_t pfn;

		ms_touch(w.mm, A, MS_PROT_R);
		assert_int_equal(driver.flags[0], FAULT_FLAG_USER | FAULT_FLAG_DEFAULT);
		ms_touch(w.mm, A + PAGE_SIZE, MS_PROT_W);
		assert_int_equal(driver.flags[1],
				 FAULT_FLAG_USER | FAULT_FLAG_DEFAULT | FAULT_FLAG_WRITE);
		assert_int_equal(ms_get_user_page(w.mm, A + 2 * PAGE_SIZE, true, &pfn, NULL), 0);
		assert_int_equal(driver.flags[2], RETRY_FLAGS | FAULT_FLAG_WRITE);
		assert_int_equal(ms_fixup_user_fault(w.mm, A + 3 * PAGE_SIZE, false), 0);
		assert_int_equal(driver.flags[3], RETRY_FLAGS);
		assert_int_equal(driver.calls, 4);
		assert_int_equal(ms_violations(w.m), 0);
		end(&w);
	}
}

static void a_fetch_is_an_instruction_fault(void **state)
{
	struct world w = begin(ms_policy_linux("6.12.117", MS_ARCH_ARM64), &page_ops);

	assert_int_equal(ms_mprotect(w.mm, A, PAGE_SIZE, MS_PROT_R | MS_PROT_X), 0);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_X), MS_ACCESS_OK);
	assert_int_equal(driver.flags[0],
			 FAULT_FLAG_USER | FAULT_FLAG_DEFAULT | FAULT_FLAG_INSTRUCTION);
	end(&w);
}

/* ---- another try ---- */

static vm_fault_t retry(struct vm_fault *vmf)
{
	if (driver.calls >= driver.retries)
		return give_page(vmf);
	note(vmf);
	if (!driver.keeps_lock)
		mmap_read_unlock(vmf->vma->vm_mm);
	return VM_FAULT_RETRY;
}

static const struct vm_operations_struct retry_ops = { .fault = retry };

static void a_fault_is_tried_again_and_says_so(void **state)
{
	struct world w = begin(ms_policy_linux("6.12.117", MS_ARCH_X86_64), &retry_ops);
	ms_pfn_t pfn;

	driver.retries = 2;
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(driver.calls, 3);
	assert_true(fault_flag_allow_retry_first(driver.flags[0]));
	assert_false(fault_flag_allow_retry_first(driver.flags[1]));
	assert_int_equal(driver.flags[2], FAULT_FLAG_USER | FAULT_FLAG_DEFAULT | FAULT_FLAG_TRIED);
	driver.calls = 0;
	assert_int_equal(ms_get_user_page(w.mm, A + PAGE_SIZE, false, &pfn, NULL), 0);
	assert_int_equal(driver.flags[1], RETRY_FLAGS | FAULT_FLAG_TRIED);
	driver.calls = 0;
	assert_int_equal(ms_fixup_user_fault(w.mm, A + 2 * PAGE_SIZE, false), 0);
	assert_int_equal(driver.calls, 3);
	assert_int_equal(ms_violations(w.m), 0);
	end(&w);
}

static void a_handler_that_never_stops_asking_is_told(void **state)
{
	struct world w = begin(ms_policy_linux("6.12.117", MS_ARCH_X86_64), &retry_ops);
	const char *why = "fault handler answers VM_FAULT_RETRY without end";
	ms_pfn_t pfn;

	driver.retries = 1000;
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_ENDLESS);
	assert_string_equal(violation(&w, 0), why);
	assert_int_equal(ms_get_user_page(w.mm, A, false, &pfn, NULL), -EFAULT);
	assert_int_equal(ms_fixup_user_fault(w.mm, A, false), -EFAULT);
	assert_int_equal(ms_violations(w.m), 3);
	end(&w);
}

static void the_mmap_lock_is_dropped_before_another_try(void **state)
{
	struct world w = begin(ms_policy_linux("6.12.117", MS_ARCH_X86_64), &retry_ops);

	driver.retries = 1;
	driver.keeps_lock = true;
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_violations(w.m), 1);
	assert_string_equal(violation(&w, 0),
			    "VM_FAULT_RETRY while the mmap lock is still held: nobody releases it");
	end(&w);
}

static vm_fault_t install_nothing(struct vm_fault *vmf)
{
	note(vmf);
	return VM_FAULT_NOPAGE;
}

static void nopage_without_an_entry_never_ends(void **state)
{
	static const struct vm_operations_struct ops = { .fault = install_nothing };
	struct world w = begin(ms_policy_linux("6.12.117", MS_ARCH_X86_64), &ops);

	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_ENDLESS);
	assert_string_equal(violation(&w, 0), "fault handler claims success and installs nothing");
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_of_kmalloc_is_no_answer_of_a_fault_handler),
		cmocka_unit_test(page_mkwrite_sees_the_page_that_a_read_has_mapped),
		cmocka_unit_test(without_a_mapping_a_write_never_ends),
		cmocka_unit_test(a_page_that_page_mkwrite_has_locked_needs_no_mapping),
		cmocka_unit_test(a_page_that_is_locked_and_not_said_to_be_is_found),
		cmocka_unit_test(a_handler_sees_who_faults),
		cmocka_unit_test(a_fetch_is_an_instruction_fault),
		cmocka_unit_test(a_fault_is_tried_again_and_says_so),
		cmocka_unit_test(a_handler_that_never_stops_asking_is_told),
		cmocka_unit_test(the_mmap_lock_is_dropped_before_another_try),
		cmocka_unit_test(nopage_without_an_entry_never_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
