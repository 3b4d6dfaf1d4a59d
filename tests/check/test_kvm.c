/* SPDX-License-Identifier: GPL-2.0-only */
/* The check of VMs finds each thing that can be wrong with memslots and stage 2. */
#include "broken.h"

#include "kvm/internal.h"
#include "mm/pgtable.h"
#include "stage2/s2.h"

#define RAM_HVA UINT64_C(0x200000000000)
#define DEV_HVA UINT64_C(0x210000000000)
#define RAM_GPA UINT64_C(0x80000000)
#define LOG_GPA UINT64_C(0x90000000) /* the same memory, with a log */
#define DEV_GPA UINT64_C(0xa0000000)
#define BAR UINT64_C(0x8000000000)
#define PAGE MS_4K

struct world {
	struct ms_machine *m;
	struct ms_mm *mm;
	struct ms_vm *vm;
	struct ms_memslot *ram, *log, *dev;
};

static void map(const struct world *w, ms_hva_t addr, uint64_t len, unsigned int flags,
		struct ms_file *file)
{
	assert_int_equal(ms_mmap(w->mm, addr, len, MS_PROT_RW, flags | MS_MAP_FIXED, file, 0),
			 (int64_t)addr);
}

static void guest(const struct world *w, ms_ipa_t gpa, unsigned int prot)
{
	assert_int_equal(ms_guest_touch(w->vm, gpa, prot).exit, MS_GUEST_OK);
}

/* Two pages of RAM in two slots, 4M of a BAR in a third; the guest has written to each. */
static struct world world(const char *release)
{
	struct ms_machine_config config = { .thp = MS_THP_NEVER };
	struct world w = { .m = ms_machine_new_config(ms_policy_linux(release, MS_ARCH_ARM64),
						      &config) };
	struct ms_device *bar;

	assert_non_null(w.m);
	assert_int_equal(ms_ram_add(w.m, MS_1G, MS_1G), 0);
	bar = ms_device_add(w.m, "bar", BAR, 2 * MS_2M);
	w.mm = ms_mm_new(w.m);
	w.vm = ms_vm_new(w.mm, 40);
	map(&w, RAM_HVA, 2 * PAGE, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS, NULL);
	map(&w, DEV_HVA, 2 * MS_2M, MS_MAP_SHARED, ms_pci_resource(bar));
	assert_int_equal(ms_vm_set_slot(w.vm, 1, RAM_GPA, 2 * PAGE, RAM_HVA, 0), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 2, LOG_GPA, 2 * PAGE, RAM_HVA, MS_SLOT_LOG_DIRTY), 0);
	assert_int_equal(ms_vm_set_slot(w.vm, 3, DEV_GPA, 2 * MS_2M, DEV_HVA, 0), 0);
	w.ram = ms_id_to_memslot(w.vm, 1);
	w.log = ms_id_to_memslot(w.vm, 2);
	w.dev = ms_id_to_memslot(w.vm, 3);
	guest(&w, RAM_GPA, MS_PROT_W);
	guest(&w, LOG_GPA + PAGE, MS_PROT_W);
	guest(&w, DEV_GPA, MS_PROT_W);
	assert_whole(w.m);
	return w;
}

static void world_end(struct world *w)
{
	assert_whole(w->m);
	ms_machine_free(w->m);
}

static uint64_t *pte(const struct world *w, ms_hva_t addr)
{
	uint64_t *slot = ms_pt_slot(w->mm, addr, MS_LEVEL_PTE);

	assert_non_null(slot);
	return slot;
}

/* ---- memslots ---- */

static void slots_lie_apart_in_the_guest(void **state)
{
	struct world w = world("6.12.107");

	breaks_u64(w.m, &w.log->base_gfn, RAM_GPA / PAGE + 1,
		   "overlaps slot 1, or is out of order");
	breaks_u64(w.m, &w.dev->base_gfn, (UINT64_C(1) << 40) / PAGE - 1, "beyond the IPA space");
	world_end(&w);
}

