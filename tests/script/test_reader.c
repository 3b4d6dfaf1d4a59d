/* SPDX-License-Identifier: GPL-2.0-only */
/* What a script may look like, and that everything else is refused with the line and the reason. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <mapsim/script.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADER \
	"mapsim-recording 1\n" \
	"kernel 6.12.107 arm64\n" \
	"config page_size=4096 va_bits=48 ipa_bits=40 thp=never\n" \
	"device bar pa=0x8000000000 size=0x200000 prefetchable=1\n" \
	"ram pa=0x40000000 size=0x10000000\n"

#define X86_HEADER "mapsim-recording 1\nkernel 7.3.4 x86_64\nconfig page_size=4096\n"

/* The text is refused at this line, with these words in the message. */
static void assert_refused_bytes(const char *text, size_t size, uint64_t line, const char *words)
{
	struct ms_script_error err;

	errno = 0;
	assert_null(ms_script_parse(text, size, NULL, &err));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(err.what, words));
	assert_null(strchr(err.what, '\n'));
	assert_int_equal(err.line, line);
}

static void assert_refused(const char *text, uint64_t line, const char *words)
{
	assert_refused_bytes(text, strlen(text), line, words);
}

static struct ms_script *parsed(const char *text)
{
	struct ms_script_error err;
	struct ms_script *script = ms_script_parse(text, strlen(text), NULL, &err);

	assert_non_null(script);
	return script;
}

static void a_recording_is_read_with_lines_and_answers(void **state)
{
	struct ms_script *script = parsed(HEADER "# a comment\n"
						 "\n"
						 "> munmap at=0x200000000000 len=4096\n"
						 "< ret 0\n"
						 "# another\n"
						 "< zap va=0x200000000000 size=0x1000\n"
						 "> fork\n"
						 "< ret ENOMEM\n");
	uint64_t line;

	assert_string_equal(ms_script_kernel_name(script), "6.12.107 arm64");
	assert_string_equal(ms_script_release(script), "6.12.107");
	assert_int_equal(ms_script_nr_ops(script), 2);
	assert_string_equal(ms_script_get_op(script, 0).text, "munmap at=0x200000000000 len=4096");
	assert_int_equal(ms_script_get_op(script, 0).line, 8);
	assert_int_equal(ms_script_get_op(script, 0).nr_answers, 2);
	assert_string_equal(ms_script_get_answer(script, 0, 1, &line),
			    "zap va=0x200000000000 size=0x1000");
	assert_int_equal(line, 11);
	assert_string_equal(ms_script_get_answer(script, 1, 0, &line), "ret ENOMEM");
	assert_int_equal(line, 13);
	ms_script_free(script);
}

static void the_kernel_name_tells_page_size_dic_and_guests_of_x86(void **state)
{
	struct ms_script *script = parsed("mapsim-recording 1\nkernel 6.12.117 arm64\n"
					  "config page_size=16384 dic=1\n");

	assert_string_equal(ms_script_kernel_name(script), "6.12.117 arm64 16k dic");
	ms_script_free(script);
	script = parsed("mapsim-recording 1\nkernel 7.3.4 x86_64\n"
			"config page_size=4096 cpu=max,la57=off,+svm,+npt\n");
	assert_string_equal(ms_script_kernel_name(script), "7.3.4 x86_64 kvm");
	ms_script_free(script);
	script = parsed("mapsim-recording 1\nkernel 7.3.4 x86_64\n"
			"config page_size=4096 cpu=max,-svm,+svmx\n");
	assert_string_equal(ms_script_kernel_name(script), "7.3.4 x86_64");
	ms_script_free(script);
}

static void a_script_without_header_gets_one(void **state)
{
	struct ms_script *script = parsed("# nothing else\n> mmap huge off=0 at=0x200000000000 "
					  "len=0x1000 prot=r flags=shared\n");

	assert_int_equal(ms_script_arch(script), MS_ARCH_ARM64);
	assert_int_equal(ms_script_nr_ops(script), 1);
	assert_int_equal(ms_script_get_op(script, 0).line, 2);
	ms_script_free(script);
}

