/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio-pci: the device, its files, its hold on the BAR, and the checks of mmap. How pages come and
 * go is the regime's: vfio_v1.c (5.8 .. 6.9) and vfio_v3.c (6.10+). Mirrors
 * drivers/vfio/pci/vfio_pci_core.c (5.10: vfio_pci.c).
 */
#include "drivers/internal.h"

// Is there a list of the VMAs that show the BAR?
static bool has_list(const struct ms_policy *policy)
{
	return policy->vfio == MS_VFIO_V1_LIST_FIRST || policy->vfio == MS_VFIO_V1_RECHECK;
}

static uint64_t bar_name(const struct ms_vfio *dev)
{
	return ms_refusal_text(ms_device_name(dev->bar));
}

// vfio_pci_core_device.barmap: the region is requested and, for the driver's own use, ioremapped.
// On x86 this holds a UC- memtype over the BAR until the device is closed.
// mirrors vfio_pci_setup_barmap(), drivers/vfio/pci/vfio_pci_rdwr.c, 5.10 .. 6.7;
// vfio_pci_core_setup_barmap(), drivers/vfio/pci/vfio_pci_rdwr.c, 6.8 .. 7.1
static int map_bar(struct ms_device *bar, bool *mapped)
{
	struct ms_machine *m = ms_device_machine(bar);
	const ms_pa_t pa = ms_device_pa(bar);
	const uint64_t size = ms_device_size(bar);
	const enum ms_cache type = ms_is_x86(m) ? MS_CACHE_UC_MINUS : MS_CACHE_NGNRE;
	const uint64_t before = ms_refusals(m);

	if (*mapped)
		return 0;
	if (ms_iomem_claim(m, pa, size))
		// pci_request_selected_regions() knows no other error
		return ms_answered_as(m, before, -EBUSY);
	if (ms_ioremap(m, pa, size, type)) {
		ms_iomem_release(m, pa, size);
		return ms_answered_as(m, before, -ENOMEM);
	}
	*mapped = true;
	return 0;
}

static void unmap_bar(struct ms_device *bar, bool *mapped)
{
	struct ms_machine *m = ms_device_machine(bar);
	const ms_pa_t pa = ms_device_pa(bar);
	const uint64_t size = ms_device_size(bar);

	if (!*mapped)
		return;
	ms_iounmap(m, pa, size);
	ms_iomem_release(m, pa, size);
	*mapped = false;
}

static struct ms_vfio_bar *other_bar(const struct ms_vfio *dev, unsigned int index)
{
	struct ms_vfio_bar *other;

	LIST_FOREACH (other, &dev->machine->drivers->vfio_bars, link)
		if (other->of == dev->bar && other->index == index)
			return other;
	return NULL;
}

// vfio_pci_core_map_bars(): that a BAR cannot be had is no reason not to open the device
// mirrors vfio_pci_core_map_bars(), drivers/vfio/pci/vfio_pci_core.c, 7.1+
static void map_all_bars(struct ms_vfio *dev)
{
	for (unsigned int i = 0; i < MS_VFIO_ROM_REGION; i++) {
		struct ms_vfio_bar *other = other_bar(dev, i);

		if (i == dev->index)
			dev->map_error = map_bar(dev->bar, &dev->mapped);
		else if (other)
			map_bar(other->bar, &other->mapped);
	}
}

// vfio_pci_core_disable(): whatever is held, the lowest first
// mirrors vfio_pci_disable(), drivers/vfio/pci/vfio_pci.c, 5.10 .. 5.14; vfio_pci_core_disable(),
// drivers/vfio/pci/vfio_pci_core.c, 5.15+
static void unmap_all_bars(struct ms_vfio *dev)
{
	for (unsigned int i = 0; i < MS_VFIO_ROM_REGION; i++) {
		struct ms_vfio_bar *other = other_bar(dev, i);

		if (i == dev->index)
			unmap_bar(dev->bar, &dev->mapped);
		else if (other)
			unmap_bar(other->bar, &other->mapped);
	}
}

