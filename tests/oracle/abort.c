/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest's access, and user_mem_abort. */
#include "guest.h"

#include <errno.h>

struct fault {
	struct flat *f;
	struct slot *slot;
	unsigned int page, gpa; /* of the process, of the guest */
	unsigned int access;
	unsigned int granule; /* pages of the leaf that forbids; 0: there is none */
	bool logging;
	/* what is mapped */
	struct stage2 s2;
	bool device, writable;
};

#define AGAIN 1 /* the fault will come again and not be different */

/* fault_supports_stage2_huge_mapping of 2M */
static bool fits(const struct fault *t)
{
	const struct slot *s = t->slot;
	unsigned int base = t->page / BLOCK * BLOCK;

	return s->gpa % BLOCK == s->hva % BLOCK && base >= s->hva &&
	       base + BLOCK <= s->hva + s->npages;
}

/*
 * get_vma_page_shift as it was for device memory: arithmetic on vm_pgoff. An address that is
 * aligned is its own upper bound, so that the block may end beyond the VMA.
 */
static bool block_by_pgoff(const struct fault *t)
{
	const struct process *p = &t->f->p[0];
	unsigned int base = t->page / BLOCK * BLOCK;
	unsigned int above = t->page == base ? base : base + BLOCK;

	return t->f->policy->s2_pfnmap_block == MS_S2_PFNMAP_BLOCK_FROM_VM_PGOFF &&
	       p->a[t->page].flags & MS_VM_PFNMAP &&
	       p->a[t->page].pgoff % BLOCK == t->page % BLOCK && flat_first(p, t->page) <= base &&
	       above <= flat_end(p, t->page);
}

/* hva_to_pfn of ordinary memory: get_user_pages, which only looks where that is enough. */
static int find_page(struct fault *t, unsigned int page, bool write)
{
	struct process *p = &t->f->p[0];

	if (!(p->a[page].flags & (write ? MS_VM_WRITE : MS_VM_READ)))
		return -EFAULT;
	if (p->e[page].kind != E_NONE && (!write || p->e[page].write))
		return 0;
	return flat_touch(t->f, p, page, write) ? -EFAULT : 0;
}

/* follow_pte() stops at what is no page; follow_pfnmap_start(), 6.12 and later, does not. */
static bool sees_leaf(const struct fault *t, unsigned int page)
{
	return t->f->policy->pfn_lookup == MS_PFN_LOOKUP_ANY_LEAF || !t->f->p[0].leaf[page / BLOCK];
}

/* A raw pfn is writable as its entry is, or always. */
static bool may_write(const struct fault *t, unsigned int page)
{
	return t->f->p[0].e[page].write ||
	       (t->f->p[0].a[page].flags & MS_VM_PFNMAP &&
		t->f->policy->pfn_lookup_writable == MS_PFN_LOOKUP_WRITABLE_ALWAYS);
}

/* hva_to_pfn_remapped: what is present counts, also without any right. */
static int find_pfn(struct fault *t, unsigned int page, bool write)
{
	struct process *p = &t->f->p[0];

	if (p->e[page].kind != E_NONE && !sees_leaf(t, page))
		return -EFAULT;
	if (p->e[page].kind != E_NONE)
		return write && !may_write(t, page) ? -EFAULT : 0;
	if (!(p->a[page].flags & (write ? MS_VM_WRITE : MS_VM_READ)))
		return -EFAULT;
	if (flat_touch(t->f, p, page, write))
		return -EFAULT;
	return sees_leaf(t, page) ? 0 : -EFAULT;
}

static int find(struct fault *t, unsigned int page)
{
	const struct process *p = &t->f->p[0];
	bool write = t->access == MS_PROT_W;
	int err;

	if (!p->a[page].vma)
		return -EFAULT;
	err = (p->a[page].flags & MS_VM_PFNMAP ? find_pfn : find_page)(t, page, write);
	if (err)
		return err;
	t->s2.kind = p->e[page].kind;
	t->s2.what = p->e[page].what;
	t->device = t->s2.kind == E_PFN;
	t->writable = may_write(t, page) && !(t->slot->flags & MS_SLOT_READONLY);
	if (t->logging && !write && !t->device)
		t->writable = false;
	return 0;
}

/* PageTransCompoundMap() of 5.10: the page has entries of its own somewhere, or had. */
static bool is_double(const struct fault *t)
{
	const struct entry *e = &t->f->p[0].e[t->page];

	return t->f->policy->host_leaf_absent == MS_HOST_LEAF_ABSENT_PAGE_STRUCT &&
	       e->kind == E_FRAME && t->f->double_map[t->f->folio[e->what]];
}

