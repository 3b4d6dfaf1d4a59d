/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/device.h>, <linux/pm_runtime.h>, <linux/dma-direction.h>: what goes with a device when its
 * driver does (devm_), references, power that is always on. Its messages are in printk.h. sysfs is
 * not modelled: attributes are not there.
 */
#ifndef MAPSIM_LINUX_H
#include <mapsim/linux.h>
#elif !defined(MAPSIM_LINUX_DEVICE_H)
#define MAPSIM_LINUX_DEVICE_H

struct device_driver {
	const char *name;
	struct module *owner;
	const void *of_match_table, *acpi_match_table, *pm;
	const struct attribute_group **dev_groups, **groups;
};

struct class {
	const char *name;
	struct module *owner;
#if MS_LINUX_BEFORE(6, 2)
	char *(*devnode)(struct device *dev, umode_t *mode);
#else
	char *(*devnode)(const struct device *dev, umode_t *mode);
#endif
};

#define kobj_to_dev(kobject) container_of(kobject, struct device, kobj)

static inline const char *kobject_name(const struct kobject *kobj)
{
	return kobj->name;
}

static inline const char *dev_driver_string(const struct device *dev)
{
	return dev && dev->driver ? dev->driver->name : "";
}

static inline void *dev_get_platdata(const struct device *dev)
{
	return dev ? dev->platform_data : NULL;
}

static inline struct device *get_device(struct device *dev)
{
	if (dev)
		dev->ms_users++;
	return dev;
}

/* The last reference calls ->release. */
static inline void put_device(struct device *dev)
{
	if (!dev)
		return;
	if (!dev->ms_users)
		ms_linux_violation("put_device of a device that nobody holds");
	else if (--dev->ms_users == 0 && dev->release)
		dev->release(dev);
}

static inline void device_initialize(struct device *dev)
{
	if (dev)
		dev->ms_users = 1;
}

#define dev_set_name(dev, ...) \
	(snprintf((dev)->ms_name, sizeof((dev)->ms_name), __VA_ARGS__) < \
			 (int)sizeof((dev)->ms_name) \
		 ? 0 \
		 : -ENOMEM)

/* ---- what the device gives back by itself ---- */

struct ms_devres {
	struct ms_devres *next;
	void (*action)(void *data);
	void *data;
};

static inline int devm_add_action(struct device *dev, void (*action)(void *), void *data)
{
	struct ms_devres *res =
		dev ? (struct ms_devres *)kmalloc(sizeof(*res), GFP_KERNEL) : NULL;

	if (!dev)
		return -EINVAL;
	if (!res)
		return -ENOMEM;
	*res = (struct ms_devres){ .next = dev->ms_devres, .action = action, .data = data };
	dev->ms_devres = res;
	return 0;
}

static inline int devm_add_action_or_reset(struct device *dev, void (*action)(void *), void *data)
{
	int err = devm_add_action(dev, action, data);

	if (err && action)
		action(data);
	return err;
}

/* Forgets it; run: and does it. -ENOENT: there is none. */
static inline int ms_linux_devres_end(struct device *dev, void (*action)(void *), const void *data,
				      bool run)
{
	if (!dev)
		return -EINVAL;
	for (struct ms_devres **p = &dev->ms_devres, *res; (res = *p); p = &res->next) {
		if (res->action != action || res->data != data)
			continue;
		*p = res->next;
		if (run)
			action(res->data);
		kfree(res);
		return 0;
	}
	ms_linux_violation("a devm_ function ends what the device does not have");
	return -ENOENT;
}

#define devm_remove_action(dev, action, data) \
	((void)ms_linux_devres_end(dev, action, data, false))
#define devm_release_action(dev, action, data) \
	((void)ms_linux_devres_end(dev, action, data, true))

/* When a driver leaves the device, or its probe fails: the last first. */
static inline void ms_linux_devres_release_all(struct device *dev)
{
	struct ms_devres *res;

	while (dev && (res = dev->ms_devres)) {
		dev->ms_devres = res->next;
		res->action(res->data);
		kfree(res);
	}
}

static inline void ms_linux_devm_kfree(void *p)
{
	kfree(p);
}

static inline void *devm_kmalloc(struct device *dev, size_t size, gfp_t flags)
{
	void *p = dev ? kmalloc(size, flags) : NULL;

	if (p && devm_add_action_or_reset(dev, ms_linux_devm_kfree, p))
		return NULL;
	return p;
}

static inline void *devm_kzalloc(struct device *dev, size_t size, gfp_t flags)
{
	return devm_kmalloc(dev, size, flags | __GFP_ZERO);
}

static inline void *devm_kcalloc(struct device *dev, size_t n, size_t size, gfp_t flags)
{
	return devm_kzalloc(dev, size_mul(n, size), flags);
}

#define devm_kmalloc_array(dev, n, size, flags) devm_kmalloc(dev, size_mul(n, size), flags)
#define devm_kfree(dev, p) ((void)ms_linux_devres_end(dev, ms_linux_devm_kfree, p, true))