static void another_kernel_takes_the_place_of_the_headers(void **state)
{
	const struct ms_script_kernel kernel = { "6.1.176", "x86_64" };
	struct ms_script_error err;
	struct ms_script *script = ms_script_parse(HEADER, strlen(HEADER), &kernel, &err);

	assert_non_null(script);
	assert_string_equal(ms_script_kernel_name(script), "6.1.176 x86_64");
	ms_script_free(script);
}

static void device_references_become_numbers_in_scripts(void **state)
{
	struct ms_script *script = parsed(
		"> mmap devmem off=@small+0x1000 at=0x200000000000 len=@small.size prot=r "
		"flags=shared\n"
		"> mmap devmem off=@small-4096 at=0x210000000000 len=1 prot=r flags=shared\n");

	assert_string_equal(ms_script_get_op(script, 0).text,
			    "mmap devmem off=0x8101001000 at=0x200000000000 len=0x10000 prot=r "
			    "flags=shared");
	assert_string_equal(ms_script_get_op(script, 1).text,
			    "mmap devmem off=0x8100fff000 at=0x210000000000 len=1 prot=r "
			    "flags=shared");
	ms_script_free(script);
	assert_refused("> munmap at=@nobody len=1\n", 1, "not a device's address \"@nobody\"");
	assert_refused("> munmap at=@small*2 len=1\n", 1, "not a device's address");
	script = parsed(HEADER "> munmap at=@bar+64K len=@bar.size\n");
	assert_string_equal(ms_script_get_op(script, 0).text,
			    "munmap at=0x8000010000 len=0x200000");
	ms_script_free(script);
}

static void sizes_become_numbers_in_scripts(void **state)
{
	struct ms_script *script =
		parsed("mapsim-recording 1\nkernel 6.12.107 arm64\nconfig page_size=4K cpu=2G\n"
		       "device bar pa=512G size=2M\nram pa=1G size=3g\n"
		       "> mmap driver:bar off=64k at=32T len=0x2M prot=r flags=shared "
		       "pieces=0+4K,8K+@bar.size:-4K\n"
		       "> munmap at=35184372088832 len=4096\n");

	assert_string_equal(ms_script_get_op(script, 0).text,
			    "mmap driver:bar off=0x10000 at=0x200000000000 len=0x200000 prot=r "
			    "flags=shared pieces=0+0x1000,0x2000+0x200000:-0x1000");
	assert_string_equal(ms_script_get_op(script, 1).text, "munmap at=35184372088832 len=4096");
	ms_script_free(script);
}

static void a_size_is_one_number_and_one_unit_of_bytes(void **state)
{
	struct ms_script *script = parsed("> munmap at=15T len=16777215T\n");

	ms_script_free(script);
	assert_refused("> munmap at=0 len=16777216T\n", 1, "number out of range \"16777216T\"");
	assert_refused("> munmap at=0 len=0x10000000000000000K\n", 1, "number out of range");
	assert_refused("> munmap at=0 len=M\n", 1, "munmap: not a number \"M\"");
	assert_refused("> munmap at=0 len=2MK\n", 1, "not a number \"2MK\"");
	assert_refused("> munmap at=0 len=2MB\n", 1, "not a number \"2MB\"");
	assert_refused("> munmap at=0 len=-2M\n", 1, "not a number");
	assert_refused("> dirty id=1 clear first=1K pages=1\n", 1, "not a number \"1K\"");
}

static void recordings_have_no_short_forms(void **state)
{
	assert_refused(HEADER "> munmap at=@bar len=1\n< ret 0\n", 6, "not a number \"@bar\"");
	assert_refused(HEADER "> munmap at=0 len=2M\n< ret 0\n", 6, "not a number \"2M\"");
	assert_refused(HEADER "ram pa=4G size=1\n> fork\n< ret 0\n", 6, "not a number \"4G\"");
}

/* What is printed is read again, so that no line may become too long. */
static void a_line_that_is_written_out_is_no_longer_than_others(void **state)
{
	char text[MS_SCRIPT_MAX_LINE + 1];
	size_t len = (size_t)sprintf(text, "> mmap driver:big off=0 at=32T len=4K prot=r "
					   "flags=shared pieces=0+4K");

	while (len + 6 < sizeof(text))
		len += (size_t)sprintf(text + len, ",0+1T");
	assert_refused(text, 1, "written out the line is longer than 4096 bytes");
}

