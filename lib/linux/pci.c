/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI devices that a test makes, and the drivers that are probed for them. Written against linux.h,
 * as file.c.
 */
#include <mapsim/linux.h>

#include <mapsim/linux/pci.h>

#include "core/pointer.h"
#include "core/refusal.h"
#include "linux/bridge.h"

struct bus {
	struct pci_dev *devices;
	struct pci_driver *drivers;
	unsigned int next_slot;
};

static struct bus *bus_of(struct ms_machine *m)
{
	void **place = m ? ms_linux_bus(m) : NULL;

	if (place && !*place)
		*place = ms_linux_zalloc(m, sizeof(struct bus));
	return place ? *place : NULL;
}

/* ---- devices ---- */

struct pci_dev *ms_linux_pci_device(struct ms_machine *m, unsigned int vendor, unsigned int device)
{
	struct bus *bus = bus_of(m);
	struct pci_dev *pdev = bus ? ms_linux_zalloc(m, sizeof(*pdev)) : NULL;

	if (!m)
		return ms_refusal_null(-EINVAL);
	if (!pdev)
		return ms_refuse_null(m, -ENOMEM, "no memory");
	pdev->vendor = (unsigned short)vendor;
	pdev->device = (unsigned short)device;
	pdev->devfn = PCI_DEVFN(bus->next_slot, 0);
	pdev->bus = &pdev->ms_bus;
	pdev->dma_mask = DMA_BIT_MASK(32);
	pdev->dev.dma_mask = &pdev->dma_mask;
	snprintf(pdev->dev.ms_name, sizeof(pdev->dev.ms_name), "0000:00:%02x.0", bus->next_slot++);
	device_initialize(&pdev->dev);
	pdev->ms_next = bus->devices;
	bus->devices = pdev;
	return pdev;
}

int ms_linux_pci_bar(struct pci_dev *pdev, unsigned int index, u64 start, u64 size,
		     unsigned long flags)
{
	if (!pdev || index >= PCI_STD_NUM_BARS || !size || start + size < start)
		return -EINVAL;
	pdev->resource[index] = (struct resource){
		.start = start, .end = start + size - 1, .name = dev_name(&pdev->dev), .flags = flags
	};
	return 0;
}

// mirrors pci_match_one_device(), drivers/pci/pci.h, 5.10+
static bool matches(const struct pci_device_id *id, const struct pci_dev *pdev)
{
	return (id->vendor == PCI_ANY_ID || id->vendor == pdev->vendor) &&
	       (id->device == PCI_ANY_ID || id->device == pdev->device) &&
	       (id->subvendor == PCI_ANY_ID || id->subvendor == pdev->subsystem_vendor) &&
	       (id->subdevice == PCI_ANY_ID || id->subdevice == pdev->subsystem_device) &&
	       !((id->class ^ pdev->class) & id->class_mask);
}

// mirrors pci_match_id(), drivers/pci/pci-driver.c, 5.10+
static const struct pci_device_id *match(const struct pci_driver *driver,
					 const struct pci_dev *pdev)
{
	const struct pci_device_id *id = driver->id_table;

	for (; id && (id->vendor || id->subvendor || id->class_mask); id++)
		if (matches(id, pdev))
			return id;
	return NULL;
}

/* What was managed goes, whatever the driver does. */
static void end_managed(struct pci_dev *pdev)
{
	ms_linux_devres_release_all(&pdev->dev);
	pdev->driver = NULL;
	pdev->dev.driver = NULL;
	dev_set_drvdata(&pdev->dev, NULL);
}

/* ENODEV and ENXIO say that it is no device for the driver: nothing is wrong.
 * mirrors local_pci_probe(), drivers/pci/pci-driver.c, 5.10+ */
static int probe(struct pci_driver *driver, struct pci_dev *pdev)
{
	const struct pci_device_id *id = match(driver, pdev);
	int err;

	if (!id || pdev->driver || !driver->probe)
		return 0;
	pdev->driver = driver;
	driver->driver.name = driver->name;
	pdev->dev.driver = &driver->driver;
	err = driver->probe(pdev, id);
	if (err > 0) {
		ms_linux_violation("probe of a PCI driver answers more than 0");
		err = 0;
	}
	if (err)
		end_managed(pdev);
	return err;
}

static void detach(struct pci_dev *pdev)
{
	if (!pdev->driver)
		return;
	if (pdev->driver->remove)
		pdev->driver->remove(pdev);
	end_managed(pdev);
	if (pdev->ms_enabled)
		ms_linux_violation("a PCI driver leaves its device enabled");
	pdev->ms_enabled = 0;
}

int ms_linux_pci_found(struct pci_dev *pdev)
{
	struct bus *bus = bus_of(ms_linux_machine());
	int err = 0;

	if (!pdev || pdev->ms_found || !bus)
		return -EINVAL;
	pdev->ms_found = true;
	for (struct pci_driver *driver = bus->drivers; driver && !pdev->driver && !err;
	     driver = driver->ms_next)
		err = probe(driver, pdev);
	return err;
}