/* What the process maps the page with may make a page a block after all. */
static int upgrade(const struct fault *t, unsigned int *size)
{
	const struct process *p = &t->f->p[0];

	if (t->device && t->f->policy->s2_device_upgrade != MS_S2_DEVICE_UPGRADE_ALLOWED)
		return 0;
	if (t->granule > 1 && t->f->policy->host_leaf_absent != MS_HOST_LEAF_ABSENT_PAGE_STRUCT) {
		*size = t->granule;
		return 0;
	}
	if (!fits(t))
		return 0;
	if (p->e[t->page].none)
		return AGAIN;
	if (p->leaf[t->page / BLOCK] && !is_double(t))
		*size = BLOCK;
	return 0;
}

/* The rights of what is there grow; the one to execute may go. */
static void relax(struct fault *t, unsigned int at, unsigned int size)
{
	unsigned int keeps = ~0u;

	if (t->f->policy->s2_relax_exec == MS_S2_RELAX_EXEC_TAKEN)
		keeps = ~MS_PROT_X;
	for (unsigned int i = at; i < at + size; i++) {
		t->f->guest->s2[i].prot &= keeps;
		t->f->guest->s2[i].prot |= t->s2.prot & ~MS_PROT_DEVICE;
	}
}

static int install(struct fault *t, unsigned int size)
{
	unsigned int at = size > 1 ? t->gpa / BLOCK * BLOCK : t->gpa;
	int err;

	t->s2.prot = MS_PROT_R | (t->writable ? MS_PROT_W : 0) |
		     (t->access == MS_PROT_X ? MS_PROT_X : 0) | (t->device ? MS_PROT_DEVICE : 0);
	if (t->granule == size) {
		relax(t, at, size);
		err = 0;
	} else {
		err = guest_map(t->f, at, size, t->s2);
	}
	if (t->writable && t->logging && !err)
		t->slot->dirty[t->gpa - t->slot->gpa] = true;
	return err == -EAGAIN ? AGAIN : err;
}

/* 0: the guest goes on; AGAIN; or what KVM_RUN answers. */
static int user_mem_abort(struct fault *t)
{
	const struct process *p = &t->f->p[0];
	unsigned int told = t->f->guest->told, size = 1, page = t->page, pages_only = t->logging;
	bool tags = guest_may_have_tags(t->f, &p->a[t->page]) || t->granule;
	int err;

	if (!p->a[t->page].vma)
		return -EFAULT;
	if (!t->logging && block_by_pgoff(t)) {
		pages_only = !fits(t);
		size = pages_only ? 1 : BLOCK;
	}
	if (!t->logging && flat_hugetlb(&p->a[t->page])) {
		pages_only = !fits(t);
		size = pages_only ? 1 : BLOCK;
	}
	if (size > 1)
		page = page / BLOCK * BLOCK;
	err = find(t, page);
	if (err)
		return err;
	if (t->device && t->access == MS_PROT_X)
		return -ENOEXEC;
	tags |= t->device;
	if (!tags && t->f->policy->mte_check == MS_MTE_CHECK_BEFORE_MMU_LOCK)
		return -EFAULT;
	if (t->f->guest->told != told)
		return 0;
	if (size == 1 && !pages_only) {
		unsigned int larger = 1;

		err = upgrade(t, &larger);
		if (err)
			return err;
		size = larger;
		if (size > 1)
			t->s2.what -= t->page % BLOCK;
	}
	return tags ? install(t, size) : -EFAULT;
}

static struct slot *slot_of(struct guest *g, unsigned int gpa)
{
	for (unsigned int n = 0; n < SLOTS; n++)
		if (gpa >= g->slot[n].gpa && gpa < g->slot[n].gpa + g->slot[n].npages)
			return &g->slot[n];
	return NULL;
}

static int64_t outcome(enum ms_guest_exit exit, int err)
{
	return (int64_t)exit * 4096 - err;
}

/* One access; the answer is an exit, and an errno with it. */
int64_t guest_access(struct flat *f, const struct op *op)
{
	struct guest *g = f->guest;

	for (unsigned int n = 0; n < 8; n++) {
		const struct stage2 *s2 = &g->s2[op->gpa];
		struct fault t = { .f = f, .gpa = op->gpa, .access = op->prot };
		int err;

		if (s2->there && s2->prot & op->prot)
			return outcome(MS_GUEST_OK, 0);
		t.slot = slot_of(g, op->gpa);
		if (!t.slot || (t.slot->flags & MS_SLOT_READONLY && op->prot == MS_PROT_W))
			return outcome(op->prot == MS_PROT_X ? MS_GUEST_IABT : MS_GUEST_MMIO, 0);
		t.page = t.slot->hva + op->gpa - t.slot->gpa;
		t.granule = !s2->there ? 0 : s2->block ? BLOCK : 1;
		t.logging = t.slot->flags & MS_SLOT_LOG_DIRTY;
		err = user_mem_abort(&t);
		if (err == AGAIN)
			break;
		if (err == -ENOEXEC)
			return outcome(MS_GUEST_IABT, 0);
		if (err)
			return outcome(MS_GUEST_ERROR, err);
	}
	return outcome(MS_GUEST_RETRY, 0);
}
