/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/kobject.h>: linux.h has what a device needs of it. */
#include <mapsim/linux.h>