void ms_linux_pci_free(struct pci_dev *pdev)
{
	struct ms_machine *m = ms_linux_machine();
	struct bus *bus = pdev ? bus_of(m) : NULL;

	for (struct pci_dev **p = bus ? &bus->devices : NULL; p && *p; p = &(*p)->ms_next) {
		if (*p != pdev)
			continue;
		detach(pdev);
		*p = pdev->ms_next;
		if (pdev->dev.ms_users > 1)
			ms_linux_violation("a PCI device goes, and somebody holds it");
		ms_linux_release(m, pdev);
		return;
	}
}

/* ---- drivers ---- */

/* A probe that fails leaves the driver registered. */
int ms_linux_pci_register_driver(struct pci_driver *driver)
{
	struct ms_machine *m = ms_linux_machine();
	struct bus *bus = bus_of(m);

	if (!m || !driver || !driver->name)
		return -EINVAL;
	if (!bus)
		return ms_refuse(m, -ENOMEM, "no memory");
	for (const struct pci_driver *other = bus->drivers; other; other = other->ms_next)
		if (!strcmp(other->name, driver->name))
			return ms_refuse(m, -EBUSY, "a PCI driver of this name is registered");
	driver->ms_next = bus->drivers;
	bus->drivers = driver;
	for (struct pci_dev *pdev = bus->devices; pdev; pdev = pdev->ms_next)
		if (pdev->ms_found && probe(driver, pdev))
			dev_warn(&pdev->dev, "probe with driver %s failed", driver->name);
	return 0;
}

struct pci_driver *ms_linux_pci_driver_at(struct ms_machine *m, size_t i)
{
	const struct bus *bus = bus_of(m);
	struct pci_driver *driver = bus ? bus->drivers : NULL;

	while (driver && i--)
		driver = driver->ms_next;
	return driver;
}

void ms_linux_pci_unregister_driver(struct pci_driver *driver)
{
	struct bus *bus = driver ? bus_of(ms_linux_machine()) : NULL;

	for (struct pci_driver **p = bus ? &bus->drivers : NULL; p && *p; p = &(*p)->ms_next) {
		if (*p != driver)
			continue;
		*p = driver->ms_next;
		for (struct pci_dev *pdev = bus->devices; pdev; pdev = pdev->ms_next)
			if (pdev->driver == driver)
				detach(pdev);
		return;
	}
	if (bus)
		ms_linux_violation("pci_unregister_driver of what is not registered");
}

/* ---- enabling, claims ---- */

static void disable_managed(void *data)
{
	ms_linux_pci_disable(data);
}

int ms_linux_pci_enable(struct pci_dev *pdev, bool managed)
{
	if (!pdev)
		return -EINVAL;
	pdev->ms_enabled++;
	return managed ? devm_add_action_or_reset(&pdev->dev, disable_managed, pdev) : 0;
}

void ms_linux_pci_disable(struct pci_dev *pdev)
{
	if (!pdev)
		return;
	if (!pdev->ms_enabled) {
		ms_linux_violation("disabling already-disabled device");
		return;
	}
	pdev->ms_enabled--;
}

static void unclaim_managed(void *data)
{
	struct pci_dev *pdev = data;

	ms_linux_pci_unclaim(pdev, pdev->ms_managed);
	pdev->ms_managed = 0;
}

/* All of these BARs, or none: those that the device does not have do not count. */
int ms_linux_pci_claim(struct pci_dev *pdev, unsigned int bars, const char *name, bool managed)
{
	unsigned int claimed = 0;

	if (!pdev)
		return -EINVAL;
	for (unsigned int i = 0; i < PCI_STD_NUM_BARS; i++) {
		const struct resource *res = &pdev->resource[i];

		if (!(bars >> i & 1) || !res->end)
			continue;
		if ((pdev->ms_claimed >> i & 1) ||
		    !request_mem_region(res->start, resource_size(res), name)) {
			ms_linux_pci_unclaim(pdev, claimed);
			return -EBUSY;
		}
		claimed |= 1u << i;
		pdev->ms_claimed |= 1u << i;
	}
	if (!managed || !claimed)
		return 0;
	const bool first = !pdev->ms_managed;

	pdev->ms_managed |= claimed;
	return first ? devm_add_action_or_reset(&pdev->dev, unclaim_managed, pdev) : 0;
}

void ms_linux_pci_unclaim(struct pci_dev *pdev, unsigned int bars)
{
	for (unsigned int i = 0; pdev && i < PCI_STD_NUM_BARS; i++) {
		const struct resource *res = &pdev->resource[i];

		if (!(bars >> i & 1) || !(pdev->ms_claimed >> i & 1))
			continue;
		pdev->ms_claimed &= ~(1u << i);
		release_mem_region(res->start, resource_size(res));
	}
}

/* ---- a machine's state ---- */

