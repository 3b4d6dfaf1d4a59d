/* SPDX-License-Identifier: GPL-2.0-only */
/* What processes have mapped that is wrong, and memory types: on a kernel that lets it stand, and
 * on one that does not. */
#include "world.h"

#include "mm/pgtable.h"

#include <mapsim/drivers.h>
#include <mapsim/pfnmap.h>

#define HVA UINT64_C(0x200000000000)

/* ---- devices ---- */

/* vfio keeps a list of VMAs, on which a moved one is not. */
static void a_moved_mapping_outlives_the_device_s_memory(void **state)
{
	static const char script[] = "> mmap vfio:big off=0 at=32T len=4M prot=rw flags=shared\n"
				     "> touch at=32T access=r\n"
				     "> mremap at=32T len=4M newlen=4M to=33T\n"
				     "> vfio-memory big off\n";

	assert_hazards("6.1.192", "arm64", script,
		       "device-off mm=1 addr=0x210000000000 size=0x400000 pa=0x8100000000 "
		       "device=big rule=vfio=V1_RECHECK\n");
	assert_hazards("6.12.117", "arm64", script, "");
}

static void a_guest_keeps_what_was_moved(void **state)
{
	static const char script[] = "> vm create\n"
				     "> mmap vfio:big off=0 at=32T len=4M prot=rw flags=shared\n"
				     "> touch at=32T access=r\n"
				     "> mremap at=32T len=4M newlen=4M to=33T\n"
				     "> slot id=1 gpa=2G size=4M hva=33T\n"
				     "> guest access=r gpa=0x80000000\n"
				     "> vfio-memory big off\n";

	assert_hazards("6.1.192", "arm64", script,
		       "device-off mm=1 addr=0x210000000000 size=0x400000 pa=0x8100000000 "
		       "device=big rule=vfio=V1_RECHECK\n"
		       "device-off vm=1 ipa=0x80000000 size=0x1000 hva=0x210000000000 "
		       "pa=0x8100000000 device=big rule=vfio=V1_RECHECK\n");
	assert_hazards("6.12.117", "arm64", script, "");
}

static void sysfs_reaches_a_bar_that_vfio_has_turned_off(void **state)
{
	static const char script[] = "> vfio-memory big off\n"
				     "> mmap big off=0 at=32T len=2M prot=rw flags=shared\n";

	assert_hazards("6.12.117", "x86_64", script,
		       "device-off mm=1 addr=0x200000000000 size=0x200000 pa=0x180000000 "
		       "device=big rule=vfio_bar_claim=FIRST_MMAP\n");
	assert_hazards("7.2.13", "x86_64", script, "");
}

/* sysfs asks about a BAR's first page only. */
static void sysfs_maps_what_a_driver_has_claimed(void **state)
{
	assert_hazards("7.3.4", "arm64",
		       "> claim big off=0x3000 len=0x1000\n"
		       "> mmap big off=0 at=32T len=0x4000 prot=rw flags=shared\n",
		       "device-claimed mm=1 addr=0x200000003000 size=0x1000 pa=0x8100003000 "
		       "device=big\n");
	assert_hazards("7.3.4", "arm64",
		       "> claim big off=0 len=0x1000\n"
		       "> mmap big off=0 at=32T len=0x4000 prot=rw flags=shared\n",
		       "");
	// claimed after it was mapped: that is taken away
	assert_hazards("7.3.4", "arm64",
		       "> mmap big off=0 at=32T len=0x4000 prot=rw flags=shared\n"
		       "> claim big off=0x3000 len=0x1000\n",
		       "");
}

/* Up to 5.11 a claim takes away mappings of /dev/mem alone. */
static void a_mapping_of_sysfs_survives_the_claim(void **state)
{
	static const char script[] = "> mmap big off=0 at=32T len=0x4000 prot=rw flags=shared\n"
				     "> claim big off=0x1000 len=0x1000\n";

	assert_hazards("5.10.223", "x86_64", script,
		       "device-claimed mm=1 addr=0x200000001000 size=0x1000 pa=0x180001000 "
		       "device=big\n");
	assert_hazards("6.1.192", "x86_64", script, "");
}

/* ---- VMAs ---- */

