// SPDX-License-Identifier: GPL-2.0-only
/*
 * Somebody else acts in the middle of a guest's fault. Where:
 *
 *   the host's fault: DRIVER_FAULT, DRIVER_FAULT_DONE    the mmap lock is held
 *   pfn looked up:    PFN_FOUND, MMU_LOCK                none is
 *   entry made:       MAPPED                             none is
 *
 * What the guest ends with is what the kernel would have: an entry for the page that the process
 * has now, or the error that an access after it all would have.
 */
#include "world.h"

#include "mm/view.h"

struct act {
	const char *name;
	void (*act)(struct world *w);
	bool needs_mmap_lock; /* for writing */
	bool takes, protects; /* the page from the process, or it from writes */
};

struct other {
	struct world *w;
	const struct act *act;
	unsigned int calls;
	bool mapped; /* the host has, when the act comes */
};

/* ---- what others do ---- */

/* What a call answers that needs the mmap lock for writing. */
static int locked(const struct world *w)
{
	return ms_mm_lock_state(w->mm) == MS_MMAP_FREE ? 0 : -EBUSY;
}

static void unmap(struct world *w)
{
	assert_int_equal(ms_munmap(w->mm, HVA, MS_2M), locked(w));
}

static void unmap_a_page(struct world *w)
{
	assert_int_equal(ms_munmap(w->mm, HVA + PAGE, PAGE), locked(w));
}

static void protect(struct world *w)
{
	assert_int_equal(ms_mprotect(w->mm, HVA, MS_2M, MS_PROT_R), locked(w));
}

static void protect_from_reads(struct world *w)
{
	assert_int_equal(ms_mprotect(w->mm, HVA, MS_2M, 0), locked(w));
}

static bool is_device(const struct world *w)
{
	return ms_find_vma(w->mm, HVA)->vm_flags & MS_VM_PFNMAP;
}

/* By the process or, of a device, by its driver. */
static void give_back(struct world *w)
{
	if (is_device(w))
		ms_pieces_revoke(ms_device_find(w->m, "bar"), 0, PAGE);
	else
		assert_int_equal(ms_madvise(w->mm, HVA, MS_2M, MS_MADV_DONTNEED), 0);
}

static void fork_and_exit(struct world *w)
{
	struct ms_mm *child = ms_fork(w->mm);

	if (locked(w))
		assert_null(child);
	else
		ms_mm_exit(child);
}

static void delete_slot(struct world *w)
{
	// the kernel would sleep until the fault has ended
	assert_int_equal(ms_vm_set_slot(w->vm, 1, GPA, 0, HVA, 0), -EBUSY);
}

static void read_log(struct world *w)
{
	uint64_t bitmap[8];

	assert_int_equal(ms_vm_get_dirty(w->vm, 1, bitmap, 8, NULL), 0);
}

static void free_vm(struct world *w)
{
	const uint64_t before = ms_violations(w->m);

	ms_vm_free(w->vm);
	assert_int_equal(ms_violations(w->m), before + 1);
}

static void zap_by_module_parameter(struct world *w)
{
	ms_kvm_set_nx_huge_pages(w->m, MS_NX_HUGE_PAGES_FORCE);
}

static void other_access(struct world *w)
{
	assert_int_equal(ms_guest_read(w->vm, GPA + 2 * PAGE).exit, MS_GUEST_OK);
}

static const struct act acts[] = {
	{ "munmap", unmap, true, .takes = true },
	{ "munmap of another page", unmap_a_page, true },
	{ "mprotect", protect, true, .protects = true },
	{ "mprotect, no access", protect_from_reads, true, .protects = true },
	{ "MADV_DONTNEED or revoke", give_back },
	{ "fork", fork_and_exit, true },
	{ "delete the slot", delete_slot },
	{ "KVM_GET_DIRTY_LOG", read_log },
	{ "free the VM", free_vm },
	{ "nx_huge_pages=force", zap_by_module_parameter },
	{ "another access of the guest", other_access },
};

static bool holds_mmap_lock(enum ms_hook_point point)
{
	return point == MS_HOOK_DRIVER_FAULT || point == MS_HOOK_DRIVER_FAULT_DONE;
}

static void run_once(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct other *other = arg;
	struct ms_host_leaf host;

	ms_machine_set_hook(m, point, NULL, NULL);
	other->calls++;
	other->mapped = ms_host_leaf(other->w->mm, HVA, &host);
	other->act->act(other->w);
}

/* ---- the guest's memory ---- */

