/* SPDX-License-Identifier: GPL-2.0-only */
/* What a driver's function may change of its VMA, and what of the locks: see handler.h. */
#include "mm/handler.h"

#include "base/arena.h"
#include "core/pointer.h"

#define KERNEL_FLAGS (MS_VM_HUGETLB | MS_VM_PKEY | MS_VM_MAYSHARE)
#define PROT_BITS \
	(MS_PTE_PRESENT | MS_PTE_WRITE | MS_PTE_DIRTY | MS_PTE_YOUNG | MS_PTE_PROTNONE | \
	 MS_PTE_X86 | MS_PTE_CACHE_MASK | MS_PTE_EXECUTE_ONLY | MS_PTE_EXEC | MS_PTE_SOFT_DIRTY)

bool ms_pgprot_is_valid(const struct ms_machine *m, ms_pgprot_t prot)
{
	const unsigned int cache = (prot & MS_PTE_CACHE_MASK) >> MS_PTE_CACHE_SHIFT;

	if (prot & ~PROT_BITS || !(prot & (MS_PTE_PRESENT | MS_PTE_PROTNONE)))
		return false;
	if (ms_is_x86(m))
		return cache <= MS_CACHE_WP;
	return cache == MS_CACHE_WB || cache == MS_CACHE_WC ||
	       cache == MS_CACHE_NGNRE || cache == MS_CACHE_NGNRNE;
}

/* Physical addresses that an entry of the host's table can hold end here. */
static uint64_t end_of_pfns(const struct ms_machine *m)
{
	const unsigned int bits = ms_is_x86(m) || m->page_shift == 16 ? 52 : 48;

	return UINT64_C(1) << (bits - m->page_shift);
}

bool ms_may_map_raw(const struct ms_vma *vma, ms_hva_t addr, ms_pfn_t pfn, uint64_t npages,
		    ms_pgprot_t prot)
{
	const struct ms_machine *m = ms_vma_machine(vma);
	const char *condition = NULL;

	if (pfn >= end_of_pfns(m) || npages > end_of_pfns(m) - pfn)
		condition = "a mapping shows a pfn that no physical address has";
	else if (!ms_pgprot_is_valid(m, prot))
		condition = "a driver maps with bits that no protection has";
	if (condition)
		ms_vma_violation(vma, MS_VIOLATION_DRIVER, condition, addr, 0);
	return !condition;
}

/* VM_PAT in a kernel that has it says what is reserved. */
bool ms_vma_flags_are_valid(const struct ms_machine *m, uint64_t was, uint64_t flags)
{
	const bool has_pat = ms_is_x86(m) && m->policy.untrack_at != MS_UNTRACK_AT_LAST_VMA_FREED;
	const uint64_t kernel_flags = KERNEL_FLAGS | (has_pat ? 0 : MS_VM_PAT);

	return !((flags ^ was) & kernel_flags) &&
	       (flags & (MS_VM_SHARED | MS_VM_MAYSHARE)) != MS_VM_SHARED;
}

void ms_note_ops(struct ms_machine *m, const struct ms_vm_ops *ops)
{
	m->processes->ops_in_memory |= ms_arena_has(m->alloc.arena, ops);
}

/* Tables of operations are mostly no memory of the machine's, and then the VMAs whose functions run
 * are asked alone. */
bool ms_vmas_use(const struct ms_machine *m, uintptr_t from, uintptr_t to)
{
	for (const struct ms_handler *h = m->call.handlers; h; h = h->outer)
		if (h->vma && ms_lies_in(h->vma->vm_ops, from, to))
			return true;
	if (!m->processes->ops_in_memory)
		return false;
	for (struct ms_mm *mm = ms_mm_next(m, NULL); mm; mm = ms_mm_next(m, mm))
		for (const struct ms_vma *vma = ms_find_vma(mm, 0); vma; vma = ms_vma_next(vma))
			if (ms_lies_in(vma->vm_ops, from, to))
				return true;
	return false;
}

static bool is_file(const struct ms_machine *m, const struct ms_file *file)
{
	const struct ms_file *f = NULL;

	while ((f = ms_file_each(m, f)))
		if (f == file)
			return true;
	return false;
}

static void changed(struct ms_handler *h, const char *condition)
{
	ms_violation_at(h->machine, MS_VIOLATION_DRIVER, condition, h->before.vm_start, 0,
			&h->machine->call.place);
}

