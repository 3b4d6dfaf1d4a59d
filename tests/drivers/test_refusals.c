/* SPDX-License-Identifier: GPL-2.0-only */
/* What the ready-made drivers refuse, and the words in which they say why. */
#include "world.h"

#define PAGE MS_4K
#define OFF_2 (UINT64_C(2) << 40)

static void assert_why(struct ms_machine *m, int err, const char *words)
{
	assert_int_equal(ms_last_refusal(m).err, err);
	assert_string_equal(ms_last_reason(m), words);
}

static void assert_not_open(struct ms_machine *m, const struct ms_file *file, int err,
			    const char *words)
{
	assert_null(file);
	assert_int_equal(errno, -err);
	assert_why(m, err, words);
}

/* Each allocation of an open fails once. */
#define assert_opens_or_says_no_memory(m, open) \
	do { \
		uint64_t n = 0; \
		do { \
			ms_machine_fail_alloc((m), ++n); \
			errno = 0; \
			if (open) \
				break; \
			assert_int_equal(errno, ENOMEM); \
			assert_why((m), -ENOMEM, "no memory"); \
		} while (n < 10); \
		ms_machine_fail_alloc((m), 0); \
		assert_in_range(n, 2, 9); \
	} while (0)

/* ---- claims ---- */

static void a_claim_is_refused_with_what_is_in_the_way(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);

	bar_b(m);
	assert_int_equal(ms_ram_add(m, MS_1G, MS_2M), 0);
	assert_int_equal(ms_iomem_claim(m, B_PA, 0), -EBUSY);
	assert_why(m, -EBUSY, "0x0 bytes at 0xfd000000 are none, or wrap around");
	assert_int_equal(ms_iomem_claim(m, MS_1G + PAGE, PAGE), -EBUSY);
	assert_why(m, -EBUSY, "0x40001000-0x40002000: System RAM is in it");
	assert_int_equal(ms_iomem_claim(m, B_PA + PAGE, B_SIZE), -EBUSY);
	assert_why(m, -EBUSY,
		   "0xfd001000-0xfd005000 crosses a border of device b (0xfd000000-0xfd004000)");
	assert_int_equal(ms_iomem_release(m, B_PA, PAGE), -EINVAL);
	assert_why(m, -EINVAL, "nothing is claimed in the 0x1000 bytes at 0xfd000000");
	ms_machine_fail_alloc(m, 1);
	assert_int_equal(ms_iomem_claim(m, B_PA, PAGE), -ENOMEM);
	assert_why(m, -ENOMEM, "no memory");

	assert_int_equal(ms_iomem_claim(m, B_PA, 2 * PAGE), 0);
	assert_int_equal(ms_iomem_claim(m, B_PA + PAGE, 2 * PAGE), -EBUSY);
	assert_why(m, -EBUSY, "0xfd001000-0xfd003000: 0xfd000000-0xfd002000 is claimed");
	assert_int_equal(ms_iomem_release(m, B_PA, PAGE), -EINVAL);
	assert_why(m, -EINVAL, "no claim is 0xfd000000-0xfd001000, one is 0xfd000000-0xfd002000");
	machine_end(m);
}

/* ---- sysfs ---- */

static void a_file_of_sysfs_says_why(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_device *b = bar_b(m);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file;

	ms_device_set_prefetchable(b, false);
	assert_not_open(m, ms_pci_resource_wc(b), -ENOENT,
			"no resource_wc: BAR b is not prefetchable");
	assert_opens_or_says_no_memory(m, (file = ms_pci_resource(b)));
	assert_int_equal(map(mm, A, 4 * PAGE, file, PAGE), -EINVAL);
	assert_why(m, -EINVAL, "4 pages from page 1 on reach beyond BAR b of 4 pages");
	assert_int_equal(map(mm, A, PAGE, file, 0), A);
	// a claim takes the mapping away
	assert_int_equal(ms_iomem_claim(m, B_PA, B_SIZE), 0);
	assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_why(m, -EFAULT,
		   "0x7e0000000000: a file of sysfs has no fault handler that would map it again");
	assert_int_equal(map(mm, A, PAGE, file, 0), -EINVAL);
	assert_why(m, -EINVAL, "0xfd000000-0xfd001000: 0xfd000000-0xfd004000 is claimed");
	machine_end(m);
}

