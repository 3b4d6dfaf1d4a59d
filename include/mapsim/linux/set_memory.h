/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/set_memory.h>: linux.h has all of it. */
#include <mapsim/linux.h>