static void with_pages(struct world *w)
{
	map_pages(w, HVA, MS_2M);
}

static void with_block(struct world *w)
{
	map_anon(w, HVA, MS_2M);
}

static void with_file(struct world *w)
{
	struct ms_file *file = ms_memfd_new(w->m, MS_2M);

	assert_int_equal(ms_mmap(w->mm, HVA, MS_2M, MS_PROT_RW,
				 MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, file, 0),
			 HVA);
	ms_file_put(file);
}

/* Its leaves are as large as KVM can find them. */
static void with_device(struct world *w)
{
	const struct ms_policy *k = ms_machine_policy(w->m);

	map_lazy(w, HVA, MS_2M, MS_PROT_RW,
		 k->pfn_lookup == MS_PFN_LOOKUP_PTE_ONLY ? MS_PIECES_LAZY : MS_PIECES_LAZY_HUGE);
}

static void (*const memory[])(struct world *w) = { with_pages, with_block, with_file, with_device };

static const enum ms_hook_point points[] = { MS_HOOK_S2_PFN_FOUND, MS_HOOK_S2_MMU_LOCK,
					     MS_HOOK_S2_MAPPED, MS_HOOK_DRIVER_FAULT,
					     MS_HOOK_DRIVER_FAULT_DONE };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* How a write ends. To a device that is there, but protected, KVM makes it itself, and cannot. */
static enum ms_guest_exit expected(const struct world *w, const struct act *act,
				   enum ms_hook_point point)
{
	if (act->needs_mmap_lock && holds_mmap_lock(point))
		return MS_GUEST_OK;
	if (act->takes)
		return MS_GUEST_ERROR;
	if (act->protects)
		return ms_find_vma(w->mm, HVA)->vm_flags & MS_VM_PFNMAP ? MS_GUEST_MMIO
									: MS_GUEST_ERROR;
	return MS_GUEST_OK;
}

/* Every entry is of a page that the process has, which ms_machine_check() sees to; what the guest's
 * access ended with is what another one ends with now. */
static void assert_as_in_the_kernel(const struct other *other, enum ms_hook_point point,
				    const struct ms_guest_access *access)
{
	const struct act *act = other->act;
	struct world *w = other->w;
	const enum ms_guest_exit after = expected(w, act, point);
	// what the host's fault has mapped is gone when KVM looks it up: that is not tried again
	const bool lost = act->act == give_back && is_device(w) && other->mapped &&
			  point == MS_HOOK_DRIVER_FAULT_DONE;
	const enum ms_guest_exit exit = lost ? MS_GUEST_ERROR : after;

	if (ms_machine_check(w->m, stderr))
		fail_msg("%s at %s: the machine is not whole", act->name, ms_hook_name(point));
	if (access->exit != exit)
		fail_msg("%s at %s on %s: exit %d, error %d", act->name, ms_hook_name(point),
			 ms_machine_policy(w->m)->release, access->exit, access->err);
	assert_int_equal(access->err, exit == MS_GUEST_ERROR ? -EFAULT : 0);
	assert_exit(w, GPA, MS_PROT_W, after, after == MS_GUEST_ERROR ? -EFAULT : 0);
}

static void race(const struct ms_policy *k, void (*map)(struct world *w), const struct act *act,
		 enum ms_hook_point point, unsigned int flags)
{
	struct world w = x86_start(k, NULL);
	struct other other = { .w = &w, .act = act };
	struct ms_guest_access access;

	map(&w);
	show(&w, MS_2M, flags);
	ms_machine_set_hook(w.m, point, run_once, &other);
	access = ms_guest_write(w.vm, GPA);
	// memory without a driver has no DRIVER_FAULT
	if (other.calls)
		assert_as_in_the_kernel(&other, point, &access);
	else if (!holds_mmap_lock(point))
		fail_msg("%s: no %s on %s: exit %d, %s", act->name, ms_hook_name(point), k->release,
			 access.exit, ms_last_reason(w.m));
	ms_machine_set_hook(w.m, point, NULL, NULL);
	world_end(&w);
}

static void each_act_at_each_point_ends_as_in_the_kernel(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64)
		for (size_t memo = 0; memo < COUNT(memory); memo++)
			for (size_t a = 0; a < COUNT(acts); a++)
				for (size_t p = 0; p < COUNT(points); p++)
					race(k, memory[memo], &acts[a], points[p],
					     MS_SLOT_LOG_DIRTY);
}

