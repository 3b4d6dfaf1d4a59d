/* SPDX-License-Identifier: GPL-2.0-only */
/* Carries out the operations of a script, one after the other, on a machine. */
#include "script/player.h"

#include <stdlib.h>

/* needs_process: it is a system call, and answers ESRCH where its process is gone. */
static const struct {
	ms_op_fn *fn;
	bool needs_process;
} plays[MS_OP_KINDS] = {
	[MS_OP_MMAP] = { ms_play_mmap, true },
	[MS_OP_MUNMAP] = { ms_play_munmap, true },
	[MS_OP_MPROTECT] = { ms_play_mprotect, true },
	[MS_OP_MREMAP] = { ms_play_mremap, true },
	[MS_OP_MADVISE] = { ms_play_madvise, true },
	[MS_OP_MLOCK] = { ms_play_mlock, true },
	[MS_OP_MUNLOCK] = { ms_play_munlock, true },
	[MS_OP_TOUCH] = { ms_play_touch, true },
	[MS_OP_SHOW_VMAS] = { ms_play_show_vmas, true },
	[MS_OP_SHOW_PTES] = { ms_play_show_ptes, true },
	[MS_OP_SHOW_PRESENT] = { ms_play_show_present, true },
	[MS_OP_EXIT] = { ms_play_exit, true },
	[MS_OP_FORK] = { ms_play_fork, true },
	[MS_OP_CLOSE] = { ms_play_close, true },
	[MS_OP_VFIO_MEMORY] = { ms_play_vfio_memory, true },
	[MS_OP_REVOKE] = { ms_play_revoke, false },
	[MS_OP_CLAIM] = { ms_play_claim, false },
	[MS_OP_RELEASE] = { ms_play_release, false },
	[MS_OP_IOREMAP] = { ms_play_ioremap, false },
	[MS_OP_IOUNMAP] = { ms_play_iounmap, false },
	[MS_OP_SHOW_MEMTYPES] = { ms_play_show_memtypes, false },
	[MS_OP_VM_CREATE] = { ms_play_vm_create, true },
	[MS_OP_VM_DESTROY] = { ms_play_vm_destroy, false },
	[MS_OP_SLOT] = { ms_play_slot, false },
	[MS_OP_GUEST] = { ms_play_guest, false },
	[MS_OP_DIRTY] = { ms_play_dirty, false },
	[MS_OP_SHOW_S2] = { ms_play_show_s2, false },
	[MS_OP_PREFAULT] = { ms_play_prefault, false },
	[MS_OP_KVM] = { ms_play_kvm, false },
	[MS_OP_NX_RECOVER] = { ms_play_nx_recover, false },
	[MS_OP_AGE] = { ms_play_age, true },
	[MS_OP_TEST_AGE] = { ms_play_test_age, true },
};

/* As the recorder does: all vfio devices that the script names are open before it begins. */
static int open_vfio(struct ms_player *p)
{
	const struct ms_script *s = p->script;

	for (size_t i = 0; i < s->nr_ops; i++) {
		struct ms_op op = s->ops[i].op;
		int err = 0;

		if (op.kind == MS_OP_VFIO_MEMORY)
			op.source = MS_SRC_VFIO;
		else if (op.kind != MS_OP_MMAP || op.source != MS_SRC_VFIO)
			continue;
		if (!ms_player_open(p, &op, &err))
			return err;
	}
	return 0;
}

static int begin(struct ms_player *p, struct ms_script_error *err)
{
	p->m = ms_header_machine(p->header, err);
	if (!p->m)
		return -errno;
	p->page_size = ms_machine_config(p->m)->page_size;
	for (size_t i = 0; i < p->header->nr_devices; i++)
		p->device[i] = ms_device_find(p->m, p->header->device[i].name);
	p->worker = ms_mm_new(p->m);
	if (!p->worker || open_vfio(p))
		return ms_script_no_memory(err);
	return 0;
}

struct ms_player *ms_player_new(const struct ms_script *script, struct ms_script_error *err)
{
	struct ms_player *p = script ? calloc(1, sizeof(*p)) : NULL;
	int ret;

	ms_script_no_error(err);
	if (!script)
		return ms_script_null(ms_script_fail(err, 0, MS_NO_SCRIPT));
	if (!p)
		return ms_script_null(ms_script_no_memory(err));
	p->script = script;
	p->header = &script->header;
	ret = begin(p, err);
	if (!ret)
		return p;
	ms_player_free(p);
	return ms_script_null(ret);
}

static void close_stream(struct ms_player *p)
{
	if (p->out)
		fclose(p->out);
	free(p->answer);
	p->out = NULL;
	p->answer = NULL;
}

void ms_player_free(struct ms_player *p)
{
	if (!p)
		return;
	ms_machine_free(p->m);
	close_stream(p);
	free(p->types);
	free(p);
}

struct ms_machine *ms_player_machine(struct ms_player *p)
{
	return p ? p->m : NULL;
}

/* Begins p->answer anew; p->out writes to it. false: no memory. */
static bool open_answer(struct ms_player *p)
{
	if (!p->out)
		p->out = open_memstream(&p->answer, &p->answer_size);
	return p->out && !fseeko(p->out, 0, SEEK_SET);
}

/* The text that was written since open_answer(). NULL: no memory. */
static const char *close_answer(struct ms_player *p)
{
	// the text that was there before may have been longer
	bool written = fputc('\0', p->out) != EOF && !fflush(p->out) && !ferror(p->out);

	if (written)
		return p->answer;
	// a stream that failed once is given up
	close_stream(p);
	return NULL;
}

void ms_player_carry_out(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	if (!mm && plays[op->kind].needs_process)
		ms_print_ret_own(p, -ESRCH, "the process is gone, or was never there");
	else
		plays[op->kind].fn(p, op, mm);
}

const char *ms_player_step(struct ms_player *p, size_t i)
{
	if (!p || i >= p->script->nr_ops)
		return NULL;
	const struct ms_op *op = &p->script->ops[i].op;
	struct ms_mm *mm = op->child ? p->child : p->worker;

	ms_trace_clear(p->m);
	memset(&p->last, 0, sizeof(p->last));
	p->guest.vm = NULL;
	// what is mapped over something else does not stay mapped, even if it is the same memory
	if (op->kind == MS_OP_MMAP)
		p->nr_types = 0;
	p->last.refusals = ms_last_refusal(p->m).number;
	if (!open_answer(p))
		return NULL;
	if (op->at) {
		ms_player_play_at(p, op);
		return close_answer(p);
	}
	ms_player_begin_at(p);
	ms_player_carry_out(p, op, mm);
	ms_print_events(p, op);
	ms_player_end_at(p);
	return close_answer(p);
}

const char *ms_player_end(struct ms_player *p)
{
	if (!p)
		return NULL;
	ms_trace_clear(p->m);
	memset(&p->last, 0, sizeof(p->last));
	p->guest.vm = NULL;
	p->ended = true;
	if (p->child)
		ms_mm_exit(p->child);
	if (p->worker)
		ms_mm_exit(p->worker);
	p->child = p->worker = NULL;
	ms_player_close_vm(p);
	ms_player_close_child_vm(p);
	ms_player_close_all(p);
	ms_player_drop_ioremaps(p);
	if (!open_answer(p))
		return NULL;
	ms_print_memtypes(p, "# memtype ");
	return close_answer(p);
}
