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
static void what_a_pointer_points_to_is_printed_as_its_letters_say(void **state)
{
	unsigned long bits[2] = { 0x8000000000000007, 0x3 };
	u8 bytes[3] = { 0x01, 0xab, 0xff };
	struct world w = world("6.12.117");
	phys_addr_t pa = BAR;

	(void)state;
	ms_linux_printk("[%*ph] [%3phC] [%2phD] [%3phN] [%ph] [%*ph] %s\n", 3, bytes, bytes, bytes,
			bytes, bytes, 0, bytes, "end");
	assert_string_equal(last_log(&w), "[01 ab ff] [01:ab:ff] [01-ab] [01abff] [01] [] end");
	ms_linux_printk("%*pbl, %*pb, %3pbl, %3pb, %*pbl and %s\n", 66, bits, 66, bits, bits, bits,
			0, bits, "end");
	assert_string_equal(last_log(&w), "0-2,63-65, 3,80000000,00000007, 0-2, 7,  and end");
	ms_linux_printk("%pa %pap %pad %s\n", &pa, &pa, &pa, "end");
	assert_string_equal(last_log(&w),
			    "0x00000000fd000000 0x00000000fd000000 0x00000000fd000000 end");
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void an_error_and_a_pointer_that_is_none_are_shown(void **state)
{
	struct world w = world("6.12.117");

	(void)state;
	ms_linux_printk("%pe %10pe %-10pe %pe %pe\n", ERR_PTR(-ENOMEM), ERR_PTR(-EPROBE_DEFER),
			ERR_PTR(-EOPNOTSUPP), ERR_PTR(-4000), &w);
	assert_string_equal(last_log(&w), "-ENOMEM -EPROBE_DEFER -EOPNOTSUPP -4000 (ptr)");
	ms_linux_printk("%p %p\n", NULL, ERR_PTR(-ENOMEM));
	assert_string_equal(last_log(&w), "0000000000000000 fffffffffffffff4");
	ms_linux_printk("%s %s %.3s %ph\n", (char *)ERR_PTR(-EIO), (char *)8, (char *)8, NULL);
	assert_string_equal(last_log(&w), "(efault) (efault) (ef (null)");
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

__printf(1, 2) static void in_another_message(const char *format, ...)
{
	struct va_format message = { .fmt = format };
	va_list args;

	va_start(args, format);
	message.va = &args;
	ms_linux_printk("%sabout %d: %pV, %pV and %d\n", KERN_WARNING, 1, &message, &message, 2);
	va_end(args);
}

static void a_message_may_contain_another(void **state)
{
	struct world w = world("6.12.117");

	(void)state;
	in_another_message("%d of %s", 3, "them");
	assert_string_equal(last_log(&w), "about 1: 3 of them, 3 of them and 2");
	ms_linux_printk("no %pV: %d\n", NULL, 3);
	assert_string_equal(last_log(&w), "no (null): 3");
	assert_int_equal(ms_violations(w.m), 0);
	world_end(&w);
}

static void print_into_itself(struct va_format *self, ...)
{
	va_list args;

	va_start(args, self);
	self->fmt = "and %pV";
	self->va = &args;
	ms_linux_printk("%pV\n", self);
	va_end(args);
}

static void a_message_that_cannot_end_is_a_violation(void **state)
{
	struct va_format self = { .fmt = NULL };
	struct world w = world("6.12.117");

	(void)state;
	ms_linux_printk("none: %pV, %d\n", &self, 3);
	assert_string_equal(last_log(&w), "none: ");
	assert_string_equal(violation(&w, 0), "%pV in a format of printk: a struct va_format "
					      "without a format or arguments");
	print_into_itself(&self, &self);
	assert_string_equal(violation(&w, 1),
			    "%pV in a format of printk: a message that contains itself");
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

/* number() and format_decode() differ from C here; the compiler warns of what it can see. */
static void numbers_differ_from_those_of_c_where_the_kernel_does(void **state)
{
	const char *volatile numbers = "[%#x] [%#o] [%.0d] [%#.3o] [%06.3d] [%-05d]\n";
	const char *volatile texts = "[%.*d] [%.*s] [%.s] [%05s] [%5%]\n";
	struct world w = world("6.12.117");

	(void)state;
	ms_linux_printk(numbers, 0u, 0u, 0, 8u, -7, 7);
	assert_string_equal(last_log(&w), "[0x0] [0] [0] [0010] [-00007] [7    ]");
	ms_linux_printk(texts, -1, 0, -1, "all", "all", "ab");
	assert_string_equal(last_log(&w), "[0] [] [all] [   ab] [%]");
	assert_int_equal(ms_violations(w.m), 0);
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
		{ "no %d address: %pI4 ",
		  "no 1 address: ", "%pI4 in a format of printk: not modelled" },
		{ "%-20pOFfC", "", "%pOFfC in a format of printk: not modelled" },
		{ "wide %8388608d", NULL,
		  "a width of 8388608 in a format of printk is out of range" },
		{ "fine %.32768d", NULL,
		  "a precision of 32768 in a format of printk is out of range" },
		{ "at the end: %-5l", "at the end: ", "unsupported %% in a format of printk" },
	};
	struct world w = world("6.12.117");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ms_linux_printk(cases[i].format, 1, NULL);
		if (cases[i].log)
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
		cmocka_unit_test(what_a_pointer_points_to_is_printed_as_its_letters_say),
		cmocka_unit_test(an_error_and_a_pointer_that_is_none_are_shown),
		cmocka_unit_test(a_message_may_contain_another),
		cmocka_unit_test(a_message_that_cannot_end_is_a_violation),
		cmocka_unit_test(numbers_and_texts_are_printed_as_by_c),
		cmocka_unit_test(numbers_differ_from_those_of_c_where_the_kernel_does),
		cmocka_unit_test(a_line_is_cut_off_where_printk_cuts_it),
		cmocka_unit_test(what_the_kernel_does_not_print_is_a_violation),
		cmocka_unit_test(the_same_words_are_kept_once),
		cmocka_unit_test(warn_is_a_violation_and_gives_its_condition),
		cmocka_unit_test(once_is_once_on_each_machine),
		cmocka_unit_test(a_message_that_finds_no_memory_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
