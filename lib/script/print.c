/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes results and events as answer lines. */
#include "script/player.h"

#include <inttypes.h>

void ms_print_ret(struct ms_player *p, int err)
{
	p->last.refused = err < 0;
	p->last.err = err;
	fputs("ret ", p->out);
	ms_error_print(err, p->out);
	fputc('\n', p->out);
}

void ms_print_ret_word(struct ms_player *p, const char *word)
{
	p->last.refused = strcmp(word, "0");
	fprintf(p->out, "ret %s\n", word);
}

void ms_print_ret_own(struct ms_player *p, int err, const char *why)
{
	ms_print_ret(p, err);
	p->last.why = why;
}

void ms_print_ret_no_file(struct ms_player *p, int err)
{
	ms_print_ret(p, err);
	p->last.err = 0;
}

/*
 * As the kernel's IS_ERR_VALUE(), only the last 4095 numbers are errors: an mremap that changes
 * nothing gives its address back, which may be negative as a number.
 */
void ms_print_ret_address(struct ms_player *p, int64_t ret, ms_hva_t wanted)
{
	const bool failed = ret < 0 && ret >= -4095;

	if (!failed && (ms_hva_t)ret != wanted)
		fprintf(p->out, "ret 0x%" PRIx64 "\n", ret);
	else
		ms_print_ret(p, failed ? (int)ret : 0);
}

/*
 * The recorder goes by the header's lines to the byte; the kernel does not count a page as RAM of
 * which only a part is. The x86 recorder without guests uses the page number 0 to say "RAM", so
 * that it prints the first page as RAM, too.
 */
bool ms_player_is_ram(const struct ms_player *p, ms_pa_t pa)
{
	const struct ms_header *h = p->header;

	if (ms_pfn_is_ram(p->m, pa / p->page_size))
		return true;
	for (size_t i = 0; i < h->nr_ram; i++) {
		if (pa >= h->ram[i].pa && pa - h->ram[i].pa < h->ram[i].size)
			return true;
	}
	return ms_player_is_x86(p) && !h->svm && pa < p->page_size;
}

/*
 * Writes whose page table it was, where that is not the process that carries the operation out. At
 * a fork, events that are not the parent's are the child's, also where the fork fails and the child
 * never becomes known; and the x86 recorder says of every pat.clear of a fork that it is the
 * child's.
 */
static void add_mm(struct ms_player *p, const struct ms_op *op, const struct ms_event *ev)
{
	bool own_is_child = op->child;
	bool of_worker = p->worker && ev->mm == ms_mm_id(p->worker);
	bool of_child = (p->child && ev->mm == ms_mm_id(p->child)) ||
			(op->kind == MS_OP_FORK && (!of_worker || ev->type == MS_EV_PAT_CLEAR));

	if (of_child && !own_is_child)
		fprintf(p->out, " mm=child");
	else if (!of_child && of_worker && own_is_child)
		fprintf(p->out, " mm=parent");
}

static void add_event(struct ms_player *p, const struct ms_op *op, const struct ms_event *ev)
{
	struct ms_event shown = *ev;
	// The recorder watches how these functions are called, not what they answer.
	if (ev->type == MS_EV_S2_UNMAP || ev->type == MS_EV_S2_WRPROTECT ||
	    ev->type == MS_EV_S2_SPLIT || ev->type == MS_EV_S2_YOUNG)
		shown.ret = 0;
	ms_event_print_fields(p->m, &shown, p->out);
	if (ev->type == MS_EV_ZAP || ev->type == MS_EV_PAT_UNTRACK || ev->type == MS_EV_PAT_CLEAR)
		add_mm(p, op, ev);
	fputc('\n', p->out);
}

/* Whether an event is about the guest's code, at its guest or its host address. */
static bool is_of_code(const struct ms_player *p, const struct ms_event *ev)
{
	switch (ev->type) {
	case MS_EV_S2_MAP:
	case MS_EV_S2_RELAX:
	case MS_EV_S2_UNMAP:
	case MS_EV_S2_WRPROTECT:
	case MS_EV_S2_SPLIT:
	case MS_EV_S2_YOUNG:
	case MS_EV_S2_ZAP:
	case MS_EV_S2_FAST:
	case MS_EV_S2_CHANGE:
	case MS_EV_S2_MMIO:
	case MS_EV_S2_AGE:
	case MS_EV_S2_TEST_AGE:
	case MS_EV_S2_CHANGE_PTE:
	case MS_EV_GUEST_ABORT:
		return ev->addr >= MS_GUEST_CODE_START && ev->addr < MS_GUEST_CODE_END;
	case MS_EV_ZAP:
	case MS_EV_NOTIFIER_START:
	case MS_EV_NOTIFIER_END:
	case MS_EV_CHANGE_PTE:
	case MS_EV_HOST_FAULT:
		return ev->addr - MS_GUEST_CODE_HVA < ms_guest_code_size(p);
	default:
		return false;
	}
}

