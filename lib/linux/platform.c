/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Platform devices that a test finds, and the drivers that are probed for them. Written against
 * linux.h, as file.c; of a struct platform_driver, which is not the same in all versions, it knows
 * the entry alone.
 */
#include <mapsim/linux.h>

#include <mapsim/linux/platform_device.h>

#include "core/refusal.h"
#include "linux/bridge.h"

struct platform_bus {
	struct platform_device *devices; // the newest first
	struct ms_platform_entry *drivers;
};

static struct platform_bus *bus_of(struct ms_machine *m)
{
	void **place = m ? ms_linux_platform(m) : NULL;

	if (place && !*place)
		*place = ms_linux_zalloc(m, sizeof(struct platform_bus));
	return place ? *place : NULL;
}

static bool has_compatible(const struct of_device_id *id, const char *compatible)
{
	for (; id && compatible && *id->compatible; id++)
		if (!strcmp(id->compatible, compatible))
			return true;
	return false;
}

static const struct platform_device_id *id_of(const struct platform_device_id *id, const char *name)
{
	for (; id && *id->name; id++)
		if (!strcmp(id->name, name))
			return id;
	return NULL;
}

/* The device tree's word, then the table, then the name.
 * mirrors platform_match(), drivers/base/platform.c, 5.10+ */
static bool matches(const struct ms_platform_entry *entry, struct platform_device *pdev)
{
	if (has_compatible(entry->driver->of_match_table, pdev->ms_compatible))
		return true;
	if (!entry->id_table)
		return !strcmp(pdev->name, entry->driver->name);
	pdev->id_entry = id_of(entry->id_table, pdev->name);
	return pdev->id_entry;
}

static int probe(struct ms_platform_entry *entry, struct platform_device *pdev)
{
	int err;

	if (pdev->ms_entry || !matches(entry, pdev))
		return 0;
	err = entry->probe(entry, pdev);
	if (!err)
		pdev->ms_entry = entry;
	return err;
}

static void detach(struct platform_device *pdev)
{
	struct ms_platform_entry *entry = pdev->ms_entry;

	pdev->ms_entry = NULL;
	if (entry)
		entry->remove(entry, pdev);
	dev_set_drvdata(&pdev->dev, NULL);
}

int ms_linux_platform_found(struct platform_device *pdev)
{
	struct platform_bus *bus = bus_of(ms_linux_machine());
	int err = 0;

	if (!pdev || !pdev->name || pdev->ms_found || !bus)
		return -EINVAL;
	if (!*pdev->dev.ms_name && pdev->id < 0)
		snprintf(pdev->dev.ms_name, sizeof(pdev->dev.ms_name), "%s", pdev->name);
	else if (!*pdev->dev.ms_name)
		snprintf(pdev->dev.ms_name, sizeof(pdev->dev.ms_name), "%.20s.%d", pdev->name,
			 pdev->id);
	pdev->ms_found = true;
	pdev->ms_next = bus->devices;
	bus->devices = pdev;
	for (struct ms_platform_entry *e = bus->drivers; e && !pdev->ms_entry && !err; e = e->next)
		err = probe(e, pdev);
	return err;
}

void ms_linux_platform_gone(struct platform_device *pdev)
{
	struct platform_bus *bus = pdev ? bus_of(ms_linux_machine()) : NULL;

	for (struct platform_device **p = bus ? &bus->devices : NULL; p && *p; p = &(*p)->ms_next) {
		if (*p != pdev)
			continue;
		detach(pdev);
		*p = pdev->ms_next;
		pdev->ms_found = false;
		return;
	}
}

struct ms_platform_entry *ms_linux_platform_driver_at(struct ms_machine *m, size_t i)
{
	const struct platform_bus *bus = bus_of(m);
	struct ms_platform_entry *entry = bus ? bus->drivers : NULL;

	while (entry && i--)
		entry = entry->next;
	return entry;
}

/* A probe that fails leaves the driver registered. */
int ms_linux_platform_register(struct ms_platform_entry *entry)
{
	struct ms_machine *m = ms_linux_machine();
	struct platform_bus *bus = bus_of(m);

	if (!m || !entry || !entry->driver || !entry->driver->name || !entry->probe)
		return -EINVAL;
	if (!bus)
		return ms_refuse(m, -ENOMEM, "no memory");
	for (const struct ms_platform_entry *e = bus->drivers; e; e = e->next)
		if (!strcmp(e->driver->name, entry->driver->name))
			return ms_refuse(m, -EBUSY, "a platform driver of this name is registered");
	entry->next = bus->drivers;
	entry->registered = true;
	bus->drivers = entry;
	for (struct platform_device *pdev = bus->devices; pdev; pdev = pdev->ms_next)
		if (probe(entry, pdev))
			dev_warn(&pdev->dev, "probe with driver %s failed", entry->driver->name);
	return 0;
}

void ms_linux_platform_unregister(struct ms_platform_entry *entry)
{
	struct platform_bus *bus = entry ? bus_of(ms_linux_machine()) : NULL;

	for (struct ms_platform_entry **p = bus ? &bus->drivers : NULL; p && *p; p = &(*p)->next) {
		if (*p != entry)
			continue;
		*p = entry->next;
		entry->registered = false;
		for (struct platform_device *pdev = bus->devices; pdev; pdev = pdev->ms_next)
			if (pdev->ms_entry == entry)
				detach(pdev);
		return;
	}
	if (bus)
		ms_linux_violation("platform_driver_unregister of what is not registered");
}

/* ---- a machine's state, and its end ---- */

void ms_linux_platform_hash(struct ms_hash *h, const void *place)
{
	const struct platform_bus *bus = place;

	for (const struct platform_device *d = bus ? bus->devices : NULL; d; d = d->ms_next) {
		ms_linux_hash_text(h, dev_name(&d->dev));
		ms_linux_hash_text(h, d->ms_entry ? d->ms_entry->driver->name : "");
		ms_linux_hash_word(h, d->dev.driver_data);
		ms_linux_hash_word(h, d->dev.ms_devres);
		for (u32 i = 0; i < d->num_resources; i++) {
			ms_linux_hash_add(h, d->resource[i].start);
			ms_linux_hash_add(h, d->resource[i].end);
			ms_linux_hash_add(h, d->resource[i].flags);
		}
	}
	for (const struct ms_platform_entry *e = bus ? bus->drivers : NULL; e; e = e->next)
		ms_linux_hash_text(h, e->driver->name);
}

void ms_linux_platform_walk(struct ms_machine *m, const void *place,
			    void (*fn)(struct ms_machine *m, const char *what, const char *name))
{
	const struct platform_bus *bus = place;

	for (const struct ms_platform_entry *e = bus ? bus->drivers : NULL; e; e = e->next)
		fn(m, "platform driver %s is never unregistered", e->driver->name);
}

void ms_linux_platform_destroy(struct ms_machine *m, void *place)
{
	ms_linux_release(m, place);
}
