/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A driver that does everything wrong: errors and codes that no kernel knows, pfns and pages of
 * nobody, addresses outside of the VMA, flags at random, memory freed in the wrong place; and in
 * the middle of a callback it maps, unmaps, forks and faults again.
 */
#include "hostile.h"

#define MOST_DEPTH 3 /* of callbacks in callbacks */

struct play *hostile_play;

static unsigned int byte(struct play *p)
{
	return p->at < p->end ? *p->at++ : 0;
}

unsigned int hostile_below(struct play *p, unsigned int n)
{
	return byte(p) % n;
}

/* ---- what is at hand ---- */

unsigned long hostile_address(struct play *p)
{
	const unsigned long mb = hostile_below(p, 8);

	return VA + mb * SZ_1M + hostile_below(p, 20) * PAGE_SIZE;
}

unsigned long hostile_length(struct play *p)
{
	static const unsigned long len[] = { SZ_4K, SZ_8K, SZ_64K, SZ_1M, SZ_2M, SZ_4M, 0, 100 };

	return len[hostile_below(p, ARRAY_SIZE(len))];
}

unsigned long hostile_pfn(struct play *p)
{
	const unsigned long off = byte(p);

	switch (hostile_below(p, 6)) {
	case 0:
		return PHYS_PFN(RAM) + off;
	case 1:
		return PHYS_PFN(BAR + SZ_8M) - off; // from inside of the BAR to beyond it
	case 2:
		return ~0ul >> (off % 64);
	case 3:
		return off;
	default:
		return PHYS_PFN(BAR) + off;
	}
}

static pgprot_t some_prot(struct play *p, pgprot_t prot)
{
	switch (hostile_below(p, 4)) {
	case 0:
		return pgprot_noncached(prot);
	case 1:
		return pgprot_writecombine(prot);
	case 2:
		return pgprot_device(prot);
	default:
		return prot;
	}
}

static unsigned long some_flags(struct play *p)
{
	static const unsigned long flag[] = {
		VM_PFNMAP, VM_MIXEDMAP,   VM_IO,         VM_DONTCOPY,
		VM_LOCKED, VM_DONTEXPAND, VM_WIPEONFORK, VM_HUGEPAGE
	};
	const unsigned int which = byte(p);
	unsigned long flags = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(flag); i++)
		if (which >> i & 1)
			flags |= flag[i];
	return flags;
}

/* ---- the driver ---- */

/* The driver does what a process would do, while it is called. */
static void recurse(struct play *p)
{
	if (p->depth >= MOST_DEPTH)
		return;
	p->depth++;
	hostile_step(p);
	p->depth--;
}

static int some_error(struct play *p)
{
	static const int err[] = { 0, 0, 0, -EINVAL, -ENOMEM, -EAGAIN, 1, 4096, -4096, INT_MIN };

	return err[hostile_below(p, ARRAY_SIZE(err))];
}

static vm_fault_t some_code(struct play *p)
{
	static const vm_fault_t code[] = { 0,
					   VM_FAULT_NOPAGE,
					   VM_FAULT_LOCKED,
					   VM_FAULT_RETRY,
					   VM_FAULT_FALLBACK,
					   VM_FAULT_SIGBUS,
					   VM_FAULT_OOM,
					   VM_FAULT_SIGSEGV,
					   VM_FAULT_HWPOISON,
					   VM_FAULT_NOPAGE | VM_FAULT_RETRY,
					   0x10000,
					   ~0u };

	return code[hostile_below(p, ARRAY_SIZE(code))];
}

