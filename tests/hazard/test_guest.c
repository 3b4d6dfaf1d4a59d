/* SPDX-License-Identifier: GPL-2.0-only */
/* What guests have mapped that their processes have not: on a kernel that lets it stand, and on one
 * that does not. */
#include "world.h"

#include <mapsim/drivers.h>
#include <mapsim/kvm.h>
#include <mapsim/policy.h>

#define HVA UINT64_C(0x200000000000)
#define GPA UINT64_C(0x80000000)

/* The second 2M of a BAR, of which the VMA shows the first half. */
static void a_block_reaches_beyond_its_vma(void **state)
{
	static const char script[] = "> vm create\n"
				     "> mmap big off=0 at=32T len=3M prot=rw flags=shared\n"
				     "> slot id=1 gpa=2G size=6M hva=32T\n"
				     "> guest access=r gpa=0x80200000\n";

	assert_hazards("6.12.107", "arm64", script,
		       "unseen addr=0x80300000 pa=0x8100300000 device=big\n"
		       "guest-beyond-vma vm=1 ipa=0x80300000 size=0x100000 hva=0x200000300000 "
		       "pa=0x8100300000 device=big rule=s2_pfnmap_block=FROM_VM_PGOFF\n");
	assert_hazards("6.12.117", "arm64", script, "");
}

/* Two pieces of a BAR, of which the second is not where vm_pgoff says. */
static void a_block_believes_vm_pgoff_instead_of_the_process(void **state)
{
	static const char script[] =
		"> vm create\n"
		"> mmap driver:big off=0 at=32T len=2M prot=rw flags=shared type=nGnRE "
		"pieces=0x0+0x1ff000,0x1ff000+0x1000:0x200000\n"
		"> slot id=1 gpa=2G size=2M hva=32T\n"
		"> guest access=r gpa=0x80000000\n";

	assert_hazards("6.12.107", "arm64", script,
		       "guest-other-page vm=1 ipa=0x801ff000 size=0x1000 hva=0x2000001ff000 "
		       "pa=0x81001ff000 device=big rule=s2_pfnmap_block=FROM_VM_PGOFF\n");
	assert_hazards("6.12.117", "arm64", script, "");
}

/* A mapping of vfio that nobody has touched: no page of it is there. */
static void a_premap_is_ahead_of_the_process(void **state)
{
	static const char script[] = "> vm create\n"
				     "> mmap vfio:big off=0 at=32T len=2M prot=rw flags=shared\n"
				     "> slot id=1 gpa=2G size=2M hva=32T\n";

	assert_hazards("5.10.223", "arm64", script,
		       "guest-unmapped vm=1 ipa=0x80000000 size=0x200000 hva=0x200000000000 "
		       "pa=0x8100000000 device=big rule=slot_pfnmap=PREMAP\n");
	assert_hazards("6.1.176", "arm64", script, "");
}

static void a_guest_may_write_where_the_vma_is_read_only(void **state)
{
	static const char script[] =
		"> vm create\n"
		"> mmap driver:big off=0 at=32T len=2M prot=r flags=private type=nGnRE "
		"pieces=0x0+0x200000\n"
		"> slot id=1 gpa=2G size=2M hva=32T\n"
		"> guest access=r gpa=0x80000000\n";

	assert_hazards("5.10.223", "arm64", script,
		       "guest-write vm=1 ipa=0x80000000 size=0x200000 hva=0x200000000000 "
		       "pa=0x8100000000 device=big rule=slot_pfnmap=PREMAP\n");
	assert_hazards("6.12.117", "arm64", script, "");
}

/* No kernel asks the VMA: pages, as the slot is logged. */
static void a_guest_reads_what_is_prot_none(void **state)
{
#define LOGGED_VFIO \
	"> vm create\n" \
	"> slot id=1 gpa=2G size=4M hva=32T flags=log\n" \
	"> mmap vfio:big off=0 at=32T len=4M prot=rw flags=shared\n" \
	"> guest access=r gpa=0x80000000\n"
	static const char none[] = LOGGED_VFIO "> mprotect at=32T len=4M prot=-\n"
					       "> guest access=r gpa=0x80000000\n";

	assert_hazards("7.2.13", "arm64", none,
		       "guest-read vm=1 ipa=0x80000000 size=0x1000 hva=0x200000000000 "
		       "pa=0x8100000000 device=big\n");
	assert_hazards("7.2.13", "arm64", LOGGED_VFIO, "");
}

/* A private mapping of a driver that gives remap_pfn_range() another protection than the VMA's. */
static void device_memory_is_cacheable_and_executable(void **state)
{
#define PRIVATE_ALIAS \
	"> vm create\n" \
	"> mmap driver:big off=0 at=32T len=2M prot=r flags=private type=nGnRE " \
	"pieces=0x0+0x200000\n" \
	"> slot id=1 gpa=2G size=2M hva=32T\n" \
	"> guest access=r gpa=0x80000000\n" \
	"> guest access=x gpa=0x80000000\n"

	assert_hazards(NULL, NULL, DIC("7.2.13") PRIVATE_ALIAS,
		       "guest-exec-device vm=1 ipa=0x80000000 size=0x1000 hva=0x200000000000 "
		       "pa=0x8100000000 device=big\n"
		       "device-cacheable vm=1 ipa=0x80000000 size=0x1000 hva=0x200000000000 "
		       "pa=0x8100000000 device=big rule=s2_cacheable_pfnmap=BY_VMA_PROT\n"
		       "types size=0x1000 pa=0x8100000000 types=WB,nGnRE device=big\n");
	assert_hazards(NULL, NULL, DIC("6.12.117") PRIVATE_ALIAS, "");
}