static void header_lines_come_once_and_in_order(void **state)
{
	assert_refused("kernel 6.12.107 arm64\n", 1, "out of order");
	assert_refused("mapsim-recording 1\nconfig page_size=4096\n", 2, "out of order");
	assert_refused("mapsim-recording 1\nmapsim-recording 1\n", 2, "out of order");
	assert_refused(HEADER "device late pa=0 size=0x1000\n", 6, "out of order");
	assert_refused(HEADER "config page_size=4096\n", 6, "out of order");
	assert_refused(HEADER "> fork\nram pa=0 size=0x1000\n", 7, "after the first operation");
	assert_refused("mapsim-recording 1\nkernel 6.12.107 arm64\n> fork\n", 3, "no config line");
	assert_refused("mapsim-recording 1\n> fork\n", 2, "no kernel line");
	assert_refused("mapsim-recording 1\nkernel 6.12.107 arm64\n", 0, "no config line");
}

static void header_values_are_checked(void **state)
{
	assert_refused("mapsim-recording 2\n", 1, "version 1");
	assert_refused("mapsim-recording 1\nkernel 6.12.107 riscv\n", 2, "unknown architecture");
	assert_refused("mapsim-recording 1\nkernel 2.4.1 arm64\nconfig page_size=4096\n> fork\n", 4,
		       "kernel 2.4.1: older than");
	assert_refused("mapsim-recording 1\nkernel 6.12.107 arm64\nconfig page_size=8192\n", 3,
		       "unknown value \"8192\"");
	assert_refused("mapsim-recording 1\nkernel 6.12.107 arm64\nconfig va_bits=48\n", 3,
		       "page_size is missing");
	assert_refused("mapsim-recording 1\nkernel 6.12.107 arm64\nconfig page_size=4096 dic=2\n",
		       3, "dic: number out of range");
	assert_refused("mapsim-recording 1\nkernel 6.12.107 arm64\n"
		       "config page_size=4096 hugetlb2m=0x100000000\n",
		       3, "hugetlb2m: number out of range");
	assert_refused("mapsim-recording 1\nkernel 6.12.107 arm64\nconfig page_size=4096 hz=250\n",
		       3, "unknown key \"hz\"");
	assert_refused("mapsim-recording 1\nkernel 6.12.107 arm64\n"
		       "config page_size=4096 page_size=4096\n",
		       3, "page_size twice");
	assert_refused(HEADER "ram pa=0 size=1 pa=0\n", 6, "pa twice");
	assert_refused(HEADER "ram pa=0\n", 6, "pa and size are needed");
	assert_refused("mapsim-recording 1\nkernel 6.12.107 arm64\nconfig page_size=4096\n"
		       "device anon pa=0 size=0x1000\n",
		       4, "one that is taken");
	assert_refused("mapsim-recording 1\nkernel 6.12.107 arm64\nconfig page_size=4096\n"
		       "device a pa=0 size=0x1000\ndevice a pa=0x1000 size=0x1000\n",
		       5, "one that is taken");
	assert_refused("mapsim-recording 1\nkernel 6.12.107 arm64\nconfig page_size=4096\n"
		       "device a pa=0 size=0x1000 mtrr=UC-\n",
		       4, "unknown mtrr");
#define DEVICE \
	"mapsim-recording 1\nkernel 6.12.107 arm64\nconfig page_size=4096\n" \
	"device a pa=0x1000 size=0x1000\n"
	assert_refused(DEVICE "bar b index=0 pa=0 size=1\n", 5, "no such device");
	assert_refused(DEVICE "bar a index=6 pa=0 size=1\n", 5, "out of range");
	assert_refused(DEVICE "bar a pa=0 size=1\n", 5, "index, pa and size are needed");
	assert_refused(DEVICE "bar a pa=0 size=1 kind=2\n", 5, "unknown key");
	assert_refused(HEADER "bar bar index=0 pa=0 size=1\n", 6, "out of order");
	assert_refused(HEADER "mtrr pa=0 size=1 type=UC-\n", 6, "unknown type");
	assert_refused(HEADER "mtrr pa=0 size=1\n", 6, "type are needed");
	assert_refused(HEADER "mtrr pa=0 size=1 type=UC pa=1\n", 6, "pa twice");
	assert_refused(HEADER "mtrr pa=0 size=1 type=UC\nram pa=0 size=0x1000\n", 7,
		       "out of order");
}

