/* SPDX-License-Identifier: GPL-2.0-only */
/* What happened, and what is left in the end. */
#include "world.h"

#include "phys/internal.h"

#include <mapsim/drivers.h>
#include <mapsim/kvm.h>
#include <mapsim/policy.h>

#include <errno.h>

static void a_border_in_1g_that_is_not_2m_aligned_crashes_the_kernel(void **state)
{
	static const char script[] = "> mmap vfio:huge off=0 at=32T len=2G prot=rw flags=shared\n"
				     "> touch at=32T access=r\n"
				     "> mprotect at=0x200000201000 len=4K prot=r\n";

	assert_hazards("7.3.4", "x86_64", script, "crash mm=1 addr=0x200000201000\n");
	assert_hazards("7.3.4", "arm64", script, ""); // which has no such leaves
}

static void a_moved_mapping_makes_the_kernel_warn(void **state)
{
	static const char script[] = "> mmap vfio:big off=0 at=32T len=4M prot=rw flags=shared\n"
				     "> touch at=32T access=r\n"
				     "> mremap at=32T len=4M newlen=4M to=33T\n";

	assert_hazards("6.1.192", "x86_64", script, "warning mm=1 addr=0x210000000000\n");
	assert_hazards("6.12.117", "x86_64", script, "");
}

static void a_guest_faults_for_ever_on_prot_none(void **state)
{
#define NONE_16K \
	"> vm create\n" \
	"> mmap vfio:huge off=0 at=0x200000000000 len=0x4000000 prot=rw flags=shared\n" \
	"> slot id=1 gpa=0x80000000 size=0x6000000 hva=0x200000000000\n" \
	"> guest access=r gpa=0x80000000\n" \
	"> mprotect at=0x200000000000 len=0x2000000 prot=-\n" \
	"> guest access=r gpa=0x80000000\n"

	assert_hazards(NULL, NULL, PAGES_16K("6.12.117") NONE_16K,
		       "endless vm=1 ipa=0x80000000 hva=0x200000000000\n");
	assert_hazards(NULL, NULL, PAGES_16K("6.12.107") NONE_16K,
		       "guest-read vm=1 ipa=0x80000000 size=0x2000000 hva=0x200000000000 "
		       "pa=0x8000000000 device=huge\n");
}

/* A kernel that refuses what it could map: the answer is given here, as no script brings it about.
 */
static void a_guest_is_refused_what_its_process_may_do(void **state)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.117", MS_ARCH_ARM64));
	struct ms_guest_access refused = { .exit = MS_GUEST_ERROR, .err = -EFAULT };
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_vm *vm = ms_vm_new(mm, 0);
	char *text = NULL;
	size_t size;
	struct judged j = { .m = m, .out = open_memstream(&text, &size) };

	assert_int_equal(ms_ram_add(m, MS_1G, MS_2M * 8), 0);
	assert_true(ms_mmap(mm, MS_2M, MS_2M, MS_PROT_RW, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS, NULL,
			    0) > 0);
	assert_int_equal(ms_vm_set_slot(vm, 1, MS_1G, MS_2M, MS_2M, 0), 0);
	// the process itself would fault
	assert_int_equal(ms_hazards_of_guest(vm, MS_1G, MS_PROT_R, &refused, add_hazard, &j), 0);
	assert_int_equal(ms_touch(mm, MS_2M, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_hazards_of_guest(vm, MS_1G, MS_PROT_R, &refused, add_hazard, &j), 1);
	assert_int_equal(ms_hazards_of_guest(vm, MS_1G, MS_PROT_W, &refused, add_hazard, &j), 0);
	assert_int_equal(ms_hazards_of_guest(vm, 0, MS_PROT_R, &refused, add_hazard, &j), 0);
	refused.err = -EIO;
	assert_int_equal(ms_hazards_of_guest(vm, MS_1G, MS_PROT_R, &refused, add_hazard, &j), 0);
	assert_int_equal(fclose(j.out), 0);
	assert_string_equal(text, "guest-refused vm=1 ipa=0x40000000 hva=0x200000 pa=ram\n");
	free(text);
	ms_machine_free(m);
}

static void collect(const struct ms_hazard *h, void *arg)
{
	assert_int_equal(h->kind, MS_HAZARD_PAGE_LEAK);
	*(uint64_t *)arg += h->size;
}

