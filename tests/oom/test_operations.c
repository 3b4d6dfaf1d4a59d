/* SPDX-License-Identifier: GPL-2.0-only */
/* Every public operation, with each of its allocations failing once. */
#include "before.h"

#include "mm/view.h"

static int64_t made(const void *pointer)
{
	return pointer ? 0 : NO_POINTER;
}

/* ---- physical memory, devices, memtypes ---- */

static int64_t ram_add(struct world *w)
{
	return ms_ram_add(w->m, 32 * MS_1G, 4 * MS_1G);
}

static int64_t device_add(struct world *w)
{
	return made(ms_device_add(w->m, "other", 16 * MS_1G, MS_2M));
}

static int64_t vfio_add_bar(struct world *w)
{
	struct ms_device *other = ms_device_find(w->m, "registers");

	if (!other)
		other = ms_device_add(w->m, "registers", 16 * MS_1G, PAGE);
	return other ? ms_vfio_add_bar(w->bar, 0, other) : NO_POINTER;
}

static int64_t mtrr_add(struct world *w)
{
	return ms_mtrr_add(w->m, MS_1G, MS_1G, MS_CACHE_UC);
}

static int64_t claim(struct world *w)
{
	return ms_iomem_claim(w->m, ms_device_pa(w->bar), PAGE);
}

static int64_t ioremap(struct world *w)
{
	return ms_ioremap(w->m, ms_device_pa(w->bar), PAGE,
			  ms_is_x86(w->m) ? MS_CACHE_UC_MINUS : MS_CACHE_NGNRE);
}

static int64_t memtype_reserve(struct world *w)
{
	return ms_memtype_reserve(w->m, ms_device_pa(w->bar), ms_device_pa(w->bar) + PAGE,
				  MS_CACHE_WC, NULL);
}

static int64_t memtype_aliases(struct world *w)
{
	return ms_memtype_aliases(w->m, NULL, NULL);
}

/* ---- files ---- */

static int64_t memfd(struct world *w)
{
	return made(ms_memfd_new(w->m, SIZE));
}

static int64_t memfd_hugetlb(struct world *w)
{
	return made(ms_memfd_hugetlb_new(w->m, SIZE, MS_2M));
}

static int64_t file_new(struct world *w)
{
	return made(ms_file_new(w->m, NULL, MS_FMODE_READ, 0, NULL, NULL));
}

static int64_t resource(struct world *w)
{
	return made(ms_pci_resource(w->bar));
}

static int64_t resource_wc(struct world *w)
{
	return made(ms_pci_resource_wc(w->bar));
}

static int64_t resource_open(struct world *w)
{
	return made(ms_pci_resource_open(w->bar, false, MS_FMODE_READ));
}

static int64_t devmem(struct world *w)
{
	return made(ms_devmem_open(w->m, true));
}

/* Where the BAR could not be had when the device was opened, mmap says so: so it is opened anew. */
static int64_t vfio_open(struct world *w)
{
	struct ms_file *file = ms_vfio_open(w->bar);
	int64_t answer = made(file);

	if (file)
		answer = map(w, A, PAGE, MS_MAP_SHARED, file, ms_vfio_offset(file));
	if (answer < 0)
		ms_file_put(file);
	return answer;
}

static int64_t pieces_open(struct world *w)
{
	const struct ms_piece piece = { 0, SIZE, 0 };

	return made(ms_pieces_open(w->bar, MS_PIECES_LAZY, MS_CACHE_WC, &piece, 1));
}

static int64_t pieces_open_physical(struct world *w)
{
	return made(ms_pieces_open_physical(w->m));
}

static int64_t pieces_plan(struct world *w)
{
	const struct ms_piece piece = { 0, SIZE, 0 };

	return ms_pieces_plan(w->file, MS_PIECES_LAZY, MS_CACHE_WC, &piece, 1);
}

static int64_t lazy_open(struct world *w)
{
	return made(ms_lazy_open(w->bar, 0, MS_CACHE_WC, 0));
}

static int64_t vfio_memory_off(struct world *w)
{
	return ms_vfio_set_memory(w->vfio, false);
}

/* ---- mmap ---- */

static int64_t mm_new(struct world *w)
{
	return made(ms_mm_new(w->m));
}

static int64_t mmap_anon(struct world *w)
{
	return map(w, A, SIZE, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS, NULL, 0);
}

static int64_t mmap_anon_shared(struct world *w)
{
	return map(w, A, SIZE, MS_MAP_SHARED | MS_MAP_ANONYMOUS, NULL, 0);
}

static int64_t mmap_populate(struct world *w)
{
	return map(w, A, SIZE + PAGE, MS_MAP_PRIVATE | MS_MAP_POPULATE | MS_MAP_ANONYMOUS, NULL, 0);
}

