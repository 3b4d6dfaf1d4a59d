// SPDX-License-Identifier: GPL-2.0-only
/* Every operation of an x86 VM, with each of its allocations failing once. */
#include "before.h"

/* ---- what operations find ---- */

static void with_read_only_entries(struct world *w)
{
	with_device_slot(w);
	must(ms_mprotect(w->mm, A, SIZE, MS_PROT_R));
	must(ms_mprotect(w->mm, A, SIZE, MS_PROT_RW));
}

static void with_lazy_slot(struct world *w)
{
	const struct ms_piece whole = { 0, SIZE, 0 };

	w->file = ms_pieces_open(w->bar, MS_PIECES_LAZY, MS_CACHE_WC, &whole, 1);
	assert_non_null(w->file);
	must(map(w, A, SIZE, MS_MAP_SHARED, w->file, 0));
	with_slot_of(w, 0);
}

static void with_two_huge_pages(struct world *w)
{
	with_huge_slot(w);
	assert_int_equal(ms_guest_write(w->vm, GPA + MS_2M).exit, MS_GUEST_OK);
}

static void without_eager_splitting(struct world *w)
{
	ms_kvm_set_eager_page_split(w->m, false);
	with_logged_slot(w);
}

static void with_pages_of_a_log(struct world *w)
{
	with_logged_slot(w);
	assert_int_equal(ms_guest_write(w->vm, GPA).exit, MS_GUEST_OK);
}

static void with_all_dirty(struct world *w)
{
	const struct ms_vm_config config = { .dirty_manual = true, .dirty_initset = true };

	ms_vm_free(w->vm);
	w->vm = ms_vm_new_config(w->mm, &config);
	assert_non_null(w->vm);
	with_logged_slot(w);
}

static void with_nx_huge_pages(struct world *w)
{
	ms_kvm_set_nx_huge_pages(w->m, MS_NX_HUGE_PAGES_FORCE);
}

static void with_nx_block(struct world *w)
{
	with_nx_huge_pages(w);
	with_huge_slot(w);
}

static void with_nx_and_nothing_mapped(struct world *w)
{
	with_nx_huge_pages(w);
	with_huge_anon(w);
	with_slot_of(w, 0);
}

static void with_nx_hugetlb_1g(struct world *w)
{
	struct ms_file *file = ms_memfd_hugetlb_new(w->m, MS_1G, MS_1G);

	with_nx_huge_pages(w);
	assert_non_null(file);
	must(map(w, A, MS_1G, MS_MAP_SHARED, file, 0));
	ms_file_put(file);
	must(ms_vm_set_slot(w->vm, 1, GPA, MS_1G, A, 0));
	assert_int_equal(ms_guest_write(w->vm, GPA).exit, MS_GUEST_OK);
}

static void with_fetched_block(struct world *w)
{
	with_nx_block(w);
	assert_int_equal(ms_guest_exec(w->vm, GPA).exit, MS_GUEST_OK);
}

static void with_table_where_a_block_can_be(struct world *w)
{
	with_pages_for_collapse(w);
	with_slot_of(w, 0);
	assert_int_equal(ms_guest_write(w->vm, GPA).exit, MS_GUEST_OK);
	// kernels before 6.1 have no MADV_COLLAPSE: there the pages stay
	ms_madvise(w->mm, A, MS_2M, MS_MADV_COLLAPSE);
}

/* ---- operations ---- */

static int64_t vm_create(struct world *w)
{
	return ms_vm_new_config(w->mm, NULL) ? 0 : -errno;
}

static int64_t set_slot(struct world *w)
{
	return ms_vm_set_slot(w->vm, 1, GPA, SIZE, A, 0);
}

static int64_t set_slot_logged(struct world *w)
{
	return ms_vm_set_slot(w->vm, 1, GPA, SIZE, A, MS_SLOT_LOG_DIRTY);
}

static int64_t move_slot(struct world *w)
{
	return ms_vm_set_slot(w->vm, 1, GPA + SIZE, SIZE, A, 0);
}

static int64_t delete_slot(struct world *w)
{
	return ms_vm_set_slot(w->vm, 1, GPA, 0, A, 0);
}

static int64_t guest_at(struct world *w, ms_ipa_t gpa, unsigned int prot)
{
	const struct ms_guest_access access = ms_guest_touch(w->vm, gpa, prot);

	return access.exit == MS_GUEST_ERROR ? access.err : (int64_t)access.exit;
}

static int64_t guest_read(struct world *w)
{
	return guest_at(w, GPA, MS_PROT_R);
}

static int64_t guest_write(struct world *w)
{
	return guest_at(w, GPA, MS_PROT_W);
}

