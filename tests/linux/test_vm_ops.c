/* SPDX-License-Identifier: GPL-2.0-only */
/* What a driver finds in vma->vm_ops, and what becomes of a VMA whose driver leaves NULL there. */
#include "world.h"

static struct {
	bool found_operations, found_anonymous, set_null;
} seen;

static int look_mmap(struct file *file, struct vm_area_struct *vma)
{
	seen.found_operations = vma->vm_ops;
	seen.found_anonymous = vma_is_anonymous(vma);
	if (seen.set_null)
		vma_set_anonymous(vma);
	return 0;
}

static int look_prepare(struct vm_area_desc *desc)
{
	seen.found_operations = desc->vm_ops;
	if (seen.set_null)
		desc->vm_ops = NULL;
	return 0;
}

static const struct file_operations mmap_fops = { .mmap = look_mmap };
static const struct file_operations prepare_fops = { .mmap_prepare = look_prepare };

static int64_t map_with(struct world *w, const struct file_operations *fops, unsigned int flags)
{
	return ms_mmap(w->mm, A, 2 * PAGE_SIZE, MS_PROT_RW, flags | MS_MAP_FIXED,
		       ms_linux_file(w->m, fops, O_RDWR, NULL), 0);
}

static void a_fresh_file_vma_is_not_anonymous(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		struct world w = world(k->release);

		memset(&seen, 0, sizeof(seen));
		assert_int_equal(map_with(&w, &mmap_fops, MS_MAP_PRIVATE), A);
		assert_true(seen.found_operations);
		assert_false(seen.found_anonymous);
		assert_false(vma_is_anonymous(vma_lookup(w.mm, A)));
		assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
		world_end(&w);
	}
}

/* As /dev/zero does it. */
static void a_private_mapping_without_operations_is_anonymous_memory(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world_of(k);
		struct mm_struct *child;

		memset(&seen, 0, sizeof(seen));
		seen.set_null = true;
		assert_int_equal(map_with(&w, &mmap_fops, MS_MAP_PRIVATE), A);
		assert_true(vma_is_anonymous(vma_lookup(w.mm, A)));
		assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
		assert_true(pfn_valid(PHYS_PFN(pa_of(&w, A))));
		child = ms_fork(w.mm);
		assert_int_equal(ms_touch(child, A, MS_PROT_W), MS_ACCESS_OK);
		assert_int_equal(ms_munmap(w.mm, A, PAGE_SIZE), 0);
		assert_int_equal(ms_violations(w.m), 0);
		world_end(&w);
	}
}

static void a_shared_mapping_without_operations_answers_nobody(void **state)
{
	struct world w = world("6.12.117");

	memset(&seen, 0, sizeof(seen));
	seen.set_null = true;
	assert_int_equal(map_with(&w, &mmap_fops, MS_MAP_SHARED), A);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_SIGBUS);
	assert_string_equal(ms_last_reason(w.m),
			    "a shared mapping without operations, at 0x7e0000000000");
	world_end(&w);
}

static void mmap_prepare_finds_operations_and_may_take_them_away(void **state)
{
	struct world w = world("7.2.13");

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(map_with(&w, &prepare_fops, MS_MAP_PRIVATE), A);
	assert_true(seen.found_operations);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	seen.set_null = true;
	assert_int_equal(map_with(&w, &prepare_fops, MS_MAP_PRIVATE), A);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_W), MS_ACCESS_OK);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fresh_file_vma_is_not_anonymous),
		cmocka_unit_test(a_private_mapping_without_operations_is_anonymous_memory),
		cmocka_unit_test(a_shared_mapping_without_operations_answers_nobody),
		cmocka_unit_test(mmap_prepare_finds_operations_and_may_take_them_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
