/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio-pci 5.8 .. 6.9: the first fault maps the whole VMA and enters it on a list; turning memory
 * off zaps the VMAs on the list. A VMA object that appears (split, fork, move) is emptied, so that
 * it enters the list by a fault of its own. vm_pgoff is the physical page.
 */
#include "drivers/internal.h"

static void zap_whole(struct ms_vma *vma)
{
	ms_zap_vma_ptes(vma, vma->vm_start, vma->vm_end - vma->vm_start);
}

static struct ms_vfio_vma *list_find(const struct ms_vfio *dev, const struct ms_vma *vma)
{
	struct ms_vfio_vma *v;

	TAILQ_FOREACH (v, &dev->vmas, link)
		if (v->vma == vma)
			return v;
	return NULL;
}

static void list_del(struct ms_vfio *dev, struct ms_vfio_vma *v)
{
	TAILQ_REMOVE(&dev->vmas, v, link);
	ms_free(&dev->machine->alloc, v);
}

// mirrors __vfio_pci_add_vma(), drivers/vfio/pci/vfio_pci.c, 5.10 .. 5.14; __vfio_pci_add_vma(),
// drivers/vfio/pci/vfio_pci_core.c, 5.15 .. 6.9: at the head
static int add_vma(struct ms_vfio *dev, struct ms_vma *vma)
{
	struct ms_vfio_vma *v = ms_zalloc(&dev->machine->alloc, sizeof(*v));

	if (!v)
		return ms_refuse(dev->machine, -ENOMEM, "no memory");
	v->vma = vma;
	TAILQ_INSERT_HEAD(&dev->vmas, v, link);
	return 0;
}

static int remap_whole(struct ms_vma *vma)
{
	return ms_remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}

// mirrors vfio_pci_mmap_open(), drivers/vfio/pci/vfio_pci.c, 5.10 .. 5.14; vfio_pci_mmap_open(),
// drivers/vfio/pci/vfio_pci_core.c, 5.15 .. 6.9
static void vfio_pci_mmap_open(struct ms_vma *vma)
{
	zap_whole(vma);
}

// The kernel takes one entry off. A second one (V1_LIST_FIRST) would point to freed memory.
// mirrors vfio_pci_mmap_close(), drivers/vfio/pci/vfio_pci.c, 5.10 .. 5.14; vfio_pci_mmap_close(),
// drivers/vfio/pci/vfio_pci_core.c, 5.15 .. 6.9
static void vfio_pci_mmap_close(struct ms_vma *vma)
{
	struct ms_vfio *dev = vma->vm_private_data;
	struct ms_vfio_vma *v = list_find(dev, vma);

	if (!v)
		return;
	list_del(dev, v);
	while ((v = list_find(dev, vma))) {
		ms_violation_by(dev->machine, MS_VIOLATION_KERNEL,
				"vfio: a closed VMA is still on the list", vma->vm_start, 0);
		list_del(dev, v);
	}
}

// 5.10.13 and older: nobody asks whether the VMA is on the list, and an error leaves it there
static ms_vm_fault_t fault_list_first(struct ms_vfio *dev, struct ms_vma *vma)
{
	const uint64_t before = ms_refusals(dev->machine);

	if (add_vma(dev, vma))
		return MS_VM_FAULT_OOM;
	return remap_whole(vma) ? ms_fault_sigbus(dev->machine, before) : MS_VM_FAULT_NOPAGE;
}

static ms_vm_fault_t fault_recheck(struct ms_vfio *dev, struct ms_vma *vma)
{
	const uint64_t before = ms_refusals(dev->machine);

	if (list_find(dev, vma))
		return MS_VM_FAULT_NOPAGE;
	if (remap_whole(vma)) {
		zap_whole(vma);
		return ms_fault_sigbus(dev->machine, before);
	}
	if (add_vma(dev, vma)) {
		zap_whole(vma);
		return MS_VM_FAULT_OOM;
	}
	return MS_VM_FAULT_NOPAGE;
}

