/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events as text. Fields that the recording format has are written as it writes them.
 */
#include "core/core.h"
#include "core/errno.h"

#include <mapsim/mm.h>
#include <mapsim/phys.h>
#include <mapsim/tdp.h>

#include <inttypes.h>

static const char *const event_names[MS_EV_TYPES] = {
	[MS_EV_ZAP] = "zap",
	[MS_EV_PAT_RESERVE] = "pat.reserve",
	[MS_EV_PAT_FREE] = "pat.free",
	[MS_EV_PAT_UNTRACK] = "pat.untrack",
	[MS_EV_PAT_CLEAR] = "pat.clear",
	[MS_EV_PAT_HAZARD] = "pat.hazard",
	[MS_EV_S2_MAP] = "s2.map",
	[MS_EV_S2_RELAX] = "s2.relax",
	[MS_EV_S2_UNMAP] = "s2.unmap",
	[MS_EV_S2_WRPROTECT] = "s2.wrprotect",
	[MS_EV_S2_SPLIT] = "s2.split",
	[MS_EV_S2_YOUNG] = "s2.young",
	[MS_EV_S2_ZAP] = "s2.zap",
	[MS_EV_S2_FAST] = "s2.fast",
	[MS_EV_S2_CHANGE] = "s2.change",
	[MS_EV_S2_MMIO] = "s2.mmio",
	[MS_EV_S2_ZAP_ALL] = "s2.zap-all",
	[MS_EV_S2_AGE] = "s2.age",
	[MS_EV_S2_TEST_AGE] = "s2.test-age",
	[MS_EV_S2_CHANGE_PTE] = "s2.change-pte",
	[MS_EV_S2_DESC] = "s2.desc",
	[MS_EV_TLBI] = "tlbi",
	[MS_EV_CMO] = "cmo",
	[MS_EV_NOTIFIER_START] = "notifier.start",
	[MS_EV_NOTIFIER_END] = "notifier.end",
	[MS_EV_CHANGE_PTE] = "notifier.change-pte",
	[MS_EV_HOST_FAULT] = "host.fault",
	[MS_EV_GUEST_ABORT] = "guest.abort",
	[MS_EV_VMA_OPEN] = "vma.open",
	[MS_EV_VMA_CLOSE] = "vma.close",
	[MS_EV_VIOLATION] = "violation",
	[MS_EV_LOG] = "log",
};

static const char *const notifier_names[] = {
	[MS_NOTIFY_UNMAP] = "unmap",
	[MS_NOTIFY_CLEAR] = "clear",
	[MS_NOTIFY_PROTECTION_VMA] = "protection-vma",
	[MS_NOTIFY_PROTECTION_PAGE] = "protection-page",
	[MS_NOTIFY_RELEASE] = "release",
};

static const char *const tlbi_names[] = {
	[MS_TLBI_VMID] = "vmid",
	[MS_TLBI_IPA] = "ipa",
	[MS_TLBI_IPA_NSH] = "ipa-nsh",
	[MS_TLBI_IPA_RANGE] = "ipa-range",
};

static const char *const cmo_names[] = {
	[MS_CMO_DCACHE_CLEAN] = "dcache-clean",
	[MS_CMO_ICACHE_INVAL] = "icache-inval",
};

static const struct {
	unsigned int bit;
	const char *name;
} fault_names[] = {
	{ MS_VM_FAULT_OOM, "OOM" },           { MS_VM_FAULT_SIGBUS, "SIGBUS" },
	{ MS_VM_FAULT_HWPOISON, "HWPOISON" }, { MS_VM_FAULT_SIGSEGV, "SIGSEGV" },
	{ MS_VM_FAULT_NOPAGE, "NOPAGE" },     { MS_VM_FAULT_LOCKED, "LOCKED" },
	{ MS_VM_FAULT_RETRY, "RETRY" },       { MS_VM_FAULT_FALLBACK, "FALLBACK" },
};

