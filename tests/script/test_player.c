/* SPDX-License-Identifier: GPL-2.0-only */
/* What operations answer beyond the kernel's own answers: conventions of the recorder. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <mapsim/machine.h>
#include <mapsim/script.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ARM64 \
	"mapsim-recording 1\n" \
	"kernel 6.12.107 arm64\n" \
	"config page_size=4096 va_bits=48 ipa_bits=40 thp=never\n" \
	"device bar pa=0x8000000000 size=0x200000 prefetchable=1\n" \
	"device odd pa=0x8000200000 size=0x200000\n" \
	"ram pa=0x40000000 size=0x10000000\n"

#define X86(release) \
	"mapsim-recording 1\n" \
	"kernel " release " x86_64\n" \
	"config page_size=4096 va_bits=48 pa_bits=40 pat=on thp=never\n" \
	"device bar pa=0x100000000 size=0x10000 prefetchable=1 mtrr=WB\n" \
	"ram pa=0x100000 size=0x10000000\n"

static struct ms_script *parsed(const char *text)
{
	struct ms_script *script = NULL;
	struct ms_script_error err;
	if (ms_script_parse(text, strlen(text), NULL, &script, &err))
		fail_msg("line %d: %s", (int)err.line, err.what);
	return script;
}

/* Playing what is before the answers gives exactly `text`. */
static void assert_plays_as(const char *text)
{
	struct ms_script *script = parsed(text);
	struct ms_script_error err;
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);
	assert_non_null(out);
	assert_int_equal(ms_script_run(script, 0, out, &err), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(printed, text);
	free(printed);
	ms_script_free(script);
}

static void what_needs_a_vm_answers_enodev(void **state)
{
	(void)state;
	assert_plays_as(ARM64 "> vm create ipa=31\n"
			      "< ret EINVAL\n"
			      "> slot id=1 gpa=0x80000000 size=0x1000 hva=0x200000000000\n"
			      "< ret ENODEV\n"
			      "> guest access=r gpa=0x80000000\n"
			      "< ret ENODEV\n"
			      "> dirty id=1 get\n"
			      "< ret ENODEV\n"
			      "> show s2 gpa=0x0 len=0x1000\n"
			      "< ret 0\n"
			      "> vm destroy\n"
			      "< ret 0\n");
}

static void a_second_vm_and_a_second_child_are_refused(void **state)
{
	(void)state;
	assert_plays_as(ARM64 "> vm create\n"
			      "< ret 0\n"
			      "> vm create\n"
			      "< ret EEXIST\n"
			      "> fork\n"
			      "< ret 0\n"
			      "> fork\n"
			      "< ret EEXIST\n");
}

static void what_needs_a_process_that_is_gone_answers_esrch(void **state)
{
	(void)state;
	assert_plays_as(ARM64 "> child munmap at=0x200000000000 len=0x1000\n"
			      "< ret ESRCH\n"
			      "> exit\n"
			      "< ret 0\n"
			      "> munmap at=0x200000000000 len=0x1000\n"
			      "< ret ESRCH\n"
			      "> fork\n"
			      "< ret ESRCH\n"
			      "> vm create\n"
			      "< ret ESRCH\n"
			      "> show memtypes\n"
			      "< ret 0\n");
}

/*
 *   slot 400:       |code|
 *   asked for:  |--------|
 */
static void the_guests_own_code_keeps_its_slot(void **state)
{
	(void)state;
	assert_plays_as(ARM64
			"> vm create\n"
			"< ret 0\n"
			"> mmap anon off=0 at=0x200000000000 len=0x2000 prot=rw flags=private\n"
			"< ret 0\n"
			"> slot id=1 gpa=0xffffdff000 size=0x2000 hva=0x200000000000\n"
			"< ret EEXIST\n"
			"> slot id=1 gpa=0xffffdff000 size=0x1000 hva=0x200000000000\n"
			"< ret 0\n"
			"> guest access=w gpa=0xffffdff000\n"
			"< ret 0\n"
			"< s2.map ipa=0xffffdff000 size=0x1000 pa=ram prot=rw\n"
			"> show s2 gpa=0x0 len=0x10000000000\n"
			"< ret 0\n"
			"< s2 0xffffdff000 0x1000 pa=ram prot=rw size=0x1000\n");
}