static void cpu_is_free_text_up_to_a_blank(void **state)
{
	struct ms_script *script = parsed("mapsim-recording 1\nkernel 6.12.107 x86_64\n"
					  "config page_size=4096 cpu=max,la57=off,x=y thp=never\n");

	ms_script_free(script);
}

static void unknown_words_of_operations_are_refused(void **state)
{
	assert_refused(HEADER "> frobnicate\n", 6, "unknown operation \"frobnicate\"");
	assert_refused(HEADER "> show everything\n", 6, "unknown operation");
	assert_refused(HEADER "> munmap at=0 len=1 colour=2\n", 6, "unknown key \"colour\"");
	assert_refused(HEADER "> munmap at=0 len=1 now\n", 6, "unknown word \"now\"");
	assert_refused(HEADER "> munmap at=0 len=1 at=0\n", 6, "at twice");
	assert_refused(HEADER "> munmap at=0\n", 6, "len is missing");
	assert_refused(HEADER "> munmap at=0  len=1\n", 6, "separated by one space");
	assert_refused(HEADER "> child vm create\n", 6, "not an operation of a child");
	assert_refused(HEADER "> revoke nobody\n", 6, "no such source or device \"nobody\"");
	assert_refused(HEADER "> claim driver:bar\n", 6, "not a device \"driver:bar\"");
	assert_refused(HEADER "> claim\n", 6, "claim: what?");
	assert_refused(HEADER "> vfio-memory bar\n", 6, "exactly one");
	assert_refused(HEADER "> vfio-memory bar on off\n", 6, "exactly one");
	assert_refused(HEADER "> touch at=0 access=x\n", 6, "unknown value \"x\"");
	assert_refused(HEADER "> mprotect at=0 len=1 prot=rr\n", 6, "not a protection");
	assert_refused(HEADER "> dirty id=1 get first=0 pages=1\n", 6, "belong to clear");
	assert_refused(HEADER "> dirty id=1 clear first=0\n", 6, "belong to clear");
	assert_refused(HEADER "> mremap at=0 len=1 newlen=1 dontunmap=1\n", 6, "takes no value");
	assert_refused(HEADER "> mremap at=0 len=1 newlen\n", 6, "newlen without a value");
}

static void what_the_architecture_does_not_have_is_refused(void **state)
{
	assert_refused(X86_HEADER "> vm create ipa=40\n", 4,
		       "vm create: ipa: only arm64 has it, and the kernel is of x86_64");
	assert_refused(X86_HEADER "> vm create split=4096\n", 4, "split: only arm64 has it");
	assert_refused(HEADER "> vm create zap=slot\n", 6,
		       "vm create: zap: only x86_64 has it, and the kernel is of arm64");
	assert_refused(HEADER "> vm create nx=off\n", 6, "nx: only x86_64 has it");
	assert_refused(HEADER "> prefault gpa=0 size=4096\n", 6, "prefault: only x86_64 has it");
	assert_refused(HEADER "> kvm nx_huge_pages=off\n", 6, "kvm: only x86_64 has it");
	assert_refused(HEADER "> nx-recover\n", 6, "nx-recover: only x86_64 has it");
	assert_refused(HEADER "> age at=0 len=4096\n", 6, "age: only x86_64 has it");
	assert_refused(HEADER "> test-age at=0 len=4096\n", 6, "test-age: only x86_64 has it");
}