static int64_t mmap_into_the_middle(struct world *w)
{
	return map(w, A + 2 * PAGE, PAGE, MS_MAP_SHARED, w->memory, 0);
}

static int64_t mmap_resource(struct world *w)
{
	struct ms_file *file = ms_pci_resource(w->bar);

	return file ? map(w, A, SIZE, MS_MAP_SHARED, file, 0) : NO_POINTER;
}

static int64_t mmap_devmem(struct world *w)
{
	if (!w->file)
		w->file = ms_devmem_open(w->m, true);
	return w->file ? map(w, A, SIZE, MS_MAP_SHARED, w->file, ms_device_pa(w->bar)) : NO_POINTER;
}

static int64_t mmap_file(struct world *w)
{
	return map(w, A, SIZE, MS_MAP_SHARED, w->file, 0);
}

static int64_t mmap_vfio(struct world *w)
{
	return map(w, A, SIZE, MS_MAP_SHARED, w->vfio, ms_vfio_offset(w->vfio));
}

/* ---- the other system calls ---- */

static int64_t munmap_middle(struct world *w)
{
	return ms_munmap(w->mm, A + PAGE, PAGE);
}

static int64_t mprotect_middle(struct world *w)
{
	return ms_mprotect(w->mm, A + PAGE, PAGE, MS_PROT_R);
}

static int64_t mremap_away(struct world *w)
{
	return ms_mremap(w->mm, A, SIZE, SIZE, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, B);
}

static int64_t mremap_part(struct world *w)
{
	return ms_mremap(w->mm, A + PAGE, PAGE, PAGE, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED,
			 B + PAGE);
}

static int64_t mremap_copy(struct world *w)
{
	return ms_mremap(w->mm, A, SIZE + PAGE, SIZE + PAGE,
			 MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED | MS_MREMAP_DONTUNMAP, B);
}

static int64_t mremap_larger(struct world *w)
{
	return ms_mremap(w->mm, A, SIZE + PAGE, 2 * SIZE, MS_MREMAP_MAYMOVE, 0);
}

static int64_t collapse(struct world *w)
{
	return ms_madvise(w->mm, A, MS_2M, MS_MADV_COLLAPSE);
}

static int64_t populate_write(struct world *w)
{
	return ms_madvise(w->mm, A, SIZE, MS_MADV_POPULATE_WRITE);
}

static int64_t dontfork_middle(struct world *w)
{
	return ms_madvise(w->mm, A + PAGE, PAGE, MS_MADV_DONTFORK);
}

static int64_t free_part(struct world *w)
{
	return ms_madvise(w->mm, A, PAGE, MS_MADV_FREE);
}

static int64_t remove_part(struct world *w)
{
	return ms_madvise(w->mm, A + PAGE, PAGE, MS_MADV_REMOVE);
}

static int64_t dontneed_part(struct world *w)
{
	return ms_madvise(w->mm, A + PAGE, PAGE, MS_MADV_DONTNEED);
}

static int64_t mlock_part(struct world *w)
{
	return ms_mlock(w->mm, A + PAGE, 2 * PAGE);
}

static int64_t fork_all(struct world *w)
{
	return ms_fork(w->mm) ? 0 : -errno;
}

/* ---- pages that a driver takes ---- */

static int64_t pin(struct world *w)
{
	ms_pfn_t pfn;

	return ms_gup_pages(w->mm, A, 1, MS_GUP_WRITE | MS_GUP_PIN, &pfn);
}

static void with_pinned(struct world *w)
{
	with_anon(w);
	assert_int_equal(pin(w), 1);
}

static void with_pinned_huge(struct world *w)
{
	with_huge_anon(w);
	assert_int_equal(pin(w), 1);
}

/* ---- accesses ---- */

static int64_t access_of(enum ms_access access)
{
	switch (access) {
	case MS_ACCESS_OK:
		return 0;
	case MS_ACCESS_OOM:
		return -ENOMEM;
	case MS_ACCESS_SIGBUS:
		return -EFAULT;
	default:
		return -EPROTO;
	}
}

static int64_t touch_read(struct world *w)
{
	return access_of(ms_touch(w->mm, A, MS_PROT_R));
}

static int64_t touch_write(struct world *w)
{
	return access_of(ms_touch(w->mm, A, MS_PROT_W));
}

static int64_t get_user_page(struct world *w)
{
	ms_pfn_t pfn;

	return ms_get_user_page(w->mm, A, true, &pfn, NULL);
}

static int64_t fixup(struct world *w)
{
	return ms_fixup_user_fault(w->mm, A, true);
}

/* ---- VMs ---- */

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

