/* SPDX-License-Identifier: GPL-2.0-only */
/* All that a machine has mapped, as boxes. */
#include "picture.h"

#include <mapsim/drivers.h>
#include <mapsim/kvm.h>
#include <mapsim/machine.h>
#include <mapsim/pat.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct look {
	struct frame *frame;
	struct ms_machine *m;
	enum ms_arch arch;
	uint64_t page_size;
	bool failed; /* no memory for a box */
};

static struct box *add(struct look *look, uint32_t mm, enum lane_kind kind, uint32_t vm,
		       uint64_t start, uint64_t end)
{
	struct box *box = frame_add(look->frame, (struct lane){ mm, kind, vm }, start, end);

	look->failed |= !box;
	return box;
}

/* 4K, 2M, 1G and so on. */
static const char *size_text(uint64_t size, char text[24])
{
	static const char units[] = "KMGT";
	int unit = -1;

	while (size && !(size & 1023) && unit < 3) {
		size >>= 10;
		unit++;
	}
	snprintf(text, 24, unit < 0 ? "%" PRIu64 " bytes" : "%" PRIu64 "%c", size,
		 units[unit < 0 ? 0 : unit]);
	return text;
}

/* What is at a physical address: a device's name and the offset in it, or RAM. */
static void place_text(const struct look *look, ms_pa_t pa, char *text, size_t size)
{
	const struct ms_device *dev = ms_device_at(look->m, pa);

	if (ms_pfn_is_ram(look->m, pa / look->page_size))
		snprintf(text, size, "RAM");
	else if (dev)
		snprintf(text, size, "%s+%#" PRIx64, ms_device_name(dev), pa - ms_device_pa(dev));
	else
		snprintf(text, size, "%#" PRIx64, pa);
}

static void look_at_vma(struct look *look, uint32_t mm, const struct ms_vma *vma)
{
	const uint64_t flags = vma->vm_flags;
	const char *name = vma->vm_file ? ms_file_name(vma->vm_file) : "anon";
	struct box *box = add(look, mm, LANE_VMAS, 0, vma->vm_start, vma->vm_end);

	if (!box)
		return;
	snprintf(box->label, sizeof(box->label), "%.40s %c%c%c%c", name ? name : "file",
		 flags & MS_VM_READ ? 'r' : '-', flags & MS_VM_WRITE ? 'w' : '-',
		 flags & MS_VM_EXEC ? 'x' : '-', flags & MS_VM_SHARED ? 's' : 'p');
	snprintf(box->title, sizeof(box->title),
		 "VMA %#" PRIx64 "-%#" PRIx64 " %s vm_pgoff=%#" PRIx64 "%s%s%s%s%s", vma->vm_start,
		 vma->vm_end, box->label, vma->vm_pgoff, flags & MS_VM_PFNMAP ? " VM_PFNMAP" : "",
		 flags & MS_VM_MIXEDMAP ? " VM_MIXEDMAP" : "", flags & MS_VM_IO ? " VM_IO" : "",
		 flags & MS_VM_DONTCOPY ? " VM_DONTCOPY" : "",
		 flags & MS_VM_LOCKED ? " VM_LOCKED" : "");
}

/* Leaves that go on from the one before, of one size and kind, are one box. */
static bool goes_on(const struct frame *frame, const struct box *leaf)
{
	const struct box *last = frame->nr_boxes ? &frame->boxes[frame->nr_boxes - 1] : NULL;

	return last && !lane_compare(&last->lane, &leaf->lane) && last->end == leaf->start &&
	       last->leaf == leaf->leaf && !strcmp(last->title, leaf->title);
}

static void add_leaf(struct look *look, const struct box *leaf)
{
	struct box *box;

	if (goes_on(look->frame, leaf)) {
		look->frame->boxes[look->frame->nr_boxes - 1].end = leaf->end;
		return;
	}
	box = add(look, leaf->lane.mm, leaf->lane.kind, leaf->lane.vm, leaf->start, leaf->end);
	if (box)
		*box = *leaf;
}

/* Where neighbours of one box map to must follow from where the first does. Pages of RAM are
 * anywhere. */
