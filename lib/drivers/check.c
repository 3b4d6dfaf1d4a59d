/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks the drivers' own state: claims do not overlap; vfio-pci knows its files and its VMAs. */
#include "core/check.h"
#include "drivers/internal.h"

/* Goes through the tree in order. *end: where the last claim that was seen ends. */
static void check_claims(struct ms_check *c, const struct ms_claim *claim, ms_pa_t *end)
{
	if (!claim)
		return;
	check_claims(c, RB_LEFT(claim, node), end);
	if (claim->start >= claim->end || claim->start < *end)
		ms_check_found(
			c, "claim %#" PRIx64 "-%#" PRIx64 ": empty, or not behind the one before",
			claim->start, claim->end);
	*end = claim->end;
	check_claims(c, RB_RIGHT(claim, node), end);
}

static void check_vfio(struct ms_check *c, const struct ms_vfio *dev)
{
	const struct ms_drivers *drivers = c->machine->drivers;
	const char *name = ms_device_name(dev->bar);
	const struct ms_vfio_file *f;
	const struct ms_vfio_vma *v;
	unsigned int files = 0;

	LIST_FOREACH (f, &drivers->vfio_files, link)
		files += f->dev == dev;
	if (!files || files != dev->opened)
		ms_check_found(c, "vfio %s: %u files, %u are counted", name, files, dev->opened);
	TAILQ_FOREACH (v, &dev->vmas, link) {
		if (!ms_check_is_vma(c->machine, v->vma))
			ms_check_found(c, "vfio %s: a VMA on its list is none any more", name);
		else if (v->vma->vm_private_data != dev)
			ms_check_found(c, "vfio %s: VMA %#" PRIx64 " on its list is not its own",
				       name, v->vma->vm_start);
	}
	if (dev->vma_locked || dev->memory_locked || dev->memory_readers)
		ms_check_found(c, "vfio %s: a lock is held", name);
}

void ms_drivers_check(struct ms_check *c)
{
	const struct ms_drivers *drivers = c->machine->drivers;
	const struct ms_iomem_file *iomem;
	const struct ms_vfio_file *f;
	const struct ms_vfio *dev;
	ms_pa_t end = 0;

	check_claims(c, RB_ROOT(&drivers->claims), &end);
	LIST_FOREACH (iomem, &drivers->iomem_files, link)
		if (!ms_check_is_file(c->machine, iomem->file))
			ms_check_found(c, "drivers: an open file of memory is none any more");
	LIST_FOREACH (f, &drivers->vfio_files, link)
		if (!ms_check_is_file(c->machine, f->file))
			ms_check_found(c, "vfio: an open file is none any more");
	LIST_FOREACH (dev, &drivers->vfio_devices, link)
		check_vfio(c, dev);
}