static void zaps_outside_of_the_scripts_addresses_are_not_printed(void **state)
{
	(void)state;
	assert_plays_as(ARM64
			"> mmap anon off=0 at=0x10000 len=0x1000 prot=rw flags=private\n"
			"< ret 0\n"
			"> munmap at=0x10000 len=0x1000\n"
			"< ret 0\n"
			"> mmap anon off=0 at=0x100000000000 len=0x1000 prot=rw flags=private\n"
			"< ret 0\n"
			"> munmap at=0x100000000000 len=0x1000\n"
			"< ret 0\n"
			"< zap va=0x100000000000 size=0x1000\n");
}

static void mappings_replace_others_only_where_they_say_fixed(void **state)
{
	(void)state;
	assert_plays_as(
		ARM64 "> mmap bar off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
		      "< ret 0\n"
		      "> mmap anon off=0 at=0x200000000000 len=0x1000 prot=r flags=private\n"
		      "< ret EEXIST\n"
		      "> mmap anon off=0 at=0x200000000000 len=0x1000 prot=r flags=private,fixed\n"
		      "< ret 0\n"
		      "< zap va=0x200000000000 size=0x1000\n");
}

static void a_write_combining_file_that_is_not_there_is_enoent(void **state)
{
	(void)state;
	assert_plays_as(ARM64
			"> mmap odd_wc off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			"< ret ENOENT\n");
}

static void tables_of_the_other_process_are_marked(void **state)
{
	(void)state;
	assert_plays_as(ARM64 "> mmap bar off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			      "< ret 0\n"
			      "> fork\n"
			      "< ret 0\n"
			      "> revoke bar\n"
			      "< ret 0\n"
			      "< zap va=0x200000000000 size=0x1000\n"
			      "< zap va=0x200000000000 size=0x1000 mm=child\n"
			      "> child munmap at=0x200000000000 len=0x1000\n"
			      "< ret 0\n"
			      "< zap va=0x200000000000 size=0x1000\n");
}

static void anonymous_memory_has_no_offset_in_show_vmas(void **state)
{
	(void)state;
	assert_plays_as(ARM64
			"> mmap anon off=0 at=0x200000000000 len=0x1000 prot=rw flags=private\n"
			"< ret 0\n"
			"> show vmas at=0x0 len=0xffffffffffffffff\n"
			"< ret 0\n"
			"< vma 0x200000000000 0x200000001000 rw-p 0x0 rd,wr,mr,mw,me,ac\n");
}

/*
 *   bar     |0    1    2    3|
 *   VMA     |0    2 |       3|      pieces at VMA offsets 0, 0x1000 (shifted) and 0x3000
 */
static void runs_of_entries_end_where_the_physical_address_jumps(void **state)
{
	(void)state;
	assert_plays_as(
		ARM64 "> mmap driver:bar off=0 at=0x200000000000 len=0x4000 prot=rw flags=shared "
		      "pieces=0+0x1000,0x1000+0x1000:0x1000,0x3000+0x1000 type=nGnRE\n"
		      "< ret 0\n"
		      "> show ptes at=0x200000000000 len=0x4000\n"
		      "< ret 0\n"
		      "< pte 0x200000000000 0x1000 pa=0x8000000000 type=nGnRE prot=rw size=0x1000\n"
		      "< pte 0x200000001000 0x1000 pa=0x8000002000 type=nGnRE prot=rw size=0x1000\n"
		      "< pte 0x200000003000 0x1000 pa=0x8000003000 type=nGnRE prot=rw size=0x1000\n"
		      "> show present at=0x200000000000 len=0x4000\n"
		      "< ret 0\n"
		      "< present 0x200000000000 0x2000\n"
		      "< present 0x200000003000 0x1000\n");
}

static void runs_are_cut_to_the_range_that_was_asked_for(void **state)
{
	(void)state;
	assert_plays_as(ARM64 "> mmap bar off=0 at=0x200000000000 len=0x4000 prot=r flags=shared\n"
			      "< ret 0\n"
			      "> show present at=0x200000001000 len=0x2000\n"
			      "< ret 0\n"
			      "< present 0x200000001000 0x2000\n");
}

static void dirty_pages_are_printed_as_runs_before_the_events(void **state)
{
	(void)state;
	assert_plays_as(ARM64
			"> vm create\n"
			"< ret 0\n"
			"> mmap anon off=0 at=0x200000000000 len=0x100000 prot=rw flags=private\n"
			"< ret 0\n"
			"> slot id=1 gpa=0x80000000 size=0x100000 hva=0x200000000000 flags=log\n"
			"< ret 0\n"
			"< s2.wrprotect ipa=0x80000000 size=0x100000\n"
			"> guest access=w gpa=0x8003f000\n"
			"< ret 0\n"
			"< s2.map ipa=0x8003f000 size=0x1000 pa=ram prot=rw\n"
			"> guest access=w gpa=0x80040000\n"
			"< ret 0\n"
			"< s2.map ipa=0x80040000 size=0x1000 pa=ram prot=rw\n"
			"> dirty id=1 get\n"
			"< ret 0\n"
			"< dirty first=0x3f pages=0x2\n"
			"< s2.wrprotect ipa=0x8003f000 size=0x1000\n"
			"< s2.wrprotect ipa=0x80040000 size=0x1000\n");
}

static void ioremap_slots_are_eight_and_hold_one_each(void **state)
{
	(void)state;
	assert_plays_as(X86("6.12.107") "> ioremap bar id=0 off=0x0 len=0x1000 type=UC-\n"
					"< ret 0\n"
					"< pat.reserve start=0x100000000 end=0x100001000 type=UC-\n"
					"> ioremap bar id=0 type=UC-\n"
					"< ret EINVAL\n"
					"> ioremap bar id=8 type=UC-\n"
					"< ret EINVAL\n"
					"> iounmap bar id=1\n"
					"< ret EINVAL\n"
					"> iounmap bar id=0\n"
					"< ret 0\n"
					"< pat.free start=0x100000000 end=0x100001000\n");
}

static void files_close_with_the_last_process(void **state)
{
	(void)state;
	assert_plays_as(X86(
		"6.12.107") "> mmap vfio:bar off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			    "< ret 0\n"
			    "< pat.reserve start=0x100000000 end=0x100010000 type=UC-\n"
			    "> fork\n"
			    "< ret 0\n"
			    "< pat.clear va=0x200000000000 mm=child\n"
			    "> exit\n"
			    "< ret 0\n"
			    "< pat.untrack va=0x200000000000 pfn=0 size=0\n"
			    "< zap va=0x200000000000 size=0x1000\n"
			    "> child exit\n"
			    "< ret 0\n"
			    "< pat.untrack va=0x200000000000 pfn=0 size=0\n"
			    "< zap va=0x200000000000 size=0x1000\n"
			    "< pat.free start=0x100000000 end=0x100010000\n");
}

static void a_kernel_that_claims_bars_at_open_has_done_so_before_the_script(void **state)
{
	(void)state;
	assert_plays_as(X86(
		"7.2.13") "> show memtypes\n"
			  "< ret 0\n"
			  "< memtype 0x100000000 0x100010000 UC-\n"
			  "> mmap vfio:bar off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			  "< ret 0\n");
}

/* The ISA range is never on the list, and only some recorders see that it is freed. */
static void frees_that_end_early_are_printed_where_the_recorder_sees_them(void **state)
{
	(void)state;
	assert_plays_as(X86(
		"6.12.107") "> mmap devmem off=0xa0000 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			    "< ret 0\n"
			    "< pat.reserve start=0xa0000 end=0xa1000 type=UC-\n"
			    "> munmap at=0x200000000000 len=0x1000\n"
			    "< ret 0\n"
			    "< pat.untrack va=0x200000000000 pfn=0 size=0\n"
			    "< pat.free start=0xa0000 end=0xa1000\n"
			    "< zap va=0x200000000000 size=0x1000\n");
	assert_plays_as(X86(
		"5.10.223") "> mmap devmem off=0xa0000 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			    "< ret 0\n"
			    "< pat.reserve start=0xa0000 end=0xa1000 type=UC-\n"
			    "> munmap at=0x200000000000 len=0x1000\n"
			    "< ret 0\n"
			    "< pat.untrack va=0x200000000000 pfn=0 size=0\n"
			    "< zap va=0x200000000000 size=0x1000\n");
}

static void memtypes_that_outlive_everybody_are_told_at_the_end(void **state)
{
	(void)state;
	assert_plays_as(X86(
		"6.12.107") "> mmap bar off=0 at=0x200000000000 len=0x2000 prot=r flags=shared\n"
			    "< ret 0\n"
			    "< pat.reserve start=0x100000000 end=0x100002000 type=UC-\n"
			    "> munmap at=0x200000000000 len=0x1000\n"
			    "< ret 0\n"
			    "< pat.untrack va=0x200000000000 pfn=0 size=0\n"
			    "< pat.free start=0x100000000 end=0x100001000 ret=EINVAL\n"
			    "< zap va=0x200000000000 size=0x1000\n"
			    "# left behind on the memtype list after the script's process ended:\n"
			    "# memtype 0x100000000 0x100001000 UC-\n");
}

static void comments_stay_and_the_recorders_go(void **state)
{
	static const char text[] = ARM64 "# debian kernel 6.12.107\n"
					 "# Asks: what?\n"
					 "> fork\n"
					 "# kernel log: something\n"
					 "\n"
					 "# the end\n";
	struct ms_script *script = parsed(text);
	struct ms_script_error err;
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);
	(void)state;
	assert_int_equal(ms_script_run(script, 0, out, &err), 0);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(printed, ARM64 "# Asks: what?\n> fork\n< ret 0\n\n# the end\n");
	free(printed);
	ms_script_free(script);
}

static void explanations_are_comments_that_do_not_stay(void **state)
{
	struct ms_script *script =
		parsed(ARM64 "> mmap bar off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			     "> munmap at=0x200000000000 len=0x1000\n");
	struct ms_script_error err;
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);
	(void)state;
	assert_int_equal(ms_script_run(script, MS_SCRIPT_EXPLAIN, out, &err), 0);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(printed, "# why: notifier.start"));
	ms_script_free(script);

	script = parsed(printed);
	free(printed);
	out = open_memstream(&printed, &size);
	assert_int_equal(ms_script_run(script, 0, out, &err), 0);
	assert_int_equal(fclose(out), 0);
	assert_null(strstr(printed, "# why:"));
	free(printed);
	ms_script_free(script);
}