static void punch(enum ms_policy_madv_remove_sysfs rule, int err, const char *words)
{
	struct ms_policy policy = *ms_policy_linux("6.12.107", MS_ARCH_X86_64);
	struct ms_machine *m;
	struct ms_mm *mm;

	policy.madv_remove_sysfs = rule;
	m = ms_machine_new(&policy);
	mm = ms_mm_new(m);
	assert_int_equal(map(mm, A, PAGE, ms_pci_resource(bar_b(m)), 0), A);
	assert_int_equal(ms_madvise(mm, A, PAGE, MS_MADV_REMOVE), err);
	assert_why(m, err, words);
	machine_end(m);
}

static void a_hole_in_a_file_of_sysfs_is_refused(void **state)
{
	punch(MS_MADV_REMOVE_SYSFS_EFBIG, -EFBIG,
	      "0x1000 bytes at 0xfd000000 reach beyond the largest file, 0x7fffffff");
	punch(MS_MADV_REMOVE_SYSFS_EOPNOTSUPP, -EOPNOTSUPP, "a file of sysfs has no fallocate");
}

static void without_the_pat_there_is_no_write_combining_file(void **state)
{
	const struct ms_machine_config config = { .pat = MS_FEATURE_ABSENT };
	struct ms_machine *m =
		ms_machine_new_config(ms_policy_linux("6.12.107", MS_ARCH_X86_64), &config);

	assert_not_open(m, ms_pci_resource_open(bar_b(m), true, MS_FMODE_READ), -ENOENT,
			"no resource_wc: the PAT is off");
	machine_end(m);
}

/* ---- /dev/mem ---- */

static void devmem_says_why(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file;

	bar_b(m);
	assert_int_equal(ms_ram_add(m, MS_1G, MS_2M), 0);
	assert_opens_or_says_no_memory(m, (file = ms_devmem_open(m, true)));
	assert_int_equal(map(mm, A, PAGE, file, UINT64_C(1) << 46), -EINVAL);
	assert_why(m, -EINVAL,
		   "0x1000 bytes at 0x400000000000 reach beyond 46 physical address bits");
	assert_int_equal(map(mm, A, PAGE, file, MS_1G), -EPERM);
	assert_why(m, -EPERM, "0x40000000-0x40001000: System RAM is in it");
	assert_int_equal(ms_iomem_claim(m, B_PA, PAGE), 0);
	assert_int_equal(map(mm, A, PAGE, file, B_PA), -EPERM);
	assert_why(m, -EPERM, "0xfd000000-0xfd001000: 0xfd000000-0xfd001000 is claimed");
	assert_int_equal(ms_madvise(mm, A, PAGE, MS_MADV_REMOVE), -ENOMEM);
	ms_iomem_set_strict(m, MS_IOMEM_OPEN);
	assert_int_equal(map(mm, A, PAGE, file, MS_1G), -EINVAL);
	assert_why(m, -EINVAL, "0x40000000-0x40001000: System RAM is in it");
	// the memtype's reason, with /dev/mem's errno
	assert_int_equal(ms_memtype_reserve(m, B_PA, B_PA + PAGE, MS_CACHE_WC, NULL), 0);
	assert_int_equal(ms_memtype_reserve(m, B_PA + PAGE, B_PA + 2 * PAGE, MS_CACHE_WT, NULL), 0);
	assert_int_equal(map(mm, A, 2 * PAGE, file, B_PA), -EAGAIN);
	assert_why(m, -EAGAIN,
		   "0xfd000000-0xfd001000 is reserved as WC and 0xfd001000-0xfd002000 as WT");
	assert_int_equal(map(mm, A, PAGE, file, B_PA + 2 * PAGE), A);
	assert_int_equal(ms_madvise(mm, A, PAGE, MS_MADV_REMOVE), -ENODEV);
	assert_why(m, -ENODEV, "a device's file has no holes: it is no regular file");
	machine_end(m);
}

/* ---- vfio ---- */

