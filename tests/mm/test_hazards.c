/* SPDX-License-Identifier: GPL-2.0-only */
/* What goes wrong with memtypes in whole processes, and how it is seen. */
#include <mapsim/check.h>
#include <mapsim/machine.h>
#include <mapsim/mm.h>
#include <mapsim/pat.h>
#include <mapsim/pfnmap.h>
#include <mapsim/phys.h>
#include <mapsim/policy.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define BAR UINT64_C(0x180000000)
#define VA UINT64_C(0x200000000000)
#define VA2 UINT64_C(0x210000000000)

/* Maps the BAR's pages at the file's offset with the type in priv. */
static int remap(struct ms_file *file, struct ms_vma *vma)
{
	const enum ms_cache *type = ms_file_priv(file);
	ms_pgprot_t prot = ms_pgprot_set_cache(vma->vm_page_prot, *type);

	return ms_remap_pfn_range(vma, vma->vm_start, (BAR >> 12) + vma->vm_pgoff,
				  vma->vm_end - vma->vm_start, prot);
}

/* The same for physical memory from 0 on. */
static int remap_first(struct ms_file *file, struct ms_vma *vma)
{
	const enum ms_cache *type = ms_file_priv(file);
	ms_pgprot_t prot = ms_pgprot_set_cache(vma->vm_page_prot, *type);

	return ms_remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, vma->vm_end - vma->vm_start,
				  prot);
}

static const struct ms_file_ops remap_ops = { .name = "remap", .mmap = remap };
static const struct ms_file_ops first_ops = { .name = "first", .mmap = remap_first };
static const enum ms_cache wc = MS_CACHE_WC, uc_minus = MS_CACHE_UC_MINUS;

struct world {
	struct ms_machine *m;
	struct ms_mm *mm;
	struct ms_file *wc, *uc_minus;
};

static int setup(void **state, const char *release)
{
	struct world *w = calloc(1, sizeof(*w));

	w->m = ms_machine_new(ms_policy_linux(release, MS_ARCH_X86_64));
	assert_non_null(w->m);
	assert_int_equal(ms_ram_add(w->m, 0x100000, 0x1000000), 0);
	assert_non_null(ms_device_add(w->m, "bar", BAR, 0x100000));
	w->mm = ms_mm_new(w->m);
	w->wc = ms_file_new(w->m, &remap_ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL,
			    (void *)(uintptr_t)&wc);
	w->uc_minus = ms_file_new(w->m, &remap_ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL,
				  (void *)(uintptr_t)&uc_minus);
	*state = w;
	return 0;
}

/* What a VMA holds is known by VM_PAT, or by a context that VMAs share. */
static int setup_flag(void **state)
{
	return setup(state, "6.12.107");
}

static int setup_context(void **state)
{
	return setup(state, "7.2.13");
}

static int teardown(void **state)
{
	struct world *w = *state;

	assert_int_equal(ms_machine_check(w->m, stderr), 0);
	ms_machine_free(w->m);
	free(w);
	return 0;
}

static void map(struct world *w, ms_hva_t va, uint64_t len, struct ms_file *file, uint64_t off)
{
	assert_int_equal(
		ms_mmap(w->mm, va, len, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED, file, off), va);
}

struct seen {
	struct ms_memtype_alias alias[4];
	size_t n;
};

static void note_alias(const struct ms_memtype_alias *alias, void *arg)
{
	struct seen *seen = arg;

	assert_true(seen->n < 4);
	seen->alias[seen->n++] = *alias;
}

static void note_leak(const struct ms_memtype *entry, void *arg)
{
	*(struct ms_memtype *)arg = *entry;
}

/*
 *  WC   |0*  1*  2   3* |       the zap of page 2 frees the whole reservation
 *  UC-      |1*  2*  3* |
 *  aliases  [---)   [---)
 */