/* names[i], "?" when i is out of range. */
static const char *name_of(const char *const *names, size_t count, size_t i)
{
	return i < count ? names[i] : "?";
}

#define NAME_OF(names, i) name_of((names), sizeof(names) / sizeof((names)[0]), (i))

const char *ms_event_name(enum ms_event_type type)
{
	return NAME_OF(event_names, type);
}

void ms_error_print(int err, FILE *out)
{
	const char *name = ms_errno_name(err);

	if (!out)
		return;
	if (name)
		fputs(name, out);
	else
		fprintf(out, "%d", err);
}

void ms_prot_print(uint32_t prot, FILE *out)
{
	if (!out)
		return;
	if (!(prot & (MS_PROT_RW | MS_PROT_X | MS_PROT_PX | MS_PROT_UX)))
		fputc('-', out);
	if (prot & MS_PROT_R)
		fputc('r', out);
	if (prot & MS_PROT_W)
		fputc('w', out);
	if (prot & MS_PROT_X)
		fputc('x', out);
	else if (prot & (MS_PROT_PX | MS_PROT_UX))
		fputs(prot & MS_PROT_PX ? "px" : "ux", out);
	if (prot & MS_PROT_DEVICE)
		fputs(",device", out);
	if (prot & MS_PROT_NORMAL_NC)
		fputs(",normal-nc", out);
}

void ms_tdp_bits_print(uint32_t bits, FILE *out)
{
	if (!out)
		return;
	if (!(bits & MS_TDP_BITS))
		fputc('-', out);
	if (bits & MS_TDP_HOST_WRITABLE)
		fputc('h', out);
	if (bits & MS_TDP_MMU_WRITABLE)
		fputc('m', out);
	if (bits & MS_TDP_ACCESSED)
		fputc('a', out);
	if (bits & MS_TDP_DIRTY)
		fputc('d', out);
}

/* One field, 0 as "0". */
static void print_number(FILE *out, const char *key, uint64_t value)
{
	fprintf(out, value ? " %s=%#" PRIx64 : " %s=0", key, value);
}

/* An address or a size, always in hexadecimal. */
static void print_hex(FILE *out, const char *key, uint64_t value)
{
	fprintf(out, " %s=0x%" PRIx64, key, value);
}

static void print_pa(const struct ms_machine *m, FILE *out, ms_pa_t pa)
{
	if (ms_pfn_is_ram(m, pa >> m->page_shift))
		fputs(" pa=ram", out);
	else
		print_hex(out, "pa", pa);
}

static void print_prot(FILE *out, uint32_t prot)
{
	fputs(" prot=", out);
	ms_prot_print(prot, out);
}

static void print_ret(FILE *out, int ret)
{
	if (ret == 0)
		return;
	fputs(" ret=", out);
	ms_error_print(ret, out);
}

static void print_fault(FILE *out, unsigned int fault)
{
	const char *separator = " ret=";

	if (!fault)
		fputs(" ret=0", out);
	for (size_t i = 0; i < sizeof(fault_names) / sizeof(fault_names[0]); i++) {
		if (!(fault & fault_names[i].bit))
			continue;
		fprintf(out, "%s%s", separator, fault_names[i].name);
		separator = "|";
		fault &= ~fault_names[i].bit;
	}
	if (fault)
		fprintf(out, "%s%#x", separator, fault);
}

static void print_pat(const struct ms_machine *m, const struct ms_event *ev, FILE *out)
{
	switch (ev->type) {
	case MS_EV_PAT_UNTRACK:
		print_hex(out, "va", ev->va);
		print_number(out, "pfn", ev->pfn);
		print_number(out, "size", ev->size);
		break;
	case MS_EV_PAT_CLEAR:
		print_hex(out, "va", ev->va);
		break;
	case MS_EV_PAT_HAZARD:
		print_hex(out, "va", ev->va);
		print_hex(out, "start", ev->pa);
		print_hex(out, "end", ev->pa + ev->pa_size);
		break;
	default:
		print_hex(out, "start", ev->start);
		print_hex(out, "end", ev->start + ev->size);
		if (ev->type == MS_EV_PAT_RESERVE)
			fprintf(out, " type=%s", ms_cache_name(m->policy.arch, ev->cache));
		print_ret(out, ev->ret);
	}
}

