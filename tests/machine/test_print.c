/* SPDX-License-Identifier: GPL-2.0-only */
/* Events as lines of text. */
#define _GNU_SOURCE /* strerrorname_np */
#include "core/core.h"
#include "core/errno.h"

#include <mapsim/mm.h>
#include <mapsim/phys.h>
#include <mapsim/tdp.h>

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define RAM UINT64_C(0x40000000)

static int setup_of(void **state, enum ms_arch arch)
{
	struct ms_machine *m = ms_machine_new(ms_policy_linux("6.12.107", arch));

	if (!m || ms_ram_add(m, RAM, MS_1G))
		return -1;
	*state = m;
	return 0;
}

static int setup(void **state)
{
	return setup_of(state, MS_ARCH_ARM64);
}

static int setup_x86(void **state)
{
	return setup_of(state, MS_ARCH_X86_64);
}

static int teardown(void **state)
{
	ms_machine_free(*state);
	return 0;
}

static void assert_printed(struct ms_machine *m, const struct ms_event *ev, const char *want)
{
	char line[300] = "";
	FILE *out = fmemopen(line, sizeof(line), "w");

	ms_event_print(m, ev, out);
	fclose(out);
	assert_string_equal(line, want);
}

#define LINE(m, want, ...) assert_printed((m), &(struct ms_event){ __VA_ARGS__ }, (want))

static void every_type_has_a_name_of_its_own(void **state)
{
	for (enum ms_event_type a = 0; a < MS_EV_TYPES; a++) {
		assert_string_not_equal(ms_event_name(a), "?");
		for (enum ms_event_type b = 0; b < a; b++)
			assert_string_not_equal(ms_event_name(a), ms_event_name(b));
	}
	assert_string_equal(ms_event_name(MS_EV_TYPES), "?");
	assert_string_equal(ms_event_name((enum ms_event_type) - 1), "?");
}

static void zap_is_a_range_of_addresses(void **state)
{
	LINE(*state, "zap va=0x200000000000 size=0x1000\n", .type = MS_EV_ZAP,
	     .addr = 0x200000000000, .size = 0x1000);
}

static void memtype_events_are_printed_by_their_end(void **state)
{
	LINE(*state, "pat.reserve start=0xfea00000 end=0xfea02000 type=UC-\n",
	     .type = MS_EV_PAT_RESERVE, .addr = 0xfea00000, .size = 0x2000,
	     .cache = MS_CACHE_UC_MINUS);
	LINE(*state, "pat.reserve start=0x1000 end=0x2000 type=WC ret=EBUSY\n",
	     .type = MS_EV_PAT_RESERVE, .addr = 0x1000, .size = 0x1000, .cache = MS_CACHE_WC,
	     .ret = -EBUSY);
	LINE(*state, "pat.free start=0x1000 end=0x2000 ret=EINVAL\n", .type = MS_EV_PAT_FREE,
	     .addr = 0x1000, .size = 0x1000, .ret = -EINVAL);
}

static void untrack_prints_zeros_as_0(void **state)
{
	LINE(*state, "pat.untrack va=0x1000 pfn=0 size=0\n", .type = MS_EV_PAT_UNTRACK,
	     .addr = 0x1000);
	LINE(*state, "pat.untrack va=0x1000 pfn=0xfea00 size=0x2000\n", .type = MS_EV_PAT_UNTRACK,
	     .addr = 0x1000, .pa = 0xfea00, .size = 0x2000);
	LINE(*state, "pat.clear va=0x1000\n", .type = MS_EV_PAT_CLEAR, .addr = 0x1000);
}

static void stage2_map_of_ram_does_not_say_where(void **state)
{
	LINE(*state, "s2.map ipa=0x80000000 size=0x200000 pa=ram prot=rw\n", .type = MS_EV_S2_MAP,
	     .addr = 0x80000000, .size = 0x200000, .pa = RAM, .prot = MS_PROT_RW);
}

static void stage2_map_of_a_device_says_where_and_why(void **state)
{
	LINE(*state,
	     "s2.map ipa=0x80000000 size=0x1000 pa=0x8100000000 prot=rw,device (slot too small)\n",
	     .type = MS_EV_S2_MAP, .addr = 0x80000000, .size = 0x1000, .pa = 0x8100000000,
	     .prot = MS_PROT_RW | MS_PROT_DEVICE, .reason = "slot too small");
}