struct seen {
	unsigned int calls;
	uint64_t line;
	char kernel[80], model[80];
};

static void note(const struct ms_script_difference *diff, void *arg)
{
	struct seen *seen = arg;
	if (seen->calls++)
		return;
	seen->line = diff->line;
	snprintf(seen->kernel, sizeof(seen->kernel), "%s", diff->kernel ? diff->kernel : "-");
	snprintf(seen->model, sizeof(seen->model), "%s", diff->model ? diff->model : "-");
}

static void a_difference_is_told_and_the_rest_is_played_on(void **state)
{
	struct ms_script *script =
		parsed(ARM64 "> mmap bar off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			     "< ret EINVAL\n"
			     "> munmap at=0x200000000000 len=0x1000\n"
			     "< ret 0\n"
			     "< zap va=0x200000000000 size=0x1000\n"
			     "> fork\n"
			     "< ret 0\n"
			     "< zap va=0x0 size=0x1000\n");
	struct ms_script_count count;
	struct ms_script_error err;
	struct seen seen = { 0 };
	(void)state;
	assert_int_equal(ms_script_check(script, note, &seen, &count, &err), 0);
	assert_int_equal(count.answers, 3);
	assert_int_equal(count.same, 1);
	assert_int_equal(seen.calls, 2);
	assert_int_equal(seen.line, 8);
	assert_string_equal(seen.kernel, "ret EINVAL");
	assert_string_equal(seen.model, "ret 0");
	ms_script_free(script);
}

