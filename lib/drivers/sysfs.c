/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /sys/bus/pci/devices/.../resourceN and resourceN_wc. Mirrors drivers/pci/mmap.c,
 * drivers/pci/pci-sysfs.c and, for what a file of sysfs does to its mappings, fs/kernfs/file.c.
 */
#include "drivers/internal.h"

// MAX_NON_LFS: s_maxbytes of a super_block that says nothing of its own
#define NON_LFS_MAX INT32_MAX

static uint64_t bar_pages(const struct ms_machine *m, const struct ms_device *bar)
{
	return ((ms_device_size(bar) - 1) >> m->page_shift) + 1;
}

// The offset counts from the BAR's start.
// mirrors pci_mmap_fits(), drivers/pci/pci-sysfs.c, 5.10 .. 6.1; pci_mmap_fits(),
// drivers/pci/mmap.c, 6.12+
static int pci_mmap_fits(struct ms_machine *m, const struct ms_device *bar,
			 const struct ms_vma *vma)
{
	const uint64_t size = bar_pages(m, bar);
	const uint64_t nr = (vma->vm_end - vma->vm_start) >> m->page_shift;

	if (vma->vm_pgoff < size && nr <= size - vma->vm_pgoff)
		return 0;
	return ms_refuse(m, -EINVAL, "%u pages from page %u on reach beyond BAR %s of %u pages", nr,
			 vma->vm_pgoff, ms_refusal_text(ms_device_name(bar)), size);
}

// mirrors kernfs_vma_open(), fs/kernfs/file.c, 5.10+
static void kernfs_vma_open(struct ms_vma *vma)
{
	(void)vma; // kernfs asks the vm_ops of pci_mmap_resource_range(), which have no ->open
}

// mirrors kernfs_vma_fault(), fs/kernfs/file.c, 5.10+
static ms_vm_fault_t kernfs_vma_fault(struct ms_vm_fault *vmf)
{
	// and no ->fault: what was zapped does not come back
	ms_refuse(ms_mm_machine(vmf->vma->vm_mm), -EFAULT,
		  "%x: a file of sysfs has no fault handler that would map it again", vmf->address);
	return MS_VM_FAULT_SIGBUS;
}

// mirrors kernfs_vma_page_mkwrite(), fs/kernfs/file.c, 5.10+
static ms_vm_fault_t kernfs_vma_page_mkwrite(struct ms_vm_fault *vmf)
{
	(void)vmf;
	return 0; // but that there is a page_mkwrite makes the kernel watch for the first write
}

// kernfs_vm_ops: no close, no may_split, no mremap
static const struct ms_vm_ops kernfs_vm_ops = {
	.open = kernfs_vma_open,
	.fault = kernfs_vma_fault,
	.page_mkwrite = kernfs_vma_page_mkwrite,
};

// pci_phys_vm_ops has `access` alone
static const struct ms_vm_ops pci_phys_vm_ops = { NULL };

