/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers of character devices, who serves them, and the names under which they are opened. Written
 * against linux.h, as file.c.
 */
#include <mapsim/linux.h>

#include <mapsim/linux/cdev.h>

#include "core/pointer.h"
#include "core/refusal.h"
#include "linux/bridge.h"

/* Of each machine: claimed numbers, and devices with a name. */
struct numbers {
	struct numbers *next;
	dev_t first;
	unsigned int count;
	const char *name;
};

struct named {
	struct named *next;
	struct device *dev;
};

struct chrdevs {
	struct numbers *numbers;
	struct named *named;
	struct list_head cdevs; // of struct cdev
};

static struct chrdevs *chrdevs(struct ms_machine *m)
{
	void **place = m ? ms_linux_chrdevs(m) : NULL;
	struct chrdevs *all;

	if (!place || *place)
		return place ? *place : NULL;
	all = ms_linux_zalloc(m, sizeof(*all));
	if (all)
		INIT_LIST_HEAD(&all->cdevs);
	*place = all;
	return all;
}

static bool overlap(dev_t a, unsigned int na, dev_t b, unsigned int nb)
{
	return a < b + nb && b < a + na;
}

static bool is_taken(const struct chrdevs *all, dev_t first, unsigned int count)
{
	for (const struct numbers *n = all->numbers; n; n = n->next)
		if (overlap(n->first, n->count, first, count))
			return true;
	return false;
}

/* mirrors find_dynamic_major(), fs/char_dev.c, 5.10+: 0: none is free */
static unsigned int find_major(const struct chrdevs *all)
{
	for (unsigned int major = 254; major >= 234; major--)
		if (!is_taken(all, MKDEV(major, 0), 1u << MINORBITS))
			return major;
	for (unsigned int major = 511; major >= 384; major--)
		if (!is_taken(all, MKDEV(major, 0), 1u << MINORBITS))
			return major;
	return 0;
}

// mirrors __register_chrdev_region(), fs/char_dev.c, 5.10+
int ms_linux_chrdev_region(dev_t *dev, unsigned int count, const char *name, bool any)
{
	struct ms_machine *m = ms_linux_machine();
	struct chrdevs *all = chrdevs(m);
	struct numbers *numbers;
	unsigned int major;

	if (!m || !dev)
		return -EINVAL;
	if (!count || !name || count > (1u << MINORBITS) - MINOR(*dev))
		return ms_refuse(m, -EINVAL, "%u device numbers from minor %u on", count,
				 MINOR(*dev));
	numbers = all ? ms_linux_zalloc(m, sizeof(*numbers)) : NULL;
	if (!numbers)
		return ms_refuse(m, -ENOMEM, "no memory");
	major = any ? find_major(all) : MAJOR(*dev);
	*numbers = (struct numbers){ all->numbers, MKDEV(major, MINOR(*dev)), count, name };
	if ((any && !major) || is_taken(all, numbers->first, count)) {
		ms_linux_release(m, numbers);
		return ms_refuse(m, -EBUSY, "device numbers of major %u are taken", major);
	}
	all->numbers = numbers;
	*dev = numbers->first;
	return 0;
}

void ms_linux_chrdev_region_end(dev_t dev, unsigned int count)
{
	struct ms_machine *m = ms_linux_machine();
	struct chrdevs *all = chrdevs(m);

	for (struct numbers **p = all ? &all->numbers : NULL, *n; p && (n = *p); p = &n->next) {
		if (n->first != dev || n->count != count)
			continue;
		*p = n->next;
		ms_linux_release(m, n);
		return;
	}
	if (m)
		ms_linux_violation("unregister_chrdev_region of what is not registered");
}

int ms_linux_cdev_add(struct cdev *cdev, dev_t dev, unsigned int count, unsigned int page_shift)
{
	struct ms_machine *m = ms_linux_machine();
	struct chrdevs *all = chrdevs(m);

	if (!m || !cdev || !cdev->ops)
		return -EINVAL;
	if (!all)
		return ms_refuse(m, -ENOMEM, "no memory");
	if (!ms_linux_page_size_fits(m, page_shift))
		return -EINVAL;
	if (!is_taken(all, dev, count))
		ms_linux_violation("cdev_add of numbers that nobody has registered");
	if (ms_linux_cdev_at(dev))
		return ms_refuse(m, -EBUSY, "cdev_add: device number %u:%u has a cdev", MAJOR(dev),
				 MINOR(dev));
	cdev->dev = dev;
	cdev->count = count;
	snprintf(cdev->ms_name, sizeof(cdev->ms_name), "%u:%u", MAJOR(dev), MINOR(dev));
	list_add_tail(&cdev->list, &all->cdevs);
	return 0;
}