static void a_partial_zap_lets_another_type_in_beside_the_pages_that_stay(void **state)
{
	struct world *w = *state;
	struct seen seen = { .n = 0 };

	map(w, VA, 0x4000, w->wc, 0);
	ms_unmap_mapping_range(w->wc, 0x2000, 0x1000, true);
	map(w, VA2, 0x3000, w->uc_minus, 0x1000);
	assert_int_equal(ms_memtype_aliases(w->m, note_alias, &seen), 2);
	assert_int_equal(seen.alias[0].start, BAR + 0x1000);
	assert_int_equal(seen.alias[0].end, BAR + 0x2000);
	assert_int_equal(seen.alias[0].types, 1u << MS_CACHE_WC | 1u << MS_CACHE_UC_MINUS);
	assert_int_equal(seen.alias[1].start, BAR + 0x3000);
	assert_int_equal(seen.alias[1].end, BAR + 0x4000);
	assert_int_equal(ms_munmap(w->mm, VA, 0x4000), 0);
	assert_int_equal(ms_memtype_aliases(w->m, NULL, NULL), 0);
}

/*
 *  WC   |0*  1*  2   3* |       the zap of page 2 frees nothing
 *  UC-      |1*  2*  3* |       becomes WC, too
 */
static void where_the_reservation_is_remembered_the_held_type_wins_again(void **state)
{
	struct world *w = *state;

	map(w, VA, 0x4000, w->wc, 0);
	ms_unmap_mapping_range(w->wc, 0x2000, 0x1000, true);
	map(w, VA2, 0x3000, w->uc_minus, 0x1000);
	assert_int_equal(ms_memtype_aliases(w->m, NULL, NULL), 0);
	assert_int_equal(ms_memtype_leaks(w->m, NULL, NULL), 0);
}

static void an_ioremap_counts_as_a_mapping(void **state)
{
	struct world *w = *state;
	struct seen seen = { .n = 0 };

	map(w, VA, 0x4000, w->wc, 0);
	ms_unmap_mapping_range(w->wc, 0, 0x1000, true);
	assert_int_equal(ms_ioremap(w->m, BAR, 0x10000, MS_CACHE_UC_MINUS), 0);
	assert_int_equal(ms_memtype_aliases(w->m, note_alias, &seen), 1);
	assert_int_equal(seen.alias[0].start, BAR + 0x1000);
	assert_int_equal(seen.alias[0].end, BAR + 0x4000);
	assert_int_equal(ms_iounmap(w->m, BAR, 0x10000), 0);
	assert_int_equal(ms_memtype_aliases(w->m, NULL, NULL), 0);
}

static struct ms_file *open_first(struct world *w, const enum ms_cache *type)
{
	struct ms_file *file = ms_file_new(w->m, &first_ops, MS_FMODE_READ | MS_FMODE_WRITE, 0,
					   NULL, (void *)(uintptr_t)type);

	assert_non_null(file);
	return file;
}

static void the_first_page_of_memory_counts_as_any_other(void **state)
{
	struct world *w = *state;
	struct ms_file *file = open_first(w, &wc);
	struct seen seen = { .n = 0 };

	map(w, VA2, 0x1000, open_first(w, &uc_minus), 0);
	assert_int_equal(ms_memtype_aliases(w->m, NULL, NULL), 0);
	assert_int_equal(ms_munmap(w->mm, VA2, 0x1000), 0);

	// page 1 is zapped, and with it goes the reservation of page 0
	map(w, VA, 0x2000, file, 0);
	ms_unmap_mapping_range(file, 0x1000, 0x1000, true);
	assert_int_equal(ms_ioremap(w->m, 0, 0x1000, MS_CACHE_UC_MINUS), 0);
	assert_int_equal(ms_memtype_aliases(w->m, note_alias, &seen), 1);
	assert_int_equal(seen.alias[0].start, 0);
	assert_int_equal(seen.alias[0].end, 0x1000);
	assert_int_equal(seen.alias[0].types, 1u << MS_CACHE_WC | 1u << MS_CACHE_UC_MINUS);
}

/*
 *  process  |0* |1*  2  |       WC, and UC-: the zap of page 2 frees the reservation of 1 and 2
 *  ioremap      |1* |           WC
 *  alias        [---)
 */