static void failed_stage2_map_says_its_error(void **state)
{
	LINE(*state, "s2.map ipa=0x0 size=0x1000 pa=ram prot=r ret=EAGAIN\n", .type = MS_EV_S2_MAP,
	     .size = 0x1000, .pa = RAM, .prot = MS_PROT_R, .ret = -EAGAIN);
}

static void permissions_are_letters(void **state)
{
	LINE(*state, "s2.relax ipa=0x1000 prot=rwx\n", .type = MS_EV_S2_RELAX, .addr = 0x1000,
	     .prot = MS_PROT_RW | MS_PROT_X);
	LINE(*state, "s2.relax ipa=0x1000 prot=rpx\n", .type = MS_EV_S2_RELAX, .addr = 0x1000,
	     .prot = MS_PROT_R | MS_PROT_PX);
	LINE(*state, "s2.relax ipa=0x1000 prot=rux\n", .type = MS_EV_S2_RELAX, .addr = 0x1000,
	     .prot = MS_PROT_R | MS_PROT_UX);
	LINE(*state, "s2.relax ipa=0x1000 prot=-\n", .type = MS_EV_S2_RELAX, .addr = 0x1000);
	LINE(*state, "s2.relax ipa=0x1000 prot=-,device\n", .type = MS_EV_S2_RELAX, .addr = 0x1000,
	     .prot = MS_PROT_DEVICE);
	LINE(*state, "s2.relax ipa=0x1000 prot=r,normal-nc\n", .type = MS_EV_S2_RELAX,
	     .addr = 0x1000, .prot = MS_PROT_R | MS_PROT_NORMAL_NC);
}

static void other_stage2_events_are_ranges(void **state)
{
	LINE(*state, "s2.unmap ipa=0x1000 size=0x2000\n", .type = MS_EV_S2_UNMAP, .addr = 0x1000,
	     .size = 0x2000);
	LINE(*state, "s2.wrprotect ipa=0x1000 size=0x2000\n", .type = MS_EV_S2_WRPROTECT,
	     .addr = 0x1000, .size = 0x2000);
	LINE(*state, "s2.split ipa=0x1000 size=0x2000 ret=ENOMEM\n", .type = MS_EV_S2_SPLIT,
	     .addr = 0x1000, .size = 0x2000, .ret = -ENOMEM);
	LINE(*state, "s2.young ipa=0x1000\n", .type = MS_EV_S2_YOUNG, .addr = 0x1000);
}

static void nested_entries_are_printed_with_their_size_rights_and_marks(void **state)
{
	const uint32_t all =
		MS_TDP_HOST_WRITABLE | MS_TDP_MMU_WRITABLE | MS_TDP_ACCESSED | MS_TDP_DIRTY;

	LINE(*state,
	     "s2.map ipa=0x80000000 size=0x400000 pa=ram prot=rwx type=WB bits=hmad leaf=0x200000\n",
	     .type = MS_EV_S2_MAP, .addr = 0x80000000, .size = 0x400000, .pa = RAM,
	     .prot = MS_PROT_RW | MS_PROT_X, .cache = MS_CACHE_WB, .bits = all, .level = MS_TDP_2M);
	LINE(*state,
	     "s2.map ipa=0x1000 size=0x1000 pa=0x180000000 prot=r type=UC- bits=- leaf=0x1000\n",
	     .type = MS_EV_S2_MAP, .addr = 0x1000, .size = 0x1000, .pa = 0x180000000,
	     .prot = MS_PROT_R, .cache = MS_CACHE_UC_MINUS, .level = MS_TDP_4K);
	LINE(*state, "s2.relax ipa=0x1000 size=0x1000 prot=rw bits=hm leaf=0x1000\n",
	     .type = MS_EV_S2_RELAX, .addr = 0x1000, .size = 0x1000, .prot = MS_PROT_RW,
	     .bits = MS_TDP_HOST_WRITABLE | MS_TDP_MMU_WRITABLE, .level = MS_TDP_4K);
	LINE(*state, "s2.wrprotect ipa=0x0 size=0x40000000 prot=rx bits=ad leaf=0x40000000\n",
	     .type = MS_EV_S2_WRPROTECT, .size = 0x40000000, .prot = MS_PROT_R | MS_PROT_X,
	     .bits = MS_TDP_ACCESSED | MS_TDP_DIRTY, .level = MS_TDP_1G);
	LINE(*state, "s2.change ipa=0x1000 size=0x2000 prot=r bits=h leaf=0x1000\n",
	     .type = MS_EV_S2_CHANGE, .addr = 0x1000, .size = 0x2000, .prot = MS_PROT_R,
	     .bits = MS_TDP_HOST_WRITABLE, .level = MS_TDP_4K);
	LINE(*state, "s2.fast ipa=0x1000 prot=rwx bits=hmad\n", .type = MS_EV_S2_FAST,
	     .addr = 0x1000, .prot = MS_PROT_RW | MS_PROT_X, .bits = all);
}