// policy vfio_bar_claim: 7.2 keeps the result of the attempt made when the device was opened
static int barmap(struct ms_vfio *dev)
{
	const char *missing = dev->map_error == -EBUSY ? "claimed" : "ioremapped";

	if (dev->machine->policy.vfio_bar_claim != MS_VFIO_BAR_CLAIM_DEVICE_OPEN)
		return map_bar(dev->bar, &dev->mapped);
	if (!dev->map_error)
		return 0;
	return ms_refuse(dev->machine, dev->map_error,
			 "BAR %s could not be %s when its device was opened", bar_name(dev),
			 ms_refusal_text(missing));
}

// vfio_pci_probe_mmaps(): a BAR smaller than a page must start one
// mirrors vfio_pci_probe_mmaps(), drivers/vfio/pci/vfio_pci.c, 5.10 .. 5.14;
// vfio_pci_probe_mmaps(), drivers/vfio/pci/vfio_pci_core.c, 5.15+
static bool bar_mmap_supported(const struct ms_vfio *dev)
{
	const uint64_t page_size = dev->machine->page_size;

	return ms_device_size(dev->bar) >= page_size ||
	       ms_aligned(ms_device_pa(dev->bar), page_size);
}

// The checks of vfio_pci_core_mmap(), in its order.
static int mmap_check(const struct ms_vfio *dev, const struct ms_vma *vma)
{
	struct ms_machine *m = dev->machine;
	const unsigned int index_shift = MS_VFIO_OFFSET_SHIFT - m->page_shift;
	const uint64_t index = vma->vm_pgoff >> index_shift;
	const uint64_t pgoff = vma->vm_pgoff & ((UINT64_C(1) << index_shift) - 1);
	const uint64_t bar_size = ms_align_up(ms_device_size(dev->bar), m->page_size);

	if (!(vma->vm_flags & MS_VM_SHARED))
		return ms_refuse(m, -EINVAL, "vfio maps nothing MAP_PRIVATE");
	// the other BARs of this device have no length
	if (index >= MS_VFIO_ROM_REGION || index != dev->index)
		return ms_refuse(m, -EINVAL, "the offset is in region %u, BAR %s is region %u",
				 index, bar_name(dev), dev->index);
	if (!bar_mmap_supported(dev))
		return ms_refuse(m, -EINVAL,
				 "BAR %s has %x bytes, less than a page, and %x does not begin one",
				 bar_name(dev), ms_device_size(dev->bar), ms_device_pa(dev->bar));
	if ((pgoff << m->page_shift) + (vma->vm_end - vma->vm_start) > bar_size)
		return ms_refuse(m, -EINVAL, "%x bytes at %x of BAR %s, which has %x",
				 vma->vm_end - vma->vm_start, pgoff << m->page_shift, bar_name(dev),
				 bar_size);
	return 0;
}

// mirrors vfio_pci_mmap(), drivers/vfio/pci/vfio_pci.c, 5.10 .. 5.14; vfio_pci_core_mmap(),
// drivers/vfio/pci/vfio_pci_core.c, 5.15+
static int vfio_pci_mmap(struct ms_file *file, struct ms_vma *vma)
{
	struct ms_vfio_file *f = ms_file_priv(file);
	struct ms_vfio *dev = f->dev;
	const struct ms_policy *policy = &dev->machine->policy;
	int err = mmap_check(dev, vma);

	if (!err)
		err = barmap(dev);
	if (err)
		return err;
	vma->vm_private_data = dev;
	vma->vm_page_prot = ms_pgprot_noncached(vma->vm_page_prot);
	vma->vm_flags |= MS_VM_IO | MS_VM_PFNMAP | MS_VM_DONTEXPAND | MS_VM_DONTDUMP;
	if (policy->vfio_uncached_flag == MS_VFIO_UNCACHED_FLAG_YES)
		vma->vm_flags |= MS_VM_ALLOW_ANY_UNCACHED;
	return has_list(policy) ? ms_vfio_v1_mmap(dev, vma) : ms_vfio_v3_mmap(dev, vma);
}