static inline char *devm_kstrdup(struct device *dev, const char *s, gfp_t flags)
{
	char *to = s ? (char *)devm_kmalloc(dev, strlen(s) + 1, flags) : NULL;

	return to ? strcpy(to, s) : NULL;
}

static inline void *devm_kmemdup(struct device *dev, const void *from, size_t size, gfp_t flags)
{
	void *to = devm_kmalloc(dev, size, flags);

	return to ? memcpy(to, from, size) : NULL;
}

static inline void ms_linux_devm_iounmap(void *p)
{
	iounmap(p);
}

static inline void __iomem *ms_linux_devm_ioremap(struct device *dev, void __iomem *p)
{
	if (p && (!dev || devm_add_action_or_reset(dev, ms_linux_devm_iounmap, p)))
		return NULL;
	return p;
}

#define devm_ioremap(dev, pa, size) ms_linux_devm_ioremap(dev, ioremap(pa, size))
#define devm_ioremap_wc(dev, pa, size) ms_linux_devm_ioremap(dev, ioremap_wc(pa, size))
#define devm_ioremap_uc(dev, pa, size) ms_linux_devm_ioremap(dev, ioremap_uc(pa, size))
#define devm_iounmap(dev, p) ((void)ms_linux_devres_end(dev, ms_linux_devm_iounmap, p, true))

struct ms_linux_devm_region {
	resource_size_t start, len;
};

static inline void ms_linux_devm_release_region(void *p)
{
	struct ms_linux_devm_region *region = (struct ms_linux_devm_region *)p;

	release_mem_region(region->start, region->len);
	kfree(region);
}

static inline struct resource *devm_request_mem_region(struct device *dev, resource_size_t start,
						       resource_size_t len, const char *name)
{
	struct ms_linux_devm_region *region =
		dev ? (struct ms_linux_devm_region *)kmalloc(sizeof(*region), GFP_KERNEL) : NULL;
	struct resource *res = region ? request_mem_region(start, len, name) : NULL;

	if (!res) {
		kfree(region);
		return NULL;
	}
	*region = (struct ms_linux_devm_region){ .start = start, .len = len };
	return devm_add_action_or_reset(dev, ms_linux_devm_release_region, region) ? NULL : res;
}

static inline void __iomem *devm_ioremap_resource(struct device *dev, const struct resource *res)
{
	void __iomem *p;

	if (!dev || !res || resource_type(res) != IORESOURCE_MEM)
		return ERR_PTR(-EINVAL);
	if (!devm_request_mem_region(dev, res->start, resource_size(res), dev_name(dev)))
		return ERR_PTR(-EBUSY);
	p = devm_ioremap(dev, res->start, resource_size(res));
	return p ? p : ERR_PTR(-ENOMEM);
}

/* ---- <linux/pm_runtime.h>: a device is always awake; who wakes it has to let it sleep ---- */

static inline int pm_runtime_get(struct device *dev)
{
	if (!dev)
		return -EINVAL;
	dev->ms_awake++;
	return 0;
}

static inline int pm_runtime_put(struct device *dev)
{
	if (!dev)
		return -EINVAL;
	if (!dev->ms_awake) {
		ms_linux_violation("Runtime PM usage count underflow");
		return -EINVAL;
	}
	dev->ms_awake--;
	return 0;
}

#define pm_runtime_get_sync(dev) pm_runtime_get(dev)
#define pm_runtime_resume_and_get(dev) pm_runtime_get(dev)
#define pm_runtime_get_noresume(dev) ((void)pm_runtime_get(dev))
#define pm_runtime_put_sync(dev) pm_runtime_put(dev)
#define pm_runtime_put_noidle(dev) ((void)pm_runtime_put(dev))
#define pm_runtime_put_autosuspend(dev) pm_runtime_put(dev)
#define pm_runtime_put_sync_autosuspend(dev) pm_runtime_put(dev)
#define pm_runtime_mark_last_busy(dev) ((void)(dev))
#define pm_runtime_enable(dev) ((void)(dev))
#define pm_runtime_disable(dev) ((void)(dev))
#define pm_runtime_suspended(dev) ((void)(dev), false)
#define pm_runtime_active(dev) ((void)(dev), true)

/* ---- <linux/dma-direction.h> and masks ---- */

#define DMA_BIT_MASK(n) (((n) == 64) ? ~0ULL : ((1ULL << (n)) - 1))

static inline int dma_set_mask(struct device *dev, u64 mask)
{
	if (!dev)
		return -EIO;
	if (dev->dma_mask)
		*dev->dma_mask = mask;
	return 0;
}

static inline int dma_set_coherent_mask(struct device *dev, u64 mask)
{
	if (!dev)
		return -EIO;
	dev->coherent_dma_mask = mask;
	return 0;
}

static inline int dma_set_mask_and_coherent(struct device *dev, u64 mask)
{
	dma_set_coherent_mask(dev, mask);
	return dma_set_mask(dev, mask);
}

#define smp_processor_id() 0
#define raw_smp_processor_id() 0
#define get_cpu() 0
#define put_cpu() barrier()
#define num_online_cpus() 1u
#define num_possible_cpus() 1u
#define nr_cpu_ids 1u

#endif
