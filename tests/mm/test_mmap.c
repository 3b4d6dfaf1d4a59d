/* SPDX-License-Identifier: GPL-2.0-only */
/* mmap: arguments, placement, MAP_FIXED, drivers that refuse. */
#include "world.h"

#define FIXED (MS_MAP_SHARED | MS_MAP_FIXED)

static int refuse(struct ms_file *file, struct ms_vma *vma)
{
	return -EINVAL;
}

static int refuse_early(struct ms_file *file, struct ms_vma_desc *desc)
{
	return -EPERM;
}

static int accept(struct ms_file *file, struct ms_vma *vma)
{
	return 0;
}

static struct ms_file *file_of(struct world *w, const struct ms_file_ops *ops, unsigned int fmode)
{
	struct ms_file *f = ms_file_new(w->m, ops, fmode, 16 * PAGE, NULL, NULL);

	assert_non_null(f);
	return f;
}

static void arguments_are_checked_in_the_kernels_order(void **state)
{
	static const struct ms_file_ops ops = { .name = "ok", .mmap = accept };
	struct world w = world("6.12.117");
	struct ms_file *f = file_of(&w, &ops, MS_FMODE_READ | MS_FMODE_WRITE);
	const unsigned int priv = MS_MAP_PRIVATE | MS_MAP_FIXED, anon = priv | MS_MAP_ANONYMOUS;

	assert_int_equal(ms_mmap(w.mm, A, 0, MS_PROT_R, anon, NULL, 0), -EINVAL);
	assert_int_equal(ms_mmap(w.mm, A + 1, PAGE, MS_PROT_R, anon, NULL, 0), -EINVAL);
	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_R, priv, f, 1), -EINVAL);
	assert_int_equal(ms_mmap(w.mm, A, UINT64_MAX, MS_PROT_R, anon, NULL, 0), -ENOMEM);
	assert_int_equal(ms_mmap(w.mm, UINT64_C(1) << 48, PAGE, MS_PROT_R, anon, NULL, 0), -ENOMEM);
	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_R, priv, f, 16 * PAGE), -EOVERFLOW);
	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_R, anon & ~MS_MAP_PRIVATE, NULL, 0),
			 -EINVAL);
	assert_int_equal(ms_mm_map_count(w.mm), 0);
	assert_int_equal(ms_trace_len(w.m), 0);
	world_end(&w);
}

static void the_kind_of_mapping_is_asked_after_everything_else(void **state)
{
	static const struct ms_file_ops ops = { .name = "ok", .mmap = accept };
	struct world w = world("6.12.117");
	struct ms_file *f = file_of(&w, &ops, MS_FMODE_READ | MS_FMODE_WRITE);
	const unsigned int none = MS_MAP_FIXED;

	map_anon(&w, A + MS_2M, PAGE, MS_PROT_R);
	assert_int_equal(ms_mmap(w.mm, A, UINT64_MAX, MS_PROT_R, none, f, 0), -ENOMEM);
	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_R, none, f, 16 * PAGE), -EOVERFLOW);
	assert_int_equal(ms_mmap(w.mm, A + MS_2M, PAGE, MS_PROT_R, MS_MAP_FIXED_NOREPLACE, f, 0),
			 -EEXIST);
	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_R, none, f, 0), -EINVAL);
	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_R, none | 0x4, f, 0), -EINVAL);
	world_end(&w);
}