static void without_a_log_too(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64)
		for (size_t memo = 0; memo < COUNT(memory); memo++)
			for (size_t a = 0; a < COUNT(acts); a++)
				for (size_t p = 0; p < COUNT(points); p++)
					if (acts[a].act != read_log)
						race(k, memory[memo], &acts[a], points[p], 0);
}

/* ---- some of them, closer ---- */

struct hooked {
	struct world *w;
	void (*act)(struct world *w);
	unsigned int calls;
};

static void act_once(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct hooked *hooked = arg;

	ms_machine_set_hook(m, point, NULL, NULL);
	hooked->calls++;
	hooked->act(hooked->w);
}

static struct ms_guest_access write_while(struct world *w, enum ms_hook_point point,
					  void (*act)(struct world *w))
{
	struct hooked hooked = { .w = w, .act = act };
	struct ms_guest_access access;

	events(w);
	ms_machine_set_hook(w->m, point, act_once, &hooked);
	access = ms_guest_write(w->vm, GPA);
	assert_int_equal(hooked.calls, 1);
	return access;
}

static void memory_that_goes_after_its_lookup_is_not_mapped(void **state)
{
	const struct ms_policy *k;

	for_each_step (k, MS_ARCH_X86_64) {
		struct world w = x86_start(k, NULL);
		struct ms_guest_access access;

		map_anon(&w, HVA, MS_2M);
		show(&w, MS_2M, 0);
		access = write_while(&w, MS_HOOK_S2_PFN_FOUND, unmap);
		assert_int_equal(access.faults, 2);
		assert_int_equal(access.err, -EFAULT);
		assert_string_equal(events(&w), "s2.unmap ipa=0x80000000 size=0x200000\n");
		world_end(&w);
	}
}

static void memory_that_goes_once_it_is_mapped_is_faulted_for_again(void **state)
{
	struct world w = x86_world("6.12.117");

	map_pages(&w, HVA, MS_2M);
	show(&w, MS_2M, 0);
	assert_int_equal(write_while(&w, MS_HOOK_S2_MAPPED, give_back).faults, 2);
	assert_string_equal(events(&w),
			    "s2.map ipa=0x80000000 size=0x1000 pa=ram " RWX " leaf=0x1000\n"
			    "s2.unmap ipa=0x80000000 size=0x200000\n"
			    "s2.zap ipa=0x80000000 size=0x1000 leaf=0x1000\n"
			    "s2.map ipa=0x80000000 size=0x1000 pa=ram " RWX " leaf=0x1000\n");
	world_end(&w);
}

/* The page is looked up as a block's, the block is torn, and pages are what is mapped. */
static void a_block_that_is_torn_after_its_lookup_is_mapped_as_pages(void **state)
{
	struct world w = x86_world("6.12.117");
	struct ms_guest_access access;

	map_anon(&w, HVA, MS_2M);
	show(&w, MS_2M, 0);
	access = write_while(&w, MS_HOOK_S2_PFN_FOUND, unmap_a_page);
	assert_int_equal(access.exit, MS_GUEST_OK);
	assert_int_equal(access.leaf.size, PAGE);
	world_end(&w);
}

static void exit_process(struct world *w)
{
	ms_mm_exit(w->mm);
}

static void a_process_that_ends_takes_the_access_with_it(void **state)
{
	static const enum ms_hook_point at[] = { MS_HOOK_S2_PFN_FOUND, MS_HOOK_S2_MMU_LOCK,
						 MS_HOOK_S2_MAPPED };

	for (size_t i = 0; i < COUNT(at); i++) {
		struct world w = x86_world("6.12.117");
		struct ms_guest_access access;

		map_pages(&w, HVA, MS_2M);
		show(&w, MS_2M, 0);
		access = write_while(&w, at[i], exit_process);
		assert_int_equal(access.exit, MS_GUEST_ERROR);
		assert_int_equal(access.err, -EIO);
		assert_refused(&w, -EIO, "the process of VM 1 has ended");
		assert_null(ms_vm_tdp(w.vm));
		world_end(&w);
	}
}

static void a_process_that_ends_in_the_middle_of_a_prefault_ends_that(void **state)
{
	static const enum ms_hook_point at[] = { MS_HOOK_S2_PFN_FOUND, MS_HOOK_S2_MMU_LOCK,
						 MS_HOOK_S2_MAPPED };

	for (size_t i = 0; i < COUNT(at); i++) {
		struct world w = x86_world("6.12.117");
		struct hooked hooked = { .w = &w, .act = exit_process };
		uint64_t left;

		map_pages(&w, HVA, MS_2M);
		show(&w, MS_2M, 0);
		ms_machine_set_hook(w.m, at[i], act_once, &hooked);
		assert_int_equal(ms_vm_prefault(w.vm, GPA, 3 * PAGE, &left), -EIO);
		assert_int_equal(left, 3 * PAGE);
		world_end(&w);
	}
}