static void leaf_place(const struct look *look, ms_pa_t pa, uint64_t addr, char *text, size_t size)
{
	const struct ms_device *dev = ms_device_at(look->m, pa);

	if (ms_pfn_is_ram(look->m, pa / look->page_size))
		snprintf(text, size, "RAM");
	else
		snprintf(text, size, "%s, at the address %c %#" PRIx64,
			 dev ? ms_device_name(dev) : "no device", pa >= addr ? '+' : '-',
			 pa >= addr ? pa - addr : addr - pa);
}

static void look_at_host(struct look *look, struct ms_mm *mm)
{
	struct ms_host_leaf leaf;
	char size[24], place[64], first[64];

	for (ms_hva_t at = 0; ms_host_next_leaf(mm, at, UINT64_MAX, &leaf) && !look->failed;
	     at = leaf.start + leaf.size) {
		const ms_pa_t pa = leaf.entry & MS_PTE_PA_MASK;
		struct box box = {
			.lane = { ms_mm_id(mm), LANE_HOST, 0 },
			.start = leaf.start,
			.end = leaf.start + leaf.size,
			.leaf = leaf.size,
		};
		const char *rights = leaf.entry & MS_PTE_PROTNONE ? "no access"
				     : leaf.entry & MS_PTE_WRITE  ? "rw"
								  : "r";

		place_text(look, pa, first, sizeof(first));
		leaf_place(look, pa, leaf.start, place, sizeof(place));
		snprintf(box.label, sizeof(box.label), "%s %s %s %.14s", size_text(leaf.size, size),
			 rights, ms_cache_name(look->arch, ms_pgprot_cache(leaf.entry)), first);
		snprintf(box.title, sizeof(box.title), "page table: leaves of %s, %s, %s, to %s",
			 size, rights, ms_cache_name(look->arch, ms_pgprot_cache(leaf.entry)),
			 place);
		add_leaf(look, &box);
	}
}

static void prot_text(unsigned int prot, char text[24])
{
	snprintf(text, 24, "%s%s%s%s%s", prot & MS_PROT_R ? "r" : "-", prot & MS_PROT_W ? "w" : "",
		 prot & (MS_PROT_X | MS_PROT_PX | MS_PROT_UX) ? "x" : "",
		 prot & MS_PROT_DEVICE ? " device" : "", prot & MS_PROT_NORMAL_NC ? " NC" : "");
}

static bool next_guest_leaf(const struct ms_vm *vm, ms_ipa_t at, struct ms_s2_leaf *leaf)
{
	const struct ms_tdp *tdp = ms_vm_tdp(vm);
	struct ms_tdp_leaf entry;

	if (!tdp)
		return ms_vm_s2(vm) && ms_s2_next_leaf(ms_vm_s2(vm), at, UINT64_MAX, leaf);
	if (!ms_tdp_next_leaf(tdp, at, UINT64_MAX, &entry))
		return false;
	*leaf = (struct ms_s2_leaf){
		.ipa = entry.ipa, .size = entry.size, .pa = entry.pa, .prot = entry.prot
	};
	return true;
}

/* The slot that shows the leaf's first byte, or the first byte of a slot that the leaf has. */
static bool slot_of(const struct ms_vm *vm, const struct ms_s2_leaf *leaf, struct ms_slot *slot)
{
	return ms_vm_next_slot(vm, leaf->ipa, slot) && slot->gpa < leaf->ipa + leaf->size;
}

static void look_at_guest(struct look *look, struct ms_vm *vm)
{
	struct ms_s2_leaf leaf;
	struct ms_slot slot;
	char size[24], prot[24], place[64], first[64];

	for (ms_ipa_t at = 0; next_guest_leaf(vm, at, &leaf) && !look->failed;
	     at = leaf.ipa + leaf.size) {
		if (!slot_of(vm, &leaf, &slot))
			continue; // it has no place on this axis; the hazards tell of it
		const ms_hva_t hva = slot.hva + (leaf.ipa - slot.gpa);
		struct box box = {
			.lane = { ms_mm_id(ms_vm_mm(vm)), LANE_GUEST, ms_vm_id(vm) },
			.start = hva,
			.end = hva + leaf.size,
			.leaf = leaf.size,
		};

		if (hva + leaf.size < hva ||
		    (leaf.ipa < slot.gpa && slot.gpa - leaf.ipa > slot.hva))
			continue;
		prot_text(leaf.prot, prot);
		place_text(look, leaf.pa, first, sizeof(first));
		leaf_place(look, leaf.pa, hva, place, sizeof(place));
		snprintf(box.label, sizeof(box.label), "%s %s %.14s", size_text(leaf.size, size),
			 prot, first);
		snprintf(box.title, sizeof(box.title), "guest: leaves of %s, %s, to %s", size, prot,
			 place);
		add_leaf(look, &box);
	}
}

