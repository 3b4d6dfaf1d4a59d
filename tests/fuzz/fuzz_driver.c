/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes are what processes and a guest do with a driver, and what the driver answers: errors
 * and codes that no kernel knows, pfns and pages of nobody, addresses outside of the VMA, flags at
 * random, memory freed in the wrong place; and in the middle of a callback it maps, unmaps, forks
 * and faults again.
 *
 * - Whatever it does, nothing is read or written that is not there, and each call comes back.
 * - When the processes have ended, all that the driver did wrong was reported as a violation, or
 * the machine is in order.
 */
#include <mapsim/linux.h>

#include <mapsim/check.h>
#include <mapsim/kvm.h>
#include <mapsim/pat.h>

#include "fuzz.h"

#define VA 0x7e0000000000ul
#define BAR 0x4000000000ul
#define GPA 0x80000000ul
#define RAM 0x40000000ul
#define NR_FILES 3
#define NR_MMS 3
#define MOST_STEPS 400 /* of processes, guest and driver together */
#define MOST_DEPTH 3   /* of callbacks in callbacks */

struct play {
	const uint8_t *at, *end;
	struct ms_machine *m;
	struct mm_struct *mm[NR_MMS];
	struct file *file[NR_FILES];
	struct ms_vm *vm;
	void *memory;
	struct page *page;
	unsigned int depth, steps;
};

static unsigned int byte(struct play *p)
{
	return p->at < p->end ? *p->at++ : 0;
}

/* One a statement: the order in which a call's arguments are made is the compiler's. */
static unsigned int below(struct play *p, unsigned int n)
{
	return byte(p) % n;
}

/* ---- what is at hand ---- */

static unsigned long some_address(struct play *p)
{
	const unsigned long mb = below(p, 8);

	return VA + mb * SZ_1M + below(p, 20) * PAGE_SIZE;
}

static unsigned long some_length(struct play *p)
{
	static const unsigned long len[] = { SZ_4K, SZ_8K, SZ_64K, SZ_1M, SZ_2M, SZ_4M, 0, 100 };

	return len[below(p, ARRAY_SIZE(len))];
}