// vma_lock is held until the VMA is on the list.
static ms_vm_fault_t fault_locked(struct ms_vfio *dev, struct ms_vma *vma)
{
	ms_vm_fault_t ret;

	dev->vma_locked = true;
	ret = fault_recheck(dev, vma);
	dev->vma_locked = false;
	return ret;
}

// mirrors vfio_pci_mmap_fault(), drivers/vfio/pci/vfio_pci.c, 5.10 .. 5.14; vfio_pci_mmap_fault(),
// drivers/vfio/pci/vfio_pci_core.c, 5.15 .. 6.9
static ms_vm_fault_t vfio_pci_mmap_fault(struct ms_vm_fault *vmf)
{
	struct ms_vfio *dev = vmf->vma->vm_private_data;
	ms_vm_fault_t ret;

	if (dev->vma_locked)
		return ms_vfio_fault_waits(dev, "vma_lock");
	if (!dev->memory_enabled)
		return ms_vfio_memory_off(dev, vmf->address);
	dev->memory_readers++;
	ret = dev->machine->policy.vfio == MS_VFIO_V1_LIST_FIRST ? fault_list_first(dev, vmf->vma)
								 : fault_locked(dev, vmf->vma);
	dev->memory_readers--;
	return ret;
}

static const struct ms_vm_ops vfio_pci_mmap_ops = {
	.open = vfio_pci_mmap_open,
	.close = vfio_pci_mmap_close,
	.fault = vfio_pci_mmap_fault,
};

// What was proposed in 2020 and not merged: mmap does the first fault's work at once.
static int prepopulate(struct ms_vfio *dev, struct ms_vma *vma)
{
	int err = add_vma(dev, vma);

	if (err)
		return err;
	err = remap_whole(vma);
	if (err)
		list_del(dev, TAILQ_FIRST(&dev->vmas));
	return err;
}

int ms_vfio_v1_mmap(struct ms_vfio *dev, struct ms_vma *vma)
{
	const struct ms_machine *m = dev->machine;
	const uint64_t in_region = (UINT64_C(1) << (MS_VFIO_OFFSET_SHIFT - m->page_shift)) - 1;

	vma->vm_pgoff = (ms_device_pa(dev->bar) >> m->page_shift) + (vma->vm_pgoff & in_region);
	vma->vm_ops = &vfio_pci_mmap_ops;
	return dev->prepopulate && dev->memory_enabled ? prepopulate(dev, vma) : 0;
}

static struct ms_vfio_vma *list_find_mm(const struct ms_vfio *dev, const struct ms_mm *mm)
{
	struct ms_vfio_vma *v;

	TAILQ_FOREACH (v, &dev->vmas, link)
		if (v->vma->vm_mm == mm)
			return v;
	return NULL;
}

const char *ms_vfio_v1_zap_waits(const struct ms_vfio *dev)
{
	const struct ms_vfio_vma *v;

	if (dev->vma_locked)
		return "vma_lock";
	TAILQ_FOREACH (v, &dev->vmas, link)
		if (ms_mm_fault_waits(v->vma->vm_mm))
			return "a process's mmap lock or an MMU lock";
	return NULL;
}

// The mm at the head of the list comes first, with all of its VMAs.
// mirrors vfio_pci_zap_and_vma_lock(), drivers/vfio/pci/vfio_pci.c, 5.10 .. 5.14;
// vfio_pci_zap_and_vma_lock(), drivers/vfio/pci/vfio_pci_core.c, 5.15 .. 6.9
void ms_vfio_v1_zap(struct ms_vfio *dev)
{
	struct ms_vfio_vma *v;

	while ((v = TAILQ_FIRST(&dev->vmas))) {
		const struct ms_mm *mm = v->vma->vm_mm;

		// Each time from the start: a notifier may have changed the list.
		while ((v = list_find_mm(dev, mm))) {
			struct ms_vma *vma = v->vma;

			list_del(dev, v);
			dev->vma_locked = true;
			zap_whole(vma);
			dev->vma_locked = false;
		}
	}
}
