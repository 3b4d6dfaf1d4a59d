/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page sizes and address bits that a machine may have. What a process does goes the same way,
 * however many levels its page table has:
 *
 *   pages  bits   top entries
 *   4K     48     512G
 *   4K     39     1G
 *   16K    48 47  128T, 64G
 *   16K    36     32M           there is no PUD
 *   64K    52 48  4T
 *   64K    42     512M          there is no PUD
 */
#include "world.h"

#include <mapsim/drivers.h>

static const struct ms_machine_config geometries[] = {
	{ .page_size = 0x1000, .va_bits = 48 },  { .page_size = 0x1000, .va_bits = 39 },
	{ .page_size = 0x4000, .va_bits = 48 },  { .page_size = 0x4000, .va_bits = 47 },
	{ .page_size = 0x4000, .va_bits = 36 },  { .page_size = 0x10000, .va_bits = 52 },
	{ .page_size = 0x10000, .va_bits = 48 }, { .page_size = 0x10000, .va_bits = 42 },
};

#define AT UINT64_C(0x100000000)
#define TO UINT64_C(0x200000000)

typedef void test_fn(struct world *w, uint64_t page, uint64_t pmd);

/* On each kernel and each geometry; the machine is whole at the end. */
static void in_each(test_fn *test)
{
	const struct ms_policy *k;

	for (size_t i = 0; i < sizeof(geometries) / sizeof(geometries[0]); i++) {
		for_each_kernel (k, MS_ARCH_ARM64) {
			struct ms_machine_config config = geometries[i];
			struct world w;

			config.thp = MS_THP_ALWAYS;
			w = world_config(k, &config);
			assert_int_equal(ms_ram_add(w.m, 4 * MS_1G, 4 * MS_1G), 0);
			test(&w, config.page_size, config.page_size / 8 * config.page_size);
			world_end(&w);
		}
	}
}

static void touches(struct world *w, ms_hva_t addr, unsigned int prot, enum ms_access expected)
{
	assert_int_equal(ms_touch(w->mm, addr, prot), expected);
}

static void pages_of_a_process(struct world *w, uint64_t page, uint64_t pmd)
{
	struct ms_mm *child;

	map_anon(w, AT, 2 * pmd, MS_PROT_RW);
	touches(w, AT + page, MS_PROT_W, MS_ACCESS_OK);
	child = ms_fork(w->mm);
	assert_non_null(child);
	touches(w, AT + page, MS_PROT_W, MS_ACCESS_OK);
	assert_int_equal(ms_touch(child, AT + page, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(
		ms_mremap(w->mm, AT, 2 * pmd, 2 * pmd, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, TO),
		TO);
	touches(w, TO + page, MS_PROT_R, MS_ACCESS_OK);
	assert_int_equal(ms_mprotect(w->mm, TO, 2 * pmd, 0), 0);
	touches(w, TO + page, MS_PROT_R, MS_ACCESS_SIGSEGV);
	assert_int_equal(ms_munmap(w->mm, TO, 2 * pmd), 0);
	ms_mm_exit(child);
}

static void a_process_lives_in_every_geometry(void **state)
{
	in_each(pages_of_a_process);
}

/*
 * The first entry of the top table is a leaf. It is nobody else's: faults elsewhere end.
 *
 *   0          32M                    AT
 *   |-- leaf --|                      |- page -|
 */
static void leaf_at_the_bottom(struct world *w, uint64_t page, uint64_t pmd)
{
	const ms_hva_t low = pmd < MS_1G ? pmd : MS_1G;
	struct ms_device *bar = ms_device_add(w->m, "bar", 64 * MS_1G, 2 * pmd);
	const struct ms_piece whole = { .len = 2 * pmd };
	struct ms_file *file =
		bar ? ms_pieces_open(bar, MS_PIECES_LAZY_HUGE, MS_CACHE_WB, &whole, 1) : NULL;

	assert_non_null(file);
	if (ms_mmap(w->mm, low, 2 * pmd, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, file, 0) < 0)
		return;
	touches(w, low, MS_PROT_W, MS_ACCESS_OK);
	map_anon(w, AT, page, MS_PROT_RW);
	touches(w, AT, MS_PROT_W, MS_ACCESS_OK);
	touches(w, low + pmd, MS_PROT_R, MS_ACCESS_OK);
	assert_int_equal(ms_mprotect(w->mm, low, 2 * pmd, MS_PROT_R), 0);
	touches(w, low, MS_PROT_W, MS_ACCESS_SIGSEGV);
	touches(w, AT, MS_PROT_W, MS_ACCESS_OK);
}

static void a_leaf_at_the_bottom_is_in_nobodys_way(void **state)
{
	in_each(leaf_at_the_bottom);
}

static ms_vm_fault_t insert_pud(struct ms_vm_fault *vmf, unsigned int order)
{
	ms_vm_fault_t ret = ms_vmf_insert_pfn_pud(vmf, 64 * MS_1G / 0x4000, false);

	(void)order;
	assert_int_equal(ret, MS_VM_FAULT_FALLBACK);
	return MS_VM_FAULT_SIGBUS;
}

static int map_raw(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops ops = { .huge_fault = insert_pud };

	(void)file;
	vma->vm_ops = &ops;
	vma->vm_flags |= MS_VM_PFNMAP;
	return 0;
}

static void a_leaf_of_a_level_that_is_not_there_falls_back(void **state)
{
	static const struct ms_file_ops ops = { .mmap = map_raw };
	const struct ms_machine_config config = { .page_size = 0x4000,
						  .va_bits = 36,
						  .thp = MS_THP_ALWAYS };
	struct world w = world_config(ms_policy_linux("7.2.13", MS_ARCH_ARM64), &config);
	struct ms_file *file =
		ms_file_new(w.m, &ops, MS_FMODE_READ | MS_FMODE_WRITE, UINT64_MAX, NULL, NULL);

	assert_int_equal(
		ms_mmap(w.mm, AT, 2 * MS_1G, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, file, 0),
		AT);
	touches(&w, AT, MS_PROT_R, MS_ACCESS_SIGBUS);
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_lives_in_every_geometry),
		cmocka_unit_test(a_leaf_at_the_bottom_is_in_nobodys_way),
		cmocka_unit_test(a_leaf_of_a_level_that_is_not_there_falls_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