/* A memslot that is refused for its second VMA: the first one was premapped. No kernel both premaps
 * and asks for the memory type. */
static void a_refused_memslot_leaves_what_was_premapped(void **state)
{
	static const char script[] =
		"#!rule=s2_cacheable_pfnmap=BY_VMA_PROT\n"
		"> vm create\n"
		"> mmap big off=0 at=32T len=4K prot=rw flags=shared\n"
		"> mmap driver:big off=0 at=0x200000001000 len=4K prot=rw flags=shared type=nGnRE "
		"pieces=0x0+0x1000\n"
		"> slot id=1 gpa=2G size=8K hva=32T\n";

	assert_hazards("5.10.223", "arm64", script,
		       "guest-beyond-slot vm=1 ipa=0x80000000 size=0x1000 pa=0x8100000000 "
		       "device=big rule=slot_pfnmap=PREMAP\n");
	assert_hazards("7.2.13", "arm64", script, "");
}

/* ---- without a script ---- */

struct world {
	struct ms_machine *m;
	struct ms_mm *mm;
	struct ms_vm *vm;
	char *text;
	size_t size;
};

static struct world world(const struct ms_policy *policy, const struct ms_vm_config *config)
{
	struct world w = { .m = ms_machine_new(policy) };

	assert_non_null(w.m);
	assert_int_equal(ms_ram_add(w.m, MS_1G, MS_1G), 0);
	assert_non_null(ms_device_add(w.m, "bar", 0x8000000000, MS_2M * 2));
	w.mm = ms_mm_new(w.m);
	w.vm = ms_vm_new_config(w.mm, config);
	assert_non_null(w.vm);
	return w;
}

static void assert_state(struct world *w, const char *hazards)
{
	struct judged j = { .m = w->m, .out = open_memstream(&w->text, &w->size) };

	assert_non_null(j.out);
	ms_hazards(w->m, add_hazard, &j);
	assert_int_equal(fclose(j.out), 0);
	assert_string_equal(w->text, hazards);
	free(w->text);
}

static void world_end(struct world *w)
{
	assert_int_equal(ms_machine_check(w->m, stderr), 0);
	ms_machine_free(w->m);
}

/* RAM that a process maps by its number, where nothing keeps user space from it. */
static void a_premap_takes_ram_for_a_device(void **state)
{
	const char *release[] = { "5.10.223", "6.1.176" };

	for (unsigned int i = 0; i < 2; i++) {
		struct world w = world(ms_policy_linux(release[i], MS_ARCH_ARM64), NULL);

		ms_iomem_set_strict(w.m, MS_IOMEM_OPEN);
		assert_int_equal(ms_mmap(w.mm, HVA, MS_4K, MS_PROT_RW, MS_MAP_SHARED,
					 ms_devmem_open(w.m, false), MS_1G + MS_2M),
				 HVA);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA, MS_4K, HVA, 0), 0);
		assert_state(&w, i ? "host-freed-page mm=1 addr=0x200000000000 size=0x1000 pa=ram\n"
				   : "host-freed-page mm=1 addr=0x200000000000 size=0x1000 pa=ram\n"
				     "guest-ram-as-device vm=1 ipa=0x80000000 size=0x1000 "
				     "hva=0x200000000000 pa=ram rule=slot_pfnmap=PREMAP\n");
		world_end(&w);
	}
}

/*
 * A log in which every page is dirty at first. What is cleared ends with the first page of a block:
 *
 *   blocks   |------- 2M -------|------- 2M -------|
 *   slot           |............|.................|
 *   cleared                  [63|0]
 */
static void a_cleared_log_misses_a_block(void **state)
{
	const struct ms_vm_config config = { .dirty_manual = true, .dirty_initset = true };
	const char *release[] = { "6.1.192", "7.2.13" };
	const uint64_t first = MS_2M - 63 * MS_4K, size = 2 * MS_2M - first;

	for (unsigned int i = 0; i < 2; i++) {
		struct world w = world(ms_policy_linux(release[i], MS_ARCH_X86_64), &config);

		assert_int_equal(ms_mmap(w.mm, HVA, 2 * MS_2M, MS_PROT_RW,
					 MS_MAP_PRIVATE | MS_MAP_ANONYMOUS, NULL, 0),
				 HVA);
		assert_int_equal(ms_vm_set_slot(w.vm, 1, GPA + first, size, HVA + first, 0), 0);
		assert_int_equal(ms_guest_write(w.vm, GPA + MS_2M).leaf.size, MS_2M);
		assert_int_equal(
			ms_vm_set_slot(w.vm, 1, GPA + first, size, HVA + first, MS_SLOT_LOG_DIRTY),
			0);
		assert_state(&w, "");
		assert_int_equal(ms_vm_clear_dirty(w.vm, 1, 0, 64), 0);
		assert_state(&w, i ? ""
				   : "guest-unlogged vm=1 ipa=0x80200000 size=0x1000 "
				     "hva=0x200000200000 pa=ram\n");
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_reaches_beyond_its_vma),
		cmocka_unit_test(a_block_believes_vm_pgoff_instead_of_the_process),
		cmocka_unit_test(a_premap_is_ahead_of_the_process),
		cmocka_unit_test(a_guest_may_write_where_the_vma_is_read_only),
		cmocka_unit_test(a_guest_reads_what_is_prot_none),
		cmocka_unit_test(device_memory_is_cacheable_and_executable),
		cmocka_unit_test(a_refused_memslot_leaves_what_was_premapped),
		cmocka_unit_test(a_premap_takes_ram_for_a_device),
		cmocka_unit_test(a_cleared_log_misses_a_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