/* An aligned 2M that is not copied at a fork, under a leaf of 1G that is. */
static void a_child_has_a_bar_without_a_vma(void **state)
{
#define HOLE_IN_1G \
	"> mmap vfio:huge off=0 at=32T len=2G prot=rw flags=shared\n" \
	"> touch at=32T access=r\n" \
	"> madvise at=0x200000200000 len=2M advice=dontfork\n" \
	"> fork\n"
#define READ_ONLY "> child mmap anon off=0 at=0x200000200000 len=2M prot=r flags=private\n"

	assert_hazards("6.12.117", "x86_64", HOLE_IN_1G,
		       "host-beyond-vma mm=2 addr=0x200000200000 size=0x200000 pa=0x100200000 "
		       "device=huge\n");
	assert_hazards("6.12.117", "x86_64", HOLE_IN_1G READ_ONLY,
		       "host-write mm=2 addr=0x200000200000 size=0x200000 pa=0x100200000 "
		       "device=huge\n");
	assert_hazards("6.12.117", "arm64", HOLE_IN_1G READ_ONLY, "");
}

/* ---- memory types ---- */

/* A claim of one page gives back the type of all four. */
static void a_partial_zap_gives_the_type_away(void **state)
{
	static const char script[] =
		"> mmap big off=0 at=32T len=0x4000 prot=rw flags=shared\n"
		"> revoke big off=0x1000 len=0x1000\n"
		"> mmap big_wc off=0x2000 at=0x200000010000 len=0x2000 prot=rw flags=shared\n";

	assert_hazards("6.12.117", "x86_64", script,
		       "types size=0x2000 pa=0x180002000 types=WC,UC- device=big\n"
		       "type-not-held mm=1 addr=0x200000002000 size=0x2000 pa=0x180002000 "
		       "types=WC,UC- device=big\n");
	assert_hazards("7.2.13", "x86_64", script, "");
}

/* The kernel's own mapping, beside pieces that reserve nothing. */
static void an_ioremap_is_another_type(void **state)
{
#define PIECES "pieces=0x0+0x2000,0x2000+0x2000:0x4000\n"
	static const char script[] =
		"> mmap driver:big off=0 at=32T len=0x4000 prot=rw flags=shared type=WC " PIECES
		"> ioremap big id=0 off=0 len=0x4000 type=WB\n";

	assert_hazards("7.2.13", "x86_64", script,
		       "types size=0x2000 pa=0x180000000 types=WB,UC- device=big\n"
		       "type-not-held mm=1 addr=0x200000000000 size=0x2000 pa=0x180000000 "
		       "types=WB,UC- device=big\n");
	assert_hazards("7.2.13", "x86_64",
		       "> mmap big off=0 at=32T len=0x4000 prot=rw flags=shared\n"
		       "> ioremap big id=0 off=0 len=0x4000 type=WB\n",
		       "");
}

static void mprotect_makes_device_memory_cacheable(void **state)
{
	static const char script[] =
		"> mmap driver:big off=0 at=32T len=4M prot=rw flags=shared type=@ "
		"pieces=0x0+0x400000\n"
		"> mprotect at=32T len=2M prot=r\n";
	char arm64[sizeof(script) + 8], x86[sizeof(script) + 8];

	snprintf(arm64, sizeof(arm64), "%.*snGnRnE%s", (int)(strchr(script, '@') - script), script,
		 strchr(script, '@') + 1);
	snprintf(x86, sizeof(x86), "%.*sUC-%s", (int)(strchr(script, '@') - script), script,
		 strchr(script, '@') + 1);
	assert_hazards("7.2.13", "arm64", arm64,
		       "type-changed mm=1 addr=0x200000000000 size=0x200000 pa=0x8100000000 "
		       "types=WB,nGnRnE device=big\n"
		       "device-cacheable mm=1 addr=0x200000000000 size=0x200000 pa=0x8100000000 "
		       "device=big\n");
	assert_hazards("7.2.13", "x86_64", x86, "");
}

static void a_reservation_is_left_behind(void **state)
{
	static const char script[] = "> mmap vfio:huge off=0 at=32T len=4M prot=rw flags=shared\n"
				     "> touch at=32T access=r\n"
				     "> mremap at=0x200000201000 len=4K newlen=4K to=33T\n"
				     "> munmap at=32T len=4M\n"
				     "> munmap at=33T len=4K\n"
				     "> touch at=32T access=r\n";

	assert_hazards("6.1.192", "x86_64", script,
		       "type-leak size=0x400000 pa=0x100000000 types=UC- device=huge\n");
	assert_hazards("6.12.117", "x86_64", script, "");
}

/* ---- pages ---- */

static void assert_state(struct ms_machine *m, const char *hazards)
{
	char *text = NULL;
	size_t size;
	struct judged j = { .m = m, .out = open_memstream(&text, &size) };

	assert_non_null(j.out);
	ms_hazards(m, add_hazard, &j);
	assert_int_equal(fclose(j.out), 0);
	assert_string_equal(text, hazards);
	free(text);
}

