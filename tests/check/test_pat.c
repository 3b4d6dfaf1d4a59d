/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The check of memtypes, of drivers, and of a driver's memory finds each thing that can be wrong.
 */
#include "broken.h"

#include "drivers/internal.h"
#include "linux/state.h"
#include "mm/internal.h"
#include "pat/internal.h"

#define A UINT64_C(0x200000000000)
#define BAR UINT64_C(0x180000000)
#define PAGE MS_4K

struct world {
	struct ms_machine *m;
	struct ms_mm *mm;
	struct ms_device *bar;
	struct ms_vma *vma; /* the whole BAR, write-combining */
};

static struct world world(const char *release)
{
	struct world w = { .m = ms_machine_new(ms_policy_linux(release, MS_ARCH_X86_64)) };

	assert_non_null(w.m);
	assert_int_equal(ms_ram_add(w.m, MS_2M, MS_1G), 0);
	w.bar = ms_device_add(w.m, "bar", BAR, MS_2M);
	w.mm = ms_mm_new(w.m);
	assert_int_equal(ms_mmap(w.mm, A, MS_2M, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED,
				 ms_pci_resource_wc(w.bar), 0),
			 (int64_t)A);
	w.vma = ms_vma_lookup(w.mm, A);
	assert_non_null(w.vma->pfnmap_ctx);
	return w;
}

static struct ms_range *first_entry(const struct world *w)
{
	struct ms_ranges_pos pos;
	struct ms_range *r = ms_ranges_from(&w->m->pat->list, 0, &pos);

	assert_non_null(r);
	return r;
}

static void the_list_is_in_order(void **state)
{
	struct world w = world("6.12.107");

	breaks(w.m, &w.m->pat->list.count, &(size_t){ 7 }, sizeof(size_t),
	       "memtypes: the count is wrong");
	ms_machine_free(w.m);
}

static void entries_that_overlap_are_of_one_type(void **state)
{
	struct world w = world("6.12.107");
	struct ms_pfnmap_ctx *ctx = w.vma->pfnmap_ctx;
	struct ms_range *r;
	uintptr_t tag;

	assert_int_equal(ms_memtype_reserve(w.m, BAR, BAR + PAGE, MS_CACHE_WC, NULL), 0);
	assert_whole(w.m);
	/* the leaf knows the set of types: a third entry makes room for a wrong one */
	assert_int_equal(
		ms_memtype_reserve(w.m, BAR + MS_2M, BAR + MS_2M + PAGE, MS_CACHE_UC, NULL), 0);
	r = first_entry(&w);
	tag = r->tag;
	r->tag = ms_range_tag(ctx, MS_CACHE_UC);
	assert_found(w.m, "overlaps an entry of");
	r->tag = tag;
	assert_whole(w.m);
	ms_machine_free(w.m);
}

/*
 *    [first )
 *    [second     )      [third )     of another type, which then is said to be the first one's
 */
static void no_two_types_may_overlap(void **state)
{
	for (unsigned int type = 0; type <= MS_CACHE_WP; type++) {
		const enum ms_cache own = (enum ms_cache)type;
		const enum ms_cache other = (enum ms_cache)((type + 1) % (MS_CACHE_WP + 1));
		struct world w = world("6.12.107");
		const uint64_t at = BAR + MS_2M;

		// behind the BAR, where the MTRRs say WB
		assert_int_equal(ms_munmap(w.mm, A, MS_2M), 0);
		assert_int_equal(ms_memtype_reserve(w.m, at, at + PAGE, own, NULL), 0);
		assert_int_equal(ms_memtype_reserve(w.m, at, at + 2 * PAGE, own, NULL), 0);
		assert_int_equal(
			ms_memtype_reserve(w.m, at + MS_2M, at + MS_2M + PAGE, other, NULL), 0);
		assert_whole(w.m);
		first_entry(&w)->tag = ms_range_tag(NULL, other);
		assert_found(w.m, "overlaps an entry of");
		first_entry(&w)->tag = ms_range_tag(NULL, own);
		assert_whole(w.m);
		ms_machine_free(w.m);
	}
}