void hostile_insert(struct play *p, struct vm_area_struct *vma, unsigned long addr)
{
	const unsigned long len = hostile_length(p);
	struct page *page = hostile_below(p, 2) && p->page ? p->page : pfn_to_page(hostile_pfn(p));
	const unsigned int how = hostile_below(p, 8);
	const unsigned long pfn = hostile_pfn(p);

	switch (how) {
	case 0:
		remap_pfn_range(vma, addr, pfn, len, some_prot(p, vma->vm_page_prot));
		break;
	case 1:
		vmf_insert_pfn_prot(vma, addr, pfn, some_prot(p, vma->vm_page_prot));
		break;
	case 2:
		vmf_insert_mixed(vma, addr, pfn);
		break;
	case 3:
		vm_insert_page(vma, addr, page);
		break;
	case 4:
		vm_iomap_memory(vma, PFN_PHYS(pfn), len);
		break;
	case 5:
		zap_vma_ptes(vma, addr, len);
		break;
	default:
		vmf_insert_pfn(vma, addr, pfn);
		break;
	}
}

static const struct vm_operations_struct driver_vm_ops[4];

/* As a driver does whose device has gone; the VMA is like an anonymous one then. */
static void change_ops(struct play *p, struct vm_area_struct *vma)
{
	const unsigned int which = hostile_below(p, 2 * ARRAY_SIZE(driver_vm_ops));

	vma->vm_ops = which < ARRAY_SIZE(driver_vm_ops) ? &driver_vm_ops[which] : NULL;
}

/* What no driver may change of its VMA. */
static void change_fields(struct play *p, struct vm_area_struct *vma)
{
	const unsigned long some = hostile_pfn(p);

	switch (hostile_below(p, 12)) {
	case 0:
		vma->vm_start = hostile_address(p);
		break;
	case 1:
		vma->vm_end = hostile_address(p);
		break;
	case 2:
		vma->vm_mm = p->mm[hostile_below(p, NR_MMS)];
		break;
	case 3:
		vma->vm_file = p->file[hostile_below(p, NR_FILES)];
		break;
	case 4:
		vma->vm_pgoff = some;
		break;
	case 5:
		vma->vm_flags_word ^= some;
		break;
	case 6:
		vma->vm_page_prot = __pgprot(some);
		break;
	case 7:
		vma->anon_vma = (void *)some;
		break;
	case 8:
		vma->pfnmap_ctx = (void *)some;
		break;
	case 9:
		memset(vma, (int)some, offsetof(struct vm_area_struct, vm_ops));
		break;
	case 10:
		vma->anon_chain += (unsigned int)some;
		break;
	default:
		vma->anon_pgoff = some;
		break;
	}
}

static void misuse_locks(struct play *p)
{
	struct mm_struct *mm = p->mm[hostile_below(p, NR_MMS)];

	switch (hostile_below(p, 6)) {
	case 0:
		mmap_read_lock(mm);
		break;
	case 1:
		mmap_read_unlock(mm);
		break;
	case 2:
		mmap_write_lock(mm);
		break;
	case 3:
		mmap_write_unlock(mm);
		break;
	case 4:
		mmap_write_downgrade(mm);
		break;
	default:
		if (mmap_read_trylock(mm) && hostile_below(p, 2))
			mmap_read_unlock(mm);
		break;
	}
}

static void misuse_files(struct play *p)
{
	struct file *file = p->file[hostile_below(p, NR_FILES)];
	static const struct file_operations none;

	if (!file)
		return;
	switch (hostile_below(p, 6)) {
	case 0:
		get_file(file);
		break;
	case 1:
		fput(file);
		break;
	case 2:
		file->f_op = NULL;
		break;
	case 3:
		file->f_op = &none;
		break;
	case 4:
		file->f_op = &hostile_fops;
		break;
	default:
		unmap_mapping_range(file->f_mapping, 0, 0, hostile_below(p, 2));
		break;
	}
}

static void misuse_notifier(struct play *p)
{
	struct mm_struct *mm = p->mm[hostile_below(p, NR_MMS)];

	switch (hostile_below(p, 3)) {
	case 0:
		if (mm && p->notifier)
			mmu_notifier_register(p->notifier, mm);
		break;
	case 1:
		if (p->notifier)
			mmu_notifier_unregister(p->notifier, p->notifier->mm);
		break;
	default:
		if (p->notifier && p->notifier->ms_registered)
			kfree(p->notifier); // which is refused
		break;
	}
}