/* ->mmap is known to narrow the VMA for a while, which is in no tree yet, to map it by pieces. */
static bool may_have_borders(const struct ms_handler *h)
{
	const struct ms_vma *vma = h->vma, *was = &h->before;

	if (vma->vm_start == was->vm_start && vma->vm_end == was->vm_end)
		return true;
	return h->is_mmap && !h->is_back && was->vm_start <= vma->vm_start &&
	       vma->vm_start <= vma->vm_end && vma->vm_end <= was->vm_end &&
	       ms_aligned(vma->vm_start | vma->vm_end, h->machine->page_size);
}

static void verify_place(struct ms_handler *h)
{
	struct ms_vma *vma = h->vma;
	const struct ms_vma *was = &h->before;

	if (vma->vm_mm != was->vm_mm) {
		vma->vm_mm = was->vm_mm;
		changed(h, "driver changes vm_mm of a VMA");
	}
	if (!may_have_borders(h)) {
		vma->vm_start = was->vm_start;
		vma->vm_end = was->vm_end;
		changed(h, "driver changes vm_start or vm_end of a VMA");
	}
	if (vma->anon_vma != was->anon_vma || vma->anon_chain != was->anon_chain ||
	    vma->pfnmap_ctx != was->pfnmap_ctx || vma->anon_pgoff != was->anon_pgoff) {
		vma->anon_vma = was->anon_vma;
		vma->anon_chain = was->anon_chain;
		vma->pfnmap_ctx = was->pfnmap_ctx;
		vma->anon_pgoff = was->anon_pgoff;
		changed(h, "driver changes what the kernel keeps in a VMA");
	}
}

static void verify_file(struct ms_handler *h)
{
	struct ms_vma *vma = h->vma;
	const struct ms_vma *was = &h->before;
	const uint64_t npages = (was->vm_end - was->vm_start) >> h->machine->page_shift;

	if (vma->vm_pgoff != was->vm_pgoff && !h->is_mmap) {
		vma->vm_pgoff = was->vm_pgoff;
		changed(h, "driver changes vm_pgoff of a VMA outside of ->mmap");
	}
	// the last page that it shows has a number
	if (vma->vm_pgoff + (npages - 1) < vma->vm_pgoff) {
		vma->vm_pgoff = was->vm_pgoff;
		changed(h, "driver sets a vm_pgoff from which the VMA's pages wrap");
	}
	if (vma->vm_file == was->vm_file)
		return;
	if (!h->is_mmap) {
		vma->vm_file = was->vm_file;
		changed(h, "driver changes vm_file of a VMA outside of ->mmap");
	} else if (!is_file(h->machine, vma->vm_file) || ms_file_is_going(vma->vm_file)) {
		vma->vm_file = was->vm_file;
		changed(h, "driver sets a vm_file that is no open file");
	} else if (vma->vm_file->kind != MS_FILE_DRIVER) {
		vma->vm_file = was->vm_file;
		changed(h, "driver sets vm_file to a memory file: not modelled");
	}
}

static void verify_rights(struct ms_handler *h)
{
	struct ms_vma *vma = h->vma;
	const struct ms_vma *was = &h->before;
	const uint64_t different = vma->vm_flags ^ was->vm_flags;

	if (!ms_vma_flags_are_valid(h->machine, was->vm_flags, vma->vm_flags)) {
		vma->vm_flags = was->vm_flags;
		changed(h, "driver changes flags of a VMA that are the kernel's");
	} else if (different && !h->flags_may_change) {
		vma->vm_flags = was->vm_flags;
		changed(h, "driver changes vm_flags of a VMA in a fault");
	}
	if (vma->vm_page_prot != was->vm_page_prot &&
	    !ms_pgprot_is_valid(h->machine, vma->vm_page_prot)) {
		vma->vm_page_prot = was->vm_page_prot;
		changed(h, "driver sets vm_page_prot to bits that no protection has");
	}
}

/* A handler gives its answer in the vm_fault; what it was asked stays. */
static void verify_fault(struct ms_handler *h)
{
	struct ms_vm_fault *vmf = h->vmf;

	if (!vmf || (vmf->vma == h->fault.vma && vmf->address == h->fault.address &&
		     vmf->pgoff == h->fault.pgoff && vmf->flags == h->fault.flags))
		return;
	vmf->vma = h->fault.vma;
	vmf->address = h->fault.address;
	vmf->pgoff = h->fault.pgoff;
	vmf->flags = h->fault.flags;
	changed(h, "fault handler changes what the vm_fault asks");
}