static void shared_and_private_at_once_maps_a_file_shared_and_checks_the_flags(void **state)
{
	static const struct ms_file_ops ops = { .name = "ok", .mmap = accept };
	struct world w = world("6.12.117");
	struct ms_file *f = file_of(&w, &ops, MS_FMODE_READ | MS_FMODE_WRITE);
	const unsigned int both = MS_MAP_SHARED | MS_MAP_PRIVATE;

	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_R, both | MS_MAP_FIXED, f, 0), A);
	assert_true(ms_vma_lookup(w.mm, A)->vm_flags & MS_VM_SHARED);
	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_R, both | MS_MAP_FIXED | 1u << 30, f, 0),
			 -EOPNOTSUPP);
	// of all flags that are older than it, this one is not
	assert_int_equal(
		ms_mmap(w.mm, A + MS_2M, PAGE, MS_PROT_R, both | MS_MAP_FIXED_NOREPLACE, f, 0),
		-EOPNOTSUPP);
	assert_int_equal(
		ms_mmap(w.mm, A, PAGE, MS_PROT_R, MS_MAP_SHARED | MS_MAP_FIXED | 1u << 30, f, 0),
		A);
	assert_int_equal(
		ms_mmap(w.mm, A, PAGE, MS_PROT_R, both | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0),
		-EINVAL);
	world_end(&w);
}

static void prot_bits_that_are_not_known_are_ignored(void **state)
{
	struct world w = world("6.12.117");
	char buf[MS_VMFLAGS_MAX];

	assert_int_equal(map_anon(&w, A, PAGE, MS_PROT_R | 0x8000), A);
	assert_string_equal(ms_vma_flags_str(ms_vma_lookup(w.mm, A), buf, sizeof(buf)),
			    "rd,mr,mw,me");
	world_end(&w);
}

static void a_fixed_address_that_looks_like_an_error_is_answered_as_it_is(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *huge = ms_memfd_hugetlb_new(w.m, MS_2M, MS_2M);
	const unsigned int anon = MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS;

	assert_int_equal(ms_mmap(w.mm, UINT64_MAX, PAGE, MS_PROT_R, anon, NULL, 0), -1);
	assert_int_equal(ms_mmap(w.mm, (ms_hva_t)-4095, PAGE, MS_PROT_R, anon, NULL, 0), -4095);
	assert_int_equal(ms_mmap(w.mm, (ms_hva_t)-4096, PAGE, MS_PROT_R, anon, NULL, 0), -ENOMEM);
	assert_int_equal(
		ms_mmap(w.mm, UINT64_MAX, MS_2M, MS_PROT_R, MS_MAP_SHARED | MS_MAP_FIXED, huge, 0),
		-EINVAL);
	assert_int_equal(ms_mm_map_count(w.mm), 0);
	world_end(&w);
}

static void a_hugetlb_length_that_wraps_is_EINVAL(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *huge = ms_memfd_hugetlb_new(w.m, MS_2M, MS_2M);

	assert_int_equal(ms_mmap(w.mm, A, (uint64_t)-MS_4K, MS_PROT_R, MS_MAP_SHARED | MS_MAP_FIXED,
				 huge, 0),
			 -EINVAL);
	world_end(&w);
}

static void what_an_open_refused_never_becomes_anonymous_memory(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *f = ms_memfd_hugetlb_new(w.m, MS_2M, 3 * PAGE); // no such huge pages
	const unsigned int flags = MS_MAP_PRIVATE | MS_MAP_FIXED;

	assert_null(f);
	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_RW, flags, f, 0), -ENOMEM);
	assert_int_equal(ms_mm_map_count(w.mm), 0);
	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_RW, flags | MS_MAP_ANONYMOUS, f, 0), A);
	world_end(&w);
}

static void anonymous_memory_ignores_the_file(void **state)
{
	struct world w = world("6.12.117");
	struct ms_file *f = ms_memfd_new(w.m, PAGE);

	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_RW,
				 MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, f, 0),
			 A);
	assert_null(ms_vma_lookup(w.mm, A)->vm_file);
	world_end(&w);
}

static void noreplace_over_anything_is_EEXIST(void **state)
{
	struct world w = world("6.12.117");

	map_anon(&w, A, 2 * PAGE, MS_PROT_RW);
	assert_int_equal(map_anon(&w, A + PAGE, PAGE, MS_PROT_RW), -EEXIST);
	world_end(&w);
}

