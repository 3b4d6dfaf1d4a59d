/* SPDX-License-Identifier: GPL-2.0-only */
/* The check of a machine's own state, and how it tells. */
#include "broken.h"

#include "phys/internal.h"

static struct ms_machine *machine(void)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_ARM64));

	assert_non_null(m);
	assert_int_equal(ms_ram_add(m, MS_1G, MS_1G), 0);
	return m;
}

static void a_fresh_machine_is_whole(void **state)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.107", MS_ARCH_X86_64));

	assert_whole(m);
	ms_machine_free(m);
}

static void a_check_allocates_nothing(void **state)
{
	struct ms_machine *m = machine();
	struct ms_mm *mm = ms_mm_new(m);
	uint64_t allocs;

	assert_int_equal(ms_mmap(mm, MS_1G, MS_2M, MS_PROT_RW,
				 MS_MAP_PRIVATE | MS_MAP_FIXED | MS_MAP_ANONYMOUS, NULL, 0),
			 (int64_t)MS_1G);
	assert_int_equal(ms_touch(mm, MS_1G, MS_PROT_W), MS_ACCESS_OK);
	allocs = ms_machine_allocs(m);
	assert_whole(m);
	assert_int_equal(ms_machine_allocs(m), allocs);
	ms_machine_free(m);
}

static void findings_beyond_the_first_are_counted_only(void **state)
{
	struct ms_machine *m = machine();
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_vma *vma;
	char *text = NULL;
	size_t size, lines = 0;
	FILE *out = open_memstream(&text, &size);

	ms_mmap(mm, MS_1G, 100 * MS_4K, MS_PROT_RW, MS_MAP_SHARED | MS_MAP_FIXED,
		ms_memfd_new(m, 100 * MS_4K), 0);
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(ms_touch(mm, MS_1G + i * MS_4K, MS_PROT_W), MS_ACCESS_OK);
	vma = ms_vma_lookup(mm, MS_1G);
	vma->vm_flags &= ~MS_VM_WRITE;
	assert_int_equal(ms_machine_check(m, out), 100);
	vma->vm_flags |= MS_VM_WRITE;
	fclose(out);
	for (const char *line = text; (line = strchr(line, '\n')); line++)
		lines++;
	assert_int_equal(lines, MS_CHECK_MAX_LINES + 1);
	assert_non_null(strstr(text, "... and 80 more\n"));
	free(text);
	ms_machine_free(m);
}

static void the_trace_knows_how_many_events_it_keeps(void **state)
{
	struct ms_machine *m = machine();
	struct ms_events *events = &m->events;
	const enum ms_event_type none = MS_EV_TYPES;

	ms_violation(m, "test", 0);
	breaks(m, &events->capacity, &(size_t){ 0 }, sizeof(size_t),
	       "trace: more events are kept than there is room for");
	breaks(m, &events->kept[MS_EV_VIOLATION], &(size_t){ 2 }, sizeof(size_t),
	       "trace: violation: another number of events is kept than counted");
	breaks_u64(m, &events->total[MS_EV_VIOLATION], 0,
		   "trace: violation: more events are kept than ever were");
	breaks(m, &events->event[0].type, &none, sizeof(none), "trace: an event is of no type");
	ms_machine_free(m);
}

static void a_look_at_many_pages_changes_nothing(void **state)
{
	const struct ms_machine_config config = { .thp = MS_THP_NEVER };
	struct ms_machine *m =
		ms_machine_new_config(ms_policy_linux("6.12.107", MS_ARCH_ARM64), &config);
	struct ms_mm *mm = ms_mm_new(m);
	struct ms_page *page;
	struct ms_host_leaf leaf;
	uint64_t allocs;
	int64_t at;

	assert_int_equal(ms_ram_add(m, MS_1G, MS_1G), 0);
	at = ms_mmap(mm, 0, 4 * MS_2M, MS_PROT_RW,
		     MS_MAP_PRIVATE | MS_MAP_ANONYMOUS | MS_MAP_POPULATE, NULL, 0);
	assert_true(at > 0);
	allocs = ms_machine_allocs(m);
	assert_whole(m);
	assert_int_equal(ms_machine_allocs(m), allocs);

	assert_true(ms_host_leaf(mm, (ms_hva_t)at + MS_2M, &leaf));
	page = ms_pfn_to_page(m, (leaf.entry & MS_PTE_PA_MASK) / MS_4K);
	breaks_u32(m, &page->refcount, 2, "2 references, 1 holders");
	assert_int_equal(ms_machine_allocs(m), allocs);
	ms_machine_free(m);
}

static void nothing_is_held_between_operations(void **state)
{
	struct ms_machine *m = machine();
	struct ms_mm *mm = ms_mm_new(m);

	breaks_u32(m, &m->in_hook, 1, "1 hooks are running");
	breaks_u32(m, &m->call.locks, 2, "driver code holds 2 locks");
	breaks_u32(m, &m->call.mmap_again, 1, "a call into a driver has not come back");
	breaks_pointer(m, &m->call.mm, mm, "a call into a driver has not come back");
	ms_machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fresh_machine_is_whole),
		cmocka_unit_test(a_check_allocates_nothing),
		cmocka_unit_test(findings_beyond_the_first_are_counted_only),
		cmocka_unit_test(the_trace_knows_how_many_events_it_keeps),
		cmocka_unit_test(a_look_at_many_pages_changes_nothing),
		cmocka_unit_test(nothing_is_held_between_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