static void look_at_slots(struct look *look, struct ms_vm *vm)
{
	const uint32_t mm = ms_mm_id(ms_vm_mm(vm));
	struct ms_slot slot;

	for (ms_ipa_t at = 0; ms_vm_next_slot(vm, at, &slot) && !look->failed;
	     at = slot.gpa + slot.size) {
		struct box *box =
			add(look, mm, LANE_SLOTS, ms_vm_id(vm), slot.hva, slot.hva + slot.size);

		if (!box)
			return;
		snprintf(box->label, sizeof(box->label), "slot %u at %#" PRIx64 "%s%s", slot.id,
			 slot.gpa, slot.flags & MS_SLOT_READONLY ? " read-only" : "",
			 slot.flags & MS_SLOT_LOG_DIRTY ? " logged" : "");
		snprintf(box->title, sizeof(box->title),
			 "slot %u: guest %#" PRIx64 "-%#" PRIx64 "%s%s", slot.id, slot.gpa,
			 slot.gpa + slot.size, slot.flags & MS_SLOT_READONLY ? ", read-only" : "",
			 slot.flags & MS_SLOT_LOG_DIRTY ? ", with a dirty log" : "");
	}
}

static void look_at_claims(struct look *look, const struct ms_device *dev)
{
	const ms_pa_t end = ms_device_pa(dev) + ms_device_size(dev);
	struct ms_claimed claim;

	for (ms_pa_t at = ms_device_pa(dev);
	     ms_iomem_next_claim(look->m, at, &claim) && claim.start < end; at = claim.end) {
		struct box *box = add(look, PHYSICAL, LANE_CLAIMS, 0, claim.start, claim.end);

		if (!box)
			return;
		snprintf(box->label, sizeof(box->label), "claimed");
		snprintf(box->title, sizeof(box->title), "claimed: %#" PRIx64 "-%#" PRIx64,
			 claim.start, claim.end);
	}
}

static void add_memtype(const struct ms_memtype *entry, void *arg)
{
	struct look *look = arg;
	struct box *box = add(look, PHYSICAL, LANE_MEMTYPES, 0, entry->start, entry->end);

	if (!box)
		return;
	snprintf(box->label, sizeof(box->label), "%s", ms_cache_name(look->arch, entry->type));
	snprintf(box->title, sizeof(box->title), "memory type %s: %#" PRIx64 "-%#" PRIx64,
		 box->label, entry->start, entry->end);
}

static void look_at_devices(struct look *look)
{
	for (struct ms_device *dev = NULL; (dev = ms_device_next(look->m, dev)) && !look->failed;) {
		const ms_pa_t pa = ms_device_pa(dev), end = pa + ms_device_size(dev);
		struct box *box = add(look, PHYSICAL, LANE_DEVICES, 0, pa, end);
		char size[24];

		if (!box)
			return;
		snprintf(box->label, sizeof(box->label), "%s%s", ms_device_name(dev),
			 ms_device_memory(dev) ? "" : " (off)");
		snprintf(box->title, sizeof(box->title),
			 "device %s: %#" PRIx64 "-%#" PRIx64 ", %s%s", ms_device_name(dev), pa, end,
			 size_text(end - pa, size), ms_device_memory(dev) ? "" : ", memory off");
		look_at_claims(look, dev);
		ms_memtype_walk(look->m, pa, end, add_memtype, look);
	}
}

int frame_look(struct frame *frame, struct ms_machine *m, uint64_t page_size)
{
	struct look look = { frame, m, ms_machine_policy(m)->arch, page_size, false };

	for (struct ms_mm *mm = NULL; (mm = ms_mm_next(m, mm));) {
		for (struct ms_vma *vma = ms_find_vma(mm, 0); vma; vma = ms_vma_next(vma))
			look_at_vma(&look, ms_mm_id(mm), vma);
		look_at_host(&look, mm);
	}
	for (struct ms_vm *vm = NULL; (vm = ms_vm_next(m, vm));) {
		if (!ms_vm_mm(vm))
			continue;
		look_at_slots(&look, vm);
		look_at_guest(&look, vm);
	}
	look_at_devices(&look);
	return look.failed ? -1 : 0;
}
