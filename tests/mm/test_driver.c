/* SPDX-License-Identifier: GPL-2.0-only */
/* How driver code is called: on which machine, for which process, under which mmap lock. */
#include "mm/lock.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define A UINT64_C(0x200000000000)
#define PAGE UINT64_C(0x1000)
#define BAR UINT64_C(0x8000000000)

/*
 * What the callbacks below have seen, in order: one letter each, capital with the lock for writing.
 */
struct seen {
	char calls[32];
	size_t len;
	struct ms_machine *machine;
	struct ms_mm *driver_mm; // at the last call
};

static void note(struct ms_vma *vma, char letter)
{
	struct seen *seen = vma->vm_private_data;
	const bool writer = vma->vm_mm->mmap_writer;

	assert_true(writer || vma->vm_mm->mmap_readers);
	seen->calls[seen->len++] = writer ? letter : (char)(letter | 0x20);
	seen->machine = ms_current_machine();
	seen->driver_mm = ms_vma_machine(vma)->call.mm;
}

static void note_open(struct ms_vma *vma)
{
	note(vma, 'O');
}

static void note_close(struct ms_vma *vma)
{
	note(vma, 'C');
}

static int note_may_split(struct ms_vma *vma, ms_hva_t addr)
{
	note(vma, 'S');
	return 0;
}

static int note_mremap(struct ms_vma *vma)
{
	note(vma, 'M');
	return 0;
}

static int note_mprotect(struct ms_vma *vma, ms_hva_t start, ms_hva_t end, uint64_t newflags)
{
	note(vma, 'P');
	return 0;
}

static ms_vm_fault_t note_fault(struct ms_vm_fault *vmf)
{
	note(vmf->vma, 'F');
	return ms_vmf_insert_pfn(vmf->vma, vmf->address, (BAR >> 12) + vmf->pgoff);
}

static ms_vm_fault_t note_huge_fault(struct ms_vm_fault *vmf, unsigned int order)
{
	note(vmf->vma, 'H');
	return MS_VM_FAULT_FALLBACK;
}

static ms_vm_fault_t note_pfn_mkwrite(struct ms_vm_fault *vmf)
{
	note(vmf->vma, 'W');
	return 0;
}

static int note_mmap(struct ms_file *file, struct ms_vma *vma)
{
	static const struct ms_vm_ops ops = {
		.open = note_open,
		.close = note_close,
		.may_split = note_may_split,
		.mremap = note_mremap,
		.mprotect = note_mprotect,
		.fault = note_fault,
		.huge_fault = note_huge_fault,
		.pfn_mkwrite = note_pfn_mkwrite,
	};

	vma->vm_ops = &ops;
	vma->vm_private_data = ms_file_priv(file);
	vma->vm_flags |= MS_VM_PFNMAP | MS_VM_IO;
	note(vma, 'N');
	return 0;
}

static const struct ms_file_ops note_ops = { .name = "note", .mmap = note_mmap };

struct world {
	struct ms_machine *m;
	struct ms_mm *mm;
	struct ms_file *file;
};

static struct world world(struct seen *seen)
{
	struct world w = { .m = ms_machine_new(ms_policy_linux("6.12.117", MS_ARCH_X86_64)) };

	assert_non_null(w.m);
	w.mm = ms_mm_new(w.m);
	w.file = ms_file_new(w.m, &note_ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, seen);
	assert_int_equal(
		ms_mmap(w.mm, A, 4 * PAGE, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, w.file, 0), A);
	return w;
}

/* Capitals: the mmap lock is held for writing. */
static void assert_calls(struct seen *seen, const char *calls)
{
	seen->calls[seen->len] = '\0';
	assert_string_equal(seen->calls, calls);
	seen->len = 0;
}

static void faults_hold_the_lock_for_reading_and_the_rest_for_writing(void **state)
{
	struct seen seen = { .len = 0 };
	struct world w = world(&seen);

	assert_calls(&seen, "N");
	ms_touch(w.mm, A, MS_PROT_W); // PUD, PMD, the page, its first write
	assert_calls(&seen, "hhfw");
	ms_mprotect(w.mm, A + PAGE, PAGE, MS_PROT_R); // split twice
	assert_calls(&seen, "PSOSO");
	ms_machine_free(w.m);
}

static void munmap_closes_under_the_lock_for_reading(void **state)
{
	struct seen seen = { .len = 0 };
	struct world w = world(&seen);

	seen.len = 0;
	ms_munmap(w.mm, A + 2 * PAGE, 2 * PAGE);
	assert_calls(&seen, "SOc");
	ms_mmap(w.mm, A, PAGE, MS_PROT_R, MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL,
		0);
	assert_calls(&seen, "SOC"); // MAP_FIXED keeps it for writing
	ms_mremap(w.mm, A + PAGE, PAGE, PAGE, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, A + 16 * PAGE);
	assert_calls(&seen, "OMC");
	ms_mm_exit(w.mm);
	assert_calls(&seen, "C");
	ms_machine_free(w.m);
}

static void the_machine_is_known_while_the_driver_runs(void **state)
{
	struct seen seen = { .len = 0 };
	struct world w = world(&seen);

	assert_ptr_equal(seen.machine, w.m);
	assert_ptr_equal(seen.driver_mm, w.mm);
	assert_null(ms_current_machine());
	assert_null(w.m->call.mm);
	ms_machine_free(w.m);
}

static void fork_opens_for_the_parent(void **state)
{
	struct seen seen = { .len = 0 };
	struct world w = world(&seen);

	seen.len = 0;
	assert_non_null(ms_fork(w.mm));
	assert_calls(&seen, "O");
	assert_ptr_equal(seen.driver_mm, w.mm);
	assert_null(w.m->call.mm);
	ms_machine_free(w.m);
}

static void hook_outside(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	assert_null(m->call.mm);
	++*(int *)arg;
}

/* A hook is somebody else: neither this driver's code nor its lock. */
static void hooks_run_outside_of_the_driver(void **state)
{
	struct seen seen = { .len = 0 };
	struct world w = world(&seen);
	int called = 0;

	ms_machine_set_hook(w.m, MS_HOOK_DRIVER_FAULT, hook_outside, &called);
	ms_machine_set_hook(w.m, MS_HOOK_DRIVER_FAULT_DONE, hook_outside, &called);
	ms_touch(w.mm, A, MS_PROT_R);
	assert_int_equal(called, 6);
	ms_machine_free(w.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_hold_the_lock_for_reading_and_the_rest_for_writing),
		cmocka_unit_test(munmap_closes_under_the_lock_for_reading),
		cmocka_unit_test(the_machine_is_known_while_the_driver_runs),
		cmocka_unit_test(fork_opens_for_the_parent),
		cmocka_unit_test(hooks_run_outside_of_the_driver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
