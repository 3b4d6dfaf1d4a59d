/* SPDX-License-Identifier: GPL-2.0-only */
/* Results and events as answer lines. */
#include "script/player.h"

#define ULL(x) ((unsigned long long)(x))

/* Errors by name; others are printed as numbers. */
static const struct ms_named errors[] = {
	{ "EPERM", EPERM },
	{ "ENOENT", ENOENT },
	{ "ESRCH", ESRCH },
	{ "EINTR", EINTR },
	{ "EIO", EIO },
	{ "ENXIO", ENXIO },
	{ "E2BIG", E2BIG },
	{ "EBADF", EBADF },
	{ "ECHILD", ECHILD },
	{ "EAGAIN", EAGAIN },
	{ "ENOMEM", ENOMEM },
	{ "EACCES", EACCES },
	{ "EFAULT", EFAULT },
	{ "EBUSY", EBUSY },
	{ "EEXIST", EEXIST },
	{ "ENODEV", ENODEV },
	{ "EINVAL", EINVAL },
	{ "ENOTTY", ENOTTY },
	{ "EFBIG", EFBIG },
	{ "ENOSPC", ENOSPC },
	{ "ERANGE", ERANGE },
	{ "ENOSYS", ENOSYS },
	{ "EOVERFLOW", EOVERFLOW },
	{ "EOPNOTSUPP", EOPNOTSUPP },
	{ "ENOEXEC", ENOEXEC },
	{ "EHWPOISON", EHWPOISON },
	{ NULL, 0 },
};

static void add_error(struct ms_text *out, const char *before, int err)
{
	const char *name = ms_named_of(errors, (uint64_t)-err);
	if (name)
		ms_text_add(out, "%s%s", before, name);
	else
		ms_text_add(out, "%s%d", before, err);
}

void ms_print_ret(struct ms_player *p, int err)
{
	add_error(&p->out, "ret ", err);
	ms_text_add(&p->out, "\n");
}

void ms_print_ret_word(struct ms_player *p, const char *word)
{
	ms_text_add(&p->out, "ret %s\n", word);
}

void ms_print_ret_address(struct ms_player *p, int64_t ret, ms_hva_t wanted)
{
	if (ret >= 0 && (ms_hva_t)ret != wanted)
		ms_text_add(&p->out, "ret 0x%llx\n", ULL(ret));
	else
		ms_print_ret(p, ret < 0 ? (int)ret : 0);
}

const char *ms_print_prot(unsigned int prot, char *buf)
{
	snprintf(buf, MS_PROT_TEXT, "%s%s%s%s%s%s%s", prot & MS_PROT_R ? "r" : "",
		 prot & MS_PROT_W ? "w" : "", prot & MS_PROT_X ? "x" : "",
		 prot & MS_PROT_PX ? "px" : "", prot & MS_PROT_UX ? "ux" : "",
		 prot & MS_PROT_DEVICE ? ",device" : "",
		 prot & MS_PROT_NORMAL_NC ? ",normal-nc" : "");
	if (!*buf || *buf == ',') {
		memmove(buf + 1, buf, strlen(buf) + 1);
		*buf = '-';
	}
	return buf;
}

static void add_ret(struct ms_text *out, const struct ms_event *ev)
{
	if (ev->ret)
		add_error(out, " ret=", ev->ret);
}

/*
 * Which process's table it was, where that is not the one that executes the operation. The x86
 * recorder takes the copied VMA's mm at fork for the child's, whatever it says at that moment.
 */
static void add_mm(struct ms_player *p, const struct ms_op *op, const struct ms_event *ev)
{
	bool own_is_child = op->child;
	bool of_child = (p->child && ev->mm == ms_mm_id(p->child)) ||
			(op->kind == MS_OP_FORK && ev->type == MS_EV_PAT_CLEAR);
	bool of_worker = p->worker && ev->mm == ms_mm_id(p->worker);
	if (of_child && !own_is_child)
		ms_text_add(&p->out, " mm=child");
	else if (!of_child && of_worker && own_is_child)
		ms_text_add(&p->out, " mm=parent");
}