static void an_entry_has_a_type_of_x86(void **state)
{
	struct world w = world("6.12.107");
	struct ms_ranges *list = &w.m->pat->list;

	assert_whole(w.m);
	ms_ranges_above(list, BAR + MS_2M);
	assert_int_equal(ms_ranges_insert(list, BAR + MS_2M, BAR + MS_2M + PAGE, MS_CACHE_WP + 1),
			 0);
	assert_found(w.m, "no type of x86");
	ms_machine_free(w.m);
}

/* An entry may begin at 0, and may have lost its owner's hold or its place on the list. */
static void what_is_rare_is_whole(void **state)
{
	struct world w = world("6.12.107");

	assert_int_equal(ms_ioremap(w.m, 0, PAGE, MS_CACHE_UC_MINUS), 0);
	assert_whole(w.m);
	assert_int_equal(ms_memtype_free(w.m, PAGE / 2, PAGE), 0);
	assert_int_equal(ms_iounmap(w.m, 0, PAGE), 0);
	assert_int_equal(ms_memtype_leaks(w.m, NULL, NULL), 1);
	assert_whole(w.m);
	assert_int_equal(ms_ioremap(w.m, 0xc0000, PAGE, MS_CACHE_WB), 0);
	assert_whole(w.m);
	ms_machine_free(w.m);
}

static void an_entry_is_what_its_owner_reserved(void **state)
{
	struct world w = world("6.12.107");
	struct ms_pfnmap_ctx *ctx = w.vma->pfnmap_ctx;

	breaks_u64(w.m, &ctx->start, BAR - PAGE, "its owner reserved");
	breaks_u64(w.m, &ctx->end, BAR + PAGE, "its owner reserved");
	breaks_u64(w.m, &ctx->end, 0, "an empty range");
	breaks_u64(w.m, &ctx->end, BAR, "an empty range");
	breaks_bool(w.m, &ctx->listed, false, "1 entries of the list are its own, none is said");
	ms_machine_free(w.m);
}

static void a_reservation_knows_its_holders(void **state)
{
	struct world w = world("7.2.13");
	struct ms_pfnmap_ctx *ctx = w.vma->pfnmap_ctx, *other;

	breaks_u32(w.m, &ctx->holders, 2, "2 holders, 1 hold it");
	breaks_u32(w.m, &ctx->holders, 0, "0 holders, 1 hold it");
	assert_int_equal(ms_ioremap(w.m, BAR + MS_2M, PAGE, MS_CACHE_UC_MINUS), 0);
	other = LIST_FIRST(&w.m->pat->contexts);
	breaks_u32(w.m, &other->holders, 2, "2 holders, 0 hold it");
	other = ms_pfnmap_ctx_new(w.m, BAR, BAR + PAGE);
	assert_found(w.m, "1 holders, 0 hold it");
	other->holders = 0;
	assert_found(w.m, "nobody has it, and no entry is left");
	other->holders = 1;
	ms_pfnmap_ctx_drop(w.m, other);
	assert_whole(w.m);
	ms_machine_free(w.m);
}

static void vm_pat_is_of_kernels_that_have_it(void **state)
{
	struct world w = world("7.2.13");

	breaks_u64(w.m, &w.vma->vm_flags_word, w.vma->vm_flags | MS_VM_PAT,
		   "VM_PAT, which this kernel does not set");
	ms_machine_free(w.m);
}

static void memtypes_are_x86s_alone(void **state)
{
	struct world w = world("6.12.107");
	enum ms_arch arch = MS_ARCH_ARM64;

	breaks(w.m, &w.m->policy.arch, &arch, sizeof(arch), "there are some, and this is no x86");
	// no entry, but a context; then the other way round
	assert_int_equal(ms_munmap(w.mm, A, MS_2M), 0);
	assert_int_equal(ms_ioremap(w.m, 0xc0000, PAGE, MS_CACHE_WB), 0);
	breaks(w.m, &w.m->policy.arch, &arch, sizeof(arch), "there are some, and this is no x86");
	assert_int_equal(ms_iounmap(w.m, 0xc0000, PAGE), 0);
	assert_int_equal(ms_memtype_reserve(w.m, BAR, BAR + PAGE, MS_CACHE_WC, NULL), 0);
	breaks(w.m, &w.m->policy.arch, &arch, sizeof(arch), "there are some, and this is no x86");
	ms_machine_free(w.m);
}