void ms_linux_cdev_del(struct cdev *cdev)
{
	if (!cdev)
		return;
	if (!cdev->count) {
		ms_linux_violation("cdev_del of what was not added");
		return;
	}
	cdev->count = 0;
	list_del_init(&cdev->list);
}

struct cdev *ms_linux_cdev_at(dev_t dev)
{
	struct chrdevs *all = chrdevs(ms_linux_machine());
	struct cdev *cdev;

	if (!all)
		return NULL;
	list_for_each_entry (cdev, &all->cdevs, list)
		if (dev >= cdev->dev && dev < cdev->dev + cdev->count)
			return cdev;
	return NULL;
}

/* ---- names ---- */

static struct device *device_named(const struct chrdevs *all, const char *name)
{
	const struct named *named = all ? all->named : NULL;

	while (named && strcmp(dev_name(named->dev), name) != 0)
		named = named->next;
	return named ? named->dev : NULL;
}

int ms_linux_device_add(struct device *dev)
{
	struct ms_machine *m = ms_linux_machine();
	struct chrdevs *all = chrdevs(m);
	struct named *named;

	if (!m || !dev)
		return -EINVAL;
	if (!*dev_name(dev))
		return ms_refuse(m, -EINVAL, "device_add: the device has no name");
	if (device_named(all, dev_name(dev)))
		return ms_refuse(m, -EEXIST, "device_add: the name is taken");
	named = all ? ms_linux_zalloc(m, sizeof(*named)) : NULL;
	if (!named)
		return ms_refuse(m, -ENOMEM, "no memory");
	*named = (struct named){ all->named, dev };
	all->named = named;
	return 0;
}

void ms_linux_device_del(struct device *dev)
{
	struct ms_machine *m = ms_linux_machine();
	struct chrdevs *all = dev ? chrdevs(m) : NULL;

	for (struct named **p = all ? &all->named : NULL, *n; p && (n = *p); p = &n->next) {
		if (n->dev != dev)
			continue;
		*p = n->next;
		ms_linux_release(m, n);
		ms_linux_devres_release_all(dev);
		return;
	}
	if (m && dev)
		ms_linux_violation("device_del of a device that was not added");
}

struct device *ms_linux_device_of(const struct class *class, dev_t devt)
{
	const struct chrdevs *all = chrdevs(ms_linux_machine());

	for (const struct named *n = all ? all->named : NULL; n; n = n->next)
		if (n->dev->class == class && n->dev->devt == devt)
			return n->dev;
	return NULL;
}

static bool is_named(const struct chrdevs *all, const struct cdev *cdev)
{
	for (const struct named *n = all->named; n; n = n->next)
		if (n->dev->devt >= cdev->dev && n->dev->devt < cdev->dev + cdev->count)
			return true;
	return false;
}

const char *ms_linux_chrdev_name(struct ms_machine *m, size_t i)
{
	const struct chrdevs *all = chrdevs(m);
	const struct named *n = all ? all->named : NULL;
	const struct cdev *cdev;
	size_t nr = 0;

	for (; n; n = n->next)
		nr += n->dev->devt && ms_linux_cdev_at(n->dev->devt);
	// the newest is the first
	for (n = all && i < nr ? all->named : NULL; n; n = n->next)
		if (n->dev->devt && ms_linux_cdev_at(n->dev->devt) && --nr == i)
			return dev_name(n->dev);
	if (!all || i < nr)
		return NULL;
	i -= nr;
	list_for_each_entry (cdev, &all->cdevs, list)
		if (!is_named(all, cdev) && !i--)
			return cdev->ms_name;
	return NULL;
}

