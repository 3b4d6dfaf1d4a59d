/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/platform_device.h>, and the tables of <linux/mod_devicetable.h>. A test fills a struct
 * platform_device and lets the bus find it (ms_linux_platform_found()), before or after a driver is
 * registered; or it calls a driver's probe and remove itself (ms_linux_platform_probe(),
 * ms_linux_platform_remove()). Of a device tree there is the one word that a driver is found by,
 * `ms_compatible`.
 */
#include <mapsim/linux.h>
#ifndef MAPSIM_LINUX_PLATFORM_DEVICE_H
#define MAPSIM_LINUX_PLATFORM_DEVICE_H

struct platform_device_id {
	char name[20];
	unsigned long driver_data;
};

struct of_device_id {
	char name[32];
	char type[32];
	char compatible[128];
	const void *data;
};

struct ms_platform_entry;

struct platform_device {
	const char *name;
	int id;
	struct device dev;
	u32 num_resources;
	struct resource *resource;
	const struct platform_device_id *id_entry;
	const char *ms_compatible; // of its node in the device tree; NULL: it has none
	/* of the library */
	struct platform_device *ms_next;
	struct ms_platform_entry *ms_entry; // whose driver it has
	bool ms_found;
};

/* A driver as the bus knows it: what is in struct platform_driver depends on the version. */
struct ms_platform_entry {
	struct ms_platform_entry *next;
	struct device_driver *driver;
	const struct platform_device_id *id_table;
	int (*probe)(struct ms_platform_entry *entry, struct platform_device *pdev);
	void (*remove)(struct ms_platform_entry *entry, struct platform_device *pdev);
	bool registered;
};

struct platform_driver {
	int (*probe)(struct platform_device *pdev);
#ifndef MS_LINUX_VERSION_CODE
	const void *remove; // of either kind: what it answers is not looked at
#elif MS_LINUX_BEFORE(6, 11)
	int (*remove)(struct platform_device *pdev);
#else
	void (*remove)(struct platform_device *pdev);
#endif
#if MS_LINUX_SINCE(6, 3)
	void (*remove_new)(struct platform_device *pdev);
#endif
	void (*shutdown)(struct platform_device *pdev);
	struct device_driver driver;
	const struct platform_device_id *id_table;
	bool prevent_deferred_probe;
	struct ms_platform_entry ms_entry;
};
#define to_platform_driver(d) container_of(d, struct platform_driver, driver)
#define of_match_ptr(table) (table)

#define to_platform_device(d) container_of(d, struct platform_device, dev)
#define platform_get_drvdata(pdev) dev_get_drvdata(&(pdev)->dev)
#define platform_set_drvdata(pdev, data) dev_set_drvdata(&(pdev)->dev, data)

/* The num-th resource of that type, NULL: there is none. */
static inline struct resource *platform_get_resource(struct platform_device *pdev,
						     unsigned int type, unsigned int num)
{
	for (u32 i = 0; pdev && i < pdev->num_resources; i++)
		if (resource_type(&pdev->resource[i]) == type && num-- == 0)
			return &pdev->resource[i];
	return NULL;
}

static inline struct resource *platform_get_resource_byname(struct platform_device *pdev,
							    unsigned int type, const char *name)
{
	for (u32 i = 0; pdev && name && i < pdev->num_resources; i++)
		if (resource_type(&pdev->resource[i]) == type && pdev->resource[i].name &&
		    !strcmp(pdev->resource[i].name, name))
			return &pdev->resource[i];
	return NULL;
}

/* The number of the num-th interrupt, above 0. -ENXIO: there is none. */
static inline int platform_get_irq_optional(struct platform_device *pdev, unsigned int num)
{
	const struct resource *res = platform_get_resource(pdev, IORESOURCE_IRQ, num);

	return res ? (int)res->start : -ENXIO;
}

static inline int platform_get_irq(struct platform_device *pdev, unsigned int num)
{
	int irq = platform_get_irq_optional(pdev, num);

	if (irq < 0 && pdev)
		dev_err(&pdev->dev, "IRQ index %u not found\n", num);
	return irq;
}