static void nested_entries_that_go_are_printed_with_their_size(void **state)
{
	LINE(*state, "s2.zap ipa=0x200000 size=0x400000 leaf=0x200000 (slot deleted)\n",
	     .type = MS_EV_S2_ZAP, .addr = 0x200000, .size = 0x400000, .level = MS_TDP_2M,
	     .reason = "slot deleted");
	LINE(*state, "s2.split ipa=0x0 size=0x40000000 leaf=0x40000000\n", .type = MS_EV_S2_SPLIT,
	     .size = 0x40000000, .level = MS_TDP_1G);
	LINE(*state, "s2.mmio ipa=0x1000 size=0x2000 leaf=0x1000\n", .type = MS_EV_S2_MMIO,
	     .addr = 0x1000, .size = 0x2000);
	LINE(*state, "s2.zap-all\n", .type = MS_EV_S2_ZAP_ALL);
}

static void what_notifiers_ask_of_a_nested_table_is_a_range(void **state)
{
	LINE(*state, "s2.unmap ipa=0x1000 size=0x2000\n", .type = MS_EV_S2_UNMAP, .addr = 0x1000,
	     .size = 0x2000);
	LINE(*state, "s2.age ipa=0x1000 size=0x2000\n", .type = MS_EV_S2_AGE, .addr = 0x1000,
	     .size = 0x2000);
	LINE(*state, "s2.test-age ipa=0x1000 size=0x1000\n", .type = MS_EV_S2_TEST_AGE,
	     .addr = 0x1000, .size = 0x1000);
	LINE(*state, "s2.change-pte ipa=0x1000 size=0x1000\n", .type = MS_EV_S2_CHANGE_PTE,
	     .addr = 0x1000, .size = 0x1000);
}

static void hardware_events_say_what_the_hardware_is_told(void **state)
{
	LINE(*state, "s2.desc ipa=0x1000 size=0x1000 level=3 old=0x0 new=0x7c3\n",
	     .type = MS_EV_S2_DESC, .addr = 0x1000, .size = 0x1000, .level = 3, .pa = 0x7c3);
	LINE(*state, "tlbi kind=vmid\n", .type = MS_EV_TLBI, .tlbi = MS_TLBI_VMID);
	LINE(*state, "tlbi kind=ipa ipa=0x1000 level=3\n", .type = MS_EV_TLBI, .tlbi = MS_TLBI_IPA,
	     .addr = 0x1000, .level = 3);
	LINE(*state, "tlbi kind=ipa-range ipa=0x1000 size=0x2000 level=0\n", .type = MS_EV_TLBI,
	     .tlbi = MS_TLBI_IPA_RANGE, .addr = 0x1000, .size = 0x2000);
	LINE(*state, "cmo kind=icache-inval pa=0x40000000 size=0x1000\n", .type = MS_EV_CMO,
	     .tlbi = MS_CMO_ICACHE_INVAL, .pa = RAM, .size = 0x1000);
}