/* mknod: a device's number in place of a name. 0: it is none. */
static dev_t number_of(const char *name)
{
	unsigned int major, minor;
	char more;

	return sscanf(name, "%u:%u%c", &major, &minor, &more) == 2 ? MKDEV(major, minor) : 0;
}

/* The cdev behind a name. *devt: its number; 0: nobody has the name. NULL: nobody serves it. */
struct cdev *ms_linux_cdev_named(struct ms_machine *m, const char *name, dev_t *devt)
{
	const struct device *dev = device_named(chrdevs(m), name);

	*devt = dev ? dev->devt : number_of(name);
	return *devt ? ms_linux_cdev_at(*devt) : NULL;
}

/* ---- a machine's state ---- */

/* Who was registered first decides nothing: each is hashed by itself. */
static uint64_t sum_of_cdevs(struct ms_hash *h, const struct chrdevs *all)
{
	const struct cdev *cdev;
	uint64_t sum = 0;

	list_for_each_entry (cdev, &all->cdevs, list) {
		const uint64_t outer = ms_linux_hash_apart(h);

		ms_linux_hash_add(h, cdev->dev);
		ms_linux_hash_add(h, cdev->count);
		ms_linux_hash_pointer(h, cdev->ops);
		sum += ms_linux_hash_apart_end(h, outer);
	}
	return sum;
}

static uint64_t sum_of_named(struct ms_hash *h, const struct chrdevs *all)
{
	uint64_t sum = 0;

	for (const struct named *n = all->named; n; n = n->next) {
		const uint64_t outer = ms_linux_hash_apart(h);

		ms_linux_hash_text(h, dev_name(n->dev));
		ms_linux_hash_add(h, n->dev->devt);
		sum += ms_linux_hash_apart_end(h, outer);
	}
	return sum;
}

void ms_linux_chrdevs_hash(struct ms_hash *h, const void *place)
{
	const struct chrdevs *all = place;
	uint64_t sum = 0;

	for (const struct numbers *n = all ? all->numbers : NULL; n; n = n->next) {
		const uint64_t outer = ms_linux_hash_apart(h);

		ms_linux_hash_add(h, n->first);
		ms_linux_hash_add(h, n->count);
		sum += ms_linux_hash_apart_end(h, outer);
	}
	ms_linux_hash_add(h, sum);
	ms_linux_hash_add(h, all ? sum_of_cdevs(h, all) : 0);
	ms_linux_hash_add(h, all ? sum_of_named(h, all) : 0);
}

/* ---- a machine's end ---- */

void ms_linux_chrdevs_walk(struct ms_machine *m, const void *place,
			   void (*fn)(struct ms_machine *m, const char *what, const char *name))
{
	const struct chrdevs *all = place;
	const struct cdev *cdev;

	if (!all)
		return;
	for (const struct numbers *n = all->numbers; n; n = n->next)
		fn(m, "device numbers of %s are never unregistered", n->name);
	for (const struct named *n = all->named; n; n = n->next)
		fn(m, "device %s is never destroyed", dev_name(n->dev));
	list_for_each_entry (cdev, &all->cdevs, list)
		fn(m, "a cdev is never deleted", "");
}

const char *ms_linux_chrdevs_use(const void *place, uintptr_t from, uintptr_t to)
{
	const struct chrdevs *all = place;
	const struct cdev *cdev;

	if (!all)
		return NULL;
	for (const struct numbers *n = all->numbers; n; n = n->next)
		if (ms_lies_in(n->name, from, to))
			return "the name of device numbers";
	for (const struct named *n = all->named; n; n = n->next)
		if (ms_lies_in(n->dev, from, to))
			return "a device that was created";
	list_for_each_entry (cdev, &all->cdevs, list)
		if (ms_lies_in(cdev, from, to) || ms_lies_in(cdev->ops, from, to))
			return "a cdev that was added";
	return NULL;
}

void ms_linux_chrdevs_destroy(struct ms_machine *m, void *place)
{
	struct chrdevs *all = place;

	if (!all)
		return;
	for (struct numbers *n = all->numbers, *next; n; n = next) {
		next = n->next;
		ms_linux_release(m, n);
	}
	for (struct named *n = all->named, *next; n; n = next) {
		next = n->next;
		ms_linux_release(m, n);
	}
	ms_linux_release(m, all);
}