static void vfio_says_why(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_device *b = bar_b(m), *h = bar_h(m), *other;
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file;

	assert_not_open(m, ms_vfio_open_region(b, 6), -EINVAL,
			"region 6 is no BAR: these are below 6");
	assert_int_equal(ms_vfio_add_bar(b, 6, h), -EINVAL);
	assert_int_equal(ms_vfio_add_bar(b, 0, b), -EINVAL);
	assert_why(m, -EINVAL, "BAR b cannot be another one of its device");
	ms_machine_fail_alloc(m, 1);
	assert_int_equal(ms_vfio_add_bar(b, 0, h), -ENOMEM);
	assert_why(m, -ENOMEM, "no memory");
	assert_int_equal(ms_vfio_add_bar(b, 0, h), 0);
	other = ms_device_add(m, "other", H_PA + H_SIZE, PAGE);
	assert_int_equal(ms_vfio_add_bar(b, 0, other), -EINVAL);
	assert_why(m, -EINVAL, "BAR h is region 0 of b already");

	assert_opens_or_says_no_memory(m, (file = ms_vfio_open(b)));
	assert_not_open(m, ms_vfio_open_region(b, 3), -EBUSY, "BAR b is open as region 2");
	assert_int_equal(ms_vfio_add_bar(b, 1, other), -EINVAL);
	assert_why(m, -EINVAL, "the device of BAR b is open");

	assert_int_equal(ms_mmap(mm, A, PAGE, MS_PROT_R, MS_MAP_PRIVATE, file, OFF_2), -EINVAL);
	assert_why(m, -EINVAL, "vfio maps nothing MAP_PRIVATE");
	assert_int_equal(map(mm, A, PAGE, file, 0), -EINVAL);
	assert_why(m, -EINVAL, "the offset is in region 0, BAR b is region 2");
	assert_int_equal(map(mm, A, B_SIZE, file, OFF_2 + PAGE), -EINVAL);
	assert_why(m, -EINVAL, "0x4000 bytes at 0x1000 of BAR b, which has 0x4000");
	assert_int_equal(ms_iomem_claim(m, B_PA, PAGE), 0);
	assert_int_equal(map(mm, A, PAGE, file, OFF_2), -EBUSY);
	assert_why(m, -EBUSY, "0xfd000000-0xfd004000: 0xfd000000-0xfd001000 is claimed");
	assert_int_equal(ms_iomem_release(m, B_PA, PAGE), 0);

	assert_int_equal(map(mm, A, B_SIZE, file, OFF_2), A);
	assert_int_equal(ms_vfio_set_memory(file, false), 0);
	assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_why(m, -EFAULT, "0x7e0000000000: the memory of device b is turned off");

	assert_int_equal(ms_vfio_set_memory(ms_devmem_open(m, false), false), -ENODEV);
	assert_why(m, -ENODEV, "the file is no vfio device's");
	assert_int_equal(ms_vfio_set_prepopulate(ms_devmem_open(m, false), false), -ENODEV);
	assert_why(m, -ENODEV, "the file is no vfio device's");
	machine_end(m);
}

static void vfio_of_a_bar_without_a_page_or_of_two_machines(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64),
			  *apart = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_device *part = ms_device_add(m, "part", B_PA + 0x800, 0x800);
	struct ms_mm *mm = ms_mm_new(m);

	assert_int_equal(ms_vfio_add_bar(part, 0, bar_b(apart)), -EINVAL);
	assert_why(m, -EINVAL, "the other BAR is of another machine");
	assert_int_equal(map(mm, A, PAGE, ms_vfio_open(part), OFF_2), -EINVAL);
	assert_why(m, -EINVAL,
		   "BAR part has 0x800 bytes, less than a page, and 0xfd000800 does not begin one");
	machine_end(apart);
	machine_end(m);
}

