/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What file.c asks of the other files of lib/linux. It is written against linux.h, which calls the
 * library's structures by the kernel's names; the others see those structures' inside, and cannot
 * include linux.h.
 */
#ifndef MS_LINUX_BRIDGE_H
#define MS_LINUX_BRIDGE_H

#include <mapsim/linux/ms_calls.h>

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

#endif
