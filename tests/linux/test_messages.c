/* SPDX-License-Identifier: GPL-2.0-only */
/* What a driver says becomes events; what it complains of becomes violations. */
#define pr_fmt(format) "tester: " format
#define DEBUG
#include "world.h"

static void messages_are_log_events_without_level_and_newline(void **state)
{
	struct world w = world("6.12.117");

	pr_info("%d pages at %#llx\n", 3, (u64)BAR);
	assert_string_equal(last_log(&w), "tester: 3 pages at 0xfd000000");
	printk(KERN_ERR "plain\n");
	assert_string_equal(last_log(&w), "plain");
	pr_debug("seen with %s", "DEBUG");
	assert_string_equal(last_log(&w), "tester: seen with DEBUG");
	assert_int_equal(ms_trace_count(w.m, MS_EV_LOG), 3);
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void a_device_puts_its_name_first(void **state)
{
	struct world w = world("6.12.117");
	struct device dev = { .init_name = "lab0" };

	dev_err(&dev, "no memory\n");
	assert_string_equal(last_log(&w), "lab0: no memory");
	dev_warn((struct device *)NULL, "early\n");
	assert_string_equal(last_log(&w), "(NULL device *): early");
	dev_set_drvdata(&dev, &w);
	assert_ptr_equal(dev_get_drvdata(&dev), &w);
	world_end(&w);
}

static void pointers_are_not_shown(void **state)
{
	struct world w = world("6.12.117");

	pr_info("at %p, %5d%%, %pK and %-20px: %s\n", (void *)&w, 7, (void *)&w, (void *)&w, "end");
	assert_string_equal(last_log(&w), "tester: at (ptr),     7%, (ptr) and (ptr): end");
	world_end(&w);
}

/* What stands behind a %p says what it takes; "*" before it takes an int. */
static void a_pointers_width_is_an_argument(void **state)
{
	struct world w = world("6.12.117");
	unsigned char bytes[2] = { 1, 2 };

	ms_linux_printk("%*ph, %*pbl, %d and %s\n", 2, (void *)bytes, 16, (void *)bytes, 3, "end");
	assert_string_equal(last_log(&w), "(ptr), (ptr), 3 and end");
	world_end(&w);
}

static void numbers_and_texts_are_printed_as_by_c(void **state)
{
	const char *volatile no_text = NULL; /* volatile: the compiler warns of a NULL it can see */
	struct world w = world("6.12.117");

	pr_info("%hhx %hd %ld %#llx %zu %td %i\n", (signed char)-1, (unsigned short)0x8000, -1L,
		1ULL << 63, (size_t)5, (ptrdiff_t)-6, -7);
	assert_string_equal(last_log(&w), "tester: ff -32768 -1 0x8000000000000000 5 -6 -7");
	pr_info("[%06d] [%-6d] [%+*d] [%.3u] [%*d]\n", -42, 42, 6, 42, 7, -4, 9);
	assert_string_equal(last_log(&w), "tester: [-00042] [42    ] [   +42] [007] [9   ]");
	pr_info("[%5s] [%-5s] [%.*s] [%c] [%3c]\n", "ab", "ab", 2, "abc", 'x', 'y');
	assert_string_equal(last_log(&w), "tester: [   ab] [ab   ] [ab] [x] [  y]");
	pr_info("%d of %s\n", 3, no_text);
	assert_string_equal(last_log(&w), "tester: 3 of (null)");
	pr_info("%X %o 100%%\n", 0xabcu, 8u);
	assert_string_equal(last_log(&w), "tester: ABC 10 100%");
	world_end(&w);
}

static void a_line_is_cut_off_where_printk_cuts_it(void **state)
{
	static const char *const formats[] = {
		"%*d%s\n",
		"%*d%s\n",
		"%99999999999999999999d%d%s\n",
		"%#.*x%s\n",
	};
	static const int widths[] = { INT_MAX, INT_MIN, 1, 5000 };
	struct world w = world("6.12.117");

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		ms_linux_printk(formats[i], widths[i], 1, "and more");
		assert_int_equal(strlen(last_log(&w)), 1023);
	}
	world_end(&w);
}

static void what_the_kernel_does_not_print_is_a_violation(void **state)
{
	static const struct {
		const char *format, *log, *violation;
	} cases[] = {
		{ "half %f of it", "half ", "unsupported %f in a format of printk" },
		{ "%n", "", "unsupported %n in a format of printk" },
		{ "at the end: %-5l", "at the end: ", "unsupported %% in a format of printk" },
	};
	struct world w = world("6.12.117");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ms_linux_printk(cases[i].format, 1);
		assert_string_equal(last_log(&w), cases[i].log);
		assert_string_equal(violation(&w, i), cases[i].violation);
	}
	world_end(&w);
}

static void the_same_words_are_kept_once(void **state)
{
	struct world w = world("6.12.117");
	const char *first;

	pr_info("again\n");
	first = last_log(&w);
	pr_info("again\n");
	assert_ptr_equal(last_log(&w), first);
	ms_trace_clear(w.m);
	assert_string_equal(first, "tester: again");
	world_end(&w);
}

static void warn_is_a_violation_and_gives_its_condition(void **state)
{
	struct world w = world("6.12.117");
	int zero = 0, two = 2;

	assert_false(WARN_ON(zero));
	assert_true(WARN_ON(two > 1));
	assert_string_equal(violation(&w, 0), "WARN_ON(two > 1)");
	assert_true(WARN(two == 2, "lab: %d left\n", two));
	assert_string_equal(violation(&w, 1), "lab: 2 left");
	BUG_ON(zero);
	BUG_ON(!zero);
	assert_string_equal(violation(&w, 2), "BUG_ON(!zero)");
	BUG();
	assert_string_equal(violation(&w, 3), "BUG()");
	assert_int_equal(ms_violations(w.m), 4);
	world_end(&w);
}

static bool warn_here(int value)
{
	return WARN_ON_ONCE(value);
}

static void once_is_once_on_each_machine(void **state)
{
	struct world first = world("6.12.117"), second = world("6.12.117");

	ms_linux_use(first.m);
	assert_false(warn_here(0));
	assert_true(warn_here(1));
	assert_true(warn_here(1));
	assert_int_equal(ms_violations(first.m), 1);
	ms_linux_use(second.m);
	assert_true(warn_here(1));
	assert_int_equal(ms_violations(second.m), 1);
	for (int i = 0; i < 2; i++)
		pr_warn_once("slow\n");
	assert_int_equal(ms_trace_count(second.m, MS_EV_LOG), 1);
	world_end(&first);
	world_end(&second);
}

static void a_message_that_finds_no_memory_says_so(void **state)
{
	struct world w = world("6.12.117");

	pr_info("first\n");
	ms_machine_fail_alloc(w.m, 1);
	pr_info("second\n");
	assert_string_equal(last_log(&w), "(no memory for the message)");
	world_end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_log_events_without_level_and_newline),
		cmocka_unit_test(a_device_puts_its_name_first),
		cmocka_unit_test(pointers_are_not_shown),
		cmocka_unit_test(a_pointers_width_is_an_argument),
		cmocka_unit_test(numbers_and_texts_are_printed_as_by_c),
		cmocka_unit_test(a_line_is_cut_off_where_printk_cuts_it),
		cmocka_unit_test(what_the_kernel_does_not_print_is_a_violation),
		cmocka_unit_test(the_same_words_are_kept_once),
		cmocka_unit_test(warn_is_a_violation_and_gives_its_condition),
		cmocka_unit_test(once_is_once_on_each_machine),
		cmocka_unit_test(a_message_that_finds_no_memory_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
