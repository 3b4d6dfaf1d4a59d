/* SPDX-License-Identifier: GPL-2.0-only */
/* Plays operations on the VM: its slots, its vCPU, its dirty bitmaps. */
#include "script/player.h"

#include <stdlib.h>

#define NO_VM "there is no VM"

/* Maps the guest's code and makes its slot. In an IPA space that is too small there is no such
 * slot. The x86 recorder keeps the memory from its child. */
static void map_code(struct ms_player *p, struct ms_mm *mm)
{
	const bool x86 = ms_player_is_x86(p);
	const unsigned int prot = MS_PROT_RW | (x86 ? 0 : MS_PROT_X);
	const unsigned int flags = MS_MAP_SHARED | MS_MAP_FIXED_NOREPLACE | MS_MAP_ANONYMOUS |
				   (x86 ? MS_MAP_POPULATE : 0);
	const uint64_t size = ms_guest_code_size(p);

	if (!ms_vma_lookup(mm, MS_GUEST_CODE_HVA) &&
	    ms_mmap(mm, MS_GUEST_CODE_HVA, size, prot, flags, NULL, 0) >= 0 && x86)
		ms_madvise(mm, MS_GUEST_CODE_HVA, size, MS_MADV_DONTFORK);
	ms_vm_set_slot(p->vm, MS_GUEST_CODE_SLOT, MS_GUEST_CODE_START, size, MS_GUEST_CODE_HVA, 0);
}

void ms_play_vm_create(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	struct ms_vm_config config = {
		.ipa_bits = ms_player_is_x86(p) ? 0 : p->header->vm_ipa_bits,
		.dirty_manual = op->value[MS_K_DIRTY] & MS_DIRTY_MANUAL,
		.dirty_initset = op->value[MS_K_DIRTY] & MS_DIRTY_INITSET,
		.split_chunk = op->value[MS_K_SPLIT],
		.zap_slot = op->value[MS_K_ZAP],
		.no_nx_huge_pages = op->value[MS_K_NX],
	};

	if (ms_op_has(op, MS_K_IPA))
		config.ipa_bits = (unsigned int)op->value[MS_K_IPA];
	if (p->vm) {
		ms_print_ret_own(p, -EEXIST, "there is a VM already");
		return;
	}
	p->vm = ms_vm_new_config(mm, &config);
	ms_print_ret(p, p->vm ? 0 : -errno);
	if (p->vm)
		map_code(p, mm);
	// The x86 recorder lets its guest run once.
	if (p->vm && ms_player_is_x86(p))
		ms_guest_touch(p->vm, MS_GUEST_CODE_START, MS_PROT_X);
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

/*
 * An access that ends in an exception within the guest: the page tables of the x86 recorder's guest
 * map all below MS_GUEST_CODE_END to itself. Addresses have 48 bits, the uppermost is a sign.
 */
static void print_exception(struct ms_player *p, ms_ipa_t gpa)
{
	const uint64_t upper = gpa >> 47;
	const bool is_address = upper == 0 || upper == UINT64_MAX >> 47;

	ms_print_ret_word(p, is_address ? "EXC14" : "EXC13");
	p->last.why = is_address ? "the guest's own page table ends at 1T"
				 : "the guest's addresses have 48 bits";
}

void ms_play_guest(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	static const char *const words[] = {
		[MS_GUEST_OK] = "0",          [MS_GUEST_MMIO] = "MMIO",
		[MS_GUEST_IABT] = "IABT",     [MS_GUEST_DABT] = "DABT",
		[MS_GUEST_ERROR] = NULL,      [MS_GUEST_RETRY] = "RETRY",
		[MS_GUEST_SIGBUS] = "SIGBUS", [MS_GUEST_INTERNAL_ERROR] = "EXIT17",
	};
	const ms_ipa_t gpa = op->value[MS_K_GPA];

	(void)mm;
	if (!p->vm) {
		ms_print_ret_own(p, -ENODEV, NO_VM);
		return;
	}
	// The access is made by an instruction in the code page, which the vCPU fetches first.
	struct ms_guest_access access = ms_guest_touch(p->vm, MS_GUEST_CODE_START, MS_PROT_X);
	if (access.exit != MS_GUEST_ERROR && ms_player_is_x86(p) && gpa >= MS_GUEST_CODE_END) {
		print_exception(p, gpa);
		return;
	}
	if (access.exit != MS_GUEST_ERROR)
		access = ms_guest_touch(p->vm, gpa, (unsigned int)op->value[MS_K_GUEST_ACCESS]);
	// what goes on afterwards is none of a hook's
	p->guest.vm = p->in_hook ? NULL : p->vm;
	p->guest.gpa = gpa;
	p->guest.prot = (unsigned int)op->value[MS_K_GUEST_ACCESS];
	p->guest.access = access;
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

/* ---- x86 ---- */

void ms_play_prefault(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	uint64_t size = op->value[MS_K_SIZE], left = size;

	(void)mm;
	if (!p->vm)
		ms_print_ret_own(p, -ENODEV, NO_VM);
	else
		ms_print_ret(p, ms_vm_prefault(p->vm, op->value[MS_K_GPA], size, &left));
	if (left)
		fprintf(p->out, "left 0x%llx\n", (unsigned long long)left);
}

/* Writes a parameter of the kvm module, which is there without a VM. */
void ms_play_kvm(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	(void)mm;
	if (ms_op_has(op, MS_K_NX_HUGE_PAGES))
		ms_kvm_set_nx_huge_pages(p->m,
					 (enum ms_nx_huge_pages)op->value[MS_K_NX_HUGE_PAGES]);
	else
		ms_kvm_set_eager_page_split(p->m, op->value[MS_K_EAGER_PAGE_SPLIT]);
	ms_print_ret(p, 0);
}

void ms_play_nx_recover(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	(void)op;
	(void)mm;
	ms_kvm_recover_nx_huge_pages(p->m);
	ms_print_ret(p, 0);
}

static void print_young(struct ms_player *p, bool young)
{
	ms_print_ret(p, 0);
	fprintf(p->out, "young %d\n", young);
}

void ms_play_age(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	const ms_hva_t at = op->value[MS_K_AT];

	print_young(p, ms_mm_clear_young(mm, at, ms_range_end(at, op->value[MS_K_LEN])));
}

void ms_play_test_age(struct ms_player *p, const struct ms_op *op, struct ms_mm *mm)
{
	print_young(p, ms_mm_test_young(mm, op->value[MS_K_AT]));
}