static unsigned long some_pfn(struct play *p)
{
	const unsigned long off = byte(p);

	switch (below(p, 6)) {
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

static struct mm_struct *some_mm(struct play *p)
{
	struct mm_struct *mm = p->mm[below(p, NR_MMS)];

	return mm ? mm : p->mm[0];
}

static pgprot_t some_prot(struct play *p, pgprot_t prot)
{
	switch (below(p, 4)) {
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

static void step(struct play *p);

/* The driver does what a process would do, while it is called. */
static void recurse(struct play *p)
{
	if (p->depth >= MOST_DEPTH)
		return;
	p->depth++;
	step(p);
	p->depth--;
}

static int some_error(struct play *p)
{
	static const int err[] = { 0, 0, 0, -EINVAL, -ENOMEM, -EAGAIN, 1, 4096, -4096, INT_MIN };

	return err[below(p, ARRAY_SIZE(err))];
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

	return code[below(p, ARRAY_SIZE(code))];
}

/* Puts something somewhere in, by any of the functions; answers are not looked at. */
static void insert(struct play *p, struct vm_area_struct *vma, unsigned long addr)
{
	const unsigned long len = some_length(p);
	struct page *page = below(p, 2) && p->page ? p->page : pfn_to_page(some_pfn(p));
	const unsigned int how = below(p, 8);
	const unsigned long pfn = some_pfn(p);

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

/* Things that are done in the wrong place. */
static void misuse(struct play *p, struct vm_area_struct *vma)
{
	unsigned long one, other;

	switch (below(p, 8)) {
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
			p->page = alloc_pages(GFP_KERNEL, below(p, 3));
		break;
	case 4:
		one = some_flags(p);
		other = some_flags(p);
		vm_flags_mod(vma, one, other);
		break;
	case 5:
		insert(p, vma, some_address(p));
		break;
	case 6:
		one = some_length(p);
		other = some_length(p);
		unmap_mapping_range(vma->vm_file->f_mapping, one, other, below(p, 2));
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

	(void)addr;
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

	(void)start, (void)end, (void)newflags;
	recurse(p);
	return some_error(p);
}

static vm_fault_t driver_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct play *p = vma->vm_private_data;

	switch (below(p, 8)) {
	case 0:
		misuse(p, vma);
		break;
	case 1:
		vmf->page = pfn_to_page(some_pfn(p));
		break;
	case 2:
		if (p->page) {
			get_page(p->page);
			vmf->page = p->page;
		}
		break;
	case 3:
		insert(p, vma, some_address(p));
		break;
	case 4:
		insert(p, vma, vmf->address);
		break;
	default:
		return vmf_insert_pfn(vma, vmf->address, PHYS_PFN(BAR) + vmf->pgoff % 512);
	}
	return some_code(p);
}

static vm_fault_t driver_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	struct play *p = vmf->vma->vm_private_data;
	const unsigned int how = below(p, 4);
	const unsigned long pfn = how < 2 ? some_pfn(p) : 0;

	switch (how) {
	case 0:
		vmf_insert_pfn_pmd(vmf, pfn, below(p, 2));
		break;
	case 1:
		vmf_insert_pfn_pud(vmf, pfn, below(p, 2));
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

static const struct vm_operations_struct driver_vm_ops[] = {
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
	const unsigned int how = below(p, 8);

	vma->vm_private_data = p;
	if (how < 6)
		vma->vm_ops = &driver_vm_ops[below(p, ARRAY_SIZE(driver_vm_ops))];
	vm_flags_set(vma, some_flags(p));
	vma->vm_page_prot = some_prot(p, vma->vm_page_prot);
	if (how == 1)
		vma->vm_pgoff = some_pfn(p);
	if (how == 2)
		insert(p, vma, vma->vm_start);
	if (how == 3)
		insert(p, vma, some_address(p));
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
	desc->vm_ops = &driver_vm_ops[below(p, ARRAY_SIZE(driver_vm_ops))];
	desc->vm_flags |= some_flags(p);
	desc->page_prot = some_prot(p, desc->page_prot);
	if (below(p, 2)) {
		const unsigned long start = desc->start + below(p, 3) * PAGE_SIZE;
		const unsigned long pfn = some_pfn(p);

		mmap_action_remap(desc, start, pfn, some_length(p));
	}
	if (below(p, 4) == 0)
		recurse(p);
	return some_error(p);
}

static int driver_release(struct inode *inode, struct file *file)
{
	struct play *p = file->private_data;

	(void)inode;
	for (unsigned int i = 0; i < NR_FILES; i++)
		if (p->file[i] == file)
			p->file[i] = NULL;
	return 0;
}

static const struct file_operations driver_fops = {
	.mmap = driver_mmap,
	.release = driver_release,
};

static const struct file_operations prepare_fops = {
	.mmap_prepare = driver_mmap_prepare,
	.release = driver_release,
};

/* ---- processes and the guest ---- */

struct target {
	struct mm_struct *mm;
	unsigned long addr, len;
};

static struct target some_target(struct play *p)
{
	struct target t = { .mm = some_mm(p) };

	t.addr = some_address(p);
	t.len = some_length(p);
	return t;
}

static void do_mmap(struct play *p)
{
	struct file *file = p->file[below(p, NR_FILES)];
	const unsigned int flags =
		(file ? 0 : MS_MAP_ANONYMOUS) | (below(p, 2) ? MS_MAP_SHARED : MS_MAP_PRIVATE);
	const unsigned int how[] = { MS_MAP_FIXED, 0, MS_MAP_FIXED | MS_MAP_POPULATE,
				     MS_MAP_FIXED_NOREPLACE };

	const struct target t = some_target(p);
	const unsigned int prot = below(p, 8), where = how[below(p, ARRAY_SIZE(how))];

	ms_mmap(t.mm, t.addr, t.len, prot, flags | where, file, below(p, 4) * PAGE_SIZE);
}

static void do_mremap(struct play *p)
{
	static const unsigned int flags[] = { 0, MS_MREMAP_MAYMOVE,
					      MS_MREMAP_MAYMOVE | MS_MREMAP_FIXED,
					      MS_MREMAP_MAYMOVE | MS_MREMAP_DONTUNMAP };
	const struct target t = some_target(p);
	const unsigned long new_len = below(p, 2) ? t.len : some_length(p);
	const unsigned int how = flags[below(p, ARRAY_SIZE(flags))];

	ms_mremap(t.mm, t.addr, t.len, new_len, how, some_address(p));
}

static void do_fork(struct play *p)
{
	for (unsigned int i = 1; i < NR_MMS; i++)
		if (!p->mm[i]) {
			p->mm[i] = ms_fork(p->mm[0], NULL);
			return;
		}
	if (p->depth)
		return; // somebody may be in the middle of it
	ms_mm_exit(p->mm[1]);
	p->mm[1] = NULL;
}

static void do_guest(struct play *p)
{
	const unsigned int prot[] = { MS_PROT_R, MS_PROT_W, MS_PROT_X };

	const unsigned long mb = below(p, 8), page = below(p, 8);

	if (p->vm)
		ms_guest_touch(p->vm, GPA + mb * SZ_1M + page * PAGE_SIZE, prot[below(p, 3)]);
}

static void do_slot(struct play *p)
{
	const unsigned int id = below(p, 2);
	const unsigned long gpa = GPA + below(p, 3) * SZ_2M, len = some_length(p);
	const unsigned long hva = VA + below(p, 8) * SZ_1M;

	if (p->vm)
		ms_vm_set_slot(p->vm, id, gpa, len, hva, below(p, 2) ? MS_SLOT_LOG_DIRTY : 0);
}

/* An ioctl of the driver: it looks a VMA up, and does not care for locks. */
static void do_ioctl(struct play *p)
{
	struct mm_struct *mm = some_mm(p);
	struct vm_area_struct *vma = vma_lookup(mm, some_address(p));
	const bool lock = below(p, 2);

	if (lock)
		mmap_read_lock(mm);
	if (vma && vma->vm_private_data == p && vma->vm_file)
		insert(p, vma, some_address(p));
	if (lock)
		mmap_read_unlock(mm);
}

static void do_files(struct play *p)
{
	const unsigned int i = below(p, NR_FILES);

	if (p->file[i])
		ms_linux_close(p->file[i]);
	else
		p->file[i] = ms_linux_file(p->m, i == 2 ? &prepare_fops : &driver_fops, O_RDWR, p);
}

static void step(struct play *p)
{
	struct ms_device *bar = ms_device_find(p->m, "bar");
	struct ms_machine *former;
	struct target t;
	ms_pfn_t pfn;

	if (p->steps++ >= MOST_STEPS)
		return;
	former = ms_linux_use(p->m);
	switch (below(p, 16)) {
	case 0:
	case 1:
		do_mmap(p);
		break;
	case 2:
		t = some_target(p);
		ms_munmap(t.mm, t.addr, t.len);
		break;
	case 3:
		do_mremap(p);
		break;
	case 4:
		t = some_target(p);
		ms_mprotect(t.mm, t.addr, t.len, below(p, 8));
		break;
	case 5:
		do_fork(p);
		break;
	case 6:
		t = some_target(p);
		ms_madvise(t.mm, t.addr, t.len, (enum ms_advice)below(p, MS_MADV_PAGEOUT + 1));
		break;
	case 7:
		do_guest(p);
		break;
	case 8:
		do_slot(p);
		break;
	case 9:
		do_ioctl(p);
		break;
	case 10:
		do_files(p);
		break;
	case 11:
		t = some_target(p);
		ms_get_user_page(t.mm, t.addr, below(p, 2), &pfn, NULL);
		break;
	case 12:
		ms_machine_fail_alloc(p->m, below(p, 30));
		break;
	case 13:
		if (bar)
			ms_device_set_memory(bar, below(p, 2));
		break;
	default:
		t = some_target(p);
		ms_touch(t.mm, t.addr, 1u << below(p, 3));
		break;
	}
	ms_linux_use(former);
}

/* ---- */

static bool begin(struct play *p)
{
	static const char *const release[] = { "5.10.223", "6.1.176", "6.1.192", "6.12.107",
					       "6.12.117", "6.17",    "7.2.13" };
	const unsigned int choice = byte(p);
	const enum ms_arch arch = choice & 0x80 ? MS_ARCH_ARM64 : MS_ARCH_X86_64;

	p->m = ms_machine_new(ms_policy_linux(release[choice % ARRAY_SIZE(release)], arch));
	if (!p->m)
		return false;
	ms_ram_add(p->m, RAM, SZ_16M);
	ms_device_add(p->m, "bar", BAR, SZ_8M);
	p->mm[0] = ms_mm_new(p->m);
	for (unsigned int i = 0; i < NR_FILES; i++)
		p->file[i] = ms_linux_file(p->m, i == 2 ? &prepare_fops : &driver_fops, O_RDWR, p);
	if (arch == MS_ARCH_ARM64)
		p->vm = ms_vm_new(p->mm[0], 40);
	ms_linux_use(p->m);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct play p = { .at = data, .end = data + size };
	size_t wrong;
	bool blamed;

	if (!begin(&p))
		return 0;
	while (p.at < p.end && p.steps < MOST_STEPS)
		step(&p);
	ms_machine_fail_alloc(p.m, 0);
	for (unsigned int i = 0; i < NR_MMS; i++)
		ms_mm_exit(p.mm[i]);
	blamed = ms_violations(p.m);
	wrong = ms_machine_check(p.m, blamed ? NULL : stderr);
	if (wrong && !blamed)
		fuzz_fail("%zu things are not in order, and there is no violation", wrong);
	ms_machine_free(p.m);
	return 0;
}