/*
 *            A                2^48
 *  hint A    |1  |   ...   . |
 *  hint A    |1  |   ... |2  |    A is taken
 *  no hint   |1  |...|3  |2  |
 */
static void without_fixed_a_free_hint_is_taken_else_the_highest_gap(void **state)
{
	struct world w = world("6.12.117");
	const ms_hva_t top = UINT64_C(1) << 48;

	assert_int_equal(
		ms_mmap(w.mm, A, PAGE, MS_PROT_R, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS, NULL, 0),
		(int64_t)A);
	assert_int_equal(
		ms_mmap(w.mm, A, PAGE, MS_PROT_RW, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS, NULL, 0),
		(int64_t)(top - PAGE));
	assert_int_equal(
		ms_mmap(w.mm, 0, PAGE, MS_PROT_R, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS, NULL, 0),
		(int64_t)(top - 2 * PAGE));
	world_end(&w);
}

static int64_t anon_at(struct world *w, ms_hva_t hint, uint64_t len, unsigned int flags)
{
	return ms_mmap(w->mm, hint, len, MS_PROT_R, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS | flags, NULL,
		       0);
}

static void a_hint_below_the_lowest_address_becomes_that_one(void **state)
{
	const struct {
		enum ms_arch arch;
		uint64_t configured;
		int64_t lowest;
	} rule[] = {
		{ MS_ARCH_X86_64, 0, 0x10000 },
		{ MS_ARCH_ARM64, 0, 0x8000 },
		{ MS_ARCH_X86_64, 0x1800, 0x2000 },
	};

	for (size_t i = 0; i < 3; i++) {
		const struct ms_machine_config config = { .mmap_min_addr = rule[i].configured };
		struct world w = world_config(ms_policy_linux("6.12.117", rule[i].arch), &config);

		assert_int_equal(anon_at(&w, PAGE, PAGE, 0), rule[i].lowest);
		assert_int_equal(anon_at(&w, 0, PAGE, MS_MAP_FIXED), 0);
		world_end(&w);
	}
}

static void arm64_leaves_room_for_the_lowest_addresses_even_with_fixed(void **state)
{
	struct world w = world("6.12.117");
	const uint64_t all = UINT64_C(1) << 48;

	assert_int_equal(anon_at(&w, 0, all, MS_MAP_FIXED), -ENOMEM);
	assert_int_equal(anon_at(&w, 0, all - 0x8000 + PAGE, MS_MAP_FIXED), -ENOMEM);
	assert_int_equal(anon_at(&w, 0, all - 0x8000, MS_MAP_FIXED), 0);
	world_end(&w);
	w = world_thp("6.12.117", MS_ARCH_X86_64, MS_THP_NEVER);
	assert_int_equal(anon_at(&w, 0, (UINT64_C(1) << 47) - PAGE, MS_MAP_FIXED), 0);
	world_end(&w);
}

/*
 * The hint asks, if it lies beyond 2^48:
 *
 *  0                       2^48                    2^52
 *  |----- without hint ----|------- with it -------|
 */
static void addresses_beyond_48_bits_are_for_those_who_ask(void **state)
{
	const struct ms_machine_config config = { .page_size = 0x10000, .va_bits = 52 };
	struct world w = world_config(ms_policy_linux("6.12.117", MS_ARCH_ARM64), &config);
	const int64_t window = INT64_C(1) << 48, end = INT64_C(1) << 52, page = 0x10000;

	assert_int_equal(anon_at(&w, 0, page, 0), window - page);
	assert_int_equal(anon_at(&w, window, page, 0), window - 2 * page);
	assert_int_equal(anon_at(&w, window - page, 2 * page, 0), window - 4 * page);
	assert_int_equal(anon_at(&w, window + page, page, 0), window + page);
	assert_int_equal(anon_at(&w, window + page, page, 0), end - page);
	// what lies above is in nobody's way, nor what lies across
	assert_int_equal(anon_at(&w, 0, page, 0), window - 5 * page);
	assert_int_equal(anon_at(&w, window - page, 2 * page, MS_MAP_FIXED), window - page);
	assert_int_equal(anon_at(&w, 0, page, 0), window - 6 * page);
	assert_int_equal(anon_at(&w, 0, window - 6 * page - 0x10000, 0), 0x10000);
	assert_int_equal(anon_at(&w, 0, page, 0), -ENOMEM);
	assert_int_equal(anon_at(&w, 0, window, MS_MAP_FIXED), -ENOMEM);
	world_end(&w);
}

