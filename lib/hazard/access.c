/* SPDX-License-Identifier: GPL-2.0-only */
/* What happened: violations, and how an access of a guest ended. */
#include "hazard/internal.h"

/* ---- events ---- */

/* Violations that are worse than a warning, or that no kernel tells of: how their text begins. */
static const struct {
	const char *begins;
	enum ms_hazard_kind kind;
} violations[] = {
	{ "kernel crash: ", MS_HAZARD_CRASH },
	{ "fault handler claims success and installs nothing", MS_HAZARD_ENDLESS },
	{ "hugetlb copy-on-write never ends", MS_HAZARD_ENDLESS },
	{ "device memory is accessed while it is turned off", MS_HAZARD_UNSEEN },
	{ "guest block reaches ", MS_HAZARD_UNSEEN },
	{ "huge leaf reaches beyond its VMA", MS_HAZARD_UNSEEN },
	{ "VM_PFNMAP set too late", MS_HAZARD_UNSEEN },
};

static enum ms_hazard_kind kind_of(const struct ms_event *ev)
{
	if (ev->type == MS_EV_PAT_HAZARD)
		return MS_HAZARD_UNSEEN;
	for (size_t i = 0; i < sizeof(violations) / sizeof(violations[0]); i++)
		if (!strncmp(ev->reason, violations[i].begins, strlen(violations[i].begins)))
			return violations[i].kind;
	return MS_HAZARD_WARNING;
}

/* Of the memory types that are given back: what was another's. That an entry lost its tail is what
 * a munmap of the end of a VMA is to do; what nobody holds any more shows itself on the list. */
static bool is_hazard(const struct ms_event *ev)
{
	return ev->type == MS_EV_VIOLATION ||
	       (ev->type == MS_EV_PAT_HAZARD && ms_memtype_why_is_foreign(ev->reason));
}

static void found_event(struct ms_judge *j, const struct ms_event *ev)
{
	const ms_pa_t pa = ev->pa;

	ms_judge_found(j, &(struct ms_hazard){ .kind = kind_of(ev),
					       .mm = ev->mm,
					       .vm = ev->vm,
					       .addr = ev->addr,
					       .size = ev->type == MS_EV_PAT_HAZARD ? ev->size : 0,
					       .pa = pa,
					       .device = pa ? ms_device_at(j->m, pa) : NULL,
					       .text = ev->reason });
	ms_judge_end(j); // events stay apart, and in their order
}

size_t ms_hazards_of_events(const struct ms_machine *m, ms_hazard_fn *tell, void *arg)
{
	struct ms_judge j = { .m = m, .tell = tell, .arg = arg };
	const size_t n = ms_trace_len(m);

	for (size_t i = 0; i < n; i++) {
		const struct ms_event *ev = ms_trace_get(m, i);

		if (is_hazard(ev))
			found_event(&j, ev);
	}
	return j.found;
}

/* ---- a guest's access ---- */

struct access {
	const struct ms_vm *vm;
	ms_ipa_t gpa;
	unsigned int prot;
	ms_hva_t hva;
	ms_pa_t pa; /* that the process has there */
};

/* Could the process make the access at this moment, without a fault? */
static bool process_may(struct access *a)
{
	struct ms_mm *mm = ms_vm_mm(a->vm);
	const struct ms_machine *m = ms_mm_machine(mm);
	const struct ms_vma *vma;
	struct ms_host_leaf leaf;
	struct ms_slot slot;
	uint64_t right = MS_VM_READ;

	if (!ms_vm_next_slot(a->vm, a->gpa, &slot) || slot.gpa > a->gpa)
		return false;
	if (a->prot & MS_PROT_W && slot.flags & MS_SLOT_READONLY)
		return false;
	a->hva = slot.hva + (a->gpa - slot.gpa);
	vma = ms_vma_lookup(mm, a->hva);
	if (!vma || !ms_host_leaf(mm, a->hva, &leaf) || !(leaf.entry & MS_PTE_PRESENT))
		return false;
	a->pa = (leaf.entry & MS_PTE_PA_MASK) + (a->hva - leaf.start);
	if (a->prot & MS_PROT_W) {
		right = MS_VM_WRITE;
		if (!(leaf.entry & MS_PTE_WRITE))
			return false;
	} else if (a->prot & MS_PROT_X) {
		// KVM cannot map what is not readable, and nobody is to execute a device
		right = MS_VM_EXEC | MS_VM_READ;
		if (!ms_pfn_is_ram(m, a->pa >> m->page_shift))
			return false;
	}
	return (vma->vm_flags & right) == right;
}

/* Did KVM refuse it, for a reason that is the kernel's own? */
static bool is_refused(const struct ms_guest_access *access)
{
	switch (access->exit) {
	case MS_GUEST_MMIO:
	case MS_GUEST_IABT:
	case MS_GUEST_DABT:
	case MS_GUEST_INTERNAL_ERROR:
		return true;
	case MS_GUEST_ERROR:
		return access->err == -EFAULT;
	default:
		return false;
	}
}

size_t ms_hazards_of_guest(const struct ms_vm *vm, ms_ipa_t gpa, unsigned int prot,
			   const struct ms_guest_access *access, ms_hazard_fn *tell, void *arg)
{
	struct ms_mm *mm = ms_vm_mm(vm);
	struct access a = { .vm = vm, .gpa = gpa, .prot = prot };
	struct ms_judge j = { .tell = tell, .arg = arg };
	struct ms_hazard h = {
		.blame = MS_BLAME_KERNEL,
		.vm = ms_vm_id(vm),
		.mm = ms_mm_id(mm),
		.addr = gpa,
	};
	bool may;

	if (!mm || !access)
		return 0;
	j.m = ms_mm_machine(mm);
	may = process_may(&a);
	h.hva = a.hva;
	h.pa = a.pa;
	h.device = a.pa ? ms_device_at(j.m, a.pa) : NULL;
	if (access->exit == MS_GUEST_RETRY) {
		h.kind = MS_HAZARD_ENDLESS;
		h.text = "the guest's fault is handled for ever";
	} else if (may && is_refused(access)) {
		h.kind = MS_HAZARD_GUEST_REFUSED;
		h.text = "the process may do what its guest is refused";
	} else {
		return 0;
	}
	ms_judge_found(&j, &h);
	return ms_judge_end(&j);
}