static void slots_are_found_by_number(void **state)
{
	struct world w = world("6.12.107");
	struct ms_memslot none = { 0 };

	breaks_u32(w.m, &w.log->id, 7, "out of order among the numbers");
	breaks_u32(w.m, &w.log->id, w.ram->id, "out of order among the host addresses");
	breaks_u32(w.m, &w.dev->id, 32767, "a number or flag that does not exist");
	breaks_u32(w.m, &w.dev->flags, 0x40, "a number or flag that does not exist");
	breaks_pointer(w.m, &RB_ROOT(&w.vm->slots.by_id), NULL,
		       "0 slots by number, 3 by guest, 3 by host address");
	breaks_pointer(w.m, &RB_ROOT(&w.vm->slots.by_gfn), NULL,
		       "3 slots by number, 0 by guest, 3 by host address");
	breaks_pointer(w.m, &RB_ROOT(&w.vm->slots.by_hva), NULL,
		       "3 slots by number, 3 by guest, 0 by host address");
	breaks_pointer(w.m, &w.vm->slots.last_used, &none, "the slot used last is none any more");
	world_end(&w);
}

static void slots_are_found_by_host_address(void **state)
{
	struct world w = world("6.12.107");
	struct ms_memslot *root = RB_ROOT(&w.vm->slots.by_hva);

	breaks_u64(w.m, &root->max_hva_end, 7, "the host addresses below it end at");
	breaks_u64(w.m, &w.dev->hva_end, DEV_HVA + PAGE, "its host range is wrong");
	breaks_u64(w.m, &w.dev->hva, 0, "out of order among the host addresses");
	breaks_u64(w.m, &w.log->age[0], w.ram->age[0], "as old as slot 1");
	breaks_u64(w.m, &w.log->age[1], w.ram->age[1], "as old as slot 1");
	world_end(&w);
}

static void a_slot_has_a_bitmap_if_it_is_logged(void **state)
{
	struct world w = world("6.12.107");

	breaks_u32(w.m, &w.log->flags, 0, "a dirty bitmap and no log");
	breaks_pointer(w.m, &w.log->dirty, NULL, "or a log without");
	breaks_u64(w.m, w.log->dirty, *w.log->dirty | 4, "pages beyond its end are dirty");
	world_end(&w);
}

/* ---- the VM ---- */

static void a_vm_hears_of_its_process(void **state)
{
	struct world w = world("6.12.107");

	breaks_pointer(w.m, &w.mm->notifiers, NULL, "its process does not notify it");
	breaks_pointer(w.m, &w.vm->mm, NULL, "has one of process and stage-2 table");
	breaks_u32(w.m, &w.vm->id, 9, "its number is out of order");
	breaks_u32(w.m, &w.vm->id, 0, "its number is out of order");
	world_end(&w);
}

static void nothing_goes_on_between_operations(void **state)
{
	struct world w = world("6.12.107");

	breaks_bool(w.m, &w.vm->arm64.in_map, true, "a map call has not come to its end");
	breaks_bool(w.m, &w.vm->mmu_locked, true, "an abort has not come to its end");
	breaks_u32(w.m, &w.vm->in_abort, 1, "an abort has not come to its end");
	breaks_u32(w.m, &w.vm->invalidate_in_progress, 1, "0 invalidations go on, 1 count");
	breaks_u32(w.m, &w.vm->active_invalidate, 1, "1 invalidations go on, 0 count");
	world_end(&w);
}

static void stage_2_is_whole_by_itself(void **state)
{
	struct world w = world("6.12.107");
	unsigned int count = w.vm->arm64.vcpu_cache.count;

	assert_true(count > 0);
	breaks_u32(w.m, &w.vm->arm64.vcpu_cache.count, count - 1, "tables put by");
	breaks_u32(w.m, &w.vm->arm64.s2->linked, 0,
		   "vm 1: stage-2 table: the number of linked tables is wrong");
	world_end(&w);
}

/* ---- what stage 2 shadows ---- */

static void a_stage_2_leaf_is_inside_of_a_slot(void **state)
{
	struct world w = world("6.12.107");

	breaks_u64(w.m, &w.ram->base_gfn, RAM_GPA / PAGE + 1, "not inside of a memslot");
	breaks_u64(w.m, &w.dev->npages, 4, "not inside of a memslot");
	world_end(&w);
}

static void a_guest_page_is_the_page_that_the_host_has(void **state)
{
	struct world w = world("6.12.107");
	uint64_t *entry = pte(&w, RAM_HVA);

	breaks_u64(w.m, entry, 0, "host address 0x200000000000: the host maps nothing there");
	breaks_u64(w.m, entry, *entry + PAGE, "the host maps something else there");
	breaks_u64(w.m, entry, *entry & ~MS_PTE_WRITE, "the guest may write, the host may not");
	breaks_u64(w.m, entry, (*entry & ~MS_PTE_PRESENT) | MS_PTE_PROTNONE,
		   "the host may not access it");
	world_end(&w);
}

