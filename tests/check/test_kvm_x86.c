// SPDX-License-Identifier: GPL-2.0-only
/* The check of VMs finds each thing that can be wrong with the nested table of an x86 VM. */
#include "broken.h"

#include "kvm/x86/x86.h"
#include "mm/pgtable.h"
#include "tdp/mmu.h"

#define RAM_HVA UINT64_C(0x200000000000)
#define THP_HVA UINT64_C(0x208000000000)
#define DEV_HVA UINT64_C(0x210000000000)
#define RAM_GPA UINT64_C(0x80000000)
#define LOG_GPA UINT64_C(0x90000000) /* the same memory, with a log */
#define DEV_GPA UINT64_C(0xa0000000)
#define THP_GPA UINT64_C(0xb0000000)
#define HOLE UINT64_C(0xc0000000) /* no memslot; touched */
#define BAR UINT64_C(0x8000000000)
#define PAGE MS_4K

struct world {
	struct ms_machine *m;
	struct ms_mm *mm;
	struct ms_vm *vm;
	struct ms_memslot *ram, *log, *dev, *thp;
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

static struct ms_memslot *slot(const struct world *w, unsigned int id, ms_ipa_t gpa, uint64_t size,
			       ms_hva_t hva, unsigned int flags)
{
	assert_int_equal(ms_vm_set_slot(w->vm, id, gpa, size, hva, flags), 0);
	return ms_id_to_memslot(w->vm, id);
}

/* Two pages of RAM in two slots, 4M of a BAR, a huge page; the guest has written to each. */
static struct world world(const char *release)
{
	struct world w = { .m = ms_machine_new(ms_policy_linux(release, MS_ARCH_X86_64)) };
	struct ms_device *bar;

	assert_non_null(w.m);
	assert_int_equal(ms_ram_add(w.m, MS_1G, MS_1G), 0);
	bar = ms_device_add(w.m, "bar", BAR, 2 * MS_2M);
	w.mm = ms_mm_new(w.m);
	w.vm = ms_vm_new(w.mm, 0);
	map(&w, RAM_HVA, 2 * PAGE, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS, NULL);
	map(&w, THP_HVA, MS_2M, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS, NULL);
	map(&w, DEV_HVA, 2 * MS_2M, MS_MAP_SHARED, ms_pci_resource(bar));
	w.ram = slot(&w, 1, RAM_GPA, 2 * PAGE, RAM_HVA, 0);
	w.log = slot(&w, 2, LOG_GPA, 2 * PAGE, RAM_HVA, MS_SLOT_LOG_DIRTY);
	w.dev = slot(&w, 3, DEV_GPA, 2 * MS_2M, DEV_HVA, 0);
	w.thp = slot(&w, 4, THP_GPA, MS_2M, THP_HVA, 0);
	guest(&w, RAM_GPA, MS_PROT_W);
	guest(&w, LOG_GPA + PAGE, MS_PROT_W);
	guest(&w, DEV_GPA, MS_PROT_W);
	guest(&w, THP_GPA, MS_PROT_W);
	assert_int_equal(ms_guest_read(w.vm, HOLE).exit, MS_GUEST_MMIO);
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
	uint64_t *entry = ms_pt_slot(w->mm, addr, MS_LEVEL_PTE);