/*
 * Private writable and shared anonymous memory is counted; the old mapping goes first up to 6.11.
 */
static void more_than_all_of_ram_at_once_is_ENOMEM(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		map_anon(&w, A, PAGE, MS_PROT_RW);
		assert_int_equal(ms_mmap(w.mm, A, 2 * MS_1G, MS_PROT_RW,
					 MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0),
				 -ENOMEM);
		assert_int_equal(ms_mm_map_count(w.mm),
				 k->mmap_fixed == MS_MMAP_FIXED_UNMAP_FIRST ? 0 : 1);
		assert_int_equal(ms_mmap(w.mm, A, 2 * MS_1G, MS_PROT_RW,
					 MS_MAP_SHARED | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0),
				 -ENOMEM);
		assert_int_equal(ms_mmap(w.mm, A, 2 * MS_1G, MS_PROT_R,
					 MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0),
				 A);
		world_end(&w);
	}
}

/*
 *  before  |r, 1G   r, 1G   r, 1G   r, 1G  |
 *  mmap            [rw, 2G---------)            -ENOMEM: more than all of RAM
 *  after   |r, 1G  |r, 1G   r, 1G  |r, 1G  |    from 6.12
 *  or      |r, 1G  |  .       .    |r, 1G  |
 */
static void a_refused_replacement_leaves_splits_from_6_12(void **state)
{
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		const bool stays = k->mmap_fixed == MS_MMAP_FIXED_REPLACE_AFTER_CHECKS;
		struct world w = world(k->release);

		map_anon(&w, A, 4 * MS_1G, MS_PROT_R);
		assert_int_equal(ms_mmap(w.mm, A + MS_1G, 2 * MS_1G, MS_PROT_RW,
					 MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0),
				 -ENOMEM);
		assert_int_equal(ms_mm_map_count(w.mm), stays ? 3 : 2);
		assert_int_equal(!!ms_vma_lookup(w.mm, A + MS_1G), stays);
		world_end(&w);
	}
}

/*
 *  before  |rw, 0.75G  |rwx, 0.75G |    charged already
 *  mmap    [rw, 1.5G---------------)
 */
static void what_is_replaced_is_not_charged_again_from_6_12(void **state)
{
	const uint64_t len = MS_1G / 4 * 3;
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);

		map_anon(&w, A, len, MS_PROT_RW);
		map_anon(&w, A + len, len, MS_PROT_RW | MS_PROT_X);
		assert_int_equal(ms_mmap(w.mm, A, 2 * len, MS_PROT_RW,
					 MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0),
				 k->mmap_fixed == MS_MMAP_FIXED_UNMAP_FIRST ? -ENOMEM : (int64_t)A);
		world_end(&w);
	}
}

static void a_private_mapping_larger_than_ram_is_refused_before_the_driver_is_asked(void **state)
{
	static const struct ms_file_ops ops = { .name = "no", .mmap = refuse };
	static const struct ms_file_ops early = { .name = "no", .mmap_prepare = refuse_early };
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		struct ms_file *f = ms_file_new(w.m, &ops, 3, UINT64_MAX, NULL, NULL);
		struct ms_file *e = ms_file_new(w.m, &early, 3, UINT64_MAX, NULL, NULL);
		const unsigned int priv = MS_MAP_PRIVATE | MS_MAP_FIXED;

		assert_int_equal(ms_mmap(w.mm, A, 2 * MS_1G, MS_PROT_RW, priv, f, 0), -ENOMEM);
		assert_int_equal(ms_mmap(w.mm, A, 2 * MS_1G, MS_PROT_RW, priv, e, 0), -ENOMEM);
		assert_int_equal(ms_mmap(w.mm, A, 2 * MS_1G, MS_PROT_R, priv, f, 0), -EINVAL);
		assert_int_equal(ms_mmap(w.mm, A, 2 * MS_1G, MS_PROT_RW, FIXED, e, 0), -EPERM);
		world_end(&w);
	}
}