/* Whether the recorder prints such an event on this kernel. */
static bool is_printed(const struct ms_player *p, const struct ms_event *ev)
{
	switch (ev->type) {
	case MS_EV_ZAP:
		return ev->addr >= MS_SCRIPT_VA_START && ev->addr < MS_SCRIPT_VA_END;
	case MS_EV_PAT_FREE:
		return ms_machine_policy(p->m)->pat_free_probe == MS_PAT_FREE_PROBE_MEMTYPE_FREE ||
		       ms_pat_free_reached_list(ev);
	default:
		return !is_of_code(p, ev);
	}
}

/* Whether an event tells of entries of one size, neighbours, that have all changed alike. */
static bool is_of_entries(const struct ms_player *p, const struct ms_event *ev)
{
	switch (ev->type) {
	case MS_EV_S2_MAP:
	case MS_EV_S2_RELAX:
	case MS_EV_S2_WRPROTECT:
	case MS_EV_S2_SPLIT:
	case MS_EV_S2_ZAP:
	case MS_EV_S2_CHANGE:
	case MS_EV_S2_MMIO:
		return ms_player_is_x86(p);
	default:
		return false;
	}
}

/* run->size is that of the whole run; its other members are those of its first event. */
static bool run_continues(const struct ms_player *p, const struct ms_event *run,
			  const struct ms_event *ev)
{
	if (!run->size || run->type != ev->type || run->vm != ev->vm || run->level != ev->level ||
	    run->prot != ev->prot || run->bits != ev->bits || run->cache != ev->cache ||
	    run->ipa + run->size != ev->ipa)
		return false;
	if (ev->type != MS_EV_S2_MAP)
		return true;
	return ms_player_is_ram(p, ev->pa) ? ms_player_is_ram(p, run->pa)
					   : run->pa + run->size == ev->pa;
}

static void end_run(struct ms_player *p, const struct ms_op *op, struct ms_event *run)
{
	if (run->size)
		add_event(p, op, run);
	run->size = 0;
}

/* The recorder joins equal changes of neighbouring entries that follow each other. What it watches
 * ends such a run, also where it does not print it. */
void ms_print_events(struct ms_player *p, const struct ms_op *op)
{
	struct ms_event run = { .size = 0 };
	const struct ms_event *ev;

	for (size_t i = 0; (ev = ms_trace_get(p->m, i)); i++) {
		// the format has lines for the types up to MS_EV_S2_CHANGE_PTE
		if (ev->type > MS_EV_S2_CHANGE_PTE)
			continue;
		const bool entries = is_of_entries(p, ev), printed = is_printed(p, ev);

		if (printed && entries && run_continues(p, &run, ev)) {
			run.size += ev->size;
			continue;
		}
		if (printed || ev->type == MS_EV_ZAP)
			end_run(p, op, &run);
		if (printed && entries)
			run = *ev;
		else if (printed)
			add_event(p, op, ev);
	}
	end_run(p, op, &run);
}

const char *ms_player_reason(struct ms_player *p)
{
	struct ms_refusal last;

	if (!p || !p->last.refused)
		return NULL;
	if (p->last.why)
		return p->last.why;
	last = ms_last_refusal(p->m);
	if (last.number == p->last.refusals || (p->last.err && last.err != p->last.err))
		return NULL;
	return last.reason;
}

void ms_player_explain(struct ms_player *p, const char *before, FILE *out)
{
	const struct ms_event *ev;

	if (!p || !before || !out)
		return;
	if (ms_player_reason(p))
		fprintf(out, "%srefused: %s\n", before, ms_player_reason(p));
	for (size_t i = 0; (ev = ms_trace_get(p->m, i)); i++) {
		if (is_of_code(p, ev))
			continue;
		fputs(before, out);
		ms_event_print(p->m, ev, out);
	}
}
