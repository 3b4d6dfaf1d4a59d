/* SPDX-License-Identifier: GPL-2.0-only */
/* Headers that make no machine, absurd arguments, no memory: an answer, and on to the end. */
#include "world.h"

static void a_header_that_is_no_machine_is_told(void **state)
{
	struct ms_script *script = parsed("mapsim-recording 1\nkernel 6.12.107 arm64\n"
					  "config page_size=4096\n"
					  "device a pa=0x1000 size=0x2000\n"
					  "device b pa=0x2000 size=0x2000\n");
	struct ms_script_error err;

	assert_null(ms_player_new(script, &err));
	assert_non_null(strstr(err.what, "device b"));
	ms_script_free(script);

	script = parsed("mapsim-recording 1\nkernel 6.12.107 arm64\nconfig page_size=4096\n"
			"ram pa=0xfffffffffffff000 size=0x2000\n");
	assert_null(ms_player_new(script, &err));
	assert_non_null(strstr(err.what, "ram at 0xfffffffffffff000"));
	ms_script_free(script);
}

/* Absurd numbers are the model's to refuse, and no reason to fall over. */
static void absurd_addresses_and_lengths_are_answered(void **state)
{
	static const char *const ops[] = {
		"munmap at=0xffffffffffffffff len=0xffffffffffffffff",
		"mprotect at=0xfffffffffffff000 len=0x2000 prot=r",
		"mremap at=0x0 len=0xffffffffffffffff newlen=0xffffffffffffffff to=0xffffffffffffffff",
		"madvise at=0x0 len=0xffffffffffffffff advice=populate_read",
		"touch at=0xffffffffffffffff access=w",
		"show vmas at=0xffffffffffffffff len=0xffffffffffffffff",
		"show ptes at=0x0 len=0xffffffffffffffff",
		"show present at=0xffffffffffffffff len=0xffffffffffffffff",
		"mmap bar off=0xffffffffffffffff at=0xffffffffffffffff len=0xffffffffffffffff prot=r "
		"flags=shared",
		"mmap vfio:bar off=0xffffffffffffffff at=0x200000000000 len=0x1000 prot=r flags=shared",
		"mmap devmem off=0xfffffffffffff000 at=0x200000000000 len=0x1000 prot=r flags=shared",
		"mmap driver:bar off=0 at=0x200000000000 len=0x1000 prot=r flags=shared "
		"pieces=0xffffffffffffffff+0xffffffffffffffff:-0x7fffffffffffffff",
		"claim bar off=0xffffffffffffffff len=0xffffffffffffffff",
		"release bar off=0xffffffffffffffff len=0xffffffffffffffff",
		"revoke driver:bar off=0xffffffffffffffff len=0xffffffffffffffff",
		"ioremap bar id=1 off=0xffffffffffffffff len=0xffffffffffffffff type=WC",
		"vm create",
		"slot id=0xffffffff gpa=0xffffffffffffffff size=0xffffffffffffffff "
		"hva=0xffffffffffffffff",
		"slot id=1 gpa=0x0 size=0x1000 hva=0x7ffffffff000",
		"guest access=x gpa=0xffffffffffffffff",
		"dirty id=0xffffffff get",
		"dirty id=1 clear first=0xffffffffffffffff pages=0xffffffffffffffff",
		"show s2 gpa=0xffffffffffffffff len=0xffffffffffffffff",
		"show s2 gpa=0x0 len=0xffffffffffffffff",
	};
	static const char *const of_arm64[] = {
		"vm destroy",
		"vm create split=0xffffffffffffffff",
		NULL,
	};
	static const char *const of_x86[] = {
		"prefault gpa=0xfffffffffffff000 size=0xffffffffffffffff",
		"prefault gpa=0x0 size=0xffffffffffffffff",
		"age at=0xffffffffffffffff len=0xffffffffffffffff",
		"age at=0x0 len=0xffffffffffffffff",
		"test-age at=0xffffffffffffffff len=0",
		NULL,
	};

	for (int x86 = 0; x86 < 2; x86++) {
		char *text = NULL;
		size_t size;
		FILE *made = open_memstream(&text, &size);

		fputs(x86 ? X86("6.12.107") : ARM64, made);
		for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
			fprintf(made, "> %s\n", ops[i]);
		for (const char *const *own = x86 ? of_x86 : of_arm64; *own; own++)
			fprintf(made, "> %s\n", *own);
		assert_int_equal(fclose(made), 0);
		struct ms_script *script = parsed(text);
		struct ms_script_error err;
		struct ms_player *player = ms_player_new(script, &err);
		assert_non_null(player);
		for (size_t i = 0; i < ms_script_nr_ops(script); i++) {
			const char *answer = ms_player_step(player, i);

			assert_non_null(answer);
			assert_memory_equal(answer, "ret ", 4);
		}
		ms_player_free(player);
		ms_script_free(script);
		free(text);
	}
}