static void operations_of_x86_guests_take_their_own_words(void **state)
{
	struct ms_script *script =
		parsed(X86_HEADER "> vm create dirty=manual-initset zap=slot nx=off\n"
				  "> prefault gpa=2G size=64K\n"
				  "> kvm nx_huge_pages=off\n> kvm nx_huge_pages=force\n"
				  "> kvm nx_huge_pages=auto\n> kvm eager_page_split=Y\n"
				  "> kvm eager_page_split=N\n> nx-recover\n"
				  "> age at=32T len=2M\n> test-age at=32T len=4K\n");

	assert_int_equal(ms_script_nr_ops(script), 10);
	assert_string_equal(ms_script_get_op(script, 1).text,
			    "prefault gpa=0x80000000 size=0x10000");
	ms_script_free(script);
	assert_refused(X86_HEADER "> vm create zap=all\n", 4, "unknown value \"all\"");
	assert_refused(X86_HEADER "> vm create nx=on\n", 4, "unknown value \"on\"");
	assert_refused(X86_HEADER "> kvm\n", 4, "exactly one");
	assert_refused(X86_HEADER "> kvm nx_huge_pages=off eager_page_split=N\n", 4, "exactly one");
	assert_refused(X86_HEADER "> kvm nx_huge_pages=never\n", 4, "unknown value \"never\"");
	assert_refused(X86_HEADER "> kvm eager_page_split=1\n", 4, "unknown value \"1\"");
	assert_refused(X86_HEADER "> kvm tdp_mmu=Y\n", 4, "unknown key \"tdp_mmu\"");
	assert_refused(X86_HEADER "> prefault gpa=0\n", 4, "size is missing");
	assert_refused(X86_HEADER "> age at=0\n", 4, "len is missing");
	assert_refused(X86_HEADER "> child age at=0 len=4096\n", 4, "not an operation of a child");
}

static void mappings_say_what_and_how(void **state)
{
	assert_refused(HEADER "> mmap anon off=0 at=0 len=1 prot=r flags=fixed\n", 6,
		       "shared or private?");
	assert_refused(HEADER "> mmap anon off=0 at=0 len=1 prot=r flags=shared,private\n", 6,
		       "shared or private?");
	assert_refused(HEADER "> mmap anon off=0 at=0 len=1 prot=r flags=shared,shared\n", 6,
		       "flag twice");
	assert_refused(HEADER "> mmap anon off=0 at=0 len=1 prot=r flags=shared,locked\n", 6,
		       "unknown flag \"locked\"");
	assert_refused(HEADER "> mmap anon off=0 at=0 len=1 prot=r flags=shared lazy\n", 6,
		       "pieces belong to driver");
	assert_refused(HEADER "> mmap driver:bar off=0 at=0 len=1 prot=r flags=shared\n", 6,
		       "pieces belong to driver");
	assert_refused(HEADER "> mmap driver:bar off=0 at=0 len=1 prot=r flags=shared pieces=1\n",
		       6, "not a piece");
	assert_refused(HEADER
		       "> mmap driver:bar off=0 at=0 len=1 prot=r flags=shared pieces=0+1:--1\n",
		       6, "not a number");
	assert_refused(HEADER "> mmap file:bar off=0 at=0 len=1 prot=r flags=shared\n", 6,
		       "unknown source \"file:bar\"");
}

static void numbers_do_not_overflow(void **state)
{
	struct ms_script *script = parsed(HEADER "> munmap at=0xffffffffffffffff len=1\n");

	ms_script_free(script);
	assert_refused(HEADER "> munmap at=0x10000000000000000 len=1\n", 6, "out of range");
	assert_refused(HEADER "> munmap at=18446744073709551616 len=1\n", 6, "out of range");
	assert_refused(HEADER "> dirty id=0x100000000 get\n", 6, "out of range");
	assert_refused(HEADER "> munmap at=-1 len=1\n", 6, "not a number");
	assert_refused(HEADER "> munmap at=0x len=1\n", 6, "not a number");
	assert_refused(HEADER "> munmap at= len=1\n", 6, "not a number");
	assert_refused(HEADER "> munmap at=12ab len=1\n", 6, "not a number");
}

