/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host page behind a guest page: get_user_pages() ("GUP") without a fault, then with one, and
 * where it refuses the VMA the page-table entry itself.
 */
#include "kvm/internal.h"
#include "phys/internal.h"

#include <mapsim/pfnmap.h>

static struct ms_pfn_lookup failed(enum ms_pfn_error error)
{
	return (struct ms_pfn_lookup){ .error = error };
}

/*
 * A write, and a read whose caller would like to write as well, is first tried for writing and
 * without a fault.
 * mirrors hva_to_pfn_fast(), virt/kvm/kvm_main.c, 5.10+
 */
static bool pfn_fast(struct ms_vm *vm, ms_hva_t hva, bool write, bool want_writable,
		     struct ms_pfn_lookup *found)
{
	if (!write && !want_writable)
		return false;
	if (!ms_try_get_user_page_fast(vm->mm, hva, true, &found->pfn))
		return false;
	found->writable = true;
	return true;
}

/* Faults the page in. One that was asked for reading may turn out to be writable.
 * mirrors hva_to_pfn_slow(), virt/kvm/kvm_main.c, 5.10+ */
static int pfn_slow(struct ms_vm *vm, ms_hva_t hva, bool write, bool want_writable,
		    struct ms_pfn_lookup *found)
{
	int ret = ms_try_get_user_page(vm->mm, hva, write, &found->pfn);

	if (ret)
		return ret;
	found->writable = write || (want_writable &&
				    ms_try_get_user_page_fast(vm->mm, hva, true, &found->pfn));
	return 0;
}

/* A page of RAM to which nobody has a reference cannot be had.
 * mirrors kvm_try_get_pfn(), virt/kvm/kvm_main.c, 5.10 .. 6.12 */
static int try_get_pfn(struct ms_vm *vm, ms_hva_t hva, ms_pfn_t pfn)
{
	struct ms_machine *m = vm->machine;
	const struct ms_page *page;

	if (m->policy.pfn_refcount_test == MS_PFN_REFCOUNT_TEST_NO || !ms_pfn_is_ram(m, pfn))
		return 0;
	page = ms_pfn_to_page(m, ms_page_head(m, pfn));
	if (!page)
		return ms_refuse(m, -EFAULT, "no memory");
	if (!page->refcount)
		return ms_refuse(m, -EFAULT,
				 "hva %x: to pfn %x, a page of RAM, nobody has a reference", hva,
				 pfn);
	return 0;
}

/* A VM_IO or VM_PFNMAP VMA: what its entry says counts, whether the VMA would allow it or not.
 * mirrors hva_to_pfn_remapped(), virt/kvm/kvm_main.c, 5.10+ */
static struct ms_pfn_lookup pfn_remapped(struct ms_vm *vm, ms_hva_t hva, bool write)
{
	bool always_writable =
		vm->machine->policy.pfn_lookup_writable == MS_PFN_LOOKUP_WRITABLE_ALWAYS;
	struct ms_vma *vma = ms_vma_lookup(vm->mm, hva);
	struct ms_pfnmap_leaf leaf;
	int ret;

	if (!ms_try_follow_pfnmap(vma, hva, &leaf)) {
		// GUP did not call the fault handler.
		ret = ms_fixup_user_fault(vm->mm, hva, write);
		if (ret)
			return failed(ret == -EBUSY ? MS_PFN_WAITS : MS_PFN_FAULT);
		vma = ms_vma_lookup(vm->mm, hva);
		if (!vma || ms_follow_pfnmap(vma, hva, &leaf))
			return failed(MS_PFN_FAULT);
	}
	if (write && !leaf.writable && !always_writable)
		return failed(MS_PFN_RO_FAULT);
	if (try_get_pfn(vm, hva, leaf.pfn))
		return failed(MS_PFN_FAULT);
	return (struct ms_pfn_lookup){ .pfn = leaf.pfn,
				       .writable = leaf.writable || always_writable };
}

/*
 * A page that GUP refused is asked for once more, for writing. Where GUP calls fault handlers, they
 * run a second time.
 * mirrors check_user_page_hwpoison(), virt/kvm/kvm_main.c, 5.10 .. 6.12
 */
static bool is_poisoned(struct ms_vm *vm, ms_hva_t hva)
{
	struct ms_refused *refused = &vm->machine->refused, first;
	ms_pfn_t pfn;

	if (vm->machine->policy.pfn_poison_probe != MS_PFN_POISON_PROBE_TWICE)
		return false;
	memcpy(&first, refused, offsetof(struct ms_refused, text));
	if (ms_get_user_page(vm->mm, hva, true, &pfn, NULL) == -EHWPOISON)
		return true;
	// the first refusal is the one that counts
	memcpy(refused, &first, offsetof(struct ms_refused, text));
	return false;
}

// mirrors vma_is_valid(), virt/kvm/kvm_main.c, 5.10+
static bool vma_is_valid(const struct ms_vma *vma, bool write)
{
	return vma->vm_flags & MS_VM_READ && (!write || vma->vm_flags & MS_VM_WRITE);
}

// mirrors hva_to_pfn(), virt/kvm/kvm_main.c, 5.10+
static struct ms_pfn_lookup hva_to_pfn(struct ms_vm *vm, ms_hva_t hva, bool write,
				       bool want_writable, bool nowait)
{
	struct ms_pfn_lookup found = { .error = MS_PFN_OK };
	const struct ms_vma *vma;
	int ret;

	if (pfn_fast(vm, hva, write, want_writable, &found))
		return found;
	ret = pfn_slow(vm, hva, write, want_writable, &found);
	if (!ret)
		return found;
	if (ret == -EBUSY)
		return failed(MS_PFN_WAITS);
	if (ret == -EHWPOISON || (!nowait && is_poisoned(vm, hva)))
		return failed(MS_PFN_HWPOISON);
	vma = ms_vma_lookup(vm->mm, hva);
	if (!vma)
		return failed(MS_PFN_FAULT);
	if (!(vma->vm_flags & (MS_VM_IO | MS_VM_PFNMAP)))
		return failed(nowait && vma_is_valid(vma, write) ? MS_PFN_NEEDS_IO : MS_PFN_FAULT);
	return pfn_remapped(vm, hva, write);
}

// mirrors __gfn_to_pfn_memslot(), virt/kvm/kvm_main.c, 5.10 .. 6.12; kvm_follow_pfn() and
// __kvm_faultin_pfn(), virt/kvm/kvm_main.c, 7.2+
struct ms_pfn_lookup ms_gfn_to_pfn(struct ms_vm *vm, const struct ms_memslot *slot, ms_gfn_t gfn,
				   bool write, bool nowait)
{
	ms_hva_t hva = ms_gfn_to_hva_memslot(vm, slot, gfn);
	bool readonly = slot->flags & MS_SLOT_READONLY;
	struct ms_pfn_lookup found;

	if (readonly && write)
		return failed(MS_PFN_RO_FAULT);
	found = hva_to_pfn(vm, hva, write, !readonly, nowait);
	found.writable = found.writable && !readonly;
	return found;
}
