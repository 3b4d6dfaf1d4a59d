/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/kdev_t.h>: linux.h has all of it. */
#include <mapsim/linux.h>