static void answers_are_those_of_the_format(void **state)
{
	assert_refused("mapsim-recording 1\n< ret 0\n", 2, "before the first operation");
	assert_refused(HEADER "> fork\n< zap va=0x0 size=0x1000\n", 7, "begins with \"< ret\"");
	assert_refused(HEADER "> fork\n< ret 0\n< ret 0\n", 8, "second \"ret\"");
	assert_refused(HEADER "> fork\n< ret 0\n< exploded at=1\n", 8,
		       "unknown answer \"exploded\"");
	assert_refused(HEADER "> fork\n< ret 0\n< zap va=0x0\n", 8, "\"size=\" is missing");
	assert_refused(HEADER "> fork\n< ret 0\n< zap size=0x1 va=0x0\n", 8,
		       "where \"va=\" belongs");
	assert_refused(HEADER "> fork\n< ret 0\n< zap va=0x0 size=0x1 mm=child x=1\n", 8,
		       "more than belongs");
	assert_refused(HEADER "> fork\n<ret 0\n", 7, "no blank after '<'");
}

static void events_of_nested_entries_have_words_of_their_own(void **state)
{
	struct ms_script *script = parsed(
		X86_HEADER
		"> vm create\n< ret 0\n"
		"< s2.map ipa=0x0 size=0x1000 pa=ram prot=rwx type=WB bits=hmad leaf=0x1000\n"
		"< s2.relax ipa=0x0 size=0x1000 prot=rwx bits=hm leaf=0x1000\n"
		"< s2.wrprotect ipa=0x0 size=0x1000 prot=rx bits=hm leaf=0x1000\n"
		"< s2.change ipa=0x0 size=0x1000 prot=rx bits=- leaf=0x1000\n"
		"< s2.fast ipa=0x0 prot=rwx bits=hmad\n"
		"< s2.split ipa=0x0 size=0x200000 leaf=0x200000\n"
		"< s2.zap ipa=0x0 size=0x1000 leaf=0x1000\n"
		"< s2.mmio ipa=0x0 size=0x1000 leaf=0x1000\n"
		"< s2.zap-all\n< s2.unmap ipa=0x0 size=0x1000\n< s2.age ipa=0x0 size=0x1000\n"
		"< s2.test-age ipa=0x0 size=0x1000\n< s2.change-pte ipa=0x0 size=0x1000\n"
		"> show s2 gpa=0 len=0x2000\n< ret 0\n"
		"< s2 0x0 0x1000 pa=ram type=WB prot=rwx size=0x1000 bits=hmad\n"
		"< s2-mmio 0x1000 0x1000\n"
		"> age at=0 len=0x1000\n< ret 0\n< young 1\n"
		"> prefault gpa=0 size=0x1000\n< ret EFAULT\n< left 0x1000\n");

	ms_script_free(script);
	assert_refused(X86_HEADER "> vm create\n< ret 0\n< s2.zap ipa=0x0 size=0x1000\n", 6,
		       "s2.zap: \"leaf=\" is missing");
	assert_refused(X86_HEADER "> vm create\n< ret 0\n< s2.map ipa=0x0 size=0x1000 pa=ram "
				  "prot=rwx bits=hm leaf=0x1000\n",
		       6, "s2.map: \"bits=hm\" where \"type=\" belongs");
	assert_refused(X86_HEADER "> vm create\n< ret 0\n< s2.zap-all ipa=0x0\n", 6,
		       "s2.zap-all: more than belongs to it");
	assert_refused(X86_HEADER "> vm create\n< ret 0\n< young\n", 6, "young: \"*\" is missing");
}

static void what_is_not_text_is_refused(void **state)
{
	static const char nul[] = HEADER "> fork\0\n";
	static const char noise[] = "\x7f"
				    "ELF\x02\x01\x01\x00\x93\xfa";

	assert_refused_bytes(nul, sizeof(nul) - 1, 6, "not text: byte 0x00");
	assert_refused_bytes(noise, sizeof(noise) - 1, 1, "not text: byte 0x7f in column 1");
	assert_refused(HEADER "> fork\r\n", 6, "not text: byte 0x0d");
	assert_refused(HEADER "> f\xc3\xb6rk\n", 6, "not text: byte 0xc3");
	assert_refused("hello\n", 1, "unknown line \"hello\"");
	assert_refused("", 0, "empty");
	assert_refused("# only a comment\n", 0, "empty");
}

