/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * <linux/platform_device.h>: a test fills a struct platform_device and calls the driver's probe and
 * remove by ms_linux_platform_probe() and ms_linux_platform_remove(). Device trees are not modelled.
 */
#include <mapsim/linux.h>
#ifndef MAPSIM_LINUX_PLATFORM_DEVICE_H
#define MAPSIM_LINUX_PLATFORM_DEVICE_H

struct platform_device_id {
	char name[20];
	unsigned long driver_data;
};

struct platform_device {
	const char *name;
	int id;
	struct device dev;
	u32 num_resources;
	struct resource *resource;
	const struct platform_device_id *id_entry;
};

struct platform_driver {
	int (*probe)(struct platform_device *pdev);
#if MS_LINUX_BEFORE(6, 11)
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
};

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
		driver->remove(pdev);
	ms_linux_devres_release_all(&pdev->dev);
	pdev->dev.driver = NULL;
}

#endif