static void print_stage2(const struct ms_machine *m, const struct ms_event *ev, FILE *out)
{
	print_hex(out, "ipa", ev->ipa);
	if (ev->type != MS_EV_S2_RELAX && ev->type != MS_EV_S2_YOUNG)
		print_hex(out, "size", ev->size);
	if (ev->type == MS_EV_S2_MAP)
		print_pa(m, out, ev->pa);
	if (ev->type == MS_EV_S2_MAP || ev->type == MS_EV_S2_RELAX)
		print_prot(out, ev->prot);
	print_ret(out, ev->ret);
}

/* x86: entries of the nested table, and what the notifiers name. */
static void print_entries(const struct ms_machine *m, const struct ms_event *ev, FILE *out)
{
	const bool map = ev->type == MS_EV_S2_MAP, fast = ev->type == MS_EV_S2_FAST;
	const unsigned int level = ev->type == MS_EV_S2_MMIO ? MS_TDP_4K : ev->level;

	print_hex(out, "ipa", ev->ipa);
	if (!fast)
		print_hex(out, "size", ev->size);
	if (map)
		print_pa(m, out, ev->pa);
	if (map || fast || ev->type == MS_EV_S2_RELAX || ev->type == MS_EV_S2_WRPROTECT ||
	    ev->type == MS_EV_S2_CHANGE) {
		print_prot(out, ev->prot);
		if (map)
			fprintf(out, " type=%s", ms_cache_name(m->policy.arch, ev->cache));
		fputs(" bits=", out);
		ms_tdp_bits_print(ev->bits, out);
	}
	if (!fast)
		print_hex(out, "leaf", ms_tdp_level_size(level));
}

/* What the hardware is told; the recording format has no words for these. */
static void print_hardware(const struct ms_event *ev, FILE *out)
{
	switch (ev->type) {
	case MS_EV_S2_DESC:
		print_hex(out, "ipa", ev->ipa);
		print_hex(out, "size", ev->size);
		fprintf(out, " level=%u", ev->level);
		print_hex(out, "old", ev->old_desc);
		print_hex(out, "new", ev->desc);
		break;
	case MS_EV_TLBI:
		fprintf(out, " kind=%s", NAME_OF(tlbi_names, ev->tlbi));
		if (ev->tlbi == MS_TLBI_VMID)
			break;
		print_hex(out, "ipa", ev->ipa);
		if (ev->tlbi == MS_TLBI_IPA_RANGE)
			print_hex(out, "size", ev->size);
		fprintf(out, " level=%u", ev->level);
		break;
	default:
		fprintf(out, " kind=%s", NAME_OF(cmo_names, ev->cmo));
		print_hex(out, "pa", ev->pa);
		print_hex(out, "size", ev->size);
	}
}

static void print_host(const struct ms_machine *m, const struct ms_event *ev, FILE *out)
{
	print_hex(out, "va", ev->va);
	switch (ev->type) {
	case MS_EV_CHANGE_PTE:
		print_pa(m, out, ev->pa);
		print_prot(out, MS_PROT_R | (ev->prot & MS_PROT_W));
		break;
	case MS_EV_HOST_FAULT:
		print_prot(out, ev->prot);
		print_fault(out, ev->fault);
		break;
	default:
		print_hex(out, "size", ev->size);
		if (ev->type == MS_EV_NOTIFIER_START || ev->type == MS_EV_NOTIFIER_END)
			fprintf(out, " event=%s", NAME_OF(notifier_names, ev->notifier));
	}
}