static void the_device_that_is_remembered_is_one(void **state)
{
	struct world w = world("6.12.107");

	breaks_u64(w.m, &w.m->pat->device_end, BAR + PAGE,
		   "is remembered as a device, and is none");
	breaks_u64(w.m, &w.m->pat->device_start, BAR + PAGE,
		   "is remembered as a device, and is none");
	breaks_u64(w.m, &w.m->pat->device_start, BAR - PAGE,
		   "is remembered as a device, and is none");
	ms_machine_free(w.m);
}

/* ---- drivers ---- */

static void claims_lie_behind_each_other(void **state)
{
	struct world w = world("6.12.107");
	struct ms_claim *root;

	assert_int_equal(ms_iomem_claim(w.m, BAR, PAGE), 0);
	assert_int_equal(ms_iomem_claim(w.m, BAR + PAGE, PAGE), 0);
	root = RB_ROOT(&w.m->drivers->claims);
	breaks_u64(w.m, &root->end, BAR + 2 * PAGE, "not behind the one before");
	breaks_u64(w.m, &root->end, root->start, "empty, or");
	ms_machine_free(w.m);
}

/* A device with two files, one of them mapped and faulted in. */
static struct ms_vfio *open_vfio(struct world *w)
{
	struct ms_file *file = ms_vfio_open(w->bar);

	ms_vfio_open(w->bar);
	ms_munmap(w->mm, A, MS_2M);
	assert_int_equal(ms_mmap(w->mm, A, MS_2M, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, file,
				 (int64_t)ms_vfio_offset(file)),
			 (int64_t)A);
	assert_int_equal(ms_touch(w->mm, A, MS_PROT_R), MS_ACCESS_OK);
	assert_whole(w->m);
	return LIST_FIRST(&w->m->drivers->vfio_devices);
}

static void a_vfio_device_knows_its_files_and_vmas(void **state)
{
	struct world w = world("6.1.192");
	struct ms_vfio *dev = open_vfio(&w);
	struct ms_vma none = { 0 };

	breaks_u32(w.m, &dev->opened, 1, "vfio bar: 2 files, 1 are counted");
	breaks_pointer(w.m, &TAILQ_FIRST(&dev->vmas)->vma, &none,
		       "a VMA on its list is none any more");
	breaks_pointer(w.m, &ms_vma_lookup(w.mm, A)->vm_private_data, NULL, "is not its own");
	breaks_u32(w.m, &dev->memory_readers, 1, "a lock is held");
	breaks_bool(w.m, &dev->vma_locked, true, "a lock is held");
	ms_machine_free(w.m);
}

static void files_of_the_drivers_are_open(void **state)
{
	struct world w = world("6.12.107");
	struct ms_file none = { .refcount = 1 };

	breaks_pointer(w.m, &LIST_FIRST(&w.m->drivers->iomem_files)->file, &none,
		       "an open file of memory is none any more");
	ms_vfio_open(w.bar);
	breaks_pointer(w.m, &LIST_FIRST(&w.m->drivers->vfio_files)->file, &none,
		       "vfio: an open file is none any more");
	ms_machine_free(w.m);
}

static void kmallocs_of_a_driver_are_counted(void **state)
{
	struct world w = world("6.12.107");
	struct ms_linux *lx = ms_linux_of(w.m);

	breaks(w.m, &lx->small, &(size_t){ 3 }, sizeof(size_t), "0 small kmallocs, 3 are counted");
	ms_machine_free(w.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_list_is_in_order),
		cmocka_unit_test(entries_that_overlap_are_of_one_type),
		cmocka_unit_test(no_two_types_may_overlap),
		cmocka_unit_test(an_entry_has_a_type_of_x86),
		cmocka_unit_test(what_is_rare_is_whole),
		cmocka_unit_test(an_entry_is_what_its_owner_reserved),
		cmocka_unit_test(a_reservation_knows_its_holders),
		cmocka_unit_test(vm_pat_is_of_kernels_that_have_it),
		cmocka_unit_test(memtypes_are_x86s_alone),
		cmocka_unit_test(the_device_that_is_remembered_is_one),
		cmocka_unit_test(claims_lie_behind_each_other),
		cmocka_unit_test(a_vfio_device_knows_its_files_and_vmas),
		cmocka_unit_test(files_of_the_drivers_are_open),
		cmocka_unit_test(kmallocs_of_a_driver_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