// mirrors pci_mmap_resource_range(), drivers/pci/mmap.c, 5.10+
static int pci_mmap_resource_range(const struct ms_iomem_file *f, struct ms_vma *vma)
{
	const struct ms_machine *m = ms_mm_machine(vma->vm_mm);

	vma->vm_page_prot = f->write_combine ? ms_pgprot_writecombine(vma->vm_page_prot)
					     : ms_pgprot_device(vma->vm_page_prot);
	vma->vm_pgoff += ms_device_pa(f->bar) >> m->page_shift;
	vma->vm_ops = &pci_phys_vm_ops;
	return ms_remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

// mirrors kernfs_fop_mmap(), fs/kernfs/file.c, 5.10+; pci_mmap_resource(), drivers/pci/pci-sysfs.c,
// 5.10+
static int pci_resource_mmap(struct ms_file *file, struct ms_vma *vma)
{
	const struct ms_iomem_file *f = ms_file_priv(file);
	struct ms_machine *m = ms_file_machine(file);
	const ms_pa_t page = ms_align_down(ms_device_pa(f->bar), m->page_size);
	int err;

	if (ms_iomem_is_exclusive(m, page))
		return ms_iomem_refuse(m, -EINVAL, page, page + m->page_size);
	err = pci_mmap_fits(m, f->bar, vma);
	if (!err)
		err = pci_mmap_resource_range(f, vma);
	if (err)
		return err;
	vma->vm_ops = &kernfs_vm_ops;
	return 0;
}

// sysfs has no ->fallocate, but vfs_fallocate() compares with the file's size limit first. The
// offset comes from the VMA, whose vm_pgoff is the physical page by now.
// mirrors vfs_fallocate(), fs/open.c, 5.10+
static int pci_resource_punch_hole(struct ms_file *file, uint64_t off, uint64_t len)
{
	struct ms_machine *m = ms_file_machine(file);
	const uint64_t max =
		m->policy.madv_remove_sysfs == MS_MADV_REMOVE_SYSFS_EFBIG ? NON_LFS_MAX : INT64_MAX;

	if (off + len < off || off + len > max)
		return ms_refuse(m, -EFBIG, "%x bytes at %x reach beyond the largest file, %x", len,
				 off, max);
	return ms_refuse(m, -EOPNOTSUPP, "a file of sysfs has no fallocate");
}

static const struct ms_file_ops pci_resource_ops = {
	.name = "resource",
	.mmap = pci_resource_mmap,
	.punch_hole = pci_resource_punch_hole,
	.release = ms_iomem_file_release,
};

static const struct ms_file_ops pci_resource_wc_ops = {
	.name = "resource_wc",
	.mmap = pci_resource_mmap,
	.punch_hole = pci_resource_punch_hole,
	.release = ms_iomem_file_release,
};

// mirrors arch_can_pci_mmap_wc, arch/x86/include/asm/pci.h, 5.10+; arch_can_pci_mmap_wc,
// arch/arm64/include/asm/pci.h, 5.10+
static int check_wc_file(struct ms_machine *m, const struct ms_device *bar)
{
	if (!ms_device_prefetchable(bar))
		return ms_refuse(m, -ENOENT, "no resource_wc: BAR %s is not prefetchable",
				 ms_refusal_text(ms_device_name(bar)));
	if (ms_is_x86(m) && !ms_has(m->config.pat))
		return ms_refuse(m, -ENOENT, "no resource_wc: the PAT is off");
	return 0;
}

static struct ms_iomem_file *pci_resource_open(struct ms_device *bar, bool write_combine,
					       unsigned int fmode)
{
	struct ms_machine *m = ms_device_machine(bar);
	struct ms_iomem_file *f;
	const void *key = NULL;

	if (write_combine && check_wc_file(m, bar))
		return ms_refusal_null(-ENOENT);
	// up to 5.11 each of the two files has an address_space of its own; from 5.12 on they have
	// the one that revoke_iomem() empties
	if (m->policy.revoke_scope == MS_REVOKE_SCOPE_DEVMEM)
		key = (const char *)bar + write_combine;
	f = ms_iomem_file_open(m, write_combine ? &pci_resource_wc_ops : &pci_resource_ops,
			       (fmode & (MS_FMODE_READ | MS_FMODE_WRITE)) | MS_FMODE_NOEXEC,
			       INT64_MAX, key);
	if (!f)
		return NULL;
	f->bar = bar;
	f->write_combine = write_combine;
	return f;
}

struct ms_file *ms_pci_resource_open(struct ms_device *bar, bool write_combine, unsigned int fmode)
{
	struct ms_iomem_file *f;

	if (!bar)
		return ms_refusal_null(-EINVAL);
	f = pci_resource_open(bar, write_combine, fmode);
	return f ? f->file : NULL;
}

static int shared_cmp(const struct ms_iomem_file *a, const struct ms_iomem_file *b)
{
	const ms_pa_t a_pa = ms_device_pa(a->bar), b_pa = ms_device_pa(b->bar);

	if (a_pa != b_pa)
		return a_pa < b_pa ? -1 : 1;
	return a->write_combine - b->write_combine;
}

RB_GENERATE_INTERNAL(ms_shared_files, ms_iomem_file, by_bar, shared_cmp,
		     static __attribute__((unused)))

void ms_shared_file_forget(struct ms_iomem_file *f)
{
	RB_REMOVE(ms_shared_files, &ms_file_machine(f->file)->drivers->shared_files, f);
}

static struct ms_file *shared_resource(struct ms_device *bar, bool write_combine)
{
	struct ms_iomem_file key = { .bar = bar, .write_combine = write_combine }, *f;
	struct ms_shared_files *shared;

	if (!bar)
		return ms_refusal_null(-EINVAL);
	shared = &ms_device_machine(bar)->drivers->shared_files;
	f = RB_FIND(ms_shared_files, shared, &key);
	if (f)
		return f->file;
	f = pci_resource_open(bar, write_combine, MS_FMODE_READ | MS_FMODE_WRITE);
	if (!f)
		return NULL;
	f->shared = true;
	RB_INSERT(ms_shared_files, shared, f);
	return f->file;
}

struct ms_file *ms_pci_resource(struct ms_device *bar)
{
	return shared_resource(bar, false);
}

struct ms_file *ms_pci_resource_wc(struct ms_device *bar)
{
	return shared_resource(bar, true);
}
