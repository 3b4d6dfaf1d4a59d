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
/* What ms_machine_hash() is made of, for those files (hash.c, core/hash.h). */
struct ms_hash;
void ms_linux_hash_add(struct ms_hash *h, uint64_t word);
void ms_linux_hash_text(struct ms_hash *h, const char *text);
/* Adds the number of an object of the machine's, which gets one. */
void ms_linux_hash_object(struct ms_hash *h, const void *object);
/* A word of a driver's, which may be the address of anything. */
void ms_linux_hash_word(struct ms_hash *h, const void *word);
/* A function or constant of a driver's. */
void ms_linux_hash_pointer(struct ms_hash *h, const void *p);
uint64_t ms_linux_hash_apart(struct ms_hash *h);
uint64_t ms_linux_hash_apart_end(struct ms_hash *h, uint64_t outer);
void ms_linux_chrdevs_hash(struct ms_hash *h, const void *place);
void ms_linux_bus_hash(struct ms_hash *h, const void *place);
void ms_linux_platform_hash(struct ms_hash *h, const void *place);

/* Where file.c keeps its list of devices; NULL: no memory. */
void **ms_linux_devices(struct ms_machine *m);
void ms_linux_devices_destroy(struct ms_machine *m, void *devices);
/* Each device that is registered, with its name: the first (device NULL), the next one; NULL: no
 * more. */
const void *ms_linux_device_next(const void *devices, const void *device, const char **name,
				 unsigned int *minor);
/* The file belongs to the address_space `key` from now on; nothing maps it yet. -ENOMEM. */
int ms_linux_file_set_mapping(struct ms_file *file, const void *key);

/* The notifier of mm that was registered last; NULL: there is none. */
struct ms_mmu_notifier *ms_linux_first_notifier(struct ms_mm *mm);

/* Where task.c keeps its list of tasks; NULL: no memory. */
void **ms_linux_tasks(struct ms_machine *m);
void ms_linux_tasks_destroy(struct ms_machine *m, void *tasks);
/* Driver code of m runs for mm from now on, NULL: for no process. Answers for which it ran. */
struct ms_mm *ms_linux_set_current_mm(struct ms_machine *m, struct ms_mm *mm);

/* Where work.c keeps the first of what is queued; NULL: no memory. */
void **ms_linux_works(struct ms_machine *m);
/* Calls fn for each work that is queued, each timer that is armed. */
void ms_linux_works_walk(struct ms_machine *m,
			 void (*fn)(struct ms_machine *m, const char *what, const char *name));
/* Is work queued, or a timer armed, in these bytes, which go? It is forgotten. */
bool ms_linux_work_in(struct ms_machine *m, const void *at, size_t size);
/* Driver code may sleep (false), or not; answers what held before. */
bool ms_linux_set_atomic(struct ms_machine *m, bool atomic);
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
/* Of the i-th character device that is none of misc: of those with a name, then of the others its
 * number. NULL: there are no more. */
const char *ms_linux_chrdev_name(struct ms_machine *m, size_t i);
struct cdev *ms_linux_cdev_named(struct ms_machine *m, const char *name, dev_t *devt);
/* false, and a violation: the driver was compiled for other pages. */
bool ms_linux_page_size_fits(struct ms_machine *m, unsigned int page_shift);

/* The same for pci.c. */
void **ms_linux_bus(struct ms_machine *m);
void ms_linux_bus_destroy(struct ms_machine *m, void *place);
void ms_linux_bus_walk(struct ms_machine *m, const void *place,
		       void (*fn)(struct ms_machine *m, const char *what, const char *name));

/* The same for platform.c. */
void **ms_linux_platform(struct ms_machine *m);
void ms_linux_platform_destroy(struct ms_machine *m, void *place);
void ms_linux_platform_walk(struct ms_machine *m, const void *place,
			    void (*fn)(struct ms_machine *m, const char *what, const char *name));

#endif