static void notifiers_say_what_happens(void **state)
{
	LINE(*state, "notifier.start va=0x1000 size=0x1000 event=unmap\n",
	     .type = MS_EV_NOTIFIER_START, .addr = 0x1000, .size = 0x1000,
	     .notifier = MS_NOTIFY_UNMAP);
	LINE(*state, "notifier.end va=0x1000 size=0x1000 event=protection-page\n",
	     .type = MS_EV_NOTIFIER_END, .addr = 0x1000, .size = 0x1000,
	     .notifier = MS_NOTIFY_PROTECTION_PAGE);
	LINE(*state, "notifier.change-pte va=0x1000 pa=ram prot=rw\n", .type = MS_EV_CHANGE_PTE,
	     .addr = 0x1000, .pa = RAM, .prot = MS_PROT_W);
}

static void host_faults_print_their_code(void **state)
{
	LINE(*state, "host.fault va=0x1000 prot=w ret=NOPAGE\n", .type = MS_EV_HOST_FAULT,
	     .addr = 0x1000, .prot = MS_PROT_W, .ret = MS_VM_FAULT_NOPAGE);
	LINE(*state, "host.fault va=0x1000 prot=r ret=0\n", .type = MS_EV_HOST_FAULT,
	     .addr = 0x1000, .prot = MS_PROT_R);
	LINE(*state, "host.fault va=0x1000 prot=r ret=SIGBUS|RETRY|0x4000\n",
	     .type = MS_EV_HOST_FAULT, .addr = 0x1000, .prot = MS_PROT_R,
	     .ret = MS_VM_FAULT_SIGBUS | MS_VM_FAULT_RETRY | 0x4000);
}

static void guest_aborts_print_access_and_answer(void **state)
{
	LINE(*state, "guest.abort ipa=0x1000 prot=x ret=EFAULT (no VMA)\n",
	     .type = MS_EV_GUEST_ABORT, .addr = 0x1000, .prot = MS_PROT_X, .ret = -EFAULT,
	     .reason = "no VMA");
}

static void vma_events_and_messages_are_printed(void **state)
{
	LINE(*state, "vma.open va=0x1000 size=0x2000\n", .type = MS_EV_VMA_OPEN, .addr = 0x1000,
	     .size = 0x2000);
	LINE(*state, "vma.close va=0x1000 size=0x2000\n", .type = MS_EV_VMA_CLOSE, .addr = 0x1000,
	     .size = 0x2000);
	LINE(*state, "violation addr=0x1000 (pte not empty)\n", .type = MS_EV_VIOLATION,
	     .addr = 0x1000, .reason = "pte not empty");
	LINE(*state, "log addr=0x1000 size=0x2000 (freeing invalid memtype)\n", .type = MS_EV_LOG,
	     .addr = 0x1000, .size = 0x2000, .reason = "freeing invalid memtype");
}

static void error_without_a_name_is_a_number(void **state)
{
	LINE(*state, "s2.relax ipa=0x0 prot=r ret=-4000\n", .type = MS_EV_S2_RELAX,
	     .prot = MS_PROT_R, .ret = -4000);
}

static void mm_is_named_where_there_was_more_than_one(void **state)
{
	struct ms_machine *m = *state;

	assert_non_null(ms_mm_new(m));
	LINE(m, "zap va=0x0 size=0x1000\n", .type = MS_EV_ZAP, .size = 0x1000, .mm = 1);
	assert_non_null(ms_mm_new(m));
	LINE(m, "zap va=0x0 size=0x1000 mm=1\n", .type = MS_EV_ZAP, .size = 0x1000, .mm = 1);
	LINE(m, "zap va=0x0 size=0x1000\n", .type = MS_EV_ZAP, .size = 0x1000);
}

static void cache_types_have_the_names_of_their_architecture(void **state)
{
	assert_string_equal(ms_cache_name(MS_ARCH_X86_64, MS_CACHE_WC), "WC");
	assert_string_equal(ms_cache_name(MS_ARCH_ARM64, MS_CACHE_WC), "NC");
	assert_string_equal(ms_cache_name(MS_ARCH_ARM64, MS_CACHE_NGNRNE), "nGnRnE");
	assert_string_equal(ms_cache_name(MS_ARCH_ARM64, (enum ms_cache)99), "?");
}

static void architectures_have_the_names_of_the_kernel(void **state)
{
	assert_string_equal(ms_arch_name(MS_ARCH_ARM64), "arm64");
	assert_string_equal(ms_arch_name(MS_ARCH_X86_64), "x86_64");
	assert_string_equal(ms_arch_name((enum ms_arch)99), "?");
}