ms_vm_fault_t ms_vfio_memory_off(const struct ms_vfio *dev, ms_hva_t addr)
{
	ms_refuse(dev->machine, -EFAULT, "%x: the memory of device %s is turned off", addr,
		  bar_name(dev));
	return MS_VM_FAULT_SIGBUS;
}

static int refuse_locked(const struct ms_vfio *dev, const char *lock)
{
	return ms_refuse(dev->machine, -EBUSY,
			 "device %s: a hook asks, and what it interrupted holds %s", bar_name(dev),
			 ms_refusal_text(lock));
}

ms_vm_fault_t ms_vfio_fault_waits(const struct ms_vfio *dev, const char *lock)
{
	refuse_locked(dev, lock);
	return MS_VM_FAULT_RETRY; // the kernel sleeps
}

static int bar_cmp(const struct ms_vfio *a, const struct ms_vfio *b)
{
	const ms_pa_t a_pa = ms_device_pa(a->bar), b_pa = ms_device_pa(b->bar);

	return a_pa < b_pa ? -1 : a_pa > b_pa;
}

RB_GENERATE_INTERNAL(ms_vfio_by_bar, ms_vfio, by_bar, bar_cmp, static __attribute__((unused)))

static int file_cmp(const struct ms_vfio_file *a, const struct ms_vfio_file *b)
{
	const uintptr_t a_file = (uintptr_t)a->file, b_file = (uintptr_t)b->file;

	return a_file < b_file ? -1 : a_file > b_file;
}

RB_GENERATE_INTERNAL(ms_vfio_by_file, ms_vfio_file, by_file, file_cmp,
		     static __attribute__((unused)))

static void device_forget(struct ms_vfio *dev)
{
	LIST_REMOVE(dev, link);
	RB_REMOVE(ms_vfio_by_bar, &dev->machine->drivers->vfio_by_bar, dev);
	ms_free(&dev->machine->alloc, dev);
}

// vfio_pci_core_close_device(), with the last file
// mirrors vfio_pci_release(), drivers/vfio/pci/vfio_pci.c, 5.10 .. 5.14;
// vfio_pci_core_close_device(), drivers/vfio/pci/vfio_pci_core.c, 5.15+
static void vfio_pci_release(struct ms_file *file)
{
	struct ms_vfio_file *f = ms_file_priv(file);
	struct ms_vfio *dev = f->dev;
	struct ms_machine *m = dev->machine;

	LIST_REMOVE(f, link);
	RB_REMOVE(ms_vfio_by_file, &m->drivers->vfio_by_file, f);
	ms_free(&m->alloc, f);
	if (--dev->opened)
		return;
	unmap_all_bars(dev);
	ms_device_set_memory(dev->bar, true); // pci_restore_state()
	device_forget(dev);
}

static const struct ms_file_ops vfio_device_fops = {
	.name = "vfio",
	.mmap = vfio_pci_mmap,
	.punch_hole = ms_no_regular_file,
	.release = vfio_pci_release,
};

static struct ms_vfio *device_find(const struct ms_machine *m, struct ms_device *bar)
{
	return RB_FIND(ms_vfio_by_bar, &m->drivers->vfio_by_bar, &(struct ms_vfio){ .bar = bar });
}

static struct ms_vfio *device_new(struct ms_machine *m, struct ms_device *bar, unsigned int index)
{
	struct ms_vfio *dev = ms_zalloc(&m->alloc, sizeof(*dev));

	if (!dev)
		return ms_refuse_null(m, -ENOMEM, "no memory");
	dev->machine = m;
	dev->bar = bar;
	dev->index = index;
	dev->memory_enabled = true;
	TAILQ_INIT(&dev->vmas);
	LIST_INSERT_HEAD(&m->drivers->vfio_devices, dev, link);
	RB_INSERT(ms_vfio_by_bar, &m->drivers->vfio_by_bar, dev);
	return dev;
}