static int garbage(pte_t *pte, unsigned long addr, void *data)
{
	struct play *p = data;
	const unsigned long some = hostile_pfn(p);

	recurse(p);
	*(uint64_t *)pte = hostile_below(p, 2) ? some : *(uint64_t *)pte ^ (1ul << some % 64);
	return 0;
}

static void misuse_everything(struct play *p, struct vm_area_struct *vma)
{
	struct mm_struct *mm = p->mm[hostile_below(p, NR_MMS)];

	switch (hostile_below(p, 6)) {
	case 0:
		misuse_locks(p);
		break;
	case 1:
		misuse_files(p);
		break;
	case 2:
		misuse_notifier(p);
		break;
	case 3:
		if (mm)
			apply_to_page_range(mm, hostile_address(p), 2 * PAGE_SIZE, garbage, p);
		break;
	case 4:
		ms_machine_check(p->m, NULL);
		break;
	default:
		if (vma)
			change_fields(p, vma);
		break;
	}
}

static int notify_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct play *p = hostile_play;

	recurse(p);
	if (hostile_below(p, 2))
		misuse_everything(p, NULL);
	return 0;
}

static void notify_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	misuse_everything(hostile_play, NULL);
}

const struct mmu_notifier_ops hostile_notifier_ops = {
	.invalidate_range_start = notify_start,
	.release = notify_release,
};

void hostile_hook(struct ms_machine *m, enum ms_hook_point point, uint64_t addr, void *arg)
{
	struct play *p = arg;

	if (p->hooks >> point & 1 && hostile_below(p, 4) == 0) {
		recurse(p);
		misuse_everything(p, NULL);
	}
}

/* Things that are done in the wrong place. */
static void misuse(struct play *p, struct vm_area_struct *vma)
{
	unsigned long one, other;

	switch (hostile_below(p, 12)) {
	case 0:
		kfree(p->memory); // perhaps again
		break;
	case 1:
		p->memory = kmalloc(64, GFP_KERNEL);
		break;
	case 2:
		if (p->page)
			put_page(p->page);
		p->page = NULL;
		break;
	case 3:
		if (!p->page)
			p->page = alloc_pages(GFP_KERNEL, hostile_below(p, 3));
		break;
	case 4:
		one = some_flags(p);
		other = some_flags(p);
		vm_flags_mod(vma, one, other);
		break;
	case 5:
		hostile_insert(p, vma, hostile_address(p));
		break;
	case 8:
		change_ops(p, vma);
		break;
	case 9:
	case 10:
		misuse_everything(p, vma);
		break;
	case 6:
		one = hostile_length(p);
		other = hostile_length(p);
		unmap_mapping_range(vma->vm_file->f_mapping, one, other, hostile_below(p, 2));
		break;
	default:
		recurse(p);
		break;
	}
}

static void driver_open(struct vm_area_struct *vma)
{
	misuse(vma->vm_private_data, vma);
}

static void driver_close(struct vm_area_struct *vma)
{
	misuse(vma->vm_private_data, vma);
}

static int driver_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	struct play *p = vma->vm_private_data;

	recurse(p);
	return some_error(p);
}

static int driver_mremap(struct vm_area_struct *vma)
{
	struct play *p = vma->vm_private_data;

	misuse(p, vma);
	return some_error(p);
}

static int driver_mprotect(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			   unsigned long newflags)
{
	struct play *p = vma->vm_private_data;

	recurse(p);
	return some_error(p);
}

static vm_fault_t driver_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct play *p = vma->vm_private_data;

	switch (hostile_below(p, 8)) {
	case 0:
		misuse(p, vma);
		break;
	case 1:
		vmf->page = pfn_to_page(hostile_pfn(p));
		break;
	case 2:
		if (p->page) {
			get_page(p->page);
			vmf->page = p->page;
		}
		break;
	case 3:
		hostile_insert(p, vma, hostile_address(p));
		break;
	case 4:
		hostile_insert(p, vma, vmf->address);
		break;
	default:
		return vmf_insert_pfn(vma, vmf->address, PHYS_PFN(BAR) + vmf->pgoff % 512);
	}
	return some_code(p);
}