static void add_s2_map(struct ms_player *p, const struct ms_event *ev)
{
	char prot[MS_PROT_TEXT];
	ms_text_add(&p->out, "s2.map ipa=0x%llx size=0x%llx ", ULL(ev->addr), ULL(ev->size));
	if (ms_player_is_ram(p, ev->pa))
		ms_text_add(&p->out, "pa=ram");
	else
		ms_text_add(&p->out, "pa=0x%llx", ULL(ev->pa));
	ms_text_add(&p->out, " prot=%s", ms_print_prot(ev->prot, prot));
	add_ret(&p->out, ev);
}

static void add_pat_untrack(struct ms_player *p, const struct ms_op *op, const struct ms_event *ev)
{
	ms_text_add(&p->out, "pat.untrack va=0x%llx pfn=%s%llx size=%s%llx", ULL(ev->addr),
		    ev->pa ? "0x" : "", ULL(ev->pa), ev->size ? "0x" : "", ULL(ev->size));
	add_mm(p, op, ev);
}

static void add_event(struct ms_player *p, const struct ms_op *op, const struct ms_event *ev)
{
	struct ms_text *out = &p->out;
	char prot[MS_PROT_TEXT];
	switch (ev->type) {
	case MS_EV_S2_MAP:
		add_s2_map(p, ev);
		break;
	case MS_EV_S2_RELAX:
		ms_text_add(out, "s2.relax ipa=0x%llx prot=%s", ULL(ev->addr),
			    ms_print_prot(ev->prot, prot));
		add_ret(out, ev);
		break;
	case MS_EV_S2_UNMAP:
	case MS_EV_S2_WRPROTECT:
	case MS_EV_S2_SPLIT:
		ms_text_add(out, "%s ipa=0x%llx size=0x%llx", ms_event_name(ev->type),
			    ULL(ev->addr), ULL(ev->size));
		break;
	case MS_EV_S2_YOUNG:
		ms_text_add(out, "s2.young ipa=0x%llx", ULL(ev->addr));
		break;
	case MS_EV_PAT_RESERVE:
		ms_text_add(out, "pat.reserve start=0x%llx end=0x%llx type=%s", ULL(ev->addr),
			    ULL(ev->addr + ev->size),
			    ms_cache_name(p->header->arch, (enum ms_cache)ev->cache));
		add_ret(out, ev);
		break;
	case MS_EV_PAT_FREE:
		ms_text_add(out, "pat.free start=0x%llx end=0x%llx", ULL(ev->addr),
			    ULL(ev->addr + ev->size));
		add_ret(out, ev);
		break;
	case MS_EV_PAT_UNTRACK:
		add_pat_untrack(p, op, ev);
		break;
	case MS_EV_PAT_CLEAR:
		ms_text_add(out, "pat.clear va=0x%llx", ULL(ev->addr));
		add_mm(p, op, ev);
		break;
	default:
		ms_text_add(out, "zap va=0x%llx size=0x%llx", ULL(ev->addr), ULL(ev->size));
		add_mm(p, op, ev);
		break;
	}
	ms_text_add(out, "\n");
}

/* Whether the recorder of this kernel prints such an event. */
static bool is_printed(const struct ms_player *p, const struct ms_event *ev)
{
	switch (ev->type) {
	case MS_EV_S2_MAP:
	case MS_EV_S2_RELAX:
	case MS_EV_S2_UNMAP:
	case MS_EV_S2_WRPROTECT:
	case MS_EV_S2_SPLIT:
	case MS_EV_S2_YOUNG:
		return ev->addr < MS_GUEST_CODE_START || ev->addr >= MS_GUEST_CODE_END;
	case MS_EV_ZAP:
		return ev->addr >= MS_SCRIPT_VA_START && ev->addr < MS_SCRIPT_VA_END;
	case MS_EV_PAT_FREE:
		return !p->recorder->pat_free_inner || ms_pat_free_reached_list(ev);
	case MS_EV_PAT_RESERVE:
	case MS_EV_PAT_UNTRACK:
	case MS_EV_PAT_CLEAR:
		return true;
	default:
		return false;
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