static void hash_device(struct ms_hash *h, const struct pci_dev *pdev)
{
	ms_linux_hash_object(h, pdev);
	ms_linux_hash_add(h, (u64)pdev->vendor << 48 | (u64)pdev->device << 32 |
				     (u64)pdev->subsystem_vendor << 16 | pdev->subsystem_device);
	ms_linux_hash_add(h, (u64)pdev->class << 32 | (u64)pdev->revision << 16 | pdev->devfn);
	ms_linux_hash_add(h, pdev->irq);
	ms_linux_hash_add(h, pdev->dma_mask);
	ms_linux_hash_add(h, pdev->dev.coherent_dma_mask);
	ms_linux_hash_add(h, (u64)pdev->ms_enabled << 32 | (u64)pdev->ms_claimed << 16 |
				     (u64)pdev->ms_managed << 4 | (u64)pdev->ms_found << 2 |
				     (u64)pdev->is_busmaster << 1 | pdev->non_compliant_bars);
	for (unsigned int i = 0; i < PCI_STD_NUM_BARS; i++) {
		ms_linux_hash_add(h, pdev->resource[i].start);
		ms_linux_hash_add(h, pdev->resource[i].end);
		ms_linux_hash_add(h, pdev->resource[i].flags);
	}
	ms_linux_hash_text(h, pdev->driver ? pdev->driver->name : "");
	ms_linux_hash_word(h, pdev->dev.driver_data);
	ms_linux_hash_word(h, pdev->dev.ms_devres);
	ms_linux_hash_add(h, (u64)pdev->dev.ms_users << 32 | pdev->dev.ms_awake);
}

/* Devices in the order of their slots, of drivers the newest first, as they are probed. */
void ms_linux_bus_hash(struct ms_hash *h, const void *place)
{
	const struct bus *bus = place;

	ms_linux_hash_add(h, bus ? bus->next_slot : 0);
	for (const struct pci_dev *pdev = bus ? bus->devices : NULL; pdev; pdev = pdev->ms_next)
		hash_device(h, pdev);
	for (const struct pci_driver *d = bus ? bus->drivers : NULL; d; d = d->ms_next)
		ms_linux_hash_text(h, d->name);
}

/* ---- a machine's end ---- */

void ms_linux_bus_walk(struct ms_machine *m, const void *place,
		       void (*fn)(struct ms_machine *m, const char *what, const char *name))
{
	const struct bus *bus = place;

	for (const struct pci_driver *d = bus ? bus->drivers : NULL; d; d = d->ms_next)
		fn(m, "PCI driver %s is never unregistered", d->name);
}

const char *ms_linux_bus_use(const void *place, uintptr_t from, uintptr_t to)
{
	const struct bus *bus = place;

	for (const struct pci_driver *d = bus ? bus->drivers : NULL; d; d = d->ms_next)
		if (ms_lies_in(d, from, to) || ms_lies_in(d->name, from, to))
			return "a registered PCI driver";
	return NULL;
}

void ms_linux_bus_destroy(struct ms_machine *m, void *place)
{
	struct bus *bus = place;

	for (struct pci_dev *pdev = bus ? bus->devices : NULL, *next; pdev; pdev = next) {
		next = pdev->ms_next;
		ms_linux_release(m, pdev);
	}
	ms_linux_release(m, bus);
}

/* ---- mapping a BAR ---- */

/* mirrors pci_mmap_resource_range(), drivers/pci/mmap.c, 5.10+ */
int ms_linux_pci_mmap_resource_range(struct pci_dev *pdev, int bar, struct vm_area_struct *vma,
				     enum pci_mmap_state mmap_state, int write_combine)
{
	static const struct vm_operations_struct ops = { .access = generic_access_phys };
	unsigned int shift;
	uint64_t pages;

	if (!pdev || !vma || bar < 0 || bar >= DEVICE_COUNT_RESOURCE || !pci_resource_len(pdev, bar))
		return -EINVAL;
	// the library's own PAGE_SHIFT says nothing of the machine's
	shift = ms_linux_page_shift(ms_mm_machine(vma->vm_mm));
	pages = ((pci_resource_len(pdev, bar) - 1) >> shift) + 1;
	if (vma->vm_pgoff >= pages ||
	    (vma->vm_end - vma->vm_start) >> shift > pages - vma->vm_pgoff)
		return ms_linux_refuse(-EINVAL, "pci_mmap_resource_range of more than the BAR has");
	if (mmap_state == pci_mmap_io)
		return ms_linux_refuse(-EINVAL, "pci_mmap_resource_range of ports");
	vma->vm_page_prot = write_combine ? pgprot_writecombine(vma->vm_page_prot)
					  : pgprot_device(vma->vm_page_prot);
	vma->vm_pgoff += pci_resource_start(pdev, bar) >> shift;
	vma->vm_ops = &ops;
	return io_remap_pfn_range(vma, vma->vm_start, vma->vm_pgoff, vma->vm_end - vma->vm_start,
				  vma->vm_page_prot);
}
