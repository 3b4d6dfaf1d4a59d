/* SPDX-License-Identifier: GPL-2.0-only */
/* Plays operations on the VM: its slots, its vCPU, its dirty bitmaps. */
#include "script/player.h"

#include <stdlib.h>

#define NO_VM "there is no VM"

/* Maps the code page and makes its slot. In an IPA space that is too small there is no such slot.
 */
static void map_code_page(struct ms_player *p, struct ms_mm *mm)
{
	uint64_t size = p->page_size;

	if (!ms_vma_lookup(mm, MS_GUEST_CODE_HVA))
		ms_mmap(mm, MS_GUEST_CODE_HVA, size, MS_PROT_RW | MS_PROT_X,
			MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE | MS_MAP_ANONYMOUS, NULL, 0);
	ms_vm_set_slot(p->vm, MS_GUEST_CODE_SLOT, MS_GUEST_CODE_START, size, MS_GUEST_CODE_HVA, 0);
}

void ms_play_vm_create(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	struct ms_vm_config config = {
		.ipa_bits = p->header->vm_ipa_bits,
		.dirty_manual = op->value[MS_K_DIRTY] & MS_DIRTY_MANUAL,
		.dirty_initset = op->value[MS_K_DIRTY] & MS_DIRTY_INITSET,
		.split_chunk = op->value[MS_K_SPLIT],
	};

	if (ms_op_has(op, MS_K_IPA))
		config.ipa_bits = (unsigned int)op->value[MS_K_IPA];
	if (p->vm) {
		ms_print_ret_own(p, -EEXIST, "there is a VM already");
		return;
	}
	p->vm = ms_vm_new_config(mm, &config);
	if (p->vm)
		map_code_page(p, mm);
	ms_print_ret(p, p->vm ? 0 : -errno);
}

/* A VM lives until the last process that has its files closes them; a child inherits them. */
void ms_player_close_vm(struct ms_player *p)
{
	if (p->vm != p->child_vm)
		ms_vm_free(p->vm);
	p->vm = NULL;
}

void ms_player_close_child_vm(struct ms_player *p)
{
	if (p->child_vm != p->vm)
		ms_vm_free(p->child_vm);
	p->child_vm = NULL;
}

void ms_play_vm_destroy(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	(void)op;
	(void)mm;
	ms_player_close_vm(p);
	ms_print_ret(p, 0);
}

void ms_play_slot(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	(void)mm;
	if (!p->vm)
		ms_print_ret_own(p, -ENODEV, NO_VM);
	else
		ms_print_ret(p, ms_vm_set_slot(p->vm, (unsigned int)op->value[MS_K_ID],
					       op->value[MS_K_GPA], op->value[MS_K_SIZE],
					       op->value[MS_K_HVA],
					       (unsigned int)op->value[MS_K_SLOT_FLAGS]));
}

void ms_play_guest(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	static const char *const words[] = {
		[MS_GUEST_OK] = "0",          [MS_GUEST_MMIO] = "MMIO", [MS_GUEST_IABT] = "IABT",
		[MS_GUEST_DABT] = "DABT",     [MS_GUEST_ERROR] = NULL,  [MS_GUEST_RETRY] = "RETRY",
		[MS_GUEST_SIGBUS] = "SIGBUS",
	};

	(void)mm;
	if (!p->vm) {
		ms_print_ret_own(p, -ENODEV, NO_VM);
		return;
	}
	// The access is made by an instruction in the code page, which the vCPU fetches first.
	struct ms_guest_access access = ms_guest_touch(p->vm, MS_GUEST_CODE_START, MS_PROT_X);
	if (access.exit != MS_GUEST_ERROR)
		access = ms_guest_touch(p->vm, op->value[MS_K_GPA],
					(unsigned int)op->value[MS_K_GUEST_ACCESS]);
	if (words[access.exit])
		ms_print_ret_word(p, words[access.exit]);
	else
		ms_print_ret(p, access.err);
}

static bool test_bit(const uint64_t *bitmap, uint64_t bit)
{
	return bitmap[bit / 64] >> (bit % 64) & 1;
}

static void add_dirty_runs(struct ms_player *p, const uint64_t *bitmap, uint64_t npages)
{
	for (uint64_t first = 0; first < npages; first++) {
		uint64_t end = first;

		if (first % 64 == 0 && !bitmap[first / 64]) {
			first += 63;
			continue;
		}
		while (end < npages && test_bit(bitmap, end))
			end++;
		if (end == first)
			continue;
		fprintf(p->out, "dirty first=0x%llx pages=0x%llx\n", (unsigned long long)first,
			(unsigned long long)(end - first));
		first = end;
	}
}

static void get_dirty(struct ms_player *p, unsigned int id)
{
	uint64_t npages = ms_vm_slot_pages(p->vm, id);
	size_t words = npages ? (npages + 63) / 64 : 1;
	uint64_t *bitmap = calloc(words, sizeof(*bitmap));
	int err = bitmap ? ms_vm_get_dirty(p->vm, id, bitmap, words, &npages) : -ENOMEM;

	ms_print_ret(p, err);
	if (!err)
		add_dirty_runs(p, bitmap, npages);
	free(bitmap);
}

void ms_play_dirty(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	unsigned int id = (unsigned int)op->value[MS_K_ID];

	(void)mm;
	if (!p->vm)
		ms_print_ret_own(p, -ENODEV, NO_VM);
	else if (ms_op_has(op, MS_K_GET))
		get_dirty(p, id);
	else
		ms_print_ret(p, ms_vm_clear_dirty(p->vm, id, op->value[MS_K_FIRST],
						  op->value[MS_K_PAGES]));
}