static void a_guest_does_not_write_to_a_read_only_slot(void **state)
{
	struct world w = world("6.12.107");

	breaks_u32(w.m, &w.ram->flags, MS_SLOT_READONLY,
		   "host address 0x200000000000: writable in a read-only slot");
	world_end(&w);
}

static void what_the_guest_can_write_is_in_the_log(void **state)
{
	struct world w = world("6.12.107");

	breaks_u64(w.m, w.log->dirty, 1,
		   "vm 1: stage 2 at 0x90001000 (0x1000 bytes to 0x40001000), host address "
		   "0x200000001000: written to without a trace in the log");
	world_end(&w);
}

/* ---- what some kernels let stand ---- */

/* A block that was chosen by vm_pgoff is not asked what the host maps; one by the table is. */
static void a_block_by_vm_pgoff_may_hold_what_the_host_does_not_map(void **state)
{
	struct world w =
		world(kernel_where(MS_ARCH_ARM64, "s2_pfnmap_block", "FROM_VM_PGOFF")->release);
	uint64_t *entry = pte(&w, DEV_HVA + 5 * PAGE), before = *entry;

	assert_int_equal(ms_guest_read(w.vm, DEV_GPA).leaf.size, MS_2M);
	*entry = 0;
	assert_whole(w.m);
	*entry = before;
	world_end(&w);
	w = world(kernel_where(MS_ARCH_ARM64, "s2_pfnmap_block", "FROM_HOST_TABLE")->release);
	assert_int_equal(ms_guest_read(w.vm, DEV_GPA).leaf.size, PAGE);
	breaks_u64(w.m, pte(&w, DEV_HVA), 0, "the host maps nothing there");
	world_end(&w);
}

/* 5.10 maps a new slot's VM_PFNMAP memory by vm_pgoff; elsewhere it must be the host's page. */
static void a_premap_goes_by_vm_pgoff(void **state)
{
	struct world w = world("5.10.223");
	struct ms_vma *vma = ms_vma_lookup(w.mm, DEV_HVA);
	uint64_t *entry = pte(&w, DEV_HVA + 5 * PAGE), before = *entry;

	*entry = 0;
	assert_whole(w.m);
	*entry = before;
	breaks_u64(w.m, pte(&w, RAM_HVA), 0, "the host maps nothing there");
	vma->vm_flags &= ~MS_VM_PFNMAP;
	*entry = 0;
	assert_found(w.m, "the host maps nothing there");
	*entry = before;
	vma->vm_flags |= MS_VM_PFNMAP;
	world_end(&w);
}

/* 6.12.117 believes the host's entries alone: each page of a block is compared. */
static void a_block_is_looked_at_page_by_page(void **state)
{
	struct world w = world("6.12.117");
	struct ms_s2_cache cache = { 0 };
	uint64_t *entry = pte(&w, DEV_HVA + 5 * PAGE);

	assert_int_equal(ms_s2_map(w.vm->arm64.s2, DEV_GPA + MS_2M, MS_2M, BAR + MS_2M,
				   MS_PROT_RW | MS_PROT_DEVICE, &cache),
			 0);
	entry = pte(&w, DEV_HVA + MS_2M + 5 * PAGE);
	breaks_u64(w.m, entry, *entry + PAGE,
		   "vm 1: stage 2 at 0xa0205000 (0x200000 bytes to 0x8000200000), host address "
		   "0x210000205000: the host maps something else there");
	breaks_u64(w.m, entry, 0, "host address 0x210000205000: the host maps nothing there");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_lie_apart_in_the_guest),
		cmocka_unit_test(slots_are_found_by_number),
		cmocka_unit_test(slots_are_found_by_host_address),
		cmocka_unit_test(a_slot_has_a_bitmap_if_it_is_logged),
		cmocka_unit_test(a_vm_hears_of_its_process),
		cmocka_unit_test(nothing_goes_on_between_operations),
		cmocka_unit_test(stage_2_is_whole_by_itself),
		cmocka_unit_test(a_stage_2_leaf_is_inside_of_a_slot),
		cmocka_unit_test(a_guest_page_is_the_page_that_the_host_has),
		cmocka_unit_test(a_guest_does_not_write_to_a_read_only_slot),
		cmocka_unit_test(what_the_guest_can_write_is_in_the_log),
		cmocka_unit_test(a_block_by_vm_pgoff_may_hold_what_the_host_does_not_map),
		cmocka_unit_test(a_premap_goes_by_vm_pgoff),
		cmocka_unit_test(a_block_is_looked_at_page_by_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
