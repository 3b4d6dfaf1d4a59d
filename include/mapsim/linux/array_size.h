/* SPDX-License-Identifier: GPL-2.0-only */
/* <linux/array_size.h>: linux.h has all of it. */
#include <mapsim/linux.h>