static void a_bar_that_the_open_did_not_get_is_named_at_mmap(void **state)
{
	struct ms_policy policy = *ms_policy_linux("7.2.13", MS_ARCH_X86_64);
	struct ms_machine *m;
	struct ms_mm *mm;

	policy.vfio_bar_claim = MS_VFIO_BAR_CLAIM_DEVICE_OPEN;
	m = ms_machine_new(&policy);
	mm = ms_mm_new(m);
	bar_b(m);
	assert_int_equal(ms_iomem_claim(m, B_PA, PAGE), 0);
	assert_int_equal(map(mm, A, PAGE, ms_vfio_open(ms_device_find(m, "b")), OFF_2), -EBUSY);
	assert_why(m, -EBUSY, "BAR b could not be claimed when its device was opened");
	assert_int_equal(ms_memtype_reserve(m, H_PA, H_PA + PAGE, MS_CACHE_WC, NULL), 0);
	assert_int_equal(ms_memtype_reserve(m, H_PA + PAGE, H_PA + 2 * PAGE, MS_CACHE_WT, NULL), 0);
	assert_int_equal(map(mm, A, PAGE, ms_vfio_open(bar_h(m)), OFF_2), -ENOMEM);
	assert_why(m, -ENOMEM, "BAR h could not be ioremapped when its device was opened");
	machine_end(m);
}

struct asks {
	struct ms_mm *mm;
	struct ms_file *file;
	const char *words;
	unsigned int asked;
};

static void turn_off(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct asks *a = arg;

	(void)point, (void)addr;
	ms_machine_set_hook(m, point, NULL, NULL);
	assert_int_equal(ms_vfio_set_memory(a->file, false), -EBUSY);
	assert_why(m, -EBUSY, a->words);
	a->asked++;
}

static void touch(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct asks *a = arg;

	(void)point, (void)addr;
	ms_machine_set_hook(m, point, NULL, NULL);
	assert_int_equal(ms_touch(a->mm, A, MS_PROT_R), MS_ACCESS_WAITS);
	assert_why(m, -EBUSY, a->words);
	a->asked++;
}

