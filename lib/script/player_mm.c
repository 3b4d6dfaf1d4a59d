/* SPDX-License-Identifier: GPL-2.0-only */
/* Plays operations of a process on its own memory. */
#include "script/player.h"

void ms_play_mmap(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	unsigned int flags = (unsigned int)op->value[MS_K_MAP_FLAGS];
	uint64_t off = op->value[MS_K_OFF];
	struct ms_file *file = NULL;
	int err = 0;

	if (!(flags & MS_MAP_FIXED))
		flags |= MS_MAP_FIXED_NOREPLACE;
	if (op->source == MS_SRC_ANON) {
		flags |= MS_MAP_ANONYMOUS;
	} else {
		file = ms_player_open(p, op, &err);
		if (!file) {
			ms_print_ret_no_file(p, err);
			return;
		}
	}
	if (op->source == MS_SRC_VFIO)
		off += ms_vfio_offset(file);
	if (op->source == MS_SRC_DRIVER)
		off += ms_device_pa(p->device[op->device]);
	ms_print_ret_address(p,
			     ms_mmap(mm, op->value[MS_K_AT], op->value[MS_K_LEN],
				     (unsigned int)op->value[MS_K_PROT], flags, file, off),
			     op->value[MS_K_AT]);
}

void ms_play_munmap(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	ms_print_ret(p, ms_munmap(mm, op->value[MS_K_AT], op->value[MS_K_LEN]));
}

void ms_play_mprotect(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	ms_print_ret(p, ms_mprotect(mm, op->value[MS_K_AT], op->value[MS_K_LEN],
				    (unsigned int)op->value[MS_K_PROT]));
}

void ms_play_mremap(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	bool fixed = ms_op_has(op, MS_K_TO);
	unsigned int flags = MS_MREMAP_MAYMOVE | (fixed ? MS_MREMAP_FIXED : 0) |
			     (ms_op_has(op, MS_K_DONTUNMAP) ? MS_MREMAP_DONTUNMAP : 0);
	ms_hva_t to = op->value[fixed ? MS_K_TO : MS_K_AT];

	ms_print_ret_address(p,
			     ms_mremap(mm, op->value[MS_K_AT], op->value[MS_K_LEN],
				       op->value[MS_K_NEWLEN], flags, fixed ? to : 0),
			     to);
}

void ms_play_madvise(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	ms_print_ret(p, ms_madvise(mm, op->value[MS_K_AT], op->value[MS_K_LEN],
				   (enum ms_advice)op->value[MS_K_ADVICE]));
}

void ms_play_mlock(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	ms_print_ret(p, ms_mlock(mm, op->value[MS_K_AT], op->value[MS_K_LEN]));
}

void ms_play_munlock(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	ms_print_ret(p, ms_munlock(mm, op->value[MS_K_AT], op->value[MS_K_LEN]));
}

void ms_play_touch(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	static const char *const words[] = {
		[MS_ACCESS_OK] = "0",          [MS_ACCESS_SIGSEGV] = "SIGSEGV",
		[MS_ACCESS_SIGBUS] = "SIGBUS", [MS_ACCESS_OOM] = "SIGKILL",
		[MS_ACCESS_ENDLESS] = "RETRY", [MS_ACCESS_WAITS] = "EBUSY",
	};

	ms_print_ret_word(
		p, words[ms_touch(mm, op->value[MS_K_AT], (unsigned int)op->value[MS_K_ACCESS])]);
}

void ms_play_fork(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	(void)op;
	if (p->child) {
		ms_print_ret_own(p, -EEXIST, "the process has a child already");
		return;
	}
	p->child = ms_fork(mm);
	p->child_vm = p->child ? p->vm : NULL;
	ms_player_inherit(p);
	ms_print_ret(p, p->child ? 0 : -errno);
}

/* The memory goes first. Files are closed when the last process that has them open ends. */
void ms_play_exit(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	ms_print_ret(p, 0);
	ms_mm_exit(mm);
	if (op->child) {
		p->child = NULL;
		ms_player_close_child_vm(p);
		ms_player_close_child_files(p);
	} else {
		p->worker = NULL;
		ms_player_close_vm(p);
	}
	if (!p->worker && !p->child)
		ms_player_close_all(p);
}