static vm_fault_t driver_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct play *p = vmf->vma->vm_private_data;
	const unsigned int how = hostile_below(p, 4);
	const unsigned long pfn = how < 2 ? hostile_pfn(p) : 0;

	switch (how) {
	case 0:
		vmf_insert_pfn_pmd(vmf, pfn, hostile_below(p, 2));
		break;
	case 1:
		vmf_insert_pfn_pud(vmf, pfn, hostile_below(p, 2));
		break;
	case 2:
		return order == PMD_ORDER ? vmf_insert_pfn_pmd(vmf, PHYS_PFN(BAR), true)
					  : VM_FAULT_FALLBACK;
	default:
		return VM_FAULT_FALLBACK;
	}
	return some_code(p);
}

static vm_fault_t driver_mkwrite(struct vm_fault *vmf)
{
	struct play *p = vmf->vma->vm_private_data;

	misuse(p, vmf->vma);
	return some_code(p);
}

static const struct vm_operations_struct driver_vm_ops[4] = {
	{ .fault = driver_fault },
	{
		.open = driver_open,
		.close = driver_close,
		.fault = driver_fault,
		.huge_fault = driver_huge_fault,
	},
	{
		.open = driver_open,
		.close = driver_close,
		.may_split = driver_may_split,
		.mremap = driver_mremap,
		.mprotect = driver_mprotect,
		.fault = driver_fault,
		.huge_fault = driver_huge_fault,
		.page_mkwrite = driver_mkwrite,
		.pfn_mkwrite = driver_mkwrite,
	},
	{ .close = driver_close },
};

static int driver_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct play *p = file->private_data;
	const unsigned int how = hostile_below(p, 8);

	vma->vm_private_data = p;
	if (how < 6)
		vma->vm_ops = &driver_vm_ops[hostile_below(p, ARRAY_SIZE(driver_vm_ops))];
	vm_flags_set(vma, some_flags(p));
	vma->vm_page_prot = some_prot(p, vma->vm_page_prot);
	if (how == 1)
		vma->vm_pgoff = hostile_pfn(p);
	if (how == 2)
		hostile_insert(p, vma, vma->vm_start);
	if (how == 3)
		hostile_insert(p, vma, hostile_address(p));
	if (how == 4)
		recurse(p);
	if (how == 5 && p->file[1])
		vma_set_file(vma, p->file[1]);
	return some_error(p);
}

static int driver_mmap_prepare(struct vm_area_desc *desc)
{
	struct play *p = desc->file->private_data;

	desc->private_data = p;
	desc->vm_ops = &driver_vm_ops[hostile_below(p, ARRAY_SIZE(driver_vm_ops))];
	desc->vm_flags |= some_flags(p);
	desc->page_prot = some_prot(p, desc->page_prot);
	if (hostile_below(p, 2)) {
		const unsigned long start = desc->start + hostile_below(p, 3) * PAGE_SIZE;
		const unsigned long pfn = hostile_pfn(p);

		mmap_action_remap(desc, start, pfn, hostile_length(p));
	}
	if (hostile_below(p, 4) == 0)
		recurse(p);
	return some_error(p);
}

static int driver_release(struct inode *inode, struct file *file)
{
	struct play *p = file->private_data;

	if (hostile_below(p, 4) == 0)
		misuse_everything(p, NULL);
	for (unsigned int i = 0; i < NR_FILES; i++)
		if (p->file[i] == file)
			p->file[i] = NULL;
	return 0;
}

const struct file_operations hostile_fops = {
	.mmap = driver_mmap,
	.release = driver_release,
};

const struct file_operations hostile_prepare_fops = {
	.mmap_prepare = driver_mmap_prepare,
	.release = driver_release,
};
