/* SPDX-License-Identifier: GPL-2.0-only */
/* mmap and mprotect. */
#include "flat.h"

#include <errno.h>

#define MAY_ALL (MS_VM_MAYREAD | MS_VM_MAYWRITE | MS_VM_MAYEXEC)
#define PFN_FLAGS (MS_VM_IO | MS_VM_PFNMAP | MS_VM_DONTEXPAND | MS_VM_DONTDUMP)

static uint64_t access_flags(unsigned int prot)
{
	return (prot & MS_PROT_R ? MS_VM_READ : 0) | (prot & MS_PROT_W ? MS_VM_WRITE : 0);
}

/* arm64's arch_calc_vm_flag_bits, and shmem_mmap */
static bool may_have_tags(const struct flat *f, enum source source)
{
	if (source == SRC_HUGETLB)
		return f->policy->mte_hugetlb == MS_MTE_HUGETLB_YES;
	return source == SRC_ANON || source == SRC_MEMFD;
}

/* calc_vm_prot_bits and do_mmap: a private writable mapping is charged (accountable_mapping). */
static uint64_t mmap_flags(const struct flat *f, const struct op *op)
{
	uint64_t flags = access_flags(op->prot) | MAY_ALL;

	if (op->source == SRC_BAR || op->source == SRC_BAR_WC ||
	    (op->source == SRC_VFIO && f->policy->vfio_noexec == MS_VFIO_NOEXEC_YES))
		flags &= ~MS_VM_MAYEXEC;
	if (f->mte && may_have_tags(f, op->source))
		flags |= MS_VM_MTE_ALLOWED;
	if (op->source == SRC_HUGETLB)
		flags |= MS_VM_HUGETLB | MS_VM_DONTEXPAND;
	if (op->shared)
		return flags | MS_VM_SHARED | MS_VM_MAYSHARE;
	return op->prot & MS_PROT_W && op->source != SRC_HUGETLB ? flags | MS_VM_ACCOUNT : flags;
}

/* What the file's mmap asks for, and whether it is stored in vm_page_prot. */
static enum ms_cache cache_of(const struct flat *f, const struct op *op, bool *stored)
{
	bool x86 = f->policy->arch == MS_ARCH_X86_64;

	*stored = true;
	switch (op->source) {
	case SRC_BAR:
		return x86 ? MS_CACHE_UC_MINUS : MS_CACHE_NGNRE;
	case SRC_BAR_WC:
		return MS_CACHE_WC;
	case SRC_DEVMEM:
	case SRC_VFIO:
		return x86 ? MS_CACHE_UC_MINUS : MS_CACHE_NGNRNE;
	case SRC_DEVMEM_NOSYNC:
		return x86 ? MS_CACHE_WB : MS_CACHE_NGNRNE;
	case SRC_DRIVER:
	case SRC_DRIVER_PART:
		*stored = false;
		return op->type;
	case SRC_DRIVER_LAZY:
	case SRC_DRIVER_HUGE:
		return op->type;
	default:
		return MS_CACHE_WB;
	}
}

/* remap_pfn_range of the VMA's first `len` pages. */
static int remap(struct flat *f, struct process *p, const struct op *op, unsigned int len,
		 enum ms_cache cache)
{
	bool cow = flat_cow(&p->a[op->at]);
	uint64_t pfn = p->a[op->at].pgoff;
	int err;

	if (cow && len != op->len)
		return -EINVAL;
	err = flat_track(f, p, op->at, len, pfn, len == op->len, &cache);
	if (err)
		return err;
	for (unsigned int i = op->at; i < op->at + op->len; i++)
		p->a[i].flags |= PFN_FLAGS;
	for (unsigned int i = 0; i < len; i++)
		flat_fill(p, op->at + i,
			  (struct entry){
				  .kind = E_PFN,
				  .what = pfn + i,
				  .none = !op->prot,
				  .write = op->prot & MS_PROT_W && !cow,
				  .cache = cache,
			  });
	return 0;
}

static int call_mmap(struct flat *f, struct process *p, const struct op *op)
{
	bool stored;
	enum ms_cache cache = cache_of(f, op, &stored);
	int err = 0;

	for (unsigned int i = op->at; stored && i < op->at + op->len; i++)
		p->a[i].cache = cache;
	switch (op->source) {
	case SRC_ANON:
	case SRC_MEMFD:
		return 0;
	case SRC_HUGETLB:
		return p->a[op->at].pgoff % BLOCK ? -EINVAL : 0;
	case SRC_VFIO:
		return flat_vfio_mmap(f, p, op);
	case SRC_DRIVER_LAZY:
	case SRC_DRIVER_HUGE:
		for (unsigned int i = op->at; i < op->at + op->len; i++)
			p->a[i].flags |= PFN_FLAGS;
		return 0;
	case SRC_DRIVER_PART:
		return remap(f, p, op, 1, cache);
	case SRC_DEVMEM:
	case SRC_DEVMEM_NOSYNC:
		err = remap(f, p, op, op->len, cache);
		return err ? -EAGAIN : 0;
	default:
		return remap(f, p, op, op->len, cache);
	}
}