static void neighbours_of_two_types_are_two_mappings(void **state)
{
	struct world *w = *state;
	struct seen seen = { .n = 0 };

	map(w, VA, 0x1000, w->wc, 0);
	map(w, VA + 0x1000, 0x2000, w->uc_minus, 0x1000);
	ms_unmap_mapping_range(w->uc_minus, 0x2000, 0x1000, true);
	assert_int_equal(ms_memtype_aliases(w->m, NULL, NULL), 0);
	assert_int_equal(ms_ioremap(w->m, BAR + 0x1000, 0x1000, MS_CACHE_WC), 0);
	assert_int_equal(ms_memtype_aliases(w->m, note_alias, &seen), 1);
	assert_int_equal(seen.alias[0].start, BAR + 0x1000);
	assert_int_equal(seen.alias[0].end, BAR + 0x2000);
}

/* A reservation maps nothing: not that of a VMA, nor what an ioremap has left behind. */
static void what_is_only_reserved_aliases_nothing(void **state)
{
	struct world *w = *state;

	assert_int_equal(ms_ioremap(w->m, BAR, 0x8000, MS_CACHE_UC_MINUS), 0);
	assert_int_equal(ms_memtype_free(w->m, BAR + 0x7000, BAR + 0x8000), 0);
	assert_int_equal(ms_iounmap(w->m, BAR, 0x8000), 0);
	assert_int_equal(ms_memtype_leaks(w->m, NULL, NULL), 1);
	map(w, VA, 0x1000, w->wc, 0x7000);
	assert_int_equal(ms_memtype_aliases(w->m, NULL, NULL), 0);

	assert_int_equal(ms_memtype_free(w->m, BAR + 0x7000, BAR + 0x8000), 0);
	assert_int_equal(ms_mprotect(w->mm, VA, 0x1000, 0), 0);
	assert_int_equal(ms_ioremap(w->m, BAR + 0x7000, 0x1000, MS_CACHE_UC_MINUS), 0);
	assert_int_equal(ms_memtype_aliases(w->m, NULL, NULL), 0);
}

static void an_entry_without_access_aliases_nothing(void **state)
{
	struct world *w = *state;

	map(w, VA, 0x2000, w->wc, 0);
	ms_unmap_mapping_range(w->wc, 0, 0x1000, true);
	assert_int_equal(ms_mprotect(w->mm, VA, 0x2000, 0), 0);
	map(w, VA2, 0x2000, w->uc_minus, 0);
	assert_int_equal(ms_memtype_aliases(w->m, NULL, NULL), 0);
	assert_int_equal(ms_mprotect(w->mm, VA, 0x2000, MS_PROT_RW), 0);
	assert_int_equal(ms_memtype_aliases(w->m, NULL, NULL), 1);
}

static void one_type_mapped_often_is_no_alias(void **state)
{
	struct world *w = *state;
	struct ms_mm *child;

	map(w, VA, 0x4000, w->wc, 0);
	map(w, VA2, 0x2000, w->uc_minus, 0x1000); // becomes WC
	child = ms_fork(w->mm);
	assert_non_null(child);
	assert_int_equal(ms_memtype_aliases(w->m, NULL, NULL), 0);
}

/*
 * arm64 keeps nobody from mapping with two types; what is mapped twice is one alias, not pieces.
 *
 *  normal  |0*  1*  2*  3* |
 *  normal      |1* |
 *  device  |0*  1*  2*  3* |
 *  alias   [---------------)
 */
static void nothing_prevents_aliases_on_arm64(void **state)
{
	static const enum ms_cache normal = MS_CACHE_WB, device = MS_CACHE_NGNRNE;
	struct world w = { .m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_ARM64)) };
	struct seen seen = { .n = 0 };
	struct ms_file *wb;

	assert_int_equal(ms_memtype_aliases(w.m, NULL, NULL), 0);
	assert_non_null(ms_device_add(w.m, "bar", BAR, 0x100000));
	w.mm = ms_mm_new(w.m);
	assert_int_equal(ms_memtype_aliases(w.m, NULL, NULL), 0);
	wb = ms_file_new(w.m, &remap_ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL,
			 (void *)(uintptr_t)&normal);
	w.uc_minus = ms_file_new(w.m, &remap_ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL,
				 (void *)(uintptr_t)&device);
	map(&w, VA, 0x4000, wb, 0);
	map(&w, VA + 0x10000, 0x1000, wb, 0x1000);
	map(&w, VA2, 0x4000, w.uc_minus, 0);
	assert_int_equal(ms_memtype_aliases(w.m, note_alias, &seen), 1);
	assert_int_equal(seen.alias[0].start, BAR);
	assert_int_equal(seen.alias[0].end, BAR + 0x4000);
	assert_int_equal(seen.alias[0].types, 1u << MS_CACHE_WB | 1u << MS_CACHE_NGNRNE);
	ms_machine_free(w.m);
}

