/* SPDX-License-Identifier: GPL-2.0-only */
/* Worlds: what an alphabet stands for, and how a bad one is refused. */
#include <mapsim/explore.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct ms_world *parse(const char *text)
{
	struct ms_script_error err;
	struct ms_world *w = ms_world_parse(text, strlen(text), &err);

	if (!w)
		print_error("line %llu: %s\n", (unsigned long long)err.line, err.what);
	assert_non_null(w);
	return w;
}

/* The world has exactly these letters; the list ends with NULL. */
static void has_letters(const char *text, ...)
{
	struct ms_world *w = parse(text);
	const char *letter;
	size_t i = 0;
	va_list args;

	va_start(args, text);
	while ((letter = va_arg(args, const char *)))
		assert_string_equal(ms_world_letter(w, i++), letter);
	va_end(args);
	assert_int_equal(ms_world_nr_letters(w), i);
	ms_world_free(w);
}

static void is_refused(const char *text, uint64_t line, const char *words)
{
	struct ms_script_error err;

	errno = 0;
	assert_null(ms_world_parse(text, strlen(text), &err));
	assert_int_equal(errno, EINVAL);
	if (!strstr(err.what, words))
		print_error("\"%s\" does not say \"%s\"\n", err.what, words);
	assert_non_null(strstr(err.what, words));
	assert_int_equal(err.line, line);
}

#define W "mapsim-world 1\n"

static void sums_of_names_and_numbers_are_numbers(void **state)
{
	has_letters(W "let A = 0x200000000000\nlet B = A+2M-4K\n* munmap at=B+0x1000 len=4K\n",
		    "munmap at=0x200000200000 len=0x1000", NULL);
}

static void sets_give_all_their_combinations_the_last_one_fastest(void **state)
{
	has_letters(W "let A = 32T\n* munmap at={A, A+2M} len={4K, 2M}\n",
		    "munmap at=0x200000000000 len=0x1000", "munmap at=0x200000000000 len=0x200000",
		    "munmap at=0x200000200000 len=0x1000", "munmap at=0x200000200000 len=0x200000",
		    NULL);
}

static void a_comma_without_a_blank_separates_no_elements(void **state)
{
	has_letters(W "* mmap anon off=0 at=32T len=4K prot=r flags={private, private,populate}\n",
		    "mmap anon off=0x0 at=0x200000000000 len=0x1000 prot=r flags=private",
		    "mmap anon off=0x0 at=0x200000000000 len=0x1000 prot=r flags=private,populate",
		    NULL);
}

static void elements_may_be_empty_or_several_words(void **state)
{
	has_letters(W "* {fork, child exit}\n* slot id=1 gpa=0 size=4K hva=32T {, flags=log}\n",
		    "fork", "child exit", "slot id=1 gpa=0x0 size=0x1000 hva=0x200000000000",
		    "slot id=1 gpa=0x0 size=0x1000 hva=0x200000000000 flags=log", NULL);
}

static void what_is_there_twice_is_one_letter(void **state)
{
	has_letters(W "* munmap at={32T, 0x200000000000} len=4K\n* munmap at=32T len=0x1000\n",
		    "munmap at=0x200000000000 len=0x1000", NULL);
}

static void bounds_kernels_and_architectures_are_told(void **state)
{
	struct ms_world *w = parse(W "arch x86_64\nkernels 6.1.192 7.3.4\ndepth 7\nstates 4K\n"
				     "* prefault gpa=0 size=4K\n");

	assert_true(ms_world_has_arch(w, MS_ARCH_X86_64));
	assert_false(ms_world_has_arch(w, MS_ARCH_ARM64));
	assert_string_equal(ms_world_kernel(w, 1), "7.3.4");
	assert_null(ms_world_kernel(w, 2));
	assert_int_equal(ms_world_depth(w), 7);
	assert_int_equal(ms_world_states(w), 4096);
	ms_world_free(w);
}

