/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a BAR's claim and a fault of vfio-pci leave when memory is out. That each operation answers
 * as it should, and leaves the machine whole, is tests/oom's.
 */
#include "world.h"

#include "core/core.h"

#define OFF_2 (UINT64_C(2) << 40)

struct attempt {
	struct ms_machine *m;
	struct ms_mm *mm;
	struct ms_device *b;
	struct ms_file *file;
};

/* One operation; true when it succeeded. */
typedef bool operation(struct attempt *t);

/*
 * Fails the first, the second, ... allocation of `op` until it succeeds; the caller's checks follow
 * each failure: nothing of the driver's is left, and the same operation then works.
 */
static void fail_each(const char *release, void (*prepare)(struct attempt *t), operation *op)
{
	bool done = false;

	for (uint64_t n = 1; !done; n++) {
		struct attempt t = { .m = machine(release, MS_ARCH_X86_64) };
		uint64_t live;

		t.mm = ms_mm_new(t.m);
		t.b = bar_b(t.m);
		ms_trace_keep(t.m, 0);
		prepare(&t);
		live = t.m->alloc.live;
		ms_machine_fail_alloc(t.m, n);
		done = op(&t);
		ms_machine_fail_alloc(t.m, 0);
		if (!done) {
			assert_int_equal(t.m->alloc.live, live);
			assert_int_equal(memtypes(t.m), 0);
			assert_true(op(&t));
		}
		machine_end(t.m);
		assert_true(n < 100);
	}
}

static void open_vfio(struct attempt *t)
{
	t->file = ms_vfio_open(t->b);
}

static bool mmap_vfio(struct attempt *t)
{
	int64_t ret = map(t->mm, A, B_SIZE, t->file, OFF_2);

	assert_true(ret == (int64_t)A || ret == -ENOMEM || ret == -EBUSY);
	assert_int_equal(ms_iomem_is_exclusive(t->m, B_PA), memtypes(t->m) == 1);
	if (ret == (int64_t)A)
		return true;
	// a claim that was had stays with the device, as in the kernel
	ms_file_put(t->file);
	assert_int_equal(memtypes(t->m), 0);
	t->file = ms_vfio_open(t->b);
	return false;
}

static void mmap_of_vfio_leaves_no_claim_without_its_memtype(void **state)
{
	fail_each("6.1.192", open_vfio, mmap_vfio);
}

/* The fault of V1: the remap's tables, the memtype, the list's node. */
static void a_failing_vfio_fault_leaves_no_pages(void **state)
{
	for (uint64_t n = 1;; n++) {
		struct ms_machine *m = machine("6.1.192", MS_ARCH_ARM64);
		struct ms_mm *mm = ms_mm_new(m);
		struct ms_file *file = ms_vfio_open(bar_b(m));
		enum ms_access got;

		map(mm, A, B_SIZE, file, OFF_2);
		ms_trace_keep(m, 0);
		ms_machine_fail_alloc(m, n);
		got = ms_touch(mm, A, MS_PROT_R);
		ms_machine_fail_alloc(m, 0);
		if (got != MS_ACCESS_OK) {
			assert_true(got == MS_ACCESS_OOM || got == MS_ACCESS_SIGBUS);
			assert_int_equal(present(mm, A, A + B_SIZE), 0);
			assert_int_equal(ms_touch(mm, A, MS_PROT_R), MS_ACCESS_OK);
		}
		ms_vfio_set_memory(file, false);
		assert_int_equal(present(mm, A, A + B_SIZE), 0);
		machine_end(m);
		if (got == MS_ACCESS_OK)
			break;
		assert_true(n < 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mmap_of_vfio_leaves_no_claim_without_its_memtype),
		cmocka_unit_test(a_failing_vfio_fault_leaves_no_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