static int64_t guest_exec(struct world *w)
{
	return guest_at(w, GPA + PAGE, MS_PROT_X);
}

static int64_t guest_mmio(struct world *w)
{
	return guest_at(w, 4 * GPA, MS_PROT_R);
}

/* It answers 0 when a part was done. */
static int64_t prefault(struct world *w)
{
	return ms_vm_prefault(w->vm, GPA, SIZE, NULL);
}

static int64_t prefault_page(struct world *w)
{
	return ms_vm_prefault(w->vm, GPA, PAGE, NULL);
}

static int64_t get_dirty(struct world *w)
{
	uint64_t bitmap[SIZE / PAGE / 64];

	return ms_vm_get_dirty(w->vm, 1, bitmap, SIZE / PAGE / 64, NULL);
}

static int64_t clear_dirty(struct world *w)
{
	return ms_vm_clear_dirty(w->vm, 1, 0, SIZE / PAGE);
}

static int64_t recover(struct world *w)
{
	ms_kvm_recover_nx_huge_pages(w->m);
	return 0;
}

static int64_t change_parameter(struct world *w)
{
	ms_kvm_set_nx_huge_pages(w->m, MS_NX_HUGE_PAGES_FORCE);
	return 0;
}

static int64_t munmap_middle(struct world *w)
{
	return ms_munmap(w->mm, A + PAGE, PAGE);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct operation operations[] = {
	{ "ms_vm_new_config", NULL, vm_create },
	{ "memslot of RAM", with_anon_pages, set_slot },
	{ "memslot of a device", with_device, set_slot },
	{ "memslot with a log", with_huge_anon, set_slot_logged },
	// blocks for whose tables there is no memory stay, protected
	{ "log of a memslot", with_two_huge_pages, set_slot_logged, { 0 }, true },
	{ "log off", with_pages_of_a_log, set_slot },
	{ "memslot moves", with_device_slot, move_slot },
	{ "memslot goes", with_two_huge_pages, delete_slot },
	{ "guest reads RAM", with_ram_slot, guest_read, { -EFAULT } },
	{ "guest writes RAM", with_ram_slot, guest_write, { -EFAULT } },
	{ "guest writes a logged page", with_logged_slot, guest_write, { -EFAULT } },
	{ "guest writes a logged huge page", without_eager_splitting, guest_write, { -EFAULT } },
	{ "guest reads a device", with_device_slot, guest_read, { -EFAULT } },
	{ "guest reads a lazy device", with_lazy_slot, guest_read, { -EFAULT } },
	{ "guest writes a read-only entry",
	  with_read_only_entries,
	  guest_write,
	  { -EFAULT, MS_GUEST_MMIO } },
	{ "guest fetches from a block", with_nx_block, guest_exec, { -EFAULT } },
	{ "guest fetches from a block of 1G", with_nx_hugetlb_1g, guest_exec, { -EFAULT } },
	{ "guest fetches first", with_nx_and_nothing_mapped, guest_exec, { -EFAULT } },
	{ "guest writes where it fetched", with_fetched_block, guest_write, { -EFAULT } },
	{ "guest writes where a table is",
	  with_table_where_a_block_can_be,
	  guest_write,
	  { -EFAULT } },
	{ "guest reaches nothing", NULL, guest_mmio },
	{ "prefault", with_ram_slot, prefault_page, { -EFAULT }, .not_everywhere = true },
	{ "prefault of a device",
	  with_device_slot,
	  prefault_page,
	  { -EFAULT },
	  .not_everywhere = true },
	{ "prefault of blocks",
	  with_nx_and_nothing_mapped,
	  prefault,
	  { -EFAULT },
	  true,
	  .not_everywhere = true },
	{ "prefault of much", with_ram_slot, prefault, { -EFAULT }, true, .not_everywhere = true },
	{ "KVM_GET_DIRTY_LOG", with_pages_of_a_log, get_dirty },
	{ "KVM_CLEAR_DIRTY_LOG", with_all_dirty, clear_dirty, { 0 }, true },
	{ "nx_huge_pages", with_two_huge_pages, change_parameter },
	{ "recovery of huge pages", with_fetched_block, recover },
	{ "munmap under a guest's block", with_two_huge_pages, munmap_middle },
};

static void each_allocation_of_an_x86_vm_may_fail(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		const struct kernel kernel = { k->release, MS_ARCH_X86_64 };
		size_t failed = 0;

		for (size_t i = 0; i < COUNT(operations); i++)
			failed += fail_each_allocation(&kernel, &operations[i]);
		assert_true(failed > 30);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_allocation_of_an_x86_vm_may_fail),
	};

	return cmocka_run_group_tests_name("oom_x86_guest", tests, NULL, NULL);
}