static void a_hook_is_told_which_of_vfio_s_locks_is_held(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct asks a = { .mm = ms_mm_new(m), .file = ms_vfio_open(bar_b(m)) };

	a.words = "device b: a hook asks, and what it interrupted holds memory_lock";
	assert_int_equal(map(a.mm, A, B_SIZE, a.file, OFF_2), A);
	ms_machine_set_hook(m, MS_HOOK_DRIVER_INSERT, turn_off, &a);
	assert_int_equal(ms_touch(a.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(a.asked, 1);
	machine_end(m);

	m = machine("6.1.192", MS_ARCH_X86_64);
	a = (struct asks){ .mm = ms_mm_new(m), .file = ms_vfio_open(bar_b(m)) };
	a.words = "device b: a hook asks, and what it interrupted holds vma_lock";
	assert_int_equal(map(a.mm, A, B_SIZE, a.file, OFF_2), A);
	ms_machine_set_hook(m, MS_HOOK_DRIVER_INSERT, touch, &a);
	assert_int_equal(ms_touch(a.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_vfio_set_memory(a.file, false), 0);
	assert_int_equal(ms_vfio_set_memory(a.file, true), 0);
	ms_machine_set_hook(m, MS_HOOK_DRIVER_INSERT, turn_off, &a);
	assert_int_equal(ms_touch(a.mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(a.asked, 2);
	machine_end(m);
}

/* ---- the piecewise driver, and the lazy one ---- */

static void the_piecewise_driver_says_why(void **state)
{
	const struct ms_piece half = { 0, 0x800, 0 }, far = { 0, PAGE, INT64_C(1) << 52 },
			      second = { PAGE, PAGE, 0 };
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_device *b = bar_b(m);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file;

	assert_not_open(m, ms_pieces_open(b, MS_PIECES_AT_MMAP, MS_CACHE_WB, NULL, 1), -EINVAL,
			"1 pieces, and none is given");
	assert_not_open(m, ms_pieces_open(b, (enum ms_pieces_mode)7, MS_CACHE_WB, NULL, 0), -EINVAL,
			"7 is no enum ms_pieces_mode");
	assert_not_open(m, ms_pieces_open(b, MS_PIECES_AT_MMAP, MS_CACHE_NGNRE, NULL, 0), -EINVAL,
			"x86_64 has no memory type nGnRE");
	assert_not_open(m, ms_pieces_open(b, MS_PIECES_AT_MMAP, MS_CACHE_WB, &half, 1), -EINVAL,
			"piece 0, 0x800 bytes at 0x0 shifted by 0x0, is empty or not of whole "
			"pages");
	assert_opens_or_says_no_memory(
		m, (file = ms_pieces_open(b, MS_PIECES_LAZY, MS_CACHE_WB, &second, 1)));
	assert_int_equal(map(mm, A, PAGE, file, 0), -EINVAL);
	assert_why(m, -EINVAL,
		   "piece 0, 0x1000 bytes at 0x1000, is not inside of the VMA's 0x1000");
	assert_int_equal(map(mm, A, 2 * PAGE, file, 0), A);
	assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_why(m, -EFAULT, "no piece of the mapping is at 0x7e0000000000");
	assert_int_equal(ms_pieces_plan(file, MS_PIECES_LAZY, MS_CACHE_WB, &far, 1), 0);
	assert_int_equal(map(mm, A, PAGE, file, 0), -EINVAL);
	assert_why(m, -EINVAL,
		   "piece 0: 0x1000 bytes from page 0x100000fd000 on have no physical address");

	ms_machine_fail_alloc(m, 1);
	assert_int_equal(ms_pieces_plan(file, MS_PIECES_LAZY, MS_CACHE_WB, &second, 1), -ENOMEM);
	assert_why(m, -ENOMEM, "no memory");
	assert_int_equal(ms_pieces_plan(file, MS_PIECES_LAZY, MS_CACHE_WB, &half, 1), -EINVAL);
	file = ms_devmem_open(m, false);
	assert_int_equal(ms_pieces_plan(file, MS_PIECES_LAZY, MS_CACHE_WB, &second, 1), -EINVAL);
	assert_why(m, -EINVAL, "the file is not of the piecewise driver");
	assert_int_equal(ms_pieces_one_lazy(file), -EINVAL);
	assert_opens_or_says_no_memory(m, ms_pieces_open_physical(m));
	machine_end(m);
}

static void the_lazy_driver_says_why(void **state)
{
	struct ms_machine *m = machine("6.12.107", MS_ARCH_X86_64);
	struct ms_device *b = bar_b(m);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_file *file;

	assert_not_open(m, ms_lazy_open(b, 1, MS_CACHE_WB, 0), -EINVAL,
			"offset 0x1 is not page aligned");
	assert_not_open(m, ms_lazy_open(b, 0, MS_CACHE_NGNRE, 0), -EINVAL,
			"x86_64 has no memory type nGnRE");
	assert_not_open(m, ms_lazy_open(b, 0, MS_CACHE_WB, 8), -EINVAL,
			"flags 0x8, of which 0x3 are known");
	assert_opens_or_says_no_memory(m, (file = ms_lazy_open(b, 0, MS_CACHE_UC_MINUS, 0)));
	// the memtype's reason becomes that of the SIGBUS
	assert_int_equal(ms_memtype_reserve(m, B_PA, B_PA + PAGE, MS_CACHE_WC, NULL), 0);
	assert_int_equal(ms_memtype_reserve(m, B_PA + PAGE, B_PA + 2 * PAGE, MS_CACHE_WT, NULL), 0);
	assert_int_equal(map(mm, A, 2 * PAGE, file, 0), A);
	assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	assert_why(m, -EFAULT,
		   "0xfd000000-0xfd001000 is reserved as WC and 0xfd001000-0xfd002000 as WT");
	machine_end(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_claim_is_refused_with_what_is_in_the_way),
		cmocka_unit_test(a_file_of_sysfs_says_why),
		cmocka_unit_test(a_hole_in_a_file_of_sysfs_is_refused),
		cmocka_unit_test(without_the_pat_there_is_no_write_combining_file),
		cmocka_unit_test(devmem_says_why),
		cmocka_unit_test(vfio_says_why),
		cmocka_unit_test(vfio_of_a_bar_without_a_page_or_of_two_machines),
		cmocka_unit_test(a_bar_that_the_open_did_not_get_is_named_at_mmap),
		cmocka_unit_test(a_hook_is_told_which_of_vfio_s_locks_is_held),
		cmocka_unit_test(the_piecewise_driver_says_why),
		cmocka_unit_test(the_lazy_driver_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