/* 64 bytes of 4096 are the kernel's struct page. */
static void ram_is_counted_without_the_frames_that_describe_it(void **state)
{
	struct world w = world("7.3.4");
	const uint64_t memmap = MS_1G / 64;
	const unsigned int flags = MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS;

	assert_int_equal(ms_mmap(w.mm, A, MS_1G - memmap + PAGE, MS_PROT_RW, flags, NULL, 0),
			 -ENOMEM);
	assert_int_equal(ms_mmap(w.mm, A, MS_1G - memmap, MS_PROT_RW, flags, NULL, 0), A);
	world_end(&w);
}

static void file_modes_decide_what_a_shared_mapping_may(void **state)
{
	static const struct ms_file_ops ops = { .name = "ro", .mmap = accept };
	struct world w = world("6.12.117");
	struct ms_file *ro = file_of(&w, &ops, MS_FMODE_READ);
	struct ms_file *noexec = file_of(&w, &ops, MS_FMODE_READ | MS_FMODE_NOEXEC);
	char buf[MS_VMFLAGS_MAX];

	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_RW, FIXED, ro, 0), -EACCES);
	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_R, FIXED, ro, 0), (int64_t)A);
	assert_string_equal(ms_vma_flags_str(ms_vma_lookup(w.mm, A), buf, sizeof(buf)),
			    "rd,mr,me,ms");
	assert_int_equal(ms_mprotect(w.mm, A, PAGE, MS_PROT_RW), -EACCES);
	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_X, FIXED, noexec, 0), -EPERM);
	world_end(&w);
}

static void a_driver_that_refuses_shows_a_zap_of_the_new_range(void **state)
{
	static const struct ms_file_ops ops = { .name = "refuses", .mmap = refuse };
	struct world w = world("6.12.117");
	struct ms_file *f = file_of(&w, &ops, MS_FMODE_READ | MS_FMODE_WRITE);

	assert_int_equal(ms_mmap(w.mm, A, 2 * PAGE, MS_PROT_RW, FIXED, f, 0), -EINVAL);
	assert_event(&w, MS_EV_ZAP, 0, A, 2 * PAGE);
	assert_event(&w, MS_EV_NOTIFIER_START, 0, A, 2 * PAGE);
	assert_null(ms_vma_lookup(w.mm, A));
	world_end(&w);
}

static void a_refusal_of_mmap_prepare_shows_nothing(void **state)
{
	static const struct ms_file_ops ops = { .name = "early", .mmap_prepare = refuse_early };
	struct world w = world("7.2.13");
	struct ms_file *f = file_of(&w, &ops, MS_FMODE_READ | MS_FMODE_WRITE);

	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_RW, FIXED, f, 0), -EPERM);
	assert_int_equal(ms_trace_len(w.m), 0);
	world_end(&w);
}

static void a_refused_fixed_mapping_has_removed_the_old_one(void **state)
{
	static const struct ms_file_ops ops = { .name = "refuses", .mmap = refuse };
	const struct ms_policy *k;

	for_each_kernel (k, MS_ARCH_ARM64) {
		struct world w = world(k->release);
		struct ms_file *f = file_of(&w, &ops, MS_FMODE_READ | MS_FMODE_WRITE);

		map_anon(&w, A, 3 * PAGE, MS_PROT_RW);
		assert_int_equal(ms_mmap(w.mm, A + PAGE, PAGE, MS_PROT_RW, FIXED, f, 0), -EINVAL);
		assert_vma(&w, A, A + PAGE);
		assert_null(ms_vma_lookup(w.mm, A + PAGE));
		assert_vma(&w, A + 2 * PAGE, A + 3 * PAGE);
		world_end(&w);
	}
}

