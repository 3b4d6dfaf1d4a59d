/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What file.c asks of the other files of lib/linux. It is written against linux.h, which calls the
 * library's structures by the kernel's names; the others see those structures' inside, and cannot
 * include linux.h.
 */
#ifndef MS_LINUX_BRIDGE_H
#define MS_LINUX_BRIDGE_H

#include <mapsim/linux/ms_calls.h>

#include <sys/types.h>

/* The machine's allocator. */
void *ms_linux_zalloc(struct ms_machine *m, size_t size);
void ms_linux_release(struct ms_machine *m, void *p);
unsigned int ms_linux_page_shift(const struct ms_machine *m);
uint64_t ms_linux_refusals(const struct ms_machine *m); /* ms_refusals() */
/* Where file.c keeps its list of devices; NULL: no memory. */
void **ms_linux_devices(struct ms_machine *m);
void ms_linux_devices_destroy(struct ms_machine *m, void *devices);
/* Each device that is registered, with its name: the first (device NULL), the next one; NULL: no
 * more. */
const void *ms_linux_device_next(const void *devices, const void *device, const char **name);
/* The file belongs to the address_space `key` from now on; nothing maps it yet. -ENOMEM. */
int ms_linux_file_set_mapping(struct ms_file *file, const void *key);

/* Where task.c keeps its list of tasks; NULL: no memory. */
void **ms_linux_tasks(struct ms_machine *m);
void ms_linux_tasks_destroy(struct ms_machine *m, void *tasks);
/* Driver code of m runs for mm from now on, NULL: for no process. Answers for which it ran. */
struct ms_mm *ms_linux_set_current_mm(struct ms_machine *m, struct ms_mm *mm);

/* What the library goes on using of the memory [from, to), in words; NULL: nothing. */
const char *ms_linux_devices_use(const struct ms_machine *m, const void *devices, uintptr_t from,
				 uintptr_t to);
const char *ms_linux_chrdevs_use(const void *place, uintptr_t from, uintptr_t to);
const char *ms_linux_bus_use(const void *place, uintptr_t from, uintptr_t to);

struct ms_mmu_notifier;
struct ms_mmu_notifier_ops;
/* ms_mmu_notifier_add() */
int ms_linux_notifier_add(struct ms_mm *mm, struct ms_mmu_notifier *mn,
			  const struct ms_mmu_notifier_ops *ops);
/* A driver's function that is no VMA's is called: false, with a violation: it is not to be. */
bool ms_linux_call_begin(struct ms_machine *m);
void ms_linux_call_end(struct ms_machine *m);
struct ms_file_ops;
void ms_linux_file_set_ops(struct ms_file *file, const struct ms_file_ops *ops);
bool ms_linux_is_ending(const struct ms_machine *m);

/* Does the machine's kernel call ->mmap_prepare? */
bool ms_linux_knows_mmap_prepare(const struct ms_machine *m);

/* Where cdev.c keeps what it has; NULL: no memory. */
void **ms_linux_chrdevs(struct ms_machine *m);
void ms_linux_chrdevs_destroy(struct ms_machine *m, void *place);
/* Calls fn with a text, in which %s is the name, for each thing that is still registered. */
void ms_linux_chrdevs_walk(struct ms_machine *m, const void *place,
			   void (*fn)(struct ms_machine *m, const char *what, const char *name));
struct cdev;
struct cdev *ms_linux_cdev_named(struct ms_machine *m, const char *name, dev_t *devt);
/* false, and a violation: the driver was compiled for other pages. */
bool ms_linux_page_size_fits(struct ms_machine *m, unsigned int page_shift);

/* The same for pci.c. */
void **ms_linux_bus(struct ms_machine *m);
void ms_linux_bus_destroy(struct ms_machine *m, void *place);
void ms_linux_bus_walk(struct ms_machine *m, const void *place,
		       void (*fn)(struct ms_machine *m, const char *what, const char *name));

#endif
