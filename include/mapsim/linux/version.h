/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/version.h>. Whole in itself: linux.h needs it before it can begin. */
#ifndef MAPSIM_LINUX_VERSION_H
#define MAPSIM_LINUX_VERSION_H

#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))

#ifdef MS_LINUX_VERSION_CODE
#define LINUX_VERSION_CODE MS_LINUX_VERSION_CODE
#else
#define LINUX_VERSION_CODE KERNEL_VERSION(6, 12, 0)
#endif

/* Is what came with, or went with, that version to be there? Without a version everything is. */
#ifdef MS_LINUX_VERSION_CODE
#define MS_LINUX_SINCE(a, b) (MS_LINUX_VERSION_CODE >= KERNEL_VERSION(a, b, 0))
#define MS_LINUX_BEFORE(a, b) (MS_LINUX_VERSION_CODE < KERNEL_VERSION(a, b, 0))
#else
#define MS_LINUX_SINCE(a, b) 1
#define MS_LINUX_BEFORE(a, b) 1
#endif

#endif