static void the_last_line_needs_no_end(void **state)
{
	struct ms_script *script = parsed(HEADER "> fork\n< ret 0");

	assert_string_equal(ms_script_get_answer(script, 0, 0, NULL), "ret 0");
	ms_script_free(script);
	script = parsed("> munmap at=0x200000000000 len=0x1000");
	assert_int_equal(ms_script_nr_ops(script), 1);
	ms_script_free(script);
	assert_refused(HEADER "> munmap at=0x200000000000 l", 6, "unknown word \"l\"");
	assert_refused("mapsim-recording 1\nkernel 6.12", 2, "RELEASE and ARCH are needed");
}

static void a_line_of_ten_megabytes_is_refused(void **state)
{
	size_t size = 10u << 20;
	char *text = malloc(size);

	assert_non_null(text);
	memset(text, 'a', size);
	text[0] = '#';
	text[size - 1] = '\n';
	assert_refused_bytes(text, size, 1, "line longer than 4096 bytes");
	free(text);
}

static void directives_are_known_modes_before_the_operations(void **state)
{
	struct ms_script *script =
		parsed("#!thp=never\n#!shmem=always\n#!/usr/bin/mapsim\n> fork\n");

	ms_script_free(script);
	assert_refused("#!thp=sometimes\n> fork\n", 1, "mode");
	script = parsed("#!shmem=within_size\n#!shmem=advise\n> fork\n");
	ms_script_free(script);
	assert_refused("#!shmem=madvise\n> fork\n", 1, "mode");
	assert_refused("> fork\n#!thp=never\n", 2, "before the operations");
}

/* Whatever is left of a good text after a cut is refused or read, never more. */
static void every_prefix_of_a_recording_is_survived(void **state)
{
	static const char text[] =
		HEADER "#!thp=never\n"
		       "> mmap driver:bar off=0 at=0x200000000000 len=0x4000 prot=rw flags=shared "
		       "pieces=0x0+0x1000,0x2000+0x1000:-0x1000 type=nGnRE lazy\n"
		       "< ret 0\n"
		       "> slot id=1 gpa=0x80000000 size=0x4000 hva=0x200000000000 flags=log,ro\n"
		       "< ret ENODEV\n";

	for (size_t size = 0; size < sizeof(text); size++) {
		struct ms_script_error err;
		struct ms_script *script = ms_script_parse(text, size, NULL, &err);

		assert_true(script || errno == EINVAL);
		ms_script_free(script);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_recording_is_read_with_lines_and_answers),
		cmocka_unit_test(the_kernel_name_tells_page_size_dic_and_guests_of_x86),
		cmocka_unit_test(a_script_without_header_gets_one),
		cmocka_unit_test(another_kernel_takes_the_place_of_the_headers),
		cmocka_unit_test(device_references_become_numbers_in_scripts),
		cmocka_unit_test(sizes_become_numbers_in_scripts),
		cmocka_unit_test(a_size_is_one_number_and_one_unit_of_bytes),
		cmocka_unit_test(recordings_have_no_short_forms),
		cmocka_unit_test(a_line_that_is_written_out_is_no_longer_than_others),
		cmocka_unit_test(header_lines_come_once_and_in_order),
		cmocka_unit_test(header_values_are_checked),
		cmocka_unit_test(cpu_is_free_text_up_to_a_blank),
		cmocka_unit_test(unknown_words_of_operations_are_refused),
		cmocka_unit_test(what_the_architecture_does_not_have_is_refused),
		cmocka_unit_test(operations_of_x86_guests_take_their_own_words),
		cmocka_unit_test(mappings_say_what_and_how),
		cmocka_unit_test(numbers_do_not_overflow),
		cmocka_unit_test(answers_are_those_of_the_format),
		cmocka_unit_test(events_of_nested_entries_have_words_of_their_own),
		cmocka_unit_test(what_is_not_text_is_refused),
		cmocka_unit_test(the_last_line_needs_no_end),
		cmocka_unit_test(a_line_of_ten_megabytes_is_refused),
		cmocka_unit_test(directives_are_known_modes_before_the_operations),
		cmocka_unit_test(every_prefix_of_a_recording_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