static int remap_ram(struct ms_file *file, struct ms_vma *vma)
{
	const ms_pfn_t *pfn = ms_file_priv(file);

	return ms_remap_pfn_range(vma, vma->vm_start, *pfn, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

static void a_driver_maps_ram_that_is_not_its_own(void **state)
{
	static const struct ms_file_ops ops = { .name = "ram", .mmap = remap_ram };
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.117", MS_ARCH_ARM64));
	struct ms_mm *mm;
	ms_pfn_t pfn = 0;

	assert_int_equal(ms_ram_add(m, MS_1G, MS_2M * 8), 0);
	mm = ms_mm_new(m);
	assert_true(ms_page_alloc(m, 0, 0, &pfn));
	assert_int_equal(
		ms_mmap(mm, HVA, MS_4K, MS_PROT_RW, MS_MAP_SHARED,
			ms_file_new(m, &ops, MS_FMODE_READ | MS_FMODE_WRITE, 0, NULL, &pfn), 0),
		HVA);
	assert_state(m, "");
	ms_page_put(m, pfn, 1); // the driver frees it, and the mapping stays
	assert_state(m, "host-freed-page mm=1 addr=0x200000000000 size=0x1000 pa=ram\n");
	assert_int_equal(ms_munmap(mm, HVA, MS_4K), 0);
	assert_state(m, "");
	ms_machine_free(m);
}

/* What a kernel with a broken copy-on-write would do. */
static void a_page_that_a_child_reads_is_made_writable(void **state)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.117", MS_ARCH_ARM64));
	struct ms_mm *mm, *child;

	assert_int_equal(ms_ram_add(m, MS_1G, MS_2M * 8), 0);
	mm = ms_mm_new(m);
	assert_int_equal(
		ms_mmap(mm, HVA, MS_4K, MS_PROT_RW, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS, NULL, 0),
		HVA);
	assert_int_equal(ms_touch(mm, HVA, MS_PROT_W), MS_ACCESS_OK);
	child = ms_fork(mm);
	assert_non_null(child);
	assert_state(m, "");
	*ms_pt_slot(mm, HVA, MS_LEVEL_PTE) |= MS_PTE_WRITE;
	assert_state(m, "host-cow mm=1 addr=0x200000000000 size=0x1000 pa=ram\n");
	ms_mm_exit(child);
	assert_state(m, "");
	ms_machine_free(m);
}

/* More mapped ranges than are compared without memory. */
static void types_of_many_ranges_are_compared(void **state)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.117", MS_ARCH_ARM64));
	struct ms_device *bar = ms_device_add(m, "bar", 0x8000000000, MS_2M);
	struct ms_mm *mm = ms_mm_new(m);
	const struct ms_piece piece = { .off = 0, .len = MS_4K };

	for (unsigned int i = 0; i < 200; i++)
		assert_true(ms_mmap(mm, HVA + i * 2 * MS_4K, MS_4K, MS_PROT_RW, MS_MAP_SHARED,
				    ms_pci_resource(bar), i * MS_4K) > 0);
	assert_state(m, "");
	assert_true(ms_mmap(mm, HVA + MS_1G, MS_4K, MS_PROT_RW, MS_MAP_SHARED,
			    ms_pieces_open(bar, MS_PIECES_AT_MMAP, MS_CACHE_WB, &piece, 1),
			    150 * MS_4K) > 0);
	assert_state(m, "device-cacheable mm=1 addr=0x200040000000 size=0x1000 pa=0x8000096000 "
			"device=bar\n"
			"types size=0x1000 pa=0x8000096000 types=WB,nGnRE device=bar\n");
	ms_machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_moved_mapping_outlives_the_device_s_memory),
		cmocka_unit_test(a_guest_keeps_what_was_moved),
		cmocka_unit_test(sysfs_reaches_a_bar_that_vfio_has_turned_off),
		cmocka_unit_test(sysfs_maps_what_a_driver_has_claimed),
		cmocka_unit_test(a_mapping_of_sysfs_survives_the_claim),
		cmocka_unit_test(a_child_has_a_bar_without_a_vma),
		cmocka_unit_test(a_partial_zap_gives_the_type_away),
		cmocka_unit_test(an_ioremap_is_another_type),
		cmocka_unit_test(mprotect_makes_device_memory_cacheable),
		cmocka_unit_test(a_reservation_is_left_behind),
		cmocka_unit_test(a_driver_maps_ram_that_is_not_its_own),
		cmocka_unit_test(a_page_that_a_child_reads_is_made_writable),
		cmocka_unit_test(types_of_many_ranges_are_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
