/* SPDX-License-Identifier: GPL-2.0-only */
/* Each allocation fails once: the answer is the kernel's, and what is left is as before. */
#include "world.h"

#include "machine/internal.h"

#define OFF_2 (UINT64_C(2) << 40)

struct attempt {
	struct ms_machine *m;
	struct ms_mm *mm;
	struct ms_device *b;
	struct ms_file *file;
};

/* One operation; true when it succeeded. */
typedef bool operation(struct attempt *t);

/* Fails the first, the second, ... allocation of `op` until it succeeds; the caller's checks follow
 * each failure: nothing of the driver's is left, and the same operation then works. */
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
		live = t.m->live;
		ms_machine_fail_alloc(t.m, n);
		done = op(&t);
		ms_machine_fail_alloc(t.m, 0);
		if (!done) {
			assert_int_equal(t.m->live, live);
			assert_int_equal(memtypes(t.m), 0);
			assert_true(op(&t));
		}
		machine_end(t.m);
		assert_true(n < 100);
	}
}

static void nothing(struct attempt *t)
{
	(void)t;
}

static bool open_resource(struct attempt *t)
{
	return ms_pci_resource(t->b);
}

static bool open_devmem(struct attempt *t)
{
	return ms_devmem_open(t->m, true);
}

static bool open_pieces(struct attempt *t)
{
	static const struct ms_piece piece = { 0, 0x1000, 0 };

	return ms_pieces_open(t->b, MS_PIECES_LAZY, MS_CACHE_WB, &piece, 1);
}

static bool open_lazy(struct attempt *t)
{
	return ms_lazy_open(t->b, 0, MS_CACHE_WB, 0);
}

static bool open_vfio_device(struct attempt *t)
{
	return ms_vfio_open(t->b);
}

static void opening_a_file_answers_null(void **state)
{
	(void)state;
	fail_each("6.12.107", nothing, open_resource);
	fail_each("6.12.107", nothing, open_devmem);
	fail_each("6.12.107", nothing, open_pieces);
	fail_each("6.12.107", nothing, open_lazy);
	fail_each("6.12.107", nothing, open_vfio_device);
}

static bool claim(struct attempt *t)
{
	int err = ms_iomem_claim(t->m, B_PA, B_SIZE);

	assert_true(err == 0 || err == -ENOMEM);
	assert_int_equal(ms_iomem_is_exclusive(t->m, B_PA), err == 0);
	return err == 0;
}

static void a_claim_is_enomem(void **state)
{
	(void)state;
	fail_each("6.12.107", nothing, claim);
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
	(void)state;
	fail_each("6.1.192", open_vfio, mmap_vfio);
}

/* The fault of V1: the remap's tables, the memtype, the list's node. */
static void a_failing_vfio_fault_leaves_no_pages(void **state)
{
	(void)state;
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

static bool mmap_lazy_pieces(struct attempt *t)
{
	static const struct ms_piece piece = { 0, 0x1000, 0 };
	struct ms_file *file = ms_pieces_open(t->b, MS_PIECES_LAZY, MS_CACHE_WB, &piece, 1);
	int64_t ret = file ? map(t->mm, A, 0x1000, file, 0) : -ENOMEM;

	assert_true(ret == (int64_t)A || ret == -ENOMEM);
	ms_file_put(file);
	return ret == (int64_t)A;
}

static void mmap_of_lazy_pieces_is_enomem(void **state)
{
	(void)state;
	fail_each("6.12.107", nothing, mmap_lazy_pieces);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opening_a_file_answers_null),
		cmocka_unit_test(a_claim_is_enomem),
		cmocka_unit_test(mmap_of_vfio_leaves_no_claim_without_its_memtype),
		cmocka_unit_test(a_failing_vfio_fault_leaves_no_pages),
		cmocka_unit_test(mmap_of_lazy_pieces_is_enomem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