static void the_aliases_need_memory(void **state)
{
	struct world *w = *state;

	map(w, VA, 0x4000, w->wc, 0);
	ms_machine_fail_alloc(w->m, 1);
	assert_int_equal(ms_memtype_aliases(w->m, NULL, NULL), -ENOMEM);
	assert_int_equal(ms_memtype_aliases(w->m, NULL, NULL), 0);
}

/*
 *  held    [WC-------------)
 *  VMA     |0*  1*  2*  3* |
 *  munmap  [---)                frees nothing
 *  munmap      [-----------)    frees a tail
 *  left    [WC-)
 */
static void unmapping_the_head_first_leaves_the_head_behind(void **state)
{
	struct world *w = *state;
	struct ms_memtype leak;

	map(w, VA, 0x4000, w->wc, 0);
	assert_int_equal(ms_munmap(w->mm, VA, 0x1000), 0);
	assert_int_equal(ms_memtype_leaks(w->m, note_leak, &leak), 0);
	assert_int_equal(ms_munmap(w->mm, VA + 0x1000, 0x3000), 0);
	assert_int_equal(ms_memtype_leaks(w->m, note_leak, &leak), 1);
	assert_int_equal(leak.start, BAR);
	assert_int_equal(leak.end, BAR + 0x1000);
	assert_int_equal(leak.type, MS_CACHE_WC);
}

/*
 *          VA                    VA2
 *  held    [WC-------------)
 *  moved   |0*  1* | .   .       |2*  3* |    nothing tracks VA any more
 *  munmap                        [-------)    the entry loses its tail
 *  munmap  [-------)                          frees nothing
 *  left    [WC-----)
 */
static void moving_a_part_leaves_behind_what_stays(void **state)
{
	struct world *w = *state;

	map(w, VA, 0x4000, w->wc, 0);
	assert_int_equal(ms_mremap(w->mm, VA + 0x2000, 0x2000, 0x2000,
				   MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, VA2),
			 VA2);
	assert_int_equal(ms_munmap(w->mm, VA2, 0x2000), 0);
	assert_int_equal(ms_munmap(w->mm, VA, 0x2000), 0);
	assert_int_equal(ms_memtype_leaks(w->m, NULL, NULL), 1);
}

static void nothing_is_left_behind_where_the_reservation_is_remembered(void **state)
{
	struct world *w = *state;
	struct ms_mm *child;

	map(w, VA, 0x4000, w->wc, 0);
	child = ms_fork(w->mm);
	assert_int_equal(ms_munmap(w->mm, VA, 0x1000), 0);
	assert_int_equal(ms_mremap(w->mm, VA + 0x2000, 0x1000, 0x1000,
				   MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, VA2),
			 VA2);
	ms_mm_exit(w->mm);
	assert_true(ms_memtype_get(w->m, 0, &(struct ms_memtype){ 0 }));
	assert_int_equal(ms_memtype_leaks(w->m, NULL, NULL), 0);
	ms_mm_exit(child);
	assert_false(ms_memtype_get(w->m, 0, &(struct ms_memtype){ 0 }));
}

/* The one hazard so far: which VMA, which range, what. */
static void assert_hazard(const struct world *w, ms_hva_t va, ms_pa_t pa, uint64_t size,
			  const char *reason)
{
	const struct ms_event *ev = ms_trace_last(w->m, MS_EV_PAT_HAZARD);

	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_HAZARD), 1);
	assert_int_equal(ev->addr, va);
	assert_int_equal(ev->pa, pa);
	assert_int_equal(ev->pa_size, size);
	assert_string_equal(ev->reason, reason);
}