static void a_line_that_only_one_side_has_differs(void **state)
{
	struct ms_script *script = parsed(ARM64 "> fork\n< ret 0\n< zap va=0x0 size=0x1000\n");
	struct ms_script_count count;
	struct ms_script_error err;
	struct seen seen = { 0 };
	(void)state;
	assert_int_equal(ms_script_check(script, note, &seen, &count, &err), 0);
	assert_int_equal(count.same, 0);
	assert_int_equal(seen.line, 9);
	assert_string_equal(seen.kernel, "zap va=0x0 size=0x1000");
	assert_string_equal(seen.model, "-");
	ms_script_free(script);
}

static void an_answer_is_compared_up_to_where_events_were_lost(void **state)
{
	struct ms_script *script =
		parsed(ARM64 "> mmap bar off=0 at=0x200000000000 len=0x1000 prot=r flags=shared\n"
			     "< ret 0\n"
			     "> munmap at=0x200000000000 len=0x1000\n"
			     "< ret 0\n"
			     "< s2.map ipa=0x0 size=0x0 pa=0x0 prot=-\n"
			     "> munmap at=0x200000000000 len=0x0\n"
			     "< ret 0\n"
			     "< s2.map ipa=0x0 size=0x0 pa=0x0 prot=-\n");
	struct ms_script_count count;
	struct ms_script_error err;
	(void)state;
	assert_int_equal(ms_script_check(script, NULL, NULL, &count, &err), 0);
	assert_int_equal(count.answers, 3);
	assert_int_equal(count.same, 2);
	ms_script_free(script);
}