static void a_page_that_nobody_gives_back_is_left_in_the_end(void **state)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.117", MS_ARCH_X86_64));
	struct ms_mm *mm;
	ms_pfn_t pfn = 0;
	uint64_t bytes = 0;

	assert_int_equal(ms_ram_add(m, 0, MS_1G), 0);
	mm = ms_mm_new(m);
	assert_true(ms_mmap(mm, MS_1G, 4 * MS_2M, MS_PROT_RW, MS_MAP_PRIVATE | MS_MAP_ANONYMOUS,
			    NULL, 0) > 0);
	assert_int_equal(ms_touch(mm, MS_1G, MS_PROT_R), MS_ACCESS_OK);
	assert_int_equal(ms_touch(mm, MS_1G + MS_2M, MS_PROT_W), MS_ACCESS_OK);
	assert_true(ms_page_alloc(m, 3, 0, &pfn));
	assert_int_equal(ms_hazards_at_end(m, collect, &bytes), 0); // a process lives
	ms_mm_exit(mm);
	assert_int_equal(ms_hazards_at_end(m, collect, &bytes), 1);
	assert_int_equal(bytes, 8 * MS_4K);
	ms_page_put(m, pfn, 1);
	assert_int_equal(ms_hazards_at_end(m, collect, &bytes), 0);
	ms_machine_free(m);
}

/* ---- words ---- */

/* What ms_script_run() prints with hazards. Freed by the caller. */
static char *printed(const char *text, unsigned int flags)
{
	const struct ms_script_kernel kernel = { "6.12.107", "arm64" };
	struct ms_script_error err;
	struct ms_script *script = ms_script_parse(text, strlen(text), &kernel, &err);
	char *answer = NULL;
	size_t size;
	FILE *out = open_memstream(&answer, &size);

	assert_non_null(script);
	assert_non_null(out);
	assert_int_equal(ms_script_run(script, flags, out, &err), 0);
	assert_int_equal(fclose(out), 0);
	ms_script_free(script);
	return answer;
}

static void what_was_printed_with_hazards_prints_the_same_again(void **state)
{
	static const char script[] = "> vm create\n"
				     "> mmap big off=0 at=32T len=3M prot=rw flags=shared\n"
				     "> slot id=1 gpa=2G size=6M hva=32T\n"
				     "> guest access=r gpa=0x80200000\n"
				     "> guest access=r gpa=0x80200000\n"
				     "> munmap at=0x200000200000 len=4K\n";
	char *first = printed(script, MS_SCRIPT_HAZARDS);
	char *again = printed(first, MS_SCRIPT_HAZARDS);
	char *without = printed(first, 0);
	const char *at = strstr(first, "# hazard: guest-beyond-vma vm=1 ipa=0x80300000");

	assert_non_null(at);
	assert_null(strstr(at + 1, "# hazard: guest-beyond-vma")); // once, though it stands
	assert_string_equal(again, first);
	assert_null(strstr(without, "# hazard"));
	free(first);
	free(again);
	free(without);
}

static void every_kind_has_a_name_and_a_meaning(void **state)
{
	for (unsigned int kind = 0; kind < MS_HAZARD_KINDS; kind++) {
		assert_true(strlen(ms_hazard_name(kind)) > 3);
		assert_true(strlen(ms_hazard_doc(kind)) > 10);
		for (unsigned int other = 0; other < kind; other++)
			assert_string_not_equal(ms_hazard_name(kind), ms_hazard_name(other));
	}
	assert_string_equal(ms_hazard_name(MS_HAZARD_KINDS), "?");
	assert_string_equal(ms_hazard_doc(MS_HAZARD_KINDS), "");
	assert_string_equal(ms_blame_name(MS_BLAME_DRIVER), "driver");
	assert_string_equal(ms_blame_name(17), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_border_in_1g_that_is_not_2m_aligned_crashes_the_kernel),
		cmocka_unit_test(a_moved_mapping_makes_the_kernel_warn),
		cmocka_unit_test(a_guest_faults_for_ever_on_prot_none),
		cmocka_unit_test(a_guest_is_refused_what_its_process_may_do),
		cmocka_unit_test(a_page_that_nobody_gives_back_is_left_in_the_end),
		cmocka_unit_test(what_was_printed_with_hazards_prints_the_same_again),
		cmocka_unit_test(every_kind_has_a_name_and_a_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