static int64_t guest(struct world *w, unsigned int prot)
{
	struct ms_guest_access access = ms_guest_touch(w->vm, GPA, prot);

	if (access.exit == MS_GUEST_ERROR)
		return access.err;
	return access.exit == MS_GUEST_OK ? 0 : -EPROTO;
}

static int64_t guest_read(struct world *w)
{
	return guest(w, MS_PROT_R);
}

static int64_t guest_write(struct world *w)
{
	return guest(w, MS_PROT_W);
}

static int64_t get_dirty(struct world *w)
{
	uint64_t bitmap[SIZE / PAGE / 64];

	return ms_vm_get_dirty(w->vm, 1, bitmap, SIZE / PAGE / 64, NULL);
}

/* ---- all of them ---- */

static const struct operation everywhere[] = {
	{ "ms_ram_add", NULL, ram_add },
	{ "ms_device_add", NULL, device_add },
	{ "ms_vfio_add_bar", NULL, vfio_add_bar },
	{ "ms_mtrr_add", NULL, mtrr_add },
	{ "ms_iomem_claim", NULL, claim },
	{ "ms_ioremap", NULL, ioremap },
	{ "ms_memfd_new", NULL, memfd },
	{ "ms_memfd_hugetlb_new", NULL, memfd_hugetlb },
	{ "ms_file_new", NULL, file_new },
	{ "ms_pci_resource", NULL, resource },
	{ "ms_pci_resource_wc", NULL, resource_wc },
	{ "ms_pci_resource_open", NULL, resource_open },
	{ "ms_devmem_open", NULL, devmem },
	{ "ms_vfio_open, mmap", NULL, vfio_open, { -EBUSY } },
	{ "ms_vfio_set_memory", with_vfio, vfio_memory_off },
	{ "ms_pieces_open", NULL, pieces_open },
	{ "ms_pieces_open_physical", NULL, pieces_open_physical },
	{ "ms_pieces_plan", with_pieces, pieces_plan },
	{ "ms_lazy_open", NULL, lazy_open },
	{ "ms_mm_new", NULL, mm_new },
	{ "mmap, anonymous", NULL, mmap_anon },
	{ "mmap, anonymous and shared", NULL, mmap_anon_shared },
	// what cannot be populated is left to faults
	{ "mmap, populated", NULL, mmap_populate, { 0 }, true },
	{ "mmap into a mapping", with_anon_pages, mmap_into_the_middle },
	{ "mmap into a file's mapping", with_shared_pages, mmap_into_the_middle },
	{ "mmap of a sysfs resource", NULL, mmap_resource, { -EINVAL, -EAGAIN } },
	{ "mmap of /dev/mem", NULL, mmap_devmem, { -EINVAL, -EAGAIN } },
	{ "mmap of pieces", with_pieces, mmap_file, { -EINVAL } },
	{ "mmap of vfio", with_vfio_file, mmap_vfio, { -EBUSY } },
	{ "munmap", with_anon_pages, munmap_middle },
	{ "munmap of a part of a huge page", with_huge_anon, munmap_middle },
	{ "munmap of a part of a device", with_device, munmap_middle },
	{ "mprotect", with_anon_pages, mprotect_middle },
	{ "mprotect of a part of a huge page", with_huge_anon, mprotect_middle },
	{ "mprotect of a part of a device", with_device, mprotect_middle },
	// a source that cannot be split for its unmapping stays, empty: "OOM: unable to split vma"
	{ "mremap", with_anon_pages, mremap_away, { 0 }, true },
	{ "mremap of huge pages", with_huge_anon, mremap_away, { 0 }, true },
	{ "mremap of a file", with_shared_pages, mremap_away },
	{ "mremap of a device", with_device, mremap_away },
	{ "mremap of hugetlb", with_hugetlb, mremap_away, .not_everywhere = true },
	{ "mremap of a part", with_anon_pages, mremap_part, { 0 }, true },
	{ "mremap of a part of a huge page", with_huge_anon, mremap_part, { 0 }, true },
	{ "mremap, the source stays", with_huge_anon, mremap_copy },
	{ "mremap, larger", with_huge_anon, mremap_larger },
	{ "MADV_COLLAPSE", with_pages_for_collapse, collapse, { -EINVAL }, .not_everywhere = true },
	{ "MADV_COLLAPSE of a file",
	  with_shared_pages,
	  collapse,
	  { -EINVAL },
	  .not_everywhere = true },
	{ "MADV_POPULATE_WRITE", with_shared, populate_write, .not_everywhere = true },
	{ "MADV_DONTFORK", with_huge_anon, dontfork_middle, { -EAGAIN } },
	{ "MADV_FREE", with_huge_anon, free_part, { 0 }, true },
	{ "MADV_REMOVE", with_shared_pages, remove_part },
	{ "MADV_DONTNEED", with_huge_anon, dontneed_part },
	{ "mlock", with_anon, mlock_part, { -EAGAIN } },
	{ "mlock of a part of a huge page", with_huge_anon, mlock_part, { -EAGAIN } },
	{ "fork", with_much, fork_all },
	{ "fork with a pinned page", with_pinned, fork_all },
	{ "fork with a pinned huge page", with_pinned_huge, fork_all },
	{ "pin_user_pages", with_anon, pin, { 0 }, true },
	{ "read of anonymous memory", with_anon, touch_read, { 0 }, true },
	{ "write to anonymous memory", with_anon, touch_write, { 0 }, true },
	{ "write to the huge zero page", with_huge_zero, touch_write, { 0 }, true },
	{ "read of a file", with_shared, touch_read },
	{ "write to a file", with_shared, touch_write },
	{ "read of a private mapping", with_private, touch_read },
	{ "write to a private mapping", with_private, touch_write },
	{ "write after a read of a private mapping", with_read_private, touch_write },
	{ "write to hugetlb", with_hugetlb, touch_write, { -EFAULT } },
	{ "read of private hugetlb", with_private_hugetlb, touch_read, { -EFAULT } },
	{ "write to private hugetlb", with_private_hugetlb, touch_write, { -EFAULT } },
	{ "read of vfio", with_vfio, touch_read, { -EFAULT }, true, .faults_vfio = true },
	{ "read of a lazy device", with_lazy, touch_read, { -EFAULT }, .remaps_in_fault = true },
	{ "ms_get_user_page", with_anon, get_user_page, { 0 }, true },
	{ "ms_fixup_user_fault", with_shared, fixup },
};