static struct ms_file *device_open_file(struct ms_vfio *dev)
{
	struct ms_machine *m = dev->machine;
	const bool noexec = m->policy.vfio_noexec == MS_VFIO_NOEXEC_YES;
	struct ms_vfio_file *f = ms_zalloc(&m->alloc, sizeof(*f));

	if (!f)
		return ms_refuse_null(m, -ENOMEM, "no memory");
	f->dev = dev;
	// The device's own address_space, whichever file a mapping was made through.
	f->file = ms_file_new(m, &vfio_device_fops,
			      MS_FMODE_READ | MS_FMODE_WRITE | (noexec ? MS_FMODE_NOEXEC : 0),
			      noexec ? INT64_MAX : UINT64_MAX, dev, f);
	if (!f->file) {
		ms_free(&m->alloc, f);
		return NULL;
	}
	LIST_INSERT_HEAD(&m->drivers->vfio_files, f, link);
	RB_INSERT(ms_vfio_by_file, &m->drivers->vfio_by_file, f);
	dev->opened++;
	return f->file;
}

static int check_index(struct ms_machine *m, unsigned int index)
{
	if (index < MS_VFIO_ROM_REGION)
		return 0;
	return ms_refuse(m, -EINVAL, "region %u is no BAR: these are below %u", index,
			 MS_VFIO_ROM_REGION);
}

struct ms_file *ms_vfio_open_region(struct ms_device *bar, unsigned int index)
{
	struct ms_machine *m;
	struct ms_vfio *dev;
	struct ms_file *file;

	if (!bar)
		return ms_refusal_null(-EINVAL);
	m = ms_device_machine(bar);
	if (check_index(m, index))
		return ms_refusal_null(-EINVAL);
	dev = device_find(m, bar);
	if (dev && dev->index != index)
		return ms_refuse_null(m, -EBUSY, "BAR %s is open as region %u", bar_name(dev),
				      dev->index);
	if (!dev)
		dev = device_new(m, bar, index);
	if (!dev)
		return NULL;
	file = device_open_file(dev);
	if (!file) {
		if (!dev->opened)
			device_forget(dev);
		return NULL;
	}
	if (dev->opened == 1 && m->policy.vfio_bar_claim == MS_VFIO_BAR_CLAIM_DEVICE_OPEN)
		map_all_bars(dev);
	return file;
}

int ms_vfio_add_bar(struct ms_device *bar, unsigned int index, struct ms_device *other)
{
	struct ms_vfio_bar *known, *added;
	struct ms_machine *m;

	if (!bar || !other)
		return -EINVAL;
	m = ms_device_machine(bar);
	if (check_index(m, index))
		return -EINVAL;
	if (bar == other)
		return ms_refuse(m, -EINVAL, "BAR %s cannot be another one of its device",
				 ms_refusal_text(ms_device_name(bar)));
	if (ms_device_machine(other) != m)
		return ms_refuse(m, -EINVAL, "the other BAR is of another machine");
	if (device_find(m, bar))
		return ms_refuse(m, -EINVAL, "the device of BAR %s is open",
				 ms_refusal_text(ms_device_name(bar)));
	LIST_FOREACH (known, &m->drivers->vfio_bars, link)
		if (known->bar == other || (known->of == bar && known->index == index))
			return ms_refuse(m, -EINVAL, "BAR %s is region %u of %s already",
					 ms_refusal_text(ms_device_name(known->bar)), known->index,
					 ms_refusal_text(ms_device_name(known->of)));
	added = ms_zalloc(&m->alloc, sizeof(*added));
	if (!added)
		return ms_refuse(m, -ENOMEM, "no memory");
	added->of = bar;
	added->bar = other;
	added->index = index;
	LIST_INSERT_HEAD(&m->drivers->vfio_bars, added, link);
	return 0;
}