static void a_recording_with_an_unanswered_operation_is_not_checked(void **state)
{
	struct ms_script *script = parsed(ARM64 "> fork\n< ret 0\n> exit\n");
	struct ms_script_count count;
	struct ms_script_error err;
	(void)state;
	assert_int_equal(ms_script_check(script, NULL, NULL, &count, &err), -EINVAL);
	assert_int_equal(err.line, 9);
	assert_non_null(strstr(err.what, "without an answer"));
	ms_script_free(script);

	script = parsed(ARM64 "> fork\n");
	assert_int_equal(ms_script_check(script, NULL, NULL, &count, &err), -EINVAL);
	assert_non_null(strstr(err.what, "a script, not a recording"));
	ms_script_free(script);

	script = parsed(ARM64);
	assert_int_equal(ms_script_check(script, NULL, NULL, &count, &err), -EINVAL);
	assert_non_null(strstr(err.what, "no operation"));
	ms_script_free(script);
}

static void a_header_that_is_no_machine_is_told(void **state)
{
	struct ms_script *script = parsed("mapsim-recording 1\nkernel 6.12.107 arm64\n"
					  "config page_size=4096\n"
					  "device a pa=0x1000 size=0x2000\n"
					  "device b pa=0x2000 size=0x2000\n");
	struct ms_script_error err;
	(void)state;
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
		"vm create split=0xffffffffffffffff",
		"vm create",
		"slot id=0xffffffff gpa=0xffffffffffffffff size=0xffffffffffffffff "
		"hva=0xffffffffffffffff",
		"slot id=1 gpa=0x0 size=0x1000 hva=0x7ffffffff000",
		"guest access=x gpa=0xffffffffffffffff",
		"dirty id=0xffffffff get",
		"dirty id=1 clear first=0xffffffffffffffff pages=0xffffffffffffffff",
		"show s2 gpa=0xffffffffffffffff len=0xffffffffffffffff",
	};
	(void)state;
	for (int x86 = 0; x86 < 2; x86++) {
		char *text = NULL;
		size_t size;
		FILE *made = open_memstream(&text, &size);
		fputs(x86 ? X86("6.12.107") : ARM64, made);
		for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
			fprintf(made, "> %s\n", ops[i]);
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

static void a_script_is_played_to_its_end_whichever_allocation_fails(void **state)
{
	struct ms_script *script = parsed(
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
	uint64_t n = 1;
	(void)state;
	while (plays_without_allocation(script, n))
		n++;
	assert_true(n > 20);
	ms_script_free(script);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_needs_a_vm_answers_enodev),
		cmocka_unit_test(a_second_vm_and_a_second_child_are_refused),
		cmocka_unit_test(what_needs_a_process_that_is_gone_answers_esrch),
		cmocka_unit_test(the_guests_own_code_keeps_its_slot),
		cmocka_unit_test(zaps_outside_of_the_scripts_addresses_are_not_printed),
		cmocka_unit_test(mappings_replace_others_only_where_they_say_fixed),
		cmocka_unit_test(a_write_combining_file_that_is_not_there_is_enoent),
		cmocka_unit_test(tables_of_the_other_process_are_marked),
		cmocka_unit_test(anonymous_memory_has_no_offset_in_show_vmas),
		cmocka_unit_test(runs_of_entries_end_where_the_physical_address_jumps),
		cmocka_unit_test(runs_are_cut_to_the_range_that_was_asked_for),
		cmocka_unit_test(dirty_pages_are_printed_as_runs_before_the_events),
		cmocka_unit_test(ioremap_slots_are_eight_and_hold_one_each),
		cmocka_unit_test(files_close_with_the_last_process),
		cmocka_unit_test(a_kernel_that_claims_bars_at_open_has_done_so_before_the_script),
		cmocka_unit_test(frees_that_end_early_are_printed_where_the_recorder_sees_them),
		cmocka_unit_test(memtypes_that_outlive_everybody_are_told_at_the_end),
		cmocka_unit_test(comments_stay_and_the_recorders_go),
		cmocka_unit_test(explanations_are_comments_that_do_not_stay),
		cmocka_unit_test(a_difference_is_told_and_the_rest_is_played_on),
		cmocka_unit_test(a_line_that_only_one_side_has_differs),
		cmocka_unit_test(an_answer_is_compared_up_to_where_events_were_lost),
		cmocka_unit_test(a_recording_with_an_unanswered_operation_is_not_checked),
		cmocka_unit_test(a_header_that_is_no_machine_is_told),
		cmocka_unit_test(absurd_addresses_and_lengths_are_answered),
		cmocka_unit_test(a_script_is_played_to_its_end_whichever_allocation_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