static struct range new_range(struct flat *f, const struct op *op)
{
	struct range r = { .at = op->at, .end = op->at + op->len, .fresh = true };

	r.a.source = op->source;
	r.a.flags = mmap_flags(f, op);
	r.a.file = op->source < SRC_DRIVER ? op->source : ++f->files;
	r.a.anon_pgoff = (WINDOW >> 12) + op->at;
	r.a.pgoff = op->source == SRC_ANON ? (WINDOW >> 12) + op->at
		    : op->source == SRC_MEMFD || op->source == SRC_HUGETLB
			    ? op->off
			    : (BAR_PA >> 12) + op->off;
	return r;
}

/* FIXED removes what was there, whatever becomes of the new mapping. */
int64_t flat_mmap(struct flat *f, struct process *p, const struct op *op)
{
	unsigned int end = op->at + op->len;
	struct op whole = *op;
	struct range r;
	int err;

	// ksys_mmap_pgoff() makes the length whole huge pages, which must begin at one's border
	if (op->source == SRC_HUGETLB) {
		if (op->at % BLOCK)
			return -EINVAL;
		whole.len = (op->len + BLOCK - 1) / BLOCK * BLOCK;
		end = op->at + whole.len;
		op = &whole;
		if (end > PAGES)
			return FLAT_SKIP;
	}
	if (!op->fixed && !flat_empty(p, op->at, end))
		return -EEXIST;
	err = flat_unmap(f, p, op->at, end);
	if (err)
		return f->policy->mmap_fixed == MS_MMAP_FIXED_UNMAP_FIRST ? -ENOMEM : err;
	// sysfs looks at the size of the BAR in its mmap, and the offset becomes physical after it
	if ((op->source == SRC_BAR || op->source == SRC_BAR_WC) && op->off + op->len > BAR_PAGES)
		return -EINVAL;
	r = new_range(f, op);
	if (flat_merge(f, p, &r))
		return 0;
	f->vmas++;
	for (unsigned int i = op->at; i < end; i++) {
		p->a[i] = flat_page_of(r.a, i - op->at);
		p->a[i].vma = f->vmas;
	}
	// with mmap_prepare the entries are made once the old VMAs are gone
	if ((op->source == SRC_DEVMEM || op->source == SRC_DEVMEM_NOSYNC) &&
	    f->policy->devmem_refusal == MS_DEVMEM_REFUSAL_SILENT)
		flat_collect(f);
	err = call_mmap(f, p, op);
	if (!err)
		return 0;
	flat_unmap_drain(f);
	for (unsigned int i = op->at; i < end; i++) {
		p->a[i] = (struct area){ 0 };
		p->e[i] = (struct entry){ 0 };
	}
	return err;
}

/* mprotect_fixup: what it costs, and when the charge is given back. */
static uint64_t charged(const struct flat *f, const struct area *a, uint64_t flags)
{
	if (flags & MS_VM_WRITE)
		return a->flags & (MS_VM_ACCOUNT | MS_VM_WRITE | MS_VM_SHARED | MS_VM_HUGETLB)
			       ? flags
			       : flags | MS_VM_ACCOUNT;
	if (f->policy->mprotect_unaccount == MS_MPROTECT_UNACCOUNT_UNTOUCHED_ANON && !a->file &&
	    !a->anon)
		return flags & ~MS_VM_ACCOUNT;
	return flags;
}

int64_t flat_mprotect(struct flat *f, struct process *p, const struct op *op)
{
	unsigned int end = op->at + op->len, next;

	for (unsigned int i = op->at; i < end; i = next) {
		const struct area *a = &p->a[i];
		uint64_t flags = (a->flags & ~MS_VM_ACCESS) | access_flags(op->prot);
		bool grows;
		int err;

		if (!a->vma)
			return -ENOMEM;
		next = flat_end(p, i) < end ? flat_end(p, i) : end;
		if (flags == a->flags)
			continue;
		grows = a->flags & MS_VM_LOCKED && !(a->flags & (MS_VM_WRITE | MS_VM_SHARED)) &&
			flags & MS_VM_WRITE;
		err = flat_modify(f, p, i, next, charged(f, a, flags));
		if (err)
			return err;
		flat_change_protection(f, p, i, next);
		if (grows)
			flat_populate(f, p, i, next);
	}
	return 0;
}