static void whole_mappings_that_come_and_go_are_no_hazard(void **state)
{
	struct world *w = *state;
	struct ms_mm *child;

	map(w, VA, 0x4000, w->wc, 0);
	child = ms_fork(w->mm);
	ms_mm_exit(child);
	assert_int_equal(
		ms_mremap(w->mm, VA, 0x4000, 0x4000, MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED, VA2),
		VA2);
	assert_int_equal(ms_munmap(w->mm, VA2, 0x4000), 0);
	assert_int_equal(ms_trace_count(w->m, MS_EV_PAT_HAZARD), 0);
}

static void a_head_that_nothing_matches_is_a_hazard_of_its_vma(void **state)
{
	struct world *w = *state;

	map(w, VA, 0x4000, w->wc, 0);
	assert_int_equal(ms_munmap(w->mm, VA, 0x1000), 0);
	assert_hazard(w, VA, BAR, 0x1000, "no entry matches");
}

/*
 *  ioremap  [UC-------------)
 *  VMA      |0   1   2   3   4   5   6   7  |
 *  munmap           [-------)                    takes the tail of the ioremap
 */
static void taking_an_ioremaps_entry_is_a_hazard(void **state)
{
	struct world *w = *state;

	assert_int_equal(ms_ioremap(w->m, BAR, 0x4000, MS_CACHE_UC_MINUS), 0);
	map(w, VA, 0x8000, w->uc_minus, 0);
	assert_int_equal(ms_munmap(w->mm, VA + 0x2000, 0x2000), 0);
	assert_hazard(w, VA + 0x2000, BAR + 0x2000, 0x2000, "someone else's entry lost its tail");
}

static ms_vm_fault_t other_page(struct ms_vm_fault *vmf)
{
	return ms_vmf_insert_pfn(vmf->vma, vmf->address, (BAR >> 12) + 0x10);
}

static const struct ms_vm_ops other_ops = { .fault = other_page };

static void a_page_that_was_not_reserved_is_a_hazard(void **state)
{
	struct world *w = *state;

	// one page absent: munmap is not what zaps it
	map(w, VA, 0x1000, w->wc, 0);
	ms_vma_lookup(w->mm, VA)->vm_ops = &other_ops;
	ms_unmap_mapping_range(w->wc, 0, 0, true);
	assert_int_equal(ms_touch(w->mm, VA, MS_PROT_R), MS_ACCESS_OK);
	assert_hazard(w, VA, BAR + 0x10000, 0x1000,
		      "a page other than the reserved ones is mapped");
}

/* A test on one of the two kernels, under a name that says which. */
#define ON(kernel, f) \
	{ \
#f " (" #kernel ")", f, setup_##kernel, teardown, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(flag, a_partial_zap_lets_another_type_in_beside_the_pages_that_stay),
		ON(context, where_the_reservation_is_remembered_the_held_type_wins_again),
		ON(flag, an_ioremap_counts_as_a_mapping),
		ON(flag, the_first_page_of_memory_counts_as_any_other),
		ON(flag, neighbours_of_two_types_are_two_mappings),
		ON(flag, what_is_only_reserved_aliases_nothing),
		ON(flag, an_entry_without_access_aliases_nothing),
		ON(flag, one_type_mapped_often_is_no_alias),
		cmocka_unit_test(nothing_prevents_aliases_on_arm64),
		ON(flag, the_aliases_need_memory),
		ON(flag, unmapping_the_head_first_leaves_the_head_behind),
		ON(flag, moving_a_part_leaves_behind_what_stays),
		ON(flag, whole_mappings_that_come_and_go_are_no_hazard),
		ON(context, whole_mappings_that_come_and_go_are_no_hazard),
		ON(flag, a_head_that_nothing_matches_is_a_hazard_of_its_vma),
		ON(flag, taking_an_ioremaps_entry_is_a_hazard),
		ON(context, a_page_that_was_not_reserved_is_a_hazard),
		ON(context, nothing_is_left_behind_where_the_reservation_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