/* Plays all of it with the n-th allocation failing; false: there is no n-th. */
static bool plays_without_allocation(const struct ms_script *script, uint64_t n)
{
	struct ms_script_error err;
	struct ms_player *player = ms_player_new(script, &err);

	assert_non_null(player);
	uint64_t before = ms_machine_allocs(ms_player_machine(player));
	ms_machine_fail_alloc(ms_player_machine(player), n);
	for (size_t i = 0; i < ms_script_nr_ops(script); i++) {
		const char *answer = ms_player_step(player, i);

		assert_non_null(answer);
		assert_memory_equal(answer, "ret ", 4);
	}
	bool failed = ms_machine_allocs(ms_player_machine(player)) - before >= n;
	ms_player_free(player);
	return failed;
}

static void assert_played_whichever_allocation_fails(const char *text)
{
	struct ms_script *script = parsed(text);
	uint64_t n = 1;

	while (plays_without_allocation(script, n))
		n++;
	assert_true(n > 20);
	ms_script_free(script);
}

static void a_script_is_played_to_its_end_whichever_allocation_fails(void **state)
{
	assert_played_whichever_allocation_fails(
		ARM64 "> vm create\n"
		      "> mmap memfd off=0 at=0x200000000000 len=0x4000 prot=rw flags=shared\n"
		      "> mmap vfio:bar off=0 at=0x200000400000 len=0x200000 prot=rw flags=shared\n"
		      "> mmap driver:bar off=0 at=0x200000800000 len=0x2000 prot=rw flags=shared "
		      "pieces=0+0x1000 type=NC lazy\n"
		      "> slot id=1 gpa=0x80000000 size=0x4000 hva=0x200000000000 flags=log\n"
		      "> slot id=2 gpa=0x80400000 size=0x200000 hva=0x200000400000\n"
		      "> guest access=w gpa=0x80001000\n"
		      "> guest access=w gpa=0x80400000\n"
		      "> touch at=0x200000800000 access=w\n"
		      "> dirty id=1 get\n"
		      "> fork\n"
		      "> vfio-memory bar off\n"
		      "> child munmap at=0x200000000000 len=0x1000\n"
		      "> child exit\n"
		      "> show vmas at=0x200000000000 len=0x1000000\n"
		      "> exit\n");
}

static void a_script_of_an_x86_guest_is_played_whichever_allocation_fails(void **state)
{
	assert_played_whichever_allocation_fails(X86(
		"7.3.4") "> vm create zap=slot\n"
			 "> mmap memfd off=0 at=0x200000000000 len=0x4000 prot=rw flags=shared\n"
			 "> slot id=1 gpa=0x80000000 size=0x4000 hva=0x200000000000 flags=log\n"
			 "> kvm nx_huge_pages=force\n"
			 "> guest access=w gpa=0x80001000\n"
			 "> guest access=r gpa=0x90001000\n"
			 "> prefault gpa=0x80000000 size=0x4000\n"
			 "> age at=0x200000000000 len=0x4000\n"
			 "> dirty id=1 get\n"
			 "> nx-recover\n"
			 "> show s2 gpa=0x0 len=0x10000000000\n"
			 "> fork\n"
			 "> child exit\n"
			 "> exit\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_that_is_no_machine_is_told),
		cmocka_unit_test(absurd_addresses_and_lengths_are_answered),
		cmocka_unit_test(a_script_is_played_to_its_end_whichever_allocation_fails),
		cmocka_unit_test(a_script_of_an_x86_guest_is_played_whichever_allocation_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
