/* SPDX-License-Identifier: GPL-2.0-only */
/* MMIO devices: PCI BARs. */
#include "phys/phys.h"

static int device_cmp(const struct ms_device *a, const struct ms_device *b)
{
	return a->pa < b->pa ? -1 : a->pa > b->pa;
}

RB_GENERATE_INTERNAL(ms_device_tree, ms_device, by_pa, device_cmp, static __attribute__((unused)))

static int name_cmp(const struct ms_device *a, const struct ms_device *b)
{
	return strcmp(a->name, b->name);
}

RB_GENERATE_INTERNAL(ms_devices_by_name, ms_device, by_name, name_cmp,
		     static __attribute__((unused)))

static ms_pa_t device_end(const struct ms_device *dev)
{
	return dev->pa + dev->size;
}

struct ms_device *ms_device_after(const struct ms_phys *phys, ms_pa_t pa)
{
	struct ms_device *dev = RB_ROOT(&phys->by_pa), *found = NULL;

	while (dev) {
		if (device_end(dev) > pa) {
			found = dev;
			dev = RB_LEFT(dev, by_pa);
		} else {
			dev = RB_RIGHT(dev, by_pa);
		}
	}
	return found;
}

struct ms_device *ms_device_at(const struct ms_machine *m, ms_pa_t pa)
{
	struct ms_device *dev = m ? ms_device_after(m->phys, pa) : NULL;

	return dev && dev->pa <= pa ? dev : NULL;
}

struct ms_device *ms_device_next(const struct ms_machine *m, const struct ms_device *dev)
{
	if (!m)
		return NULL;
	return dev ? TAILQ_NEXT(dev, by_age) : TAILQ_FIRST(&m->phys->by_age);
}

struct ms_device *ms_device_find(struct ms_machine *m, const char *name)
{
	struct ms_device key = { .name = (char *)(uintptr_t)name };

	return m && name ? RB_FIND(ms_devices_by_name, &m->phys->by_name, &key) : NULL;
}

static int check_name(struct ms_machine *m, const char *name)
{
	const struct ms_device *other;

	if (!name)
		return ms_refuse(m, -EINVAL, "a device has a name");
	other = ms_device_find(m, name);
	if (other)
		return ms_refuse(m, -EEXIST, "device %s is there already, at %x",
				 ms_refusal_text(other->name), other->pa);
	return 0;
}

static struct ms_device *device_new(struct ms_machine *m, const char *name, ms_pa_t pa,
				    uint64_t size)
{
	struct ms_device *dev = ms_zalloc(&m->alloc, sizeof(*dev));

	if (!dev)
		return NULL;
	dev->name = ms_strdup(&m->alloc, name);
	if (!dev->name) {
		ms_free(&m->alloc, dev);
		return NULL;
	}
	dev->machine = m;
	dev->pa = pa;
	dev->size = size;
	dev->prefetchable = true;
	dev->mtrr = MS_MTRR_NOT_SAID;
	return dev;
}

struct ms_device *ms_device_add(struct ms_machine *m, const char *name, ms_pa_t pa, uint64_t size)
{
	if (!m)
		return ms_refusal_null(-EINVAL);
	struct ms_device *dev;
	int err = check_name(m, name);

	if (!err)
		err = ms_phys_check_range(m, pa, size);
	if (!err)
		err = ms_phys_check_free(m, pa, pa + size);
	if (err)
		return ms_refusal_null(err);
	dev = device_new(m, name, pa, size);
	if (!dev)
		return ms_refuse_null(m, -ENOMEM, "no memory");
	RB_INSERT(ms_device_tree, &m->phys->by_pa, dev);
	RB_INSERT(ms_devices_by_name, &m->phys->by_name, dev);
	TAILQ_INSERT_TAIL(&m->phys->by_age, dev, by_age);
	return dev;
}

void ms_devices_destroy(struct ms_machine *m)
{
	struct ms_device *dev;

	while ((dev = TAILQ_FIRST(&m->phys->by_age))) {
		TAILQ_REMOVE(&m->phys->by_age, dev, by_age);
		ms_free(&m->alloc, dev->name);
		ms_free(&m->alloc, dev);
	}
}

void ms_device_set_prefetchable(struct ms_device *dev, bool prefetchable)
{
	if (dev)
		dev->prefetchable = prefetchable;
}

void ms_device_set_mtrr(struct ms_device *dev, int type)
{
	if (!dev)
		return;
	switch (type) {
	case MS_CACHE_WB:
	case MS_CACHE_WC:
	case MS_CACHE_UC:
	case MS_CACHE_WT:
	case MS_CACHE_WP:
		dev->mtrr = type;
		break;
	default:
		dev->mtrr = -1; // no MTRR says UC-
	}
}

void ms_device_set_memory(struct ms_device *dev, bool enabled)
{
	if (!dev || dev->off == !enabled)
		return;
	dev->off = !enabled;
	if (enabled)
		dev->machine->phys->devices_off--;
	else
		dev->machine->phys->devices_off++;
}

bool ms_device_is_off(const struct ms_machine *m)
{
	return m->phys->devices_off;
}

bool ms_device_memory(const struct ms_device *dev)
{
	return dev && !dev->off;
}

void ms_device_accessed(struct ms_machine *m, uint64_t addr, ms_pa_t pa)
{
	const struct ms_device *dev;

	dev = ms_device_at(m, pa);
	if (dev && dev->off)
		ms_violation_entry(m,
				   "device memory is accessed while it is turned off: "
				   "a mapping has survived the revoke",
				   addr, pa);
}

const char *ms_device_name(const struct ms_device *dev)
{
	return dev ? dev->name : NULL;
}

ms_pa_t ms_device_pa(const struct ms_device *dev)
{
	return dev ? dev->pa : 0;
}

uint64_t ms_device_size(const struct ms_device *dev)
{
	return dev ? dev->size : 0;
}

bool ms_device_prefetchable(const struct ms_device *dev)
{
	return dev->prefetchable;
}

struct ms_machine *ms_device_machine(const struct ms_device *dev)
{
	return dev->machine;
}