static void a_world_that_is_none_is_refused(void **state)
{
	is_refused("", 0, "empty");
	is_refused("# nothing\n", 0, "empty");
	is_refused("> fork\n", 1, "mapsim-world 1");
	is_refused(W "frob\n* fork\n", 2, "unknown line \"frob\"");
	is_refused(W "*fork\n", 2, "no blank");
	is_refused(W "* fork\n> fork\n", 3, "before the letters");
	is_refused(W "* fork\nram pa=0 size=4K\n", 3, "before the operations");
	is_refused(W "* fork\x80\n", 2, "not text");
}

static void a_bad_bound_or_name_is_refused(void **state)
{
	is_refused(W "depth 0\n* fork\n", 2, "from 1 to 64");
	is_refused(W "depth 65\n* fork\n", 2, "from 1 to 64");
	is_refused(W "depth many\n* fork\n", 2, "neither a number nor a name \"many\"");
	is_refused(W "arch mips\n* fork\n", 2, "unknown architecture \"mips\"");
	is_refused(W "arch\n* fork\n", 2, "nothing is named");
	is_refused(W "kernels 1.0\n* fork\n", 2, "older than");
	is_refused(W "let 2 = 3\n* fork\n", 2, "not NAME = VALUE");
	is_refused(W "let A 3\n* fork\n", 2, "not NAME = VALUE");
	is_refused(W "let A = 3\nlet A = 4\n* fork\n", 3, "A twice");
	is_refused(W "let A = 99999999999999999999\n* fork\n", 2, "neither");
	is_refused(W "ignore\n* fork\n", 2, "what?");
}

static void a_bad_operation_is_refused_with_its_line(void **state)
{
	is_refused(W "* frob\n", 2, "unknown operation \"frob\"");
	is_refused(W "\n\n* munmap at={32T, 33T}\n", 4, "len is missing");
	is_refused(W "* munmap at=B len=4K\n", 2, "neither a number nor a name \"B\"");
	is_refused(W "* munmap at=32T+ len=4K\n", 2, "neither a number nor a name \"\"");
	is_refused(W "* munmap at={32T len=4K\n", 2, "begins with {");
	is_refused(W "* munmap at=32T} len=4K\n", 2, "begins with {");
	is_refused(W "* munmap at={{32T, 0}, 0} len=4K\n", 2, "a set in a set");
	is_refused(W "> munmap at={32T, 0} len=4K\n* fork\n", 2, "a letter");
	is_refused(W "* prefault gpa=0 size=4K\n", 2, "only x86_64");
	is_refused(W "device a\n* fork\n", 2, "device");
	is_refused(W "* munmap at={0, 1, 2, 3, 4, 5, 6, 7} len={0, 1, 2, 3, 4, 5, 6, 7}\n"
		     "* mprotect at={0, 1, 2, 3, 4, 5, 6, 7} len={0, 1, 2, 3, 4, 5, 6, 7}"
		     " prot={r, w, x, rw, rx, wx, rwx, -}\n"
		     "* mremap at={0, 1, 2, 3, 4, 5, 6, 7} len={0, 1, 2, 3, 4, 5, 6, 7}"
		     " newlen={0, 1, 2, 3, 4, 5, 6, 7} to={0, 1, 2, 3, 4, 5, 6, 7}\n",
		   4, "more than 4096 letters");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_of_names_and_numbers_are_numbers),
		cmocka_unit_test(sets_give_all_their_combinations_the_last_one_fastest),
		cmocka_unit_test(a_comma_without_a_blank_separates_no_elements),
		cmocka_unit_test(elements_may_be_empty_or_several_words),
		cmocka_unit_test(what_is_there_twice_is_one_letter),
		cmocka_unit_test(bounds_kernels_and_architectures_are_told),
		cmocka_unit_test(a_world_that_is_none_is_refused),
		cmocka_unit_test(a_bad_bound_or_name_is_refused),
		cmocka_unit_test(a_bad_operation_is_refused_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