#define platform_get_mem_or_io(pdev, num) platform_get_resource(pdev, IORESOURCE_MEM, num)

static inline void __iomem *devm_platform_ioremap_resource(struct platform_device *pdev,
							   unsigned int index)
{
	return devm_ioremap_resource(pdev ? &pdev->dev : NULL,
				     platform_get_resource(pdev, IORESOURCE_MEM, index));
}

static inline void __iomem *
devm_platform_get_and_ioremap_resource(struct platform_device *pdev, unsigned int index,
				       struct resource **res)
{
	if (res)
		*res = platform_get_resource(pdev, IORESOURCE_MEM, index);
	return devm_platform_ioremap_resource(pdev, index);
}

/** As the bus does it. What probe answers; a failure gives back what was managed. -EINVAL: NULL. */
static inline int ms_linux_platform_probe(struct platform_device *pdev,
					  struct platform_driver *driver)
{
	int err;

	if (!pdev || !driver || !driver->probe)
		return -EINVAL;
	if (!pdev->dev.ms_users)
		device_initialize(&pdev->dev);
	if (!pdev->dev.init_name)
		pdev->dev.init_name = pdev->name;
	pdev->dev.driver = &driver->driver;
	err = driver->probe(pdev);
	if (!err)
		return 0;
	ms_linux_devres_release_all(&pdev->dev);
	pdev->dev.driver = NULL;
	return err;
}

static inline void ms_linux_platform_remove(struct platform_device *pdev,
					    struct platform_driver *driver)
{
	if (!pdev || !driver)
		return;
#if MS_LINUX_SINCE(6, 3)
	if (driver->remove_new)
		driver->remove_new(pdev);
	else
#endif
	if (driver->remove)
		((void (*)(struct platform_device *))(uintptr_t)driver->remove)(pdev);
	ms_linux_devres_release_all(&pdev->dev);
	pdev->dev.driver = NULL;
}

/* ---- the bus ---- */

/** The bus has found it: a driver that is registered, or will be, is probed. It stays where it is
 * until ms_linux_platform_gone(). Answers what the probe does; 0: no driver is there. -EINVAL: NULL,
 * without a name, or it was found before. */
int ms_linux_platform_found(struct platform_device *pdev);
/** The device is taken away: its driver's remove is called. NULL is allowed. */
void ms_linux_platform_gone(struct platform_device *pdev);
/** The i-th driver that is registered, the newest first; NULL: no more. */
struct ms_platform_entry *ms_linux_platform_driver_at(struct ms_machine *m, size_t i);

int ms_linux_platform_register(struct ms_platform_entry *entry);
void ms_linux_platform_unregister(struct ms_platform_entry *entry);

static inline int ms_linux_platform_entry_probe(struct ms_platform_entry *entry,
						struct platform_device *pdev)
{
	return ms_linux_platform_probe(pdev, container_of(entry, struct platform_driver, ms_entry));
}

static inline void ms_linux_platform_entry_remove(struct ms_platform_entry *entry,
						  struct platform_device *pdev)
{
	ms_linux_platform_remove(pdev, container_of(entry, struct platform_driver, ms_entry));
}

/* A probe that fails leaves the driver registered. */
static inline int platform_driver_register(struct platform_driver *driver)
{
	if (!driver)
		return -EINVAL;
	driver->ms_entry = (struct ms_platform_entry){
		.driver = &driver->driver,
		.id_table = driver->id_table,
		.probe = ms_linux_platform_entry_probe,
		.remove = ms_linux_platform_entry_remove,
	};
	return ms_linux_platform_register(&driver->ms_entry);
}

static inline void platform_driver_unregister(struct platform_driver *driver)
{
	ms_linux_platform_unregister(driver ? &driver->ms_entry : NULL);
}

#define module_platform_driver(the_driver) \
	module_driver(the_driver, platform_driver_register, platform_driver_unregister)

#endif