static void print_message(const struct ms_machine *m, const struct ms_event *ev, FILE *out)
{
	// a driver's words are about no address
	if (ev->addr || ev->size || ev->type != MS_EV_LOG)
		print_hex(out, "addr", ev->addr);
	if (ev->type == MS_EV_LOG && (ev->addr || ev->size))
		print_hex(out, "size", ev->size);
	else if (ev->pa)
		print_pa(m, out, ev->pa);
}

/* Whose doing it is, and where. */
static void print_violation(const struct ms_machine *m, const struct ms_event *ev, FILE *out)
{
	const struct ms_violation *v = ms_violation_cause(m, ev->cause);

	print_message(m, ev, out);
	if (!v)
		return;
	fprintf(out, " class=%s", ms_violation_class_name(v->whose));
	if (v->driver)
		fprintf(out, " driver=%s", v->driver);
	if (v->vma_end)
		fprintf(out, " vma=0x%" PRIx64 "-0x%" PRIx64, v->vma_start, v->vma_end);
}

void ms_event_print_fields(const struct ms_machine *m, const struct ms_event *ev, FILE *out)
{
	if (!m || !ev || !out)
		return;
	fputs(ms_event_name(ev->type), out);
	switch (ev->type) {
	case MS_EV_PAT_RESERVE:
	case MS_EV_PAT_FREE:
	case MS_EV_PAT_UNTRACK:
	case MS_EV_PAT_CLEAR:
	case MS_EV_PAT_HAZARD:
		print_pat(m, ev, out);
		break;
	case MS_EV_S2_MAP:
	case MS_EV_S2_RELAX:
	case MS_EV_S2_WRPROTECT:
	case MS_EV_S2_SPLIT:
		if (ms_is_x86(m))
			print_entries(m, ev, out);
		else
			print_stage2(m, ev, out);
		break;
	case MS_EV_S2_UNMAP:
	case MS_EV_S2_YOUNG:
	case MS_EV_S2_AGE:
	case MS_EV_S2_TEST_AGE:
	case MS_EV_S2_CHANGE_PTE:
		print_stage2(m, ev, out);
		break;
	case MS_EV_S2_ZAP:
	case MS_EV_S2_FAST:
	case MS_EV_S2_CHANGE:
	case MS_EV_S2_MMIO:
		print_entries(m, ev, out);
		break;
	case MS_EV_S2_ZAP_ALL:
		break;
	case MS_EV_S2_DESC:
	case MS_EV_TLBI:
	case MS_EV_CMO:
		print_hardware(ev, out);
		break;
	case MS_EV_GUEST_ABORT:
		print_hex(out, "ipa", ev->ipa);
		print_prot(out, ev->prot);
		print_ret(out, ev->ret);
		break;
	case MS_EV_VIOLATION:
		print_violation(m, ev, out);
		break;
	case MS_EV_LOG:
		print_message(m, ev, out);
		break;
	default:
		print_host(m, ev, out);
	}
}

void ms_event_print(const struct ms_machine *m, const struct ms_event *ev, FILE *out)
{
	if (!m || !ev || !out)
		return;
	ms_event_print_fields(m, ev, out);
	if (ev->mm && m->nr_mm_ids > 1)
		fprintf(out, " mm=%" PRIu32, ev->mm);
	if (ev->vm && m->nr_vm_ids > 1)
		fprintf(out, " vm=%" PRIu32, ev->vm);
	if (ev->reason)
		fprintf(out, " (%s)", ev->reason);
	if (ev->type == MS_EV_VIOLATION && ev->times > 1)
		fprintf(out, " (%" PRIu64 " times)", ev->times);
	fputc('\n', out);
}

void ms_trace_print(const struct ms_machine *m, FILE *out)
{
	for (size_t i = 0; i < ms_trace_len(m); i++)
		ms_event_print(m, ms_trace_get(m, i), out);
}