	assert_non_null(entry);
	return entry;
}

/* ---- the VM ---- */

static void a_vm_has_a_table_while_it_has_a_process(void **state)
{
	struct world w = world("6.12.117");

	breaks_pointer(w.m, &w.vm->mm, NULL, "has one of process and nested table");
	breaks_pointer(w.m, &w.vm->x86.tdp, NULL, "has one of process and nested table");
	world_end(&w);
}

static void nothing_goes_on_between_operations(void **state)
{
	struct world w = world("6.12.117");

	breaks_bool(w.m, &w.vm->x86.by_cpu, true, "a change of an entry has not come to its end");
	breaks_bool(w.m, &w.vm->x86.in_fast, true, "a change of an entry has not come to its end");
	breaks_u32(w.m, &w.vm->in_abort, 1, "an abort has not come to its end");
	breaks_u32(w.m, &w.vm->invalidate_in_progress, 1, "0 invalidations go on, 1 count");
	world_end(&w);
}

static void the_table_is_whole_by_itself(void **state)
{
	struct world w = world("6.12.117");

	breaks_u32(w.m, &w.vm->x86.tdp->linked, 1, "vm 1: nested table: ");
	world_end(&w);
}

/* ---- what the table shadows ---- */

static void an_entry_is_inside_of_a_slot(void **state)
{
	struct world w = world("6.12.117");

	breaks_u64(w.m, &w.ram->base_gfn, RAM_GPA / PAGE + 1,
		   "vm 1: nested table at 0x80000000 (0x1000 bytes to ");
	breaks_u64(w.m, &w.thp->npages, 4, "not inside of a memslot");
	world_end(&w);
}

static void an_entry_is_no_larger_than_its_slot_allows(void **state)
{
	struct world w = world("6.12.117");

	// a page further on in the process, so that they are not congruent
	breaks_u64(w.m, &w.thp->hva, THP_HVA - PAGE, "larger than its memslot allows");
	world_end(&w);
}

static void a_guest_page_is_the_page_that_the_host_has(void **state)
{
	struct world w = world("6.12.117");
	uint64_t *entry = pte(&w, RAM_HVA);

	breaks_u64(w.m, entry, 0, "host address 0x200000000000: the host maps nothing there");
	breaks_u64(w.m, entry, *entry + PAGE, "the host maps something else there");
	breaks_u64(w.m, entry, *entry & ~MS_PTE_WRITE, "the guest may write, the host may not");
	breaks_u64(w.m, entry, (*entry & ~MS_PTE_PRESENT) | MS_PTE_PROTNONE,
		   "the host may not access it");
	world_end(&w);
}

static void a_block_is_looked_at_whole(void **state)
{
	struct world w = world("6.12.117");
	uint64_t *entry = ms_pt_slot(w.mm, THP_HVA, MS_LEVEL_PMD);

	assert_non_null(entry);
	breaks_u64(w.m, entry, 0, "host address 0x208000000000: the host maps nothing there");
	breaks_u64(w.m, entry, *entry + MS_2M, "the host maps something else there");
	world_end(&w);
}

/* Up to 5.10.18 KVM does not ask a raw pfn's entry; of memory it always does. */
static void a_raw_page_may_be_written_to_where_its_entry_is_not_asked(void **state)
{
	struct ms_policy policy = *ms_policy_linux("6.12.117", MS_ARCH_X86_64);
	struct world w = world("6.12.117");

	breaks_u64(w.m, pte(&w, DEV_HVA), *pte(&w, DEV_HVA) & ~MS_PTE_WRITE,
		   "host address 0x210000000000: the guest may write, the host may not");
	policy = w.m->policy;
	assert_int_equal(ms_policy_set(&w.m->policy, "pfn_lookup_writable", "ALWAYS"), 0);
	*pte(&w, DEV_HVA) &= ~MS_PTE_WRITE;
	assert_whole(w.m);
	*pte(&w, DEV_HVA) |= MS_PTE_WRITE;
	breaks_u64(w.m, pte(&w, RAM_HVA), *pte(&w, RAM_HVA) & ~MS_PTE_WRITE,
		   "the guest may write, the host may not");
	w.m->policy = policy;
	world_end(&w);
}

static void a_guest_does_not_write_to_a_read_only_slot(void **state)
{
	struct world w = world("6.12.117");

	breaks_u32(w.m, &w.ram->flags, MS_SLOT_READONLY,
		   "host address 0x200000000000: writable in a read-only slot");
	world_end(&w);
}

static void what_the_guest_can_write_is_in_the_log(void **state)
{
	struct world w = world("6.12.117");

	breaks_u64(w.m, w.log->dirty, 1, "written to without a trace in the log");
	world_end(&w);
}

/* ---- marks ---- */

static void a_valid_mark_is_outside_of_slots(void **state)
{
	struct world w = world("6.12.117");

	breaks_u64(w.m, &w.dev->base_gfn, HOLE / PAGE,
		   "nested table at 0xc0000000: marked as no memory, inside of a memslot");
	// a stale one may be anywhere
	slot(&w, 5, HOLE, 2 * PAGE, RAM_HVA, 0);
	assert_whole(w.m);
	world_end(&w);
}

/* ---- tables that a fetch has made ---- */

static void what_is_to_be_recovered_is_there(void **state)
{
	struct world w = world("6.12.117");
	struct ms_nx_table *t;

	ms_kvm_set_nx_huge_pages(w.m, MS_NX_HUGE_PAGES_FORCE);
	guest(&w, THP_GPA, MS_PROT_X);
	guest(&w, RAM_GPA, MS_PROT_X); // no block, so that there is nothing to recover
	t = TAILQ_FIRST(&w.vm->x86.nx_recoverable);
	assert_non_null(t);
	assert_int_equal(t->ipa, THP_GPA);
	breaks_bool(w.m, &t->recoverable, false, "1 tables are to be recovered, 0 can be");
	breaks_u64(w.m, &t->ipa, THP_GPA + MS_1G,
		   "table at 0xf0000000 that a fetch has made: it is gone");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vm_has_a_table_while_it_has_a_process),
		cmocka_unit_test(nothing_goes_on_between_operations),
		cmocka_unit_test(the_table_is_whole_by_itself),
		cmocka_unit_test(an_entry_is_inside_of_a_slot),
		cmocka_unit_test(an_entry_is_no_larger_than_its_slot_allows),
		cmocka_unit_test(a_guest_page_is_the_page_that_the_host_has),
		cmocka_unit_test(a_block_is_looked_at_whole),
		cmocka_unit_test(a_raw_page_may_be_written_to_where_its_entry_is_not_asked),
		cmocka_unit_test(a_guest_does_not_write_to_a_read_only_slot),
		cmocka_unit_test(what_the_guest_can_write_is_in_the_log),
		cmocka_unit_test(a_valid_mark_is_outside_of_slots),
		cmocka_unit_test(what_is_to_be_recovered_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
