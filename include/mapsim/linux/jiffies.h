/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/jiffies.h>: linux.h has all of it. */
#include <mapsim/linux.h>