static void fields_alone_are_as_in_a_recording(void **state)
{
	const struct ms_event ev = {
		.type = MS_EV_ZAP, .addr = 0x1000, .size = 0x1000, .mm = 1, .reason = "a test"
	};
	char text[100] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(ms_mm_new(*state));
	assert_non_null(ms_mm_new(*state));
	ms_event_print_fields(*state, &ev, out);
	fclose(out);
	assert_string_equal(text, "zap va=0x1000 size=0x1000");
}

static void rights_and_errors_are_words(void **state)
{
	char text[100] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	ms_prot_print(0, out);
	fputc(' ', out);
	ms_prot_print(MS_PROT_RW | MS_PROT_UX | MS_PROT_DEVICE, out);
	fputc(' ', out);
	ms_error_print(-EINVAL, out);
	fputc(' ', out);
	ms_error_print(0, out);
	fputc(' ', out);
	ms_error_print(INT_MIN, out);
	fputc(' ', out);
	ms_tdp_bits_print(0, out);
	fputc(' ', out);
	ms_tdp_bits_print(MS_TDP_MMU_WRITABLE | MS_TDP_DIRTY, out);
	fclose(out);
	assert_string_equal(text, "- rwux,device EINVAL 0 -2147483648 - md");
}

static void whole_trace_is_a_line_an_event(void **state)
{
	struct ms_machine *m = *state;
	char text[300] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	MS_EMIT(m, .type = MS_EV_ZAP, .addr = 0x1000, .size = 0x1000);
	MS_EMIT(m, .type = MS_EV_S2_YOUNG, .addr = 0x2000);
	ms_trace_print(m, out);
	fclose(out);
	assert_string_equal(text, "zap va=0x1000 size=0x1000\ns2.young ipa=0x2000\n");
}

static void errors_have_their_names(void **state)
{
	(void)state;
	assert_string_equal(ms_errno_name(-EPERM), "EPERM");
	assert_string_equal(ms_errno_name(-EHWPOISON), "EHWPOISON");
	assert_null(ms_errno_name(0));
	assert_null(ms_errno_name(EINVAL));
	assert_null(ms_errno_name(INT_MIN));
#ifdef __GLIBC__
	for (int err = 1; err < 4096; err++) {
		const char *theirs = strerrorname_np(err), *ours = ms_errno_name(-err);

		assert_string_equal(ours ? ours : "none", theirs ? theirs : "none");
	}
#endif
}

#define RULE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
#define RULE_X86(test) cmocka_unit_test_setup_teardown(test, setup_x86, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RULE(every_type_has_a_name_of_its_own),
		RULE(zap_is_a_range_of_addresses),
		RULE_X86(memtype_events_are_printed_by_their_end),
		RULE(untrack_prints_zeros_as_0),
		RULE(stage2_map_of_ram_does_not_say_where),
		RULE(stage2_map_of_a_device_says_where_and_why),
		RULE(failed_stage2_map_says_its_error),
		RULE(permissions_are_letters),
		RULE(other_stage2_events_are_ranges),
		RULE_X86(nested_entries_are_printed_with_their_size_rights_and_marks),
		RULE_X86(nested_entries_that_go_are_printed_with_their_size),
		RULE_X86(what_notifiers_ask_of_a_nested_table_is_a_range),
		RULE(hardware_events_say_what_the_hardware_is_told),
		RULE(notifiers_say_what_happens),
		RULE(host_faults_print_their_code),
		RULE(guest_aborts_print_access_and_answer),
		RULE(vma_events_and_messages_are_printed),
		RULE(error_without_a_name_is_a_number),
		RULE(errors_have_their_names),
		RULE(mm_is_named_where_there_was_more_than_one),
		RULE(cache_types_have_the_names_of_their_architecture),
		RULE(architectures_have_the_names_of_the_kernel),
		RULE(fields_alone_are_as_in_a_recording),
		RULE(rights_and_errors_are_words),
		RULE(whole_trace_is_a_line_an_event),
	};

	return cmocka_run_group_tests_name("print", tests, NULL, NULL);
}