static void a_driver_that_sets_no_operations_has_no_anonymous_memory(void **state)
{
	static const struct ms_file_ops ops = { .name = "bare", .mmap = accept };
	struct world w = world("6.12.117");
	struct ms_file *f = file_of(&w, &ops, MS_FMODE_READ | MS_FMODE_WRITE);

	assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_RW, MS_MAP_PRIVATE | MS_MAP_FIXED, f, 0),
			 (int64_t)A);
	assert_int_equal(ms_touch(w.mm, A, MS_PROT_R), MS_ACCESS_SIGBUS);
	world_end(&w);
}

static void every_failing_allocation_is_ENOMEM_and_can_be_repeated(void **state)
{
	int64_t ret = -ENOMEM;

	for (uint64_t n = 1; ret < 0; n++) {
		struct world w = world("6.12.117");

		ms_machine_fail_alloc(w.m, n);
		ret = ms_mmap(w.mm, A, PAGE, MS_PROT_RW, FIXED | MS_MAP_ANONYMOUS, NULL, 0);
		ms_machine_fail_alloc(w.m, 0);
		if (ret < 0) {
			assert_int_equal(ret, -ENOMEM);
			assert_int_equal(ms_mm_map_count(w.mm), 0);
			assert_int_equal(ms_mmap(w.mm, A, PAGE, MS_PROT_RW,
						 FIXED | MS_MAP_ANONYMOUS, NULL, 0),
					 (int64_t)A);
		}
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_are_checked_in_the_kernels_order),
		cmocka_unit_test(what_an_open_refused_never_becomes_anonymous_memory),
		cmocka_unit_test(anonymous_memory_ignores_the_file),
		cmocka_unit_test(noreplace_over_anything_is_EEXIST),
		cmocka_unit_test(the_kind_of_mapping_is_asked_after_everything_else),
		cmocka_unit_test(
			shared_and_private_at_once_maps_a_file_shared_and_checks_the_flags),
		cmocka_unit_test(prot_bits_that_are_not_known_are_ignored),
		cmocka_unit_test(a_fixed_address_that_looks_like_an_error_is_answered_as_it_is),
		cmocka_unit_test(a_hugetlb_length_that_wraps_is_EINVAL),
		cmocka_unit_test(without_fixed_a_free_hint_is_taken_else_the_highest_gap),
		cmocka_unit_test(a_hint_below_the_lowest_address_becomes_that_one),
		cmocka_unit_test(arm64_leaves_room_for_the_lowest_addresses_even_with_fixed),
		cmocka_unit_test(addresses_beyond_48_bits_are_for_those_who_ask),
		cmocka_unit_test(more_than_all_of_ram_at_once_is_ENOMEM),
		cmocka_unit_test(a_refused_replacement_leaves_splits_from_6_12),
		cmocka_unit_test(what_is_replaced_is_not_charged_again_from_6_12),
		cmocka_unit_test(
			a_private_mapping_larger_than_ram_is_refused_before_the_driver_is_asked),
		cmocka_unit_test(ram_is_counted_without_the_frames_that_describe_it),
		cmocka_unit_test(file_modes_decide_what_a_shared_mapping_may),
		cmocka_unit_test(a_driver_that_refuses_shows_a_zap_of_the_new_range),
		cmocka_unit_test(a_refusal_of_mmap_prepare_shows_nothing),
		cmocka_unit_test(a_refused_fixed_mapping_has_removed_the_old_one),
		cmocka_unit_test(a_driver_that_sets_no_operations_has_no_anonymous_memory),
		cmocka_unit_test(every_failing_allocation_is_ENOMEM_and_can_be_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