struct ms_file *ms_vfio_open(struct ms_device *bar)
{
	struct ms_vfio *dev = bar ? device_find(ms_device_machine(bar), bar) : NULL;

	if (dev)
		return ms_vfio_open_region(bar, dev->index);
	return ms_vfio_open_region(bar, bar && ms_device_prefetchable(bar) ? 2 : 0);
}

static struct ms_vfio *file_device(const struct ms_file *file)
{
	struct ms_vfio_file key = { .file = (struct ms_file *)(uintptr_t)file }, *f;

	if (!file)
		return NULL;
	f = RB_FIND(ms_vfio_by_file, &ms_file_machine(file)->drivers->vfio_by_file, &key);
	return f ? f->dev : NULL;
}

static int refuse_file(const struct ms_file *file)
{
	if (!file)
		return -ENODEV;
	return ms_refuse(ms_file_machine(file), -ENODEV, "the file is no vfio device's");
}

uint64_t ms_vfio_offset(const struct ms_file *file)
{
	const struct ms_vfio *dev = file_device(file);

	return dev ? (uint64_t)dev->index << MS_VFIO_OFFSET_SHIFT : 0;
}

struct ms_device *ms_vfio_bar(const struct ms_file *file)
{
	const struct ms_vfio *dev = file_device(file);

	return dev ? dev->bar : NULL;
}

// Would the kernel wait, were it called where a hook runs? It takes memory_lock for writing: for
// that it waits for faults in the handler, and for another write. Up to 6.9 it zaps before it takes
// the lock: in V1_LIST_FIRST, where vma_lock does not stop the zap, that is done at once. The fault
// that the kernel then waits for has tested the bit already, and maps what survives the zap.
// Answers the lock's name, or NULL.
static const char *must_wait(const struct ms_vfio *dev, bool enabled)
{
	const char *lock = NULL;

	if (dev->memory_locked)
		return "memory_lock";
	if (!enabled && has_list(&dev->machine->policy))
		lock = ms_vfio_v1_zap_waits(dev);
	if (lock || (!enabled && dev->machine->policy.vfio == MS_VFIO_V1_LIST_FIRST))
		return lock;
	return dev->memory_readers ? "memory_lock" : NULL;
}

// Up to 6.9 the lock is taken behind the zap, which holds vma_lock; from 6.10 on before it.
// mirrors vfio_pci_zap_and_down_write_memory_lock(), drivers/vfio/pci/vfio_pci.c, 5.10 .. 5.14;
// vfio_pci_zap_and_down_write_memory_lock(), drivers/vfio/pci/vfio_pci_core.c, 5.15+
static void zap(struct ms_vfio *dev, struct ms_file *file)
{
	if (has_list(&dev->machine->policy)) {
		ms_vfio_v1_zap(dev);
		return;
	}
	dev->memory_locked = true;
	ms_vfio_v3_zap(file);
	dev->memory_locked = false;
}

// The write to PCI_COMMAND: the mappings go, also when the bit was clear, while the memory is still
// on. Nobody maps it again, as faults wait for a lock.
// mirrors vfio_basic_config_write(), drivers/vfio/pci/vfio_pci_config.c, 5.10+
int ms_vfio_set_memory(struct ms_file *file, bool enabled)
{
	struct ms_vfio *dev = file_device(file);
	const char *lock;

	if (!dev)
		return refuse_file(file);
	lock = must_wait(dev, enabled);
	if (lock)
		return refuse_locked(dev, lock);
	// A hook may put the file, and unmap it elsewhere.
	ms_file_get(file);
	if (!enabled)
		zap(dev, file);
	dev->memory_enabled = enabled;
	ms_device_set_memory(dev->bar, enabled);
	ms_file_drop(file);
	return 0;
}

int ms_vfio_set_prepopulate(struct ms_file *file, bool prepopulate)
{
	struct ms_vfio *dev = file_device(file);

	if (!dev)
		return refuse_file(file);
	dev->prepopulate = prepopulate;
	return 0;
}
