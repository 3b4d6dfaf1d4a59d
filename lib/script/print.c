/* SPDX-License-Identifier: GPL-2.0-only */
/* Results and events as answer lines. */
#include "script/player.h"

#include <inttypes.h>

void ms_print_ret(struct ms_player *p, int err)
{
	fputs("ret ", p->out);
	ms_error_print(err, p->out);
	fputc('\n', p->out);
}

void ms_print_ret_word(struct ms_player *p, const char *word)
{
	fprintf(p->out, "ret %s\n", word);
}

/* IS_ERR_VALUE(): an mremap that changes nothing gives back an address in the kernel's half. */
void ms_print_ret_address(struct ms_player *p, int64_t ret, ms_hva_t wanted)
{
	const bool failed = ret < 0 && ret >= -4095;

	if (!failed && (ms_hva_t)ret != wanted)
		fprintf(p->out, "ret 0x%" PRIx64 "\n", ret);
	else
		ms_print_ret(p, failed ? (int)ret : 0);
}

/*
 * The recorders compare with the header's lines byte by byte, while the kernel does not count a
 * page as RAM that is so only in part. That of x86 keeps 0 for "RAM", so its first page is, too.
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
	return h->arch == MS_ARCH_X86_64 && pa < p->page_size;
}

/*
 * Which process's table it was, where that is not the one that executes the operation. The x86
 * recorder takes the copied VMA's mm at fork for the child's, whatever it says at that moment. A
 * fork that fails cleans a child up that nobody has seen.
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
	// The recorders look at what these functions are asked for, not at what they answer.
	if (ev->type == MS_EV_S2_UNMAP || ev->type == MS_EV_S2_WRPROTECT ||
	    ev->type == MS_EV_S2_SPLIT || ev->type == MS_EV_S2_YOUNG)
		shown.ret = 0;
	ms_event_print_fields(p->m, &shown, p->out);
	if (ev->type == MS_EV_ZAP || ev->type == MS_EV_PAT_UNTRACK || ev->type == MS_EV_PAT_CLEAR)
		add_mm(p, op, ev);
	fputc('\n', p->out);
}

/* Whether an event is about the recorder's own guest page, in the guest or in the host. */
static bool is_of_code_page(const struct ms_player *p, const struct ms_event *ev)
{
	switch (ev->type) {
	case MS_EV_S2_MAP:
	case MS_EV_S2_RELAX:
	case MS_EV_S2_UNMAP:
	case MS_EV_S2_WRPROTECT:
	case MS_EV_S2_SPLIT:
	case MS_EV_S2_YOUNG:
	case MS_EV_GUEST_ABORT:
		return ev->addr >= MS_GUEST_CODE_START && ev->addr < MS_GUEST_CODE_END;
	case MS_EV_ZAP:
	case MS_EV_NOTIFIER_START:
	case MS_EV_NOTIFIER_END:
	case MS_EV_CHANGE_PTE:
	case MS_EV_HOST_FAULT:
		return ev->addr - MS_GUEST_CODE_HVA < p->page_size;
	default:
		return false;
	}
}

/* Whether the recorder of this kernel prints such an event. */
static bool is_printed(const struct ms_player *p, const struct ms_event *ev)
{
	switch (ev->type) {
	case MS_EV_ZAP:
		return ev->addr >= MS_SCRIPT_VA_START && ev->addr < MS_SCRIPT_VA_END;
	case MS_EV_PAT_FREE:
		return ms_machine_policy(p->m)->pat_free_probe == MS_PAT_FREE_PROBE_MEMTYPE_FREE ||
		       ms_pat_free_reached_list(ev);
	default:
		// the types that the format has lines for come first
		return ev->type <= MS_EV_S2_YOUNG && !is_of_code_page(p, ev);
	}
}

void ms_print_events(struct ms_player *p, const struct ms_op *op)
{
	const struct ms_event *ev;

	for (size_t i = 0; (ev = ms_trace_get(p->m, i)); i++) {
		if (is_printed(p, ev))
			add_event(p, op, ev);
	}
}

void ms_player_explain(struct ms_player *p, const char *before, FILE *out)
{
	const struct ms_event *ev;

	if (!p || !before || !out)
		return;
	for (size_t i = 0; (ev = ms_trace_get(p->m, i)); i++) {
		if (is_of_code_page(p, ev))
			continue;
		fputs(before, out);
		ms_event_print(p->m, ev, out);
	}
}