static const struct operation of_x86[] = {
	{ "ms_memtype_reserve", NULL, memtype_reserve },
	{ "ms_memtype_aliases", with_device, memtype_aliases },
};

static const struct operation of_arm64[] = {
	{ "ms_vm_new_config", NULL, vm_create },
	{ "memslot of RAM", with_anon_pages, set_slot },
	{ "memslot of a device", with_device, set_slot },
	{ "memslot with a log", with_huge_anon, set_slot_logged },
	{ "log of a memslot", with_huge_slot, set_slot_logged },
	{ "memslot moves", with_device_slot, move_slot },
	{ "guest reads RAM", with_ram_slot, guest_read, { -EFAULT } },
	{ "guest writes RAM", with_ram_slot, guest_write, { -EFAULT } },
	{ "guest writes a logged huge page", with_logged_slot, guest_write, { -EFAULT } },
	{ "guest reads a device", with_device_slot, guest_read, { -EFAULT } },
	{ "KVM_GET_DIRTY_LOG", with_logged_slot, get_dirty },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static size_t fail_all(const struct kernel *kernel, const struct operation *ops, size_t n)
{
	size_t failed = 0;

	for (size_t i = 0; i < n; i++)
		failed += fail_each_allocation(kernel, &ops[i]);
	return failed;
}

static void each_allocation_may_fail(const struct kernel *kernel)
{
	size_t failed = fail_all(kernel, everywhere, COUNT(everywhere));

	if (kernel->arch == MS_ARCH_X86_64)
		failed += fail_all(kernel, of_x86, COUNT(of_x86));
	else
		failed += fail_all(kernel, of_arm64, COUNT(of_arm64));
	print_message("%s: %zu allocations failed\n", kernel->release, failed);
	assert_true(failed > 200);
}

static void each_allocation_may_fail_on_arm64(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64)
		each_allocation_may_fail(&(struct kernel){ k->release, MS_ARCH_ARM64 });
}

static void each_allocation_may_fail_on_x86(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64)
		each_allocation_may_fail(&(struct kernel){ k->release, MS_ARCH_X86_64 });
}

/* Before there is a machine to ask, its own beginning fails at each step. */
static void a_machine_is_made_whole_or_not_at_all(void **state)
{
	const struct ms_policy *policy = ms_policy_linux("6.12.107", MS_ARCH_X86_64);
	struct ms_machine *m;
	uint64_t n = 1;

	while (!(m = ms_machine_new_failing(policy, NULL, n)))
		n++;
	assert_true(n > 3);
	assert_int_equal(ms_machine_check(m, stderr), 0);
	ms_machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_machine_is_made_whole_or_not_at_all),
		cmocka_unit_test(each_allocation_may_fail_on_arm64),
		cmocka_unit_test(each_allocation_may_fail_on_x86),
	};

	return cmocka_run_group_tests_name("oom_operations", tests, NULL, NULL);
}