static void verify(struct ms_handler *h)
{
	verify_fault(h);
	if (!h->vma)
		return;
	verify_place(h);
	verify_file(h);
	verify_rights(h);
}

void ms_handlers_verify(struct ms_machine *m)
{
	for (struct ms_handler *h = m->call.handlers; h; h = h->outer)
		verify(h);
}

void ms_handlers_note(const struct ms_vma *vma)
{
	for (struct ms_handler *h = ms_vma_machine(vma)->call.handlers; h; h = h->outer) {
		const struct ms_vma was = h->before;

		if (h->vma != vma)
			continue;
		h->before = *vma;
		h->before.vm_start = was.vm_start;
		h->before.vm_end = was.vm_end;
		h->before.vm_file = was.vm_file;
	}
}

void ms_handlers_open_flags(const struct ms_vma *vma)
{
	for (struct ms_handler *h = ms_vma_machine(vma)->call.handlers; h; h = h->outer)
		if (h->vma == vma)
			h->flags_may_change = true;
}

bool ms_handler_enter(struct ms_handler *h, struct ms_machine *m, struct ms_mm *mm,
		      struct ms_vma *vma, const struct ms_where *place)
{
	ms_handlers_verify(m);
	if (!ms_call_begin(m, place->start))
		return false;
	h->outer = m->call.handlers;
	h->machine = m;
	h->outer_machine = ms_set_current_machine(m);
	h->mm = mm;
	h->outer_mm = m->call.mm;
	h->outer_place = m->call.place;
	h->refusals = ms_refusals(m);
	h->driver_locks = m->call.locks;
	h->vma = vma;
	h->is_mmap = h->is_back = false;
	h->vmf = NULL;
	if (vma) {
		h->before = *vma;
		h->was_file = vma->vm_file;
		h->flags_may_change = mm->mmap_writer || mm->held_for_writing ||
				      m->policy.vma_flags_lock == MS_VMA_FLAGS_LOCK_UNCHECKED;
	}
	if (mm)
		h->hold = ms_mmap_hold(mm);
	if (h->outer_mm && h->outer_mm != mm)
		h->outer_hold = ms_mmap_hold(h->outer_mm);
	m->call.handlers = h;
	// At fork ->open gets a VMA of the child, but runs in the parent.
	if (!m->call.mm)
		m->call.mm = mm;
	m->call.place = *place;
	return true;
}

/* A hook finds the VMA that its address lies in as anybody does. */
void ms_vma_hook_locked(struct ms_mm *mm, enum ms_hook_point point, ms_hva_t addr)
{
	struct ms_machine *m = mm->machine;
	struct ms_handler h = { .machine = m, .outer = m->call.handlers };

	ms_handlers_verify(m);
	h.vma = ms_vma_lookup(mm, addr);
	if (h.vma)
		h.before = *h.vma;
	ms_mmap_pin(mm);
	h.hold = ms_mmap_hold(mm);
	m->call.handlers = &h;
	ms_hook(m, point, addr);
	verify(&h);
	m->call.handlers = h.outer;
	if (!ms_mmap_unhold(mm, &h.hold))
		ms_violation(m, "a hook returns with the mmap lock not as it was", addr);
	ms_handlers_verify(m);
	ms_mmap_unpin(mm);
}

static bool unhold(const struct ms_handler *h)
{
	bool same = !h->mm || ms_mmap_unhold(h->mm, &h->hold);

	if (h->outer_mm && h->outer_mm != h->mm)
		same &= ms_mmap_unhold(h->outer_mm, &h->outer_hold);
	return same;
}

void ms_handler_leave(struct ms_handler *h, ms_hva_t addr)
{
	struct ms_machine *m = h->machine;

	h->is_back = true;
	verify(h);
	if (h->vma && h->vma->vm_ops != h->before.vm_ops)
		ms_note_ops(m, h->vma->vm_ops);
	if (h->is_mmap)
		ms_file_handed_over(h->was_file, h->vma->vm_file);
	if (!unhold(h) || m->call.mmap_again)
		ms_violation(m, "driver returns with the mmap lock not as it was", addr);
	if (m->call.locks > h->driver_locks)
		ms_violation(m, "driver returns with a lock held", addr);
	m->call.handlers = h->outer;
	m->call.mmap_again = 0;
	m->call.mm = h->outer_mm;
	m->call.place = h->outer_place;
	ms_set_current_machine(h->outer_machine);
	ms_call_end(m);
}
