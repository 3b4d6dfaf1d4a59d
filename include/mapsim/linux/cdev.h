/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Character devices by number: <linux/cdev.h>, <linux/device/class.h>, and register_chrdev() of
 * <linux/fs.h>. A test opens what device_create() has named by ms_linux_open().
 */
#include <mapsim/linux.h>
#ifndef MAPSIM_LINUX_CDEV_H
#define MAPSIM_LINUX_CDEV_H

struct cdev {
	struct kobject kobj;
	struct module *owner;
	const struct file_operations *ops;
	struct list_head list;
	dev_t dev;
	unsigned int count;
	bool ms_allocated; // cdev_alloc()
	char ms_name[24];  // "MAJOR:MINOR", by which it can be opened
};

int ms_linux_chrdev_region(dev_t *dev, unsigned int count, const char *name, bool any);
void ms_linux_chrdev_region_end(dev_t dev, unsigned int count);
int ms_linux_cdev_add(struct cdev *cdev, dev_t dev, unsigned int count, unsigned int page_shift);
void ms_linux_cdev_del(struct cdev *cdev);
int ms_linux_device_add(struct device *dev);
void ms_linux_device_del(struct device *dev);
struct device *ms_linux_device_of(const struct class *class, dev_t devt);

/* Any major number that is free. -EBUSY: none is. */
static inline int alloc_chrdev_region(dev_t *dev, unsigned int baseminor, unsigned int count,
				      const char *name)
{
	if (!dev)
		return -EINVAL;
	*dev = MKDEV(0, baseminor);
	return ms_linux_chrdev_region(dev, count, name, true);
}

/* -EBUSY: somebody has one of the numbers. */
static inline int register_chrdev_region(dev_t from, unsigned int count, const char *name)
{
	return ms_linux_chrdev_region(&from, count, name, false);
}

static inline void unregister_chrdev_region(dev_t from, unsigned int count)
{
	ms_linux_chrdev_region_end(from, count);
}

static inline void cdev_init(struct cdev *cdev, const struct file_operations *fops)
{
	memset(cdev, 0, sizeof(*cdev));
	INIT_LIST_HEAD(&cdev->list);
	cdev->ops = fops;
}

static inline struct cdev *cdev_alloc(void)
{
	struct cdev *cdev = (struct cdev *)kzalloc(sizeof(*cdev), GFP_KERNEL);

	if (cdev) {
		INIT_LIST_HEAD(&cdev->list);
		cdev->ms_allocated = true;
	}
	return cdev;
}

static inline int cdev_add(struct cdev *cdev, dev_t dev, unsigned int count)
{
	return ms_linux_cdev_add(cdev, dev, count, PAGE_SHIFT);
}

static inline void cdev_del(struct cdev *cdev)
{
	const bool allocated = cdev && cdev->ms_allocated;

	ms_linux_cdev_del(cdev);
	if (allocated)
		kfree(cdev);
}

/* ---- a major number and 256 minors at once ---- */

static inline int register_chrdev(unsigned int major, const char *name,
				  const struct file_operations *fops)
{
	dev_t dev = MKDEV(major, 0);
	struct cdev *cdev;
	int err = ms_linux_chrdev_region(&dev, 256, name, !major);

	if (err)
		return err;
	cdev = cdev_alloc();
	if (cdev) {
		cdev->ops = fops;
		err = cdev_add(cdev, dev, 256);
	}
	if (!cdev || err) {
		kfree(cdev);
		ms_linux_chrdev_region_end(dev, 256);
		return err ? err : -ENOMEM;
	}
	return major ? 0 : (int)MAJOR(dev);
}

struct cdev *ms_linux_cdev_at(dev_t dev);

static inline void unregister_chrdev(unsigned int major, const char *name)
{
	(void)name;
	cdev_del(ms_linux_cdev_at(MKDEV(major, 0)));
	ms_linux_chrdev_region_end(MKDEV(major, 0), 256);
}

/* ---- classes, and the names of devices ---- */

static inline struct class *ms_linux_class_create(const char *name)
{
	struct class *class = (struct class *)kzalloc(sizeof(*class), GFP_KERNEL);

	if (!class)
		return (struct class *)ERR_PTR(-ENOMEM);
	class->name = name;
	return class;
}

#if !defined(MS_LINUX_VERSION_CODE)
#define MS_LINUX_CLASS_CREATE(a, b, name, ...) name
#define MS_LINUX_CLASS_CREATE_2(owner, name) ms_linux_class_create(name)
#define class_create(...) \
	MS_LINUX_CLASS_CREATE(__VA_ARGS__, MS_LINUX_CLASS_CREATE_2, \
			      ms_linux_class_create)(__VA_ARGS__)
#elif MS_LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define class_create(owner, name) ((void)(owner), ms_linux_class_create(name))
#else
#define class_create(name) ms_linux_class_create(name)
#endif

static inline void class_destroy(const struct class *class)
{
	if (!IS_ERR_OR_NULL(class))
		kfree(class);
}

static inline int class_register(const struct class *class)
{
	return class && class->name ? 0 : -EINVAL;
}

#define class_unregister(class) ((void)(class))

static inline void ms_linux_device_free(struct device *dev)
{
	kfree(dev);
}

static inline int device_add(struct device *dev)
{
	return ms_linux_device_add(dev);
}

static inline void device_del(struct device *dev)
{
	ms_linux_device_del(dev);
}

static inline int device_register(struct device *dev)
{
	device_initialize(dev);
	return device_add(dev);
}

static inline void device_unregister(struct device *dev)
{
	device_del(dev);
	put_device(dev);
}

static inline int cdev_device_add(struct cdev *cdev, struct device *dev)
{
	int err;

	if (!cdev || !dev)
		return -EINVAL;
	err = dev->devt ? cdev_add(cdev, dev->devt, 1) : 0;
	if (err)
		return err;
	err = device_add(dev);
	if (err && dev->devt)
		cdev_del(cdev);
	return err;
}

static inline void cdev_device_del(struct cdev *cdev, struct device *dev)
{
	device_del(dev);
	if (dev && dev->devt)
		cdev_del(cdev);
}

/* The device, or an ERR_PTR. -EEXIST: the name is taken. */
#define device_create(the_class, the_parent, the_devt, drvdata, ...) \
	({ \
		struct device *ms_dev = \
			(struct device *)kzalloc(sizeof(struct device), GFP_KERNEL); \
		int ms_err = ms_dev ? 0 : -ENOMEM; \
		if (ms_dev) { \
			ms_dev->class = (the_class); \
			ms_dev->parent = (the_parent); \
			ms_dev->devt = (the_devt); \
			ms_dev->driver_data = (drvdata); \
			ms_dev->release = ms_linux_device_free; \
			ms_err = dev_set_name(ms_dev, __VA_ARGS__); \
			if (!ms_err) \
				ms_err = device_register(ms_dev); \
			if (ms_err) \
				kfree(ms_dev); \
		} \
		ms_err ? (struct device *)ERR_PTR(ms_err) : ms_dev; \
	})

static inline void device_destroy(const struct class *class, dev_t devt)
{
	struct device *dev = ms_linux_device_of(class, devt);

	if (dev)
		device_unregister(dev);
}

#endif