static void a_prefault_goes_on_over_what_others_do(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64) {
		if (k->kvm_prefault == MS_KVM_PREFAULT_ABSENT)
			continue;
		for (size_t p = 0; p < 3; p++) {
			struct world w = x86_start(k, NULL);
			struct hooked hooked = { .w = &w, .act = give_back };
			uint64_t left;

			map_anon(&w, HVA, MS_2M);
			show(&w, MS_2M, 0);
			ms_machine_set_hook(w.m, points[p], act_once, &hooked);
			assert_int_equal(ms_vm_prefault(w.vm, GPA, MS_2M, &left), 0);
			assert_int_equal(hooked.calls, 1);
			assert_int_equal(left, 0);
			// what goes once it is mapped counts as done
			assert_int_equal(leaf_at(&w, GPA).size != 0,
					 points[p] != MS_HOOK_S2_MAPPED);
			world_end(&w);
		}
	}
}

static void a_device_that_is_revoked_meanwhile_is_mapped_anew(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64)
		for (size_t p = 0; p < 3; p++) {
			struct world w = x86_start(k, NULL);
			struct ms_guest_access access;

			with_device(&w);
			show(&w, MS_2M, 0);
			access = write_while(&w, points[p], give_back);
			assert_int_equal(access.exit, MS_GUEST_OK);
			assert_int_equal(access.faults, 2);
			world_end(&w);
		}
}

static struct ms_file *vfio_of(struct world *w)
{
	return ms_find_vma(w->mm, HVA)->vm_file;
}

static void memory_off(struct world *w)
{
	assert_int_equal(ms_vfio_set_memory(vfio_of(w), false), 0);
}

static void a_device_that_is_turned_off_meanwhile_is_not_mapped(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_X86_64)
		for (size_t p = 0; p < 3; p++) {
			struct world w = x86_start(k, NULL);
			struct ms_file *vfio = ms_vfio_open(ms_device_find(w.m, "bar"));

			assert_int_equal(ms_mmap(w.mm, HVA, MS_2M, MS_PROT_RW,
						 MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE, vfio,
						 ms_vfio_offset(vfio)),
					 HVA);
			show(&w, MS_2M, 0);
			assert_int_equal(write_while(&w, points[p], memory_off).err, -EFAULT);
			assert_int_equal(leaf_at(&w, GPA).size, 0);
			assert_int_equal(ms_violations(w.m), 0);
			ms_file_put(vfio);
			world_end(&w);
		}
}

/* The log is read between the mark of a page and the guest's write: the write is in the next one.
 */
static void a_log_that_is_read_meanwhile_misses_no_write(void **state)
{
	static const enum ms_hook_point at[] = { MS_HOOK_S2_PFN_FOUND, MS_HOOK_S2_MMU_LOCK,
						 MS_HOOK_S2_MAPPED };

	for (size_t i = 0; i < COUNT(at); i++) {
		struct world w = x86_world("6.12.117");

		map_pages(&w, HVA, MS_2M);
		show(&w, MS_2M, MS_SLOT_LOG_DIRTY);
		assert_int_equal(write_while(&w, at[i], read_log).exit, MS_GUEST_OK);
		assert_int_equal(get_dirty(&w), 1);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_act_at_each_point_ends_as_in_the_kernel),
		cmocka_unit_test(without_a_log_too),
		cmocka_unit_test(memory_that_goes_after_its_lookup_is_not_mapped),
		cmocka_unit_test(memory_that_goes_once_it_is_mapped_is_faulted_for_again),
		cmocka_unit_test(a_block_that_is_torn_after_its_lookup_is_mapped_as_pages),
		cmocka_unit_test(a_process_that_ends_takes_the_access_with_it),
		cmocka_unit_test(a_process_that_ends_in_the_middle_of_a_prefault_ends_that),
		cmocka_unit_test(a_prefault_goes_on_over_what_others_do),
		cmocka_unit_test(a_device_that_is_revoked_meanwhile_is_mapped_anew),
		cmocka_unit_test(a_device_that_is_turned_off_meanwhile_is_not_mapped),
		cmocka_unit_test(a_log_that_is_read_meanwhile_misses_no_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
